//! WAMP, version 2: calls and events between clients, through a router (WAMP Basic Profile). Each message is
//! a list that begins with its type, in JSON, in `MessagePack` or in CBOR.
//!
//! This is the spec sheet; `session` follows a session, `form` has what each message consists of, `encoding`
//! reads lists in any of them, `reasons` has what WAMP's own URIs mean.

mod element;
mod encoding;
mod form;
mod reasons;
mod session;
#[cfg(test)]
mod tests;

use super::dialect::{Dialect, Reader, Sheet};
use crate::model::{Cite, fields, rules};

/// WAMP whose messages are JSON texts.
pub static JSON: Dialect = Dialect {
    id: "wamp.2.json",
    subprotocols: &["wamp.2.json"],
    looks_like: None,
    first: &[],
    last: &[],
    marks: 0,
    target: None,
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::new(session::Wamp::new(encoding::Encoding::Json))),
    sheet: Sheet {
        name: "WAMP 2, JSON",
        shown_by: "",
        decoded: "all messages of both profiles; the session's order, every request tied to its answer, \
                  URIs behind the router's numbers",
        sample: "clean/wamp.script",
        source: ("WAMP", "https://wamp-proto.org/wamp_latest_ietf.html"),
    },
};

/// WAMP whose messages are `MessagePack`.
pub static MSGPACK: Dialect = Dialect {
    id: "wamp.2.msgpack",
    subprotocols: &["wamp.2.msgpack"],
    looks_like: None,
    first: &[],
    last: &[],
    marks: 0,
    target: None,
    fields: FIELDS,
    rules: &[],
    reader: Reader::Session(|| Box::new(session::Wamp::new(encoding::MESSAGE_PACK))),
    sheet: Sheet {
        name: "WAMP 2, MessagePack",
        shown_by: "",
        decoded: "the same",
        sample: "wamp.pcap",
        source: ("WAMP", "https://wamp-proto.org/wamp_latest_ietf.html"),
    },
};

/// WAMP whose messages are CBOR.
pub static CBOR: Dialect = Dialect {
    id: "wamp.2.cbor",
    subprotocols: &["wamp.2.cbor"],
    looks_like: None,
    first: &[],
    last: &[],
    marks: 0,
    target: None,
    fields: FIELDS,
    rules: &[],
    reader: Reader::Session(|| Box::new(session::Wamp::new(encoding::CBOR))),
    sheet: Sheet {
        name: "WAMP 2, CBOR",
        shown_by: "",
        decoded: "the same",
        sample: "clean/wamp-cbor.script",
        source: ("WAMP", "https://wamp-proto.org/wamp_latest_ietf.html"),
    },
};

/// A section of the WAMP Basic Profile.
const fn wamp(section: &'static str) -> Cite {
    Cite { doc: "WAMP", section }
}

/// A section of the WAMP Advanced Profile.
const fn advanced(section: &'static str) -> Cite {
    Cite { doc: "WAMP Advanced Profile", section }
}

fields! {
    /// The fields of WAMP.
    FIELDS;
    TYPE = "wamp.type", "type", wamp("Message Codes and Direction"), "What the message is for.";
    REALM = "wamp.realm", "realm", wamp("HELLO"), "The part of the router that the client wants to join.";
    DETAILS = "wamp.details", "details", wamp("Extensibility"),
        "What else there is to say: roles, features, a reason in words.";
    OPTIONS = "wamp.options", "options", wamp("Extensibility"), "How the request is to be treated.";
    SESSION = "wamp.session_id", "session", wamp("WELCOME"), "The session's id, known to the whole router.";
    REASON = "wamp.reason", "reason", wamp("Session Closing"), "Why the session ends, as a URI.";
    REQUEST = "wamp.request", "request", wamp("IDs"), "Ties an answer to its request.";
    REQUEST_TYPE = "wamp.request_type", "request type", wamp("ERROR"), "The type of the request that failed.";
    ERROR_URI = "wamp.error", "error", wamp("ERROR"), "What went wrong, as a URI.";
    TOPIC = "wamp.topic", "topic", wamp("Publish and Subscribe"), "What an event is about, as a URI.";
    SUBSCRIPTION = "wamp.subscription", "subscription", wamp("SUBSCRIBED"),
        "The router's number for a subscription, which its events name.";
    PUBLICATION = "wamp.publication", "publication", wamp("PUBLISHED"),
        "The router's number for what was published.";
    PROCEDURE = "wamp.procedure", "procedure", wamp("Remote Procedure Calls"),
        "What is called or registered, as a URI.";
    REGISTRATION = "wamp.registration", "registration", wamp("REGISTERED"),
        "The router's number for a procedure's registration, which its invocations name.";
    AUTH_METHOD = "wamp.auth_method", "auth method", advanced("Authentication"),
        "How the client is to prove who it is.";
    EXTRA = "wamp.extra", "extra", advanced("Authentication"), "What the method needs besides.";
    SIGNATURE = "wamp.signature", "signature", advanced("Authentication"), "The client's proof.";
    ARGS = "wamp.args", "arguments", wamp("Structure"), "The application's values, by place.";
    KWARGS = "wamp.kwargs", "arguments by name", wamp("Structure"), "The application's values, by name.";
}

rules! {
    /// The rules of WAMP.
    RULES;
    BAD_MESSAGE = "wamp-bad-message", Error, wamp("Messages"), Either,
        "Not a WAMP message",
        "The receiver aborts the session with wamp.error.protocol_violation.";
    PROTOCOL_ERROR = "wamp-protocol-error", Error, wamp("Protocol Errors"), Either,
        "A WAMP message that may not come here",
        "The receiver aborts the session with wamp.error.protocol_violation.";
    UNEXPECTED_ANSWER = "wamp-unexpected-answer", Error, wamp("IDs"), Either,
        "An answer to a WAMP request that is not open",
        "A router aborts the session; a client mostly does, too.";
    REFUSED = "wamp-refused", Warning, wamp("Session Establishment"), Either,
        "A WAMP session or request was refused",
        "After ABORT the session is over; after ERROR that request failed, and the session goes on.",
        usually "what its URI says",
        mend "compare realm, roles and URIs with the router's configuration, and register procedures before \
              they are called; where it is a protocol violation, look at the message right before";
}
