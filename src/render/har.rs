//! HAR (HTTP Archive 1.2): handshakes and what follows them, as browsers' developer tools save and load them.
//!
//! Messages stand in `_webSocketMessages`, as Chrome writes it: `type` is `send` for the client's, `time` is
//! in seconds since 1970, `opcode` that of the message, and `data` its text, or Base64 of what is binary.
//! What made a connection fail is one of type `error`, as there.

mod exchange;

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::View;
use crate::limits;
use crate::model::{
    AppPacket, Body, Connection, Dir, Finding, Flow, HttpHead, Layer, Message, ON, Opcode, Sink,
    StreamedKind, Time, Unit, Wants,
};
use exchange::Exchange;

/// Writes an archive.
///
/// An exchange is written when it is answered, that of a WebSocket when its connection is over. Until then
/// its messages wait in memory: at most [`limits::HAR_HELD`] bytes of all connections together, behind which
/// they are counted (`_webSocketMessagesOmitted`).
pub struct Har<W> {
    out: W,
    open: BTreeMap<u32, Open>,
    held: usize,
    written: u64,
    error: Option<io::Error>,
}

/// A connection so far.
#[derive(Default)]
struct Open {
    address: Option<String>,
    port: Option<u16>,
    host: Option<String>,
    layer: Layer,
    /// Somebody tells of a WebSocket: its request need not list what asks for one.
    is_told_socket: bool,
    /// Exchanges that are not answered, or open a WebSocket.
    exchanges: VecDeque<Exchange>,
    messages: Vec<Value>,
    held: usize,
    omitted: u64,
}

impl<W: Write> Har<W> {
    /// An archive that begins.
    pub fn new(mut out: W) -> Self {
        let creator = json!({ "name": "wstool", "version": env!("CARGO_PKG_VERSION") });
        let begun = write!(out, "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"entries\":[");
        Self { out, open: BTreeMap::new(), held: 0, written: 0, error: begun.err() }
    }

    /// A connection is over: what it has left is written.
    fn end(&mut self, conn: u32) {
        let Some(mut open) = self.open.remove(&conn) else { return };
        self.held -= open.held;
        while let Some(exchange) = open.exchanges.pop_front() {
            self.write(&exchange.value(&mut open));
        }
        // Messages without their handshake.
        if !open.messages.is_empty() {
            let exchange = Exchange { opens: true, target: "/".to_owned(), ..Exchange::default() };
            self.write(&exchange.value(&mut open));
        }
    }

    fn write(&mut self, entry: &Value) {
        let comma = if self.written > 0 { "," } else { "" };
        self.written += 1;
        if self.error.is_none() {
            self.error = write!(self.out, "{comma}\n{entry}").and_then(|()| self.out.flush()).err();
        }
    }

    fn head(&mut self, conn: u32, dir: Dir, time: Option<Time>, head: &HttpHead<'_>) {
        let open = self.open.entry(conn).or_default();
        if dir == Dir::Client {
            open.exchanges.push_back(Exchange::asked(time, head));
            return;
        }
        let Some(exchange) = open.exchanges.iter_mut().find(|it| it.response.is_none()) else { return };
        if exchange.is_answered(time, head) {
            return;
        }
        // It is no WebSocket's: nothing more comes of it, unless somebody tells why it was none.
        let waits = open.is_told_socket;
        // What an answer that streams says is still to come.
        let is_over = |it: &Exchange| it.response.is_some() && !it.opens && !it.streams && !waits;
        if let Some(place) = open.exchanges.iter().position(is_over)
            && let Some(exchange) = open.exchanges.remove(place)
        {
            let entry = exchange.value(open);
            self.write(&entry);
        }
    }

    fn message(&mut self, conn: u32, dir: Dir, time: Option<Time>, message: &Message<'_>) {
        let size = message.payload.len() + size_of::<Value>();
        let is_full = message.payload_cut || self.held + size > limits::HAR_HELD;
        let Some(open) = self.open.get_mut(&conn).filter(|_| message.complete) else { return };
        if is_full {
            open.omitted += 1;
            return;
        }
        let text =
            (message.kind == Opcode::TEXT).then(|| std::str::from_utf8(message.payload).ok()).flatten();
        let data = text.map_or_else(|| STANDARD.encode(message.payload), str::to_owned);
        let kind = if dir == Dir::Client { "send" } else { "receive" };
        open.messages.push(entry(kind, time, message.kind.0.into(), &data));
        open.held += size;
        self.held += size;
    }

    /// A unit of an answer that streams: the content of its exchange, as far as there is room.
    fn streamed(&mut self, conn: u32, packet: &AppPacket<'_>) {
        let (Some(streamed), Some(open)) = (packet.streamed, self.open.get_mut(&conn)) else { return };
        let is_its = |it: &&mut Exchange| it.stream == streamed.stream && it.response.is_some();
        let Some(exchange) = open.exchanges.iter_mut().rfind(is_its) else { return };
        // What ends a unit is not told: an event ends as all of them may.
        let end = if streamed.kind == StreamedKind::Event && streamed.complete { "\n\n" } else { "" };
        exchange.size += packet.length + end.len() as u64;
        let text = String::from_utf8_lossy(packet.payload);
        let room = limits::HAR_HELD.saturating_sub(self.held);
        if text.len() + end.len() <= room {
            let held = text.len() + end.len();
            exchange.content.push_str(&text);
            exchange.content.push_str(end);
            open.held += held;
            self.held += held;
        }
    }

    /// Why a connection failed, if that is told.
    fn failure(&mut self, conn: u32, time: Option<Time>, finding: &Finding) {
        if finding.rule.id == "browser-reports-failure" {
            let open = self.open.entry(conn).or_default();
            open.messages.push(entry("error", time, -1, &finding.got.to_string()));
        }
    }
}

fn entry(kind: &str, time: Option<Time>, opcode: i64, data: &str) -> Value {
    json!({ "type": kind, "time": time.map(|time| time.0 as f64 / 1e9), "opcode": opcode, "data": data })
}

impl<W: Write> Sink for Har<W> {
    fn wants(&self) -> Wants {
        Wants { payload: limits::HAR_HELD as u64, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        match (unit.body, unit.dir) {
            (Body::Connection(connection), _) if connection.ending.is_none() => {
                self.open.entry(unit.conn).or_default().endpoints(connection);
            }
            (Body::Connection(_), _) => self.end(unit.conn),
            (Body::Http(head), Some(dir)) => self.head(unit.conn, dir, unit.time, head),
            (Body::Message(message), Some(dir)) => self.message(unit.conn, dir, unit.time, message),
            (Body::Packet(packet), Some(Dir::Server)) => self.streamed(unit.conn, packet),
            (Body::Note, _) => unit.findings.iter().for_each(|it| self.failure(unit.conn, unit.time, it)),
            _ => {}
        }
        if self.error.is_some() { Flow::Break(()) } else { ON }
    }
}

impl<W: Write> View for Har<W> {
    fn end(mut self: Box<Self>) -> io::Result<()> {
        let left: Vec<u32> = self.open.keys().copied().collect();
        for conn in left {
            Har::end(&mut self, conn);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.out.write_all(b"\n]}}\n").and_then(|()| self.out.flush()),
        }
    }
}

impl Open {
    fn endpoints(&mut self, connection: &Connection) {
        if let Some(server) = connection.server {
            (self.address, self.port) = (Some(server.ip().to_string()), Some(server.port()));
        }
        self.host.clone_from(&connection.host);
        self.layer = connection.layer;
        self.is_told_socket = connection.layer.is_told() && !connection.handshake.has_no_frames();
    }
}

#[cfg(test)]
mod tests;
