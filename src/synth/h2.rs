//! Frames of HTTP/2 in a script: `client h2 headers stream=1 ":method: GET"`.

use super::line::Line;
use super::words::{ScriptError, Word};
use crate::model::Text;
use crate::model::http2::{FrameHeader, Kind, PREFACE, SETTINGS};

/// The DATA frame that carries something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Data {
    /// The stream.
    pub stream: u32,
    /// `END_STREAM` is set.
    pub ends: bool,
    /// Bytes of padding; `None` for none, and no byte that says so.
    pub padding: Option<u8>,
}

impl Data {
    /// The frame around some bytes.
    pub fn around(self, bytes: &[u8]) -> Vec<u8> {
        let mut frame = Frame::on(self.stream, Kind::DATA, bytes.to_vec());
        frame.header.flags = if self.ends { FrameHeader::END_STREAM } else { 0 };
        frame.pad(self.padding);
        frame.written(None)
    }

    /// What a line says of it: `stream=1 end-stream padding=3`.
    pub(super) fn read(line: &mut Line) -> Result<Option<Self>, ScriptError> {
        let Some(word) = line.option("stream") else { return Ok(None) };
        let stream = line.within(&word, 0, 0x7FFF_FFFF)? as u32;
        let ends = line.flag("end-stream");
        Ok(Some(Self { stream, ends, padding: padding(line)? }))
    }
}

/// A frame being written, whose length comes last.
struct Frame {
    header: FrameHeader,
    payload: Vec<u8>,
}

impl Frame {
    fn on(stream: u32, kind: Kind, payload: Vec<u8>) -> Self {
        Self { header: FrameHeader { kind, stream, ..FrameHeader::default() }, payload }
    }

    fn pad(&mut self, padding: Option<u8>) {
        let Some(padding) = padding else { return };
        self.header.flags |= FrameHeader::PADDED;
        self.payload.insert(0, padding);
        self.payload.resize(self.payload.len() + usize::from(padding), 0);
    }

    fn written(&self, length: Option<u32>) -> Vec<u8> {
        let length = length.unwrap_or(self.payload.len() as u32);
        [&FrameHeader { length, ..self.header }.written(), &self.payload[..]].concat()
    }
}

