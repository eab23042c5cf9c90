//! Taking apart a head that is not valid HTTP: line by line, naming each fault.

use memchr::{memchr, memrchr};

use crate::limits::HTTP_HEADERS;
use crate::model::{Finding, SourceId, Text};

use super::super::fields::Index;
use super::super::{FOLDED_FIELD, HEAD_TOO_LARGE};
use super::{Head, HeaderLine, LISTED, Part, StartLine};

/// Splits whatever bytes there are. `ended` says that the stream has no more of
/// them, so that a missing empty line is a fault.
pub(super) fn split(bytes: &[u8], source: SourceId, offset: u64, is_response: bool, ended: bool) -> Head<'_> {
    let from = bytes.iter().position(|b| !matches!(b, b'\r' | b'\n')).unwrap_or(bytes.len());
    let mut rest = Lines { bytes, at: from };
    let first = rest.next().unwrap_or(Part { bytes: &[], at: from });
    let start = start_line(first, is_response);
    let mut head = Head {
        bytes,
        source,
        offset,
        start,
        headers: Vec::new(),
        findings: Vec::new(),
        invalid: false,
        index: Index::default(),
    };
    check_start(&mut head);
    let mut complete = false;
    for line in rest {
        if line.bytes.is_empty() {
            complete = true;
            break;
        }
        if matches!(line.bytes[0], b' ' | b'\t') && fold(&mut head, line) {
            continue;
        }
        if head.headers.len() == HTTP_HEADERS {
            let expected = Text::with("at most {} header fields", HTTP_HEADERS);
            let finding = Finding::new(&HEAD_TOO_LARGE, None, expected, Text::new("more of them"));
            head.findings.push(finding.at(head.span_of(line)));
            return head;
        }
        if let Some(header) = header(&mut head, line) {
            head.headers.push(header);
        }
    }
    if !complete && ended {
        fault(
            &mut head,
            bytes.len(),
            0,
            "an empty line ends the head",
            Text::with("the head breaks off after {} bytes", bytes.len()),
        );
    }
    head
}

/// The lines of a head without their ends.
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Lines<'a> {
    type Item = Part<'a>;

    fn next(&mut self) -> Option<Part<'a>> {
        let (at, rest) = (self.at, self.bytes.get(self.at..).filter(|rest| !rest.is_empty())?);
        let end = memchr(b'\n', rest).unwrap_or(rest.len());
        self.at = at + end + 1;
        let line = &rest[..end];
        Some(Part { bytes: line.strip_suffix(b"\r").unwrap_or(line), at })
    }
}

fn start_line(line: Part<'_>, is_response: bool) -> StartLine<'_> {
    let part = |from: usize, to: usize| Part { bytes: &line.bytes[from..to], at: line.at + from };
    let len = line.bytes.len();
    let first = memchr(b' ', line.bytes).unwrap_or(len);
    let behind = (first + 1).min(len);
    if is_response {
        let second = memchr(b' ', &line.bytes[behind..]).map_or(len, |at| behind + at);
        return StartLine::Response {
            version: part(0, first),
            status: part(behind, second),
            reason: part((second + 1).min(len), len),
        };
    }
    // A target with a space in it lies between the first space and the last.
    let last =
        memrchr(b' ', line.bytes).filter(|&at| at > first && line.bytes[at + 1..].starts_with(b"HTTP/"));
    let target_end = last.unwrap_or(len);
    StartLine::Request {
        method: part(0, first),
        target: part(behind, target_end.max(behind)),
        version: last.map_or(part(len, len), |at| part(at + 1, len)),
    }
}

fn check_start(head: &mut Head<'_>) {
    let version = head.start.version();
    let known = matches!(head.version(), Some((0 | 1, _)));
    match head.start {
        StartLine::Request { method, target, .. } => {
            if let Some(at) = method.bytes.iter().position(|&b| !is_token(b)) {
                let got = byte_at(method, at);
                fault(head, method.at + at, 1, "a method, which is a token", got);
            } else if method.bytes.is_empty() {
                fault(
                    head,
                    method.at,
                    0,
                    "method, target and version, separated by one space",
                    "nothing".into(),
                );
            }
            if target.bytes.is_empty() {
                fault(head, target.at, 0, "a request target behind the method", "nothing".into());
            } else if let Some(at) = target.bytes.iter().position(|&b| b <= b' ' || b == 0x7f) {
                let got = byte_at(target, at);
                fault(head, target.at + at, 1, "a request target without white space and controls", got);
            }
            if version.bytes.is_empty() {
                fault(head, version.at, 0, "HTTP/1.1 behind the request target", "nothing".into());
            } else if !known {
                let got = Text::with("{}", shown(version.bytes));
                fault(head, version.at, version.bytes.len(), "the version HTTP/1.1", got);
            }
        }
        StartLine::Response { status, .. } => {
            if !known {
                let got = Text::with("{}", shown(version.bytes));
                fault(head, version.at, version.bytes.len(), "the version HTTP/1.1", got);
            }
            if head.status().is_none() {
                let got = Text::with("{}", shown(status.bytes));
                fault(head, status.at, status.bytes.len(), "a status code of three digits", got);
            }
        }
    }
}

/// Joins a line that begins with white space to the field before it.
fn fold<'a>(head: &mut Head<'a>, line: Part<'a>) -> bool {
    let Some(mut field) = head.headers.pop() else { return false };
    let end = line.at + line.bytes.trim_ascii_end().len();
    if field.value.bytes.is_empty() {
        let from = line.at + line.bytes.len() - line.bytes.trim_ascii_start().len();
        field.value.at = from.min(end);
    }
    field.value.bytes = &head.bytes[field.value.at..end];
    head.headers.push(field);
    if head.findings.len() < LISTED {
        let got = Text::new("the field goes on in a line that begins with white space (obsolete folding)");
        let expected = Text::new("each header field in one line");
        let finding = Finding::new(&FOLDED_FIELD, head.dir(), expected, got);
        head.findings.push(finding.at(head.span_of(line)));
    }
    true
}

