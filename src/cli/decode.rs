//! `wstool decode`: the main job.

mod around;
mod aside;
mod destination;
mod export;
mod fail_on;
mod kept;
mod lead;
mod opening;
mod pasted;
mod recursive;
mod report;
mod several;
mod show;
#[cfg(feature = "parquet")]
mod tables;
mod threads;
mod typed;
mod values;
#[cfg(test)]
mod ways;
mod write;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use regex::bytes::Regex;

use self::aside::Aside;
pub use self::fail_on::FailOn;
use self::opening::{Opened, joined, open_keeping};
use self::pasted::Pasted;
use self::report::{not_there, nothing_readable, report, unopened, unread};
use self::show::{Show, Until};
use super::habits;
use super::interrupt::{INTERRUPTED, Interrupt};
use super::keylog::KeyLogs;
use super::output::{self, Progress};
use super::protocols::Protocols;
use super::size;
use super::trouble::{Trouble, told};
use crate::app::keys::Keys;
use crate::cli::Look;
use crate::explain;
use crate::limits;
use crate::model::{Dir, Opcode, Severity};
use crate::pipeline::{self, Means, Threads};
use crate::render::views::Choice;
use crate::render::{Options, TimeStyle, stats, tree};
use crate::select::{self, Place, Select, Selection, Stream, Window};
use crate::tls::Secrets;

/// What the long help and the manual say besides.
const AFTER: &str = "\
Inputs are recognised by content:
  captures   pcap (either byte order, micro- or nanoseconds) and pcapng, with
             Ethernet, 802.1Q, Linux cooked, loopback or raw IP
  hex        8105..., 81 05, 0x81, 0x05, 81:05, \\x81\\x05, C arrays, what xxd,
             xxd -p, xxd -i, hexdump -C and od -t x1 print, and what Wireshark
             copies; # begins a comment
  raw bytes  what one side sent, with or without its HTTP head
Each of them may be compressed with gzip, zstd, xz or bzip2.

Examples:
  wstool decode capture.pcap
  wstool decode 818537fa213d7f9f4d5158
  wstool decode --view table --grep error capture.pcapng
  wstool decode --stream 3-5,192.0.2.7:8080 --opcode close,ping capture.pcap
  wstool decode --findings --fail-on error capture.pcap
  wstool decode --view table client-side.pcap server-side.pcap
  wstool decode --view stats --match request=$.id,reply=$.id api.pcap
  wstool decode --around 1234 --view messages capture.pcap
  wstool decode --stream 3 --write three.pcapng capture.pcap
  wstool decode --format parquet --out tables *.pcap.gz
  wstool decode --concat rotated.pcap0 rotated.pcap1 rotated.pcap2
  tcpdump -i any --immediate-mode -U -w - port 8080 | wstool decode -

Exit status:
  0  all is well
  1  there are findings that --fail-on asks for
  2  wrong usage, an input that could not be read to its end, or a --stream
     that is not there
  130  Ctrl-C was pressed; what was read until then is shown";

/// Show what is on the wire, every field with its meaning and a verdict on it.
///
/// Inputs are recognised by content: pcap, pcapng, either one gzip'd, hex in any
/// form people paste, or the raw bytes of one direction. A word that names no
/// file but is hex is decoded as hex; `-` is standard input, decoded as it comes:
/// tcpdump --immediate-mode -U -w - | wstool decode -
#[derive(clap::Args, Clone)]
#[command(after_long_help = AFTER)]
pub struct Args {
    /// Files, `-` for standard input, or hex such as 810548656c6c6f
    #[arg(value_name = "INPUT")]
    inputs: Vec<String>,

    /// How to show it
    #[arg(short, long, default_value = tree::VIEW.name, value_parser = values::view())]
    #[arg(help_heading = "Showing")]
    view: &'static Choice,

    /// Text or a page for people, or records for programs (see docs/ndjson.md)
    #[arg(short, long, default_value = "text", help_heading = "Showing")]
    format: Format,

    /// How times are shown
    #[arg(short, long, default_value = "relative", help_heading = "Showing")]
    time: Time,