/// What an endpoint sends: the words behind `h2`.
pub(super) fn frame(line: &mut Line) -> Result<Vec<u8>, ScriptError> {
    const KINDS: &str = "preface, settings, headers, connect, accept, continuation, push-promise, data, \
                         priority, \
                         rst-stream, ping, goaway, window-update or frame";
    let kind = line.first(KINDS)?;
    let name = kind.bare().unwrap_or_default().to_owned();
    if name == "preface" {
        return Ok(PREFACE.to_vec());
    }
    let mut number = |name: &str, otherwise: u32| match line.option(name) {
        Some(word) => line.within(&word, 0, u64::from(u32::MAX)).map(|number| number as u32),
        None => Ok(otherwise),
    };
    let mut frame = Frame::on(number("stream", 0)?, Kind::DATA, Vec::new());
    let Frame { header, payload } = &mut frame;
    let (flags, length) = (number("flags", 0x100)?, number("length", u32::MAX)?);
    let code = number("code", 0)?;
    let [last, increment, promised, kind_number] =
        [number("last", 0)?, number("increment", 0)?, number("promised", 2)?, number("type", 0)?];
    if line.flag("end-stream") {
        header.flags |= FrameHeader::END_STREAM;
    }
    if line.flag("ack") {
        header.flags |= FrameHeader::ACK;
    }
    let padding = padding(line)?;
    match name.as_str() {
        "settings" => (header.kind, *payload) = (Kind::SETTINGS, settings(line)?),
        "headers" | "connect" | "accept" | "push-promise" => {
            header.kind = if name == "push-promise" { Kind::PUSH_PROMISE } else { Kind::HEADERS };
            if header.kind == Kind::PUSH_PROMISE {
                payload.extend_from_slice(&promised.to_be_bytes());
            }
            if line.flag("priority") {
                header.flags |= FrameHeader::PRIORITY;
                payload.extend_from_slice(&PRIORITY);
            }
            header.flags |= if line.flag("no-end-headers") { 0 } else { FrameHeader::END_HEADERS };
            let usual = match name.as_str() {
                "connect" => connect(line)?,
                "accept" => accept(line)?,
                _ => Vec::new(),
            };
            payload.extend(block(usual, line)?);
            if name == "connect" || name == "accept" {
                header.stream = header.stream.max(1);
            }
        }
        "continuation" => {
            header.kind = Kind::CONTINUATION;
            header.flags |= if line.flag("no-end-headers") { 0 } else { FrameHeader::END_HEADERS };
            *payload = block(Vec::new(), line)?;
        }
        "data" => *payload = line.payload()?,
        "priority" => (header.kind, *payload) = (Kind::PRIORITY, PRIORITY.to_vec()),
        "rst-stream" => (header.kind, *payload) = (Kind::RST_STREAM, code.to_be_bytes().to_vec()),
        "ping" => (header.kind, *payload) = (Kind::PING, line.payload()?),
        "goaway" => {
            header.kind = Kind::GOAWAY;
            *payload = [&last.to_be_bytes()[..], &code.to_be_bytes(), &line.payload()?].concat();
        }
        "window-update" => (header.kind, *payload) = (Kind::WINDOW_UPDATE, increment.to_be_bytes().to_vec()),
        "frame" => (header.kind, *payload) = (Kind(kind_number as u8), line.payload()?),
        _ => return Err(line.error(kind.column, Text::new("behind h2 stands {}").word(KINDS))),
    }
    frame.pad(padding);
    if let Ok(flags) = u8::try_from(flags) {
        frame.header.flags = flags;
    }
    let length = (length != u32::MAX).then_some(length);
    // The same over and over, each on the next stream of its sender, and reset at once if it says so.
    let Some(word) = line.option("times") else { return Ok(frame.written(length)) };
    let times = line.within(&word, 1, 1 << 20)? as u32;
    let (is_reset, is_next) = (line.flag("reset"), line.flag("next"));
    let mut bytes = Vec::new();
    for _ in 0..times {
        bytes.extend(frame.written(length));
        if is_reset {
            bytes.extend(Frame::on(frame.header.stream, Kind::RST_STREAM, vec![0, 0, 0, 8]).written(None));
        }
        if is_reset || is_next {
            frame.header.stream = frame.header.stream.wrapping_add(2);
        }
    }
    Ok(bytes)
}

/// The fields of RFC 7540's priority: the stream depends on none, with the usual weight.
const PRIORITY: [u8; 5] = [0, 0, 0, 0, 15];

fn padding(line: &mut Line) -> Result<Option<u8>, ScriptError> {
    let Some(word) = line.option("padding") else { return Ok(None) };
    line.within(&word, 0, 255).map(|padding| Some(padding as u8))
}

/// `ENABLE_CONNECT_PROTOCOL=1`, or a setting by its number: `0x8=1`.
fn settings(line: &mut Line) -> Result<Vec<u8>, ScriptError> {
    let mut bytes = Vec::new();
    for (id, name) in SETTINGS {
        while let Some(word) = line.option(name) {
            let value = line.within(&word, 0, u64::from(u32::MAX))? as u32;
            bytes.extend_from_slice(&id.to_be_bytes());
            bytes.extend_from_slice(&value.to_be_bytes());
        }
    }
    bytes.extend(line.payload()?);
    Ok(bytes)
}

/// The header fields of an extended CONNECT (RFC 8441 §5), but for those that are dropped.
fn connect(line: &mut Line) -> Result<Vec<String>, ScriptError> {
    let path = line.text("path")?.unwrap_or_else(|| "/".to_owned());
    let mut fields = vec![
        ":method: CONNECT".to_owned(),
        ":protocol: websocket".to_owned(),
        ":scheme: http".to_owned(),
        format!(":path: {path}"),
        ":authority: example.com".to_owned(),
        "sec-websocket-version: 13".to_owned(),
    ];
    for (option, name) in
        [("subprotocol", "sec-websocket-protocol"), ("extensions", "sec-websocket-extensions")]
    {
        fields.extend(line.text(option)?.map(|value| format!("{name}: {value}")));
    }
    dropping(fields, line)
}

