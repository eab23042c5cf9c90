//! What is no connection that is followed: SYNs in vain, and clients of QUIC.

use std::net::SocketAddr;

use super::Decoder;
use crate::model::{At, Other, Sink, Unopened};

impl<S: Sink> Decoder<S> {
    /// A connection to this address and port came to nothing.
    pub fn unopened(&mut self, server: SocketAddr, why: Unopened, at: At) {
        self.refusals.count(server, why, at);
        let protocol = match why {
            Unopened::Reset => "refused",
            Unopened::Silence { .. } => "unanswered",
            Unopened::Unreachable { .. } => "unreachable",
        };
        let one = Other { protocol, server: Some(server), ..Other::default() };
        self.memory.census.count(one);
    }

    /// A datagram from one address to another may be the first of a client of QUIC.
    #[cfg_attr(not(feature = "tls"), allow(unused_variables, reason = "it cannot be opened"))]
    pub fn quic(&mut self, ends: [SocketAddr; 2], datagram: &[u8]) {
        #[cfg(feature = "tls")]
        self.memory.quic.datagram(ends, datagram, &mut self.memory.census);
    }
}
