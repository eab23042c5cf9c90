//! A request and its answer, as an entry of the archive.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::Open;
use crate::coding::Codings;
use crate::limits;
use crate::model::{Header, HttpHead, Time};

/// A request, and its answer.
#[derive(Default)]
pub(super) struct Exchange {
    pub(super) began: Option<Time>,
    pub(super) answered: Option<Time>,
    pub(super) target: String,
    pub(super) host: Option<String>,
    pub(super) request: Map<String, Value>,
    pub(super) response: Option<Value>,
    /// Its method is CONNECT.
    pub(super) connects: bool,
    /// It asks for a WebSocket.
    pub(super) asks: bool,
    pub(super) opens: bool,
    /// Its stream of HTTP/2.
    pub(super) stream: Option<u32>,
    /// Its answer streams: the content comes behind it.
    pub(super) streams: bool,
    /// That content is in codings: how many bytes came is not known.
    pub(super) is_coded: bool,
    /// That content, as text, and how many bytes it has.
    pub(super) content: String,
    pub(super) size: u64,
}

impl Exchange {
    pub fn asked(began: Option<Time>, head: &HttpHead<'_>) -> Self {
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
    pub fn is_answered(&mut self, answered: Option<Time>, head: &HttpHead<'_>) -> bool {
        let [version, status, reason] = words(head);
        let status = status.parse::<u16>().unwrap_or_default();
        if (102..200).contains(&status) || status == 100 {
            return true;
        }
        self.answered = answered;
        (self.streams, self.is_coded) = (head.streams, !Codings::of_head(head).is_none());
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
    pub fn value(mut self, open: &mut Open) -> Value {
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
            response["bodySize"] = if self.is_coded { (-1).into() } else { self.size.into() };
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

/// A content as text, or else in Base64, without its codings; and how many bytes it has, where all of it is
/// there. Of what cannot be decoded it is the bytes as they came.
fn text(head: &HttpHead<'_>, content: &mut Map<String, Value>) {
    let codings = Codings::of_head(head);
    let plain = codings.plain(head.body, limits::APP_PAYLOAD as usize);
    let is_decoded = plain.stop.is_none() || !plain.bytes.is_empty();
    if !codings.is_none() && head.body_whole && !plain.is_cut && plain.stop.is_none() {
        let (size, coded) = (plain.bytes.len() as u64, head.extent.content);
        content.insert("size".to_owned(), size.into());
        content.insert("compression".to_owned(), (size.cast_signed() - coded.cast_signed()).into());
    }
    let body = if is_decoded { plain.bytes.into_owned() } else { head.body.to_vec() };
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
