//! Whatever bytes of payloads a capture lacks, the others are shown at their places.

use proptest::prelude::*;

use super::*;
use crate::limits;
use crate::model::{Body, Deflate, Emitter, Hole, Missing, Part, Sink, Time, Unit, Utf8, Wants, hole};
use crate::ws::half::Scratch;

/// A payload as it was sent: `None` is missing, and shorter than sent where not all is kept.
type Seen = Vec<Option<u8>>;

fn seen(bytes: &[u8], holes: &[Hole]) -> Seen {
    let mut seen = Seen::new();
    for part in hole::parts(bytes, holes) {
        match part {
            Part::Bytes(from, bytes) => {
                assert_eq!(from, seen.len() as u64);
                seen.extend(bytes.iter().copied().map(Some));
            }
            Part::Hole(hole) => {
                assert_eq!(hole.offset, seen.len() as u64);
                seen.extend(std::iter::repeat_n(None, hole.length as usize));
            }
        }
    }
    let again: Seen = (0..seen.len() as u64).map(|at| hole::byte(bytes, holes, at)).collect();
    assert_eq!(again, seen);
    seen
}

#[derive(Default)]
struct Shown {
    /// How many bytes of a payload are kept.
    payload: u64,
    frames: Vec<Seen>,
    messages: Vec<(Seen, bool)>,
    rules: Vec<&'static str>,
    most_holes: usize,
}

impl Sink for Shown {
    fn wants(&self) -> Wants {
        Wants { fields: true, payload: self.payload, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.rules.extend(unit.findings.iter().map(|finding| finding.rule.id));
        match unit.body {
            Body::Frame(frame) => {
                assert!(frame.payload.len() as u64 <= frame.captured);
                self.most_holes = self.most_holes.max(frame.holes.len());
                self.frames.push(seen(frame.payload, frame.holes));
            }
            Body::Message(message) => {
                self.most_holes = self.most_holes.max(message.holes.len());
                self.messages.push((seen(message.payload, message.holes), message.payload_cut));
                if !message.holes.is_empty() {
                    assert!(!matches!(message.utf8, Utf8::Valid));
                }
            }
            _ => {}
        }
        ON
    }
}

/// A frame: FIN and opcode, masking key, payload, and which bytes of it are captured.
struct Sent {
    first: u8,
    key: Option<[u8; 4]>,
    payload: Vec<u8>,
    captured: Vec<bool>,
}

/// Sends the frames, `cut` bytes at a time, and keeps `payload` bytes of each.
fn show(frames: &[Sent], cut: usize, payload: u64) -> Shown {
    show_in(Extensions::NONE, frames, cut, payload)
}

fn show_in(extensions: Extensions, frames: &[Sent], cut: usize, payload: u64) -> Shown {
    let mut shown = Shown { payload, ..Shown::default() };
    let mut out = Emitter::new(&mut shown);
    let mut scratch = Scratch::default();
    let mut talk = Conversation::new(1, [0, 0], extensions);
    let at = At { packet: 1, byte: 0, time: Some(Time(0)) };
    let dir = if frames[0].key.is_some() { Dir::Client } else { Dir::Server };
    for frame in frames {
        let length = frame.payload.len();
        assert!((126..65536).contains(&length));
        let mask = if frame.key.is_some() { 0x80 } else { 0 };
        let mut head = vec![frame.first, mask | 0x7E, (length >> 8) as u8, length as u8];
        head.extend(frame.key.iter().flatten());
        for chunk in head.chunks(cut) {
            assert!(talk.push(dir, chunk, at, &mut out, &mut scratch).is_continue());
        }
        let key = frame.key.unwrap_or_default();
        let wire: Vec<u8> = frame.payload.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b).collect();
        let mut from = 0;
        for run in frame.captured.chunk_by(|a, b| a == b) {
            let bytes = &wire[from..from + run.len()];
            from += run.len();
            let flow = if run[0] {
                bytes.chunks(cut).try_for_each(|chunk| talk.push(dir, chunk, at, &mut out, &mut scratch))
            } else {
                let (missing, between) = (Missing::exactly(run.len() as u64), (Some(1), Some(2)));
                talk.gap(dir, missing, between, &super::super::TCP_RESET, &mut out, &mut scratch)
            };
            assert!(flow.is_continue());
        }
    }
    assert!(talk.finish(StreamEnd::Capture, at.time, at.time, &mut out, &mut scratch).is_continue());
    out.finish(0, 0, None);
    shown
}

fn expected(frame: &Sent) -> Seen {
    frame
        .payload
        .iter()
        .zip(&frame.captured)
        .map(|(byte, is_captured)| is_captured.then_some(*byte))
        .collect()
}

