//! Server-sent events on their way through: each is held until it is whole, so that something can be done to
//! it.
//!
//! Where the answer is chunked, each event is passed on in a chunk of its own. What dispatches nothing
//! (comments, an id alone) passes, and so does what is too long.

use super::rule::Content;
use crate::http::stream::{Kind, Reader, Run, dispatched};
use crate::limits;
use crate::model::{Dir, ON, Opcode};

/// What is to be passed on next of a stream of events.
#[derive(Debug)]
pub(super) enum Flown {
    /// This, which is no event.
    Bytes(Vec<u8>),
    /// An event, if something is not done to it.
    Event(Box<Event>),
}

/// An event that is whole.
#[derive(Debug)]
pub(super) struct Event {
    /// As it came, with the empty line that ends it.
    raw: Vec<u8>,
    is_chunked: bool,
    /// What rules look at: its data, and its name.
    pub content: Content,
}

impl Event {
    /// The bytes that go on: as they came, or with other data.
    pub fn bytes(self, data: Option<Vec<u8>>) -> Vec<u8> {
        framed(data.map_or(self.raw.clone(), |data| with_data(&self.raw, &data)), self.is_chunked)
    }
}

/// Divides the content of an answer into events.
pub(super) struct Events {
    reader: Reader,
    /// What came of the event under way.
    pending: Vec<u8>,
    is_chunked: bool,
    /// The event under way is too long to be held.
    passes: bool,
}

impl Events {
    /// Nothing has come yet; `is_chunked` says how the content is framed.
    pub fn new(is_chunked: bool) -> Self {
        Self { reader: Reader::of(&Kind::Events), pending: Vec::new(), is_chunked, passes: false }
    }

    /// Takes content, without its framing, and gives what is to be passed on.
    pub fn push(&mut self, content: &[u8], pieces: &mut Vec<Flown>) {
        for line in lines(content) {
            self.pending.extend_from_slice(line);
            let (mut is_over, mut said) = (false, None);
            let run = Run { bytes: line, packet: 0, offset: 0, inflated: false };
            let _ = self.reader.push(run, &mut |seen| {
                is_over = true;
                said = if seen.is_cut() { None } else { dispatched(seen) };
                ON
            });
            self.passes |= self.pending.len() > limits::PROXY_HELD;
            let is_blank = self.pending.iter().all(|byte| matches!(byte, b'\r' | b'\n'));
            match said.filter(|_| !self.passes) {
                Some((name, data)) => {
                    let raw = std::mem::take(&mut self.pending);
                    let kind = if std::str::from_utf8(&data).is_ok() { Opcode::TEXT } else { Opcode::BINARY };
                    let content = Content {
                        from: Dir::Server,
                        kind,
                        payload: data,
                        cut: false,
                        compressed: false,
                        event: Some(String::from_utf8_lossy(&name).into_owned()),
                        is_named_apart: true,
                    };
                    let is_chunked = self.is_chunked;
                    pieces.push(Flown::Event(Box::new(Event { raw, is_chunked, content })));
                }
                None if is_over || self.passes || is_blank => {
                    pieces.extend(self.flush());
                    self.passes &= !is_over;
                }
                None => {}
            }
        }
    }

    /// What is held, as it is passed on.
    pub fn flush(&mut self) -> Option<Flown> {
        let held = std::mem::take(&mut self.pending);
        (!held.is_empty()).then(|| Flown::Bytes(framed(held, self.is_chunked)))
    }

    /// The content is over: what is held, and the last chunk, behind which trailer fields may come, and an
    /// empty line does.
    pub fn end(&mut self, pieces: &mut Vec<Flown>) {
        pieces.extend(self.flush());
        if self.is_chunked {
            pieces.push(Flown::Bytes(b"0\r\n".to_vec()));
        }
    }
}

/// The content as a chunk, where it is chunked (RFC 9112 §7.1).
fn framed(content: Vec<u8>, is_chunked: bool) -> Vec<u8> {
    if !is_chunked {
        return content;
    }
    [format!("{:x}\r\n", content.len()).as_bytes(), &content, b"\r\n"].concat()
}

