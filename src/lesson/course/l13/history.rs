//! How servers pushed before WebSocket was everywhere: the traces of four transports.

use super::super::draw::pick;
use super::{EVENTS, place};
use crate::lesson::{Answer, Instance};
use crate::synth::Rng;

/// Transports of the time before WebSocket was everywhere. `[exercise.words]` has the log of
/// each, and what it is known by.
const TRACES: [(&str, &str, &str); 4] = [
    ("flash-socket", "log-flash-socket", "sign-flash-socket"),
    ("jsonp-polling", "log-jsonp-polling", "sign-jsonp-polling"),
    ("multipart-streaming", "log-multipart-streaming", "sign-multipart-streaming"),
    ("forever-iframe", "log-forever-iframe", "sign-forever-iframe"),
];

/// The log of one of them.
pub(super) fn old_log(rng: &mut Rng) -> Instance {
    let message = format!("5:::{{\"name\":\"{}\",\"args\":[\"{}\"]}}", pick(rng, &EVENTS), place(rng));
    let literal = format!("\"{}\"", message.replace('"', "\\\""));
    let (index, port) = (rng.below(4), 1024 + rng.below(60_000));
    let target = format!("/socket.io/1/…/{}", 100_000 + rng.below(900_000));
    let (right, log, sign) = pick(rng, &TRACES);
    let wrong = TRACES.map(|(id, ..)| id).into_iter().filter(|id| *id != right);
    wrong
        .fold(Instance::new(Answer::choice(right)), |instance, id| instance.mistake(id, Answer::choice(id)))
        .hole("message", message)
        .hole("literal", literal)
        .hole("index", index)
        .hole("port", port)
        .hole("target", target)
        .words("log", log)
        .words("sign", sign)
        .choices(TRACES.map(|(id, ..)| id))
        .command(["explain", right])
}
