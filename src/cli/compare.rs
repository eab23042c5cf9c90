//! `wstool compare`: what polling and WebSocket cost.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;

use super::output::{self, Output};
use crate::compare::captures::Counter;
use crate::compare::heads::Heads;
use crate::compare::simulate::Play;
use crate::compare::sweep::{self, Variable};
use crate::compare::wire::Wire;
use crate::compare::{self, Direction, Scenario};
use crate::input::{self, Input};
use crate::model::report::Report;
use crate::render::compare::{Form, Page};

/// Compare what polling, server-sent events, WebSocket and Socket.IO cost.
///
/// Without captures this is arithmetic: bytes down to the acknowledgements, requests, latency,
/// each from a formula whose assumptions are printed and can be changed.
///
/// Times are in milliseconds or seconds as named, or with a unit: 50ms, 2s, 5min.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
pub struct Args {
    /// Captures of polling and of WebSocket, or one of both: counts what really happened
    #[arg(value_name = "CAPTURE", conflicts_with_all = ["preset", "simulate", "sweep", "chart"])]
    captures: Vec<PathBuf>,

    /// Clients
    #[arg(short = 'N', long, value_name = "N", default_value_t = 1000, help_heading = "Question")]
    clients: u64,

    /// Messages a second and client
    #[arg(short, long, value_name = "MSG/S", default_value_t = 1.0, help_heading = "Question")]
    rate: f64,

    /// Bytes of a message
    #[arg(short, long, value_name = "BYTES", default_value_t = 21, help_heading = "Question")]
    payload: u64,

    /// Milliseconds between two short polls
    #[arg(short, long, value_name = "MS", default_value = "1000", value_parser = milliseconds, help_heading = "Question")]
    interval: f64,

    /// Milliseconds a packet takes one way
    #[arg(short, long, value_name = "MS", default_value = "50", value_parser = milliseconds, help_heading = "Question")]
    delay: f64,

    /// Seconds it goes on
    #[arg(short = 't', long, value_name = "S", default_value = "3600", value_parser = seconds, help_heading = "Question")]
    duration: f64,

    /// Who publishes
    #[arg(long, value_name = "WHO", default_value = "down", help_heading = "Question")]
    direction: Publishes,

    /// A comparison with known answers, instead of your own question
    #[arg(long, value_name = "NAME", conflicts_with_all = ["simulate", "sweep", "chart"], help_heading = "Question")]
    preset: Option<Preset>,

    /// Change one assumption over a range, such as: --sweep interval 100ms..60s
    #[arg(long, num_args = 2, value_names = ["WHAT", "FROM..TO"], help_heading = "Question")]
    sweep: Option<Vec<String>>,

    /// Play it message by message and packet by packet, beside the formulas
    #[arg(long, conflicts_with = "sweep", help_heading = "Simulation")]
    simulate: bool,

    /// The same seed plays the same game
    #[arg(long, value_name = "N", default_value_t = 1, help_heading = "Simulation")]
    seed: u64,

    /// Messages to publish to one client
    #[arg(long, value_name = "N", default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000), help_heading = "Simulation")]
    messages: u64,

    /// Milliseconds a packet may take more, any part of it as likely
    #[arg(long, value_name = "MS", default_value = "0", value_parser = milliseconds, help_heading = "Simulation")]
    jitter: f64,

    /// Percent of segments lost and sent again
    #[arg(long, value_name = "PERCENT", default_value_t = 0.0, help_heading = "Simulation")]
    loss: f64,

    /// Messages published at a time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=100_000), help_heading = "Simulation")]
    burst: u64,

    /// Everything within TLS 1.3
    #[arg(long, help_heading = "Assumptions")]
    tls: bool,

    /// Bytes of a TLS handshake, both directions
    #[arg(long, value_name = "BYTES", default_value_t = 4500, help_heading = "Assumptions")]
    tls_handshake: u64,

    /// HTTP/2 for everything but the WebSocket; browsers speak it within TLS only, so this means --tls
    #[arg(long, help_heading = "Assumptions")]
    http2: bool,

    /// Bytes of cookies with every request
    #[arg(long, value_name = "BYTES", default_value_t = 0, help_heading = "Assumptions")]
    cookies: u64,

    /// A request head, and perhaps after an empty line a response head, to count instead of the built-in ones
    #[arg(long, value_name = "FILE", help_heading = "Assumptions")]
    request_headers: Option<PathBuf>,

    /// IPv6 instead of IPv4
    #[arg(long, help_heading = "Assumptions")]
    ipv6: bool,

    /// Bytes of the longest packet
    #[arg(long, value_name = "BYTES", default_value_t = 1500, help_heading = "Assumptions")]
    mtu: u64,

