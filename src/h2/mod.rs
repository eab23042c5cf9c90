//! HTTP/2 framing (RFC 9113) as far as WebSockets need it (RFC 8441): the spec sheet.
//!
//! The fields of its frames and the rules their senders are held to stand here, each with its section. The
//! code that reads and judges them is in the files below:
//!
//! - `reader` cuts one endpoint's bytes into frames, whose headers [`http2`](crate::model::http2) has
//! - `hpack` decodes header blocks (RFC 7541), `block` gathers them from HEADERS and CONTINUATION
//! - `settings` is what an endpoint has announced, `stream` what is known of a stream
//! - `connection` keeps both endpoints together, holds frames against the rules, and says what happens on
//!   which stream; `flood` counts those that only cost their receiver
//! - `shape` finds where frames begin: where the beginning was not captured, and behind a hole
//! - `describe` annotates frames for those who look

mod block;
mod connection;
mod describe;
mod flood;
mod hpack;
mod reader;
mod settings;
pub mod shape;
mod stream;

pub use block::HeadSeen;
pub use connection::{Connection, Event};
pub use describe::{describe, summary};
pub use hpack::Line;
pub use reader::{FrameSeen, Run};

use crate::model::{Cite, fields, rules};

/// A section of RFC 9113, HTTP/2.
const fn s(section: &'static str) -> Cite {
    Cite { doc: "RFC 9113", section }
}

/// A section of RFC 8441, Bootstrapping WebSockets with HTTP/2.
const fn ws(section: &'static str) -> Cite {
    Cite { doc: "RFC 8441", section }
}

fields! {
    /// The fields of frames, in wire order.
    FIELDS;
    PREFACE_FIELD = "h2.preface", "connection preface", s("3.4"),
        "What a client begins with, so that a server that knows only HTTP/1 stops at once.";
    LENGTH = "h2.length", "Length", s("4.1"), "Bytes of payload, without the nine of the header.";
    TYPE = "h2.type", "Type", s("4.1"), "What the frame is; receivers skip those they do not know.";
    FLAGS = "h2.flags", "Flags", s("4.1"), "What they mean depends on the type.";
    FLAG = "h2.flag", "flag", s("6"), "Something about this frame.";
    RESERVED = "h2.reserved", "Reserved", s("4.1"), "0; receivers ignore it.", Reserved;
    STREAM = "h2.stream", "Stream Identifier", s("4.1"),
        "The stream that it belongs to; 0 for the connection as a whole. Odd ones were opened by the client.";
    SETTING = "h2.setting", "Setting", s("6.5.1"), "What its sender is willing to receive.";
    SETTING_ID = "h2.setting.identifier", "Identifier", s("6.5.1"), "Which setting it is.";
    SETTING_VALUE = "h2.setting.value", "Value", s("6.5.1"), "What it is set to.";
    ERROR_CODE = "h2.error_code", "Error Code", s("7"), "Why.";
    LAST_STREAM = "h2.last_stream", "Last-Stream-ID", s("6.8"),
        "The last stream that its sender has dealt with or may yet; later ones were not looked at.";
    DEBUG_DATA = "h2.debug_data", "Additional Debug Data", s("6.8"), "Words for a developer's log.", Payload;
    OPAQUE = "h2.opaque", "Opaque Data", s("6.7"), "Eight bytes that the answer repeats.";
    INCREMENT = "h2.increment", "Window Size Increment", s("6.9"),
        "Bytes of DATA that may be sent besides those that may be already.";
    PROMISED = "h2.promised", "Promised Stream ID", s("6.6"), "The stream on which the server will answer.";
    PRIORITY_FIELD = "h2.priority", "Priority", s("5.3.2"), "Of RFC 7540; without a meaning since RFC 9113.";
    PAYLOAD = "h2.payload", "Payload", s("4.1"), "What the frame carries.", Payload;
}

/// What a receiver does about most of it.
const FAILS: &str = "the receiver ends the whole connection with GOAWAY, and all WebSockets on it";
/// What a receiver does about a stream.
const RESETS: &str = "the receiver ends the stream with RST_STREAM";

