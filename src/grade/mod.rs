//! The conformance suite: cases that any WebSocket server or client is held against.
//!
//! ```text
//! cases/*.toml ─► load ─► Case ─► play (handshake, talk, judge) ─► Graded ─► render
//! ```
//!
//! - [`load`]: the files of cases; [`case`](mod@case): what they hold; [`script`]: the lines of a case;
//!   `fill`: what long payloads are made of, `head`: a handshake as it is sent, `late`: pongs that are
//! - [`play`]: a case against a server or a client, over any stream
//! - [`listen`]: clients that come to be graded; [`autobahn`]: what is as the Autobahn testsuite has it
//! - [`choose`]: which cases are played; `endpoint`: what of them a server that sends nothing back can show

pub mod autobahn;
pub mod case;
pub mod choose;
mod endpoint;
mod fill;
mod head;
mod late;
pub mod listen;
pub mod load;
pub mod play;
pub mod script;

pub use case::Case;
pub use choose::{Choice, LeftOut, Manner, Patterns, chapter};
pub use endpoint::Endpoint;
