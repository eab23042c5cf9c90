//! What polling and WebSocket cost: by formula, by simulation, and counted in captures.
//!
//! ```text
//! Scenario ─► model (formulas) ─┬─► rows ─► Report ─► render
//!        └──► simulate ─────────┤
//! captures ─► count ────────────┤
//! a live run ─► live ───────────┘
//! ```
//!
//! A [`Scenario`] holds every assumption. [`model`] answers it exactly: messages
//! are published at random moments (a Poisson process of rate λ), a packet takes
//! the one-way delay d, and what a client and a server do is what their protocols
//! ask of them. [`simulate`] plays the same scenario message by message and packet
//! by packet; that both agree is tested. [`captures`] counts what really happened, and
//! [`live`] sets what a run of the laboratory measured beside the formulas.
//!
//! | way            | latency                                  | requests a second       |
//! |----------------|------------------------------------------|-------------------------|
//! | short polling  | uniform from d to T + d                  | 1/T                     |
//! | long polling   | d, or uniform from d to 3d               | 1/(2d + e^(−2dλ)/λ)     |
//! | event stream   | d                                        | none                    |
//! | WebSocket      | d                                        | none                    |

mod assumptions;
pub mod captures;
pub mod counted;
mod events;
mod exchanges;
pub mod heads;
pub mod http;
pub mod latency;
pub mod live;
pub mod model;
pub mod play;
mod poisson;
pub mod presets;
pub mod report;
pub mod segments;
mod sequence;
pub mod simulate;
mod socket_io;
pub mod sums;
pub mod sweep;
pub mod wire;
pub(crate) mod words;

pub use crate::model::Way;

use self::heads::Heads;
use self::wire::Wire;
use self::words::said;
use crate::model::Text;

/// Who publishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The server, to every client.
    Down,
    /// Every client, to the server.
    Up,
    /// Both, each at the rate.
    Both,
}

impl Direction {
    fn down(self) -> bool {
        self != Self::Up
    }

    fn up(self) -> bool {
        self != Self::Down
    }
}

/// Everything a comparison rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Clients at the same time.
    pub clients: u64,
    /// Messages a second, to (or from) each client.
    pub rate: f64,
    /// Bytes of a message.
    pub payload: u64,
    /// Seconds between two polls (T).
    pub interval: f64,
    /// Whether a client waits for its answer before it counts the interval.
    pub closed_loop: bool,
    /// Seconds a packet takes one way (d).
    pub delay: f64,
    /// Seconds it goes on.
    pub duration: f64,
    /// Who has something to say.
    pub direction: Direction,
    /// Seconds between signs of life on an idle connection: a ping, a comment, an empty answer. 0 for none.
    pub heartbeat: f64,
    /// Seconds an idle HTTP connection is kept.
    pub keep_alive: f64,
    /// HTTP/2 for everything but the WebSocket.
    pub http2: bool,
    /// The name of a Socket.IO event.
    pub event: String,
    /// The header fields of requests and answers.
    pub heads: Heads,
    /// What a byte costs below HTTP: TLS, TCP, IP.
    pub wire: Wire,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            clients: 1000,
            rate: 1.0,
            payload: 21,
            interval: 1.0,
            closed_loop: false,
            delay: 0.05,
            duration: 3600.0,
            direction: Direction::Down,
            heartbeat: 25.0,
            keep_alive: 60.0,
            http2: false,
            event: "message".to_owned(),
            heads: Heads::browser(),
            wire: Wire::PLAIN,
        }
    }
}

impl Scenario {
    /// The name of the Socket.IO event as JSON has it, quotes and escapes included (RFC 8259 section 7).
    pub fn event_text(&self) -> String {
        serde_json::Value::from(self.event.as_str()).to_string()
    }

    /// Whether it can be answered.
    ///
    /// # Errors
    /// One line that says which value cannot be, and what can.
    pub fn check(&self) -> Result<(), Text> {
        let positive = |option: &str, value: f64, most: f64, unit: &str| {
            if value > 0.0 && value <= most {
                Ok(())
            } else {
                Err(Text::with("{} must be more than 0 and at most {}", option).and(format!("{most}{unit}")))
            }
        };
        positive("--rate", self.rate, 1e5, "")?;
        positive("--interval", self.interval * 1000.0, 1e9, " ms")?;
        positive("--duration", self.duration, 1e9, " s")?;
        positive("--clients", self.clients as f64, 1e9, "")?;
        if !(self.delay >= 0.0 && self.delay.is_finite()) {
            return Err(Text::new("--delay must not be negative"));
        }
        if self.delay >= self.duration {
            return Err(said!(
                "--delay {} ms is as long as the whole --duration of {} s: nothing would arrive",
                (self.delay * 1000.0).to_string(),
                self.duration.to_string(),
            ));
        }
        if self.payload > 64 * 1024 * 1024 {
            return Err(Text::new("--payload must be at most 67108864 bytes"));
        }
        if self.rate * self.interval > 1e6 {
            return Err(Text::new("--rate times --interval must be at most a million messages a poll"));
        }
        if !(self.heartbeat >= 0.0 && self.heartbeat.is_finite()) {
            return Err(Text::new("--heartbeat must not be negative; 0 is none"));
        }
        if !(self.keep_alive >= 0.0 && self.wire.ack_delay >= 0.0) {
            return Err(Text::new("--keep-alive and --ack-delay must not be negative"));
        }
        if self.wire.ack_delay > 0.5 {
            return Err(Text::new("--ack-delay must be at most 500 ms (RFC 9293 section 3.8.6.3)"));
        }
        if !(576..=65_535).contains(&self.wire.mtu) {
            return Err(Text::new("--mtu must be from 576 to 65535 bytes"));
        }
        Ok(())
    }
}
