//! A connection, under TLS or not, of which some bytes may have been looked at already.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper::body::{Buf as _, Bytes};
use rustls::pki_types::ServerName;
use rustls::server::Acceptor;
use rustls::{ClientConfig, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::StartHandshake;
use tokio_rustls::{LazyConfigAcceptor, TlsConnector, TlsStream};

use crate::lab::http2::ALPN;
use crate::lab::tap::{Tap, Tapped, Wire};
use crate::limits;
use crate::model::{Dir, StreamEnd};

/// See the [module](self).
#[derive(Debug)]
pub(super) struct Stream {
    inner: Inner,
    /// Looked at, and still to be read.
    early: Bytes,
}

#[derive(Debug)]
enum Inner {
    Tcp(Tapped<TcpStream>),
    Tls(Box<TlsStream<Stream>>),
}

impl Stream {
    /// A connection on which `us` is this side; what goes over it is told to `below`.
    pub fn new(tcp: TcpStream, us: Dir, below: &Tap) -> Self {
        // Every write is sent at once: Nagle's algorithm would gather them. Where it cannot be turned off
        // things are as right, and slower.
        let _ = tcp.set_nodelay(true);
        let ends = tcp.local_addr().and_then(|ours| Ok([ours, tcp.peer_addr()?]));
        // Who has left already has no address any longer.
        let [ours, theirs] = ends.unwrap_or([(Ipv4Addr::UNSPECIFIED, 0).into(); 2]);
        let ends = if us == Dir::Client { [ours, theirs] } else { [theirs, ours] };
        Self { inner: Inner::Tcp(Tapped::new(tcp, below.open(ends), us)), early: Bytes::new() }
    }

    /// The address on this side; `None` where the other has left already.
    pub fn ours(&self) -> Option<SocketAddr> {
        self.tcp().inner().local_addr().ok()
    }

    /// Takes what the client begins TLS with.
    pub async fn hello(self) -> io::Result<Hello> {
        let below = self.tcp().wire().clone();
        below.shaking();
        let begun = LazyConfigAcceptor::new(Acceptor::default(), self).await?;
        Ok(Hello { begun, below })
    }

    /// Whether TLS is spoken on it.
    pub fn is_tls(&self) -> bool {
        matches!(self.inner, Inner::Tls(_))
    }

    /// Whether HTTP/2 was agreed on under TLS (ALPN).
    pub fn is_http2(&self) -> bool {
        match &self.inner {
            Inner::Tcp(_) => false,
            Inner::Tls(tls) => tls.get_ref().1.alpn_protocol() == Some(ALPN),
        }
    }

    /// Asks for TLS on it.
    pub async fn ask_tls(self, config: Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<Self> {
        let below = self.tcp().wire().clone();
        below.shaking();
        let tls = TlsConnector::from(config).connect(name, self).await;
        below.shaken();
        let tls = tls?;
        Ok(Self { inner: Inner::Tls(Box::new(tls.into())), early: Bytes::new() })
    }

    /// What was looked at, and is still to be read.
    pub fn early(&self) -> &[u8] {
        &self.early
    }

    /// Reads so much of what was looked at.
    pub fn skip(&mut self, count: usize) {
        self.early.advance(count);
    }

    /// Waits for more to look at; how much came, 0 at the end of the stream.
    pub async fn look(&mut self) -> io::Result<usize> {
        let mut more = vec![0; limits::LAB_READ];
        let read = match &mut self.inner {
            Inner::Tcp(tcp) => tcp.read(&mut more).await?,
            Inner::Tls(tls) => tls.read(&mut more).await?,
        };
        more.truncate(read);
        self.early =
            if self.early.is_empty() { more.into() } else { [&self.early[..], &more].concat().into() };
        Ok(read)
    }

    /// The socket at the bottom.
    fn tcp(&self) -> &Tapped<TcpStream> {
        match &self.inner {
            Inner::Tcp(tcp) => tcp,
            Inner::Tls(tls) => tls.get_ref().0.tcp(),
        }
    }

    /// Ends it with a reset, where the system can.
    pub fn reset(self) {
        let tcp = self.tcp();
        tcp.wire().end(tcp.us(), StreamEnd::Rst);
        // It ends one way or another.
        let _ = tcp.inner().set_zero_linger();
    }
}

/// A client that has begun with TLS, and is not answered yet.
pub(super) struct Hello {
    begun: StartHandshake<Stream>,
    below: Wire,
}

impl Hello {
    /// Whether it would speak HTTP/2.
    pub fn offers_http2(&self) -> bool {
        self.begun.client_hello().alpn().is_some_and(|mut names| names.any(|name| name == ALPN))
    }

    /// Serves TLS to it, with HTTP/2 inside or HTTP/1.1.
    pub async fn serve(self, config: &ServerConfig, http2: bool) -> io::Result<Stream> {
        let mut config = config.clone();
        config.alpn_protocols = vec![if http2 { ALPN.to_vec() } else { b"http/1.1".to_vec() }];
        let tls = self.begun.into_stream(Arc::new(config)).await;
        self.below.shaken();
        let tls = tls?;
        Ok(Stream { inner: Inner::Tls(Box::new(TlsStream::Server(tls))), early: Bytes::new() })
    }
}

/// Room to read into: little while little comes, more while it is filled.
pub(super) struct Room(Vec<u8>);

impl Room {
    pub fn new() -> Self {
        Self(vec![0; limits::PROXY_SIP])
    }

    /// Where to read to.
    pub fn buffer(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// So much was read, and has been seen to.
    pub fn used(&mut self, count: usize) {
        let (least, most) = (limits::PROXY_SIP, limits::PROXY_READ);
        if count == self.0.len() && count < most {
            self.0 = vec![0; (count * 4).min(most)];
        } else if count <= least && self.0.len() > least {
            self.0 = vec![0; least];
        }
    }
}

/// Whether bytes begin as TLS does: a record of the handshake (RFC 8446 §5.1).
pub(super) fn is_client_hello(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x16, 0x03])
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.early.is_empty() {
            let count = this.early.len().min(into.remaining());
            into.put_slice(&this.early.split_to(count));
            return Poll::Ready(Ok(()));
        }
        match &mut this.inner {
            Inner::Tcp(tcp) => Pin::new(tcp).poll_read(cx, into),
            Inner::Tls(tls) => Pin::new(tls).poll_read(cx, into),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.get_mut().inner {
            Inner::Tcp(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Inner::Tls(tls) => Pin::new(tls).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Tcp(tcp) => Pin::new(tcp).poll_flush(cx),
            Inner::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().inner {
            Inner::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Inner::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}
