//! What TCP itself says of a flow, besides the bytes that it carries: [`TcpFacts`].
//!
//! What is noted for them is [`Pulse`](super::pulse::Pulse).

mod made;
mod places;

use std::time::Duration;

use super::CloseReason;
use super::flow::{Flow, pair};
use super::half::{Half, State};
use super::pulse::{Clock, RareSide};
use super::tcp::{self, Flags, Segment};
use crate::model::{At, InVain, KeepAlive, StreamEnd, Time, ZeroWindow};

/// Nanoseconds within which nobody sends anything again: what is there twice was captured twice. No TCP
/// waits for less than two of its clock's ticks before it probes for a loss (RFC 8985 §7.2).
const COPY: u64 = 1_000_000;
/// Nanoseconds after which a reset has come across.
const KNOWN: i64 = 200_000_000;
/// Nanoseconds after which what fills a hole was sent again, where the round trip is not known: packets
/// overtake each other by less. Wireshark takes the same.
const REORDERED: u64 = 3_000_000;

impl Flow {
    /// Notes a segment of half `from` that does not simply come next. `before` was the half's last packet
    /// until then.
    pub(super) fn note(&mut self, from: usize, segment: &Segment<'_>, before: (u64, Time)) {
        // A reset says nothing of windows, and what it acknowledges is for those who believe it.
        if segment.flags.any(Flags::RST) {
            return;
        }
        if self.over.is_some() && self.says_more(from, segment) {
            self.note_late(from, segment.at);
        }
        let time = segment.at.time.unwrap_or_default();
        let is_probe = self.is_probe(from, segment);
        if segment.flags.any(Flags::ACK) {
            let [_, peer] = pair(&mut self.halves, from);
            let is_news = peer.acknowledged(segment.ack);
            if is_news && peer.state == State::Open && peer.acked > peer.next + 1 {
                let (next, acked) = (peer.next, peer.acked);
                self.pulse.rare().sides[1 - from].lacks(next, acked, time);
            }
            self.pulse.acknowledged(1 - from, segment.ack, time);
            let bare = segment.data.is_empty() && segment.missing == 0;
            if !is_news && bare && !is_probe && !segment.flags.any(Flags::SYN | Flags::FIN) {
                self.note_repeated_ack(from, segment);
            }
        }
        self.note_window(from, segment);
        if is_probe {
            self.note_probe(from, segment.at);
        } else if segment.flags.any(Flags::SYN) {
            self.note_syn(from, segment, before);
        } else {
            self.note_data(from, segment, before);
        }
    }

    /// Whether a segment carries data that has not been acknowledged: what has been nobody sends again, and
    /// the capture has it twice.
    fn says_more(&self, from: usize, segment: &Segment<'_>) -> bool {
        let half = &self.halves[from];
        // Before its first number is known, a position may be any.
        let end = half.position(segment.seq).saturating_add(segment.data.len() as u64);
        !segment.data.is_empty() && (half.acked == 0 || end > half.acked)
    }

    /// Notes data of half `from` when the connection is over: whether its peer had reset it so long before
    /// that it has to know.
    #[cold]
    fn note_late(&mut self, from: usize, at: At) {
        let reset = self.pulse.any_rare().and_then(|rare| rare.sides[1 - from].reset);
        let Some((now, then)) = at.time.zip(reset.and_then(|reset| reset.time)) else { return };
        if now.since(then) >= KNOWN {
            let (segments, last) = &mut self.pulse.side(from).after_peers_reset;
            *segments = segments.saturating_add(1);
            *last = Some(at);
        }
    }

    /// Whether a half that did not reset the connection itself was heard since `time`: more of it may come.
    pub(super) fn goes_on(&self, time: Time) -> bool {
        let is_open = |of: usize| self.halves[of].state == State::Open && self.pulse.last[of].1 > time;
        self.over == Some(CloseReason::Reset) && (0..2).any(is_open)
    }

