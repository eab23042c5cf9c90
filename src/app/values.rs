//! Messages that are values in `MessagePack` or CBOR, without a protocol that is known around them.

use super::dialect::{Decoder, Dialect, Reader, Said, Sheet, bytes};
use super::excerpt::{clipped, cut};
use super::value::{Node, Notation, is_evident, sequence, whole};
use crate::limits::{APP_PACKETS, VALUE_LEAVES};
use crate::model::{App, Cite, Field, FieldDef, Finding, Rule, Span, Text, Value, fields, rules};

/// `MessagePack`.
pub static MSGPACK: Dialect = Dialect {
    id: "msgpack",
    subprotocols: &["msgpack", "messagepack", "*.msgpack", "*+msgpack"],
    looks_like: Some(|said| may_be(Notation::MessagePack, said)),
    first: &MSGPACK_FIRST,
    last: &[],
    marks: 0,
    target: None,
    fields: MSGPACK_FIELDS,
    rules: MSGPACK_RULES,
    reader: Reader::Session(|| Box::new(Values { notation: Notation::MessagePack })),
    sheet: Sheet {
        name: "MessagePack",
        shown_by: "a map or list of MessagePack that is the whole message, with evidence that it is no \
                   chance",
        decoded: "the values, each with its place, its type and how it is written; what breaks off or may \
                  not be",
        sample: "clean/values.script",
        source: ("MessagePack", "https://github.com/msgpack/msgpack/blob/master/spec.md"),
    },
};

/// CBOR.
pub static CBOR: Dialect = Dialect {
    id: "cbor",
    subprotocols: &["cbor", "*.cbor", "*+cbor"],
    looks_like: Some(|said| may_be(Notation::Cbor, said)),
    first: &CBOR_FIRST,
    last: &[],
    marks: 0,
    target: None,
    fields: CBOR_FIELDS,
    rules: CBOR_RULES,
    reader: Reader::Session(|| Box::new(Values { notation: Notation::Cbor })),
    sheet: Sheet {
        name: "CBOR",
        shown_by: "a map, list or tag of CBOR that is the whole message, with evidence that it is no chance",
        decoded: "the values, each with its place, its type and how it is written; what breaks off or may \
                  not be",
        sample: "clean/values.script",
        source: ("RFC 8949", "https://www.rfc-editor.org/rfc/rfc8949"),
    },
};

/// Lists and dictionaries.
const MSGPACK_FIRST: [u8; 36] = bytes(&[(0x80, 0x9F), (0xDC, 0xDF)]);

/// Lists, dictionaries and tags.
const CBOR_FIRST: [u8; 84] = bytes(&[(0x80, 0x9B), (0x9F, 0xBB), (0xBF, 0xD9)]);

/// The specification of `MessagePack` has no sections with numbers.
const fn spec(section: &'static str) -> Cite {
    Cite { doc: "MessagePack", section }
}

const fn rfc8949(section: &'static str) -> Cite {
    Cite { doc: "RFC 8949", section }
}

fields! {
    /// What is annotated of `MessagePack`.
    MSGPACK_FIELDS;
    MSGPACK_VALUE = "msgpack.value", "value", spec("Formats"), "What the message says, as JSON.";
    MSGPACK_MEMBER = "msgpack.member", "member", spec("Formats"),
        "A part of the value, by the path that --match and --dialect have for it.", Member;
}

fields! {
    /// What is annotated of CBOR.
    CBOR_FIELDS;
    CBOR_VALUE = "cbor.value", "value", rfc8949("3"), "What the message says, as JSON.";
    CBOR_MEMBER = "cbor.member", "member", rfc8949("3"),
        "A part of the value, by the path that --match and --dialect have for it.", Member;
}

rules! {
    /// The rules of `MessagePack`.
    MSGPACK_RULES;
    MSGPACK_MALFORMED = "msgpack-malformed", Warning, spec("Formats"), Either,
        "A binary message of a subprotocol in MessagePack is none",
        "The receiver cannot read it; most libraries raise an error.";
}

