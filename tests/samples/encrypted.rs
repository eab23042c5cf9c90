//! `WebSockets` within TLS, by real programs: with the keys exactly what the programs said is decoded,
//! whichever way the bytes are cut and wherever the keys are; without them nothing is made up.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Cursor;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;
use wstool::decoder::{Beginning, Decoder};
use wstool::input::{self, Input, PcapNgWriter};
use wstool::model::{At, FlowId, Packet, Receipt, Side, StreamEnd, Time};
use wstool::pipeline::{self, Means};
use wstool::render::json::Json;
use wstool::render::{Options, Tree};
use wstool::synth::rewrite;
use wstool::tls::Secrets;

use crate::healthy::{packets_of, pcap};
use crate::poorer::is_to_server;
use crate::shelf::{encrypted, of, records_of, root};

/// What was recorded, and what the programs' own logs say.
pub(crate) struct Recorded {
    pub(crate) name: String,
    version: String,
    suite: String,
    pub(crate) capture: Vec<u8>,
    pub(crate) keys: Vec<u8>,
    pub(crate) connections: Vec<[Vec<Message>; 2]>,
}

/// A message: text, or bytes in hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Text(String),
    Binary(String),
}

/// Those that `RECORDED` names are others: `samples/record/tls/record.sh matrix`.
pub(crate) fn recorded() -> Vec<Recorded> {
    let folder = std::env::var_os("RECORDED").map_or_else(|| root().join("tls"), PathBuf::from);
    let truth = fs::read_to_string(folder.join("truth.json")).expect("there");
    let truth: Vec<Value> = serde_json::from_str(&truth).expect("JSON");
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let message = |value: &Value| match (value["text"].as_str(), value["hex"].as_str()) {
        (Some(text), _) => Message::Text(text.to_owned()),
        (None, Some(hex)) => Message::Binary(hex.to_owned()),
        (None, None) => {
            let times = value["times"].as_u64().expect("how often");
            Message::Text(text(&value["repeat"]).repeat(usize::try_from(times).expect("a few")))
        }
    };
    let said = |one: &Value, side: &str| one[side].as_array().expect("a list").iter().map(message).collect();
    truth
        .iter()
        .map(|one| Recorded {
            name: text(&one["file"]),
            version: format!("TLS {}", text(&one["version"])),
            suite: text(&one["suite"]),
            capture: fs::read(folder.join(text(&one["file"]))).expect("there"),
            keys: fs::read(folder.join(text(&one["keys"]))).expect("there"),
            connections: one["connections"]
                .as_array()
                .expect("a list")
                .iter()
                .map(|one| ["client", "server"].map(|side| said(one, side)))
                .collect(),
        })
        .collect()
}

/// What is decoded of a capture with a key log.
pub(crate) fn decoded(capture: &[u8], keys: &[u8]) -> Vec<Value> {
    let mut secrets = Secrets::default();
    let bad = secrets.read(keys);
    assert!(bad.is_empty(), "{bad:?}");
    let mut json = Json::lines(Vec::new(), 1 << 20);
    let input = input::open(Box::new(Cursor::new(capture.to_vec())), "capture").expect("a capture");
    let means = Means { secrets: Arc::new(secrets), ..Means::default() };
    let outcome = pipeline::run_with(means, input, &mut json, &mut |_| {});
    assert!(outcome.error.is_none(), "{:?}", outcome.error);
    let lines = String::from_utf8(json.finish().expect("memory takes it")).expect("UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// Messages of each connection, in order, by side.
pub(crate) fn said(records: &[Value]) -> Vec<[Vec<Message>; 2]> {
    let mut all: Vec<(u64, [Vec<Message>; 2])> = Vec::new();
    for record in of(records, "message") {
        let message = match (record["kind"].as_str(), record["text"].as_str()) {
            (Some("text"), Some(text)) => Message::Text(text.to_owned()),
            (Some("binary"), _) => Message::Binary(hex(record["base64"].as_str().expect("bytes"))),
            _ => continue,
        };
        let conn = record["conn"].as_u64().expect("a number");
        let place = all.iter().position(|(known, _)| *known == conn).unwrap_or_else(|| {
            all.push((conn, Default::default()));
            all.len() - 1
        });
        all[place].1[usize::from(record["dir"] == "server")].push(message);
    }
    all.into_iter().map(|(_, sides)| sides).collect()
}

fn hex(base64: &str) -> String {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(base64).expect("Base64");
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a string takes all");
        hex
    })
}

