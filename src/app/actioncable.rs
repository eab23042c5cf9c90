//! Action Cable: channels of Ruby on Rails. The server welcomes and pings; a client subscribes to channels,
//! each named by an identifier, which is JSON in a string.

use super::dialect::{Decoder, Dialect, Reader, Said, Sheet};
use super::excerpt::clipped;
use super::glance::IDENTIFIER;
use super::json::{self, Object};
use super::pending::{Id, Pending, Request, Requests};
use super::remembered::Remembered;
use crate::limits::{ACTION_CABLE_STALE, CHANNELS_REMEMBERED};
use crate::model::quantity::wait;
use crate::model::{Answer, App, Cite, Dir, Failure, Finding, Text, Time, fields, rules};

/// Action Cable, as Rails and `AnyCable` speak it.
pub static DIALECT: Dialect = Dialect {
    id: "action-cable",
    subprotocols: &["actioncable-v1-json"],
    looks_like: Some(looks_like),
    first: b"{ \t\n\x0C\r",
    last: &[],
    marks: IDENTIFIER,
    target: None,
    fields: FIELDS,
    rules: RULES,
    reader: Reader::Session(|| Box::<ActionCable>::default()),
    sheet: Sheet {
        name: "Action Cable",
        shown_by: "a member `identifier` that is JSON with a `channel`",
        decoded: "type or command, channel, action and data; subscriptions tied to their confirmation or \
                  rejection, the reason of a disconnect, the server's pings watched",
        sample: "action-cable.pcap",
        source: ("Action Cable protocol", "https://docs.anycable.io/misc/action_cable_protocol"),
    },
};

/// A part of the protocol's description.
const fn cable(section: &'static str) -> Cite {
    Cite { doc: "Action Cable protocol", section }
}

fields! {
    /// The fields of Action Cable.
    FIELDS;
    TYPE = "action-cable.type", "type", cable("Messages"), "What a message of the server is for.";
    COMMAND = "action-cable.command", "command", cable("Messages"), "What the client wants.";
    IDENTIFIER_AT = "action-cable.identifier", "identifier", cable("Subscriptions"),
        "The channel and its parameters, as JSON in a string.";
    MESSAGE = "action-cable.message", "message", cable("Messages"), "What the channel sends.";
    DATA = "action-cable.data", "data", cable("Messages"), "The action to perform, as JSON in a string.";
    REASON = "action-cable.reason", "reason", cable("Disconnect"), "Why the server disconnects.";
    RECONNECT = "action-cable.reconnect", "reconnect", cable("Disconnect"),
        "Whether the client shall connect again.";
}

rules! {
    /// The rules of Action Cable.
    RULES;
    BAD_MESSAGE = "action-cable-bad-message", Error, cable("Messages"), Either,
        "Not a message of Action Cable",
        "A server logs it and goes on; a client fails or drops it.";
    REJECTED = "action-cable-rejected", Warning, cable("Subscriptions"), Server,
        "A subscription was rejected",
        "The client's subscription gets rejected() and no messages.",
        usually "the channel's subscribed method calls reject: this user may not, or what was asked for is \
                 not there",
        mend "look at what the channel asks of the parameters and of the user, and at the server's log";
    DISCONNECTED = "action-cable-disconnected", Warning, cable("Disconnect"), Server,
        "The server disconnects the client",
        "The connection is closed; the client connects again only if reconnect is true.",
        usually "unauthorized: the connection's connect method refuses the cookie or token; server_restart: \
                 a deploy; remote: the application disconnects this user; invalid_request: the origin is not \
                 allowed",
        mend "unauthorized: look at identified_by and the cookie's domain; invalid_request: set \
              allowed_request_origins";
    NO_SUBSCRIPTION = "action-cable-no-subscription", Error, cable("Subscriptions"), Client,
        "A command for a channel that the client has not subscribed to",
        "The server logs \"Unable to find subscription\" and drops it.",
        usually "the client sends before it subscribes, or after the subscription was rejected or ended",
        mend "send from the subscription's connected() on, with the very same identifier";
    PING_SILENCE = "action-cable-ping-silence", Warning, cable("Ping"), Server,
        "The server was silent for longer than its clients wait",
        "The client takes the connection for dead and opens another one.",
        usually "a server that is blocked, or a proxy that holds messages back; Rails pings every 3 s",
        mend "look at what the server's event loop and threads did; turn buffering off in the proxy";
}

/// A command or message of a channel; what has no identifier may be anything.
fn looks_like(said: &Said<'_>) -> bool {
    said.bears(b"{", IDENTIFIER)
}

/// What is remembered of a connection.
#[derive(Debug, Default)]
struct ActionCable {
    pending: Pending,
    /// Identifiers of the channels that the client has asked for and not left.
    channels: Remembered<CHANNELS_REMEMBERED>,
    /// Not all of them are known.
    incomplete: bool,
    /// When the server was last heard, from its welcome on.
    heard: Option<Time>,
    /// It was told that it was silent.
    told: bool,
}

