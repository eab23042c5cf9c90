//! Units for the tests of the views: frames as the decoder makes them from wire bytes, and around them
//! what is hard to show.

use super::{Options, Screen, screen::Layout};
use crate::model::*;
use crate::testing::Wire;

/// A unit with nothing in it.
pub const EMPTY: Unit<'static> = Unit::of(0, Body::Note);

const fn def(id: &'static str, label: &'static str, section: &'static str) -> FieldDef {
    FieldDef { id, label, help: "", cite: Cite::rfc6455(section), role: Role::Plain }
}

static METHOD: FieldDef = def("http.status", "Status", "4.2.2");
static UNKNOWN: FieldDef = def("ext.unheard_of", "Something new", "9");

pub fn meta(input: &str) -> Meta {
    let link_types = vec!["Ethernet".into()];
    Meta { input: input.into(), format: "pcap".into(), link_types, ..Meta::default() }
}

/// A view being shown one unit after another.
pub struct Show<L> {
    view: Screen<L, Vec<u8>>,
    wants: Wants,
    time: u64,
    packet: u64,
    offsets: [u64; 2],
    n: u64,
    /// The WebSocket spoken of, with the number of its connection.
    wire: Option<(u32, Wire)>,
    pub conn: u32,
    pub fields: bool,
    pub findings: Vec<Finding>,
}

impl<L: Layout> Show<L> {
    pub fn new(options: Options) -> Self {
        let view: Screen<L, Vec<u8>> = Screen::new(Vec::new(), options);
        let wants = view.wants();
        Self {
            view,
            wants,
            time: 1_699_595_771_000_000_000,
            packet: 3,
            offsets: [0; 2],
            n: 0,
            wire: None,
            conn: 1,
            fields: true,
            findings: Vec::new(),
        }
    }

    pub fn text(self) -> String {
        String::from_utf8(self.view.finish().unwrap()).unwrap()
    }

    pub fn body(&mut self, dir: impl Into<Option<Dir>>, body: Body<'_>, fields: &[Field]) {
        let dir = dir.into();
        let timed = dir.is_some();
        let findings = std::mem::take(&mut self.findings);
        let conn = if matches!(body, Body::Meta(_) | Body::Summary(_)) { 0 } else { self.conn };
        let unit = Unit {
            conn,
            dir,
            time: timed.then_some(Time(self.time)),
            packets: timed.then_some((self.packet, self.packet)),
            body,
            fields: if self.wants.fields && self.fields { fields } else { &[] },
            findings: &findings,
            counted: &[],
            sources: &[],
        };
        assert!(self.view.take(&unit).is_continue());
    }

    fn tick(&mut self) {
        self.time += 1_204_000;
        self.packet += 1;
    }

