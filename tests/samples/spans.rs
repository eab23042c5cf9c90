//! A finding points at what its words are about: each bit range that a finding of any
//! sample names lies in a field that its rule is about.
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use wstool::model::{Body, Finding, Flow, ON, Sink, SourceId, Span, Unit, Wants};

use crate::shelf::samples;

/// The fields that rules of frames are about.
const FIELDS: &[(&[&str], &[&str])] = &[
    (&["ws.rsv1", "ws.rsv2", "ws.rsv3"], &["reserved-bit-set"]),
    (&["ws.rsv1"], &["pmd-rsv1-on-control", "pmd-rsv1-on-continuation"]),
    (&["ws.fin"], &["fragmented-control-frame"]),
    (&["ws.mask"], &["unmasked-client-frame", "masked-server-frame"]),
    (&["ws.masking_key"], &["repeated-masking-key", "zero-masking-key", "predictable-masking-key"]),
    (
        &["ws.length", "ws.extended_length"],
        &[
            "length-high-bit-set",
            "non-minimal-length",
            "control-frame-too-long",
            "frame-too-large",
            "close-payload-one-byte",
            "close-without-code",
        ],
    ),
    // That the frame is there, and what it is.
    (
        &["ws.opcode"],
        &[
            "reserved-opcode",
            "unexpected-continuation",
            "expected-continuation",
            "data-after-close",
            "control-after-close",
            "duplicate-close",
            "open-after-violation",
            "close-not-answered",
            "close-answer-slow",
            "unclean-close",
            "ping-not-answered",
            "pong-slow",
            "unsolicited-pong",
        ],
    ),
    (
        &["ws.close_code"],
        &[
            "reserved-close-code",
            "close-code-out-of-range",
            "unassigned-close-code",
            "close-1010-without-list",
            "close-1010-from-server",
        ],
    ),
    // An answer without a code shows that by its length.
    (&["ws.close_code", "ws.length"], &["close-code-not-echoed"]),
    (&["ws.close_reason"], &["invalid-utf8-close-reason"]),
    (&["ws.payload", "ws.length", "ws.opcode"], &["pong-payload-mismatch"]),
    (&["ws.payload"], &["invalid-utf8"]),
    // Frames of HTTP/2 that are told.
    (&["h2.error_code"], &["h2-goaway"]),
    (&["h2.preface"], &["h2-preface-invalid"]),
    (&["h2.setting"], &["h2-setting-invalid", "h2-enable-connect-protocol-invalid"]),
    (
        &["h2.length", "h2.type", "h2.flags", "h2.reserved", "h2.stream"],
        &["h2-settings-not-first", "h2-settings-ack-unexpected", "h2-wrong-stream", "h2-frame-size"],
    ),
    // Frames from their first bit to their last.
    (
        &["ws.fin", "ws.opcode", "ws.length", "ws.masking_key", "ws.payload"],
        &["data-before-handshake-complete"],
    ),
];

/// Rules about the end of a stream, a hole in it, or what is no head: where no field is.
const BETWEEN_FIELDS: &[&str] = &[
    "truncated-frame",
    "tcp-gap",
    "malformed-response",
    "broken-chunk",
    "not-decoded",
    "tls-to-plain-port",
    // Frames of HTTP/2 that carry what is told: DATA and header blocks, whose bytes lead to a head's text.
    "h2-connection-header",
    "h2-continuation-expected",
    "h2-continuation-flood",
    "h2-frame-on-closed-stream",
    "h2-header-compression",
    "h2-header-list-too-large",
    "h2-malformed-head",
    "h2-padding-too-long",
    "h2-stream-id-invalid",
    "h2-streams-exceeded",
    "h2-window-update-invalid",
];

/// The header fields that the words of rules name.
const HEADERS: &[&str] = &[
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
    "Upgrade",
    "Connection",
    "Host",
    "Origin",
];

/// Where everything is in an input, and what was found in it.
#[derive(Default)]
struct Map {
    fields: BTreeMap<String, Vec<Span>>,
    lines: BTreeMap<String, Vec<Span>>,
    heads: Vec<Span>,
    /// Bytes of each message, as sent and inflated.
    messages: BTreeMap<(u32, u64), (u64, u64)>,
    findings: Vec<Finding>,
}

