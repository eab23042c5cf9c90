//! Why a server could not be reached or did not answer, and what to try: the same words for every command.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::model::Text;

/// Why no connection to an address came about within `timeout`.
pub fn refused(address: SocketAddr, error: &io::Error, timeout: Duration) -> Text {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Text::with(
            "{} refuses connections: nothing listens there; start the server, or check the port",
            address,
        ),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Text::with(
            "no connection to {} within {} s: check the address and firewalls, or raise --timeout",
            address,
        )
        .and(timeout.as_secs_f64()),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Text::with("{} cannot be reached: check the address and the network", address)
        }
        _ => Text::with("no connection to {}: {}", address).and(error),
    }
}

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// It has none.
    Empty,
    /// Nobody knows it.
    Unknown,
    /// Nobody said so in time.
    Late,
}

/// That a name has no address.
pub fn unresolved(host: &str, why: Unresolved) -> Text {
    let words = match why {
        Unresolved::Empty => "{} has no address: check its spelling, or name an IP address",
        Unresolved::Unknown => "cannot resolve {}: check its spelling and the network, or name an IP address",
        Unresolved::Late => "cannot resolve {} in time: check the network, or name an IP address",
    };
    Text::with(words, host)
}

/// How a server stopped in the middle of its answer, or before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The time was up.
    Late,
    /// It reset the connection.
    Reset,
    /// It closed it.
    Closed,
}

/// That a server ended or fell silent behind the first `got` bytes of its answer.
pub fn unanswered(url: &str, got: usize, how: Stopped, timeout: Duration) -> Text {
    match how {
        Stopped::Late => {
            let what = if got == 0 {
                Text::new("no response")
            } else {
                Text::with("only {} bytes of a response", got)
            };
            let words = "{}: connected, but {} within {} s: is it a WebSocket server? or raise --timeout";
            Text::with(words, url).word(what).and(timeout.as_secs_f64())
        }
        Stopped::Reset => {
            Text::with("{}: the server reset the connection after {} bytes of a response: see its log", url)
                .and(got)
        }
        Stopped::Closed => Text::with(
            "{}: the server closed the connection after {} bytes of a response: see its log, or try wss://",
            url,
        )
        .and(got),
    }
}

/// That an answer which begins so is no HTTP, and what it is instead.
pub fn foreign(url: &str, first: &[u8]) -> Text {
    if is_tls(first) {
        return Text::with("{}: the server speaks TLS on this port: try wss:// instead of ws://", url);
    }
    let shown: String = first.iter().take(32).map(|b| b.escape_ascii().to_string()).collect();
    match spoken(first) {
        Some(protocol) => {
            Text::with("{}: the answer is not HTTP but {}, it begins \"{}\": check the port", url)
                .and(protocol)
                .and(shown)
        }
        None => Text::with("{}: the answer is not HTTP, it begins \"{}\": check the port", url).and(shown),
    }
}

/// Whether bytes begin as an alert of TLS does (RFC 8446 §5.1).
pub fn is_tls(first: &[u8]) -> bool {
    first.starts_with(&[0x15, 0x03])
}

/// What a server speaks, as its first bytes say.
fn spoken(first: &[u8]) -> Option<&'static str> {
    const BEGINNINGS: [(&[u8], &str); 8] = [
        (b"SSH-", "SSH"),
        (b"220", "SMTP/FTP"),
        (b"* OK", "IMAP"),
        (b"+OK", "POP3"),
        (b"-ERR", "Redis"),
        (b"-DENIED", "Redis"),
        (b"RFB ", "VNC"),
        (b"AMQP", "AMQP"),
    ];
    // A SETTINGS frame on stream 0 comes first (RFC 9113 §3.4).
    if let [0, _, _, 4, _, 0, 0, 0, 0, ..] = first {
        return Some("HTTP/2");
    }
    BEGINNINGS.iter().find(|(begin, _)| first.starts_with(begin)).map(|(_, protocol)| *protocol)
}
