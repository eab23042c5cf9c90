//! Messages in what a WebSocket carries: one each, or a stream of them.

use super::wire::Fault;
use crate::app::cursor::Cursor;
use crate::limits::APP_PACKETS;
use crate::model::Text;

/// How messages stand in the messages of the WebSocket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Framing {
    /// Nothing has told.
    #[default]
    Unknown,
    /// One each.
    Bare,
    /// Five bytes in front of each: flags and a length (gRPC-Web). `marked`: a client puts another byte in
    /// front of all, as `grpc-websockets` has it.
    Grpc { marked: bool },
    /// A length in front of each, as `writeDelimitedTo` of many libraries makes it.
    Delimited,
}

/// A part of a message of the WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Message(&'a [u8]),
    /// Its flags say that it is compressed.
    Compressed(&'a [u8]),
    Headers(&'a [u8]),
    /// The client ends its stream.
    End,
}

impl Framing {
    /// The pieces of a message; `first` of the client, and how a message is recognised where nothing has told
    /// yet how they stand.
    pub fn pieces<'a>(
        &mut self,
        bytes: &'a [u8],
        first: bool,
        is_message: &dyn Fn(&[u8]) -> bool,
    ) -> Result<Vec<Piece<'a>>, Fault> {
        if first && is_head(bytes) {
            *self = Self::Grpc { marked: true };
            return Ok(vec![Piece::Headers(bytes)]);
        }
        if *self == Self::Unknown {
            *self = Self::tell(bytes, is_message);
        }
        match *self {
            Self::Grpc { marked: true } if matches!(bytes, [1]) => Ok(vec![Piece::End]),
            Self::Grpc { marked: true } if bytes.first() == Some(&0) && grpc(&bytes[1..]).is_ok() => {
                grpc(&bytes[1..])
            }
            Self::Grpc { .. } => grpc(bytes),
            Self::Delimited => delimited(bytes),
            Self::Bare | Self::Unknown => Ok(vec![Piece::Message(bytes)]),
        }
    }

    /// How messages stand, by the first that shows it: the plainest reading that fits.
    fn tell(bytes: &[u8], is_message: &dyn Fn(&[u8]) -> bool) -> Self {
        let fits = |pieces: Result<Vec<Piece<'_>>, Fault>| {
            pieces.is_ok_and(|pieces| {
                !pieces.is_empty()
                    && pieces.iter().take(APP_PACKETS).all(|piece| match piece {
                        Piece::Message(bytes) => is_message(bytes),
                        _ => true,
                    })
            })
        };
        if is_message(bytes) {
            Self::Bare
        } else if bytes.len() >= 5 && fits(grpc(bytes)) {
            Self::Grpc { marked: false }
        } else if fits(delimited(bytes)) {
            Self::Delimited
        } else {
            Self::Unknown
        }
    }
}

/// Whether bytes are lines of headers, as a client of `grpc-websockets` begins with.
fn is_head(bytes: &[u8]) -> bool {
    let Ok(text) = str::from_utf8(bytes) else { return false };
    text.ends_with("\r\n") && text.lines().all(|line| line.is_empty() || line.contains(": "))
}

fn grpc(bytes: &[u8]) -> Result<Vec<Piece<'_>>, Fault> {
    let (mut at, mut pieces) = (0, Vec::new());
    while at < bytes.len() {
        let rest = &bytes[at..];
        let [flags, a, b, c, d, behind @ ..] = rest else {
            return Err((at, Text::new("less than the five bytes in front of a message")));
        };
        if flags & 0x7E != 0 {
            return Err((at, Text::with("flags {} in front of a message", flags)));
        }
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        let Some(content) = behind.get(..length) else {
            return Err((at + 1, Text::with("a length of {}, which is more than there is", length)));
        };
        pieces.push(match (flags & 0x80 != 0, flags & 1 != 0) {
            (_, true) => Piece::Compressed(content),
            (true, _) => Piece::Headers(content),
            _ => Piece::Message(content),
        });
        at += 5 + length;
    }
    Ok(pieces)
}

fn delimited(bytes: &[u8]) -> Result<Vec<Piece<'_>>, Fault> {
    let (mut from, mut pieces) = (Cursor::of(bytes), Vec::new());
    while !from.is_at_end() {
        let start = from.at;
        let length = from.varint().and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or((start, Text::new("a number that is cut short or too long")))?;
        let Some(content) = from.take(length) else {
            return Err((start, Text::with("a length of {}, which is more than there is", length)));
        };
        pieces.push(Piece::Message(content));
    }
    Ok(pieces)
}
