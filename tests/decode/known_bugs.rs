//! Bugs that other WebSocket programs had, each as an input of ours. Every test
//! names the bug; it went wrong elsewhere and must not here.
//!
//! Each input is run three ways: as pasted bytes, inside a capture, and through
//! every view.
use crate::run::{Pieces, Said, decode, digits, every_view, hex, packets, pcap, read};

/// Runs frames of a client as raw bytes and inside a capture; both must agree.
#[track_caller]
fn client(bytes: &[u8]) -> Said {
    let escaped = digits(bytes, "\\x", "");
    let script = format!("client raw \"{escaped}\"\nserver text \"still here\"\n");
    let file = pcap(&packets(&script));
    let captured = decode(&file);
    assert_eq!(captured.error, None);
    assert!(captured.texts().contains(&"still here"), "the other direction is lost");
    every_view(bytes);
    every_view(&file);
    let pasted = decode(bytes);
    assert_eq!(pasted.error, None);
    captured
}

#[track_caller]
fn client_hex(text: &str) -> Said {
    client(&hex(text))
}

/// The lengths that frames declare, as NDJSON gives them.
fn lengths(said: &Said) -> Vec<String> {
    let of = |frame: &serde_json::Value| {
        frame["length"].as_str().map_or(frame["length"].to_string(), str::to_owned)
    };
    said.of("frame").filter(|f| f["dir"] == "client").map(of).collect()
}

/// Gorilla WebSocket, CVE-2020-27813: a length with the top bit set became negative
/// and slipped past the read limit.
#[test]
fn a_length_with_the_top_bit_set_is_no_negative_number() {
    for (header, length) in
        [("82ffffffffffffffffff00000000", u64::MAX), ("82ff800000000000000000000000", 1 << 63)]
    {
        let said = client_hex(header);
        assert!(said.has("length-high-bit-set"));
        assert_eq!(lengths(&said), [length.to_string()]);
    }
}

/// Tomcat, CVE-2020-13935: such a length on a control frame made an endless loop.
#[test]
fn a_length_with_the_top_bit_set_on_a_ping_ends() {
    for header in ["89fff00000000000000000000000", "81fff00000000000000000000000"] {
        assert!(client_hex(header).has("length-high-bit-set"), "{header}");
    }
    assert!(client_hex("89fff00000000000000000000000").has("control-frame-too-long"));
}

/// undici, CVE-2026-1528: a length of 2^63-1 ended the process.
#[test]
fn the_longest_length_allowed_is_only_a_number() {
    let said = decode(&hex("827f7fffffffffffffff"));
    assert_eq!(said.error, None);
    assert!(!said.has("length-high-bit-set"));
    let frame = said.of("frame").next().expect("a frame");
    assert_eq!((&frame["length"], &frame["truncated"]), (&"9223372036854775807".into(), &true.into()));
    every_view(&hex("827f7fffffffffffffff"));
}

/// noPoll #84: a length byte of 0x80 and above was shifted as a signed number.
#[test]
fn length_bytes_are_not_signed() {
    let said = client_hex("82fe80ff00000000");
    assert_eq!(lengths(&said), ["33023"]);
    assert!(client_hex("827fffffffffffffffff").has("length-high-bit-set"));
}

/// libhv #852: position plus length wrapped around, so the check against the end passed.
#[test]
fn position_plus_length_does_not_wrap() {
    let said = client_hex("817fffffffffffffffff41");
    assert_eq!(lengths(&said), [u64::MAX.to_string()]);
    assert_eq!(
        said.of("frame").filter(|f| f["dir"] == "client").map(|f| &f["captured"]).collect::<Vec<_>>(),
        [&1]
    );
}

/// baresip/re #1584: four bytes of key plus a length just below 2^64 was about 0.
#[test]
fn key_length_plus_payload_length_does_not_wrap() {
    for last in ["fc", "fd", "fe", "ff"] {
        let said = client_hex(&format!("82ffffffffffffffff{last}01020304"));
        assert!(said.has("length-high-bit-set"));
        assert_eq!(lengths(&said), [(u64::MAX - 0xFF + u64::from_str_radix(last, 16).unwrap()).to_string()]);
    }
}

/// 32-bit lengths: 2^32+5 read as 5 would take the next bytes for a payload.
#[test]
fn lengths_are_not_cut_to_32_bits() {
    let said = client_hex("82ff0000000100000005 01020304 8985 01020304 6967696a68");
    assert_eq!(lengths(&said), ["4294967301"]);
    assert_eq!(said.of("frame").filter(|f| f["dir"] == "client").count(), 1);
}

/// websocket-driver, CVE-2026-54466: lengths above 2^53 lost their last digits.
#[test]
fn lengths_above_2_to_the_53_are_exact_in_json() {
    assert_eq!(lengths(&client_hex("82ff0020000000000001 00000000")), ["9007199254740993"]);
    let said = client_hex("82ff001fffffffffffff 00000000");
    let frame = said.of("frame").find(|f| f["dir"] == "client").expect("a frame");
    assert_eq!(frame["length"], 9_007_199_254_740_991_u64);
}

