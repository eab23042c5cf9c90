//! One head under examination: verdicts, findings and fields as they come up.

use std::borrow::Cow;

use crate::model::{Field, FieldDef, Finding, Header, Rule, Severity, Span, Text, Value, Verdict};

use super::super::fields::{self, Name};
use super::super::head::{Head, LISTED, Part, StartLine, shown};
use super::super::{DUPLICATE_EXTENSIONS, INVALID_SUBPROTOCOL, MALFORMED_EXTENSIONS};
use super::extensions::{Extension, parse};
use super::lists::{Element, has};

pub(super) struct Exam<'h, 'b> {
    pub head: &'h Head<'b>,
    pub findings: Vec<Finding>,
    pub detail: bool,
    marks: Vec<(Verdict, Text)>,
    /// Elements of header fields, each with the number of its field.
    children: Vec<(usize, Field)>,
}

impl<'h, 'b> Exam<'h, 'b> {
    /// Begins with a head. Verdicts and fields are only kept with `detail`.
    pub fn new(head: &'h Head<'b>, detail: bool) -> Self {
        let mut marks = Vec::new();
        if detail {
            marks.extend(head.headers.iter().map(|header| {
                let known = Name::of(header.name.bytes);
                let meaning = known.map_or_else(Text::default, |known| Text::new(known.name.aside()));
                (Verdict::Irrelevant, meaning)
            }));
        }
        Self { head, findings: Vec::new(), detail, marks, children: Vec::new() }
    }

    /// The fields called `name`: their numbers and values.
    pub fn all(&self, name: Name) -> impl Iterator<Item = (usize, Part<'b>)> + use<'h, 'b> {
        let (first, count) = self.head.index.get(name);
        let label = fields::HEADERS[name as usize].def.label;
        let numbered = self.head.headers.iter().enumerate().skip(first);
        numbered
            .filter(move |(at, header)| *at == first || header.is(label))
            .map(|(at, header)| (at, header.value))
            .take(count)
    }

    /// How many fields are called `name`.
    pub fn count(&self, name: Name) -> usize {
        self.head.index.get(name).1
    }

    /// The first field called `name`.
    pub fn first(&self, name: Name) -> Option<(usize, Part<'b>)> {
        let (first, count) = self.head.index.get(name);
        (count > 0).then(|| (first, self.head.headers[first].value))
    }

    /// The host and port that a request is for: `:authority` over HTTP/2, or else `Host`.
    pub fn authority(&self) -> Option<(usize, Part<'b>)> {
        self.first(Name::PseudoAuthority).or_else(|| self.first(Name::Host))
    }

    /// The first field called `name` whose list has an element, compared without regard to case.
    pub fn listing(&self, name: Name, element: &str) -> Option<usize> {
        self.all(name).find(|(_, value)| has(value.bytes, element)).map(|(at, _)| at)
    }

    /// All values of the fields called `name`, joined by commas.
    pub fn joined(&self, name: Name) -> Option<String> {
        match self.count(name) {
            0 => None,
            1 => self.first(name).map(|(_, value)| value.text().into_owned()),
            _ => Some(self.all(name).map(|(_, value)| value.text()).collect::<Vec<_>>().join(", ")),
        }
    }

    /// Gives a field a verdict; a worse one that it has already stays.
    pub fn mark(&mut self, field: usize, verdict: Verdict, meaning: impl FnOnce() -> Text) {
        let rank = |verdict| match verdict {
            Verdict::Irrelevant => 0,
            Verdict::Ok => 1,
            Verdict::Warning => 2,
            Verdict::Broken => 3,
        };
        if let Some(mark) = self.marks.get_mut(field)
            && rank(verdict) > rank(mark.0)
        {
            *mark = (verdict, meaning());
        }
    }

    /// Reports a broken rule. What breaks the same rule over and over is listed a few times only.
    pub fn find(
        &mut self,
        rule: &'static Rule,
        expected: impl Into<Text>,
        got: impl Into<Text>,
        at: Option<Span>,
    ) {
        if self.findings.iter().filter(|f| f.rule == rule).count() < LISTED {
            let finding = Finding::new(rule, self.head.dir(), expected.into(), got.into());
            self.findings.push(match at {
                Some(span) => finding.at(span),
                None => finding,
            });
        }
    }

    /// Reports a broken rule on a header field, and marks the field with what was found.
    pub fn find_in(
        &mut self,
        field: usize,
        rule: &'static Rule,
        expected: impl Into<Text>,
        got: Text,
        at: Span,
    ) {
        let verdict = if rule.severity == Severity::Error { Verdict::Broken } else { Verdict::Warning };
        self.mark(field, verdict, || got.clone());
        self.find(rule, expected, got, Some(at));
    }

    /// The same, on the field's whole value.
    pub fn find_value(&mut self, field: usize, rule: &'static Rule, expected: impl Into<Text>, got: Text) {
        let span = self.head.span_of(self.head.headers[field].value);
        self.find_in(field, rule, expected, got, span);
    }

    /// Reports a field that must not be repeated.
    pub fn once(&mut self, name: Name, rule: &'static Rule) {
        if self.count(name) < 2 {
            return;
        }
        let Some((second, _)) = self.all(name).nth(1) else { return };
        let got = Text::with("{} of them", self.count(name));
        self.find_value(second, rule, "the header field at most once", got);
        let more = self.all(name).skip(2).take(LISTED).map(|(_, value)| self.head.span_of(value));
        let more: Vec<_> = more.collect();
        if let Some(finding) = self.findings.iter_mut().rfind(|f| f.rule == rule) {
            finding.spans.extend(more);
        }
    }

