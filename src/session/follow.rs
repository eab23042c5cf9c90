//! Content without frames, divided into units as it arrives: what a response streams, and lines of raw TCP.

use std::ops::ControlFlow;

use super::Context;
use super::about::About;
use super::run::Run;
use crate::coding::{Codings, Decoder, Stop};
use crate::http::codings;
use crate::http::head::Head;
use crate::http::stream::{self, BROKEN_CHUNK, Kind, NOT_DECODED, Place, Reader, Seen};
use crate::model::{
    AppPacket, At, Body, Dir, Finding, Flow, Gap, GapEffect, ON, Rule, SourceId, Span, Streamed,
    StreamedKind, Text, Unit, Wants,
};

/// Who follows content.
#[derive(Debug)]
pub(super) struct Follow {
    reader: Reader,
    decoder: Decoder,
    of: Of,
}

/// What it is the content of.
#[derive(Debug)]
struct Of {
    dir: Dir,
    /// The stream of HTTP/2.
    stream: Option<u32>,
    /// The number of the response; `None` for all that an endpoint sends.
    body: Option<u64>,
    kind: StreamedKind,
    /// Units so far.
    place: u64,
    /// A hole of which nothing is told yet: nothing behind it was read.
    lost: Option<Lost>,
    /// What is read was found by its shape, behind this hole.
    found: Option<Lost>,
}

/// What is missing of what one endpoint sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Missed {
    pub gap: Gap,
    /// What it is against.
    pub rule: &'static Rule,
}

/// A hole, and what became of what is behind it.
#[derive(Clone, Copy, Debug)]
struct Lost {
    gap: Gap,
    /// What it is against.
    rule: &'static Rule,
    /// Where in the content it ends.
    from: u64,
    /// Bytes behind it that were passed over, and are no content.
    passed: u64,
    /// It lies within the content, and nothing of what is around that is missing.
    is_framed: bool,
}

impl Follow {
    /// Who follows what the `n`th response of a connection streams, if it does.
    pub fn of(head: &Head<'_>, n: u64, stream: Option<u32>, wants: Wants) -> Option<Self> {
        let kind = Kind::of(head).filter(|_| wants.streams())?;
        // Pages are of interest where everything is.
        let unit = match kind {
            Kind::Events => StreamedKind::Event,
            Kind::Parts(_) => StreamedKind::Part,
            Kind::Pages if wants.http => StreamedKind::Piece,
            Kind::Pages => return None,
        };
        // What is in another coding cannot be read.
        let codings = Some(codings(head)).filter(|codings| codings.are_read())?;
        let of = Of::new(Dir::Server, stream, Some(n), unit);
        Some(Self { reader: Reader::of(&kind), decoder: Decoder::new(codings), of })
    }

    /// Who follows lines that an endpoint sends.
    pub fn lines(dir: Dir) -> Self {
        let of = Of::new(dir, None, None, StreamedKind::Line);
        Self { reader: Reader::lines(), decoder: Decoder::new(Codings::default()), of }
    }

    /// Bytes that it holds.
    pub fn cost(&self) -> usize {
        self.reader.cost() + self.decoder.cost()
    }

    /// Takes content.
    pub fn push(&mut self, run: Run<'_>, about: &About, cx: &mut Context<'_, '_>) -> Flow {
        let Self { reader, decoder, of } = self;
        let (at, offset) = (run.at, run.offset);
        if decoder.stopped().is_some() {
            self.pass_over(run.bytes.len() as u64);
            return ON;
        }
        let inflated = !decoder.codings().is_none();
        let mut flow = ON;
        let decoded = decoder.push(run.bytes, &mut |bytes| {
            let run = stream::Run { bytes, packet: at.packet, offset, inflated };
            flow = reader.push(run, &mut |seen| of.tell(seen, at, about, cx));
            flow.is_continue()
        });
        flow?;
        match decoded {
            Ok(()) => ON,
            Err(stop) => self.is_not_decoded(stop, run, about, cx),
        }
    }

    /// What its codings are around cannot be decoded from these bytes on: nothing behind is told.
    #[cold]
    fn is_not_decoded(&mut self, stop: Stop, run: Run<'_>, about: &About, cx: &mut Context<'_, '_>) -> Flow {
        let Self { reader, decoder, of } = self;
        reader.miss(0, &mut |seen| of.tell(seen, run.at, about, cx))?;
        let (codings, (taken, made)) = (decoder.codings(), decoder.extent());
        let got = match stop {
            Stop::TooLarge => {
                Text::with("{}, of which {} bytes have become {}, and which is given up", codings)
                    .and(taken)
                    .and(made)
            }
            Stop::Broken | Stop::Unread => {
                Text::with("{}, broken within the first {} bytes of the content", codings).and(taken)
            }
        };
        let expected = Text::with("the content coding {}", codings);
        let span = Span::bytes(about.source(of.dir), run.offset, 1);
        let finding = Finding::new(&NOT_DECODED, of.dir, expected, got).at(span);
        let Some(told) = &about.told else { return ON };
        told.note(of.dir, run.at, &[finding], cx)
    }

    /// Bytes of it are missing. `is_framed` says that it is known where in the
    /// framing around the content the next byte stands.
    pub fn miss(
        &mut self,
        Missed { gap, rule }: Missed,
        is_framed: bool,
        about: &About,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        let Self { reader, decoder, of } = self;
        let at = At { packet: gap.between.0.unwrap_or_default(), ..At::default() };
        reader.miss(gap.length, &mut |seen| of.tell(seen, at, about, cx))?;
        if !decoder.codings().is_none() {
            // What follows refers to what is missing.
            decoder.give_up();
        }
        let from = reader.content();
        let none = Lost { gap: Gap { length: 0, ..gap }, rule, from, passed: 0, is_framed: true };
        let lost = of.lost.get_or_insert(none);
        lost.is_framed &= is_framed;
        lost.passed += from.saturating_sub(gap.length).saturating_sub(lost.from);
        (lost.from, lost.gap.between.1) = (from, gap.between.1);
        lost.gap.length = lost.gap.length.saturating_add(gap.length);
        if !is_framed {
            lost.gap.effect = GapEffect::StreamFound;
        }
        ON
    }

