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

/// What a message means.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // it is moved once; a box for each message would be an allocation more
pub enum Meaning {
    /// This.
    Own(App),
    /// What stands in the room that was lent.
    InRoom,
}

impl Meaning {
    /// What it is, with the `room` that was lent.
    #[inline]
    pub fn app<'r>(&'r self, room: &'r App) -> &'r App {
        match self {
            Self::Own(app) => app,
            Self::InRoom => room,
        }
    }

    /// The same, to keep.
    pub fn into_app(self, room: &App) -> App {
        match self {
            Self::Own(app) => app,
            Self::InRoom => room.clone(),
        }
    }
}

impl Talk {
    /// The handshake agreed on this subprotocol.
    pub fn agree(&mut self, subprotocol: &str) {
        let is = |name: &&str| name.eq_ignore_ascii_case(subprotocol);
        self.agreed = DIALECTS.iter().copied().find(|dialect| dialect.subprotocols.iter().any(is));
    }

    /// What the next message of a direction means, if that can be told. What it breaks is added to `found`.
    /// `room` is for the protocols that [make none](Reader::Whole), and is to be lent to all of them again.
    pub fn read(&mut self, said: &mut Said<'_>, found: &mut Vec<Finding>, room: &mut App) -> Option<Meaning> {
        if let Some(agreed) = self.agreed
            && let Some(meaning) = self.read_agreed(agreed, said, found, room)
        {
            return Some(meaning);
        }
        let first = said.bytes.first().copied();
        if said.text && said.is_whole() && matches!(first, Some(b'{' | b'[')) {
            said.look();
        }
        let said = &*said;
        let mut candidates = match first {
            // Messages of a protocol that was seen may not show it by themselves.
            Some(first) if self.decoders.is_empty() => BY_FIRST[usize::from(first)],
            _ => ALL,
        };
        while let Some(dialect) = DIALECTS.get(candidates.trailing_zeros() as usize).copied() {
            candidates &= candidates - 1;
            // Most of them are out of the question at a glance.
            let Some(looks_like) = dialect.looks_like else { continue };
            let known = self.place(dialect);
            if known.is_none() && !looks_like(said)
                || self.agreed.is_some_and(|agreed| std::ptr::eq(agreed, dialect))
            {
                continue;
            }
            let meaning = self.attempt(dialect, known, said, found, room);
            if meaning.is_some() {
                return meaning;
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
        room: &mut App,
    ) -> Option<Meaning> {
        let new = match agreed.reader {
            Reader::Each(read) => return each(read, said),
            Reader::Whole(read) => return whole(read, said, room),
            Reader::Session(new) => new,
        };
        let at = self.place(agreed).unwrap_or_else(|| {
            self.decoders.push((agreed, new()));
            self.decoders.len() - 1
        });
        let decoder = &mut self.decoders[at].1;
        self.lost = tell_lost(self.lost, decoder.as_mut());
        decoder.read(&Said { agreed: true, known: true, ..*said }, found).map(Meaning::Own)
    }

    /// Reads a message as `dialect`: it shows by itself that it may speak it, or messages before it did,
    /// which a decoder has read whose place is `known`.
    fn attempt(
        &mut self,
        dialect: &'static Dialect,
        known: Option<usize>,
        said: &Said<'_>,
        found: &mut Vec<Finding>,
        room: &mut App,
    ) -> Option<Meaning> {
        let new = match dialect.reader {
            Reader::Each(read) => return each(read, said),
            Reader::Whole(read) => return whole(read, said, room),
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
        app.map(Meaning::Own)
    }

    fn place(&self, dialect: &Dialect) -> Option<usize> {
        self.decoders.iter().position(|(known, _)| *known == dialect)
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

    /// Whether no protocol is followed from message to message.
    #[inline]
    pub fn is_alone(&self) -> bool {
        self.decoders.is_empty()
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
fn each(read: fn(&Said<'_>) -> Option<App>, said: &Said<'_>) -> Option<Meaning> {
    if said.is_whole() { read(said).map(Meaning::Own) } else { None }
}

/// Reads a message that is one thing as a whole.
fn whole(read: fn(&Said<'_>, &mut App) -> bool, said: &Said<'_>, room: &mut App) -> Option<Meaning> {
    (said.is_whole() && read(said, room)).then_some(Meaning::InRoom)
}

/// Protocols, a bit for each of [`DIALECTS`].
type Set = u32;

/// All of them.
const ALL: Set = Set::MAX;

/// Those that are recognised by content and whose messages may begin with a byte, for each byte.
static BY_FIRST: [Set; 256] = by_first(DIALECTS);

const fn by_first(dialects: &[&Dialect]) -> [Set; 256] {
    assert!(dialects.len() <= Set::BITS as usize);
    let mut table = [0; 256];
    let mut first = 0;
    while first < table.len() {
        let mut at = 0;
        while at < dialects.len() {
            if dialects[at].looks_like.is_some() && may_begin(dialects[at].first, first as u8) {
                table[first] |= 1 << at;
            }
            at += 1;
        }
        first += 1;
    }
    table
}

const fn may_begin(with: &[u8], first: u8) -> bool {
    let mut at = 0;
    while at < with.len() && with[at] != first {
        at += 1;
    }
    with.is_empty() || at < with.len()
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
        let mut room = App::default();
        let mut read_one = |mut said| Some(talk.read(&mut said, &mut found, &mut room)?.app(&room).protocol);
        read.map(&mut read_one).collect()
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
