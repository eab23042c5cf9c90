//! Reads one control packet (MQTT 5.0 §3).

use super::names::{Kind, reason, return_code};
use super::reader::{Fault, Read, Reader, Stop, bad};
use super::{
    CLEAN, CLIENT_ID, DUP, FILTER, KEEP_ALIVE, LENGTH, LEVEL, PACKET_ID, PASSWORD, PAYLOAD, PROTOCOL,
    PROTOCOL_ERROR, QOS, REASON, RETAIN, SESSION_PRESENT, TOPIC, TYPE, USER_NAME, WILL_PAYLOAD, WILL_TOPIC,
};
use crate::app::excerpt::clipped;
use crate::app::json::content;
use crate::app::stream::Whole;
use crate::limits::APP_FIELDS;
use crate::model::{App, FieldDef, Text, Value};

/// Filters and reason codes that a summary names.
const NAMED: usize = 8;

/// The fixed header (§2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub first: u8,
    /// Bytes of the length, 1 to 4.
    pub digits: usize,
    /// Bytes that follow.
    pub remaining: u64,
}

/// What the beginning of a packet says of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    Read(Head),
    /// More bytes are needed.
    Short,
    /// The length goes on behind its fourth byte.
    TooLong,
}

impl Head {
    pub fn read(bytes: &[u8]) -> Header {
        let Some((&first, rest)) = bytes.split_first() else { return Header::Short };
        let mut remaining = 0;
        for (i, byte) in rest.iter().take(4).enumerate() {
            remaining |= u64::from(byte & 0x7F) << (7 * i);
            if byte & 0x80 == 0 {
                return Header::Read(Self { first, digits: i + 1, remaining });
            }
        }
        if rest.len() < 4 { Header::Short } else { Header::TooLong }
    }

    pub fn kind(self) -> Kind {
        Kind(self.first >> 4)
    }

    /// Bytes of the whole packet.
    pub fn total(self) -> u64 {
        1 + self.digits as u64 + self.remaining
    }
}

/// A control packet that was read as far as that goes.
#[derive(Debug)]
pub(super) struct Control {
    pub kind: Kind,
    pub qos: u8,
    pub id: Option<u16>,
    /// The version a CONNECT names, or that the form of a CONNACK shows: 3, 4 or 5.
    pub version: Option<u8>,
    /// The packet in a few words.
    pub title: String,
    /// What the server refused, with the reason and where it stands.
    pub refused: Option<(Text, usize)>,
    pub fault: Option<Fault>,
    pub app: App,
}

/// Reads a packet as `version` has it: 3, 4 or 5.
pub(super) fn read(packet: Whole<'_>, head: Head, version: u8) -> Control {
    let total = usize::try_from(head.total()).unwrap_or(usize::MAX);
    let kind = head.kind();
    let mut reader = Reader { packet, at: 1, end: total, fields: Vec::new() };
    reader.tell(&TYPE, 0, Value::Text(kind.name().to_owned()), Text::default());
    reader.at = 1 + head.digits;
    reader.tell(&LENGTH, 1, Value::Number(head.remaining), Text::default());
    let mut it =
        Reading { reader, head, version, id: None, named: None, refused: None, words: Text::default() };
    let stop = it.body().err();
    let Reading { reader, id, named, refused, words, .. } = it;
    let title = match id {
        Some(id) => format!("{} {id}", kind.name()),
        None => kind.name().to_owned(),
    };
    let summary = if words.is_empty() { Text::with("{}", &title) } else { words };
    let fault = match stop {
        Some(Stop::Bad(fault)) => Some(*fault),
        _ => None,
    };
    let app = App { protocol: "mqtt", name: "MQTT", summary, fields: reader.fields, ..App::default() };
    Control { kind, qos: head.first >> 1 & 3, id, version: named, title, refused, fault, app }
}

struct Reading<'a> {
    reader: Reader<'a>,
    head: Head,
    version: u8,
    id: Option<u16>,
    named: Option<u8>,
    refused: Option<(Text, usize)>,
    words: Text,
}

