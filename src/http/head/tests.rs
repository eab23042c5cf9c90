use super::*;

const INPUT: SourceId = SourceId::Input;
const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade:websocket\r\nX:\r\n\r\n";

fn byte(head: &Head<'_>, at: usize) -> (u64, u64) {
    let span = head.findings[at].spans[0];
    (span.first_byte(), span.end_byte())
}

#[test]
fn a_request_comes_apart_with_its_places() {
    let head = Head::parse(REQUEST, INPUT, 100);
    let StartLine::Request { method, target, version } = head.start else { panic!("a response") };
    assert_eq!((method.bytes, target.bytes, version.bytes), (&b"GET"[..], &b"/chat"[..], &b"HTTP/1.1"[..]));
    assert_eq!(head.span_of(target), Span::bytes(INPUT, 104, 5));
    assert_eq!(head.version(), Some((1, 1)));
    assert_eq!(head.start_line(), "GET /chat HTTP/1.1");
    let upgrade = head.headers[1];
    assert!(upgrade.is("uPGRADE"));
    assert_eq!((upgrade.value.text(), upgrade.value.at), ("websocket".into(), 54));
    assert_eq!(head.headers[2].value, Part { bytes: b"", at: 67 });
    assert!(head.findings.is_empty());
}

#[test]
fn a_response_comes_apart_with_and_without_a_reason() {
    for (line, reason) in [
        ("HTTP/1.1 101 Switching Protocols", "Switching Protocols"),
        ("HTTP/1.0 404 ", ""),
        ("HTTP/1.1 200", ""),
    ] {
        let bytes = format!("{line}\r\nA: b\r\n\r\n");
        let head = Head::parse(bytes.as_bytes(), INPUT, 0);
        let StartLine::Response { reason: got, .. } = head.start else { panic!("a request") };
        assert_eq!(got.text(), reason, "{line}");
        assert_eq!(head.start_line(), line.trim_end());
        assert!(!head.invalid, "{line}");
    }
}

/// The strict way and the lenient way must agree wherever both apply.
#[test]
fn both_ways_of_splitting_agree() {
    let heads: [&[u8]; 4] = [
        REQUEST,
        b"\r\n\r\nGET http://a/b?c HTTP/1.0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: \t websocket \t\r\nA:\r\n\r\n",
        b"HTTP/1.1 403\nX: \xff\xfe\nY: z\r\n\n",
    ];
    for bytes in heads {
        let is_response = sniff(bytes) == Sniff::Response;
        let (start, headers) = strict(bytes, is_response).expect("valid HTTP");
        let lenient = lenient::split(bytes, INPUT, 0, is_response, true);
        assert_eq!(start, lenient.start);
        let values = |headers: &[HeaderLine<'_>]| {
            headers
                .iter()
                .map(|h| (h.name, h.value.bytes.to_vec()))
                .map(|(n, v)| (n.at, v))
                .collect::<Vec<_>>()
        };
        assert_eq!(values(&headers), values(&lenient.headers));
        assert_eq!(lenient.findings, []);
    }
}

