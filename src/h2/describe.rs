//! Annotates frames for those who look, and says in a line what they are.

use super::reader::FrameSeen;
use super::{
    DEBUG_DATA, ERROR_CODE, FLAG, FLAGS, INCREMENT, LAST_STREAM, LENGTH, OPAQUE, PAYLOAD, PREFACE_FIELD,
    RESERVED, SETTING, SETTING_ID, SETTING_VALUE, STREAM, TYPE,
};
use crate::model::http2::{Kind, PREFACE, error_name, error_shown, setting_name};
use crate::model::{Field, FieldDef, SourceId, Span, Text, Value};

/// What a frame is, in a line.
pub fn summary(frame: &FrameSeen) -> Text {
    let header = frame.header;
    if frame.is_preface() {
        return "the connection preface of HTTP/2".into();
    }
    let number = |from: usize| frame.number(from).unwrap_or_default();
    match header.kind {
        Kind::SETTINGS if header.is_ack() => "SETTINGS acknowledged".into(),
        Kind::SETTINGS => {
            let each = frame.settings().map(|(id, value)| match setting_name(id) {
                Some(name) => format!("{name} = {value}"),
                None => format!("0x{id:x} = {value}"),
            });
            match each.collect::<Vec<_>>().join(", ") {
                list if list.is_empty() => "SETTINGS, all as they are by default".into(),
                list => Text::with("SETTINGS: {}", list),
            }
        }
        Kind::PING if header.is_ack() => "PING answered".into(),
        Kind::GOAWAY => {
            let (code, debug) = frame.goaway().unwrap_or((number(4), &[]));
            let text = Text::with("GOAWAY: {}, the last stream is {}", error_shown(code)).and(number(0));
            match String::from_utf8_lossy(debug).into_owned() {
                words if words.is_empty() => text,
                words => Text::new("{}: {}").word(text).and(words),
            }
        }
        Kind::RST_STREAM => {
            Text::with("RST_STREAM: stream {} ends with {}", header.stream).and(error_shown(number(0)))
        }
        Kind::WINDOW_UPDATE => {
            Text::with("WINDOW_UPDATE: {} bytes more on stream {}", number(0)).and(header.stream)
        }
        kind => Text::with("{}", kind.shown()),
    }
}

/// The fields of a frame, in bytes of `source`.
pub fn describe(frame: &FrameSeen, source: SourceId) -> Vec<Field> {
    let mut list = List { source, at: frame.offset, fields: Vec::new() };
    if frame.is_preface() {
        let text = String::from_utf8_lossy(&frame.payload).into_owned();
        list.add(&PREFACE_FIELD, (0, PREFACE.len()), Value::Text(text));
        return list.fields;
    }
    let header = frame.header;
    list.add(&LENGTH, (0, 3), Value::Number(u64::from(header.length)));
    let kind = list.add(&TYPE, (3, 1), Value::Code(u64::from(header.kind.0)));
    kind.meaning = header.kind.name().map_or_else(|| "an extension".into(), Text::new);
    list.add(&FLAGS, (4, 1), Value::Code(u64::from(header.flags)));
    for (bit, name) in header.kind.flags() {
        let start = 4 * 8 + bit.leading_zeros() as usize;
        let flag = list.bits(&FLAG, (start, 1), Value::Bit(header.has(*bit)));
        (flag.meaning, flag.depth) = (Text::new(name), 1);
    }
    list.bits(&RESERVED, (5 * 8, 1), Value::Bit(header.reserved));
    list.bits(&STREAM, (5 * 8 + 1, 31), Value::Number(u64::from(header.stream)));
    payload(frame, &mut list);
    list.fields
}

fn payload(frame: &FrameSeen, list: &mut List) {
    let bytes = &frame.payload;
    let whole = (9, bytes.len());
    match frame.header.kind {
        Kind::RST_STREAM => list.error(frame, 0),
        Kind::GOAWAY => {
            list.number(&LAST_STREAM, frame);
            list.error(frame, 4);
            if let Some(debug) = bytes.get(8..).filter(|debug| !debug.is_empty()) {
                let text = String::from_utf8_lossy(debug).into_owned();
                list.add(&DEBUG_DATA, (17, debug.len()), Value::Text(text));
            }
        }
        Kind::SETTINGS => {
            for (n, (id, value)) in frame.settings().enumerate() {
                let at = 9 + 6 * n;
                list.add(&SETTING, (at, 6), Value::Bytes(bytes[6 * n..][..6].to_vec()));
                let field = list.add(&SETTING_ID, (at, 2), Value::Code(u64::from(id)));
                field.meaning = setting_name(id).map_or_else(|| "an extension".into(), Text::new);
                field.depth = 1;
                list.add(&SETTING_VALUE, (at + 2, 4), Value::Number(u64::from(value))).depth = 1;
            }
        }
        Kind::WINDOW_UPDATE => list.number(&INCREMENT, frame),
        _ if bytes.is_empty() => {}
        Kind::PING => {
            list.add(&OPAQUE, whole, Value::Bytes(bytes.clone()));
        }
        _ => {
            list.add(&PAYLOAD, whole, Value::Bytes(bytes.clone()));
        }
    }
}

/// Fields as they come up.
struct List {
    source: SourceId,
    /// Where the frame begins.
    at: u64,
    fields: Vec<Field>,
}

impl List {
    /// Adds a field of so many bytes of the frame, from one on.
    fn add(&mut self, def: &'static FieldDef, (at, len): (usize, usize), value: Value) -> &mut Field {
        self.bits(def, (at * 8, len * 8), value)
    }

    /// The same in bits.
    fn bits(&mut self, def: &'static FieldDef, (at, len): (usize, usize), value: Value) -> &mut Field {
        let start = self.at * 8 + at as u64;
        let span = Span::bits(self.source, start, start + len as u64);
        let at = self.fields.len();
        self.fields.push(Field { def, span, value, meaning: Text::default(), depth: 0 });
        &mut self.fields[at]
    }

    /// A number of 31 bits with which the payload begins.
    fn number(&mut self, def: &'static FieldDef, frame: &FrameSeen) {
        if let Some(number) = frame.number(0) {
            self.add(def, (9, 4), Value::Number(u64::from(number & 0x7FFF_FFFF)));
        }
    }

    /// An error code at byte `at` of the payload.
    fn error(&mut self, frame: &FrameSeen, at: usize) {
        if let Some(code) = frame.number(at) {
            let field = self.add(&ERROR_CODE, (9 + at, 4), Value::Number(u64::from(code)));
            field.meaning = error_name(code).map_or_else(Text::default, Text::new);
        }
    }
}
