//! The head of an HTTP/1.1 message: gathering it, and taking it apart.
//!
//! [`HeadReader`] gathers bytes up to the empty line, whatever pieces they come
//! in, looking at each byte once. [`Head::parse`] takes the gathered bytes apart
//! without copying them. A head that httparse accepts costs one pass; one that it
//! refuses is split leniently by `lenient`, which names every fault and where it is.

mod lenient;
mod sniff;

pub(super) use lenient::{is_token, shown};
pub use sniff::{Sniff, sniff};

use std::borrow::Cow;
use std::mem::MaybeUninit;

use memchr::{memchr, memchr_iter};

use crate::limits::{HTTP_HEAD, HTTP_HEADERS};
use crate::model::{Dir, Finding, Rule, SourceId, Span, Text};

use super::fields::Index;
use super::{BARE_LINE_FEED, HEAD_TOO_LARGE, MALFORMED_REQUEST, MALFORMED_RESPONSE, STATUS_LACKS_SPACE};

/// Findings of one kind that are listed; what breaks a rule a thousand times is not a thousand findings.
pub(super) const LISTED: usize = 8;

/// Gathers the bytes of one head, in time linear in the bytes however they are cut.
#[derive(Debug, Default)]
pub struct HeadReader {
    bytes: Vec<u8>,
    /// Bytes seen, kept or not.
    total: u64,
    started: bool,
    line: Line,
    complete: bool,
}

/// What the line being read holds so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Line {
    #[default]
    Empty,
    Cr,
    More,
}

/// What became of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadProgress {
    /// How many of them belong to the head; those behind it are the body's, or the next protocol's.
    pub consumed: usize,
    /// Whether it is all there.
    pub state: HeadState,
}

/// How far a head has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadState {
    /// The empty line is still to come.
    Reading,
    /// The same, and [`HTTP_HEAD`] is reached: what comes is skipped.
    Overflowing,
    /// The empty line was seen.
    Complete,
}

impl HeadReader {
    /// Nothing of a head has come.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes up to and including the empty line that ends the head.
    ///
    /// Empty lines in front of the head belong to it (RFC 9112 §2.2). Nothing is
    /// consumed once the head is complete.
    pub fn push(&mut self, bytes: &[u8]) -> HeadProgress {
        let consumed = if self.complete { 0 } else { self.scan(bytes) };
        let room = HTTP_HEAD - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..consumed.min(room)]);
        self.total += consumed as u64;
        HeadProgress { consumed, state: self.state() }
    }

    fn scan(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        if !self.started {
            at = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
            self.started = at < bytes.len();
        }
        while let Some(end) = memchr(b'\n', &bytes[at..]) {
            let line = self.line.extend(&bytes[at..at + end]);
            at += end + 1;
            self.line = Line::Empty;
            if line != Line::More {
                self.complete = true;
                return at;
            }
        }
        self.line = self.line.extend(&bytes[at..]);
        bytes.len()
    }

    /// How far it has come.
    pub fn state(&self) -> HeadState {
        if self.complete {
            HeadState::Complete
        } else if self.total > HTTP_HEAD as u64 {
            HeadState::Overflowing
        } else {
            HeadState::Reading
        }
    }

    /// The bytes kept, at most [`HTTP_HEAD`] of them.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Length of the head in bytes so far, kept or not.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Takes apart what was gathered, complete or not. `offset` is where its
    /// first byte stands in `source`.
    pub fn parse(&self, source: SourceId, offset: u64) -> Head<'_> {
        Head::take_apart(&self.bytes, source, offset, self.total, true)
    }

    /// The same where the input ends, which is no fault of whoever sent the head.
    pub fn parse_cut(&self, source: SourceId, offset: u64) -> Head<'_> {
        Head::take_apart(&self.bytes, source, offset, self.total, false)
    }

    /// Makes ready for the next head, keeping the buffer.
    pub fn clear(&mut self) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        *self = Self { bytes, ..Self::default() };
    }
}

impl Line {
    fn extend(self, more: &[u8]) -> Self {
        match (self, more) {
            (line, []) => line,
            (Self::Empty, [b'\r']) => Self::Cr,
            _ => Self::More,
        }
    }
}

