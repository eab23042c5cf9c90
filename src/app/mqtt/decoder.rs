//! Follows the two streams of control packets of a connection.

use super::names::Kind;
use super::packet::{self, Control, Head, Header};
use super::reader::Fault;
use super::{KEEP_ALIVE, KEEP_ALIVE_OVER, PROPERTY};
use super::{LENGTH_TOO_LONG, PACKET_CUT, PROTOCOL_ERROR, REFUSED, TEXT_FRAME};
use crate::app::dialect::{Decoder, Said};
use crate::app::pending::{Id, Pending, Request, Requests};
use crate::app::stream::{Begun, Whole};
use crate::limits::APP_PACKETS;
use crate::model::quantity::span;
use crate::model::{Answer, App, Case, Dir, Failure, Finding, Parting, Span, Text, Time, Value};

/// What is remembered of a connection.
#[derive(Debug, Default)]
pub(super) struct Mqtt {
    /// 3, 4 or 5; `None` until something told.
    version: Option<u8>,
    lanes: [Lane; 2],
    /// What was sent and has not been answered; the kind is the type of the answer.
    pending: Pending,
    /// Seconds within which the client has to say something; 0 for any time.
    keep_alive: u64,
    /// When its last message came.
    spoke: Option<Time>,
}

#[derive(Debug, Default)]
struct Lane {
    begun: Begun,
    state: State,
    /// Control packets so far.
    packets: u64,
}

/// Whether it is known where packets begin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    InStep,
    /// Bytes are missing: a packet may begin with any message.
    Lost,
}

impl Decoder for Mqtt {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.known && !is_connect(said) {
            return None;
        }
        if said.dir == Dir::Client {
            self.spoke = said.time;
        }
        if said.text {
            Self::text(said, found);
            return None;
        }
        if said.length == 0 {
            return Some(app(Text::new("an empty message: nothing of a packet")));
        }
        Some(if self.lanes[said.dir.index()].state == State::Lost {
            self.regain(said, found)
        } else {
            self.run(said, found)
        })
    }

    fn lost(&mut self, dir: Dir) {
        let lane = &mut self.lanes[dir.index()];
        lane.begun.clear();
        lane.state = State::Lost;
        self.pending.forget();
    }

    fn behind(&mut self, _dir: Dir) {
        // Packets go on where they are.
        self.pending.forget();
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }

    fn end(&mut self, ended: Option<Time>, found: &mut Vec<Finding>) {
        found.extend(self.overdue(ended));
        for dir in [Dir::Client, Dir::Server] {
            let lane = &self.lanes[dir.index()];
            if lane.state == State::InStep && !lane.begun.is_empty() {
                let begun = &lane.begun;
                let (name, total) = match Head::read(&begun.bytes) {
                    Header::Read(head) => (head.kind().name(), head.total().to_string()),
                    _ => (begun.bytes.first().map_or("", |first| Kind(first >> 4).name()), "?".to_owned()),
                };
                let got =
                    Text::with("{} of {} bytes, begun in message {}", begun.seen).and(total).and(begun.since);
                let expected = Text::new("the rest of a {}").and(name);
                found.push(Finding::new(&PACKET_CUT, dir, expected, got));
            }
        }
    }
}

impl Mqtt {
    /// The client was silent for so long that the server has to give it up (§3.1.2.10).
    fn overdue(&self, ended: Option<Time>) -> Option<Finding> {
        let silent = ended?.since(self.spoke?);
        let limit = i64::try_from(self.keep_alive).ok()?.checked_mul(1_500_000_000)?;
        if limit == 0 || silent < limit - limit / 50 || self.lanes[0].state == State::Lost {
            return None;
        }
        let expected = Text::with("a packet of the client at least every {} s", self.keep_alive);
        let got = Text::with("none for {} before the end", span(silent));
        let what = Text::with("had no packet of the client for {}, whose keep alive is {} s", span(silent))
            .and(self.keep_alive);
        Some(Finding::new(&KEEP_ALIVE_OVER, Dir::Client, expected, got).like(Case::new(what, Vec::new())))
    }

    /// The keep alive that a CONNECT has, or the one that the server sets instead (MQTT 5.0 §3.2.2.3.14).
    fn promise(&mut self, app: &App) {
        for field in &app.fields {
            match &field.value {
                Value::Number(seconds) if field.def == &KEEP_ALIVE => self.keep_alive = *seconds,
                Value::Text(property) if field.def == &PROPERTY => {
                    let set = property.strip_prefix("Server Keep Alive: ");
                    self.keep_alive = set.and_then(|it| it.parse().ok()).unwrap_or(self.keep_alive);
                }
                _ => {}
            }
        }
    }

