//! Servers that are graded, and hurt who grades them.

use std::net::SocketAddr;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_local};
use wstool::lab::abort::Abortable;

use super::{
    BOMB, Doing, IN_TIME, MORE, Stream, answer, case, cases, endlessly, frame, grade, head, measured, zeros,
};

/// A server that runs until the tests end; it is told which connection this is.
fn server(does: impl Fn(TcpStream, usize) -> Doing<'static> + Send + 'static) -> SocketAddr {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().expect("an event loop");
        LocalSet::new().block_on(&runtime, async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            tell.send(listener.local_addr().expect("an address")).expect("somebody waits");
            for nth in 0.. {
                let Ok((stream, _)) = listener.accept().await else { return };
                drop(spawn_local(does(stream, nth)));
            }
        });
    });
    told.recv().expect("it listens")
}

macro_rules! does {
    (|$stream:ident| $body:block) => {
        |$stream: TcpStream| -> Doing<'static> { Box::pin(async move { $body }) }
    };
    (|mut $stream:ident| $body:block) => {
        |mut $stream: TcpStream| -> Doing<'static> { Box::pin(async move { $body }) }
    };
}

/// Answers as it should.
async fn open(stream: &mut TcpStream) {
    let request = head(stream).await;
    let _ = stream.write_all(&answer(&request)).await;
}

/// Sends the same again and again, and takes what it is sent.
async fn flood(stream: TcpStream, what: Vec<u8>) {
    let (mut reading, mut writing) = stream.into_split();
    let taking = spawn_local(async move {
        let _ = tokio::io::copy(&mut reading, &mut tokio::io::sink()).await;
    });
    while writing.write_all(&what).await.is_ok() {}
    taking.abort();
}

/// Takes what it is sent, and says nothing.
async fn listen(stream: &mut impl Stream) {
    let _ = tokio::io::copy(stream, &mut tokio::io::sink()).await;
}

const NO_PAUSE: Duration = Duration::ZERO;
const SECOND: Duration = Duration::from_secs(1);

/// A name, and what it does.
type Hostile = (&'static str, fn(TcpStream) -> Doing<'static>);

