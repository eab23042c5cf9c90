//! What rules in a file do to messages.
use std::path::Path;
use std::process::Command;

use wstool::model::Opcode;

use super::client::Client;
use super::{Proxy, command, folder, server};
use crate::peers::{Peer, Running};

/// A proxy before an echo server with these rules.
fn ruled(name: &str, rules: &str) -> Option<(Running, Proxy)> {
    let (server, port) = server(Peer::Ws)?;
    let file = folder("rules").join(format!("{name}.toml"));
    std::fs::write(&file, rules).expect("a file");
    let to = format!("ws://127.0.0.1:{port}");
    Some((server, Proxy::start(&["--to", &to, "--rules", file.to_str().expect("UTF-8")])))
}

#[test]
fn messages_are_dropped_replaced_and_answered() {
    let rules = r#"
[[rule]]
side = "client"
text = "secret"
drop = true

[[rule]]
side = "client"
regex = 'price (\d+)'
replace = "price ${1}0"

[[rule]]
side = "client"
json = { "$.type" = "login", "$.user.id" = 7 }
answer = ['{"type":"welcome"}', '{"type":"news"}']

[[rule]]
side = "server"
text = "hello"
replace = "HELLO"
times = 1

[[rule]]
opcode = "ping"
drop = true
"#;
    let Some((_server, mut proxy)) = ruled("all", rules) else { return };
    let mut client = Client::open(&proxy.address);
    for (sent, heard) in [
        ("price 7", "1 price 70"),
        ("say hello, hello", "1 say HELLO, HELLO"),
        ("hello again", "1 hello again"),
        (r#"{"type":"login","user":{"id":7}}"#, r#"1 {\"type\":\"welcome\"}"#),
    ] {
        client.text("a secret");
        client.send(Opcode::PING, b"dropped");
        client.text(sent);
        assert_eq!(client.heard(), heard, "{sent}");
    }
    assert_eq!(client.heard(), r#"1 {\"type\":\"news\"}"#);
    client.text(&"long ".repeat(100_000));
    assert_eq!(client.heard().len(), 500_002);
    proxy.note("all.toml:2: the client's text message is dropped");
    proxy.note("all.toml:7: the client's text message is replaced");
    proxy.note("all.toml:12: the client's text message is answered instead");
    let said = proxy.end();
    assert!(said.out.contains("HELLO") && said.out.contains("welcome"), "{}", said.out);
}

#[test]
fn a_message_closes_the_connection() {
    let rules = "[[rule]]\ntext = \"bye\"\nclose = \"4000:told to\"\n";
    let Some((mut server, proxy)) = ruled("close", rules) else { return };
    let mut client = Client::open(&proxy.address);
    client.text("hello");
    assert_eq!(client.heard(), "1 hello");
    client.text("bye");
    assert_eq!(client.heard(), r"8 \x0f\xa0told to");
    client.send(Opcode::CLOSE, b"\x0f\xa0");
    assert_eq!(client.frame().expect("an end, no error"), None);
    assert_eq!((server.line(), server.line()), ("open".to_owned(), "close 4000".to_owned()));
    proxy.end();
}

#[test]
fn socket_io_events_are_known_by_name() {
    let rules = "[[rule]]\nevent = \"chat message\"\nregex = '\"[^\"]*\"\\]'\nreplace = '\"censored\"]'\n";
    let Some((_server, proxy)) = ruled("event", rules) else { return };
    let (mut client, head) = Client::ask_at(&proxy.address, "/socket.io/?EIO=4&transport=websocket", "");
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    // The echo server speaks no Socket.IO, but what comes back is some.
    client.text(r#"0{"sid":"a","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#);
    client.heard();
    for (sent, heard) in [
        (r#"42["other","words"]"#, r#"1 42[\"other\",\"words\"]"#),
        (r#"42["chat message","words"]"#, r#"1 42[\"chat message\",\"censored\"]"#),
    ] {
        client.text(sent);
        assert_eq!(client.heard(), heard);
    }
    proxy.end();
}

#[test]
fn what_is_wrong_in_the_file_is_placed() {
    let file = folder("rules").join("wrong.toml");
    std::fs::write(&file, "[[rule]]\ntext = \"a\"\nregex = \"(\"\ndrop = true\n").expect("a file");
    let file = file.to_str().expect("UTF-8");
    let output = command(&["--to", "ws://a", "--rules", file]).output().expect("it runs");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("wrong.toml: line 3, column 9: `(` is no regular expression"), "{err}");
}

/// Somebody is asked at a terminal.
#[test]
fn messages_wait_for_somebody_s_word() {
    let Some((_server, port)) = server(Peer::Ws) else { return };
    let Some(python) = Peer::Websockets.command("server") else { return };
    let library = python.get_args().nth(1).expect("the libraries").to_owned();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/pause.py");
    let mut command = Command::new("python3");
    command.arg(script).arg(library).args([env!("CARGO_BIN_EXE_wstool"), &port]);
    let output = command.output().expect("python3 runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let why = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said, "changed\nno\n1011 enough\nno upgrade\nexit 0\n", "{why}");
}
