//! The view `table`: one line a frame.

use std::borrow::Cow;

use super::choice::Choice;
use super::columns::{self, left, right};
use super::files::{account as account_of, shorten, totals_of};
use super::json::Scope;
use super::outline::Outline;
use super::page::Page;
use super::screen::{Layout, Screen};
use super::style::{Ink, sender as ink};
use super::totals::{self, effect};
use super::units::ended;
use super::verdicts::worst;
use super::words::{BYTES, Noun, close_code, count, joined};
use super::{Options, TimeStyle, frames, hexdump, verdicts};
use crate::lang::Lang;
use crate::model::quantity::{Digits, compact, seconds_in};
use crate::model::{
    AppPacket, Body, Dir, Frame, Header, Hole, HttpHead, Message, Opcode, Part, Severity, Streamed, Summary,
    Unit, Verdict, Wants, hole,
};

/// One line a frame, with columns that do not depend on what comes later. Handshakes,
/// gaps and what happens to connections take a line each too.
pub type Table<W> = Screen<TableLayout, W>;

/// See [`Table`].
#[derive(Debug, Default)]
pub struct TableLayout {
    begun: bool,
    /// The line of a compressed message's last frame, which waits for what it inflates to.
    waiting: Option<(u32, u64)>,
}

/// Columns of the parts before the payload, each followed by one space.
const FILE: usize = 4;
const NUMBER: usize = 5;
const DELTA: usize = 9;
const CONNECTION: usize = 3;
const DIRECTION: usize = 3;
const OPCODE: usize = 6;
const FLAGS: usize = 5;
const LENGTH: usize = 6;
/// Columns before what an event says, without the file's.
const LEAD: usize = NUMBER + 15 + DELTA + CONNECTION + DIRECTION + OPCODE + 7;

/// Columns of a line from which the time since the frame before is told.
const WITH_DELTA: usize = 72;
/// Columns of a line from which times and flags are told: on a narrower one they would leave nothing for
/// the payload.
const WITH_TIMES: usize = 56;

/// Its place in the list of views.
pub static VIEW: Choice = Choice::of::<TableLayout>("table", "One line a frame", Scope::All);

impl Layout for TableLayout {
    fn wants(options: &Options) -> Wants {
        // As much as a line can show, were every character four bytes long.
        Wants {
            payload: (options.width.max(Options::NARROWEST) as u64 * 4)
                .min(options.payload.unwrap_or(u64::MAX)),
            causes: true,
            ..Wants::NOTHING
        }
    }

