//! Cipher suites (IANA's registry of TLS cipher suites): their names, and of those that can be deciphered
//! what they consist of.

/// What a suite protects records with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bulk {
    /// AES with a 128-bit key in Galois/Counter Mode (RFC 5288).
    Aes128Gcm,
    /// The same with a 256-bit key.
    Aes256Gcm,
    /// ChaCha20-Poly1305 (RFC 7905, RFC 8446 §B.4).
    ChaCha20Poly1305,
    /// AES in cipher block chaining with a key of so many bytes, and a MAC (RFC 5246 §6.2.3.2).
    AesCbc(usize, Mac),
}

/// The MAC of a suite in cipher block chaining.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mac {
    /// HMAC-SHA1.
    Sha1,
    /// HMAC-SHA256.
    Sha256,
    /// HMAC-SHA384.
    Sha384,
}

impl Mac {
    /// Bytes of a MAC, and of its key.
    #[cfg(feature = "tls")]
    pub fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
        }
    }
}

/// The hash that keys are derived with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
}

/// A suite that can be deciphered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suite {
    /// What protects records.
    pub bulk: Bulk,
    /// What derives keys.
    pub hash: Hash,
}

/// A row of the registry: number, name, and what it consists of where it can be deciphered.
type Row = (u16, &'static str, Option<Suite>);

#[allow(clippy::unnecessary_wraps, reason = "what a row holds")]
const fn of(bulk: Bulk, hash: Hash) -> Option<Suite> {
    Some(Suite { bulk, hash })
}

const GCM_128: Option<Suite> = of(Bulk::Aes128Gcm, Hash::Sha256);
const GCM_256: Option<Suite> = of(Bulk::Aes256Gcm, Hash::Sha384);
const CHACHA: Option<Suite> = of(Bulk::ChaCha20Poly1305, Hash::Sha256);
const CBC_128: Option<Suite> = of(Bulk::AesCbc(16, Mac::Sha1), Hash::Sha256);
const CBC_256: Option<Suite> = of(Bulk::AesCbc(32, Mac::Sha1), Hash::Sha256);
const CBC_128_SHA256: Option<Suite> = of(Bulk::AesCbc(16, Mac::Sha256), Hash::Sha256);
const CBC_256_SHA256: Option<Suite> = of(Bulk::AesCbc(32, Mac::Sha256), Hash::Sha256);
const CBC_256_SHA384: Option<Suite> = of(Bulk::AesCbc(32, Mac::Sha384), Hash::Sha384);

/// The suites that are met, by number.
static SUITES: &[Row] = &[
    (0x0005, "TLS_RSA_WITH_RC4_128_SHA", None),
    (0x000A, "TLS_RSA_WITH_3DES_EDE_CBC_SHA", None),
    (0x002F, "TLS_RSA_WITH_AES_128_CBC_SHA", CBC_128),
    (0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA", CBC_128),
    (0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA", CBC_256),
    (0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA", CBC_256),
    (0x003C, "TLS_RSA_WITH_AES_128_CBC_SHA256", CBC_128_SHA256),
    (0x003D, "TLS_RSA_WITH_AES_256_CBC_SHA256", CBC_256_SHA256),
    (0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256", CBC_128_SHA256),
    (0x006B, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256", CBC_256_SHA256),
    (0x009C, "TLS_RSA_WITH_AES_128_GCM_SHA256", GCM_128),
    (0x009D, "TLS_RSA_WITH_AES_256_GCM_SHA384", GCM_256),
    (0x009E, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", GCM_128),
    (0x009F, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384", GCM_256),
    (0x00FF, "TLS_EMPTY_RENEGOTIATION_INFO_SCSV", None),
    (0x1301, "TLS_AES_128_GCM_SHA256", GCM_128),
    (0x1302, "TLS_AES_256_GCM_SHA384", GCM_256),
    (0x1303, "TLS_CHACHA20_POLY1305_SHA256", CHACHA),
    (0x1304, "TLS_AES_128_CCM_SHA256", None),
    (0x1305, "TLS_AES_128_CCM_8_SHA256", None),
    (0x5600, "TLS_FALLBACK_SCSV", None),
    (0xC009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", CBC_128),
    (0xC00A, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", CBC_256),
    (0xC012, "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", None),
    (0xC013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", CBC_128),
    (0xC014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", CBC_256),
    (0xC023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256", CBC_128_SHA256),
    (0xC024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", CBC_256_SHA384),
    (0xC027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", CBC_128_SHA256),
    (0xC028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384", CBC_256_SHA384),
    (0xC02B, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", GCM_128),
    (0xC02C, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", GCM_256),
    (0xC02F, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", GCM_128),
    (0xC030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384", GCM_256),
    (0xC09C, "TLS_RSA_WITH_AES_128_CCM", None),
    (0xC09D, "TLS_RSA_WITH_AES_256_CCM", None),
    (0xC0AC, "TLS_ECDHE_ECDSA_WITH_AES_128_CCM", None),
    (0xC0AD, "TLS_ECDHE_ECDSA_WITH_AES_256_CCM", None),
    (0xCCA8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256", CHACHA),
    (0xCCA9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256", CHACHA),
    (0xCCAA, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256", CHACHA),
];

fn row(number: u16) -> Option<&'static Row> {
    SUITES.binary_search_by_key(&number, |row| row.0).ok().map(|at| &SUITES[at])
}

/// A suite's name; its number in hexadecimal where that is not known, and what RFC 8701 reserves is `GREASE`.
pub fn name(number: u16) -> String {
    match row(number) {
        Some(row) => row.1.to_owned(),
        None => super::names::unknown(number),
    }
}

/// What a suite consists of, if it can be deciphered.
pub fn suite(number: u16) -> Option<Suite> {
    row(number)?.2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_found_by_number() {
        assert!(SUITES.is_sorted_by_key(|row| row.0));
        assert_eq!(name(0x1301), "TLS_AES_128_GCM_SHA256");
        assert_eq!((name(0x2A2A), name(0xABCD)), ("GREASE".to_owned(), "0xABCD".to_owned()));
        assert_eq!(suite(0xC028), CBC_256_SHA384);
        // A suite's name says what it consists of.
        for (_, name, suite) in SUITES {
            let Some(suite) = suite else { continue };
            let (bulk, hash) = match suite.bulk {
                Bulk::Aes128Gcm => ("AES_128_GCM", "SHA256"),
                Bulk::Aes256Gcm => ("AES_256_GCM", "SHA384"),
                Bulk::ChaCha20Poly1305 => ("CHACHA20_POLY1305", "SHA256"),
                Bulk::AesCbc(16, mac) => ("AES_128_CBC", ["SHA", "SHA256", "SHA384"][mac as usize]),
                Bulk::AesCbc(_, mac) => ("AES_256_CBC", ["SHA", "SHA256", "SHA384"][mac as usize]),
            };
            assert!(name.ends_with(&format!("{bulk}_{hash}")), "{name}");
            assert_eq!(suite.hash == Hash::Sha384, name.ends_with("SHA384"), "{name}");
        }
    }
}
