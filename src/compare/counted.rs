//! What was counted in captures as a page.

use super::captures::Use;
use super::sums::Counted;
use super::words::{self, counted, grouped, number, said};
use crate::model::report::{Assumption, Bar, Bars, Cell, Column, Report, Table};
use crate::model::{Text, Way};

/// What was counted in captures, beside each other.
///
/// # Errors
/// One line that says which side of the comparison is missing.
pub fn report(names: &[String], sums: &[(Use, Counted)]) -> Result<Report, Text> {
    let files = names.join(", ");
    if !sums.iter().any(|(used, _)| used.is_polling() || *used == Use::Way(Way::EventStream)) {
        return Err(said!(
            "{}: no polling: no HTTP request is made twice (within TLS, or cut by a snapshot length, it \
             cannot be seen)",
            files
        ));
    }
    let Some((_, websocket)) = sums.iter().find(|(used, _)| used.is_web_socket()) else {
        return Err(said!(
            "{}: no WebSocket connection (within TLS, or cut by a snapshot length, it cannot be seen)",
            files
        ));
    };
    let known: Vec<&(Use, Counted)> = sums.iter().filter(|(used, _)| *used != Use::Other).collect();
    let per_message = |c: &Counted| c.total() as f64 / c.messages.max(1) as f64;
    let row = |(used, c): &&(Use, Counted)| {
        let bytes = |value: u64| Cell::Bytes(value as f64);
        let polls = |cell: Cell| {
            if used.is_web_socket() || *used == Use::Way(Way::EventStream) { Cell::Nothing } else { cell }
        };
        vec![
            Cell::Text(used.name().into()),
            bytes(c.application),
            bytes(c.heads),
            bytes(c.framing),
            bytes(c.headers),
            bytes(c.ack_bytes),
            bytes(c.opening_bytes),
            bytes(c.resent_bytes),
            bytes(c.total()),
            Cell::Ratio(c.total() as f64 / websocket.total() as f64),
            Cell::Count(c.connections),
            polls(Cell::Count(c.requests)),
            polls(Cell::Count(c.empty)),
            Cell::Count(c.acks),
            Cell::Count(c.messages),
            Cell::Number(per_message(c)),
        ]
    };
    let mut verdict = Vec::new();
    for (used, c) in known.iter().filter(|(used, _)| !used.is_web_socket()) {
        verdict.push(said!(
            "{}: {} bytes in all against {} by WebSocket, {} times as many, for {} bytes of content against \
             {}.",
            used.name(),
            grouped(c.total()),
            grouped(websocket.total()),
            number(c.total() as f64 / websocket.total() as f64),
            grouped(c.application),
            grouped(websocket.application),
        ));
        if used.is_polling() && c.requests > 0 {
            verdict.push(if c.empty == 0 {
                said!("None of {} found nothing.", counted_polls(c.requests))
            } else {
                said!(
                    "Of {} {} found nothing. Asking less often would cost less and be later; asking when \
                     something is known to be there would cost least.",
                    counted_polls(c.requests),
                    grouped(c.empty),
                )
            });
        }
    }
    let mut limits = Vec::new();
    let unknown: u64 = known.iter().map(|(_, c)| c.unknown).sum();
    if unknown > 0 {
        limits.push(said!(
            "Not understood, and counted as frames: {}. Packets are missing before them, or they are no \
             HTTP and no frames; messages and polls in them are not in the numbers.",
            counted(unknown, words::BYTES)
        ));
    }
    if let Some((_, other)) = sums.iter().find(|(used, _)| *used == Use::Other) {
        limits.push(said!(
            "Left out: {} with {} bytes that ask for nothing twice, or speak something else.",
            counted(other.connections, words::CONNECTIONS),
            grouped(other.total())
        ));
    }
    Ok(Report {
        kind: "captures",
        headline: vec![said!("Counted in {}, from the IP header on.", files)],
        tables: vec![Table {
            id: "captures",
            title: Text::new("Every byte that was captured"),
            blocks: vec!["counted", "Load"],
            columns: vec![
                Column::new("way", ""),
                Column::new("application_bytes", "content"),
                Column::new("http_head_bytes", "heads"),
                Column::new("framing_bytes", "frames"),
                Column::new("tcp_ip_header_bytes", "TCP/IP"),
                Column::new("ack_bytes", "ACKs"),
                Column::new("opening_bytes", "open"),
                Column::new("resent_bytes", "resent"),
                Column::new("total_bytes", "total"),
                Column::new("ratio_to_websocket", "ratio"),
                Column::below("connections", "connections", 1),
                Column::below("requests", "requests", 1),
                Column::below("empty_answers", "empty", 1),
                Column::below("acks", "ACKs", 1),
                Column::below("messages", "messages", 1),
                Column::below("bytes_per_message", "bytes each", 1),
            ],
            rows: known.iter().map(row).collect(),
        }],
        bars: vec![Bars {
            title: Text::new("Bytes a message"),
            bars: known
                .iter()
                .map(|(used, c)| Bar { label: used.name().into(), value: Cell::Fixed(per_message(c), 0) })
                .collect(),
        }],
        chart: None,
        verdict,
        assumptions: [
            "a connection is polling when something it asks for is asked for more than once",
            "of HTTP, a body that is not empty counts as one message, however many it holds; of WebSocket, \
             messages do",
            "content is as on the wire: compressed where it is compressed, Engine.IO's and Socket.IO's own \
             characters included",
            "frames are frame headers, control frames, chunk framing, and bytes that are not understood",
            "open are packets without data with SYN, FIN or RST; ACKs are the other packets without data",
            "link layer headers are not counted",
        ]
        .map(|text| Assumption { option: "", text: text.into() })
        .into(),
        limits,
    })
}

fn counted_polls(polls: u64) -> Text {
    counted(polls, words::POLLS)
}