fn header<'a>(head: &mut Head<'a>, line: Part<'a>) -> Option<HeaderLine<'a>> {
    let Some(colon) = memchr(b':', line.bytes) else {
        let got = Text::with("a line without a colon: {}", shown(line.bytes));
        fault(head, line.at, line.bytes.len(), "name, colon, value", got);
        return None;
    };
    let raw = &line.bytes[..colon];
    let name = Part { bytes: raw.trim_ascii(), at: line.at + raw.len() - raw.trim_ascii_start().len() };
    if raw.is_empty() {
        fault(head, line.at, 1, "a name before the colon", "nothing".into());
    } else if let Some(at) = raw.iter().position(|&b| !is_token(b)) {
        let got = byte_at(Part { bytes: raw, at: line.at }, at);
        fault(head, line.at + at, 1, "a header field's name, which is a token, right before the colon", got);
    }
    let behind = &line.bytes[colon + 1..];
    let at = line.at + colon + 1 + behind.len() - behind.trim_ascii_start().len();
    let value = Part { bytes: behind.trim_ascii(), at };
    if let Some(bad) = value.bytes.iter().position(|&b| (b < b' ' && b != b'\t') || b == 0x7f) {
        let got = byte_at(value, bad);
        fault(head, value.at + bad, 1, "a header field's value without control characters", got);
    }
    Some(HeaderLine { name, value })
}

fn byte_at(part: Part<'_>, at: usize) -> Text {
    Text::with("0x{} at byte {} of the head", format!("{:02x}", part.bytes[at])).and(part.at + at)
}

fn fault(head: &mut Head<'_>, at: usize, len: usize, expected: &'static str, got: Text) {
    head.invalid = true;
    if head.findings.len() < LISTED {
        let finding = Finding::new(head.malformed(), head.dir(), Text::new(expected), got);
        head.findings.push(finding.at(head.span(at, len)));
    }
}

/// A character of a token (RFC 9110 §5.6.2), which RFC 2616 §2.2 defines alike.
pub(in super::super) fn is_token(b: u8) -> bool {
    TOKEN[usize::from(b)]
}

static TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let marks = b"!#$%&'*+-.^_`|~";
    let mut at = 0;
    while at < table.len() {
        table[at] = (at as u8).is_ascii_alphanumeric();
        at += 1;
    }
    at = 0;
    while at < marks.len() {
        table[marks[at] as usize] = true;
        at += 1;
    }
    table
};

/// The beginning of some untrusted bytes, for a finding.
pub(in super::super) fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 64;
    if bytes.is_empty() {
        return "nothing".to_owned();
    }
    let mut text = String::from_utf8_lossy(&bytes[..bytes.len().min(MOST)]).into_owned();
    if bytes.len() > MOST {
        text.push('…');
    }
    text
}
