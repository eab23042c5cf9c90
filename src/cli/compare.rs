//! `wstool compare`: what polling and WebSocket cost.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;

use super::output::{self, Output};
use crate::compare::heads::Heads;
use crate::compare::wire::Wire;
use crate::compare::{self, Direction, Scenario};
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
    #[arg(long, value_name = "NAME", help_heading = "Question")]
    preset: Option<Preset>,

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
    let scenario = args.scenario()?;
    Ok(match args.preset {
        Some(Preset::QuantumLeap) => compare::presets::quantum_leap(),
        Some(Preset::Fair) => compare::presets::fair(),
        None => compare::report::model(&scenario),
    })
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
        Ok(scenario)
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
