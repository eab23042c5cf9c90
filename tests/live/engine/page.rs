//! The commands of `docs/socketio.md` serve, and the reference's client is at home on each.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::peers::{Ear, Peer, Running};

#[test]
fn every_command_of_the_page_serves() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/socketio.md");
    let text = fs::read_to_string(page).expect("a page");
    let commands: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("    wstool serve socketio"))
        // What it does stands behind at least two spaces.
        .map(|rest| rest.split("  ").next().unwrap_or(rest).trim())
        .collect();
    assert!(commands.len() >= 10, "{commands:?}");
    for command in commands {
        let mut shell = Command::new("sh");
        let script = format!("exec \"$0\" serve socketio {command} --listen 127.0.0.1:0");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_wstool")]).env("LC_ALL", "C.UTF-8");
        let mut running = Running::start(&mut shell, Ear::Stderr);
        let address = loop {
            let line = running.line();
            assert!(!line.starts_with("error"), "{command}: {line}");
            if let Some(rest) = line.strip_prefix("listening on ") {
                break rest.split([';', ' ']).next().expect("an address").to_owned();
            }
        };
        // What the suites ask for has no chat, and hearts that beat too fast for a busy machine.
        if command.contains("--conformance") {
            continue;
        }
        let way = if command.contains("--transports websocket") { "websocket" } else { "polling" };
        let Some(mut visit) = Peer::SocketIo.command("engine") else { return };
        let url = format!("http://{address}");
        let visit = Running::start(visit.args(["visit", "4", &url, way]), Ear::Stdout).all();
        assert_eq!(visit, "echo [\"héllo\",\"<010203>\"]\n", "{command}");
    }
}
