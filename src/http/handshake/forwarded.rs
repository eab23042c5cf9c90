//! Who the client is, as the first proxy on the way has it: `X-Forwarded-For`, and `Forwarded` (RFC 7239).

use std::net::{IpAddr, SocketAddr};

use super::super::fields::Name;
use super::exam::Exam;
use super::lists::elements;

/// The client's address, if a proxy names it. Whoever asks can say so itself: it tells clients apart, and
/// nothing more may depend on it.
pub(super) fn client(exam: &Exam<'_, '_>) -> Option<IpAddr> {
    let first = |name| {
        let (_, value) = exam.first(name)?;
        let element = elements(value.bytes).next()?;
        str::from_utf8(element.bytes).ok()
    };
    let own = || address(first(Name::ForwardedFor)?);
    let standard = || {
        let mut pairs = first(Name::Forwarded)?.split(';').filter_map(|pair| pair.trim().split_once('='));
        address(pairs.find(|(name, _)| name.eq_ignore_ascii_case("for"))?.1)
    };
    own().or_else(standard)
}

/// An address with or without a port, as it is or in quotes and brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::head::Head;
    use crate::model::{Dir, SourceId};

    #[test]
    fn the_first_proxy_names_the_client() {
        for (fields, expected) in [
            ("X-Forwarded-For: 203.0.113.7", Some("203.0.113.7")),
            ("x-forwarded-for: 203.0.113.7:4711, 10.0.0.1", Some("203.0.113.7")),
            ("X-Forwarded-For: 2001:db8::1, 10.0.0.1", Some("2001:db8::1")),
            ("X-Forwarded-For: [2001:db8::1]:4711", Some("2001:db8::1")),
            ("Forwarded: proto=https; For=\"[2001:db8::1]:4711\", for=10.0.0.1", Some("2001:db8::1")),
            ("Forwarded: for=192.0.2.60;proto=http", Some("192.0.2.60")),
            ("Forwarded: for=_hidden", None),
            ("X-Forwarded-For: unknown", None),
            ("X-Real-IP: 203.0.113.7", None),
        ] {
            let head = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
            let head = Head::parse(head.as_bytes(), SourceId::Stream { conn: 1, dir: Dir::Client }, 0);
            let found = client(&Exam::new(&head, false));
            assert_eq!(found, expected.map(|text| text.parse().unwrap()), "{fields}");
        }
    }
}
