//! How a WebSocket is reached, and who asks for it: options of the commands that open one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::Url;
use super::keylog::Keylog;
use super::line::Reach;
use super::option::{field_value, header, seconds};
use super::route::{self, Proxy, Resolve};
use super::tls::{self, Trust};
use crate::cli::Look;
use crate::lab::tap::Tap;
use crate::model::Text;

/// How a server is reached, and what it is told of who asks.
#[derive(clap::Args, Clone, Debug)]
// The group would be called as that of the command's own options.
#[group(skip)]
#[allow(clippy::doc_markdown, reason = "help shows it as it is")]
pub struct Dialling {
    /// Send this header field, or with nothing behind the colon leave it out; may be repeated
    #[arg(short = 'H', long, value_name = "NAME: VALUE", value_parser = header, help_heading = "Connecting")]
    pub header: Vec<(String, String)>,

    /// Send this Origin
    #[arg(short, long, value_name = "ORIGIN", value_parser = field_value, help_heading = "Connecting")]
    pub origin: Option<String>,

    /// Offer these subprotocols, separated by commas, best first
    #[arg(short, long, value_name = "NAMES", value_parser = field_value, help_heading = "Connecting")]
    pub subprotocol: Option<String>,

    /// Send this cookie; may be repeated
    #[arg(short, long, value_name = "NAME=VALUE", value_parser = field_value, help_heading = "Connecting")]
    pub cookie: Vec<String>,

    /// Authenticate with this user and password (HTTP Basic)
    #[arg(short, long, value_name = "NAME:PASSWORD", value_parser = field_value, help_heading = "Connecting")]
    pub user: Option<String>,

    /// Do not check the server's certificate
    #[arg(short = 'k', long, help_heading = "Connecting")]
    pub insecure: bool,

    /// Trust the certificates in this PEM file too
    #[arg(long, value_name = "FILE", help_heading = "Connecting")]
    pub cacert: Option<PathBuf>,

    /// Use this address for a host and port, whatever its name resolves to; may be repeated
    #[arg(
        long, value_name = "HOST:PORT:ADDRESS", value_parser = Resolve::parse, help_heading = "Connecting"
    )]
    pub resolve: Vec<Resolve>,

    /// Go through this HTTP proxy, or through none; by default as `https_proxy`, `http_proxy`, `all_proxy`
    /// and `no_proxy` say
    #[arg(short = 'x', long, value_name = "http://HOST:PORT|none", help_heading = "Connecting")]
    pub proxy: Option<String>,

    /// Seconds to wait for a connection, for the answer to the handshake, and for a closing handshake
    #[arg(
        long, value_name = "SECONDS", default_value = "10", value_parser = seconds,
        help_heading = "Connecting"
    )]
    pub timeout: Duration,

    /// Open it on a stream of HTTP/2 (RFC 8441): wss:// by ALPN, ws:// by prior knowledge
    #[arg(long, help_heading = "Connecting")]
    pub http2: bool,

    /// The name that TLS asks for, where that is not the URL's
    #[arg(skip)]
    pub tls_name: Option<String>,
}

impl Dialling {
    /// Header fields besides those of every handshake, and those that are set otherwise or, with an empty
    /// value, left out.
    pub fn fields(&self) -> Vec<(String, String)> {
        let mut fields = Vec::new();
        let mut field = |name: &str, value: String| fields.push((name.to_owned(), value));
        if let Some(origin) = &self.origin {
            field("Origin", origin.clone());
        }
        if let Some(names) = &self.subprotocol {
            field("Sec-WebSocket-Protocol", names.clone());
        }
        if let Some(user) = &self.user {
            field("Authorization", format!("Basic {}", STANDARD.encode(user)));
        }
        if !self.cookie.is_empty() {
            field("Cookie", self.cookie.join("; "));
        }
        fields.extend(self.header.iter().cloned());
        fields
    }

    /// The way to a URL. `below` is told what goes over the network.
    ///
    /// # Errors
    /// What is wrong with the proxy, or with a certificate.
    pub fn reach(&self, url: Url, keylog: &Keylog, below: Tap, look: Look) -> Result<Reach, Text> {
        let proxy = match self.proxy.as_deref() {
            Some("none") => None,
            Some(proxy) => Some(Proxy::parse(proxy, "--proxy")?),
            None => route::of_environment(&url, |name| std::env::var(name).ok())?,
        };
        let trust = Trust { cacert: self.cacert.as_deref(), insecure: self.insecure, keylog };
        let tls = if url.secure { Some(Arc::new(tls::config(&trust, self.http2, look)?)) } else { None };
        let (timeout, resolve, tls_name) = (self.timeout, self.resolve.clone(), self.tls_name.clone());
        Ok(Reach { url, timeout, resolve, proxy, tls, tls_name, below })
    }
}
