//! The script language: one step of a conversation a line.
//!
//! ```text
//! handshake path=/chat subprotocol=chat
//! client text "hello"
//! server ping "x"            # a comment
//! client pong "x" mask=none
//! wait 250ms
//! client close 1000 "bye"
//! server close 1000
//! ```
//!
//! `docs/script.md` is its reference.

use crate::model::{Dir, LengthForm, Opcode, Text};

use super::conversation::{Content, Send, Step};
use super::frames::{Masking, Message, Shape};
use super::h2::{Data, frame};
use super::handshake::{Edits, Request, Response};
use super::line::{Line, hex};
use super::tcp::{Delivery, Ends};
use super::words::{self, ScriptError, Word};

/// Reads a script into steps.
///
/// # Errors
/// The first line that cannot be understood, with what to write instead.
pub fn parse(text: &str) -> Result<Vec<Step>, ScriptError> {
    let mut script = Script::default();
    for (i, line) in text.lines().enumerate() {
        let mut words = words::split(i + 1, line)?;
        if !words.is_empty() {
            let verb = words.remove(0);
            script.line(&verb, Line { number: i + 1, words })?;
        }
    }
    script.shake_hands();
    Ok(script.steps)
}

/// What has been read so far.
#[derive(Default)]
struct Script {
    steps: Vec<Step>,
    connections: u16,
    /// The current connection had its opening handshake, or is to have none.
    shaken: bool,
    /// Lines on which client and server closed their direction.
    closed: [Option<usize>; 2],
}

impl Script {
    fn line(&mut self, verb: &Word, mut line: Line) -> Result<(), ScriptError> {
        if verb.bare() != Some("connection") && self.connections == 0 {
            self.connect(Ends::default());
        }
        match verb.bare() {
            Some("connection") => self.connection(&mut line)?,
            Some("no-handshake") => self.shaken = true,
            Some("handshake") => {
                self.may_send(verb, Dir::Client, &line)?;
                self.may_send(verb, Dir::Server, &line)?;
                self.shaken = true;
                self.steps.extend(Step::handshake(request(&mut line)?, Response::default()));
            }
            Some("request") => {
                let content = Content::Request(Request { edits: edits(&mut line)?, ..request(&mut line)? });
                self.shaken = true;
                self.send(verb, Dir::Client, content, &mut line)?;
            }
            Some("response") => {
                let content = Content::Response(response(&mut line)?);
                self.shaken = true;
                self.send(verb, Dir::Server, content, &mut line)?;
            }
            Some("client") => self.says(verb, Dir::Client, &mut line)?,
            Some("server") => self.says(verb, Dir::Server, &mut line)?,
            Some("wait") => {
                let word = line.first("a time, such as 250ms")?;
                let time = line.time(&word)?;
                self.steps.push(Step::Wait(time));
            }
            Some("fin") => {
                let from = line.endpoint()?;
                self.shake_hands();
                self.closed[from.index()] = Some(line.number);
                self.steps.push(Step::Finish(from));
            }
            Some("rst") => {
                let from = line.endpoint()?;
                self.shake_hands();
                self.closed = [Some(line.number); 2];
                self.steps.push(Step::Reset(from));
            }
            Some("leave-open") => {
                self.shake_hands();
                self.closed = [Some(line.number); 2];
                self.steps.push(Step::Leave);
            }
            _ => {
                return Err(line.error(
                    verb.column,
                    "a line begins with connection, handshake, no-handshake, request, response, \
                     client, server, wait, fin, rst or leave-open",
                ));
            }
        }
        line.end()
    }

    fn connection(&mut self, line: &mut Line) -> Result<(), ScriptError> {
        self.shake_hands();
        let mut ends = Ends::default();
        let port = ends.client.port().wrapping_add(self.connections);
        ends.client.set_port(port);
        for (name, end) in [("client", &mut ends.client), ("server", &mut ends.server)] {
            if let Some(word) = line.option(name) {
                *end = line.parse(&word, "an address and port: 192.0.2.1:5000 or [2001:db8::1]:5000")?;
            }
        }
        if ends.client.is_ipv4() != ends.server.is_ipv4() {
            return Err(line.error(1, "client and server must both be IPv4 or both IPv6"));
        }
        if let Some(mss) = line.mss()? {
            ends.mss = mss;
        }
        if let Some(word) = line.option("at") {
            ends.at = Some(line.time(&word)?);
        }
        ends.syn = !line.flag("no-syn");
        self.connect(ends);
        Ok(())
    }

    fn connect(&mut self, ends: Ends) {
        self.steps.push(Step::Connect(ends));
        self.connections += 1;
        self.shaken = false;
        self.closed = [None; 2];
    }

    /// Gives the current connection its handshake if it has said nothing about one.
    fn shake_hands(&mut self) {
        if !self.shaken && self.connections > 0 {
            self.steps.extend(Step::handshake(Request::default(), Response::default()));
        }
        self.shaken = true;
    }

    /// `client text "hello"` and its like.
    fn says(&mut self, verb: &Word, from: Dir, line: &mut Line) -> Result<(), ScriptError> {
        if line.words.first().and_then(Word::bare) == Some("h2") {
            line.words.remove(0);
            self.shaken = true;
            let bytes = frame(line)?;
            return self.send(verb, from, Content::Raw(bytes), line);
        }
        let content = content(from, line)?;
        self.send(verb, from, content, line)
    }

