//! HTTP requests of Engine.IO and their responses: what they carry, and what their refusal means.

use std::collections::VecDeque;

use memchr::memchr;

use super::body::{Carried, Says, carried, first_bytes, says};
use super::table::Table;
use super::target::Target;
use super::via::Via;
use super::when::When;
use crate::app::excerpt::clipped;
use crate::app::{
    CLIENT_TOO_OLD, CONCURRENT_POLLS, CORS_BLOCKED, NO_STICKY_SESSION, NOT_ENGINE_IO, PAYLOAD_TOO_BIG,
    PLAIN_CLIENT, REQUEST_REFUSED, SERVER_TOO_OLD, SESSION_EXPIRED, TRANSPORT_DISABLED, engineio,
};
use crate::limits;
use crate::model::{Connection, Dir, Finding, HttpHead, SourceId, Text, Unit};

/// The requests of one connection.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    waiting: VecDeque<Request>,
    /// How many requests and responses there were.
    counts: [u64; 2],
    /// The session that one of them was of last.
    pub session: Option<u32>,
}

/// A request that waits for its response.
#[derive(Debug)]
struct Request {
    method: String,
    target: Target,
    /// Its stream of HTTP/2.
    stream: Option<u32>,
    /// It asks for a WebSocket.
    upgrades: bool,
    /// It came from a page of another origin, and whether with cookies.
    foreign: Option<bool>,
    when: When,
    /// Another poll of the session was waiting when it was sent.
    overlaps: Option<When>,
}

/// A head as it came, and what is known of its connection.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a, 'u> {
    pub unit: &'a Unit<'u>,
    pub head: &'a HttpHead<'u>,
    pub connection: Option<&'a Connection>,
    /// Of whom something is missing on this connection.
    pub missed: [bool; 2],
}

impl Exchanges {
    /// Whether nothing of it matters but to those that come, if any do.
    pub fn is_over(&self) -> bool {
        self.waiting.is_empty() && self.session.is_none()
    }

    /// The ids in requests that were not answered.
    pub fn unanswered(self) -> impl Iterator<Item = String> {
        self.waiting.into_iter().filter_map(|request| request.target.sid)
    }

    /// Takes a head with its body; packets it carries are added to `said`. Gives the session
    /// whose WebSocket begins with it.
    pub fn head(&mut self, seen: Seen<'_, '_>, table: &mut Table, said: &mut Vec<Carried>) -> Option<u32> {
        if let Some(rest) = seen.head.start_line.strip_prefix("HTTP/") {
            self.counts[1] += 1;
            let (status, _) = divided(divided(rest).1);
            let status = status.parse().unwrap_or_default();
            let request = self.answered(&seen)?;
            if self.waiting.is_empty() {
                // For the last one, as far as anybody knows.
                self.waiting = VecDeque::new();
            }
            let mut answer = Answer { seen, table, n: self.counts[1], status, session: self.session };
            let socket = answer.judge(&request, said);
            self.session = answer.session;
            socket
        } else {
            self.counts[0] += 1;
            let request = request(seen, table, (self.counts[0], &mut self.session), said);
            if self.waiting.len() < limits::HTTP_REQUESTS_PIPELINED {
                if self.waiting.is_empty() {
                    self.waiting.reserve_exact(1);
                }
                self.waiting.push_back(request);
            }
            None
        }
    }

    /// The request that a response is the answer to: over HTTP/2 that of its stream, in whatever order they
    /// come; over HTTP/1.1 the first that waits (RFC 9112 §9.3.2). Where something of the connection is
    /// missing it is the last: hardly a client sends a request before the one before it is answered, so
    /// answers to those that were sent before are among what is missing.
    fn answered(&mut self, seen: &Seen<'_, '_>) -> Option<Request> {
        let is_own = |request: &Request| request.stream == seen.head.stream;
        if seen.head.stream.is_some() || seen.missed == [false; 2] {
            let at = self.waiting.iter().position(is_own)?;
            return self.waiting.remove(at);
        }
        let at = self.waiting.iter().rposition(is_own)?;
        let request = self.waiting.remove(at);
        self.waiting.retain(|request| !is_own(request));
        request
    }
}

/// What is before the first blank of a line, and behind it.
fn divided(line: &str) -> (&str, &str) {
    memchr(b' ', line.as_bytes()).map_or((line, ""), |at| (&line[..at], &line[at + 1..]))
}

