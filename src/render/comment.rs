//! What is said of a packet in a line or two: comments in captures that are written.

use super::app;
use super::columns::escaped;
use super::words::{BYTES, FRAMES, close_code, count, joined, opcode, way};
use crate::lang::Lang;
use crate::model::{App, Body, Finding, Message, Unit};

/// Characters of a message's content that a comment quotes.
const QUOTED: usize = 200;

/// What there is to say of a unit: a message in a line, and each finding in one. Nothing for what Wireshark
/// says itself.
pub fn comments(unit: &Unit<'_>, lang: Lang) -> Vec<String> {
    let mut said: Vec<String> = Vec::new();
    match unit.body {
        Body::Message(it) => said.push(message(unit, it, lang)),
        Body::Packet(packet) => {
            said.push(joined(lang, &[app::carried(lang, packet), meaning(lang, packet.app)]));
        }
        Body::Judgement(judgement) => {
            let ends = lang.fill("connection {} ends", &[&unit.conn]);
            said.push(lang.fill("{}: {}", &[&ends, &lang.say(&judgement.line())]));
        }
        _ => {}
    }
    said.extend(unit.findings.iter().map(|it| finding(lang, it)));
    said.iter().map(|line| escaped(line)).collect()
}

fn message(unit: &Unit<'_>, message: &Message<'_>, lang: Lang) -> String {
    let mut length = count(lang, message.length, BYTES);
    if let Some(inflated) = message.inflated_length {
        length = lang.fill("{} compressed, {} inflated", &[&length, &count(lang, inflated, BYTES)]);
    }
    if message.frame_count > 1 {
        length = lang.fill("{} in {}", &[&length, &count(lang, message.frame_count, FRAMES)]);
    }
    let incomplete = if message.complete { "" } else { lang.words("incomplete") };
    let conn = lang.fill("connection {}", &[&unit.conn]);
    let number = lang.fill("message {}", &[&message.m]);
    let from = unit.dir.map(|dir| way(lang, dir)).unwrap_or_default();
    let about = joined(
        lang,
        &[conn, number, from, opcode(lang, message.kind).into_owned(), length, incomplete.to_owned()],
    );
    let content = match (&message.close, message.app) {
        (Some(close), _) => {
            let code = close.code.map(|code| close_code(lang, code)).unwrap_or_default();
            let reason = if close.reason.is_empty() { String::new() } else { quoted(close.reason, false) };
            joined(lang, &[code, reason])
        }
        (None, Some(app)) if !app.summary.is_empty() || !app.packets.is_empty() => meaning(lang, app),
        (None, _) if message.payload.is_empty() || !message.holes.is_empty() => String::new(),
        (None, _) => match std::str::from_utf8(super::escape::whole_characters(message.payload)) {
            Ok(_) => quoted(message.payload, message.payload_cut),
            Err(_) => String::new(),
        },
    };
    if content.is_empty() { about } else { lang.fill("{}: {}", &[&about, &content]) }
}

/// What a packet of an application means, or each of several.
fn meaning(lang: Lang, it: &App) -> String {
    if !it.packets.is_empty() {
        let all: Vec<String> = it.packets.iter().map(|packet| meaning(lang, packet)).collect();
        return all.join(lang.words("; "));
    }
    let said = format!("{} {}", lang.words(it.name), lang.say(&it.summary));
    joined(lang, &[said, app::answers(lang, it)])
}

fn quoted(bytes: &[u8], more: bool) -> String {
    let text = String::from_utf8_lossy(bytes);
    let short: String = text.chars().take(QUOTED).collect();
    let is_cut = more || short.len() < text.len();
    format!("“{short}{}", if is_cut { "…" } else { "”" })
}

fn finding(lang: Lang, finding: &Finding) -> String {
    let rule = finding.rule;
    let id = format!("{} {}", lang.words(rule.severity.name()), rule.id);
    let title = lang.fill("{} ({})", &[&lang.words(rule.title), &rule.cite]);
    let got = lang.say(&finding.got);
    let got = if got.is_empty() { String::new() } else { format!("{} {got}", lang.words("got")) };
    let said: Vec<String> = [title, got].into_iter().filter(|part| !part.is_empty()).collect();
    lang.fill("{}: {}", &[&id, &said.join(lang.words("; "))])
}
