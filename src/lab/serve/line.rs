//! The TCP connection underneath everything, with what goes wrong on purpose where nobody above sees it.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::lab::tap::Wire;
use crate::model::{Dir, StreamEnd};

/// Bytes that are read at a time where reading is slow, and the pause between two times.
const SLOW: usize = 64;
const PAUSE: Duration = Duration::from_millis(50);

/// What is done to a connection from above.
#[derive(Debug, Default)]
pub struct Control {
    reset: AtomicBool,
    /// It is to end at once.
    ended: Notify,
    frozen: AtomicBool,
    below: OnceLock<Wire>,
}

impl Control {
    /// Has this told what is done to it.
    pub fn tell(&self, below: Wire) {
        // It is told once.
        let _ = self.below.set(below);
    }

    /// Has it reset when it is let go.
    pub fn reset(&self) {
        self.reset.store(true, SeqCst);
        if let Some(below) = self.below.get() {
            below.end(Dir::Server, StreamEnd::Rst);
        }
        self.cut();
    }

    /// Has it let go, whatever is under way on it.
    pub fn cut(&self) {
        self.ended.notify_one();
    }

    /// Waits until it is to be let go.
    pub async fn wait_for_end(&self) {
        self.ended.notified().await;
    }

    /// Nothing is read or written any longer, though it stays open.
    pub fn freeze(&self) {
        self.frozen.store(true, SeqCst);
    }

    fn is_frozen(&self) -> bool {
        self.frozen.load(SeqCst)
    }
}

/// A TCP connection under control.
#[derive(Debug)]
pub struct Line {
    tcp: TcpStream,
    control: Arc<Control>,
    /// When it is read from again, where reading is slow.
    pause: Option<Pin<Box<Sleep>>>,
}

impl Line {
    /// Takes a connection; `slow` has it read a few bytes at a time.
    pub fn new(tcp: TcpStream, control: Arc<Control>, slow: bool) -> Self {
        Self { tcp, control, pause: slow.then(|| Box::pin(sleep_until(Instant::now()))) }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.control.reset.load(SeqCst) {
            // Where that cannot be had, it ends as others do.
            let _ = self.tcp.set_zero_linger();
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.control.is_frozen() {
            return Poll::Pending;
        }
        let Some(pause) = &mut this.pause else { return Pin::new(&mut this.tcp).poll_read(cx, into) };
        ready!(pause.as_mut().poll(cx));
        let mut few = [0; SLOW];
        let mut few = ReadBuf::new(&mut few[..SLOW.min(into.remaining())]);
        ready!(Pin::new(&mut this.tcp).poll_read(cx, &mut few))?;
        into.put_slice(few.filled());
        pause.as_mut().reset(Instant::now() + PAUSE);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Line {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.control.is_frozen() {
            return Poll::Pending;
        }
        Pin::new(&mut self.get_mut().tcp).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.control.is_frozen() {
            return Poll::Pending;
        }
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}
