//! Why a command cannot go on, and what it says then.

use std::io::{self, Write};

use super::Look;
use crate::model::Text;
use crate::render::columns;

/// See the [module](self).
pub(super) enum Trouble {
    /// The output cannot be written.
    Output(io::Error),
    /// The command was used wrongly, or a file could not be read or written; in a line.
    Said(String),
    /// There is nothing of the name that was asked for.
    Asked(Text),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The exit code when a command was refused.
pub(super) const REFUSED: u8 = 2;

/// A command's exit code, its trouble told. The line may quote a file or an argument.
///
/// # Errors
/// When the output cannot be written.
pub(super) fn told(result: Result<u8, Trouble>, look: Look) -> io::Result<u8> {
    match result {
        Ok(code) => return Ok(code),
        Err(Trouble::Output(e)) => return Err(e),
        Err(Trouble::Said(message)) => {
            let line = look.lang.fill("error: {}", &[&message]);
            writeln!(io::stderr(), "{}", columns::escaped(&line))?;
        }
        Err(Trouble::Asked(problem)) => look.tell("error: {}", &problem)?,
    }
    Ok(REFUSED)
}
