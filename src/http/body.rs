//! How far the body of an ordinary HTTP/1.1 message reaches (RFC 9112 §6).
//!
//! Bodies matter for two things: what a server says when it refuses, and where
//! the next head begins. So a body is skipped, and only its first bytes are kept.

use std::borrow::Cow;

use crate::coding::Codings;
use crate::limits::{HTTP_BODY_PREVIEW, REFUSAL_READ};

use super::coding;
use super::head::Head;

/// A body being skipped, in any pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    left: Left,
    preview: Vec<u8>,
    /// How many bytes are kept.
    keep: usize,
    codings: Codings,
    length: u64,
    framing: u64,
    malformed: bool,
}

/// What is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    Bytes(u64),
    UntilClose,
    Chunked(Chunk),
    /// A hole lay over the framing of chunks: where the next one begins is [sought](Body::find).
    Sought,
}

/// Where in a chunked body (RFC 9112 §7.1) the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Chunk {
    /// In the digits of a chunk's size.
    Size {
        size: u64,
        digits: u8,
    },
    /// Behind the digits, before the line's end.
    Extension {
        size: u64,
    },
    Data {
        left: u64,
    },
    /// Between a chunk's last byte and the end of its line.
    DataEnd,
    /// In a trailer line, or in the empty one that ends the body.
    Trailer {
        empty: bool,
    },
}

impl Body {
    /// The body that follows a request.
    pub fn for_request(head: &Head<'_>) -> Self {
        Self::framed(head).unwrap_or(Self::new(Left::Nothing))
    }

    /// The body that follows a response. `method` is that of the request, where known.
    pub fn for_response(head: &Head<'_>, method: Option<&str>) -> Self {
        let status = head.status().unwrap_or(200);
        let none = matches!(status, 100..=199 | 204 | 304)
            || method == Some("HEAD")
            || (method == Some("CONNECT") && matches!(status, 200..=299));
        if none {
            return Self::new(Left::Nothing);
        }
        Self::framed(head).unwrap_or(Self::new(Left::UntilClose)).coded(head)
    }

    /// Content whose end is told by something else, such as a stream of HTTP/2.
    pub fn until_end() -> Self {
        Self::new(Left::UntilClose)
    }

    /// The same, in the codings that a head names.
    #[must_use]
    pub fn coded(self, head: &Head<'_>) -> Self {
        Self { codings: coding::codings(head), ..self }
    }

    fn framed(head: &Head<'_>) -> Option<Self> {
        let coding = head.values("Transfer-Encoding").last();
        if let Some(coding) = coding {
            let last = coding.bytes.rsplit(|b| *b == b',').next().unwrap_or_default().trim_ascii();
            let chunked = last.eq_ignore_ascii_case(b"chunked");
            return Some(Self::new(if chunked { Left::Chunked(Chunk::START) } else { Left::UntilClose }));
        }
        let mut lengths = head.values("Content-Length").flat_map(|v| v.bytes.split(|b| *b == b','));
        let first = lengths.next().map(|text| decimal(text.trim_ascii()))?;
        let agreed = lengths.all(|text| decimal(text.trim_ascii()) == first);
        Some(match first.filter(|_| agreed) {
            Some(0) => Self::new(Left::Nothing),
            Some(length) => Self::new(Left::Bytes(length)),
            // Lengths that contradict each other are how requests are smuggled: nothing behind is sure.
            None => Self { malformed: true, ..Self::new(Left::UntilClose) },
        })
    }

    fn new(left: Left) -> Self {
        Self {
            left,
            preview: Vec::new(),
            keep: HTTP_BODY_PREVIEW,
            codings: Codings::default(),
            length: 0,
            framing: 0,
            malformed: false,
        }
    }

    /// A content of so many bytes that is over, of which these are the first.
    pub fn whole(first: &[u8], length: u64) -> Self {
        Self { preview: first.to_vec(), length, ..Self::new(Left::Nothing) }
    }

    /// Keeps the first `most` bytes instead.
    #[must_use]
    pub fn keeping(mut self, most: usize) -> Self {
        self.keep = most;
        self
    }

    /// Whether as much as is to be kept is there.
    pub fn is_full(&self) -> bool {
        self.preview.len() >= self.keep
    }

