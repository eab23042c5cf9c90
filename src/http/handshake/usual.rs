//! The short way for what nearly all handshakes are: heads that break no rule and give nothing to say.
//!
//! Whether a head goes this way is decided in one pass over its lines, without taking it apart. Everything
//! else goes the long way, where the rules are ([`check_request`](super::check_request),
//! [`check_response`](super::check_response)): here it is only known that they find nothing, which the tests
//! hold both ways against.

mod lines;

use std::ops::Range;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::accept::digest_of_usual;
use super::super::fields::Name;
use super::lists::has;
use super::request::is_host;
use crate::model::Software;
pub(super) use lines::find_colon;
use lines::{Lines, Seen};

/// A longer head is not usual.
const LONGEST: usize = 4096;
/// Symbols of a key, and of the answer to it.
const KEY: usize = 24;
const ACCEPT: usize = 28;

/// A request for a WebSocket that breaks no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsualRequest<'b> {
    /// The request line, without its line end.
    pub start_line: &'b str,
    /// The request target.
    pub target: &'b str,
    /// The value of `Host`.
    pub host: &'b str,
    /// The value of `Sec-WebSocket-Key`.
    pub key: &'b [u8; KEY],
    /// Whether it offers extensions.
    pub offers: bool,
}

/// An answer to one that opens the WebSocket, with no extension and no subprotocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsualResponse<'b> {
    /// The status line, without its line end.
    pub start_line: &'b str,
    /// Bytes of the head.
    pub length: usize,
    /// The program that answered.
    pub software: Software,
}

/// What the request line of a usual request begins and ends with.
const GET: &str = "GET ";
const HTTP: &str = " HTTP/1.1";

/// Recognises usual heads, and remembers the last ones: most that come are the same but for the key, or the
/// answer to it, and need not be read.
#[derive(Debug, Default)]
pub struct Usual {
    request: Vec<u8>,
    asked: Asked,
    /// Without what followed it.
    response: Vec<u8>,
    answered: Answered,
}

/// Where the parts of a usual request stand in it.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// The request line is so long.
    line: usize,
    host: Range<usize>,
    key: usize,
    offers: bool,
}

/// Where the parts of a usual answer stand in it.
#[derive(Clone, Copy, Debug, Default)]
struct Answered {
    /// The status line is so long.
    line: usize,
    accept: usize,
    /// Bytes of the head; 0 for none.
    length: usize,
    /// The program that answered.
    software: Software,
}

impl Usual {
    /// The request that `head` is and nothing else, if it is a usual one.
    pub fn request<'b>(&mut self, head: &'b [u8]) -> Option<UsualRequest<'b>> {
        let is_known = head.len() == self.request.len()
            && is_same_but_for(head, &self.request, self.asked.key, KEY)
            // Symbols of Base64 make no other lines or fields.
            && is_key(head[self.asked.key..].first_chunk()?);
        if !is_known {
            self.asked = read_request(head)?;
            self.request.clear();
            self.request.extend_from_slice(head);
        }
        self.asked.of(head)
    }

    /// The usual answer, that `bytes` begin with, to a [usual request](Self::request) with this key.
    pub fn response<'b>(&mut self, bytes: &'b [u8], key: &[u8; KEY]) -> Option<UsualResponse<'b>> {
        let Answered { accept, length, .. } = self.answered;
        let is_known = length > 0
            && bytes.len() >= length
            && is_same_but_for(&bytes[..length], &self.response, accept, ACCEPT);
        let answered = if is_known { self.answered } else { read_response(bytes)? };
        // Of the answer nothing is known until it is the right one.
        let response = answered.of(bytes, key)?;
        if !is_known {
            self.answered = answered;
            self.response.clear();
            self.response.extend_from_slice(&bytes[..answered.length]);
        }
        Some(response)
    }
}

/// Whether two heads of the same length are the same but for so many bytes at a place.
#[inline]
fn is_same_but_for(one: &[u8], other: &[u8], at: usize, length: usize) -> bool {
    let behind = at + length;
    one.len() >= behind && one[..at] == other[..at] && one[behind..] == other[behind..]
}

impl Asked {
    fn of<'b>(&self, head: &'b [u8]) -> Option<UsualRequest<'b>> {
        // Looked through once: the host mostly stands right behind the request line.
        let text = str::from_utf8(&head[..self.line.max(self.host.end)]).ok()?;
        let (start_line, host) = (text.get(..self.line)?, text.get(self.host.clone())?);
        let target = start_line.get(GET.len()..self.line - HTTP.len())?;
        let key = head[self.key..].first_chunk()?;
        Some(UsualRequest { start_line, target, host, key, offers: self.offers })
    }
}

