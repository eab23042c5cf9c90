//! A text as a string of JSON.

use super::{Copied, read};

/// The longest text that is held as a string.
const LONGEST: usize = 4096;

/// Room for all of it escaped, and for a block put behind it.
const ROOM: usize = 2 * LONGEST + 64;

/// A text as it stands between the quotes of a string of JSON.
#[derive(Debug)]
pub struct Quoted {
    room: Box<[u8]>,
    length: usize,
}

impl Default for Quoted {
    /// Nothing.
    fn default() -> Self {
        Self { room: vec![0; ROOM].into(), length: 0 }
    }
}

impl Quoted {
    /// Becomes `text` if that [is plainly JSON](super::is_plainly_json_of), of printable ASCII, and not long.
    /// Whether it is; of what is not, `false` says nothing. In such a text nothing is escaped but quotes and
    /// backslashes.
    #[inline]
    pub fn become_json(&mut self, text: &str, see: impl FnMut(&[u8])) -> bool {
        if text.len() > LONGEST {
            return false;
        }
        let mut to = Room { room: &mut self.room, length: 0 };
        let is_json = read(text.as_bytes(), &mut to, see).is_some();
        self.length = to.length;
        is_json
    }

    /// What stands between the quotes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.room[..self.length]
    }
}

/// Room, and how much of it is used.
struct Room<'r> {
    room: &'r mut [u8],
    length: usize,
}

#[allow(clippy::inline_always, reason = "a few instructions")]
impl Copied for Room<'_> {
    const IS_PRINTABLE: bool = true;

    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: [u8; N], count: usize) -> Option<()> {
        *self.room.get_mut(self.length..)?.first_chunk_mut()? = bytes;
        self.length += count;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::json::is_plainly_json;

    /// Quotes and backslashes at every place of a word, a block and a text.
    #[test]
    fn a_text_is_quoted_as_anybody_would() {
        let mut quoted = Quoted::default();
        // Shorter ones are not looked at.
        for before in 1..70 {
            for inner in [
                "",
                "\\\"",
                "\\\\",
                "\\n\\/",
                "\\\"\\\"\\\\",
                "a\\tb",
                "0123456789012345678901234567890123456789",
            ] {
                let before = "x".repeat(before);
                for text in [
                    format!("[\"{before}{inner}\",\"{inner}\"]"),
                    format!("{{ \"{before}\":-12.5e3, \"{inner}y\" : [\"\", 1234567890123456789012345]   }}"),
                ] {
                    assert!(quoted.become_json(&text, |_| ()), "{text}");
                    let expected = text.replace('\\', "\\\\").replace('"', "\\\"");
                    assert_eq!(str::from_utf8(quoted.as_bytes()), Ok(&*expected));
                }
            }
        }
        for text in [
            "[1, 2, \n3]",
            "{\"a\":\"\u{e9}\"}",
            "[\"\u{7f}       \"]",
            "[\"\\u0041\"]",
            "[01234567]",
            "\"12345",
        ] {
            assert!(!quoted.become_json(text, |_| ()), "{text}");
        }
        assert!(is_plainly_json("[\"\u{7f}\u{e9}      \"]"));
        let long = format!("[\"{}\"]", "\\\"".repeat(LONGEST / 2));
        assert!(!quoted.become_json(&long, |_| ()) && quoted.become_json("[1234567]", |_| ()));
        let longest = format!("\"{}\"", "\\\"".repeat(LONGEST / 2 - 1));
        assert!(quoted.become_json(&longest, |_| ()) && quoted.as_bytes().len() == 2 * LONGEST);
    }
}
