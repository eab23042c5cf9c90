//! The short way to know JSON for what it is.

/// The same in each byte of a word, to multiply by.
const ONES: u64 = 0x0101_0101_0101_0101;

/// The high bit of each byte of a word.
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// Bytes of a string that are looked at together, where it is long.
const BLOCK: usize = 32;

/// Arrays and objects inside each other that are followed: a bit each.
const LEVELS: u32 = u64::BITS;

/// Whether `text` is a JSON value (RFC 8259) of the kind that nearly all are: of 8 bytes at least, nested no
/// deeper than 64, and without `\u`. Of what is not, `false` says nothing.
pub fn is_plainly_json(text: &str) -> bool {
    is_plainly_json_of(text, |_| ())
}

/// The same, and `see` is shown what stands between the quotes of each string, names too, in order; where
/// the text is none after all, of its beginning.
pub fn is_plainly_json_of(text: &str, see: impl FnMut(&[u8])) -> bool {
    let mut reader = Reader { text: text.as_bytes(), at: 0, see };
    reader.value().is_some() && reader.at == text.len()
}

/// A place in a text. What reads on gives `None` when there is something else.
struct Reader<'t, F> {
    text: &'t [u8],
    at: usize,
    see: F,
}

impl<F: FnMut(&[u8])> Reader<'_, F> {
    /// A value with the white space around it.
    fn value(&mut self) -> Option<()> {
        // What is open, objects as ones, the innermost in the lowest bit.
        let (mut objects, mut depth) = (0_u64, 0);
        loop {
            match self.token()? {
                open @ (b'{' | b'[') if depth < LEVELS => {
                    let is_object = open == b'{';
                    (objects, depth) = (objects << 1 | u64::from(is_object), depth + 1);
                    if self.peek()? != if is_object { b'}' } else { b']' } {
                        if is_object {
                            self.name()?;
                        }
                        continue;
                    }
                }
                b'"' => self.string()?,
                first @ (b'-' | b'0'..=b'9') => self.number(first)?,
                b't' => self.rest(b"rue")?,
                b'f' => self.rest(b"alse")?,
                b'n' => self.rest(b"ull")?,
                _ => return None,
            }
            // What ends with it, up to the next value.
            while depth > 0 {
                match (self.token()?, objects & 1 == 1) {
                    (b'}', true) | (b']', false) => (objects, depth) = (objects >> 1, depth - 1),
                    (b',', true) => {
                        self.name()?;
                        break;
                    }
                    (b',', false) => break,
                    _ => return None,
                }
            }
            if depth == 0 {
                self.space();
                return Some(());
            }
        }
    }

    /// A member's name and the colon.
    fn name(&mut self) -> Option<()> {
        if self.token()? != b'"' {
            return None;
        }
        self.string()?;
        (self.token()? == b':').then_some(())
    }

    /// The rest of a string.
    fn string(&mut self) -> Option<()> {
        let from = self.at;
        loop {
            let special = special(self.word()?);
            if special == 0 {
                self.at += 8;
                while let Some(block) = self.text[self.at..].first_chunk()
                    && is_plain(block)
                {
                    self.at += BLOCK;
                }
                continue;
            }
            self.at += special.trailing_zeros() as usize / 8;
            match self.next()? {
                b'"' => {
                    (self.see)(&self.text[from..self.at - 1]);
                    return Some(());
                }
                b'\\' if matches!(self.next()?, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                _ => return None,
            }
        }
    }

    /// The next eight bytes, the first in the lowest; behind the end, zeros.
    #[inline]
    fn word(&self) -> Option<u64> {
        if let Some(word) = self.text[self.at..].first_chunk() {
            return Some(u64::from_le_bytes(*word));
        }
        let there = self.text.len() - self.at;
        let last = u64::from_le_bytes(*self.text.last_chunk()?);
        last.checked_shr(u64::BITS - 8 * there as u32)
    }

    /// The rest of a number.
    fn number(&mut self, first: u8) -> Option<()> {
        match if first == b'-' { self.next()? } else { first } {
            b'0' => {}
            b'1'..=b'9' => self.digits(),
            _ => return None,
        }
        if self.text.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.next().filter(u8::is_ascii_digit)?;
            self.digits();
        }
        if let Some(b'e' | b'E') = self.text.get(self.at) {
            self.at += 1;
            self.at += usize::from(matches!(self.text.get(self.at), Some(b'+' | b'-')));
            self.next().filter(u8::is_ascii_digit)?;
            self.digits();
        }
        Some(())
    }

    #[inline]
    fn digits(&mut self) {
        while let Some(b'0'..=b'9') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    fn rest(&mut self, word: &[u8]) -> Option<()> {
        let is_it = self.text[self.at..].starts_with(word);
        self.at += word.len();
        is_it.then_some(())
    }

    #[inline]
    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    /// The next byte that is no white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        self.space();
        self.text.get(self.at).copied()
    }

    /// The same, and goes on behind it.
    #[inline]
    fn token(&mut self) -> Option<u8> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    #[inline]
    fn next(&mut self) -> Option<u8> {
        let byte = *self.text.get(self.at)?;
        self.at += 1;
        Some(byte)
    }
}

