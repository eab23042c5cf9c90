//! A connection of TLS whose keys nobody has: how large its records are, who sends them and when, which is
//! all that can be seen.

use super::failed::How;
use super::records::Records;
use crate::limits;
use crate::model::{At, Dir, Other, QuietEnds, SealedTraffic, Side, Time};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Sealed {
    /// What it was counted as.
    kind: Other,
    client: Side,
    sides: [Records; 2],
    first: Option<Time>,
    last: Option<Time>,
    /// Bytes so far.
    watched: u64,
    /// Whether the client has gone on behind the hellos.
    pub went_on: bool,
    /// A side has ended TCP: what its handshake has come to is known.
    is_settled: bool,
    /// The last silence that was long: how many nanoseconds, who spoke then, and how many bytes came since.
    quiet: Option<(i64, Side, u64)>,
    /// Who ended it after a silence of so many nanoseconds.
    ended: Option<(Dir, i64)>,
}

/// Nanoseconds of silence that are long.
const LONG: i64 = 5_000_000_000;
/// Bytes that both need to say that no more comes: an alert of each, with what ciphers add (RFC 8446 §6.1).
const FAREWELL: u64 = 100;

impl Sealed {
    /// A connection that was counted as this.
    pub fn new(kind: Other, client: Side, first: Option<Time>) -> Self {
        Self {
            kind,
            client,
            sides: Default::default(),
            first,
            last: first,
            watched: 0,
            went_on: false,
            is_settled: false,
            quiet: None,
            ended: None,
        }
    }

    /// What its handshake has come to is known: what follows says no more of it.
    pub fn settle(&mut self) {
        (self.went_on, self.is_settled) = (true, true);
    }

    /// A connection that was counted as this, of whose records these were seen from `first` on. The client
    /// has gone on, as its hello was not seen.
    pub fn midway(kind: Other, client: Side, first: Option<Time>, sides: [Records; 2]) -> Self {
        Self { sides, went_on: true, ..Self::new(kind, client, first) }
    }

    /// Takes the next bytes of a side; whether there is more to be learnt.
    pub fn data(&mut self, side: Side, bytes: &[u8], at: At) -> bool {
        let silence = self.silence(at.time);
        match &mut self.quiet {
            _ if silence >= LONG => self.quiet = Some((silence, side, bytes.len() as u64)),
            Some((.., since)) => *since += bytes.len() as u64,
            None => {}
        }
        self.last = at.time.or(self.last);
        self.watched += bytes.len() as u64;
        self.sides[side.index()].take(bytes);
        self.watched < limits::TLS_WATCHED
    }

    fn silence(&self, now: Option<Time>) -> i64 {
        self.last.zip(now).map_or(0, |(last, now)| now.since(last))
    }

    /// A side is the first to end TCP, and did so at this time. Who said first that no more comes has ended
    /// the connection.
    pub fn end(&mut self, side: Side, time: Option<Time>) {
        let silence = self.silence(time);
        let (silence, by) = match self.quiet {
            _ if silence >= LONG => (silence, side),
            Some((silence, by, since)) if since <= FAREWELL => (silence, by),
            _ => return,
        };
        self.ended = Some((if by == self.client { Dir::Client } else { Dir::Server }, silence));
    }

    /// Whether what a side sends next begins a record in clear, of a handshake that is not judged yet.
    pub fn is_clear(&self, side: Side) -> bool {
        !self.is_settled && self.sides[side.index()].is_clear()
    }

    /// What holding takes, in bytes.
    pub fn cost(&self) -> usize {
        let names = self.kind.alpn.iter().chain(&self.kind.server_name);
        size_of::<Self>() + names.map(|name| size_of::<String>() + name.len()).sum::<usize>()
    }

    /// Bytes of a side are missing: where its next record begins is not known.
    pub fn gap(&mut self, side: Side) {
        self.sides[side.index()].lose();
    }

    /// How its handshake has failed, if it has, now that a side has ended TCP.
    pub fn failure(&self, ender: Side) -> Option<How> {
        let half = &self.sides[self.client.index()];
        let said = half.sealed();
        if self.is_settled || !half.is_between() {
            return None;
        }
        // A Finished has 32 bytes and more, and any other message of a handshake 4 (RFC 8446 §4).
        let is_alert = said.records == 1 && said.most == SEALED_ALERT && self.kind.version == Some("TLS 1.3");
        if is_alert {
            return Some(How::SealedAlert);
        }
        // What the server said last may be what the client does not like, or no TLS at all.
        let is_known = !self.sides[self.client.other().index()].is_lost();
        (ender == self.client && !self.went_on && is_known).then_some(How::Dropped { by: Dir::Client })
    }

    /// What it was counted as, and what was seen of it since.
    pub fn over(self) -> (Other, SealedTraffic) {
        let nanos = self.last.zip(self.first).map_or(0, |(last, first)| last.since(first));
        let sides = [self.client, self.client.other()].map(|side| *self.sides[side.index()].sealed());
        let mut traffic = SealedTraffic { sides, longest: nanos.max(0) as u64, ..Default::default() };
        if let Some((by, silence)) = self.ended {
            traffic.quiet[by.index()] = QuietEnds::one(silence.unsigned_abs());
        }
        // A browser that opens a WebSocket offers HTTP/1.1 alone; where HTTP/2 may be spoken, small records
        // are many a thing, and what was offered is not known where the hello was not seen.
        let is_http2 = self.kind.is_joined || self.kind.alpn.iter().any(|protocol| protocol == "h2");
        traffic.likely = u64::from(!is_http2 && traffic.resembles_talk());
        (self.kind, traffic)
    }
}

