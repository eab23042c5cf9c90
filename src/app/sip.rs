//! SIP over WebSocket (RFC 7118): each message of SIP is one message of the WebSocket; a response carries the
//! branch, the Call-ID and the `CSeq` of its request.

use super::dialect::{Decoder, Dialect, Reader, Said, Sheet};
use super::excerpt::clipped;
use super::json;
use super::pending::{Id, Pending, Request, Requests};
use crate::model::json::place;
use crate::model::{Answer, App, Cite, Failure, FieldDef, Finding, Text, Value, fields, rules};

/// SIP (RFC 3261) over WebSocket (RFC 7118).
pub static DIALECT: Dialect = Dialect {
    id: "sip",
    subprotocols: &["sip"],
    looks_like: Some(looks_like),
    first: b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    last: &[],
    marks: 0,
    target: None,
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<Sip>::default()),
    sheet: Sheet {
        name: "SIP (RFC 7118)",
        shown_by: "a start line: `METHOD uri SIP/2.0` or `SIP/2.0 status reason`",
        decoded: "start line, header fields and body; requests of both sides tied to their responses by \
                  branch and CSeq, provisional ones among them; one message each, transport and lengths",
        sample: "sip.pcap",
        source: ("RFC 7118", "https://www.rfc-editor.org/rfc/rfc7118"),
    },
};

/// A section of RFC 7118.
const fn rfc7118(section: &'static str) -> Cite {
    Cite { doc: "RFC 7118", section }
}

/// A section of RFC 3261, which defines SIP.
const fn rfc3261(section: &'static str) -> Cite {
    Cite { doc: "RFC 3261", section }
}

fields! {
    /// The fields of SIP.
    FIELDS;
    METHOD = "sip.method", "method", rfc3261("7.1"), "What the request asks for.";
    URI = "sip.uri", "Request-URI", rfc3261("7.1"), "Whom the request is for.";
    STATUS = "sip.status", "status", rfc3261("7.2"), "What came of the request.";
    REASON = "sip.reason", "reason", rfc3261("7.2"), "The same in words.";
    VIA = "sip.via", "Via", rfc3261("20.42"), "The way of the request, with its transport and its branch.";
    FROM = "sip.from", "From", rfc3261("20.20"), "Who began it.";
    TO = "sip.to", "To", rfc3261("20.39"), "Whom it is meant for.";
    CALL_ID = "sip.call_id", "Call-ID", rfc3261("20.8"), "The call, or the registration, that it belongs to.";
    CSEQ = "sip.cseq", "CSeq", rfc3261("20.16"), "The request's number and method, which responses repeat.";
    CONTACT = "sip.contact", "Contact", rfc3261("20.10"), "Where its sender is reached.";
    CONTENT_TYPE = "sip.content_type", "Content-Type", rfc3261("20.15"), "What the body is.";
    CONTENT_LENGTH = "sip.content_length", "Content-Length", rfc3261("20.14"),
        "Bytes of the body; not needed here, as a message of the WebSocket ends where its SIP message ends.";
    HEADERS = "sip.headers", "headers", rfc3261("7.3"), "All header fields.";
    BODY = "sip.body", "body", rfc3261("7.4"), "What the message carries, such as SDP.";
}

rules! {
    /// The rules of SIP over WebSocket.
    RULES;
    BAD_MESSAGE = "sip-bad-message", Error, rfc3261("7"), Either,
        "Not a message of SIP",
        "The receiver answers 400 or drops it.";
    SEVERAL = "sip-several-messages", Error, rfc7118("5.1"), Either,
        "More than one SIP message in a WebSocket message",
        "The receiver reads the first, and takes the others for a part of its body or drops them.";
    LENGTH = "sip-content-length-mismatch", Error, rfc3261("18.3"), Either,
        "The Content-Length is not the length of the body",
        "The receiver cuts the body off, or answers 400 where it is too short.",
        usually "the length was counted in characters instead of bytes, or the body was changed on the way",
        mend "count bytes of UTF-8, or leave the field out, which RFC 7118 §5.1 allows";
    TRANSPORT = "sip-via-transport", Error, rfc7118("5.2.1"), Either,
        "The topmost Via of a request names another transport than WS or WSS",
        "The responses are sent another way, or not at all.",
        usually "a proxy or library that writes a fixed transport into Via",
        mend "let it write WS, or WSS under TLS";
    MISSING = "sip-missing-field", Error, rfc3261("8.1.1"), Either,
        "A field is missing that each SIP message must have",
        "The receiver answers 400; a response without them finds no request.";
}

