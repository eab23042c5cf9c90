//! Remarks and tables in lines of a width.

use crate::render::columns;

/// A text cut to a width, with an ellipsis where something is missing.
pub(super) fn cut(text: &str, width: usize) -> String {
    if columns::width(text) <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        let before = kept.len();
        kept.push(c);
        if columns::width(&kept) >= width {
            kept.truncate(before);
            break;
        }
    }
    kept + "…"
}

/// A text in lines of at most a width. What is set out in columns, such as a hex dump,
/// stays as it is.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<&str> {
    let lines = |line| match columns::lines(line, width) {
        lines if line.starts_with("  ") || lines.is_empty() => vec![line],
        lines => lines,
    };
    text.lines().flat_map(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_in_both_scripts() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("偏移从 0 数起，由位组成。", 12), ["偏移从 0 数", "起，由位组", "成。"]);
        assert_eq!(wrapped("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrapped("a\n  0000  81 05\n\nb", 6), ["a", "  0000  81 05", "", "b"]);
        assert_eq!((cut("掩码键", 5).as_str(), cut("掩", 2).as_str()), ("掩码…", "掩"));
    }
}
