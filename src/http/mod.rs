//! HTTP/1.1 as far as a WebSocket needs it: heads, bodies, the opening handshake.
//!
//! This file is the spec sheet of the opening handshake: every rule of RFC 6455
//! §3, §4, §9 to §11 and RFC 7692 §5, §7 that can be seen in a handshake's two
//! heads. The header fields themselves are described in [`fields`].
//!
//! ```text
//! bytes ─► head::HeadReader ─► head::Head ─► handshake::check_request  ─► RequestReport
//!              one head          spans       handshake::check_response ─► ResponseReport
//!          body::Body: how far the body of an ordinary message reaches
//!          accept: the echo that proves a server understood, and what went wrong with it
//! ```

pub mod accept;
pub mod body;
pub mod fields;
pub mod handshake;
pub mod head;

pub use accept::{KeyProblem, Steps, accept_value, check_key, diagnose};
pub use body::Body;
pub use handshake::{
    Outcome, RequestFacts, RequestReport, ResponseFacts, ResponseReport, check_request, check_response,
};
pub use head::{Head, HeadProgress, HeadReader, HeadState, Sniff, StartLine, sniff};

use crate::model::Severity::{Error, Note, Warning};
use crate::model::Who::{Capture, Client, Either, Server};
use crate::model::{Cite, Rule, Severity, Who};

const fn rule(
    id: &'static str,
    severity: Severity,
    who: Who,
    cite: Cite,
    title: &'static str,
    consequence: &'static str,
) -> Rule {
    Rule { id, severity, cite, who, title, consequence }
}

const fn s(section: &'static str) -> Cite {
    Cite::rfc6455(section)
}

const fn pmd(section: &'static str) -> Cite {
    Cite::rfc7692(section)
}

const REFUSES: &str = "the server answers with an HTTP error such as 400 and opens no WebSocket";
const FAILS: &str = "the client fails the connection; a browser reports an error and close code 1006";
const DECLINES: &str =
    "the server declines this offer; without a better one the connection goes on uncompressed";

// The request (RFC 6455 §3, §4.1, §4.2.1).

pub static FRAGMENT_IN_TARGET: Rule = rule(
    "fragment-in-request-target",
    Error,
    Client,
    s("3"),
    "the request target holds a fragment identifier",
    "a browser refuses the URL before connecting; a server may answer 400 or look for a file of that name",
);
pub static MALFORMED_REQUEST: Rule =
    rule("malformed-request", Error, Client, s("4.1"), "the request is not valid HTTP", REFUSES);
pub static METHOD_NOT_GET: Rule =
    rule("method-not-get", Error, Client, s("4.1"), "the handshake's method is not GET", REFUSES);
pub static HTTP_VERSION_TOO_OLD: Rule = rule(
    "http-version-too-old",
    Error,
    Client,
    s("4.1"),
    "the handshake's HTTP version is below 1.1",
    "the server refuses, since HTTP/1.0 knows no Upgrade; mostly a proxy made the request older",
);
pub static REQUEST_TARGET_MISMATCH: Rule = rule(
    "request-target-mismatch",
    Warning,
    Client,
    s("4.1"),
    "the request target does not fit the WebSocket URI",
    "the server may answer 400 or 404, or serve another host's resource",
);
pub static MISSING_HOST: Rule =
    rule("missing-host", Error, Client, s("4.1"), "no Host header field", REFUSES);
