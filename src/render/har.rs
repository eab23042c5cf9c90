//! HAR (HTTP Archive 1.2): handshakes and what follows them, as browsers' developer tools save and load them.
//!
//! Messages stand in `_webSocketMessages`, as Chrome writes it: `type` is `send` for the client's, `time` is
//! in seconds since 1970, `opcode` that of the message, and `data` its text, or Base64 of what is binary.
//! What made a connection fail is one of type `error`, as there.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Read as _, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value, json};

use super::View;
use crate::limits;
use crate::model::{
    AppPacket, Body, Connection, Dir, Finding, Flow, Header, HttpHead, Layer, Message, ON, Opcode, Sink,
    StreamedKind, Time, Unit, Wants,
};

/// Writes an archive.
///
/// An exchange is written when it is answered, that of a WebSocket when its connection is over. Until then
/// its messages wait in memory: at most [`limits::HAR_HELD`] bytes of all connections together, behind which
/// they are counted (`_webSocketMessagesOmitted`).
pub struct Har<W> {
    out: W,
    open: BTreeMap<u32, Open>,
    held: usize,
    written: u64,
    error: Option<io::Error>,
}

/// A connection so far.
#[derive(Default)]
struct Open {
    address: Option<String>,
    port: Option<u16>,
    host: Option<String>,
    layer: Layer,
    /// Somebody tells of a WebSocket: its request need not list what asks for one.
    is_told_socket: bool,
    /// Exchanges that are not answered, or open a WebSocket.
    exchanges: VecDeque<Exchange>,
    messages: Vec<Value>,
    held: usize,
    omitted: u64,
}

/// A request, and its answer.
#[derive(Default)]
struct Exchange {
    began: Option<Time>,
    answered: Option<Time>,
    target: String,
    host: Option<String>,
    request: Map<String, Value>,
    response: Option<Value>,
    /// Its method is CONNECT.
    connects: bool,
    /// It asks for a WebSocket.
    asks: bool,
    opens: bool,
    /// Its stream of HTTP/2.
    stream: Option<u32>,
    /// Its answer streams: the content comes behind it.
    streams: bool,
    /// That content, as text, and how many bytes it has.
    content: String,
    size: u64,
}

impl<W: Write> Har<W> {
    /// An archive that begins.
    pub fn new(mut out: W) -> Self {
        let creator = json!({ "name": "wstool", "version": env!("CARGO_PKG_VERSION") });
        let begun = write!(out, "{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"entries\":[");
        Self { out, open: BTreeMap::new(), held: 0, written: 0, error: begun.err() }
    }

    /// A connection is over: what it has left is written.
    fn end(&mut self, conn: u32) {
        let Some(mut open) = self.open.remove(&conn) else { return };
        self.held -= open.held;
        while let Some(exchange) = open.exchanges.pop_front() {
            self.write(&exchange.value(&mut open));
        }
        // Messages without their handshake.
        if !open.messages.is_empty() {
            let exchange = Exchange { opens: true, target: "/".to_owned(), ..Exchange::default() };
            self.write(&exchange.value(&mut open));
        }
    }

    fn write(&mut self, entry: &Value) {
        let comma = if self.written > 0 { "," } else { "" };
        self.written += 1;
        if self.error.is_none() {
            self.error = write!(self.out, "{comma}\n{entry}").and_then(|()| self.out.flush()).err();
        }
    }

    fn head(&mut self, conn: u32, dir: Dir, time: Option<Time>, head: &HttpHead<'_>) {
        let open = self.open.entry(conn).or_default();
        if dir == Dir::Client {
            open.exchanges.push_back(Exchange::asked(time, head));
            return;
        }
        let Some(exchange) = open.exchanges.iter_mut().find(|it| it.response.is_none()) else { return };
        if exchange.is_answered(time, head) {
            return;
        }
        // It is no WebSocket's: nothing more comes of it, unless somebody tells why it was none.
        let waits = open.is_told_socket;
        // What an answer that streams says is still to come.
        let is_over = |it: &Exchange| it.response.is_some() && !it.opens && !it.streams && !waits;
        if let Some(place) = open.exchanges.iter().position(is_over)
            && let Some(exchange) = open.exchanges.remove(place)
        {
            let entry = exchange.value(open);
            self.write(&entry);
        }
    }

