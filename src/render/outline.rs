//! What every text view but the table shows alike: headings, connections,
//! messages, gaps, totals. Only frames and HTTP heads look different from view to view.

use super::clock::Clock;
use super::files::{self, Files};
use super::hexdump;
use super::page::Page;
use super::style::Ink;
use super::totals::{effect, more, others, totals};
use super::words::{BYTES, FRAMES, MESSAGES, MORE_BYTES, PACKETS, close_code, count, opcode, runs};
use super::{Options, app, frames, heads, verdicts};
use crate::lang::Lang;
use crate::model::quantity::grouped;
use crate::model::{
    Body, Connection, Dir, EndKind, Ending, Gap, Handshake, Hole, InputFile, Message, Meta, Opcode, Opening,
    Part, Roles, Severity, Summary, Unit, Utf8, hole,
};

/// Where the contents of a block begin.
pub const INDENT: usize = 2;

/// Rows of text, and of a hexdump, that are shown of a payload unless asked for more.
const TEXT_ROWS: usize = 6;
const DUMP_ROWS: usize = 4;

/// Parts of a payload with holes that are shown unless asked for more, the holes included.
const PARTS: usize = 9;

/// Payload bytes kept for those rows.
pub const PREVIEW: u64 = 2048;

/// The page, and what is remembered from one unit to the next.
#[derive(Debug)]
pub struct Outline {
    pub page: Page,
    pub clock: Clock,
    /// Which of several files is shown.
    pub files: Files,
    /// Whether payloads are shown whole, as far as they were kept.
    pub unabridged: bool,
    /// More than one connection was seen, so that headings must say which.
    several: bool,
    /// Packets were pasted: there are no connections to count.
    pub pasted: bool,
}

impl Outline {
    /// Lays out on `page`.
    pub fn new(options: &Options, page: Page) -> Self {
        Self {
            page,
            clock: Clock::new(options.time),
            files: Files::default(),
            unabridged: options.payload.is_some(),
            several: false,
            pasted: false,
        }
    }

    /// The language of the words.
    pub fn lang(&self) -> Lang {
        self.page.lang()
    }

    /// Shows any unit but a frame.
    pub fn unit(&mut self, unit: &Unit<'_>) {
        self.several |= unit.conn > 1;
        match unit.body {
            Body::Meta(meta) => {
                self.begin(meta);
                self.meta(meta);
            }
            Body::File(file) => {
                self.enter(file);
                self.page.gap();
                files::line_of(&mut self.page, file);
            }
            Body::Connection(connection) => match &connection.ending {
                None => self.connection(unit, connection),
                Some(ending) => self.ending(unit, connection, ending),
            },
            Body::Http(head) => heads::show(self, unit, head),
            Body::Opening(opening) => self.opening(unit, opening, false),
            Body::Frame(_) => {}
            Body::Packet(packet) => app::packet(self, unit, packet),
            Body::Session(session) => app::session(self, unit, session),
            Body::Message(message) => self.message(unit, message),
            Body::Gap(gap) => self.hole(unit, gap),
            Body::Note if unit.findings.is_empty() => {}
            Body::Note if unit.conn == 0 => self.heading(unit, self.lang().words("about the capture"), ""),
            Body::Note => self.heading(unit, &self.lang().fill("about connection {}", &[&unit.conn]), ""),
            Body::Summary(summary) => {
                self.files.leave();
                self.summary(summary);
            }
        }
        if !matches!(unit.body, Body::Frame(_)) {
            verdicts::show(&mut self.page, unit);
        }
    }

    /// The input begins.
    pub fn begin(&mut self, meta: &Meta) {
        self.clock.begin(meta.start);
        self.files = Files::new(meta);
    }

    /// One of several files begins.
    pub fn enter(&mut self, file: &InputFile) {
        self.clock.begin(file.start);
        self.clock.pause();
        self.files.enter(file);
    }