    /// Where `len` bytes stand, from offset `at` of a field's value.
    pub fn within(&self, field: usize, at: usize, len: usize) -> Span {
        self.head.span(self.head.headers[field].value.at + at, len)
    }

    /// Notes an element of a field.
    pub fn child(
        &mut self,
        field: usize,
        def: &'static FieldDef,
        depth: u8,
        at: (usize, usize),
        text: &str,
        meaning: impl FnOnce() -> Text,
    ) {
        if self.detail {
            let span = self.within(field, at.0, at.1);
            let value = Value::Text(text.to_owned());
            self.children.push((field, Field { def, span, value, meaning: meaning(), depth }));
        }
    }

    /// Checks that a subprotocol's name is a token, and notes it.
    pub fn subprotocol(&mut self, field: usize, element: Element<'_>) -> bool {
        if self.detail {
            let text = String::from_utf8_lossy(element.bytes);
            let at = (element.at, element.bytes.len());
            self.child(field, &fields::SUBPROTOCOL, 1, at, &text, Text::default);
        }
        let bad = element.bytes.iter().position(|&b| !super::super::head::is_token(b));
        if let Some(bad) = bad {
            //= RFC 6455 §4.1
            //# MUST be non-empty strings with characters in the range U+0021 to U+007E not including
            //# separator characters
            let got =
                Text::with("byte 0x{} at offset {} of {}", format!("{:02x}", element.bytes[bad])).and(bad);
            let got = got.and(shown(element.bytes));
            let span = self.within(field, element.at + bad, 1);
            let expected = "a subprotocol's name: visible ASCII without separators";
            self.find_in(field, &INVALID_SUBPROTOCOL, expected, got, span);
        }
        bad.is_none()
    }

    /// Reads the extensions of all fields, each with the number of its field.
    pub fn extensions(&mut self) -> Vec<(usize, Extension<'b>)> {
        let mut found = Vec::new();
        for (field, value) in self.all(Name::Extensions) {
            let (extensions, fault) = parse(value.bytes);
            if let Some(fault) = fault {
                //= RFC 6455 §9.1
                //# the recipient of such malformed data MUST immediately _Fail the WebSocket Connection_
                let span = self.within(field, fault.at, usize::from(fault.at < value.bytes.len()));
                self.find_in(field, &MALFORMED_EXTENSIONS, fault.expected, fault.got, span);
            }
            found.extend(extensions.into_iter().map(|extension| (field, extension)));
        }
        if self.head.is_response() {
            self.once(Name::Extensions, &DUPLICATE_EXTENSIONS);
        }
        found
    }

    /// The verdicts on the header fields.
    pub fn headers(&mut self) -> Vec<Header<'static>> {
        let marks = std::mem::take(&mut self.marks);
        let marked = self.head.headers.iter().zip(marks);
        marked
            .map(|(header, (verdict, meaning))| Header {
                name: header.name.text().into_owned().into(),
                value: header.value.text().into_owned().into(),
                verdict,
                meaning,
                name_at: self.head.span_of(header.name),
                value_at: self.head.span_of(header.value),
            })
            .collect()
    }

    /// Start line, header fields and their elements, in wire order. `headers` carry the meanings.
    pub fn fields(&mut self, headers: &[Header<'_>], status_meaning: Text) -> Vec<Field> {
        if !self.detail {
            return Vec::new();
        }
        let mut fields = self.start_fields(status_meaning);
        let mut children = std::mem::take(&mut self.children);
        children.sort_by_key(|(field, child)| (*field, child.span.start));
        let mut children = children.into_iter().peekable();
        for (at, header) in headers.iter().enumerate() {
            let known = Name::of(self.head.headers[at].name.bytes);
            let text = match known {
                Some(_) => header.value.clone().into_owned(),
                None => format!("{}: {}", header.name, header.value),
            };
            let end = header.value_at.end.max(header.name_at.end);
            fields.push(Field {
                def: known.map_or(&fields::OTHER, |known| &known.def),
                span: Span::bits(self.head.source, header.name_at.start, end),
                value: Value::Text(text),
                meaning: header.meaning.clone(),
                depth: 0,
            });
            while let Some((_, child)) = children.next_if(|(field, _)| *field == at) {
                fields.push(child);
            }
        }
        fields
    }

    fn start_fields(&self, status_meaning: Text) -> Vec<Field> {
        let field = |def: &'static FieldDef, part: Part<'_>, meaning: Text| Field {
            def,
            span: self.head.span_of(part),
            value: Value::Text(part.text().into_owned()),
            meaning,
            depth: 1,
        };
        let line = |def: &'static FieldDef| Field {
            def,
            span: self.head.start_line_at(),
            value: Value::Text(self.head.start_line().into_owned()),
            meaning: Text::default(),
            depth: 0,
        };
        let none = Text::default;
        match self.head.start {
            StartLine::Request { method, target, version } => vec![
                line(&fields::REQUEST_LINE),
                field(&fields::METHOD, method, none()),
                field(&fields::TARGET, target, none()),
                field(&fields::VERSION, version, none()),
            ],
            StartLine::Response { version, status, reason } => vec![
                line(&fields::STATUS_LINE),
                field(&fields::VERSION, version, none()),
                field(&fields::STATUS, status, status_meaning),
                field(&fields::REASON, reason, none()),
            ],
        }
    }

    /// Such as `1.1`.
    pub fn http_version(&self) -> Option<Cow<'static, str>> {
        match self.head.version()? {
            (1, 1) => Some("1.1".into()),
            (2, 0) => Some("2".into()),
            (major, minor) => Some(format!("{major}.{minor}").into()),
        }
    }
}
