//! The header that a proxy puts in front of a connection to say who the client is: the PROXY
//! protocol of `HAProxy`, version 1 (a line of text) and version 2 (binary).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::model::Text;

/// What version 2 begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// What version 1 begins with.
const WORD: &[u8] = b"PROXY ";
/// The longest line of version 1, its end included.
const LONGEST_LINE: usize = 107;
/// Bytes of version 2 up to its length, which counts those behind it.
const FIXED: usize = SIGNATURE.len() + 4;
/// The name that the client asked for (`PP2_TYPE_AUTHORITY`).
const AUTHORITY: u8 = 2;

/// What the first bytes of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// A header of so many bytes.
    Header(usize),
    /// It takes more bytes to tell.
    NeedMore,
    Neither,
}

/// A header that is whole, or as much of it as was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub protocol: &'static str,
    /// Who the proxy was asked by.
    pub client: Option<SocketAddr>,
    /// Where it was asked.
    pub server: Option<SocketAddr>,
    pub about: Text,
}

/// Looks for a header at the beginning of a client's stream.
pub(super) fn begin(bytes: &[u8]) -> Begin {
    if let [b'\r', ..] = bytes {
        return begin_binary(bytes);
    }
    let known = bytes.len().min(WORD.len());
    if bytes[..known] != WORD[..known] {
        return Begin::Neither;
    }
    match bytes.iter().take(LONGEST_LINE).position(|byte| *byte == b'\n') {
        Some(end) if line(&bytes[..=end]).is_some() => Begin::Header(end + 1),
        None if bytes.len() < LONGEST_LINE => Begin::NeedMore,
        _ => Begin::Neither,
    }
}

