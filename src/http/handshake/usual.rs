//! The short way for what nearly all handshakes are: heads that break no rule and give nothing to say.
//!
//! Whether a head goes this way is decided in one pass over its lines, without taking it apart. Everything
//! else goes the long way, where the rules are ([`check_request`](super::check_request),
//! [`check_response`](super::check_response)): here it is only known that they find nothing, which the tests
//! hold both ways against.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::super::accept::digest_of;
use super::super::fields::Name;
use super::super::head::is_token;
use super::lists::has;

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
}

/// The request that `head` is and nothing else, if it is a usual one.
pub fn usual_request(head: &[u8]) -> Option<UsualRequest<'_>> {
    if head.len() > LONGEST {
        return None;
    }
    let mut lines = Lines(head);
    let start_line = lines.next()?;
    let start_line = str::from_utf8(start_line).ok()?;
    let target = start_line.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
    if !target.starts_with('/') || !target.bytes().all(is_of_targets) {
        return None;
    }
    let mut seen = Seen::default();
    let (mut key, mut host, mut origin, mut is_browser) = (None, &b""[..], None, false);
    while let Some((name, value)) = lines.field()? {
        let Some(name) = name else { continue };
        let is_usual = match name {
            Name::Host => {
                host = value;
                true
            }
            Name::Upgrade => value == b"websocket" || value.eq_ignore_ascii_case(b"websocket"),
            Name::Connection => value == b"Upgrade" || has(value, "upgrade"),
            Name::Key => {
                key = value.try_into().ok();
                key.is_some_and(is_key)
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
        site == Some(host)
    };
    let is_complete = !is_browser || origin.is_some() && seen.has(Name::Extensions);
    if !(is_whole && is_complete && origin.is_none_or(is_at_home)) {
        return None;
    }
    let host = str::from_utf8(host).ok()?;
    Some(UsualRequest { start_line, target, host, key: key?, offers: seen.has(Name::Extensions) })
}

/// The usual answer, that `bytes` begin with, to a [usual request](usual_request) with this key.
pub fn usual_response<'b>(bytes: &'b [u8], key: &[u8; KEY]) -> Option<UsualResponse<'b>> {
    let mut lines = Lines(&bytes[..bytes.len().min(LONGEST)]);
    let before = lines.0.len();
    let start_line = lines.next()?;
    if !start_line.starts_with(b"HTTP/1.1 101 ") {
        return None;
    }
    let mut seen = Seen::default();
    let mut accept: Option<&[u8; ACCEPT]> = None;
    while let Some((name, value)) = lines.field()? {
        let Some(name) = name else { continue };
        let is_usual = match name {
            Name::Upgrade => value == b"websocket" || value.eq_ignore_ascii_case(b"websocket"),
            Name::Connection => value == b"Upgrade" || has(value, "upgrade"),
            Name::Accept => {
                accept = value.try_into().ok();
                accept.is_some()
            }
            Name::Server | Name::SetCookie | Name::Via | Name::ContentType => continue,
            _ => false,
        };
        if !is_usual || !seen.once(name) {
            return None;
        }
    }
    if !(seen.has(Name::Upgrade) && seen.has(Name::Connection)) {
        return None;
    }
    let mut right = [0; ACCEPT];
    STANDARD.encode_slice(digest_of(key), &mut right).ok()?;
    let length = before - lines.0.len();
    let start_line = str::from_utf8(start_line).ok()?;
    (accept? == &right).then_some(UsualResponse { start_line, length })
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

/// The fields that were there.
#[derive(Default)]
struct Seen(u64);

impl Seen {
    /// Notes a field; whether it is the first one of its name.
    fn once(&mut self, name: Name) -> bool {
        let bit = 1 << name as u32;
        let is_first = self.0 & bit == 0;
        self.0 |= bit;
        is_first
    }

    fn has(&self, name: Name) -> bool {
        self.0 & (1 << name as u32) != 0
    }
}

/// Goes through lines of visible ASCII, spaces among it, that end with CR LF.
struct Lines<'b>(&'b [u8]);

