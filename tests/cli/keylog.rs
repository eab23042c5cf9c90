//! Secrets of TLS that stand in the capture itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What `decode` makes of a capture: standard output and standard error.
fn decode(args: &[&str]) -> (String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("decode").args(args);
    let Output { stdout, stderr, .. } =
        command.env("LC_ALL", "C.UTF-8").env_remove("SSLKEYLOGFILE").output().expect("the binary was built");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (text(stdout), text(stderr))
}

/// The blocks of a pcapng file in which lengths are written in little-endian order.
fn blocks(file: &[u8]) -> Vec<&[u8]> {
    let (mut blocks, mut rest) = (Vec::new(), file);
    while let Some(length) = rest.get(4..8) {
        let length = u32::from_le_bytes(length.try_into().expect("four")) as usize;
        let (block, after) = rest.split_at(length);
        blocks.push(block);
        rest = after;
    }
    blocks
}

const SAMPLE: &str = "samples/tls/tls13-aes128-gcm-dsb.pcapng";

/// Programs that write secrets while they capture have them behind what they are for.
#[test]
fn secrets_behind_everything_else_are_found() {
    let file = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(SAMPLE)).expect("there");
    let mut blocks = blocks(&file);
    let has_secrets = |block: &&[u8]| block[..4] == [10, 0, 0, 0];
    blocks.sort_by_key(has_secrets);
    assert!(blocks.last().is_some_and(has_secrets), "secrets are last");
    let late = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("late.pcapng");
    fs::write(&late, blocks.concat()).expect("there is room");
    let late = late.to_str().expect("a path in UTF-8");
    for (view, of_content) in [("messages", "deciphered with"), ("stats", "Close codes")] {
        let (expected, _) = decode(&["--view", view, SAMPLE]);
        assert!(expected.contains(of_content), "{expected}");
        let (found, trouble) = decode(&["--view", view, late]);
        // The first line has the name of the file.
        let behind_name = |text: &str| text.split_once('\n').map(|(_, behind)| behind.to_owned());
        assert_eq!((behind_name(&found), trouble), (behind_name(&expected), String::new()), "{view}");
    }
    // Another capture of the run has them, too.
    let plain = "samples/tls/tls13-aes128-gcm.pcap";
    let (both, _) = decode(&["--findings", plain, late]);
    assert!(!both.contains("tls-secret-missing"), "{both}");
}

/// What secrets one capture has says nothing about another one; a key log that was given is for both.
#[test]
fn a_capture_without_secrets_beside_one_that_has_some_lacks_none() {
    let other = "samples/tls/tls12-chromium.pcapng";
    let keys = "samples/tls/tls13-node.keys";
    assert!(!decode(&["--findings", SAMPLE, other]).0.contains("tls-secret-missing"));
    assert!(!decode(&["--findings", other, SAMPLE]).0.contains("tls-secret-missing"));
    assert!(decode(&["--findings", "--keylog", keys, SAMPLE, other]).0.contains("tls-secret-missing"));
}

/// A key log is of use although the capture has what stands in it.
#[test]
fn a_key_log_whose_secrets_the_capture_has_is_no_empty_one() {
    let (alone, _) = decode(&["--view", "messages", SAMPLE]);
    let keys = "samples/tls/tls13-aes128-gcm.keys";
    assert_eq!(decode(&["--view", "messages", "--keylog", keys, SAMPLE]), (alone, String::new()));
}

/// A key log of which a part is missing: it is said what it lacks, and not that one is needed.
#[test]
fn a_key_log_that_lacks_some_connections_says_which() {
    let capture = "samples/tls/tls13-resumption.pcap";
    let whole = fs::read_to_string("samples/tls/tls13-resumption.keys").expect("there");
    let random = |line: &str| line.split(' ').nth(1).map(str::to_owned);
    let first = whole.lines().find_map(random).expect("a line");
    let second = whole.lines().filter_map(random).find(|it| *it != first).expect("of another connection");
    let keep = |name: &str, is_kept: &dyn Fn(&str) -> bool| {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let lines: Vec<&str> = whole.lines().filter(|line| is_kept(line)).collect();
        fs::write(&path, lines.join("\n")).expect("there is room");
        path.to_str().expect("a path in UTF-8").to_owned()
    };
    let part = keep("part.keys", &|line| line.contains(&first));
    let (told, _) = decode(&["--keylog", &part, capture]);
    let words = told.split_whitespace().collect::<Vec<_>>().join(" ");
    let lacks = format!("the key log has no secret of client random {}…", &second[..8]);
    assert!(words.contains(&lacks) && !words.contains("with keys"), "{told}");
    let (json, _) = decode(&["--format", "ndjson", "--keylog", &part, capture]);
    let lacks = format!(r#""without_secrets":{{"connections":1,"client_random":"{second}"}}"#);
    assert!(json.contains(&lacks), "{json}");
    // With none at all it is as it was.
    let (told, _) = decode(&[capture]);
    assert!(told.contains("besides: 2 connections") && !told.contains("client random"), "{told}");
    // Of a connection that has some of its secrets the finding says all.
    let some = keep("some.keys", &|line| line.contains(&first) || line.starts_with("CLIENT_HAND"));
    let (told, _) = decode(&["--keylog", &some, capture]);
    assert!(told.contains("tls-secret-missing") && !told.contains("not read"), "{told}");
}