    /// Milliseconds a receiver waits for something to send its acknowledgement with
    #[arg(long, value_name = "MS", default_value = "40", value_parser = milliseconds, help_heading = "Assumptions")]
    ack_delay: f64,

    /// Seconds between signs of life on an open connection; 0 for none
    #[arg(long, value_name = "S", default_value = "25", value_parser = seconds, help_heading = "Assumptions")]
    heartbeat: f64,

    /// Seconds an idle HTTP connection is kept
    #[arg(long, value_name = "S", default_value = "60", value_parser = seconds, help_heading = "Assumptions")]
    keep_alive: f64,

    /// Count a short poll's interval from the answer, not from the request
    #[arg(long, help_heading = "Assumptions")]
    closed_loop: bool,

    /// The name of the Socket.IO event
    #[arg(long, value_name = "NAME", default_value = "message", help_heading = "Assumptions")]
    event: String,

    /// How to show it
    #[arg(short, long, default_value = "text", help_heading = "Showing")]
    format: Format,

    /// Draw the curves of --sweep (of the interval, without one) as SVG
    #[arg(long, value_name = "FILE.svg", conflicts_with = "simulate", help_heading = "Showing")]
    chart: Option<PathBuf>,

    /// Columns to fit; the terminal's, or 80
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(60..=1000), help_heading = "Showing")]
    width: Option<u16>,

    /// Use ASCII characters only
    #[arg(long, help_heading = "Showing")]
    ascii: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Publishes {
    /// The server, to each client
    Down,
    /// Each client, to the server
    Up,
    /// Both, each at the rate
    Both,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Preset {
    /// The published 500:1, to the digit, and what it leaves out
    QuantumLeap,
    /// One message by a poll and by a frame, everything counted
    Fair,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One object
    Json,
    /// One record a line
    Ndjson,
    /// The tables, values in full
    Csv,
    /// For a document
    Markdown,
}

/// Answers the question and gives the exit code.
///
/// # Errors
/// When the output cannot be written.
pub fn run(args: &Args, color: bool) -> io::Result<u8> {
    match answer(args) {
        Ok(report) => {
            if let (Some(path), Some(chart)) = (&args.chart, &report.chart)
                && let Err(e) = std::fs::write(path, crate::render::compare::svg(chart))
            {
                writeln!(io::stderr(), "error: {}: {e}", path.display())?;
                return Ok(2);
            }
            crate::render::compare::write(&report, args.form(color), Output::new(false))?;
            Ok(0)
        }
        Err(problem) => {
            writeln!(io::stderr(), "error: {problem}")?;
            Ok(2)
        }
    }
}

fn answer(args: &Args) -> Result<Report, String> {
    if !args.captures.is_empty() {
        return count(&args.captures);
    }
    let scenario = args.scenario()?;
    Ok(match args.preset {
        Some(Preset::QuantumLeap) => compare::presets::quantum_leap(),
        Some(Preset::Fair) => compare::presets::fair(),
        None if args.simulate => args.simulated(&scenario)?,
        None => {
            if let Some(range) = &args.sweep {
                return swept(&scenario, &range[0], &range[1]);
            }
            let mut report = compare::report::model(&scenario);
            if args.chart.is_some() {
                let interval = scenario.interval;
                let swept = sweep::sweep(&scenario, Variable::Interval, interval / 10.0, interval * 60.0)?;
                report.chart = swept.chart;
            }
            report
        }
    })
}

/// Changes one assumption over a range.
fn swept(scenario: &Scenario, what: &str, range: &str) -> Result<Report, String> {
    let (variable, unit) = match what {
        "rate" => (Variable::Rate, None),
        "interval" => (Variable::Interval, Some(0.001)),
        "payload" => (Variable::Payload, None),
        "clients" => (Variable::Clients, None),
        "delay" => (Variable::Delay, Some(0.001)),
        _ => {
            return Err(format!("--sweep {what}: one of rate, interval, payload, clients, delay is wanted"));
        }
    };
    let (from, to) = range.split_once("..").ok_or("--sweep wants a range such as 100ms..60s or 1..1000")?;
    let value = |text: &str| match unit {
        Some(unit) => duration(text, unit),
        None => text.parse().map_err(|_| "a number".to_owned()),
    };
    let value = |text: &str| value(text).map_err(|e| format!("--sweep {range}: {text:?} is not {e}"));
    sweep::sweep(scenario, variable, value(from)?, value(to)?)
}

/// Counts captures, with a progress bar over large ones.
fn count(paths: &[PathBuf]) -> Result<Report, String> {
    let mut counter = Counter::default();
    let mut names = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let explain = |e: &dyn std::fmt::Display| format!("{name}: {e}");
        let file = File::open(path).map_err(|e| explain(&e))?;
        let meta = file.metadata().map_err(|e| explain(&e))?;
        if meta.is_dir() {
            return Err(format!("{name}: is a directory: name the capture files in it"));
        }
        let input = input::open(Box::new(file), &name).map_err(|e| explain(&e))?;
        if !matches!(input, Input::Capture(_)) {
            return Err(format!("{name}: is no capture: a pcap or pcapng file is wanted"));
        }
        let bar = output::bar(Some(meta.len()), false);
        let read = counter.read(input, &mut |read| bar.set_position(read));
        bar.finish_and_clear();
        read.map_err(|e| explain(&e))?;
        names.push(name);
    }
    compare::counted::report(&names, &counter.finish())
}

