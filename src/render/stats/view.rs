//! The counts as a view: nothing until the end, and then all of it.

use std::io::{self, Write};

use super::Stats;
use crate::model::{Flow, Message, Single, Sink, Unit, Wants};
use crate::render::choice::{Choice, Form};
use crate::render::json::Scope;
use crate::render::{Options, View};

/// Its place in the list of views.
pub static VIEW: Choice = Choice {
    name: "stats",
    help: "Counts, sizes and times, in all and per connection",
    is_late: true,
    scope: Scope::All,
    make: |_, out, form, options| Box::new(Counting::new(out, form, *options)),
};

/// [`Stats`] that are written when they end.
#[derive(Debug)]
pub struct Counting<W> {
    stats: Stats,
    out: W,
    form: Form,
    options: Options,
}

impl<W: Write> Counting<W> {
    /// Counts for `out`.
    pub fn new(out: W, form: Form, options: Options) -> Self {
        let stats = if options.latency { Stats::with_latency() } else { Stats::new() };
        Self { stats, out, form, options }
    }
}

impl<W> Sink for Counting<W> {
    fn wants(&self) -> Wants {
        self.stats.wants()
    }

    #[inline]
    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.stats.take(unit)
    }

    #[inline]
    fn take_whole(&mut self, unit: &Unit<'_>, message: &Message<'_>) -> Flow {
        self.stats.take_whole(unit, message)
    }

    #[inline]
    fn take_single(&mut self, single: &Single<'_>) -> Flow {
        self.stats.take_single(single)
    }
}

impl<W: Write> View for Counting<W> {
    fn end(mut self: Box<Self>) -> io::Result<()> {
        let Options { lang, ascii, width, .. } = self.options;
        match self.form {
            Form::Text => self.stats.text(&mut self.out, lang, ascii, width)?,
            Form::Array => self.stats.array(&mut self.out)?,
            Form::Lines => self.stats.lines(&mut self.out)?,
        }
        self.out.flush()
    }
}
