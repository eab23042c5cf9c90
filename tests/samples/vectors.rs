//! The examples that RFC 6455 prints, with the values it gives.
//!
//! Those that are traffic are samples too, in `samples/rfc6455/`; what the tool
//! says about them is in the snapshots of `tests/samples/main.rs`. Here the values are
//! held against the RFC one by one.
use serde_json::{Value, json};
use wstool::http::accept::Steps;
use wstool::http::handshake::parse_extensions;
use wstool::http::{KeyProblem, accept_value, check_key};

use crate::shelf::{self, Sample, findings, of, records_of, root};

/// §1.2, the client's half.
const REQUEST: &str = "GET /chat HTTP/1.1\r\n\
    Host: server.example.com\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Origin: http://example.com\r\n\
    Sec-WebSocket-Protocol: chat, superchat\r\n\
    Sec-WebSocket-Version: 13\r\n\r\n";

/// §1.2, the server's half.
const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\
    Sec-WebSocket-Protocol: chat\r\n\r\n";

/// §1.3: the same without a subprotocol.
const BARE_RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn sample(name: &str) -> Vec<u8> {
    Sample::at(&root().join("rfc6455").join(name)).bytes()
}

/// The bytes that hex digits stand for; what follows a `#` on a line does not count.
fn hex(text: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(text).expect("hex is text");
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    let digits: Vec<u32> = lines.flat_map(str::chars).filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()
}

#[test]
fn the_opening_handshake() {
    let both = [REQUEST, RESPONSE].concat();
    assert_eq!(sample("1.2-request.http"), REQUEST.as_bytes());
    assert_eq!(sample("1.2-handshake.http"), both.as_bytes());
    assert_eq!(sample("1.3-response.http"), BARE_RESPONSE.as_bytes());

    let records = records_of(both.as_bytes());
    let heads = of(&records, "http");
    assert_eq!(heads[0]["start_line"], "GET /chat HTTP/1.1");
    assert_eq!(heads[0]["headers"].as_array().map(Vec::len), Some(7));
    assert_eq!(heads[1]["start_line"], "HTTP/1.1 101 Switching Protocols");
    let last = of(&records, "connection").pop().expect("a connection");
    let told = |key: &str| last[key].clone();
    assert_eq!(told("handshake"), "full");
    assert_eq!(told("target"), "/chat");
    assert_eq!(told("status"), 101);
    assert_eq!(told("subprotocol"), "chat");
    assert_eq!(told("extensions"), Value::Null);
    assert_eq!(findings(&records), [""; 0]);

    let records = records_of(BARE_RESPONSE.as_bytes());
    let last = of(&records, "connection").pop().expect("a connection");
    assert_eq!((&last["handshake"], &last["subprotocol"]), (&json!("response-only"), &Value::Null));
    assert_eq!(findings(&records), [""; 0]);
}

