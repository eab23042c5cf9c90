//! WebSocket over HTTP/2 (RFC 8441): a stream of extended CONNECT in the place of a TCP connection.
//!
//! ```text
//! Tapped TCP or TLS ─► HTTP/2 ─┬─ stream 1: CONNECT, :protocol websocket ─► Channel ─► Socket
//!                              └─ stream 3: …
//! ```
//!
//! - `dial`: a client opens one; `channel`: what goes over it then; `driven`: the connection below
//! - `served`: what a server's clients ask for; `answering`: how that is answered; `watch`: which rules they
//!   break
//! - `refuse`: a server that does not speak it says so
//! - `translate`: its heads as those of HTTP/1.1, so that the same rules judge both

mod answering;
mod channel;
mod dial;
mod driven;
mod refuse;
pub mod served;
mod translate;
mod watch;

pub use self::channel::Channel;
pub use self::dial::{Answered, Asked, Dialled, Unanswered, dial};
pub use self::refuse::refuse;
pub use self::translate::{FORBIDDEN, asked, plain, request, response};
pub use self::watch::{Refused, StreamWatch};

/// What names it among the protocols of TLS (RFC 9113 §3.2).
pub const ALPN: &[u8] = b"h2";

/// What is said where there is a WebSocket and something else is asked for: there is nothing to upgrade to.
pub const EXTENDED_ONLY: &str =
    "this is a WebSocket: open it with extended CONNECT (RFC 8441), or over HTTP/1.1";
