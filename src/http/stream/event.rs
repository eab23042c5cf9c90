//! What an event says (HTML, section 9.2.6).

use super::units::Seen;
use super::{
    Place, SSE_BAD_RETRY, SSE_COMMENT, SSE_DATA, SSE_EVENT, SSE_ID, SSE_ID_WITH_NUL, SSE_NOT_UTF8, SSE_RETRY,
    SSE_UNFINISHED, SSE_UNKNOWN_FIELD, quoted_bytes, value,
};
use crate::model::{App, Dir, Finding, SourceId, Text, Value};

/// What an event is called that names none.
const DEFAULT: &[u8] = b"message";

/// Where a value stands: its first byte, and how many it has.
type Range = (usize, usize);

/// What the lines of an event have said.
#[derive(Default)]
struct Lines {
    event: Option<(Range, Vec<u8>)>,
    data: Option<(Range, Vec<u8>)>,
    id: Option<(Range, Vec<u8>)>,
    retry: Option<(Range, u64)>,
    comment: Option<(Range, Vec<u8>)>,
}

/// Reads the lines of an event, without the empty one that ends it.
pub(super) fn read(seen: &Seen<'_>, at: Place, findings: &mut Vec<Finding>) -> App {
    check(seen, at, findings);
    let found = Lines::of(seen, at, findings);
    if seen.discarded {
        let got = Text::with("the end behind {} bytes of an event", seen.length);
        let expected = Text::new("an empty line behind the event");
        findings
            .push(Finding::new(&SSE_UNFINISHED, Dir::Server, expected, got).at(at.span(0, seen.kept.len())));
    }
    found.app(at)
}

/// The name and the data of the event that is dispatched; `None` where none is.
pub fn dispatched(seen: &Seen<'_>) -> Option<(Vec<u8>, Vec<u8>)> {
    let found = Lines::of(seen, Place { source: SourceId::Input, byte: 0 }, &mut Vec::new());
    let (_, data) = found.data?;
    let name = found.event.map(|(_, name)| name).filter(|name| !name.is_empty());
    Some((name.unwrap_or_else(|| DEFAULT.to_vec()), data))
}

/// Holds the bytes against UTF-8.
fn check(seen: &Seen<'_>, at: Place, findings: &mut Vec<Finding>) {
    let Err(error) = std::str::from_utf8(seen.kept) else { return };
    if error.error_len().is_none() && seen.is_cut() {
        return;
    }
    let place = error.valid_up_to();
    let got = Text::with("0x{} at byte {} of the event", format!("{:02x}", seen.kept[place])).and(place);
    let expected = Text::new("UTF-8");
    findings.push(Finding::new(&SSE_NOT_UTF8, Dir::Server, expected, got).at(at.span(place, 1)));
}

impl Lines {
    /// What the lines of an event say; what is wrong with them are `findings`.
    fn of(seen: &Seen<'_>, at: Place, findings: &mut Vec<Finding>) -> Self {
        let mut found = Self::default();
        // A byte order mark in front of the stream is none of it.
        let skip = if seen.is_first && seen.kept.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        let mut begin = skip;
        while begin < seen.kept.len() {
            let rest = &seen.kept[begin..];
            let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
            let before = findings.len();
            found.line(&rest[..end], begin, at, findings);
            if end == rest.len() && seen.is_cut() {
                // It might have gone on.
                findings.truncate(before);
            }
            begin += end + if rest[end..].starts_with(b"\r\n") { 2 } else { 1 };
        }
        found
    }

    fn line(&mut self, line: &[u8], begin: usize, at: Place, findings: &mut Vec<Finding>) {
        let colon = memchr::memchr(b':', line);
        let name = &line[..colon.unwrap_or(line.len())];
        let value = colon.map_or(&[][..], |colon| &line[colon + 1..]);
        // One blank behind the colon is not part of the value.
        let value = value.strip_prefix(b" ").unwrap_or(value);
        let range = (begin + line.len() - value.len(), value.len());
        let broken = |rule, expected: &'static str| {
            let got = Text::with("{}", quoted_bytes(line));
            Finding::new(rule, Dir::Server, Text::new(expected), got).at(at.span(begin, line.len()))
        };
        match name {
            b"" if colon.is_some() => join(&mut self.comment, range, value),
            b"event" => self.event = Some((range, value.to_vec())),
            b"data" => join(&mut self.data, range, value),
            b"id" if value.contains(&0) => findings.push(broken(&SSE_ID_WITH_NUL, "an id without a NUL")),
            b"id" => self.id = Some((range, value.to_vec())),
            b"retry" => match digits(value) {
                Some(millis) => self.retry = Some((range, millis)),
                None => findings.push(broken(&SSE_BAD_RETRY, "ASCII digits")),
            },
            _ => findings.push(broken(&SSE_UNKNOWN_FIELD, "event, data, id, retry, or a comment behind `:`")),
        }
    }

    fn app(self, at: Place) -> App {
        let name = self.event.as_ref().map(|(_, name)| name.as_slice()).filter(|name| !name.is_empty());
        let summary = match (&self.data, &self.comment) {
            (Some((_, data)), _) => {
                Text::with("{}: {}", quoted_bytes(name.unwrap_or(DEFAULT))).and(quoted_bytes(data))
            }
            (None, Some((_, words))) if self.is_comment() && words.is_empty() => {
                Text::new("an empty comment, to keep the connection")
            }
            (None, Some((_, words))) if self.is_comment() => Text::with("a comment: {}", quoted_bytes(words)),
            _ => Text::new("no data: nothing is dispatched"),
        };
        let mut fields = Vec::new();
        match (self.event, &self.data) {
            (Some(((from, length), name)), _) => {
                fields.push(at.field(&SSE_EVENT, from, length, value(&name)));
            }
            (None, Some(_)) => {
                let mut field = at.field(&SSE_EVENT, 0, 0, Value::Text("message".to_owned()));
                field.meaning = Text::new("the default");
                fields.push(field);
            }
            (None, None) => {}
        }
        let texts = [(&SSE_DATA, self.data), (&SSE_ID, self.id), (&SSE_COMMENT, self.comment)];
        for (def, ((from, length), text)) in texts.into_iter().filter_map(|(def, it)| Some((def, it?))) {
            fields.push(at.field(def, from, length, value(&text)));
        }
        if let Some(((from, length), millis)) = self.retry {
            fields.push(at.field(&SSE_RETRY, from, length, Value::Number(millis)));
        }
        App { protocol: "event-stream", name: "SSE", summary, fields, ..App::default() }
    }

    fn is_comment(&self) -> bool {
        self.event.is_none() && self.id.is_none() && self.retry.is_none()
    }
}