#[test]
fn each_fault_is_named_where_it_is() {
    let cases: &[(&[u8], u64, &str)] = &[
        (b"GET /a b HTTP/1.1\r\n\r\n", 6, "0x20 at byte 6 of the head"),
        (b"GET /a\r\n\r\n", 6, "nothing"),
        (b"GET /a HTTP/2.0\r\n\r\n", 7, "HTTP/2.0"),
        (b"G(T /a HTTP/1.1\r\n\r\n", 1, "0x28 at byte 1 of the head"),
        (b"GET /\xc3\xa9 HTTP/1.1\r\n\r\n", 5, "unescaped UTF-8, byte 5 of the head being 0xc3"),
        (b"GET /\xff HTTP/1.1\r\n\r\n", 5, "bytes that are not even UTF-8, byte 5 of the head being 0xff"),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 20, "0x20 at byte 20 of the head"),
        (b"GET / HTTP/1.1\r\nHost\r\n\r\n", 16, "a line without a colon: Host"),
        (b"GET / HTTP/1.1\r\n: a\r\n\r\n", 16, "nothing"),
        (b"GET / HTTP/1.1\r\nA: b\x00c\r\n\r\n", 20, "0x00 at byte 20 of the head"),
        (b"GET / HTTP/1.1\r\nA: b\r\n", 22, "the head breaks off after 22 bytes"),
        (b"HTTP/1.1 1O1 Switching\r\n\r\n", 9, "1O1"),
        (b"HTTP/3.0 101 Switching\r\n\r\n", 0, "HTTP/3.0"),
        (b"HTTP/1.1 101 a\x7fb\r\n\r\n", 14, "0x7f at byte 14 of the head"),
        (b"GET  HTTP/1.1\r\n\r\n", 4, "nothing"),
    ];
    for (bytes, at, got) in cases {
        let head = Head::parse(bytes, INPUT, 0);
        let shown = String::from_utf8_lossy(bytes);
        assert_eq!(head.findings.len(), 1, "{shown:?}: {:?}", head.findings);
        assert_eq!(byte(&head, 0).0, *at, "{shown:?}");
        assert_eq!(head.findings[0].got.to_string(), *got, "{shown:?}");
        let rule = if head.is_response() { "malformed-response" } else { "malformed-request" };
        assert_eq!(head.findings[0].rule.id, rule);
    }
}

/// RFC 9112 §2.2, §4: what the grammar forbids, and receivers put up with.
#[test]
fn loose_heads_are_told_and_not_invalid() {
    let cases: &[(&[u8], &str, u64)] = &[
        (b"GET / HTTP/1.1\nA: b\r\n\r\n", "bare-line-feed", 14),
        (b"HTTP/1.1 101 Switching Protocols\nA: b\n\n", "bare-line-feed", 32),
        (b"HTTP/1.1 101\r\nA: b\r\n\r\n", "status-line-lacks-space", 9),
    ];
    for (bytes, rule, at) in cases {
        let head = Head::parse(bytes, INPUT, 0);
        let shown = String::from_utf8_lossy(bytes);
        let rules: Vec<&str> = head.findings.iter().map(|f| f.rule.id).collect();
        assert_eq!((rules.as_slice(), byte(&head, 0).0), (&[*rule][..], *at), "{shown:?}");
        assert!(!head.invalid, "{shown:?}");
    }
    assert_eq!(Head::parse(b"HTTP/1.1 101 \r\nA: b\r\n\r\n", INPUT, 0).findings, []);
}

/// Whoever sends it says what it is meant to be.
#[test]
fn an_answer_is_no_request_because_it_is_no_http() {
    let server = SourceId::Stream { conn: 1, dir: Dir::Server };
    for bytes in [&b"broken nonsense\r\n\r\n"[..], b"http/1.1 101 Switching Protocols\r\n\r\n"] {
        let head = Head::parse(bytes, server, 0);
        assert!(head.is_response() && head.invalid);
        assert_eq!(head.findings[0].rule.id, "malformed-response");
    }
}

#[test]
fn folded_fields_are_joined_and_told() {
    let head = Head::parse(b"GET / HTTP/1.1\r\nA: one,\r\n two \r\nB:\r\n\tx\r\n\r\n", INPUT, 0);
    assert_eq!(head.headers[0].value.text(), "one, two");
    assert_eq!(head.headers[1].value.text(), "x");
    assert_eq!(head.findings.iter().map(|f| f.rule.id).collect::<Vec<_>>(), ["folded-header-field"; 2]);
    assert_eq!(byte(&head, 0), (25, 30));
}

#[test]
fn garbage_is_not_a_panic() {
    let cases: [&[u8]; 10] = [
        b"",
        b"\r\n",
        b" ",
        b"\n",
        b" \r\n\r\n",
        b"HTTP/",
        b"HTTP/1.1",
        b"GET ",
        b"GET  HTTP/1.1",
        b"\xff\n\n",
    ];
    for bytes in cases {
        let head = Head::parse(bytes, INPUT, 0);
        assert!(!head.findings.is_empty(), "{bytes:?}");
        assert!(head.findings.iter().flat_map(|f| &f.spans).all(|s| s.end_byte() <= bytes.len() as u64));
    }
}

