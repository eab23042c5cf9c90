//! Holds frames and header fields against the rules, and keeps what they change.

use super::super::block::{HeadSeen, SENT};
use super::super::hpack::Line;
use super::super::reader::FrameSeen;
use super::super::settings::MOST_WINDOW;
use super::super::{
    CLOSED_STREAM, CONNECTION_FIELD, CONTROL_FLOOD, FRAME_SIZE, GOAWAY, MALFORMED_HEAD, PUSH,
    SETTINGS_ACK_UNEXPECTED, SETTINGS_NOT_FIRST, STREAM_ID, STREAMS_EXCEEDED, WINDOW_UPDATE_INVALID,
    WRONG_STREAM,
};
use super::Connection;
use crate::limits;
use crate::model::http2::{FrameHeader, Kind, error_shown};
use crate::model::{Diagnosis, Dir, Finding, Rule, Span, Text};

/// Judges a whole frame of `dir`.
pub(super) fn frame(of: &mut Connection, dir: Dir, frame: &FrameSeen, findings: &mut Vec<Finding>) {
    let header = frame.header;
    let span = Span::bytes(SENT, frame.offset, 9);
    let mut find = |rule, expected: Text, got: Text| {
        findings.push(Finding::new(rule, dir, expected, got).at(span));
    };
    let lane = &of.lanes[dir.index()];
    if lane.is_first && !of.is_midway && (header.kind != Kind::SETTINGS || header.is_ack()) {
        find(&SETTINGS_NOT_FIRST, "SETTINGS".into(), Text::with("{}", header.kind.shown()));
    }
    let most = of.lanes[dir.peer().index()].settings.frame;
    if header.length > most && !of.is_midway {
        let expected = Text::with("at most {} bytes, as the receiver allows", most);
        find(&FRAME_SIZE, expected, Text::with("{} bytes", header.length));
    } else if let Some(expected) = wrong_size(header).filter(|_| !of.is_midway) {
        let got = Text::with("{} with {} bytes", header.kind.shown()).and(header.length);
        find(&FRAME_SIZE, expected.into(), got);
    }
    let on_connection = header.kind.is_of_connection();
    let on_either = header.kind == Kind::WINDOW_UPDATE || header.kind.0 > 9;
    if !on_either && on_connection != (header.stream == 0) {
        let got = Text::with("{} on stream {}", header.kind.shown()).and(header.stream);
        find(&WRONG_STREAM, if on_connection { "stream 0" } else { "a stream other than 0" }.into(), got);
    }
    if let Some(count) = of.lanes[dir.index()].flood.frame(header, frame.at.time) {
        let seconds = limits::H2_FLOOD_TIME / 1_000_000_000;
        let got = Text::with("{} frames within {} s, the last one {}", count).and(seconds);
        findings.push(Finding::new(
            &CONTROL_FLOOD,
            dir,
            "frames that carry something".into(),
            got.and(header.kind.shown()),
        ));
    }
    stream(of, dir, frame, findings);
    match header.kind {
        Kind::SETTINGS => settings(of, dir, frame, findings),
        Kind::WINDOW_UPDATE => window_update(of, dir, frame, findings),
        Kind::GOAWAY => goaway(of, dir, frame, findings),
        _ => {}
    }
}

/// What a frame's length should be, if it is not.
fn wrong_size(header: FrameHeader) -> Option<&'static str> {
    let length = header.length;
    let padding = u32::from(header.has(FrameHeader::PADDED));
    match header.kind {
        Kind::SETTINGS if header.is_ack() => (length != 0).then_some("0 bytes in an acknowledgement"),
        Kind::SETTINGS => (!length.is_multiple_of(6)).then_some("a multiple of 6 bytes"),
        Kind::PING => (length != 8).then_some("8 bytes"),
        Kind::RST_STREAM | Kind::WINDOW_UPDATE => (length != 4).then_some("4 bytes"),
        Kind::PRIORITY => (length != 5).then_some("5 bytes"),
        Kind::GOAWAY => (length < 8).then_some("8 bytes or more"),
        Kind::PUSH_PROMISE => (length < 4 + padding).then_some("4 bytes or more"),
        Kind::HEADERS if header.has(FrameHeader::PRIORITY) => {
            (length < 5 + padding).then_some("5 bytes or more, with PRIORITY")
        }
        Kind::HEADERS | Kind::DATA => (length < padding).then_some("1 byte or more, with PADDED"),
        _ => None,
    }
}