    fn message(&mut self, conn: u32, dir: Dir, time: Option<Time>, message: &Message<'_>) {
        let size = message.payload.len() + size_of::<Value>();
        let is_full = message.payload_cut || self.held + size > limits::HAR_HELD;
        let Some(open) = self.open.get_mut(&conn).filter(|_| message.complete) else { return };
        if is_full {
            open.omitted += 1;
            return;
        }
        let text =
            (message.kind == Opcode::TEXT).then(|| std::str::from_utf8(message.payload).ok()).flatten();
        let data = text.map_or_else(|| STANDARD.encode(message.payload), str::to_owned);
        let kind = if dir == Dir::Client { "send" } else { "receive" };
        open.messages.push(entry(kind, time, message.kind.0.into(), &data));
        open.held += size;
        self.held += size;
    }

    /// A unit of an answer that streams: the content of its exchange, as far as there is room.
    fn streamed(&mut self, conn: u32, packet: &AppPacket<'_>) {
        let (Some(streamed), Some(open)) = (packet.streamed, self.open.get_mut(&conn)) else { return };
        let is_its = |it: &&mut Exchange| it.stream == streamed.stream && it.response.is_some();
        let Some(exchange) = open.exchanges.iter_mut().rfind(is_its) else { return };
        // What ends a unit is not told: an event ends as all of them may.
        let end = if streamed.kind == StreamedKind::Event && streamed.complete { "\n\n" } else { "" };
        exchange.size += packet.length + end.len() as u64;
        let text = String::from_utf8_lossy(packet.payload);
        let room = limits::HAR_HELD.saturating_sub(self.held);
        if text.len() + end.len() <= room {
            let held = text.len() + end.len();
            exchange.content.push_str(&text);
            exchange.content.push_str(end);
            open.held += held;
            self.held += held;
        }
    }

    /// Why a connection failed, if that is told.
    fn failure(&mut self, conn: u32, time: Option<Time>, finding: &Finding) {
        if finding.rule.id == "browser-reports-failure" {
            let open = self.open.entry(conn).or_default();
            open.messages.push(entry("error", time, -1, &finding.got.to_string()));
        }
    }
}

fn entry(kind: &str, time: Option<Time>, opcode: i64, data: &str) -> Value {
    json!({ "type": kind, "time": time.map(|time| time.0 as f64 / 1e9), "opcode": opcode, "data": data })
}

