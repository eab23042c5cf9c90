//! What the members of an object look like, so that a record is written as it reads.
//!
//! ```ignore
//! open!(w, "type": "gap", "conn": unit.conn);
//! members!(w, "offset": gap.offset, "between": gap.between);
//! ```
//!
//! A key is a literal, so that it, its quotes, its colon and the comma before it are one
//! copy of a length the compiler knows.

use std::io::Write;

use super::write::Writer;
use crate::model::{
    Cite, Dir, EndKind, Endpoint, GapEffect, Handshake, Roles, Rule, Severity, SourceId, Span, StreamEnd,
    Text, Time, Verdict,
};

/// Begins an object with its first members. What type of record it is, is a word of this program's own, and
/// a part of the literal.
macro_rules! open {
    ($w:expr, "type" : $kind:literal, $first:literal : $value:expr $(, $key:literal : $more:expr)* $(,)?) => {
        $w.raw(concat!("{\"type\":\"", $kind, "\",\"", $first, "\":"));
        $crate::render::json::value::ToJson::put($value, $w);
        $crate::render::json::value::members!($w $(, $key: $more)*);
    };
    ($w:expr, "type" : $kind:literal $(, $key:literal : $more:expr)* $(,)?) => {
        $w.raw(concat!("{\"type\":\"", $kind, "\""));
        $crate::render::json::value::members!($w $(, $key: $more)*);
    };
    ($w:expr, $first:literal : $value:expr $(, $key:literal : $more:expr)* $(,)?) => {
        $w.raw(concat!("{\"", $first, "\":"));
        $crate::render::json::value::ToJson::put($value, $w);
        $crate::render::json::value::members!($w $(, $key: $more)*);
    };
}

/// Writes more members of an object.
macro_rules! members {
    ($w:expr $(, $key:literal : $value:expr)* $(,)?) => {
        $(
            $w.raw(concat!(",\"", $key, "\":"));
            $crate::render::json::value::ToJson::put($value, $w);
        )*
    };
}

/// Writes an object.
macro_rules! object {
    ($w:expr, $($key:literal : $value:expr),+ $(,)?) => {
        $crate::render::json::value::open!($w, $($key: $value),+);
        $w.raw("}");
    };
}

pub(crate) use {members, object, open};

/// What can be a value.
pub(crate) trait ToJson<W: Write> {
    /// Writes it.
    fn put(self, w: &mut Writer<W>);
}

/// Whatever a function writes.
pub(crate) struct With<F>(F);

/// A value that a function writes.
#[inline]
pub(crate) fn with<W: Write, F: FnOnce(&mut Writer<W>)>(write: F) -> With<F> {
    With(write)
}

impl<W: Write, F: FnOnce(&mut Writer<W>)> ToJson<W> for With<F> {
    #[inline]
    fn put(self, w: &mut Writer<W>) {
        (self.0)(w);
    }
}

/// An array of what an iterator gives.
pub(crate) struct List<I>(pub I);

impl<W: Write, I: IntoIterator<Item: ToJson<W>>> ToJson<W> for List<I> {
    #[inline]
    fn put(self, w: &mut Writer<W>) {
        w.raw("[");
        for (i, item) in self.0.into_iter().enumerate() {
            if i > 0 {
                w.raw(",");
            }
            item.put(w);
        }
        w.raw("]");
    }
}

/// An object of what an iterator gives with names: words of this program's own.
pub(crate) struct Members<I>(pub I);

impl<W: Write, T: ToJson<W>, I: IntoIterator<Item = (&'static str, T)>> ToJson<W> for Members<I> {
    fn put(self, w: &mut Writer<W>) {
        w.raw("{");
        for (i, (key, value)) in self.0.into_iter().enumerate() {
            w.named(i == 0, key);
            value.put(w);
        }
        w.raw("}");
    }
}

/// Something of the client and of the server.
pub(crate) struct Sides<T>(pub [T; 2]);

impl<W: Write, T: ToJson<W>> ToJson<W> for Sides<T> {
    fn put(self, w: &mut Writer<W>) {
        let [client, server] = self.0;
        object!(w, "client": client, "server": server);
    }
}

/// A word of this program's own.
pub(crate) struct Word(pub &'static str);

impl<W: Write> ToJson<W> for Word {
    #[inline]
    fn put(self, w: &mut Writer<W>) {
        w.word(self.0);
    }
}

/// Nanoseconds, as seconds.
pub(crate) struct Seconds(pub u64);

impl<W: Write> ToJson<W> for Seconds {
    #[inline]
    fn put(self, w: &mut Writer<W>) {
        w.seconds(self.0);
    }
}

/// Bytes, as a string in Base64.
pub(crate) struct Base64<'a>(pub &'a [u8]);

impl<W: Write> ToJson<W> for Base64<'_> {
    fn put(self, w: &mut Writer<W>) {
        w.base64(self.0);
    }
}

impl<W: Write, T: ToJson<W>> ToJson<W> for Option<T> {
    #[inline]
    fn put(self, w: &mut Writer<W>) {
        match self {
            Some(it) => it.put(w),
            None => w.raw("null"),
        }
    }
}

impl<W: Write, A: ToJson<W>> ToJson<W> for (A,) {
    #[inline]
    fn put(self, w: &mut Writer<W>) {
        w.raw("[");
        self.0.put(w);
        w.raw("]");
    }
}

