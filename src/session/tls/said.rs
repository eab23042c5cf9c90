//! What TLS says of itself, with its fields.

use crate::limits;
use crate::model::{Diagnosis, Dir, Field, FieldDef, Finding, Layer, Piece, SourceId, Span, Text, Value};
use crate::tls::{self, Carried, FATAL_ALERT, Hello, Item, Message, fields};

use super::super::said::Said;

/// A message of the handshake, if it is worth telling.
pub fn handshake(carried: &Carried<'_>, message: &Message<'_>, wants: bool) -> Option<Said> {
    let Message { kind, length, bytes, places } = *message;
    let mut items = wants.then(Vec::new);
    let about = match kind {
        0 => Text::new("the server asks to renegotiate"),
        1 | 2 => match tls::read(bytes, &mut items) {
            Hello::Client(hello) => {
                let version = tls::version_name(hello.version).unwrap_or("an unknown version");
                match hello.server_name {
                    Some(name) => Text::new("client hello for {}, up to {}").and(name).and(version),
                    None => Text::with("client hello, up to {}", version),
                }
            }
            Hello::Server(hello) => {
                let version = tls::version_name(hello.version).unwrap_or("an unknown version");
                let words =
                    if hello.retries { "hello retry request: {}, {}" } else { "server hello: {}, {}" };
                Text::new(words).and(version).and(tls::suite_name(hello.suite))
            }
            Hello::Cut | Hello::Neither => return None,
        },
        8 => match tls::encrypted_extensions(bytes, &mut items) {
            Some((Some(alpn), _)) => Text::with("encrypted extensions: ALPN {}", alpn),
            _ => Text::new("encrypted extensions"),
        },
        11 => Text::with("certificates, {} bytes", length),
        13 => Text::new("the server asks for a certificate of the client"),
        20 => Text::new("the handshake is finished for this side"),
        24 => Text::new("key update: new keys from here on"),
        _ => return None,
    };
    let mut said = record(carried, about);
    if !wants {
        return Some(said);
    }
    if !carried.sealed && !places.is_empty() {
        of_clear(&mut said, carried, message, items.unwrap_or_default());
        return Some(said);
    }
    said.fields = header(carried);
    let name = Text::new(tls::handshake_name(kind));
    let body = said.body();
    said.fields.push(field(&fields::HANDSHAKE_TYPE, body, Value::Number(kind.into()), name, 0));
    let skipped = [&fields::HANDSHAKE_TYPE, &fields::HANDSHAKE_LENGTH];
    let items = items.unwrap_or_default().into_iter().filter(|item| !skipped.contains(&item.def));
    said.fields.extend(items.map(|item| field(item.def, body, item.value, item.meaning, item.depth)));
    Some(said)
}

/// What was found out of a server that was not heard.
pub fn inferred(carried: &Carried<'_>, suite: u16) -> Said {
    let words = "the server's hello is not in the capture; the cipher suite {} is inferred: its keys open \
                 what follows";
    record(carried, Text::with(words, tls::suite_name(suite)))
}

/// What was found out of a client that was not heard.
pub fn of_session(carried: &Carried<'_>, random: &str) -> Said {
    let words = "the client's hello is not in the capture; that its random is {} is inferred: the secrets of \
                 that session open what follows";
    record(carried, Text::with(words, random))
}

/// A message in clear: each field where it stands.
fn of_clear(said: &mut Said, carried: &Carried<'_>, message: &Message<'_>, items: Vec<Item>) {
    let Message { length, places, .. } = *message;
    let first = places.first().map_or(carried.offset, |(_, place)| *place);
    // A message that begins a record is shown with the record's header.
    let place_of = |at: usize| {
        let (from, place) = places.iter().rev().find(|(from, _)| *from <= at).copied().unwrap_or_default();
        place + (at - from) as u64
    };
    let end = place_of(length.saturating_sub(1)) + 1;
    let is_first = first == carried.offset + tls::RECORD_HEADER;
    let begin = if is_first { carried.offset } else { first };
    said.offset = begin;
    said.length = end - begin;
    let own = |at: u64| usize::try_from(at.saturating_sub(carried.offset)).unwrap_or_default();
    let [from, to] = [own(begin.max(carried.offset)), own(end)].map(|at| at.min(carried.bytes.len()));
    said.bytes = carried.bytes[from.min(to)..to].to_vec();
    said.bytes.truncate(limits::TLS_HELLO);
    if is_first {
        said.fields = header(carried);
    }
    for item in items {
        let start = place_of(item.place.start);
        let end = item.place.end.checked_sub(1).filter(|last| *last >= item.place.start).map(place_of);
        let span = Span::bytes(none(carried.dir), start, end.map_or(0, |last| last + 1 - start));
        said.fields.push(field(item.def, span, item.value, item.meaning, item.depth));
    }
}

