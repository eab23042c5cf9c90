//! Text in columns: widths of both scripts, lines that break.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A text and the blanks that fill it up to a width.
pub(super) fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// A text cut to a width, with an ellipsis where something is missing.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    for c in text.chars() {
        if out.width() + c.width().unwrap_or(0) >= width {
            break;
        }
        out.push(c);
    }
    out + "…"
}

/// A text in lines of at most a width. Latin words stay whole where they can.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        // What is set out in columns, such as a hex dump, stays as it is.
        if paragraph.starts_with("  ") {
            lines.push(paragraph.to_owned());
            continue;
        }
        let mut line = String::new();
        for piece in pieces(paragraph) {
            if line.width() + piece.trim_end().width() > width && !line.trim().is_empty() {
                lines.push(line.trim_end().to_owned());
                line.clear();
            }
            for c in piece.chars() {
                if line.width() + c.width().unwrap_or(0) > width && c != ' ' {
                    lines.push(std::mem::take(&mut line));
                }
                line.push(c);
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Pieces between which a line may break: after a blank, around a wide character
/// unless punctuation follows it.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut before: Option<char> = None;
    for c in text.chars() {
        let wide = |c: char| c.width() == Some(2);
        let breaks = before.is_none_or(|before| {
            before == ' ' || (!closes(c) && !opens(before) && c != ' ' && (wide(before) || wide(c)))
        });
        match pieces.last_mut() {
            Some(last) if !breaks => last.push(c),
            _ => pieces.push(c.to_string()),
        }
        before = Some(c);
    }
    pieces
}

fn closes(c: char) -> bool {
    "，。；：？！、）》”’…".contains(c)
}

fn opens(c: char) -> bool {
    "（《“‘".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_in_both_scripts() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("偏移从 0 数起，由位组成。", 12), ["偏移从 0 数", "起，由位组", "成。"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("a\n  0000  81 05\nb", 6), ["a", "  0000  81 05", "b"]);
        assert_eq!((cut("掩码键", 5).as_str(), padded("掩", 4).as_str()), ("掩码…", "掩  "));
    }
}