fn request(
    seen: Seen<'_, '_>,
    table: &mut Table,
    (n, own): (u64, &mut Option<u32>),
    said: &mut Vec<Carried>,
) -> Request {
    let Seen { unit, head, connection, missed } = seen;
    let (method, rest) = divided(head.start_line);
    let method = method.to_owned();
    let target = Target::parse(divided(rest).0).unwrap_or_default();
    let upgrades = ["Upgrade", ":protocol"].iter().any(|name| head.header(name).is_some());
    let host = [":authority", "Host"].iter().find_map(|name| head.header(name)).unwrap_or_default();
    let origin = head.header("Origin").and_then(|origin| origin.split_once("://"));
    let is_foreign = origin.is_some_and(|(_, origin)| !origin.eq_ignore_ascii_case(host));
    let foreign = is_foreign.then(|| head.header("Cookie").is_some());
    let when = When::of(unit);
    let mut overlaps = None;
    // A session whose beginning was not seen begins here, for us.
    if target.is_engine_io()
        && let Some(sid) = &target.sid
        && !table.is_over(sid)
    {
        let number = table.begin(connection, &target, when);
        *own = Some(number);
        if let Some(session) = table.of(number) {
            session.seen(when);
            session.miss(missed);
            session.requests += 1;
            if upgrades {
                session.upgrade.asked = Some(when);
            } else {
                session.upgrade.polls_since += 1;
                if method == "GET" {
                    overlaps = session.polls.first().copied();
                    if session.polls.len() < limits::EVIDENCE {
                        session.polls.push(when);
                    }
                }
            }
            if method == "POST" {
                let source = SourceId::Body { conn: unit.conn, dir: Dir::Client, n };
                carried(session, head, Via::polling(Dir::Client, source, when), said);
            }
        }
    }
    Request { method, target, stream: head.stream, upgrades, foreign, when, overlaps }
}

/// A response with all that is needed to judge it.
struct Answer<'a, 'u> {
    seen: Seen<'a, 'u>,
    table: &'a mut Table,
    n: u64,
    status: u16,
    /// The session that something on this connection was of last.
    session: Option<u32>,
}

impl Answer<'_, '_> {
    fn judge(&mut self, request: &Request, said: &mut Vec<Carried>) -> Option<u32> {
        let when = When::of(self.seen.unit);
        let (target, sid) = (&request.target, request.target.sid.as_deref());
        if let Some((_, session)) = sid.and_then(|sid| self.table.by_sid(sid)) {
            session.seen(when);
            if let Some(at) = session.polls.iter().position(|poll| *poll == request.when) {
                session.polls.remove(at);
            }
        }
        let is_stream = request.stream.is_some();
        match self.status {
            status if status == 101 || is_stream && request.upgrades && (200..300).contains(&status) => {
                return target
                    .is_engine_io()
                    .then(|| self.table.begin(self.seen.connection, target, request.when));
            }
            200..=299 if request.method == "OPTIONS" => {}
            200 if !request.upgrades && target.is_engine_io() => self.carries(request, said),
            400.. => self.refusal(request),
            200..=399 if target.is_engine_io() => {
                let got = Text::with("status {}", self.status);
                let session = self.table.attempt(self.seen.connection, target, request.when);
                session.find(
                    Finding::new(&NOT_ENGINE_IO, None, "an Engine.IO handshake".into(), got),
                    &[request.when, when],
                );
            }
            _ => {}
        }
        None
    }

