//! Buffers for whoever decodes.

use super::Open;
use super::described::Described;
use crate::limits;
use crate::model::{Field, Finding, Rule, Source};
use crate::ws::aftermath::Stories;
use crate::ws::held::Held;

/// Buffers that live as long as the run and are lent to whoever decodes, so
/// that an idle connection holds none.
#[derive(Debug)]
pub struct Scratch {
    /// [`limits::BLOCK`] unmasked bytes on their way to the UTF-8 check.
    pub(super) block: Box<[u8]>,
    /// For whoever has nothing open yet.
    pub(super) spare: Option<Box<Open>>,
    /// What is wrong with the frame at hand.
    pub findings: Vec<Finding>,
    pub(super) counted: Vec<&'static Rule>,
    pub(super) fields: Vec<Field>,
    pub(super) sources: Vec<Source>,
    /// The same of frames that go the short way.
    pub(super) described: Described,
    /// What connections hold between two pushes: their unfinished frames and messages, and their windows.
    pub held: Held,
    /// For whoever begins to close or to ping.
    pub stories: Stories,
    /// Whether whole frames and usual handshakes may go the short way.
    pub(super) short_way: bool,
}

impl Scratch {
    /// Whether what is as nearly all is may go the short way.
    #[inline]
    pub fn takes_short_way(&self) -> bool {
        self.short_way
    }

    /// Everything goes the long way: what the short one is held against.
    #[cfg(test)]
    pub(crate) fn without_short_way(self) -> Self {
        Self { short_way: false, stories: Stories::closed(), ..self }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            block: vec![0; limits::BLOCK].into(),
            spare: None,
            findings: Vec::new(),
            counted: Vec::new(),
            fields: Vec::new(),
            sources: Vec::new(),
            described: Described::default(),
            held: Held::default(),
            stories: Stories::default(),
            short_way: true,
        }
    }
}
