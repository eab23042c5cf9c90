//! What somebody tells of a connection: not bytes, but what a program made of them.

use std::fmt::Write as _;

use super::wire::{Dir, Opcode};

/// Who tells of the connections of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The program, and its version. Untrusted.
    pub by: String,
}

impl Account {
    /// What an account of messages has nothing of, as records name it.
    pub const LACKS: [&'static str; 6] =
        ["frames", "masking", "fragmentation", "compression", "control-frames", "end"];
}

/// A message as a program tells of it.
#[derive(Clone, Copy, Debug)]
pub struct ToldMessage<'a> {
    /// Who sent it.
    pub dir: Dir,
    /// Text or binary, or the control frame that carried it.
    pub kind: Opcode,
    /// The beginning of its content: unmasked, inflated, joined.
    pub content: &'a [u8],
    /// Bytes of the content.
    pub length: u64,
}

/// The head of an HTTP message as a program lists it.
#[derive(Clone, Copy, Debug)]
pub struct ToldHead<'a> {
    /// What it begins with.
    pub start: ToldStart<'a>,
    /// The version of HTTP, such as `HTTP/1.1`. Untrusted.
    pub version: &'a str,
    /// Names and values of its header fields, in order. Untrusted.
    pub headers: &'a [(String, String)],
    /// It is the opening handshake of a WebSocket, or the answer to one.
    pub opens: bool,
    /// All fields that were sent are listed: what is not there was not sent. Some programs leave out what
    /// they add last, or hold for secret.
    pub is_whole: bool,
    /// The content without its codings, as far as it is kept; empty where there is none.
    pub body: &'a [u8],
    /// Bytes of the content.
    pub length: u64,
}

/// The first line of a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldStart<'a> {
    /// Of a request.
    Request {
        /// Such as `GET`.
        method: &'a str,
        /// Path and query.
        target: &'a str,
        /// Host and port, as the URL has them.
        authority: &'a str,
    },
    /// Of a response.
    Response {
        /// Such as 101.
        status: u16,
        /// The words behind it.
        reason: &'a str,
    },
}

impl ToldHead<'_> {
    /// The answer to an opening handshake of which nothing but the status is told.
    pub fn answered(status: u16) -> Self {
        Self {
            start: ToldStart::Response { status, reason: "" },
            version: "HTTP/1.1",
            headers: &[],
            opens: true,
            is_whole: false,
            body: &[],
            length: 0,
        }
    }

    /// The start line.
    pub fn start_line(&self) -> String {
        match self.start {
            ToldStart::Request { method, target, .. } => format!("{method} {target} {}", self.version),
            ToldStart::Response { status, reason } => format!("{} {status} {reason}", self.version),
        }
    }

    /// The value of the first field of a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        field(self.headers, name)
    }

    /// Whether it can be held against the rules of a handshake: all its fields are listed, or those that one
    /// over HTTP/1.1 has at least (RFC 6455 §4.1, §4.2.2).
    pub fn is_listed(&self) -> bool {
        const NEEDED: [&str; 5] =
            ["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"];
        let has = |name: &str| self.header(name).is_some();
        self.is_whole
            || match self.start {
                ToldStart::Request { .. } => NEEDED.iter().all(|name| has(name)),
                ToldStart::Response { status: 101, .. } => has("Sec-WebSocket-Accept"),
                ToldStart::Response { .. } => !self.headers.is_empty(),
            }
    }

    /// Whether it can be written as HTTP/1.1 so that reading it gives the same again.
    pub fn is_http1(&self) -> bool {
        let is_line = |text: &str| !text.contains(|c: char| c.is_ascii_control());
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic());
        let is_name = |name: &str| is_word(name) && !name.contains(':');
        let start = match self.start {
            ToldStart::Request { method, target, .. } => is_word(method) && is_word(target),
            ToldStart::Response { status, reason } => (100..=999).contains(&status) && is_line(reason),
        };
        start
            && matches!(self.version, "HTTP/1.1" | "HTTP/1.0")
            && self.headers.iter().all(|(name, value)| is_name(name) && is_line(value))
    }

    /// The head as HTTP/1.1 has it, with a content whose length it names.
    pub fn http1(&self) -> Vec<u8> {
        let mut head = self.start_line();
        head.push_str("\r\n");
        for (name, value) in self.headers.iter().filter(|(name, _)| !self.is_framing(name)) {
            // Memory takes it.
            let _ = write!(head, "{name}: {value}\r\n");
        }
        if !self.body.is_empty() {
            let _ = write!(head, "Content-Length: {}\r\n", self.body.len());
        }
        head.push_str("\r\n");
        let mut bytes = head.into_bytes();
        bytes.extend_from_slice(self.body);
        bytes
    }

    /// Whether a field is about how the content went over the wire, which is not how it is told.
    fn is_framing(&self, name: &str) -> bool {
        const FRAMING: [&str; 3] = ["Transfer-Encoding", "Content-Encoding", "Content-Length"];
        !self.body.is_empty() && FRAMING.iter().any(|own| name.eq_ignore_ascii_case(own))
    }
}

/// The value of the first of these header fields that has a name.
pub fn field<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_written_with_the_length_of_what_is_there() {
        let headers: Vec<(String, String)> =
            [("Server", "a"), ("transfer-encoding", "chunked"), ("Content-Encoding", "gzip")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        let start = ToldStart::Response { status: 403, reason: "Forbidden" };
        let head = ToldHead {
            start,
            version: "HTTP/1.1",
            headers: &headers,
            opens: true,
            is_whole: true,
            body: b"no",
            length: 2,
        };
        assert!(head.is_http1());
        assert_eq!(head.http1(), b"HTTP/1.1 403 Forbidden\r\nServer: a\r\nContent-Length: 2\r\n\r\nno");
        let pseudo = [(":status".to_owned(), "403".to_owned())];
        assert!(!ToldHead { headers: &pseudo, ..head }.is_http1());
        assert!(!ToldHead { version: "h2", ..head }.is_http1());
    }
}