    /// A response that carries packets, or opens a session.
    fn carries(&mut self, request: &Request, said: &mut Vec<Carried>) {
        let when = When::of(self.seen.unit);
        let source = SourceId::Body { conn: self.seen.unit.conn, dir: Dir::Server, n: self.n };
        if request.method == "POST" {
            return;
        }
        let opens = request.target.sid.is_none();
        let number = self.table.begin(self.seen.connection, &request.target, request.when);
        self.session = Some(number);
        let Some(session) = self.table.of(number) else { return };
        session.miss(self.seen.missed);
        if opens {
            let Says { body, whole } = says(self.seen.head);
            let has_length = body.first().is_some_and(u8::is_ascii_digit)
                && body.iter().position(|b| *b == b':').is_some_and(|at| {
                    body[..at].iter().all(u8::is_ascii_digit) && body.get(at + 1) == Some(&b'0')
                });
            let is_old = has_length || matches!(*body, [0, 1..=9, ..]);
            if session.asked == Some(4) && is_old {
                let got =
                    Text::with("a length-prefixed answer, as revision 3 writes it: {}", first_bytes(&body));
                let evidence = [request.when, when];
                session.find(
                    Finding::new(&SERVER_TOO_OLD, Some(Dir::Server), "0{…} without a length".into(), got),
                    &evidence,
                );
                session.record.version = Some(3);
            }
            // The answer to what was posted, where that to the handshake is missing.
            let is_of_post = *body == *b"ok";
            let looks_right = is_old || is_of_post || body.starts_with(b"0{") || body.starts_with(b"___eio[");
            // Where something is missing it may be the answer to another request.
            if !looks_right && whole && self.seen.missed == [false; 2] {
                let got = Text::with("status 200 and {}", first_bytes(&body));
                let evidence = [request.when, when];
                session.find(
                    Finding::new(&NOT_ENGINE_IO, None, "an Engine.IO handshake".into(), got),
                    &evidence,
                );
                session.refused = true;
                return;
            }
            session.cors = cors(request, self.seen.head).map(|why| (when, why));
        }
        carried(session, self.seen.head, Via::polling(Dir::Server, source, when), said);
        self.table.learn(number);
    }

    fn refusal(&mut self, request: &Request) {
        let when = When::of(self.seen.unit);
        let evidence = [request.when, when];
        let target = &request.target;
        let Says { body, .. } = says(self.seen.head);
        let engineio::Refusal { code, is_numbered, message } = engineio::refusal(&body);
        let got = match (code, &message) {
            (Some(code), Some(message)) if is_numbered => {
                Text::with("{}, code {}: {}", self.status).and(code).and(clipped(message))
            }
            (_, Some(message)) => Text::with("{}: {}", self.status).and(clipped(message)),
            _ if self.seen.head.body.is_empty() => Text::with("{} without a body", self.status),
            // What it says cannot be read.
            _ if body.is_empty() => Text::with("{}", self.status),
            _ => Text::with("{} with {}", self.status).and(first_bytes(&body)),
        };
        if !target.is_engine_io() {
            if request.upgrades && target.is_socket_io() && code == Some(0) {
                let session = self.table.attempt(self.seen.connection, target, request.when);
                let expected = "EIO and transport in the query, and Engine.IO in the messages".into();
                session.find(Finding::new(&PLAIN_CLIENT, Some(Dir::Client), expected, got), &evidence);
            }
            return;
        }
        // A session that was never opened here, and is refused, is not one.
        let known = target.sid.as_deref().and_then(|sid| self.table.by_sid(sid)).map(|(number, _)| number);
        if let (Some(1), Some(sid)) = (code, &target.sid) {
            return self.unknown_session(request, sid.clone(), known, got);
        }
        let session = match known.and_then(|number| self.table.of(number)) {
            Some(session) => session,
            None => self.table.attempt(self.seen.connection, target, request.when),
        };
        let is_known = session.record.sid.is_some();
        match code {
            _ if self.status == 413 => {
                let expected = match session.open.as_ref().and_then(|open| open.max_payload) {
                    Some(most) => Text::with("at most {} bytes, as maxPayload says", most),
                    None => "no more bytes than the server accepts".into(),
                };
                session.find(Finding::new(&PAYLOAD_TOO_BIG, Some(Dir::Client), expected, got), &evidence);
            }
            Some(5) => {
                let asked = target.eio.as_deref().unwrap_or("none");
                let expected = Text::with("EIO=4 in the request, which has EIO={}", asked);
                session.find(Finding::new(&CLIENT_TOO_OLD, Some(Dir::Client), expected, got), &evidence);
            }
            Some(2) if request.method == "OPTIONS" => {
                let expected = "an answer to the preflight with Access-Control-Allow-Origin".into();
                session.find(Finding::new(&CORS_BLOCKED, Some(Dir::Server), expected, got), &evidence);
            }
            Some(0) => {
                let asked = target.transport.as_deref().unwrap_or("none");
                let expected = Text::with("a transport the server offers, not {}", asked);
                session.find(Finding::new(&TRANSPORT_DISABLED, None, expected, got), &evidence);
            }
            None | Some(3) if request.overlaps.is_some() && request.method == "GET" && is_known => {
                let expected = "one poll at a time".into();
                let first = request.overlaps.unwrap_or_default();
                session.find(
                    Finding::new(&CONCURRENT_POLLS, Some(Dir::Client), expected, got),
                    &[first, request.when, when],
                );
            }
            // What stops a WebSocket may leave the session as it is.
            _ if request.upgrades && is_known => {
                session.upgrade.refused = Some((when, self.status));
                session.upgrade.polls_since = 0;
            }
            // Who stands before it, or looks at who asks, says nothing of what is behind.
            None if matches!(self.status, 401 | 403 | 407 | 408 | 421 | 425 | 429 | 431 | 500..) => {
                session.find(Finding::new(&REQUEST_REFUSED, None, "200".into(), got), &evidence);
            }
            None => {
                session.find(
                    Finding::new(&NOT_ENGINE_IO, Some(Dir::Client), "an Engine.IO handshake".into(), got),
                    &evidence,
                );
            }
            Some(_) => session.find(Finding::new(&REQUEST_REFUSED, None, "200".into(), got), &evidence),
        }
        session.refused |= !is_known;
    }

