//! The counts as records of schema `wstool/1`.

use std::borrow::Cow;
use std::io::{self, Write};

use super::course::Course;
use super::latency::{Latencies, Latency};
use super::ledger::Ledger;
use super::tally::{Frames, Pings, Side, Streamed, Tally};
use super::wire::Wire;
use super::{Entry, KINDS, Report, Stats};
use crate::model::distribution::{Distribution, Range};
use crate::model::{CloseCode, Dir, StreamedKind};
use crate::render::json::cause::cause;
use crate::render::json::run::{findings_by_rule, findings_by_severity, meta, summary};
use crate::render::json::value::{List, Members, Seconds, Sides, ToJson, members, object, open, with};
use crate::render::json::{Stream, write::Writer};

impl Stats {
    /// Writes `meta`, a `stats` record for each listed connection and one for all, and `summary`, one a line.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn lines(&self, out: impl Write) -> io::Result<()> {
        records(&self.report(), Stream::lines(out))
    }

    /// Writes the same records in one array.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn array(&self, out: impl Write) -> io::Result<()> {
        records(&self.report(), Stream::array(out))
    }
}

fn records<W: Write>(report: &Report<'_>, mut to: Stream<W>) -> io::Result<()> {
    if let Some(it) = report.meta {
        to.record(|w| meta(it, w));
    }
    for entry in &report.listed {
        let files = report.meta.map(|meta| meta.files.as_slice()).unwrap_or_default();
        let file = entry.file.checked_sub(1).and_then(|place| files.get(place));
        to.of(file.map(|file| file.name.as_str()));
        to.record(|w| connection(entry, w));
    }
    to.of(None);
    to.record(|w| total(report, w));
    for group in report.head.groups() {
        to.record(|w| cause(&group, w));
    }
    if let Some(it) = report.summary {
        to.record(|w| summary(it, w));
    }
    to.finish().map(drop)
}

fn connection<W: Write>(entry: &Entry, w: &mut Writer<W>) {
    open!(
        w,
        "type": "stats",
        "conn": entry.conn,
        "client": entry.client,
        "server": entry.server,
        "end": entry.end,
    );
    tally(&entry.tally, w);
}

fn total<W: Write>(report: &Report<'_>, w: &mut Writer<W>) {
    open!(
        w,
        "type": "stats",
        "conn": None::<u32>,
        "connections": report.connections,
        "connections_listed": report.listed.len(),
    );
    tally(&report.total, w);
    ends(report, w);
    wire(report.wire, w);
    members!(w, "course": with(|w: &mut Writer<W>| course(report.course, w)));
    if let Some(latencies) = report.latencies {
        members!(w, "requests": Requests(latencies));
    }
    findings_by_rule(&report.rules, w);
}

/// How connections ended.
fn ends<W: Write>(report: &Report<'_>, w: &mut Writer<W>) {
    let ends = report.ends;
    let outcomes = report.head.outcomes.iter().map(|(outcome, times)| (outcome.name(), *times));
    members!(
        w,
        "ends": Members(outcomes),
        "close_codes": List(&ends.codes),
        "lived": &ends.lived,
        "silence": &ends.silence,
    );
}

/// What TCP says of all connections.
fn wire<W: Write>(wire: &Wire, w: &mut Writer<W>) {
    let sides = wire.sides.each_ref();
    members!(
        w,
        "tcp_round_trip": &wire.round_trip,
        "tcp_bytes": Sides(sides.map(|side| side.bytes)),
        "tcp_resent": Sides(sides.map(|side| side.resent_segments)),
        "tcp_resent_bytes": Sides(sides.map(|side| side.resent_bytes)),
        "tcp_zero_window": Sides(sides.map(|side| &side.zero_window)),
    );
}

/// Close frames of a code.
impl<W: Write> ToJson<W> for &(Option<CloseCode>, [u64; 2]) {
    fn put(self, w: &mut Writer<W>) {
        let (code, sides) = self;
        object!(w, "code": code.map(|code| code.0), "from": Sides(*sides));
    }
}

/// Messages and bytes over time.
fn course<W: Write>(course: &Course, w: &mut Writer<W>) {
    let used = course.used();
    object!(
        w,
        "column": Seconds(course.width()),
        "messages": List(course.messages[..used].iter().copied()),
        "bytes": List(course.bytes[..used].iter().copied()),
    );
}

