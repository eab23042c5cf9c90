//! `wstool decode`: the main job.

mod around;
mod aside;
mod export;
mod kept;
mod lead;
mod opening;
mod report;
mod several;
mod show;
mod threads;
mod typed;
#[cfg(test)]
mod ways;
mod write;

use std::io::{self, IsTerminal, Read};
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use regex::bytes::{Regex, RegexBuilder};

use self::aside::Aside;
use self::opening::{Opened, joined, open_keeping};
use self::report::{not_there, nothing_readable, report, unopened};
use self::show::{Show, Until};
use super::habits;
use super::interrupt::{INTERRUPTED, Interrupt};
use super::output::{self, Output, Progress};
use super::size;
use crate::app::keys::Keys;
use crate::cli::Look;
use crate::explain;
use crate::limits;
use crate::model::{Dir, Flow, Opcode, Severity};
use crate::pipeline::{self, Means, Threads};
use crate::render::views::{self, Choice};
use crate::render::{Options, TimeStyle, VIEWS, messages, stats, tree};
use crate::select::{self, Place, Select, Selection, Stream, Verdict, Window};
use crate::timeline;

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
  wstool decode --stream 3-5,192.0.2.7:8080 --opcode close,ping capture.pcap
  wstool decode --findings --fail-on error capture.pcap
  wstool decode --view table client-side.pcap server-side.pcap
  wstool decode --view stats --match request=$.id,reply=$.id api.pcap
  wstool decode --around 1234 --view messages capture.pcap
  wstool decode --stream 3 --write three.pcapng capture.pcap
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
    #[arg(short, long, default_value = tree::VIEW.name, value_parser = view(), help_heading = "Showing")]
    view: &'static Choice,

    /// Text for people, or records for programs (see docs/ndjson.md)
    #[arg(short, long, default_value = "text", help_heading = "Showing")]
    format: Format,

    /// How times are shown
    #[arg(short, long, default_value = "relative", help_heading = "Showing")]
    time: Time,

    /// Payload bytes shown of each frame and message: a number such as 200 or 4k, or all
    #[arg(long, value_name = "BYTES|all", value_parser = payload_limit, help_heading = "Showing")]
    payload_limit: Option<u64>,

    /// Take the captures for parts of one, as rotated ones are: what is open in one goes on in the next
    #[arg(long, help_heading = "Reading")]
    concat: bool,

    /// Bytes held at a time: beyond it payloads, windows and heads are given up, with a finding
    #[arg(long, value_name = "BYTES", default_value = "256M", value_parser = memory)]
    #[arg(help_heading = "Reading")]
    memory: usize,

    /// Threads to use at most: 1, 2, or auto, which is 2 for large captures; what is shown is the same
    #[arg(
        long,
        value_name = "N|auto",
        default_value = "auto",
        value_parser = threads::parse,
        help_heading = "Reading"
    )]
    threads: threads::Wish,

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
        value_parser = streams,
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
    #[arg(short, long, value_name = "REGEX", value_parser = regex, help_heading = "Selecting")]
    grep: Option<Regex>,

    /// Show only what is wrong, and whom it belongs to
    #[arg(long, help_heading = "Selecting")]
    findings: bool,

    /// Count how long requests wait for their answers, by method (--view stats)
    #[arg(long, help_heading = "Showing")]
    latency: bool,

    /// Take messages of JSON for requests and replies by their keys: request=$.id,reply=$.id,method=$.method
    #[arg(long = "match", value_name = "KEYS", value_parser = keys, help_heading = "Reading")]
    keys: Option<Arc<Keys>>,

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

/// What pasted text is.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Pasted {
    /// A body of Engine.IO 3: packets with their lengths, or one packet
    Engineio3,
    /// A body of Engine.IO 4, packets joined by U+001E, or one packet
    Engineio4,
    /// A packet of Socket.IO, with or without Engine.IO's type before it
    Socketio,
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

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

