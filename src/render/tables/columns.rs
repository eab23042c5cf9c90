//! The tables, column by column: what each is called, holds and means, and where it comes from.

use std::num::NonZero;

use super::batch::Batch;
use super::cell::{Cell, Nanos, ToCell, word};
use super::{Column, Kind, Table};
use crate::cause::{Group, Place};
use crate::model::{
    Answer, App, AppPacket, Body, CloseCode, Connection, Counts, Finding, Frame, Judgement, Message, Unit,
    Value,
};
use crate::render::json;

/// All tables.
pub static TABLES: [&Table; 5] = [&CONNECTIONS, &MESSAGES, &FINDINGS, &CAUSES, &FRAMES];

/// Declares a table, and what makes a row of it.
macro_rules! table {
    (
        $(#[$doc:meta])*
        $table:ident $name:literal $about:literal,
        $row:ident($($of:ident: $type:ty),*)
        $({ $($before:stmt);* $(;)? })?
        $($column:literal $kind:ident $help:literal => $value:expr;)*
    ) => {
        $(#[$doc])*
        pub static $table: Table = Table {
            name: $name,
            about: $about,
            columns: &[$(Column { name: $column, kind: Kind::$kind, about: $help }),*],
        };

        /// A row of it.
        pub(super) fn $row(batch: &mut Batch, $($of: $type),*) {
            $($($before)*)?
            batch.push([$($value.cell()),*]);
        }
    };
}

/// The first and the last packet.
fn packets(unit: &Unit<'_>) -> (Option<u64>, Option<u64>) {
    (unit.packets.map(|(first, _)| first), unit.packets.map(|(_, last)| last))
}

/// The rules that a unit breaks.
fn rules<'a>(unit: &Unit<'_>) -> Cell<'a> {
    Cell::Words(unit.rules().map(|rule| rule.id).collect())
}

