//! What stands in front of everything else in a client's stream: a PROXY header.

use std::net::SocketAddr;
use std::ops::ControlFlow;

use super::proxy::{self, Begin, Header};
use super::{Context, Phase, Session, Side, Start};
use crate::limits;
use crate::model::{At, Body, Dir, Flow, ON, Opening, Piece, Source, SourceId, Time, Unit};

/// Segments of a header that are remembered: as many as its bytes until its length is known.
const PIECES: usize = limits::OPENING;

/// A header, or what may become one.
#[derive(Debug)]
pub(super) struct Preface {
    side: Side,
    /// Its first bytes, as many as are kept.
    bytes: Vec<u8>,
    /// How long it is, once that is known.
    length: Option<usize>,
    /// How much of it has come.
    total: usize,
    /// Where its bytes came from.
    pieces: Vec<(Piece, At)>,
    /// What it says, once it is whole.
    header: Option<Header>,
}

impl Preface {
    /// Bytes it keeps.
    pub fn cost(&self) -> usize {
        self.bytes.len() + self.pieces.len() * size_of::<(Piece, At)>()
    }

    /// Who the proxy says the client is.
    pub fn client(&self) -> Option<SocketAddr> {
        self.header.as_ref()?.client
    }
}

impl Session {
    /// Takes a PROXY header from the beginning of a client's stream, and gives how many of the bytes
    /// were its own, or wait until it is known whether they are.
    pub(super) fn preface(
        &mut self,
        side: Side,
        bytes: &[u8],
        at: At,
        offset: u64,
        cx: &mut Context<'_, '_>,
    ) -> ControlFlow<(), usize> {
        let open = self.about.tunnel.as_ref().and_then(|tunnel| tunnel.preface.as_ref());
        let is_open = open.is_some_and(|preface| preface.side == side && preface.header.is_none());
        let may_begin = offset == 0 && open.is_none() && self.may_have_preface(side, bytes);
        if !is_open && !may_begin {
            return ControlFlow::Continue(0);
        }
        let preface =
            self.about.tunnel.get_or_insert_default().preface.get_or_insert_with(|| Preface::new(side));
        if !preface.take(bytes, at, offset) {
            self.release_preface(cx)?;
            return ControlFlow::Continue(0);
        }
        let used = preface.pieces.last().map_or(0, |(piece, _)| piece.len);
        if preface.header.is_some() {
            self.about.client = Some(side);
            if self.about.start != Start::Given {
                // This is how a connection begins.
                self.about.start = Start::Opened;
            }
        }
        ControlFlow::Continue(usize::try_from(used).unwrap_or_default())
    }

    fn may_have_preface(&self, side: Side, bytes: &[u8]) -> bool {
        let is_early = matches!(self.phase, Phase::New | Phase::Probe(_) | Phase::Http(_));
        let is_client = match self.about.client {
            Some(client) => client == side,
            None => self.about.start != Start::Opened || side == Side::A,
        };
        is_early && is_client && proxy::begin(bytes) != Begin::Neither
    }

    /// What was thought to become a header is none, or will not be whole: it is read as what it is.
    pub(super) fn release_preface(&mut self, cx: &mut Context<'_, '_>) -> Flow {
        let Some(tunnel) = &mut self.about.tunnel else { return ON };
        let Some(preface) = tunnel.preface.take_if(|preface| preface.header.is_none()) else { return ON };
        if let Phase::WebSocket(_) = self.phase {
            // Its first frames stand behind all that came before the server's response.
            return ON;
        }
        let mut rest = &preface.bytes[..];
        // Where its length is known it is a header that was cut.
        let pieces = preface.pieces.iter().filter(|_| preface.length.is_none());
        for (piece, at) in pieces {
            let len = usize::try_from(piece.len).map_or(rest.len(), |len| len.min(rest.len()));
            let (bytes, after) = rest.split_at(len);
            rest = after;
            self.pass(preface.side, bytes, *at, piece.offset, cx)?;
        }
        ON
    }

    /// Something of this side is missing. A header that was under way there is cut, and so is what may have
    /// become one: alone its first bytes are neither a request nor frames.
    pub(super) fn cut_preface(&mut self, side: Side) {
        if let Some(tunnel) = &mut self.about.tunnel {
            tunnel.preface.take_if(|preface| preface.side == side && preface.header.is_none());
        }
    }

    /// Where what a side sends begins: behind its header, if it has one.
    pub(super) fn beginning(&self, side: Side) -> u64 {
        let preface = self.about.tunnel.as_ref().and_then(|tunnel| tunnel.preface.as_ref());
        preface.filter(|preface| preface.side == side).map_or(0, |preface| preface.total as u64)
    }
}

impl Preface {
    fn new(side: Side) -> Self {
        Self { side, bytes: Vec::new(), length: None, total: 0, pieces: Vec::new(), header: None }
    }

    /// Takes what may be its next bytes; `false` when it is no header.
    fn take(&mut self, bytes: &[u8], at: At, offset: u64) -> bool {
        let before = self.bytes.len();
        let room = limits::OPENING.saturating_sub(before);
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if self.length.is_none() {
            match proxy::begin(&self.bytes) {
                Begin::Header(length) => self.length = Some(length),
                Begin::NeedMore => {}
                Begin::Neither => {
                    self.bytes.truncate(before);
                    return false;
                }
            }
        }
        let used = self.length.map_or(bytes.len(), |length| bytes.len().min(length - self.total));
        self.total += used;
        self.bytes.truncate(self.total);
        let piece = Piece { offset, len: used as u64, packet: at.packet, byte: at.byte };
        if self.pieces.len() == PIECES {
            self.pieces.pop();
        }
        self.pieces.push((piece, at));
        if self.length == Some(self.total) {
            self.header = proxy::read(&self.bytes);
        }
        true
    }

    /// Shows it as a part of connection `conn`, whose client sent `source`.
    pub fn show(&self, conn: u32, source: SourceId, cx: &mut Context<'_, '_>) -> Flow {
        let Some(header) = &self.header else { return ON };
        let opening = Opening {
            client: header.client,
            server: header.server,
            ..Opening::new(0, header.protocol, &header.about, &self.bytes)
        };
        let first = self.pieces.first().map(|(piece, _)| piece.packet).filter(|packet| *packet > 0);
        let last = self.pieces.last();
        let pieces = self.pieces.iter().map(|(piece, _)| *piece).filter(|piece| piece.packet > 0);
        cx.out.emit(&Unit {
            dir: Some(Dir::Client),
            time: last.and_then(|(_, at)| at.time),
            packets: first.zip(last.map(|(piece, _)| piece.packet)),
            sources: &[Source::carried(source, pieces.collect())],
            ..Unit::of(conn, Body::Opening(&opening))
        })
    }

    /// When it was there.
    pub fn time(&self) -> Option<Time> {
        self.pieces.last().and_then(|(_, at)| at.time)
    }
}
