//! What really happened: the same columns counted from the packets of captures.
//!
//! Every byte of a packet from the IP header on goes into one column: the messages,
//! HTTP heads, frames, the headers of packets that carry data, pure acknowledgements,
//! what opens and closes connections, and what was sent again.

use std::collections::VecDeque;
use std::net::SocketAddr;

use foldhash::{HashMap, HashMapExt as _};

use crate::http::{Body, Head, HeadReader, HeadState, StartLine};
use crate::input::{Input, InputError};
use crate::limits;
use crate::model::{At, Finding, SourceId};
use crate::net::{
    CloseReason, FlowId, Interest, Measured, Opened, Packet, Side, StreamEnd, StreamSink, Tracker, measure,
};
use crate::ws::header;

/// How a connection was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// Requests of which at least one was made again.
    Polling,
    EventStream,
    WebSocket,
    SocketIoPolling,
    SocketIoWebSocket,
    /// HTTP that asks for nothing twice, or no HTTP.
    Other,
}

impl Use {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Polling => "HTTP polling",
            Self::EventStream => "server-sent events",
            Self::WebSocket => "WebSocket",
            Self::SocketIoPolling => "Socket.IO, polling",
            Self::SocketIoWebSocket => "Socket.IO, WebSocket",
            Self::Other => "other",
        }
    }

    /// Whether clients ask again and again.
    pub fn is_polling(self) -> bool {
        matches!(self, Self::Polling | Self::SocketIoPolling)
    }

    /// Whether frames of RFC 6455 carry it.
    pub fn is_web_socket(self) -> bool {
        matches!(self, Self::WebSocket | Self::SocketIoWebSocket)
    }
}

/// Bytes and numbers of all connections of one use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub connections: u64,
    /// Content of HTTP bodies and of data frames.
    pub application: u64,
    /// HTTP heads, the opening handshake's among them.
    pub heads: u64,
    /// Frame headers, control frames, chunk framing, and stream bytes that were not understood.
    pub framing: u64,
    /// IP and TCP headers of packets that bring new data.
    pub headers: u64,
    pub acks: u64,
    pub ack_bytes: u64,
    /// Packets without data that open or close a connection.
    pub opening: u64,
    pub opening_bytes: u64,
    /// Packets whose data was all seen before.
    pub resent: u64,
    pub resent_bytes: u64,
    pub requests: u64,
    /// Answers without content.
    pub empty: u64,
    /// Data messages; of HTTP, bodies that are not empty, whatever they hold.
    pub messages: u64,
}

impl Counted {
    /// Every byte from the IP header on.
    pub fn total(&self) -> u64 {
        self.application
            + self.heads
            + self.framing
            + self.headers
            + self.ack_bytes
            + self.opening_bytes
            + self.resent_bytes
    }

    fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.connections, other.connections),
            (&mut self.application, other.application),
            (&mut self.heads, other.heads),
            (&mut self.framing, other.framing),
            (&mut self.headers, other.headers),
            (&mut self.acks, other.acks),
            (&mut self.ack_bytes, other.ack_bytes),
            (&mut self.opening, other.opening),
            (&mut self.opening_bytes, other.opening_bytes),
            (&mut self.resent, other.resent),
            (&mut self.resent_bytes, other.resent_bytes),
            (&mut self.requests, other.requests),
            (&mut self.empty, other.empty),
            (&mut self.messages, other.messages),
        ];
        for (mine, theirs) in pairs {
            *mine += theirs;
        }
    }
}

/// Counts captures, one after the other.
#[derive(Default)]
pub struct Counter {
    flows: Vec<Connection>,
    /// How often each target was asked for, over all captures.
    asked: HashMap<String, u64>,
}

impl Counter {
    /// Counts one capture.
    ///
    /// # Errors
    /// When it cannot be read, or is no capture.
    pub fn read(&mut self, input: Input, progress: &mut dyn FnMut(u64)) -> Result<(), InputError> {
        let Input::Capture(mut capture) = input else { return Ok(()) };
        let mut reader = Reader { open: HashMap::new(), flows: HashMap::new(), order: Vec::new() };
        let mut tracker = Tracker::new();
        while let Some(packet) = capture.next() {
            let packet = packet?;
            let (number, link) = (packet.number, packet.link);
            let packet =
                Packet { number, time: packet.time, link, data: packet.data, wire_len: packet.wire_len };
            if let Some(measured) = measure(&packet) {
                reader.packet(&measured);
            }
            // The reader never says stop.
            let _ = tracker.packet(&packet, &mut reader);
            if number % 4096 == 0 {
                progress(capture.bytes_read());
            }
        }
        let _ = tracker.finish(&mut reader);
        for pair in reader.order {
            let Some(connection) = reader.flows.remove(&pair) else { continue };
            for target in &connection.http.targets {
                *self.asked.entry(target.clone()).or_default() += 1;
            }
            self.flows.push(connection);
        }
        Ok(())
    }

