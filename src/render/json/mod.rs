//! `--format ndjson` and `--format json`: the records of schema `wstool/1`.
//!
//! `docs/ndjson.md` is the reference of every record and key, and
//! `schema/wstool-1.schema.json` says the same to programs; the tests hold all
//! three together.

mod app;
mod base64;
pub(crate) mod cause;
mod digits;
mod escape;
pub mod film;
mod frame;
mod headers;
mod last;
mod line;
pub(crate) mod record;
pub(crate) mod run;
mod single;
mod tcp;
pub(crate) mod value;
pub(crate) mod write;

#[cfg(test)]
mod tests;

#[cfg(feature = "parquet")]
pub(crate) use app::app_text;
#[cfg(feature = "parquet")]
pub(crate) use frame::{shown, shown_of_packet};

use std::io::{self, Write};

use crate::cause::Head;
use crate::model::{Body, Flow, Message, Single, Sink, Unit, Wants};
use crate::render::View;
use frame::Records;
use line::Run;
use record::findings;
use value::members;
use write::Writer;

/// The schema's name and version, in the first record.
pub const SCHEMA: &str = "wstool/1";

/// This tool's name and version.
pub const TOOL: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// How records are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// One a line.
    Lines,
    /// All in one array.
    Array,
}

/// Which records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    #[default]
    All,
    /// What the application sees: no frames and no HTTP heads.
    Messages,
    /// Sessions and what belongs to them: no frames, and only messages that are packets of a session.
    Sessions,
    /// How connections ended, and why.
    Causes,
}

impl Scope {
    /// Whether a unit is written.
    pub(crate) fn shows(self, unit: &Unit<'_>) -> bool {
        match (self, unit.body) {
            (Self::All, _) => true,
            (Self::Messages, body) => !matches!(body, Body::Frame(_) | Body::Http(_)),
            (Self::Sessions, Body::Message(it)) => it.app.is_some_and(|app| app.session.is_some()),
            (Self::Causes, body) => {
                matches!(body, Body::Meta(_) | Body::File(_) | Body::Judgement(_) | Body::Summary(_))
            }
            (Self::Sessions, body) => !matches!(body, Body::Frame(_) | Body::Gap(_)),
        }
    }
}

/// Writes units as JSON records.
///
/// Records are gathered and written in large pieces. For a live source call
/// [`Json::flush`] whenever no more input is at hand, so that each record appears
/// promptly; call [`Json::finish`] at the end in any case.
#[derive(Debug)]
pub struct Json<W> {
    stream: Stream<W>,
    records: Records,
    scope: Scope,
    /// What went wrong, for the end.
    head: Head,
}

impl<W: Write> Json<W> {
    /// One record a line. Of each payload at most `payload` bytes are shown.
    pub fn lines(out: W, payload: u64) -> Self {
        Self::new(Stream::lines(out), payload)
    }

    /// The same records in one array.
    pub fn array(out: W, payload: u64) -> Self {
        Self::new(Stream::array(out), payload)
    }

    fn new(stream: Stream<W>, payload: u64) -> Self {
        Self { stream, records: Records::new(payload), scope: Scope::All, head: Head::default() }
    }

    /// Leaves out what `scope` does.
    #[must_use]
    pub fn only(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Hands on everything written so far.
    ///
    /// # Errors
    /// The first error of the underlying writer, here or earlier.
    pub fn flush(&mut self) -> io::Result<()> {
        self.stream.writer.flush()
    }

    /// Ends the output and gives the underlying writer back.
    ///
    /// # Errors
    /// The first error of the underlying writer, here or earlier.
    pub fn finish(self) -> io::Result<W> {
        self.stream.finish()
    }
}

impl<W: Write> Sink for Json<W> {
    fn wants(&self) -> Wants {
        // Header fields are told even where no payload is.
        Wants {
            fields: false,
            payload: self.records.payload.max(1),
            app: true,
            causes: true,
            ..Wants::NOTHING
        }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        let Self { stream, records, scope, head } = self;
        head.see(unit);
        match unit.body {
            Body::File(file) => stream.of(Some(&file.name)),
            Body::Meta(_) | Body::Summary(_) => stream.of(None),
            _ => {}
        }
        if !scope.shows(unit) {
            findings(unit, stream);
            return stream.flow();
        }
        // The summary stays the last line.
        if matches!(unit.body, Body::Summary(_)) {
            findings(unit, stream);
            for group in head.groups() {
                stream.record(|w| cause::cause(&group, w));
            }
            records.unit(unit, stream);
        } else {
            records.unit(unit, stream);
            findings(unit, stream);
        }
        stream.flow()
    }

