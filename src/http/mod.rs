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
//!          coding::codings: what is around it
//!          accept: the echo that proves a server understood, and what went wrong with it
//! ```

pub mod accept;
pub mod body;
mod coding;
mod failure;
pub mod fields;
pub mod handshake;
pub mod head;
mod reset;
pub mod stream;

pub use accept::{KeyProblem, Steps, accept_value, check_key, diagnose};
pub use body::Body;
pub use coding::{codings, named_codings};
pub use failure::{failure_diagnosis, failure_status};
pub use handshake::{
    Outcome, RequestFacts, RequestReport, ResponseFacts, ResponseReport, check_request, check_response,
};
pub use head::{Head, HeadProgress, HeadReader, HeadState, Sniff, StartLine, sniff};
pub use reset::reset_diagnosis;

use crate::model::{Cite, rules};

/// Whether something is a token (RFC 9110 §5.6.2), as names of subprotocols are.
pub fn is_token(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().all(|&b| head::is_token(b))
}

const REFUSES: &str = "the server answers with an HTTP error such as 400 and opens no WebSocket";
const FAILS: &str = "the client fails the connection; a browser reports an error and close code 1006";
const DECLINES: &str =
    "the server declines this offer; without a better one the connection goes on uncompressed";

/// The extended CONNECT (RFC 8441 §4).
const EXTENDED: Cite = Cite { doc: "RFC 8441", section: "4" };
/// What of the handshake of RFC 6455 it takes over.
const OVER_HTTP2: Cite = Cite { doc: "RFC 8441", section: "5" };

