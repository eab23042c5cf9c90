//! Pusher Channels, protocol version 7: events by name, on channels that are subscribed to; also what Soketi,
//! Laravel Reverb and others speak.

use super::dialect::{Decoder, Dialect, Reader, Said, Sheet};
use super::excerpt::clipped;
use super::glance::PUSHER;
use super::json::{self, Object};
use super::pending::{Id, Pending, Request, Requests};
use crate::model::{Answer, App, Cite, Dir, Failure, Field, Finding, Heartbeat, Text, Value, fields, rules};

/// Pusher Channels.
pub static DIALECT: Dialect = Dialect {
    id: "pusher",
    subprotocols: &[],
    looks_like: Some(looks_like),
    first: b"{ \t\n\x0C\r",
    last: &[],
    marks: PUSHER,
    target: Some(is_target),
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<Pusher>::default()),
    sheet: Sheet {
        name: "Pusher Channels",
        shown_by: "a target `/app/KEY?…protocol=…`; an event `pusher:…` or `pusher_internal:…`",
        decoded: "event, channel, data and socket id; subscriptions tied to what came of them, errors 4000 \
                  to 4399 by what they mean, pings and pongs",
        sample: "pusher.pcap",
        source: (
            "Pusher Channels Protocol",
            "https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol/",
        ),
    },
};

/// A part of the specification.
const fn pusher(section: &'static str) -> Cite {
    Cite { doc: "Pusher Channels Protocol", section }
}

fields! {
    /// The fields of Pusher Channels.
    FIELDS;
    EVENT = "pusher.event", "event", pusher("Events"), "What happened, or what the client wants.";
    CHANNEL = "pusher.channel", "channel", pusher("Channels"), "The channel that it is about.";
    SOCKET = "pusher.socket_id", "socket_id", pusher("Connection Events"),
        "The connection's id, which private channels are authorised for.";
    CODE = "pusher.code", "code", pusher("Error Codes"), "What went wrong, as a number.";
    DATA = "pusher.data", "data", pusher("Double encoding"), "What the event carries, often JSON in a \
                                                            string.";
}

rules! {
    /// The rules of Pusher Channels.
    RULES;
    BAD_MESSAGE = "pusher-bad-message", Error, pusher("Events"), Either,
        "Not a message of Pusher Channels",
        "The receiver drops it, or answers with pusher:error.";
    ERROR = "pusher-error", Warning, pusher("Error Codes"), Server,
        "The server reports an error (pusher:error)",
        "4000 to 4099: the client shall not connect again; 4100 to 4199: after a pause; 4200 to 4299: at \
         once; 4300 and above: only what was asked for failed.",
        usually "what its code says",
        mend "4001: compare key and cluster with the application's; 4004 and 4100: fewer connections or \
              another plan; 4009: authorise within the time; 4201: answer pings; 4301: send client events \
              less often";
    REFUSED = "pusher-subscription-refused", Warning, pusher("Channels"), Server,
        "A subscription to a channel failed",
        "The client gets pusher:subscription_error and none of the channel's events.",
        usually "the signature that the application's own endpoint made does not fit: another secret, \
                 socket_id or channel; or that endpoint refuses the user",
        mend "look at what the endpoint answers, and at the key and secret that it signs with";
    TOO_EARLY = "pusher-before-established", Error, pusher("Connection Events"), Either,
        "A message before pusher:connection_established",
        "The server drops it, or closes the connection with an error.";
    CLIENT_EVENT = "pusher-client-event-on-public-channel", Error, pusher("Channel Client Events"), Client,
        "A client event on a channel that is neither private nor of presence",
        "The server drops it, and answers with pusher:error.";
}

/// `/app/KEY?protocol=7&client=js&version=8`.
fn is_target(path: &str, query: &str) -> bool {
    query.split('&').any(|pair| pair.starts_with("protocol=")) && path.contains("/app/")
}

