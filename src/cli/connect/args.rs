//! The arguments of `wstool connect`.

use std::time::Duration;

use super::transport::Transport;
use crate::cli::dial::Dialling;
use crate::cli::dial::option::{field_value as value, seconds};
use crate::cli::live;
use crate::model::Text;
use crate::replay::Fault;

/// Open a WebSocket, say whether that works and why not, and talk over it.
///
/// What is typed or piped in is sent, a line a message, and what comes is shown.
/// At a terminal /help lists what else can be done. Exits with 1 when the handshake
/// failed, the connection ended badly or an expectation was not met, with 2 when
/// the server could not be reached.
#[derive(clap::Args)]
#[allow(clippy::doc_markdown, reason = "help shows it as it is")]
pub struct Args {
    /// Where to connect: ws://host:port/path or wss://host/path
    #[arg(value_name = "URL")]
    pub url: String,

    /// Only the messages that come, as they are, and errors
    #[arg(short, long, conflicts_with = "verbose", help_heading = "Showing")]
    pub quiet: bool,

    /// Show frames in a table; -vv shows every field of them
    #[arg(short, long, action = clap::ArgAction::Count, help_heading = "Showing")]
    pub verbose: u8,

    /// Messages as records, one a line (see docs/ndjson.md): --view messages --format ndjson
    #[arg(long, conflicts_with_all = ["quiet", "verbose"], help_heading = "Showing")]
    pub json: bool,

    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take them for help")]
    pub shown: live::Args,

    /// Send this text, and nothing from standard input; may be repeated
    #[arg(long, value_name = "TEXT", help_heading = "Talking")]
    pub send: Vec<String>,

    /// Send all of standard input as one binary message
    #[arg(long, conflicts_with = "send", help_heading = "Talking")]
    pub binary: bool,

    /// Behind the end of the input wait until nothing has come for so many seconds; by default 2, and less
    /// once as many messages came as were sent
    #[arg(long, value_name = "SECONDS", value_parser = wait, help_heading = "Talking")]
    pub wait: Option<Duration>,

    /// Wait for so many messages, then close; exit with 1 when fewer come
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Talking"
    )]
    pub count: Option<u64>,

    /// Send and expect what this file says, `-` for standard input; see docs/connect.md
    #[arg(
        long, value_name = "FILE",
        conflicts_with_all = ["send", "binary", "count", "wait", "listen_only", "echo", "reconnect"],
        help_heading = "Talking"
    )]
    pub script: Option<String>,

    /// Send nothing, and show what comes until the server closes or Ctrl-C is pressed
    #[arg(long, conflicts_with_all = ["send", "binary", "echo"], help_heading = "Talking")]
    pub listen_only: bool,

    /// Send back every message: to be tested as a client
    #[arg(
        long, conflicts_with_all = ["send", "binary", "count", "wait", "socketio"], help_heading = "Talking"
    )]
    pub echo: bool,

    /// Connect again when the connection is lost or refused, after 1 second, 2, 4 and so on to 60, a random
    /// part of each
    #[arg(long, help_heading = "Talking")]
    pub reconnect: bool,

    /// Send a ping every so many seconds
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Talking")]
    pub ping_every: Option<Duration>,

    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take them for help")]
    pub dial: Dialling,

    /// Offer no compression
    #[arg(long, conflicts_with = "deflate", help_heading = "Connecting")]
    pub no_deflate: bool,

    /// Offer permessage-deflate with these parameters, such as 'server_max_window_bits=10;
    /// client_no_context_takeover'
    #[arg(long, value_name = "PARAMETERS", value_parser = value, help_heading = "Connecting")]
    pub deflate: Option<String>,

    /// Take messages of at most so many bytes, such as 64M
    #[arg(
        long, value_name = "BYTES", default_value = "64M", value_parser = message_size,
        help_heading = "Connecting"
    )]
    pub max_message: u64,

    /// Speak Socket.IO: /emit EVENT JSON sends an event, and so does a line piped in
    #[arg(long, conflicts_with = "echo", help_heading = "Socket.IO")]
    pub socketio: bool,

    /// How the session is carried; where nothing is named as the URL says, else by websocket
    #[arg(long, value_enum, value_name = "WAY", requires = "socketio", help_heading = "Socket.IO")]
    pub transport: Option<Transport>,

    /// Connect to this namespace
    #[arg(
        long, value_name = "/NAME", requires = "socketio", value_parser = namespace,
        help_heading = "Socket.IO"
    )]
    pub namespace: Option<String>,

    /// Authenticate with this JSON object
    #[arg(
        long, value_name = "JSON", requires = "socketio", value_parser = object, help_heading = "Socket.IO"
    )]
    pub auth: Option<String>,

    /// Do not mask frames, which every server must refuse (RFC 6455 §5.1)
    #[arg(long, help_heading = "Deliberate mistakes")]
    pub no_masking: bool,

    /// Send this Sec-WebSocket-Key instead of a fresh one
    #[arg(long, value_name = "VALUE", value_parser = value, help_heading = "Deliberate mistakes")]
    pub key: Option<String>,

    /// Ask for this version of the protocol instead of 13
    #[arg(long, value_name = "N", value_parser = value, help_heading = "Deliberate mistakes")]
    pub ws_version: Option<String>,

    /// Do something wrong on purpose: version, upgrade, connection, key, protocol, extensions, slow,
    /// split=BYTES
    #[arg(long = "break", value_name = "FAULT", value_delimiter = ',', help_heading = "Deliberate mistakes")]
    pub faults: Vec<Fault>,
}

/// What is wrong with the options together, if anything.
pub fn contradiction(args: &Args) -> Option<Text> {
    if args.quiet && args.shown.shows_wire() {
        return Some("--quiet shows messages alone: leave out --view and --format, or --quiet".into());
    }
    if args.socketio && args.script.is_some() {
        return Some("a script says what is on the WebSocket: leave out --socketio, or --script".into());
    }
    if args.dial.http2 && args.key.is_some() {
        return Some("over HTTP/2 there is no Sec-WebSocket-Key: leave out --key, or --http2".into());
    }
    let mut faults = args.faults.iter().filter(|_| args.dial.http2);
    if let Some(problem) = faults.find_map(|fault| fault.unfit_for_http2()) {
        return Some(problem);
    }
    if args.socketio && args.binary {
        return Some("--socketio sends events: leave out --binary".into());
    }
    if args.transport == Some(Transport::Polling) && args.ping_every.is_some() {
        return Some("polling has no pings of WebSocket: leave out --ping-every".into());
    }
    None
}

fn wait(text: &str) -> Result<Duration, String> {
    if text.strip_suffix('s').unwrap_or(text) == "0" { Ok(Duration::ZERO) } else { seconds(text) }
}

fn message_size(text: &str) -> Result<u64, String> {
    crate::cli::size::within(text, 1, crate::limits::PAYLOAD_KEPT)
}

fn namespace(text: &str) -> Result<String, String> {
    if !text.starts_with('/') || text.contains([',', '\n']) {
        return Err("a namespace begins with a slash and has no comma, such as /admin".to_owned());
    }
    Ok(text.to_owned())
}

fn object(text: &str) -> Result<String, String> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(value) if value.is_object() => Ok(value.to_string()),
        _ => Err("a JSON object, such as '{\"token\":\"abc\"}'".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_may_be_none_and_values_are_held_to_their_form() {
        assert_eq!(wait("0"), Ok(Duration::ZERO));
        assert!(wait("x").is_err() && namespace("admin").is_err() && object("[]").is_err());
        assert_eq!(object("{ \"a\": 1 }").as_deref(), Ok("{\"a\":1}"));
    }
}
