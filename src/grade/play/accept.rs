//! The opening handshake with a client that is graded.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::time::{Instant, timeout};

use super::record::Record;
use super::talk::{Talked, goodbye, talk};
use super::{Opening, TAKEOVER, heads};
use crate::grade::case::{Case, Prepared};
use crate::http::handshake::grant_deflate;
use crate::http::{check_request, check_response};
use crate::lab::abort::Abort;
use crate::lab::http2::StreamWatch;
use crate::lab::hub::held;
use crate::lab::socket::Stream;
use crate::limits;
use crate::model::grade::Chapter;
use crate::model::{Dir, Opcode, Severity, SourceId, StreamEnd, Text};
use crate::replay::Heard;
use crate::synth::handshake::Request;
use crate::ws::header;

/// A client that has asked to open a WebSocket.
pub struct Arrived {
    /// Its request.
    pub request: Vec<u8>,
    /// What came behind that.
    pub early: Vec<u8>,
    /// The connection.
    pub stream: Box<dyn Stream>,
    /// By which it can be reset.
    pub abort: Abort,
    /// Keys of its agent's earlier requests.
    pub keys: KeysSeen,
    /// With what its agent begins.
    pub greets: Greets,
    /// What the decoder says of its stream; `None` over HTTP/1.1.
    pub http2: Option<StreamWatch>,
}

/// How many messages an agent begins each connection with, whatever it is sent: it is listened to once,
/// before anything is sent to it.
#[derive(Clone, Debug, Default)]
pub struct Greets(Arc<Mutex<Greeting>>);

#[derive(Debug, Default)]
struct Greeting {
    known: Option<usize>,
    is_told: bool,
}

impl Greets {
    /// The same, if it is known, and there are any; once.
    pub fn news(&self) -> Option<usize> {
        let mut greeting = held(&self.0);
        let news = greeting.known.filter(|count| *count > 0 && !greeting.is_told);
        greeting.is_told |= news.is_some();
        news
    }

    fn known(&self) -> usize {
        held(&self.0).known.unwrap_or_default()
    }

    /// Listens for it where it is not known yet; what comes meanwhile is put behind `early`.
    async fn heard(&self, stream: &mut Box<dyn Stream>, early: &mut Vec<u8>, record: &mut Record) -> usize {
        if let Some(known) = held(&self.0).known {
            return known;
        }
        let mut room = vec![0; limits::RAW_READ];
        let deadline = Instant::now() + LONG;
        // Who goes on and on has more to say than a greeting.
        while early.len() <= MOST && Instant::now() < deadline {
            match timeout(QUIET, stream.read(&mut room)).await {
                Err(_) => {
                    let count = whole_messages(early);
                    // Cases may have begun at once: what is known first stays.
                    return *held(&self.0).known.get_or_insert(count);
                }
                Ok(Ok(count @ 1..)) => {
                    record.bytes(Dir::Client, &room[..count]);
                    early.extend_from_slice(&room[..count]);
                }
                // It says nothing more, whatever it would have.
                Ok(_) => return whole_messages(early),
            }
        }
        *held(&self.0).known.get_or_insert(0)
    }
}

/// How long a client has said nothing that has said all it says unasked.
const QUIET: Duration = Duration::from_millis(300);

/// For how long, and how many bytes, something is taken for a greeting, at most.
const LONG: Duration = Duration::from_secs(1);
const MOST: usize = 4096;

/// How many messages end in a stream's first bytes.
fn whole_messages(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while let Ok(header) = header::decode(bytes) {
        let end = u64::from(header.header_length()).saturating_add(header.length);
        let Some(rest) = usize::try_from(end).ok().and_then(|end| bytes.get(end..)) else { break };
        let is_of_message = matches!(header.opcode, Opcode::TEXT | Opcode::BINARY | Opcode::CONTINUATION);
        count += usize::from(header.fin && is_of_message);
        bytes = rest;
    }
    count
}

/// Keys of opening handshakes that an agent has sent: each is to be another (RFC 6455 §4.1).
#[derive(Clone, Debug, Default)]
pub struct KeysSeen(Arc<Mutex<HashSet<Vec<u8>>>>);

