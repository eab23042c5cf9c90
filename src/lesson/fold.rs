//! What does not count in what people type: width, quotes, some of the spaces.

/// Full-width forms and Chinese punctuation as their ASCII counterparts.
pub fn width(text: &str) -> String {
    text.chars().map(narrow).collect()
}

fn narrow(c: char) -> char {
    match c {
        // The full-width forms stand in the order of ASCII.
        '\u{FF01}'..='\u{FF5E}' => u8::try_from(u32::from(c) - 0xFEE0).map_or(c, char::from),
        '\u{3000}' | '\u{A0}' => ' ',
        '、' => ',',
        '。' => '.',
        '“' | '”' | '「' | '」' => '"',
        '‘' | '’' => '\'',
        '—' | '–' | '−' | '‐' | '‑' => '-',
        _ => c,
    }
}

/// A text without the quotes or backticks around it.
pub fn unquoted(text: &str) -> &str {
    let mut text = text;
    for quote in ['`', '"', '\''] {
        let inner = text.strip_prefix(quote).and_then(|text| text.strip_suffix(quote));
        text = inner.map_or(text, str::trim);
    }
    text
}

/// A text with single spaces, and none around `;`, `,` and `=`.
pub fn loose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        let joins = |c: char| matches!(c, ';' | ',' | '=');
        if !out.is_empty() && !out.ends_with(joins) && !word.starts_with(joins) {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_count() {
        assert_eq!(width("０ｘ７Ｅ，　“ａ”"), "0x7E, \"a\"");
        assert_eq!(unquoted("'81 05'"), "81 05");
        assert_eq!(loose(" a ;  b = 1 , c  d"), "a;b=1,c d");
    }
}
