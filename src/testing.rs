//! What the decoder makes of frames, for the tests of what stands behind it.

use crate::model::{At, Dir, Emitter, Flow, ON, Sink, StreamEnd, Unit, Wants};
use crate::ws::{Conversation, Extensions, Scratch};

/// A WebSocket whose frames are given as they stand on the wire.
pub struct Wire {
    talk: Conversation,
    scratch: Scratch,
}

impl Wire {
    /// Of connection `conn`; what either endpoint says next begins at these offsets.
    pub fn new(conn: u32, starts: [u64; 2]) -> Self {
        let mut talk = Conversation::new(conn, starts, Extensions::NONE);
        talk.is_captured(Dir::Client);
        talk.is_captured(Dir::Server);
        Self { talk, scratch: Scratch::default() }
    }

    /// Hands on what the decoder tells of the next bytes of `dir`.
    pub fn say(&mut self, dir: Dir, bytes: &[u8], at: At, wants: Wants, each: &mut dyn FnMut(&Unit<'_>)) {
        let mut out = Emitter::new(Each { wants, each });
        // Whoever listens never has enough.
        let _: Flow = self.talk.push(dir, bytes, at, &mut out, &mut self.scratch);
    }

    /// Hands on what it tells when nothing more comes.
    pub fn end(mut self, wants: Wants, each: &mut dyn FnMut(&Unit<'_>)) {
        let mut out = Emitter::new(Each { wants, each });
        // The same holds here.
        let _: Flow = self.talk.finish(StreamEnd::Input, None, None, &mut out, &mut self.scratch);
    }
}

struct Each<'a> {
    wants: Wants,
    each: &'a mut dyn FnMut(&Unit<'_>),
}

impl Sink for Each<'_> {
    fn wants(&self) -> Wants {
        self.wants
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        (self.each)(unit);
        ON
    }
}
