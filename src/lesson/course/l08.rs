//! Lesson 8: ping, pong, timeouts.

use super::draw::{all_different, between, different, pick, word};
use super::wire::{block, capture, served};
use crate::lesson::seen::SeenFrame;
use crate::lesson::{Answer, Instance, Make, Seen, decode, hex};
use crate::model::{Opcode, Time};
use crate::synth::{Rng, START};

pub(super) static EXERCISES: &[Make] = &[
    Make { id: "round-trip", make: round_trip },
    Make { id: "owed-pong", make: owed_pong },
    Make { id: "who-answers", make: who_answers },
    Make { id: "which-hop", make: which_hop },
];

/// Milliseconds since the beginning of a seeded capture.
fn ms(time: Option<Time>) -> i64 {
    const NANOS: i64 = 1_000_000;
    (time.unwrap_or(START).since(START) + NANOS / 2) / NANOS
}

fn seconds(ms: i64) -> String {
    format!("{}.{:03}", ms / 1000, ms % 1000)
}

/// Three pings, and a pong that crosses the last one.
fn round_trip(rng: &mut Rng) -> Instance {
    let counter = between(rng, 10, 89);
    let pings: Vec<String> = (0..3).map(|n| (counter + n).to_string()).collect();
    let first_wait = between(rng, 900, 3000);
    let crossing = between(rng, 25, 60);
    // More than twice the time that the last ping is on its way.
    let second_wait = between(rng, 80, 400);
    let script = format!(
        "server ping \"{}\"\nwait {first_wait}ms\nserver ping \"{}\"\nwait {second_wait}ms\n\
         server ping \"{}\"\nwait {crossing}ms\nclient pong \"{}\"\n\
         wait 1s\nclient close 1000\nserver close 1000",
        pings[0], pings[1], pings[2], pings[1]
    );
    let pcap = capture(&script, rng);
    let seen = decode(&pcap);
    let at: Vec<i64> = seen.frames.iter().take(4).map(|frame| ms(frame.time)).collect();
    let answered =
        seen.frames[..3].iter().position(|ping| ping.payload == seen.frames[3].payload).unwrap_or_default();
    let trip = at[3] - at[answered];
    let number = |ms: i64| Answer::decimal(ms as f64, 0.0);
    Instance::new(Answer::decimal(trip as f64, 1.0))
        .mistake("from-the-first", number(at[3] - at[0]))
        .mistake("from-the-last", number(at[3] - at[2]))
        .mistake("halved", Answer::decimal(trip as f64 / 2.0, 0.0))
        .mistake("in-seconds", Answer::decimal(trip as f64 / 1000.0, 0.0))
        .hole("lines", block(controls(&seen, 4, |payload| String::from_utf8_lossy(payload).into_owned())))
        .hole("pong", &pings[1])
        .hole("sent", seconds(at[answered]))
        .hole("came", seconds(at[3]))
        .file("pings.pcap", pcap)
        .command(["decode", "{file:pings.pcap}", "--view", "table"])
}

/// A line for each of the first control frames: when, who, what.
fn controls(seen: &Seen, count: usize, show: impl Fn(&[u8]) -> String) -> Vec<String> {
    let line = |frame: &SeenFrame| {
        let what = if frame.header.opcode == Opcode::PING { "ping" } else { "pong" };
        format!("{:>7}  {what}  {}", seconds(ms(frame.time)), show(&frame.payload))
    };
    seen.frames.iter().take(count).map(line).collect()
}

/// Only the most recent ping has to be answered.
fn owed_pong(rng: &mut Rng) -> Instance {
    let payloads: Vec<[u8; 3]> = loop {
        let payloads: Vec<[u8; 3]> = (0..4)
            .map(|_| {
                let mut payload = [0; 3];
                rng.fill(&mut payload);
                payload
            })
            .collect();
        if all_different(&payloads) {
            break payloads;
        }
    };
    let name = |n: usize| hex(&payloads[n]);
    let said = format!(
        "server ping {}\nwait 300ms\nserver ping {}\nwait 40ms\nserver ping {}\nclient pong {}\n\
         wait 500ms\nserver ping {}",
        name(0),
        name(1),
        name(2),
        name(1),
        name(3)
    );
    // What is left unanswered is what the decoder misses when the client goes on without it.
    let closing = "wait 30s\nclient close 1000\nserver close 1000";
    let shown = capture(&format!("{said}\n{closing}"), rng);
    let clears = |n: &usize| {
        let pcap = capture(&format!("{said}\nclient pong {}\n{closing}", name(*n)), &mut Rng::new(1));
        let seen = decode(&pcap);
        !seen.has("ping-not-answered") && !seen.has("pong-payload-mismatch")
    };
    let right = (0..4).find(clears).unwrap_or_default();
    let answer = |n: usize| Answer::Hex(payloads[n].to_vec());
    Instance::new(answer(right))
        .mistake("first-skipped", answer(0))
        .mistake("answered-already", answer(1))
        .mistake("next-in-line", answer(2))
        .hole("lines", block(controls(&decode(&shown), 5, hex)))
        .hole("seen", name(1))
        .file("unanswered.pcap", shown)
        .command(["decode", "{file:unanswered.pcap}", "--findings"])
}

