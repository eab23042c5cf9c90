//! The options of `wstool compare`, and the question they ask.

use std::path::PathBuf;

use clap::{ArgGroup, ValueEnum};

use super::units::{milliseconds, seconds};
use crate::cli::Look;
use crate::cli::file;
use crate::cli::output;
use crate::cli::size;
use crate::cli::trouble::of_file;
use crate::compare::heads::Heads;
use crate::compare::play::Play;
use crate::compare::wire::Wire;
use crate::compare::{Direction, Scenario};
use crate::model::Text;
use crate::render::compare::{Form, Page};

/// What a live run cannot do: sockets on loopback lose nothing and have no TLS, and publish downwards.
const LIVE_HAS_NOT: [&str; 14] = [
    "direction",
    "preset",
    "sweep",
    "simulate",
    "messages",
    "jitter",
    "loss",
    "burst",
    "tls",
    "tls_handshake",
    "tls_record",
    "http2",
    "keep_alive",
    "chart",
];

/// What captures and presets leave no room for: they bring their own question and assumptions.
const HAVE_THEIR_OWN: [&str; 29] = [
    "clients",
    "rate",
    "payload",
    "interval",
    "delay",
    "duration",
    "direction",
    "sweep",
    "chart",
    "simulate",
    "seed",
    "messages",
    "jitter",
    "loss",
    "burst",
    "tls",
    "tls_handshake",
    "tls_record",
    "http2",
    "cookies",
    "request_headers",
    "ipv6",
    "no_tcp_timestamps",
    "mtu",
    "ack_delay",
    "heartbeat",
    "keep_alive",
    "closed_loop",
    "event",
];

