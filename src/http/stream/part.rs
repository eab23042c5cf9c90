//! A part of `multipart/x-mixed-replace` (RFC 2046 §5.1).

use super::units::Seen;
use super::{PART_TYPE, Place, Said, quoted};
use crate::model::{App, Text, Value};

/// What stands between parts, as the parameters of a Content-Type name it (RFC 2046 §5.1.1).
pub(super) fn boundary(parameters: &str) -> Option<Vec<u8>> {
    /// Characters that it may have.
    const MOST: usize = 70;
    let named = |parameter: &str| {
        let (name, value) = parameter.split_once('=')?;
        name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
    };
    let value = parameters.split(';').find_map(named)?;
    (1..=MOST).contains(&value.len()).then(|| value.into_bytes())
}

/// Reads a part: its header, and its content.
pub(super) fn read<'b>(seen: &Seen<'b>, at: Place) -> Said<'b> {
    let (head, content) = divided(seen.kept);
    let named = |line: &[u8]| {
        let colon = memchr::memchr(b':', line)?;
        let is_named = line[..colon].eq_ignore_ascii_case(b"content-type");
        is_named.then(|| String::from_utf8_lossy(line[colon + 1..].trim_ascii()).into_owned())
    };
    let kind = head.split(|byte| *byte == b'\n').find_map(named);
    let is_text = kind.as_deref().is_none_or(|kind| kind.starts_with("text/"))
        || kind.as_deref() == Some("application/json");
    let summary = match (&kind, std::str::from_utf8(content)) {
        (Some(kind), Ok(text)) if is_text => Text::with("{}: {}", quoted(kind)).and(quoted(text)),
        (None, Ok(text)) => Text::with("a part without a type: {}", quoted(text)),
        (Some(kind), _) => Text::with("{}, which replaces what was there", quoted(kind)),
        (None, Err(_)) => Text::new("a part without a type"),
    };
    let fields =
        kind.into_iter().map(|kind| at.field(&PART_TYPE, 0, head.len(), Value::Text(kind))).collect();
    let app = App { protocol: "multipart", name: "Part", summary, fields, ..App::default() };
    Said { app, content, findings: Vec::new() }
}

/// The header, and what is behind the empty line that ends it.
fn divided(part: &[u8]) -> (&[u8], &[u8]) {
    if let Some(rest) = part.strip_prefix(b"\r\n").or_else(|| part.strip_prefix(b"\n")) {
        return (&[], rest);
    }
    let end = |mark: &[u8]| memchr::memmem::find(part, mark).map(|at| (at, at + mark.len()));
    let (end, begin) = match (end(b"\r\n\r\n"), end(b"\n\n")) {
        (Some(crlf), Some(lf)) => crlf.min(lf),
        (one, other) => one.or(other).unwrap_or((part.len(), part.len())),
    };
    (&part[..end], &part[begin..])
}

#[cfg(test)]
mod tests {
    use super::super::units::{Begin, Form};
    use super::*;
    use crate::model::SourceId;

    #[test]
    fn parts_have_a_header_and_a_content() {
        for (bytes, content, summary) in [
            (&b"Content-Type: text/plain\r\n\r\nAnn: hi"[..], &b"Ann: hi"[..], "text/plain: Ann: hi"),
            (
                b"content-type: image/jpeg\n\n\xFF\xD8",
                b"\xFF\xD8",
                "image/jpeg, which replaces what was there",
            ),
            (b"\r\nbare", b"bare", "a part without a type: bare"),
            (b"Content-Type: text/plain", b"", "text/plain: "),
        ] {
            let seen = Seen {
                reader: Form::Parts,
                begin: Begin::default(),
                kept: bytes,
                length: bytes.len() as u64,
                is_first: false,
                complete: true,
                discarded: false,
            };
            let said = read(&seen, Place { source: SourceId::Input, byte: 0 });
            assert_eq!((said.content, said.app.summary.to_string().as_str()), (content, summary));
        }
    }

    #[test]
    fn the_boundary_is_a_parameter() {
        assert_eq!(boundary("charset=x; Boundary=line").as_deref(), Some(&b"line"[..]));
        assert_eq!(boundary(" boundary=\"a b\"").as_deref(), Some(&b"a b"[..]));
        assert_eq!(boundary("charset=x"), None);
        assert_eq!(boundary(&format!("boundary={}", "x".repeat(71))), None);
    }
}