/// A ping is an opcode; what the payload says does not matter.
fn who_answers(rng: &mut Rng) -> Instance {
    let (first, second) = (word(rng), word(rng));
    let number = between(rng, 100, 999);
    let json = format!("{{\"op\":\"ping\",\"n\":{number}}}");
    let ping_json = format!("{{\"type\":\"{first}\"}}");
    let frames = [
        ("ping", "h-ping", served(Opcode::PING, second.as_bytes())),
        ("ping-json", "h-ping-json", served(Opcode::PING, ping_json.as_bytes())),
        ("json", "h-json", served(Opcode::TEXT, json.as_bytes())),
        ("pong", "h-pong", served(Opcode::PONG, different(rng, &[second]).as_bytes())),
        ("binary", "h-binary", served(Opcode::BINARY, &served(Opcode::PING, &first.as_bytes()[..3]))),
    ];
    let answered: Vec<&str> = frames
        .iter()
        .filter(|(_, _, bytes)| decode(hex(bytes).as_bytes()).frames[0].header.opcode == Opcode::PING)
        .map(|(id, ..)| *id)
        .collect();
    let and = |more| Answer::choices(answered.iter().copied().chain([more]));
    let stream: Vec<u8> = frames.iter().flat_map(|(_, _, bytes)| bytes.clone()).collect();
    let instance = Instance::new(Answer::choices(answered.iter().copied()))
        .choices(frames.iter().map(|(id, ..)| *id))
        .mistake("json-ping", and("json"))
        .mistake("json-in-ping-refused", Answer::choices(["ping"]))
        .mistake("pong-answered", and("pong"))
        .mistake("binary-counted", and("binary"))
        .hole("json", json)
        .hole("ping-json", ping_json)
        .command(["decode", &hex(&stream), "--view", "table"]);
    frames.iter().fold(instance, |instance, (_, hole, bytes)| instance.hole(hole, hex(bytes)))
}

/// Hops that count silence and end TCP.
const HOPS: [&str; 5] = ["balancer", "reverse-proxy", "company-proxy", "gateway", "ingress"];

/// The hop whose timer is the silence before the end, of those whose end can be seen.
fn which_hop(rng: &mut Rng) -> Instance {
    let silence = pick(rng, &[30, 45, 60, 75, 90, 100, 120]);
    // Shorter pauses than the silence: else the hop would have ended the connection before.
    let (to_text, to_ping) = (between(rng, 5, silence - 5), between(rng, 5, silence - 5));
    let (text, ping) = (word(rng), word(rng));
    let script = format!(
        "handshake\nwait {to_text}s\nserver text \"{text}\"\nwait {to_ping}s\nserver ping \"{ping}\"\n\
         client pong \"{ping}\"\nwait {silence}s\nfin server\nfin client"
    );
    let pcap = capture(&script, rng);
    let seen = decode(&pcap);
    let times: Vec<i64> = seen.frames.iter().map(|frame| ms(frame.time)).collect();
    let end = ms(seen.ended);
    let since = |ms: i64| (end - ms + 500) / 1000;
    let mut hops = HOPS;
    rng.shuffle(&mut hops);
    let instance = Instance::new(Answer::choice("idle"))
        .choices(["idle", "messages", "age", "keepalive", "nat"])
        .mistake("messages", Answer::choice("messages"))
        .mistake("age", Answer::choice("age"))
        .mistake("keepalive", Answer::choice("keepalive"))
        .mistake("nat", Answer::choice("nat"))
        .hole("text", text)
        .hole("ping", ping)
        .hole("probe", pick(rng, &[10, 15, 20]))
        .hole("gap", since(times[2]))
        .hole("t-idle", since(times[2]))
        .hole("t-messages", since(times[0]))
        .hole("t-age", since(0))
        .words("culprit", hops[0])
        .file("silence.pcap", pcap)
        .command(["decode", "{file:silence.pcap}", "--view", "table"]);
    let at = ["at-open", "at-text", "at-ping", "at-pong", "at-end"].into_iter();
    let instance = at
        .zip([0, times[0], times[1], times[2], end])
        .fold(instance, |instance, (hole, at)| instance.hole(hole, format!("{:>8}", seconds(at))));
    let names = ["name-idle", "name-messages", "name-age"].into_iter().zip(hops);
    names.fold(instance, |instance, (hole, hop)| instance.words(hole, hop))
}