/// Compare what polling, server-sent events, WebSocket and Socket.IO cost.
///
/// Without captures this is arithmetic: bytes down to the acknowledgements, requests, latency,
/// each from a formula whose assumptions are printed and can be changed. With --live servers and
/// clients are started here, and what they do is measured beside it.
///
/// Times are in milliseconds or seconds as named, or with a unit: 50ms, 2s, 5min.
#[derive(clap::Args)]
#[command(allow_negative_numbers = true)]
#[command(group = ArgGroup::new("played").args(["live", "simulate"]).multiple(true))]
pub struct Args {
    /// Captures of polling and of WebSocket, or one of both, - for standard input: counts what really
    /// happened
    #[arg(
        value_name = "CAPTURE", conflicts_with_all = HAVE_THEIR_OWN, conflicts_with_all = ["preset", "live"]
    )]
    pub(super) captures: Vec<PathBuf>,

    /// Clients; with --live 50
    #[arg(
        short = 'N',
        long,
        value_name = "N",
        default_value_t = 1000,
        default_value_if("live", "true", "50"),
        help_heading = "Question"
    )]
    pub(super) clients: u64,

    /// Messages a second and client; with --live 5
    #[arg(
        short,
        long,
        value_name = "MSG/S",
        default_value_t = 1.0,
        default_value_if("live", "true", "5"),
        help_heading = "Question"
    )]
    pub(super) rate: f64,

    /// Bytes of a message
    #[arg(
        short, long, value_name = "BYTES", default_value_t = 21, value_parser = size::bytes,
        help_heading = "Question"
    )]
    pub(super) payload: u64,

    /// Milliseconds between two short polls
    #[arg(
        short, long, value_name = "MS", default_value = "1000", allow_hyphen_values = true,
        value_parser = milliseconds, help_heading = "Question"
    )]
    pub(super) interval: f64,

    /// Milliseconds a packet takes one way
    #[arg(
        short, long, value_name = "MS", default_value = "50", allow_hyphen_values = true,
        value_parser = milliseconds, help_heading = "Question"
    )]
    pub(super) delay: f64,

    /// Seconds it goes on; with --live 6, which its runs share
    #[arg(
        short = 't', long, value_name = "S", default_value = "3600", default_value_if("live", "true", "6"),
        allow_hyphen_values = true, value_parser = seconds, help_heading = "Question"
    )]
    pub(super) duration: f64,

    /// Who publishes
    #[arg(long, value_name = "WHO", default_value = "down", help_heading = "Question")]
    pub(super) direction: Publishes,

    /// A comparison with known answers, instead of your own question
    #[arg(long, value_name = "NAME", conflicts_with_all = HAVE_THEIR_OWN, help_heading = "Question")]
    pub(super) preset: Option<Preset>,

    /// Change one assumption over a range, such as: --sweep interval 100ms..60s
    #[arg(
        long, num_args = 2, allow_hyphen_values = true, value_names = ["WHAT", "FROM..TO"],
        help_heading = "Question"
    )]
    pub(super) sweep: Option<Vec<String>>,

    /// Start servers and clients on this machine, with a delay line between them, and measure
    #[arg(long, conflicts_with_all = LIVE_HAS_NOT, help_heading = "Live")]
    pub(super) live: bool,

    /// Runs of each way, in turn
    #[arg(
        long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=100),
        requires = "live", help_heading = "Live"
    )]
    pub(super) runs: u64,

    /// What --live starts to see how much memory a server takes: serves one way, by its number
    #[arg(long, hide = true, requires = "live", value_parser = clap::value_parser!(u8).range(0..6))]
    pub(super) live_server: Option<u8>,

    /// Play it message by message and packet by packet, beside the formulas
    #[arg(long, conflicts_with = "sweep", help_heading = "Simulation")]
    pub(super) simulate: bool,

    /// The same seed plays the same game, and publishes at the same moments
    #[arg(long, value_name = "N", default_value_t = 1, requires = "played", help_heading = "Simulation")]
    pub(super) seed: u64,

    /// Messages to publish to one client
    #[arg(
        long, value_name = "N", default_value_t = 50_000,
        value_parser = clap::value_parser!(u64).range(1..=10_000_000), requires = "simulate",
        help_heading = "Simulation"
    )]
    pub(super) messages: u64,

    /// Milliseconds a packet may take more, any part of it as likely
    #[arg(
        long, value_name = "MS", default_value = "0", allow_hyphen_values = true, value_parser = milliseconds,
        requires = "simulate", help_heading = "Simulation"
    )]
    pub(super) jitter: f64,

    /// Percent of segments lost and sent again
    #[arg(
        long,
        value_name = "PERCENT",
        default_value_t = 0.0,
        requires = "simulate",
        help_heading = "Simulation"
    )]
    pub(super) loss: f64,

    /// Messages published at a time
    #[arg(
        long, value_name = "N", default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..=100_000), requires = "simulate",
        help_heading = "Simulation"
    )]
    pub(super) burst: u64,

    /// Everything within TLS 1.3
    #[arg(long, help_heading = "Assumptions")]
    tls: bool,

    /// Bytes of a TLS handshake, both directions
    #[arg(
        long, value_name = "BYTES", default_value_t = 4500, value_parser = size::bytes,
        help_heading = "Assumptions"
    )]
    tls_handshake: u64,

    /// Bytes TLS adds to a record
    #[arg(
        long, value_name = "BYTES", default_value_t = 22,
        value_parser = |text: &str| size::within(text, 0, 255), help_heading = "Assumptions"
    )]
    tls_record: u64,

    /// HTTP/2 for everything but the WebSocket; browsers speak it within TLS only, so this means --tls
    #[arg(long, help_heading = "Assumptions")]
    http2: bool,

    /// Bytes of cookies with every request
    #[arg(
        long, value_name = "BYTES", default_value_t = 0, value_parser = size::bytes,
        help_heading = "Assumptions"
    )]
    cookies: u64,

    /// A request head, and perhaps after an empty line a response head, to count instead of the built-in ones
    #[arg(long, value_name = "FILE", help_heading = "Assumptions")]
    request_headers: Option<PathBuf>,

    /// IPv6 instead of IPv4
    #[arg(long, help_heading = "Assumptions")]
    ipv6: bool,

    /// TCP without its timestamps option: 12 bytes less a segment
    #[arg(long, help_heading = "Assumptions")]
    no_tcp_timestamps: bool,

    /// Bytes of the longest packet
    #[arg(
        long, value_name = "BYTES", default_value_t = 1500, value_parser = size::bytes,
        help_heading = "Assumptions"
    )]
    mtu: u64,

    /// Milliseconds a receiver waits for something to send its acknowledgement with
    #[arg(
        long, value_name = "MS", default_value = "40", allow_hyphen_values = true,
        value_parser = milliseconds, help_heading = "Assumptions"
    )]
    ack_delay: f64,

    /// Seconds between signs of life on an open connection; 0 for none, as with --live
    #[arg(
        long, value_name = "S", default_value = "25", default_value_if("live", "true", "0"),
        allow_hyphen_values = true, value_parser = seconds, help_heading = "Assumptions"
    )]
    heartbeat: f64,

    /// Seconds an idle HTTP connection is kept
    #[arg(
        long, value_name = "S", default_value = "60", allow_hyphen_values = true, value_parser = seconds,
        help_heading = "Assumptions"
    )]
    keep_alive: f64,

    /// Count a short poll's interval from the answer, not from the request
    #[arg(long, help_heading = "Assumptions")]
    closed_loop: bool,

    /// The name of the Socket.IO event
    #[arg(long, value_name = "NAME", default_value = "message", help_heading = "Assumptions")]
    pub(super) event: String,

    /// How to show it
    #[arg(short, long, default_value = "text", help_heading = "Showing")]
    pub(super) format: Format,

    /// Draw the curves of --sweep (of the interval, without one) as an SVG or PNG picture
    #[arg(long, value_name = "FILE", conflicts_with = "simulate", help_heading = "Showing")]
    pub(super) chart: Option<PathBuf>,

    /// Columns to fit; the terminal's, or 80
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u16).range(60..=1000),
        help_heading = "Showing"
    )]
    width: Option<u16>,

    /// Use ASCII characters only
    #[arg(long, help_heading = "Showing")]
    ascii: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Publishes {
    /// The server, to each client
    Down,
    /// Each client, to the server
    Up,
    /// Both, each at the rate
    Both,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Preset {
    /// The published 500:1, to the digit, and what it leaves out
    QuantumLeap,
    /// One message by a poll and by a frame, everything counted
    Fair,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
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

impl Args {
    pub(super) fn scenario(&self) -> Result<Scenario, Text> {
        if self.cookies > 1024 * 1024 {
            return Err(Text::new("--cookies must be at most 1048576 bytes"));
        }
        let heads = match &self.request_headers {
            None => Heads::browser(),
            Some(path) => {
                let text = file::open(path).and_then(|file| std::io::read_to_string(file.reader));
                let text = text.map_err(|e| of_file(path, &e))?;
                Heads::from_text(&text, Text::with("from {}", path.display()))
                    .map_err(|why| Text::with("{}: {}", path.display()).word(why))?
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
                tls_record: self.tls_record,
                timestamps: !self.no_tcp_timestamps,
                ack_delay: self.ack_delay,
            },
        };
        scenario.check()?;
        Ok(scenario)
    }

    /// What a simulation plays besides the scenario.
    pub(super) fn play(&self) -> Result<Play, Text> {
        if !(0.0..=50.0).contains(&self.loss) {
            return Err(Text::new("--loss must be from 0 to 50 percent"));
        }
        if self.jitter < 0.0 {
            return Err(Text::new("--jitter must not be negative"));
        }
        Ok(Play {
            seed: self.seed,
            messages: self.messages,
            jitter: self.jitter,
            loss: self.loss / 100.0,
            burst: self.burst,
        })
    }

    pub(super) fn form(&self, look: Look) -> Form {
        match self.format {
            Format::Text => Form::Text(Page {
                width: self.width.map_or_else(output::width, usize::from),
                color: look.color,
                ascii: look.ascii(self.ascii),
            }),
            Format::Json => Form::Json,
            Format::Ndjson => Form::Lines,
            Format::Csv => Form::Csv,
            Format::Markdown => Form::Markdown,
        }
    }
}