    /// A text message, which carries no MQTT.
    fn text(said: &Said<'_>, found: &mut Vec<Finding>) {
        let got = Text::with("a text message of {} bytes", said.length);
        let span = Span::bytes(said.source, 0, said.length);
        found.push(Finding::new(&TEXT_FRAME, said.dir, "binary messages only".into(), got).at(span));
    }

    /// Reads a message where it is known that a packet begins, or goes on.
    fn run(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> App {
        let mut apps: Vec<App> = Vec::new();
        let (mut at, mut more) = (0, 0_u64);
        while at < said.length {
            let lane = &mut self.lanes[said.dir.index()];
            let rest = &said.bytes[usize::try_from(at).unwrap_or(usize::MAX).min(said.bytes.len())..];
            let header = lane.header(rest);
            let head = match header {
                Header::Read(head) => head,
                // The header lies where nothing was kept: where the next packet begins is not known.
                Header::Short if rest.len() < 5 && at + (rest.len() as u64) < said.length => {
                    self.lost(said.dir);
                    break;
                }
                Header::Short => {
                    apps.push(lane.put(said, at));
                    break;
                }
                Header::TooLong => {
                    found.push(too_long(said, at, &lane.begun));
                    self.lost(said.dir);
                    break;
                }
            };
            let needed = head.total() - lane.begun.seen;
            if said.length - at < needed {
                apps.push(lane.put(said, at));
                break;
            }
            if apps.len() < APP_PACKETS {
                apps.push(self.packet(said, at, head, found));
            } else {
                self.lanes[said.dir.index()].begun.clear();
                more += 1;
            }
            at += needed;
            if self.lanes[said.dir.index()].state == State::Lost {
                break;
            }
        }
        several(apps, more)
    }

    /// A whole packet, whose last byte is in this message.
    fn packet(&mut self, said: &Said<'_>, at: u64, head: Head, found: &mut Vec<Finding>) -> App {
        let lane = &mut self.lanes[said.dir.index()];
        let (conn, m) = (said.conn(), said.m());
        let is_joined = !lane.begun.is_empty();
        let since = lane.begun.since;
        let mut begun = std::mem::take(&mut lane.begun);
        let whole = if is_joined {
            begun.take(said, at, head.total() - begun.seen);
            begun.whole(conn, m)
        } else {
            let begin = usize::try_from(at).unwrap_or(usize::MAX).min(said.bytes.len());
            let end = usize::try_from(at + head.total()).unwrap_or(usize::MAX).min(said.bytes.len());
            Whole { bytes: &said.bytes[begin..end], source: said.source, offset: at }
        };
        let (source, offset) = (whole.source, whole.offset);
        let control = self.interpret(whole, head);
        let spot = |at: usize, length: usize| Span::bytes(source, offset + at as u64, length as u64);
        if let Some(Fault { rule, at, length, expected, got }) = &control.fault {
            found.push(Finding::new(rule, said.dir, expected.clone(), got.clone()).at(spot(*at, *length)));
        }
        self.judge(said, &control, spot(0, 1), found);
        if let Some((got, at)) = &control.refused
            && said.dir == Dir::Server
        {
            let expected = "a reason code below 0x80, and 0 in a CONNACK".into();
            found.push(Finding::new(&REFUSED, said.dir, expected, got.clone()).at(spot(*at, 1)));
        }
        let mut app = control.app.clone();
        if matches!(control.kind, Kind::CONNECT | Kind::CONNACK) {
            self.promise(&app);
        }
        app.answers = self.answers(said, &control);
        app.parting = (control.kind == Kind::DISCONNECT).then_some(Parting::Leave);
        if is_joined {
            begun.trace(conn, m, &mut app);
            app.summary = Text::new("{}; begun in message {}").word(app.summary).and(since);
        }
        app
    }

    /// Reads a packet in the version that is spoken, or, where nothing told which, as it can be read.
    fn interpret(&mut self, whole: Whole<'_>, head: Head) -> Control {
        let control = match (self.version, head.kind()) {
            (Some(version), _) => packet::read(whole, head, version),
            (None, Kind::CONNACK) => packet::read(whole, head, if head.remaining > 2 { 5 } else { 4 }),
            (None, _) => {
                let older = packet::read(whole, head, 4);
                if older.fault.is_none() {
                    older
                } else {
                    let newer = packet::read(whole, head, 5);
                    if newer.fault.is_none() { newer } else { older }
                }
            }
        };
        if control.fault.is_none() && (self.version.is_none() || control.kind == Kind::CONNECT) {
            self.version = control.version.or(self.version);
        }
        control
    }

    /// What may not come from this side, or not now (§3.1, §4.13.1).
    fn judge(&mut self, said: &Said<'_>, control: &Control, at: Span, found: &mut Vec<Finding>) {
        let lane = &mut self.lanes[said.dir.index()];
        lane.packets += 1;
        let is_first = lane.packets == 1;
        let by_client = said.dir == Dir::Client;
        let name = control.kind.name();
        let mut wrong = |expected: Text, got: Text| {
            found.push(Finding::new(&PROTOCOL_ERROR, said.dir, expected, got).at(at));
        };
        if control.kind.is_clients_alone().is_some_and(|clients| clients != by_client) {
            let expected = Text::new("packets that a {} sends").word(said.dir.name());
            wrong(expected, Text::with("{}", name));
        } else if by_client && is_first && said.agreed && control.kind != Kind::CONNECT {
            wrong("CONNECT as the client's first packet".into(), Text::with("{}", name));
        } else if by_client && !is_first && control.kind == Kind::CONNECT {
            wrong("one CONNECT".into(), "a second one".into());
        } else if !by_client
            && is_first
            && said.agreed
            && !matches!(control.kind, Kind::CONNACK | Kind::AUTH | Kind::DISCONNECT)
        {
            wrong("CONNACK as the server's first packet".into(), Text::with("{}", name));
        }
    }

    /// Remembers what wants an answer, and finds what this answers.
    fn answers(&mut self, said: &Said<'_>, control: &Control) -> Option<Answer> {
        let wanted = match control.kind {
            Kind::CONNECT => Some(Kind::CONNACK),
            Kind::PUBLISH if control.qos == 1 => Some(Kind::PUBACK),
            Kind::PUBLISH if control.qos == 2 => Some(Kind::PUBREC),
            Kind::PUBREC => Some(Kind::PUBREL),
            Kind::PUBREL => Some(Kind::PUBCOMP),
            Kind::SUBSCRIBE => Some(Kind::SUBACK),
            Kind::UNSUBSCRIBE => Some(Kind::UNSUBACK),
            Kind::PINGREQ => Some(Kind::PINGRESP),
            _ => None,
        };
        let (now, id) = (said.moment(), control.id.map_or(Id::None, |id| Id::Number(id.into())));
        if let Some(answer) = wanted {
            let method = match control.kind {
                Kind::PUBLISH => format!("PUBLISH QoS {}", control.qos),
                kind => kind.name().to_owned(),
            };
            let (kind, id, what) = (answer.0.into(), id.clone(), control.title.clone());
            let request = Request { kind, id, what, method: Some(method), ..Request::default() };
            if control.id.is_some() {
                // Sent again, it is the same.
                self.pending.begin_once(said.dir, now, request);
            } else {
                self.pending.begin(said.dir, now, request);
            }
        }
        let is_it = |asked: &Request| asked.kind == u64::from(control.kind.0) && asked.id == id;
        // The reason without the packet that it stands in.
        let reason = |words: &Text| {
            let words = words.to_string();
            let rest = words.strip_prefix(&control.title).unwrap_or(&words);
            rest.trim_start_matches([':', ' ']).to_owned()
        };
        let failure =
            control.refused.as_ref().map(|(words, _)| Failure { code: Some(reason(words)), message: None });
        self.pending.take(said.dir, now, is_it, failure).map(|(answer, _)| answer)
    }

    /// Reads a message of a direction in which bytes are missing: a packet may begin with it.
    ///
    /// It is believed once it is whole and well-formed; until then nothing is said of what it breaks.
    fn regain(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> App {
        let index = said.dir.index();
        let before = (self.version, self.lanes[index].packets);
        // What goes on with a packet that is guessed, or else begins one.
        for _ in 0..2 {
            let was_begun = !self.lanes[index].begun.is_empty();
            let mut own = Vec::new();
            self.lanes[index].state = State::InStep;
            let begins = was_begun || said.bytes.first().is_some_and(|first| may_begin(*first, said.dir));
            if begins {
                // Not the first packet of its side, whatever was seen.
                self.lanes[index].packets = before.1.max(1);
                let app = self.run(said, &mut own);
                let lane = &mut self.lanes[index];
                if own.iter().all(|f| f.rule == &REFUSED) && lane.state == State::InStep {
                    if lane.begun.is_empty() {
                        found.append(&mut own);
                        return app;
                    }
                    if lane.is_plausible() {
                        lane.state = State::Lost;
                        return app;
                    }
                }
            }
            self.version = before.0;
            self.lanes[index].begun.clear();
            self.lanes[index].state = State::Lost;
            if !was_begun {
                break;
            }
        }
        app(Text::with("{} bytes of a packet whose beginning is missing", said.length))
    }
}

impl Lane {
    /// The header of the packet that begins with what was kept, or else with `rest`.
    fn header(&self, rest: &[u8]) -> Header {
        if self.begun.is_empty() {
            return Head::read(rest);
        }
        let mut first = [0; 5];
        let bytes = self.begun.bytes.iter().chain(rest).take(5);
        let length = bytes.zip(&mut first).map(|(byte, to)| *to = *byte).count();
        Head::read(&first[..length])
    }

    /// Takes what a message has of a packet from `at` on, and says so.
    fn put(&mut self, said: &Said<'_>, at: u64) -> App {
        let is_first = self.begun.is_empty();
        self.begun.take(said, at, said.length - at);
        let Some(first) = self.begun.bytes.first() else { return App::default() };
        let name = Kind(first >> 4).name();
        let seen = self.begun.seen;
        app(match (Head::read(&self.begun.bytes), is_first) {
            (Header::Read(head), true) => {
                Text::with("{} begins: {} of {} bytes", name).and(seen).and(head.total())
            }
            (Header::Read(head), false) => {
                Text::with("{} goes on: {} of {} bytes", name).and(seen).and(head.total())
            }
            (_, true) => Text::with("{} begins", name),
            (_, false) => Text::with("{} goes on", name),
        })
    }

    /// Whether what has come of a packet can be the beginning of one.
    fn is_plausible(&self) -> bool {
        let Header::Read(head) = Head::read(&self.begun.bytes) else { return self.begun.seen < 5 };
        let whole = self.begun.whole(0, 0);
        [4, 5].iter().any(|version| packet::read(whole, head, *version).fault.is_none())
    }
}

/// A message that begins with a CONNECT of MQTT.
pub(super) fn is_connect(said: &Said<'_>) -> bool {
    // Nearly every message is something else.
    if said.bytes.first() != Some(&0x10) {
        return false;
    }
    let Header::Read(head) = Head::read(said.bytes) else { return false };
    let rest = said.bytes.get(1 + head.digits..).unwrap_or_default();
    !said.text
        && said.dir == Dir::Client
        && (rest.starts_with(b"\0\x04MQTT") || rest.starts_with(b"\0\x06MQIsdp"))
}

/// Whether `dir` may begin a packet with this byte.
fn may_begin(first: u8, dir: Dir) -> bool {
    let kind = Kind(first >> 4);
    let flags = match kind {
        Kind::PUBLISH => first & 6 != 6,
        Kind::PUBREL | Kind::SUBSCRIBE | Kind::UNSUBSCRIBE => first & 7 == 2,
        _ => first.trailing_zeros() >= 4,
    };
    kind.0 != 0 && flags && kind.is_clients_alone().is_none_or(|clients| clients == (dir == Dir::Client))
}

fn too_long(said: &Said<'_>, at: u64, begun: &Begun) -> Finding {
    let span =
        if begun.is_empty() { Span::bytes(said.source, at + 1, 4) } else { Span::bytes(said.source, at, 1) };
    let got = "a fourth byte that announces more".into();
    Finding::new(&LENGTH_TOO_LONG, said.dir, "a length of one to four bytes".into(), got).at(span)
}

fn app(summary: Text) -> App {
    App { protocol: "mqtt", name: "MQTT", summary, ..App::default() }
}

/// The packets of one message: the only one, or a list.
fn several(apps: Vec<App>, more: u64) -> App {
    let mut all = app(Text::default()).around(apps);
    if more > 0 {
        all.summary = Text::new("{}; and {} more packets").word(all.summary).and(more);
    }
    all
}
