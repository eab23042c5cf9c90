//! Why a WebSocket failed, in the words of Chromium, and what is behind them.
//!
//! Its developer tools and the archives that they save tell no more of a handshake that failed: neither the
//! answer's status nor its fields.

use super::handshake::PASS_ON;
use super::{CONNECTION_REFUSED, CONNECTION_UNANSWERED};
use crate::model::{Diagnosis, Rule};

/// What a text says, what is behind it, and what to try.
type Row = (&'static [&'static str], &'static str, &'static str);

/// The first row of which a text has a word counts.
const ROWS: &[Row] = &[
    (
        &["ERR_CERT_AUTHORITY_INVALID"],
        "the client does not know the authority that has signed the server's certificate",
        "give the client that authority's certificate, or the server one of an authority that clients know, \
         with all between the two",
    ),
    (
        &["ERR_CERT_COMMON_NAME_INVALID"],
        "the server's certificate is for other names than the one in the URL",
        "connect by a name that the certificate has, or renew it with this one",
    ),
    (
        &["ERR_CERT_DATE_INVALID"],
        "the server's certificate has expired, or the client's clock is wrong",
        "renew the certificate, and look at the client's clock",
    ),
    (
        &["ERR_CERT_"],
        "the browser does not trust the server's certificate",
        "open the same host with https:// in this browser: its page says what is wrong with the certificate",
    ),
    (
        &["ERR_SSL_VERSION_OR_CIPHER_MISMATCH"],
        "the server speaks other versions of TLS than the client",
        "let both speak TLS 1.2 or 1.3: update the older one",
    ),
    (
        &["ERR_SSL_PROTOCOL_ERROR"],
        "what listens there answers without TLS, or TLS is broken on the way",
        "connect with ws:// instead of wss://, or to the port with TLS; a proxy that ends TLS speaks HTTP \
         behind it",
    ),
    (
        &["ERR_NAME_NOT_RESOLVED"],
        "the host's name has no address",
        "check the name in the URL, and that DNS knows it where the browser runs",
    ),
    (
        &["ERR_INTERNET_DISCONNECTED", "ERR_NETWORK_CHANGED", "ERR_NETWORK_IO_SUSPENDED"],
        "the browser's own network was gone or another one: a cable, Wi-Fi, a VPN, or a machine that slept",
        "connect again once the page is online (the event online), with a pause that grows",
    ),
    (
        &["ERR_BLOCKED_BY_"],
        "the browser itself does not let it through: an extension, a policy, or the page's own Content \
         Security Policy",
        "try without extensions, and look at connect-src of the page's Content-Security-Policy",
    ),
    (
        &["ERR_PROXY_", "ERR_TUNNEL_CONNECTION_FAILED"],
        "the proxy that the browser goes through did not open a tunnel to the server",
        "look at what the proxy answers to CONNECT, and that it lets this host and port through",
    ),
    (
        &["ERR_INVALID_HTTP_RESPONSE", "ERR_EMPTY_RESPONSE"],
        "what listens there does not speak HTTP, or speaks TLS",
        "check the port; connect with wss:// where it expects TLS",
    ),
    (
        &["ERR_CONNECTION_RESET", "ERR_CONNECTION_CLOSED", "Connection closed before receiving"],
        "the server, or a proxy before it, ended TCP instead of answering",
        "look into their logs at this time; a port that expects TLS does this to ws://",
    ),
    (
        &["HTTP Authentication failed"],
        "the server wants to know who asks: 401, and the browser has no credentials for it",
        "send a cookie or a token that the server takes; a script cannot set Authorization for a WebSocket",
    ),
    (
        &["'Upgrade' header", "'Connection' header"],
        "a proxy on the way has dropped or changed Upgrade and Connection, which are meant for one hop",
        PASS_ON,
    ),
    (
        &["'Sec-WebSocket-Accept' header"],
        "the server computes Sec-WebSocket-Accept wrongly, or a cache answers with what it has kept",
        "compare with wstool accept KEY; let no cache answer for the WebSocket",
    ),
    (
        &["no response was received"],
        "the server took none of the subprotocols that the page offers",
        "name one of the offered subprotocols in the response, or do not offer any",
    ),
    (
        &["'Sec-WebSocket-Protocol' header"],
        "the server names a subprotocol that the page did not offer",
        "choose one of those that the request offers, letter by letter, or none",
    ),
    (
        &["Sec-WebSocket-Extensions", "permessage-deflate"],
        "the server answers with an extension, or a parameter of one, that the browser did not offer",
        "choose among what the request offers; without it frames are simply not compressed",
    ),
    (
        &["reserved bits are on"],
        "the server compresses although that was not agreed, or bytes that are no frames stand between them",
        "see that every proxy passes Sec-WebSocket-Extensions on, both ways; capture it and decode the \
         frames",
    ),
    (
        &["as UTF-8"],
        "the server sends a text that is not UTF-8",
        "send bytes as a binary message, and text in UTF-8",
    ),
    (
        &["frame", "previous message is unfinished"],
        "the server, or a proxy, writes what is no frame into the stream, or has lost count of its bytes",
        "capture it, or put wstool proxy between: each byte that is wrong is named",
    ),
];

