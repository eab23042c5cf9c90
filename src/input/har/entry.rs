//! An entry: what its values mean together.

use super::parts::{Content, Field, Message, Request, Response, Timings};
use super::scalar::Scalar;
use super::written::{self, Url};
use super::{Answer, Exchange, Told, server};
use crate::model::told::field;
use crate::model::{Dir, Opcode, Time, ToldHead, ToldStart};

/// An entry as far as it was read.
#[derive(Default)]
pub(super) struct Entry {
    pub started: Scalar,
    pub time: Scalar,
    pub resource_type: Scalar,
    pub connection: Scalar,
    pub address: Scalar,
    pub error: Scalar,
    pub told: Scalar,
    pub timings: Timings,
    pub code: Scalar,
    url: String,
    exchange: Exchange,
    /// Bytes held of it.
    pub held: usize,
}

impl Entry {
    /// Whether anything of it was read.
    pub fn has_begun(&self) -> bool {
        !self.url.is_empty() || !self.exchange.messages.is_empty()
    }

    pub fn request(&mut self, request: Request, room: usize) {
        let own = &mut self.exchange;
        own.method =
            request.method.text().filter(|method| !method.is_empty()).unwrap_or_else(|| "GET".into());
        own.headers = fields(request.headers);
        own.version = version(request.http_version);
        own.body = request.post_data.map(|content| content.bytes(room)).unwrap_or_default();
        self.url = request.url.text().unwrap_or_default();
        self.held += own.body.0.len();
    }

    pub fn response(&mut self, response: Response, room: usize) {
        if let Scalar::Nothing = self.error {
            self.error = response.error;
        }
        // Nothing came: status 0, or none at all. Chrome writes it of what never was answered.
        let Some(status) = response.status.number().filter(|status| (1.0..1000.0).contains(status)) else {
            return;
        };
        let body = response.content.map(|content| content.bytes(room)).unwrap_or_default();
        self.held += body.0.len();
        self.exchange.answer = Some(Answer {
            status: status as u16,
            reason: response.status_text.text().unwrap_or_default(),
            version: version(response.http_version),
            headers: fields(response.headers),
            body,
            at: None,
        });
    }

    pub fn message(&mut self, message: Message, room: usize) {
        let time = message.time.moment();
        let kind = message.kind.text().unwrap_or_default();
        let data = message.data.text().unwrap_or_default();
        // Chrome tells so why a connection failed.
        if kind == "error" {
            self.held += data.len();
            self.exchange.failures.push((data, time));
            return;
        }
        let dir = match kind.as_str() {
            "send" | "sent" | "out" | "outgoing" | "request" | "client" => Dir::Client,
            _ => Dir::Server,
        };
        let kind = opcode(&message.opcode);
        let bytes = written::carried(kind, data);
        let length = bytes.len() as u64;
        let content = cut(bytes, room);
        self.held += content.len() + size_of::<Told>();
        self.exchange.messages.push(Told { dir, kind, time, content, length });
    }

    /// The exchange, if it opens a WebSocket, or its target is wanted.
    pub fn exchange(self, wanted: &dyn Fn(&str) -> bool) -> Option<Exchange> {
        let Self { mut exchange, url, .. } = self;
        let Url { is_socket, secure, authority, target } = Url::of(&url);
        let upgrades =
            field(&exchange.headers, "Upgrade").is_some_and(|to| to.eq_ignore_ascii_case("websocket"));
        exchange.opens = is_socket
            || self.resource_type == Scalar::Text("websocket".into())
            || upgrades
            || !exchange.messages.is_empty();
        if !exchange.opens && !wanted(&target) {
            return None;
        }
        exchange.told = self.told == Scalar::Whole(1);
        exchange.connection = self.connection.text().filter(|name| !name.is_empty());
        exchange.server = server(&self.address.text().unwrap_or_default(), &authority, secure);
        (exchange.secure, exchange.authority, exchange.target) = (secure, authority, target);
        exchange.asked = self.started.moment();
        exchange.code =
            self.code.number().filter(|code| (0.0..65536.0).contains(code)).map(|code| code as u16);
        if exchange.version.is_empty() && field(&exchange.headers, "Sec-WebSocket-Key").is_some() {
            // No other version has one (RFC 8441 §5).
            exchange.version = "HTTP/1.1".into();
        }
        let is_websocket = exchange.opens;
        if let Some(answer) = &mut exchange.answer {
            answer.at = exchange.asked.map(|asked| {
                let whole = self.time.number().filter(|_| !is_websocket);
                later(asked, whole.unwrap_or_else(|| self.timings.until_answered()))
            });
            if answer.version.is_empty() {
                answer.version.clone_from(&exchange.version);
            }
            // Over HTTP/1.1 this would be an answer that opens nothing, and a key would be asked for. What
            // messages went over is open, whichever fields are listed.
            let has_key = field(&exchange.headers, "Sec-WebSocket-Key").is_some();
            let is_listed = written::handshake(&exchange.headers) == written::OVER_HTTP2;
            let is_open = !exchange.messages.is_empty() && (exchange.version == "HTTP/2" || !has_key);
            if is_websocket && (is_listed || is_open) && (200..300).contains(&answer.status) {
                let (method, version) = written::OVER_HTTP2;
                method.clone_into(&mut exchange.method);
                version.clone_into(&mut exchange.version);
                version.clone_into(&mut answer.version);
            }
        }
        let failed = self.error.text().filter(|why| !why.is_empty() && exchange.answer.is_none());
        if let Some(why) = failed {
            let at = exchange.asked.map(|asked| later(asked, self.time.number().unwrap_or_default()));
            exchange.failures.push((why, at));
        }
        Some(exchange)
    }
}

