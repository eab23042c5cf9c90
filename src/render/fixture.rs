//! Units as a decoder would make them, for the tests of the views.
//!
//! Written by hand from RFC 6455, not with the decoder: a view must not be tested
//! with what it imports nothing from.

use super::{Options, Screen, screen::Layout};
use crate::model::*;

/// A unit with nothing in it.
pub const EMPTY: Unit<'static> = Unit::of(0, Body::Note);

macro_rules! defs {
    ($($name:ident = $id:literal, $label:literal, $section:literal $(, $role:ident)?;)*) => {
        $(static $name: FieldDef = FieldDef {
            id: $id,
            label: $label,
            help: "",
            cite: Cite::rfc6455($section),
            role: role!($($role)?),
        };)*
    };
}

defs! {
    FIN = "ws.fin", "FIN", "5.2";
    RSV1 = "ws.rsv1", "RSV1", "5.2", Reserved;
    RSV2 = "ws.rsv2", "RSV2", "5.2", Reserved;
    RSV3 = "ws.rsv3", "RSV3", "5.2", Reserved;
    OPCODE = "ws.opcode", "Opcode", "5.2";
    MASK = "ws.mask", "MASK", "5.2";
    LENGTH = "ws.length", "Payload length", "5.2";
    EXTENDED = "ws.extended_length", "Extended payload length", "5.2";
    KEY = "ws.masking_key", "Masking-key", "5.3";
    PAYLOAD = "ws.payload", "Payload data", "5.2", Payload;
    CODE = "ws.close_code", "Status code", "7.4";
    REASON = "ws.close_reason", "Reason", "7.1.6";
    METHOD = "http.status", "Status", "4.2.2";
    UNKNOWN = "ext.unheard_of", "Something new", "9";
}

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
    of: [Opcode; 2],
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
            of: [Opcode::CONTINUATION; 2],
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
        let head = HttpHead {
            offset: first,
            bytes: &[],
            start_line,
            complete: true,
            headers: &headers,
            body,
            body_whole: true,
            diagnoses: &[],
        };
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

    /// A frame as it stands on the wire; `wire` may end early.
    pub fn frame(&mut self, dir: Dir, wire: &[u8]) {
        self.tick();
        self.n += 1;
        let offset = self.offsets[dir.index()];
        let mut fields: Vec<Field> = Vec::new();
        let source = SourceId::Stream { conn: self.conn, dir };
        let mut bit = 0_usize;
        let mut tell = |def, width: usize, say: &dyn Fn(u64) -> (Value, Text)| {
            let bits = (bit..bit + width).map(|bit| u64::from(wire[bit / 8] >> (7 - bit % 8) & 1));
            let number = bits.fold(0, |number, bit| number << 1 | bit);
            let (value, meaning) = say(number);
            let start = offset * 8 + bit as u64;
            bit += width;
            let span = Span::bits(source, start, start + width as u64);
            fields.push(Field { def, span, value, meaning, depth: 0 });
            number
        };
        let fin = tell(&FIN, 1, &|fin| match fin {
            1 => (Value::Bit(true), "final fragment of a message".into()),
            _ => (Value::Bit(false), "more fragments follow".into()),
        }) == 1;
        let rsv = [&RSV1, &RSV2, &RSV3]
            .map(|def| tell(def, 1, &|bit| (Value::Bit(bit == 1), Text::default())) == 1);
        let opcode = tell(&OPCODE, 4, &|opcode| {
            (Value::Code(opcode), Text::with("{} frame", Opcode(opcode as u8).name()))
        });
        let opcode = Opcode(opcode as u8);
        let masked = tell(&MASK, 1, &|bit| {
            (Value::Bit(bit == 1), if bit == 1 { "masked" } else { "not masked" }.into())
        }) == 1;
        let extended = |short| match short {
            126 => (LengthForm::Bits16, 16),
            127 => (LengthForm::Bits64, 64),
            _ => (LengthForm::Bits7, 0),
        };
        let mut length = tell(&LENGTH, 7, &|short| {
            let meaning = match extended(short).1 {
                0 => Text::with("{} bytes, 7-bit form", short),
                bits => Text::with("the length is in the next {} bits", bits),
            };
            (Value::Number(short), meaning)
        });
        let (form, bits) = extended(length);
        if bits > 0 {
            length =
                tell(&EXTENDED, bits, &|length| (Value::Number(length), Text::with("{}-bit form", bits)));
        }
        let masking_key = masked.then(|| {
            let key = |key: u64| (key as u32).to_be_bytes();
            key(tell(&KEY, 32, &|number| (Value::Bytes(key(number).into()), Text::default())))
        });
        let (head, rest) = wire.split_at(bit / 8);
        let plain: Vec<u8> = rest
            .iter()
            .enumerate()
            .map(|(at, byte)| byte ^ masking_key.map_or(0, |key| key[at % 4]))
            .collect();
        let kept = &plain[..plain.len().min(self.wants.payload as usize)];
        if !opcode.is_control() && opcode != Opcode::CONTINUATION {
            self.of[dir.index()] = opcode;
        }
        let of = if opcode.is_control() { opcode } else { self.of[dir.index()] };
        let payload_at = offset + head.len() as u64;
        if length > 0 {
            let text = of == Opcode::TEXT || of == Opcode::PING || of == Opcode::PONG;
            let value = match String::from_utf8(kept.to_vec()) {
                Ok(words) if text => Value::Text(words),
                _ => Value::Bytes(kept.to_vec()),
            };
            let span = Span::bytes(source, payload_at, length);
            fields.push(Field { def: &PAYLOAD, span, value, meaning: Text::default(), depth: 0 });
        }
        if opcode == Opcode::CLOSE && kept.len() >= 2 {
            let code = CloseCode(u16::from_be_bytes([kept[0], kept[1]]));
            fields.push(Field {
                def: &CODE,
                span: Span::bytes(source, payload_at, 2),
                value: Value::Number(code.0.into()),
                meaning: Text::with("{}", code.name()),
                depth: 1,
            });
            fields.push(Field {
                def: &REASON,
                span: Span::bytes(source, payload_at + 2, kept.len() as u64 - 2),
                value: Value::Text(String::from_utf8_lossy(&kept[2..]).into()),
                meaning: Text::default(),
                depth: 1,
            });
        }
        if opcode.0 == 0xB {
            fields.push(Field {
                def: &UNKNOWN,
                span: Span::bytes(source, payload_at, 2),
                value: Value::Bytes(kept[..2].to_vec()),
                meaning: Text::new("a field that no view has heard of, with much to say about itself"),
                depth: 2,
            });
        }
        self.offsets[dir.index()] = payload_at + plain.len() as u64;
        let frame = Frame {
            n: self.n,
            offset,
            header: FrameHeader {
                fin,
                rsv1: rsv[0],
                rsv2: rsv[1],
                rsv3: rsv[2],
                opcode,
                masking_key,
                length_form: form,
                length,
            },
            head,
            of,
            compressed: false,
            captured: plain.len() as u64,
            missing: 0,
            truncated: (plain.len() as u64) < length,
            inferred: false,
            payload: kept,
            holes: &[],
        };
        self.body(dir, Body::Frame(&frame), &fields);
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
