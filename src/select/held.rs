//! Frames that wait for their message.
//!
//! What a fragment or a compressed frame carries is known only once its message is whole. Until
//! then `--grep` cannot say whether the frame is shown, and what comes behind it waits as well, so
//! that the order of a connection stays.

use std::collections::VecDeque;

use crate::model::{
    App, Body, CloseBody, CloseCode, Dir, Field, Finding, Frame, Hole, Message, Opcode, Rule, Source, Time,
    Unit,
};

/// A unit that waits, with everything that it borrowed.
#[derive(Debug)]
pub(super) struct Held {
    conn: u32,
    pub dir: Option<Dir>,
    time: Option<Time>,
    packets: Option<(u64, u64)>,
    body: Kept,
    fields: Vec<Field>,
    findings: Vec<Finding>,
    counted: Vec<&'static Rule>,
    sources: Vec<Source>,
    /// Whether it is shown, once that is known.
    pub shown: Option<bool>,
    /// Its own payload matches.
    pub matches: bool,
}

#[derive(Debug)]
enum Kept {
    Frame { frame: Frame<'static>, head: Vec<u8>, payload: Vec<u8>, holes: Vec<Hole> },
    Message(Box<KeptMessage>),
}

#[derive(Debug)]
struct KeptMessage {
    message: Message<'static>,
    frames: Vec<u64>,
    payload: Vec<u8>,
    holes: Vec<Hole>,
    close: Option<(Option<CloseCode>, Vec<u8>)>,
    app: Option<App>,
}

impl Held {
    /// Keeps a frame or a message; `None` for other units.
    pub fn new(unit: &Unit<'_>, matches: bool, shown: Option<bool>) -> Option<Self> {
        let body = match unit.body {
            Body::Frame(frame) => Kept::Frame {
                frame: Frame { head: &[], payload: &[], holes: &[], ..*frame },
                head: frame.head.to_vec(),
                payload: frame.payload.to_vec(),
                holes: frame.holes.to_vec(),
            },
            Body::Message(message) => Kept::Message(Box::new(KeptMessage {
                message: Message {
                    frames: &[],
                    payload: &[],
                    holes: &[],
                    text: None,
                    close: None,
                    app: None,
                    ..*message
                },
                frames: message.frames.to_vec(),
                payload: message.payload.to_vec(),
                holes: message.holes.to_vec(),
                close: message.close.map(|close| (close.code, close.reason.to_vec())),
                app: message.app.cloned(),
            })),
            _ => return None,
        };
        Some(Self {
            conn: unit.conn,
            dir: unit.dir,
            time: unit.time,
            packets: unit.packets,
            body,
            fields: unit.fields.to_vec(),
            findings: unit.findings.to_vec(),
            counted: unit.counted.to_vec(),
            sources: unit.sources.to_vec(),
            shown,
            matches,
        })
    }

    /// Bytes of payload that it keeps.
    pub fn cost(&self) -> usize {
        size_of::<Self>()
            + match &self.body {
                Kept::Frame { head, payload, .. } => head.len() + payload.len(),
                Kept::Message(kept) => kept.payload.len(),
            }
    }

    /// Lends the unit as it was.
    pub fn lend<T>(&self, take: impl FnOnce(&Unit<'_>) -> T) -> T {
        let unit = |body| {
            take(&Unit {
                conn: self.conn,
                dir: self.dir,
                time: self.time,
                packets: self.packets,
                body,
                fields: &self.fields,
                findings: &self.findings,
                counted: &self.counted,
                sources: &self.sources,
            })
        };
        match &self.body {
            Kept::Frame { frame, head, payload, holes } => {
                unit(Body::Frame(&Frame { head, payload, holes, ..*frame }))
            }
            Kept::Message(kept) => {
                let KeptMessage { message, frames, payload, holes, close, app } = &**kept;
                let close = close.as_ref().map(|(code, reason)| CloseBody { code: *code, reason });
                let app = app.as_ref();
                unit(Body::Message(&Message { frames, payload, holes, close, app, ..*message }))
            }
        }
    }
}

/// Whether a frame can be judged only together with its message.
pub(super) fn waits(frame: &Frame<'_>) -> bool {
    let header = &frame.header;
    !header.opcode.is_control() && (frame.compressed || !header.fin || header.opcode == Opcode::CONTINUATION)
}

/// Units of one connection, in order, of which the first is not decided.
pub(super) type Queue = VecDeque<Held>;

/// The message of `dir` is whole: its frames are shown if it, or the frame itself, matches.
pub(super) fn decide(queue: &mut Queue, dir: Option<Dir>, matches: bool) {
    for held in queue.iter_mut().filter(|held| held.shown.is_none() && held.dir == dir) {
        held.shown = Some(matches || held.matches);
    }
}
