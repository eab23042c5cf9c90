//! Connections of QUIC, named by what their clients ask for: HTTP/3, in which a WebSocket would be
//! (RFC 9220).

use std::net::SocketAddr;

use super::Census;
use crate::limits;
use crate::model::Other;
use crate::tls::quic::{Flight, Version, begins};

/// Clients that have begun.
#[derive(Debug, Default)]
pub struct Quic {
    clients: Vec<Client>,
}

#[derive(Debug)]
struct Client {
    /// Client and server.
    ends: [SocketAddr; 2],
    version: Version,
    /// `None` once it was counted.
    flight: Option<Flight>,
}

impl Quic {
    /// Takes a datagram from one address to another.
    pub(crate) fn datagram(&mut self, ends: [SocketAddr; 2], datagram: &[u8], census: &mut Census) {
        let Some(version) = begins(datagram) else { return };
        let client = if let Some(place) = self.clients.iter().position(|client| client.ends == ends) {
            let client = &mut self.clients[place];
            if let Some(flight) = &mut client.flight {
                flight.take(datagram);
            }
            client
        } else {
            let mut flight = Flight::default();
            // A server's packets are protected with other keys.
            if !flight.take(datagram) {
                return;
            }
            if self.clients.len() >= limits::QUIC_CLIENTS {
                self.clients.remove(0).count(census);
            }
            self.clients.push(Client { ends, version, flight: Some(flight) });
            let last = self.clients.len() - 1;
            &mut self.clients[last]
        };
        if client.flight.as_ref().is_some_and(|flight| flight.hello().is_some()) {
            client.count(census);
        }
    }

    /// All was seen: those whose hello is not whole are counted, too.
    pub(crate) fn finish(&mut self, census: &mut Census) {
        self.clients.drain(..).for_each(|mut client| client.count(census));
    }
}

impl Client {
    /// Counts it, if that is still to be done.
    fn count(&mut self, census: &mut Census) {
        let Some(flight) = self.flight.take() else { return };
        let hello = flight.hello().unwrap_or_default();
        census.count(Other {
            protocol: "quic",
            server: Some(self.ends[1]),
            server_name: hello.server_name,
            version: Some(self.version.name()),
            alpn: hello.alpn,
            ..Other::default()
        });
    }
}