rules! {
    /// The rules of CBOR.
    CBOR_RULES;
    CBOR_MALFORMED = "cbor-malformed", Warning, rfc8949("5.3"), Either,
        "A binary message of a subprotocol in CBOR is not well-formed",
        "The receiver cannot read it; most libraries raise an error.";
}

/// Reads messages in a notation.
#[derive(Debug)]
struct Values {
    notation: Notation,
}

/// What a binary message says that was read as a value of whatever notation.
pub fn value<'a>(said: &Said<'a>, app: &'a App) -> Option<Node<'a>> {
    let notation = match app.protocol {
        id if id == MSGPACK.id => Notation::MessagePack,
        id if id == CBOR.id => Notation::Cbor,
        id if id == super::protobuf::DIALECT.id => {
            let [Field { value: Value::Json(json), .. }, ..] = &app.fields[..] else { return None };
            return Some(Node::Json(json));
        }
        _ => return None,
    };
    match whole(notation, said.bytes)?[..] {
        [value] => Some(Node::Binary(notation, value)),
        _ => None,
    }
}

/// What may be a list or a dictionary: by its first byte, and by the last, where that would be one of a value
/// that is cut short.
fn may_be(notation: Notation, said: &Said<'_>) -> bool {
    let Some(first) = said.bytes.first() else { return false };
    let of = match notation {
        Notation::MessagePack => &MSGPACK,
        Notation::Cbor => &CBOR,
    };
    !said.text && of.first.contains(first)
}

impl Decoder for Values {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if said.text || !said.is_whole() || said.length == 0 {
            return None;
        }
        let notation = self.notation;
        if !(said.known || may_be(notation, said) && is_evident(notation, said.bytes)) {
            return None;
        }
        // Whoever agreed on it may send any value, not lists and dictionaries only.
        let values = match whole(notation, said.bytes) {
            Some(values) => values,
            None if said.agreed => match sequence(notation, said.bytes) {
                Ok(values) => values,
                Err((at, what)) => {
                    let span = Span::bytes(said.source, at as u64, (said.bytes.len() - at).min(1) as u64);
                    let expected = Text::new("whole values up to the message's end");
                    found.push(Finding::new(self.rule(), said.dir, expected, what).at(span));
                    return None;
                }
            },
            None => return None,
        };
        let app = |value: &&[u8]| self.app(said, Node::Binary(notation, value));
        let mut apps: Vec<App> = values.iter().take(APP_PACKETS).map(app).collect();
        if values.len() == 1 {
            return apps.pop();
        }
        let summary = Text::with("{} values", values.len());
        Some(App { packets: apps, ..self.named(summary) })
    }
}

impl Values {
    fn named(&self, summary: Text) -> App {
        let (protocol, name) = match self.notation {
            Notation::MessagePack => (MSGPACK.id, "MessagePack"),
            Notation::Cbor => (CBOR.id, "CBOR"),
        };
        App { protocol, name, summary, ..App::default() }
    }

    fn rule(&self) -> &'static Rule {
        match self.notation {
            Notation::MessagePack => &MSGPACK_MALFORMED,
            Notation::Cbor => &CBOR_MALFORMED,
        }
    }

    fn defs(&self) -> [&'static FieldDef; 2] {
        match self.notation {
            Notation::MessagePack => [&MSGPACK_VALUE, &MSGPACK_MEMBER],
            Notation::Cbor => [&CBOR_VALUE, &CBOR_MEMBER],
        }
    }

    fn app(&self, said: &Said<'_>, node: Node<'_>) -> App {
        let [whole, member] = self.defs();
        let json = node.json();
        let summary = match &json {
            Some(json) => Text::with("{}", clipped(json)),
            None => Text::with("a value of {} bytes", node.bytes().len()),
        };
        let value = json.map_or_else(|| node.value(), |json| Value::Json(json.into_owned()));
        let mut fields = vec![said.part(whole, node.bytes(), value)];
        for leaf in node.leaves(VALUE_LEAVES).into_iter().flatten().filter(|leaf| leaf.path != "$") {
            let mut field = said.part(member, leaf.node.bytes(), Value::Text(cut(&leaf.path).to_owned()));
            let json = leaf.node.json();
            let meaning = json.map_or_else(Text::default, |json| Text::with("{}", clipped(&json)));
            field.meaning = if leaf.is_hidden { meaning.then(HIDDEN.into()) } else { meaning };
            field.depth = 1;
            fields.push(field);
        }
        App { fields, ..self.named(summary) }
    }
}

