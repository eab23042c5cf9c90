//! TLS for `wss://`, with ring and Mozilla's roots.

use std::io::{self, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error, RootCertStore,
    SignatureScheme, StreamOwned,
};

/// A connection under TLS.
pub type Stream = StreamOwned<ClientConnection, TcpStream>;

/// Whom to believe.
pub struct Trust<'a> {
    /// A PEM file with further roots.
    pub cacert: Option<&'a Path>,
    /// Everybody.
    pub insecure: bool,
}

/// Completes a TLS handshake on a connection whose timeouts are set.
///
/// # Errors
/// What went wrong and what to do about it, in one line.
pub fn connect(mut tcp: TcpStream, host: &str, trust: &Trust<'_>) -> Result<Stream, String> {
    let config = config(trust)?;
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| format!("`{host}` is no name a certificate can have"))?;
    let mut connection = ClientConnection::new(Arc::new(config), name).map_err(|e| format!("TLS: {e}"))?;
    while connection.is_handshaking() {
        match connection.complete_io(&mut tcp) {
            Ok((0, 0)) => return Err("the server closed the connection during the TLS handshake".to_owned()),
            Ok(_) => {}
            Err(error) => return Err(explain(&error, host)),
        }
    }
    Ok(StreamOwned::new(connection, tcp))
}

fn config(trust: &Trust<'_>) -> Result<ClientConfig, String> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| format!("TLS: {e}"))?;
    let builder = if trust.insecure {
        // A broken standard error is no reason to stop.
        let _ = writeln!(
            io::stderr(),
            "WARNING: --insecure: the server's certificate is NOT checked; anybody on the way may be answering"
        );
        builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider)))
    } else {
        builder.with_root_certificates(roots(trust.cacert)?)
    };
    let mut config = builder.with_no_client_auth();
    // A server that also speaks HTTP/2 must not choose it: the handshake is HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn roots(more: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    if let Some(path) = more {
        let shown = path.display();
        let certificates =
            CertificateDer::pem_file_iter(path).map_err(|e| format!("--cacert {shown}: {e}"))?;
        let mut any = false;
        for certificate in certificates {
            let certificate = certificate.map_err(|e| format!("--cacert {shown}: {e}"))?;
            roots.add(certificate).map_err(|e| format!("--cacert {shown}: {e}"))?;
            any = true;
        }
        if !any {
            return Err(format!("--cacert {shown}: no certificate in it (PEM is expected)"));
        }
    }
    Ok(roots)
}

/// What a failed TLS handshake means, in one line.
fn explain(error: &io::Error, host: &str) -> String {
    use io::ErrorKind::{ConnectionReset, TimedOut, UnexpectedEof, WouldBlock};
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match (inner, error.kind()) {
        (Some(Error::InvalidCertificate(problem)), _) => {
            let advice = "or look all the same with --insecure";
            match problem {
                CertificateError::UnknownIssuer => format!(
                    "the certificate of {host} is signed by nobody known here: name its CA with --cacert FILE, {advice}"
                ),
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    format!(
                        "the certificate of {host} has expired: renew it, check this machine's clock, {advice}"
                    )
                }
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                    format!("the certificate is not for {host}: use a name that stands in it, {advice}")
                }
                other => format!("the certificate of {host} is not accepted ({other}): mend it, {advice}"),
            }
        }
        (Some(Error::InvalidMessage(_)), _) => {
            format!("{host} does not speak TLS on this port: try ws:// instead of wss://")
        }
        (Some(other), _) => format!("the TLS handshake with {host} failed: {other}"),
        (None, WouldBlock | TimedOut) => {
            format!("no TLS handshake with {host} in time: try ws:// instead of wss://, or raise --timeout")
        }
        (None, UnexpectedEof | ConnectionReset) => {
            format!("{host} closed the connection during the TLS handshake: try ws:// instead of wss://")
        }
        (None, _) => format!("the TLS handshake with {host} failed: {error}"),
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
