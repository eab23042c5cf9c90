//! Writing traffic: frames, messages and whole conversations, right and
//! deliberately wrong.
//!
//! ```text
//! script text ─► script ─► conversation ─► packets (time, bytes)
//!                  │            │
//!               frames      handshake          workload ─► packets
//!               (ws::encode)   tcp             rewrite: packets ─► packets
//! ```
//!
//! Nothing here reads a clock or the system's randomness. Whoever calls gives
//! a start time and an [`Entropy`]; with [`Rng`] behind it the same seed gives
//! the same bytes on every machine.

pub mod conversation;
pub mod frames;
mod h2;
pub mod handshake;
mod line;
pub mod rewrite;
pub mod rng;
pub mod script;
mod segment;
pub mod tcp;
mod words;
pub mod workload;
pub mod wrap;

use crate::model::Time;

#[cfg(all(feature = "cli", feature = "lab"))]
pub(crate) use line::Line;
pub use line::{hex, number};
pub use rng::Rng;
pub use words::ScriptError;
#[cfg(all(feature = "cli", feature = "lab"))]
pub(crate) use words::split;

/// When seeded conversations begin: 2024-01-01 00:00:00 UTC.
pub const START: Time = Time(1_704_067_200_000_000_000);

/// Fills a buffer with bytes nobody can foresee, or with those of a seed.
pub type Entropy<'a> = dyn FnMut(&mut [u8]) + 'a;

/// Takes packets as they are made: an Ethernet frame and when it was seen.
pub type Emit<'a> = dyn FnMut(Time, &[u8]) + 'a;
