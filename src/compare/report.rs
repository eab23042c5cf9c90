//! The model's answer as a page: rows, what they rest on, and what follows for a choice.

use super::assumptions;
use super::model::{self, Cost};
use super::play::Play;
use super::simulate;
use super::words::{self, counted, grouped, number, percent, said, time};
use super::{Direction, Scenario, Way};
use crate::model::Text;
use crate::model::report::{Assumption, Bar, Bars, Cell, Column, Report, Table};

/// The columns every comparison of ways has.
pub(super) const COLUMNS: [Column; 15] = [
    Column::new("way", ""),
    Column::new("application_bytes", "messages"),
    Column::new("protocol_bytes", "protocol"),
    Column::new("tcp_ip_bytes", "TCP/IP"),
    Column::new("tls_bytes", "TLS"),
    Column::new("total_bytes", "total"),
    Column::new("ratio_to_websocket", "ratio"),
    Column::below("requests_per_second", "requests/s", 1),
    Column::below("empty_share", "empty polls", 1),
    Column::below("connections", "connections", 1),
    Column::below("setup_bytes_per_client", "set-up bytes", 1),
    Column::below("latency_mean_seconds", "mean", 2),
    Column::below("latency_p50_seconds", "p50", 2),
    Column::below("latency_p95_seconds", "p95", 2),
    Column::below("latency_worst_seconds", "worst", 2),
];

/// What the blocks of these columns are about.
pub(super) const BLOCKS: [&str; 3] = ["on the wire", "Load", "Latency of a message"];

/// Answers a scenario by formula.
pub fn model(scenario: &Scenario) -> Report {
    let costs = Way::ALL.map(|way| model::cost(scenario, way));
    Report {
        kind: "model",
        headline: headline(scenario),
        tables: vec![table(scenario, &costs)],
        bars: bars(scenario, &costs),
        chart: None,
        verdict: verdict(scenario, &costs),
        assumptions: assumptions::of_formulas(scenario),
        limits: limits(),
    }
}

/// What is compared.
pub(super) fn headline(s: &Scenario) -> Vec<Text> {
    let who = counted(s.clients, words::CLIENTS);
    let what = match s.direction {
        Direction::Down => "the server sends each of them",
        Direction::Up => "each of them sends the server",
        Direction::Both => "the server sends each of them, and each of them the server,",
    };
    let how_often = if (s.rate - 1.0).abs() < 1e-9 {
        Text::new("each second")
    } else if s.rate > 1.0 {
        said!("{} times a second", number(s.rate))
    } else {
        said!("every {}", time(1.0 / s.rate))
    };
    vec![
        said!(
            "{}: {} {} {}, on average, for {}.",
            who,
            what,
            counted(s.payload, words::BYTES),
            how_often,
            time(s.duration)
        ),
        if s.direction == Direction::Up {
            said!("A packet takes {} one way.", time(s.delay))
        } else {
            said!("A packet takes {} one way; short polls ask every {}.", time(s.delay), time(s.interval))
        },
    ]
}

fn table(s: &Scenario, costs: &[Cost]) -> Table {
    let websocket = total(s, find(costs, Way::WebSocket));
    let clients = s.clients as f64;
    let rows = costs.iter().map(|cost| {
        let load = cost.over(s.duration) * clients;
        vec![
            Cell::Text(cost.way.name().into()),
            Cell::Bytes(load.application),
            Cell::Bytes(load.protocol),
            Cell::Bytes(load.tcp_ip),
            if s.wire.tls { Cell::Bytes(load.tls) } else { Cell::Nothing },
            Cell::Bytes(load.total()),
            Cell::Ratio(load.total() / websocket),
            Cell::Number(cost.requests * clients),
            cost.empty.map_or(Cell::Nothing, Cell::Share),
            Cell::Number(cost.connections * clients),
            Cell::Exact(cost.setup.total().round() as u64),
            Cell::Seconds(cost.latency.mean()),
            Cell::Seconds(cost.latency.quantile(0.5)),
            Cell::Seconds(cost.latency.quantile(0.95)),
            Cell::Seconds(cost.latency.worst()),
        ]
    });
    Table {
        id: "ways",
        title: Text::new("All clients together, both directions"),
        blocks: BLOCKS.to_vec(),
        columns: COLUMNS.to_vec(),
        rows: rows.collect(),
    }
}

