//! What really happened: the same columns counted from the packets of captures.
//!
//! Every byte of a packet from the IP header on goes into one column: the messages,
//! HTTP heads, frames, the headers of packets that carry data, pure acknowledgements,
//! what opens and closes connections, and what was sent again.

use foldhash::HashMap;

use super::exchanges::{Carried, Content, Pair};
use super::sequence::Sequence;
use super::sums::Counted;
use crate::decoder::Decoder;
use crate::input::{Input, InputError};
use crate::model::Way;
use crate::net::{Measured, Tracker, measure};

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
        let mut packets = Packets::default();
        let mut decoder = Decoder::new(Content::default());
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
                packets.take(&measured);
            }
            // The counter never says stop.
            let _ = tracker.packet(&packet, &mut decoder);
            let number = packet.number;
            if number % 4096 == 0 {
                progress(capture.bytes_read());
            }
        }
        let _ = tracker.finish(&mut decoder);
        let mut content = decoder.finish().0.carried;
        for pair in packets.order {
            let Some(packets) = packets.of.remove(&pair) else { continue };
            let carried = content.remove(&pair).unwrap_or_default();
            for target in &carried.targets {
                *self.asked.entry(target.clone()).or_default() += 1;
            }
            self.flows.push(Connection { packets, carried });
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

/// The packets of one capture.
#[derive(Default)]
struct Packets {
    of: HashMap<Pair, Sent>,
    order: Vec<Pair>,
}

impl Packets {
    fn take(&mut self, packet: &Measured) {
        let pair = Pair::of(packet.from, packet.to);
        let sent = self.of.entry(pair).or_insert_with(|| {
            self.order.push(pair);
            Sent::default()
        });
        sent.packet(packet, usize::from(packet.from == pair.0));
    }
}

/// The packets between two addresses.
#[derive(Default)]
struct Sent {
    counted: Counted,
    /// Stream bytes that were new, whatever they are.
    stream: u64,
    /// By direction: what has been seen of the sequence numbers.
    seen: [Sequence; 2],
}

impl Sent {
    fn packet(&mut self, packet: &Measured, direction: usize) {
        let counted = &mut self.counted;
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
}

/// All that is known of the connections between two addresses.
struct Connection {
    packets: Sent,
    carried: Carried,
}

impl Connection {
    fn counted(&self) -> Counted {
        let mut counted = self.packets.counted;
        let content = &self.carried.counted;
        counted.connections = 1;
        counted.add(content);
        let understood = content.application + content.heads + content.framing;
        counted.unknown = self.packets.stream.saturating_sub(understood);
        counted.framing += counted.unknown;
        counted
    }

    fn used(&self, asked: &HashMap<String, u64>) -> Use {
        let http = &self.carried;
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
