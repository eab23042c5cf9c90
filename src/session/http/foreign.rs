//! What a server answers that is no HTTP, by its first bytes.

use crate::http::MALFORMED_RESPONSE;
use crate::limits;
use crate::model::{At, Body, Case, Diagnosis, Dir, Finding, Opening, Secured, Span, Text, Unit};
use crate::session::about::About;
use crate::session::{Context, Start};
use crate::tls;

use super::{Http, OTHER, STAY, Turn, told};
use crate::session::run::Run;

/// An answer that is no HTTP, as far as it has come.
#[derive(Debug)]
pub(super) struct Foreign {
    pub bytes: Vec<u8>,
    /// Where its first byte stands.
    offset: u64,
    first: At,
    last: At,
    told: bool,
}

/// What some bytes are: a word for programs, words for people, and whether they are all there.
#[derive(Debug, PartialEq)]
pub(in crate::session) struct Known {
    pub protocol: &'static str,
    pub about: Text,
    pub whole: bool,
}

/// Whether an answer that begins so can be no HTTP. Empty lines in front of it may be ignored.
pub(super) fn is_no_http<'b>(bytes: impl Iterator<Item = &'b u8>) -> bool {
    let mut expected = b"HTTP/".iter();
    for byte in bytes.skip_while(|byte| matches!(byte, b'\r' | b'\n')) {
        match expected.next() {
            None => return false,
            Some(right) if right != byte => return true,
            Some(_) => {}
        }
    }
    false
}

/// Recognises the protocol of some bytes that are no HTTP/1.
pub(in crate::session) fn recognise(bytes: &[u8]) -> Known {
    let known = |protocol, about, whole| Known { protocol, about, whole };
    if let Some(record) = tls::record(bytes) {
        let about = match (tls::alert(&record), record.kind) {
            (Some((code, "")), _) => Text::with("a TLS alert, number {}", code),
            (Some((_, name)), _) => Text::with("a TLS alert: {}", name),
            (None, tls::Kind::Alert) => Text::new("a TLS alert"),
            (None, tls::Kind::Handshake) => Text::new("a TLS handshake"),
            (None, _) => Text::new("a TLS record"),
        };
        return known("tls", about, record.is_whole());
    }
    if matches!(bytes, [20..=23, 3, 0..=4, ..] | [20..=23, 3] | [20..=23]) && bytes.len() < 5 {
        return known("unknown", Text::new("the beginning of something that is no HTTP"), false);
    }
    // A SETTINGS frame on stream 0 (RFC 9113 §6.5) is what a server of HTTP/2 begins with.
    if let [high, middle, low, 4, 0 | 1, 0, 0, 0, 0, rest @ ..] = bytes {
        let length = usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low);
        if length.is_multiple_of(6) && length < limits::OPENING {
            return known(
                "http2",
                Text::new("HTTP/2, which begins with a SETTINGS frame"),
                rest.len() >= length,
            );
        }
    }
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let ended = line.len() < bytes.len();
    let text = String::from_utf8_lossy(line.trim_ascii_end()).into_owned();
    let is_text = !text.is_empty() && text.chars().all(|c| !c.is_control() && c != '\u{FFFD}');
    if !is_text {
        return known("unknown", Text::new("bytes that are no HTTP"), bytes.len() >= limits::OPENING);
    }
    let upper = text.to_ascii_uppercase();
    let (protocol, about) = if text.starts_with("SSH-") {
        ("ssh", Text::with("the greeting of an SSH server: {}", &text))
    } else if upper.starts_with("220") && upper.contains("FTP") && !upper.contains("SMTP") {
        ("ftp", Text::with("the greeting of an FTP server: {}", &text))
    } else if upper.starts_with("220") {
        ("smtp", Text::with("the greeting of a mail server (SMTP): {}", &text))
    } else if text.starts_with("+OK") {
        ("pop3", Text::with("the greeting of a mail server (POP3): {}", &text))
    } else if text.starts_with("* OK") {
        ("imap", Text::with("the greeting of a mail server (IMAP): {}", &text))
    } else if text.starts_with("-ERR") || text.starts_with("-DENIED") {
        ("redis", Text::with("an error of Redis: {}", &text))
    } else if upper.starts_with("RTSP/") {
        ("rtsp", Text::with("a status line of RTSP: {}", &text))
    } else if upper.starts_with("HTTP/") {
        ("unknown", Text::with("HTTP in lower case, which its grammar does not allow: {}", &text))
    } else if text.starts_with('<') {
        ("unknown", Text::with("a document without an HTTP head: {}", &text))
    } else {
        ("unknown", Text::with("text that is no HTTP: {}", &text))
    };
    known(protocol, about, ended || bytes.len() >= limits::OPENING)
}

impl Http {
    /// Takes bytes of a server that answers something else than HTTP; all of them are used.
    pub(super) fn foreign(&mut self, run: Run<'_>, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        let lane = &mut self.server;
        let foreign = lane.foreign.get_or_insert_with(|| {
            // What was thought to be a head until now.
            let bytes = std::mem::take(&mut lane.reader).bytes().to_vec();
            let at = run.at;
            let first =
                lane.pieces.first().map_or(at, |piece| At { packet: piece.packet, byte: piece.byte, ..at });
            let offset = run.offset - bytes.len() as u64;
            Box::new(Foreign { offset, bytes, first, last: at, told: false })
        });
        if foreign.told {
            return STAY;
        }
        let room = limits::OPENING - foreign.bytes.len();
        // What stands behind the end of the line or record says no more than that.
        let whole = run.bytes[..run.bytes.len().min(room)].iter().any(|byte| {
            foreign.bytes.push(*byte);
            recognise(&foreign.bytes).whole
        });
        foreign.last = run.at;
        let full = foreign.bytes.len() == limits::OPENING;
        if whole || full { self.tell_foreign(about, cx) } else { STAY }
    }

