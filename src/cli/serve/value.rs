//! Values of options.

use std::time::Duration;

use crate::cli::size;
use crate::lab::fault;
use crate::model::Text;

/// A time that is more than nothing.
///
/// # Errors
/// How it is written.
pub fn time(text: &str) -> Result<Duration, String> {
    match fault::duration(text) {
        Ok(time) if time.is_zero() => Err("more than nothing".to_owned()),
        Ok(time) => Ok(time),
        Err(problem) => Err(problem.to_string()),
    }
}

/// How large a message may be.
///
/// # Errors
/// What is understood, or which sizes are allowed.
pub fn message(text: &str) -> Result<u64, String> {
    size::within(text, 125, 1 << 30)
}

/// The name of a subprotocol.
///
/// # Errors
/// That no handshake can name it.
pub fn subprotocol(text: &str) -> Result<String, String> {
    //= RFC 6455 §4.1
    //# The elements that comprise this value MUST be non-empty strings with characters in the range U+0021 to
    //# U+007E not including separator characters as defined in [RFC2616]
    if crate::http::is_token(text.as_bytes()) {
        return Ok(text.to_owned());
    }
    Err(Text::with("`{}` is no name of a subprotocol: one word, such as chat.v2; repeat it for more", text)
        .to_string())
}

/// The origin of what has none, such as a file.
const NULL: &[u8] = b"null";

/// The origin of pages, as browsers write it in Origin (RFC 6454 §6.1): without a path, not even `/`.
///
/// # Errors
/// How it is written.
pub fn origin(text: &str) -> Result<String, String> {
    let is_origin = match text.split_once("://") {
        Some((scheme, host)) => !scheme.is_empty() && !host.is_empty() && !host.contains(['/', '?', '#']),
        None => text.as_bytes() == NULL,
    };
    let problem = Text::with("`{}` is no origin: http://localhost:3000 is one, without a path", text);
    if is_origin { Ok(text.to_owned()) } else { Err(problem.to_string()) }
}

/// The same, or `*` for all.
///
/// # Errors
/// How it is written.
pub fn origin_or_all(text: &str) -> Result<String, String> {
    if text == "*" { Ok(text.to_owned()) } else { origin(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subprotocols_are_words() {
        assert_eq!(subprotocol("graphql-transport-ws").as_deref(), Ok("graphql-transport-ws"));
        for bad in ["a b", "a,b", "", "名"] {
            assert!(subprotocol(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn origins_have_a_scheme_and_no_path() {
        for good in ["http://localhost:3000", "https://example.com", "null", "chrome-extension://abc"] {
            assert_eq!(origin(good).as_deref(), Ok(good));
        }
        for bad in ["localhost:3000", "http://localhost:3000/", "http://", "://a", "*", ""] {
            assert!(origin(bad).is_err(), "{bad}");
        }
        assert!(origin_or_all("*").is_ok() && origin_or_all("http://a/").is_err());
    }
}
