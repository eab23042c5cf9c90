//! What was measured live, beside what the formulas predict for the same question.

use super::latency::Observed;
use super::model::{self, Cost};
use super::report::{assumptions, headline};
use super::words::{counted, grouped, number, time};
use super::{Scenario, Way};
use crate::model::report::{Assumption, Bar, Bars, Cell, Column, Report, Table};

/// One run of one way.
#[derive(Clone, Debug, Default)]
pub struct Run {
    /// How long it was measured.
    pub seconds: f64,
    /// Seconds from publishing to receipt, of every message received.
    pub latency: Observed,
    /// Requests that were answered; of these, polls; of these, those that brought nothing.
    pub requests: u64,
    pub polls: u64,
    pub empty: u64,
    /// Bytes on the sockets, both directions.
    pub stream: u64,
    /// Packets those would take, with their acknowledgements.
    pub packets: u64,
    /// Bytes before the first message, of all clients, down to the packets.
    pub setup: f64,
    /// Seconds of processor time of the server's thread and of the clients'; `None` when not measured.
    pub server: Option<f64>,
    pub clients: Option<f64>,
}

/// A connection's bytes on its sockets, and what the decoder made of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Check {
    pub socket: u64,
    pub heads: u64,
    pub frames: u64,
    pub frame_headers: u64,
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
    /// Bytes of memory a client takes of a server that has a process of its own, by way; none where not measured.
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

