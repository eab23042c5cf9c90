//! The target of a request as it came: hyper leaves out what stands behind a `#`.

use std::sync::{Arc, Mutex};

use crate::lab::hub::held;
use crate::lab::overheard::Listener;
use crate::limits;

/// Listens to requests: the request line that came last.
#[derive(Clone, Debug, Default)]
pub struct Line(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// It is whole, or none: what comes is something else.
    is_over: bool,
    /// No further requests come.
    is_last: bool,
}

impl Line {
    /// The target, if a request line came.
    pub fn target(&self) -> Option<Vec<u8>> {
        let state = held(&self.0);
        let line = state.bytes.strip_suffix(b"\n")?;
        let mut words = line.strip_suffix(b"\r").unwrap_or(line).split(|byte| *byte == b' ');
        let (_, target, version) = (words.next()?, words.next()?, words.next()?);
        (version.starts_with(b"HTTP/1.") && words.next().is_none()).then(|| target.to_vec())
    }

    /// What comes from now on is no HTTP.
    pub fn is_last(&self) {
        *held(&self.0) = State { is_over: true, is_last: true, ..State::default() };
    }

    /// An answer goes out: what comes behind it is the next request.
    fn answered(&self) {
        let mut state = held(&self.0);
        if !state.is_last {
            *state = State::default();
        }
    }
}

impl Listener for Line {
    fn came(&self, bytes: &[u8]) {
        let mut state = held(&self.0);
        if state.is_over {
            return;
        }
        let end = bytes.iter().position(|byte| *byte == b'\n');
        let line = &bytes[..end.map_or(bytes.len(), |at| at + 1)];
        state.bytes.extend_from_slice(line);
        state.is_over = end.is_some() || state.bytes.len() > limits::HTTP_HEAD;
    }

    fn went(&self, _bytes: &[u8]) {
        self.answered();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_kept_as_it_came() {
        let target = |pieces: &[&[u8]]| {
            let line = Line::default();
            for piece in pieces {
                line.came(piece);
            }
            line.target().map(|target| String::from_utf8(target).unwrap())
        };
        assert_eq!(target(&[b"GET /echo#top HTTP/1.1\r\nHost: a\r\n"]).as_deref(), Some("/echo#top"));
        assert_eq!(target(&[b"GET /e", b"cho HTTP/1.1\r", b"\nHost"]).as_deref(), Some("/echo"));
        for none in [&b"GET /echo HTTP/1.1\r"[..], b"Host: a\r\n", b"\x81\x05hello\n", b"a b c\r\n", b"\n"] {
            assert_eq!(target(&[none]), None, "{}", none.escape_ascii());
        }
    }

    #[test]
    fn behind_an_answer_comes_the_next_request() {
        let line = Line::default();
        line.came(b"GET /one HTTP/1.1\r\n\r\n");
        line.answered();
        assert_eq!(line.target(), None);
        line.came(b"GET /two HTTP/1.1\r\n\r\n");
        assert_eq!(line.target().as_deref(), Some(&b"/two"[..]));
        line.is_last();
        line.answered();
        line.came(b"GET /three HTTP/1.1\r\n\r\n");
        assert_eq!(line.target(), None);
    }
}
