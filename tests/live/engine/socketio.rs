//! Socket.IO: namespaces, events, acknowledgements, attachments.

use std::time::Duration;

use wstool::lab::engine;
use wstool::lab::engine::Engine;
use wstool::lab::engine::programs::Conformance;
use wstool::lab::engine::settings::Settings;
use wstool::lab::engine::socketio::SocketIo;
use wstool::model::Opcode;

use super::client::Socket;
use super::{Host, calm, conformance, sid};

const POLLING: &str = "/socket.io/?EIO=4&transport=polling";
const WEB_SOCKET: &str = "/socket.io/?EIO=4&transport=websocket";

/// A client that is in the main namespace.
fn joined(host: &Host) -> Socket {
    let mut socket = opened(host);
    socket.text("40");
    assert_eq!(sid(&socket.hear()).len(), 20);
    assert_eq!(socket.hear(), r#"42["auth",{}]"#);
    socket
}

fn opened(host: &Host) -> Socket {
    let mut socket = host.open(WEB_SOCKET);
    assert!(socket.hear().starts_with('0'));
    socket
}

#[test]
fn clients_join_namespaces() {
    let host = conformance();
    for (asked, answered, auth) in [
        ("40", "40{\"sid\":\"", r#"42["auth",{}]"#),
        (r#"40{"token":"123"}"#, "40{\"sid\":\"", r#"42["auth",{"token":"123"}]"#),
        ("40/custom,", "40/custom,{\"sid\":\"", r#"42/custom,["auth",{}]"#),
        (r#"40/custom,{"token":"abc"}"#, "40/custom,{\"sid\":\"", r#"42/custom,["auth",{"token":"abc"}]"#),
    ] {
        let mut socket = opened(&host);
        socket.text(asked);
        let answer = socket.hear();
        assert!(answer.starts_with(answered) && answer.ends_with("\"}"), "{asked}: {answer}");
        assert_eq!(socket.hear(), auth);
    }
    let mut socket = opened(&host);
    socket.text("40/random");
    assert_eq!(socket.hear(), r#"44/random,{"message":"Invalid namespace"}"#);
    socket.text("40");
    assert!(socket.hear().starts_with("40{"), "it may join another");
}

#[test]
fn clients_leave_namespaces() {
    let host = conformance();
    let mut socket = joined(&host);
    socket.text("40/custom");
    assert!(socket.hear().starts_with("40/custom,{"));
    assert_eq!(socket.hear(), r#"42/custom,["auth",{}]"#);
    socket.text("41/custom");
    socket.text(r#"42["message","to the main namespace"]"#);
    assert_eq!(socket.hear(), r#"42["message-back","to the main namespace"]"#);
    socket.text("41");
    socket.text("40");
    assert!(socket.hear().starts_with("40{"), "it may join again");
}

#[test]
fn events_and_acknowledgements_carry_json_and_bytes() {
    let host = conformance();
    let mut socket = joined(&host);
    for (sent, heard) in [
        (r#"42["message",1,"2",{"3":[true]}]"#, r#"42["message-back",1,"2",{"3":[true]}]"#),
        (r#"42["message",{"b":1.0,"a":"\u00e9"}]"#, r#"42["message-back",{"b":1.0,"a":"\u00e9"}]"#),
        (r#"42456["message-with-ack",1,"2",{"3":[false]}]"#, r#"43456[1,"2",{"3":[false]}]"#),
    ] {
        socket.text(sent);
        assert_eq!(socket.hear(), heard);
    }
    let placeholders = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    for (sent, heard) in [
        (format!(r#"452-["message",{placeholders}]"#), format!(r#"452-["message-back",{placeholders}]"#)),
        (format!(r#"452-789["message-with-ack",{placeholders}]"#), format!("462-789[{placeholders}]")),
    ] {
        socket.text(&sent);
        socket.frame(Opcode::BINARY, &[1, 2, 3]);
        socket.frame(Opcode::BINARY, &[4, 5, 6]);
        assert_eq!(socket.hear(), heard);
        assert_eq!((socket.hear_bytes(), socket.hear_bytes()), (vec![1, 2, 3], vec![4, 5, 6]));
    }
}

#[test]
fn attachments_may_come_in_another_request() {
    let host = conformance();
    let target = format!("{POLLING}&sid={}", host.begin("/socket.io/?EIO=4"));
    host.ask(&format!("POST {target}"), "40");
    let answer = host.ask(&format!("GET {target}"), "").text();
    assert!(answer.starts_with("40{") && answer.ends_with("\x1e42[\"auth\",{}]"), "{answer}");
    let packet = r#"451-["message",{"_placeholder":true,"num":0}]"#;
    host.ask(&format!("POST {target}"), packet);
    host.ask(&format!("POST {target}"), "bAQIDBA==");
    let heard = host.ask(&format!("GET {target}"), "").text();
    assert_eq!(heard, format!("{}\x1ebAQIDBA==", packet.replace("message", "message-back")));
}

#[test]
fn what_is_wrong_ends_the_connection() {
    let host = conformance();
    for wrong in [
        "4abc",
        "42{}",
        r#"42abc["message-with-ack",1,"2",{"3":[false]}]"#,
        r#"42["disconnect"]"#,
        "42[{}]",
        "40",
        "44{}",
        r#"42/custom,["message","before it joined"]"#,
        r#"451["message"]"#,
        r#"45300-["message"]"#,
    ] {
        let mut socket = joined(&host);
        socket.text(wrong);
        assert_eq!(socket.closed(), Some(Vec::new()), "{wrong}");
    }
    let mut socket = joined(&host);
    socket.frame(Opcode::BINARY, b"unasked");
    assert_eq!(socket.closed(), Some(Vec::new()));
    let mut socket = joined(&host);
    socket.text(r#"451-["message",{"_placeholder":true,"num":0}]"#);
    socket.text(r#"42["message","too early"]"#);
    assert_eq!(socket.closed(), Some(Vec::new()));
    let mut socket = joined(&host);
    socket.text(r#"451-["message",{"_placeholder":true,"num":1}]"#);
    socket.frame(Opcode::BINARY, b"of another number");
    assert_eq!(socket.closed(), Some(Vec::new()));
    for wrong in ["4abc", r#"42["message","before CONNECT"]"#] {
        let mut socket = opened(&host);
        socket.text(wrong);
        assert_eq!(socket.closed(), Some(Vec::new()), "{wrong}");
    }
}

#[test]
fn who_does_not_join_is_closed() {
    let settings = Settings { connect_timeout: Duration::from_millis(50), ..calm() };
    let host = Host::start(vec![Engine::new(settings, SocketIo::new(Conformance))]);
    let mut silent = opened(&host);
    assert_eq!(silent.closed(), Some(Vec::new()));
}

#[test]
fn old_clients_are_in_the_main_namespace() {
    let host = conformance();
    let opened = host.ask("GET /socket.io/?EIO=3&transport=polling", "");
    let text = opened.text();
    let id = sid(&text);
    let auth = r#"42["auth",{}]"#;
    let expected = format!("}}2:40{}:{auth}", auth.len());
    assert!(text.ends_with(&expected), "{text}");
    assert!(opened.fields.to_lowercase().contains(&format!("set-cookie: io={}", id.to_lowercase())));

    let mut socket = host.open("/socket.io/?EIO=3&transport=websocket");
    assert!(socket.hear().starts_with('0'));
    assert_eq!((socket.hear(), socket.hear()), ("40".to_owned(), r#"42["auth",{}]"#.to_owned()));
    // What a client says of itself stands in the query.
    socket.text("40/custom?token=123,");
    assert_eq!(socket.hear(), "40/custom,");
    assert_eq!(socket.hear(), r#"42/custom,["auth",{"token":"123"}]"#);
    socket.text(r#"42/custom,7["message-with-ack","é"]"#);
    assert_eq!(socket.hear(), r#"43/custom,7["é"]"#);
    socket.text("40/random,");
    assert_eq!(socket.hear(), r#"44/random,"Invalid namespace""#);
    socket.text(r#"451-["message",{"_placeholder":true,"num":0}]"#);
    socket.frame(Opcode::BINARY, &[4, 1, 2]);
    assert_eq!(socket.hear(), r#"451-["message-back",{"_placeholder":true,"num":0}]"#);
    assert_eq!(socket.hear_bytes(), [4, 1, 2]);
}

#[test]
fn the_chat_tells_who_is_online() {
    let host = Host::start(vec![engine::chat(calm())]);
    let enter = || {
        let mut socket = opened(&host);
        socket.text("40");
        assert!(socket.hear().starts_with("40{"));
        let online = socket.hear();
        (socket, online)
    };
    let (mut ann, online) = enter();
    assert_eq!(online, r#"42["online users",[],0]"#);
    ann.text(r#"421["login"," ann "]"#);
    assert_eq!(ann.hear(), r#"42["online users",["ann"],1]"#);
    assert_eq!(ann.hear(), r#"431[{"name":"ann","ok":true,"online":1}]"#);
    let (mut bob, online) = enter();
    assert_eq!(online, r#"42["online users",["ann"],1]"#);
    bob.text(r#"421["login","ann"]"#);
    assert_eq!(bob.hear(), r#"431[{"error":"the name is taken","ok":false}]"#);
    bob.text(r#"422["login",""]"#);
    assert!(bob.hear().starts_with(r#"432[{"error":"a name has 1 to "#));
    bob.text(r#"423["login","bob"]"#);
    assert_eq!(bob.hear(), r#"42["online users",["ann","bob"],2]"#);
    assert_eq!(bob.hear(), r#"433[{"name":"bob","ok":true,"online":2}]"#);
    assert_eq!(ann.hear(), r#"42["user joined","bob",2]"#);
    assert_eq!(ann.hear(), r#"42["online users",["ann","bob"],2]"#);

    // To all others, and not to the one who says it.
    bob.text(r#"424["chat message","hi"]"#);
    assert_eq!(
        (bob.hear(), ann.hear()),
        ("434[1]".to_owned(), r#"42["chat message","hi","bob"]"#.to_owned())
    );
    ann.text(r#"451-["chat message",{"_placeholder":true,"num":0}]"#);
    ann.frame(Opcode::BINARY, b"bytes");
    assert_eq!(bob.hear(), r#"451-["chat message",{"_placeholder":true,"num":0},"ann"]"#);
    assert_eq!(bob.hear_bytes(), b"bytes");

    // Rooms.
    ann.text(r#"425["join","tea"]"#);
    assert_eq!(ann.hear(), r#"435[{"ok":true}]"#);
    bob.text(r#"426["room message","tea","anybody?"]"#);
    assert_eq!(bob.hear(), "436[1]");
    assert_eq!(ann.hear(), r#"42["room message","tea","anybody?","bob"]"#);
    ann.text(r#"427["leave","tea"]"#);
    assert_eq!(ann.hear(), r#"437[{"ok":true}]"#);
    bob.text(r#"428["room message","tea","anybody?"]"#);
    assert_eq!(bob.hear(), "438[0]");
    bob.text(r#"429["join",1]"#);
    assert!(bob.hear().starts_with(r#"439[{"error":"#));

    // A question, which the other acknowledges.
    bob.text(r#"4210["ask","tea?"]"#);
    let question = ann.hear();
    let id = question.strip_prefix("42").and_then(|rest| rest.split_once('[')).expect("an id").0;
    assert_eq!(question, format!(r#"42{id}["question","tea?","bob"]"#));
    ann.text(&format!(r#"43{id}["yes"]"#));
    assert_eq!(bob.hear(), r#"4310[["yes"]]"#);
    // Nothing waits for it twice.
    ann.text(&format!(r#"43{id}["no"]"#));

    // An administrator, who has to say so.
    bob.text("40/admin,");
    assert_eq!(bob.hear(), r#"44/admin,{"message":"Not authorized"}"#);
    bob.text(r#"40/admin,{"token":"admin"}"#);
    assert!(bob.hear().starts_with("40/admin,{"));
    assert_eq!(bob.hear(), r#"42/admin,["online users",["ann","bob"],2]"#);
    bob.text(r#"42/admin,1["kick","ann"]"#);
    assert_eq!(ann.hear(), "41");
    assert_eq!(bob.hear(), r#"42["user left","ann",1]"#);
    assert_eq!(bob.hear(), r#"42["online users",["bob"],1]"#);
    assert_eq!(bob.hear(), "43/admin,1[true]");

    // Who goes is missed.
    let (mut eve, online) = enter();
    assert_eq!(online, r#"42["online users",["bob"],1]"#);
    drop(bob);
    assert_eq!(eve.hear(), r#"42["user left","bob",0]"#);
    assert_eq!(eve.hear(), r#"42["online users",[],0]"#);
}

#[test]
fn who_is_not_ready_misses_what_is_volatile() {
    let host = Host::start(vec![engine::chat(calm())]);
    let target = format!("{POLLING}&sid={}", host.begin("/socket.io/?EIO=4"));
    host.ask(&format!("POST {target}"), "40");
    let mut other = opened(&host);
    other.text("40");
    assert!(other.hear().starts_with("40{"));
    other.hear();
    // No poll waits: it is forgotten, where a message is kept.
    other.text(r#"42["typing"]"#);
    other.text(r#"421["chat message","hi"]"#);
    assert_eq!(other.hear(), "431[1]");
    let heard = host.ask(&format!("GET {target}"), "").text();
    assert!(heard.contains("chat message") && !heard.contains("typing"), "{heard}");
}
