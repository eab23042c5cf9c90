//! Phoenix channels: topics that are joined and left over one connection, and events on them. A message is an
//! array of five in version 2 of the serializer, an object in version 1, and binary where it carries bytes.

use super::dialect::{Decoder, Dialect, Reader, Said, Sheet};
use super::excerpt::clipped;
use super::glance::PHOENIX;
use super::json::{self, Object};
use super::pending::{Id, Pending, Request, Requests};
use crate::limits::APP_SHOWN;
use crate::model::json::Json;
use crate::model::{Answer, App, Cite, Dir, Failure, Field, FieldDef, Finding, Text, Value, fields, rules};

/// Phoenix channels, versions 1 and 2 of the serializer.
pub static DIALECT: Dialect = Dialect {
    id: "phoenix",
    subprotocols: &["phoenix"],
    looks_like: Some(looks_like),
    first: b"{[ \t\n\x0C\r",
    last: &[],
    marks: PHOENIX,
    target: Some(is_target),
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<Phoenix>::default()),
    sheet: Sheet {
        name: "Phoenix channels, LiveView",
        shown_by: "a target `/…/websocket?…vsn=…`; an event `phx_…`, or a heartbeat on the topic `phoenix`",
        decoded: "join_ref, ref, topic, event and payload, of JSON and of binary messages; joins, leaves, \
                  heartbeats and pushes tied to their replies, refused joins and crashed channels",
        sample: "phoenix.pcap",
        source: (
            "Phoenix: Writing a Channels \
                  Client",
            "https://hexdocs.pm/phoenix/writing_a_channels_client.html",
        ),
    },
};

/// A part of the guide.
const fn phoenix(section: &'static str) -> Cite {
    Cite { doc: "Phoenix channels", section }
}

fields! {
    /// The fields of Phoenix channels.
    FIELDS;
    JOIN_REF = "phoenix.join_ref", "join_ref", phoenix("Message Format"), "Which join of the topic it \
                                                            belongs to.";
    REF = "phoenix.ref", "ref", phoenix("Message Format"), "Ties a reply to its message.";
    TOPIC = "phoenix.topic", "topic", phoenix("Message Format"), "The channel that it is for.";
    EVENT = "phoenix.event", "event", phoenix("Message Format"), "What happens there.";
    STATUS = "phoenix.status", "status", phoenix("Receiving replies"), "Whether what was asked for was done.";
    PAYLOAD = "phoenix.payload", "payload", phoenix("Message Format"), "What the event carries.";
}

rules! {
    /// The rules of Phoenix channels.
    RULES;
    BAD_MESSAGE = "phoenix-bad-message", Error, phoenix("Message Format"), Either,
        "Not a message of Phoenix channels",
        "A server's transport process crashes, and with it the connection; a client throws.";
    JOIN_REFUSED = "phoenix-join-refused", Warning, phoenix("Joining a topic"), Server,
        "The server refused to let the client join a topic",
        "The client tries again and again, with growing pauses.",
        usually "the channel's join function returns an error: a parameter or token is missing or too old; \
                 unmatched topic: no channel is declared for it",
        mend "look at the reason in the reply; declare the topic in the user socket";
    NOT_JOINED = "phoenix-topic-not-joined", Error, phoenix("Sending messages"), Client,
        "A message for a topic that the client has not joined",
        "The server drops it, and replies with \"unmatched topic\".",
        usually "the client pushes before its join is confirmed, after it left, or after the channel crashed",
        mend "push from the join's \"ok\" on; push again after the client has joined again";
    CRASHED = "phoenix-channel-crashed", Warning, phoenix("Channel errors"), Server,
        "A channel's process ended with an error on the server",
        "The client joins the topic again; what the process held is gone.",
        usually "an exception in the channel, or in what it calls",
        mend "look for the channel's exit in the server's log at that time";
}

