//! Compressed sessions made by an independent implementation, Python's zlib, are
//! inflated to the byte: every window, takeover or none, fragments with pings
//! between, final blocks, several blocks, stored blocks, empty messages.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use sha1::{Digest, Sha1};
use wstool::model::{Body, Dir, Flow, ON, Sink, Unit, Wants};
use wstool::{http, input, pipeline};

const SESSIONS: &str = "2000";

/// The messages of each connection and direction, in order: opcode, length, digest.
type Messages = BTreeMap<(u32, &'static str), Vec<(u8, u64, String)>>;

#[derive(Default)]
struct Collect {
    messages: Messages,
    findings: Vec<String>,
}

impl Sink for Collect {
    fn wants(&self) -> Wants {
        Wants { payload: 1 << 20, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        for finding in unit.findings {
            // Small windows are agreed on purpose.
            if *finding.rule != http::PMD_SMALL_WINDOW {
                self.findings.push(format!("{} {}: {}", unit.conn, finding.rule.id, finding.got));
            }
        }
        if let (Body::Message(message), Some(dir)) = (unit.body, unit.dir)
            && !message.kind.is_control()
        {
            let who = if dir == Dir::Client { "client" } else { "server" };
            let length = message.inflated_length.unwrap_or(message.length);
            self.messages.entry((unit.conn, who)).or_default().push((
                message.kind.0,
                length,
                digest(message.payload),
            ));
        }
        ON
    }
}

fn digest(bytes: &[u8]) -> String {
    wstool::http::accept::hex(&Sha1::digest(bytes))
}

#[test]
fn every_message_of_two_thousand_sessions_is_equal() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (pcap, expected) = (folder.join("deflate.pcap"), folder.join("deflate.txt"));
    let made = Command::new("python3")
        .arg(root.join("tests/peers/deflate_sessions.py"))
        .args([SESSIONS, "7692"])
        .args([&pcap, &expected])
        .status();
    match made {
        Ok(status) => assert!(status.success(), "the generator failed: {status}"),
        Err(e) => {
            eprintln!("skipped: python3 cannot be run here ({e})");
            return;
        }
    }
    let mut wanted = Messages::new();
    for line in fs::read_to_string(&expected).unwrap().lines() {
        let [number, who, opcode, length, digest] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let who = if who == "client" { "client" } else { "server" };
        wanted.entry((number.parse().unwrap(), who)).or_default().push((
            opcode.parse().unwrap(),
            length.parse().unwrap(),
            digest.to_owned(),
        ));
    }
    let input = input::open(Box::new(File::open(&pcap).unwrap()), "deflate.pcap").unwrap();
    let mut seen = Collect::default();
    let outcome = pipeline::run(input, &mut seen, &mut |_| {});
    assert!(outcome.error.is_none());
    assert_eq!(seen.findings, [""; 0]);
    assert_eq!(seen.messages.len(), wanted.len());
    for (key, messages) in &wanted {
        assert_eq!(seen.messages.get(key), Some(messages), "connection {} {}", key.0, key.1);
    }
}
