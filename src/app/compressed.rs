//! Data that the application compressed itself.

use super::dialect::{Dialect, Reader, Said, Sheet};
use super::json;
use crate::coding::{Coding, Codings, Plain};
use crate::limits::{APP_PAYLOAD, APP_SHOWN};
use crate::model::{App, Cite, Text, Value, fields};

/// Messages whose content is compressed as a whole: gzip, zlib or zstd.
pub static DIALECT: Dialect = Dialect {
    id: "compressed",
    subprotocols: &[],
    looks_like: Some(looks_like),
    first: &[],
    last: &[],
    marks: 0,
    target: None,
    fields: FIELDS,
    rules: &[],
    reader: Reader::Each(read),
    sheet: Sheet {
        name: "Compressed by the application",
        shown_by: "the signature of gzip, zlib or zstd, and that it inflates",
        decoded: "what it inflates to",
        sample: "clean/compressed.script",
        source: ("RFC 1950, RFC 1952, RFC 8878", "https://www.rfc-editor.org/rfc/rfc1952"),
    },
};

fields! {
    /// What is annotated.
    FIELDS;
    FORMAT = "compressed.format", "format", Cite { doc: "RFC 1950", section: "2.2" },
        "How the application compressed the message.";
    CONTENT = "compressed.content", "content", Cite { doc: "RFC 1951", section: "3" },
        "What it inflates to.";
}

/// A compressed format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// RFC 1952.
    Gzip,
    /// RFC 1950.
    Zlib,
    /// RFC 8878.
    Zstd,
}

impl Format {
    /// The format whose signature `bytes` begin with.
    fn sniff(bytes: &[u8]) -> Option<Self> {
        match *bytes {
            [0x1F, 0x8B, 8, ..] => Some(Self::Gzip),
            [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Self::Zstd),
            // CM = 8, a window of at most 32 KiB, and the check of both bytes; no preset dictionary.
            [a, b, ..]
                if a & 0xF == 8
                    && a >> 4 <= 7
                    && b & 0x20 == 0
                    && (u16::from(a) << 8 | u16::from(b)) % 31 == 0 =>
            {
                Some(Self::Zlib)
            }
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zlib => "zlib",
            Self::Zstd => "zstd",
        }
    }

    /// What takes it off.
    fn codings(self) -> Codings {
        Codings::from(match self {
            Self::Gzip => Coding::Gzip,
            Self::Zlib => Coding::Deflate,
            Self::Zstd => Coding::Zstd,
        })
    }
}

/// What begins with a signature.
fn looks_like(said: &Said<'_>) -> bool {
    !said.text && Format::sniff(said.bytes).is_some()
}

/// A message that is compressed whole.
fn read(said: &Said<'_>) -> Option<App> {
    let format = Format::sniff(said.bytes).filter(|_| !said.text)?;
    let Plain { bytes: content, is_cut, stop } = format.codings().plain(said.bytes, APP_PAYLOAD as usize);
    // Two bytes are no proof: only what inflates is believed.
    let is_whole = !is_cut && stop.is_none();
    if content.is_empty() || !is_whole && content.len() < 16 {
        return None;
    }
    let summary = Text::with("{} of the application's own, {} bytes from {}", format.name())
        .and(content.len())
        .and(said.bytes.len());
    let shown = &content[..content.len().min(APP_SHOWN)];
    let value = match str::from_utf8(shown) {
        Ok(text) if json::is_valid(text) => Value::Json(text.to_owned()),
        Ok(text) => Value::Text(text.to_owned()),
        Err(_) => Value::Bytes(shown.to_vec()),
    };
    let fields = vec![
        said.field(&FORMAT, 0, 2, Value::Text(format.name().to_owned())),
        said.field(&CONTENT, 0, said.bytes.len(), value),
    ];
    Some(App { protocol: "compressed", name: "Compressed", summary, fields, ..App::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dir;

    const ZLIB_HELLO: &[u8] = b"\x78\x9c\xcb\x48\xcd\xc9\xc9\x07\x00\x06\x2c\x02\x15";

    #[test]
    fn zlib_is_recognised_and_inflated() {
        let said = Said::sample(Dir::Client, 1, false, ZLIB_HELLO);
        let app = read(&said).unwrap();
        assert_eq!(app.summary.to_string(), "zlib of the application's own, 5 bytes from 13");
        assert_eq!(app.fields[1].value, Value::Text("hello".into()));
        let said = Said::sample(Dir::Client, 1, false, b"\x78\x9cxyz");
        assert_eq!(read(&said), None);
        assert_eq!(read(&Said::sample(Dir::Client, 1, false, b"x")), None);
    }
}
