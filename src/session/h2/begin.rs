//! A session turns out to speak HTTP/2.

use super::{Around, Http2};
use crate::h2::Connection;
use crate::model::{Flow, ON, Side};
use crate::session::joined::by_ports;
use crate::session::{Context, Phase, Session, Start};

impl Session {
    /// The probe saw the preface of HTTP/2: what it held is HTTP/2's.
    pub(in crate::session) fn begin_preface(&mut self, client: Side, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Probe(probe) = std::mem::replace(&mut self.phase, Phase::Other) else { return ON };
        let connection = if matches!(self.about.start, Start::Midway | Start::SpokeHttp) {
            let server = client.other();
            let is_heard = probe.heard_as_frames(server) == self.about.offsets[server.index()];
            // Who is the client is said by the preface.
            self.about.start = Start::SpokeHttp;
            Connection::joined(is_heard)
        } else {
            Connection::new()
        };
        self.begin_http2(client, connection);
        for (side, offset, at, bytes) in probe.into_preface(client) {
            self.pass(side, &bytes, at, offset, cx)?;
        }
        ON
    }

    /// Frames of HTTP/2 whose beginning was not captured.
    pub(in crate::session) fn begin_http2_midway(&mut self, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Probe(probe) = std::mem::replace(&mut self.phase, Phase::Other) else { return ON };
        let client = by_ports(self.about.endpoints.as_deref());
        self.begin_http2(client, Connection::midway());
        for (side, offset, at, bytes) in probe.into_chains() {
            self.pass(side, &bytes, at, offset, cx)?;
        }
        ON
    }

    /// The connection speaks HTTP/2: `client` sends the preface, or has sent frames before the capture began.
    fn begin_http2(&mut self, client: Side, connection: Connection) {
        self.about.client = self.about.client.or(Some(client));
        self.phase = Phase::Http2(Box::new(Http2::new(connection, self.about.hears_both())));
    }

    /// Has HTTP/2 take something, where that is the phase.
    pub(in crate::session) fn http2(
        &mut self,
        cx: &mut Context<'_, '_>,
        takes: impl FnOnce(&mut Http2, &mut Around<'_, '_, '_>) -> Flow,
    ) -> Flow {
        match &mut self.phase {
            Phase::Http2(http2) => takes(http2, &mut Around { about: &mut self.about, cx }),
            _ => ON,
        }
    }
}
