//! The chat on raw TCP: a line a message, as `nc` has it, to be set beside the framed one.
//!
//! And what Flash asked on raw sockets before it opened its own: a policy file.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, sleep, timeout};

use super::{FAREWELL, Visitor, chat};
use crate::lab::events::at;
use crate::lab::fate::{Fate, spoil};
use crate::lab::flood::Flood;
use crate::lab::socket::Stream;
use crate::limits;
use crate::model::Text;
use crate::synth::Rng;

/// What Flash sends before it lets a film open a socket; a NUL is behind it.
const POLICY_REQUEST: &[u8] = b"<policy-file-request/>";

/// The answer: every site may, on every port. It ends with NUL, too.
const POLICY: &[u8] = b"<?xml version=\"1.0\"?>\n\
    <!DOCTYPE cross-domain-policy SYSTEM \"http://www.macromedia.com/xml/dtds/cross-domain-policy.dtd\">\n\
    <cross-domain-policy>\n  <allow-access-from domain=\"*\" to-ports=\"*\"/>\n</cross-domain-policy>\n\0";

/// Who says nothing for so long is greeted: Flash films ask at once, and people wait to be asked.
const GREETING: Duration = Duration::from_millis(300);

/// How long the rest of a first line may take.
const SILENCE: Duration = Duration::from_secs(30);

/// Talks to who speaks in lines, to the end. `early` was read already.
pub async fn chat(visitor: &Arc<Visitor>, stream: Box<dyn Stream>, early: Vec<u8>) {
    visitor.wire.lines(visitor.ends, &early);
    let mut lines = Lines { stream, waiting: early, skipping: false };
    match talk(visitor, &mut lines).await {
        Ok(Ended::Abrupt) => return,
        Ok(Ended::Fine) => {}
        Err(error) => visitor.broke(&error),
    }
    let end = async {
        lines.stream.shutdown().await?;
        let mut rest = [0; 1024];
        while lines.stream.read(&mut rest).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    // Who does not end its side is left to the system.
    let _ = timeout(FAREWELL, end).await;
}

enum Ended {
    Fine,
    /// Nothing more is to be said on it, FIN included.
    Abrupt,
}

async fn talk(visitor: &Arc<Visitor>, lines: &mut Lines) -> io::Result<Ended> {
    let server = &visitor.server;
    let plan = &visitor.plan;
    let idle = plan.idle_timeout.or(server.settings().idle_timeout);
    let mut sender = Sender { visitor, chance: server.chance(), sent: 0 };
    // Where anything may come, the first line has come already, or its beginning.
    let is_known = !lines.waiting.is_empty();
    let first = tokio::select! {
        line = lines.next() => match line? {
            Some(line) if line.as_bytes() == POLICY_REQUEST => {
                visitor.say("asked for a Flash policy file and was given one");
                sender.write(lines, POLICY).await?;
                return Ok(Ended::Fine);
            }
            Some(line) => Some(line),
            None => return Ok(Ended::Fine),
        },
        () = sleep(GREETING), if !is_known => None,
        () = sleep(SILENCE), if is_known => None,
        () = visitor.stopping() => return Ok(Ended::Fine),
    };
    let mut guest = server.room().enter(None);
    let mut fate = sender.line(lines, &chat::welcome(&guest)).await?;
    let mut said = first;
    let mut heard = Instant::now();
    let mut flood = Flood::default();
    loop {
        if let Some(fate) = fate {
            return sender.meet(fate, lines).await;
        }
        if let Some(line) = said.take() {
            heard = Instant::now();
            if flood.takes_one(heard) {
                visitor.say(Flood::words());
            }
            if let Some(answer) = chat::said(&guest, &line) {
                fate = sender.line(lines, &answer).await?;
            }
            continue;
        }
        tokio::select! {
            line = lines.next() => match line? {
                None => return Ok(Ended::Fine),
                line => said = line,
            },
            line = guest.next() => {
                let Some(line) = line else {
                    visitor.say("put out of the chat: it takes its lines more slowly than they come");
                    return Ok(Ended::Fine);
                };
                fate = sender.line(lines, &line).await?;
            }
            () = at(idle.map(|idle| heard + idle)), if idle.is_some() => {
                visitor.say(Text::with("ended: no line for {} s", idle.unwrap_or_default().as_secs_f64()));
                if plan.idle_timeout.is_none() {
                    sender.write(lines, b"nothing was said for too long\n").await?;
                }
                return Ok(Ended::Fine);
            }
            () = visitor.stopping() => {
                sender.write(lines, b"the server ends\n").await?;
                return Ok(Ended::Fine);
            }
        }
    }
}

/// Sends lines, with what goes wrong on purpose.
struct Sender<'v> {
    visitor: &'v Arc<Visitor>,
    chance: Rng,
    sent: u64,
}