/// `/socket/websocket?token=…&vsn=2.0.0`.
fn is_target(path: &str, query: &str) -> bool {
    path.ends_with("/websocket") && query.split('&').any(|pair| pair.starts_with("vsn="))
}

fn looks_like(said: &Said<'_>) -> bool {
    said.bears(b"[{", PHOENIX)
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct Phoenix {
    /// What wants a reply; its kind is a [`Want`].
    pending: Pending<String>,
}

/// What a reply would mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Want {
    Push,
    Join,
}

/// A message.
struct Message {
    reference: Option<String>,
    topic: String,
    event: String,
    /// `ok` or `error`, of a reply.
    status: Option<String>,
    /// Why it is an error.
    reason: Option<String>,
    fields: Vec<Field>,
}

impl Decoder for Phoenix {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if !said.is_whole() {
            self.pending.lost(said.dir);
            return None;
        }
        if !said.known && !said.expected && !looks_like(said) {
            return None;
        }
        let Some(message) = (if said.text { written(said) } else { binary(said) }) else {
            let expected = "[join_ref, ref, topic, event, payload]";
            found.push(said.broken(&BAD_MESSAGE, expected.into()));
            self.pending.lost(said.dir);
            return None;
        };
        if !said.known && !message.shows_itself() {
            return None;
        }
        let (topic, event) = (clipped(&message.topic).into_owned(), clipped(&message.event));
        let mut line = format!("{event} {topic}");
        for (between, words) in [(", ", &message.status), (": ", &message.reason)] {
            line.extend(words.iter().flat_map(|words| [between.to_owned(), clipped(words).into_owned()]));
        }
        let summary = Text::with("{}", line);
        let answers = self.tie(said, &message, found);
        if said.dir == Dir::Server && message.event == "phx_error" {
            let got = Text::with("{}", format!("phx_error {topic}"));
            let finding = Finding::new(&CRASHED, said.dir, "a channel that goes on".into(), got);
            found.push(finding.at(said.span()));
        }
        Some(App {
            protocol: "phoenix",
            name: "Phoenix",
            summary,
            fields: message.fields,
            answers,
            ..App::default()
        })
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

impl Message {
    /// Whether nothing else looks like it.
    fn shows_itself(&self) -> bool {
        self.event.starts_with("phx_") || self.topic == "phoenix" && self.event == "heartbeat"
    }
}

impl Phoenix {
    /// Remembers what wants a reply, or finds what is replied to.
    fn tie(&mut self, said: &Said<'_>, message: &Message, found: &mut Vec<Finding>) -> Option<Answer> {
        let (dir, now) = (said.dir, said.moment());
        let id = Id::text(message.reference.as_deref()?)?;
        let Message { topic, event, .. } = message;
        if dir == Dir::Client {
            let kind = if event == "phx_join" { Want::Join } else { Want::Push } as u64;
            // To events of its own the server need not reply.
            let optional = !message.shows_itself();
            let what = format!("{} {}", clipped(event), clipped(topic));
            let extra = topic.clone();
            let method = (event != "heartbeat").then(|| clipped(event).into_owned());
            let request = Request { kind, id, what, method, optional, extra, ..Request::default() };
            self.pending.begin(dir, now, request);
            return None;
        }
        if event != "phx_reply" {
            return None;
        }
        let is_it = |asked: &Request<String>| asked.id == id && asked.extra == *topic;
        let is_join = |asked: &Request<String>| is_it(asked) && asked.kind == Want::Join as u64;
        let failed = message.status.as_deref() == Some("error");
        let failure = failed.then(|| Failure {
            code: message.status.clone(),
            message: message.reason.as_deref().map(|reason| clipped(reason).into_owned()),
        });
        if failed && self.pending.waits(Dir::Client, is_it) {
            let reason = message.reason.as_deref().unwrap_or_default();
            let got = Text::with("{}", format!("error: {}", clipped(reason)));
            let topic = clipped(topic);
            let finding = if self.pending.waits(Dir::Client, is_join) {
                Some(Finding::new(&JOIN_REFUSED, dir, Text::with("ok to phx_join {}", topic), got))
            } else if reason == "unmatched topic" {
                let expected = Text::with("messages for {} after phx_join and before phx_leave", topic);
                Some(Finding::new(&NOT_JOINED, Dir::Client, expected, got))
            } else {
                None
            };
            found.extend(finding.map(|finding| finding.at(said.span())));
        }
        self.pending.answer(dir, now, is_it, failure)
    }
}

/// What a JSON string or `null` says; `None` for anything else.
#[allow(clippy::option_option, reason = "null is one of the values")]
fn string_or_null(literal: &str) -> Option<Option<String>> {
    if literal == "null" { Some(None) } else { json::string(literal).map(Some) }
}

/// Reads a message in JSON, of either version.
fn written(said: &Said<'_>) -> Option<Message> {
    let parts: [&str; 5] = match Json::read(said.as_json()?)? {
        Json::Array(parts) => parts.try_into().ok()?,
        Json::Object(members) => {
            let object = Object::of(members);
            let of = |name| object.get(name);
            let (join_ref, reference) = (of("join_ref").unwrap_or("null"), of("ref").unwrap_or("null"));
            [join_ref, reference, of("topic")?, of("event")?, of("payload")?]
        }
        Json::Scalar => return None,
    };
    let [join_ref, reference, topic, event, payload] = parts;
    string_or_null(join_ref)?;
    let defs = [&JOIN_REF, &REF, &TOPIC, &EVENT, &PAYLOAD];
    let shown = defs.into_iter().zip(parts).filter(|(_, literal)| *literal != "null");
    // An object need not have all of them.
    let fields = shown.map(|(def, literal)| said.literal(def, literal)).collect();
    let mut message = Message {
        reference: string_or_null(reference)?,
        topic: json::string(topic)?,
        event: json::string(event)?,
        status: None,
        reason: None,
        fields,
    };
    if message.event == "phx_reply"
        && let Some(reply) = Object::read(payload)
    {
        message.status = reply.string("status");
        let reason = reply.object("response").and_then(|response| response.get("reason"));
        message.reason = reason.map(|reason| json::string(reason).unwrap_or_else(|| reason.to_owned()));
    }
    Some(message)
}

/// Reads a binary message: its kind, lengths of a byte each, the strings, and the payload.
fn binary(said: &Said<'_>) -> Option<Message> {
    let (&kind, rest) = said.bytes.split_first()?;
    let defs: &[&'static FieldDef] = match (kind, said.dir) {
        (0, Dir::Client) => &[&JOIN_REF, &REF, &TOPIC, &EVENT],
        (0, Dir::Server) => &[&JOIN_REF, &TOPIC, &EVENT],
        (1, Dir::Server) => &[&JOIN_REF, &REF, &TOPIC, &STATUS],
        (2, Dir::Server) => &[&TOPIC, &EVENT],
        _ => return None,
    };
    let (lengths, mut strings) = rest.split_at_checked(defs.len())?;
    let (mut fields, mut at) = (Vec::new(), 1 + defs.len());
    let mut words: Vec<Option<String>> = Vec::new();
    for (def, &length) in defs.iter().zip(lengths) {
        let (string, behind) = strings.split_at_checked(usize::from(length))?;
        let word = str::from_utf8(string).ok()?.to_owned();
        if !word.is_empty() {
            fields.push(said.field(def, at, word.len(), Value::Text(word.clone())));
        }
        words.push((!word.is_empty()).then_some(word));
        (at, strings) = (at + string.len(), behind);
    }
    let value = Value::Bytes(strings[..strings.len().min(APP_SHOWN)].to_vec());
    fields.push(said.field(&PAYLOAD, at, strings.len(), value));
    let mut of = |def: &'static FieldDef| {
        defs.iter().position(|it| *it == def).and_then(|at| std::mem::take(&mut words[at]))
    };
    let (reference, status) = (of(&REF), of(&STATUS));
    let topic = of(&TOPIC)?;
    let event = if kind == 1 { "phx_reply".to_owned() } else { of(&EVENT)? };
    Some(Message { reference, topic, event, status, reason: None, fields })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::{DIALECTS, heard};
    use Dir::{Client, Server};

