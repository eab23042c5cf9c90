use std::sync::Arc;

use super::schema::{EnumType, FieldType, Kind, MessageType};
use super::*;
use crate::model::Field;

/// `message Event { int32 id = 1; string name = 2; repeated sint32 moves = 3; State state = 4;
/// Inner inner = 5; map<string, int32> scores = 6; bytes raw = 7; fixed32 crc = 8; double x = 9;
/// repeated Inner more = 10; } message Inner { bool on = 1; }`
fn schema() -> Schema {
    let field = |number, name: &str, kind| FieldType {
        number,
        name: name.to_owned(),
        kind,
        repeated: false,
        map: false,
    };
    let many = |it: FieldType| FieldType { repeated: true, ..it };
    let event = vec![
        field(1, "id", Kind::Int32),
        field(2, "name", Kind::String),
        many(field(3, "moves", Kind::Sint32)),
        field(4, "state", Kind::Enum(0)),
        field(5, "inner", Kind::Message(1)),
        FieldType { map: true, ..many(field(6, "scores", Kind::Message(2))) },
        field(7, "raw", Kind::Bytes),
        field(8, "crc", Kind::Fixed32),
        field(9, "x", Kind::Double),
        many(field(10, "more", Kind::Message(1))),
    ];
    let message = |name: &str, fields| MessageType { name: name.to_owned(), fields };
    Schema {
        messages: vec![
            message("demo.Event", event),
            message("demo.Inner", vec![field(1, "on", Kind::Bool)]),
            message(
                "demo.Event.ScoresEntry",
                vec![field(1, "key", Kind::String), field(2, "value", Kind::Int32)],
            ),
        ],
        enums: vec![EnumType { values: vec![(0, "IDLE".to_owned()), (1, "BUSY".to_owned())] }],
        roots: [vec![0], vec![0]],
    }
}

const EVENT: &[u8] = b"\x08\x07\x12\x03ann\x1a\x03\x01\x02\x04\x20\x01\x2a\x02\x08\x01\
    \x32\x05\x0a\x01a\x10\x05\x32\x05\x0a\x01b\x10\x06\x3a\x02\xff\x00\x45\x01\0\0\0\
    \x49\0\0\0\0\0\0\xf8\x3f\x52\x02\x08\x01\x52\x00\xa8\x06\x05";

#[test]
fn text_that_is_no_utf8_is_a_field_of_the_schema_all_the_same() {
    let mut protobuf = Protobuf::by(Some(Arc::new(schema())));
    let (app, found) = read(&mut protobuf, Dir::Client, b"\x08\x07\x12\x01\xff");
    assert_eq!(members(&app.unwrap()), ["$.id 7 @1+1", "$.name bytes that are no UTF-8 @4+1"]);
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!(finding.expected.to_string(), "name as text in UTF-8");
}

fn read(protobuf: &mut Protobuf, dir: Dir, bytes: &[u8]) -> (Option<App>, Vec<Finding>) {
    let mut found = Vec::new();
    let app = protobuf.read(&Said::sample(dir, 1, false, bytes), &mut found);
    (app, found)
}

fn members(app: &App) -> Vec<String> {
    let member = |field: &Field| match &field.value {
        Value::Text(path) if field.def == &MEMBER => {
            Some(format!("{path} {} @{}+{}", field.meaning, field.span.start / 8, field.span.len() / 8))
        }
        _ => None,
    };
    app.fields.iter().filter_map(member).collect()
}

