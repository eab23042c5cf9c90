//! One assumption changed over a range: curves, and where they cross.

use super::assumptions;
use super::model;
use super::words::{self, counted, number, said, time};
use super::{Direction, Scenario, Way, report};
use crate::model::Text;
use crate::model::report::{Axis, Cell, Chart, Column, Curve, Mark, Panel, Report, Table};

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variable {
    /// Messages a second.
    Rate,
    /// Seconds between two short polls.
    Interval,
    /// Bytes of a message.
    Payload,
    /// Clients at the same time.
    Clients,
    /// Seconds a packet takes one way.
    Delay,
}

/// Points of a curve, and of them those in the table.
const POINTS: usize = 97;
const EVERY: usize = 8;

impl Variable {
    fn set(self, s: &Scenario, value: f64) -> Scenario {
        let mut s = s.clone();
        match self {
            Self::Rate => s.rate = value,
            Self::Interval => s.interval = value,
            Self::Payload => s.payload = value.round() as u64,
            Self::Clients => s.clients = value.round() as u64,
            Self::Delay => s.delay = value,
        }
        s
    }

    fn label(self) -> &'static str {
        match self {
            Self::Rate => "messages a second and client",
            Self::Interval => "seconds between short polls",
            Self::Payload => "bytes of a message",
            Self::Clients => "clients",
            Self::Delay => "seconds a packet takes one way",
        }
    }

    /// A value in a sentence.
    fn words(self, value: f64) -> Text {
        match self {
            Self::Rate if (value - 1.0).abs() < 1e-9 => Text::new("1 message a second"),
            Self::Rate => said!("{} messages a second", number(value)),
            Self::Interval | Self::Delay => said!("{}", time(value)),
            Self::Payload => counted(value.round() as u64, words::BYTES),
            Self::Clients => counted(value.round() as u64, words::CLIENTS),
        }
    }

    fn column(self) -> Column {
        match self {
            Self::Rate => Column::new("rate_per_second", "rate"),
            Self::Interval => Column::new("interval_seconds", "interval"),
            Self::Payload => Column::new("payload_bytes", "payload"),
            Self::Clients => Column::new("clients", "clients"),
            Self::Delay => Column::new("delay_seconds", "delay"),
        }
    }

    fn cell(self, value: f64) -> Cell {
        match self {
            Self::Rate => Cell::Number(value),
            Self::Interval | Self::Delay => Cell::Seconds(value),
            Self::Payload | Self::Clients => Cell::Count(value.round() as u64),
        }
    }
}

/// Changes `variable` from one value to another, in equal ratios.
///
/// # Errors
/// One line that says what is wrong with the range.
pub fn sweep(s: &Scenario, variable: Variable, from: f64, to: f64) -> Result<Report, Text> {
    if !(from > 0.0 && to > from && to.is_finite()) {
        return Err(Text::new("--sweep goes FROM..TO with 0 < FROM < TO"));
    }
    for end in [from, to] {
        variable.set(s, end).check().map_err(|why| said!("--sweep: {}", why))?;
    }
    let at = |i: usize| from * (to / from).powf(i as f64 / (POINTS - 1) as f64);
    let points: Vec<(f64, [Point; 6])> =
        (0..POINTS).map(at).map(|x| (x, points(&variable.set(s, x)))).collect();
    let marks = marks(s, variable, from, to);
    let chart = chart(s, variable, &points, marks.clone());
    Ok(Report {
        kind: "sweep",
        headline: headline(s, variable)
            .into_iter()
            .chain([said!(
                "Changed: {}, from {} to {}.",
                variable.label(),
                variable.words(from),
                variable.words(to)
            )])
            .collect(),
        tables: vec![table(variable, &points)],
        bars: Vec::new(),
        chart: Some(chart),
        verdict: verdict(s, variable, &marks, (from, to)),
        assumptions: assumptions::of_formulas(s),
        limits: vec![Text::new("Add --chart FILE.svg for the curves.")],
    })
}

/// What stays as it is.
fn headline(s: &Scenario, variable: Variable) -> Vec<Text> {
    let mut lines = report::headline(s);
    match variable {
        Variable::Interval => lines[1] = said!("A packet takes {} one way.", time(s.delay)),
        Variable::Delay => lines[1] = said!("Short polls ask every {}.", time(s.interval)),
        _ => {}
    }
    lines
}

/// Of one way at one value.
#[derive(Clone, Copy)]
struct Point {
    /// Bytes a second, all clients.
    bytes: f64,
    latency: f64,
}

