//! The rules that need both endpoints and time: pings and pongs, closing, and
//! what an endpoint does after its peer broke the protocol (RFC 6455 §5.5, §7).

mod closing;
mod pings;
mod seen;

use std::collections::VecDeque;

use self::closing::Close;
use self::pings::Ping;
use super::OPEN_AFTER_VIOLATION;
use crate::limits;
use crate::model::quantity::moment;
use crate::model::{
    CloseBody, CloseCode, Dir, Finding, Opcode, Receipt, Rooms, SideEnd, StreamEnd, TcpEnd, Text, Time,
    Unfinished,
};

pub use self::seen::Seen;

/// How far the closing handshake has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// Neither side has sent a Close frame.
    NotBegun,
    /// One side has sent a Close frame.
    Begun(Dir),
    /// Both have.
    Complete,
}

/// How a direction of TCP ended.
#[derive(Clone, Copy, Debug)]
pub struct Ended {
    /// By FIN, by RST, or with the capture.
    pub how: StreamEnd,
    /// What the other side had received by then.
    pub receipt: Receipt,
    /// When that was captured.
    pub time: Option<Time>,
    /// The number of its packet; 0 when there are no packets.
    pub packet: u64,
}

/// What is remembered of both endpoints.
#[derive(Debug, Default)]
pub struct Aftermath {
    sight: [Sight; 2],
    /// Nothing of this kind has happened yet in most connections.
    story: Option<Box<Story>>,
}

/// How much of what an endpoint sent was seen.
#[derive(Clone, Copy, Debug, Default)]
struct Sight {
    /// Anything at all.
    seen: bool,
    /// Some of it is missing from the capture.
    blind: bool,
    /// Its beginning was not seen.
    late: bool,
    /// The handshake shows that it is in the capture, whether it sent anything since or not.
    captured: bool,
}

impl Sight {
    /// Whether what was not seen was not sent.
    fn is_whole(self) -> bool {
        (self.seen || self.captured) && !self.blind
    }
}

/// What connections that are over leave for the stories of those that begin to close or to ping; nothing has
/// happened in them.
#[derive(Debug, Default)]
pub struct Stories(Rooms<Box<Story>, { limits::SPARE_ROOMS }>);

impl Stories {
    /// Some that keep nothing.
    #[cfg(test)]
    pub fn closed() -> Self {
        Self(Rooms::closed())
    }

    #[allow(clippy::unnecessary_box_returns)] // the box is what is used again
    fn begin(&mut self) -> Box<Story> {
        self.0.take().unwrap_or_default()
    }

    fn keep(&mut self, mut story: Box<Story>) {
        if self.0.has_place() {
            *story = Story::default();
            self.0.keep(story);
        }
    }
}

/// Pings, closing and violations.
#[derive(Debug, Default)]
struct Story {
    sides: [Side; 2],
    first_closer: Option<Dir>,
    /// When the second Close frame was sent.
    closed_at: Option<Time>,
    /// Who ended its TCP stream first, and how.
    first_end: Option<(Dir, Ended)>,
    /// The end of TCP that was seen first.
    seen_end: Option<TcpEnd>,
    /// What each side never finished.
    unfinished: [Option<Unfinished>; 2],
    /// Both have ended it.
    over: bool,
    first_code: Option<CloseCode>,
    /// The client must refuse the server's response, and may do so without a word.
    refusable: bool,
    /// It is a stream of HTTP/2, and not TCP, that carries it.
    on_stream: bool,
}

#[derive(Debug, Default)]
struct Side {
    /// Pings this endpoint sent that await their pong, oldest first.
    pings: VecDeque<Ping>,
    close: Option<Close>,
    /// Pings and pongs that this endpoint sent.
    sent: [u64; 2],
    /// When it sent the last of its pings before a Close frame, answered or not.
    pinged: Option<Time>,
    /// Nanoseconds to that from the one before.
    interval: Option<i64>,
    /// How many of its pings were answered, and the nanoseconds that the slowest answer took.
    pongs: (u64, i64),
    /// This endpoint broke the protocol.
    violated: bool,
    /// When it first did, if that is known.
    violated_at: Option<Time>,
    /// This endpoint has sent a frame other than Close after its peer's violation.
    spoke_on: bool,
    /// It was told that this endpoint carried on after its peer's violation.
    carried_on: bool,
    /// A ping of this endpoint was answered: none of before the capture waits any longer.
    answered: bool,
    /// Pongs to this endpoint whose pings are missing, or come later, oldest first.
    strays: VecDeque<Box<[u8]>>,
}

impl Aftermath {
    /// The beginning of both directions was not seen.
    pub fn joined_midway(&mut self) {
        for sight in &mut self.sight {
            sight.late = true;
        }
    }

    /// What `dir` sends is in the capture.
    pub fn captured(&mut self, dir: Dir) {
        self.sight[dir.index()].captured = true;
    }

    /// `dir` sent bytes.
    #[inline]
    pub fn sent(&mut self, dir: Dir) {
        self.sight[dir.index()].seen = true;
    }

