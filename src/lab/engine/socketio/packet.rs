//! Packets of Socket.IO, as text: `type[N-][/namespace,][ack id]json`, behind which N attachments follow.

use std::fmt::Write as _;

use hyper::body::Bytes;
use serde_json::value::RawValue;

use super::arguments::Arguments;
use crate::lab::engine::packet::Data;
use crate::limits;

/// The types of packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `0`: to a namespace.
    Connect,
    /// `1`: out of it.
    Disconnect,
    /// `2`, or `5` with attachments.
    Event,
    /// `3`, or `6` with attachments.
    Ack,
    /// `4`: the server does not let a client in. Before revision 5: ERROR.
    Refused,
}

/// A packet, its attachments aside.
#[derive(Debug)]
pub struct Head {
    pub kind: Kind,
    /// `/` or one that it names.
    pub namespace: String,
    /// What an acknowledgement refers to.
    pub id: Option<u64>,
    /// JSON: an object, or what an event carries.
    pub json: Option<Box<RawValue>>,
    /// How many attachments follow.
    pub attachments: usize,
}

/// Events that mean something else than what an application says.
const RESERVED: [&str; 6] =
    ["connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener"];

impl Head {
    /// Reads a packet.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        let (kind, rest) = text.split_at_checked(1).ok_or("a packet without a type")?;
        let (kind, is_binary) = match kind {
            "0" => (Kind::Connect, false),
            "1" => (Kind::Disconnect, false),
            "2" => (Kind::Event, false),
            "3" => (Kind::Ack, false),
            "4" => (Kind::Refused, false),
            "5" => (Kind::Event, true),
            "6" => (Kind::Ack, true),
            _ => return Err("an unknown packet type"),
        };
        let (attachments, rest) = if is_binary { attachments(rest)? } else { (0, rest) };
        let (namespace, rest) = match rest.strip_prefix('/') {
            Some(named) => {
                let length = named.find(',').unwrap_or(named.len());
                (&rest[..=length], named[length..].strip_prefix(',').unwrap_or_default())
            }
            None => ("/", rest),
        };
        let json = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let id = &rest[..rest.len() - json.len()];
        let id =
            if id.is_empty() { None } else { Some(id.parse().map_err(|_| "an ack id that is too large")?) };
        let json: Option<Box<RawValue>> = match json {
            "" => None,
            json => Some(serde_json::from_str(json).map_err(|_| "data that is not JSON")?),
        };
        let head = Self { kind, namespace: namespace.to_owned(), id, json, attachments };
        head.fits()?;
        Ok(head)
    }

    fn fits(&self) -> Result<(), &'static str> {
        let first = self.json.as_deref().and_then(|json| json.get().bytes().next());
        match (self.kind, first) {
            (Kind::Connect, None | Some(b'{'))
            | (Kind::Disconnect, None)
            | (Kind::Refused, Some(b'{' | b'"'))
            | (Kind::Ack | Kind::Event, Some(b'[')) => Ok(()),
            (Kind::Connect, _) => Err("CONNECT with data that is no object"),
            (Kind::Disconnect, _) => Err("DISCONNECT with data"),
            (Kind::Refused, _) => Err("CONNECT_ERROR without an object or a text"),
            (Kind::Event, _) => Err("an event whose data is no array"),
            (Kind::Ack, _) => Err("an acknowledgement whose data is no array"),
        }
    }

    /// The event's name and what it carries, or what an acknowledgement does, now that its attachments are
    /// there.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn complete(&self, attachments: Vec<Bytes>) -> Result<(Name, Arguments), &'static str> {
        let json = self.json.as_deref().map_or("[]", RawValue::get);
        let mut values: Vec<Box<RawValue>> =
            serde_json::from_str(json).map_err(|_| "data that is not an array")?;
        let name = if self.kind == Kind::Event {
            if values.is_empty() {
                return Err("an event without a name");
            }
            Some(values.remove(0))
        } else {
            None
        };
        let name = match name {
            None => Name::default(),
            Some(name) => name_of(&name)?,
        };
        let arguments = Arguments::received(values, attachments);
        Ok((name, arguments.ok_or("a placeholder for an attachment that is not there")?))
    }
}

/// An event's name. A number may be one, as in the reference.
pub type Name = String;

fn name_of(value: &RawValue) -> Result<Name, &'static str> {
    let is_number = |text: &str| text.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    match serde_json::from_str::<String>(value.get()) {
        Ok(name) if RESERVED.contains(&&*name) => Err("an event with a reserved name"),
        Ok(name) => Ok(name),
        Err(_) if is_number(value.get()) => Ok(value.get().to_owned()),
        Err(_) => Err("an event whose name is no text"),
    }
}

/// How many attachments follow, and what stands behind that.
fn attachments(text: &str) -> Result<(usize, &str), &'static str> {
    let (count, rest) =
        text.split_once('-').ok_or("a binary packet without the number of its attachments")?;
    match count.parse() {
        Ok(count) if count <= limits::ATTACHMENTS => Ok((count, rest)),
        Ok(_) => Err("too many attachments"),
        Err(_) => Err("a number of attachments that is none"),
    }
}

