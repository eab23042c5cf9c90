//! A handshake's two heads, and how they are found in a capture.

use std::collections::{HashSet, VecDeque};

use super::heard::Heard;
use crate::http::{CONNECTION_RULES, DATA_BEFORE_COMPLETE};
use crate::limits;
use crate::model::{
    Body, Dir, Endpoint, Finding, Flow, Frame, HttpHead, ON, Sink, SourceId, Span, Text, Unit, Wants,
};

/// A request and its response, as they were recorded.
#[derive(Debug, Default)]
pub struct Exchange {
    /// Where it comes from. Untrusted.
    pub title: String,
    /// Number of the connection; 0 without a capture.
    pub conn: u32,
    /// The client's address; `None` for input without addresses.
    pub client: Option<Endpoint>,
    /// The server's.
    pub server: Option<Endpoint>,
    /// The client's head; `None` where it was not seen.
    pub request: Option<Heard>,
    /// The server's.
    pub response: Option<Heard>,
    /// What was found about the connection beyond the two heads.
    pub around: Vec<Finding>,
    /// Compressed frames (RSV1 set) follow.
    pub compressed: bool,
}

/// What a client sent before it had its answer: `length` bytes from `offset` on.
pub fn early_data(source: SourceId, offset: u64, length: u64) -> Finding {
    //= RFC 6455 §4.1
    //# the client MUST wait for a response from the
    //# server before sending any further data
    let got = Text::with("{} bytes before the response", length);
    Finding::new(&DATA_BEFORE_COMPLETE, Dir::Client, "nothing before the response".into(), got)
        .at(Span::bytes(source, offset, length))
}

/// Collects the handshakes among the units of a run and hands on each as it is complete,
/// in the order of their connections.
pub struct Collector<'f> {
    title: String,
    only: Option<u32>,
    pending: VecDeque<Pending>,
    /// Connections of which more is expected.
    expected: HashSet<u32>,
    deliver: &'f mut dyn FnMut(Exchange) -> Flow,
}

struct Pending {
    exchange: Exchange,
    frames: u32,
    done: bool,
}

/// Frames after which no more is expected of a handshake: compression shows in the first messages.
const FRAMES: u32 = 16;

impl<'f> Collector<'f> {
    /// Hands every handshake to `deliver`, or `only` that of one connection.
    pub fn new(title: &str, only: Option<u32>, deliver: &'f mut dyn FnMut(Exchange) -> Flow) -> Self {
        Self { title: title.to_owned(), only, pending: VecDeque::new(), expected: HashSet::new(), deliver }
    }

    fn head(&mut self, unit: &Unit<'_>, head: &HttpHead<'_>) -> Flow {
        let dir = unit.dir.unwrap_or(Dir::Client);
        let mut heard = Heard::of(head.bytes, SourceId::Stream { conn: unit.conn, dir }, head.offset);
        heard.body = head.body.to_vec();
        (heard.time, heard.packets) = (unit.time, unit.packets);
        heard.findings = Some(unit.findings.to_vec());
        let Some(pending) = self.latest(unit.conn) else { return ON };
        let exchange = &mut pending.exchange;
        match dir {
            Dir::Client if exchange.request.is_none() && exchange.response.is_none() => {
                exchange.request = Some(heard);
            }
            // The connection was kept after a refusal, and is used again.
            Dir::Client => {
                let next = Exchange {
                    title: exchange.title.clone(),
                    conn: exchange.conn,
                    client: exchange.client,
                    server: exchange.server,
                    request: Some(heard),
                    ..Exchange::default()
                };
                pending.done = true;
                self.pending.push_back(Pending { exchange: next, frames: 0, done: false });
            }
            Dir::Server => exchange.response = exchange.response.take().or(Some(heard)),
        }
        self.hand_on()
    }

    fn frame(&mut self, conn: u32, frame: &Frame<'_>) -> Flow {
        let Some(pending) = self.latest(conn) else { return ON };
        pending.frames += 1;
        pending.exchange.compressed |= frame.header.rsv1 && !frame.header.opcode.is_control();
        if pending.frames >= FRAMES {
            pending.done = true;
            self.expected.remove(&conn);
        }
        self.hand_on()
    }

    /// The last handshake of a connection that is still being followed.
    fn latest(&mut self, conn: u32) -> Option<&mut Pending> {
        if !self.expected.contains(&conn) {
            return None;
        }
        self.pending.iter_mut().rev().find(|p| p.exchange.conn == conn && !p.done)
    }

    /// Hands on what is complete, and the first one when too many wait behind it.
    fn hand_on(&mut self) -> Flow {
        while let Some(first) = self.pending.front()
            && (first.done || self.pending.len() > limits::HANDSHAKES_PENDING)
        {
            self.hand_on_first()?;
        }
        ON
    }

    fn hand_on_first(&mut self) -> Flow {
        let Some(Pending { exchange, done, .. }) = self.pending.pop_front() else { return ON };
        if !done {
            self.expected.remove(&exchange.conn);
        }
        let is_seen = exchange.request.is_some() || exchange.response.is_some();
        if is_seen { (self.deliver)(exchange) } else { ON }
    }
}

impl Sink for Collector<'_> {
    fn wants(&self) -> Wants {
        Wants { fields: true, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if unit.conn > 0 && self.only.is_some_and(|only| only != unit.conn) {
            return ON;
        }
        match unit.body {
            // There is no WebSocket to play again.
            Body::Connection(connection) if connection.handshake.has_no_frames() => ON,
            Body::Connection(connection) if connection.ending.is_none() => {
                let exchange = Exchange {
                    title: self.title.clone(),
                    conn: unit.conn,
                    client: connection.client,
                    server: connection.server,
                    ..Exchange::default()
                };
                self.expected.insert(unit.conn);
                self.pending.push_back(Pending { exchange, frames: 0, done: false });
                self.hand_on()
            }
            Body::Connection(_) => {
                if !self.expected.remove(&unit.conn) {
                    return ON;
                }
                for pending in self.pending.iter_mut().filter(|p| p.exchange.conn == unit.conn) {
                    pending.done = true;
                }
                self.hand_on()
            }
            Body::Http(head) => self.head(unit, head),
            Body::Frame(frame) => self.frame(unit.conn, frame),
            Body::Opening(_) => {
                if let Some(pending) = self.latest(unit.conn) {
                    pending.exchange.around.extend(unit.findings.iter().cloned());
                }
                ON
            }
            Body::Note => {
                if let Some(pending) = self.latest(unit.conn) {
                    let about = unit.findings.iter().filter(|f| CONNECTION_RULES.contains(&f.rule));
                    pending.exchange.around.extend(about.cloned());
                }
                ON
            }
            Body::Summary(_) => {
                while !self.pending.is_empty() {
                    self.hand_on_first()?;
                }
                ON
            }
            Body::Meta(_)
            | Body::File(_)
            | Body::Message(_)
            | Body::Packet(_)
            | Body::Session(_)
            | Body::Judgement(_)
            | Body::Gap(_) => ON,
        }
    }
}
