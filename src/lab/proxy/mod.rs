//! A proxy that looks on: bytes pass unchanged and at once, both sides are told to a [`Tap`]. Where something
//! is to be done to messages, they are held until they are whole.
//!
//! ```text
//!              ┌───────────── proxy ────────────┐
//!   client ────┤ (TLS of its own) ► bytes ► TLS ├──── server
//!              └─────────────────┬──────────────┘
//!                                ▼ Wire
//!                               Tap ─► decoder, views, capture
//! ```
//!
//! - `visit`: a client, from its first byte to the last; `tunnel`: one that takes this for its HTTP proxy
//! - `agree`: HTTP/1.1 or HTTP/2, where TLS or the first bytes (`preface`) decide that
//! - `stream`: a connection, under TLS or not; `target`: reaching the server
//! - `pipe`: bytes through, as they come
//! - `head`: heads of HTTP, where one has to be looked at
//! - `relay`: messages through, `follow`ed by the decoder, and `judge`d by faults and `rule`s
//! - `exchange`: the same of HTTP that polls, a request or an answer as a `whole`, or `events` of one that
//!   streams; `polled` says what is done to that

mod agree;
mod events;
mod exchange;
mod follow;
mod head;
mod judge;
mod pipe;
mod polled;
mod preface;
mod relay;
mod rule;
mod stream;
mod target;
mod tunnel;
mod visit;
mod whole;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::{ClientConfig, KeyLog, ServerConfig};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use self::visit::Visit;
use super::authority::Authority;
use super::fault::Chance;
use super::tap::Tap;
use crate::model::{Dir, Text};
use crate::synth::Rng;

pub use self::relay::Question;
pub use self::rule::{Rule, Then};
pub use self::target::{Target, Unreached};

/// Says in words why a server cannot be reached, and what to try.
pub type Explain = Box<dyn Fn(&Target, &Unreached) -> Text + Send + Sync>;

/// How a proxy behaves.
pub struct Settings {
    /// Where everything goes; without it, it is an HTTP proxy.
    pub to: Option<Target>,
    /// What every request asks for instead of what it does.
    pub resource: Option<String>,
    /// What every request names as its host.
    pub host: Option<String>,
    /// How TLS is spoken with servers.
    pub server_tls: Arc<ClientConfig>,
    /// How TLS is spoken with clients, where it is.
    pub client_tls: Option<Arc<ServerConfig>>,
    /// Where the keys of TLS with clients go.
    pub keys: Option<Arc<dyn KeyLog>>,
    /// Where is told what goes over the network, below TLS.
    pub below: Tap,
    /// Who signs certificates within tunnels, where TLS is to be looked into there.
    pub authority: Option<Arc<Authority>>,
    /// Whether HTTP/2 passes, too.
    pub http2: bool,
    /// Which side's connection is told of, where both are not the same.
    pub shown: Dir,
    /// What goes wrong.
    pub faults: Vec<Chance>,
    /// What is done to messages. The first that is about one applies.
    pub rules: Arc<[Rule]>,
    /// Whether endpoints may agree on extensions although messages are looked at.
    pub extensions: bool,
    /// Asked what is to be done with each message.
    pub pause: Option<mpsc::Sender<Question>>,
    /// What chance is made of.
    pub rng: Mutex<Rng>,
    /// Told what happens besides what goes over the wire.
    pub tell: Box<dyn Fn(&Text) + Send + Sync>,
    /// Why a server cannot be reached, in words, and what to try.
    pub explain: Explain,
}

/// Stands between every client of a listener and the server, until that is given up: then connections end.
pub async fn serve(listener: TcpListener, settings: Arc<Settings>, tap: Tap) {
    let mut open = JoinSet::new();
    let mut fails = false;
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, from)) => {
                    fails = false;
                    let visit = Visit::new(from, Arc::clone(&settings), tap.clone());
                    open.spawn(visit.run(client));
                }
                // What cannot be accepted now (no file is left to open) may be later.
                Err(error) => {
                    if !std::mem::replace(&mut fails, true) {
                        (settings.tell)(&Text::with("connections cannot be taken for now: {}", error));
                    }
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            // Forgotten as they end; whichever way they did.
            Some(_) = open.join_next() => {}
        }
    }
}
