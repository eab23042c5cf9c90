//! The timeline of Engine.IO sessions: a line a packet, over polling and WebSocket.

use super::json::Scope;
use super::outline::{INDENT, Outline, ink};
use super::screen::{Layout, Screen};
use super::style::Ink;
use super::views::Choice;
use super::{Options, app, verdicts};
use crate::model::{App, Body, Dir, HttpHead, Transport, Unit, Wants};

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

/// Rows that a packet may take.
const ROWS: usize = 3;

/// Its place in the list of views.
pub static VIEW: Choice = Choice::of::<SessionLayout>(
    "session",
    "Engine.IO and Socket.IO sessions over polling and WebSocket, a line a packet",
    Scope::Sessions,
);

impl Layout for SessionLayout {
    fn wants(options: &Options) -> Wants {
        Wants { fields: false, payload: options.payload.unwrap_or(0), app: true }
    }

    fn unit(&mut self, outline: &mut Outline, unit: &Unit<'_>) {
        match unit.body {
            Body::Meta(_) => outline.unit(unit),
            Body::File(_) => {
                outline.unit(unit);
                self.begun = false;
            }
            Body::Summary(_) => {
                if !self.found && !outline.pasted {
                    outline.page.gap();
                    outline.say(Ink::Plain, outline.lang().words(NONE));
                }
                outline.unit(unit);
            }
            Body::Session(_) => {
                self.found = true;
                outline.unit(unit);
                self.begun = false;
            }
            // Pasted, so that there is no session.
            Body::Packet(packet) if unit.conn == 0 => {
                app::pasted(outline, unit, packet);
                verdicts::show(&mut outline.page, unit);
            }
            Body::Packet(packet) => self.packet(outline, unit, packet.app),
            Body::Message(message) => match message.app {
                Some(app) if app.session.is_some() => self.packet(outline, unit, app),
                _ if message.kind == crate::model::Opcode::CLOSE => {
                    self.event(outline, unit, outline.lang().words("Close frame"));
                }
                _ => {}
            },
            Body::Http(head) => {
                let answers_connect = std::mem::take(&mut self.connecting);
                self.connecting = head.start_line.starts_with("CONNECT ");
                let tunnel = (answers_connect || self.connecting).then_some(head.start_line);
                if let Some(words) = tunnel.or_else(|| milestone(head)) {
                    self.event(outline, unit, words);
                }
            }
            _ => {}
        }
    }
}

impl SessionLayout {
    fn packet(&mut self, outline: &mut Outline, unit: &Unit<'_>, it: &App) {
        let Some(session) = &it.session else { return };
        self.found = true;
        let transport = match session.transport {
            Transport::Polling => "polling",
            Transport::WebSocket => "websocket",
        };
        self.lead(outline, unit, &format!("#{}", session.number), transport);
        let page = &mut outline.page;
        let indent = page.column();
        let name = if it.protocol == "engine.io" { "" } else { it.name };
        page.word(Ink::Note, name).put(Ink::Plain, if name.is_empty() { "" } else { " " });
        page.wrap(Ink::Plain, &page.lang().say(&it.summary), indent, 0);
        let answers = app::answers(page.lang(), it);
        if !answers.is_empty() {
            page.put(Ink::Plain, "  ").wrap(Ink::Faint, &answers, indent, 0);
        }
        page.line();
        verdicts::show(&mut outline.page, unit);
    }

    /// Something that is no packet: a refusal, an upgrade, a Close frame.
    fn event(&mut self, outline: &mut Outline, unit: &Unit<'_>, words: &str) {
        self.lead(outline, unit, "", &outline.lang().fill("conn {}", &[&unit.conn]));
        let indent = outline.page.column();
        outline.page.spill(words.as_bytes(), indent, ROWS).line();
    }

    fn lead(&mut self, outline: &mut Outline, unit: &Unit<'_>, session: &str, transport: &str) {
        if !self.begun {
            outline.page.gap();
            self.begun = true;
        }
        let stamp = unit.time.and_then(|time| outline.clock.stamp(time)).unwrap_or_default();
        let page = &mut outline.page;
        let mut at = INDENT;
        if let Some(label) = outline.files.label() {
            page.to(at).data(Ink::Faint, label.as_bytes(), outline.files.columns(), false);
            at += outline.files.columns() + 1;
        }
        page.to(at).put_right(Ink::Faint, &stamp, at + 14).to(at + 16).put(Ink::Plain, session);
        page.to(at + 20).put(Ink::Faint, transport).to(at + 31);
        page.put(ink(unit.dir.unwrap_or(Dir::Server)), app::way(unit.dir)).put(Ink::Plain, " ");
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
