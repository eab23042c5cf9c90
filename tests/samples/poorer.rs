//! The same traffic as many poorer captures show it: nobody is blamed for what these lack.
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::Cursor;
use std::ops::Range;
use std::path::Path;

use etherparse::{SlicedPacket, TransportSlice};
use wstool::input;
use wstool::model::{Flow, ON, Severity, Sink, Unit, Wants, Who};
use wstool::pipeline;
use wstool::synth::Rng;
use wstool::synth::rewrite::{self, Packet};

use crate::healthy::{healthy, packets_of, pcap};
use crate::shelf::Sample;

/// Samples of more packets are left out: they take longer than they show.
const PACKETS: usize = 300;
/// More bytes than a packet has.
const WHOLE: usize = 1 << 18;
/// Nanoseconds within which packets overtake each other.
const NEAR: i64 = 10_000_000;

/// The rules that somebody is said to have broken.
#[derive(Default)]
struct Blamed(BTreeSet<&'static str>);

impl Sink for Blamed {
    fn wants(&self) -> Wants {
        Wants { payload: u64::MAX, app: true, causes: true, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        let blaming = unit.findings.iter().map(|finding| finding.rule);
        let blaming = blaming.filter(|rule| rule.who != Who::Capture && rule.severity > Severity::Note);
        self.0.extend(blaming.map(|rule| rule.id));
        ON
    }
}

fn blamed(bytes: Vec<u8>) -> BTreeSet<&'static str> {
    let mut blamed = Blamed::default();
    let input = input::open(Box::new(Cursor::new(bytes)), "poorer").expect("a capture");
    pipeline::run(input, &mut blamed, &mut |_| {});
    blamed.0
}

/// What makes a capture poorer: the packets that are left, and at most how many bytes of each.
type Way = fn(&[Packet], &mut Rng) -> (Vec<Packet>, usize);

/// How a capture gets poorer.
const WAYS: &[(&str, Way)] = &[
    ("one packet in five is missing", |all, rng| (missing(all, 5, rng), WHOLE)),
    ("one in ten", |all, rng| (missing(all, 10, rng), WHOLE)),
    ("one in thirty", |all, rng| (missing(all, 30, rng), WHOLE)),
    ("some in a row", |all, rng| {
        let mut left = 0;
        let is_there = |_: &&Packet| {
            left = if left > 0 {
                left - 1
            } else if rng.one_in(15) {
                1 + rng.below(6)
            } else {
                return true;
            };
            false
        };
        (all.iter().filter(is_there).cloned().collect(), WHOLE)
    }),
    ("so many bytes of each", |all, rng| (all.to_vec(), 54 + rng.below(500) as usize)),
    ("so many bytes of each, and some missing", |all, rng| {
        (missing(all, 20, rng), [54, 60, 68, 80, 96, 128, 150, 200, 300, 512][rng.below(10) as usize])
    }),
    ("a part of the time", |all, rng| {
        let from = rng.below(all.len() as u64) as usize;
        let to = from + 1 + rng.below((all.len() - from) as u64) as usize;
        (all[from..to].to_vec(), WHOLE)
    }),
    ("from somewhere on less of one direction", |all, rng| {
        let (from, one_in) = (rng.below(all.len() as u64) as usize, [1, 2, 4][rng.below(3) as usize]);
        let to_server = rng.one_in(2);
        let is_there = |(at, packet): &(usize, &Packet)| {
            *at < from || is_to_server(&packet.1) != Some(to_server) || !rng.one_in(one_in)
        };
        (all.iter().enumerate().filter(is_there).map(|(_, packet)| packet.clone()).collect(), WHOLE)
    }),
    ("only what clients send", |all, _| (one_way(all, true), WHOLE)),
    ("only what servers send", |all, _| (one_way(all, false), WHOLE)),
    ("in another order", |all, rng| (overtaken(all, rng), WHOLE)),
    ("in another order, and some missing", |all, rng| {
        let all = overtaken(all, rng);
        (missing(&all, 15, rng), WHOLE)
    }),
    ("some twice, and some missing", |all, rng| {
        let all = rewrite::duplicate(all, 5, rng);
        (missing(&all, 15, rng), WHOLE)
    }),
    ("in small segments, and some missing", |all, rng| {
        let all = rewrite::cut(all, 1 + rng.below(200) as usize);
        let one_in = 10 + rng.below(90);
        (missing(&all, one_in, rng), WHOLE)
    }),
];

fn missing(all: &[Packet], one_in: u64, rng: &mut Rng) -> Vec<Packet> {
    all.iter().filter(|_| !rng.one_in(one_in)).cloned().collect()
}

/// Whether a packet is sent to the server, whose port is the lower one of the two.
pub fn is_to_server(packet: &[u8]) -> Option<bool> {
    match SlicedPacket::from_ethernet(packet).ok()?.transport? {
        TransportSlice::Tcp(tcp) => Some(tcp.source_port() > tcp.destination_port()),
        _ => None,
    }
}

fn one_way(all: &[Packet], to_server: bool) -> Vec<Packet> {
    all.iter().filter(|(_, packet)| is_to_server(packet) != Some(!to_server)).cloned().collect()
}

/// Packets that are near each other change places, while times stay: as with two ways, or two queues.
fn overtaken(all: &[Packet], rng: &mut Rng) -> Vec<Packet> {
    let mut all = all.to_vec();
    for at in 1..all.len() {
        if all[at].0.since(all[at - 1].0) <= NEAR && rng.one_in(4) {
            let (before, after) = all.split_at_mut(at);
            std::mem::swap(&mut before[at - 1].1, &mut after[0].1);
        }
    }
    all
}

/// The seeds that are tried each time.
const SEEDS: Range<u64> = 0..20;

/// Those of `POORER_SEEDS=FROM..TO` instead, to try more of them by hand.
fn seeds() -> Range<u64> {
    let Ok(wanted) = std::env::var("POORER_SEEDS") else { return SEEDS };
    let (from, to) = wanted.split_once("..").expect("FROM..TO");
    from.parse().expect("a number")..to.parse().expect("a number")
}

/// Where `POORER_KEEP=FOLDER` wants the captures by which somebody is blamed, to look at them.
fn keep(sample: &Sample, seed: u64, way: usize, packets: &[Packet], snaplen: usize) {
    if let Some(folder) = std::env::var_os("POORER_KEEP") {
        let name = format!("{}-{seed}-{way}.pcap", sample.name.replace('/', "_"));
        fs::write(Path::new(&folder).join(name), pcap(packets, snaplen)).expect("a folder");
    }
}

/// Tries a sample in every way with a seed: what is said of it that the whole of it does not show.
fn wrong(sample: &Sample, packets: &[Packet], whole: &BTreeSet<&'static str>, seed: u64) -> String {
    let mut wrong = String::new();
    for (way, (name, poorer)) in WAYS.iter().enumerate() {
        // What one sample loses depends neither on the others nor on the other ways.
        let own: u64 = sample.name.bytes().map(u64::from).sum();
        let mut rng = Rng::new(seed.wrapping_mul(1_000_003) ^ (own << 8) ^ way as u64);
        let (packets, snaplen) = poorer(packets, &mut rng);
        let blamed = blamed(pcap(&packets, snaplen));
        if !blamed.is_subset(whole) {
            keep(sample, seed, way, &packets, snaplen);
        }
        for rule in blamed.difference(whole) {
            let _ = writeln!(wrong, "{}, seed {seed}, {name}: {rule}", sample.name);
        }
    }
    wrong
}

/// With `POORER_SEEDS=0..1000 cargo test --release --test samples poorer` over as many seeds as wanted.
#[test]
fn nobody_is_blamed_for_what_many_captures_lack() {
    let mut tried = 0;
    let mut wrong = String::new();
    for sample in healthy() {
        let Some(packets) = packets_of(&sample).filter(|packets| packets.len() <= PACKETS) else { continue };
        let whole = blamed(pcap(&packets, WHOLE));
        for seed in seeds() {
            tried += WAYS.len();
            wrong += &self::wrong(&sample, &packets, &whole, seed);
        }
    }
    assert!(tried > 1000, "{tried}");
    assert!(wrong.is_empty(), "of {tried}:\n{wrong}");
}
