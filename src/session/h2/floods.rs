//! Floods of a connection that turns out to have no WebSocket on it: what they do to a server they do to all
//! that it serves.

use super::Around;
use crate::h2::{CONTINUATION_FLOOD, CONTROL_FLOOD, Event, HEADERS_TOO_LARGE, RAPID_RESET};
use crate::model::{At, Dir, Finding, Flow, ON, Rule, Text};

/// The rules that tell of one.
const RULES: [&Rule; 4] = [&CONTINUATION_FLOOD, &CONTROL_FLOOD, &HEADERS_TOO_LARGE, &RAPID_RESET];

/// Those that nobody was told of: the first of each rule.
#[derive(Default)]
pub(super) struct Floods(Vec<(At, Finding)>);

impl Floods {
    /// Looks at what comes before anything is told of the connection.
    pub fn see(&mut self, event: &Event<'_>) {
        let (findings, at): (&[Finding], At) = match event {
            Event::Frame(frame, findings) => (findings, frame.at),
            Event::Head(head) => (&head.findings, head.at),
            Event::Note(findings, at) => (findings, *at),
            _ => return,
        };
        for finding in findings {
            if RULES.contains(&finding.rule) && !self.0.iter().any(|(_, it)| it.rule == finding.rule) {
                self.0.push((at, finding.clone()));
            }
        }
    }

    /// Tells of those of a connection that is over and has no number.
    pub fn tell(self, to: &mut Around<'_, '_, '_>) -> Flow {
        let Some(endpoints) = to.about.endpoints.as_deref().copied() else { return ON };
        let [client, server] = [Dir::Client, Dir::Server].map(|dir| endpoints[to.about.side(dir).index()]);
        self.0.into_iter().try_for_each(|(at, finding)| {
            let whose = Text::with("{} → {}", client).and(server);
            let got = Text::new("{}: {}").word(whose).word(finding.got.clone());
            let finding = Finding { got, spans: Vec::new(), ..finding };
            to.cx.memory.nameless.tell(finding, at, to.cx.out)
        })
    }
}
