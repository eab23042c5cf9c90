//! How many instructions one thread of `decode` takes for a unit of work.
//!
//! ```text
//! cargo bench --bench instructions                  all of it
//! cargo bench --bench instructions -- small tree    some of it
//! ```
//!
//! Seconds are those of a machine and its load; instructions, which valgrind's callgrind
//! counts, are nearly the same twice. Each figure is the difference between two captures of which the
//! longer begins as the shorter one does, so that start-up, and opening the connections of
//! *small*, cancel out. A figure that is more than [`TOLERANCE`] above what was reached before
//! fails the run; one that is as much below asks for the table to be brought up to date.
//!
//! The processor that valgrind imitates has no SHA extensions and no AVX-512.

use std::fs::File;
use std::hint::black_box;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use wstool::input::capture::ETHERNET;
use wstool::input::{self, PcapWriter};
use wstool::limits;
use wstool::model::Sink;
use wstool::pipeline;
use wstool::render::json::Json;
use wstool::render::stats::Stats;
use wstool::render::{Options, Table, Tree};
use wstool::select::{Select, Selection};
use wstool::synth::workload::{Truth, Workload, generate};

/// A kind of traffic that is counted.
struct Traffic {
    name: &'static str,
    workload: Workload,
    /// Bytes of the two captures.
    sizes: [u64; 2],
    /// What is counted as one, and how many a capture has.
    unit: &'static str,
    count: fn(&Truth) -> u64,
    /// The views, and the instructions a unit takes in each of them.
    reached: &'static [(&'static str, f64)],
}

/// How far above and below what was reached a figure may be.
const TOLERANCE: f64 = 0.03;

/// What was reached, with Rust 1.95 on x86-64; other compilers and processors differ.
const TRAFFIC: [Traffic; 4] = [
    Traffic {
        name: "small",
        workload: Workload::Small,
        // By the first size nearly all of its 2,000 connections are open. What opening them takes differs by
        // the seeds of hash tables: there have to be many frames behind it.
        sizes: [8 << 20, 12 << 20],
        unit: "a frame and its ACK",
        count: frames,
        reached: &[("stats", 1_136.0), ("ndjson", 2_840.0), ("tree", 15_642.0), ("table", 4_977.0)],
    },
    Traffic {
        name: "flows",
        workload: Workload::Flows,
        // By the first size all the lists are full that name single connections.
        sizes: [5 << 20, 7 << 20],
        unit: "a connection",
        count: |truth| truth.connections,
        reached: &[("stats", 29_639.0), ("ndjson", 59_030.0)],
    },
    Traffic {
        name: "big",
        workload: Workload::Big,
        sizes: [24 << 20, 40 << 20],
        unit: "a KiB of messages of 64 KiB to 1 MiB",
        count: |truth| truth.payload_bytes.iter().sum::<u64>() >> 10,
        reached: &[("stats", 636.0), ("ndjson", 1_560.0)],
    },
    Traffic {
        name: "deflate",
        workload: Workload::Deflate,
        sizes: [1 << 20, 2 << 20],
        unit: "a compressed message and its ACK",
        count: frames,
        reached: &[("stats", 6_354.0)],
    },
];

fn frames(truth: &Truth) -> u64 {
    truth.frames.iter().flatten().sum()
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    if let [flag, view, path] = words.as_slice()
        && flag == "--decode"
    {
        decode(view, Path::new(path));
        return ExitCode::SUCCESS;
    }
    if let Err(why) = Command::new("valgrind").arg("--version").output() {
        println!("instructions are not counted: valgrind cannot be started ({why})");
        return ExitCode::SUCCESS;
    }
    match table(&words) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            println!(
                "\nMore instructions than were reached before, by more than {:.0} %.",
                TOLERANCE * 100.0
            );
            ExitCode::FAILURE
        }
        Err(why) => {
            println!("instructions cannot be counted: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Counts and prints what `words` choose; whether all of it is within bounds.
fn table(words: &[String]) -> io::Result<bool> {
    let chosen = |name: &str, others: &[&str]| {
        let named = |word: &String| others.contains(&word.as_str());
        words.iter().any(|word| word == name) || !words.iter().any(named)
    };
    let traffic_names = TRAFFIC.map(|traffic| traffic.name);
    let mut is_within = true;
    println!("{:<8} {:<8} {:>12} {:>8} {:>12}", "", "", "instructions", "÷ stats", "reached");
    for traffic in TRAFFIC.iter().filter(|traffic| chosen(traffic.name, &traffic_names)) {
        let captures = [capture(traffic, traffic.sizes[0])?, capture(traffic, traffic.sizes[1])?];
        let units = ((traffic.count)(&captures[1].1) - (traffic.count)(&captures[0].1)) as f64;
        let mut stats = None;
        for &(view, reached) in traffic.reached {
            if !chosen(view, &["stats", "ndjson", "tree", "table"]) {
                continue;
            }
            let [short, long] = [instructions(view, &captures[0].0)?, instructions(view, &captures[1].0)?];
            let each = (long - short) / units;
            let base = *stats.get_or_insert(each);
            let verdict = match each / reached - 1.0 {
                more if more > TOLERANCE => "MORE than that",
                more if more < -TOLERANCE => "less: bring the table up to date",
                _ => "",
            };
            is_within &= each <= reached * (1.0 + TOLERANCE);
            let name = traffic.name;
            let unit = traffic.unit;
            println!(
                "{name:<8} {view:<8} {each:>12.0} {:>8.2} {reached:>12.0}  {unit} {verdict}",
                each / base
            );
        }
    }
    Ok(is_within)
}

/// A capture of at least `bytes` bytes, made anew, and what is in it.
fn capture(traffic: &Traffic, bytes: u64) -> io::Result<(PathBuf, Truth)> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("instructions-{}-{}.pcap", traffic.name, bytes >> 20));
    let mut writer = PcapWriter::new(BufWriter::new(File::create(&path)?), ETHERNET)?;
    let mut result = Ok(());
    let truth = generate(traffic.workload, bytes, 1, |time, packet| {
        if result.is_ok() {
            result = writer.packet(time, packet);
        }
    });
    result?;
    writer.finish()?.flush()?;
    Ok((path, truth))
}

/// What this program takes to decode a capture, by callgrind.
fn instructions(view: &str, path: &Path) -> io::Result<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .args(["--decode", view])
        .arg(path)
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected :"));
    let count = collected.and_then(|(_, count)| count.trim().parse().ok());
    match count {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(io::Error::other(format!("callgrind says:\n{said}"))),
    }
}

/// Decodes as the command does.
fn decode(view: &str, path: &Path) {
    match view {
        "ndjson" => run(path, Json::lines(io::sink(), limits::PAYLOAD_SHOWN)),
        "tree" => run(path, Tree::new(io::sink(), Options::default())),
        "table" => run(path, Table::new(io::sink(), Options::default())),
        _ => run(path, Stats::new()),
    }
}

fn run(path: &Path, sink: impl Sink) {
    let file = File::open(path).expect("the capture was just made");
    let input = input::open(Box::new(file), "bench").expect("a capture");
    let mut select = Select::new(Selection::default(), sink);
    black_box(pipeline::run(input, &mut select, &mut |_| {}));
}
