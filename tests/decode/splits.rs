//! However the same bytes are cut, carried and handed over, the same frames and
//! messages come out.
//!
//! Conversations are made by chance, put into TCP by `synth`, and carried
//! otherwise by `synth::rewrite`. Only what the carriage itself decides may
//! differ: packet numbers, times, and findings about either.
use std::io::Cursor;

use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;
use wstool::model::{CloseCode, Dir, LengthForm, Opcode, Time};
use wstool::synth::Rng;
use wstool::synth::conversation::{self, Content, Piece, Send, Step};
use wstool::synth::frames::{Masking, Message, Shape};
use wstool::synth::handshake::{Request, Response};
use wstool::synth::rewrite::{self, Packet};
use wstool::synth::tcp::{Delivery, Ends};
use wstool::synth::wrap::{Wrap, wrap};

use crate::run::{Pieces, decode, digits, packets, pcap, play, read};

/// Findings about time or packets, not about the bytes.
const CARRIAGE: &[&str] =
    &["pong-slow", "close-answer-slow", "open-after-violation", "packet-truncated", "bad-tcp-checksum"];

/// Findings about what one endpoint did after the other: when segments overtake
/// each other, the order between the two directions is another one.
const BETWEEN: &[&str] = &[
    "unsolicited-pong",
    "pong-payload-mismatch",
    "ping-not-answered",
    "close-not-answered",
    "close-code-not-echoed",
];

/// What must stay the same: heads, frames and messages, without their carriage.
fn essence(records: &[Value]) -> Vec<Value> {
    let mut kept = Vec::new();
    for record in records {
        if !matches!(
            record["type"].as_str(),
            Some("http" | "opening" | "frame" | "message" | "gap" | "connection")
        ) {
            continue;
        }
        let mut record = record.clone();
        let object = record.as_object_mut().expect("a record is an object");
        object.remove("time");
        object.remove("packets");
        // What TCP says is about the carriage.
        object.remove("tcp");
        if let Some(Value::Array(findings)) = object.get_mut("findings") {
            findings.retain(|id| !CARRIAGE.iter().any(|carriage| id == carriage));
        }
        kept.push(record);
    }
    kept
}

fn essence_of(packets: &[Packet]) -> Vec<Value> {
    essence(&decode(&pcap(packets)).records)
}

/// The same, each direction of each connection by itself: numbers that count both
/// directions are left out, and how much of the handshake was known at first.
fn each_direction(mut records: Vec<Value>) -> Vec<Value> {
    records.retain(|record| record["final"] != false);
    records.sort_by_key(|record| (record["conn"].as_u64(), record["dir"].as_str().map(str::to_owned)));
    for record in &mut records {
        let object = record.as_object_mut().expect("a record is an object");
        for key in ["n", "m", "frames"] {
            if !object.contains_key("final") {
                object.remove(key);
            }
        }
        if let Some(Value::Array(findings)) = object.get_mut("findings") {
            findings.retain(|id| !BETWEEN.iter().any(|between| id == between));
        }
    }
    records
}

/// Fails with the first difference, in few words.
fn same(expected: &[Value], got: &[Value], how: &str) -> Result<(), TestCaseError> {
    for (at, (expected, got)) in expected.iter().zip(got).enumerate() {
        if expected != got {
            let (a, b) = (expected.as_object().expect("an object"), got.as_object().expect("an object"));
            let other = a.iter().find(|(key, value)| b.get(*key) != Some(value));
            let other = other.map(|(key, value)| format!("{key} is {:?}, was {value}", b.get(key)));
            return Err(TestCaseError::fail(format!(
                "{how}: record {at}, a {}: {other:?}",
                expected["type"]
            )));
        }
    }
    prop_assert_eq!(expected.len(), got.len(), "{}", how);
    Ok(())
}

