//! `wstool decode`: the main job.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;

use clap::ValueEnum;
use regex::bytes::{Regex, RegexBuilder};

use super::output::{self, Output};
use crate::input::{self, Input, InputError};
use crate::limits;
use crate::model::{Dir, Flow, Opcode, Severity, Sink, Unit, Wants};
use crate::pipeline::{self, Outcome};
use crate::render::json::Json;
use crate::render::stats::Stats;
use crate::render::{Bits, Hex, Options, Table, TimeStyle, Tree, View};
use crate::select::{self, Select, Selection, Verdict};

/// What the long help and the manual say besides.
const AFTER: &str = "\
Inputs are recognised by content:
  captures   pcap (either byte order, micro- or nanoseconds) and pcapng, with
             Ethernet, 802.1Q, Linux cooked, loopback or raw IP
  hex        8105..., 81 05, 0x81, 0x05, 81:05, \\x81\\x05, C arrays, what xxd,
             xxd -p, xxd -i, hexdump -C and od -t x1 print, and what Wireshark
             copies; # begins a comment
  raw bytes  what one side sent, with or without its HTTP head
Each of them may be gzip'd.

Examples:
  wstool decode capture.pcap
  wstool decode 818537fa213d7f9f4d5158
  wstool decode --view table --grep error capture.pcapng
  wstool decode --findings --fail-on error capture.pcap
  tcpdump -i any -U -w - port 8080 | wstool decode -

Exit status:
  0  all is well
  1  there are findings that --fail-on asks for
  2  wrong usage, or an input that could not be read to its end";

/// Show what is on the wire, every field with its meaning and a verdict on it.
///
/// Inputs are recognised by content: pcap, pcapng, either one gzip'd, hex in any
/// form people paste, or the raw bytes of one direction. A word that names no
/// file but is hex is decoded as hex; `-` is standard input, decoded as it comes:
/// tcpdump -U -w - | wstool decode -
#[derive(clap::Args)]
#[command(after_long_help = AFTER)]
pub struct Args {
    /// Files, `-` for standard input, or hex such as 810548656c6c6f
    #[arg(value_name = "INPUT")]
    inputs: Vec<String>,

    /// How to show it
    #[arg(short, long, default_value = "tree", help_heading = "Showing")]
    view: ViewName,

    /// Text for people, or records for programs (see docs/ndjson.md)
    #[arg(short, long, default_value = "text", help_heading = "Showing")]
    format: Format,

    /// How times are shown
    #[arg(short, long, default_value = "relative", help_heading = "Showing")]
    time: Time,

    /// Payload bytes shown of each frame and message: a number, or all
    #[arg(long, value_name = "BYTES|all", value_parser = payload_limit, help_heading = "Showing")]
    payload_limit: Option<u64>,

    /// Columns to fit, 80 or more; by default the terminal's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(80..=1000), help_heading = "Showing")]
    width: Option<u16>,

    /// Use ASCII characters only
    #[arg(long, help_heading = "Showing")]
    ascii: bool,

    /// Show connection N only; may be repeated
    #[arg(short, long, value_name = "N", help_heading = "Selecting")]
    stream: Vec<u32>,

    /// Show what one endpoint sent
    #[arg(long, value_name = "ENDPOINT", help_heading = "Selecting")]
    from: Option<Endpoint>,

    /// Show frames of this opcode, by name or number; may be repeated
    #[arg(short, long, value_name = "OPCODE", value_parser = select::parse_opcode, help_heading = "Selecting")]
    opcode: Vec<Opcode>,

    /// Show frames and messages whose unmasked payload matches
    #[arg(short, long, value_name = "REGEX", value_parser = regex, help_heading = "Selecting")]
    grep: Option<Regex>,

    /// Show only what is wrong, and whom it belongs to
    #[arg(long, help_heading = "Selecting")]
    findings: bool,

    /// Leave out findings that matter less
    #[arg(long, value_name = "SEVERITY", default_value = "note", help_heading = "Selecting")]
    min_severity: Level,

    /// Stop after N frames
    #[arg(short = 'n', long, value_name = "N", help_heading = "Selecting")]
    limit: Option<u64>,

