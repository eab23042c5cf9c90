//! One connection's bytes held against this project's own decoder: what the sockets
//! carried, and what the decoder makes of it, have to be the same number of bytes.

use std::net::{Ipv4Addr, SocketAddr};

use super::line::Recording;
use crate::decoder::{Beginning, Decoder};
use crate::model::{At, Body, Flow, FlowId, ON, Side, Sink, Unit, Wants};

/// What a sender's bytes are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Bytes counted on the socket.
    pub socket: u64,
    /// Bytes of its HTTP heads.
    pub heads: u64,
    /// Its frames, the bytes of their headers and of their payloads.
    pub frames: u64,
    /// Bytes of the frames' headers.
    pub headers: u64,
    /// Bytes of the frames' payloads.
    pub payloads: u64,
}

impl Sum {
    /// Bytes the decoder found.
    #[cfg(test)]
    pub fn decoded(&self) -> u64 {
        self.heads + self.headers + self.payloads
    }
}

/// Decodes a WebSocket connection from its first byte: client's sum, server's sum.
pub fn decode(recording: &Recording) -> [Sum; 2] {
    const ONE: FlowId = FlowId(0);
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut decoder = Decoder::new(Sums::default());
    decoder.open(ONE, &Beginning::opened([local, local]));
    for (from, bytes) in &recording.pieces {
        decoder.data(ONE, Side::of(*from), bytes, At::default());
    }
    let (Sums(mut sums), _) = decoder.finish();
    for (sum, bytes) in sums.iter_mut().zip(recording.bytes) {
        sum.socket = bytes;
    }
    sums
}

#[derive(Default)]
struct Sums([Sum; 2]);

impl Sink for Sums {
    fn wants(&self) -> Wants {
        Wants { fields: true, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        let Some(sum) = unit.dir.map(|dir| &mut self.0[dir.index()]) else { return ON };
        match unit.body {
            Body::Http(head) => sum.heads += head.bytes.len() as u64,
            // A frame the recording ends in has as many bytes as arrived.
            Body::Frame(frame) => {
                sum.frames += 1;
                sum.headers += u64::from(frame.header.header_length());
                sum.payloads += frame.captured;
            }
            _ => {}
        }
        ON
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::frames::frame;
    use crate::model::{Dir, Opcode};

    const REQUEST: &str = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    fn recording() -> Recording {
        let mut recording = Recording::default();
        for (from, bytes) in [
            (Dir::Client, REQUEST.as_bytes().to_vec()),
            (Dir::Server, RESPONSE.as_bytes().to_vec()),
            (Dir::Server, frame(Dir::Server, Opcode::TEXT, &[b'x'; 200])),
            (Dir::Client, frame(Dir::Client, Opcode::PONG, b"")),
        ] {
            recording.bytes[from.index()] += bytes.len() as u64;
            recording.pieces.push((from, bytes.into()));
        }
        recording
    }

    #[test]
    fn every_byte_is_found() {
        let [client, server] = decode(&recording());
        assert_eq!(
            (client.heads, client.frames, client.headers, client.payloads),
            (REQUEST.len() as u64, 1, 6, 0)
        );
        assert_eq!((server.heads, server.frames, server.headers), (RESPONSE.len() as u64, 1, 4));
        assert_eq!((client.decoded(), server.decoded()), (client.socket, server.socket));
    }

    #[test]
    fn what_is_missing_or_too_much_shows() {
        let mut missing = recording();
        missing.pieces.remove(2);
        let [_, server] = decode(&missing);
        assert_eq!(server.socket - server.decoded(), 204);
    }
}
