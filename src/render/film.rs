//! A handshake as a film: one block of lines a step, for reading at once or one by one.

use super::Options;
use super::advice::Adviser;
use super::heads::verdict as mark;
use super::page::Page;
use super::set::findings;
use super::style::{Ink, sender as ink};
use super::verdicts;
use super::words::{BYTES, FRAMES, close_code, count, joined, way};
use crate::lang::Lang;
use crate::model::film::{
    Accept, Aftermath, Comparison, Deal, Film, Line, PeerEnd, Row, Ruling, Speech, State, Step,
};
use crate::model::{Diagnosis, Dir, Finding, Text, Value, Verdict};

/// Where a block's contents begin, and where what is under them does.
const INDENT: usize = 2;
const UNDER: usize = 6;

/// Columns of labels such as `expected`.
const LABEL: usize = 10;

/// Rows that a start line or a value may take.
const ROWS: usize = 6;

/// Bytes of a body that are shown.
const BODY: usize = 512;

/// Lays out films.
#[derive(Debug)]
pub struct Projector {
    page: Page,
    advice: Adviser,
    explain: bool,
}

impl Projector {
    /// `explain` adds what each header field is for.
    pub fn new(options: &Options, explain: bool) -> Self {
        Self { page: Page::new(options), advice: Adviser::new(options.advice), explain }
    }

    /// The film's title, and then its steps, as lines with their ends.
    pub fn show(&mut self, film: &Film) -> Vec<String> {
        let mut shown = vec![self.title(film)];
        for step in film.steps() {
            match step {
                Step::Speaks(speech) => self.speaks(speech),
                Step::Header(_, line) => self.header(line),
                Step::Verdicts(speech) => self.verdicts(speech),
                Step::Accept(accept) => self.accept(accept),
                Step::Deals(deals) => self.deals(deals),
                Step::Around(film) => {
                    self.heading(self.lang().words("the connection"), "");
                    self.findings(&film.around, &film.diagnoses);
                }
                Step::Ruling(ruling) => self.ruling(ruling),
            }
            shown.push(self.taken());
        }
        shown
    }

    fn lang(&self) -> Lang {
        self.page.lang()
    }

    fn taken(&mut self) -> String {
        std::mem::take(self.page.lines())
    }

    fn title(&mut self, film: &Film) -> String {
        self.page.gap();
        let alone = film.conn == 0 && film.client.is_none();
        let room = if alone { self.page.width() } else { self.page.width() / 2 };
        self.page.data(Ink::Strong, film.title.as_bytes(), room, false);
        if film.conn > 0 {
            let conn = self.lang().fill("connection {}", &[&film.conn]);
            self.page.put(Ink::Plain, "  ").put(Ink::Plain, &conn);
        }
        if let (Some(client), Some(server)) = (film.client, film.server) {
            self.page.put(Ink::Faint, "  ").wrap(Ink::Faint, &format!("{client} → {server}"), INDENT, 0);
        }
        self.page.line();
        self.taken()
    }

    fn heading(&mut self, what: &str, about: &str) {
        self.page.gap();
        self.page.put(Ink::Strong, what);
        if !about.is_empty() {
            self.page.put(Ink::Plain, "  ").wrap(Ink::Faint, about, INDENT, 0);
        }
        self.page.line();
    }

    fn speaks(&mut self, speech: &Speech) {
        let dir = speech.dir;
        let what = match dir {
            Dir::Client => "request",
            Dir::Server => "response",
        };
        self.page.gap();
        let lang = self.lang();
        self.page.put(ink(dir), &way(lang, dir)).put(Ink::Plain, "  ").word(Ink::Strong, what);
        let length = count(lang, speech.length, BYTES);
        let tail = match speech.packets {
            Some((first, last)) if first == last => {
                format!("{length} · {}", lang.fill("packet {}", &[&first]))
            }
            Some((first, last)) => format!("{length} · {}", lang.fill("packets {}–{}", &[&first, &last])),
            None => length,
        };
        self.page.tail(Ink::Faint, &tail).line();
        let (ink, mark) = mark(speech.start_verdict);
        self.page.to(INDENT).put(ink, mark).put(Ink::Plain, " ");
        self.page.spill(speech.start_line.as_bytes(), UNDER, ROWS).line();
        self.under(Ink::Faint, &lang.say(&speech.meaning));
        if let Some(why) = speech.why {
            self.why(why.help, &why.cite.to_string());
        }
    }