/// What is behind a failure of which a browser says `why`, where its words are known.
pub fn failure_diagnosis(why: &str) -> Option<Diagnosis> {
    let usual = |rule: &'static Rule| rule.usually.map(|it| Diagnosis::new("browser-says", it.what, it.fix));
    if why.contains("ERR_CONNECTION_REFUSED") {
        return usual(&CONNECTION_REFUSED);
    }
    if ["TIMED_OUT", "timed out", "ERR_ADDRESS_UNREACHABLE"].iter().any(|words| why.contains(words)) {
        return usual(&CONNECTION_UNANSWERED);
    }
    let row = ROWS.iter().find(|(words, ..)| words.iter().any(|words| why.contains(words)));
    row.map(|(_, what, fix)| Diagnosis::new("browser-says", *what, *fix))
}

/// The status of an answer that opened no WebSocket, where a browser names it.
pub fn failure_status(why: &str) -> Option<u16> {
    let (_, behind) = why.split_once("Unexpected response code: ")?;
    let digits = behind.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok().filter(|status| (100..600).contains(status))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Chromium 156 says it, of servers that did each.
    #[test]
    fn the_words_of_a_browser_are_known() {
        for (why, what) in [
            ("Error in connection establishment: net::ERR_CONNECTION_REFUSED", "the server's process is not"),
            (
                "Error in connection establishment: net::ERR_CERT_AUTHORITY_INVALID",
                "the client does not know",
            ),
            (
                "Error in connection establishment: net::ERR_CERT_COMMON_NAME_INVALID",
                "the server's certificate",
            ),
            ("Error in connection establishment: net::ERR_NAME_NOT_RESOLVED", "the host's name"),
            ("Error during WebSocket handshake: net::ERR_CONNECTION_RESET", "the server, or a proxy before"),
            ("Connection closed before receiving a handshake response", "the server, or a proxy before"),
            ("Error during WebSocket handshake: net::ERR_INVALID_HTTP_RESPONSE", "what listens there"),
            ("HTTP Authentication failed; no valid credentials available", "the server wants to know who"),
            ("Error during WebSocket handshake: 'Upgrade' header is missing", "a proxy on the way"),
            (
                "Error during WebSocket handshake: 'Connection' header value must contain 'Upgrade'",
                "a proxy on",
            ),
            (
                "Error during WebSocket handshake: Incorrect 'Sec-WebSocket-Accept' header value",
                "the server comp",
            ),
            (
                "Error during WebSocket handshake: Sent non-empty 'Sec-WebSocket-Protocol' header but no \
                 response was received",
                "the server took none",
            ),
            (
                "Error during WebSocket handshake: Response must not include 'Sec-WebSocket-Protocol' header \
                 if not present in request: other",
                "the server names a subprotocol",
            ),
            (
                "Error during WebSocket handshake: Found an unsupported extension 'foo' in \
                 'Sec-WebSocket-Extensions' header",
                "the server answers with an extension",
            ),
            (
                "One or more reserved bits are on: reserved1 = 1, reserved2 = 0, reserved3 = 0",
                "the server compresses although",
            ),
            ("Could not decode a text frame as UTF-8.", "the server sends a text"),
            (
                "A server must not mask any frames that it sends to the client.",
                "the server, or a proxy, writes",
            ),
            (
                "Received start of new message but previous message is unfinished.",
                "the server, or a proxy, wr",
            ),
        ] {
            let said = failure_diagnosis(why).unwrap_or_else(|| panic!("{why}: nothing is known"));
            assert!(said.what.to_string().starts_with(what), "{why}: {}", said.what);
        }
        assert_eq!(failure_diagnosis("something else"), None);
    }

    #[test]
    fn a_status_is_taken_from_its_words() {
        for (why, status) in [
            ("Error during WebSocket handshake: Unexpected response code: 403", Some(403)),
            ("Unexpected response code: 99999", None),
            ("Error during WebSocket handshake: net::ERR_CONNECTION_RESET", None),
        ] {
            assert_eq!(failure_status(why), status, "{why}");
        }
    }
}
