//! Packets and sessions of application protocols, as the text views show them alike.

use super::outline::Outline;
use super::rows;
use super::said::{self, Block, Most, Payload, Run, Setter, Words};
use super::style::Ink;
use super::words::{BYTES, Noun, count, joined, runs};
use crate::lang::Lang;
use crate::model::quantity::{self, grouped};
use crate::model::{
    Answer, App, AppPacket, AppSession, Dir, Field, Nth, Role, SessionEnd, Streamed, StreamedKind, Unit,
    Value,
};

/// Columns of a session's id that are shown.
const ID: usize = 48;

/// Rows that the names of namespaces may take.
const NAMES: usize = 3;

/// Bytes of text that a summary says all of.
const SHORT: usize = 200;

/// A packet in a line or two, under what carried it.
pub fn line(lang: Lang, app: &App, to: &mut dyn Setter) {
    let (summary, answers) = (lang.say(&app.summary), answers(lang, app));
    if summary.is_empty() && answers.is_empty() {
        return;
    }
    let runs = [
        Run::whole(Ink::Note, lang.words(app.name)),
        Run::whole(Ink::Plain, " "),
        Run::text(Ink::Plain, &summary),
        Run::whole(Ink::Plain, lang.words(", ")),
        Run::text(Ink::Faint, &answers),
    ];
    let [name, space, .., last] = runs;
    // JSON speaks for itself, but not of what it answers.
    let answers_alone = [name, space, last];
    let shown = match (summary.is_empty(), answers.is_empty()) {
        (true, _) => &answers_alone[..],
        (_, true) => &runs[..3],
        _ => &runs,
    };
    to.set(Block::Words(Words { level: 1, hangs: true, runs: shown }));
}

/// The parts of a packet that have rows of their own, under its line.
pub fn parts(app: &App, to: &mut dyn Setter) {
    app.packets.iter().for_each(|packet| parts(packet, to));
    let has_row = |field: &&Field| matches!(field.def.role, Role::Listed | Role::Member);
    app.fields.iter().filter(has_row).for_each(|field| rows::part(field, to));
}

/// What a packet answers: `answers "join" after 1.20 ms`; or what the packets of one message do.
pub fn answers(lang: Lang, app: &App) -> String {
    let all: Vec<String> = app.answers().map(|it| answer(lang, it)).collect();
    joined(lang, &all)
}

fn answer(lang: Lang, answer: &Answer) -> String {
    let after = answer.after.and_then(|nanos| u64::try_from(nanos).ok()).map(quantity::time);
    match (after, answer.nth) {
        (Some(after), Nth::Again) => lang.fill("answers {} again, after {}", &[&answer.what, &after]),
        (Some(after), _) => lang.fill("answers {} after {}", &[&answer.what, &after]),
        (None, Nth::Again) => lang.fill("answers {} again", &[&answer.what]),
        (None, _) => lang.fill("answers {}", &[&answer.what]),
    }
}

/// A packet that came by HTTP, or a unit of what streams.
pub fn packet(outline: &mut Outline, unit: &Unit<'_>, packet: &AppPacket<'_>, to: &mut dyn Setter) {
    let lang = outline.lang();
    packet_heading(outline, unit, packet, to);
    line(lang, packet.app, to);
    parts(packet.app, to);
}

/// The same with all that is in it.
pub fn packet_in_full(outline: &mut Outline, unit: &Unit<'_>, packet: &AppPacket<'_>, to: &mut dyn Setter) {
    packet_heading(outline, unit, packet, to);
    details(outline.lang(), packet.app, to);
    // Of others the fields say all.
    let kind = packet.streamed.map(|streamed| streamed.kind);
    let bytes = packet.payload;
    if matches!(kind, Some(StreamedKind::Part | StreamedKind::Piece))
        && (!packet.text || bytes.len() > SHORT || bytes.contains(&b'\n'))
    {
        let length = packet.length;
        let payload = Payload { length, declared: length, ..Payload::whole(bytes, packet.text) };
        to.set(Block::Payload { payload, level: 2 });
    }
}

fn packet_heading(outline: &mut Outline, unit: &Unit<'_>, packet: &AppPacket<'_>, to: &mut dyn Setter) {
    let lang = outline.lang();
    let name = packet.streamed.map_or("packet", |streamed| streamed.kind.name());
    outline.heading(unit, &format!("{} {}", lang.words(name), packet.place), &carried(lang, packet), to);
}

