//! What the tests share: packets to be built, a sink that writes everything down.

use std::collections::{BTreeMap, BTreeSet};

use etherparse::PacketBuilder;

use super::*;
use crate::limits;

/// What a sink was told, one line a call; data is joined per side as well.
#[derive(Default)]
pub struct Log {
    pub lines: Vec<String>,
    /// Streams by flow, side and how often the flow's id was opened; a missing byte is `None`.
    pub streams: BTreeMap<(usize, usize), Vec<Option<u8>>>,
    /// Who said how much, call by call.
    pub said: Vec<(Side, usize)>,
    opened: BTreeMap<u32, usize>,
    flows: usize,
    ended: BTreeSet<(usize, usize)>,
    pub interest: Option<Interest>,
    /// Bytes of the link layer's header, which are not counted.
    link: u32,
    /// What TCP said of each flow, as it was over.
    pub facts: Vec<TcpFacts>,
    /// Of which side of a flow something is missing that the other had, or may be.
    pub behind: BTreeSet<(usize, usize)>,
}

impl Log {
    fn interest(&self) -> Interest {
        self.interest.unwrap_or(Interest::Follow)
    }

    fn stream(&mut self, flow: FlowId, from: Side) -> &mut Vec<Option<u8>> {
        let key = (self.opened[&flow.0], from.index());
        assert!(!self.ended.contains(&key), "data after the end");
        self.streams.entry(key).or_default()
    }

    pub fn text(&self, flow: usize, side: Side) -> String {
        let bytes = self.streams.get(&(flow, side.index()));
        bytes.into_iter().flatten().map(|byte| byte.map_or('_', char::from)).collect()
    }
}

impl Log {
    /// What TCP said of each flow, but for where in a packet something stood: on another link layer that is
    /// elsewhere.
    fn facts_without_places(&self) -> String {
        let facts = format!("{:?}", self.facts);
        let parts = facts.split("byte: ").map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
        parts.collect()
    }
}

impl StreamSink for Log {
    fn open(&mut self, flow: FlowId, opened: &Opened) {
        assert!(self.opened.insert(flow.0, self.flows).is_none(), "opened twice");
        self.flows += 1;
        self.lines.push(format!("open {} {} {}", opened.a, opened.b, opened.syn_seen));
    }

    fn data(&mut self, flow: FlowId, from: Side, bytes: &[u8], at: At) -> Interest {
        assert!(!bytes.is_empty());
        self.stream(flow, from).extend(bytes.iter().copied().map(Some));
        self.said.push((from, bytes.len()));
        self.lines.push(format!("{from:?} {} @{}+{}", bytes.escape_ascii(), at.packet, at.byte - self.link));
        self.interest()
    }

    fn behind(&mut self, flow: FlowId, from: Side) {
        self.behind.insert((self.opened[&flow.0], from.index()));
    }

    fn gap(
        &mut self,
        flow: FlowId,
        from: Side,
        length: u64,
        between: (Option<u64>, Option<u64>),
    ) -> Interest {
        assert!(length > 0);
        self.stream(flow, from).extend(std::iter::repeat_n(None, length.min(1 << 20) as usize));
        self.lines.push(format!("{from:?} gap {length} {between:?}"));
        self.interest()
    }

    fn end(&mut self, flow: FlowId, from: Side, how: StreamEnd, _: Receipt, at: At) -> Interest {
        self.stream(flow, from);
        let key = (self.opened[&flow.0], from.index());
        self.ended.insert(key);
        self.lines.push(format!("{from:?} {how:?} @{}", at.packet));
        self.interest()
    }

    fn transport(&mut self, flow: FlowId, facts: Box<TcpFacts>) {
        assert!(self.opened.contains_key(&flow.0));
        self.facts.push(*facts);
    }

    fn close(&mut self, flow: FlowId, why: CloseReason, _: Time) {
        self.opened.remove(&flow.0).expect("closed without being open");
        self.lines.push(format!("close {why:?}"));
    }

    fn anomaly(&mut self, flow: FlowId, from: Side, finding: Finding, _: At) {
        assert!(self.opened.contains_key(&flow.0));
        self.lines.push(format!("{from:?} {}: {}", finding.rule.id, finding.got));
    }
}

