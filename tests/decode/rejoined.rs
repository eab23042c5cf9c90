//! What is there is found again: captures of WebSocket, cut at random packets so that they
//! are joined midway, give the frames that they have from there on, and no other.
//!
//! Which frames those are follows from the whole capture. A frame can be found when all its
//! packets are there, and in its direction one can know where frames begin: from the first
//! frame on that begins where a packet's bytes begin. After a handshake that is still there
//! all are to be found.
//!
//! Over HTTP/2 they can be from the client's preface on. Behind it, header fields stand in a table of which
//! the beginning is not known, and frames of HTTP/2 are told by three in a row of each side: what is found
//! then is as it may be, as long as nothing is invented.
use crate::midway::{Found, Seen, Trace, places, traces};

/// Cuts of each capture.
const CUTS: usize = 50;

/// What was to be found, and what was.
#[derive(Clone, Copy, Debug, Default)]
struct Score {
    cuts: usize,
    /// Frames that were to be found, and those of them that were.
    expected: usize,
    found: usize,
    /// Frames that the whole capture does not have.
    invented: usize,
}

/// The frames of `whole` that can be found when the first `skip` packets are missing:
/// each connection's by itself.
fn to_be_found(whole: &Found, skip: u64) -> Vec<Vec<&Seen>> {
    let mut ways: Vec<&(String, String)> = whole.frames.iter().map(|frame| &frame.way).collect();
    ways.sort();
    ways.dedup();
    let mut connections: Vec<Vec<&Seen>> = Vec::new();
    for way in ways {
        if whole.prefaces.get(way).is_some_and(|packet| packet.is_none_or(|packet| packet < skip)) {
            continue;
        }
        let frames: Vec<&Seen> = whole.frames.iter().filter(|frame| &frame.way == way).collect();
        let mut before: Option<&Seen> = None;
        let mut begun = whole.handshakes.get(way).is_some_and(|packet| *packet >= skip);
        let mut list = Vec::new();
        for frame in frames {
            let there = frame.packets.0 >= skip;
            let fresh = before.map_or_else(
                || whole.handshakes.get(way).is_none_or(|packet| *packet < frame.packets.0),
                |before| before.packets.1 < frame.packets.0,
            );
            begun |= there && fresh;
            if there && begun {
                list.push(frame);
            }
            before = Some(frame);
        }
        let other = (way.1.clone(), way.0.clone());
        match connections.iter_mut().find(|list| list.first().is_some_and(|frame| frame.way == other)) {
            Some(connection) => connection.extend(list),
            None => connections.push(list),
        }
    }
    connections
}

/// Those of `frames` that `others` does not have, each counted once.
fn without<'a>(mut frames: Vec<&'a Seen>, others: &[&'a Seen]) -> Vec<&'a Seen> {
    for other in others {
        if let Some(at) = frames.iter().position(|frame| frame.same() == other.same()) {
            frames.remove(at);
        }
    }
    frames
}

/// Cuts a capture, counts, and says what is not as it should be: frames that are not there, and
/// frames that are and are missed, but those of which a connection has no more than `lone`.
fn score(trace: &Trace, cuts: usize, seed: u64, lone: usize, sum: &mut Score) -> Vec<String> {
    let name = &trace.name;
    let whole = trace.from(0);
    let mut wrong = Vec::new();
    // What only a handshake tells from WebSocket, since it led elsewhere, is none of this.
    if whole.frames.is_empty() {
        return wrong;
    }
    for skip in places(trace.packets.len(), cuts, seed) {
        let part = trace.from(skip);
        let found: Vec<&Seen> = part.frames.iter().collect();
        let invented = without(found.clone(), &whole.frames.iter().collect::<Vec<_>>());
        sum.cuts += 1;
        sum.invented += invented.len();
        if let Some(first) = invented.first() {
            wrong.push(format!("{name} without {skip}: {} invented, {first:?}", invented.len()));
        }
        for connection in to_be_found(&whole, skip as u64) {
            let expected = connection.len();
            let missed = without(connection, &found);
            sum.expected += expected;
            sum.found += expected - missed.len();
            if let Some(first) = missed.first().filter(|_| expected > lone) {
                let missed = missed.len();
                wrong.push(format!("{name} without {skip}: {missed} of {expected} missed, {first:?}"));
            }
        }
    }
    wrong
}

/// A frame alone is no evidence, unless it is masked text: an empty Close is two bytes.
const LONE: usize = 1;

#[test]
fn healthy_captures_joined_midway_give_every_frame_from_there_on() {
    let mut wrong = Vec::new();
    for (folder, kinds) in [
        ("samples", &[".pcap", ".pcapng", ".script"][..]),
        ("samples/clean", &[".script"]),
        ("samples/socketio", &[".pcap.gz"]),
        ("samples/compare", &[".pcap"]),
    ] {
        let mut sum = Score::default();
        for (seed, path) in traces(folder, kinds).iter().enumerate() {
            wrong.extend(score(&Trace::read(path), CUTS, seed as u64, LONE, &mut sum));
        }
        println!("{folder}: {sum:?}");
        assert!(sum.found * 1000 >= sum.expected * 995, "{folder}: {sum:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn broken_captures_joined_midway_give_no_other_frames() {
    let mut sum = Score::default();
    let mut wrong = Vec::new();
    for path in traces("samples/broken", &[".script", ".pcap"]) {
        let trace = Trace::read(&path);
        // Another sample in the folder cuts none of the others elsewhere.
        let seed =
            trace.name.bytes().fold(0, |seed: u64, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        // What breaks the rules is no evidence: it is missed where nothing healthy stands before it.
        wrong.extend(score(&trace, 5, seed, usize::MAX, &mut sum));
    }
    println!("samples/broken: {sum:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(sum.found * 1000 >= sum.expected * 995, "{sum:?}");
}

/// What is missing of a connection of HTTP/2 before the client's preface takes nothing from it.
#[test]
fn http2_is_joined_before_its_preface() {
    for path in traces("samples/clean", &[".script"]) {
        let trace = Trace::read(&path);
        let whole = trace.from(0);
        let Some(preface) = whole.prefaces.values().flatten().min().copied() else { continue };
        for skip in 1..=preface as usize {
            let part = trace.from(skip);
            let frames = (part.frames.len(), &part.findings[..]);
            assert_eq!(frames, (whole.frames.len(), &[][..]), "{} without {skip}", trace.name);
        }
    }
}
