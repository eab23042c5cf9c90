//! `ClientHello` and `ServerHello` (RFC 8446 §4.1, RFC 5246 §7.4.1): what follows from them, and each of
//! their fields.

use std::ops::Range;

use super::{Kind, fields, names, record, suite, version_name};
use crate::model::{FieldDef, Text, Value};

/// What a client says in clear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientHello {
    /// The highest version that it offers.
    pub version: u16,
    /// What names its session in a key log.
    pub random: [u8; 32],
    /// The host it asks for (RFC 6066 §3). Untrusted.
    pub server_name: Option<String>,
    /// The protocols it offers, best first (RFC 7301). Untrusted.
    pub alpn: Vec<String>,
    /// The id of a session that it goes on with, or has made for a ticket (RFC 5077 §3.4).
    pub session: Vec<u8>,
    /// The ticket of a session that it goes on with.
    pub ticket: Vec<u8>,
    /// It sends data before it has an answer (RFC 8446 §4.2.10).
    pub early_data: bool,
    /// It offers to go on with a session of TLS 1.3.
    pub resumes: bool,
}

/// What a server says in clear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerHello {
    /// The version that it chose.
    pub version: u16,
    /// What keys of TLS 1.2 are derived with, too.
    pub random: [u8; 32],
    /// The id of the session: the client's, where it goes on with it.
    pub session: Vec<u8>,
    /// The cipher suite that it chose.
    pub suite: u16,
    /// The protocol that it chose; TLS 1.3 does not say so in clear. Untrusted.
    pub alpn: Option<String>,
    /// It is a `HelloRetryRequest`: the client is to say hello again (RFC 8446 §4.1.4).
    pub retries: bool,
    /// MACs stand outside of what is enciphered (RFC 7366).
    pub encrypt_then_mac: bool,
    /// It goes on with a session of TLS 1.3.
    pub resumes: bool,
}

/// Which of the two a stream begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hello {
    /// A client's (RFC 8446 §4.1.2).
    Client(ClientHello),
    /// A server's (RFC 8446 §4.1.3).
    Server(ServerHello),
    /// It is cut: more bytes are to come.
    Cut,
    /// It is no hello.
    Neither,
}

/// A field of a handshake message.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// What kind of field it is.
    pub def: &'static FieldDef,
    /// Its bytes in the message, whose first four are type and length.
    pub place: Range<usize>,
    /// What stands there.
    pub value: Value,
    /// What that means.
    pub meaning: Text,
    /// Nesting.
    pub depth: u8,
}

/// `SHA-256("HelloRetryRequest")`, which stands in place of the random (RFC 8446 §4.1.3).
const RETRY: [u8; 32] = [
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91, 0xC2,
    0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
];

/// Bytes of type and length of a handshake message.
const HEADER: usize = 4;

/// Reads the hello with which a stream begins. It may lie in several records.
pub fn hello(bytes: &[u8]) -> Hello {
    let mut rest = bytes;
    let mut message = Vec::new();
    loop {
        if let Some(length) = length_of(&message) {
            if message[0] != 1 && message[0] != 2 {
                return Hello::Neither;
            }
            if let Some(whole) = message.get(..length) {
                return read(whole, &mut None);
            }
        }
        match record(rest) {
            Some(record) if record.kind == Kind::Handshake => {
                message.extend_from_slice(record.content);
                rest = rest.get(record.length..).unwrap_or_default();
                // What is there of a cut record may be enough all the same.
                if !record.is_whole() && length_of(&message).is_none_or(|length| length > message.len()) {
                    return Hello::Cut;
                }
            }
            None if rest.len() < super::HEADER => return Hello::Cut,
            _ => return Hello::Neither,
        }
    }
}

/// Bytes of a handshake message with its header, once that is there.
pub fn length_of(message: &[u8]) -> Option<usize> {
    let [_, a, b, c, ..] = message else { return None };
    Some(HEADER + (usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c)))
}

