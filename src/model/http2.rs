//! HTTP/2 as it stands on the wire (RFC 9113): a frame's header, and the names of types, flags, settings and
//! errors. Whoever reads, writes or names them uses these.

/// What a client sends first (RFC 9113 §3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Bytes of a frame's header (RFC 9113 §4.1).
pub const HEADER: usize = 9;

/// What a frame's header says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameHeader {
    /// Bytes of payload, as declared.
    pub length: u32,
    /// What it is.
    pub kind: Kind,
    /// The flags, which depend on that.
    pub flags: u8,
    /// The reserved bit.
    pub reserved: bool,
    /// The stream that it belongs to; 0 for the connection.
    pub stream: u32,
}

/// A frame's type (RFC 9113 §6); others keep their number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Kind(pub u8);

impl Kind {
    /// Content.
    pub const DATA: Self = Self(0);
    /// A header block, or its beginning.
    pub const HEADERS: Self = Self(1);
    /// Of RFC 7540.
    pub const PRIORITY: Self = Self(2);
    /// A stream ends at once.
    pub const RST_STREAM: Self = Self(3);
    /// What its sender is willing to receive.
    pub const SETTINGS: Self = Self(4);
    /// A server announces an answer that nobody asked for.
    pub const PUSH_PROMISE: Self = Self(5);
    /// Is anybody there?
    pub const PING: Self = Self(6);
    /// The connection comes to its end.
    pub const GOAWAY: Self = Self(7);
    /// More may be sent.
    pub const WINDOW_UPDATE: Self = Self(8);
    /// A header block goes on.
    pub const CONTINUATION: Self = Self(9);

    /// Its name in RFC 9113, or in the registry; `None` for one that is in neither.
    pub fn name(self) -> Option<&'static str> {
        Some(match self.0 {
            0 => "DATA",
            1 => "HEADERS",
            2 => "PRIORITY",
            3 => "RST_STREAM",
            4 => "SETTINGS",
            5 => "PUSH_PROMISE",
            6 => "PING",
            7 => "GOAWAY",
            8 => "WINDOW_UPDATE",
            9 => "CONTINUATION",
            10 => "ALTSVC",
            12 => "ORIGIN",
            16 => "PRIORITY_UPDATE",
            _ => return None,
        })
    }

    /// Its name, or its number.
    pub fn shown(self) -> String {
        self.name().map_or_else(|| format!("0x{:02x}", self.0), str::to_owned)
    }

    /// Whether it concerns the connection as a whole, and never a stream.
    pub fn is_of_connection(self) -> bool {
        matches!(self, Self::SETTINGS | Self::PING | Self::GOAWAY)
    }

    /// The flags that it has, with their names.
    pub fn flags(self) -> &'static [(u8, &'static str)] {
        match self {
            Self::DATA => &[(0x08, "PADDED"), (0x01, "END_STREAM")],
            Self::HEADERS => {
                &[(0x20, "PRIORITY"), (0x08, "PADDED"), (0x04, "END_HEADERS"), (0x01, "END_STREAM")]
            }
            Self::SETTINGS | Self::PING => &[(0x01, "ACK")],
            Self::PUSH_PROMISE => &[(0x08, "PADDED"), (0x04, "END_HEADERS")],
            Self::CONTINUATION => &[(0x04, "END_HEADERS")],
            _ => &[],
        }
    }
}

impl FrameHeader {
    /// `END_STREAM` (RFC 9113 §6.1, §6.2).
    pub const END_STREAM: u8 = 0x01;
    /// ACK (RFC 9113 §6.5, §6.7).
    pub const ACK: u8 = 0x01;
    /// `END_HEADERS` (RFC 9113 §6.2).
    pub const END_HEADERS: u8 = 0x04;
    /// PADDED (RFC 9113 §6.1).
    pub const PADDED: u8 = 0x08;
    /// PRIORITY (RFC 9113 §6.2).
    pub const PRIORITY: u8 = 0x20;