impl<'b> Lines<'b> {
    fn next(&mut self) -> Option<&'b [u8]> {
        let end = printable(self.0);
        let [b'\r', b'\n', rest @ ..] = &self.0[end..] else { return None };
        let line = &self.0[..end];
        self.0 = rest;
        Some(line)
    }

    /// The next field: its name, if it is a known one, and its value, which is not empty. `Some(None)` at
    /// the empty line, `None` where the line is not usual.
    #[allow(clippy::option_option)]
    #[inline]
    fn field(&mut self) -> Option<Option<(Option<Name>, &'b [u8])>> {
        let line = self.next()?;
        if line.is_empty() {
            return Some(None);
        }
        let colon = find_colon(line)?;
        let (name, rest) = line.split_at(colon);
        let value = rest.strip_prefix(b": ")?;
        let ([first, ..], [.., last]) = (value, value) else { return None };
        if *first == b' ' || *last == b' ' {
            return None;
        }
        let known = Name::of(name).map(|known| known.name);
        let is_name = known.is_some() || !name.is_empty() && name.iter().all(|b| is_token(*b));
        is_name.then_some(Some((known, value)))
    }
}

/// How many visible ASCII characters and spaces `bytes` begin with: eight at a time.
#[inline]
fn printable(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES * 0x80;
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // A borrow or a carry only ever comes from a byte further down that is marked itself.
        let below = word.wrapping_sub(ONES * 0x20) & !word;
        let above = word.wrapping_add(ONES) | word;
        let marked = (below | above) & HIGH;
        if marked != 0 {
            return at * 8 + (marked.trailing_zeros() / 8) as usize;
        }
    }
    let more = rest.iter().take_while(|b| matches!(b, b' '..=b'~')).count();
    words.len() * 8 + more
}

/// Where the first colon stands.
#[inline]
fn find_colon(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word) ^ (ONES * u64::from(b':'));
        let marked = word.wrapping_sub(ONES) & !word & (ONES * 0x80);
        if marked != 0 {
            return Some(at * 8 + (marked.trailing_zeros() / 8) as usize);
        }
    }
    let more = rest.iter().position(|b| *b == b':')?;
    Some(words.len() * 8 + more)
}

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
        let Some(usual) = usual_request(bytes) else { return false };
        let shown = String::from_utf8_lossy(bytes);
        let head = Head::parse(bytes, source(Dir::Client), 0);
        let report = check_request(&head, true);
        assert_eq!(report.headers, usual_headers(bytes, Dir::Client, source(Dir::Client)), "{shown}");
        assert_eq!((&report.findings, &report.diagnoses), (&Vec::new(), &Vec::new()), "{shown}");
        assert!(report.facts.is_upgrade && report.facts.broken.is_empty(), "{shown}");
        assert_eq!(report.facts.key.as_deref(), Some(&usual.key[..]), "{shown}");
        assert_eq!(report.facts.extensions.is_some(), usual.offers, "{shown}");
        assert_eq!(report.facts.http_version.as_deref(), Some("1.1"), "{shown}");
        assert_eq!((&*report.facts.target, &*head.start_line()), (usual.target, usual.start_line), "{shown}");
        true
    }

    fn response(asked: &[u8], bytes: &[u8]) -> bool {
        let Some(request) = usual_request(asked) else { return false };
        let Some(usual) = usual_response(bytes, request.key) else { return false };
        let shown = String::from_utf8_lossy(bytes);
        let facts = check_request(&Head::parse(asked, source(Dir::Client), 0), false).facts;
        let mut reader = crate::http::head::HeadReader::new();
        assert_eq!(reader.push(bytes).consumed, usual.length, "{shown}");
        let head = reader.parse(source(Dir::Server), 0);
        let report = check_response(Some(&facts), &head, Vec::new, true);
        let bytes = &bytes[..usual.length];
        assert_eq!(report.headers, usual_headers(bytes, Dir::Server, source(Dir::Server)), "{shown}");
        assert_eq!((&report.findings, &report.diagnoses), (&Vec::new(), &Vec::new()), "{shown}");
        let facts = &report.facts;
        assert_eq!((facts.outcome, facts.status), (Outcome::Open, Some(101)), "{shown}");
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
        fn words_of_eight_bytes_count_as_bytes_do(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let one_by_one = bytes.iter().take_while(|b| matches!(b, b' '..=b'~')).count();
            prop_assert_eq!(printable(&bytes), one_by_one);
            let ascii: Vec<u8> = bytes.iter().map(|b| b % 128).collect();
            let one_by_one = ascii.iter().take_while(|b| matches!(b, b' '..=b'~')).count();
            prop_assert_eq!(printable(&ascii), one_by_one);
            let few: Vec<u8> = bytes.iter().map(|b| b'8' + b % 5).collect();
            prop_assert_eq!(find_colon(&few), few.iter().position(|b| *b == b':'));
            prop_assert_eq!(find_colon(&bytes), bytes.iter().position(|b| *b == b':'));
        }
    }
}
