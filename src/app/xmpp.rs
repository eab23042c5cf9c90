//! XMPP over WebSocket (RFC 7395): each message is one element, a stanza or one that opens or closes the
//! stream; there is no stream header and no XML declaration. An iq is answered by one with its id.

use quick_xml::Reader as Xml;
use quick_xml::events::{BytesStart, Event};

use super::dialect::{Decoder, Dialect, Reader, Said, Sheet};
use super::excerpt::clipped;
use super::pending::{Id, Pending, Request, Requests};
use crate::limits::JSON_DEPTH;
use crate::model::{Answer, App, Cite, Dir, Failure, Finding, Span, Text, Value, fields, rules};

/// XMPP (RFC 6120) over WebSocket (RFC 7395).
pub static DIALECT: Dialect = Dialect {
    id: "xmpp",
    subprotocols: &["xmpp"],
    looks_like: Some(looks_like),
    first: b"<",
    last: &[],
    marks: 0,
    target: None,
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<Xmpp>::default()),
    sheet: Sheet {
        name: "XMPP (RFC 7395)",
        shown_by: "`<open/>` or `<close/>` in the framing namespace",
        decoded: "element, id, type, addresses and what is in a stanza; each iq tied to its result or error, \
                  the framing of the stream, stream errors",
        sample: "xmpp.pcap",
        source: ("RFC 7395", "https://www.rfc-editor.org/rfc/rfc7395"),
    },
};

/// A section of RFC 7395.
const fn rfc7395(section: &'static str) -> Cite {
    Cite { doc: "RFC 7395", section }
}

/// A section of RFC 6120, which defines XMPP.
const fn rfc6120(section: &'static str) -> Cite {
    Cite { doc: "RFC 6120", section }
}

fields! {
    /// The fields of XMPP.
    FIELDS;
    ELEMENT = "xmpp.element", "element", rfc7395("3.3"), "The stanza, or what opens or closes the stream.";
    ID = "xmpp.id", "id", rfc6120("8.1.3"), "Ties an answer to its iq; or the stream's id.";
    TYPE = "xmpp.type", "type", rfc6120("8.1.4"), "What kind of stanza it is.";
    FROM = "xmpp.from", "from", rfc6120("8.1.2"), "Who sends it.";
    TO = "xmpp.to", "to", rfc6120("8.1.1"), "Whom it is for.";
    CHILD = "xmpp.child", "child", rfc6120("8.3"), "The first element within, with its namespace.";
    CONDITION = "xmpp.condition", "condition", rfc6120("8.3.3"), "Why it is an error.";
    XML = "xmpp.xml", "XML", rfc7395("3.3"), "The element as it was written.";
}

rules! {
    /// The rules of XMPP over WebSocket.
    RULES;
    BAD_MESSAGE = "xmpp-bad-message", Error, rfc7395("3.3.3"), Either,
        "Not one whole element of XML",
        "The receiver closes the stream with the error not-well-formed or bad-format.";
    BINARY = "xmpp-binary-message", Error, rfc7395("3.2"), Either,
        "XMPP in a binary message",
        "The receiver closes the stream, or reads nothing of it.";
    HEADER = "xmpp-stream-header", Error, rfc7395("3.3.2"), Either,
        "The stream is opened or closed by <stream:stream>, as over TCP",
        "The receiver closes the stream with an error.",
        usually "a client for XMPP over TCP, or for the drafts before RFC 7395",
        mend "open with <open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>, and close with <close/>";
    DECLARATION = "xmpp-xml-declaration", Warning, rfc7395("3.3.3"), Either,
        "A message begins with an XML declaration",
        "A parser that expects one element fails; others pass it by.";
    NAMESPACE = "xmpp-framing-namespace", Error, rfc7395("3.3.2"), Either,
        "`open` or `close` outside of the framing namespace",
        "The receiver closes the stream with invalid-namespace.";
    STREAM_ERROR = "xmpp-stream-error", Warning, rfc7395("3.5"), Either,
        "A stream error: the stream is over",
        "The stream and the connection are closed.",
        usually "conflict: the same resource connected elsewhere; not-authorized: no login; \
                 system-shutdown: the server is stopped; policy-violation: too much at once",
        mend "look at the condition and its text";
    AUTH_FAILED = "xmpp-authentication-failed", Warning, rfc6120("6.4.5"), Client,
        "The server does not take what the client proves itself by",
        "The client may try again a few times; then the stream is closed.",
        usually "a wrong password or user name, or a mechanism that the server does not allow here",
        mend "compare the password; look at the mechanisms in stream:features";
}

