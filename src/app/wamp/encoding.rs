//! The ways in which a message, which is a list, is written: JSON, `MessagePack` and CBOR.

use std::borrow::Cow;

use super::element::{Element, Fault, Shape};
use crate::app::dialect::Said;
use crate::app::json;
use crate::app::value::{self, Blob, Node, Notation};
use crate::limits::APP_SHOWN;
use crate::model::json::place;
use crate::model::{Field, FieldDef, Value};

/// How messages are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// In text messages.
    Json,
    /// In binary messages.
    Binary(Notation),
}

/// In binary messages, as `MessagePack`.
pub const MESSAGE_PACK: Encoding = Encoding::Binary(Notation::MessagePack);

/// In binary messages, as CBOR.
pub const CBOR: Encoding = Encoding::Binary(Notation::Cbor);

impl Encoding {
    /// The elements of a message.
    pub fn elements(self, said: &Said<'_>) -> Result<Vec<Element>, Fault> {
        match self {
            Self::Json => {
                let text = said.as_text().unwrap_or_default();
                if let Some(fault) = json::fault(text) {
                    return Err(fault);
                }
                if !text.trim_start().starts_with('[') {
                    return Err((0, "something else than a list".into()));
                }
                let element = |value: &str| {
                    let start = place(text, value);
                    Element { shape: Node::Json(value).shape(), at: start..start + value.len() }
                };
                Ok(json::elements(text).into_iter().map(element).collect())
            }
            Self::Binary(notation) => {
                let all = value::elements(notation, said.bytes)?;
                Ok(all.into_iter().map(|(at, shape)| Element { at, shape }).collect())
            }
        }
    }

    /// An element as JSON; `None` where it is too long, or not to be said in JSON.
    pub fn json<'a>(self, said: &Said<'a>, element: &Element) -> Option<Cow<'a, str>> {
        let bytes = &said.bytes[element.at.clone()];
        match self {
            _ if bytes.len() > APP_SHOWN => None,
            Self::Json => str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Self::Binary(notation) => value::to_json(notation, bytes, Blob::Nul).map(Cow::Owned),
        }
    }

    /// An element as a field.
    pub fn field(self, said: &Said<'_>, def: &'static FieldDef, element: &Element) -> Field {
        let raw = &said.bytes[element.at.clone()];
        let value = match (element.shape, self.json(said, element)) {
            (Shape::Whole(number), _) => Value::Number(number),
            (Shape::Text, Some(literal)) => {
                json::string(&literal).map_or_else(|| Value::Json(literal.into_owned()), Value::Text)
            }
            (_, Some(json)) => Value::Json(json.into_owned()),
            (_, None) if self == Self::Json => json::content(raw),
            (_, None) => Value::Bytes(raw[..raw.len().min(APP_SHOWN)].to_vec()),
        };
        said.field(def, element.at.start, element.at.len(), value)
    }
}
