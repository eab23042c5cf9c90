//! Two comparisons with known answers: the one that made WebSocket famous, and a fair one.

use super::heads::Heads;
use super::wire::{Load, Wire};
use super::words::{grouped, said};
use crate::model::Text;
use crate::model::report::{Assumption, Bar, Bars, Cell, Column, Report, Table};

/// Bytes of the published message, a stock's price.
const BODY: u64 = 21;

/// RFC 6455 §1.2: the handshake of the client, and of the server.
const HANDSHAKE: [&str; 2] = [
    "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://example.com\r\n\
     Sec-WebSocket-Protocol: chat, superchat\r\nSec-WebSocket-Version: 13\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n",
];

const PLAIN: Wire = Wire::PLAIN;

/// One poll with its answer, and one frame, without acknowledgements.
fn exchange(wire: Wire) -> [Load; 2] {
    let heads = Heads::quantum_leap();
    let poll = wire.write(0, heads.request.len()) + wire.write(BODY, heads.answer(BODY).len());
    [poll, wire.write(BODY, 2)]
}

/// Lubbers and Greco, "HTML5 WebSocket: A Quantum Leap in Scalability for the Web":
/// their table to the digit, and then, line by line, what it leaves out.
pub fn quantum_leap() -> Report {
    let heads = Heads::quantum_leap();
    let line_ends = 2 * (heads.request.fields.len() + heads.response.fields.len() + 4) as u64;
    let on_the_wire = heads.request.len() + heads.answer(BODY).len();
    let published = on_the_wire - line_ends;
    Report {
        kind: "preset",
        headline: vec![Text::new(
            "\"A Quantum Leap in Scalability for the Web\" (Lubbers, Greco): each client polls once a \
             second with 871 bytes of HTTP headers, or gets a WebSocket message with 2 bytes of framing.",
        )],
        tables: vec![published_table(published), line_by_line(published, on_the_wire)],
        bars: Vec::new(),
        chart: None,
        verdict: vec![
            Text::new(
                "The figures are right for what they count: headers without line ends against framing \
                 without anything. \"500:1\" is 871 : 2 = 435.5. As soon as the message itself is counted \
                 it is 40:1, and with the packets that carry both, 8.55:1; that is still a good reason.",
            ),
            Text::new(
                "The latency of 150 ms against 50 ms assumes 50 ms a transit, and a client that asks again \
                 at once: it is the worst case of long polling (3 transits), not the mean.",
            ),
            Text::new(
                "Bytes decide when messages are small and frequent. When they come once a minute, or are \
                 large, the difference is not worth a second protocol.",
            ),
        ],
        assumptions: vec![
            Assumption {
                option: "",
                text: Text::new("\"Mbps\" are bits a second divided by 2^20, as in the article"),
            },
            Assumption {
                option: "",
                text: said!(
                    "heads as published: {} + {} bytes on the wire, {} of them line ends",
                    heads.request.len(),
                    heads.answer(BODY).len(),
                    line_ends
                ),
            },
            Assumption {
                option: "",
                text: Text::new(
                    "one message of 21 bytes a poll, every poll brings one, connections stay open",
                ),
            },
            Assumption {
                option: "",
                text: Text::new(
                    "52 bytes of headers a segment (IPv4, TCP with timestamps), TLS 1.3 with 22 bytes a \
                     record",
                ),
            },
        ],
        limits: vec![Text::new(
            "Try: wstool compare, for the same question with every assumption of your own.",
        )],
    }
}

fn published_table(published: u64) -> Table {
    let rows = [1_000u64, 10_000, 100_000].map(|clients| {
        let bits = |bytes: u64| clients * bytes * 8;
        let mega = |bits: u64| bits as f64 / f64::from(1 << 20);
        let polling = mega(bits(published));
        vec![
            Cell::Count(clients),
            Cell::Exact(bits(published)),
            Cell::Fixed(polling, u8::from(polling < 10.0)),
            Cell::Exact(bits(2)),
            Cell::Fixed(mega(bits(2)), 3),
            Cell::Fixed(published as f64 / 2.0, 1),
        ]
    });
    Table {
        id: "published",
        title: Text::new("As published"),
        blocks: Vec::new(),
        columns: vec![
            Column::new("clients", "clients"),
            Column::new("polling_bits_per_second", "polling bit/s"),
            Column::new("polling_mbps", "\"Mbps\""),
            Column::new("websocket_bits_per_second", "WebSocket bit/s"),
            Column::new("websocket_mbps", "\"Mbps\""),
            Column::new("ratio", "ratio"),
        ],
        rows: rows.into(),
    }
}