impl Decoder for ActionCable {
    fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        self.listen(said.dir, said.time, found);
        if !said.is_whole() {
            self.lost(said.dir);
            return None;
        }
        if !said.known && !looks_like(said) {
            return None;
        }
        let app = said.as_json().and_then(Object::read).and_then(|object| match said.dir {
            Dir::Client => self.command(said, &object, found),
            Dir::Server => self.message(said, &object, found),
        });
        if app.is_none() {
            let expected = match said.dir {
                Dir::Client => "an object with command and identifier",
                Dir::Server => "an object with a type, or with identifier and message",
            };
            found.push(said.broken(&BAD_MESSAGE, expected.into()));
        }
        app
    }

    fn lost(&mut self, dir: Dir) {
        self.pending.lost(dir);
        self.incomplete = true;
        if dir == Dir::Server {
            self.heard = None;
        }
    }

    fn end(&mut self, ended: Option<Time>, found: &mut Vec<Finding>) {
        self.silence(ended, found);
    }

    fn requests(&mut self) -> Option<&mut dyn Requests> {
        Some(&mut self.pending)
    }
}

impl ActionCable {
    /// Something was said.
    fn listen(&mut self, dir: Dir, time: Option<Time>, found: &mut Vec<Finding>) {
        self.silence(time, found);
        if dir == Dir::Server && self.heard.is_some() {
            self.heard = time;
        }
    }

    fn silence(&mut self, now: Option<Time>, found: &mut Vec<Finding>) {
        let silent = now.zip(self.heard).map(|(now, then)| now.since(then)).unwrap_or_default();
        if silent > ACTION_CABLE_STALE && !std::mem::replace(&mut self.told, true) {
            let expected = Text::with("a ping or another message within {}", wait(ACTION_CABLE_STALE));
            let got = Text::with("silence for {}", wait(silent));
            found.push(Finding::new(&PING_SILENCE, Dir::Server, expected, got));
        }
    }

    /// A command of the client.
    fn command(&mut self, said: &Said<'_>, object: &Object<'_>, found: &mut Vec<Finding>) -> Option<App> {
        let command_at = object.get("command")?;
        let command = json::string(command_at)?;
        let identifier_at = object.get("identifier")?;
        let identifier = json::string(identifier_at)?;
        let channel = channel(&identifier);
        if !matches!(&*command, "subscribe" | "unsubscribe" | "message" | "whisper" | "history")
            || !said.known && channel.is_none()
        {
            return None;
        }
        let name = clipped(channel.as_deref().unwrap_or(&identifier)).into_owned();
        let mut fields =
            vec![said.literal(&COMMAND, command_at), said.literal(&IDENTIFIER_AT, identifier_at)];
        let mut summary = Text::with("{}", format!("{command} {name}"));
        if let Some(data) = object.get("data") {
            fields.push(said.literal(&DATA, data));
            let action = json::string(data).and_then(|data| Object::read(&data)?.string("action"));
            if let Some(action) = action {
                summary = Text::new("{}, action {}").word(summary).and(clipped(&action));
            }
        }
        match &*command {
            "subscribe" => {
                self.channels.insert(&identifier);
                if let Some(id) = Id::text(&identifier) {
                    let what = format!("subscribe {name}");
                    let request = Request { id, what, ..Request::default() };
                    self.pending.begin_once(said.dir, said.moment(), request);
                }
            }
            "unsubscribe" if self.channels.contains(&identifier) => {
                self.channels.remove(&identifier);
            }
            _ if self.channels.contains(&identifier) => {}
            _ if said.agreed && !self.incomplete && self.channels.is_complete() => {
                let expected = "the identifier of a channel that was subscribed to".into();
                let got = Text::with("{}", format!("{command} {}", clipped(&identifier)));
                let finding = Finding::new(&NO_SUBSCRIPTION, said.dir, expected, got);
                found.push(finding.at(said.span_of(identifier_at)));
            }
            _ => {}
        }
        Some(App { fields, ..app(summary) })
    }

