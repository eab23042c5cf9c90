//! Tunnels: another protocol inside the messages of a WebSocket, as wstunnel, websockify, noVNC and chisel
//! carry it. What it is shows in the first message; what is in it besides is not read, but counted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::cursor::Cursor;
use super::dialect::{Decoder, Dialect, Reader, Said, Sheet, bytes};
use super::excerpt::clipped;
use crate::model::http2::PREFACE;
use crate::model::{App, Cite, Dir, FieldDef, Finding, METHODS, Text, Value, fields};

/// Other protocols inside binary messages.
pub static DIALECT: Dialect = Dialect {
    id: "tunnel",
    subprotocols: &[],
    looks_like: Some(looks_like),
    first: &FIRST,
    last: &[],
    marks: 0,
    target: None,
    fields: FIELDS,
    rules: &[],
    reader: Reader::Session(|| Box::<Tunnel>::default()),
    sheet: Sheet {
        name: "Tunnels: SSH, TLS, HTTP, VNC and others",
        shown_by: "what the first messages begin with: `SSH-2.0-`, a hello of TLS, a request of HTTP, \
                   `RFB 003.008`, a start of PostgreSQL, MySQL, Redis or RDP; SOCKS 5 by both sides",
        decoded: "what is inside, the software or the server that is named, and how many bytes",
        sample: "clean/tunnel.script",
        source: ("RFC 6455 §1.5", "https://www.rfc-editor.org/rfc/rfc6455#section-1.5"),
    },
};

/// Anything but what JSON begins with.
const FIRST: [u8; 253] = bytes(&[(0, 0x5A), (0x5C, 0x7A), (0x7C, 0xFE)]);

fields! {
    /// What is annotated.
    FIELDS;
    PROTOCOL = "tunnel.protocol", "protocol", Cite { doc: "RFC 6455", section: "1.5" },
        "The protocol that the messages carry.";
    SOFTWARE = "tunnel.software", "software", Cite { doc: "RFC 4253", section: "4.2" },
        "What the side calls itself.";
    SERVER_NAME = "tunnel.server_name", "server name", Cite { doc: "RFC 6066", section: "3" },
        "Whom the client wants to reach.";
    REQUEST = "tunnel.request", "request", Cite { doc: "RFC 9112", section: "3" }, "What is asked for.";
}

/// What is inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inside {
    Ssh,
    Tls,
    Http,
    Http2,
    Vnc,
    VncBase64,
    Postgres,
    MySql,
    Redis,
    Rdp,
    Socks5,
}

impl Inside {
    fn name(self) -> &'static str {
        match self {
            Self::Ssh => "SSH",
            Self::Tls => "TLS",
            Self::Http => "HTTP/1",
            Self::Http2 => "HTTP/2",
            Self::Vnc => "VNC (RFB)",
            Self::VncBase64 => "VNC (RFB) in Base64",
            Self::Postgres => "PostgreSQL",
            Self::MySql => "MySQL",
            Self::Redis => "Redis (RESP)",
            Self::Rdp => "RDP",
            Self::Socks5 => "SOCKS5",
        }
    }

    /// Whether another protocol may begin in it, which then is what the rest is.
    fn leads_on(self) -> bool {
        matches!(self, Self::Socks5 | Self::Http | Self::Postgres | Self::Rdp | Self::MySql)
    }
}

/// What a first message shows.
struct Sight<'a> {
    inside: Inside,
    /// What it says of itself.
    detail: Option<(&'static FieldDef, &'a [u8])>,
    /// Chance could make it: the other side has to show it, too.
    weak: bool,
}

impl<'a> Sight<'a> {
    fn of(inside: Inside) -> Self {
        Self { inside, detail: None, weak: false }
    }

