//! `SockJS` over WebSocket: what a server sends is framed by a letter, what a client sends is an array of
//! strings; each string is a message of whatever protocol the application speaks.

use super::dialect::{Decoder, Dialect, Reader, Said, Sheet};
use super::excerpt::clipped;
use super::json;
use super::pending::Requests;
use super::talk::Talk;
use crate::limits::APP_PACKETS;
use crate::model::{App, Cite, Dir, Finding, Span, Text, Time, Value, fields, rules};

/// `SockJS`, by its transport `websocket`; what `rawwebsocket` carries has no frames.
pub static DIALECT: Dialect = Dialect {
    id: "sockjs",
    subprotocols: &[],
    looks_like: None,
    first: &[],
    last: &[],
    marks: 0,
    target: Some(is_target),
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<SockJs>::default()),
    sheet: Sheet {
        name: "SockJS",
        shown_by: "a target `/…/NNN/SESSION/websocket`, and the frame `o`",
        decoded: "frames `o`, `h`, `a[…]`, `m…`, `c[code,reason]`, and the messages in them by whatever \
                  protocol they speak, such as STOMP",
        sample: "sockjs.pcap",
        source: (
            "SockJS-protocol \
                  0.3.3",
            "https://sockjs.github.io/sockjs-protocol/sockjs-protocol-0.3.3.html",
        ),
    },
};

/// A part of the specification.
const fn sockjs(section: &'static str) -> Cite {
    Cite { doc: "SockJS-protocol 0.3.3", section }
}

fields! {
    /// The fields of `SockJS`.
    FIELDS;
    TYPE = "sockjs.type", "type", sockjs("Framing"), "What the frame is for.";
    MESSAGE = "sockjs.message", "message", sockjs("Framing"),
        "A message of the application, which the frame carries as a string.";
    CODE = "sockjs.code", "code", sockjs("Framing"),
        "Why the session is over, as a number.";
    REASON = "sockjs.reason", "reason", sockjs("Framing"), "The same in words.";
}

rules! {
    /// The rules of `SockJS`.
    RULES;
    BAD_FRAME = "sockjs-bad-frame", Error, sockjs("Framing"), Either,
        "Not a frame of SockJS",
        "A server ends the session (\"Broken framing.\"); what a client makes of it differs.";
    OUT_OF_SESSION = "sockjs-out-of-session", Error, sockjs("Framing"), Server,
        "A frame of SockJS before the session was opened, or after it was closed",
        "A second opening ends the session; the rest may be lost.";
    CLOSED = "sockjs-closed", Warning, sockjs("Framing"), Server,
        "The server refused or broke off a SockJS session",
        "The client sees the code and the reason in its close event, and does not connect again by itself.",
        usually "the server gave the session up, by the reason that it says",
        mend "2010: let each connection ask for a session of its own, and do not repeat requests in a proxy; \
              1002: look for what interrupted the first connection";
}

/// `/echo/000/abcdefgh/websocket`: three digits for load balancers, the session, the transport.
fn is_target(path: &str, _query: &str) -> bool {
    let path = path.split('#').next().unwrap_or_default();
    let Some(before) = path.strip_suffix("/websocket") else { return false };
    let mut parts = before.rsplit('/');
    let (session, server) = (parts.next(), parts.next());
    session.is_some_and(|it| !it.is_empty() && !it.contains('.'))
        && server.is_some_and(|it| it.len() == 3 && it.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct SockJs {
    phase: Phase,
    /// What the messages speak.
    inner: Box<Talk>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Fresh,
    Open,
    Closed,
    /// Something is missing.
    Unknown,
}

/// A frame.
enum Frame<'t> {
    Open,
    Heartbeat,
    /// Messages, each as it was written.
    Messages(&'static str, Vec<&'t str>),
    Close(&'t str, &'t str),
}

impl Decoder for SockJs {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            self.lost(said.dir);
            return None;
        }
        let Some(frame) = said.as_text().and_then(|text| frame(said.dir, text)) else {
            // Some clients end with an empty message; nobody minds.
            if !said.bytes.is_empty() {
                let expected = match said.dir {
                    Dir::Client => "an array of strings, or a string, in JSON",
                    Dir::Server => "o, h, a[…], m… or c[code,\"reason\"]",
                };
                let text = said.as_text().map(clipped);
                let got = text.map_or_else(|| said.instead(), |text| Text::with("{}", text));
                found.push(Finding::new(&BAD_FRAME, said.dir, expected.into(), got).at(said.span()));
            }
            return None;
        };
        if !said.known && !matches!(frame, Frame::Open | Frame::Close(..)) {
            return None;
        }
        self.judge(said, &frame, found);
        Some(self.describe(said, &frame, found))
    }

    fn lost(&mut self, dir: Dir) {
        self.phase = Phase::Unknown;
        self.inner.lost(dir);
    }

    fn behind(&mut self, dir: Dir) {
        self.phase = Phase::Unknown;
        self.inner.behind(dir);
    }

    fn end(&mut self, ended: Option<Time>, found: &mut Vec<Finding>) {
        found.extend(self.inner.end(ended));
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut *self.inner)
    }
}

