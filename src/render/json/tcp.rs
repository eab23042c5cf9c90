//! What TCP says of a connection: `tcp` in the last record of it.

use std::io::Write;
use std::time::Duration;

use super::value::{Seconds, ToJson, members, object, open};
use super::write::Writer;
use crate::model::{At, KeepAlive, Resent, TcpFacts, TcpSide, ZeroWindow};

impl<W: Write> ToJson<W> for &TcpFacts {
    fn put(self, w: &mut Writer<W>) {
        let [client, server] = &self.sides;
        object!(w, "rtt": self.initial_round_trip(), "client": client, "server": server);
    }
}

/// Writes members of those numbers that are not 0.
macro_rules! some {
    ($w:expr, $($key:literal : $number:expr),+ $(,)?) => {
        $(if $number != 0 {
            members!($w, $key: $number);
        })+
    };
}

impl<W: Write> ToJson<W> for &TcpSide {
    /// What there is nothing to say of is left out: a record of each connection should be short.
    fn put(self, w: &mut Writer<W>) {
        open!(w, "last": self.heard.map(|(_, time)| time));
        some!(w, "bytes": self.bytes);
        if let Some(least) = self.round_trip.least {
            members!(w, "ack_time_min": least, "ack_time": self.round_trip.smoothed);
        }
        let packet = |at: Option<At>| at.map_or(0, |at| at.packet);
        some!(
            w,
            "fin": packet(self.fin),
            "reset": packet(self.reset),
            "unacknowledged": self.unacknowledged,
            "after_own_fin": self.after_own_fin,
            "after_peers_fin": self.after_peers_fin,
            "out_of_order": self.out_of_order,
            "copies": self.copies,
            "duplicate_acks": self.duplicate_acks,
        );
        if self.resent.segments > 0 {
            members!(w, "resent": self.resent);
        }
        if self.zero_window.times > 0 {
            members!(w, "zero_window": self.zero_window);
        }
        if self.keep_alive.sent > 0 {
            members!(w, "keep_alive": self.keep_alive);
        }
        w.raw("}");
    }
}

impl<W: Write> ToJson<W> for Resent {
    fn put(self, w: &mut Writer<W>) {
        let first = self.first.map(|at| at.packet);
        object!(
            w,
            "segments": self.segments,
            "bytes": self.bytes,
            "first": first,
            "unanswered": self.unanswered,
        );
    }
}

impl<W: Write> ToJson<W> for ZeroWindow {
    fn put(self, w: &mut Writer<W>) {
        object!(
            w,
            "times": self.times,
            "first": self.first.map(|at| at.packet),
            "longest": self.longest,
            "total": self.total,
            "at_end": self.at_end,
            "probes": self.probes,
        );
    }
}

impl<W: Write> ToJson<W> for KeepAlive {
    fn put(self, w: &mut Writer<W>) {
        object!(w, "sent": self.sent, "answered": self.answered, "unanswered": self.unanswered);
    }
}

impl<W: Write> ToJson<W> for Duration {
    fn put(self, w: &mut Writer<W>) {
        Seconds(u64::try_from(self.as_nanos()).unwrap_or(u64::MAX)).put(w);
    }
}
