//! The counts of one connection, or of all together.

use std::borrow::Cow;
use std::collections::VecDeque;

use super::ledger::Ledger;
use super::{CLOSE, DATA, KINDS, kind};
use crate::limits;
use crate::model::distribution::{Distribution, Range};
use crate::model::{Dir, Frame, Message, Opcode, SeverityCounts, Sometime, StreamedKind, Time, Unit};

/// The counts of one connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    /// What the client and the server sent, in this order.
    pub sides: [Side; 2],
    pub findings: SeverityCounts,
    /// Units of what streams without frames, if there are any.
    pub streamed: Option<Box<Streamed>>,
}

/// Units of what streams, by [kind](StreamedKind) and who sent them, and their bytes.
pub(super) type Streamed = [[Frames; 2]; StreamedKind::ALL.len()];

/// The counts of what one endpoint of a connection sent.
///
/// With thousands of connections taking turns, what counting costs is fetching this from memory.
/// So what every text message changes stands first, in two cache lines.
#[derive(Clone, Debug, Default)]
#[repr(C, align(64))]
pub(super) struct Side {
    /// When the first and the last unit were captured. What no endpoint sent is the client's here.
    times: Times,
    last_message: Sometime,
    /// Bytes of frame headers.
    pub headers: u64,
    /// Nanoseconds from one text or binary message to the next.
    pub gaps: Range,
    /// Payload bytes of text and binary messages.
    pub sizes: Distribution,
    /// Text and binary frames.
    data: [Frames; DATA],
    close: Frames,
    /// The others by [`kind`], if there are any.
    others: Option<Box<[Frames; KINDS.len()]>>,
    /// Compressed messages.
    pub ledger: Option<Box<Ledger>>,
    pub pings: Option<Box<Pings>>,
}

/// The first and the last of some times; of none, the first is the later one.
#[derive(Clone, Copy, Debug)]
struct Times {
    first: Time,
    last: Time,
}

/// Frames of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frames {
    pub count: u64,
    /// Their payload bytes, captured or lost in a hole.
    pub payload: u64,
}

/// The pings one endpoint sent, and its pongs.
#[derive(Clone, Debug, Default)]
pub(super) struct Pings {
    /// Nanoseconds from a ping to its pong.
    pub times: Range,
    /// Pings that no pong has answered.
    pub unanswered: u64,
    /// Pongs this endpoint sent that answer no ping.
    pub unasked: u64,
    /// Pings without a pong so far, oldest first.
    outstanding: VecDeque<Ping>,
}

#[derive(Clone, Copy, Debug)]
struct Ping {
    payload: u64,
    time: Option<Time>,
}

impl Frames {
    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.payload += other.payload;
    }
}

impl Tally {
    /// Counts what all units have.
    #[inline]
    pub fn unit(&mut self, unit: &Unit<'_>) {
        if let Some(time) = unit.time {
            let times = &mut self.sides[unit.dir.map_or(0, Dir::index)].times;
            times.add(&Times { first: time, last: time });
        }
        for rule in unit.rules() {
            self.findings.add(rule.severity, 1);
        }
    }

    /// Counts a frame.
    #[inline]
    pub fn frame(&mut self, unit: &Unit<'_>, frame: &Frame<'_>) {
        let side = &mut self.sides[unit.dir.map_or(0, Dir::index)];
        side.headers += u64::from(frame.header.header_length());
        let frames = side.of_kind(kind(frame.header.opcode));
        frames.count += 1;
        // The declared length may be a lie of 2^63; these bytes were really sent.
        frames.payload += frame.captured.saturating_add(frame.missing);
    }

    /// Counts a data frame without findings that is all there, and the message that consists of it, as
    /// [`Self::unit`], [`Self::frame`] and [`Self::message`] would one after the other.
    #[allow(clippy::inline_always)] // it is on the way of nearly every frame
    #[inline(always)]
    pub fn whole(
        &mut self,
        dir: Option<Dir>,
        time: Option<Time>,
        (opcode, head, length): (Opcode, u64, u64),
        alone: bool,
    ) {
        let side = &mut self.sides[dir.map_or(0, Dir::index)];
        if let Some(time) = time {
            side.times.add(&Times { first: time, last: time });
        }
        side.headers += head;
        let frames = side.of_kind(kind(opcode));
        frames.count += 1;
        frames.payload += length;
        side.data_message(time, length, alone);
    }

