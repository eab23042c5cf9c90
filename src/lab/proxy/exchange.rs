//! HTTP on its way through: requests that poll and their answers, held until they are whole, so that
//! something can be done to them.
//!
//! Of what streams server-sent [events](super::events) are held one by one. Everything else passes as it
//! comes: pages and what belongs to them, what is too long, and what else streams, of which the units are
//! counted.

use std::collections::VecDeque;

use super::events::{Event, Events, Flown};
use super::head::{self, Edits};
use super::rule::Content;
use crate::app::socketio;
use crate::http::body::Body;
use crate::http::head::{Head, HeadReader, HeadState};
use crate::http::stream::{Kind, Reader, Run};
use crate::limits;
use crate::model::{Dir, ON, Opcode};

/// What stands between packets of Engine.IO 4 in a body.
const SEPARATOR: u8 = 0x1E;

/// A packet of Engine.IO that says nothing: a body has to have one.
const NOOP: &[u8] = b"6";

/// What is to be passed on next.
#[derive(Debug)]
pub(super) enum Passed {
    /// This, whatever it is.
    Bytes(Vec<u8>),
    /// This of an answer that streams, in which so many units end.
    Units(Vec<u8>, u64),
    /// A request that polls, or its answer, if something is not done to it.
    Exchange(Box<Exchange>),
    /// A server-sent event, if something is not done to it.
    Event(Box<Event>),
}

/// A request that polls, or its answer, as a whole.
#[derive(Debug)]
pub(super) struct Exchange {
    pub from: Dir,
    /// Its head, and its body as it came.
    head: Vec<u8>,
    body: Vec<u8>,
    /// What it says, in parts that may be taken out by themselves: packets of Engine.IO, or one of all.
    parts: Vec<Part>,
    /// The parts are packets of Engine.IO 4.
    engine: bool,
    /// There is a coding around what it says (RFC 9110 §8.4).
    is_coded: bool,
}

/// A part of what a body says.
#[derive(Debug)]
struct Part {
    bytes: Vec<u8>,
    /// It is a message, and not what a protocol says of itself.
    is_message: bool,
}

impl Exchange {
    /// Its messages: of an empty body there are none.
    pub fn messages(&self) -> impl Iterator<Item = (usize, Content)> + '_ {
        let messages = self.parts.iter().enumerate().filter(|(_, part)| part.is_message);
        messages.map(|(place, part)| (place, self.content(part)))
    }

    fn content(&self, part: &Part) -> Content {
        let text = std::str::from_utf8(&part.bytes).ok();
        let message = text.filter(|_| self.engine).and_then(|text| text.strip_prefix('4'));
        Content {
            from: self.from,
            kind: if text.is_some() { Opcode::TEXT } else { Opcode::BINARY },
            payload: part.bytes.clone(),
            // What a coding is around cannot be read, nor changed.
            cut: self.is_coded,
            compressed: false,
            event: message.and_then(|text| Some(socketio::read(text).ok()?.event()?.0)),
            is_named_apart: false,
        }
    }

    /// Whether a message can be lost and the rest still make sense.
    pub fn has_packets(&self) -> bool {
        self.engine
    }

    /// Has one of its messages replaced, or left out.
    pub fn change(&mut self, place: usize, new: Option<Vec<u8>>) {
        match (self.parts.get_mut(place), new) {
            (Some(part), Some(new)) => part.bytes = new,
            // Their places stay.
            (Some(part), None) => part.bytes.clear(),
            (None, _) => {}
        }
    }

    /// The bytes as they came.
    pub fn unchanged(self) -> Vec<u8> {
        [self.head, self.body].concat()
    }

    /// The bytes with what it says now.
    pub fn changed(self) -> Vec<u8> {
        let mut body = if self.engine {
            let kept = self.parts.iter().map(|part| part.bytes.as_slice()).filter(|part| !part.is_empty());
            kept.collect::<Vec<_>>().join(&SEPARATOR)
        } else {
            self.parts.into_iter().flat_map(|part| part.bytes).collect()
        };
        if self.engine && body.is_empty() {
            body = NOOP.to_vec();
        }
        let head = head::parse(&self.head);
        let mut edits = Edits::default();
        edits.without(&head, &["transfer-encoding", "content-length"]);
        edits.field(&head, "Content-Length", &body.len().to_string());
        let mut bytes = edits.apply(&self.head);
        bytes.append(&mut body);
        bytes
    }
}

/// Follows the requests of a connection and their answers.
#[derive(Default)]
pub(super) struct Exchanges {
    ways: [Way; 2],
    asked: VecDeque<Asked>,
    /// It is no HTTP that can be followed any longer: everything passes.
    lost: bool,
}

/// What is known of a request that waits for its answer.
struct Asked {
    method: String,
    polls: bool,
    engine: bool,
}

