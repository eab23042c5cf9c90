//! A client of TLS 1.3 whose server was not heard: which cipher suite it speaks shows in its records, for one
//! opens with the right suite alone (RFC 8446 §5.2).

use std::sync::Arc;

use super::super::cipher::Opener;
use super::super::half::Stage;
use super::super::secrets::{Label, SessionSecrets};
use super::super::{ClientHello, HEADER, ServerHello, TLS_1_3, suite};
use super::Machine;

/// The suites that records of TLS 1.3 are read with (RFC 8446 §B.4).
const SUITES: [u16; 3] = [0x1301, 0x1302, 0x1303];

/// The suite with which a record of a client opens that is its first one behind the hello, or behind the
/// handshake.
pub fn suite_of(record: &[u8], secrets: &SessionSecrets) -> Option<u16> {
    let (header, body) = record.split_first_chunk::<HEADER>()?;
    let mut plain = Vec::new();
    SUITES.into_iter().find(|number| {
        let labels = [Label::ClientHandshake, Label::ClientTraffic];
        let mut known = labels.iter().filter_map(|label| secrets.secret(*label));
        known.any(|secret| {
            let opener = suite::suite(*number).and_then(|suite| Opener::of_traffic(suite, secret));
            opener.is_some_and(|opener| opener.open_as(0, *header, body, &mut plain).is_some())
        })
    })
}

/// Whether the record of a server of TLS 1.3 that is its first one behind the hello opens with these secrets.
pub fn opens_for_server(record: &[u8], suite: u16, secrets: &SessionSecrets) -> bool {
    let opens = || {
        let (header, body) = record.split_first_chunk::<HEADER>()?;
        let opener = Opener::of_traffic(suite::suite(suite)?, secrets.secret(Label::ServerHandshake)?)?;
        opener.open_as(0, *header, body, &mut Vec::new())
    };
    opens().is_some()
}

impl Machine {
    /// The server's hello is not there, and this is the suite of TLS 1.3 that it chose.
    pub fn infer(&mut self, suite: u16) {
        self.server = Some(ServerHello { version: TLS_1_3, suite, ..ServerHello::default() });
        self.is_inferred = true;
        for half in &mut self.halves {
            half.stage = Stage::Handshake;
        }
    }

    /// The client's hello is not there, and this is its random, with the secrets of the session.
    pub fn infer_client(&mut self, random: [u8; 32], secrets: Arc<SessionSecrets>) {
        self.client = Some(ClientHello { random, ..ClientHello::default() });
        self.secrets = secrets;
    }
}
