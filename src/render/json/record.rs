//! The other records, and what records are made of.

use std::io::Write;

use super::Stream;
use super::headers::LastHeaders;
use super::last::LastSite;
use super::line::Line;
use super::value::{Base64, List, Sides, ToJson, Word, members, object, open, with};
use super::write::Writer;
use crate::coding::Codings;
use crate::limits;
use crate::model::{
    Body, CloseBody, Connection, Counts, Deflate, Diagnosis, Dir, Ending, Field, Finding, Gap, Handshake,
    HttpHead, Layer, More, Opening, Roles, Rule, Secured, Time, Unit,
};

/// Room that an [`origin`] takes, and the longest number behind it.
pub(super) const ORIGIN: usize = 128;

/// Who sent something, when, and in which packets: the first and the last.
pub(super) type Whence = (Option<Dir>, Option<Time>, Option<(u64, u64)>);

/// `dir`, `time` and `packets`.
#[inline]
pub(super) fn origin<W: Write>(unit: &Unit<'_>, w: &mut Writer<W>) {
    w.line(|line| origin_of((unit.dir, unit.time, unit.packets), line));
}

/// The same in a part of a record.
#[inline(always)]
#[allow(clippy::inline_always, reason = "only inlined does a line stay in registers")]
pub(super) fn origin_of((dir, time, packets): Whence, line: &mut Line<'_>) {
    match dir {
        Some(Dir::Client) => line.raw(br#","dir":"client","time":"#),
        Some(Dir::Server) => line.raw(br#","dir":"server","time":"#),
        None => line.raw(br#","dir":null,"time":"#),
    }
    match time {
        Some(time) => line.seconds(time.0),
        None => line.raw(b"null"),
    }
    line.raw(br#","packets":"#);
    match packets {
        Some(packets) => line.pair(packets),
        None => line.raw(b"null"),
    }
}

/// `findings`: the ids.
#[inline(always)]
#[allow(clippy::inline_always, reason = "mostly there are none to write")]
pub(super) fn finding_ids<W: Write>(unit: &Unit<'_>, w: &mut Writer<W>) {
    if unit.findings.is_empty() && unit.counted.is_empty() {
        w.raw(r#","findings":[]"#);
    } else {
        members!(w, "findings": List(unit.rules()));
    }
}

/// The first `limit` bytes.
pub(super) fn cut(payload: &[u8], limit: u64) -> &[u8] {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    &payload[..payload.len().min(limit)]
}

/// `bytes` as text, if they are valid UTF-8. Where they were shortened for
/// showing, a character that was cut in two is left out.
pub(super) fn as_text(bytes: &[u8], shortened: bool) -> Option<&str> {
    if let Ok(text) = simdutf8::basic::from_utf8(bytes) {
        return Some(text);
    }
    if !shortened {
        return None;
    }
    let valid = match str::from_utf8(bytes) {
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        _ => return None,
    };
    str::from_utf8(&bytes[..valid]).ok()
}

/// Some bytes as an object of `text` or `base64`.
pub(super) struct Content<'a> {
    pub bytes: &'a [u8],
    /// There are more of them.
    pub shortened: bool,
    /// They are no text, even where they happen to look like it.
    pub binary: bool,
}

impl<W: Write> ToJson<W> for Content<'_> {
    fn put(self, w: &mut Writer<W>) {
        let text = if self.binary { None } else { as_text(self.bytes, self.shortened) };
        if let Some(text) = text {
            object!(w, "text": text);
        } else {
            object!(w, "base64": Base64(self.bytes));
        }
    }
}

/// `code`, `code_name` and `reason`.
pub(super) fn close_body<W: Write>(close: &CloseBody<'_>, w: &mut Writer<W>) {
    members!(
        w,
        "code": close.code.map(|code| code.0),
        "code_name": close.code.map(|code| Word(code.name())),
        "reason": str::from_utf8(close.reason).ok(),
    );
}

pub(super) fn connection<W: Write>(
    unit: &Unit<'_>,
    connection: &Connection,
    last: &mut LastSite,
    w: &mut Writer<W>,
) {
    open!(w, "type": "connection", "conn": unit.conn, "final": connection.ending.is_some());
    members!(
        w,
        "time": unit.time,
        "packets": unit.packets,
        "client": connection.client,
        "server": connection.server,
    );
    if connection.layer == (Layer::Told { secure: true }) {
        members!(w, "secure": true);
    }
    if let Some(parent) = connection.parent {
        members!(w, "parent": u64::from(parent.get()));
    }
    // What is said of most is said at once.
    match (connection.roles, connection.handshake) {
        (Roles::Handshake, Handshake::Full) => w.raw(r#","roles":"handshake","handshake":"full""#),
        (roles, handshake) => {
            members!(w, "roles": roles, "handshake": handshake);
        }
    }
    last.put(connection.host.as_deref(), connection.target.as_deref(), w);
    match connection.status {
        Some(101) => w.raw(r#","status":101"#),
        status => {
            members!(w, "status": status);
        }
    }
    let (subprotocol, extensions) = (connection.subprotocol.as_deref(), connection.extensions.as_deref());
    if (subprotocol, extensions, connection.deflate, &connection.secured) == (None, None, None, &None) {
        w.raw(r#","subprotocol":null,"extensions":null,"permessage_deflate":null,"encryption":null"#);
    } else {
        members!(
            w,
            "subprotocol": subprotocol,
            "extensions": extensions,
            "permessage_deflate": connection.deflate,
            "encryption": connection.secured.as_deref(),
        );
    }
    match connection.http_version.as_deref() {
        Some("1.1") => w.raw(r#","http_version":"1.1""#),
        version => {
            members!(w, "http_version": version);
        }
    }
    if let Some(it) = &connection.ending {
        ending(it, w);
    }
    if !connection.more.is_empty() {
        members!(w, "more_findings": List(&connection.more));
    }
    if !connection.unanswered.is_empty() {
        members!(w, "unanswered": List(&connection.unanswered));
    }
    finding_ids(unit, w);
}

/// How many findings of a rule have no record.
impl<W: Write> ToJson<W> for &More {
    fn put(self, w: &mut Writer<W>) {
        object!(w, "rule": self.rule, "severity": self.rule.severity, "who": self.blame, "count": self.count);
    }
}

impl<W: Write> ToJson<W> for Deflate {
    fn put(self, w: &mut Writer<W>) {
        object!(
            w,
            "server_no_context_takeover": self.server_no_context_takeover,
            "client_no_context_takeover": self.client_no_context_takeover,
            "server_max_window_bits": self.server_max_window_bits,
            "client_max_window_bits": self.client_max_window_bits,
        );
    }
}

/// The TLS around a connection.
impl<W: Write> ToJson<W> for &Secured {
    fn put(self, w: &mut Writer<W>) {
        open!(
            w,
            "version": self.version,
            "suite": self.suite.as_deref(),
            "sni": self.server_name.as_deref(),
            "alpn": self.alpn.as_deref(),
            "secrets": self.secrets as u64,
        );
        if self.is_inferred {
            members!(w, "inferred": List(["version", "suite"]));
        }
        w.raw("}");
    }
}

fn ending<W: Write>(ending: &Ending, w: &mut Writer<W>) {
    let of = |count: fn(&Counts) -> u64| Sides(ending.counts.each_ref().map(count));
    members!(
        w,
        "end": ending.how,
        "close_code": ending.close_code.map(|code| code.0),
        "frames": of(|counts| counts.frames),
        "messages": of(|counts| counts.messages),
        "bytes": of(|counts| counts.bytes),
        "payload_bytes": of(|counts| counts.payload_bytes),
    );
    if let Some(tcp) = &ending.transport {
        members!(w, "tcp": &**tcp);
    }
}

pub(super) fn http<W: Write>(
    unit: &Unit<'_>,
    head: &HttpHead<'_>,
    last: &mut LastHeaders,
    w: &mut Writer<W>,
) {
    open!(w, "type": "http", "conn": unit.conn);
    origin(unit, w);
    members!(w, "offset": head.offset);
    if let Some(stream) = head.stream {
        members!(w, "stream": u64::from(stream));
    }
    members!(w, "start_line": head.start_line);
    if !head.complete {
        members!(w, "complete": false);
    }
    let body = Content { bytes: head.body, shortened: true, binary: false };
    let codings = Codings::of_head(head);
    let headers = with(|w: &mut Writer<W>| last.put(unit.dir, head.headers, w));
    members!(w, "headers": headers, "body_preview": (!head.body.is_empty()).then_some(body));
    if !(codings.is_none() || head.body.is_empty()) {
        let plain = codings.plain(head.body, limits::HTTP_BODY_PREVIEW);
        let decoded = Content { bytes: &plain.bytes, shortened: true, binary: false };
        // What cannot be decoded is not there.
        members!(w, "body_decoded": (!plain.bytes.is_empty()).then_some(decoded));
    }
    finding_ids(unit, w);
    if !head.diagnoses.is_empty() {
        members!(w, "diagnoses": List(head.diagnoses));
    }
}

/// What may be behind something that went wrong.
impl<W: Write> ToJson<W> for &Diagnosis {
    fn put(self, w: &mut Writer<W>) {
        object!(w, "id": self.id, "what": &self.what, "fix": &self.fix);
    }
}

pub(super) fn opening<W: Write>(unit: &Unit<'_>, opening: &Opening<'_>, w: &mut Writer<W>) {
    open!(w, "type": "opening", "conn": unit.conn);
    origin(unit, w);
    members!(w, "offset": opening.offset, "protocol": opening.protocol, "about": opening.about);
    if opening.layer.is_some() {
        members!(w, "length": opening.length, "fields": List(unit.fields));
    }
    if opening.client.is_some() || opening.server.is_some() {
        members!(w, "client": opening.client, "server": opening.server);
    }
    let shown = cut(opening.bytes, limits::OPENING as u64);
    let shortened = (shown.len() as u64) < opening.length;
    let bytes = Content { bytes: shown, shortened, binary: opening.layer.is_some() };
    members!(w, "payload": bytes);
    finding_ids(unit, w);
}

/// A field of what a layer below says.
impl<W: Write> ToJson<W> for &Field {
    fn put(self, w: &mut Writer<W>) {
        open!(w, "id": self.def.id, "value": &self.value);
        if !self.meaning.is_empty() {
            members!(w, "meaning": &self.meaning);
        }
        if self.depth > 0 {
            members!(w, "depth": self.depth);
        }
        members!(w, "span": &self.span);
        w.raw("}");
    }
}

pub(super) fn gap<W: Write>(unit: &Unit<'_>, gap: &Gap, w: &mut Writer<W>) {
    open!(w, "type": "gap", "conn": unit.conn);
    origin(unit, w);
    members!(w, "offset": gap.offset, "length": gap.length, "between": gap.between, "effect": gap.effect);
    finding_ids(unit, w);
}

/// Writes a record for each finding of a unit.
pub(super) fn findings<W: Write>(unit: &Unit<'_>, to: &mut Stream<W>) {
    for it in unit.findings {
        to.record(|w| finding(unit, it, w));
    }
}

fn finding<W: Write>(unit: &Unit<'_>, finding: &Finding, w: &mut Writer<W>) {
    open!(w, "type": "finding", "rule": finding.rule);
    blame(finding.rule, finding.blame, w);
    members!(w, "conn": (unit.conn > 0).then_some(unit.conn));
    match unit.body {
        Body::Frame(frame) => {
            members!(w, "n": frame.n);
        }
        Body::Message(message) => {
            members!(w, "m": message.m);
        }
        Body::Session(session) => {
            members!(w, "session": session.number);
        }
        _ => {}
    }
    finding_words(finding, w);
    members!(w, "time": unit.time, "packets": unit.packets);
    if let Some(cause) = &finding.cause {
        members!(w, "cause": &**cause);
    }
}

/// `severity` to `who`: how bad it is to break a rule, where that is written, and who did.
pub(super) fn blame<W: Write>(rule: &Rule, by: Option<Dir>, w: &mut Writer<W>) {
    members!(w, "severity": rule.severity, "section": rule.cite, "who": by);
}

/// `title` to `spans`: what a finding says and where.
pub(super) fn finding_words<W: Write>(finding: &Finding, w: &mut Writer<W>) {
    members!(
        w,
        "title": finding.rule.title,
        "expected": &finding.expected,
        "got": &finding.got,
        "consequence": finding.rule.consequence,
        "spans": List(&finding.spans),
    );
}