    /// Counts a message. `alone` when this tally is of a single connection.
    #[inline]
    pub fn message(&mut self, unit: &Unit<'_>, message: &Message<'_>, alone: bool) {
        let dir = unit.dir.unwrap_or(Dir::Client);
        if message.is_told() {
            // Somebody tells of it: what it carried counts, and no frame.
            self.sides[dir.index()].of_kind(kind(message.kind)).payload += message.length;
        }
        match message.kind {
            Opcode::PING if alone => self.ping(dir, message.payload, unit.time),
            Opcode::PONG if alone => self.pong(dir, message.payload, unit.time),
            kind if kind.is_control() => {}
            _ => {
                let side = &mut self.sides[dir.index()];
                side.data_message(unit.time, message.length, alone);
                if message.compressed {
                    side.ledger.get_or_insert_default().message(message);
                }
            }
        }
    }

    /// Counts a unit of what streams.
    pub fn streamed(&mut self, dir: Dir, kind: StreamedKind, length: u64) {
        let units = &mut self.streamed.get_or_insert_default()[kind.index()][dir.index()];
        units.count += 1;
        units.payload += length;
    }

    fn ping(&mut self, dir: Dir, payload: &[u8], time: Option<Time>) {
        let pings = self.sides[dir.index()].pings.get_or_insert_default();
        pings.unanswered += 1;
        if pings.outstanding.len() == limits::PINGS_OUTSTANDING {
            pings.outstanding.pop_front();
        }
        pings.outstanding.push_back(Ping { payload: fingerprint(payload), time });
    }

    fn pong(&mut self, dir: Dir, payload: &[u8], time: Option<Time>) {
        let payload = fingerprint(payload);
        let asked = self.sides[dir.peer().index()].pings.as_deref_mut().and_then(|pings| {
            let i = pings.outstanding.iter().position(|ping| ping.payload == payload)?;
            Some((i, pings))
        });
        let Some((i, pings)) = asked else {
            self.sides[dir.index()].pings.get_or_insert_default().unasked += 1;
            return;
        };
        //= RFC 6455 §5.5.3
        //# send a Pong frame for only the most recently processed Ping frame
        // Older pings are not waited for any longer, but stay unanswered.
        let ping = pings.outstanding.drain(..=i).next_back();
        pings.unanswered -= 1;
        if let (Some(asked), Some(answered)) = (ping.and_then(|ping| ping.time), time) {
            pings.times.take(answered.since(asked).max(0) as u64);
        }
    }

    /// Has counted nothing, and keeps what it needs for counting.
    pub fn clear(&mut self) {
        for side in &mut self.sides {
            let Side { times, last_message, headers, gaps, sizes, data, close, others, ledger, pings } = side;
            (*times, *last_message, *headers) = (Times::default(), Sometime::NEVER, 0);
            (*gaps, *data, *close) = (Range::default(), <[_; _]>::default(), Frames::default());
            if let Some(others) = others {
                **others = <[_; _]>::default();
            }
            (*ledger, *pings) = (None, None);
            sizes.clear();
        }
        self.findings = SeverityCounts::default();
        self.streamed = None;
    }

    /// Takes over what another tally has counted.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.sides.iter_mut().zip(&other.sides) {
            mine.add(theirs);
        }
        self.findings.add_all(other.findings);
        if let Some(theirs) = &other.streamed {
            let mine = self.streamed.get_or_insert_default();
            for (mine, theirs) in mine.iter_mut().flatten().zip(theirs.iter().flatten()) {
                mine.add(theirs);
            }
        }
    }

    /// Frames in both directions.
    pub fn all_frames(&self) -> u64 {
        self.sides.iter().map(Side::all_frames).sum()
    }

    /// Bytes of frames, headers and payloads, in both directions.
    pub fn bytes(&self) -> u64 {
        self.sides.iter().map(|side| side.headers + side.payload()).sum()
    }

    /// Nanoseconds from the first to the last unit.
    pub fn duration(&self) -> Option<u64> {
        let mut times = self.sides[0].times;
        times.add(&self.sides[1].times);
        (times.first <= times.last).then(|| times.last.since(times.first) as u64)
    }
}

