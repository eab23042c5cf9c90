//! What every text view but the table shows alike: connections, messages, gaps, totals. Only frames and
//! HTTP heads look different from view to view.

use super::files::about;
use super::outline::Outline;
use super::said::{Block, FilePlace, Payload, Run, Setter, Words, item, say};
use super::style::{self, Ink};
use super::totals::{effect, more, others, sealed, totals};
use super::words::{BYTES, FRAMES, MESSAGES, PACKETS, SECRETS, close_code, count, joined, opcode, runs};
use super::{app, files, heads, rows, verdicts};
use crate::lang::Lang;
use crate::model::quantity::grouped;
use crate::model::{
    Account, Body, Connection, Dir, EndKind, Ending, Gap, Handshake, Message, Meta, Opcode, Opening, Outcome,
    Roles, Secured, Summary, Unit, Utf8, hole,
};

impl Outline {
    /// Says any unit but a frame.
    pub fn unit(&mut self, unit: &Unit<'_>, to: &mut dyn Setter) {
        self.several |= unit.conn > 1;
        match unit.body {
            Body::Meta(meta) => {
                self.begin(meta);
                Self::meta(meta, to);
                self.account(meta.account.as_ref(), to);
            }
            Body::File(file) => {
                self.enter(file);
                to.set(Block::Gap);
                files::say(file, to);
                self.account(file.account.as_ref(), to);
            }
            Body::Connection(connection) => match &connection.ending {
                None => self.connection(unit, connection, to),
                Some(ending) => self.ending(unit, connection, ending, to),
            },
            Body::Http(head) => heads::say(self, unit, head, to),
            Body::Opening(opening) => self.opening(unit, opening, false, to),
            Body::Frame(_) => {}
            Body::Packet(packet) => app::packet(self, unit, packet, to),
            Body::Session(session) => app::session(self, unit, session, to),
            // What was pasted ends because there is no more of it.
            Body::Judgement(judgement)
                if judgement.outcome == Outcome::Open && judgement.server.is_none() => {}
            Body::Judgement(judgement) => {
                let line = self.lang.say(&judgement.line());
                item(
                    1,
                    Run::whole(Ink::Strong, self.lang.words("in short")),
                    Run::text(Ink::Plain, &format!(" {line}")),
                    to,
                );
            }
            Body::Message(message) => self.message(unit, message, to),
            Body::Gap(gap) => self.hole(unit, gap, to),
            Body::Note if unit.findings.is_empty() => {}
            Body::Note if unit.conn == 0 => self.heading(unit, self.lang.words("about the capture"), "", to),
            Body::Note => self.heading(unit, &self.lang.fill("about connection {}", &[&unit.conn]), "", to),
            Body::Summary(summary) => {
                self.files.leave();
                self.summary(summary, to);
            }
        }
        if !matches!(unit.body, Body::Frame(_)) {
            verdicts::say(self, unit, to);
        }
    }

    /// What is not in an input in which somebody tells of connections.
    fn account(&self, account: Option<&Account>, to: &mut dyn Setter) {
        if let Some(account) = account {
            say(Ink::Faint, &files::account(self.lang, account), to);
        }
    }

    fn meta(meta: &Meta, to: &mut dyn Setter) {
        // Each of several files is named where it begins, unless they are one capture.
        if meta.files.is_empty() {
            to.set(Block::Gap);
            let about = about(&meta.format, &meta.link_types);
            to.set(Block::File { name: &meta.input, about: &about, place: FilePlace::Beginning });
        } else if meta.concat {
            to.set(Block::Gap);
            for file in &meta.files {
                files::say(file, to);
            }
        }
    }

    fn connection(&mut self, unit: &Unit<'_>, connection: &Connection, to: &mut dyn Setter) {
        let between = match (connection.client, connection.server) {
            (Some(client), Some(server)) => format!("{client} → {server}"),
            (Some(client), None) => self.lang.fill("client {}", &[&client]),
            (None, Some(server)) => self.lang.fill("server {}", &[&server]),
            (None, None) => String::new(),
        };
        self.heading(unit, &self.lang.fill("connection {}", &[&unit.conn]), &between, to);
        if let Some(roles) = roles(connection) {
            say(Ink::Plain, self.lang.words(roles), to);
        }
        if let Some(secured) = &connection.secured {
            say(Ink::Plain, &within(self.lang, secured), to);
        }
    }

