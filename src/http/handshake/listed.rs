//! The header fields of a [usual](super::usual) head, each with the verdict on it: what the long way says of
//! them is decided by their names.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;

use super::super::fields::Name;
use super::super::head::Head;
use super::usual::find_colon;
use super::{check_request, check_response};
use crate::model::{Dir, Field, Header, SourceId, Span, Text, Verdict};

/// Header fields in the head that begins the stream `source`, and which a usual message of
/// `dir` is, or begins with. They are put in the room that `headers` has.
pub fn usual_headers<'b>(
    head: &'b [u8],
    dir: Dir,
    source: SourceId,
    mut headers: Vec<Header<'b>>,
) -> Vec<Header<'b>> {
    headers.clear();
    let mut at = line_end(head);
    // Mostly there is nothing behind the head, which is text.
    let whole = str::from_utf8(head).ok();
    let text = |range: Range<usize>| match whole.and_then(|whole| whole.get(range.clone())) {
        Some(part) => Cow::Borrowed(part),
        None => text(&head[range]),
    };
    while let Some(line) = head.get(at..) {
        let length = line_end(line);
        let Some(colon) = find_colon(&line[..length]) else { break };
        let (name, value) = (at..at + colon, at + colon + 2..at + length - 2);
        let (verdict, meaning) = match Name::of(&line[..colon]) {
            Some(known) => verdict(known.name, dir),
            None => (Verdict::Irrelevant, ""),
        };
        headers.push(Header {
            name_at: Span::bytes(source, name.start as u64, name.len() as u64),
            value_at: Span::bytes(source, value.start as u64, value.len() as u64),
            name: text(name),
            value: text(value),
            verdict,
            meaning: Text::new(meaning),
        });
        at += length;
    }
    headers
}

/// The fields of a head that breaks no rule of its own: a request, or the answer to the head `asked`.
pub fn fields(head: &Head<'_>, asked: Option<&Head<'_>>) -> Vec<Field> {
    let Some(asked) = asked else { return check_request(head, true).fields };
    let facts = check_request(asked, false).facts;
    check_response(Some(&facts), head, Vec::new, true).fields
}

/// Where a line ends, its line end included.
fn line_end(bytes: &[u8]) -> usize {
    // No line of a usual head ends without CR.
    memchr(b'\n', bytes).map_or(bytes.len(), |end| end + 1)
}

/// Visible ASCII as the text that it is.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// What is said of a field whose value is usual.
fn verdict(name: Name, dir: Dir) -> (Verdict, &'static str) {
    let meaning = match (name, dir) {
        (Name::Host, Dir::Client) => "the server, and which of its sites is wanted",
        (Name::Upgrade, Dir::Client) => "asks to switch to the WebSocket protocol",
        (Name::Upgrade, Dir::Server) => "this connection now speaks WebSocket",
        (Name::Connection, Dir::Client) => "says that Upgrade is meant for the next hop",
        (Name::Connection, Dir::Server) => "says that Upgrade is meant for this hop",
        (Name::Key, Dir::Client) => "16 bytes, which the server must echo hashed",
        (Name::Version, Dir::Client) => "the version of RFC 6455, the only one in use",
        (Name::Origin, Dir::Client) => "a page of the same host is asking",
        (Name::Extensions, Dir::Client) => "extensions the client can use, best first",
        (Name::Accept, Dir::Server) => "the right answer to the client's key",
        _ => return (Verdict::Irrelevant, name.aside()),
    };
    (Verdict::Ok, meaning)
}
