//! What an endpoint has announced that it is willing to receive.

use super::block::SENT;
use super::reader::FrameSeen;
use super::{CONNECT_PROTOCOL_INVALID, SETTING_INVALID};
use crate::model::http2::setting_name;
use crate::model::{Dir, Finding, Span, Text};

/// The settings of one endpoint, which bind the other.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The largest table of header compression.
    pub table: u32,
    /// The window that a stream begins with.
    pub window: u32,
    /// A smaller one, which holds once it is acknowledged.
    pub smaller_window: Option<u32>,
    /// The largest payload of a frame.
    pub frame: u32,
    /// Streams that the peer may have open at a time.
    pub streams: Option<u32>,
    /// Whether streams may be promised.
    pub push: bool,
    /// `ENABLE_CONNECT_PROTOCOL`, if it was sent.
    pub connect_protocol: Option<u32>,
    /// SETTINGS that are not acknowledged.
    pub unacknowledged: u32,
    /// All that it has announced is known, and was acknowledged at least once.
    pub is_known: bool,
}

impl Default for Settings {
    /// Before anything is announced (RFC 9113 §6.5.2).
    fn default() -> Self {
        Self {
            table: 4096,
            window: 65_535,
            smaller_window: None,
            frame: 16_384,
            streams: None,
            push: true,
            connect_protocol: None,
            unacknowledged: 0,
            is_known: false,
        }
    }
}

impl Settings {
    /// Takes what `dir` announces in a frame. Gives by how much windows of streams grow at once.
    pub fn take(&mut self, frame: &FrameSeen, dir: Dir, findings: &mut Vec<Finding>) -> i64 {
        self.unacknowledged = self.unacknowledged.saturating_add(1);
        let mut grows = 0;
        for (n, (id, value)) in frame.settings().enumerate() {
            let span = Span::bytes(SENT, frame.offset + 9 + 6 * n as u64, 6);
            let name = setting_name(id).unwrap_or_default();
            let mut wrong = |expected: &'static str| {
                let got = Text::with("{} = {}", name).and(value);
                findings.push(Finding::new(&SETTING_INVALID, dir, expected.into(), got).at(span));
            };
            match id {
                1 => self.table = self.table.max(value),
                2 if value > 1 || value == 1 && dir == Dir::Server => wrong("0 or 1, and 0 from a server"),
                2 => self.push = value == 1,
                3 => self.streams = Some(value),
                4 if value > MOST_WINDOW => wrong("at most 2,147,483,647"),
                4 if value >= self.window => {
                    grows += i64::from(value) - i64::from(self.window);
                    (self.window, self.smaller_window) = (value, None);
                }
                4 => self.smaller_window = Some(value),
                5 if !(16_384..=16_777_215).contains(&value) => wrong("from 16,384 to 16,777,215"),
                // What was allowed before may be under way.
                5 => self.frame = self.frame.max(value),
                8 => self.connect_protocol(value, dir, span, findings),
                _ => {}
            }
        }
        grows
    }

    fn connect_protocol(&mut self, value: u32, dir: Dir, span: Span, findings: &mut Vec<Finding>) {
        let before = self.connect_protocol.replace(value);
        let (expected, got) = match (before, value) {
            //= RFC 8441 §3
            //# The
            //# value of the parameter MUST be 0 or 1.
            (_, 2..) => ("0 or 1", Text::with("{}", value)),
            //= RFC 8441 §3
            //# A sender MUST NOT send a SETTINGS_ENABLE_CONNECT_PROTOCOL parameter
            //# with the value of 0 after previously sending a value of 1.
            (Some(1), 0) => ("1 for as long as the connection lasts", Text::new("0, after 1")),
            _ => return,
        };
        let finding = Finding::new(&CONNECT_PROTOCOL_INVALID, dir, expected.into(), got);
        findings.push(finding.at(span));
    }

    /// The peer has acknowledged. Gives by how much windows of streams shrink.
    pub fn acknowledged(&mut self) -> i64 {
        self.unacknowledged = self.unacknowledged.saturating_sub(1);
        self.is_known = true;
        let Some(smaller) = self.smaller_window.take() else { return 0 };
        let shrinks = i64::from(self.window) - i64::from(smaller);
        self.window = smaller;
        shrinks
    }
}

/// The largest window (RFC 9113 §6.9.1).
pub const MOST_WINDOW: u32 = 0x7FFF_FFFF;
