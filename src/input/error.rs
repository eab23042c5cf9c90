//! What can stop an input from being read, each said in one line that helps.

use std::fmt;
use std::io;

use super::packed::Packing;
use crate::model::Text;

/// Why an input could not be read, or not further.
///
/// A damaged or cut file is an error only for what lies behind the damage:
/// everything before it has been handed out.
#[derive(Debug)]
pub enum InputError {
    /// Reading failed.
    Io(io::Error),
    /// There is not one byte.
    Empty,
    /// A format that is known, but not read.
    Unsupported {
        /// Its name, with an article.
        what: &'static str,
        /// What to do about it.
        hint: &'static str,
    },
    /// Text that is not hex in any known form.
    Hex {
        /// Line, from 1.
        line: u32,
        /// Column, in characters from 1.
        column: u32,
        /// What stands there, quoted.
        found: Text,
        /// What could stand there.
        expected: Text,
        /// What to try; may be empty.
        hint: &'static str,
    },
    /// Hex text, or what it stands for, is longer than this many bytes.
    TextTooLong(u64),
    /// The input ends within something.
    Truncated {
        /// Byte at which the cut thing begins, in the uncompressed input.
        offset: u64,
        /// The packet that would have come next, from 1; 0 when it is not a capture.
        packet: u64,
        /// What is cut.
        what: &'static str,
        /// Bytes it takes, as far as is known.
        needed: u64,
        /// Bytes of it that are there.
        have: u64,
    },
    /// A capture breaks the rules of its format, so that it cannot be followed further.
    Malformed {
        /// Byte at which the bad record or block begins, in the uncompressed input.
        offset: u64,
        /// The packet that would have come next, from 1.
        packet: u64,
        /// What is wrong with it.
        what: Text,
    },
    /// A JSON document breaks off, or is none from some place on.
    Json {
        /// Line, from 1.
        line: u64,
        /// Column, in bytes from 1.
        column: u64,
        /// What is wrong.
        what: Text,
    },
    /// Compressed data is damaged, or takes more memory than is given to it.
    Packed {
        /// How it is compressed.
        packing: Packing,
        /// Byte reached in the compressed input.
        offset: u64,
        /// What is wrong with it.
        what: Text,
    },
}

impl InputError {
    /// What is wrong and what to try, in one line.
    pub fn text(&self) -> Text {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::IsADirectory => {
                Text::new("this is a directory; name a file in it")
            }
            Self::Io(error) => Text::with("cannot be read: {}", error),
            Self::Empty => {
                Text::new("the input is empty; expected a capture (pcap, pcapng), hex text or raw bytes")
            }
            Self::Unsupported { what, hint } => Text::new("this is {}; {}").word(*what).word(*hint),
            Self::Hex { line, column, found, expected, hint } => {
                let place = if hint.is_empty() {
                    Text::with("line {}, column {}: found {}, expected {}", line)
                } else {
                    Text::with("line {}, column {}: found {}, expected {} ({})", line)
                };
                place.and(column).word(found.clone()).word(expected.clone()).word(*hint)
            }
            Self::TextTooLong(limit) => Text::with(
                "the hex text is longer than {} bytes; give the bytes themselves instead, e.g. with xxd -r",
                limit,
            ),
            Self::Truncated { offset, packet, what, needed, have } => {
                let place = match packet {
                    0 => Text::new("{} at byte {}"),
                    packet => Text::with("packet {}: {} at byte {}", packet),
                };
                let there = if needed > have {
                    Text::with("{} of {} bytes", have).and(needed)
                } else {
                    Text::with("{} bytes", have)
                };
                Text::with(
                    "the input ends at byte {}, inside {} has {}; all before it was read",
                    offset + have,
                )
                .word(place.word(*what).and(offset))
                .word(there)
            }
            Self::Malformed { offset, packet, what } => Text::with(
                "the capture is damaged at byte {}, where packet {} is due: {}; all before it was read",
                offset,
            )
            .and(packet)
            .word(what.clone()),
            Self::Json { line, column, what } => {
                Text::with("line {}, column {}: {}; all before it was read", line)
                    .and(column)
                    .word(what.clone())
            }
            Self::Packed { packing, offset, what } => {
                let words = "{} is damaged before byte {}: {}; check it with {} -t";
                Text::new(words).word(packing.data()).and(offset).word(what.clone()).and(packing.program())
            }
        }
    }
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl std::error::Error for InputError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for InputError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