/// Whether the stream may carry it, which HEADERS may open.
fn stream(of: &mut Connection, dir: Dir, frame: &FrameSeen, findings: &mut Vec<Finding>) {
    let (header, index) = (frame.header, dir.index());
    let FrameHeader { kind, stream: id, .. } = header;
    let span = Span::bytes(SENT, frame.offset + 5, 4);
    let mut find = |rule, expected: Text, got: Text| {
        findings.push(Finding::new(rule, dir, expected, got).at(span));
    };
    if id == 0 || kind.0 > 9 || matches!(kind, Kind::PRIORITY | Kind::CONTINUATION) {
        return;
    }
    let by_client = id % 2 == 1;
    let is_idle = id > of.highest[usize::from(!by_client)];
    match of.streams.get(&id) {
        Some(stream) if stream.ended[index] && matches!(kind, Kind::DATA | Kind::HEADERS) => {
            // RFC 9113 §5.1: An endpoint MUST NOT send frames other than PRIORITY on a closed stream.
            let got = Text::with("{} on stream {}", kind.shown()).and(id);
            find(&CLOSED_STREAM, "nothing behind END_STREAM".into(), got);
        }
        None if is_idle && kind == Kind::HEADERS => {
            if by_client != (dir == Dir::Client) || dir == Dir::Server {
                let got = Text::with("HEADERS on stream {}, which nobody has opened", id);
                let expected = if dir == Dir::Client { "an odd number" } else { "a stream that was opened" };
                find(&STREAM_ID, expected.into(), got);
            }
            of.highest[usize::from(!by_client)] = id;
            let allowed = &of.lanes[dir.peer().index()].settings;
            if let Some(most) = allowed.streams.filter(|_| allowed.is_known && !of.is_midway) {
                let open = of.streams.values().filter(|stream| stream.by_client).count();
                if open >= most as usize {
                    let got = Text::with("one more than {}, with stream {}", open).and(id);
                    find(&STREAMS_EXCEEDED, Text::with("at most {} streams at a time", most), got);
                }
            }
            of.open(id, by_client);
        }
        None if is_idle && kind != Kind::PUSH_PROMISE => {
            let got = Text::with("{} on stream {}, which nobody has opened", kind.shown()).and(id);
            find(&WRONG_STREAM, "a stream that was opened".into(), got);
        }
        _ => {}
    }
}

fn settings(of: &mut Connection, dir: Dir, frame: &FrameSeen, findings: &mut Vec<Finding>) {
    if frame.header.is_ack() {
        // It acknowledges what the peer has sent.
        let peer = &mut of.lanes[dir.peer().index()].settings;
        if peer.unacknowledged == 0 && !of.is_midway && !peer.is_known {
            let got = "an acknowledgement of nothing".into();
            let span = Span::bytes(SENT, frame.offset, 9);
            let expected = "SETTINGS of the peer before it".into();
            findings.push(Finding::new(&SETTINGS_ACK_UNEXPECTED, dir, expected, got).at(span));
        }
        let shrinks = peer.acknowledged();
        for stream in of.streams.values_mut() {
            stream.window[dir.index()] -= shrinks;
        }
        return;
    }
    let settings = &mut of.lanes[dir.index()].settings;
    let grows = settings.take(frame, dir, findings);
    let table = settings.table;
    of.lanes[dir.peer().index()].tables.allow(table);
    for stream in of.streams.values_mut() {
        stream.window[dir.peer().index()] += grows;
    }
}

fn window_update(of: &mut Connection, dir: Dir, frame: &FrameSeen, findings: &mut Vec<Finding>) {
    let Some(increment) = frame.number(0).map(|number| number & MOST_WINDOW) else { return };
    let id = frame.header.stream;
    let window = match id {
        0 => Some(&mut of.window[dir.peer().index()]),
        id => of.streams.get_mut(&id).map(|stream| &mut stream.window[dir.peer().index()]),
    };
    let after = window.map(|window| {
        *window += i64::from(increment);
        *window
    });
    let got = match after {
        _ if increment == 0 => Text::new("0"),
        Some(after) if after > i64::from(MOST_WINDOW) && of.knows_windows => {
            Text::with("{}, which makes {}", increment).and(after)
        }
        _ => return,
    };
    let span = Span::bytes(SENT, frame.offset + 9, 4);
    let expected = "1 or more, for a window of at most 2,147,483,647".into();
    findings.push(Finding::new(&WINDOW_UPDATE_INVALID, dir, expected, got).at(span));
}

fn goaway(of: &Connection, dir: Dir, frame: &FrameSeen, findings: &mut Vec<Finding>) {
    let Some((code, debug)) = frame.goaway().filter(|(code, _)| *code != 0) else { return };
    let got = match String::from_utf8_lossy(debug).into_owned() {
        words if words.is_empty() => Text::with("{}", error_shown(code)),
        words => Text::with("{}: {}", error_shown(code)).and(words),
    };
    let span = Span::bytes(SENT, frame.offset + 13, 4);
    let mut finding = Finding::new(&GOAWAY, dir, "NO_ERROR".into(), got).at(span);
    // What the peer did before is a better answer than what the code may mean.
    if let Some(rule) = of.broken[dir.peer().index()] {
        let what = Text::new("the answer to what the {} did before: {}").word(dir.peer().name());
        let what = what.word(rule.title);
        let fix = "--findings shows where; change what sends it, or raise the limit that was reached";
        finding = finding.because(Diagnosis::new("h2-answer-to-broken-rule", what, fix));
    }
    findings.push(finding);
}

