//! From text that may hold anything to text that a browser shows as it is.
//!
//! A page is built from text nodes alone, so that nothing in them is a tag; what is done here is for the
//! reader's eyes: characters that reorder a line or that nobody sees are written out, as on a terminal.

use std::borrow::Cow;

use crate::render::escape::{self, Kind, cells};

/// Data from the wire: what [`escape`] writes out is written out, and a line ends where it says so.
pub fn data(bytes: &[u8]) -> Cow<'_, str> {
    if let Some(plain) = escape::plain_data(bytes) {
        return plain.into();
    }
    let mut out = String::with_capacity(bytes.len() + bytes.len() / 8);
    for cell in cells(bytes, Kind::Data, false) {
        cell.push_to(&mut out);
        if cell.line_end {
            out.push('\n');
        }
    }
    out.into()
}

/// The tool's own words, which may quote the wire.
pub fn words(words: &str) -> Cow<'_, str> {
    if escape::as_they_are(words, false).is_some() {
        return words.into();
    }
    let mut out = String::with_capacity(words.len() + words.len() / 8);
    escape::words(words, false).for_each(|cell| cell.push_to(&mut out));
    out.into()
}

/// Text of a document of HTML, outside of scripts.
pub fn html(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    for c in self::words(words).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_play_tricks_is_written_out() {
        assert_eq!(data(b"a\nb\x1b[2J"), "a\\n\nb\\u{1b}[2J");
        assert_eq!(data("\u{202e}x\u{2028}".as_bytes()), "\\u{202e}x\\u{2028}");
        assert_eq!(words("cut → here\u{200b}"), "cut → here\\u{200b}");
        assert_eq!(html("<img onerror='\"'>&"), "&lt;img onerror=&#39;&quot;&#39;&gt;&amp;");
    }
}
