//! What was said: frames, bytes, messages, and how long it took.

use std::fmt::Write as _;

use crate::lang::Lang;
use crate::model::StreamedKind;
use crate::model::distribution;
use crate::model::quantity::{count, percent, size, time};
use crate::render::columns::lines;
use crate::render::stats::table::{Page, Table};
use crate::render::stats::tally::{Side, Tally};
use crate::render::stats::wire::Wire;
use crate::render::stats::{KINDS, Report};
use crate::render::words::{Noun, bounded_count};

/// What the columns of compression mean.
const LEGEND: &str = "repeats: copied from earlier messages (context takeover), in the first 64 of a \
     direction; windows: memory the receivers keep for that between messages";
const NOT_INFLATED: Noun =
    ["{} compressed message could not be inflated", "{} compressed messages could not be inflated"];
/// Of the client and of the server.
const UNANSWERED: [Noun; 2] = [
    ["{} ping from the client without a pong", "{} pings from the client without a pong"],
    ["{} ping from the server without a pong", "{} pings from the server without a pong"],
];
const UNASKED: [Noun; 2] = [
    ["{} pong from the client that no ping asked for", "{} pongs from the client that no ping asked for"],
    ["{} pong from the server that no ping asked for", "{} pongs from the server that no ping asked for"],
];
/// By the client and by the server.
const RESENT: [Noun; 2] = [
    ["{} segment sent again by the client's TCP", "{} segments sent again by the client's TCP"],
    ["{} segment sent again by the server's TCP", "{} segments sent again by the server's TCP"],
];

pub(super) fn frames(total: &Tally, lang: Lang, page: &mut Page) {
    let mut table =
        Table::new(lang, &["Frames", "from client", "payload", "from server", "payload", "share"]);
    let all = total.all_frames();
    let row = |name: &'static str, frames: [u64; 2], payload: [u64; 2]| {
        let share = percent(frames[0] + frames[1], all);
        [
            lang.words(name).into(),
            count(frames[0]),
            size(payload[0]),
            count(frames[1]),
            size(payload[1]),
            share,
        ]
    };
    let [client, server] = &total.sides;
    for ((kind, client), server) in KINDS.iter().zip(client.frames()).zip(server.frames()) {
        if client.count + server.count > 0 {
            let payload = [client.payload, server.payload];
            table.row(row(kind, [client.count, server.count], payload));
        }
    }
    table.row(row(
        "all",
        total.sides.each_ref().map(Side::all_frames),
        total.sides.each_ref().map(Side::payload),
    ));
    table.print_wide(1, 10, page);
}

pub(super) fn bytes(total: &Tally, lang: Lang, page: &mut Page) {
    let mut table = Table::new(lang, &["Bytes", "from client", "from server", "both", "share"]);
    let payload = total.sides.each_ref().map(Side::payload);
    let headers = total.sides.each_ref().map(|side| side.headers);
    let all = total.bytes();
    for (name, [client, server]) in [("payload", payload), ("frame headers", headers)] {
        let both = client + server;
        let share = percent(both, all);
        table.row([lang.words(name).into(), count(client), count(server), count(both), share]);
    }
    table.print_wide(1, 10, page);
}

/// What streams without frames.
pub(super) fn streamed(total: &Tally, lang: Lang, page: &mut Page) {
    const NAMES: [&str; StreamedKind::ALL.len()] = ["events", "parts", "pieces", "lines"];
    let Some(streamed) = &total.streamed else { return };
    let mut table = Table::new(lang, &["Streamed", "from client", "bytes", "from server", "bytes"]);
    for (name, [client, server]) in NAMES.iter().zip(&**streamed) {
        if client.count + server.count > 0 {
            table.row([
                lang.words(name).into(),
                count(client.count),
                size(client.payload),
                count(server.count),
                size(server.payload),
            ]);
        }
    }
    table.print_wide(1, 10, page);
}

pub(super) fn sizes(total: &Tally, lang: Lang, page: &mut Page) {
    let mut table = Table::new(lang, &["Messages", "count", "smallest", "median", "95 % below", "largest"]);
    for (name, side) in ["from client", "from server"].iter().zip(&total.sides) {
        let (sizes, range) = (&side.sizes, &side.sizes.range);
        if range.count > 0 {
            table.row([
                lang.words(name).into(),
                count(range.count),
                size(range.min),
                size(sizes.quantile(50)),
                size(sizes.quantile(95)),
                size(range.max),
            ]);
        }
    }
    if !table.is_empty() {
        table.print_wide(1, 10, page);
    }
}

pub(super) fn compression(total: &Tally, lang: Lang, page: &mut Page) {
    let heads = ["Compressed", "count", "on the wire", "inflated", "saved", "repeats", "windows"];
    let mut table = Table::new(lang, &heads);
    let mut failed = 0;
    for (name, side) in ["from client", "from server"].iter().zip(&total.sides) {
        let ledger = side.ledger();
        failed += ledger.failed;
        if ledger.messages > 0 {
            table.row([lang.words(name).to_owned()].into_iter().chain(ledger.cells()));
        }
    }
    if !table.is_empty() {
        table.print(1, page);
        for line in lines(lang.words(LEGEND), 78) {
            let _ = writeln!(page, "  {line}");
        }
    }
    if failed > 0 {
        let _ = writeln!(page, "  {}", bounded_count(lang, failed, NOT_INFLATED));
    }
}

pub(super) fn times(report: &Report<'_>, lang: Lang, page: &mut Page) {
    let total = &report.total;
    let mut table = Table::new(lang, &["Times", "count", "shortest", "mean", "longest"]);
    let mut row = |name: &'static str, range: &distribution::Range| {
        if range.count > 0 {
            let [min, mean, max] = [range.min, range.mean(), range.max].map(time);
            table.row([lang.words(name).into(), count(range.count), min, mean, max]);
        }
    };
    let pings = total.sides.each_ref().map(Side::pings);
    row("between messages from client", &total.sides[0].gaps);
    row("between messages from server", &total.sides[1].gaps);
    row("client's ping to its pong", &pings[0].times);
    row("server's ping to its pong", &pings[1].times);
    row("life of a connection", &report.ends.lived);
    row("silence before TCP's end", &report.ends.silence);
    row("round trip of TCP's handshake", &report.wire.round_trip);
    row("client's TCP window was zero", &report.wire.sides[0].zero_window);
    row("server's TCP window was zero", &report.wire.sides[1].zero_window);
    if !table.is_empty() {
        table.print_wide(1, 10, page);
    }
    for (noun, pings) in UNANSWERED.into_iter().zip(&pings) {
        if pings.unanswered > 0 {
            let _ = writeln!(page, "  {}", bounded_count(lang, pings.unanswered, noun));
        }
    }
    for (noun, pings) in UNASKED.into_iter().zip(&pings) {
        if pings.unasked > 0 {
            let _ = writeln!(page, "  {}", bounded_count(lang, pings.unasked, noun));
        }
    }
}

/// What TCP had to send again.
pub(super) fn resent(wire: &Wire, lang: Lang, page: &mut Page) {
    for (noun, side) in RESENT.into_iter().zip(&wire.sides) {
        if side.resent_segments > 0 {
            let share = percent(side.resent_bytes, side.bytes.saturating_add(side.resent_bytes));
            let segments = bounded_count(lang, side.resent_segments, noun);
            let _ = writeln!(page, "  {}", lang.fill("{}: {} of the bytes", &[&segments, &share]));
        }
    }
}