    /// Takes bytes: how many of them belong to the body, and whether it is over.
    pub fn push(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while at < bytes.len() && self.left != Left::Nothing {
            at += self.step(&bytes[at..]);
        }
        (at, self.is_done())
    }

    /// The same up to the end of the next run of content, or to where trailer fields begin: how many bytes
    /// were taken, and how many of them, the last ones, are content.
    pub fn next_content(&mut self, bytes: &[u8]) -> (usize, usize) {
        let (mut at, had_content) = (0, !self.is_in_trailer());
        while at < bytes.len() && self.left != Left::Nothing {
            let before = self.length;
            at += self.step(&bytes[at..]);
            if self.length > before {
                return (at, (self.length - before) as usize);
            }
            if had_content && self.is_in_trailer() {
                break;
            }
        }
        (at, 0)
    }

    /// Whether what comes next is trailer fields, or the empty line that ends the body (RFC 9112 §7.1.2).
    pub fn is_in_trailer(&self) -> bool {
        matches!(self.left, Left::Chunked(Chunk::Trailer { .. }))
    }

    /// Whether the body is over. One that lasts until the connection is closed never is.
    pub fn is_done(&self) -> bool {
        self.left == Left::Nothing
    }

    /// Whether only the end of the connection ends the body.
    pub fn is_until_close(&self) -> bool {
        self.left == Left::UntilClose
    }

    /// Whether its framing is broken, so that what follows is guessed.
    pub fn is_malformed(&self) -> bool {
        self.malformed
    }

    /// The first bytes of the content, without chunk framing, at most [`HTTP_BODY_PREVIEW`]
    /// unless more were asked for.
    pub fn preview(&self) -> &[u8] {
        &self.preview
    }

    /// The first bytes of what it says, without chunk framing and without its codings: at most
    /// [`REFUSAL_READ`].
    pub fn plain(&self) -> Cow<'_, [u8]> {
        self.codings.plain(&self.preview, REFUSAL_READ).bytes
    }

    /// Bytes of content so far, without chunk framing.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Bytes of chunk framing so far.
    pub fn framing(&self) -> u64 {
        self.framing
    }

    /// Passes over bytes that are missing; whether it is known how what follows is framed.
    pub fn miss(&mut self, length: u64) -> bool {
        match self.left {
            Left::UntilClose => true,
            Left::Bytes(left) if left > length => {
                self.left = Left::Bytes(left - length);
                true
            }
            Left::Chunked(Chunk::Data { left }) if left >= length => {
                let left = left - length;
                self.left = Left::Chunked(if left == 0 { Chunk::DataEnd } else { Chunk::Data { left } });
                true
            }
            Left::Chunked(_) | Left::Sought => {
                self.left = Left::Sought;
                false
            }
            // It ends within what is missing.
            Left::Bytes(_) | Left::Nothing => {
                self.left = Left::Nothing;
                false
            }
        }
    }

    /// Whether the next chunk is sought behind a hole.
    pub fn is_sought(&self) -> bool {
        self.left == Left::Sought
    }

    /// What was found behind a hole was none: it is sought anew.
    pub fn seek(&mut self) {
        (self.left, self.malformed) = (Left::Sought, false);
    }

    /// Where in bytes behind a hole the next chunk is likely to begin: a chunk that is whole in them, with
    /// the line of its size in front and another one, or nothing, behind; `fits` says what its content
    /// may be.
    pub fn find(&mut self, bytes: &[u8], fits: impl Fn(&[u8]) -> bool) -> Option<usize> {
        let lines = memchr::memmem::find_iter(bytes, b"\r\n").map(|end| end + 2);
        let found = std::iter::once(0).chain(lines).find(|from| chunk(&bytes[*from..]).is_some_and(&fits))?;
        self.left = Left::Chunked(Chunk::START);
        Some(found)
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.keep.saturating_sub(self.preview.len());
        self.preview.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.length += bytes.len() as u64;
    }

    /// Takes at least one byte.
    fn step(&mut self, bytes: &[u8]) -> usize {
        let within = |left: u64| usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
        match self.left {
            Left::Nothing => 0,
            Left::UntilClose => {
                self.keep(bytes);
                bytes.len()
            }
            Left::Sought => bytes.len(),
            Left::Bytes(left) => {
                let taken = within(left);
                self.keep(&bytes[..taken]);
                let left = left - taken as u64;
                self.left = if left == 0 { Left::Nothing } else { Left::Bytes(left) };
                taken
            }
            Left::Chunked(Chunk::Data { left }) => {
                let taken = within(left);
                self.keep(&bytes[..taken]);
                let left = left - taken as u64;
                self.left = Left::Chunked(if left == 0 { Chunk::DataEnd } else { Chunk::Data { left } });
                taken
            }
            Left::Chunked(chunk) => {
                self.framing += 1;
                self.left = chunk.line(bytes[0]).unwrap_or_else(|| {
                    self.malformed = true;
                    Left::UntilClose
                });
                1
            }
        }
    }
}