/// Decodes every input and gives the exit code.
///
/// # Errors
/// When the output cannot be written; a broken pipe among them.
pub fn run(args: &Args, look: Look) -> io::Result<u8> {
    let stdin_only = ["-".to_owned()];
    let inputs = match args.inputs.as_slice() {
        [] if io::stdin().is_terminal() => {
            let problem = "nothing to decode: give a capture file, hex such as 810548656c6c6f, or - for \
                           standard input";
            look.tell("error: {}", &problem.into())?;
            return Ok(2);
        }
        [] => &stdin_only,
        inputs => inputs,
    };
    if let Some(answer) = habits::url(inputs) {
        return habits::tell(&answer, look);
    }
    let joined = if args.protocol.is_none() { joined(inputs) } else { None };
    let inputs = joined.as_ref().map_or(inputs, std::slice::from_ref);
    if args.latency && *args.view != stats::VIEW {
        look.tell(
            "error: {}",
            &"--latency counts in --view stats; other views show with each answer how long it took".into(),
        )?;
        return Ok(2);
    }
    typed::prompt(inputs, look)?;
    let interrupt = Interrupt::listen();
    let mut args = args.clone();
    let aside = around::narrow(&args, inputs, &interrupt).and_then(|narrowed| {
        args.narrowed = narrowed;
        Aside::new(&args, inputs, look)
    });
    let (args, aside) = match aside {
        Ok(aside) => (&args, aside),
        Err(problem) => {
            look.tell("error: {}", &problem)?;
            return Ok(2);
        }
    };
    match (inputs, args.protocol) {
        (inputs, Some(protocol)) => {
            let mut code = 0;
            for text in inputs {
                code = code.max(pasted(args, protocol, text, look)?);
            }
            Ok(code)
        }
        ([input], None) => one(args, input, aside, &interrupt, look),
        (inputs, None) => several::run(args, inputs, aside, &interrupt, look),
    }
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
    let mut progress = Progress::new(size, !args.view.is_late, look.lang);
    let is_raw = input.format() == "raw";
    let mut show = Show::new(args, Output::new(live), look, live).with(aside);
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

/// Explains packets that were pasted as text.
fn pasted(args: &Args, protocol: Pasted, name: &str, look: Look) -> io::Result<u8> {
    let mut text = name.to_owned();
    if name == "-" {
        text.clear();
        io::stdin().take(limits::TEXT_INPUT).read_to_string(&mut text)?;
    }
    let text = text.trim_end_matches(['\r', '\n']);
    let read = match protocol {
        Pasted::Engineio3 => timeline::pasted::engine_io(text, 3),
        Pasted::Engineio4 => timeline::pasted::engine_io(text, 4),
        Pasted::Socketio => timeline::pasted::socket_io(text),
    };
    // The tree would show a message without a frame; what it means is the point here.
    let args =
        Args { view: if *args.view == tree::VIEW { &messages::VIEW } else { args.view }, ..args.clone() };
    let mut select = Select::new(args.selection(), Show::new(&args, Output::new(false), look, false));
    // An error of writing shows at the end.
    let _: Flow = timeline::pasted::show(&read, &mut select);
    let verdict = select.verdict();
    select.into_inner().end().map(drop)?;
    Ok(if read.is_readable() { u8::from(args.fail_on.fails(verdict)) } else { 2 })
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
        Means { threads, memory: self.memory, keys: self.keys.clone() }
    }

    fn options(&self, look: Look) -> Options {
        Options {
            width: self.width.map_or_else(output::width, usize::from),
            color: look.color,
            lang: look.language(self.ascii),
            ascii: look.ascii(self.ascii),
            time: match self.time {
                Time::Relative => TimeStyle::Relative,
                Time::Utc => TimeStyle::Utc,
                Time::Delta => TimeStyle::Delta,
            },
            payload: self.payload_limit,
            latency: self.latency || self.keys.is_some(),
            advice: self.explain.then(|| explain::advice(look.lang)),
            head: self.tells_head(),
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

fn view() -> impl TypedValueParser<Value = &'static Choice> {
    let names = VIEWS.map(|view| PossibleValue::new(view.name).help(view.help));
    PossibleValuesParser::new(names).try_map(|name| views::named(&name).ok_or("no view has that name"))
}

fn payload_limit(text: &str) -> Result<u64, String> {
    if text == "all" { Ok(limits::PAYLOAD_KEPT) } else { size::bytes(text).map_err(|e| e + ", or all") }
}

fn memory(text: &str) -> Result<usize, String> {
    let bytes = size::at_least(text, limits::MEMORY_LEAST)?;
    Ok(usize::try_from(bytes).unwrap_or(usize::MAX))
}

fn keys(text: &str) -> Result<Arc<Keys>, String> {
    Keys::parse(text).map(Arc::new)
}

fn streams(text: &str) -> Result<Streams, String> {
    select::parse_streams(text).map(Streams)
}

fn regex(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text).unicode(true).build().map_err(|e| e.to_string())
}