impl Answered {
    fn of<'b>(&self, bytes: &'b [u8], key: &[u8; KEY]) -> Option<UsualResponse<'b>> {
        let mut right = [0; ACCEPT];
        STANDARD.encode_slice(digest_of_usual(key), &mut right).ok()?;
        let start_line = str::from_utf8(&bytes[..self.line]).ok()?;
        bytes[self.accept..].starts_with(&right).then_some(UsualResponse {
            start_line,
            length: self.length,
            software: self.software,
        })
    }
}

fn read_request(head: &[u8]) -> Option<Asked> {
    if head.len() > LONGEST {
        return None;
    }
    let mut lines = Lines(head);
    let start_line = lines.next()?;
    let target = start_line.strip_prefix(GET.as_bytes())?.strip_suffix(HTTP.as_bytes())?;
    if target.first() != Some(&b'/') || !target.iter().all(|b| is_of_targets(*b)) {
        return None;
    }
    let mut seen = Seen::default();
    let (mut key, mut host, mut origin, mut is_browser) = (0, 0..0, None, false);
    while let Some((name, value)) = lines.field()? {
        let Some(name) = name else { continue };
        // Where the value ends, in front of its line end.
        let end = head.len() - lines.0.len() - 2;
        let is_usual = match name {
            Name::Host => {
                host = end - value.len()..end;
                is_host(value)
            }
            Name::Upgrade => value == b"websocket" || value.eq_ignore_ascii_case(b"websocket"),
            Name::Connection => value == b"Upgrade" || has(value, "upgrade"),
            Name::Key => {
                key = end - value.len();
                value.try_into().is_ok_and(is_key)
            }
            Name::Version => value == b"13",
            Name::Origin => {
                origin = Some(value);
                true
            }
            Name::Extensions => {
                matches!(value, b"permessage-deflate" | b"permessage-deflate; client_max_window_bits")
            }
            Name::UserAgent => {
                is_browser = value.starts_with(b"Mozilla/");
                true
            }
            Name::Cookie | Name::Authorization | Name::Via | Name::ProxyAuthorization => continue,
            _ => false,
        };
        if !is_usual || !seen.once(name) {
            return None;
        }
    }
    let needed = [Name::Host, Name::Upgrade, Name::Connection, Name::Key, Name::Version];
    let is_whole = lines.0.is_empty() && needed.into_iter().all(|name| seen.has(name));
    // A page of the same host.
    let is_at_home = |origin: &[u8]| {
        let site = origin.strip_prefix(b"http://").or_else(|| origin.strip_prefix(b"https://"));
        site == Some(&head[host.clone()])
    };
    let is_complete = !is_browser || origin.is_some() && seen.has(Name::Extensions);
    if !(is_whole && is_complete && origin.is_none_or(is_at_home)) {
        return None;
    }
    Some(Asked { line: start_line.len(), host, key, offers: seen.has(Name::Extensions) })
}

/// Where the parts of a usual answer stand; whether it is the right one is another question.
fn read_response(bytes: &[u8]) -> Option<Answered> {
    let mut lines = Lines(&bytes[..bytes.len().min(LONGEST)]);
    let before = lines.0.len();
    let start_line = lines.next()?;
    if !start_line.starts_with(b"HTTP/1.1 101 ") {
        return None;
    }
    let mut seen = Seen::default();
    let mut accept = 0;
    let mut software = Software::Unnamed;
    while let Some((name, value)) = lines.field()? {
        let Some(name) = name else { continue };
        let is_usual = match name {
            Name::Upgrade => value == b"websocket" || value.eq_ignore_ascii_case(b"websocket"),
            Name::Connection => value == b"Upgrade" || has(value, "upgrade"),
            Name::Accept => {
                accept = before - lines.0.len() - 2 - value.len();
                value.len() == ACCEPT
            }
            Name::Server => {
                software = software.with_server(value);
                true
            }
            Name::Via => {
                software = software.with_via(value);
                continue;
            }
            Name::SetCookie | Name::ContentType => continue,
            _ => false,
        };
        if !is_usual || !seen.once(name) {
            return None;
        }
    }
    let needed = [Name::Upgrade, Name::Connection, Name::Accept];
    let is_whole = needed.into_iter().all(|name| seen.has(name));
    is_whole.then_some(Answered { line: start_line.len(), accept, length: before - lines.0.len(), software })
}

/// 16 bytes in canonical Base64: 22 symbols, of which the last one leaves its four unused bits 0, and `==`.
fn is_key(key: &[u8; KEY]) -> bool {
    let [symbols @ .., last, b'=', b'='] = key else { return false };
    matches!(last, b'A' | b'Q' | b'g' | b'w') && symbols.iter().all(|b| SYMBOL[usize::from(*b)])
}

/// What targets are made of that nobody asks about.
fn is_of_targets(b: u8) -> bool {
    SYMBOL[usize::from(b)] || matches!(b, b'-' | b'.' | b'_' | b'~' | b'?' | b'=' | b'&' | b'%' | b':' | b',')
}