    /// Notes an acknowledgement of half `from` without data that says nothing new: a duplicate, if
    /// something is missing and the window did not change (RFC 5681 §2). What it says of what has arrived
    /// behind that stands in its header, which is empty where it is cut short.
    #[cold]
    pub(super) fn note_repeated_ack(&mut self, from: usize, segment: &Segment<'_>) {
        let &Segment { ack, window, whole: header, .. } = segment;
        let [half, peer] = pair(&mut self.halves, from);
        let is_duplicate = peer.acked != 0
            && ack == peer.acked as u32
            && peer.sent() > peer.acked
            && window == half.window
            && window != 0;
        if is_duplicate {
            let awaited = peer.awaited();
            self.pulse.side(from).duplicate_acks += 1;
            if let Some(bytes) = tcp::longest_block(header) {
                let stuck = self.pulse.side(1 - from).stuck_at(awaited);
                stuck.arrived = stuck.arrived.max(bytes);
            }
        }
    }

    /// Notes the window that half `from` advertises.
    fn note_window(&mut self, from: usize, segment: &Segment<'_>) {
        let [half, peer] = pair(&mut self.halves, from);
        let (was_shut, is_shut) = (half.window == 0, segment.window == 0);
        // One that was overtaken on the way opens and shuts nothing.
        let is_stale = segment.flags.any(Flags::ACK) && peer.acked > peer.position(segment.ack);
        if segment.flags.any(Flags::SYN) || is_stale && is_shut != was_shut {
            return;
        }
        half.window = segment.window;
        if is_shut == was_shut {
            return;
        }
        let time = segment.at.time.unwrap_or_default();
        let side = self.pulse.side(from);
        if is_shut {
            side.shut_since = time;
            side.zero_window.times += 1;
            side.zero_window.first.get_or_insert(segment.at);
        } else {
            side.zero_window.lasted(side.shut_since, time);
        }
    }

    /// Whether a segment carries nothing new and lies just before what the peer waits for, so that it has to
    /// answer: a keep-alive (RFC 9293 §3.8.4), or a question for its window.
    fn is_probe(&self, from: usize, segment: &Segment<'_>) -> bool {
        let half = &self.halves[from];
        let waited_for = if half.acked == 0 { half.next } else { half.acked };
        let position = half.position(segment.seq);
        let length = segment.data.len() as u32 + segment.missing;
        matches!(half.state, State::Open | State::Ended)
            // Behind bytes that were not captured a question for the window is told by that being shut.
            && (position < half.next || length == 0 && self.halves[1 - from].window == 0)
            && position + 1 == waited_for
            && length <= 1
            && !segment.flags.any(Flags::SYN | Flags::FIN)
    }

    fn note_probe(&mut self, from: usize, at: At) {
        if self.halves[1 - from].window == 0 {
            self.pulse.side(1 - from).zero_window.probes += 1;
            return;
        }
        let heard = self.pulse.last[1 - from].0;
        let side = self.pulse.side(from);
        let KeepAlive { sent, answered, unanswered, unanswered_from } = &mut side.keep_alive;
        if heard > side.last_probe {
            *answered += u32::from(*unanswered > 0);
            *unanswered = 0;
        }
        if *unanswered == 0 {
            *unanswered_from = Some(at);
        }
        *unanswered += 1;
        *sent += 1;
        side.last_probe = at.packet;
    }

    fn note_syn(&mut self, from: usize, segment: &Segment<'_>, before: (u64, Time)) {
        let time = segment.at.time.unwrap_or_default();
        let begin = segment.seq.wrapping_add(1);
        let half = &self.halves[from];
        if half.syn_seen && half.base == begin {
            self.note_known(from, 0, segment, is_copy(before.1, time));
            return;
        }
        self.pulse.clocks[from] = Clock { sent: time, end: begin, is_syn: true, ..Clock::default() };
        if !segment.data.is_empty() {
            self.pulse.spoke[from] = time;
        }
    }

