//! The opening handshake with a server that is graded, over HTTP/1.1 or HTTP/2.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use super::heads;
use super::record::Record;
use super::talk::{Talked, goodbye, talk};
use super::{Connect, Connected, Opening, TAKEOVER};
use crate::grade::Endpoint;
use crate::grade::case::{Answers, Case, Closer, Prepared, Status};
use crate::grade::script::Pacing;
use crate::http::{Outcome, ResponseReport, SERVER_ACCEPTED_BAD, check_request, check_response};
use crate::lab::http2::{self, Answered, Dialled, Unanswered};
use crate::lab::socket::Stream;
use crate::limits;
use crate::model::grade::EventKind;
use crate::model::{Dir, Severity, SourceId, StreamEnd, Text};
use crate::replay::Heard;
use crate::replay::heard::{Progress, begins_response};
use crate::synth::handshake::{self, Request};

/// The server that is graded.
#[derive(Clone, Debug)]
pub struct Target {
    /// The value of `Host`.
    pub host: String,
    /// Path and query.
    pub resource: String,
    /// It is `wss`.
    pub secure: bool,
    /// It is spoken to over HTTP/2.
    pub http2: bool,
    /// Lines that are added to each request.
    pub fields: Vec<String>,
    /// What it does with messages.
    pub endpoint: Endpoint,
    /// Messages that it sends to whoever comes, before it is sent any.
    pub greeting: usize,
    /// Somebody's first server: it closes when its author has come to that.
    pub first: bool,
}

impl Target {
    /// Leaves of a case what is judged with such a server.
    pub(super) fn adapt(&self, case: &Case, prepared: &mut Prepared) {
        self.endpoint.adapt(prepared);
        prepared.greeting = self.greeting;
        prepared.parts = self.first && case.facts.stage < CLOSING && case.ending.closer == Closer::Judge;
    }

    /// Whether requests have this field because the user says so.
    fn gives(&self, name: &str) -> bool {
        self.fields.iter().any(|field| name_of(field).eq_ignore_ascii_case(name))
    }

    /// The opening handshake of a case, and in which pieces it is sent.
    pub(super) fn request(&self, case: &Case, prepared: &Prepared) -> (Request, Pacing) {
        let (mut request, pacing) = prepared.request.clone().unwrap_or_default();
        request.path.get_or_insert_with(|| self.resource.clone());
        request.host.get_or_insert_with(|| self.host.clone());
        if request.extensions.is_none() {
            request.extensions.clone_from(&case.offer);
        }
        let named = |text: &String| text.replace("{path}", &self.resource).replace("{host}", &self.host);
        // What follows a query that is there already belongs to it.
        let behind = if self.resource.contains('?') { "{path}&" } else { "{path}?" };
        let line = request.edits.line.as_ref().map(|line| line.replace("{path}?", behind));
        request.edits.line = line.as_ref().map(named);
        request.edits.add = request.edits.add.iter().map(named).collect();
        // What the user gives is needed, and stands for what a case would say; but for lists, which may be in
        // several lines (RFC 6455 §11.3.2, §11.3.4).
        let is_list = |name: &str| LISTS.iter().any(|list| name.eq_ignore_ascii_case(list));
        request.edits.add.retain(|line| is_list(name_of(line)) || !self.gives(name_of(line)));
        request.edits.add.splice(0..0, self.fields.iter().cloned());
        (request, pacing)
    }

    /// What of the fields that have to be there is not, or the other way round; and whether that is allowed.
    /// What the user offers may be chosen.
    fn missing(&self, answers: &Answers, answer: &Heard) -> (Option<Text>, bool) {
        let head = answer.head();
        let is_there = |field: &str| {
            let (name, element) =
                field.split_once(':').map_or((field, None), |(name, it)| (name, Some(it.trim())));
            head.values(name.trim()).any(|value| {
                let elements = String::from_utf8_lossy(value.bytes);
                element.is_none_or(|element| {
                    elements.split(',').any(|it| it.trim().eq_ignore_ascii_case(element))
                })
            })
        };
        let lacking = |field: &String| Text::with("the answer has no {}", field);
        if let Some(field) = answers.has.iter().find(|field| !is_there(field)) {
            return (Some(lacking(field)), false);
        }
        if let Some(field) = answers.lacks.iter().find(|field| is_there(field) && !self.gives(field)) {
            return (Some(Text::with("the answer has {}", field)), false);
        }
        let wished = answers.should_have.iter().find(|field| !is_there(field));
        (wished.map(lacking), wished.is_some())
    }
}

/// The name in a line of a head.
fn name_of(line: &str) -> &str {
    line.split_once(':').map_or(line, |(name, _)| name.trim_end())
}

/// The stage at which who writes a first server comes to the closing handshake.
const CLOSING: u8 = 3;

/// Fields of which a request may have several.
const LISTS: [&str; 2] = ["Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions"];

/// Interim responses that are put up with.
const INTERIM: usize = 16;

/// How long the answer to a request is waited for, at least.
const ANSWER: Duration = Duration::from_secs(5);

