//! The counts as tables for people, in as many columns as they have.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::course::{Course, sparkline};
use super::latency::Latency;
use super::table::{Page, Table};
use super::tally::{Side, Tally};
use super::wire::Wire;
use super::{Entry, KINDS, Report, Stats};
use crate::cause::Head;
use crate::lang::Lang;
use crate::model::distribution;
use crate::model::quantity::{count, percent, short, size, time};
use crate::model::{Dir, EndKind};
use crate::render::columns::{self, escaped, left, lines};
use crate::render::files::shorten;
use crate::render::words::{CONNECTIONS, FRAMES, Noun, bounded_count, close_code};
use crate::render::{Options, head};

/// Connections that are printed one by one.
const PRINTED: usize = 10;

/// Methods that are printed, and columns of a name on a page of 80.
const METHODS_PRINTED: usize = 20;
const METHOD: usize = 21;

/// Columns of an address: the longest of IPv4. Longer ones lose their middle.
const ADDRESS: usize = 21;

/// Columns of a file's name.
const FILE: usize = 26;

/// What the columns of compression mean.
const LEGEND: &str = "repeats: copied from earlier messages (context takeover), in the first 64 of a \
     direction; windows: memory the receivers keep for that between messages";
const NOT_INFLATED: Noun =
    ["{} compressed message could not be inflated", "{} compressed messages could not be inflated"];
const AGAIN: Noun =
    ["{} answer to a request that had been answered", "{} answers to requests that had been answered"];
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

impl Stats {
    /// Writes everything that was counted in `lang`, in lines of `columns`; with `ascii` in ASCII alone.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn text(&self, mut out: impl Write, lang: Lang, ascii: bool, columns: usize) -> io::Result<()> {
        let report = self.report();
        let mut page = Page::new(columns);
        headline(&report, lang, &mut page);
        let wrong = wrong(report.head, lang, ascii, columns);
        if !wrong.is_empty() {
            page.append("\n");
            page.append(&wrong);
        }
        let total = &report.total;
        if total.all_frames() > 0 {
            frames(total, lang, &mut page);
            bytes(total, lang, &mut page);
        }
        sizes(total, lang, &mut page);
        compression(total, lang, &mut page);
        times(&report, lang, &mut page);
        resent(report.wire, lang, &mut page);
        latencies(&report, lang, &mut page);
        ends(&report, lang, &mut page);
        course(report.course, lang, ascii, &mut page);
        findings(&report, lang, ascii, &mut page);
        files(&report, lang, &mut page);
        connections(&report, lang, &mut page);
        out.write_all(page.wrapped().as_bytes())?;
        out.flush()
    }
}

fn headline(report: &Report<'_>, lang: Lang, page: &mut Page) {
    let total = &report.total;
    let messages: u64 = total.sides.iter().map(|side| side.sizes.range.count).sum();
    let mut parts = vec![
        bounded_count(lang, report.connections, CONNECTIONS),
        bounded_count(lang, total.all_frames(), FRAMES),
        bounded_count(lang, messages, ["{} data message", "{} data messages"]),
        size(total.bytes()),
    ];
    parts.extend(total.duration().map(time));
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{}", parts.join(lang.words(", ")));
    if let Some(error) = report.summary.and_then(|summary| summary.error.as_ref()) {
        let _ = writeln!(page, "{}", lang.fill("incomplete: {}", &[&escaped(&lang.say(error))]));
    }
}

