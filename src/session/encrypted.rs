//! A connection that speaks TLS: followed until both hellos were seen, then counted and, where nobody has its
//! keys, watched from outside.

use crate::http::TLS_TO_PLAIN_PORT;
use crate::http::head::{Sniff, sniff};
use crate::limits;
use crate::model::{
    At, Body, Case, Diagnosis, Dir, Finding, Flow, Handshake, Interest, Lacking, Layer, ON, Opening, Other,
    Roles, Span, StreamEnd, Text, Unit,
};
use crate::tls::{self, Hello, Machine};

use super::failed::How;
use super::http::foreign::recognise;
use super::keyed::Known;
use super::sealed::Sealed;
use super::tls::Tls;
use super::tunnel::{Below, Tunnel};
use super::{Context, Phase, Session, Side, Start};

/// What is kept of it meanwhile: what each side began with.
#[derive(Debug, Default)]
pub(super) struct Encrypted {
    pub(super) begins: [Vec<u8>; 2],
    /// In which pieces all of that came.
    pieces: Vec<Piece>,
    /// There was more than is kept.
    pub(super) is_cut: bool,
    /// It is a server's whose client was not heard.
    pub(super) is_unasked: bool,
    /// Sealed records of the client that were tried to be opened without a hello of the server.
    pub(super) tried: usize,
    /// Where those of the client stand.
    offset: u64,
    /// Where the first of them came from.
    first: At,
    /// Where the last bytes of the server came from.
    answered: At,
}

/// Bytes of one side that came at once.
#[derive(Debug)]
struct Piece {
    side: Side,
    length: usize,
    at: At,
    /// Where they begin in the side's stream.
    offset: u64,
}

impl Encrypted {
    /// What holding takes, in bytes.
    pub fn cost(&self) -> usize {
        self.begins.iter().map(Vec::len).sum::<usize>() + self.pieces.len() * size_of::<Piece>()
    }

    /// What a side says that begins like this.
    pub(super) fn of(offset: u64, at: At) -> Self {
        Self { offset, first: at, ..Self::default() }
    }

    /// What was kept, in the pieces in which it came, with where it begins in its side's stream.
    pub(super) fn said(&self) -> impl Iterator<Item = (Side, &[u8], At, u64)> {
        let mut taken = [0; 2];
        self.pieces.iter().map(move |piece| {
            let from = &mut taken[piece.side.index()];
            let bytes = &self.begins[piece.side.index()][*from..*from + piece.length];
            *from += piece.length;
            (piece.side, bytes, piece.at, piece.offset)
        })
    }

    /// Keeps bytes, as many as there is room for; how many of them the last piece has.
    pub(super) fn keep(&mut self, side: Side, bytes: &[u8], at: At, offset: u64) -> usize {
        let begin = &mut self.begins[side.index()];
        let length = bytes.len().min(limits::TLS_HELLO - begin.len());
        begin.extend_from_slice(&bytes[..length]);
        self.is_cut |= length < bytes.len();
        // What a packet carried may come in several calls.
        if let Some(last) = self.pieces.last_mut()
            && last.side == side
            && last.at.packet == at.packet
            && u64::from(last.at.byte) + last.length as u64 == u64::from(at.byte)
        {
            last.length += length;
            return length;
        }
        if self.pieces.len() == limits::TLS_PIECES {
            self.is_cut = true;
            return 0;
        }
        self.pieces.push(Piece { side, length, at, offset });
        length
    }
}

