//! A copy of what comes through a pipe, which cannot be read twice.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process;

use crate::cli::mistaken;
use crate::input::{self, Input};
use crate::model::Text;

/// The file with the copy; it goes with this.
pub struct Kept {
    path: PathBuf,
    /// Until somebody writes to it.
    file: Option<File>,
}

impl Kept {
    /// A copy beside the file that is to be written: whoever has room for that has it for this.
    pub fn beside(target: &Path) -> io::Result<Self> {
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        for number in 0..1000 {
            let path = folder.join(format!(".wstool-{}-{number}.part", process::id()));
            match File::create_new(&path) {
                Ok(file) => return Ok(Self { path, file: Some(file) }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    /// What writes to it, once.
    pub fn keep(&mut self) -> Option<Keep> {
        self.file.take().map(Keep)
    }

    /// Reads it as the input that it is a copy of.
    pub fn open(&self, name: &str) -> Result<Input, Text> {
        let file = File::open(&self.path).map_err(|error| Text::with("{}", error))?;
        input::open(Box::new(file), name).map_err(|error| mistaken::text(name, &error))
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // Who cannot remove it has told of worse.
        let _ = fs::remove_file(&self.path);
    }
}

/// Writes a copy of what is read.
pub struct Keep(File);

impl Keep {
    /// A reader that reads the same, and keeps it.
    pub fn of(self, reader: Box<dyn Read + Send>) -> Box<dyn Read + Send> {
        Box::new(Keeping { reader, copy: self.0 })
    }
}

struct Keeping {
    reader: Box<dyn Read + Send>,
    copy: File,
}

impl Read for Keeping {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(into)?;
        self.copy.write_all(&into[..count])?;
        Ok(count)
    }
}