    /// A block's first line: what it is, who sent it, more about it, and at the right end when.
    pub fn heading(&mut self, unit: &Unit<'_>, what: &str, about: &str) {
        self.several |= unit.conn > 1;
        let stamp = unit.time.and_then(|time| self.clock.stamp(time));
        self.page.gap();
        self.page.put(Ink::Strong, what);
        if let Some(dir) = unit.dir {
            let way = way(self.lang(), dir);
            self.page.put(Ink::Plain, "  ").put(ink(dir), &way);
        }
        if !about.is_empty() {
            let indent = self.page.column() + 2;
            self.page.put(Ink::Plain, "  ").wrap(Ink::Plain, about, indent.min(40), 0);
        }
        let says_conn = matches!(unit.body, Body::Connection(_) | Body::Note);
        let conn = (self.several && unit.conn > 0 && !says_conn).then_some(unit.conn);
        let file = self.files.label();
        let tail = |names| tail(self.lang(), names, file, conn, unit.packets, stamp.as_deref());
        let (full, brief) = (tail(&FULL), tail(&BRIEF));
        let fits = |tail: &str| self.page.column() + 2 + self.page.measure(tail) <= self.page.width();
        let tail = if !fits(&full) && fits(&brief) { brief } else { full };
        self.page.tail(Ink::Faint, tail).line();
    }

    /// A line of running text in the block.
    pub fn say(&mut self, ink: Ink, words: &str) {
        self.page.to(INDENT).wrap(ink, words, INDENT, 0).line();
    }

    /// Shows a payload of `length` bytes, of which `bytes` are at hand, as a block at `indent`.
    pub fn payload(&mut self, bytes: &[u8], length: u64, text: bool, indent: usize) {
        if bytes.is_empty() {
            return;
        }
        let rows = |preview| if self.unabridged { usize::MAX } else { preview };
        let shown = if text {
            let more = (bytes.len() as u64) < length;
            let shown = self.page.to(indent).quote(bytes, more, indent, rows(TEXT_ROWS), 0);
            self.page.line();
            shown
        } else {
            hexdump::dump(&mut self.page, bytes, 0, indent, rows(DUMP_ROWS))
        };
        self.left(length.saturating_sub(shown as u64), indent);
    }

    /// The same for a payload with holes: its parts, and between them what is missing.
    pub fn broken(&mut self, bytes: &[u8], holes: &[Hole], length: u64, text: bool, indent: usize) {
        if holes.is_empty() {
            return self.payload(bytes, length, text, indent);
        }
        let rows = |preview| if self.unabridged { usize::MAX } else { preview };
        let (rows, parts) = (rows(if text { TEXT_ROWS } else { DUMP_ROWS }), rows(PARTS));
        let mut shown = 0;
        for part in hole::parts(bytes, holes).take(parts) {
            match part {
                Part::Hole(hole) => {
                    let words = frames::missing(self.lang(), hole);
                    self.page.to(indent).put(Ink::Warning, &words).line();
                    shown += hole.length;
                }
                Part::Bytes(from, part) => {
                    let to = from + part.len() as u64;
                    let now = if text {
                        let now =
                            self.page.to(indent).quote_part(part, from == 0, to == length, indent, rows);
                        self.page.line();
                        now
                    } else {
                        hexdump::dump(&mut self.page, part, from, indent, rows)
                    };
                    shown += now as u64;
                    if now < part.len() {
                        break;
                    }
                }
            }
        }
        self.left(length.saturating_sub(shown), indent);
    }

    /// How many bytes more there are, if any.
    fn left(&mut self, left: u64, indent: usize) {
        if left > 0 {
            self.page.to(indent).put(Ink::Faint, "… ");
            self.page.put(Ink::Faint, &count(self.lang(), left, MORE_BYTES)).line();
        }
    }

    fn meta(&mut self, meta: &Meta) {
        // Each of several files is named where it begins, unless they are one capture.
        if meta.files.is_empty() {
            self.page.gap();
            files::line(&mut self.page, &meta.input, &meta.format, &meta.link_types);
        } else if meta.concat {
            self.page.gap();
            for file in &meta.files {
                files::line_of(&mut self.page, file);
            }
        }
    }

    fn connection(&mut self, unit: &Unit<'_>, connection: &Connection) {
        let between = match (connection.client, connection.server) {
            (Some(client), Some(server)) => format!("{client} → {server}"),
            (Some(client), None) => self.lang().fill("client {}", &[&client]),
            (None, Some(server)) => self.lang().fill("server {}", &[&server]),
            (None, None) => String::new(),
        };
        self.heading(unit, &self.lang().fill("connection {}", &[&unit.conn]), &between);
        if let Some(roles) = roles(connection) {
            self.say(Ink::Plain, self.lang().words(roles));
        }
    }

