//! How long requests waited for their answers.

use std::fmt::Write as _;

use crate::lang::Lang;
use crate::model::Dir;
use crate::model::quantity::{count, short, time};
use crate::render::columns::escaped;
use crate::render::files::shorten;
use crate::render::stats::Report;
use crate::render::stats::latency::Latency;
use crate::render::stats::table::{Page, Table};
use crate::render::words::{Noun, bounded_count};

/// Methods that are printed, and columns of a name on a page of 80.
const METHODS_PRINTED: usize = 20;
const METHOD: usize = 21;

const AGAIN: Noun =
    ["{} answer to a request that had been answered", "{} answers to requests that had been answered"];

/// How long requests waited, by method.
pub(super) fn latencies(report: &Report<'_>, lang: Lang, page: &mut Page) {
    let Some(latencies) = report.latencies else { return };
    let all = latencies.by_count();
    // Mostly the client alone asks.
    let both_ask = all.iter().any(|(dir, ..)| *dir == Dir::Server);
    let (by, room): (&[_], _) = if both_ask { (&["by"], METHOD - 8) } else { (&[], METHOD) };
    let heads = ["answered", "median", "95 %", "longest", "errors", "no reply"];
    let mut table = Table::new(lang, &[&["Requests"], by, &heads].concat());
    let mut row = |name: String, by: &'static str, it: &Latency| {
        let range = &it.times.range;
        let [median, most, longest] = if range.count == 0 {
            [(); 3].map(|()| "-".to_owned())
        } else {
            [it.times.quantile(50), it.times.quantile(95), range.max].map(time)
        };
        let (answered, errors, unanswered) = (short(it.answered()), short(it.errors), short(it.unanswered));
        let by = both_ask.then(|| lang.words(by).to_owned());
        let numbers = [answered, median, most, longest, errors, unanswered];
        table.row([name].into_iter().chain(by).chain(numbers));
    };
    let room = room + page.columns().saturating_sub(80);
    for (dir, method, it) in all.iter().take(METHODS_PRINTED) {
        row(shorten(&escaped(method), room, ".."), dir.name(), it);
    }
    if latencies.has_other() {
        row(lang.words("other methods").to_owned(), "", &latencies.other);
    }
    if table.is_empty() {
        let _ = writeln!(page, "\n{}", lang.words("no requests that any known protocol ties answers to"));
        return;
    }
    table.print(1 + by.len(), page);
    let more = all.len().saturating_sub(METHODS_PRINTED);
    if more > 0 {
        let _ = writeln!(page, "  {}", lang.fill("and {} more", &[&count(more as u64)]));
    }
    let again: u64 = all.iter().map(|(_, _, it)| it.again).sum();
    if again > 0 {
        let _ = writeln!(page, "  {}", bounded_count(lang, again, AGAIN));
    }
}