    fn unit(&mut self, outline: &mut Outline, unit: &Unit<'_>, page: &mut Page) {
        if let Body::Meta(meta) = unit.body {
            outline.begin(meta);
            if let Some(account) = &meta.account {
                page.wrap(Ink::Faint, &account_of(outline.lang(), account), 0, 0).line();
            }
            return;
        }
        if !std::mem::replace(&mut self.begun, true) {
            // Behind what is said of the whole input.
            page.gap();
            titles(outline, page);
        }
        if let Some((conn, n)) = self.waiting.take() {
            if let Body::Message(message) = unit.body
                && (unit.conn, message.frames.last()) == (conn, Some(&n))
            {
                inflated(page, unit, message);
                return;
            }
            page.line();
        }
        match unit.body {
            Body::Frame(frame) => {
                let opcode = opcode(outline.lang(), frame);
                lead(outline, page, unit, Digits::of(frame.n).as_str(), &opcode);
                describe(page, frame);
                if frame.compressed && frame.header.fin && !frame.truncated {
                    marks(page, unit);
                    self.waiting = Some((unit.conn, frame.n));
                    return;
                }
                preview(page, unit, frame);
                page.line();
            }
            Body::Http(head) => {
                lead(outline, page, unit, "", "http");
                marks(page, unit);
                let room = page.width().saturating_sub(page.column());
                page.data(Ink::Plain, about(head).as_bytes(), room, false).line();
            }
            Body::Opening(opening) => {
                let words = outline.lang().say(opening.about);
                event(outline, page, unit, opening.layer.unwrap_or("other"), &words);
            }
            Body::Connection(connection) => {
                let (name, words) = match (&connection.ending, connection.client, connection.server) {
                    (Some(ending), ..) => ("end", ended(outline.lang(), ending, connection)),
                    (None, Some(client), Some(server)) => ("open", format!("{client} → {server}")),
                    (None, Some(one), None) | (None, None, Some(one)) => ("open", one.to_string()),
                    (None, None, None) => ("open", String::new()),
                };
                event(outline, page, unit, name, &words);
                for it in &connection.more {
                    let words = totals::more(outline.lang(), it);
                    page.clip(verdicts::ink(it.rule.severity), &words).line();
                }
            }
            // How it ended stands in the line before.
            Body::Judgement(judgement) if !unit.findings.is_empty() => {
                let words = outline.lang().say(&judgement.line());
                event(outline, page, unit, "why", &words);
            }
            Body::Gap(gap) => {
                let lang = outline.lang();
                let effect = lang.words(effect(gap.effect)).to_owned();
                event(outline, page, unit, "gap", &joined(lang, &[count(lang, gap.length, BYTES), effect]));
            }
            Body::Message(message) if message.is_told() => told(outline, page, unit, message),
            Body::Packet(packet) => {
                if let Some(streamed) = packet.streamed {
                    line_of(outline, page, unit, packet, streamed);
                }
            }
            Body::Message(message) if !unit.findings.is_empty() => {
                let words = outline.lang().fill("message {}", &[&message.m]);
                event(outline, page, unit, "msg", &words);
            }
            Body::Note if !unit.findings.is_empty() => event(outline, page, unit, "", ""),
            Body::Summary(summary) => {
                outline.files.leave();
                let words = last(outline.lang(), summary);
                page.clip(Ink::Faint, &words).line();
                for file in &summary.files {
                    let totals = totals_of(outline.lang(), file);
                    let room = page.width().saturating_sub(columns::width(&totals) + 2);
                    let words = format!("{}  {totals}", shorten(&file.name, room.max(16), "…"));
                    page.clip(Ink::Faint, &words).line();
                }
                for other in &summary.others {
                    let words = totals::others(outline.lang(), other);
                    page.clip(Ink::Faint, &words).line();
                    for words in totals::sealed(outline.lang(), other) {
                        page.clip(Ink::Faint, &words).line();
                    }
                }
            }
            Body::File(file) => {
                outline.enter(file);
                let mut words =
                    joined(outline.lang(), &[file.name.clone(), file.format.clone().unwrap_or_default()]);
                let room = page.width().saturating_sub(outline.files.columns() + LEAD);
                if columns::width(&words) > room {
                    words = shorten(&file.name, room.max(16), "…");
                }
                event(outline, page, unit, "file", &words);
            }
            Body::Meta(_) | Body::Judgement(_) | Body::Message(_) | Body::Session(_) | Body::Note => {}
        }
    }
}

fn time_columns(style: TimeStyle) -> usize {
    if style == TimeStyle::Utc { 15 } else { 10 }
}

fn titles(outline: &Outline, page: &mut Page) {
    let time = time_columns(outline.clock.style());
    let lang = outline.lang();
    let file = outline.files.columns();
    if file > 0 {
        page.put(Ink::Strong, &format!("{} ", left(lang.words("file"), file.max(FILE))));
    }
    let (has_times, has_delta) = (page.width() >= WITH_TIMES, page.width() >= WITH_DELTA);
    let titles = [
        (true, right(lang.words("frame"), NUMBER)),
        (has_times, right(lang.words("time"), time)),
        (has_delta, right(lang.words("delta"), DELTA)),
        (true, right(lang.words("con"), CONNECTION)),
        (true, left(lang.words("dir"), DIRECTION)),
        (true, left(lang.words("opcode"), OPCODE)),
        (has_times, left(lang.words("flags"), FLAGS)),
        (true, right(lang.words("length"), LENGTH)),
        (true, lang.words("payload").to_owned()),
    ];
    let titles: Vec<&str> =
        titles.iter().filter(|(is_shown, _)| *is_shown).map(|(_, title)| title.as_str()).collect();
    page.put(Ink::Strong, &titles.join(" ")).line();
}

