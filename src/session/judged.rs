//! A head that was judged, kept until it is shown.

use crate::http::head::{Head, HeaderLine};
use crate::model::{Diagnosis, Dir, Field, Finding, Header, Piece, SourceId, Text, Time, Verdict, Wants};

/// A head with the verdict on it.
pub(super) struct Judged {
    /// It is Engine.IO's, and asks for no WebSocket.
    pub polls: bool,
    pub dir: Dir,
    /// The stream of HTTP/2 that it came on, and what has the compressed bytes.
    pub stream: Option<(u32, SourceId)>,
    pub offset: u64,
    /// Bytes of the head on the wire.
    pub length: u64,
    /// The head itself, for those who look at fields.
    pub bytes: Vec<u8>,
    pub start_line: String,
    /// Its empty line was seen.
    pub complete: bool,
    pub headers: Vec<Header<'static>>,
    pub fields: Vec<Field>,
    pub findings: Vec<Finding>,
    pub diagnoses: Vec<Diagnosis>,
    pub pieces: Vec<Piece>,
    pub time: Option<Time>,
    /// The last packet of its body.
    pub last_packet: Option<u64>,
    /// Its body streams: it is shown without.
    pub streams: bool,
}

impl Judged {
    /// A whole head without its header fields and without a verdict, which came in these pieces and was
    /// complete at `time`.
    pub fn new(dir: Dir, head: &Head<'_>, wants: Wants, pieces: Vec<Piece>, time: Option<Time>) -> Self {
        Self {
            polls: false,
            dir,
            stream: None,
            offset: head.offset,
            length: head.bytes.len() as u64,
            bytes: if wants.fields { head.bytes.to_vec() } else { Vec::new() },
            start_line: head.start_line().into_owned(),
            complete: true,
            headers: Vec::new(),
            fields: Vec::new(),
            findings: Vec::new(),
            diagnoses: Vec::new(),
            pieces,
            time,
            last_packet: None,
            streams: false,
        }
    }

    /// The same of a head that is no handshake's: its header fields mean nothing to WebSocket.
    pub fn plain(dir: Dir, head: &Head<'_>, wants: Wants, pieces: Vec<Piece>, time: Option<Time>) -> Self {
        Self { headers: plain_headers(head), ..Self::new(dir, head, wants, pieces, time) }
    }
}

/// The header fields of a head that is no handshake's.
pub(super) fn plain_headers(head: &Head<'_>) -> Vec<Header<'static>> {
    let plain = |header: &HeaderLine<'_>| Header {
        name: header.name.text().into_owned().into(),
        value: header.value.text().into_owned().into(),
        verdict: Verdict::Irrelevant,
        meaning: Text::default(),
        name_at: head.span_of(header.name),
        value_at: head.span_of(header.value),
    };
    head.headers.iter().map(plain).collect()
}
