//! What TCP says of made-up conversations.

use super::*;
use crate::model::{Resent, RoundTrip, Stuck, TcpSide};
use crate::net::Side::{A, B};
use crate::net::testing::{Feed, Seg, seg};

/// The client's numbers go on from 101, the server's from 501; each packet comes a millisecond later.
fn opened() -> Feed {
    let mut feed = Feed::new();
    feed.segs(&[seg(A, 100, None, "S", b""), seg(B, 500, 101, "S", b""), seg(A, 101, 501, "", b"")]);
    feed
}

fn facts(feed: Feed) -> [TcpSide; 2] {
    let mut log = feed.finish();
    assert_eq!(log.facts.len(), 1);
    log.facts.remove(0).sides
}

fn after(segs: &[Seg]) -> [TcpSide; 2] {
    let mut feed = opened();
    feed.segs(segs);
    facts(feed)
}

fn millis(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn window(window: u16, seg: Seg) -> Seg {
    Seg { window, ..seg }
}

#[test]
fn a_healthy_connection_has_round_trips_and_ends_and_nothing_else() {
    let [client, server] = after(&[
        seg(A, 101, 501, "", b"ask"),
        seg(B, 501, 104, "", b""),
        seg(B, 501, 104, "", b"answer"),
        seg(A, 104, 507, "", b""),
        seg(A, 104, 507, "F", b""),
        seg(B, 507, 105, "F", b""),
    ]);
    assert_eq!(client.fin.map(|at| at.packet), Some(8));
    assert_eq!(server.fin.map(|at| at.packet), Some(9));
    assert_eq!(
        (client.heard, server.heard),
        (Some((8, Time(1_008_000_000))), Some((9, Time(1_009_000_000))))
    );
    assert_eq!((client.spoke, server.spoke), (Some(Time(1_004_000_000)), Some(Time(1_006_000_000))));
    let round_trip = |samples| RoundTrip {
        handshake: Some(millis(1)),
        least: Some(millis(1)),
        smoothed: Some(millis(1)),
        samples,
    };
    assert_eq!((client.round_trip, server.round_trip), (round_trip(2), round_trip(2)));
    for side in [client, server] {
        let TcpSide { heard, spoke, bytes, fin, round_trip, .. } = side;
        assert!(bytes == 3 || bytes == 6);
        assert_eq!(side, TcpSide { heard, spoke, bytes, fin, round_trip, syn: true, ..TcpSide::default() });
    }
}

#[test]
fn what_is_sent_again_is_counted_and_whether_it_was_answered() {
    let data = || seg(A, 101, 501, "", b"hello");
    let [client, _] = after(&[data(), data(), data(), seg(B, 501, 106, "", b"")]);
    assert_eq!((client.resent.segments, client.resent.bytes), (2, 10));
    assert_eq!((client.resent.unanswered, client.unacknowledged), (0, 0));
    assert_eq!(client.resent.first.map(|at| at.packet), Some(5));
    // Of which an acknowledgement is, nobody can tell.
    assert_eq!(client.round_trip.samples, 1);

    let [client, server] = after(&[data(), data(), seg(B, 501, 101, "", b""), data(), data()]);
    assert_eq!((client.resent.segments, client.resent.unanswered), (3, 2));
    assert_eq!(client.resent.unanswered_from.map(|at| at.packet), Some(7));
    assert_eq!((client.unacknowledged, server.heard.map(|(packet, _)| packet)), (5, Some(6)));
}

#[test]
fn what_the_peer_waits_for_is_stuck_until_it_arrives() {
    let sent = |seq, data: &[u8]| seg(A, seq, 501, "", data);
    let again =
        [sent(101, b"large"), sent(106, b"x"), sent(101, b"large"), sent(106, b"x"), sent(101, b"large")];
    let [client, _] = after(&again);
    let stuck = client.resent.stuck;
    assert_eq!((stuck.bytes, stuck.times, stuck.since.map(|at| at.packet)), (5, 2, Some(6)));
    let [client, _] = after(&[&again[..], &[seg(B, 501, 107, "", b"")]].concat());
    assert_eq!((client.resent.stuck, client.resent.segments), (Stuck::default(), 3));
}

#[test]
fn a_syn_and_a_fin_are_sent_again_too() {
    let mut feed = Feed::new();
    let syn = || seg(A, 100, None, "S", b"");
    feed.segs(&[syn(), syn(), seg(B, 500, 101, "S", b""), seg(A, 101, 501, "", b"")]);
    feed.segs(&[seg(A, 101, 501, "F", b""), seg(A, 101, 501, "F", b"")]);
    let [client, server] = facts(feed);
    assert_eq!((client.resent.segments, client.resent.unanswered, client.resent.bytes), (2, 1, 0));
    assert_eq!((client.round_trip.handshake, server.round_trip.handshake), (None, Some(millis(1))));
}

#[test]
fn what_was_captured_twice_was_not_sent_again() {
    let mut feed = opened();
    for number in 0..3 {
        feed.seg(&seg(A, 101 + number, 501, "", b"x"));
        feed.time -= 999_999;
        feed.seg(&seg(A, 101 + number, 501, "", b"x"));
    }
    let [client, _] = facts(feed);
    assert_eq!((client.copies, client.resent), (3, Resent::default()));
}

#[test]
fn a_hole_is_filled_by_what_was_overtaken_or_sent_again() {
    // The handshake took two milliseconds.
    let late = |packets: u64| {
        let mut feed = opened();
        feed.segs(&[seg(A, 101, 501, "", b"a"), seg(A, 103, 501, "", b"c")]);
        feed.time += packets * 1_000_000;
        feed.seg(&seg(A, 102, 501, "", b"b"));
        let [client, _] = facts(feed);
        (client.out_of_order, client.resent.segments, client.resent.bytes)
    };
    assert_eq!(late(0), (1, 0, 0));
    assert_eq!(late(1), (0, 1, 1));
    assert_eq!(late(200), (0, 1, 1));
}

#[test]
fn duplicate_acknowledgements_are_of_what_is_missing() {
    let ack = |number| seg(B, 501, number, "", b"");
    let three = [seg(A, 101, 501, "", b"a"), seg(A, 102, 501, "", b"b"), seg(A, 103, 501, "", b"c")];
    let [_, server] = after(&[&three[..], &[ack(102), ack(102), ack(102)]].concat());
    assert_eq!(server.duplicate_acks, 2);
    // Another window, nothing missing, data with it: none of these is one.
    let others = [ack(102), window(2048, ack(102)), ack(104), ack(104), seg(B, 501, 104, "", b"x")];
    let [_, server] = after(&[&three[..], &others[..]].concat());
    assert_eq!(server.duplicate_acks, 0);
}

#[test]
fn a_window_of_nothing_lasts_until_it_opens() {
    let shut = || window(0, seg(B, 501, 102, "", b""));
    let [_, server] = after(&[
        seg(A, 101, 501, "", b"a"),
        shut(),
        // Linux asks with a number that was acknowledged, others with the next byte.
        seg(A, 101, 501, "", b""),
        shut(),
        seg(A, 102, 501, "", b"b"),
        shut(),
        seg(B, 501, 103, "", b""),
        window(0, seg(B, 501, 103, "", b"x")),
        seg(A, 103, 502, "", b""),
    ]);
    let zero = server.zero_window;
    assert_eq!((zero.times, zero.probes, zero.at_end), (2, 2, true));
    assert_eq!((zero.longest, zero.total), (millis(5), millis(6)));
    assert_eq!(zero.first.map(|at| at.packet), Some(5));
}

/// Of packets that are cut short only the beginning is there; what was asked is asked all the same.
#[test]
fn a_window_is_asked_for_behind_bytes_that_are_not_there() {
    let [_, server] = after(&[
        seg(A, 101, 501, "", b"a"),
        window(0, seg(B, 501, 105, "", b"")),
        seg(A, 104, 501, "", b""),
        window(0, seg(B, 501, 105, "", b"")),
    ]);
    assert_eq!((server.zero_window.times, server.zero_window.probes), (1, 1));
    // A byte that was acknowledged and comes only now is no question.
    let [client, _] =
        after(&[seg(A, 101, 501, "", b"a"), seg(B, 501, 103, "", b""), seg(A, 102, 501, "", b"b")]);
    assert_eq!(client.keep_alive.sent, 0);
}

#[test]
fn bytes_may_be_missing_right_before_an_end() {
    let said = seg(A, 101, 501, "", b"a");
    let [client, _] = after(&[said, seg(B, 501, 102, "", b""), seg(A, 102, 501, "F", b"")]);
    assert!(client.fin.is_some() && !client.fin_behind_hole);
    let said = seg(A, 101, 501, "", b"a");
    let [client, _] = after(&[said, seg(B, 501, 102, "", b""), seg(A, 106, 501, "F", b"")]);
    assert!(client.fin.is_some() && client.fin_behind_hole);
}

#[test]
fn the_window_of_a_reset_means_nothing() {
    let [client, server] = after(&[
        seg(A, 101, 501, "", b"a"),
        window(0, seg(B, 501, None, "R", b"")),
        seg(A, 102, 501, "", b"b"),
    ]);
    assert_eq!(server.zero_window, ZeroWindow::default());
    assert_eq!((server.reset.map(|at| at.packet), client.reset), (Some(5), None));
    assert_eq!(client.unacknowledged, 1);
}

#[test]
fn a_reset_says_what_it_has_received() {
    let segs = [seg(A, 101, 501, "", b"abc"), seg(A, 104, 501, "", b"def")];
    let [client, server] = after(&[&segs[..], &[seg(B, 501, 104, "R", b"")]].concat());
    assert_eq!((client.unacknowledged, server.unacknowledged), (3, 0));
}

#[test]
fn keep_alive_probes_are_told_from_data() {
    let probe = |data: &[u8]| seg(A, 101, 501, "", data);
    let data = [seg(A, 101, 501, "", b"a"), seg(B, 501, 102, "", b"")];
    let answered = [probe(b""), seg(B, 501, 102, "", b""), probe(&[0]), seg(B, 501, 102, "", b"")];
    let [client, server] = after(&[&data[..], &answered[..]].concat());
    let keep_alive = client.keep_alive;
    assert_eq!((keep_alive.sent, keep_alive.answered, keep_alive.unanswered), (2, 2, 0));
    assert_eq!((client.resent.segments, server.duplicate_acks), (0, 0));
    assert_eq!(client.spoke, Some(Time(1_004_000_000)));

    let vain = [probe(b""), seg(B, 501, 102, "", b""), probe(b""), probe(b""), probe(b"")];
    let [client, _] = after(&[&data[..], &vain[..]].concat());
    let keep_alive = client.keep_alive;
    assert_eq!((keep_alive.sent, keep_alive.answered, keep_alive.unanswered), (4, 1, 3));
    assert_eq!(keep_alive.unanswered_from.map(|at| at.packet), Some(8));
}

#[test]
fn data_after_the_end_is_counted() {
    let [client, server] = after(&[
        seg(B, 501, 101, "F", b""),
        seg(A, 101, 502, "", b"more"),
        seg(B, 502, 105, "", b"not allowed"),
        seg(A, 105, 502, "", b"!"),
    ]);
    assert_eq!((client.after_peers_fin, client.after_own_fin), (5, 0));
    assert_eq!((server.after_peers_fin, server.after_own_fin), (0, 11));
}

#[test]
fn data_long_after_a_reset_is_counted() {
    let late = |millis: u64| {
        let mut feed = opened();
        feed.segs(&[seg(A, 101, 501, "", b"a"), seg(B, 501, 102, "R", b"")]);
        feed.time += millis * 1_000_000;
        feed.segs(&[seg(A, 102, 501, "", b"b"), seg(A, 102, 501, "", b"b")]);
        let [client, server] = facts(feed);
        assert_eq!((server.after_peers_reset, server.last_after_reset), (0, None));
        (client.after_peers_reset, client.last_after_reset.map(|at| at.packet))
    };
    assert_eq!(late(10), (0, None), "on its way");
    assert_eq!(late(300), (2, Some(7)));
}

#[test]
fn a_direction_that_was_not_captured_says_nothing() {
    let mut feed = Feed::new();
    feed.segs(&[seg(A, 101, 501, "", b"abc"), seg(A, 104, 501, "", b"def")]);
    let [client, server] = facts(feed);
    assert_eq!((client.unacknowledged, server), (0, TcpSide::default()));
}
