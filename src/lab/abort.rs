//! A connection that can be reset instead of closed: what is on its way is lost, and the peer sees
//! `ECONNRESET`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Says how a connection ends, whatever its stream was wrapped in meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Abort(Arc<AtomicBool>);

impl Abort {
    /// The connection is reset when its stream is dropped.
    pub fn reset(&self) {
        self.0.store(true, SeqCst);
    }
}

/// A TCP connection with such a say.
#[derive(Debug)]
pub struct Abortable {
    tcp: TcpStream,
    abort: Abort,
}

impl Abortable {
    /// Of a connection.
    pub fn new(tcp: TcpStream) -> (Self, Abort) {
        let abort = Abort::default();
        (Self { tcp, abort: abort.clone() }, abort)
    }
}

impl Drop for Abortable {
    fn drop(&mut self) {
        if self.abort.0.load(SeqCst) {
            // Where the option is not taken it is an ordinary end.
            let _ = self.tcp.set_zero_linger();
        }
    }
}

impl AsyncRead for Abortable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_read(cx, buf)
    }
}

impl AsyncWrite for Abortable {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test(flavor = "current_thread")]
    async fn the_peer_sees_a_reset() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        for resets in [true, false] {
            let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let (mut theirs, _) = listener.accept().await.unwrap();
            let (stream, abort) = Abortable::new(ours);
            if resets {
                abort.reset();
            }
            drop(stream);
            let end = theirs.read(&mut [0; 8]).await.map_err(|error| error.kind());
            assert_eq!(end, if resets { Err(io::ErrorKind::ConnectionReset) } else { Ok(0) });
        }
    }
}
