//! What somebody types or pastes into the terminal.

use std::io::{self, IsTerminal, Read, Write};

use crate::cli::Look;

/// Says what is waited for, where standard input is a terminal.
///
/// # Errors
/// When that cannot be written.
pub(super) fn prompt(inputs: &[String], look: Look) -> io::Result<()> {
    if inputs.iter().any(|input| input == "-") && io::stdin().is_terminal() {
        look.tell("{}", &"paste hex or a hex dump, then press Ctrl-D; - reads a pipe, too".into())?;
    }
    Ok(())
}

/// Standard input; of a terminal one Ctrl-D is its end.
pub(super) fn stdin() -> Box<dyn Read + Send> {
    if io::stdin().is_terminal() {
        Box::new(Typed { reader: io::stdin(), is_over: false })
    } else {
        Box::new(io::stdin())
    }
}

/// A terminal hands over whole lines, and what there is of one when Ctrl-D is pressed: whoever pasted hex
/// without a line end has said that this is all, and need not say it again.
struct Typed<R> {
    reader: R,
    is_over: bool,
}

impl<R: Read> Read for Typed<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.is_over || into.is_empty() {
            return Ok(0);
        }
        let count = self.reader.read(into)?;
        // Of a line that is longer than there is room for, more may come.
        self.is_over = count == 0 || count < into.len() && into[count - 1] != b'\n';
        if self.is_over && count > 0 {
            // What is shown begins on a line of its own.
            writeln!(io::stderr())?;
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one piece a time.
    struct Terminal(Vec<&'static str>);

    impl Read for Terminal {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let piece = self.0.remove(0);
            into[..piece.len()].copy_from_slice(piece.as_bytes());
            Ok(piece.len())
        }
    }

    #[test]
    fn one_end_is_enough() {
        for (pieces, expected) in [
            (vec!["81 05\n", "48 65 6c", "unread"], "81 05\n48 65 6c"),
            (vec!["81 05\n", "", "unread"], "81 05\n"),
            (vec!["", "unread"], ""),
        ] {
            let mut typed = Typed { reader: Terminal(pieces), is_over: false };
            let (mut all, mut into) = (Vec::new(), [0; 64]);
            while let count @ 1.. = typed.read(&mut into).unwrap() {
                all.extend(&into[..count]);
            }
            assert_eq!(String::from_utf8(all).unwrap(), expected);
        }
    }
}
