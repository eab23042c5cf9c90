use std::ops::ControlFlow;

use super::*;
use crate::model::{Emitter, ON, Side, Sink, Unit, Wants};
use crate::session::Memory;
use crate::ws::Scratch;

struct Nobody;

impl Sink for Nobody {
    fn wants(&self) -> Wants {
        Wants::NOTHING
    }

    fn take(&mut self, _: &Unit<'_>) -> Flow {
        ON
    }
}

const ASKS: &str = "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const SWITCHES: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

/// What HTTP makes of what was said, one run after the other, and the bytes that it leaves to what is next.
fn next(said: &[(Dir, &str)]) -> (&'static str, String) {
    let (mut scratch, mut connections, mut memory) = (Scratch::default(), 0, Memory::default());
    let mut out = Emitter::new(Nobody);
    let mut cx =
        Context { out: &mut out, scratch: &mut scratch, connections: &mut connections, memory: &mut memory };
    let mut about = About::new(None, Start::Opened);
    about.client = Some(Side::A);
    let mut http = Http::new();
    for (dir, bytes) in said {
        let offset = about.heard(*dir);
        about.offsets[about.side(*dir).index()] += bytes.len() as u64;
        let run = Run { dir: *dir, bytes: bytes.as_bytes(), at: At::default(), offset };
        let ControlFlow::Break(next) = http.data(run, &mut about, &mut cx) else { continue };
        let (name, rest) = match next {
            Next::Stop => ("stop", Vec::new()),
            Next::Other => ("other", Vec::new()),
            Next::Anew(rest) => ("anew", rest),
            Next::WebSocket(_, rest) => ("websocket", rest),
            #[cfg(feature = "h2")]
            Next::Http2(_, rest) => ("http2", rest),
        };
        let words = rest.iter().map(|(dir, chunk)| {
            let run = chunk.run(*dir);
            format!("{dir}@{} {}", run.offset, String::from_utf8_lossy(run.bytes))
        });
        return (name, words.collect::<Vec<_>>().join(", "));
    }
    ("http", String::new())
}

#[test]
fn a_connection_becomes_what_its_heads_say() {
    let (client, server) = (Dir::Client, Dir::Server);
    let behind = format!("{SWITCHES}frames");
    let frames = format!("websocket client@{} early, server@{} frames", ASKS.len(), SWITCHES.len());
    let cases: &[(&[(Dir, &str)], &str)] = &[
        (&[(client, ASKS)], "http "),
        (&[(client, ASKS), (server, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")], "http "),
        (&[(client, ASKS), (client, "early"), (server, &behind)], &frames),
        (
            &[
                (client, "CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n"),
                (server, "HTTP/1.1 200 Connected\r\n\r\n"),
            ],
            "anew ",
        ),
        (
            &[
                (client, "CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\nGET"),
                (server, "HTTP/1.1 200 Connected\r\n\r\nSSH"),
            ],
            "anew client@37 GET, server@26 SSH",
        ),
        (&[(client, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")], "other "),
        (
            &[
                (client, "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
                (
                    server,
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\nPRI",
                ),
            ],
            if cfg!(feature = "h2") { "http2 server@71 PRI" } else { "other " },
        ),
    ];
    for (said, expected) in cases {
        let (name, rest) = next(said);
        assert_eq!(format!("{name} {rest}"), *expected, "{said:?}");
    }
}

#[test]
fn a_hole_ends_it() {
    let (mut scratch, mut connections, mut memory) = (Scratch::default(), 0, Memory::default());
    let mut out = Emitter::new(Nobody);
    let mut cx =
        Context { out: &mut out, scratch: &mut scratch, connections: &mut connections, memory: &mut memory };
    for (asked, start) in [(ASKS, Start::Midway), ("", Start::SpokeHttp)] {
        let mut http = Http::new();
        http.client.reader.push(asked.as_bytes());
        let mut about = About::new(None, Start::Opened);
        let next = http.gap(&mut about, &mut cx);
        assert!(matches!(next, ControlFlow::Break(Next::Anew(rest)) if rest.is_empty()));
        assert_eq!(about.start, start);
    }
}