/// A head taken apart; everything lies in the bytes it was parsed from.
#[derive(Clone, Debug, PartialEq)]
pub struct Head<'a> {
    /// The head, its empty line included.
    pub bytes: &'a [u8],
    /// Where the bytes come from.
    pub source: SourceId,
    /// Where the first of them stands in `source`.
    pub offset: u64,
    /// The first line.
    pub start: StartLine<'a>,
    /// The header fields in order, at most [`HTTP_HEADERS`].
    pub headers: Vec<HeaderLine<'a>>,
    /// What is wrong with it as HTTP.
    pub findings: Vec<Finding>,
    /// It breaks the grammar in a way that no receiver may overlook. (A bare LF
    /// and a folded field may be: RFC 9112 §2.2, §5.2.)
    pub invalid: bool,
    /// Where the known header fields are.
    pub(super) index: Index,
}

/// Bytes of a head, and where in it they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Offset of the first byte in the head.
    pub at: usize,
}

/// The first line.
#[allow(missing_docs)] // The examples name the parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartLine<'a> {
    /// `GET /chat HTTP/1.1`; parts that are missing are empty.
    Request { method: Part<'a>, target: Part<'a>, version: Part<'a> },
    /// `HTTP/1.1 101 Switching Protocols`; parts that are missing are empty.
    Response { version: Part<'a>, status: Part<'a>, reason: Part<'a> },
}

/// A header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderLine<'a> {
    /// What stands before the colon.
    pub name: Part<'a>,
    /// Without surrounding white space. May hold line ends when the field was folded.
    pub value: Part<'a>,
}

impl<'a> Head<'a> {
    /// Takes a head apart. `bytes` end with its empty line, or where the stream
    /// ends; the first of them stands at byte `offset` of `source`. Never fails:
    /// what is wrong is in [`Head::findings`], what could be read is there.
    pub fn parse(bytes: &'a [u8], source: SourceId, offset: u64) -> Self {
        Self::take_apart(bytes, source, offset, bytes.len() as u64, true)
    }

    /// A head that came in another form than HTTP/1's and was written like it: `bytes` hold its parts, of
    /// which the first stands at byte `offset` of `source`.
    pub fn written(
        bytes: &'a [u8],
        source: SourceId,
        offset: u64,
        start: StartLine<'a>,
        headers: Vec<HeaderLine<'a>>,
    ) -> Self {
        let index = Index::of(headers.iter().map(|header| header.name.bytes));
        Self { bytes, source, offset, start, headers, findings: Vec::new(), invalid: false, index }
    }

    /// The same head in a stream that has got another name since.
    #[must_use]
    pub fn renamed(mut self, source: SourceId) -> Self {
        self.source = source;
        for span in self.findings.iter_mut().flat_map(|finding| &mut finding.spans) {
            span.source = source;
        }
        self
    }

    fn take_apart(bytes: &'a [u8], source: SourceId, offset: u64, total: u64, ended: bool) -> Self {
        let cut = total > bytes.len() as u64;
        let is_response = match source.sender() {
            Some(dir) => dir == Dir::Server,
            None => sniff(bytes) == Sniff::Response,
        };
        let strict = if cut { None } else { strict(bytes, is_response) };
        let mut head = if let Some((start, headers)) = strict {
            let index = Index::default();
            Self { bytes, source, offset, start, headers, findings: Vec::new(), invalid: false, index }
        } else {
            lenient::split(bytes, source, offset, is_response, ended && !cut)
        };
        head.index = Index::of(head.headers.iter().map(|header| header.name.bytes));
        if cut {
            let expected = Text::with("a head of at most {} bytes", HTTP_HEAD);
            let finding = Finding::new(&HEAD_TOO_LARGE, None, expected, Text::with("{} bytes so far", total));
            head.findings.push(finding.at(head.span(0, bytes.len())));
        }
        head.note_line_ends();
        head.note_target();
        head.note_reason();
        head
    }

    /// Whether it is a response; otherwise it is a request.
    pub fn is_response(&self) -> bool {
        matches!(self.start, StartLine::Response { .. })
    }

    /// Who sends such a head.
    pub fn dir(&self) -> Dir {
        if self.is_response() { Dir::Server } else { Dir::Client }
    }

    /// The status code, when it is a response with a number of three digits.
    pub fn status(&self) -> Option<u16> {
        let StartLine::Response { status, .. } = self.start else { return None };
        let digits = status.bytes.len() == 3 && status.bytes.iter().all(u8::is_ascii_digit);
        digits.then(|| status.bytes.iter().fold(0, |n, d| n * 10 + u16::from(d - b'0')))
    }

    /// Major and minor number of the HTTP version.
    pub fn version(&self) -> Option<(u8, u8)> {
        match self.start.version().bytes {
            [b'H', b'T', b'T', b'P', b'/', major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] => {
                Some((major - b'0', minor - b'0'))
            }
            b"HTTP/2" => Some((2, 0)),
            _ => None,
        }
    }