impl Session {
    /// Whether a side's first bytes are those of TLS; they are kept then.
    pub(super) fn is_encrypted(&mut self, side: Side, bytes: &[u8], at: At, offset: u64) -> bool {
        let is = tls::begins(bytes);
        if is {
            let mut tls = Encrypted::of(offset, at);
            tls.keep(side, bytes, at, offset);
            self.about.client = self.about.client.or(Some(side));
            let phase = std::mem::replace(&mut self.phase, Phase::Other);
            if let Phase::Probe(probe) = phase {
                // A server that greets before it is spoken to.
                let heads = probe.into_heads();
                for (of, held) in heads.iter().filter(|(of, _)| *of != side) {
                    for (offset, at, bytes) in held.pieces() {
                        tls.keep(*of, bytes, at, offset);
                    }
                }
            }
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
        let was_cut = tls.is_cut;
        let kept = tls.keep(side, bytes, at, offset);
        tls.answered = at;
        if tls.is_unasked {
            return self.unasked((side, bytes, at), kept, cx);
        }
        if self.is_answered_in_clear(cx) {
            return ON;
        }
        let Phase::Encrypted(tls) = &mut self.phase else { return ON };
        let begin = &tls.begins[side.index()];
        let full = begin.len() == limits::TLS_HELLO;
        if self.about.client != Some(side) && sniff(begin) == Sniff::Response {
            let is_line = begin.contains(&b'\n') || begin.len() >= limits::OPENING;
            return if is_line {
                self.answered_in_http(side, at, offset + bytes.len() as u64, cx)
            } else {
                ON
            };
        }
        if self.is_unanswered(side) {
            return self.unanswered((side, bytes, at), kept, cx);
        }
        let Phase::Encrypted(tls) = &self.phase else { return ON };
        // The server answers once it has all of the client's.
        if full || self.about.client != Some(side) && tls::hello(&tls.begins[side.index()]) != Hello::Cut {
            // What was cut just now is at hand.
            if !was_cut && let Some((secrets, begin)) = self.secrets(cx) {
                let known = Known { secrets, begin, suite: None, is_unasked: false };
                return self.decipher(known, (side, bytes, at), kept, cx);
            }
            self.watch_encrypted(cx);
        }
        ON
    }

    /// How many secrets of the connection there are, if any, and the client random that they belong to where
    /// that is another connection's, in which the session began.
    fn secrets(&mut self, cx: &mut Context<'_, '_>) -> Option<(usize, Option<[u8; 32]>)> {
        let (Phase::Encrypted(tls), Some(client)) = (&self.phase, self.about.client) else { return None };
        if cx.memory.secrets.is_empty() {
            return None;
        }
        let Hello::Client(hello) = tls::hello(&tls.begins[client.index()]) else { return None };
        if let Some(secrets) = cx.memory.secrets.session(&hello.random) {
            cx.memory.undeciphered.is_known();
            return Some((secrets.count(), None));
        }
        if let Hello::Server(answer) = tls::hello(&tls.begins[client.other().index()])
            && let Some(begin) = cx.memory.resumed.begin_of(&hello, &answer)
            && let Some(secrets) = cx.memory.secrets.session(&begin)
        {
            cx.memory.undeciphered.is_known();
            return Some((secrets.count(), Some(begin)));
        }
        let server = self.about.endpoints.as_deref().map(|endpoints| endpoints[client.other().index()]);
        cx.memory.undeciphered.is_unknown(server, hello.server_name.as_deref(), hello.random, tls.first);
        None
    }

    /// What was kept goes to a machine that deciphers it, and all that follows. Of the last bytes, of which
    /// so many were kept, all are at hand.
    pub(super) fn decipher(
        &mut self,
        known: Known,
        (side, last, at): (Side, &[u8], At),
        kept: usize,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        let Phase::Encrypted(tls) = std::mem::replace(&mut self.phase, Phase::Other) else { return ON };
        let mut tls = *tls;
        let Some(client) = self.about.client else { return ON };
        let mut machine = Machine::default();
        for side in [client, client.other()] {
            let dir = if side == client { Dir::Client } else { Dir::Server };
            if let Some(first) = tls.pieces.iter().find(|piece| piece.side == side) {
                machine.begin_at(dir, first.offset);
            }
        }
        if let Some(suite) = known.suite {
            machine.infer(suite);
        }
        if let Some(random) = known.begin.filter(|_| known.is_unasked) {
            machine.infer_client(random, cx.memory.secrets.session(&random).unwrap_or_default());
        }
        self.phase = Phase::Tls(Box::new(Tls::new(machine, self.inner(), client, known)));
        if let Some(piece) = tls.pieces.last_mut() {
            piece.length -= kept.min(piece.length);
        }
        for (side, bytes, at, _) in tls.said() {
            self.tls(side, bytes, at, cx)?;
        }
        self.tls(side, last, at, cx)
    }

    /// The session of what is deciphered, of which is known what is known of this one.
    fn inner(&mut self) -> Session {
        let tunnel = self.about.tunnel.take().map(|tunnel| *tunnel).unwrap_or_default();
        let Tunnel { preface, heads, .. } = tunnel;
        let below = Below { preface, heads, ..Below::default() };
        let mut inner = Session::new(self.about.endpoints.as_deref().copied(), Start::Opened)
            .hearing_both(self.about.both_heard)
            .on(Layer::Decrypted)
            .within(self.about.parent);
        inner.about.tunnel = Some(Box::new(Tunnel { below: Some(Box::new(below)), ..Tunnel::default() }));
        inner
    }

    /// Hands bytes to TLS, and lets go of what has turned out to be of no interest.
    pub(super) fn tls(&mut self, side: Side, bytes: &[u8], at: At, cx: &mut Context<'_, '_>) -> Flow {
        let Phase::Tls(tls) = &mut self.phase else { return ON };
        let interest = tls.data(side, bytes, at, cx);
        self.heed(interest, cx)
    }

    /// Does what the session of what was deciphered answers.
    pub(super) fn heed(&mut self, interest: Interest, cx: &mut Context<'_, '_>) -> Flow {
        match interest {
            Interest::Follow => ON,
            Interest::Stop => Flow::Break(()),
            Interest::Ignore => {
                if let Phase::Tls(tls) = std::mem::replace(&mut self.phase, Phase::Other) {
                    tls.over(cx);
                }
                ON
            }
        }
    }

    /// Counts the connection, and goes on with the sizes and times of its records, from the first one that
    /// was kept.
    pub(super) fn watch_encrypted(&mut self, cx: &mut Context<'_, '_>) {
        let Some((kind, kept)) = self.count_encrypted(cx) else { return };
        let Some(client) = self.about.client else { return };
        let mut sealed = Sealed::new(kind, client, kept.first.time);
        if refusal(&kept.begins[client.other().index()]).is_some() {
            // Who ends TCP behind it adds nothing to that.
            sealed.settle();
        }
        for (side, bytes, at, _) in kept.said() {
            sealed.data(side, bytes, at);
        }
        if kept.is_cut {
            sealed.gap(Side::A);
            sealed.gap(Side::B);
        }
        self.phase = Phase::Sealed(Box::new(sealed));
    }

    /// Its handshake is judged.
    pub(super) fn settle_sealed(&mut self) {
        if let Phase::Sealed(sealed) = &mut self.phase {
            sealed.settle();
        }
    }

    /// Bytes of a connection that was counted.
    pub(super) fn sealed_data(&mut self, side: Side, bytes: &[u8], at: At, cx: &mut Context<'_, '_>) {
        let Phase::Sealed(sealed) = &mut self.phase else { return };
        let is_client = self.about.client == Some(side);
        let goes_on = is_client && !std::mem::replace(&mut sealed.went_on, true);
        let is_server_in_clear = !is_client && sealed.is_clear(side);
        let is_enough = !sealed.data(side, bytes, at);
        if goes_on {
            self.client_goes_on(side, bytes, at, cx);
        }
        if is_server_in_clear {
            self.server_goes_on(side, bytes, at, cx);
        }
        if is_enough {
            self.sealed_over(cx);
        }
    }

    /// What was seen of a connection that nobody can read is told of its kind.
    pub(super) fn sealed_over(&mut self, cx: &mut Context<'_, '_>) {
        if !matches!(self.phase, Phase::Sealed(_)) {
            return;
        }
        let Phase::Sealed(sealed) = std::mem::replace(&mut self.phase, Phase::Other) else { return };
        let (kind, traffic) = sealed.over();
        if traffic.sides.iter().any(|side| side.records > 0) {
            cx.memory.census.carried(&kind, &traffic);
        }
    }

    /// A side has ended TCP; was the handshake over?
    pub(super) fn tls_ended(&mut self, side: Side, how: StreamEnd, at: At, cx: &mut Context<'_, '_>) {
        let is_first = self.about.ended[side.other().index()].is_none();
        let (Some(client), Some(endpoints)) = (self.about.client, self.about.endpoints.as_deref()) else {
            return;
        };
        if !is_first || !how.is_final() || !self.about.both_heard {
            return;
        }
        if let Phase::Sealed(sealed) = &mut self.phase {
            sealed.end(side, at.time);
        }
        let failure = match &self.phase {
            Phase::Sealed(sealed) => sealed.failure(side),
            Phase::Encrypted(tls) => {
                let [asked, answered] = [client, client.other()].map(|side| &tls.begins[side.index()]);
                let is_silent = side != client && answered.is_empty() && !tls.is_cut;
                let is_asked = || matches!(tls::hello(asked), Hello::Client(_));
                (is_silent && is_asked()).then_some(How::Dropped { by: Dir::Server })
            }
            _ => None,
        };
        if let Some(failure) = failure {
            cx.memory.failures.count(endpoints[client.other().index()], failure, at);
        }
    }

    /// The first that the client says behind both hellos: what it does not like of the certificate is said in
    /// clear up to TLS 1.2 (RFC 5246 §7.2), and in TLS 1.3 nobody else can read it.
    fn client_goes_on(&mut self, client: Side, bytes: &[u8], at: At, cx: &mut Context<'_, '_>) {
        if let (Some(code), Some(endpoints)) = (tls::fatal(bytes), self.about.endpoints.as_deref()) {
            let how = How::Alert { by: Dir::Client, code };
            cx.memory.failures.count(endpoints[client.other().index()], how, at);
        }
    }

    /// What the server does not like of what the client sends behind both hellos, up to TLS 1.2: mostly that
    /// it has no certificate, or which one (RFC 5246 §7.2.2, §7.4.6).
    fn server_goes_on(&mut self, server: Side, bytes: &[u8], at: At, cx: &mut Context<'_, '_>) {
        if let (Some(code), Some(endpoints)) = (tls::fatal(bytes), self.about.endpoints.as_deref()) {
            cx.memory.failures.count(endpoints[server.index()], How::LateAlert { code }, at);
        }
    }

    /// Whether the server answers a client's hello in what is neither TLS nor HTTP: it is counted as what it
    /// is, once that is known. Whether a WebSocket was to be opened nobody can see.
    fn is_answered_in_clear(&mut self, cx: &mut Context<'_, '_>) -> bool {
        let Phase::Encrypted(tls) = &self.phase else { return false };
        let Some(client) = self.about.client.filter(|_| self.about.both_heard) else { return false };
        let answer = &tls.begins[client.other().index()];
        // What has come may be the beginning of a record.
        let is_tls = matches!(answer[..], [] | [20..=23] | [20..=23, 3, ..]);
        if is_tls || sniff(answer) != Sniff::Neither {
            return false;
        }
        let known = recognise(answer);
        if !known.whole {
            return false;
        }
        let at = tls.answered;
        if let Some(endpoints) = self.about.endpoints.as_deref() {
            let how = How::InClear { answer: known.about };
            cx.memory.failures.count(endpoints[client.other().index()], how, at);
        }
        self.count_encrypted(cx);
        true
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
        let cut = |bytes: &'_ [u8]| bytes.len().min(limits::OPENING);
        let asked = Opening::new(tls.offset, "tls", &about, &asks[..cut(asks)]);
        let answered = Opening::new(end - answers.len() as u64, "http", &answer, &answers[..cut(answers)]);
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

    /// Counts the connection by what is known of it; as what, and what was kept of it.
    pub(super) fn count_encrypted(&mut self, cx: &mut Context<'_, '_>) -> Option<(Other, Box<Encrypted>)> {
        if !matches!(self.phase, Phase::Encrypted(_)) {
            return None;
        }
        let Phase::Encrypted(tls) = std::mem::replace(&mut self.phase, Phase::Other) else { return None };
        let (Some(client), Some(endpoints)) = (self.about.client, self.about.endpoints.as_deref()) else {
            return None;
        };
        // Of a hello that is not whole nothing is known but that it is one.
        let (hello, is_cut) = match tls::hello(&tls.begins[client.index()]) {
            Hello::Client(hello) => (Some(hello), false),
            Hello::Cut => (None, true),
            _ => return None,
        };
        let answer = &tls.begins[client.other().index()];
        let is_joined = is_cut || answer.is_empty() && !self.about.both_heard;
        let offered = hello.as_ref().map(|hello| hello.version);
        let random =
            hello.as_ref().filter(|_| !is_joined && cx.memory.undeciphered.has_log()).map(|it| it.random);
        let lacking = random.filter(|random| cx.memory.secrets.session(random).is_none()).map(Lacking::of);
        let (server_name, alpn) = hello.map_or((None, Vec::new()), |hello| (hello.server_name, hello.alpn));
        if let Some(code) = refusal(answer) {
            let server = endpoints[client.other().index()];
            cx.memory.failures.count(server, How::Alert { by: Dir::Server, code }, tls.answered);
        }
        // Without an answer it is what the client wants; who answers in something else wants none of it.
        let is_tls = answer.is_empty() || tls::record(answer).is_some();
        let (version, alpn) = match tls::hello(answer) {
            _ if is_cut => (None, alpn),
            Hello::Server(answer) => (Some(answer.version), answer.alpn.map_or(alpn, |chosen| vec![chosen])),
            _ => (offered.filter(|_| is_tls), alpn),
        };
        let kind = Other {
            protocol: "tls",
            server: Some(endpoints[client.other().index()]),
            server_name,
            version: version.and_then(tls::version_name),
            alpn,
            // The secrets may be there: which cipher they are for is said by the server.
            is_joined,
            connections: 1,
            lacking,
            ..Other::default()
        };
        cx.memory.census.count(kind.clone());
        Some((kind, tls))
    }
}

/// The alert in clear that a server answers a hello with.
fn refusal(answer: &[u8]) -> Option<u8> {
    tls::alert(&tls::record(answer)?).map(|(code, _)| code)
}