#[test]
fn fields_have_the_names_of_the_schema() {
    let (app, found) = read(&mut Protobuf::by(Some(Arc::new(schema()))), Dir::Client, EVENT);
    let app = app.unwrap();
    assert!(found.is_empty(), "{found:?}");
    let json = r#"{"id":7,"name":"ann","moves":[-1,1,2],"state":"BUSY","inner":{"on":true},"#;
    let next = r#""scores":{"a":5,"b":6},"raw":{"base64":"/wA="},"crc":1,"x":1.5,"#;
    let rest = r#""more":[{"on":true},{}],"101":5}"#;
    assert_eq!(app.fields[0].value, Value::Json(format!("{json}{next}{rest}")));
    assert!(app.summary.to_string().starts_with(r#"demo.Event {"id":7,"#));
    let members = members(&app);
    assert_eq!(
        members[..5],
        [
            "$.id 7 @1+1",
            "$.name \"ann\" @4+3",
            "$.moves -1, 1, 2 @9+3",
            "$.state BUSY (1) @13+1",
            "$.inner.on true @17+1",
        ]
    );
    assert_eq!(members.last().unwrap(), "$['101'] not in the schema: VARINT 5 @58+1");
}

#[test]
fn without_a_schema_there_are_numbers_and_guesses_that_say_so() {
    let (app, _) = read(&mut Protobuf::by(None), Dir::Client, EVENT);
    let app = app.unwrap();
    let members = members(&app);
    assert_eq!(members[0], "$['1'] VARINT 7 @1+1");
    assert_eq!(members[1], "$['2'] LEN, text as a guess: \"ann\" @4+3");
    let guess = "$['5'] LEN of 2 bytes, a message as a guess";
    assert!(members.iter().any(|it| it.starts_with(guess)), "{members:?}");
    assert!(app.summary.to_string().starts_with(r#"{"1":7,"2":"ann""#), "{}", app.summary);
}

#[test]
fn bad_data_says_where() {
    let by_schema = || Protobuf::by(Some(Arc::new(schema())));
    for (bytes, at) in [
        (&b"\x08"[..], 1),
        (b"\x08\x07\x12\x09ann", 3),
        (b"\x08\x07\x0f", 2),
        (b"\x08\x07\x00", 2),
        (b"\x2a\x02\x08\x80", 3),
        (b"\x08\x07\x0c", 2),
        (b"\x0b\x08\x07", 1),
    ] {
        let mut protobuf = by_schema();
        // Nothing was read yet: it may be another protocol.
        assert!(read(&mut protobuf, Dir::Client, bytes).0.is_none());
        read(&mut protobuf, Dir::Client, EVENT);
        let (app, found) = read(&mut protobuf, Dir::Client, bytes);
        assert!(app.is_some() && found[0].rule == &MALFORMED, "{bytes:?}");
        assert_eq!(found[0].spans[0].start / 8, at, "{bytes:?}");
    }
    // Another wire type than the schema has.
    let (_, found) = read(&mut by_schema(), Dir::Client, b"\x08\x07\x15\x01\0\0\0");
    assert_eq!((found[0].rule.id, found[0].spans[0].start / 8), ("protobuf-schema-mismatch", 2));
}

#[test]
fn of_several_messages_the_one_that_fits_is_read() {
    let field = |kind| FieldType { number: 1, name: "it".to_owned(), kind, repeated: false, map: false };
    let message = |name: &str, kind| MessageType { name: name.to_owned(), fields: vec![field(kind)] };
    let inner = message("Inner", Kind::Bool);
    let messages = vec![inner, message("Nested", Kind::Message(0)), message("Said", Kind::String)];
    let schema = Arc::new(Schema { messages, enums: Vec::new(), roots: [vec![1, 2], vec![2, 1]] });
    for dir in [Dir::Client, Dir::Server] {
        let mut protobuf = Protobuf::by(Some(schema.clone()));
        // Within this text there is the end of a group.
        let app = read(&mut protobuf, dir, b"\x0a\x05hello").0.unwrap();
        assert_eq!(app.summary.to_string(), r#"Said, as a guess: {"it":"hello"}"#);
        for (bytes, at, what) in [
            (&b"\x0a\x09hello"[..], 1, "a field that goes beyond the end"),
            (b"\x10\x01", 0, "fields of no message of the schema"),
        ] {
            let (_, found) = read(&mut protobuf, dir, bytes);
            assert_eq!((found[0].spans[0].start / 8, found[0].got.to_string().as_str()), (at, what));
        }
    }
}

#[test]
fn streams_of_messages() {
    let inner = b"\x08\x07\x12\x03ann";
    // Five bytes in front.
    let mut grpc = Protobuf::by(Some(Arc::new(schema())));
    let wire = [&b"\0\0\0\0\x07"[..], inner, b"\x80\0\0\0\x0fgrpc-status: 0\n"].concat();
    let app = read(&mut grpc, Dir::Server, &wire).0.unwrap();
    assert_eq!(app.packets[0].fields[1].span.start / 8, 6);
    assert_eq!(app.packets[1].summary.to_string(), "headers of 15 bytes");
    // A length in front of each.
    let mut delimited = Protobuf::by(Some(Arc::new(schema())));
    let wire = [&b"\x07"[..], inner, b"\x02\x08\x08"].concat();
    let app = read(&mut delimited, Dir::Server, &wire).0.unwrap();
    assert_eq!(app.packets.len(), 2);
    // More than are described are counted all the same.
    let app = read(&mut delimited, Dir::Server, &b"\x02\x08\x08".repeat(APP_PACKETS + 9)).0.unwrap();
    assert_eq!((app.packets.len(), app.summary.to_string().as_str()), (APP_PACKETS, "73 messages"));
    // gRPC-Web over a WebSocket: headers first, then a byte in front of all.
    let mut web = Protobuf::default();
    let head = b"content-type: application/grpc-web+proto\r\nx-grpc-web: 1\r\n";
    assert_eq!(read(&mut web, Dir::Client, head).0.unwrap().summary.to_string(), "headers of 57 bytes");
    let headers = format!("grpc-message: {}\r\n", "x".repeat(APP_SHOWN));
    let app = read(&mut Protobuf::default(), Dir::Client, headers.as_bytes()).0.unwrap();
    assert_eq!(app.fields[0].value, Value::Text(headers[..APP_SHOWN].to_owned()));
    let wire = [&b"\0\0\0\0\0\x07"[..], inner].concat();
    assert_eq!(read(&mut web, Dir::Client, &wire).0.unwrap().summary.to_string(), r#"{"1":7,"2":"ann"}"#);
    let last = read(&mut web, Dir::Client, b"\x01").0.unwrap();
    assert_eq!(last.summary.to_string(), "the client has said all");
}

/// Fields of so many numbers must not be compared each with each.
#[test]
fn a_message_may_have_fields_of_all_numbers() {
    let field = |number: u32| {
        let tag = number << 3;
        [tag | 0x80, tag >> 7 | 0x80, tag >> 14 | 0x80, tag >> 21, 5].map(|it| it as u8)
    };
    let wire: Vec<u8> = (1 << 18..(1 << 18) + 150_000).flat_map(field).collect();
    let app = read(&mut Protobuf::by(None), Dir::Client, &wire).0.unwrap();
    assert_eq!(app.fields.len(), 1);
    let few = [field(1 << 18), field(7), field(1 << 18)].concat();
    let app = read(&mut Protobuf::by(None), Dir::Client, &few).0.unwrap();
    assert_eq!(app.summary.to_string(), r#"{"262144":[5,5],"7":5}"#);
}

proptest::proptest! {
    #[test]
    fn any_bytes_may_come(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80)) {
        for schema in [None, Some(Arc::new(schema()))] {
            let mut protobuf = Protobuf::by(schema);
            for dir in [Dir::Client, Dir::Server] {
                if let (Some(app), _) = read(&mut protobuf, dir, &bytes) {
                    for field in app.fields.iter().chain(app.packets.iter().flat_map(|it| &it.fields)) {
                        assert!(field.span.end <= bytes.len() as u64 * 8);
                        if let Value::Json(json) = &field.value {
                            assert!(crate::app::json::is_valid(json), "{json}");
                        }
                    }
                }
            }
        }
    }
}
