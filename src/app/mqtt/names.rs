//! Names of control packets, reason codes and properties.

/// The type of a control packet (MQTT 5.0 §2.1.2): the upper four bits of its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Kind(pub u8);

impl Kind {
    pub const CONNECT: Self = Self(1);
    pub const CONNACK: Self = Self(2);
    pub const PUBLISH: Self = Self(3);
    pub const PUBACK: Self = Self(4);
    pub const PUBREC: Self = Self(5);
    pub const PUBREL: Self = Self(6);
    pub const PUBCOMP: Self = Self(7);
    pub const SUBSCRIBE: Self = Self(8);
    pub const SUBACK: Self = Self(9);
    pub const UNSUBSCRIBE: Self = Self(10);
    pub const UNSUBACK: Self = Self(11);
    pub const PINGREQ: Self = Self(12);
    pub const PINGRESP: Self = Self(13);
    pub const DISCONNECT: Self = Self(14);
    pub const AUTH: Self = Self(15);

    pub fn name(self) -> &'static str {
        const NAMES: [&str; 16] = [
            "reserved",
            "CONNECT",
            "CONNACK",
            "PUBLISH",
            "PUBACK",
            "PUBREC",
            "PUBREL",
            "PUBCOMP",
            "SUBSCRIBE",
            "SUBACK",
            "UNSUBSCRIBE",
            "UNSUBACK",
            "PINGREQ",
            "PINGRESP",
            "DISCONNECT",
            "AUTH",
        ];
        NAMES[usize::from(self.0 & 0xF)]
    }

    /// Whether only a client sends it, or only a server.
    pub fn is_clients_alone(self) -> Option<bool> {
        match self {
            Self::CONNECT | Self::SUBSCRIBE | Self::UNSUBSCRIBE | Self::PINGREQ => Some(true),
            Self::CONNACK | Self::SUBACK | Self::UNSUBACK | Self::PINGRESP => Some(false),
            _ => None,
        }
    }
}

/// The name of a reason code of MQTT 5.0 (§2.4).
pub(super) fn reason(kind: Kind, code: u8) -> &'static str {
    match code {
        0 if kind == Kind::DISCONNECT => "Normal disconnection",
        0 if kind == Kind::SUBACK => "Granted QoS 0",
        0 => "Success",
        0x01 => "Granted QoS 1",
        0x02 => "Granted QoS 2",
        0x04 => "Disconnect with Will Message",
        0x10 => "No matching subscribers",
        0x11 => "No subscription existed",
        0x18 => "Continue authentication",
        0x19 => "Re-authenticate",
        0x80 => "Unspecified error",
        0x81 => "Malformed Packet",
        0x82 => "Protocol Error",
        0x83 => "Implementation specific error",
        0x84 => "Unsupported Protocol Version",
        0x85 => "Client Identifier not valid",
        0x86 => "Bad User Name or Password",
        0x87 => "Not authorized",
        0x88 => "Server unavailable",
        0x89 => "Server busy",
        0x8A => "Banned",
        0x8B => "Server shutting down",
        0x8C => "Bad authentication method",
        0x8D => "Keep Alive timeout",
        0x8E => "Session taken over",
        0x8F => "Topic Filter invalid",
        0x90 => "Topic Name invalid",
        0x91 => "Packet Identifier in use",
        0x92 => "Packet Identifier not found",
        0x93 => "Receive Maximum exceeded",
        0x94 => "Topic Alias invalid",
        0x95 => "Packet too large",
        0x96 => "Message rate too high",
        0x97 => "Quota exceeded",
        0x98 => "Administrative action",
        0x99 => "Payload format invalid",
        0x9A => "Retain not supported",
        0x9B => "QoS not supported",
        0x9C => "Use another server",
        0x9D => "Server moved",
        0x9E => "Shared Subscriptions not supported",
        0x9F => "Connection rate exceeded",
        0xA0 => "Maximum connect time",
        0xA1 => "Subscription Identifiers not supported",
        0xA2 => "Wildcard Subscriptions not supported",
        _ => "unknown",
    }
}

/// The name of a CONNACK's return code (MQTT 3.1.1 §3.2.2.3) or a SUBACK's (§3.9.3).
pub(super) fn return_code(kind: Kind, code: u8) -> &'static str {
    match (kind, code) {
        (Kind::CONNACK, 0) => "Connection Accepted",
        (Kind::CONNACK, 1) => "unacceptable protocol version",
        (Kind::CONNACK, 2) => "identifier rejected",
        (Kind::CONNACK, 3) => "Server unavailable",
        (Kind::CONNACK, 4) => "bad user name or password",
        (Kind::CONNACK, 5) => "not authorized",
        (Kind::SUBACK, 0) => "Granted QoS 0",
        (Kind::SUBACK, 1) => "Granted QoS 1",
        (Kind::SUBACK, 2) => "Granted QoS 2",
        (Kind::SUBACK, 0x80) => "Failure",
        _ => "unknown",
    }
}

/// How a property's value is written (MQTT 5.0 §2.2.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Byte,
    Two,
    Four,
    Variable,
    Text,
    Pair,
    Binary,
}

/// A property's name and form by its identifier.
pub(super) fn property(id: u64) -> Option<(&'static str, Form)> {
    Some(match id {
        0x01 => ("Payload Format Indicator", Form::Byte),
        0x02 => ("Message Expiry Interval", Form::Four),
        0x03 => ("Content Type", Form::Text),
        0x08 => ("Response Topic", Form::Text),
        0x09 => ("Correlation Data", Form::Binary),
        0x0B => ("Subscription Identifier", Form::Variable),
        0x11 => ("Session Expiry Interval", Form::Four),
        0x12 => ("Assigned Client Identifier", Form::Text),
        0x13 => ("Server Keep Alive", Form::Two),
        0x15 => ("Authentication Method", Form::Text),
        0x16 => ("Authentication Data", Form::Binary),
        0x17 => ("Request Problem Information", Form::Byte),
        0x18 => ("Will Delay Interval", Form::Four),
        0x19 => ("Request Response Information", Form::Byte),
        0x1A => ("Response Information", Form::Text),
        0x1C => ("Server Reference", Form::Text),
        0x1F => ("Reason String", Form::Text),
        0x21 => ("Receive Maximum", Form::Two),
        0x22 => ("Topic Alias Maximum", Form::Two),
        0x23 => ("Topic Alias", Form::Two),
        0x24 => ("Maximum QoS", Form::Byte),
        0x25 => ("Retain Available", Form::Byte),
        0x26 => ("User Property", Form::Pair),
        0x27 => ("Maximum Packet Size", Form::Four),
        0x28 => ("Wildcard Subscription Available", Form::Byte),
        0x29 => ("Subscription Identifier Available", Form::Byte),
        0x2A => ("Shared Subscription Available", Form::Byte),
        _ => return None,
    })
}
