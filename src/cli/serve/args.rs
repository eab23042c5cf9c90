//! The arguments of `wstool serve`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;

use super::socketio;
use super::value::{message, origin, subprotocol, time};
use crate::cli::live;
use crate::http::handshake::deflate_limits;
use crate::lab::fault::{self, Chance};
use crate::lab::serve::Kind;
use crate::model::Deflate;

/// Serve what tutorials describe, to try it out and to look at it.
#[derive(clap::Args, Debug)]
#[group(skip)]
#[command(after_help = "\
Without a kind everything is on one port, the raw chat being told apart by its
first bytes. Ctrl-C closes the connections with 1001; a second one ends at once.

Begin with:
  wstool serve             and: wstool connect ws://127.0.0.1:9000/echo
  wstool serve tcp         and join the chat with: nc 127.0.0.1 9000
  wstool serve ws --fault close=1011:overload
                           to see what a client makes of it")]
pub struct Args {
    /// What to serve; everything when left out
    #[arg(value_name = "KIND")]
    pub kinds: Vec<Named>,

    /// Where to listen: an address and port, or a port of 127.0.0.1; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    pub listen: String,

    /// Open the start page in the browser
    #[arg(long)]
    pub open: bool,

    /// A subprotocol that is spoken; may be repeated. The first that the client asks for is chosen
    #[arg(long = "subprotocol", value_name = "NAME", default_values = ["chat", "superchat"],
        value_parser = subprotocol, help_heading = "WebSocket")]
    pub subprotocols: Vec<String>,

    /// Limits to permessage-deflate, such as `server_max_window_bits=10; client_no_context_takeover`, or on,
    /// or off
    #[arg(long, value_name = "PARAMETERS", default_value = "on", value_parser = deflate,
        help_heading = "WebSocket")]
    pub deflate: Compression,

    /// Let in only pages of this origin, such as `http://localhost:3000`; may be repeated
    #[arg(long = "origin", value_name = "ORIGIN", value_parser = origin, help_heading = "WebSocket")]
    pub origins: Vec<String>,

    /// Speak no HTTP/2, neither by prior knowledge nor under TLS
    #[arg(long, help_heading = "WebSocket")]
    pub no_http2: bool,

    /// Ping every so often; who has not answered by the next is cut off
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Limits")]
    pub ping_interval: Option<Duration>,

    /// Close connections on which nothing was said for so long
    #[arg(long, value_name = "TIME", value_parser = time, help_heading = "Limits")]
    pub idle_timeout: Option<Duration>,

    /// Cut off who takes nothing of what it is sent for so long
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time, help_heading = "Limits")]
    pub write_timeout: Duration,

    /// Close with 1009 on messages of more bytes
    #[arg(long, value_name = "BYTES", default_value = "16M", value_parser = message, help_heading = "Limits")]
    pub max_message: u64,

    /// Refuse more connections than these at a time
    #[arg(long, value_name = "N", default_value = "10000", value_parser = clap::value_parser!(u32).range(1..),
        help_heading = "Limits")]
    pub max_connections: u32,

    /// How Socket.IO is served.
    #[command(flatten)]
    pub socketio: socketio::Args,

    /// Speak TLS, with certificates by an authority of your own, made the first time, unless --cert names one
    #[arg(long, help_heading = "TLS")]
    pub tls: bool,

    /// The certificate, and those that lead to its authority, in PEM
    #[arg(long, value_name = "FILE", requires = "key", help_heading = "TLS")]
    pub cert: Option<PathBuf>,

    /// Its key, in PEM
    #[arg(long, value_name = "FILE", requires = "cert", help_heading = "TLS")]
    pub key: Option<PathBuf>,

    /// Let something go wrong: NAME, NAME=VALUE, and @P behind it for a share of the connections; may be
    /// repeated, or separated by commas
    #[arg(long = "fault", value_name = "FAULT", value_delimiter = ',', value_parser = chance,
        help_heading = "Faults", long_help = faults())]
    pub faults: Vec<Chance>,

    /// Decides whom faults with a probability befall; another each time when left out
    #[arg(long, value_name = "N", help_heading = "Faults")]
    pub seed: Option<u64>,

    /// What is shown and kept.
    #[command(flatten)]
    pub live: live::Args,
}

impl Args {
    /// The files of certificate and key, where they are named.
    pub fn certificate(&self) -> Option<(&Path, &Path)> {
        self.cert.as_deref().zip(self.key.as_deref())
    }
}

/// What can be served, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Named {
    /// WebSocket: /echo, /chat, /ticker, /close/CODE, /slow, /big/BYTES, /fragments/N
    Ws,
    /// Socket.IO, at /socket.io/
    Socketio,
    /// A chat of lines on raw TCP, for nc
    Tcp,
    /// Polling, server-sent events and their like, at /poll/
    Poll,
}

impl From<Named> for Kind {
    fn from(named: Named) -> Self {
        match named {
            Named::Ws => Self::Ws,
            Named::Socketio => Self::SocketIo,
            Named::Tcp => Self::Tcp,
            Named::Poll => Self::Poll,
        }
    }
}

/// Whether and how permessage-deflate is agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression(pub Option<Deflate>);

fn deflate(text: &str) -> Result<Compression, String> {
    match text {
        "off" => Ok(Compression(None)),
        "on" => Ok(Compression(deflate_limits("").ok())),
        _ => deflate_limits(text).map(|limits| Compression(Some(limits))).map_err(|wrong| wrong.to_string()),
    }
}

fn chance(text: &str) -> Result<Chance, String> {
    text.parse().map_err(|problem: crate::model::Text| problem.to_string())
}

/// All faults with what they do.
fn faults() -> String {
    let rows = fault::NAMES.map(|(name, what)| format!("\n  {name:<18} {what}"));
    format!(
        "Let something go wrong: NAME, NAME=VALUE, and @P behind it for a share of the connections; may be \
         repeated, or separated by commas:\n{}",
        rows.concat()
    )
}
