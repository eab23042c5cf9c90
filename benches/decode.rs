//! How fast `decode` is, as multiples of walking the packet headers by hand.
//!
//! ```text
//! cargo bench --bench decode                      128 MiB of each kind of traffic
//! cargo bench --bench decode -- 512               512 MiB, the size the goals are for
//! cargo bench --bench decode -- 512 small ndjson  some of it
//! ```
//!
//! The captures are made once and stay in `target/bench`. Only the ratios mean
//! something: seconds are those of this machine, today.

mod measure;

use std::fs::File;
use std::hint::black_box;
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use measure::{Goal, contender, take_turns};
use wstool::input::capture::ETHERNET;
use wstool::input::{self, PcapWriter};
use wstool::limits;
use wstool::model::Sink;
use wstool::pipeline;
use wstool::render::json::Json;
use wstool::render::stats::Stats;
use wstool::render::{Options, Table};
use wstool::select::{Select, Selection};
use wstool::synth::workload::{Workload, generate};

/// Turns each contender gets.
const ROUNDS: usize = 7;

/// A kind of traffic, and what its statistics may cost in header walks.
const TRAFFIC: [(&str, Workload, Goal); 3] = [
    ("small", Workload::Small, Goal::at_most(3.5, 2.5)),
    ("big", Workload::Big, Goal::at_most(1.25, 1.1)),
    ("flows", Workload::Flows, Goal::at_most(5.0, 3.0)),
];

/// What NDJSON may cost in statistics. Of big messages everything shown is Base64, which the
/// statistics do not touch.
const NDJSON: Goal = Goal::at_most(3.5, 2.0);

fn main() -> io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let mib = words.iter().find_map(|word| word.parse().ok()).unwrap_or(128u64);
    let named = |name: &str| words.iter().any(|word| word == name);
    let chosen = TRAFFIC.iter().any(|(name, ..)| named(name));
    for (name, workload, goal) in TRAFFIC {
        if !chosen || named(name) {
            let path = capture(name, workload, mib)?;
            compare(name, &path, &goal)?;
        }
    }
    Ok(())
}

/// A capture of at least `mib` MiB, made unless it is there.
fn capture(name: &str, workload: Workload, mib: u64) -> io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("{name}-{mib}.pcap"));
    if !path.exists() {
        let unfinished = path.with_extension("part");
        let mut writer = PcapWriter::new(BufWriter::new(File::create(&unfinished)?), ETHERNET)?;
        let mut result = Ok(());
        generate(workload, mib << 20, 1, |time, packet| {
            if result.is_ok() {
                result = writer.packet(time, packet);
            }
        });
        result?;
        writer.finish()?.flush()?;
        std::fs::rename(&unfinished, &path)?;
    }
    Ok(path)
}

/// Measures and prints a table.
fn compare(name: &str, path: &Path, goal: &Goal) -> io::Result<()> {
    let size = std::fs::metadata(path)?.len();
    let mut contenders = [
        contender("hand walk of the headers", || drop(black_box(walk(path)))),
        contender("read(2) alone", || drop(black_box(read(path)))),
        contender("decode --view stats", || decode(path, Stats::new())),
        contender("decode --format ndjson", || decode(path, Json::lines(io::sink(), limits::PAYLOAD_SHOWN))),
        contender("decode --view table", || decode(path, Table::new(io::sink(), Options::default()))),
    ];
    let times = take_turns(&mut contenders, ROUNDS);
    println!("\n{name}, {} MiB", size >> 20);
    println!("  {:<26} {:>8} {:>7} {:>8} {:>8}", "", "seconds", "GiB/s", "× walk", "× stats");
    for (i, (name, _)) in contenders.iter().enumerate() {
        let seconds = times.seconds(i);
        let verdict = match *name {
            "decode --view stats" => goal.verdict(times.ratio(i, 0)),
            "decode --format ndjson" => NDJSON.verdict(times.ratio(i, 2)),
            _ => String::new(),
        };
        println!(
            "  {:<26} {seconds:>8.3} {:>7.2} {:>8.2} {:>8.2}  {verdict}",
            name,
            size as f64 / seconds / f64::from(1 << 30),
            times.ratio(i, 0),
            times.ratio(i, 2),
        );
    }
    for args in [&["--view", "stats"][..], &["--format", "ndjson"]] {
        match peak(path, args)? {
            Some(kib) => println!("  peak memory of decode {:<22} {:>6.1} MiB", args.join(" "), kib / 1024.0),
            None => println!("  peak memory: /proc does not say"),
        }
    }
    Ok(())
}

/// Reads the file as the tool does, and looks at nothing.
fn read(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; limits::READ_BUFFER];
    let mut sum = 0;
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(sum),
            count => sum += count as u64,
        }
    }
}

/// The least that a reader of TCP has to look at: record headers, Ethernet, IPv4 and TCP headers.
fn walk(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; limits::READ_BUFFER];
    let (mut start, mut end, mut sum) = (24, 0, 0);
    loop {
        while let Some(length) = record(&buffer[start.min(end)..end]) {
            sum += headers(&buffer[start + 16..start + 16 + length]).unwrap_or_default();
            start += 16 + length;
        }
        let from = start.min(end);
        buffer.copy_within(from..end, 0);
        (start, end) = (start - from, end - from);
        match file.read(&mut buffer[end..])? {
            0 => return Ok(sum),
            count => end += count,
        }
    }
}

/// The length of the packet whose record is whole.
fn record(bytes: &[u8]) -> Option<usize> {
    let length = u32::from_le_bytes(*bytes.get(8..)?.first_chunk()?) as usize;
    (bytes.len() >= 16 + length).then_some(length)
}

/// Adds up what a TCP segment says.
fn headers(packet: &[u8]) -> Option<u64> {
    let be16 = |at: usize| packet.get(at..)?.first_chunk().map(|&b| u64::from(u16::from_be_bytes(b)));
    let be32 = |at: usize| packet.get(at..)?.first_chunk().map(|&b| u64::from(u32::from_be_bytes(b)));
    if be16(12)? != 0x0800 || packet.get(23)? != &6 {
        return None;
    }
    let tcp = 14 + usize::from(packet[14] & 15) * 4;
    let payload = tcp + usize::from(packet.get(tcp + 12)? >> 4) * 4;
    let length = (14 + be16(16)? as usize).checked_sub(payload)?;
    Some(be32(26)? ^ be32(30)? ^ be32(tcp)? ^ be32(tcp + 4)? ^ be32(tcp + 8)? ^ length as u64)
}

/// Decodes the file as the command does.
fn decode(path: &Path, sink: impl Sink) {
    let Ok(file) = File::open(path) else { return };
    let Ok(input) = input::open(Box::new(file), "bench") else { return };
    let mut select = Select::new(Selection::default(), sink);
    black_box(pipeline::run(input, &mut select, &mut |_| {}));
}

/// The most memory, in KiB, that the command itself has in use.
///
/// The kernel keeps the maximum, so looking now and then while it runs is enough.
fn peak(path: &Path, args: &[&str]) -> io::Result<Option<f64>> {
    let mut child = Command::new(env!("CARGO_BIN_EXE_wstool"))
        .arg("decode")
        .args(args)
        .arg(path)
        .stdout(Stdio::null())
        .spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak = None;
    while child.try_wait()?.is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let kib = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = kib.and_then(|kib| kib.trim_end_matches("kB").trim().parse().ok()).or(peak);
        std::thread::sleep(Duration::from_millis(2));
    }
    Ok(peak)
}
