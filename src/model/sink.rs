//! Sinks: who takes what a decoder produces.

use std::ops::ControlFlow;

use super::single::Single;
use super::unit::{Body, Connection, Message, Unit};
use super::wants::Wants;
use super::wire::Dir;

/// Whether a sink wants more.
pub type Flow = ControlFlow<()>;

/// Takes units as they are completed: a view, a filter, a counter, an answer checker.
pub trait Sink {
    /// What the sink will look at. Asked once, before the first unit, so that
    /// decoders can leave undone what nobody sees.
    fn wants(&self) -> Wants;

    /// Whether it shows anything of a connection, asked when that appears: who judges several connections
    /// together leaves out those that are not looked at.
    fn looks_at(&mut self, conn: u32, connection: &Connection) -> bool {
        let _ = (conn, connection);
        true
    }

    /// What comes next on a connection was sent in knowledge of what `dir` had sent and is not there yet, and
    /// may never be: nothing may rest on its not being there.
    fn behind(&mut self, conn: u32, dir: Dir) {
        let _ = (conn, dir);
    }

    /// Takes one unit; `Break` when the sink has had enough.
    fn take(&mut self, unit: &Unit<'_>) -> Flow;

    /// Takes a frame, and the message that consists of it: two units in one call, which most of all
    /// traffic is. `unit` is the frame's; the message's differs only in its body. It is text, binary or a
    /// Close frame.
    ///
    /// Who does both at once can save half of the way; it has to come to the same.
    fn take_whole(&mut self, unit: &Unit<'_>, message: &Message<'_>) -> Flow {
        self.take(unit)?;
        self.take(&Unit { body: Body::Message(message), ..*unit })
    }

    /// Takes the same as it leaves the decoder, when nobody has read the message yet; or read by whoever
    /// knows at a glance what it is.
    ///
    /// Who needs neither unit can leave them unmade; it has to come to the same.
    fn take_single(&mut self, single: &Single<'_>) -> Flow {
        single.lend(|unit, message| self.take_whole(unit, message))
    }
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn wants(&self) -> Wants {
        (**self).wants()
    }

    fn looks_at(&mut self, conn: u32, connection: &Connection) -> bool {
        (**self).looks_at(conn, connection)
    }

    fn behind(&mut self, conn: u32, dir: Dir) {
        (**self).behind(conn, dir);
    }

    #[inline]
    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        (**self).take(unit)
    }

    #[inline]
    fn take_whole(&mut self, unit: &Unit<'_>, message: &Message<'_>) -> Flow {
        (**self).take_whole(unit, message)
    }

    #[inline]
    fn take_single(&mut self, single: &Single<'_>) -> Flow {
        (**self).take_single(single)
    }
}
