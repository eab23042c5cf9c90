//! Conversations played act by act.

use super::*;
use crate::model::{Body, Emitter, Sink, Unit, Wants};
use crate::ws::half::Scratch;

/// A line for each unit: enough to see what was decoded and what was found.
#[derive(Default)]
struct Lines(Vec<String>);

impl Sink for Lines {
    fn wants(&self) -> Wants {
        Wants { fields: true, payload: 1000, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        let what = match unit.body {
            Body::Frame(f) => {
                let fin = if f.header.fin { "fin" } else { "..." };
                let cut = if f.truncated { " truncated" } else { "" };
                let inferred = if f.inferred { " inferred" } else { "" };
                format!("frame {} {} {fin} {}{cut}{inferred}", f.n, f.header.opcode.name(), f.captured)
            }
            Body::Message(m) => {
                let text = String::from_utf8_lossy(m.payload).into_owned();
                let part = if m.complete { "" } else { " incomplete" };
                format!("message {} {} {:?} {text:?}{part}", m.m, m.kind.name(), m.frames)
            }
            Body::Gap(g) => format!("gap {}+{} {:?}", g.offset, g.length, g.effect),
            Body::Note => "note".to_owned(),
            _ => "?".to_owned(),
        };
        let ids: Vec<_> = unit.findings.iter().map(|f| f.rule.id).collect();
        let who = unit.dir.map_or_else(|| "-".to_owned(), |d| d.to_string());
        self.0.push(format!("{who}: {what} {}", ids.join(" ")).trim_end().to_owned());
        ON
    }
}

#[derive(Clone, Copy)]
enum Act<'a> {
    Send(Dir, &'a [u8]),
    Lose(Dir, u64),
    End(Dir, StreamEnd),
    /// The end crosses something that is on its way.
    Cross(Dir, StreamEnd),
}
use Act::{Cross, End, Lose, Send};
use Dir::{Client, Server};

/// Plays the acts one second apart; `cut` bytes are pushed at a time.
fn play(acts: &[Act<'_>], cut: usize) -> Vec<String> {
    play_in(Conversation::new(1, [0, 0], Extensions::NONE), acts, cut)
}

fn play_in(mut talk: Conversation, acts: &[Act<'_>], cut: usize) -> Vec<String> {
    let mut lines = Lines::default();
    let mut out = Emitter::new(&mut lines);
    let mut scratch = Scratch::default();
    talk.is_captured(Client);
    talk.is_captured(Server);
    let mut at = At { packet: 0, byte: 0, time: Some(Time(0)) };
    for act in acts {
        at.packet += 1;
        at.time = at.time.map(|t| Time(t.0 + 1_000_000_000));
        let flow = match act {
            Send(dir, bytes) => {
                bytes.chunks(cut).try_for_each(|chunk| talk.push(*dir, chunk, at, &mut out, &mut scratch))
            }
            Lose(dir, len) => talk.gap(
                *dir,
                Missing::exactly(*len),
                (Some(1), Some(2)),
                &super::super::TCP_RESET,
                &mut out,
                &mut scratch,
            ),
            End(dir, how) | Cross(dir, how) => {
                let received = Some(matches!(act, End(..)));
                let receipt = Receipt { received, peer_ended: false };
                talk.end(*dir, *how, receipt, at, &mut out, &mut scratch)
            }
        };
        assert!(flow.is_continue());
    }
    assert!(talk.finish(StreamEnd::Capture, at.time, at.time, &mut out, &mut scratch).is_continue());
    out.finish(0, 0, None);
    lines.0.pop();
    lines.0
}

#[track_caller]
fn check(acts: &[Act<'_>], expected: &[&str]) {
    for cut in [usize::MAX, 1, 3] {
        assert_eq!(play(acts, cut), expected, "{cut} bytes at a time");
    }
}

const HELLO: &[u8] = b"\x81\x05Hello";
const MASKED_HELLO: &[u8] = b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";

#[test]
fn what_each_frame_touches_is_in_few_cache_lines() {
    // A kibibyte a live connection is the goal for everything together.
    assert_eq!(size_of::<Half>(), 64);
    assert!(size_of::<Shared>() <= 128, "{}", size_of::<Shared>());
    assert!(size_of::<Conversation>() <= 256, "{}", size_of::<Conversation>());
}

#[test]
fn fragments_with_a_ping_between_make_one_message() {
    check(
        &[Send(Server, b"\x01\x03Hel\x89\x01x\x80\x02lo"), Send(Client, b"\x8a\x81\0\0\0\x01y")],
        &[
            "server: frame 1 text ... 3",
            "server: frame 2 ping fin 1",
            "server: message 1 ping [2] \"x\"",
            "server: frame 3 continuation fin 2",
            "server: message 2 text [1, 3] \"Hello\"",
            "client: frame 4 pong fin 1 unsolicited-pong",
            "client: message 3 pong [4] \"y\"",
        ],
    );
}

#[test]
fn a_clean_close_is_quiet() {
    check(
        &[
            Send(Client, MASKED_HELLO),
            Send(Client, b"\x88\x82\x01\x02\x03\x04\x02\xea"),
            Send(Server, b"\x88\x02\x03\xe8"),
            End(Server, StreamEnd::Fin),
            End(Client, StreamEnd::Fin),
        ],
        &[
            "client: frame 1 text fin 5",
            "client: message 1 text [1] \"Hello\"",
            "client: frame 2 close fin 2",
            "client: message 2 close [2] \"\\u{3}\u{fffd}\"",
            "server: frame 3 close fin 2",
            "server: message 3 close [3] \"\\u{3}\u{fffd}\"",
        ],
    );
}

#[test]
fn a_character_may_be_cut_by_a_fragment_but_not_by_the_message() {
    check(
        &[Send(Server, b"\x01\x01\xe2\x80\x02\x82\xac\x81\x02\xe2\x82")],
        &[
            "server: frame 1 text ... 1",
            "server: frame 2 continuation fin 2",
            "server: message 1 text [1, 2] \"€\"",
            "server: frame 3 text fin 2",
            "server: message 2 text [3] \"\u{fffd}\" invalid-utf8",
        ],
    );
}

#[test]
fn a_hole_inside_a_payload_keeps_the_frames_in_step() {
    check(
        &[Send(Server, b"\x81\x05He"), Lose(Server, 2), Send(Server, b"o"), Send(Server, HELLO)],
        &[
            "server: gap 4+2 SkippedInPayload tcp-reset",
            "server: frame 1 text fin 3",
            "server: message 1 text [1] \"Heo\" incomplete",
            "server: frame 2 text fin 5",
            "server: message 2 text [2] \"Hello\"",
        ],
    );
}

#[test]
fn a_hole_over_a_header_is_bridged_at_the_next_plausible_one() {
    let acts = [
        Send(Server, b"\x81\x05He"),
        Lose(Server, 9),
        Send(Server, b"llo and more of it"),
        Send(Server, HELLO),
    ];
    let lines = play(&acts, usize::MAX);
    assert_eq!(
        lines,
        [
            "server: frame 1 text fin 2",
            "server: message 1 text [1] \"He\" incomplete",
            "server: gap 4+9 Resynchronised tcp-reset",
            "server: frame 2 text fin 5 inferred",
            "server: message 2 text [2] \"Hello\"",
        ]
    );
}

/// `42 42` would be a header, if RSV1 meant something.
#[test]
fn what_no_handshake_agreed_on_is_no_header_behind_a_hole() {
    let acts = [
        Send(Server, HELLO),
        Lose(Server, 30),
        Send(Server, &[b'B'; 208]),
        Send(Server, HELLO),
        Send(Server, HELLO),
        Send(Server, HELLO),
    ];
    for cut in [1, 3, 100, usize::MAX] {
        let lines = play(&acts, cut);
        let frames: Vec<_> = lines.iter().filter(|line| line.contains("frame")).collect();
        assert!(frames.iter().all(|line| line.contains("text fin 5")), "{cut}: {lines:#?}");
        assert_eq!(frames.len(), 4, "{cut}: {lines:#?}");
    }
    let together = [&[b'B'; 208], HELLO, HELLO, HELLO].concat();
    let lines = play(&[Lose(Server, 30), Send(Server, &together)], usize::MAX);
    assert_eq!(
        lines.iter().filter(|line| line.contains("frame") && line.contains("fin 5")).count(),
        3,
        "{lines:#?}"
    );
}

#[test]
fn what_ends_too_early_is_shown_and_found() {
    check(
        &[Send(Server, b"\x81\x05Hel"), End(Server, StreamEnd::Fin)],
        &[
            "server: note truncated-frame",
            "server: frame 1 text fin 3 truncated",
            "server: message 1 text [1] \"Hel\" incomplete",
            "server: note no-closing-handshake",
        ],
    );
}

#[test]
fn a_header_that_is_cut_is_judged_by_the_bits_that_are_there() {
    check(
        &[
            Send(Client, b"\xc1\x8d\xb3\xb7\x97"),
            Send(Server, b"\x88\x02\x03\xea"),
            End(Server, StreamEnd::Fin),
        ],
        &[
            "server: frame 1 close fin 2",
            "server: message 1 close [1] \"\\u{3}\u{fffd}\"",
            "client: note reserved-bit-set",
        ],
    );
    // Who is broken off without a word may have been the cause of it.
    let acts = [Send(Client, b"\xff"), End(Server, StreamEnd::Fin), End(Client, StreamEnd::Fin)];
    let lines = play(&acts, 9).join("\n");
    assert!(lines.contains("server: note failed-without-close"), "{lines}");
    assert!(lines.contains("client: note reserved-bit-set"), "{lines}");
}

#[test]
fn text_that_is_cut_is_judged_as_far_as_it_goes() {
    check(
        &[Send(Server, b"\x81\x0aab\xff\xfe")],
        &[
            "server: frame 1 text fin 4 truncated",
            "server: message 1 text [1] \"ab\u{fffd}\u{fffd}\" incomplete invalid-utf8",
        ],
    );
    // The character may go on behind the end, or in the hole.
    let euro: &[u8] = b"\x81\x0aab\xe2\x82";
    for acts in [vec![Send(Server, euro)], vec![Send(Server, euro), Lose(Server, 2), Send(Server, b"1234")]] {
        let lines = play(&acts, 1).join("\n");
        assert!(!lines.contains("invalid-utf8"), "{lines}");
    }
}

/// §5.5.3: a pong may come unasked, with a ping under way too.
#[test]
fn an_unsolicited_pong_while_a_ping_is_out_is_no_error() {
    let ping: &[u8] = b"\x89\x01x";
    let (other, right): (&[u8], &[u8]) = (b"\x8a\x80\0\0\0\0", b"\x8a\x81\0\0\0\0x");
    let lines = play(&[Send(Server, ping), Send(Client, other), Send(Client, right)], 9).join("\n");
    assert!(lines.contains("unsolicited-pong"), "{lines}");
    assert!(!lines.contains("mismatch") && !lines.contains("ping-not-answered"), "{lines}");
    // When nothing else comes, it was probably meant as the answer.
    let acts = [Send(Server, ping), Send(Client, other), Send(Server, HELLO), Send(Server, HELLO)];
    let lines = play(&[&acts[..], &[Send(Server, HELLO)]].concat(), 9).join("\n");
    assert!(lines.contains("client: note pong-payload-mismatch"), "{lines}");
    assert!(!lines.contains("ping-not-answered"), "{lines}");
}

#[test]
fn a_control_frame_that_is_too_long_is_kept_as_far_as_it_is_shown() {
    let mut wire = vec![0x89, 0x7e, 0, 200];
    wire.extend([b'x'; 200]);
    let lines = play(&[Send(Server, &wire)], 7);
    assert!(lines[1].contains(&"x".repeat(200)), "{lines:?}");
}

#[test]
fn huge_lengths_allocate_nothing_and_never_wrap() {
    for length in [u64::MAX, u64::MAX - 3, 1 << 63, (1 << 63) - 1, (1 << 32) + 5] {
        let mut bytes = vec![0x82, 0x7F];
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(b"1234");
        let lines = play(&[Send(Server, &bytes)], usize::MAX);
        assert!(lines[0].starts_with("server: frame 1 binary fin 4 truncated"), "{lines:?}");
        assert_eq!(lines[0].contains("length-high-bit-set"), length >> 63 == 1);
    }
}

#[test]
fn closing_rules() {
    let close: &[u8] = b"\x88\x02\x03\xe8";
    let lines = play(&[Send(Server, close), Send(Server, HELLO), Send(Server, close)], 9);
    assert!(lines.iter().any(|l| l.contains("data-after-close")), "{lines:?}");
    assert!(lines.iter().any(|l| l.contains("duplicate-close")), "{lines:?}");
    let acts = [Send(Client, MASKED_HELLO), Send(Server, close), End(Client, StreamEnd::Rst)];
    let lines = play(&acts, 9);
    for rule in ["tcp-reset", "unclean-close", "close-not-answered"] {
        assert!(lines.iter().any(|l| l.contains(rule)), "{rule}: {lines:?}");
    }
}

/// Who goes on has not failed the connection, and who fails it does not go on.
#[test]
fn a_violation_must_not_be_put_up_with() {
    let bad: &[u8] = b"\x83\x00";
    let end = || End(Client, StreamEnd::Fin);
    let hello = || Send(Client, MASKED_HELLO);
    let ping: &[u8] = b"\x89\x01x";
    let cases: [(&[Act<'_>], bool, bool); 6] = [
        (&[Send(Server, bad), end()], false, true),
        (&[Send(Server, bad), hello(), hello(), end()], true, false),
        (&[Send(Server, bad), hello(), end()], false, false),
        // Seconds later it ends for another reason.
        (&[Send(Server, bad), Send(Server, HELLO), Send(Server, HELLO), end()], false, false),
        // The violator left first.
        (&[Send(Server, bad), End(Server, StreamEnd::Fin), end()], false, false),
        // Not minimal: many let it pass.
        (&[Send(Server, b"\x81\x7e\x00\x01a"), Send(Server, ping), end()], false, false),
    ];
    for (acts, open, failed) in cases {
        let lines = play(acts, 9);
        let has = |rule: &str| lines.iter().any(|l| l.contains(rule));
        assert_eq!((has("open-after-violation"), has("failed-without-close")), (open, failed), "{lines:?}");
    }
}

/// Nobody owes an answer who could not give one.
#[test]
fn a_close_is_answered_by_who_is_there() {
    let close: &[u8] = b"\x88\x02\x03\xe8";
    let (fin, rst) = (StreamEnd::Fin, StreamEnd::Rst);
    let cases: [(&[Act<'_>], &str); 5] = [
        (&[Send(Server, close), End(Client, fin)], "unclean-close close-not-answered"),
        // The server did not wait, or was gone.
        (&[Send(Server, close), End(Server, fin), End(Client, fin)], "unclean-close"),
        (&[Send(Server, close), End(Server, rst)], "tcp-reset unclean-close"),
        // The client was gone before.
        (&[End(Client, fin), Send(Server, close), End(Server, fin)], "unclean-close"),
        // The capture ends before the answer can have come.
        (&[Send(Server, close), End(Server, fin)], ""),
    ];
    for (acts, expected) in cases {
        let acts: Vec<_> = [Send(Client, MASKED_HELLO)].into_iter().chain(acts.iter().copied()).collect();
        let lines = play(&acts, 9);
        let notes: Vec<_> = lines.iter().filter_map(|l| l.split_once(": note ")).map(|(_, id)| id).collect();
        assert_eq!(notes.join(" "), expected, "{lines:?}");
    }
}

#[test]
fn a_reset_after_both_close_frames_loses_nothing() {
    let both = [Send(Server, b"\x88\x02\x03\xe8"), Send(Client, b"\x88\x82\0\0\0\0\x03\xe8")];
    for (end, told) in [(End(Client, StreamEnd::Rst), false), (Cross(Client, StreamEnd::Rst), true)] {
        let lines = play(&[both[0], both[1], end], 9).join("\n");
        assert_eq!(lines.contains("tcp-reset"), told, "{lines}");
    }
    for (end, told) in [(End(Client, StreamEnd::Fin), true), (Cross(Client, StreamEnd::Fin), false)] {
        let lines = play(&[both[1], both[0], end], 9).join("\n");
        assert_eq!(lines.contains("client-closed-tcp-first"), told, "{lines}");
    }
}

/// Nothing is said of what the capture does not show.
#[test]
fn a_pong_may_answer_what_was_before_the_capture() {
    let pong: &[u8] = b"\x8a\x81\0\0\0\0x";
    let acts = [Send(Server, HELLO), Send(Server, b"\x89\x01y"), Send(Client, pong)];
    assert!(play(&acts, 9).join("").contains("unsolicited-pong"));
    let midway = play_in(Conversation::midway(1, [0, 0], Dir::Server), &acts, usize::MAX).join("");
    assert!(!midway.contains("mismatch") && !midway.contains("unsolicited"), "{midway}");
}

/// Who fails the connection need not wait for an answer, and who is cut off owes none (§7.1.7).
#[test]
fn a_failed_connection_has_no_closing_handshake_to_miss() {
    let failed: &[u8] = b"\x88\x02\x03\xea";
    for closed in [End(Server, StreamEnd::Fin), End(Client, StreamEnd::Fin)] {
        let acts = [Send(Client, b"\x83\x80\x01\x02\x03\x04"), Send(Server, failed), closed];
        let lines = play(&acts, 9).join("\n");
        assert!(lines.contains("reserved-opcode"), "{lines}");
        assert!(!lines.contains("unclean-close") && !lines.contains("close-not-answered"), "{lines}");
    }
}

#[test]
fn pings_want_answers() {
    let ping: &[u8] = b"\x89\x01x";
    let acts = [Send(Client, MASKED_HELLO), Send(Server, ping), Send(Server, HELLO), Send(Server, HELLO)];
    let acts = acts.into_iter().chain([Send(Server, HELLO)]).collect::<Vec<_>>();
    assert!(play(&acts, 9).iter().any(|l| l.contains("ping-not-answered")));
    let pong: &[u8] = b"\x8a\x81\0\0\0\0x";
    let prompt = [Send(Server, ping), Send(Client, pong)];
    assert!(play(&prompt, 9).iter().all(|l| !l.contains("pong-")));
    let slow = [Send(Server, ping), Send(Server, HELLO), Send(Server, HELLO), Send(Client, pong)];
    assert!(play(&slow, 9).iter().any(|l| l.contains("pong-slow")));
}
