//! What inputs, gaps and other protocols come to, in words.

use super::words::{CONNECTIONS, FRAMES, MESSAGES, count, joined};
use crate::lang::Lang;
use crate::model::quantity::grouped;
use crate::model::{GapEffect, More, Other, Summary};

/// Connections that are no WebSocket: how many, what they speak and with whom.
pub fn others(lang: Lang, other: &Other) -> String {
    let whom = match (&other.server_name, other.server) {
        (Some(name), Some(server)) => format!("{name} ({server})"),
        (Some(name), None) => name.clone(),
        (None, Some(server)) => server.to_string(),
        (None, None) => lang.words("other servers").to_owned(),
    };
    let version = other.version.unwrap_or("TLS");
    let words = match other.protocol {
        _ if other.is_tls() => lang.fill(
            "besides: {} of {} to {}",
            &[&count(lang, other.connections, CONNECTIONS), &version, &whom],
        ),
        "http2" => {
            lang.fill("besides: {} of HTTP/2 to {}", &[&count(lang, other.connections, CONNECTIONS), &whom])
        }
        "unanswered" => lang.fill(
            "besides: {} without an answer from {}",
            &[&count(lang, other.connections, CONNECTIONS), &whom],
        ),
        "unreachable" => lang.fill(
            "besides: {} that did not come to {}",
            &[&count(lang, other.connections, CONNECTIONS), &whom],
        ),
        _ => lang.fill("besides: {} refused by {}", &[&count(lang, other.connections, CONNECTIONS), &whom]),
    };
    let alpn =
        if other.alpn.is_empty() { String::new() } else { lang.fill("ALPN {}", &[&other.alpn.join(", ")]) };
    joined(lang, &[words, alpn])
}

/// How many of everything: `1 connection, 10 frames, 5 messages`.
pub fn totals(lang: Lang, summary: &Summary) -> String {
    joined(
        lang,
        &[
            count(lang, summary.connections, CONNECTIONS),
            count(lang, summary.frames, FRAMES),
            count(lang, summary.messages, MESSAGES),
        ],
    )
}

/// How many findings of a rule there are besides those that were told.
pub fn more(lang: Lang, it: &More) -> String {
    let count = grouped(it.count);
    match it.blame {
        Some(dir) => lang.fill("… and {} more of {} ({})", &[&count, &it.rule.id, &lang.words(dir.name())]),
        None => lang.fill("… and {} more of {}", &[&count, &it.rule.id]),
    }
}

/// What a gap did to decoding.
pub fn effect(effect: GapEffect) -> &'static str {
    match effect {
        GapEffect::SkippedInPayload => "inside a payload: the next frame's place is known",
        GapEffect::Resynchronised => "over a header: what follows was found by its shape",
        GapEffect::Desynchronised => "over a header: no frame was found after it",
    }
}
