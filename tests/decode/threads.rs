//! On two threads comes out what comes out on one: the same bytes, the same totals, the same errors.

use std::cell::RefCell;
use std::io::{self, Cursor, Read, Write};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use wstool::input::capture::ETHERNET;
use wstool::input::{self, Input, PcapWriter};
use wstool::limits;
use wstool::model::{Flow, InputFile, Meta, ON, Sink, Text, Unit, Wants};
use wstool::pipeline::{self, Means, Outcome, Threads};
use wstool::render::views::Form;
use wstool::render::{Options, VIEWS, View};
use wstool::select::{Select, Selection};
use wstool::synth::workload::{Workload, generate};
use wstool::synth::{Rng, rewrite};

use crate::midway::Trace;

/// A writer whose content can be looked at afterwards.
#[derive(Clone, Default)]
struct Shared(Rc<RefCell<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A view in a format.
#[derive(Clone, Copy, Debug)]
struct How(&'static str, Form);

const STATS: How = How("stats", Form::Text);
const LINES: How = How("tree", Form::Lines);

/// Every view as text, and the records.
fn every() -> Vec<How> {
    let others = [LINES, How("tree", Form::Array), How("stats", Form::Lines)];
    VIEWS.iter().map(|view| How(view.name, Form::Text)).chain(others).collect()
}

impl How {
    fn into(self, out: Shared) -> Box<dyn View> {
        let view = VIEWS.iter().find(|view| view.name == self.0).expect("a view");
        view.over(out, self.1, &Options::default())
    }
}

/// What a run came to, in words.
fn told(outcome: &Outcome) -> String {
    let error = outcome.error.as_ref().map(ToString::to_string);
    format!("{:?}\n{error:?}\n{:?}", outcome.summary, outcome.unreadable)
}

/// What comes out, and what the run came to.
fn on(threads: Threads, content: &[u8], how: How, selection: &Selection) -> (Vec<u8>, String) {
    let out = Shared::default();
    let told = match input::open(Box::new(Cursor::new(content.to_vec())), "test") {
        Err(e) => e.to_string(),
        Ok(input) => {
            let mut select = Select::new(selection.clone(), Viewed(how.into(out.clone())));
            let outcome =
                pipeline::run_with(Means { threads, ..Means::default() }, input, &mut select, &mut |_| ());
            select.into_inner().0.end().expect("memory takes it");
            told(&outcome)
        }
    };
    (out.0.take(), told)
}

struct Viewed(Box<dyn View>);

impl Sink for Viewed {
    fn wants(&self) -> Wants {
        self.0.wants()
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.0.take(unit)
    }
}

/// Bytes below which a capture has too few packets for a choice behind the first of them.
const FEW: usize = 32 * 1024;

/// Holds two threads, and as many as pay, against one; gives what came out.
fn same(name: &str, content: &[u8], how: How, selection: &Selection) -> (Vec<u8>, String) {
    let one = on(Threads::One, content, how, selection);
    let others = if content.len() < FEW { &[Threads::Two][..] } else { &[Threads::Two, Threads::WherePays] };
    for threads in others {
        let other = on(*threads, content, how, selection);
        assert_eq!(one.1, other.1, "{name}, {how:?}, {threads:?}");
        if one.0 != other.0 {
            let at = one.0.iter().zip(&other.0).take_while(|(one, other)| one == other).count();
            let around = |text: &[u8]| {
                let (from, to) = (at.saturating_sub(200), (at + 200).min(text.len()));
                String::from_utf8_lossy(&text[from..to]).into_owned()
            };
            let (one, other) = (around(&one.0), around(&other.0));
            panic!("{name}, {how:?}, {threads:?}: other at byte {at}:\n{one}\n---\n{other}");
        }
    }
    one
}

fn capture(link: u32, packets: &[rewrite::Packet]) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), link).expect("memory takes it");
    for (time, packet) in packets {
        writer.packet(*time, packet).expect("memory takes it");
    }
    writer.finish().expect("memory takes it")
}

/// A capture of so many bytes.
fn made(workload: Workload, bytes: u64) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), ETHERNET).expect("memory takes it");
    generate(workload, bytes, 1, |time, packet| writer.packet(time, packet).expect("memory takes it"));
    writer.finish().expect("memory takes it")
}

