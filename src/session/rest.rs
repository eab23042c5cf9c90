//! What is told of connections that go on for long, put away small.
//!
//! What is known of a connection once it is a WebSocket is asked for when it is over, and seldom before; and
//! nearly all of it is the same for all connections with a server. So where there are many, each is put to
//! rest in turn: what it has in common with others is held once for all of them. It is woken by whatever is
//! not simply more bytes.

use std::collections::VecDeque;
use std::net::{SocketAddr, SocketAddrV4};
use std::num::NonZeroU32;
use std::sync::Arc;

use super::entry::Settled;
use crate::limits;
use crate::model::{Connection, Endpoint, Sometime};

/// A connection that was numbered and announced, at rest.
pub(super) struct Rest {
    pub conn: u32,
    /// As in [`Connection`], which has it no longer.
    pub passes_on: Option<NonZeroU32>,
    pub client: Option<Packed>,
    /// The same text for all that have the same, as far as that is known.
    pub target: Option<Arc<str>>,
    /// All else of it.
    pub common: Arc<Connection>,
    pub began: Sometime,
    pub entry: Settled,
}

/// An address in little room, as most are of IPv4.
pub(super) enum Packed {
    V4(SocketAddrV4),
    Other(Box<SocketAddr>),
}

impl From<Endpoint> for Packed {
    fn from(endpoint: Endpoint) -> Self {
        match endpoint {
            SocketAddr::V4(address) => Self::V4(address),
            other @ SocketAddr::V6(_) => Self::Other(Box::new(other)),
        }
    }
}

impl From<Packed> for Endpoint {
    fn from(packed: Packed) -> Self {
        match packed {
            Packed::V4(address) => address.into(),
            Packed::Other(address) => *address,
        }
    }
}

/// What connections that rest have in common: the latest of each.
#[derive(Debug, Default)]
pub struct Commons {
    pub(super) connections: VecDeque<Arc<Connection>>,
    targets: VecDeque<Arc<str>>,
}

impl Commons {
    /// One that is equal to this.
    pub(super) fn share(&mut self, connection: Connection) -> Arc<Connection> {
        let is_it = |known: &Connection| *known == connection;
        find(&self.connections, is_it).unwrap_or_else(|| keep(&mut self.connections, Arc::new(connection)))
    }

    /// A target that is equal to this.
    pub(super) fn target(&mut self, target: &str) -> Arc<str> {
        find(&self.targets, |known| known == target).unwrap_or_else(|| keep(&mut self.targets, target.into()))
    }
}

fn find<T: ?Sized>(all: &VecDeque<Arc<T>>, is_it: impl Fn(&T) -> bool) -> Option<Arc<T>> {
    all.iter().find(|known| is_it(known)).cloned()
}

/// Keeps this as the latest one.
fn keep<T: ?Sized>(all: &mut VecDeque<Arc<T>>, new: Arc<T>) -> Arc<T> {
    if all.len() >= limits::RESTING_KINDS {
        all.pop_back();
    }
    all.push_front(new.clone());
    new
}
