//! One direction of a connection of TLS: records out of segments, messages out of records, and the way back
//! into step behind a hole.

use super::HEADER;
use super::cipher::Opener;
use super::hello::length_of;
use crate::limits;
use crate::model::{At, Missing};

/// Which keys a direction has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// None.
    #[default]
    Clear,
    /// Those of a client's early data, which the server takes.
    Early,
    /// Those of its handshake, in TLS 1.3.
    Handshake,
    /// Those of what comes behind it.
    Traffic,
}

/// See the module.
#[derive(Default)]
pub(super) struct Half {
    /// Where the next record begins in the stream.
    pub offset: u64,
    /// Records so far.
    pub number: u64,
    pub stage: Stage,
    /// What opens the next record.
    pub opener: Option<Opener>,
    /// What opens those behind the end of the handshake, and its secret, where that end may be in a hole.
    pub next: Option<(Opener, Vec<u8>)>,
    /// The traffic secret that it is made from, which an update is made from.
    pub secret: Vec<u8>,
    /// Content was padded: of a record that is lost nobody knows how much it had.
    pub is_padded: bool,
    /// A record was opened with the keys of the handshake.
    pub has_opened: bool,
    /// How many records in a row did not open.
    pub failed: usize,
    /// Nothing that follows can be deciphered.
    pub blocked: bool,
    /// The first bytes of a record that is not whole.
    pub held: Vec<u8>,
    /// From which of them on they came from where.
    pieces: Vec<(usize, At)>,
    /// Bytes of a lost record that are still to come.
    pub skip: usize,
    /// Where a record begins is not known.
    pub search: Option<Search>,
    pub message: Message,
}

/// What is not known behind a hole.
pub(super) struct Search {
    /// Bytes from the beginning of the first record that is lost to the first that is held.
    lost: u64,
}

/// Where a record was found behind a hole.
pub(super) struct Found {
    /// Content that is lost.
    pub content: Missing,
    /// Records that are lost.
    pub records: u64,
}

/// What became of some bytes.
pub(super) struct Taken {
    /// How many belong to the record at hand, or are skipped.
    pub used: usize,
    /// All of a record was among them: so many bytes.
    pub direct: Option<usize>,
    /// The record that is held is whole.
    pub is_whole: bool,
    /// They are no record.
    pub is_broken: bool,
}

impl Half {
    /// Bytes that it holds.
    pub fn cost(&self) -> usize {
        self.held.capacity()
            + self.pieces.capacity() * size_of::<(usize, At)>()
            + self.message.bytes.capacity()
            + self.secret.capacity()
    }

    /// Takes bytes of the record at hand.
    pub fn take(&mut self, bytes: &[u8], at: At) -> Taken {
        let mut taken = Taken { used: 0, direct: None, is_whole: false, is_broken: false };
        if self.skip > 0 {
            taken.used = self.skip.min(bytes.len());
            self.skip -= taken.used;
            return taken;
        }
        if self.held.is_empty()
            && let Some(length) = super::record(bytes).map(|record| record.length)
            && length <= bytes.len()
        {
            return Taken { used: length, direct: Some(length), ..taken };
        }
        let needed = if self.held.len() < HEADER { HEADER } else { self.held_length().unwrap_or(HEADER) };
        taken.used = bytes.len().min(needed - self.held.len());
        self.hold(&bytes[..taken.used], at);
        if self.held.len() >= HEADER {
            match self.held_length() {
                Some(length) => taken.is_whole = self.held.len() == length,
                None => taken.is_broken = true,
            }
        }
        taken
    }

    /// Bytes of the record that is held, if it is one.
    fn held_length(&self) -> Option<usize> {
        super::record(&self.held).map(|record| record.length)
    }

    /// Keeps bytes.
    pub fn hold(&mut self, bytes: &[u8], at: At) {
        self.pieces.push((self.held.len(), at));
        self.held.extend_from_slice(bytes);
    }

    /// The bytes that are held, and where they came from.
    pub fn take_held(&mut self) -> (Vec<u8>, Vec<(usize, At)>) {
        (std::mem::take(&mut self.held), std::mem::take(&mut self.pieces))
    }

    /// Gives buffers back, to be filled again.
    pub fn give_back(&mut self, mut bytes: Vec<u8>, mut pieces: Vec<(usize, At)>) {
        if self.held.is_empty() && !self.blocked {
            bytes.clear();
            pieces.clear();
            (self.held, self.pieces) = (bytes, pieces);
        }
    }

    pub fn forget_held(&mut self) {
        self.held.clear();
        self.pieces.clear();
    }

    pub fn forget_message(&mut self) {
        self.message = Message::default();
    }

    /// Nothing that follows can be deciphered, and nothing is kept.
    pub fn block(&mut self) {
        self.blocked = true;
        (self.held, self.pieces, self.message) = Default::default();
        self.search = None;
    }

    /// Bytes of the record at hand, and how many of them are to come, if its header is there.
    pub fn missing_of_record(&self) -> Option<(u64, u64)> {
        let length = self.held_length()?;
        Some((length as u64, (length - self.held.len()) as u64))
    }

    /// Where a record begins is not known behind `missing` bytes from here.
    pub fn begin_search(&mut self, missing: u64) {
        let lost = match self.search.take() {
            Some(search) => search.lost + self.held.len() as u64 + missing,
            // What is held came before the hole.
            None if missing > 0 => self.held.len() as u64 + missing,
            None => 0,
        };
        if missing > 0 {
            self.forget_held();
        }
        self.skip = 0;
        self.search = Some(Search { lost });
    }