    /// The sums, by use, in a fixed order.
    pub fn finish(self) -> Vec<(Use, Counted)> {
        let mut sums: Vec<(Use, Counted)> = Vec::new();
        for connection in &self.flows {
            let used = connection.used(&self.asked);
            let counted = connection.counted();
            match sums.iter_mut().find(|(known, _)| *known == used) {
                Some((_, sum)) => sum.add(&counted),
                None => sums.push((used, counted)),
            }
        }
        sums.sort_by_key(|(used, _)| *used);
        sums
    }
}

/// The addresses of a connection, whichever way.
type Pair = (SocketAddr, SocketAddr);

fn pair(a: SocketAddr, b: SocketAddr) -> Pair {
    if a <= b { (a, b) } else { (b, a) }
}

/// One capture being read.
struct Reader {
    open: HashMap<FlowId, Pair>,
    flows: HashMap<Pair, Connection>,
    order: Vec<Pair>,
}

impl Reader {
    fn packet(&mut self, packet: &Measured) {
        let pair = pair(packet.from, packet.to);
        let connection = self.flows.entry(pair).or_insert_with(|| {
            self.order.push(pair);
            Connection::default()
        });
        connection.packet(packet, usize::from(packet.from == pair.0));
    }

    fn connection(&mut self, flow: FlowId) -> Option<&mut Connection> {
        self.flows.get_mut(self.open.get(&flow)?)
    }
}

impl StreamSink for Reader {
    fn open(&mut self, flow: FlowId, opened: &Opened) {
        self.open.insert(flow, pair(opened.a, opened.b));
        if let Some(connection) = self.connection(flow) {
            connection.http.restart();
        }
    }

    fn data(&mut self, flow: FlowId, from: Side, bytes: &[u8], _: At) -> Interest {
        if let Some(connection) = self.connection(flow) {
            connection.http.data(from.index(), bytes);
        }
        Interest::Follow
    }

    fn gap(&mut self, flow: FlowId, from: Side, length: u64, _: (Option<u64>, Option<u64>)) -> Interest {
        if let Some(connection) = self.connection(flow) {
            connection.http.gap(from.index(), length);
        }
        Interest::Follow
    }

    fn end(&mut self, _: FlowId, _: Side, _: StreamEnd, _: At) -> Interest {
        Interest::Follow
    }

    fn close(&mut self, flow: FlowId, _: CloseReason) {
        self.open.remove(&flow);
    }

    fn anomaly(&mut self, _: FlowId, _: Side, _: Finding, _: At) {}
}

#[derive(Default)]
struct Connection {
    packets: Counted,
    /// Stream bytes that were new, whatever they are.
    stream: u64,
    /// By direction: what has been seen of the sequence numbers.
    seen: [Sequence; 2],
    http: Exchanges,
}

impl Connection {
    fn packet(&mut self, packet: &Measured, direction: usize) {
        let counted = &mut self.packets;
        let all = packet.headers + packet.data;
        if packet.syn {
            self.seen[direction].begin(packet.seq);
        }
        if packet.data == 0 {
            if packet.syn || packet.ends {
                counted.opening += 1;
                counted.opening_bytes += all;
            } else {
                counted.acks += 1;
                counted.ack_bytes += all;
            }
            return;
        }
        let first = packet.seq.wrapping_add(u32::from(packet.syn));
        let new = self.seen[direction].new_bytes(first, packet.data);
        if new == 0 {
            counted.resent += 1;
            counted.resent_bytes += all;
        } else {
            // What overlaps with earlier data was sent again, too.
            counted.headers += packet.headers;
            counted.resent_bytes += packet.data - new;
            self.stream += new;
        }
    }

    fn counted(&self) -> Counted {
        let mut counted = self.packets;
        counted.connections = 1;
        counted.add(&self.http.counted);
        let understood = self.http.counted.application + self.http.counted.heads + self.http.counted.framing;
        counted.framing += self.stream.saturating_sub(understood);
        counted
    }

    fn used(&self, asked: &HashMap<String, u64>) -> Use {
        let http = &self.http;
        let engine =
            http.targets.iter().any(|target| target.contains("EIO=") && target.contains("transport="));
        match () {
            () if http.upgraded && engine => Use::SocketIoWebSocket,
            () if http.upgraded => Use::WebSocket,
            () if engine => Use::SocketIoPolling,
            () if http.event_stream => Use::EventStream,
            () if http.targets.iter().any(|target| asked.get(target).is_some_and(|n| *n > 1)) => Use::Polling,
            () => Use::Other,
        }
    }
}

