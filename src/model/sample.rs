//! Units for the tests of sinks: frames and messages as the decoder makes them from wire bytes, what is
//! around them as it may be.

use std::mem;

use super::{
    At, Body, Cite, CloseCode, Connection, Dir, EndKind, Ending, Finding, Flow, Handshake, Header,
    HttpExtent, HttpHead, Message, Meta, Roles, Rule, Severity, Sink, SourceId, Span, Summary, Text, Time,
    Unit, Verdict, Who,
};
use crate::testing::Wire;

/// A unit of connection 1 without anything around its body.
pub fn unit(body: Body<'_>) -> Unit<'_> {
    Unit::of(1, body)
}

/// A connection between two documentation addresses, its handshake seen.
pub fn connection() -> Connection {
    Connection {
        parent: None,
        layer: crate::model::Layer::Stream,
        client: Some(([192, 0, 2, 1], 50000).into()),
        server: Some(([198, 51, 100, 7], 80).into()),
        roles: Roles::Handshake,
        handshake: Handshake::Full,
        target: Some("/chat".into()),
        host: Some("feed.example.com".into()),
        status: Some(101),
        subprotocol: Some("chat".into()),
        extensions: None,
        deflate: None,
        http_version: Some("1.1".into()),
        passes_on: None,
        forwarded: None,
        secured: None,
        software: crate::model::Software::Unnamed,
        ending: None,
        more: Vec::new(),
        unanswered: Vec::new(),
    }
}

/// A rule as the specification of frames has it.
pub static UNMASKED: Rule = Rule {
    id: "unmasked-client-frame",
    severity: Severity::Error,
    cite: Cite::rfc6455("5.1"),
    who: Who::Client,
    title: "Client frame is not masked",
    consequence: "A server closes the connection, usually with 1002.",
    fails: None,
    usually: None,
};

/// A minor rule.
pub static LONG: Rule = Rule {
    id: "length-not-minimal",
    severity: Severity::Note,
    cite: Cite::rfc6455("5.2"),
    who: Who::Either,
    title: "Length is not in its shortest form",
    consequence: "Most endpoints do not notice.",
    fails: None,
    usually: None,
};

/// An error of the client in the first frame of connection 1.
pub fn finding() -> Finding {
    let mask = Span::bits(SourceId::Stream { conn: 1, dir: Dir::Client }, 8, 9);
    Finding::new(&UNMASKED, Dir::Client, Text::new("MASK = 1"), Text::with("MASK = {}", 0)).at(mask)
}

/// A note about the capture.
pub fn note() -> Finding {
    Finding::new(&LONG, None, Text::new("7 bits"), Text::new("64 bits"))
}

/// A whole head without fields and without a body.
pub fn head(start_line: &str) -> HttpHead<'_> {
    HttpHead {
        stream: None,
        offset: 0,
        bytes: &[],
        start_line,
        headers: &[],
        complete: true,
        body: &[],
        body_whole: true,
        streams: false,
        diagnoses: &[],
        extent: HttpExtent::default(),
    }
}

/// Bytes from hexadecimal digits.
pub fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// All that a unit says, for those who hold two ways to it against each other: both tell the same, but only
/// one of them may have found out on its way that a message is text.
pub fn in_words(unit: &Unit<'_>) -> String {
    match unit.body {
        Body::Message(message) => {
            assert!(message.text.is_none_or(|text| text.as_bytes().starts_with(message.payload)));
            let message = Message { text: None, ..*message };
            format!("{:?}", Unit { body: Body::Message(&message), ..*unit })
        }
        _ => format!("{unit:?}"),
    }
}

/// Tells a sink of one or more conversations. Frames are given as wire bytes;
/// each step is a packet and takes a millisecond.
pub struct Talk<'s, S> {
    pub sink: &'s mut S,
    /// The connection spoken of.
    pub conn: u32,
    /// Nanoseconds.
    pub time: u64,
    pub packet: u64,
    /// Findings to hang on the next frame.
    pub findings: Vec<Finding>,
    /// Findings to hang on the next message.
    pub message_findings: Vec<Finding>,
    /// What the sink answered last.
    pub flow: Flow,
    /// Bytes of either endpoint before its frames.
    offset: u64,
    /// The WebSocket spoken of, with the number of its connection.
    wire: Option<(u32, Wire)>,
}

