//! WebSocket over HTTP/2 (RFC 8441): a stream of extended CONNECT in the place of a TCP connection.
//!
//! ```text
//! Tapped TCP or TLS ─► HTTP/2 ─┬─ stream 1: CONNECT, :protocol websocket ─► Channel ─► Socket
//!                              └─ stream 3: …
//! ```
//!
//! - `dial`: a client opens one; `channel`: what goes over it then; `driven`: the connection below
//! - `refuse`: a server that does not speak it says so
//! - `translate`: its heads as those of HTTP/1.1, so that the same rules judge both

mod channel;
mod dial;
mod driven;
mod refuse;
mod translate;

pub use self::channel::Channel;
pub use self::dial::{Answered, Asked, Dialled, Unanswered, dial};
pub use self::refuse::refuse;
pub use self::translate::{FORBIDDEN, asked, plain, request, response};

/// What names it among the protocols of TLS (RFC 9113 §3.2).
pub const ALPN: &[u8] = b"h2";
