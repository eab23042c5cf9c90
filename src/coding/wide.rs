//! Text in UTF-16 (RFC 2781), as `>` of PowerShell 5 writes it, read as UTF-8.

use std::borrow::Cow;
use std::io::{self, Cursor, Read};

/// In which order the two bytes of a unit stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The low one first, as on Windows.
    Little,
    /// The high one first.
    Big,
}

impl Order {
    /// That of the text that begins so: a mark says it (RFC 2781 §3.2), or characters of ASCII, of which
    /// every other byte is zero.
    pub fn of(first: &[u8]) -> Option<Self> {
        let is_text = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
        match *first {
            [0xFF, 0xFE, ..] => Some(Self::Little),
            [0xFE, 0xFF, ..] => Some(Self::Big),
            [a, 0, b, 0, c, 0, d, 0, ..] if [a, b, c, d].into_iter().all(is_text) => Some(Self::Little),
            [0, a, 0, b, 0, c, 0, d, ..] if [a, b, c, d].into_iter().all(is_text) => Some(Self::Big),
            _ => None,
        }
    }

    fn unit(self, pair: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(pair),
            Self::Big => u16::from_be_bytes(pair),
        }
    }
}

/// Text as UTF-8, if it was UTF-16.
pub fn narrowed(text: &[u8]) -> Cow<'_, [u8]> {
    let Some(order) = Order::of(text) else { return Cow::Borrowed(text) };
    let mut bytes = Vec::new();
    // Nothing fails to be read from memory.
    let _ = Narrow::new(text, order).read_to_end(&mut bytes);
    Cow::Owned(bytes)
}

/// Reads UTF-16 as UTF-8. What is no character becomes U+FFFD.
pub struct Narrow<R> {
    reader: R,
    order: Order,
    /// Bytes that were read and are not taken yet: less than a character.
    rest: Vec<u8>,
    /// What is to be given.
    ready: Cursor<Vec<u8>>,
    is_first: bool,
}

/// Bytes that are read at a time.
const PIECE: usize = 8 * 1024;

impl<R: Read> Narrow<R> {
    /// Of what `reader` gives.
    pub fn new(reader: R, order: Order) -> Self {
        Self { reader, order, rest: Vec::new(), ready: Cursor::default(), is_first: true }
    }

    /// Reads on, until there is something to give or no more comes.
    fn fill(&mut self) -> io::Result<()> {
        let mut ready = String::new();
        while ready.is_empty() {
            let mut piece = [0; PIECE];
            let count = self.reader.read(&mut piece)?;
            if count == 0 && self.rest.is_empty() {
                break;
            }
            self.rest.extend_from_slice(&piece[..count]);
            let mut whole = self.rest.len() / 2 * 2;
            let units = |bytes: &[u8]| -> Vec<u16> {
                bytes.chunks_exact(2).map(|pair| self.order.unit([pair[0], pair[1]])).collect()
            };
            let mut units = units(&self.rest[..whole]);
            // The second half of a character may be to come.
            if count > 0 && units.last().is_some_and(|last| (0xD800..0xDC00).contains(last)) {
                units.pop();
                whole -= 2;
            }
            self.rest.drain(..whole);
            if count == 0 {
                // Half of a unit is at the end.
                units.extend(self.rest.drain(..).map(|_| 0xFFFD));
            }
            if !units.is_empty() && std::mem::take(&mut self.is_first) && units[0] == 0xFEFF {
                units.remove(0);
            }
            let characters = char::decode_utf16(units);
            ready.extend(characters.map(|it| it.unwrap_or(char::REPLACEMENT_CHARACTER)));
        }
        self.ready = Cursor::new(ready.into_bytes());
        Ok(())
    }
}

impl<R: Read> Read for Narrow<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.ready.read(into)? {
            0 if !into.is_empty() => self.fill().and_then(|()| self.ready.read(into)),
            count => Ok(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_by_its_mark_or_by_zeros() {
        for (first, order) in [
            (&b"\xFF\xFEC\0L\0"[..], Some(Order::Little)),
            (b"\xFE\xFF\0C", Some(Order::Big)),
            (b"C\0L\0I\0E\0N\0", Some(Order::Little)),
            (b"\0{\0\n\0 \0\"", Some(Order::Big)),
            (b"C\0L\0I\0", None),
            (b"CLIENT_RANDOM", None),
            (b"\x81\0\x82\0\x83\0\x84\0", None),
            (b"", None),
        ] {
            assert_eq!(Order::of(first), order, "{}", first.escape_ascii());
        }
    }

    #[test]
    fn it_is_read_over_any_pieces() {
        let text = "Grüße, 世界 👋, “end”";
        for order in [Order::Little, Order::Big] {
            for mark in ["", "\u{FEFF}"] {
                let units: Vec<u16> = format!("{mark}{text}").encode_utf16().collect();
                let bytes: Vec<u8> = match order {
                    Order::Little => units.iter().flat_map(|unit| unit.to_le_bytes()).collect(),
                    Order::Big => units.iter().flat_map(|unit| unit.to_be_bytes()).collect(),
                };
                for size in [1, 2, 3, 5, 100] {
                    let mut read = String::new();
                    let nothing = Box::new(io::empty()) as Box<dyn Read + '_>;
                    let pieces = bytes.chunks(size).rev();
                    let slowly = pieces.fold(nothing, |rest, piece| Box::new(piece.chain(rest)));
                    Narrow::new(slowly, order).read_to_string(&mut read).unwrap();
                    assert_eq!(read, text, "{order:?} {mark:?} {size}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_character_is_said_to_be_none() {
        // Half of a pair, the other half alone, and half of a unit.
        let bytes = [0x00, 0xD8, b'a', 0, 0x00, 0xDC, b'b', 0, b'c'];
        let mut read = String::new();
        Narrow::new(&bytes[..], Order::Little).read_to_string(&mut read).unwrap();
        assert_eq!(read, "\u{FFFD}a\u{FFFD}b\u{FFFD}");
        assert_eq!(narrowed(b"plain"), Cow::Borrowed(&b"plain"[..]));
        assert_eq!(*narrowed(b"\xFF\xFEa\0"), *b"a");
    }
}
