//! Messages behind the header of the Language Server Protocol, which tells them apart in a stream of bytes.

/// A header and what follows it.
#[derive(Debug, PartialEq, Eq)]
pub struct Part<'t> {
    pub header: &'t str,
    /// The length that it gives.
    pub declared: usize,
    /// The value that follows, whatever its length.
    pub content: &'t str,
    /// What is behind that.
    pub rest: &'t str,
}

const NAME: &[u8] = b"content-length:";

/// Whether bytes begin with such a header.
pub fn begins(bytes: &[u8]) -> bool {
    let is = |name: &[u8]| bytes.get(..name.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(name));
    is(NAME) || is(b"content-type:")
}

impl<'t> Part<'t> {
    /// Reads the first of a text; `None` where there is no header with a length.
    pub fn read(text: &'t str) -> Option<Self> {
        let end = text.find("\r\n\r\n")?;
        let (header, behind) = (&text[..end], &text[end + 4..]);
        let mut lines = header.split("\r\n").filter_map(|line| line.split_once(':'));
        let (_, length) = lines.find(|(name, _)| name.eq_ignore_ascii_case("content-length"))?;
        let declared = length.trim().parse().ok()?;
        // Where the length is wrong, the value shows where it ends.
        let as_declared = behind.get(..declared).filter(|content| is_json(content));
        let length = as_declared.map_or_else(|| length_of(behind), str::len);
        let (content, rest) = behind.split_at(length);
        Some(Self { header, declared, content, rest })
    }
}

fn is_json(text: &str) -> bool {
    crate::app::json::is_valid(text)
}

/// Bytes of the JSON value at the beginning of a text, or of all of it.
fn length_of(text: &str) -> usize {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<serde::de::IgnoredAny>();
    match values.next() {
        Some(Ok(_)) => values.byte_offset(),
        _ => text.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers() {
        let part = Part::read("Content-Type: x\r\ncontent-length: 2\r\n\r\n{}Content").unwrap();
        assert_eq!((part.declared, part.content, part.rest), (2, "{}", "Content"));
        let part = Part::read("Content-Length: 9\r\n\r\n{\"a\":\"é\"}Content").unwrap();
        assert_eq!((part.declared, part.content, part.rest), (9, "{\"a\":\"é\"}", "Content"));
        for text in ["", "Content-Length: 2", "Content-Length: x\r\n\r\n{}", "Content-Type: x\r\n\r\n{}"] {
            assert_eq!(Part::read(text), None, "{text}");
        }
        assert!(begins(b"CONTENT-LENGTH: 1") && !begins(b"Content") && !begins(b"{}"));
    }
}
