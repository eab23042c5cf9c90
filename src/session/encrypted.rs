//! A connection that speaks TLS: followed until both hellos were seen, then counted and let go.

use crate::limits;
use crate::model::{Flow, ON, Other};
use crate::tls::{self, ClientHello, Hello};

use super::{Context, Phase, Session, Side};

/// What is kept of it meanwhile: what each side began with.
#[derive(Debug, Default)]
pub(super) struct Encrypted {
    begins: [Vec<u8>; 2],
}

impl Encrypted {
    /// What holding takes, in bytes.
    pub fn cost(&self) -> usize {
        self.begins.iter().map(Vec::len).sum()
    }
}

impl Session {
    /// Whether a side's first bytes are those of TLS; they are kept then.
    pub(super) fn is_encrypted(&mut self, side: Side, bytes: &[u8]) -> bool {
        let is = tls::begins(bytes);
        if is {
            let mut tls = Encrypted::default();
            tls.begins[side.index()].extend_from_slice(&bytes[..bytes.len().min(limits::TLS_HELLO)]);
            self.client = self.client.or(Some(side));
            self.phase = Phase::Encrypted(Box::new(tls));
        }
        is
    }

    pub(super) fn encrypted_data(&mut self, side: Side, bytes: &[u8], cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Encrypted(tls) = &mut self.phase else { return ON };
        let begin = &mut tls.begins[side.index()];
        let room = limits::TLS_HELLO - begin.len();
        begin.extend_from_slice(&bytes[..bytes.len().min(room)]);
        let full = begin.len() == limits::TLS_HELLO;
        // The server answers once it has all of the client's.
        if full || self.client != Some(side) && tls::hello(&tls.begins[side.index()]) != Hello::Cut {
            self.count_encrypted(cx);
        }
        ON
    }

    /// Counts the connection by what is known of it.
    pub(super) fn count_encrypted(&mut self, cx: &mut Context<'_, '_>) {
        if !matches!(self.phase, Phase::Encrypted(_)) {
            return;
        }
        let Phase::Encrypted(tls) = std::mem::replace(&mut self.phase, Phase::Other) else { return };
        let (Some(client), Some(endpoints)) = (self.client, self.endpoints.as_deref()) else { return };
        let Hello::Client(ClientHello { version, server_name, alpn }) =
            tls::hello(&tls.begins[client.index()])
        else {
            return;
        };
        let (version, alpn) = match tls::hello(&tls.begins[client.other().index()]) {
            Hello::Server(answer) => (answer.version, answer.alpn.map_or(alpn, |chosen| vec![chosen])),
            _ => (version, alpn),
        };
        cx.memory.census.count(Other {
            protocol: "tls",
            server: Some(endpoints[client.other().index()]),
            server_name,
            version: tls::version_name(version),
            alpn,
            connections: 1,
        });
    }
}
