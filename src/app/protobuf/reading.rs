//! Messages as values: records by a schema, or by their numbers.

use std::collections::HashMap;
use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::schema::{FieldType, Kind, MessageType, Schema};
use super::wire::{Fault, Record, Records, Wire};
use crate::app::cursor::Cursor;
use crate::app::excerpt::clipped;
use crate::limits::{APP_SHOWN, JSON_DEPTH, PROTOBUF_GUESSED, PROTOBUF_LEVELS, VALUE_LEAVES};
use crate::model::{Dir, Text};

/// A message that was read.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// All of it; `None` where that is too much to be shown.
    pub json: Option<String>,
    /// Its fields without fields of their own; none where these are too many.
    pub members: Vec<Member>,
    /// The type's name.
    pub name: Option<String>,
    /// That it is of this type is a guess.
    pub is_guess: bool,
    /// A field whose wire type is not the schema's: where, what was expected, what is there.
    pub mismatch: Option<(usize, Text, Text)>,
    unknown: usize,
    known: usize,
}

/// A field without fields of its own.
#[derive(Debug, PartialEq)]
pub(super) struct Member {
    pub path: String,
    /// The bytes of its value.
    pub at: usize,
    pub length: usize,
    pub meaning: Text,
}

impl Read {
    /// Whether the type has all of its fields.
    fn fits(&self) -> bool {
        self.mismatch.is_none() && self.unknown == 0
    }

    /// Whether it is what it was taken for, as far as can be said.
    pub fn is_known(&self) -> bool {
        self.mismatch.is_none() && (self.known > 0 || self.unknown == 0)
    }
}

impl Schema {
    /// Reads a message: as the one that was named, or as the one that fits best.
    pub(super) fn read(&self, bytes: &[u8], dir: Dir) -> Result<Read, Fault> {
        let roots = &self.roots[dir.index()];
        if let [root] = roots[..] {
            return by(self, root, bytes);
        }
        // What one of them cannot have within, another may have as text.
        let none = || (0, Text::new("fields of no message of the schema"));
        let mut fault = None;
        for root in roots {
            match by(self, *root, bytes) {
                Ok(read) if read.fits() => return Ok(Read { is_guess: true, ..read }),
                Ok(_) => fault = Some(none()),
                Err(why) => fault = fault.or(Some(why)),
            }
        }
        Err(fault.unwrap_or_else(none))
    }
}

/// Reads a message of a schema.
fn by(schema: &Schema, root: usize, bytes: &[u8]) -> Result<Read, Fault> {
    let name = schema.messages.get(root).map(|message| message.name.clone());
    let mut reader = Reading::new(Some(schema));
    let json = reader.message(bytes, (0, "$"), schema.messages.get(root), 0)?;
    Ok(reader.done(json, name))
}

/// Reads a message without a schema.
pub(super) fn raw(bytes: &[u8]) -> Result<Read, Fault> {
    let mut reader = Reading::new(None);
    let json = reader.message(bytes, (0, "$"), None, 0)?;
    Ok(reader.done(json, None))
}

struct Reading<'s> {
    schema: Option<&'s Schema>,
    read: Read,
    /// Members of guesses that were tried and dropped would be told otherwise.
    guesses: usize,
    too_many: bool,
}

/// A member of an object that is being made.
struct Slot {
    name: String,
    values: Vec<String>,
    many: bool,
    map: bool,
}

impl<'s> Reading<'s> {
    fn new(schema: Option<&'s Schema>) -> Self {
        Self { schema, read: Read::default(), guesses: 0, too_many: false }
    }

    fn done(self, json: String, name: Option<String>) -> Read {
        let members = if self.too_many { Vec::new() } else { self.read.members };
        let json = (json.len() <= 8 * APP_SHOWN).then_some(json);
        Read { json, members, name, ..self.read }
    }