rules! {
    /// Every rule that [`check_request`] and [`check_response`] hold.
    RULES;
    // The request (RFC 6455 §3, §4.1, §4.2.1).
    FRAGMENT_IN_TARGET = "fragment-in-request-target", Error, Cite::rfc6455("3"), Client,
        "the request target holds a fragment identifier",
        "a browser refuses the URL before connecting; a server may answer 400 or look for a file \
         of that name";
    MALFORMED_REQUEST = "malformed-request", Error, Cite::rfc6455("4.1"), Client,
        "the request is not valid HTTP",
        REFUSES;
    METHOD_NOT_GET = "method-not-get", Error, Cite::rfc6455("4.1"), Client,
        "the handshake's method is not GET",
        REFUSES;
    HTTP_VERSION_TOO_OLD = "http-version-too-old", Error, Cite::rfc6455("4.1"), Client,
        "the handshake's HTTP version is below 1.1",
        "the server refuses, since HTTP/1.0 knows no Upgrade; mostly a proxy made the request \
         older";
    REQUEST_TARGET_MISMATCH = "request-target-mismatch", Warning, Cite::rfc6455("4.1"), Client,
        "the request target does not fit the WebSocket URI",
        "the server may answer 400 or 404, or serve another host's resource";
    MISSING_HOST = "missing-host", Error, Cite::rfc6455("4.1"), Client,
        "no Host header field",
        REFUSES;
    MISSING_UPGRADE = "missing-upgrade", Error, Cite::rfc6455("4.1"), Client,
        "the handshake has no Upgrade header field",
        "the server takes it for an ordinary request and answers 200, 400 or 426";
    UPGRADE_NOT_WEBSOCKET = "upgrade-not-websocket", Error, Cite::rfc6455("4.1"), Client,
        "the Upgrade header field does not name websocket",
        REFUSES;
    MISSING_CONNECTION = "missing-connection", Error, Cite::rfc6455("4.1"), Client,
        "the handshake has no Connection header field",
        "the server ignores the Upgrade, which is valid for one hop only, and answers 400 or 426";
    CONNECTION_LACKS_UPGRADE = "connection-lacks-upgrade", Error, Cite::rfc6455("4.1"), Client,
        "the Connection header field does not name Upgrade",
        "the server ignores the Upgrade, which is valid for one hop only, and answers 400 or 426";
    MISSING_KEY = "missing-sec-websocket-key", Error, Cite::rfc6455("4.1"), Client,
        "the handshake has no Sec-WebSocket-Key",
        REFUSES;
    INVALID_KEY = "invalid-sec-websocket-key", Error, Cite::rfc6455("4.1"), Client,
        "Sec-WebSocket-Key is not 16 bytes in Base64",
        REFUSES;
    DUPLICATE_KEY = "duplicate-sec-websocket-key", Error, Cite::rfc6455("11.3.1"), Client,
        "more than one Sec-WebSocket-Key",
        REFUSES;
    MISSING_ORIGIN = "missing-origin", Note, Cite::rfc6455("4.1"), Client,
        "a request that names a browser comes without Origin",
        "a server that checks origins cannot tell which site's script is asking, and may answer \
         403";
    MISSING_VERSION = "missing-sec-websocket-version", Error, Cite::rfc6455("4.1"), Client,
        "the handshake has no Sec-WebSocket-Version",
        "the server answers 400 or 426 and names the versions it understands";
    UNSUPPORTED_VERSION = "unsupported-version", Error, Cite::rfc6455("4.1"), Either,
        "Sec-WebSocket-Version is not 13",
        "the server answers 426 (or 400) and names the versions it understands";
    DUPLICATE_VERSION = "duplicate-sec-websocket-version", Error, Cite::rfc6455("11.3.5"), Client,
        "more than one Sec-WebSocket-Version in the request",
        REFUSES;
    INVALID_SUBPROTOCOL = "invalid-subprotocol-token", Error, Cite::rfc6455("4.1"), Either,
        "a subprotocol's name is not a token",
        "the receiver refuses the handshake: a server with 400, a client by failing the connection";
    DUPLICATE_SUBPROTOCOL = "duplicate-subprotocol-offer", Error, Cite::rfc6455("4.1"), Client,
        "a subprotocol is offered twice",
        "a browser throws SyntaxError before connecting; a server may answer 400";

    // Extensions, in either head (RFC 6455 §9).
    MALFORMED_EXTENSIONS = "malformed-extensions-header", Error, Cite::rfc6455("9.1"), Either,
        "Sec-WebSocket-Extensions does not follow its grammar",
        "the receiver immediately fails the connection: a server with 400, a client by closing it";
    UNREGISTERED_EXTENSION = "unregistered-extension", Warning, Cite::rfc6455("9.1"), Either,
        "the extension's name is not registered with IANA",
        "a peer that does not know the extension leaves it out of its answer";
    DRAFT_EXTENSION = "draft-extension", Note, Cite::rfc6455("9.1"), Either,
        "the extension comes from a draft that permessage-deflate replaced",
        "a server that does not know it leaves it out, and the connection goes on without it";
    UNKNOWN_EXTENSION_PARAM = "unknown-extension-param", Error, Cite::rfc6455("9.1"), Either,
        "the extension does not define this parameter",
        "the peer declines the extension, or fails the connection";

    // The response (RFC 6455 §4.1, §4.2.2).
    MALFORMED_RESPONSE = "malformed-response", Error, Cite::rfc6455("4.2.2"), Server,
        "the response is not valid HTTP",
        FAILS;
    RESPONSE_UPGRADE_INVALID = "response-upgrade-invalid", Error, Cite::rfc6455("4.1"), Server,
        "the 101 response lacks Upgrade: websocket",
        FAILS;
    RESPONSE_CONNECTION_INVALID = "response-connection-invalid", Error, Cite::rfc6455("4.1"), Server,
        "the 101 response lacks Connection: Upgrade",
        FAILS;
    MISSING_ACCEPT = "missing-sec-websocket-accept", Error, Cite::rfc6455("4.1"), Server,
        "the 101 response has no Sec-WebSocket-Accept",
        FAILS;
    ACCEPT_MISMATCH = "accept-mismatch", Error, Cite::rfc6455("4.1"), Server,
        "Sec-WebSocket-Accept is not the answer to the client's key",
        FAILS;
    DUPLICATE_ACCEPT = "duplicate-sec-websocket-accept", Error, Cite::rfc6455("11.3.3"), Server,
        "more than one Sec-WebSocket-Accept",
        FAILS;
    UNREQUESTED_EXTENSION = "unrequested-extension", Error, Cite::rfc6455("4.1"), Server,
        "the response names an extension that was not offered",
        FAILS;
    DUPLICATE_EXTENSIONS = "duplicate-extensions-in-response", Warning, Cite::rfc6455("11.3.2"), Server,
        "more than one Sec-WebSocket-Extensions in the response",
        "most clients join the fields, as §4.2.2 allows; others fail the connection, as §11.3.2 \
         allows";
    UNREQUESTED_SUBPROTOCOL = "unrequested-subprotocol", Error, Cite::rfc6455("4.1"), Server,
        "the response names a subprotocol that was not offered",
        FAILS;
    SUBPROTOCOL_CASE = "subprotocol-case-mismatch", Error, Cite { doc: "RFC 7936", section: "2" }, Server,
        "the subprotocol differs from the offer in upper and lower case",
        FAILS;
    DUPLICATE_SUBPROTOCOL_RESPONSE = "duplicate-subprotocol-in-response", Error,
        Cite::rfc6455("11.3.4"), Server,
        "more than one Sec-WebSocket-Protocol in the response",
        FAILS;
    SERVER_ACCEPTED_BAD = "server-accepted-bad-handshake", Error, Cite::rfc6455("4.2.1"), Server,
        "the server answered 101 to a handshake that breaks the rules",
        "a conforming server answers with an HTTP error such as 400";
    HANDSHAKE_REJECTED = "handshake-rejected", Warning, Cite::rfc6455("4.1"), Server,
        "the server opened no WebSocket",
        "the client handles the answer as ordinary HTTP; a browser reports an error and close code \
         1006";
    HANDSHAKE_REDIRECTED = "handshake-redirected", Warning, Cite::rfc6455("4.2.2"), Server,
        "the server redirected the handshake",
        "the client may begin again at the new place; browsers do not, and report close code 1006";
    REJECTED_WITHOUT_ERROR = "rejected-without-http-error", Warning, Cite::rfc6455("10.7"), Server,
        "the handshake was answered with a success other than 101",
        "the client opens no WebSocket, but cannot tell why: a fitting error status would say";
    VERSION_REJECTION_BARE = "version-rejection-lacks-version", Error, Cite::rfc6455("4.2.2"), Server,
        "the refusal does not name the versions the server understands",
        "the client cannot choose another version and gives up";
    CROSS_ORIGIN_ACCEPTED = "cross-origin-accepted", Note, Cite::rfc6455("10.2"), Server,
        "the server accepted a handshake from a page of another site",
        "a server meant for certain sites answers 403, or any page can use a visitor's cookies \
         here";

    // The handshake over HTTP/2 (RFC 8441 §4, §5).
    EXTENDED_CONNECT_INCOMPLETE = "extended-connect-incomplete", Error, EXTENDED, Client,
        "an extended CONNECT lacks :scheme, :path or :authority",
        "the server resets the stream with PROTOCOL_ERROR, or answers 400";
    KEY_OVER_HTTP2 = "websocket-key-over-http2", Warning, OVER_HTTP2, Client,
        "Sec-WebSocket-Key is sent over HTTP/2",
        "the server ignores it: :protocol takes its place";
    ACCEPT_OVER_HTTP2 = "websocket-accept-over-http2", Warning, OVER_HTTP2, Server,
        "Sec-WebSocket-Accept is sent over HTTP/2",
        "the client ignores it";
    STATUS_101_OVER_HTTP2 = "status-101-over-http2", Error, Cite { doc: "RFC 9113", section: "8.6" }, Server,
        "101 is sent over HTTP/2",
        "the client takes it for malformed and resets the stream; over HTTP/2 it is 200 that opens a \
         WebSocket";

    // permessage-deflate (RFC 7692 §5, §7).
    PMD_RSV1_CONFLICT = "pmd-rsv1-conflict", Error, Cite::rfc7692("5"), Server,
        "two accepted extensions both use RSV1",
        "the client fails the connection: neither side could tell what a set RSV1 means";
    PMD_UNKNOWN_PARAM = "pmd-unknown-param", Error, Cite::rfc7692("7"), Either,
        "permessage-deflate defines no such parameter",
        DECLINES;
    PMD_INVALID_VALUE = "pmd-invalid-param-value", Error, Cite::rfc7692("7"), Either,
        "a permessage-deflate parameter has an invalid value",
        DECLINES;
    PMD_DUPLICATE_PARAM = "pmd-duplicate-param", Error, Cite::rfc7692("7"), Either,
        "a permessage-deflate parameter is repeated",
        DECLINES;
    PMD_UNACKNOWLEDGED = "pmd-no-context-takeover-unacknowledged", Error, Cite::rfc7692("7.1.1.1"), Server,
        "the offer asks for server_no_context_takeover, the answer does not repeat it",
        "the client fails the connection: it will not keep the window the server means to use";
    PMD_WINDOW_TOO_LARGE = "pmd-server-window-larger-than-offer", Error, Cite::rfc7692("7.1.2.1"), Server,
        "the server means to use a larger window than the client allows",
        "the client fails the connection: it could not inflate what refers further back than it \
         keeps";
    PMD_WINDOW_UNSOLICITED = "pmd-client-window-unsolicited", Error, Cite::rfc7692("7.1.2.2"), Server,
        "the answer limits the client's window, which the client did not offer",
        FAILS;
    PMD_SMALL_WINDOW = "pmd-small-window", Warning, Cite::rfc7692("7.3"), Either,
        "a window below 1,024 bytes is agreed",
        "both go on, but hardly anything is compressed; zlib cannot even use a window of 256 bytes";

    // HTTP/1.1 that is looser than its grammar, and that receivers may put up with (in either head).
    BARE_LINE_FEED = "bare-line-feed", Warning, Cite { doc: "RFC 9112", section: "2.2" }, Either,
        "a line of the head ends with a bare LF",
        "most receivers take it for the end of the line, which they may; strict ones refuse the \
         message";
    FOLDED_FIELD = "folded-header-field", Warning, Cite { doc: "RFC 9112", section: "5.2" }, Either,
        "a header field goes on in another line",
        "a client joins the lines by a space; a server does too, or answers 400";
    STATUS_LACKS_SPACE = "status-line-lacks-space", Warning, Cite { doc: "RFC 9112", section: "4" }, Server,
        "no space behind the status code",
        "most clients do not mind, since the reason phrase may be empty; strict ones fail the \
         connection";

    // About the capture rather than the RFC's keywords.
    /// The cap [`crate::limits::HTTP_HEAD`] or [`crate::limits::HTTP_HEADERS`] was reached.
    HEAD_TOO_LARGE = "http-head-too-large", Warning, Cite { doc: "RFC 9110", section: "5.4" }, Capture,
        "the head is larger than is kept; the rest of it was skipped",
        "a server answers 431 or another 4xx; a client closes the connection";
}

