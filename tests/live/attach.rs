//! `wstool attach`: what a running Chromium tells of its `WebSockets` is what its pages sent and got.

use std::process::Command;

use serde_json::Value;

use crate::peers::{Ear, Running, seen};

fn serve(options: &[&str]) -> (Running, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["--lang", "en", "serve", "--listen", "127.0.0.1:0", "--view", "none"]).args(options);
    command.env("WSTOOL_DATA", concat!(env!("CARGO_TARGET_TMPDIR"), "/attach"));
    let mut serve = Running::start(&mut command, Ear::Stderr);
    loop {
        // Before that it may speak of its certificate.
        let line = serve.line();
        if let Some(rest) = line.strip_prefix("listening on ") {
            let address = rest.split("://").last().unwrap_or(rest);
            let end = address.find(['/', ' ', ';', ',']).unwrap_or(address.len());
            return (serve, address[..end].to_owned());
        }
    }
}

#[test]
fn messages_are_those_of_the_page_and_its_worker() {
    let (_plain, plain) = serve(&[]);
    let (_secure, secure) = serve(&["--tls"]);
    let (plain, secure) = (format!("ws://{plain}"), format!("wss://{secure}"));
    let wstool = env!("CARGO_BIN_EXE_wstool");
    let args = [wstool, &plain, &secure, "--format", "ndjson", "--payload-limit", "all"];
    let Some(seen) = seen("attach.mjs", args) else { return };
    let said = seen["said"].as_str().expect("text");
    assert!(said.contains("watching Chrome/") && said.contains("the browser is gone"), "{said}");
    assert_eq!((&seen["status"], &seen["code"]), (&0.into(), &1000.into()), "{said}");
    let out = seen["out"].as_str().expect("text");
    let records: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(records[0]["format"], "live");
    assert!(records[0]["told_by"].as_str().is_some_and(|by| by.starts_with("Chrome/")), "{}", records[0]);
    // Of whom each connection is.
    let url = |conn: &Value| {
        let of = |it: &&Value| it["type"] == "connection" && it["conn"] == *conn;
        let it = records.iter().rfind(of).expect("a connection");
        let scheme = if it["secure"] == true { "wss" } else { "ws" };
        let word = |key: &str| it[key].as_str().unwrap_or_default();
        format!("{scheme}://{}{}", word("host"), word("target"))
    };
    let mut got: Vec<(String, Value, Value)> = records
        .iter()
        .filter(|record| record["type"] == "message")
        .map(|record| {
            let content = match record["text"].as_str() {
                Some(text) => text.into(),
                None => serde_json::json!({ "base64": record["base64"] }),
            };
            (url(&record["conn"]), record["dir"].clone(), content)
        })
        .collect();
    let log = seen["log"].as_array().expect("a list");
    let mut sent: Vec<(String, Value, Value)> = log
        .iter()
        .map(|it| (it[0].as_str().expect("a URL").to_owned(), it[1].clone(), it[2].clone()))
        .collect();
    assert_eq!(sent.len(), 22);
    // Connections may overlap; each has its own order.
    got.sort_by(|a, b| a.0.cmp(&b.0));
    sent.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(got, sent);
    let rules: Vec<&str> = records
        .iter()
        .filter(|record| record["type"] == "finding")
        .filter_map(|record| record["rule"].as_str())
        .collect();
    // The handshakes are right, but for the one that is refused.
    assert_eq!(rules, ["handshake-rejected", "browser-reports-failure"], "{out}");
    assert!(records.iter().all(|record| record["type"] != "frame"));
}

#[test]
fn pages_are_chosen_by_their_url() {
    let (_plain, plain) = serve(&[]);
    let (plain, wstool) = (format!("ws://{plain}"), env!("CARGO_BIN_EXE_wstool"));
    let args = [wstool, &plain, &plain, "--format", "ndjson", "--url", "no.such.page"];
    let Some(seen) = seen("attach.mjs", args) else { return };
    let out = seen["out"].as_str().expect("text");
    assert!(out.contains("\"type\":\"summary\"") && !out.contains("\"type\":\"message\""), "{out}");
}

#[test]
fn how_a_browser_is_started_is_said_where_none_answers() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("bound").port()
    };
    let attach = |args: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_wstool"))
            .args(["--lang", "en", "attach"])
            .args(args)
            .output()
            .expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, said) = attach(&["--chrome", &port.to_string()]);
    assert_eq!(code, Some(2));
    assert!(said.contains(&format!("nothing answers at 127.0.0.1:{port}")), "{said}");
    assert!(said.contains(&format!("--remote-debugging-port={port} --user-data-dir=")), "{said}");
    let (_serve, address) = serve(&[]);
    let (code, said) = attach(&["--chrome", &address]);
    assert_eq!(code, Some(2));
    assert!(said.contains("is no browser that can be watched") && said.contains("no JSON; start"), "{said}");
    let (code, said) = attach(&["--chrome", "nowhere", "--pcap", "a.pcap"]);
    assert!(code == Some(2) && said.contains("--har"), "{said}");
    let (code, said) = attach(&["--chrome", "nowhere", "--keylog", "keys.log"]);
    assert!(code == Some(2) && said.contains("--ssl-key-log-file"), "{said}");
    assert_eq!(attach(&["--chrome", "nowhere"]).0, Some(2));
}
