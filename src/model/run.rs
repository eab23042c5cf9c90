//! What a run begins and ends with: what its input is, and the totals.

use super::counts::FindingCounts;
use super::other::Other;
use super::text::Text;
use super::time::Time;
use super::told::Account;

/// What the input is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Its name: a path, `-`, or `argument`.
    pub input: String,
    /// Its format: `pcap`, `pcapng`, `hex`, `raw`; of something compressed, what is inside.
    pub format: String,
    /// Names of the link types seen before the first packet.
    pub link_types: Vec<String>,
    /// When the first packet was captured, from which relative times count; `None` where there are none.
    pub start: Option<Time>,
    /// The files of an input that has several, in the order in which they are decoded; empty where
    /// there is only one. Name, format and link types are those of all of them then, and `start` is
    /// the earliest of those that are known before decoding.
    pub files: Vec<InputFile>,
    /// The files are parts of one capture: connections go on from one to the next, and
    /// packets are numbered through.
    pub concat: bool,
    /// Who tells of the connections, where the input has no bytes of them.
    pub account: Option<Account>,
}

/// One of several files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InputFile {
    /// From 1, in the order in which they are decoded.
    pub number: usize,
    /// A path, `-`, or the hex given as an argument.
    pub name: String,
    /// As in [`Meta`]; `None` where it is known only once the file is read.
    pub format: Option<String>,
    /// As in [`Meta`].
    pub link_types: Vec<String>,
    /// When its first packet was captured, as far as that is known.
    pub start: Option<Time>,
    /// As in [`Meta`].
    pub account: Option<Account>,
}

/// Totals.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Packets read.
    pub packets: u64,
    /// Bytes of input read.
    pub bytes: u64,
    /// Connections.
    pub connections: u64,
    /// Of these, those that are streams of HTTP/2, and those of HTTP/2 that carry them.
    pub over_http2: [u64; 2],
    /// Frames.
    pub frames: u64,
    /// Messages.
    pub messages: u64,
    /// Connections of other protocols, at most [`crate::limits::OTHERS_LISTED`] kinds of them.
    pub others: Vec<Other>,
    /// How often each rule was broken.
    pub findings: FindingCounts,
    /// Why the input ended badly; `None` when it was read to its end.
    pub error: Option<Text>,
    /// What each of several files came to; empty where there is only one.
    pub files: Vec<FileTotals>,
}

impl Summary {
    /// The same with findings of a layer above, which has counted them itself.
    #[must_use]
    pub fn with_findings(&self, more: &FindingCounts) -> Self {
        let mut all = self.clone();
        all.findings.add_all(more);
        all.findings.sort();
        all
    }
}

/// What one of several files came to: what was completed while it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileTotals {
    /// A path, `-`, or the hex given as an argument.
    pub name: String,
    /// Packets read.
    pub packets: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Connections.
    pub connections: u64,
    /// Frames.
    pub frames: u64,
    /// Messages.
    pub messages: u64,
    /// Why it could not be opened, or ended badly.
    pub error: Option<Text>,
}
