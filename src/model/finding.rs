//! Rules and their violations.

use std::fmt;

use super::diagnosis::{Diagnosis, Usual};
use super::span::Span;
use super::text::Text;
use super::verdict::Case;
use super::wire::{CloseCode, Dir};

/// A paragraph of a specification: `RFC 6455 §5.1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cite {
    /// The document: `RFC 6455`.
    pub doc: &'static str,
    /// The section's number, empty for the document as a whole.
    pub section: &'static str,
}

impl Cite {
    /// A section of RFC 6455, The WebSocket Protocol.
    pub const fn rfc6455(section: &'static str) -> Self {
        Self { doc: "RFC 6455", section }
    }

    /// A section of RFC 7692, Compression Extensions for WebSocket.
    pub const fn rfc7692(section: &'static str) -> Self {
        Self { doc: "RFC 7692", section }
    }
}

impl fmt::Display for Cite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.section.is_empty() {
            f.write_str(self.doc)
        } else {
            write!(f, "{} §{}", self.doc, self.section)
        }
    }
}

/// How much a finding matters.
///
/// A MUST that is certainly broken is an error; one that can only be inferred
/// from a capture, and a broken SHOULD, is a warning; what is allowed but worth
/// knowing is a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Allowed, but worth knowing.
    Note,
    /// Against a SHOULD, or probably against a MUST.
    Warning,
    /// Against a MUST.
    Error,
}

impl Severity {
    /// `note`, `warning` or `error`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whom a rule binds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// Clients only.
    Client,
    /// Servers only.
    Server,
    /// Both endpoints.
    Either,
    /// Nobody: something about the capture itself.
    Capture,
}

/// A rule of a specification, written once. Its id is the same in text, NDJSON,
/// documentation and tests.
///
/// A rule is the `static` that declares it: two are equal only if they are the same.
#[derive(Debug)]
pub struct Rule {
    /// Stable id, such as `unmasked-client-frame`.
    pub id: &'static str,
    /// How much breaking it matters.
    pub severity: Severity,
    /// Where it stands.
    pub cite: Cite,
    /// Whom it binds.
    pub who: Who,
    /// What went wrong, as a headline.
    pub title: &'static str,
    /// What a conforming endpoint does about it.
    pub consequence: &'static str,
    /// With which code a receiver fails the connection because of it (RFC 6455 §7.1.7). `None`
    /// where it does not: it ignores what was sent, or hardly notices, or there are no frames yet.
    pub fails: Option<CloseCode>,
    /// What is usually behind it, where that is the same each time.
    pub usually: Option<Usual>,
}

impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Rule {}

/// Findings beyond the first [`FINDINGS_BUILT`](crate::limits::FINDINGS_BUILT) of a rule and an endpoint:
/// counted, not built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct More {
    /// The rule.
    pub rule: &'static Rule,
    /// Who broke it.
    pub blame: Option<Dir>,
    /// How many times more than there are findings.
    pub count: u64,
}

/// A rule that was broken, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// Who broke it; `None` when it is about the capture.
    pub blame: Option<Dir>,
    /// The bits that show it, most telling first; may be empty when it is about something missing.
    pub spans: Vec<Span>,
    /// What the rule asks for here.
    pub expected: Text,
    /// What was found.
    pub got: Text,
    /// What may be behind it.
    pub cause: Option<Box<Diagnosis>>,
    /// What it has in common with others of its rule, where that is worth telling of all together.
    pub case: Option<Box<Case>>,
}

impl Finding {
    /// A finding without spans, blamed on `blame`.
    pub fn new(rule: &'static Rule, blame: impl Into<Option<Dir>>, expected: Text, got: Text) -> Self {
        Self { rule, blame: blame.into(), spans: Vec::new(), expected, got, cause: None, case: None }
    }

    /// Says what may be behind it.
    #[must_use]
    pub fn because(mut self, cause: Diagnosis) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    /// Says what may be behind it, if anything, where what to change is what usually is with its rule.
    #[must_use]
    pub fn behind(self, what: Text) -> Self {
        if what.is_empty() {
            return self;
        }
        let fix = self.rule.usually.map_or("", |usually| usually.fix);
        let id = self.rule.id;
        self.because(Diagnosis::new(id, what, fix))
    }

    /// Says what others of its rule have in common with it.
    #[must_use]
    pub fn like(mut self, case: Case) -> Self {
        self.case = Some(Box::new(case));
        self
    }

    /// The same without spans: there are no bytes to point at.
    #[must_use]
    pub fn nowhere(mut self) -> Self {
        self.spans.clear();
        self
    }

    /// Adds a range of bits that shows it.
    #[must_use]
    pub fn at(mut self, span: Span) -> Self {
        self.spans.push(span);
        self
    }
}