/// The columns up to the opcode.
fn lead(outline: &mut Outline, page: &mut Page, unit: &Unit<'_>, number: &str, opcode: &str) {
    let style = outline.clock.style();
    let (mut time, mut delta) = std::mem::take(&mut outline.blank);
    time.clear();
    delta.clear();
    if let Some(now) = unit.time {
        let (since_start, since_last) = outline.clock.tick(now);
        match style {
            // The date would take a third of the line.
            TimeStyle::Utc => time.push_str(now.utc()[11..].trim_end_matches('Z')),
            TimeStyle::Relative | TimeStyle::Delta => seconds_in(since_start, &mut time),
        }
        if let Some(nanos) = since_last {
            seconds_in(nanos, &mut delta);
        }
    }
    let file = outline.files.columns();
    if file > 0 {
        let label = outline.files.label().unwrap_or_default();
        page.data(Ink::Faint, label.as_bytes(), file.max(FILE), false).to(file.max(FILE) + 1);
    }
    page.put_cell(Ink::Plain, number, NUMBER);
    if page.width() >= WITH_TIMES {
        page.put_cell(Ink::Faint, &time, time_columns(style));
    }
    if page.width() >= WITH_DELTA {
        page.put_cell(Ink::Faint, &delta, DELTA);
    }
    outline.blank = (time, delta);
    let connection = Digits::of(unit.conn.into());
    page.put_cell(Ink::Plain, if unit.conn > 0 { connection.as_str() } else { "" }, CONNECTION);
    let way = match unit.dir {
        None => "   ",
        Some(Dir::Client) if page.ascii() => "c>s",
        Some(Dir::Client) => "c→s",
        Some(Dir::Server) if page.ascii() => "s>c",
        Some(Dir::Server) => "s→c",
    };
    page.put(unit.dir.map_or(Ink::Plain, ink), way);
    let free = OPCODE.saturating_sub(columns::width(opcode));
    page.put_all(Ink::Strong, &[" ", opcode, &SPACES[..free], " "]);
}

/// As many as a column may need.
const SPACES: &str = "          ";

/// The letters of every set of flags, [`FLAGS`] for each: the first flag counts most.
const LETTERS: &str = {
    const ALL: [u8; 32 * FLAGS] = {
        let (mut all, mut at) = ([b'-'; 32 * FLAGS], 0);
        while at < all.len() {
            if (at / FLAGS) >> (FLAGS - 1 - at % FLAGS) & 1 == 1 {
                all[at] = b"F123M"[at % FLAGS];
            }
            at += 1;
        }
        all
    };
    match str::from_utf8(&ALL) {
        Ok(all) => all,
        Err(_) => "",
    }
};

/// Flags and length.
fn describe(page: &mut Page, frame: &Frame<'_>) {
    let header = &frame.header;
    let flags = [header.fin, header.rsv1, header.rsv2, header.rsv3, header.masking_key.is_some()];
    let which = flags.into_iter().fold(0, |all, flag| all << 1 | usize::from(flag));
    if page.width() >= WITH_TIMES {
        page.put_cell(Ink::Plain, &LETTERS[which * FLAGS..][..FLAGS], FLAGS);
    }
    length(page, header.length);
}

/// The line of a unit of what streams, which has no frame.
fn line_of(
    outline: &mut Outline,
    page: &mut Page,
    unit: &Unit<'_>,
    packet: &AppPacket<'_>,
    streamed: Streamed,
) {
    let kind = outline.lang().words(streamed.kind.name());
    // It is no frame.
    lead(outline, page, unit, &format!("{}{}", &streamed.kind.name()[..1], packet.place), kind);
    if page.width() >= WITH_TIMES {
        page.put_cell(Ink::Plain, "", FLAGS);
    }
    length(page, packet.length);
    marks(page, unit);
    let words = outline.lang().say(&packet.app.summary);
    let room = page.width().saturating_sub(page.column());
    page.data(Ink::Plain, words.as_bytes(), room, false).line();
}