/// Plays a scenario and sets what was seen beside what the formulas say.
pub fn simulated(s: &Scenario, how: Play, progress: &mut dyn FnMut(u64)) -> Report {
    let extra = how.jitter > 0.0 || how.loss > 0.0 || how.burst > 1;
    let mut rows = Vec::new();
    let mut bars = Vec::new();
    for (done, way) in Way::ALL.into_iter().enumerate() {
        let mut seen = simulate::play(s, way, how);
        let cost = model::cost(s, way);
        bars.push(Bar { label: way.name().into(), value: Cell::Seconds(seen.latency.quantile(0.95)) });
        rows.push(vec![
            Cell::Text(way.name().into()),
            Cell::Seconds(seen.latency.mean()),
            Cell::Seconds(seen.latency.quantile(0.5)),
            Cell::Seconds(seen.latency.quantile(0.95)),
            Cell::Seconds(seen.latency.worst()),
            Cell::Seconds(cost.latency.mean()),
            Cell::Share(seen.latency.mean() / cost.latency.mean().max(1e-12) - 1.0),
            Cell::Number(seen.requests as f64 / seen.seconds),
            cost.empty.map_or(Cell::Nothing, |_| Cell::Share(seen.empty as f64 / seen.polls.max(1) as f64)),
            Cell::Number(seen.load.total() / seen.seconds),
            Cell::Number(cost.steady.total()),
            Cell::Share(seen.load.total() / seen.seconds / cost.steady.total() - 1.0),
        ]);
        progress(done as u64 + 1);
    }
    let mut list = assumptions::common(s);
    // Losses are played, and have a line of their own.
    list.push(assumptions::left_out("bandwidth"));
    let mut add = |option, text: Text| list.push(Assumption { option, text });
    add("--seed", said!("seed {}: the same one plays the same game", how.seed));
    add("--messages", said!("{} messages to one client", grouped(how.messages)));
    add(
        "--jitter",
        if how.jitter > 0.0 {
            said!("up to {} more a packet, any part as likely, order kept", time(how.jitter))
        } else {
            Text::new("no jitter")
        },
    );
    add(
        "--loss",
        if how.loss > 0.0 {
            said!(
                "{} of all segments lost, sent again after 200 ms and a round trip, then twice as long; \
                 what is behind them on the connection waits",
                percent(how.loss)
            )
        } else {
            Text::new("no losses")
        },
    );
    add(
        "--burst",
        if how.burst > 1 {
            said!("{} messages published at a time, as many in all", how.burst)
        } else {
            Text::new("messages published one by one")
        },
    );
    Report {
        kind: "simulation",
        headline: headline(s),
        tables: vec![Table {
            id: "simulation",
            title: Text::new("Played message by message for one client, beside the formulas"),
            blocks: vec!["Latency of a message", "Load"],
            columns: vec![
                Column::new("way", ""),
                Column::new("latency_mean_seconds", "mean"),
                Column::new("latency_p50_seconds", "p50"),
                Column::new("latency_p95_seconds", "p95"),
                Column::new("latency_worst_seconds", "worst"),
                Column::new("formula_mean_seconds", "formula"),
                Column::new("mean_difference_share", "differs"),
                Column::below("requests_per_second", "requests/s", 1),
                Column::below("empty_share", "empty polls", 1),
                Column::below("bytes_per_second", "bytes/s", 1),
                Column::below("formula_bytes_per_second", "formula", 1),
                Column::below("bytes_difference_share", "differs", 1),
            ],
            rows,
        }],
        bars: vec![Bars { title: Text::new("Latency, 95 % of messages within"), bars }],
        chart: None,
        verdict: vec![if extra {
            Text::new(
                "Jitter, losses and bursts are not in the formulas: the differences are what they cost.",
            )
        } else {
            Text::new(
                "Without jitter, losses and bursts the formulas are exact: what differs is chance, and \
                 shrinks with --messages.",
            )
        }],
        assumptions: list,
        limits: Vec::new(),
    }
}