    /// Payload bytes shown of each frame and message: a number such as 200 or 4k, or all
    #[arg(long, value_name = "BYTES|all", value_parser = size::payload_limit, help_heading = "Showing")]
    payload_limit: Option<u64>,

    /// Take the captures for parts of one, as rotated ones are: what is open in one goes on in the next
    #[arg(long, help_heading = "Reading")]
    concat: bool,

    /// Take the captures in folders, and in the folders in these, in the order of their names
    #[arg(long, help_heading = "Reading")]
    recursive: bool,

    /// Bytes held at a time: beyond it payloads, windows and heads are given up, with a finding
    #[arg(long, value_name = "BYTES", default_value = "256M", value_parser = values::memory)]
    #[arg(help_heading = "Reading")]
    memory: usize,

    /// Threads to use at most: 1, 2, or auto, which is as many as pay; what is shown is the same
    #[arg(
        long,
        value_name = "N|auto",
        default_value = "auto",
        value_parser = threads::parse,
        help_heading = "Reading"
    )]
    threads: threads::Wish,

    #[command(flatten)]
    key_logs: KeyLogs,

    /// What is in them.
    #[arg(skip)]
    secrets: Arc<Secrets>,

    /// Take INPUT for a packet of this protocol, pasted as text: --as socketio '42["hi",1]'
    #[arg(long = "as", value_name = "PROTOCOL", help_heading = "Reading")]
    protocol: Option<Pasted>,

    /// Say why each broken rule is there and how to fix it, once a rule (text views with findings)
    #[arg(long, help_heading = "Showing")]
    explain: bool,

    /// Leave out what went wrong and how the connections ended, which is told first
    #[arg(long, help_heading = "Showing")]
    no_verdict: bool,

    /// Columns to fit, 40 or more; by default the terminal's. The diagrams of the view bits take 79
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u16).range(40..=1000),
        help_heading = "Showing"
    )]
    width: Option<u16>,

    /// Use ASCII characters only
    #[arg(long, help_heading = "Showing")]
    ascii: bool,

    #[arg(
        short,
        long,
        value_name = "STREAMS",
        value_parser = values::streams,
        help_heading = "Selecting",
        help = "Show these connections: numbers and ranges, an address or host name with or without its \
                port, a port, a path, a URL: 2,5-7 or :8080 or /chat or ws://feed.example.com/chat"
    )]
    stream: Vec<Streams>,

    /// Show what one endpoint sent
    #[arg(long, value_name = "ENDPOINT", help_heading = "Selecting")]
    from: Option<Endpoint>,

    /// Show frames of these opcodes, by name or number: close,ping
    #[arg(
        short, long, value_name = "OPCODES", value_delimiter = ',', value_parser = select::parse_opcode,
        help_heading = "Selecting"
    )]
    opcode: Vec<Opcode>,

    /// Show messages whose content, unmasked and inflated, matches, and their frames
    #[arg(short, long, value_name = "REGEX", value_parser = values::regex, help_heading = "Selecting")]
    grep: Option<Regex>,

    /// Show only what is wrong, and whom it belongs to
    #[arg(long, help_heading = "Selecting")]
    findings: bool,

    /// Count how long requests wait for their answers, by method (--view stats)
    #[arg(long, help_heading = "Showing")]
    latency: bool,

    /// Take messages of JSON for requests and replies by their keys: request=$.id,reply=$.id,method=$.method
    #[arg(long = "match", value_name = "KEYS", value_parser = values::keys, help_heading = "Reading")]
    keys: Option<Arc<Keys>>,

    /// Take what goes to and from these ports for lines of text: no HTTP, no WebSocket
    #[arg(long, value_name = "PORTS", value_delimiter = ',', help_heading = "Reading")]
    lines: Vec<u16>,

    #[command(flatten)]
    protocols: Protocols,

    /// Leave out findings that matter less
    #[arg(long, value_name = "SEVERITY", default_value = "note", help_heading = "Selecting")]
    min_severity: Level,

    /// Show what is around a packet, of its connection, or around a time: 1234, 12.5s, 14:03:22Z; behind a
    /// comma how much on either side: 1234,50 or 12.5s,500ms
    #[arg(long, value_name = "PACKET|TIME", value_parser = select::parse_place, help_heading = "Selecting")]
    around: Option<Place>,

    /// Stop after N frames
    #[arg(short = 'n', long, value_name = "N", help_heading = "Selecting")]
    limit: Option<u64>,

    /// With --format parquet: the folder for the tables; those of the captures named are replaced
    #[arg(long, value_name = "DIR", help_heading = "Result")]
    out: Option<PathBuf>,

    /// With --format parquet: which tables; all but frames when left out
    #[arg(
        long, value_name = "TABLES", value_delimiter = ',', help_heading = "Result",
        value_parser = ["connections", "messages", "findings", "causes", "frames"]
    )]
    tables: Vec<String>,

    /// Write what is shown into a file, such as page.html
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    output: Option<PathBuf>,

    /// Write what the messages carry into a new folder, a file each, named by connection, sender and number
    #[arg(long, value_name = "DIR", conflicts_with = "protocol", help_heading = "Result")]
    export: Option<PathBuf>,

    /// Write the packets of the connections shown; into a .pcapng with what is said of each as its comment
    #[arg(long, value_name = "FILE", conflicts_with = "protocol", help_heading = "Result")]
    write: Option<PathBuf>,

    /// What `around` comes to.
    #[arg(skip)]
    narrowed: Option<Narrowed>,

    /// Exit with 1 when there are findings of this severity or above
    #[arg(long, value_name = "SEVERITY", default_value = "never", help_heading = "Result")]
    fail_on: FailOn,
}

