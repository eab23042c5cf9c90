//! A connection of HTTP/2 held against the rules of this project's own decoder while it is served: which of
//! them its client breaks, and on which stream.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::decoder::{Beginning, Decoder};
use crate::lab::hub::held;
use crate::lab::overheard::{Listener, Overheard};
use crate::lab::socket::Stream;
use crate::limits;
use crate::model::{At, Body, Dir, Finding, Flow, FlowId, Interest, ON, Severity, Side, Sink, Unit, Wants};

/// The only connection there is.
const ONE: FlowId = FlowId(0);

/// What is said of a connection.
#[derive(Clone)]
pub(super) struct Watch(Arc<Mutex<State>>);

struct State {
    decoder: Decoder<Inbox>,
    /// The decoder says no more.
    lost: bool,
}

/// What the decoder has said.
#[derive(Default)]
struct Inbox {
    /// Streams on which something was asked for, until they are let go.
    streams: BTreeMap<u32, Seen>,
    /// The streams that are WebSockets, by the numbers that the decoder has for them.
    numbers: HashMap<u32, u32>,
    /// Its number for the connection.
    own: Option<u32>,
    /// The first rule that was broken on no stream in particular.
    broken: Option<Finding>,
}

/// What was seen of a stream.
#[derive(Default)]
struct Seen {
    /// What was asked for.
    target: String,
    /// It is served.
    accepted: bool,
    /// The first rule that its client broke.
    broken: Option<Finding>,
}

/// A request that was refused before anybody could answer it.
pub struct Refused {
    /// Its `:path`.
    pub target: String,
    /// The rule that it breaks.
    pub broken: Finding,
}

/// What is said of one stream, until it is let go.
pub struct StreamWatch {
    watch: Watch,
    stream: u32,
}

impl Watch {
    /// A connection that is watched from its first byte on; `ends` are the addresses of client and server.
    pub fn on(stream: Box<dyn Stream>, ends: [SocketAddr; 2]) -> (Overheard<Self>, Self) {
        let mut decoder = Decoder::within(limits::GRADE_WATCH, Inbox::default());
        decoder.open(ONE, &Beginning::opened(ends));
        let watch = Self(Arc::new(Mutex::new(State { decoder, lost: false })));
        (Overheard::by(watch.clone(), stream), watch)
    }

    fn data(&self, from: Side, bytes: &[u8]) {
        let mut state = held(&self.0);
        if !state.lost && !bytes.is_empty() {
            state.lost = state.decoder.data(ONE, from, bytes, At::default()) != Interest::Follow;
        }
    }

    /// A stream is served.
    pub fn accepted(&self, stream: u32) -> StreamWatch {
        let mut state = held(&self.0);
        state.decoder.sink().streams.entry(stream).or_default().accepted = true;
        StreamWatch { watch: self.clone(), stream }
    }

    /// One that was not, although all that came was looked at; those against whose request there is nothing
    /// are too many for their server.
    pub fn refused(&self) -> Option<Refused> {
        let mut state = held(&self.0);
        let inbox = state.decoder.sink();
        while let Some(stream) = inbox.streams.iter().find(|(_, seen)| !seen.accepted).map(|(id, _)| *id) {
            let seen = inbox.streams.remove(&stream)?;
            if let Some(broken) = seen.broken {
                return Some(Refused { target: seen.target, broken });
            }
        }
        None
    }
}

/// What is read of it the client has sent, what is written the server.
impl Listener for Watch {
    fn came(&self, bytes: &[u8]) {
        self.data(Side::A, bytes);
    }

    fn went(&self, bytes: &[u8]) {
        self.data(Side::B, bytes);
    }
}

impl StreamWatch {
    /// The first rule that the client has broken on the stream, or on its connection.
    pub fn broken(&self) -> Option<Finding> {
        let mut state = held(&self.watch.0);
        let inbox = state.decoder.sink();
        let own = inbox.streams.get(&self.stream).and_then(|seen| seen.broken.clone());
        own.or_else(|| inbox.broken.clone())
    }
}

impl Drop for StreamWatch {
    fn drop(&mut self) {
        let mut state = held(&self.watch.0);
        let inbox = state.decoder.sink();
        inbox.streams.remove(&self.stream);
        inbox.numbers.retain(|_, stream| *stream != self.stream);
    }
}

impl Sink for Inbox {
    fn wants(&self) -> Wants {
        Wants::NOTHING
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        // What goes over a WebSocket is looked at by who plays on it.
        match unit.body {
            Body::Frame(_) | Body::Message(_) => return ON,
            Body::Connection(connection) if connection.parent.is_none() => {
                self.own.get_or_insert(unit.conn);
            }
            _ => {}
        }
        if unit.dir != Some(Dir::Client) {
            return ON;
        }
        let is_own = self.own == Some(unit.conn);
        let stream = match unit.body {
            Body::Http(head) => {
                let Some(stream) = head.stream else { return ON };
                if !is_own {
                    self.numbers.insert(unit.conn, stream);
                }
                let seen = self.streams.entry(stream).or_default();
                head.target().unwrap_or_default().clone_into(&mut seen.target);
                Some(stream)
            }
            _ => self.numbers.get(&unit.conn).copied(),
        };
        let is_its = |it: &&Finding| it.rule.severity == Severity::Error && it.blame == Some(Dir::Client);
        if let Some(finding) = unit.findings.iter().find(is_its) {
            let broken = match stream.map(|stream| self.streams.get_mut(&stream)) {
                Some(Some(seen)) => &mut seen.broken,
                None if is_own => &mut self.broken,
                // It is of a stream that was let go.
                _ => return ON,
            };
            broken.get_or_insert_with(|| finding.clone());
        }
        ON
    }
}
