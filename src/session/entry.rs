//! How a connection, and what it asks for, is known to what is remembered of all.

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;

use super::key::Key;
use crate::model::{Sometime, Time};

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

/// The same once it is a WebSocket: its handshake is answered, and it is not over.
#[derive(Debug)]
pub(super) struct Settled {
    /// From 1.
    pair: Option<NonZeroU32>,
    passes_on: Option<NonZeroU32>,
    began: Sometime,
}

impl Entry {
    /// What there is to remember of it until it is over, if that is all.
    pub(super) fn settled(&self) -> Option<Settled> {
        let Self { pair, began, connecting, passes_on, over, turn: _, key: _ } = self;
        let pair = pair.map(|pair| NonZeroU32::MIN.saturating_add(pair));
        (!connecting && !over).then_some(Settled { pair, began: (*began).into(), passes_on: *passes_on })
    }
}

impl From<Settled> for Entry {
    fn from(Settled { pair, began, passes_on }: Settled) -> Self {
        let pair = pair.map(|pair| pair.get() - 1);
        Self { pair, began: began.time(), passes_on, ..Self::default() }
    }
}