table! {
    /// Connections.
    CONNECTIONS "connections" "a connection, when it is over: its last record `connection` and its `verdict`",
    connection(unit: &Unit<'_>, it: &Connection, verdict: Option<&Judgement<'_>>)
    {
        let ending = it.ending.as_deref();
        let secured = it.secured.as_deref();
        let of = |count: fn(&Counts) -> u64, side: usize| ending.map(|end| count(&end.counts[side]));
        let close = verdict.and_then(|verdict| verdict.close);
        let tcp = verdict.and_then(|verdict| verdict.tcp);
        let resent = |side: usize| {
            ending.and_then(|end| end.transport.as_ref()).map(|tcp| tcp.sides[side].resent.segments)
        };
        let rtt = ending.and_then(|end| end.transport.as_ref()).and_then(|tcp| tcp.initial_round_trip());
    }
    "conn" Int "its number within the capture, from 1" => unit.conn;
    "time" Time "when its first bytes were captured" => ending.and_then(|end| end.began).or(unit.time);
    "client" Text "the client's address and port" => it.client;
    "server" Text "the server's" => it.server;
    "parent" Int "the connection within which it is a stream" => it.parent.map(NonZero::get);
    "roles" Word "how client and server were told apart" => word(it.roles);
    "handshake" Word "how much of the opening handshake was seen, and how it ended" => word(it.handshake);
    "host" Text "the request's Host" => it.host.as_ref();
    "target" Text "the request target" => it.target.as_ref();
    "status" Int "the status code of the last response" => it.status;
    "subprotocol" Word "the agreed subprotocol" => it.subprotocol.as_ref();
    "extensions" Word "the agreed extensions, as written" => it.extensions.as_ref();
    "http_version" Word "such as `1.1`" => it.http_version.as_deref();
    "encryption_version" Word "such as `TLS 1.3`, where TLS is around it" =>
        secured.and_then(|tls| tls.version);
    "encryption_suite" Word "its cipher suite" => secured.and_then(|tls| tls.suite.as_deref());
    "encryption_sni" Text "the host that the client asked for in its hello" =>
        secured.and_then(|tls| tls.server_name.as_ref());
    "encryption_alpn" Word "the protocol that was agreed there, such as `h2`" =>
        secured.and_then(|tls| tls.alpn.as_deref());
    "end" Word "what ended it" => ending.map(|end| word(end.how));
    "close_code" Int "the code of the first Close frame that has one" =>
        ending.and_then(|end| end.close_code);
    "frames_client" Int "frames that the client sent" => of(|counts| counts.frames, 0);
    "frames_server" Int "frames that the server sent" => of(|counts| counts.frames, 1);
    "messages_client" Int "messages that the client sent, control frames among them" =>
        of(|counts| counts.messages, 0);
    "messages_server" Int "the same of the server" => of(|counts| counts.messages, 1);
    "bytes_client" Int "bytes of frames that the client sent" => of(|counts| counts.bytes, 0);
    "bytes_server" Int "the same of the server" => of(|counts| counts.bytes, 1);
    "payload_bytes_client" Int "bytes of payload among them" => of(|counts| counts.payload_bytes, 0);
    "payload_bytes_server" Int "the same of the server" => of(|counts| counts.payload_bytes, 1);
    "tcp_rtt" Seconds "from SYN to the last ACK of TCP's handshake" =>
        rtt.map(|rtt| Nanos(i64::try_from(rtt.as_nanos()).unwrap_or(i64::MAX)));
    "tcp_client_resent_segments" Int "segments that the client sent again" => resent(0);
    "tcp_server_resent_segments" Int "the same of the server" => resent(1);
    "findings" Words "rules that the connection as such broke" => rules(unit);
    "outcome" Word "what became of it" => verdict.map(|verdict| verdict.outcome.name());
    "by" Word "who ended it" => verdict.and_then(|verdict| verdict.by);
    "close_by" Word "who sent the first Close frame" => close.map(|(by, _)| by);
    "close_code_name" Word "the name of its code" =>
        close.and_then(|(_, close)| close.code).map(CloseCode::name);
    "close_reason" Text "its reason" => close.map(|(_, close)| &close.reason);
    "tcp_by" Word "who ended TCP first" => tcp.map(|end| end.by);
    "tcp_how" Word "`fin` or `rst`; of HTTP/2 `end-stream` or `rst-stream`; of TLS `close-notify`" =>
        tcp.map(|end| word(end.how));
    "lived" Seconds "from its first bytes to what ended it" =>
        verdict.and_then(|verdict| verdict.lived).map(Nanos);
    "silence" Seconds "without a frame before that" =>
        verdict.and_then(|verdict| verdict.silence).map(Nanos);
    "last" Word "whose frame was the last one before that" => verdict.and_then(|verdict| verdict.last);
    "line" Text "how it went, in a line" => verdict.map(|verdict| verdict.line().to_string());
}

/// What a message or a packet means, and who it is of.
struct Meaning<'a> {
    app: Option<&'a App>,
    fields: Option<&'a App>,
}

impl<'a> Meaning<'a> {
    fn of(app: Option<&'a App>) -> Self {
        // Of several packets in one message the first has the columns; `app` has all.
        let first = |app: &'a App| if app.fields.is_empty() { app.packets.first() } else { None };
        Self { app, fields: app.map(|app| first(app).unwrap_or(app)) }
    }

    /// The field that NDJSON has under this key, as text.
    fn field(&self, key: &str) -> Option<String> {
        let has_key = |id: &str| id.rsplit('.').next() == Some(key);
        let field = self.fields?.fields.iter().find(|field| has_key(field.def.id))?;
        Some(match &field.value {
            Value::Text(text) => text.clone(),
            Value::Json(text) => serde_json::from_str::<String>(text).unwrap_or_else(|_| text.clone()),
            Value::Bit(bit) => bit.to_string(),
            Value::Number(number) | Value::Code(number) => number.to_string(),
            Value::Bytes(_) => return None,
        })
    }
}