impl<'s, S: Sink> Talk<'s, S> {
    pub fn new(sink: &'s mut S) -> Self {
        Self {
            sink,
            conn: 1,
            time: 1_699_595_771_000_000_000,
            packet: 0,
            findings: Vec::new(),
            message_findings: Vec::new(),
            flow: Flow::Continue(()),
            offset: 0,
            wire: None,
        }
    }

    pub fn meta(&mut self) -> &mut Self {
        let meta = Meta {
            input: "chat.pcap".into(),
            format: "pcap".into(),
            link_types: vec!["ethernet".into()],
            ..Meta::default()
        };
        let unit = Unit { conn: 0, ..unit(Body::Meta(&meta)) };
        self.flow = self.sink.take(&unit);
        self
    }

    /// The next connection begins.
    pub fn connect(&mut self, conn: u32) -> &mut Self {
        (self.conn, self.offset, self.wire) = (conn, 0, None);
        self.step();
        self.tell(None, Body::Connection(&connection()), &[]);
        self
    }

    /// The handshake of RFC 6455 §1.2, in short.
    pub fn handshake(&mut self) -> &mut Self {
        for (dir, start_line, header) in [
            (Dir::Client, "GET /chat HTTP/1.1", ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")),
            (
                Dir::Server,
                "HTTP/1.1 101 Switching Protocols",
                ("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            ),
        ] {
            let at = Span::bytes(SourceId::Stream { conn: self.conn, dir }, 0, 1);
            let headers = [Header {
                name: header.0.into(),
                value: header.1.into(),
                verdict: Verdict::Ok,
                meaning: Text::default(),
                name_at: at,
                value_at: at,
            }];
            self.step();
            let head = HttpHead { headers: &headers, ..head(start_line) };
            self.tell(Some(dir), Body::Http(&head), &[]);
        }
        self.offset = 160;
        self
    }

    /// A frame, and the message that it completes, if it does.
    pub fn frame(&mut self, dir: Dir, wire: &str) -> &mut Self {
        let wire = hex(wire);
        self.frame_bytes(dir, &wire)
    }

    pub fn frame_bytes(&mut self, dir: Dir, bytes: &[u8]) -> &mut Self {
        self.step();
        let at = At { time: Some(Time(self.time)), packet: self.packet, ..At::default() };
        let (conn, offset) = (self.conn, self.offset);
        let known = self.wire.take().filter(|(of, _)| *of == conn).map(|(_, wire)| wire);
        let mut wire = known.unwrap_or_else(|| Wire::new(conn, [offset; 2]));
        let (frame, message) = (mem::take(&mut self.findings), mem::take(&mut self.message_findings));
        wire.say(dir, bytes, at, self.sink.wants(), &mut |unit| {
            // What is wrong with it is what the test says.
            let findings = match unit.body {
                Body::Frame(_) => &frame[..],
                Body::Message(_) => &message[..],
                _ => return,
            };
            self.flow = self.sink.take(&Unit { findings, counted: &[], ..*unit });
        });
        self.wire = Some((conn, wire));
        self
    }

    /// The connection ends.
    pub fn end(&mut self, how: EndKind, close_code: Option<u16>) -> &mut Self {
        let ending = Box::new(Ending { close_code: close_code.map(CloseCode), ..Ending::new(how) });
        self.step();
        self.tell(None, Body::Connection(&Connection { ending: Some(ending), ..connection() }), &[]);
        self
    }

    pub fn summary(&mut self, summary: &Summary) -> &mut Self {
        let unit = Unit { conn: 0, ..unit(Body::Summary(summary)) };
        self.flow = self.sink.take(&unit);
        self
    }

    /// Lets time pass.
    pub fn wait(&mut self, nanos: u64) -> &mut Self {
        self.time += nanos;
        self
    }

    pub fn tell(&mut self, dir: Option<Dir>, body: Body<'_>, findings: &[Finding]) {
        let unit = Unit {
            conn: self.conn,
            dir,
            time: Some(Time(self.time)),
            packets: Some((self.packet, self.packet)),
            findings,
            ..unit(body)
        };
        self.flow = self.sink.take(&unit);
    }

    fn step(&mut self) {
        self.time += 1_000_000;
        self.packet += 1;
    }
}
