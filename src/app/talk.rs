//! What the messages of one connection speak, from its first to its last.

use super::DIALECTS;
use super::dialect::{Decoder, Dialect, Reader, Said};
use super::given::Given;
use super::glance::{Glance, Marks};
use super::pending::Requests;
use crate::limits::APP_SHOWN;
use crate::model::json::Quoted;
use crate::model::{App, Connection, Dir, Finding, SourceId, Time, Unanswered};

/// The application protocols of one connection: which was agreed on, which were seen, and what their
/// decoders remember.
#[derive(Debug, Default)]
pub struct Talk {
    /// What the user has described, and this connection may speak: tried before what is known.
    own: Box<[Box<dyn Decoder>]>,
    agreed: Option<Place>,
    /// The subprotocol by which it was, among those that stand for it.
    subprotocol: u8,
    /// That of the request's target.
    expected: Option<Place>,
    /// The answer to the handshake was seen, and agreed on no subprotocol.
    bare: bool,
    /// The protocols that `decoders` read.
    known: Set,
    /// Decoders of the protocols that were agreed on or seen, and whose messages hang together.
    decoders: Vec<(Place, Box<dyn Decoder>)>,
    /// Which directions lack something.
    lost: [bool; 2],
    /// Of which directions something may be missing that the other has had.
    behind: [bool; 2],
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
        let agreed = super::agreed(subprotocol);
        self.agreed = agreed.map(|(at, _)| at as Place);
        self.subprotocol = agreed.map_or(0, |(_, name)| name as u8);
    }

    /// The handshake agreed on no subprotocol.
    pub fn agree_on_none(&mut self) {
        self.bare = true;
    }

    /// The handshake asked for this target.
    pub fn expect(&mut self, target: &str) {
        self.expected = super::expected(target).map(|at| at as Place);
    }

    /// The connection may speak what the user has described, as far as is known of its handshake, now that
    /// more of it is known.
    pub fn give(&mut self, given: &Given, connection: Option<&Connection>) {
        self.own = given.decoders(connection).into();
    }

    /// What the next message of a direction means, if that can be told. What it breaks is added to `found`.
    /// `room` is for the protocols that [make none](Reader::Whole), and is to be lent to all of them again.
    pub fn read(&mut self, said: &mut Said<'_>, found: &mut Vec<Finding>, room: &mut App) -> Option<Meaning> {
        for own in &mut self.own {
            let before = found.len();
            if let Some(app) = own.read(said, found) {
                return Some(Meaning::Own(app));
            }
            found.truncate(before);
        }
        if let Some(agreed) = self.agreed
            && let Some(meaning) = self.read_agreed(agreed, said, found, room)
        {
            return Some(meaning);
        }
        let first = said.bytes.first().copied();
        if said.text && said.is_whole() && matches!(first, Some(b'{' | b'[')) {
            said.look();
        }
        said.bare = self.bare;
        let said = &*said;
        if let Some(expected) = self.expected.filter(|expected| self.agreed != Some(*expected))
            && let Some(meaning) = self.attempt(expected, said, found, room)
        {
            return Some(meaning);
        }
        let mut candidates = first.map_or(BY_NOTHING, |first| BY_FIRST[usize::from(first)]);
        if let Glance::Json(marks) = said.glance {
            candidates &= BY_MARKS[usize::from(marks)];
        }
        // Messages of a protocol that was seen may not show it by themselves.
        candidates |= self.known;
        // These have been asked.
        candidates &= !set(self.agreed) & !set(self.expected);
        while candidates != 0 {
            let place = candidates.trailing_zeros() as Place;
            candidates &= candidates - 1;
            // Most of them are out of the question at a glance.
            let Some(looks_like) = DIALECTS[usize::from(place)].looks_like else { continue };
            if self.known & set(Some(place)) == 0 && !looks_like(said) {
                continue;
            }
            let meaning = self.attempt(place, said, found, room);
            if meaning.is_some() {
                return meaning;
            }
        }
        None
    }

    /// Whether a whole text is JSON of no protocol, or nothing that is known: only where that is told at a
    /// glance, as neither the handshake nor messages before it said what is spoken, and it has no marks.
    /// `None` says nothing, and nothing is changed but `quoted`, which the text becomes.
    pub fn is_plainly_json(
        &self,
        (dir, text): (Dir, &str),
        source: SourceId,
        quoted: &mut Quoted,
    ) -> Option<bool> {
        let (first, last) = (text.as_bytes().first()?, text.as_bytes().last()?);
        if !matches!(first, b'{' | b'[') || text.len() > APP_SHOWN {
            return None;
        }
        if !self.is_alone() || self.agreed.is_some() || self.expected.is_some() {
            return None;
        }
        let glance = Glance::quoting(text, quoted);
        let (is_json, marks) = match glance {
            Glance::Json(marks) => (true, marks),
            // That it may be a heartbeat shows at its end.
            Glance::Unsure(0) if matches!(last, b'}' | b']') => (false, 0),
            Glance::Unsure(_) | Glance::None => return None,
        };
        let ends = BY_FIRST[usize::from(*first)] & BY_LAST[usize::from(*last)];
        let mut others = ends & BY_MARKS[usize::from(marks)] & !JSON;
        if others == 0 {
            return Some(is_json);
        }
        let content = Some(text);
        let said = Said { content, glance, ..Said::new(dir, true, text.as_bytes(), source) };
        while others != 0 {
            let dialect = DIALECTS[others.trailing_zeros() as usize];
            others &= others - 1;
            if dialect.looks_like.is_some_and(|looks_like| looks_like(&said)) {
                return None;
            }
        }
        Some(is_json)
    }

    /// Reads a message as the handshake says.
    fn read_agreed(
        &mut self,
        place: Place,
        said: &Said<'_>,
        found: &mut Vec<Finding>,
        room: &mut App,
    ) -> Option<Meaning> {
        let agreed = DIALECTS[usize::from(place)];
        let new = match agreed.reader {
            Reader::Each(read) => return each(read, said),
            Reader::Whole(read) => return whole(read, said, room),
            Reader::Session(new) => new,
        };
        let at = self.decoder(place).unwrap_or_else(|| {
            self.follow(place, new());
            self.decoders.len() - 1
        });
        let expected = self.expected == Some(place);
        let decoder = &mut self.decoders[at].1;
        tell_lost(std::mem::take(&mut self.lost), std::mem::take(&mut self.behind), decoder.as_mut());
        let subprotocol = agreed.subprotocols.get(usize::from(self.subprotocol)).copied();
        let said = Said { agreed: true, subprotocol, known: true, expected, ..*said };
        decoder.read(&said, found).map(Meaning::Own)
    }

    /// Reads a message as one of a protocol: it shows by itself that it may speak it, or messages before it
    /// did, or the target says so.
    fn attempt(
        &mut self,
        place: Place,
        said: &Said<'_>,
        found: &mut Vec<Finding>,
        room: &mut App,
    ) -> Option<Meaning> {
        let new = match DIALECTS[usize::from(place)].reader {
            Reader::Each(read) => return each(read, said),
            Reader::Whole(read) => return whole(read, said, room),
            Reader::Session(new) => new,
        };
        let before = found.len();
        let (known, expected) = (self.decoder(place), self.expected == Some(place));
        let app = if let Some(at) = known {
            self.decoders[at].1.read(&Said { agreed: false, known: true, expected, ..*said }, found)
        } else {
            let mut decoder = new();
            tell_lost(self.lost.map(|lost| lost && expected), self.behind, decoder.as_mut());
            let app = decoder.read(&Said { agreed: false, known: false, expected, ..*said }, found);
            if app.is_some() || decoder.is_undecided() {
                self.follow(place, decoder);
            }
            app
        };
        // What is none of its messages may still be one where both the target and messages say that it is
        // spoken.
        if app.is_none() && !(expected && known.is_some()) {
            found.truncate(before);
        }
        app.map(Meaning::Own)
    }

    fn follow(&mut self, place: Place, decoder: Box<dyn Decoder>) {
        self.known |= set(Some(place));
        self.decoders.push((place, decoder));
    }

    /// The decoder of a protocol.
    fn decoder(&self, place: Place) -> Option<usize> {
        self.decoders.iter().position(|(known, _)| *known == place)
    }

    /// Something that `dir` sent is not there to be read.
    pub fn lost(&mut self, dir: Dir) {
        if self.decoders.is_empty() {
            self.lost[dir.index()] = true;
        }
        for (_, decoder) in &mut self.decoders {
            decoder.lost(dir);
        }
        self.own.iter_mut().for_each(|own| own.lost(dir));
    }

    /// Something that `dir` sent before is not there, whether it comes yet or never.
    pub fn behind(&mut self, dir: Dir) {
        if self.decoders.is_empty() {
            self.behind[dir.index()] = true;
        }
        for (_, decoder) in &mut self.decoders {
            decoder.behind(dir);
        }
        self.own.iter_mut().for_each(|own| own.behind(dir));
    }

    /// Whether no protocol is followed from message to message.
    #[inline]
    pub fn is_alone(&self) -> bool {
        self.decoders.is_empty() && self.own.is_empty()
    }

    /// The requests of all protocols.
    fn requests(&mut self) -> impl Iterator<Item = &mut dyn Requests> {
        let known = self.decoders.iter_mut().filter_map(|(_, decoder)| decoder.requests());
        known.chain(self.own.iter_mut().filter_map(|own| own.requests()))
    }

    /// Bytes held for requests that wait for answers.
    pub fn held(&mut self) -> usize {
        self.requests().fold(0, |all, requests| all + requests.held())
    }

    /// Forgets requests that wait for answers.
    pub fn forget_requests(&mut self) {
        self.requests().for_each(Requests::forget);
    }

    /// Requests that are without an answer at the end, the connection's last moment.
    pub fn unanswered(&mut self, end: Option<Time>) -> Vec<Unanswered> {
        let mut to = Vec::new();
        self.requests().for_each(|requests| requests.list(end, &mut to));
        to
    }

    /// The connection was ended at this time, and all that was sent has been read: what that cuts short.
    pub fn end(&mut self, ended: Option<Time>) -> Vec<Finding> {
        let mut found = Vec::new();
        for decoder in self.decoders.iter_mut().map(|(_, decoder)| decoder).chain(&mut self.own) {
            decoder.end(ended, &mut found);
        }
        found
    }
}

