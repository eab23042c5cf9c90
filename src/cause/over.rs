//! A connection that is over, as those look at it who ask why.

use crate::model::{
    ClosePart, Connection, Diagnosis, Dir, Ending, Finding, Handshake, Measure, Quantity, Rule, Severity,
    SourceId, Span, StreamEnd, TcpEnd, Time,
};

/// A connection that is over.
#[derive(Clone, Copy)]
pub struct Over<'a> {
    /// Its number.
    pub conn: u32,
    /// What is known about it.
    pub connection: &'a Connection,
    /// How it ended.
    pub ending: &'a Ending,
    /// The Close frame that came first, and who sent it.
    pub close: Option<(Dir, &'a ClosePart)>,
    /// Whose Close frame is none, but text that somebody wrote without framing it.
    pub garbled: Option<Dir>,
    /// When the last of it was seen.
    pub time: Option<Time>,
    /// The rules it has broken, and by whom: warnings and errors, the first few.
    pub found: &'a [(&'static Rule, Option<Dir>)],
    /// The longest message of the client, and of the server, once inflated; 0 where none was compressed.
    pub inflated: [u64; 2],
    /// What was noticed about its handshake, and of bytes that are no frames: diagnoses.
    pub hints: &'a [Diagnosis],
    /// Who has taken leave first, in the protocol of the application.
    pub left: Option<Dir>,
}

impl<'a> Over<'a> {
    /// Whether it was a WebSocket, as far as is known.
    pub fn is_websocket(&self) -> bool {
        self.connection.handshake.is_websocket()
    }

    /// Whether its request for a WebSocket came to an end without an answer, and not only in the capture.
    pub fn is_unanswered(&self) -> bool {
        let (server, [_, counts]) = (&self.ending.sides[Dir::Server.index()], &self.ending.counts);
        let is_missing = server.is_blind || counts.frames > 0;
        self.connection.handshake == Handshake::RequestOnly && self.ending.first.is_some() && !is_missing
    }

    /// The Close frame that came first, and who sent it.
    pub fn close(&self) -> Option<(Dir, &'a ClosePart)> {
        self.close
    }

    /// Whether whoever sent the first Close frame that was seen may have answered another one with it, which
    /// is not in the capture: hardly anything of its peer is.
    pub fn may_be_answer(&self) -> bool {
        let Some((by, _)) = self.close() else { return false };
        let (peer, counts) = (&self.ending.sides[by.peer().index()], self.ending.counts[by.peer().index()]);
        peer.close.is_none() && (peer.is_blind || counts.frames == 0 && !peer.is_whole)
    }

    /// The Close frame of the other endpoint, where it says more than the first one: both closed at once, or
    /// the answer has a reason of its own.
    pub fn crossing(&self) -> Option<(Dir, &'a ClosePart)> {
        let (by, close) = self.close().filter(|_| self.garbled.is_none())?;
        let other = self.ending.sides[by.peer().index()].close.as_ref()?;
        let is_plain = |close: &ClosePart| close.code.is_none_or(|code| matches!(code.0, 1000 | 1001));
        (is_plain(close) && !is_plain(other)).then_some((by.peer(), other))
    }

    /// Who ended it: by the first Close frame, or else by the first end of a stream.
    pub fn ender(&self) -> Option<Dir> {
        self.close().map(|(by, _)| by).or(self.ending.first.map(|end| end.by))
    }

    /// The first end of a stream, if it came without a Close frame.
    pub fn cut(&self) -> Option<TcpEnd> {
        self.ending.first.filter(|_| self.close().is_none())
    }

    /// Whether all that one of them sent is in the capture.
    pub fn is_all_of(&self, dir: Dir) -> bool {
        self.ending.sides[dir.index()].is_whole
    }

    /// Whether all that both sent is in the capture, so that what is not there was not sent.
    pub fn is_whole(&self) -> bool {
        self.ending.sides.iter().all(|side| side.is_whole)
    }

    /// Whether it is certain who sent the first Close frame: nothing is missing, and of whom none was seen,
    /// all was.
    pub fn knows_closer(&self) -> bool {
        let sides = &self.ending.sides;
        self.is_whole() && sides.iter().all(|side| side.close.is_some() || side.is_over)
    }

    /// When it was ended: by the first Close frame, or else by the end of TCP; or when the capture ends.
    pub fn ended(&self) -> Option<Time> {
        let close = self.close().map(|(_, close)| close.time);
        let tcp = self.ending.first.map(|end| end.time);
        close.or(tcp).flatten().or(self.time)
    }

    /// Nanoseconds from its first bytes to what ended it, unless the clock was set back meanwhile.
    pub fn lived(&self) -> Option<i64> {
        Some(self.ended()?.since(self.ending.began?)).filter(|lived| *lived >= 0)
    }

