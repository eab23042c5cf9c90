//! Reading and recording in one call.
//!
//! A parser written with a [`Cursor`] says what each bit range is while it reads
//! it. With `()` as the recorder nothing is recorded and the compiler removes
//! the bookkeeping; with `Vec<Field>` every read becomes a [`Field`].

use super::field::{Field, FieldDef, Value};
use super::span::{SourceId, Span};
use super::text::Text;

/// Takes the fields a cursor reads, or ignores them.
pub trait Record {
    /// Whether anybody looks. Guards every computation that only serves recording.
    const ON: bool;
    /// Takes one field.
    fn field(&mut self, field: Field);
}

impl Record for () {
    const ON: bool = false;
    fn field(&mut self, _: Field) {}
}

impl Record for Vec<Field> {
    const ON: bool = true;
    fn field(&mut self, field: Field) {
        self.push(field);
    }
}

/// More bytes are needed: how many must be there in all, counted from where the cursor began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short {
    /// Bytes needed from the cursor's start.
    pub needed: usize,
}

/// A reader over bytes that stand somewhere in a source.
#[derive(Debug)]
pub struct Cursor<'a, R> {
    bytes: &'a [u8],
    bit: u64,
    source: SourceId,
    base: u64,
    record: &'a mut R,
}

impl<'a, R: Record> Cursor<'a, R> {
    /// Reads `bytes`, which stand at byte `offset` of `source`.
    #[inline]
    pub fn new(bytes: &'a [u8], source: SourceId, offset: u64, record: &'a mut R) -> Self {
        Self { bytes, bit: 0, source, base: offset.saturating_mul(8), record }
    }

    /// Fails unless `more` bytes beyond those already read are there.
    #[inline]
    pub fn require(&self, more: usize) -> Result<(), Short> {
        let needed = self.bit.div_ceil(8) as usize + more;
        if self.bytes.len() < needed { Err(Short { needed }) } else { Ok(()) }
    }

    /// Reads `width` bits (at most 64) as a number, most significant first.
    /// The caller has made sure with [`Cursor::require`] that they are there.
    #[inline]
    pub fn number(&mut self, width: u32) -> u64 {
        let (byte, skip) = ((self.bit / 8) as usize, (self.bit % 8) as u32);
        self.bit += u64::from(width);
        // The two easy cases are those of nearly every header, and become one instruction or two.
        if skip + width <= 8 {
            return u64::from(self.bytes[byte]) >> (8 - skip - width) & ((1 << width) - 1);
        }
        if skip == 0 && width.is_multiple_of(8) {
            let bytes = &self.bytes[byte..byte + (width / 8) as usize];
            return bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        }
        let bits = (self.bit - u64::from(width))..self.bit;
        bits.fold(0, |value, bit| value << 1 | u64::from(self.bytes[(bit / 8) as usize] >> (7 - bit % 8) & 1))
    }

    /// Records the `width` bits just read.
    #[inline]
    pub fn tell(&mut self, def: &'static FieldDef, width: u64, say: impl FnOnce() -> (Value, Text)) {
        if R::ON {
            let (value, meaning) = say();
            let end = self.base.saturating_add(self.bit);
            let span = Span::bits(self.source, end.saturating_sub(width), end);
            self.record.field(Field { def, span, value, meaning, depth: 0 });
        }
    }

    /// Bytes read so far, a started byte counting as read.
    pub fn read(&self) -> usize {
        self.bit.div_ceil(8) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::field::Role;
    use crate::model::finding::Cite;

    static DEF: FieldDef =
        FieldDef { id: "x", label: "X", help: "", cite: Cite::rfc6455("5.2"), role: Role::Plain };

    #[test]
    fn bits_come_most_significant_first() {
        let mut seen: Vec<Field> = Vec::new();
        let mut cursor = Cursor::new(&[0b1010_0001, 0xFF, 0x00, 0x01], SourceId::Input, 10, &mut seen);
        assert_eq!(cursor.number(1), 1);
        assert_eq!(cursor.number(3), 0b010);
        assert_eq!(cursor.number(8), 0x1F);
        cursor.tell(&DEF, 8, || (Value::Number(0x1F), Text::default()));
        assert_eq!(cursor.number(4), 0xF);
        assert_eq!(cursor.number(16), 1);
        assert_eq!(cursor.read(), 4);
        assert_eq!((seen[0].span.start, seen[0].span.end), (84, 92));
    }

    #[test]
    fn require_says_how_many_bytes_in_all() {
        let mut nobody = ();
        let mut cursor = Cursor::new(&[0x81, 0x7E], SourceId::Input, 0, &mut nobody);
        cursor.number(16);
        assert_eq!(cursor.require(2), Err(Short { needed: 4 }));
    }
}
