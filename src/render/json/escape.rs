//! Escaping strings, a word at a time.

/// The same in each byte of a word, to multiply by.
const ONES: u64 = 0x0101_0101_0101_0101;

const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Bytes that are escaped in one go.
pub(super) const RUN: usize = 512;

/// Room for escaping [`RUN`] bytes, each becoming at most two, with a word to spare.
pub(super) const RUN_ROOM: usize = 2 * RUN + 8;

/// Room for what [`odd`] or [`json`] writes.
pub(super) const ODD_ROOM: usize = 8 * 6 + 8;

/// Bytes that are looked at together; [`RUN`] is a multiple.
const BLOCK: usize = 32;

/// Puts the first byte of a valid JSON text, which is not plain, on one line: white space as it is there,
/// and escaped what is [`hidden`]. Returns how many bytes were taken, and where it ends.
pub(super) fn json(text: &[u8], buf: &mut [u8], at: usize) -> (usize, usize) {
    let Some(first) = text.first() else { return (0, at) };
    if let b'\t' | b'\n' | b'\r' = first {
        buf[at] = b' ';
        return (1, at + 1);
    }
    if let Some((unit, length)) = hidden(text) {
        return (length, unicode(unit, buf, at));
    }
    buf[at] = *first;
    (1, at + 1)
}

/// How many bytes there are before one that is [`ODD`].
pub(super) fn plain(text: &[u8]) -> usize {
    let (blocks, _) = text.as_chunks::<BLOCK>();
    let blocks = BLOCK * blocks.iter().take_while(|block| is_printable(block)).count();
    let (words, _) = text[blocks..].as_chunks::<8>();
    let whole = blocks + 8 * words.iter().take_while(|word| !is_odd(u64::from_le_bytes(**word))).count();
    let rest = &text[whole..];
    whole + rest.iter().position(|byte| ODD[usize::from(*byte)]).unwrap_or(rest.len())
}

/// Puts `text` into `room`, which is as long, if nothing of it is to be escaped and all of it is ASCII, as
/// most names and values are. What is short is put in two parts, of which the second may overlap the first.
#[inline]
pub(super) fn as_it_is(text: &[u8], room: &mut [u8]) -> bool {
    if let (Some(first), Some(last)) = (text.first_chunk::<16>(), text.last_chunk::<16>()) {
        let (blocks, _) = text.as_chunks::<16>();
        if !(is_plain(last) && blocks.iter().all(is_plain)) {
            return false;
        }
        match room.len() {
            ..=32 => put_parts(first, last, room),
            _ => room.copy_from_slice(text),
        }
        return true;
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        put_parts(first, last, room);
        return !(is_special(u64::from_le_bytes(*first)) | is_special(u64::from_le_bytes(*last)));
    }
    if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        put_parts(first, last, room);
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        return !is_special(u64::from(first) | u64::from(last) << 32);
    }
    room.copy_from_slice(text);
    text.iter().all(|byte| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~'))
}

/// Puts the first and the last bytes of a text, which overlap or meet, into room for it.
#[inline]
fn put_parts<const N: usize>(first: &[u8; N], last: &[u8; N], room: &mut [u8]) {
    let end = room.len();
    room[..N].copy_from_slice(first);
    room[end - N..].copy_from_slice(last);
}

/// Whether a byte of a word is a quote or a backslash, or no printable ASCII.
#[inline]
fn is_special(word: u64) -> bool {
    // With its high bit where a byte below 0x80 is not what is sought.
    let differs = |byte: u8| (word ^ (ONES * u64::from(byte))).wrapping_add(HIGHS - ONES);
    let no_control = word.wrapping_add(HIGHS - ONES * 0x20);
    let deletes = word.wrapping_add(ONES);
    (!(differs(b'"') & differs(b'\\') & no_control) | deletes | word) & HIGHS != 0
}

/// Puts `\uXXXX`. Returns where it ends.
fn unicode(unit: u16, buf: &mut [u8], at: usize) -> usize {
    let hex = |shift: u32| b"0123456789abcdef"[usize::from(unit >> shift & 15)];
    buf[at..at + 6].copy_from_slice(&[b'\\', b'u', hex(12), hex(8), hex(4), hex(0)]);
    at + 6
}

/// Puts the bytes of `run`, at most [`RUN`] of them, escaped, at `at`, until one comes that this fast path
/// does not know: a control character, or one that may begin a character that is [`hidden`]. Returns how
/// many were taken, and where it ends.
#[inline]
pub(super) fn run(run: &[u8], buf: &mut [u8], mut at: usize) -> (usize, usize) {
    let mut taken = 0;
    let (blocks, rest) = run.as_chunks::<BLOCK>();
    for block in blocks {
        if is_plain(block) {
            buf[at..at + BLOCK].copy_from_slice(block);
            at += BLOCK;
            taken += BLOCK;
            continue;
        }
        let (words, _) = block.as_chunks();
        let (count, end) = escape_words(words, at, buf);
        (taken, at) = (taken + 8 * count, end);
        if count < words.len() {
            return (taken, at);
        }
    }
    let (words, tail) = rest.as_chunks();
    let (count, end) = escape_words(words, at, buf);
    (taken, at) = (taken + 8 * count, end);
    if count < words.len() {
        return (taken, at);
    }
    if !tail.is_empty() {
        let word = last_word(tail, run);
        if is_odd(word) {
            return (taken, at);
        }
        at = escape_word(word, at, buf) - (8 - tail.len());
        taken += tail.len();
    }
    (taken, at)
}