    fn with(inside: Inside, def: &'static FieldDef, detail: &'a [u8]) -> Self {
        Self { detail: Some((def, detail)), ..Self::of(inside) }
    }
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct Tunnel {
    inside: Option<Inside>,
    /// The client offered these methods of SOCKS 5, and the server has not chosen.
    offered: Option<Vec<u8>>,
    /// Bytes of each side.
    bytes: [u64; 2],
}

/// Messages of a connection among which a tunnel shows what it is.
const BEGINNING: u64 = 3;

fn looks_like(said: &Said<'_>) -> bool {
    said.m() <= BEGINNING && sight(said).is_some()
}

impl Decoder for Tunnel {
    fn read(&mut self, said: &Said<'_>, _: &mut Vec<Finding>) -> Option<App> {
        if said.text != (self.inside == Some(Inside::VncBase64)) && self.inside.is_some() {
            return None;
        }
        let begins = self.inside.is_none();
        if begins && !said.known && !looks_like(said) {
            return None;
        }
        if begins {
            if let Some(offered) = self.offered.take() {
                let [5, method] = *said.bytes else { return None };
                if said.dir != Dir::Server || method != 0xFF && !offered.contains(&method) {
                    return None;
                }
                self.inside = Some(Inside::Socks5);
            } else {
                let sight = sight(said)?;
                if sight.weak {
                    self.offered = said.bytes.get(2..).map(<[u8]>::to_vec);
                    return None;
                }
                self.inside = Some(sight.inside);
            }
        }
        let total = &mut self.bytes[said.dir.index()];
        let before = std::mem::replace(total, total.saturating_add(said.length));
        let mut inside = self.inside?;
        let shown = sight(said)
            .filter(|sight| !sight.weak && (before == 0 || sight.inside == inside || inside.leads_on()));
        if let Some(sight) = &shown
            && sight.inside != inside
            && inside.leads_on()
        {
            inside = sight.inside;
            self.inside = Some(inside);
        }
        let mut fields = Vec::new();
        let detail = shown.and_then(|sight| sight.detail);
        if begins || detail.is_some() {
            let name = Value::Text(inside.name().to_owned());
            fields.push(said.field(&PROTOCOL, 0, said.bytes.len(), name));
        }
        let summary = match detail {
            Some((def, bytes)) => {
                let text = String::from_utf8_lossy(bytes).into_owned();
                let summary = Text::new("{}: {}").word(Text::new(inside.name())).and(clipped(&text));
                fields.push(said.part(def, bytes, Value::Text(text)));
                summary
            }
            None => match record(inside, said.bytes) {
                Some(what) => Text::new("{}, {}, {} bytes so far")
                    .word(Text::new(inside.name()))
                    .word(what)
                    .and(self.bytes[said.dir.index()]),
                None => Text::new("{}, {} bytes so far")
                    .word(Text::new(inside.name()))
                    .and(self.bytes[said.dir.index()]),
            },
        };
        Some(App { protocol: DIALECT.id, name: "Tunnel", summary, fields, ..App::default() })
    }

    fn is_undecided(&self) -> bool {
        self.offered.is_some()
    }
}

/// What a message of TLS begins with.
fn record(inside: Inside, bytes: &[u8]) -> Option<&'static str> {
    match (inside, bytes) {
        (Inside::Tls, [20, 3, ..]) => Some("a change of cipher"),
        (Inside::Tls, [21, 3, ..]) => Some("an alert"),
        (Inside::Tls, [22, 3, ..]) => Some("a part of the handshake"),
        (Inside::Tls, [23, 3, ..]) => Some("encrypted data"),
        _ => None,
    }
}

/// What the beginning of a side shows.
fn sight<'a>(said: &Said<'a>) -> Option<Sight<'a>> {
    let bytes = said.bytes;
    if said.text {
        let is_vnc = matches!(STANDARD.decode(bytes.get(..16)?), Ok(inner) if is_rfb(&inner));
        return is_vnc.then(|| Sight::of(Inside::VncBase64));
    }
    match *bytes.first()? {
        b'S' if bytes.starts_with(b"SSH-2.0-") || bytes.starts_with(b"SSH-1.99-") => {
            Some(Sight::with(Inside::Ssh, &SOFTWARE, line(bytes)?))
        }
        b'R' if is_rfb(bytes) => Some(Sight::with(Inside::Vnc, &SOFTWARE, line(bytes)?)),
        0x16 => hello(bytes),
        b'P' if bytes.starts_with(PREFACE) => Some(Sight::of(Inside::Http2)),
        b'H' if bytes.starts_with(b"HTTP/1.") => {
            let line = line(bytes)?;
            let status = line.get(9..12)?;
            status.iter().all(u8::is_ascii_digit).then(|| Sight::with(Inside::Http, &REQUEST, line))
        }
        b'A'..=b'Z' => {
            let line = line(bytes).filter(|line| line.len() < bytes.len())?;
            let mut words = line.split(|b| *b == b' ');
            let (method, target, version) = (words.next()?, words.next()?, words.next()?);
            let is_method = (METHODS.contains(&method) || method == PROPFIND) && !target.is_empty();
            let is_version = matches!(version, b"HTTP/1.1" | b"HTTP/1.0") && words.next().is_none();
            (is_method && is_version).then(|| Sight::with(Inside::Http, &REQUEST, line))
        }
        // The length of all, version 3.0, and the first of the names; or the wish for TLS.
        0 if said.dir == Dir::Client => {
            let length = u32::from_be_bytes(*bytes.first_chunk()?);
            let is_startup = u64::from(length) == said.length && bytes.get(4..9) == Some(b"\0\x03\0\0u");
            let is_wish = *bytes == [0, 0, 0, 8, 4, 0xD2, 0x16, 0x2F];
            (is_startup || is_wish).then(|| Sight::of(Inside::Postgres))
        }
        b'*' => resp(bytes).then(|| Sight::of(Inside::Redis)),
        3 => rdp(said),
        // The methods that a client offers of SOCKS 5, and nothing else.
        5 if said.dir == Dir::Client => {
            let count = usize::from(*bytes.get(1)?);
            let is_offer = count > 0 && bytes.len() == 2 + count && bytes[2..].iter().all(|it| *it <= 9);
            is_offer.then(|| Sight { weak: true, ..Sight::of(Inside::Socks5) })
        }
        _ => mysql(said),
    }
}

