//! The tables of a live run: measured, and by formula.

use super::{Check, Live, Run, Sum};
use crate::compare::Scenario;
use crate::compare::words::{grouped, said};
use crate::model::Text;
use crate::model::report::{Cell, Column, Table};

const WAY: Column = Column::new("way", "");

pub(super) fn wire(s: &Scenario, sums: &[Sum<'_>]) -> Table {
    let row = |sum: &Sum<'_>| {
        let [protocol, below, total] = sum.bytes(s, None);
        let steady = sum.cost.steady * (1.0 / s.rate);
        vec![
            Cell::Text(sum.way.name().into()),
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
        title: said!("Bytes a message of {}: measured, and by formula", grouped(s.payload)),
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

pub(super) fn load(s: &Scenario, sums: &[Sum<'_>]) -> Table {
    let clients = s.clients as f64;
    let row = |sum: &Sum<'_>| {
        let polls = sum.sum(|run| run.polls as f64);
        let empty = |value: f64| sum.cost.empty.map_or(Cell::Nothing, |_| Cell::Share(value));
        vec![
            Cell::Text(sum.way.name().into()),
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
        title: Text::new("Load of all clients"),
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

pub(super) fn latency(sums: &mut [Sum<'_>]) -> Table {
    let row = |sum: &mut Sum<'_>| {
        let mean = sum.latency.mean();
        let formula = &sum.cost.latency;
        vec![
            Cell::Text(sum.way.name().into()),
            Cell::Seconds(mean),
            Cell::Seconds(formula.mean()),
            sum.late().map_or(Cell::Nothing, Cell::Share),
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
        title: Text::new("Latency from publishing to receipt: measured, and by formula"),
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

pub(super) fn used(s: &Scenario, sums: &[Sum<'_>], live: &Live) -> Table {
    let micro = |seconds: Option<f64>| seconds.map_or(Cell::Nothing, |v| Cell::Fixed(v * 1e6, 0));
    let row = |sum: &Sum<'_>| {
        let own = |run: &Run| run.server.map(|time| time / run.latency.len().max(1) as f64);
        let each: Option<Vec<f64>> = sum.runs.iter().map(own).collect();
        let memory = live.memory.iter().find(|(way, _)| *way == sum.way);
        let server = sum.each(|run| run.server);
        vec![
            Cell::Text(sum.way.name().into()),
            micro(server),
            each.map_or(Cell::Nothing, |each| spread(each.into_iter())),
            micro(server.map(|each| each * sum.messages / sum.seconds / s.clients as f64)),
            micro(sum.each(|run| run.clients)),
            memory.map_or(Cell::Nothing, |(_, bytes)| Cell::Fixed(bytes / 1024.0, 1)),
        ]
    };
    Table {
        id: "used",
        title: Text::new("Microseconds of processor time, a message and a client's second; and memory"),
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

pub(super) fn check(check: &[Check; 2]) -> Table {
    let row = |(name, check): (&'static str, &Check)| {
        vec![
            Cell::Text(name.into()),
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
        title: Text::new("A WebSocket connection: bytes on its socket, and what the decoder finds"),
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
