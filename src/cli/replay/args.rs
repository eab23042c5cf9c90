//! The arguments of `wstool replay`.

use std::time::Duration;

use clap::ValueEnum;

use super::expect::Expect;
use crate::cli::Look;
use crate::cli::output;
use crate::model::Text;
use crate::render::{Options, TimeStyle};
use crate::replay::Fault;

/// Play a handshake like a film, check it, and replay either side against a live peer.
///
/// A recording is a text transcript (a request, then its response), a capture, or
/// one of the samples that --list names; `-` is standard input. Exits with 1 when a
/// handshake failed, with 2 when there was none or a peer could not be reached.
#[derive(clap::Args)]
pub struct Args {
    /// A transcript, a capture, the name of a sample, or `-`; with --to none is needed
    #[arg(value_name = "RECORDING", required_unless_present_any = ["list", "to"])]
    pub recording: Option<String>,

    /// Name the samples that come with the tool
    #[arg(long)]
    pub list: bool,

    /// Play connection N of a capture, or exchange N of a transcript
    #[arg(short, long, value_name = "N")]
    pub stream: Option<u32>,

    /// Wait for a key between steps: any goes on, a plays the rest, q ends
    #[arg(long, help_heading = "Showing")]
    pub step: bool,

    /// Say what each header field is for
    #[arg(long, help_heading = "Showing")]
    pub explain: bool,

    /// One line a handshake: what came of it
    #[arg(long, conflicts_with_all = ["step", "explain", "format"], help_heading = "Showing")]
    pub brief: bool,

    /// Text for people, or records for programs
    #[arg(short, long, default_value = "text", help_heading = "Showing")]
    pub format: Format,

    /// Columns to fit, 40 or more; by default the terminal's
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u16).range(40..=1000),
        help_heading = "Showing"
    )]
    pub width: Option<u16>,

    /// Use ASCII characters only
    #[arg(long, help_heading = "Showing")]
    pub ascii: bool,

    /// Send the recorded request, or the least that a handshake takes, to a server: ws://host:port/path or
    /// wss://…
    #[arg(long, value_name = "URL", conflicts_with = "listen", help_heading = "Replaying live")]
    pub to: Option<String>,

    /// Wait for a client, and answer it as recorded; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", help_heading = "Replaying live")]
    pub listen: Option<String>,

    /// Do something wrong on purpose: accept, version, upgrade, connection, key, protocol, extensions,
    /// status=CODE, slow, split=BYTES
    #[arg(long = "break", value_name = "FAULT", value_delimiter = ',', help_heading = "Replaying live")]
    pub faults: Vec<Fault>,

    /// Seconds to wait for a server to connect, for an answer, and for what comes after it
    #[arg(
        long, value_name = "SECONDS", default_value = "10", value_parser = seconds,
        help_heading = "Replaying live"
    )]
    pub timeout: Duration,

    /// Keep the open WebSocket for so many seconds before it is closed, and show what comes; 0.3 by default
    #[arg(
        long, value_name = "SECONDS", requires = "to", value_parser = seconds,
        help_heading = "Replaying live"
    )]
    pub stay: Option<Duration>,

    /// Send these bytes once the WebSocket is open, then a Close frame: a file, hex, or `-` for what encode
    /// --raw writes
    #[arg(long, value_name = "FILE|HEX", requires = "to", help_heading = "Replaying live")]
    pub send: Option<String>,

    /// Exit with 1 unless the server does this: open, refused, echo (what is sent comes back), or a close
    /// code such as 1002
    #[arg(long, value_name = "WHAT", requires = "to", help_heading = "Replaying live")]
    pub expect: Option<Expect>,

    /// Send the recorded key instead of a fresh one
    #[arg(long, requires = "to", help_heading = "Replaying live")]
    pub same_key: bool,

    /// Send the recorded Host instead of the URL's
    #[arg(long, requires = "to", help_heading = "Replaying live")]
    pub same_host: bool,

    /// Ask for the recorded path instead of the URL's
    #[arg(long, requires = "to", help_heading = "Replaying live")]
    pub same_path: bool,

    /// Send this header field, or with nothing behind the colon leave it out; may be repeated
    #[arg(
        long, value_name = "NAME: VALUE", requires = "to", value_parser = header,
        help_heading = "Replaying live"
    )]
    pub header: Vec<(String, String)>,

    /// Send this Origin
    #[arg(long, value_name = "ORIGIN", requires = "to", help_heading = "Replaying live")]
    pub origin: Option<String>,

    /// Offer these subprotocols, separated by commas
    #[arg(long, value_name = "NAMES", requires = "to", help_heading = "Replaying live")]
    pub subprotocol: Option<String>,

    /// Trust the certificates in this PEM file too
    #[arg(long, value_name = "FILE", requires = "to", help_heading = "Replaying live")]
    pub cacert: Option<std::path::PathBuf>,

    /// Do not check the server's certificate
    #[arg(long, requires = "to", help_heading = "Replaying live")]
    pub insecure: bool,

    /// Send the recorded accept value instead of the right one
    #[arg(long, requires = "listen", help_heading = "Replaying live")]
    pub same_accept: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One array of records
    Json,
    /// One record a line
    Ndjson,
}

impl Args {
    /// How the film is shown.
    pub fn options(&self, look: Look) -> Options {
        Options {
            width: self.width.map_or_else(output::width, usize::from),
            color: look.color,
            lang: look.language(self.ascii),
            ascii: look.ascii(self.ascii),
            time: TimeStyle::Relative,
            payload: None,
            advice: None,
            latency: false,
            head: false,
        }
    }
}

/// What is wrong with the options together, if anything.
pub fn contradiction(args: &Args) -> Option<Text> {
    let live = args.to.is_some() || args.listen.is_some();
    if !args.faults.is_empty() && !live {
        return Some("--break needs a live peer: --to URL or --listen ADDRESS:PORT".into());
    }
    if args.recording.is_none()
        && (args.same_key || args.same_host || args.same_path || args.stream.is_some())
    {
        return Some(
            "without a recording there is nothing to keep: name one, such as the sample rfc6455".into(),
        );
    }
    if args.step && args.format != Format::Text {
        return Some("--step is for --format text".into());
    }
    None
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.strip_suffix('s').unwrap_or(text).parse::<f64>();
    match number {
        Ok(number) if (0.001..=86_400.0).contains(&number) => Ok(Duration::from_secs_f64(number)),
        _ => Err("a number of seconds, such as 10 or 0.5".to_owned()),
    }
}

fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header field is written NAME: VALUE")?;
    let (name, value) = (name.trim(), value.trim());
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic()) || text.contains(['\r', '\n', '\0']) {
        return Err("a header field is written NAME: VALUE, on one line".to_owned());
    }
    Ok((name.to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_fields_cannot_smuggle_lines() {
        assert_eq!(header("X-A:  b "), Ok(("X-A".to_owned(), "b".to_owned())));
        assert_eq!(header("Origin:"), Ok(("Origin".to_owned(), String::new())));
        for bad in ["X-A", ": b", "X A: b", "X-A: b\r\nC: d", "X\n: y"] {
            assert!(header(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn timeouts_are_seconds() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        assert_eq!(seconds("10s"), Ok(Duration::from_secs(10)));
        for bad in ["0", "-1", "x", "1e99", "NaN", "inf"] {
            assert!(seconds(bad).is_err(), "{bad}");
        }
    }
}
