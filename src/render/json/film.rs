//! Films as records: `handshake`, `comparison`, `aftermath`.

use std::io::{self, Write};

use super::Stream;
use super::record::{diagnosis, finding_words, list};
use super::write::Writer;
use crate::model::film::{
    Accept, Aftermath, Cause, Comparison, Deal, Film, Line, PeerEnd, Row, Ruling, Speech, State,
};
use crate::model::{Dir, Finding, Rule, Text, Verdict};

/// Writes films as JSON records.
#[derive(Debug)]
pub struct Films<W> {
    stream: Stream<W>,
}

impl<W: Write> Films<W> {
    /// One record a line.
    pub fn lines(out: W) -> Self {
        Self { stream: Stream::lines(out) }
    }

    /// The same records in one array.
    pub fn array(out: W) -> Self {
        Self { stream: Stream::array(out) }
    }

    /// The record `handshake`. `role` says which part it plays: `recorded`, `live`.
    pub fn film(&mut self, film: &Film, role: &'static str) {
        self.stream.record(|w| handshake(film, role, w));
    }

    /// The record `comparison`.
    pub fn comparison(&mut self, comparison: &Comparison) {
        self.stream.record(|w| {
            w.raw(r#"{"type":"comparison","recorded":"#);
            w.string(state(comparison.recorded));
            w.raw(r#","live":"#);
            w.string(state(comparison.live));
            w.raw(r#","rows":"#);
            list(&comparison.rows, w, |w, it| row(it, w));
        });
    }

    /// The record `aftermath`.
    pub fn aftermath(&mut self, after: &Aftermath) {
        self.stream.record(|w| {
            w.raw(r#"{"type":"aftermath","who":"#);
            w.string(dir(after.peer));
            w.raw(r#","verdict":"#);
            w.string(state(after.state));
            w.raw(r#","frames":"#);
            w.number(after.frames);
            w.raw(r#","bytes":"#);
            w.number(after.bytes);
            w.raw(r#","close_code":"#);
            w.optional(after.close_code.map(|code| code.0.into()));
            w.raw(r#","end":"#);
            w.string(match after.end {
                PeerEnd::CloseFrame => "close-frame",
                PeerEnd::Closed => "fin",
                PeerEnd::Reset => "rst",
                PeerEnd::Silent => "timeout",
            });
            w.raw(r#","close_answered":"#);
            w.raw(match after.close_answered {
                None => "null",
                Some(true) => "true",
                Some(false) => "false",
            });
            w.raw(r#","after":"#);
            w.seconds(after.after);
        });
    }

    /// Ends the output.
    ///
    /// # Errors
    /// The first error of the underlying writer, here or earlier.
    pub fn finish(self) -> io::Result<W> {
        self.stream.finish()
    }
}

fn handshake<W: Write>(film: &Film, role: &str, w: &mut Writer<W>) {
    w.raw(r#"{"type":"handshake","role":"#);
    w.string(role);
    w.raw(r#","title":"#);
    w.string(&film.title);
    w.raw(r#","conn":"#);
    w.optional((film.conn > 0).then_some(film.conn.into()));
    for (key, endpoint) in [(r#","client":"#, film.client), (r#","server":"#, film.server)] {
        w.raw(key);
        w.optional_display(endpoint);
    }
    w.raw(r#","verdict":"#);
    ruling(&film.ruling, w);
    for (key, it) in [(r#","request":"#, &film.request), (r#","response":"#, &film.response)] {
        w.raw(key);
        match it {
            Some(it) => speech(it, w),
            None => w.raw("null"),
        }
    }
    w.raw(r#","accept":"#);
    match &film.accept {
        Some(it) => accept(it, w),
        None => w.raw("null"),
    }
    w.raw(r#","negotiation":"#);
    list(&film.deals, w, |w, it| deal(it, w));
    w.raw(r#","findings":"#);
    list(&film.around, w, |w, it| finding(it, w));
    w.raw(r#","diagnoses":"#);
    list(&film.diagnoses, w, diagnosis);
}

fn speech<W: Write>(speech: &Speech, w: &mut Writer<W>) {
    w.raw(r#"{"start_line":"#);
    w.string(&speech.start_line);
    w.raw(r#","verdict":"#);
    w.string(verdict(speech.start_verdict));
    w.raw(r#","meaning":"#);
    w.display(&speech.meaning);
    w.raw(r#","length":"#);
    w.number(speech.length);
    w.raw(r#","headers":"#);
    list(&speech.lines, w, |w, it| line(it, w));
    w.raw(r#","body_preview":"#);
    w.optional_string((!speech.body.is_empty()).then(|| String::from_utf8_lossy(&speech.body)).as_deref());
    w.raw(r#","findings":"#);
    list(&speech.findings, w, |w, it| finding(it, w));
    w.raw(r#","diagnoses":"#);
    list(&speech.diagnoses, w, diagnosis);
    w.raw("}");
}

fn line<W: Write>(line: &Line, w: &mut Writer<W>) {
    w.raw(r#"{"name":"#);
    w.string(&line.header.name);
    w.raw(r#","value":"#);
    w.string(&line.header.value);
    w.raw(r#","verdict":"#);
    w.string(verdict(line.header.verdict));
    w.raw(r#","meaning":"#);
    w.display(&line.header.meaning);
    w.raw(r#","why":"#);
    w.optional_string(line.def.map(|def| def.help));
    w.raw(r#","section":"#);
    w.optional_display(line.def.map(|def| def.cite));
    w.raw("}");
}

fn accept<W: Write>(accept: &Accept, w: &mut Writer<W>) {
    w.raw(r#"{"key":"#);
    w.string(&accept.key);
    w.raw(r#","decoded":"#);
    w.optional_string(accept.decoded.as_deref());
    w.raw(r#","joined":"#);
    w.string(&accept.joined);
    w.raw(r#","sha1":"#);
    w.string(&accept.sha1);
    w.raw(r#","expected":"#);
    w.string(&accept.right);
    w.raw(r#","sent":"#);
    w.optional_string(accept.sent.as_deref());
    w.raw("}");
}

fn deal<W: Write>(deal: &Deal, w: &mut Writer<W>) {
    w.raw(r#"{"what":"#);
    w.string(deal.what);
    w.raw(r#","offer":"#);
    w.optional_string(deal.offer.as_deref());
    w.raw(r#","answer":"#);
    w.optional_string(deal.answer.as_deref());
    w.raw(r#","tacit":"#);
    w.bool(deal.tacit);
    w.raw(r#","verdict":"#);
    w.string(verdict(deal.verdict));
    w.raw(r#","meaning":"#);
    w.display(&deal.meaning);
    w.raw("}");
}

fn ruling<W: Write>(ruling: &Ruling, w: &mut Writer<W>) {
    w.raw(r#"{"state":"#);
    w.string(state(ruling.state));
    w.raw(r#","cause":"#);
    match &ruling.cause {
        Some(it) => cause(it, w),
        None => w.raw("null"),
    }
    w.raw(r#","next":"#);
    texts(&ruling.next, w);
    w.raw(r#","browser":"#);
    texts(&ruling.browser, w);
    w.raw("}");
}

fn cause<W: Write>(cause: &Cause, w: &mut Writer<W>) {
    w.raw("{");
    rule(cause.rule, cause.by, w);
    w.raw(r#","title":"#);
    w.string(cause.rule.title);
    w.raw(r#","got":"#);
    w.display(&cause.got);
    w.raw("}");
}

fn finding<W: Write>(finding: &Finding, w: &mut Writer<W>) {
    w.raw("{");
    rule(finding.rule, finding.blame, w);
    finding_words(finding, w);
    w.raw(r#","cause":"#);
    match &finding.cause {
        Some(cause) => diagnosis(w, cause),
        None => w.raw("null"),
    }
    w.raw("}");
}

fn rule<W: Write>(rule: &Rule, by: Option<Dir>, w: &mut Writer<W>) {
    w.raw(r#""rule":"#);
    w.string(rule.id);
    w.raw(r#","severity":"#);
    w.display(rule.severity);
    w.raw(r#","section":"#);
    w.display(rule.cite);
    w.raw(r#","who":"#);
    w.optional_string(by.map(dir));
}

fn row<W: Write>(row: &Row, w: &mut Writer<W>) {
    w.raw(r#"{"name":"#);
    w.optional_string((!row.name.is_empty()).then_some(&row.name));
    for (key, cell) in [(r#","recorded":"#, &row.recorded), (r#","live":"#, &row.live)] {
        w.raw(key);
        match cell {
            Some((value, it)) => {
                w.raw("[");
                w.string(value);
                w.raw(",");
                w.string(verdict(*it));
                w.raw("]");
            }
            None => w.raw("null"),
        }
    }
    w.raw(r#","note":"#);
    w.display(&row.note);
    w.raw("}");
}

fn texts<W: Write>(texts: &[Text], w: &mut Writer<W>) {
    list(texts, w, |w, text| w.display(text));
}

fn state(state: State) -> &'static str {
    match state {
        State::Open => "open",
        State::Failed => "failed",
        State::Refused => "refused",
        State::Unanswered => "unanswered",
        State::Ordinary => "ordinary",
    }
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => "ok",
        Verdict::Warning => "warning",
        Verdict::Broken => "broken",
        Verdict::Irrelevant => "irrelevant",
    }
}

fn dir(dir: Dir) -> &'static str {
    match dir {
        Dir::Client => "client",
        Dir::Server => "server",
    }
}
