//! What streams without frames: server-sent events, `multipart/x-mixed-replace`, pages that go on, and lines.
//!
//! ```text
//! content ─► Reader: where each unit begins and ends ─► event::read, part::read: what it says
//! ```
//!
//! A reader takes content in any pieces and comes to the same whatever they are; only a
//! [piece](crate::model::StreamedKind::Piece) is what arrived at once.

mod event;
mod part;
mod units;

use std::fmt::Write as _;

use crate::model::{App, Cite, Field, FieldDef, Finding, SourceId, Span, Text, Value, fields, rules};

pub use self::event::dispatched;
pub use self::units::{Begin, Reader, Run, Seen};

use super::head::Head;

/// A section of the HTML standard (WHATWG).
const fn html(section: &'static str) -> Cite {
    Cite { doc: "HTML", section }
}

rules! {
    /// The rules of server-sent events.
    RULES;
    SSE_NOT_UTF8 = "sse-not-utf8", Error, html("9.2.5"), Server,
        "an event stream is not UTF-8",
        "the client reads U+FFFD in place of what is no character; there is no way to name another encoding";
    SSE_UNKNOWN_FIELD = "sse-unknown-field", Warning, html("9.2.6"), Server,
        "a line of an event stream is none of its fields",
        "the client ignores the line: what it says is lost";
    SSE_ID_WITH_NUL = "sse-id-with-nul", Warning, html("9.2.6"), Server,
        "the id of an event holds a NUL",
        "the client ignores the id, and asks for the events behind an earlier one when it connects again";
    SSE_BAD_RETRY = "sse-bad-retry", Warning, html("9.2.6"), Server,
        "retry is no number",
        "the client ignores it: only ASCII digits are a time, in milliseconds";
    SSE_UNFINISHED = "sse-unfinished", Note, html("9.2.6"), Server,
        "the event stream ends within an event",
        "the client discards the event: only an empty line dispatches one";
    BROKEN_CHUNK = "broken-chunk", Error, Cite { doc: "RFC 9112", section: "7.1" }, Server,
        "the chunks of an answer that streams are broken",
        "the client ends the answer and the connection: nothing behind can be told from its framing";
    NOT_DECODED = "not-decoded", Warning, Cite { doc: "RFC 9110", section: "8.4" }, Server,
        "an answer that streams cannot be decoded as its Content-Encoding says",
        "nothing behind is told, and a client that decodes it ends the answer";
}

fields! {
    /// What is annotated in what streams.
    FIELDS;
    SSE_EVENT = "event-stream.event", "event", html("9.2.6"), "Which listeners hear of it.";
    SSE_DATA = "event-stream.data", "data", html("9.2.6"), "What listeners are given.";
    SSE_ID = "event-stream.id", "id", html("9.2.6"),
        "What the client names in Last-Event-ID when it connects again.", Listed;
    SSE_RETRY = "event-stream.retry", "retry", html("9.2.6"),
        "Milliseconds that the client waits before it connects again.", Listed;
    SSE_COMMENT = "event-stream.comment", "comment", html("9.2.6"),
        "Nothing to the client; keeps proxies from ending what seems idle.";
    PART_TYPE = "multipart.type", "Content-Type", Cite { doc: "RFC 2046", section: "5.1" },
        "What the part is.";
    PIECE_SCRIPTS = "html-stream.scripts", "scripts", html("4.12.1"),
        "Script elements that begin in it: each runs once its end tag is there.";
    LINE_TEXT = "lines.text", "text", Cite { doc: "RFC 9293", section: "3.1" }, "The line, without its end.";
}

/// Characters of a text that its line quotes.
const QUOTED: usize = 200;

/// What streams in the body of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `text/event-stream`.
    Events,
    /// `multipart/x-mixed-replace`, with this between its parts.
    Parts(Vec<u8>),
    /// A page whose length is not known.
    Pages,
}

impl Kind {
    /// What the response of a head streams, if it does.
    pub fn of(head: &Head<'_>) -> Option<Self> {
        if !matches!(head.status(), Some(200..=299)) {
            return None;
        }
        let value = head.values("Content-Type").next()?.text().into_owned();
        let (essence, parameters) = value.split_once(';').unwrap_or((&value, ""));
        match essence.trim().to_ascii_lowercase().as_str() {
            "text/event-stream" => Some(Self::Events),
            "multipart/x-mixed-replace" => part::boundary(parameters).map(Self::Parts),
            "text/html" if head.values("Content-Length").next().is_none() => Some(Self::Pages),
            _ => None,
        }
    }
}

