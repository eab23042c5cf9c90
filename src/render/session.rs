//! The timeline of Engine.IO sessions: a line a packet, over polling and WebSocket.

use super::choice::Choice;
use super::json::Scope;
use super::outline::Outline;
use super::page::Page;
use super::said::{self, Block, Event, Happening, Run, Setter};
use super::screen::{Layout, Screen};
use super::style::Ink;
use super::{Options, app, verdicts};
use crate::model::{App, Body, HttpHead, Transport, Unit, Wants};

/// Sessions, packet by packet.
pub type Session<W> = Screen<SessionLayout, W>;

/// See [`Session`].
#[derive(Debug, Default)]
pub struct SessionLayout {
    begun: bool,
    /// A session, or a packet of one, was shown.
    found: bool,
    /// The head before this one asked a proxy for a tunnel.
    connecting: bool,
}

/// What a capture without any says.
const NONE: &str = "no Engine.IO session here; --view messages shows what other protocols carry";

/// Its place in the list of views.
pub static VIEW: Choice = Choice::of::<SessionLayout>(
    "session",
    "Engine.IO and Socket.IO sessions over polling and WebSocket, a line a packet",
    Scope::Sessions,
);

impl Layout for SessionLayout {
    fn wants(options: &Options) -> Wants {
        Wants {
            fields: false,
            payload: options.payload.unwrap_or(0),
            app: true,
            causes: true,
            ..Wants::NOTHING
        }
    }

    fn unit(&mut self, outline: &mut Outline, unit: &Unit<'_>, page: &mut Page) {
        self.say(outline, unit, page);
    }
}

impl SessionLayout {
    /// Says a unit, if it belongs on a timeline.
    pub fn say(&mut self, outline: &mut Outline, unit: &Unit<'_>, to: &mut dyn Setter) {
        match unit.body {
            Body::Meta(_) => outline.unit(unit, to),
            Body::File(_) => {
                outline.unit(unit, to);
                self.begun = false;
            }
            Body::Summary(_) => {
                if !self.found && !outline.pasted {
                    to.set(Block::Gap);
                    said::say(Ink::Plain, outline.lang().words(NONE), to);
                }
                outline.unit(unit, to);
            }
            Body::Session(_) => {
                self.found = true;
                outline.unit(unit, to);
                self.begun = false;
            }
            // Pasted, so that there is no session.
            Body::Packet(packet) if unit.conn == 0 => {
                app::pasted(outline, unit, packet, to);
                verdicts::say(outline, unit, to);
            }
            Body::Packet(packet) => self.packet(outline, unit, packet.app, to),
            Body::Message(message) => match message.app {
                Some(app) if app.session.is_some() => self.packet(outline, unit, app, to),
                _ if message.kind == crate::model::Opcode::CLOSE => {
                    self.happened(outline, unit, outline.lang().words("Close frame"), to);
                }
                _ => {}
            },
            Body::Http(head) => {
                let answers_connect = std::mem::take(&mut self.connecting);
                self.connecting = head.start_line.starts_with("CONNECT ");
                let tunnel = (answers_connect || self.connecting).then_some(head.start_line);
                if let Some(words) = tunnel.or_else(|| milestone(head)) {
                    self.happened(outline, unit, words, to);
                }
            }
            _ => {}
        }
    }

    fn packet(&mut self, outline: &mut Outline, unit: &Unit<'_>, it: &App, to: &mut dyn Setter) {
        let Some(session) = &it.session else { return };
        self.found = true;
        let transport = match session.transport {
            Transport::Polling => "polling",
            Transport::WebSocket => "websocket",
        };
        let lang = outline.lang();
        let (summary, answers) = (lang.say(&it.summary), app::answers(lang, it));
        let name = if it.protocol == "engine.io" { "" } else { lang.words(it.name) };
        let runs = [
            Run::whole(Ink::Note, name),
            Run::whole(Ink::Plain, if name.is_empty() { "" } else { " " }),
            Run::text(Ink::Plain, &summary),
            Run::whole(Ink::Plain, "  "),
            Run::text(Ink::Faint, &answers),
        ];
        let said = Happening::Runs(if answers.is_empty() { &runs[..3] } else { &runs });
        self.event(outline, unit, &format!("#{}", session.number), transport, said, to);
        verdicts::say(outline, unit, to);
    }

    /// Something that is no packet: a refusal, an upgrade, a Close frame.
    fn happened(&mut self, outline: &mut Outline, unit: &Unit<'_>, words: &str, to: &mut dyn Setter) {
        let conn = outline.lang().fill("conn {}", &[&unit.conn]);
        self.event(outline, unit, "", &conn, Happening::Line(words), to);
    }

    fn event(
        &mut self,
        outline: &mut Outline,
        unit: &Unit<'_>,
        whose: &str,
        by: &str,
        said: Happening<'_>,
        to: &mut dyn Setter,
    ) {
        if !self.begun {
            to.set(Block::Gap);
            self.begun = true;
        }
        let stamp = unit.time.and_then(|time| outline.clock.stamp(time)).unwrap_or_default();
        let (file, file_columns) = (outline.files.label(), outline.files.columns());
        to.set(Block::Event(Event { file, file_columns, when: &stamp, whose, by, from: unit.dir, said }));
    }
}

/// What of HTTP belongs on the timeline: upgrades, and whatever is refused.
fn milestone<'h>(head: &HttpHead<'h>) -> Option<&'h str> {
    let line = head.start_line;
    if let Some(rest) = line.strip_prefix("HTTP/") {
        let status = rest.split(' ').nth(1)?;
        return (status == "101" || status.starts_with(['3', '4', '5'])).then_some(line);
    }
    (line.contains("transport=websocket") || line.starts_with("OPTIONS ")).then_some(line)
}
