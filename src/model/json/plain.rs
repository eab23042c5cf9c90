//! The short way to know JSON for what it is, and to have it as a string of JSON at the same time.

mod quoted;

pub use quoted::Quoted;

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
#[inline]
pub fn is_plainly_json_of(text: &str, see: impl FnMut(&[u8])) -> bool {
    read(text.as_bytes(), &mut Nowhere, see) == Some(Reading::Json)
}

/// What a text has turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// A JSON value.
    Json,
    /// None, however it goes on behind where it stops being one. So many bytes of it were copied.
    Other(usize),
}

/// Where what is read is copied to.
trait Copied {
    /// Only printable ASCII is read: anything else may have to be escaped in other ways than with a
    /// backslash.
    const IS_PRINTABLE: bool;

    /// Puts the first `count` of some bytes behind what is there; `None` where there is no room. All of them
    /// are copied: the next ones are put over those behind.
    fn put<const N: usize>(&mut self, bytes: [u8; N], count: usize) -> Option<()>;
}

/// It is not.
struct Nowhere;

#[allow(clippy::inline_always, reason = "a few instructions")]
impl Copied for Nowhere {
    const IS_PRINTABLE: bool = false;

    #[inline(always)]
    fn put<const N: usize>(&mut self, _: [u8; N], _: usize) -> Option<()> {
        Some(())
    }
}

/// Reads a value with the white space around it; `None` when it cannot tell. It is all in one function so
/// that where it is stays in registers.
#[allow(clippy::inline_always, reason = "each caller sees something else")]
#[inline(always)]
fn read<C: Copied>(text: &[u8], to: &mut C, mut see: impl FnMut(&[u8])) -> Option<Reading> {
    // What is open, objects as ones, the innermost in the lowest bit.
    let (mut objects, mut depth) = (0_u64, 0);
    // A member's name comes next.
    let mut is_name = false;
    let (mut at, mut copied) = (0, 0);
    loop {
        let first = token::<C>(text, &mut at)?;
        if first == b'"' {
            copy(text, copied..at - 1, to)?;
            let from = at;
            at = string(text, at, to)?;
            copied = at;
            see(&text[from..at - 1]);
            if is_name {
                is_name = false;
                if token::<C>(text, &mut at)? != b':' {
                    return None;
                }
                continue;
            }
        } else if is_name {
            return (first > b' ').then_some(Reading::Other(copied));
        } else if first == b'-' || first.is_ascii_digit() {
            at = number(text, at, first)?;
        } else if (first == b'{' || first == b'[') && depth < LEVELS {
            let is_object = first == b'{';
            (objects, depth) = (objects << 1 | u64::from(is_object), depth + 1);
            let mut behind = at;
            if token::<C>(text, &mut behind)? != if is_object { b'}' } else { b']' } {
                is_name = is_object;
                continue;
            }
        } else {
            let rest = match first {
                b't' => &b"rue"[..],
                b'f' => b"alse",
                b'n' => b"ull",
                _ => return None,
            };
            at += text[at..].starts_with(rest).then_some(rest.len())?;
        }
        // What ends with it, up to the next value.
        while depth > 0 {
            match (token::<C>(text, &mut at)?, objects & 1 == 1) {
                (b'}', true) | (b']', false) => (objects, depth) = (objects >> 1, depth - 1),
                (b',', is_object) => {
                    is_name = is_object;
                    break;
                }
                (token, _) => return (token > b' ').then_some(Reading::Other(copied)),
            }
        }
        if depth == 0 {
            copy(text, copied..text.len(), to)?;
            return text[at..].iter().all(|byte| is_space::<C>(*byte)).then_some(Reading::Json);
        }
    }
}

/// Copies what is no string.
#[allow(clippy::inline_always, reason = "mostly it is short")]
#[inline(always)]
fn copy<C: Copied>(text: &[u8], mut part: std::ops::Range<usize>, to: &mut C) -> Option<()> {
    while C::IS_PRINTABLE && !part.is_empty() {
        match text[part.start..].first_chunk::<16>() {
            Some(chunk) => to.put(*chunk, part.len().min(16))?,
            None => to.put([text[part.start]], 1)?,
        }
        part.start += if text.len() - part.start < 16 { 1 } else { 16 };
    }
    Some(())
}

