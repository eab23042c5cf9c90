//! A client, from its first byte to the last: what it wants, and where that goes.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Settings;
use super::exchange::Exchanges;
use super::follow::Follow;
use super::head::{self, Address, Edits, First};
use super::judge::Judge;
use super::pipe;
use super::preface;
use super::relay::{Followed, Relay, Talk};
use super::stream::{Stream, is_client_hello};
use super::target::{Opened, Target, Unreached};
use crate::http::accept_value;
use crate::lab::fault::Plan;
use crate::lab::http2;
use crate::lab::hub::held;
use crate::lab::tap::{Tap, Wire};
use crate::model::{Dir, Layer, StreamEnd, Text};
use crate::synth::Rng;

/// How long a client may take to say what it wants, where that has to be known.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// A client has connected.
pub(super) struct Visit {
    pub from: SocketAddr,
    pub settings: Arc<Settings>,
    tap: Tap,
    /// What goes wrong.
    plan: Plan,
    rng: Rng,
}

/// A server that a client is let through to.
pub(super) struct Server {
    pub target: Target,
    /// Where that was tried already: a connection, or why there is none.
    pub open: Option<Opened>,
}

impl Visit {
    pub fn new(from: SocketAddr, settings: Arc<Settings>, tap: Tap) -> Self {
        let (plan, rng) = {
            let mut rng = held(&settings.rng);
            (Plan::roll(&settings.faults, &mut rng), Rng::new(rng.next_u64()))
        };
        Self { from, settings, tap, plan, rng }
    }

    pub async fn run(self, client: TcpStream) {
        let client = Stream::new(client, Dir::Server, &self.settings.below);
        let Some(target) = self.settings.to.clone() else { return self.as_proxy(client).await };
        let (client, open) = match &self.settings.client_tls {
            None => {
                let mut client = client;
                let open = self.ahead(&mut client, &target).await;
                (client, open)
            }
            Some(tls) => match self.secure(client, tls, &target).await {
                Some(secured) => secured,
                None => return,
            },
        };
        self.through(client, None, Server { target, open }).await;
    }

    /// Agrees on TLS with the client, and with the server where both may speak HTTP/2; `None`, once that is
    /// told, where it does not.
    async fn secure(
        &self,
        mut client: Stream,
        tls: &ServerConfig,
        target: &Target,
    ) -> Option<(Stream, Option<Opened>)> {
        match timeout(PATIENCE, client.look()).await {
            // Whoever leaves without a word was looking whether somebody is there.
            Ok(Ok(0) | Err(_)) => return None,
            Ok(Ok(_)) if !is_client_hello(client.early()) => {
                let words = "{} speaks without TLS where --tls is asked for: let it connect to wss://";
                self.tell(&Text::with(words, self.from));
                let body = "This port speaks TLS: connect to wss:// (or https://).\n";
                self.refuse(client, 400, "Bad Request", body).await;
                return None;
            }
            Ok(Ok(_)) => {}
            Err(_) => {
                let words = "{} was silent for {} s where it should begin with TLS";
                self.tell(&Text::with(words, self.from).and(PATIENCE.as_secs()));
                return None;
            }
        }
        self.agree(client, tls, target, None).await
    }

    /// Passes on what cannot be read.
    pub(super) async fn blind(&self, client: Stream, server: Stream, address: SocketAddr) {
        let wire = self.tap.open([self.from, address]);
        pipe::pass(client, server, &wire).await;
    }

    /// Where what is shown of a connection is told, which the one side speaks or the other.
    fn wire(&self, client: &Stream, target: &Target, address: SocketAddr) -> Wire {
        let is_tls = match self.settings.shown {
            Dir::Client => client.is_tls(),
            Dir::Server => target.secure,
        };
        self.tap.open_on([self.from, address], Layer::tapped(is_tls))
    }

    /// Whether heads have to be looked at, or bytes will do.
    fn looks(&self) -> bool {
        self.edits() || self.judges() || self.plan != Plan::default()
    }

    /// Whether requests ask for something else than the client does.
    fn edits(&self) -> bool {
        self.settings.resource.is_some() || self.settings.host.is_some()
    }

