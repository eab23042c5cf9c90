//! TLS: records, the two hellos, alerts, and, where its secrets are known, what it deciphers to.
//!
//! What a connection's first messages say in clear is who is asked for (SNI), for which protocol (ALPN), and
//! which version was chosen. With the secrets of a key log, all the rest can be read as well.
//!
//! ```text
//! bytes ─► record ─► handshake messages ─► hello::ClientHello, hello::ServerHello
//!                 ├► alert
//!                 └► machine::Machine (with secrets::Secrets) ─► content of the layer above
//! ```

#[cfg(feature = "tls")]
mod cipher;
#[cfg(not(feature = "tls"))]
#[path = "no_cipher.rs"]
mod cipher;
pub mod fields;
mod half;
mod hello;
mod machine;
mod names;
#[cfg(feature = "tls")]
pub mod quic;
mod secrets;
mod suite;

use crate::model::{Cite, rules};

pub use hello::{ClientHello, Hello, Item, ServerHello, encrypted_extensions, hello, read};
pub use machine::{Carried, Ear, Event, Machine, Message, Trouble, opens_for_server, suite_of};
pub use names::handshake as handshake_name;
pub use secrets::{BadLine, Label, Secrets, SessionSecrets};
pub use suite::name as suite_name;

rules! {
    /// The rules about TLS and what it takes to decipher it.
    RULES;
    SECRET_MISSING = "tls-secret-missing", Warning, Cite { doc: "RFC 9850", section: "2.1" }, Capture,
        "a secret is missing that what follows is enciphered with",
        "what this endpoint sends cannot be read, and so nothing is said about it",
        usually "the key log is of another run, begins after the connection, or is not complete",
            mend "have the program write its key log before it connects, and decode with that file";
    NOT_AUTHENTIC = "tls-record-not-authentic", Error, Cite { doc: "RFC 8446", section: "5.2" }, Either,
        "a record does not decipher: its authentication tag is wrong",
        "the receiver ends the connection with a bad_record_mac alert; what the record carries is lost here",
        usually "the bytes of the record are not those that were sent, or the secret is of another session",
            mend "capture again with whole packets; take the key log of the same run";
    FATAL_ALERT = "tls-fatal-alert", Error, Cite { doc: "RFC 8446", section: "6.2" }, Either,
        "TLS ends with a fatal alert",
        "both endpoints close the connection, without a closing handshake of WebSocket";
    RECORDS_LOST = "tls-records-lost", Note, Cite { doc: "RFC 8446", section: "5.3" }, Capture,
        "content of TLS records is missing",
        "how long it is follows from the bytes that are missing; which number the next record has was found \
         by trying";
    UNDECIPHERED = "tls-not-deciphered", Warning, Cite { doc: "RFC 8446", section: "5" }, Capture,
        "what follows cannot be deciphered",
        "nothing is said about what it carries";
}

/// The first record of some bytes (RFC 8446 §5.1, RFC 5246 §6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// What it carries.
    pub kind: Kind,
    /// What of its content is there.
    pub content: &'a [u8],
    /// Bytes of header and content as declared.
    pub length: usize,
}

impl Record<'_> {
    /// Whether all of it is there.
    pub fn is_whole(&self) -> bool {
        HEADER + self.content.len() == self.length
    }
}

/// What a record carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Type 20: what comes next is enciphered, before TLS 1.3.
    ChangeCipherSpec,
    /// Type 21: a warning, or why the connection ends.
    Alert,
    /// Type 22: hellos, certificates, keys.
    Handshake,
    /// Type 23: what the layer above has to say, enciphered.
    ApplicationData,
}

/// The number of TLS 1.3 (RFC 8446 §4.2.1).
pub(crate) const TLS_1_3: u16 = 0x0304;

/// Bytes of a record's header.
pub(crate) const HEADER: usize = 5;

/// The same, for offsets of a stream.
pub const RECORD_HEADER: u64 = HEADER as u64;

/// The longest content that a record may have, encrypted (RFC 5246 §6.2.3).
const LONGEST: usize = (1 << 14) + 2048;

/// Reads the header of a record. `None` for bytes that are no TLS, or too few to tell.
pub fn record(bytes: &[u8]) -> Option<Record<'_>> {
    let &[kind, 3, minor, high, low, ref rest @ ..] = bytes else { return None };
    let kind = match kind {
        20 => Kind::ChangeCipherSpec,
        21 => Kind::Alert,
        22 => Kind::Handshake,
        23 => Kind::ApplicationData,
        _ => return None,
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    // An alert in clear has two bytes; handshake messages are never empty.
    let fits = (1..=LONGEST).contains(&length) && minor <= 4;
    fits.then(|| Record { kind, content: &rest[..rest.len().min(length)], length: HEADER + length })
}

