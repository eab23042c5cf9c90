//! An element of a message.

use std::ops::Range;

pub use crate::app::value::{Fault, Shape};

/// An element, by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub at: Range<usize>,
    pub shape: Shape,
}
