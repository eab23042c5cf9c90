//! A handshake as a film: who says what, what it means, and what comes of it.
//!
//! The parts are kept as data, so that a view can show them all, one at a time
//! with a pause after each ([`Film::steps`]), or hand them to a program.

use super::diagnosis::Diagnosis;
use super::field::{Field, FieldDef};
use super::finding::{Finding, Rule};
use super::text::Text;
use super::time::Time;
use super::unit::{Header, Verdict};
use super::wire::{CloseCode, Dir, Endpoint};

/// One opening handshake, as it was or as it could be.
#[derive(Clone, Debug, PartialEq)]
pub struct Film {
    /// Where it comes from: a file, a sample, a peer. Untrusted.
    pub title: String,
    /// Number of the connection in its capture; 0 without one.
    pub conn: u32,
    /// The client's address; `None` for input without addresses.
    pub client: Option<Endpoint>,
    /// The server's.
    pub server: Option<Endpoint>,
    /// The client's head; `None` where it was not seen.
    pub request: Option<Speech>,
    /// The server's.
    pub response: Option<Speech>,
    /// How the accept value follows from the key; `None` without a key.
    pub accept: Option<Accept>,
    /// What was negotiated: version, subprotocol, extensions.
    pub deals: Vec<Deal>,
    /// What the connection shows beyond the two heads.
    pub around: Vec<Finding>,
    /// What may be behind that.
    pub diagnoses: Vec<Diagnosis>,
    /// What comes of it.
    pub ruling: Ruling,
}

/// One head, said by one endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Speech {
    /// Who says it.
    pub dir: Dir,
    /// Length of the head in bytes, kept or not.
    pub length: u64,
    /// When its last byte was captured.
    pub time: Option<Time>,
    /// Numbers of the first and last packet that carried it.
    pub packets: Option<(u64, u64)>,
    /// The first line. Untrusted.
    pub start_line: String,
    /// Whether the first line is right.
    pub start_verdict: Verdict,
    /// What the first line asks for or says.
    pub meaning: Text,
    /// Why the first line is as it is.
    pub why: Option<&'static FieldDef>,
    /// The header fields, in order.
    pub lines: Vec<Line>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// What may be behind that.
    pub diagnoses: Vec<Diagnosis>,
    /// The first bytes of the body; empty when there is none.
    pub body: Vec<u8>,
}

/// A header field.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its name, its value and whether that is right.
    pub header: Header<'static>,
    /// What the field is for; `None` for one that is not known.
    pub def: Option<&'static FieldDef>,
    /// The elements of a structured value.
    pub parts: Vec<Field>,
}

/// From the key to its answer (RFC 6455 §4.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accept {
    /// As sent. Untrusted.
    pub key: String,
    /// The bytes the key stands for, in hexadecimal; `None` when it is no Base64.
    pub decoded: Option<String>,
    /// Key and GUID. Untrusted.
    pub joined: String,
    /// SHA-1 of that, in hexadecimal.
    pub sha1: String,
    /// The right answer.
    pub right: String,
    /// The answer given; `None` without one. Untrusted.
    pub sent: Option<String>,
}

/// Something that is negotiated: an offer and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deal {
    /// `version`, `subprotocol`, `extensions`.
    pub what: &'static str,
    /// What the client offers, best first; `None` for nothing. Untrusted.
    pub offer: Option<String>,
    /// What the server chose; `None` for nothing. Untrusted.
    pub answer: Option<String>,
    /// The status alone agrees to the offer, without naming it.
    pub tacit: bool,
    /// Whether the answer fits the offer.
    pub verdict: Verdict,
    /// What holds from now on.
    pub meaning: Text,
}

/// What comes of a handshake.
#[derive(Clone, Debug, PartialEq)]
pub struct Ruling {
    /// What the connection is from now on.
    pub state: State,
    /// The first thing that went wrong.
    pub cause: Option<Cause>,
    /// What conforming endpoints do now.
    pub next: Vec<Text>,
    /// What a page's script sees, in order.
    pub browser: Vec<Text>,
}

