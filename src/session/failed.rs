//! What failed between TCP and HTTP: tunnels that a proxy did not open, and TLS handshakes that came to
//! nothing.

use std::net::SocketAddr;

use crate::http::{TLS_ALERT, TLS_CLIENT_ALERT, TLS_DROPPED, TLS_TO_PLAIN_PORT, TUNNEL_REFUSED};
use crate::limits;
use crate::model::{At, Case, Diagnosis, Dir, Finding, Measure, Quantity, Rule, Text, prefix};
use crate::tls;

/// Connections that failed before they could speak HTTP, by server and how.
#[derive(Debug, Default)]
pub struct Failures {
    pub(super) servers: Vec<Failure>,
    pub(super) connections: u64,
}

#[derive(Debug)]
pub(super) struct Failure {
    pub server: SocketAddr,
    how: How,
    pub first: At,
    pub last: At,
    times: u64,
}

/// How a connection failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// An endpoint ended the TLS handshake with an alert that is in clear (RFC 8446 §6.2).
    Alert { by: Dir, code: u8 },
    /// The server ended it with an alert in clear behind its own hello.
    LateAlert { code: u8 },
    /// The client's first and only record under TLS 1.3 has the size of an alert.
    SealedAlert,
    /// An endpoint ended TCP in the middle of the TLS handshake: the client behind the server's hello, the
    /// server instead of one.
    Dropped { by: Dir },
    /// The server answers the client's hello in what is neither TLS nor HTTP.
    InClear { answer: Text },
    /// A proxy did not open the tunnel to this host and port (RFC 9110 §9.3.6).
    Tunnel { status: u16, answer: Box<str>, to: Box<str> },
}

impl Failures {
    /// One more, in the packet `at`.
    pub(super) fn count(&mut self, server: SocketAddr, how: How, at: At) {
        if let Some(known) = self.servers.iter_mut().find(|known| known.server == server && known.how == how)
        {
            (known.last, known.times) = (at, known.times + 1);
        } else if self.servers.len() < limits::OTHERS_LISTED {
            self.servers.push(Failure { server, how, first: at, last: at, times: 1 });
        } else {
            return;
        }
        self.connections += 1;
    }
}

impl Failure {
    pub fn finding(&self) -> Finding {
        match &self.how {
            How::Alert { by, code } => self.alert(*by, *code),
            How::LateAlert { code } => self.late_alert(*code),
            How::SealedAlert => self.sealed_alert(),
            How::Dropped { by } => self.dropped(*by),
            How::InClear { answer } => self.in_clear(answer),
            How::Tunnel { status, answer, to } => self.tunnel(*status, answer, to),
        }
    }

