//! A connection whose TLS is deciphered: what its records carry goes to a session of its own, on the layer of
//! what was deciphered.

mod said;

use std::sync::Arc;

use super::failed::{How, behind_alert};
use super::keyed::Known;
use super::said::Said;
use super::tunnel::Below;
use super::{Context, Session};
use crate::limits;
use crate::model::{
    At, Dir, Finding, Flow, Interest, Lacking, Layer, Missing, ON, Other, Rule, SealedTraffic, Secured, Side,
    Span, StreamEnd, Text,
};
use crate::tls::{
    self, Carried, Ear, Event, Machine, Message, NOT_AUTHENTIC, RECORDS_LOST, SECRET_MISSING, SessionSecrets,
    Trouble, UNDECIPHERED,
};

/// The type of a message with a ticket (RFC 5077 §3.3).
const NEW_SESSION_TICKET: u8 = 4;

/// The type of a message with certificates, which a client sends only if it is asked (RFC 8446 §4).
const CERTIFICATE: u8 = 11;

/// The alert by which its sender says that no more comes (RFC 8446 §6.1).
const CLOSE_NOTIFY: u8 = 0;

/// The alert that tells it from all others, whenever it comes (RFC 8446 §6.2).
const CERTIFICATE_REQUIRED: u8 = 116;

/// Records in, bytes of the layer above out.
pub(super) struct Tls {
    machine: Machine,
    above: Above,
}

/// What the machine is heard for.
struct Above {
    inner: Session,
    client: Side,
    /// The hole that is not told yet, of each direction.
    holes: [Option<Hole>; 2],
    /// Nothing of a direction is read.
    unread: [bool; 2],
    /// The first fatal alert.
    failed: Option<(How, At)>,
    /// Content was read.
    is_read: bool,
    /// There is what could not be.
    is_sealed: bool,
    /// What the layer above wants.
    interest: Interest,
    secured: Secured,
    /// What names the session in a key log.
    random: [u8; 32],
    /// The same of the connection in which the session began, if that is another one.
    begin: Option<[u8; 32]>,
    /// The client's hello is not there; until that was said.
    is_unasked: bool,
    /// The cipher suite, where the server's hello is not there; until that was said.
    inferred: Option<u16>,
}

/// Bytes that are missing: between which packets, and against which rule that is.
#[derive(Clone, Copy)]
pub(super) struct Hole {
    pub between: (Option<u64>, Option<u64>),
    pub rule: &'static Rule,
}

impl Tls {
    /// Around `inner`, of whose sides this one is the client.
    pub fn new(machine: Machine, mut inner: Session, client: Side, known: Known) -> Self {
        inner.about.client = Some(client);
        let Known { secrets, begin, suite: inferred, is_unasked } = known;
        let suite = inferred.map(|suite| tls::suite_name(suite).into());
        let secured = Secured { secrets, suite, is_inferred: inferred.is_some(), ..Secured::default() };
        let above = Above {
            inner,
            client,
            holes: [None; 2],
            unread: [false; 2],
            failed: None,
            is_read: false,
            is_sealed: false,
            interest: Interest::Follow,
            secured,
            random: begin.filter(|_| is_unasked).unwrap_or_default(),
            is_unasked,
            begin,
            inferred,
        };
        Self { machine, above }
    }

    /// The session of what was deciphered.
    pub fn inner(&self) -> &Session {
        &self.above.inner
    }

    /// See [`inner`](Self::inner).
    pub fn inner_mut(&mut self) -> &mut Session {
        &mut self.above.inner
    }

    /// Bytes it holds.
    pub fn cost(&self) -> usize {
        let inner = &self.above.inner;
        let below = inner.about.tunnel.as_ref().filter(|_| !inner.is_told());
        self.machine.cost() + inner.cost() + below.map_or(0, |tunnel| tunnel.cost())
    }

    /// Takes the next bytes of one side.
    pub fn data(&mut self, side: Side, bytes: &[u8], at: At, cx: &mut Context<'_, '_>) -> Interest {
        let Self { machine, above } = self;
        let dir = above.dir(side);
        let flow = machine.push(dir, bytes, at, &mut Hearing { above, cx });
        above.answer(flow)
    }

