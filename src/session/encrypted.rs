//! A connection that speaks TLS: followed until both hellos were seen, then counted and let go.

use crate::http::TLS_TO_PLAIN_PORT;
use crate::http::head::{Sniff, sniff};
use crate::limits;
use crate::model::{
    At, Body, Case, Diagnosis, Dir, Finding, Flow, Handshake, ON, Opening, Other, Roles, Span, Text, Unit,
};
use crate::tls::{self, ClientHello, Hello};

use super::{Context, Phase, Session, Side};

/// What is kept of it meanwhile: what each side began with.
#[derive(Debug, Default)]
pub(super) struct Encrypted {
    begins: [Vec<u8>; 2],
    /// Where those of the client stand.
    offset: u64,
    /// Where the first of them came from.
    first: At,
    /// Where the last bytes of the server came from.
    answered: At,
}

impl Encrypted {
    /// What holding takes, in bytes.
    pub fn cost(&self) -> usize {
        self.begins.iter().map(Vec::len).sum()
    }
}

impl Session {
    /// Whether a side's first bytes are those of TLS; they are kept then.
    pub(super) fn is_encrypted(&mut self, side: Side, bytes: &[u8], at: At, offset: u64) -> bool {
        let is = tls::begins(bytes);
        if is {
            let mut tls = Encrypted { offset, first: at, ..Encrypted::default() };
            tls.begins[side.index()].extend_from_slice(&bytes[..bytes.len().min(limits::TLS_HELLO)]);
            self.about.client = self.about.client.or(Some(side));
            self.phase = Phase::Encrypted(Box::new(tls));
        }
        is
    }

    pub(super) fn encrypted_data(
        &mut self,
        side: Side,
        bytes: &[u8],
        at: At,
        offset: u64,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        let Phase::Encrypted(tls) = &mut self.phase else { return ON };
        let begin = &mut tls.begins[side.index()];
        let room = limits::TLS_HELLO - begin.len();
        begin.extend_from_slice(&bytes[..bytes.len().min(room)]);
        tls.answered = at;
        let full = begin.len() == limits::TLS_HELLO;
        if self.about.client != Some(side) && sniff(begin) == Sniff::Response {
            let is_line = begin.contains(&b'\n') || begin.len() >= limits::OPENING;
            return if is_line {
                self.answered_in_http(side, at, offset + bytes.len() as u64, cx)
            } else {
                ON
            };
        }
        // The server answers once it has all of the client's.
        if full || self.about.client != Some(side) && tls::hello(&tls.begins[side.index()]) != Hello::Cut {
            self.count_encrypted(cx);
        }
        ON
    }

    /// The server answers a client's hello in HTTP: it knows nothing of TLS. Whether a WebSocket was to
    /// be opened nobody can see, unless it is where others are; what offers HTTP/2 is more likely a page.
    fn answered_in_http(&mut self, server: Side, at: At, end: u64, cx: &mut Context<'_, '_>) -> Flow {
        let client = server.other();
        let Phase::Encrypted(tls) = &self.phase else { return ON };
        let Hello::Client(hello) = tls::hello(&tls.begins[client.index()]) else {
            self.phase = Phase::Other;
            return ON;
        };
        let address = self.about.endpoints.as_deref().map(|endpoints| endpoints[server.index()]);
        let is_known = address.is_some_and(|address| cx.memory.is_server(address));
        if !is_known && hello.alpn.iter().any(|protocol| protocol == "h2") {
            self.count_encrypted(cx);
            return ON;
        }
        let Phase::Encrypted(tls) = std::mem::replace(&mut self.phase, Phase::Other) else { return ON };
        let [asks, answers] = [client, server].map(|side| &tls.begins[side.index()]);
        self.about.announce(Roles::Handshake, Handshake::Refused, cx);
        self.about.introduce(tls.first.time, cx)?;
        let Some(told) = &self.about.told else { return ON };
        let about = match &hello.server_name {
            Some(name) => Text::with("a TLS client hello for {}", name),
            None => Text::new("a TLS client hello"),
        };
        let line = answers.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line.trim_ascii()).into_owned();
        //= RFC 6455 §4.1
        //# If /secure/ is true, the client MUST perform a TLS handshake over
        //# the connection
        let got = Text::with("the server answers TLS in HTTP: {}", &line);
        let source = self.about.source(Dir::Client);
        let span = Span::bytes(source, tls.offset, asks.len() as u64);
        let expected = "HTTP without TLS, as the server speaks".into();
        let case = Case {
            behind: Some(Diagnosis::new(
                "tls-to-plain-port",
                "the client speaks TLS (wss://) to a port that speaks HTTP without it",
                "connect with ws:// instead of wss://, or to the port with TLS; a proxy that ends TLS speaks \
                 HTTP behind it",
            )),
            ..Case::new(Text::with("spoke TLS, and got “{}”", &line), Vec::new())
        };
        let finding = Finding::new(&TLS_TO_PLAIN_PORT, Dir::Client, expected, got).at(span).like(case);
        let answer = Text::with("HTTP, in answer to TLS: {}", &line);
        let opening = |offset, protocol, about, bytes| Opening {
            offset,
            protocol,
            about,
            client: None,
            server: None,
            bytes,
        };
        let cut = |bytes: &'_ [u8]| bytes.len().min(limits::OPENING);
        let asked = opening(tls.offset, "tls", &about, &asks[..cut(asks)]);
        let answered = opening(end - answers.len() as u64, "http", &answer, &answers[..cut(answers)]);
        let findings = [finding];
        let mut show = |dir, opening: &Opening<'_>, at: At, findings: &[Finding]| {
            cx.out.emit(&Unit {
                dir: Some(dir),
                findings,
                ..Unit::of(told.conn, Body::Opening(opening)).at(at)
            })
        };
        show(Dir::Client, &asked, tls.first, &findings)?;
        show(Dir::Server, &answered, at, &[])
    }

    /// Counts the connection by what is known of it.
    pub(super) fn count_encrypted(&mut self, cx: &mut Context<'_, '_>) {
        if !matches!(self.phase, Phase::Encrypted(_)) {
            return;
        }
        let Phase::Encrypted(tls) = std::mem::replace(&mut self.phase, Phase::Other) else { return };
        let (Some(client), Some(endpoints)) = (self.about.client, self.about.endpoints.as_deref()) else {
            return;
        };
        let Hello::Client(ClientHello { version, server_name, alpn }) =
            tls::hello(&tls.begins[client.index()])
        else {
            return;
        };
        let answer = &tls.begins[client.other().index()];
        if let Some(record) = tls::record(answer)
            && let Some((code, _)) = tls::alert(&record)
        {
            cx.memory.alerts.count(endpoints[client.other().index()], code, tls.answered);
        }
        let (version, alpn) = match tls::hello(answer) {
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