    /// What is no HTTP. Text is in what is said about it already, and its bytes shown if `all` are.
    pub fn opening(&mut self, unit: &Unit<'_>, opening: &Opening<'_>, all: bool, to: &mut dyn Setter) {
        let what = if unit.dir == Some(Dir::Server) { "answer" } else { "preface" };
        let what = opening.layer.unwrap_or(self.lang.words(what));
        let about = self.lang.say(opening.about);
        self.heading(unit, what, &about, to);
        if opening.layer.is_some() {
            rows::of_layer(unit, opening, to);
        } else if all
            || str::from_utf8(opening.bytes).is_err()
            || opening.bytes.iter().any(|b| *b < b' ' && !b.is_ascii_whitespace())
        {
            to.set(Block::Payload { payload: Payload::whole(opening.bytes, false), level: 1 });
        }
    }

    fn ending(&mut self, unit: &Unit<'_>, connection: &Connection, ending: &Ending, to: &mut dyn Setter) {
        let lang = self.lang;
        let heading = lang.fill("connection {} ends", &[&unit.conn]);
        if connection.handshake.has_no_frames() {
            // There are no frames to count.
            return self.heading(unit, &heading, &ended(lang, ending, connection), to);
        }
        self.heading(unit, &heading, &ended(lang, ending, connection), to);
        let agreed = agreed(lang, connection);
        if !agreed.is_empty() {
            say(Ink::Plain, &agreed, to);
        }
        for dir in [Dir::Client, Dir::Server] {
            let sent = ending.counts[dir.index()];
            let who = Run::whole(style::sender(dir), lang.words(dir.name()));
            if connection.layer.is_told() {
                let (messages, bytes) =
                    (count(lang, sent.messages, MESSAGES), count(lang, sent.payload_bytes, BYTES));
                let words = lang.fill(" sent {}, {}", &[&messages, &bytes]);
                item(1, who, Run::text(Ink::Plain, &words), to);
                continue;
            }
            let words = lang.fill(
                " sent {} in {}, {} of payload and {} in all",
                &[
                    &count(lang, sent.messages, MESSAGES),
                    &count(lang, sent.frames, FRAMES),
                    &count(lang, sent.payload_bytes, BYTES),
                    &grouped(sent.bytes),
                ],
            );
            item(1, who, Run::text(Ink::Plain, &words), to);
        }
        self.more(connection, to);
    }

    /// What was found so often that it was only counted.
    fn more(&mut self, connection: &Connection, to: &mut dyn Setter) {
        for it in &connection.more {
            let words = more(self.lang, it);
            say(verdicts::ink(it.rule.severity), &words, to);
        }
    }

