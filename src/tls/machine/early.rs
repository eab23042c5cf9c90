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

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
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

impl Record {
    /// What it brought, with its header and body.
    fn carried(&self, before: usize) -> Carried<'_> {
        Carried {
            dir: Dir::Client,
            offset: self.offset,
            number: self.number,
            bytes: &self.bytes,
            pieces: &self.pieces,
            before: HEADER + before,
            sealed: true,
        }
    }
}

/// The message with which a client says that its early data was all (RFC 8446 §4.5).
const END_OF_EARLY_DATA: u8 = 5;

impl Machine {
    /// The client has gone on with the keys of its handshake, and its server was not heard. That it says in
    /// between that its early data was all shows that the server has taken it: no other client says so.
    pub(super) fn early_of_one(&mut self, to: &mut dyn Ear) -> Flow {
        let early = std::mem::take(&mut self.early);
        let Ok((opener, _)) = self.opener(Label::ClientEarly) else { return ON };
        let mut opened = Vec::new();
        for record in &early.records {
            let Some((header, body)) = record.bytes.split_first_chunk::<HEADER>() else { return ON };
            let mut plain = Vec::new();
            let number = opened.len() as u64;
            let Some(it) = opener.open_as(number, *header, body, &mut plain) else { return ON };
            plain.truncate(it.length);
            opened.push((record.carried(it.before), it.kind, plain));
        }
        match opened.pop() {
            Some((_, 22, message)) if message.first() == Some(&END_OF_EARLY_DATA) => {}
            _ => return ON,
        }
        for (carried, kind, plain) in &opened {
            self.content(carried, *kind, plain, to)?;
        }
        ON
    }

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
            self.content(&record.carried(opened.before), opened.kind, &plain[..opened.length], to)?;
        }
        ON
    }
}