/// The namespace of `<open/>` and `<close/>`.
const FRAMING: &str = "urn:ietf:params:xml:ns:xmpp-framing";

/// What opens or closes a stream.
fn looks_like(said: &Said<'_>) -> bool {
    said.text
        && (said.bytes.starts_with(b"<open ") || said.bytes.starts_with(b"<close "))
        && memchr::memmem::find(said.bytes, FRAMING.as_bytes()).is_some()
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct Xmpp {
    pending: Pending,
}

/// The only element of a message.
#[derive(Debug, Default)]
struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    /// The first child: its name and its namespace.
    child: Option<(String, Option<String>)>,
    /// What an `error` or a failure within says: its first child.
    condition: Option<String>,
    /// There was an XML declaration in front of it.
    declared: bool,
}

/// Why a message is no element: the byte where that shows, and what is wrong there.
type Fault = (usize, Text);

impl Element {
    /// Reads the element that a text is.
    fn read(text: &str) -> Result<Self, Fault> {
        let mut xml = Xml::from_str(text);
        let mut element = Self::default();
        let (mut depth, mut seen, mut parent) = (0_usize, false, String::new());
        loop {
            let at = usize::try_from(xml.buffer_position()).unwrap_or(usize::MAX).min(text.len());
            let event = xml.read_event().map_err(|_| (at, Text::new("XML that is not well-formed")))?;
            let (start, opens) = match &event {
                Event::Start(start) => (Some(start), true),
                Event::Empty(start) => (Some(start), false),
                _ => (None, false),
            };
            if let Some(start) = start {
                let name = start.name().as_ref().to_owned();
                match depth {
                    0 if seen => return Err((at, Text::with("a second element, {}", clipped(&name)))),
                    0 => {
                        element.attributes = attributes(start).map_err(|what| (at, what))?;
                        (element.name, seen) = (name.clone(), true);
                    }
                    1 if element.child.is_none() => {
                        let all = attributes(start).map_err(|what| (at, what))?;
                        let namespace =
                            all.into_iter().find(|(key, _)| key == "xmlns").map(|(_, value)| value);
                        element.child = Some((name.clone(), namespace));
                    }
                    _ => {}
                }
                // An iq's or message's error has its condition within; stream errors and failures too.
                let in_error = depth == 2 && parent == "error" || depth == 1 && is_error(&element.name);
                if in_error && element.condition.is_none() && local(&name) != "text" {
                    element.condition = Some(name.clone());
                }
                if depth == 1 {
                    parent = name;
                }
                if opens {
                    depth += 1;
                    if depth > JSON_DEPTH {
                        return Err((at, Text::with("nested deeper than {}", JSON_DEPTH)));
                    }
                }
                continue;
            }
            match event {
                Event::End(_) => depth = depth.saturating_sub(1),
                Event::Eof if depth > 0 => return Err((at, "an element that does not end".into())),
                Event::Eof if !seen => return Err((at, "no element".into())),
                Event::Eof => return Ok(element),
                Event::Decl(_) if at == 0 => element.declared = true,
                Event::DocType(_) | Event::PI(_) => {
                    return Err((at, "a document type or processing instruction".into()));
                }
                Event::Text(text) if depth == 0 && !text.trim_ascii().is_empty() => {
                    return Err((at, "text outside of the element".into()));
                }
                _ => {}
            }
        }
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is an iq, a message or a presence.
    fn is_stanza(&self) -> bool {
        matches!(&*self.name, "iq" | "message" | "presence")
    }
}

/// Whether an element's first child says why it came to that.
fn is_error(name: &str) -> bool {
    matches!(name, "stream:error" | "failure" | "failed")
}

/// A name without its prefix.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// The attributes of an element, their references left as they are.
fn attributes(start: &BytesStart<'_>) -> Result<Vec<(String, String)>, Text> {
    let all = start.attributes().map(|attribute| {
        let attribute = attribute.map_err(|_| Text::new("XML that is not well-formed"))?;
        Ok((attribute.key.as_ref().to_owned(), attribute.value.into_owned()))
    });
    all.collect()
}

impl Decoder for Xmpp {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            self.pending.lost(said.dir);
            return None;
        }
        if !said.known && !looks_like(said) {
            return None;
        }
        let Some(text) = said.as_text() else {
            let got = Text::with("a binary message of {} bytes", said.length);
            found.push(Finding::new(&BINARY, said.dir, "text messages only".into(), got).at(said.span()));
            return None;
        };
        if text.trim().is_empty() {
            // Some send white space to keep the connection up, as over TCP.
            return Some(app("white space".into()));
        }
        let inner = text.trim_start();
        if inner.starts_with("<stream:stream") || inner.starts_with("</stream:stream") || {
            inner.starts_with("<?xml") && inner.contains("<stream:stream")
        } {
            let expected = Text::with("<open/> and <close/> in {}", FRAMING);
            found.push(
                Finding::new(&HEADER, said.dir, expected, Text::with("{}", clipped(inner))).at(said.span()),
            );
            return Some(App { fields: vec![said.quote(&XML, text)], ..app("stream:stream".into()) });
        }
        let element = match Element::read(text) {
            Ok(element) => element,
            Err((at, got)) => {
                let span = Span::bytes(said.source, at as u64, u64::from(at < text.len()));
                let finding = Finding::new(&BAD_MESSAGE, said.dir, "one whole element of XML".into(), got);
                found.push(finding.at(span));
                self.pending.lost(said.dir);
                return None;
            }
        };
        judge(said, &element, found);
        Some(self.describe(said, text, &element))
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

/// What an element breaks, and what it says went wrong.
fn judge(said: &Said<'_>, element: &Element, found: &mut Vec<Finding>) {
    let mut tell = |rule, blame: Dir, expected: Text, got: Text| {
        found.push(Finding::new(rule, blame, expected, got).at(said.span()));
    };
    if element.declared {
        tell(&DECLARATION, said.dir, "the element alone".into(), "<?xml …?> in front of it".into());
    }
    let name = element.name.as_str();
    let namespace = element.attribute("xmlns");
    if matches!(name, "open" | "close") && namespace != Some(FRAMING) {
        let got = match namespace {
            Some(namespace) => Text::with("{}", clipped(namespace)),
            None => "none".into(),
        };
        tell(&NAMESPACE, said.dir, Text::with("xmlns=\"{}\"", FRAMING), got);
    }
    let condition = element.condition.as_deref().unwrap_or("?");
    if name == "stream:error" || name == "error" && namespace == Some("http://etherx.jabber.org/streams") {
        let got = Text::with("{}", clipped(condition));
        tell(&STREAM_ERROR, said.dir, "a stream that goes on".into(), got);
    }
    if name == "failure" && said.dir == Dir::Server && namespace.is_some_and(|it| it.contains("sasl")) {
        tell(&AUTH_FAILED, Dir::Client, "success".into(), Text::with("{}", clipped(condition)));
    }
}

impl Xmpp {
    fn describe(&mut self, said: &Said<'_>, text: &str, element: &Element) -> App {
        let whole =
            |def, value: &str| said.field(def, 0, text.len(), Value::Text(clipped(value).into_owned()));
        let mut fields = vec![whole(&ELEMENT, &element.name)];
        for (def, name) in [(&TYPE, "type"), (&ID, "id"), (&FROM, "from"), (&TO, "to")] {
            fields.extend(element.attribute(name).map(|value| whole(def, value)));
        }
        if let Some((name, namespace)) = &element.child {
            let words = match namespace {
                Some(namespace) => format!("{name} ({namespace})"),
                None => name.clone(),
            };
            fields.push(whole(&CHILD, &words));
        }
        fields.extend(element.condition.as_deref().map(|condition| whole(&CONDITION, condition)));
        fields.push(said.quote(&XML, text));
        let mut words = vec![element.name.as_str()];
        if element.is_stanza() {
            words.extend(element.attribute("type"));
        }
        match (&element.condition, &element.child) {
            (Some(condition), _) => words.push(condition),
            (None, Some((child, _))) if element.is_stanza() => words.push(child),
            _ => {}
        }
        let line = words.iter().map(|word| clipped(word)).collect::<Vec<_>>().join(" ");
        let mut summary = Text::with("{}", line);
        if let (true, Some(id)) = (element.name == "iq", element.attribute("id")) {
            summary = Text::new("{}, {}").word(summary).and(clipped(id));
        }
        let answers = self.tie(said, element);
        App { fields, answers, ..app(summary) }
    }

