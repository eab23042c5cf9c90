//! TLS with a certificate that somebody has already.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::KeyLog;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::Acceptor;
use tokio::time::timeout;
use tokio_rustls::LazyConfigAcceptor;
use tokio_rustls::server::TlsStream;

use super::http2::ALPN;
use super::socket::Stream;
use crate::model::Text;

pub use rustls::ServerConfig;

/// How long TLS may take to be there.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a server or client that speaks HTTP offers by ALPN (RFC 7301), best first: HTTP/1.1, and HTTP/2
/// before it where that is spoken.
pub fn alpn(http2: bool) -> Vec<Vec<u8>> {
    let all = [ALPN, b"http/1.1"];
    all[usize::from(!http2)..].iter().map(|name| name.to_vec()).collect()
}

/// What cannot be used of a certificate and its key.
#[derive(Debug)]
pub enum Unusable {
    /// The certificate, or that it does not fit the key.
    Certificate(Text),
    /// The key.
    Key(Text),
}

impl Unusable {
    /// Why, whichever it is.
    pub fn why(self) -> Text {
        match self {
            Self::Certificate(why) | Self::Key(why) => why,
        }
    }
}

/// How a server speaks TLS with this certificate, those that lead to its authority behind it, and its key,
/// in PEM. `alpn` is what it speaks inside, best first.
///
/// # Errors
/// What is wrong with them.
pub fn server(certificates: &[u8], key: &[u8], alpn: Vec<Vec<u8>>) -> Result<Arc<ServerConfig>, Unusable> {
    let certificate = |words, error: &dyn std::fmt::Display| Unusable::Certificate(Text::with(words, error));
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates)
        .collect::<Result<_, _>>()
        .map_err(|error| certificate("the certificate cannot be read: {}", &error))?;
    if chain.is_empty() {
        let words = "there is no certificate in it: it begins with -----BEGIN CERTIFICATE-----";
        return Err(Unusable::Certificate(words.into()));
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| {
        Unusable::Key(match error {
            pem::Error::NoItemsFound => {
                "there is no key in it: it begins with -----BEGIN PRIVATE KEY-----".into()
            }
            error => Text::with("the key cannot be read: {}", error),
        })
    })?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| certificate("TLS: {}", &error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| certificate("the certificate and the key do not fit: {}", &error))?;
    config.alpn_protocols = alpn;
    Ok(Arc::new(config))
}

/// The same, with its keys logged, if there is somebody who does.
pub fn logging(config: Arc<ServerConfig>, keys: Option<Arc<dyn KeyLog>>) -> Arc<ServerConfig> {
    let Some(keys) = keys else { return config };
    let mut config = Arc::unwrap_or_clone(config);
    config.key_log = keys;
    Arc::new(config)
}

/// Speaks TLS with a client that has connected.
///
/// # Errors
/// Why it came to nothing: what the client did, or what to try.
pub async fn accept<S: Stream>(config: &Arc<ServerConfig>, stream: S) -> Result<TlsStream<S>, Text> {
    let accept = async {
        // In two steps it tells the client by an alert what it does not agree on, such as ALPN.
        let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
        hello.into_stream(Arc::clone(config)).await
    };
    match timeout(PATIENCE, accept).await {
        Ok(accepted) => accepted.map_err(|error| untrusted(&error)),
        Err(_) => Err(Text::with("no TLS within {} s", PATIENCE.as_secs())),
    }
}

/// Why TLS came to nothing.
fn untrusted(error: &io::Error) -> Text {
    let words = error.to_string();
    if words.contains("InvalidContentType") || words.contains("corrupt message") {
        return "speaks no TLS: let it connect to wss:// or https://".into();
    }
    if words.contains("UnknownCA") || words.contains("BadCertificate") || words.contains("CertificateUnknown")
    {
        return "does not trust the certificate: it has to be told to trust who signed it".into();
    }
    if error.kind() == io::ErrorKind::UnexpectedEof {
        return "left during the TLS handshake".into();
    }
    Text::with("TLS: {}", error)
}