    /// What is no HTTP. Text is in what is said about it already, and its bytes shown if `all` are.
    pub fn opening(&mut self, unit: &Unit<'_>, opening: &Opening<'_>, all: bool) {
        let what = if unit.dir == Some(Dir::Server) { "answer" } else { "preface" };
        let about = self.lang().say(opening.about);
        self.heading(unit, self.lang().words(what), &about);
        if all
            || str::from_utf8(opening.bytes).is_err()
            || opening.bytes.iter().any(|b| *b < b' ' && !b.is_ascii_whitespace())
        {
            self.payload(opening.bytes, opening.bytes.len() as u64, false, INDENT);
        }
    }

    fn ending(&mut self, unit: &Unit<'_>, connection: &Connection, ending: &Ending) {
        let lang = self.lang();
        let heading = lang.fill("connection {} ends", &[&unit.conn]);
        if connection.handshake == Handshake::Polling {
            // Nothing but HTTP: there are no frames to count.
            return self.heading(unit, &heading, &ended(lang, ending, connection));
        }
        self.heading(unit, &heading, &ended(lang, ending, connection));
        let agreed = agreed(lang, connection);
        if !agreed.is_empty() {
            self.say(Ink::Plain, &agreed);
        }
        for dir in [Dir::Client, Dir::Server] {
            let sent = ending.counts[dir.index()];
            self.page.to(INDENT).word(ink(dir), dir.name());
            let words = lang.fill(
                " sent {} in {}, {} of payload and {} in all",
                &[
                    &count(lang, sent.messages, MESSAGES),
                    &count(lang, sent.frames, FRAMES),
                    &count(lang, sent.payload_bytes, BYTES),
                    &grouped(sent.bytes),
                ],
            );
            self.page.wrap(Ink::Plain, &words, INDENT + 2, 0).line();
        }
        self.more(connection);
    }

    /// What was found so often that it was only counted.
    fn more(&mut self, connection: &Connection) {
        for it in &connection.more {
            let words = more(self.lang(), it);
            self.say(verdicts::ink(it.rule.severity), &words);
        }
    }

    /// A message of several frames, or one that says more than its frame did.
    fn message(&mut self, unit: &Unit<'_>, message: &Message<'_>) {
        let own_story = message.frame_count > 1 || message.compressed || !message.complete;
        if unit.findings.is_empty() && (message.kind.is_control() || !own_story) {
            // The frame has just been shown: what it means goes under it.
            if let Some(it) = message.app {
                app::line(self, it);
            }
            return;
        }
        let lang = self.lang();
        let length = count(lang, message.length, BYTES);
        let length = match message.inflated_length {
            Some(inflated) => lang.fill("{} compressed, {} inflated", &[&length, &grouped(inflated)]),
            None if message.compressed => lang.fill("{} compressed", &[&length]),
            None => length,
        };
        let mut about =
            lang.fill("{}, {} from {}", &[&opcode(lang, message.kind), &length, &frames(lang, message)]);
        if !message.complete {
            about.push_str(lang.words(", "));
            about.push_str(lang.words("incomplete"));
        }
        self.heading(unit, &lang.fill("message {}", &[&message.m]), &about);
        if own_story {
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
            self.broken(message.payload, message.holes, length, text, INDENT);
        }
        if let Some(it) = message.app {
            app::line(self, it);
        }
    }

    fn hole(&mut self, unit: &Unit<'_>, gap: &Gap) {
        let lang = self.lang();
        let about = lang.fill("{} missing", &[&count(lang, gap.length, BYTES)]);
        self.heading(unit, lang.words("gap"), &about);
        let packets = match gap.between {
            (Some(before), Some(after)) => lang.fill("between packets {} and {}", &[&before, &after]),
            (Some(before), None) => lang.fill("after packet {}", &[&before]),
            (None, Some(after)) => lang.fill("before packet {}", &[&after]),
            (None, None) => String::new(),
        };
        let place = lang.fill("at byte {} of what the sender sent", &[&grouped(gap.offset)]);
        self.say(Ink::Plain, &joined(lang, &[place, packets]));
        self.say(Ink::Plain, lang.words(effect(gap.effect)));
    }