/// One direction.
#[derive(Default)]
struct Way {
    reader: HeadReader,
    /// What follows a head, as long as it does.
    body: Option<Open>,
}

/// A body under way.
struct Open {
    body: Body,
    /// What is held of head and body: `None` where it passes.
    held: Option<(Vec<u8>, Vec<u8>)>,
    engine: bool,
    /// What counts the units, where it streams.
    streams: Option<Reader>,
    /// What divides it into events instead, where they can be changed.
    events: Option<Events>,
}

impl Exchanges {
    /// Takes what one side sends next, and gives what is to be passed on.
    pub fn push(&mut self, from: Dir, mut bytes: &[u8]) -> Vec<Passed> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            if self.lost {
                pieces.push(Passed::Bytes(bytes.to_vec()));
                break;
            }
            let way = &mut self.ways[from.index()];
            if let Some(open) = &mut way.body {
                let (used, is_over) = open.take(from, bytes, &mut pieces);
                bytes = &bytes[used..];
                if is_over {
                    way.body = None;
                }
                continue;
            }
            let progress = way.reader.push(bytes);
            bytes = &bytes[progress.consumed..];
            match progress.state {
                HeadState::Reading => {}
                HeadState::Complete => self.head(from, &mut pieces),
                HeadState::Overflowing => {
                    pieces.push(Passed::Bytes(self.rest(from)));
                    self.lost = true;
                }
            }
        }
        pieces
    }

    /// What is held of a side that has ended, or is followed no longer.
    pub fn rest(&mut self, from: Dir) -> Vec<u8> {
        let way = &mut self.ways[from.index()];
        let mut rest = std::mem::take(&mut way.reader).bytes().to_vec();
        let Some(mut open) = way.body.take() else { return rest };
        if let Some(Flown::Bytes(held)) = open.events.as_mut().and_then(Events::flush) {
            rest.extend(held);
        }
        if let Some((head, body)) = open.held {
            rest.extend([head, body].concat());
        }
        rest
    }

    /// A head is whole.
    fn head(&mut self, from: Dir, pieces: &mut Vec<Passed>) {
        let bytes = std::mem::take(&mut self.ways[from.index()].reader).bytes().to_vec();
        let head = head::parse(&bytes);
        let open = match from {
            Dir::Client => self.request(&head),
            Dir::Server => self.response(&head),
        };
        let Some(mut open) = open else {
            pieces.push(Passed::Bytes(bytes));
            return;
        };
        match &mut open.held {
            Some((held, _)) => *held = bytes,
            None => pieces.push(Passed::Bytes(bytes)),
        }
        if open.body.is_done() {
            open.finish(from, pieces);
        } else {
            self.ways[from.index()].body = Some(open);
        }
    }

    fn request(&mut self, head: &Head<'_>) -> Option<Open> {
        let [method, target] = head::request(head)?;
        let method = String::from_utf8_lossy(method).into_owned();
        if head::is_upgrade(head)
            || method == "CONNECT"
            || self.asked.len() >= limits::HTTP_REQUESTS_PIPELINED
        {
            // What it becomes is not HTTP any longer.
            self.lost = true;
            return None;
        }
        let polls = polls(head);
        let query = target.split(|byte| *byte == b'?').nth(1).unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query);
        let engine = polls && pairs.any(|(key, value)| key == "EIO" && value == "4") && !has(query, "j");
        self.asked.push_back(Asked { method, polls, engine });
        let held = polls.then(Default::default);
        Some(Open { body: Body::for_request(head), held, engine, streams: None, events: None })
    }

    fn response(&mut self, head: &Head<'_>) -> Option<Open> {
        if head.status().is_some_and(|status| (100..200).contains(&status)) {
            self.lost |= head.status() == Some(101);
            return None;
        }
        let Some(Asked { method, polls, engine }) = self.asked.pop_front() else {
            self.lost = true;
            return None;
        };
        let body = Body::for_response(head, Some(&method));
        let kind = Kind::of(head).filter(|kind| polls && (*kind != Kind::Pages || !body.is_done()));
        let has = |name| head.values(name).next().is_some();
        // What has a length cannot become longer or shorter, and what is compressed cannot be changed.
        let is_open = body.is_until_close() || has("Transfer-Encoding");
        let may_change = kind == Some(Kind::Events) && is_open && !has("Content-Encoding");
        let events = may_change.then(|| Events::new(!body.is_until_close()));
        let streams = kind.as_ref().filter(|_| events.is_none()).map(Reader::of);
        // What has no length may go on for ever.
        let is_held = polls && streams.is_none() && events.is_none() && !body.is_until_close();
        Some(Open { body, held: is_held.then(Default::default), engine, streams, events })
    }
}