    /// Exit with 1 when there are findings of this severity or above
    #[arg(long, value_name = "SEVERITY", default_value = "never", help_heading = "Result")]
    fail_on: FailOn,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ViewName {
    /// The handshake, then each frame with its fields
    Tree,
    /// Headers as RFC 6455 §5.2 draws them, with the actual bits
    Bits,
    /// Bytes beside their meaning
    Hex,
    /// One line a frame
    Table,
    /// Counts, sizes and times, in all and per connection
    Stats,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One array of records
    Json,
    /// One record a line
    Ndjson,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Time {
    /// Seconds since the first
    Relative,
    /// Date and time of day, UTC
    Utc,
    /// Seconds since the one before
    Delta,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Endpoint {
    Client,
    Server,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Level {
    Note,
    Warning,
    Error,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

/// Decodes every input in turn and gives the exit code.
///
/// # Errors
/// When the output cannot be written; a broken pipe among them.
pub fn run(args: &Args, color: bool) -> io::Result<u8> {
    let stdin_only = ["-".to_owned()];
    let inputs = match args.inputs.as_slice() {
        [] if io::stdin().is_terminal() => {
            writeln!(
                io::stderr(),
                "error: nothing to decode: give a capture file, hex such as 810548656c6c6f, or - for \
                 standard input"
            )?;
            return Ok(2);
        }
        [] => &stdin_only,
        inputs => inputs,
    };
    let bytes;
    let inputs = if inputs.len() > 1 && inputs.iter().all(|word| is_a_byte(word)) {
        bytes = [inputs.join(" ")];
        &bytes
    } else {
        inputs
    };
    let mut code = 0;
    for name in inputs {
        code = code.max(one(args, name, color)?);
    }
    Ok(code)
}

/// Whether an argument is one byte of pasted hex, whose bytes the shell took apart.
fn is_a_byte(word: &str) -> bool {
    let digits = word.trim_end_matches(',');
    let digits = digits.strip_prefix("0x").unwrap_or(digits);
    digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_hexdigit()) && !Path::new(word).exists()
}

/// Decodes one input.
fn one(args: &Args, name: &str, color: bool) -> io::Result<u8> {
    let Opened { input, size, live } = match open(name) {
        Ok(opened) => opened,
        Err(message) => {
            writeln!(io::stderr(), "error: {}: {message}", shown(name))?;
            return Ok(2);
        }
    };
    let bar = output::bar(size, args.view != ViewName::Stats);
    let is_raw = input.format() == "raw";
    let mut select = Select::new(args.selection(), Show::new(args, Output::new(live), color, live));
    let outcome = pipeline::run(input, &mut select, &mut |read| bar.set_position(read));
    bar.finish_and_clear();
    let verdict = select.verdict();
    select.into_inner().end()?;
    report(args, name, is_raw, &outcome)?;
    Ok(if outcome.error.is_some() || nothing_readable(&outcome) {
        2
    } else {
        u8::from(args.fail_on.fails(verdict))
    })
}

struct Opened {
    input: Input,
    /// Bytes of the file, where it is one.
    size: Option<u64>,
    /// The input comes as it happens.
    live: bool,
}

fn open(name: &str) -> Result<Opened, String> {
    let explain = |e: InputError| e.to_string();
    if name == "-" {
        // Standard input may be a file all the same, which nobody types into.
        let live = !matches!(stdin_metadata(), Some(true));
        let input = input::open(Box::new(io::stdin()), "-").map_err(explain)?;
        return Ok(Opened { input, size: None, live });
    }
    match File::open(name) {
        Ok(file) => {
            let meta = file.metadata().map_err(|e| e.to_string())?;
            if meta.is_dir() {
                return Err("is a directory: name the capture files in it".to_owned());
            }
            let live = !meta.is_file();
            let reader: Box<dyn Read + Send> = Box::new(file);
            let input = input::open(reader, name).map_err(explain)?;
            Ok(Opened { input, size: meta.is_file().then_some(meta.len()), live })
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound || !Path::new(name).exists() => {
            match input::from_argument(name) {
                Some(input) => Ok(Opened { input, size: None, live: false }),
                None if looks_like_hex(name) => {
                    match input::open(Box::new(io::Cursor::new(name.to_owned())), name) {
                        Err(e) => Err(e.to_string()),
                        Ok(input) => Ok(Opened { input, size: None, live: false }),
                    }
                }
                None => Err("no such file, and it is not hex either".to_owned()),
            }
        }
        Err(e) => Err(e.to_string()),
    }
}

/// Whether an argument that is no file was meant as hex, so that what is wrong with it is worth saying.
fn looks_like_hex(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_hexdigit).count();
    text.starts_with(|c: char| c.is_ascii_digit()) && digits * 10 >= text.chars().count() * 7
}

/// Whether standard input is a regular file; `None` when it cannot be told.
fn stdin_metadata() -> Option<bool> {
    std::fs::metadata("/dev/stdin").ok().map(|m| m.is_file())
}

/// Long arguments are hex; a message about them names only their beginning.
fn shown(name: &str) -> String {
    if name.chars().count() > 60 {
        name.chars().take(57).chain("...".chars()).collect()
    } else {
        name.to_owned()
    }
}

/// Diagnostics that belong to the run, not to the results.
fn report(args: &Args, name: &str, is_raw: bool, outcome: &Outcome) -> io::Result<()> {
    let mut err = io::stderr().lock();
    let name = shown(name);
    for (link, count) in &outcome.unreadable {
        let packets = if *count == 1 { "packet" } else { "packets" };
        writeln!(
            err,
            "warning: {name}: {count} {packets} of link type {link} skipped; Ethernet, Linux cooked, \
             loopback and raw IP are read"
        )?;
    }
    if let Some(error) = &outcome.error {
        writeln!(err, "error: {name}: {error}")?;
    } else if outcome.summary.connections == 0 && !nothing_readable(outcome) {
        writeln!(
            err,
            "note: {name}: no WebSocket connection in {} packets (encrypted ones, wss, cannot be seen)",
            outcome.summary.packets
        )?;
    }
    let connections = outcome.summary.connections;
    if connections > 0
        && args.limit.is_none()
        && let Some(stream) = args.stream.iter().find(|n| **n == 0 || u64::from(**n) > connections)
    {
        writeln!(err, "note: {name}: there is no connection {stream}: they are numbered 1 to {connections}")?;
    }
    if is_raw && outcome.summary.frames > 0 && has_errors(outcome) {
        writeln!(
            err,
            "note: {name}: this is no capture that is known and no hex; its bytes were read as what one side sent"
        )?;
    }
    Ok(())
}

fn has_errors(outcome: &Outcome) -> bool {
    outcome.summary.findings.iter().any(|(rule, times)| rule.severity == Severity::Error && *times > 0)
}

fn nothing_readable(outcome: &Outcome) -> bool {
    let skipped: u64 = outcome.unreadable.iter().map(|(_, count)| count).sum();
    skipped > 0 && skipped == outcome.summary.packets
}

impl Args {
    fn selection(&self) -> Selection {
        Selection {
            streams: self.stream.clone(),
            from: self.from.map(|e| match e {
                Endpoint::Client => Dir::Client,
                Endpoint::Server => Dir::Server,
            }),
            opcodes: self.opcode.clone(),
            grep: self.grep.clone(),
            grep_bytes: self.payload_limit.unwrap_or(limits::PAYLOAD_SHOWN).max(limits::PAYLOAD_SHOWN),
            findings: self.findings,
            min_severity: match self.min_severity {
                Level::Note => Severity::Note,
                Level::Warning => Severity::Warning,
                Level::Error => Severity::Error,
            },
            limit: self.limit,
        }
    }

    fn options(&self, color: bool) -> Options {
        Options {
            width: self.width.map_or_else(output::width, usize::from),
            color,
            ascii: self.ascii,
            time: match self.time {
                Time::Relative => TimeStyle::Relative,
                Time::Utc => TimeStyle::Utc,
                Time::Delta => TimeStyle::Delta,
            },
            payload: self.payload_limit,
        }
    }
}

impl FailOn {
    fn fails(self, verdict: Verdict) -> bool {
        match self {
            Self::Never => false,
            Self::Note => verdict.reaches(Severity::Note),
            Self::Warning => verdict.reaches(Severity::Warning),
            Self::Error => verdict.reaches(Severity::Error),
        }
    }
}

/// The chosen view in the chosen format.
enum Show {
    Text(Box<dyn View>),
    Records { json: Box<Json<Output>>, live: bool },
    Stats { stats: Box<Stats>, out: Output, format: Format, ascii: bool },
}

impl Show {
    fn new(args: &Args, out: Output, color: bool, live: bool) -> Self {
        let payload = args.payload_limit.unwrap_or(limits::PAYLOAD_SHOWN);
        let options = args.options(color);
        match (args.view, args.format) {
            (ViewName::Stats, format) => {
                Self::Stats { stats: Box::default(), out, format, ascii: args.ascii }
            }
            (_, Format::Ndjson) => Self::Records { json: Box::new(Json::lines(out, payload)), live },
            (_, Format::Json) => Self::Records { json: Box::new(Json::array(out, payload)), live },
            (ViewName::Tree, Format::Text) => Self::Text(Box::new(Tree::new(out, options))),
            (ViewName::Bits, Format::Text) => Self::Text(Box::new(Bits::new(out, options))),
            (ViewName::Hex, Format::Text) => Self::Text(Box::new(Hex::new(out, options))),
            (ViewName::Table, Format::Text) => Self::Text(Box::new(Table::new(out, options))),
        }
    }

    fn end(self) -> io::Result<()> {
        match self {
            Self::Text(view) => view.end(),
            Self::Records { json, .. } => json.finish()?.flush(),
            Self::Stats { stats, mut out, format, ascii } => {
                match format {
                    Format::Text => stats.text(&mut out, ascii)?,
                    Format::Json => stats.array(&mut out)?,
                    Format::Ndjson => stats.lines(&mut out)?,
                }
                out.flush()
            }
        }
    }
}

impl Sink for Show {
    fn wants(&self) -> Wants {
        match self {
            Self::Text(view) => view.wants(),
            Self::Records { json, .. } => json.wants(),
            Self::Stats { stats, .. } => stats.wants(),
        }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        match self {
            Self::Text(view) => view.take(unit),
            Self::Records { json, live } => {
                let flow = json.take(unit);
                // An error is remembered and told at the end.
                if *live && json.flush().is_err() { Flow::Break(()) } else { flow }
            }
            Self::Stats { stats, .. } => stats.take(unit),
        }
    }
}

fn payload_limit(text: &str) -> Result<u64, String> {
    if text == "all" {
        return Ok(limits::PAYLOAD_KEPT);
    }
    text.parse().map_err(|_| "a number of bytes, or all".to_owned())
}

fn regex(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).unicode(true).build().map_err(|e| e.to_string())
}