    fn note_data(&mut self, from: usize, segment: &Segment<'_>, before: (u64, Time)) {
        let time = segment.at.time.unwrap_or_default();
        let length = segment.data.len() as u64 + u64::from(segment.missing);
        let is_fin = segment.flags.any(Flags::FIN);
        let half = &self.halves[from];
        if length == 0 && !is_fin {
            return;
        }
        if !matches!(half.state, State::Open | State::Ended) {
            // Where the stream is, is not known yet.
            self.pulse.spoke[from] = if length > 0 { time } else { self.pulse.spoke[from] };
            if is_fin {
                self.pulse.ends(from, segment.at);
            }
            return;
        }
        let start = half.position(segment.seq);
        let end = start + length;
        let sent = half.sent();
        let has_fin = |of: usize| self.pulse.fin(of).is_some();
        let own_end = if has_fin(from) { half.fin_position() } else { None };
        let is_known = start < half.next || half.keeps(start);
        let closed = has_fin(1 - from);
        // One that stands before what was delivered ends nothing.
        let ends = is_fin && end >= half.next;
        let fin_again = is_fin && own_end == Some(end);
        if let Some(own_end) = own_end
            && end > own_end
        {
            self.pulse.side(from).after_own_fin += end - start.max(own_end);
            return;
        }
        let new = end - start.max(sent).min(end);
        if length > 0 && start < sent && is_known {
            let again = end.min(sent) - start;
            let copied = end == sent && is_copy(self.pulse.spoke[from], time);
            self.note_known(from, again, segment, copied);
        } else if length > 0 && start < sent {
            self.note_hole_filled(from, length, segment);
        } else if fin_again {
            self.note_known(from, 0, segment, is_copy(before.1, time));
        } else if start > sent {
            self.note_hole(from, time);
        }
        if length > 0 && start == sent {
            self.pulse.speaks(from, end as u32, time, self.packets);
        } else if new > 0 || length > 0 && !is_known {
            self.pulse.spoke[from] = time;
        }
        if new > 0 && closed {
            self.pulse.side(from).after_peers_fin += new;
        }
        if new == 1 && length == 1 && self.halves[1 - from].window == 0 {
            // The other way to ask for a window: with the next byte.
            self.pulse.side(1 - from).zero_window.probes += 1;
        }
        if ends {
            if start > sent && self.pulse.fin(from).is_none() {
                self.pulse.side(from).fin_behind_hole = true;
            }
            self.pulse.ends(from, segment.at);
        }
    }

    /// Data behind a hole: what is missing is on its way, or lost.
    fn note_hole(&mut self, from: usize, time: Time) {
        if !self.halves[from].has_hole() {
            self.pulse.side(from).hole_since = time;
        }
    }

    /// What is missing comes after what follows it: it was overtaken, or got lost before it was captured and
    /// was sent again.
    fn note_hole_filled(&mut self, from: usize, length: u64, segment: &Segment<'_>) {
        let time = segment.at.time.unwrap_or_default();
        let handshake = self.pulse.handshake.map(u64::from);
        // Both are known, or neither says how long the whole way is.
        let whole = handshake.iter().all(|&half| half > 0).then(|| handshake.iter().sum::<u64>() * 1000);
        let side = self.pulse.side(from);
        let waited = time.0.saturating_sub(side.hole_since.0);
        if waited < whole.unwrap_or(REORDERED) {
            side.out_of_order += 1;
        } else {
            self.note_known(from, length, segment, false);
        }
    }

    /// A segment of which so many bytes, or whose SYN or FIN, were sent before.
    fn note_known(&mut self, from: usize, bytes: u64, segment: &Segment<'_>, copied: bool) {
        let heard = self.pulse.last[1 - from].0;
        let elsewhere = self.networks[from] != segment.network;
        let at = segment.at;
        let half = &self.halves[from];
        let place = half.position(segment.seq);
        let is_awaited = bytes > 0 && place == half.awaited();
        self.pulse.clocks[from].reset();
        let side = self.pulse.side(from);
        if copied || elsewhere {
            side.copies += 1;
            return;
        }
        if is_awaited {
            let stuck = side.stuck_at(place);
            stuck.since.get_or_insert(at);
            stuck.bytes = stuck.bytes.max(bytes);
            stuck.times += 1;
        }
        let resent = &mut side.resent;
        if heard > side.last_resent {
            resent.unanswered = 0;
        }
        if resent.unanswered == 0 {
            resent.unanswered_from = Some(at);
        }
        resent.unanswered += 1;
        if let Some((from, to)) = resent.unanswered_from.and_then(|from| from.time).zip(at.time) {
            let lasted = Duration::from_nanos(to.0.saturating_sub(from.0));
            if !lasted.is_zero() && side.in_vain.as_ref().is_none_or(|longest| lasted > longest.lasted) {
                let in_vain = InVain { times: resent.unanswered, from: resent.unanswered_from, lasted };
                side.in_vain = Some(Box::new(in_vain));
            }
        }
        resent.segments += 1;
        resent.bytes += bytes;
        resent.first.get_or_insert(at);
        side.last_resent = at.packet;
    }