    /// Whether all that is to be done can be done where HTTP/2 is spoken.
    pub(super) fn suits_http2(&self) -> bool {
        let Settings { http2, ref pause, ref rules, .. } = *self.settings;
        http2 && pause.is_none() && !self.edits() && Judge::suits_http2(&self.plan, rules)
    }

    /// Whether somebody wants to know what messages say.
    fn looks_into_messages(&self) -> bool {
        self.settings.pause.is_some() || !self.settings.rules.is_empty()
    }

    /// Whether messages have to be looked at.
    fn judges(&self) -> bool {
        self.settings.pause.is_some() || Judge::is_needed(&self.plan, &self.settings.rules)
    }

    /// Passes everything on to the server. `request` is a head that was read already, and what becomes of it.
    pub(super) async fn through(
        &self,
        mut client: Stream,
        request: Option<(Vec<u8>, Vec<u8>)>,
        mut server: Server,
    ) {
        let is_http2 = request.is_none() && (self.looks() || !self.settings.http2) && {
            // What cannot be read does not begin so.
            preface::begins_http2(&mut client).await.unwrap_or(false)
        };
        if is_http2 {
            return self.http2(client, server).await;
        }
        let request = match request {
            None if self.looks() => match head::read(&mut client).await {
                Ok(First::Head(head)) => Some((head.clone(), head)),
                Ok(First::Other) => None,
                Err(_) => return,
            },
            request => request,
        };
        let Some((came, goes)) = request else {
            // What is no HTTP passes as it is.
            if let Some((server, wire)) = self.reach(&mut client, &[], &mut server).await {
                pipe::pass(client, server, &wire).await;
            }
            return;
        };
        let is_upgrade = head::is_upgrade(&head::parse(&came));
        let is_http = !is_upgrade && head::request(&head::parse(&came)).is_some_and(|it| it[0] != b"CONNECT");
        if let Some(status) = self.plan.status.filter(|_| is_upgrade) {
            let words = "{}: status: the handshake is answered with {}, and the server does not hear of it";
            self.tell(&Text::with(words, self.from).and(status));
            let wire = self.wire(&client, &server.target, named(&server.target, &client));
            let body = format!("wstool proxy: --fault status={status} was asked for.\n");
            let answer = head::answer(status, "Fault", &body);
            self.answer(client, &came, &answer, &wire).await;
            return;
        }
        let goes = self.edited(goes, is_upgrade);
        let Some((mut server, wire)) = self.reach(&mut client, &came, &mut server).await else { return };
        let shown = self.settings.shown;
        let judges = self.settings.pause.is_some() || Judge::is_of_polls(&self.plan, &self.settings.rules);
        if is_http && (judges || self.address().is_other()) {
            if shown == Dir::Client {
                wire.data(Dir::Client, &came);
            }
            let (plan, rules) = (self.plan.clone(), Arc::clone(&self.settings.rules));
            // What is compressed cannot be read, nor changed.
            let exchanges = if judges {
                Exchanges::new(!self.settings.extensions, self.looks_into_messages())
            } else {
                Exchanges::passing()
            };
            let talk = Talk {
                follow: Followed::Exchanges(Box::new(exchanges.at(self.address()))),
                judge: Judge::of_http(plan, rules, self.rng.clone()),
                early: goes,
            };
            return self.relay(&wire).run(client, server, talk).await;
        }
        wire.data(Dir::Client, if shown == Dir::Client { &came } else { &goes });
        if server.write_all(&goes).await.is_err() || server.flush().await.is_err() {
            // What it has said to that, if anything, is still to be read.
        }
        if is_upgrade && (self.judges() || self.plan.accept) {
            self.upgrade(client, server, &goes, &wire).await;
        } else {
            pipe::pass(client, server, &wire).await;
        }
    }

    /// What every request is to ask for.
    fn address(&self) -> Address {
        Address { resource: self.settings.resource.clone(), host: self.settings.host.clone() }
    }