impl KeysSeen {
    /// Whether a key was there before. It is from now on; of very many the later ones are not kept.
    pub fn again(&self, key: &[u8]) -> bool {
        let mut keys = held(&self.0);
        if keys.contains(key) {
            return true;
        }
        if keys.len() < limits::GRADE_KEYS && key.len() <= limits::GRADE_PAYLOAD {
            keys.insert(key.to_vec());
        }
        false
    }
}

/// What a client lacks that comes by HTTP/1.1 for a case that is about HTTP/2.
const HTTP2: &str = "HTTP/2 here: it came by HTTP/1.1";

/// Answers it, and plays.
pub(super) async fn play(
    case: &Case,
    prepared: &Prepared,
    arrived: Arrived,
    record: &mut Record,
) -> (Opening, Option<Talked>) {
    let Arrived { request, mut early, mut stream, abort, keys, greets, http2 } = arrived;
    // Of heads over HTTP/2 only what they stand for is here, and no byte as it came.
    let mut aside = Record::new(Duration::ZERO);
    let heads = if http2.is_some() { &mut aside } else { &mut *record };
    heads.bytes(Dir::Client, &request);
    heads.bytes(Dir::Client, &early);
    let heard = Heard::of(&request, SourceId::Input, 0);
    let asked = check_request(&heard.head(), true);
    let key = String::from_utf8_lossy(asked.facts.key.as_deref().unwrap_or_default()).into_owned();
    let is_elsewhere = case.facts.chapter == Chapter::Http2 && http2.is_none();
    let response = prepared.response.as_ref().filter(|_| !is_elsewhere);
    let (mut response, pacing) = response.cloned().unwrap_or_default();
    let mut refused = is_elsewhere.then_some(HTTP2);
    if response.extensions.is_none()
        && let Some(grant) = &case.grant
    {
        match grant_deflate(asked.facts.extensions.as_deref().unwrap_or_default().as_bytes(), grant) {
            Ok(granted) => response.extensions = Some(granted.value),
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    let response = response.bytes(&Request { key: Some(key.clone()), ..Request::default() }, "");
    early.extend(heads::send(&mut stream, (Dir::Server, &response), &pacing, heads).await);
    let sent_key = asked.facts.key.as_deref().filter(|_| http2.is_none());
    let is_again = sent_key.is_some_and(|key| keys.again(key));
    let answer = Heard::of(&response, SourceId::Input, 0);
    let deflate = check_response(Some(&asked.facts), &answer.head(), Vec::new, false).facts.deflate;
    let broken = match &http2 {
        Some(watch) => watch.broken(),
        None => asked.findings.into_iter().find(|it| it.rule.severity == Severity::Error),
    };
    let reused = case.facts.rules.iter().find(|rule| is_again && rule.id == "reused-sec-websocket-key");
    let mut opening = match (broken, reused, refused) {
        (Some(broken), ..) => Opening::Broken(broken.rule, broken.got),
        (None, Some(rule), _) => Opening::Broken(rule, Text::with("{}", &key)),
        (None, None, Some(why)) => Opening::Unimplemented(why),
        (None, None, None)
            if case.takeover && deflate.is_some_and(|agreed| agreed.server_no_context_takeover) =>
        {
            Opening::Unimplemented(TAKEOVER)
        }
        (None, None, None) if pacing.end == Some(StreamEnd::Rst) => Opening::Left,
        (None, None, None) => Opening::Open { fields: None, lenient: false },
    };
    let talked = match opening {
        Opening::Left => {
            abort.reset();
            return (opening, None);
        }
        Opening::Open { .. } => {
            // Who is answered in another way than usual may have left.
            let greeting = match case.response {
                None => greets.heard(&mut stream, &mut early, record).await,
                Some(_) => greets.known(),
            };
            let prepared = Prepared { greeting, ..prepared.clone() };
            let talked = talk(case, &prepared, (Dir::Server, deflate), (&mut stream, &early), record).await;
            if talked.reset {
                abort.reset();
            }
            // Frames of HTTP/2 may break rules to the end.
            if let Some(broken) = http2.as_ref().and_then(StreamWatch::broken) {
                opening = Opening::Broken(broken.rule, broken.got);
            }
            Some(talked)
        }
        // It is let go.
        _ => Some(goodbye(Dir::Server, deflate, stream, &early, record).await),
    };
    (opening, talked)
}