    fn may_send(&self, verb: &Word, from: Dir, line: &Line) -> Result<(), ScriptError> {
        let Some(closed) = self.closed[from.index()] else { return Ok(()) };
        let message = Text::new("the {} can send no more: see line {}").word(from.name()).and(closed);
        Err(line.error(verb.column, message))
    }

    fn send(&mut self, verb: &Word, from: Dir, content: Content, line: &mut Line) -> Result<(), ScriptError> {
        self.may_send(verb, from, line)?;
        let data = Data::read(line)?;
        self.shaken |= data.is_some();
        self.shake_hands();
        let delivery = Delivery {
            mss: line.mss()?,
            lost: line.flag("lost"),
            twice: line.flag("twice"),
            altered: line.flag("altered"),
            bad_checksum: line.flag("bad-checksum"),
        };
        let more = line.flag("more");
        self.steps.push(Step::Send(Send { from, content, delivery, more, data }));
        Ok(())
    }
}

/// What one endpoint sends, as the words behind its name have it: `text "hello" mask=none`.
///
/// # Errors
/// The word that cannot be understood.
pub(crate) fn content(from: Dir, line: &mut Line) -> Result<Content, ScriptError> {
    const KINDS: &str = "text, binary, continuation, ping, pong, close, raw or h2";
    let kind = line.first(KINDS)?;
    let opcode = match kind.bare() {
        Some("text") => Opcode::TEXT,
        Some("binary") => Opcode::BINARY,
        Some("continuation") => Opcode::CONTINUATION,
        Some("ping") => Opcode::PING,
        Some("pong") => Opcode::PONG,
        Some("close") => {
            let message = line.close()?;
            return shaped(from, message, line);
        }
        Some("raw") => return Ok(Content::Raw(line.payload()?)),
        _ => return Err(line.error(kind.column, Text::new("an endpoint sends {}").word(KINDS))),
    };
    let payload = line.payload()?;
    shaped(from, Message::new(opcode, payload), line)
}

fn shaped(from: Dir, mut message: Message, line: &mut Line) -> Result<Content, ScriptError> {
    let shape = shape(from, line)?;
    match line.option("bad-utf8") {
        Some(word) => message.spoil_utf8(Some(line.number(&word)? as usize)),
        None if line.flag("bad-utf8") => message.spoil_utf8(None),
        None => {}
    }
    Ok(Content::Message(message, shape))
}

fn shape(from: Dir, line: &mut Line) -> Result<Shape, ScriptError> {
    let mut shape = Shape::of(from);
    if let Some(word) = line.option("mask") {
        shape.masking = match word.value.as_slice() {
            b"none" => Masking::None,
            b"random" => Masking::Fresh,
            b"repeat" => Masking::Repeat,
            b"zero" => Masking::Key([0; 4]),
            value => {
                let key = hex(value).and_then(|key| <[u8; 4]>::try_from(key).ok());
                Masking::Key(key.ok_or_else(|| {
                    let message = "mask is none, random, repeat, zero or a key of 8 hexadecimal digits";
                    line.error(word.column, message)
                })?)
            }
        };
    }
    if let Some(word) = line.option("fragment") {
        shape.fragment = Some(line.within(&word, 1, u64::MAX)? as usize);
    }
    for (flag, rsv) in ["rsv1", "rsv2", "rsv3"].into_iter().zip(&mut shape.rsv) {
        *rsv = line.flag(flag);
    }
    if let Some(word) = line.option("opcode") {
        shape.opcode = Some(Opcode(line.within(&word, 0, 15)? as u8));
    }
    if let Some(word) = line.option("length-form") {
        shape.length_form = Some(match word.value.as_slice() {
            b"7" => LengthForm::Bits7,
            b"16" => LengthForm::Bits16,
            b"64" => LengthForm::Bits64,
            _ => return Err(line.error(word.column, "length-form is 7, 16 or 64")),
        });
    }
    if let Some(word) = line.option("length") {
        shape.length = Some(line.number(&word)?);
    }
    shape.no_fin = line.flag("no-fin");
    Ok(shape)
}

pub(crate) fn request(line: &mut Line) -> Result<Request, ScriptError> {
    Ok(Request {
        path: line.text("path")?,
        host: line.text("host")?,
        key: line.text("key")?,
        subprotocol: line.text("subprotocol")?,
        extensions: line.text("extensions")?,
        edits: Edits::default(),
    })
}

pub(crate) fn response(line: &mut Line) -> Result<Response, ScriptError> {
    Ok(Response {
        accept: line.text("accept")?,
        subprotocol: line.text("subprotocol")?,
        extensions: line.text("extensions")?,
        edits: edits(line)?,
    })
}

pub(crate) fn edits(line: &mut Line) -> Result<Edits, ScriptError> {
    let mut edits = Edits { line: line.text("line")?, ..Edits::default() };
    while let Some(name) = line.text("drop")? {
        edits.drop.push(name);
    }
    while let Some(field) = line.text("header")? {
        edits.add.push(field);
    }
    edits.body = line.option("body").map(|word| word.value).unwrap_or_default();
    Ok(edits)
}

#[cfg(test)]
mod tests;