    /// The server does not know the session: another process opened it, or it is over.
    fn unknown_session(&mut self, request: &Request, sid: String, known: Option<u32>, got: Text) {
        let when = When::of(self.seen.unit);
        let over = self.table.is_over(&sid);
        let session = match known.and_then(|number| self.table.of(number)) {
            Some(session) => session,
            None => self.table.attempt(self.seen.connection, &request.target, request.when),
        };
        let evidence = [session.began, request.when, when];
        let is_alive = session.open.as_ref().is_some_and(|open| {
            let millis =
                open.ping_interval.unwrap_or(25_000).saturating_add(open.ping_timeout.unwrap_or(20_000));
            let idle = session.heard_before(request.when);
            session.closed.is_none() && idle.is_none_or(|idle| (idle as u64) / 1_000_000 < millis)
        });
        session.refused = true;
        if is_alive && !over {
            let expected = Text::with("session {}, which was opened in this capture, to be known", &sid);
            session.find(Finding::new(&NO_STICKY_SESSION, Some(Dir::Server), expected, got), &evidence);
        } else {
            let expected = Text::with("a session that is open, not {}", &sid);
            session.find(Finding::new(&SESSION_EXPIRED, Some(Dir::Client), expected, got), &evidence[1..]);
        }
    }
}

/// Why a browser would not show the answer to the page that asked.
fn cors(request: &Request, head: &HttpHead<'_>) -> Option<Text> {
    let with_cookies = request.foreign?;
    match head.header("Access-Control-Allow-Origin") {
        None => Some("no Access-Control-Allow-Origin, although the page is of another origin".into()),
        Some("*") if with_cookies => {
            Some("Access-Control-Allow-Origin: *, although the request has credentials".into())
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Body;

    #[test]
    fn answers_belong_to_the_first_that_waits_or_to_the_last_where_something_is_missing() {
        fn request(target: &str, stream: Option<u32>) -> Request {
            let target = Target::parse(target).expect("a target");
            let (method, when) = ("GET".into(), When::default());
            Request { method, target, stream, upgrades: false, foreign: None, when, overlaps: None }
        }
        let (opening, poll) = ("/socket.io/?EIO=4", "/socket.io/?EIO=4&sid=a");
        // What is missing; the streams of requests and of the answer; which is answered, and how many wait.
        for (missed, streams, stream, answered, left) in [
            ([false, false], [None, None], None, opening, 1),
            ([true, false], [None, None], None, poll, 0),
            ([false, true], [None, None], None, poll, 0),
            ([true, true], [Some(3), Some(1)], Some(3), opening, 1),
        ] {
            let waiting = [request(opening, streams[0]), request(poll, streams[1])].into();
            let mut exchanges = Exchanges { waiting, ..Exchanges::default() };
            let head = HttpHead { stream, ..crate::model::sample::head("HTTP/1.1 200 OK") };
            let unit = Unit::of(1, Body::Http(&head));
            let seen = Seen { unit: &unit, head: &head, connection: None, missed };
            let request = exchanges.answered(&seen).expect("one waits");
            let sid = Target::parse(answered).and_then(|target| target.sid);
            assert_eq!((request.target.sid, exchanges.waiting.len()), (sid, left), "{missed:?}");
        }
    }
}