/// The high bit of each byte of a word that ends a run of a string's plain bytes: quotes, backslashes and
/// controls. Above the first of them others may be set.
#[inline]
fn special(word: u64) -> u64 {
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let quotes = zeros(word ^ (ONES * u64::from(b'"')));
    let backslashes = zeros(word ^ (ONES * u64::from(b'\\')));
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (quotes | backslashes | controls) & HIGHS
}

/// Whether there is no such byte: without a branch, so that the compiler makes vector code of it.
#[inline]
fn is_plain(block: &[u8; BLOCK]) -> bool {
    let special = |byte: u8| u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\');
    block.iter().fold(0, |any, byte| any | special(*byte)) == 0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;
    use crate::model::json::is_deep;

    fn is_json(text: &str) -> bool {
        serde_json::from_str::<IgnoredAny>(text).is_ok()
    }

    #[test]
    fn what_is_usually_sent_is_known_at_a_glance() {
        let long = "x".repeat(1000);
        for text in [
            r#"{"id":12345678,"text":"bid ask last"}"#,
            " [1, -0.5e+3, true, false, null, {}, [ ]]\r\n",
            r#"{ "a" : [ { "b" : "say \"hi\" \\ \/ \n" } , "é…" ] , "c" : 0 }"#,
            r#""a string""#,
            "-12.5e-10",
            &format!(r#"{{"{long}":"{long}\\","":""}}"#),
            &format!("{}{}", "[".repeat(64), "]".repeat(64)),
        ] {
            assert!(is_plainly_json(text) && is_json(text), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_not() {
        for text in [
            "",
            "{",
            "[1,]     ",
            "[1 2]     ",
            r#"{"a":1,}     "#,
            r#"{"a" 1}     "#,
            r#"{1:"a"}     "#,
            "01234567",
            "-        ",
            "1.       ",
            "1e+      ",
            "truefals",
            "\"\u{1}      \"",
            "\"\\x     \"",
            r#"{"a":1] "#,
            "[1}      ",
            "[1]      ]",
            r#""abcdefgh"#,
            r#""abcdefg\"#,
            "1 2345678",
            ",        ",
        ] {
            assert!(!is_plainly_json(text), "{text}");
        }
        assert!(!is_plainly_json(&format!("{}{}", "[".repeat(65), "]".repeat(65))), "it may be too deep");
    }

    /// A value, laid out in some way.
    fn value() -> impl Strategy<Value = String> {
        let string = "\"([a-t {}:,\\[\\]é…]|\\\\[\"\\\\/bfnrt]|\\\\u00e9){0,40}\"";
        let leaf = prop_oneof![
            string.prop_map(String::from),
            "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,9})?([eE][+-]?[0-9]{1,3})?",
            Just("true".to_owned()),
            Just("false".to_owned()),
            Just("null".to_owned()),
        ];
        leaf.prop_recursive(4, 32, 5, move |inner| {
            let member =
                (string, "[ \n]{0,2}", inner.clone()).prop_map(|(k, space, v)| format!("{k}:{space}{v}"));
            prop_oneof![
                prop::collection::vec(inner, 0..5).prop_map(|all| format!("[{}]", all.join(" , "))),
                prop::collection::vec(member, 0..5).prop_map(|all| format!("{{{}}}", all.join(","))),
            ]
        })
    }

    proptest! {
        /// Nothing that is wrong anywhere is taken for JSON, and nothing right is left to the long way but
        /// for what is said above.
        #[test]
        fn a_glance_is_never_wrong(text in value(), at in any::<prop::sample::Index>(), byte in " -~") {
            prop_assert_eq!(is_plainly_json(&text), text.len() >= 8 && !text.contains("\\u") || {
                // Short ones are known unless they hold a string.
                text.len() < 8 && !text.contains('"')
            });
            let mut broken = text.clone();
            let at = (0..=at.index(text.len() + 1)).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            broken.insert_str(at, &byte);
            let is_right = is_json(&broken) && !is_deep(&broken, 64);
            prop_assert!(!is_plainly_json(&broken) || is_right, "{}", broken);
            let cut = &text[..at];
            prop_assert!(!is_plainly_json(cut) || is_json(cut), "{}", cut);
        }
    }
}