    /// The response was such that the client must fail the connection.
    pub fn may_be_refused(&mut self) {
        self.story.get_or_insert_default().refusable = true;
    }

    /// It is a stream of HTTP/2 that carries it (RFC 8441 §5).
    pub fn on_stream(&mut self) {
        self.story.get_or_insert_default().on_stream = true;
    }

    /// Bytes of `dir` are missing from the capture, so that nothing can be concluded from its silence.
    pub fn blind(&mut self, dir: Dir) {
        self.sight[dir.index()].blind = true;
    }

    /// `dir` broke the protocol in a way that its peer must not put up with.
    pub fn violated(&mut self, dir: Dir, time: Option<Time>) {
        self.story.get_or_insert_default().violated(dir, time);
    }

    /// Whether nobody has broken the protocol or begun to close: a data frame without findings is
    /// fine then, and to be told with [`Self::quiet_frame`] alone.
    #[inline]
    pub fn is_quiet(&self) -> bool {
        self.story.as_ref().is_none_or(|story| story.is_quiet())
    }

    /// A data frame of `dir` came, without findings and while it [is quiet](Self::is_quiet).
    #[inline]
    pub fn quiet_frame(&mut self, dir: Dir) {
        if let Some(story) = &mut self.story {
            story.overtake(dir);
        }
    }

    /// Whether a Close frame of `dir` with this code would be all that is to be said: nobody has broken the
    /// protocol, and it is the first one, or the answer to the first one, in time and with its code.
    pub fn may_part(&self, dir: Dir, code: CloseCode, time: Option<Time>) -> bool {
        self.story.as_ref().is_none_or(|story| story.may_part(dir, code, time))
    }

    /// Takes a complete frame, with the findings it already has. One that `is_late` was received a while
    /// before it was captured: that says nothing of how soon its sender has answered.
    #[inline]
    pub fn frame(
        &mut self,
        seen: &Seen<'_>,
        is_late: bool,
        stories: &mut Stories,
        findings: &mut Vec<Finding>,
    ) {
        if self.story.is_none() && !seen.header.opcode.is_control() && findings.is_empty() {
            return;
        }
        let dir = seen.context.dir;
        let sight = self.sight[dir.peer().index()];
        let is_answer = matches!(seen.header.opcode, Opcode::PONG);
        let seen = &Seen { time: seen.time.filter(|_| !(is_late && is_answer)), ..*seen };
        self.story.get_or_insert_with(|| stories.begin()).frame(dir, seen, sight, findings);
    }

    /// The TCP stream of `dir` is over.
    pub fn ended(&mut self, dir: Dir, end: Ended, stories: &mut Stories, findings: &mut Vec<Finding>) {
        if end.how.is_final() {
            let Ended { how, time, packet, .. } = end;
            let story = self.story.get_or_insert_with(|| stories.begin());
            story.seen_end.get_or_insert(TcpEnd { by: dir, how, time, packet });
            story.ended(dir, end, self.sight, findings);
        }
    }

    /// `dir` has reset its stream, which was over: that is how it ended.
    pub fn reset(&mut self, dir: Dir, how: StreamEnd) {
        let Some(story) = &mut self.story else { return };
        if let Some((_, end)) = story.first_end.as_mut().filter(|(by, _)| *by == dir) {
            end.how = how;
        }
        if let Some(end) = story.seen_end.as_mut().filter(|end| end.by == dir) {
            end.how = how;
        }
    }

    /// The stream of `dir` is over in the middle of this.
    pub fn leaves_unfinished(&mut self, dir: Dir, what: Option<Unfinished>, stories: &mut Stories) {
        self.story.get_or_insert_with(|| stories.begin()).unfinished[dir.index()] = what;
    }

    /// The end of TCP that was seen first.
    pub fn seen_end(&self) -> Option<TcpEnd> {
        self.story.as_ref()?.seen_end
    }

    /// Who ended its TCP stream first, and how.
    pub fn first_end(&self) -> Option<(Dir, StreamEnd)> {
        let (dir, end) = self.story.as_ref()?.first_end?;
        Some((dir, end.how))
    }

    /// Whether the client must refuse the server's response, and has sent nothing since.
    pub fn is_refused(&self) -> bool {
        self.story.as_ref().is_some_and(|story| story.refusable) && !self.sight[Dir::Client.index()].seen
    }

    /// The connection is over; `now` is the time of the last packet of the capture.
    pub fn finish(&mut self, now: Option<Time>, findings: &mut Vec<Finding>) {
        if let Some(story) = &self.story {
            story.finish(now, self.sight, findings);
        }
    }

    /// The connection is over, and told: nothing is remembered any longer.
    pub fn leave(&mut self, stories: &mut Stories) {
        if let Some(story) = self.story.take() {
            stories.keep(story);
        }
    }

