//! A page as a view: records as they come, and behind them what they come to.

use std::io::{self, Write};

use super::page::{END, beginning, embed};
use super::records::Records;
use super::words::words;
use crate::cause::Head;
use crate::limits;
use crate::model::{Body, Flow, ON, Sink, Unit, Wants};
use crate::render::json::Scope;
use crate::render::stats::Stats;
use crate::render::{Options, View};

/// Writes a page for a browser. Nothing of it is held: a record is written when its unit comes, and a page
/// that was cut short shows what it has.
///
/// A page is no larger than browsers like: beyond [`limits::HTML_RECORDS`] records or [`limits::HTML_BYTES`]
/// bytes of them, frames and messages without findings are counted and left out.
#[derive(Debug)]
pub struct Html<W> {
    out: W,
    records: Records,
    options: Options,
    scope: Scope,
    /// What went wrong, if that is shown.
    head: Option<Box<Head>>,
    stats: Stats,
    has_begun: bool,
    written: usize,
    bytes: usize,
    /// How many of either there may be.
    most: (usize, usize),
    left_out: u64,
    error: Option<io::Error>,
}

impl<W: Write> Html<W> {
    /// A page on `out`.
    pub fn new(out: W, options: Options) -> Self {
        Self {
            out,
            records: Records::new(&options),
            options,
            scope: Scope::All,
            head: options.head.then(Box::default),
            stats: if options.latency { Stats::with_latency() } else { Stats::new() },
            has_begun: false,
            written: 0,
            bytes: 0,
            most: (limits::HTML_RECORDS, limits::HTML_BYTES),
            left_out: 0,
            error: None,
        }
    }

    /// Leaves out what `scope` does.
    #[must_use]
    pub fn only(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    fn begin(&mut self, title: &str) -> io::Result<()> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Ok(());
        }
        let lang = self.options.lang;
        self.out.write_all(beginning(title, lang, &words(lang)).as_bytes())
    }

    /// Holds at most so many records, and so many bytes of them.
    #[must_use]
    pub fn holding(mut self, records: usize, bytes: usize) -> Self {
        self.most = (records, bytes);
        self
    }

    /// Whether there is no room for a unit.
    fn is_too_much(&self, unit: &Unit<'_>) -> bool {
        let is_full = |(records, bytes)| self.written >= records || self.bytes >= bytes;
        let (records, bytes) = self.most;
        match unit.body {
            Body::Summary(_) | Body::Meta(_) => false,
            // What went wrong, and what connections there are, have a quarter of it for themselves.
            Body::Frame(_) | Body::Message(_) | Body::Packet(_) if unit.findings.is_empty() => {
                is_full((records / 4 * 3, bytes / 4 * 3))
            }
            _ => is_full((records, bytes)),
        }
    }

    fn unit(&mut self, unit: &Unit<'_>) -> io::Result<()> {
        let title = match unit.body {
            Body::Meta(meta) => &meta.input,
            _ => "",
        };
        self.begin(title)?;
        if !self.scope.shows(unit) && unit.findings.is_empty() {
            return Ok(());
        }
        if self.is_too_much(unit) {
            self.left_out += 1;
            return Ok(());
        }
        if let Some(record) = self.records.of(unit) {
            self.written += 1;
            self.bytes += record.len();
            embed(record, &mut self.out)?;
            self.out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        self.begin("")?;
        if let Some(head) = &self.head {
            embed(self.records.head(head), &mut self.out)?;
            self.out.write_all(b"\n")?;
        }
        embed(self.records.stats(&self.stats), &mut self.out)?;
        self.out.write_all(b"\n")?;
        if self.left_out > 0 {
            writeln!(self.out, "{{\"type\":\"left\",\"units\":{}}}", self.left_out)?;
        }
        self.out.write_all(END.as_bytes())?;
        self.out.flush()
    }
}

impl<W: Write> Sink for Html<W> {
    fn wants(&self) -> Wants {
        self.records.wants()
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if self.error.is_some() {
            return Flow::Break(());
        }
        if let Some(head) = &mut self.head {
            head.see(unit);
        }
        // A counter has never had enough.
        let _: Flow = self.stats.take(unit);
        match self.unit(unit) {
            Ok(()) => ON,
            Err(error) => {
                self.error = Some(error);
                Flow::Break(())
            }
        }
    }
}

impl<W: Write> View for Html<W> {
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn end(mut self: Box<Self>) -> io::Result<()> {
        self.finish()
    }
}
