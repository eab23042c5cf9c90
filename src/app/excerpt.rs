//! As much of what came from the wire as is shown.

use std::borrow::Cow;

use crate::limits::APP_SHOWN;
use crate::model::prefix;

/// As much of a text as is shown with a message.
pub fn cut(text: &str) -> &str {
    prefix(text, APP_SHOWN)
}

/// The beginning of a text, for a summary.
pub fn clipped(text: &str) -> Cow<'_, str> {
    const MOST: usize = 200;
    if text.len() <= MOST { Cow::Borrowed(text) } else { Cow::Owned(format!("{}…", prefix(text, MOST))) }
}

/// Bytes as text in quotes, with escapes.
pub fn quoted(bytes: &[u8]) -> String {
    format!("{:?}", String::from_utf8_lossy(bytes))
}