fn points(s: &Scenario) -> [Point; 6] {
    Way::ALL.map(|way| {
        let cost = model::cost(s, way);
        Point { bytes: cost.steady.total() * s.clients as f64, latency: cost.latency.mean() }
    })
}

fn table(variable: Variable, points: &[(f64, [Point; 6])]) -> Table {
    const BYTES: [(&str, &str); 6] = [
        ("short_polling_bytes_per_second", "short"),
        ("long_polling_bytes_per_second", "long"),
        ("event_stream_bytes_per_second", "events"),
        ("websocket_bytes_per_second", "WebSocket"),
        ("socket_io_polling_bytes_per_second", "S.IO poll"),
        ("socket_io_websocket_bytes_per_second", "S.IO WS"),
    ];
    const LATENCY: [(&str, &str); 6] = [
        ("short_polling_latency_seconds", "short"),
        ("long_polling_latency_seconds", "long"),
        ("event_stream_latency_seconds", "events"),
        ("websocket_latency_seconds", "WebSocket"),
        ("socket_io_polling_latency_seconds", "S.IO poll"),
        ("socket_io_websocket_latency_seconds", "S.IO WS"),
    ];
    let mut columns = vec![variable.column()];
    columns.extend(BYTES.map(|(key, head)| Column::new(key, head)));
    columns.extend(LATENCY.map(|(key, head)| Column::below(key, head, 1)));
    let row = |(x, ways): &(f64, [Point; 6])| {
        let mut row = vec![variable.cell(*x)];
        row.extend(ways.map(|point| Cell::Bytes(point.bytes)));
        row.extend(ways.map(|point| Cell::Seconds(point.latency)));
        row
    };
    Table {
        id: "sweep",
        title: Text::new("Bytes a second, all clients; mean latency"),
        blocks: vec!["a second", "latency"],
        columns,
        rows: points.iter().step_by(EVERY).map(row).collect(),
    }
}

fn chart(s: &Scenario, variable: Variable, points: &[(f64, [Point; 6])], marks: Vec<Mark>) -> Chart {
    let curves = |value: &dyn Fn(&Point) -> f64| -> Vec<Curve> {
        Way::ALL
            .iter()
            .enumerate()
            .map(|(i, way)| Curve {
                name: way.name().into(),
                points: points.iter().map(|(x, ways)| (*x, value(&ways[i]))).collect(),
            })
            .collect()
    };
    let axis = |label: &'static str| Axis { label: label.into(), log: true };
    Chart {
        title: joined(headline(s, variable)),
        x: axis(variable.label()),
        panels: vec![
            Panel { y: axis("bytes a second, all clients"), curves: curves(&|point| point.bytes) },
            Panel { y: axis("mean latency, seconds"), curves: curves(&|point| point.latency) },
        ],
        marks,
    }
}

/// Where a way moves as many bytes as WebSocket, and what stands there in the chart.
const CROSSINGS: [(Way, &str); 2] = [
    (Way::ShortPolling, "short polling = WebSocket in bytes"),
    (Way::LongPolling, "long polling = WebSocket in bytes"),
];

/// The sentences in one line.
fn joined(sentences: Vec<Text>) -> Text {
    sentences.into_iter().reduce(|before, next| said!("{} {}", before, next)).unwrap_or_default()
}

/// Where polling becomes as good as WebSocket, or stops to be.
fn marks(s: &Scenario, variable: Variable, from: f64, to: f64) -> Vec<Mark> {
    let mut marks = Vec::new();
    if s.direction != Direction::Up {
        let known = match variable {
            Variable::Interval => Some((1.0 / s.rate, "a poll a message")),
            Variable::Rate => Some((1.0 / s.interval, "a message a poll")),
            _ => None,
        };
        if let Some((x, text)) = known.filter(|(x, _)| (from..=to).contains(x)) {
            marks.push(Mark { x, text: text.into() });
        }
    }
    for (way, text) in CROSSINGS {
        let ahead = |x: f64| {
            let s = variable.set(s, x);
            model::cost(&s, way).steady.total() - model::cost(&s, Way::WebSocket).steady.total()
        };
        let at = |i: usize| from * (to / from).powf(i as f64 / 48.0);
        for i in 0..48 {
            let (mut low, mut high) = (at(i), at(i + 1));
            let sign = ahead(low) > 0.0;
            // The curves of payload and clients have steps: a change of sign in between is enough.
            if sign == (ahead(high) > 0.0) {
                continue;
            }
            for _ in 0..40 {
                let middle = (low * high).sqrt();
                if (ahead(middle) > 0.0) == sign { low = middle } else { high = middle }
            }
            marks.push(Mark { x: high, text: text.into() });
        }
    }
    marks
}