/// Bytes of an alert under TLS 1.3, with its type and the tag of its cipher (RFC 8446 §5.2), unless padded.
const SEALED_ALERT: u64 = 2 + 1 + 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SealedRecords;

    fn record(length: u16) -> Vec<u8> {
        let mut bytes = vec![23, 3, 3];
        bytes.extend(length.to_be_bytes());
        bytes.resize(bytes.len() + usize::from(length), 0xA5);
        bytes
    }

    fn at(seconds: u64) -> At {
        At { time: Some(Time(seconds * 1_000_000_000)), ..At::default() }
    }

    /// Says so many records of this length each way, over so many seconds.
    fn talk(alpn: &[&str], length: u16, seconds: u64) -> SealedTraffic {
        let kind = Other { alpn: alpn.iter().map(|it| (*it).to_owned()).collect(), ..Other::default() };
        let mut sealed = Sealed::new(kind, Side::A, at(0).time);
        for turn in 1..=6 {
            for side in [Side::A, Side::B] {
                // In pieces that fit no record.
                for piece in record(length).chunks(7) {
                    assert!(sealed.data(side, piece, at(turn * seconds / 6)));
                }
            }
        }
        sealed.over().1
    }

    #[test]
    fn records_are_counted_over_any_segmentation() {
        let traffic = talk(&[], 100, 60);
        let one = SealedRecords { records: 6, bytes: 600, least: 100, most: 100, small: 6 };
        let expected =
            SealedTraffic { sides: [one, one], longest: 60_000_000_000, likely: 1, ..Default::default() };
        assert_eq!(traffic, expected);
    }

    #[test]
    fn what_is_short_large_or_may_be_http2_is_not_guessed_at() {
        for (alpn, length, seconds, likely) in [
            (&["http/1.1"][..], 60, 60, 1),
            (&["h2", "http/1.1"], 60, 60, 0),
            (&[], 60, 2, 0),
            (&[], 1500, 60, 0),
        ] {
            assert_eq!(talk(alpn, length, seconds).likely, likely, "{alpn:?} {length} {seconds}");
        }
    }

    #[test]
    fn an_alert_is_known_by_its_size_and_a_silent_end_by_who_ended() {
        let begun = |version| Sealed::new(Other { version, ..Other::default() }, Side::A, None);
        let after = |version, lengths: &[u16], ender| {
            let mut sealed = begun(version);
            for length in lengths {
                sealed.data(Side::A, &record(*length), At::default());
                sealed.went_on = true;
            }
            sealed.failure(ender)
        };
        let (new, old) = (Some("TLS 1.3"), Some("TLS 1.2"));
        for ender in [Side::A, Side::B] {
            assert_eq!(after(new, &[19], ender), Some(How::SealedAlert));
            // A Finished, alone and with a request behind it; two alerts; a version that encrypts none.
            for (version, lengths) in [(new, &[53][..]), (new, &[53, 19]), (new, &[19, 19]), (old, &[19])] {
                assert_eq!(after(version, lengths, ender), None, "{version:?} {lengths:?}");
            }
        }
        assert_eq!(after(old, &[], Side::A), Some(How::Dropped { by: Dir::Client }));
        assert_eq!(after(old, &[], Side::B), None, "a server may have its reasons");
        let mut cut = begun(new);
        cut.data(Side::A, &record(19)[..20], At::default());
        assert_eq!(cut.failure(Side::A), None, "half a record");
        cut.gap(Side::A);
        assert_eq!(cut.failure(Side::A), None, "behind a hole");
    }

    #[test]
    fn behind_a_hole_or_nonsense_nothing_is_counted() {
        let mut sealed = Sealed::new(Other::default(), Side::A, None);
        sealed.data(Side::A, &record(50), At::default());
        sealed.gap(Side::A);
        sealed.data(Side::A, &record(50), At::default());
        sealed.data(Side::B, b"GET / HTTP/1.1\r\n", At::default());
        sealed.data(Side::B, &record(50), At::default());
        let (_, traffic) = sealed.over();
        assert_eq!(traffic.sides.map(|side| side.records), [1, 0]);
    }

    #[test]
    fn who_ends_it_after_a_silence_is_who_says_so_first() {
        let quiet = |ends: &dyn Fn(&mut Sealed)| {
            let mut sealed = Sealed::new(Other::default(), Side::A, at(0).time);
            for side in [Side::A, Side::B] {
                sealed.data(side, &record(100), at(1));
            }
            ends(&mut sealed);
            sealed.over().1.quiet
        };
        let [by_client, by_server] = [0, 1].map(|index| {
            let mut quiet = [QuietEnds::default(); 2];
            quiet[index] = QuietEnds::one(60_000_000_000);
            quiet
        });
        assert_eq!(quiet(&|it| it.end(Side::A, at(61).time)), by_client);
        assert_eq!(quiet(&|it| it.end(Side::B, at(61).time)), by_server);
        // Its alert comes before the end of TCP, which is the other's.
        assert_eq!(
            quiet(&|it| {
                it.data(Side::B, &record(19), at(61));
                it.end(Side::A, at(61).time);
            }),
            by_server
        );
        // That was a message.
        assert_eq!(
            quiet(&|it| {
                it.data(Side::B, &record(300), at(61));
                it.end(Side::B, at(61).time);
            }),
            [QuietEnds::default(); 2]
        );
        assert_eq!(quiet(&|it| it.end(Side::B, at(3).time)), [QuietEnds::default(); 2]);
    }
}
