//! What a response's status means for a handshake.

use crate::model::Text;

/// What a status means for a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What the server says with it.
    pub meaning: Text,
    /// What to look at, or what the client may do; empty when there is nothing to add.
    pub advice: Text,
}

/// Explains a status code as an answer to an opening handshake.
pub fn status(code: u16) -> Status {
    let (meaning, advice) = match code {
        101 => ("the server switches this connection to WebSocket", ""),
        100 => ("the server asks for the rest of the request; the real answer follows", ""),
        102..=199 => ("an interim answer; the real one follows", ""),
        200 => (
            "an ordinary page or resource: nothing here knows WebSocket, or a proxy dropped the Upgrade",
            "check the path, and what stands between client and server",
        ),
        201..=299 => (
            "an ordinary success: the request was not taken for a handshake",
            "check the path, and what stands between client and server",
        ),
        301 | 308 => (
            "the resource has moved for good",
            "connect to the place that Location names; browsers do not follow",
        ),
        302 | 303 | 307 => (
            "the client is sent elsewhere, often to a login page or from http to https",
            "connect to the place that Location names; browsers do not follow",
        ),
        300..=399 => ("the client is sent elsewhere", "browsers do not follow"),
        400 => (
            "the server found the handshake at fault, or a proxy dropped a part of it",
            "check Upgrade, Connection, Sec-WebSocket-Key and -Version as they reach the server",
        ),
        401 => (
            "the server wants the client to authenticate first",
            "a browser's WebSocket cannot set Authorization: use a cookie, or a token in the URL or first \
             message",
        ),
        403 => (
            "the server understood and will not: the Origin, the user, or a firewall's rule",
            "check whether the server's list of allowed origins has the page's Origin",
        ),
        404 => (
            "nothing is served under this path, or no WebSocket is",
            "check the path, whether a proxy rewrites it, and whether the server was started with support \
             for WebSocket",
        ),
        405 => (
            "the resource exists, but not for this method",
            "a proxy may have changed the method; a handshake is a GET",
        ),
        407 => (
            "a proxy wants the client to authenticate first",
            "configure the proxy's credentials, or use wss to tunnel",
        ),
        408 => (
            "the server waited too long for the request",
            "see what keeps the request from arriving whole: an empty line ends its head",
        ),
        413 => (
            "the request is larger than the server takes",
            "see what makes it so large: a body, a header field",
        ),
        414 => (
            "the address that is asked for is longer than the server takes",
            "send what is long otherwise: a token in the first message or in a cookie; or raise the limit \
             (nginx: large_client_header_buffers)",
        ),
        421 => (
            "the request reached a server that does not serve this host",
            "check DNS, Host and the TLS server name",
        ),
        426 => (
            "the server wants another protocol or WebSocket version, or saw no Upgrade",
            "compare Sec-WebSocket-Version in the answer; check that Upgrade reaches the server",
        ),
        429 => ("too many connections or attempts", "wait (a Retry-After says how long), and back off"),
        431 => ("the request's head is too large", "mostly cookies: send fewer or smaller ones"),
        402..=499 => ("the server finds the request at fault", ""),
        500 => ("the server failed while handling the handshake", "read the server's log"),
        501 => ("the server does not implement what the request asks for", ""),
        502 => (
            "a gateway got no proper answer from the server behind it",
            "check that the server behind it runs, and that the gateway speaks HTTP/1.1 with it",
        ),
        503 => (
            "the server is overloaded, or no server is behind the gateway",
            "wait (a Retry-After says how long), and back off",
        ),
        504 => (
            "a gateway waited too long for the server behind it",
            "check the server behind it, and the gateway's timeout",
        ),
        505 => ("the server does not speak this HTTP version", ""),
        511 => (
            "the network wants whoever uses it to log in first: a captive portal",
            "open a page in a browser there and log in, then connect again",
        ),
        520..=527 | 530 => (
            "Cloudflare did not reach the server behind it, or got no proper answer from it",
            "look that number up in Cloudflare's documentation; see that the server behind it runs, and lets \
             Cloudflare in",
        ),
        506..=599 => ("the server failed", "read the server's log"),
        _ => ("a status outside the classes of HTTP", ""),
    };
    Status { meaning: Text::new(meaning), advice: Text::new(advice) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_meaning() {
        for code in 0..=1000 {
            assert!(!status(code).meaning.is_empty(), "{code}");
        }
        assert!(status(403).advice.template.contains("Origin"));
    }
}
