//! Finding out what a connection carries from its first bytes.

#[cfg(feature = "h2")]
mod chains;
mod sealed;

use self::sealed::Sealed;
use super::records::Records;
use super::{Side, Start};
#[cfg(feature = "h2")]
use crate::h2::shape::Chain;
use crate::http::head::{Sniff, sniff};
use crate::limits;
use crate::model::{At, http2};
use crate::ws::seek::{Held, Place, Seeker};
use crate::ws::shape::Known;

/// What a connection turned out to carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// It takes more bytes.
    Nothing,
    /// HTTP/1 heads.
    Http,
    /// The preface of HTTP/2, from this side.
    Http2(Side),
    /// Frames of HTTP/2, whose preface was not seen.
    #[cfg(feature = "h2")]
    Http2Midway,
    /// Frames without a handshake. `side` begins with one at byte `offset` of its stream, or, where that
    /// is `None`, with the first byte that is held; `masked` says what its frames are.
    Frames { side: Side, offset: Option<u64>, masked: bool },
    /// Records of TLS, whose beginning was not seen.
    Sealed,
    /// Something else.
    Other,
}

/// Looks at the first bytes of both sides.
#[derive(Debug, Default)]
pub struct Probe {
    /// What may become an HTTP head.
    heads: Vec<(Side, Held)>,
    /// What may be frames, where the beginning was not seen.
    seekers: [Option<Box<Seeker>>; 2],
    /// What may be frames of HTTP/2, where the beginning was not seen.
    #[cfg(feature = "h2")]
    chains: [Option<Box<Chain>>; 2],
    /// What may be records of TLS, where the beginning was not seen.
    sealed: Option<Box<Sealed>>,
    looked: usize,
    client: Option<Side>,
}

impl Probe {
    /// Takes the next bytes of one side. `client` is who is known to be the client.
    pub fn look(
        &mut self,
        side: Side,
        bytes: &[u8],
        at: At,
        offset: u64,
        start: Start,
        client: Option<Side>,
    ) -> Found {
        self.looked += bytes.len();
        if matches!(start, Start::Midway | Start::SpokeHttp) {
            return self.look_midway(side, bytes, at, offset, start, client);
        }
        let is_first = side == Side::B && !self.heads.iter().any(|(of, _)| *of == Side::A);
        let whole = self.hold(side, bytes, at, offset);
        match sniff(whole) {
            Sniff::Request => return self.http(side, true),
            Sniff::Response => return self.http(side, false),
            // Empty lines in front of a head do not go on for ever.
            Sniff::NeedMore if whole.len() > limits::SNIFF => return Found::Other,
            Sniff::NeedMore => return Found::Nothing,
            Sniff::Neither => {}
        }
        match (start, whole.get(1)) {
            (Start::Given, Some(second)) => Found::Frames { side, offset: None, masked: second & 0x80 != 0 },
            // The MASK bit is yet to come.
            (Start::Given, None) => Found::Nothing,
            // A server that speaks first may be asked for a WebSocket all the same.
            _ if is_first && whole.len() <= limits::OPENING => Found::Nothing,
            _ => Found::Other,
        }
    }

    /// The capture begins in the middle: a segment may start anything.
    fn look_midway(
        &mut self,
        side: Side,
        bytes: &[u8],
        at: At,
        offset: u64,
        start: Start,
        client: Option<Side>,
    ) -> Found {
        if let Some(is_request) = self.look_for_head(side, bytes, at, offset, client) {
            // A connection of which only the first packets are missing.
            return self.http(side, is_request);
        }
        if start == Start::Midway {
            if self.look_for_records(side, bytes, at) {
                return Found::Sealed;
            }
            let known = Known::little(client.map(|client| client == side));
            let seeker = self.seekers[side.index()].get_or_insert_with(|| Box::new(Seeker::new(offset)));
            seeker.push(bytes, at, known, false);
            #[cfg(feature = "h2")]
            if let Some(found) = self.look_for_frames(side, bytes, at, offset) {
                return found;
            }
            if let Some(found) = self.verdict(limits::EVIDENCE_MIDWAY) {
                return found;
            }
        }
        if self.looked > limits::PROBE { Found::Other } else { Found::Nothing }
    }