/// What streamed without frames, by kind.
fn streamed<W: Write>(streamed: &Streamed, w: &mut Writer<W>) {
    let of =
        |kind: StreamedKind, pick: fn(&Frames) -> u64| Sides(streamed[kind.index()].each_ref().map(pick));
    let used = |kind: &StreamedKind| streamed[kind.index()].iter().any(|units| units.count > 0);
    let kinds = StreamedKind::ALL.into_iter().filter(used).map(|kind| {
        let both = move |w: &mut Writer<W>| {
            object!(w, "units": of(kind, |units| units.count), "bytes": of(kind, |units| units.payload));
        };
        (kind.name(), with(both))
    });
    members!(w, "streamed": Members(kinds));
}

fn tally<W: Write>(tally: &Tally, w: &mut Writer<W>) {
    if let Some(it) = &tally.streamed {
        streamed(it, w);
    }
    let sides = tally.sides.each_ref();
    members!(
        w,
        "duration": tally.duration().map(Seconds),
        "frames": Sides(sides.map(|side| ByKind(side, |frames| frames.count))),
        "payload_bytes": Sides(sides.map(|side| ByKind(side, |frames| frames.payload))),
        "header_bytes": Sides(sides.map(|side| side.headers)),
        "messages": Sides(sides.map(|side| &side.sizes)),
        "compressed": Sides(sides.map(Side::ledger)),
        "gaps": Sides(sides.map(|side| &side.gaps)),
        "pings": Sides(sides.map(Side::pings)),
    );
    findings_by_severity(tally.findings, w);
}

/// A number of each kind of frames.
struct ByKind<'a>(&'a Side, fn(&Frames) -> u64);

impl<W: Write> ToJson<W> for ByKind<'_> {
    fn put(self, w: &mut Writer<W>) {
        let Self(side, number) = self;
        Members(KINDS.into_iter().zip(side.frames().iter().map(number))).put(w);
    }
}

/// Sizes of messages.
impl<W: Write> ToJson<W> for &Distribution {
    fn put(self, w: &mut Writer<W>) {
        let range = &self.range;
        let some = |value| (range.count > 0).then_some(value);
        object!(
            w,
            "count": range.count,
            "bytes": range.sum,
            "min": some(range.min),
            "median": some(self.quantile(50)),
            "p95": some(self.quantile(95)),
            "max": some(range.max),
        );
    }
}

impl<W: Write> ToJson<W> for Ledger {
    fn put(self, w: &mut Writer<W>) {
        object!(
            w,
            "count": self.messages,
            "bytes": self.wire,
            "inflated_bytes": self.inflated,
            "measured_bytes": self.measured,
            "from_earlier_bytes": self.from_earlier,
            "window_bytes": self.windows,
            "failed": self.failed,
        );
    }
}

/// How long requests waited: by method, and last those of all further methods together.
struct Requests<'a>(&'a Latencies);

impl<W: Write> ToJson<W> for Requests<'_> {
    fn put(self, w: &mut Writer<W>) {
        let methods = self.0.by_count().into_iter();
        let methods = methods.map(|(dir, method, it)| Waits { dir: Some(dir), method: Some(method), it });
        let other = self.0.has_other().then_some(Waits { dir: None, method: None, it: &self.0.other });
        List(methods.chain(other)).put(w);
    }
}

struct Waits<'a> {
    dir: Option<Dir>,
    method: Option<&'a str>,
    it: &'a Latency,
}

impl<W: Write> ToJson<W> for Waits<'_> {
    fn put(self, w: &mut Writer<W>) {
        let (times, range) = (&self.it.times, &self.it.times.range);
        let some = |value| (range.count > 0).then_some(Seconds(value));
        object!(
            w,
            "who": self.dir,
            "method": self.method,
            "count": self.it.answered(),
            "min": some(range.min),
            "median": some(times.quantile(50)),
            "p95": some(times.quantile(95)),
            "max": some(range.max),
            "errors": self.it.errors,
            "again": self.it.again,
            "unanswered": self.it.unanswered,
        );
    }
}

/// Times between messages.
impl<W: Write> ToJson<W> for &Range {
    fn put(self, w: &mut Writer<W>) {
        open_times(self, w);
        w.raw("}");
    }
}

impl<W: Write> ToJson<W> for Cow<'_, Pings> {
    fn put(self, w: &mut Writer<W>) {
        open_times(&self.times, w);
        members!(w, "unanswered": self.unanswered, "unasked_pongs": self.unasked);
        w.raw("}");
    }
}

/// Begins an object with how many times there were, and how long they were.
fn open_times<W: Write>(times: &Range, w: &mut Writer<W>) {
    let some = |value| (times.count > 0).then_some(Seconds(value));
    open!(
        w,
        "count": times.count,
        "min": some(times.min),
        "mean": some(times.mean()),
        "max": some(times.max),
    );
}