    /// Remembers an iq that asks, or finds the one that is answered.
    fn tie(&mut self, said: &Said<'_>, element: &Element) -> Option<Answer> {
        let (dir, now) = (said.dir, said.moment());
        if element.name != "iq" {
            return None;
        }
        let id = Id::text(element.attribute("id")?)?;
        match element.attribute("type")? {
            kind @ ("get" | "set") => {
                let child = element.child.as_ref().map_or("", |(name, _)| name.as_str());
                let what = format!("{kind} {}", clipped(child));
                self.pending.begin(dir, now, Request { id, what, ..Request::default() });
                None
            }
            kind @ ("result" | "error") => {
                let condition = element.condition.as_deref().map(|it| clipped(it).into_owned());
                let failure = (kind == "error").then_some(Failure { code: condition, message: None });
                self.pending.answer(dir, now, |asked| asked.id == id, failure)
            }
            _ => None,
        }
    }
}

fn app(summary: Text) -> App {
    App { protocol: "xmpp", name: "XMPP", summary, ..App::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::heard;
    use Dir::{Client, Server};

    /// The summary of each message and what it answers, and the rules that are broken.
    fn read(messages: &[(Dir, &str)]) -> (Vec<String>, Vec<&'static str>) {
        heard::lines(&mut Xmpp::default(), messages, |_, said| said)
    }

    const OPEN: (Dir, &str) =
        (Client, "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='x' version='1.0'/>");

    #[test]
    fn a_conversation() {
        let (lines, found) = read(&[
            OPEN,
            (
                Server,
                "<stream:features xmlns:stream='http://etherx.jabber.org/streams'><bind/></stream:features>",
            ),
            (Client, "<iq type='get' id='a1' xmlns='jabber:client'><ping xmlns='urn:xmpp:ping'/></iq>"),
            (Server, "<iq type='result' id='a1' xmlns='jabber:client'/>"),
            (Client, "<iq type='set' id='a2'><query xmlns='y'/></iq>"),
            (Server, "<iq type='error' id='a2'><error><text>no</text><not-allowed xmlns='z'/></error></iq>"),
            (Server, "<message type='chat' from='b'><body>hi &amp; bye</body></message>"),
            (Server, "<close xmlns=\"urn:ietf:params:xml:ns:xmpp-framing\"/>"),
        ]);
        let expected = [
            "open",
            "stream:features",
            "iq get ping, a1",
            "iq result, a1 < get ping",
            "iq set query, a2",
            "iq error not-allowed, a2 < set query",
            "message chat body",
            "close",
        ];
        assert_eq!(lines, expected);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn what_breaks_the_rules() {
        for (wire, rule) in [
            ("<iq type='get'>", "xmpp-bad-message"),
            ("<presence/><presence/>", "xmpp-bad-message"),
            ("<a></b>", "xmpp-bad-message"),
            ("hello", "xmpp-bad-message"),
            ("<a b=c/>", "xmpp-bad-message"),
            ("<stream:stream xmlns='jabber:client' to='x'>", "xmpp-stream-header"),
            ("<?xml version='1.0'?><presence/>", "xmpp-xml-declaration"),
            ("<open to='x'/>", "xmpp-framing-namespace"),
            ("<stream:error><conflict xmlns='urn:s'/></stream:error>", "xmpp-stream-error"),
        ] {
            assert_eq!(read(&[OPEN, (Client, wire)]).1, [rule], "{wire}");
        }
        let failure = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>";
        assert_eq!(read(&[OPEN, (Server, failure)]).1, ["xmpp-authentication-failed"]);
        let said = Said::sample(Client, 1, false, b"<presence/>");
        let mut found = Vec::new();
        assert_eq!(
            (Xmpp::default().read(&said, &mut found), found[0].rule.id),
            (None, "xmpp-binary-message")
        );
        let deep = "<a>".repeat(500);
        assert_eq!(read(&[(Client, &deep)]).1, ["xmpp-bad-message"]);
    }
}
