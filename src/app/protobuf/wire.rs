//! Records as they stand on the wire: a tag, and what its wire type says.

use crate::app::cursor::Cursor;
use crate::limits::JSON_DEPTH;
use crate::model::Text;

/// Where bytes are no message, and what is wrong there.
pub(super) type Fault = (usize, Text);

/// A record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Record<'a> {
    /// Where its tag begins.
    pub at: usize,
    /// Where its value begins, behind a length.
    pub value_at: usize,
    /// Where it ends.
    pub end: usize,
    pub number: u32,
    pub value: Wire<'a>,
}

/// What a record carries, by its wire type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Length(&'a [u8]),
    Group(&'a [u8]),
    Fixed32(u32),
}

impl Wire<'_> {
    pub fn name(self) -> &'static str {
        match self {
            Self::Varint(_) => "VARINT",
            Self::Fixed64(_) => "I64",
            Self::Length(_) => "LEN",
            Self::Group(_) => "GROUP",
            Self::Fixed32(_) => "I32",
        }
    }
}

/// The records of a message, from its beginning.
pub(super) struct Records<'a> {
    from: Cursor<'a>,
    depth: usize,
}

impl<'a> Records<'a> {
    pub fn of(bytes: &'a [u8]) -> Self {
        Self { from: Cursor::of(bytes), depth: 0 }
    }

    fn record(&mut self) -> Result<Option<Record<'a>>, Fault> {
        let start = self.from.at;
        let (number, kind) = self.tag()?;
        if kind == 4 {
            // Nothing is open that it could end.
            if self.depth > 0 {
                return Ok(None);
            }
            return Err((start, Text::new("the end of a group that was not begun")));
        }
        let mut value_at = self.from.at;
        let cut = |at: usize| (at, Text::new("a field that goes beyond the end"));
        let bad_number = |at: usize| (at, Text::new("a number that is cut short or too long"));
        let value = match kind {
            0 => Wire::Varint(self.from.varint().ok_or_else(|| bad_number(value_at))?),
            1 => Wire::Fixed64(self.from.little(8).ok_or_else(|| cut(value_at))?),
            2 => {
                let length_at = value_at;
                let length = self.from.varint().ok_or_else(|| bad_number(length_at))?;
                value_at = self.from.at;
                let length = usize::try_from(length).unwrap_or(usize::MAX);
                Wire::Length(self.from.take(length).ok_or_else(|| cut(length_at))?)
            }
            3 => {
                if self.depth >= JSON_DEPTH {
                    let words = "groups within each other more than {} times";
                    return Err((start, Text::with(words, JSON_DEPTH)));
                }
                let end = self.group(number)?;
                Wire::Group(&self.from.bytes[value_at..end])
            }
            5 => Wire::Fixed32(self.from.little(4).ok_or_else(|| cut(value_at))? as u32),
            kind => return Err((start, Text::with("wire type {}, which there is not", kind))),
        };
        Ok(Some(Record { at: start, value_at, end: self.from.at, number, value }))
    }

    fn tag(&mut self) -> Result<(u32, u64), Fault> {
        let start = self.from.at;
        let tag = self.from.varint().ok_or((start, Text::new("a tag that is cut short or too long")))?;
        match u32::try_from(tag >> 3) {
            Ok(number @ 1..=0x1FFF_FFFF) => Ok((number, tag & 7)),
            _ => Err((start, Text::with("field number {}, which there is not", tag >> 3))),
        }
    }

    /// Goes past a group; where its end begins.
    fn group(&mut self, number: u32) -> Result<usize, Fault> {
        let start = self.from.at;
        self.depth += 1;
        while !self.from.is_at_end() {
            let mut here = self.from;
            let end = here.at;
            if self.record()?.is_none() {
                self.depth -= 1;
                let ended = here.varint().map(|tag| tag >> 3);
                return if ended == Some(number.into()) {
                    Ok(end)
                } else {
                    Err((end, Text::new("the end of another group")))
                };
            }
        }
        Err((start, Text::new("a group without its end")))
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.from.is_at_end() {
            return None;
        }
        match self.record() {
            Ok(record) => record.map(Ok),
            Err(fault) => {
                self.from.at = self.from.bytes.len();
                Some(Err(fault))
            }
        }
    }
}