    /// What becomes of a request.
    fn edited(&self, request: Vec<u8>, is_upgrade: bool) -> Vec<u8> {
        let head = head::parse(&request);
        let mut edits = self.address().edits(&head);
        if is_upgrade {
            if self.plan.strip_upgrade {
                self.tell(&Text::with("{}: strip-upgrade: the handshake loses its Upgrade", self.from));
                edits.without(&head, &["upgrade", "connection"]);
            }
            // A compressed message cannot be taken out or changed without harm to those behind it.
            let unwanted = self.judges() && !self.settings.extensions && !self.plan.window_lost;
            if self.plan.strip_extensions || unwanted {
                edits.without(&head, &["sec-websocket-extensions"]);
            }
        }
        edits.apply(&request)
    }

    /// Follows an opening handshake, and what it opens.
    async fn upgrade(&self, mut client: Stream, mut server: Stream, request: &[u8], wire: &Wire) {
        let shown = self.settings.shown;
        let response = loop {
            let first = tokio::select! {
                first = head::read(&mut server) => first,
                // Nothing is to be said before the answer; who ends now does not want it any longer.
                () = gone(&mut client) => return,
            };
            let Ok(First::Head(came)) = first else { return pipe::pass(client, server, wire).await };
            let head = head::parse(&came);
            let status = head.status();
            let mut edits = Edits::default();
            if self.plan.accept && status == Some(101) {
                self.tell(&Text::with("{}: accept: the client gets a wrong Sec-WebSocket-Accept", self.from));
                edits.value(
                    &head,
                    "sec-websocket-accept",
                    accept_value(b"not the key of the request").as_bytes(),
                );
            }
            let goes = edits.apply(&came);
            wire.data(Dir::Server, if shown == Dir::Client { &goes } else { &came });
            if client.write_all(&goes).await.is_err() || client.flush().await.is_err() {
                return server.reset();
            }
            match status {
                Some(101) => break came,
                Some(100..=199) => {}
                _ => return pipe::pass(client, server, wire).await,
            }
        };
        if !self.judges() {
            return pipe::pass(client, server, wire).await;
        }
        let rules = Arc::clone(&self.settings.rules);
        let asks_event = rules.iter().any(|rule| rule.event.is_some());
        // Any two addresses will do: nobody sees them.
        let ends = [self.from, (Ipv4Addr::LOCALHOST, 80).into()];
        let talk = Talk {
            follow: Followed::Frames(Box::new(Follow::new(ends, [request, &response], asks_event))),
            judge: Judge::new(self.plan.clone(), rules, self.rng.clone()),
            early: Vec::new(),
        };
        self.relay(wire).run(client, server, talk).await;
    }

    fn relay<'a>(&'a self, wire: &'a Wire) -> Relay<'a> {
        Relay {
            client: self.from,
            wire,
            shown: self.settings.shown,
            slow: self.plan.slow_read,
            idle: self.plan.idle_timeout,
            pause: self.settings.pause.as_ref(),
            tell: &*self.settings.tell,
        }
    }

    /// Passes a connection of HTTP/2 on, with what befalls connections; or refuses it, where something is to
    /// be done that cannot be done there.
    async fn http2(&self, mut client: Stream, mut server: Server) {
        if !self.suits_http2() {
            let words = if self.settings.http2 {
                "{} speaks HTTP/2, in which messages and requests are not changed: refused, so that it comes \
                 again with HTTP/1.1"
            } else {
                "{} speaks HTTP/2, which --no-http2 has switched off"
            };
            self.tell(&Text::with(words, self.from));
            return http2::refuse(client).await;
        }
        let Some((server, wire)) = self.reach(&mut client, &[], &mut server).await else { return };
        // Any two addresses will do: nobody sees them.
        let ends = [self.from, (Ipv4Addr::LOCALHOST, 80).into()];
        let talk = Talk {
            follow: Followed::Frames(Box::new(Follow::http2(ends))),
            judge: Judge::new(self.plan.clone(), Arc::default(), self.rng.clone()),
            early: Vec::new(),
        };
        self.relay(&wire).run(client, server, talk).await;
    }