    /// Whether these bytes look like what it follows.
    pub fn may_go_on(&self, content: &[u8]) -> bool {
        // What a coding is around does not, and could not be read.
        self.decoder.codings().is_none() && self.reader.may_be(content)
    }

    /// So many bytes behind a hole are none that can be read.
    pub fn pass_over(&mut self, bytes: u64) {
        if let Some(lost) = &mut self.of.lost {
            lost.passed += bytes;
        }
    }

    /// What is read cannot be: whether that was found by its shape, behind a hole, and is given up.
    pub fn goes_astray(&mut self, about: &About, cx: &mut Context<'_, '_>) -> ControlFlow<(), bool> {
        let Self { reader, of, .. } = self;
        let Some(found) = of.found else { return ControlFlow::Continue(false) };
        reader.miss(0, &mut |seen| of.tell(seen, At::default(), about, cx))?;
        of.lost = Some(Lost { from: reader.content(), passed: 0, ..found });
        ControlFlow::Continue(true)
    }

    /// The framing around the content breaks with these bytes: nothing behind is known.
    pub fn breaks(&mut self, run: Run<'_>, about: &About, cx: &mut Context<'_, '_>) -> Flow {
        let got = match run.bytes.first() {
            Some(byte) => Text::with("0x{}", format!("{byte:02x}")),
            None => Text::new("something else"),
        };
        let expected = Text::new("the size of a chunk, or the end of its line");
        let span = Span::bytes(about.source(self.of.dir), run.offset, 1);
        let finding = Finding::new(&BROKEN_CHUNK, self.of.dir, expected, got).at(span);
        let Some(told) = &about.told else { return ON };
        told.note(self.of.dir, run.at, &[finding], cx)
    }

    /// No more comes; `ended` says that its sender has ended it while somebody listened.
    pub fn end(mut self: Box<Self>, ended: bool, at: At, about: &About, cx: &mut Context<'_, '_>) -> Flow {
        let Self { reader, of, .. } = &mut *self;
        reader.end(ended, &mut |seen| of.tell(seen, at, about, cx))?;
        of.tell_lost(None, reader.content(), about, cx)
    }
}

impl Of {
    fn new(dir: Dir, stream: Option<u32>, body: Option<u64>, kind: StreamedKind) -> Self {
        Self { dir, stream, body, kind, place: 0, lost: None, found: None }
    }

    /// Tells of the hole behind which nothing was told yet, where byte `read` of the content is told next, or
    /// nothing more of it, and it ends at byte `end`.
    fn tell_lost(&mut self, read: Option<u64>, end: u64, about: &About, cx: &mut Context<'_, '_>) -> Flow {
        let Some(lost) = self.lost.take() else { return ON };
        let unread = lost.passed + read.unwrap_or(end).saturating_sub(lost.from);
        let mut gap = lost.gap;
        if gap.effect == GapEffect::StreamFound {
            self.found = Some(lost);
        }
        if read.is_none() && (unread > 0 || gap.effect == GapEffect::StreamFound) {
            gap.effect = GapEffect::StreamLost;
        }
        let got = match unread {
            0 => gap.missing(),
            _ => Text::new("{}, and {} bytes behind them not read").word(gap.missing()).and(unread),
        };
        let got = match self.stream {
            Some(stream) if lost.is_framed => got.then(Text::with("all of them are of stream {}", stream)),
            Some(stream) => got.then(Text::with("how many of them are of stream {} is not known", stream)),
            None => got,
        };
        let finding = gap.finding(lost.rule, about.source(self.dir), got);
        cx.out.emit(&Unit {
            dir: Some(self.dir),
            packets: gap.packets(),
            findings: &[finding],
            ..Unit::of(about.number(), Body::Gap(&gap))
        })
    }

    /// Tells the next unit.
    fn tell(&mut self, seen: &Seen<'_>, at: At, about: &About, cx: &mut Context<'_, '_>) -> Flow {
        self.tell_lost(Some(seen.begin.content), 0, about, cx)?;
        self.place += 1;
        let (conn, begin) = (about.number(), seen.begin);
        let &mut Self { dir, stream, body, kind, place, found, .. } = self;
        let (source, byte) = match body {
            Some(n) => (SourceId::Body { conn, dir, n }, begin.content),
            None => (about.source(dir), begin.offset),
        };
        let mut said = stream::read(seen, Place { source, byte });
        if found.is_some() {
            // It is not certain that it is what it is taken for, and nobody sent it wrong.
            said.findings.clear();
        }
        let most = usize::try_from(cx.out.wants().payload).unwrap_or(usize::MAX);
        let cut = seen.length - seen.kept.len() as u64;
        let packet = AppPacket {
            streamed: Some(Streamed { kind, stream, offset: begin.offset, complete: seen.complete }),
            place,
            text: std::str::from_utf8(said.content).is_ok(),
            length: said.content.len() as u64 + cut,
            payload: &said.content[..said.content.len().min(most)],
            app: &said.app,
        };
        let first = if begin.packet > 0 { begin.packet } else { at.packet };
        cx.out.emit(&Unit {
            dir: Some(dir),
            time: at.time,
            packets: (first > 0).then_some((first, at.packet.max(first))),
            findings: &said.findings,
            ..Unit::of(conn, Body::Packet(&packet))
        })
    }
}
