//! What TCP shows of programs and networks: who does not read, what got lost, when nothing came back.

use std::time::Duration;

use super::over::{Over, seen_in};
use crate::model::quantity::{grouped, share, wait};
use crate::model::{
    At, Case, Cite, Diagnosis, Dir, Finding, Measure, Quantity, Rule, StreamEnd, TcpEnd, TcpFacts, TcpSide,
    Text, rules,
};

rules! {
    /// What TCP shows.
    RULES;
    ZERO_WINDOW = "zero-window", Warning, Cite { doc: "RFC 9293", section: "3.8.6" }, Either,
        "an endpoint did not read what had arrived: its TCP receive window was zero",
        "its peer may send nothing meanwhile: messages, pings and Close frames wait in its memory",
        usually "a program that is busy, blocked, or too slow for what it is sent, or a proxy before one",
        mend "read all the time and work elsewhere; bound what waits for a receiver, drop or merge the rest";
    PACKET_LOSS = "packet-loss", Warning, Cite { doc: "RFC 5681", section: "3.2" }, Capture,
        "a good part of what an endpoint sent had to be sent again",
        "messages come late and in bursts: each loss costs a round trip or more, and makes TCP send less",
        usually "a bad or overloaded link: Wi-Fi, mobile networks, a full queue, a wrong duplex mode",
        mend "compare captures of both ends to see where it is lost; allow more time for pongs meanwhile";
    LARGE_LOST = "large-packets-lost", Error, Cite { doc: "RFC 9293", section: "3.7.2" }, Capture,
        "a large segment was sent again and again in vain, while its receiver went on answering",
        "the connection stands still: what comes behind the segment waits for it, until somebody gives up",
        usually "a tunnel or VPN on the way that takes smaller packets only, and whose ICMP message about it \
                 is dropped",
        mend "lower the MTU, or clamp the MSS at the tunnel; let ICMP through (fragmentation needed, packet \
              too big)";
    WENT_DARK = "path-went-dark", Error, Cite { doc: "RFC 9293", section: "3.8.3" }, Capture,
        "what an endpoint sent was sent again and again, and nothing came back any more",
        "neither endpoint learns of it: the sender gives up after some fifteen minutes, its peer never",
        usually "a cable, Wi-Fi or VPN that is gone, a host without power, a NAT that forgot the connection",
        mend "send pings and give up when no pong comes in time; look at what changed on the way then";
    INTERRUPTED = "path-interrupted", Warning, Cite { doc: "RFC 9293", section: "3.8.3" }, Capture,
        "for some seconds an endpoint sent again and again, and nothing came back; then it went on",
        "messages come late, all at once; pings and requests with a short timeout fail meanwhile",
        usually "a link that was gone for that time (Wi-Fi, mobile network, VPN, a failover), or a host that \
                 was suspended",
        mend "allow more time for pongs than such a gap lasts; look at what changed on the way, and whether \
              a host slept";
    VANISHED = "keep-alive-unanswered", Error, Cite { doc: "RFC 9293", section: "3.8.4" }, Capture,
        "an endpoint's TCP asked whether its peer is there, and nothing came back",
        "the connection is open for one of them only, until its TCP gives up",
        usually "a host that lost power or network, or a NAT or firewall that forgot the connection",
        mend "send pings more often than that: who is gone is noticed, and a NAT does not forget";
    SENT_AFTER_FIN = "sent-after-fin", Warning, Cite { doc: "RFC 9293", section: "3.6.1" }, Either,
        "an endpoint went on sending although its peer had closed TCP, and was answered with RST",
        "what it sent is lost, and so may be what it had not read yet",
        usually "a program that only writes, and notices that the other side is gone when a write fails",
        mend "read all the time, also where no message is expected; take the end of the stream for the end";
    CLOSE_WAIT = "left-in-close-wait", Warning, Cite { doc: "RFC 9293", section: "3.6" }, Either,
        "an endpoint left its side of TCP open long after its peer had ended the connection",
        "it takes the connection for open, and holds a socket (CLOSE_WAIT) for nothing",
        usually "a program that does not read, is busy or stuck, or forgets to close its socket when a read \
                 says that it is over",
        mend "read all the time; close the socket as soon as a read says that the peer has ended";
    SENT_AFTER_RST = "sent-after-rst", Warning, Cite { doc: "RFC 9293", section: "3.5.3" }, Capture,
        "an endpoint went on sending although its peer had reset TCP: the reset did not reach it",
        "what it sends is lost, and it learns of that only when its TCP gives up, after minutes",
        usually "a firewall that drops resets, a way back that is gone, or a reset that a device on the way \
                 sent to one of the two only",
        mend "compare captures of both ends: where is the reset, and who sent it; send pings and give up \
              when no pong comes in time";
}