/// Reads a whole handshake message that is a hello, and notes its fields where somebody wants them.
pub fn read(message: &[u8], items: &mut Option<Vec<Item>>) -> Hello {
    let Some((front, body)) = message.split_at_checked(HEADER) else { return Hello::Neither };
    let mut notes = Notes(items);
    notes.add(&fields::HANDSHAKE_TYPE, 0..1, || {
        (Value::Number(front[0].into()), names::handshake(front[0]).into())
    });
    notes.add(&fields::HANDSHAKE_LENGTH, 1..4, || (Value::Number(body.len() as u64), Text::default()));
    let from = Reader { bytes: body, at: HEADER };
    match front[0] {
        1 => client(from, &mut notes).map_or(Hello::Neither, Hello::Client),
        2 => server(from, &mut notes).map_or(Hello::Neither, Hello::Server),
        _ => Hello::Neither,
    }
}

/// The protocol that a server chose, as it says in `EncryptedExtensions` (RFC 8446 §4.3.1), and whether it
/// takes early data.
pub fn encrypted_extensions(message: &[u8], items: &mut Option<Vec<Item>>) -> Option<(Option<String>, bool)> {
    let (front, body) = message.split_at_checked(HEADER)?;
    let mut notes = Notes(items);
    notes.add(&fields::HANDSHAKE_TYPE, 0..1, || {
        (Value::Number(front[0].into()), names::handshake(front[0]).into())
    });
    notes.add(&fields::HANDSHAKE_LENGTH, 1..4, || (Value::Number(body.len() as u64), Text::default()));
    let mut hello = ServerHello::default();
    let mut early = false;
    let mut extensions = Reader { bytes: body, at: HEADER }.long()?;
    while let Some((kind, place, mut body)) = extensions.extension() {
        early |= kind == EARLY_DATA;
        of_server(kind, place, &mut body, &mut hello, &mut notes)?;
    }
    Some((hello.alpn, early))
}

const SERVER_NAME: u16 = 0;
const GROUPS: u16 = 10;
const SIGNATURES: u16 = 13;
const ALPN: u16 = 16;
const ENCRYPT_THEN_MAC: u16 = 22;
const EXTENDED_MASTER_SECRET: u16 = 23;
const SESSION_TICKET: u16 = 35;
const PRE_SHARED_KEY: u16 = 41;
const EARLY_DATA: u16 = 42;
const SUPPORTED_VERSIONS: u16 = 43;
const KEY_SHARE: u16 = 51;

/// Names of a list that are told.
const NAMES: usize = 64;

fn client(mut from: Reader<'_>, notes: &mut Notes<'_>) -> Option<ClientHello> {
    let mut hello = ClientHello { version: from.version(notes)?, ..ClientHello::default() };
    hello.random = from.random(notes)?.try_into().ok()?;
    hello.session = from.session(notes)?.to_vec();
    let suites = from.long()?;
    notes.add(&fields::SUITES, suites.place(), || suites.list(suite::name));
    let compression = from.short()?;
    notes.add(&fields::COMPRESSION, compression.place(), || {
        (Value::Bytes(compression.bytes.to_vec()), Text::default())
    });
    // SSL 3.0 has no extensions.
    let Some(mut extensions) = from.long() else { return Some(hello) };
    while let Some((kind, place, mut body)) = extensions.extension() {
        match kind {
            SERVER_NAME => {
                let mut list = body.long()?;
                while let (Some(kind), Some(name)) = (list.u8(), list.long()) {
                    if kind == 0 && hello.server_name.is_none() {
                        notes.add(&fields::SNI, name.place(), || (Value::Text(name.text()), Text::default()));
                        hello.server_name = Some(name.text());
                    }
                }
            }
            ALPN => {
                let list = body.long()?;
                hello.alpn = list.names();
                notes.add(&fields::ALPN, list.place(), || {
                    (Value::Text(hello.alpn.join(", ")), Text::default())
                });
            }
            SUPPORTED_VERSIONS => {
                let versions = body.short()?;
                // The others are greased (RFC 8701), or drafts.
                hello.version = versions
                    .numbers()
                    .filter(|it| version_name(*it).is_some())
                    .max()
                    .unwrap_or(hello.version);
                notes.add(&fields::VERSIONS, versions.place(), || versions.list(version));
            }
            GROUPS => {
                let groups = body.long()?;
                notes.add(&fields::GROUPS, groups.place(), || groups.list(names::group));
            }
            SIGNATURES => {
                let schemes = body.long()?;
                notes.add(&fields::SIGNATURES, schemes.place(), || schemes.list(names::signature));
            }
            KEY_SHARE => {
                let mut shares = body.long()?;
                let place = shares.place();
                let mut groups = Vec::new();
                while let (Some(group), Some(_)) = (shares.u16(), shares.long()) {
                    groups.push(names::group(group));
                }
                notes.add(&fields::KEY_SHARE, place, || told(groups.len(), groups.into_iter().take(NAMES)));
            }
            SESSION_TICKET => {
                hello.ticket = body.bytes.to_vec();
                other(kind, place, &body, notes);
            }
            EARLY_DATA => {
                hello.early_data = true;
                notes.add(&fields::EARLY_DATA, place, || (Value::Bit(true), Text::default()));
            }
            PRE_SHARED_KEY => {
                hello.resumes = true;
                notes.add(&fields::PRE_SHARED_KEY, place, || {
                    (Value::Bit(true), "goes on with an earlier session".into())
                });
            }
            _ => other(kind, place, &body, notes),
        }
    }
    Some(hello)
}