    fn header(&mut self, line: &Line) {
        let (ink, mark) = mark(line.header.verdict);
        let half = self.page.width() / 2;
        self.page.to(INDENT).put(ink, mark).put(Ink::Plain, " ");
        self.page.data(Ink::Strong, line.header.name.as_bytes(), half, false).put(Ink::Plain, ": ");
        self.page.spill(line.header.value.as_bytes(), UNDER, ROWS).line();
        self.under(Ink::Faint, &self.lang().say(&line.header.meaning));
        for part in line.parts.iter().filter(|part| self.explain && !part.meaning.is_empty()) {
            if let Value::Text(text) = &part.value {
                self.page.to(UNDER + 2 * usize::from(part.depth - 1));
                self.page.data(Ink::Plain, text.as_bytes(), half, false).put(Ink::Plain, "  ");
                let meaning = self.lang().say(&part.meaning);
                self.page.wrap(Ink::Faint, &meaning, UNDER + 4, 0).line();
            }
        }
        match line.def {
            Some(def) => self.why(def.help, &def.cite.to_string()),
            None => self.why("Not part of the handshake; servers and clients may use it as they like.", ""),
        }
    }

    fn why(&mut self, help: &'static str, cite: &str) {
        if self.explain {
            self.page.to(UNDER).word(Ink::Note, "why").put(Ink::Plain, " ");
            let (help, at) = (self.lang().words(help), self.page.column());
            self.page.wrap(Ink::Plain, help, at, 0).tail(Ink::Faint, cite).line();
        }
    }

    fn under(&mut self, ink: Ink, words: &str) {
        if !words.is_empty() {
            self.page.to(UNDER).wrap(ink, words, UNDER, 0).line();
        }
    }

    fn verdicts(&mut self, speech: &Speech) {
        self.findings(&speech.findings, &speech.diagnoses);
        if !speech.body.is_empty() {
            let shown = &speech.body[..speech.body.len().min(BODY)];
            self.page.to(INDENT).word(Ink::Faint, "body").line();
            self.page.to(UNDER).quote(shown, shown.len() < speech.body.len(), UNDER, ROWS, 0);
            self.page.line();
        }
    }

    fn findings(&mut self, findings: &[Finding], diagnoses: &[Diagnosis]) {
        for finding in findings {
            let place = finding.spans.first().and_then(|span| verdicts::named(self.lang(), *span));
            let advice = self.advice.on(finding.rule);
            findings::finding(&mut self.page, finding, place, advice);
        }
        for diagnosis in diagnoses {
            findings::diagnosis(&mut self.page, diagnosis);
        }
    }

    fn labelled(&mut self, label: &'static str, words: &Text) {
        if !words.is_empty() {
            let (at, words) = (UNDER + LABEL, self.lang().say(words));
            self.page.to(UNDER).word(Ink::Faint, label).to(at).wrap(Ink::Plain, &words, at, 0).line();
        }
    }

