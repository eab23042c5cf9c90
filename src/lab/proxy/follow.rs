//! Frames on their way through, held until their message is whole, so that something can be done to it.
//!
//! What they are is said by the decoder, which is given all that both sides send; here are only the bytes
//! that it speaks of.

use std::net::SocketAddr;

use super::events::Event;
use super::rule::Content;
use super::whole::Exchange;
use crate::decoder::{Beginning, Decoder};
use crate::limits;
use crate::model::field::Value;
use crate::model::{
    App, At, Body, Dir, Flow, FlowId, FrameHeader, HttpHead, Interest, ON, Side, Sink, Text, Unit, Wants,
};

/// The only connection there is.
const ONE: FlowId = FlowId(0);

/// A frame as it came.
#[derive(Debug)]
pub(super) struct Raw {
    pub header: FrameHeader,
    /// Header and payload.
    pub bytes: Vec<u8>,
}

/// What is to be passed on next.
#[derive(Debug)]
pub(super) enum Piece {
    /// This, whatever it is.
    Bytes(Vec<u8>),
    /// A message in its frames, if something is not done to it.
    Message(Content, Vec<Raw>),
    /// This of a connection of HTTP/2, or of an answer that streams, in which so many messages end.
    Stream(Vec<u8>, u64),
    /// A request that polls, or its answer, if something is not done to it.
    Exchange(Box<Exchange>),
    /// A server-sent event, if something is not done to it.
    Event(Box<Event>),
    /// Nothing: this is to be said.
    Note(Text),
}

/// Follows a connection behind its handshake.
pub(super) struct Follow {
    decoder: Decoder<Inbox>,
    ways: [Way; 2],
    /// The decoder says no more.
    lost: bool,
    /// Nothing is held: on HTTP/2 a message cannot be taken out.
    passes: bool,
}

/// One direction.
#[derive(Default)]
struct Way {
    /// What belongs to no frame yet that is whole.
    pending: Vec<u8>,
    /// Where in the stream that begins.
    base: u64,
    /// Frames of the message that is under way.
    open: Vec<Raw>,
    held: usize,
    /// Too long to be held: it passes as it is.
    passing: bool,
}

/// What the decoder said, in order.
#[derive(Default)]
struct Inbox {
    said: Vec<Said>,
    app: bool,
    /// Answers of HTTP are messages, too.
    http: bool,
}

enum Said {
    Frame {
        offset: u64,
        header: FrameHeader,
        captured: u64,
    },
    Message(Content),
    /// An answer to a poll, or a unit of one that streams.
    Polled,
}

impl Follow {
    /// Begins behind a handshake of these two heads. `app` says whether it matters what messages mean to the
    /// application.
    pub fn new(ends: [SocketAddr; 2], heads: [&[u8]; 2], app: bool) -> Self {
        let mut decoder = Decoder::new(Inbox { app, ..Inbox::default() });
        decoder.open(ONE, &Beginning::opened(ends));
        let mut lost = false;
        for (side, head) in [Side::A, Side::B].into_iter().zip(heads) {
            lost |= decoder.data(ONE, side, head, At::default()) != Interest::Follow;
        }
        let ways = heads.map(|head| Way { base: head.len() as u64, ..Way::default() });
        Self { decoder, ways, lost, passes: false }
    }

    /// Begins with a connection of HTTP/2, of which messages are only counted.
    pub fn http2(ends: [SocketAddr; 2]) -> Self {
        let mut follow = Self { passes: true, ..Self::new(ends, [b"", b""], false) };
        follow.decoder = Decoder::new(Inbox { http: true, ..Inbox::default() });
        follow.decoder.open(ONE, &Beginning::opened(ends));
        follow
    }

    /// Takes what one side sends next, and gives what is to be passed on.
    pub fn push(&mut self, from: Dir, bytes: &[u8]) -> Vec<Piece> {
        if self.passes {
            return vec![self.counted(from, bytes)];
        }
        let way = &mut self.ways[from.index()];
        way.pending.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        if !self.lost {
            self.lost = self.decoder.data(ONE, Side::of(from), bytes, At::default()) != Interest::Follow;
        }
        for said in std::mem::take(&mut self.decoder.sink().said) {
            match said {
                Said::Frame { offset, header, captured } => {
                    let end = offset + u64::from(header.header_length()) + captured;
                    way.frame(offset, end, header, &mut pieces);
                }
                Said::Message(content) => way.message(content, &mut pieces),
                Said::Polled => {}
            }
        }
        if self.lost || way.held + way.pending.len() > limits::PROXY_HELD {
            let rest = way.release();
            way.passing = !self.lost;
            pieces.extend((!rest.is_empty()).then_some(Piece::Bytes(rest)));
        }
        pieces
    }