/// Whether a stream begins as a TLS client's does, as far as its bytes go.
pub fn begins(bytes: &[u8]) -> bool {
    match bytes {
        [22, 3, minor, _, _, 1, ..] => *minor <= 4 && record(bytes).is_some(),
        [22, 3, minor, ..] => *minor <= 4 && bytes.len() < 6,
        [22, 3] | [22] => true,
        _ => false,
    }
}

/// Whether a segment begins with the hello of a server (RFC 8446 §4.1.3).
pub fn answers(bytes: &[u8]) -> bool {
    matches!(bytes, [22, 3, 0..=4, _, _, 2, 0, _, _, 3, 0..=4, ..]) && record(bytes).is_some()
}

/// An alert in clear: its number and its name (RFC 8446 §6). `None` when it is encrypted or cut.
pub fn alert(record: &Record<'_>) -> Option<(u8, &'static str)> {
    match (record.kind, record.content) {
        (Kind::Alert, &[1 | 2, code]) if record.length == HEADER + 2 => Some((code, alert_name(code))),
        _ => None,
    }
}

/// Why the sender ends the connection, as an alert in clear says: its number, if it is a fatal one.
pub fn fatal(bytes: &[u8]) -> Option<u8> {
    let record = record(bytes)?;
    let (code, _) = alert(&record)?;
    (record.content[0] == 2).then_some(code)
}

/// The names of IANA's registry of TLS alerts; empty for one that is not there.
pub fn alert_name(code: u8) -> &'static str {
    match code {
        0 => "close_notify",
        10 => "unexpected_message",
        20 => "bad_record_mac",
        22 => "record_overflow",
        40 => "handshake_failure",
        42 => "bad_certificate",
        43 => "unsupported_certificate",
        44 => "certificate_revoked",
        45 => "certificate_expired",
        46 => "certificate_unknown",
        47 => "illegal_parameter",
        48 => "unknown_ca",
        49 => "access_denied",
        50 => "decode_error",
        51 => "decrypt_error",
        70 => "protocol_version",
        71 => "insufficient_security",
        80 => "internal_error",
        86 => "inappropriate_fallback",
        90 => "user_canceled",
        109 => "missing_extension",
        110 => "unsupported_extension",
        112 => "unrecognized_name",
        113 => "bad_certificate_status_response",
        115 => "unknown_psk_identity",
        116 => "certificate_required",
        120 => "no_application_protocol",
        _ => "",
    }
}

/// The name of a version number: `TLS 1.3`; `None` for one that is not known.
pub fn version_name(version: u16) -> Option<&'static str> {
    Some(match version {
        0x0300 => "SSL 3.0",
        0x0301 => "TLS 1.0",
        0x0302 => "TLS 1.1",
        0x0303 => "TLS 1.2",
        0x0304 => "TLS 1.3",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_told_from_other_bytes() {
        let whole = record(&[21, 3, 1, 0, 2, 2, 70]).unwrap();
        assert!(whole.is_whole());
        assert_eq!(alert(&whole), Some((70, "protocol_version")));
        assert_eq!(fatal(&[21, 3, 3, 0, 2, 2, 48]), Some(48));
        assert_eq!(fatal(&[21, 3, 3, 0, 2, 1, 0]), None, "a warning");
        assert_eq!(fatal(&[21, 3, 3, 0, 2, 2]), None, "cut");
        let cut = record(&[22, 3, 1, 0, 9, 1]).unwrap();
        assert!(!cut.is_whole() && alert(&cut).is_none());
        assert_eq!(alert(&record(&[21, 3, 3, 0, 26, 1, 2]).unwrap()), None, "encrypted");
        for bytes in
            [&b"HTTP/1.1"[..], b"\x16\x04\x01\x00\x05", b"\x16\x03\x01\xff\xff", b"\x16\x03\x01\0\0", b"\x16"]
        {
            assert_eq!(record(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn a_client_begins_with_its_hello() {
        let hello = [22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3];
        assert!((1..hello.len()).all(|len| begins(&hello[..len])));
        for bytes in [&b""[..], b"\x16\x03\x01\x00\x05\x02", b"\x17\x03\x03", b"GET /", b"\x16\x02"] {
            assert!(!begins(bytes), "{bytes:?}");
        }
    }
}