impl<W: Write> Sink for Har<W> {
    fn wants(&self) -> Wants {
        Wants { payload: limits::HAR_HELD as u64, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        match (unit.body, unit.dir) {
            (Body::Connection(connection), _) if connection.ending.is_none() => {
                self.open.entry(unit.conn).or_default().endpoints(connection);
            }
            (Body::Connection(_), _) => self.end(unit.conn),
            (Body::Http(head), Some(dir)) => self.head(unit.conn, dir, unit.time, head),
            (Body::Message(message), Some(dir)) => self.message(unit.conn, dir, unit.time, message),
            (Body::Packet(packet), Some(Dir::Server)) => self.streamed(unit.conn, packet),
            (Body::Note, _) => unit.findings.iter().for_each(|it| self.failure(unit.conn, unit.time, it)),
            _ => {}
        }
        if self.error.is_some() { Flow::Break(()) } else { ON }
    }
}

impl<W: Write> View for Har<W> {
    fn end(mut self: Box<Self>) -> io::Result<()> {
        let left: Vec<u32> = self.open.keys().copied().collect();
        for conn in left {
            Har::end(&mut self, conn);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.out.write_all(b"\n]}}\n").and_then(|()| self.out.flush()),
        }
    }
}

impl Open {
    fn endpoints(&mut self, connection: &Connection) {
        if let Some(server) = connection.server {
            (self.address, self.port) = (Some(server.ip().to_string()), Some(server.port()));
        }
        self.host.clone_from(&connection.host);
        self.layer = connection.layer;
        self.is_told_socket = connection.layer.is_told() && !connection.handshake.has_no_frames();
    }
}

impl Exchange {
    fn asked(began: Option<Time>, head: &HttpHead<'_>) -> Self {
        let [method, target, version] = words(head);
        let host = head.header("Host").or_else(|| head.header(":authority")).map(str::to_owned);
        // The latter over HTTP/2 (RFC 8441 §4).
        let asks_for = |field: &Header<'_>| {
            let is_named = |name: &str| field.name.eq_ignore_ascii_case(name);
            (is_named("Upgrade") || is_named(":protocol")) && field.value.eq_ignore_ascii_case("websocket")
        };
        let (connects, asks) = (method == "CONNECT", head.headers.iter().any(asks_for));
        let mut request = Map::new();
        request.insert("method".to_owned(), method.into());
        request.insert("httpVersion".to_owned(), version.into());
        request.insert("cookies".to_owned(), json!([]));
        request.insert("headers".to_owned(), headers(head));
        request.insert("headersSize".to_owned(), size(head.extent.head));
        request.insert("bodySize".to_owned(), head.extent.content.into());
        if !head.body.is_empty() {
            let mut content = Map::new();
            content.insert("mimeType".to_owned(), head.header("Content-Type").unwrap_or_default().into());
            text(head, &mut content);
            request.insert("postData".to_owned(), content.into());
        }
        let stream = head.stream;
        Self { began, target: target.to_owned(), host, request, connects, asks, stream, ..Self::default() }
    }

    /// Takes the answer; whether more is to come of it.
    fn is_answered(&mut self, answered: Option<Time>, head: &HttpHead<'_>) -> bool {
        let [version, status, reason] = words(head);
        let status = status.parse::<u16>().unwrap_or_default();
        if (102..200).contains(&status) || status == 100 {
            return true;
        }
        self.answered = answered;
        self.streams = head.streams;
        // Over HTTP/1 a CONNECT opens a tunnel, over HTTP/2 perhaps a WebSocket (RFC 8441 §4).
        self.opens = status == 101 || self.connects && version.starts_with("HTTP/2") && status / 100 == 2;
        let mut content = Map::new();
        content.insert("size".to_owned(), head.extent.content.into());
        content.insert("mimeType".to_owned(), head.header("Content-Type").unwrap_or("x-unknown").into());
        if !head.body.is_empty() {
            text(head, &mut content);
        }
        self.response = Some(json!({
            "status": status, "statusText": reason, "httpVersion": version, "cookies": [],
            "headers": headers(head), "redirectURL": head.header("Location").unwrap_or_default(),
            "content": content, "headersSize": size(head.extent.head), "bodySize": head.extent.content,
        }));
        self.opens
    }

