//! What an event or an acknowledgement carries: JSON values, and bytes beside them.

use hyper::body::Bytes;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

/// Values as they were written, in which `{"_placeholder":true,"num":N}` stands for attachment N.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    values: Vec<Box<RawValue>>,
    attachments: Vec<Bytes>,
}

impl Arguments {
    /// None.
    pub fn none() -> Self {
        Self::default()
    }

    /// Those that were received; `None` where a placeholder stands for none of the attachments.
    pub(super) fn received(values: Vec<Box<RawValue>>, attachments: Vec<Bytes>) -> Option<Self> {
        let arguments = Self { values, attachments };
        let fits = |value: &RawValue| match serde_json::from_str(value.get()) {
            Ok(value) => fits(&value, arguments.attachments.len()),
            Err(_) => false,
        };
        let all_fit = arguments.attachments.is_empty() || arguments.values.iter().all(|value| fits(value));
        all_fit.then_some(arguments)
    }

    /// With one more value.
    #[must_use]
    pub fn with(mut self, value: impl Serialize) -> Self {
        // What has no form as JSON is null.
        self.values.push(to_raw_value(&value).unwrap_or_else(|_| RawValue::NULL.to_owned()));
        self
    }

    /// With bytes as one more value.
    #[must_use]
    pub fn with_bytes(mut self, bytes: impl Into<Bytes>) -> Self {
        let placeholder = serde_json::json!({ "_placeholder": true, "num": self.attachments.len() });
        self.attachments.push(bytes.into());
        self.with(placeholder)
    }

    /// With the first values of others as one more, a list; their bytes go along.
    #[must_use]
    pub fn with_first_of(mut self, others: &[Self]) -> Self {
        let mut list = Vec::new();
        for other in others {
            let Some(first) = other.value(0) else { continue };
            let from = self.attachments.len() as u64;
            let moved = serde_json::from_str(first.get()).map(|value| moved(value, from));
            let first = if other.attachments.is_empty() {
                Ok(first.to_owned())
            } else {
                moved.and_then(|v| to_raw_value(&v))
            };
            list.extend(first);
            self.attachments.extend_from_slice(&other.attachments);
        }
        self.with(list)
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A value as it was written.
    pub fn value(&self, at: usize) -> Option<&RawValue> {
        self.values.get(at).map(|value| &**value)
    }

    /// A value that is a text.
    pub fn text(&self, at: usize) -> Option<String> {
        serde_json::from_str(self.value(at)?.get()).ok()
    }

    /// The bytes beside the values.
    pub fn attachments(&self) -> &[Bytes] {
        &self.attachments
    }

    pub(super) fn values(&self) -> &[Box<RawValue>] {
        &self.values
    }
}

/// Whether each placeholder stands for one of so many attachments.
fn fits(value: &Value, attachments: usize) -> bool {
    match value {
        Value::Object(object) if object.get("_placeholder") == Some(&Value::Bool(true)) => {
            object.get("num").and_then(Value::as_u64).is_some_and(|at| at < attachments as u64)
        }
        Value::Object(object) => object.values().all(|value| fits(value, attachments)),
        Value::Array(array) => array.iter().all(|value| fits(value, attachments)),
        _ => true,
    }
}

/// A value whose placeholders stand for attachments so much further on.
fn moved(value: Value, by: u64) -> Value {
    match value {
        Value::Object(object) if object.get("_placeholder") == Some(&Value::Bool(true)) => {
            let at = object.get("num").and_then(Value::as_u64).unwrap_or_default();
            serde_json::json!({ "_placeholder": true, "num": at + by })
        }
        Value::Object(object) => {
            Value::Object(object.into_iter().map(|(key, value)| (key, moved(value, by))).collect())
        }
        Value::Array(array) => array.into_iter().map(|value| moved(value, by)).collect(),
        value => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_as_they_were_written() {
        let values: Vec<Box<RawValue>> = serde_json::from_str(r#"[1.0,{"b":1,"a":"\u00e9"}]"#).unwrap();
        let arguments = Arguments::received(values, Vec::new()).unwrap().with("x").with_bytes("bytes");
        let written: Vec<&str> = arguments.values().iter().map(|value| value.get()).collect();
        assert_eq!(written, ["1.0", r#"{"b":1,"a":"\u00e9"}"#, r#""x""#, r#"{"_placeholder":true,"num":0}"#]);
        assert_eq!((arguments.text(2).as_deref(), arguments.text(0)), (Some("x"), None));
        assert_eq!((arguments.len(), arguments.attachments()), (4, &[Bytes::from("bytes")][..]));
    }

    #[test]
    fn values_of_several_are_put_together() {
        let first = Arguments::none().with_bytes("one").with("never");
        let second = Arguments::none().with(1.5);
        let third = Arguments::received(
            serde_json::from_str(r#"[[{"a":{"_placeholder":true,"num":0}}]]"#).unwrap(),
            vec![Bytes::from("three")],
        );
        let all = [first, second, Arguments::none(), third.unwrap()];
        let all = Arguments::none().with_bytes("zero").with_first_of(&all);
        let list = r#"[{"_placeholder":true,"num":1},1.5,[{"a":{"_placeholder":true,"num":2}}]]"#;
        assert_eq!(all.value(1).unwrap().get(), list);
        assert_eq!(all.attachments(), ["zero", "one", "three"].map(Bytes::from));
    }

    #[test]
    fn placeholders_stand_for_attachments_that_are_there() {
        let of = |json: &str, count: usize| {
            let attachments = vec![Bytes::new(); count];
            Arguments::received(serde_json::from_str(json).unwrap(), attachments).is_some()
        };
        assert!(of(r#"[[{"a":{"_placeholder":true,"num":1}}]]"#, 2));
        assert!(!of(r#"[[{"a":{"_placeholder":true,"num":2}}]]"#, 2));
        assert!(!of(r#"[{"_placeholder":true,"num":-1}]"#, 1));
        assert!(!of(r#"[{"_placeholder":true}]"#, 1));
        assert!(of(r#"[{"_placeholder":false}]"#, 1));
    }
}
