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

use crate::model::{Dir, LengthForm, Opcode};

use super::conversation::{Content, Send, Step};
use super::frames::{Masking, Message, Shape};
use super::handshake::{Edits, Request, Response};
use super::line::{Line, hex, nanoseconds};
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
                let time = word.bare().and_then(nanoseconds);
                let time = time.ok_or_else(|| {
                    line.error(word.column, "a time is a number and a unit: 20us, 250ms, 3s")
                })?;
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
        const KINDS: &str = "text, binary, continuation, ping, pong, close or raw";
        let kind = line.first(KINDS)?;
        let opcode = match kind.bare() {
            Some("text") => Opcode::TEXT,
            Some("binary") => Opcode::BINARY,
            Some("continuation") => Opcode::CONTINUATION,
            Some("ping") => Opcode::PING,
            Some("pong") => Opcode::PONG,
            Some("close") => {
                let message = line.close()?;
                return self.message(verb, from, message, line);
            }
            Some("raw") => {
                let bytes = line.payload()?;
                return self.send(verb, from, Content::Raw(bytes), line);
            }
            _ => return Err(line.error(kind.column, &format!("an endpoint sends {KINDS}"))),
        };
        let payload = line.payload()?;
        self.message(verb, from, Message::new(opcode, payload), line)
    }

    fn message(
        &mut self,
        verb: &Word,
        from: Dir,
        mut message: Message,
        line: &mut Line,
    ) -> Result<(), ScriptError> {
        let shape = shape(from, line)?;
        match line.option("bad-utf8") {
            Some(word) => message.spoil_utf8(Some(line.number(&word)? as usize)),
            None if line.flag("bad-utf8") => message.spoil_utf8(None),
            None => {}
        }
        self.send(verb, from, Content::Message(message, shape), line)
    }

    fn may_send(&self, verb: &Word, from: Dir, line: &Line) -> Result<(), ScriptError> {
        let Some(closed) = self.closed[from.index()] else { return Ok(()) };
        let message = format!("the {from} can send no more: see line {closed}");
        Err(line.error(verb.column, &message))
    }

    fn send(&mut self, verb: &Word, from: Dir, content: Content, line: &mut Line) -> Result<(), ScriptError> {
        self.may_send(verb, from, line)?;
        self.shake_hands();
        let delivery = Delivery {
            mss: line.mss()?,
            lost: line.flag("lost"),
            twice: line.flag("twice"),
            bad_checksum: line.flag("bad-checksum"),
        };
        let more = line.flag("more");
        self.steps.push(Step::Send(Send { from, content, delivery, more }));
        Ok(())
    }
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

fn request(line: &mut Line) -> Result<Request, ScriptError> {
    Ok(Request {
        path: line.text("path")?,
        host: line.text("host")?,
        key: line.text("key")?,
        subprotocol: line.text("subprotocol")?,
        extensions: line.text("extensions")?,
        edits: Edits::default(),
    })
}

fn response(line: &mut Line) -> Result<Response, ScriptError> {
    Ok(Response {
        accept: line.text("accept")?,
        subprotocol: line.text("subprotocol")?,
        extensions: line.text("extensions")?,
        edits: edits(line)?,
    })
}