fn bars(s: &Scenario, costs: &[Cost]) -> Vec<Bars> {
    let bars = |title: &'static str, value: &dyn Fn(&Cost) -> Cell| Bars {
        title: title.into(),
        bars: costs.iter().map(|c| Bar { label: c.way.name().into(), value: value(c) }).collect(),
    };
    let messages = messages(s);
    vec![
        bars("Bytes a message, everything counted", &|c| Cell::Fixed(total(s, c) / messages, 0)),
        bars("Latency, mean", &|c| Cell::Seconds(c.latency.mean())),
    ]
}

/// Messages of all clients, both directions.
fn messages(s: &Scenario) -> f64 {
    s.rate * s.duration * directions(s) * s.clients as f64
}

fn directions(s: &Scenario) -> f64 {
    if s.direction == Direction::Both { 2.0 } else { 1.0 }
}

fn total(s: &Scenario, cost: &Cost) -> f64 {
    cost.over(s.duration).total() * s.clients as f64
}

fn find(costs: &[Cost], way: Way) -> &Cost {
    costs.iter().find(|cost| cost.way == way).unwrap_or(&costs[0])
}

/// When to choose what, from these numbers.
fn verdict(s: &Scenario, costs: &[Cost]) -> Vec<Text> {
    let per_message = |way| total(s, find(costs, way)) / messages(s);
    let mean = |way: Way| find(costs, way).latency.mean();
    let steady = |way| find(costs, way).steady.total();
    let setup = |way| find(costs, way).setup.total();
    let short = per_message(Way::ShortPolling);
    let web = per_message(Way::WebSocket);
    let mut verdict = Vec::new();
    let times = if short >= web {
        said!("{} times as much as", number(short / web))
    } else {
        said!("{} of", percent(short / web))
    };
    verdict.push(said!(
        "Bytes: with everything counted a message costs {} bytes by {}, which is {} the {} bytes by \
         WebSocket.",
        number(short),
        if s.direction == Direction::Up { "a POST of its own" } else { "short polling" },
        times,
        number(web),
    ));
    if s.direction == Direction::Up {
        verdict.push(said!(
            "Latency: clients that only send are as fast by POST as by WebSocket, {}: there is nothing to \
             poll for.",
            time(s.delay)
        ));
        verdict.push(Text::new(
            "POST is right when clients send now and then: nothing is held open, and any HTTP server \
                 can take it.",
        ));
        verdict.push(said!(
            "WebSocket is right when clients send often: each message saves {} bytes.",
            number(short - web)
        ));
        return verdict;
    }
    verdict.push(said!(
        "Latency: a message is {} late on average by short polling, {} by long polling and {} by WebSocket, \
         which is the delay of the network itself.",
        time(mean(Way::ShortPolling)),
        time(mean(Way::LongPolling)),
        time(mean(Way::WebSocket)),
    ));
    verdict.push(choose_short_polling(s, costs));
    let requests = number(find(costs, Way::LongPolling).requests);
    let requests = Text::with(if requests == "1" { "{} request" } else { "{} requests" }, requests);
    verdict.push(said!(
        "Long polling is right where WebSocket cannot pass and messages are rare: each client makes {} a \
         second here, and takes {} times the bytes of WebSocket.",
        requests,
        number(per_message(Way::LongPolling) / web),
    ));
    verdict.push(said!(
        "Server-sent events are right when clients mostly listen: {} times the bytes of WebSocket and the \
         same latency, over plain HTTP, and browsers reconnect by themselves.",
        number(per_message(Way::EventStream) / web),
    ));
    verdict.push(Text::new(
        "WebSocket is right when both sides send often, when every millisecond counts, or for binary data.",
    ));
    verdict.push(said!(
        "Socket.IO is WebSocket with names for events, acknowledgements, rooms and a way back to polling: \
         {} bytes more a message on WebSocket, and {} more to begin; on polling it takes {} times the bytes \
         of long polling.",
        number((steady(Way::SocketIoWebSocket) - steady(Way::WebSocket)) / s.rate / directions(s)),
        number(setup(Way::SocketIoWebSocket) - setup(Way::WebSocket)),
        number(per_message(Way::SocketIoPolling) / per_message(Way::LongPolling)),
    ));
    verdict
}