    /// A message of several frames, or one that says more than its frame did.
    fn message(&mut self, unit: &Unit<'_>, message: &Message<'_>, to: &mut dyn Setter) {
        let own_story = message.frame_count != 1 || message.compressed || !message.complete;
        let is_told = message.is_told();
        if unit.findings.is_empty() && !is_told && (message.kind.is_control() || !own_story) {
            // The frame has just been shown: what it means goes under it.
            if let Some(it) = message.app {
                app::line(self.lang, it, to);
                app::parts(it, to);
            }
            return;
        }
        let lang = self.lang;
        let length = count(lang, message.length, BYTES);
        let length = match message.inflated_length {
            Some(inflated) => lang.fill("{} compressed, {} inflated", &[&length, &grouped(inflated)]),
            None if message.compressed => lang.fill("{} compressed", &[&length]),
            None => length,
        };
        let mut about = if is_told {
            joined(lang, &[opcode(lang, message.kind).into_owned(), length])
        } else {
            lang.fill("{}, {} from {}", &[&opcode(lang, message.kind), &length, &frames(lang, message)])
        };
        if !message.complete {
            about.push_str(lang.words(", "));
            about.push_str(lang.words("incomplete"));
        }
        self.heading(unit, &lang.fill("message {}", &[&message.m]), &about, to);
        if let Some(close) = message.close.filter(|_| is_told) {
            if let Some(code) = close.code {
                say(Ink::Plain, &close_code(lang, code), to);
            }
            to.set(Block::Payload { payload: Payload::whole(close.reason, true), level: 1 });
        } else if own_story {
            // Only what was not inflated has holes.
            let as_bytes = message.compressed && !message.holes.is_empty();
            let text = message.kind == Opcode::TEXT && !as_bytes || message.utf8 == Utf8::Valid;
            let at_hand = message.payload.len() as u64 + hole::missing(message.holes);
            let length = match message.inflated_length {
                Some(inflated) if message.payload_cut => inflated,
                None if message.payload_cut && !message.compressed => message.length,
                // How much more there would be of what cannot be inflated is not known.
                _ => at_hand,
            };
            let (bytes, holes) = (message.payload, message.holes);
            let payload = Payload { bytes, holes, length, declared: length, text };
            to.set(Block::Payload { payload, level: 1 });
        }
        if let Some(it) = message.app {
            app::line(lang, it, to);
            app::parts(it, to);
        }
    }

    fn hole(&mut self, unit: &Unit<'_>, gap: &Gap, to: &mut dyn Setter) {
        let lang = self.lang;
        let about = lang.fill("{} missing", &[&count(lang, gap.length, BYTES)]);
        self.heading(unit, lang.words("gap"), &about, to);
        let packets = match gap.between {
            (Some(before), Some(after)) => lang.fill("between packets {} and {}", &[&before, &after]),
            (Some(before), None) => lang.fill("after packet {}", &[&before]),
            (None, Some(after)) => lang.fill("before packet {}", &[&after]),
            (None, None) => String::new(),
        };
        let place = lang.fill("at byte {} of what the sender sent", &[&grouped(gap.offset)]);
        say(Ink::Plain, &joined(lang, &[place, packets]), to);
        say(Ink::Plain, lang.words(effect(gap.effect)), to);
    }

    fn summary(&mut self, summary: &Summary, to: &mut dyn Setter) {
        let lang = self.lang;
        let (totals, bytes) = (totals(lang, summary), count(lang, summary.bytes, BYTES));
        let about = match summary.packets {
            _ if self.pasted => bytes,
            0 => lang.fill("{} ({})", &[&totals, &bytes]),
            packets => lang.fill("{} in {} ({})", &[&totals, &count(lang, packets, PACKETS), &bytes]),
        };
        to.set(Block::Totals { about: &about });
        files::totals(lang, summary, to);
        for other in summary.others.iter().take(OTHERS) {
            say(Ink::Faint, &others(lang, other), to);
            for line in sealed(lang, other) {
                let runs = [Run::text(Ink::Faint, line.trim_start())];
                to.set(Block::Words(Words { level: 2, hangs: true, runs: &runs }));
            }
        }
        if let more @ 1.. = summary.others.len().saturating_sub(OTHERS) {
            say(Ink::Faint, &lang.fill("and {} more kinds of other connections", &[&more]), to);
        }
        let findings = summary.findings.by_weight();
        if findings.is_empty() {
            say(Ink::Good, lang.words("no findings"), to);
        }
        to.set(Block::Rules(&findings));
        if let Some(error) = &summary.error {
            let lead = Run::whole(Ink::Error, lang.words("the input ended badly: "));
            item(1, lead, Run::text(Ink::Plain, &lang.say(error)), to);
        }
    }
}

/// The TLS within which a connection was deciphered.
fn within(lang: Lang, secured: &Secured) -> String {
    let suite = secured.suite.as_deref().map(|suite| suite_of(lang, suite, secured.is_inferred));
    let what = [secured.version.map(str::to_owned), suite, secured.alpn.clone()];
    let parts: Vec<String> = what.into_iter().flatten().collect();
    let secrets = count(lang, secured.secrets as u64, SECRETS);
    lang.fill("wss: {}, deciphered with {}", &[&joined(lang, &parts), &secrets])
}