impl Args {
    fn scenario(&self) -> Result<Scenario, String> {
        if self.cookies > 1024 * 1024 {
            return Err("--cookies must be at most 1048576 bytes".to_owned());
        }
        let heads = match &self.request_headers {
            None => Heads::browser(),
            Some(path) => {
                let name = path.display().to_string();
                let text = std::fs::read_to_string(path).map_err(|e| format!("{name}: {e}"))?;
                Heads::from_text(&text, &format!("from {name}")).map_err(|e| format!("{name}: {e}"))?
            }
        };
        let scenario = Scenario {
            clients: self.clients,
            rate: self.rate,
            payload: self.payload,
            interval: self.interval,
            closed_loop: self.closed_loop,
            delay: self.delay,
            duration: self.duration,
            direction: match self.direction {
                Publishes::Down => Direction::Down,
                Publishes::Up => Direction::Up,
                Publishes::Both => Direction::Both,
            },
            heartbeat: self.heartbeat,
            keep_alive: self.keep_alive,
            http2: self.http2,
            event: self.event.clone(),
            heads: heads.with_cookies(self.cookies),
            wire: Wire {
                ipv6: self.ipv6,
                mtu: self.mtu,
                tls: self.tls || self.http2,
                tls_handshake: self.tls_handshake,
                ack_delay: self.ack_delay,
            },
        };
        scenario.check()?;
        if let Some(path) = &self.chart
            && path.extension().is_none_or(|e| !e.eq_ignore_ascii_case("svg"))
        {
            return Err(format!("--chart {}: the name must end with .svg", path.display()));
        }
        Ok(scenario)
    }

    fn simulated(&self, scenario: &Scenario) -> Result<Report, String> {
        if !(0.0..=50.0).contains(&self.loss) {
            return Err("--loss must be from 0 to 50 percent".to_owned());
        }
        if self.jitter < 0.0 {
            return Err("--jitter must not be negative".to_owned());
        }
        let how = Play {
            seed: self.seed,
            messages: self.messages,
            jitter: self.jitter,
            loss: self.loss / 100.0,
            burst: self.burst,
        };
        Ok(compare::report::simulated(scenario, how, &mut |_| ()))
    }

    fn form(&self, color: bool) -> Form {
        match self.format {
            Format::Text => Form::Text(Page {
                width: self.width.map_or_else(output::width, usize::from),
                color,
                ascii: self.ascii,
            }),
            Format::Json => Form::Json,
            Format::Ndjson => Form::Lines,
            Format::Csv => Form::Csv,
            Format::Markdown => Form::Markdown,
        }
    }
}

fn milliseconds(text: &str) -> Result<f64, String> {
    duration(text, 0.001)
}

fn seconds(text: &str) -> Result<f64, String> {
    duration(text, 1.0)
}

/// A number in the unit of the option, or with one of its own; in seconds.
fn duration(text: &str, unit: f64) -> Result<f64, String> {
    let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, named) = text.split_at(at);
    let scale = match named {
        "" => unit,
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "min" | "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("a number, or one with a unit such as 50ms, 2s, 5min".to_owned()),
    };
    match number.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number * scale),
        _ => Err("a number, or one with a unit such as 50ms, 2s, 5min".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_and_without_a_unit() {
        for (text, unit, value) in [
            ("50", 0.001, Some(0.05)),
            ("50ms", 1.0, Some(0.05)),
            ("2min", 0.001, Some(120.0)),
            ("-1", 1.0, Some(-1.0)),
            ("1e999", 1.0, None),
            ("5 apples", 1.0, None),
            ("nan", 1.0, None),
        ] {
            let parsed = duration(text, unit).ok();
            let same = match (parsed, value) {
                (Some(a), Some(b)) => (a - b).abs() < 1e-12,
                (a, b) => a.is_none() && b.is_none(),
            };
            assert!(same, "{text}: {parsed:?}");
        }
    }
}
