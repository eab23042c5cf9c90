//! One connection's bytes held against this project's own decoder: what the sockets
//! carried, and what the decoder makes of it, have to be the same number of bytes.

use std::net::{Ipv4Addr, SocketAddr};

use super::line::Recording;
use crate::model::{At, Body, Dir, Flow, ON, Out, Sink, Unit, Wants};
use crate::session::{Context, Memory, Session, Side, Start};
use crate::ws::{Scratch, StreamEnd};

/// What a sender's bytes are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// Bytes counted on the socket.
    pub socket: u64,
    /// Bytes of its HTTP heads.
    pub heads: u64,
    /// Its frames, the bytes of their headers and of their payloads.
    pub frames: u64,
    pub headers: u64,
    pub payloads: u64,
}

impl Sum {
    /// Bytes the decoder found.
    pub fn decoded(&self) -> u64 {
        self.heads + self.headers + self.payloads
    }
}

/// Decodes a WebSocket connection from its first byte: client's sum, server's sum.
pub fn decode(recording: &Recording) -> [Sum; 2] {
    let mut sums = Sums::default();
    let mut out = Out::new(&mut sums);
    let (mut scratch, mut connections, mut memory) = (Scratch::default(), 0, Memory::default());
    let mut cx =
        Context { out: &mut out, scratch: &mut scratch, connections: &mut connections, memory: &mut memory };
    let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut session = Session::new(Some([local, local]), Start::Opened);
    for (from, bytes) in &recording.pieces {
        let side = if *from == Dir::Client { Side::A } else { Side::B };
        session.data(side, bytes, At::default(), &mut cx);
    }
    // Nothing follows that could be stopped.
    let _: Flow = session.finish(StreamEnd::Capture, None, &mut cx);
    let mut sums = sums.0;
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
