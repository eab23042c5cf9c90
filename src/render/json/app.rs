//! The records `packet` and `session`, and the object `app` of messages and packets.

use std::io::Write;

use super::record::{bytes, cut, finding_ids, list, origin, packets, span};
use super::write::Writer;
use crate::model::{Answer, App, AppPacket, AppSession, Attachment, Field, Transport, Unit, Value};

/// What a packet means. Each field is a key: what follows the last dot of its id.
pub(super) fn app<W: Write>(app: &App, w: &mut Writer<W>) {
    w.raw(r#"{"protocol":"#);
    w.string(app.protocol);
    for (i, field) in app.fields.iter().enumerate() {
        let is_same = |other: &&Field| other.def == field.def;
        if app.fields[..i].iter().any(|other| is_same(&other)) {
            continue;
        }
        w.raw(",");
        w.string(key(field));
        w.raw(":");
        // One message may carry several packets of some protocols.
        let all: Vec<&Field> = app.fields.iter().filter(is_same).collect();
        match all.as_slice() {
            [one] => value(&one.value, w),
            all => list(all, w, |w, it| value(&it.value, w)),
        }
    }
    if !app.packets.is_empty() {
        w.raw(r#","packets":"#);
        list(&app.packets, w, |w, packet| self::app(packet, w));
    }
    if !app.parts.is_empty() {
        w.raw(r#","parts":"#);
        list(&app.parts, w, span);
    }
    if !app.attachments.is_empty() {
        w.raw(r#","attachments":"#);
        list(&app.attachments, w, attachment);
    }
    if let Some(it) = &app.answers {
        answer(it, w);
    }
    if let Some(session) = &app.session {
        w.raw(r#","session":{"number":"#);
        w.number(session.number.into());
        w.raw(r#","sid":"#);
        w.optional_string(session.sid.as_deref());
        w.raw(r#","transport":"#);
        w.string(session.transport.name());
        w.raw("}");
    }
    w.raw(r#","summary":"#);
    w.display(&app.summary);
    w.raw("}");
}

fn key(field: &Field) -> &'static str {
    field.def.id.rsplit('.').next().unwrap_or(field.def.id)
}

fn value<W: Write>(value: &Value, w: &mut Writer<W>) {
    match value {
        Value::Bit(bit) => w.bool(*bit),
        Value::Number(number) | Value::Code(number) => w.number(*number),
        Value::Text(text) => w.string(text),
        Value::Json(json) => w.value(json),
        Value::Bytes(bytes) => {
            w.raw(r#"{"base64":"#);
            w.base64(bytes);
            w.raw("}");
        }
    }
}

fn attachment<W: Write>(w: &mut Writer<W>, it: &Attachment) {
    w.raw(r#"{"num":"#);
    w.number(it.num);
    w.raw(r#","length":"#);
    w.number(it.length);
    w.raw(r#","conn":"#);
    w.number(it.conn.into());
    w.raw(r#","packets":"#);
    packets(it.packets, w);
    w.raw(r#","base64":"#);
    w.base64(&it.bytes);
    w.raw("}");
}

fn answer<W: Write>(answer: &Answer, w: &mut Writer<W>) {
    w.raw(r#","answers":{"what":"#);
    w.string(&answer.what);
    w.raw(r#","packets":"#);
    packets(answer.packets, w);
    w.raw(r#","after":"#);
    match answer.after.and_then(|nanos| u64::try_from(nanos).ok()) {
        Some(nanos) => w.seconds(nanos),
        None => w.raw("null"),
    }
    w.raw("}");
}

/// The record `packet`.
pub(super) fn packet<W: Write>(unit: &Unit<'_>, packet: &AppPacket<'_>, limit: u64, w: &mut Writer<W>) {
    w.raw(r#"{"type":"packet","conn":"#);
    w.optional((unit.conn > 0).then_some(unit.conn.into()));
    w.raw(r#","place":"#);
    w.number(packet.place);
    origin(unit, w);
    w.raw(r#","length":"#);
    w.number(packet.length);
    w.raw(r#","payload":"#);
    let shown = cut(packet.payload, limit);
    let shortened = (shown.len() as u64) < packet.length;
    if packet.text {
        bytes(shown, shortened, w);
    } else {
        // Binary data is no text, even where its bytes happen to be.
        w.raw(r#"{"base64":"#);
        w.base64(shown);
        w.raw("}");
    }
    w.raw(r#","app":"#);
    app(packet.app, w);
    finding_ids(unit, w);
}

/// The record `session`.
pub(super) fn session<W: Write>(unit: &Unit<'_>, it: &AppSession, w: &mut Writer<W>) {
    w.raw(r#"{"type":"session","session":"#);
    w.number(it.number.into());
    w.raw(r#","sid":"#);
    w.optional_string(it.sid.as_deref());
    w.raw(r#","version":"#);
    w.optional(it.version.map(u64::from));
    w.raw(r#","transports":"#);
    list(&it.transports, w, |w, transport: &Transport| w.string(transport.name()));
    w.raw(r#","upgraded":"#);
    w.bool(it.upgraded);
    w.raw(r#","conns":"#);
    list(&it.conns, w, |w, conn| w.number((*conn).into()));
    for (key, endpoint) in [(r#","client":"#, it.client), (r#","server":"#, it.server)] {
        w.raw(key);
        w.optional_display(endpoint);
    }
    w.raw(r#","path":"#);
    w.optional_string(it.path.as_deref());
    for (key, time) in [(r#","began":"#, it.began), (r#","ended":"#, it.ended)] {
        w.raw(key);
        match time {
            Some(time) => w.seconds(time.0),
            None => w.raw("null"),
        }
    }
    w.raw(r#","packets":"#);
    packets(unit.packets, w);
    w.raw(r#","end":"#);
    w.optional_string(it.end.map(crate::model::SessionEnd::name));
    for (key, [client, server]) in [(r#","sent":"#, it.packets), (r#","events":"#, it.events)] {
        w.raw(key);
        w.raw(r#"{"client":"#);
        w.number(client);
        w.raw(r#","server":"#);
        w.number(server);
        w.raw("}");
    }
    w.raw(r#","acks":"#);
    w.number(it.acks);
    w.raw(r#","heartbeats":"#);
    w.number(it.heartbeats);
    w.raw(r#","namespaces":"#);
    list(&it.namespaces, w, |w, name| w.string(name));
    w.raw(r#","diagnoses":"#);
    list(unit.findings, w, |w, finding| w.string(finding.rule.id));
    finding_ids(unit, w);
}