    /// A message whose first byte is at `at`, and which stands at `path`, as JSON.
    fn message(
        &mut self,
        bytes: &[u8],
        (at, path): (usize, &str),
        kind: Option<&MessageType>,
        depth: usize,
    ) -> Result<String, Fault> {
        if depth >= JSON_DEPTH {
            return Err((at, Text::with("nested deeper than {}", JSON_DEPTH)));
        }
        let mut slots: Vec<Slot> = Vec::new();
        let mut places: HashMap<u32, usize> = HashMap::new();
        for record in Records::of(bytes) {
            let record = record.map_err(|(inner, what)| (at + inner, what))?;
            let field = kind.and_then(|kind| kind.field(record.number));
            let place = *places.entry(record.number).or_insert_with(|| {
                let name = field.map_or_else(|| record.number.to_string(), |field| field.name.clone());
                let (many, map) = field.map_or((false, false), |it| (it.repeated && !it.map, it.map));
                slots.push(Slot { name, values: Vec::new(), many, map });
                slots.len() - 1
            });
            let index = slots[place].values.len();
            let slot = &slots[place];
            let way = step(path, &slot.name);
            let is_one_of_many = slot.many || slot.map || index > 0 && field.is_none();
            let way = if is_one_of_many { format!("{way}[{index}]") } else { way };
            let values = if let Some(field) = field {
                self.known(&record, (at, &way), field, depth)?
            } else {
                self.read.unknown += usize::from(kind.is_some());
                vec![self.unknown(&record, (at, &way), kind.is_some(), depth)]
            };
            let slot = &mut slots[place];
            // The last of several counts, where there is to be one.
            if !slot.many && !slot.map && field.is_some() {
                slot.values.clear();
            }
            slot.values.extend(values);
        }
        Ok(object(&slots))
    }

    /// The values of a field that the schema has.
    fn known(
        &mut self,
        record: &Record<'_>,
        (at, path): (usize, &str),
        field: &FieldType,
        depth: usize,
    ) -> Result<Vec<String>, Fault> {
        let schema = self.schema;
        let inner = |place: usize| schema.and_then(|schema| schema.messages.get(place));
        let value_at = at + record.value_at;
        match (field.kind, record.value) {
            (Kind::Message(place), Wire::Length(bytes)) | (Kind::Group(place), Wire::Group(bytes)) => {
                self.read.known += 1;
                if bytes.is_empty() {
                    self.member(path, (value_at, 0), Text::new("an empty message"));
                }
                Ok(vec![self.message(bytes, (value_at, path), inner(place), depth + 1)?])
            }
            (Kind::String, Wire::Length(bytes)) if str::from_utf8(bytes).is_ok() => {
                self.read.known += 1;
                let json = quoted(&String::from_utf8_lossy(bytes));
                self.member(path, (value_at, bytes.len()), Text::with("{}", clipped(&json)));
                Ok(vec![json])
            }
            (Kind::String, Wire::Length(bytes)) => {
                let expected = Text::with("{} as text in UTF-8", &field.name);
                let got = Text::new("bytes that are no UTF-8");
                self.read.mismatch.get_or_insert((at + record.at, expected, got.clone()));
                self.member(path, (value_at, bytes.len()), got);
                Ok(vec![blob(bytes)])
            }
            (Kind::Bytes, Wire::Length(bytes)) => {
                self.read.known += 1;
                let json = blob(bytes);
                self.member(path, (value_at, bytes.len()), Text::with("{}", clipped(&json)));
                Ok(vec![json])
            }
            // Many of one kind may stand behind one tag.
            (kind, Wire::Length(bytes)) if field.repeated && !matches!(kind, Kind::String) => {
                let Some(values) = self.packed(bytes, kind) else {
                    return Ok(vec![self.mismatch(record, (at, path), field, depth)]);
                };
                self.read.known += 1;
                let shown = clipped(&values.join(", ")).into_owned();
                let base = path.strip_suffix("[0]").unwrap_or(path);
                self.member(base, (value_at, bytes.len()), Text::with("{}", shown));
                Ok(values)
            }
            (kind, value) => match self.scalar(kind, value) {
                Some((json, meaning)) => {
                    self.read.known += 1;
                    self.member(path, (value_at, record.end - record.value_at), meaning);
                    Ok(vec![json])
                }
                None => Ok(vec![self.mismatch(record, (at, path), field, depth)]),
            },
        }
    }

