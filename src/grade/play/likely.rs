//! The mistake that a failure looks like: one that the case knows, or one that shows in the bytes.
//!
//! Nothing is said that the bytes do not bear out: what came is computed again, as it would be with each
//! mistake.
//!
//! - `scene`: what went over the wire, taken apart
//! - `difference`: what should have come, and what did
//! - `payload`: another payload than should have come; `wire`: frames badly written; `masks`: still masked
//! - `remedy`: how it is mended

mod difference;
mod masks;
mod payload;
mod remedy;
mod scene;
mod wire;

use self::difference::Difference;
use self::scene::{Framed, Scene};
use super::Talked;
use super::talk::is_error;
use crate::grade::case::{Case, Closer, Mistake, Prepared, Status};
use crate::http::diagnose;
use crate::model::grade::{Behaviour, Closing, Graded};
use crate::model::{Bilingual, CloseCode, Dir, Opcode, SourceId, StreamEnd, Text};
use crate::replay::Heard;
use crate::replay::heard::Progress;

/// What is usually behind what came: a mistake that the case knows, or one that is known by the bytes.
pub fn mistake(
    case: &Case,
    prepared: &Prepared,
    us: Dir,
    graded: &Graded,
    talked: Option<&Talked>,
) -> (Bilingual, Text) {
    let looks_like = match talked {
        Some(talked) => talk(case, prepared, us, graded, talked),
        None => accept(graded).or_else(|| opening(case, graded)),
    };
    let known = talked.and_then(|talked| known(case, prepared, us, graded, talked));
    (known.unwrap_or_default(), looks_like.unwrap_or_default())
}

pub use self::remedy::of as remedy;

/// A mistake that the case knows: by what came, by the code of the peer's Close frame, or by both.
fn known(case: &Case, prepared: &Prepared, us: Dir, graded: &Graded, talked: &Talked) -> Option<Bilingual> {
    let code = talked.close.flatten();
    // What came is not the mistake where it is right, nor where the peer takes no more of that kind.
    let is_right = talked.matched.is_some_and(|at| at < prepared.right);
    let is_limit = code.is_some_and(|code| matches!(code.0, 1003 | 1009));
    let is_told = is_limit && case.ending.closer == Closer::Judge && talked.closer == Some(us.peer());
    let fits = |(mistake, got): &(&Mistake, &Vec<Vec<_>>)| {
        let came = got.is_empty() || graded.more == 0 && difference::is_one_of(got, prepared, &graded.got);
        let is_unknown = mistake.code.is_none() && (got.is_empty() || is_right || is_told);
        came && mistake.code.is_none_or(|it| Some(it) == code) && !is_unknown
    };
    let found = case.mistakes.iter().zip(&prepared.mistakes).find(fits);
    found.map(|(mistake, _)| mistake.says.clone())
}

/// What is wrong about the answer to the key.
fn accept(graded: &Graded) -> Option<Text> {
    graded.broken.filter(|rule| rule.id.contains("accept"))?;
    let heads = [Dir::Client, Dir::Server];
    let [request, response] = heads.map(|from| Heard::of(&graded.sent_by(from), SourceId::Input, 0));
    let (request, response) = (request.head(), response.head());
    let key = request.values("Sec-WebSocket-Key").next()?;
    let accept = response.values("Sec-WebSocket-Accept").next()?;
    diagnose(key.bytes, accept.bytes, &[]).map(|it| it.what)
}

/// What a server says that does all of the handshake but for its first line.
const ANSWERED_BUT_STATUS: &str = "the answer opens a WebSocket but for its status: {}, where 101 does";

/// What one does that does not end its head.
const NO_EMPTY_LINE: &str = "the empty line behind the last header field is missing";

