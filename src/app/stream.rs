//! A protocol whose packets go on from one message to the next.

use super::dialect::Said;
use crate::limits::{APP_PACKET, APP_PARTS};
use crate::model::{App, Origin, Source, SourceId, Span};

/// What one direction has sent of a packet that is not complete.
#[derive(Debug, Default)]
pub struct Begun {
    /// Its first bytes, at most [`APP_PACKET`].
    pub bytes: Vec<u8>,
    /// How many have come.
    pub seen: u64,
    /// The message it began in.
    pub since: u64,
    /// Where its bytes stand, at most [`APP_PARTS`].
    parts: Vec<Span>,
    /// The way back from there.
    sources: Vec<Source>,
}

/// A packet, or what is there of it.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    /// Its bytes, or as many of the first as are kept.
    pub bytes: &'a [u8],
    /// Where they stand.
    pub source: SourceId,
    /// Offset of the first of them in `source`.
    pub offset: u64,
}

impl Begun {
    /// Whether no packet is under way.
    pub fn is_empty(&self) -> bool {
        self.seen == 0
    }

    /// Takes `length` bytes of a message from `at` on, as far as they are kept.
    pub fn take(&mut self, said: &Said<'_>, at: u64, length: u64) {
        if length == 0 {
            return;
        }
        if self.is_empty() {
            self.since = said.m();
        }
        let begin = usize::try_from(at).unwrap_or(usize::MAX).min(said.bytes.len());
        let end = usize::try_from(at.saturating_add(length)).unwrap_or(usize::MAX).min(said.bytes.len());
        // What lies behind bytes that were not kept has no place here.
        let room = if self.bytes.len() as u64 == self.seen { APP_PACKET - self.bytes.len() } else { 0 };
        self.bytes.extend_from_slice(&said.bytes[begin..end.min(begin + room)]);
        self.seen = self.seen.saturating_add(length);
        if self.parts.len() < APP_PARTS {
            self.parts.push(Span::bytes(said.source, at, length));
            self.sources.extend_from_slice(said.sources);
        }
    }

    /// The packet, which ends in message `m` of connection `conn`.
    pub fn whole(&self, conn: u32, m: u64) -> Whole<'_> {
        Whole { bytes: &self.bytes, source: SourceId::Joined { conn, m }, offset: 0 }
    }

    /// Makes `app` say where the packet, which ends in message `m` of connection `conn`, came from.
    pub fn trace(&mut self, conn: u32, m: u64, app: &mut App) {
        app.parts = std::mem::take(&mut self.parts);
        app.sources = std::mem::take(&mut self.sources);
        if !app.sources.is_empty() {
            let origin = Origin::Join { parts: app.parts.clone() };
            app.sources.insert(0, Source { id: SourceId::Joined { conn, m }, origin });
        }
    }

    /// Forgets the packet.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