/// A packet as rows of sixteen bytes: groups of two as tcpdump prints them, or of one as tshark does.
fn printed(packet: &[u8], in_words: bool) -> String {
    use std::fmt::Write;
    let mut text = String::new();
    for (row, bytes) in packet.chunks(16).enumerate() {
        let group = if in_words { 2 } else { 1 };
        let groups: Vec<String> = bytes.chunks(group).map(|group| digits(group, "", "")).collect();
        let shown: String =
            bytes.iter().map(|&b| if (0x20..0x7F).contains(&b) { char::from(b) } else { '.' }).collect();
        let line = if in_words {
            format!("\t0x{:04x}:  {:39}  {shown}", 16 * row, groups.join(" "))
        } else {
            format!("{:04x}  {:47}   {shown}", 16 * row, groups.join(" "))
        };
        writeln!(text, "{line}").expect("memory takes it");
    }
    text
}

fn tunnel() -> impl Strategy<Value = Wrap> {
    (1..4000u16).prop_flat_map(|n| prop::sample::select(Wrap::all(n)))
}

/// Connections between the same addresses and ports in several networks are told apart.
#[test]
fn the_same_addresses_in_two_networks_are_two_connections() {
    let steps =
        |n: u8| {
            let mut steps = vec![Step::Connect(Ends::default())];
            steps.extend(Step::handshake(Request::default(), Response::default()));
            steps.extend((0..5).map(|i| {
                Step::message(Dir::Client, Message::new(Opcode::TEXT, format!("message {i} of {n}")))
            }));
            steps
        };
    let traffic: Vec<_> = (0..3).map(|n| play(&steps(n), 10 + u64::from(n))).collect();
    for wraps in [
        [Wrap::Vlan(7), Wrap::Vlan(8), Wrap::QinQ(7, 8)],
        [Wrap::Vxlan(5000), Wrap::Vxlan(5001), Wrap::Geneve(5000)],
        [Wrap::Gre(Some(1)), Wrap::Nvgre(1), Wrap::Erspan(2, 1)],
    ] {
        let mut all: Vec<Packet> = Vec::new();
        for (packets, by) in traffic.iter().zip(wraps) {
            // A handshake is over before the next begins; the messages are not.
            let later = all.first().map_or(0, |_| 1_200_000 * (all.len() / packets.len()) as u64);
            all.extend(packets.iter().map(|(time, frame)| (Time(time.0 + later), wrap(frame, by))));
        }
        let begins = |by: usize| all[by * all.len() / 3].0;
        assert!(
            begins(1) < all[all.len() / 3 - 1].0 && begins(2) < all[2 * all.len() / 3 - 1].0,
            "they overlap"
        );
        all.sort_by_key(|packet| packet.0);
        let essence = essence_of(&all);
        for (n, packets) in traffic.iter().enumerate() {
            let mut mine: Vec<Value> =
                essence.iter().filter(|record| record["conn"] == n + 1).cloned().collect();
            for record in &mut mine {
                record["conn"] = 1.into();
            }
            let expected = essence_of(packets);
            same(&expected, &mine, &format!("{:?}", wraps[n])).unwrap();
        }
    }
}

/// The same few cases each time; `PROPTEST_CASES` asks for more, `PROPTEST_RNG_SEED` for others.
fn config() -> ProptestConfig {
    let number = |name| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    ProptestConfig {
        cases: number("PROPTEST_CASES").unwrap_or(32) as u32,
        rng_seed: RngSeed::Fixed(number("PROPTEST_RNG_SEED").unwrap_or(1)),
        failure_persistence: None,
        max_shrink_time: 15_000,
        ..ProptestConfig::default()
    }
}