/// Which bytes of a direction have been seen.
#[derive(Default)]
struct Sequence {
    /// The next sequence number, counted on beyond 32 bits; `None` before the first packet.
    next: Option<u64>,
    /// Ranges below it that are missing: from, to.
    holes: VecDeque<(u64, u64)>,
}

impl Sequence {
    /// A connection begins.
    fn begin(&mut self, seq: u32) {
        let next = u64::from(seq) + 1;
        // A SYN sent again begins nothing.
        if self.next.is_none_or(|old| old as u32 != next as u32) {
            *self = Self { next: Some(next), holes: VecDeque::new() };
        }
    }

    /// How many of `length` bytes from `seq` on were not seen before; they are from now on.
    fn new_bytes(&mut self, seq: u32, length: u64) -> u64 {
        let next = *self.next.get_or_insert(u64::from(seq));
        // The nearest number, forwards or backwards, with these lower 32 bits.
        let from = next.wrapping_add_signed(i64::from(seq.wrapping_sub(next as u32).cast_signed()));
        let to = from + length;
        let mut new = 0;
        if to > next {
            if from > next && self.holes.len() < limits::REORDER_PACKETS as usize {
                self.holes.push_back((next, from));
            }
            new += to - from.max(next);
            self.next = Some(to);
        }
        for (low, high) in std::mem::take(&mut self.holes) {
            let (cut_low, cut_high) = (from.clamp(low, high), to.clamp(low, high));
            if to <= next || from < next {
                new += cut_high - cut_low;
            }
            let filled = cut_high > cut_low;
            if !filled {
                self.holes.push_back((low, high));
                continue;
            }
            for (low, high) in [(low, cut_low), (cut_high, high)] {
                if high > low {
                    self.holes.push_back((low, high));
                }
            }
        }
        new
    }
}

/// The HTTP exchanges of a connection, and its frames once it is upgraded.
#[derive(Default)]
struct Exchanges {
    counted: Counted,
    targets: Vec<String>,
    upgraded: bool,
    event_stream: bool,
    /// Methods of requests not yet answered.
    waiting: VecDeque<String>,
    directions: [Direction; 2],
}

#[derive(Default)]
struct Direction {
    at: Place,
    reader: HeadReader,
    /// Bytes of a frame header so far.
    header: Vec<u8>,
}

#[derive(Default)]
enum Place {
    #[default]
    Head,
    /// The body of a request, or of an answer.
    Body {
        body: Box<Body>,
        counted: u64,
        answer: bool,
    },
    Header,
    /// So many bytes of payload are left.
    Payload {
        left: u64,
        data: bool,
    },
    /// It is not understood.
    Lost,
}

impl Exchanges {
    /// Between the same addresses another connection begins.
    fn restart(&mut self) {
        self.directions = <[Direction; 2]>::default();
        self.waiting.clear();
    }

    fn gap(&mut self, side: usize, length: u64) {
        let direction = &mut self.directions[side];
        match &mut direction.at {
            Place::Payload { left, .. } if *left >= length => *left -= length,
            at => *at = Place::Lost,
        }
    }

