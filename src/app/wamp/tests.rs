use std::fmt::Write as _;

use super::encoding::{Encoding, MESSAGE_PACK};
use super::session::Wamp;
use super::{FIELDS, RULES};
use crate::app::dialect::{Decoder, Said};
use crate::model::{App, Dir, Finding, Time, Value};

const HELLO: (Dir, &str) = (Dir::Client, r#"[1,"realm1",{"roles":{"caller":{},"callee":{}}}]"#);
const WELCOME: (Dir, &str) = (Dir::Server, r#"[2,4580268554656113,{"roles":{"broker":{},"dealer":{}}}]"#);

/// What each message of a connection is taken for, and the rules that are broken.
fn read(messages: &[(Dir, &str)]) -> (Vec<String>, Vec<&'static str>) {
    let (mut wamp, mut found, mut lines) = (Wamp::new(Encoding::Json), Vec::new(), Vec::new());
    for (i, (dir, wire)) in messages.iter().enumerate() {
        let said = Said {
            time: Some(Time(i as u64 * 1_000_000)),
            ..Said::sample(*dir, i as u64 + 1, true, wire.as_bytes())
        };
        lines.push(wamp.read(&said, &mut found).map_or("-".into(), line));
    }
    (lines, ids(&found))
}

fn line(app: App) -> String {
    let mut line = app.summary.to_string();
    if let Some(answer) = app.answers {
        let _ = write!(line, " <- {} after {} ms", answer.what, answer.after.unwrap_or_default() / 1_000_000);
    }
    line
}

fn ids(found: &[Finding]) -> Vec<&'static str> {
    found.iter().map(|finding| finding.rule.id).collect()
}

/// As [`read`], of a session that is open.
fn open(messages: &[(Dir, &str)]) -> (Vec<String>, Vec<&'static str>) {
    let (lines, found) = read(&[&[HELLO, WELCOME], messages].concat());
    (lines[2..].to_vec(), found)
}

use Dir::{Client, Server};

#[test]
fn answers_are_tied_to_their_requests() {
    let (lines, found) = open(&[
        (Client, r#"[48,1,{},"com.myapp.add2",[23,7]]"#),
        (Client, r#"[48,2,{"receive_progress":true},"com.myapp.list"]"#),
        (Server, r#"[50,2,{"progress":true},[1]]"#),
        (Server, r"[50,1,{},[30]]"),
        (Server, r"[50,2,{}]"),
        (Client, r#"[48,3,{},"com.myapp.divide",[1,0]]"#),
        (Server, r#"[8,48,3,{},"com.myapp.error.by_zero",["no"],{}]"#),
        (Client, r#"[6,{},"wamp.close.normal"]"#),
        (Server, r#"[6,{},"wamp.close.goodbye_and_out"]"#),
    ]);
    assert_eq!(
        lines,
        [
            "CALL 1 com.myapp.add2",
            "CALL 2 com.myapp.list",
            "RESULT 2 <- CALL com.myapp.list after 1 ms",
            "RESULT 1 <- CALL com.myapp.add2 after 3 ms",
            "RESULT 2 <- CALL com.myapp.list after 3 ms",
            "CALL 3 com.myapp.divide",
            "ERROR CALL 3 com.myapp.error.by_zero <- CALL com.myapp.divide after 1 ms",
            "GOODBYE wamp.close.normal",
            "GOODBYE wamp.close.goodbye_and_out <- GOODBYE wamp.close.normal after 1 ms",
        ]
    );
    assert_eq!(found, [""; 0]);
}

#[test]
fn events_and_invocations_go_by_the_name_behind_their_number() {
    let (lines, found) = open(&[
        (Client, r#"[32,1,{},"com.myapp.news"]"#),
        (Server, r"[33,1,5512315355]"),
        (Server, r#"[36,5512315355,4429313566,{},["hello"]]"#),
        (Client, r#"[64,2,{},"com.myapp.add2"]"#),
        (Server, r"[65,2,2103333224]"),
        (Server, r"[68,1,2103333224,{},[23,7]]"),
        (Client, r"[70,1,{},[30]]"),
        (Client, r#"[16,3,{"acknowledge":true},"com.myapp.news",[1]]"#),
        (Server, r"[17,3,4429313567]"),
        (Client, r#"[16,4,{},"com.myapp.news"]"#),
        (Client, r"[34,5,5512315355]"),
        (Server, r"[35,5]"),
        (Client, r"[66,6,2103333224]"),
        (Server, r"[67,6]"),
        (Server, r#"[35,0,{"subscription":7}]"#),
        (Server, r"[36,9,1,{}]"),
    ]);
    assert_eq!(
        lines,
        [
            "SUBSCRIBE 1 com.myapp.news",
            "SUBSCRIBED 1, subscription 5512315355 <- SUBSCRIBE com.myapp.news after 1 ms",
            "EVENT com.myapp.news, publication 4429313566",
            "REGISTER 2 com.myapp.add2",
            "REGISTERED 2, registration 2103333224 <- REGISTER com.myapp.add2 after 1 ms",
            "INVOCATION 1 com.myapp.add2",
            "YIELD 1 <- INVOCATION com.myapp.add2 after 1 ms",
            "PUBLISH 3 com.myapp.news",
            "PUBLISHED 3, publication 4429313567 <- PUBLISH com.myapp.news after 1 ms",
            "PUBLISH 4 com.myapp.news",
            "UNSUBSCRIBE 5 com.myapp.news",
            "UNSUBSCRIBED 5 <- UNSUBSCRIBE com.myapp.news after 1 ms",
            "UNREGISTER 6 com.myapp.add2",
            "UNREGISTERED 6 <- UNREGISTER com.myapp.add2 after 1 ms",
            "UNSUBSCRIBED 0",
            "EVENT, subscription 9, publication 1",
        ]
    );
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_client_may_have_to_prove_who_it_is() {
    let (lines, found) = read(&[
        HELLO,
        (Server, r#"[4,"wampcra",{"challenge":"{}"}]"#),
        (Client, r#"[5,"gir1mSx+deCDUV7wRM5SGIn/+R/ClqLZuH4m7FJeBVI=",{}]"#),
        WELCOME,
    ]);
    assert_eq!(
        lines,
        [
            "HELLO realm1",
            "CHALLENGE",
            "AUTHENTICATE <- CHALLENGE after 1 ms",
            "WELCOME 4580268554656113 <- HELLO realm1 after 3 ms"
        ]
    );
    assert_eq!(found, [""; 0]);
}

#[test]
fn what_is_no_message() {
    for (wire, expected, got, at) in [
        ("hello", "a list in JSON", "expected value", (0, 1)),
        ("{}", "a list in JSON", "something else than a list", (0, 1)),
        ("[]", "a type, and what belongs to it", "an empty list", (0, 2)),
        (r#"["CALL"]"#, "one of WAMP's types as the first element", "\"CALL\"", (1, 6)),
        ("[7]", "one of WAMP's types as the first element", "type 7", (1, 1)),
        ("[48,1,{}]", "CALL with 4 to 6 elements", "3 elements", (0, 9)),
        ("[33,1,2,3]", "SUBSCRIBED with 3 elements", "4 elements", (0, 10)),
        ("[48,0,{},\"a\"]", "CALL with an id, a whole number from 1 to 2^53 as element 2", "0", (4, 1)),
        ("[48,1.5,{},\"a\"]", "CALL with an id, a whole number from 1 to 2^53 as element 2", "1.5", (4, 3)),
        ("[48,1,null,\"a\"]", "CALL with a dictionary as element 3", "null", (6, 4)),
        ("[48,1,{},7]", "CALL with a URI, a string as element 4", "7", (9, 1)),
        ("[48,1,{},\"a\",{}]", "CALL with a list of arguments as element 5", "{}", (13, 2)),
    ] {
        let mut found = Vec::new();
        let said = Said::sample(Client, 1, true, wire.as_bytes());
        assert!(Wamp::new(Encoding::Json).read(&said, &mut found).is_none(), "{wire}");
        assert_eq!(ids(&found), ["wamp-bad-message"], "{wire}");
        let finding = &found[0];
        assert_eq!((&*finding.expected.to_string(), &*finding.got.to_string()), (expected, got), "{wire}");
        let span = &finding.spans[0];
        assert_eq!((span.first_byte(), span.end_byte() - span.first_byte()), at, "{wire}");
    }
    let mut found = Vec::new();
    let said = Said::sample(Client, 1, false, b"[48]");
    assert!(Wamp::new(Encoding::Json).read(&said, &mut found).is_none());
    assert_eq!(found[0].got.to_string(), "a binary message of 4 bytes");
    // Left to implementations, and what newer profiles may add behind.
    assert_eq!(open(&[(Client, "[337,1]")]), (vec!["a message of an extension".to_owned()], vec![]));
}

#[test]
fn what_may_not_come_here() {
    for (messages, expected) in [
        (&[(Client, r#"[48,1,{},"a"]"#)][..], "HELLO as the first message"),
        (&[HELLO, (Client, r#"[48,1,{},"a"]"#)], "WELCOME, CHALLENGE or ABORT, before anything else"),
        (&[HELLO, WELCOME, HELLO], "one HELLO and one WELCOME a session"),
        (&[HELLO, WELCOME, (Server, r#"[48,1,{},"a"]"#)], "messages that a router sends"),
        (&[HELLO, WELCOME, (Client, "[50,1,{}]")], "messages that a client sends"),
        (&[HELLO, WELCOME, (Client, r#"[8,48,1,{},"a"]"#)], "ERROR in answer to an INVOCATION (68)"),
        (
            &[HELLO, WELCOME, (Server, r#"[8,50,1,{},"a"]"#)],
            "ERROR in answer to a request of the client's (16, 32, 34, 48, 64, 66)",
        ),
    ] {
        let (mut wamp, mut found) = (Wamp::new(Encoding::Json), Vec::new());
        for (i, (dir, wire)) in messages.iter().enumerate() {
            let _ = wamp.read(&Said::sample(*dir, i as u64 + 1, true, wire.as_bytes()), &mut found);
        }
        assert_eq!(ids(&found), ["wamp-protocol-error"], "{expected}");
        assert_eq!(found[0].expected.to_string(), expected);
    }
    // One session after the other, and a router that is the client of the WebSocket.
    let goodbye = |dir| (dir, r#"[6,{},"wamp.close.normal"]"#);
    assert_eq!(read(&[HELLO, WELCOME, goodbye(Client), goodbye(Server), HELLO, WELCOME]).1, [""; 0]);
    let call = (Server, r#"[48,1,{},"a"]"#);
    assert_eq!(read(&[(Server, HELLO.1), (Client, WELCOME.1), call, (Client, "[50,1,{}]")]).1, [""; 0]);
}

#[test]
fn an_answer_needs_a_request() {
    let stray = ["wamp-unexpected-answer"];
    let call = (Client, r#"[48,1,{},"a"]"#);
    assert_eq!(open(&[call, (Server, "[50,2,{}]")]).1, stray);
    assert_eq!(open(&[call, (Server, "[50,1,{}]"), (Server, "[50,1,{}]")]).1, stray);
    assert_eq!(open(&[call, (Server, r#"[8,64,1,{},"x"]"#)]).1, stray);
    assert_eq!(open(&[(Client, "[70,1,{}]")]).1, stray);
    // What is not acknowledged is not remembered; what could not be read may have been the request.
    assert_eq!(open(&[(Client, r#"[16,1,{},"a"]"#), (Server, r#"[8,16,1,{},"x"]"#)]).1, [""; 0]);
    assert_eq!(open(&[(Client, "[48,1,{}]"), (Server, r#"[8,48,1,{},"x"]"#)]).1, ["wamp-bad-message"]);
    // A call that is cancelled fails once, however late the cancelling comes.
    let cancel = (Client, r"[49,1,{}]");
    let canceled = (Server, r#"[8,48,1,{},"wamp.error.canceled"]"#);
    assert_eq!(open(&[call, cancel, canceled]).1, [""; 0]);
    assert_eq!(open(&[call, (Server, "[50,1,{}]"), cancel, (Server, r#"[8,49,1,{},"x"]"#)]).1, [""; 0]);
}

#[test]
fn behind_a_hole_nobody_knows_what_was_asked() {
    let (mut wamp, mut found) = (Wamp::new(Encoding::Json), Vec::new());
    let mut say = |wamp: &mut Wamp, m, (dir, wire): (Dir, &str)| {
        let app = wamp.read(&Said::sample(dir, m, true, wire.as_bytes()), &mut found);
        (app.map(line), ids(&found))
    };
    say(&mut wamp, 1, HELLO);
    say(&mut wamp, 2, WELCOME);
    wamp.lost(Client);
    assert_eq!(say(&mut wamp, 3, (Server, "[50,1,{}]")), (Some("RESULT 1".into()), vec![]));
    // What is asked from then on is known.
    say(&mut wamp, 4, (Client, r#"[48,7,{},"a"]"#));
    let answered = say(&mut wamp, 5, (Server, "[50,7,{}]"));
    assert_eq!(answered, (Some("RESULT 7 <- CALL a after 0 ms".into()), vec![]));
    // A new session is whole.
    say(&mut wamp, 6, HELLO);
    say(&mut wamp, 7, WELCOME);
    assert_eq!(say(&mut wamp, 8, (Server, "[50,9,{}]")).1, ["wamp-unexpected-answer"]);
}

#[test]
fn refusals_are_the_routers_and_errors_the_applications() {
    let call = (Client, r#"[48,1,{},"a"]"#);
    for (answer, rules) in [
        (r#"[8,48,1,{},"wamp.error.no_such_procedure",["no callee registered for procedure <a>"]]"#, true),
        (r#"[8,48,1,{},"wamp.error.not_authorized"]"#, true),
        (r#"[8,48,1,{},"wamp.error.runtime_error"]"#, false),
        (r#"[8,48,1,{},"wamp.error.invalid_argument"]"#, false),
        (r#"[8,48,1,{},"com.myapp.error.empty"]"#, false),
    ] {
        assert_eq!(open(&[call, (Server, answer)]).1.len(), usize::from(rules), "{answer}");
    }
    let abort = (Server, r#"[3,{"message":"no realm <x>"},"wamp.error.no_such_realm"]"#);
    let (lines, found) = read(&[HELLO, abort]);
    assert_eq!(lines[1], "ABORT wamp.error.no_such_realm <- HELLO realm1 after 1 ms");
    assert_eq!(found, ["wamp-refused"]);
}

#[test]
fn message_pack_says_the_same() {
    let mut wamp = Wamp::new(MESSAGE_PACK);
    let mut found = Vec::new();
    let mut read = |m, dir, wire: &[u8]| wamp.read(&Said::sample(dir, m, false, wire), &mut found).unwrap();
    assert_eq!(read(1, Client, b"\x93\x01\xa6realm1\x80").summary.to_string(), "HELLO realm1");
    read(2, Server, b"\x93\x02\xcf\0\x10\x45\xC0\0\0\0\x01\x80");
    let publish = read(
        3,
        Client,
        b"\x96\x10\x01\x81\xabacknowledge\xc3\xa1t\x93\x01\xff\xca\x3f\xc0\0\0\x81\x05\xc4\x01\x07",
    );
    assert_eq!(publish.summary.to_string(), "PUBLISH 1 t");
    let values: Vec<_> = publish.fields.iter().map(|field| field.value.clone()).collect();
    assert_eq!(values[1..4], [Value::Number(1), json(r#"{"acknowledge":true}"#), Value::Text("t".into())]);
    assert_eq!(values[4..], [json("[1,-1,1.5]"), json(r#"{"5":"\u0000Bw=="}"#)]);
    let span = &publish.fields[3].span;
    assert_eq!((span.first_byte(), span.end_byte()), (17, 19));
    assert_eq!(
        line(read(4, Server, b"\x93\x11\x01\x2a")),
        "PUBLISHED 1, publication 42 <- PUBLISH t after 0 ms"
    );
    assert_eq!(ids(&found), [""; 0]);
    for (wire, got, at) in [
        (&b"\x80"[..], "something else than a list", 0),
        (b"\x93\x01\xa6rea", "a value that is cut short or malformed", 2),
        (b"\x91\xc1", "a value that is cut short or malformed", 1),
        (b"\x92\x01\xa1\xff", "a value that is cut short or malformed", 2),
        (b"\xdd\xff\xff\xff\xff\x01", "a value that is cut short or malformed", 6),
        (b"\x90\x01", "something behind the list", 1),
    ] {
        let mut found = Vec::new();
        let none = Wamp::new(MESSAGE_PACK).read(&Said::sample(Client, 1, false, wire), &mut found);
        assert!(none.is_none());
        assert_eq!((&*found[0].got.to_string(), found[0].spans[0].first_byte()), (got, at), "{wire:x?}");
    }
}

fn json(text: &str) -> Value {
    Value::Json(text.to_owned())
}

proptest::proptest! {
    #[test]
    fn anything_may_be_sent(messages in proptest::collection::vec((proptest::bool::ANY,
        "\\[[0-9]{1,2}(,[0-9]|,\\{\\}|,\"a\"|,\\[\\]){0,5}\\]|\\PC{0,9}"), 0..9)) {
        let (mut text, mut binary) = (Wamp::new(Encoding::Json), Wamp::new(MESSAGE_PACK));
        let mut found = Vec::new();
        for (m, (by_client, wire)) in messages.iter().enumerate() {
            let dir = if *by_client { Client } else { Server };
            let is_known = |app: App| app.fields.iter().all(|field| FIELDS.contains(&field.def));
            let known = |app: Option<App>| app.is_none_or(is_known);
            assert!(known(text.read(&Said::sample(dir, m as u64, true, wire.as_bytes()), &mut found)));
            assert!(known(binary.read(&Said::sample(dir, m as u64, false, wire.as_bytes()), &mut found)));
        }
        assert!(found.iter().all(|finding| RULES.contains(&finding.rule)));
    }
}