impl Times {
    #[inline]
    fn add(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
    }
}

impl Default for Times {
    fn default() -> Self {
        Self { first: Time(u64::MAX), last: Time(0) }
    }
}

impl Side {
    #[allow(clippy::inline_always)] // it is on the way of nearly every frame
    #[inline(always)]
    fn data_message(&mut self, time: Option<Time>, length: u64, alone: bool) {
        self.sizes.take(length);
        if let (Some(last), Some(time)) = (self.last_message.time(), time) {
            self.gaps.take(time.since(last).max(0) as u64);
        }
        self.last_message = time.filter(|_| alone).into();
    }

    fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.data.iter_mut().zip(&other.data) {
            mine.add(theirs);
        }
        self.close.add(&other.close);
        if let Some(theirs) = &other.others {
            let mine = self.others.get_or_insert_default();
            mine.iter_mut().zip(&**theirs).for_each(|(mine, theirs)| mine.add(theirs));
        }
        self.times.add(&other.times);
        self.headers += other.headers;
        self.sizes.add(&other.sizes);
        self.gaps.add(&other.gaps);
        if let Some(theirs) = &other.ledger {
            self.ledger.get_or_insert_default().add(theirs);
        }
        if let Some(theirs) = &other.pings {
            let mine = self.pings.get_or_insert_default();
            mine.times.add(&theirs.times);
            mine.unanswered += theirs.unanswered;
            mine.unasked += theirs.unasked;
        }
    }

    /// The frames of a kind.
    #[allow(clippy::inline_always)] // it is on the way of nearly every frame
    #[inline(always)]
    pub fn of_kind(&mut self, kind: usize) -> &mut Frames {
        if kind < DATA { &mut self.data[kind] } else { self.of_other_kind(kind) }
    }

    #[inline(never)]
    fn of_other_kind(&mut self, kind: usize) -> &mut Frames {
        if kind == CLOSE { &mut self.close } else { &mut self.others.get_or_insert_default()[kind] }
    }

    /// Frames by [`kind`].
    pub fn frames(&self) -> [Frames; KINDS.len()] {
        let mut all = self.others.as_deref().copied().unwrap_or_default();
        all[..DATA].copy_from_slice(&self.data);
        all[CLOSE] = self.close;
        all
    }

    /// The sum of a number of each kind.
    #[inline]
    fn sum(&self, number: impl Fn(&Frames) -> u64) -> u64 {
        let others = match &self.others {
            Some(others) => others.iter().map(&number).sum(),
            None => 0,
        };
        let [text, binary] = &self.data;
        number(text) + number(binary) + number(&self.close) + others
    }

    /// Frames of every kind.
    pub fn all_frames(&self) -> u64 {
        self.sum(|frames| frames.count)
    }

    /// Payload bytes of all of them.
    pub fn payload(&self) -> u64 {
        self.sum(|frames| frames.payload)
    }

    /// Compressed messages.
    pub fn ledger(&self) -> Ledger {
        self.ledger.as_deref().copied().unwrap_or_default()
    }

    /// Pings and pongs.
    pub fn pings(&self) -> Cow<'_, Pings> {
        self.pings.as_deref().map_or_else(|| Cow::Owned(Pings::default()), Cow::Borrowed)
    }
}

/// A hash (FNV-1a) of a control frame's payload, to tell one ping from another.
fn fingerprint(payload: &[u8]) -> u64 {
    payload.iter().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_message_is_counted_in_two_cache_lines() {
        assert_eq!(std::mem::offset_of!(Side, data) + size_of::<Frames>(), 128);
        assert_eq!(kind(Opcode::TEXT), 0);
        assert!(size_of::<Tally>() <= 448, "{}", size_of::<Tally>());
    }
}
