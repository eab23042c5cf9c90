//! Every command of `docs/serve.md` serves, and so do those of other pages.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::peers::{Ear, Running};

#[test]
fn every_command_of_the_page_serves() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let texts = ["docs/serve.md", "docs/html.md", "README.md"]
        .map(|page| fs::read_to_string(root.join(page)).expect("a page"));
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve-page");
    fs::create_dir_all(&place).expect("a place to work in");
    let commands: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| line.strip_prefix("    wstool serve"))
        // What it does stands behind at least two spaces.
        .map(|rest| rest.split("  ").next().unwrap_or(rest).trim())
        .collect();
    assert!(commands.len() >= 15, "{commands:?}");
    for command in commands {
        let mut shell = Command::new("sh");
        let script = format!("exec \"$0\" serve {command} \"$@\"");
        shell.args(["-c", &script, env!("CARGO_BIN_EXE_wstool")]);
        if !command.contains("--listen") {
            shell.args(["--listen", "127.0.0.1:0"]);
        }
        shell.current_dir(&place).env("WSTOOL_DATA", &place).env("LC_ALL", "C.UTF-8");
        let mut running = Running::start(&mut shell, Ear::Stderr);
        loop {
            let line = running.line();
            // Somebody else may have that port.
            if line.starts_with("listening on ") || line.contains("is in use") {
                break;
            }
            assert!(!line.starts_with("error"), "{command}: {line}");
        }
        if !running.said.contains("is in use") {
            running.interrupt();
            let (status, _) = running.end();
            assert_eq!(status.code(), Some(0), "{command}");
        }
    }
}
