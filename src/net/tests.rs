//! Whole connections through the tracker.

use etherparse::PacketBuilder;
use proptest::prelude::*;

use super::testing::{Feed, Log, Seg, build, seg};
use super::*;
use crate::limits;

/// Runs segments and gives the log's lines.
fn run(segs: &[Seg]) -> Log {
    let mut feed = Feed::new();
    feed.segs(segs);
    feed.finish()
}

const A: Side = Side::A;
const B: Side = Side::B;

/// SYN, SYN-ACK; A's data begins at 101, B's at 901.
fn handshake() -> [Seg; 2] {
    [seg(A, 100, None, "S", b""), seg(B, 900, 101, "S", b"")]
}

fn after_handshake(segs: &[Seg]) -> Log {
    run(&[&handshake()[..], segs].concat())
}

const OPEN: &str = "open 10.0.0.9:5000 10.0.0.1:80 true";

#[test]
fn a_plain_connection() {
    let log = after_handshake(&[
        seg(A, 101, 901, "", b"hello"),
        seg(B, 901, 106, "", b"world"),
        seg(A, 106, 906, "F", b""),
        seg(B, 906, 107, "F", b"!"),
        seg(A, 107, 908, "", b""),
    ]);
    assert_eq!(
        log.lines,
        [OPEN, "A hello @3+40", "B world @4+40", "A Fin @5", "B ! @6+40", "B Fin @6", "close Closed"]
    );
}