    fn summary(&mut self, summary: &Summary) {
        self.page.gap();
        let lang = self.lang();
        self.page.word(Ink::Strong, "summary");
        let (totals, bytes) = (totals(lang, summary), count(lang, summary.bytes, BYTES));
        let about = match summary.packets {
            _ if self.pasted => bytes,
            0 => lang.fill("{} ({})", &[&totals, &bytes]),
            packets => lang.fill("{} in {} ({})", &[&totals, &count(lang, packets, PACKETS), &bytes]),
        };
        self.page.put(Ink::Plain, "  ").wrap(Ink::Plain, &about, 9, 0).line();
        files::totals(&mut self.page, summary);
        for other in summary.others.iter().take(OTHERS) {
            self.say(Ink::Faint, &others(lang, other));
        }
        if let more @ 1.. = summary.others.len().saturating_sub(OTHERS) {
            self.say(Ink::Faint, &lang.fill("and {} more kinds of other connections", &[&more]));
        }
        let findings = summary.findings.by_weight();
        if findings.is_empty() {
            self.say(Ink::Good, lang.words("no findings"));
        }
        let widest = findings.iter().map(|(rule, _)| rule.id.len()).max().unwrap_or_default();
        let number = findings.iter().map(|(_, times)| grouped(*times).len() + 1).max().unwrap_or_default();
        for (rule, times) in findings {
            self.page.to(INDENT).word(verdicts::ink(rule.severity), rule.severity.name());
            let times = format!("{}×", grouped(times));
            self.page.put(Ink::Plain, " ").put_right(Ink::Plain, &times, INDENT + 8 + number);
            self.page.to(INDENT + 10 + number).put(Ink::Strong, rule.id);
            self.page
                .to(INDENT + 12 + number + widest.min(40))
                .tail(Ink::Faint, rule.cite.to_string())
                .line();
        }
        if let Some(error) = &summary.error {
            self.page.to(INDENT).word(Ink::Error, "the input ended badly: ");
            self.page.wrap(Ink::Plain, &lang.say(error), INDENT + 2, 0).line();
        }
    }
}

/// What the right end of a heading calls a connection, a packet and several.
type Names = [&'static str; 3];
const FULL: Names = ["connection {}", "packet {}", "packets {}–{}"];
const BRIEF: Names = ["conn {}", "pkt {}", "pkts {}–{}"];

/// The right end of a heading: `connection 2 · packets 7–9 · 0.001204 s`.
fn tail(
    lang: Lang,
    [connection, packet, several]: &Names,
    file: Option<&str>,
    conn: Option<u32>,
    packets: Option<(u64, u64)>,
    stamp: Option<&str>,
) -> String {
    let connection = conn.map(|number| lang.fill(connection, &[&number]));
    let packets = packets.map(|(first, last)| {
        if first == last { lang.fill(packet, &[&first]) } else { lang.fill(several, &[&first, &last]) }
    });
    let (file, stamp) = (file.map(str::to_owned), stamp.map(str::to_owned));
    let parts: Vec<String> = [file, connection, packets, stamp].into_iter().flatten().collect();
    parts.join(" · ")
}

/// Who sent something to whom.
pub fn way(lang: Lang, dir: Dir) -> String {
    format!("{} → {}", lang.words(dir.name()), lang.words(dir.peer().name()))
}

/// Parts with commas between them; those that are empty are left out.
pub fn joined(lang: Lang, parts: &[String]) -> String {
    let parts: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
    parts.join(lang.words(", "))
}

/// The colour of a sender.
pub fn ink(dir: Dir) -> Ink {
    match dir {
        Dir::Client => Ink::Client,
        Dir::Server => Ink::Server,
    }
}

/// How the roles were told apart, unless it is the ordinary way.
fn roles(connection: &Connection) -> Option<&'static str> {
    match connection.roles {
        Roles::Handshake if connection.handshake == Handshake::Missing => {
            Some("the capture has only a part of the handshake, too little to check it")
        }
        Roles::Handshake => None,
        Roles::Masking => Some("no handshake in the capture; roles inferred from masking"),
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
        EndKind::Fin if is_websocket => "TCP closed without a complete closing handshake",
        EndKind::Fin => "TCP closed",
        EndKind::Rst => "TCP reset",
        EndKind::CaptureEnd => "the capture ends first",
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
        (Handshake::RequestOnly, _) => parts.push(lang.words("no response seen").to_owned()),
        (Handshake::ResponseOnly, _) => parts.push(lang.words("no request seen").to_owned()),
        (Handshake::Full | Handshake::Missing | Handshake::Polling, _) => {}
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

/// The highest severity of the rules that a unit breaks.
pub fn worst(unit: &Unit<'_>) -> Option<Severity> {
    unit.rules().map(|rule| rule.severity).max()
}