/// What a packet that came by HTTP is, or a unit of what streams.
pub fn carried(lang: Lang, packet: &AppPacket<'_>) -> String {
    let how = match packet.streamed {
        None => "by polling",
        Some(Streamed { complete: true, .. }) => "",
        Some(_) => "incomplete",
    };
    // Over HTTP/2 several may stream at a time.
    let stream = packet.streamed.and_then(|streamed| streamed.stream);
    let stream = stream.map_or_else(String::new, |stream| lang.fill("stream {}", &[&stream]));
    joined(lang, &[about(lang, packet), stream, lang.words(how).to_owned()])
}

fn about(lang: Lang, packet: &AppPacket<'_>) -> String {
    let kind = if packet.text { "text" } else { "binary" };
    joined(lang, &[lang.words(kind).to_owned(), count(lang, packet.length, BYTES)])
}

/// All of a packet: its fields, one a line, JSON laid out, attachments; or all of several.
pub fn details(lang: Lang, app: &App, to: &mut dyn Setter) {
    if app.packets.is_empty() {
        line(lang, app, to);
        contents(lang, app, to);
    }
    for packet in &app.packets {
        details(lang, packet, to);
    }
}

/// What is in a packet besides what its line says: its fields, JSON laid out, attachments; or in several.
pub fn contents(lang: Lang, app: &App, to: &mut dyn Setter) {
    app.packets.iter().for_each(|packet| contents(lang, packet, to));
    let told = app.summary.to_string();
    let parts_follow = app.fields.iter().any(|field| field.def.role == Role::Member);
    for field in &app.fields {
        match &field.value {
            _ if matches!(field.def.role, Role::Listed | Role::Member) => rows::part(field, to),
            Value::Json(_) if parts_follow => {}
            Value::Json(json) => to.set(Block::Json { label: field.def.label, json, told: &told }),
            // A summary says all there is to say about short values.
            Value::Text(text) if text.len() > SHORT || text.contains('\n') => {
                label(lang.words(field.def.label), to);
                to.set(Block::Payload { payload: Payload::whole(text.as_bytes(), true), level: 3 });
            }
            Value::Bytes(bytes) => {
                let length = field.span.len() / 8;
                let payload = Payload { length, declared: length, ..Payload::whole(bytes, false) };
                to.set(Block::Payload { payload, level: 2 });
            }
            _ => {}
        }
    }
    for attachment in &app.attachments {
        let number = lang.fill("attachment {}", &[&attachment.num]);
        label(&joined(lang, &[number, count(lang, attachment.length, BYTES)]), to);
        let length = attachment.length;
        let payload = Payload { length, declared: length, ..Payload::whole(&attachment.bytes, false) };
        to.set(Block::Payload { payload, level: 3 });
    }
}

/// What the content below is.
fn label(words: &str, to: &mut dyn Setter) {
    let runs = [Run::whole(Ink::Faint, words)];
    to.set(Block::Words(Words { level: 2, hangs: false, runs: &runs }));
}

/// A packet that was pasted: to be explained from beginning to end.
pub fn pasted(outline: &mut Outline, unit: &Unit<'_>, packet: &AppPacket<'_>, to: &mut dyn Setter) {
    let lang = outline.lang();
    outline.pasted = true;
    outline.heading(unit, lang.words("packet"), &about(lang, packet), to);
    line(lang, packet.app, to);
    // Each of its fields: what stands there, what it means, where that is written.
    for field in &packet.app.fields {
        let meaning = lang.say(&field.meaning);
        let help = if meaning.is_empty() { lang.words(field.def.help) } else { &meaning };
        let (label, cite) = (field.def.label, field.def.cite);
        to.set(Block::Part { label, value: &field.value, help, cite });
    }
}

/// A session that is over.
pub fn session(outline: &mut Outline, unit: &Unit<'_>, session: &AppSession, to: &mut dyn Setter) {
    let unit = Unit { conn: 0, ..*unit };
    let came = session.sid.is_some() || session.packets != [0, 0];
    let lang = outline.lang();
    let what =
        lang.fill(if came { "session {} ends" } else { "session {} never opened" }, &[&session.number]);
    outline.heading(&unit, &what, &how(lang, session), to);
    if let Some(sid) = &session.sid {
        let lead = Run::whole(Ink::Plain, "sid");
        to.set(Block::Quote { lead, ink: Ink::Strong, quoted: sid, most: Most::Columns(ID) });
    }
    said::say(Ink::Plain, &course(lang, session), to);
    if session.packets != [0, 0] {
        said::say(Ink::Plain, &counts(lang, session), to);
    }
    if !session.namespaces.is_empty() {
        let lead = Run::whole(Ink::Plain, lang.words("namespaces"));
        let names = session.namespaces.join(", ");
        to.set(Block::Quote { lead, ink: Ink::Plain, quoted: &names, most: Most::Rows(NAMES) });
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