impl Chunk {
    const START: Self = Self::Size { size: 0, digits: 0 };

    /// Takes one byte of the framing; `None` when it cannot stand there.
    fn line(self, byte: u8) -> Option<Left> {
        /// Hexadecimal digits of the largest size that fits 64 bits.
        const MOST: u8 = 16;
        let chunk = |chunk| Some(Left::Chunked(chunk));
        match (self, byte) {
            (Self::Size { size, digits }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') if digits < MOST => {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                chunk(Self::Size { size: size << 4 | digit, digits: digits + 1 })
            }
            (Self::Size { size, digits: 1.. } | Self::Extension { size }, b'\n') => {
                chunk(if size == 0 { Self::Trailer { empty: true } } else { Self::Data { left: size } })
            }
            (Self::Size { size, digits: 1.. }, b';' | b'\r' | b' ' | b'\t') => {
                chunk(Self::Extension { size })
            }
            (Self::Extension { size }, _) => chunk(Self::Extension { size }),
            (Self::DataEnd, b'\r') => chunk(Self::DataEnd),
            (Self::DataEnd, b'\n') => chunk(Self::START),
            (Self::Trailer { empty: true }, b'\n') => Some(Left::Nothing),
            (Self::Trailer { .. }, b'\n') => chunk(Self::Trailer { empty: true }),
            (Self::Trailer { empty }, _) => chunk(Self::Trailer { empty: empty && byte == b'\r' }),
            (Self::Size { .. } | Self::DataEnd | Self::Data { .. }, _) => None,
        }
    }
}

/// The content of a chunk that is whole, and with which bytes begin, if another one begins behind it or
/// nothing does.
fn chunk(bytes: &[u8]) -> Option<&[u8]> {
    /// Digits of the largest size that is taken for one.
    const MOST: usize = 8;
    let digits = bytes.iter().take(MOST).take_while(|byte| byte.is_ascii_hexdigit()).count();
    let size = usize::from_str_radix(std::str::from_utf8(&bytes[..digits]).ok()?, 16).ok()?;
    let data = bytes[digits..].strip_prefix(b"\r\n")?;
    let behind = data.get(size..)?.strip_prefix(b"\r\n")?;
    let fits = size > 0 && behind.first().is_none_or(u8::is_ascii_hexdigit);
    fits.then_some(&data[..size])
}

