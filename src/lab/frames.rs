//! Frames as an endpoint uses them: this project's own encoder, and its decoder, which
//! reads without I/O whatever pieces the bytes come in.
//!
//! The connections of a server share one decoder, so that an idle one holds next to nothing.

use std::sync::{Arc, Mutex};

use super::hub::held;
use crate::decoder::{Decoder, Extensions};
use crate::limits;
use crate::model::{
    At, Body, CloseCode, Deflate, Dir, Flow, FlowId, ON, Opcode, Rule, Severity, Side, Sink, StreamEnd, Unit,
    Wants,
};
use crate::ws::encode;

/// A message or control frame from the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Text, binary, close, ping or pong.
    pub kind: Opcode,
    /// Its payload, unmasked and inflated.
    pub payload: Vec<u8>,
}

/// Why the connection has to be failed (RFC 6455 §7.1.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What to close it with.
    pub code: CloseCode,
    /// The rule that was broken, in words.
    pub why: &'static str,
    /// It; `None` where a limit of ours was reached.
    pub rule: Option<&'static Rule>,
    /// The code of the Close frame that broke it.
    pub close: Option<CloseCode>,
}

/// What bytes have completed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Pushed {
    /// In order. Nothing comes behind a Close frame, or what was wrong.
    pub received: Vec<Received>,
    /// What was wrong behind those.
    pub violation: Option<Violation>,
    /// Frames that are whole by now, fragments among them.
    pub frames: u64,
}

/// Reads the frames of any number of connections.
#[derive(Clone)]
pub struct Reader(Arc<Mutex<Shared>>);

struct Shared {
    decoder: Decoder<Inbox>,
    /// Numbers that connections had, and the next.
    free: Vec<u32>,
    next: u32,
    most: usize,
}

impl Reader {
    /// One that takes messages of at most `most` bytes, of each connection.
    pub fn taking(most: usize) -> Self {
        let inbox = Inbox { most, ..Inbox::default() };
        // What one connection holds is limited here, and nobody else's is given up for it.
        let decoder = Decoder::within(usize::MAX / 4, inbox);
        Self(Arc::new(Mutex::new(Shared { decoder, free: Vec::new(), next: 0, most })))
    }

    /// The frames of the client or server of a new connection, whose handshake agreed on `deflate`.
    pub fn open(&self, from: Dir, deflate: Option<Deflate>) -> Frames {
        let mut shared = held(&self.0);
        let number = shared.free.pop().unwrap_or_else(|| {
            shared.next += 1;
            shared.next - 1
        });
        let flow = FlowId(number);
        // The inbox never says stop.
        shared.decoder.open_upgraded(flow, None, Extensions { deflate, ..Extensions::NONE });
        drop(shared);
        Frames {
            reader: self.clone(),
            flow,
            from: Side::of(from),
            further: false,
            closed: false,
            over: false,
        }
    }
}

/// Reads what one side sends after its opening handshake.
pub struct Frames {
    reader: Reader,
    flow: FlowId,
    from: Side,
    /// What comes behind a Close frame is looked at, too.
    further: bool,
    closed: bool,
    /// Nothing is looked at any more: a Close frame came, or a violation.
    over: bool,
}

impl Frames {
    /// Those of the client or server of the only connection there is, which agreed on no extension.
    pub fn from(dir: Dir) -> Self {
        Reader::taking(limits::LAB_MESSAGE).open(dir, None)
    }

    /// Tells also of what is wrong behind a Close frame; nothing that comes there is given.
    #[must_use]
    pub fn further(mut self) -> Self {
        self.further = true;
        self
    }

    /// Takes the next bytes and gives what they complete. What the peer does wrong, such as a message that is
    /// too long or text that is none, is told as soon as it is certain, also within a frame.
    pub fn push(&mut self, bytes: &[u8]) -> Pushed {
        if self.over {
            return Pushed::default();
        }
        let mut shared = held(&self.reader.0);
        let most = shared.most as u64;
        shared.decoder.data(self.flow, self.from, bytes, At::default());
        let mut pushed = shared.decoder.sink().take_out();
        if pushed.violation.is_none()
            && let Some(prospect) = shared.decoder.prospect(self.flow, self.from)
        {
            pushed.violation = match prospect.broken {
                Some(rule) => Some(Violation::of(rule)),
                None if prospect.length > most => Some(Violation::TOO_LONG),
                None if shared.decoder.held() > limits::LAB_HELD => Some(Violation::TOO_MUCH),
                None => None,
            };
        }
        drop(shared);
        let closes = pushed.received.iter().position(|it| it.kind == Opcode::CLOSE);
        if self.closed {
            pushed.received.clear();
        } else if let Some(at) = closes {
            pushed.received.truncate(at + 1);
            self.closed = true;
            if !self.further {
                pushed.violation = None;
            }
        }
        self.over = self.closed && !self.further || pushed.violation.is_some();
        pushed
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        let mut shared = held(&self.reader.0);
        // The inbox never says stop.
        let _: Flow = shared.decoder.close(self.flow, StreamEnd::Capture, None);
        let _ = shared.decoder.sink().take_out();
        shared.free.push(self.flow.0);
    }
}

impl Violation {
    const TOO_LONG: Self = Self {
        code: CloseCode(1009),
        why: "a message is longer than is taken here",
        rule: None,
        close: None,
    };
    const TOO_MUCH: Self = Self {
        code: CloseCode(1013),
        why: "unfinished messages of all connections hold too much memory",
        rule: None,
        close: None,
    };

    fn of(rule: &'static Rule) -> Self {
        // What other receivers put up with is an error of the protocol too.
        Self { code: rule.fails.unwrap_or(CloseCode(1002)), why: rule.title, rule: Some(rule), close: None }
    }
}

#[derive(Default)]
struct Inbox {
    most: usize,
    pushed: Pushed,
}

impl Inbox {
    fn take_out(&mut self) -> Pushed {
        std::mem::take(&mut self.pushed)
    }
}

impl Sink for Inbox {
    fn wants(&self) -> Wants {
        Wants { payload: self.most as u64, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if self.pushed.violation.is_some() {
            return ON;
        }
        if let Some(broken) = unit.findings.iter().find(|f| f.rule.severity == Severity::Error) {
            let close = match unit.body {
                Body::Frame(frame) if frame.header.opcode == Opcode::CLOSE => frame.payload.first_chunk(),
                Body::Message(message) if message.kind == Opcode::CLOSE => message.payload.first_chunk(),
                _ => None,
            };
            let close = close.map(|code| CloseCode(u16::from_be_bytes(*code)));
            self.pushed.violation = Some(Violation { close, ..Violation::of(broken.rule) });
            return ON;
        }
        self.pushed.frames += u64::from(matches!(unit.body, Body::Frame(_)));
        if let Body::Message(message) = unit.body {
            if message.payload_cut {
                self.pushed.violation = Some(Violation::TOO_LONG);
            } else if message.complete {
                self.pushed.received.push(Received { kind: message.kind, payload: message.payload.to_vec() });
            }
        }
        ON
    }
}

/// One frame: a message, or a control frame. A client's is masked with a fresh key from the
/// system's random numbers (RFC 6455 §5.3).
pub fn frame(from: Dir, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    encode::whole(opcode, (from == Dir::Client).then(key), payload)
}

/// A masking key that nobody can foretell.
pub fn key() -> [u8; 4] {
    let mut key = [0; 4];
    // Without randomness the key is 0, which is a key too.
    let _ = getrandom::fill(&mut key);
    key
}

#[cfg(test)]
mod tests;
