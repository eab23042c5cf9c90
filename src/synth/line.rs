//! What a line of a script can hold: options, flags, numbers, bytes.

use std::str::FromStr;

use crate::limits;
use crate::model::{CloseCode, Dir, Opcode, Text};

use super::frames::Message;
use super::tcp::MSS_MAX;
use super::words::{ScriptError, Word};

/// The words of a line that have not been understood yet.
pub(crate) struct Line {
    /// Of the line in the script, from 1.
    pub number: usize,
    pub words: Vec<Word>,
}

impl Line {
    pub fn error(&self, column: usize, message: impl Into<Text>) -> ScriptError {
        ScriptError { line: self.number, column, message: message.into() }
    }

    /// Whatever is left was not understood.
    pub fn end(self) -> Result<(), ScriptError> {
        let Some(word) = self.words.first() else { return Ok(()) };
        let shown = match &word.name {
            Some(name) => format!("{name}="),
            None => String::from_utf8_lossy(&word.value).into_owned(),
        };
        let message =
            Text::with("\"{}\" is unknown here, or given twice; see wstool encode --script-help", shown);
        Err(self.error(word.column, message))
    }

    /// The next word, which has to be there.
    pub fn first(&mut self, what: &'static str) -> Result<Word, ScriptError> {
        if self.words.is_empty() {
            return Err(self.error(1, Text::new("the line ends too early; it needs {}").word(what)));
        }
        Ok(self.words.remove(0))
    }

    pub fn endpoint(&mut self) -> Result<Dir, ScriptError> {
        let word = self.first("client or server")?;
        match word.bare() {
            Some("client") => Ok(Dir::Client),
            Some("server") => Ok(Dir::Server),
            _ => Err(self.error(word.column, "say client or server")),
        }
    }

    /// A span of time, in nanoseconds, as a bare word or an option's value.
    pub fn time(&self, word: &Word) -> Result<u64, ScriptError> {
        let time = std::str::from_utf8(&word.value).ok().filter(|_| !word.quoted).and_then(nanoseconds);
        time.ok_or_else(|| self.error(word.column, "a time is a number and a unit: 20us, 250ms, 3s"))
    }

    /// Takes the first option `name=…`.
    pub fn option(&mut self, name: &str) -> Option<Word> {
        let at = self.words.iter().position(|word| word.name.as_deref() == Some(name))?;
        Some(self.words.remove(at))
    }

    /// Takes the flag `name`.
    pub fn flag(&mut self, name: &str) -> bool {
        let at = self.words.iter().position(|word| word.bare() == Some(name));
        at.map(|at| self.words.remove(at)).is_some()
    }

    /// Takes an option whose value goes into an HTTP head.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, ScriptError> {
        let Some(word) = self.option(name) else { return Ok(None) };
        String::from_utf8(word.value)
            .map(Some)
            .map_err(|_| self.error(word.column, "this must be UTF-8; use a raw line for other bytes"))
    }

    pub fn parse<T: FromStr>(&self, word: &Word, what: &'static str) -> Result<T, ScriptError> {
        let value = std::str::from_utf8(&word.value).ok().and_then(|value| value.parse().ok());
        value.ok_or_else(|| self.error(word.column, Text::new("this is not {}").word(what)))
    }

    pub fn number(&self, word: &Word) -> Result<u64, ScriptError> {
        let number = std::str::from_utf8(&word.value).ok().and_then(number);
        number.ok_or_else(|| self.error(word.column, "this is not a number, such as 200 or 0xc8"))
    }

    pub fn within(&self, word: &Word, low: u64, high: u64) -> Result<u64, ScriptError> {
        let number = self.number(word)?;
        if (low..=high).contains(&number) {
            return Ok(number);
        }
        let message = match high {
            u64::MAX => Text::with("this must be at least {}", low),
            _ => Text::with("this must be {} to {}", low).and(high),
        };
        Err(self.error(word.column, message))
    }

    pub fn mss(&mut self) -> Result<Option<usize>, ScriptError> {
        let Some(word) = self.option("mss") else { return Ok(None) };
        self.within(&word, 1, MSS_MAX as u64).map(|mss| Some(mss as usize))
    }

    /// Quoted strings and hexadecimal bytes, in any order, repeated up to `size=`.
    pub fn payload(&mut self) -> Result<Vec<u8>, ScriptError> {
        let mut payload = Vec::new();
        while let Some(word) = self.words.first() {
            match (word.quoted && word.name.is_none(), word.bare().map(|bare| hex(bare.as_bytes()))) {
                (true, _) => payload.extend_from_slice(&word.value),
                (false, Some(Some(bytes))) => payload.extend_from_slice(&bytes),
                _ => break,
            }
            self.words.remove(0);
        }
        if let Some(word) = self.option("size") {
            let size = self.within(&word, 0, limits::TEXT_INPUT)?;
            payload = filled(&payload, size as usize);
        }
        Ok(payload)
    }

    /// `close`, `close 1000`, `close 1000 "bye"`.
    pub fn close(&mut self) -> Result<Message, ScriptError> {
        let starts_with_code = self
            .words
            .first()
            .and_then(Word::bare)
            .is_some_and(|bare| bare.starts_with(|c: char| c.is_ascii_digit()));
        if !starts_with_code {
            return Ok(Message::new(Opcode::CLOSE, self.payload()?));
        }
        let word = self.words.remove(0);
        let code = self.within(&word, 0, 0xFFFF)? as u16;
        Ok(Message::close(CloseCode(code), &self.payload()?))
    }
}

/// `20us`, `250ms`, `3s` in nanoseconds.
pub(super) fn nanoseconds(text: &str) -> Option<u64> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let unit = match &text[digits..] {
        "us" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(unit)
}

/// A number in decimal, or after `0x` in hexadecimal.
pub fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Pairs of hexadecimal digits, nothing else.
pub fn hex(text: &[u8]) -> Option<Vec<u8>> {
    let (pairs, odd) = text.as_chunks::<2>();
    if !odd.is_empty() || text.is_empty() {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    pairs.iter().map(|&[high, low]| Some((digit(high)? << 4 | digit(low)?) as u8)).collect()
}

/// `pattern` over and over to exactly `size` bytes; text stays text.
fn filled(pattern: &[u8], size: usize) -> Vec<u8> {
    let pattern = if pattern.is_empty() { b"." } else { pattern };
    let mut bytes: Vec<u8> = pattern.iter().copied().cycle().take(size).collect();
    if std::str::from_utf8(pattern).is_ok() {
        // The cut may have gone through a character.
        let valid = std::str::from_utf8(&bytes).map_or_else(|error| error.valid_up_to(), str::len);
        bytes[valid..].fill(b'.');
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_strictly() {
        assert_eq!(nanoseconds("250ms"), Some(250_000_000));
        for bad in ["", "5", "ms", "5 ms", "5m", "99999999999999999999s", "18446744073709551615s"] {
            assert_eq!(nanoseconds(bad), None, "{bad}");
        }
        assert_eq!((number("0xff"), number("255"), number("ff")), (Some(255), Some(255), None));
        assert_eq!(hex(b"00fF"), Some(vec![0, 255]));
        for bad in [&b""[..], b"0", b"0g", b"+1", b"0x00"] {
            assert_eq!(hex(bad), None);
        }
    }

    #[test]
    fn filling_keeps_text_valid() {
        assert_eq!(filled(b"ab", 5), b"ababa");
        assert_eq!(filled(b"", 3), b"...");
        assert_eq!(filled("é".as_bytes(), 3), "é.".as_bytes());
        assert_eq!(filled(b"\xFF", 2), b"\xFF\xFF");
    }
}
