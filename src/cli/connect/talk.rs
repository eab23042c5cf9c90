//! A conversation over an open WebSocket: what is typed or piped in goes out, what comes is shown.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Receiver;

use super::carrier::Carrier;
use super::command::{self, Command};
use super::ending::{Answer, End, How};
use super::input::Input;
use super::screen::{Screen, Tone};
use super::show::Show;
use super::socketio::{self, Said, SocketIo};
use crate::cli::live::stop::Stop;
use crate::lab::deflate::Deflater;
use crate::lab::frames::Received;
use crate::lab::socket::Came;
use crate::limits;
use crate::model::{CloseCode, Opcode, Text};

/// How long a conversation goes on.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Somebody types.
    pub typed: bool,
    /// Nothing is ever sent.
    pub listens: bool,
    /// Behind the end of the input: how long nothing has to come.
    pub wait: Option<Duration>,
    /// How many messages are waited for.
    pub count: Option<u64>,
    /// Between two pings.
    pub ping_every: Option<Duration>,
    /// How long a closing handshake may take, and the first of several answers.
    pub timeout: Duration,
}

/// How long more may come when as many messages came as were sent.
const ANSWERED: Duration = Duration::from_millis(300);

/// The same when fewer came.
const UNANSWERED: Duration = Duration::from_secs(2);

/// Pings whose pongs are waited for.
const PINGS: usize = 1024;

/// A conversation.
pub struct Talk<'t> {
    carrier: Carrier,
    show: &'t Show,
    socketio: Option<SocketIo>,
    plan: Plan,
    /// What compresses, while it is switched off.
    parked: Option<Deflater>,
    pings: VecDeque<(Vec<u8>, Instant)>,
    sent: u64,
    received: u64,
    /// When something was sent or came last.
    last: Instant,
    /// We closed, and until when the answer is waited for.
    closing: Option<Instant>,
    /// The code that we closed with.
    code: Option<CloseCode>,
    /// Some of what was to be sent could not be understood.
    unsent: bool,
    /// There is no session above the connection.
    refused: bool,
    began: Instant,
}

impl<'t> Talk<'t> {
    /// Over a WebSocket, or what stands for one; with `socketio` in its words.
    pub fn new(carrier: Carrier, show: &'t Show, socketio: Option<SocketIo>, plan: Plan) -> Self {
        let now = Instant::now();
        Self {
            carrier,
            show,
            socketio,
            plan,
            parked: None,
            pings: VecDeque::new(),
            sent: 0,
            received: 0,
            last: now,
            closing: None,
            code: None,
            unsent: false,
            refused: false,
            began: now,
        }
    }

    /// Talks until the connection ends. `input` is `None` when nothing is to be sent.
    ///
    /// # Errors
    /// When nothing can be shown any longer.
    pub async fn run(mut self, input: &mut Option<Receiver<Input>>, stop: &mut Stop) -> io::Result<End> {
        let mut ping_at = self.plan.ping_every.map(|every| Instant::now() + every);
        let mut is_interrupted = false;
        let how = loop {
            let takes = self.closing.is_none()
                && self.carrier.waiting() < limits::LAB_READ
                && self.socketio.as_ref().is_none_or(SocketIo::is_ready);
            let silent = self.silent_at();
            let quiet = if input.is_none() { self.quiet() } else { None };
            tokio::select! {
                came = self.carrier.next() => {
                    self.last = Instant::now();
                    match How::of(came) {
                        Err(how) => break self.ended(how)?,
                        Ok(came) => self.take(came)?,
                    }
                }
                said = next(input), if takes && input.is_some() => {
                    self.last = Instant::now();
                    match said {
                        None => {
                            *input = None;
                            if self.plan.typed {
                                self.close(Some(CloseCode(1000)), "");
                            }
                        }
                        Some(said) => self.say(said)?,
                    }
                }
                () = at(quiet), if self.closing.is_none() => self.close(Some(CloseCode(1000)), ""),
                () = at(self.closing) => break How::Ours(Answer::Missing),
                () = at(self.socketio.as_ref().and_then(SocketIo::ping_at)), if self.closing.is_none() => {
                    if let Some(packet) = self.socketio.as_mut().map(SocketIo::ping) {
                        self.carrier.queue(Opcode::TEXT, packet.as_bytes());
                    }
                }
                () = at(silent), if self.closing.is_none() => {
                    self.refuse(&socketio::SILENT.into())?;
                }
                () = at(ping_at), if self.closing.is_none() => {
                    ping_at = ping_at.zip(self.plan.ping_every).map(|(at, every)| at + every);
                    let payload = self.pings.len().to_string();
                    self.ping(payload.into_bytes());
                }
                _ = stop.recv(), if !is_interrupted => {
                    is_interrupted = true;
                    *input = None;
                    self.close(Some(CloseCode(1001)), "");
                }
            }
        };
        let end = End {
            how,
            sent: self.sent,
            received: self.received,
            wanted: self.plan.count,
            lasted: self.began.elapsed(),
            interrupted: is_interrupted,
            refused: self.refused,
            unsent: self.unsent,
            done: input.is_none()
                && !self.plan.listens
                && self.plan.wait.is_none()
                && self.plan.count.is_none(),
        };
        self.carrier.part().await;
        Ok(end)
    }