impl Exchange {
    /// Bytes that it takes, about.
    pub(super) fn cost(&self) -> usize {
        let fields = |all: &[(String, String)]| -> usize {
            all.iter().map(|(name, value)| name.len() + value.len() + 48).sum()
        };
        let messages: usize = self.messages.iter().map(|it| it.content.len() + size_of::<Told>()).sum();
        let answer = self.answer.as_ref().map_or(0, |it| fields(&it.headers) + it.body.0.len());
        size_of::<Self>() + fields(&self.headers) + self.body.0.len() + answer + messages
    }

    /// Its request, of which not all fields need be listed.
    pub fn request(&self) -> ToldHead<'_> {
        let Self { method, target, authority, .. } = self;
        ToldHead {
            start: ToldStart::Request { method, target, authority },
            version: &self.version,
            headers: &self.headers,
            opens: self.opens,
            is_whole: false,
            body: &self.body.0,
            length: self.body.1,
        }
    }

    /// The answer to it, if there was one.
    pub fn response(&self) -> Option<ToldHead<'_>> {
        let answer = self.answer.as_ref()?;
        Some(ToldHead {
            start: ToldStart::Response { status: answer.status, reason: &answer.reason },
            version: &answer.version,
            headers: &answer.headers,
            opens: self.opens,
            is_whole: false,
            body: &answer.body.0,
            length: answer.body.1,
        })
    }
}

impl Timings {
    /// Milliseconds until the answer began.
    fn until_answered(&self) -> f64 {
        let parts = [&self.blocked, &self.dns, &self.connect, &self.send, &self.wait];
        parts.into_iter().filter_map(Scalar::number).filter(|part| *part > 0.0).sum()
    }
}

impl Content {
    /// Its beginning, and its length.
    fn bytes(self, room: usize) -> (Vec<u8>, u64) {
        let text = self.text.text().unwrap_or_default();
        let bytes = written::content(text, self.encoding == Scalar::Text("base64".into()));
        let length = bytes.len() as u64;
        (cut(bytes, room), length)
    }
}

/// The first bytes, and no room for others.
fn cut(mut bytes: Vec<u8>, most: usize) -> Vec<u8> {
    bytes.truncate(most);
    bytes.shrink_to_fit();
    bytes
}

/// So many milliseconds later.
fn later(time: Time, milliseconds: f64) -> Time {
    Time(time.0.saturating_add((milliseconds.max(0.0) * 1e6) as u64))
}

fn opcode(scalar: &Scalar) -> Opcode {
    if let Scalar::Text(name) = scalar {
        match name.to_ascii_lowercase().as_str() {
            "text" => return Opcode::TEXT,
            "binary" => return Opcode::BINARY,
            "close" => return Opcode::CLOSE,
            "ping" => return Opcode::PING,
            "pong" => return Opcode::PONG,
            _ => {}
        }
    }
    match scalar.number() {
        Some(number) if (0.0..16.0).contains(&number) => Opcode(number as u8),
        // Who says nothing writes text.
        _ => Opcode::TEXT,
    }
}

fn fields(listed: Option<Vec<Field>>) -> Vec<(String, String)> {
    let text = |scalar: Scalar| scalar.text().unwrap_or_default();
    let listed = listed.unwrap_or_default().into_iter().map(|field| (text(field.name), text(field.value)));
    listed.flat_map(|(name, value)| written::fields(&name, &value).collect::<Vec<_>>()).collect()
}

/// The version of HTTP as a start line has it.
fn version(told: Scalar) -> String {
    written::version(&told.text().unwrap_or_default())
}