/// What is wrong about the answer to a request that opens a WebSocket.
fn opening(case: &Case, graded: &Graded) -> Option<Text> {
    let right = &case.answer.right;
    let may_open = right.is_empty() || right.contains(&Status::Is(101));
    let sent = graded.sent_by(Dir::Server);
    if !may_open || !sent.starts_with(b"HTTP/1.") {
        return None;
    }
    let [request, response] =
        [graded.sent_by(Dir::Client), sent].map(|sent| Heard::of(&sent, SourceId::Input, 0));
    if response.progress() == Progress::More {
        let head = response.bytes();
        let has_accept = head.to_ascii_lowercase().windows(ACCEPT.len()).any(|it| it == ACCEPT);
        return (has_accept && head.ends_with(b"\r\n")).then(|| NO_EMPTY_LINE.into());
    }
    let (request, response) = (request.head(), response.head());
    let key = request.values("Sec-WebSocket-Key").next()?;
    let accept = response.values("Sec-WebSocket-Accept").next()?;
    diagnose(key.bytes, accept.bytes, &[]).is_none().then_some(())?;
    graded.refusal().map(|status| Text::with(ANSWERED_BUT_STATUS, status))
}

/// How the field begins, in lower case, that only an answer which opens a WebSocket has.
const ACCEPT: &[u8] = b"\r\nsec-websocket-accept:";

fn talk(case: &Case, prepared: &Prepared, us: Dir, graded: &Graded, talked: &Talked) -> Option<Text> {
    let scene = Scene::of(us, &graded.wire);
    let difference = difference::first(prepared, &graded.got, scene.began);
    // What is still masked, or begins within a length, breaks rules of text, and of Close: those are not the
    // mistake.
    let misread = masks::kept(&scene).or_else(|| wire::key_taken(&scene, us));
    if let Some(text) = misread.or_else(|| wire::length_taken(&scene)) {
        return Some(text);
    }
    if graded.broken.is_some() {
        return broken(&scene, talked, difference.as_ref());
    }
    if matches!(graded.behaviour, Behaviour::Failed | Behaviour::NonStrict)
        && let Some(it) = difference
    {
        return match (it.wanted, it.got) {
            (Some((_, payload)), Some(got)) => {
                payload::instead(&scene, &it, got).or_else(|| wire::written(&scene, &payload?.bytes(0)))
            }
            (Some(_), None) if is_refused(case, us, &scene, talked) => Some(REFUSED.into()),
            // It is slow, and nobody knows what would have come.
            (Some(_), None) if talked.late.is_some_and(|late| late.is_sending) => None,
            (Some(_), None) => nothing(&scene, &it, us, (graded, talked)),
            (None, Some(got)) => {
                let is_told =
                    talked.closer == Some(us.peer()) && talked.close.flatten().is_some_and(is_error);
                payload::too_much(&scene, &it, got, is_told)
            }
            (None, None) => None,
        };
    }
    ending(case, us, graded, talked)
}

/// What is behind a frame that breaks a rule.
fn broken(scene: &Scene, talked: &Talked, it: Option<&Difference<'_>>) -> Option<Text> {
    // A Close frame behind it only answers ours.
    let is_of_close = talked.violation.as_ref().is_none_or(|violation| violation.close.is_some());
    let is_it = |frame: &&Framed| is_of_close || frame.header.opcode != Opcode::CLOSE;
    let frame = scene.came.iter().rev().find(is_it).or(scene.came.last())?;
    let bytes = scene.theirs(frame);
    if let Some(it) = it
        && let Some(text) = it.got.and_then(|got| payload::instead(scene, it, got))
    {
        return Some(text);
    }
    let wanted = it.and_then(|it| it.wanted).and_then(|(_, payload)| payload).map(|it| it.bytes(0));
    if let Some((Opcode::BINARY, _)) = it.and_then(|it| it.wanted)
        && frame.header.opcode == Opcode::TEXT
        && wanted.as_ref().is_some_and(|wanted| {
            wanted.len() as u64 == frame.header.length && !bytes.is_empty() && wanted.starts_with(&bytes)
        })
    {
        return payload::kinds(Opcode::BINARY, Opcode::TEXT).map(Into::into);
    }
    let kept = &bytes[..bytes.len().min(crate::limits::GRADE_PAYLOAD)];
    payload::misread(scene, kept, frame.header.length)
        .or_else(|| wanted.as_ref().and_then(|wanted| wire::written(scene, wanted)))
        .or_else(|| {
            let sent = scene.messages();
            let is_sent = sent.iter().any(|it| scene.misread(it, |key| key) == bytes && !bytes.is_empty());
            (is_sent && std::str::from_utf8(&bytes).is_err())
                .then(|| "it took text that is no UTF-8, and sent it back".into())
        })
}

