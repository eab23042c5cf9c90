//! HTTP/2 however it is cut, over TCP or inside of something else, and whatever is broken about it.
use std::fs;
use std::path::Path;

use etherparse::{SlicedPacket, TransportSlice};
use serde_json::Value;
use wstool::decoder::{Beginning, Decoder};
use wstool::model::{At, FlowId, Layer, Side, Time};
use wstool::render::json::Json;

use crate::run::packets;

/// What the endpoints of a sample say, in its order.
fn said(sample: &str) -> Vec<(Side, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(sample);
    let script = fs::read_to_string(path).expect("a sample");
    let mut said: Vec<(Side, Vec<u8>)> = Vec::new();
    for (_, packet) in packets(&script) {
        let sliced = SlicedPacket::from_ethernet(&packet).expect("it was made");
        let Some(TransportSlice::Tcp(tcp)) = sliced.transport else { continue };
        let side = if tcp.destination_port() == 80 { Side::A } else { Side::B };
        if !tcp.payload().is_empty() {
            said.push((side, tcp.payload().to_vec()));
        }
    }
    said
}

/// The records of a connection that says so, in pieces of `size` bytes.
fn decoded(said: &[(Side, Vec<u8>)], size: usize, layer: Layer) -> Vec<Value> {
    let mut decoder = Decoder::new(Json::lines(Vec::new(), 1 << 20));
    let endpoints = ["192.0.2.10:49152", "192.0.2.80:80"].map(|end| end.parse().expect("an address"));
    decoder.open(FlowId(0), &Beginning { layer, ..Beginning::opened(endpoints) });
    for (n, (side, bytes)) in said.iter().enumerate() {
        for piece in bytes.chunks(size) {
            let at = At { time: Some(Time(n as u64 * 1_000_000)), ..At::default() };
            decoder.data(FlowId(0), *side, piece, at);
        }
    }
    let (json, _) = decoder.finish();
    let lines = String::from_utf8(json.finish().expect("memory takes it")).expect("UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn texts(records: &[Value]) -> Vec<String> {
    let messages = records.iter().filter(|record| record["type"] == "message" && record["kind"] == "text");
    messages.map(|record| format!("{} {} {}", record["conn"], record["dir"], record["text"])).collect()
}

#[test]
fn any_pieces_give_the_same_units() {
    for sample in
        ["clean/http2.script", "broken/h2-continuation-flood.script", "broken/h2-padding-too-long.script"]
    {
        let said = said(sample);
        let whole = decoded(&said, usize::MAX, Layer::Stream);
        assert!(texts(&whole).len() >= 2, "{sample}");
        for size in [1, 2, 5, 9, 100] {
            assert_eq!(decoded(&said, size, Layer::Stream), whole, "{sample}: {size}");
        }
    }
}

#[test]
fn it_is_the_same_inside_of_what_was_deciphered() {
    let said = said("clean/http2.script");
    let [plain, inside] = [Layer::Stream, Layer::Decrypted].map(|layer| decoded(&said, usize::MAX, layer));
    assert_eq!(texts(&plain), texts(&inside));
    assert_eq!(plain.len(), inside.len());
}

/// Wherever it is cut, nothing is invented: messages are the first of those of the whole.
#[test]
fn what_is_cut_off_anywhere_keeps_what_came_before() {
    let said = said("clean/http2.script");
    let whole = texts(&decoded(&said, usize::MAX, Layer::Stream));
    let total: usize = said.iter().map(|(_, bytes)| bytes.len()).sum();
    for cut in (0..total.min(2200)).step_by(3) {
        let mut left = cut;
        let part: Vec<(Side, Vec<u8>)> = said
            .iter()
            .map(|(side, bytes)| {
                let bytes = bytes[..bytes.len().min(left)].to_vec();
                left -= bytes.len();
                (*side, bytes)
            })
            .collect();
        let got: Vec<String> = texts(&decoded(&part, usize::MAX, Layer::Stream));
        let complete: Vec<&String> = got.iter().filter(|text| whole.contains(text)).collect();
        assert!(complete.len() + 1 >= got.len(), "{cut}: {got:?}");
    }
}

/// An HPACK bomb, and a flood of streams: memory stays where it is.
#[test]
fn memory_is_bounded() {
    let mut decoder = Decoder::new(Json::lines(std::io::sink(), 256));
    let endpoints = ["192.0.2.10:49152", "192.0.2.80:80"].map(|end| end.parse().expect("an address"));
    decoder.open(FlowId(0), &Beginning::opened(endpoints));
    let mut send = |bytes: &[u8]| decoder.data(FlowId(0), Side::A, bytes, At::default());
    send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    let frame = |kind: u8, flags: u8, stream: u32, payload: &[u8]| {
        let [_, a, b, c] = (payload.len() as u32).to_be_bytes();
        [&[a, b, c, kind, flags][..], &stream.to_be_bytes(), payload].concat()
    };
    send(&frame(4, 0, 0, b""));
    // Streams that are never answered, with a large entry for the table each.
    let entry = [&b"\x82\x86\x84\x40\x01x\x7f\xa1\x1e"[..], &[b'v'; 4000]].concat();
    for n in 0..6000 {
        send(&frame(1, 4, 2 * n + 1, &entry));
    }
    // A block without end.
    send(&frame(1, 0, 20_001, b"\x82"));
    for _ in 0..1000 {
        send(&frame(9, 0, 20_001, &[0xBE; 16_000]));
    }
    assert!(decoder.held() < 4 << 20, "{}", decoder.held());
}

/// A flood on a connection without any WebSocket: it is told as what it is, and once.
#[test]
fn a_flood_is_told_where_no_websocket_is_open() {
    let begin = "client h2 preface more\nclient h2 settings\nserver h2 settings more\n\
                 server h2 settings ack\nclient h2 settings ack\n";
    let floods = [
        ("client h2 ping \"12345678\" times=2200\n", "h2-control-flood"),
        ("client h2 settings times=1100\n", "h2-control-flood"),
        ("client h2 headers stream=1 end-stream 82 86 84 times=1100 reset\n", "h2-rapid-reset"),
        (
            "client h2 headers stream=1 no-end-headers 82 86 84\n\
             client h2 continuation stream=1 no-end-headers \"x: y\" times=99\n\
             client h2 continuation stream=1 \"x: y\"\n",
            "h2-continuation-flood",
        ),
        ("client h2 ping \"12345678\" times=90\n", ""),
    ];
    for (flood, rule) in floods {
        let records = crate::run::decode(&crate::run::pcapng(&packets(&format!("{begin}{flood}")))).records;
        let found: Vec<&Value> = records.iter().filter(|it| it["type"] == "finding").collect();
        let rules: Vec<&str> = found.iter().filter_map(|it| it["rule"].as_str()).collect();
        assert_eq!(rules, if rule.is_empty() { vec![] } else { vec![rule] }, "{flood}");
        let summary = records.last().expect("a summary");
        assert_eq!(
            (&summary["connections"], &summary["others"][0]["protocol"]),
            (&0.into(), &"http2".into())
        );
        assert!(
            found.iter().all(|it| it["got"].as_str().is_some_and(|got| got.contains(":80: "))),
            "{found:?}"
        );
    }
}
