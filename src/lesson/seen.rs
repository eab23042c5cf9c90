//! What the decoder sees in the bytes of an answer or an exercise.

use std::io::Cursor;

use crate::input;
use crate::model::{Body, Dir, Flow, FrameHeader, ON, Opcode, Rule, Sink, Time, Unit, Wants};
use crate::pipeline;

/// What was decoded, kept.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Frames, in order.
    pub frames: Vec<SeenFrame>,
    /// Messages, in order.
    pub messages: Vec<SeenMessage>,
    /// Start lines of HTTP heads, in order.
    pub heads: Vec<String>,
    /// WebSocket connections, those refused included.
    pub connections: u64,
    /// The rules broken, in order, each as often as it was.
    pub findings: Vec<&'static Rule>,
    /// When the last connection ended.
    pub ended: Option<Time>,
    /// Why the input could not be read, or not to its end.
    pub error: Option<String>,
}

/// A frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenFrame {
    /// Who sent it, where that is known.
    pub dir: Option<Dir>,
    /// When its last byte was captured.
    pub time: Option<Time>,
    /// Its header.
    pub header: FrameHeader,
    /// Unmasked.
    pub payload: Vec<u8>,
    /// The stream ends inside it.
    pub truncated: bool,
}

/// A message, or a control frame's content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenMessage {
    /// Who sent it, where that is known.
    pub dir: Option<Dir>,
    /// Text, binary, close, ping or pong.
    pub kind: Opcode,
    /// Unmasked, and inflated where it was compressed.
    pub payload: Vec<u8>,
    /// Its last fragment was seen.
    pub complete: bool,
}

/// Decodes bytes of any form the tool reads: a capture, hex, raw frames, heads.
pub fn decode(bytes: &[u8]) -> Seen {
    let mut seen = Seen::default();
    match input::open(Box::new(Cursor::new(bytes.to_vec())), "answer") {
        Ok(input) => {
            let outcome = pipeline::run(input, &mut seen, &mut |_| {});
            seen.error = outcome.error.map(|e| e.to_string());
        }
        Err(e) => seen.error = Some(e.to_string()),
    }
    seen
}

impl Seen {
    /// Whether a rule was broken.
    pub fn has(&self, rule: &str) -> bool {
        self.findings.iter().any(|found| found.id == rule)
    }
}

impl Sink for Seen {
    fn wants(&self) -> Wants {
        Wants { payload: 1 << 20, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.findings.extend(unit.findings.iter().map(|finding| finding.rule));
        match unit.body {
            Body::Frame(frame) => self.frames.push(SeenFrame {
                dir: unit.dir,
                time: unit.time,
                header: frame.header,
                payload: frame.payload.to_vec(),
                truncated: frame.truncated,
            }),
            Body::Message(message) => self.messages.push(SeenMessage {
                dir: unit.dir,
                kind: message.kind,
                payload: message.payload.to_vec(),
                complete: message.complete,
            }),
            Body::Connection(_) => self.ended = unit.time.or(self.ended),
            Body::Http(head) => self.heads.push(head.start_line.to_owned()),
            Body::Summary(summary) => self.connections = summary.connections,
            _ => {}
        }
        ON
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_messages_and_faults_are_kept() {
        let seen = decode(b"818537fa213d7f9f4d5158 c100");
        assert_eq!(seen.frames.len(), 2);
        assert_eq!(seen.frames[0].payload, b"Hello");
        assert_eq!(
            (seen.messages[0].kind, seen.messages[0].payload.as_slice()),
            (Opcode::TEXT, &b"Hello"[..])
        );
        assert!(seen.findings.iter().any(|rule| seen.has(rule.id)));
        assert!(decode(b"no bytes at all").error.is_some());
    }
}
