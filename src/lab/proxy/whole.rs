//! What a request that polls says, or its answer, as a whole: in parts, each of which can be left out or
//! changed.

use super::head::{self, Edits};
use super::rule::Content;
use crate::app::socketio;
use crate::http::codings;
use crate::model::{Dir, Opcode};

/// What stands between packets of Engine.IO 4 in a body.
const SEPARATOR: u8 = 0x1E;

/// A packet of Engine.IO that says nothing: a body has to have one.
const NOOP: &[u8] = b"6";

/// A request that polls, or its answer, as a whole.
#[derive(Debug)]
pub(super) struct Exchange {
    pub from: Dir,
    /// Its head, and its body as it came.
    head: Vec<u8>,
    body: Vec<u8>,
    /// What it says, in parts that may be taken out by themselves: packets of Engine.IO, or one of all.
    parts: Vec<Part>,
    /// The parts are packets of Engine.IO 4.
    engine: bool,
    /// There is a coding around what it says (RFC 9110 §8.4).
    is_coded: bool,
}

/// A part of what a body says.
#[derive(Debug)]
struct Part {
    bytes: Vec<u8>,
    /// It is a message, and not what a protocol says of itself.
    is_message: bool,
}

impl Exchange {
    /// A head, the body behind it as it came, and the content of that, without its chunks; `engine` where
    /// that is packets of Engine.IO 4.
    pub fn of(from: Dir, [head, body]: [Vec<u8>; 2], content: Option<Vec<u8>>, engine: bool) -> Self {
        let is_coded = !codings(&head::parse(&head)).is_none();
        let parts = match content {
            None => Vec::new(),
            Some(content) if content.is_empty() => Vec::new(),
            Some(content) if engine => {
                // `ok` answers what a client has sent.
                let packets = content.split(|byte| *byte == SEPARATOR);
                packets.map(|it| Part { bytes: it.to_vec(), is_message: it.starts_with(b"4") }).collect()
            }
            Some(content) => vec![Part { bytes: content, is_message: true }],
        };
        Self { from, head, body, parts, engine, is_coded }
    }

    /// Its messages: of an empty body there are none.
    pub fn messages(&self) -> impl Iterator<Item = (usize, Content)> + '_ {
        let messages = self.parts.iter().enumerate().filter(|(_, part)| part.is_message);
        messages.map(|(place, part)| (place, self.content(part)))
    }

    fn content(&self, part: &Part) -> Content {
        let text = std::str::from_utf8(&part.bytes).ok();
        let message = text.filter(|_| self.engine).and_then(|text| text.strip_prefix('4'));
        Content {
            from: self.from,
            kind: if text.is_some() { Opcode::TEXT } else { Opcode::BINARY },
            payload: part.bytes.clone(),
            // What a coding is around cannot be read, nor changed.
            cut: self.is_coded,
            compressed: false,
            event: message.and_then(|text| Some(socketio::read(text).ok()?.event()?.0)),
            is_named_apart: false,
        }
    }

    /// Whether a message can be lost and the rest still make sense.
    pub fn has_packets(&self) -> bool {
        self.engine
    }

    /// Has one of its messages replaced, or left out.
    pub fn change(&mut self, place: usize, new: Option<Vec<u8>>) {
        match (self.parts.get_mut(place), new) {
            (Some(part), Some(new)) => part.bytes = new,
            // Their places stay.
            (Some(part), None) => part.bytes.clear(),
            (None, _) => {}
        }
    }

    /// The bytes as they came.
    pub fn unchanged(self) -> Vec<u8> {
        [self.head, self.body].concat()
    }

    /// The bytes with what it says now.
    pub fn changed(self) -> Vec<u8> {
        let mut body = if self.engine {
            let kept = self.parts.iter().map(|part| part.bytes.as_slice()).filter(|part| !part.is_empty());
            kept.collect::<Vec<_>>().join(&SEPARATOR)
        } else {
            self.parts.into_iter().flat_map(|part| part.bytes).collect()
        };
        if self.engine && body.is_empty() {
            body = NOOP.to_vec();
        }
        let head = head::parse(&self.head);
        let mut edits = Edits::default();
        edits.without(&head, &["transfer-encoding", "content-length"]);
        edits.field(&head, "Content-Length", &body.len().to_string());
        let mut bytes = edits.apply(&self.head);
        bytes.append(&mut body);
        bytes
    }
}