fn verdict(s: &Scenario, variable: Variable, marks: &[Mark], (from, to): (f64, f64)) -> Vec<Text> {
    let mut verdict = Vec::new();
    for mark in marks {
        let at = variable.set(s, mark.x);
        let short = model::cost(&at, Way::ShortPolling);
        let value = variable.words(mark.x);
        verdict.push(match mark.text.template {
            "a poll a message" | "a message a poll" => said!(
                "At {} there is a poll for each message on average. If messages come at known times, and \
                 polls right after them, no poll is wasted and none is late: polling is as good as \
                 anything. As they come at random, {} % of the polls find nothing, and a message waits {} \
                 on average.",
                value,
                format!("{:.0}", short.empty.unwrap_or_default() * 100.0),
                time(short.latency.mean()),
            ),
            text => {
                let is_short = text == CROSSINGS[0].1;
                let way = if is_short { Way::ShortPolling } else { Way::LongPolling };
                let cost = if is_short { short } else { model::cost(&at, Way::LongPolling) };
                said!(
                    "At {} {} moves as many bytes as WebSocket, and a message is {} late on average.",
                    value,
                    way.name(),
                    time(cost.latency.mean())
                )
            }
        });
    }
    // Where nobody polls, both rows are the same POSTs.
    let ways: &[(Way, &'static str)] = match s.direction {
        Direction::Up => &[(Way::ShortPolling, "POST")],
        Direction::Down | Direction::Both => {
            &[(Way::ShortPolling, "Short polling"), (Way::LongPolling, "Long polling")]
        }
    };
    for &(way, name) in ways {
        if marks.iter().any(|mark| CROSSINGS.contains(&(way, mark.text.template))) {
            continue;
        }
        let times = |x: f64| {
            let at = variable.set(s, x);
            model::cost(&at, way).steady.total() / model::cost(&at, Way::WebSocket).steady.total()
        };
        let (first, last) = (number(times(from)), number(times(to)));
        let (from_words, to_words) = (variable.words(from), variable.words(to));
        if s.direction == Direction::Up {
            verdict.push(said!(
                "{} takes {} times the bytes of WebSocket at {}, {} times at {}.",
                name,
                first,
                from_words,
                last,
                to_words
            ));
            continue;
        }
        let more = if times(from) > 1.0 { "more" } else { "fewer" };
        let how_many = if first == last {
            said!("{} times as many", first)
        } else {
            said!("{} times as many at {}, {} at {}", first, from_words, last, to_words)
        };
        verdict.push(said!(
            "{} moves {} bytes than WebSocket all over this range: {}.",
            name,
            more,
            how_many
        ));
    }
    verdict
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crossover_is_where_the_model_says() {
        let s = Scenario::default();
        let report = sweep(&s, Variable::Interval, 0.1, 60.0).unwrap();
        let marks = &report.chart.as_ref().unwrap().marks;
        assert!((marks[0].x - 1.0).abs() < 1e-9 && marks[0].text.template == "a poll a message");
        let (interval, _) = report::break_even(&s).unwrap();
        assert!((marks[1].x / interval - 1.0).abs() < 1e-3, "{} {interval}", marks[1].x);
    }

    #[test]
    fn a_range_that_is_none_is_refused() {
        for (from, to) in [(0.0, 1.0), (2.0, 1.0), (1.0, f64::INFINITY), (f64::NAN, 1.0)] {
            assert!(sweep(&Scenario::default(), Variable::Rate, from, to).is_err());
        }
    }

    #[test]
    fn every_variable_has_curves_over_the_whole_range() {
        for (variable, from, to) in [
            (Variable::Rate, 0.01, 100.0),
            (Variable::Payload, 1.0, 100_000.0),
            (Variable::Clients, 1.0, 1e6),
            (Variable::Delay, 0.001, 0.5),
        ] {
            let report = sweep(&Scenario::default(), variable, from, to).unwrap();
            for curve in report.chart.iter().flat_map(|chart| &chart.panels).flat_map(|panel| &panel.curves) {
                assert_eq!(curve.points.len(), POINTS);
                assert!(curve.points.iter().all(|(x, y)| x.is_finite() && y.is_finite()));
            }
        }
    }
}