    fn data(&mut self, side: usize, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.step(side, bytes);
            bytes = &bytes[taken.min(bytes.len())..];
        }
    }

    /// Takes at least one byte.
    fn step(&mut self, side: usize, bytes: &[u8]) -> usize {
        let direction = &mut self.directions[side];
        match &mut direction.at {
            Place::Lost => bytes.len(),
            Place::Head => {
                let progress = direction.reader.push(bytes);
                self.counted.heads += progress.consumed as u64;
                match progress.state {
                    HeadState::Complete => self.head(side),
                    HeadState::Overflowing => direction.at = Place::Lost,
                    HeadState::Reading => {}
                }
                progress.consumed.max(1)
            }
            Place::Body { body, counted, answer } => {
                let (taken, done) = body.push(bytes);
                let content = body.length() - *counted;
                *counted = body.length();
                self.counted.application += content;
                self.counted.framing += taken as u64 - content;
                if done {
                    let (length, answer) = (*counted, *answer);
                    direction.at = Place::Head;
                    self.body(length, answer);
                }
                taken.max(1)
            }
            Place::Header => {
                let mut taken = 0;
                while taken < bytes.len() {
                    direction.header.push(bytes[taken]);
                    taken += 1;
                    if let Ok(frame) = header::decode(&direction.header, SourceId::Input, 0, &mut ()) {
                        let data = !frame.opcode.is_control();
                        self.counted.framing += direction.header.len() as u64;
                        self.counted.messages += u64::from(data && frame.fin);
                        direction.header.clear();
                        if frame.length > 0 {
                            direction.at = Place::Payload { left: frame.length, data };
                        }
                        break;
                    }
                }
                taken
            }
            Place::Payload { left, data } => {
                let taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                if *data {
                    self.counted.application += taken as u64;
                } else {
                    self.counted.framing += taken as u64;
                }
                *left -= taken as u64;
                if *left == 0 {
                    direction.at = Place::Header;
                }
                taken
            }
        }
    }

    /// A head is complete.
    fn head(&mut self, side: usize) {
        let direction = &mut self.directions[side];
        let reader = std::mem::take(&mut direction.reader);
        let head = reader.parse(SourceId::Input, 0);
        let (body, answer) = if head.is_response() {
            let status = head.status().unwrap_or(200);
            // An interim response is not the answer yet.
            let interim = (100..200).contains(&status) && status != 101;
            let method = if interim { None } else { self.waiting.pop_front() };
            self.event_stream |=
                head.values("Content-Type").any(|v| v.bytes.starts_with(b"text/event-stream"));
            if status == 101 {
                self.upgraded = true;
                for direction in &mut self.directions {
                    direction.at = Place::Header;
                }
                return;
            }
            if interim {
                return;
            }
            (Body::for_response(&head, method.as_deref()), true)
        } else if let Some((method, target)) = request(&head) {
            self.counted.requests += 1;
            self.waiting.push_back(method);
            if self.targets.len() < limits::HTTP_REQUESTS_PIPELINED {
                self.targets.push(target);
            }
            (Body::for_request(&head), false)
        } else {
            direction.at = Place::Lost;
            return;
        };
        if body.is_done() {
            self.body(0, answer);
        } else {
            self.directions[side].at = Place::Body { body: Box::new(body), counted: 0, answer };
        }
    }

    /// A body is complete.
    fn body(&mut self, length: u64, answer: bool) {
        self.counted.messages += u64::from(length > 0);
        self.counted.empty += u64::from(answer && length == 0);
    }
}

fn request(head: &Head<'_>) -> Option<(String, String)> {
    match head.start {
        StartLine::Request { .. } => {
            let line = head.start_line();
            let mut words = line.split(' ');
            let method = words.next()?.to_owned();
            // What changes from poll to poll to get past caches does not make it another question.
            let target = words.next()?;
            let same: Vec<&str> =
                target.split('&').filter(|part| !part.starts_with("t=") && !part.starts_with("_=")).collect();
            Some((method, same.join("&")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_seen_before_are_not_new() {
        let mut seen = Sequence::default();
        seen.begin(u32::MAX - 4);
        let first = u32::MAX - 3;
        assert_eq!(seen.new_bytes(first, 4), 4, "up to the wrap");
        assert_eq!(seen.new_bytes(first, 4), 0);
        assert_eq!(seen.new_bytes(10, 5), 5, "a hole before it");
        assert_eq!(seen.new_bytes(0, 10), 10, "and filled");
        assert_eq!(seen.new_bytes(0, 15), 0);
        assert_eq!(seen.new_bytes(12, 6), 3, "partly new");
    }

    #[test]
    fn exchanges_in_any_pieces_count_the_same() {
        let request = b"GET /m?a=1&t=77 HTTP/1.1\r\nHost: a\r\n\r\n";
        let answers = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        let count = |piece: usize| {
            let mut http = Exchanges::default();
            for _ in 0..3 {
                request.chunks(piece).for_each(|bytes| http.data(0, bytes));
            }
            answers.chunks(piece).for_each(|bytes| http.data(1, bytes));
            http.counted
        };
        let whole = count(1000);
        assert_eq!((whole.application, whole.messages, whole.requests, whole.empty), (5, 2, 3, 1));
        assert_eq!(
            whole.application + whole.heads + whole.framing,
            (3 * request.len() + answers.len()) as u64
        );
        for piece in [1, 2, 7, 20] {
            assert_eq!(count(piece), whole, "{piece}");
        }
    }

    #[test]
    fn frames_after_the_upgrade() {
        let mut http = Exchanges::default();
        http.data(0, b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
        http.data(1, b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02hi\x89\x00");
        http.data(0, b"\x8a\x80\x01\x02\x03\x04\x01\x81\x00\x00\x00\x00a\x80\x80\x00\x00\x00\x00");
        let counted = http.counted;
        assert_eq!((counted.application, counted.messages), (3, 2));
        assert_eq!(counted.framing, 2 + 2 + 6 + 6 + 6);
        assert!(http.upgraded);
    }
}
