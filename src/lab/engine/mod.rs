//! Socket.IO (protocol 5) on Engine.IO (protocol 4), on HTTP long polling and on WebSocket.
//!
//! - [`packet`]: what goes over either: Engine.IO's packet types, Socket.IO's events
//! - `session`: one client, whichever transport it is on
//! - `transport`: requests of both transports, and the upgrade from one to the other

pub mod packet;
mod session;
mod transport;

pub(super) use session::Sessions;
pub(super) use transport::answer;
