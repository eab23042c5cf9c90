//! From bytes of which it was open what they are to what the probe found in them.

use super::http::Http;
use super::probe::{Found, in_order};
use super::sealed::Sealed;
use super::{Context, Phase, Session, Side, Start};
use crate::model::{At, Dir, Endpoint, Flow, Handshake, ON, Other, Receipt, Roles};
use crate::tls;
use crate::ws::{Conversation, Extensions};

impl Session {
    pub(super) fn probe_data(
        &mut self,
        side: Side,
        bytes: &[u8],
        at: At,
        offset: u64,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        let is_first = offset == self.beginning(side) || self.begins_tunnel();
        if self.about.start == Start::Opened && is_first && self.is_encrypted(side, bytes, at, offset) {
            return ON;
        }
        let is_clients = self.about.client == Some(side);
        // Of a server whose client was not heard.
        if self.about.start == Start::Opened && is_first && !is_clients && tls::answers(bytes) {
            if let Some(flow) = self.begin_unasked((side, bytes, at), offset, cx) {
                return flow;
            }
            self.about.start = Start::Midway;
            self.about.client = self.about.client.or(Some(side.other()));
        }
        if matches!(self.phase, Phase::New) {
            self.phase = Phase::Probe(Box::default());
        }
        let Phase::Probe(probe) = &mut self.phase else { return ON };
        let found = probe.look(side, bytes, at, offset, self.about.start, self.about.client);
        self.found(found, cx)
    }

    /// Whether a proxy has just opened a tunnel, through which nothing came yet.
    fn begins_tunnel(&self) -> bool {
        matches!(self.phase, Phase::New) && self.about.tunnel.as_ref().is_some_and(|it| !it.heads.is_empty())
    }

    fn found(&mut self, found: Found, cx: &mut Context<'_, '_>) -> Flow {
        match found {
            Found::Nothing => {}
            Found::Other => self.phase = Phase::Other,
            Found::Http => return self.begin_http(cx),
            #[cfg(feature = "h2")]
            Found::Http2(client) => return self.begin_preface(client, cx),
            #[cfg(feature = "h2")]
            Found::Http2Midway => return self.begin_http2_midway(cx),
            #[cfg(not(feature = "h2"))]
            Found::Http2(_) => self.phase = Phase::Other,
            Found::Frames { side, offset, masked } => return self.begin_frames(side, offset, masked, cx),
            Found::Sealed => self.begin_sealed(cx),
        }
        ON
    }

    /// One side or all is over: what the probe has must be enough.
    pub(super) fn probe_end(&mut self, at: At, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Probe(probe) = &self.phase else { return ON };
        let Some(found) = probe.ended() else { return ON };
        self.found(found, cx)?;
        // A side that had ended before was not known to be one of a WebSocket.
        for side in [Side::A, Side::B] {
            if let (Some(how), Some(dir)) = (self.about.ended[side.index()], self.about.dir(side))
                && let Phase::WebSocket(talk) = &mut self.phase
            {
                talk.end(dir, how, Receipt::default(), at, cx.out, cx.scratch)?;
            }
        }
        ON
    }

    /// Records of TLS whose client hello was not seen: no secret of a key log can be told to be theirs.
    fn begin_sealed(&mut self, cx: &mut Context<'_, '_>) {
        let Phase::Probe(probe) = std::mem::replace(&mut self.phase, Phase::Other) else { return };
        let endpoints = self.about.endpoints.as_deref();
        let client = self.about.client.unwrap_or_else(|| by_ports(endpoints));
        self.about.client = Some(client);
        let (sides, first) = probe.into_records();
        let server = endpoints.map(|endpoints| endpoints[client.other().index()]);
        let kind = Other { protocol: "tls", server, is_joined: true, ..Other::default() };
        cx.memory.census.count(kind.clone());
        self.phase = Phase::Sealed(Box::new(Sealed::midway(kind, client, first, sides)));
    }

    /// The probe saw HTTP: what it held is HTTP's.
    fn begin_http(&mut self, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Probe(probe) = std::mem::replace(&mut self.phase, Phase::Other) else { return ON };
        self.about.client = self.about.client.or(probe.client());
        self.phase = Phase::Http(Box::new(Http::new()));
        for (side, held) in probe.into_heads() {
            for (offset, at, bytes) in held.pieces() {
                self.pass(side, bytes, at, offset, cx)?;
            }
        }
        ON
    }

    /// Frames without a handshake: the roles follow from the masking. The first of `side`
    /// begins at byte `offset` of its stream, or where what is held begins.
    pub(super) fn begin_frames(
        &mut self,
        side: Side,
        offset: Option<u64>,
        masked: bool,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        let Phase::Probe(probe) = std::mem::replace(&mut self.phase, Phase::Other) else { return ON };
        let said = self.about.client.is_some();
        let other = side.other();
        let client = self.about.client.unwrap_or(if masked { side } else { other });
        self.about.client = Some(client);
        let held = probe.into_frames(side, offset);
        let start = |side: Side| {
            let held = held.iter().find(|(of, _)| *of == side);
            held.map_or(self.about.offsets[side.index()], |(_, held)| held.offset())
        };
        let offsets = [start(client), start(client.other())];
        let pieces = held
            .iter()
            .flat_map(|(side, held)| held.pieces().map(|(offset, at, bytes)| (*side, offset, at, bytes)));
        let pieces = in_order(pieces);
        if self.about.told.is_none() {
            let roles = match self.about.start {
                _ if !said => Roles::Masking,
                Start::Given => Roles::Assumed,
                // A part of the request was there.
                Start::Opened | Start::Midway | Start::SpokeHttp => Roles::Handshake,
            };
            self.about.announce(roles, Handshake::Missing, cx);
            // What went wrong before is told after it, and must not have come before it.
            let first = pieces.first().and_then(|(_, _, at, _)| at.time);
            let time = self.about.first_anomaly().into_iter().chain(first).min();
            self.about.introduce(time, cx)?;
        }
        let conn = self.conn().unwrap_or_default();
        let mut talk = match self.about.start {
            Start::Given => Conversation::new(conn, offsets, Extensions::UNKNOWN),
            _ => Conversation::midway(conn, offsets, if side == client { Dir::Client } else { Dir::Server }),
        };
        if self.about.parent.is_some() {
            talk.on_stream();
        }
        self.phase = Phase::WebSocket(Box::new(talk.on(self.about.layer)));
        pieces.iter().try_for_each(|(side, offset, at, bytes)| self.pass(*side, bytes, *at, *offset, cx))
    }
}

/// Who is the client where nothing else says it: servers have the lower port.
pub(super) fn by_ports(endpoints: Option<&[Endpoint; 2]>) -> Side {
    endpoints.map_or(Side::A, |[a, b]| if a.port() < b.port() { Side::B } else { Side::A })
}
