//! The records of causes: how a connection ended, and what went wrong with how many.

use std::io::Write;

use super::last::LastSite;
use super::record::finding_ids;
use super::value::{List, Members, Named as _, Seconds, Sides, ToJson, Word, members, object, open, with};
use super::write::Writer;
use crate::cause::{Group, Place};
use crate::model::{ClosePart, Dir, Judgement, Measure, StreamEnd, TcpEnd, Unfinished, Unit};

/// The record `verdict`.
pub(super) fn verdict<W: Write>(unit: &Unit<'_>, it: &Judgement<'_>, last: &mut LastSite, w: &mut Writer<W>) {
    let seconds = |nanos: i64| Seconds(nanos.max(0).unsigned_abs());
    open!(w, "type": "verdict", "conn": unit.conn, "time": unit.time, "packets": unit.packets);
    members!(w, "client": it.client, "server": it.server);
    last.put(it.host, it.target, w);
    members!(
        w,
        "outcome": Word(it.outcome.name()),
        "by": it.by,
        "close": it.close.map(|(by, close)| Closed(by, close)),
        "tcp": it.tcp.as_ref(),
        "status": it.status,
        "lived": it.lived.map(seconds),
        "silence": it.silence.map(seconds),
        "last": it.last,
        "unfinished": Sides(it.unfinished.each_ref().map(Option::as_ref)),
        "frames": it.frames,
        "messages": it.messages,
        "bytes": it.bytes,
        "line": with(|w: &mut Writer<W>| w.told(|part| it.tell(part))),
    );
    finding_ids(unit, w);
}

/// A Close frame and its sender.
struct Closed<'a>(Dir, &'a ClosePart);

impl<W: Write> ToJson<W> for Closed<'_> {
    fn put(self, w: &mut Writer<W>) {
        let Self(by, close) = self;
        object!(
            w,
            "by": by,
            "code": close.code.map(|code| code.0),
            "code_name": close.code.map(|code| Word(code.name())),
            "reason": &close.reason,
            "n": close.n,
            "time": close.time,
        );
    }
}

impl<W: Write> ToJson<W> for &TcpEnd {
    fn put(self, w: &mut Writer<W>) {
        let packet = (self.packet > 0).then_some(self.packet);
        open!(w, "by": self.by, "how": Word(self.how.name()));
        if let StreamEnd::Reset(code) = self.how {
            members!(w, "code": u64::from(code));
        }
        members!(w, "time": self.time, "packet": packet);
        w.raw("}");
    }
}

impl<W: Write> ToJson<W> for &Unfinished {
    fn put(self, w: &mut Writer<W>) {
        open!(w, "fragments": self.fragments, "bytes": self.bytes);
        members!(w, "frame": self.frame.map(|(arrived, declared)| List([arrived, declared])));
        w.raw("}");
    }
}

/// The record `cause`.
pub(crate) fn cause<W: Write>(it: &Group, w: &mut Writer<W>) {
    open!(w, "type": "cause", "id": it.rule.id, "severity": it.rule.severity, "title": it.rule.title);
    members!(
        w,
        "who": it.blame,
        "server": it.server,
        "target": it.target.as_deref(),
        "what": &it.what,
        "connections": it.connections,
        "times": it.times,
        "measures": Members(it.measures.iter().map(|it| (it.of.key(), it))),
        "first": it.first,
        "last": it.last,
        "behind": it.diagnosis.as_ref().map(|it| &it.what),
        "try": it.diagnosis.as_ref().map(|it| &it.fix),
    );
}

impl<W: Write> ToJson<W> for Place {
    fn put(self, w: &mut Writer<W>) {
        let conn = (self.conn > 0).then_some(self.conn);
        let packet = (self.packet > 0).then_some(self.packet);
        object!(w, "conn": conn, "packet": packet, "time": self.time);
    }
}

/// The least and the most of one measure.
impl<W: Write> ToJson<W> for &Measure {
    fn put(self, w: &mut Writer<W>) {
        let range = [self.least, self.most].map(|value| value.max(0).unsigned_abs());
        if self.of.is_time() { List(range.map(Seconds)).put(w) } else { List(range).put(w) }
    }
}
