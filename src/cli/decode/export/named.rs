//! What the files are called.

use serde::de::IgnoredAny;

/// The number of a packet that came by HTTP, of which there may be several in a message.
pub(super) fn by_http(number: u64) -> String {
    format!("http-{number:06}")
}

/// The ending that a file of such content has.
pub(super) fn ending(bytes: &[u8]) -> &'static str {
    const MAGIC: &[(usize, &[u8], &str)] = &[
        (0, b"\x89PNG\r\n\x1A\n", "png"),
        (0, b"\xFF\xD8\xFF", "jpg"),
        (0, b"GIF8", "gif"),
        (8, b"WEBP", "webp"),
        (8, b"WAVE", "wav"),
        (0, b"OggS", "ogg"),
        (0, b"\x1A\x45\xDF\xA3", "webm"),
        (4, b"ftyp", "mp4"),
        (0, b"ID3", "mp3"),
        (0, b"%PDF-", "pdf"),
        (0, b"PK\x03\x04", "zip"),
        (0, b"\x1F\x8B\x08", "gz"),
        (0, b"\x28\xB5\x2F\xFD", "zst"),
        (0, b"\0asm", "wasm"),
    ];
    let magic =
        MAGIC.iter().find(|(at, magic, _)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(magic)));
    if let Some((_, _, ending)) = magic {
        return ending;
    }
    let Ok(text) = std::str::from_utf8(bytes) else { return "bin" };
    let begins = text.trim_start();
    let lower: String = begins.chars().take(16).collect::<String>().to_ascii_lowercase();
    if begins.starts_with(['{', '[']) && serde_json::from_str::<IgnoredAny>(text).is_ok() {
        "json"
    } else if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        "html"
    } else if lower.starts_with("<svg") {
        "svg"
    } else if lower.starts_with("<?xml") {
        "xml"
    } else if text.chars().any(|c| c.is_control() && !c.is_whitespace()) {
        "bin"
    } else {
        "txt"
    }
}

#[cfg(test)]
mod tests {
    use super::ending;

    #[test]
    fn content_decides_the_ending() {
        for (content, expected) in [
            (&b"{\"a\": [1, 2]}"[..], "json"),
            (b" [1]", "json"),
            (b"{not json", "txt"),
            (b"42[\"chat\"]", "txt"),
            ("早上好".as_bytes(), "txt"),
            (b"\x89PNG\r\n\x1A\n....", "png"),
            (b"RIFF....WEBPVP8 ", "webp"),
            (b"<!DOCTYPE html><p>", "html"),
            (b"<?xml version=\"1.0\"?>", "xml"),
            (b"<svg xmlns=", "svg"),
            (b"text\0with nul", "bin"),
            (b"\xFF\xFE\0", "bin"),
            (b"\x1F\x8B\x08\0", "gz"),
        ] {
            assert_eq!(ending(content), expected, "{}", content.escape_ascii());
        }
    }
}
