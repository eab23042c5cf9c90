//! Records of TLS among what a connection may carry, where the hellos were not seen.
//!
//! A header of a record is as likely by chance as one of four million places, and each says where the next
//! one is. The beginnings of segments are looked at, for most writes of TLS are whole records.

use super::{Probe, Records};
use crate::limits;
use crate::model::{At, Side, Time};
use crate::tls;

/// What speaks for TLS.
#[derive(Debug, Default)]
pub(super) struct Sealed {
    /// From the first segment on that begins with a record.
    sides: [Option<Records>; 2],
    first: Option<Time>,
}

impl Sealed {
    /// Headers that were where they had to be.
    fn headers(&self) -> u64 {
        self.sides.iter().flatten().map(Records::headers).sum()
    }

    /// Whether there are whole records and nothing else.
    pub fn is_all(&self) -> bool {
        self.headers() > 0 && self.sides.iter().flatten().all(Records::is_between)
    }
}

impl Probe {
    /// Takes a segment; whether enough speaks for TLS.
    pub(super) fn look_for_records(&mut self, side: Side, bytes: &[u8], at: At) -> bool {
        let known = self.sealed.as_ref().is_some_and(|sealed| sealed.sides[side.index()].is_some());
        if !known {
            // What a frame of WebSocket carries may be records as well.
            let in_frame = self.seekers[side.index()].as_ref().is_some_and(|seeker| seeker.best().is_some());
            if in_frame || !begins(bytes) {
                return false;
            }
        }
        let sealed = self.sealed.get_or_insert_default();
        sealed.first = sealed.first.or(at.time);
        let records = sealed.sides[side.index()].get_or_insert_default();
        records.take(bytes);
        if records.is_lost() {
            self.sealed = None;
            return false;
        }
        sealed.headers() >= limits::TLS_SHAPE
    }

    /// What was seen of the records of both sides, and since when.
    pub fn into_records(self) -> ([Records; 2], Option<Time>) {
        let lost = || {
            let mut records = Records::default();
            records.lose();
            records
        };
        let Sealed { sides, first } = self.sealed.map(|sealed| *sealed).unwrap_or_default();
        (sides.map(|records| records.unwrap_or_else(lost)), first)
    }
}

/// Whether a segment begins as a record does whose content is enciphered, or as a server's hello.
fn begins(bytes: &[u8]) -> bool {
    let is_hello = tls::answers(bytes);
    is_hello || matches!(bytes, [20..=23, 3, 1..=3, ..]) && tls::record(bytes).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::Found;
    use super::*;
    use crate::session::Start;

    fn record(kind: u8, length: u16) -> Vec<u8> {
        let mut bytes = vec![kind, 3, 3];
        bytes.extend(length.to_be_bytes());
        bytes.resize(5 + usize::from(length), 0xA5);
        bytes
    }

    /// What is found in segments of the two sides.
    fn look(segments: &[(Side, Vec<u8>)]) -> (Found, Option<Found>) {
        let mut probe = Probe::default();
        let mut offsets = [1000, 2000];
        let mut found = Found::Nothing;
        for (side, bytes) in segments {
            let offset = &mut offsets[side.index()];
            found = probe.look(*side, bytes, At::default(), *offset, Start::Midway, None);
            *offset += bytes.len() as u64;
            if found != Found::Nothing {
                break;
            }
        }
        (found, probe.ended())
    }

    #[test]
    fn records_lead_from_one_to_the_next() {
        let large = record(23, 4000);
        let cut = large.chunks(1448).map(|piece| (Side::B, piece.to_vec()));
        let three: Vec<_> = cut.chain([(Side::A, record(23, 40)), (Side::B, record(23, 60))]).collect();
        assert_eq!(look(&three).0, Found::Sealed);
        assert_eq!(look(&three[..4]), (Found::Nothing, Some(Found::Sealed)), "two, and all of them");
        assert_eq!(look(&three[..2]), (Found::Nothing, None), "one, and not the end of it");
        // The first segment is the end of a record.
        let late: Vec<_> = [(Side::B, vec![0xA5; 300])].into_iter().chain(three).collect();
        assert_eq!(look(&late).0, Found::Sealed);
    }

    #[test]
    fn what_only_begins_like_a_record_is_none() {
        for second in [vec![1; 60], record(99, 20), record(23, 20_000)] {
            let segments = [(Side::A, record(23, 40)), (Side::A, second), (Side::B, vec![7; 9])];
            let (found, ended) = look(&segments);
            assert!(found != Found::Sealed && ended != Some(Found::Sealed), "{found:?} {ended:?}");
        }
    }

    /// A tunnel whose program writes the header of a frame and its payload one after the other.
    #[test]
    fn records_in_frames_are_the_frames_payload() {
        let mut segments = Vec::new();
        for _ in 0..4 {
            let payload = [record(23, 400), record(23, 300), record(23, 200)].concat();
            let length = (payload.len() as u16).to_be_bytes();
            segments.push((Side::B, vec![0x82, 126, length[0], length[1]]));
            segments.push((Side::B, payload));
        }
        let (found, ended) = look(&segments);
        assert!(found != Found::Sealed && ended != Some(Found::Sealed), "{found:?} {ended:?}");
    }
}
