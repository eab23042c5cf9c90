//! What a word of the field means: opcodes, close codes, header fields, rules, terms.
//!
//! A topic is a page of a few sentences with its sections, an example and the lesson
//! that treats it. Facts that no language changes stand in `topics.toml`, the words
//! in a file a language, `en.toml` and `zh.toml`. What the spec sheets say of a rule
//! or a field is never repeated there: every [`Rule`](crate::model::Rule) and every
//! [`FieldDef`](crate::model::FieldDef) is a topic as well, titled by its sheet, and the files add why it is
//! so.
//!
//! An example is bytes, not words: who shows it decodes it, so that a page can never
//! miscount.
//!
//! ```
//! use wstool::explain::{self, Answer};
//! use wstool::lang::Lang;
//!
//! let Answer::Topic { topic, .. } = explain::look_up("0x9") else { panic!("an opcode") };
//! assert_eq!((topic.id, topic.lesson), ("ping", Some(8)));
//! assert!(topic.text(Lang::En).contains("Pong with the same payload"));
//! ```

mod book;
mod data;
mod lookup;

#[cfg(test)]
mod tests;

pub use book::{Example, Topic};
pub use data::Group;
pub use lookup::{Answer, look_up};

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::lang::Lang;
use crate::model::Advice;

use book::Book;

/// Every topic, group by group: those of `topics.toml`, then rules, then other fields.
pub fn topics() -> &'static [Topic] {
    &Book::get().topics
}

/// The topic with this id.
pub fn topic(id: &str) -> Option<&'static Topic> {
    Book::get().topic(id)
}

/// The terms of the field: topics whose words are looked for in running text.
///
/// Each has its [`words`](Topic::words) in each language and the [`lesson`](Topic::lesson)
/// that introduces it. Lessons name topics by [`id`](Topic::id) in `teaches` and `mentions`,
/// also those that are no terms, such as a close code.
pub fn terms() -> impl Iterator<Item = &'static Topic> {
    topics().iter().filter(|topic| topic.is_term())
}

/// Why each rule is there and what to do when it was broken, by the rule's id.
pub fn advice(lang: Lang) -> &'static BTreeMap<&'static str, Advice> {
    static TABLES: [OnceLock<BTreeMap<&'static str, Advice>>; Lang::ALL.len()] =
        [const { OnceLock::new() }; Lang::ALL.len()];
    TABLES[lang as usize].get_or_init(|| {
        topics().iter().filter_map(|topic| Some((topic.rule?.id, topic.advice(lang)?))).collect()
    })
}