impl<W: Write, A: ToJson<W>, B: ToJson<W>> ToJson<W> for (A, B) {
    #[inline]
    fn put(self, w: &mut Writer<W>) {
        w.raw("[");
        self.0.put(w);
        w.raw(",");
        self.1.put(w);
        w.raw("]");
    }
}

impl<W: Write, A: ToJson<W>, B: ToJson<W>, C: ToJson<W>> ToJson<W> for (A, B, C) {
    fn put(self, w: &mut Writer<W>) {
        w.raw("[");
        self.0.put(w);
        w.raw(",");
        self.1.put(w);
        w.raw(",");
        self.2.put(w);
        w.raw("]");
    }
}

/// `impl`s of one line each.
macro_rules! as_json {
    ($($type:ty: |$it:ident, $w:ident| $write:expr;)*) => {
        $(
            impl<W: Write> ToJson<W> for $type {
                #[inline]
                fn put(self, $w: &mut Writer<W>) {
                    let $it = self;
                    $write;
                }
            }
        )*
    };
}

as_json! {
    u64: |it, w| w.number(it);
    u32: |it, w| w.number(it.into());
    u16: |it, w| w.number(it.into());
    u8: |it, w| w.number(it.into());
    usize: |it, w| w.number(it as u64);
    bool: |it, w| w.raw(if it { "true" } else { "false" });
    &str: |it, w| w.string(it);
    &String: |it, w| w.string(it);
    Time: |it, w| w.seconds(it.0);
    &Text: |it, w| if it.args.is_empty() { it.template.put(w) } else { w.words(it) };
    Cite: |it, w| w.display(it);
    Endpoint: |it, w| w.endpoint(it);
    SourceId: |it, w| w.display(it);
    Severity: |it, w| w.word(it.name());
    &Span: |it, w| (it.source, it.start, it.end).put(w);
    &Rule: |it, w| w.word(it.id);
    Dir: |it, w| w.raw(match it {
        Dir::Client => r#""client""#,
        Dir::Server => r#""server""#,
    });
}

/// What is one of several words.
pub(crate) trait Named {
    /// The word.
    fn name(self) -> &'static str;
}

/// The words of enumerations.
macro_rules! words {
    ($($type:ident { $($variant:ident => $word:literal),+ $(,)? })+) => {
        $(
            impl Named for $type {
                fn name(self) -> &'static str {
                    match self {
                        $(Self::$variant => $word),+
                    }
                }
            }

            impl<W: Write> ToJson<W> for $type {
                #[inline]
                fn put(self, w: &mut Writer<W>) {
                    w.word(self.name());
                }
            }
        )+
    };
}

words! {
    EndKind {
        CloseHandshake => "close-handshake",
        Fin => "fin",
        Rst => "rst",
        CaptureEnd => "capture-end",
        Untold => "untold",
        Failed => "failed",
    }
    GapEffect {
        SkippedInPayload => "skipped-in-payload",
        Resynchronised => "resynchronised",
        Desynchronised => "desynchronised",
        WithinStream => "within-stream",
        StreamFound => "stream-found",
        StreamLost => "stream-lost",
    }
    Handshake {
        Full => "full",
        RequestOnly => "request-only",
        AnswerUnseen => "request-only",
        ResponseOnly => "response-only",
        Missing => "missing",
        Refused => "refused",
        Http => "http",
        Polling => "polling",
        Streaming => "streaming",
        Lines => "lines",
        Http2 => "http2",
    }
    Roles {
        Handshake => "handshake",
        Masking => "masking",
        Ports => "ports",
        Assumed => "assumed",
    }
    Verdict {
        Ok => "ok",
        Warning => "warning",
        Broken => "broken",
        Irrelevant => "irrelevant",
    }
}

/// What ended TCP, or a stream of HTTP/2.
impl Named for StreamEnd {
    fn name(self) -> &'static str {
        match self {
            Self::Rst => "rst",
            Self::EndStream => "end-stream",
            Self::Reset(_) => "rst-stream",
            Self::Notify => "close-notify",
            Self::Fin | Self::Input | Self::Capture => "fin",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_written_as_it_reads() {
        let mut w = Writer::new(Vec::new());
        let w_ref = &mut w;
        open!(w_ref, "type": "test", "none": None::<u64>);
        members!(
            w_ref,
            "bool": true,
            "quoted": "a\"b",
            "pair": (1_u64, Some("x")),
            "list": List([1_u8, 2]),
            "sides": Sides([Seconds(1), Seconds(1_500_000_000)]),
            "empty": List(std::iter::empty::<u64>()),
            "bytes": Base64(&[0xFF]),
            "with": with(|w| { object!(w, "source": SourceId::Input); }),
        );
        w_ref.raw("}");
        assert_eq!(
            String::from_utf8(w.finish().unwrap()).unwrap(),
            concat!(
                r#"{"type":"test","none":null,"bool":true,"quoted":"a\"b","pair":[1,"x"],"list":[1,2],"#,
                r#""sides":{"client":"0.000000001","server":"1.500000000"},"empty":[],"bytes":"/w==","#,
                r#""with":{"source":"input"}}"#
            )
        );
    }
}