    /// A finding of this rule against `by`: what was `got` instead of what was `expected`, what that is in a
    /// sentence, and what may be behind it, with what to try.
    fn found(
        &self,
        (rule, by): (&'static Rule, Dir),
        [expected, got, said]: [Text; 3],
        [what, fix]: [&'static str; 2],
    ) -> Finding {
        let times = (self.times > 1).then(|| Measure::count(Quantity::Times, self.times));
        let case = Case { server: Some(self.server), ..Case::new(said, times.into_iter().collect()) };
        Finding::new(rule, by, expected, got).like(case).because(Diagnosis::new(rule.id, what, fix))
    }

    /// What came once, or so often.
    fn got(&self, once: Text, often: Text) -> Text {
        if self.times == 1 { once } else { often.and(self.times) }
    }

    fn alert(&self, by: Dir, code: u8) -> Finding {
        let name = alert_name(code);
        if by == Dir::Client {
            return self.by_client(code, &name);
        }
        let got = self.got(
            Text::with("the alert {} from the server", &name),
            Text::with("the alert {} from the server, {} times", &name),
        );
        let said = Text::with("{} ended the TLS handshake with an alert: {}", self.server).and(name);
        let expected = "a server that goes on".into();
        self.found((&TLS_ALERT, Dir::Server), [expected, got, said], why_by_server(code))
    }

    /// The server ended it, after both had said hello.
    fn late_alert(&self, code: u8) -> Finding {
        let name = alert_name(code);
        let got = self.got(
            Text::with("the alert {} from the server behind its own hello", &name),
            Text::with("the alert {} from the server behind its own hello, {} times", &name),
        );
        let why = match code {
            // RFC 5246 §7.4.6 has a server say so to a client without a certificate.
            40 => [
                "the server asks for a certificate of the client, mostly, which has none",
                "give the client its certificate and key, or do not ask for one",
            ],
            42..=46 | 48 | 49 => [
                "the server does not accept the client's certificate: its authority, its dates or its kind",
                "compare the client's certificate with the authorities that the server trusts, and look into \
                 its log",
            ],
            _ => ["the server does not accept something of the client's", "look into the server's log"],
        };
        let said = Text::with("{} ended the TLS handshake with an alert: {}", self.server).and(name);
        self.found((&TLS_ALERT, Dir::Server), ["a handshake that is finished".into(), got, said], why)
    }

    /// The client ended it: mostly it does not trust the server's certificate.
    fn by_client(&self, code: u8, name: &str) -> Finding {
        let got = self.got(
            Text::with("the alert {} from the client behind the server's hello", name),
            Text::with("the alert {} from the client behind the server's hello, {} times", name),
        );
        let said =
            Text::with("the client ended the TLS handshake with {} with an alert: {}", self.server).and(name);
        let expected = "a client that goes on".into();
        self.found((&TLS_CLIENT_ALERT, Dir::Client), [expected, got, said], why_by_client(code))
    }

    /// What its size says of a record that nobody else can read: a Finished is longer, and so is any
    /// message of a handshake.
    fn sealed_alert(&self) -> Finding {
        let got = self.got(
            Text::new("one record of the size of an alert (inferred), and no more of the client"),
            Text::new("one record of the size of an alert (inferred), and no more of the client, {} times"),
        );
        let said = Text::with(
            "the client ended the TLS handshake with {} after the server's certificate, by what its size \
             says is an alert",
            self.server,
        );
        self.distrusted(got, said)
    }

    /// Somebody has ended TCP without a word.
    fn dropped(&self, by: Dir) -> Finding {
        if by == Dir::Client {
            let got = self.got(
                Text::new("the end of TCP by the client, right after the server's hello"),
                Text::new("the end of TCP by the client, right after the server's hello, {} times"),
            );
            let said = Text::with(
                "the client left the TLS handshake with {} without a word after the server's certificate",
                self.server,
            );
            return self.distrusted(got, said);
        }
        let got = self.got(
            Text::new("the end of TCP by the server in answer to the client's hello"),
            Text::new("the end of TCP by the server in answer to the client's hello, {} times"),
        );
        let said = Text::with("{} ended TCP without an answer to the client's TLS hello", self.server);
        let why = [
            "what listens there speaks no TLS, or does not like the hello (version, cipher, server name) and \
             does not say so",
            "see with openssl s_client -connect what it answers, and look into its log",
        ];
        self.found((&TLS_DROPPED, by), ["a server hello, or an alert".into(), got, said], why)
    }

    /// What listens there speaks something else.
    fn in_clear(&self, answer: &Text) -> Finding {
        let got = self.got(
            Text::new("in answer to the client's hello, {}").word(answer.clone()),
            Text::new("in answer to the client's hello, {}; {} times").word(answer.clone()),
        );
        let said = Text::with("{} answers TLS in something else: {}", self.server).word(answer.clone());
        let why = [
            "what listens there speaks no TLS: another service, or a port without it",
            "connect to the port at which TLS is spoken, or see what listens at this one",
        ];
        self.found((&TLS_TO_PLAIN_PORT, Dir::Client), ["a server hello, or an alert".into(), got, said], why)
    }

    /// The client does not go on when it has the server's certificate.
    fn distrusted(&self, got: Text, said: Text) -> Finding {
        let why = [
            "the client does not trust the server's certificate (its authority, name or dates), or it was \
             ended at that moment",
            "look into the client's log; compare the certificate with the name that the client asks for: \
             openssl s_client -connect shows it",
        ];
        let expected = "a client that finishes the handshake".into();
        self.found((&TLS_DROPPED, Dir::Client), [expected, got, said], why)
    }

    fn tunnel(&self, status: u16, answer: &str, to: &str) -> Finding {
        let [answer, to] = [answer, to].map(|it| prefix(it, limits::REASON_SHOWN));
        let got = self.got(
            Text::with("{} in answer to CONNECT", answer),
            Text::with("{} in answer to CONNECT, {} times", answer),
        );
        let said =
            Text::with("the proxy {} did not open a tunnel to {}: {}", self.server).and(to).and(answer);
        let why = match status {
            407 => [
                "the proxy wants the client to authenticate first",
                "give the client the proxy's user and password, in a way that it can (Basic, NTLM …)",
            ],
            403 | 405 => [
                "the proxy does not let this host or port through",
                "have the proxy let it through; many open tunnels to port 443 alone: use wss://",
            ],
            502..=504 => [
                "the proxy could not reach that host: its name, its address or its port",
                "see from the proxy's own host whether the name resolves and the port answers",
            ],
            _ => ["the proxy does not open this tunnel", "look into the proxy's log"],
        };
        self.found((&TUNNEL_REFUSED, Dir::Server), ["a 2xx, and the tunnel".into(), got, said], why)
    }
}

/// An alert by its name, or by its number.
fn alert_name(code: u8) -> String {
    match tls::alert_name(code) {
        "" => code.to_string(),
        name => name.to_owned(),
    }
}

/// Why an endpoint ends a handshake with this fatal alert, and what to do: what is behind it mostly.
pub(super) fn behind_alert(by: Dir, code: u8) -> Diagnosis {
    let (rule, [what, fix]) = match by {
        Dir::Client => (&TLS_CLIENT_ALERT, why_by_client(code)),
        Dir::Server => (&TLS_ALERT, why_by_server(code)),
    };
    Diagnosis::new(rule.id, what, fix)
}

fn why_by_server(code: u8) -> [&'static str; 2] {
    match code {
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
            "the server asks for a certificate of the client, which has sent none",
            "give the client its certificate and key",
        ],
        _ => [
            "the two have no cipher, version or certificate in common",
            "see with openssl s_client -connect what the server takes, and look into its log",
        ],
    }
}

fn why_by_client(code: u8) -> [&'static str; 2] {
    match code {
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
    }
}
