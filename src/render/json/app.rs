//! The records `packet` and `session`, and the object `app` of messages and packets.

use std::io::Write;

use super::record::{Content, cut, finding_ids, origin};
use super::value::{Base64, List, Seconds, Sides, ToJson, Word, members, object, open};
use super::write::Writer;
use crate::model::{
    Answer, App, AppPacket, AppSession, Attachment, Failure, Field, FieldDef, Nth, Role, SessionEnd,
    SessionRef, Transport, Unanswered, Unit, Value,
};

/// What a packet means. Each field is a key: what follows the last dot of its id.
impl<W: Write> ToJson<W> for &App {
    fn put(self, w: &mut Writer<W>) {
        meaning(self, None, w);
    }
}

/// The same; `plain` is text in which nothing needs more care than quotes do, and which may well be a value.
pub(super) fn meaning<W: Write>(app: &App, plain: Option<&[u8]>, w: &mut Writer<W>) {
    open!(w, "protocol": Word(app.protocol));
    match &app.fields[..] {
        // Parts of the value are told with it.
        [field] | [field, Field { def: FieldDef { role: Role::Member, .. }, .. }, ..] => {
            w.named(false, key(field));
            match &field.value {
                Value::Json(json) if Some(json.as_bytes()) == plain => w.raw(json),
                value => value.put(w),
            }
        }
        fields => several(fields, w),
    }
    if !app.packets.is_empty() {
        members!(w, "packets": List(&app.packets));
    }
    if !app.parts.is_empty() {
        members!(w, "parts": List(&app.parts));
    }
    if !app.attachments.is_empty() {
        members!(w, "attachments": List(&app.attachments));
    }
    if let Some(it) = &app.answers {
        members!(w, "answers": it);
    }
    if let Some(session) = &app.session {
        members!(w, "session": session);
    }
    members!(w, "summary": &app.summary);
    w.raw("}");
}

/// The same as text.
#[cfg(feature = "parquet")]
pub(crate) fn app_text(app: &App) -> String {
    let mut w = Writer::new(Vec::new());
    meaning(app, None, &mut w);
    // Memory takes it, and what is written is UTF-8.
    String::from_utf8(w.finish().unwrap_or_default()).unwrap_or_default()
}

/// Fields of which one message may have more than one of a kind, as it may carry several packets of some
/// protocols.
fn several<W: Write>(fields: &[Field], w: &mut Writer<W>) {
    for (i, field) in fields.iter().enumerate() {
        let is_same = |other: &&Field| other.def == field.def;
        if fields[..i].iter().any(|other| is_same(&other)) {
            continue;
        }
        w.named(false, key(field));
        let mut all = fields.iter().filter(is_same).map(|field| &field.value);
        match (all.next(), all.next()) {
            (Some(one), None) => one.put(w),
            _ => List(fields.iter().filter(is_same).map(|field| &field.value)).put(w),
        }
    }
}

fn key(field: &Field) -> &'static str {
    let id = field.def.id;
    // Byte by byte: ids are too short for a search to be worth its while.
    id.bytes().rposition(|byte| byte == b'.').map_or(id, |dot| &id[dot + 1..])
}

impl<W: Write> ToJson<W> for &Value {
    fn put(self, w: &mut Writer<W>) {
        match self {
            Value::Bit(bit) => bit.put(w),
            Value::Number(number) | Value::Code(number) => w.number(*number),
            Value::Text(text) => text.put(w),
            Value::Json(json) => w.value(json),
            Value::Bytes(bytes) => {
                object!(w, "base64": Base64(bytes));
            }
        }
    }
}

impl<W: Write> ToJson<W> for &Attachment {
    fn put(self, w: &mut Writer<W>) {
        open!(w, "num": self.num, "length": self.length, "conn": self.conn);
        members!(w, "packets": self.packets, "base64": Base64(&self.bytes));
        w.raw("}");
    }
}

impl<W: Write> ToJson<W> for &Answer {
    fn put(self, w: &mut Writer<W>) {
        let after = self.after.and_then(|nanos| u64::try_from(nanos).ok()).map(Seconds);
        open!(w, "what": &self.what);
        if let Some(method) = &self.method {
            members!(w, "method": method);
        }
        members!(w, "packets": self.packets, "after": after);
        if self.nth != Nth::First {
            members!(w, "nth": self.nth.name());
        }
        if let Some(failure) = &self.failure {
            members!(w, "failure": failure);
        }
        w.raw("}");
    }
}

impl<W: Write> ToJson<W> for &Failure {
    fn put(self, w: &mut Writer<W>) {
        object!(w, "code": self.code.as_deref(), "message": self.message.as_deref());
    }
}

impl<W: Write> ToJson<W> for &Unanswered {
    fn put(self, w: &mut Writer<W>) {
        let waited = self.waited.and_then(|nanos| u64::try_from(nanos).ok()).map(Seconds);
        object!(
            w,
            "who": self.dir,
            "method": &self.method,
            "count": self.count,
            "id": self.id.as_deref(),
            "time": self.time,
            "packets": self.packets,
            "waited": waited,
        );
    }
}

impl<W: Write> ToJson<W> for &SessionRef {
    fn put(self, w: &mut Writer<W>) {
        object!(w, "number": self.number, "sid": self.sid.as_deref(), "transport": self.transport.name());
    }
}

/// The record `packet`.
pub(super) fn packet<W: Write>(unit: &Unit<'_>, packet: &AppPacket<'_>, limit: u64, w: &mut Writer<W>) {
    open!(w, "type": "packet", "conn": (unit.conn > 0).then_some(unit.conn), "place": packet.place);
    origin(unit, w);
    let shown = cut(packet.payload, limit);
    let shortened = (shown.len() as u64) < packet.length;
    let payload = Content { bytes: shown, shortened, binary: !packet.text };
    if let Some(streamed) = packet.streamed {
        members!(w, "streamed": streamed.kind.name(), "offset": streamed.offset);
        if let Some(stream) = streamed.stream {
            members!(w, "stream": stream);
        }
        if !streamed.complete {
            members!(w, "complete": false);
        }
    }
    members!(w, "length": packet.length, "payload": payload, "app": packet.app);
    finding_ids(unit, w);
}

/// The record `session`.
pub(super) fn session<W: Write>(unit: &Unit<'_>, it: &AppSession, w: &mut Writer<W>) {
    open!(w, "type": "session", "session": it.number, "sid": it.sid.as_deref(), "version": it.version);
    members!(
        w,
        "transports": List(it.transports.iter().map(|transport| Transport::name(*transport))),
        "upgraded": it.upgraded,
        "conns": List(it.conns.iter().copied()),
        "client": it.client,
        "server": it.server,
        "path": it.path.as_deref(),
        "began": it.began,
        "ended": it.ended,
        "packets": unit.packets,
        "end": it.end.map(SessionEnd::name),
        "sent": Sides(it.packets),
        "events": Sides(it.events),
        "acks": it.acks,
        "heartbeats": it.heartbeats,
        "namespaces": List(&it.namespaces),
    );
    if !it.unanswered.is_empty() {
        members!(w, "unanswered": List(&it.unanswered));
    }
    members!(
        w,
        "diagnoses": List(unit.findings.iter().map(|finding| finding.rule)),
    );
    finding_ids(unit, w);
}