/// A segment to be built: who sends, sequence number, flags with acknowledgement, data.
#[derive(Clone, Debug, PartialEq)]
pub struct Seg {
    pub from: Side,
    pub seq: u32,
    pub ack: Option<u32>,
    /// `S`, `F`, `R`.
    pub flags: &'static str,
    pub data: Vec<u8>,
    pub client_port: u16,
    pub window: u16,
}

pub fn seg(from: Side, seq: u32, ack: impl Into<Option<u32>>, flags: &'static str, data: &[u8]) -> Seg {
    Seg { from, seq, ack: ack.into(), flags, data: data.to_vec(), client_port: 5000, window: 4096 }
}

/// The IP packet; the data begins at byte 40.
pub fn build(seg: &Seg) -> Vec<u8> {
    let (client, server) = ([10, 0, 0, 9], [10, 0, 0, 1]);
    let (from, to, ports) = match seg.from {
        Side::A => (client, server, (seg.client_port, 80)),
        Side::B => (server, client, (80, seg.client_port)),
    };
    let mut builder = PacketBuilder::ipv4(from, to, 64).tcp(ports.0, ports.1, seg.seq, seg.window);
    if let Some(ack) = seg.ack {
        builder = builder.ack(ack);
    }
    for flag in seg.flags.chars() {
        builder = match flag {
            'S' => builder.syn(),
            'F' => builder.fin(),
            _ => builder.rst(),
        };
    }
    let mut packet = Vec::new();
    builder.write(&mut packet, &seg.data).unwrap();
    packet
}

/// Feeds packets a millisecond apart, to two further trackers as well, which have to tell the same: one that
/// takes none the short way, and one that gets them on Ethernet.
pub struct Feed {
    pub tracker: Tracker,
    pub log: Log,
    long_way: (Tracker, Log),
    on_ethernet: (Tracker, Log),
    pub number: u64,
    pub time: u64,
}

impl Feed {
    pub fn new() -> Self {
        Self::with_max_flows(limits::FLOWS)
    }

    pub fn with_max_flows(most: usize) -> Self {
        let tracker = || Tracker::with_max_flows(most);
        let long_way = (tracker().without_short_way(), Log::default());
        let on_ethernet = (tracker(), Log { link: 14, ..Log::default() });
        Self {
            tracker: tracker(),
            log: Log::default(),
            long_way,
            on_ethernet,
            number: 0,
            time: 1_000_000_000,
        }
    }

    pub fn raw(&mut self, data: &[u8]) -> crate::model::Flow {
        self.number += 1;
        self.time += 1_000_000;
        let time = Time(self.time);
        let packet = Packet { number: self.number, time, link: 101, data, wire_len: data.len() as u32 };
        let (tracker, log) = &mut self.long_way;
        log.interest = self.log.interest;
        let going = tracker.packet(&packet, log);
        let kind = if data.first().is_some_and(|first| first >> 4 == 6) { [0x86, 0xDD] } else { [8, 0] };
        let framed = [&[2; 12], &kind[..], data].concat();
        let (tracker, log) = &mut self.on_ethernet;
        log.interest = self.log.interest;
        assert_eq!(tracker.packet(&Packet { link: 1, data: &framed, ..packet }, log), going);
        assert_eq!(self.tracker.packet(&packet, &mut self.log), going);
        going
    }

    pub fn seg(&mut self, seg: &Seg) {
        assert!(self.raw(&build(seg)).is_continue());
    }

    pub fn segs(&mut self, segs: &[Seg]) {
        for seg in segs {
            self.seg(seg);
        }
    }

    pub fn finish(mut self) -> Log {
        assert!(self.tracker.finish(&mut self.log).is_continue());
        assert_eq!(self.tracker.flows(), 0);
        assert_eq!(self.tracker.held(), 0);
        for (mut tracker, mut log) in [self.long_way, self.on_ethernet] {
            // Some tests feed packets in other ways besides.
            if tracker.counts() == self.tracker.counts() {
                assert!(tracker.finish(&mut log).is_continue());
                assert_eq!(self.log.lines, log.lines);
                assert_eq!(self.log.facts_without_places(), log.facts_without_places());
            }
        }
        self.log
    }
}
