//! Packets for bytes that came without any: hex, and what one side sent.

use std::io;

use crate::input::Bytes;
use crate::input::capture::ETHERNET;
use crate::limits;
use crate::model::{Dir, Packet, Time};
use crate::net::{Glance, glance};
use crate::synth::tcp::{Delivery, Ends, Tcp};

/// A place in what one endpoint sent where a frame begins or ends: a packet ends there, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) dir: Dir,
    /// Bytes before it.
    pub(super) end: u64,
}

/// Hands on the packets that would have carried `bytes`, each with the number, from 1, of the cut that it
/// ends at, 0 for none. `place` is that of the input among all. There are no times, and no endpoints: they
/// begin in 1970, between addresses for documentation.
pub(super) fn packets(
    mut bytes: Bytes,
    place: usize,
    cuts: &[Cut],
    sender: Option<Dir>,
    hand_on: impl FnOnce(&[(Packet<'_>, u64)]) -> io::Result<()>,
) -> io::Result<()> {
    let mut all: Vec<(Time, Vec<u8>, u64)> = Vec::new();
    let mut ends = Ends::default();
    // Several inputs are several connections.
    let port = ends.client.port().saturating_add(u16::try_from(place).unwrap_or(u16::MAX));
    ends.client.set_port(port);
    let mut tcp = Tcp::open(ends, Time(0), [0, 0], &mut |time, packet| {
        all.push((time, packet.to_vec(), 0));
    });
    let (mut sent, mut held) = ([0u64; 2], 0);
    let mut next = [0; 2];
    // What is wrong with the end of an input was told when it was shown.
    while let Some(Ok(chunk)) = bytes.next() {
        let dir = chunk.dir.or(sender).unwrap_or(Dir::Client);
        held += chunk.bytes.len();
        if held as u64 > limits::TEXT_INPUT {
            let words = "more than packets are made for: write what is hex, or a part of it";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
        }
        let mut rest = chunk.bytes.as_slice();
        while !rest.is_empty() {
            let at = sent[dir.index()];
            let place = &mut next[dir.index()];
            while cuts.get(*place).is_some_and(|cut| cut.dir != dir || cut.end <= at) {
                *place += 1;
            }
            let room = cuts.get(*place).map_or(u64::MAX, |cut| cut.end - at);
            let (piece, later) = rest.split_at(rest.len().min(usize::try_from(room).unwrap_or(usize::MAX)));
            let before = all.len();
            tcp.send(dir, piece, Delivery::default(), &mut |time, packet| {
                all.push((time, packet.to_vec(), 0));
            });
            sent[dir.index()] += piece.len() as u64;
            rest = later;
            if piece.len() as u64 == room
                && let Some(last) =
                    all[before..].iter_mut().rev().find(|(time, data, _)| carries(*time, data))
            {
                last.2 = *place as u64 + 1;
            }
        }
    }
    let lent: Vec<(Packet<'_>, u64)> = all
        .iter()
        .zip(1..)
        .map(|((time, data, cut), number)| {
            let wire_len = u32::try_from(data.len()).unwrap_or(u32::MAX);
            (Packet { number, time: *time, link: ETHERNET, data, wire_len }, *cut)
        })
        .collect();
    hand_on(&lent)
}

/// Whether a packet carries anything.
fn carries(time: Time, data: &[u8]) -> bool {
    let wire_len = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let packet = Packet { number: 1, time, link: ETHERNET, data, wire_len };
    matches!(glance(&packet), Some(Glance::Segment { data, .. }) if !data.is_empty())
}
