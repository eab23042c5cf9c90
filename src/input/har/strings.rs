//! Strings of JSON that are longer than there is room for: whoever reads one holds all of it.

use std::io::{self, ErrorKind, Read};

/// Reads JSON, and fails with [`ErrorKind::FileTooLarge`] in a string that is longer than that.
pub(super) struct Bounded<R> {
    reader: R,
    most: usize,
    /// Bytes of the string so far, if one has begun.
    string: Option<usize>,
    is_escaped: bool,
}

impl<R> Bounded<R> {
    /// Strings may have so many bytes, as they are written.
    pub fn new(reader: R, most: usize) -> Self {
        Self { reader, most, string: None, is_escaped: false }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(into)?;
        for byte in &into[..count] {
            let Some(length) = &mut self.string else {
                self.string = (*byte == b'"').then_some(0);
                continue;
            };
            *length += 1;
            if *length > self.most {
                return Err(ErrorKind::FileTooLarge.into());
            }
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.string = None,
                _ => {}
            }
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_string_has_a_bound_and_what_is_around_has_none() {
        for (text, is_fine) in [
            (r#"{"abcd":1234567890,"a\"b":"\\"}"#, true),
            (r#"["abcde"]"#, false),
            (r#"["a\"bc"]"#, false),
            (r#""\\","abcdef"#, false),
        ] {
            for piece in [1, 2, 100] {
                let mut bounded = Bounded::new(text.as_bytes(), 5);
                let mut buffer = vec![0; piece];
                let end = loop {
                    match bounded.read(&mut buffer) {
                        Ok(0) => break None,
                        Ok(_) => {}
                        Err(error) => break Some(error.kind()),
                    }
                };
                assert_eq!(end.is_none(), is_fine, "{text} in pieces of {piece}");
                assert!(end.is_none_or(|kind| kind == ErrorKind::FileTooLarge));
            }
        }
    }
}
