//! Captures that are compressed, whatever they are called.
use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Exit code, standard output, standard error.
fn decode(args: &[&str], stdin: Stdio) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.current_dir(ROOT).arg("decode").args(args).stdin(stdin).env("LC_ALL", "C.UTF-8");
    let Output { status, stdout, stderr } = command.output().expect("the binary was built");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (status.code().expect("no signal"), text(stdout), text(stderr))
}

/// The records but for the input's name and its size.
fn nameless(lines: &str) -> Vec<Value> {
    let record = |line| {
        let mut record: Value = serde_json::from_str(line).expect("JSON");
        let of_input = record["type"] == "meta" || record["type"] == "summary";
        let keys: &[&str] = if of_input { &["input", "bytes"] } else { &[] };
        for key in keys {
            record.as_object_mut().expect("an object").remove(*key);
        }
        record
    };
    lines.lines().map(record).collect()
}

fn file(name: &str, content: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).expect("there is room");
    path.to_str().expect("a path in UTF-8").to_owned()
}

#[test]
fn compressed_captures_say_what_the_captures_say() {
    let (_, lines, _) = decode(&["-f", "ndjson", "samples/chat.pcap"], Stdio::null());
    let expected = nameless(&lines);
    assert!(expected.len() > 10);
    for ending in ["zst", "xz", "bz2"] {
        let packed = format!("tests/compressed/chat.pcap.{ending}");
        let bytes = fs::read(PathBuf::from(ROOT).join(&packed)).expect("it is there");
        // Its content tells, not its name; and a pipe has none.
        let named_otherwise = file(&format!("{ending}.pcap"), &bytes);
        for name in [&packed, &named_otherwise] {
            let (code, lines, err) = decode(&["-f", "ndjson", name], Stdio::null());
            assert_eq!((code, &*err), (0, ""), "{name}");
            assert!(nameless(&lines) == expected, "{name}");
        }
        let stdin = File::open(&named_otherwise).expect("it was written");
        let (code, lines, err) = decode(&["-f", "ndjson", "-"], stdin.into());
        assert_eq!((code, &*err), (0, ""), "{ending}");
        assert!(nameless(&lines) == expected, "{ending}");

        // Of what is cut all that is there is shown.
        let cut = file(&format!("cut.{ending}"), &bytes[..bytes.len() - 2]);
        let (code, lines, err) = decode(&["-f", "ndjson", &cut], Stdio::null());
        assert_eq!(code, 2, "{ending}");
        let (all, program) = (nameless(&lines), if ending == "zst" { "zstd" } else { ending });
        let program = if program == "bz2" { "bzip2" } else { program };
        assert!(err.contains(&format!("the {program} data at byte")), "{err}");
        assert!(all.iter().filter(|record| record["type"] == "frame").count() > 5, "{ending}: {}", all.len());
    }
}

#[test]
fn hex_may_be_compressed_too() {
    // A frame that is to be skipped, then what zstd makes of 810548656c6c6f.
    let zstd = b"\x50\x2A\x4D\x18\x01\0\0\0x\x28\xB5\x2F\xFD\x20\x0E\x71\0\0810548656c6c6f";
    let (code, shown, err) = decode(&["-v", "messages", &file("hex.zst", zstd)], Stdio::null());
    assert_eq!((code, &*err), (0, ""));
    assert!(shown.contains("Hello"), "{shown}");
}