    /// The summary of each message and what it answers, and the rules that are broken.
    fn read(messages: &[(Dir, &[u8])]) -> (Vec<String>, Vec<&'static str>) {
        heard::lines(&mut Phoenix::default(), messages, |i, said| {
            let text = matches!(said.bytes.first(), Some(b'[' | b'{'));
            Said { text, known: i > 0, ..said }
        })
    }

    const JOIN: &[u8] = br#"["1","1","room:a","phx_join",{"token":"x"}]"#;
    const JOINED: &[u8] = br#"["1","1","room:a","phx_reply",{"status":"ok","response":{}}]"#;

    #[test]
    fn a_conversation() {
        let (lines, found) = read(&[
            (Client, JOIN),
            (Server, JOINED),
            (Client, br#"[null,"2","phoenix","heartbeat",{}]"#),
            (Server, br#"[null,"2","phoenix","phx_reply",{"status":"ok","response":{}}]"#),
            (Client, br#"["1","3","room:a","new_msg",{"body":"hi"}]"#),
            (Server, br#"["1",null,"room:a","new_msg",{"body":"hi"}]"#),
            (Client, b"\0\x01\x01\x06\x0414room:afile\x01\x02"),
            (Server, b"\x01\x01\x01\x06\x0214room:aok"),
            (Server, b"\x02\x06\x04room:apeep!"),
            (Server, br#"{"topic":"room:a","event":"presence_state","payload":{},"ref":null}"#),
        ]);
        let expected = [
            "phx_join room:a",
            "phx_reply room:a, ok < phx_join room:a",
            "heartbeat phoenix",
            "phx_reply phoenix, ok < heartbeat phoenix",
            "new_msg room:a",
            "new_msg room:a",
            "file room:a",
            "phx_reply room:a, ok < file room:a",
            "peep room:a",
            "presence_state room:a",
        ];
        assert_eq!(lines, expected);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn what_breaks_the_rules() {
        let refused: &[u8] =
            br#"["1","1","room:a","phx_reply",{"status":"error","response":{"reason":"unauthorized"}}]"#;
        let push: &[u8] = br#"["1","2","room:b","new_msg",{}]"#;
        let unmatched: &[u8] =
            br#"["1","2","room:b","phx_reply",{"status":"error","response":{"reason":"unmatched topic"}}]"#;
        for (messages, rule) in [
            (&[(Client, JOIN), (Server, br#"["1","1","room:a"]"#)][..], "phoenix-bad-message"),
            (&[(Client, JOIN), (Server, refused)], "phoenix-join-refused"),
            (&[(Client, JOIN), (Client, push), (Server, unmatched)], "phoenix-topic-not-joined"),
            (&[(Client, JOIN), (Server, br#"["1","1","room:a","phx_error",{}]"#)], "phoenix-channel-crashed"),
        ] {
            assert_eq!(read(messages).1, [rule]);
        }
        assert_eq!(read(&[(Client, br#"["1","2","room:b","new_msg",{}]"#)]), (vec!["-".into()], vec![]));
    }

    #[test]
    fn targets() {
        let is_target = |target| crate::app::expected(target).is_some_and(|at| *DIALECTS[at] == DIALECT);
        assert!(is_target("/socket/websocket?token=x&vsn=2.0.0") && is_target("/live/websocket?vsn=2.0.0"));
        assert!(!is_target("/socket/websocket") && !is_target("/socket?vsn=2.0.0"));
    }
}
