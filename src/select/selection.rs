//! What to show, and whether a unit is of it.

use super::search::Regex;
use super::stream::Stream;
use super::window::Window;
use crate::limits;
use crate::model::{Body, Dir, Finding, Hole, Opcode, Part, Severity, Unit, hole};

/// What to show; everything by default.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Which connections; empty for all. What concerns the whole input is shown in any case.
    pub streams: Vec<Stream>,
    /// What one endpoint sent.
    pub from: Option<Dir>,
    /// Frames with one of these opcodes, and messages of one of these kinds; empty for all.
    /// Continuation frames have an opcode of their own.
    pub opcodes: Vec<Opcode>,
    /// Messages in whose content, unmasked and inflated, this matches, and their frames; a frame that
    /// carries a whole message, or belongs to none, is searched by itself.
    pub grep: Option<Regex>,
    /// How many bytes of a payload `grep` searches.
    pub grep_bytes: u64,
    /// Units with findings, HTTP heads included.
    pub findings: bool,
    /// Findings that matter less are left out everywhere but in the summary's counts.
    pub min_severity: Severity,
    /// What was captured around a packet or a time.
    pub window: Option<Window>,
    /// After that many frames, and what they complete, decoding ends.
    pub limit: Option<u64>,
    /// Bytes that the run may hold at a time, an eighth of which may wait for a match; [`limits::MEMORY`] if
    /// nothing is said.
    pub memory: Option<usize>,
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            streams: Vec::new(),
            from: None,
            opcodes: Vec::new(),
            grep: None,
            grep_bytes: limits::PAYLOAD_SHOWN,
            findings: false,
            min_severity: Severity::Note,
            window: None,
            limit: None,
            memory: None,
        }
    }
}

impl Selection {
    /// Whether nothing is left out.
    pub(super) fn is_all(&self) -> bool {
        !self.is_fine()
            && self.streams.is_empty()
            && self.from.is_none()
            && self.min_severity == Severity::Note
            && self.limit.is_none()
    }

    /// Whether single frames and messages are chosen.
    pub(super) fn is_fine(&self) -> bool {
        !self.opcodes.is_empty() || self.grep.is_some() || self.findings || self.window.is_some()
    }

    /// Whether a unit other than `Meta`, `Connection` and `Summary` is shown.
    pub(super) fn shows(&self, unit: &Unit<'_>, findings: &[Finding]) -> bool {
        self.fits(unit, findings) && (self.grep.is_none() || self.matches(unit))
    }

    /// Whether all conditions but `streams` and `grep` are met.
    pub(super) fn fits(&self, unit: &Unit<'_>, findings: &[Finding]) -> bool {
        !(self.findings && findings.is_empty()) && self.fits_by_itself(unit)
    }

    /// The same, whatever was found.
    pub(super) fn fits_by_itself(&self, unit: &Unit<'_>) -> bool {
        if let (Some(from), Some(dir)) = (self.from, unit.dir)
            && from != dir
        {
            return false;
        }
        if self.window.as_ref().is_some_and(|window| !window.has(unit)) {
            return false;
        }
        match opcode_and_payload(unit) {
            Some((opcode, ..)) => self.opcodes.is_empty() || self.opcodes.contains(&opcode),
            None => self.opcodes.is_empty() && self.grep.is_none(),
        }
    }

    /// Whether `grep` matches the payload; a Close frame's reason by itself, too.
    pub(super) fn matches(&self, unit: &Unit<'_>) -> bool {
        let (Some(regex), Some((opcode, payload, holes))) = (&self.grep, opcode_and_payload(unit)) else {
            return false;
        };
        let payload = cut(payload, self.grep_bytes);
        let reason = payload.get(2..).filter(|_| opcode == Opcode::CLOSE);
        // Nothing matches across a hole: what stood there is not known.
        let mut parts = hole::parts(payload, holes);
        let in_a_part = parts.any(|part| matches!(part, Part::Bytes(_, bytes) if regex.is_match(bytes)));
        in_a_part
            || payload.is_empty() && regex.is_match(payload)
            || reason.is_some_and(|reason| holes.is_empty() && regex.is_match(reason))
    }
}

/// What `opcodes` and `grep` look at; other units have neither.
fn opcode_and_payload<'a>(unit: &Unit<'a>) -> Option<(Opcode, &'a [u8], &'a [Hole])> {
    match unit.body {
        Body::Frame(frame) => Some((frame.header.opcode, frame.payload, frame.holes)),
        Body::Message(message) => Some((message.kind, message.payload, message.holes)),
        Body::Packet(packet) => {
            Some((if packet.text { Opcode::TEXT } else { Opcode::BINARY }, packet.payload, &[]))
        }
        _ => None,
    }
}

/// Reads an opcode: a name such as `text`, or a number such as `10`, `0xA`.
///
/// # Errors
/// A sentence that says what is understood.
pub fn parse_opcode(text: &str) -> Result<Opcode, String> {
    const NAMED: [Opcode; 6] =
        [Opcode::CONTINUATION, Opcode::TEXT, Opcode::BINARY, Opcode::CLOSE, Opcode::PING, Opcode::PONG];
    let lower = text.to_ascii_lowercase();
    if let Some(opcode) = NAMED.into_iter().find(|opcode| opcode.name() == lower) {
        return Ok(opcode);
    }
    let number = match lower.strip_prefix("0x") {
        Some(digits) => u8::from_str_radix(digits, 16),
        None => lower.parse(),
    };
    number.ok().filter(|number| *number < 16).map(Opcode).ok_or_else(|| {
        "an opcode is text, binary, continuation, close, ping, pong, or a number from 0 to 15 (0xF)".into()
    })
}

/// The first `limit` bytes.
pub(super) fn cut(payload: &[u8], limit: u64) -> &[u8] {
    &payload[..payload.len().min(usize::try_from(limit).unwrap_or(usize::MAX))]
}