/// The method of WebDAV that begins a connection.
const PROPFIND: &[u8] = b"PROPFIND";

/// The first line, without its end, if it can be read.
fn line(bytes: &[u8]) -> Option<&[u8]> {
    let line = bytes.split(|b| *b == b'\n').next()?;
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    (line.len() <= 8192 && line.iter().all(|b| (0x20..0x7F).contains(b))).then_some(line)
}

/// `RFB 003.008` and a line feed (RFC 6143 §7.1.1).
#[allow(clippy::many_single_char_names, reason = "bytes, one by one")]
fn is_rfb(bytes: &[u8]) -> bool {
    matches!(bytes, [b'R', b'F', b'B', b' ', a, b, c, b'.', d, e, f, b'\n', ..]
        if [a, b, c, d, e, f].iter().all(|b| b.is_ascii_digit()))
}

/// A hello of TLS whose lengths fit each other.
fn hello(bytes: &[u8]) -> Option<Sight<'_>> {
    let [0x16, 3, 0..=4, a, b, kind @ (1 | 2), 0, c, d, 3, 0..=3, behind @ ..] = bytes else { return None };
    let (record, message) = (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d]));
    if record < 40 || message < 36 || *kind == 2 && message + 4 > record || record > 0x4000 {
        return None;
    }
    match server_name(behind).filter(|_| *kind == 1) {
        Some(name) => Some(Sight::with(Inside::Tls, &SERVER_NAME, name)),
        None => Some(Sight::of(Inside::Tls)),
    }
}

/// The name in a client's hello, behind its version (RFC 8446 §4.1.2, RFC 6066 §3).
fn server_name(hello: &[u8]) -> Option<&[u8]> {
    let mut from = Cursor::of(hello.get(32..)?);
    // A session's id, suites, compression.
    for width in [1, 2, 1] {
        from.vector(width)?;
    }
    let mut extensions = Cursor::of(from.vector(2)?);
    loop {
        let (kind, content) = (extensions.number(2)?, extensions.vector(2)?);
        if kind == 0 {
            let name = content.get(5..)?;
            return name.iter().all(|b| (0x21..0x7F).contains(b)).then_some(name);
        }
    }
}

/// An array of strings, as clients of Redis write commands.
fn resp(bytes: &[u8]) -> bool {
    let mut lines = bytes.split(|b| *b == b'\n').map(|line| line.strip_suffix(b"\r"));
    let mut number = |mark: u8| {
        let line = lines.next().flatten()?;
        let digits = line.strip_prefix(&[mark])?;
        str::from_utf8(digits).ok()?.parse::<usize>().ok()
    };
    let (Some(count @ 1..), Some(length @ 1..)) = (number(b'*'), number(b'$')) else { return false };
    let command = lines.next().flatten();
    count < 1024 && command.is_some_and(|it| it.len() == length && it.iter().all(u8::is_ascii_alphanumeric))
}

/// A TPKT with the request for a connection, or the answer (MS-RDPBCGR §2.2.1.1).
fn rdp<'a>(said: &Said<'a>) -> Option<Sight<'a>> {
    let [3, 0, a, b, length, kind @ (0xE0 | 0xD0), 0, 0, ..] = said.bytes else { return None };
    let total = u64::from(u16::from_be_bytes([*a, *b]));
    let is_side = (*kind == 0xE0) == (said.dir == Dir::Client);
    let is_whole = total == said.length && u64::from(*length) + 5 == total && total >= 11;
    (is_side && is_whole).then(|| Sight::of(Inside::Rdp))
}

