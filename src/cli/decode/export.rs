//! `--export DIR`: what messages carry, as files.

mod named;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use self::named::{by_http, ending};
use crate::cli::Look;
use crate::cli::trouble::{make_folder, of_file};
use crate::model::quantity::size;
use crate::model::{Body, Opcode, Text, Unit};

/// Writes a file for each message that is selected.
pub(super) struct Export {
    folder: PathBuf,
    /// Control messages are written when somebody asks for them.
    opcodes: Vec<Opcode>,
    files: u64,
    bytes: u64,
    /// Messages of which something is missing.
    partial: u64,
    /// Messages without content.
    empty: u64,
    /// Packets that came by HTTP so far, which have no number of their own.
    packets: u64,
    /// Why nothing more is written.
    error: Option<Text>,
}

impl Export {
    /// Makes the folder, unless it is there; it must be empty, so that nothing is written over.
    ///
    /// # Errors
    /// What is wrong with it, and what to try.
    pub(super) fn to(folder: &Path, opcodes: &[Opcode]) -> Result<Self, Text> {
        make_folder(folder)?;
        let mut entries = fs::read_dir(folder).map_err(|error| of_file(folder, &error))?;
        if entries.next().is_some() {
            let words = "{}: there are files in it, and none is written over; name a new folder";
            return Err(Text::with(words, folder.display()));
        }
        Ok(Self {
            folder: folder.to_owned(),
            opcodes: opcodes.to_vec(),
            files: 0,
            bytes: 0,
            partial: 0,
            empty: 0,
            packets: 0,
            error: None,
        })
    }

    /// Writes what a unit carries, if it is a message.
    pub(super) fn take(&mut self, unit: &Unit<'_>) {
        if self.error.is_some() {
            return;
        }
        let (number, payload, is_whole) = match unit.body {
            Body::Message(message) if message.kind.is_control() && !self.opcodes.contains(&message.kind) => {
                return;
            }
            Body::Message(message) => {
                let is_whole = message.complete && !message.payload_cut && message.holes.is_empty();
                (format!("{:06}", message.m), message.payload, is_whole)
            }
            Body::Packet(packet) => {
                self.packets += 1;
                (by_http(self.packets), packet.payload, packet.payload.len() as u64 == packet.length)
            }
            _ => return,
        };
        if payload.is_empty() {
            self.empty += 1;
            return;
        }
        let from = unit.dir.map_or("unknown", |dir| dir.name());
        let name = format!("{:04}-{from}-{number}.{}", unit.conn, ending(payload));
        let path = self.folder.join(name);
        match write(&path, payload) {
            Ok(()) => {
                self.files += 1;
                self.bytes += payload.len() as u64;
                self.partial += u64::from(!is_whole);
            }
            Err(error) => self.error = Some(of_file(&path, &error)),
        }
    }

    /// Says what was written; the exit code where something was not.
    pub(super) fn end(self, look: Look) -> io::Result<Option<u8>> {
        if let Some(error) = &self.error {
            look.tell("error: {}", error)?;
        }
        let words = if self.files == 1 { "{}: {} file, {}" } else { "{}: {} files, {}" };
        let mut said = Text::with(words, self.folder.display()).and(self.files).and(size(self.bytes));
        if self.partial > 0 {
            said = Text::new("{}; of {} something is missing").word(said).and(self.partial);
        }
        if self.empty > 0 {
            said = Text::new("{}; empty and not written: {}").word(said).and(self.empty);
        }
        look.tell("exported to {}", &said)?;
        Ok(self.error.map(|_| 2))
    }
}

/// Nothing is written over: a name that is there already is an error.
fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)
}