/// Nanoseconds that a window is zero at least before it matters: shorter ones are TCP at work.
const SHUT: u64 = 1_000_000_000;
/// Segments that were sent again, and their share, that make a lossy network.
const LOST: u32 = 8;
const LOST_SHARE: f64 = 0.02;
/// Segments sent again, or probes, without an answer, and nanoseconds from the first of them on.
const VAIN: u32 = 3;
const VAIN_FOR: i64 = 1_000_000_000;
/// For how many nanoseconds nothing comes back, to be a way that was gone: TCP sends again within this time
/// even where much is lost.
const GONE_FOR: i64 = 2_000_000_000;
/// For how many nanoseconds the one is heard while nothing of the other arrives, to be a way that is dark.
const ONE_WAY_FOR: i64 = 3_000_000_000;
/// Bytes of a segment that is large: any way takes smaller ones (1,280 with its headers in IPv6).
const LARGE: u64 = 1000;
/// Nanoseconds after which who reads has long closed its side, too.
const LEFT_OPEN: i64 = 2_000_000_000;
/// Nanoseconds after which the end of a stream has come across, and somebody who reads has noticed it.
const NOTICED: i64 = 200_000_000;

/// Whether one of these already says why a connection was given up.
pub(super) fn explains(rule: &Rule) -> bool {
    [&LARGE_LOST, &WENT_DARK, &VANISHED, &SENT_AFTER_RST].contains(&rule)
}

pub(super) fn find(over: &Over<'_>, causes: &mut Vec<Finding>) {
    let Some(facts) = over.ending.transport.as_deref() else { return };
    for dir in [Dir::Client, Dir::Server] {
        let (side, peer) = (&facts.sides[dir.index()], &facts.sides[dir.peer().index()]);
        // Nothing of the kind has happened in most connections.
        if side.zero_window.probes > 0 {
            causes.extend(zero_window(dir, side, facts));
        }
        let large = if side.resent.segments > 0 { large_lost(dir, side, peer) } else { None };
        // Of a peer that was never heard, perhaps nothing was captured.
        let is_dark = large.is_none() && peer.heard.is_some() && side.resent.unanswered > 0;
        if side.resent.segments > 0 {
            let found = large.or_else(|| one_way_dark(dir, side, peer));
            causes.extend(found.or_else(|| packet_loss(dir, side, facts)));
        }
        if side.resent.segments > 0 && peer.heard.is_some() {
            causes
                .extend(interrupted(dir, side, peer).filter(|_| !causes.iter().any(|it| explains(it.rule))));
        }
        if is_dark {
            causes.extend(went_dark(dir, side));
        }
        if peer.heard.is_some() && side.keep_alive.unanswered > 0 {
            causes.extend(vanished(dir, side));
        }
        if side.after_peers_fin > 0 {
            causes.extend(sent_after_fin(over, dir, side, peer));
        }
        if let Some(late) = left_open(over, dir, side) {
            let is_told = causes.iter().any(|it| explains(it.rule) || super::heartbeat::explains(it.rule));
            causes.extend(close_wait(over, dir, side, late).filter(|_| !is_told));
        }
        if side.after_peers_reset > 0 && over.is_websocket() {
            causes.extend(sent_after_rst(dir, side, peer, facts));
        }
    }
}

