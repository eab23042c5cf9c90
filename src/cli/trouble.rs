//! Why a command cannot go on, and what it says then.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

use super::Look;
use crate::model::Text;
use crate::render::columns;

/// See the [module](self).
pub(super) enum Trouble {
    /// The output cannot be written.
    Output(io::Error),
    /// The command was used wrongly, or a file could not be read or written; in a line.
    Said(String),
    /// There is nothing of the name that was asked for, or it cannot be done so.
    Asked(Text),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// What is wrong with a file, in the tool's words where it has some.
pub(super) fn of_file(path: &Path, error: &io::Error) -> Text {
    let what = match error.kind() {
        ErrorKind::NotFound => Text::new("no such file or folder"),
        ErrorKind::PermissionDenied => Text::new("you may not read or write it"),
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory => {
            Text::new("this is a file, not a folder, or there is one on the way to it")
        }
        ErrorKind::StorageFull => Text::new("no space is left there"),
        ErrorKind::IsADirectory => Text::new("this is a folder, not a file"),
        ErrorKind::InvalidData => Text::new("this is no text in UTF-8"),
        _ => Text::with("{}", error),
    };
    Text::with("{}: {}", path.display()).word(what)
}

/// Makes a folder, and those around it, unless it is there.
///
/// # Errors
/// What is wrong with it.
pub(super) fn make_folder(path: &Path) -> Result<(), Text> {
    fs::create_dir_all(path).map_err(|error| of_file(path, &error))
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
