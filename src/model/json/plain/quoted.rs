//! A text as a string of JSON.

use super::{Copied, Reading, read, rest};

/// The longest text that is held as a string.
const LONGEST: usize = 4096;

/// Where bytes may be put in the room, as a mask: all of the longest text escaped is far below, and that
/// nothing is beyond needs no test.
const PLACES: usize = 4 * LONGEST - 1;

/// Room for that, and for a block put behind it.
const ROOM: usize = PLACES + 65;

/// A text as it stands between the quotes of a string of JSON.
#[derive(Debug)]
pub struct Quoted {
    room: Box<[u8; ROOM]>,
    length: usize,
}

impl Default for Quoted {
    /// Nothing.
    fn default() -> Self {
        #[allow(clippy::large_stack_arrays)] // it is never on the stack but in debug builds
        Self { room: Box::new([0; ROOM]), length: 0 }
    }
}

impl Quoted {
    /// Becomes `text` if it is of printable ASCII, not long, and plainly JSON as in
    /// [`is_plainly_json_of`](super::is_plainly_json_of), or as plainly none. Which of both it is; `None`
    /// says nothing. In such a text nothing is escaped but quotes and backslashes.
    #[inline]
    pub fn become_of(&mut self, text: &str, see: impl FnMut(&[u8])) -> Option<bool> {
        if text.len() > LONGEST {
            return None;
        }
        let text = text.as_bytes();
        let mut to = Room { room: &mut self.room, length: 0 };
        let reading = read(text, &mut to, see)?;
        if let Reading::Other(copied) = reading {
            rest(text, copied, &mut to)?;
        }
        self.length = to.length;
        Some(reading == Reading::Json)
    }

    /// What stands between the quotes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.room[..self.length]
    }
}

/// Room, and how much of it is used.
struct Room<'r> {
    room: &'r mut [u8; ROOM],
    length: usize,
}

#[allow(clippy::inline_always, reason = "a few instructions")]
impl Copied for Room<'_> {
    const IS_PRINTABLE: bool = true;

    #[inline(always)]
    fn put<const N: usize>(&mut self, bytes: [u8; N], count: usize) -> Option<()> {
        *self.room[self.length & PLACES..].first_chunk_mut()? = bytes;
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
                    assert_eq!(quoted.become_of(&text, |_| ()), Some(true), "{text}");
                    let expected = text.replace('\\', "\\\\").replace('"', "\\\"");
                    assert_eq!(str::from_utf8(quoted.as_bytes()), Ok(&*expected));
                    // A number that has a zero in front is none.
                    let text = text.replace('5', "05").replacen(',', ",07,", 1);
                    assert_eq!(quoted.become_of(&text, |_| ()), Some(false), "{text}");
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
            "[01234567, \"\u{e9}\"]",
            "\"12345",
        ] {
            assert_eq!(quoted.become_of(text, |_| ()), None, "{text}");
        }
        assert!(is_plainly_json("[\"\u{7f}\u{e9}      \"]"));
        let long = format!("[\"{}\"]", "\\\"".repeat(LONGEST / 2));
        assert_eq!(
            (quoted.become_of(&long, |_| ()), quoted.become_of("[1234567]", |_| ())),
            (None, Some(true))
        );
        let longest = format!("\"{}\"", "\\\"".repeat(LONGEST / 2 - 1));
        assert_eq!(quoted.become_of(&longest, |_| ()), Some(true));
        assert_eq!(quoted.as_bytes().len(), 2 * LONGEST);
    }
}