    /// Bytes of one side are missing.
    pub fn gap(&mut self, side: Side, length: u64, hole: Hole, cx: &mut Context<'_, '_>) -> Interest {
        let Self { machine, above } = self;
        let dir = above.dir(side);
        above.holes[dir.index()] = Some(hole);
        // What was in it is known once a record behind it opens, which need not come.
        above.inner.behind(side, cx);
        let flow = machine.gap(dir, length, &mut Hearing { above, cx });
        above.answer(flow)
    }

    /// Notes what the session of what was deciphered answers, and gives what it wants.
    pub fn heard(&mut self, interest: Interest) -> Interest {
        self.above.note(interest);
        self.above.interest
    }

    /// It is over: the session of what was deciphered, which is to be finished. Where that has nothing to
    /// tell, it is counted.
    pub fn over(self, cx: &mut Context<'_, '_>) -> Session {
        let Self { machine, above } = self;
        let Above { mut inner, client, secured, failed, is_read, is_sealed, .. } = above;
        let endpoints = inner.about.endpoints.as_deref();
        let other = endpoints.filter(|_| !inner.is_told()).map(|endpoints| Other {
            protocol: "tls",
            server: Some(endpoints[client.other().index()]),
            server_name: secured.server_name.clone(),
            version: secured.version,
            alpn: secured.alpn.clone().map_or_else(
                || machine.client().map(|hello| hello.alpn.clone()).unwrap_or_default(),
                |alpn| vec![alpn],
            ),
            connections: 1,
            is_read,
            has_secrets: is_sealed,
            sealed: (is_sealed && !is_read).then(SealedTraffic::default),
            ..Other::default()
        });
        if let Some(other) = other {
            if let (Some((how, at)), Some(server)) = (failed, other.server) {
                cx.memory.failures.count(server, how, at);
            }
            cx.memory.census.count(other);
        }
        if let Some(told) = &mut inner.about.told {
            told.connection.secured = Some(Box::new(secured));
        }
        inner
    }
}

/// What hears the machine, with what it needs to do so.
struct Hearing<'a, 'c, 's, 'm> {
    above: &'a mut Above,
    cx: &'c mut Context<'s, 'm>,
}

impl Ear for Hearing<'_, '_, '_, '_> {
    fn hear(&mut self, carried: &Carried<'_>, event: Event<'_>) -> Flow {
        self.above.hear(carried, event, self.cx)
    }

    fn secrets(&mut self, random: &[u8; 32]) -> Option<Arc<SessionSecrets>> {
        let secrets = &self.cx.memory.secrets;
        secrets.session(random).or_else(|| secrets.session(self.above.begin.as_ref()?))
    }
}

impl Above {
    fn dir(&self, side: Side) -> Dir {
        if side == self.client { Dir::Client } else { Dir::Server }
    }

    fn side(&self, dir: Dir) -> Side {
        if dir == Dir::Client { self.client } else { self.client.other() }
    }

    fn note(&mut self, interest: Interest) {
        if self.interest != Interest::Stop {
            self.interest = interest;
        }
    }

    fn answer(&mut self, flow: Flow) -> Interest {
        if flow.is_break() && self.interest != Interest::Ignore {
            self.interest = Interest::Stop;
        }
        self.interest
    }

    /// Takes what the machine tells.
    fn hear(&mut self, carried: &Carried<'_>, event: Event<'_>, cx: &mut Context<'_, '_>) -> Flow {
        match event {
            Event::Data(content) => self.content(carried, content, cx),
            Event::Handshake(message) => {
                self.note_hello(message.bytes);
                self.note_session(carried.dir, &message, cx);
                self.note_certificate(carried.dir, &message);
                let wants = cx.out.wants().heads();
                if let Some(said) = said::handshake(carried, &message, wants) {
                    self.say(said, cx)?;
                }
                if let Some(suite) = self.inferred.take() {
                    self.say(said::inferred(carried, suite), cx)?;
                }
                if std::mem::take(&mut self.is_unasked) {
                    let session = Lacking::of(self.random).short();
                    self.say(said::of_session(carried, &session), cx)?;
                }
                ON
            }
            Event::Alert { level, code } => self.alert(carried, level, code, cx),
            Event::EarlyData { length, waits } => {
                let words = if waits {
                    "early data (0-RTT), {} bytes, sent before the server has answered"
                } else {
                    "early data (0-RTT), {} bytes, which are not deciphered"
                };
                self.say(said::record(carried, Text::with(words, length)), cx)
            }
            Event::Lost { content, records } => self.lost(carried, content, records, cx),
            Event::Trouble(trouble) => self.trouble(carried, trouble, cx),
        }
    }

