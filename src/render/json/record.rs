//! The other records, and what records are made of.

use std::io::Write;

use super::Stream;
use super::write::Writer;
use crate::model::{
    Body, CloseBody, Connection, Counts, Deflate, Diagnosis, Dir, EndKind, Ending, Finding, Gap, GapEffect,
    Handshake, HttpHead, More, Opening, Roles, Span, Unit, Verdict,
};

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
pub(super) fn when<W: Write>(unit: &Unit<'_>, w: &mut Writer<W>) {
    w.raw(r#","time":"#);
    match unit.time {
        Some(time) => w.seconds(time.0),
        None => w.raw("null"),
    }
    w.raw(r#","packets":"#);
    packets(unit.packets, w);
}

#[inline]
pub(super) fn packets<W: Write>(packets: Option<(u64, u64)>, w: &mut Writer<W>) {
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
pub(super) fn finding_ids<W: Write>(unit: &Unit<'_>, w: &mut Writer<W>) {
    if unit.findings.is_empty() && unit.counted.is_empty() {
        w.raw(r#","findings":[]"#);
    } else {
        w.raw(r#","findings":["#);
        for (i, rule) in unit.rules().enumerate() {
            if i > 0 {
                w.raw(",");
            }
            w.string(rule.id);
        }
        w.raw("]");
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
pub(super) fn bytes<W: Write>(bytes: &[u8], shortened: bool, w: &mut Writer<W>) {
    if let Some(text) = as_text(bytes, shortened) {
        w.raw(r#"{"text":"#);
        w.string(text);
    } else {
        w.raw(r#"{"base64":"#);
        w.base64(bytes);
    }
    w.raw("}");
}

/// `code`, `code_name` and `reason`.
pub(super) fn close_body<W: Write>(close: &CloseBody<'_>, w: &mut Writer<W>) {
    w.raw(r#","code":"#);
    w.optional(close.code.map(|code| code.0.into()));
    w.raw(r#","code_name":"#);
    w.optional_string(close.code.map(crate::model::wire::CloseCode::name));
    w.raw(r#","reason":"#);
    w.optional_string(str::from_utf8(close.reason).ok());
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
    if let Some(parent) = connection.parent {
        w.raw(r#","parent":"#);
        w.number(parent.get().into());
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
        Handshake::Polling => "polling",
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
    match connection.deflate {
        Some(parameters) => deflate(parameters, w),
        None => w.raw("null"),
    }
    w.raw(r#","encryption":null,"http_version":"#);
    w.optional_string(connection.http_version.as_deref());
    if let Some(it) = &connection.ending {
        ending(it, w);
    }
    if !connection.more.is_empty() {
        w.raw(r#","more_findings":"#);
        list(&connection.more, w, more);
    }
    finding_ids(unit, w);
}

/// How many findings of a rule have no record.
fn more<W: Write>(w: &mut Writer<W>, it: &More) {
    w.raw(r#"{"rule":"#);
    w.string(it.rule.id);
    w.raw(r#","severity":"#);
    w.display(it.rule.severity);
    w.raw(r#","who":"#);
    w.raw(who(it.blame));
    w.raw(r#","count":"#);
    w.number(it.count);
    w.raw("}");
}

/// `who`: whom something is blamed on.
fn who(blame: Option<Dir>) -> &'static str {
    match blame {
        Some(Dir::Client) => r#""client""#,
        Some(Dir::Server) => r#""server""#,
        None => "null",
    }
}

fn deflate<W: Write>(parameters: Deflate, w: &mut Writer<W>) {
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
    if !head.complete {
        w.raw(r#","complete":false"#);
    }
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
    finding_ids(unit, w);
    if !head.diagnoses.is_empty() {
        w.raw(r#","diagnoses":"#);
        list(head.diagnoses, w, diagnosis);
    }
}

/// What may be behind something that went wrong.
pub(super) fn diagnosis<W: Write>(w: &mut Writer<W>, it: &Diagnosis) {
    w.raw(r#"{"id":"#);
    w.string(it.id);
    w.raw(r#","what":"#);
    w.display(&it.what);
    w.raw(r#","fix":"#);
    w.display(&it.fix);
    w.raw("}");
}

pub(super) fn opening<W: Write>(unit: &Unit<'_>, opening: &Opening<'_>, w: &mut Writer<W>) {
    w.raw(r#"{"type":"opening","conn":"#);
    w.number(unit.conn.into());
    origin(unit, w);
    w.raw(r#","offset":"#);
    w.number(opening.offset);
    w.raw(r#","protocol":"#);
    w.string(opening.protocol);
    w.raw(r#","about":"#);
    w.display(opening.about);
    if opening.client.is_some() || opening.server.is_some() {
        for (key, endpoint) in [(r#","client":"#, opening.client), (r#","server":"#, opening.server)] {
            w.raw(key);
            w.optional_display(endpoint);
        }
    }
    w.raw(r#","payload":"#);
    bytes(opening.bytes, false, w);
    finding_ids(unit, w);
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
    finding_ids(unit, w);
}

/// Writes a record for each finding of a unit.
pub(super) fn findings<W: Write>(unit: &Unit<'_>, to: &mut Stream<W>) {
    for it in unit.findings {
        to.record(|w| finding(unit, it, w));
    }
}

fn finding<W: Write>(unit: &Unit<'_>, finding: &Finding, w: &mut Writer<W>) {
    let rule = finding.rule;
    w.raw(r#"{"type":"finding","rule":"#);
    w.string(rule.id);
    w.raw(r#","severity":"#);
    w.display(rule.severity);
    w.raw(r#","section":"#);
    w.display(rule.cite);
    w.raw(r#","who":"#);
    w.raw(who(finding.blame));
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
        Body::Session(session) => {
            w.raw(r#","session":"#);
            w.number(session.number.into());
        }
        _ => {}
    }
    finding_words(finding, w);
    w.raw(r#","time":"#);
    match unit.time {
        Some(time) => w.seconds(time.0),
        None => w.raw("null"),
    }
    w.raw(r#","packets":"#);
    packets(unit.packets, w);
    if let Some(cause) = &finding.cause {
        w.raw(r#","cause":"#);
        diagnosis(w, cause);
    }
}

/// `title` to `spans`: what a finding says and where.
pub(super) fn finding_words<W: Write>(finding: &Finding, w: &mut Writer<W>) {
    let rule = finding.rule;
    w.raw(r#","title":"#);
    w.string(rule.title);
    w.raw(r#","expected":"#);
    w.display(&finding.expected);
    w.raw(r#","got":"#);
    w.display(&finding.got);
    w.raw(r#","consequence":"#);
    w.string(rule.consequence);
    w.raw(r#","spans":"#);
    list(&finding.spans, w, span);
}

/// A range of bits and the source it is in.
pub(super) fn span<W: Write>(w: &mut Writer<W>, span: &Span) {
    w.raw("[");
    w.display(span.source);
    w.raw(",");
    w.number(span.start);
    w.raw(",");
    w.number(span.end);
    w.raw("]");
}