/// The captures at hand: samples, and conversations of other protocols.
fn files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders =
        ["samples", "tests/foreign"].map(|at| Path::new(env!("CARGO_MANIFEST_DIR")).join(at)).to_vec();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if [".pcap", ".pcapng", ".pcap.gz", ".script"].iter().any(|kind| name.ends_with(kind)) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The packets of those that are Ethernet.
fn packets() -> Vec<rewrite::Packet> {
    let mut packets = Vec::new();
    for path in files() {
        if path.extension().is_some_and(|kind| kind == "script") {
            packets.extend(Trace::read(&path).packets);
            continue;
        }
        let content = std::fs::read(&path).expect("a file");
        let Ok(Input::Capture(mut capture)) = input::open(Box::new(Cursor::new(content)), "test") else {
            continue;
        };
        // Some end badly, and not every time can be written.
        while let Some(Ok(packet)) = capture.next() {
            if packet.link == ETHERNET && packet.time.0 < u64::from(u32::MAX) * 1_000_000_000 {
                packets.push((packet.time, packet.data.to_vec()));
            }
        }
    }
    packets
}

#[test]
fn every_view_of_every_capture_at_hand() {
    let all = Selection::default();
    let files = files();
    assert!(files.len() > 200, "{}", files.len());
    for (turn, path) in files.iter().enumerate() {
        let content = std::fs::read(path).expect("a file");
        let content = match path.extension() {
            Some(kind) if kind == "script" => capture(ETHERNET, &Trace::read(path).packets),
            _ => content,
        };
        // Two views of each, and every view of some: what differs between views happens on one thread anyway.
        let every = every();
        for how in [every[turn % every.len()], LINES] {
            same(&path.display().to_string(), &content, how, &all);
        }
    }
}

#[test]
fn many_turns_of_generated_traffic() {
    let all = Selection::default();
    for (workload, bytes, views) in [
        (Workload::Small, 3 << 20, &[STATS, LINES, How("messages", Form::Text)][..]),
        (Workload::Flows, 3 << 20, &[STATS, LINES, How("session", Form::Text), How("table", Form::Text)]),
        (Workload::Big, 8 << 20, &[STATS, LINES]),
        (Workload::Deflate, 1 << 20, &[STATS, LINES]),
    ] {
        let content = made(workload, bytes);
        for how in views {
            let (_, told) = same(&format!("{workload:?}"), &content, *how, &all);
            assert!(told.contains("error: None"), "{told}");
        }
    }
}

/// Everything at hand at once, again and shaken: ids of flows are given on from one to the next, what nobody
/// listens to goes on, and segments come late and twice.
#[test]
fn everything_at_once() {
    let mut rng = Rng::new(5);
    let mut packets = packets();
    let once = packets.len();
    for at in 0..once {
        match rng.below(20) {
            0 => packets.swap(at, at.saturating_sub(rng.below(64) as usize)),
            1 => packets.push(packets[at].clone()),
            2 => packets[at] = packets[rng.below(once as u64) as usize].clone(),
            _ => {}
        }
    }
    packets.extend_from_within(..once / 2);
    let content = capture(ETHERNET, &packets);
    for how in [STATS, LINES] {
        same("everything", &content, how, &Selection::default());
    }
}

#[test]
fn the_sink_has_had_enough() {
    let content = made(Workload::Small, 2 << 20);
    let mut bytes = Vec::new();
    for limit in [0, 1, 7, 2000, 5000] {
        let selection = Selection { limit: Some(limit), ..Selection::default() };
        for how in [LINES, STATS] {
            let (_, told) = same(&format!("--limit {limit}"), &content, how, &selection);
            bytes.push(told);
        }
    }
    bytes.dedup();
    assert!(bytes.len() > 4, "the runs end at different places");
}

#[test]
fn input_that_ends_badly() {
    let content = made(Workload::Small, 2 << 20);
    let mut damaged = content.clone();
    // The length of a record that cannot be.
    let at = record_behind(&content, content.len() / 2);
    damaged[at + 8..at + 12].fill(0xFF);
    for (name, content) in [("cut", &content[..content.len() - 3]), ("damaged", &damaged)] {
        let (out, told) = same(name, content, LINES, &Selection::default());
        assert!(!told.contains("\nNone\n") && out.len() > 1 << 20, "{name}: {told}");
    }
    // A link type that nobody reads, and one packet of it among others.
    let mut foreign = content[..24].to_vec();
    foreign[20] = 147;
    foreign.extend_from_slice(&content[24..]);
    let (_, told) = same("unreadable", &foreign, STATS, &Selection::default());
    assert!(told.contains("[(\""), "{told}");
}

