//! The arguments of `wstool proxy`.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::decode::FailOn;
use crate::cli::dial::Url;
use crate::cli::live;
use crate::lab::fault::Chance;
use crate::model::Text;

/// Stand between a client and a server, and show what goes by.
#[derive(clap::Args, Debug)]
#[group(skip)]
#[command(after_help = "\
Bytes pass unchanged and at once, whatever they are. Without --to it is an HTTP
proxy, for programs that can be pointed at one. Ctrl-C ends it, and the
connections.

Begin with:
  wstool proxy --to ws://127.0.0.1:9000      the client connects to port 9001
  wstool proxy --to wss://example.com        the client speaks ws://, not wss://
  wstool proxy --tls --to wss://example.com  both wss://; the client trusts it
  wstool proxy     and: chromium --proxy-server=http://127.0.0.1:9001")]
pub struct Args {
    /// Where to listen: an address and port, or a port of 127.0.0.1; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9001")]
    pub listen: String,

    /// The server: ws://host:port, or wss for TLS; with a path, every request asks for that path
    #[arg(long, value_name = "URL", value_parser = url)]
    pub to: Option<Url>,

    /// Pass no HTTP/2: under TLS it is not agreed on, and who begins with it is refused
    #[arg(long)]
    pub no_http2: bool,

    /// Name this host in every request instead of the client's
    #[arg(long, value_name = "HOST")]
    pub host_header: Option<String>,

    /// Let something go wrong: NAME, NAME=VALUE, and @P behind it for a share of the connections; may be
    /// repeated, or separated by commas
    #[arg(long = "fault", value_name = "FAULT", value_delimiter = ',', value_parser = fault,
        help_heading = "Changing")]
    pub fault: Vec<Chance>,

    /// Do to messages what the rules in this file say (TOML, see docs/proxy.md)
    #[arg(long, value_name = "FILE", help_heading = "Changing")]
    pub rules: Option<PathBuf>,

    /// Ask for each message at a prompt: Enter passes it, a text replaces it, /drop, /close
    #[arg(long, help_heading = "Changing")]
    pub pause: bool,

    /// Let endpoints agree on compression although messages may be changed
    #[arg(long, help_heading = "Changing")]
    pub keep_extensions: bool,

    /// Decides whom faults with a probability befall; another each time when left out
    #[arg(long, value_name = "N", help_heading = "Changing")]
    pub seed: Option<u64>,

    /// Whose side is shown and kept where both differ: what the client sends and gets, or the server
    #[arg(long, value_name = "SIDE", default_value = "client", help_heading = "Showing")]
    pub side: Seen,

    /// Speak TLS with clients, with certificates by an authority of your own, made the first time; as an HTTP
    /// proxy within tunnels
    #[arg(long, help_heading = "TLS")]
    pub tls: bool,

    /// Say how clients come to trust that authority, and end
    #[arg(long, help_heading = "TLS")]
    pub trust: bool,

    /// Trust the certificates in this file, too, when the server shows its own (PEM)
    #[arg(long, value_name = "FILE", conflicts_with = "insecure", help_heading = "TLS")]
    pub cacert: Option<PathBuf>,

    /// Take any certificate for the server's
    #[arg(long, help_heading = "TLS")]
    pub insecure: bool,

    /// What is shown and kept.
    #[command(flatten)]
    pub live: live::Args,

    /// Exit with 1 when there are findings of this severity or above
    #[arg(long, value_name = "SEVERITY", default_value = "never", help_heading = "Result")]
    pub fail_on: FailOn,
}

/// Which side is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Seen {
    /// What the client sends and gets
    Client,
    /// What the server gets and sends
    Server,
}

fn fault(text: &str) -> Result<Chance, String> {
    text.parse().map_err(|problem: Text| problem.to_string())
}

fn url(text: &str) -> Result<Url, String> {
    Url::parse(text).map_err(|problem| problem.to_string())
}
