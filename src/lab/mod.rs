//! A laboratory: servers that deliver the same messages in every way there is, clients
//! for each, and a line between them that delays and counts.
//!
//! ```text
//!            publisher
//!                │ push
//!   server   ┌───▼────┐      line                        clients
//!            │  Hub   ├─► held for d, counted, logged ─► polls, event streams,
//!            └────────┘ ◄─ held for d, counted, logged ─ WebSockets, Socket.IO
//! ```
//!
//! - `hub`: a mailbox for each client; every way of delivering empties one
//! - `server`: HTTP by hyper, and which way a request asks for; `answer`: what it answers with
//! - `polling`, `events`, `socket`, `engine`: one file (or folder) a way of delivering
//! - `frames`: this project's own framing (`ws`) as an endpoint uses it
//! - `line`: the delay line between both, which sees every byte
//! - `client`: a real client for each way
//! - `experiment`: one way, measured; `schedule` says what is published when
//! - `stage`, `gauge`: a thread of its own for each side, and what it used
//! - `verify`: a connection's bytes held against this project's own decoder

mod answer;
pub(crate) mod client;
pub(crate) mod engine;
mod events;
pub mod experiment;
pub(crate) mod frames;
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "who measures asks"))]
pub(crate) mod gauge;
pub mod hub;
pub(crate) mod line;
mod polling;
pub(crate) mod schedule;
pub mod server;
mod socket;
pub mod stage;
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "who measures asks"))]
pub(crate) mod verify;
