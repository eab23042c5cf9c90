//! The way from the decoders to a sink, with the tally every run keeps.

use std::ops::ControlFlow;

use super::other::Other;
use super::run::{FileTotals, Summary};
use super::single::Single;
use super::sink::{Flow, Sink};
use super::text::Text;
use super::unit::{Body, Handshake, Message, Unit};
use super::wants::Wants;

/// An [`Emitter`] in front of whatever sink: what decoders report to.
pub type Out<'s> = Emitter<dyn Sink + 's>;

/// Passes units on to a sink and counts them for the summary.
pub struct Emitter<S: ?Sized> {
    wants: Wants,
    tally: Summary,
    /// The files before, where there are several.
    files: Box<Summary>,
    sink: S,
}

/// Files that a summary's `error` names; each has its own besides.
const ERRORS_TOLD: usize = 8;

impl<S: Sink> Emitter<S> {
    /// An empty tally in front of `sink`.
    pub fn new(sink: S) -> Self {
        let wants = sink.wants();
        Self { wants, tally: Summary::default(), files: Box::default(), sink }
    }

    /// The last unit: the totals, with what the caller knows about the input. Gives them, and the sink.
    pub fn finish(mut self, packets: u64, bytes: u64, error: Option<Text>) -> (S, Summary) {
        self.tally.packets = packets;
        self.tally.bytes = bytes;
        self.tally.error = error;
        self.tally.findings.sort();
        // The run is over: whether the sink wants more no longer matters.
        let _: Flow = self.sink.take(&Unit::about_input(Body::Summary(&self.tally)));
        (self.sink, self.tally)
    }

    /// The last unit of several files: the totals of all of them, which it gives, and the sink. `error` is
    /// what is wrong with all.
    pub fn finish_files(mut self, others: Vec<Other>, error: Option<Text>) -> (S, Summary) {
        let rest = std::mem::take(&mut self.tally);
        // What the last packets complete, if anything.
        self.add(&rest, self.files.files.iter().rposition(|file| file.packets > 0).unwrap_or_default());
        let mut summary = *self.files;
        summary.others = others;
        let failed = summary.files.iter().filter_map(|file| Some((&file.name, file.error.as_ref()?)));
        let mut errors = failed.clone().map(|(name, error)| Text::with("{}: {}", name).word(error.clone()));
        summary.error = errors.next().map(|first| {
            let told = errors.take(ERRORS_TOLD - 1);
            told.fold(first, Text::then)
        });
        summary.error = summary.error.or(error);
        if let (Some(error), more @ 1..) = (&mut summary.error, failed.count().saturating_sub(ERRORS_TOLD)) {
            *error = Text::new("{}; and {} more").word(std::mem::take(error)).and(more);
        }
        summary.findings.sort();
        let _: Flow = self.sink.take(&Unit::about_input(Body::Summary(&summary)));
        (self.sink, summary)
    }
}

impl<S: Sink + ?Sized> Emitter<S> {
    /// The sink.
    pub fn sink(&mut self) -> &mut S {
        &mut self.sink
    }

    /// What the sink will look at.
    #[inline]
    pub fn wants(&self) -> Wants {
        self.wants
    }

    /// Counts a unit and passes it on.
    pub fn emit(&mut self, unit: &Unit<'_>) -> Flow {
        match unit.body {
            Body::Frame(_) => self.tally.frames += 1,
            Body::Message(_) => self.tally.messages += 1,
            Body::Connection(c) if c.ending.is_none() => {
                self.tally.connections += 1;
                self.tally.over_http2[0] += u64::from(c.parent.is_some());
                self.tally.over_http2[1] += u64::from(c.handshake == Handshake::Http2);
            }
            _ => {}
        }
        for rule in unit.rules() {
            self.tally.findings.add(rule, 1);
        }
        self.sink.take(unit)
    }

    /// Counts a frame and the message that it is alone, and passes both on.
    #[allow(clippy::inline_always)] // it is on the way of nearly every frame
    #[inline(always)]
    pub fn emit_single(&mut self, single: &Single<'_>) -> Flow {
        self.tally.frames += 1;
        self.tally.messages += 1;
        self.sink.take_single(single)
    }

    /// Counts a frame without findings and the message that it is alone, and passes both on.
    pub fn emit_whole(&mut self, unit: &Unit<'_>, message: &Message<'_>) -> Flow {
        self.tally.frames += 1;
        self.tally.messages += 1;
        self.sink.take_whole(unit, message)
    }

    /// What else there is in the input.
    pub fn others(&mut self, others: Vec<Other>) {
        self.tally.others = others;
    }

    /// One of several files ends: its totals, counted since the one before it ended.
    pub fn end_file(&mut self, name: &str, packets: u64, bytes: u64, error: Option<Text>) -> Summary {
        let mut own = std::mem::take(&mut self.tally);
        (own.packets, own.bytes, own.error) = (packets, bytes, error);
        self.files.files.push(FileTotals { name: name.to_owned(), ..FileTotals::default() });
        self.add(&own, self.files.files.len() - 1);
        own
    }

    /// Adds to the totals of all files, and of one of them.
    fn add(&mut self, own: &Summary, place: usize) {
        let all = &mut *self.files;
        all.packets += own.packets;
        all.bytes += own.bytes;
        all.connections += own.connections;
        all.over_http2[0] += own.over_http2[0];
        all.over_http2[1] += own.over_http2[1];
        all.frames += own.frames;
        all.messages += own.messages;
        all.findings.add_all(&own.findings);
        if let Some(file) = all.files.get_mut(place) {
            file.packets += own.packets;
            file.bytes += own.bytes;
            file.connections += own.connections;
            file.frames += own.frames;
            file.messages += own.messages;
            file.error = file.error.take().or_else(|| own.error.clone());
        }
    }
}

/// Goes on.
pub const ON: Flow = ControlFlow::Continue(());