/// What has no name: CONNECT and its like.
pub fn control(kind: Kind, namespace: &str, json: &str) -> Data {
    let kind = match kind {
        Kind::Connect => 0,
        Kind::Disconnect => 1,
        _ => 4,
    };
    format!("{kind}{}{json}", prefix(namespace)).into()
}

/// An event, or, without a name, an acknowledgement; and its attachments.
pub fn carrier(namespace: &str, id: Option<u64>, name: Option<&str>, arguments: &Arguments) -> Vec<Data> {
    let attachments = arguments.attachments();
    let mut text = match (name.is_some(), attachments.len()) {
        (true, 0) => "2".to_owned(),
        (false, 0) => "3".to_owned(),
        (true, count) => format!("5{count}-"),
        (false, count) => format!("6{count}-"),
    };
    text.push_str(&prefix(namespace));
    if let Some(id) = id {
        // Strings take what is written.
        let _ = write!(text, "{id}");
    }
    text.push('[');
    // Strings always serialise.
    let name = name.map(|name| serde_json::to_string(name).unwrap_or_default());
    let values = arguments.values().iter().map(|value| value.get());
    for (at, value) in name.as_deref().into_iter().chain(values).enumerate() {
        text.push_str(if at > 0 { "," } else { "" });
        text.push_str(value);
    }
    text.push(']');
    std::iter::once(Data::from(text)).chain(attachments.iter().cloned().map(Data::from)).collect()
}

/// What stands before the rest of a packet that is not for the main namespace.
fn prefix(namespace: &str) -> String {
    if namespace == "/" { String::new() } else { format!("{namespace},") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read() {
        let read = |text: &str| {
            let head = Head::read(text).unwrap();
            let json = head.json.map(|json| json.get().to_owned()).unwrap_or_default();
            (head.kind, head.namespace, head.id, json, head.attachments)
        };
        let own = |text: &str| text.to_owned();
        assert_eq!(read("0"), (Kind::Connect, own("/"), None, own(""), 0));
        assert_eq!(
            read(r#"0{"token":"123"}"#),
            (Kind::Connect, own("/"), None, own(r#"{"token":"123"}"#), 0)
        );
        assert_eq!(read("0/random"), (Kind::Connect, own("/random"), None, own(""), 0));
        assert_eq!(read("0/admin?a=b,"), (Kind::Connect, own("/admin?a=b"), None, own(""), 0));
        assert_eq!(read("1/admin,"), (Kind::Disconnect, own("/admin"), None, own(""), 0));
        assert_eq!(read(r#"212["foo"]"#), (Kind::Event, own("/"), Some(12), own(r#"["foo"]"#), 0));
        assert_eq!(read(r#"3/admin,13["bar"]"#), (Kind::Ack, own("/admin"), Some(13), own(r#"["bar"]"#), 0));
        assert_eq!(read(r#"61-15["bar"]"#), (Kind::Ack, own("/"), Some(15), own(r#"["bar"]"#), 1));
        assert_eq!(read(r#"52-/é,["a"]"#), (Kind::Event, own("/é"), None, own(r#"["a"]"#), 2));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for wrong in [
            "",
            "abc",
            "9",
            "é",
            "2",
            "2{}",
            "2abc[]",
            "0[]",
            "1[]",
            "5[\"a\"]",
            "5x-[\"a\"]",
            "51[\"a\"]",
            "5999-[\"a\"]",
            "3{}",
            "2[",
            "299999999999999999999[\"a\"]",
        ] {
            assert!(Head::read(wrong).is_err(), "{wrong}");
        }
        for wrong in ["2[]", "2[{}]", "2[\"connect\"]", "2[null]"] {
            assert!(Head::read(wrong).unwrap().complete(Vec::new()).is_err(), "{wrong}");
        }
        let number = Head::read("2[1,2]").unwrap().complete(Vec::new()).unwrap();
        assert_eq!((number.0.as_str(), number.1.len()), ("1", 1));
    }

    #[test]
    fn packets_are_written() {
        let text = |data: &[Data]| match &data[0] {
            Data::Text(text) => text.to_string(),
            Data::Binary(_) => String::new(),
        };
        let plain = Arguments::none().with("hi").with(1);
        let bytes = Arguments::none().with_bytes("x");
        assert_eq!(text(&carrier("/", None, Some("chat"), &plain)), r#"2["chat","hi",1]"#);
        assert_eq!(text(&carrier("/a", Some(7), Some("chat"), &plain)), r#"2/a,7["chat","hi",1]"#);
        assert_eq!(text(&carrier("/", Some(7), None, &Arguments::none())), "37[]");
        let binary = carrier("/", Some(7), None, &bytes);
        assert_eq!(text(&binary), r#"61-7[{"_placeholder":true,"num":0}]"#);
        assert_eq!(binary[1], Data::Binary("x".into()));
        assert_eq!(
            text(&carrier("/a", None, Some("x"), &bytes)),
            r#"51-/a,["x",{"_placeholder":true,"num":0}]"#
        );
        assert_eq!(text(&[control(Kind::Connect, "/a", r#"{"sid":"1"}"#)]), r#"0/a,{"sid":"1"}"#);
        assert_eq!(text(&[control(Kind::Disconnect, "/", "")]), "1");
        assert_eq!(text(&[control(Kind::Refused, "/a", r#""no""#)]), r#"4/a,"no""#);
    }
}