/// Opens it, and plays.
pub(super) async fn play(
    case: &Case,
    prepared: &Prepared,
    target: &Target,
    connect: &dyn Connect,
    record: &mut Record,
) -> (Opening, Option<Talked>) {
    let Connected { mut stream, abort } = match connect.connect().await {
        Ok(connected) => connected,
        Err(why) => return (Opening::Unreached(why), None),
    };
    let (request, pacing) = target.request(case, prepared);
    let mut nonce = [0; 16];
    // Without randomness the key is 0, which opens a WebSocket too.
    let _ = getrandom::fill(&mut nonce);
    let request = request.bytes(&handshake::key(nonce));
    if target.http2 {
        let deadline = Instant::now() + case.patience.max(ANSWER);
        return over_http2(case, prepared, (target, &request), (stream, deadline), record).await;
    }
    if let Some(before) = &prepared.before {
        let mut before = before.clone();
        before.path.get_or_insert_with(|| target.resource.clone());
        before.host.get_or_insert_with(|| target.host.clone());
        if let Err(why) = ordinary(&mut stream, &before.bytes(""), record).await {
            return (why, None);
        }
    }
    let early = heads::send(&mut stream, (Dir::Client, &request), &pacing, record).await;
    if pacing.end == Some(StreamEnd::Rst) {
        abort.reset();
        return (Opening::Left, None);
    }
    let is_silence = [&case.answer.right, &case.answer.lenient].iter().any(|it| it.contains(&Status::Silent));
    let patience = if is_silence { case.patience } else { case.patience.max(ANSWER) };
    let (answer, early) = match read(&mut stream, early, record, Instant::now() + patience).await {
        Ok(answer) => answer,
        Err(why) => return (why, None),
    };
    let asked = check_request(&Heard::of(&request, SourceId::Input, 0).head(), true);
    let report = check_response(Some(&asked.facts), &answer.head(), Vec::new, false);
    let opening = opening(case, target.missing(&case.answer, &answer), &report);
    let played = follow(case, prepared, (opening, &report), (&mut stream, &early), record).await;
    if played.1.as_ref().is_some_and(|talked| talked.reset) {
        abort.reset();
    }
    played
}

/// An ordinary request and its answer, behind which the connection is to be used again (RFC 9112 §9.3).
async fn ordinary(stream: &mut impl Stream, request: &[u8], record: &mut Record) -> Result<(), Opening> {
    const NONE: Opening = Opening::Unimplemented("connection that goes on after an ordinary request");
    let deadline = Instant::now() + ANSWER;
    let early = heads::send(stream, (Dir::Client, request), &Pacing::default(), record).await;
    let (answer, rest) = read(stream, early, record, deadline).await.map_err(|why| match why {
        Opening::Answered { status: None, .. } => NONE,
        why => why,
    })?;
    let head = answer.head();
    let closes = head.values("Connection").any(|value| {
        let elements = String::from_utf8_lossy(value.bytes);
        elements.split(',').any(|element| element.trim().eq_ignore_ascii_case("close"))
    });
    let mut body = answer.body_behind(Some("GET"));
    if closes || body.is_until_close() || head.version().is_some_and(|version| version < (1, 1)) {
        return Err(NONE);
    }
    body.push(&rest);
    let mut buffer = vec![0; limits::RAW_READ];
    while !body.is_done() {
        match timeout_at(deadline, stream.read(&mut buffer)).await {
            Ok(Ok(count @ 1..)) if body.length() < limits::GRADE_GOT => {
                record.bytes(Dir::Server, &buffer[..count]);
                body.push(&buffer[..count]);
            }
            _ => return Err(NONE),
        }
    }
    Ok(())
}

async fn over_http2(
    case: &Case,
    prepared: &Prepared,
    (target, request): (&Target, &[u8]),
    (stream, deadline): (Box<dyn Stream>, Instant),
    record: &mut Record,
) -> (Opening, Option<Talked>) {
    let request = Heard::of(request, SourceId::Input, 0);
    let asked = match http2::asked(&request.head(), target.secure) {
        Ok(asked) => asked,
        Err(why) => return (Opening::Unreached(why), None),
    };
    let facts = check_request(&request.head(), true).facts;
    let heard = |answered: &Answered| {
        let key = facts.key.as_deref().unwrap_or_default();
        let head = http2::response(answered.status.as_u16(), &answered.headers, key);
        Heard::of(&head, SourceId::Stream { conn: 1, dir: Dir::Server }, 0)
    };
    // What a case asks of the fields it asks of those that came.
    let came = |answered: &Answered| {
        Heard::of(&http2::plain(answered.status.as_u16(), &answered.headers), SourceId::Input, 0)
    };
    match http2::dial(stream, asked, deadline).await {
        Err(why) => (Opening::Unreached(unanswered(why)), None),
        Ok(Dialled::Refused(answered, _)) => {
            let status = answered.status.as_u16();
            record.event(EventKind::Answer(status), b"");
            let (fields, lenient) = target.missing(&case.answer, &came(&answered));
            (Opening::Answered { status: Some(status), fields, lenient }, None)
        }
        Ok(Dialled::Open(answered, channel)) => {
            let report = check_response(Some(&facts), &heard(&answered).head(), Vec::new, false);
            let opening = opening(case, target.missing(&case.answer, &came(&answered)), &report);
            follow(case, prepared, (opening, &report), (channel, &[]), record).await
        }
    }
}