impl Reading<'_> {
    fn body(&mut self) -> Read<()> {
        let kind = self.head.kind();
        self.flags()?;
        match kind {
            Kind::CONNECT => self.connect()?,
            Kind::CONNACK => self.connack()?,
            Kind::PUBLISH => self.publish()?,
            Kind::PUBACK | Kind::PUBREC | Kind::PUBREL | Kind::PUBCOMP => {
                self.id()?;
                self.outcome()?;
            }
            Kind::SUBSCRIBE | Kind::UNSUBSCRIBE => self.filters()?,
            Kind::SUBACK => self.codes()?,
            Kind::UNSUBACK => {
                if self.version >= 5 {
                    self.codes()?;
                } else {
                    self.id()?;
                }
            }
            Kind::DISCONNECT | Kind::AUTH if self.version >= 5 => self.outcome()?,
            Kind::PINGREQ | Kind::PINGRESP | Kind::DISCONNECT => {}
            _ => {
                let got = Text::with("type {}", kind.0);
                return bad(0, 1, "the type of a control packet".into(), got);
            }
        }
        if self.reader.left() > 0 {
            let (at, left) = (self.reader.at, self.reader.left());
            let expected = Text::new("the end of the {}").and(kind.name());
            return bad(at, left, expected, Text::with("{} more bytes", left));
        }
        Ok(())
    }

    /// The lower half of the first byte (§2.1.3).
    fn flags(&mut self) -> Read<()> {
        let (kind, flags) = (self.head.kind(), self.head.first & 0xF);
        if kind == Kind::PUBLISH {
            return Ok(());
        }
        let asked = u8::from(matches!(kind, Kind::PUBREL | Kind::SUBSCRIBE | Kind::UNSUBSCRIBE)) << 1;
        // MQTT 3.1 has DUP on these, too.
        let seen = if self.version <= 3 && asked != 0 { flags & !8 } else { flags };
        if seen == asked || kind.0 == 0 {
            return Ok(());
        }
        let expected = Text::with("the flags {}", format!("{asked:04b}"));
        bad(0, 1, expected, Text::with("{}", format!("{flags:04b}")))
    }

    fn id(&mut self) -> Read<()> {
        let begin = self.reader.at;
        let id = self.reader.two("the packet id")?;
        self.reader.tell(&PACKET_ID, begin, Value::Number(id.into()), Text::default());
        if id == 0 {
            return bad(begin, 2, "a packet id that is not 0".into(), "0".into());
        }
        self.id = Some(id);
        Ok(())
    }

    fn connect(&mut self) -> Read<()> {
        let r = &mut self.reader;
        let begin = r.at;
        let name = r.text("the protocol's name")?;
        r.tell(&PROTOCOL, begin, Value::Text(clipped(name).into_owned()), Text::default());
        let begin = r.at;
        // The top bit is set by bridges.
        let level = r.byte("the protocol's level")? & 0x7F;
        r.tell(&LEVEL, begin, Value::Number(level.into()), Text::default());
        let spoken = match (name, level) {
            ("MQIsdp", 3) => "3.1",
            ("MQTT", 4) => "3.1.1",
            ("MQTT", 5) => "5.0",
            _ => {
                // Of another version nobody knows how it goes on; the server refuses it.
                self.words = Text::with("CONNECT, protocol {} level {}", clipped(name)).and(level);
                return Err(Stop::NotKept);
            }
        };
        (self.version, self.named) = (level, Some(level));
        let flags_at = r.at;
        let flags = r.byte("the connect flags")?;
        let is = |bit: u8| flags >> bit & 1 == 1;
        r.tell_bits(&CLEAN, flags_at, 6..7, Value::Bit(is(1)));
        let will_qos = flags >> 3 & 3;
        let wrong = if is(0) {
            Some(Text::new("a reserved flag of 1"))
        } else if !is(2) && (will_qos > 0 || is(5)) || will_qos == 3 {
            Some(Text::new("flags of a will that do not go together"))
        } else if level == 4 && is(6) && !is(7) {
            Some(Text::new("a password without a user name"))
        } else {
            None
        };
        if let Some(got) = wrong {
            return bad(flags_at, 1, "connect flags as they are defined".into(), got);
        }
        let begin = r.at;
        let keep_alive = r.two("the keep alive time")?;
        r.tell(&KEEP_ALIVE, begin, Value::Number(keep_alive.into()), Text::default());
        if level >= 5 {
            r.properties()?;
        }
        let begin = r.at;
        let client = r.text("the client id")?;
        r.tell(&CLIENT_ID, begin, Value::Text(clipped(client).into_owned()), Text::default());
        self.words = Text::with("CONNECT \"{}\", MQTT {}, keep alive {} s", clipped(client))
            .and(spoken)
            .and(keep_alive);
        self.will_and_user(is(2), is(7), is(6))
    }

    fn will_and_user(&mut self, will: bool, user: bool, password: bool) -> Read<()> {
        if will {
            if self.version >= 5 {
                self.reader.properties()?;
            }
            let topic = self.text(&WILL_TOPIC, "the will's topic")?;
            self.binary(&WILL_PAYLOAD, "the will's payload")?;
            self.words = Text::new("{}, will for {}").word(self.words.clone()).and(topic);
        }
        if user {
            let name = self.text(&USER_NAME, "the user name")?;
            self.words = Text::new("{}, user \"{}\"").word(self.words.clone()).and(name);
        }
        if password {
            self.binary(&PASSWORD, "the password")?;
            // A summary is copied into reports: what is secret stays in the field.
            self.words = Text::new("{} with a password").word(self.words.clone());
        }
        Ok(())
    }

    fn text(&mut self, def: &'static FieldDef, what: &'static str) -> Read<String> {
        let begin = self.reader.at;
        let text = clipped(self.reader.text(what)?).into_owned();
        self.reader.tell(def, begin, Value::Text(text.clone()), Text::default());
        Ok(text)
    }

    fn binary(&mut self, def: &'static FieldDef, what: &'static str) -> Read<()> {
        let begin = self.reader.at;
        let value = content(self.reader.binary(what)?);
        self.reader.tell(def, begin, value, Text::default());
        Ok(())
    }

    fn connack(&mut self) -> Read<()> {
        let begin = self.reader.at;
        let flags = self.reader.byte("the acknowledge flags")?;
        self.reader.tell_bits(&SESSION_PRESENT, begin, 7..8, Value::Bit(flags & 1 == 1));
        if flags & !1 != 0 {
            let got = Text::with("{}", format!("0x{flags:02x}"));
            return bad(begin, 1, "acknowledge flags of 0 or 1".into(), got);
        }
        let at = self.reader.at;
        let (code, words) = self.reason()?;
        self.words = Text::with("{}", format!("CONNACK {words}"));
        if code != 0 {
            self.refused = Some((Text::with("{}", format!("CONNACK {words}")), at));
        } else if flags & 1 == 1 {
            self.words = Text::new("{}, session present").word(self.words.clone());
        }
        // MQTT 5 has properties behind it, if only their length.
        self.named = Some(if self.head.remaining > 2 { 5 } else { self.version.min(4) });
        if self.version >= 5 { self.reader.properties() } else { Ok(()) }
    }

    /// A reason code, and its number and name.
    fn reason(&mut self) -> Read<(u8, String)> {
        let (begin, kind) = (self.reader.at, self.head.kind());
        let code = self.reader.byte("a reason code")?;
        let name = if self.version >= 5 { reason(kind, code) } else { return_code(kind, code) };
        self.reader.tell(&REASON, begin, Value::Number(code.into()), Text::with("{}", name));
        Ok((code, format!("{code} {name}")))
    }

    /// The reason code and properties that may be left out when all is well (§3.4.2.1).
    fn outcome(&mut self) -> Read<()> {
        let kind = self.head.kind();
        let name = kind.name();
        self.words = match self.id {
            Some(id) => Text::with("{}", format!("{name} {id}")),
            None => Text::with("{}", name),
        };
        if self.version < 5 || self.reader.left() == 0 {
            return Ok(());
        }
        let (code, words) = self.reason()?;
        if code != 0 || self.id.is_none() {
            self.words = Text::new("{}: {}").word(self.words.clone()).and(words);
        }
        if self.reader.left() > 0 { self.reader.properties() } else { Ok(()) }
    }

    fn publish(&mut self) -> Read<()> {
        let first = self.head.first;
        let (dup, qos, retain) = (first >> 3 & 1 == 1, first >> 1 & 3, first & 1 == 1);
        self.reader.tell_bits(&DUP, 0, 4..5, Value::Bit(dup));
        self.reader.tell_bits(&QOS, 0, 5..7, Value::Number(qos.into()));
        self.reader.tell_bits(&RETAIN, 0, 7..8, Value::Bit(retain));
        if qos == 3 || dup && qos == 0 {
            let got = if qos == 3 { Text::new("QoS 3") } else { Text::new("DUP with QoS 0") };
            return bad(0, 1, "QoS 0 to 2, and DUP with 1 and 2 only".into(), got);
        }
        let begin = self.reader.at;
        let topic = self.text(&TOPIC, "the topic")?;
        self.words = Text::with("PUBLISH {}", &topic);
        if topic.contains(['+', '#']) {
            let expected = "a topic without wildcards".into();
            return against(begin, topic.len() + 2, expected, Text::with("{}", &topic));
        }
        if qos > 0 {
            self.id()?;
        }
        if self.version >= 5 {
            self.reader.properties()?;
        }
        let is_alias = |text: &str| text.starts_with("Topic Alias:");
        let has_alias = self.reader.fields.iter().any(|f| matches!(&f.value, Value::Text(t) if is_alias(t)));
        if topic.is_empty() && !has_alias {
            return against(begin, 2, "a topic".into(), "an empty one".into());
        }
        self.payload(&topic, dup, qos, retain);
        Ok(())
    }

    fn payload(&mut self, topic: &str, dup: bool, qos: u8, retain: bool) {
        let mut flags = match self.id {
            Some(id) => format!("QoS {qos}, id {id}"),
            None => format!("QoS {qos}"),
        };
        for (is, name) in [(dup, "DUP"), (retain, "RETAIN")] {
            if is {
                flags.push_str(", ");
                flags.push_str(name);
            }
        }
        let (begin, left) = (self.reader.at, self.reader.left());
        let kept = self.reader.packet.bytes;
        let there = &kept[begin.min(kept.len())..self.reader.end.min(kept.len())];
        self.reader.at = begin + there.len();
        let value = content(there);
        self.words = match &value {
            Value::Text(text) => {
                Text::with("PUBLISH {}, {}: {}", topic).and(flags).and(format!("\"{}\"", clipped(text)))
            }
            Value::Json(json) => Text::with("PUBLISH {}, {}: {}", topic).and(flags).and(clipped(json)),
            _ => Text::with("PUBLISH {}, {}: {} bytes", topic).and(flags).and(left),
        };
        if left > 0 {
            self.reader.tell(&PAYLOAD, begin, value, Text::default());
        }
        self.reader.at = self.reader.end;
    }

    fn filters(&mut self) -> Read<()> {
        let kind = self.head.kind();
        self.id()?;
        if self.version >= 5 {
            self.reader.properties()?;
        }
        let (mut names, mut count) = (Vec::new(), 0);
        loop {
            let begin = self.reader.at;
            let filter = self.text(&FILTER, "a topic filter")?;
            let mut name = filter;
            if kind == Kind::SUBSCRIBE {
                let at = self.reader.at;
                let options = self.reader.byte("the options of the subscription")?;
                let reserved = if self.version >= 5 { 0xC0 } else { 0xFC };
                if options & reserved != 0 || options & 3 == 3 {
                    let got = Text::with("{}", format!("{options:08b}"));
                    return bad(at, 1, "QoS 0 to 2 and reserved bits of 0".into(), got);
                }
                if self.reader.fields.len() < APP_FIELDS {
                    self.reader.tell_bits(&QOS, at, 6..8, Value::Number((options & 3).into()));
                }
                name = format!("{name} (QoS {})", options & 3);
            }
            if name.is_empty() {
                return against(begin, 2, "a topic filter".into(), "an empty one".into());
            }
            count += 1;
            if names.len() < NAMED {
                names.push(name);
            }
            if self.reader.left() == 0 {
                break;
            }
        }
        self.words = listed(&self.title(), &names, count);
        Ok(())
    }

    fn codes(&mut self) -> Read<()> {
        self.id()?;
        if self.version >= 5 {
            self.reader.properties()?;
        }
        let (mut names, mut count) = (Vec::new(), 0);
        while self.reader.left() > 0 {
            let at = self.reader.at;
            let (code, words) = self.reason()?;
            if code >= 0x80 && self.refused.is_none() {
                self.refused = Some((Text::with("{}", format!("{}: {words}", self.title())), at));
            }
            count += 1;
            if names.len() < NAMED {
                names.push(words);
            }
        }
        self.words = listed(&self.title(), &names, count);
        Ok(())
    }

    fn title(&self) -> String {
        format!("{} {}", self.head.kind().name(), self.id.unwrap_or_default())
    }
}

/// What is well-formed and still not allowed (§4.13.1).
fn against<T>(at: usize, length: usize, expected: Text, got: Text) -> Read<T> {
    Err(Stop::Bad(Box::new(Fault { rule: &PROTOCOL_ERROR, at, length, expected, got })))
}

/// `SUBSCRIBE 1: a/#, b and 3 more`.
fn listed(title: &str, names: &[String], count: usize) -> Text {
    let names_joined = names.join(", ");
    if count > names.len() {
        Text::with("{}: {} and {} more", title).and(names_joined).and(count - names.len())
    } else {
        Text::with("{}: {}", title).and(names_joined)
    }
}
