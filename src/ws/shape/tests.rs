use super::*;

const HELLO: &[u8] = &[0x81, 0x05, b'H', b'e', b'l', b'l', b'o'];
const MASKED: &[u8] = &[0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];

/// What a segment alone says; `None` if it excludes frames.
fn bits(segment: &[u8]) -> Option<i32> {
    let mut trial = Trial::new(0);
    trial.take(segment, Known::little(None)).then(|| {
        trial.segment_ends(segment.len());
        trial.bits()
    })
}

#[test]
fn frames_have_something_that_speaks_for_them() {
    assert!(bits(HELLO).unwrap() >= limits::EVIDENCE_IF_ALL);
    assert!(bits(MASKED).unwrap() > bits(HELLO).unwrap());
    let one_after_the_other = bits(&[HELLO, HELLO, HELLO].concat()).unwrap();
    assert!(one_after_the_other >= limits::EVIDENCE_MIDWAY, "{one_after_the_other}");
    // Close frames have a code that exists.
    assert!(bits(&[0x88, 2, 0x03, 0xE8]).unwrap() >= limits::EVIDENCE_IF_ALL);
    // However it is cut, the same.
    for cut in 0..MASKED.len() {
        let mut trial = Trial::new(0);
        let known = Known::little(None);
        assert!(trial.take(&MASKED[..cut], known) && trial.take(&MASKED[cut..], known));
        trial.segment_ends(MASKED.len());
        assert_eq!(Some(trial.bits()), bits(MASKED));
    }
}

#[test]
fn what_no_endpoint_sends_excludes_frames() {
    let impossible: &[(&str, &[u8])] = &[
        ("RSV3", &[0x91, 0]),
        ("RSV1 of a ping", &[0xC9, 0]),
        ("RSV1 of a continuation", &[0xC0, 0]),
        ("a reserved opcode", &[0x83, 0]),
        ("a fragmented ping", &[0x09, 0]),
        ("a ping of 126 bytes", &[0x89, 126, 0, 126]),
        ("a length that needs no 16 bits", &[0x82, 126, 0, 125]),
        ("a length that needs no 64 bits", &[0x82, 127, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]),
        ("a message inside another", &[0x01, 1, b'a', 0x81, 1, b'b']),
        ("a continuation of nothing", &[0x81, 1, b'a', 0x80, 1, b'b']),
        ("masked and not", &[0x81, 1, b'a', 0x81, 0x81, 1, 2, 3, 4, 5]),
        ("no UTF-8", &[0x81, 2, 0xC3, 0x28]),
        ("half a character", &[0x81, 1, 0xC3]),
        ("a Close code that cannot be", &[0x88, 2, 0, 7]),
        ("half a Close code", &[0x88, 1, 3]),
        ("data behind a Close", &[0x88, 0, 0x81, 1, b'a']),
        ("a block that is none", &[0xC1, 1, 0x06]),
        ("zeros", &[0; 4]),
    ];
    for (what, bytes) in impossible {
        assert_eq!(bits(bytes), None, "{what}");
    }
}

#[test]
fn first_bytes_of_other_protocols_are_not_enough() {
    let others: &[(&str, &[u8])] = &[
        ("HTTP", b"GET / HTTP/1.1\r\n"),
        ("HTTP", b"HTTP/1.1 200 OK\r\n"),
        ("SSH", b"SSH-2.0-OpenSSH_9.2\r\n"),
        ("TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00"),
        ("TLS data", b"\x17\x03\x03\x00\x13abcdefghijklmnopqrs"),
        ("SMTP", b"EHLO example.com\r\n"),
        ("RESP", b"*1\r\n$4\r\nPING\r\n"),
        ("SMB", b"\x00\x00\x00\x44\xfeSMB\x40\x00\x00\x00\x00\x00\x00\x00\x03\x00"),
        ("NetBIOS session request", b"\x81\x00\x00\x44 CKFDENECFDEFFCFGEFFCCACACACACACA\0"),
        (
            "DNS",
            b"\x00\x1d\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01",
        ),
        ("Kafka", b"\x00\x00\x00\x14\x00\x12\x00\x00\x00\x00\x00\x01\x00\x04test\xff\xff"),
        ("ONC RPC", b"\x80\x00\x00\x28\x12\x34\x56\x78\x00\x00\x00\x00"),
        ("iSCSI", b"\x01\x81\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
        ("memcached request", b"\x80\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00Hello"),
        ("memcached response", b"\x81\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x09\x00\x00\x00\x00"),
        ("MQTT publish", b"\x30\x0d\x00\x04testhello!!"),
        ("MQTT subscribe", b"\x82\x09\x00\x01\x00\x04test\x00"),
        ("MQTT ping", b"\xc0\x00"),
        ("HTTP/2 settings", b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"),
        ("Modbus", b"\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x0a"),
        ("Modbus, another transaction", b"\x82\x0a\x00\x00\x00\x06\x01\x03\x00\x00\x00\x0a"),
        ("BitTorrent", b"\x00\x00\x00\x05\x04\x00\x00\x01\x02"),
        ("LDAP", b"\x30\x84\x00\x00\x00\x10\x02\x01\x01"),
        ("MySQL", b"\x01\x00\x00\x01\x05"),
        ("PostgreSQL", b"B\x00\x00\x00\x10\x00s0\x00\x00\x00\x00\x00\x00\x00"),
        ("AMQP", b"\x01\x00\x00\x00\x00\x00\x05\x00\x0a\x00\x0a\x00\xce"),
        ("RTMP", b"\x02\x00\x00\x00\x00\x00\x04\x01\x00\x00\x00\x00\x00\x00\x10\x00"),
        ("a run of one letter", &[b'B'; 208]),
        (
            "Japanese from the middle of a character",
            "\u{3053}\u{3093}\u{306b}\u{3061}\u{306f}\u{3001}".as_bytes().split_at(1).1,
        ),
    ];
    for (what, bytes) in others {
        let bits = bits(bytes);
        assert!(bits.is_none_or(|bits| bits < limits::EVIDENCE_IF_ALL), "{what}: {bits:?} bits");
    }
}

#[test]
fn random_bytes_are_unlike_frames_and_broken_frames_are_not() {
    // The digits of pi after the point, in hexadecimal.
    let pi = 0x243F_6A88_85A3_08D3_1319_8A2E_0370_7344_u128.to_be_bytes();
    assert!(is_unlike_frames(&pi));
    for frames in
        [HELLO, MASKED, &[0x83, 0x00], &[0x91, 0x01, b'x'], &[0x89, 126, 0, 126], &[0x81, 0x7F], &[]]
    {
        assert!(!is_unlike_frames(frames), "{frames:02x?}");
    }
    assert!(!is_unlike_frames(&[HELLO, &[0x83, 0x00], HELLO].concat()));
}