/// For how long, in nanoseconds, `dir` had not read when its peer ended the connection, if that was so until
/// then.
pub(super) fn shut_at_end(over: &Over<'_>, dir: Dir, end: TcpEnd) -> Option<i64> {
    let facts = over.ending.transport.as_deref()?;
    let zero = &facts.sides[dir.index()].zero_window;
    let since = end.time?.since(zero.first?.time?);
    let (longest, total) = (nanos(zero.longest), nanos(zero.total));
    // It reads what is left once its peer has gone.
    let is_until_then = zero.at_end || since - total <= VAIN_FOR;
    (zero.probes > 0 && longest >= nanos(Duration::from_nanos(SHUT)) && is_until_then)
        .then_some(longest.min(since))
}

fn nanos(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// How long the way there and back is at best: to the one end from where it was captured, and to the other.
fn round_trip(facts: &TcpFacts) -> Option<String> {
    facts.least_round_trip().map(|it| wait(nanos(it)))
}

fn zero_window(dir: Dir, side: &TcpSide, facts: &TcpFacts) -> Option<Finding> {
    let zero = &side.zero_window;
    // Where nobody asks whether it has opened, nobody had anything to send.
    if zero.probes == 0 || zero.longest < Duration::from_nanos(SHUT) {
        return None;
    }
    let peer = &facts.sides[dir.peer().index()];
    let got = match zero.times {
        1 => Text::new("the {}'s window was zero for {}").word(dir.name()),
        _ => Text::new("the {}'s window was zero for {} at a time, {} times").word(dir.name()),
    };
    let got = got.and(wait(nanos(zero.longest)));
    let got = if zero.times == 1 { got } else { got.and(zero.times) };
    let case = Case::new(
        Text::new("stood still at a zero window: the {} did not read").word(dir.name()),
        vec![Measure::of(Quantity::Waited, nanos(zero.longest))],
    );
    let is_lossy = peer.resent.segments >= LOST && peer.resent_share() >= LOST_SHARE;
    let behind = match round_trip(facts) {
        Some(trip) if !is_lossy => Text::with(
            "a slow consumer, not a slow network: its window was zero for {}, a round trip takes {}",
            wait(nanos(zero.longest)),
        )
        .and(trip),
        _ => {
            Text::new("the {}'s program is busy or blocked, or slower than what it is sent").word(dir.name())
        }
    };
    let mend = Text::new(
        "look at what the {} did at that time; bound what waits for it, and drop or merge the rest",
    )
    .word(dir.name());
    let finding = Finding::new(&ZERO_WINDOW, dir, "a receiver that reads".into(), got)
        .because(Diagnosis::new(ZERO_WINDOW.id, behind, mend))
        .like(case);
    Some(seen_in(finding, zero.first.map_or(0, |at| at.packet)))
}

fn packet_loss(dir: Dir, side: &TcpSide, facts: &TcpFacts) -> Option<Finding> {
    let resent = &side.resent;
    let lost = side.resent_share();
    let answered = resent.segments.saturating_sub(resent.unanswered);
    // A capture that has packets twice, in another order, may look like it.
    if answered < LOST || lost < LOST_SHARE || side.copies > resent.segments / 4 {
        return None;
    }
    let got = Text::with("{} segments, {} of the bytes, were sent again", grouped(answered.into()))
        .and(share(lost));
    let case = Case::new(
        Text::new("lost packets of the {} on the way").word(dir.name()),
        vec![
            Measure::of(Quantity::Share, (lost * 1000.0).round() as i64),
            Measure::of(Quantity::Times, answered.into()),
        ],
    );
    let mut finding = Finding::new(&PACKET_LOSS, None, "hardly any".into(), got).like(case);
    if let Some(trip) = round_trip(facts) {
        let behind =
            Text::with("a bad or overloaded link; at a round trip of {}, each loss costs that or more", trip);
        let mend =
            "compare captures of both ends to see where it is lost; allow more time for pongs meanwhile";
        finding = finding.because(Diagnosis::new(PACKET_LOSS.id, behind, mend));
    }
    Some(seen_in(finding, resent.first.map_or(0, |at| at.packet)))
}

/// A segment that never arrives, although others do, is one that is too large for the way.
fn large_lost(dir: Dir, side: &TcpSide, peer: &TcpSide) -> Option<Finding> {
    let stuck = &side.resent.stuck;
    let first = stuck.since.and_then(|at| at.time);
    let answered = first.zip(peer.heard).map_or(0, |(first, (_, heard))| heard.since(first));
    // What is behind it and is smaller has arrived; nothing else was sent since, to be answered.
    let has_smaller_arrived =
        answered < VAIN_FOR && stuck.arrived > 0 && u64::from(stuck.arrived) < stuck.bytes;
    let lasted = if has_smaller_arrived { since(side, stuck.since) } else { answered };
    // A duplicate acknowledgement says that something else has arrived.
    let is_answered = lasted >= VAIN_FOR && peer.duplicate_acks > 0;
    if stuck.times <= VAIN || stuck.bytes < LARGE || !is_answered || peer.zero_window.at_end {
        return None;
    }
    let words = "{} bytes of the {}, sent again {} times in {}, and acknowledgements of what is before";
    let got = Text::with(words, grouped(stuck.bytes)).word(dir.name()).and(stuck.times).and(wait(lasted));
    let what = if has_smaller_arrived {
        "stood still: a segment of the {} with {} bytes was sent again and again in vain, and smaller ones \
         behind it had arrived"
    } else {
        "stood still: a segment of the {} with {} bytes was sent again and again in vain, while its peer \
         went on answering"
    };
    let case = Case::new(
        Text::new(what).word(dir.name()).and(grouped(stuck.bytes)),
        vec![Measure::of(Quantity::Times, stuck.times.into()), Measure::of(Quantity::Waited, lasted)],
    );
    let behind = "packets of this size do not get through, smaller ones do: a tunnel or VPN on the way has \
                  a smaller MTU, and the ICMP message that says so is dropped (an MTU black hole)";
    let mend = "lower the MTU, or clamp the MSS at the tunnel; let ICMP through (fragmentation needed, \
                packet too big); on Linux tcp_mtu_probing=1 finds the size without it";
    let finding = Finding::new(&LARGE_LOST, None, "an acknowledgement".into(), got)
        .because(Diagnosis::new(LARGE_LOST.id, behind, mend))
        .like(case);
    Some(seen_in(finding, stuck.since.map_or(0, |at| at.packet)))
}

/// Nanoseconds from a packet to the last one of its sender.
fn since(side: &TcpSide, from: Option<At>) -> i64 {
    let (first, last) = (from.and_then(|at| at.time), side.heard);
    first.zip(last).map_or(0, |(first, (_, last))| last.since(first))
}

fn went_dark(dir: Dir, side: &TcpSide) -> Option<Finding> {
    let resent = &side.resent;
    let lasted = since(side, resent.unanswered_from);
    if resent.unanswered < VAIN || lasted < VAIN_FOR {
        return None;
    }
    let got = Text::new("the {} sent {} segments again in {}, and nothing came back")
        .word(dir.name())
        .and(resent.unanswered)
        .and(wait(lasted));
    let case = Case::new(
        Text::new("went dark: what the {} sends is not acknowledged any more").word(dir.name()),
        vec![Measure::of(Quantity::Waited, lasted)],
    );
    let finding = Finding::new(&WENT_DARK, None, "an acknowledgement".into(), got).like(case);
    Some(seen_in(finding, resent.unanswered_from.map_or(0, |at| at.packet)))
}

/// Nothing came back for a while, and then it did.
fn interrupted(dir: Dir, side: &TcpSide, peer: &TcpSide) -> Option<Finding> {
    let longest = side.in_vain.as_deref()?;
    let lasted = nanos(longest.lasted);
    let is_at_end = side.resent.unanswered > 0 && side.resent.unanswered_from == longest.from;
    // Who answers with a reset at last knows of no such connection: it did not go on.
    if longest.times < VAIN || lasted < GONE_FOR || is_at_end || peer.reset.is_some() {
        return None;
    }
    let got = Text::new("the {} sent {} segments again in {}, until something came back")
        .word(dir.name())
        .and(longest.times)
        .and(wait(lasted));
    let case = Case::new(
        Text::new("stood still: what the {} sent was not acknowledged for some time, and then it went on")
            .word(dir.name()),
        vec![Measure::of(Quantity::Waited, lasted)],
    );
    let finding = Finding::new(&INTERRUPTED, None, "an acknowledgement at once".into(), got).like(case);
    Some(seen_in(finding, longest.from.map_or(0, |at| at.packet)))
}

/// What one of them sends is not acknowledged, although the other one is heard: only one way is dark.
fn one_way_dark(dir: Dir, side: &TcpSide, peer: &TcpSide) -> Option<Finding> {
    let stuck = &side.resent.stuck;
    let (since, (_, heard)) = (stuck.since.and_then(|at| at.time)?, peer.heard?);
    let lasted = heard.since(since);
    // What is large may be too large for the way; what is known twice may be a copy; who has reset it
    // answers no more, and who has no room takes nothing.
    let is_other = stuck.times <= VAIN
        || side.resent.unanswered >= VAIN
        || stuck.bytes >= LARGE
        || stuck.arrived > 0
        || side.copies > side.resent.segments / 4
        || side.reset.or(peer.reset).is_some()
        || peer.zero_window.times > 0;
    if is_other || lasted < ONE_WAY_FOR {
        return None;
    }
    let got = Text::new("{} bytes of the {} were sent again {} times, and the {} was heard for {} meanwhile")
        .and(grouped(stuck.bytes))
        .word(dir.name())
        .and(stuck.times)
        .word(dir.peer().name())
        .and(wait(lasted));
    let what = Text::new(
        "went dark one way: what the {} sends is not acknowledged any more, although the {} is heard",
    )
    .word(dir.name())
    .word(dir.peer().name());
    let behind = Text::new(
        "the way from the {} to the {} is cut, and the one back is not: a firewall, a route of this \
         direction alone, a NAT that forgot the connection",
    )
    .word(dir.name())
    .word(dir.peer().name());
    let mend = "compare captures of both ends: up to where do packets of this direction come";
    let finding = Finding::new(&WENT_DARK, None, "an acknowledgement".into(), got)
        .because(Diagnosis::new(WENT_DARK.id, behind, mend))
        .like(Case::new(what, vec![Measure::of(Quantity::Waited, lasted)]));
    Some(seen_in(finding, stuck.since.map_or(0, |at| at.packet)))
}

fn vanished(dir: Dir, side: &TcpSide) -> Option<Finding> {
    let probes = &side.keep_alive;
    let lasted = since(side, probes.unanswered_from);
    if probes.unanswered < VAIN || lasted < VAIN_FOR {
        return None;
    }
    let got = Text::new("{} keep-alive probes of the {} in {}, and nothing came back")
        .and(probes.unanswered)
        .word(dir.name())
        .and(wait(lasted));
    let case = Case::new(
        Text::new("lost its {} without a word: TCP's keep-alive probes are not answered")
            .word(dir.peer().name()),
        vec![Measure::of(Quantity::Waited, lasted)],
    );
    let finding = Finding::new(&VANISHED, None, "an answer to each".into(), got).like(case);
    Some(seen_in(finding, probes.unanswered_from.map_or(0, |at| at.packet)))
}

fn sent_after_rst(dir: Dir, side: &TcpSide, peer: &TcpSide, facts: &TcpFacts) -> Option<Finding> {
    let (reset, last) = (peer.reset?, side.last_after_reset?);
    let late = last.time?.since(reset.time?);
    // What was on its way when the reset was sent is nobody's fault.
    let crossing = facts.initial_round_trip().map_or(0, nanos).saturating_mul(2);
    if late < NOTICED.max(crossing) {
        return None;
    }
    let got = Text::new("{} segments of the {} up to {} after the RST of the {}")
        .and(side.after_peers_reset)
        .word(dir.name())
        .and(wait(late))
        .word(dir.peer().name());
    let case = Case::new(
        Text::new("was reset by the {}, and the {} went on sending").word(dir.peer().name()).word(dir.name()),
        vec![Measure::of(Quantity::Waited, late)],
    );
    let behind = Text::new(
        "the reset did not reach the {}: it was dropped on the way, the way back is gone, or a device \
         between the two sent it to one of them only",
    )
    .word(dir.name());
    let finding =
        Finding::new(&SENT_AFTER_RST, None, "nothing after the reset".into(), got).behind(behind).like(case);
    Some(seen_in(finding, last.packet))
}

/// How many nanoseconds after its peer had ended the connection `dir` closed its side of TCP, if that is
/// long.
fn left_open(over: &Over<'_>, dir: Dir, side: &TcpSide) -> Option<i64> {
    let end = over.ending.first.filter(|end| end.by == dir.peer())?;
    let late = side.fin.or(side.reset)?.time?.since(end.time?);
    (late >= LEFT_OPEN).then_some(late)
}

/// Who has not closed its side of TCP for so [long](left_open) after its peer had.
fn close_wait(over: &Over<'_>, dir: Dir, side: &TcpSide, late: i64) -> Option<Finding> {
    over.cut().filter(|end| end.how == StreamEnd::Fin)?;
    let own = side.fin.or(side.reset)?;
    let is_silent = over.ending.counts.iter().all(|counts| counts.frames == 0);
    if !over.is_websocket() || !over.is_whole() || is_silent {
        return None;
    }
    let got = Text::new("FIN from the {}, and {} later an end by the {}")
        .word(dir.peer().name())
        .and(wait(late))
        .word(dir.name());
    let what = Text::new("was ended by the {} with FIN, and the {} left its side open")
        .word(dir.peer().name())
        .word(dir.name());
    let case = Case::new(what, vec![Measure::of(Quantity::Waited, late)]);
    let mut finding = Finding::new(&CLOSE_WAIT, dir, "an end by the other side, too".into(), got).like(case);
    if side.after_peers_fin > 0 {
        let behind =
            Text::new("the {} did not notice the end, and sent {} bytes more, which nobody may have read")
                .word(dir.name())
                .and(grouped(side.after_peers_fin));
        finding = finding.behind(behind);
    }
    Some(seen_in(finding, own.packet))
}

fn sent_after_fin(over: &Over<'_>, dir: Dir, side: &TcpSide, peer: &TcpSide) -> Option<Finding> {
    // With Close frames on their way, both know that it is over.
    let end = over.cut()?;
    let (fin, reset) = (peer.fin?, peer.reset?);
    let has_lost = side.after_peers_fin > 0 && side.fin.is_none() && fin.packet < reset.packet;
    // What crosses the FIN on its way, or answers what came before it, is nobody's fault.
    let late = side.spoke?.since(fin.time?);
    if !over.is_websocket() || !has_lost || late < NOTICED || end.by == dir || end.how != StreamEnd::Fin {
        return None;
    }
    let got = Text::new("{} bytes of the {} after the FIN of the {}, which answered with RST")
        .and(grouped(side.after_peers_fin))
        .word(dir.name())
        .word(dir.peer().name());
    let case = Case::new(
        Text::new("was ended by the {} with FIN, and the {} went on sending")
            .word(dir.peer().name())
            .word(dir.name()),
        vec![Measure::of(Quantity::Waited, late)],
    );
    let behind =
        Text::new("{} bytes of the {} are lost: it does not notice that the {} is gone until a write fails")
            .and(grouped(side.after_peers_fin))
            .word(dir.name())
            .word(dir.peer().name());
    let mend = "read all the time, also where no message is expected; take the end of the stream for the end";
    let finding = Finding::new(&SENT_AFTER_FIN, dir, "nothing after the end".into(), got)
        .because(Diagnosis::new(SENT_AFTER_FIN.id, behind, mend))
        .like(case);
    Some(seen_in(finding, reset.packet))
}
