//! Content codings (RFC 9110 §8.4.1), and what takes them off as content arrives.

use std::borrow::Cow;
use std::io::Write as _;

use flate2::write::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};

use super::head::Head;
use crate::limits;

/// How a content is coded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Coding {
    /// It is as it is.
    #[default]
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 1950, or RFC 1951 alone: servers mean either by it.
    Deflate,
    /// Another one, or several.
    Other,
}

/// The codings that a head names (RFC 9110 §8.4), in small letters; none where it names none.
pub fn codings(head: &Head<'_>) -> String {
    let codings = head.values("Content-Encoding").map(|coding| coding.text().trim().to_ascii_lowercase());
    codings.collect::<Vec<_>>().join(", ")
}

impl Coding {
    /// What a head says of its content.
    pub fn of(head: &Head<'_>) -> Self {
        match codings(head).as_str() {
            "" | "identity" => Self::Identity,
            "gzip" | "x-gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            _ => Self::Other,
        }
    }

    /// The first bytes of a content, at most `most`, of which these are the first with the coding around
    /// them. Of what is broken, or not known, that is nothing.
    pub fn plain(self, coded: &[u8], most: usize) -> Cow<'_, [u8]> {
        if self == Self::Identity {
            return Cow::Borrowed(&coded[..coded.len().min(most)]);
        }
        let (mut inflate, mut plain) = (Inflate::new(self), Vec::new());
        for few in coded.chunks(limits::STREAMED_INFLATED_FROM) {
            plain.append(&mut inflate.push(few));
            if plain.len() >= most {
                break;
            }
        }
        plain.truncate(most);
        Cow::Owned(plain)
    }
}

/// Takes a coding off.
#[derive(Debug)]
pub enum Inflate {
    /// There is none.
    No,
    /// RFC 1952.
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    /// `deflate`, of which nothing has come yet.
    Deflate,
    /// RFC 1950.
    Zlib(Box<ZlibDecoder<Vec<u8>>>),
    /// RFC 1951.
    Raw(Box<DeflateDecoder<Vec<u8>>>),
    /// What comes cannot be read.
    Broken,
}

impl Inflate {
    /// What takes this coding off.
    pub fn new(coding: Coding) -> Self {
        match coding {
            Coding::Identity => Self::No,
            Coding::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            Coding::Deflate => Self::Deflate,
            Coding::Other => Self::Broken,
        }
    }

    /// Whether it holds a window.
    pub fn has_window(&self) -> bool {
        matches!(self, Self::Gzip(_) | Self::Zlib(_) | Self::Raw(_))
    }

    /// What some bytes inflate to, at most 1,032 times as many. Of what is no such coding that is nothing,
    /// and of what has none, too.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if let (Self::Deflate, Some(first)) = (&*self, bytes.first()) {
            // CM = 8 and a window of at most 32 KiB (RFC 1950 §2.2): bare DEFLATE hardly begins so.
            let is_zlib = first & 0xF == 8 && first >> 4 <= 7;
            *self = if is_zlib {
                Self::Zlib(Box::new(ZlibDecoder::new(Vec::new())))
            } else {
                Self::Raw(Box::new(DeflateDecoder::new(Vec::new())))
            };
        }
        let (done, out) = match self {
            Self::Gzip(gzip) => (gzip.write_all(bytes).and_then(|()| gzip.flush()), gzip.get_mut()),
            Self::Zlib(zlib) => (zlib.write_all(bytes).and_then(|()| zlib.flush()), zlib.get_mut()),
            Self::Raw(raw) => (raw.write_all(bytes).and_then(|()| raw.flush()), raw.get_mut()),
            Self::No | Self::Deflate | Self::Broken => return Vec::new(),
        };
        let plain = std::mem::take(out);
        if done.is_err() {
            *self = Self::Broken;
        }
        plain
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;
    use crate::model::SourceId;

    #[test]
    fn what_is_flushed_comes_out_at_once() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        let mut inflate = Inflate::new(Coding::Gzip);
        for event in ["data: one\n\n", "data: two\n\n"] {
            gzip.write_all(event.as_bytes()).unwrap();
            gzip.flush().unwrap();
            let sent = std::mem::take(gzip.get_mut());
            let plain: Vec<u8> = sent.chunks(3).flat_map(|bytes| inflate.push(bytes)).collect();
            assert_eq!(String::from_utf8(plain).unwrap(), event);
        }
        let mut none = Inflate::new(Coding::Gzip);
        assert_eq!(none.push(b"data: none of it\n\n"), b"");
        assert!(matches!(none, Inflate::Broken));
    }

    #[test]
    fn a_beginning_is_read_whatever_is_around_it() {
        let text = b"<h1>Down for maintenance</h1>".repeat(200);
        let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
        gzip.write_all(&text).unwrap();
        let gzip = gzip.finish().unwrap();
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(&text).unwrap();
        let zlib = zlib.finish().unwrap();
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::best());
        raw.write_all(&text).unwrap();
        let raw = raw.finish().unwrap();
        for (named, coded) in [
            ("gzip", &gzip[..]),
            // Cut off.
            ("X-GZIP", &gzip[..300]),
            ("deflate", &zlib),
            ("deflate", &raw),
            ("identity", &text),
        ] {
            let head = format!("HTTP/1.1 503 Busy\r\nContent-Encoding: {named}\r\n\r\n");
            let coding = Coding::of(&Head::parse(head.as_bytes(), SourceId::Input, 0));
            assert_eq!(coding.plain(coded, 100), &text[..100], "{named}");
        }
        assert_eq!(Coding::Other.plain(b"abc", 100), &b""[..]);
        assert_eq!(Coding::Gzip.plain(b"abc", 100), &b""[..]);
    }
}
