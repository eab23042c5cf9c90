//! What stands at the right end of lines.

use crate::render::style::Ink;

/// Words at the right end of a line. They stay when it has ended, as the next one's are mostly the same.
#[derive(Debug)]
pub struct Tail {
    pub words: String,
    pub ink: Ink,
    /// Columns that they take, and whether they show as they are.
    pub columns: usize,
    pub is_plain: bool,
    /// Whether the line that is under way has them.
    pub is_set: bool,
}
