//! What the records of units say.

mod schema;

use std::collections::BTreeSet;

use serde_json::Value;

use self::schema::assert_valid;
use super::*;
use crate::model::Dir::{Client, Server};
use crate::model::sample::{Talk, connection, finding, hex, note, unit};
use crate::model::{
    Answer, App, AppPacket, AppSession, Attachment, Cite, CloseBody, CloseCode, Connection, Counts, Deflate,
    EndKind, Ending, Endpoint, Field, FieldDef, Frame, FrameHeader, Gap, GapEffect, LengthForm, Message,
    More, Opcode, Role, Roles, SessionRef, SourceId, Span, Summary, Text, Transport, Utf8,
};
use crate::render::stats::Stats;

/// What `talk` looks like, of each payload `payload` bytes.
fn lines(payload: u64, talk: impl FnOnce(&mut Talk<'_, Json<Vec<u8>>>)) -> String {
    let mut json = Json::lines(Vec::new(), payload);
    talk(&mut Talk::new(&mut json));
    String::from_utf8(json.finish().unwrap()).unwrap()
}

/// The only record of a unit, parsed.
fn record(payload: u64, unit: &Unit<'_>) -> Value {
    let mut json = Json::lines(Vec::new(), payload);
    let _ = json.take(unit);
    let value = serde_json::from_slice(&json.finish().unwrap()).unwrap();
    assert_valid(&value);
    value
}

/// A conversation with every kind of record.
fn everything<S: Sink>(talk: &mut Talk<'_, S>) {
    talk.meta().connect(1).handshake();
    talk.frame(Client, "818537fa213d7f9f4d5158").frame(Server, "810548656c6c6f");
    talk.frame(Server, "010348656c").frame(Server, "890548656c6c6f").frame(Server, "80026c6f");
    talk.frame(Client, "8a8537fa213d7f9f4d5158").frame(Server, "8204deadbeef").frame(Server, "8101ff");
    let refused = HttpHeadOf("HTTP/1.1 403 Forbidden", b"no \xe2\x80");
    refused.tell(talk);
    talk.findings.push(finding());
    talk.message_findings.push(note());
    talk.frame(Client, "810548656c6c6f").frame(Server, "8b00").frame(Server, "817f7fffffffffffffff41");
    talk.frame(Client, "8800").frame(Server, "880703e8ff62796521").frame(Server, "880803e862796521c3a9");
    for (between, effect) in [
        ((Some(7), Some(9)), GapEffect::SkippedInPayload),
        ((None, None), GapEffect::Resynchronised),
        ((Some(7), None), GapEffect::Desynchronised),
    ] {
        talk.tell(Some(Server), Body::Gap(&Gap { offset: 400, length: 1460, between, effect }), &[]);
    }
    let app = packet_of_socket_io();
    let packet = AppPacket {
        streamed: None,
        place: 1,
        text: true,
        length: 19,
        payload: b"42[\"message\",\"hi\"]",
        app: &app,
    };
    talk.tell(Some(Client), Body::Packet(&packet), &[]);
    let session = AppSession { number: 1, sid: Some("x".into()), ..AppSession::default() };
    talk.tell(None, Body::Session(&session), &[finding()]);
    talk.tell(None, Body::Note, &[note()]);
    talk.end(EndKind::CloseHandshake, Some(1000));
    let deflate = Deflate {
        server_no_context_takeover: true,
        client_no_context_takeover: false,
        server_max_window_bits: 15,
        client_max_window_bits: 12,
    };
    let bare = Connection {
        parent: Some(std::num::NonZeroU32::MIN),
        layer: crate::model::Layer::Stream,
        client: None,
        server: None,
        roles: Roles::Assumed,
        handshake: crate::model::Handshake::Missing,
        target: None,
        host: None,
        status: None,
        subprotocol: None,
        extensions: Some("permessage-deflate".into()),
        deflate: Some(deflate),
        http_version: None,
        passes_on: None,
        forwarded: None,
        secured: None,
        software: crate::model::Software::Unnamed,
        ending: None,
        more: Vec::new(),
        unanswered: Vec::new(),
    };
    talk.connect(2).tell(None, Body::Connection(&bare), &[]);
    talk.frame(Server, "8101 41").end(EndKind::Rst, None);
    let rules = vec![(finding().rule, 1), (note().rule, 2)];
    talk.summary(&Summary {
        packets: 20,
        frames: 15,
        findings: rules.into_iter().collect(),
        ..Summary::default()
    });
}

/// A packet with everything that a packet can have.
fn packet_of_socket_io() -> App {
    static EVENT: FieldDef =
        FieldDef { id: "socketio.event", label: "", help: "", cite: Cite::rfc6455(""), role: Role::Plain };
    static ARGS: FieldDef =
        FieldDef { id: "socketio.args", label: "", help: "", cite: Cite::rfc6455(""), role: Role::Plain };
    let field = |def, value| Field {
        def,
        span: Span::bytes(SourceId::Body { conn: 1, dir: Client, n: 1 }, 0, 1),
        value,
        meaning: Text::default(),
        depth: 0,
    };
    App {
        protocol: "socket.io",
        name: "Socket.IO",
        summary: Text::new("EVENT"),
        fields: vec![
            field(&EVENT, crate::model::Value::Text("\u{202e}".into())),
            field(&ARGS, crate::model::Value::Json("[\n\"\u{202e}\", 1.50]".into())),
        ],
        attachments: vec![Attachment { num: 0, length: 2, bytes: vec![1, 2], conn: 1, packets: None }],
        session: Some(SessionRef { number: 1, sid: None, transport: Transport::Polling }),
        answers: Some(Answer {
            what: "ping".into(),
            packets: Some((1, 2)),
            after: Some(1_500_000_000),
            ..Answer::default()
        }),
        ..App::default()
    }
}

#[test]
fn packets_keep_the_json_of_their_arguments() {
    let app = packet_of_socket_io();
    let packet = AppPacket { streamed: None, place: 1, text: true, length: 2, payload: b"42", app: &app };
    let text = lines(9, |talk| {
        talk.tell(Some(Client), Body::Packet(&packet), &[]);
    });
    assert!(text.contains(r#""event":"\u202e","args":[ "\u202e", 1.50],"#), "{text}");
    let record = record(9, &unit(Body::Packet(&packet)));
    assert_eq!(record["app"]["args"], serde_json::json!(["\u{202e}", 1.5]));
    assert_eq!(record["app"]["answers"]["after"], "1.500000000");
    let message = Message { app: Some(&app), ..message_of(b"x") };
    assert_eq!(self::record(9, &unit(Body::Message(&message)))["app"], record["app"]);
}

fn message_of(payload: &[u8]) -> Message<'_> {
    Message {
        m: 1,
        kind: Opcode::TEXT,
        frames: &[1],
        frame_count: 1,
        length: payload.len() as u64,
        compressed: false,
        inflated_length: None,
        from_earlier: None,
        complete: true,
        in_doubt: false,
        payload,
        holes: &[],
        text: None,
        payload_cut: false,
        utf8: Utf8::Valid,
        close: None,
        app: None,
    }
}

struct HttpHeadOf(&'static str, &'static [u8]);

impl HttpHeadOf {
    fn tell<S: Sink>(&self, talk: &mut Talk<'_, S>) {
        let head = crate::model::HttpHead { offset: 160, body: self.1, ..crate::model::sample::head(self.0) };
        talk.tell(Some(Server), Body::Http(&head), &[]);
    }
}

#[test]
fn every_record_fits_the_schema() {
    let text = lines(1 << 16, everything);
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    records.iter().for_each(assert_valid);
    let kinds: BTreeSet<&str> = records.iter().map(|record| record["type"].as_str().unwrap()).collect();
    let all = [
        "cause",
        "connection",
        "finding",
        "frame",
        "gap",
        "http",
        "message",
        "meta",
        "packet",
        "session",
        "summary",
    ];
    assert_eq!(kinds, all.into_iter().collect());
    assert_eq!((&records[0]["type"], &records.last().unwrap()["type"]), (&"meta".into(), &"summary".into()));
}

#[test]
fn an_array_holds_the_same_records() {
    let mut json = Json::array(Vec::new(), 1 << 16);
    everything(&mut Talk::new(&mut json));
    let array: Vec<Value> = serde_json::from_slice(&json.finish().unwrap()).unwrap();
    let text = lines(1 << 16, everything);
    let each: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(array, each);
    assert_eq!(Json::array(Vec::new(), 0).finish().unwrap(), b"[]\n");
}

#[test]
fn statistics_fit_the_schema() {
    let mut stats = Stats::new();
    everything(&mut Talk::new(&mut stats));
    let mut out = Vec::new();
    stats.lines(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let records: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    records.iter().for_each(assert_valid);
    let kinds: Vec<&str> = records.iter().map(|record| record["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["meta", "stats", "stats", "stats", "cause", "summary"]);
    let mut array = Vec::new();
    stats.array(&mut array).unwrap();
    assert_eq!(serde_json::from_slice::<Vec<Value>>(&array).unwrap(), records);
}

/// RFC 6455 §5.7, and the head of a handshake before it.
#[test]
fn the_examples_of_the_rfc() {
    let text = lines(1 << 16, |talk| {
        talk.connect(1).handshake();
        talk.frame(Server, "810548656c6c6f").frame(Client, "818537fa213d7f9f4d5158");
        talk.frame(Server, "010348656c").frame(Server, "80026c6f");
        talk.frame(Server, "890548656c6c6f").frame(Client, "8a8537fa213d7f9f4d5158");
    });
    insta::assert_snapshot!(text);
}

#[test]
fn long_lengths_use_the_right_form() {
    for (head, form, length) in [("827e0100", 16, 256), ("827f0000000000010000", 64, 65_536)] {
        let mut wire = hex(head);
        wire.resize(wire.len() + length, 0);
        let text = lines(3, |talk| {
            talk.frame_bytes(Server, &wire);
        });
        let frame: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!((&frame["length_form"], &frame["length"]), (&form.into(), &length.into()));
        assert_eq!(frame["payload"], serde_json::json!({ "base64": "AAAA", "truncated": true }));
        let message: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
        assert_eq!((&message["base64"], &message["payload_truncated"]), (&"AAAA".into(), &true.into()));
    }
}

fn text_frame(length: u64, payload: &[u8]) -> Frame<'_> {
    let header = FrameHeader {
        fin: true,
        rsv1: false,
        rsv2: false,
        rsv3: false,
        opcode: Opcode::TEXT,
        masking_key: None,
        length_form: LengthForm::minimal(length),
        length,
    };
    let captured = payload.len() as u64;
    let (of, head) = (Opcode::TEXT, &[][..]);
    Frame {
        n: 1,
        offset: 0,
        header,
        head,
        of,
        compressed: false,
        captured,
        missing: 0,
        truncated: false,
        inferred: false,
        payload,
        holes: &[],
    }
}

#[test]
fn lengths_beyond_a_double_are_strings() {
    for (length, json) in [
        ((1 << 53) - 1, Value::from(9_007_199_254_740_991_u64)),
        (1 << 53, Value::from(9_007_199_254_740_992_u64)),
        ((1 << 53) + 1, Value::from("9007199254740993")),
        ((1 << 63) - 1, Value::from("9223372036854775807")),
        (1 << 63, Value::from("9223372036854775808")),
        (u64::MAX, Value::from("18446744073709551615")),
    ] {
        let frame = Frame { truncated: true, ..text_frame(length, b"") };
        assert_eq!(record(9, &unit(Body::Frame(&frame)))["length"], json);
    }
}

#[test]
fn payloads_are_text_only_when_they_are() {
    let payload = |frame: &Frame<'_>, limit| record(limit, &unit(Body::Frame(frame)))["payload"].clone();
    for (bytes, limit, expected) in [
        (
            &b"\"\x00\x1b[31m\xe2\x80\xa8\xe2\x80\xae"[..],
            99,
            serde_json::json!({"text": "\"\0\u{1b}[31m\u{2028}\u{202e}"}),
        ),
        (b"", 99, serde_json::json!({"text": ""})),
        ("häé".as_bytes(), 2, serde_json::json!({"text": "h", "truncated": true})),
        ("häé".as_bytes(), 3, serde_json::json!({"text": "hä", "truncated": true})),
        ("häé".as_bytes(), 0, serde_json::json!({"text": "", "truncated": true})),
        // Surrogates have no place in UTF-8 (RFC 3629 §3), so none can reach a string.
        (b"\xed\xa0\x80", 99, serde_json::json!({"base64": "7aCA"})),
        (b"a\xffb", 2, serde_json::json!({"base64": "Yf8=", "truncated": true})),
        // Half a character, and not because of the limit: another frame holds the rest.
        (b"h\xc3", 99, serde_json::json!({"base64": "aMM="})),
    ] {
        assert_eq!(payload(&text_frame(bytes.len() as u64, bytes), limit), expected);
    }
    let mut compressed = text_frame(3, b"abc");
    compressed.header.rsv1 = true;
    assert_eq!(payload(&compressed, 99), serde_json::json!({"base64": "YWJj"}));
    let binary = Frame { of: Opcode::BINARY, ..text_frame(3, b"abc") };
    assert_eq!(payload(&binary, 99), serde_json::json!({"base64": "YWJj"}));
}

#[test]
fn messages_say_what_became_of_their_content() {
    let whole = Message {
        frame_count: 2000,
        length: 3,
        compressed: true,
        inflated_length: Some(5),
        ..message_of(b"Hello")
    };
    let of = |message: &Message<'_>| record(99, &unit(Body::Message(message)));
    let text = of(&whole);
    assert_eq!(
        (&text["text"], &text["inflated_length"], &text["frame_count"]),
        (&"Hello".into(), &5.into(), &2000.into())
    );
    assert_eq!(of(&Message { inflated_length: None, ..whole })["base64"], "SGVsbG8=");
    assert_eq!(of(&Message { utf8: Utf8::Invalid(2), ..whole })["base64"], "SGVsbG8=");
    assert_eq!(of(&Message { payload_cut: true, ..whole })["payload_truncated"], true);
    let close = |code, reason| Some(CloseBody { code, reason });
    let bye = of(&Message { kind: Opcode::CLOSE, close: close(Some(CloseCode(1000)), b"bye"), ..whole });
    assert_eq!(
        (&bye["code"], &bye["code_name"], &bye["reason"]),
        (&1000.into(), &"Normal Closure".into(), &"bye".into())
    );
    let none = of(&Message { kind: Opcode::CLOSE, close: close(None, b""), ..whole });
    assert_eq!(
        (&none["code"], &none["code_name"], &none["reason"]),
        (&Value::Null, &Value::Null, &"".into())
    );
    let bad = of(&Message { kind: Opcode::CLOSE, close: close(Some(CloseCode(9999)), b"\xff"), ..whole });
    assert_eq!((&bad["code_name"], &bad["reason"]), (&"out of range".into(), &Value::Null));
}

/// The text of an unfragmented message is copied from its frame's; never from another's.
#[test]
fn a_message_has_its_own_text() {
    let text = lines(1 << 16, |talk| {
        talk.frame(Server, "010348656c").frame(Client, "81826162636422 3f").frame(Server, "8003614142");
        talk.frame(Client, "810161").connect(2).frame(Client, "810162");
    });
    let texts: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|record| record["type"] == "message")
        .map(|record| record["text"].clone())
        .collect();
    assert_eq!(texts, ["C]", "HelaAB", "a", "b"]);
}

#[test]
fn connections_end_with_counts() {
    let counts = |frames| Counts { frames, messages: 2, bytes: 1 << 60, payload_bytes: 4 };
    let ending = Box::new(Ending {
        close_code: Some(CloseCode(1001)),
        counts: [counts(3), counts(5)],
        ..Ending::new(EndKind::Fin)
    });
    let more = vec![
        More { rule: finding().rule, blame: Some(Client), count: 12_345_678 },
        More { rule: finding().rule, blame: None, count: 1 },
    ];
    let client = Some(Endpoint::from(([0; 16], 1)));
    let over = Connection { client, ending: Some(ending), more, ..connection() };
    let record = record(9, &unit(Body::Connection(&over)));
    assert_eq!(
        (&record["more_findings"][0]["who"], &record["more_findings"][0]["count"]),
        (&"client".into(), &12_345_678.into())
    );
    assert_eq!(record["more_findings"][1]["who"], Value::Null);
    assert_eq!(record["client"], "[::]:1");
    assert_eq!(
        (&record["final"], &record["end"], &record["close_code"]),
        (&true.into(), &"fin".into(), &1001.into())
    );
    assert_eq!(record["frames"], serde_json::json!({"client": 3, "server": 5}));
    assert_eq!(record["bytes"]["client"], "1152921504606846976");
}

#[test]
fn an_incomplete_input_says_why() {
    let summary = Summary { error: Some("cut in packet 3".into()), ..Summary::default() };
    let record = record(0, &Unit { conn: 0, ..unit(Body::Summary(&summary)) });
    assert_eq!((&record["complete"], &record["error"]), (&false.into(), &"cut in packet 3".into()));
}

#[test]
fn a_record_appears_when_flushed() {
    let mut json = Json::lines(Vec::new(), 9);
    let _ = Talk::new(&mut json).meta();
    assert!(!json.stream.writer.handed_on().contains(&b'\n'));
    json.flush().unwrap();
    assert!(json.stream.writer.handed_on().ends_with(b"\n"));
}
