//! Frames as an endpoint uses them: this project's own encoder, and its decoder, which
//! reads without I/O whatever pieces the bytes come in.

use crate::decoder::{Decoder, Extensions};
use crate::limits;
use crate::model::{At, Body, CloseCode, Dir, Flow, FlowId, ON, Opcode, Severity, Side, Sink, Unit, Wants};
use crate::ws::encode;

/// A message or control frame from the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Text, binary, close, ping or pong.
    pub kind: Opcode,
    /// Its payload, unmasked.
    pub payload: Vec<u8>,
}

/// Why the connection has to be failed (RFC 6455 §7.1.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What to close it with.
    pub code: CloseCode,
    /// The rule that was broken, in words.
    pub why: String,
}

/// Reads what one side sends after its opening handshake, which agreed on no extension.
pub struct Frames {
    from: Side,
    decoder: Decoder<Inbox>,
}

/// The only connection there is.
const ONE: FlowId = FlowId(0);

impl Frames {
    /// Those of the client, or of the server.
    pub fn from(dir: Dir) -> Self {
        let mut decoder = Decoder::new(Inbox::default());
        // The inbox never says stop.
        decoder.open_upgraded(ONE, None, Extensions::NONE);
        Self { from: if dir == Dir::Client { Side::A } else { Side::B }, decoder }
    }

    /// Takes the next bytes and gives the messages that they complete.
    ///
    /// # Errors
    /// When the peer broke the protocol, or sent more than [`limits::LAB_MESSAGE`] bytes in a message.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Received>, Violation> {
        self.decoder.data(ONE, self.from, bytes, At::default());
        let inbox = std::mem::take(self.decoder.sink());
        match inbox.violation {
            Some(violation) => Err(violation),
            None => Ok(inbox.received),
        }
    }
}

#[derive(Default)]
struct Inbox {
    received: Vec<Received>,
    violation: Option<Violation>,
}

impl Sink for Inbox {
    fn wants(&self) -> Wants {
        Wants { payload: limits::LAB_MESSAGE as u64, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if let Some(broken) = unit.findings.iter().find(|f| f.rule.severity == Severity::Error) {
            // What other receivers put up with is an error of the protocol too.
            let code = broken.rule.fails.unwrap_or(CloseCode(1002));
            let why = broken.rule.title.to_owned();
            self.violation.get_or_insert(Violation { code, why });
        }
        if let Body::Message(message) = unit.body {
            if message.payload_cut {
                let violation = Violation { code: CloseCode(1009), why: "a message is too long".to_owned() };
                self.violation.get_or_insert(violation);
            }
            if message.complete {
                self.received.push(Received { kind: message.kind, payload: message.payload.to_vec() });
            }
        }
        ON
    }
}

/// One frame: a message, or a control frame. A client's is masked with a fresh key from the
/// system's random numbers (RFC 6455 §5.3).
pub fn frame(from: Dir, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut key = [0; 4];
    if from == Dir::Client {
        // Without randomness the key is 0, which is a key too.
        let _ = getrandom::fill(&mut key);
    }
    encode::whole(opcode, (from == Dir::Client).then_some(key), payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again_in_any_pieces() {
        for from in [Dir::Client, Dir::Server] {
            let long = "x".repeat(70_000);
            let bytes = [
                frame(from, Opcode::TEXT, b"hello"),
                frame(from, Opcode::PING, b"?"),
                frame(from, Opcode::TEXT, long.as_bytes()),
            ]
            .concat();
            for size in [1, 7, 4096, bytes.len()] {
                let mut frames = Frames::from(from);
                let mut received = Vec::new();
                for piece in bytes.chunks(size) {
                    received.extend(frames.push(piece).unwrap());
                }
                let shown: Vec<_> = received.iter().map(|r| (r.kind, r.payload.len())).collect();
                assert_eq!(shown, [(Opcode::TEXT, 5), (Opcode::PING, 1), (Opcode::TEXT, 70_000)]);
            }
        }
    }

    #[test]
    fn a_client_masks_with_a_key_of_its_own_each_time() {
        let frames: Vec<_> = (0..4).map(|_| frame(Dir::Client, Opcode::TEXT, b"hello")).collect();
        assert!(frames.iter().all(|frame| frame[1] == 0x85 && frame.len() == 11));
        assert!(frames.windows(2).any(|pair| pair[0][2..6] != pair[1][2..6]));
    }

    #[test]
    fn violations_name_their_close_code() {
        let of = |bytes: &[u8]| Frames::from(Dir::Client).push(bytes).unwrap_err().code.0;
        assert_eq!(of(&frame(Dir::Server, Opcode::TEXT, b"unmasked")), 1002);
        assert_eq!(of(&frame(Dir::Client, Opcode::TEXT, b"\xff")), 1007);
        assert_eq!(of(&frame(Dir::Client, Opcode::BINARY, &vec![0; limits::LAB_MESSAGE + 1])), 1009);
    }
}