const METHODS: &[&str] = &[
    "ACK",
    "BYE",
    "CANCEL",
    "INFO",
    "INVITE",
    "MESSAGE",
    "NOTIFY",
    "OPTIONS",
    "PRACK",
    "PUBLISH",
    "REFER",
    "REGISTER",
    "SUBSCRIBE",
    "UPDATE",
];

/// Fields by their names, their compact forms (RFC 3261 §7.3.3), and what they are.
const KNOWN: &[(&str, &str, &FieldDef)] = &[
    ("Via", "v", &VIA),
    ("From", "f", &FROM),
    ("To", "t", &TO),
    ("Call-ID", "i", &CALL_ID),
    ("CSeq", "CSeq", &CSEQ),
    ("Contact", "m", &CONTACT),
    ("Content-Type", "c", &CONTENT_TYPE),
    ("Content-Length", "l", &CONTENT_LENGTH),
];

/// What begins with a start line.
fn looks_like(said: &Said<'_>) -> bool {
    begins(said.bytes)
}

/// Whether bytes begin with a start line of SIP.
fn begins(bytes: &[u8]) -> bool {
    if bytes.starts_with(b"SIP/2.0 ") {
        return true;
    }
    let line = &bytes[..memchr::memchr(b'\r', bytes).unwrap_or(0)];
    line.ends_with(b" SIP/2.0")
        && METHODS
            .iter()
            .any(|method| line.strip_prefix(method.as_bytes()).is_some_and(|rest| rest.starts_with(b" ")))
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct Sip {
    /// Requests without a final response.
    pending: Pending,
}

/// A message taken apart.
struct Message<'t> {
    start: Start<'t>,
    head: &'t str,
    body: &'t [u8],
    /// Names and values, in order.
    fields: Vec<(&'t str, &'t str)>,
}

enum Start<'t> {
    Request { method: &'t str, uri: &'t str },
    Response { status: &'t str, reason: &'t str },
}

impl<'t> Message<'t> {
    /// Reads a message; what is wrong where it is none.
    fn read(bytes: &'t [u8]) -> Result<Self, Text> {
        let end =
            memchr::memmem::find(bytes, b"\r\n\r\n").ok_or("a head without the empty line that ends it")?;
        let (head, body) = (&bytes[..end], &bytes[end + 4..]);
        let head = str::from_utf8(head).map_err(|_| "a head that is no UTF-8")?;
        let mut lines = head.split("\r\n");
        let line = lines.next().unwrap_or_default();
        let start = match (line.strip_prefix("SIP/2.0 "), line.strip_suffix(" SIP/2.0")) {
            (Some(rest), _) => {
                let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
                let is_status = status.len() == 3 && matches!(status.as_bytes()[0], b'1'..=b'6');
                if !is_status || status.parse::<u16>().is_err() {
                    return Err(Text::with("status {}", clipped(status)));
                }
                Start::Response { status, reason }
            }
            (None, Some(rest)) => match rest.split_once(' ') {
                Some((method, uri)) if !method.is_empty() && !uri.contains(' ') => {
                    Start::Request { method, uri }
                }
                _ => return Err(Text::with("{}", clipped(line))),
            },
            (None, None) => return Err(Text::with("{}", clipped(line))),
        };
        let mut fields = Vec::new();
        for line in lines {
            // A line that begins with white space goes on with the field before (§7.3.1).
            if line.starts_with([' ', '\t']) {
                continue;
            }
            let Some((name, value)) = line.split_once(':') else {
                return Err(Text::with("a line without a colon: {}", clipped(line)));
            };
            fields.push((name.trim_end(), value.trim()));
        }
        Ok(Self { start, head, body, fields })
    }

    /// The value of the first field of this name, or its compact form.
    fn field(&self, name: &str) -> Option<&'t str> {
        let compact = KNOWN.iter().find(|(long, ..)| *long == name).map_or(name, |(_, compact, _)| compact);
        let is_it = |it: &str| it.eq_ignore_ascii_case(name) || it.eq_ignore_ascii_case(compact);
        self.fields.iter().find(|(it, _)| is_it(it)).map(|(_, value)| *value)
    }
}