/// Those of the answer that opens a WebSocket.
fn accept(line: &mut Line) -> Result<Vec<String>, ScriptError> {
    let status = line.text("status")?.unwrap_or_else(|| "200".to_owned());
    let mut fields = vec![format!(":status: {status}")];
    for (option, name) in
        [("subprotocol", "sec-websocket-protocol"), ("extensions", "sec-websocket-extensions")]
    {
        fields.extend(line.text(option)?.map(|value| format!("{name}: {value}")));
    }
    dropping(fields, line)
}

fn dropping(mut fields: Vec<String>, line: &mut Line) -> Result<Vec<String>, ScriptError> {
    while let Some(name) = line.text("drop")? {
        fields.retain(|field| !field.starts_with(&format!("{name}: ")));
    }
    Ok(fields)
}

/// A header block: fields as quoted strings, `"name: value"`, in no code and entered in no table unless the
/// line says `indexed`; hexadecimal bytes stand for themselves.
fn block(usual: Vec<String>, line: &mut Line) -> Result<Vec<u8>, ScriptError> {
    let first = if line.flag("indexed") { 0x40 } else { 0 };
    let mut bytes = Vec::new();
    for field in usual {
        literal(first, field.as_bytes(), &mut bytes);
    }
    while let Some(field) = line.text("header")? {
        literal(first, field.as_bytes(), &mut bytes);
    }
    let is_part =
        |word: &Word| word.name.is_none() && (word.quoted || super::line::hex(&word.value).is_some());
    while line.words.first().is_some_and(is_part) {
        let word = line.words.remove(0);
        match super::line::hex(&word.value).filter(|_| !word.quoted) {
            Some(hex) => bytes.extend(hex),
            None => literal(first, &word.value, &mut bytes),
        }
    }
    if let Some(word) = line.option("size") {
        let size = line.within(&word, 0, 1 << 24)? as usize;
        if let Some(last) = bytes.last().copied() {
            bytes.resize(size.max(bytes.len()), last);
        }
    }
    Ok(bytes)
}

/// A field as it is (RFC 7541 §6.2).
fn literal(first: u8, field: &[u8], to: &mut Vec<u8>) {
    // A pseudo-header field begins with a colon.
    let colon = field.iter().skip(1).position(|byte| *byte == b':').map_or(field.len(), |at| at + 1);
    let value = field.get(colon + 1..).unwrap_or_default().trim_ascii_start();
    to.push(first);
    for text in [&field[..colon], value] {
        integer(text.len(), to);
        to.extend_from_slice(text);
    }
}

/// An integer behind one bit (RFC 7541 §5.1).
fn integer(value: usize, to: &mut Vec<u8>) {
    let Some(mut rest) = value.checked_sub(127) else { return to.push(value as u8) };
    to.push(127);
    while rest >= 128 {
        to.push((rest % 128) as u8 | 0x80);
        rest /= 128;
    }
    to.push(rest as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_written_as_they_are() {
        let mut bytes = Vec::new();
        literal(0, b":path: /", &mut bytes);
        literal(0x40, b"a:", &mut bytes);
        assert_eq!(bytes, b"\x00\x05:path\x01/\x40\x01a\x00");
        let mut bytes = Vec::new();
        integer(127 + 128, &mut bytes);
        assert_eq!(bytes, [127, 0x80, 1]);
    }

    #[test]
    fn data_is_wrapped() {
        let data = Data { stream: 3, ends: true, padding: Some(2) };
        assert_eq!(data.around(b"Hi"), b"\x00\x00\x05\x00\x09\x00\x00\x00\x03\x02Hi\x00\x00");
    }
}
