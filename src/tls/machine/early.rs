//! Early data of TLS 1.3: what a client that resumes a session sends before it has an answer (RFC 8446 §2.3).
//!
//! Whether the server takes it is known once its `EncryptedExtensions` are read (§4.2.10). Until then the
//! records are kept: what it does not take, the client says again behind the handshake.

use super::super::HEADER;
use super::super::half::Stage;
use super::super::secrets::Label;
use super::{Carried, Ear, Machine};
use crate::limits;
use crate::model::{At, Dir, Flow, ON};

/// Records that wait.
#[derive(Default)]
pub(super) struct Early {
    records: Vec<Record>,
    bytes: usize,
}

struct Record {
    offset: u64,
    number: u64,
    bytes: Vec<u8>,
    pieces: Vec<(usize, At)>,
}

impl Early {
    /// Bytes that it holds.
    pub fn cost(&self) -> usize {
        self.bytes + self.records.capacity() * size_of::<Record>()
    }

    /// Keeps a record, as long as there is room for it.
    pub fn keep(&mut self, carried: &Carried<'_>) {
        let cost = carried.bytes.len() + size_of_val(carried.pieces);
        if self.bytes + cost > limits::TLS_EARLY {
            return;
        }
        self.bytes += cost;
        self.records.push(Record {
            offset: carried.offset,
            number: carried.number,
            bytes: carried.bytes.to_vec(),
            pieces: carried.pieces.to_vec(),
        });
    }
}

impl Machine {
    /// It is known whether the server takes early data: then what was kept is deciphered, and what the client
    /// sends until it says that this was all.
    pub(super) fn early_data(&mut self, is_taken: bool, to: &mut dyn Ear) -> Flow {
        let early = std::mem::take(&mut self.early);
        // Without the secret they are passed over, as those that are not taken.
        if !is_taken
            || self.half(Dir::Client).has_opened
            || self.key(Dir::Client, Label::ClientEarly).is_err()
        {
            return ON;
        }
        self.half(Dir::Client).stage = Stage::Early;
        let mut plain = Vec::new();
        for record in &early.records {
            let Some((header, body)) = record.bytes.split_first_chunk::<HEADER>() else { continue };
            let Some(opened) = self.attempt(Dir::Client, *header, body, &mut plain) else { continue };
            let carried = Carried {
                dir: Dir::Client,
                offset: record.offset,
                number: record.number,
                bytes: &record.bytes,
                pieces: &record.pieces,
                before: HEADER + opened.before,
                sealed: true,
            };
            self.content(&carried, opened.kind, &plain[..opened.length], to)?;
        }
        ON
    }
}
