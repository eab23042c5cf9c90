//! Connections side by side, and what is told of them.

use super::*;
use crate::model::{Body, Dir, Opcode, ToldHead, ToldMessage, ToldStart, Unopened};
use crate::ws::{TRUNCATED_FRAME, encode};

/// A line for each unit.
#[derive(Default)]
struct Lines(Vec<String>);

impl Sink for Lines {
    fn wants(&self) -> Wants {
        Wants { payload: 100, app: true, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        let what = match unit.body {
            Body::Frame(_) => return ON,
            Body::Connection(connection) if connection.ending.is_some() => "over".to_owned(),
            Body::Connection(_) => "begins".to_owned(),
            Body::Http(head) => head.start_line.to_owned(),
            Body::Message(message) => {
                format!("{} {}", String::from_utf8_lossy(message.payload), message.app.is_some())
            }
            Body::Summary(summary) => format!("{} frames in {} bytes", summary.frames, summary.bytes),
            _ => String::new(),
        };
        let from = unit.dir.map_or("-", Dir::name);
        let rules: Vec<_> = unit.rules().map(|rule| rule.id).collect();
        self.0.push(format!("{} {from}: {what} {}", unit.conn, rules.join(" ")));
        ON
    }
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

fn endpoints(port: u16) -> [SocketAddr; 2] {
    [([192, 0, 2, 1], port).into(), ([192, 0, 2, 80], 80).into()]
}

#[test]
fn connections_side_by_side_are_told_apart() {
    let mut decoder = Decoder::new(Lines::default());
    let ids = [FlowId(0), FlowId(7)];
    for (id, port) in ids.into_iter().zip(50_000..) {
        decoder.open(id, &Beginning { both_heard: false, ..Beginning::opened(endpoints(port)) });
    }
    for (side, bytes) in [(Side::A, REQUEST), (Side::B, RESPONSE), (Side::B, b"\x81\x07{\"a\":1}")] {
        for piece in bytes.chunks(5) {
            for id in ids {
                assert_eq!(decoder.data(id, side, piece, At::default()), Interest::Follow);
            }
        }
    }
    assert_eq!((decoder.conn(ids[0]), decoder.conn(ids[1])), (Some(1), Some(2)));
    for id in ids {
        assert!(decoder.close(id, StreamEnd::Capture, None).is_continue());
        assert_eq!(decoder.data(id, Side::B, b"\x81\x00", At::default()), Interest::Ignore, "it is free");
    }
    let (Lines(lines), totals) = decoder.finish();
    for conn in 1..=2 {
        let own: Vec<_> = lines.iter().filter_map(|line| line.strip_prefix(&format!("{conn} "))).collect();
        let expected = [
            "-: begins",
            "client: GET / HTTP/1.1",
            "server: HTTP/1.1 101 Switching Protocols",
            "server: {\"a\":1} true",
            "-: over",
        ];
        assert_eq!(
            own.iter().map(|line| line.split(" reused").next().unwrap().trim_end()).collect::<Vec<_>>(),
            expected
        );
    }
    assert_eq!((totals.connections, totals.frames, totals.messages), (2, 2, 2));
}

/// Who looks into a browser in the middle of a handshake is told of the answer first.
#[test]
fn a_connection_begins_with_whatever_is_told_of_it_first() {
    let headers = [("Upgrade".to_owned(), "websocket".to_owned())];
    let head = ToldHead {
        start: ToldStart::Response { status: 101, reason: "Switching Protocols" },
        version: "HTTP/1.1",
        headers: &headers,
        opens: true,
        is_whole: false,
        body: &[],
        length: 0,
    };
    let message = ToldMessage { dir: Dir::Server, kind: Opcode::TEXT, content: b"Hello", length: 5 };
    let mut decoder = Decoder::new(Lines::default());
    decoder.open_told(FlowId(0), None, false);
    decoder.head_told(FlowId(0), &head, At::default());
    decoder.message_told(FlowId(0), &message, At::default());
    let (Lines(lines), totals) = decoder.finish();
    let expected = [
        "1 -: begins ",
        "1 server: HTTP/1.1 101 Switching Protocols ",
        "1 server: Hello false ",
        "1 -: over ",
    ];
    assert_eq!(&lines[..4], expected);
    assert_eq!((totals.connections, totals.messages), (1, 1));
}

#[test]
fn what_is_open_in_the_end_is_over() {
    let half = &encode::whole(Opcode::TEXT, None, b"Hello")[..4];
    let mut decoder = Decoder::new(Lines::default());
    decoder.open(FlowId(0), &Beginning::GIVEN);
    decoder.data(FlowId(0), Side::A, half, At::default());
    let (_, totals) = decoder.finish();
    assert_eq!(*totals.findings, [(&TRUNCATED_FRAME, 1)], "there is no more of it");
    let mut decoder = Decoder::new(Lines::default());
    decoder.open_upgraded(FlowId(0), None, Extensions::NONE);
    decoder.data(FlowId(0), Side::B, half, At::default());
    let (Lines(lines), totals) = decoder.finish();
    assert!(lines.last().unwrap().starts_with("0 -: 1 frames in 4 bytes"), "{lines:?}");
    assert!(totals.findings.is_empty(), "it may go on");
}

#[test]
fn what_was_refused_is_told_once() {
    let mut lines = Lines::default();
    let mut decoder = Decoder::new(&mut lines);
    decoder.unopened(endpoints(1)[1], Unopened::Reset, At::default());
    assert!(decoder.settle().is_continue());
    decoder.forget();
    let (_, totals) = decoder.finish();
    let told: Vec<_> = totals.findings.iter().map(|(rule, times)| (rule.id, *times)).collect();
    assert_eq!(told, [("connection-refused", 1)], "{:?}", lines.0);
}

/// What HTTP said behind a head that waits for its body is not lost with the rest of that.
#[test]
fn a_refusal_is_told_although_its_body_has_a_hole() {
    let mut decoder = Decoder::new(Lines::default());
    decoder.open(FlowId(0), &Beginning::opened(endpoints(50_000)));
    decoder.data(FlowId(0), Side::A, REQUEST, At::default());
    let refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 5000\r\n\r\nno";
    decoder.data(FlowId(0), Side::B, refusal, At::default());
    decoder.gap(FlowId(0), Side::B, 1460, (None, None), &TRUNCATED_FRAME);
    let (Lines(lines), _) = decoder.finish();
    assert!(lines.iter().any(|line| line.starts_with("1 server: HTTP/1.1 403 Forbidden")), "{lines:?}");
}

/// Every exchange, where that is asked for, with or without a WebSocket.
#[test]
fn http_that_is_nothing_else_is_told_to_who_asks() {
    struct All(Vec<String>, bool);
    impl Sink for All {
        fn wants(&self) -> Wants {
            Wants { http: self.1, ..Wants::NOTHING }
        }

        fn take(&mut self, unit: &Unit<'_>) -> Flow {
            if let Body::Http(head) = unit.body {
                let sizes = (head.extent.head, head.extent.content, head.extent.framing);
                self.0.push(format!("{} {sizes:?}", head.start_line));
            }
            ON
        }
    }
    let request = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
    let response = b"HTTP/1.1 204 No Content\r\n\r\n";
    for (all, expected) in [
        (
            true,
            vec!["POST /a HTTP/1.1 (48, 2, 10)".to_owned(), "HTTP/1.1 204 No Content (27, 0, 0)".to_owned()],
        ),
        (false, Vec::new()),
    ] {
        let mut decoder = Decoder::new(All(Vec::new(), all));
        decoder.open(FlowId(0), &Beginning::opened(endpoints(50_000)));
        decoder.data(FlowId(0), Side::A, request, At::default());
        decoder.data(FlowId(0), Side::B, response, At::default());
        assert_eq!(decoder.finish().0.0, expected);
    }
}