/// Where the first record behind a place of a pcap file begins.
fn record_behind(content: &[u8], place: usize) -> usize {
    let mut at = 24;
    while at < place {
        let length: [u8; 4] = content[at + 8..at + 12].try_into().expect("four bytes");
        at += 16 + u32::from_le_bytes(length) as usize;
    }
    at
}

/// An error of reading, after so many bytes.
struct Fails(Cursor<Vec<u8>>);

impl Read for Fails {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self.0.read(into)? {
            0 => Err(io::Error::other("the disk is gone")),
            count => Ok(count),
        }
    }
}

#[test]
fn what_was_read_before_an_error_is_shown() {
    let content = made(Workload::Flows, 1 << 20);
    let [one, two, paying] = [Threads::One, Threads::Two, Threads::WherePays].map(|threads| {
        let out = Shared::default();
        let mut view = STATS.into(out.clone());
        let reader = Box::new(Fails(Cursor::new(content.clone())));
        let input = input::open(reader, "test").expect("a capture");
        let outcome =
            pipeline::run_with(Means { threads, ..Means::default() }, input, view.as_mut(), &mut |_| ());
        view.end().expect("memory takes it");
        (out.0.take(), told(&outcome))
    });
    assert_eq!(one, two);
    assert_eq!(one, paying);
    assert!(one.1.contains("the disk is gone") && !one.0.is_empty(), "{}", one.1);
}

#[test]
fn several_files_and_parts_of_one() {
    let content = made(Workload::Flows, 3 << 20);
    // Connections go on from part to part.
    let cuts: Vec<usize> =
        [1, 2].iter().map(|third| record_behind(&content, content.len() / 3 * third)).collect();
    let part = |from: usize, to: usize| [&content[..24], &content[from..to]].concat();
    let parts = [part(24, cuts[0]), part(cuts[0], cuts[1]), part(cuts[1], content.len())];
    for concat in [false, true] {
        let meta = Meta {
            input: "a, b, c".to_owned(),
            files: (1..)
                .zip(["a", "b", "c"])
                .map(|(number, name)| InputFile {
                    number,
                    name: name.to_owned(),
                    format: None,
                    link_types: Vec::new(),
                    start: None,
                    account: None,
                })
                .collect(),
            concat,
            ..Meta::default()
        };
        let run = |threads: Threads, how: How| {
            let out = Shared::default();
            let mut view = how.into(out.clone());
            let mut open = |place: usize| -> Option<Result<(Input, Threads), Text>> {
                let reader = Box::new(Cursor::new(parts[place].clone()));
                Some(Ok((input::open(reader, "part").expect("a capture"), threads)))
            };
            let files = pipeline::run_files(&meta, &mut open, Means::default(), view.as_mut(), &mut |_| ());
            view.end().expect("memory takes it");
            let each = files.each.iter().map(|file| told(file.as_ref().expect("a capture")));
            (out.0.take(), each.collect::<String>() + &told(&files.whole))
        };
        for how in [STATS, LINES] {
            let one = run(Threads::One, how);
            for threads in [Threads::Two, Threads::WherePays] {
                let other = run(threads, how);
                assert_eq!(one.1, other.1, "concat {concat}, {threads:?}");
                assert!(one.0 == other.0, "concat {concat}, {how:?}, {threads:?}");
            }
        }
    }
}

/// A segment between a client and a server, without checksum.
fn segment(port: u16, from_client: bool, seq: u32, flags: u8, data: &[u8]) -> Vec<u8> {
    let (client, server) = ((Ipv4Addr::new(10, 0, 0, 1), port), (Ipv4Addr::new(192, 0, 2, 80), 80));
    let (from, to) = if from_client { (client, server) } else { (server, client) };
    let mut packet = vec![0x45, 0];
    packet.extend_from_slice(&(40 + data.len() as u16).to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 0, 64, 6, 0, 0]);
    packet.extend_from_slice(&from.0.octets());
    packet.extend_from_slice(&to.0.octets());
    packet.extend_from_slice(&from.1.to_be_bytes());
    packet.extend_from_slice(&to.1.to_be_bytes());
    packet.extend_from_slice(&seq.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0, 0, 0x50, flags, 0xFF, 0xFF, 0, 0, 0, 0]);
    packet.extend_from_slice(data);
    packet
}