    /// The first line, lossily, without its line end.
    pub fn start_line(&self) -> Cow<'a, str> {
        let (first, last) = self.start.ends();
        let line = &self.bytes[first.at..last.end()];
        str::from_utf8(line).map_or_else(|_| String::from_utf8_lossy(line), Cow::Borrowed)
    }

    /// Where the first line stands.
    pub fn start_line_at(&self) -> Span {
        let (first, last) = self.start.ends();
        self.span(first.at, last.end() - first.at)
    }

    /// The bits of `len` bytes from byte `at` of the head.
    pub fn span(&self, at: usize, len: usize) -> Span {
        Span::bytes(self.source, self.offset.saturating_add(at as u64), len as u64)
    }

    /// Where a part stands.
    pub fn span_of(&self, part: Part<'_>) -> Span {
        self.span(part.at, part.bytes.len())
    }

    /// The values of the fields called `name` (compared without regard to case), in order.
    pub fn values<'h>(&'h self, name: &'h str) -> impl Iterator<Item = Part<'a>> + 'h {
        self.headers.iter().filter(move |h| h.is(name)).map(|h| h.value)
    }

    fn malformed(&self) -> &'static Rule {
        if self.is_response() { &MALFORMED_RESPONSE } else { &MALFORMED_REQUEST }
    }

    /// Lines end with CRLF; a bare LF is tolerated by many receivers and abused to smuggle requests.
    fn note_line_ends(&mut self) {
        let bare = memchr_iter(b'\n', self.bytes).find(|&at| at == 0 || self.bytes[at - 1] != b'\r');
        if let Some(at) = bare {
            let expected = Text::new("every line ends with CR LF (0d 0a)");
            let got = Text::with("a bare LF (0a) at byte {} of the head", at);
            let finding = Finding::new(&BARE_LINE_FEED, self.dir(), expected, got).at(self.span(at, 1));
            self.findings.push(finding);
        }
    }

    /// httparse lets a DEL pass in a reason phrase, and a status line that ends with its code.
    fn note_reason(&mut self) {
        let StartLine::Response { status, reason, .. } = self.start else { return };
        if self.status().is_none() {
            return;
        }
        // RFC 9112 §4: HTAB, SP, VCHAR and obs-text.
        if let Some(at) = reason.bytes.iter().position(|&b| (b < b' ' && b != b'\t') || b == 0x7f) {
            self.invalid = true;
            let got = Text::with("0x{} at byte {} of the head", format!("{:02x}", reason.bytes[at]));
            let expected = Text::new("a reason phrase without control characters");
            let span = self.span(reason.at + at, 1);
            let finding = Finding::new(&MALFORMED_RESPONSE, Dir::Server, expected, got.and(reason.at + at));
            self.findings.push(finding.at(span));
        }
        if matches!(self.bytes.get(status.end()), Some(b'\r' | b'\n')) {
            let expected = Text::new("a space behind the status code, even without a reason phrase");
            let got = Text::new("the end of the line");
            let finding = Finding::new(&STATUS_LACKS_SPACE, Dir::Server, expected, got);
            self.findings.push(finding.at(self.span_of(status)));
        }
    }

    /// httparse lets bytes above 0x7f pass in a target; URIs are ASCII (RFC 3986 §2).
    fn note_target(&mut self) {
        let StartLine::Request { target, .. } = self.start else { return };
        if let Some(at) = target.bytes.iter().position(|b| !b.is_ascii()) {
            let kind = if str::from_utf8(target.bytes).is_ok() {
                "unescaped UTF-8, byte {} of the head being 0x{}"
            } else {
                "bytes that are not even UTF-8, byte {} of the head being 0x{}"
            };
            let got = Text::with(kind, target.at + at).and(format!("{:02x}", target.bytes[at]));
            let expected = Text::new("a request target in ASCII, other characters as %XX");
            let span = self.span(target.at + at, 1);
            self.findings.push(Finding::new(&MALFORMED_REQUEST, Dir::Client, expected, got).at(span));
        }
    }
}

impl<'a> StartLine<'a> {
    /// The HTTP version, such as `HTTP/1.1`.
    pub fn version(&self) -> Part<'a> {
        match *self {
            Self::Request { version, .. } | Self::Response { version, .. } => version,
        }
    }

    fn ends(&self) -> (Part<'a>, Part<'a>) {
        match *self {
            Self::Request { method, version, .. } => (method, version),
            Self::Response { version, reason, .. } => (version, reason),
        }
    }
}