table! {
    /// Messages, and packets that came by HTTP.
    MESSAGES "messages" "a message, control frames among them; or a packet of Engine.IO that came by HTTP, \
        or an event, part or line of what streams: the records `message` and `packet`",
    message(unit: &Unit<'_>, payload: u64)
    {
        let message: Option<&Message<'_>> = match unit.body { Body::Message(it) => Some(it), _ => None };
        let packet: Option<&AppPacket<'_>> = match unit.body { Body::Packet(it) => Some(it), _ => None };
        let shown = match (message, packet) {
            (Some(it), _) => json::shown(it, payload),
            (_, Some(it)) => json::shown_of_packet(it, payload),
            _ => return
        };
        let app = message.map_or_else(|| packet.map(|it| it.app), |it| it.app);
        let meaning = Meaning::of(app);
        let answer = app.and_then(|app| app.answers().next());
        let failure = answer.and_then(|answer| answer.failure.as_ref());
        let session = app.and_then(|app| app.session.as_ref());
        let close = message.and_then(|it| it.close)
    }
    "type" Word "`message` or `packet`" => if message.is_some() { "message" } else { "packet" };
    "conn" Int "the connection's number within the capture" => (unit.conn > 0).then_some(unit.conn);
    "m" Int "the message's number within the connection" => message.map(|it| it.m);
    "place" Int "of a packet: its place in the body" => packet.map(|it| it.place);
    "dir" Word "who sent it: `client` or `server`" => unit.dir;
    "time" Time "when its last byte was captured" => unit.time;
    "packets_first" Int "the packet with its first byte" => packets(unit).0;
    "packets_last" Int "the packet with its last byte" => packets(unit).1;
    "kind" Word "`text`, `binary`, `close`, `ping`, `pong`; of what streams `event`, `part`, `piece`, \
        `line`" =>
        message.map(|it| it.kind.name()).or(packet.and_then(|it| it.streamed).map(|it| it.kind.name()));
    "frame_count" Int "how many frames it has" => message.map(|it| it.frame_count);
    "length" Int "payload bytes as sent" =>
        message.map(|it| it.length).or(packet.map(|it| it.length));
    "compressed" Bool "RSV1 is set; null where the frames are not told" =>
        message.filter(|it| !it.is_told()).map(|it| it.compressed);
    "inflated_length" Int "what it inflates to, in bytes" =>
        message.filter(|it| it.compressed).and_then(|it| it.inflated_length);
    "complete" Bool "whether all of it was seen" =>
        message.map(|it| it.complete).or(packet.and_then(|it| it.streamed).map(|it| it.complete));
    "code" Int "of a Close frame: its code" => close.and_then(|close| close.code);
    "code_name" Word "the name of that" => close.and_then(|close| close.code).map(CloseCode::name);
    "reason" Text "and its reason" => close.and_then(|close| str::from_utf8(close.reason).ok());
    "text" Text "the content, unmasked and inflated, where that is text; up to `--payload-limit`" =>
        shown.text;
    "bytes" Bytes "the content where it is no text: `base64` of the record" =>
        if shown.text.is_none() { Some(shown.bytes) } else { None };
    "payload_truncated" Bool "whether there is more of it" => shown.shortened;
    "app_protocol" Word "the application protocol" => app.map(|app| app.protocol);
    "app_type" Word "the packet's type there" => meaning.field("type");
    "app_event" Word "of Socket.IO: the event" => meaning.field("event");
    "app_summary" Text "the packet in a line" => app.map(|app| &app.summary);
    "app_answers_what" Word "what it answers: an event, a method" => answer.map(|answer| &answer.what);
    "app_answers_method" Word "the name under which its latency counts" => answer.map(Answer::method);
    "app_answers_after" Seconds "from what it answers to it" => answer.and_then(|it| it.after).map(Nanos);
    "app_answers_nth" Word "`first`, `more` or `again`" => answer.map(|it| it.nth.name());
    "app_answers_failure_code" Word "of an answer that says that the request failed" =>
        failure.and_then(|it| it.code.as_ref());
    "app_answers_failure_message" Text "in the words of who refused" =>
        failure.and_then(|it| it.message.as_ref());
    "app_session_number" Int "the session of Engine.IO" => session.map(|it| it.number);
    "app_session_sid" Text "its id" => session.and_then(|it| it.sid.as_ref());
    "app" Text "all that it means to the application: the record's object `app`, as JSON" =>
        meaning.app.map(json::app_text);
    "findings" Words "rules that it breaks" => rules(unit);
}

table! {
    /// Findings.
    FINDINGS "findings" "a rule that was broken, and where: the record `finding`",
    finding(unit: &Unit<'_>, it: &Finding)
    {
        let of = unit.body
    }
    "rule" Word "its id: `wstool explain` it" => it.rule;
    "severity" Word "`error`, `warning` or `note`" => it.rule.severity;
    "section" Word "where it is written" => it.rule.cite;
    "who" Word "who broke it" => it.blame;
    "conn" Int "the connection's number within the capture" => (unit.conn > 0).then_some(unit.conn);
    "n" Int "the frame" => match of { Body::Frame(frame) => Some(frame.n), _ => None };
    "m" Int "the message" => match of { Body::Message(message) => Some(message.m), _ => None };
    "session" Int "the session" => match of { Body::Session(session) => Some(session.number), _ => None };
    "title" Word "what went wrong" => it.rule.title;
    "expected" Text "what the rule asks for here" => &it.expected;
    "got" Text "what was found" => &it.got;
    "consequence" Word "what a conforming endpoint does about it" => it.rule.consequence;
    "time" Time "when that was captured" => unit.time;
    "packets_first" Int "the first packet it is in" => packets(unit).0;
    "packets_last" Int "the last one" => packets(unit).1;
    "cause_what" Text "what may be behind it" => it.cause.as_ref().map(|cause| &cause.what);
    "cause_fix" Text "and what to change" => it.cause.as_ref().map(|cause| &cause.fix);
}

table! {
    /// Causes.
    CAUSES "causes" "what went wrong with how many connections of the capture: the record `cause`",
    cause(it: &Group)
    {
        let conn = |place: Place| (place.conn > 0).then_some(place.conn);
        let packet = |place: Place| (place.packet > 0).then_some(place.packet)
    }
    "id" Word "the rule's id" => it.rule.id;
    "severity" Word "`error`, `warning` or `note`" => it.rule.severity;
    "title" Word "the rule's title" => it.rule.title;
    "who" Word "who broke it" => it.blame;
    "server" Text "the server" => it.server;
    "target" Text "the path there" => it.target.as_ref();
    "what" Text "what they have in common" => &it.what;
    "connections" Int "in how many connections" => it.connections;
    "times" Int "how often" => it.times;
    "first_conn" Int "the first connection" => conn(it.first);
    "first_packet" Int "the packet there" => packet(it.first);
    "first_time" Time "when it was captured" => it.first.time;
    "last_conn" Int "the last connection" => conn(it.last);
    "last_packet" Int "the packet there" => packet(it.last);
    "last_time" Time "when it was captured" => it.last.time;
    "behind" Text "what may be behind it" => it.diagnosis.as_ref().map(|diagnosis| &diagnosis.what);
    "try" Text "what to try" => it.diagnosis.as_ref().map(|diagnosis| &diagnosis.fix);
}

table! {
    /// Frames.
    FRAMES "frames" "a frame, where frames are asked for: the record `frame`, without its payload",
    frame(unit: &Unit<'_>, it: &Frame<'_>)
    {
        let header = &it.header
    }
    "conn" Int "the connection's number within the capture" => unit.conn;
    "n" Int "the frame's number within the connection" => it.n;
    "dir" Word "who sent it" => unit.dir;
    "time" Time "when its last byte was captured" => unit.time;
    "packets_first" Int "the packet with its first byte" => packets(unit).0;
    "packets_last" Int "the packet with its last byte" => packets(unit).1;
    "offset" Int "of its first byte in the sender's stream" => it.offset;
    "fin" Bool "FIN" => header.fin;
    "rsv1" Bool "RSV1" => header.rsv1;
    "rsv2" Bool "RSV2" => header.rsv2;
    "rsv3" Bool "RSV3" => header.rsv3;
    "opcode" Int "the opcode" => header.opcode.0;
    "opcode_name" Word "and its name" => header.opcode.name();
    "masked" Bool "MASK" => header.masking_key.is_some();
    "length_form" Int "7, 16 or 64 bits carry the length" => header.length_form.bits();
    "length" Int "payload bytes, as declared" => header.length;
    "header_length" Int "bytes of the header" => header.header_length();
    "captured" Int "payload bytes that are in the capture" => it.captured;
    "truncated" Bool "the stream ends inside it" => it.truncated;
    "missing" Int "payload bytes that were lost" => it.missing;
    "inferred" Bool "found by its shape" => it.inferred;
    "findings" Words "rules that it breaks" => rules(unit);
}