rules! {
    /// The rules of HTTP/2's frames and streams.
    RULES;
    PREFACE_INVALID = "h2-preface-invalid", Error, s("3.4"), Client,
        "the client's connection preface is broken",
        FAILS;
    SETTINGS_NOT_FIRST = "h2-settings-not-first", Error, s("3.4"), Either,
        "the first frame is no SETTINGS frame",
        FAILS;
    FRAME_SIZE = "h2-frame-size", Error, s("4.2"), Either,
        "a frame has a length that its type, or its receiver's settings, do not allow",
        FAILS;
    WRONG_STREAM = "h2-wrong-stream", Error, s("5.1.1"), Either,
        "a frame stands on a stream where its type has no place",
        FAILS;
    STREAM_ID = "h2-stream-id-invalid", Error, s("5.1.1"), Either,
        "a stream is opened with a number that its sender must not use",
        FAILS;
    CLOSED_STREAM = "h2-frame-on-closed-stream", Error, s("5.1"), Either,
        "an endpoint sends on a stream that it has ended",
        RESETS;
    FLOW_CONTROL = "h2-flow-control-exceeded", Error, s("6.9.1"), Either,
        "more DATA is sent than the receiver's window allows",
        "the receiver ends the stream or the connection with FLOW_CONTROL_ERROR";
    WINDOW_UPDATE_INVALID = "h2-window-update-invalid", Error, s("6.9"), Either,
        "a WINDOW_UPDATE adds nothing, or more than a window can hold",
        "the receiver ends the stream or the connection";
    PADDING = "h2-padding-too-long", Error, s("6.1"), Either,
        "a frame's padding is longer than the frame",
        FAILS;
    CONTINUATION = "h2-continuation-expected", Error, s("6.10"), Either,
        "a header block is interrupted, or continued where none has begun",
        FAILS;
    HPACK = "h2-header-compression", Error, s("4.3"), Either,
        "a header block cannot be decompressed",
        "the receiver ends the connection with COMPRESSION_ERROR: nothing that comes later could be read \
         either",
        usually "an encoder and a decoder that disagree about their table, as where a proxy drops a \
                 header block",
        mend "update the program that sent it, or set its table's size to 0 (SETTINGS_HEADER_TABLE_SIZE)";
    HEADERS_TOO_LARGE = "h2-header-list-too-large", Warning, s("10.5.1"), Either,
        "a header block decodes to far more than it takes on the wire",
        "a receiver guarding its limits answers 431, resets the stream or ends the connection";
    CONTINUATION_FLOOD = "h2-continuation-flood", Warning, s("10.5"), Either,
        "a header block goes on in very many CONTINUATION frames",
        "a receiver without a limit keeps all of them; one that guards itself ends the connection";
    CONTROL_FLOOD = "h2-control-flood", Warning, s("10.5"), Either,
        "very many frames come that only cost their receiver",
        "a receiver guarding itself ends the connection with ENHANCE_YOUR_CALM";
    RAPID_RESET = "h2-rapid-reset", Warning, s("10.5"), Client,
        "very many streams are opened and reset at once",
        "the server does the work of each request for nothing; one that guards itself ends the connection \
         with ENHANCE_YOUR_CALM";
    SETTING_INVALID = "h2-setting-invalid", Error, s("6.5.2"), Either,
        "a setting has a value that is not allowed",
        FAILS;
    SETTINGS_ACK_UNEXPECTED = "h2-settings-ack-unexpected", Warning, s("6.5.3"), Either,
        "SETTINGS are acknowledged that were not sent",
        "most receivers ignore it";
    CONNECT_PROTOCOL_INVALID = "h2-enable-connect-protocol-invalid", Error, ws("3"), Either,
        "SETTINGS_ENABLE_CONNECT_PROTOCOL is neither 0 nor 1, or is taken back",
        "the receiver ends the connection with PROTOCOL_ERROR, or opens no WebSocket on it";
    MALFORMED_HEAD = "h2-malformed-head", Error, s("8.1.1"), Either,
        "header fields break the rules of HTTP/2",
        "the receiver resets the stream with PROTOCOL_ERROR; a server may answer 400 first";
    CONNECTION_FIELD = "h2-connection-header", Error, s("8.2.2"), Either,
        "a header field that is meant for a connection of HTTP/1 is sent over HTTP/2",
        "the receiver resets the stream with PROTOCOL_ERROR: HTTP/2 has frames for what it says",
        usually "a handshake for HTTP/1.1 (Upgrade, Connection) that is sent, or translated by a proxy, \
                 as it is",
        mend "leave Connection, Upgrade, Keep-Alive, Proxy-Connection and Transfer-Encoding out";
    STREAMS_EXCEEDED = "h2-streams-exceeded", Error, s("5.1.2"), Either,
        "more streams are open than the receiver allows",
        "the receiver resets the stream with REFUSED_STREAM or PROTOCOL_ERROR";
    PUSH = "h2-push-not-allowed", Error, s("8.4"), Either,
        "a stream is promised although nobody may",
        FAILS;
    GOAWAY = "h2-goaway", Warning, s("6.8"), Either,
        "the connection is ended with an error",
        "no streams are opened on it any more; WebSockets on it end, and clients connect again";
    TABLE_UNKNOWN = "h2-header-table-unknown", Note, s("4.3"), Capture,
        "header fields refer to what was sent before the capture began, or in a hole",
        "their names or values are not known here; the endpoints know them";
    INFERRED = "h2-found-by-shape", Note, s("4.1"), Capture,
        "frames of HTTP/2 were found by their shape, because what comes before them was not captured",
        "what follows is read as HTTP/2; settings, windows and header fields from before are not known";
    NOT_FOLLOWED = "h2-streams-not-followed", Note, s("5.1.2"), Capture,
        "more streams are open than are followed",
        "those beyond are not shown";
}
