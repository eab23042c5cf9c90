//! The arguments of `wstool grade`.

use std::path::PathBuf;
use std::time::Duration;

use super::{clients, report};
use crate::cli::dial::Dialling;
use crate::cli::dial::option::seconds;
use crate::grade::Endpoint;
use crate::model::grade::Chapter;

/// Hold a WebSocket server or client against the RFCs, case by case
///
/// The server sends back every message it gets, as test suites expect it. Exits
/// with 1 when a case fails, with 2 when the server could not be reached.
#[derive(clap::Args, Clone)]
#[allow(clippy::doc_markdown, reason = "help shows it as it is")]
pub struct Args {
    /// The server: ws://host:port/path or wss://host/path
    #[arg(value_name = "URL")]
    pub url: Option<String>,

    /// Clients that come.
    #[command(flatten)]
    pub clients: clients::Args,

    /// Grade the servers or clients that a configuration file of the Autobahn testsuite asks for, which is
    /// one as fuzzingclient.json or fuzzingserver.json, and write its report
    #[arg(
        long, value_name = "FILE", help_heading = "Choosing",
        conflicts_with_all = ["url", "cases", "exclude", "chapters", "sections", "stage", "list", "dry_run"]
    )]
    pub autobahn: Option<PathBuf>,

    /// What the server is called in reports, instead of by its URL
    #[arg(long, value_name = "NAME", requires = "url", help_heading = "Reports")]
    pub agent: Option<String>,

    /// Only these cases, by id or by Autobahn's number; * stands for anything; may be repeated
    #[arg(long = "case", value_name = "PATTERN", help_heading = "Choosing")]
    pub cases: Vec<String>,

    /// Not these cases
    #[arg(long, value_name = "PATTERN", help_heading = "Choosing")]
    pub exclude: Vec<String>,

    /// Only this chapter; may be repeated
    #[arg(long = "chapter", value_name = "NAME", value_parser = chapter, help_heading = "Choosing")]
    pub chapters: Vec<Chapter>,

    /// Only what rests on this section, such as 'RFC 6455 §5.5'
    #[arg(long = "section", value_name = "SECTION", help_heading = "Choosing")]
    pub sections: Vec<String>,

    /// Say what to build next: only up to this stage of those who write their first server, 1 to 5
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=5), help_heading = "Choosing"
    )]
    pub stage: Option<u8>,

    /// Cases of your own instead of the suite's, in the format of docs/cases.md; may be repeated
    #[arg(long, value_name = "FILE", help_heading = "Choosing")]
    pub cases_file: Vec<PathBuf>,

    /// List the cases and play none
    #[arg(long, help_heading = "Choosing")]
    pub list: bool,

    /// Show what would be sent, byte by byte, and play none
    #[arg(long, conflicts_with = "list", help_heading = "Choosing")]
    pub dry_run: bool,

    /// Cases that are played at a time
    #[arg(
        short, long, value_name = "N", default_value_t = 8,
        value_parser = clap::value_parser!(u32).range(1..=256), help_heading = "Playing"
    )]
    pub jobs: u32,

    /// Play the cases of limits and performance against this server, too, at the same moment: its figures
    /// stand beside
    #[arg(long, value_name = "URL", conflicts_with = "listen", help_heading = "Playing")]
    pub against: Option<String>,

    /// Wait so many seconds for what has to come in a case; by default as long as the case says, mostly 3
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Playing")]
    pub patience: Option<Duration>,

    /// What the server does with messages: it sends them back; or it does not, and sends others unasked; or
    /// it takes none
    #[arg(long, value_enum, value_name = "KIND", conflicts_with = "listen", help_heading = "Playing")]
    pub endpoint: Option<Kind>,

    /// Be gentle with a server that others use: one connection at a time, with pauses, and nothing that is
    /// meant to hurt
    #[arg(long, conflicts_with = "listen", help_heading = "Playing")]
    pub gentle: bool,

    /// The server is on another machine, and you may test it
    #[arg(long, conflicts_with = "listen", help_heading = "Playing")]
    pub i_may: bool,

    /// Fail on what is allowed and not as it should be, too
    #[arg(long, help_heading = "Playing")]
    pub strict: bool,

    /// Keep the bytes of each case as a capture in this folder, for wstool decode
    #[arg(long, value_name = "DIR", conflicts_with = "listen", help_heading = "Showing")]
    pub keep: Option<PathBuf>,

    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take them for help")]
    pub report: report::Args,

    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take them for help")]
    pub dial: Dialling,
}

/// What the server does with messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// Send each message back
    Echo,
    /// Send messages of its own
    Push,
    /// Take no message
    Close,
}

impl Kind {
    /// The same as cases have it.
    pub fn endpoint(self) -> Endpoint {
        match self {
            Self::Echo => Endpoint::Echo,
            Self::Push => Endpoint::Push,
            Self::Close => Endpoint::Close,
        }
    }
}

fn chapter(text: &str) -> Result<Chapter, String> {
    crate::grade::chapter(text)
        .ok_or_else(|| format!("the chapters are {}", Chapter::ALL.map(Chapter::name).join(", ")))
}
