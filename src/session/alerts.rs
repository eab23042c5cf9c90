//! TLS handshakes that one of the two ended with an alert.

use std::net::SocketAddr;

use crate::http::{TLS_ALERT, TLS_CLIENT_ALERT};
use crate::limits;
use crate::model::{At, Case, Diagnosis, Dir, Finding, Measure, Quantity, Text};
use crate::tls;

/// TLS handshakes that were ended with an alert (RFC 8446 §6.2), by server, sender and alert.
#[derive(Debug, Default)]
pub struct Alerts {
    pub(super) servers: Vec<Alerted>,
    pub(super) connections: u64,
}

#[derive(Debug)]
pub(super) struct Alerted {
    pub server: SocketAddr,
    by: Dir,
    code: u8,
    pub first: At,
    pub last: At,
    times: u64,
}

impl Alerts {
    /// One more, in the packet `at`.
    pub fn count(&mut self, server: SocketAddr, by: Dir, code: u8, at: At) {
        let is_it = |known: &&mut Alerted| (known.server, known.by, known.code) == (server, by, code);
        if let Some(known) = self.servers.iter_mut().find(is_it) {
            (known.last, known.times) = (at, known.times + 1);
        } else if self.servers.len() < limits::OTHERS_LISTED {
            self.servers.push(Alerted { server, by, code, first: at, last: at, times: 1 });
        } else {
            return;
        }
        self.connections += 1;
    }
}

impl Alerted {
    pub fn finding(&self) -> Finding {
        let Self { server, code, times, .. } = self;
        let name = match tls::alert_name(*code) {
            "" => code.to_string(),
            name => name.to_owned(),
        };
        if self.by == Dir::Client {
            return self.by_client(&name);
        }
        let got = match times {
            1 => Text::with("the alert {} in answer to the client's hello", &name),
            times => Text::with("the alert {} in answer to the client's hello, {} times", &name).and(times),
        };
        let [what, fix] = match code {
            70 => [
                "the server speaks other versions of TLS than the client",
                "let both speak TLS 1.2 or 1.3: update the older one",
            ],
            112 => [
                "the server has no certificate for the name that the client asks for, if it asks for one",
                "connect by the name that is in the certificate, and let the client send it (SNI)",
            ],
            120 => [
                "the server speaks none of the protocols that the client offers by ALPN",
                "offer http/1.1: WebSockets are opened with it, unless over HTTP/2",
            ],
            116 => [
                "the server asks for a certificate of the client, which has none",
                "give the client its certificate and key",
            ],
            _ => [
                "the two have no cipher, version or certificate in common",
                "see with openssl s_client -connect what the server takes, and look into its log",
            ],
        };
        let case = Case {
            server: Some(*server),
            ..Case::new(
                Text::with("{} ended the TLS handshake with an alert: {}", server).and(name),
                if *times > 1 { vec![Measure::count(Quantity::Times, *times)] } else { Vec::new() },
            )
        };
        Finding::new(&TLS_ALERT, Dir::Server, "a server hello".into(), got)
            .like(case)
            .because(Diagnosis::new(TLS_ALERT.id, what, fix))
    }

    /// The client ended it: mostly it does not trust the server's certificate.
    fn by_client(&self, name: &str) -> Finding {
        let Self { server, code, times, .. } = self;
        let got = match times {
            1 => Text::with("the alert {} from the client behind the server's hello", name),
            times => Text::with("the alert {} from the client behind the server's hello, {} times", name)
                .and(times),
        };
        let [what, fix] = match code {
            48 => [
                "the client does not know the authority that has signed the server's certificate",
                "give the client that authority's certificate, or the server one of an authority that \
                 clients know, with all between the two",
            ],
            45 => [
                "the server's certificate has expired, or the client's clock is wrong",
                "renew the certificate, and look at the client's clock",
            ],
            44 => [
                "the server's certificate was revoked",
                "have another certificate issued, and see why this one was revoked",
            ],
            42 | 43 | 46 => [
                "the client does not accept the server's certificate: its name, its authority or its kind",
                "compare the name that the client asks for with those in the certificate, and look into the \
                 client's log",
            ],
            70 | 71 => [
                "the client does not accept the version or the cipher that the server has chosen",
                "let both speak TLS 1.2 or 1.3: update the older one",
            ],
            _ => [
                "the client does not accept something in the server's answer",
                "look into the client's log: the alert is named there, too",
            ],
        };
        let case = Case {
            server: Some(*server),
            ..Case::new(
                Text::with("the client ended the TLS handshake with {} with an alert: {}", server).and(name),
                if *times > 1 { vec![Measure::count(Quantity::Times, *times)] } else { Vec::new() },
            )
        };
        Finding::new(&TLS_CLIENT_ALERT, Dir::Client, "a client that goes on".into(), got)
            .like(case)
            .because(Diagnosis::new(TLS_CLIENT_ALERT.id, what, fix))
    }
}
