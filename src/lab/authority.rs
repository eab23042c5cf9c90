//! A certificate authority of one's own: it signs certificates for whatever name a client asks for, so that
//! TLS can be served on the spot, and looked into by whoever stands between.
//!
//! Nobody trusts it who was not told to. Made once, it is trusted once: its certificate and key are PEM, to
//! be kept by whoever made it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData as _,
};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use sha1::{Digest as _, Sha1};

use super::hub::held;
use crate::limits;
use crate::model::Text;

/// A day.
const DAY: Duration = Duration::from_hours(24);
/// How long the authority is good for.
const YEARS: Duration = Duration::from_hours(24 * 3650);
/// How long a certificate that it signs is good for. Apple's systems take none of more than 825 days.
const MONTH: Duration = Duration::from_hours(24 * 30);
/// Clocks of clients may be behind.
const BEFORE: Duration = DAY;

/// See the [module](self).
pub struct Authority {
    name: String,
    certificate: String,
    issuer: Issuer<'static, KeyPair>,
    /// The key of everything that is signed in this run.
    key: KeyPair,
    signed: Mutex<HashMap<Vec<String>, Arc<CertifiedKey>>>,
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The keys are nobody's business.
        f.debug_struct("Authority").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn make() -> Result<Self, Text> {
        let key = KeyPair::generate().map_err(|error| impossible(&error))?;
        let certificate = about(&key).self_signed(&key).map_err(|error| impossible(&error))?;
        Self::of(certificate.pem(), key)
    }

    /// The one that was kept, from the PEM of its certificate and key.
    ///
    /// # Errors
    /// When that is none, or both do not belong together.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, Text> {
        let key =
            KeyPair::from_pem(key).map_err(|error| Text::with("the TLS key cannot be read: {}", error))?;
        let der = CertificateDer::from_pem_slice(certificate.as_bytes())
            .map_err(|error| Text::with("the certificate cannot be read: {}", error))?;
        let public = key.der_bytes();
        if !der.windows(public.len()).any(|part| part == public) {
            return Err("the certificate and the TLS key do not belong together".into());
        }
        Self::of(certificate.to_owned(), key)
    }

    fn of(certificate: String, key: KeyPair) -> Result<Self, Text> {
        Ok(Self {
            name: name(&key),
            certificate,
            issuer: Issuer::new(about(&key), key),
            key: KeyPair::generate().map_err(|error| impossible(&error))?,
            signed: Mutex::default(),
        })
    }

    /// What it is called where certificates are listed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its certificate, which is to be trusted, in PEM.
    pub fn certificate(&self) -> &str {
        &self.certificate
    }

    /// Its secret, in PEM.
    pub fn key(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// A certificate for these names and addresses.
    ///
    /// # Errors
    /// When one is no name that a certificate can have.
    pub fn leaf(&self, names: &[String]) -> Result<Arc<CertifiedKey>, Text> {
        if let Some(known) = held(&self.signed).get(names) {
            return Ok(Arc::clone(known));
        }
        let unfit = |error| Text::with("no certificate for {}: {}", names.join(", ")).and(error);
        let mut params = CertificateParams::new(names).map_err(unfit)?;
        params.distinguished_name = DistinguishedName::new();
        // What is longer does not fit there (RFC 5280, appendix A.1: ub-common-name).
        if let Some(first) = names.first().filter(|name| name.len() <= 64) {
            params.distinguished_name.push(DnType::CommonName, first);
        }
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let now = SystemTime::now();
        (params.not_before, params.not_after) = ((now - BEFORE).into(), (now + MONTH).into());
        let certificate = params.signed_by(&self.key, &self.issuer).map_err(unfit)?;
        let key = PrivateKeyDer::try_from(self.key.serialize_der())
            .map_err(|error| Text::with("no certificate for {}: {}", names.join(", ")).and(error))?;
        let key = ring::sign::any_supported_type(&key)
            .map_err(|error| Text::with("no certificate for {}: {}", names.join(", ")).and(error))?;
        let leaf = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key));
        let mut signed = held(&self.signed);
        // Whoever asks for ever new names gets them, but they are not kept.
        if signed.len() < limits::LAB_CERTIFICATES {
            signed.insert(names.to_vec(), Arc::clone(&leaf));
        }
        Ok(leaf)
    }

    /// How a server speaks TLS: with a certificate for the name that the client asks for, or for `names`
    /// where it does not say, which is so when it was given an address. `alpn` is what it speaks inside, best
    /// first.
    ///
    /// # Errors
    /// When one of them is no name that a certificate can have.
    pub fn server(self: &Arc<Self>, names: &[String], alpn: Vec<Vec<u8>>) -> Result<Arc<ServerConfig>, Text> {
        let unnamed = self.leaf(names)?;
        let signer = Signer { authority: Arc::clone(self), unnamed };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| Text::with("TLS: {}", error))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(signer));
        config.alpn_protocols = alpn;
        Ok(Arc::new(config))
    }
}