    /// Half `from` reset the connection, in a packet that acknowledges everything of its peer's before `ack`.
    pub(super) fn note_reset(&mut self, from: usize, at: At, ack: Option<u32>) {
        let [half, peer] = pair(&mut self.halves, from);
        let acked = ack.filter(|_| peer.heard).map_or(0, |ack| peer.position(ack));
        let (own, peers) = (half.unacknowledged(0), peer.unacknowledged(acked));
        let rare = self.pulse.rare();
        if rare.sides.iter().all(|side| side.reset.is_none()) {
            rare.sides[from].in_flight = Some(own);
            rare.sides[1 - from].in_flight = Some(peers);
        }
        let side = &mut rare.sides[from];
        side.disowned |= side.reset.is_none() && ack.is_none();
        side.reset.get_or_insert(at);
    }

    /// Whether a segment that half `from` sent says that packets are missing which were not known to be: it
    /// stands behind what was seen of its sender, or acknowledges more of the peer's, or the beginning of its
    /// connection was not captured.
    pub(super) fn shows_loss(&self, from: usize, segment: &Segment<'_>) -> bool {
        let half = &self.halves[from];
        let (is_syn, has_ack) = (segment.flags.any(Flags::SYN), segment.flags.any(Flags::ACK));
        if self.packets == 0 {
            return !is_syn || has_ack;
        }
        if is_syn || segment.flags.any(Flags::RST) {
            return false;
        }
        let is_behind = half.state == State::Open && half.position(segment.seq) > half.sent() + 1;
        is_behind || self.shows_uncaptured(from, segment)
    }

    /// Whether a segment of half `from` acknowledges what its peer has not sent, as far as was captured. What
    /// is only missing between two segments may have been lost on its way, and is sent again.
    pub(super) fn shows_uncaptured(&self, from: usize, segment: &Segment<'_>) -> bool {
        let peer = &self.halves[1 - from];
        // A FIN takes one number.
        let sent = peer.sent().max(peer.acked) + u64::from(peer.has_end());
        segment.flags.any(Flags::ACK)
            && peer.state == State::Open
            && peer.heard
            && peer.position(segment.ack) > sent
    }

    /// Whether half `of` has reset the connection without acknowledging anything.
    pub(super) fn is_disowned(&self, of: usize) -> bool {
        let rare = self.pulse.end.as_deref().and_then(|end| end.rare.as_deref());
        rare.is_some_and(|rare| rare.sides[of].disowned)
    }

    /// Whether half `of` has sent one SYN, perhaps again and again, and nobody has sent anything else.
    pub(super) fn sent_only_syns(&self, of: usize) -> bool {
        let rare = self.pulse.end.as_deref().and_then(|end| end.rare.as_deref());
        let again = rare.map_or(0, |rare| rare.sides[of].resent.segments);
        let half = &self.halves[of];
        half.syn_seen && half.sent() == half.begin() && self.packets == again.saturating_add(1)
    }
}

impl ZeroWindow {
    /// The window was closed from `since` until `time`.
    fn lasted(&mut self, since: Time, time: Time) {
        let lasted = Duration::from_nanos(time.0.saturating_sub(since.0));
        self.total += lasted;
        self.longest = self.longest.max(lasted);
    }
}

/// Whether what is there twice is so within so short a time that it was captured twice.
fn is_copy(one: Time, other: Time) -> bool {
    one.0 > 0 && other.0.saturating_sub(one.0) < COPY
}

#[cfg(test)]
mod tests;