fn looks_like(said: &Said<'_>) -> bool {
    said.bears(b"{", PUSHER)
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct Pusher {
    pending: Pending,
    established: Option<bool>,
}

/// What error codes mean.
const ERRORS: &[(u64, &str)] = &[
    (4000, "the application only accepts TLS connections"),
    (4001, "there is no application of this key in this cluster"),
    (4003, "the application is disabled"),
    (4004, "the application is over its connection quota"),
    (4005, "there is nothing at this path"),
    (4006, "the version string has a wrong format"),
    (4007, "the protocol version is not supported"),
    (4008, "the protocol version is missing"),
    (4009, "the connection is not authorised"),
    (4100, "the server is over its capacity"),
    (4200, "connect again at once"),
    (4201, "a ping was not answered in time"),
    (4202, "the connection was idle for too long"),
    (4301, "too many client events"),
    (4302, "the watchlist is too long"),
];

impl Decoder for Pusher {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            self.lost(said.dir);
            return None;
        }
        if !said.known && !said.expected && !looks_like(said) {
            return None;
        }
        let object = said.as_json().and_then(Object::read);
        let Some((event, object)) = object.and_then(|object| Some((object.string("event")?, object))) else {
            found.push(said.broken(&BAD_MESSAGE, "an object with an event".into()));
            return None;
        };
        let is_own = event.starts_with("pusher:") || event.starts_with("pusher_internal:");
        if !said.known && !is_own {
            return None;
        }
        // Who sees the beginning knows when it was established.
        let is_first = self.established.is_none();
        if is_first {
            self.established = Some(!said.expected);
        }
        let app = self.take(said, &event, &object, found);
        let is_early = self.established == Some(false) && event != "pusher:error";
        if is_early && !matches!(&*event, "pusher:ping" | "pusher:pong") {
            let expected = "pusher:connection_established first".into();
            let got = Text::with("{}", clipped(&event));
            found.push(Finding::new(&TOO_EARLY, said.dir, expected, got).at(said.span()));
            self.established = Some(true);
        }
        Some(app)
    }

    fn lost(&mut self, dir: Dir) {
        self.pending.lost(dir);
        self.established = Some(true);
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

impl Pusher {
    fn take(&mut self, said: &Said<'_>, event: &str, object: &Object<'_>, found: &mut Vec<Finding>) -> App {
        let data_at = object.get("data");
        // Servers put JSON into a string, clients mostly do not.
        let written = data_at.and_then(json::string);
        let data = written.as_deref().or(data_at).and_then(Object::read);
        let inner = |name: &str| data.as_ref().and_then(|data| data.get(name));
        let channel = object.string("channel").or_else(|| inner("channel").and_then(json::string));
        let mut fields = Vec::new();
        fields.extend(object.get("event").map(|at| said.literal(&EVENT, at)));
        let in_message = |literal: &&str| written.is_none() || object.get("channel") == Some(*literal);
        let channel_at = object.get("channel").or_else(|| inner("channel")).filter(in_message);
        fields.extend(channel_at.map(|at| said.literal(&CHANNEL, at)));
        let mut summary = Text::with("{}", clipped(event));
        if let Some(channel) = &channel {
            summary = Text::with("{}", format!("{} {}", clipped(event), clipped(channel)));
        }
        let code =
            inner("code").and_then(|code| code.parse::<u64>().ok()).filter(|_| event == "pusher:error");
        let known = code.and_then(|code| ERRORS.iter().find(|(known, _)| *known == code));
        let meaning = known.map_or_else(Text::default, |(_, words)| Text::new(words));
        if let Some(whole) = data_at.map(|at| said.literal(&DATA, at)) {
            // Escapes may have made other bytes of it: what is in it stands where all of it does.
            let part = |def, value| Field { span: whole.span, ..said.field(def, 0, 0, value) };
            let code =
                code.map(|code| Field { meaning: meaning.clone(), ..part(&CODE, Value::Number(code)) });
            let socket = inner("socket_id").and_then(json::string);
            fields.extend(code.into_iter().chain(socket.map(|id| part(&SOCKET, Value::Text(id)))));
            fields.push(whole);
        }
        let mut app = App { protocol: "pusher", name: "Pusher", summary, fields, ..App::default() };
        let mut tell = |rule, blame, expected: &'static str, got: Text| {
            found.push(Finding::new(rule, blame, expected.into(), got).at(said.span()));
        };
        match (said.dir, event) {
            (_, "pusher:ping") => app.heartbeat = Some(Heartbeat::Ping),
            (_, "pusher:pong") => app.heartbeat = Some(Heartbeat::Pong),
            (Dir::Server, "pusher:connection_established") => self.established = Some(true),
            (Dir::Server, "pusher:error") => {
                let words = inner("message").and_then(json::string).unwrap_or_default();
                let got = match code {
                    Some(code) => Text::with("{}", format!("{code} {}", clipped(&words))),
                    None => Text::with("{}", clipped(&words)),
                };
                app.summary = Text::new("{} {}").word(app.summary).word(got.clone());
                let finding = Finding::new(&ERROR, said.dir, "a connection without errors".into(), got);
                found.push(finding.behind(meaning).at(said.span()));
            }
            (Dir::Client, "pusher:subscribe" | "pusher:signin") => {
                let id = Id::text(channel.as_deref().unwrap_or(event));
                let what = match &channel {
                    Some(channel) => format!("subscribe {}", clipped(channel)),
                    None => "signin".to_owned(),
                };
                let method = Some(event.to_owned());
                let request = id.map(|id| Request { id, what, method, ..Request::default() });
                if let Some(request) = request {
                    self.pending.begin_once(said.dir, said.moment(), request);
                }
            }
            (Dir::Client, "pusher:unsubscribe") => {
                let id = Id::text(channel.as_deref().unwrap_or_default());
                self.pending.cancel(Dir::Server, |asked| Some(&asked.id) == id.as_ref());
            }
            (Dir::Server, "pusher_internal:subscription_succeeded") => {
                app.answers = self.answer(said, channel.as_deref(), None);
            }
            (Dir::Server, "pusher:signin_success") => {
                app.answers = self.answer(said, Some("pusher:signin"), None);
            }
            (Dir::Server, "pusher:subscription_error" | "pusher_internal:subscription_error") => {
                let of = |name: &str| inner(name).map(|it| json::string(it).unwrap_or_else(|| it.to_owned()));
                let (code, message) = (of("status").or_else(|| of("type")), of("error"));
                let words =
                    [code.clone(), message.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ");
                let name = clipped(channel.as_deref().unwrap_or_default());
                let got = Text::with("{}", format!("{name} {}", clipped(&words)));
                tell(&REFUSED, said.dir, "pusher_internal:subscription_succeeded", got);
                app.answers = self.answer(said, channel.as_deref(), Some(Failure { code, message }));
            }
            (Dir::Client, _) if event.starts_with("client-") => {
                let name = channel.as_deref().unwrap_or_default();
                if !name.starts_with("private-") && !name.starts_with("presence-") {
                    let got = Text::with("{}", format!("{} {}", clipped(event), clipped(name)));
                    tell(&CLIENT_EVENT, said.dir, "a channel named private-… or presence-…", got);
                }
            }
            _ => {}
        }
        app
    }

    fn answer(&mut self, said: &Said<'_>, id: Option<&str>, failure: Option<Failure>) -> Option<Answer> {
        let id = Id::text(id?)?;
        self.pending.answer(said.dir, said.moment(), |asked| asked.id == id, failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::heard;
    use Dir::{Client, Server};

    /// The summary of each message and what it answers, and the rules that are broken.
    fn read(messages: &[(Dir, &str)]) -> (Vec<String>, Vec<&'static str>) {
        heard::lines(&mut Pusher::default(), messages, |i, said| Said {
            known: i > 0,
            expected: true,
            ..said
        })
    }

    const OPEN: (Dir, &str) =
        (Server, r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\"}"}"#);
    const SUBSCRIBE: (Dir, &str) = (Client, r#"{"event":"pusher:subscribe","data":{"channel":"news"}}"#);

    #[test]
    fn a_conversation() {
        let (lines, found) = read(&[
            OPEN,
            SUBSCRIBE,
            (Server, r#"{"event":"pusher_internal:subscription_succeeded","channel":"news","data":"{}"}"#),
            (Server, r#"{"event":"item","channel":"news","data":"{\"title\":\"x\"}"}"#),
            (Client, r#"{"event":"pusher:ping","data":{}}"#),
            (Server, r#"{"event":"pusher:pong","data":{}}"#),
            (Client, r#"{"event":"client-typing","channel":"private-a","data":{}}"#),
        ]);
        let expected = [
            "pusher:connection_established",
            "pusher:subscribe news",
            "pusher_internal:subscription_succeeded news < subscribe news",
            "item news",
            "pusher:ping",
            "pusher:pong",
            "client-typing private-a",
        ];
        assert_eq!(lines, expected);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn what_breaks_the_rules() {
        let error = r#"{"event":"pusher:error","data":{"code":4001,"message":"no such app"}}"#;
        let refused = r#"{"event":"pusher:subscription_error","channel":"news",
            "data":{"type":"AuthError","error":"forbidden","status":403}}"#;
        let typing = r#"{"event":"client-typing","channel":"news","data":{}}"#;
        for (messages, rule) in [
            (&[OPEN, (Server, "[]")][..], "pusher-bad-message"),
            (&[(Server, error)], "pusher-error"),
            (&[OPEN, SUBSCRIBE, (Server, refused)], "pusher-subscription-refused"),
            (&[SUBSCRIBE, OPEN], "pusher-before-established"),
            (&[OPEN, (Client, typing)], "pusher-client-event-on-public-channel"),
        ] {
            assert_eq!(read(messages).1, [rule], "{messages:?}");
        }
    }
}