#[test]
fn any_cutting_gives_the_same_head() {
    let mut stream = REQUEST.to_vec();
    stream.extend_from_slice(b"\x81\x00");
    for size in 1..stream.len() {
        let mut reader = HeadReader::new();
        let (mut taken, mut state) = (0, HeadState::Reading);
        for piece in stream.chunks(size) {
            let progress = reader.push(piece);
            (taken, state) = (taken + progress.consumed, progress.state);
        }
        assert_eq!((taken, state), (REQUEST.len(), HeadState::Complete), "pieces of {size}");
        assert_eq!(reader.bytes(), REQUEST);
        assert_eq!(reader.parse(INPUT, 0), Head::parse(REQUEST, INPUT, 0));
        reader.clear();
        assert_eq!(reader.push(b"GET").state, HeadState::Reading);
    }
}

#[test]
fn line_ends_of_every_kind_end_a_head() {
    for end in ["\r\n\r\n", "\n\n", "\r\n\n", "\n\r\n"] {
        let bytes = format!("\r\n\nGET / HTTP/1.1{end}rest");
        let progress = HeadReader::new().push(bytes.as_bytes());
        assert_eq!(
            progress,
            HeadProgress { consumed: bytes.len() - 4, state: HeadState::Complete },
            "{end:?}"
        );
    }
}

/// CVE-2023-43669 (tungstenite): the head was parsed anew with every read, and had no limit.
#[test]
fn cve_2023_43669_a_head_of_20_mb_in_small_pieces_is_bounded() {
    let mut reader = HeadReader::new();
    reader.push(b"GET / HTTP/1.1\r\nX: ");
    let piece = [b'a'; 100];
    for _ in 0..200_000 {
        assert_eq!(reader.push(&piece).consumed, 100);
    }
    assert_eq!(reader.state(), HeadState::Overflowing);
    assert_eq!((reader.bytes().len(), reader.total()), (HTTP_HEAD, 20_000_019));
    assert_eq!(reader.push(b"\r\n\r\n\x81").consumed, 4);
    assert_eq!(reader.state(), HeadState::Complete);
    let head = reader.parse(INPUT, 0);
    assert_eq!(head.findings[0].rule.id, "http-head-too-large");
    assert_eq!(head.headers.len(), 1);
    assert!(reader.bytes.capacity() <= 2 * HTTP_HEAD);
}

#[test]
fn a_thousand_header_fields_are_read_and_too_many_are_told() {
    for (count, kept, findings) in
        [(1000, 1000, 0), (HTTP_HEADERS, HTTP_HEADERS, 0), (HTTP_HEADERS + 9, HTTP_HEADERS, 1)]
    {
        let bytes = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(count));
        let head = Head::parse(bytes.as_bytes(), INPUT, 0);
        assert_eq!((head.headers.len(), head.findings.len()), (kept, findings), "{count}");
    }
}

#[test]
fn streams_are_told_apart_by_their_first_bytes() {
    let cases: &[(&[u8], Sniff)] = &[
        (b"", Sniff::NeedMore),
        (b"\r\n", Sniff::NeedMore),
        (b"G", Sniff::NeedMore),
        (b"GET ", Sniff::NeedMore),
        (b"HTT", Sniff::NeedMore),
        (b"GET /", Sniff::Request),
        (b"\r\nGET /", Sniff::Request),
        (b"CONNECT example.com:80", Sniff::Request),
        (b"HTTP/1.1 101", Sniff::Response),
        (b"\x81\x05Hello", Sniff::Neither),
        (b"\x16\x03\x01", Sniff::Neither),
        (b"hello world", Sniff::Neither),
        (b"AAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Sniff::Neither),
    ];
    for (bytes, kind) in cases {
        assert_eq!(sniff(bytes), *kind, "{bytes:?}");
    }
}