    /// A message of the server.
    fn message(&mut self, said: &Said<'_>, object: &Object<'_>, found: &mut Vec<Finding>) -> Option<App> {
        let identifier_at = object.get("identifier");
        let identifier = identifier_at.and_then(json::string);
        let channel = identifier.as_deref().and_then(channel);
        if !said.known && channel.is_none() {
            return None;
        }
        let name = clipped(channel.as_deref().or(identifier.as_deref()).unwrap_or_default()).into_owned();
        let mut fields = Vec::new();
        let type_at = object.get("type");
        fields.extend(type_at.map(|at| said.literal(&TYPE, at)));
        fields.extend(identifier_at.map(|at| said.literal(&IDENTIFIER_AT, at)));
        for (def, name) in [(&MESSAGE, "message"), (&REASON, "reason"), (&RECONNECT, "reconnect")] {
            fields.extend(object.get(name).map(|at| said.literal(def, at)));
        }
        let Some(type_at) = type_at else {
            identifier_at?;
            object.get("message")?;
            return Some(App { fields, ..app(Text::with("{}", format!("message {name}"))) });
        };
        let kind = json::string(type_at)?;
        let mut answers = None;
        let summary = match &*kind {
            "welcome" | "ping" => {
                self.heard = said.time;
                Text::with("{}", &kind)
            }
            "confirm_subscription" | "reject_subscription" => {
                let identifier = identifier?;
                let rejected = kind == "reject_subscription";
                if rejected {
                    self.channels.remove(&identifier);
                    let got = Text::with("{}", format!("{kind} {name}"));
                    let finding = Finding::new(&REJECTED, said.dir, "confirm_subscription".into(), got);
                    found.push(finding.at(said.span_of(type_at)));
                }
                answers = self.answer(said, &identifier, rejected);
                Text::with("{}", format!("{kind} {name}"))
            }
            "disconnect" => {
                let reason = object.string("reason").unwrap_or_default();
                let got = Text::with("{}", format!("{kind} {}", clipped(&reason)));
                let expected = "a connection that goes on".into();
                found.push(
                    Finding::new(&DISCONNECTED, said.dir, expected, got.clone()).at(said.span_of(type_at)),
                );
                got
            }
            // Extensions of AnyCable: confirm_history, reject_history, pong …
            _ => Text::with("{}", format!("{} {name}", clipped(&kind))),
        };
        Some(App { fields, answers, ..app(summary) })
    }

    fn answer(&mut self, said: &Said<'_>, identifier: &str, rejected: bool) -> Option<Answer> {
        let id = Id::text(identifier)?;
        let failure = rejected.then(|| Failure { code: Some("reject_subscription".into()), message: None });
        // A subscription that is asked for again is confirmed again, or not at all.
        self.pending.take(said.dir, said.moment(), |asked| asked.id == id, failure).map(|(answer, _)| answer)
    }
}

/// The channel that an identifier names.
fn channel(identifier: &str) -> Option<String> {
    Object::read(identifier)?.string("channel")
}

fn app(summary: Text) -> App {
    App { protocol: "action-cable", name: "Action Cable", summary, ..App::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::heard;
    use Dir::{Client, Server};

    /// The summary of each message, and the rules that are broken, `pause` seconds between messages.
    fn read(pause: u64, messages: &[(Dir, &str)]) -> (Vec<String>, Vec<&'static str>) {
        heard::lines(&mut ActionCable::default(), messages, |i, said| {
            let time = Some(Time(i as u64 * pause * 1_000_000_000));
            Said { time, ..said }
        })
    }

    const SUBSCRIBE: &str = r#"{"command":"subscribe","identifier":"{\"channel\":\"Chat\",\"room\":1}"}"#;
    const CONFIRM: &str =
        r#"{"identifier":"{\"channel\":\"Chat\",\"room\":1}","type":"confirm_subscription"}"#;
    const SPEAK: &str = r#"{"command":"message","identifier":"{\"channel\":\"Chat\",\"room\":1}",
        "data":"{\"action\":\"speak\",\"text\":\"hi\"}"}"#;

    #[test]
    fn a_conversation() {
        let (lines, found) = read(
            2,
            &[
                (Server, r#"{"type":"welcome"}"#),
                (Client, SUBSCRIBE),
                (Server, CONFIRM),
                (Client, SPEAK),
                (Server, r#"{"identifier":"{\"channel\":\"Chat\",\"room\":1}","message":{"text":"hi"}}"#),
                (Server, r#"{"type":"ping","message":1700000000}"#),
            ],
        );
        let expected = [
            "welcome",
            "subscribe Chat",
            "confirm_subscription Chat < subscribe Chat",
            "message Chat, action speak",
            "message Chat",
            "ping",
        ];
        assert_eq!(lines, expected);
        assert_eq!(found, [""; 0]);
    }

    #[test]
    fn what_breaks_the_rules() {
        let welcome = (Server, r#"{"type":"welcome"}"#);
        let rejected = r#"{"identifier":"{\"channel\":\"Chat\",\"room\":1}","type":"reject_subscription"}"#;
        let disconnect = r#"{"type":"disconnect","reason":"unauthorized","reconnect":false}"#;
        for (pause, messages, rule) in [
            (1, &[welcome, (Client, "{}")][..], "action-cable-bad-message"),
            (1, &[welcome, (Client, SUBSCRIBE), (Server, rejected)], "action-cable-rejected"),
            (1, &[(Server, disconnect)], "action-cable-disconnected"),
            (1, &[welcome, (Client, SPEAK)], "action-cable-no-subscription"),
            (7, &[welcome, (Client, SUBSCRIBE), (Server, CONFIRM)], "action-cable-ping-silence"),
        ] {
            assert_eq!(read(pause, messages).1, [rule], "{messages:?}");
        }
    }
}