impl Open {
    /// Takes bytes of a body: how many are its own, and whether it is over.
    fn take(&mut self, from: Dir, bytes: &[u8], pieces: &mut Vec<Passed>) -> (usize, bool) {
        if self.events.is_some() {
            return self.take_events(bytes, pieces);
        }
        let mut used = 0;
        let mut units = 0;
        while used < bytes.len() && !self.body.is_done() {
            let (taken, content) = self.body.next_content(&bytes[used..]);
            used += taken;
            if let Some(reader) = self.streams.as_mut().filter(|_| content > 0) {
                let bytes = &bytes[used - content..used];
                let run = Run { bytes, packet: 0, offset: 0, inflated: false };
                let _ = reader.push(run, &mut |seen| {
                    // A comment is no message.
                    units += u64::from(!seen.kept.starts_with(b":"));
                    ON
                });
            }
        }
        let bytes = &bytes[..used];
        let is_over = self.body.is_done();
        match &mut self.held {
            Some((head, body)) if head.len() + body.len() + used <= limits::PROXY_HELD => {
                body.extend_from_slice(bytes);
                if is_over {
                    self.finish(from, pieces);
                }
            }
            Some(_) => {
                // It is too long to be held.
                let (head, body) = self.held.take().unwrap_or_default();
                pieces.push(Passed::Bytes([&head, &body, bytes].concat()));
            }
            None if self.streams.is_some() => pieces.push(Passed::Units(bytes.to_vec(), units)),
            None => pieces.push(Passed::Bytes(bytes.to_vec())),
        }
        (used, is_over)
    }

    /// The same of server-sent events, each of which is passed on by itself.
    fn take_events(&mut self, bytes: &[u8], pieces: &mut Vec<Passed>) -> (usize, bool) {
        let (mut used, mut flown) = (0, Vec::new());
        while let Some(events) = self.events.as_mut().filter(|_| used < bytes.len() && !self.body.is_done()) {
            let (taken, content) = self.body.next_content(&bytes[used..]);
            if self.body.is_malformed() {
                // What comes is for the client to judge.
                flown.extend(events.flush());
                flown.push(Flown::Bytes(bytes[used..].to_vec()));
                (self.events, used) = (None, bytes.len());
                break;
            }
            used += taken;
            events.push(&bytes[used - content..used], &mut flown);
        }
        let is_over = self.body.is_done();
        if let Some(events) = self.events.as_mut().filter(|_| is_over) {
            events.end(&mut flown);
        }
        pieces.extend(flown.into_iter().map(|it| match it {
            Flown::Bytes(bytes) => Passed::Bytes(bytes),
            Flown::Event(event) => Passed::Event(event),
        }));
        (used, is_over)
    }

    /// A message is whole.
    fn finish(&mut self, from: Dir, pieces: &mut Vec<Passed>) {
        let Some((head, body)) = self.held.take() else { return };
        let parsed = head::parse(&head);
        let content = content(&parsed, &body);
        let is_coded = parsed.values("Content-Encoding").next().is_some();
        let parts = match content {
            None => Vec::new(),
            Some(content) if content.is_empty() => Vec::new(),
            Some(content) if self.engine => {
                // `ok` answers what a client has sent.
                let packets = content.split(|byte| *byte == SEPARATOR);
                packets.map(|it| Part { bytes: it.to_vec(), is_message: it.starts_with(b"4") }).collect()
            }
            Some(content) => vec![Part { bytes: content, is_message: true }],
        };
        let engine = self.engine;
        pieces.push(Passed::Exchange(Box::new(Exchange { from, head, body, parts, engine, is_coded })));
    }
}

/// What a body holds, without its chunks.
fn content(head: &Head<'_>, body: &[u8]) -> Option<Vec<u8>> {
    let framing = if head.is_response() { Body::for_response(head, None) } else { Body::for_request(head) };
    let mut framing = framing.keeping(limits::PROXY_HELD);
    framing.push(body);
    (!framing.is_malformed()).then(|| framing.preview().to_vec())
}

/// Whether a request may poll: whether a script makes it, and no document or what belongs to one is fetched.
pub(super) fn polls(head: &Head<'_>) -> bool {
    let Some([_, target]) = head::request(head) else { return false };
    let field = |name| head.values(name).next().map(|value| value.text().to_ascii_lowercase());
    let query = target.split(|byte| *byte == b'?').nth(1).unwrap_or_default();
    match field("Sec-Fetch-Dest").as_deref() {
        Some("document" | "style" | "image" | "font" | "manifest" | "audio" | "video") => false,
        // JSONP is a script like any other, but for the function that it names.
        Some("script") => ["callback", "jsonp", "j"].iter().any(|name| has(query, name)),
        Some(_) => true,
        None => !field("Accept").is_some_and(|accept| accept.starts_with("text/html")),
    }
}

