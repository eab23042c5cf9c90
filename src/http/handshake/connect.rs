//! The handshake over HTTP/2: CONNECT with `:protocol`, and its answer (RFC 8441 §4, §5).

use super::super::fields::Name;
use super::super::head::{StartLine, shown};
use super::super::{
    ACCEPT_OVER_HTTP2, EXTENDED_CONNECT_INCOMPLETE, KEY_OVER_HTTP2, REQUEST_TARGET_MISMATCH,
    STATUS_101_OVER_HTTP2,
};
use super::exam::Exam;
use crate::model::{Text, Verdict};

/// Whether a request is an extended CONNECT for a WebSocket.
pub(super) fn asks(exam: &Exam<'_, '_>) -> bool {
    let StartLine::Request { method, .. } = exam.head.start else { return false };
    let protocol = exam.first(Name::PseudoProtocol);
    method.bytes == b"CONNECT" && protocol.is_some_and(|(_, it)| it.bytes.eq_ignore_ascii_case(b"websocket"))
}

/// Judges what an extended CONNECT has in place of HTTP/1's request line, Host, Upgrade, Connection and key.
pub(super) fn request(exam: &mut Exam<'_, '_>) {
    for (name, label, meaning) in [
        (Name::PseudoScheme, ":scheme", "whether TLS protects it"),
        (Name::PseudoPath, ":path", "what is asked for"),
        (Name::PseudoAuthority, ":authority", "the server, and which of its sites is wanted"),
    ] {
        match exam.first(name) {
            //= RFC 8441 §4
            //# On requests that contain the :protocol pseudo-header field, the
            //# :scheme and :path pseudo-header fields of the target URI (see
            //# Section 5) MUST also be included.
            None => {
                let got = Text::with("no {}", label);
                exam.find(&EXTENDED_CONNECT_INCOMPLETE, ":scheme, :path and :authority", got, None);
            }
            Some((field, value)) if value.bytes.is_empty() => {
                let got = Text::with("an empty {}", label);
                exam.find_value(field, &EXTENDED_CONNECT_INCOMPLETE, ":scheme, :path and :authority", got);
            }
            Some((field, value)) if name == Name::PseudoScheme && !is_scheme(value.bytes) => {
                //= RFC 8441 §5
                //# The scheme of the target URI (Section 5.1 of [RFC7230]) MUST be
                //# "https" for "wss"-schemed WebSockets and "http" for "ws"-schemed
                //# WebSockets.
                let got = Text::with("{}", shown(value.bytes));
                exam.find_value(field, &REQUEST_TARGET_MISMATCH, "https, or http without TLS", got);
            }
            Some((field, _)) => exam.mark(field, Verdict::Ok, || meaning.into()),
        }
    }
    if let Some((field, _)) = exam.first(Name::PseudoMethod) {
        exam.mark(field, Verdict::Ok, || "asks for a stream to be tunnelled".into());
    }
    if let Some((field, _)) = exam.first(Name::PseudoProtocol) {
        exam.mark(field, Verdict::Ok, || "asks for the stream to carry WebSocket".into());
    }
    if let Some((field, value)) = exam.first(Name::Host)
        && let Some((_, authority)) = exam.first(Name::PseudoAuthority)
        && !value.bytes.eq_ignore_ascii_case(authority.bytes)
    {
        let got = Text::with("{} in :authority, {} in Host", shown(authority.bytes)).and(shown(value.bytes));
        exam.find_value(field, &REQUEST_TARGET_MISMATCH, "the same host and port in both", got);
    }
    if let Some((field, _)) = exam.first(Name::Key) {
        //= RFC 8441 §5
        //# do not do the processing of the Sec-WebSocket-Key and Sec-WebSocket-
        //# Accept header fields of [RFC6455] as that functionality has been
        //# superseded by the :protocol pseudo-header field.
        let expected = "no Sec-WebSocket-Key: :protocol takes its place";
        exam.find_value(field, &KEY_OVER_HTTP2, expected, "Sec-WebSocket-Key".into());
    }
}

fn is_scheme(scheme: &[u8]) -> bool {
    [&b"http"[..], b"https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// Judges what an answer that opens the WebSocket has in place of HTTP/1's.
pub(super) fn response(exam: &mut Exam<'_, '_>) {
    if let Some((field, _)) = exam.first(Name::PseudoStatus) {
        exam.mark(field, Verdict::Ok, || "this stream now speaks WebSocket".into());
    }
    if let Some((field, _)) = exam.first(Name::Accept) {
        let expected = "no Sec-WebSocket-Accept: nothing is to be echoed";
        exam.find_value(field, &ACCEPT_OVER_HTTP2, expected, "Sec-WebSocket-Accept".into());
    }
}

/// 101 over HTTP/2.
pub(super) fn switches(exam: &mut Exam<'_, '_>) {
    // RFC 9113 §8.6: HTTP/2 removes support for the 101 (Switching Protocols) informational status code
    let span = exam.head.start_line_at();
    exam.find(&STATUS_101_OVER_HTTP2, "200", "101", Some(span));
}
