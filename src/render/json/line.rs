//! A bounded part of a record, put into room that was made for all of it.

use super::digits::{Known, SHORT, Second, Short, eight, eight_hex_digits, long};

/// Room for a part of a record, of which half may be filled: a piece may take as much as the other half until
/// the next one is put over what is too much of it.
pub(super) const ROOM: usize = 2048;

/// Where pieces may be put, as a mask: with it, there is nothing to test before one is put.
const PLACES: usize = ROOM / 2 - 1;

/// Lines, and bytes of any number between them, put into room that was made for all of it.
pub(super) struct Run<'w> {
    room: &'w mut [u8],
    at: usize,
    second: &'w mut Second,
}

#[allow(clippy::inline_always, reason = "only inlined does it stay in registers")]
impl<'w> Run<'w> {
    /// Starts to fill `room`: each line takes [`ROOM`] of it, or less once it is written.
    #[inline(always)]
    pub fn new(room: &'w mut [u8], second: &'w mut Second) -> Self {
        Self { room, at: 0, second }
    }

    /// How much of the room is filled.
    #[inline(always)]
    pub fn length(&self) -> usize {
        self.at
    }

    /// A line.
    #[inline(always)]
    pub fn line(&mut self, write: impl FnOnce(&mut Line<'_>)) {
        let Some(room) = self.room[self.at..].first_chunk_mut() else { return };
        let mut line = Line::new(room, self.second);
        write(&mut line);
        self.at += line.length();
    }

    /// Bytes that are a part of JSON.
    #[inline(always)]
    pub fn bytes(&mut self, json: &[u8]) {
        self.room[self.at..][..json.len()].copy_from_slice(json);
        self.at += json.len();
    }

    /// The first `length` bytes of what was put at `place`, of which `N` are copied: the next piece is put
    /// over the others.
    #[inline(always)]
    pub fn again<const N: usize>(&mut self, place: usize, length: usize) {
        if place + N <= self.room.len() && self.at + N <= self.room.len() {
            self.room.copy_within(place..place + N, self.at);
        }
        self.at += length;
    }
}

/// Room in a writer's buffer, and what is put there, piece by piece.
///
/// Everything is inlined, so that where the next piece goes stays in registers: a literal costs little more
/// than the moves of its bytes.
pub(super) struct Line<'w> {
    room: &'w mut [u8; ROOM],
    at: usize,
    second: &'w mut Second,
}

#[allow(clippy::inline_always, reason = "only inlined does it stay in registers")]
impl<'w> Line<'w> {
    /// Starts to fill `room`.
    #[inline(always)]
    pub fn new(room: &'w mut [u8; ROOM], second: &'w mut Second) -> Self {
        Self { room, at: 0, second }
    }

    /// How much of the room is filled.
    #[inline(always)]
    pub fn length(&self) -> usize {
        debug_assert!(self.at <= PLACES, "{} bytes", self.at);
        self.at & PLACES
    }

    /// A literal.
    #[inline(always)]
    pub fn raw<const N: usize>(&mut self, json: &[u8; N]) {
        self.part(json, N);
    }

    /// The first `length` bytes of `json`, of which all are copied: the next piece is put over the others.
    #[inline(always)]
    pub fn part<const N: usize>(&mut self, json: &[u8; N], length: usize) {
        const { assert!(N < ROOM - PLACES) };
        if let Some(slot) = self.room[self.at & PLACES..].first_chunk_mut() {
            *slot = *json;
        }
        self.at += length;
    }

    /// A whole number; above 2^53 as a decimal string, since readers that hold numbers as doubles would
    /// round it.
    #[inline(always)]
    pub fn number(&mut self, value: u64) {
        if value < 10 {
            self.raw(&[b'0' + value as u8]);
        } else if value < SHORT {
            self.short(Short::of(value));
        } else {
            let (text, length) = long(value);
            self.part(&text, length);
        }
    }

    /// A number that is remembered in `known`, which others like it follow.
    #[inline(always)]
    pub fn remember(&mut self, known: &mut Known, value: u64) {
        if value < SHORT {
            known.become_of(value);
        }
        self.recall(known, value);
    }

    /// A number that is mostly the one in `known`.
    #[inline(always)]
    pub fn recall(&mut self, known: &Known, value: u64) {
        match known.digits_of(value) {
            Some(digits) => self.short(digits),
            None => self.number(value),
        }
    }

    /// Two numbers, which are mostly the same, as an array.
    #[inline(always)]
    pub fn pair(&mut self, (one, other): (u64, u64)) {
        self.raw(b"[");
        if one == other && one < SHORT {
            let number = Short::of(one);
            self.short(number);
            self.raw(b",");
            self.short(number);
        } else {
            self.number(one);
            self.raw(b",");
            self.number(other);
        }
        self.raw(b"]");
    }

    /// A truth value.
    #[inline(always)]
    pub fn bool(&mut self, is: bool) {
        if is {
            self.raw(b"true");
        } else {
            self.raw(b"false");
        }
    }

    /// A number that was made into digits before.
    #[inline(always)]
    pub fn short(&mut self, number: Short) {
        self.part(&number.digits.to_le_bytes(), 8 - number.surplus as usize);
    }

    /// Nanoseconds as seconds with nine places, in quotes.
    #[inline(always)]
    pub fn seconds(&mut self, nanos: u64) {
        let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        if seconds == 0 {
            // What lasted, and not when it was.
            self.raw(b"\"0.");
        } else {
            let (&text, length) = self.second.text(seconds);
            self.part(&text, length);
        }
        self.raw(&[b'0' + (fraction / SHORT) as u8]);
        self.raw(&eight((fraction % SHORT) as u32));
        self.raw(b"\"");
    }

    /// A masking key as a string of eight lower-case hexadecimal digits.
    #[inline(always)]
    pub fn key(&mut self, key: [u8; 4]) {
        self.raw(b"\"");
        self.raw(&eight_hex_digits(u32::from_be_bytes(key)).to_be_bytes());
        self.raw(b"\"");
    }
}