impl Sink for Map {
    fn wants(&self) -> Wants {
        Wants { fields: true, payload: 1 << 20, app: true, causes: false, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        for field in unit.fields {
            self.fields.entry(field.def.id.to_owned()).or_default().push(field.span);
        }
        match unit.body {
            Body::Http(head) => {
                if let Some(dir) = unit.dir {
                    let source = match head.stream {
                        Some(_) => SourceId::Headers { conn: unit.conn, dir },
                        None => SourceId::Stream { conn: unit.conn, dir },
                    };
                    self.heads.push(Span::bytes(source, head.offset, head.bytes.len() as u64));
                }
                for header in head.headers {
                    let lines = self.lines.entry(header.name.to_ascii_lowercase()).or_default();
                    lines.extend([header.name_at, header.value_at]);
                }
            }
            Body::Message(message) => {
                let inflated = message.inflated_length.unwrap_or(0).max(message.payload.len() as u64);
                self.messages.insert((unit.conn, message.m), (message.length, inflated));
            }
            _ => {}
        }
        self.findings.extend(unit.findings.iter().cloned());
        ON
    }
}

fn lies_in(span: Span, fields: &[Span]) -> bool {
    let touching = fields
        .iter()
        .filter(|field| field.source == span.source && field.start < span.end && span.start < field.end);
    let (start, end) =
        touching.fold((u64::MAX, 0), |(start, end), field| (start.min(field.start), end.max(field.end)));
    start <= span.start && span.end <= end
}

impl Map {
    /// What is wrong with where a span of a finding points.
    fn misplaced(&self, finding: &Finding, span: Span) -> Option<String> {
        let id = finding.rule.id;
        if span.start > span.end {
            return Some("ends before it begins".into());
        }
        match span.source {
            SourceId::Message { conn, m } | SourceId::Inflated { conn, m } => {
                let Some((sent, inflated)) = self.messages.get(&(conn, m)) else {
                    return Some("no such message".into());
                };
                let is_inflated = matches!(span.source, SourceId::Inflated { .. });
                let most = if is_inflated { inflated } else { sent };
                (span.end_byte() > *most).then(|| format!("past the {most} bytes of the message"))
            }
            // A place at which something is missing.
            SourceId::Stream { .. } if span.is_empty() => None,
            SourceId::Stream { .. } if BETWEEN_FIELDS.contains(&id) => None,
            // A record is told as a whole: what is in it nobody can read, or is in no place of its own.
            SourceId::Stream { .. } if id.starts_with("tls-") => None,
            SourceId::Stream { .. } => {
                let about: Vec<&str> = FIELDS
                    .iter()
                    .filter(|(_, rules)| rules.contains(&id))
                    .flat_map(|(fields, _)| fields.iter().copied())
                    .collect();
                if !about.is_empty() {
                    let spans: Vec<Span> = about
                        .iter()
                        .flat_map(|field| self.fields.get(*field).cloned().unwrap_or_default())
                        .collect();
                    return (!lies_in(span, &spans)).then(|| format!("not in {about:?}"));
                }
                let words = finding.rule.title.to_ascii_lowercase();
                let named: Vec<String> = HEADERS
                    .iter()
                    .map(|name| name.to_ascii_lowercase())
                    .filter(|name| words.contains(name.as_str()))
                    .collect();
                let lines: Vec<Span> =
                    named.iter().flat_map(|name| self.lines.get(name).cloned().unwrap_or_default()).collect();
                if !named.is_empty() && !lines.is_empty() {
                    return (!lies_in(span, &lines)).then(|| format!("not in {named:?}"));
                }
                (!lies_in(span, &self.heads)).then(|| "in no head, and no field is known for the rule".into())
            }
            _ => None,
        }
    }
}

#[test]
fn findings_point_at_what_they_are_about() {
    let mut wrong = String::new();
    let mut pointed = BTreeSet::new();
    for sample in samples() {
        let mut map = Map::default();
        sample.play(&mut map);
        for finding in &map.findings {
            for span in &finding.spans {
                pointed.insert(finding.rule.id);
                if let Some(why) = map.misplaced(finding, *span) {
                    let _ = writeln!(wrong, "{}: {}: {span:?}: {why}", sample.name, finding.rule.id);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    // Every rule of the table was tried.
    for rule in FIELDS.iter().flat_map(|(_, rules)| rules.iter()) {
        assert!(pointed.contains(rule), "{rule}: no finding of a sample points anywhere");
    }
}
