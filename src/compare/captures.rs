//! What really happened: the same columns counted from the packets of captures.
//!
//! Every byte of a packet from the IP header on goes into one column: the messages,
//! HTTP heads, frames, the headers of packets that carry data, pure acknowledgements,
//! what opens and closes connections, and what was sent again.

use std::net::SocketAddr;

use foldhash::{HashMap, HashMapExt as _};

use super::exchanges::{Exchanges, Frames};
use super::sequence::Sequence;
use super::sums::Counted;
use crate::decoder::{Decoder, Extensions};
use crate::input::{Input, InputError};
use crate::model::{At, Finding, FlowId, Interest, Receipt, Side, StreamEnd, Time, Way};
use crate::net::{self, CloseReason, Measured, Opened, StreamSink, Tracker, measure};

/// How a connection was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Use {
    /// Requests of which at least one was made again: polling, short or long.
    Polling,
    /// A way that shows by itself.
    Way(Way),
    /// HTTP that asks for nothing twice, or no HTTP.
    Other,
}

impl Use {
    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Polling => "HTTP polling",
            Self::Way(way) => way.name(),
            Self::Other => "other",
        }
    }

    /// Whether clients ask again and again.
    pub fn is_polling(self) -> bool {
        matches!(self, Self::Polling | Self::Way(Way::SocketIoPolling))
    }

    /// Whether frames of RFC 6455 carry it.
    pub fn is_web_socket(self) -> bool {
        matches!(self, Self::Way(Way::WebSocket | Way::SocketIoWebSocket))
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
    /// When it cannot be read, or is no capture; what came before is counted.
    pub fn read(&mut self, input: Input, progress: &mut dyn FnMut(u64)) -> Result<(), InputError> {
        let Input::Capture(mut capture) = input else { return Ok(()) };
        let frames = Decoder::new(Frames::default());
        let mut reader = Reader { open: HashMap::new(), flows: HashMap::new(), order: Vec::new(), frames };
        let mut tracker = Tracker::new();
        let mut read = Ok(());
        while let Some(packet) = capture.next() {
            let packet = match packet {
                Ok(packet) => packet,
                Err(e) => {
                    read = Err(e);
                    break;
                }
            };
            if let Some(measured) = measure(&packet) {
                reader.packet(&measured);
            }
            // The reader never says stop.
            let _ = tracker.packet(&packet, &mut reader);
            let number = packet.number;
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
        read
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
    /// What follows the upgrades.
    frames: Decoder<Frames>,
}

/// Something was agreed on that may give any reserved bit a meaning: what it is does not matter here.
const ANYTHING: Extensions = Extensions { known: true, deflate: None, other: true };

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

    /// The connection behind its upgrade is over.
    fn frames_end(&mut self, flow: FlowId) {
        let Some(conn) = self.frames.conn(flow) else { return };
        // The counter never says stop.
        let _ = self.frames.close(flow, StreamEnd::Capture, None);
        let counted = self.frames.sink().0.remove(&conn).unwrap_or_default();
        if let Some(connection) = self.connection(flow) {
            connection.http.counted.add(&counted);
        }
    }
}

impl StreamSink for Reader {
    fn open(&mut self, flow: FlowId, opened: &Opened) {
        self.open.insert(flow, pair(opened.a, opened.b));
        if let Some(connection) = self.connection(flow) {
            connection.http.restart();
        }
    }

    fn data(&mut self, flow: FlowId, from: Side, bytes: &[u8], at: At) -> Interest {
        let Some(connection) = self.connection(flow) else { return Interest::Follow };
        let frames = connection.http.data(from.index(), bytes);
        let server = connection.http.server();
        if let (Some(server), false) = (server, frames.is_empty()) {
            if self.frames.conn(flow).is_none() {
                self.frames.open_upgraded(flow, None, ANYTHING);
            }
            self.frames.data(flow, role(from, server), frames, at);
        }
        Interest::Follow
    }

    fn gap(
        &mut self,
        flow: FlowId,
        from: Side,
        length: u64,
        between: (Option<u64>, Option<u64>),
    ) -> Interest {
        let Some(connection) = self.connection(flow) else { return Interest::Follow };
        match connection.http.server() {
            Some(server) => {
                self.frames.gap(flow, role(from, server), length, between, &net::TCP_GAP);
            }
            None => connection.http.gap(from.index()),
        }
        Interest::Follow
    }

    fn end(&mut self, _: FlowId, _: Side, _: StreamEnd, _: Receipt, _: At) -> Interest {
        Interest::Follow
    }

    fn close(&mut self, flow: FlowId, _: CloseReason, _: Time) {
        self.frames_end(flow);
        self.open.remove(&flow);
    }

    fn anomaly(&mut self, _: FlowId, _: Side, _: Finding, _: At) {}
}

/// The decoder's sides: the client is A.
fn role(from: Side, server: usize) -> Side {
    if from.index() == server { Side::B } else { Side::A }
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
        counted.unknown = self.stream.saturating_sub(understood);
        counted.framing += counted.unknown;
        counted
    }

    fn used(&self, asked: &HashMap<String, u64>) -> Use {
        let http = &self.http;
        let engine =
            http.targets.iter().any(|target| target.contains("EIO=") && target.contains("transport="));
        match () {
            () if http.upgraded && engine => Use::Way(Way::SocketIoWebSocket),
            () if http.upgraded => Use::Way(Way::WebSocket),
            () if engine => Use::Way(Way::SocketIoPolling),
            () if http.event_stream => Use::Way(Way::EventStream),
            () if http.targets.iter().any(|target| asked.get(target).is_some_and(|n| *n > 1)) => Use::Polling,
            () => Use::Other,
        }
    }
}