    /// Hands on content, run by run.
    fn content(&mut self, carried: &Carried<'_>, content: &[u8], cx: &mut Context<'_, '_>) -> Flow {
        let side = self.side(carried.dir);
        self.is_read = true;
        if !self.inner.is_told()
            && let secured = self.secured.clone()
            && let Some(below) = self.below()
        {
            below.secured = Some(secured);
        }
        for (run, at) in carried.runs(content) {
            let interest = self.inner.data(side, run, at, cx);
            self.note(interest);
            if interest != Interest::Follow {
                return Flow::Break(());
            }
        }
        ON
    }

    fn below(&mut self) -> Option<&mut Below> {
        self.inner.about.tunnel.as_mut()?.below.as_deref_mut()
    }

    /// Shows something, or keeps it until the connection is shown.
    fn say(&mut self, said: Said, cx: &mut Context<'_, '_>) -> Flow {
        if let Some(conn) = self.inner.conn() {
            return said.show(conn, cx);
        }
        if let Some(below) = self.below()
            && below.said.len() < limits::TLS_HELD
        {
            below.said.push(said);
        }
        ON
    }

    /// What follows from a hello for the connection.
    fn note_hello(&mut self, message: &[u8]) {
        match tls::read(message, &mut None) {
            tls::Hello::Client(hello) => {
                self.random = hello.random;
                self.secured.server_name = hello.server_name;
                self.secured.version = tls::version_name(hello.version);
            }
            tls::Hello::Server(hello) => {
                self.secured.version = tls::version_name(hello.version);
                self.secured.suite = Some(tls::suite_name(hello.suite).into());
                self.secured.is_inferred = false;
                self.secured.alpn = hello.alpn.or(self.secured.alpn.take());
            }
            tls::Hello::Cut | tls::Hello::Neither => {
                if message.first() == Some(&8)
                    && let Some((alpn, _)) = tls::encrypted_extensions(message, &mut None)
                {
                    self.secured.alpn = alpn;
                }
            }
        }
    }

    /// How the server calls the session, for those that go on with it later (RFC 5246 §7.4.1.3, RFC 5077
    /// §3.3).
    fn note_session(&self, dir: Dir, message: &Message<'_>, cx: &mut Context<'_, '_>) {
        if dir != Dir::Server || self.secured.version != Some("TLS 1.2") {
            return;
        }
        let random = self.begin.unwrap_or(self.random);
        match (message.kind, message.bytes) {
            (2, bytes) => {
                if let tls::Hello::Server(hello) = tls::read(bytes, &mut None) {
                    cx.memory.resumed.learn(&hello.session, random);
                }
            }
            // A header, how long it is good for, and its length.
            (NEW_SESSION_TICKET, [_, _, _, _, _, _, _, _, _, _, ticket @ ..]) => {
                cx.memory.resumed.learn(ticket, random);
            }
            _ => {}
        }
    }

    /// Whether the client has the certificate that the server asks for (RFC 8446 §4.3.2, §4.4.2).
    fn note_certificate(&mut self, dir: Dir, message: &Message<'_>) {
        // Its header, the length of its list, and in TLS 1.3 that of the context in front.
        let is_empty = message.length <= 4 + 3 + 1;
        if dir == Dir::Client && message.kind == CERTIFICATE {
            self.secured.lacks_certificate = is_empty;
        }
    }

    fn alert(&mut self, carried: &Carried<'_>, level: u8, code: u8, cx: &mut Context<'_, '_>) -> Flow {
        let is_new = self.secured.version == Some("TLS 1.3");
        let is_fatal = if is_new { !matches!(code, 0 | 90) } else { level == 2 };
        if code == CLOSE_NOTIFY {
            self.inner.about.first_end(Some(carried.dir), StreamEnd::Notify, carried.last());
        }
        if !is_fatal {
            return self.say(said::alert(carried, level, code), cx);
        }
        self.failed.get_or_insert((How::Alert { by: carried.dir, code }, carried.last()));
        let in_handshake = !self.inner.is_told() || code == CERTIFICATE_REQUIRED;
        let behind = in_handshake.then(|| behind_alert(carried.dir, code));
        self.say(said::fatal_alert(carried, level, code, behind), cx)
    }