fn edits(line: &mut Line) -> Result<Edits, ScriptError> {
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
mod tests {
    use super::*;
    use crate::synth::Rng;
    use crate::synth::conversation::{Piece, pieces};

    /// What the script sends after the opening handshake: `C` or `S`, and hex.
    fn wire(script: &str) -> String {
        let steps = parse(script).unwrap_or_else(|error| panic!("{script}: {error}"));
        let mut rng = Rng::new(1);
        let mut out = Vec::new();
        pieces(&steps, &mut |b| rng.fill(b), &mut |dir, piece| {
            let mut bytes = Vec::new();
            match piece {
                Piece::Frame(frame) => frame.write(&mut bytes),
                Piece::Raw(raw) => bytes.extend_from_slice(raw),
            }
            let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
            out.push(format!("{}{}", if dir == Dir::Client { 'C' } else { 'S' }, hex.concat()));
        });
        out.join(" ")
    }

    #[test]
    fn lines_become_frames() {
        let cases = [
            ("server text \"Hello\"", "S810548656c6c6f"),
            ("client text \"Hello\" mask=37fa213d", "C818537fa213d7f9f4d5158"),
            ("server text \"Hello\" fragment=3", "S010348656c S80026c6f"),
            ("server binary 00 01ff \"a\"", "S82040001ff61"),
            ("server ping", "S8900"),
            ("server pong \"x\" # comment", "S8a0178"),
            ("server close", "S8800"),
            ("server close 1000", "S880203e8"),
            ("server close 1000 \"bye\"", "S880503e8627965"),
            ("server close \"x\"", "S880178"),
            ("server continuation \"x\" no-fin", "S000178"),
            ("client raw 81 05 \"He\"", "C81054865"),
            ("server text \"x\" rsv1 rsv3", "Sd10178"),
            ("server text \"x\" opcode=0xb", "S8b0178"),
            ("server text \"x\" length-form=16 length=9", "S817e000978"),
            ("server text \"xy\" bad-utf8", "S810278ff"),
            ("server text \"xy\" bad-utf8=0", "S8102ff79"),
            ("server text \"ab\" size=5", "S81056162616261"),
            ("server text \"hé\" size=5", "S810568c3a9682e"),
            ("client text \"x\" mask=zero\nclient text \"y\" mask=repeat", "C81810000000078 C81810000000079"),
            ("client text \"x\" mask=none", "C810178"),
            ("# nothing\n\n", ""),
        ];
        for (script, expected) in cases {
            assert_eq!(wire(script), expected, "{script}");
        }
    }

    #[test]
    fn errors_say_where_and_what_to_do() {
        let cases = [
            ("\nhello", "2:1: a line begins with connection, "),
            ("client", "1:1: the line ends too early; it needs text, "),
            ("client shout", "1:8: an endpoint sends text, binary, "),
            ("client text hello", "1:13: \"hello\" is unknown here, or given twice"),
            ("client text \"x\" mask=blue", "1:17: mask is none, random, repeat, zero or a key of "),
            ("client text \"x\" size=many", "1:17: this is not a number, such as 200 or 0xc8"),
            ("client text \"x\" opcode=16", "1:17: this must be 0 to 15"),
            ("client text \"x\" fragment=0", "1:17: this must be at least 1"),
            ("client text \"x\" length-form=8", "1:17: length-form is 7, 16 or 64"),
            ("client close 70000", "1:14: this must be 0 to 65535"),
            ("wait", "1:1: the line ends too early; it needs a time"),
            ("wait 5", "1:6: a time is a number and a unit: 20us, 250ms, 3s"),
            ("fin both", "1:5: say client or server"),
            ("fin client\nclient ping", "2:1: the client can send no more: see line 1"),
            ("rst server\nclient ping", "2:1: the client can send no more: see line 1"),
            ("connection client=here", "1:12: this is not an address and port: "),
            ("connection client=[::1]:80", "1:1: client and server must both be IPv4 or both IPv6"),
            ("request header=\"\\xff\"", "1:9: this must be UTF-8; use a raw line for other bytes"),
            ("client text \"x\" rsv1 rsv1", "1:22: \"rsv1\" is unknown here, or given twice"),
        ];
        for (script, expected) in cases {
            let error = parse(script).expect_err(script).to_string();
            assert!(error.starts_with(expected), "{script}: {error}");
        }
    }

    /// The kinds of the script's steps.
    fn kinds(script: &str) -> String {
        let kind = |step: &Step| match step {
            Step::Connect(_) => "connect",
            Step::Send(Send { content: Content::Request(_), .. }) => "request",
            Step::Send(Send { content: Content::Response(_), .. }) => "response",
            Step::Send(_) => "send",
            Step::Wait(_) => "wait",
            Step::Finish(_) => "fin",
            Step::Reset(_) => "rst",
            Step::Leave => "leave",
        };
        parse(script).unwrap().iter().map(kind).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_handshake_is_there_unless_told_otherwise() {
        assert_eq!(kinds(""), "");
        assert_eq!(kinds("connection"), "connect request response");
        assert_eq!(kinds("client ping"), "connect request response send");
        assert_eq!(kinds("wait 1s\nclient ping"), "connect wait request response send");
        assert_eq!(kinds("handshake path=/x\nclient ping"), "connect request response send");
        assert_eq!(kinds("no-handshake\nclient ping"), "connect send");
        assert_eq!(kinds("connection\nno-handshake\nfin client"), "connect fin");
        assert_eq!(kinds("request\nclient ping\nresponse"), "connect request send response");
        assert_eq!(
            kinds("leave-open\nconnection\nrst client"),
            "connect request response leave connect request response rst"
        );
    }

    #[test]
    fn heads_can_be_edited() {
        let steps = parse(
            "request path=/a key=abc drop=Host drop=Origin header=\"Origin: null\"\n\
             response accept=no line=\"HTTP/1.1 403 No\" body=\"x\" more lost mss=9",
        )
        .unwrap();
        let [_, Step::Send(request), Step::Send(response)] = &steps[..] else { panic!("{steps:?}") };
        let Content::Request(request) = &request.content else { panic!() };
        assert_eq!((request.path.as_deref(), request.key.as_deref()), (Some("/a"), Some("abc")));
        assert_eq!(request.edits.drop, ["Host", "Origin"]);
        assert_eq!(request.edits.add, ["Origin: null"]);
        assert!(response.more && response.delivery.lost && response.delivery.mss == Some(9));
        let Content::Response(response) = &response.content else { panic!() };
        assert_eq!((response.accept.as_deref(), &response.edits.body[..]), (Some("no"), &b"x"[..]));
    }
}
