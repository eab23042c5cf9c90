//! Sentences, and numbers in them.

use crate::model::Text;
pub use crate::model::quantity::{grouped, lasting as time, rounded as number, share as percent};

/// So many of something, whose templates for one and for more these are.
pub fn counted(value: u64, [one, more]: [&'static str; 2]) -> Text {
    Text::with(if value == 1 { one } else { more }, grouped(value))
}

pub const BYTES: [&str; 2] = ["{} byte", "{} bytes"];
pub const CLIENTS: [&str; 2] = ["{} client", "{} clients"];
pub const CONNECTIONS: [&str; 2] = ["{} connection", "{} connections"];
pub const POLLS: [&str; 2] = ["{} poll", "{} polls"];
pub const RUNS: [&str; 2] = ["{} run", "{} runs"];

/// What fills a hole: a value is the same in every language, words are said in it.
pub trait Fills {
    /// Fills the next hole of a text.
    fn fills(self, text: Text) -> Text;
}

impl Fills for Text {
    fn fills(self, text: Text) -> Text {
        text.word(self)
    }
}

impl Fills for &'static str {
    fn fills(self, text: Text) -> Text {
        text.word(self)
    }
}

macro_rules! values {
    ($($kind:ty)*) => {$(
        impl Fills for $kind {
            fn fills(self, text: Text) -> Text {
                text.and(self)
            }
        }
    )*};
}

values!(String &String u16 u64 usize);

/// A sentence, its holes filled by values and words.
macro_rules! said {
    ($template:literal $(, $part:expr)* $(,)?) => {{
        let text = crate::model::Text::new($template);
        $(let text = $crate::compare::words::Fills::fills($part, text);)*
        text
    }};
}

pub(crate) use said;