fn server(mut from: Reader<'_>, notes: &mut Notes<'_>) -> Option<ServerHello> {
    let mut hello = ServerHello { version: from.version(notes)?, ..ServerHello::default() };
    let place = from.at..from.at + 32;
    hello.random = from.take(32)?.try_into().ok()?;
    hello.retries = hello.random == RETRY;
    notes.add(&fields::RANDOM, place, || {
        let meaning =
            if hello.retries { "a HelloRetryRequest: the client is to say hello again" } else { "" };
        (Value::Bytes(hello.random.to_vec()), Text::new(meaning))
    });
    hello.session = from.session(notes)?.to_vec();
    let place = from.at..from.at + 2;
    hello.suite = from.u16()?;
    notes.add(&fields::SUITE, place, || (Value::Code(hello.suite.into()), named(suite::name(hello.suite))));
    let place = from.at..from.at + 1;
    let compression = from.u8()?;
    notes.add(&fields::COMPRESSION, place, || (Value::Bytes(vec![compression]), Text::default()));
    let Some(mut extensions) = from.long() else { return Some(hello) };
    while let Some((kind, place, mut body)) = extensions.extension() {
        of_server(kind, place, &mut body, &mut hello, notes)?;
    }
    Some(hello)
}

/// Reads an extension that a server sends.
fn of_server(
    kind: u16,
    place: Range<usize>,
    body: &mut Reader<'_>,
    hello: &mut ServerHello,
    notes: &mut Notes<'_>,
) -> Option<()> {
    match kind {
        ALPN => {
            let list = body.long()?;
            hello.alpn = list.names().into_iter().next();
            notes
                .add(&fields::ALPN, list.place(), || (Value::Text(list.names().join(", ")), Text::default()));
        }
        SUPPORTED_VERSIONS => {
            hello.version = body.u16()?;
            notes.add(&fields::VERSIONS, place, || {
                (Value::Code(hello.version.into()), named(version(hello.version)))
            });
        }
        KEY_SHARE => {
            let group = body.u16()?;
            notes.add(&fields::KEY_SHARE, place, || (Value::Code(group.into()), named(names::group(group))));
        }
        PRE_SHARED_KEY => {
            hello.resumes = true;
            notes.add(&fields::PRE_SHARED_KEY, place, || {
                (Value::Bit(true), "goes on with an earlier session".into())
            });
        }
        EARLY_DATA => notes.add(&fields::EARLY_DATA, place, || (Value::Bit(true), Text::default())),
        ENCRYPT_THEN_MAC => {
            hello.encrypt_then_mac = true;
            other(kind, place, body, notes);
        }
        _ => other(kind, place, body, notes),
    }
    Some(())
}

