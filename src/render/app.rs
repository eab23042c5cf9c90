//! Packets and sessions of application protocols, as the text views show them alike.

use super::outline::{INDENT, Outline, joined};
use super::pretty::pretty;
use super::style::Ink;
use super::words::{BYTES, Noun, count, runs};
use crate::lang::Lang;
use crate::model::quantity::{self, grouped};
use crate::model::{App, AppPacket, AppSession, Dir, SessionEnd, Unit, Value};

/// Rows that a summary may take.
const SUMMARY_ROWS: usize = 3;

/// Columns that JSON is laid out for at least.
const NARROWEST_JSON: usize = 24;

/// A packet in a line or two, under what carried it.
pub fn line(outline: &mut Outline, app: &App) {
    if app.summary.is_empty() {
        return;
    }
    let lang = outline.lang();
    outline.page.to(INDENT).word(Ink::Note, app.name).put(Ink::Plain, " ");
    let indent = INDENT + 2;
    outline.page.wrap(Ink::Plain, &lang.say(&app.summary), indent, 0);
    let answers = answers(lang, app);
    if !answers.is_empty() {
        outline.page.word(Ink::Plain, ", ").wrap(Ink::Faint, &answers, indent, 0);
    }
    outline.page.line();
}

/// What a packet answers: `answers "join" after 1.20 ms`.
pub fn answers(lang: Lang, app: &App) -> String {
    let Some(answer) = &app.answers else { return String::new() };
    match answer.after.and_then(|nanos| u64::try_from(nanos).ok()) {
        Some(nanos) => lang.fill("answers {} after {}", &[&answer.what, &quantity::time(nanos)]),
        None => lang.fill("answers {}", &[&answer.what]),
    }
}

/// A packet that came by HTTP.
pub fn packet(outline: &mut Outline, unit: &Unit<'_>, packet: &AppPacket<'_>) {
    let lang = outline.lang();
    let what = format!("{} {}", lang.words("packet"), packet.place);
    outline.heading(unit, &what, &by_polling(lang, packet));
    line(outline, packet.app);
}

/// What a packet that came by HTTP is.
pub fn by_polling(lang: Lang, packet: &AppPacket<'_>) -> String {
    joined(lang, &[about(lang, packet), lang.words("by polling").to_owned()])
}

fn about(lang: Lang, packet: &AppPacket<'_>) -> String {
    let kind = if packet.text { "text" } else { "binary" };
    joined(lang, &[lang.words(kind).to_owned(), count(lang, packet.length, BYTES)])
}

/// Whether the line on a packet has all of its JSON already.
fn is_told(summary: &str, json: &str, laid_out: &str) -> bool {
    let json = json.trim();
    let inner = json.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(json);
    !laid_out.contains('\n') && summary.contains(inner)
}

/// All of a packet: its fields, one a line, JSON laid out, attachments; or all of several.
pub fn details(outline: &mut Outline, app: &App) {
    for packet in &app.packets {
        details(outline, packet);
    }
    if !app.packets.is_empty() {
        return;
    }
    line(outline, app);
    let lang = outline.lang();
    let summary = app.summary.to_string();
    for field in &app.fields {
        let indent = INDENT + 2;
        let page = &mut outline.page;
        match &field.value {
            Value::Json(json) => {
                let width = page.width().saturating_sub(indent + 4).max(NARROWEST_JSON);
                let laid_out = pretty(json, width);
                if is_told(&summary, json, &laid_out) {
                    continue;
                }
                page.to(INDENT + 2).word(Ink::Faint, field.def.label).line();
                for row in laid_out.lines() {
                    let depth = row.len() - row.trim_start().len();
                    page.to(indent + 2 + depth)
                        .wrap(Ink::Plain, row.trim_start(), indent + 4 + depth, 0)
                        .line();
                }
            }
            // A summary says all there is to say about short values.
            Value::Text(text) if text.len() > 200 || text.contains('\n') => {
                page.to(indent).word(Ink::Faint, field.def.label).line();
                outline.payload(text.as_bytes(), text.len() as u64, true, indent + 2);
            }
            Value::Bytes(bytes) => {
                let bytes = bytes.clone();
                outline.payload(&bytes, field.span.len() / 8, false, indent);
            }
            _ => {}
        }
    }
    for attachment in &app.attachments {
        let number = lang.fill("attachment {}", &[&attachment.num]);
        let about = joined(lang, &[number, count(lang, attachment.length, BYTES)]);
        outline.page.to(INDENT + 2).put(Ink::Faint, &about).line();
        outline.payload(&attachment.bytes, attachment.length, false, INDENT + 4);
    }
}

/// A packet that was pasted: to be explained from beginning to end.
pub fn pasted(outline: &mut Outline, unit: &Unit<'_>, packet: &AppPacket<'_>) {
    let lang = outline.lang();
    outline.pasted = true;
    outline.heading(unit, lang.words("packet"), &about(lang, packet));
    explain(outline, packet.app);
}

