//! Compressed inputs: what they are told by, and what unpacks them.
//!
//! | Compression | Specification | Read with |
//! |---|---|---|
//! | gzip | RFC 1952 | always |
//! | zlib | RFC 1950 | always |
//! | zstd | RFC 8878 | feature `zstd` |
//! | xz | <https://tukaani.org/xz/xz-file-format.txt> | feature `xz` |
//! | bzip2 | what `bzip2` writes | feature `bz2` |
//!
//! All of them unpack as they go: what is held is a window of at most [`limits::UNPACK_WINDOW`], however much
//! comes out. Parts that follow one another (members, frames, streams) are one input. Data that ends early
//! gives all that can be unpacked of it, then [`ErrorKind::UnexpectedEof`].
//!
//! [`limits::UNPACK_WINDOW`]: crate::limits::UNPACK_WINDOW
//! [`ErrorKind::UnexpectedEof`]: std::io::ErrorKind::UnexpectedEof

#[cfg(feature = "xz")]
mod xz;
#[cfg(feature = "zstd")]
mod zstd;

use std::fmt;
use std::io::{self, BufReader, Read};

use flate2::bufread::{MultiGzDecoder, ZlibDecoder};

use crate::model::Text;

/// Compressed bytes read at a time.
const READ: usize = 64 * 1024;

/// How an input is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// RFC 1952.
    Gzip,
    /// RFC 1950: archives that mitmproxy writes into `.zhar`.
    Zlib,
    /// RFC 8878.
    Zstd,
    /// What `xz` writes.
    Xz,
    /// What `bzip2` writes.
    Bzip2,
}

impl Packing {
    /// The compressed data in a message.
    pub const fn data(self) -> &'static str {
        match self {
            Self::Gzip => "the gzip data",
            Self::Zlib => "the zlib data",
            Self::Zstd => "the zstd data",
            Self::Xz => "the xz data",
            Self::Bzip2 => "the bzip2 data",
        }
    }

    /// The program that tests a file of it with `-t`, and unpacks it.
    pub const fn program(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zlib => "pigz",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
        }
    }

    /// What it is, with an article or as a plural, and what to do where it is not read.
    pub const fn unread(self) -> (&'static str, &'static str) {
        match self {
            Self::Gzip => ("gzip data", "unpack it first: gzip -dc FILE"),
            Self::Zlib => ("zlib data", "unpack it first: pigz -dc FILE"),
            Self::Zstd => ("zstd data", "unpack it first: zstd -dc FILE"),
            Self::Xz => ("xz data", "unpack it first: xz -dc FILE"),
            Self::Bzip2 => ("bzip2 data", "unpack it first: bzip2 -dc FILE"),
        }
    }

    /// What is in it; `None` where this build cannot read it.
    pub(super) fn unpack(self, packed: impl Read + Send + 'static) -> Option<Box<dyn Read + Send>> {
        let packed = BufReader::with_capacity(READ, packed);
        Some(match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Self::Zlib => Box::new(ZlibDecoder::new(packed)),
            #[cfg(feature = "zstd")]
            Self::Zstd => Box::new(zstd::Zstd::new(packed)),
            #[cfg(feature = "xz")]
            Self::Xz => Box::new(xz::Xz::new(packed)),
            #[cfg(feature = "bz2")]
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(packed)),
            #[allow(unreachable_patterns, reason = "with all features there is nothing else")]
            _ => return None,
        })
    }
}

/// What is wrong with packed data, in words of our own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wrong(pub &'static str);

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Wrong {}

impl Wrong {
    /// Our words in an error, if they are.
    fn of(error: &io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

/// What is wrong, in our words or those of who unpacks.
pub(super) fn wrong(error: &io::Error) -> Text {
    match Wrong::of(error) {
        Some(wrong) => Text::new(wrong.0),
        None => Text::with("{}", error),
    }
}

/// The same error once more: who reads on behind it meets it again.
#[cfg(any(feature = "xz", feature = "zstd"))]
fn again(error: &io::Error) -> io::Error {
    match Wrong::of(error) {
        Some(wrong) => io::Error::new(error.kind(), wrong),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}

#[cfg(test)]
mod tests;