impl Decoder for Sip {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            self.pending.lost(said.dir);
            return None;
        }
        if !said.known && !begins(said.bytes) {
            return None;
        }
        // A keep-alive (RFC 5626 §3.5.1, RFC 7118 §6).
        if said.known && matches!(said.bytes, b"\r\n" | b"\r\n\r\n") {
            return Some(app("keep-alive".into()));
        }
        let message = match Message::read(said.bytes) {
            Ok(message) => message,
            Err(got) => {
                let expected = "a start line, header fields, an empty line, and the body".into();
                found.push(Finding::new(&BAD_MESSAGE, said.dir, expected, got).at(said.span()));
                self.pending.lost(said.dir);
                return None;
            }
        };
        judge(said, &message, found);
        Some(self.describe(said, &message))
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

/// What a message breaks.
fn judge(said: &Said<'_>, message: &Message<'_>, found: &mut Vec<Finding>) {
    let mut tell = |rule, expected: Text, got: Text, part: Option<&str>| {
        let span = part.map_or_else(|| said.span(), |part| said.span_of(part));
        found.push(Finding::new(rule, said.dir, expected, got).at(span));
    };
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        if message.field(name).is_none() {
            tell(&MISSING, Text::with("a field {}", name), "none".into(), None);
        }
    }
    let length_at = message.field("Content-Length");
    let declared = length_at.and_then(|length| length.parse::<usize>().ok());
    let rest = &message.body[declared.unwrap_or(0).min(message.body.len())..];
    let next = rest.trim_ascii_start();
    // A body may be one itself, or a part of one.
    let kind = message.field("Content-Type").unwrap_or_default();
    let is_inside = declared.is_none() && kind.to_ascii_lowercase().starts_with("message/sip");
    if begins(next) && !is_inside {
        let got = Text::with("another one at byte {}", said.bytes.len() - next.len());
        tell(&SEVERAL, "one SIP message a WebSocket message".into(), got, None);
    } else if let (Some(declared), Some(at)) = (declared, length_at)
        && declared != message.body.len()
    {
        let got = Text::with("{}, and a body of {} bytes", declared).and(message.body.len());
        tell(&LENGTH, "the body's length in bytes".into(), got, Some(at));
    }
    if let (Start::Request { .. }, Some(via)) = (&message.start, message.field("Via")) {
        let transport =
            via.split_whitespace().next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        if !transport.eq_ignore_ascii_case("WS") && !transport.eq_ignore_ascii_case("WSS") {
            tell(&TRANSPORT, "SIP/2.0/WS or SIP/2.0/WSS".into(), Text::with("{}", clipped(via)), Some(via));
        }
    }
}

impl Sip {
    fn describe(&mut self, said: &Said<'_>, message: &Message<'_>) -> App {
        let mut fields = Vec::new();
        let text = |def, part: &str| said.quote(def, part);
        let cseq = message.field("CSeq").unwrap_or_default();
        let summary = match message.start {
            Start::Request { method, uri } => {
                fields.push(text(&METHOD, method));
                fields.push(text(&URI, uri));
                Text::with("{}", format!("{} {}", clipped(method), clipped(uri)))
            }
            Start::Response { status, reason } => {
                let at = place(message.head, status);
                fields.push(said.field(&STATUS, at, 3, Value::Number(status.parse().unwrap_or_default())));
                fields.push(text(&REASON, reason));
                let method = cseq.split_whitespace().nth(1).unwrap_or_default();
                Text::with("{} to {}", format!("{status} {}", clipped(reason))).and(clipped(method))
            }
        };
        for (name, _, def) in KNOWN {
            fields.extend(message.field(name).map(|value| text(def, value)));
        }
        let lines = message.head.split_once("\r\n").map_or("", |(_, lines)| lines);
        fields.push(text(&HEADERS, lines));
        if !message.body.is_empty() {
            let at = said.bytes.len() - message.body.len();
            fields.push(said.field(&BODY, at, message.body.len(), json::content(message.body)));
        }
        let answers = self.tie(said, message, cseq);
        App { fields, answers, ..app(summary) }
    }

