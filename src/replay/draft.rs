//! Recorded heads made ready for a live peer: what must change is spliced in, all
//! else stays byte for byte as it was recorded.

use crate::http::{Head, KeyProblem, StartLine, check_key};
use crate::model::SourceId;

/// A head being edited.
#[derive(Clone, Debug)]
pub struct Draft {
    bytes: Vec<u8>,
}

impl Draft {
    /// A copy of a recorded head; one that was cut off is ended.
    pub fn new(head: &[u8]) -> Self {
        let mut bytes = head.to_vec();
        if !(bytes.ends_with(b"\n\r\n") || bytes.ends_with(b"\n\n")) {
            if !bytes.ends_with(b"\n") {
                bytes.extend_from_slice(b"\r\n");
            }
            bytes.extend_from_slice(b"\r\n");
        }
        Self { bytes }
    }

    /// The head as it stands now.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The head as it stands now, for good.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    fn head(&self) -> Head<'_> {
        Head::parse(&self.bytes, SourceId::Input, 0)
    }

    /// Whether there is a field called so.
    pub fn has(&self, name: &str) -> bool {
        self.head().values(name).next().is_some()
    }

    /// Whether there is a key that stands for 16 bytes, if not canonically.
    pub(super) fn has_key(&self) -> bool {
        let head = self.head();
        let key = head.values("Sec-WebSocket-Key").next().map(|key| check_key(key.bytes));
        matches!(key, Some(Ok(_) | Err(KeyProblem::NonCanonical { .. })))
    }

    /// Replaces the value of the first field called so, or adds the field.
    pub fn set(&mut self, name: &str, value: &str) {
        let found = self.head().values(name).next().map(|part| part.at..part.end());
        match found {
            Some(range) => drop(self.bytes.splice(range, value.bytes())),
            None => self.add(name, value),
        }
    }

    /// Adds a field behind the others.
    pub fn add(&mut self, name: &str, value: &str) {
        let empty_line = if self.bytes.ends_with(b"\r\n") { 2 } else { 1 };
        let at = self.bytes.len() - empty_line;
        drop(self.bytes.splice(at..at, format!("{name}: {value}\r\n").bytes()));
    }

    /// Takes out every field called so.
    pub fn remove(&mut self, name: &str) {
        let lines: Vec<_> = {
            let head = self.head();
            let named = head.headers.iter().filter(|header| header.is(name));
            named
                .map(|header| {
                    let end = self.bytes[header.value.end()..].iter().position(|b| *b == b'\n');
                    header.name.at..end.map_or(self.bytes.len(), |end| header.value.end() + end + 1)
                })
                .collect()
        };
        for range in lines.into_iter().rev() {
            drop(self.bytes.drain(range));
        }
    }

    /// Replaces the request target.
    pub fn set_target(&mut self, target: &str) {
        let found = match self.head().start {
            StartLine::Request { target, .. } => target.at..target.end(),
            StartLine::Response { .. } => return,
        };
        drop(self.bytes.splice(found, target.bytes()));
    }

    /// Replaces everything.
    pub(super) fn rewrite(&mut self, head: String) {
        self.bytes = head.into_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_must_change_changes() {
        let mut draft = Draft::new(b"GET /a HTTP/1.1\r\nhOST:  a \r\nX: 1\nx:2\r\nY: a\r\n b\r\n\r\n");
        draft.set("Host", "localhost:9000");
        draft.set("Origin", "null");
        draft.remove("X");
        draft.set_target("/b?c");
        assert_eq!(
            draft.bytes(),
            b"GET /b?c HTTP/1.1\r\nhOST:  localhost:9000 \r\nY: a\r\n b\r\nOrigin: null\r\n\r\n".as_slice()
        );
        draft.remove("y");
        assert!(!draft.has("Y"));
        assert_eq!(Draft::new(b"GET / HTTP/1.1\r\nA: b").bytes(), b"GET / HTTP/1.1\r\nA: b\r\n\r\n");
    }
}
