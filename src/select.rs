//! Showing only a part: a sink in front of another sink.
//!
//! Conditions are joined by *and*. Those on connections and directions (`streams`,
//! `from`) pass everything that fits them. Those on single frames and messages
//! (`opcodes`, `grep`, `findings`) pass a frame or a message that fits, leave out
//! everything else but the lines that say what a unit belongs to, and show a
//! connection only once something of it is shown.

use std::collections::HashMap;

use regex::bytes::Regex;

use crate::limits;
use crate::model::{
    Body, Connection, Dir, Finding, Flow, Frame, Message, Opcode, Severity, Sink, Time, Unit, Wants,
};

/// What to show; everything by default.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Numbers of connections; empty for all. What concerns the whole input is shown in any case.
    pub streams: Vec<u32>,
    /// What one endpoint sent.
    pub from: Option<Dir>,
    /// Frames with one of these opcodes, and messages of one of these kinds; empty for all.
    /// Continuation frames have an opcode of their own.
    pub opcodes: Vec<Opcode>,
    /// Frames and messages in whose unmasked payload this matches. Each frame and each message
    /// is searched by itself, so words that fragmentation cuts in two are found in the message only.
    pub grep: Option<Regex>,
    /// How many bytes of a payload `grep` searches.
    pub grep_bytes: u64,
    /// Units with findings, HTTP heads included.
    pub findings: bool,
    /// Findings that matter less are left out everywhere but in the summary's counts.
    pub min_severity: Severity,
    /// After that many frames, and what they complete, decoding ends.
    pub limit: Option<u64>,
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
            limit: None,
        }
    }
}

impl Selection {
    /// Whether nothing is left out.
    fn is_all(&self) -> bool {
        !self.is_fine()
            && self.streams.is_empty()
            && self.from.is_none()
            && self.min_severity == Severity::Note
            && self.limit.is_none()
    }

    /// Whether single frames and messages are chosen.
    fn is_fine(&self) -> bool {
        !self.opcodes.is_empty() || self.grep.is_some() || self.findings
    }

    /// Whether a unit other than `Meta`, `Connection` and `Summary` is shown.
    fn shows(&self, unit: &Unit<'_>, findings: &[Finding]) -> bool {
        if !self.shows_stream(unit.conn) || self.findings && findings.is_empty() {
            return false;
        }
        if let (Some(from), Some(dir)) = (self.from, unit.dir)
            && from != dir
        {
            return false;
        }
        let (opcode, payload) = match unit.body {
            Body::Frame(frame) => (frame.header.opcode, frame.payload),
            Body::Message(message) => (message.kind, message.payload),
            Body::Packet(packet) => (if packet.text { Opcode::TEXT } else { Opcode::BINARY }, packet.payload),
            // The others have neither opcode nor payload.
            _ => return self.opcodes.is_empty() && self.grep.is_none(),
        };
        (self.opcodes.is_empty() || self.opcodes.contains(&opcode))
            && self.grep.as_ref().is_none_or(|regex| regex.is_match(cut(payload, self.grep_bytes)))
    }

    fn shows_stream(&self, conn: u32) -> bool {
        conn == 0 || self.streams.is_empty() || self.streams.contains(&conn)
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

/// How bad it was: the worst finding among what was shown, for the exit code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// `None` when there was no finding.
    pub worst: Option<Severity>,
}

impl Verdict {
    /// Takes findings into account.
    #[inline]
    pub fn see(&mut self, findings: &[Finding]) {
        for finding in findings {
            self.worst = self.worst.max(Some(finding.rule.severity));
        }
    }

    /// Whether there was a finding of at least this severity.
    pub fn reaches(self, severity: Severity) -> bool {
        self.worst >= Some(severity)
    }
}

/// Passes what a [`Selection`] shows on to another sink.
#[derive(Debug)]
pub struct Select<S> {
    selection: Selection,
    all: bool,
    inner: S,
    verdict: Verdict,
    /// The beginnings of open connections of which nothing was shown so far.
    waiting: HashMap<u32, Waiting, foldhash::fast::FixedState>,
    frames: u64,
    /// The last frame of the limit, when it may yet complete a message.
    last: Option<(u32, u64)>,
    done: bool,
}

#[derive(Debug)]
struct Waiting {
    connection: Connection,
    time: Option<Time>,
    packets: Option<(u64, u64)>,
}

impl<S: Sink> Select<S> {
    /// Shows `selection` in `inner`.
    pub fn new(selection: Selection, inner: S) -> Self {
        let done = selection.limit == Some(0);
        Self {
            all: selection.is_all(),
            selection,
            inner,
            verdict: Verdict::default(),
            waiting: HashMap::default(),
            frames: 0,
            last: None,
            done,
        }
    }

