//! `--export DIR`: what messages carry, as files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;

use crate::cli::Look;
use crate::cli::trouble::of_file;
use crate::model::quantity::size;
use crate::model::{Body, Opcode, Text, Unit};

/// Writes a file for each message that is selected.
pub(super) struct Export {
    folder: PathBuf,
    /// Control messages are written when somebody asks for them.
    opcodes: Vec<Opcode>,
    files: u64,
    bytes: u64,
    /// Messages of which something is missing.
    partial: u64,
    /// Messages without content.
    empty: u64,
    /// Packets that came by HTTP so far, which have no number of their own.
    packets: u64,
    /// Why nothing more is written.
    error: Option<Text>,
}

impl Export {
    /// Makes the folder, unless it is there; it must be empty, so that nothing is written over.
    ///
    /// # Errors
    /// What is wrong with it, and what to try.
    pub(super) fn to(folder: &Path, opcodes: &[Opcode]) -> Result<Self, Text> {
        fs::create_dir_all(folder).map_err(|error| of_file(folder, &error))?;
        let mut entries = fs::read_dir(folder).map_err(|error| of_file(folder, &error))?;
        if entries.next().is_some() {
            let words = "{}: there are files in it, and none is written over; name a new folder";
            return Err(Text::with(words, folder.display()));
        }
        Ok(Self {
            folder: folder.to_owned(),
            opcodes: opcodes.to_vec(),
            files: 0,
            bytes: 0,
            partial: 0,
            empty: 0,
            packets: 0,
            error: None,
        })
    }

    /// Writes what a unit carries, if it is a message.
    pub(super) fn take(&mut self, unit: &Unit<'_>) {
        if self.error.is_some() {
            return;
        }
        let (number, payload, is_whole) = match unit.body {
            Body::Message(message) if message.kind.is_control() && !self.opcodes.contains(&message.kind) => {
                return;
            }
            Body::Message(message) => {
                let is_whole = message.complete && !message.payload_cut && message.holes.is_empty();
                (format!("{:06}", message.m), message.payload, is_whole)
            }
            Body::Packet(packet) => {
                self.packets += 1;
                (
                    format!("http-{:06}", self.packets),
                    packet.payload,
                    packet.payload.len() as u64 == packet.length,
                )
            }
            _ => return,
        };
        if payload.is_empty() {
            self.empty += 1;
            return;
        }
        let from = unit.dir.map_or("unknown", |dir| dir.name());
        let name = format!("{:04}-{from}-{number}.{}", unit.conn, ending(payload));
        let path = self.folder.join(name);
        match write(&path, payload) {
            Ok(()) => {
                self.files += 1;
                self.bytes += payload.len() as u64;
                self.partial += u64::from(!is_whole);
            }
            Err(error) => self.error = Some(of_file(&path, &error)),
        }
    }

    /// Says what was written; the exit code where something was not.
    pub(super) fn end(self, look: Look) -> io::Result<Option<u8>> {
        if let Some(error) = &self.error {
            look.tell("error: {}", error)?;
        }
        let words = if self.files == 1 { "{}: {} file, {}" } else { "{}: {} files, {}" };
        let mut said = Text::with(words, self.folder.display()).and(self.files).and(size(self.bytes));
        if self.partial > 0 {
            said = Text::new("{}; of {} something is missing").word(said).and(self.partial);
        }
        if self.empty > 0 {
            said = Text::new("{}; empty and not written: {}").word(said).and(self.empty);
        }
        look.tell("exported to {}", &said)?;
        Ok(self.error.map(|_| 2))
    }
}

/// Nothing is written over: a name that is there already is an error.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)
}

/// The ending that a file of such content has.
fn ending(bytes: &[u8]) -> &'static str {
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
