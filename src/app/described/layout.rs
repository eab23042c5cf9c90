//! Fields in bytes, one behind the other or where their offsets say.

use super::matching::Wanted;
use super::{Extent, Field, Form, Number, Place, Type};
use crate::app::excerpt::{clipped, cut};
use crate::app::json;
use crate::app::value::Node;
use crate::limits::{APP_FIELDS, APP_SHOWN, DIALECT_DEPTH};
use crate::model::{FieldDef, Text, Value};

/// What was taken out of a message.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub fields: Vec<Got>,
    /// The first field that is not all there: where it begins, its name, the bytes that it needs.
    pub cut: Option<(usize, String, u64)>,
    /// Where the fields end that were read.
    pub end: usize,
    /// There were more fields than are kept.
    pub more: bool,
}

/// A field that is there.
#[derive(Debug)]
pub(super) struct Got {
    pub name: String,
    pub def: &'static FieldDef,
    /// The first bit and how many.
    pub bits: (u64, u64),
    pub datum: Datum,
    /// The word for its value.
    pub word: Option<String>,
    pub depth: u8,
}

/// What a field says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Datum {
    Number(i128),
    Float(f64),
    Bit(bool),
    Text(String),
    Bytes(Vec<u8>),
    Json(String),
}

impl Datum {
    /// Of a value that was found by its path.
    pub fn of(node: Node<'_>) -> Self {
        match node.value() {
            Value::Number(number) | Value::Code(number) => Self::Number(number.into()),
            Value::Text(text) => Self::Text(text),
            Value::Bit(bit) => Self::Bit(bit),
            Value::Bytes(bytes) => Self::Bytes(bytes),
            Value::Json(json) => match json.trim().parse() {
                Ok(number) => Self::Number(number),
                Err(_) => Self::Json(json),
            },
        }
    }

    pub fn is(&self, wanted: &Wanted) -> bool {
        match (self, wanted) {
            (Self::Number(number), Wanted::Number(wanted)) => number == wanted,
            (Self::Float(number), Wanted::Float(wanted)) => number.to_bits() == wanted.to_bits(),
            (Self::Text(text), Wanted::Text(wanted)) => text == wanted,
            (Self::Bit(bit), Wanted::Bool(wanted)) => bit == wanted,
            (Self::Bit(bit), Wanted::Number(wanted)) => i128::from(*bit) == *wanted,
            (Self::Json(json), wanted) => wanted.is(Node::Json(json)),
            _ => false,
        }
    }

    /// As a number, for ranges.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            Self::Bit(bit) => Some(f64::from(u8::from(*bit))),
            Self::Json(json) => json.trim().parse().ok(),
            Self::Text(_) | Self::Bytes(_) => None,
        }
    }

    /// In a line.
    pub fn shown(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Bit(bit) => u8::from(*bit).to_string(),
            Self::Text(text) => clipped(text).into_owned(),
            Self::Json(json) => clipped(json).into_owned(),
            Self::Bytes(bytes) => {
                let hex: Vec<String> = bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
                hex.join(" ") + if bytes.len() > 16 { "…" } else { "" }
            }
        }
    }

    /// As a field's value.
    pub fn value(&self) -> Value {
        match self {
            Self::Number(number) => {
                u64::try_from(*number).map_or_else(|_| Value::Json(number.to_string()), Value::Number)
            }
            Self::Float(number) if number.is_finite() => Value::Json(number.to_string()),
            Self::Float(number) => Value::Text(number.to_string()),
            Self::Bit(bit) => Value::Bit(*bit),
            Self::Text(text) => Value::Text(cut(text).to_owned()),
            Self::Bytes(bytes) => Value::Bytes(bytes.clone()),
            Self::Json(json) if json::is_valid(json) => Value::Json(json.clone()),
            Self::Json(json) => Value::Text(json.clone()),
        }
    }
}

impl Got {
    /// Whether it is this value, or has this word for it.
    pub fn is(&self, wanted: &Wanted) -> bool {
        let is_word = |text: &String| self.word.as_ref() == Some(text);
        self.datum.is(wanted) || matches!(wanted, Wanted::Text(text) if is_word(text))
    }

    /// What it says, by its word where it has one.
    pub fn said(&self) -> String {
        self.word.clone().unwrap_or_else(|| self.datum.shown())
    }