/// Packets that the snap length cut leave holes; what is left of them stands at its place.
#[test]
fn what_a_snap_length_leaves_of_a_payload_is_shown() {
    let script = "handshake path=/s\nserver text \"0123456789\" size=300 mss=100\nserver text \"after\"";
    let mut packets = packets(script);
    // 54 bytes of Ethernet, IPv4 and TCP; the handshake stays whole.
    packets.iter_mut().skip(7).for_each(|(_, packet)| packet.truncate(90));
    let records = decode(&pcap(&packets)).records;
    let of = |kind| records.iter().filter(move |record| record["type"] == kind);
    let sent = "0123456789".repeat(30);
    let kept = [&sent[..32], &sent[96..132], &sent[196..232], &sent[296..]].concat();
    let holes = serde_json::json!([[32, 64], [132, 64], [232, 64]]);
    let frame = of("frame").next().expect("the first frame");
    assert_eq!(frame["payload"], serde_json::json!({"text": kept, "holes": holes}));
    let message = of("message").next().expect("its message");
    assert_eq!((&message["text"], &message["holes"]), (&kept.into(), &holes));
    assert!(message.get("payload_truncated").is_none(), "{message}");
    assert_eq!(of("message").nth(1).map(|message| &message["text"]), Some(&"after".into()));
}

