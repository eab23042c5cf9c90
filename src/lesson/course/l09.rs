//! Lesson 9: closing.

use super::draw::{all_different, between, pick, word};
use super::wire::{capture, served};
use crate::lesson::{Answer, Instance, Make, decode, hex};
use crate::model::{CloseCode, Dir, Opcode, Severity, SourceId, Span};
use crate::synth::Rng;
use crate::synth::frames::Message;
use crate::ws::close;

pub(super) static EXERCISES: &[Make] = &[
    Make { id: "codes-to-send", make: codes_to_send },
    Make { id: "who-said-it", make: who_said_it },
    Make { id: "reason-fits", make: reason_fits },
    Make { id: "clean-close", make: clean_close },
];

/// The body of a Close frame.
fn body(code: u64, reason: &str) -> Vec<u8> {
    Message::close(CloseCode(code as u16), reason.as_bytes()).payload
}

/// Whether a server may send this body.
fn may_be_sent(body: &[u8]) -> bool {
    let mut findings = Vec::new();
    let span = Span::bytes(SourceId::Input, 0, body.len() as u64);
    close::check(body, span, Dir::Server, (None, false), &mut findings);
    findings.iter().all(|finding| finding.rule.severity < Severity::Error)
}

/// Codes of every group of §7.4.
fn codes_to_send(rng: &mut Rng) -> Instance {
    let mut defined = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011];
    rng.shuffle(&mut defined);
    let outside = if rng.one_in(2) { between(rng, 100, 999) } else { between(rng, 5000, 9999) };
    let codes = [
        ("first", defined[0]),
        ("second", defined[1]),
        ("library", between(rng, 3000, 3999)),
        ("private", between(rng, 4000, 4999)),
        ("abnormal", 1006),
        ("local", pick(rng, &[1005, 1015])),
        ("unassigned", between(rng, 1016, 2999)),
        ("outside", outside),
    ];
    let sendable: Vec<&str> =
        codes.iter().filter(|(_, code)| may_be_sent(&body(*code, ""))).map(|(id, _)| *id).collect();
    let and = |more: &[&'static str]| Answer::choices(sendable.iter().chain(more).copied());
    let forbidden = codes.iter().filter(|(id, _)| !sendable.contains(id));
    let frames = forbidden.map(|(_, code)| hex(&served(Opcode::CLOSE, &body(*code, ""))));
    let arguments = ["decode", "--view", "table"].map(str::to_owned).into_iter().chain(frames);
    let mut all: Vec<String> = codes.iter().map(|(_, code)| code.to_string()).collect();
    rng.shuffle(&mut all);
    let code = |id: &str| codes.iter().find(|(known, _)| *known == id).map_or(0, |(_, code)| *code);
    let instance = Instance::new(Answer::choices(sendable.iter().copied()))
        .choices(codes.iter().map(|(id, _)| *id))
        .mistake("local-codes", and(&["abnormal"]))
        .mistake("local-codes", and(&["local"]))
        .mistake("local-codes", and(&["abnormal", "local"]))
        .mistake("protocol-only", Answer::choices(["first", "second"]))
        .mistake("unassigned", and(&["unassigned"]))
        .mistake("outside", and(&["outside"]))
        .hole("all", all.join(", "))
        .hole("c-first", defined[0])
        .hole("c-second", defined[1])
        .command(arguments);
    ["library", "private", "local", "unassigned", "outside"]
        .iter()
        .fold(instance, |instance, id| instance.hole(id, code(id)))
}

/// 1006 without a Close frame, 1005 with an empty one: nobody sent either.
fn who_said_it(rng: &mut Rng) -> Instance {
    let last = format!("{} {} {}", word(rng), word(rng), between(rng, 100, 9999));
    let empty = rng.one_in(2);
    let end = match (empty, rng.below(2)) {
        (true, _) => "server close\nclient close",
        (false, 0) => "wait 2s\nfin server\nfin client",
        (false, _) => "rst server",
    };
    let pcap = capture(&format!("server text \"{last}\"\n{end}"), rng);
    let seen = decode(&pcap);
    // What the client is told is what the decoder says of the end.
    let (right, other, code) =
        if seen.has("close-without-code") { ("empty", "none", 1005) } else { ("none", "empty", 1006) };
    Instance::new(Answer::choice(right))
        .choices(["sent", "none", "empty", "crash"])
        .mistake("sent", Answer::choice("sent"))
        .mistake(other, Answer::choice(other))
        .mistake("crash", Answer::choice("crash"))
        .hole("last", last)
        .hole("code", code)
        .file("end.pcap", pcap)
        .command(["decode", "{file:end.pcap}", "--findings"])
}

const WIDE: [&str; 12] = ["再", "见", "水", "火", "山", "€", "한", "あ", "🦀", "🚀", "😀", "🎈"];

