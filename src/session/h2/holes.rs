//! What the capture of a connection of HTTP/2 lacks, as its streams have to know it.

use super::{Around, Context, Http2, Stream};
use crate::model::{Dir, Flow, ON, Rule};

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

    /// `length` bytes of one endpoint are not in the capture.
    pub fn gap(&mut self, dir: Dir, length: u64, rule: &'static Rule, to: &mut Around<'_, '_, '_>) -> Flow {
        if let Some(told) = &to.about.told {
            to.cx.out.sink().behind(told.conn, dir);
        }
        if let Some(id) = self.connection.gap(dir, length) {
            let flow = match self.streams.get_mut(&id) {
                Some(Stream::Child(child)) => child.gap(dir, rule, length, to.cx),
                Some(Stream::Exchange(exchange)) if dir == Dir::Server => exchange.lose(to),
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
                Some(Stream::Exchange(exchange)) if dir == Dir::Server => exchange.lose(to)?,
                _ => {}
            }
            self.recount(id);
        }
        ON
    }
}