pub static MISSING_UPGRADE: Rule = rule(
    "missing-upgrade",
    Error,
    Client,
    s("4.1"),
    "the handshake has no Upgrade header field",
    "the server takes it for an ordinary request and answers 200, 400 or 426",
);
pub static UPGRADE_NOT_WEBSOCKET: Rule = rule(
    "upgrade-not-websocket",
    Error,
    Client,
    s("4.1"),
    "the Upgrade header field does not name websocket",
    REFUSES,
);
pub static MISSING_CONNECTION: Rule = rule(
    "missing-connection",
    Error,
    Client,
    s("4.1"),
    "the handshake has no Connection header field",
    "the server ignores the Upgrade, which is valid for one hop only, and answers 400 or 426",
);
pub static CONNECTION_LACKS_UPGRADE: Rule = rule(
    "connection-lacks-upgrade",
    Error,
    Client,
    s("4.1"),
    "the Connection header field does not name Upgrade",
    "the server ignores the Upgrade, which is valid for one hop only, and answers 400 or 426",
);
pub static MISSING_KEY: Rule = rule(
    "missing-sec-websocket-key",
    Error,
    Client,
    s("4.1"),
    "the handshake has no Sec-WebSocket-Key",
    REFUSES,
);
pub static INVALID_KEY: Rule = rule(
    "invalid-sec-websocket-key",
    Error,
    Client,
    s("4.1"),
    "Sec-WebSocket-Key is not 16 bytes in Base64",
    REFUSES,
);
pub static DUPLICATE_KEY: Rule = rule(
    "duplicate-sec-websocket-key",
    Error,
    Client,
    s("11.3.1"),
    "more than one Sec-WebSocket-Key",
    REFUSES,
);
pub static MISSING_ORIGIN: Rule = rule(
    "missing-origin",
    Note,
    Client,
    s("4.1"),
    "a request that names a browser comes without Origin",
    "a server that checks origins cannot tell which site's script is asking, and may answer 403",
);
pub static MISSING_VERSION: Rule = rule(
    "missing-sec-websocket-version",
    Error,
    Client,
    s("4.1"),
    "the handshake has no Sec-WebSocket-Version",
    "the server answers 400 or 426 and names the versions it understands",
);
pub static UNSUPPORTED_VERSION: Rule = rule(
    "unsupported-version",
    Error,
    Either,
    s("4.1"),
    "Sec-WebSocket-Version is not 13",
    "the server answers 426 (or 400) and names the versions it understands",
);
pub static DUPLICATE_VERSION: Rule = rule(
    "duplicate-sec-websocket-version",
    Error,
    Client,
    s("11.3.5"),
    "more than one Sec-WebSocket-Version in the request",
    REFUSES,
);
pub static INVALID_SUBPROTOCOL: Rule = rule(
    "invalid-subprotocol-token",
    Error,
    Either,
    s("4.1"),
    "a subprotocol's name is not a token",
    "the receiver refuses the handshake: a server with 400, a client by failing the connection",
);
pub static DUPLICATE_SUBPROTOCOL: Rule = rule(
    "duplicate-subprotocol-offer",
    Error,
    Client,
    s("4.1"),
    "a subprotocol is offered twice",
    "a browser throws SyntaxError before connecting; a server may answer 400",
);

// Extensions, in either head (RFC 6455 §9).

pub static MALFORMED_EXTENSIONS: Rule = rule(
    "malformed-extensions-header",
    Error,
    Either,
    s("9.1"),
    "Sec-WebSocket-Extensions does not follow its grammar",
    "the receiver immediately fails the connection: a server with 400, a client by closing it",
);
pub static UNREGISTERED_EXTENSION: Rule = rule(
    "unregistered-extension",
    Warning,
    Either,
    s("9.1"),
    "the extension's name is not registered with IANA",
    "a peer that does not know the extension leaves it out of its answer",
);
pub static DRAFT_EXTENSION: Rule = rule(
    "draft-extension",
    Note,
    Either,
    s("9.1"),
    "the extension comes from a draft that permessage-deflate replaced",
    "a server that does not know it leaves it out, and the connection goes on without it",
);
pub static UNKNOWN_EXTENSION_PARAM: Rule = rule(
    "unknown-extension-param",
    Error,
    Either,
    s("9.1"),
    "the extension does not define this parameter",
    "the peer declines the extension, or fails the connection",
);

// The response (RFC 6455 §4.1, §4.2.2).

pub static MALFORMED_RESPONSE: Rule =
    rule("malformed-response", Error, Server, s("4.2.2"), "the response is not valid HTTP", FAILS);
