//! Streams whose header fields were not captured: WebSockets among them are found by the shape of their
//! frames.

use super::child::Child;
use super::{Around, Http2, Stream};
use crate::h2::Run;
use crate::limits;
use crate::model::{Dir, Flow, ON, Side};
use crate::session::probe::{Found, Probe};
use crate::session::{Phase, Start};

/// A stream that may carry anything.
#[derive(Default)]
pub(super) struct Stranger {
    probe: Probe,
    /// Bytes of each endpoint so far.
    offsets: [u64; 2],
}

impl Stranger {
    /// Bytes that it holds.
    pub fn cost(&self) -> usize {
        self.probe.cost()
    }
}

impl Http2 {
    /// Content comes on a stream whose header fields were not seen.
    pub(super) fn meet(&mut self, id: u32) {
        let strangers = self.streams.values().filter(|stream| matches!(stream, Stream::Stranger(_))).count();
        let stream = match strangers {
            0..limits::H2_STRANGERS => Stream::Stranger(Box::default()),
            _ => Stream::Other,
        };
        self.streams.insert(id, stream);
    }

    /// Looks whether content is made of frames.
    pub(super) fn look(&mut self, dir: Dir, id: u32, run: Run<'_>, to: &mut Around<'_, '_, '_>) -> Flow {
        let Some(Stream::Stranger(stranger)) = self.streams.get_mut(&id) else { return ON };
        let offset = stranger.offsets[dir.index()];
        stranger.offsets[dir.index()] += run.bytes.len() as u64;
        let client = (to.about.start != Start::Midway).then_some(Side::A);
        let side = Side::of(dir);
        let found = stranger.probe.look(side, run.bytes, run.at, offset, Start::Midway, client);
        self.found(id, found, to)
    }

    /// Nothing more will come: what there is must be enough.
    pub(super) fn decide(&mut self, id: u32, to: &mut Around<'_, '_, '_>) -> Flow {
        let Some(Stream::Stranger(stranger)) = self.streams.get_mut(&id) else { return ON };
        let Some(found) = stranger.probe.ended() else { return ON };
        self.found(id, found, to)
    }

    fn found(&mut self, id: u32, found: Found, to: &mut Around<'_, '_, '_>) -> Flow {
        let Found::Frames { side, offset, masked } = found else {
            if found == Found::Other || found == Found::Http {
                self.streams.insert(id, Stream::Other);
            }
            return ON;
        };
        let Some(Stream::Stranger(stranger)) = self.streams.remove(&id) else { return ON };
        self.tell(to)?;
        let mut child = Child::new(id, to.about);
        let session = child.session();
        session.about.start = Start::Midway;
        session.about.offsets = stranger.offsets;
        session.phase = Phase::Probe(Box::new(stranger.probe));
        let flow = session.begin_frames(side, offset, masked, to.cx);
        self.streams.insert(id, Stream::Child(Box::new(child)));
        flow
    }
}
