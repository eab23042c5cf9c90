//! The other records, and what records are made of.

use std::io::Write;

use super::write::Writer;
use super::{SCHEMA, TOOL};
use crate::model::{
    Body, CloseBody, Connection, Counts, Deflate, Dir, EndKind, Ending, Finding, Gap, GapEffect, Handshake,
    HttpHead, Meta, Roles, Rule, Severity, Summary, Unit, Verdict,
};

<<<<<<< HEAD
/// What is remembered from record to record.
#[derive(Debug)]
pub(super) struct Records {
    /// How many bytes of a payload are shown.
    pub payload: u64,
    /// The keys that a frame's first byte decides, for each of its values.
    first_bytes: Vec<String>,
    /// The frame whose payload was written last as text.
    last_text: Option<LastText>,
}

/// An unfragmented message repeats its frame's payload, and comes right after it.
#[derive(Debug)]
struct LastText {
    conn: u32,
    n: u64,
    length: usize,
    mark: Mark,
}

impl Records {
    pub fn new(payload: u64) -> Self {
        Self { payload, first_bytes: (0..=255).map(first_byte).collect(), last_text: None }
    }

    /// Writes a unit's own record, if its kind has one.
    pub fn unit<W: Write>(&mut self, unit: &Unit<'_>, to: &mut Stream<W>) {
        match unit.body {
            Body::Frame(it) => to.record(|w| self.frame(unit, it, w)),
            Body::Message(it) => to.record(|w| self.message(unit, it, w)),
            Body::Meta(it) => to.record(|w| meta(it, w)),
            Body::Connection(it) => to.record(|w| connection(unit, it, w)),
            Body::Http(it) => to.record(|w| http(unit, it, w)),
            Body::Gap(it) => to.record(|w| gap(unit, it, w)),
            Body::Summary(it) => to.record(|w| summary(it, w)),
            Body::Note => {}
        }
    }

    /// Writes a record for each finding of a unit.
    pub fn findings<W: Write>(&self, unit: &Unit<'_>, to: &mut Stream<W>) {
        for it in unit.findings {
            to.record(|w| finding(unit, it, w));
        }
    }