    /// Whether the bytes begin an HTTP head, and whether that is a request's.
    fn look_for_head(
        &mut self,
        side: Side,
        bytes: &[u8],
        at: At,
        offset: u64,
        client: Option<Side>,
    ) -> Option<bool> {
        let begun = self.heads.iter().position(|(of, _)| *of == side);
        let is_begun = begun.is_some();
        for whole in [true, false] {
            // A head whose beginning was held may be none after all, and the segment begin another.
            if whole && !is_begun {
                continue;
            }
            if !whole && is_begun {
                self.heads.retain(|(of, _)| *of != side);
            }
            let bytes = self.hold(side, bytes, at, offset);
            match sniff(bytes) {
                // Of a client it is the rest of a request's first line.
                Sniff::Response if client != Some(side) => return Some(false),
                // In the middle of things words and slashes are not enough.
                // The rest of a request's first line ends with the version.
                Sniff::Request
                    if bytes.trim_ascii_start()[0].is_ascii_uppercase()
                        && !bytes.trim_ascii_start().starts_with(b"HTTP/") =>
                {
                    return Some(true);
                }
                Sniff::NeedMore if bytes.len() <= limits::SNIFF => return None,
                _ => {}
            }
        }
        self.heads.retain(|(of, _)| *of != side);
        None
    }

    /// What the connection carries, now that nothing more will come of `ended`.
    pub fn ended(&self) -> Option<Found> {
        let is_sealed =
            || self.sealed.as_ref().is_some_and(|sealed| sealed.is_all()).then_some(Found::Sealed);
        self.verdict(limits::EVIDENCE_AT_END).or_else(is_sealed)
    }

    /// Frames, if the evidence of both sides is enough.
    fn verdict(&self, enough: i32) -> Option<Found> {
        let seekers = [Side::A, Side::B].map(|side| Some((side, self.seekers[side.index()].as_deref()?)));
        let best = seekers.map(|seeker| seeker.and_then(|(_, seeker)| seeker.best()));
        let (side, place) = match best {
            [Some(a), Some(b)] if b.bits > a.bits => (Side::B, b),
            [Some(a), _] => (Side::A, a),
            [None, Some(b)] => (Side::B, b),
            [None, None] => return None,
        };
        let masked = place.masked?;
        let other = best[side.other().index()];
        // Whether all there is are frames.
        let is_all = seekers
            .iter()
            .flatten()
            .all(|(side, seeker)| best[side.index()].is_some_and(|place| place.offset == seeker.first()));
        let enough =
            if enough == limits::EVIDENCE_AT_END && is_all { limits::EVIDENCE_IF_ALL } else { enough };
        let bits = place.bits + agreement(place, other) - against(&seekers);
        (bits >= enough).then_some(Found::Frames { side, offset: Some(place.offset), masked })
    }

    /// What holding takes, in bytes.
    pub fn cost(&self) -> usize {
        let heads: usize = self.heads.iter().map(|(_, held)| held.cost()).sum();
        #[cfg(feature = "h2")]
        let heads = heads + self.chains.iter().flatten().map(|chain| chain.cost()).sum::<usize>();
        let sealed = self.sealed.as_ref().map_or(0, |_| size_of::<Sealed>());
        heads + sealed + self.seekers.iter().flatten().map(|seeker| seeker.cost()).sum::<usize>()
    }

    /// Which side is the client, if HTTP told.
    pub fn client(&self) -> Option<Side> {
        self.client
    }

    /// What the first header of what is held says: whose it is, and whether it is masked.
    pub fn first(&self) -> Option<(Side, bool)> {
        let (side, held) = self.heads.first()?;
        Some((*side, held.bytes().get(1).is_none_or(|second| second & 0x80 != 0)))
    }

