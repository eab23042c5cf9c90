//! The arguments of `wstool replay`.

use std::time::Duration;

use super::expect::Expect;
use crate::cli::Look;
use crate::cli::dial::option::{header, seconds};
use crate::cli::format::Format;
use crate::cli::output::Layout;
use crate::model::Text;
use crate::render::Options;
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

    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take them for help")]
    pub layout: Layout,

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

    /// Send the messages of the recorded client again in their rhythm, and set the answers beside those
    /// recorded; exit with 1 when they differ
    #[cfg(feature = "lab")]
    #[arg(
        long, requires_all = ["to", "recording"],
        conflicts_with_all = [
            "send", "expect", "stay", "same_key", "same_host", "step", "explain", "brief", "format",
        ],
        help_heading = "Replaying live"
    )]
    pub messages: bool,

    /// Send the messages on a stream of HTTP/2 (RFC 8441), whatever they were recorded on; under ws:// by
    /// prior knowledge
    #[cfg(feature = "lab")]
    #[arg(long, requires = "messages", help_heading = "Replaying live")]
    pub http2: bool,

    /// Send messages so many times as fast as they were recorded, such as 10x, or max for without pauses
    #[cfg(feature = "lab")]
    #[arg(
        long, value_name = "FACTOR", requires = "messages", value_parser = speed,
        help_heading = "Replaying live"
    )]
    pub speed: Option<f64>,

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

    /// Append the keys of TLS connections to this file, for decode --keylog and Wireshark; by default to the
    /// one that `SSLKEYLOGFILE` names
    #[arg(long, value_name = "FILE", requires = "to", help_heading = "Replaying live")]
    pub keylog: Option<std::path::PathBuf>,

    /// Send the recorded accept value instead of the right one
    #[arg(long, requires = "listen", help_heading = "Replaying live")]
    pub same_accept: bool,
}

impl Args {
    /// How the film is shown.
    pub fn options(&self, look: Look) -> Options {
        self.layout.options(look)
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
    #[cfg(feature = "lab")]
    if let Some(problem) = args.faults.iter().filter(|_| args.http2).find_map(|fault| fault.unfit_for_http2())
    {
        return Some(problem);
    }
    if args.step && args.format != Format::Text {
        return Some("--step is for --format text".into());
    }
    None
}

#[cfg(feature = "lab")]
fn speed(text: &str) -> Result<f64, String> {
    if text == "max" {
        return Ok(f64::INFINITY);
    }
    match text.strip_suffix('x').unwrap_or(text).parse::<f64>() {
        Ok(speed) if (0.01..=1_000_000.0).contains(&speed) => Ok(speed),
        _ => Err("a factor, such as 10x or 0.5x, or max".to_owned()),
    }
}

#[cfg(all(test, feature = "lab"))]
mod tests {
    use super::*;

    #[test]
    fn speeds_are_factors() {
        assert_eq!((speed("10x"), speed("0.5"), speed("max")), (Ok(10.0), Ok(0.5), Ok(f64::INFINITY)));
        assert!(speed("0").is_err() && speed("fast").is_err() && speed("-1x").is_err());
    }
}
