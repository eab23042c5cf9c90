//! Packets and sessions of application protocols, as the text views show them alike.

use super::human;
use super::outline::{INDENT, Outline, joined};
use super::style::Ink;
use super::words::{BYTES, Noun, count, grouped, runs};
use crate::lang::Lang;
use crate::model::{App, AppPacket, AppSession, Dir, SessionEnd, Unit, Value};

/// Rows that a summary may take.
const SUMMARY_ROWS: usize = 3;

/// Columns that JSON is laid out for at least.
const NARROWEST_JSON: usize = 24;

/// Bytes of laid out JSON that are shown.
const JSON_SHOWN: usize = 64 * 1024;

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
        Some(nanos) => lang.fill("answers {} after {}", &[&answer.what, &human::time(nanos)]),
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
            joined(lang, &[lang.words(end).to_owned(), lang.fill("after {}", &[&human::time(nanos)])])
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

/// Valid JSON, a member or element a line where it is long. Nothing is read into it: strings and
/// numbers stay as they were written.
pub fn pretty(json: &str, width: usize) -> String {
    let (mut out, mut depth, mut rest) = (String::new(), 0_usize, json.trim());
    let compact = one_line(rest, width);
    if let Some(line) = compact {
        return line;
    }
    // A bracket is opened on several lines unless what it holds fits on one.
    while let Some(first) = rest.chars().next().filter(|_| out.len() < JSON_SHOWN) {
        let token = token(rest);
        let (now, later) = rest.split_at(token);
        rest = later.trim_start();
        let new_line = |out: &mut String, depth: usize| {
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', 2 * depth));
        };
        match first {
            '[' | '{' => {
                let whole = &json[json.len() - json.trim_start().len()..];
                let from = now.as_ptr() as usize - whole.as_ptr() as usize;
                let end = closing(&whole[from..]);
                let room = width.saturating_sub(2 * depth);
                if let Some(line) = one_line(&whole[from..from + end], room) {
                    out.push_str(&line);
                    rest = whole[from + end..].trim_start();
                } else {
                    depth += 1;
                    out.push(first);
                    new_line(&mut out, depth);
                }
            }
            ']' | '}' => {
                depth = depth.saturating_sub(1);
                new_line(&mut out, depth);
                out.push(first);
            }
            ',' => {
                out.push(',');
                new_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            _ => out.push_str(now),
        }
    }
    out
}

/// The value on one line, if it is no longer than `width`.
fn one_line(json: &str, width: usize) -> Option<String> {
    let (mut line, mut rest) = (String::new(), json.trim());
    while !rest.is_empty() {
        let (now, later) = rest.split_at(token(rest));
        match now {
            "," => line.push_str(", "),
            ":" => line.push_str(": "),
            now => line.push_str(now),
        }
        if line.len() > width {
            return None;
        }
        rest = later.trim_start();
    }
    Some(line)
}

/// Bytes up to and with the bracket that closes the one `json` begins with.
fn closing(json: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < json.len() {
        let length = token(&json[at..]);
        match json.as_bytes()[at] {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        at += length;
        if depth == 0 {
            break;
        }
        at += json[at..].len() - json[at..].trim_start().len();
    }
    at
}

/// Bytes of the first token.
fn token(json: &str) -> usize {
    let bytes = json.as_bytes();
    match bytes.first() {
        Some(b'"') => {
            let mut at = 1;
            while let Some(byte) = bytes.get(at) {
                at += 1;
                match byte {
                    b'"' => break,
                    b'\\' => at += 1,
                    _ => {}
                }
            }
            at.min(bytes.len())
        }
        Some(b'[' | b']' | b'{' | b'}' | b',' | b':') => 1,
        _ => bytes
            .iter()
            .position(|b| b.is_ascii_whitespace() || b"[]{},:\"".contains(b))
            .unwrap_or(bytes.len())
            .max(json.chars().next().map_or(0, char::len_utf8)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_laid_out_without_a_change_to_its_tokens() {
        let json =
            r#" {"a":[1.0,"\u00e9\n"], "long":{"b":12345678901234567890,"c":"a fairly long string"},"e":[]}"#;
        assert_eq!(
            pretty(json, 40),
            "{\n  \"a\": [1.0, \"\\u00e9\\n\"],\n  \"long\": {\n    \"b\": 12345678901234567890,\n    \
             \"c\": \"a fairly long string\"\n  },\n  \"e\": []\n}"
        );
        for width in [1, 20, 40, 100] {
            let laid: String = pretty(json, width).split_whitespace().collect();
            assert_eq!(laid, json.split_whitespace().collect::<String>());
        }
        assert_eq!(pretty("[1,2]", 40), "[1, 2]");
        assert_eq!(pretty("\"x\"", 40), "\"x\"");
    }
}