/// Reads a frame of a direction.
fn frame(dir: Dir, text: &str) -> Option<Frame<'_>> {
    let is_string = |text: &str| text.starts_with('"') && json::is_valid(text);
    if dir == Dir::Client {
        let text = text.trim();
        return if text.starts_with('[') {
            strings(text).map(|all| Frame::Messages("[]", all))
        } else {
            is_string(text).then(|| Frame::Messages("\"\"", vec![text]))
        };
    }
    let mut chars = text.chars();
    let kind = chars.next()?;
    let rest = chars.as_str();
    match kind {
        'o' if rest.trim().is_empty() => Some(Frame::Open),
        'h' if rest.trim().is_empty() => Some(Frame::Heartbeat),
        'a' if rest.starts_with('[') => strings(rest).map(|all| Frame::Messages("a", all)),
        'm' if is_string(rest) => Some(Frame::Messages("m", vec![rest])),
        'c' if json::is_valid(rest) => match json::elements(rest)[..] {
            [code, reason] if code.parse::<u16>().is_ok() && reason.starts_with('"') => {
                Some(Frame::Close(code, reason))
            }
            _ => None,
        },
        _ => None,
    }
}

/// The strings of an array that has nothing else.
fn strings(array: &str) -> Option<Vec<&str>> {
    let all = if json::is_valid(array) { json::elements(array) } else { return None };
    all.iter().all(|it| it.starts_with('"')).then_some(all)
}

impl SockJs {
    fn judge(&mut self, said: &Said<'_>, frame: &Frame<'_>, found: &mut Vec<Finding>) {
        if said.dir == Dir::Client {
            return;
        }
        let got = match (self.phase, frame) {
            (Phase::Fresh, Frame::Heartbeat | Frame::Messages(..)) => Some("a frame before o"),
            (Phase::Open, Frame::Open) => Some("a second o"),
            (Phase::Closed, Frame::Heartbeat | Frame::Messages(..) | Frame::Open) => Some("a frame after c"),
            _ => None,
        };
        if let Some(got) = got {
            let expected = "o, then messages and heartbeats, then c".into();
            found.push(Finding::new(&OUT_OF_SESSION, said.dir, expected, got.into()).at(said.span()));
        }
        match frame {
            Frame::Open => self.phase = Phase::Open,
            Frame::Close(code, reason) => {
                // Applications close with 3000, or with codes of their own; what comes below 3000 is the
                // server's, and so is 1000.
                let number: u16 = code.parse().unwrap_or_default();
                if self.phase != Phase::Closed && !matches!(number, 1000 | 3000..) {
                    let words = json::string(reason).unwrap_or_default();
                    let got = Text::with("{} {}", number).and(clipped(&words));
                    let finding = Finding::new(&CLOSED, said.dir, "a session that goes on".into(), got);
                    found.push(finding.at(said.span_of(code)));
                }
                self.phase = Phase::Closed;
            }
            _ => {}
        }
    }

    fn describe(&mut self, said: &Said<'_>, frame: &Frame<'_>, found: &mut Vec<Finding>) -> App {
        let kind = |at: usize, name: &str| said.field(&TYPE, 0, at, Value::Text(name.to_owned()));
        match frame {
            Frame::Open => App { fields: vec![kind(1, "o")], ..app("o: the session is open".into()) },
            Frame::Heartbeat => App { fields: vec![kind(1, "h")], ..app("h: heartbeat".into()) },
            Frame::Close(code, reason) => {
                let words = json::string(reason).unwrap_or_default();
                let fields = vec![kind(1, "c"), said.literal(&CODE, code), said.literal(&REASON, reason)];
                App { fields, ..app(Text::with("{}", format!("c {code} {}", clipped(&words)))) }
            }
            Frame::Messages(name, messages) => {
                let letter = usize::from(said.dir == Dir::Server);
                let summary = match messages[..] {
                    [one] => {
                        let words = json::string(one).unwrap_or_default();
                        Text::with("{}", format!("{name}: {}", clipped(&words)))
                    }
                    _ => Text::with("{}: {} messages", *name).and(messages.len()),
                };
                let mut fields = vec![kind(letter, name)];
                fields.extend(messages.iter().take(APP_PACKETS).map(|it| said.literal(&MESSAGE, it)));
                let frame = App { fields, ..app(summary) };
                let inside: Vec<App> =
                    messages.iter().take(APP_PACKETS).filter_map(|it| self.inside(said, it, found)).collect();
                if messages.len() > APP_PACKETS {
                    self.inner.lost(said.dir);
                }
                if inside.is_empty() {
                    return frame;
                }
                app(Text::default()).around(std::iter::once(frame).chain(inside).collect())
            }
        }
    }

