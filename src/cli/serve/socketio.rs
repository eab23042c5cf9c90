//! The options of Socket.IO and bare Engine.IO, as `serve` has them.

use std::time::Duration;

use super::value::{message, origin_or_all, time};
use crate::lab::engine::settings::{Cors, Origins, Settings, Transport};
use crate::lab::serve::SocketIo;
use crate::model::Text;

/// How Socket.IO is served.
#[derive(clap::Args, Clone, Debug)]
#[group(skip)]
pub struct Args {
    /// How long a client of Socket.IO may take to answer a ping
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = time, help_heading = "Socket.IO")]
    ping_timeout: Duration,

    /// Take no more bytes in a message of Socket.IO, or in a body
    #[arg(
        long,
        value_name = "BYTES",
        default_value = "1000000",
        value_parser = message,
        help_heading = "Socket.IO"
    )]
    max_payload: u64,

    /// How long a client may take to join a namespace
    #[arg(long, value_name = "TIME", default_value = "45s", value_parser = time, help_heading = "Socket.IO")]
    connect_timeout: Duration,

    /// Let pages of this origin ask, or * for all; may be repeated
    #[arg(long = "cors", value_name = "ORIGIN", value_parser = origin_or_all, help_heading = "Socket.IO")]
    cors: Vec<String>,

    /// What may carry packets: polling, websocket, or both
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        default_value = "polling,websocket",
        value_parser = transport,
        help_heading = "Socket.IO"
    )]
    transports: Vec<Transport>,

    /// Serve what the protocols' conformance suites ask for, with their times, instead of a chat
    #[arg(long, help_heading = "Socket.IO")]
    conformance: bool,
}

impl Args {
    /// How it is served, with a ping every so often unless the reference's time is as good.
    pub(super) fn served(&self, ping_interval: Option<Duration>) -> SocketIo {
        SocketIo { settings: self.settings(ping_interval), conformance: self.conformance }
    }

    fn settings(&self, ping_interval: Option<Duration>) -> Settings {
        if self.conformance {
            return Settings::conformance();
        }
        let origins = match self.cors.as_slice() {
            [] => Origins::Same,
            all if all.iter().any(|origin| origin == "*") => Origins::Any,
            some => Origins::List(some.to_vec()),
        };
        let defaults = Settings::default();
        Settings {
            ping_interval: ping_interval.unwrap_or(defaults.ping_interval),
            ping_timeout: self.ping_timeout,
            max_payload: usize::try_from(self.max_payload).unwrap_or(usize::MAX),
            connect_timeout: self.connect_timeout,
            // A wildcard and cookies do not go together.
            cors: Cors { credentials: matches!(origins, Origins::List(_)), origins },
            transports: self.transports.clone(),
            ..defaults
        }
    }
}

fn transport(text: &str) -> Result<Transport, String> {
    text.parse().map_err(|problem: Text| problem.to_string())
}
