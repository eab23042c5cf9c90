//! Connections that no server took, as far as they were to become a WebSocket.

use std::net::SocketAddr;

use super::Memory;
use crate::http::CONNECTION_REFUSED;
use crate::limits;
use crate::model::{At, Body, Dir, Finding, Flow, ON, Out, Text, Unit};

/// SYNs that were answered by RST, by the server that did.
#[derive(Debug, Default)]
pub struct Refusals {
    servers: Vec<Refusal>,
    /// There was another connection, of whatever kind.
    pub has_others: bool,
}

#[derive(Debug)]
struct Refusal {
    server: SocketAddr,
    first: At,
    last: At,
    times: u64,
}

impl Refusals {
    /// One more, whose last packet is `at`.
    pub fn count(&mut self, server: SocketAddr, at: At) {
        if let Some(known) = self.servers.iter_mut().find(|known| known.server == server) {
            (known.last, known.times) = (at, known.times + 1);
        } else if self.servers.len() < limits::OTHERS_LISTED {
            self.servers.push(Refusal { server, first: at, last: at, times: 1 });
        } else {
            // Somebody looks for open ports.
            self.has_others = true;
        }
    }

    /// Tells of those where WebSocket was spoken or asked for otherwise, and of what is all there is.
    pub fn tell(&self, memory: &Memory, out: &mut Out<'_>) -> Flow {
        // localhost has two addresses, which are tried one after the other.
        let ports = || self.servers.iter().map(|refusal| refusal.server.port());
        let is_all = !self.has_others && ports().min() == ports().max();
        for Refusal { server, first, last, times } in &self.servers {
            if !is_all && !memory.is_server(*server) {
                continue;
            }
            //= RFC 6455 §4.1
            //# If the connection could not be opened, either because a direct
            //# connection failed or because any proxy used returned an error,
            //# then the client MUST _Fail the WebSocket Connection_ and abort
            //# the connection attempt.
            let got = match times {
                1 => Text::new("a TCP reset in answer to SYN"),
                times => Text::with("a TCP reset in answer to SYN, {} times", times),
            };
            let expected = Text::with("a server that listens at {}", server);
            let finding = Finding::new(&CONNECTION_REFUSED, Dir::Server, expected, got);
            out.emit(&Unit {
                time: last.time,
                packets: (first.packet > 0).then_some((first.packet, last.packet)),
                findings: &[finding],
                ..Unit::of(0, Body::Note)
            })?;
        }
        ON
    }
}
