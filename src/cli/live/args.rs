//! The options of the live commands.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use super::{Below, beside};
use crate::app::keys::Keys;
use crate::cli::dial::keylog;
use crate::cli::output::Layout;
use crate::cli::protocols::Protocols;
use crate::cli::{Look, size};
use crate::lab::panels::Panels;
use crate::model::{Account, Text};
use crate::render::views::{self, Choice, Form};
use crate::render::{Options, TimeStyle, VIEWS, View};

/// What is shown and kept of live connections.
#[derive(clap::Args, Clone, Debug)]
// The group would be called as that of the command's own options.
#[group(skip)]
pub struct Args {
    /// How to show what goes over the connections, or none
    #[arg(long, value_parser = view(), help_heading = "Showing")]
    pub view: Option<Shown>,

    /// Text for people, records for programs (see docs/ndjson.md), or a page for a browser
    #[arg(short, long, default_value = "text", help_heading = "Showing")]
    pub format: Format,

    /// How times are shown
    #[arg(short, long, default_value = "relative", help_heading = "Showing")]
    time: Time,

    /// Payload bytes shown of each frame and message: a number such as 200 or 4k, or all
    #[arg(long, value_name = "BYTES|all", value_parser = size::payload_limit, help_heading = "Showing")]
    payload_limit: Option<u64>,

    #[command(flatten)]
    #[allow(missing_docs, reason = "clap would take them for help")]
    layout: Layout,

    /// Take messages of JSON for requests and replies by their keys: request=$.id,reply=$.id,method=$.method
    #[arg(long = "match", value_name = "KEYS", value_parser = keys, help_heading = "Showing")]
    pub(super) keys: Option<Arc<Keys>>,

    #[command(flatten)]
    pub(super) protocols: Protocols,

    /// Write what goes over the connections as a capture, too, for decode and Wireshark: of wss:// what is
    /// inside, or with --keylog what is encrypted. A name in .pcapng is for pcapng, which holds the keys, too
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    pub(super) pcap: Option<PathBuf>,

    /// Where keys of TLS go.
    #[command(flatten)]
    keylog: keylog::Args,

    /// Write the handshakes and messages as an HTTP Archive, too, which browsers' developer tools load
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    pub(super) har: Option<PathBuf>,

    /// Write a page for a browser, too, with every byte explained, whole once it ends (see docs/html.md)
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    pub(super) html: Option<PathBuf>,

    /// Pages in a browser that look on.
    #[arg(skip)]
    pub panels: Option<Panels>,

    /// Whether HTTP is shown that has nothing to do with WebSocket.
    #[arg(skip)]
    pub http: bool,

    /// Who tells of the connections, where they are not tapped.
    #[arg(skip)]
    pub account: Option<Account>,
}

/// How what happens is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One array of records
    Json,
    /// One record a line
    Ndjson,
    /// A page for a browser, whole once it ends: every byte explained (see docs/html.md)
    Html,
}

impl Format {
    /// A view of this format, over `out`.
    pub(super) fn over(
        self,
        view: &Choice,
        out: impl io::Write + 'static,
        options: &Options,
    ) -> Box<dyn View> {
        match self {
            Self::Text => view.over(out, Form::Text, options),
            Self::Json => view.over(out, Form::Array, options),
            Self::Ndjson => view.over(out, Form::Lines, options),
            Self::Html => beside::page(view, out, options),
        }
    }
}

/// A view, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nothing of the wire.
    Nothing,
    /// This.
    View(&'static Choice),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Time {
    /// Seconds since the command began
    Relative,
    /// Date and time of day, UTC
    Utc,
    /// Seconds since the one shown before
    Delta,
}

impl Args {
    /// Whether somebody asked to see the wire in some way.
    pub fn shows_wire(&self) -> bool {
        self.view.is_some_and(|view| view != Shown::Nothing) || self.format != Format::Text
    }

    /// Why what is shown cannot go where it is to go, if so.
    pub(super) fn misplaced(&self) -> Option<Text> {
        (self.format == Format::Html && io::stdout().is_terminal()).then(|| {
            "a page is for a browser, not for a terminal: --html page.html writes it beside what is shown"
                .into()
        })
    }

    /// Whether packets are to be kept.
    pub fn keeps_packets(&self) -> bool {
        self.pcap.is_some()
    }

    /// Whether keys of TLS are to be kept.
    pub fn keeps_keys(&self) -> bool {
        self.keylog.keylog.is_some()
    }

    /// Whether messages are tied by keys of their own.
    pub fn has_keys(&self) -> bool {
        self.keys.is_some()
    }

    /// Where keys of TLS go, and the bytes that they are for.
    ///
    /// # Errors
    /// Why they cannot be written.
    pub fn below(&self, look: Look) -> Result<Below, Text> {
        Below::open(&self.keylog, self.pcap.as_deref(), look)
    }

    /// How views are laid out.
    pub fn options(&self, look: Look) -> Options {
        Options {
            time: match self.time {
                Time::Relative => TimeStyle::Relative,
                Time::Utc => TimeStyle::Utc,
                Time::Delta => TimeStyle::Delta,
            },
            payload: self.payload_limit,
            latency: self.keys.is_some() || self.protocols.is_given(),
            ..self.layout.options(look)
        }
    }
}

fn view() -> impl TypedValueParser<Value = Shown> {
    let none = PossibleValue::new("none").help("Nothing of the wire");
    let names = VIEWS.map(|view| PossibleValue::new(view.name).help(view.help));
    let names: Vec<PossibleValue> = names.into_iter().chain([none]).collect();
    PossibleValuesParser::new(names).try_map(|name| match views::named(&name) {
        Some(view) => Ok(Shown::View(view)),
        None if name == "none" => Ok(Shown::Nothing),
        None => Err("no view has that name"),
    })
}

fn keys(text: &str) -> Result<Arc<Keys>, String> {
    Keys::parse(text).map(Arc::new)
}
