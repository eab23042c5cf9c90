//! A connection of HTTP/2 without a task of its own: who waits for something on it keeps it going.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};

use h2::PingPong;
use h2::client::Connection;
use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, timeout_at};

use crate::lab::hub::held;
use crate::lab::socket::Stream;

/// Bytes that are kept of what a server begins with.
const FIRST: usize = 64;

/// A connection that is kept going by whoever waits for something on it.
pub(super) struct Driven {
    /// `None` once it is over: streams are told of every end when it is let go, and not before.
    connection: Option<Connection<First, Bytes>>,
    /// Why, where something went wrong.
    why: Option<h2::Error>,
}

impl Driven {
    pub fn new(connection: Connection<First, Bytes>) -> Self {
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

/// A stream of which the first bytes that come are kept, in case they are no HTTP/2.
pub(super) struct First {
    stream: Box<dyn Stream>,
    first: Arc<Mutex<Vec<u8>>>,
}

impl First {
    /// Over a stream, and what is kept of it.
    pub fn of(stream: impl Stream) -> (Self, Arc<Mutex<Vec<u8>>>) {
        let first = Arc::default();
        (Self { stream: Box::new(stream), first: Arc::clone(&first) }, first)
    }
}

impl AsyncRead for First {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, into))?;
        let mut first = held(&this.first);
        let room = FIRST - first.len();
        if room > 0 {
            first.extend(into.filled()[before..].iter().take(room));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for First {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
