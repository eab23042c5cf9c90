//! Following a capture from packet to packet.

use super::turns::{Reports, Turns};
use crate::input::{Capture, InputError};
use crate::model::{Flow, ON, Packet};
use crate::net::{self, StreamSink, Tracker};

/// What goes on from packet to packet, and from file to file where several are one capture.
pub(super) struct Following {
    pub(super) tracker: Tracker,
    pub(super) turns: Turns,
    pub(super) reports: Reports,
    /// The packets that could not be read when the sink had enough, if the tracker was ahead by then.
    pub(super) unsupported: Option<Vec<(u32, u64)>>,
}

impl Following {
    /// Nothing yet, to hold no more than its share of `memory` bytes.
    pub(super) fn within(memory: usize) -> Self {
        let tracker = Tracker::within(memory);
        Self { tracker, turns: Turns::within(memory), reports: Reports::default(), unsupported: None }
    }

    /// The packets that could not be read: the link type's name and how many.
    pub(super) fn unreadable(&self) -> Vec<(String, u64)> {
        let unsupported = self.unsupported.as_deref().unwrap_or_else(|| self.tracker.unsupported());
        unsupported.iter().map(|(link, n)| (net::link_name(*link).into_owned(), *n)).collect()
    }
}

/// How far a capture was read, and why no further.
pub(super) struct Reached {
    pub(super) flow: Flow,
    /// The number of the last packet.
    pub(super) packets: u64,
    /// [`Capture::bytes_read`].
    pub(super) bytes: u64,
    pub(super) error: Option<InputError>,
}

impl Reached {
    /// The same, where others had come before, up to this number.
    pub(super) fn behind(self, packets: u64) -> Self {
        Self { packets: self.packets.max(packets), ..self }
    }
}

/// Hears of packets what streams do not tell.
pub(super) trait Listener: StreamSink {
    /// A packet comes next; `tracker` has seen those before.
    fn begins(&mut self, packet: &Packet<'_>, tracker: &Tracker);

    /// What is at hand has been dealt with: the next packet is waited for.
    fn waits(&mut self, capture: &Capture);

    /// How many connections are too many, as far as that was heard: memory is short.
    fn surplus(&mut self) -> usize;

    /// Lines of a key log stand before the next packet.
    fn secrets(&mut self, log: Vec<u8>);
}

/// Follows a capture to its end, or until the listener has had enough, or behind the packet of which `last`
/// says that it is the last. Packets are numbered behind so many `before`.
pub(super) fn follow<L: Listener>(
    capture: &mut Capture,
    tracker: &mut Tracker,
    before: u64,
    listener: &mut L,
    mut last: impl FnMut(&Packet<'_>) -> bool,
) -> Reached {
    let (mut packets, mut flow, mut error) = (0, ON, None);
    while flow.is_continue() {
        let packet = if let Some(packet) = capture.at_hand() {
            packet
        } else {
            listener.waits(capture);
            // Only what has to be waited for has such blocks before it.
            hear_secrets(capture, listener);
            match capture.next() {
                None => break,
                Some(Err(e)) => {
                    error = Some(e);
                    break;
                }
                Some(Ok(packet)) => packet,
            }
        };
        packets = packet.number;
        let is_last = last(&packet);
        listener.begins(&packet, tracker);
        flow = tracker.packet(&Packet { number: before + packets, ..packet }, listener);
        let surplus = listener.surplus();
        if surplus > 0 && flow.is_continue() {
            flow = tracker.give_up_idle(surplus, listener);
        }
        if is_last {
            break;
        }
    }
    hear_secrets(capture, listener);
    Reached { flow, packets, bytes: capture.bytes_read(), error }
}

/// Tells the lines of a key log that stood before the last packet: behind that, of which nothing can need
/// them, as hellos go both ways.
fn hear_secrets<L: Listener>(capture: &mut Capture, listener: &mut L) {
    if let Some(log) = capture.take_secrets() {
        listener.secrets(log);
    }
}