    /// The entry; one that opens a WebSocket takes the messages with it.
    fn value(mut self, open: &mut Open) -> Value {
        let wait = match (self.began, self.answered) {
            (Some(began), Some(answered)) => answered.0.saturating_sub(began.0) as f64 / 1e6,
            _ => 0.0,
        };
        let is_socket = self.opens || self.asks || open.is_told_socket;
        let scheme = match (is_socket, open.layer.is_secure()) {
            (true, false) => "ws",
            (true, true) => "wss",
            (false, false) => "http",
            (false, true) => "https",
        };
        let host = self.host.take().or_else(|| open.host.clone()).unwrap_or_default();
        if self.streams
            && let Some(response) = &mut self.response
        {
            response["bodySize"] = self.size.into();
            response["content"]["size"] = self.size.into();
            response["content"]["text"] = self.content.into();
        }
        let is_whole = self.target.contains("://");
        let url = if is_whole { self.target } else { format!("{scheme}://{host}{}", self.target) };
        self.request.insert("queryString".to_owned(), query(&url).into());
        self.request.insert("url".to_owned(), url.into());
        // What was not answered has status 0, as browsers write it.
        let unanswered = || {
            json!({
                "status": 0, "statusText": "", "httpVersion": "", "cookies": [], "headers": [],
                "redirectURL": "", "content": { "size": 0, "mimeType": "x-unknown" }, "headersSize": -1,
                "bodySize": -1,
            })
        };
        let mut entry = Map::new();
        entry.insert("startedDateTime".to_owned(), self.began.map(Time::utc).into());
        entry.insert("time".to_owned(), wait.into());
        entry.insert("request".to_owned(), self.request.into());
        entry.insert("response".to_owned(), self.response.unwrap_or_else(unanswered));
        entry.insert("cache".to_owned(), json!({}));
        entry.insert("timings".to_owned(), json!({ "send": 0, "wait": wait, "receive": 0 }));
        if let (Some(address), Some(port)) = (&open.address, open.port) {
            entry.insert("serverIPAddress".to_owned(), address.as_str().into());
            entry.insert("connection".to_owned(), port.to_string().into());
        }
        if open.layer.is_told() {
            entry.insert("_told".to_owned(), true.into());
        }
        if is_socket {
            entry.insert("_resourceType".to_owned(), "websocket".into());
            entry.insert("_webSocketMessages".to_owned(), std::mem::take(&mut open.messages).into());
            if open.omitted > 0 {
                entry.insert("_webSocketMessagesOmitted".to_owned(), open.omitted.into());
            }
        }
        Value::Object(entry)
    }
}

/// The three words of a start line.
fn words<'h>(head: &HttpHead<'h>) -> [&'h str; 3] {
    let mut words = head.start_line.splitn(3, ' ');
    std::array::from_fn(|_| words.next().unwrap_or_default())
}

/// Bytes of a head; -1 where that is not known.
fn size(bytes: u64) -> Value {
    if bytes == 0 { (-1).into() } else { bytes.into() }
}

fn headers(head: &HttpHead<'_>) -> Value {
    head.headers.iter().map(|field| json!({ "name": field.name, "value": field.value })).collect()
}

/// A content as text, or else in Base64, without gzip around it.
fn text(head: &HttpHead<'_>, content: &mut Map<String, Value>) {
    let mut body = head.body.to_vec();
    if head.header("Content-Encoding").is_some_and(|coding| coding.trim().ends_with("gzip")) {
        let mut plain = Vec::new();
        let packed = MultiGzDecoder::new(head.body).take(limits::APP_PAYLOAD);
        // Of what is cut there is at least the beginning.
        let read = { packed }.read_to_end(&mut plain);
        if read.is_ok() || !plain.is_empty() {
            body = plain;
        }
    }
    match String::from_utf8(body) {
        Ok(text) => content.insert("text".to_owned(), text.into()),
        Err(error) => {
            content.insert("encoding".to_owned(), "base64".into());
            content.insert("text".to_owned(), STANDARD.encode(error.as_bytes()).into())
        }
    };
}

