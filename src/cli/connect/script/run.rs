//! A script, step by step, over an open WebSocket.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use super::{Pattern, Step, What};
use crate::cli::connect::ending::{Answer, How, part};
use crate::cli::connect::show::Show;
use crate::cli::connect::talk::at;
use crate::http::accept::hex;
use crate::lab::frames::Received;
use crate::lab::socket::{Came, Socket};
use crate::model::{CloseCode, Opcode, Text, prefix};

/// What came of a script.
#[derive(Debug)]
pub enum Verdict {
    /// All was as expected.
    Passed,
    /// This line's expectation was not met.
    Failed {
        /// Its number.
        line: usize,
        /// What it expects.
        expected: Text,
        /// What came instead.
        got: Text,
    },
}

/// Characters of what came that are told.
const TOLD: usize = 500;

struct Run<'s> {
    socket: Socket,
    show: &'s Show,
    /// What came and was not asked for yet.
    messages: VecDeque<Received>,
    pongs: VecDeque<Vec<u8>>,
    ping: Vec<u8>,
    pinged: Instant,
    /// How the connection ended.
    over: Option<How>,
    timeout: Duration,
}

/// Runs the steps; `timeout` is how long each expectation may take unless the script says otherwise.
///
/// # Errors
/// When nothing can be shown any longer.
pub async fn run(socket: Socket, show: &Show, steps: &[Step], timeout: Duration) -> io::Result<Verdict> {
    let mut run = Run {
        socket,
        show,
        messages: VecDeque::new(),
        pongs: VecDeque::new(),
        ping: Vec::new(),
        pinged: Instant::now(),
        over: None,
        timeout,
    };
    for (place, step) in steps.iter().enumerate() {
        let next = steps.get(place + 1).map(|next| &next.what);
        if let Err((expected, got)) = run.step(&step.what, next).await? {
            run.end().await;
            return Ok(Verdict::Failed { line: step.line, expected, got });
        }
    }
    run.end().await;
    Ok(Verdict::Passed)
}

/// What was expected, and what came.
type Met = Result<(), (Text, Text)>;

