//! How browsers write things, in archives as in what their debugging port tells.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};

use crate::model::Opcode;
use crate::model::told::field;

/// A URL, taken apart. Untrusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// It is `ws` or `wss`.
    pub is_socket: bool,
    /// It is `wss` or `https`.
    pub secure: bool,
    /// Host and port as they are written, without a user.
    pub authority: String,
    /// Path and query, as a request asks for them.
    pub target: String,
}

impl Url {
    /// Reads what there is of one.
    pub fn of(url: &str) -> Self {
        // What stands in a URL itself went over no network, whatever it looks like.
        let is_content = url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"));
        let url = if is_content { "" } else { url };
        let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let target = target.split('#').next().unwrap_or_default();
        let is_named = |name: &str| scheme.eq_ignore_ascii_case(name);
        Self {
            is_socket: is_named("ws") || is_named("wss"),
            secure: is_named("wss") || is_named("https"),
            authority: authority.rsplit('@').next().unwrap_or_default().to_owned(),
            target: if target.starts_with('/') { target.to_owned() } else { format!("/{target}") },
        }
    }
}

/// A header field; those of the same name, which Chrome joins by line ends, each for itself.
pub fn fields(name: &str, joined: &str) -> impl Iterator<Item = (String, String)> {
    joined.split('\n').map(|value| (name.to_owned(), value.trim().to_owned()))
}

/// The version of HTTP as a start line has it; empty where it is none.
pub fn version(protocol: &str) -> String {
    match protocol.to_ascii_lowercase().as_str() {
        "h2" | "http/2" | "http/2.0" | "h2c" => "HTTP/2".into(),
        "h3" | "http/3" | "http/3.0" => "HTTP/3".into(),
        named if named.starts_with("http/") => protocol.to_ascii_uppercase(),
        _ => String::new(),
    }
}

/// The method and the version of an opening handshake over HTTP/2 (RFC 8441 §4).
pub const OVER_HTTP2: (&str, &str) = ("CONNECT", "HTTP/2");

/// The method and the version of an opening handshake of which a browser lists these fields. Chromium writes
/// one over HTTP/2 as if it were of HTTP/1.1, but for the key: only there is none (RFC 8441 §5).
pub fn handshake(headers: &[(String, String)]) -> (&'static str, &'static str) {
    let has = |name: &str| field(headers, name).is_some();
    if has("Sec-WebSocket-Version") && !has("Sec-WebSocket-Key") { OVER_HTTP2 } else { ("GET", "HTTP/1.1") }
}

/// What a message carries, which is written as text, or in Base64.
pub fn carried(kind: Opcode, data: String) -> Vec<u8> {
    content(data, !matches!(kind, Opcode::TEXT | Opcode::CONTINUATION))
}

/// What a text stands for: itself where it is no Base64, though said to be.
pub fn content(text: String, is_base64: bool) -> Vec<u8> {
    let decoded = if is_base64 { base64(&text) } else { None };
    decoded.unwrap_or_else(|| text.into_bytes())
}

fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    STANDARD.decode(text).or_else(|_| STANDARD_NO_PAD.decode(text)).or_else(|_| URL_SAFE.decode(text)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_taken_apart() {
        for (url, is_socket, secure, authority, target) in [
            ("wss://a:8443/chat?x=1#y", true, true, "a:8443", "/chat?x=1"),
            ("WS://user:word@a?x", true, false, "a", "/?x"),
            ("https://[::1]:80", false, true, "[::1]:80", "/"),
            ("a/b", false, false, "a", "/b"),
            ("", false, false, "", "/"),
            ("data:text/html,<script>new WebSocket('ws://a/?EIO=4')", false, false, "", "/"),
        ] {
            let (authority, target) = (authority.to_owned(), target.to_owned());
            assert_eq!(Url::of(url), Url { is_socket, secure, authority, target }, "{url}");
        }
    }
}
