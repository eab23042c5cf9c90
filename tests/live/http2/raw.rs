//! A client of HTTP/2 written by hand, frame by frame, so that it can make mistakes that no library makes: it
//! opens a WebSocket and sends back what comes.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use wstool::lab::frames::{self, Frames};
use wstool::model::{Dir, Opcode};

/// What it does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    None,
    /// It sends Upgrade and Connection, as over HTTP/1.1.
    UpgradeFields,
    /// It does not say which version it speaks.
    NoVersion,
    /// Its request ends the stream.
    EndsStream,
    /// It takes every answer for one that opens the WebSocket.
    StatusUnchecked,
    /// It does not mask: HTTP/2 has no need of that, it thinks.
    Unmasked,
    /// It sends before it has an answer.
    Hasty,
    /// It adds nothing to a window.
    ZeroWindowUpdate,
    /// In the place of Close it resets the stream.
    ResetInsteadOfClose,
}

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const RST_STREAM: u8 = 3;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
pub const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const ACK: u8 = 1;
pub const END_HEADERS: u8 = 4;

/// How long a case may take.
const PATIENCE: Duration = Duration::from_secs(50);

/// A frame of HTTP/2.
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Header fields as HPACK has them that neither compresses nor remembers (RFC 7541 §6.2.2).
pub fn fields(all: &[(&str, &str)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in all {
        block.push(0);
        for text in [name, value] {
            assert!(text.len() < 127, "{text}");
            block.push(text.len() as u8);
            block.extend_from_slice(text.as_bytes());
        }
    }
    block
}

/// What a client begins with: the preface, and SETTINGS as they are by default.
pub fn beginning() -> Vec<u8> {
    [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &frame(SETTINGS, 0, 0, b"")].concat()
}

/// The fields of a request for a WebSocket.
pub fn request(path: &str) -> Vec<(&str, &str)> {
    vec![
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "http"),
        (":authority", "judge.example"),
        (":path", path),
        ("sec-websocket-version", "13"),
    ]
}

/// Plays a case, whatever comes of it.
pub async fn play(judge: SocketAddr, path: &str, mistake: Mistake) {
    let played = timeout(PATIENCE, talk(judge, path, mistake)).await;
    // Who is reset has been told so.
    let _ = played.unwrap_or_else(|_| panic!("{mistake:?}: it is not left"));
}

async fn talk(judge: SocketAddr, path: &str, mistake: Mistake) -> io::Result<()> {
    let mut tcp = TcpStream::connect(judge).await?;
    tcp.write_all(&beginning()).await?;
    let mut asked = request(path);
    if mistake == Mistake::NoVersion {
        asked.pop();
    }
    if mistake == Mistake::UpgradeFields {
        asked.extend([("connection", "Upgrade"), ("upgrade", "websocket")]);
    }
    let ends = if mistake == Mistake::EndsStream { END_STREAM } else { 0 };
    let mut request = frame(HEADERS, END_HEADERS | ends, 1, &fields(&asked));
    if mistake == Mistake::Hasty {
        request.extend(frame(DATA, 0, 1, &frames::frame(Dir::Client, Opcode::PONG, b"now")));
    }
    tcp.write_all(&request).await?;
    let mut reader = Frames::from(Dir::Server);
    let mut is_open = mistake == Mistake::StatusUnchecked;
    loop {
        let mut header = [0; 9];
        tcp.read_exact(&mut header).await?;
        let length = usize::from(header[0]) << 16 | usize::from(header[1]) << 8 | usize::from(header[2]);
        let mut payload = vec![0; length];
        tcp.read_exact(&mut payload).await?;
        let (kind, flags) = (header[3], header[4]);
        match kind {
            SETTINGS if flags & ACK == 0 => tcp.write_all(&frame(SETTINGS, ACK, 0, b"")).await?,
            // The entry of the static table that is 200 (RFC 7541 appendix A); others are no such.
            HEADERS => {
                is_open |= payload.first() == Some(&0x88);
                if !is_open {
                    return tcp.write_all(&frame(RST_STREAM, 0, 1, &8_u32.to_be_bytes())).await;
                }
            }
            DATA => {
                for came in reader.push(&payload).received {
                    let kind = match came.kind {
                        Opcode::PING => Opcode::PONG,
                        Opcode::PONG => continue,
                        kind => kind,
                    };
                    if kind == Opcode::CLOSE && mistake == Mistake::ResetInsteadOfClose {
                        return tcp.write_all(&frame(RST_STREAM, 0, 1, &8_u32.to_be_bytes())).await;
                    }
                    let from = if mistake == Mistake::Unmasked { Dir::Server } else { Dir::Client };
                    tcp.write_all(&frame(DATA, 0, 1, &frames::frame(from, kind, &came.payload))).await?;
                    if mistake == Mistake::ZeroWindowUpdate {
                        tcp.write_all(&frame(WINDOW_UPDATE, 0, 0, &[0; 4])).await?;
                    }
                }
                if flags & END_STREAM != 0 {
                    tcp.write_all(&frame(DATA, END_STREAM, 1, b"")).await?;
                    return tcp.shutdown().await;
                }
            }
            RST_STREAM | GOAWAY => return Ok(()),
            _ => {}
        }
    }
}
