//! Bytes in hexadecimal.

use super::page::Page;
use super::style::Ink;

/// The digits of every byte.
const PAIRS: [u8; 512] = {
    let (digits, mut pairs, mut at) = (b"0123456789abcdef", [0; 512], 0);
    while at < 256 {
        pairs[2 * at] = digits[at >> 4];
        pairs[2 * at + 1] = digits[at & 15];
        at += 1;
    }
    pairs
};

/// `bytes` as `48 65 6c`.
pub fn pairs(bytes: &[u8]) -> String {
    const TEXT: &str = match str::from_utf8(&PAIRS) {
        Ok(text) => text,
        Err(_) => "",
    };
    let mut out = String::with_capacity(bytes.len() * 3);
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 {
            out.push(' ');
        }
        let at = 2 * usize::from(*byte);
        out.push_str(&TEXT[at..at + 2]);
    }
    out
}

/// Writes the first of `total` bytes in at most `room` columns: `48 65 …` when not all fit.
pub fn put(page: &mut Page, ink: Ink, bytes: &[u8], total: u64, room: usize) {
    // The ellipsis of ASCII is wider.
    let wider = page.measure("…") - 1;
    let whole = bytes.len() as u64 == total && bytes.len() * 3 <= room + 1;
    let words = short(bytes, total, if whole { room } else { room.saturating_sub(wider) });
    page.put(ink, &words);
}

/// The first of `total` bytes in at most `columns` columns (at least 4): `48 65 …` when not all fit.
fn short(bytes: &[u8], total: u64, columns: usize) -> String {
    let whole = bytes.len() as u64 == total;
    if whole && bytes.len() * 3 <= columns + 1 {
        return pairs(bytes);
    }
    let fit = (columns.saturating_sub(1) / 3).min(bytes.len());
    let gap = if fit > 0 { " " } else { "" };
    format!("{}{gap}…", pairs(&bytes[..fit]))
}

/// `bytes` with every byte that is not printable ASCII as `.`.
pub fn letters(bytes: &[u8]) -> String {
    bytes.iter().map(|&byte| if matches!(byte, b' '..=b'~') { byte as char } else { '.' }).collect()
}

/// An offset in hexadecimal, four digits at least.
pub fn offset(at: u64) -> String {
    format!("{at:04x}")
}

/// Writes rows of offset, hex and ASCII from `indent` on, `base` being the offset of the
/// first byte; at most `rows` of them. Gives the number of bytes shown.
pub fn dump(page: &mut Page, bytes: &[u8], base: u64, indent: usize, rows: usize) -> usize {
    let digits = offset(base.saturating_add(bytes.len() as u64)).len();
    // Offset, hex in two halves, ASCII, with two columns between.
    let taken = |per_row: usize| indent + digits + 2 + per_row * 4 + 2;
    let per_row = [16, 8].into_iter().find(|per_row| taken(*per_row) < page.width()).unwrap_or(4);
    let hex_at = indent + digits + 2;
    let ascii_at = hex_at + per_row * 3 + 2;
    let mut shown = 0;
    for (row, chunk) in bytes.chunks(per_row).take(rows).enumerate() {
        if page.is_broken() {
            break;
        }
        let at = base.saturating_add((row * per_row) as u64);
        page.to(indent).put(Ink::Faint, &format!("{at:0digits$x}"));
        for (half, part) in chunk.chunks(8).enumerate() {
            page.to(hex_at + half * 25).put(Ink::Plain, &pairs(part));
        }
        page.to(ascii_at).put(Ink::Plain, &letters(chunk)).line();
        shown += chunk.len();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Options;

    #[test]
    fn short_forms_say_that_they_are_short() {
        assert_eq!(short(b"Hello", 5, 14), "48 65 6c 6c 6f");
        assert_eq!(short(b"Hello", 5, 13), "48 65 6c 6c …");
        assert_eq!(short(b"Hello", 1234, 20), "48 65 6c 6c 6f …");
        assert_eq!(short(b"", 0, 4), "");
        assert_eq!(short(b"", 9, 4), "…");
    }

    #[test]
    fn a_dump_shows_offsets_bytes_and_letters() {
        let mut page = Page::new(&Options::default());
        let bytes: Vec<u8> = (0x3a..0x50).collect();
        assert_eq!(dump(&mut page, &bytes, 0x10, 2, 9), 22);
        insta::assert_snapshot!(page.lines(), @r"
          0010  3a 3b 3c 3d 3e 3f 40 41  42 43 44 45 46 47 48 49  :;<=>?@ABCDEFGHI
          0020  4a 4b 4c 4d 4e 4f                                 JKLMNO
        ");
        page.lines().clear();
        assert_eq!(dump(&mut page, &bytes, 0, 2, 1), 16);
    }
}
