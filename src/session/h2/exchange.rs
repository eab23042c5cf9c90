//! An ordinary request over HTTP/2 and its answer, where they are shown: the long polling of Engine.IO, and
//! what streams.

use std::ops::ControlFlow;

use super::head::Written;
use super::{Around, Stop, show};
use crate::h2::HeadSeen;
use crate::http::body::Body;
use crate::http::head::Head;
use crate::limits;
use crate::model::{At, Dir, Flow, Layer, ON, Wants};
use crate::session::follow::{Follow, Missed};
use crate::session::judged::Judged;
use crate::session::run::Run;

/// A request and its answer.
#[derive(Default)]
pub(super) struct Exchange {
    /// What waits for its content, which is shown with it.
    pending: [Option<(Box<Judged>, Body)>; 2],
    answered: bool,
    /// Who follows the answer, where that streams, and how much of it there was.
    follow: Option<(Box<Follow>, u64)>,
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
        if let Some(follow) = streamed(dir, head, &read, wants) {
            to.about.show(&Judged { streams: true, ..judged }, None, to.cx)?;
            self.follow = Some((follow, 0));
            return ON;
        }
        let keep = if wants.bodies() { limits::APP_PAYLOAD as usize } else { limits::HTTP_BODY_PREVIEW };
        if head.ends_stream {
            return to.about.show(&judged, None, to.cx);
        }
        self.pending[dir.index()] = Some((Box::new(judged), Body::until_end().keeping(keep)));
        ON
    }

    /// Content.
    pub fn content(&mut self, dir: Dir, bytes: &[u8], at: At, to: &mut Around<'_, '_, '_>) -> Flow {
        if let Some((follow, offset)) = self.follow.as_mut().filter(|_| dir == Dir::Server) {
            let run = Run { dir, bytes, at, offset: *offset };
            *offset += bytes.len() as u64;
            return follow.push(run, to.about, to.cx);
        }
        if let Some((judged, body)) = &mut self.pending[dir.index()] {
            body.push(bytes);
            (judged.time, judged.last_packet) = (at.time, Some(at.packet));
        }
        ON
    }

    /// Bytes that it holds for what streams.
    pub fn cost(&self) -> usize {
        self.follow.as_ref().map_or(0, |(follow, _)| follow.cost())
    }

    /// An endpoint sends nothing more; whether the exchange is over.
    pub fn end(&mut self, dir: Dir, stop: &Stop, to: &mut Around<'_, '_, '_>) -> ControlFlow<(), bool> {
        self.show(dir, to)?;
        if dir == Dir::Server
            && let Some((follow, _)) = self.follow.take()
        {
            follow.end(stop.how.is_final(), stop.at, to.about, to.cx)?;
        }
        ControlFlow::Continue(self.answered && dir == Dir::Server)
    }

    /// Nothing more will come.
    pub fn finish(&mut self, to: &mut Around<'_, '_, '_>) -> Flow {
        if let Some((follow, _)) = self.follow.take() {
            follow.end(false, At::default(), to.about, to.cx)?;
        }
        self.show(Dir::Client, to)?;
        self.show(Dir::Server, to)
    }

    /// Bytes of the connection are missing, all of them of what `dir` says here (`is_framed`), or some of
    /// them, or none: what streams is read on where its next unit begins, all else as far as it was there.
    pub fn miss(&mut self, dir: Dir, missed: Missed, is_framed: bool, to: &mut Around<'_, '_, '_>) -> Flow {
        match &mut self.follow {
            Some((follow, offset)) if dir == Dir::Server => {
                *offset = offset.saturating_add(missed.gap.length);
                follow.miss(missed, is_framed, to.about, to.cx)
            }
            _ => self.show(dir, to),
        }
    }

    /// So many bytes of the connection behind a hole were not read.
    pub fn pass_over(&mut self, bytes: u64) {
        if let Some((follow, _)) = &mut self.follow {
            follow.pass_over(bytes);
        }
    }

    fn show(&mut self, dir: Dir, to: &mut Around<'_, '_, '_>) -> Flow {
        let Some((judged, body)) = self.pending[dir.index()].take() else { return ON };
        to.about.show(&judged, Some(&body), to.cx)
    }
}

/// Who follows the content behind a head, if it streams.
fn streamed(dir: Dir, head: &HeadSeen, read: &Head<'_>, wants: Wants) -> Option<Box<Follow>> {
    if dir == Dir::Client || head.ends_stream {
        return None;
    }
    Follow::of(read, u64::from(head.stream), Some(head.stream), wants).map(Box::new)
}

/// Whether the answer behind a head streams, whatever was asked for.
pub(super) fn streams(head: &HeadSeen, read: &Head<'_>, wants: Wants) -> bool {
    streamed(Dir::Server, head, read, wants).is_some()
}
