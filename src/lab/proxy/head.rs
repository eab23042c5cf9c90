//! Heads of HTTP that a proxy has to look at, and to change, before it passes them on.
//!
//! What is not changed stays as it was, byte for byte.

use std::io;
use std::ops::Range;

use super::stream::Stream;
use crate::http::{Head, HeadReader, HeadState, Sniff, StartLine, codings, named_codings, sniff};
use crate::model::{SourceId, prefix, readable};

/// What came first on a stream.
#[derive(Debug)]
pub(super) enum First {
    /// A head of HTTP, which has been read.
    Head(Vec<u8>),
    /// Something else, or what is not whole: still to be read.
    Other,
}

/// Reads a head, and nothing behind it.
///
/// # Errors
/// Those of the stream.
pub(super) async fn read(stream: &mut Stream) -> io::Result<First> {
    while matches!(sniff(stream.early()), Sniff::NeedMore) {
        if stream.look().await? == 0 {
            return Ok(First::Other);
        }
    }
    if sniff(stream.early()) == Sniff::Neither {
        return Ok(First::Other);
    }
    let (mut reader, mut seen) = (HeadReader::new(), 0);
    loop {
        let progress = reader.push(&stream.early()[seen..]);
        seen += progress.consumed;
        match progress.state {
            HeadState::Complete => {
                stream.skip(seen);
                return Ok(First::Head(reader.bytes().to_vec()));
            }
            HeadState::Overflowing => return Ok(First::Other),
            HeadState::Reading => {}
        }
        if stream.look().await? == 0 {
            return Ok(First::Other);
        }
    }
}

/// A head taken apart.
pub(super) fn parse(bytes: &[u8]) -> Head<'_> {
    Head::parse(bytes, SourceId::Input, 0)
}

/// Method and target of a request.
pub(super) fn request<'a>(head: &Head<'a>) -> Option<[&'a [u8]; 2]> {
    match head.start {
        StartLine::Request { method, target, .. } => Some([method.bytes, target.bytes]),
        StartLine::Response { .. } => None,
    }
}

/// Whether it asks for a WebSocket, or switches to it (RFC 6455 §4.1, §4.2.2).
pub(super) fn is_upgrade(head: &Head<'_>) -> bool {
    let mut tokens = head.values("upgrade").flat_map(|value| value.bytes.split(|byte| *byte == b','));
    tokens.any(|token| token.trim_ascii().eq_ignore_ascii_case(b"websocket"))
}

/// Whether who sends a request understands chunks: HTTP/1.0 does not (RFC 9112 §7.1).
pub(super) fn takes_chunks(head: &Head<'_>) -> bool {
    matches!(head.start, StartLine::Request { version, .. } if version.bytes == b"HTTP/1.1")
}

/// What codes the content behind a head (RFC 9110 §8.4), if something does.
pub(super) fn coding(head: &Head<'_>) -> Option<String> {
    /// Characters of it that are named.
    const NAMED: usize = 40;
    (!codings(head).is_none()).then(|| readable(prefix(&named_codings(head), NAMED)))
}

/// What every request asks for instead, and of whom.
#[derive(Clone, Debug, Default)]
pub(super) struct Address {
    /// Path and query.
    pub resource: Option<String>,
    /// The value of `Host`.
    pub host: Option<String>,
}

impl Address {
    /// Whether it changes anything.
    pub fn is_other(&self) -> bool {
        self.resource.is_some() || self.host.is_some()
    }

    /// What becomes of a request.
    pub fn edits(&self, head: &Head<'_>) -> Edits {
        let mut edits = Edits::default();
        if let Some(resource) = &self.resource {
            edits.target(head, resource.as_bytes());
        }
        if let Some(host) = &self.host {
            edits.value(head, "host", host.as_bytes());
        }
        edits
    }
}

/// Changes to a head.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, Vec<u8>)>);

impl Edits {
    /// Takes out the fields of these names.
    pub fn without(&mut self, head: &Head<'_>, names: &[&str]) {
        for field in &head.headers {
            if names.iter().any(|name| field.name.bytes.eq_ignore_ascii_case(name.as_bytes())) {
                let end = head.bytes[field.value.end()..].iter().position(|byte| *byte == b'\n');
                let end = end.map_or(head.bytes.len(), |end| field.value.end() + end + 1);
                self.0.push((field.name.at..end, Vec::new()));
            }
        }
    }

    /// Gives the fields of this name another value, and says whether there is one.
    pub fn value(&mut self, head: &Head<'_>, name: &str, value: &[u8]) -> bool {
        let mut found = false;
        for field in head.values(name) {
            self.0.push((field.at..field.end(), value.to_vec()));
            found = true;
        }
        found
    }

    /// Adds a field at the end.
    pub fn field(&mut self, head: &Head<'_>, name: &str, value: &str) {
        let end = head.bytes.len() - if head.bytes.ends_with(b"\r\n") { 2 } else { 1 };
        self.0.push((end..end, format!("{name}: {value}\r\n").into_bytes()));
    }

    /// Asks for another resource.
    pub fn target(&mut self, head: &Head<'_>, target: &[u8]) {
        if let StartLine::Request { target: old, .. } = head.start {
            self.0.push((old.at..old.end(), target.to_vec()));
        }
    }

    /// The head as it is now.
    pub fn apply(mut self, bytes: &[u8]) -> Vec<u8> {
        self.0.sort_by_key(|(range, _)| range.start);
        let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
        for (range, new) in self.0 {
            // What was taken out is not changed besides.
            if range.start >= at {
                out.extend_from_slice(&bytes[at..range.start]);
                out.extend_from_slice(&new);
                at = range.end;
            }
        }
        out.extend_from_slice(&bytes[at..]);
        out
    }
}

/// A whole answer of the proxy's own, behind which the connection ends.
pub(super) fn answer(status: u16, reason: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status} {reason}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n\
         Connection: close\r\nVia: 1.1 wstool\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] =
        b"GET http://a/b HTTP/1.1\r\nHost: a\r\nUPGRADE:  h2c , WebSocket \r\nX:\r\n y\r\n\r\n";

    #[test]
    fn what_is_not_changed_stays() {
        let head = parse(HEAD);
        assert!(is_upgrade(&head));
        assert_eq!(request(&head), Some([&b"GET"[..], b"http://a/b"]));
        assert_eq!(Edits::default().apply(HEAD), HEAD);
        let mut edits = Edits::default();
        edits.target(&head, b"/b");
        edits.without(&head, &["upgrade", "x"]);
        assert!(edits.value(&head, "host", b"elsewhere") && !edits.value(&head, "origin", b"x"));
        edits.field(&head, "Connection", "close");
        let changed = edits.apply(HEAD);
        assert_eq!(changed.as_slice(), b"GET /b HTTP/1.1\r\nHost: elsewhere\r\nConnection: close\r\n\r\n");
    }

    #[test]
    fn an_answer_says_how_long_it_is() {
        let answer = answer(502, "Bad Gateway", "é");
        assert!(
            answer.ends_with(b"Content-Length: 2\r\nConnection: close\r\nVia: 1.1 wstool\r\n\r\n\xc3\xa9")
        );
    }
}
