//! Words in columns, as a terminal counts them: a Chinese character takes two.

use super::escape;

/// Columns that `words` take.
pub fn width(words: &str) -> usize {
    escape::columns(words, false)
}

/// The tool's own words with what they quote made safe for a terminal.
pub fn escaped(words: &str) -> String {
    let mut all = String::with_capacity(words.len());
    for cell in escape::words(words, false) {
        cell.push_to(&mut all);
    }
    all
}

/// The same in ASCII alone.
pub fn ascii(words: &str) -> String {
    let mut all = String::with_capacity(words.len());
    for cell in escape::words(words, true) {
        cell.push_to(&mut all);
    }
    all
}

/// `words` with spaces behind them up to `columns`.
pub fn left(words: &str, columns: usize) -> String {
    format!("{words}{:1$}", "", columns.saturating_sub(width(words)))
}

/// `words` with spaces before them up to `columns`.
pub fn right(words: &str, columns: usize) -> String {
    format!("{:1$}{words}", "", columns.saturating_sub(width(words)))
}

/// `words` in the middle of `columns`.
pub fn centred(words: &str, columns: usize) -> String {
    let free = columns.saturating_sub(width(words));
    format!("{0:1$}{words}{0:2$}", "", free / 2, free - free / 2)
}

/// The lines that `words` take when each has `columns`: they break at spaces, and between
/// Chinese characters. What fits no line is broken anywhere.
pub fn lines(words: &str, columns: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = words;
    while !rest.is_empty() {
        let (line, later) = split(rest, columns.max(2), true, false);
        lines.push(line);
        rest = later;
    }
    lines
}

/// Splits `words` into what fits `room` columns and the rest. On a `fresh` line
/// something always fits.
pub(super) fn split(words: &str, room: usize, fresh: bool, ascii: bool) -> (&str, &str) {
    // What is much longer in bytes is longer in columns, mostly.
    if words.len() / 3 <= room && escape::columns(words, ascii) <= room {
        return (words.trim_end_matches(' '), "");
    }
    let (mut used, mut at, mut end) = (0, 0, None);
    let mut before = '\0';
    for cell in escape::words(words, ascii) {
        let here = words[at..].chars().next().unwrap_or_default();
        used += usize::from(cell.width);
        if here == ' ' || (at > 0 && breaks_between(before, here)) {
            end = Some(at);
        }
        if used > room && here != ' ' {
            return match end {
                Some(end) => (words[..end].trim_end_matches(' '), words[end..].trim_start_matches(' ')),
                None if fresh && at > 0 => words.split_at(at),
                None if fresh => words.split_at(cell.bytes.into()),
                None => ("", words),
            };
        }
        at += usize::from(cell.bytes);
        before = here;
    }
    (words.trim_end_matches(' '), "")
}

/// Whether a line may end between two characters without a space: where one of them is
/// Chinese, unless a mark would begin a line that must not, or end one.
fn breaks_between(before: char, after: char) -> bool {
    if before.is_ascii() && after.is_ascii() {
        return false;
    }
    let is_wide = |c: char| {
        matches!(c, '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}')
            || matches!(c, '\u{f900}'..='\u{faff}' | '\u{ff01}'..='\u{ff60}')
    };
    let begins_none = |c: char| "，。、；：？！）》」』】〉”’…,.;:?!)]}%".contains(c);
    let ends_none = |c: char| "（《「『【〈“‘([{".contains(c);
    (is_wide(before) || is_wide(after)) && before != ' ' && !begins_none(after) && !ends_none(before)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn columns_are_counted_as_a_terminal_counts_them() {
        assert_eq!((width("帧 FIN"), width("frame")), (6, 5));
        assert_eq!((left("掩码", 6).as_str(), right("掩码", 6).as_str()), ("掩码  ", "  掩码"));
        assert_eq!((centred("帧", 5).as_str(), centred("four", 3).as_str()), (" 帧  ", "four"));
    }

    #[test]
    fn lines_break_between_chinese_characters_but_not_before_a_mark() {
        for (words, columns, expected) in [
            ("客户端必须加掩码", 8, &["客户端必", "须加掩码"][..]),
            ("客户端必须，服务器不", 10, &["客户端必", "须，服务器", "不"]),
            ("见（RFC 6455）", 6, &["见", "（RFC", "6455）"]),
            ("用 Sec-WebSocket-Key 的值", 19, &["用", "Sec-WebSocket-Key", "的值"]),
            ("one two three", 8, &["one two", "three"]),
            ("unbreakable", 6, &["unbrea", "kable"]),
            ("掩", 1, &["掩"]),
            ("（/a/path/too/long", 8, &["（/a/pat", "h/too/lo", "ng"]),
            // What does not fit may have more bytes than all before it.
            ("é掩", 2, &["é", "掩"]),
        ] {
            assert_eq!(lines(words, columns), expected, "{words}");
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_in_lines_but_spaces(
            words in "[ a\u{80}é掩（�\u{301}😀\u{1}]{0,20}", columns in 1..12_usize
        ) {
            let kept = |text: &str| text.replace(' ', "");
            let lines = lines(&words, columns);
            prop_assert_eq!(lines.iter().map(|line| kept(line)).collect::<String>(), kept(&words));
            for line in lines {
                prop_assert!(width(line) <= columns.max(2) || line.chars().count() == 1, "{line:?}");
            }
        }
    }
}
