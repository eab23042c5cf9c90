//! What can stop an input from being read, each said in one line that helps.

use std::fmt;
use std::io;

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
        found: String,
        /// What could stand there.
        expected: String,
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
        what: String,
    },
    /// Compressed data is damaged.
    Gzip {
        /// Byte reached in the compressed input.
        offset: u64,
        /// What the decompressor says.
        what: String,
    },
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) if error.kind() == io::ErrorKind::IsADirectory => {
                f.write_str("this is a directory; name a file in it")
            }
            Self::Io(error) => write!(f, "cannot be read: {error}"),
            Self::Empty => {
                f.write_str("the input is empty; expected a capture (pcap, pcapng), hex text or raw bytes")
            }
            Self::Unsupported { what, hint } => write!(f, "this is {what}; {hint}"),
            Self::Hex { line, column, found, expected, hint } => {
                write!(f, "line {line}, column {column}: found {found}, expected {expected}")?;
                if hint.is_empty() { Ok(()) } else { write!(f, " ({hint})") }
            }
            Self::TextTooLong(limit) => {
                write!(
                    f,
                    "the hex text is longer than {limit} bytes; give the bytes themselves instead, e.g. with xxd -r"
                )
            }
            Self::Truncated { offset, packet, what, needed, have } => {
                write!(f, "the input ends at byte {}, inside ", offset + have)?;
                if *packet > 0 {
                    write!(f, "packet {packet}: ")?;
                }
                write!(f, "{what} at byte {offset} has ")?;
                if needed > have {
                    write!(f, "{have} of {needed} bytes")?;
                } else {
                    write!(f, "{have} bytes")?;
                }
                f.write_str("; all before it was read")
            }
            Self::Malformed { offset, packet, what } => write!(
                f,
                "the capture is damaged at byte {offset}, where packet {packet} is due: {what}; all before it was read"
            ),
            Self::Gzip { offset, what } => {
                write!(f, "the gzip data is damaged before byte {offset}: {what}; check it with gzip -t")
            }
        }
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