/// One that is right comes first: with it the others are compared.
const SERVERS: &[Hostile] = &[
    (
        "is right",
        does!(|mut stream| {
            open(&mut stream).await;
            // Sends back frames of up to 125 bytes, Close among them.
            while let Ok(first) = stream.read_u8().await {
                let Ok(length) = stream.read_u8().await else { return };
                let mut rest = vec![0; 4 + usize::from(length & 0x7F)];
                if stream.read_exact(&mut rest).await.is_err() {
                    return;
                }
                let payload: Vec<u8> = (4..rest.len()).map(|at| rest[at] ^ rest[at % 4]).collect();
                let back = [&[first, payload.len() as u8][..], &payload].concat();
                if stream.write_all(&back).await.is_err() || first == 0x88 {
                    return;
                }
            }
        }),
    ),
    ("says nothing", does!(|mut stream| { listen(&mut stream).await })),
    ("drips a head", does!(|mut stream| { endlessly(&mut stream, b"H", SECOND).await })),
    (
        "head without an end",
        does!(|mut stream| {
            let _ = stream.write_all(b"HTTP/1.1 101 x\r\n").await;
            endlessly(&mut stream, &b"A: b\r\n".repeat(1000), NO_PAUSE).await;
        }),
    ),
    (
        "one interim response after another",
        does!(|mut stream| { endlessly(&mut stream, b"HTTP/1.1 100 Continue\r\n\r\n", NO_PAUSE).await }),
    ),
    ("zeros for ever", does!(|stream| { flood(stream, vec![0; 64 * 1024]).await })),
    (
        "messages for ever",
        does!(|mut stream| {
            open(&mut stream).await;
            flood(stream, b"\x81\x01a".repeat(10_000)).await;
        }),
    ),
    (
        "fragments for ever",
        does!(|mut stream| {
            open(&mut stream).await;
            let _ = stream.write_all(b"\x02\x01a").await;
            flood(stream, frame(0x00, None, &[7; 10_000])).await;
        }),
    ),
    (
        "pings for ever",
        does!(|mut stream| {
            open(&mut stream).await;
            flood(stream, b"\x89\x00".repeat(10_000)).await;
        }),
    ),
    (
        "pings for ever, and reads nothing",
        does!(|mut stream| {
            open(&mut stream).await;
            endlessly(&mut stream, &b"\x89\x04ping".repeat(10_000), NO_PAUSE).await;
        }),
    ),
    (
        "drips a frame",
        does!(|mut stream| {
            open(&mut stream).await;
            let _ = stream.write_all(b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff").await;
            endlessly(&mut stream, b"a", SECOND).await;
        }),
    ),
    (
        "a bomb",
        does!(|mut stream| {
            open(&mut stream).await;
            let _ = stream.write_all(&frame(0x42, None, &BOMB)).await;
            flood(stream, frame(0x00, None, &[0; 60_000])).await;
        }),
    ),
    (
        "one bomb after another",
        does!(|mut stream| {
            open(&mut stream).await;
            flood(stream, frame(0xC2, None, &zeros())).await;
        }),
    ),
    (
        "never answers Close",
        does!(|mut stream| {
            open(&mut stream).await;
            let _ = stream.write_all(b"\x81\x01a").await;
            listen(&mut stream).await;
        }),
    ),
];

/// A message, on a connection that may compress.
fn few() -> String {
    let keys = "offer = \"permessage-deflate\"\nplay = 'text \"a\"'\npass = \"echo\"";
    cases("servers", &case("echo", keys))
}

#[test]
fn servers_without_an_end_are_left_in_time_and_hold_no_memory() {
    let few = few();
    let runs: Vec<_> = SERVERS
        .iter()
        .map(|&(name, does)| {
            let url = format!("ws://{}", server(move |stream, _| does(stream)));
            let few = few.clone();
            // Who is patient plays with those, too, who say nothing.
            let args =
                ["--patience", "1", "--endpoint", "echo", "--jobs", "1", "--format", "json", "--cases-file"];
            let running = thread::spawn(move || measured(grade(&[&[&*url][..], &args, &[&*few]].concat())));
            (name, running)
        })
        .collect();
    let mut usual = 0;
    for (name, running) in runs {
        let (output, took, peak) = running.join().expect("no panic");
        let said = String::from_utf8_lossy(&output.stderr);
        let report: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{name}: {why}: {said}"));
        let cases = report["peers"][0]["cases"].as_array().expect("cases").clone();
        assert_eq!(cases.len(), 1, "{name}: {said}");
        for one in &cases {
            let seconds = one["took"].as_f64().unwrap_or(f64::MAX);
            assert!(seconds < IN_TIME.as_secs_f64(), "{name}: {} took {seconds} s", one["id"]);
        }
        println!("{name}: {took:?}, {} KiB", peak / 1024);
        assert!(peak > 0, "{name}: it was there");
        if usual == 0 {
            usual = peak;
            let verdicts: Vec<_> = cases.iter().map(|one| one["verdict"].clone()).collect();
            assert_eq!(verdicts[0], "pass", "{report:#}");
        } else {
            assert_eq!(output.status.code(), Some(1), "{name}: {said}");
            assert!(peak < usual + MORE, "{name}: {} KiB, {} KiB are usual", peak / 1024, usual / 1024);
        }
    }
}

/// Bytes of an answer with a message and Close behind it.
const WHOLE: usize = 129 + 3 + 4;

/// Connection for connection a byte more is sent, and then TCP is reset.
#[test]
fn a_server_may_reset_at_any_byte() {
    let address = server(|stream, nth| {
        Box::pin(async move {
            let (mut stream, abort) = Abortable::new(stream);
            let request = head(&mut stream).await;
            let all = [&answer(&request)[..], b"\x81\x01a\x88\x02\x03\xe8"].concat();
            // The first connection only asks whether somebody is there.
            let _ = stream.write_all(&all[..nth.saturating_sub(1).min(all.len())]).await;
            abort.reset();
        })
    });
    let rows: Vec<String> = (0..=WHOLE).map(|n| format!("{{ n = {n} }}")).collect();
    let each = format!("each = [{}]\nplay = 'text \"a\"'\npass = \"echo\"", rows.join(", "));
    let some = cases("resets", &case("at-{n}", &each));
    let url = format!("ws://{address}");
    // The one that asks what is there is reset, too: who is patient plays all the same.
    let args = [&*url, "--patience", "1", "--endpoint", "echo", "--format", "json", "--cases-file", &*some];
    let (output, _, _) = measured(grade(&args));
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {said}"));
    let cases = report["peers"][0]["cases"].as_array().expect("cases").clone();
    assert_eq!((output.status.code(), cases.len()), (Some(1), WHOLE + 1), "{said}");
    for one in &cases {
        assert!(one["why"].as_str().is_some_and(|why| !why.is_empty()), "{one:#}");
        assert_eq!(one["verdict"], "fail", "{one:#}");
    }
}