    /// How bad what was shown is, so far.
    pub fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The sink behind, for flushing it.
    pub fn inner(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Gives the sink behind back.
    pub fn into_inner(self) -> S {
        self.inner
    }

    fn connection(&mut self, unit: &Unit<'_>, connection: &Connection) -> Flow {
        if !self.selection.shows_stream(unit.conn) {
            return Flow::Continue(());
        }
        let worth = !self.selection.is_fine() || self.selection.findings && !unit.findings.is_empty();
        if worth {
            // On its last unit too: what it was is said before how it ended.
            self.introduce(unit.conn)?;
            return self.pass(unit);
        }
        if connection.ending.is_none() {
            let (time, packets) = (unit.time, unit.packets);
            self.waiting.insert(unit.conn, Waiting { connection: connection.clone(), time, packets });
            Flow::Continue(())
        } else if self.waiting.remove(&unit.conn).is_none() {
            self.pass(unit)
        } else {
            Flow::Continue(())
        }
    }

    /// Shows the beginning of a connection if that is still to be done.
    fn introduce(&mut self, conn: u32) -> Flow {
        if self.waiting.is_empty() {
            return Flow::Continue(());
        }
        let Some(Waiting { connection, time, packets }) = self.waiting.remove(&conn) else {
            return Flow::Continue(());
        };
        let body = Body::Connection(&connection);
        self.inner.take(&Unit {
            conn,
            dir: None,
            time,
            packets,
            body,
            fields: &[],
            findings: &[],
            sources: &[],
        })
    }

    fn pass(&mut self, unit: &Unit<'_>) -> Flow {
        self.verdict.see(unit.findings);
        self.inner.take(unit)
    }

    /// Passes a unit on with no more payload than the sink behind asked for.
    fn pass_cut(&mut self, unit: &Unit<'_>) -> Flow {
        let wanted = self.inner.wants().payload;
        match unit.body {
            Body::Frame(frame) if frame.payload.len() as u64 > wanted => {
                let frame = Frame { payload: cut(frame.payload, wanted), ..*frame };
                self.pass(&Unit { body: Body::Frame(&frame), ..*unit })
            }
            // Control messages are whole in any case.
            Body::Message(message) if message.payload.len() as u64 > wanted && !message.kind.is_control() => {
                let message =
                    Message { payload: cut(message.payload, wanted), payload_cut: true, ..*message };
                self.pass(&Unit { body: Body::Message(&message), ..*unit })
            }
            _ => self.pass(unit),
        }
    }

    /// Counts what is shown against the limit.
    fn count(&mut self, unit: &Unit<'_>) -> Flow {
        let Some(limit) = self.selection.limit else {
            return Flow::Continue(());
        };
        if let Body::Frame(frame) = unit.body {
            self.frames += 1;
            if self.frames >= limit {
                self.done = true;
                // What a final frame completes comes right after it.
                self.last = frame.header.fin.then_some((unit.conn, frame.n));
                return if self.last.is_some() { Flow::Continue(()) } else { Flow::Break(()) };
            }
        }
        Flow::Continue(())
    }

    /// Past the limit: passes the message that the last frame completes, and ends.
    fn after_limit(&mut self, unit: &Unit<'_>, findings: &[Finding]) -> Flow {
        if let (Body::Message(message), Some((conn, n))) = (unit.body, self.last.take())
            && unit.conn == conn
            && message.frames.last() == Some(&n)
            && self.selection.shows(unit, findings)
        {
            self.pass_cut(&Unit { findings, ..*unit })?;
        }
        Flow::Break(())
    }
}

impl<S: Sink> Sink for Select<S> {
    fn wants(&self) -> Wants {
        let searched = if self.selection.grep.is_some() { self.selection.grep_bytes } else { 0 };
        self.inner.wants().or(Wants { payload: searched, ..Wants::NOTHING })
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if self.all {
            return self.pass(unit);
        }
        let least = self.selection.min_severity;
        let kept: Vec<Finding>;
        let findings = if unit.findings.iter().all(|finding| finding.rule.severity >= least) {
            unit.findings
        } else {
            kept = unit.findings.iter().filter(|finding| finding.rule.severity >= least).cloned().collect();
            &kept
        };
        let unit = &Unit { findings, ..*unit };
        match unit.body {
            Body::Meta(_) | Body::Summary(_) => self.pass(unit),
            _ if self.done => self.after_limit(unit, findings),
            Body::Connection(connection) => self.connection(unit, connection),
            _ if self.selection.shows(unit, findings) => {
                self.introduce(unit.conn)?;
                self.pass_cut(unit)?;
                self.count(unit)
            }
            _ => Flow::Continue(()),
        }
    }
}

/// The first `limit` bytes.
fn cut(payload: &[u8], limit: u64) -> &[u8] {
    &payload[..payload.len().min(usize::try_from(limit).unwrap_or(usize::MAX))]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Dir::{Client, Server};
    use crate::model::sample::{Talk, finding, note};
    use crate::model::{EndKind, Summary};

    /// Writes down what it is shown, in short.
    struct Seen {
        units: Vec<String>,
        payload: u64,
    }

    impl Sink for Seen {
        fn wants(&self) -> Wants {
            Wants { payload: self.payload, ..Wants::NOTHING }
        }

        fn take(&mut self, unit: &Unit<'_>) -> Flow {
            let conn = unit.conn;
            self.units.push(match unit.body {
                Body::Meta(_) => "meta".into(),
                Body::Summary(_) => "summary".into(),
                Body::Connection(connection) if connection.ending.is_some() => format!("end {conn}"),
                Body::Connection(_) => format!("connection {conn}"),
                Body::Http(_) => format!("http {conn}"),
                Body::Frame(frame) => format!("frame {conn}.{}:{}", frame.n, frame.payload.len()),
                Body::Message(message) => {
                    format!("message {conn}.{}:{}", message.m, message.payload.len())
                }
                Body::Opening(_) => format!("opening {conn}"),
                Body::Gap(_) => "gap".into(),
                Body::Note => format!("note {conn}:{}", unit.findings.len()),
                Body::Packet(p) => format!("packet {conn}:{}", p.place),
                Body::Session(s) => format!("session {}", s.number),
            });
            Flow::Continue(())
        }
    }

    /// Two connections; what of them is shown, and the verdict.
    fn shown(selection: Selection) -> (Vec<String>, Verdict) {
        let mut select = Select::new(selection, Seen { units: Vec::new(), payload: 99 });
        let mut talk = Talk::new(&mut select);
        talk.meta().connect(1).handshake();
        talk.frame(Client, "818537fa213d7f9f4d5158").frame(Server, "010348656c");
        talk.frame(Server, "8900").frame(Server, "80026c6f");
        talk.tell(None, Body::Note, &[note()]);
        talk.end(EndKind::Fin, None).connect(2);
        talk.findings.push(finding());
        talk.frame(Client, "8203414243").frame(Client, "8800").end(EndKind::Fin, None);
        talk.summary(&Summary::default());
        (select.inner().units.clone(), select.verdict())
    }

    #[test]
    fn each_condition_shows_its_part() {
        let everything = Selection::default;
        let grep = |regex| Selection { grep: Some(Regex::new(regex).unwrap()), ..everything() };
        let findings = || Selection { findings: true, ..everything() };
        for (selection, units) in [
            (
                everything(),
                "meta, connection 1, http 1, http 1, frame 1.1:5, message 1.1:5, frame 1.2:3, frame 1.3:0, \
                 message 1.2:0, frame 1.4:2, message 1.3:5, note 1:1, end 1, connection 2, frame 2.1:3, \
                 message 2.1:3, frame 2.2:0, message 2.2:0, end 2, summary",
            ),
            (
                Selection { streams: vec![2], ..everything() },
                "meta, connection 2, frame 2.1:3, message 2.1:3, frame 2.2:0, message 2.2:0, end 2, summary",
            ),
            (
                Selection { from: Some(Client), ..everything() },
                "meta, connection 1, http 1, frame 1.1:5, message 1.1:5, note 1:1, end 1, connection 2, \
                 frame 2.1:3, message 2.1:3, frame 2.2:0, message 2.2:0, end 2, summary",
            ),
            (
                Selection { opcodes: vec![Opcode::CONTINUATION, Opcode::PING], ..everything() },
                "meta, connection 1, frame 1.3:0, message 1.2:0, frame 1.4:2, end 1, summary",
            ),
            (
                grep("^Hello$"),
                "meta, connection 1, frame 1.1:5, message 1.1:5, message 1.3:5, end 1, summary",
            ),
            (grep("B"), "meta, connection 2, frame 2.1:3, message 2.1:3, end 2, summary"),
            (grep("nowhere"), "meta, summary"),
            (findings(), "meta, connection 1, note 1:1, end 1, connection 2, frame 2.1:3, end 2, summary"),
            (
                Selection { min_severity: Severity::Warning, ..findings() },
                "meta, connection 2, frame 2.1:3, end 2, summary",
            ),
            (Selection { opcodes: vec![Opcode::TEXT], ..findings() }, "meta, summary"),
        ] {
            assert_eq!(shown(selection.clone()).0.join(", "), units, "{selection:?}");
        }
    }

    #[test]
    fn the_limit_ends_decoding_after_the_message() {
        let run = |limit, talk: fn(&mut Talk<'_, Select<Seen>>)| {
            let selection = Selection { limit: Some(limit), ..Selection::default() };
            let mut select = Select::new(selection, Seen { units: Vec::new(), payload: 99 });
            let mut told = Talk::new(&mut select);
            talk(&mut told);
            let flow = told.flow;
            (select.into_inner().units.join(", "), flow.is_break())
        };
        let whole = |talk: &mut Talk<'_, Select<Seen>>| drop_it(talk.frame(Server, "8900"));
        assert_eq!(run(1, whole), ("frame 1.1:0, message 1.1:0".into(), true));
        assert_eq!(run(2, whole), ("frame 1.1:0, message 1.1:0".into(), false));
        assert_eq!(run(0, whole), (String::new(), true));
        assert_eq!(run(1, |talk| drop_it(talk.frame(Server, "010141"))), ("frame 1.1:1".into(), true));
        // A final frame that completes nothing does not hold back the end for long.
        let (units, over) = run(1, |talk| drop_it(talk.frame(Server, "8b00").frame(Server, "8900")));
        assert_eq!((units.as_str(), over), ("frame 1.1:0", true));
    }

    fn drop_it<T>(_: T) {}

    #[test]
    fn the_verdict_is_on_what_was_shown() {
        let all = shown(Selection::default()).1;
        assert!(all.reaches(Severity::Error) && all.reaches(Severity::Warning));
        let first = shown(Selection { streams: vec![1], ..Selection::default() }).1;
        assert_eq!(first.worst, Some(Severity::Note));
        assert!(first.reaches(Severity::Note) && !first.reaches(Severity::Warning));
        assert!(!Verdict::default().reaches(Severity::Note));
    }

    #[test]
    fn searching_does_not_show_more_payload() {
        let selection = Selection { grep: Some(Regex::new("lo").unwrap()), ..Selection::default() };
        let mut select = Select::new(selection, Seen { units: Vec::new(), payload: 2 });
        assert_eq!(select.wants().payload, limits::PAYLOAD_SHOWN);
        Talk::new(&mut select).frame(Server, "810548656c6c6f").frame(Server, "890548656c6c6f");
        assert_eq!(select.inner().units, ["frame 1.1:2", "message 1.1:2", "frame 1.2:2", "message 1.2:5"]);
    }

    #[test]
    fn opcodes_have_names_and_numbers() {
        for (text, opcode) in [
            ("text", Some(Opcode::TEXT)),
            ("PING", Some(Opcode::PING)),
            ("0", Some(Opcode::CONTINUATION)),
            ("10", Some(Opcode::PONG)),
            ("0xB", Some(Opcode(11))),
            ("16", None),
            ("reserved", None),
            ("", None),
            ("-1", None),
        ] {
            assert_eq!(parse_opcode(text).ok(), opcode, "{text}");
        }
    }
}
