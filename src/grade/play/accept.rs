//! The opening handshake with a client that is graded.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use super::record::Record;
use super::talk::{Talked, goodbye, talk};
use super::{Opening, TAKEOVER, heads};
use crate::grade::case::{Case, Prepared};
use crate::http::handshake::grant_deflate;
use crate::http::{check_request, check_response};
use crate::lab::abort::Abort;
use crate::lab::hub::held;
use crate::lab::socket::Stream;
use crate::limits;
use crate::model::{Dir, Severity, SourceId, StreamEnd, Text};
use crate::replay::Heard;
use crate::synth::handshake::Request;

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

/// Answers it, and plays.
pub(super) async fn play(
    case: &Case,
    prepared: &Prepared,
    arrived: Arrived,
    record: &mut Record,
) -> (Opening, Option<Talked>) {
    let Arrived { request, mut early, mut stream, abort, keys } = arrived;
    record.bytes(Dir::Client, &request);
    record.bytes(Dir::Client, &early);
    let heard = Heard::of(&request, SourceId::Input, 0);
    let asked = check_request(&heard.head(), true);
    let key = String::from_utf8_lossy(asked.facts.key.as_deref().unwrap_or_default()).into_owned();
    let (mut response, pacing) = prepared.response.clone().unwrap_or_default();
    let mut refused = None;
    if response.extensions.is_none()
        && let Some(grant) = &case.grant
    {
        match grant_deflate(asked.facts.extensions.as_deref().unwrap_or_default().as_bytes(), grant) {
            Ok(granted) => response.extensions = Some(granted.value),
            Err(why) => refused = Some(why),
        }
    }
    let response = response.bytes(&Request { key: Some(key.clone()), ..Request::default() }, "");
    early.extend(heads::send(&mut stream, (Dir::Server, &response), &pacing, record).await);
    let is_again = asked.facts.key.as_deref().is_some_and(|key| keys.again(key));
    let answer = Heard::of(&response, SourceId::Input, 0);
    let deflate = check_response(Some(&asked.facts), &answer.head(), Vec::new, false).facts.deflate;
    let broken = asked.findings.iter().find(|it| it.rule.severity == Severity::Error);
    let reused = case.facts.rules.iter().find(|rule| is_again && rule.id == "reused-sec-websocket-key");
    let opening = match (broken, reused, refused) {
        (Some(broken), ..) => Opening::Broken(broken.rule, broken.got.clone()),
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
            let talked = talk(case, prepared, (Dir::Server, deflate), (&mut stream, &early), record).await;
            if talked.reset {
                abort.reset();
            }
            Some(talked)
        }
        // It is let go.
        _ => Some(goodbye(Dir::Server, deflate, stream, &early, record).await),
    };
    (opening, talked)
}