    /// Whether more of `dir` is missing than is known: of a stream of HTTP/2 nobody numbers the bytes.
    pub fn may_lack_more(&self, dir: Dir) -> bool {
        let sight = self.sight[dir.index()];
        (sight.blind || sight.late) && self.story.as_ref().is_some_and(|story| story.on_stream)
    }

    /// Whether a Close frame of `dir` may have been sent that the capture does not show.
    pub fn may_have_closed(&self, dir: Dir) -> bool {
        let sight = self.sight[dir.index()];
        sight.late || !sight.is_whole()
    }

    /// How far the closing handshake has come.
    pub fn closing(&self) -> Closing {
        self.story.as_ref().map_or(Closing::NotBegun, |story| story.closing())
    }

    /// What `dir` had done when its connection was over, as far as it is known here.
    pub fn tell_end(&self, dir: Dir, end: &mut SideEnd) {
        let sight = self.sight[dir.index()];
        let side = self.story.as_ref().map(|story| &story.sides[dir.index()]);
        end.is_whole = sight.is_whole() && !sight.late;
        end.is_blind = sight.blind;
        [end.pings, end.pongs] = side.map_or([0, 0], |side| side.sent);
        end.pinged = side.and_then(|side| side.pinged);
        end.waiting = side.and_then(Side::waiting);
        end.unfinished = self.story.as_ref().and_then(|story| story.unfinished[dir.index()]);
        end.close = side.and_then(|side| side.close.as_ref()).map(Close::part);
    }

    /// Somebody tells of a Close frame of `dir`.
    pub fn is_told_close(&mut self, dir: Dir, body: CloseBody<'_>, m: u64, time: Option<Time>) {
        self.story.get_or_insert_default().told_close(dir, body, m, time);
    }

    /// Somebody tells of this code.
    pub fn is_told_code(&mut self, code: CloseCode) {
        self.story.get_or_insert_default().first_code.get_or_insert(code);
    }

    /// The code of the Close frame that `dir` has sent.
    pub fn close_code_of(&self, dir: Dir) -> Option<CloseCode> {
        self.story.as_ref().and_then(|story| story.sides[dir.index()].close.as_ref()?.code)
    }

    /// The code of the first Close frame that carried one.
    pub fn close_code(&self) -> Option<CloseCode> {
        self.story.as_ref().and_then(|story| story.first_code)
    }
}

impl Story {
    fn violated(&mut self, dir: Dir, time: Option<Time>) {
        let side = &mut self.sides[dir.index()];
        if !side.violated {
            side.violated = true;
            side.violated_at = time;
        }
    }

    /// Nobody has broken the protocol or begun to close.
    fn is_quiet(&self) -> bool {
        !self.sides[0].violated && !self.sides[1].violated && self.first_closer.is_none()
    }

    /// A data frame of `dir` comes before it answers the pings of its peer.
    fn overtake(&mut self, dir: Dir) {
        for ping in &mut self.sides[dir.peer().index()].pings {
            ping.overtaken = true;
        }
    }

    fn frame(&mut self, dir: Dir, seen: &Seen<'_>, peer: Sight, findings: &mut Vec<Finding>) {
        let Seen { header, time, .. } = *seen;
        if !header.opcode.is_control() && self.is_quiet() && findings.is_empty() {
            return self.overtake(dir);
        }
        self.carried_on(dir, seen, findings);
        if self.sides[dir.index()].close.is_some() {
            self.after_close(dir, header, seen.opcode_at(), findings);
        }
        match header.opcode {
            Opcode::PING => {
                self.sides[dir.index()].sent[0] += 1;
                self.ping(dir, seen);
            }
            Opcode::PONG => {
                self.sides[dir.index()].sent[1] += 1;
                self.pong(dir, seen, peer, findings);
            }
            Opcode::CLOSE => self.close(dir, seen, findings),
            _ => {}
        }
        if findings.iter().any(|f| f.rule.fails.is_some() && f.blame == Some(dir)) {
            self.violated(dir, time);
        }
    }

    fn carried_on(&mut self, dir: Dir, seen: &Seen<'_>, findings: &mut Vec<Finding>) {
        let Seen { header, time, .. } = *seen;
        let Some(when) = self.sides[dir.peer().index()].violated_at else { return };
        let side = &mut self.sides[dir.index()];
        side.spoke_on |= header.opcode != Opcode::CLOSE;
        let late = time.is_some_and(|t| t.since(when) > limits::VIOLATION_SEEN);
        if late && header.opcode != Opcode::CLOSE && side.close.is_none() && !side.carried_on {
            side.carried_on = true;
            //= RFC 6455 §7.1.7
            //# Certain algorithms and specifications require an endpoint to _Fail
            //# the WebSocket Connection_.
            let later = moment(time.map_or(0, |t| t.since(when)));
            let got = Text::new("a {} frame {} after the violation").word(header.opcode.name()).and(later);
            let found = Finding::new(&OPEN_AFTER_VIOLATION, dir, "the connection failed".into(), got);
            findings.push(found.at(seen.opcode_at()));
        }
    }
}