    /// Who spoke last before what ended it, and when. Frames of which a part is missing are never complete:
    /// there it is the last payload on TCP, which says nothing of what came before a Close frame.
    pub fn heard(&self) -> Option<(Dir, Time)> {
        let frame = self.ending.heard();
        if self.is_seen() {
            return self.under_way().into_iter().chain(frame).max_by_key(|(_, time)| *time);
        }
        if self.close().is_some() {
            return None;
        }
        let sides = &self.ending.transport.as_deref()?.sides;
        let of = |dir: Dir| Some((dir, sides[dir.index()].spoke?));
        [of(Dir::Client), of(Dir::Server), frame].into_iter().flatten().max_by_key(|(_, time)| *time)
    }

    /// Who was sending a frame that never became whole, and when the last of it came: before what ended it.
    fn under_way(&self) -> Option<(Dir, Time)> {
        if self.ending.sides.iter().all(|side| side.unfinished.is_none()) {
            return None;
        }
        let (facts, ended) = (self.ending.transport.as_deref()?, self.ended()?);
        let of = |dir: Dir| {
            self.ending.sides[dir.index()].unfinished?.frame?;
            Some((dir, facts.sides[dir.index()].spoke?.min(ended)))
        };
        [Dir::Client, Dir::Server].into_iter().filter_map(of).max_by_key(|(_, time)| *time)
    }

    /// Nanoseconds without a frame of either endpoint before what ended it; since the handshake where
    /// there was none.
    pub fn silence(&self) -> Option<i64> {
        let began = self.ending.began.filter(|_| self.is_seen());
        let heard = self.heard().map(|(_, time)| time).or(began)?;
        Some(self.ended()?.since(heard).max(0))
    }

    /// Whether one of them ever sent a ping.
    pub fn has_pings(&self) -> bool {
        self.ending.sides.iter().any(|side| side.pings > 0)
    }

    /// Whether nothing was missed of what was seen of both.
    fn is_seen(&self) -> bool {
        self.ending.sides.iter().all(|side| !side.is_blind)
    }

    /// Whether it is certain that nobody said anything during the silence before the end: all was captured,
    /// or, of packets that are cut short, TCP's numbers say so.
    pub fn knows_silence(&self) -> bool {
        let facts = self.ending.transport.as_deref();
        [Dir::Client, Dir::Server].into_iter().all(|dir| {
            let tcp = facts.map(|facts| &facts.sides[dir.index()]);
            self.is_all_of(dir) || tcp.is_some_and(|tcp| tcp.fin.is_some() && !tcp.fin_behind_hole)
        })
    }

    /// Whether nothing was under way when it was ended: by FIN, or by a reset in which nothing was lost (a
    /// proxy may reset what it is tired of).
    pub fn is_at_rest(&self) -> bool {
        let is_done = self.ending.sides.iter().all(|side| side.unfinished.is_none() || side.is_blind);
        let is_calm = || self.has_all_arrived() && self.is_reachable();
        is_done && self.cut().is_some_and(|end| end.how != StreamEnd::Rst || is_calm())
    }

    /// Whether all that both sent has arrived.
    fn has_all_arrived(&self) -> bool {
        let facts = self.ending.transport.as_deref();
        facts.is_none_or(|facts| facts.sides.iter().all(|side| side.unacknowledged == 0))
    }

    /// Whether nobody asked in vain at the end whether the other is still there, and the reset came from
    /// where the connection was known.
    fn is_reachable(&self) -> bool {
        let facts = self.ending.transport.as_deref();
        facts.is_none_or(|facts| {
            facts.sides.iter().all(|side| side.keep_alive.unanswered == 0 && !side.disowned)
        })
    }

    /// Whether it was ended for another reason than that it was over: neither by a Close frame of the code
    /// 1000, nor by a page that was left.
    pub fn has_ended_badly(&self) -> bool {
        match self.close() {
            Some((by, close)) => match close.code.map(|code| code.0) {
                Some(1000) | None => false,
                Some(1001) => by == Dir::Server,
                Some(_) => true,
            },
            None => self.ending.first.is_some(),
        }
    }

    /// A rule that `dir` has broken and for which its peer has to fail the connection.
    pub fn violation(&self, dir: Dir) -> Option<&'static Rule> {
        let broken = |(rule, blame): &&(&'static Rule, Option<Dir>)| {
            *blame == Some(dir) && rule.fails.is_some() && rule.severity == Severity::Error
        };
        self.found.iter().find(broken).map(|(rule, _)| *rule)
    }

    /// Whether `dir` has broken this rule.
    pub fn has_broken(&self, rule: &'static Rule, dir: Dir) -> bool {
        self.found.contains(&(rule, Some(dir)))
    }

    /// How long it lasted, to be measured.
    pub fn lifetime(&self) -> Option<Measure> {
        self.lived().map(|lived| Measure::of(Quantity::Lived, lived))
    }
}

/// Points a finding at a packet, where there are packets.
pub fn seen_in(finding: Finding, packet: u64) -> Finding {
    if packet == 0 {
        return finding;
    }
    let source = SourceId::Packet { number: packet };
    finding.at(Span::bytes(source, 0, 0))
}
