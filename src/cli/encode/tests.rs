use clap::Args as _;

use super::*;

/// A capture for tests: the file header and record headers of classic pcap.
fn pcap(out: &mut dyn Write, packets: &mut dyn FnMut(&mut synth::Emit<'_>)) -> io::Result<()> {
    let mut bytes = Vec::new();
    for word in [0xA1B2_3C4Du32, 0x0004_0002, 0, 0, 65_535, 1] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    packets(&mut |time, packet| {
        let length = packet.len() as u32;
        for word in [(time.0 / 1_000_000_000) as u32, (time.0 % 1_000_000_000) as u32, length, length] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(packet);
    });
    out.write_all(&bytes)
}

/// Exit code, standard output and standard error; usage errors of clap have code 64 here.
fn encode(line: &[&str]) -> (u8, Vec<u8>, String) {
    let command = Args::augment_args(clap::Command::new("encode").no_binary_name(true));
    let matches = match command.try_get_matches_from(line) {
        Ok(matches) => matches,
        Err(error) => return (64, Vec::new(), error.to_string()),
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = run(&matches, Lang::En, &mut out, &mut err, pcap).unwrap();
    (code, out, String::from_utf8(err).unwrap())
}

fn text(line: &[&str]) -> String {
    let (code, out, err) = encode(line);
    assert_eq!((code, err.as_str()), (0, ""), "{line:?}");
    String::from_utf8(out).unwrap()
}

#[test]
fn the_examples_of_the_rfc() {
    assert_eq!(
        text(&["--text", "Hello", "--from", "server"]),
        "# text, 5 bytes: \"Hello\"\n81 05 48 65 6c 6c 6f\n"
    );
    assert_eq!(
        text(&["--text", "Hello", "--mask", "37fa213d"]),
        "# text, masked with 37fa213d, 5 bytes: \"Hello\"\n81 85 37 fa 21 3d 7f 9f 4d 51 58\n"
    );
    assert_eq!(
        text(&["--text", "Hello", "--mask", "none", "--fragment", "3"]),
        "# text, FIN 0, 3 bytes: \"Hel\"\n01 03 48 65 6c\n# continuation, 2 bytes: \"lo\"\n80 02 6c 6f\n"
    );
    assert_eq!(
        text(&["--ping", "Hello", "--mask", "none"]),
        "# ping, 5 bytes: \"Hello\"\n89 05 48 65 6c 6c 6f\n"
    );
}

#[test]
fn messages_keep_the_order_of_their_options() {
    let out = text(&[
        "--mask",
        "none",
        "--close",
        "1000",
        "--reason",
        "bye",
        "--ping",
        "--text",
        "a",
        "--binary",
        "00ff",
        "--text",
        "b",
        "--close-empty",
        "--pong",
        "p",
        "--close",
        "4000",
        "--close-empty",
    ]);
    let bytes: Vec<&str> = out.lines().filter(|line| !line.starts_with('#')).collect();
    let expected = [
        "88 05 03 e8 62 79 65",
        "89 00",
        "81 01 61",
        "82 02 00 ff",
        "81 01 62",
        "88 00",
        "8a 01 70",
        "88 02 0f a0",
        "88 00",
    ];
    assert_eq!(bytes, expected);
}

#[test]
fn deliberate_errors_are_written_and_described() {
    let cases: &[(&[&str], &str)] = &[
        (&["--rsv", "1", "--rsv", "3"], "# text, RSV1 1, RSV3 1, 2 bytes: \"Hi\"\nd1 02 48 69\n"),
        (&["--opcode", "0xb"], "# reserved opcode 0xb, 2 bytes: \"Hi\"\n8b 02 48 69\n"),
        (&["--length-form", "16"], "# text, 2 bytes, length in 16 bits: \"Hi\"\n81 7e 00 02 48 69\n"),
        (
            &["--length", "0x8000000000000000"],
            "# text, 2 bytes, declared as 9223372036854775808: \"Hi\"\n81 7f 80 00 00 00 00 00 00 00 48 69\n",
        ),
        (&["--no-fin"], "# text, FIN 0, 2 bytes: \"Hi\"\n01 02 48 69\n"),
        (&["--bad-utf8"], "# text, 2 bytes: \"H\u{FFFD}\"\n81 02 48 ff\n"),
        (&["--bad-utf8=0"], "# text, 2 bytes: \"\u{FFFD}i\"\n81 02 ff 69\n"),
    ];
    for (options, expected) in cases {
        assert_eq!(text(&[&["--text", "Hi", "--mask", "none"], *options].concat()), *expected);
    }
}

#[test]
fn what_cannot_be_meant_is_refused_in_one_line() {
    let long = "r".repeat(124);
    let cases: &[(&[&str], &str)] = &[
        (&[], "nothing to encode: give --text, "),
        (&["--close", "1005"], "close code 1005 is never sent in a Close frame (RFC 6455 §7.4.1); --force "),
        (&["--close", "999"], "close code 999 is not used; codes are 1000 to 4999"),
        (&["--close", "5000"], "close code 5000 is out of range; codes are 1000 to 4999"),
        (&["--close", "1000", "--reason", &long], "the reason has 124 bytes; a Close frame has room for 123"),
        (&["--ping", &"p".repeat(126)], "the ping has 126 bytes; a control frame has room for 125"),
        (&["--text", "x", "--reason", "y"], "--reason belongs after the --close CODE that it explains"),
        (&["--ping", "--fragment", "1"], "control frames must not be fragmented"),
        (&["--binary", "xyz"], "xyz: neither a file nor hex such as 00ff"),
        (&["--text", "abc", "--bad-utf8=9"], "--bad-utf8=9: the text has 3 bytes of text, and the first is"),
        (&["--script", "/nonexistent"], "/nonexistent: "),
    ];
    for (line, expected) in cases {
        let (code, out, err) = encode(line);
        assert_eq!((code, out.len(), err.lines().count()), (2, 0, 1), "{line:?}: {err}");
        assert!(err.starts_with(&format!("error: {expected}")), "{line:?}: {err}");
    }
    for line in [&["--mask", "red"][..], &["--opcode", "16"], &["--rsv", "4"], &["--fragment", "0"]] {
        assert_eq!(encode(line).0, 64, "{line:?}");
    }
    let long = format!("{long}r");
    assert!(text(&["--close", "1006", "--reason", &long, "--force"]).contains("1006 Abnormal Closure"));
}

#[test]
fn other_forms() {
    assert_eq!(
        text(&["--text", "*/ Hello, you", "--from", "server", "--c-array"]),
        "/* text, 13 bytes */\nstatic const unsigned char frame_1[15] = {\n    \
         0x81, 0x0d, 0x2a, 0x2f, 0x20, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x2c, 0x20,\n    0x79, 0x6f, 0x75,\n};\n"
    );
    assert_eq!(encode(&["--text", "\u{1b}[2J", "--mask", "none", "--raw"]).1, b"\x81\x04\x1b[2J");
    let shown = text(&["--text", "\u{1b}[2J\u{202E}", "--mask", "none"]);
    assert!(shown.starts_with("# text, 7 bytes: \"\\u{1b}[2J\\u{202e}\"\n"), "{shown}");
}

#[test]
fn a_script_shows_who_sends_what() {
    let path = std::env::temp_dir().join(format!("wstool-encode-{}.ws", std::process::id()));
    fs::write(&path, "client text \"Hi\" mask=none\nserver raw 8100 # as it is\n").unwrap();
    let script = ["--script", path.to_str().unwrap()];
    let both = text(&script);
    let server = text(&[&script[..], &["--from", "server"]].concat());
    let raw = encode(&[&script[..], &["--from", "server", "--raw"]].concat());
    let refused = encode(&[&script[..], &["--raw"]].concat());
    fs::write(&path, "client\n  shout\n").unwrap();
    let wrong = encode(&script);
    fs::remove_file(&path).unwrap();
    assert_eq!(
        both,
        "# client: text, 2 bytes: \"Hi\"\n> 81 02 48 69\n# server: 2 bytes as they are\n< 81 00\n"
    );
    assert_eq!(server, "# 2 bytes as they are\n81 00\n");
    assert_eq!((raw.0, &raw.1[..]), (0, &[0x81, 0x00][..]));
    assert!(refused.0 == 2 && refused.2.contains("--from client or --from server"));
    assert!(wrong.0 == 2 && wrong.2.contains(".ws:1:1: the line ends too early"), "{}", wrong.2);
}

#[test]
fn a_script_without_frames_says_what_there_was_to_encode() {
    let folder = std::env::temp_dir().join(format!("wstool-encode-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let told = |script: &str, options: &[&str]| {
        let path = folder.join("a.script");
        fs::write(&path, script).unwrap();
        let (code, out, err) = encode(&[&["--script", path.to_str().unwrap()], options].concat());
        (code, out.len(), err)
    };
    let handshake = "request\nresponse\n";
    let (code, written, err) = told(handshake, &[]);
    assert_eq!((code, written), (2, 0));
    assert_eq!(
        err,
        "error: nothing to encode: the script sends no frames; --pcap FILE writes what else it says\n"
    );
    let (code, written, err) =
        told(&format!("{handshake}client text \"Hi\"\n"), &["--from", "server", "--raw"]);
    assert_eq!((code, written), (2, 0));
    assert!(err.contains("the server sends no frames; --from client "), "{err}");
    // A capture has the handshake too.
    let (code, written, err) = told(handshake, &["--pcap", "-"]);
    assert!(code == 0 && written > 500 && err.is_empty(), "{err}");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_script_reference_is_at_hand() {
    assert!(text(&["--script-help"]).starts_with("# Conversation scripts\n"));
}

#[test]
fn keys_are_fresh_unless_seeded() {
    let line = ["--text", "Hello", "--seed", "7"];
    assert_eq!(text(&line), text(&line));
    assert_ne!(text(&line[..2]), text(&line[..2]));
    assert_eq!(encode(&["--pcap", "-", "--seed", "7"]), encode(&["--pcap", "-", "--seed", "7"]));
}

#[test]
fn a_capture_is_a_whole_conversation() {
    let (code, bytes, _) = encode(&["--text", "Hi", "--ping", "x", "--pcap", "-", "--seed", "7"]);
    assert_eq!((code, &bytes[..4]), (0, &[0x4D, 0x3C, 0xB2, 0xA1][..]));
    let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(has(b"GET / HTTP/1.1\r\n") && has(b"HTTP/1.1 101 "));
    assert!(has(b"\x8A\x01x"), "the server answers the ping");
    assert!(has(b"\x88\x02\x03\xE8"), "and the closing handshake");
}