    /// Connects to the server, where that is still to be done; `None`, once the client and the log are told,
    /// where it cannot be.
    async fn reach(&self, client: &mut Stream, came: &[u8], server: &mut Server) -> Option<(Stream, Wire)> {
        let target = &server.target;
        let opened = match server.open.take() {
            Some(opened) => opened,
            None => target.connect(&self.settings.server_tls, &self.settings.below).await,
        };
        let why = match opened {
            Ok((stream, address)) => return Some((stream, self.wire(client, target, address))),
            Err(why) => why,
        };
        let words = self.unreached(target, &why);
        let address = match why {
            Unreached::Name(_) => named(target, client),
            Unreached::Tcp(address, _) | Unreached::Tls(address, _) => address,
        };
        let mut came = came.to_vec();
        if came.is_empty() {
            // Read to its end, so that the answer is not lost in a reset.
            let Ok(Ok(First::Head(head))) = timeout(PATIENCE, head::read(client)).await else { return None };
            came = head;
        }
        let wire = self.wire(client, target, address);
        let answer = unreachable(&words);
        self.say(client, &came, &answer, &wire).await;
        None
    }

    /// Tells the log why a server cannot be reached; the words.
    pub(super) fn unreached(&self, target: &Target, why: &Unreached) -> Text {
        let words = (self.settings.explain)(target, why);
        self.tell(&Text::with("{}: 502: {}", self.from).word(words.clone()));
        words
    }

    /// Answers a request instead of the server, and ends the connection.
    async fn answer(&self, mut client: Stream, request: &[u8], answer: &[u8], wire: &Wire) {
        self.say(&mut client, request, answer, wire).await;
    }

    async fn say(&self, client: &mut Stream, request: &[u8], answer: &[u8], wire: &Wire) {
        wire.data(Dir::Client, request);
        wire.data(Dir::Server, answer);
        wire.end(Dir::Server, StreamEnd::Fin);
        // Whether it still listens is its own affair.
        let _ = client.write_all(answer).await;
        let _ = client.shutdown().await;
    }

    /// Answers what is not meant for a server, and ends the connection.
    pub(super) async fn refuse(&self, mut client: Stream, status: u16, reason: &str, body: &str) {
        let Ok(Ok(First::Head(_))) = timeout(PATIENCE, head::read(&mut client)).await else { return };
        let _ = client.write_all(&head::answer(status, reason, body)).await;
        let _ = client.shutdown().await;
    }

    pub(super) fn tell(&self, words: &Text) {
        (self.settings.tell)(words);
    }
}

/// The answer where there is no server.
pub(super) fn unreachable(why: &Text) -> Vec<u8> {
    head::answer(502, "Bad Gateway", &format!("wstool proxy: no connection to the server. {why}\n"))
}

/// The address that a server is named by. Of one that has no address it is who answers in its stead: the
/// proxy, where the client reached it.
fn named(target: &Target, client: &Stream) -> SocketAddr {
    let ours = || client.ours().unwrap_or_else(|| (Ipv4Addr::UNSPECIFIED, target.port).into());
    target.host.parse().map_or_else(|_| ours(), |ip: IpAddr| (ip, target.port).into())
}

/// Waits until a client is gone.
async fn gone(client: &mut Stream) {
    // What it says meanwhile is kept, as far as there is room.
    while client.early().len() < crate::limits::LAB_READ {
        if !matches!(client.look().await, Ok(1..)) {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Why a client's TLS handshake failed.
pub(super) fn untrusted(from: SocketAddr, error: &io::Error) -> Text {
    use rustls::{AlertDescription as Alert, Error};
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    match inner {
        Some(Error::AlertReceived(
            Alert::UnknownCA
            | Alert::BadCertificate
            | Alert::CertificateUnknown
            | Alert::UnsupportedCertificate,
        )) => Text::with(
            "{} does not trust this proxy's authority: tell it to (wstool proxy --trust says how)",
            from,
        ),
        _ if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => {
            let words = "{} left in the middle of its TLS handshake: perhaps it does not trust this proxy's \
                         authority";
            Text::with(words, from)
        }
        _ => Text::with("the TLS handshake with {} failed: {}", from).and(error),
    }
}
