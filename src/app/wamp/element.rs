//! An element of a message.

use std::ops::Range;

use crate::model::Text;

/// What an element is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A whole number that is not negative.
    Whole(u64),
    Text,
    Bytes,
    List,
    Dict,
    Null,
    /// Another number, or a truth value.
    Other,
}

/// An element, by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    pub at: Range<usize>,
    pub shape: Shape,
}

/// Why a message is no list: the byte where that shows, and what is wrong there.
pub type Fault = (usize, Text);
