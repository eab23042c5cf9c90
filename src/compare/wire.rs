//! What a write costs below the application protocol: TLS records, TCP segments, acknowledgements.

use std::ops::{Add, AddAssign, Mul};

/// Bytes by who needs them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// The messages themselves.
    pub application: f64,
    /// HTTP heads and chunks, WebSocket, HTTP/2 and Socket.IO framing, heartbeats.
    pub protocol: f64,
    /// IP and TCP headers, acknowledgements included.
    pub tcp_ip: f64,
    /// TLS records and handshakes.
    pub tls: f64,
}

impl Load {
    /// All of it.
    pub fn total(self) -> f64 {
        self.application + self.protocol + self.tcp_ip + self.tls
    }
}

impl Add for Load {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            application: self.application + other.application,
            protocol: self.protocol + other.protocol,
            tcp_ip: self.tcp_ip + other.tcp_ip,
            tls: self.tls + other.tls,
        }
    }
}

impl AddAssign for Load {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Mul<f64> for Load {
    type Output = Self;

    fn mul(self, times: f64) -> Self {
        Self {
            application: self.application * times,
            protocol: self.protocol * times,
            tcp_ip: self.tcp_ip * times,
            tls: self.tls * times,
        }
    }
}

/// The layers below.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wire {
    /// IPv6 instead of IPv4.
    pub ipv6: bool,
    /// Bytes an IP packet may have (RFC 894: 1,500 on Ethernet).
    pub mtu: u64,
    /// TLS 1.3 around everything (RFC 8446).
    pub tls: bool,
    /// Bytes of a TLS handshake, both directions.
    pub tls_handshake: u64,
    /// Bytes TLS adds to a record: 22 in TLS 1.3, header 5, content type 1, tag 16 (RFC 8446 §5.2).
    pub tls_record: u64,
    /// TCP's timestamps option in every segment (RFC 7323 §3.2).
    pub timestamps: bool,
    /// Seconds a receiver waits for something to send an acknowledgement with (RFC 9293 §3.8.6.3).
    pub ack_delay: f64,
}

/// Bytes of plaintext a record may hold (RFC 8446 §5.1).
const RECORD_HOLDS: u64 = 16_384;

/// The TCP timestamps option with its padding, which almost every current system sends (RFC 7323 §3.2).
const TIMESTAMPS: u64 = 12;

/// The options of a SYN without timestamps: maximum segment size, SACK, window scale, padding. With them
/// they take 8 bytes more, for two of padding are used.
const SYN_OPTIONS: u64 = 12;

impl Wire {
    /// IPv4 on Ethernet, TCP with timestamps, and no TLS.
    pub const PLAIN: Self = Self {
        ipv6: false,
        mtu: 1500,
        tls: false,
        tls_handshake: 4500,
        tls_record: 22,
        timestamps: true,
        ack_delay: 0.04,
    };

    fn ip(self) -> u64 {
        if self.ipv6 { 40 } else { 20 }
    }

    /// Bytes of headers of a segment, and of a pure acknowledgement: 52 with IPv4.
    pub fn headers(self) -> u64 {
        self.ip() + 20 + if self.timestamps { TIMESTAMPS } else { 0 }
    }

    /// Bytes of stream a segment holds.
    pub fn segment_holds(self) -> u64 {
        self.mtu - self.headers()
    }

    /// Bytes of TLS around a write of `bytes`.
    pub fn tls_around(self, bytes: u64) -> u64 {
        if self.tls { bytes.div_ceil(RECORD_HOLDS) * self.tls_record } else { 0 }
    }

    /// Segments that a write of `bytes` takes.
    pub fn segments(self, bytes: u64) -> u64 {
        (bytes + self.tls_around(bytes)).div_ceil(self.segment_holds())
    }

    /// What one write costs without its acknowledgements.
    pub fn write(self, application: u64, protocol: u64) -> Load {
        let bytes = application + protocol;
        Load {
            application: application as f64,
            protocol: protocol as f64,
            tcp_ip: (self.segments(bytes) * self.headers()) as f64,
            tls: self.tls_around(bytes) as f64,
        }
    }

    /// What so many pure acknowledgements cost.
    pub fn acks(self, count: f64) -> Load {
        Load { tcp_ip: count * self.headers() as f64, ..Load::default() }
    }

    /// What opening a connection costs: SYN, SYN-ACK, ACK, and the TLS handshake.
    pub fn open(self) -> Load {
        let syn = self.ip() + 20 + SYN_OPTIONS + if self.timestamps { 8 } else { 0 };
        let mut load = Load { tcp_ip: (2 * syn + self.headers()) as f64, ..Load::default() };
        if self.tls {
            // Two flights and the client's Finished, each with its acknowledgement.
            let segments = self.tls_handshake.div_ceil(self.segment_holds()) + 2;
            load.tls += self.tls_handshake as f64;
            load.tcp_ip += (segments + 2) as f64 * self.headers() as f64;
        }
        load
    }

    /// What closing one costs: FIN, FIN-ACK, ACK.
    pub fn close(self) -> Load {
        self.acks(3.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Wire = Wire::PLAIN;

    #[test]
    #[allow(clippy::float_cmp)] // sums of small whole numbers are exact
    fn a_poll_and_a_frame_cost_what_the_fair_comparison_says() {
        let exchange = |wire: Wire| wire.write(0, 716) + wire.write(21, 193) + wire.acks(1.0);
        let frame = |wire: Wire| wire.write(21, 2) + wire.acks(1.0);
        assert_eq!((exchange(PLAIN).total(), frame(PLAIN).total()), (1086.0, 127.0));
        let tls = Wire { tls: true, ..PLAIN };
        assert_eq!((exchange(tls).total(), frame(tls).total()), (1130.0, 149.0));
    }

    #[test]
    fn long_writes_take_segments_and_records() {
        assert_eq!((PLAIN.segments(1448), PLAIN.segments(1449)), (1, 2));
        let tls = Wire { tls: true, ipv6: true, ..PLAIN };
        assert_eq!((tls.segment_holds(), tls.segments(1406), tls.segments(1407)), (1428, 1, 2));
        assert_eq!(tls.tls_around(16_385), 44);
    }

    #[test]
    fn timestamps_and_records_can_be_set() {
        let bare = Wire { timestamps: false, ..PLAIN };
        assert_eq!((bare.headers(), bare.segment_holds()), (40, 1460));
        let open = |wire: Wire| wire.open().tcp_ip as u64;
        assert_eq!((open(PLAIN), open(bare)), (60 + 60 + 52, 52 + 52 + 40));
        let tls = Wire { tls: true, tls_record: 29, ..PLAIN };
        assert_eq!(tls.tls_around(100), 29);
    }
}