impl Run<'_> {
    /// Takes a step, before the `next` one.
    async fn step(&mut self, what: &What, next: Option<&What>) -> io::Result<Met> {
        match what {
            What::Send(text) => self.send(Opcode::TEXT, text.as_bytes()).await,
            What::SendBinary(bytes) => self.send(Opcode::BINARY, bytes).await,
            What::Ping(payload) => {
                self.ping.clone_from(payload);
                self.pinged = Instant::now();
                self.send(Opcode::PING, payload).await
            }
            What::Expect(pattern) => self.expect(pattern).await,
            What::Await(pattern) => self.find(pattern).await,
            What::ExpectPong => self.pong().await,
            What::ExpectClose(code) => {
                let until = Instant::now() + self.timeout;
                while self.over.is_none() && self.hear(until).await? {}
                let expected = code.map_or_else(
                    || Text::new("the server closes"),
                    |code| Text::with("the server closes with {}", code.0),
                );
                Ok(match &self.over {
                    Some(How::Theirs(got, _)) if code.is_none() || got == code => Ok(()),
                    Some(how) => Err((expected, how.words())),
                    None => Err((expected, self.nothing())),
                })
            }
            What::Silence(span) => {
                let until = Instant::now() + *span;
                while self.messages.is_empty() && self.over.is_none() && self.hear(until).await? {}
                let expected = Text::with("nothing for {} s", span.as_secs_f64());
                Ok(match (self.messages.front(), &self.over) {
                    (Some(message), _) => Err((expected, told(message))),
                    (None, Some(how)) => Err((expected, how.words())),
                    (None, None) => Ok(()),
                })
            }
            What::Wait(span) => {
                let until = Instant::now() + *span;
                while self.over.is_none() && self.hear(until).await? {}
                at(Some(until)).await;
                Ok(Ok(()))
            }
            What::Close(code, reason) => {
                self.socket.close(Some(*code), reason);
                let until = Instant::now() + self.timeout;
                while self.over.is_none() && self.hear(until).await? {}
                Ok(match &self.over {
                    // What it says is looked at by whoever expects something of it.
                    Some(How::Theirs(..)) if matches!(next, Some(What::ExpectClose(_))) => Ok(()),
                    Some(How::Theirs(got, reason)) => match Answer::of(Some(*code), *got, reason.clone()) {
                        Answer::Well | Answer::Missing => Ok(()),
                        Answer::Other(got, _) => Err((
                            Text::with("{} in answer to our Close frame", code.0),
                            Text::with("{}", got.0),
                        )),
                    },
                    Some(how) => Err((CLOSE.into(), how.words())),
                    None => Err((CLOSE.into(), self.nothing())),
                })
            }
            What::Timeout(span) => {
                self.timeout = *span;
                Ok(Ok(()))
            }
        }
    }

    async fn send(&mut self, opcode: Opcode, payload: &[u8]) -> io::Result<Met> {
        if self.over.is_none() {
            self.socket.queue(opcode, payload);
            // What comes meanwhile is looked at: who does not read may not be read either.
            while self.socket.waiting() > 0 && self.over.is_none() {
                let soon = Instant::now() + Duration::from_millis(20);
                self.hear(soon).await?;
            }
        }
        Ok(match &self.over {
            None => Ok(()),
            Some(how) => Err(("the connection is open".into(), how.words())),
        })
    }

    async fn expect(&mut self, pattern: &Pattern) -> io::Result<Met> {
        let until = Instant::now() + self.timeout;
        while self.messages.is_empty() && self.over.is_none() && self.hear(until).await? {}
        let expected = Text::with("{}", pattern);
        Ok(match (self.messages.pop_front(), &self.over) {
            (Some(message), _) if pattern.fits(&message) => Ok(()),
            (Some(message), _) => Err((expected, told(&message))),
            (None, Some(how)) => Err((expected, how.words())),
            (None, None) => Err((expected, self.nothing())),
        })
    }

    async fn find(&mut self, pattern: &Pattern) -> io::Result<Met> {
        let until = Instant::now() + self.timeout;
        let mut last = None;
        loop {
            while let Some(message) = self.messages.pop_front() {
                if pattern.fits(&message) {
                    return Ok(Ok(()));
                }
                last = Some(told(&message));
            }
            if self.over.is_some() || !self.hear(until).await? {
                let nothing = match &self.over {
                    Some(how) => how.words(),
                    None => self.nothing(),
                };
                let got = match last {
                    Some(last) => Text::new("{}; the last message was {}").word(nothing).word(last),
                    None => nothing,
                };
                return Ok(Err((Text::with("a message that is {}", pattern), got)));
            }
        }
    }

    async fn pong(&mut self) -> io::Result<Met> {
        let until = Instant::now() + self.timeout;
        while self.pongs.is_empty() && self.over.is_none() && self.hear(until).await? {}
        let expected = Text::with("a pong: \"{}\"", String::from_utf8_lossy(&self.ping));
        Ok(match (self.pongs.pop_front(), &self.over) {
            (Some(pong), _) if pong == self.ping => Ok(()),
            (Some(pong), _) => Err((expected, Text::with("a pong: \"{}\"", String::from_utf8_lossy(&pong)))),
            (None, Some(how)) => Err((expected, how.words())),
            (None, None) => Err((expected, self.nothing())),
        })
    }

    /// Takes the next that comes; false when nothing does until then.
    async fn hear(&mut self, until: Instant) -> io::Result<bool> {
        let came = tokio::select! {
            came = self.socket.next() => came,
            () = at(Some(until)) => return Ok(false),
        };
        match How::of(came) {
            Ok(Came::Message(message)) => {
                self.show.message(&message)?;
                self.messages.push_back(message);
            }
            Ok(Came::Ping(payload)) => self.show.ping(&payload)?,
            Ok(Came::Pong(payload)) => {
                let took = Some(self.pinged.elapsed()).filter(|_| payload == self.ping);
                self.show.pong(&payload, took)?;
                self.pongs.push_back(payload);
            }
            Ok(_) => {}
            Err(how) => self.over = Some(how),
        }
        Ok(true)
    }

    fn nothing(&self) -> Text {
        Text::with("nothing within {} s", self.timeout.as_secs_f64())
    }

    /// Closes, unless that was done.
    async fn end(mut self) {
        if self.over.is_none() {
            self.socket.close(Some(CloseCode(1000)), "");
            let until = Instant::now() + self.timeout;
            while self.over.is_none() && self.hear(until).await.unwrap_or(false) {}
        }
        part(self.socket).await;
    }
}

const CLOSE: &str = "the server answers our Close frame";

fn told(message: &Received) -> Text {
    if message.kind == Opcode::TEXT {
        let text = String::from_utf8_lossy(&message.payload);
        let more = if text.len() > TOLD { " …" } else { "" };
        return Text::with("\"{}\"", format!("{}{more}", prefix(&text, TOLD)));
    }
    Text::with("binary {}", hex(&message.payload[..message.payload.len().min(TOLD / 2)]))
}