/// What a unit says.
#[derive(Debug)]
pub struct Said<'b> {
    /// What it means.
    pub app: App,
    /// Its content: of a part without its header.
    pub content: &'b [u8],
    /// The rules that it breaks.
    pub findings: Vec<Finding>,
}

/// What a unit of content says, which stands at `at`.
pub fn read<'b>(seen: &Seen<'b>, at: Place) -> Said<'b> {
    let plain = |app| Said { app, content: seen.kept, findings: Vec::new() };
    match seen.reader {
        units::Form::Events => {
            let mut findings = Vec::new();
            let app = event::read(seen, at, &mut findings);
            Said { app, content: seen.kept, findings }
        }
        units::Form::Parts => part::read(seen, at),
        units::Form::Pieces => plain(piece(seen, at)),
        units::Form::Lines => plain(line(seen, at)),
    }
}

/// Where content stands.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// What its bytes are called.
    pub source: SourceId,
    /// Where in that the unit begins.
    pub byte: u64,
}

impl Place {
    /// A field of so many bytes from byte `at` of the unit.
    fn field(self, def: &'static FieldDef, at: usize, length: usize, value: Value) -> Field {
        Field { def, span: self.span(at, length), value, meaning: Text::default(), depth: 0 }
    }

    fn span(self, at: usize, length: usize) -> Span {
        Span::bytes(self.source, self.byte + at as u64, length as u64)
    }
}

/// The first characters of a text, and whether that is all, as it is quoted in a line.
fn quoted(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    let short: String = line.chars().take(QUOTED).collect();
    if short.len() < text.trim_end_matches('\n').len() { short + "…" } else { short }
}

/// The same of bytes, of which those that are no UTF-8 are written in hexadecimal.
fn quoted_bytes(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            // Writing to a string cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    quoted(&text)
}

/// Bytes as text, if they are.
fn value(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => Value::Text(text.to_owned()),
        Err(_) => Value::Bytes(bytes.to_vec()),
    }
}

/// A piece of a page.
fn piece(seen: &Seen<'_>, at: Place) -> App {
    let lower = seen.kept.to_ascii_lowercase();
    let scripts = memchr::memmem::find_iter(&lower, b"<script").count() as u64;
    let fields = vec![at.field(&PIECE_SCRIPTS, 0, seen.kept.len(), Value::Number(scripts))];
    let text = quoted_bytes(seen.kept);
    let summary = match scripts {
        0 => Text::with("content: {}", text),
        _ => Text::with("content with a script: {}", text),
    };
    App { protocol: "html-stream", name: "Page", summary, fields, ..App::default() }
}

/// A line of text.
fn line(seen: &Seen<'_>, at: Place) -> App {
    let summary = Text::with("{}", quoted_bytes(seen.kept));
    let fields = vec![at.field(&LINE_TEXT, 0, seen.kept.len(), value(seen.kept))];
    App { protocol: "lines", name: "Line", summary, fields, ..App::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_type_of_a_response_tells_what_streams() {
        let of = |fields: &str| {
            let bytes = format!("HTTP/1.1 {fields}\r\n\r\n");
            Kind::of(&Head::parse(bytes.as_bytes(), SourceId::Input, 0))
        };
        assert_eq!(of("200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8"), Some(Kind::Events));
        let parts = of("200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=\"a b\"");
        assert_eq!(parts, Some(Kind::Parts(b"a b".to_vec())));
        assert_eq!(of("200 OK\r\nContent-Type: multipart/x-mixed-replace"), None);
        assert_eq!(of("200 OK\r\nContent-Type: text/html"), Some(Kind::Pages));
        assert_eq!(of("200 OK\r\nContent-Type: text/html\r\nContent-Length: 7"), None);
        assert_eq!(of("404 Not Found\r\nContent-Type: text/event-stream"), None);
    }

    #[test]
    fn a_line_quotes_no_more_than_fits() {
        assert_eq!(quoted("one\ntwo"), "one…");
        assert_eq!(quoted("one\n"), "one");
        assert_eq!(quoted(&"ü".repeat(201)), "ü".repeat(200) + "…");
    }
}