/// The column of a length.
#[inline]
fn length(page: &mut Page, bytes: u64) {
    let digits = Digits::of(bytes);
    let long = (digits.as_str().len() > LENGTH).then(|| compact(bytes, LENGTH));
    page.put_cell(Ink::Plain, long.as_deref().unwrap_or(digits.as_str()), LENGTH);
}

/// The line of a message of which no frame is known.
fn told(outline: &mut Outline, page: &mut Page, unit: &Unit<'_>, message: &Message<'_>) {
    let kind = outline.lang().words(message.kind.name());
    // It is no frame.
    lead(outline, page, unit, &format!("m{}", message.m), kind);
    if page.width() >= WITH_TIMES {
        page.put_cell(Ink::Plain, "", FLAGS);
    }
    length(page, message.length);
    marks(page, unit);
    let mut content = message.payload;
    if let Some(close) = &message.close {
        let code = close.code.map(|code| close_code(page.lang(), code)).unwrap_or_default();
        page.put(Ink::Plain, &code);
        if !code.is_empty() {
            page.put(Ink::Plain, " ");
        }
        content = close.reason;
    }
    let room = page.width().saturating_sub(page.column());
    let is_cut = message.close.is_none() && message.payload_cut;
    if message.kind == Opcode::BINARY && room >= 4 && !content.is_empty() {
        hexdump::put(page, Ink::Plain, content, message.length, room);
    } else if room > 0 {
        page.data(Ink::Plain, content, room, is_cut);
    }
    page.line();
}

/// What is wrong, then the payload, in what is left of the line.
fn preview(page: &mut Page, unit: &Unit<'_>, frame: &Frame<'_>) {
    marks(page, unit);
    let room = page.width().saturating_sub(page.column());
    let text = frames::is_text(None, frame);
    let about_close = frames::close(page.lang(), frame);
    let (content, holes) = frames::content(frame);
    if let Some(code) = &about_close {
        page.data(Ink::Plain, code.as_bytes(), room, false);
        if !content.is_empty() {
            page.put(Ink::Plain, " ");
        }
    }
    let room = page.width().saturating_sub(page.column());
    if room == 0 || content.is_empty() {
        return;
    }
    let length = frame.header.length - (frame.payload.len() - content.len()) as u64;
    if !holes.is_empty() {
        broken(page, content, &holes, length, text);
    } else if text {
        page.data(Ink::Plain, content, room, (content.len() as u64) < length);
    } else if room >= 4 {
        hexdump::put(page, Ink::Plain, content, length, room);
    }
}

/// A payload with holes, each marked at its place, as far as the line reaches.
fn broken(page: &mut Page, bytes: &[u8], holes: &[Hole], length: u64, text: bool) {
    let lang = page.lang();
    let at_hand = bytes.len() as u64 + hole::missing(holes);
    let mut all = hole::parts(bytes, holes).peekable();
    while let Some(part) = all.next() {
        let room = page.width().saturating_sub(page.column());
        match part {
            Part::Hole(hole) => {
                let words = frames::missing(lang, hole);
                if page.measure(&words) > room {
                    page.clip(Ink::Faint, "…");
                    return;
                }
                page.put(Ink::Faint, &words);
            }
            Part::Bytes(_, bytes) => {
                // What follows says by itself that something does.
                let is_cut = at_hand < length && all.peek().is_none();
                if text {
                    let fits = page.measure_data(bytes, room).is_some();
                    page.data(Ink::Plain, bytes, room, is_cut);
                    if !fits {
                        return;
                    }
                } else if room >= 4 {
                    let fits = bytes.len() * 3 <= room + 1;
                    hexdump::put(page, Ink::Plain, bytes, bytes.len() as u64 + u64::from(is_cut), room);
                    if !fits {
                        return;
                    }
                }
            }
        }
    }
}

