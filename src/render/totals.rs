//! What inputs, gaps and other protocols come to, in words.

use super::words::{CONNECTIONS, FRAMES, MESSAGES, count, joined};
use crate::lang::Lang;
use crate::model::quantity::{grouped, time};
use crate::model::{Dir, GapEffect, More, Other, SealedRecords, Summary};

/// Whom other connections are to, as far as is known.
pub fn whom_of(lang: Lang, other: &Other) -> String {
    match (&other.server_name, other.server) {
        (Some(name), Some(server)) => format!("{name} ({server})"),
        (Some(name), None) => name.clone(),
        (None, Some(server)) => server.to_string(),
        (None, None) => lang.words("other servers").to_owned(),
    }
}

/// What could be read with keys, or with those that a key log lacks. Where there is nothing else, that is not
/// said here: the summary is in sight, and it is said how to get the keys.
pub fn unread(lang: Lang, summary: &Summary) -> Vec<String> {
    if summary.connections == 0 {
        return Vec::new();
    }
    let of = |is_lacking: bool| {
        let is_it = |other: &&Other| other.awaits_secrets() && other.lacking.is_some() == is_lacking;
        let mut sealed = summary.others.iter().filter(is_it);
        let first = sealed.next()?;
        let whom = whom_of(lang, first);
        let (is_all, connections) = sealed.fold((true, first.connections), |(is_all, sum), other| {
            (is_all && whom_of(lang, other) == whom, sum + other.connections)
        });
        let whom = if is_all { whom } else { lang.fill("{} and others", &[&whom]) };
        let words = match first.lacking {
            None => "encrypted, and not read: {} of TLS to {}; with keys --keylog FILE reads them",
            Some(_) if connections == 1 => {
                "encrypted, and not read: {} of TLS to {}; the key log has no secret of client random {}"
            }
            Some(_) => {
                "encrypted, and not read: {} of TLS to {}; the key log has no secret of them; the first has \
                 client random {}"
            }
        };
        let random = first.lacking.map(|it| it.short()).unwrap_or_default();
        Some(lang.fill(words, &[&count(lang, connections, CONNECTIONS), &whom, &random]))
    };
    [true, false].into_iter().filter_map(of).collect()
}

/// Connections that are no WebSocket: how many, what they speak and with whom.
pub fn others(lang: Lang, other: &Other) -> String {
    let whom = whom_of(lang, other);
    let version = other.version.unwrap_or("TLS");
    let words = match other.protocol {
        _ if other.is_tls() => lang.fill(
            "besides: {} of {} to {}",
            &[&count(lang, other.connections, CONNECTIONS), &version, &whom],
        ),
        "http2" => {
            lang.fill("besides: {} of HTTP/2 to {}", &[&count(lang, other.connections, CONNECTIONS), &whom])
        }
        "quic" => {
            let version = other.version.unwrap_or("QUIC");
            let count = count(lang, other.connections, CONNECTIONS);
            lang.fill("besides: {} of {} to {}", &[&count, &version, &whom])
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
    let state = match other {
        Other { is_joined: true, version: Some(_), .. } => "the server's hello is not in the capture",
        Other { is_joined: true, .. } => "the client's hello is not in the capture, or not all of it",
        Other { is_read: true, .. } => "deciphered, and no WebSocket",
        _ => "",
    };
    let lacking = other.lacking.map_or_else(String::new, |lacking| {
        let words = if lacking.connections == 1 {
            "no secret of client random {} in the key log"
        } else {
            "no secret of client random {} and others in the key log"
        };
        lang.fill(words, &[&lacking.short()])
    });
    joined(lang, &[words, alpn, lang.words(state).to_owned(), lacking])
}

/// What could be seen of encrypted connections, a line each: the records, and what they may be.
pub fn sealed(lang: Lang, other: &Other) -> Vec<String> {
    let Some(sealed) = &other.sealed else { return Vec::new() };
    if sealed.sides.iter().all(|side| side.records == 0) {
        return Vec::new();
    }
    let side = |records: &SealedRecords, dir: Dir| {
        let sizes = if records.least == records.most {
            grouped(records.most)
        } else {
            format!("{}–{}", grouped(records.least), grouped(records.most))
        };
        lang.fill("{} × {} B from the {}", &[&grouped(records.records), &sizes, &lang.words(dir.name())])
    };
    let [client, server] = &sealed.sides;
    let said = [(client, Dir::Client), (server, Dir::Server)]
        .into_iter()
        .filter(|(records, _)| records.records > 0)
        .map(|(records, dir)| side(records, dir))
        .collect::<Vec<_>>();
    let mut lines =
        vec![lang.fill("  encrypted within {}: {}", &[&time(sealed.longest), &joined(lang, &said)])];
    for (quiet, dir) in sealed.quiet.iter().zip([Dir::Client, Dir::Server]) {
        if quiet.connections > 0 {
            let (least, most) = (time(quiet.least), time(quiet.most));
            let silence = if least == most { most } else { format!("{least}–{most}") };
            let words = "  {} ended by the {} after {} of silence: an idle timeout, perhaps";
            lines.push(lang.fill(words, &[&grouped(quiet.connections), &lang.words(dir.name()), &silence]));
        }
    }
    if sealed.likely > 0 {
        let words = "  a guess: a WebSocket ({} of {}), as small records go both ways for long";
        lines.push(lang.fill(words, &[&sealed.likely, &other.connections]));
    }
    lines
}

/// How many of everything: `1 connection, 10 frames, 5 messages`.
pub fn totals(lang: Lang, summary: &Summary) -> String {
    let has_frames = has_frames(summary.frames, summary.messages);
    let frames = if has_frames { count(lang, summary.frames, FRAMES) } else { String::new() };
    let (connections, messages) =
        (count(lang, summary.connections, CONNECTIONS), count(lang, summary.messages, MESSAGES));
    joined(lang, &[connections, over_http2(lang, summary), frames, messages])
}

/// Whether frames are counted: who tells of messages does not tell of frames.
pub fn has_frames(frames: u64, messages: u64) -> bool {
    frames > 0 || messages == 0
}

/// How many of the connections are streams of how many others; nothing where none is.
pub fn over_http2(lang: Lang, summary: &Summary) -> String {
    let [streams, carriers] = summary.over_http2;
    if streams == 0 {
        return String::new();
    }
    let streams = count(lang, streams, ["{} connection over HTTP/2", "{} connections over HTTP/2"]);
    let carriers = count(lang, carriers, ["{} TCP connection", "{} TCP connections"]);
    lang.fill("{} ({})", &[&streams, &carriers])
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
        GapEffect::WithinStream => "in a body that streams: read on where a unit begins",
        GapEffect::StreamFound => "in a body that streams: what follows was found by its shape",
        GapEffect::StreamLost => "in a body that streams: nothing after it was read",
    }
}
