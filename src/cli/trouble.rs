//! Why a command cannot go on, and what it says then.

use std::io::{self, Write};

/// See the [module](self).
pub(super) enum Trouble {
    /// The output cannot be written.
    Output(io::Error),
    /// The command was used wrongly, or a file could not be read or written; in a line.
    Said(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The exit code when a command was refused.
pub(super) const REFUSED: u8 = 2;

/// A command's exit code, its trouble told.
///
/// # Errors
/// When the output cannot be written.
pub(super) fn told(result: Result<u8, Trouble>) -> io::Result<u8> {
    match result {
        Ok(code) => Ok(code),
        Err(Trouble::Output(e)) => Err(e),
        Err(Trouble::Said(message)) => {
            writeln!(io::stderr(), "error: {message}")?;
            Ok(REFUSED)
        }
    }
}
