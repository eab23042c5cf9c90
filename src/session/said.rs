//! What a layer below says of itself: told at once, or held until it is known that its connection matters.

use super::Context;
use crate::model::{At, Body, Dir, Field, Finding, Flow, Layer, Opening, Piece, Source, Span, Text, Unit};

/// A unit of a layer below, as long as its connection may have no number yet.
#[derive(Debug)]
pub(super) struct Said {
    /// The layer, as people call it.
    pub layer: &'static str,
    /// The same for programs.
    pub protocol: &'static str,
    /// What carries it.
    pub on: Layer,
    pub dir: Dir,
    /// Where it begins in what carries it, and how long it is there.
    pub offset: u64,
    pub length: u64,
    /// Its bytes, or the first of them.
    pub bytes: Vec<u8>,
    pub about: Text,
    /// Their spans, and those of findings, name no connection yet.
    pub fields: Vec<Field>,
    pub findings: Vec<Finding>,
    pub pieces: Vec<Piece>,
    pub last: At,
}

impl Said {
    /// Bytes it keeps.
    pub fn cost(&self) -> usize {
        size_of::<Self>()
            + self.bytes.len()
            + self.fields.len() * size_of::<Field>()
            + self.pieces.len() * size_of::<Piece>()
    }

    /// Shows it as of connection `conn`.
    pub fn show(mut self, conn: u32, cx: &mut Context<'_, '_>) -> Flow {
        let source = self.on.source(conn, self.dir);
        let unnumbered = self.on.source(0, self.dir);
        let own = |span: &mut Span| {
            if span.source == unnumbered {
                span.source = source;
            }
        };
        self.fields.iter_mut().for_each(|field| own(&mut field.span));
        self.findings.iter_mut().flat_map(|finding| &mut finding.spans).for_each(own);
        let opening = Opening::new(self.offset, self.protocol, &self.about, &self.bytes)
            .of_length(self.length)
            .on(self.layer);
        let packets = self.pieces.first().zip(self.pieces.last());
        let packets = packets.map(|(first, last)| (first.packet, last.packet));
        let wants_source = cx.out.wants().fields;
        let source = wants_source.then(|| Source::carried(source, self.pieces));
        cx.out.emit(&Unit {
            dir: Some(self.dir),
            time: self.last.time,
            packets: packets.filter(|(first, _)| *first > 0),
            fields: &self.fields,
            findings: &self.findings,
            sources: source.as_slice(),
            ..Unit::of(conn, Body::Opening(&opening))
        })
    }
}
