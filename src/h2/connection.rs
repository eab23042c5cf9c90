//! A connection of HTTP/2: both endpoints' frames, the streams, and what happens on them.

mod judge;

use std::collections::{HashMap, VecDeque};

use foldhash::fast::RandomState;

use super::block::{Block, HeadSeen, SENT};
use super::flood::Flood;
use super::hpack::Tables;
use super::reader::{FrameSeen, Read, Reader, Run};
use super::settings::Settings;
use super::shape::Chain;
use super::stream::Stream;
use super::{CONTINUATION, FLOW_CONTROL, INFERRED, NOT_FOLLOWED, PADDING, PREFACE_INVALID, RAPID_RESET};
use crate::limits;
use crate::model::http2::{FrameHeader, Kind, PREFACE};
use crate::model::{At, Dir, Finding, Missing, Rule, Severity, Span, Text};

/// What happens. Spans of findings are of the sender's stream.
#[derive(Debug)]
pub enum Event<'b> {
    /// The client's preface, or a frame that concerns the connection or what becomes of a stream.
    Frame(Box<FrameSeen>, Vec<Finding>),
    /// Header fields.
    Head(Box<HeadSeen>),
    /// Content of a stream.
    Data(u32, Run<'b>),
    /// An endpoint sends nothing on a stream any more.
    End(u32, At),
    /// Something is wrong that no frame is told of.
    Note(Vec<Finding>, At),
    /// Bytes that were held until it was known what they are, to be read now.
    Again(Vec<(u64, At, Vec<u8>)>),
}

/// A connection, whatever carries it.
#[derive(Debug)]
pub struct Connection {
    pub(super) lanes: [Lane; 2],
    pub(super) streams: HashMap<u32, Stream, RandomState>,
    /// The highest stream that the client has opened, and that the server has promised.
    pub(super) highest: [u32; 2],
    /// Bytes of DATA that each may send on all streams together.
    pub(super) window: [i64; 2],
    /// All that windows depend on was seen.
    pub(super) knows_windows: bool,
    /// The beginning was not captured, or something is missing.
    pub(super) is_midway: bool,
    is_crowded: bool,
    is_inferred: bool,
    findings: u64,
    /// The rule that the client, and the server, broke last.
    pub(super) broken: [Option<&'static Rule>; 2],
    queue: VecDeque<Event<'static>>,
}

/// What is kept of an endpoint.
#[derive(Debug, Default)]
pub(super) struct Lane {
    reader: Reader,
    /// What is there of the preface; `None` once it is over.
    preface: Option<FrameSeen>,
    /// No frame has come.
    pub is_first: bool,
    pub tables: Tables,
    block: Option<Block>,
    pub settings: Settings,
    pub flood: Flood,
    /// Where frames begin is not known.
    lost: Option<Chain>,
}

impl Connection {
    /// A connection whose first bytes are to come: the client's preface, and a server's frames.
    pub fn new() -> Self {
        let client = Lane { preface: Some(FrameSeen::default()), is_first: true, ..Lane::default() };
        let server = Lane { is_first: true, ..Lane::default() };
        Self {
            lanes: [client, server],
            streams: HashMap::default(),
            highest: [0, 0],
            window: [65_535; 2],
            knows_windows: true,
            is_midway: false,
            is_crowded: false,
            is_inferred: false,
            findings: 0,
            broken: [None; 2],
            queue: VecDeque::new(),
        }
    }

    /// The same, by a 101 of HTTP/1.1 (RFC 7540 §3.2): the request is that of stream 1, and came with these
    /// settings of the client, if that was captured.
    pub fn upgraded(settings: Option<Vec<u8>>) -> Self {
        let mut it = Self::new();
        (it.knows_windows, it.is_midway) = (settings.is_some(), settings.is_none());
        if let Some(payload) = settings {
            let client = &mut it.lanes[Dir::Client.index()];
            let frame = FrameSeen { payload, ..FrameSeen::default() };
            client.settings.take(&frame, Dir::Client, &mut Vec::new());
            // The 101 itself acknowledges them.
            client.settings.acknowledged();
        }
        let mut first = it.fresh(true);
        first.heads[Dir::Client.index()] = true;
        first.ended[Dir::Client.index()] = true;
        it.streams.insert(1, first);
        it.highest[0] = 1;
        it
    }