    fn counted(&mut self, from: Dir, bytes: &[u8]) -> Piece {
        if !self.lost {
            self.lost = self.decoder.data(ONE, Side::of(from), bytes, At::default()) != Interest::Follow;
        }
        let said = std::mem::take(&mut self.decoder.sink().said);
        let is_message = |it: &&Said| match it {
            Said::Message(content) => !content.kind.is_control(),
            Said::Polled => true,
            Said::Frame { .. } => false,
        };
        Piece::Stream(bytes.to_vec(), said.iter().filter(is_message).count() as u64)
    }

    /// What is held of a side that has ended.
    pub fn rest(&mut self, from: Dir) -> Vec<u8> {
        self.ways[from.index()].release()
    }
}

impl Way {
    /// A frame is whole.
    fn frame(&mut self, offset: u64, end: u64, header: FrameHeader, pieces: &mut Vec<Piece>) {
        let count = usize::try_from(end.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let bytes: Vec<u8> = self.pending.drain(..count.min(self.pending.len())).collect();
        let is_whole = offset >= self.base;
        self.base += bytes.len() as u64;
        if !is_whole || self.passing && !header.opcode.is_control() {
            // Its beginning, or that of its message, has passed already.
            pieces.push(Piece::Bytes(bytes));
            return;
        }
        self.held += bytes.len();
        self.open.push(Raw { header, bytes });
    }

    /// A message is whole, of frames that were.
    fn message(&mut self, content: Content, pieces: &mut Vec<Piece>) {
        let is_control = content.kind.is_control();
        if !is_control && std::mem::take(&mut self.passing) {
            return;
        }
        let is_its = |raw: &Raw| raw.header.opcode.is_control() == is_control;
        let (its, others): (Vec<Raw>, Vec<Raw>) =
            std::mem::take(&mut self.open).into_iter().partition(is_its);
        self.open = others;
        self.held = self.open.iter().map(|raw| raw.bytes.len()).sum();
        // One that began before it was followed, or has passed already, is none to do anything to.
        if !its.is_empty() {
            pieces.push(Piece::Message(content, its));
        }
    }

    /// Everything that is held.
    fn release(&mut self) -> Vec<u8> {
        let mut all: Vec<u8> = std::mem::take(&mut self.open).into_iter().flat_map(|raw| raw.bytes).collect();
        self.held = 0;
        self.base += self.pending.len() as u64;
        all.append(&mut self.pending);
        all
    }
}

impl Sink for Inbox {
    fn wants(&self) -> Wants {
        Wants { payload: limits::PROXY_HELD as u64, app: self.app, http: self.http, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        let Some(from) = unit.dir else { return ON };
        match unit.body {
            Body::Frame(frame) => {
                let &crate::model::Frame { offset, header, captured, .. } = frame;
                self.said.push(Said::Frame { offset, header, captured });
            }
            Body::Message(message) => self.said.push(Said::Message(Content {
                from,
                kind: message.kind,
                payload: message.payload.to_vec(),
                cut: message.payload_cut || !message.complete,
                compressed: message.compressed,
                event: message.app.and_then(event),
                is_named_apart: false,
            })),
            Body::Http(head) if from == Dir::Server && is_polled(head) => self.said.push(Said::Polled),
            Body::Packet(packet) if packet.streamed.is_some() && !packet.payload.starts_with(b":") => {
                self.said.push(Said::Polled);
            }
            _ => {}
        }
        ON
    }
}

/// Whether an answer is one to a poll, and no page nor what belongs to one.
fn is_polled(head: &HttpHead<'_>) -> bool {
    const POLLED: [&str; 4] = ["application/", "text/plain", "text/javascript", "text/xml"];
    let kind = head.header("Content-Type").unwrap_or_default();
    let says = !head.streams && !head.body.is_empty();
    says && POLLED.iter().any(|known| kind.starts_with(known))
}

/// The Socket.IO event that a packet is.
fn event(app: &App) -> Option<String> {
    let field = app.fields.iter().find(|field| field.def.id == "socketio.event")?;
    match &field.value {
        Value::Text(name) => Some(name.clone()),
        Value::Json(name) => serde_json::from_str(name).ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::lab::frames::frame;
    use crate::model::Opcode;

    pub const REQUEST: &[u8] =
        b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    pub const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    fn follow() -> Follow {
        let ends = [1, 2].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        Follow::new(ends, [REQUEST, RESPONSE], false)
    }

    /// The messages, and all the bytes.
    fn all(follow: &mut Follow, from: Dir, bytes: &[u8], size: usize) -> (Vec<(Opcode, usize)>, Vec<u8>) {
        let (mut messages, mut passed) = (Vec::new(), Vec::new());
        for piece in bytes.chunks(size) {
            for piece in follow.push(from, piece) {
                match piece {
                    Piece::Bytes(bytes) => passed.extend(bytes),
                    Piece::Stream(..) | Piece::Exchange(_) | Piece::Event(_) | Piece::Note(_) => {
                        panic!("that is HTTP's")
                    }
                    Piece::Message(content, frames) => {
                        messages.push((content.kind, content.payload.len()));
                        passed.extend(frames.into_iter().flat_map(|raw| raw.bytes));
                    }
                }
            }
        }
        passed.extend(follow.rest(from));
        (messages, passed)
    }

    fn fragment(from: Dir, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
        let mut bytes = frame(from, opcode, payload);
        bytes[0] &= 0x7F;
        bytes
    }

    #[test]
    fn frames_are_passed_as_they_came_in_any_pieces() {
        for from in [Dir::Client, Dir::Server] {
            let bytes = [
                frame(from, Opcode::TEXT, b"hello"),
                frame(from, Opcode::PING, b"?"),
                fragment(from, Opcode::BINARY, &[7; 300]),
                fragment(from, Opcode::CONTINUATION, &vec![8; 70_000]),
                frame(from, Opcode::CONTINUATION, b""),
                frame(from, Opcode::CLOSE, b""),
            ]
            .concat();
            for size in [1, 2, 3, 1000, bytes.len()] {
                let (messages, passed) = all(&mut follow(), from, &bytes, size);
                let expected =
                    [(Opcode::TEXT, 5), (Opcode::PING, 1), (Opcode::BINARY, 70_300), (Opcode::CLOSE, 0)];
                assert_eq!(messages, expected);
                assert!(passed == bytes, "{from} {size}");
            }
        }
    }

    /// A control frame within a message is passed before the message is whole.
    #[test]
    fn control_frames_do_not_wait() {
        let mut follow = follow();
        let from = Dir::Server;
        assert!(follow.push(from, &fragment(from, Opcode::TEXT, b"a")).is_empty());
        let pieces = follow.push(from, &frame(from, Opcode::PING, b"now"));
        assert!(matches!(&pieces[..], [Piece::Message(content, raw)]
            if content.kind == Opcode::PING && raw.len() == 1));
        let pieces = follow.push(from, &frame(from, Opcode::CONTINUATION, b"b"));
        assert!(matches!(&pieces[..], [Piece::Message(content, raw)]
            if content.payload == b"ab" && raw.len() == 2));
    }

    #[test]
    fn what_is_too_long_is_not_held() {
        let from = Dir::Client;
        let long = frame(from, Opcode::BINARY, &vec![1; limits::PROXY_HELD + 100_000]);
        let many: Vec<u8> = (0..40)
            .flat_map(|n| {
                let opcode = if n == 0 { Opcode::BINARY } else { Opcode::CONTINUATION };
                fragment(from, opcode, &vec![2; 60_000])
            })
            .chain(frame(from, Opcode::CONTINUATION, b"end"))
            .collect();
        let bytes =
            [long, frame(from, Opcode::TEXT, b"short"), many, frame(from, Opcode::TEXT, b"last")].concat();
        let mut follow = follow();
        let mut most = 0;
        let (mut messages, mut passed) = (Vec::new(), Vec::new());
        for piece in bytes.chunks(10_000) {
            for piece in follow.push(from, piece) {
                match piece {
                    Piece::Bytes(bytes) => passed.extend(bytes),
                    Piece::Stream(..) | Piece::Exchange(_) | Piece::Event(_) | Piece::Note(_) => {
                        panic!("that is HTTP's")
                    }
                    Piece::Message(content, frames) => {
                        messages.push(content.payload);
                        passed.extend(frames.into_iter().flat_map(|raw| raw.bytes));
                    }
                }
            }
            let way = &follow.ways[from.index()];
            most = most.max(way.held + way.pending.len());
        }
        assert_eq!(messages, [b"short".to_vec(), b"last".to_vec()]);
        assert!(passed == bytes && most <= limits::PROXY_HELD + 10_000, "{most}");
    }

    #[test]
    fn what_is_no_websocket_passes() {
        let mut follow = follow();
        let bytes = b"\xff\xff\xff\xff this is no frame at all, and goes on for a while".repeat(50);
        let (_, passed) = all(&mut follow, Dir::Server, &bytes, 7);
        assert!(passed == bytes);
    }
}