pub static RESPONSE_UPGRADE_INVALID: Rule = rule(
    "response-upgrade-invalid",
    Error,
    Server,
    s("4.1"),
    "the 101 response lacks Upgrade: websocket",
    FAILS,
);
pub static RESPONSE_CONNECTION_INVALID: Rule = rule(
    "response-connection-invalid",
    Error,
    Server,
    s("4.1"),
    "the 101 response lacks Connection: Upgrade",
    FAILS,
);
pub static MISSING_ACCEPT: Rule = rule(
    "missing-sec-websocket-accept",
    Error,
    Server,
    s("4.1"),
    "the 101 response has no Sec-WebSocket-Accept",
    FAILS,
);
pub static ACCEPT_MISMATCH: Rule = rule(
    "accept-mismatch",
    Error,
    Server,
    s("4.1"),
    "Sec-WebSocket-Accept is not the answer to the client's key",
    FAILS,
);
pub static DUPLICATE_ACCEPT: Rule = rule(
    "duplicate-sec-websocket-accept",
    Error,
    Server,
    s("11.3.3"),
    "more than one Sec-WebSocket-Accept",
    FAILS,
);
pub static UNREQUESTED_EXTENSION: Rule = rule(
    "unrequested-extension",
    Error,
    Server,
    s("4.1"),
    "the response names an extension that was not offered",
    FAILS,
);
pub static DUPLICATE_EXTENSIONS: Rule = rule(
    "duplicate-extensions-in-response",
    Warning,
    Server,
    s("11.3.2"),
    "more than one Sec-WebSocket-Extensions in the response",
    "most clients join the fields, as §4.2.2 allows; others fail the connection, as §11.3.2 allows",
);
pub static UNREQUESTED_SUBPROTOCOL: Rule = rule(
    "unrequested-subprotocol",
    Error,
    Server,
    s("4.1"),
    "the response names a subprotocol that was not offered",
    FAILS,
);
pub static SUBPROTOCOL_CASE: Rule = rule(
    "subprotocol-case-mismatch",
    Error,
    Server,
    Cite { doc: "RFC 7936", section: "2" },
    "the subprotocol differs from the offer in upper and lower case",
    FAILS,
);
pub static DUPLICATE_SUBPROTOCOL_RESPONSE: Rule = rule(
    "duplicate-subprotocol-in-response",
    Error,
    Server,
    s("11.3.4"),
    "more than one Sec-WebSocket-Protocol in the response",
    FAILS,
);
pub static SERVER_ACCEPTED_BAD: Rule = rule(
    "server-accepted-bad-handshake",
    Error,
    Server,
    s("4.2.1"),
    "the server answered 101 to a handshake that breaks the rules",
    "a conforming server answers with an HTTP error such as 400",
);
pub static HANDSHAKE_REJECTED: Rule = rule(
    "handshake-rejected",
    Warning,
    Server,
    s("4.1"),
    "the server opened no WebSocket",
    "the client handles the answer as ordinary HTTP; a browser reports an error and close code 1006",
);
pub static HANDSHAKE_REDIRECTED: Rule = rule(
    "handshake-redirected",
    Warning,
    Server,
    s("4.2.2"),
    "the server redirected the handshake",
    "the client may begin again at the new place; browsers do not, and report close code 1006",
);
pub static REJECTED_WITHOUT_ERROR: Rule = rule(
    "rejected-without-http-error",
    Warning,
    Server,
    s("10.7"),
    "the handshake was answered with a success other than 101",
    "the client opens no WebSocket, but cannot tell why: a fitting error status would say",
);
pub static VERSION_REJECTION_BARE: Rule = rule(
    "version-rejection-lacks-version",
    Error,
    Server,
    s("4.2.2"),
    "the refusal does not name the versions the server understands",
    "the client cannot choose another version and gives up",
);

pub static CROSS_ORIGIN_ACCEPTED: Rule = rule(
    "cross-origin-accepted",
    Note,
    Server,
    s("10.2"),
    "the server accepted a handshake from a page of another site",
    "a server meant for certain sites answers 403, or any page can use a visitor's cookies here",
);

// permessage-deflate (RFC 7692 §5, §7).

