//! The pages of `wstool serve`, opened by Chromium: people chat, and see the wire beside it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::peers::{Ear, Running, seen};

#[test]
fn two_tabs_chat_and_each_sees_its_own_wire() {
    let mut serve = Command::new(env!("CARGO_BIN_EXE_wstool"));
    serve.args(["--lang", "en", "serve", "--listen", "127.0.0.1:0", "--view", "none"]);
    let mut serve = Running::start(&mut serve, Ear::Stderr);
    let address = loop {
        let line = serve.line();
        if let Some((_, rest)) = line.split_once("http://") {
            break format!("http://{}", rest.split(['/', ' ']).next().unwrap_or_default());
        }
    };
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("lab-pages");
    fs::create_dir_all(&folder).expect("there is room");
    let args = [address.as_ref(), folder.as_os_str()];
    let Some(seen) = seen("pages.mjs", args) else { return };
    let has = |place: &str, words: &[&str]| {
        let shown = seen.pointer(place).and_then(Value::as_str);
        let shown = shown.unwrap_or_else(|| panic!("no {place} in {seen:#}"));
        for words in words {
            assert!(shown.contains(words), "{place} has no `{words}`: {shown}");
        }
    };
    has("/start", &["What is served here", "wstool connect ws://127.0.0.1:", "/fragments/5"]);
    has("/chinese", &["这里提供什么", "WebSocket"]);
    for (key, moved) in [("websocket", "/chat?"), ("socketio", "/socket.io/")] {
        let of = |part: &str| format!("/{key}/{part}");
        has(&of("people"), &["Ann", "Bob"]);
        has(&of("log"), &["hello from Bob", "<b>hello</b> from Ann"]);
        // What its own connections carry.
        has(&of("found"), &["hello from Bob"]);
        has(&of("request"), &[moved]);
        has(&of("tip"), &["0x"]);
        assert_eq!(seen[key]["bold"], 0, "text is text");
        assert_eq!(seen[key]["phone"], 400);
    }
    has("/websocket/log", &["onopen", "onmessage"]);
    has("/websocket/left", &["onclose", "code 1000"]);
    let rows = seen["rows"].as_array().expect("a list");
    assert_eq!(rows.len(), 7, "{rows:#?}");
    has("/turned", &["81 05 37 fa"]);
    has("/nonsense", &["zz"]);
    has("/tcp", &["Ann"]);
    has("/lines/log", &["Cid", "Dora", "hello <b>over</b> TCP"]);
    has("/lines/found", &["hello <b>over</b> TCP"]);
    has("/lines/dump", &["68656c6c6f203c62"]);
    has("/lines/wire", &["Dora", "/name Cid"]);
    assert_eq!((&seen["lines"]["bold"], &seen["lines"]["phone"]), (&0.into(), &400.into()));
    let nothing = Value::Array(vec![]);
    let behind = &seen["lines"]["behind"];
    assert_eq!((&behind["logged"], &behind["thrown"]), (&nothing, &nothing), "lines");
    for behind in ["startBehind", "pollingBehind", "groundBehind"] {
        let nothing = Value::Array(vec![]);
        let seen = &seen[behind];
        assert_eq!((&seen["logged"], &seen["thrown"]), (&nothing, &nothing), "{behind}");
    }
    for key in ["websocket", "socketio"] {
        let behind = &seen[key]["behind"];
        let nothing = Value::Array(vec![]);
        assert_eq!((&behind["logged"], &behind["thrown"]), (&nothing, &nothing), "{key}");
    }
}