/// Where what is behind a string begins, of which the first quote was before `at`.
#[allow(clippy::inline_always, reason = "where it is stays in registers")]
#[inline(always)]
fn string<C: Copied>(text: &[u8], mut at: usize, to: &mut C) -> Option<usize> {
    to.put(*b"\\\"", 2)?;
    loop {
        at = run(text, at, to)? + 1;
        match *text.get(at - 1)? {
            b'"' => {
                to.put(*b"\\\"", 2)?;
                return Some(at);
            }
            b'\\' => {
                let escaped = *text.get(at)?;
                at += 1;
                match escaped {
                    b'"' | b'\\' => to.put([b'\\', b'\\', b'\\', escaped], 4)?,
                    b'/' | b'b' | b'f' | b'n' | b'r' | b't' => to.put([b'\\', b'\\', escaped], 3)?,
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
}

/// Copies plain bytes of a string. Gives where they end.
#[allow(clippy::inline_always, reason = "where it is stays in registers")]
#[inline(always)]
fn run<C: Copied>(text: &[u8], mut at: usize, to: &mut C) -> Option<usize> {
    loop {
        let word = word(text, at)?;
        let special = special::<C>(word);
        if special != 0 {
            let count = special.trailing_zeros() as usize / 8;
            to.put(word.to_le_bytes(), count)?;
            return Some(at + count);
        }
        to.put(word.to_le_bytes(), 8)?;
        at += 8;
        while let Some(block) = text[at..].first_chunk()
            && is_plain::<C>(block)
        {
            to.put(*block, BLOCK)?;
            at += BLOCK;
        }
    }
}

/// Copies what is not JSON, from a place on.
#[inline(never)]
fn rest<C: Copied>(text: &[u8], mut at: usize, to: &mut C) -> Option<()> {
    loop {
        at = run(text, at, to)?;
        match text.get(at) {
            None => return Some(()),
            Some(byte @ (b'"' | b'\\')) => to.put([b'\\', *byte], 2)?,
            Some(_) => return None,
        }
        at += 1;
    }
}

/// Eight bytes from a place on, the first in the lowest; behind the end, zeros.
#[inline]
fn word(text: &[u8], at: usize) -> Option<u64> {
    let rest = text.get(at..)?;
    if let Some(word) = rest.first_chunk() {
        return Some(u64::from_le_bytes(*word));
    }
    let last = u64::from_le_bytes(*text.last_chunk()?);
    Some(last.checked_shr(u64::BITS - 8 * rest.len() as u32).unwrap_or_default())
}

/// Where what is behind a number begins, of which the `first` byte was before `at`.
#[allow(clippy::inline_always, reason = "where it is stays in registers")]
#[inline(always)]
fn number(text: &[u8], mut at: usize, mut first: u8) -> Option<usize> {
    if first == b'-' {
        first = *text.get(at)?;
        at += 1;
    }
    match first {
        b'0' => {}
        b'1'..=b'9' => at = digits(text, at),
        _ => return None,
    }
    if text.get(at) == Some(&b'.') {
        at = some_digits(text, at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        let is_signed = matches!(text.get(at + 1), Some(b'+' | b'-'));
        at = some_digits(text, at + 1 + usize::from(is_signed))?;
    }
    Some(at)
}

/// Where what is behind digits begins, of which there has to be one.
fn some_digits(text: &[u8], at: usize) -> Option<usize> {
    text.get(at).filter(|byte| byte.is_ascii_digit())?;
    Some(digits(text, at + 1))
}

/// The same, where there may be none.
#[inline]
fn digits(text: &[u8], mut at: usize) -> usize {
    while let Some(word) = text[at..].first_chunk() {
        let word = u64::from_le_bytes(*word);
        let below = word.wrapping_sub(ONES * u64::from(b'0'));
        let above = word.wrapping_add(ONES * u64::from(0x7F - b'9'));
        // What a byte takes from the next one, or carries into it, only shows behind the first that is none.
        let others = (below | above | word) & HIGHS;
        if others != 0 {
            return at + others.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at + text[at..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

#[inline]
fn is_space<C: Copied>(byte: u8) -> bool {
    byte == b' ' || !C::IS_PRINTABLE && matches!(byte, b'\t' | b'\n' | b'\r')
}

/// The next byte that is no white space; what comes next is behind it.
#[allow(clippy::inline_always, reason = "where it is stays in registers")]
#[inline(always)]
fn token<C: Copied>(text: &[u8], at: &mut usize) -> Option<u8> {
    loop {
        let token = *text.get(*at)?;
        *at += 1;
        if token > b' ' || !is_space::<C>(token) {
            return Some(token);
        }
    }
}

/// The high bit of each byte of a word that ends a run of a string's plain bytes: quotes, backslashes and
/// controls, and what is not printable where only that is read. Above the first of them others may be set.
#[allow(clippy::inline_always, reason = "a few instructions")]
#[inline(always)]
fn special<C: Copied>(word: u64) -> u64 {
    if C::IS_PRINTABLE {
        // With its high bit where a byte below 0x80 is not what is sought.
        let no_backslash = (word ^ (ONES * u64::from(b'\\'))).wrapping_add(HIGHS - ONES);
        // This bit puts quotes among the controls, and nothing else that is printable.
        let no_control = (word ^ (ONES * 0x02)).wrapping_add(HIGHS - ONES * 0x21);
        let deletes = word.wrapping_add(ONES);
        return (!(no_backslash & no_control) | deletes | word) & HIGHS;
    }
    let zeros = |word: u64| word.wrapping_sub(ONES) & !word;
    let quotes = zeros(word ^ (ONES * u64::from(b'"')));
    let backslashes = zeros(word ^ (ONES * u64::from(b'\\')));
    let controls = word.wrapping_sub(ONES * 0x20) & !word;
    (quotes | backslashes | controls) & HIGHS
}

/// Whether there is no such byte: without a branch, so that the compiler makes vector code of it.
#[inline]
fn is_plain<C: Copied>(block: &[u8; BLOCK]) -> bool {
    let special = |byte: u8| {
        let is_other = if C::IS_PRINTABLE { byte.wrapping_sub(b' ') >= 0x5F } else { byte < b' ' };
        u8::from(is_other) | u8::from(byte == b'"') | u8::from(byte == b'\\')
    };
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
            let mut quoted = Quoted::default();
            for text in [&text, &broken, cut] {
                let is_printable = text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
                let known = quoted.become_of(text, |_| ());
                prop_assert_eq!(known == Some(true), is_printable && is_plainly_json(text), "{}", text);
                prop_assert!(known != Some(false) || !is_json(text) && is_printable, "{}", text);
                let expected = text.replace('\\', "\\\\").replace('"', "\\\"");
                prop_assert!(known.is_none() || quoted.as_bytes() == expected.as_bytes(), "{}", text);
            }
        }
    }
}