    /// What a message means, where it speaks a protocol that is known.
    fn inside(&mut self, said: &Said<'_>, literal: &str, found: &mut Vec<Finding>) -> Option<App> {
        let message = json::string(literal)?;
        let mut inner = Said {
            content: Some(&message),
            sources: said.sources,
            time: said.time,
            packets: said.packets,
            ..Said::new(said.dir, true, message.as_bytes(), said.source)
        };
        let (mut room, mut own) = (App::default(), Vec::new());
        let meaning = self.inner.read(&mut inner, &mut own, &mut room);
        // Escapes have made other bytes of it: everything about it stands where the whole string does.
        let span = said.span_of(literal);
        for finding in &mut own {
            finding.spans = vec![span];
        }
        found.append(&mut own);
        let mut app = meaning?.into_app(&room);
        if app.protocol == super::json::DIALECT.id {
            return None;
        }
        place(&mut app, span);
        Some(app)
    }
}

/// Makes a packet say of all its parts that they stand there.
fn place(app: &mut App, span: Span) {
    app.fields.iter_mut().for_each(|field| field.span = span);
    (app.parts, app.sources) = (Vec::new(), Vec::new());
    app.packets.iter_mut().for_each(|packet| place(packet, span));
}

fn app(summary: Text) -> App {
    App { protocol: "sockjs", name: "SockJS", summary, ..App::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{DIALECTS, heard};

    /// The summary of each message, and the rules that are broken.
    fn read(messages: &[(Dir, &str)]) -> (Vec<String>, Vec<&'static str>) {
        let (apps, broken) = heard::apps(&mut SockJs::default(), messages, |i, said| Said {
            known: i > 0,
            expected: true,
            ..said
        });
        let line = |app: Option<App>| app.map_or("-".into(), |app| app.summary.to_string());
        (apps.into_iter().map(line).collect(), broken)
    }

    use Dir::{Client, Server};

    #[test]
    fn frames_and_what_is_in_them() {
        let (lines, found) = read(&[
            (Server, "o"),
            (Client, r#"["CONNECT\nhost:x\n\n\u0000"]"#),
            (Server, r#"a["CONNECTED\nversion:1.2\n\n\u0000","hello"]"#),
            (Server, "h"),
            (Client, r#""hi""#),
            (Server, r#"m"hi""#),
            (Server, r#"c[3000,"Go away!"]"#),
        ]);
        let expected = [
            "o: the session is open",
            "[]: CONNECT\nhost:x\n\n\0; CONNECT",
            "a: 2 messages; CONNECTED",
            "h: heartbeat",
            "\"\": hi",
            "m: hi",
            "c 3000 Go away!",
        ];
        assert_eq!(lines, expected);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn what_breaks_the_rules() {
        for (messages, rule) in [
            (&[(Server, "o"), (Server, "a[1]")][..], "sockjs-bad-frame"),
            (&[(Server, "o"), (Client, "hello")], "sockjs-bad-frame"),
            (&[(Server, "o"), (Server, "o")], "sockjs-out-of-session"),
            (&[(Server, "o"), (Server, "c[3000,\"\"]"), (Server, "a[\"x\"]")], "sockjs-out-of-session"),
            (&[(Server, "c[2010,\"Another connection still open\"]")], "sockjs-closed"),
        ] {
            assert_eq!(read(messages).1, [rule], "{messages:?}");
        }
    }

    #[test]
    fn targets() {
        let is_target = |target| crate::app::expected(target).is_some_and(|at| *DIALECTS[at] == DIALECT);
        for target in ["/echo/000/abcdefgh/websocket", "/a/b/123/x_y/websocket?t=1"] {
            assert!(is_target(target), "{target}");
        }
        for target in
            ["/echo/websocket", "/echo/abc/def/websocket", "/000/abcdefgh/xhr", "/000//websocket", "/"]
        {
            assert!(!is_target(target), "{target}");
        }
    }
}
