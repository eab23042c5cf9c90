//! Random conversations, captured badly: whatever happens to the packets on the
//! way into the capture, the streams are what the endpoints sent.

use proptest::prelude::*;

use super::testing::{Feed, Log, Seg, seg};
use super::*;

/// What two endpoints say, in turns.
#[derive(Clone, Debug)]
struct Talk {
    turns: Vec<(Side, Vec<u8>)>,
    /// Initial sequence numbers of A and B.
    isn: [u32; 2],
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::A), Just(Side::B)]
}

fn talk() -> impl Strategy<Value = Talk> {
    // Never zero, which as a first byte would be taken for a keep-alive probe.
    let turn = (side(), prop::collection::vec(b'a'..=b'z', 1..60));
    let isn = prop_oneof![any::<u32>(), Just(u32::MAX), Just(u32::MAX - 40), Just(u32::MAX - 200)];
    (prop::collection::vec(turn, 1..12), isn.clone(), isn)
        .prop_map(|(turns, a, b)| Talk { turns, isn: [a, b] })
}

/// Many small decisions from one random number (`SplitMix64`).
struct Dice(u64);

impl Dice {
    /// 0 to `sides` - 1.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed >> 33) as usize % sides
    }
}

impl Talk {
    /// What a side says in all.
    fn stream(&self, side: Side) -> Vec<u8> {
        self.turns.iter().filter(|(from, _)| *from == side).flat_map(|(_, text)| text.clone()).collect()
    }

    /// The packets of a perfect capture: handshake, one segment a turn with its acknowledgement, FINs.
    /// With `probes`, each turn is followed by one byte of nothing at its end.
    fn packets(&self, probes: bool) -> Vec<Seg> {
        let mut next = self.isn.map(|isn| isn.wrapping_add(1));
        let mut packets =
            vec![seg(Side::A, self.isn[0], None, "S", b""), seg(Side::B, self.isn[1], next[0], "S", b"")];
        let mut say = |from: Side, flags, text: &[u8]| {
            let [mine, other] = [from.index(), from.other().index()];
            packets.push(seg(from, next[mine], next[other], flags, text));
            next[mine] = next[mine].wrapping_add(text.len() as u32 + u32::from(flags == "F"));
            if probes && !text.is_empty() {
                packets.push(seg(from, next[mine].wrapping_sub(1), next[other], "", &[0]));
            }
        };
        say(Side::A, "", b"");
        for (from, text) in &self.turns {
            say(*from, "", text);
            say(from.other(), "", b"");
        }
        say(Side::A, "F", b"");
        say(Side::B, "F", b"");
        say(Side::A, "", b"");
        packets
    }
}

/// Cuts each segment into pieces of at most `most` bytes, some reaching over into their neighbours.
fn cut(packets: &[Seg], most: usize, overlap: bool, dice: &mut Dice) -> Vec<Seg> {
    let mut pieces = Vec::new();
    for packet in packets {
        let length = packet.data.len();
        let mut at = 0;
        while at < length {
            let to = (at + 1 + dice.roll(most)).min(length);
            let (from, until) =
                if overlap { (at - dice.roll(at + 1), to + dice.roll(length - to + 1)) } else { (at, to) };
            let seq = packet.seq.wrapping_add(from as u32);
            pieces.push(Seg { seq, data: packet.data[from..until].to_vec(), ..packet.clone() });
            at = to;
        }
        if length == 0 {
            pieces.push(packet.clone());
        }
    }
    pieces
}

/// Some packets are there twice.
fn duplicate(packets: Vec<Seg>, dice: &mut Dice) -> Vec<Seg> {
    let twice = |packet: Seg| {
        let count = if dice.roll(3) == 0 { 2 } else { 1 };
        std::iter::repeat_n(packet, count)
    };
    packets.into_iter().flat_map(twice).collect()
}

/// No packet moves by more than 7 places.
fn shuffle(packets: Vec<Seg>, dice: &mut Dice) -> Vec<Seg> {
    let mut keyed: Vec<(usize, Seg)> =
        packets.into_iter().enumerate().map(|(i, packet)| (i + dice.roll(8), packet)).collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, packet)| packet).collect()
}

fn run(packets: &[Seg]) -> Log {
    let mut feed = Feed::new();
    feed.segs(packets);
    feed.finish()
}

/// Both streams, a missing byte being `None`.
fn streams(log: &Log) -> [Vec<Option<u8>>; 2] {
    [0, 1].map(|side| log.streams.get(&(0, side)).cloned().unwrap_or_default())
}