/// The lines of content, each with what ends it.
fn lines(content: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = content;
    std::iter::from_fn(move || {
        let end = match memchr::memchr2(b'\r', b'\n', rest) {
            Some(end) if rest[end..].starts_with(b"\r\n") => end + 2,
            Some(end) => end + 1,
            None => rest.len(),
        };
        let (line, behind) = rest.split_at(end);
        rest = behind;
        (!line.is_empty()).then_some(line)
    })
}

/// A line without what ends it.
fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// An event with other data, whose lines stand where the first of its own stood.
fn with_data(event: &[u8], data: &[u8]) -> Vec<u8> {
    let mark = if event.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
    let mut out = event[..mark].to_vec();
    let mut new = Some(data);
    for line in lines(&event[mark..]) {
        let text = without_end(line);
        if text != b"data" && !text.starts_with(b"data:") {
            out.extend_from_slice(line);
            continue;
        }
        let Some(data) = new.take() else { continue };
        let end = &line[text.len()..];
        // A line end in it would end the field.
        for text in lines(data).map(without_end) {
            out.extend([b"data: ", text, end].concat());
        }
        if data.is_empty() || data.ends_with(b"\n") || data.ends_with(b"\r") {
            out.extend([b"data: ", end].concat());
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What passes of content in pieces of a size: events by name and data, and all as it is passed on.
    fn passed(content: &[u8], size: usize, is_chunked: bool) -> (Vec<(String, String)>, Vec<u8>) {
        let (mut events, mut pieces, mut bytes, mut said) =
            (Events::new(is_chunked), Vec::new(), Vec::new(), Vec::new());
        for part in content.chunks(size) {
            events.push(part, &mut pieces);
        }
        events.end(&mut pieces);
        for piece in pieces {
            match piece {
                Flown::Event(event) => {
                    let Content { event: name, payload, .. } = event.content.clone();
                    said.push((name.unwrap_or_default(), String::from_utf8(payload).unwrap()));
                    bytes.extend(event.bytes(None));
                }
                Flown::Bytes(more) => bytes.extend(more),
            }
        }
        (said, bytes)
    }

    #[test]
    fn events_pass_as_they_came_in_any_pieces() {
        let content =
            b"\xEF\xBB\xBF: hi\n\nevent: a\r\ndata: 1\r\ndata: 2\r\n\r\nid: 7\n\ndata: x\r\rdata: 9";
        let expected = [("a", "1\n2"), ("message", "x")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        for size in 1..=content.len() {
            assert_eq!(passed(content, size, false), (expected.to_vec(), content.to_vec()), "{size}");
        }
    }

    #[test]
    fn each_event_is_a_chunk() {
        let (_, bytes) = passed(b"data: 1\n\ndata: 2\n\n:\n\n", 100, true);
        let expected = b"9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n2\r\n:\n\r\n1\r\n\n\r\n0\r\n";
        assert_eq!(bytes, expected, "{}", bytes.escape_ascii());
    }

    #[test]
    fn what_is_too_long_is_not_held() {
        let long = [b"data: ", &vec![b'x'; limits::PROXY_HELD][..], b"\n\ndata: 2\n\n"].concat();
        let (said, bytes) = passed(&long, 1000, false);
        assert_eq!((said, bytes), (vec![("message".to_owned(), "2".to_owned())], long));
    }

    #[test]
    fn other_data_stand_where_the_first_stood() {
        for (event, data, expected) in [
            (&b"id: 1\ndata: a\ndata: b\nevent: x\n\n"[..], "c", &b"id: 1\ndata: c\nevent: x\n\n"[..]),
            (b"data: a\r\n\r\n", "b\nc\r\nd", b"data: b\r\ndata: c\r\ndata: d\r\n\r\n"),
            (b"data\n\n", "", b"data: \n\n"),
            (b"\xEF\xBB\xBFdata:a\n\n", "b\n", b"\xEF\xBB\xBFdata: b\ndata: \n\n"),
        ] {
            let got = with_data(event, data.as_bytes());
            assert_eq!(got, expected, "{}", got.escape_ascii());
        }
    }
}
