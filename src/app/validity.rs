//! Whether a text is JSON, and what a string in it says.

use serde::de::IgnoredAny;

use crate::limits::JSON_DEPTH;
use crate::model::json::{is_deep, is_plainly_json};

/// Whether `text` is one JSON value (RFC 8259), nested no deeper than [`JSON_DEPTH`].
pub fn is_valid(text: &str) -> bool {
    is_plainly_json(text) || is_valid_at_length(text)
}

/// The same, where a look has not been enough to tell.
pub fn is_valid_at_length(text: &str) -> bool {
    !is_deep(text, JSON_DEPTH) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// What a JSON string says.
pub fn string(literal: &str) -> Option<String> {
    serde_json::from_str(literal).ok()
}
