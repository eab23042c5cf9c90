//! What is found of connections that have no number, as they are no WebSocket that can be read.

use crate::limits;
use crate::model::{At, Body, Finding, Flow, ON, Out, Unit};

/// How much of it was told of a capture.
#[derive(Debug, Default)]
pub struct Nameless {
    told: usize,
}

impl Nameless {
    /// Tells of one.
    pub(super) fn tell(&mut self, finding: Finding, at: At, out: &mut Out<'_>) -> Flow {
        if self.told >= limits::NAMELESS_TOLD {
            return ON;
        }
        self.told += 1;
        out.emit(&Unit { findings: &[finding], ..Unit::about_input(Body::Note).at(at) })
    }
}