/// An alert.
pub fn alert(carried: &Carried<'_>, level: u8, code: u8) -> Said {
    let name = tls::alert_name(code);
    let name = if name.is_empty() { Text::with("{}", code) } else { Text::new(name) };
    let mut said = record(carried, Text::new("alert: {}").word(name.clone()));
    let body = said.body();
    said.fields = header(carried);
    let [of_level, of_code] = if carried.sealed {
        [body, body]
    } else {
        let start = carried.offset + tls::RECORD_HEADER;
        [start, start + 1].map(|at| Span::bytes(none(carried.dir), at, 1))
    };
    let level_name = Text::new(match level {
        1 => "warning",
        2 => "fatal",
        _ => "",
    });
    said.fields.push(field(&fields::ALERT_LEVEL, of_level, Value::Number(level.into()), level_name, 0));
    said.fields.push(field(&fields::ALERT, of_code, Value::Number(code.into()), name, 0));
    said
}

/// One that ends the connection, which is a finding, and what may be behind it.
pub fn fatal_alert(carried: &Carried<'_>, level: u8, code: u8, behind: Option<Diagnosis>) -> Said {
    let mut said = alert(carried, level, code);
    if let Some(code) = said.fields.last() {
        let expected = "close_notify at the end".into();
        let finding = Finding::new(&FATAL_ALERT, carried.dir, expected, code.meaning.clone()).at(code.span);
        said.findings.push(Finding { cause: behind.map(Box::new), ..finding });
    }
    said
}

/// A record as a whole.
pub fn record(carried: &Carried<'_>, about: Text) -> Said {
    let ends = carried.pieces.iter().skip(1).map(|(from, _)| *from).chain([carried.bytes.len()]);
    let pieces = carried.pieces.iter().zip(ends).map(|((from, at), end)| Piece {
        offset: carried.offset + *from as u64,
        len: end.saturating_sub(*from) as u64,
        packet: at.packet,
        byte: at.byte,
    });
    Said {
        layer: "TLS",
        protocol: "tls",
        on: Layer::Stream,
        dir: carried.dir,
        offset: carried.offset,
        length: carried.bytes.len() as u64,
        bytes: carried.bytes[..carried.bytes.len().min(limits::OPENING)].to_vec(),
        about,
        fields: Vec::new(),
        findings: Vec::new(),
        pieces: pieces.filter(|piece| piece.packet > 0).collect(),
        last: carried.last(),
    }
}

/// The fields of a record's header.
fn header(carried: &Carried<'_>) -> Vec<Field> {
    let Some((head, _)) = carried.bytes.split_first_chunk::<5>() else { return Vec::new() };
    let at = |from: u64, length: u64| Span::bytes(none(carried.dir), carried.offset + from, length);
    let kind = match head[0] {
        20 => "change_cipher_spec",
        21 => "alert",
        22 => "handshake",
        23 => "application_data",
        _ => "",
    };
    let version = u16::from_be_bytes([head[1], head[2]]);
    let length = u16::from_be_bytes([head[3], head[4]]);
    let name = tls::version_name(version).unwrap_or_default();
    vec![
        field(&fields::RECORD_TYPE, at(0, 1), Value::Number(head[0].into()), Text::new(kind), 0),
        field(&fields::RECORD_VERSION, at(1, 2), Value::Code(version.into()), Text::new(name), 0),
        field(&fields::RECORD_LENGTH, at(3, 2), Value::Number(length.into()), Text::default(), 0),
    ]
}

fn field(def: &'static FieldDef, span: Span, value: Value, meaning: Text, depth: u8) -> Field {
    Field { def, span, value, meaning, depth }
}

/// What a direction sends, as long as its connection has no number.
fn none(dir: Dir) -> SourceId {
    Layer::Stream.source(0, dir)
}

impl Said {
    /// What stands behind the header of a record.
    fn body(&self) -> Span {
        let length = self.length.saturating_sub(tls::RECORD_HEADER);
        Span::bytes(none(self.dir), self.offset + tls::RECORD_HEADER, length)
    }
}
