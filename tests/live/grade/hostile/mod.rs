//! Hostile peers over real sockets: whatever they do, `wstool grade` ends in its time, and its memory, which
//! is measured, stays where it is with peers that are right.
//!
//! - `servers`: what is graded never ends, drips, floods, resets
//! - `visitors`: the same of clients that come to be graded, with TLS and without; `streams`: over HTTP/2

mod servers;
mod streams;
mod visitors;

use std::fs;
use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use wstool::http::accept_value;
use wstool::lab::deflate::Deflater;

/// What a hostile peer is doing.
type Doing<'s> = Pin<Box<dyn Future<Output = ()> + 's>>;

/// What bytes go over.
trait Stream: AsyncRead + AsyncWrite + Unpin {}

impl<S: AsyncRead + AsyncWrite + Unpin> Stream for S {}

/// How long a run of a few cases may take: a second of patience, and what the judge puts up with besides.
const IN_TIME: Duration = Duration::from_secs(50);

/// Memory that a hostile peer may cost besides what any does: a message or two, and what waits to be written.
const MORE: usize = 32 * 1024 * 1024;

/// Compressed zeros: this is the beginning, and each byte 0 behind it is 1,032 more.
const BOMB: [u8; 14] = [0xEC, 0xC1, 1, 1, 0, 0, 0, 0x82, 0x20, 0xFF, 0xAF, 0x6E, 0x48, 0x40];

/// A megabyte of zeros, compressed as one message: a little less than is taken.
fn zeros() -> Vec<u8> {
    let mut zeros = Vec::new();
    Deflater::new(15, false).message(&vec![0; 1_000_000], &mut zeros);
    zeros
}

/// A frame of less than 64 KiB, as a server sends it, or with zeros for a mask, as a client may.
fn frame(first: u8, mask: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    let bit = if mask.is_some() { 0x80 } else { 0 };
    match payload.len() {
        length @ ..126 => frame.push(bit | length as u8),
        length => {
            frame.push(bit | 126);
            frame.extend((length as u16).to_be_bytes());
        }
    }
    frame.extend(mask.iter().flatten());
    frame.extend_from_slice(payload);
    frame
}

/// Sends the same again and again, as long as it is taken.
async fn endlessly(stream: &mut dyn Stream, what: &[u8], every: Duration) {
    while stream.write_all(what).await.is_ok() && stream.flush().await.is_ok() {
        if !every.is_zero() {
            tokio::time::sleep(every).await;
        }
    }
}

/// Reads a head.
async fn head(stream: &mut dyn Stream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { break };
        head.push(byte);
    }
    String::from_utf8_lossy(&head).into_owned()
}

/// The right answer to a request.
fn answer(request: &str) -> Vec<u8> {
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
    let deflate = if request.contains("permessage-deflate") {
        "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    } else {
        ""
    };
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{deflate}\r\n",
        accept_value(key.as_bytes())
    )
    .into_bytes()
}

/// Cases of these tests' own.
fn cases(name: &str, text: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hostile-{name}.toml"));
    fs::write(&path, format!("chapter = \"robustness\"\n{text}")).expect("writable");
    path.to_str().expect("UTF-8").to_owned()
}

/// A case of these.
fn case(id: &str, keys: &str) -> String {
    let facts = "title = { en = \"x\", zh = \"x\" }\ncite = [\"RFC 6455 §5\"]\npatience = \"1s\"";
    format!("[[case]]\nid = \"{id}\"\n{facts}\n{keys}\n")
}

/// `wstool grade`.
fn grade(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["--lang", "en", "grade"]).args(args);
    command.env("LC_ALL", "C.UTF-8").env("no_proxy", "*").stdin(Stdio::null());
    command
}

/// The most memory that a process has had, in bytes; `None` when it is gone.
fn peak(id: u32) -> Option<usize> {
    // Until it runs its own program it is in the memory of who started it, even when that goes on already.
    if fs::read_link(format!("/proc/{id}/exe")).ok()? == std::env::current_exe().ok()? {
        return Some(0);
    }
    let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<usize>().ok().map(|kib| kib * 1024)
}

/// Waits for the end of a command: what it said, how long it took, and the most memory it has had, which only
/// ever grows: it is looked at until the end.
fn measured(mut command: Command) -> (Output, Duration, usize) {
    let began = Instant::now();
    let child: Child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let id = child.id();
    let watching = thread::spawn(move || {
        let mut most = 0;
        while let Some(now) = peak(id) {
            most = most.max(now);
            thread::sleep(Duration::from_millis(5));
        }
        most
    });
    let output = child.wait_with_output().expect("it ends");
    (output, began.elapsed(), watching.join().expect("no panic"))
}
