//! An ordinary request over HTTP/2 and its answer, where they are shown: the long polling of Engine.IO.

use std::ops::ControlFlow;

use super::head::Written;
use super::{Around, show};
use crate::h2::HeadSeen;
use crate::http::body::Body;
use crate::limits;
use crate::model::{At, Dir, Flow, Layer, ON};
use crate::session::judged::Judged;

/// A request and its answer.
#[derive(Default)]
pub(super) struct Exchange {
    /// What waits for its content, which is shown with it.
    pending: [Option<(Box<Judged>, Body)>; 2],
    answered: bool,
}

impl Exchange {
    /// Begins with a request.
    pub fn request(
        head: &HeadSeen,
        written: &Written,
        before: &mut [u64; 2],
        to: &mut Around<'_, '_, '_>,
    ) -> ControlFlow<(), Self> {
        let mut it = Self::default();
        it.head(Dir::Client, (head, written), before, to)?;
        ControlFlow::Continue(it)
    }

    /// Header fields of the server.
    pub fn response(&mut self, head: &HeadSeen, before: &mut [u64; 2], to: &mut Around<'_, '_, '_>) -> Flow {
        if self.answered {
            // Trailers.
            return ON;
        }
        let written = Written::of(head, Dir::Server);
        // A server may answer before it has the whole request.
        self.show(Dir::Client, to)?;
        self.head(Dir::Server, (head, &written), before, to)
    }

    fn head(
        &mut self,
        dir: Dir,
        (head, written): (&HeadSeen, &Written),
        before: &mut [u64; 2],
        to: &mut Around<'_, '_, '_>,
    ) -> Flow {
        let wants = to.cx.out.wants();
        let offset = before[dir.index()];
        before[dir.index()] += written.bytes.len() as u64;
        let read = written.head(Layer::headers(to.about.number(), dir), offset);
        let judged = Judged {
            polls: true,
            stream: Some((head.stream, to.about.source(dir))),
            length: head.length,
            last_packet: Some(head.at.packet),
            findings: show::named(head.findings.clone(), to.about.source(dir)),
            ..Judged::plain(dir, &read, wants, written.pieces_from(offset), head.at.time)
        };
        // An interim response answers nothing yet (RFC 9110 §15.2).
        if read.status().is_some_and(|status| (100..200).contains(&status)) {
            return to.about.show(&judged, None, to.cx);
        }
        self.answered |= dir == Dir::Server;
        let keep = if wants.bodies() { limits::APP_PAYLOAD as usize } else { limits::HTTP_BODY_PREVIEW };
        if head.ends_stream {
            return to.about.show(&judged, None, to.cx);
        }
        self.pending[dir.index()] = Some((Box::new(judged), Body::until_end().keeping(keep)));
        ON
    }

    /// Content.
    pub fn content(&mut self, dir: Dir, bytes: &[u8], at: At) {
        if let Some((judged, body)) = &mut self.pending[dir.index()] {
            body.push(bytes);
            (judged.time, judged.last_packet) = (at.time, Some(at.packet));
        }
    }

    /// An endpoint sends nothing more; whether the exchange is over.
    pub fn end(&mut self, dir: Dir, to: &mut Around<'_, '_, '_>) -> ControlFlow<(), bool> {
        self.show(dir, to)?;
        ControlFlow::Continue(self.answered && dir == Dir::Server)
    }

    /// Nothing more will come.
    pub fn finish(&mut self, to: &mut Around<'_, '_, '_>) -> Flow {
        self.show(Dir::Client, to)?;
        self.show(Dir::Server, to)
    }

    fn show(&mut self, dir: Dir, to: &mut Around<'_, '_, '_>) -> Flow {
        let Some((judged, body)) = self.pending[dir.index()].take() else { return ON };
        to.about.show(&judged, Some(&body), to.cx)
    }
}
