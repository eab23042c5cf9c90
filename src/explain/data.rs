//! The files as they are written.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::lang::Lang;

/// What kind of thing a topic is about; topics are listed group by group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// A field of a frame (RFC 6455 §5.2).
    Field,
    /// Opcodes (RFC 6455 §11.8).
    Opcode,
    /// Close codes (RFC 6455 §7.4).
    Close,
    /// Header fields of the handshake.
    Header,
    /// Status codes of HTTP.
    Status,
    /// permessage-deflate and its parameters (RFC 7692).
    Extension,
    /// URI schemes (RFC 6455 §3).
    Uri,
    /// Terms.
    Term,
    /// Engine.IO and Socket.IO.
    App,
    /// Wrong beliefs.
    Belief,
    /// Transports of the past.
    Historic,
    /// Rules of the spec sheets.
    Rule,
    /// Fields of the spec sheets that have no page of their own.
    Part,
}

/// `topics.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Facts {
    /// The topics, in the order in which they are listed.
    pub topic: Vec<Fact>,
    /// What the spec sheets do not say of a rule, by its id.
    pub rule: BTreeMap<String, RuleFact>,
}

/// What is the same in every language; the file's head says what each key means.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fact {
    pub id: String,
    pub group: Group,
    pub lesson: u8,
    pub codes: Option<(u16, u16)>,
    #[serde(default)]
    pub cite: Vec<String>,
    #[serde(default)]
    pub fields: Vec<String>,
    #[serde(default)]
    pub names: Vec<String>,
    pub see: Vec<String>,
    pub hex: Option<String>,
    #[serde(default)]
    pub fill: usize,
    pub head: Option<String>,
    pub eio: Option<String>,
    pub sio: Option<String>,
    #[serde(default)]
    pub findings: Vec<String>,
}

/// The same of a rule.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleFact {
    pub lesson: u8,
    pub see: Vec<String>,
    pub hex: Option<String>,
    #[serde(default)]
    pub fill: usize,
}

/// `en.toml`, `zh.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    pub groups: BTreeMap<Group, String>,
    pub topic: BTreeMap<String, Said>,
    pub rule: BTreeMap<String, RuleSaid>,
}

/// A topic in a language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    pub title: String,
    pub text: String,
    /// The term as it occurs in running text; empty for what is no term.
    #[serde(default)]
    pub words: Vec<String>,
}

/// A rule in a language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSaid {
    pub why: String,
    /// Empty where the rule itself says what is usually behind it, and what to change.
    #[serde(default)]
    pub fix: String,
}

pub fn facts() -> &'static Facts {
    static FACTS: OnceLock<Facts> = OnceLock::new();
    FACTS.get_or_init(|| read(include_str!("topics.toml")))
}

pub fn words(lang: Lang) -> &'static Words {
    static EN: OnceLock<Words> = OnceLock::new();
    static ZH: OnceLock<Words> = OnceLock::new();
    match lang {
        Lang::En => EN.get_or_init(|| read(include_str!("en.toml"))),
        Lang::Zh => ZH.get_or_init(|| read(include_str!("zh.toml"))),
    }
}

/// The files are part of the program: that they can be read is known before it is shipped.
fn read<T: DeserializeOwned>(text: &str) -> T {
    toml::from_str(text).unwrap_or_else(|e| panic!("the file is part of the program: {e}"))
}
