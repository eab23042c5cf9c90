//! `wstool encode`: the inverse of `decode`.

mod form;
mod messages;
mod socketio;
mod value;

use std::fs;
use std::io::{self, Read as _, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{ArgMatches, FromArgMatches as _, ValueEnum};

use crate::cli::file;
use crate::lang::Lang;
use crate::limits;
use crate::model::{Dir, LengthForm, Text, Time};
use crate::render::columns;
use crate::synth::conversation::{self, Step};
use crate::synth::frames::Masking;
use crate::synth::{self, Rng, script};

use super::trouble::of_file;
use form::{Form, Pieces};
#[cfg(feature = "lab")]
pub(super) use socketio::event_packet;

/// Write frames, or a whole conversation as a capture.
///
/// Messages are written in the order of their options. Without --pcap only
/// frames are written; with it a conversation that TCP and the opening
/// handshake begin and a closing handshake ends, in which the other endpoint
/// answers pings and closes.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// A text message
    #[arg(long, value_name = "TEXT")]
    text: Vec<String>,

    /// A binary message: a file, `-` for standard input, or hex such as 00ff
    #[arg(long, value_name = "FILE|HEX")]
    binary: Vec<String>,

    /// A ping
    #[arg(long, value_name = "DATA", num_args = 0..=1, default_missing_value = "")]
    ping: Vec<String>,

    /// A pong
    #[arg(long, value_name = "DATA", num_args = 0..=1, default_missing_value = "")]
    pong: Vec<String>,

    /// A Close frame with this code
    #[arg(long, value_name = "CODE")]
    close: Vec<u16>,

    /// The reason of the Close frame before it, up to 123 bytes
    #[arg(long, value_name = "TEXT")]
    reason: Vec<String>,

    /// A Close frame without a code
    #[arg(long, action = clap::ArgAction::Append, num_args = 0, default_missing_value = "true")]
    close_empty: Vec<bool>,

    #[command(flatten)]
    socket_io: socketio::SocketIo,

    /// Play a conversation script instead; see --script-help
    #[arg(long, value_name = "FILE", conflicts_with_all = ["text", "binary", "ping", "pong", "close",
        "reason", "close_empty", "mask", "fragment", "rsv", "opcode", "length_form", "length",
        "bad_utf8", "no_fin"])]
    script: Option<String>,

    /// Explain the script language
    #[arg(long)]
    script_help: bool,

    /// Who sends the messages; of a script, whose part is written
    #[arg(long, value_name = "ENDPOINT")]
    from: Option<Endpoint>,

    /// Masking key (8 hex digits), random or none
    ///
    /// A client masks every frame with a fresh random key, a server none,
    /// unless this says otherwise.
    #[arg(long, value_name = "KEY|random|none", value_parser = value::masking)]
    mask: Option<Masking>,

    /// Cut data messages into frames of at most N payload bytes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    fragment: Option<u64>,

    /// Set a reserved bit on the first frame of each message
    #[arg(
        long, value_name = "1|2|3", value_parser = clap::value_parser!(u8).range(1..=3),
        help_heading = "Deliberate errors"
    )]
    rsv: Vec<u8>,

    /// Write another opcode on the first frame of each message
    #[arg(long, value_name = "N", value_parser = value::opcode, help_heading = "Deliberate errors")]
    opcode: Option<u8>,

    /// Write the length in this many bits, even where fewer do
    #[arg(
        long, value_name = "7|16|64", value_parser = value::length_form, help_heading = "Deliberate errors"
    )]
    length_form: Option<LengthForm>,

    /// Declare another length than the payload has
    #[arg(long, value_name = "N", value_parser = value::number, help_heading = "Deliberate errors")]
    length: Option<u64>,

    /// Put 0xFF over the last byte of texts and reasons, or that at OFFSET
    #[arg(
        long, value_name = "OFFSET", num_args = 0..=1, require_equals = true, default_missing_value = "last",
        value_parser = value::place, help_heading = "Deliberate errors"
    )]
    bad_utf8: Option<value::Place>,

    /// Leave FIN 0 on the last frame of each message
    #[arg(long, help_heading = "Deliberate errors")]
    no_fin: bool,

    /// Write what the RFC forbids: close codes that are never sent, long or fragmented control frames
    #[arg(long, help_heading = "Deliberate errors")]
    force: bool,

    /// Write a C array instead of hex
    #[arg(long, conflicts_with_all = ["raw", "pcap"])]
    c_array: bool,

    /// Write the bytes themselves
    #[arg(long, conflicts_with = "pcap")]
    raw: bool,

    /// Write to FILE; the bytes themselves unless --c-array is given
    #[arg(short, long, value_name = "FILE", conflicts_with = "pcap")]
    output: Option<String>,

    /// Write a whole conversation as a capture; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pcap: Option<String>,

    /// Make the same bytes again: fixes keys, numbers and times. Not for real peers
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Endpoint {
    Client,
    Server,
}

