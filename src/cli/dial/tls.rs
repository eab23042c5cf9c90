//! TLS for `wss://`, with ring and Mozilla's roots.

use std::io;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    AlertDescription, CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error,
    RootCertStore, SignatureScheme, StreamOwned,
};

use super::keylog::Keylog;
use crate::cli::Look;
use crate::model::Text;

/// A connection under TLS.
pub type Stream = StreamOwned<ClientConnection, TcpStream>;

/// Whom to believe.
#[derive(Clone, Copy, Debug)]
pub struct Trust<'a> {
    /// A PEM file with further roots.
    pub cacert: Option<&'a Path>,
    /// Everybody.
    pub insecure: bool,
    /// Where the keys go.
    pub keylog: &'a Keylog,
}

/// Completes a TLS handshake on a connection whose timeouts are set.
///
/// # Errors
/// What went wrong and what to do about it, in one line.
pub fn connect(mut tcp: TcpStream, host: &str, trust: &Trust<'_>, look: Look) -> Result<Stream, Text> {
    let config = config(trust, false, look)?;
    let name = name(host)?;
    let mut connection =
        ClientConnection::new(Arc::new(config), name).map_err(|e| Text::with("TLS: {}", e))?;
    while connection.is_handshaking() {
        match connection.complete_io(&mut tcp) {
            Ok((0, 0)) => return Err("the server closed the connection during the TLS handshake".into()),
            Ok(_) => {}
            Err(error) => return Err(explain(&error, host)),
        }
    }
    Ok(StreamOwned::new(connection, tcp))
}

/// The name that a server's certificate has to be for.
///
/// # Errors
/// When no certificate can be for it.
pub fn name(host: &str) -> Result<ServerName<'static>, Text> {
    ServerName::try_from(host.to_owned())
        .map_err(|_| Text::with("`{}` is no name a certificate can have", host))
}

/// How TLS is spoken with a server: whom to believe, and that HTTP/1.1 follows, or HTTP/2 where `http2`. That
/// nobody is checked is said on standard error.
///
/// # Errors
/// What is wrong with the certificates that were named.
pub fn config(trust: &Trust<'_>, http2: bool, look: Look) -> Result<ClientConfig, Text> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| Text::with("TLS: {}", e))?;
    let builder = if trust.insecure {
        // A broken standard error is no reason to stop.
        let _ = look.tell(
            "WARNING: {}",
            &"--insecure: the server's certificate is NOT checked; anybody on the way may be answering"
                .into(),
        );
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
    } else {
        let named = trust.cacert.map_or_else(|| Ok(Vec::new()), certificates)?;
        let roots = roots(&named).map_err(|why| {
            let file = trust.cacert.map(|path| path.display().to_string()).unwrap_or_default();
            Text::with("--cacert {}: a certificate in it cannot be read ({})", file).and(why)
        })?;
        let inner = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|e| Text::with("TLS: {}", e))?;
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Known { inner, named }))
    };
    let mut config = builder.with_no_client_auth();
    // A server that speaks both must not choose the other: which handshake comes is settled.
    config.alpn_protocols = vec![if http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    trust.keylog.client(&mut config);
    Ok(config)
}

/// The certificates in a PEM file.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, Text> {
    let shown = path.display().to_string();
    let found = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|e| Text::with("--cacert {}: {}", &shown).and(e))?;
    if found.is_empty() {
        return Err(Text::with("--cacert {}: no certificate in it (PEM is expected)", shown));
    }
    Ok(found)
}

fn roots(named: &[CertificateDer<'static>]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in named {
        roots.add(certificate.clone()).map_err(|e| plain(&e))?;
    }
    Ok(roots)
}

/// A reason in words, out of the name that the library has for it.
fn plain(error: &impl std::fmt::Debug) -> String {
    let name = format!("{error:?}");
    let last = name.split(['(', ')', '{', ' ']).rfind(|part| !part.is_empty()).unwrap_or_default();
    let mut words = String::new();
    for letter in last.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}

/// What a failed TLS handshake means, in one line.
pub fn explain(error: &io::Error, host: &str) -> Text {
    use io::ErrorKind::{ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match (inner, error.kind()) {
        (Some(Error::InvalidCertificate(problem)), _) => {
            let advice = "or look all the same with --insecure";
            match problem {
                CertificateError::UnknownIssuer => Text::with(
                    "the certificate of {} is signed by nobody known here: name its CA with \
                     --cacert FILE, {}",
                    host,
                ),
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => Text::with(
                    "the certificate of {} has expired: renew it, check this machine's clock, {}",
                    host,
                ),
                CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                    Text::with("the certificate of {} is not valid yet: check this machine's clock, {}", host)
                }
                other if is_authority(other) => Text::with(
                    "the certificate of {} is an authority's own: name it with --cacert FILE, {}",
                    host,
                ),
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    Text::with("the certificate is not for {}: use a name that stands in it, {}", host)
                }
                other => Text::with("the certificate of {} is not accepted ({}): mend it, {}", host)
                    .and(plain(other)),
            }
            .word(advice)
        }
        (Some(Error::InvalidMessage(_)), _) => {
            Text::with("{} does not speak TLS on this port: try ws:// instead of wss://", host)
        }
        (Some(Error::AlertReceived(AlertDescription::NoApplicationProtocol)), _) => Text::with(
            "{} speaks no protocol inside TLS that was offered (ALPN): try HTTP/1.1 instead of HTTP/2 or the \
             other way round: with --http2, or without it",
            host,
        ),
        (Some(Error::AlertReceived(alert)), _) => {
            Text::with("the TLS handshake with {} failed: the server says {}", host).and(plain(alert))
        }
        (Some(other), _) => Text::with("the TLS handshake with {} failed: {}", host).and(other),
        (None, WouldBlock | TimedOut) => Text::with(
            "no TLS handshake with {} in time: try ws:// instead of wss://, or raise --timeout",
            host,
        ),
        (None, UnexpectedEof | ConnectionReset) => {
            Text::with("{} closed the connection during the TLS handshake: try ws:// instead of wss://", host)
        }
        (None, _) => Text::with("the TLS handshake with {} failed: {}", host).and(error),
    }
}

/// Whether a certificate is refused for being an authority's, which most self-signed ones say they are.
fn is_authority(problem: &CertificateError) -> bool {
    format!("{problem:?}").contains("CaUsedAsEndEntity")
}

/// Believes what the roots vouch for, and the very certificates that were named, as curl and
/// Node.js do: a self-signed one is its own authority.
#[derive(Debug)]
struct Known {
    inner: Arc<WebPkiServerVerifier>,
    named: Vec<CertificateDer<'static>>,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        time: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match self.inner.verify_server_cert(end_entity, intermediates, name, ocsp, time) {
            // What else could be wrong with it was looked at before, except its names.
            Err(Error::InvalidCertificate(problem))
                if is_authority(&problem) && self.named.iter().any(|named| named == end_entity) =>
            {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
                Ok(ServerCertVerified::assertion())
            }
            result => result,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Believes any certificate; signatures are checked all the same.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
