//! A client that sends what it is told to, and shows all that comes.
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use wstool::model::Opcode;
use wstool::ws::encode;

use super::PATIENCE;

/// See the [module](self).
pub struct Client {
    stream: TcpStream,
    /// What came behind the answer, not yet looked at.
    pub got: Vec<u8>,
    sent: u8,
}

/// A frame of a server, unmasked if it was.
#[derive(Debug, PartialEq, Eq)]
pub struct Frame {
    pub opcode: u8,
    pub masked: bool,
    pub payload: Vec<u8>,
}

impl Client {
    /// Asks for a WebSocket, and gives the head of the answer.
    pub fn ask(address: &str, fields: &str) -> (Self, String) {
        Self::ask_at(address, "/chat", fields)
    }

    /// The same, at a path.
    pub fn ask_at(address: &str, path: &str, fields: &str) -> (Self, String) {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let mut client = Self { stream, got: Vec::new(), sent: 0 };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{fields}\r\n"
        );
        client.stream.write_all(request.as_bytes()).expect("it reads");
        let end = loop {
            if let Some(at) = client.got.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(client.more().expect("an answer") > 0, "no answer, but an end");
        };
        let head = client.got.drain(..end).collect();
        (client, String::from_utf8(head).expect("UTF-8"))
    }

    /// Opens a WebSocket.
    pub fn open(address: &str) -> Self {
        let (client, head) = Self::ask(address, "");
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        client
    }

    fn more(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 4096];
        let read = self.stream.read(&mut buffer)?;
        self.got.extend_from_slice(&buffer[..read]);
        Ok(read)
    }

    pub fn send(&mut self, opcode: Opcode, payload: &[u8]) {
        self.sent += 1;
        let key = [self.sent, 0x55, 0xAA, !self.sent];
        self.stream.write_all(&encode::whole(opcode, Some(key), payload)).expect("it reads");
    }

    pub fn text(&mut self, text: &str) {
        self.send(Opcode::TEXT, text.as_bytes());
    }

    /// Waits for a frame; `None` at the end of the stream.
    pub fn frame(&mut self) -> io::Result<Option<Frame>> {
        loop {
            if let Some((frame, length)) = take(&self.got) {
                self.got.drain(..length);
                return Ok(Some(frame));
            }
            if self.more()? == 0 {
                return Ok(None);
            }
        }
    }

    /// Waits for a message, and says what it says.
    pub fn heard(&mut self) -> String {
        let frame = self.frame().expect("no error").expect("a frame, no end");
        format!("{:x} {}", frame.opcode, frame.payload.escape_ascii())
    }

    /// That nothing comes for a while, and the connection stays open.
    pub fn is_left_alone(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).expect("a timeout");
        let (start, read) = (Instant::now(), self.more());
        self.stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        read.is_err() && start.elapsed() >= time
    }
}

/// The first frame, if it is whole, and its length.
fn take(bytes: &[u8]) -> Option<(Frame, usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (length, mut at) = match second & 0x7F {
        126 => (usize::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize, 10),
        length => (usize::from(length), 2),
    };
    let masked = second & 0x80 != 0;
    let key: [u8; 4] = if masked { bytes.get(at..at + 4)?.try_into().ok()? } else { [0; 4] };
    at += if masked { 4 } else { 0 };
    let payload = bytes.get(at..at + length)?;
    let payload = payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    Some((Frame { opcode: first & 0x0F, masked, payload }, at + length))
}