/// How a handshake ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The WebSocket is open.
    Open,
    /// It is not, and will not be.
    Failed,
    /// It is not, as it should be: the request breaks a rule, and the server answers with an error of 400 to
    /// 499 (RFC 6455 §4.2.1).
    Refused,
    /// There is no response, or no final one.
    Unanswered,
    /// It was no WebSocket handshake.
    Ordinary,
}

/// What made a handshake fail, or should have.
#[derive(Clone, Debug, PartialEq)]
pub struct Cause {
    /// The rule that was broken.
    pub rule: &'static Rule,
    /// Who broke it.
    pub by: Option<Dir>,
    /// What was found.
    pub got: Text,
}

/// One step of a film.
#[derive(Clone, Copy, Debug)]
pub enum Step<'f> {
    /// Somebody speaks: the first line.
    Speaks(&'f Speech),
    /// A header field of what somebody says.
    Header(&'f Speech, &'f Line),
    /// What is wrong with what was said, and what came with it.
    Verdicts(&'f Speech),
    /// How the accept value follows from the key (RFC 6455 §4.2.2).
    Accept(&'f Accept),
    /// What was offered, and what of it was agreed on.
    Deals(&'f [Deal]),
    /// What the connection shows beyond the two heads.
    Around(&'f Film),
    /// What comes of it.
    Ruling(&'f Ruling),
}

impl Film {
    /// The steps in order.
    pub fn steps(&self) -> Vec<Step<'_>> {
        let mut steps = Vec::new();
        for speech in [&self.request, &self.response].into_iter().flatten() {
            steps.push(Step::Speaks(speech));
            steps.extend(speech.lines.iter().map(|line| Step::Header(speech, line)));
            if !(speech.findings.is_empty() && speech.diagnoses.is_empty() && speech.body.is_empty()) {
                steps.push(Step::Verdicts(speech));
            }
        }
        steps.extend(self.accept.iter().map(Step::Accept));
        if !self.deals.is_empty() {
            steps.push(Step::Deals(&self.deals));
        }
        if !(self.around.is_empty() && self.diagnoses.is_empty()) {
            steps.push(Step::Around(self));
        }
        steps.push(Step::Ruling(&self.ruling));
        steps
    }
}

/// A recorded answer and a live one, row by row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The status line and the header fields, a row each.
    pub rows: Vec<Row>,
    /// What came of the recorded one.
    pub recorded: State,
    /// What came of the live one.
    pub live: State,
}

/// What both answers have under one name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// A header field's name as first written; empty for the status line. Untrusted.
    pub name: String,
    /// Value and verdict; `None` where the answer has no such field. Untrusted.
    pub recorded: Option<(String, Verdict)>,
    /// The same of the live answer.
    pub live: Option<(String, Verdict)>,
    /// How they differ; empty when they do not.
    pub note: Text,
}

/// What a live peer did after the handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aftermath {
    /// Whose doing it is.
    pub peer: Dir,
    /// What came of the handshake with it.
    pub state: State,
    /// Frames it sent.
    pub frames: u64,
    /// Bytes behind its head.
    pub bytes: u64,
    /// The code of its Close frame.
    pub close_code: Option<CloseCode>,
    /// How its side of the connection ended.
    pub end: PeerEnd,
    /// Whether our Close frame, which came first, was answered with one; `None` when there was none to
    /// answer.
    pub close_answered: Option<bool>,
    /// Nanoseconds from the answer to the end.
    pub after: u64,
}

/// How a live peer's side of the connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerEnd {
    /// It sent a Close frame.
    CloseFrame,
    /// It closed TCP.
    Closed,
    /// It reset TCP.
    Reset,
    /// It was still there when the time was up.
    Silent,
}
