//! Digits, eight at a time.

/// The least number that is not [`Short`].
pub(super) const SHORT: u64 = 100_000_000;

/// The digits of a number below [`SHORT`]: a fixed eight bytes are copied and the surplus dropped,
/// which is far cheaper than a copy of unknown length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Short {
    /// The first digit in the lowest byte.
    pub digits: u64,
    /// Bytes that are none of them, at the end.
    pub surplus: u32,
}

impl Short {
    /// The digits of `value`, which is below [`SHORT`].
    #[inline]
    pub fn of(value: u64) -> Self {
        let value = value as u32;
        if let Some(three) = THREES.get(value as usize) {
            return Self { digits: (three.digits >> (8 * three.zeros)).into(), surplus: 5 + three.zeros };
        }
        if value < 1_000_000 {
            let (front, back) = (&THREES[value as usize / 1000], &THREES[value as usize % 1000]);
            let digits = u64::from(front.digits) | u64::from(back.digits) << 24;
            return Self { digits: digits >> (8 * front.zeros), surplus: 2 + front.zeros };
        }
        let digits = eight_digits(value);
        let surplus = digits.trailing_zeros() / 8;
        Self { digits: (digits + ASCII_ZEROS) >> (8 * surplus), surplus }
    }
}

/// The eight digits of a number below [`SHORT`], zeros in front of the first.
#[inline]
pub(super) fn eight(value: u32) -> [u8; 8] {
    (eight_digits(value) | ASCII_ZEROS).to_le_bytes()
}

/// Three digits of a number below 1000, and how many of them are zeros in front.
#[derive(Clone, Copy)]
struct Three {
    /// The first in the lowest byte.
    digits: u32,
    zeros: u32,
}

/// For each such number.
static THREES: [Three; 1000] = {
    let mut threes = [Three { digits: 0, zeros: 0 }; 1000];
    let mut value = 0;
    while value < 1000 {
        let digits = 0x30_3030 | (value / 100) | ((value / 10 % 10) << 8) | ((value % 10) << 16);
        threes[value as usize] = Three { digits, zeros: (value < 10) as u32 + (value < 100) as u32 };
        value += 1;
    }
    threes
};

const ASCII_ZEROS: u64 = 0x3030_3030_3030_3030;

/// The eight decimal digits of a number below 10^8, one a byte, the first in the lowest byte.
/// Halves, quarters and eighths are split by multiplication in parallel lanes.
fn eight_digits(value: u32) -> u64 {
    let fours = u64::from(value / 10_000) | u64::from(value % 10_000) << 32;
    let hundreds = (fours * 10_486) >> 20 & 0x0000_007F_0000_007F;
    let twos = hundreds | (fours - 100 * hundreds) << 16;
    let tens = (twos * 103) >> 10 & 0x000F_000F_000F_000F;
    tens | (twos - 10 * tens) << 8
}

/// The eight hexadecimal digits of a number as characters, the first in the highest byte: its halves,
/// bytes and nibbles are moved apart in parallel.
pub(super) fn eight_hex_digits(value: u32) -> u64 {
    let value = u64::from(value);
    let halves = (value | value << 16) & 0x0000_FFFF_0000_FFFF;
    let bytes = (halves | halves << 8) & 0x00FF_00FF_00FF_00FF;
    let nibbles = (bytes | bytes << 4) & 0x0F0F_0F0F_0F0F_0F0F;
    // One in each byte that is a letter.
    let letters = (nibbles + 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101;
    nibbles + ASCII_ZEROS + letters * u64::from(b'a' - b'0' - 10)
}

/// The largest whole number that every JSON reader keeps exact (RFC 8259 §6 recommends the range of a
/// double).
pub(super) const EXACT: u64 = 1 << 53;

/// A number that is not [`Short`], and how many bytes of it count; above [`EXACT`] in quotes.
#[inline(never)]
pub(super) fn long(value: u64) -> ([u8; 24], usize) {
    let mut text = [b'"'; 24];
    let quote = usize::from(value > EXACT);
    // Three times eight digits hold any number, of which the first are zeros.
    let mut digits = [0; 24];
    digits[..8].copy_from_slice(&eight((value / (SHORT * SHORT)) as u32));
    digits[8..16].copy_from_slice(&eight((value / SHORT % SHORT) as u32));
    digits[16..].copy_from_slice(&eight((value % SHORT) as u32));
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let end = quote + digits.len() - zeros;
    text[quote..end].copy_from_slice(&digits[zeros..]);
    (text, end + quote)
}

/// A number that is often written again, and its digits if it is [`Short`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Known {
    value: u64,
    digits: Short,
}

impl Known {
    /// Zero.
    pub const ZERO: Self = Self { value: 0, digits: Short { digits: b'0' as u64, surplus: 7 } };

    /// Becomes a number that is [`Short`].
    #[inline]
    pub fn become_of(&mut self, value: u64) {
        if value != self.value {
            *self = Self { value, digits: Short::of(value) };
        }
    }

    /// Its digits, if it is `value`.
    #[inline]
    pub fn digits_of(&self, value: u64) -> Option<Short> {
        (value == self.value).then_some(self.digits)
    }
}

/// A second as it stands in front of its fraction, most times that of the record before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Second {
    of: u64,
    text: [u8; 16],
    length: usize,
}

impl Second {
    /// The first one.
    pub const ZERO: Self = Self { of: 0, text: *b"\"0.             ", length: 3 };

    /// An opening quote, the digits of `second`, and a point: as many bytes of them as are said besides.
    #[inline]
    pub fn text(&mut self, second: u64) -> (&[u8; 16], usize) {
        if second != self.of {
            self.become_of(second);
        }
        (&self.text, self.length)
    }

    #[inline(never)]
    fn become_of(&mut self, second: u64) {
        let (digits, end) = if second < SHORT {
            let mut digits = [0; 24];
            digits[..8].copy_from_slice(&Short::of(second).digits.to_le_bytes());
            (digits, 8 - Short::of(second).surplus as usize)
        } else {
            long(second)
        };
        self.text[1..=end].copy_from_slice(&digits[..end]);
        self.text[end + 1] = b'.';
        (self.of, self.length) = (second, end + 2);
    }
}