/// The less than eight bytes of `tail`, which `text` ends with, and spaces behind them.
#[inline]
fn last_word(tail: &[u8], text: &[u8]) -> u64 {
    let bits = 8 * tail.len() as u32;
    let bytes = match text.last_chunk() {
        Some(last) => u64::from_le_bytes(*last) >> (u64::BITS - bits),
        None => tail.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    bytes | (ONES * u64::from(b' ')) << bits
}

/// Puts words at `at`, escaped, until one has something [`ODD`]. Returns how many, and where they end.
#[inline]
fn escape_words(words: &[[u8; 8]], mut at: usize, buf: &mut [u8]) -> (usize, usize) {
    for (count, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        if is_odd(word) {
            return (count, at);
        }
        at = escape_word(word, at, buf);
    }
    (words.len(), at)
}

/// Puts a word without anything [`ODD`] at `at`, escaped. Returns where it ends.
#[inline]
fn escape_word(mut word: u64, mut at: usize, buf: &mut [u8]) -> usize {
    // The word is stored whole; at each quote the rest of it moves on by one.
    let mut escaped = (equal(word, b'"') | equal(word, b'\\')) >> 7;
    buf[at..at + 8].copy_from_slice(&word.to_le_bytes());
    let mut end = at + 8;
    while escaped != 0 {
        let skip = escaped.trailing_zeros();
        word >>= skip;
        escaped >>= skip;
        at += (skip / 8) as usize;
        buf[at] = b'\\';
        at += 1;
        buf[at..at + 8].copy_from_slice(&word.to_le_bytes());
        escaped ^= 1;
        end += 1;
    }
    end
}

/// Whether a block is printable ASCII with nothing to escape: written without a branch, so that
/// the compiler makes vector code of it.
#[inline]
fn is_plain<const N: usize>(block: &[u8; N]) -> bool {
    let special = |byte: u8| {
        let printable = byte.wrapping_sub(b' ') < 0x5F;
        u8::from(!printable) | u8::from(byte == b'"') | u8::from(byte == b'\\')
    };
    block.iter().fold(0, |any, byte| any | special(*byte)) == 0
}

/// Whether all of a block is printable ASCII: without a branch, as [`is_plain`].
#[inline]
fn is_printable(block: &[u8; BLOCK]) -> bool {
    block.iter().fold(0, |any, byte| any | u8::from(byte.wrapping_sub(b' ') >= 0x5F)) == 0
}

/// The high bit of each byte that equals `byte`, in a word.
fn equal(word: u64, byte: u8) -> u64 {
    let differing = word ^ (ONES * u64::from(byte));
    // Only the seven low bits go through the subtraction, so that no borrow crosses bytes.
    !(((differing & !HIGHS) + (HIGHS - ONES)) | differing) & HIGHS
}

/// Whether any byte of a word is not for the fast path.
fn is_odd(word: u64) -> bool {
    let low = word & !HIGHS;
    // Without their highest bits no byte carries into the next one.
    let controls = !(low + (HIGHS - ONES * 0x20));
    let deletes = low + ONES;
    let mut odd = (controls | deletes) & !word & HIGHS;
    if word & HIGHS != 0 {
        odd |= equal(word, 0xC2) | equal(word, 0xD8) | equal(word, 0xE2);
    }
    odd != 0
}

/// The same for single bytes: controls, DEL, and the first bytes of characters that may be [`hidden`].
static ODD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = byte < 0x20 || matches!(byte, 0x7F | 0xC2 | 0xD8 | 0xE2);
        byte += 1;
    }
    table
};

/// Puts about a word of `text` at `at`, byte by byte. Returns how many bytes were taken, and where it ends.
///
/// `text` is the end of a str, but may begin inside a character that the fast path
/// has passed the beginning of; such continuation bytes go through as they are.
#[inline(never)]
pub(super) fn odd(text: &[u8], buf: &mut [u8], mut at: usize) -> (usize, usize) {
    let mut taken = 0;
    while taken < 8 && taken < text.len() {
        let rest = &text[taken..];
        let short = match rest[0] {
            byte @ (b'"' | b'\\') => Some(byte),
            b'\n' => Some(b'n'),
            b'\r' => Some(b'r'),
            b'\t' => Some(b't'),
            0x08 => Some(b'b'),
            0x0C => Some(b'f'),
            _ => None,
        };
        if let Some(letter) = short {
            buf[at..at + 2].copy_from_slice(&[b'\\', letter]);
            at += 2;
            taken += 1;
        } else if let Some((unit, length)) = hidden(rest) {
            at = unicode(unit, buf, at);
            taken += length;
        } else {
            buf[at] = rest[0];
            at += 1;
            taken += 1;
        }
    }
    (taken, at)
}