/// Signs as clients ask.
#[derive(Debug)]
struct Signer {
    authority: Arc<Authority>,
    unnamed: Arc<CertifiedKey>,
}

impl ResolvesServerCert for Signer {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        match hello.server_name() {
            Some(name) => self.authority.leaf(&[name.to_owned()]).ok(),
            None => Some(Arc::clone(&self.unnamed)),
        }
    }
}

/// What the authority's certificate says. All of it but the time follows from the key: the name in what it
/// signs is the name that it has itself.
fn about(key: &KeyPair) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name(key));
    params.distinguished_name.push(DnType::OrganizationName, "wstool");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let now = SystemTime::now();
    (params.not_before, params.not_after) = ((now - BEFORE).into(), (now + YEARS).into());
    params
}

/// A name of its own, so that two are told apart.
fn name(key: &KeyPair) -> String {
    let hash = Sha1::digest(key.der_bytes());
    hash[..4].iter().fold("wstool CA ".to_owned(), |name, byte| format!("{name}{byte:02x}"))
}

fn impossible(error: &rcgen::Error) -> Text {
    Text::with("no certificate authority can be made: {}", error)
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConnection};

    use super::*;
    use crate::lab::tls::alpn;

    /// Completes a handshake in memory.
    fn shake(server: &Arc<ServerConfig>, trusted: &Authority, name: &str) -> Result<(), rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(trusted.certificate().as_bytes()).unwrap()).unwrap();
        let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut client = ClientConnection::new(Arc::new(client), name).unwrap();
        let mut server = ServerConnection::new(Arc::clone(server)).unwrap();
        while client.is_handshaking() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut &wire[..]).unwrap();
            server.process_new_packets()?;
            let mut wire = Vec::new();
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut &wire[..]).unwrap();
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn who_trusts_it_trusts_what_it_signs() {
        let made = Authority::make().unwrap();
        let kept = Arc::new(Authority::from_pem(made.certificate(), &made.key()).unwrap());
        assert_eq!(kept.name(), made.name());
        let server = kept.server(&["localhost", "127.0.0.1", "::1"].map(str::to_owned), alpn(false)).unwrap();
        for name in ["example.com", "localhost", "127.0.0.1", "::1"] {
            assert_eq!(shake(&server, &made, name), Ok(()), "{name}");
        }
        let error = shake(&server, &made, "10.0.0.1").unwrap_err().to_string();
        assert!(error.contains("not valid for name"), "{error}");
        let error = shake(&server, &Authority::make().unwrap(), "example.com").unwrap_err().to_string();
        assert!(error.contains("UnknownIssuer"), "{error}");
    }

    #[test]
    fn what_is_none_says_so() {
        let (one, other) = (Authority::make().unwrap(), Authority::make().unwrap());
        assert_ne!(one.name(), other.name());
        let problem = |certificate, key: &str| Authority::from_pem(certificate, key).unwrap_err().to_string();
        assert!(problem(one.certificate(), &other.key()).contains("belong together"));
        assert!(problem(one.certificate(), "nothing").contains("the TLS key cannot be read"));
        assert!(problem("nothing", &one.key()).contains("the certificate cannot be read"));
        assert!(one.leaf(&["ü".to_owned()]).is_err());
        assert!(format!("{one:?}").len() < 60, "no secrets");
    }

    #[test]
    fn names_are_signed_once() {
        let authority = Authority::make().unwrap();
        let name = ["example.com".to_owned()];
        assert!(Arc::ptr_eq(&authority.leaf(&name).unwrap(), &authority.leaf(&name).unwrap()));
    }
}