    /// When nothing more is waited for, once the input is over.
    fn quiet(&self) -> Option<Instant> {
        if self.plan.typed {
            return None;
        }
        let wait = match (self.plan.wait, self.plan.count) {
            (Some(wait), _) => wait,
            (None, _) if self.plan.listens => return None,
            (None, Some(_)) => self.plan.timeout,
            (None, None) if self.sent == 0 => UNANSWERED,
            (None, None) if self.received >= self.sent => ANSWERED,
            (None, None) => UNANSWERED,
        };
        Some(self.last + wait)
    }

    /// When a server that is asked for Socket.IO has been silent for too long.
    fn silent_at(&self) -> Option<Instant> {
        let is_waiting = self.socketio.as_ref().is_some_and(|socketio| !socketio.was_ready());
        is_waiting.then(|| self.began + self.plan.timeout)
    }

    /// There is no session, and nothing to be done without one.
    fn refuse(&mut self, why: &Text) -> io::Result<()> {
        self.refused = true;
        self.leave(why)
    }

    /// There is nothing more to be done here.
    fn leave(&mut self, why: &Text) -> io::Result<()> {
        self.screen().say(0, why, Tone::Bad)?;
        self.close(Some(CloseCode(1000)), "");
        Ok(())
    }

    fn close(&mut self, code: Option<CloseCode>, reason: &str) {
        self.carrier.close(code, reason);
        if self.closing.is_none() {
            self.code = code;
            self.closing = Some(Instant::now() + self.plan.timeout);
        }
    }

    /// How the connection ended, as far as we had a part in it.
    fn ended(&mut self, how: How) -> io::Result<How> {
        Ok(match how {
            How::Theirs(code, reason) if self.closing.is_some() => {
                How::Ours(Answer::of(self.code, code, reason))
            }
            How::Theirs(code, reason) => {
                self.show.close(code, &reason)?;
                How::Theirs(code, reason)
            }
            How::Lost(None) if self.closing.is_some() => How::Ours(Answer::Missing),
            how => how,
        })
    }

    /// Takes what came and was not the last.
    fn take(&mut self, came: Came) -> io::Result<()> {
        match came {
            Came::Message(message) => self.message(&message)?,
            Came::Ping(payload) => self.show.ping(&payload)?,
            Came::Pong(payload) => {
                let place = self.pings.iter().position(|(sent, _)| *sent == payload);
                let took = place.and_then(|place| self.pings.drain(..=place).next_back());
                self.show.pong(&payload, took.map(|(_, at)| at.elapsed()))?;
            }
            Came::Close(..) | Came::Violation(_) | Came::End => {}
        }
        Ok(())
    }

    fn message(&mut self, message: &Received) -> io::Result<()> {
        match &mut self.socketio {
            None => {
                self.received += 1;
                self.show.message(message)?;
            }
            // What comes behind that is of nobody whom it can be taken for.
            Some(_) if self.refused => {}
            Some(socketio) => {
                for said in socketio.hear(message) {
                    match said {
                        Said::Send(packet) => self.carrier.queue(Opcode::TEXT, packet.as_bytes()),
                        Said::Event(line) => {
                            self.received += 1;
                            self.show
                                .message(&Received { kind: Opcode::TEXT, payload: line.into_bytes() })?;
                        }
                        Said::Note(words) => self.show.note(words)?,
                        Said::Refused(words) => self.refuse(&words)?,
                        Said::Over(words) => self.leave(&words)?,
                    }
                }
            }
        }
        if self.plan.count.is_some_and(|count| self.received >= count) {
            self.close(Some(CloseCode(1000)), "");
        }
        Ok(())
    }

    fn say(&mut self, input: Input) -> io::Result<()> {
        match input {
            Input::Line(line) if self.socketio.is_some() => {
                let line = if line.starts_with('/') { line } else { format!("/emit {line}") };
                self.typed(&line)
            }
            Input::Line(line) => {
                self.send(Opcode::TEXT, line.as_bytes());
                Ok(())
            }
            Input::All(bytes) => {
                self.send(Opcode::BINARY, &bytes);
                Ok(())
            }
            Input::Typed(line) => self.typed(&line),
            Input::Interrupt => {
                self.close(Some(CloseCode(1001)), "");
                Ok(())
            }
            Input::Broken(why) => {
                self.unsent = true;
                self.screen().say(0, &Text::new("error: {}").word(why), Tone::Bad)?;
                self.close(Some(CloseCode(1000)), "");
                Ok(())
            }
        }
    }