/// The character at the front, if it must not reach a terminal, and its length in bytes:
/// C0 and C1 controls, DEL, U+061C, U+200E and U+200F, U+2028 to U+202E, U+2066 to U+2069.
fn hidden(text: &[u8]) -> Option<(u16, usize)> {
    match *text {
        [byte @ (..0x20 | 0x7F), ..] => Some((u16::from(byte), 1)),
        [0xC2, byte @ 0x80..=0x9F, ..] => Some((u16::from(byte), 2)),
        [0xD8, 0x9C, ..] => Some((0x061C, 2)),
        [0xE2, 0x80, byte @ (0x8E | 0x8F | 0xA8..=0xAE), ..] => Some((0x2000 + u16::from(byte - 0x80), 3)),
        [0xE2, 0x81, byte @ 0xA6..=0xA9, ..] => Some((0x2040 + u16::from(byte - 0x80), 3)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::write::Writer;
    use super::RUN;

    fn written(text: &str) -> String {
        let mut writer = Writer::new(Vec::new());
        writer.string(text);
        String::from_utf8(writer.finish().unwrap()).unwrap()
    }

    #[test]
    fn what_would_act_on_a_terminal_is_escaped() {
        for (text, json) in [
            ("Hello", r#""Hello""#),
            ("say \"hi\" \\o/", r#""say \"hi\" \\o/""#),
            ("\u{0}\u{1b}[2J\u{7f}", r#""\u0000\u001b[2J\u007f""#),
            ("\u{8}\t\n\u{c}\r", r#""\b\t\n\f\r""#),
            ("\u{85}\u{9b}m\u{a0}", "\"\\u0085\\u009bm\u{a0}\""),
            ("a\u{202e}b\u{2066}c\u{200f}d\u{61c}", r#""a\u202eb\u2066c\u200fd\u061c""#),
            ("\u{2028}\u{2029}\u{2027}\u{202f}\u{206a}", "\"\\u2028\\u2029\u{2027}\u{202f}\u{206a}\""),
            ("你好，“世界” 😀", "\"你好，“世界” 😀\""),
        ] {
            assert_eq!(written(text), json);
        }
    }

    /// Every byte at every place of texts of every length up to where they are put in blocks.
    #[test]
    fn what_is_put_as_it_is_needs_no_escape() {
        let mut writer = Writer::new(Vec::new());
        for length in 0..70 {
            let mut text = vec![b'x'; length];
            let mut room = vec![b'?'; length];
            assert!(super::as_it_is(&text, &mut room) && room == text);
            for at in 0..length {
                for byte in 0..=255 {
                    text[at] = byte;
                    let is_plain = matches!(byte, b' '..=b'~') && !b"\"\\".contains(&byte);
                    assert_eq!(super::as_it_is(&text, &mut room), is_plain, "{byte} at {at} of {length}");
                    assert!(!is_plain || room == text);
                }
                text[at] = b'x';
            }
            writer.string(str::from_utf8(&text).unwrap());
        }
        let written = (0..70).fold(String::new(), |all, length| all + "\"" + &"x".repeat(length) + "\"");
        assert_eq!(writer.finish().unwrap(), written.as_bytes());
    }

    #[test]
    fn json_stays_json_on_one_line() {
        for (json, line) in [
            ("{\"a\":\n\t[1, 2.50]}", "{\"a\":  [1, 2.50]}"),
            ("\"\\u00e9 \u{202e}\u{7f}\u{9b}é…\"", "\"\\u00e9 \\u202e\\u007f\\u009bé…\""),
        ] {
            let mut writer = Writer::new(Vec::new());
            writer.value(json);
            assert_eq!(str::from_utf8(&writer.finish().unwrap()).unwrap(), line);
        }
    }

    /// Every awkward character at every place of a word, a run and a piece.
    #[test]
    fn strings_come_back_as_they_were() {
        let awkward = [
            "\"", "\\", "\n", "\u{0}", "\u{1f}", "\u{7f}", "\u{9b}", "ß", "؜", "\u{2028}", "…", "😀", "\"\\\"",
        ];
        for around in (0..20).chain([RUN - 3, RUN - 1, RUN, 2 * RUN - 1, 3 * RUN + 1]) {
            for odd in awkward {
                let text = format!(
                    "{}{odd}{odd}{}",
                    "é".repeat(around / 2) + &"x".repeat(around % 2),
                    "y".repeat(11)
                );
                let json = written(&text);
                assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text, "{json}");
            }
        }
    }
}