/// A server's greeting in version 10: a length, the number 0, and its version in words.
fn mysql<'a>(said: &Said<'a>) -> Option<Sight<'a>> {
    let [a, b, c, 0, 10, behind @ ..] = said.bytes else { return None };
    let length = u64::from(u32::from_le_bytes([*a, *b, *c, 0]));
    let version = behind.split(|b| *b == 0).next()?;
    let is_version = version.len() < 64
        && version.len() + 30 < behind.len()
        && version.contains(&b'.')
        && version[0].is_ascii_digit()
        && version.iter().all(|b| (0x20..0x7F).contains(b));
    let is_greeting = said.dir == Dir::Server && length + 4 == said.length && is_version && FIRST.contains(a);
    is_greeting.then(|| Sight::with(Inside::MySql, &SOFTWARE, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    use Dir::{Client, Server};

    fn read(messages: &[(Dir, bool, &[u8])]) -> Vec<Option<String>> {
        let mut tunnel = Tunnel::default();
        let (mut all, mut known) = (Vec::new(), false);
        for (i, (dir, text, bytes)) in messages.iter().enumerate() {
            let said = Said { known, agreed: false, ..Said::sample(*dir, i as u64 + 1, *text, bytes) };
            let app = tunnel.read(&said, &mut Vec::new());
            if app.is_none() && !known && !tunnel.is_undecided() {
                tunnel = Tunnel::default();
            }
            known |= app.is_some() || tunnel.is_undecided();
            all.push(app.map(|app| app.summary.to_string()));
        }
        all
    }

    const HELLO: &[u8] = b"\x16\x03\x01\x00\x48\x01\x00\x00\x44\x03\x03\
        00000000000000000000000000000000\x00\x00\x02\x13\x01\x01\x00\
        \x00\x19\x00\x00\x00\x15\x00\x13\x00\x00\x10internal.example";

    #[test]
    fn what_is_inside_is_named() {
        for (dir, text, bytes, said) in [
            (Client, false, &b"SSH-2.0-OpenSSH_9.7\r\n"[..], Some("SSH: SSH-2.0-OpenSSH_9.7")),
            (Server, false, b"RFB 003.008\n", Some("VNC (RFB): RFB 003.008")),
            (Server, true, b"UkZCIDAwMy4wMDgK", Some("VNC (RFB) in Base64, 16 bytes so far")),
            (Client, false, HELLO, Some("TLS: internal.example")),
            (Client, false, b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n", Some("HTTP/1: GET /x HTTP/1.1")),
            (Client, false, b"CONNECT a:22 HTTP/1.1\r\n\r\n", Some("HTTP/1: CONNECT a:22 HTTP/1.1")),
            (Client, false, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Some("HTTP/2, 24 bytes so far")),
            (Client, false, b"\0\0\0\x14\0\x03\0\0user\0ann\0\0\0\0", Some("PostgreSQL, 20 bytes so far")),
            (Client, false, b"\0\0\0\x08\x04\xd2\x16\x2f", Some("PostgreSQL, 8 bytes so far")),
            (Client, false, b"*1\r\n$4\r\nPING\r\n", Some("Redis (RESP), 14 bytes so far")),
            (
                Client,
                false,
                b"\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0",
                Some("RDP, 19 bytes so far"),
            ),
            (Client, false, b"GET the milk\r\n", None),
            (Client, false, b"SSH is nice", None),
            (Client, false, b"RFB", None),
            (Client, false, b"\x16\x03\x01\0\x05hello", None),
            (Client, false, b"\0\0\0\x08hallo!!!", None),
            (Client, false, b"*hugs*\r\n", None),
            (Client, true, b"GET /x HTTP/1.1\r\n\r\n", None),
            (Client, true, b"UkZCIGlzIG5pY2Uu", None),
        ] {
            let read = read(&[(dir, text, bytes)]);
            assert_eq!(read[0].as_deref(), said, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_could_be_chance_needs_both_sides() {
        let offer = (Client, false, &b"\x05\x01\x00"[..]);
        assert_eq!(read(&[offer, (Server, false, b"\x06\x00")]), [None, None]);
        assert_eq!(read(&[offer, (Client, false, b"\x05\x00")]), [None, None]);
        let all = read(&[
            offer,
            (Server, false, b"\x05\x00"),
            (Client, false, b"\x05\x01\0\x01\x7f\0\0\x01\0\x16"),
            (Client, false, b"SSH-2.0-x\r\n"),
            (Server, false, b"\0\0\x01"),
        ]);
        let all: Vec<_> = all.iter().map(|it| it.as_deref().unwrap_or_default()).collect();
        assert_eq!(
            all,
            [
                "",
                "SOCKS5, 2 bytes so far",
                "SOCKS5, 10 bytes so far",
                "SSH: SSH-2.0-x",
                "SSH, 5 bytes so far"
            ]
        );
    }

    #[test]
    fn what_follows_is_counted() {
        let all = read(&[
            (Client, false, HELLO),
            (Server, false, b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03etc"),
            (Client, false, b"\x17\x03\x03\0\x01x"),
            (Client, true, b"hello"),
        ]);
        assert_eq!(all[1].as_deref(), Some("TLS, a part of the handshake, 14 bytes so far"));
        assert_eq!(all[2].as_deref(), Some("TLS, encrypted data, 83 bytes so far"));
        assert_eq!(all[3], None);
        let late: Vec<_> = std::iter::repeat_n((Client, false, &b"\x01"[..]), 3)
            .chain([(Client, false, &b"SSH-2.0-x\r\n"[..])])
            .collect();
        assert_eq!(read(&late), [None, None, None, None]);
    }
}
