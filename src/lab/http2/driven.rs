//! A connection of HTTP/2 without a task of its own: who waits for something on it keeps it going.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use h2::PingPong;
use h2::client::Connection;
use hyper::body::Bytes;
use tokio::time::{Instant, timeout_at};

use crate::lab::hub::held;
use crate::lab::overheard::{Listener, Overheard};

/// Bytes that are kept of what a server begins with.
const FIRST: usize = 64;

/// A connection that is kept going by whoever waits for something on it.
pub(super) struct Driven {
    /// `None` once it is over: streams are told of every end when it is let go, and not before.
    connection: Option<Connection<Overheard<First>, Bytes>>,
    /// Why, where something went wrong.
    why: Option<h2::Error>,
}

impl Driven {
    pub fn new(connection: Connection<Overheard<First>, Bytes>) -> Self {
        Self { connection: Some(connection), why: None }
    }

    /// What went wrong with it.
    pub fn why(&self) -> Option<&h2::Error> {
        self.why.as_ref()
    }

    /// What pings are sent with.
    pub fn pings(&mut self) -> Option<PingPong> {
        self.connection.as_mut()?.ping_pong()
    }

    /// Ready once the connection is over, however it ended: its streams say that.
    pub fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(connection) = &mut self.connection {
            let ended = ready!(Pin::new(connection).poll(cx));
            self.why = ended.err();
            self.connection = None;
        }
        Poll::Ready(())
    }

    /// Waits for something that comes over the connection.
    pub async fn until<T>(&mut self, deadline: Instant, what: impl Future<Output = T>) -> Option<T> {
        let mut what = pin!(what);
        let both = poll_fn(|cx| {
            let _ = self.poll(cx);
            what.as_mut().poll(cx)
        });
        timeout_at(deadline, both).await.ok()
    }
}

/// The first bytes that come, which are kept in case they are no HTTP/2.
#[derive(Clone, Default)]
pub(super) struct First(Arc<Mutex<Vec<u8>>>);

impl First {
    /// What was kept so far.
    pub fn bytes(&self) -> Vec<u8> {
        held(&self.0).clone()
    }
}

impl Listener for First {
    fn came(&self, bytes: &[u8]) {
        let mut first = held(&self.0);
        let room = FIRST - first.len();
        first.extend(bytes.iter().take(room));
    }
}
