//! MQTT control packets, told apart by type; one WebSocket message may carry several.

use super::dialect::{Dialect, Said};
use crate::model::{App, Cite, FieldDef, Text, Value};

pub static DIALECT: Dialect = Dialect {
    id: "mqtt",
    subprotocols: &["mqtt", "mqttv3.1"],
    by_content: false,
    fields: &[&TYPE, &LENGTH, &TOPIC],
    read,
};

const TYPES: [&str; 16] = [
    "reserved",
    "CONNECT",
    "CONNACK",
    "PUBLISH",
    "PUBACK",
    "PUBREC",
    "PUBREL",
    "PUBCOMP",
    "SUBSCRIBE",
    "SUBACK",
    "UNSUBSCRIBE",
    "UNSUBACK",
    "PINGREQ",
    "PINGRESP",
    "DISCONNECT",
    "AUTH",
];

/// Packets of one message that are named.
const NAMED: usize = 16;

const CITE: Cite = Cite { doc: "MQTT 5.0", section: "2.1" };

static TYPE: FieldDef =
    FieldDef { id: "mqtt.type", label: "type", help: "The control packet's type.", cite: CITE };
static LENGTH: FieldDef = FieldDef {
    id: "mqtt.remaining_length",
    label: "remaining length",
    help: "Bytes that follow.",
    cite: CITE,
};
static TOPIC: FieldDef =
    FieldDef { id: "mqtt.topic", label: "topic", help: "What a PUBLISH is about.", cite: CITE };

fn read(said: &Said<'_>) -> Option<App> {
    if said.text || said.bytes.is_empty() {
        return None;
    }
    let (mut at, mut names, mut fields) = (0, Vec::new(), Vec::new());
    while let Some(&first) = said.bytes.get(at) {
        let kind = TYPES[usize::from(first >> 4)];
        let Some((length, digits)) = remaining_length(&said.bytes[at + 1..]) else { break };
        let start = at + 1 + digits;
        let body = &said.bytes[start.min(said.bytes.len())..];
        let body = &body[..body.len().min(length)];
        if names.len() < NAMED {
            let topic = if kind == "PUBLISH" { topic(body) } else { None };
            names.push(topic.map_or_else(|| kind.to_owned(), |topic| format!("{kind} {topic}")));
            fields.push(said.field(&TYPE, at, 1, Value::Text(kind.to_owned())));
            fields.push(said.field(&LENGTH, at + 1, digits, Value::Number(length as u64)));
            fields.extend(topic.map(|topic| said.quote(&TOPIC, topic)));
        }
        at = start.saturating_add(length);
    }
    let summary = Text::with("{}", names.join(", "));
    let app = || App { protocol: "mqtt", name: "MQTT", summary, fields, ..App::default() };
    (!names.is_empty()).then(app)
}

/// The number, and how many bytes it takes: seven bits a byte, at most four bytes.
fn remaining_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut length = 0;
    for (i, byte) in bytes.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7F) << (7 * i);
        if byte & 0x80 == 0 {
            return Some((length, i + 1));
        }
    }
    None
}

fn topic(body: &[u8]) -> Option<&str> {
    let (length, rest) = body.split_first_chunk::<2>()?;
    str::from_utf8(rest.get(..usize::from(u16::from_be_bytes(*length)))?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dir, SourceId};

    #[test]
    fn packets_are_named() {
        for (wire, summary) in [
            (&b"\xc0\x00"[..], Some("PINGREQ")),
            (b"\x30\x0b\x00\x03a/bhello!", Some("PUBLISH a/b")),
            (b"\xd0\x00\x30\x05\x00\x03a/b", Some("PINGRESP, PUBLISH a/b")),
            (b"\x10\xff\xff\xff\xff\x01", None),
            (b"\x30\x7f\x00\xffa", Some("PUBLISH")),
            (b"", None),
        ] {
            let said = Said { dir: Dir::Client, text: false, bytes: wire, source: SourceId::Input };
            assert_eq!(read(&said).map(|a| a.summary.to_string()).as_deref(), summary, "{wire:?}");
        }
    }
}