/// How far two runs are apart, as a part of their mean; `None` of one.
fn spread(values: impl Iterator<Item = f64>) -> Cell {
    let values: Vec<f64> = values.collect();
    if values.len() < 2 {
        return Cell::Nothing;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let (low, high) =
        values.iter().fold((f64::INFINITY, 0.0f64), |(low, high), v| (low.min(*v), high.max(*v)));
    Cell::Share((high - low) / mean.max(1e-12))
}

/// The page.
pub fn report(s: &Scenario, live: &Live) -> Report {
    let mut sums: Vec<Sum<'_>> = live
        .ways
        .iter()
        .filter(|(_, runs)| !runs.is_empty())
        .map(|(way, runs)| Sum::new(s, *way, runs))
        .collect();
    let mut tables = vec![wire(s, &sums), load(s, &sums), latency(&mut sums), used(s, &sums, live)];
    tables.extend(live.check.as_ref().map(check));
    let bars = |title: &str, value: &dyn Fn(&Sum<'_>) -> Cell| Bars {
        title: title.to_owned(),
        bars: sums.iter().map(|sum| Bar { label: sum.way.name().to_owned(), value: value(sum) }).collect(),
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
        verdict: verdict(s, &sums, live),
        assumptions: rests_on(s, live),
        limits: limits(live),
    }
}

fn opening(s: &Scenario, live: &Live) -> Vec<String> {
    let mut lines = headline(s);
    let runs = live.ways.iter().map(|(_, runs)| runs.len()).max().unwrap_or_default() as u64;
    lines.push(format!(
        "Measured on this machine: {} of each way, in turn, each with the same messages at the same moments.",
        counted(runs, "run"),
    ));
    if live.cut_short {
        let done: usize = live.ways.iter().map(|(_, runs)| runs.len()).sum();
        let wanted = live.runs * Way::ALL.len() as u64;
        lines.push(format!("Ended early: {done} of the {wanted} runs are in these figures."));
    }
    lines
}

const WAY: Column = Column::new("way", "");

fn wire(s: &Scenario, sums: &[Sum<'_>]) -> Table {
    let row = |sum: &Sum<'_>| {
        let [protocol, below, total] = sum.bytes(s, None);
        let steady = sum.cost.steady * (1.0 / s.rate);
        vec![
            Cell::Text(sum.way.name().to_owned()),
            Cell::Number(protocol),
            Cell::Number(steady.protocol),
            Cell::Number(below),
            Cell::Number(steady.tcp_ip),
            Cell::Number(total),
            Cell::Number(steady.total()),
            Cell::Share(total / steady.total() - 1.0),
            spread(sum.runs.iter().map(|run| sum.bytes(s, Some(run))[2])),
        ]
    };
    Table {
        id: "bytes",
        title: format!("Bytes a message of {}: measured, and by formula", grouped(s.payload)),
        blocks: vec!["on the wire", "with the message"],
        columns: vec![
            WAY,
            Column::new("protocol_bytes", "protocol"),
            Column::new("formula_protocol_bytes", "formula"),
            Column::new("tcp_ip_bytes_modelled", "TCP/IP"),
            Column::new("formula_tcp_ip_bytes", "formula"),
            Column::below("total_bytes", "total", 1),
            Column::below("formula_total_bytes", "formula", 1),
            Column::below("total_difference_share", "differs", 1),
            Column::below("total_spread_share", "spread", 1),
        ],
        rows: sums.iter().map(row).collect(),
    }
}

fn load(s: &Scenario, sums: &[Sum<'_>]) -> Table {
    let clients = s.clients as f64;
    let row = |sum: &Sum<'_>| {
        let polls = sum.sum(|run| run.polls as f64);
        let empty = |value: f64| sum.cost.empty.map_or(Cell::Nothing, |_| Cell::Share(value));
        vec![
            Cell::Text(sum.way.name().to_owned()),
            Cell::Count(sum.messages as u64),
            Cell::Number((s.rate * clients * sum.seconds).round()),
            Cell::Number(sum.sum(|run| run.requests as f64) / sum.seconds),
            Cell::Number(sum.cost.requests * clients),
            empty(sum.sum(|run| run.empty as f64) / polls.max(1.0)),
            empty(sum.cost.empty.unwrap_or_default()),
            Cell::Exact((sum.sum(|run| run.setup) / sum.runs.len() as f64 / clients).round() as u64),
            Cell::Exact(sum.cost.setup.total().round() as u64),
        ]
    };
    Table {
        id: "load",
        title: "Load of all clients".to_owned(),
        blocks: Vec::new(),
        columns: vec![
            WAY,
            Column::new("messages", "messages"),
            Column::new("formula_messages", "formula"),
            Column::new("requests_per_second", "requests/s"),
            Column::new("formula_requests_per_second", "formula"),
            Column::below("empty_share", "empty polls", 1),
            Column::below("formula_empty_share", "formula", 1),
            Column::below("setup_bytes_per_client", "set-up bytes", 1),
            Column::below("formula_setup_bytes_per_client", "formula", 1),
        ],
        rows: sums.iter().map(row).collect(),
    }
}

fn latency(sums: &mut [Sum<'_>]) -> Table {
    let row = |sum: &mut Sum<'_>| {
        let mean = sum.latency.mean();
        let formula = &sum.cost.latency;
        vec![
            Cell::Text(sum.way.name().to_owned()),
            Cell::Seconds(mean),
            Cell::Seconds(formula.mean()),
            Cell::Share(mean / formula.mean().max(1e-12) - 1.0),
            spread(sum.runs.iter().map(|run| run.latency.mean())),
            Cell::Seconds(sum.latency.quantile(0.5)),
            Cell::Seconds(formula.quantile(0.5)),
            Cell::Seconds(sum.latency.quantile(0.95)),
            Cell::Seconds(formula.quantile(0.95)),
            Cell::Seconds(sum.latency.worst()),
            Cell::Seconds(formula.worst()),
        ]
    };
    Table {
        id: "latency",
        title: "Latency from publishing to receipt: measured, and by formula".to_owned(),
        blocks: Vec::new(),
        columns: vec![
            WAY,
            Column::new("latency_mean_seconds", "mean"),
            Column::new("formula_latency_mean_seconds", "formula"),
            Column::new("latency_mean_difference_share", "differs"),
            Column::new("latency_mean_spread_share", "spread"),
            Column::below("latency_p50_seconds", "p50", 1),
            Column::below("formula_latency_p50_seconds", "formula", 1),
            Column::below("latency_p95_seconds", "p95", 1),
            Column::below("formula_latency_p95_seconds", "formula", 1),
            Column::below("latency_worst_seconds", "worst", 1),
            Column::below("formula_latency_worst_seconds", "formula", 1),
        ],
        rows: sums.iter_mut().map(row).collect(),
    }
}

fn used(s: &Scenario, sums: &[Sum<'_>], live: &Live) -> Table {
    let micro = |seconds: Option<f64>| seconds.map_or(Cell::Nothing, |v| Cell::Fixed(v * 1e6, 0));
    let row = |sum: &Sum<'_>| {
        let own = |run: &Run| run.server.map(|time| time / run.latency.len().max(1) as f64);
        let each: Option<Vec<f64>> = sum.runs.iter().map(own).collect();
        let memory = live.memory.iter().find(|(way, _)| *way == sum.way);
        let server = sum.each(|run| run.server);
        vec![
            Cell::Text(sum.way.name().to_owned()),
            micro(server),
            each.map_or(Cell::Nothing, |each| spread(each.into_iter())),
            micro(server.map(|each| each * sum.messages / sum.seconds / s.clients as f64)),
            micro(sum.each(|run| run.clients)),
            memory.map_or(Cell::Nothing, |(_, bytes)| Cell::Fixed(bytes / 1024.0, 1)),
        ]
    };
    Table {
        id: "used",
        title: "Microseconds of processor time, a message and a client's second; and memory".to_owned(),
        blocks: vec!["Processor", "Memory"],
        columns: vec![
            WAY,
            Column::new("server_cpu_microseconds_per_message", "server/message"),
            Column::new("server_cpu_spread_share", "spread"),
            Column::new("server_cpu_microseconds_per_client_second", "server/client"),
            Column::new("clients_cpu_microseconds_per_message", "clients/message"),
            Column::below("server_memory_kib_per_client", "KiB a client of the server", 1),
        ],
        rows: sums.iter().map(row).collect(),
    }
}

fn check(check: &[Check; 2]) -> Table {
    let row = |(name, check): (&str, &Check)| {
        vec![
            Cell::Text(name.to_owned()),
            Cell::Exact(check.socket),
            Cell::Exact(check.heads),
            Cell::Exact(check.frames),
            Cell::Exact(check.frame_headers),
            Cell::Exact(check.payloads),
            Cell::Exact(check.decoded()),
        ]
    };
    Table {
        id: "check",
        title: "A WebSocket connection: bytes on its socket, and what the decoder finds".to_owned(),
        blocks: Vec::new(),
        columns: vec![
            Column::new("sender", ""),
            Column::new("socket_bytes", "socket"),
            Column::new("http_head_bytes", "HTTP head"),
            Column::new("frames", "frames"),
            Column::new("frame_header_bytes", "headers"),
            Column::new("payload_bytes", "payloads"),
            Column::new("decoded_bytes", "decoder's sum"),
        ],
        rows: ["client", "server"].into_iter().zip(check).map(row).collect(),
    }
}

fn verdict(s: &Scenario, sums: &[Sum<'_>], live: &Live) -> Vec<String> {
    let bytes = |sum: &Sum<'_>| sum.bytes(s, None)[2] / (sum.cost.steady.total() / s.rate) - 1.0;
    let mean = |sum: &Sum<'_>| sum.latency.mean() / sum.cost.latency.mean().max(1e-12) - 1.0;
    let mut verdict = Vec::new();
    verdict.extend(held_against(sums, "What a message costs in bytes", &bytes));
    verdict.extend(held_against(sums, "The mean latency", &mean));
    let fewest = sums.iter().map(|sum| sum.messages).fold(f64::INFINITY, f64::min);
    if fewest.is_finite() && fewest > 0.0 {
        verdict.push(format!(
            "Chance: messages come at random, and with {} of them their number is {:.1} % off as a rule, and what a \
             message costs by short polling with it.",
            grouped(fewest as u64),
            100.0 / fewest.sqrt()
        ));
    }
    let server = |way: Way| sums.iter().find(|sum| sum.way == way)?.each(|run| run.server);
    if let (Some(short), Some(long), Some(web)) =
        (server(Way::ShortPolling), server(Way::LongPolling), server(Way::WebSocket))
    {
        let micro = |seconds: f64| format!("{} microseconds", number(seconds * 1e6));
        let idle = model::cost(s, Way::ShortPolling).empty.unwrap_or_default() > 0.2;
        verdict.push(format!(
            "Processor: a message cost this server {} by WebSocket, {} by long polling and {} by short polling, \
             which {}.",
            micro(web),
            micro(long),
            micro(short),
            if idle { "also answers polls for nothing" } else { "gathers several in an answer" },
        ));
    }
    if let Some(check) = &live.check {
        let socket: u64 = check.iter().map(|side| side.socket).sum();
        verdict.push(if check.iter().all(Check::holds) {
            format!(
                "Check: of a WebSocket connection's {} bytes on its socket the project's own decoder finds every one, \
                 as heads, frame headers and payloads.",
                grouped(socket)
            )
        } else {
            "Check failed: the decoder does not find as many bytes as the socket carried.".to_owned()
        });
    }
    verdict
}

/// How well a quantity agrees with its formula.
fn held_against(sums: &[Sum<'_>], what: &str, difference: &dyn Fn(&Sum<'_>) -> f64) -> Option<String> {
    let far = |sum: &&Sum<'_>| difference(sum).abs();
    let farthest = sums.iter().max_by(|a, b| far(a).total_cmp(&far(b)))?;
    let off = difference(farthest);
    let side = if off < 0.0 { "below" } else { "above" };
    let percent = off.abs() * 100.0;
    Some(if percent <= 10.0 {
        format!(
            "{what} is as the formulas say: farthest off is {}, {percent:.1} % {side}.",
            farthest.way.name()
        )
    } else {
        format!(
            "{what} is not as the formula says for {}, {percent:.1} % {side}: too few messages (--rate, --clients, \
             --duration), or a machine too busy to be on time.",
            farthest.way.name()
        )
    })
}

/// What the numbers rest on: of the model's list what holds here, and how it was measured.
fn rests_on(s: &Scenario, live: &Live) -> Vec<Assumption> {
    const SHARED: [&str; 8] = [
        "--rate",
        "--request-headers",
        "--cookies",
        "--closed-loop",
        "--heartbeat",
        "--mtu",
        "--ack-delay",
        "--event",
    ];
    let mut list: Vec<Assumption> =
        assumptions(s).into_iter().filter(|a| SHARED.contains(&a.option)).collect();
    let mut add = |option, text: String| list.push(Assumption { option, text });
    add("--seed", format!("seed {}: the same moments for every way, others in each run", live.seed));
    add(
        "--delay",
        format!(
            "a delay line between clients and server holds every byte for {} in each direction; TCP's own packets \
             are not delayed, which opening a connection would show and nothing else",
            time(s.delay)
        ),
    );
    add(
        "",
        format!(
            "bytes are counted on the sockets, where they leave the delay line; the {} bytes of TCP/IP headers a \
             segment, the segments and their acknowledgements are modelled from what was written when: loopback's \
             own packets are larger and acknowledged otherwise",
            s.wire.headers()
        ),
    );
    add(
        "",
        "it runs before it is measured, until it is steady, and while: latencies are those of the messages received \
         meanwhile"
            .to_owned(),
    );
    add(
        "",
        "processor time is that of the server's thread (HTTP, framing, publishing) and of the clients' thread; the \
         delay line has its own, which is not counted; the kernel's work for a thread is part of its time"
            .to_owned(),
    );
    add(
        "",
        "memory is what the resident set of a server in a process of its own grows by when clients connect and \
         ask, a client, without messages; the kernel's socket buffers are not in it"
            .to_owned(),
    );
    if live.debug {
        add("", "this wstool was built without optimisation: its processor times mean little".to_owned());
    }
    list
}

fn limits(live: &Live) -> Vec<String> {
    let mut limits = Vec::new();
    if live.ways.iter().any(|(_, runs)| runs.iter().any(|run| run.server.is_none())) {
        limits.push("Processor time was not measured: this system does not tell.".to_owned());
    }
    if live.memory.is_empty() {
        limits.push("Memory was not measured: that takes a system with /proc/self/statm.".to_owned());
    }
    limits.push(
        "One machine, one implementation, no loss and no limit of bandwidth: this shows how the ways compare, not how \
         many clients a server bears."
            .to_owned(),
    );
    limits
}