/// What a compressed message inflates to, in what is left of its last frame's line.
fn inflated(page: &mut Page, unit: &Unit<'_>, message: &Message<'_>) {
    marks(page, unit);
    if !message.holes.is_empty() {
        broken(page, message.payload, message.holes, message.length, false);
        return page.line();
    }
    let room = page.width().saturating_sub(page.column());
    // How much more there would be of what cannot be inflated is not known.
    let length = message.inflated_length.unwrap_or(message.payload.len() as u64);
    let cut = (message.payload.len() as u64) < length;
    if message.kind == Opcode::TEXT && message.inflated_length.is_some() {
        page.data(Ink::Plain, message.payload, room, cut);
    } else if room >= 4 && !message.payload.is_empty() {
        hexdump::put(page, Ink::Plain, message.payload, length, room);
    }
    page.line();
}

/// The findings: the worst one's severity and every rule's id.
fn marks(page: &mut Page, unit: &Unit<'_>) {
    let Some(severity) = worst(unit) else { return };
    let mark = match severity {
        Severity::Error => "E",
        Severity::Warning => "W",
        Severity::Note => "N",
    };
    page.put(verdicts::ink(severity), mark).put(Ink::Plain, " ");
    for rule in unit.rules() {
        let room = page.width().saturating_sub(page.column() + 1);
        if room == 0 {
            break;
        }
        page.data(verdicts::ink(rule.severity), rule.id.as_bytes(), room, false).put(Ink::Plain, " ");
    }
}

/// A line about something other than a frame.
fn event(outline: &mut Outline, page: &mut Page, unit: &Unit<'_>, name: &'static str, words: &str) {
    lead(outline, page, unit, "", page.lang().words(name));
    marks(page, unit);
    page.clip(Ink::Plain, words).line();
}

/// The last line: how many of everything, and how much is wrong.
fn last(lang: Lang, summary: &Summary) -> String {
    const ERRORS: Noun = ["{} error", "{} errors"];
    const WARNINGS: Noun = ["{} warning", "{} warnings"];
    const NOTES: Noun = ["{} note", "{} notes"];
    let mut parts = vec![totals::totals(lang, summary)];
    let counts = summary.findings.by_severity();
    for (number, noun) in [(counts.errors, ERRORS), (counts.warnings, WARNINGS), (counts.notes, NOTES)] {
        if number > 0 {
            parts.push(count(lang, number, noun));
        }
    }
    joined(lang, &parts)
}

/// A head in a line: its start line, and which header fields are wrong.
fn about(head: &HttpHead<'_>) -> String {
    let wrong: Vec<&str> = head
        .headers
        .iter()
        .filter(|header| header.verdict == Verdict::Broken)
        .map(|header: &Header<'_>| &*header.name)
        .collect();
    if wrong.is_empty() {
        head.start_line.to_owned()
    } else {
        format!("{} ({})", head.start_line, wrong.join(", "))
    }
}

fn opcode(lang: Lang, frame: &Frame<'_>) -> Cow<'static, str> {
    let opcode = frame.header.opcode;
    match opcode.name() {
        "continuation" => lang.words("cont").into(),
        "reserved" => format!("{:#x}", opcode.0).into(),
        name => lang.words(name).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture::Show;
    use crate::render::scenes;

    fn shown(options: Options) -> String {
        let mut show = Show::<TableLayout>::new(options);
        scenes::everything(&mut show);
        show.text()
    }

    #[test]
    fn a_line_a_frame() {
        insta::assert_snapshot!(shown(Options::default()));
    }

    #[test]
    fn a_wide_terminal_shows_more_of_the_payload() {
        insta::assert_snapshot!(shown(Options { width: 132, time: TimeStyle::Utc, ..Options::default() }));
    }
}
