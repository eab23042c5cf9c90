//! Clients written out: an HTTP request at a time, and a WebSocket frame at a time.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wstool::model::Opcode;
use wstool::ws::encode;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

pub struct Response {
    pub status: u16,
    /// The header fields, their names in small letters.
    pub fields: String,
    pub body: Vec<u8>,
}

impl Response {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn has(&self, field: &str) -> bool {
        self.fields.lines().any(|line| line.eq_ignore_ascii_case(field))
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// A request on a connection of its own; `what` is a method and a target, `fields` are whole lines.
pub fn ask(address: SocketAddr, what: &str, fields: &str, body: &[u8]) -> Response {
    read_response(send(address, what, fields, body))
}

/// The same, without waiting for the answer.
pub fn send(address: SocketAddr, what: &str, fields: &str, body: &[u8]) -> TcpStream {
    let mut stream = connect(address);
    let head = format!(
        "{what} HTTP/1.1\r\nHost: lab\r\nConnection: close\r\nContent-Length: {}\r\n{fields}\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).expect("it reads");
    stream
}

pub fn read_response(mut stream: TcpStream) -> Response {
    let mut bytes = Vec::new();
    // A connection may be reset behind an answer to a request that was not read to its end.
    let _ = stream.read_to_end(&mut bytes);
    response(&bytes)
}

fn response(bytes: &[u8]) -> Response {
    let text = String::from_utf8_lossy(bytes);
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or_else(|| panic!("no head: {text}"));
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let (line, fields) = head.split_once("\r\n").unwrap_or((&head, ""));
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
    let body = bytes[end + 4..].to_vec();
    assert!(!fields.to_lowercase().contains("transfer-encoding"), "bodies have a length: {text}");
    Response { status, fields: fields.to_owned(), body }
}

/// A request whose answer somebody waits for.
pub fn in_background(stream: TcpStream) -> JoinHandle<Response> {
    thread::spawn(move || read_response(stream))
}

/// A WebSocket.
pub struct Socket {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Socket {
    /// Opens one, or says how it is refused.
    pub fn open(address: SocketAddr, target: &str) -> Result<Self, Response> {
        let mut stream = connect(address);
        let head = format!(
            "GET {target} HTTP/1.1\r\nHost: lab\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("it reads");
        let mut buffer = Vec::new();
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break end + 4;
            }
            assert!(fill(&mut stream, &mut buffer), "ended: {}", String::from_utf8_lossy(&buffer));
        };
        if buffer.starts_with(b"HTTP/1.1 101") {
            return Ok(Self { stream, buffer: buffer.split_off(end) });
        }
        while fill(&mut stream, &mut buffer) {}
        Err(response(&buffer))
    }

    pub fn frame(&mut self, opcode: Opcode, payload: &[u8]) {
        let frame = encode::whole(opcode, Some([1, 2, 3, 4]), payload);
        self.stream.write_all(&frame).expect("it reads");
    }

    pub fn text(&mut self, text: &str) {
        self.frame(Opcode::TEXT, text.as_bytes());
    }

    /// The next frame; `None` when the connection is over.
    pub fn next(&mut self) -> Option<(Opcode, Vec<u8>)> {
        loop {
            if let Some((opcode, from, to)) = whole(&self.buffer) {
                let payload = self.buffer[from..to].to_vec();
                self.buffer.drain(..to);
                return Some((opcode, payload));
            }
            if !fill(&mut self.stream, &mut self.buffer) {
                return None;
            }
        }
    }

    /// The next frame, which is text.
    pub fn hear(&mut self) -> String {
        match self.next() {
            Some((Opcode::TEXT, payload)) => String::from_utf8(payload).expect("UTF-8"),
            other => panic!("no text: {other:?}"),
        }
    }

    /// The next frame, which is binary.
    pub fn hear_bytes(&mut self) -> Vec<u8> {
        match self.next() {
            Some((Opcode::BINARY, payload)) => payload,
            other => panic!("no bytes: {other:?}"),
        }
    }

    /// Waits for the end: the Close frame's payload, or what came instead of it.
    pub fn closed(&mut self) -> Option<Vec<u8>> {
        loop {
            match self.next()? {
                (Opcode::CLOSE, payload) => return Some(payload),
                (Opcode::TEXT, payload) if payload == b"2" => {}
                other => panic!("{other:?} before the end"),
            }
        }
    }
}

/// Reads more; whether there was more.
fn fill(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> bool {
    let mut bytes = vec![0; 65536];
    let count = match stream.read(&mut bytes) {
        Ok(count) => count,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
        Err(error) => panic!("{error}"),
    };
    buffer.extend_from_slice(&bytes[..count]);
    count > 0
}

/// A server's frame, if all of it is there: its opcode, and where its payload is.
fn whole(bytes: &[u8]) -> Option<(Opcode, usize, usize)> {
    let (from, length) = match *bytes.get(1)? {
        126 => (4, u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?))),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        length => (2, u64::from(length)),
    };
    assert_eq!(bytes[0] & 0xF0, 0x80, "whole messages");
    let to = from + usize::try_from(length).ok()?;
    (bytes.len() >= to).then_some((Opcode(bytes[0] & 0x0F), from, to))
}