/// The symbols of Base64.
static SYMBOL: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < table.len() {
        let b = at as u8;
        table[at] = b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
        at += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::http::handshake::{Outcome, check_request, check_response, usual_headers};
    use crate::http::head::Head;
    use crate::model::{Dir, SourceId};

    fn source(dir: Dir) -> SourceId {
        SourceId::Stream { conn: 1, dir }
    }

    /// Whether a head is usual, in which case the long way must find nothing and read the same.
    fn request(bytes: &[u8]) -> bool {
        let Some(usual) = Usual::default().request(bytes) else { return false };
        let shown = String::from_utf8_lossy(bytes);
        let head = Head::parse(bytes, source(Dir::Client), 0);
        let report = check_request(&head, true);
        assert_eq!(
            report.headers,
            usual_headers(bytes, Dir::Client, source(Dir::Client), Vec::new()),
            "{shown}"
        );
        assert_eq!((&report.findings, &report.diagnoses), (&Vec::new(), &Vec::new()), "{shown}");
        assert!(report.facts.is_upgrade && report.facts.broken.is_empty(), "{shown}");
        assert_eq!(report.facts.key.as_deref(), Some(&usual.key[..]), "{shown}");
        assert_eq!(report.facts.extensions.is_some(), usual.offers, "{shown}");
        assert_eq!(report.facts.http_version.as_deref(), Some("1.1"), "{shown}");
        assert_eq!((&*report.facts.target, &*head.start_line()), (usual.target, usual.start_line), "{shown}");
        true
    }

    fn response(asked: &[u8], bytes: &[u8]) -> bool {
        let Some(request) = Usual::default().request(asked) else { return false };
        let Some(usual) = Usual::default().response(bytes, request.key) else { return false };
        let shown = String::from_utf8_lossy(bytes);
        let facts = check_request(&Head::parse(asked, source(Dir::Client), 0), false).facts;
        let mut reader = crate::http::head::HeadReader::new();
        assert_eq!(reader.push(bytes).consumed, usual.length, "{shown}");
        let head = reader.parse(source(Dir::Server), 0);
        let report = check_response(Some(&facts), &head, Vec::new, true);
        let bytes = &bytes[..usual.length];
        assert_eq!(
            report.headers,
            usual_headers(bytes, Dir::Server, source(Dir::Server), Vec::new()),
            "{shown}"
        );
        assert_eq!((&report.findings, &report.diagnoses), (&Vec::new(), &Vec::new()), "{shown}");
        let facts = &report.facts;
        assert_eq!((facts.outcome, facts.status), (Outcome::Open, Some(101)), "{shown}");
        assert_eq!(facts.software, usual.software, "{shown}");
        assert!(facts.subprotocol.is_none() && facts.extensions.is_none() && facts.deflate.is_none());
        assert_eq!(head.start_line(), usual.start_line, "{shown}");
        true
    }

    const ASKS: &str = "GET /chat?room=1 HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n\
        Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\nOrigin: https://server.example.com\r\nX-More: of it\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
        User-Agent: Mozilla/5.0\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n\
        Accept-Encoding: gzip\r\nAccept-Language: en\r\nCookie: a=b; c=d\r\n\r\n";
    const ANSWERS: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nServer: a/1.0\r\nDate: now\r\n\r\n";

    #[test]
    fn whichever_byte_is_another_the_long_way_finds_nothing_where_the_short_one_goes() {
        assert!(request(ASKS.as_bytes()) && response(ASKS.as_bytes(), ANSWERS.as_bytes()));
        assert!(response(ASKS.as_bytes(), format!("{ANSWERS}\u{1}frames").as_bytes()));
        // How many heads went which way.
        let mut went = [[0; 2]; 2];
        for (which, head) in [ASKS, ANSWERS].into_iter().enumerate() {
            for at in 0..head.len() {
                for value in [0, 9, 10, 13, 32, b'#', b',', b'-', b'0', b':', b'=', b'A', b'a', 127, 128, 255]
                {
                    let mut bytes = head.as_bytes().to_vec();
                    bytes[at] = value;
                    let is = if which == 0 { request(&bytes) } else { response(ASKS.as_bytes(), &bytes) };
                    went[which][usize::from(is)] += 1;
                }
                let begun = &head.as_bytes()[..at];
                assert!(!request(begun) && !response(ASKS.as_bytes(), begun));
            }
        }
        assert!(went.as_flattened().iter().all(|count| *count > 300), "{went:?}");
    }

    #[test]
    fn a_head_that_is_remembered_is_not_read_again() {
        let mut usual = Usual::default();
        let other = ASKS.replace("dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEA==");
        let wrong = ASKS.replace("dGhlIHNhbXBsZSBub25jZQ==", "AQIDBAUGBwgJCgsMDQ4PEB==");
        for (head, is_usual) in [(ASKS, true), (&other, true), (&wrong, false), (ASKS, true)] {
            assert_eq!(usual.request(head.as_bytes()).is_some(), is_usual);
            assert_eq!(usual.request(head.as_bytes()), Usual::default().request(head.as_bytes()));
        }
        let answer = ANSWERS.replace("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY=");
        let keys = [b"dGhlIHNhbXBsZSBub25jZQ==", b"AQIDBAUGBwgJCgsMDQ4PEA=="];
        for (bytes, right) in [(ANSWERS, 0), (&answer, 1), (ANSWERS, 0)] {
            for (which, key) in keys.into_iter().enumerate() {
                let found = usual.response(bytes.as_bytes(), key);
                assert_eq!(found.map(|it| it.length), (which == right).then_some(ANSWERS.len()));
            }
        }
    }

    /// A line of a head, right or nearly so.
    fn line() -> impl Strategy<Value = String> {
        let names = prop::sample::select(vec![
            "Host",
            "Upgrade",
            "Connection",
            "Sec-WebSocket-Key",
            "sec-websocket-version",
            "Origin",
            "Sec-WebSocket-Extensions",
            "User-Agent",
            "Sec-WebSocket-Protocol",
            "Content-Length",
            "Via",
            "Transfer-Encoding",
            "Sec-WebSocket-Accept",
            "Sec-WebSocket-Key1",
            "Pragma",
            "X",
            "",
            "A b",
            "Cache-Control",
            "Accept-Encoding",
            "Accept-Language",
            "Cookie",
            "Server",
            "Location",
        ]);
        let values = prop::sample::select(vec![
            "server.example.com",
            "websocket",
            "WebSocket",
            "Upgrade",
            "upgrade, x",
            "a, upgrade",
            "13",
            "8",
            "dGhlIHNhbXBsZSBub25jZQ==",
            "dGhlIHNhbXBsZSBub25jZR==",
            "http://server.example.com",
            "http://other.example",
            "null",
            "permessage-deflate",
            "permessage-deflate; x",
            "Mozilla/5.0",
            "curl",
            "",
            " ",
            "x ",
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "0",
            "é",
            "a\tb",
        ]);
        (names, values).prop_map(|(name, value)| format!("{name}: {value}\r\n"))
    }

    /// A head with lines left out, doubled, moved and put in.
    fn head(of: &'static str) -> impl Strategy<Value = Vec<u8>> {
        let changes = prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, line()), 0..4);
        (changes, prop::option::weighted(0.1, any::<prop::sample::Index>())).prop_map(
            move |(changes, cut)| {
                let mut lines: Vec<String> = of.split_inclusive("\r\n").map(str::to_owned).collect();
                for (at, how, line) in changes {
                    let at = 1 + at.index(lines.len() - 1);
                    match how {
                        0 if lines.len() > 2 => drop(lines.remove(at)),
                        1 => lines.insert(at, lines[at].clone()),
                        2 => lines[at] = line,
                        _ => lines.insert(at, line),
                    }
                }
                let mut bytes = lines.concat().into_bytes();
                if let Some(cut) = cut {
                    bytes.remove(cut.index(bytes.len()));
                }
                bytes
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

        #[test]
        fn the_long_way_finds_nothing_where_the_short_one_goes(asks in head(ASKS), answers in head(ANSWERS)) {
            request(&asks);
            response(&asks, &answers);
            response(ASKS.as_bytes(), &answers);
        }

        #[test]
        fn what_is_remembered_of_the_last_heads_makes_no_difference(
            heads in prop::collection::vec((head(ASKS), head(ANSWERS), 0..3_u8), 1..6),
            more in prop::collection::vec(any::<u8>(), 0..3),
        ) {
            let mut usual = Usual::default();
            let (mut last, mut known) = (ASKS.as_bytes().to_vec(), ANSWERS.as_bytes().to_vec());
            for (asks, answers, which) in heads {
                // A head as it came before, or with another key or answer, right or wrong, or another one.
                match which {
                    0 => (last, known) = (asks, answers),
                    1 => {
                        let place = last.windows(5).position(|five| five == b"Key: ");
                        if let Some(at) = place && last.len() > at + 5 + more.len() {
                            last[at + 5..][..more.len()].copy_from_slice(&more);
                        }
                    }
                    _ => known.extend(&more),
                }
                prop_assert_eq!(usual.request(&last), Usual::default().request(&last));
                let key = b"dGhlIHNhbXBsZSBub25jZQ==";
                for key in [key, b"eGhlIHNhbXBsZSBub25jZQ=="] {
                    prop_assert_eq!(usual.response(&known, key), Usual::default().response(&known, key));
                }
            }
        }
    }
}