/// What a client does that is not content with an answer which is right.
const REFUSED: &str = "it did not take the answer for one that opens a WebSocket, and left";

/// Whether a client left without a word behind an answer that is other than usual.
fn is_refused(case: &Case, us: Dir, scene: &Scene, talked: &Talked) -> bool {
    us == Dir::Server && case.response.is_some() && scene.theirs.is_empty() && talked.end.is_some()
}

/// What should have come did not.
fn nothing(
    scene: &Scene,
    it: &Difference<'_>,
    us: Dir,
    (graded, talked): (&Graded, &Talked),
) -> Option<Text> {
    let (opcode, payload) = it.wanted?;
    if let Some(text) = payload.and_then(|payload| wire::written(scene, &payload.bytes(0))) {
        return Some(text);
    }
    if let Some(code) = talked.close.filter(|_| talked.closer == Some(us.peer())) {
        let text = match code {
            Some(CloseCode(1009)) => "it is too long for it: it closed with 1009".into(),
            Some(code) if compressed(scene) && !it.before.is_empty() => {
                Text::with("it cannot inflate what refers to earlier messages: it closed with {}", code.0)
            }
            Some(code) => Text::with("it takes it for an error: it closed with {}", code.0),
            None => "it takes it for an error: it closed without a code".into(),
        };
        return Some(text);
    }
    let ended = talked.end.is_some() && talked.closer == Some(us.peer());
    // Who has begun a frame of its own, or answered Close, waits for nothing.
    if !scene.is_cut()
        && talked.close.is_none()
        && let Some(text) = wire::length_read(scene, ended)
    {
        return Some(text);
    }
    if ended {
        return Some(dropped(talked));
    }
    Some(match opcode {
        Opcode::PONG => "the ping was not answered".into(),
        _ if !scene.theirs.is_empty()
            && it.got.is_none()
            && it.before.is_empty()
            && graded.got.is_empty() =>
        {
            Text::with(
                "what came is no whole frame: {}",
                payload::hex(&scene.theirs[..scene.theirs.len().min(8)]),
            )
        }
        _ => "nothing came within the time: no answer, and no Close frame".into(),
    })
}

fn dropped(talked: &Talked) -> Text {
    match talked.end {
        Some(StreamEnd::Rst) => {
            "it reset the connection and sent no Close frame, as when a program ends with an error".into()
        }
        _ => "it ended TCP and sent no Close frame, as when a program ends with an error".into(),
    }
}

fn compressed(scene: &Scene) -> bool {
    scene.sent.iter().filter(|frame| frame.header.rsv1).count() > 1
}

/// Only the end is not as it should be.
fn ending(case: &Case, us: Dir, graded: &Graded, talked: &Talked) -> Option<Text> {
    match graded.closing {
        Closing::WrongCode => {
            let code = talked.close.flatten()?;
            let is_failing = case.ending.closer == Closer::Peer;
            (code == CloseCode(1000) && is_failing)
                .then(|| "1000 says that all went well; it is sent on errors, too".into())
        }
        Closing::Unclean if talked.close.is_none() && talked.closer == Some(us) => {
            Some("Close was not answered with Close".into())
        }
        Closing::Unclean if talked.close.is_none() => Some(dropped(talked)),
        Closing::FailedByClient if talked.clean => {
            Some("it waits for the client to end TCP, which is the server's to end".into())
        }
        Closing::FailedByClient if talked.close.is_none() => Some("Close was not answered with Close".into()),
        Closing::Failed if case.ending.closer == Closer::Judge && talked.closer != Some(us) => {
            Some(match talked.close {
                Some(Some(code)) => Text::with("it takes it for an error: it closed with {}", code.0),
                Some(None) => "it takes it for an error: it closed without a code".into(),
                None => dropped(talked),
            })
        }
        Closing::Failed => Some("it goes on as if nothing were wrong".into()),
        _ => None,
    }
}
