//! Reads the parts of a control packet (MQTT 5.0 §1.5) and says where they stand.

use super::names::{Form, property};
use super::{MALFORMED, PROPERTY};
use crate::app::excerpt::clipped;
use crate::app::stream::Whole;
use crate::limits::APP_FIELDS;
use crate::model::{Field, FieldDef, Rule, Span, Text, Value};

/// What is wrong with a packet, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub rule: &'static Rule,
    /// First byte and length, from the packet's first byte.
    pub at: usize,
    pub length: usize,
    pub expected: Text,
    pub got: Text,
}

/// Why reading stops.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Stop {
    /// What follows was not kept.
    NotKept,
    Bad(Box<Fault>),
}

pub(super) type Read<T> = Result<T, Stop>;

/// A reader over a packet.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub packet: Whole<'a>,
    pub at: usize,
    /// Where the packet ends, whether or not that much of it is kept.
    pub end: usize,
    pub fields: Vec<Field>,
}

impl<'a> Reader<'a> {
    /// Bytes to the end of the packet.
    pub fn left(&self) -> usize {
        self.end.saturating_sub(self.at)
    }

    /// The next `length` bytes, which are `what`.
    pub fn take(&mut self, length: usize, what: &'static str) -> Read<&'a [u8]> {
        if length > self.left() {
            let got = Text::with("{} bytes to the packet's end", self.left());
            let expected = Text::with("{} bytes: {}", length).word(what);
            return bad(self.at, self.left().max(1), expected, got);
        }
        let bytes = self.packet.bytes.get(self.at..self.at + length).ok_or(Stop::NotKept)?;
        self.at += length;
        Ok(bytes)
    }

    pub fn byte(&mut self, what: &'static str) -> Read<u8> {
        Ok(self.take(1, what)?[0])
    }

    pub fn two(&mut self, what: &'static str) -> Read<u16> {
        let bytes = self.take(2, what)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    /// A Variable Byte Integer (§1.5.5).
    pub fn variable(&mut self, what: &'static str) -> Read<u64> {
        let begin = self.at;
        let mut value = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte(what)?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        bad(begin, 4, "a number of at most four bytes".into(), "a fourth byte that announces more".into())
    }

    /// Binary data (§1.5.6): two bytes of length, then as many.
    pub fn binary(&mut self, what: &'static str) -> Read<&'a [u8]> {
        let length = self.two(what)?;
        self.take(usize::from(length), what)
    }

    /// A UTF-8 string (§1.5.4).
    pub fn text(&mut self, what: &'static str) -> Read<&'a str> {
        let bytes = self.binary(what)?;
        let begin = self.at - bytes.len();
        match str::from_utf8(bytes) {
            Err(e) => {
                let at = begin + e.valid_up_to();
                let got = Text::with("an invalid sequence at its byte {}", e.valid_up_to());
                bad(at, 1, Text::new("{} in UTF-8").word(what), got)
            }
            Ok(text) if text.contains('\0') => {
                let at = begin + text.find('\0').unwrap_or_default();
                bad(at, 1, Text::new("{} without U+0000").word(what), "U+0000".into())
            }
            Ok(text) => Ok(text),
        }
    }

    /// Reads properties, if the version has them.
    pub fn properties(&mut self) -> Read<()> {
        let length = usize::try_from(self.variable("the length of the properties")?).unwrap_or(usize::MAX);
        if length > self.left() {
            let expected = Text::with("{} bytes of properties", length);
            return bad(
                self.at.saturating_sub(1),
                1,
                expected,
                Text::with("{} bytes to the packet's end", self.left()),
            );
        }
        let (whole, end) = (self.end, self.at + length);
        self.end = end;
        while self.at < end {
            let begin = self.at;
            let id = self.variable("a property's identifier")?;
            let Some((name, form)) = property(id) else {
                let got = Text::with("{}", format!("0x{id:02x}"));
                return bad(begin, 1, "the identifier of a property".into(), got);
            };
            let value = match form {
                Form::Byte => self.byte(name)?.to_string(),
                Form::Two => self.two(name)?.to_string(),
                Form::Four => {
                    let bytes = self.take(4, name)?;
                    bytes.iter().fold(0_u64, |value, byte| value << 8 | u64::from(*byte)).to_string()
                }
                Form::Variable => self.variable(name)?.to_string(),
                Form::Text => clipped(self.text(name)?).into_owned(),
                Form::Pair => {
                    let key = clipped(self.text(name)?).into_owned();
                    format!("{key} = {}", clipped(self.text(name)?))
                }
                Form::Binary => format!("{} bytes", self.binary(name)?.len()),
            };
            self.tell(&PROPERTY, begin, Value::Text(format!("{name}: {value}")), Text::default());
        }
        self.end = whole;
        Ok(())
    }

    /// Records what stands from `begin` to here.
    pub fn tell(&mut self, def: &'static FieldDef, begin: usize, value: Value, meaning: Text) {
        if self.fields.len() < APP_FIELDS {
            let (offset, length) = (self.packet.offset + begin as u64, (self.at - begin) as u64);
            let span = Span::bytes(self.packet.source, offset, length);
            self.fields.push(Field { def, span, value, meaning, depth: 0 });
        }
    }

    /// Records `bit`, counted from the most significant, of the byte at `at`.
    pub fn tell_bits(&mut self, def: &'static FieldDef, at: usize, bits: std::ops::Range<u64>, value: Value) {
        let byte = (self.packet.offset + at as u64).saturating_mul(8);
        let span = Span::bits(self.packet.source, byte + bits.start, byte + bits.end);
        self.fields.push(Field { def, span, value, meaning: Text::default(), depth: 0 });
    }
}

/// Reading cannot go on: a packet that is malformed.
pub(super) fn bad<T>(at: usize, length: usize, expected: Text, got: Text) -> Read<T> {
    Err(Stop::Bad(Box::new(Fault { rule: &MALFORMED, at, length, expected, got })))
}
