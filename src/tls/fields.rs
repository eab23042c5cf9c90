//! The fields of what TLS says in clear, and of what it deciphers to as far as that is TLS itself.

use crate::model::{Cite, fields};

/// A section of RFC 8446, TLS 1.3.
const fn tls13(section: &'static str) -> Cite {
    Cite { doc: "RFC 8446", section }
}

/// A section of RFC 5246, TLS 1.2.
const fn tls12(section: &'static str) -> Cite {
    Cite { doc: "RFC 5246", section }
}

fields! {
    /// The fields of TLS.
    FIELDS;
    RECORD_TYPE = "tls.record.type", "record type", tls13("5.1"),
        "What the record carries; in TLS 1.3 all that is enciphered looks like application data.";
    RECORD_VERSION = "tls.record.version", "record version", tls13("5.1"),
        "Stays at TLS 1.0 or 1.2 for old middleboxes; which version is spoken stands in the hellos.";
    RECORD_LENGTH = "tls.record.length", "record length", tls13("5.1"),
        "Bytes behind the record's header.";
    HANDSHAKE_TYPE = "tls.handshake.type", "handshake type", tls13("4"),
        "Which message of the handshake it is.";
    HANDSHAKE_LENGTH = "tls.handshake.length", "message length", tls13("4"),
        "Bytes of the message behind its header; it may lie in several records.";
    VERSION = "tls.version", "version", tls13("4.1.2"),
        "The highest version up to TLS 1.2; newer ones are named in supported_versions.";
    RANDOM = "tls.random", "random", tls13("4.1.2"),
        "Fresh bytes of the sender. The client's name the session in a key log.";
    SESSION_ID = "tls.session_id", "session id", tls12("7.4.1.2"),
        "Names an earlier session up to TLS 1.2; in TLS 1.3 it only looks like that.";
    SUITES = "tls.suites", "cipher suites", tls13("B.4"),
        "What the client can protect records with, best first.";
    SUITE = "tls.suite", "cipher suite", tls13("B.4"),
        "What protects the records, as the server chose.";
    COMPRESSION = "tls.compression", "compression", tls12("7.4.1.2"),
        "Always null by now: compressing before enciphering gives secrets away.";
    SNI = "tls.sni", "server name", Cite { doc: "RFC 6066", section: "3" },
        "The host that the client wants to talk to, in clear.";
    ALPN = "tls.alpn", "ALPN", Cite { doc: "RFC 7301", section: "3.1" },
        "Which protocol is spoken inside: what the client offers, or what the server chose.";
    VERSIONS = "tls.versions", "versions", tls13("4.2.1"),
        "The versions that the client offers, or the one that the server chose.";
    GROUPS = "tls.groups", "groups", tls13("4.2.7"),
        "The groups for key exchange that the client can use, best first.";
    SIGNATURES = "tls.signatures", "signatures", tls13("4.2.3"),
        "The signature schemes that the client can verify.";
    KEY_SHARE = "tls.key_share", "key share", tls13("4.2.8"),
        "The groups of which a public key is sent along, so that one round trip is enough.";
    PRE_SHARED_KEY = "tls.psk", "pre-shared key", tls13("4.2.11"),
        "The key of an earlier session, or one agreed on elsewhere, is offered or taken.";
    EARLY_DATA = "tls.early_data", "early data", tls13("4.2.10"),
        "The client sends data before it has an answer (0-RTT), or the server takes it.";
    SESSION_TICKET = "tls.session_ticket", "session ticket", Cite { doc: "RFC 5077", section: "3.2" },
        "What names an earlier session up to TLS 1.2; an empty one asks for a new ticket.";
    EXTENDED_MASTER_SECRET = "tls.extended_master_secret", "bound secret",
        Cite { doc: "RFC 7627", section: "5.1" },
        "The extended master secret is bound to the whole handshake.";
    ENCRYPT_THEN_MAC = "tls.encrypt_then_mac", "enc-then-MAC", Cite { doc: "RFC 7366", section: "2" },
        "MACs of suites in cipher block chaining are made of what is enciphered.";
    EXTENSION = "tls.extension", "extension", tls13("4.2"),
        "An extension of the hello.";
    ALERT_LEVEL = "tls.alert.level", "alert level", tls13("6"),
        "1 is a warning and 2 is fatal; in TLS 1.3 all but two are fatal, whatever stands here.";
    ALERT = "tls.alert", "alert", tls13("6"),
        "Why the sender ends the connection, or what it warns of.";
}
