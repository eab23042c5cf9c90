//! A head as it was heard: by a decoder, in a text, or as it comes from a wire.
//!
//! The one place where heads are read that no [decoder](crate::decoder) is given: a text holds both sides'
//! in one, and of a live peer's it has to be known how far it is while it comes, whatever that sends.

use crate::http::{Body, Head, HeadReader, HeadState, Sniff, sniff};
use crate::model::{Finding, SourceId, Time};

/// A head as it was heard.
#[derive(Debug)]
pub struct Heard {
    reader: HeadReader,
    source: SourceId,
    /// Where it begins in its source.
    offset: u64,
    /// Places in the head where a CR was put before a bare LF of a text file.
    added: Vec<usize>,
    /// The first bytes of the body.
    pub body: Vec<u8>,
    /// When its last byte was captured.
    pub time: Option<Time>,
    /// Numbers of the first and last packet that carried it.
    pub packets: Option<(u64, u64)>,
    /// What a decoder has found already.
    pub findings: Option<Vec<Finding>>,
}

/// How far a head is that comes in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Its end has not come.
    More,
    /// It is whole.
    Whole,
    /// It is larger than is kept.
    TooLarge,
}

impl Heard {
    /// Nothing of a head yet, whose first byte will stand at `offset` of `source`.
    pub fn new(source: SourceId, offset: u64) -> Self {
        Self {
            reader: HeadReader::new(),
            source,
            offset,
            added: Vec::new(),
            body: Vec::new(),
            time: None,
            packets: None,
            findings: None,
        }
    }

    /// A head that is there.
    pub fn of(bytes: &[u8], source: SourceId, offset: u64) -> Self {
        let mut heard = Self::new(source, offset);
        heard.push(bytes);
        heard
    }

    /// The same head with CR LF for each LF. It stands at `offset` of a text that knows no CR.
    pub(super) fn of_text(text: &[u8], source: SourceId, offset: u64) -> Self {
        let mut heard = Self::new(source, offset);
        let mut at = 0;
        for line in text.split_inclusive(|&b| b == b'\n') {
            let body = line.strip_suffix(b"\n").unwrap_or(line);
            heard.push(body);
            at += body.len();
            if body.len() < line.len() {
                heard.added.push(at);
                heard.push(b"\r\n");
                at += 2;
            }
        }
        heard
    }

    /// Takes the next bytes, up to the head's end, and says how many.
    pub fn push(&mut self, bytes: &[u8]) -> usize {
        self.reader.push(bytes).consumed
    }

    /// How far it is.
    pub fn progress(&self) -> Progress {
        match self.reader.state() {
            HeadState::Reading => Progress::More,
            HeadState::Complete => Progress::Whole,
            HeadState::Overflowing => Progress::TooLarge,
        }
    }

    /// The head taken apart.
    pub fn head(&self) -> Head<'_> {
        self.reader.parse(self.source, self.offset)
    }

    /// The body that follows it. `method` is that of the request which a response answers, where known.
    pub fn body_behind(&self, method: Option<&str>) -> Body {
        let head = self.head();
        if head.is_response() { Body::for_response(&head, method) } else { Body::for_request(&head) }
    }

    /// Whether it is a response that answers nothing yet (RFC 9110 §15.2); 101 is final.
    pub fn is_interim(&self) -> bool {
        self.head().status().is_some_and(|status| (100..200).contains(&status) && status != 101)
    }

    /// The bytes, as far as they are kept.
    pub fn bytes(&self) -> &[u8] {
        self.reader.bytes()
    }

    /// Length in bytes, kept or not, as it was recorded.
    pub fn length(&self) -> u64 {
        self.reader.total() - self.added.len() as u64
    }

    /// Where a bit of this head's source stands in the original text.
    pub(super) fn original(&self, bit: u64) -> u64 {
        let Some(byte) = (bit / 8).checked_sub(self.offset) else { return bit };
        let before = self.added.partition_point(|&added| (added as u64) < byte);
        bit - before as u64 * 8
    }
}

/// Whether bytes begin as a response does; `None` while that is open.
pub fn begins_response(bytes: &[u8]) -> Option<bool> {
    match sniff(bytes) {
        Sniff::Response => Some(true),
        Sniff::Request | Sniff::Neither => Some(false),
        Sniff::NeedMore => None,
    }
}

/// Whether bytes begin as no HTTP does.
pub fn is_no_http(bytes: &[u8]) -> bool {
    sniff(bytes) == Sniff::Neither
}

/// Whether bytes begin as a head does, of either kind.
pub fn begins_head(bytes: &[u8]) -> bool {
    matches!(sniff(bytes), Sniff::Request | Sniff::Response)
}
