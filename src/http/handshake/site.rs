//! Which hosts belong together.

/// Whether two authorities (host and perhaps port) are of one site, as far as names tell without
/// the list of public suffixes: the same host, one within the other, or both on this machine.
pub(super) fn is_same_site(a: &str, b: &str) -> bool {
    let (a, b) = (host_of(a), host_of(b));
    let within = |inner: &str, outer: &str| {
        inner.strip_suffix(outer).is_some_and(|rest| rest.ends_with('.')) && outer.contains('.')
    };
    let local = |host: &str| matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    // Siblings share all but their first label; the last one of an address is a number.
    let is_name = a.ends_with(|c: char| c.is_ascii_alphabetic());
    let siblings = match (a.split_once('.'), b.split_once('.')) {
        (Some((_, a)), Some((_, b))) => is_name && a == b && a.contains('.'),
        _ => false,
    };
    a == b || within(&a, &b) || within(&b, &a) || siblings || (local(&a) && local(&b))
}

/// The host of `host:port`, in lower case.
fn host_of(authority: &str) -> String {
    let end = match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => colon,
        _ => authority.len(),
    };
    authority[..end].to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::is_same_site;

    #[test]
    fn sites_by_their_names() {
        let same = [
            ("example.com", "example.com"),
            ("Example.com:8443", "example.com"),
            ("example.com", "server.example.com"),
            ("www.example.com", "live.example.com:8080"),
            ("localhost:3000", "127.0.0.1:8080"),
            ("[::1]:3000", "[::1]:8080"),
            ("[2001:db8::1]", "[2001:db8::1]:80"),
        ];
        let other = [
            ("example.net", "example.com"),
            ("badexample.com", "example.com"),
            ("a.com", "b.com"),
            ("192.0.2.1", "198.51.2.1"),
            ("10.0.0.1", "11.0.0.1"),
            ("localhost", "example.com"),
            ("[2001:db8::1]", "[2001:db8::2]"),
            ("com", "example.com"),
        ];
        for (pairs, expected) in [(&same[..], true), (&other[..], false)] {
            for (a, b) in pairs {
                assert_eq!(is_same_site(a, b), expected, "{a} {b}");
                assert_eq!(is_same_site(b, a), expected, "{b} {a}");
            }
        }
    }
}
