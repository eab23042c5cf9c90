//! Pings and the pongs that answer them (RFC 6455 §5.5.2, §5.5.3).

use super::seen::Seen;
use super::{Side, Sight, Story};
use crate::limits;
use crate::model::quantity::moment;
use crate::model::{Case, Dir, Finding, Measure, Quantity, Span, Text, Time, Waiting};
use crate::ws::{PING_NOT_ANSWERED, PONG_PAYLOAD_MISMATCH, PONG_SLOW, UNSOLICITED_PONG};

/// A ping that awaits its pong.
#[derive(Debug)]
pub(super) struct Ping {
    n: u64,
    packet: u64,
    time: Option<Time>,
    /// As much of it as a ping may have.
    payload: Box<[u8]>,
    length: u64,
    at: Span,
    /// Whether the other endpoint has sent a frame since.
    pub overtaken: bool,
    /// Where the first pong with another payload that came since has its own.
    other_pong: Option<Span>,
}

impl Side {
    /// Its last ping before a Close frame, if no pong has come of its peer since.
    pub(super) fn waiting(&self) -> Option<Waiting> {
        let ping = self.pings.back().filter(|ping| ping.other_pong.is_none())?;
        let (since, (answered, slowest)) = (ping.time.filter(|_| ping.time == self.pinged)?, self.pongs);
        Some(Waiting { since, packet: ping.packet, answered, slowest, interval: self.interval })
    }
}

impl Story {
    pub(super) fn ping(&mut self, dir: Dir, seen: &Seen<'_>) {
        let is_open = self.first_closer.is_none();
        let Side { pings, pinged, strays, interval, .. } = &mut self.sides[dir.index()];
        if is_open {
            *interval = seen.time.zip(*pinged).map(|(now, before)| now.since(before));
            *pinged = seen.time.or(*pinged);
        }
        let payload = seen.control_payload();
        if let Some(answered) = strays.iter().position(|stray| **stray == *payload) {
            // It stood behind a hole.
            strays.drain(..=answered);
            return;
        }
        if pings.len() == limits::PINGS_OUTSTANDING {
            pings.pop_front();
        }
        pings.push_back(Ping {
            n: seen.n,
            packet: seen.packet,
            time: seen.time,
            payload: payload.into(),
            length: seen.header.length,
            at: seen.opcode_at(),
            overtaken: false,
            other_pong: None,
        });
    }

    pub(super) fn pong(&mut self, dir: Dir, seen: &Seen<'_>, peer: Sight, findings: &mut Vec<Finding>) {
        let time = seen.time;
        let asker = &mut self.sides[dir.peer().index()];
        // What it answers may have been sent before the capture began, or be lost.
        let is_missing = peer.blind || (peer.late && !asker.answered);
        let pings = &mut asker.pings;
        let payload = seen.control_payload();
        let answers = |ping: &Ping| *ping.payload == *payload && ping.length == seen.header.length;
        let Some(index) = pings.iter().position(answers) else {
            //= RFC 6455 §5.5.3
            //# A Pong frame MAY be sent unsolicited.
            // So it may be with a ping under way; whether that one is answered too shows later.
            if is_missing || !peer.seen {
                if asker.strays.len() == limits::PINGS_OUTSTANDING {
                    asker.strays.pop_front();
                }
                asker.strays.push_back(payload.into());
            } else {
                for ping in pings {
                    ping.other_pong.get_or_insert_with(|| seen.payload_at());
                }
            }
            if peer.seen && !is_missing {
                findings.push(
                    Finding::new(
                        &UNSOLICITED_PONG,
                        dir,
                        "a ping with this payload before it".into(),
                        "none".into(),
                    )
                    .at(seen.opcode_at()),
                );
            }
            return;
        };
        //= RFC 6455 §5.5.3
        //# MAY elect to
        //# send a Pong frame for only the most recently processed Ping frame.
        let ping = pings.drain(..=index).next_back();
        asker.answered = true;
        let Some(ping) = ping else { return };
        let took = ping.time.zip(time).map_or(0, |(sent, now)| now.since(sent));
        asker.pongs = (asker.pongs.0 + 1, asker.pongs.1.max(took));
        if let (Some(sent), Some(now)) = (ping.time, time)
            && now.since(sent) > limits::PONG_SOON
        {
            findings.push(
                Finding::new(
                    &PONG_SLOW,
                    dir,
                    "a pong as soon as is practical".into(),
                    Text::with("{} later", moment(now.since(sent))),
                )
                .at(seen.opcode_at())
                .at(ping.at)
                .like(Case::new(
                    Text::new("had a pong of the {} that came late").word(dir.name()),
                    vec![Measure::of(Quantity::Waited, now.since(sent))],
                )),
            );
        }
    }

    pub(super) fn unanswered_pings(&self, now: Option<Time>, sight: [Sight; 2], findings: &mut Vec<Finding>) {
        for dir in [Dir::Client, Dir::Server] {
            // Who has said nothing at all has not answered either.
            let is_whole = sight[dir.peer().index()].is_whole();
            // Only the latest ping has to be answered, and only when there was time for it: a Close
            // frame, or the end of TCP, ends the waiting.
            let pings = &self.sides[dir.index()].pings;
            let Some(last) = pings.back() else { continue };
            let closes = self.sides.iter().filter_map(|side| side.close.as_ref());
            let ended = self.first_end.and_then(|(_, end)| end.time);
            let until = closes.map(|close| close.time).chain([ended]).flatten().min().or(now);
            let waited = match (last.time, until) {
                (Some(sent), Some(until)) => until.since(sent) > limits::PONG_SOON,
                _ => last.overtaken,
            };
            if waited && is_whole {
                // One that was followed by other pongs tells more.
                let ping = pings.iter().rfind(|ping| ping.other_pong.is_some()).unwrap_or(last);
                //= RFC 6455 §5.5.2
                //# Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in
                //# response
                let expected = Text::with("a pong for ping {}", ping.n);
                findings.push(if let Some(pong) = ping.other_pong {
                    //= RFC 6455 §5.5.3
                    //# A Pong frame sent in response to a Ping frame must have identical
                    //# "Application data" as found in the message body of the Ping frame
                    let got = "only pongs with other payloads".into();
                    let what = Text::new("had pings of the {} answered with other payloads").word(dir.name());
                    let found = Finding::new(&PONG_PAYLOAD_MISMATCH, dir.peer(), expected, got);
                    found.at(pong).at(ping.at).like(Case::new(what, Vec::new()))
                } else {
                    let what = Text::new("had a ping of the {} that was not answered").word(dir.name());
                    let wait = last.time.zip(until).map(|(sent, until)| until.since(sent));
                    let wait = wait.map(|wait| Measure::of(Quantity::Waited, wait));
                    let found = Finding::new(&PING_NOT_ANSWERED, dir.peer(), expected, "none".into());
                    found.at(ping.at).like(Case::new(what, wait.into_iter().collect()))
                });
            }
        }
    }
}
