//! What error codes mean for a WebSocket, and what to do about each (RFC 9113 §7).

use crate::model::Diagnosis;

/// What is behind a stream that was reset with this code, or a connection that was ended with it.
pub fn reset_diagnosis(code: u32) -> Diagnosis {
    let (id, what, fix) = match code {
        0 => (
            "h2-no-error",
            "the sender has nothing more to say and wants no more: an orderly end",
            "nothing, if the WebSocket was done; clients connect again",
        ),
        1 => (
            "h2-protocol-error",
            "the receiver takes what came for malformed; a server that knows no extended CONNECT answers \
             :protocol \
             so",
            "switch extended CONNECT on at the server and every proxy (RFC 8441), or connect over HTTP/1.1",
        ),
        2 => (
            "h2-internal-error",
            "the program that sent it has failed, or what is behind it has",
            "look into its log",
        ),
        3 => (
            "h2-flow-control-error",
            "one end has lost count of the other's window",
            "update the program that sent more than it may",
        ),
        5 => (
            "h2-stream-closed",
            "something was sent on a stream that its receiver takes for ended",
            "look which end ends the stream first: END_STREAM is the FIN of a WebSocket",
        ),
        7 => (
            "h2-refused-stream",
            "the server has not looked at the request: too many streams are open, or it is about to stop",
            "the client may try again at once, on another connection; raise the server's limit of streams",
        ),
        8 => (
            "h2-cancel",
            "the sender wants the stream no longer: over HTTP/2 it is what a TCP reset is to a WebSocket",
            "see which program dropped the WebSocket without a Close frame, and why: a page left, a \
             proxy's timeout",
        ),
        9 => (
            "h2-compression-error",
            "the two disagree about the table of header compression",
            "update both, or set the table's size to 0 (SETTINGS_HEADER_TABLE_SIZE)",
        ),
        10 => (
            "h2-connect-error",
            "the connection behind a CONNECT was reset or closed: a proxy says so of the server behind it",
            "look at the server behind the proxy",
        ),
        11 => (
            "h2-enhance-your-calm",
            "the peer takes the traffic for an attack or a fault: too many streams, resets, pings or \
             SETTINGS",
            "send fewer of them, or raise the limit that was reached, which the peer's log names",
        ),
        12 => (
            "h2-inadequate-security",
            "the peer does not accept the version or the cipher of TLS for HTTP/2",
            "let both speak TLS 1.3, or TLS 1.2 with an AEAD cipher (RFC 9113 §9.2)",
        ),
        13 => (
            "h2-http11-required",
            "the server wants HTTP/1.1 for this request",
            "connect over HTTP/1.1: offer only http/1.1 by ALPN",
        ),
        _ => (
            "h2-error",
            "the peer has ended it with an error",
            "look into the log of the program that sent it",
        ),
    };
    Diagnosis::new(id, what, fix)
}
