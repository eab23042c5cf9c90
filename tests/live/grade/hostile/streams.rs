//! The same clients over HTTP/2, and what only those can do.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::timeout;

use super::visitors::{Judge, ZEROS, connect, flood, listen};
use super::{IN_TIME, MORE, frame, peak};
use crate::http2::raw::{self, CONTINUATION, DATA, END_HEADERS, HEADERS, PING, RST_STREAM, SETTINGS};

/// A request for a case on a stream.
fn asked(stream: u32, agent: &str) -> Vec<u8> {
    let path = format!("/runCase?casetuple=robustness.plain&agent={agent}");
    raw::frame(HEADERS, END_HEADERS, stream, &raw::fields(&raw::request(&path)))
}

/// A name, and what comes again and again.
type Flood = (&'static str, fn() -> Vec<u8>);

/// Behind a request for a case.
const FLOODS: &[Flood] = &[
    ("pings", || raw::frame(PING, 0, 0, &[7; 8]).repeat(1000)),
    ("settings", || raw::frame(SETTINGS, 0, 0, &[]).repeat(1000)),
    ("empty data", || raw::frame(DATA, 0, 1, &[]).repeat(1000)),
    ("requests without an end", || raw::frame(HEADERS, 0, 3, &raw::fields(&[("x-a", "b")]))),
    ("a head that goes on", || {
        let more = raw::frame(CONTINUATION, 0, 3, &raw::fields(&[("x-a", "b")]));
        [raw::frame(HEADERS, 0, 3, &raw::fields(&[("x-a", "b")])), more.repeat(10_000)].concat()
    }),
    ("data beyond every window", || {
        let fragment = raw::frame(DATA, 0, 1, &frame(0x00, ZEROS, &[7; 10_000]));
        [raw::frame(DATA, 0, 1, &frame(0x02, ZEROS, b"a")), fragment.repeat(100)].concat()
    }),
];

/// Requests on as many streams as a client can have.
fn many(are_reset: bool) -> Vec<u8> {
    let one = |stream: u32| {
        let reset = raw::frame(RST_STREAM, 0, stream, &8_u32.to_be_bytes());
        [asked(stream, &format!("many{stream}")), if are_reset { reset } else { Vec::new() }].concat()
    };
    (1..8000).step_by(2).flat_map(one).collect()
}

#[test]
fn clients_without_an_end_are_left_in_time_on_streams() {
    let judge = Judge::of("streams", &["--http2"], None);
    judge.grades("before");
    let usual = peak(judge.id).expect("it is there");
    let runtime = Builder::new_current_thread().enable_all().build().expect("an event loop");
    LocalSet::new().block_on(&runtime, async {
        let mut visits = JoinSet::new();
        let address = judge.address;
        for &(name, what) in FLOODS {
            visits.spawn_local(async move {
                let (mut stream, _) = connect(address, None).await.expect("it listens");
                let _ = stream.write_all(&[raw::beginning(), asked(1, "hostile")].concat()).await;
                let flooding = timeout(IN_TIME, flood(stream, what())).await;
                flooding.unwrap_or_else(|_| panic!("{name}: it is not left"));
            });
        }
        for are_reset in [true, false] {
            visits.spawn_local(async move {
                let (mut stream, _) = connect(address, None).await.expect("it listens");
                let _ = stream.write_all(&[raw::beginning(), many(are_reset)].concat()).await;
                // Those that were not refused are played, and nobody takes what is sent on them.
                let _ = timeout(Duration::from_secs(5), listen(&mut *stream)).await;
            });
        }
        visits.join_all().await;
    });
    judge.grades("after");
    let peak = peak(judge.id).expect("it is there");
    println!("HTTP/2: {} KiB, {} KiB before", peak / 1024, usual / 1024);
    assert!(peak < usual + MORE, "{} KiB, {} KiB are usual", peak / 1024, usual / 1024);
    judge.running.interrupt();
    let (status, said) = judge.running.end();
    assert_eq!(status.code(), Some(1), "{said}");
}