    fn take_whole(&mut self, unit: &Unit<'_>, message: &Message<'_>) -> Flow {
        let (Body::Frame(frame), Scope::All, []) = (unit.body, self.scope, unit.findings) else {
            self.take(unit)?;
            return self.take(&Unit { body: Body::Message(message), ..*unit });
        };
        let Self { stream, records, .. } = self;
        // Nothing is left out of what is as long as the whole.
        let length = frame.payload.len();
        let text = message.text.filter(|text| text.len() == length && length as u64 <= records.payload);
        stream.record(|w| records.frame(unit, frame, text, w));
        stream.flow()?;
        stream.record(|w| records.message(unit, message, w));
        stream.flow()
    }

    fn take_single(&mut self, single: &Single<'_>) -> Flow {
        if self.scope == Scope::All && self.records.single(single, &mut self.stream) {
            return self.stream.flow();
        }
        single.lend(|unit, message| self.take_whole(unit, message))
    }
}

impl<W: Write> View for Json<W> {
    fn flush(&mut self) -> io::Result<()> {
        Json::flush(self)
    }

    fn end(self: Box<Self>) -> io::Result<()> {
        self.finish().map(drop)
    }
}

/// A sequence of records.
#[derive(Debug)]
pub(crate) struct Stream<W> {
    writer: Writer<W>,
    layout: Layout,
    begun: bool,
    /// The key `input`, where there are several.
    input: String,
    /// What ends a record and begins the next one, unless that is a brace and a line feed.
    between: Vec<u8>,
}

impl<W: Write> Stream<W> {
    fn new(out: W, layout: Layout) -> Self {
        let mut stream = Self {
            writer: Writer::new(out),
            layout,
            begun: false,
            input: String::new(),
            between: Vec::new(),
        };
        stream.of(None);
        stream
    }

    /// One record a line.
    pub fn lines(out: W) -> Self {
        Self::new(out, Layout::Lines)
    }

    /// All records in one array.
    pub fn array(out: W) -> Self {
        Self::new(out, Layout::Array)
    }

    /// Writes a record; `body` leaves out its closing brace.
    #[inline]
    pub fn record(&mut self, body: impl FnOnce(&mut Writer<W>)) {
        self.begin();
        body(&mut self.writer);
        if !self.input.is_empty() {
            self.writer.raw(&self.input);
        }
        self.end();
    }

    /// Writes two records, which take no more room than `bytes`; `body` leaves out the last closing brace,
    /// and puts between them what it is given: `}` and a line feed where that is nothing.
    #[inline]
    fn pair(&mut self, bytes: usize, body: impl FnOnce(&mut Run<'_>, Option<&[u8]>)) {
        self.begin();
        let between = if self.between.is_empty() { None } else { Some(&*self.between) };
        self.writer.run(bytes + self.between.len(), |run| body(run, between));
        if !self.input.is_empty() {
            self.writer.raw(&self.input);
        }
        self.end();
    }

    /// From here on records are of one of several files, or of none.
    pub fn of(&mut self, file: Option<&str>) {
        self.input = file.map_or_else(String::new, |name| {
            let mut w = Writer::new(Vec::new());
            members!(&mut w, "input": name);
            // Memory takes it, and what is written is UTF-8.
            String::from_utf8(w.finish().unwrap_or_default()).unwrap_or_default()
        });
        let end = match self.layout {
            Layout::Lines if self.input.is_empty() => "",
            Layout::Lines => "}\n",
            Layout::Array => "},\n",
        };
        self.between = [self.input.as_bytes(), end.as_bytes()].concat();
    }

    /// What goes before a record.
    #[inline]
    fn begin(&mut self) {
        if self.layout == Layout::Array {
            self.writer.raw(if self.begun { ",\n" } else { "[\n" });
            self.begun = true;
        }
    }

    /// Ends a record, and what goes after it.
    #[inline]
    fn end(&mut self) {
        match self.layout {
            Layout::Lines => self.writer.raw("}\n"),
            Layout::Array => self.writer.raw("}"),
        }
        self.writer.settle();
    }

    /// Whether more records are of use.
    pub fn flow(&self) -> Flow {
        if self.writer.failed() { Flow::Break(()) } else { Flow::Continue(()) }
    }

    /// Ends the sequence and gives the underlying writer back.
    pub fn finish(mut self) -> io::Result<W> {
        if self.layout == Layout::Array {
            self.writer.raw(if self.begun { "\n]\n" } else { "[]\n" });
        }
        self.writer.finish()
    }
}