fn whole(talk: &Talk) -> [Vec<Option<u8>>; 2] {
    [Side::A, Side::B].map(|side| talk.stream(side).into_iter().map(Some).collect())
}

fn count(log: &Log, start: &str) -> usize {
    log.lines.iter().filter(|line| line.starts_with(start)).count()
}

/// The sides in the order in which they spoke, with how much: the turns, as far as one can tell.
fn order(turns: impl Iterator<Item = (Side, usize)>) -> Vec<(Side, usize)> {
    let mut order: Vec<(Side, usize)> = Vec::new();
    for (side, length) in turns {
        match order.last_mut() {
            Some((last, sum)) if *last == side => *sum += length,
            _ => order.push((side, length)),
        }
    }
    order
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn disorder_changes_nothing(
        talk in talk(), seed: u64, most in 1..30_usize, overlap: bool, one_byte: bool, probes: bool
    ) {
        let mut dice = Dice(seed);
        let pieces = cut(&talk.packets(probes), if one_byte { 1 } else { most }, overlap, &mut dice);
        let packets = shuffle(duplicate(pieces, &mut dice), &mut dice);
        let log = run(&packets);
        prop_assert_eq!(streams(&log), whole(&talk));
        prop_assert_eq!(&log.lines[0], "open 10.0.0.9:5000 10.0.0.1:80 true");
        prop_assert_eq!(log.lines.last().unwrap(), "close Closed");
        prop_assert_eq!((count(&log, "A Fin"), count(&log, "B Fin"), count(&log, "open")), (1, 1, 1));
        prop_assert!(!log.lines.iter().any(|line| line.contains("tcp-")), "{:?}", log.lines);
        let spoken = order(talk.turns.iter().map(|(side, text)| (*side, text.len())));
        prop_assert_eq!(order(log.said.iter().copied()), spoken);
    }

    #[test]
    fn a_beginning_that_is_missing_costs_nothing_else(
        talk in talk(), seed: u64, most in 1..30_usize, probes: bool
    ) {
        let mut dice = Dice(seed);
        let pieces = cut(&talk.packets(probes)[3..], most, false, &mut dice);
        let log = run(&shuffle(duplicate(pieces, &mut dice), &mut dice));
        let mut sides = streams(&log);
        let expected = whole(&talk);
        // Which of them is A is not known.
        if log.lines[0].starts_with("open 10.0.0.1") {
            sides.reverse();
        }
        prop_assert_eq!(sides, expected, "{:?}", log.lines);
    }

    #[test]
    fn what_is_lost_is_a_gap(talk in talk(), seed: u64, most in 1..30_usize, disorder: bool) {
        let mut dice = Dice(seed);
        let pieces = cut(&talk.packets(false), most, false, &mut dice);
        let mut expected = whole(&talk);
        let mut kept = Vec::new();
        for piece in pieces {
            if !piece.data.is_empty() && dice.roll(4) == 0 {
                let side = piece.from.index();
                let start = piece.seq.wrapping_sub(talk.isn[side]).wrapping_sub(1) as usize;
                expected[side][start..start + piece.data.len()].fill(None);
            } else {
                kept.push(piece);
            }
        }
        let log = run(&if disorder { shuffle(duplicate(kept, &mut dice), &mut dice) } else { kept });
        prop_assert_eq!(streams(&log), expected, "{:?}", log.lines);
        prop_assert_eq!((count(&log, "A Fin"), count(&log, "B Fin")), (1, 1));
    }

    #[test]
    fn any_packets_at_all_are_survived(
        packets in prop::collection::vec(
            (
                side(), 0..40_u32, 0..40_u32, prop::sample::select(vec!["", "S", "F", "R", "SF"]),
                0..20_usize, 0..2_u16,
            ),
            0..120,
        ),
        link in prop::sample::select(vec![0, 1, 9, 101, 113, 276]),
        noise in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..20),
    ) {
        let mut feed = Feed::new();
        for (from, seq, ack, flags, length, port) in packets {
            let text = vec![b'x'; length];
            let ack = Some(ack).filter(|&ack| ack > 3);
            feed.seg(&Seg { client_port: 5000 + port, ..seg(from, seq, ack, flags, &text) });
        }
        for (i, data) in noise.iter().enumerate() {
            let packet = Packet { number: 9000 + i as u64, time: Time(0), link, data, wire_len: 80 };
            prop_assert!(feed.tracker.packet(&packet, &mut feed.log).is_continue());
        }
        feed.finish();
    }
}
