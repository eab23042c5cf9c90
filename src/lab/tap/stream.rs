//! A stream that is tapped.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Wire;
use crate::model::{Dir, StreamEnd};

/// A stream that tells a [`Wire`] what goes over it.
#[derive(Debug)]
pub struct Tapped<S> {
    stream: S,
    wire: Wire,
    us: Dir,
    /// Who has ended its stream, client and server.
    ended: [bool; 2],
}

impl<S> Tapped<S> {
    /// Taps a stream on which `us` is this side.
    pub fn new(stream: S, wire: Wire, us: Dir) -> Self {
        Self { stream, wire, us, ended: [false; 2] }
    }

    /// What is told of it.
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// Which side this is.
    pub fn us(&self) -> Dir {
        self.us
    }

    /// The stream itself, for what is not to be told.
    pub fn inner(&self) -> &S {
        &self.stream
    }

    fn end(&mut self, from: Dir, how: StreamEnd) {
        if !std::mem::replace(&mut self.ended[from.index()], true) {
            self.wire.end(from, how);
        }
    }

    fn broken(&mut self, error: &io::Error) {
        if error.kind() == io::ErrorKind::ConnectionReset {
            self.end(self.us.peer(), StreamEnd::Rst);
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tapped<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.wire.poll_room(cx));
        let before = into.filled().len();
        let room = into.remaining();
        let read = ready!(Pin::new(&mut this.stream).poll_read(cx, into));
        match &read {
            Ok(()) if into.filled().len() > before => {
                this.wire.data(this.us.peer(), &into.filled()[before..]);
            }
            Ok(()) if room > 0 => this.end(this.us.peer(), StreamEnd::Fin),
            Ok(()) => {}
            Err(error) => this.broken(error),
        }
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tapped<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.wire.poll_room(cx));
        let written = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes));
        match &written {
            Ok(count) => this.wire.data(this.us, &bytes[..*count]),
            Err(error) => this.broken(error),
        }
        Poll::Ready(written)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let done = ready!(Pin::new(&mut this.stream).poll_shutdown(cx));
        if done.is_ok() {
            this.end(this.us, StreamEnd::Fin);
        }
        Poll::Ready(done)
    }
}

/// Who lets a connection go has ended its stream; a stream that is reset instead says so before.
impl<S> Drop for Tapped<S> {
    fn drop(&mut self) {
        self.end(self.us, StreamEnd::Fin);
    }
}
