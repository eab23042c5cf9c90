//! Packets one by one, for whoever counts bytes rather than follows streams.

use std::net::SocketAddr;

use etherparse::{TcpHeaderSlice, ip_number};

use super::Packet;
use super::tcp::Flags;
use super::tunnel::{self, Inside};

/// What a TCP packet is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Who sent it.
    pub from: SocketAddr,
    /// To whom.
    pub to: SocketAddr,
    /// Bytes of the IP and TCP headers, options and extension headers included, those of tunnels not.
    pub headers: u64,
    /// Bytes of stream, whether captured or not.
    pub data: u64,
    /// The sequence number of the first of them, or of the SYN.
    pub seq: u32,
    /// SYN: it opens a connection.
    pub syn: bool,
    /// FIN or RST.
    pub ends: bool,
}

/// Measures a packet; `None` when it is no TCP, a fragment of a datagram, or cut within its headers.
pub fn measure(packet: &Packet<'_>) -> Option<Measured> {
    let Inside::Datagram(datagram) = tunnel::inside(packet) else { return None };
    if datagram.protocol != ip_number::TCP || datagram.fragment.is_some() {
        return None;
    }
    let header = TcpHeaderSlice::from_slice(datagram.payload).ok()?;
    let length = header.slice().len();
    let (from, to) = datagram.addresses.ips();
    Some(Measured {
        from: SocketAddr::new(from, header.source_port()),
        to: SocketAddr::new(to, header.destination_port()),
        headers: u64::from(datagram.byte - datagram.header) + length as u64,
        data: (datagram.payload.len() - length) as u64 + u64::from(datagram.missing),
        seq: header.sequence_number(),
        syn: header.syn(),
        ends: Flags(header.slice()[13]).any(Flags::FIN | Flags::RST),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Time;

    #[test]
    fn headers_and_data_of_an_ethernet_frame_with_padding() {
        let mut data = vec![0; 12];
        data.extend([8, 0]);
        data.extend([0x45, 0, 0, 43, 0, 0, 0, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 2]);
        data.extend([0, 80, 1, 187, 0, 0, 0, 9, 0, 0, 0, 0, 0x50, 0x11, 0, 0, 0, 0, 0, 0]);
        data.extend(b"abc");
        data.extend([0; 3]);
        let packet = |data| Packet { number: 1, time: Time(0), link: 1, data, wire_len: 60 };
        let measured = measure(&packet(&data)).unwrap();
        assert_eq!((measured.headers, measured.data, measured.seq), (40, 3, 9));
        assert_eq!((measured.from.port(), measured.to.port()), (80, 443));
        assert!(measured.ends && !measured.syn);
        // Cut behind the headers the data still counts.
        assert_eq!(measure(&packet(&data[..54])).map(|m| m.data), Some(3));
        assert_eq!(measure(&packet(&data[..50])), None);
    }
}
