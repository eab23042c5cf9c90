//! Lesson 14: what framing is worth, and what a million clients cost.

use super::draw::{all_different, pick};
use super::wire::text_frame;
use crate::compare::words::grouped;
use crate::lesson::{Answer, Instance, Make, hex};
use crate::model::Dir;
use crate::synth::Rng;

pub static EXERCISES: &[Make] = &[
    Make { id: "reads-and-lines", make: reads_and_lines },
    Make { id: "three-wrappings", make: three_wrappings },
    Make { id: "broadcast", make: broadcast },
    Make { id: "heartbeats", make: heartbeats },
    Make { id: "slow-readers", make: slow_readers },
];

const PEOPLE: [&str; 8] = ["Anna", "Bob", "Carla", "Deniz", "Emil", "Fatima", "Goran", "Hanna"];

const SAID: [&str; 10] = [
    "hi",
    "hello all",
    "is it raining?",
    "see you at six",
    "who is there?",
    "coming",
    "not today",
    "good night",
    "lunch?",
    "on my way",
];

/// Lines of a chat over raw TCP, cut where the network likes.
fn reads_and_lines(rng: &mut Rng) -> Instance {
    loop {
        let lines: Vec<String> = (0..3 + rng.below(3)).map(|_| line(rng)).collect();
        let unfinished = line(rng);
        let last = rng.below(unfinished.len() as u64 - 1) as usize;
        let rest = &unfinished[..=last];
        let stream = format!("{}\n{rest}", lines.join("\n"));
        let reads = cut(&stream, rng);
        let complete = stream.matches('\n').count();
        let with_an_end = reads.iter().filter(|read| read.contains('\n')).count();
        // Who counts something else shall come to another number.
        let counts = [complete, reads.len(), complete + 1, with_an_end];
        if !all_different(&counts) {
            continue;
        }
        let [right, read, started, ended] = counts.map(|count| Answer::Number(count as u64));
        let shown =
            reads.iter().zip(1..).map(|(read, n)| format!("    {n}: \"{}\"", read.replace('\n', "\\n")));
        let mut frames: Vec<u8> = lines.iter().flat_map(|line| text_frame(Dir::Server, line, rng)).collect();
        let last = text_frame(Dir::Server, &unfinished, rng);
        frames.extend(&last[..last.len() - unfinished.len() + rest.len()]);
        return Instance::new(right)
            .hole("reads", shown.collect::<Vec<_>>().join("\n"))
            .hole("count", reads.len())
            .hole("rest", rest)
            .mistake("one-read-one-line", read)
            .mistake("unfinished-line", started)
            .mistake("one-line-a-read", ended)
            .command(["decode", "--view", "table", &hex(&frames)]);
    }
}

fn line(rng: &mut Rng) -> String {
    format!("{}: {} {}", pick(rng, &PEOPLE), pick(rng, &SAID), 10 + rng.below(90))
}

/// A stream in pieces as reads return them.
fn cut(stream: &str, rng: &mut Rng) -> Vec<String> {
    let mut rest = stream;
    let mut reads = Vec::new();
    while !rest.is_empty() {
        let (read, behind) = rest.split_at((1 + rng.below(40) as usize).min(rest.len()));
        reads.push(read.to_owned());
        rest = behind;
    }
    reads
}

const FRIENDS: [&str; 8] = ["小明", "小红", "李雷", "王芳", "赵云", "陈晨", "张伟", "刘洋"];

const GREETINGS: [&str; 8] = ["你好", "早上好", "晚上见", "我到了", "下雨了", "在路上", "谁在？", "再见"];

const NAMES: [&str; 8] = ["chat", "message", "news", "say", "line", "room message", "post", "whisper"];

/// One line as a Socket.IO event, byte by byte.
fn three_wrappings(rng: &mut Rng) -> Instance {
    let event = pick(rng, &NAMES);
    let line = format!("{}: {} {}", pick(rng, &FRIENDS), pick(rng, &GREETINGS), 1000 + rng.below(9000));
    let packet = format!("42[\"{event}\",\"{line}\"]");
    let bytes = |text: &str| text_frame(Dir::Server, text, &mut Rng::new(0)).len();
    let frame = bytes(&packet);
    let characters = packet.chars().count() + frame - packet.len();
    let masked = text_frame(Dir::Client, &packet, rng).len();
    let number = |count: usize| Answer::Number(count as u64);
    Instance::new(number(frame))
        .hole("line", &line)
        .hole("event", event)
        .hole("packet", &packet)
        .hole("payload", packet.len())
        .hole("raw", line.len() + 1)
        .hole("plain", bytes(&line))
        .mistake("header-missing", number(packet.len()))
        .mistake("json-missing", number(bytes(&format!("42{event}{line}"))))
        .mistake("characters", number(characters))
        .mistake("masked", number(masked))
        .mistake("one-digit", number(frame - 1))
        .mistake("not-wrapped", number(bytes(&line)))
        .command(["encode", "--from", "server", "--socketio", event, "--args", &format!("[\"{line}\"]")])
}

