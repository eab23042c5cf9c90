//! A stream that somebody overhears: what goes over it goes as it is, and they note what they want.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::socket::Stream;

/// Who overhears a stream.
pub(super) trait Listener {
    /// These bytes came.
    fn came(&self, bytes: &[u8]);

    /// These bytes went out.
    fn went(&self, _bytes: &[u8]) {}
}

/// Tells a listener of everything before those who read and write it go on.
pub(super) struct Overheard<L> {
    stream: Box<dyn Stream>,
    listener: L,
}

impl<L> Overheard<L> {
    /// A stream with somebody who listens.
    pub fn by(listener: L, stream: Box<dyn Stream>) -> Self {
        Self { stream, listener }
    }
}

impl<L: Listener + Unpin> AsyncRead for Overheard<L> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = into.filled().len();
        ready!(Pin::new(&mut this.stream).poll_read(cx, into))?;
        this.listener.came(&into.filled()[before..]);
        Poll::Ready(Ok(()))
    }
}

impl<L: Listener + Unpin> AsyncWrite for Overheard<L> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let count = ready!(Pin::new(&mut this.stream).poll_write(cx, bytes))?;
        this.listener.went(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