fn frames(total: &Tally, lang: Lang, page: &mut Page) {
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
    for ((kind, client), server) in KINDS.iter().zip(&client.frames).zip(&server.frames) {
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

fn bytes(total: &Tally, lang: Lang, page: &mut Page) {
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

fn sizes(total: &Tally, lang: Lang, page: &mut Page) {
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

fn compression(total: &Tally, lang: Lang, page: &mut Page) {
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

fn times(report: &Report<'_>, lang: Lang, page: &mut Page) {
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

/// How long requests waited, by method.
fn latencies(report: &Report<'_>, lang: Lang, page: &mut Page) {
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

/// What TCP had to send again.
fn resent(wire: &Wire, lang: Lang, page: &mut Page) {
    for (noun, side) in RESENT.into_iter().zip(&wire.sides) {
        if side.resent_segments > 0 {
            let share = percent(side.resent_bytes, side.bytes.saturating_add(side.resent_bytes));
            let segments = bounded_count(lang, side.resent_segments, noun);
            let _ = writeln!(page, "  {}", lang.fill("{}: {} of the bytes", &[&segments, &share]));
        }
    }
}

/// What went wrong, before everything that is only counted.
fn wrong(head: &Head, lang: Lang, ascii: bool, columns: usize) -> String {
    head::wrong(head, &Options { lang, ascii, width: columns, ..Options::default() })
}

/// How connections ended, and with which Close codes.
fn ends(report: &Report<'_>, lang: Lang, page: &mut Page) {
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

/// How much was said when.
fn course(course: &Course, lang: Lang, ascii: bool, page: &mut Page) {
    let used = course.used();
    if used < 2 {
        return;
    }
    let most = |numbers: &[u64]| numbers.iter().copied().max().unwrap_or_default();
    let (messages, bytes) = (&course.messages[..used], &course.bytes[..used]);
    let words = lang.fill(
        "Over time, {} a column; the highest: {} messages, {}",
        &[&time(course.width()), &count(most(messages)), &size(most(bytes))],
    );
    // Writing to a String cannot fail.
    let _ = writeln!(page, "\n{words}");
    let (first, second) = (lang.words("messages"), lang.words("bytes"));
    let room = columns::width(first).max(columns::width(second)) + 2;
    for (name, numbers) in [(first, messages), (second, bytes)] {
        let _ = writeln!(page, "  {}{}", left(name, room), sparkline(numbers, ascii));
    }
}

fn findings(report: &Report<'_>, lang: Lang, ascii: bool, page: &mut Page) {
    if report.rules.is_empty() {
        return;
    }
    let mut table = Table::new(lang, &["Findings", "", "", "count"]);
    for (rule, times) in &report.rules {
        let name = lang.words(rule.severity.name()).to_owned();
        let cite = rule.cite.to_string();
        let cite = if ascii { cite.replace('§', "sec. ") } else { cite };
        table.row([name, rule.id.into(), cite, short(*times)]);
    }
    table.print(3, page);
}

/// Several files, in the order in which they were decoded.
fn files(report: &Report<'_>, lang: Lang, page: &mut Page) {
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

fn connections(report: &Report<'_>, lang: Lang, page: &mut Page) {
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
    }
}

#[cfg(test)]
mod tests {
    use super::super::tally::Frames;
    use super::*;
    use crate::model::Dir::{Client, Server};
    use crate::model::sample::{Talk, finding};
    use crate::model::{EndKind, SeverityCounts, Summary};
    use crate::render::columns::width;

    fn page(stats: &Stats) -> String {
        let mut out = Vec::new();
        stats.text(&mut out, Lang::En, false, 80).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn narrow(stats: &Stats, lang: Lang, columns: usize) -> String {
        let mut out = Vec::new();
        stats.text(&mut out, lang, false, columns).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_session_in_tables() {
        let mut stats = Stats::new();
        let mut talk = Talk::new(&mut stats);
        talk.meta().connect(1).handshake();
        talk.frame(Client, "818537fa213d7f9f4d5158").frame(Server, "810548656c6c6f");
        talk.frame(Server, "010348656c").frame(Server, "80026c6f");
        talk.frame(Server, "890548656c6c6f").wait(24_000_000).frame(Client, "8a8537fa213d7f9f4d5158");
        talk.frame(Server, "8900").frame(Client, "8a8000000000").findings.push(finding());
        talk.frame(Client, "810548656c6c6f");
        talk.frame(Server, "880203e8")
            .frame(Client, "88820000000003e8")
            .end(EndKind::CloseHandshake, Some(1000));
        talk.connect(2).frame(Server, "8101 41").end(EndKind::Rst, None);
        talk.summary(&Summary::default());
        insta::assert_snapshot!(page(&stats), @r#"
        2 connections, 12 frames, 5 data messages, 75 B, 41.0 ms

        what went wrong
          error    Client frame is not masked (MASK = 0)
                   unmasked-client-frame  connection 1, packet 12,
                   2023-11-10T05:56:11.036000Z

        Frames          from client     payload  from server     payload       share
          text                    2        10 B            3         9 B      41.7 %
          continuation            0         0 B            1         2 B       8.3 %
          close                   1         2 B            1         2 B      16.7 %
          ping                    0         0 B            2         5 B      16.7 %
          pong                    2         5 B            0         0 B      16.7 %
          all                     5        17 B            7        18 B     100.0 %

        Bytes            from client  from server        both       share
          payload                 17           18          35      46.7 %
          frame headers           26           14          40      53.3 %

        Messages            count    smallest      median  95 % below     largest
          from client           2         5 B         5 B         5 B         5 B
          from server           3         1 B         5 B         5 B         5 B

        Times                                count    shortest        mean     longest
          between messages from client           1     32.0 ms     32.0 ms     32.0 ms
          between messages from server           1     2.00 ms     2.00 ms     2.00 ms
          server's ping to its pong              2     1.00 ms     13.0 ms     25.0 ms

        Over time, 1.04 ms a column; the highest: 2 messages, 10 B
          messages  █ ▄                           ▄    ▄
          bytes     █ ▄                           ▄    ▁

        Findings                                          count
          error     unmasked-client-frame  RFC 6455 §5.1      1

        Largest    client           frames  bytes     time  findings    end
          1        192.0.2.1:50000      11   72 B  38.0 ms         1  close
          2        192.0.2.1:50000       1    3 B  2.00 ms         0    rst
        "#);
    }

    #[test]
    fn the_widest_values_fit_eighty_columns() {
        const MANY: u64 = u64::MAX / 1_000_000;
        let mut stats = Stats::new();
        let mut talk = Talk::new(&mut stats);
        for conn in 4_000_000_000..4_000_000_012 {
            talk.connect(conn).findings.push(finding());
            talk.frame(Client, "818537fa213d7f9f4d5158").wait(86_400_000_000_000 * 1000);
            talk.frame(Client, "8100").frame(Client, "8900").frame(Server, "8a00");
        }
        for entry in &mut stats.open {
            entry.client = Some("[2001:db8:1234:5678:9abc:def0:1234:5678]:50000".parse().unwrap());
            let tally = &mut entry.tally;
            tally.findings = SeverityCounts { errors: MANY, warnings: MANY, notes: 0 };
            for side in &mut tally.sides {
                side.frames = [Frames { count: MANY, payload: MANY }; KINDS.len()];
                side.headers = MANY;
                side.pings.get_or_insert_default().unanswered = MANY;
            }
        }
        talk_of_an_error(&mut stats);
        for (lang, columns) in (40..=120).flat_map(|columns| [(Lang::En, columns), (Lang::Zh, columns)]) {
            for line in narrow(&stats, lang, columns).lines() {
                assert!(width(line) <= columns, "{} columns for {columns}: {line}", width(line));
            }
        }
        // Nothing is lost by that.
        let words = |page: &str| {
            let mut words: Vec<String> = page.split_whitespace().map(str::to_owned).collect();
            words.sort();
            words.dedup();
            words
        };
        assert_eq!(words(&narrow(&stats, Lang::En, 60)), words(&narrow(&stats, Lang::En, 120)));
    }

    /// The end of an input whose path and hosts are long.
    fn talk_of_an_error(stats: &mut Stats) {
        let host = "[2001:db8:1234:5678:9abc:def0:1234:5678]:50000";
        let error = crate::model::Text::with("{} and {} are far away", host).and(host);
        Talk::new(stats).summary(&Summary { error: Some(error), ..Summary::default() });
    }

    #[test]
    fn requests_by_method() {
        use crate::model::{Answer, Failure, Nth, Unanswered};
        let mut stats = Stats::with_latency();
        Talk::new(&mut stats).connect(1);
        let mut answer = |dir, what: &str, after: i64, nth, failure| {
            let answer = Answer { what: what.into(), after: Some(after), nth, failure, ..Answer::default() };
            stats.latencies.as_mut().unwrap().answer(dir, &answer);
        };
        for after in 1..=100 {
            answer(Server, "eth_call", after * 1_000_000, Nth::First, None);
        }
        answer(
            Server,
            "a name that is far longer than its column",
            5_000,
            Nth::First,
            Some(Failure::default()),
        );
        answer(Client, "window/showMessageRequest", 2_500_000_000, Nth::First, None);
        answer(Client, "window/showMessageRequest", 2_600_000_000, Nth::Again, None);
        let unanswered = Unanswered {
            dir: Client,
            method: "eth_call".into(),
            count: 3,
            id: None,
            time: None,
            packets: None,
            waited: None,
        };
        stats.unanswered(&[unanswered]);
        let page = page(&stats);
        let table = page.split("\n\n").find(|part| part.starts_with("Requests")).unwrap();
        assert!(table.lines().all(|line| width(line) <= 80), "{table}");
        let rows: Vec<String> =
            table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(rows.len(), 5, "{table}");
        assert_eq!(rows[0], "Requests by answered median 95 % longest errors no reply");
        assert_eq!(rows[1], "eth_call client 100 46.1 ms 92.2 ms 100 ms 0 3");
        assert!(rows[2].starts_with("a ") && rows[2].contains(".."), "{table}");
        assert!(rows[2].ends_with(" client 1 5.00 µs 5.00 µs 5.00 µs 1 0"), "{table}");
        assert!(rows[3].ends_with(" server 1 2.50 s 2.50 s 2.50 s 0 0"), "{table}");
        assert_eq!(rows[4], "1 answer to a request that had been answered");
        assert!(self::page(&Stats::with_latency()).contains("no requests"));
    }

    #[test]
    fn nothing_is_a_page_too() {
        assert_eq!(page(&Stats::new()), "0 connections, 0 frames, 0 data messages, 0 B\n");
    }
}
