//! The counts as tables for people, in as many columns as they have.

mod connections;
mod requests;
mod traffic;

use std::fmt::Write as _;
use std::io::{self, Write};

use super::course::{Course, sparkline};
use super::table::{Page, Piece, Table};
use super::{Report, Stats};
use crate::cause::Head;
use crate::lang::Lang;
use crate::model::quantity::{count, short, size, time};
use crate::render::columns::{self, escaped, left};
use crate::render::totals::{has_frames, over_http2};
use crate::render::words::{CONNECTIONS, FRAMES, bounded_count};
use crate::render::{Options, head};

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
        counts(&report, lang, ascii, &mut page);
        out.write_all(page.wrapped().as_bytes())?;
        out.flush()
    }

    /// The same in pieces, but for what went wrong.
    pub fn pieces(&self, lang: Lang) -> Vec<Piece> {
        let report = self.report();
        let mut page = Page::of_pieces();
        headline(&report, lang, &mut page);
        counts(&report, lang, false, &mut page);
        page.into_pieces()
    }
}

fn counts(report: &Report<'_>, lang: Lang, ascii: bool, page: &mut Page) {
    let total = &report.total;
    if total.all_frames() > 0 {
        traffic::frames(total, lang, page);
        traffic::bytes(total, lang, page);
    }
    traffic::streamed(total, lang, page);
    traffic::sizes(total, lang, page);
    traffic::compression(total, lang, page);
    traffic::times(report, lang, page);
    traffic::resent(report.wire, lang, page);
    requests::latencies(report, lang, page);
    connections::ends(report, lang, page);
    course(report.course, lang, ascii, page);
    findings(report, lang, ascii, page);
    connections::files(report, lang, page);
    connections::connections(report, lang, page);
}

fn headline(report: &Report<'_>, lang: Lang, page: &mut Page) {
    let total = &report.total;
    let messages: u64 = total.sides.iter().map(|side| side.sizes.range.count).sum();
    let mut parts = vec![bounded_count(lang, report.connections, CONNECTIONS)];
    let over_http2 = report.summary.map_or_else(String::new, |summary| over_http2(lang, summary));
    if !over_http2.is_empty() {
        parts.push(over_http2);
    }
    if has_frames(total.all_frames(), messages) {
        parts.push(bounded_count(lang, total.all_frames(), FRAMES));
    }
    parts.push(bounded_count(lang, messages, ["{} data message", "{} data messages"]));
    parts.push(size(total.bytes()));
    parts.extend(total.duration().map(time));
    // Writing to a String cannot fail.
    let _ = writeln!(page, "{}", parts.join(lang.words(", ")));
    if let Some(error) = report.summary.and_then(|summary| summary.error.as_ref()) {
        let _ = writeln!(page, "{}", lang.fill("incomplete: {}", &[&escaped(&lang.say(error))]));
    }
}

/// What went wrong, before everything that is only counted.
fn wrong(head: &Head, lang: Lang, ascii: bool, columns: usize) -> String {
    head::wrong(head, &Options { lang, ascii, width: columns, ..Options::default() })
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
        if page.takes(|| Piece::Course { name, numbers: numbers.to_vec() }) {
            continue;
        }
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

#[cfg(test)]
mod tests {
    use super::super::KINDS;
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
                (0..KINDS.len()).for_each(|kind| *side.of_kind(kind) = Frames { count: MANY, payload: MANY });
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
