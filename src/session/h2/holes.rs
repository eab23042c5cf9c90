//! What the capture of a connection of HTTP/2 lacks, as its streams have to know it.

use super::{Around, Context, Http2, Stream};
use crate::model::{Dir, Flow, Missing, ON};
use crate::session::follow::Missed;

impl Http2 {
    /// Bytes of one endpoint are not there that the other had when it sent what comes next.
    pub fn behind(&mut self, dir: Dir, cx: &mut Context<'_, '_>) {
        self.is_behind[dir.index()] = true;
        self.connection.behind();
        for id in self.sorted() {
            if let Some(Stream::Child(child)) = self.streams.get_mut(&id) {
                child.behind(dir, cx);
            }
        }
    }

    /// Bytes of one endpoint are not in the capture.
    pub fn gap(&mut self, dir: Dir, missing: Missing, missed: Missed, to: &mut Around<'_, '_, '_>) -> Flow {
        let (rule, length) = (missed.rule, missing.length);
        if let Some(told) = &to.about.told {
            to.cx.out.sink().behind(told.conn, dir);
        }
        if let Some(id) = self.connection.gap(dir, missing) {
            let is_framed = !self.connection.is_seeking(dir);
            let flow = match self.streams.get_mut(&id) {
                Some(Stream::Child(child)) => child.gap(dir, rule, missing, to.cx),
                Some(Stream::Exchange(exchange)) => exchange.miss(dir, missed, is_framed, to),
                _ => ON,
            };
            self.recount(id);
            return flow;
        }
        // Whose it was nobody knows: each may lack something.
        let mut open = self.connection.open_streams(dir);
        open.sort_unstable();
        for id in open {
            match self.streams.get_mut(&id) {
                Some(Stream::Child(child)) => child.lose(dir, rule, length, to.cx)?,
                Some(Stream::Exchange(exchange)) => exchange.miss(dir, missed, false, to)?,
                _ => {}
            }
            self.recount(id);
        }
        ON
    }

    /// Where frames begin behind a hole is known, or no longer sought: of the bytes in which it was sought so
    /// many, the last ones, are read.
    pub fn seeks_no_more(&mut self, dir: Dir, read: u64) {
        let passed = std::mem::take(&mut self.sought[dir.index()]).saturating_sub(read);
        if dir == Dir::Client || passed == 0 {
            return;
        }
        for stream in self.streams.values_mut() {
            if let Stream::Exchange(exchange) = stream {
                exchange.pass_over(passed);
            }
        }
    }
}