fn begin_binary(bytes: &[u8]) -> Begin {
    let known = bytes.len().min(SIGNATURE.len());
    if bytes[..known] != SIGNATURE[..known] {
        return Begin::Neither;
    }
    let Some(&[command, family, high, low]) = bytes.get(SIGNATURE.len()..FIXED) else {
        return Begin::NeedMore;
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let is_known = matches!(command, 0x20 | 0x21) && family >> 4 <= 3 && family & 15 <= 2;
    // A local connection's addresses are to be skipped, whatever they are.
    let fits = command == 0x20 || length >= addresses_length(family);
    if is_known && fits { Begin::Header(FIXED + length) } else { Begin::Neither }
}

/// Bytes of both addresses in version 2.
fn addresses_length(family: u8) -> usize {
    match family >> 4 {
        1 => 12,
        2 => 36,
        3 => 216,
        _ => 0,
    }
}

/// Reads a header that [`begin`] found.
pub(super) fn read(bytes: &[u8]) -> Option<Header> {
    if bytes.starts_with(WORD) {
        let addresses = line(bytes)?;
        return Some(Header::new("proxy-v1", addresses, Text::new("PROXY v1")));
    }
    let body = bytes.get(FIXED..)?;
    let (command, family) = (bytes[12], bytes[13]);
    if command == 0x20 {
        let about = "PROXY v2: a connection of the proxy's own (LOCAL)";
        return Some(Header { protocol: "proxy-v2", client: None, server: None, about: about.into() });
    }
    let port = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
    let addresses = match family >> 4 {
        1 if body.len() >= 12 => {
            let ip = |at: usize| Ipv4Addr::new(body[at], body[at + 1], body[at + 2], body[at + 3]);
            Some((SocketAddr::from((ip(0), port(8))), SocketAddr::from((ip(4), port(10)))))
        }
        2 if body.len() >= 36 => {
            let ip = |at: usize| {
                let octets: [u8; 16] = body[at..at + 16].try_into().unwrap_or_default();
                Ipv6Addr::from(octets)
            };
            Some((SocketAddr::from((ip(0), port(32))), SocketAddr::from((ip(16), port(34)))))
        }
        _ => None,
    };
    let name = Text::new("PROXY v2");
    let mut header = Header::new("proxy-v2", addresses, name);
    if let Some(host) = authority(body.get(addresses_length(family)..).unwrap_or_default()) {
        header.about = Text::new("{}, for {}").word(header.about).and(host);
    }
    Some(header)
}

impl Header {
    fn new(protocol: &'static str, addresses: Option<(SocketAddr, SocketAddr)>, name: Text) -> Self {
        let (client, server) = addresses.unzip();
        let about = match addresses {
            Some((client, server)) => {
                Text::new("{}: client {}, who asked {}").word(name).and(client).and(server)
            }
            None => Text::new("{} without addresses").word(name),
        };
        Self { protocol, client, server, about }
    }
}

/// The addresses of a line of version 1; `None` for a line that is none.
#[expect(clippy::option_option, reason = "a line may be right and have no addresses")]
fn line(bytes: &[u8]) -> Option<Option<(SocketAddr, SocketAddr)>> {
    let line = str::from_utf8(bytes.strip_prefix(WORD)?.strip_suffix(b"\r\n")?).ok()?;
    let mut words = line.split(' ');
    let is_v6 = match words.next()? {
        "UNKNOWN" => return Some(None),
        "TCP4" => false,
        "TCP6" => true,
        _ => return None,
    };
    let mut ip = || words.next()?.parse().ok().filter(|ip: &IpAddr| ip.is_ipv6() == is_v6);
    let ips = (ip()?, ip()?);
    let mut port = || words.next()?.parse::<u16>().ok();
    let ports = (port()?, port()?);
    if words.next().is_some() {
        return None;
    }
    Some(Some(((ips.0, ports.0).into(), (ips.1, ports.1).into())))
}

/// The host name among the type-length-values of version 2.
fn authority(mut rest: &[u8]) -> Option<&str> {
    while let [kind, high, low, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let value = after.get(..length)?;
        if *kind == AUTHORITY {
            return str::from_utf8(value).ok().filter(|name| !name.is_empty());
        }
        rest = &after[length..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const V2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x1a\xc0\0\x02\x07\xc6\x33\x64\x09\xc3\x50\x01\xbb\
        \x02\0\x0bexample.comGET ";

    #[test]
    fn headers_are_told_from_what_only_begins_alike() {
        for (bytes, expected) in [
            (&b"PROXY TCP4 192.0.2.7 198.51.100.9 50000 443\r\nGET"[..], Begin::Header(45)),
            (b"PROXY TCP6 2001:db8::7 2001:db8::9 50000 443\r\n", Begin::Header(46)),
            (b"PROXY UNKNOWN\r\n", Begin::Header(15)),
            (b"PROXY UNKNOWN ff 1 2\r\n", Begin::Header(22)),
            (b"P", Begin::NeedMore),
            (b"PROXY TCP4 192.0.2.7 198.51.100.9 50000 443\r", Begin::NeedMore),
            (b"PROXY TCP4 192.0.2.7 198.51.100.9 50000 443\n", Begin::Neither),
            (b"PROXY TCP4 2001:db8::7 2001:db8::9 50000 443\r\n", Begin::Neither),
            (b"PROXY TCP4 192.0.2.7 198.51.100.9 50000 65536\r\n", Begin::Neither),
            (b"PROXY / HTTP/1.1\r\n", Begin::Neither),
            (b"POST / HTTP/1.1\r\n", Begin::Neither),
            (b"", Begin::NeedMore),
            (&V2[..15], Begin::NeedMore),
            (&V2[..20], Begin::Header(42)),
            (b"\r\n\r\nGET", Begin::Neither),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x04", Begin::Neither),
            (b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c", Begin::Neither),
            (b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0", Begin::Header(16)),
        ] {
            assert_eq!(begin(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
        }
        let long = [WORD, &[b'1'; 107]].concat();
        assert_eq!(begin(&long), Begin::Neither);
    }

    #[test]
    fn what_a_header_says() {
        let told = |bytes: &[u8]| read(bytes).map(|header| header.about.to_string());
        let both = "client 192.0.2.7:50000, who asked 198.51.100.9:443";
        assert_eq!(
            told(b"PROXY TCP4 192.0.2.7 198.51.100.9 50000 443\r\n"),
            Some(format!("PROXY v1: {both}"))
        );
        assert_eq!(told(b"PROXY UNKNOWN\r\n").as_deref(), Some("PROXY v1 without addresses"));
        assert_eq!(told(&V2[..42]), Some(format!("PROXY v2: {both}, for example.com")));
        // Only a part of the addresses was kept.
        assert_eq!(told(&V2[..20]).as_deref(), Some("PROXY v2 without addresses"));
    }
}