/// §1.3 and §4.2.2 give the key, what it is joined to, the digest and the answer.
#[test]
fn the_accept_value() {
    let steps = Steps::of(b"dGhlIHNhbXBsZSBub25jZQ==");
    assert_eq!(steps.decoded.as_deref(), Some(&b"the sample nonce"[..]));
    assert_eq!(steps.joined, "dGhlIHNhbXBsZSBub25jZQ==258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    assert_eq!(steps.digest.to_vec(), hex(b"b37a4f2cc0624f1690f64606cf385945b2bec4ea"));
    assert_eq!(steps.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

/// §4.1 prints the key of the bytes 1 to 16 with a last symbol that is not canonical.
#[test]
fn the_key_of_section_4_1() {
    let printed = b"AQIDBAUGBwgJCgsMDQ4PEC==";
    let bytes: Vec<u8> = (1..=16).collect();
    assert_eq!(Steps::of(printed).decoded, Some(bytes.clone()));
    let Err(KeyProblem::NonCanonical { canonical, .. }) = check_key(printed) else {
        panic!("{:?}", check_key(printed))
    };
    assert_eq!(canonical, "AQIDBAUGBwgJCgsMDQ4PEA==");
    assert_eq!(check_key(canonical.as_bytes()).ok().map(|key| key.to_vec()), Some(bytes));
    // The text is hashed, not the bytes: both are keys, with different answers.
    assert_eq!(accept_value(printed), "OfS0wDaT5NoxF2gqm7Zj2YtetzM=");
    assert_eq!(accept_value(canonical.as_bytes()), "C/0nmHhBztSRGR1CwL6Tf4ZjwpY=");
}

/// §4.4: the versions a server understands, in one header field or in two.
#[test]
fn the_versions_of_section_4_4() {
    let request = REQUEST.replace("Version: 13", "Version: 25");
    let named = [
        "Sec-WebSocket-Version: 13, 8, 7\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Version: 8, 7\r\n",
    ];
    for (versions, expected) in [
        (named[0], &["unsupported-version", "handshake-rejected"][..]),
        (named[1], &["unsupported-version", "handshake-rejected"]),
        ("", &["unsupported-version", "handshake-rejected", "version-rejection-lacks-version"]),
    ] {
        let refusal = format!("HTTP/1.1 400 Bad Request\r\n{versions}Content-Length: 0\r\n\r\n");
        assert_eq!(findings(&records_of((request.clone() + &refusal).as_bytes())), expected, "{versions}");
    }
}

/// §4.1: a proxy is asked for a tunnel, with credentials if it wants any.
#[test]
fn the_proxy_of_section_4_1() {
    let requests = [
        "CONNECT example.com:80 HTTP/1.1\r\nHost: example.com\r\n\r\n",
        "CONNECT example.com:80 HTTP/1.1\r\nHost: example.com\r\n\
         Proxy-authorization: Basic ZWRuYW1vZGU6bm9jYXBlcyE=\r\n\r\n",
    ];
    for connect in requests {
        let quoted = connect.replace('\r', "\\r").replace('\n', "\\n");
        let script = format!(
            "no-handshake\nclient raw \"{quoted}\"\nserver raw \"HTTP/1.1 200 OK\\r\\n\\r\\n\"\n\
             handshake path=/chat\nclient close 1000\nserver close 1000\n"
        );
        let records = records_of(&shelf::capture(&script));
        let heads: Vec<_> = of(&records, "http").iter().map(|head| head["start_line"].clone()).collect();
        assert_eq!(heads[..3], ["CONNECT example.com:80 HTTP/1.1", "HTTP/1.1 200 OK", "GET /chat HTTP/1.1"]);
        assert_eq!(of(&records, "frame").len(), 2, "{connect}");
        assert_eq!(findings(&records), [""; 0], "{connect}");
    }
}

/// §9.1: lists of extensions; several header fields are one list.
#[test]
fn the_extensions_of_section_9_1() {
    let cases = [
        ("foo, bar; baz=2", "foo bar;baz=2"),
        ("deflate-stream", "deflate-stream"),
        (
            "mux; max-channels=4; flow-control, deflate-stream",
            "mux;max-channels=4;flow-control deflate-stream",
        ),
        ("private-extension", "private-extension"),
    ];
    for (value, expected) in cases {
        let (found, fault) = parse_extensions(value.as_bytes());
        assert_eq!(fault, None, "{value}");
        let words = found.iter().map(|extension| {
            let params = extension.params.iter().map(|param| match &param.value {
                Some(value) => format!(";{}={value}", param.name),
                None => format!(";{}", param.name),
            });
            extension.name.to_owned() + &params.collect::<String>()
        });
        assert_eq!(words.collect::<Vec<_>>().join(" "), expected, "{value}");
    }
    let split = REQUEST.replace(
        "\r\n\r\n",
        "\r\nSec-WebSocket-Extensions: foo\r\nSec-WebSocket-Extensions: bar; baz=2\r\n\r\n",
    );
    let joined = REQUEST.replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: foo, bar; baz=2\r\n\r\n");
    assert_eq!(findings(&records_of(split.as_bytes())), findings(&records_of(joined.as_bytes())));
}

/// A frame as §5.7 describes it.
struct Example {
    sample: &'static str,
    /// Its bytes, or the first of them.
    bytes: &'static str,
    /// FIN, opcode, masking key, header's length and payload's length of each frame.
    frames: &'static [(bool, u8, Option<&'static str>, u64, u64)],
    message: &'static str,
}

#[test]
fn the_frames_of_section_5_7() {
    let examples = [
        Example {
            sample: "5.7-text-unmasked.hex",
            bytes: "810548656c6c6f",
            frames: &[(true, 1, None, 2, 5)],
            message: "Hello",
        },
        Example {
            sample: "5.7-text-masked.hex",
            bytes: "818537fa213d7f9f4d5158",
            frames: &[(true, 1, Some("37fa213d"), 6, 5)],
            message: "Hello",
        },
        Example {
            sample: "5.7-text-fragmented.hex",
            bytes: "010348656c80026c6f",
            frames: &[(false, 1, None, 2, 3), (true, 0, None, 2, 2)],
            message: "Hello",
        },
        Example {
            sample: "5.7-ping.hex",
            bytes: "890548656c6c6f",
            frames: &[(true, 9, None, 2, 5)],
            message: "Hello",
        },
        Example {
            sample: "5.7-pong-masked.hex",
            bytes: "8a8537fa213d7f9f4d5158",
            frames: &[(true, 10, Some("37fa213d"), 6, 5)],
            message: "Hello",
        },
    ];
    for example in examples {
        let bytes = hex(example.bytes.as_bytes());
        assert_eq!(hex(&sample(example.sample)), bytes, "{}", example.sample);
        // As hex and as the bytes themselves.
        for records in [records_of(&sample(example.sample)), records_of(&bytes)] {
            check_frames(&records, example.frames);
            let message = of(&records, "message")[0];
            let payload = message["text"].as_str().map(str::to_owned).or_else(|| {
                // What is no text message is told in Base64.
                (message["base64"] == "SGVsbG8=").then(|| "Hello".to_owned())
            });
            assert_eq!(payload.as_deref(), Some(example.message), "{}: {message}", example.sample);
            assert_eq!(findings(&records), [""; 0], "{}", example.sample);
        }
    }
}

fn check_frames(records: &[Value], expected: &[(bool, u8, Option<&str>, u64, u64)]) {
    let frames = of(records, "frame");
    assert_eq!(frames.len(), expected.len(), "{frames:?}");
    for (frame, (fin, opcode, key, header_length, length)) in frames.into_iter().zip(expected) {
        assert_eq!(frame["fin"], *fin, "{frame}");
        for rsv in ["rsv1", "rsv2", "rsv3"] {
            assert_eq!(frame[rsv], false, "{frame}");
        }
        assert_eq!(frame["opcode"], *opcode, "{frame}");
        assert_eq!(frame["masked"], key.is_some(), "{frame}");
        assert_eq!(frame["masking_key"].as_str(), *key, "{frame}");
        assert_eq!(frame["header_length"], *header_length, "{frame}");
        assert_eq!(frame["length"], *length, "{frame}");
        assert_eq!(frame["captured"], *length, "{frame}");
        assert_eq!(frame["truncated"], false, "{frame}");
    }
}

/// §5.7: 256 bytes and 64 KiB of binary data; the RFC leaves open which, here they are zeros.
#[test]
fn the_longer_lengths_of_section_5_7() {
    for (header, length, form, name) in [
        ("827e0100", 256usize, 16, "5.7-256-bytes.hex"),
        ("827f0000000000010000", 65_536, 64, "5.7-64-KiB.bin.gz"),
    ] {
        let mut bytes = hex(header.as_bytes());
        let header_length = bytes.len() as u64;
        bytes.resize(bytes.len() + length, 0);
        if name.ends_with("hex") {
            assert_eq!(hex(&sample(name)), bytes, "{name}");
        }
        for records in [records_of(&bytes), records_of(&sample(name))] {
            check_frames(&records, &[(true, 2, None, header_length, length as u64)]);
            assert_eq!(of(&records, "frame")[0]["length_form"], form, "{name}");
            assert_eq!(of(&records, "message")[0]["length"], length, "{name}");
            assert_eq!(findings(&records), [""; 0], "{name}");
        }
    }
    assert_eq!(hex(&sample("5.7-64-KiB-header.hex")), hex(b"827f0000000000010000"));
}

/// §5.2: "the length of a 124-byte-long string can't be encoded as the sequence 126, 0, 124".
#[test]
fn the_length_that_is_not_minimal() {
    let mut bytes = hex(b"827e007c");
    bytes.resize(4 + 124, 0);
    assert_eq!(hex(&sample("5.2-not-minimal.hex")), bytes);
    let records = records_of(&bytes);
    check_frames(&records, &[(true, 2, None, 4, 124)]);
    assert_eq!(findings(&records), ["non-minimal-length"]);
}
