//! Where tables are: a folder for each, and in it one for each capture and day, as Hive names them.
//!
//! ```text
//! DIR/messages/capture=ws.pcap/day=2026-11-29/part-0.parquet
//! ```
//!
//! A capture's files are written beside, and put in the place of those that are there when they are whole.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;

use crate::cli::trouble::{make_folder, of_file};
use crate::model::{Text, Time};
use crate::render::tables::{Place, TABLES};

/// What Hive calls the partition of rows without a value.
const NO_DAY: &str = "__HIVE_DEFAULT_PARTITION__";

/// The folder of all tables.
pub(in crate::cli::decode) struct Folder {
    root: PathBuf,
    /// Where files are until they are whole.
    beside: PathBuf,
}

impl Folder {
    /// The folder at this path, which is made where there is none.
    pub(super) fn at(root: &Path) -> Result<Self, Text> {
        make_folder(root)?;
        for number in 0..1000 {
            // Readers of such folders leave out what begins so.
            let beside = root.join(format!(".wstool-{}-{number}", process::id()));
            match fs::create_dir(&beside) {
                Ok(()) => return Ok(Self { root: root.to_owned(), beside }),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(of_file(&beside, &error)),
            }
        }
        Err(of_file(root, &ErrorKind::AlreadyExists.into()))
    }

    pub(super) fn path(&self) -> &Path {
        &self.root
    }

    /// A file of the capture with this number.
    pub(super) fn file(&self, number: usize, place: Place) -> io::Result<Box<dyn Write + Send>> {
        let day = place.day.map_or_else(|| NO_DAY.to_owned(), day);
        let folder = self.beside.join(number.to_string()).join(place.table.name).join(format!("day={day}"));
        let path = folder.join(format!("part-{}.parquet", place.part));
        let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
        fs::create_dir_all(&folder).and_then(|()| File::create(&path)).map_err(named).map(|file| {
            let file: Box<dyn Write + Send> = Box::new(file);
            file
        })
    }

    /// Puts the files of a capture where those of it were.
    pub(super) fn put(&self, number: usize, capture: &str) -> io::Result<()> {
        let new = self.beside.join(number.to_string());
        for table in TABLES {
            let folder = self.root.join(table.name);
            let (new, old) = (new.join(table.name), folder.join(format!("capture={}", escaped(capture))));
            match fs::remove_dir_all(&old) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            if new.is_dir() {
                fs::create_dir_all(&folder)?;
                fs::rename(&new, &old)?;
            }
        }
        Ok(())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Who cannot remove it has told of worse.
        let _ = fs::remove_dir_all(&self.beside);
    }
}

/// What a capture is called: as on the command line.
pub(super) fn capture(name: &str) -> String {
    match name {
        "-" => "stdin".to_owned(),
        name => name.strip_prefix("./").unwrap_or(name).to_owned(),
    }
}

/// The date, in UTC.
fn day(time: Time) -> String {
    time.utc().chars().take_while(|c| *c != 'T').collect()
}

/// A value as a part of a path: other characters than these by their bytes, as in a URL.
fn escaped(value: &str) -> String {
    let mut escaped = String::new();
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => escaped.push(byte.into()),
            _ => write!(escaped, "%{byte:02X}").expect("a string takes all"),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_is_a_part_of_a_path() {
        assert_eq!(escaped("ws-1_a.pcap.gz"), "ws-1_a.pcap.gz");
        assert_eq!(escaped("../a b/c=d%.pcap"), "..%2Fa%20b%2Fc%3Dd%25.pcap");
        assert_eq!(escaped("抓包"), "%E6%8A%93%E5%8C%85");
        assert_eq!(day(Time(1_699_595_771_123_456_789)), "2023-11-10");
    }
}