impl From<Endpoint> for Dir {
    fn from(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::Client => Self::Client,
            Endpoint::Server => Self::Server,
        }
    }
}

/// Writes packets as a capture file: gives `packets` a function to call with each.
pub type WriteCapture = fn(&mut dyn Write, packets: &mut dyn FnMut(&mut synth::Emit<'_>)) -> io::Result<()>;

/// Runs the command and gives its exit code: 0, or 2 with one line on `err`.
///
/// `matches` are those of [`Args`]: the order of messages is in them only.
///
/// # Errors
/// When `out` or `err` cannot be written to.
pub fn run(
    matches: &ArgMatches,
    lang: Lang,
    out: &mut dyn Write,
    err: &mut dyn Write,
    capture: WriteCapture,
) -> io::Result<u8> {
    let result = Args::from_arg_matches(matches)
        .map_err(|error| usage(Text::with("{}", error)))
        .and_then(|args| args.encode(matches, lang, out, capture));
    match result {
        Ok(()) => Ok(0),
        Err(Failure::Output(error)) => Err(error),
        Err(Failure::Usage(message)) => {
            let line = lang.fill("error: {}", &[&lang.say(&message)]);
            writeln!(err, "{}", columns::escaped(&line))?;
            Ok(2)
        }
    }
}

/// Why nothing, or not all, was written.
enum Failure {
    /// What to do about it, in one line.
    Usage(Text),
    /// The given output failed.
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

fn usage(message: impl Into<Text>) -> Failure {
    Failure::Usage(message.into())
}

fn about_file(path: &str, what: impl Into<Text>) -> Failure {
    usage(Text::with("{}: {}", path).word(what))
}

fn unusable(path: &str, error: &io::Error) -> Failure {
    usage(of_file(Path::new(path), error))
}

impl Args {
    fn encode(
        &self,
        matches: &ArgMatches,
        lang: Lang,
        out: &mut dyn Write,
        capture: WriteCapture,
    ) -> Result<(), Failure> {
        if self.script_help {
            let page = match lang {
                Lang::En => include_str!("../../docs/script.md"),
                Lang::Zh => include_str!("../../docs/script.zh.md"),
            };
            return Ok(out.write_all(page.as_bytes())?);
        }
        let steps = match &self.script {
            Some(path) => scripted(path)?,
            None => self.spoken(matches)?,
        };
        if self.pcap.is_none() && self.script.is_some() {
            self.check_frames(&steps)?;
        }
        if self.pcap.is_none() && self.form() == Form::Raw && self.script.is_some() && self.from.is_none() {
            return Err(usage(
                "raw bytes are those of one endpoint: add --from client or --from server, \
                 or write both with --pcap FILE",
            ));
        }
        let mut source = Source::new(self.seed);
        let path = self.pcap.as_ref().or(self.output.as_ref()).filter(|path| *path != "-");
        let written = match path {
            Some(path) => {
                let file = fs::File::create(path).map_err(|error| unusable(path, &error))?;
                let mut file = io::BufWriter::new(file);
                self.write(&steps, &mut source, lang, &mut file, capture)
                    .and_then(|()| Ok(file.flush()?))
                    .map_err(|failure| match failure {
                        Failure::Output(error) => unusable(path, &error),
                        usage @ Failure::Usage(_) => usage,
                    })
            }
            None => self.write(&steps, &mut source, lang, out, capture),
        };
        written.and(source.verdict())
    }

    /// Says so where a script has nothing that is written.
    fn check_frames(&self, steps: &[Step]) -> Result<(), Failure> {
        let sends = |dir| conversation::sends_frames(steps, dir);
        let is_sent = [Dir::Client, Dir::Server].map(sends);
        match self.from.map(Dir::from) {
            _ if is_sent == [false; 2] => Err(usage(
                "nothing to encode: the script sends no frames; --pcap FILE writes what else it says",
            )),
            Some(Dir::Client) if !is_sent[0] => Err(usage(
                "nothing to encode: in the script the client sends no frames; --from server writes those of \
                 the server",
            )),
            Some(Dir::Server) if !is_sent[1] => Err(usage(
                "nothing to encode: in the script the server sends no frames; --from client writes those of \
                 the client",
            )),
            _ => Ok(()),
        }
    }

    fn write(
        &self,
        steps: &[Step],
        source: &mut Source,
        lang: Lang,
        out: &mut dyn Write,
        capture: WriteCapture,
    ) -> Result<(), Failure> {
        if self.pcap.is_some() {
            let start = self.start();
            let mut bytes = |buffer: &mut [u8]| source.fill(buffer);
            return Ok(capture(out, &mut |emit| conversation::play(steps, start, &mut bytes, emit))?);
        }
        let only = self.from.filter(|_| self.script.is_some()).map(Dir::from);
        let (mut pieces, mut result) = (Pieces::new(self.form(), lang, out), Ok(()));
        let mut bytes = |buffer: &mut [u8]| source.fill(buffer);
        conversation::pieces(steps, &mut bytes, &mut |from, piece| {
            if result.is_ok() && only.is_none_or(|only| only == from) {
                let sender = (self.script.is_some() && only.is_none()).then_some(from);
                result = pieces.write(sender, piece);
            }
        });
        Ok(result?)
    }

    fn form(&self) -> Form {
        match (self.c_array, self.raw || self.output.is_some()) {
            (true, _) => Form::CArray,
            (false, true) => Form::Raw,
            (false, false) => Form::Hex,
        }
    }

    fn start(&self) -> Time {
        match self.seed {
            Some(_) => synth::START,
            None => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(synth::START, |since| Time(since.as_nanos() as u64)),
        }
    }
}

/// Where random bytes come from.
struct Source {
    seeded: Option<Rng>,
    failed: Option<getrandom::Error>,
}

impl Source {
    fn new(seed: Option<u64>) -> Self {
        Self { seeded: seed.map(Rng::new), failed: None }
    }

    //= RFC 6455 §5.3
    //# the masking key MUST be derived from a strong source of entropy
    fn fill(&mut self, buffer: &mut [u8]) {
        match &mut self.seeded {
            Some(rng) => rng.fill(buffer),
            None => self.failed = self.failed.or(getrandom::fill(buffer).err()),
        }
    }

    fn verdict(&self) -> Result<(), Failure> {
        match self.failed {
            None => Ok(()),
            Some(error) => {
                Err(usage(Text::with("the system gives no randomness ({}); --seed N does without", error)))
            }
        }
    }
}

/// The steps of a script.
fn scripted(path: &str) -> Result<Vec<Step>, Failure> {
    let text = String::from_utf8(read(path)?).map_err(|error| {
        about_file(path, Text::with("not UTF-8 from byte {}", error.utf8_error().valid_up_to()))
    })?;
    script::parse(&text).map_err(|error| usage(error.in_file(path)))
}

/// A file, or standard input for `-`.
fn read(path: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let limit = limits::PAYLOAD_KEPT;
    let result = if path == "-" {
        io::stdin().lock().take(limit + 1).read_to_end(&mut bytes)
    } else {
        let opened = file::open(Path::new(path));
        opened.and_then(|file| file.reader.take(limit + 1).read_to_end(&mut bytes))
    };
    match result {
        Err(error) => Err(unusable(path, &error)),
        Ok(n) if n as u64 > limit => Err(about_file(path, Text::with("longer than {} bytes", limit))),
        Ok(_) => Ok(bytes),
    }
}

#[cfg(test)]
mod tests;