/// libhv #769: a payload that came in parts was unmasked one byte past its end, or with
/// the wrong byte of the key.
#[test]
fn the_key_goes_on_where_it_was() {
    let frame = hex("818b 37fa213d 7f9f4d5158 a7 76 95 53 96 45");
    let whole = decode(&frame);
    let text = whole.of("frame").next().expect("a frame")["payload"].clone();
    for first in 1..frame.len() {
        let said = read(Box::new(Pieces::new(&frame, &[first, 1, 2, 5])));
        assert_eq!(said.of("frame").next().expect("a frame")["payload"], text, "first {first} bytes alone");
        let cut = decode(&frame[..first]);
        assert!(cut.of("frame").all(|f| f["captured"] == first.saturating_sub(6)), "cut after {first} bytes");
    }
}

/// Mongoose, CVE-2025-51495: a last fragment was handled though no message had begun.
#[test]
fn a_last_fragment_without_a_first_is_found() {
    let said = client_hex("808000000000 018000000000 808000000000");
    assert_eq!(said.findings().iter().filter(|id| **id == "unexpected-continuation").count(), 1);
    let empty =
        said.of("message").find(|m| m["dir"] == "client" && m["kind"] == "text").expect("the empty message");
    assert_eq!((&empty["length"], &empty["complete"]), (&0.into(), &true.into()));
}

/// Suricata 8413: a control frame between fragments was taken into the message.
#[test]
fn control_frames_between_fragments_stay_out_of_the_message() {
    let said = client_hex("018200000000 4865  898100000000 21  808300000000 6c6c6f");
    assert!(said.texts().contains(&"Hello"));
    assert!(said.of("message").any(|m| m["kind"] == "ping" && m["length"] == 1));
}

/// Suricata 7025: Close, Ping and Pong had each other's opcodes.
#[test]
fn every_opcode_has_its_name() {
    let names = [
        "continuation",
        "text",
        "binary",
        "reserved",
        "reserved",
        "reserved",
        "reserved",
        "reserved",
        "close",
        "ping",
        "pong",
        "reserved",
        "reserved",
        "reserved",
        "reserved",
        "reserved",
    ];
    for (opcode, name) in names.iter().enumerate() {
        let said = decode(&[0x80 | opcode as u8, 0x80, 1, 2, 3, 4]);
        let frame = said.of("frame").next().expect("a frame");
        assert_eq!((&frame["opcode"], &frame["opcode_name"]), (&opcode.into(), &(*name).into()));
        assert_eq!(said.has("reserved-opcode"), *name == "reserved", "{opcode}");
    }
}

/// Suricata today: RSV1 is taken for compression though nothing was negotiated.
#[test]
fn rsv1_without_an_agreed_extension_is_found() {
    let said = client_hex("c18500000000 f248cdc9c9");
    assert!(said.has("reserved-bit-set"));
}

/// Zeek, 2026-07-06: a too long control frame was cut, and the frames after it were lost.
#[test]
fn decoding_stays_in_step_after_a_too_long_ping() {
    let mut bytes = hex("89fe 0100 00000000");
    bytes.extend([b'x'; 256]);
    bytes.extend(hex("89ff 0000000000000080 00000000"));
    bytes.extend([b'y'; 128]);
    bytes.extend(hex("818200000000 4869"));
    let said = client(&bytes);
    assert_eq!(said.findings().iter().filter(|id| **id == "control-frame-too-long").count(), 2);
    assert!(said.texts().contains(&"Hi"));
}

/// Zeek 5eb380d7: continuation frames were shown with a wrong opcode.
#[test]
fn a_continuation_frame_keeps_its_opcode_and_its_message_its_kind() {
    let said = client_hex("028100000000 41  808100000000 42");
    let opcodes: Vec<_> =
        said.of("frame").filter(|f| f["dir"] == "client").map(|f| f["opcode_name"].clone()).collect();
    assert_eq!(opcodes, ["binary", "continuation"]);
    let message = said.of("message").find(|m| m["dir"] == "client").expect("a message");
    assert_eq!((&message["kind"], &message["base64"]), (&"binary".into(), &"QUI=".into()));
}

/// Wireshark, CVE-2015-3810: the dissector called itself once per frame of a segment.
#[test]
fn thirty_thousand_frames_in_one_segment() {
    let said = decode(&hex("8100").repeat(32_768));
    assert_eq!((said.count("frame"), said.count("message")), (32_768, 32_768));
    let script = "server raw 8100 size=65000 mss=65495\n";
    assert_eq!(decode(&pcap(&packets(script))).count("frame"), 32_500);
}

