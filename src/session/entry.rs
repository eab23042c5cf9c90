//! How a connection, and what it asks for, is known to what is remembered of all.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;

use super::key::Key;
use crate::model::Time;

/// A client's address, and the address and port it connects to.
pub type Pair = (IpAddr, SocketAddr);

/// A request for a WebSocket.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attempt<'a> {
    /// Who asks whom; `None` where there are no addresses.
    pub pair: Option<Pair>,
    /// The client behind the proxies, as these say.
    pub forwarded: Option<IpAddr>,
    pub target: &'a str,
    pub key: Option<&'a [u8]>,
    /// Whether it offers extensions.
    pub offers: bool,
    pub now: Option<Time>,
    /// It was received a while before it was captured, at `now`.
    pub is_late: bool,
}

/// A connection as it is remembered while it lasts.
#[derive(Debug, Default)]
pub struct Entry {
    /// The place of its client and server.
    pub(super) pair: Option<u32>,
    pub(super) began: Option<Time>,
    pub(super) connecting: bool,
    /// Which of the handshakes between the two is the latest on this connection, from 1.
    pub(super) turn: u64,
    /// The key it has asked with.
    pub(super) key: Option<Key>,
    pub(super) over: bool,
    /// The connection whose handshake it passes on.
    pub(super) passes_on: Option<NonZeroU32>,
}