/// Why there is no answer over HTTP/2.
fn unanswered(why: Unanswered) -> Text {
    match why {
        Unanswered::NotEnabled => {
            "SETTINGS_ENABLE_CONNECT_PROTOCOL is not among the server's SETTINGS".into()
        }
        Unanswered::Foreign(_) | Unanswered::Silent => "no SETTINGS of HTTP/2 came".into(),
        Unanswered::Late => "no answer to the opening handshake".into(),
        Unanswered::Reset(code) => Text::with("RST_STREAM instead of an answer: {}", code),
        Unanswered::Goaway(code) => Text::with("GOAWAY instead of an answer: {}", code),
        Unanswered::Broken(why) => Text::with("the connection broke before the answer: {}", why),
    }
}

/// Goes on where the WebSocket is open.
async fn follow(
    case: &Case,
    prepared: &Prepared,
    (opening, report): (Opening, &ResponseReport),
    (stream, early): (impl AsyncRead + AsyncWrite + Unpin, &[u8]),
    record: &mut Record,
) -> (Opening, Option<Talked>) {
    if let Some(status) = report.facts.status.filter(|status| *status != 101) {
        record.event(EventKind::Answer(status), b"");
    }
    let deflate = report.facts.deflate;
    if matches!(opening, Opening::Unimplemented(_)) {
        let talked = goodbye(Dir::Client, deflate, stream, early, record).await;
        return (opening, Some(talked));
    }
    if !matches!(opening, Opening::Open { .. }) {
        return (opening, None);
    }
    let talked = talk(case, prepared, (Dir::Client, deflate), (stream, early), record).await;
    (opening, Some(talked))
}

/// What the answer comes to.
fn opening(case: &Case, (fields, lenient): (Option<Text>, bool), report: &ResponseReport) -> Opening {
    match report.facts.outcome {
        Outcome::Open => {
            // Whether it should be open is for the case to say where that says what may be answered.
            let is_told = !case.answer.right.is_empty();
            let broken = report.findings.iter().find(|it| {
                it.rule.severity == Severity::Error && !(is_told && it.rule == &SERVER_ACCEPTED_BAD)
            });
            if let Some(broken) = broken {
                return Opening::Broken(broken.rule, broken.got.clone());
            }
            if case.offer.is_some() && report.facts.deflate.is_none() && case.answer == Answers::default() {
                return Opening::Unimplemented("permessage-deflate, as it is offered here");
            }
            if case.takeover && report.facts.deflate.is_some_and(|agreed| agreed.client_no_context_takeover) {
                return Opening::Unimplemented(TAKEOVER);
            }
            Opening::Open { fields, lenient }
        }
        Outcome::Failed(rule) => {
            let found = report.findings.iter().find(|it| it.rule == rule);
            Opening::Broken(rule, found.map_or_else(Text::default, |it| it.got.clone()))
        }
        _ => Opening::Answered { status: report.facts.status, fields, lenient },
    }
}

/// Reads the final response, of which `early` has come, and what came behind it already.
async fn read(
    stream: &mut impl Stream,
    early: Vec<u8>,
    record: &mut Record,
    deadline: Instant,
) -> Result<(Heard, Vec<u8>), Opening> {
    const SERVER: SourceId = SourceId::Stream { conn: 1, dir: Dir::Server };
    let mut buffer = early;
    for _ in 0..INTERIM {
        let mut heard = Heard::new(SERVER, 0);
        loop {
            let used = heard.push(&buffer);
            if heard.progress() != Progress::More {
                buffer.drain(..used);
                break;
            }
            buffer.resize(limits::RAW_READ, 0);
            let is_first = heard.bytes().is_empty();
            match timeout_at(deadline, stream.read(&mut buffer)).await {
                Ok(Ok(count @ 1..)) => buffer.truncate(count),
                Err(_) if is_first => return Err(Opening::Silent),
                Err(_) => return Err(Opening::Unreached("the answer's head has no end".into())),
                Ok(_) if is_first => {
                    return Err(Opening::Answered { status: None, fields: None, lenient: false });
                }
                // It speaks something else, to who does so as well.
                Ok(_) if begins_response(heard.bytes()) != Some(true) => {
                    return Err(Opening::Answered { status: None, fields: None, lenient: false });
                }
                Ok(_) => {
                    return Err(Opening::Unreached("the connection ended within the answer's head".into()));
                }
            }
            record.bytes(Dir::Server, &buffer);
        }
        if !heard.is_interim() {
            return Ok((heard, buffer));
        }
    }
    Err(Opening::Unreached("one interim response after another".into()))
}