    /// What its value means.
    pub fn meaning(&self) -> Text {
        self.word.as_ref().map_or_else(Text::default, |word| Text::with("{}", word))
    }
}

/// Takes fields out of bytes.
pub(super) struct Cursor<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
    pub taken: Taken,
}

/// Reading stops: a field is cut, or there are too many.
pub(super) struct Stop;

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, taken: Taken::default() }
    }

    /// Takes these fields, as far as they are there.
    pub fn fields(&mut self, fields: &[Field], depth: u8) -> Result<(), Stop> {
        for field in fields {
            if let Place::Bytes { at, kind } = &field.place {
                if let Some(at) = at {
                    self.at = usize::try_from(*at).unwrap_or(usize::MAX);
                }
                self.field(field, kind, depth)?;
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &Field, kind: &Type, depth: u8) -> Result<(), Stop> {
        if self.taken.fields.len() >= APP_FIELDS || usize::from(depth) > DIALECT_DEPTH {
            self.taken.more = true;
            return Err(Stop);
        }
        let start = self.at;
        match kind {
            Type::Number(number) => {
                let datum = self.number(field, *number)?;
                self.put(field, start, datum, depth);
            }
            Type::Varint => {
                let datum = Datum::Number(self.varint(field)?.into());
                self.put(field, start, datum, depth);
            }
            Type::Text(extent) => {
                let bytes = self.extent(field, extent)?;
                let shown = &bytes[..bytes.len().min(APP_SHOWN)];
                let datum = Datum::Text(String::from_utf8_lossy(shown).into_owned());
                self.put(field, start, datum, depth);
            }
            Type::Bytes(extent) => {
                let bytes = self.extent(field, extent)?;
                let datum = Datum::Bytes(bytes[..bytes.len().min(APP_SHOWN)].to_vec());
                self.put(field, start, datum, depth);
            }
            Type::Bits(number, parts) => {
                let datum = self.number(field, *number)?;
                let Datum::Number(all) = datum else { return Ok(()) };
                self.put(field, start, Datum::Number(all), depth);
                for part in parts {
                    self.bits(start, (*number, all), part, depth + 1);
                }
            }
            Type::Switch { on, cases, other } => {
                let case = self.find(on).and_then(|got| {
                    cases.iter().find(|(wanted, _)| wanted.iter().any(|wanted| got.is(wanted)))
                });
                let fields = case.map_or(other, |(_, fields)| fields);
                self.fields(fields, depth)?;
            }
            Type::List(extent, fields) => self.list(field, extent, fields, depth)?,
        }
        Ok(())
    }

    fn bits(&mut self, start: usize, (number, all): (Number, i128), part: &super::Bits, depth: u8) {
        let width = u64::from(part.high - part.low) + 1;
        let value = all >> part.low & ((1_i128 << width) - 1);
        let datum = if width == 1 { Datum::Bit(value == 1) } else { Datum::Number(value) };
        // Where bits stand that may lie in several bytes is told of numbers whose bytes are in that order.
        let total = u64::from(number.bytes) * 8;
        let from = if number.little && number.bytes > 1 {
            let (byte, low) = (u64::from(part.low) / 8, u64::from(part.low) % 8);
            if low + width <= 8 { byte * 8 + 8 - low - width } else { byte * 8 }
        } else {
            total - u64::from(part.high) - 1
        };
        let bits = (start as u64 * 8 + from, width);
        let (name, def) = (part.name.clone(), part.def);
        self.taken.fields.push(Got { name, def, bits, datum, word: None, depth });
    }

    fn list(&mut self, field: &Field, extent: &Extent, fields: &[Field], depth: u8) -> Result<(), Stop> {
        let start = self.at;
        let times = match extent {
            Extent::Rest | Extent::Nul => u64::MAX,
            Extent::Fixed(times) => *times,
            Extent::Prefix(number) => match self.number(field, *number)? {
                Datum::Number(times) => u64::try_from(times).unwrap_or(0),
                _ => 0,
            },
            Extent::VarintPrefix => self.varint(field)?,
            Extent::Field(name) => self.length_of(name),
        };
        let datum = if times == u64::MAX { Datum::Text(String::new()) } else { Datum::Number(times.into()) };
        self.put(field, start, datum, depth);
        for _ in 0..times {
            let before = self.at;
            if times == u64::MAX && self.at >= self.bytes.len() {
                break;
            }
            self.fields(fields, depth + 1)?;
            // What takes no bytes could be there for ever.
            if self.at <= before {
                break;
            }
        }
        Ok(())
    }

    fn put(&mut self, field: &Field, start: usize, datum: Datum, depth: u8) {
        let word = field.names.iter().find(|(value, _)| datum.is(value)).map(|(_, word)| word.clone());
        let bits = (start as u64 * 8, (self.at - start) as u64 * 8);
        self.taken.end = self.taken.end.max(self.at);
        self.taken.fields.push(Got { name: field.name.clone(), def: field.def, bits, datum, word, depth });
    }

    /// What a field before says that has this name, the nearest one.
    fn find(&self, name: &str) -> Option<&Datum> {
        self.taken.fields.iter().rev().find(|got| got.name == name).map(|got| &got.datum)
    }

    fn length_of(&self, name: &str) -> u64 {
        match self.find(name) {
            Some(Datum::Number(number)) => u64::try_from(*number).unwrap_or(0),
            _ => 0,
        }
    }

    fn take(&mut self, field: &Field, length: u64) -> Result<&'a [u8], Stop> {
        let left = self.bytes.len().saturating_sub(self.at);
        if let Some(length) = usize::try_from(length).ok().filter(|length| *length <= left) {
            let taken = &self.bytes[self.at..self.at + length];
            self.at += length;
            Ok(taken)
        } else {
            self.taken.cut.get_or_insert((self.at, field.name.clone(), length));
            Err(Stop)
        }
    }

    fn number(&mut self, field: &Field, number: Number) -> Result<Datum, Stop> {
        let bytes = self.take(field, number.bytes.into())?;
        let join = |all: u64, byte: &u8| all << 8 | u64::from(*byte);
        let all = if number.little { bytes.iter().rev().fold(0, join) } else { bytes.iter().fold(0, join) };
        let unused = 64 - 8 * u32::from(number.bytes);
        Ok(match (number.form, number.bytes) {
            (Form::Float, 4) => {
                // As short as it can be written, which is what was meant.
                let shown = f32::from_bits(all as u32);
                Datum::Float(shown.to_string().parse().unwrap_or_else(|_| shown.into()))
            }
            (Form::Float, _) => Datum::Float(f64::from_bits(all)),
            (Form::Signed, _) => Datum::Number(((all << unused).cast_signed() >> unused).into()),
            (Form::Unsigned, _) => Datum::Number(all.into()),
        })
    }

    fn varint(&mut self, field: &Field) -> Result<u64, Stop> {
        let (start, mut all) = (self.at, 0_u64);
        for shift in (0..64).step_by(7) {
            let byte = self.take(field, 1)?[0];
            all |= u64::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                return Ok(all);
            }
        }
        self.taken.cut.get_or_insert((start, field.name.clone(), 10));
        Err(Stop)
    }

    fn extent(&mut self, field: &Field, extent: &Extent) -> Result<&'a [u8], Stop> {
        let length = match extent {
            Extent::Fixed(length) => *length,
            Extent::Prefix(number) => match self.number(field, *number)? {
                Datum::Number(length) => u64::try_from(length).unwrap_or(0),
                _ => 0,
            },
            Extent::VarintPrefix => self.varint(field)?,
            Extent::Field(name) => self.length_of(name),
            Extent::Rest => self.bytes.len().saturating_sub(self.at) as u64,
            Extent::Nul => {
                let rest = self.bytes.get(self.at..).unwrap_or_default();
                let Some(length) = memchr::memchr(0, rest) else {
                    self.taken.cut.get_or_insert((self.at, field.name.clone(), rest.len() as u64 + 1));
                    return Err(Stop);
                };
                let taken = &rest[..length];
                self.at += length + 1;
                return Ok(taken);
            }
        };
        self.take(field, length)
    }
}

impl Taken {
    /// The first finding about what was cut: where, what was expected, what is there.
    pub(super) fn cut_words(&self, length: usize) -> Option<(usize, Text, Text)> {
        let (at, name, needed) = self.cut.as_ref()?;
        let left = length.saturating_sub(*at);
        let expected = Text::with("{} bytes for {} at byte {}", needed).and(name).and(at);
        Some(((*at).min(length), expected, Text::with("{} bytes to the message's end", left)))
    }
}
