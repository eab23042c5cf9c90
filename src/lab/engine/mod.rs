//! Engine.IO, versions 3 and 4, and Socket.IO on it: a server that the reference's clients are at home on.
//!
//! ```text
//! request ─► server: verify ─► polling ───┐
//!                           └► websocket ─┴─► session ─► Application: Echo, SocketIo ─► Program: Chat
//! ```
//!
//! - [`packet`], `payload`: what goes over either transport
//! - `session`: one client, whichever transport it is on; its heartbeat, and what waits for it
//! - `polling`, `websocket`, `cors`, `refusal`: requests, and the move from polling to WebSocket
//! - [`socketio`]: namespaces, events, acknowledgements, rooms
//! - [`programs`]: what is done with them; `host`: servers on a port of their own
//! - `beneath`: the connection of a request, where something may go wrong on purpose
//!
//! The server is this project's own, not socketioxide: on the protocols' own suites that one fails cases, as
//! it pings at once and not an interval later, and its errors carry their code as a text. Here a lesson is to
//! show the reference's bytes to the last one, mistakes that are asked for included; and every connection has
//! to go through the tap.

pub(in crate::lab) mod beneath;
pub mod packet;
pub mod programs;
pub mod settings;
pub mod socketio;

mod cors;
mod host;
pub mod payload;
mod polling;
mod refusal;
mod server;
mod session;
mod websocket;

pub use self::host::{serve, serve_connection};
pub use self::server::Engine;
pub use self::session::{Application, Conversation, Session};
use self::settings::Settings;

/// The classic chat, for clients of Socket.IO.
pub fn chat(settings: Settings) -> Engine {
    Engine::new(settings, socketio::SocketIo::new(programs::Chat::default()))
}