proptest! {
    #![proptest_config(config())]

    /// Cut in pieces of any size, down to one byte. A lone 00 may be a keep-alive probe and waits
    /// for what follows, so what one endpoint says can pass what the other does.
    #[test]
    fn cutting_changes_nothing(steps in conversation(), size in 1..40usize) {
        let packets = play(&steps, 1);
        let expected = each_direction(essence_of(&packets));
        let cut = |size| each_direction(essence_of(&rewrite::cut(&packets, size)));
        same(&expected, &cut(1), "bytes")?;
        same(&expected, &cut(size), "pieces")?;
    }

    /// Segments overtake each other within a window of eight.
    #[test]
    fn order_changes_nothing(steps in conversation(), size in 1..40usize, seed: u64) {
        let packets = play(&steps, 1);
        let expected = each_direction(essence_of(&packets));
        let mut rng = Rng::new(seed);
        let shuffled = essence_of(&rewrite::shuffle(&packets, 8, &mut rng));
        same(&expected, &each_direction(shuffled), "shuffled")?;
        let shuffled = essence_of(&rewrite::shuffle(&rewrite::cut(&packets, size), 8, &mut rng));
        same(&expected, &each_direction(shuffled), "cut and shuffled")?;
    }

    /// Segments arrive twice, or begin with bytes that were there before.
    #[test]
    fn repetition_changes_nothing(steps in conversation(), size in 1..40usize, seed: u64) {
        let packets = play(&steps, 1);
        let expected = each_direction(essence_of(&packets));
        let essence = |packets: &[Packet]| each_direction(essence_of(packets));
        let mut rng = Rng::new(seed);
        same(&expected, &essence(&rewrite::duplicate(&packets, 2, &mut rng)), "duplicated")?;
        let cut = rewrite::cut(&packets, size);
        same(&expected, &essence(&rewrite::duplicate(&cut, 3, &mut rng)), "cut and duplicated")?;
        same(&expected, &essence(&rewrite::overlap(&cut, 60, &mut rng)), "overlapping")?;
    }

    /// All of it at once.
    #[test]
    fn everything_at_once_changes_nothing(steps in conversation(), size in 1..20usize, seed: u64) {
        let packets = play(&steps, 1);
        let expected = each_direction(essence_of(&packets));
        let mut rng = Rng::new(seed);
        let overlapping = rewrite::overlap(&rewrite::cut(&packets, size), 9, &mut rng);
        let twice = rewrite::duplicate(&overlapping, 3, &mut rng);
        let shuffled = essence_of(&rewrite::shuffle(&twice, 8, &mut rng));
        same(&expected, &each_direction(shuffled), "everything")?;
    }

    /// VLANs and tunnels of every kind, one in another, what was captured in several of them, and each
    /// direction in another one.
    #[test]
    fn tunnels_change_nothing(steps in conversation(), one in tunnel(), other in tunnel()) {
        let packets = rewrite::cut(&play(&steps, 1), 1200);
        let expected = each_direction(essence_of(&packets));
        let essence_of = |packets: &[Packet]| each_direction(essence_of(packets));
        let within = |by: &dyn Fn(&Packet) -> Wrap| -> Vec<Packet> {
            packets.iter().map(|packet| (packet.0, wrap(&packet.1, by(packet)))).collect()
        };
        let wrapped = within(&|_| one);
        same(&expected, &essence_of(&wrapped), &format!("{one:?}"))?;
        if wrapped[0].1[12..14] == [8, 0] {
            let twice: Vec<_> = wrapped.iter().map(|(time, frame)| (*time, wrap(frame, other))).collect();
            same(&expected, &essence_of(&twice), &format!("{one:?} in {other:?}"))?;
        }
        let again = within(&|_| other);
        let mirrored = |all: [&[Packet]; 3]| -> Vec<Packet> {
            (0..packets.len()).flat_map(|i| all.map(|packets| packets[i].clone())).collect()
        };
        let mirrored = essence_of(&mirrored([&wrapped, &packets, &again]));
        same(&expected, &mirrored, &format!("also in {one:?} and {other:?}"))?;
        let parted = essence_of(&within(&|packet| if packet.1[11] == 1 { one } else { other }));
        same(&expected, &parted, &format!("{one:?} one way, {other:?} the other"))?;
    }

    /// Packets as `tcpdump -XX`, `tcpdump -X` and `tshark -x` print them.
    #[test]
    fn packets_printed_as_text_are_packets(steps in conversation()) {
        let packets = rewrite::cut(&play(&steps, 1), 1200);
        let expected = essence_of(&packets);
        let mut texts = [const { String::new() }; 3];
        for (n, (time, packet)) in packets.iter().enumerate() {
            let seconds = time.0 / 1_000_000_000 % 60;
            let fraction = time.0 % 1_000_000_000 / 1000;
            let summary = format!("00:00:{seconds:02}.{fraction:06} IP a > b: Flags [P.], length 9\n");
            let [whole, of_ip] = [&packet[..], &packet[14..]].map(|bytes| printed(bytes, true));
            texts[0].extend([&summary, &whole].map(String::as_str));
            texts[1].extend([&summary, &of_ip].map(String::as_str));
            let summary = format!("{:5} {n}.5 a → b TCP 60 80 → 81\n", n + 1);
            texts[2].extend([&summary, &printed(packet, false), "\n"]);
        }
        for text in texts {
            same(&expected, &essence(&decode(text.as_bytes()).records), "as text")?;
        }
    }

    /// A file, a slow pipe and hex text of the same bytes say the same.
    #[test]
    fn reading_in_pieces_changes_nothing(steps in conversation(), sizes in sizes(), from in dir()) {
        let file = pcap(&play(&steps, 1));
        let expected = decode(&file);
        let slow = read(Box::new(Pieces::new(&file, &sizes)));
        prop_assert!(expected.records == slow.records, "a slow pipe");

        // One direction's bytes, without the handshake.
        let mut rng = Rng::new(2);
        let mut raw = Vec::new();
        conversation::pieces(&steps, &mut |b| rng.fill(b), &mut |sender, piece| match piece {
            Piece::Frame(frame) if sender == from => frame.write(&mut raw),
            Piece::Raw(bytes) if sender == from => raw.extend(bytes),
            _ => {}
        });
        // What begins with text is text.
        raw.splice(..0, *b"\x8A\x00");
        let whole = decode(&raw);
        let slow = read(Box::new(Pieces::new(&raw, &sizes)));
        same(&essence(&whole.records), &essence(&slow.records), "raw")?;
        prop_assert_eq!(whole.findings(), slow.findings());

        let text = digits(&raw, "", "");
        let hex = read(Box::new(Cursor::new(text.into_bytes())));
        same(&essence(&whole.records), &essence(&hex.records), "hex")?;
        let lines: Vec<String> = raw.chunks(16).map(|row| digits(row, "", " ")).collect();
        let hex = read(Box::new(Pieces::new(lines.join("\n").as_bytes(), &sizes)));
        same(&essence(&whole.records), &essence(&hex.records), "rows of hex")?;
    }
}