    /// Content is missing.
    fn lost(
        &mut self,
        carried: &Carried<'_>,
        content: Missing,
        records: u64,
        cx: &mut Context<'_, '_>,
    ) -> Flow {
        if self.unread[carried.dir.index()] {
            // What it says is not known, but that it says something.
            self.inner.behind(self.side(carried.dir), cx);
            return ON;
        }
        let hole = self.holes[carried.dir.index()].take();
        let Hole { between, rule } = hole.unwrap_or(Hole { between: (None, None), rule: &RECORDS_LOST });
        if let (Some(told), true) = (&self.inner.about.told, hole.is_some()) {
            let got = Text::new("records that are missing: {}, with {} bytes of content (inferred)");
            let expected = "all records, which have no number of their own".into();
            let finding = Finding::new(&RECORDS_LOST, None, expected, got.and(records).and(content.length));
            let at = At { packet: between.1.or(between.0).unwrap_or_default(), ..carried.last() };
            told.note(carried.dir, at, &[finding], cx)?;
        }
        let interest = self.inner.gap(self.side(carried.dir), content, between, rule, cx);
        self.note(interest);
        if interest == Interest::Follow { ON } else { Flow::Break(()) }
    }

    /// Something cannot be deciphered: told of the connection if that is shown, else of the capture.
    fn trouble(&mut self, carried: &Carried<'_>, trouble: Trouble, cx: &mut Context<'_, '_>) -> Flow {
        self.is_sealed = true;
        let finding = self.finding(carried, trouble);
        let flow = match &self.inner.about.told {
            Some(told) => told.note(carried.dir, carried.last(), &[finding], cx),
            None => cx.memory.nameless.tell(finding, carried.last(), cx.out),
        };
        if trouble == Trouble::NotAuthentic || self.inner.is_told() {
            return flow;
        }
        // The other direction may have its secret: it is told as if the capture had no other.
        self.inner.about.both_heard = false;
        self.unread[carried.dir.index()] = true;
        if self.unread == [true; 2] || !matches!(trouble, Trouble::Missing(_)) {
            self.note(Interest::Ignore);
            return Flow::Break(());
        }
        flow
    }

    fn finding(&self, carried: &Carried<'_>, trouble: Trouble) -> Finding {
        let whose = if self.inner.is_told() { Text::default() } else { self.whose() };
        let got = |what: Text| {
            if whose.is_empty() { what } else { Text::new("{}: {}").word(whose.clone()).word(what) }
        };
        match trouble {
            Trouble::Missing(label) => {
                let expected = Text::with("{} in the key log", label.name());
                let what = Text::new("no {} line for client random {}, of which there are others");
                let what = what.and(label.name()).and(Lacking::of(self.random).short());
                Finding::new(&SECRET_MISSING, None, expected, got(what))
            }
            Trouble::NotAuthentic => {
                let what = Text::new("record {} of the {}, at byte {} of its stream");
                let what = what.and(carried.number).word(Text::new(carried.dir.name())).and(carried.offset);
                let expected = "a record that the secret of the key log opens".into();
                let source = Layer::Stream.source(self.inner.conn().unwrap_or_default(), carried.dir);
                let span = Span::bytes(source, carried.offset, carried.bytes.len() as u64);
                Finding::new(&NOT_AUTHENTIC, carried.dir, expected, got(what)).at(span)
            }
            Trouble::Suite(number) => {
                let what = Text::with("cipher suite {}", tls::suite_name(number));
                let expected = "a suite with AES-GCM, ChaCha20-Poly1305 or AES-CBC".into();
                Finding::new(&UNDECIPHERED, None, expected, got(what))
            }
            Trouble::Version(number) => {
                let name = tls::version_name(number).unwrap_or("an unknown version of TLS");
                Finding::new(&UNDECIPHERED, None, "TLS 1.2 or 1.3".into(), got(Text::new(name)))
            }
            Trouble::Hole => {
                let what = Text::new("bytes of the handshake or the place of the next record are missing");
                Finding::new(&UNDECIPHERED, None, "every byte of the handshake".into(), got(what))
            }
        }
    }

    /// Between whom it is, for who knows no number of it.
    fn whose(&self) -> Text {
        let endpoints = self.inner.about.endpoints.as_deref();
        let name = self.secured.server_name.as_deref().unwrap_or_default();
        match endpoints {
            Some(endpoints) => {
                let [client, server] = [self.client, self.client.other()].map(|side| endpoints[side.index()]);
                Text::new("{} → {} {}").and(client).and(server).and(name)
            }
            None => Text::with("{}", name),
        }
    }
}