    /// What was held of HTTP heads, in the order in which it is to be read.
    pub fn into_heads(self) -> Vec<(Side, Held)> {
        self.heads
    }

    /// What was held of frames, of which the first of `side` begins at byte `offset`.
    pub fn into_frames(self, side: Side, offset: Option<u64>) -> Vec<(Side, Held)> {
        let Some(offset) = offset else { return self.heads };
        let [a, b] = self.seekers;
        let held = |of: Side, seeker: Option<Box<Seeker>>| {
            let from = if of == side { offset } else { 0 };
            seeker.map(|seeker| (of, seeker.into_held(from)))
        };
        [held(Side::A, a), held(Side::B, b)].into_iter().flatten().collect()
    }

    /// What one side begins with looks like a head: it is one, or the preface of HTTP/2.
    fn http(&mut self, side: Side, is_request: bool) -> Found {
        let held = self.heads.iter().find(|(of, _)| *of == side);
        let whole = held.map_or(&[][..], |(_, held)| held.bytes());
        let may_be_preface = cfg!(feature = "h2") && is_request;
        let is_preface = may_be_preface && whole.starts_with(PREFACE);
        if may_be_preface && !is_preface && PREFACE.starts_with(whole) {
            // It takes more bytes to tell.
            return Found::Nothing;
        }
        self.client = Some(if is_request { side } else { side.other() });
        // A response may have overtaken its request in the capture: requests first.
        let client = self.client;
        self.heads.sort_by_key(|(side, _)| Some(*side) != client);
        if is_preface { Found::Http2(side) } else { Found::Http }
    }

    /// Adds to what is held of a side, and gives all of it.
    fn hold(&mut self, side: Side, bytes: &[u8], at: At, offset: u64) -> &[u8] {
        let index = self.heads.iter().position(|(of, _)| *of == side).unwrap_or_else(|| {
            self.heads.reserve_exact(1);
            self.heads.push((side, Held::new(offset)));
            self.heads.len() - 1
        });
        let held = &mut self.heads[index].1;
        held.push(bytes, at);
        held.bytes()
    }
}

/// Pieces of both sides, those of each in its order, in the order in which they were captured: one that came
/// before those that it follows waits for them.
pub fn in_order<B>(pieces: impl IntoIterator<Item = (Side, u64, At, B)>) -> Vec<(Side, u64, At, B)> {
    let mut latest = [0; 2];
    let mut ranked: Vec<_> = pieces
        .into_iter()
        .map(|piece| {
            let latest: &mut u64 = &mut latest[piece.0.index()];
            *latest = piece.2.packet.max(*latest);
            (*latest, piece)
        })
        .collect();
    ranked.sort_by_key(|(latest, _)| *latest);
    ranked.into_iter().map(|(_, piece)| piece).collect()
}

/// What a client of HTTP/2 begins with, as far as it looks like a request (RFC 9113 §3.4).
const PREFACE: &[u8] = http2::PREFACE.split_at(18).0;

/// What the other side's frames add to the evidence, or take from it: one side
/// masks all its frames, the other none (RFC 6455 §5.1).
fn agreement(place: Place, other: Option<Place>) -> i32 {
    match other {
        Some(other) if other.masked.is_none() || other.bits <= 0 => 0,
        Some(other) if other.masked == place.masked => -other.bits,
        Some(other) => other.bits + if other.bits >= 6 { 4 } else { 0 },
        None => 0,
    }
}

/// What speaks against frames, in bits: segments that are none. They may be the middle of a large message.
fn against(seekers: &[Option<(Side, &Seeker)>; 2]) -> i32 {
    const MOST: u32 = 10;
    seekers.iter().flatten().map(|(_, seeker)| (2 * seeker.strange()).min(MOST).cast_signed()).sum()
}
