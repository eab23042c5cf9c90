//! What the messages of one connection speak, from its first to its last.

use super::DIALECTS;
use super::dialect::{Decoder, Dialect, Reader, Said};
use crate::model::{App, Dir, Finding, Time, Unanswered};

/// The application protocols of one connection: which was agreed on, which were seen, and what their
/// decoders remember.
#[derive(Debug, Default)]
pub struct Talk {
    agreed: Option<&'static Dialect>,
    /// Decoders of the protocols that were agreed on or seen, and whose messages hang together.
    decoders: Vec<(&'static Dialect, Box<dyn Decoder>)>,
    /// Which directions lack something.
    lost: [bool; 2],
}

impl Talk {
    /// The handshake agreed on this subprotocol.
    pub fn agree(&mut self, subprotocol: &str) {
        let is = |name: &&str| name.eq_ignore_ascii_case(subprotocol);
        self.agreed = DIALECTS.iter().copied().find(|dialect| dialect.subprotocols.iter().any(is));
    }

    /// What the next message of a direction means, if that can be told. What it breaks is added to `found`.
    pub fn read(&mut self, said: &Said<'_>, found: &mut Vec<Finding>) -> Option<App> {
        if let Some(agreed) = self.agreed
            && let Some(app) = self.read_agreed(agreed, said, found)
        {
            return Some(app);
        }
        for dialect in DIALECTS.iter().copied() {
            // Most of them are out of the question at a glance.
            let Some(looks_like) = dialect.looks_like else { continue };
            let known = self.place(dialect);
            if known.is_none() && !looks_like(said)
                || self.agreed.is_some_and(|agreed| std::ptr::eq(agreed, dialect))
            {
                continue;
            }
            let app = self.attempt(dialect, known, said, found);
            if app.is_some() {
                return app;
            }
        }
        None
    }

    /// Reads a message as the handshake says.
    fn read_agreed(
        &mut self,
        agreed: &'static Dialect,
        said: &Said<'_>,
        found: &mut Vec<Finding>,
    ) -> Option<App> {
        let new = match agreed.reader {
            Reader::Each(read) => return each(read, said),
            Reader::Session(new) => new,
        };
        let at = self.place(agreed).unwrap_or_else(|| {
            self.decoders.push((agreed, new()));
            self.decoders.len() - 1
        });
        let decoder = &mut self.decoders[at].1;
        self.lost = tell_lost(self.lost, decoder.as_mut());
        decoder.read(&Said { agreed: true, known: true, ..*said }, found)
    }

    /// Reads a message as `dialect`: it shows by itself that it may speak it, or messages before it did,
    /// which a decoder has read whose place is `known`.
    fn attempt(
        &mut self,
        dialect: &'static Dialect,
        known: Option<usize>,
        said: &Said<'_>,
        found: &mut Vec<Finding>,
    ) -> Option<App> {
        let new = match dialect.reader {
            Reader::Each(read) => return each(read, said),
            Reader::Session(new) => new,
        };
        let before = found.len();
        let app = if let Some(at) = known {
            self.decoders[at].1.read(&Said { agreed: false, known: true, ..*said }, found)
        } else {
            let mut decoder = new();
            let app = decoder.read(&Said { agreed: false, known: false, ..*said }, found);
            if app.is_some() {
                self.decoders.push((dialect, decoder));
            }
            app
        };
        if app.is_none() {
            found.truncate(before);
        }
        app
    }

    fn place(&self, dialect: &Dialect) -> Option<usize> {
        self.decoders.iter().position(|(known, _)| known.id == dialect.id)
    }

    /// Something that `dir` sent is not there to be read.
    pub fn lost(&mut self, dir: Dir) {
        if self.decoders.is_empty() {
            self.lost[dir.index()] = true;
        }
        for (_, decoder) in &mut self.decoders {
            decoder.lost(dir);
        }
    }

    /// Bytes held for requests that wait for answers.
    pub fn held(&mut self) -> usize {
        let requests = self.decoders.iter_mut().filter_map(|(_, decoder)| decoder.requests());
        requests.map(|requests| requests.held()).sum()
    }

    /// Forgets requests that wait for answers.
    pub fn forget_requests(&mut self) {
        let requests = self.decoders.iter_mut().filter_map(|(_, decoder)| decoder.requests());
        requests.for_each(super::pending::Requests::forget);
    }

    /// Requests that are without an answer at the end, the connection's last moment.
    pub fn unanswered(&mut self, end: Option<Time>) -> Vec<Unanswered> {
        let mut to = Vec::new();
        for requests in self.decoders.iter_mut().filter_map(|(_, decoder)| decoder.requests()) {
            requests.list(end, &mut to);
        }
        to
    }

    /// The connection was ended at this time, and all that was sent has been read: what that cuts short.
    pub fn end(&mut self, ended: Option<Time>) -> Vec<Finding> {
        let mut found = Vec::new();
        for (_, decoder) in &mut self.decoders {
            decoder.end(ended, &mut found);
        }
        found
    }
}

/// Reads a message that stands for itself.
fn each(read: fn(&Said<'_>) -> Option<App>, said: &Said<'_>) -> Option<App> {
    if said.is_whole() { read(said) } else { None }
}

/// Tells a new decoder what was lost before it was there.
fn tell_lost(lost: [bool; 2], decoder: &mut dyn Decoder) -> [bool; 2] {
    for dir in [Dir::Client, Dir::Server].into_iter().filter(|dir| lost[dir.index()]) {
        decoder.lost(dir);
    }
    [false; 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(subprotocol: Option<&str>, messages: &[&[u8]]) -> Vec<Option<&'static str>> {
        let mut talk = Talk::default();
        if let Some(name) = subprotocol {
            talk.agree(name);
        }
        let mut found = Vec::new();
        let said = |(i, bytes)| Said::sample(Dir::Client, i, true, bytes);
        let read = messages.iter().enumerate().map(|(i, bytes)| (i as u64 + 1, *bytes)).map(said);
        read.map(|said| talk.read(&said, &mut found).map(|app| app.protocol)).collect()
    }

    #[test]
    fn the_subprotocol_decides_and_then_the_content() {
        let id = |subprotocol, bytes| ids(subprotocol, &[bytes])[0];
        let subscribe: &[u8] = br#"{"id":"1","type":"subscribe","payload":{"query":"{a}"}}"#;
        assert_eq!(id(Some("graphql-transport-ws"), subscribe), Some("graphql-transport-ws"));
        assert_eq!(id(None, subscribe), Some("json"));
        assert_eq!(id(None, b"ping"), Some("text-ping"));
        assert_eq!(id(None, b"CONNECT\naccept-version:1.2\nhost:x\n\n\0"), Some("stomp"));
        assert_eq!(id(None, b"{\"type\":6}\x1e"), Some("signalr"));
        assert_eq!(id(Some("mqtt"), b"hello"), None);
        assert_eq!(id(None, b"hello"), None);
        let ids: std::collections::BTreeSet<_> = DIALECTS.iter().map(|d| d.id).collect();
        assert_eq!(ids.len(), DIALECTS.len());
    }

    #[test]
    fn a_lone_line_feed_is_a_heart_beat_only_among_stomp() {
        let frame: &[u8] = b"CONNECT\naccept-version:1.2\nhost:x\n\n\0";
        assert_eq!(ids(None, &[b"\n", frame, b"\n"]), [None, Some("stomp"), Some("stomp")]);
        assert_eq!(ids(Some("v12.stomp"), &[b"\n"]), [Some("stomp")]);
        assert_eq!(ids(Some("chat"), &[b"\n"]), [None]);
    }
}