fn decimal(text: &[u8]) -> Option<u64> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits.then_some(text)?.iter().try_fold(0u64, |n, d| n.checked_mul(10)?.checked_add(u64::from(d - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SourceId;

    fn response(head: &str, method: Option<&str>) -> Body {
        let bytes = format!("{head}\r\n\r\n");
        Body::for_response(&Head::parse(bytes.as_bytes(), SourceId::Input, 0), method)
    }

    /// Head, method, what follows, how much of it is body, whether it ends, content.
    type Case = (&'static str, Option<&'static str>, &'static [u8], usize, bool, &'static [u8]);

    #[test]
    fn bodies_end_where_their_heads_say() {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked";
        let cases: &[Case] = &[
            ("HTTP/1.1 403 Forbidden\r\nContent-Length: 4", None, b"nope\x81", 4, true, b"nope"),
            ("HTTP/1.1 403 Forbidden\r\nContent-Length: 4, 4", None, b"nope\x81", 4, true, b"nope"),
            ("HTTP/1.1 403 Forbidden\r\nContent-Length: 9", None, b"nope", 4, false, b"nope"),
            ("HTTP/1.1 403 Forbidden", None, b"nope", 4, false, b"nope"),
            ("HTTP/1.1 101 Switching Protocols\r\nContent-Length: 4", None, b"\x81\0", 0, true, b""),
            ("HTTP/1.1 204 No Content", None, b"x", 0, true, b""),
            ("HTTP/1.1 304 Not Modified\r\nContent-Length: 4", None, b"x", 0, true, b""),
            ("HTTP/1.1 200 OK\r\nContent-Length: 4", Some("HEAD"), b"x", 0, true, b""),
            ("HTTP/1.1 200 OK", Some("CONNECT"), b"x", 0, true, b""),
            (chunked, None, b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\nHTTP", 30, true, b"abcde"),
            (chunked, None, b"0\r\n\r\n", 5, true, b""),
        ];
        for (head, method, bytes, consumed, done, preview) in cases {
            let mut body = response(head, *method);
            assert_eq!(body.push(bytes), (*consumed, *done), "{head}");
            assert_eq!(body.preview(), *preview, "{head}");
            assert!(!body.is_malformed());
            let mut bytewise = response(head, *method);
            let taken = bytes.iter().map(|b| bytewise.push(&[*b]).0).sum::<usize>();
            assert_eq!((taken, bytewise.preview()), (*consumed, *preview), "{head}, byte by byte");
        }
    }

    #[test]
    fn broken_framing_goes_on_until_the_connection_closes() {
        for (head, bytes) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5", &b"abcd"[..]),
            ("HTTP/1.1 200 OK\r\nContent-Length: -4", b"abcd"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999", b"abcd"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"xyz"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", b"11111111111111111\r\n"),
        ] {
            let mut body = response(head, None);
            assert_eq!(body.push(bytes), (bytes.len(), false), "{head}");
            assert!(body.is_malformed() && body.is_until_close(), "{head}");
        }
    }

    #[test]
    fn a_huge_length_allocates_nothing_and_does_not_wrap() {
        let mut body = response("HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615", None);
        assert_eq!(body.push(&[b'a'; 10_000]), (10_000, false));
        assert_eq!((body.preview().len(), body.length()), (HTTP_BODY_PREVIEW, 10_000));
    }

    #[test]
    fn behind_a_hole_a_chunk_is_found_where_nothing_speaks_against_it() {
        let after = |missing: u64, bytes: &[u8]| {
            let mut body = response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", None);
            body.push(b"6\r\nab");
            if body.miss(missing) {
                return (body.next_content(bytes), None);
            }
            let found = body.find(bytes, |content| content != b"no");
            (body.next_content(&bytes[found.unwrap_or_default()..]), found)
        };
        assert_eq!(after(3, b"f\r\n1\r\ng\r\n"), ((1, 1), None), "within a chunk");
        assert_eq!(after(4, b"\r\n1\r\ng\r\n"), ((6, 1), None), "up to its end");
        assert_eq!(after(9, b"3\r\nabc\r\n1\r\ng\r\n"), ((6, 3), Some(0)), "a chunk begins");
        assert_eq!(after(9, b"x\r\n3\r\nabc\r\n"), ((6, 3), Some(3)));
        assert_eq!(after(9, b"3\r\nabcd\r\n"), ((9, 0), None), "longer than it says");
        assert_eq!(after(9, b"3\r\nabc\r\nx"), ((9, 0), None), "no size behind it");
        assert_eq!(after(9, b"data: 3\r\n\r\n"), ((11, 0), None));
        assert_eq!(after(9, b"2\r\nno\r\n2\r\nab\r\n"), ((5, 2), Some(7)), "no such content");
        assert_eq!(after(9, b"FFFFFFFFFFFFFFFFF\r\nab\r\n"), ((23, 0), None));
    }

    #[test]
    fn content_ends_where_trailer_fields_begin() {
        let bytes = b"2\r\nab\r\n0;x\r\nA: b\r\nC: d\r\n\r\nHTTP";
        let mut body = response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", None);
        assert_eq!((body.next_content(bytes), body.is_in_trailer()), ((5, 2), false));
        assert_eq!((body.next_content(&bytes[5..]), body.is_in_trailer()), ((7, 0), true));
        assert_eq!((body.next_content(&bytes[12..]), body.is_done()), ((14, 0), true));
    }

    #[test]
    fn a_request_without_framing_has_no_body() {
        let head = Head::parse(b"GET / HTTP/1.1\r\n\r\n", SourceId::Input, 0);
        assert!(Body::for_request(&head).is_done());
    }
}