/// Runs of captured and lost bytes, the first of them either, 126 bytes at least in all.
fn runs() -> impl Strategy<Value = Vec<bool>> {
    (any::<bool>(), prop::collection::vec(1..60usize, 1..12)).prop_map(|(first, runs)| {
        let mut captured: Vec<bool> = Vec::new();
        for (at, run) in runs.iter().enumerate() {
            captured.extend(std::iter::repeat_n(first ^ (at % 2 == 1), *run));
        }
        let last = *captured.last().unwrap_or(&first);
        captured.resize(captured.len().max(126), last);
        captured
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_lost_bytes_leave_the_others_at_their_places(
        fragments in prop::collection::vec((runs(), any::<[u8; 4]>()), 1..4),
        (masked, opcode, seed) in (any::<bool>(), 1..3u8, any::<u8>()),
        (cut, room) in (1..80usize, 0..400u64),
    ) {
        let last = fragments.len() - 1;
        let frames: Vec<Sent> = fragments.into_iter().enumerate().map(|(n, (captured, key))| {
            let first = if n == last { 0x80 } else { 0 } | if n == 0 { opcode } else { 0 };
            let payload = (0..captured.len()).map(|at| (at as u8).wrapping_mul(7) ^ seed).collect();
            Sent { first, key: masked.then_some(key), payload, captured }
        }).collect();
        let each: Vec<Seen> = frames.iter().map(expected).collect();
        let whole = each.concat();

        let shown = show(&frames, cut, u64::MAX);
        prop_assert_eq!(&shown.frames, &each);
        prop_assert_eq!(&shown.messages, &vec![(whole.clone(), false)]);

        // With less room it is the beginning of the same, and said to be cut where bytes are left out.
        let part = show(&frames, cut, room);
        for (part, whole) in part.frames.iter().zip(&each) {
            prop_assert_eq!(&whole[..part.len()], &part[..]);
        }
        let (kept, is_cut) = &part.messages[0];
        prop_assert_eq!(&whole[..kept.len()], &kept[..]);
        let captured = |seen: &Seen| seen.iter().flatten().count() as u64;
        prop_assert_eq!(captured(kept), captured(&whole).min(room));
        prop_assert_eq!(*is_cut, captured(&whole) > room);
    }
}

fn text(payload: &[u8], captured: impl Fn(usize) -> bool, first: u8) -> Sent {
    let captured = (0..payload.len()).map(captured).collect();
    Sent { first, key: None, payload: payload.to_vec(), captured }
}

#[test]
fn text_is_not_judged_across_a_hole() {
    // Every character has two bytes; the hole takes half of one on each side.
    let words = "é".repeat(100);
    let shown = show(&[text(words.as_bytes(), |at| !(51..98).contains(&at), 0x81)], 9, u64::MAX);
    assert_eq!(shown.rules, ["tcp-reset"], "the hole alone is reported");
    // What is wrong before it is wrong.
    let broken = [&b"\xff"[..], words.as_bytes()].concat();
    let shown = show(&[text(&broken, |at| !(51..98).contains(&at), 0x81)], 9, u64::MAX);
    assert!(shown.rules.contains(&"invalid-utf8"), "{:?}", shown.rules);
}

#[test]
fn nothing_is_inflated_behind_a_hole() {
    let agreed = Deflate {
        server_no_context_takeover: false,
        client_no_context_takeover: false,
        server_max_window_bits: 15,
        client_max_window_bits: 15,
    };
    let deflate = Extensions { deflate: Some(agreed), ..Extensions::NONE };
    // Bytes that are no DEFLATE, were they read on from where the hole begins.
    let payload = [0xFF; 300];
    let message = text(&payload, |at| at >= 10, 0x41);
    let shown = show_in(deflate, &[message, text(&[b'a'; 200], |_| true, 0x01)], 9, u64::MAX);
    assert_eq!(shown.messages[0].0[10..], [Some(0xFF); 290]);
    assert!(shown.rules.iter().all(|rule| !rule.starts_with("pmd-")), "{:?}", shown.rules);
}

/// Each hole is two numbers; no capture makes them many.
#[test]
fn holes_are_listed_up_to_a_limit() {
    let many = 3 * limits::HOLES_LISTED;
    let payload: Vec<u8> = (0..many * 2).map(|at| at as u8).collect();
    let frames = [text(&payload, |at| at % 2 == 0, 0x02), text(&payload, |at| at % 2 == 1, 0x80)];
    let shown = show(&frames, 99, u64::MAX);
    assert!(shown.most_holes <= limits::HOLES_LISTED);
    let whole: Vec<Seen> = frames.iter().map(expected).collect();
    for (seen, whole) in shown.frames.iter().zip(&whole) {
        assert_eq!(seen[..], whole[..seen.len()]);
        assert!(seen.len() >= limits::HOLES_LISTED * 2 - 1);
    }
    let (seen, is_cut) = &shown.messages[0];
    assert!(*is_cut, "what is left out for the limit is said to be");
    assert_eq!(seen[..], whole.concat()[..seen.len()]);
}