fn sizes() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![Just(1usize), 1..20usize, 100..70_000usize], 1..8)
}

fn dir() -> impl Strategy<Value = Dir> {
    prop_oneof![Just(Dir::Client), Just(Dir::Server)]
}

/// One to three connections of a few dozen frames, mostly right, at times wrong.
fn conversation() -> impl Strategy<Value = Vec<Step>> {
    let connection =
        (ends(), prop::collection::vec(step(), 1..16), prop_oneof![4 => Just(true), 1 => Just(false)]);
    prop::collection::vec(connection, 1..4).prop_map(|connections| {
        let mut steps = Vec::new();
        for (i, (mut ends, sent, close)) in connections.into_iter().enumerate() {
            ends.client.set_port(50_000 + i as u16);
            steps.push(Step::Connect(ends));
            steps.extend(Step::handshake(Request::default(), Response::default()));
            steps.extend(sent);
            if close {
                let bye = Message::close(CloseCode(1000), b"bye");
                steps.push(Step::message(Dir::Client, bye.clone()));
                steps.push(Step::message(Dir::Server, bye));
            }
        }
        steps
    })
}

fn ends() -> impl Strategy<Value = Ends> {
    (any::<bool>(), prop_oneof![Just(1460usize), 1..100usize]).prop_map(|(v6, mss)| {
        let ends = Ends { mss, ..Ends::default() };
        if !v6 {
            return ends;
        }
        let client = "[2001:db8::1]:50000".parse().expect("an address");
        Ends { client, server: "[2001:db8::2]:80".parse().expect("an address"), ..ends }
    })
}

/// A message, whole or in fragments, alone or glued to the next, right or wrong.
fn step() -> impl Strategy<Value = Step> {
    (dir(), message(), prop::option::weighted(0.3, 1..40usize), fault(), any::<bool>()).prop_map(
        |(from, message, fragment, fault, more)| {
            let mut shape = Shape::of(from);
            // Control frames are not to be fragmented; data goes on after them.
            shape.fragment = fragment.filter(|_| message.opcode.0 < 8);
            match fault {
                Fault::None => {}
                Fault::Rsv => shape.rsv = [false, true, false],
                Fault::Opcode => shape.opcode = Some(Opcode(0xB)),
                Fault::Form => shape.length_form = Some(LengthForm::Bits64),
                Fault::Masking => {
                    let wrong = if from == Dir::Client { Masking::None } else { Masking::Key([1, 2, 3, 4]) };
                    shape.masking = wrong;
                }
                Fault::NoFin => shape.no_fin = true,
            }
            let content = Content::Message(message, shape);
            Step::Send(Send { from, content, delivery: Delivery::default(), more, data: None })
        },
    )
}

fn message() -> impl Strategy<Value = Message> {
    let size = prop_oneof![8 => 0..130usize, 2 => 200..400usize];
    prop_oneof![
        4 => "[ -~é日😀]{0,60}".prop_map(|text| Message::new(Opcode::TEXT, text)),
        3 => (size, any::<u8>()).prop_map(|(size, byte)| Message::new(Opcode::BINARY, vec![byte; size])),
        1 => prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Message::new(Opcode::TEXT, bytes)),
        1 => prop::collection::vec(any::<u8>(), 0..126).prop_map(|bytes| Message::new(Opcode::PING, bytes)),
        1 => prop::collection::vec(any::<u8>(), 0..126).prop_map(|bytes| Message::new(Opcode::PONG, bytes)),
    ]
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    None,
    Rsv,
    Opcode,
    Form,
    Masking,
    NoFin,
}

fn fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        20 => Just(Fault::None),
        1 => Just(Fault::Rsv),
        1 => Just(Fault::Opcode),
        1 => Just(Fault::Form),
        1 => Just(Fault::Masking),
        1 => Just(Fault::NoFin),
    ]
}