impl<'a> Part<'a> {
    /// One past the last byte, in the head.
    pub fn end(&self) -> usize {
        self.at + self.bytes.len()
    }

    /// As text; what is no UTF-8 is replaced, folded lines are joined by a space.
    pub fn text(&self) -> Cow<'a, str> {
        if memchr(b'\n', self.bytes).is_none() {
            // The check alone is faster than the lossy conversion, and nearly always enough.
            return str::from_utf8(self.bytes)
                .map_or_else(|_| String::from_utf8_lossy(self.bytes), Cow::Borrowed);
        }
        let lines = self.bytes.split(|&b| b == b'\n').map(<[u8]>::trim_ascii);
        Cow::Owned(String::from_utf8_lossy(&lines.collect::<Vec<_>>().join(&b' ')).into_owned())
    }
}

impl HeaderLine<'_> {
    /// Whether the field is called so. Names are compared without regard to case.
    pub fn is(&self, name: &str) -> bool {
        //= RFC 6455 §4.1
        //# all header field names in both HTTP requests and HTTP responses are case-insensitive
        self.name.bytes.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// The usual case: httparse accepts the head as it is.
fn strict(bytes: &[u8], is_response: bool) -> Option<(StartLine<'_>, Vec<HeaderLine<'_>>)> {
    const USUAL: usize = 64;
    let mut room = [const { MaybeUninit::uninit() }; USUAL];
    match strict_within(bytes, is_response, &mut room) {
        Err(httparse::Error::TooManyHeaders) => {
            strict_within(bytes, is_response, &mut vec![MaybeUninit::uninit(); HTTP_HEADERS]).ok().flatten()
        }
        other => other.ok().flatten(),
    }
}

type Parts<'b> = (StartLine<'b>, Vec<HeaderLine<'b>>);

fn strict_within<'b>(
    bytes: &'b [u8],
    is_response: bool,
    room: &mut [MaybeUninit<httparse::Header<'b>>],
) -> Result<Option<Parts<'b>>, httparse::Error> {
    let part = |slice: &'b [u8]| Part { bytes: slice, at: slice.as_ptr().addr() - bytes.as_ptr().addr() };
    if is_response {
        let mut response = httparse::Response::new(&mut []);
        let parser = httparse::ParserConfig::default();
        let status = parser.parse_response_with_uninit_headers(&mut response, bytes, room)?;
        // httparse tells version and code as numbers; they stand at fixed places before the reason.
        let from = bytes.iter().position(|b| *b == b'H');
        let (httparse::Status::Complete(len), Some(from)) = (status, from) else { return Ok(None) };
        let line_end = memchr(b'\n', &bytes[from..]).map_or(bytes.len(), |end| from + end);
        let reason_from = line_end.min(from + 13);
        let reason =
            bytes[reason_from..line_end].strip_suffix(b"\r").unwrap_or(&bytes[reason_from..line_end]);
        let version = Part { bytes: &bytes[from..from + 8], at: from };
        let code = Part { bytes: &bytes[from + 9..from + 12], at: from + 9 };
        let reason_at = if reason.is_empty() { from + 12 } else { reason_from };
        let start =
            StartLine::Response { version, status: code, reason: Part { bytes: reason, at: reason_at } };
        return Ok((len == bytes.len()).then(|| (start, lines(response.headers, part))));
    }
    let mut request = httparse::Request::new(&mut []);
    let status = request.parse_with_uninit_headers(bytes, room)?;
    let (httparse::Status::Complete(len), Some(method), Some(path)) = (status, request.method, request.path)
    else {
        return Ok(None);
    };
    let target = part(path.as_bytes());
    let version = Part { bytes: &bytes[target.end() + 1..target.end() + 9], at: target.end() + 1 };
    let start = StartLine::Request { method: part(method.as_bytes()), target, version };
    Ok((len == bytes.len()).then(|| (start, lines(request.headers, part))))
}

fn lines<'b>(headers: &[httparse::Header<'b>], part: impl Fn(&'b [u8]) -> Part<'b>) -> Vec<HeaderLine<'b>> {
    let line = |header: &httparse::Header<'b>| {
        let name = part(header.name.as_bytes());
        // An empty value need not point into the head.
        let empty = Part { bytes: &[], at: name.end() + 1 };
        let value = if header.value.is_empty() { empty } else { part(header.value) };
        HeaderLine { name, value }
    };
    headers.iter().map(line).collect()
}

#[cfg(test)]
mod tests;