fn choose_short_polling(s: &Scenario, costs: &[Cost]) -> Text {
    let news = 1.0 - find(costs, Way::ShortPolling).empty.unwrap_or_default();
    let Some((interval, mean)) = break_even(s) else {
        return said!(
            "Short polling is right when data change at known times (ask once after each: {} of the polls \
             here bring news), or when nobody minds being late.",
            percent(news)
        );
    };
    let more = if interval <= s.interval {
        said!(
            "It moves fewer bytes than WebSocket from an interval of {} on, because one answer carries many \
                 messages; a server that gathers messages as long could do the same by WebSocket.",
            time(interval)
        )
    } else {
        said!(
            "From an interval of {} on it would even move fewer bytes than WebSocket, because one answer \
             carries many messages: {} late on average.",
            time(interval),
            time(mean)
        )
    };
    said!(
        "Short polling is right when data change at known times (ask once after each: {} of the polls here \
         bring news), or when nobody minds being late. {}",
        percent(news),
        more
    )
}

/// The interval from which short polling moves no more bytes than WebSocket, and its mean latency;
/// `None` when there is none up to an hour.
pub fn break_even(s: &Scenario) -> Option<(f64, f64)> {
    let web = model::cost(s, Way::WebSocket).steady.total();
    let short = |interval: f64| {
        let changed = Scenario { interval, ..s.clone() };
        model::cost(&changed, Way::ShortPolling)
    };
    let (mut low, mut high) = (0.001, (1e6 / s.rate).min(3600.0));
    if short(high).steady.total() > web {
        return None;
    }
    for _ in 0..40 {
        let middle = (low * high).sqrt();
        if short(middle).steady.total() > web {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some((high, short(high).latency.mean()))
}

fn limits() -> Vec<Text> {
    vec![
        Text::new(
            "Not in these numbers: processor time and memory. Every open connection takes memory of the \
             server, and pushing can cost it more than being asked: Bozdag, Mesbah and van Deursen (2007) \
             measured up to 7 times the processor time of pull, and saturation at 350 to 500 users in their \
             set-up.",
        ),
        Text::new(
            "Try: --sweep interval for the curves, --preset quantum-leap for the famous 500:1, --simulate \
             to play it packet by packet.",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polling_breaks_even_where_the_bytes_are_equal() {
        let s = Scenario::default();
        let (interval, mean) = break_even(&s).unwrap();
        assert!((mean - (interval / 2.0 + s.delay)).abs() < 1e-6);
        let at = |interval: f64| {
            model::cost(&Scenario { interval, ..s.clone() }, Way::ShortPolling).steady.total()
        };
        let web = model::cost(&s, Way::WebSocket).steady.total();
        assert!(at(interval * 0.99) > web && at(interval * 1.01) < web, "{interval}");
    }

    #[test]
    fn every_row_has_every_column() {
        let report = model(&Scenario { direction: Direction::Both, ..Scenario::default() });
        for table in &report.tables {
            assert!(table.rows.iter().all(|row| row.len() == table.columns.len()));
        }
    }
}
