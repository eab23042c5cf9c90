//! The file that describes a protocol: TOML in, or what is wrong with it, and where.

mod read;

use std::ops::Range;

use read::{Scope, Table, unknown, wrong};

use super::matching::{Content, Handshake};
use super::template::Template;
use super::{Bits, Check, Described, Extent, Field, Form, Kind, Number, Place, Source, Ties, Type, names};
use crate::app::DIALECTS;
use crate::app::path::Path;
use crate::app::value::Notation;
use crate::limits::{DIALECT_DEPTH, DIALECT_FILE, DIALECT_PARTS};
use crate::model::{Dir, Severity, Text};

/// What is wrong with a file, and in which bytes of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Bytes of the file.
    pub at: Range<usize>,
    /// What is wrong there, and what to write instead.
    pub what: Text,
}

type Load<T> = Result<T, Wrong>;

/// Words of records, which no field may have for its name.
const TAKEN: [&str; 7] = ["protocol", "packets", "parts", "attachments", "answers", "session", "summary"];

/// Numbers, by the names of their types.
const NUMBERS: [(&str, u8, Form); 12] = [
    ("u8", 1, Form::Unsigned),
    ("u16", 2, Form::Unsigned),
    ("u24", 3, Form::Unsigned),
    ("u32", 4, Form::Unsigned),
    ("u64", 8, Form::Unsigned),
    ("i8", 1, Form::Signed),
    ("i16", 2, Form::Signed),
    ("i24", 3, Form::Signed),
    ("i32", 4, Form::Signed),
    ("i64", 8, Form::Signed),
    ("f32", 4, Form::Float),
    ("f64", 8, Form::Float),
];

/// What else a field may be.
const OTHERS: [&str; 5] = ["varint", "text", "bytes", "switch", "list"];

/// Reads the description of a protocol.
///
/// # Errors
/// What is wrong with it, where, and what was expected there.
pub fn load(text: &str) -> Result<Described, Wrong> {
    if text.len() > DIALECT_FILE {
        return Err(Wrong { at: 0..0, what: Text::with("it has more than {} bytes", DIALECT_FILE) });
    }
    let file = toml::de::DeTable::parse(text).map_err(|error| {
        let what = Text::with("{}", error.message().trim());
        Wrong { at: error.span().unwrap_or(0..0), what }
    })?;
    let table = Table::new(file.get_ref(), file.span());
    table.only(&[
        "name", "id", "spec", "endian", "encoding", "match", "field", "message", "request", "reply", "error",
        "method", "rule",
    ])?;
    let Some((at, name)) = table.text("name")? else {
        return wrong(0..0, Text::new("a dialect needs a name: name = \"Team chat\""));
    };
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return wrong(at, Text::new("a name is a few words"));
    }
    let (at, id) = table.text("id")?.unwrap_or_else(|| (at, slug(&name)));
    if id.is_empty() || slug(&id) != id {
        let what = "`{}` is no id: small letters, digits and hyphens; give one by id = \"…\"";
        return wrong(at, Text::with(what, &id));
    }
    if DIALECTS.iter().any(|dialect| dialect.id == id) {
        return wrong(at, Text::with("`{}` is the id of a protocol that is known already", &id));
    }
    let doc = table.text("spec")?.map_or_else(|| name.clone(), |(_, spec)| spec);
    let little = table.one_of("endian", &[("big", false), ("little", true)])?.unwrap_or(false);
    let notation = table.one_of(
        "encoding",
        &[("json", None), ("msgpack", Some(Notation::MessagePack)), ("cbor", Some(Notation::Cbor))],
    )?;
    let loader = Loader { id: &id, doc: &doc, little };
    let (handshake, content) = match table.table("match")? {
        Some(table) => Loader::matching(&table)?,
        None => (Handshake::default(), Content::default()),
    };
    if handshake.is_empty() && content.is_empty() {
        let what = "say what it is recognised by: [match] with subprotocol, path, host, json, exists, first \
                    or length";
        return wrong(0..0, Text::new(what));
    }
    let mut scope = Scope::default();
    let fields = loader.fields(&table, &mut scope)?;
    let ties = Loader::ties(&table, &scope)?;
    let mut kinds = Vec::new();
    for message in table.tables("message")? {
        kinds.push(loader.kind(&message, &scope, &kinds)?);
    }
    if kinds.is_empty() {
        return wrong(0..0, Text::new("describe its messages: each kind begins with [[message]]"));
    }
    let mut checks = Vec::new();
    for rule in table.tables("rule")? {
        checks.push(loader.check(&rule, &scope, &kinds)?);
    }
    let cut = names::rule(
        &format!("{id}-message-cut"),
        Severity::Warning,
        "A message ends before a field that its dialect describes",
        "What its receiver makes of it is not described.",
        &doc,
    );
    let rest = names::field(
        &format!("{id}.rest"),
        "rest",
        "What stands behind the fields that are described.",
        &doc,
    );
    Ok(Described {
        id: names::word(&id),
        name: names::word(&name),
        notation: notation.flatten(),
        handshake,
        content,
        fields,
        kinds: kinds.into_iter().map(|(kind, _)| kind).collect(),
        ties,
        checks,
        cut,
        rest,
    })
}

