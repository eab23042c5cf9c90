//! What was measured live, beside what the formulas predict for the same question.

mod tables;
mod words;

use super::latency::Observed;
use super::model::{self, Cost};
use super::report::headline;
use super::words::{RUNS, counted, said};
use super::{Scenario, Way};
use crate::model::Text;
use crate::model::report::{Bar, Bars, Cell, Report};

/// One run of one way.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// How long it was measured.
    pub seconds: f64,
    /// Seconds from publishing to receipt, of every message received.
    pub latency: Observed,
    /// Requests that were answered; of these, polls; of these, those that brought nothing.
    pub requests: u64,
    /// Of the requests, polls.
    pub polls: u64,
    /// Of the polls, those that brought nothing.
    pub empty: u64,
    /// Bytes on the sockets, both directions.
    pub stream: u64,
    /// Packets those would take, with their acknowledgements.
    pub packets: u64,
    /// Bytes before the first message, of all clients, down to the packets.
    pub setup: f64,
    /// Seconds of processor time of the server's thread and of the clients'; `None` when not measured.
    pub server: Option<f64>,
    /// The same of the clients' thread.
    pub clients: Option<f64>,
}

/// A connection's bytes on its sockets, and what the decoder made of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// Bytes on the sockets, both directions.
    pub socket: u64,
    /// Of these, HTTP heads.
    pub heads: u64,
    /// Frames.
    pub frames: u64,
    /// Bytes of their headers.
    pub frame_headers: u64,
    /// Bytes of HTTP bodies and frame payloads.
    pub payloads: u64,
}

impl Check {
    fn decoded(&self) -> u64 {
        self.heads + self.frame_headers + self.payloads
    }

    /// Whether both counts are the same.
    pub fn holds(&self) -> bool {
        self.socket == self.decoded()
    }
}

/// All that was measured.
#[derive(Clone, Debug, Default)]
pub struct Live {
    /// The runs of each way, in the order of [`Way::ALL`]; none where there was no time.
    pub ways: Vec<(Way, Vec<Run>)>,
    /// Bytes of memory a client takes of a server that has a process of its own, by way; none where not
    /// measured.
    pub memory: Vec<(Way, f64)>,
    /// A WebSocket connection: what the client sent, what the server sent.
    pub check: Option<[Check; 2]>,
    /// How it was measured.
    pub seed: u64,
    /// Runs that were asked for.
    pub runs: u64,
    /// It was ended before its time.
    pub cut_short: bool,
    /// The program is not optimised.
    pub debug: bool,
}

/// The sums over a way's runs.
struct Sum<'a> {
    way: Way,
    runs: &'a [Run],
    cost: Cost,
    seconds: f64,
    latency: Observed,
    messages: f64,
}

impl<'a> Sum<'a> {
    fn new(s: &Scenario, way: Way, runs: &'a [Run]) -> Self {
        let mut latency = Observed::default();
        for run in runs {
            latency.append(&run.latency);
        }
        let seconds = runs.iter().map(|run| run.seconds).sum();
        Self { way, runs, cost: model::cost(s, way), seconds, messages: latency.len() as f64, latency }
    }

    fn sum(&self, value: impl Fn(&Run) -> f64) -> f64 {
        self.runs.iter().map(value).sum()
    }

    /// The sum a message, where every run has a value.
    fn each(&self, value: impl Fn(&Run) -> Option<f64>) -> Option<f64> {
        let sum: Option<f64> = self.runs.iter().map(value).sum();
        Some(sum? / self.messages.max(1.0))
    }

    /// How far the mean latency is from its formula; `None` where that is 0, and a machine is not as fast.
    fn late(&self) -> Option<f64> {
        let formula = self.cost.latency.mean();
        (formula > 0.0).then(|| self.latency.mean() / formula - 1.0)
    }

    /// Protocol, TCP/IP and all bytes a message.
    fn bytes(&self, s: &Scenario, run: Option<&Run>) -> [f64; 3] {
        let runs = run.map_or(self.runs, std::slice::from_ref);
        let sum = |value: &dyn Fn(&Run) -> f64| runs.iter().map(value).sum::<f64>();
        let messages = sum(&|r| r.latency.len() as f64).max(1.0);
        let stream = sum(&|r| r.stream as f64) / messages;
        let below = sum(&|r| r.packets as f64) * s.wire.headers() as f64 / messages;
        [stream - s.payload as f64, below, stream + below]
    }
}

/// The page.
pub fn report(s: &Scenario, live: &Live) -> Report {
    let mut sums: Vec<Sum<'_>> = live
        .ways
        .iter()
        .filter(|(_, runs)| !runs.is_empty())
        .map(|(way, runs)| Sum::new(s, *way, runs))
        .collect();
    let mut tables = vec![
        tables::wire(s, &sums),
        tables::load(s, &sums),
        tables::latency(&mut sums),
        tables::used(s, &sums, live),
    ];
    tables.extend(live.check.as_ref().map(tables::check));
    let bars = |title: &'static str, value: &dyn Fn(&Sum<'_>) -> Cell| Bars {
        title: title.into(),
        bars: sums.iter().map(|sum| Bar { label: sum.way.name().into(), value: value(sum) }).collect(),
    };
    let bars = vec![
        bars("Bytes a message, measured", &|sum| Cell::Fixed(sum.bytes(s, None)[2], 0)),
        bars("Latency measured, mean", &|sum| Cell::Seconds(sum.latency.mean())),
    ];
    Report {
        kind: "live",
        headline: opening(s, live),
        tables,
        bars,
        chart: None,
        verdict: words::verdict(s, &sums, live),
        assumptions: words::rests_on(s, live),
        limits: words::limits(live),
    }
}

fn opening(s: &Scenario, live: &Live) -> Vec<Text> {
    let mut lines = headline(s);
    let runs = live.ways.iter().map(|(_, runs)| runs.len()).max().unwrap_or_default() as u64;
    lines.push(said!(
        "Measured on this machine: {} of each way, in turn, each with the same messages at the same moments.",
        counted(runs, RUNS),
    ));
    if live.cut_short {
        let done: usize = live.ways.iter().map(|(_, runs)| runs.len()).sum();
        let wanted = live.runs * Way::ALL.len() as u64;
        lines.push(said!("Ended early: {} of the {} runs are in these figures.", done, wanted));
    }
    lines
}
