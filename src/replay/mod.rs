//! Handshakes as films, and what it takes to play either side of one again.
//!
//! ```text
//! transcript  text ─┐
//!                   ├─► Exchange ─► play::film ─► model::Film ─► render
//! exchange  capture ┘       │
//!                           └─► sending: draft + fault ─► bytes for a live peer
//! ```
//!
//! Everything here is sans-IO. The rules are those of [`crate::http::handshake`], the
//! same that `decode` shows; sockets are the business of `cli`.

pub mod answers;
pub mod compare;
pub mod draft;
pub mod exchange;
pub mod fault;
pub mod heard;
pub mod play;
mod ruling;
pub mod samples;
pub mod sending;
pub mod transcript;

pub use compare::compare;
pub use draft::Draft;
pub use exchange::{Collector, Exchange};
pub use fault::{Fault, Pace};
pub use heard::Heard;
pub use play::film;
pub use sending::{Answering, Sending};
