//! Films as records: `handshake`, `comparison`, `aftermath`.

use std::io::{self, Write};

use super::Stream;
use super::record::{blame, finding_words};
use super::value::{List, Seconds, ToJson, members, object, open};
use super::write::Writer;
use crate::model::film::{
    Accept, Aftermath, Cause, Comparison, Deal, Film, Line, PeerEnd, Row, Ruling, Speech, State,
};
use crate::model::{Finding, Verdict};

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
            open!(
                w,
                "type": "comparison",
                "recorded": comparison.recorded,
                "live": comparison.live,
                "rows": List(&comparison.rows),
            );
        });
    }

    /// The record `aftermath`.
    pub fn aftermath(&mut self, after: &Aftermath) {
        self.stream.record(|w| {
            open!(
                w,
                "type": "aftermath",
                "who": after.peer,
                "verdict": after.state,
                "frames": after.frames,
                "bytes": after.bytes,
                "close_code": after.close_code.map(|code| code.0),
                "end": after.end,
                "close_answered": after.close_answered,
                "after": Seconds(after.after),
            );
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
    open!(
        w,
        "type": "handshake",
        "role": role,
        "title": &film.title,
        "conn": (film.conn > 0).then_some(film.conn),
        "client": film.client,
        "server": film.server,
        "verdict": &film.ruling,
        "request": film.request.as_ref(),
        "response": film.response.as_ref(),
        "accept": film.accept.as_ref(),
        "negotiation": List(&film.deals),
        "findings": List(&film.around),
        "diagnoses": List(&film.diagnoses),
    );
}

impl<W: Write> ToJson<W> for &Speech {
    fn put(self, w: &mut Writer<W>) {
        let body = (!self.body.is_empty()).then(|| String::from_utf8_lossy(&self.body));
        object!(
            w,
            "start_line": &self.start_line,
            "verdict": self.start_verdict,
            "meaning": &self.meaning,
            "length": self.length,
            "headers": List(&self.lines),
            "body_preview": body.as_deref(),
            "findings": List(&self.findings),
            "diagnoses": List(&self.diagnoses),
        );
    }
}

impl<W: Write> ToJson<W> for &Line {
    fn put(self, w: &mut Writer<W>) {
        object!(
            w,
            "name": &*self.header.name,
            "value": &*self.header.value,
            "verdict": self.header.verdict,
            "meaning": &self.header.meaning,
            "why": self.def.map(|def| def.help),
            "section": self.def.map(|def| def.cite),
        );
    }
}

impl<W: Write> ToJson<W> for &Accept {
    fn put(self, w: &mut Writer<W>) {
        object!(
            w,
            "key": &self.key,
            "decoded": self.decoded.as_deref(),
            "joined": &self.joined,
            "sha1": &self.sha1,
            "expected": &self.right,
            "sent": self.sent.as_deref(),
        );
    }
}

impl<W: Write> ToJson<W> for &Deal {
    fn put(self, w: &mut Writer<W>) {
        object!(
            w,
            "what": self.what,
            "offer": self.offer.as_deref(),
            "answer": self.answer.as_deref(),
            "tacit": self.tacit,
            "verdict": self.verdict,
            "meaning": &self.meaning,
        );
    }
}

impl<W: Write> ToJson<W> for &Ruling {
    fn put(self, w: &mut Writer<W>) {
        object!(
            w,
            "state": self.state,
            "cause": self.cause.as_ref(),
            "next": List(&self.next),
            "browser": List(&self.browser),
        );
    }
}

impl<W: Write> ToJson<W> for &Cause {
    fn put(self, w: &mut Writer<W>) {
        open!(w, "rule": self.rule);
        blame(self.rule, self.by, w);
        members!(w, "title": self.rule.title, "got": &self.got);
        w.raw("}");
    }
}

impl<W: Write> ToJson<W> for &Finding {
    fn put(self, w: &mut Writer<W>) {
        open!(w, "rule": self.rule);
        blame(self.rule, self.blame, w);
        finding_words(self, w);
        members!(w, "cause": self.cause.as_deref());
        w.raw("}");
    }
}

impl<W: Write> ToJson<W> for &Row {
    fn put(self, w: &mut Writer<W>) {
        fn cell(cell: Option<&(String, Verdict)>) -> Option<(&str, Verdict)> {
            cell.map(|(value, verdict)| (value.as_str(), *verdict))
        }
        object!(
            w,
            "name": (!self.name.is_empty()).then_some(&self.name),
            "recorded": cell(self.recorded.as_ref()),
            "live": cell(self.live.as_ref()),
            "note": &self.note,
        );
    }
}

impl<W: Write> ToJson<W> for State {
    fn put(self, w: &mut Writer<W>) {
        w.string(match self {
            Self::Open => "open",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Unanswered => "unanswered",
            Self::Ordinary => "ordinary",
        });
    }
}

impl<W: Write> ToJson<W> for PeerEnd {
    fn put(self, w: &mut Writer<W>) {
        w.string(match self {
            Self::CloseFrame => "close-frame",
            Self::Closed => "fin",
            Self::Reset => "rst",
            Self::Silent => "timeout",
        });
    }
}
