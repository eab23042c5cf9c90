//! The large objects of an archive, key by key.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::parts::{Close, Message, Program};
use super::read::Reading;

/// What is read key by key, or element by element.
trait Parts<'de>: Sized {
    /// Takes the value of a key; `false` where it is not wanted, and not taken.
    fn key<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        let _ = (key, map);
        Ok(false)
    }

    /// All keys were there.
    fn ends(&mut self) {}

    /// Takes the elements.
    fn elements<A: SeqAccess<'de>>(&mut self, all: &mut A) -> Result<(), A::Error> {
        while all.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

/// Reads the parts of something; what is no object or array has none.
struct Read<P>(P);

impl<'de, P: Parts<'de>> DeserializeSeed<'de> for Read<P> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, P: Parts<'de>> Visitor<'de> for Read<P> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut all: A) -> Result<(), A::Error> {
        self.0.elements(&mut all)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            if !self.0.key(&key, &mut map)? {
                map.next_value::<IgnoredAny>()?;
            }
        }
        self.0.ends();
        Ok(())
    }
}

/// Reads the document.
pub(super) fn document<'de, D: Deserializer<'de>>(
    reading: &mut Reading<'_>,
    deserializer: D,
) -> Result<(), D::Error> {
    Read(Document(reading)).deserialize(deserializer)
}

struct Document<'r, 'a>(&'r mut Reading<'a>);

impl<'de> Parts<'de> for Document<'_, '_> {
    fn key<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        if key == "log" {
            map.next_value_seed(Read(Log(self.0)))?;
        }
        Ok(key == "log")
    }
}

struct Log<'r, 'a>(&'r mut Reading<'a>);

impl<'de> Parts<'de> for Log<'_, '_> {
    fn key<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        match key {
            "creator" | "browser" => {
                let program = map.next_value::<Option<Program>>()?;
                self.0.is_by(program.unwrap_or_default(), key == "browser");
            }
            "entries" => {
                self.0.found = true;
                map.next_value_seed(Read(Entries(self.0)))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

struct Entries<'r, 'a>(&'r mut Reading<'a>);

impl<'de> Parts<'de> for Entries<'_, '_> {
    fn elements<A: SeqAccess<'de>>(&mut self, all: &mut A) -> Result<(), A::Error> {
        while all.next_element_seed(Read(One(self.0)))?.is_some() {}
        Ok(())
    }
}

struct One<'r, 'a>(&'r mut Reading<'a>);

impl<'de> Parts<'de> for One<'_, '_> {
    fn key<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<bool, A::Error> {
        let room = self.0.room();
        let entry = &mut self.0.entry;
        match key {
            "startedDateTime" => entry.started = map.next_value()?,
            "time" => entry.time = map.next_value()?,
            "_resourceType" => entry.resource_type = map.next_value()?,
            "connection" => entry.connection = map.next_value()?,
            "serverIPAddress" => entry.address = map.next_value()?,
            "_told" => entry.told = map.next_value()?,
            "_error" => entry.error = map.next_value()?,
            "timings" => entry.timings = map.next_value::<Option<_>>()?.unwrap_or_default(),
            "request" => {
                let request = map.next_value::<Option<_>>()?.unwrap_or_default();
                entry.request(request, room);
            }
            "response" => {
                let response = map.next_value::<Option<_>>()?.unwrap_or_default();
                entry.response(response, room);
            }
            "_webSocketClose" => {
                if let Close::Code { code } = map.next_value()? {
                    entry.code = code;
                }
            }
            "_webSocketMessages" => {
                self.0.has_lists = true;
                map.next_value_seed(Read(Messages(self.0)))?;
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn ends(&mut self) {
        self.0.entry_ends();
    }
}

struct Messages<'r, 'a>(&'r mut Reading<'a>);

impl<'de> Parts<'de> for Messages<'_, '_> {
    fn elements<A: SeqAccess<'de>>(&mut self, all: &mut A) -> Result<(), A::Error> {
        while let Some(message) = all.next_element::<Option<Message>>()? {
            let room = self.0.room();
            self.0.entry.message(message.unwrap_or_default(), room);
        }
        Ok(())
    }
}