#[test]
fn single_effects() {
    type Case = (&'static str, Vec<Seg>, &'static [&'static str]);
    let data = |seq, data: &[u8]| seg(A, seq, 901, "", data);
    let table: Vec<Case> = vec![
        ("out of order", vec![data(103, b"cd"), data(101, b"ab")], &["A ab @4+40", "A cd @3+40"]),
        ("retransmission", vec![data(101, b"ab"), data(101, b"ab")], &["A ab @3+40"]),
        (
            "retransmission with new bytes at the end",
            vec![data(101, b"ab"), data(101, b"abcd")],
            &["A ab @3+40", "A cd @4+42"],
        ),
        (
            "retransmission with new bytes around kept ones",
            vec![data(103, b"cd"), data(101, b"abcdef")],
            &["A ab @4+40", "A cd @3+40", "A ef @4+44"],
        ),
        (
            "conflict with delivered bytes",
            vec![data(101, b"ab"), data(101, b"xbcd")],
            &["A ab @3+40", "A tcp-overlap-conflict: other bytes than those captured first", "A cd @4+42"],
        ),
        (
            "keep-alive probes",
            vec![data(101, b"ab"), data(102, b"\0"), data(102, b""), data(103, b"cd")],
            &["A ab @3+40", "A cd @6+40"],
        ),
        (
            "a keep-alive probe before the byte that it repeats",
            vec![data(101, b"a"), data(102, b"\0"), data(102, b"bc")],
            &["A a @3+40", "A bc @5+40"],
        ),
        ("one byte that is zero", vec![data(101, b"\0"), data(102, b"bc")], &["A \\x00 @3+40", "A bc @4+40"]),
        (
            "zero window probe",
            vec![data(101, b"ab"), data(103, b"c"), seg(B, 901, 103, "", b""), data(103, b"cd")],
            &["A ab @3+40", "A c @4+40", "A d @6+41"],
        ),
        (
            "a SYN again",
            vec![data(101, b"a"), seg(A, 100, None, "S", b""), data(102, b"b")],
            &["A a @3+40", "A b @5+40"],
        ),
        (
            "FIN again, data after it",
            vec![
                seg(A, 101, 901, "F", b"a"),
                seg(A, 101, 901, "F", b"a"),
                data(102, b"xyz"),
                seg(B, 901, 103, "", b"more"),
            ],
            &["A a @3+40", "A Fin @3", "B more @6+40"],
        ),
        (
            "FIN before the data",
            vec![seg(A, 103, 901, "F", b""), data(101, b"ab")],
            &["A ab @4+40", "A Fin @3"],
        ),
        (
            "a blind reset",
            vec![
                data(101, b"a"),
                seg(A, 101 + (1 << 28), None, "R", b""),
                seg(A, 50, None, "R", b""),
                data(102, b"b"),
            ],
            &["A a @3+40", "A b @6+40"],
        ),
        (
            "an answer before what it answers",
            vec![seg(B, 901, 103, "", b"cd"), data(101, b"ab")],
            &["A ab @4+40", "B cd @3+40"],
        ),
        (
            "bytes never captured",
            vec![data(101, b"ab"), data(105, b"ef"), seg(B, 901, 107, "", b"B")],
            &["A ab @3+40", "A gap 2 (Some(3), Some(4))", "A ef @4+40", "B B @5+40"],
        ),
        (
            "bytes never captured at the end",
            vec![data(101, b"ab"), seg(B, 901, 107, "", b"")],
            &["A ab @3+40", "A gap 4 (Some(3), None)"],
        ),
        (
            "bytes never captured before a FIN",
            vec![data(101, b"ab"), seg(A, 109, 901, "F", b"")],
            &["A ab @3+40", "A gap 6 (Some(3), None)", "A Fin @4"],
        ),
    ];
    for (what, segs, expected) in table {
        let lines = after_handshake(&segs).lines;
        let expected = [&[OPEN], expected, &["close CaptureEnd"]].concat();
        assert_eq!(lines, expected, "{what}");
    }
}

#[test]
fn a_reset_ends_one_side_and_closes() {
    let reset = seg(A, 102, 901, "R", b"");
    let log = after_handshake(&[seg(A, 101, 901, "", b"a"), reset.clone(), seg(B, 901, 102, "", b"late")]);
    assert_eq!(log.lines, [OPEN, "A a @3+40", "A Rst @4", "B late @5+40", "close Reset"]);
    // Shuffled, the same.
    let log = after_handshake(&[reset, seg(B, 901, 102, "", b"late"), seg(A, 101, 901, "", b"a")]);
    assert_eq!(log.lines, [OPEN, "A a @5+40", "A Rst @3", "B late @4+40", "close Reset"]);
    // A refused connection and a lone reset are nothing to speak of.
    let refused = [seg(A, 100, None, "S", b""), seg(B, 0, 101, "R", b""), seg(B, 7, None, "R", b"")];
    assert!(run(&refused).lines.is_empty());
}

#[test]
fn a_lingering_flow_is_closed_in_time() {
    let mut feed = Feed::new();
    let reset = [seg(A, 101, 901, "", b"a"), seg(A, 102, 901, "R", b"")];
    feed.segs(&handshake());
    feed.segs(&reset);
    let other = Seg { client_port: 6000, ..seg(A, 1, None, "", b"") };
    (0..190).for_each(|_| feed.seg(&other));
    assert!(!feed.log.lines.contains(&"close Reset".into()));
    (0..30).for_each(|_| feed.seg(&other));
    assert!(feed.log.lines.contains(&"close Reset".into()));
    assert_eq!(feed.tracker.flows(), 1);
}

#[test]
fn a_flow_whose_reset_did_not_arrive_is_kept_as_long_as_it_goes_on() {
    let mut feed = Feed::new();
    feed.segs(&handshake());
    feed.segs(&[seg(A, 101, 901, "", b"a"), seg(B, 901, 102, "R", b"")]);
    let other = Seg { client_port: 6000, ..seg(A, 1, None, "", b"") };
    for number in 0..5 {
        (0..150).for_each(|_| feed.seg(&other));
        feed.seg(&seg(A, 102 + number, 901, "", b"b"));
        assert!(!feed.log.lines.contains(&"close Reset".into()), "{number}");
    }
    (0..450).for_each(|_| feed.seg(&other));
    assert!(feed.log.lines.contains(&"close Reset".into()));
}

#[test]
fn times_that_leap_by_years_are_not_waited_for_step_by_step() {
    let (mut feed, other) = (Feed::new(), Seg { client_port: 6000, ..seg(A, 1, None, "", b"") });
    feed.segs(&handshake());
    let early = feed.time;
    feed.time += 50 * 365 * 86_400 * 1_000_000_000;
    feed.seg(&seg(A, 101, 901, "", b"a"));
    let late = std::mem::replace(&mut feed.time, early);
    feed.seg(&seg(B, 901, 102, "R", b""));
    feed.time = late;
    (0..450).for_each(|_| feed.seg(&other));
    assert!(feed.log.lines.contains(&"close Reset".into()));
}

#[test]
fn ports_are_used_again() {
    let fins = [seg(A, 102, 901, "F", b""), seg(B, 901, 103, "F", b""), seg(A, 103, 902, "", b"")];
    let again = [seg(A, 70_000, None, "S", b""), seg(B, 9, 70_001, "S", b""), seg(A, 70_001, 10, "", b"new")];
    let first = [&handshake()[..], &[seg(A, 101, 901, "", b"a")]].concat();
    let reset = [seg(B, 901, 102, "R", b"")];
    for (how, reason) in [(&fins[..], "Closed"), (&reset, "Reset"), (&[], "Reused")] {
        let log = run(&[&first, how, &again].concat());
        assert_eq!((log.text(0, A), log.text(1, A)), ("a".into(), "new".into()), "{reason}");
        let closes: Vec<_> = log.lines.iter().filter(|line| line.starts_with("close")).collect();
        assert_eq!(closes, [&format!("close {reason}"), "close CaptureEnd"]);
    }
    // What is left over from a closed connection opens nothing.
    let late = [fins.to_vec(), vec![seg(A, 101, 901, "", b"a"), seg(A, 100, None, "S", b"")]].concat();
    let log = run(&[first, late.clone(), late].concat());
    assert_eq!(log.lines.iter().filter(|line| line.starts_with("open")).count(), 1);
}

#[test]
fn the_beginning_may_be_missing_or_late() {
    // Shuffled: the SYN comes after the data, the answer first of all.
    let shuffled = [
        seg(B, 901, 103, "", b"re"),
        seg(A, 101, 901, "", b"rq"),
        handshake()[1].clone(),
        handshake()[0].clone(),
    ];
    let log = run(&shuffled);
    assert_eq!(log.lines, [OPEN, "A rq @2+40", "B re @1+40", "close CaptureEnd"]);

    // Missing: the lowest bytes held come first, by what they acknowledge.
    let mut feed = Feed::new();
    for segment in [seg(B, 905, 103, "", b"re"), seg(A, 103, 907, "", b"xx"), seg(A, 101, 905, "", b"rq")] {
        feed.seg(&segment);
    }
    assert!(feed.log.lines.is_empty());
    feed.time += limits::HOLD_TIME;
    feed.seg(&seg(A, 105, 907, "", b"yy"));
    let open = "open 10.0.0.1:80 10.0.0.9:5000 false";
    assert_eq!(feed.log.lines, [open, "B rq @3+40", "A re @1+40", "B xx @2+40", "B yy @4+40"]);
    feed.finish();

    // Missing, and many packets in a short time.
    let mut feed = Feed::new();
    for i in 0..=limits::HOLD_PACKETS {
        feed.seg(&seg(A, 100 + i, 905, "", b"a"));
    }
    assert_eq!(feed.log.text(0, A).len(), 17);
}

#[test]
fn a_lost_hole_does_not_stop_a_live_stream() {
    let mut feed = Feed::new();
    feed.segs(&handshake());
    for i in 1..limits::REORDER_PACKETS + 4 {
        feed.seg(&seg(A, 101 + 2 * i, 901, "", b"ab"));
        feed.seg(&seg(B, 901, 103 + 2 * i, "", b""));
    }
    assert!(feed.log.lines.contains(&"A gap 2 (None, Some(3))".into()), "{:?}", feed.log.lines);
    assert_eq!(feed.log.text(0, A).len(), 2 * (limits::REORDER_PACKETS as usize + 4));
}

#[test]
fn one_direction_alone_is_a_stream() {
    for (side, isn) in [(A, 100), (B, 900)] {
        let mut feed = Feed::new();
        let ack = (side == B).then_some(101);
        feed.seg(&seg(side, isn, ack, "S", b""));
        for i in 0..40 {
            feed.seg(&seg(side, isn + 1 + 2 * i, 777 + 3 * i, "", b"ab"));
        }
        assert_eq!(feed.log.text(0, side).len(), 80, "{side:?}");
        assert_eq!(feed.log.lines[0], OPEN);
        // Nobody acknowledges, so that what is lost takes longer.
        for i in 0..limits::REORDER_PACKETS_ONE_SIDED + 10 {
            feed.seg(&seg(side, isn + 83 + 2 * i, 900, "", b"cd"));
        }
        assert!(feed.log.lines.iter().any(|line| line.contains("gap 2 ")));
        assert_eq!(feed.finish().text(0, side.other()), "");
    }
}

#[test]
fn the_longest_idle_flow_makes_room() {
    let mut feed = Feed::with_max_flows(3);
    for port in [1, 2, 1, 3, 4, 5] {
        let syn = Seg { client_port: port, ..seg(A, 100, None, "S", b"x") };
        feed.seg(&syn);
    }
    let lines: Vec<_> = feed.log.lines.iter().filter(|line| !line.starts_with('A')).collect();
    assert_eq!(
        lines,
        [
            "open 10.0.0.9:1 10.0.0.1:80 true",
            "open 10.0.0.9:2 10.0.0.1:80 true",
            "open 10.0.0.9:3 10.0.0.1:80 true",
            "close Evicted",
            "open 10.0.0.9:4 10.0.0.1:80 true",
            "close Evicted",
            "open 10.0.0.9:5 10.0.0.1:80 true",
        ]
    );
    assert_eq!(feed.tracker.flows(), 3);
}

#[test]
fn out_of_order_bytes_are_capped() {
    let mut feed = Feed::new();
    feed.segs(&handshake());
    let data = vec![b'x'; 1400];
    for i in 1..10_000_u32 {
        feed.seg(&seg(A, 101 + i * 1400, 901, "", &data));
        assert!(feed.tracker.held() <= limits::REORDER_FLOW + 4096);
    }
    assert_eq!(feed.log.streams[&(0, 0)].len(), 1400 * 10_000);

    // And over many flows.
    let mut feed = Feed::new();
    for port in 0..8 {
        let port = |seg: &Seg| Seg { client_port: 1000 + port, ..seg.clone() };
        feed.segs(&handshake().each_ref().map(port));
        for i in 1..2500_u32 {
            feed.seg(&port(&seg(A, 101 + i * 1400, 901, "", &data)));
            assert!(feed.tracker.held() <= limits::REORDER_TOTAL);
        }
    }
    feed.finish();
}

#[test]
fn cut_packets_leave_gaps_of_known_length() {
    let mut feed = Feed::new();
    feed.segs(&handshake());
    let cut = |seg: &Seg, len: usize| build(seg)[..40 + len].to_vec();
    let _ = feed.raw(&cut(&seg(A, 101, 901, "", b"abcdef"), 2));
    let _ = feed.raw(&cut(&seg(A, 107, 901, "", b"ghijkl"), 3));
    feed.seg(&seg(A, 113, 901, "", b"m"));
    let text = feed.log.text(0, A);
    assert_eq!(text, "ab____ghi___m");
    let log = feed.finish();
    let told: Vec<&String> = log.lines.iter().filter(|line| line.contains("packet-truncated")).collect();
    // One finding, which names every packet that was cut.
    assert_eq!(told, ["A packet-truncated: 5 bytes; packets 3, 4"]);
}

#[test]
fn bad_checksums_are_told_once_and_offloaded_ones_never() {
    let mut feed = Feed::new();
    feed.segs(&handshake());
    for (i, text) in [b"a", b"b", b"c"].into_iter().enumerate() {
        let mut packet = build(&seg(A, 101 + i as u32, 901, "", text));
        packet[36] ^= 1;
        let _ = feed.raw(&packet);
        let mut packet = build(&seg(B, 901 + i as u32, 101, "", text));
        packet[36..38].fill(0);
        let _ = feed.raw(&packet);
    }
    let log = feed.finish();
    assert_eq!((log.text(0, A), log.text(0, B)), ("abc".into(), "abc".into()));
    assert_eq!(log.lines.iter().filter(|line| line.contains("bad-tcp-checksum")).count(), 1);
}

#[test]
fn interest_is_respected() {
    let mut feed = Feed::new();
    feed.log.interest = Some(Interest::Ignore);
    feed.segs(&handshake());
    for i in [0, 1, 5, 3, 4, 2] {
        feed.seg(&seg(A, 101 + i, 901, "", b"a"));
    }
    assert_eq!((feed.log.lines.len(), feed.tracker.held()), (2, 0));
    feed.seg(&seg(A, 107, 901, "F", b""));
    feed.seg(&seg(B, 901, 108, "F", b"b"));
    assert_eq!(feed.log.lines, [OPEN, "A a @3+40", "close Closed"]);

    feed.log.interest = Some(Interest::Stop);
    let stop = Seg { client_port: 6000, ..seg(A, 100, None, "S", b"x") };
    assert!(feed.raw(&build(&stop)).is_break());
}

#[test]
fn fragments_give_the_same_stream() {
    let whole = build(&seg(A, 101, 901, "F", b"0123456789abcdefghijklmnop"));
    let payload = &whole[20..];
    let fragment = |from: usize, to: usize| {
        let mut packet = [&whole[..20], &payload[from..to]].concat();
        packet[2..4].copy_from_slice(&((20 + to - from) as u16).to_be_bytes());
        let more = if to < payload.len() { 0x2000 } else { 0 };
        packet[6..8].copy_from_slice(&(more | (from / 8) as u16).to_be_bytes());
        packet
    };
    let mut feed = Feed::new();
    feed.segs(&handshake());
    for (from, to) in [(32, payload.len()), (0, 16), (16, 32)] {
        let _ = feed.raw(&fragment(from, to));
    }
    assert_eq!(
        feed.finish().lines,
        [OPEN, "A 0123456789ab @5+24", "A cdefghijklmnop @3+20", "A Fin @3", "close CaptureEnd"]
    );
}

#[test]
fn other_packets_are_counted() {
    let mut feed = Feed::new();
    let mut udp = Vec::new();
    PacketBuilder::ipv4([1; 4], [2; 4], 64).udp(1, 2).write(&mut udp, b"x").unwrap();
    let _ = feed.raw(&udp);
    let _ = feed.raw(&build(&seg(A, 1, None, "", b""))[..30]);
    let _ = feed.raw(&[]);
    let packet = Packet { number: 9, time: Time(0), link: 127, data: &[], wire_len: 0 };
    let _ = feed.tracker.packet(&packet, &mut feed.log);
    let counts = feed.tracker.counts();
    assert_eq!((counts.packets, counts.not_tcp, counts.damaged, counts.not_ip), (4, 1, 1, 1));
    assert_eq!(feed.tracker.unsupported(), [(127, 1)]);
}

/// A packet too long for the way is cut outside the tunnel.
#[test]
fn a_tunnel_in_fragments_is_put_together() {
    let data: Vec<u8> = (0..100).map(|i| b'a' + i % 26).collect();
    let mut feed = Feed::new();
    feed.segs(&handshake());
    let inner = build(&seg(A, 101, 901, "", &data));
    let mut outer = Vec::new();
    let vxlan = [&[8, 0, 0, 0, 0, 0, 7, 0][..], &[2; 12], &[8, 0], &inner].concat();
    PacketBuilder::ipv4([1; 4], [2; 4], 64).udp(5, 4789).write(&mut outer, &vxlan).unwrap();
    for (from, to, flags) in [(88, outer.len() - 20, [0, 11]), (0, 88, [0x20, 0])] {
        let mut part = [&outer[..20], &outer[20 + from..20 + to]].concat();
        part[2..4].copy_from_slice(&(20 + to as u16 - from as u16).to_be_bytes());
        part[6..8].copy_from_slice(&flags);
        assert!(feed.raw(&part).is_continue());
    }
    let log = feed.finish();
    assert_eq!(log.text(0, A).as_bytes(), data);
    // The data begins behind five headers in the fragment that came second.
    let first = format!("A {} @4+90", data[..18].escape_ascii());
    assert!(log.lines.contains(&first), "{:?}", log.lines);
}

/// A conversation of a client and a server, its packets perhaps lost, doubled, moved or changed.
fn conversation() -> impl Strategy<Value = Vec<Seg>> {
    let said = prop::collection::vec((any::<bool>(), 0..4_usize, any::<bool>()), 0..6);
    let ends = prop::collection::vec(any::<bool>(), 0..4);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), 0..9_u8), 0..5);
    (said, ends, changes, any::<[bool; 2]>()).prop_map(|(said, ends, changes, [opened, wraps])| {
        let mut next = if wraps { [u32::MAX - 3, u32::MAX] } else { [100, 900] };
        let sides = |from: usize| if from == 0 { Side::A } else { Side::B };
        let mut segs = Vec::new();
        if opened {
            segs.push(seg(Side::A, next[0].wrapping_sub(1), None, "S", b""));
            segs.push(seg(Side::B, next[1].wrapping_sub(1), next[0], "S", b""));
            segs.push(seg(Side::A, next[0], next[1], "", b""));
        }
        for (by_server, length, is_acknowledged) in said {
            let from = usize::from(by_server);
            segs.push(seg(sides(from), next[from], next[1 - from], "", &b"abcd"[..length]));
            next[from] = next[from].wrapping_add(length as u32);
            if is_acknowledged {
                segs.push(seg(sides(1 - from), next[1 - from], next[from], "", b""));
            }
        }
        for by_server in ends {
            let from = usize::from(by_server);
            segs.push(seg(sides(from), next[from], next[1 - from], "F", b""));
            next[from] = next[from].wrapping_add(1);
            segs.push(seg(sides(1 - from), next[1 - from], next[from], "", b""));
        }
        for (at, how) in changes {
            let Some(at) = (!segs.is_empty()).then(|| at.index(segs.len())) else { break };
            match how {
                0 => drop(segs.remove(at)),
                1 => segs.insert(at, segs[at].clone()),
                2 => segs.swap(at, 0),
                3 => segs[at].window = 0,
                4 => segs[at].flags = "R",
                5 => segs[at].seq = segs[at].seq.wrapping_sub(1),
                6 => segs[at].ack = segs[at].ack.map(|ack| ack.wrapping_add(2)),
                7 => segs[at].flags = "F",
                _ => segs[at].flags = "S",
            }
        }
        segs
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn the_short_way_tells_the_same(segs in conversation()) {
        run(&segs);
    }
}

#[test]
fn the_third_packet_says_where_a_stream_begins_whose_syn_was_not_captured() {
    let asked = [
        seg(A, 100, None, "S", b""),
        seg(A, 101, 901, "", b""),
        seg(A, 101, 901, "", b"ask"),
        seg(B, 901, 104, "", b""),
    ];
    // The first answer is missing, and the second is not taken for it.
    let log = run(&[&asked[..], &[seg(A, 104, 906, "", b"ask"), seg(B, 906, 107, "", b"other")]].concat());
    assert_eq!(log.text(0, B), "_____other");
    let log = run(&[&asked[..], &[seg(B, 901, 104, "", b"first")]].concat());
    assert_eq!(log.text(0, B), "first");
}

#[test]
fn a_capture_that_lacks_much_says_nothing_of_who_falls_silent() {
    let other = |seg: Seg| Seg { client_port: 6000, ..seg };
    let behind = |acknowledged: u32, packets: u32| {
        let mut feed = Feed::new();
        feed.segs(&handshake());
        feed.seg(&seg(A, 101, 901, "", b"anybody there?"));
        feed.segs(&handshake().map(other));
        for n in 0..packets {
            feed.seg(&other(seg(A, 101 + n, 901, "", b"x")));
        }
        feed.seg(&other(seg(A, 101 + packets, acknowledged, "", b"")));
        feed.finish().behind.contains(&(0, B.index()))
    };
    assert!(behind(950, 20), "49 bytes are missing");
    assert!(!behind(901, 20), "none");
    assert!(!behind(950, 300), "hardly any");
}
