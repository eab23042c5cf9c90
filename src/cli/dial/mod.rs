//! How the commands reach a server: its URL, TLS, a proxy on the way, and what is said when it fails.
//!
//! - [`Url`]: `ws://` and `wss://`
//! - [`keylog`]: where the keys of TLS go
//! - [`tls`]: whom to believe, and what a failed handshake means
//! - [`words`]: why there is no connection, or no answer
//! - [`line`]: a connection, past a proxy and under TLS
//! - [`route`]: which proxy, and addresses that were named
//! - [`Dialling`]: the options of the commands that open a WebSocket; [`option`]: values of options
//! - [`answer`]: the response to an opening handshake

#[cfg(feature = "lab")]
pub mod answer;
#[cfg(feature = "lab")]
mod dialling;
pub mod keylog;
#[cfg(feature = "lab")]
pub mod line;
pub mod option;
#[cfg(feature = "lab")]
pub mod route;
pub mod tls;
mod url;
pub mod words;

#[cfg(feature = "lab")]
pub use dialling::Dialling;
pub use url::Url;
