//! What docs/proxy.md says to type does what it says.
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

use wstool::lab::fault::NAMES;

use super::client::Client;
use super::{Proxy, command, folder, server};
use crate::peers::Peer;

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/proxy.md");
    std::fs::read_to_string(path).expect("a page in UTF-8")
}

/// Each command of the page runs, before a server that is there instead of the one that is named, and passes
/// a message on.
#[test]
fn every_command_runs() {
    let page = page();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let others =
        ["docs/html.md", "README.md"].map(|page| std::fs::read_to_string(root.join(page)).expect("a page"));
    let pages = others.iter().chain([&page]);
    let lines = pages.flat_map(|page| page.lines()).filter_map(|line| line.strip_prefix("    wstool proxy"));
    let lines: BTreeSet<&str> =
        lines.map(|line| line.split("   ").next().unwrap_or_default().trim()).collect();
    assert!(lines.len() >= 16, "{lines:?}");
    let Some((_server, port)) = server(Peer::Ws) else { return };
    let behind = Proxy::start(&["--tls", "--to", &format!("ws://127.0.0.1:{port}"), "--view", "none"]);
    let place = folder("docs");
    let rules = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("rules");
    std::fs::write(place.join("rules.toml"), rules).expect("a file");
    for line in lines {
        let line = line.replace("ws://127.0.0.1:9000", &format!("ws://127.0.0.1:{port}"));
        let is_secure = line.contains("wss://example.com");
        let line = line.replace("wss://example.com", &format!("wss://{}", behind.address));
        // Who is trusted in the page's place.
        let ca = folder("data").join("authority/ca.pem");
        let mut args: Vec<&str> = line.split_whitespace().collect();
        if is_secure && !args.contains(&"--insecure") {
            args.extend(["--cacert", ca.to_str().expect("UTF-8")]);
        }
        if args == ["--trust"] {
            let output = command(&args).stdin(Stdio::null()).output().expect("it runs");
            assert_eq!(output.status.code(), Some(0), "{line}");
            continue;
        }
        let proxy = Proxy::start_in(&place, &args);
        if args.contains(&"--to") && !args.contains(&"--tls") {
            let mut client = Client::open(&proxy.address);
            client.text("hello");
            // What drops messages need not drop this one.
            if !line.contains("drop") {
                assert_eq!(client.heard(), "1 hello", "{line}");
            }
        }
        let said = proxy.end();
        assert_eq!(said.code, Some(0), "{line}: {}", said.err);
        for file in
            ["talk.pcap", "talk.har", "talk.html", "seen.html"].into_iter().filter(|file| line.contains(file))
        {
            assert!(place.join(file).metadata().expect("written").len() > 500, "{line}");
        }
    }
}

#[test]
fn every_fault_stands_in_the_page() {
    let page = page();
    for (written, _) in NAMES {
        let name = written.split('=').next().expect("a name");
        let row = page.lines().find(|line| {
            line.strip_prefix("| `").is_some_and(|rest| rest.split(['=', '`']).next() == Some(name))
        });
        assert!(row.is_some(), "docs/proxy.md does not say what {name} does");
    }
}