    fn accept(&mut self, accept: &Accept) {
        let how = self.lang().words("key and GUID, SHA-1, Base64 (RFC 6455 §4.2.2)");
        self.heading(self.lang().words("the accept value"), how);
        for (label, value) in [
            ("key", accept.key.as_str()),
            ("+ GUID", accept.joined.strip_prefix(&accept.key).unwrap_or_default()),
            ("SHA-1", &accept.sha1),
            ("Base64", &accept.right),
        ] {
            self.page.to(UNDER).word(Ink::Faint, label).to(UNDER + LABEL);
            self.page.spill(value.as_bytes(), UNDER + LABEL, ROWS).line();
        }
        if let Some(sent) = &accept.sent {
            let is_right = sent.as_bytes().trim_ascii() == accept.right.as_bytes();
            let (ink, sign) = mark(if is_right { Verdict::Ok } else { Verdict::Broken });
            self.page
                .to(UNDER - 2)
                .put(ink, sign)
                .put(Ink::Plain, " ")
                .word(Ink::Faint, "sent")
                .to(UNDER + LABEL);
            self.page.spill(sent.as_bytes(), UNDER + LABEL, ROWS).line();
        }
        if self.explain {
            self.why(
                "The key is no secret and the answer no encryption: it proves that the server knows \
                 WebSocket, so that no other server, and no cache, can be taken for one.",
                "RFC 6455 §1.3",
            );
        }
    }

    fn deals(&mut self, deals: &[Deal]) {
        self.heading(self.lang().words("negotiation"), self.lang().words("offer → answer"));
        for deal in deals {
            let (ink, sign) = mark(deal.verdict);
            self.page.to(INDENT).put(ink, sign).put(Ink::Plain, " ").word(Ink::Strong, deal.what);
            self.page.to(UNDER + LABEL + 2);
            let at = self.page.column();
            self.choice(deal.offer.as_deref(), at);
            let answer = deal.answer.as_deref().unwrap_or(self.lang().words("nothing"));
            if self.page.column() + 3 + self.page.measure(answer) > self.page.width() {
                self.page.line();
                self.page.to(at - 2).put(Ink::Plain, "→ ");
            } else {
                self.page.put(Ink::Plain, " → ");
            }
            if deal.tacit {
                self.page.word(Ink::Plain, "agreed");
            } else {
                self.choice(deal.answer.as_deref(), at);
            }
            self.page.line();
            self.under(Ink::Faint, &self.lang().say(&deal.meaning));
        }
    }

    fn choice(&mut self, value: Option<&str>, indent: usize) {
        match value {
            Some(value) => self.page.spill(value.as_bytes(), indent, ROWS),
            None => self.page.word(Ink::Faint, "nothing"),
        };
    }

    fn ruling(&mut self, ruling: &Ruling) {
        self.page.gap();
        let lang = self.lang();
        let (ink, word) = state(ruling.state);
        self.page.word(ink, word);
        if let Some(cause) = &ruling.cause {
            let title = lang.words(cause.rule.title);
            let fault = match cause.by {
                Some(dir) => lang.fill("{}: {}", &[&lang.words(dir.name()), &title]),
                None => title.to_owned(),
            };
            let is_open = ruling.state == State::Open;
            let fault = if is_open { lang.fill("although {}", &[&fault]) } else { fault };
            self.page.put(Ink::Plain, "  ").put(Ink::Strong, cause.rule.id);
            self.page.tail(Ink::Faint, &cause.rule.cite.to_string()).line();
            self.under(Ink::Plain, &fault);
            self.labelled("got", &cause.got);
        } else {
            self.page.line();
        }
        for words in &ruling.next {
            self.labelled("next", words);
        }
        for words in &ruling.browser {
            self.labelled("browser", words);
        }
    }

    /// A recorded answer and a live one in two columns.
    pub fn compare(&mut self, comparison: &Comparison) -> String {
        self.heading(self.lang().words("side by side"), "");
        let right = INDENT + (self.page.width() - INDENT) / 2;
        self.page.to(INDENT).word(Ink::Faint, "recorded").to(right).word(Ink::Faint, "live").line();
        for row in &comparison.rows {
            self.row(row, right);
        }
        for (at, outcome) in [(INDENT, comparison.recorded), (right, comparison.live)] {
            let (ink, word) = state(outcome);
            self.page.to(at).word(ink, word);
        }
        self.page.line();
        self.taken()
    }

