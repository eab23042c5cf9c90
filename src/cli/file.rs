//! Opens what an argument names: a file, or a sample in the binary.

use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::Path;

use super::samples::shelf;
use crate::model::Text;

/// Bytes to be read.
pub(super) struct Opened {
    pub(super) reader: Box<dyn Read + Send>,
    /// How many there are; `None` for a pipe or a device, from which they may come slowly.
    pub(super) size: Option<u64>,
}

/// Opens the file at a path. Where none is, `samples/…` is what the binary has of that name: commands
/// with samples work in every folder.
///
/// # Errors
/// As opening a file does; a directory is one that cannot be opened.
pub(super) fn open(path: &Path) -> io::Result<Opened> {
    let error = match File::open(path) {
        Ok(file) => {
            let meta = file.metadata()?;
            if meta.is_dir() {
                return Err(ErrorKind::IsADirectory.into());
            }
            let size = meta.is_file().then_some(meta.len());
            return Ok(Opened { reader: Box::new(file), size });
        }
        Err(error) => error,
    };
    let sample = path.to_str().filter(|_| error.kind() == ErrorKind::NotFound).and_then(shelf::content);
    sample.map_or(Err(error), |bytes| {
        Ok(Opened { reader: Box::new(Cursor::new(bytes)), size: Some(bytes.len() as u64) })
    })
}

/// Whether there is something to open.
pub(super) fn exists(path: &Path) -> bool {
    path.exists() || path.to_str().is_some_and(|path| shelf::content(path).is_some())
}

/// What to say of a sample that is not there; `None` for what is no name of one.
pub(super) fn no_sample(path: &str) -> Option<Text> {
    shelf::is_sample(path).then(|| Text::new("no such file, and no such sample: wstool samples names them"))
}