/// Judges header fields.
pub(super) fn head(of: &mut Connection, dir: Dir, head: &mut HeadSeen) {
    let mut found = Vec::new();
    if let Some(promised) = head.promised {
        let may = of.lanes[Dir::Client.index()].settings.push;
        if dir == Dir::Client || !may && of.lanes[Dir::Client.index()].settings.is_known {
            let got = Text::with("PUSH_PROMISE of stream {}", promised);
            let expected = "none, as the client's settings say";
            found.push(Finding::new(&PUSH, dir, expected.into(), got));
        }
        of.highest[1] = of.highest[1].max(promised);
        of.open(promised, false);
        if let Some(stream) = of.streams.get_mut(&promised) {
            stream.ended[Dir::Client.index()] = true;
        }
    }
    let is_request = dir == Dir::Client || head.promised.is_some();
    let is_trailer = of.streams.get(&head.stream).is_some_and(|stream| stream.heads[dir.index()])
        && head.lines.iter().all(|line| !line.name.starts_with(b":"));
    let mut names: Vec<&[u8]> = Vec::new();
    let mut is_behind = false;
    for line in &head.lines {
        let Some((rule, expected, got)) = fault(line, is_request, is_behind, &names) else {
            is_behind |= !line.name.starts_with(b":");
            names.push(&line.name);
            continue;
        };
        let span = Span::bytes(SENT, head.offset_of(line.at.start), line.at.len() as u64);
        found.push(Finding::new(rule, dir, expected.into(), got).at(span));
        if found.len() >= LISTED {
            break;
        }
    }
    let has = |name: &[u8]| names.contains(&name);
    if head.unknown == 0 && !is_trailer && head.findings.is_empty() && found.is_empty() {
        // What CONNECT leaves out is for those who know its protocol.
        let is_connect = head.lines.iter().any(|line| line.name == b":method" && line.value == b"CONNECT");
        let wanted: &[&str] = match (is_request, is_connect) {
            (false, _) => &[":status"],
            (true, true) => &[],
            (true, false) => &[":method", ":scheme", ":path"],
        };
        if let Some(missing) = wanted.iter().find(|name| !has(name.as_bytes())) {
            let got = Text::with("no {}", missing);
            found.push(Finding::new(&MALFORMED_HEAD, dir, Text::with("{}", wanted.join(", ")), got));
        }
    }
    head.findings.append(&mut found);
}

/// Findings of a head that are listed.
const LISTED: usize = 8;

/// What is wrong with a header field, as HTTP/2 has it.
fn fault(line: &Line, is_request: bool, is_behind: bool, names: &[&[u8]]) -> Option<Fault> {
    let name = String::from_utf8_lossy(&line.name);
    if line.name.is_empty() {
        return None;
    }
    if let Some(pseudo) = line.name.strip_prefix(b":") {
        let is_known = match pseudo {
            b"method" | b"scheme" | b"path" | b"authority" | b"protocol" => is_request,
            b"status" => !is_request,
            _ => false,
        };
        let (expected, got) = if !is_known {
            ("the pseudo-header fields of its kind of message (§8.3)", Text::with("{}", name))
        } else if is_behind {
            ("pseudo-header fields before all others (§8.3)", Text::with("{} behind an ordinary field", name))
        } else if names.contains(&&line.name[..]) {
            ("each pseudo-header field once (§8.3)", Text::with("{} again", name))
        } else {
            return None;
        };
        return Some((&MALFORMED_HEAD, expected, got));
    }
    if line.name.iter().any(|b| b.is_ascii_uppercase() || *b <= b' ' || *b >= 0x7F || *b == b':') {
        let expected = "names in lower case, without blanks (§8.2.1)";
        return Some((&MALFORMED_HEAD, expected, Text::with("{}", name)));
    }
    if line.value.iter().any(|b| matches!(b, 0 | b'\r' | b'\n')) {
        let expected = "values without line ends (§8.2.1)";
        return Some((&MALFORMED_HEAD, expected, Text::with("a line end or 0 in {}", name)));
    }
    // RFC 9113 §8.2.2: An endpoint MUST NOT generate an HTTP/2 message containing connection-specific header
    // fields.
    let is_of_connection = match &line.name[..] {
        b"connection" | b"proxy-connection" | b"keep-alive" | b"transfer-encoding" | b"upgrade" => true,
        b"te" => line.is_known && line.value != b"trailers",
        _ => false,
    };
    is_of_connection.then(|| {
        let got = Text::with("{}: {}", name).and(String::from_utf8_lossy(&line.value));
        (&CONNECTION_FIELD, "no such header field", got)
    })
}

/// A rule that a header field breaks, what it asks for, and what there is.
type Fault = (&'static Rule, &'static str, Text);
