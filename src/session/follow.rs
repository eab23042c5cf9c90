//! Content without frames, divided into units as it arrives: what a response streams, and lines of raw TCP.

use std::io::Write as _;

use flate2::write::{MultiGzDecoder, ZlibDecoder};

use super::Context;
use super::about::About;
use super::run::Run;
use crate::http::head::Head;
use crate::http::stream::{self, BROKEN_CHUNK, Kind, Place, Reader, Seen};
use crate::limits;
use crate::model::{
    AppPacket, At, Body, Dir, Finding, Flow, ON, SourceId, Span, Streamed, StreamedKind, Text, Unit, Wants,
};

/// Who follows content.
#[derive(Debug)]
pub(super) struct Follow {
    reader: Reader,
    inflate: Inflate,
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
}

/// What takes the coding off a content (RFC 9110 §8.4.1).
#[derive(Debug)]
enum Inflate {
    No,
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
    Zlib(Box<ZlibDecoder<Vec<u8>>>),
    /// It is none.
    Broken,
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
        let codings = head.values("Content-Encoding").map(|coding| coding.text().trim().to_ascii_lowercase());
        let inflate = match codings.collect::<Vec<_>>().join(",").as_str() {
            "" | "identity" => Inflate::No,
            "gzip" | "x-gzip" => Inflate::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
            "deflate" => Inflate::Zlib(Box::new(ZlibDecoder::new(Vec::new()))),
            // What it holds cannot be read.
            _ => return None,
        };
        let of = Of { dir: Dir::Server, stream, body: Some(n), kind: unit, place: 0 };
        Some(Self { reader: Reader::of(&kind), inflate, of })
    }

    /// Who follows lines that an endpoint sends.
    pub fn lines(dir: Dir) -> Self {
        let of = Of { dir, stream: None, body: None, kind: StreamedKind::Line, place: 0 };
        Self { reader: Reader::lines(), inflate: Inflate::No, of }
    }

    /// Bytes that it holds.
    pub fn cost(&self) -> usize {
        /// What zlib holds to inflate.
        const WINDOW: usize = 48 * 1024;
        let window = if matches!(self.inflate, Inflate::Gzip(_) | Inflate::Zlib(_)) { WINDOW } else { 0 };
        self.reader.cost() + window
    }

    /// Takes content.
    pub fn push(&mut self, run: Run<'_>, about: &About, cx: &mut Context<'_, '_>) -> Flow {
        let Self { reader, inflate, of } = self;
        let (packet, offset) = (run.at.packet, run.offset);
        let mut take = |seen: &Seen<'_>| of.tell(seen, run.at, about, cx);
        if matches!(inflate, Inflate::No) {
            let run = stream::Run { bytes: run.bytes, packet, offset, inflated: false };
            return reader.push(run, &mut take);
        }
        for few in run.bytes.chunks(limits::STREAMED_INFLATED_FROM) {
            let plain = inflate.inflate(few);
            if !plain.is_empty() {
                let run = stream::Run { bytes: &plain, packet, offset, inflated: true };
                reader.push(run, &mut take)?;
            }
        }
        ON
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
        reader.end(ended, &mut |seen| of.tell(seen, at, about, cx))
    }
}

impl Of {
    /// Tells the next unit.
    fn tell(&mut self, seen: &Seen<'_>, at: At, about: &About, cx: &mut Context<'_, '_>) -> Flow {
        self.place += 1;
        let (conn, begin) = (about.number(), seen.begin);
        let &mut Self { dir, stream, body, kind, place } = self;
        let (source, byte) = match body {
            Some(n) => (SourceId::Body { conn, dir, n }, begin.content),
            None => (about.source(dir), begin.offset),
        };
        let said = stream::read(seen, Place { source, byte });
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

impl Inflate {
    /// What some bytes inflate to. Of what is no such coding that is nothing.
    fn inflate(&mut self, bytes: &[u8]) -> Vec<u8> {
        let (done, out) = match self {
            Self::Gzip(gzip) => (gzip.write_all(bytes).and_then(|()| gzip.flush()), gzip.get_mut()),
            Self::Zlib(zlib) => (zlib.write_all(bytes).and_then(|()| zlib.flush()), zlib.get_mut()),
            Self::No | Self::Broken => return Vec::new(),
        };
        let plain = std::mem::take(out);
        if done.is_err() {
            *self = Self::Broken;
        }
        plain
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::{GzEncoder, ZlibEncoder};

    use super::*;

    #[test]
    fn what_is_flushed_comes_out_at_once() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        let mut inflate = Inflate::Gzip(Box::new(MultiGzDecoder::new(Vec::new())));
        for event in ["data: one\n\n", "data: two\n\n"] {
            gzip.write_all(event.as_bytes()).unwrap();
            gzip.flush().unwrap();
            let sent = std::mem::take(gzip.get_mut());
            let plain: Vec<u8> = sent.chunks(3).flat_map(|bytes| inflate.inflate(bytes)).collect();
            assert_eq!(String::from_utf8(plain).unwrap(), event);
        }
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(b"data: one\n\n").unwrap();
        let sent = zlib.finish().unwrap();
        let mut inflate = Inflate::Zlib(Box::new(ZlibDecoder::new(Vec::new())));
        assert_eq!(inflate.inflate(&sent), b"data: one\n\n");
        let mut none = Inflate::Gzip(Box::new(MultiGzDecoder::new(Vec::new())));
        assert_eq!(none.inflate(b"data: none of it\n\n"), b"");
        assert!(matches!(none, Inflate::Broken));
    }
}