    fn typed(&mut self, line: &str) -> io::Result<()> {
        match command::read(line) {
            Ok(command) => self.execute(command),
            Err(problem) => {
                // Who types sees it and tries again; nobody does for what is piped in.
                self.unsent |= !self.plan.typed;
                self.screen().say(2, &problem, Tone::Bad)
            }
        }
    }

    fn execute(&mut self, command: Command) -> io::Result<()> {
        let wants_socket = matches!(
            command,
            Command::Fragment(..)
                | Command::Ping(_)
                | Command::Pong(_)
                | Command::Raw(_)
                | Command::Deflate(_)
        );
        if wants_socket && self.carrier.socket().is_none() {
            let words = "the session is on polling: there is no WebSocket, and there are no frames";
            return self.screen().say(2, &words.into(), Tone::Bad);
        }
        match command {
            Command::Nothing => {}
            Command::Text(text) => match &mut self.socketio {
                None => self.send(Opcode::TEXT, text.as_bytes()),
                // As the reference's `send` does.
                Some(_) => self.emit("message", &serde_json::Value::from(vec![text]).to_string(), &[], false),
            },
            Command::Binary(bytes) => self.send(Opcode::BINARY, &bytes),
            Command::Fragment(count, text) => {
                if let Some(socket) = self.carrier.socket() {
                    socket.queue_fragments(Opcode::TEXT, text.as_bytes(), count);
                    self.sent += 1;
                }
            }
            Command::Ping(payload) => self.ping(payload),
            Command::Pong(payload) => self.carrier.queue(Opcode::PONG, &payload),
            Command::Close(code, reason) => self.close(code, &reason),
            Command::Raw(bytes) => {
                if let Some(socket) = self.carrier.socket() {
                    socket.queue_raw(&bytes);
                }
            }
            Command::Deflate(on) => return self.deflate(on),
            Command::Emit { .. } if self.socketio.is_none() => {
                let words = "/emit is for Socket.IO: connect with --socketio";
                return self.screen().say(2, &words.into(), Tone::Bad);
            }
            Command::Emit { event, args, attached, ack } => self.emit(&event, &args, &attached, ack),
            Command::Help => {
                self.screen().commands(&command::HELP)?;
            }
            Command::Quit => self.close(Some(CloseCode(1000)), ""),
        }
        Ok(())
    }

    fn emit(&mut self, event: &str, args: &str, attached: &[Vec<u8>], ack: bool) {
        if let Some(socketio) = &mut self.socketio {
            let packet = socketio.emit(event, args, attached.len(), ack);
            let attached: Vec<_> = attached.iter().map(|bytes| socketio.attachment_of(bytes)).collect();
            self.send(Opcode::TEXT, packet.as_bytes());
            for bytes in attached {
                self.carrier.queue(Opcode::BINARY, &bytes);
            }
        }
    }

    fn send(&mut self, opcode: Opcode, payload: &[u8]) {
        self.carrier.queue(opcode, payload);
        self.sent += 1;
    }

    fn ping(&mut self, payload: Vec<u8>) {
        self.carrier.queue(Opcode::PING, &payload);
        if self.pings.len() == PINGS {
            self.pings.pop_front();
        }
        self.pings.push_back((payload, Instant::now()));
    }

    fn deflate(&mut self, on: bool) -> io::Result<()> {
        let Some(socket) = self.carrier.socket() else { return Ok(()) };
        let is_on = socket.deflater().is_some();
        let words = match (on, is_on) {
            (true, false) if self.parked.is_some() => {
                let parked = self.parked.take();
                socket.compress(parked);
                "messages are compressed from now on"
            }
            (true, false) => "no compression was agreed on: nothing is compressed",
            (true, true) => "messages are compressed already",
            (false, true) => {
                self.parked = socket.compress(None);
                "messages are not compressed from now on"
            }
            (false, false) => "messages are not compressed anyway",
        };
        self.screen().say(2, &words.into(), Tone::Aside)
    }

    fn screen(&self) -> &Screen {
        self.show.screen()
    }
}

async fn next(input: &mut Option<Receiver<Input>>) -> Option<Input> {
    match input {
        Some(input) => input.recv().await,
        None => None,
    }
}

/// Waits for a moment, or for ever.
pub async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}