rules! {
    /// Rules about the handshake that two heads alone cannot show: who knows the time, the addresses
    /// and the other connections holds them. Their owner is the session.
    CONNECTION_RULES;
    DATA_BEFORE_COMPLETE = "data-before-handshake-complete", Error, Cite::rfc6455("4.1"), Client,
        "the client sent data before the server's response arrived",
        "the server may read it as part of the request, drop it, or close the connection";
    CLIENT_ACCEPTED_BAD = "client-accepted-bad-handshake", Warning, Cite::rfc6455("4.1"), Client,
        "the client went on after a response it must refuse",
        "a conforming client fails the connection and sends no frame";
    HANDSHAKE_UNANSWERED = "handshake-unanswered", Warning, Cite::rfc6455("4.2.2"), Server,
        "the server did not answer the request for a WebSocket",
        "the client gives up after a while or at once; a browser reports an error and close code \
         1006";
    HANDSHAKE_LEFT = "handshake-left-early", Note, Cite::rfc6455("4.1"), Client,
        "the client ended the connection before its request for a WebSocket could be answered",
        "nothing was said; what the server answers later comes to nobody",
        usually "whoever wanted the connection has left: a page that was left, a component that is mounted \
                 twice, a program that was ended; or a timeout of well below a second",
        mend "if it happens often, open the WebSocket only once it is wanted for good, and look at how long \
              the server takes to answer";
    FAILURE_TOLD = "browser-reports-failure", Warning, Cite::rfc6455("7.1.7"), Either,
        "the browser failed the connection, and says why",
        "the page gets an error event and close code 1006; scripts are not told the reason";
    CONNECTION_REFUSED = "connection-refused", Warning, Cite::rfc6455("4.1"), Server,
        "nothing listens where the client connects to",
        "the client fails the WebSocket connection; a browser reports an error and close code 1006",
        usually "the server's process is not running, listens at another port or address, or a proxy before \
                 it does",
        mend "see that it runs and where it listens (ss -tln), and that the address and port are right";
    CONNECTION_UNANSWERED = "connection-unanswered", Warning, Cite::rfc6455("4.1"), Capture,
        "the host that the client connects to does not answer",
        "the client waits until its own timeout (minutes, unless it is set) and fails the WebSocket \
         connection; a browser reports an error and close code 1006",
        usually "a firewall or security group that drops packets, a host that is off, or a wrong address",
        mend "see that the address is right and that every firewall on the way lets this port through";
    DESTINATION_UNREACHABLE = "destination-unreachable", Warning, Cite::rfc6455("4.1"), Capture,
        "ICMP says that the client's connection does not come to its server",
        "the client fails the WebSocket connection; a browser reports an error and close code 1006",
        usually "a firewall that rejects the connection, a host that is off, or no route to it",
        mend "see that the address is right, and look at the routes and firewalls on the way";
    TLS_ALERT = "tls-alert", Warning, Cite { doc: "RFC 8446", section: "6.2" }, Server,
        "the server ended the TLS handshake with an alert",
        "TLS fails, and with it any WebSocket connection; a browser reports an error and close code 1006",
        usually "versions, ciphers or names that do not fit, or a client without the certificate that is \
                 asked for",
        mend "see with openssl s_client -connect what the server takes, and look into its log";
    TLS_CLIENT_ALERT = "tls-client-alert", Warning, Cite { doc: "RFC 5246", section: "7.2" }, Client,
        "the client ended the TLS handshake with an alert",
        "TLS fails, and with it any WebSocket connection; a browser reports an error and close code 1006",
        usually "a certificate that the client does not trust: of an authority that it does not know, \
                 expired, or for another name",
        mend "see with openssl s_client -connect which certificates the server sends, and look into the \
              client's log";
    TLS_DROPPED = "tls-handshake-dropped", Warning, Cite { doc: "RFC 8446", section: "6" }, Either,
        "an endpoint ended TCP in the middle of the TLS handshake",
        "TLS fails, and with it any WebSocket connection; a browser reports an error and close code 1006",
        usually "a certificate that the client does not trust, or a server that does not like the hello",
        mend "see with openssl s_client -connect what the server sends, and look into both logs";
    TUNNEL_REFUSED = "tunnel-refused", Warning, Cite { doc: "RFC 9110", section: "9.3.6" }, Server,
        "a proxy did not open the tunnel that the client asked for",
        "the client cannot reach the server behind it; a browser reports an error and close code 1006",
        usually "a proxy that wants its client to authenticate, or that lets the host or port not through",
        mend "see what it answers, and what its rules are";
    TLS_TO_PLAIN_PORT = "tls-to-plain-port", Warning, Cite::rfc6455("4.1"), Client,
        "the client speaks TLS (wss) to a server that answers without it",
        "TLS fails, and with it the WebSocket connection; a browser reports an error and close code 1006";
    PARALLEL_CONNECTING = "parallel-connecting", Note, Cite::rfc6455("4.1"), Client,
        "two handshakes with the same server are under way at once",
        "a conforming client waits for one to be established or to fail before it begins the next; several \
         clients behind one address look the same";
    CONNECT_WITHOUT_SETTING = "extended-connect-without-setting", Error, EXTENDED, Client,
        "an extended CONNECT is sent to a server that has not said that it takes one",
        "a server that knows no :protocol resets the stream with PROTOCOL_ERROR, or answers 400",
        usually "a client that does not wait for the server's SETTINGS, or a server or proxy with RFC \
                 8441 off",
        mend "let the client wait for SETTINGS_ENABLE_CONNECT_PROTOCOL = 1, and switch it on at the server";
    CONNECT_ENDS_STREAM = "extended-connect-ends-stream", Error, OVER_HTTP2, Client,
        "an extended CONNECT ends its stream at once",
        "the client can send no frame on it: the server sees the WebSocket's TCP closed before it began";
    EXTENSION_STRIPPED = "extension-stripped", Note, Cite::rfc6455("9.1"), Client,
        "the extensions that the client offered were taken out on the way",
        "nothing is compressed, or, where only the answer passed without them, the ends disagree about it",
        usually "a proxy that does not pass Sec-WebSocket-Extensions on",
        mend "let every proxy on the way pass Sec-WebSocket-Extensions on, in both directions";
    REUSED_KEY = "reused-sec-websocket-key", Warning, Cite::rfc6455("4.1"), Client,
        "the same Sec-WebSocket-Key in two handshakes",
        "the server answers as usual, but a cached answer would now be taken for a fresh one";
    CLEARTEXT = "cleartext-websocket", Note, Cite::rfc6455("10.6"), Either,
        "the connection is not protected by TLS",
        "everybody on the way can read and change it, and proxies are more likely to break it";
    RECONNECT_WITHOUT_BACKOFF = "reconnect-without-backoff", Warning, Cite::rfc6455("7.2.3"), Client,
        "the client connects again without backing off",
        "a conforming client waits a random while first, and ever longer after each further \
         failure";
}

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