/// An extension of which no more is told than that it is there.
fn other(kind: u16, place: Range<usize>, body: &Reader<'_>, notes: &mut Notes<'_>) {
    let def = match kind {
        ENCRYPT_THEN_MAC => &fields::ENCRYPT_THEN_MAC,
        EXTENDED_MASTER_SECRET => &fields::EXTENDED_MASTER_SECRET,
        SESSION_TICKET => {
            let held = body.bytes.len() as u64;
            return notes
                .add(&fields::SESSION_TICKET, place, || (Value::Number(held), "bytes of ticket".into()));
        }
        _ => {
            return notes.add(&fields::EXTENSION, place, || {
                (Value::Code(kind.into()), named(names::extension(kind)))
            });
        }
    };
    notes.add(def, place, || (Value::Bit(true), Text::default()));
}

/// So many of a list, and their names.
fn told(count: usize, names: impl Iterator<Item = String>) -> (Value, Text) {
    (Value::Number(count as u64), named(names.collect::<Vec<_>>().join(", ")))
}

/// A name as words.
fn named(name: String) -> Text {
    Text::with("{}", name)
}

/// A version with its number where it has no name.
fn version(number: u16) -> String {
    version_name(number).map_or_else(|| names::unknown(number), str::to_owned)
}

/// Fields that somebody wants, or nobody.
struct Notes<'a>(&'a mut Option<Vec<Item>>);

impl Notes<'_> {
    fn add(&mut self, def: &'static FieldDef, place: Range<usize>, tell: impl FnOnce() -> (Value, Text)) {
        if let Some(items) = self.0 {
            let (value, meaning) = tell();
            items.push(Item { def, place, value, meaning, depth: 0 });
        }
    }
}

