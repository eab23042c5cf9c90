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
//! - `polling`, `events`, `mailed`, `engine`: one file (or folder) a way of delivering
//! - `handshake`, `socket`: WebSocket as a server opens it, and as either endpoint speaks it; `frames`,
//!   `deflate`: this project's own framing (`ws`) as an endpoint uses it
//! - `http2`: a stream of HTTP/2 in the place of a connection
//! - `line`: the delay line between both, which sees every byte
//! - `client`: a real client for each way; `http`: the connection that some of them keep
//! - `experiment`: one way, measured; `schedule` says what is published when
//! - `serve`: what tutorials describe, on one port: `wstool serve`
//! - `tap`: everything that goes over a connection, told to whoever records it
//! - `devtools`: what a running browser tells of its connections
//! - `fault`: what goes wrong on purpose; `fate`: what befalls a connection behind a message
//! - `flood`: who sends more than people do
//! - `pages`: what a browser is shown; `panels`: the wire beside it
//! - `authority`: certificates for whatever name a client asks for
//! - `proxy`: between a client and a server, looking on
//! - `stage`, `gauge`: a thread of its own for each side, and what it used
//! - `abort`: a connection that is reset instead of closed
//! - `rewound`: one of which something was read already; `overheard`: one to which somebody listens
//! - `verify`: a connection's bytes held against this project's own decoder

pub mod abort;
mod answer;
pub mod authority;
pub(crate) mod client;
pub mod deflate;
pub mod devtools;
pub mod engine;
mod events;
pub mod experiment;
pub mod fate;
pub mod fault;
pub mod flood;
pub mod frames;
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "who measures asks"))]
pub(crate) mod gauge;
pub mod handshake;
pub(crate) mod http;
pub mod http2;
pub mod hub;
pub(crate) mod line;
mod mailed;
mod overheard;
pub mod pages;
pub mod panels;
mod polling;
pub mod proxy;
pub mod rewound;
pub(crate) mod schedule;
pub mod serve;
pub mod server;
pub mod socket;
pub mod stage;
pub mod tap;
pub mod tls;
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "who measures asks"))]
pub(crate) mod verify;