    /// A connection of which the client's preface was captured, but perhaps not all that came before it.
    /// `is_heard` says that what there is of the server begins with a frame.
    pub fn joined(is_heard: bool) -> Self {
        let mut it = Self::new();
        // SETTINGS of the server may be missing, and a request of HTTP/1.1 that stream 1 answers.
        (it.knows_windows, it.is_midway) = (false, true);
        let server = &mut it.lanes[Dir::Server.index()];
        server.is_first = false;
        if !is_heard {
            server.tables.lose();
            server.lost = Some(Chain::default());
        }
        it
    }

    /// A connection whose beginning was not captured: where frames begin is found by their shape.
    pub fn midway() -> Self {
        let mut it = Self::new();
        for lane in &mut it.lanes {
            (lane.preface, lane.is_first) = (None, false);
            lane.tables.lose();
            lane.lost = Some(Chain::default());
        }
        (it.knows_windows, it.is_midway) = (false, true);
        it
    }

    /// Something of an endpoint may not be there that its peer had when it sent what comes next.
    pub fn behind(&mut self) {
        (self.knows_windows, self.is_midway) = (false, true);
    }

    /// What the server sent first may not be there.
    pub fn begins_unseen(&mut self) {
        self.behind();
        self.lanes[Dir::Server.index()].tables.lose();
    }

    /// Whether what there is of `dir` waits until it is known where frames begin.
    pub fn is_seeking(&self, dir: Dir) -> bool {
        self.lanes[dir.index()].lost.is_some()
    }

    /// Whether something before is not known.
    pub fn is_midway(&self) -> bool {
        self.is_midway
    }

    /// The server's `ENABLE_CONNECT_PROTOCOL`, if it has sent one (RFC 8441 §3).
    pub fn connect_protocol(&self) -> Option<u32> {
        self.lanes[Dir::Server.index()].settings.connect_protocol
    }

    /// Bytes that it holds.
    pub fn cost(&self) -> usize {
        let lane = |lane: &Lane| {
            let block = lane.block.as_ref().map_or(0, Block::cost);
            let held = lane.lost.as_ref().map_or(0, Chain::cost);
            lane.tables.cost() + lane.reader.cost() + block + held
        };
        let streams = self.streams.capacity() * (size_of::<Stream>() + size_of::<u32>());
        size_of::<Self>() + self.lanes.iter().map(lane).sum::<usize>() + streams
    }