    /// A field that is there in another way than the schema has it.
    fn mismatch(
        &mut self,
        record: &Record<'_>,
        (at, path): (usize, &str),
        field: &FieldType,
        depth: usize,
    ) -> String {
        let expected = Text::with("{} as {}", &field.name).and(wire_of(field.kind));
        let got = Text::with("{}", record.value.name());
        self.read.mismatch.get_or_insert((at + record.at, expected, got));
        self.unknown(record, (at, path), false, depth)
    }

    /// The values of a number without tags of their own.
    fn packed(&mut self, bytes: &[u8], kind: Kind) -> Option<Vec<String>> {
        let (mut from, mut values) = (Cursor::of(bytes), Vec::new());
        while !from.is_at_end() {
            let value = match wire_of(kind) {
                "I32" => Wire::Fixed32(from.little(4)? as u32),
                "I64" => Wire::Fixed64(from.little(8)?),
                "VARINT" => Wire::Varint(from.varint()?),
                _ => return None,
            };
            values.push(self.scalar(kind, value)?.0);
        }
        Some(values)
    }

    /// A number as JSON, and what it means.
    fn scalar(&self, kind: Kind, value: Wire<'_>) -> Option<(String, Text)> {
        let zigzag = |number: u64| (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
        let json = match (kind, value) {
            (Kind::Int32 | Kind::Int64, Wire::Varint(number)) | (Kind::Sfixed64, Wire::Fixed64(number)) => {
                number.cast_signed().to_string()
            }
            (Kind::Uint32, Wire::Varint(number)) => (number as u32).to_string(),
            (Kind::Uint64, Wire::Varint(number)) | (Kind::Fixed64, Wire::Fixed64(number)) => {
                number.to_string()
            }
            (Kind::Sint32 | Kind::Sint64, Wire::Varint(number)) => zigzag(number).to_string(),
            (Kind::Bool, Wire::Varint(number)) => (number != 0).to_string(),
            (Kind::Enum(place), Wire::Varint(number)) => {
                let number = number.cast_signed() as i32;
                let values = self.schema.and_then(|schema| schema.enums.get(place)).map(|it| &it.values);
                let name = values.and_then(|all| all.iter().find(|(value, _)| *value == number));
                return Some(match name {
                    Some((_, name)) => (quoted(name), Text::with("{} ({})", name).and(number)),
                    None => (number.to_string(), Text::with("{}, which the schema does not name", number)),
                });
            }
            (Kind::Fixed32, Wire::Fixed32(number)) => number.to_string(),
            (Kind::Sfixed32, Wire::Fixed32(number)) => number.cast_signed().to_string(),
            (Kind::Float, Wire::Fixed32(bits)) => {
                let number = f32::from_bits(bits);
                float(number.is_finite(), number)
            }
            (Kind::Double, Wire::Fixed64(bits)) => {
                let number = f64::from_bits(bits);
                float(number.is_finite(), number)
            }
            _ => return None,
        };
        let meaning = Text::with("{}", &json);
        Some((json, meaning))
    }

    /// A field without a type: a number, or a guess at what is within.
    fn unknown(
        &mut self,
        record: &Record<'_>,
        (at, path): (usize, &str),
        named: bool,
        depth: usize,
    ) -> String {
        let place = (at + record.value_at, record.end - record.value_at);
        let (json, what) = match record.value {
            Wire::Varint(number) => (number.to_string(), Text::with("VARINT {}", number)),
            Wire::Fixed64(bits) => {
                (bits.to_string(), Text::with("I64 {}, or {}", bits).and(f64::from_bits(bits)))
            }
            Wire::Fixed32(bits) => {
                (bits.to_string(), Text::with("I32 {}, or {}", bits).and(f32::from_bits(bits)))
            }
            Wire::Group(bytes) => match self.guess(bytes, (place.0, path), depth) {
                Some(json) => return json,
                None => (blob(bytes), Text::with("GROUP of {} bytes", bytes.len())),
            },
            Wire::Length(bytes) => match text_of(bytes) {
                Some(text) => {
                    let json = quoted(text);
                    let what = Text::with("LEN, text as a guess: {}", clipped(&json));
                    (json, what)
                }
                None => match self.guess(bytes, (place.0, path), depth) {
                    Some(json) => {
                        let length = Text::with("LEN of {} bytes, a message as a guess", bytes.len());
                        self.member(path, (place.0, 0), length);
                        return json;
                    }
                    None => (blob(bytes), Text::with("LEN of {} bytes", bytes.len())),
                },
            },
        };
        let what = if named { Text::new("not in the schema: {}").word(what) } else { what };
        self.member(path, place, what);
        json
    }

    /// Bytes as a message, if they are one to the end.
    fn guess(&mut self, bytes: &[u8], (at, path): (usize, &str), depth: usize) -> Option<String> {
        // Each guess reads all that is within once more.
        self.guesses += bytes.len();
        if bytes.is_empty() || depth + 1 >= PROTOBUF_LEVELS || self.guesses > PROTOBUF_GUESSED {
            return None;
        }
        let (members, unknown) = (self.read.members.len(), self.read.unknown);
        if let Ok(json) = self.message(bytes, (at, path), None, depth + 1) {
            Some(json)
        } else {
            self.read.members.truncate(members);
            self.read.unknown = unknown;
            None
        }
    }

    fn member(&mut self, path: &str, (at, length): (usize, usize), meaning: Text) {
        if self.read.members.len() >= VALUE_LEAVES {
            self.too_many = true;
            return;
        }
        self.read.members.push(Member { path: path.to_owned(), at, length, meaning });
    }
}

/// Bytes that are a text which can be read.
fn text_of(bytes: &[u8]) -> Option<&str> {
    let text = str::from_utf8(bytes).ok()?;
    let is_read = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t');
    text.chars().all(is_read).then_some(text)
}

/// The wire type that a kind has.
fn wire_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => "I64",
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => "I32",
        Kind::String | Kind::Bytes | Kind::Message(_) => "LEN",
        Kind::Group(_) => "GROUP",
        _ => "VARINT",
    }
}