/// Bytes, not characters; and the code takes two.
fn reason_fits(rng: &mut Rng) -> Instance {
    loop {
        let code = pick(rng, &[1000, 1001, 1008, 1011]);
        let prefix = format!("{} {}: ", word(rng), between(rng, 100, 999_999));
        let char = pick(rng, &WIDE);
        let (width, begun) = (char.len() as u64, prefix.len() as u64);
        let reason = |count: u64| format!("{prefix}{}", char.repeat(count as usize));
        let fits = |count: &u64| {
            let seen = decode(hex(&served(Opcode::CLOSE, &body(code, &reason(*count)))).as_bytes());
            !seen.has("control-frame-too-long")
        };
        // Down from one that is too many.
        let right = (0..=(125 - begun) / width + 1).rev().find(fits).unwrap_or_default();
        let mistakes = [
            ("code-forgotten", (125 - begun) / width),
            ("characters", 123 - begun),
            ("prefix-forgotten", 123 / width),
            ("utf-16", (123 - begun) / 2),
        ];
        let answers: Vec<u64> = mistakes.iter().map(|(_, count)| *count).chain([right]).collect();
        if !all_different(&answers) {
            continue;
        }
        let instance = Instance::new(Answer::Number(right))
            .hole("code", code)
            .hole("prefix", &prefix)
            .hole("char", char)
            .hole("width", width)
            .hole("prefix-bytes", begun)
            .hole("rest", 123 - begun)
            .command(["decode", &hex(&served(Opcode::CLOSE, &body(code, &reason(right))))]);
        return mistakes
            .into_iter()
            .fold(instance, |instance, (id, count)| instance.mistake(id, Answer::Number(count)));
    }
}

/// Close, the rest, Close, TCP: the server first.
fn clean_close(rng: &mut Rng) -> Instance {
    let starts = pick(rng, &[Dir::Client, Dir::Server]);
    let code = if rng.one_in(2) { 1000 } else { between(rng, 4000, 4999) };
    let (first, last) = (word(rng), word(rng));
    let (starter, other) = (side(starts), side(starts.peer()));
    let pcap = capture(
        &format!(
            "{o} text \"{first} \" no-fin\n{s} close {code}\n{o} continuation \"{last}\"\n{o} close {code}\n\
             fin server\nfin client",
            s = starter.script,
            o = other.script
        ),
        rng,
    );
    let order = |steps: [&str; 4]| Answer::order(steps);
    Instance::new(order(["rest", "answer", "server-tcp", "client-tcp"]))
        .choices(["rest", "answer", "server-tcp", "client-tcp"])
        .mistake("client-first", order(["rest", "answer", "client-tcp", "server-tcp"]))
        .mistake("data-after-close", order(["answer", "rest", "server-tcp", "client-tcp"]))
        .mistake("not-answered", order(["rest", "server-tcp", "answer", "client-tcp"]))
        .mistake("not-answered", order(["rest", "server-tcp", "client-tcp", "answer"]))
        .words("starter", starter.title)
        .words("starter-small", starter.script)
        .words("other", other.title)
        .words("other-small", other.script)
        .hole("code", code)
        .hole("begun", first)
        .hole("last", last)
        .file("close.pcap", pcap)
        .command(["decode", "{file:close.pcap}", "--view", "table"])
}

/// An endpoint: its name in a script, which is the id of its words, and the id of those that
/// begin a sentence.
struct Side {
    script: &'static str,
    title: &'static str,
}

fn side(dir: Dir) -> Side {
    match dir {
        Dir::Client => Side { script: "client", title: "client-title" },
        Dir::Server => Side { script: "server", title: "server-title" },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The right order of the last exercise is one in which the decoder finds
    /// nothing, and each wrong one breaks the rule that its diagnosis names.
    #[test]
    fn the_orders_are_what_the_decoder_says() {
        for (starter, other) in [("client", "server"), ("server", "client")] {
            let found = |steps: &str| {
                let begun = format!("{other} text \"a \" no-fin\n{starter} close 1000\n{steps}");
                decode(&capture(&begun, &mut Rng::new(1))).findings
            };
            let (rest, answer) = (format!("{other} continuation \"b\"\n"), format!("{other} close 1000\n"));
            assert_eq!(
                found(&format!("{rest}{answer}fin server\nfin client")),
                [] as [&crate::model::Rule; 0]
            );
            let wrong = [
                ("client-closed-tcp-first", format!("{rest}{answer}fin client\nfin server")),
                ("data-after-close", format!("{answer}{rest}fin server\nfin client")),
                ("unclean-close", format!("{rest}fin server\nfin client")),
            ];
            for (rule, steps) in wrong {
                let rules: Vec<_> = found(&steps).iter().map(|rule| rule.id).collect();
                assert!(rules.contains(&rule), "{rule}: {rules:?}");
            }
        }
    }
}