    /// Looks for the first record among what is held that opens with one of the next numbers, and forgets
    /// what stands before it.
    pub fn look(&mut self, plain: &mut Vec<u8>) -> Option<Found> {
        self.find(plain).map(|(from, number, is_next)| {
            if is_next && let Some((opener, secret)) = self.next.take() {
                (self.opener, self.secret, self.stage) = (Some(opener), secret, Stage::Traffic);
            }
            self.next = None;
            self.found(from, number)
        })
    }

    /// Where a record begins among what is held, which number it has, and whether it is one behind the
    /// handshake.
    fn find(&mut self, plain: &mut Vec<u8>) -> Option<(usize, u64, bool)> {
        let (search, opener) = (self.search.as_mut()?, self.opener.as_ref()?);
        // The shortest record has a byte of content.
        let least = opener.overhead().unwrap_or(HEADER as u64 + 32) + 1;
        let mut from = 0;
        while let Some(bytes) = self.held.get(from..).filter(|bytes| bytes.len() >= HEADER) {
            let Some(record) = super::record(bytes).filter(|_| bytes[1..3] == [3, 3]) else {
                from += 1;
                continue;
            };
            let Some(whole) = bytes.get(..record.length) else { break };
            let lost = search.lost + from as u64;
            let most = (lost / least + 1).min(limits::TLS_RECORDS_TRIED);
            let header = [whole[0], whole[1], whole[2], whole[3], whole[4]];
            let next = self.next.as_ref().map(|(next, _)| next);
            for (opener, is_next) in [(Some(opener), false), (next, true)] {
                let Some(opener) = opener else { continue };
                let found = (opener.sequence..=opener.sequence + most)
                    .find(|number| opener.open_as(*number, header, &whole[HEADER..], plain).is_some());
                if let Some(number) = found {
                    return Some((from, number, is_next));
                }
            }
            from += 1;
        }
        search.lost += from as u64;
        self.drop_front(from);
        if self.held.len() > limits::TLS_SEARCHED {
            self.block();
        }
        None
    }

    /// A record was found.
    fn found(&mut self, from: usize, number: u64) -> Found {
        let lost = self.search.take().map_or(0, |search| search.lost) + from as u64;
        let mut records = 0;
        if let Some(opener) = &mut self.opener {
            records = number.saturating_sub(opener.sequence);
            opener.sequence = number;
        }
        self.number += records;
        self.offset += lost;
        self.drop_front(from);
        Found { content: self.content_of(lost, records), records }
    }

    /// How much content so many records had, which are so long together: to the byte where all have as many
    /// bytes around it, and none were padded so far.
    pub fn content_of(&self, length: u64, records: u64) -> Missing {
        let around = self.opener.as_ref().and_then(Opener::overhead);
        let length = length.saturating_sub(records.saturating_mul(around.unwrap_or(HEADER as u64)));
        Missing { length, is_exact: around.is_some() && !self.is_padded }
    }

    fn drop_front(&mut self, length: usize) {
        self.held.drain(..length);
        let last = self.pieces.iter().rposition(|(from, _)| *from <= length).unwrap_or_default();
        self.pieces.drain(..last);
        for (from, at) in &mut self.pieces {
            if *from < length {
                at.byte = at.byte.saturating_add((length - *from) as u32);
            }
            *from = from.saturating_sub(length);
        }
        if self.held.is_empty() {
            self.pieces.clear();
        }
    }
}

/// A handshake message under way.
#[derive(Default)]
pub(super) struct Message {
    /// Its first bytes: all of them where it is looked into.
    bytes: Vec<u8>,
    /// How much of it came.
    came: usize,
    places: Vec<(usize, u64)>,
}

/// A handshake message that is whole.
pub(super) struct Whole {
    pub kind: u8,
    pub length: usize,
    /// Empty where it is not looked into.
    pub bytes: Vec<u8>,
    pub places: Vec<(usize, u64)>,
}

/// Types of messages that are looked into.
fn is_read(kind: u8) -> bool {
    matches!(kind, 1 | 2 | 4 | 8 | 24)
}

/// Type of a message, and its bytes with its header, once that is there.
fn measure(message: &[u8]) -> Option<(u8, usize)> {
    length_of(message).map(|length| (message[0], length))
}

/// Bytes of type and length.
const FRONT: usize = 4;

impl Message {
    /// Takes as many bytes as are its own, which begin at `place` of the stream if they are in clear.
    pub fn take(&mut self, bytes: &[u8], place: Option<u64>) -> usize {
        let length = measure(&self.bytes).map_or(FRONT, |(_, length)| length);
        let used = bytes.len().min(length.saturating_sub(self.came));
        if let Some(place) = place
            && self.places.len() < limits::TLS_MESSAGE_PIECES
        {
            self.places.push((self.came, place));
        }
        let keeps = self.bytes.len() == self.came
            && (self.came < FRONT || self.bytes.first().is_some_and(|kind| is_read(*kind)))
            && self.came + used <= limits::TLS_MESSAGE;
        if keeps {
            self.bytes.extend_from_slice(&bytes[..used]);
        }
        self.came += used;
        used
    }

    /// The message, if all of it has come.
    pub fn whole(&mut self) -> Option<Whole> {
        let (kind, length) = measure(&self.bytes)?;
        if self.came < length {
            return None;
        }
        let Self { bytes, places, .. } = std::mem::take(self);
        let bytes = if bytes.len() == length { bytes } else { Vec::new() };
        Some(Whole { kind, length, bytes, places })
    }
}