fn object(slots: &[Slot]) -> String {
    let mut json = String::from("{");
    for (i, slot) in slots.iter().enumerate() {
        let _ = write!(json, "{}{}:", if i > 0 { "," } else { "" }, quoted(&slot.name));
        if slot.map {
            let entries: Vec<String> = slot.values.iter().map(|entry| pair(entry)).collect();
            let _ = write!(json, "{{{}}}", entries.join(","));
        } else if slot.many || slot.values.len() > 1 {
            let _ = write!(json, "[{}]", slot.values.join(","));
        } else {
            json.push_str(slot.values.first().map_or("null", String::as_str));
        }
    }
    json.push('}');
    json
}

/// An entry of a map, which is a message of a key and a value, as a member of an object.
fn pair(entry: &str) -> String {
    let of = |name: &str| crate::app::json::member(entry, name);
    let key = match of("key") {
        Some(key) if key.starts_with('"') => key.to_owned(),
        Some(key) => quoted(key),
        // What is left out is empty.
        None => quoted(""),
    };
    format!("{key}:{}", of("value").unwrap_or("null"))
}

fn step(path: &str, name: &str) -> String {
    let is_number = name.starts_with(|c: char| c.is_ascii_digit());
    if is_number { format!("{path}['{name}']") } else { format!("{path}.{name}") }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

fn blob(bytes: &[u8]) -> String {
    format!("{{\"base64\":\"{}\"}}", STANDARD.encode(&bytes[..bytes.len().min(APP_SHOWN)]))
}

/// A fraction; JSON has neither infinity nor what is no number.
fn float(is_finite: bool, number: impl ToString) -> String {
    let text = number.to_string();
    if is_finite { text } else { quoted(&text) }
}