/// The parameters of a URL.
fn query(url: &str) -> Vec<Value> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::views::Kept;

    const EMPTY: Message<'static> = Message {
        m: 1,
        kind: Opcode::TEXT,
        frames: &[],
        frame_count: 1,
        length: 0,
        compressed: false,
        inflated_length: None,
        from_earlier: None,
        complete: true,
        in_doubt: false,
        payload: &[],
        holes: &[],
        text: None,
        payload_cut: false,
        utf8: crate::model::Utf8::Unchecked,
        close: None,
        app: None,
    };

    /// What is written of these units.
    fn archive(units: &[Unit<'_>]) -> Value {
        let kept = Kept::default();
        let mut har = Box::new(Har::new(kept.clone()));
        for unit in units {
            assert!(har.take(unit).is_continue());
        }
        (har as Box<dyn View>).end().unwrap();
        serde_json::from_slice(&kept.take()).unwrap()
    }

    fn head<'a>(line: &'a str, headers: &'a [crate::model::Header<'a>]) -> HttpHead<'a> {
        HttpHead {
            stream: None,
            offset: 0,
            bytes: &[],
            start_line: line,
            headers,
            complete: true,
            body: &[],
            body_whole: true,
            streams: false,
            diagnoses: &[],
            extent: crate::model::HttpExtent::default(),
        }
    }

    fn header<'a>(name: &'a str, value: &'a str) -> crate::model::Header<'a> {
        let at = crate::model::Span::bytes(crate::model::SourceId::Input, 0, 0);
        crate::model::Header {
            name: name.into(),
            value: value.into(),
            verdict: crate::model::Verdict::Ok,
            meaning: crate::model::Text::default(),
            name_at: at,
            value_at: at,
        }
    }

    #[test]
    fn nothing_is_an_archive_too() {
        let archive = archive(&[]);
        assert_eq!(archive["log"]["version"], "1.2");
        assert_eq!(archive["log"]["entries"], json!([]));
    }

    #[test]
    fn what_asked_for_a_web_socket_is_one_that_was_refused() {
        for (line, fields, answer) in [
            ("GET /chat HTTP/1.1", [header("Host", "a"), header("Upgrade", "WebSocket")], "HTTP/1.1 403 No"),
            (
                "CONNECT /chat HTTP/2",
                [header(":authority", "a"), header(":protocol", "websocket")],
                "HTTP/2 403",
            ),
        ] {
            let (request, response) = (head(line, &fields), head(answer, &[]));
            let archive = archive(&[
                Unit { dir: Some(Dir::Client), ..Unit::of(1, Body::Http(&request)) },
                Unit { dir: Some(Dir::Server), ..Unit::of(1, Body::Http(&response)) },
            ]);
            let entry = &archive["log"]["entries"][0];
            assert_eq!(
                (&entry["request"]["url"], &entry["response"]["status"]),
                (&"ws://a/chat".into(), &403.into())
            );
            assert_eq!(
                (&entry["_resourceType"], &entry["_webSocketMessages"]),
                (&"websocket".into(), &json!([]))
            );
        }
    }

    #[test]
    fn a_web_socket_is_an_entry_with_its_messages() {
        let (host, upgrade) = ([header("Host", "a:9000")], [header("Upgrade", "websocket")]);
        let request = head("GET /chat?x=1 HTTP/1.1", &host);
        let response = head("HTTP/1.1 101 Switching Protocols", &upgrade);
        let text = Message { kind: Opcode::TEXT, payload: "é".as_bytes(), ..EMPTY };
        let binary = Message { kind: Opcode::BINARY, payload: b"\xff\0", ..EMPTY };
        let at = |seconds: u64, dir, body| Unit {
            dir: Some(dir),
            time: Some(Time(seconds * 500_000_000)),
            ..Unit::of(1, body)
        };
        let archive = archive(&[
            at(2, Dir::Client, Body::Http(&request)),
            at(3, Dir::Server, Body::Http(&response)),
            at(4, Dir::Client, Body::Message(&text)),
            at(5, Dir::Server, Body::Message(&binary)),
        ]);
        let entry = &archive["log"]["entries"][0];
        assert_eq!(entry["request"]["url"], "ws://a:9000/chat?x=1");
        assert_eq!(entry["request"]["queryString"], json!([{ "name": "x", "value": "1" }]));
        assert_eq!((&entry["response"]["status"], &entry["time"]), (&json!(101), &json!(500.0)));
        assert_eq!(entry["startedDateTime"], "1970-01-01T00:00:01.000000Z");
        assert_eq!(
            entry["_webSocketMessages"],
            json!([
                { "type": "send", "time": 2.0, "opcode": 1, "data": "é" },
                { "type": "receive", "time": 2.5, "opcode": 2, "data": "/wA=" },
            ])
        );
    }
}
