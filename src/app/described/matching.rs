//! Whether a connection or a message is of a protocol that is described.

use super::{Described, Source};
use crate::app::dialect::Said;
use crate::app::path::Path;
use crate::app::value::{self, Node, Notation, Shape};
use crate::model::Connection;

/// What is known of the opening handshake.
#[derive(Debug, Default)]
pub struct Handshake {
    pub(super) subprotocols: Vec<String>,
    pub(super) paths: Vec<String>,
    pub(super) hosts: Vec<String>,
}

/// What a message must have.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Values, by their paths.
    pub json: Vec<(Path, Wanted)>,
    /// Something must stand there.
    pub exists: Vec<Path>,
    /// Its first bytes.
    pub first: Vec<u8>,
    /// Its least and its greatest length.
    pub length: Option<(u64, u64)>,
    /// Whether it is text.
    pub text: Option<bool>,
}

/// A value that is looked for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wanted {
    Number(i128),
    Float(f64),
    Text(String),
    Bool(bool),
}

impl Wanted {
    /// Whether a value is this one.
    pub fn is(&self, node: Node<'_>) -> bool {
        let plain = || node.json().map(|json| json.trim().to_owned());
        match self {
            Self::Text(text) => node.shape() == Shape::Text && node.says(text),
            Self::Number(number) => plain().is_some_and(|json| json.parse() == Ok(*number)),
            Self::Float(number) => node.number().is_some_and(|it| it.to_bits() == number.to_bits()),
            Self::Bool(is) => plain().is_some_and(|json| json.parse() == Ok(*is)),
        }
    }

    /// As it is written in a file.
    pub fn shown(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => format!("{text:?}"),
            Self::Bool(is) => is.to_string(),
        }
    }
}

impl Handshake {
    /// Whether nothing is asked of it.
    pub fn is_empty(&self) -> bool {
        self.subprotocols.is_empty() && self.paths.is_empty() && self.hosts.is_empty()
    }

    /// Whether a connection is one of these. What is asked for must be known: a connection whose handshake
    /// was not captured is none of them.
    fn fits(&self, connection: Option<&Connection>) -> bool {
        let any = |patterns: &[String], text: Option<&str>| {
            patterns.is_empty() || text.is_some_and(|text| patterns.iter().any(|it| glob(it, text)))
        };
        let target = connection.and_then(|it| it.target.as_deref()).map(path_of);
        let host = connection.and_then(|it| it.host.as_deref()).map(str::to_ascii_lowercase);
        any(&self.subprotocols, connection.and_then(|it| it.subprotocol.as_deref()))
            && any(&self.paths, target)
            && any(&self.hosts, host.as_deref())
    }
}

impl Described {
    /// Whether messages of a connection may be of this protocol.
    pub fn fits(&self, connection: Option<&Connection>) -> bool {
        self.handshake.fits(connection)
    }

    /// The value that a message is, where it is one.
    pub(super) fn node<'a>(&self, said: &Said<'a>) -> Option<Node<'a>> {
        if said.text {
            return said.as_json().map(|text| Node::Json(text.trim()));
        }
        let one = |notation: Notation| match value::whole(notation, said.bytes)?[..] {
            [value] => Some(Node::Binary(notation, value)),
            _ => None,
        };
        match self.notation {
            Some(notation) => one(notation),
            None => [Notation::MessagePack, Notation::Cbor]
                .into_iter()
                .find(|notation| value::is_evident(*notation, said.bytes))
                .and_then(one),
        }
    }

    /// Whether anything is asked of a value.
    pub(super) fn has_paths(&self) -> bool {
        let asks = |content: &Content| !content.json.is_empty() || !content.exists.is_empty();
        let of =
            |fields: &[super::Field]| fields.iter().any(|field| matches!(field.place, super::Place::Path(_)));
        let ties = |ties: &super::Ties| {
            [&ties.request, &ties.reply, &ties.error, &ties.method]
                .into_iter()
                .any(|it| matches!(it, Some(Source::Path(_))))
        };
        asks(&self.content)
            || of(&self.fields)
            || ties(&self.ties)
            || self.kinds.iter().any(|kind| asks(&kind.content) || of(&kind.fields) || ties(&kind.ties))
    }
}

impl Content {
    /// Whether nothing is asked of a message.
    pub fn is_empty(&self) -> bool {
        self.json.is_empty() && self.exists.is_empty() && self.first.is_empty() && self.length.is_none()
    }

    /// Whether a message has it.
    pub fn fits(&self, said: &Said<'_>, node: Option<Node<'_>>) -> bool {
        self.text.is_none_or(|text| text == said.text)
            && said.bytes.starts_with(&self.first)
            && self.length.is_none_or(|(least, most)| (least..=most).contains(&said.length))
            && (self.json.is_empty() && self.exists.is_empty()
                || node.is_some_and(|node| {
                    self.json.iter().all(|(path, wanted)| path.find_in(node).is_some_and(|it| wanted.is(it)))
                        && self.exists.iter().all(|path| path.find_in(node).is_some())
                }))
    }
}

/// The path of a request's target, without a query.
fn path_of(target: &str) -> &str {
    let rest = match target.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    };
    rest.split('?').next().unwrap_or_default()
}

/// Whether a text is as a pattern says, in which `*` stands for anything.
pub(super) fn glob(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let Some(mut last) = parts.next() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(last) else { return false };
        rest = &rest[at + last.len()..];
        last = part;
    }
    rest.ends_with(last)
}
