//! The opening handshake (RFC 6455 §4), with room for what is not right about it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

/// What is changed in a right request or response before it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edits {
    /// Another request or status line.
    pub line: Option<String>,
    /// Header fields left out, by name.
    pub drop: Vec<String>,
    /// Header lines (`Name: value`) added at the end.
    pub add: Vec<String>,
    /// What follows the head.
    pub body: Vec<u8>,
}

/// A client's opening handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The request target, `/` if not given.
    pub path: Option<String>,
    /// `server.example.com` if not given.
    pub host: Option<String>,
    /// `Sec-WebSocket-Key`; chosen afresh if not given.
    pub key: Option<String>,
    /// `Sec-WebSocket-Protocol`: what the client offers.
    pub subprotocol: Option<String>,
    /// `Sec-WebSocket-Extensions`: what the client offers.
    pub extensions: Option<String>,
    /// What is changed of it on purpose.
    pub edits: Edits,
}

/// A server's opening handshake.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// `Sec-WebSocket-Accept`; the right answer if not given.
    pub accept: Option<String>,
    /// `Sec-WebSocket-Protocol`; the first one offered if not given.
    pub subprotocol: Option<String>,
    /// `Sec-WebSocket-Extensions`; the first one offered if not given.
    pub extensions: Option<String>,
    /// What is changed of it on purpose.
    pub edits: Edits,
}

impl Request {
    /// The request's bytes. `key` is used unless the request names its own.
    pub fn bytes(&self, key: &str) -> Vec<u8> {
        let mut head = Head::new(&format!("GET {} HTTP/1.1", self.path.as_deref().unwrap_or("/")));
        head.field("Host", self.host.as_deref().unwrap_or("server.example.com"));
        head.field("Upgrade", "websocket");
        head.field("Connection", "Upgrade");
        head.field("Sec-WebSocket-Key", self.key.as_deref().unwrap_or(key));
        head.field("Sec-WebSocket-Version", "13");
        head.optional("Sec-WebSocket-Protocol", self.subprotocol.as_deref());
        head.optional("Sec-WebSocket-Extensions", self.extensions.as_deref());
        head.bytes(&self.edits)
    }
}

impl Response {
    /// The response's bytes, as an answer to `request`, which was sent with `key`
    /// unless it names its own.
    //= RFC 6455 §4.2.2
    //# A |Sec-WebSocket-Accept| header field.
    pub fn bytes(&self, request: &Request, key: &str) -> Vec<u8> {
        let right = accept(request.key.as_deref().unwrap_or(key));
        let mut head = Head::new("HTTP/1.1 101 Switching Protocols");
        head.field("Upgrade", "websocket");
        head.field("Connection", "Upgrade");
        head.field("Sec-WebSocket-Accept", self.accept.as_deref().unwrap_or(&right));
        head.optional(
            "Sec-WebSocket-Protocol",
            self.subprotocol.as_deref().or(first(request.subprotocol.as_deref())),
        );
        head.optional(
            "Sec-WebSocket-Extensions",
            self.extensions.as_deref().or(first(request.extensions.as_deref())),
        );
        head.bytes(&self.edits)
    }
}

/// A `Sec-WebSocket-Key` from 16 random bytes.
//= RFC 6455 §4.1
//# a nonce consisting of a randomly selected 16-byte value that has been base64-encoded
pub fn key(nonce: [u8; 16]) -> String {
    STANDARD.encode(nonce)
}

/// The `Sec-WebSocket-Accept` that answers a key (RFC 6455 §4.2.2).
fn accept(key: &str) -> String {
    STANDARD.encode(Sha1::digest([key, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"].concat()))
}

/// The first element of a comma-separated list.
fn first(list: Option<&str>) -> Option<&str> {
    list?.split(',').next().map(str::trim)
}

/// An HTTP head being put together.
struct Head<'a> {
    line: String,
    fields: Vec<(&'static str, &'a str)>,
}

impl<'a> Head<'a> {
    fn new(line: &str) -> Self {
        Self { line: line.to_owned(), fields: Vec::new() }
    }

    fn field(&mut self, name: &'static str, value: &'a str) {
        self.fields.push((name, value));
    }

    fn optional(&mut self, name: &'static str, value: Option<&'a str>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }

    fn bytes(&self, edits: &Edits) -> Vec<u8> {
        let mut head = edits.line.as_ref().unwrap_or(&self.line).clone() + "\r\n";
        for (name, value) in &self.fields {
            if !edits.drop.iter().any(|dropped| dropped.eq_ignore_ascii_case(name)) {
                head.extend([name, ": ", value, "\r\n"]);
            }
        }
        for line in &edits.add {
            head += line;
            head += "\r\n";
        }
        head += "\r\n";
        [head.as_bytes(), &edits.body].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

    #[test]
    fn a_right_handshake_is_that_of_the_rfc() {
        let request = Request {
            path: Some("/chat".into()),
            subprotocol: Some("chat, superchat".into()),
            ..Request::default()
        };
        assert_eq!(
            String::from_utf8(request.bytes(KEY)).unwrap(),
            "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, superchat\r\n\r\n"
        );
        assert_eq!(
            String::from_utf8(Response::default().bytes(&request, KEY)).unwrap(),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
        );
    }

    #[test]
    fn edits_replace_drop_and_add() {
        let edits = Edits {
            line: Some("HTTP/1.1 403 Forbidden".into()),
            drop: vec!["upgrade".into(), "Connection".into(), "sec-websocket-accept".into()],
            add: vec!["Content-Length: 3".into()],
            body: b"no!".to_vec(),
        };
        let response = Response { edits, ..Response::default() };
        assert_eq!(
            response.bytes(&Request::default(), KEY),
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!"
        );
    }

    #[test]
    fn a_key_is_sixteen_bytes_in_base64() {
        assert_eq!(key(*b"the sample nonce"), KEY);
    }
}