impl Sender<'_> {
    /// Sends a line, and says what befalls the connection behind it.
    async fn line(&mut self, lines: &mut Lines, line: &str) -> io::Result<Option<Fate>> {
        let plan = &self.visitor.plan;
        if plan.loses(&mut self.chance) {
            return Ok(None);
        }
        if let Some(delay) = plan.delay {
            sleep(delay).await;
        }
        // Nobody's terminal is steered by what others say.
        let mut bytes: Vec<u8> =
            line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>().into();
        if plan.bad_utf8 {
            spoil(&mut bytes);
        }
        bytes.push(b'\n');
        self.write(lines, &bytes).await?;
        self.sent += 1;
        // There is nothing to close with.
        Ok(Fate::behind(self.sent, plan).filter(|fate| *fate != Fate::Close))
    }

    async fn write(&self, lines: &mut Lines, bytes: &[u8]) -> io::Result<()> {
        let patience = self.visitor.server.settings().write_timeout;
        match timeout(patience, lines.stream.write_all(bytes)).await {
            Ok(written) => written,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    async fn meet(&self, fate: Fate, lines: &mut Lines) -> io::Result<Ended> {
        lines.stream.flush().await?;
        self.visitor.say(fate.words(&self.visitor.plan, self.sent));
        match fate {
            Fate::Close | Fate::Cut | Fate::Silence => Ok(Ended::Fine),
            Fate::Reset => {
                self.visitor.reset();
                Ok(Ended::Abrupt)
            }
            Fate::HalfOpen => {
                self.visitor.control.freeze();
                self.visitor.stopping().await;
                Ok(Ended::Abrupt)
            }
        }
    }
}

/// Lines that come. A NUL ends one, too.
struct Lines {
    stream: Box<dyn Stream>,
    waiting: Vec<u8>,
    /// The rest of a line that was too long.
    skipping: bool,
}

impl Lines {
    /// The next line without its end, or the beginning of one that is too long; `None` when there are no
    /// more. Nothing is lost when the waiting is given up.
    async fn next(&mut self) -> io::Result<Option<String>> {
        loop {
            let end = self.waiting.iter().position(|byte| matches!(byte, b'\n' | 0));
            let is_long = self.waiting.len() > limits::LAB_LINE;
            if end.is_some() || is_long {
                let line: Vec<u8> =
                    self.waiting.drain(..end.map_or(self.waiting.len(), |end| end + 1)).collect();
                let line = &line[..end.unwrap_or(line.len()).min(limits::LAB_LINE)];
                if !std::mem::replace(&mut self.skipping, end.is_none()) {
                    return Ok(Some(String::from_utf8_lossy(line).trim_end_matches('\r').to_owned()));
                }
                continue;
            }
            let mut piece = [0; 1024];
            match self.stream.read(&mut piece).await? {
                0 if self.waiting.is_empty() || self.skipping => return Ok(None),
                // What was not ended is a line all the same.
                0 => self.waiting.push(b'\n'),
                count => self.waiting.extend_from_slice(&piece[..count]),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::duplex;
    use tokio::runtime::Builder;

    use super::*;

    #[test]
    fn lines_end_as_they_do_anywhere() {
        let (ours, mut theirs) = duplex(64 * 1024);
        let mut lines = Lines { stream: Box::new(ours), waiting: b"early".to_vec(), skipping: false };
        let long = "x".repeat(3 * limits::LAB_LINE);
        Builder::new_current_thread().build().unwrap().block_on(async {
            let bytes = format!(" one\r\ntwo\0\n{long}\nlast");
            theirs.write_all(bytes.as_bytes()).await.unwrap();
            drop(theirs);
            let mut all = Vec::new();
            while let Some(line) = lines.next().await.unwrap() {
                all.push(line);
            }
            assert_eq!(all[..3], ["early one", "two", ""]);
            assert!(all[3].len() <= limits::LAB_LINE && all[3].starts_with("xxx"));
            assert_eq!(all[4..], ["last"]);
        });
    }
}
