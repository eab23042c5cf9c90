//! The counts as records of schema `wstool/1`.

use std::io::{self, Write};

use super::distribution::{Distribution, Range};
use super::ledger::Ledger;
use super::tally::{Frames, Side, Tally};
use super::{Entry, KINDS, Report, Stats};
use crate::render::json::record::end_name;
use crate::render::json::run::{findings_by_rule, findings_by_severity, meta, summary};
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
    if let Some(it) = report.summary {
        to.record(|w| summary(it, w));
    }
    to.finish().map(drop)
}

fn connection<W: Write>(entry: &Entry, w: &mut Writer<W>) {
    w.raw(r#"{"type":"stats","conn":"#);
    w.number(entry.conn.into());
    for (key, endpoint) in [(r#","client":"#, entry.client), (r#","server":"#, entry.server)] {
        w.raw(key);
        w.optional_display(endpoint);
    }
    w.raw(r#","end":"#);
    w.optional_string(entry.end.map(end_name));
    tally(&entry.tally, w);
}

fn total<W: Write>(report: &Report<'_>, w: &mut Writer<W>) {
    w.raw(r#"{"type":"stats","conn":null,"connections":"#);
    w.number(report.connections);
    w.raw(r#","connections_listed":"#);
    w.number(report.listed.len() as u64);
    tally(&report.total, w);
    findings_by_rule(&report.rules, w);
}

fn tally<W: Write>(tally: &Tally, w: &mut Writer<W>) {
    w.raw(r#","duration":"#);
    match tally.duration() {
        Some(nanos) => w.seconds(nanos),
        None => w.raw("null"),
    }
    let sides = &tally.sides;
    by_direction(r#","frames":"#, sides, w, |w, side| by_kind(side, |frames| frames.count, w));
    by_direction(r#","payload_bytes":"#, sides, w, |w, side| by_kind(side, |frames| frames.payload, w));
    by_direction(r#","header_bytes":"#, sides, w, |w, side| w.number(side.headers));
    by_direction(r#","messages":"#, sides, w, |w, side| sizes(&side.sizes, w));
    by_direction(r#","compressed":"#, sides, w, |w, side| ledger(&side.ledger(), w));
    by_direction(r#","gaps":"#, sides, w, |w, side| {
        w.raw("{");
        times(&side.gaps, w);
        w.raw("}");
    });
    by_direction(r#","pings":"#, sides, w, |w, side| {
        let pings = side.pings();
        w.raw("{");
        times(&pings.times, w);
        w.raw(r#","unanswered":"#);
        w.number(pings.unanswered);
        w.raw(r#","unasked_pongs":"#);
        w.number(pings.unasked);
        w.raw("}");
    });
    findings_by_severity(tally.findings, w);
}

fn by_direction<W: Write>(
    key: &str,
    [client, server]: &[Side; 2],
    w: &mut Writer<W>,
    mut value: impl FnMut(&mut Writer<W>, &Side),
) {
    w.raw(key);
    w.raw(r#"{"client":"#);
    value(w, client);
    w.raw(r#","server":"#);
    value(w, server);
    w.raw("}");
}

fn by_kind<W: Write>(side: &Side, number: fn(&Frames) -> u64, w: &mut Writer<W>) {
    for (i, (kind, frames)) in KINDS.iter().zip(&side.frames).enumerate() {
        w.raw(if i == 0 { "{\"" } else { ",\"" });
        w.raw(kind);
        w.raw("\":");
        w.number(number(frames));
    }
    w.raw("}");
}

fn sizes<W: Write>(sizes: &Distribution, w: &mut Writer<W>) {
    let some = |value| (sizes.range.count > 0).then_some(value);
    w.raw(r#"{"count":"#);
    w.number(sizes.range.count);
    w.raw(r#","bytes":"#);
    w.number(sizes.range.sum);
    for (key, value) in [
        (r#","min":"#, sizes.range.min),
        (r#","median":"#, sizes.quantile(50)),
        (r#","p95":"#, sizes.quantile(95)),
        (r#","max":"#, sizes.range.max),
    ] {
        w.raw(key);
        w.optional(some(value));
    }
    w.raw("}");
}

fn ledger<W: Write>(ledger: &Ledger, w: &mut Writer<W>) {
    for (key, value) in [
        (r#"{"count":"#, ledger.messages),
        (r#","bytes":"#, ledger.wire),
        (r#","inflated_bytes":"#, ledger.inflated),
        (r#","measured_bytes":"#, ledger.measured),
        (r#","from_earlier_bytes":"#, ledger.from_earlier),
        (r#","window_bytes":"#, ledger.windows),
        (r#","failed":"#, ledger.failed),
    ] {
        w.raw(key);
        w.number(value);
    }
    w.raw("}");
}

fn times<W: Write>(times: &Range, w: &mut Writer<W>) {
    w.raw(r#""count":"#);
    w.number(times.count);
    for (key, value) in [(r#","min":"#, times.min), (r#","mean":"#, times.mean()), (r#","max":"#, times.max)]
    {
        w.raw(key);
        if times.count > 0 { w.seconds(value) } else { w.raw("null") }
    }
}