    fn frame<W: Write>(&mut self, unit: &Unit<'_>, frame: &Frame<'_>, w: &mut Writer<W>) {
        let header = &frame.header;
        w.raw(r#"{"type":"frame","conn":"#);
        w.number(unit.conn.into());
        w.raw(r#","n":"#);
        w.number(frame.n);
        origin(unit, w);
        w.raw(r#","offset":"#);
        w.number(frame.offset);
        w.raw(&self.first_bytes[usize::from(first_byte_of(frame))]);
        match header.masking_key {
            Some(key) => {
                w.raw(r#","masked":true,"masking_key":"#);
                w.key(key);
            }
            None => w.raw(r#","masked":false,"masking_key":null"#),
        }
        match header.length_form {
            LengthForm::Bits7 => w.raw(r#","length_form":7,"length":"#),
            LengthForm::Bits16 => w.raw(r#","length_form":16,"length":"#),
            LengthForm::Bits64 => w.raw(r#","length_form":64,"length":"#),
        }
        w.number(header.length);
        w.raw(r#","header_length":"#);
        w.number(header.header_length().into());
        w.raw(r#","captured":"#);
        w.number(frame.captured);
        if !frame.truncated && frame.missing == 0 && !frame.inferred {
            w.raw(r#","truncated":false,"missing":0,"inferred":false"#);
        } else {
            w.raw(r#","truncated":"#);
            w.bool(frame.truncated);
            w.raw(r#","missing":"#);
            w.number(frame.missing);
            w.raw(r#","inferred":"#);
            w.bool(frame.inferred);
        }
        w.raw(r#","payload":{"#);
        let shown = cut(frame.payload, self.payload);
        let shortened = (shown.len() as u64) < frame.captured;
        // A compressed payload is no text, even where its bytes happen to be.
        let textual = frame.of == Opcode::TEXT && !header.rsv1;
        match textual.then(|| as_text(shown, shortened)).flatten() {
            Some(text) => {
                w.raw(r#""text":"#);
                let mark = w.string_marked(text);
                self.last_text = Some(LastText { conn: unit.conn, n: frame.n, length: text.len(), mark });
            }
            None => {
                w.raw(r#""base64":"#);
                w.base64(shown);
            }
        }
        if shortened {
            w.raw(r#","truncated":true"#);
        }
        w.raw("}");
        finding_ids(unit.findings, w);
    }

    fn message<W: Write>(&mut self, unit: &Unit<'_>, message: &Message<'_>, w: &mut Writer<W>) {
        w.raw(r#"{"type":"message","conn":"#);
        w.number(unit.conn.into());
        w.raw(r#","m":"#);
        w.number(message.m);
        origin(unit, w);
        match message.kind {
            Opcode::TEXT => w.raw(r#","kind":"text","frames":"#),
            Opcode::BINARY => w.raw(r#","kind":"binary","frames":"#),
            kind => {
                w.raw(r#","kind":""#);
                w.raw(kind.name());
                w.raw(r#"","frames":"#);
            }
        }
        list(message.frames, w, |w, n| w.number(*n));
        w.raw(r#","frame_count":"#);
        w.number(message.frame_count);
        w.raw(r#","length":"#);
        w.number(message.length);
        if message.compressed {
            w.raw(r#","compressed":true,"inflated_length":"#);
            w.optional(message.inflated_length);
        } else {
            w.raw(r#","compressed":false,"inflated_length":null"#);
        }
        if message.complete {
            w.raw(r#","complete":true"#)
        } else {
            w.raw(r#","complete":false"#)
        }
        if let Some(close) = &message.close {
            close_body(close, w);
        }
        let shown = cut(message.payload, self.payload);
        let shortened = message.payload_cut || shown.len() < message.payload.len();
        let readable = !message.compressed || message.inflated_length.is_some();
        let textual = message.kind == Opcode::TEXT && readable && !matches!(message.utf8, Utf8::Invalid(_));
        match self.last_text.take() {
            Some(last) if textual && last.is_content_of(unit.conn, message, shown) => {
                w.raw(r#","text":"#);
                if !w.again(last.mark) {
                    w.string(as_text(shown, shortened).unwrap_or_default());
                }
            }
            _ => match textual.then(|| as_text(shown, shortened)).flatten() {
                Some(text) => {
                    w.raw(r#","text":"#);
                    w.string(text);
                }
                None => {
                    w.raw(r#","base64":"#);
                    w.base64(shown);
                }
            },
        }
        if shortened {
            w.raw(r#","payload_truncated":true"#);
        }
        w.raw(r#","app":null"#);
        finding_ids(unit.findings, w);
    }
}

impl LastText {
    /// Whether the frame's payload is the whole content of `message`.
    fn is_content_of(&self, conn: u32, message: &Message<'_>, shown: &[u8]) -> bool {
        self.conn == conn
            && message.frames == [self.n]
            && message.frame_count == 1
            && !message.compressed
            && self.length == shown.len()
    }
}

/// The keys from `fin` to `opcode_name`.
fn first_byte(byte: u8) -> String {
    let opcode = Opcode(byte & 0xF);
    format!(
        r#","fin":{},"rsv1":{},"rsv2":{},"rsv3":{},"opcode":{},"opcode_name":"{}""#,
        byte & 0x80 != 0,
        byte & 0x40 != 0,
        byte & 0x20 != 0,
        byte & 0x10 != 0,
        opcode.0,
        opcode.name()
    )
}

fn first_byte_of(frame: &Frame<'_>) -> u8 {
    let header = &frame.header;
    u8::from(header.fin) << 7
        | u8::from(header.rsv1) << 6
        | u8::from(header.rsv2) << 5
        | u8::from(header.rsv3) << 4
        | (header.opcode.0 & 0xF)
}

=======
>>>>>>> json
/// `dir`, `time` and `packets`.
#[inline]
pub(super) fn origin<W: Write>(unit: &Unit<'_>, w: &mut Writer<W>) {
    match unit.dir {
        Some(Dir::Client) => w.raw(r#","dir":"client""#),
        Some(Dir::Server) => w.raw(r#","dir":"server""#),
        None => w.raw(r#","dir":null"#),
    }
    when(unit, w);
}

/// `time` and `packets`.
#[inline]
fn when<W: Write>(unit: &Unit<'_>, w: &mut Writer<W>) {
    w.raw(r#","time":"#);
    match unit.time {
        Some(time) => w.seconds(time.0),
        None => w.raw("null"),
    }
    w.raw(r#","packets":"#);
    packets(unit.packets, w);
}

#[inline]
fn packets<W: Write>(packets: Option<(u64, u64)>, w: &mut Writer<W>) {
    match packets {
        Some((first, last)) => {
            w.raw("[");
            w.number(first);
            w.raw(",");
            w.number(last);
            w.raw("]");
        }
        None => w.raw("null"),
    }
}

/// `findings`: the ids.
#[inline]
pub(super) fn finding_ids<W: Write>(findings: &[Finding], w: &mut Writer<W>) {
    if findings.is_empty() {
        w.raw(r#","findings":[]"#);
    } else {
        w.raw(r#","findings":"#);
        list(findings, w, |w, finding| w.string(finding.rule.id));
    }
}

#[inline]
pub(super) fn list<T, W: Write>(items: &[T], w: &mut Writer<W>, mut item: impl FnMut(&mut Writer<W>, &T)) {
    w.raw("[");
    for (i, it) in items.iter().enumerate() {
        if i > 0 {
            w.raw(",");
        }
        item(w, it);
    }
    w.raw("]");
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
fn bytes<W: Write>(bytes: &[u8], shortened: bool, w: &mut Writer<W>) {
    match as_text(bytes, shortened) {
        Some(text) => {
            w.raw(r#"{"text":"#);
            w.string(text);
        }
        None => {
            w.raw(r#"{"base64":"#);
            w.base64(bytes);
        }
    }
    w.raw("}");
}

/// `code`, `code_name` and `reason`.
pub(super) fn close_body<W: Write>(close: &CloseBody<'_>, w: &mut Writer<W>) {
    w.raw(r#","code":"#);
    w.optional(close.code.map(|code| code.0.into()));
    w.raw(r#","code_name":"#);
    w.optional_string(close.code.map(|code| code.name()));
    w.raw(r#","reason":"#);
    w.optional_string(str::from_utf8(close.reason).ok());
}

/// The record `meta`.
pub(crate) fn meta<W: Write>(meta: &Meta, w: &mut Writer<W>) {
    w.raw(r#"{"type":"meta","schema":"#);
    w.string(SCHEMA);
    w.raw(r#","tool":"#);
    w.string(TOOL);
    w.raw(r#","input":"#);
    w.string(&meta.input);
    w.raw(r#","format":"#);
    w.string(&meta.format);
    w.raw(r#","link_types":"#);
    list(&meta.link_types, w, |w, name| w.string(name));
}

pub(super) fn connection<W: Write>(unit: &Unit<'_>, connection: &Connection, w: &mut Writer<W>) {
    w.raw(r#"{"type":"connection","conn":"#);
    w.number(unit.conn.into());
    w.raw(r#","final":"#);
    w.bool(connection.ending.is_some());
    when(unit, w);
    for (key, endpoint) in [(r#","client":"#, connection.client), (r#","server":"#, connection.server)] {
        w.raw(key);
        w.optional_display(endpoint);
    }
    w.raw(r#","roles":"#);
    w.string(match connection.roles {
        Roles::Handshake => "handshake",
        Roles::Masking => "masking",
        Roles::Ports => "ports",
        Roles::Assumed => "assumed",
    });
    w.raw(r#","handshake":"#);
    w.string(match connection.handshake {
        Handshake::Full => "full",
        Handshake::RequestOnly => "request-only",
        Handshake::ResponseOnly => "response-only",
        Handshake::Missing => "missing",
        Handshake::Refused => "refused",
    });
    w.raw(r#","target":"#);
    w.optional_string(connection.target.as_deref());
    w.raw(r#","status":"#);
    w.optional(connection.status.map(u64::from));
    w.raw(r#","subprotocol":"#);
    w.optional_string(connection.subprotocol.as_deref());
    w.raw(r#","extensions":"#);
    w.optional_string(connection.extensions.as_deref());
    w.raw(r#","permessage_deflate":"#);
    match &connection.deflate {
        Some(parameters) => deflate(parameters, w),
        None => w.raw("null"),
    }
    w.raw(r#","encryption":null,"http_version":"#);
    w.optional_string(connection.http_version.as_deref());
    if let Some(it) = &connection.ending {
        ending(it, w);
    }
    finding_ids(unit.findings, w);
}

fn deflate<W: Write>(parameters: &Deflate, w: &mut Writer<W>) {
    w.raw(r#"{"server_no_context_takeover":"#);
    w.bool(parameters.server_no_context_takeover);
    w.raw(r#","client_no_context_takeover":"#);
    w.bool(parameters.client_no_context_takeover);
    w.raw(r#","server_max_window_bits":"#);
    w.number(parameters.server_max_window_bits.into());
    w.raw(r#","client_max_window_bits":"#);
    w.number(parameters.client_max_window_bits.into());
    w.raw("}");
}

fn ending<W: Write>(ending: &Ending, w: &mut Writer<W>) {
    w.raw(r#","end":"#);
    w.string(end_name(ending.how));
    w.raw(r#","close_code":"#);
    w.optional(ending.close_code.map(|code| code.0.into()));
    let [client, server] = &ending.counts;
    let mut pair = |key: &str, count: fn(&Counts) -> u64| {
        w.raw(key);
        w.raw(r#"{"client":"#);
        w.number(count(client));
        w.raw(r#","server":"#);
        w.number(count(server));
        w.raw("}");
    };
    pair(r#","frames":"#, |counts| counts.frames);
    pair(r#","messages":"#, |counts| counts.messages);
    pair(r#","bytes":"#, |counts| counts.bytes);
    pair(r#","payload_bytes":"#, |counts| counts.payload_bytes);
}

/// What ended a connection, as records name it.
pub(crate) fn end_name(how: EndKind) -> &'static str {
    match how {
        EndKind::CloseHandshake => "close-handshake",
        EndKind::Fin => "fin",
        EndKind::Rst => "rst",
        EndKind::CaptureEnd => "capture-end",
    }
}

pub(super) fn http<W: Write>(unit: &Unit<'_>, head: &HttpHead<'_>, w: &mut Writer<W>) {
    w.raw(r#"{"type":"http","conn":"#);
    w.number(unit.conn.into());
    origin(unit, w);
    w.raw(r#","offset":"#);
    w.number(head.offset);
    w.raw(r#","start_line":"#);
    w.string(head.start_line);
    w.raw(r#","headers":"#);
    list(head.headers, w, |w, header| {
        w.raw("[");
        w.string(&header.name);
        w.raw(",");
        w.string(&header.value);
        w.raw(match header.verdict {
            Verdict::Ok => r#","ok"]"#,
            Verdict::Warning => r#","warning"]"#,
            Verdict::Broken => r#","broken"]"#,
            Verdict::Irrelevant => r#","irrelevant"]"#,
        });
    });
    w.raw(r#","body_preview":"#);
    if head.body.is_empty() {
        w.raw("null");
    } else {
        bytes(head.body, true, w);
    }
    finding_ids(unit.findings, w);
}

pub(super) fn gap<W: Write>(unit: &Unit<'_>, gap: &Gap, w: &mut Writer<W>) {
    w.raw(r#"{"type":"gap","conn":"#);
    w.number(unit.conn.into());
    origin(unit, w);
    w.raw(r#","offset":"#);
    w.number(gap.offset);
    w.raw(r#","length":"#);
    w.number(gap.length);
    w.raw(r#","between":["#);
    w.optional(gap.between.0);
    w.raw(",");
    w.optional(gap.between.1);
    w.raw(r#"],"effect":"#);
    w.string(match gap.effect {
        GapEffect::SkippedInPayload => "skipped-in-payload",
        GapEffect::Resynchronised => "resynchronised",
        GapEffect::Desynchronised => "desynchronised",
    });
    finding_ids(unit.findings, w);
}

pub(super) fn finding<W: Write>(unit: &Unit<'_>, finding: &Finding, w: &mut Writer<W>) {
    let rule = finding.rule;
    w.raw(r#"{"type":"finding","rule":"#);
    w.string(rule.id);
    w.raw(r#","severity":"#);
    w.display(rule.severity);
    w.raw(r#","section":"#);
    w.display(rule.cite);
    w.raw(r#","who":"#);
    w.raw(match finding.blame {
        Some(Dir::Client) => r#""client""#,
        Some(Dir::Server) => r#""server""#,
        None => "null",
    });
    w.raw(r#","conn":"#);
    w.optional((unit.conn > 0).then_some(unit.conn.into()));
    match unit.body {
        Body::Frame(frame) => {
            w.raw(r#","n":"#);
            w.number(frame.n);
        }
        Body::Message(message) => {
            w.raw(r#","m":"#);
            w.number(message.m);
        }
        _ => {}
    }
    w.raw(r#","title":"#);
    w.string(rule.title);
    w.raw(r#","expected":"#);
    w.display(&finding.expected);
    w.raw(r#","got":"#);
    w.display(&finding.got);
    w.raw(r#","consequence":"#);
    w.string(rule.consequence);
    w.raw(r#","spans":"#);
    list(&finding.spans, w, |w, span| {
        w.raw("[");
        w.display(span.source);
        w.raw(",");
        w.number(span.start);
        w.raw(",");
        w.number(span.end);
        w.raw("]");
    });
    w.raw(r#","time":"#);
    match unit.time {
        Some(time) => w.seconds(time.0),
        None => w.raw("null"),
    }
    w.raw(r#","packets":"#);
    packets(unit.packets, w);
}

/// The record `summary`.
pub(crate) fn summary<W: Write>(summary: &Summary, w: &mut Writer<W>) {
    w.raw(r#"{"type":"summary""#);
    for (key, total) in [
        (r#","packets":"#, summary.packets),
        (r#","bytes":"#, summary.bytes),
        (r#","connections":"#, summary.connections),
        (r#","frames":"#, summary.frames),
        (r#","messages":"#, summary.messages),
    ] {
        w.raw(key);
        w.number(total);
    }
    findings_by_rule(&summary.findings, w);
    let of = |severity| summary.findings.iter().filter(|(r, _)| r.severity == severity).map(|(_, n)| n).sum();
    findings_by_severity([of(Severity::Error), of(Severity::Warning), of(Severity::Note)], w);
    w.raw(r#","complete":"#);
    w.bool(summary.error.is_none());
    w.raw(r#","error":"#);
    w.optional_string(summary.error.as_deref());
}

/// `findings_by_rule`: an object of rule ids and counts.
pub(crate) fn findings_by_rule<W: Write>(findings: &[(&Rule, u64)], w: &mut Writer<W>) {
    w.raw(r#","findings_by_rule":{"#);
    for (i, (rule, count)) in findings.iter().enumerate() {
        if i > 0 {
            w.raw(",");
        }
        w.string(rule.id);
        w.raw(":");
        w.number(*count);
    }
    w.raw("}");
}

/// `findings_by_severity`: an object of `error`, `warning` and `note`.
pub(crate) fn findings_by_severity<W: Write>([error, warning, note]: [u64; 3], w: &mut Writer<W>) {
    w.raw(r#","findings_by_severity":{"error":"#);
    w.number(error);
    w.raw(r#","warning":"#);
    w.number(warning);
    w.raw(r#","note":"#);
    w.number(note);
    w.raw("}");
}