/// ws, CVE-2026-48779: many tiny fragments cost far more than their bytes.
#[test]
fn a_hundred_thousand_empty_fragments() {
    let mut bytes = hex("0100");
    bytes.extend(hex("0000").repeat(100_000));
    bytes.extend(hex("8002 4869"));
    let said = decode(&bytes);
    assert_eq!(said.count("frame"), 100_002);
    assert_eq!(said.texts(), ["Hi"]);
    let message = said.of("message").next().expect("a message");
    assert_eq!(message["frame_count"], 100_002);
    assert!(message["frames"].as_array().is_some_and(|frames| frames.len() <= 1024));
    assert!(said.has("message-too-large"), "many fragments are worth a note");
}

/// The same with a byte each, carried by segments of one byte.
#[test]
fn fragments_of_one_byte_in_segments_of_one_byte() {
    let said = decode(&pcap(&packets("server text \"ab\" size=2000 fragment=1 mss=1\n")));
    assert_eq!(said.count("frame"), 2000);
    assert_eq!(said.texts(), ["ab".repeat(1000)]);
}

/// ws, CVE-2016-10542: no limit on the size of a message. Here: a note, for large frames.
#[test]
fn a_frame_above_common_limits_is_noted() {
    let said = decode(&hex("827f0000000001000001"));
    assert!(said.has("frame-too-large"));
    assert!(!decode(&hex("827f0000000000ffffff")).has("frame-too-large"));
}

/// tungstenite, CVE-2023-43669: the head was read again from its start with every
/// segment. Five mebibytes in small pieces take minutes that way.
#[test]
fn a_long_head_in_small_pieces_takes_linear_time() {
    let mut head = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();
    while head.len() < 5 << 20 {
        head.extend(b"X-Padding: 0123456789012345678901234567890123456789\r\n");
    }
    let said = read(Box::new(Pieces::new(&head, &[7])));
    assert_eq!(said.error, None);
}

/// ws, CVE-2024-37890: with thousands of headers before it, Upgrade was not seen, and
/// its value used all the same.
#[test]
fn thousands_of_headers_before_upgrade() {
    let many = (0..2500).fold(String::new(), |many, i| many + &format!("header=\"X-{i}: {i}\" "));
    let late = "drop=Upgrade drop=Sec-WebSocket-Key header=\"Upgrade: websocket\" \
                header=\"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\"";
    let script =
        format!("request {many} {late}\nresponse accept=s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\nclient text \"hi\"\n");
    let file = pcap(&packets(&script));
    let said = decode(&file);
    assert_eq!(said.texts(), ["hi"]);
    for headers in [
        "drop=Upgrade",
        "drop=Sec-WebSocket-Key",
        "drop=Upgrade header=\"Upgrade:\"",
        "header=\"Upgrade: websocket\"",
        "header=\"Sec-WebSocket-Key: x\"",
        "drop=Sec-WebSocket-Key header=\"Sec-WebSocket-Key:\"",
    ] {
        let file = pcap(&packets(&format!("request {headers}\nresponse\nclient text \"hi\"\n")));
        every_view(&file);
        assert_eq!(decode(&file).texts(), ["hi"], "{headers}: the server answered 101");
    }
}

/// ws, CVE-2021-32640, and websocket-extensions, CVE-2020-7662 and 7663: lists that are
/// split with backtracking.
#[test]
fn lists_of_headers_are_read_in_linear_time() {
    let lists = [
        format!("Sec-WebSocket-Protocol: b{}x", " ".repeat(65_536)),
        format!("Sec-WebSocket-Extensions: a; b=\\\"{}", "\\\\c".repeat(30_000)),
        format!("Sec-WebSocket-Extensions: {}", "a;".repeat(30_000)),
        format!("Sec-WebSocket-Protocol: {}", ",".repeat(60_000)),
    ];
    for list in lists {
        let file = pcap(&packets(&format!("request header=\"{list}\"\nresponse\nclient text \"hi\"\n")));
        assert_eq!(decode(&file).texts(), ["hi"]);
    }
}

/// undici, CVE-2026-2229: a window size that zlib refuses ended the process.
#[test]
fn window_sizes_out_of_range_are_only_values() {
    for bits in ["0", "7", "16", "99", "08", "", "1e1", "999999999999", "1000"] {
        let extension = format!("\"permessage-deflate; server_max_window_bits={bits}\"");
        let script =
            format!("request extensions={extension}\nresponse extensions={extension}\nclient text \"hi\"\n");
        let file = pcap(&packets(&script));
        assert_eq!(decode(&file).texts(), ["hi"], "{bits}");
        every_view(&file);
    }
}

/// Every byte of a text may be where its frame is cut, and a character in two fragments is whole.
#[test]
fn characters_cut_by_fragments_are_whole() {
    let text = "κόσμε 😀 日本";
    for size in 1..text.len() {
        let said = decode(&pcap(&packets(&format!("client text \"{text}\" fragment={size}\n"))));
        assert_eq!(said.texts(), [text], "fragments of {size}");
        assert!(!said.has("invalid-utf8"));
    }
}