    /// Reads the nine bytes.
    #[allow(clippy::many_single_char_names, reason = "bytes, one by one")]
    pub fn read(bytes: [u8; HEADER]) -> Self {
        let [a, b, c, kind, flags, d, e, f, g] = bytes;
        let stream = u32::from_be_bytes([d, e, f, g]);
        Self {
            length: u32::from_be_bytes([0, a, b, c]),
            kind: Kind(kind),
            flags,
            reserved: stream >> 31 == 1,
            stream: stream & 0x7FFF_FFFF,
        }
    }

    /// The nine bytes.
    #[allow(clippy::many_single_char_names, reason = "bytes, one by one")]
    pub fn written(self) -> [u8; HEADER] {
        let [_, a, b, c] = self.length.to_be_bytes();
        let [d, e, f, g] = (self.stream | u32::from(self.reserved) << 31).to_be_bytes();
        [a, b, c, self.kind.0, self.flags, d, e, f, g]
    }

    /// Whether all bits of a flag are set.
    pub fn has(self, flag: u8) -> bool {
        self.flags & flag == flag
    }

    /// Whether it ends what its sender sends on the stream.
    pub fn ends_stream(self) -> bool {
        matches!(self.kind, Kind::DATA | Kind::HEADERS) && self.has(Self::END_STREAM)
    }

    /// Whether it acknowledges.
    pub fn is_ack(self) -> bool {
        matches!(self.kind, Kind::SETTINGS | Kind::PING) && self.has(Self::ACK)
    }
}

/// Error codes: each with its name.
macro_rules! errors {
    ($($code:literal $name:ident)*) => {
        /// The name of an error code (RFC 9113 §7); `None` for one that is not there.
        pub fn error_name(code: u32) -> Option<&'static str> {
            match code {
                $($code => Some(stringify!($name)),)*
                _ => None,
            }
        }

        /// `RST_STREAM` and the name of its code, where it has one.
        pub(super) fn reset_shown(code: u8) -> &'static str {
            match code {
                $($code => concat!("RST_STREAM (", stringify!($name), ")"),)*
                _ => "RST_STREAM",
            }
        }
    };
}

errors! {
    0 NO_ERROR
    1 PROTOCOL_ERROR
    2 INTERNAL_ERROR
    3 FLOW_CONTROL_ERROR
    4 SETTINGS_TIMEOUT
    5 STREAM_CLOSED
    6 FRAME_SIZE_ERROR
    7 REFUSED_STREAM
    8 CANCEL
    9 COMPRESSION_ERROR
    10 CONNECT_ERROR
    11 ENHANCE_YOUR_CALM
    12 INADEQUATE_SECURITY
    13 HTTP_1_1_REQUIRED
}

/// The name of an error code, or its number.
pub fn error_shown(code: u32) -> String {
    error_name(code).map_or_else(|| format!("0x{code:x}"), str::to_owned)
}

/// Settings, without `SETTINGS_` (RFC 9113 §6.5.2, RFC 8441 §3, RFC 9218 §2.1).
pub const SETTINGS: [(u16, &str); 8] = [
    (1, "HEADER_TABLE_SIZE"),
    (2, "ENABLE_PUSH"),
    (3, "MAX_CONCURRENT_STREAMS"),
    (4, "INITIAL_WINDOW_SIZE"),
    (5, "MAX_FRAME_SIZE"),
    (6, "MAX_HEADER_LIST_SIZE"),
    (8, "ENABLE_CONNECT_PROTOCOL"),
    (9, "NO_RFC7540_PRIORITIES"),
];

/// The name of a setting; `None` for one that is not there.
pub fn setting_name(id: u16) -> Option<&'static str> {
    SETTINGS.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nine_bytes() {
        let header = FrameHeader::read([0, 1, 2, 1, 0x25, 0x80, 0, 0, 3]);
        let FrameHeader { length, kind, reserved, stream, .. } = header;
        assert_eq!(header.written(), [0, 1, 2, 1, 0x25, 0x80, 0, 0, 3]);
        assert_eq!((length, kind, reserved, stream), (258, Kind::HEADERS, true, 3));
        assert!(header.ends_stream() && header.has(FrameHeader::END_HEADERS) && !header.is_ack());
        assert!(FrameHeader { kind: Kind::SETTINGS, flags: 1, ..header }.is_ack());
        assert_eq!((Kind(9).shown().as_str(), Kind(99).shown().as_str()), ("CONTINUATION", "0x63"));
    }
}