/// A cipher suite, and how it is known.
pub(super) fn suite_of(lang: Lang, suite: &str, is_inferred: bool) -> String {
    if is_inferred { lang.fill("{} (inferred)", &[&suite]) } else { suite.to_owned() }
}

/// How the roles were told apart, unless it is the ordinary way.
fn roles(connection: &Connection) -> Option<&'static str> {
    match connection.roles {
        Roles::Handshake if connection.handshake == Handshake::Missing => {
            Some("the capture has only a part of the handshake, too little to check it")
        }
        Roles::Handshake => None,
        Roles::Masking => Some("no handshake in the capture; roles inferred from masking"),
        _ if connection.handshake == Handshake::Lines => {
            Some("lines of text on raw TCP: no HTTP, no WebSocket")
        }
        Roles::Ports => Some("no handshake in the capture; roles inferred from the port numbers"),
        Roles::Assumed => Some("nothing tells client and server apart; the roles are a guess"),
    }
}

/// How a connection ended.
pub fn ended(lang: Lang, ending: &Ending, connection: &Connection) -> String {
    let is_websocket =
        connection.handshake.is_websocket() || ending.counts.iter().any(|sent| sent.frames > 0);
    let how = match ending.how {
        // Pasted hex and raw bytes have no addresses, and are no capture.
        EndKind::CaptureEnd if connection.client.is_none() => "the input ends",
        EndKind::CloseHandshake => "closing handshake complete",
        // Only a WebSocket has a closing handshake to miss.
        EndKind::Fin if is_websocket && connection.parent.is_some() => {
            "the stream was ended without a complete closing handshake"
        }
        EndKind::Fin if connection.parent.is_some() => "the stream was ended",
        EndKind::Rst if connection.parent.is_some() => "the stream was reset",
        EndKind::Fin if is_websocket => "TCP closed without a complete closing handshake",
        EndKind::Fin => "TCP closed",
        EndKind::Rst => "TCP reset",
        EndKind::CaptureEnd => "the capture ends first",
        EndKind::Untold if ending.close().is_some() => "closed",
        EndKind::Untold if ending.close_code.is_some() => "closed; by whom is not told",
        EndKind::Untold => "how it ended is not told",
        EndKind::Failed => "failed, as the browser says",
    };
    let code = ending.close_code.map(|code| close_code(lang, code));
    joined(lang, &[lang.words(how).to_owned(), code.unwrap_or_default()])
}

/// What the opening handshake came to.
fn agreed(lang: Lang, connection: &Connection) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(connection.target.clone());
    match (connection.handshake, connection.status) {
        (Handshake::Refused, Some(status)) => parts.push(lang.fill("refused with {}", &[&status])),
        (Handshake::Refused, None) => parts.push(lang.words("refused").to_owned()),
        (Handshake::RequestOnly | Handshake::AnswerUnseen, _) => {
            parts.push(lang.words("no response seen").to_owned());
        }
        (Handshake::ResponseOnly, _) => parts.push(lang.words("no request seen").to_owned()),
        (
            Handshake::Full
            | Handshake::Missing
            | Handshake::Http
            | Handshake::Polling
            | Handshake::Streaming
            | Handshake::Lines
            | Handshake::Http2,
            _,
        ) => {}
    }
    parts.extend(connection.subprotocol.as_ref().map(|name| lang.fill("subprotocol {}", &[name])));
    parts.extend(connection.extensions.as_ref().map(|list| lang.fill("extensions {}", &[list])));
    joined(lang, &parts)
}

/// Which frames a message came in: `frames 1–3, 5`; how many when they make a long list.
fn frames(lang: Lang, message: &Message<'_>) -> String {
    let listed = runs(message.frames);
    let whole = message.frames.len() as u64 == message.frame_count;
    match message.frame_count {
        1 if whole => lang.fill("frame {}", &[&listed]),
        2.. if whole && listed.len() <= 24 => lang.fill("frames {}", &[&listed]),
        frames => count(lang, frames, FRAMES),
    }
}

/// Kinds of other connections that are listed.
const OTHERS: usize = 8;