pub static PMD_RSV1_CONFLICT: Rule = rule(
    "pmd-rsv1-conflict",
    Error,
    Server,
    pmd("5"),
    "two accepted extensions both use RSV1",
    "the client fails the connection: neither side could tell what a set RSV1 means",
);
pub static PMD_UNKNOWN_PARAM: Rule = rule(
    "pmd-unknown-param",
    Error,
    Either,
    pmd("7"),
    "permessage-deflate defines no such parameter",
    DECLINES,
);
pub static PMD_INVALID_VALUE: Rule = rule(
    "pmd-invalid-param-value",
    Error,
    Either,
    pmd("7"),
    "a permessage-deflate parameter has an invalid value",
    DECLINES,
);
pub static PMD_DUPLICATE_PARAM: Rule = rule(
    "pmd-duplicate-param",
    Error,
    Either,
    pmd("7"),
    "a permessage-deflate parameter is repeated",
    DECLINES,
);
pub static PMD_UNACKNOWLEDGED: Rule = rule(
    "pmd-no-context-takeover-unacknowledged",
    Error,
    Server,
    pmd("7.1.1.1"),
    "the offer asks for server_no_context_takeover, the answer does not repeat it",
    "the client fails the connection: it will not keep the window the server means to use",
);
pub static PMD_WINDOW_TOO_LARGE: Rule = rule(
    "pmd-server-window-larger-than-offer",
    Error,
    Server,
    pmd("7.1.2.1"),
    "the server means to use a larger window than the client allows",
    "the client fails the connection: it could not inflate what refers further back than it keeps",
);
pub static PMD_WINDOW_UNSOLICITED: Rule = rule(
    "pmd-client-window-unsolicited",
    Error,
    Server,
    pmd("7.1.2.2"),
    "the answer limits the client's window, which the client did not offer",
    FAILS,
);
pub static PMD_SMALL_WINDOW: Rule = rule(
    "pmd-small-window",
    Warning,
    Either,
    pmd("7.3"),
    "a window below 1,024 bytes is agreed",
    "both go on, but hardly anything is compressed; zlib cannot even use a window of 256 bytes",
);

// HTTP/1.1 that is looser than its grammar, and that receivers may put up with (in either head).

pub static BARE_LINE_FEED: Rule = rule(
    "bare-line-feed",
    Warning,
    Either,
    Cite { doc: "RFC 9112", section: "2.2" },
    "a line of the head ends with a bare LF",
    "most receivers take it for the end of the line, which they may; strict ones refuse the message",
);
pub static FOLDED_FIELD: Rule = rule(
    "folded-header-field",
    Warning,
    Either,
    Cite { doc: "RFC 9112", section: "5.2" },
    "a header field goes on in another line",
    "a client joins the lines by a space; a server does too, or answers 400",
);
pub static STATUS_LACKS_SPACE: Rule = rule(
    "status-line-lacks-space",
    Warning,
    Server,
    Cite { doc: "RFC 9112", section: "4" },
    "no space behind the status code",
    "most clients do not mind, since the reason phrase may be empty; strict ones fail the connection",
);

// About the capture rather than the RFC's keywords.

/// The cap [`crate::limits::HTTP_HEAD`] or [`crate::limits::HTTP_HEADERS`] was reached.
pub static HEAD_TOO_LARGE: Rule = rule(
    "http-head-too-large",
    Warning,
    Capture,
    Cite { doc: "RFC 9110", section: "5.4" },
    "the head is larger than is kept; the rest of it was skipped",
    "a server answers 431 or another 4xx; a client closes the connection",
);

/// Every rule that [`check_request`] and [`check_response`] hold.
pub static RULES: &[&Rule] = &[
    &FRAGMENT_IN_TARGET,
    &MALFORMED_REQUEST,
    &METHOD_NOT_GET,
    &HTTP_VERSION_TOO_OLD,
    &REQUEST_TARGET_MISMATCH,
    &MISSING_HOST,
    &MISSING_UPGRADE,
    &UPGRADE_NOT_WEBSOCKET,
    &MISSING_CONNECTION,
    &CONNECTION_LACKS_UPGRADE,
    &MISSING_KEY,
    &INVALID_KEY,
    &DUPLICATE_KEY,
    &MISSING_ORIGIN,
    &MISSING_VERSION,
    &UNSUPPORTED_VERSION,
    &DUPLICATE_VERSION,
    &INVALID_SUBPROTOCOL,
    &DUPLICATE_SUBPROTOCOL,
    &MALFORMED_EXTENSIONS,
    &UNREGISTERED_EXTENSION,
    &DRAFT_EXTENSION,
    &UNKNOWN_EXTENSION_PARAM,
    &MALFORMED_RESPONSE,
    &RESPONSE_UPGRADE_INVALID,
    &RESPONSE_CONNECTION_INVALID,
    &MISSING_ACCEPT,
    &ACCEPT_MISMATCH,
    &DUPLICATE_ACCEPT,
    &UNREQUESTED_EXTENSION,
    &DUPLICATE_EXTENSIONS,
    &UNREQUESTED_SUBPROTOCOL,
    &SUBPROTOCOL_CASE,
    &DUPLICATE_SUBPROTOCOL_RESPONSE,
    &SERVER_ACCEPTED_BAD,
    &HANDSHAKE_REJECTED,
    &HANDSHAKE_REDIRECTED,
    &REJECTED_WITHOUT_ERROR,
    &VERSION_REJECTION_BARE,
    &CROSS_ORIGIN_ACCEPTED,
    &PMD_RSV1_CONFLICT,
    &PMD_UNKNOWN_PARAM,
    &PMD_INVALID_VALUE,
    &PMD_DUPLICATE_PARAM,
    &PMD_UNACKNOWLEDGED,
    &PMD_WINDOW_TOO_LARGE,
    &PMD_WINDOW_UNSOLICITED,
    &PMD_SMALL_WINDOW,
    &BARE_LINE_FEED,
    &FOLDED_FIELD,
    &STATUS_LACKS_SPACE,
    &HEAD_TOO_LARGE,
];