    /// What happens next in the bytes that `dir` sent; `None` once all are used.
    pub fn next<'b>(&mut self, dir: Dir, run: &mut Run<'b>) -> Option<Event<'b>> {
        loop {
            if let Some(event) = self.queue.pop_front() {
                return Some(event);
            }
            let lane = &mut self.lanes[dir.index()];
            if lane.lost.is_some() {
                if run.bytes.is_empty() {
                    return None;
                }
                self.seek(dir, run.take(usize::MAX));
                continue;
            }
            if lane.preface.is_some() {
                if run.bytes.is_empty() {
                    return None;
                }
                self.preface(run);
                continue;
            }
            match lane.reader.next(run)? {
                Read::Header(header) => self.header(dir, header, run.at),
                Read::Data(stream, data) => {
                    if self.streams.contains_key(&stream) {
                        return Some(Event::Data(stream, data));
                    }
                }
                Read::Frame(frame) => self.frame(dir, frame),
            }
        }
    }

    /// So much of `dir` is missing. Gives the stream that alone lacks something, where they are
    /// within a frame of its content; otherwise each may.
    pub fn gap(&mut self, dir: Dir, missing: Missing) -> Option<u32> {
        // What the peer's windows depend on may be among it.
        self.knows_windows = false;
        let lane = &mut self.lanes[dir.index()];
        let under_way = lane.reader.under_way().filter(|(header, left)| {
            let is_within = missing.is_exact && u64::from(*left) >= missing.length;
            header.kind == Kind::DATA && is_within
        });
        if !(missing.is_exact && lane.reader.skip(missing.length)) {
            let settings = lane.settings.clone();
            *lane = Lane { settings, lost: Some(Chain::default()), ..Lane::default() };
            lane.tables.lose();
            self.is_midway = true;
        }
        under_way.map(|(header, _)| header.stream)
    }

    /// Streams on which `dir` may have sent what is missing.
    pub fn open_streams(&self, dir: Dir) -> Vec<u32> {
        let open = self.streams.iter().filter(|(_, stream)| !stream.ended[dir.index()]);
        open.map(|(id, _)| *id).collect()
    }

    pub(super) fn fresh(&self, by_client: bool) -> Stream {
        // Each sends as much as the other's settings allow.
        let [client, server] = &self.lanes;
        Stream::new([server.settings.window, client.settings.window], by_client)
    }

    pub(super) fn tell(&mut self, event: Event<'static>) {
        self.queue.push_back(event);
    }

    /// Findings are built as long as somebody may read them.
    pub(super) fn note(&mut self, findings: Vec<Finding>, at: At) {
        let findings = self.rationed(findings);
        if !findings.is_empty() {
            self.tell(Event::Note(findings, at));
        }
    }

    pub(super) fn rationed(&mut self, mut findings: Vec<Finding>) -> Vec<Finding> {
        let left = limits::FINDINGS_BUILT.saturating_sub(self.findings);
        findings.truncate(usize::try_from(left).unwrap_or(usize::MAX));
        self.findings += findings.len() as u64;
        for finding in &findings {
            if let Some(dir) = finding.blame.filter(|_| finding.rule.severity > Severity::Note) {
                self.broken[dir.index()] = Some(finding.rule);
            }
        }
        findings
    }

    /// Bytes of the client's preface.
    fn preface(&mut self, run: &mut Run<'_>) {
        let preface = &mut self.lanes[Dir::Client.index()].preface;
        let Some(seen) = preface else { return };
        let taken = run.take(PREFACE.len() - seen.payload.len());
        if seen.payload.is_empty() {
            seen.offset = taken.offset;
        }
        seen.payload.extend_from_slice(taken.bytes);
        seen.came(&taken);
        let Some(seen) = preface.take_if(|seen| seen.payload.len() == PREFACE.len()) else { return };
        let wrong = seen.payload.iter().zip(PREFACE).position(|(got, right)| got != right);
        let finding = wrong.map(|at| {
            let got = Text::with("byte 0x{}", format!("{:02x}", seen.payload[at]));
            let span = Span::bytes(SENT, seen.offset + at as u64, 1);
            let expected = "PRI * HTTP/2.0, an empty line, SM, an empty line".into();
            Finding::new(&PREFACE_INVALID, Dir::Client, expected, got).at(span)
        });
        let findings = self.rationed(finding.into_iter().collect());
        self.tell(Event::Frame(Box::new(seen), findings));
    }

    /// A frame's header was read.
    fn header(&mut self, dir: Dir, header: FrameHeader, at: At) {
        if self.is_midway && header.stream > 0 {
            self.meet(header);
        }
        if header.kind != Kind::DATA {
            return;
        }
        let index = dir.index();
        let length = i64::from(header.length);
        self.window[index] -= length;
        let all = self.window[index];
        let stream = self.streams.get_mut(&header.stream);
        let one = stream.map(|stream| {
            stream.window[index] -= length;
            stream.window[index]
        });
        if !self.knows_windows || length == 0 {
            return;
        }
        let too_much = match one {
            Some(one) if one < 0 => Some(("the stream's window of {} bytes", one)),
            _ if all < 0 => Some(("the connection's window of {} bytes", all)),
            _ => None,
        };
        let Some((window, left)) = too_much else { return };
        let expected = Text::with(window, (left + length).max(0));
        let got = Text::with("{} bytes of DATA on stream {}", length).and(header.stream);
        let finding = Finding::new(&FLOW_CONTROL, dir, expected, got);
        // Told once: what comes next is too much as well.
        self.knows_windows = false;
        self.note(vec![finding], at);
    }

    /// A stream of which the beginning may not have been seen.
    fn meet(&mut self, header: FrameHeader) {
        let FrameHeader { kind, stream: id, .. } = header;
        let by_client = id % 2 == 1;
        let highest = &mut self.highest[usize::from(!by_client)];
        *highest = id.max(*highest);
        // Others come for streams that are over, too.
        let is_open = matches!(kind, Kind::DATA | Kind::HEADERS | Kind::PUSH_PROMISE);
        if is_open && !self.streams.contains_key(&id) {
            self.open(id, by_client);
        }
    }

    /// A stream begins.
    pub(super) fn open(&mut self, id: u32, by_client: bool) {
        if self.streams.len() >= limits::H2_STREAMS {
            if !std::mem::replace(&mut self.is_crowded, true) {
                let expected = Text::with("at most {} streams at a time", limits::H2_STREAMS);
                let got = "one more".into();
                self.note(vec![Finding::new(&NOT_FOLLOWED, None, expected, got)], At::default());
            }
            return;
        }
        let stream = self.fresh(by_client);
        self.streams.insert(id, stream);
    }

    /// A frame is whole.
    fn frame(&mut self, dir: Dir, frame: Box<FrameSeen>) {
        let header = frame.header;
        let mut findings = Vec::new();
        judge::frame(self, dir, &frame, &mut findings);
        let lane = &mut self.lanes[dir.index()];
        lane.is_first = false;
        let goes_on = |block: &Block| header.kind == Kind::CONTINUATION && header.stream == block.stream();
        if let Some(block) = lane.block.take_if(|block| !goes_on(block)) {
            // RFC 9113 §6.10: A CONTINUATION frame MUST be preceded by a HEADERS, PUSH_PROMISE or
            // CONTINUATION frame without the END_HEADERS flag set.
            let got = Text::with("{} on stream {}", header.kind.shown()).and(header.stream);
            let expected = Text::with("CONTINUATION on stream {}", block.stream());
            let span = Span::bytes(SENT, frame.offset, 9);
            findings.push(Finding::new(&CONTINUATION, dir, expected, got).at(span));
            lane.tables.lose();
        }
        match header.kind {
            Kind::DATA => {
                if frame.is_badly_padded() {
                    let got = Text::with("{} bytes of padding in {}", frame.padding - 1).and(header.length);
                    let span = Span::bytes(SENT, frame.offset + 9, 1);
                    let expected = "less padding than the frame has bytes".into();
                    findings.push(Finding::new(&PADDING, dir, expected, got).at(span));
                }
                self.note(findings, frame.at);
                if header.ends_stream() {
                    self.ends(dir, header.stream, frame.at);
                }
            }
            Kind::HEADERS | Kind::PUSH_PROMISE | Kind::CONTINUATION => {
                let at = frame.at;
                let lane = &mut self.lanes[dir.index()];
                match (&mut lane.block, header.kind) {
                    (Some(block), Kind::CONTINUATION) => block.go_on(&frame),
                    (None, Kind::CONTINUATION) => {
                        let got = Text::with("CONTINUATION on stream {}", header.stream);
                        let expected = "HEADERS without END_HEADERS before it".into();
                        let span = Span::bytes(SENT, frame.offset, 9);
                        findings.push(Finding::new(&CONTINUATION, dir, expected, got).at(span));
                        lane.tables.lose();
                        return self.note(findings, at);
                    }
                    (block, _) => *block = Some(Block::begin(*frame, dir)),
                }
                if header.has(FrameHeader::END_HEADERS)
                    && let Some(block) = lane.block.take()
                {
                    let mut head = block.end(dir, &mut lane.tables);
                    head.findings.splice(0..0, findings);
                    self.head(dir, head);
                } else {
                    self.note(findings, at);
                }
            }
            Kind::RST_STREAM => {
                let reset = self.streams.remove(&header.stream);
                let unanswered = |stream: &Stream| !stream.heads[Dir::Server.index()] && stream.by_client;
                if reset.as_ref().is_some_and(unanswered)
                    && let Some(count) = self.lanes[Dir::Client.index()].flood.reset(frame.at.time)
                {
                    let seconds = limits::H2_FLOOD_TIME / 1_000_000_000;
                    let got = Text::with("{} streams within {} s", count).and(seconds);
                    let expected = "requests whose answers are awaited".into();
                    findings.push(Finding::new(&RAPID_RESET, Dir::Client, expected, got));
                }
                let findings = self.rationed(findings);
                self.tell(Event::Frame(frame, findings));
            }
            Kind::SETTINGS | Kind::PING | Kind::GOAWAY => {
                let findings = self.rationed(findings);
                self.tell(Event::Frame(frame, findings));
            }
            // WINDOW_UPDATE, PRIORITY, and extensions, which receivers that do not know them skip
            // (RFC 9113 §4.1).
            _ => self.note(findings, frame.at),
        }
    }

    /// A header block is whole.
    fn head(&mut self, dir: Dir, mut head: HeadSeen) {
        judge::head(self, dir, &mut head);
        head.findings = self.rationed(std::mem::take(&mut head.findings));
        let (stream, ends, at) = (head.stream, head.ends_stream, head.at);
        if let Some(known) = self.streams.get_mut(&stream) {
            known.heads[dir.index()] |= head.promised.is_none();
            self.tell(Event::Head(Box::new(head)));
        } else {
            self.note(std::mem::take(&mut head.findings), at);
        }
        if ends {
            self.ends(dir, stream, at);
        }
    }

    fn ends(&mut self, dir: Dir, id: u32, at: At) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if std::mem::replace(&mut stream.ended[dir.index()], true) {
            return;
        }
        if stream.is_over() {
            self.streams.remove(&id);
        }
        self.tell(Event::End(id, at));
    }

    /// Bytes of which it is not known where frames begin in them.
    fn seek(&mut self, dir: Dir, run: Run<'_>) {
        let lane = &mut self.lanes[dir.index()];
        let Some(chain) = &mut lane.lost else { return };
        chain.push(run.bytes, run.at, run.offset);
        if !chain.is_found() {
            return;
        }
        let Some(chain) = lane.lost.take() else { return };
        let expected = "a connection that is captured from its beginning, without a hole".into();
        let got = "frames whose headers lead from one to the next".into();
        let pieces = chain.into_pieces();
        let at = pieces.first().map_or(run.at, |(_, at, _)| *at);
        if !std::mem::replace(&mut self.is_inferred, true) {
            self.note(vec![Finding::new(&INFERRED, None, expected, got)], at);
        }
        self.tell(Event::Again(pieces));
    }
}