fn line_by_line(published: u64, on_the_wire: u64) -> Table {
    let tls = Wire { tls: true, ..PLAIN };
    let acked = |wire: Wire| exchange(wire).map(|load| (load + wire.acks(1.0)).total());
    let segments = exchange(PLAIN).map(Load::total);
    let [poll, frame] = acked(tls);
    let beat = (tls.write(0, 2) + tls.write(0, 6) + tls.acks(1.0)).total() / 25.0;
    let handshake = HANDSHAKE.map(str::len).iter().sum::<usize>();
    let header = |bytes: u64| bytes as f64;
    let steps: [(Text, f64, f64); 9] = [
        ("headers and framing, as published".into(), header(published), 2.0),
        ("with the line ends of the headers".into(), header(on_the_wire), 2.0),
        ("with the message of 21 bytes".into(), header(on_the_wire + BODY), header(2 + BODY)),
        ("frames of RFC 6455: 2 down (6 up)".into(), header(on_the_wire + BODY), header(2 + BODY)),
        ("with TCP/IP headers".into(), segments[0], segments[1]),
        ("with one acknowledgement each".into(), acked(PLAIN)[0], acked(PLAIN)[1]),
        ("with TLS 1.3 on both".into(), poll, frame),
        ("with a ping and pong every 25 s".into(), poll, frame + beat),
        (
            said!("with the handshake ({} B) over 1 h", handshake),
            poll,
            frame + beat + handshake as f64 / 3600.0,
        ),
    ];
    Table {
        id: "line-by-line",
        title: Text::new("What changes it: bytes a message, line by line"),
        blocks: Vec::new(),
        columns: vec![
            Column::new("step", ""),
            Column::new("polling_bytes", "polling"),
            Column::new("websocket_bytes", "WebSocket"),
            Column::new("ratio", "ratio"),
        ],
        rows: steps
            .into_iter()
            .map(|(step, polling, websocket)| {
                let decimals = |value: f64| u8::from((value - value.round()).abs() > 1e-9);
                vec![
                    Cell::Text(step),
                    Cell::Fixed(polling, 0),
                    Cell::Fixed(websocket, decimals(websocket)),
                    Cell::Ratio(polling / websocket),
                ]
            })
            .collect(),
    }
}

/// The same message by both ways with nothing left out.
pub fn fair() -> Report {
    let tls = Wire { tls: true, ..PLAIN };
    let [poll, frame] = exchange(PLAIN);
    let [poll_tls, frame_tls] = exchange(tls);
    let ack = PLAIN.acks(1.0);
    let line = |what: &'static str, polling: f64, websocket: f64, ratio: bool| {
        vec![
            Cell::Text(what.into()),
            Cell::Exact(polling as u64),
            Cell::Exact(websocket as u64),
            if ratio { Cell::Fixed(polling / websocket, 2) } else { Cell::Nothing },
        ]
    };
    let total = |load: Load| (load + ack).total();
    let handshake = HANDSHAKE.map(|head| head.len() as u64);
    Report {
        kind: "preset",
        headline: vec![Text::new(
            "A message of 21 bytes by one poll and by one frame, on connections that are open.",
        )],
        tables: vec![Table {
            id: "fair",
            title: Text::new("Bytes on the wire"),
            blocks: Vec::new(),
            columns: vec![
                Column::new("part", ""),
                Column::new("polling_bytes", "polling"),
                Column::new("websocket_bytes", "WebSocket"),
                Column::new("ratio", "ratio"),
            ],
            rows: vec![
                line("HTTP heads, frame header", poll.protocol, frame.protocol, false),
                line("the message", poll.application, frame.application, false),
                line("TCP/IP headers of its segments", poll.tcp_ip, frame.tcp_ip, false),
                line("one acknowledgement", ack.tcp_ip, ack.tcp_ip, false),
                line("total", total(poll), total(frame), true),
                line("TLS 1.3 records", poll_tls.tls, frame_tls.tls, false),
                line("total with TLS", total(poll_tls), total(frame_tls), true),
            ],
        }],
        bars: vec![Bars {
            title: Text::new("Bytes a message, with TLS"),
            bars: [("polling", poll_tls), ("WebSocket", frame_tls)]
                .map(|(label, load)| Bar { label: label.into(), value: Cell::Fixed(total(load), 0) })
                .into(),
        }],
        chart: None,
        verdict: vec![
            Text::new(
                "One message costs eight times the bytes by a poll that finds it, and more by polls that \
                 find nothing. Of a WebSocket message's 127 bytes only 2 are WebSocket's own: the rest is \
                 what any TCP message costs.",
            ),
            said!(
                "A WebSocket begins with a handshake, in RFC 6455 section 1.2 {} + {} = {} bytes once.",
                grouped(handshake[0]),
                grouped(handshake[1]),
                grouped(handshake[0] + handshake[1])
            ),
        ],
        assumptions: [
            "HTTP heads of 716 + 193 bytes (Lubbers, Greco), line ends included, keep-alive",
            "52 bytes of headers a segment: IPv4, TCP with timestamps",
            "the answer acknowledges the request; the answer, and the frame, are acknowledged by one packet",
            "TLS 1.3: 22 bytes a record, a record for the request, the answer and the frame",
            "every poll finds exactly one message; no heartbeats",
        ]
        .map(|text| Assumption { option: "", text: text.into() })
        .into(),
        limits: vec![Text::new("Try: wstool compare, for rates, intervals, heartbeats and latency.")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(table: &Table) -> Vec<Vec<f64>> {
        let row = |row: &Vec<Cell>| row.iter().filter_map(Cell::number).collect();
        table.rows.iter().map(row).collect()
    }

    #[test]
    fn the_published_bits() {
        let rows = numbers(&quantum_leap().tables[0]);
        let bits: Vec<_> = rows.iter().map(|row| (row[1] as u64, row[3] as u64)).collect();
        assert_eq!(bits, [(6_968_000, 16_000), (69_680_000, 160_000), (696_800_000, 1_600_000)]);
        assert!(rows.iter().all(|row| (row[5] - 435.5).abs() < 1e-9));
    }

    #[test]
    fn the_handshake_of_the_rfc() {
        assert_eq!(HANDSHAKE.map(str::len), [230, 159]);
    }

    #[test]
    fn the_fair_figures() {
        let rows = numbers(&fair().tables[0]);
        assert_eq!((rows[4][0] as u64, rows[4][1] as u64), (1086, 127));
        assert_eq!((rows[6][0] as u64, rows[6][1] as u64), (1130, 149));
        assert_eq!(
            (format!("{:.2}", rows[4][2]), format!("{:.2}", rows[6][2])),
            ("8.55".into(), "7.58".into())
        );
    }
}