/// Whether a query has a parameter of this name.
fn has(query: &[u8], name: &str) -> bool {
    form_urlencoded::parse(query).any(|(key, _)| key == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLL: &[u8] = b"GET /socket.io/?EIO=4&transport=polling&sid=a HTTP/1.1\r\nHost: a\r\n\r\n";

    fn answer(body: &str) -> Vec<u8> {
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    }

    /// What passes, in pieces of each size.
    fn all(from: Dir, bytes: &[u8], size: usize, exchanges: &mut Exchanges) -> (Vec<u8>, Vec<usize>) {
        let (mut passed, mut messages) = (Vec::new(), Vec::new());
        for piece in bytes.chunks(size).flat_map(|piece| exchanges.push(from, piece)) {
            match piece {
                Passed::Bytes(bytes) | Passed::Units(bytes, _) => passed.extend(bytes),
                Passed::Event(event) => passed.extend(event.bytes(None)),
                Passed::Exchange(exchange) => {
                    messages.push(exchange.messages().count());
                    passed.extend(exchange.unchanged());
                }
            }
        }
        passed.extend(exchanges.rest(from));
        (passed, messages)
    }

    #[test]
    fn exchanges_are_passed_as_they_came_in_any_pieces() {
        let requests = [POLL, b"GET / HTTP/1.1\r\nAccept: text/html\r\n\r\n", POLL].concat();
        let chunked =
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n4a\x1e\r\n2\r\n4b\r\n0\r\n\r\n";
        let answers = [&answer("0{}\x1e42[\"a\"]")[..], &answer("<p>"), chunked].concat();
        for size in [1, 2, 7, 1000] {
            let mut exchanges = Exchanges::default();
            assert_eq!(all(Dir::Client, &requests, size, &mut exchanges), (requests.clone(), vec![0, 0]));
            assert_eq!(all(Dir::Server, &answers, size, &mut exchanges), (answers.clone(), vec![1, 2]));
        }
    }

    #[test]
    fn packets_are_taken_out_by_themselves() {
        let mut exchanges = Exchanges::default();
        exchanges.push(Dir::Client, POLL);
        let mut pieces = exchanges.push(Dir::Server, &answer("2\x1e42[\"a\",1]\x1e42[\"b\"]"));
        let Some(Passed::Exchange(mut exchange)) = pieces.pop() else { panic!("an answer") };
        let messages: Vec<_> = exchange.messages().map(|(place, it)| (place, it.event)).collect();
        assert_eq!(messages, [(1, Some("a".to_owned())), (2, Some("b".to_owned()))]);
        exchange.change(1, None);
        exchange.change(2, Some(b"42[\"c\"]".to_vec()));
        let bytes = exchange.changed();
        assert_eq!(bytes, answer("2\x1e42[\"c\"]"), "{}", bytes.escape_ascii());
    }

    #[test]
    fn a_body_without_packets_says_nothing() {
        let mut exchanges = Exchanges::default();
        exchanges.push(Dir::Client, POLL);
        let Some(Passed::Exchange(mut exchange)) = exchanges.push(Dir::Server, &answer("42[\"a\"]")).pop()
        else {
            panic!("an answer")
        };
        exchange.change(0, None);
        assert_eq!(exchange.changed(), answer("6"));
    }

    #[test]
    fn what_polls_is_no_page() {
        for (fields, expected) in [
            ("", true),
            ("Accept: */*\r\n", true),
            ("Accept: text/html,*/*\r\n", false),
            ("Accept: */*\r\nSec-Fetch-Dest: image\r\n", false),
            ("Accept: text/html\r\nSec-Fetch-Dest: empty\r\n", true),
            ("Sec-Fetch-Dest: script\r\n", false),
        ] {
            let bytes = format!("GET /x?y=1 HTTP/1.1\r\n{fields}\r\n");
            assert_eq!(polls(&head::parse(bytes.as_bytes())), expected, "{fields}");
        }
        let jsonp = b"GET /poll?callback=f HTTP/1.1\r\nSec-Fetch-Dest: script\r\n\r\n";
        assert!(polls(&head::parse(jsonp)));
    }

    #[test]
    fn units_of_what_streams_are_counted() {
        let mut exchanges = Exchanges::default();
        exchanges.push(Dir::Client, b"GET /events HTTP/1.1\r\n\r\n");
        let fields = "Content-Type: text/event-stream\r\nContent-Length: 99\r\n";
        let head = format!("HTTP/1.1 200 OK\r\n{fields}\r\n");
        let content = b":\n\ndata: 1\n\ndata: 2\n\ndata";
        let pieces = exchanges.push(Dir::Server, &[head.as_bytes(), content].concat());
        let counts: Vec<u64> = pieces
            .iter()
            .filter_map(|it| if let Passed::Units(_, count) = it { Some(*count) } else { None })
            .collect();
        assert_eq!(counts, [2]);
    }
}
