//! Connections that are known to carry lines of text: by their port, or because an endpoint says so.

use std::net::SocketAddr;

use super::{Beginning, Decoder};
use crate::model::{At, FlowId, Interest, Side, Sink};
use crate::session::Session;

/// Ports whose servers speak lines.
#[derive(Clone, Debug, Default)]
pub(super) struct Lines(Vec<u16>);

impl Lines {
    /// A session, of lines where one of its endpoints has such a port.
    pub fn of(&self, session: Session, endpoints: Option<[SocketAddr; 2]>) -> Session {
        let Some([a, b]) = endpoints.filter(|_| !self.0.is_empty()) else { return session };
        // Where both have one, the server is who did not open the connection.
        match (self.0.contains(&a.port()), self.0.contains(&b.port())) {
            (_, true) => session.of_lines(Side::A),
            (true, false) => session.of_lines(Side::B),
            (false, false) => session,
        }
    }
}

impl<S: Sink> Decoder<S> {
    /// Takes what comes from and goes to these ports for lines of text, whatever it looks like.
    #[must_use]
    pub fn with_lines(mut self, ports: Vec<u16>) -> Self {
        self.lines = Lines(ports);
        self
    }

    /// Says that a connection carries lines of text, now that its server knows it. `early` is what its
    /// client, [`Side::A`], had sent by then, which was told already.
    pub fn speaks_lines(&mut self, id: FlowId, beginning: &Beginning, early: &[u8], at: At) -> Interest {
        if self.conn(id).is_some() {
            return Interest::Follow;
        }
        let &Beginning { endpoints, start, both_heard, .. } = beginning;
        let session = Session::new(endpoints, start).hearing_both(both_heard);
        self.take_in(id, session.of_lines(Side::A));
        if early.is_empty() { Interest::Follow } else { self.other_data(id, Side::A, early, at) }
    }
}