/// A text of so many bytes.
fn text_of(length: u64) -> String {
    "All quiet in the room. ".chars().cycle().take(length as usize).collect()
}

/// The bytes of a server's header for a text of so many bytes.
fn header_of(payload: u64) -> u64 {
    text_frame(Dir::Server, &text_of(payload), &mut Rng::new(0)).len() as u64 - payload
}

/// One speaker, and everybody else listens.
fn broadcast(rng: &mut Rng) -> Instance {
    loop {
        let (clients, rate) = (100 + rng.below(9900), 2 + rng.below(19));
        let spread = pick(rng, &[100, 280]);
        let payload = 20 + rng.below(spread);
        let header = header_of(payload);
        let (others, frame) = (clients - 1, payload + header);
        let bits = |frames: u64, bytes: u64| frames * rate * bytes * 8;
        let answers = [
            bits(others, frame),
            bits(clients, frame),
            bits(1, frame),
            bits(others, payload),
            bits(others, frame) / 8,
            bits(others, frame + 4),
        ];
        if !all_different(&answers) {
            continue;
        }
        let [right, everyone, once, bare, bytes, masked] = answers.map(Answer::Number);
        return Instance::new(right)
            .hole("clients", grouped(clients))
            .hole("others", grouped(others))
            .hole("rate", rate)
            .hole("payload", payload)
            .hole("header", header)
            .hole("total", grouped(answers[0]))
            .mistake("to-everyone", everyone)
            .mistake("sent-once", once)
            .mistake("no-header", bare)
            .mistake("bytes", bytes)
            .mistake("masked", masked)
            .command(["encode", "--from", "server", "--text", &text_of(payload)]);
    }
}

/// Engine.IO's pings and pongs, which are text messages.
fn heartbeats(rng: &mut Rng) -> Instance {
    let interval = pick(rng, &[15, 20, 25, 30, 40, 50]);
    let each_second = 1000 + rng.below(100_000);
    let clients = interval * each_second;
    let pong = text_frame(Dir::Client, "3", rng);
    let [server, unmasked] = ["2", "3"].map(|text| text_frame(Dir::Server, text, rng).len() as u64);
    let both = server + pong.len() as u64;
    // The opcodes ping and pong have empty payloads: a byte less each.
    let control = both - 2;
    let bits = |frames: u64, bytes: u64| Answer::Number(frames * bytes * 8);
    Instance::new(bits(each_second, both))
        .hole("clients", grouped(clients))
        .hole("interval", interval)
        .hole("pings", grouped(each_second))
        .hole("total", grouped(each_second * both * 8))
        .mistake("ping-frames", bits(each_second, control))
        .mistake("one-way", bits(each_second, server))
        .mistake("unmasked", bits(each_second, server + unmasked))
        .mistake("bytes", Answer::Number(each_second * both))
        .mistake("every-second", bits(clients, both))
        .command(["decode", &hex(&pong)])
}

/// Queues of clients that read nothing.
fn slow_readers(rng: &mut Rng) -> Instance {
    loop {
        let (slow, times) = (500 * (2 + rng.below(39)), pick(rng, &[10, 20, 50]));
        let (rate, payload) = (2 + rng.below(19), 30 + rng.below(170));
        let header = header_of(payload);
        // What the mistakes come to are whole seconds, too, but where headers are forgotten.
        let seconds = 100 * (2 + rng.below(30));
        let growth = slow * rate * (payload + header);
        let memory = growth * seconds;
        let bare = memory / (slow * rate * payload);
        let answers = [seconds, seconds / times, seconds * slow, seconds * rate, bare, bare + 1];
        if !all_different(&answers) {
            continue;
        }
        let [right, everybody, queue, message, bare, rounded_up] = answers.map(Answer::Number);
        return Instance::new(right)
            .hole("slow", grouped(slow))
            .hole("clients", grouped(slow * times))
            .hole("rate", rate)
            .hole("payload", payload)
            .hole("header", header)
            .hole("growth", grouped(growth))
            .hole("memory", grouped(memory))
            .mistake("everybody", everybody)
            .mistake("one-queue", queue)
            .mistake("one-message", message)
            .mistake("no-header", bare)
            .mistake("no-header", rounded_up)
            .command(["encode", "--from", "server", "--text", &text_of(payload)]);
    }
}