/// What all parts of a file need.
struct Loader<'a> {
    id: &'a str,
    doc: &'a str,
    little: bool,
}

impl Loader<'_> {
    fn matching(table: &Table<'_>) -> Load<(Handshake, Content)> {
        table.only(&["subprotocol", "path", "host", "json", "exists", "first", "length", "text"])?;
        let handshake = Handshake {
            subprotocols: table.texts("subprotocol")?.into_iter().map(|(_, it)| it).collect(),
            paths: table.texts("path")?.into_iter().map(|(_, it)| it).collect(),
            hosts: table.texts("host")?.into_iter().map(|(_, it)| it.to_ascii_lowercase()).collect(),
        };
        Ok((handshake, Self::content(table)?))
    }

    fn content(table: &Table<'_>) -> Load<Content> {
        let mut content = Content { text: table.flag("text")?, ..Content::default() };
        if let Some(json) = table.table("json")? {
            for (at, key) in json.keys() {
                content.json.push((path(at, &key)?, json.wanted(&key)?));
            }
        }
        for (at, text) in table.texts("exists")? {
            content.exists.push(path(at, &text)?);
        }
        if let Some((at, hex)) = table.text("first")? {
            let digits: String = hex.chars().filter(|c| !c.is_whitespace()).collect();
            let bytes = (0..digits.len())
                .step_by(2)
                .map(|i| digits.get(i..i + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok()));
            match bytes.collect::<Option<Vec<u8>>>() {
                Some(bytes) if !bytes.is_empty() => content.first = bytes,
                _ => {
                    let what = "`{}` are no bytes: pairs of hexadecimal digits, \"47 4d 01\"";
                    return wrong(at, Text::with(what, hex));
                }
            }
        }
        content.length = table.range("length")?;
        Ok(content)
    }

    fn kind(&self, table: &Table<'_>, common: &Scope, known: &[(Kind, Scope)]) -> Load<(Kind, Scope)> {
        table.only(&[
            "name", "from", "when", "match", "field", "summary", "request", "reply", "error", "method",
        ])?;
        let (at, name) = table.needed("name")?;
        if known.iter().any(|(kind, _)| kind.name == name) {
            return wrong(at, Text::with("there are two messages of the name `{}`", name));
        }
        if known.len() >= DIALECT_PARTS {
            return wrong(at, Text::with("more than {} messages", DIALECT_PARTS));
        }
        let from = table.one_of("from", &[("client", Dir::Client), ("server", Dir::Server)])?;
        let mut when = Vec::new();
        if let Some(table) = table.table("when")? {
            for (at, key) in table.keys() {
                common.must_have(at, &key, Text::new("a field of all messages, described by [[field]]"))?;
                when.push((key.clone(), table.all_wanted(&key)?));
            }
        }
        let content = match table.table("match")? {
            Some(table) => {
                table.only(&["json", "exists", "first", "length", "text"])?;
                Self::content(&table)?
            }
            None => Content::default(),
        };
        let mut scope = common.clone();
        let fields = self.fields(table, &mut scope)?;
        let summary = match table.text("summary")? {
            Some((at, text)) => {
                // Behind the quote.
                let byte = |offset: usize| at.start + 1 + offset..at.end;
                let template = Template::parse(&text)
                    .map_err(|(offset, what)| Wrong { at: byte(offset), what: Text::new(what) })?;
                for name in template.fields() {
                    scope.must_have(at.clone(), name, Text::new("a field of this message"))?;
                }
                Some(template)
            }
            None => None,
        };
        let ties = Self::ties(table, &scope)?;
        Ok((Kind { name: names::word(&name), from, when, content, fields, summary, ties }, scope))
    }

    fn ties(table: &Table<'_>, scope: &Scope) -> Load<Ties> {
        let source = |key: &str| match table.text(key)? {
            Some((at, text)) => source(at, &text, scope).map(Some),
            None => Ok(None),
        };
        Ok(Ties {
            request: source("request")?,
            reply: source("reply")?,
            error: source("error")?,
            method: source("method")?,
        })
    }

    fn check(&self, table: &Table<'_>, common: &Scope, kinds: &[(Kind, Scope)]) -> Load<Check> {
        table.only(&[
            "id",
            "severity",
            "of",
            "field",
            "required",
            "one-of",
            "min",
            "max",
            "message",
            "consequence",
        ])?;
        let (at, id) = table.needed("id")?;
        if id.is_empty() || slug(&id) != id {
            return wrong(at, Text::with("`{}` is no id: small letters, digits and hyphens", id));
        }
        let severities = [Severity::Note, Severity::Warning, Severity::Error].map(|it| (it.name(), it));
        let severity = table.one_of("severity", &severities)?.unwrap_or(Severity::Warning);
        let (mut of, mut scope) = (Vec::new(), common.clone());
        for (at, name) in table.texts("of")? {
            let Some((kind, own)) = kinds.iter().find(|(kind, _)| kind.name == name) else {
                let all: Vec<&str> = kinds.iter().map(|(kind, _)| kind.name).collect();
                return Err(unknown(at, &name, &all, "`{}` is no message that is described"));
            };
            scope.add_all(own);
            of.push(kind.name);
        }
        let (field_at, text) = table.needed("field")?;
        if of.is_empty() {
            for (_, own) in kinds {
                scope.add_all(own);
            }
        }
        let field = source(field_at, &text, &scope)?;
        let required = table.flag("required")?.unwrap_or(false);
        let one_of = table.all_wanted("one-of")?;
        let (min, max) = (table.number("min")?, table.number("max")?);
        if !required && one_of.is_empty() && min.is_none() && max.is_none() {
            return wrong(table.at(), Text::new("a rule asks for something: required, one-of, min or max"));
        }
        let (_, title) = table.needed("message")?;
        let consequence = table
            .text("consequence")?
            .map_or("What its receiver makes of it is not described.", |(_, text)| names::word(&text));
        let own = format!("{}-", self.id);
        let id = if id.starts_with(&own) { id } else { own + &id };
        let rule = names::rule(&id, severity, names::word(&title), consequence, self.doc);
        Ok(Check { rule, of, field, required, one_of, min, max })
    }

    /// The fields of a table.
    fn fields(&self, table: &Table<'_>, scope: &mut Scope) -> Load<Vec<Field>> {
        let mut fields = Vec::new();
        for table in table.tables("field")? {
            if scope.len() >= DIALECT_PARTS || scope.depth >= DIALECT_DEPTH {
                let what = "more than {} fields, or within each other more than {} times";
                return wrong(table.at(), Text::with(what, DIALECT_PARTS).and(DIALECT_DEPTH));
            }
            fields.push(self.field(&table, scope)?);
        }
        Ok(fields)
    }

    /// The same of fields within a field.
    fn inner(&self, table: &Table<'_>, scope: &mut Scope) -> Load<Vec<Field>> {
        scope.depth += 1;
        let fields = self.fields(table, scope);
        scope.depth -= 1;
        fields
    }

    fn field(&self, table: &Table<'_>, scope: &mut Scope) -> Load<Field> {
        table.only(&[
            "name", "label", "help", "path", "type", "at", "length", "count", "enum", "bits", "on", "case",
            "other", "field",
        ])?;
        let path_of = table.text("path")?;
        let kind = table.text("type")?;
        let (at, name) = match (table.text("name")?, &kind) {
            (Some(name), _) => name,
            // A switch is not shown: its fields are.
            (None, Some((at, kind))) if kind == "switch" => (at.clone(), "switch".to_owned()),
            (None, _) => table.needed("name")?,
        };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-')) {
            let what = "`{}` is no name of a field: letters, digits, _ and -; label = \"…\" may be anything";
            return wrong(at, Text::with(what, name));
        }
        if TAKEN.contains(&name.as_str()) {
            return wrong(
                at,
                Text::with("records have a `{}` of their own: give the field another name", name),
            );
        }
        let (label, help) = (table.text("label")?, table.text("help")?);
        let label = label.map_or_else(|| name.clone(), |(_, label)| label);
        let help = help.map_or("A field that the dialect describes.", |(_, help)| names::word(&help));
        let def =
            |name: &str, label: &str| names::field(&format!("{}.{name}", self.id), label, help, self.doc);
        let mut names = Vec::new();
        if let Some(table) = table.table("enum")? {
            for (at, key) in table.keys() {
                let value = read::literal(&key);
                let Some((_, word)) = table.text(&key)? else { continue };
                if word.is_empty() {
                    return wrong(at, Text::new("a value's name is a word or some"));
                }
                names.push((value, word));
            }
        }
        let place = match (path_of, kind) {
            (Some((at, text)), None) => Place::Path(path(at, &text)?),
            (None, Some((at, kind))) => {
                let kind = self.kind_of(table, (at, &kind), scope, &def)?;
                Place::Bytes { at: table.whole("at")?, kind }
            }
            (Some((at, _)), Some(_)) => {
                return wrong(at, Text::new("a field has a path (in JSON) or a type (in bytes), not both"));
            }
            (None, None) => {
                let what = "a field has a path, path = \"$.id\", or a type, type = \"u16\"";
                return wrong(table.at(), Text::new(what));
            }
        };
        let def = def(&name, &label);
        scope.add(&name);
        Ok(Field { name, def, place, names })
    }

    fn kind_of(
        &self,
        table: &Table<'_>,
        (at, kind): (Range<usize>, &str),
        scope: &mut Scope,
        def: &dyn Fn(&str, &str) -> &'static crate::model::FieldDef,
    ) -> Load<Type> {
        if let Some(number) = self.number_type(kind) {
            let Some(bits) = table.table("bits")? else { return Ok(Type::Number(number)) };
            if number.form != Form::Unsigned {
                return wrong(bits.at(), Text::new("only u8 to u64 have bits"));
            }
            let mut parts = Vec::new();
            for (at, name) in bits.keys() {
                let (low, high) = bits.bits(&name)?;
                if high >= 8 * number.bytes || low > high {
                    return wrong(
                        at,
                        Text::with("bits count from 0, the lowest, to {}", 8 * number.bytes - 1),
                    );
                }
                scope.add(&name);
                parts.push(Bits { def: def(&name, &name), name, low, high });
            }
            return Ok(Type::Bits(number, parts));
        }
        Ok(match kind {
            "varint" => Type::Varint,
            "text" => Type::Text(self.extent(table, "length", scope)?),
            "bytes" => Type::Bytes(self.extent(table, "length", scope)?),
            "list" => {
                let extent = self.extent(table, "count", scope)?;
                let fields = self.inner(table, scope)?;
                if fields.is_empty() {
                    return wrong(
                        table.at(),
                        Text::new("a list needs the fields of an element: [[….field]]"),
                    );
                }
                Type::List(extent, fields)
            }
            "switch" => {
                let (at, on) = table.needed("on")?;
                scope.must_have(at, &on, Text::new("a field before this one"))?;
                let mut cases = Vec::new();
                for case in table.tables("case")? {
                    case.only(&["is", "field"])?;
                    let wanted = case.all_wanted("is")?;
                    if wanted.is_empty() {
                        return wrong(case.at(), Text::new("a case says for which values it is: is = 1"));
                    }
                    cases.push((wanted, self.inner(&case, scope)?));
                }
                let other = match table.table("other")? {
                    Some(other) => {
                        other.only(&["field"])?;
                        self.inner(&other, scope)?
                    }
                    None => Vec::new(),
                };
                Type::Switch { on, cases, other }
            }
            _ => {
                let all: Vec<&str> = NUMBERS.iter().map(|(name, ..)| *name).chain(OTHERS).collect();
                return Err(unknown(at, kind, &all, "`{}` is no type"));
            }
        })
    }

    /// A number's type, with the order of its bytes if it says so.
    fn number_type(&self, kind: &str) -> Option<Number> {
        let (bare, little) = match kind {
            kind if kind.ends_with("le") => (kind.strip_suffix("le")?, true),
            kind if kind.ends_with("be") => (kind.strip_suffix("be")?, false),
            kind => (kind, self.little),
        };
        let (_, bytes, form) = NUMBERS.iter().find(|(name, ..)| *name == bare)?;
        Some(Number { bytes: *bytes, little, form: *form })
    }

    /// How long something is, or how often it comes.
    fn extent(&self, table: &Table<'_>, key: &'static str, scope: &Scope) -> Load<Extent> {
        if let Some(number) = table.whole_if(key)? {
            return Ok(Extent::Fixed(number));
        }
        let Some((at, text)) = table.text(key)? else { return Ok(Extent::Rest) };
        Ok(match text.as_str() {
            "rest" => Extent::Rest,
            "nul" => Extent::Nul,
            "varint" => Extent::VarintPrefix,
            text => match self.number_type(text) {
                Some(number) if number.form == Form::Unsigned => Extent::Prefix(number),
                _ => {
                    let what = "a number, \"rest\", \"nul\", a type that stands in front (\"u16\", \
                                \"varint\"), or a field before this one";
                    scope.must_have(at, text, Text::new(what))?;
                    Extent::Field(text.to_owned())
                }
            },
        })
    }
}

/// A path, or a field by its name.
fn source(at: Range<usize>, text: &str, scope: &Scope) -> Load<Source> {
    if text.starts_with('$') {
        return path(at, text).map(Source::Path);
    }
    scope.must_have(at, text, Text::new("a path that begins with $, or a field that is described"))?;
    Ok(Source::Field(text.to_owned()))
}

fn path(at: Range<usize>, text: &str) -> Load<Path> {
    Path::parse(text).map_err(|problem| Wrong { at, what: Text::with("{}", problem) })
}

/// A name as an id.
fn slug(name: &str) -> String {
    let mut id = String::new();
    for c in name.chars().map(|c| c.to_ascii_lowercase()) {
        if c.is_ascii_alphanumeric() {
            id.push(c);
        } else if !id.is_empty() && !id.ends_with('-') {
            id.push('-');
        }
    }
    id.trim_end_matches('-').to_owned()
}