/// A packet with each of its fields: what stands there, what it means, where that is written.
fn explain(outline: &mut Outline, app: &App) {
    const VALUE: usize = INDENT + 15;
    line(outline, app);
    let lang = outline.lang();
    for field in &app.fields {
        let page = &mut outline.page;
        page.to(INDENT + 2).word(Ink::Faint, field.def.label).to(VALUE);
        let at = page.column();
        match &field.value {
            Value::Text(text) => {
                page.wrap(Ink::Strong, text, at, 0);
            }
            Value::Json(json) => {
                let width = page.width().saturating_sub(at + 2).max(NARROWEST_JSON);
                for (i, row) in pretty(json, width).lines().enumerate() {
                    if i > 0 {
                        page.line();
                        page.to(at + row.len() - row.trim_start().len());
                    }
                    page.wrap(Ink::Strong, row.trim_start(), at + 2, 0);
                }
            }
            Value::Bytes(bytes) => {
                page.put(Ink::Strong, &count(lang, bytes.len() as u64, BYTES));
            }
            Value::Number(number) | Value::Code(number) => {
                page.put(Ink::Strong, &number.to_string());
            }
            Value::Bit(bit) => {
                page.put(Ink::Strong, if *bit { "1" } else { "0" });
            }
        }
        page.line();
        let meaning = lang.say(&field.meaning);
        let help = if meaning.is_empty() { lang.words(field.def.help) } else { &meaning };
        page.to(VALUE).wrap(Ink::Faint, help, VALUE, 0).tail(Ink::Faint, field.def.cite.to_string()).line();
    }
}

/// A session that is over.
pub fn session(outline: &mut Outline, unit: &Unit<'_>, session: &AppSession) {
    let unit = Unit { conn: 0, ..*unit };
    let came = session.sid.is_some() || session.packets != [0, 0];
    let lang = outline.lang();
    let what =
        lang.fill(if came { "session {} ends" } else { "session {} never opened" }, &[&session.number]);
    outline.heading(&unit, &what, &how(lang, session));
    if let Some(sid) = &session.sid {
        outline.page.to(INDENT).put(Ink::Plain, "sid ").data(Ink::Strong, sid.as_bytes(), 48, false).line();
    }
    outline.say(Ink::Plain, &course(lang, session));
    if session.packets != [0, 0] {
        let counts = counts(lang, session);
        outline.say(Ink::Plain, &counts);
    }
    if !session.namespaces.is_empty() {
        outline.page.to(INDENT).word(Ink::Plain, "namespaces").put(Ink::Plain, " ");
        outline.page.spill(session.namespaces.join(", ").as_bytes(), INDENT + 2, SUMMARY_ROWS).line();
    }
}

fn how(lang: Lang, session: &AppSession) -> String {
    let end = match session.end {
        Some(SessionEnd::Closed) => "closed",
        Some(SessionEnd::Dropped) => "its connection ended without a close",
        Some(SessionEnd::Refused) => "refused",
        Some(SessionEnd::CaptureEnd) | None => "the capture ends first",
    };
    let lasted = session.began.zip(session.ended).map(|(began, ended)| ended.since(began));
    match lasted.and_then(|nanos| u64::try_from(nanos).ok()) {
        Some(nanos) if nanos > 0 => {
            joined(lang, &[lang.words(end).to_owned(), lang.fill("after {}", &[&quantity::time(nanos)])])
        }
        _ => lang.words(end).to_owned(),
    }
}

fn course(lang: Lang, session: &AppSession) -> String {
    let mut parts = vec![match session.version {
        Some(version) => format!("Engine.IO {version}"),
        None => "Engine.IO".to_owned(),
    }];
    let names: Vec<&str> = session.transports.iter().map(|t| t.name()).collect();
    let between = if session.upgraded { " then " } else { " and " };
    parts.push(names.join(lang.words(between)));
    if session.upgraded && !names.is_empty() {
        parts.push(lang.words("upgraded").to_owned());
    }
    let conns: Vec<u64> = session.conns.iter().map(|conn| u64::from(*conn)).collect();
    let words = if conns.len() == 1 { "connection {}" } else { "connections {}" };
    parts.push(lang.fill(words, &[&runs(&conns)]));
    joined(lang, &parts)
}

fn counts(lang: Lang, session: &AppSession) -> String {
    const HEARTBEATS: Noun = ["{} heartbeat answered", "{} heartbeats answered"];
    let [client, server] = session.packets;
    let packets = "packets: {} from the client, {} from the server";
    let mut parts = vec![lang.fill(packets, &[&grouped(client), &grouped(server)])];
    let [client, server] = session.events;
    if client + server > 0 {
        let events = "events: {} and {}, {} acknowledged";
        parts.push(lang.fill(events, &[&client, &server, &grouped(session.acks)]));
    }
    if session.heartbeats > 0 {
        parts.push(count(lang, session.heartbeats, HEARTBEATS));
    }
    parts.join(lang.words("; "))
}

/// The colour of a packet's sender, or none.
pub fn way(dir: Option<Dir>) -> &'static str {
    match dir {
        Some(Dir::Client) => "→",
        Some(Dir::Server) => "←",
        None => " ",
    }
}