/// A time in digits, in milliseconds. More of them than any time has are no mistake of their form.
fn digits(value: &[u8]) -> Option<u64> {
    let are_all = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    let add = |millis: u64, digit: &u8| millis.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    are_all.then(|| value.iter().fold(0, add))
}

/// Puts a line behind those before it.
fn join(lines: &mut Option<(Range, Vec<u8>)>, range: Range, text: &[u8]) {
    match lines {
        Some(((from, length), lines)) => {
            *length = range.0 + range.1 - *from;
            lines.push(b'\n');
            lines.extend_from_slice(text);
        }
        None => *lines = Some((range, text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::units::{Begin, Form};
    use super::*;

    fn of(block: &[u8], is_first: bool) -> (App, Vec<&'static str>) {
        let seen = Seen {
            reader: Form::Events,
            begin: Begin::default(),
            kept: block,
            length: block.len() as u64,
            is_first,
            complete: true,
            discarded: false,
        };
        let mut findings = Vec::new();
        let app = read(&seen, Place { source: SourceId::Input, byte: 0 }, &mut findings);
        (app, findings.iter().map(|finding| finding.rule.id).collect())
    }

    /// Names and values of the fields.
    fn fields(app: &App) -> Vec<(&'static str, String)> {
        let value = |value: &Value| match value {
            Value::Text(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other => format!("{other:?}"),
        };
        app.fields.iter().map(|field| (field.def.label, value(&field.value))).collect()
    }

    #[test]
    fn the_examples_of_the_standard() {
        // Section 9.2.6.
        let (app, _) = of(b"data: YHOO\ndata: +2\ndata: 10", false);
        assert_eq!(fields(&app), [("event", "message".to_owned()), ("data", "YHOO\n+2\n10".to_owned())]);
        let (app, found) = of(b": test stream", true);
        assert_eq!((fields(&app), found.len()), (vec![("comment", "test stream".to_owned())], 0));
        let (app, _) = of(b"data: second event\nid", false);
        assert_eq!(fields(&app)[1..], [("data", "second event".to_owned()), ("id", String::new())]);
        let (app, _) = of(b"data:  third event", false);
        assert_eq!(fields(&app)[1].1, " third event");
        let (app, _) = of(b"data\ndata", false);
        assert_eq!(fields(&app)[1].1, "\n");
        let (app, _) = of(b"data:test", false);
        assert_eq!(fields(&app)[1].1, "test");
    }

    #[test]
    fn each_line_end_and_the_mark_in_front() {
        let (app, found) = of(b"\xEF\xBB\xBFevent: add\rdata: 1\r\ndata: 2\nid: 7\rretry: 30", true);
        let expected = [("event", "add"), ("data", "1\n2"), ("id", "7"), ("retry", "30")]
            .map(|(n, v)| (n, v.to_owned()));
        assert_eq!((fields(&app).as_slice(), found.len()), (&expected[..], 0));
        assert_eq!(app.summary.to_string(), "add: 1…");
        assert_eq!(of(b"\xEF\xBB\xBFdata: 1", false).1, ["sse-unknown-field"], "not in front of the stream");
    }

    #[test]
    fn what_is_ignored_is_told() {
        assert_eq!(of(b"data: 1\nid: a\0b", false).1, ["sse-id-with-nul"]);
        assert_eq!(of(b"retry: 1s", false).1, ["sse-bad-retry"]);
        assert_eq!(of(b"retry:", false).1, ["sse-bad-retry"]);
        assert_eq!(of(b"retry: 99999999999999999999999", false).1.len(), 0);
        assert_eq!(of(b"data: {\n  \"a\": 1", false).1, ["sse-unknown-field"]);
        assert_eq!(of(b"data: \xE4", false).1, ["sse-not-utf8"]);
        assert_eq!(of("data: ä".as_bytes(), false).1.len(), 0);
    }
}