/// The packets of a capture, as pcapng with the keys in front.
fn twin(capture: &[u8], keys: &[u8]) -> Vec<u8> {
    let Ok(Input::Capture(mut packets)) = input::open(Box::new(Cursor::new(capture.to_vec())), "capture")
    else {
        panic!("a capture")
    };
    let mut writer = PcapNgWriter::new(Vec::new(), "a test").expect("memory takes it");
    writer.secrets(keys).expect("memory takes it");
    while let Some(Ok(packet)) = packets.next() {
        writer.packet(&packet, &[]).expect("memory takes it");
    }
    writer.finish().expect("memory takes it")
}

#[test]
fn with_the_keys_exactly_what_the_programs_said_is_decoded() {
    let all = recorded();
    assert!(all.len() >= 50, "{}", all.len());
    let mut wrong = Vec::new();
    for it in &all {
        let records = decoded(&it.capture, &it.keys);
        if said(&records) != it.connections {
            wrong.push(format!("{}: {:?}", it.name, of(&records, "finding")));
            continue;
        }
        // What is said of TLS is what was agreed.
        let text = records.iter().map(Value::to_string).collect::<String>();
        assert!(text.contains(&it.version) && text.contains(&it.suite), "{}: {}", it.name, it.suite);
        assert!(!is_told(&text, &it.keys), "{}: a secret is told", it.name);
        for finding in of(&records, "finding") {
            let rule = finding["rule"].as_str().expect("an id");
            assert!(!rule.starts_with("tls-not") && rule != "tls-secret-missing", "{}: {rule}", it.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Whether a secret of a key log stands in what is told.
fn is_told(text: &str, keys: &[u8]) -> bool {
    let keys = String::from_utf8_lossy(keys);
    keys.lines().filter_map(|line| line.split(' ').nth(2)).any(|secret| text.contains(secret))
}

#[test]
fn keys_within_the_capture_do_as_well() {
    for it in recorded() {
        assert_eq!(said(&records_of(&twin(&it.capture, &it.keys))), it.connections, "{}", it.name);
    }
    let mut stored = 0;
    for sample in encrypted().iter().filter(|sample| sample.name.ends_with("-dsb.pcapng")) {
        stored += 1;
        let of = sample.stem().trim_end_matches("-dsb");
        let it = recorded().into_iter().find(|it| it.name.starts_with(of)).expect("what it is the twin of");
        assert_eq!(said(&records_of(&sample.bytes())), it.connections, "{}", sample.name);
    }
    assert!(stored >= 2);
}

#[test]
fn without_the_keys_nothing_is_made_up() {
    for it in recorded() {
        let records = records_of(&it.capture);
        let summary = of(&records, "summary")[0];
        assert!(said(&records).is_empty() && of(&records, "frame").is_empty(), "{}", it.name);
        assert_eq!(summary["findings_by_severity"]["error"], 0, "{}", it.name);
        let others = summary["others"].as_array().expect("TLS was seen");
        assert_eq!(others.len(), 1, "{}: {others:?}", it.name);
        let other = &others[0];
        assert_eq!(
            (&other["protocol"], &other["server_name"], &other["version"], &other["connections"]),
            (&"tls".into(), &"chat.example".into(), &it.version.into(), &it.connections.len().into()),
        );
        for side in ["client", "server"] {
            let records = &other["encrypted"][side];
            assert!(records["records"].as_u64() >= Some(5), "{}: {other}", it.name);
            assert!(records["least"].as_u64() <= records["most"].as_u64(), "{}: {other}", it.name);
        }
        assert_eq!(other["encrypted"]["perhaps_websocket"], 0, "they live for milliseconds");
    }
}

/// The same bytes, a thousand times slower: as somebody chats.
#[test]
fn what_may_be_a_websocket_is_a_guess_and_says_so() {
    let it = recorded().into_iter().find(|it| it.name == "tls13-node.pcapng").expect("recorded");
    let mut writer = PcapNgWriter::new(Vec::new(), "a test").expect("memory takes it");
    let Ok(Input::Capture(mut packets)) = input::open(Box::new(Cursor::new(it.capture)), "capture") else {
        panic!("a capture")
    };
    let mut first = None;
    while let Some(Ok(packet)) = packets.next() {
        let began = *first.get_or_insert(packet.time.0);
        let time = Time(began + (packet.time.0 - began) * 1000);
        writer.packet(&Packet { time, ..packet }, &[]).expect("memory takes it");
    }
    let slow = writer.finish().expect("memory takes it");
    let records = records_of(&slow);
    let others = &of(&records, "summary")[0]["others"];
    assert_eq!(others[0]["encrypted"]["perhaps_websocket"], 1, "{others}");
    let mut tree = Tree::new(Vec::new(), Options::default());
    let input = input::open(Box::new(Cursor::new(slow)), "slow").expect("a capture");
    pipeline::run(input, &mut tree, &mut |_| {});
    let said = String::from_utf8(tree.finish().expect("memory takes it")).expect("UTF-8");
    assert!(said.contains("a guess: a WebSocket (1 of 1)"), "{said}");
}

/// The first packets of QUIC are nobody's secret: Chromium's hello comes in two datagrams.
#[test]
fn quic_is_named() {
    let path = root().join("tls/quic-chromium.pcap");
    let records = records_of(&fs::read(path).expect("there"));
    let others = &of(&records, "summary")[0]["others"];
    let other = &others[0];
    assert_eq!(others.as_array().map(Vec::len), Some(1), "{others}");
    assert_eq!(
        (&other["protocol"], &other["server_name"], &other["server"], &other["version"], &other["alpn"]),
        (
            &"quic".into(),
            &"chat.example".into(),
            &"127.0.0.1:8443".into(),
            &"QUIC".into(),
            &serde_json::json!(["h3"])
        ),
    );
}

/// A key log of another connection, and one that lacks a line, are no reason to make something up either.
#[test]
fn wrong_and_partial_key_logs_are_told() {
    let all = recorded();
    let named = |name: &str| all.iter().find(|it| it.name.starts_with(name)).expect("recorded");
    let (it, other) = (named("tls13-aes256-gcm"), named("tls13-node"));
    let records = decoded(&it.capture, &other.keys);
    assert!(said(&records).is_empty());
    assert!(of(&records, "finding").iter().any(|it| it["rule"] == "tls-secret-missing"), "{records:?}");
    let keys = String::from_utf8(it.keys.clone()).expect("UTF-8");
    let lacking: String = keys
        .lines()
        .filter(|line| !line.starts_with("SERVER_TRAFFIC_SECRET_0"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let records = decoded(&it.capture, lacking.as_bytes());
    let missing = of(&records, "finding").into_iter().find(|it| it["rule"] == "tls-secret-missing");
    assert!(missing.expect("it is told").to_string().contains("SERVER_TRAFFIC_SECRET_0"));
}

/// Where the secrets of one direction are there, that direction is read as if it had been captured alone, and
/// nothing is said of what the other may have said.
#[test]
fn half_a_key_log_is_half_a_conversation() {
    let mut halves = 0;
    for it in recorded().iter().filter(|it| it.version == "TLS 1.3") {
        let keys = String::from_utf8(it.keys.clone()).expect("UTF-8");
        let whole = decoded(&it.capture, &it.keys);
        let rules = |records: &[Value], kind: &str, key: &str| -> BTreeSet<String> {
            let named = |record: &Value| record[key].as_str().expect("a name").to_owned();
            of(records, kind).into_iter().map(named).collect()
        };
        for (place, lost) in ["CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0"].into_iter().enumerate() {
            let lines = keys.lines().filter(|line| !line.starts_with(lost));
            let lacking: String = lines.flat_map(|line| [line, "\n"]).collect();
            let half = decoded(&it.capture, lacking.as_bytes());
            let at = format!("{} without {lost}", it.name);
            for (kind, key) in [("finding", "rule"), ("cause", "id")] {
                let mut known = rules(&whole, kind, key);
                // The second where the connection was shown before: early data has keys of its own.
                known.extend(["tls-secret-missing", "tls-records-lost"].map(str::to_owned));
                let said = rules(&half, kind, key);
                assert!(said.is_subset(&known), "{at}: {said:?}");
            }
            let (said, all) = (said(&half), said(&whole));
            // A session of polls needs both.
            if said.is_empty() {
                continue;
            }
            halves += 1;
            for (said, all) in said.iter().zip(&all) {
                assert!(said[place].is_empty(), "{at}: {said:?}");
                assert_eq!(said[1 - place], all[1 - place], "{at}");
            }
        }
    }
    assert!(halves >= 10, "{halves}");
}

/// Whether the packet at this place is wanted.
type Wanted = dyn Fn(usize, &Packet<'_>) -> bool;

/// The packets of a capture that are wanted, each with its place among them.
fn only(capture: &[u8], wanted: impl Fn(usize, &Packet<'_>) -> bool) -> Vec<u8> {
    let Ok(Input::Capture(mut packets)) = input::open(Box::new(Cursor::new(capture.to_vec())), "capture")
    else {
        panic!("a capture")
    };
    let mut writer = PcapNgWriter::new(Vec::new(), "a test").expect("memory takes it");
    let mut place = 0;
    while let Some(Ok(packet)) = packets.next() {
        if wanted(place, &packet) {
            writer.packet(&packet, &[]).expect("memory takes it");
        }
        place += 1;
    }
    writer.finish().expect("memory takes it")
}

/// Whether a packet has the hello of a client, behind whatever headers.
fn has_hello(packet: &[u8]) -> bool {
    packet.windows(11).any(|it| matches!(it, [22, 3, 1, _, _, 1, 0, _, _, 3, 3]))
}

/// What is left of TLS without its client's hello is known by its records, with keys or without; and nothing
/// is said of it that is not so.
#[test]
fn without_its_hello_tls_is_named_and_that_no_key_opens_it() {
    let (mut joined, mut servers) = (0, 0);
    for it in recorded() {
        let ways: [(&str, Box<Wanted>); 3] = [
            ("from the middle on", Box::new(|place, _| place >= 12)),
            ("the server alone", Box::new(|_, packet| is_to_server(packet.data) == Some(false))),
            ("without hellos", Box::new(|_, packet| !has_hello(packet.data))),
        ];
        for (way, wanted) in ways {
            let capture = only(&it.capture, wanted);
            let with_keys = decoded(&capture, &it.keys);
            // In TLS 1.3 a server's records tell whose secrets they are.
            if it.version == "TLS 1.3" && way == "the server alone" {
                servers += 1;
                let (said, all) = (said(&with_keys), said(&decoded(&it.capture, &it.keys)));
                let of_servers = |said: &[[Vec<Message>; 2]]| -> Vec<Vec<Message>> {
                    said.iter().map(|[_, server]| server.clone()).collect()
                };
                assert_eq!(of_servers(&said), of_servers(&all), "{}, {way}", it.name);
            }
            let is_read = |records: &[Value]| of(records, "summary")[0]["connections"] != 0;
            for records in [with_keys, records_of(&capture)] {
                if way == "the server alone" && is_read(&records) {
                    continue;
                }
                let summary = of(&records, "summary")[0];
                let at = format!("{}, {way}: {summary}", it.name);
                let blamed = ["error", "warning"].map(|severity| &summary["findings_by_severity"][severity]);
                let others = summary["others"].as_array().map(Vec::as_slice).unwrap_or_default();
                assert!(others.iter().any(|other| other["protocol"] == "tls"), "{at}");
                let is_joined = others.iter().any(|other| other["hello"] == false);
                joined += usize::from(is_joined);
                if is_joined && summary["connections"] == 0 {
                    assert!(said(&records).is_empty(), "{at}");
                    // What is missing is no one's fault.
                    let holes = of(&records, "finding").iter().filter(|it| it["who"] != "capture").count();
                    assert_eq!(holes, 0, "{at} {blamed:?}");
                    assert_eq!(others[0]["encrypted"]["perhaps_websocket"], 0, "{at}");
                }
            }
        }
    }
    assert!(joined >= 150 && servers >= 10, "{joined} {servers}");
}

/// Early data of a client whose server was not captured: that the client says that it was all shows that it
/// was taken.
#[test]
fn early_data_of_a_client_alone_is_read() {
    let it = recorded().into_iter().find(|it| it.name.starts_with("tls13-early-data")).expect("recorded");
    let clients = |capture: &[u8], keys: &[u8]| -> Vec<Vec<Message>> {
        said(&decoded(capture, keys)).into_iter().map(|[client, _]| client).collect()
    };
    let alone = only(&it.capture, |_, packet| is_to_server(packet.data) == Some(true));
    assert_eq!(clients(&alone, &it.keys), clients(&it.capture, &it.keys));
    let keys = String::from_utf8(it.keys.clone()).expect("UTF-8");
    let lines = keys.lines().filter(|line| !line.starts_with("CLIENT_EARLY"));
    let lacking: String = lines.flat_map(|line| [line, "\n"]).collect();
    assert_eq!(clients(&alone, lacking.as_bytes()).len(), 1, "the request was early data");
}

/// What a key log does not open is not said to have been a handshake alone, and what it opens not to be
/// encrypted.
#[test]
fn what_was_read_is_told_from_what_was_not() {
    let it = recorded().into_iter().find(|it| it.name.starts_with("tls13-aes256-gcm")).expect("recorded");
    let wrong = String::from_utf8(it.keys.clone()).expect("UTF-8");
    let wrong: String = wrong.lines().flat_map(|line| [&line[..line.len() - 2], "00\n"]).collect();
    let records = decoded(&it.capture, wrong.as_bytes());
    let other = &of(&records, "summary")[0]["others"][0];
    assert_eq!((&other["deciphered"], other["encrypted"].is_object()), (&false.into(), true), "{other}");
}

/// The same bytes in pieces of at most so many, whatever packets they came in.
fn in_pieces(it: &Recorded, most: usize) -> Vec<Value> {
    let mut secrets = Secrets::default();
    secrets.read(&it.keys);
    let mut json = Json::lines(Vec::new(), 1 << 20);
    let mut decoder = Decoder::new(&mut json).with_secrets(Arc::new(secrets));
    let Ok(Input::Capture(mut packets)) = input::open(Box::new(Cursor::new(it.capture.clone())), "capture")
    else {
        panic!("a capture")
    };
    // Client ports, in the order in which they are first seen.
    let mut ports: Vec<u16> = Vec::new();
    while let Some(Ok(packet)) = packets.next() {
        // Ethernet, IPv4 and TCP, as the loopback interface has them.
        let ip = &packet.data[14..];
        let total = usize::from(u16::from_be_bytes([ip[2], ip[3]]));
        let tcp = &ip[usize::from(ip[0] & 15) * 4..total];
        let [from, to] = [0, 2].map(|at| u16::from_be_bytes([tcp[at], tcp[at + 1]]));
        let side = if to == 8443 { Side::A } else { Side::B };
        let port = if to == 8443 { from } else { to };
        let known = ports.iter().position(|known| *known == port);
        let number = known.unwrap_or(ports.len());
        let flow = FlowId(u32::try_from(number).expect("a few"));
        if known.is_none() {
            ports.push(port);
            let ends = [(Ipv4Addr::LOCALHOST, port).into(), (Ipv4Addr::LOCALHOST, 8443).into()];
            decoder.open(flow, &Beginning::opened(ends));
        }
        let mut at = At { time: Some(packet.time), packet: packet.number, byte: 0 };
        for piece in tcp[usize::from(tcp[12] >> 4) * 4..].chunks(most) {
            decoder.data(flow, side, piece, at);
            at.byte += u32::try_from(piece.len()).expect("a segment");
        }
    }
    for number in 0..ports.len() {
        let flow = FlowId(u32::try_from(number).expect("a few"));
        assert!(decoder.close(flow, StreamEnd::Capture, None).is_continue());
    }
    decoder.finish();
    let lines = String::from_utf8(json.finish().expect("memory takes it")).expect("UTF-8");
    lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn any_segmentation_will_do() {
    let kinds = [
        "key-update.",
        "hello-retry",
        "resumption",
        "early-data",
        "small",
        "padded",
        "chromium",
        "aes128-sha",
    ];
    let mut count = 0;
    for it in recorded().iter().filter(|it| kinds.iter().any(|kind| it.name.contains(kind))) {
        count += 1;
        for most in [1, 5, 1000] {
            assert_eq!(said(&in_pieces(it, most)), it.connections, "{} in pieces of {most}", it.name);
        }
    }
    assert!(count > 8, "{count}");
}

/// The rules that somebody is said to have broken.
fn faults(records: &[Value]) -> BTreeSet<String> {
    let blames = |finding: &&&Value| finding["severity"] != "note" && !finding["who"].is_null();
    of(records, "finding").iter().filter(blames).map(|finding| finding["rule"].to_string()).collect()
}

/// Of a record that is lost nobody knows how much content it had, where the cipher pads it: what comes behind
/// is not taken for frames that are not there, and nobody is blamed.
#[test]
fn lost_records_make_no_frames_and_no_faults() {
    let kinds = ["small-records.pcap", "padded.pcap", "rsa-aes128-sha.pcap", "sha384-mac-then-encrypt.pcap"];
    let all = recorded();
    let mut lost_records = 0;
    for sample in encrypted().iter().filter(|sample| kinds.iter().any(|kind| sample.name.ends_with(kind))) {
        let it = all.iter().find(|it| sample.name.ends_with(&it.name)).expect("it was recorded");
        let known = faults(&decoded(&it.capture, &it.keys));
        let packets = rewrite::cut(&packets_of(sample).expect("a capture of Ethernet"), 200);
        for lost in 0..packets.len() {
            let left: Vec<_> = [&packets[..lost], &packets[lost + 1..]].concat();
            let records = decoded(&pcap(&left, 1 << 16), &it.keys);
            let at = format!("{} without packet {lost}", it.name);
            let whole: Vec<_> = records.iter().filter(|it| it["complete"] == true).cloned().collect();
            for (found, sent) in said(&whole).iter().flatten().zip(it.connections.iter().flatten()) {
                assert!(found.iter().all(|message| sent.contains(message)), "{at}: {found:?}");
            }
            lost_records += usize::from(records.iter().any(|it| it["rule"] == "tls-records-lost"));
            assert!(faults(&records).is_subset(&known), "{at}: {:?}", faults(&records));
        }
    }
    assert!(lost_records > 50, "{lost_records}");
}

/// A server refuses the hello with an alert: that is told, whoever of the two ends TCP first.
#[test]
fn a_refused_hello_is_told_whoever_ends_first() {
    let it =
        recorded().into_iter().find(|it| it.name.starts_with("tls12-rsa-aes128-sha.")).expect("recorded");
    let Ok(Input::Capture(mut packets)) = input::open(Box::new(Cursor::new(it.capture)), "capture") else {
        panic!("a capture")
    };
    let hello = std::iter::from_fn(|| packets.next()?.ok().map(|packet| packet.data.to_vec()))
        .find(|packet| has_hello(packet))
        .expect("a hello");
    let hello = &hello[hello.windows(3).position(|it| it == [22, 3, 1]).expect("a record")..];
    for first in [Side::A, Side::B] {
        let mut json = Json::lines(Vec::new(), 1 << 20);
        let mut decoder = Decoder::new(&mut json);
        let ends = [(Ipv4Addr::LOCALHOST, 50_000).into(), (Ipv4Addr::LOCALHOST, 8443).into()];
        decoder.open(FlowId(0), &Beginning::opened(ends));
        decoder.data(FlowId(0), Side::A, hello, At::default());
        decoder.data(FlowId(0), Side::B, &[21, 3, 3, 0, 2, 2, 40], At::default());
        for side in [first, first.other()] {
            decoder.end(FlowId(0), side, StreamEnd::Fin, Receipt::default(), At::default());
        }
        assert!(decoder.close(FlowId(0), StreamEnd::Fin, None).is_continue());
        decoder.finish();
        let told = String::from_utf8(json.finish().expect("memory takes it")).expect("UTF-8");
        let rules: Vec<_> = told.lines().filter(|line| line.contains(r#""type":"finding""#)).collect();
        assert!(matches!(rules[..], [rule] if rule.contains(r#""tls-alert""#)), "{first:?}: {rules:?}");
    }
}