    fn row(&mut self, row: &Row, right: usize) {
        let name = if row.name.is_empty() { self.lang().words("status line") } else { &row.name };
        self.page.to(INDENT).data(Ink::Strong, name.as_bytes(), right - INDENT, false);
        self.page.tail(Ink::Faint, &self.lang().say(&row.note)).line();
        for (at, cell) in [(INDENT, &row.recorded), (right, &row.live)] {
            let Some((value, verdict)) = cell else { continue };
            let (ink, sign) = mark(*verdict);
            if self.page.column() < at {
                self.page.to(at);
            }
            self.page.put(ink, sign).put(Ink::Plain, " ");
            self.page.data(Ink::Plain, value.as_bytes(), right - INDENT - 4, false);
        }
        self.page.line();
    }

    /// What a live peer did after the handshake.
    pub fn aftermath(&mut self, after: &Aftermath) -> String {
        let lang = self.lang();
        let peer = lang.words(after.peer.name());
        self.heading(lang.words("afterwards"), &lang.fill("the {}", &[&peer]));
        let ms = after.after / 1_000_000;
        let end = match (after.end, after.close_code) {
            (PeerEnd::CloseFrame, Some(code)) => {
                lang.fill("sent Close {} after {} ms", &[&close_code(lang, code), &ms])
            }
            (PeerEnd::CloseFrame, None) => lang.fill("sent an empty Close after {} ms", &[&ms]),
            (PeerEnd::Closed, _) => lang.fill("closed TCP after {} ms", &[&ms]),
            (PeerEnd::Reset, _) => lang.fill("reset TCP after {} ms", &[&ms]),
            (PeerEnd::Silent, _) => lang.fill("was still there, silent, after {} ms", &[&ms]),
        };
        let frames = match (after.frames, after.bytes) {
            (0, 0) => lang.words("sent no frame").to_owned(),
            (0, bytes) => lang.fill("sent {}, which are no frames", &[&count(lang, bytes, BYTES)]),
            (frames, _) => lang.fill("sent {}", &[&count(lang, frames, FRAMES)]),
        };
        self.under(Ink::Plain, &joined(lang, &[frames, end]));
        let (ink, words) = judged(after);
        self.under(ink, lang.words(words));
        self.taken()
    }
}

/// What a peer's conduct means.
fn judged(after: &Aftermath) -> (Ink, &'static str) {
    let went_on = after.frames > 0;
    match (after.state, after.peer, after.end) {
        (State::Open, _, PeerEnd::Reset) => {
            (Ink::Warning, "it broke off a WebSocket that is open by the rules")
        }
        (State::Open, _, PeerEnd::Closed) if !went_on => {
            (Ink::Warning, "it gave up a WebSocket that is open by the rules")
        }
        (State::Open, ..) if after.close_answered == Some(false) => {
            (Ink::Error, "it answers a Close frame with none, against RFC 6455 §5.5.1")
        }
        (State::Open, ..) => (Ink::Good, "it takes the WebSocket as open"),
        (_, Dir::Client, _) if went_on => {
            (Ink::Error, "it went on as if the WebSocket were open, against RFC 6455 §4.1")
        }
        (_, Dir::Client, PeerEnd::Silent) => (Ink::Warning, "it neither used nor closed the connection"),
        (_, Dir::Client, _) => (Ink::Good, "it opened no WebSocket, as RFC 6455 §4.1 asks"),
        (..) => (Ink::Plain, "there is no WebSocket"),
    }
}

fn state(state: State) -> (Ink, &'static str) {
    match state {
        State::Open => (Ink::Good, "OPEN"),
        State::Failed => (Ink::Error, "FAILED"),
        State::Refused => (Ink::Good, "REFUSED"),
        State::Unanswered => (Ink::Warning, "UNANSWERED"),
        State::Ordinary => (Ink::Faint, "NO WEBSOCKET"),
    }
}
