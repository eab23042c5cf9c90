//! Values as they stand on the wire. Each keeps what it does not know, so that
//! an opcode of 0xB prints as reserved, with its value.

use std::fmt;
use std::net::SocketAddr;

/// An endpoint's address.
pub type Endpoint = SocketAddr;

/// Which endpoint sent something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dir {
    /// Sent by the client, the endpoint that opened the connection.
    Client,
    /// Sent by the server.
    Server,
}

impl Dir {
    /// The other endpoint.
    #[must_use]
    pub fn peer(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    /// `client` or `server`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }

    /// 0 for the client, 1 for the server: an index into a pair.
    #[inline]
    pub fn index(self) -> usize {
        match self {
            Self::Client => 0,
            Self::Server => 1,
        }
    }
}

impl fmt::Display for Dir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The four-bit opcode of a frame (RFC 6455 §5.2, §11.8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Opcode(pub u8);

impl Opcode {
    /// Goes on with an unfinished message.
    pub const CONTINUATION: Self = Self(0x0);
    /// A text message, UTF-8.
    pub const TEXT: Self = Self(0x1);
    /// A binary message.
    pub const BINARY: Self = Self(0x2);
    /// Starts or answers the closing handshake.
    pub const CLOSE: Self = Self(0x8);
    /// Asks for a pong.
    pub const PING: Self = Self(0x9);
    /// Answers a ping, or stands alone.
    pub const PONG: Self = Self(0xA);

    /// Control frames are those whose top opcode bit is set, known or not (RFC 6455 §5.5).
    pub fn is_control(self) -> bool {
        self.0 & 0x8 != 0
    }

    /// 0x3–0x7 and 0xB–0xF have no meaning yet (RFC 6455 §5.2).
    pub fn is_reserved(self) -> bool {
        !matches!(self.0, 0x0..=0x2 | 0x8..=0xA)
    }

    /// The RFC's name in lower case; `reserved` for the unassigned.
    pub fn name(self) -> &'static str {
        match self {
            Self::CONTINUATION => "continuation",
            Self::TEXT => "text",
            Self::BINARY => "binary",
            Self::CLOSE => "close",
            Self::PING => "ping",
            Self::PONG => "pong",
            _ => "reserved",
        }
    }
}

/// The status code of a Close frame (RFC 6455 §7.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(pub u16);

impl CloseCode {
    /// The registered name (RFC 6455 §11.7 and the IANA registry to 1014), or
    /// what the range the code lies in is for (RFC 6455 §7.4.2).
    pub fn name(self) -> &'static str {
        match self.0 {
            0..=999 => "not used",
            1000 => "Normal Closure",
            1001 => "Going Away",
            1002 => "Protocol error",
            1003 => "Unsupported Data",
            1004 => "reserved",
            1005 => "No Status Rcvd",
            1006 => "Abnormal Closure",
            1007 => "Invalid frame payload data",
            1008 => "Policy Violation",
            1009 => "Message Too Big",
            1010 => "Mandatory Ext.",
            1011 => "Internal Error",
            1012 => "Service Restart",
            1013 => "Try Again Later",
            1014 => "Bad Gateway",
            1015 => "TLS handshake",
            1016..=2999 => "unassigned",
            3000..=3999 => "registered for libraries and applications",
            4000..=4999 => "private use",
            _ => "out of range",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_values_are_kept() {
        let opcode = Opcode(0xB);
        assert!(opcode.is_reserved() && opcode.is_control());
        assert_eq!((opcode.0, opcode.name()), (0xB, "reserved"));
        assert!(!Opcode::TEXT.is_reserved() && !Opcode::CONTINUATION.is_control());
    }

    #[test]
    fn close_codes_have_registry_names() {
        assert_eq!(CloseCode(1000).name(), "Normal Closure");
        assert_eq!(CloseCode(1014).name(), "Bad Gateway");
        assert_eq!(CloseCode(4001).name(), "private use");
        assert_eq!(CloseCode(5000).name(), "out of range");
    }
}