    /// Tells of an answer that is no HTTP, once a request is known that it answers.
    pub(super) fn tell_foreign(&mut self, about: &mut About, cx: &mut Context<'_, '_>) -> Turn {
        let asked = self.requests.iter().find(|request| request.upgrade.is_some());
        let asked = asked.map(|request| request.time);
        // Something stands before it that is not there, or, as frames show, the 101 itself.
        let is_frame = |bytes: &[u8]| {
            matches!(bytes, [0x01 | 0x02 | 0x81 | 0x82 | 0x88..=0x8A | 0xC1 | 0xC2, 0..=127, ..])
        };
        let Some(foreign) = self.server.foreign.as_mut().filter(|foreign| !foreign.told) else {
            return STAY;
        };
        let Some(asked) = asked else {
            let is_awaited = self.client.has_begun() || about.heard(Dir::Client) == 0;
            return if is_awaited { STAY } else { OTHER };
        };
        // Behind a hole it may be the rest of a head.
        let is_rest = about.start == Start::Midway && foreign.offset > 0;
        if self.server.behind || is_rest || !about.hears_both() || is_frame(&foreign.bytes) {
            return OTHER;
        }
        foreign.told = true;
        let Known { protocol, about: words, .. } = recognise(&foreign.bytes);
        let source = about.source(Dir::Server);
        let Some(connection) = &mut about.told else { return STAY };
        connection.refused();
        cx.memory.answered(connection.conn, &mut connection.entry);
        let expected = Text::new("HTTP/1.1 101 Switching Protocols");
        let span = Span::bytes(source, foreign.offset, foreign.bytes.len() as u64);
        let case = Case {
            behind: Some(behind(protocol, connection.connection.secured.as_deref())),
            ..Case::new(Text::new("got no HTTP/1.1 in answer, but {}").word(words.clone()), Vec::new())
        };
        let finding =
            Finding::new(&MALFORMED_RESPONSE, Dir::Server, expected, words.clone()).at(span).like(case);
        let opening = Opening::new(foreign.offset, protocol, &words, &foreign.bytes);
        told(cx.out.emit(&Unit {
            dir: Some(Dir::Server),
            // A server that speaks first has said so before it was asked.
            time: foreign.last.time.max(asked),
            packets: (foreign.last.packet > 0).then_some((foreign.first.packet, foreign.last.packet)),
            findings: &[finding],
            ..Unit::of(connection.conn, Body::Opening(&opening))
        }))
    }
}

/// What is behind an answer in another protocol, within this TLS, and what to change.
fn behind(protocol: &str, secured: Option<&Secured>) -> Diagnosis {
    let agreed = secured.and_then(|secured| secured.alpn.as_deref());
    match protocol {
        // A server may choose only what was offered (RFC 7301 §3.1).
        "http2" if agreed == Some("h2") => Diagnosis::new(
            "http2-agreed",
            "the client offers h2 by ALPN, the server takes it, and the client sends HTTP/1.1 all the same",
            "let the client offer http/1.1 alone for WebSockets, or open them over HTTP/2 (RFC 8441)",
        ),
        "http2" => Diagnosis::new(
            "http2-only-server",
            "the server speaks HTTP/2 only, and a WebSocket handshake with Upgrade needs HTTP/1.1",
            "let the server speak HTTP/1.1 too, or open the WebSocket over HTTP/2 (RFC 8441) with a client \
             that can",
        ),
        "tls" => Diagnosis::new(
            "plain-to-tls-port",
            "the port expects TLS, and the client speaks to it without",
            "connect with wss:// instead of ws://, or to the port without TLS",
        ),
        _ => Diagnosis::new(
            "another-service",
            "another service than a web server listens at this port",
            "check the port, and what listens there",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_can_be_no_http() {
        for (bytes, expected) in [
            (&b""[..], false),
            (b"\r\nHT", false),
            (b"HTTP/1.1 101", false),
            (b"HTTPS", true),
            (b"http/1.1", true),
            (b"\r\n220 ", true),
            (b"\x15", true),
        ] {
            assert_eq!(is_no_http(bytes.iter()), expected, "{bytes:?}");
        }
    }

    #[test]
    fn strangers_are_known_by_their_first_bytes() {
        for (bytes, protocol, whole) in [
            (&b"\x15\x03\x01\x00\x02\x02\x46"[..], "tls", true),
            (b"\x15\x03\x01\x00\x02\x02", "tls", false),
            (b"\x15\x03\x01", "unknown", false),
            (b"SSH-2.0-OpenSSH_9.6\r\n", "ssh", true),
            (b"SSH-2.0", "ssh", false),
            (b"220 mail.example ESMTP\r\n", "smtp", true),
            (b"220 (vsFTPd 3.0.5)\r\n", "ftp", true),
            (b"-ERR unknown command\r\n", "redis", true),
            (b"\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64", "http2", true),
            (b"<html>\n", "unknown", true),
            (b"broken nonsense", "unknown", false),
            (b"\x00\x01\x02", "unknown", false),
        ] {
            let known = recognise(bytes);
            assert_eq!((known.protocol, known.whole), (protocol, whole), "{bytes:?}: {known:?}");
        }
        assert_eq!(
            recognise(b"\x15\x03\x01\x00\x02\x02\x46").about.to_string(),
            "a TLS alert: protocol_version"
        );
    }
}
