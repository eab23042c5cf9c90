//! Holds every byte that is shown against the byte of the packet that it is said to come from.

use std::collections::HashMap;

use wstool::limits;
use wstool::model::{
    Body, Flow, Message, ON, Origin, Part, Sink, Source, SourceId, Unit, Wants, hole, trace,
};

use super::Captured;

/// A sink that follows bytes back.
pub struct Places<'p> {
    packets: &'p [Captured],
    /// What the packets are `XORed` with.
    key: u8,
    /// All sources so far.
    pub sources: Vec<Source>,
    /// Where each frame's payload lies, and what it is masked with.
    frames: HashMap<(u32, u64), (Source, [u8; 4])>,
    texts: Vec<String>,
    checked: u64,
    wrong: Vec<String>,
}

/// Whether the source is of what was deciphered, or came from that.
pub fn is_deciphered(source: &Source) -> bool {
    match &source.origin {
        Origin::Decrypted { of, .. } => {
            matches!((source.id, of), (SourceId::Decrypted { .. }, SourceId::Stream { .. }))
        }
        Origin::Unmask { of, .. } => matches!(of.source, SourceId::Decrypted { .. }),
        Origin::Join { parts } => parts.iter().all(|part| !matches!(part.source, SourceId::Stream { .. })),
        Origin::Inflate { .. } => true,
        Origin::Decompressed { of, .. } => matches!(of, SourceId::Decrypted { .. }),
        Origin::Stream { .. } | Origin::Input => false,
    }
}

impl<'p> Places<'p> {
    pub fn new(packets: &'p [Captured], key: u8) -> Self {
        let (frames, texts, wrong) = (HashMap::new(), Vec::new(), Vec::new());
        Self { packets, key, sources: Vec::new(), frames, texts, checked: 0, wrong }
    }

    /// The messages, as text.
    pub fn texts(&self) -> Vec<&str> {
        self.texts.iter().map(String::as_str).collect()
    }

    /// How many bytes were followed.
    pub fn finish(self, name: &str) -> u64 {
        assert!(self.wrong.is_empty(), "{name}: {:#?}", &self.wrong[..self.wrong.len().min(5)]);
        self.checked
    }

    /// Follows byte `at` of `id`, which is `shown` once `mask` is taken off.
    fn follow(&mut self, sources: &[Source], id: SourceId, at: u64, shown: u8, mask: u8) {
        let Some(place) = trace(sources, id, at) else {
            let is_full = |source: &Source| match &source.origin {
                Origin::Stream { pieces } | Origin::Decrypted { pieces, .. } => {
                    pieces.len() == limits::PIECES_LISTED
                }
                Origin::Join { parts } => parts.len() == limits::MESSAGE_FRAMES_LISTED,
                _ => false,
            };
            if !sources.iter().any(is_full) {
                self.wrong.push(format!("byte {at} of {id} leads nowhere"));
            }
            return;
        };
        let packet = &self.packets[place.packet as usize - 1];
        if let SourceId::Headers { .. } = id {
            // What is decompressed is another byte, of the same field.
            let is_there = packet.data.get(place.byte as usize).is_some();
            assert!(is_there, "byte {at} of {id}: packet {} has no byte {}", place.packet, place.byte);
            self.checked += 1;
            return;
        }
        let carried = packet.data.get(place.byte as usize).map(|byte| byte ^ self.key ^ mask);
        if carried != Some(shown) {
            let (packet, byte) = (place.packet, place.byte);
            self.wrong
                .push(format!("byte {at} of {id} is {shown:?}, byte {byte} of packet {packet} {carried:?}"));
        }
        self.checked += 1;
    }
}

impl Places<'_> {
    /// Follows a message, whose unit says in which bytes of its sender it lies: those of its frames.
    fn message(&mut self, unit: &Unit<'_>, message: &Message<'_>) {
        self.texts.push(String::from_utf8_lossy(message.payload).into_owned());
        let is_sent_so = !message.compressed && message.holes.is_empty();
        let is_listed = message.frames.len() as u64 == message.frame_count;
        let join = unit.sources.iter().find_map(|source| match &source.origin {
            Origin::Join { parts } => Some(parts.clone()),
            _ => None,
        });
        let (true, true, Some(parts)) = (is_sent_so, is_listed, join) else { return };
        let frames: Vec<_> = message.frames.iter().map(|n| self.frames[&(unit.conn, *n)].clone()).collect();
        let mut sources = unit.sources.to_vec();
        sources.extend(frames.iter().map(|(stream, _)| stream.clone()));
        let id = SourceId::Message { conn: unit.conn, m: message.m };
        let mut bytes = (0..).zip(message.payload);
        for (part, (_, key)) in parts.iter().zip(&frames) {
            for (at, (offset, byte)) in (0..part.len() / 8).zip(bytes.by_ref()) {
                self.follow(&sources, id, offset, *byte, key[(at % 4) as usize]);
            }
        }
    }
}

impl Sink for Places<'_> {
    fn wants(&self) -> Wants {
        Wants { fields: true, payload: 1 << 20, app: false, causes: false, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        let stream = unit.sources.iter().find(|source| source.id.sender().is_some());
        match (unit.body, stream) {
            (Body::Http(head), Some(stream)) => {
                for (at, byte) in (head.offset..).zip(head.bytes) {
                    self.follow(unit.sources, stream.id, at, *byte, 0);
                }
            }
            (Body::Frame(frame), Some(stream)) => {
                let key = frame.header.masking_key.unwrap_or_default();
                self.frames.insert((unit.conn, frame.n), (stream.clone(), key));
                let (id, start) = match frame.header.masking_key {
                    Some(_) => (SourceId::Payload { conn: unit.conn, n: frame.n }, 0),
                    None => (stream.id, frame.offset + frame.head.len() as u64),
                };
                for part in hole::parts(frame.payload, frame.holes) {
                    let Part::Bytes(from, bytes) = part else { continue };
                    for (at, byte) in (from..).zip(bytes) {
                        self.follow(unit.sources, id, start + at, *byte, key[(at % 4) as usize]);
                    }
                }
            }
            (Body::Message(message), _) if !message.kind.is_control() => self.message(unit, message),
            _ => {}
        }
        self.sources.extend(unit.sources.iter().cloned());
        ON
    }
}