    /// Remembers a request, or finds the one that is answered: by the topmost branch and the method in `CSeq`
    /// (RFC 3261 §17.1.3).
    fn tie(&mut self, said: &Said<'_>, message: &Message<'_>, cseq: &str) -> Option<Answer> {
        let (dir, now) = (said.dir, said.moment());
        let via = message.field("Via")?;
        let branch = via.split(';').find_map(|part| part.trim().strip_prefix("branch="))?;
        let branch = branch.split(',').next().unwrap_or(branch).trim();
        let of = cseq.split_whitespace().nth(1)?;
        let id = Id::text(&format!("{branch} {of}"))?;
        match message.start {
            // An ACK is answered by nothing.
            Start::Request { method: "ACK", .. } => None,
            Start::Request { method, .. } => {
                let (what, method) = (clipped(method).into_owned(), None);
                // What is sent again is the same transaction.
                self.pending.begin_once(dir, now, Request { id, what, method, ..Request::default() });
                None
            }
            Start::Response { status, reason } => {
                let is_it = |asked: &Request| asked.id == id;
                if status.starts_with('1') {
                    return self.pending.go_on(dir, now, is_it);
                }
                let failure = is_failure(status).then(|| Failure {
                    code: Some(status.to_owned()),
                    message: Some(clipped(reason).into_owned()),
                });
                // A final response is sent again until it is acknowledged: that is no second answer.
                self.pending.take(dir, now, is_it, failure).map(|(answer, _)| answer)
            }
        }
    }
}

/// Whether a status says that something went wrong: to be asked for a password, that somebody is busy or does
/// not want to talk, or that a call was given up is how calls go.
fn is_failure(status: &str) -> bool {
    status.starts_with(['4', '5', '6'])
        && !matches!(status, "401" | "407" | "480" | "486" | "487" | "600" | "603")
}

fn app(summary: Text) -> App {
    App { protocol: "sip", name: "SIP", summary, ..App::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::heard;
    use crate::model::Dir;
    use Dir::{Client, Server};

    /// The summary of each message and what it answers, and the rules that are broken.
    fn read(messages: &[(Dir, &str)]) -> (Vec<String>, Vec<&'static str>) {
        heard::lines(&mut Sip::default(), messages, |_, said| said)
    }

    fn message(start: &str, via: &str, cseq: &str, rest: &str) -> String {
        let ways = format!("Via: SIP/2.0/{via};branch=z9hG4bK1\r\nf: <sip:a@x>;tag=1\r\nTo: <sip:b@x>");
        format!("{start}\r\n{ways}\r\ni: 7\r\nCSeq: {cseq}\r\n{rest}")
    }

    #[test]
    fn a_call() {
        let invite =
            message("INVITE sip:b@x SIP/2.0", "WS a.invalid", "1 INVITE", "Content-Length: 4\r\n\r\nv=0\n");
        let trying = message("SIP/2.0 100 Trying", "WS a.invalid", "1 INVITE", "\r\n");
        let ok = message("SIP/2.0 200 OK", "WS a.invalid", "1 INVITE", "\r\n");
        let ack = message("ACK sip:b@x SIP/2.0", "WSS a.invalid", "1 ACK", "\r\n");
        let (lines, found) = read(&[
            (Client, &invite),
            (Server, &trying),
            (Server, &ok),
            (Client, &ack),
            (Client, "\r\n\r\n"),
        ]);
        let expected = [
            "INVITE sip:b@x",
            "100 Trying to INVITE < INVITE",
            "200 OK to INVITE < INVITE",
            "ACK sip:b@x",
            "keep-alive",
        ];
        assert_eq!(lines, expected);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn what_breaks_the_rules() {
        let one = |via: &str, rest: &str| message("MESSAGE sip:b@x SIP/2.0", via, "1 MESSAGE", rest);
        for (wire, rule) in [
            ("hello".to_owned(), "sip-bad-message"),
            ("SIP/2.0 99 x\r\n\r\n".to_owned(), "sip-bad-message"),
            (one("WS a", "\r\n") + &one("WS a", "\r\n"), "sip-several-messages"),
            (one("WS a", "Content-Length: 0\r\n\r\n") + &one("WS a", "\r\n"), "sip-several-messages"),
            (one("WS a", "Content-Length: 2\r\n\r\n本"), "sip-content-length-mismatch"),
            (one("TCP a", "\r\n"), "sip-via-transport"),
            (one("WS a", "\r\n").replace("CSeq: 1 MESSAGE\r\n", ""), "sip-missing-field"),
        ] {
            assert_eq!(read(&[(Client, &wire)]).1, [rule], "{wire}");
        }
    }

    #[test]
    fn what_looks_like_it() {
        for (wire, is_it) in [
            ("REGISTER sip:x SIP/2.0\r\n", true),
            ("SIP/2.0 200 OK\r\n", true),
            ("GET / HTTP/1.1\r\n", false),
            ("REGISTERED sip:x SIP/2.0\r\n", false),
            ("SEND\ndestination:a\n\n\0", false),
            ("", false),
        ] {
            assert_eq!(begins(wire.as_bytes()), is_it, "{wire}");
        }
    }
}