// Rules about the handshake that two heads alone cannot show: who knows the
// time, the addresses and the other connections holds them.

pub static DATA_BEFORE_COMPLETE: Rule = rule(
    "data-before-handshake-complete",
    Error,
    Client,
    s("4.1"),
    "the client sent data before the server's response arrived",
    "the server may read it as part of the request, drop it, or close the connection",
);
pub static CLIENT_ACCEPTED_BAD: Rule = rule(
    "client-accepted-bad-handshake",
    Warning,
    Client,
    s("4.1"),
    "the client went on after a response it must refuse",
    "a conforming client fails the connection and sends no frame",
);
pub static HANDSHAKE_UNANSWERED: Rule = rule(
    "handshake-unanswered",
    Warning,
    Server,
    s("4.2.2"),
    "the server did not answer the request for a WebSocket",
    "the client gives up after a while or at once; a browser reports an error and close code 1006",
);
pub static CONNECTION_REFUSED: Rule = rule(
    "connection-refused",
    Warning,
    Server,
    s("4.1"),
    "nothing listens where the client connects to",
    "the client fails the WebSocket connection; a browser reports an error and close code 1006",
);
pub static TLS_TO_PLAIN_PORT: Rule = rule(
    "tls-to-plain-port",
    Warning,
    Client,
    s("4.1"),
    "the client speaks TLS (wss) to a server that speaks HTTP without it",
    "TLS fails, and with it the WebSocket connection; a browser reports an error and close code 1006",
);
pub static PARALLEL_CONNECTING: Rule = rule(
    "parallel-connecting",
    Warning,
    Client,
    s("4.1"),
    "two handshakes with the same server are under way at once",
    "a conforming client waits for one to be established or to fail before it begins the next",
);
pub static REUSED_KEY: Rule = rule(
    "reused-sec-websocket-key",
    Warning,
    Client,
    s("4.1"),
    "the same Sec-WebSocket-Key in two handshakes",
    "the server answers as usual, but a cached answer would now be taken for a fresh one",
);
pub static CLEARTEXT: Rule = rule(
    "cleartext-websocket",
    Note,
    Either,
    s("10.6"),
    "the connection is not protected by TLS",
    "everybody on the way can read and change it, and proxies are more likely to break it",
);
pub static RECONNECT_WITHOUT_BACKOFF: Rule = rule(
    "reconnect-without-backoff",
    Warning,
    Client,
    s("7.2.3"),
    "the client connects again without backing off",
    "a conforming client waits a random while first, and ever longer after each further failure",
);

/// Rules about handshakes that need more than the two heads; their owner is the session.
pub static CONNECTION_RULES: &[&Rule] = &[
    &DATA_BEFORE_COMPLETE,
    &CLIENT_ACCEPTED_BAD,
    &HANDSHAKE_UNANSWERED,
    &CONNECTION_REFUSED,
    &TLS_TO_PLAIN_PORT,
    &PARALLEL_CONNECTING,
    &REUSED_KEY,
    &CLEARTEXT,
    &RECONNECT_WITHOUT_BACKOFF,
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_rule_has_an_id_of_its_own_and_says_what_follows() {
        let mut seen = HashSet::new();
        for rule in RULES.iter().chain(CONNECTION_RULES) {
            assert!(seen.insert(rule.id), "{} twice", rule.id);
            assert!(!rule.title.is_empty() && !rule.consequence.is_empty(), "{}", rule.id);
            assert!(rule.id.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        }
    }
}