/// Said of a member that paths do not lead to.
const HIDDEN: &str = "a member of the same name comes before";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::APP_SHOWN;
    use crate::model::Dir;

    fn read(bytes: &[u8], known: bool, agreed: bool) -> (Option<App>, Vec<Finding>) {
        let mut found = Vec::new();
        let said = Said { agreed, known, ..Said::sample(Dir::Client, 1, false, bytes) };
        let app = Values { notation: Notation::MessagePack }.read(&said, &mut found);
        (app, found)
    }

    #[test]
    fn members_of_one_name_are_told_apart() {
        let (app, _) = read(b"\x83\xa4type\xa4ping\xa2id\x07\xa2id\x81\xa1n\x08", false, false);
        let app = app.unwrap();
        let parts = app.fields[2..].iter().map(|field| (field.value.clone(), field.meaning.to_string()));
        let expected = [("$.id", "7"), ("$.id.n", "8; a member of the same name comes before")];
        assert!(parts.eq(expected.map(|(path, said)| (Value::Text(path.into()), said.into()))), "{app:?}");
    }

    #[test]
    fn a_value_is_told_with_its_parts() {
        let (app, _) = read(b"\x82\xa4type\xa4ping\xa2id\x07", false, false);
        let app = app.unwrap();
        assert_eq!(app.summary.to_string(), r#"{"type":"ping","id":7}"#);
        let told: Vec<_> = app
            .fields
            .iter()
            .map(|it| (it.value.clone(), it.meaning.to_string(), it.span.start / 8, it.span.len() / 8))
            .collect();
        assert_eq!(told[0].0, Value::Json(r#"{"type":"ping","id":7}"#.into()));
        assert_eq!(told[1], (Value::Text("$.type".into()), "\"ping\"".into(), 6, 5));
        assert_eq!(told[2], (Value::Text("$.id".into()), "7".into(), 14, 1));
    }

    #[test]
    fn little_is_enough_once_it_is_known() {
        let small = b"\x81\xa1a\x01";
        assert!(read(small, false, false).0.is_none());
        assert!(read(small, true, false).0.is_some());
        // A number alone is a message only where that was agreed on.
        assert!(read(b"\x07", true, false).0.is_none());
        assert_eq!(read(b"\x07", true, true).0.unwrap().summary.to_string(), "7");
        let (app, found) = read(b"\x82\xa4type\xa4pi", true, true);
        assert!(app.is_none() && found[0].rule == &MSGPACK_MALFORMED);
        assert_eq!(found[0].spans[0].start / 8, 6);
        assert!(read(b"\x82\xa4type\xa4pi", true, false).1.is_empty());
    }

    #[test]
    fn a_name_is_shown_as_far_as_all_else() {
        let name = "n".repeat(3 * APP_SHOWN);
        let parts = [b"\x81\xdb", &(name.len() as u32).to_be_bytes()[..], name.as_bytes(), b"\x07"].concat();
        let app = read(&parts, true, true).0.unwrap();
        assert_eq!(app.fields[1].value, Value::Text(format!("$.{}", &name[2..APP_SHOWN])));
    }

    #[test]
    fn several_values_are_packets() {
        let (app, _) = read(&b"\x81\xa7message\xa5hello".repeat(3), false, false);
        let app = app.unwrap();
        assert_eq!((app.packets.len(), app.summary.to_string()), (3, "3 values".to_owned()));
    }
}