    pub fn http(
        &mut self,
        dir: Dir,
        start_line: &str,
        lines: &[(&str, &str, Verdict, &'static str)],
        body: &[u8],
    ) {
        self.tick();
        let source = SourceId::Stream { conn: self.conn, dir };
        let first = self.offsets[dir.index()];
        let mut at = first + start_line.len() as u64 + 2;
        let mut headers = Vec::new();
        for &(name, value, verdict, meaning) in lines {
            let value_at = at + name.len() as u64 + 2;
            headers.push(Header {
                name: name.into(),
                value: value.into(),
                verdict,
                meaning: Text::new(meaning),
                name_at: Span::bytes(source, at, name.len() as u64),
                value_at: Span::bytes(source, value_at, value.len() as u64),
            });
            at = value_at + value.len() as u64 + 2;
        }
        let mut fields = Vec::new();
        if dir == Dir::Server {
            fields.push(Field {
                def: &METHOD,
                span: Span::bytes(source, first + 9, 3),
                value: Value::Number(101),
                meaning: Text::new("the server switches to the WebSocket protocol"),
                depth: 0,
            });
        }
        self.offsets[dir.index()] = at + 2 + body.len() as u64;
        let head =
            HttpHead { offset: first, headers: &headers, body, ..crate::model::sample::head(start_line) };
        self.body(dir, Body::Http(&head), &fields);
    }

    /// The handshake of RFC 6455 §1.2.
    pub fn handshake(&mut self) {
        use Verdict::{Irrelevant, Ok};
        self.http(
            Dir::Client,
            "GET /chat HTTP/1.1",
            &[
                ("Host", "server.example.com", Ok, "the server meant"),
                ("Upgrade", "websocket", Ok, "the protocol to change to"),
                ("Connection", "Upgrade", Ok, "Upgrade is for the next hop"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", Ok, "16 random bytes in Base64"),
                ("Origin", "http://example.com", Ok, "the page that opened it"),
                (
                    "Sec-WebSocket-Protocol",
                    "chat, superchat",
                    Ok,
                    "subprotocols offered, the preferred one first",
                ),
                ("Sec-WebSocket-Version", "13", Ok, ""),
                ("User-Agent", "curl/8", Irrelevant, ""),
            ],
            b"",
        );
        self.http(
            Dir::Server,
            "HTTP/1.1 101 Switching Protocols",
            &[
                ("Upgrade", "websocket", Ok, "the protocol changed to"),
                ("Connection", "Upgrade", Ok, ""),
                (
                    "Sec-WebSocket-Accept",
                    "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
                    Ok,
                    "Base64(SHA-1(key + GUID)) of the key above",
                ),
                ("Sec-WebSocket-Protocol", "chat", Ok, "the subprotocol chosen"),
            ],
            b"",
        );
    }

    /// A frame as it stands on the wire, as the decoder tells it; `bytes` may end early.
    pub fn frame(&mut self, dir: Dir, bytes: &[u8]) {
        self.tick();
        self.n += 1;
        let (conn, starts) = (self.conn, self.offsets);
        let mut wire = self
            .wire
            .take()
            .filter(|(of, _)| *of == conn)
            .map_or_else(|| Wire::new(conn, starts), |(_, wire)| wire);
        let at = At { time: Some(Time(self.time)), packet: self.packet, ..At::default() };
        let wants = Wants { fields: true, ..self.wants };
        let mut is_whole = false;
        wire.say(dir, bytes, at, wants, &mut |unit| is_whole |= self.decoded(dir, unit));
        if is_whole {
            self.wire = Some((conn, wire));
        } else {
            wire.end(wants, &mut |unit| {
                self.decoded(dir, unit);
            });
        }
        self.offsets[dir.index()] += bytes.len() as u64;
    }

    /// Shows what the decoder tells, if it is a frame.
    fn decoded(&mut self, dir: Dir, unit: &Unit<'_>) -> bool {
        let Body::Frame(frame) = unit.body else { return false };
        let mut fields = unit.fields.to_vec();
        if frame.header.opcode.0 == 0xB {
            let start = frame.offset + u64::from(frame.header.header_length());
            fields.push(Field {
                def: &UNKNOWN,
                span: Span::bytes(SourceId::Stream { conn: self.conn, dir }, start, 2),
                value: Value::Bytes(frame.payload[..2].to_vec()),
                meaning: Text::new("a field that no view has heard of, with much to say about itself"),
                depth: 2,
            });
        }
        self.body(dir, Body::Frame(&Frame { n: self.n, ..*frame }), &fields);
        true
    }

    pub fn message(&mut self, dir: Dir, kind: Opcode, frames: &[u64], payload: &[u8], complete: bool) {
        let message = Message {
            m: 1,
            kind,
            frames,
            frame_count: frames.len() as u64,
            length: payload.len() as u64,
            compressed: false,
            inflated_length: None,
            from_earlier: None,
            complete,
            in_doubt: false,
            payload,
            holes: &[],
            text: None,
            payload_cut: false,
            utf8: Utf8::Unchecked,
            close: None,
            app: None,
        };
        self.body(dir, Body::Message(&message), &[]);
    }

    pub fn connection(&mut self, roles: Roles, ending: Option<Box<Ending>>) {
        let connection = Connection {
            parent: None,
            layer: crate::model::Layer::Stream,
            client: Some("10.0.0.1:50000".parse().unwrap()),
            server: Some("[2001:db8::80]:8080".parse().unwrap()),
            roles,
            handshake: if roles == Roles::Handshake { Handshake::Full } else { Handshake::Missing },
            target: ending.as_ref().map(|_| "/chat".into()),
            host: None,
            status: ending.as_ref().map(|_| 101),
            subprotocol: ending.as_ref().map(|_| "chat".into()),
            extensions: None,
            deflate: None,
            http_version: None,
            passes_on: None,
            forwarded: None,
            secured: None,
            software: crate::model::Software::Unnamed,
            ending,
            more: Vec::new(),
            unanswered: Vec::new(),
        };
        self.body(None, Body::Connection(&connection), &[]);
    }

    pub fn blame(
        &mut self,
        rule: &'static Rule,
        dir: Dir,
        bits: (u64, u64),
        expected: &'static str,
        got: &'static str,
    ) {
        let first = self.offsets[dir.index()] * 8;
        let source = SourceId::Stream { conn: self.conn, dir };
        let span = Span::bits(source, first + bits.0, first + bits.1);
        self.findings.push(Finding::new(rule, dir, expected.into(), got.into()).at(span));
    }
}
