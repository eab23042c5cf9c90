//! How connections ended, which are the largest, and which files they are in.

use std::fmt::Write as _;

use crate::lang::Lang;
use crate::model::EndKind;
use crate::model::quantity::{count, short, size, time};
use crate::render::columns::escaped;
use crate::render::files::shorten;
use crate::render::head;
use crate::render::stats::table::{Page, Table};
use crate::render::stats::{Entry, Report};
use crate::render::words::close_code;

/// Connections that are printed one by one.
const PRINTED: usize = 10;

/// Columns of an address: the longest of IPv4. Longer ones lose their middle.
const ADDRESS: usize = 21;

/// Columns of a file's name.
const FILE: usize = 26;

/// How connections ended, and with which Close codes.
pub(super) fn ends(report: &Report<'_>, lang: Lang, page: &mut Page) {
    let (outcomes, ends) = (&report.head.outcomes, report.ends);
    if outcomes.is_empty() {
        return;
    }
    let mut table = Table::new(lang, &["Ends", "connections"]);
    for (outcome, times) in outcomes {
        table.row([lang.words(head::outcome(*outcome)).to_owned(), count(*times)]);
    }
    table.print_wide(1, 10, page);
    if ends.codes.is_empty() {
        return;
    }
    let mut table = Table::new(lang, &["Close codes", "from client", "from server"]);
    for (code, [client, server]) in &ends.codes {
        let name =
            code.map_or_else(|| lang.words("without a code").to_owned(), |code| close_code(lang, code));
        table.row([name, count(*client), count(*server)]);
    }
    table.print_wide(1, 10, page);
}

/// Several files, in the order in which they were decoded.
pub(super) fn files(report: &Report<'_>, lang: Lang, page: &mut Page) {
    let files = report.summary.map(|summary| summary.files.as_slice()).unwrap_or_default();
    if files.is_empty() {
        return;
    }
    let mut table = Table::new(lang, &["Files", "", "packets", "connections", "frames", "bytes"]);
    for (number, file) in (1..).zip(files) {
        table.row([
            u64::to_string(&number),
            escaped(&shorten(&file.name, FILE, "..")),
            short(file.packets),
            short(file.connections),
            short(file.frames),
            size(file.bytes),
        ]);
    }
    table.print(2, page);
}

pub(super) fn connections(report: &Report<'_>, lang: Lang, page: &mut Page) {
    if report.connections < 2 {
        return;
    }
    let listed = || report.listed.iter().take(PRINTED);
    // The files have their numbers in a table of their own.
    let file: &[&'static str] = if listed().any(|entry| entry.file > 0) { &["file"] } else { &[] };
    let heads = [&["Largest", "client"], file, &["frames", "bytes", "time", "findings", "end"]].concat();
    let room = if file.is_empty() { ADDRESS } else { ADDRESS - 7 };
    let mut table = Table::new(lang, &heads);
    for entry in listed() {
        let tally = &entry.tally;
        let file = (!file.is_empty()).then(|| entry.file.to_string());
        let (who, rest) = (
            [entry.conn.to_string(), address(entry, room)],
            [
                short(tally.all_frames()),
                size(tally.bytes()),
                tally.duration().map_or_else(String::new, time),
                short(tally.findings.total()),
                lang.words(end(entry)).into(),
            ],
        );
        table.row(who.into_iter().chain(file).chain(rest));
    }
    table.print(2, page);
    let more = report.connections.saturating_sub(PRINTED as u64);
    if more > 0 {
        let _ = writeln!(page, "  {}", lang.fill("and {} more", &[&count(more)]));
    }
}

fn address(entry: &Entry, room: usize) -> String {
    let text = entry.client.map_or_else(|| "-".into(), |client| client.to_string());
    if text.len() <= room {
        return text;
    }
    // Addresses are ASCII; a port has up to five digits.
    let end = (room - 2) / 2 + 1;
    format!("{}..{}", &text[..room - 2 - end], &text[text.len() - end..])
}

fn end(entry: &Entry) -> &'static str {
    match entry.end {
        Some(EndKind::CloseHandshake) => "close",
        Some(EndKind::Fin) => "fin",
        Some(EndKind::Rst) => "rst",
        Some(EndKind::CaptureEnd) | None => "open",
        Some(EndKind::Untold) => "-",
        Some(EndKind::Failed) => "fail",
    }
}
