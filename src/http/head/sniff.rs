//! Whether bytes begin an HTTP/1 head.

/// Whether a stream starts like HTTP/1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sniff {
    /// A method and a space.
    Request,
    /// `HTTP/1.`
    Response,
    /// It does not.
    Neither,
    /// It takes more bytes to tell.
    NeedMore,
}

/// Tells from its first bytes whether a stream begins with an HTTP/1 head. At
/// most some thirty bytes behind leading empty lines are looked at.
pub fn sniff(bytes: &[u8]) -> Sniff {
    const LONGEST_METHOD: usize = 24;
    let start = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
    let bytes = &bytes[start..];
    let common = bytes.len().min(5);
    if bytes[..common] == b"HTTP/"[..common] {
        return if common == 5 { Sniff::Response } else { Sniff::NeedMore };
    }
    let method = bytes.iter().take_while(|b| b.is_ascii_alphabetic() || **b == b'-').count();
    match (method, &bytes[method..]) {
        (LONGEST_METHOD.., _) => Sniff::Neither,
        (_, [] | [b' ']) if method > 0 => Sniff::NeedMore,
        (1.., [b' ', b'/' | b'*' | b'[', ..]) => Sniff::Request,
        // The target is missing.
        (1.., [b' ', version @ ..]) if version.starts_with(b" HTTP/") => Sniff::Request,
        (1.., [b' ', version @ ..]) if b" HTTP/".starts_with(version) => Sniff::NeedMore,
        (1.., [b' ', first, ..]) if first.is_ascii_alphanumeric() && bytes[0].is_ascii_uppercase() => {
            Sniff::Request
        }
        _ => Sniff::Neither,
    }
}