/// A part of the input, and the connection it is of.
type Narrowed = (Window, Option<Stream>);

/// Connections that one `--stream` names.
#[derive(Clone)]
struct Streams(Vec<Stream>);

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One array of records
    Json,
    /// One record a line
    Ndjson,
    /// A page for a browser, all in one file: every byte explained (see docs/html.md)
    Html,
    /// Tables for DuckDB, Spark and the like, in a folder: --out DIR (see docs/many.md)
    Parquet,
    /// Handshakes and messages as an HTTP Archive, which browsers' developer tools load (see docs/har.md)
    Har,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Time {
    /// Seconds since the first packet of the input
    Relative,
    /// Date and time of day, UTC
    Utc,
    /// Seconds since the one shown before
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

/// Decodes every input and gives the exit code.
///
/// # Errors
/// When the output cannot be written; a broken pipe among them.
pub fn run(args: &Args, look: Look) -> io::Result<u8> {
    told(decode(args, look), look)
}

fn decode(args: &Args, look: Look) -> Result<u8, Trouble> {
    let stdin_only = ["-".to_owned()];
    let inputs = match args.inputs.as_slice() {
        [] if io::stdin().is_terminal() => {
            let problem = "nothing to decode: give a capture file, hex such as 810548656c6c6f, or - for \
                           standard input";
            return Err(Trouble::Asked(problem.into()));
        }
        [] => &stdin_only,
        inputs => inputs,
    };
    if let Some(answer) = habits::url(inputs) {
        return Ok(habits::tell(&answer, look)?);
    }
    let within = args.recursive.then(|| recursive::captures(inputs)).transpose().map_err(Trouble::Asked)?;
    let inputs = within.as_deref().unwrap_or(inputs);
    let joined = if args.protocol.is_none() { joined(inputs) } else { None };
    let inputs = joined.as_ref().map_or(inputs, std::slice::from_ref);
    if args.latency && *args.view != stats::VIEW {
        return Err(Trouble::Asked(
            "--latency counts in --view stats; other views show with each answer how long it took".into(),
        ));
    }
    if let Some(problem) = args.misplaced(inputs) {
        return Err(Trouble::Asked(problem));
    }
    args.protocols.load().map_err(Trouble::Asked)?;
    typed::prompt(inputs, look)?;
    let interrupt = Interrupt::listen();
    let mut args = args.clone();
    args.secrets = args.key_logs.read(inputs, look).map_err(Trouble::Asked)?;
    #[cfg(feature = "parquet")]
    if args.format == Format::Parquet {
        return tables::run(&args, inputs, &interrupt, look);
    }
    args.narrowed = around::narrow(&args, inputs, &interrupt).map_err(Trouble::Asked)?;
    let aside = Aside::new(&args, inputs, look).map_err(Trouble::Asked)?;
    Ok(match (inputs, args.protocol) {
        (inputs, Some(protocol)) => {
            let mut code = 0;
            for text in inputs {
                code = code.max(pasted::show(&args, protocol, text, look)?);
            }
            code
        }
        ([input], None) => one(&args, input, aside, &interrupt, look)?,
        (inputs, None) => several::run(&args, inputs, aside, &interrupt, look)?,
    })
}

/// Decodes one input.
fn one(args: &Args, name: &str, mut aside: Aside, interrupt: &Interrupt, look: Look) -> io::Result<u8> {
    let opened = match open_keeping(name, interrupt, aside.keep(name)) {
        Ok(opened) => opened,
        Err(message) => {
            unopened(name, &message, look)?;
            return Ok(2);
        }
    };
    let lead = lead::of(args, name, &opened, interrupt);
    let threads = args.threads.of(&opened);
    let Opened { input, size, live, .. } = opened;
    let mut progress = Progress::new(size, args.scrolls(), look.lang);
    let is_raw = input.format() == "raw";
    let Some(out) = args.out(live, look)? else { return Ok(2) };
    let mut show = Show::new(args, out, look, live).with(aside);
    if let Some(head) = lead {
        show.view.lead(head);
    }
    let mut select = Select::new(args.selection(), show);
    let mut until = Until { select: &mut select, interrupt };
    let means = args.means(threads);
    let outcome = pipeline::run_with(means, input, &mut until, &mut |read| progress.at(read));
    progress.end();
    let verdict = select.verdict();
    let missing: Vec<Stream> = select.missing().into_iter().cloned().collect();
    let aside = select.into_inner().end()?;
    let source = write::Source { names: vec![name], interrupt };
    let source = (!interrupt.seen() || aside.is_kept(&source.names)).then_some(&source);
    if interrupt.has_cut() {
        aside.end(source, look)?;
        return Ok(INTERRUPTED);
    }
    report(name, is_raw, &outcome, look)?;
    if outcome.error.is_none() {
        unread(&outcome.summary, &args.secrets, look)?;
    }
    not_there(name, &missing, outcome.summary.connections, look)?;
    let failed = aside.end(source, look)?;
    Ok(if interrupt.seen() {
        INTERRUPTED
    } else if let Some(code) = failed {
        code
    } else if outcome.error.is_some() || nothing_readable(&outcome) || !missing.is_empty() {
        2
    } else {
        u8::from(args.fail_on.fails(verdict))
    })
}

impl Args {
    /// The connections that are named, or the one that a packet is of.
    fn streams(&self) -> Vec<Stream> {
        let named: Vec<Stream> = self.stream.iter().flat_map(|list| list.0.clone()).collect();
        let found =
            self.narrowed.iter().filter(|_| named.is_empty()).filter_map(|(_, stream)| stream.clone());
        let found: Vec<Stream> = found.collect();
        named.into_iter().chain(found).collect()
    }

    fn selection(&self) -> Selection {
        Selection {
            streams: self.streams(),
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
            window: self.narrowed.as_ref().map(|(window, _)| window.clone()),
            limit: self.limit,
            memory: Some(self.memory),
        }
    }

    fn means(&self, threads: Threads) -> Means {
        Means {
            threads,
            memory: self.memory,
            keys: self.keys.clone(),
            secrets: Arc::clone(&self.secrets),
            given: self.protocols.given(),
            lines: self.lines.clone(),
        }
    }

    fn options(&self, look: Look) -> Options {
        Options {
            color: look.color && self.output.is_none(),
            time: match self.time {
                Time::Relative => TimeStyle::Relative,
                Time::Utc => TimeStyle::Utc,
                Time::Delta => TimeStyle::Delta,
            },
            payload: self.payload_limit,
            latency: self.latency || self.keys.is_some() || self.protocols.is_given(),
            advice: self.explain.then(|| explain::advice(look.lang)),
            head: self.tells_head(),
            ..output::options(look, self.width, self.ascii)
        }
    }
}
