//! HTTP/1.1 or HTTP/2: under TLS the client is offered what the server takes, and the server what the client
//! would speak; without TLS the first bytes say it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::{ClientConfig, ServerConfig};
use tokio::time::timeout;

use super::preface::begins_http2;
use super::stream::Stream;
use super::target::{Opened, Target};
use super::visit::{PATIENCE, Visit, untrusted};
use crate::lab::tls::alpn;
use crate::model::Text;

/// How long a client without TLS may take to say what it speaks, where a server with TLS has to be told
/// first.
const FIRST: Duration = Duration::from_secs(3);

impl Visit {
    /// Serves TLS to the client. Where it would speak HTTP/2, the server is asked first, on the connection
    /// `over` if there is one already. `None`, once that is told, where it does not come about; and what the
    /// server said, where it was asked.
    pub(super) async fn agree(
        &self,
        client: Stream,
        tls: &ServerConfig,
        target: &Target,
        over: Option<(Stream, SocketAddr)>,
    ) -> Option<(Stream, Option<Opened>)> {
        let hello = self.shaken(client.hello()).await?;
        if !(target.secure && hello.offers_http2() && self.suits_http2()) {
            let client = self.shaken(hello.serve(tls, false)).await?;
            let opened = match over {
                None => None,
                Some(over) => Some(target.secured(over, &self.settings.server_tls).await),
            };
            return Some((client, opened));
        }
        let both = offering(&self.settings.server_tls, alpn(true));
        let opened = match over {
            None => target.connect(&both, &self.settings.below).await,
            Some(over) => target.secured(over, &both).await,
        };
        let is_http2 = opened.as_ref().is_ok_and(|(server, _)| server.is_http2());
        let client = self.shaken(hello.serve(tls, is_http2)).await?;
        Some((client, Some(opened)))
    }

    /// Waits for a step of the client's TLS handshake; `None`, once that is told, where it does not come
    /// about.
    async fn shaken<T>(&self, step: impl Future<Output = io::Result<T>>) -> Option<T> {
        match timeout(PATIENCE, step).await {
            Ok(Ok(done)) => Some(done),
            Ok(Err(error)) => {
                self.tell(&untrusted(self.from, &error));
                None
            }
            Err(_) => {
                let words = "{} did not finish its TLS handshake within {} s";
                self.tell(&Text::with(words, self.from).and(PATIENCE.as_secs()));
                None
            }
        }
    }

    /// Connects to a server with TLS ahead of time, where a client without it speaks HTTP/2.
    pub(super) async fn ahead(&self, client: &mut Stream, target: &Target) -> Option<Opened> {
        if !target.secure || !self.suits_http2() {
            return None;
        }
        let is_http2 = timeout(FIRST, begins_http2(client)).await.ok()?.ok()?;
        if !is_http2 {
            return None;
        }
        let only = offering(&self.settings.server_tls, alpn(true)[..1].to_vec());
        let opened = target.connect(&only, &self.settings.below).await;
        if opened.as_ref().is_ok_and(|(server, _)| !server.is_http2()) {
            let words = "{} speaks HTTP/2, on which {} does not agree: let it speak HTTP/1.1";
            self.tell(&Text::with(words, self.from).and(target.authority()));
        }
        Some(opened)
    }
}

fn offering(config: &ClientConfig, alpn: Vec<Vec<u8>>) -> Arc<ClientConfig> {
    let mut config = config.clone();
    config.alpn_protocols = alpn;
    Arc::new(config)
}