/// Reads from the front of some bytes; `None` where they do not reach.
#[derive(Clone, Copy)]
struct Reader<'a> {
    bytes: &'a [u8],
    /// Where in the message they begin.
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        self.at += length;
        Some(front)
    }

    fn place(&self) -> Range<usize> {
        self.at..self.at + self.bytes.len()
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2).map(|two| u16::from_be_bytes([two[0], two[1]]))
    }

    fn vector(&mut self, length: usize) -> Option<Self> {
        let at = self.at;
        self.take(length).map(|bytes| Self { bytes, at })
    }

    /// A vector whose length takes one byte.
    fn short(&mut self) -> Option<Self> {
        let length = self.u8()?;
        self.vector(length.into())
    }

    /// A vector whose length takes two bytes.
    fn long(&mut self) -> Option<Self> {
        let length = self.u16()?;
        self.vector(length.into())
    }

    /// Its type, all of its bytes, and its body.
    fn extension(&mut self) -> Option<(u16, Range<usize>, Self)> {
        let at = self.at;
        let (kind, body) = (self.u16()?, self.long()?);
        Some((kind, at..self.at, body))
    }

    /// The version that stands first; TLS 1.3 says 1.2 there.
    fn version(&mut self, notes: &mut Notes<'_>) -> Option<u16> {
        let place = self.at..self.at + 2;
        let number = self.u16()?;
        notes.add(&fields::VERSION, place, || (Value::Code(number.into()), named(version(number))));
        Some(number)
    }

    fn random(&mut self, notes: &mut Notes<'_>) -> Option<&'a [u8]> {
        let place = self.at..self.at + 32;
        let random = self.take(32)?;
        notes.add(&fields::RANDOM, place, || (Value::Bytes(random.to_vec()), Text::default()));
        Some(random)
    }

    fn session(&mut self, notes: &mut Notes<'_>) -> Option<&[u8]> {
        let id = self.short()?;
        notes.add(&fields::SESSION_ID, id.place(), || (Value::Bytes(id.bytes.to_vec()), Text::default()));
        Some(id.bytes)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(self.bytes).into_owned()
    }

    /// A list of numbers.
    fn numbers(mut self) -> impl Iterator<Item = u16> {
        std::iter::from_fn(move || self.u16())
    }

    /// How many numbers a list has, and what they are called.
    fn list(self, name: fn(u16) -> String) -> (Value, Text) {
        told(self.numbers().count(), self.numbers().take(NAMES).map(name))
    }

    /// A list of short names.
    fn names(mut self) -> Vec<String> {
        /// Browsers offer two or three.
        const MOST: usize = 16;
        std::iter::from_fn(|| self.short()).take(MOST).map(|name| name.text()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A vector whose length takes two bytes.
    fn long(body: &[u8]) -> Vec<u8> {
        [&(body.len() as u16).to_be_bytes()[..], body].concat()
    }

    fn extension(kind: u16, body: &[u8]) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &long(body)].concat()
    }

    /// A handshake message in records of at most `size` bytes.
    fn records(kind: u8, body: &[u8], size: usize) -> Vec<u8> {
        let length = (body.len() as u32).to_be_bytes();
        let message = [&[kind][..], &length[1..], body].concat();
        message.chunks(size).flat_map(|part| [&[22, 3, 1][..], &long(part)].concat()).collect()
    }

    fn client_hello(size: usize) -> Vec<u8> {
        let name = long(&[&[0][..], &long(b"chat.example.com")].concat());
        let extensions = [
            extension(0x1A1A, b""),
            extension(SERVER_NAME, &name),
            extension(ALPN, &long(b"\x02h2\x08http/1.1")),
            extension(SUPPORTED_VERSIONS, b"\x06\x7a\x7a\x03\x04\x03\x03"),
        ]
        .concat();
        let front = [&[3, 3][..], &[7; 32], &[0], &long(&[0x13, 1]), &[1, 0]].concat();
        records(1, &[front, long(&extensions)].concat(), size)
    }

    #[test]
    fn a_client_says_whom_it_wants() {
        let expected = ClientHello {
            version: 0x0304,
            random: [7; 32],
            server_name: Some("chat.example.com".into()),
            alpn: vec!["h2".into(), "http/1.1".into()],
            ..ClientHello::default()
        };
        for size in [1, 10, 4096] {
            let bytes = client_hello(size);
            assert_eq!(hello(&bytes), Hello::Client(expected.clone()), "records of {size}");
            for len in 0..bytes.len() {
                assert_eq!(hello(&bytes[..len]), Hello::Cut, "{len} bytes of records of {size}");
            }
        }
    }

    #[test]
    fn a_server_says_what_it_chose() {
        let front = [&[3, 3][..], &[7; 32], &[0], &[0x13, 1, 0]].concat();
        let said = |version, alpn: Option<&str>| {
            let alpn = alpn.map(str::to_owned);
            Hello::Server(ServerHello {
                version,
                random: [7; 32],
                suite: 0x1301,
                alpn,
                ..ServerHello::default()
            })
        };
        let with = |extensions: &[u8]| records(2, &[front.clone(), long(extensions)].concat(), 4096);
        let new = with(&extension(SUPPORTED_VERSIONS, &[3, 4]));
        assert_eq!(hello(&new), said(0x0304, None));
        let old = with(&extension(ALPN, &long(b"\x08http/1.1")));
        assert_eq!(hello(&old), said(0x0303, Some("http/1.1")));
        assert_eq!(hello(&records(2, &front, 4096)), said(0x0303, None));
    }

    #[test]
    fn what_is_damaged_is_no_hello() {
        let mut bytes = client_hello(4096);
        // The session id's length reaches beyond the message.
        bytes[5 + 4 + 34] = 255;
        assert_eq!(hello(&bytes), Hello::Neither);
        assert_eq!(hello(b"\x17\x03\x03\x00\x01a"), Hello::Neither);
        assert_eq!(hello(b"\x16\x03\x03\x00\x04\x0b\x00\x00\x00"), Hello::Neither);
    }
}