/// For a protocol whose messages carry those of others.
impl Requests for Talk {
    fn held(&mut self) -> usize {
        Self::held(self)
    }

    fn lost(&mut self, dir: Dir) {
        Self::lost(self, dir);
    }

    fn forget(&mut self) {
        self.forget_requests();
    }

    fn list(&mut self, end: Option<Time>, to: &mut Vec<Unanswered>) {
        to.extend(self.unanswered(end));
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

/// One of [`DIALECTS`].
type Place = u8;

/// Several of them, a bit each.
type Set = u32;

/// The set of one, or none.
fn set(of: Option<Place>) -> Set {
    of.map_or(0, |place| 1 << place)
}

/// JSON of no protocol.
const JSON: Set = {
    let mut at = 0;
    while !matches!(DIALECTS[at].id.as_bytes(), b"json") {
        at += 1;
    }
    1 << at
};

/// Those that are recognised by content and whose messages may begin with a byte, for each byte.
static BY_FIRST: [Set; 256] = by_end(DIALECTS, true);

/// The same by the byte that their messages may end with.
static BY_LAST: [Set; 256] = by_end(DIALECTS, false);

/// Those of which a message may have no bytes at all.
static BY_NOTHING: Set = {
    let (mut set, mut at) = (0, 0);
    while at < DIALECTS.len() {
        if DIALECTS[at].looks_like.is_some() && DIALECTS[at].first.is_empty() {
            set |= 1 << at;
        }
        at += 1;
    }
    set
};

/// Those whose messages may be JSON with some marks and no others.
static BY_MARKS: [Set; 1 << Marks::BITS] = by_marks(DIALECTS);

const fn by_marks(dialects: &[&Dialect]) -> [Set; 1 << Marks::BITS] {
    let mut table = [0; 1 << Marks::BITS];
    let mut marks = 0;
    while marks < table.len() {
        let mut at = 0;
        while at < dialects.len() {
            let sought = dialects[at].marks;
            if sought == 0 || sought & marks as Marks != 0 {
                table[marks] |= 1 << at;
            }
            at += 1;
        }
        marks += 1;
    }
    table
}

const fn by_end(dialects: &[&Dialect], is_first: bool) -> [Set; 256] {
    assert!(dialects.len() <= Set::BITS as usize);
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < table.len() {
        let mut at = 0;
        while at < dialects.len() {
            let with = if is_first { dialects[at].first } else { dialects[at].last };
            if dialects[at].looks_like.is_some() && may_be(with, byte as u8) {
                table[byte] |= 1 << at;
            }
            at += 1;
        }
        byte += 1;
    }
    table
}

/// Whether a message may have this byte where it has one of these, if there are any.
const fn may_be(with: &[u8], byte: u8) -> bool {
    let mut at = 0;
    while at < with.len() && with[at] != byte {
        at += 1;
    }
    with.is_empty() || at < with.len()
}

/// Tells a new decoder what was lost before it was there, and of whom something was not there.
fn tell_lost(lost: [bool; 2], behind: [bool; 2], decoder: &mut dyn Decoder) {
    for dir in [Dir::Client, Dir::Server] {
        if lost[dir.index()] {
            decoder.lost(dir);
        } else if behind[dir.index()] {
            decoder.behind(dir);
        }
    }
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
    fn a_target_helps_and_does_not_force() {
        let at = |target: &str, messages: &[&'static str]| -> Vec<Option<&'static str>> {
            let (mut talk, mut found, mut room) = (Talk::default(), Vec::new(), App::default());
            talk.expect(target);
            let mut read = |wire: &&'static str| {
                let mut said = Said::sample(Dir::Server, 1, true, wire.as_bytes());
                Some(talk.read(&mut said, &mut found, &mut room)?.app(&room).protocol)
            };
            messages.iter().map(&mut read).collect()
        };
        let sockjs = "/echo/000/abcdefgh/websocket";
        assert_eq!(at(sockjs, &["o", "a[\"x\"]"]), [Some("sockjs"); 2]);
        assert_eq!(at(sockjs, &["hello", "{\"a\":1}"]), [None, Some("json")]);
        assert_eq!(at("/", &["o", "a[\"x\"]"]), [None; 2]);
        assert_eq!(at("/api/websocket", &[r#"{"type":"auth_ok"}"#]), [Some("home-assistant")]);
        assert_eq!(at("/api/websocket", &[r#"{"type":"hello"}"#]), [Some("json")]);
        let join = r#"[null,"1","a","phx_join",{}]"#;
        assert_eq!(
            at("/", &["{}", join, r#"[null,null,"a","news",{}]"#]),
            [Some("json"), Some("phoenix"), Some("phoenix")]
        );
    }

    #[test]
    fn a_lone_line_feed_is_a_heart_beat_only_among_stomp() {
        let frame: &[u8] = b"CONNECT\naccept-version:1.2\nhost:x\n\n\0";
        assert_eq!(ids(None, &[b"\n", frame, b"\n"]), [None, Some("stomp"), Some("stomp")]);
        assert_eq!(ids(Some("v12.stomp"), &[b"\n"]), [Some("stomp")]);
        assert_eq!(ids(Some("chat"), &[b"\n"]), [None]);
    }
}