const SYN: u8 = 0x02;
const RST: u8 = 0x04;
const HANDSHAKE: &[u8] = b"GET /a HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A reset far off ends a flow that nobody listens to, and no other. So what comes behind it shows from when
/// on the tracker knows that nobody listens, which must not depend on which thread is how fast.
#[test]
fn a_flow_is_given_up_at_the_same_place() {
    const FLOWS: u32 = 1200;
    const REST: u32 = 40;
    let mut packets = Vec::new();
    let far = 1 << 28;
    let mut say = |packet: Vec<u8>| packets.push((wstool::synth::START, packet));
    let port = |n: u32| 10_000 + n as u16;
    for n in 0..FLOWS + FLOWS * REST {
        if n < FLOWS {
            say(segment(port(n), true, 99, SYN, b""));
            say(segment(port(n), true, 100, 0, b"\x01\x02\x03\x04 nothing"));
        }
        // Another connection passes the time.
        say(segment(9, true, 100 + 10 * n, 0, b"0123456789"));
        if n % 12 == 0 && n / 12 < FLOWS {
            // That nobody listens is heard with the next data.
            say(segment(port(n / 12), true, 112, 0, b"nor this"));
            say(segment(port(n / 12), true, far, RST, b""));
            say(segment(port(n / 12), true, far + 50_000_000, 0, HANDSHAKE));
        }
    }
    let content = capture(101, &packets);
    let (out, told) = same("resets", &content, LINES, &Selection::default());
    let found = String::from_utf8_lossy(&out).matches("\"type\":\"connection\"").count();
    assert!(found > 50 && found < FLOWS as usize * 2 - 50, "{found} of {FLOWS}: {told}");
    for _ in 0..3 {
        assert!(on(Threads::Two, &content, LINES, &Selection::default()).0 == out);
    }
}

/// Counts what it takes, slowly at first, and has enough after so many.
struct Tired {
    left: usize,
    taken: usize,
}

impl Sink for Tired {
    fn wants(&self) -> Wants {
        Wants { fields: false, payload: 0, app: false, causes: false, ..Wants::NOTHING }
    }

    fn take(&mut self, _: &Unit<'_>) -> Flow {
        self.taken += 1;
        if self.taken > self.left { Flow::Break(()) } else { ON }
    }
}

/// A reader that is never at its end, and counts.
struct Endless {
    content: Vec<u8>,
    at: usize,
    read: std::sync::Arc<std::sync::atomic::AtomicU64>,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at == self.content.len() {
            self.at = 24;
        }
        let count = into.len().min(self.content.len() - self.at);
        into[..count].copy_from_slice(&self.content[self.at..self.at + count]);
        self.at += count;
        self.read.fetch_add(count as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(count)
    }
}

#[test]
fn the_reader_ends_with_the_sink_and_is_not_far_ahead() {
    let read = std::sync::Arc::default();
    let content = made(Workload::Big, 2 << 20);
    let reader = Endless { content, at: 0, read: std::sync::Arc::clone(&read) };
    let input = input::open(Box::new(reader), "endless").expect("a capture");
    let mut tired = Tired { left: 3, taken: 0 };
    let outcome = pipeline::run_with(
        Means { threads: Threads::Two, ..Means::default() },
        input,
        &mut tired,
        &mut |_| (),
    );
    let ahead = read.load(std::sync::atomic::Ordering::Relaxed) - outcome.summary.bytes;
    let most = limits::TURNS_AHEAD * limits::TURN_BYTES * 2 + 2 * limits::READ_BUFFER;
    assert!(ahead < most as u64, "{ahead} bytes ahead");
}

#[test]
fn a_sink_that_panics_takes_the_reader_with_it() {
    struct Panics;
    impl Sink for Panics {
        fn wants(&self) -> Wants {
            Wants { fields: false, payload: 0, app: false, causes: false, ..Wants::NOTHING }
        }

        fn take(&mut self, unit: &Unit<'_>) -> Flow {
            assert!(unit.conn == 0, "as it should");
            ON
        }
    }
    let content = made(Workload::Small, 2 << 20);
    let result = std::panic::catch_unwind(|| {
        let input = input::open(Box::new(Cursor::new(content)), "test").expect("a capture");
        pipeline::run_with(
            Means { threads: Threads::Two, ..Means::default() },
            input,
            &mut Panics,
            &mut |_| (),
        )
    });
    assert!(result.is_err());
}