impl Default for Connection {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: Kind, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = payload.len() as u32;
        [&FrameHeader { length, kind, flags, stream, reserved: false }.written(), payload].concat()
    }

    /// Has an endpoint say something; all that is found about it.
    fn says(it: &mut Connection, dir: Dir, bytes: &[u8]) -> Vec<Finding> {
        let mut run = Run { bytes, at: At::default(), offset: 0 };
        let mut found = Vec::new();
        while let Some(event) = it.next(dir, &mut run) {
            match event {
                Event::Frame(_, findings) | Event::Note(findings, _) => found.extend(findings),
                Event::Again(pieces) => {
                    found.extend(pieces.iter().flat_map(|(.., bytes)| says(it, dir, bytes)));
                }
                Event::Head(_) | Event::Data(..) | Event::End(..) => {}
            }
        }
        found
    }

    /// Where the beginning was not captured, what comes behind the end of a stream does not open it again.
    #[test]
    fn streams_that_are_over_are_not_met_again() {
        let mut it = Connection::midway();
        let piece = frame(Kind::DATA, 0, 1, b"x");
        let said = [&piece[..], &piece, &frame(Kind::DATA, FrameHeader::END_STREAM, 1, b"x")].concat();
        for dir in [Dir::Client, Dir::Server] {
            let found = says(&mut it, dir, &said);
            assert!(found.iter().all(|finding| *finding.rule == INFERRED), "{found:?}");
        }
        assert!(it.open_streams(Dir::Client).is_empty());
        let late = [
            frame(Kind::WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]),
            frame(Kind::PRIORITY, 0, 3, &[0; 5]),
            frame(Kind::RST_STREAM, 0, 5, &[0; 4]),
        ];
        let found = says(&mut it, Dir::Client, &late.concat());
        assert!(found.is_empty(), "{found:?}");
        assert!(it.open_streams(Dir::Client).is_empty());
        // Nor are they requests that were thrown away unanswered.
        for n in 0..2 * limits::H2_FLOOD {
            let reset = frame(Kind::RST_STREAM, 0, 2 * n + 1, &[0, 0, 0, 8]);
            let found = says(&mut it, Dir::Client, &reset);
            assert!(found.is_empty(), "{n}: {found:?}");
        }
    }
}
