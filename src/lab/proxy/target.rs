//! Reaching the server.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use super::stream::Stream;
use crate::lab::tap::Tap;
use crate::model::Dir;

/// How long a server may take to be reached, and to agree on TLS.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Whether TLS is spoken with it.
    pub secure: bool,
    /// Its name or address, IPv6 without brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// A connection to a server and where that is, or why there is none.
pub(super) type Opened = Result<(Stream, SocketAddr), Unreached>;

/// Why a server cannot be reached.
#[derive(Debug)]
pub enum Unreached {
    /// Its name is none.
    Name(io::Error),
    /// There is no connection.
    Tcp(SocketAddr, io::Error),
    /// There is one, but no TLS.
    Tls(SocketAddr, io::Error),
}

impl Target {
    /// As it stands in an authority, such as `[::1]:80`.
    pub fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }

    /// Agrees on TLS over a connection to it, where that is spoken.
    ///
    /// # Errors
    /// Why it does not come about.
    pub(super) async fn secured(
        &self,
        (stream, address): (Stream, SocketAddr),
        tls: &Arc<ClientConfig>,
    ) -> Opened {
        if !self.secure {
            return Ok((stream, address));
        }
        let name = ServerName::try_from(self.host.clone())
            .map_err(|error| Unreached::Name(io::Error::other(error)))?;
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        let secured = timeout(PATIENCE, stream.ask_tls(Arc::clone(tls), name)).await;
        let secured = secured.map_err(late).flatten();
        secured.map(|stream| (stream, address)).map_err(|error| Unreached::Tls(address, error))
    }

    /// Connects to it; and where that is.
    ///
    /// # Errors
    /// Why there is no connection.
    pub(super) async fn connect(&self, tls: &Arc<ClientConfig>, below: &Tap) -> Opened {
        let late = || io::Error::from(io::ErrorKind::TimedOut);
        let found = timeout(PATIENCE, lookup_host((self.host.as_str(), self.port))).await;
        let addresses = found.map_err(|_| late()).flatten().map_err(Unreached::Name)?;
        let mut last = None;
        for address in addresses {
            match timeout(PATIENCE, TcpStream::connect(address)).await.map_err(|_| late()).flatten() {
                Err(error) => last = Some(Unreached::Tcp(address, error)),
                Ok(tcp) => {
                    return self.secured((Stream::new(tcp, Dir::Client, below), address), tls).await;
                }
            }
        }
        Err(last.unwrap_or_else(|| Unreached::Name(io::Error::from(io::ErrorKind::NotFound))))
    }
}
