//! A connection to a server: TCP, through a proxy if there is one, and TLS for `wss://`.

use std::fmt::{self, Write as _};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{timeout, timeout_at};
use tokio_rustls::TlsConnector;

use super::answer;
use super::route::{Proxy, Resolve};
use super::words::{self, Unresolved};
use super::{Url, tls};
use crate::lab::abort::{Abort, Abortable};
use crate::lab::http2::ALPN;
use crate::lab::tap::{Tap, Tapped, Wire};
use crate::model::{Dir, Layer, Text};

/// Anything that bytes go over.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// How to reach a server.
#[derive(Clone)]
pub struct Reach {
    /// Where it is.
    pub url: Url,
    /// How long it may take, and its answer.
    pub timeout: Duration,
    /// Addresses that were named.
    pub resolve: Vec<Resolve>,
    /// The proxy on the way.
    pub proxy: Option<Proxy>,
    /// How TLS is spoken; `None` for `ws://`.
    pub tls: Option<Arc<ClientConfig>>,
    /// The name that TLS asks for, and that its certificate has to be for; that of the URL by default.
    pub tls_name: Option<String>,
    /// Where is told what goes over the network, below TLS.
    pub below: Tap,
}

/// A connection.
pub struct Line {
    /// What goes over it; of `wss://` what is inside.
    pub stream: Box<dyn Stream>,
    /// Client and server, or client and proxy.
    pub ends: [SocketAddr; 2],
    /// The version of TLS.
    pub tls: Option<&'static str>,
    /// Whether HTTP/2 was agreed on there (ALPN).
    pub is_http2: bool,
    /// By which it can be reset.
    pub abort: Abort,
}

impl Line {
    /// Where what goes over it is told.
    pub fn tapped(&self, tap: &Tap) -> Wire {
        tap.open_on(self.ends, Layer::tapped(self.tls.is_some()))
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("ends", &self.ends).field("tls", &self.tls).finish_non_exhaustive()
    }
}

impl Reach {
    /// Connects.
    ///
    /// # Errors
    /// What went wrong, and what to try.
    pub async fn connect(&self) -> Result<Line, Text> {
        let deadline = Instant::now() + self.timeout;
        let (host, port) = match &self.proxy {
            Some(proxy) => (&proxy.host, proxy.port),
            None => (&self.url.host, self.url.port),
        };
        let tcp = self.tcp(host, port, deadline).await;
        let tcp = match &self.proxy {
            Some(proxy) => {
                tcp.map_err(|why| Text::new("the proxy of {}: {}").and(proxy.named_by).word(why))?
            }
            None => tcp?,
        };
        // What is written is sent at once.
        let _ = tcp.set_nodelay(true);
        let ends = tcp.local_addr().and_then(|ours| Ok([ours, tcp.peer_addr()?]));
        let ends = ends.map_err(|error| Text::with("no connection to {}: {}", host).and(error))?;
        let wire = self.below.open(ends);
        let (tcp, abort) = Abortable::new(tcp);
        let mut tcp = Tapped::new(tcp, wire.clone(), Dir::Client);
        if let Some(proxy) = &self.proxy {
            self.tunnel(proxy, &mut tcp, deadline).await?;
        }
        let Some(config) = &self.tls else {
            return Ok(Line { stream: Box::new(tcp), ends, tls: None, is_http2: false, abort });
        };
        let host = self.tls_name.as_ref().unwrap_or(&self.url.host);
        wire.shaking();
        let connecting = TlsConnector::from(Arc::clone(config)).connect(tls::name(host)?, tcp);
        let connected = timeout_at(deadline.into(), connecting).await;
        wire.shaken();
        match connected {
            Err(_) => Err(tls::explain(&io::ErrorKind::TimedOut.into(), host)),
            Ok(Err(error)) => Err(tls::explain(&error, host)),
            Ok(Ok(stream)) => {
                let version = stream.get_ref().1.protocol_version();
                let tls = match version {
                    Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
                    Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
                    _ => "TLS",
                };
                let is_http2 = stream.get_ref().1.alpn_protocol() == Some(ALPN);
                Ok(Line { stream: Box::new(stream), ends, tls: Some(tls), is_http2, abort })
            }
        }
    }

    async fn tcp(&self, host: &str, port: u16, deadline: Instant) -> Result<TcpStream, Text> {
        let addresses: Vec<SocketAddr> = match Resolve::find(&self.resolve, host, port) {
            Some(address) => vec![(address, port).into()],
            None => match timeout_at(deadline.into(), tokio::net::lookup_host((host, port))).await {
                Err(_) => return Err(words::unresolved(host, Unresolved::Late)),
                Ok(Err(_)) => return Err(words::unresolved(host, Unresolved::Unknown)),
                Ok(Ok(found)) => found.collect(),
            },
        };
        let mut failure = words::unresolved(host, Unresolved::Empty);
        let count = addresses.len() as u32;
        for (at, address) in addresses.into_iter().enumerate() {
            // One that does not answer shall not use up the time of those behind it.
            let left = deadline.saturating_duration_since(Instant::now()) / (count - at as u32);
            match timeout(left, TcpStream::connect(address)).await {
                Ok(Ok(tcp)) => return Ok(tcp),
                Ok(Err(error)) => failure = words::refused(address, &error, self.timeout),
                Err(_) => {
                    failure = words::refused(address, &io::ErrorKind::TimedOut.into(), self.timeout);
                }
            }
        }
        Err(failure)
    }

    /// Asks a proxy for a tunnel to the server (RFC 9110 §9.3.6).
    async fn tunnel(
        &self,
        proxy: &Proxy,
        tcp: &mut (impl AsyncRead + AsyncWrite + Unpin),
        deadline: Instant,
    ) -> Result<(), Text> {
        let host = &self.url.host;
        let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let target = format!("{host}:{}", self.url.port);
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(authorization) = &proxy.authorization {
            // Writing to a string cannot fail.
            let _ = write!(request, "Proxy-Authorization: {authorization}\r\n");
        }
        request.push_str("\r\n");
        let named = format!("http://{}:{}", proxy.host, proxy.port);
        // Who refuses may do so before it has read everything.
        let _ = tcp.write_all(request.as_bytes()).await;
        let mut answer = answer::read(tcp, &named, deadline, self.timeout)
            .await
            .map_err(|why| Text::new("the proxy of {}: {}").and(proxy.named_by).word(why))?;
        let head = answer.heard.head();
        let code = head.status().unwrap_or_default();
        if (200..300).contains(&code) {
            return Ok(());
        }
        let line = head.start_line().into_owned();
        drop(head);
        answer.read_body(tcp, deadline.min(Instant::now() + Duration::from_secs(2))).await;
        let what = match code {
            // A few say 401 where 407 is meant.
            401 | 407 if proxy.authorization.is_some() => {
                Text::new("it does not take this user and password: check both")
            }
            401 | 407 => Text::new("give it a user: http://user:password@host:port"),
            // What says so is mostly a web server: CONNECT is for proxies (RFC 9110 §9.3.6).
            400 | 404 | 405 | 501 => {
                Text::new("is it an HTTP proxy? it may not know CONNECT; without it: --proxy none")
            }
            // It went to look for the server.
            502..=504 => Text::new("it does not reach the server; go without it: --proxy none"),
            _ => Text::new("see its log, or go without it: --proxy none"),
        };
        Err(Text::new("the proxy of {} opens no tunnel to {}: {}; {}")
            .and(proxy.named_by)
            .and(target)
            .and(line)
            .word(what))
    }
}
