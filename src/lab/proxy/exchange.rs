//! HTTP on its way through: requests that poll and their answers, held until they are whole, so that
//! something can be done to them.
//!
//! Of what streams server-sent [events](super::events) are held one by one. Everything else passes as it
//! comes: pages and what belongs to them, what is too long, and what else streams, of which the units are
//! counted. Where nothing can be done to messages that is said, once a connection.

use std::collections::VecDeque;

use super::events::{Event, Events, Flown};
use super::head::{self, Address, Edits};
use super::whole::Exchange;
use crate::http::body::Body;
use crate::http::head::{Head, HeadReader, HeadState};
use crate::http::stream::{Kind, Reader, Run};
use crate::limits;
use crate::model::{Dir, ON, Text};

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
    /// Nothing: this is to be said.
    Note(Text),
}

/// Follows the requests of a connection and their answers.
#[derive(Default)]
pub(super) struct Exchanges {
    ways: [Way; 2],
    asked: VecDeque<Asked>,
    /// It is no HTTP that can be followed any longer: everything passes.
    lost: bool,
    /// What polls is asked for without a coding, which could be neither read nor changed.
    plain: bool,
    /// Somebody wants to look into messages, and not only to count them.
    looks: bool,
    /// It was said where nothing can be done to messages.
    said: [bool; 2],
    /// Nothing is to be done to what polls.
    passes: bool,
    /// What is asked for instead, of whom.
    address: Address,
}

/// What is known of a request that waits for its answer.
struct Asked {
    method: String,
    polls: bool,
    engine: bool,
    /// Chunks may be sent in answer (RFC 9112 §7.1).
    takes_chunks: bool,
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
    /// It came with a length, and goes on in chunks.
    had_length: bool,
}

impl Exchanges {
    /// Nothing has come yet. `plain` has what polls asked for without a coding; `looks` says that somebody
    /// wants to look into messages.
    pub fn new(plain: bool, looks: bool) -> Self {
        Self { plain, looks, ..Self::default() }
    }

    /// Follows what passes as it comes, for the sake of the heads.
    pub fn passing() -> Self {
        Self { passes: true, ..Self::default() }
    }

    /// The same, with every request asking for something else, or of somebody else.
    pub fn at(self, address: Address) -> Self {
        Self { address, ..self }
    }

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
        let (open, edits) = match from {
            Dir::Client => self.request(&head),
            Dir::Server => self.response(&head, pieces).unzip(),
        };
        let bytes = edits.unwrap_or_default().apply(&bytes);
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

    /// The body of a request, if it is followed, and what becomes of its head.
    fn request(&mut self, head: &Head<'_>) -> (Option<Open>, Option<Edits>) {
        let Some([method, target]) = head::request(head) else { return (None, None) };
        let mut edits = self.address.edits(head);
        let method = String::from_utf8_lossy(method).into_owned();
        if head::is_upgrade(head)
            || method == "CONNECT"
            || self.asked.len() >= limits::HTTP_REQUESTS_PIPELINED
        {
            // What it becomes is not HTTP any longer.
            self.lost = true;
            return (None, Some(edits));
        }
        let polls = !self.passes && polls(head);
        let query = target.split(|byte| *byte == b'?').nth(1).unwrap_or_default();
        let mut pairs = form_urlencoded::parse(query);
        let engine = polls && pairs.any(|(key, value)| key == "EIO" && value == "4") && !has(query, "j");
        let takes_chunks = head::takes_chunks(head);
        self.asked.push_back(Asked { method, polls, engine, takes_chunks });
        if polls && self.plain {
            edits.without(head, &["accept-encoding"]);
        }
        let held = polls.then(Default::default);
        let body = Body::for_request(head);
        let open = Open { body, held, engine, streams: None, events: None, had_length: false };
        (Some(open), Some(edits))
    }

    /// The body of an answer, and what becomes of its head.
    fn response(&mut self, head: &Head<'_>, pieces: &mut Vec<Passed>) -> Option<(Open, Edits)> {
        if head.status().is_some_and(|status| (100..200).contains(&status)) {
            self.lost |= head.status() == Some(101);
            return None;
        }
        let Some(Asked { method, polls, engine, takes_chunks }) = self.asked.pop_front() else {
            self.lost = true;
            return None;
        };
        let body = Body::for_response(head, Some(&method));
        let kind = Kind::of(head).filter(|kind| polls && (*kind != Kind::Pages || !body.is_done()));
        let coding = head::coding(head).filter(|_| polls && !body.is_done());
        // What has a length cannot become longer or shorter, unless it goes on in chunks.
        let has_length = !body.is_until_close() && head.values("Transfer-Encoding").next().is_none();
        let may_change = kind == Some(Kind::Events)
            && coding.is_none()
            && !body.is_done()
            && (!has_length || takes_chunks);
        let events = may_change.then(|| Events::new(!body.is_until_close()));
        let mut edits = Edits::default();
        let had_length = has_length && events.is_some();
        if had_length {
            edits.without(head, &["content-length"]);
            edits.field(head, "Transfer-Encoding", "chunked");
        }
        let streams = kind.as_ref().filter(|_| events.is_none()).map(|kind| match coding {
            // Nobody sees where its units end.
            Some(_) => Reader::of(&Kind::Pages),
            None => Reader::of(kind),
        });
        let is_counted = streams.is_some() && !body.is_done();
        pieces.extend(self.closed(coding.as_deref(), kind.as_ref().filter(|_| is_counted)));
        // What has no length may go on for ever.
        let is_held = polls && streams.is_none() && events.is_none() && !body.is_until_close();
        let held = is_held.then(Default::default);
        Some((Open { body, held, engine, streams, events, had_length }, edits))
    }

    /// What is to be said of an answer into whose messages nobody can look, unless that was said.
    fn closed(&mut self, coding: Option<&str>, streams: Option<&Kind>) -> Option<Passed> {
        let (place, note) = match (coding, streams) {
            (Some(coding), _) => {
                let words = "an answer is coded ({}): what it says can be neither looked into nor changed";
                (0, Text::with(words, coding))
            }
            (None, Some(kind)) if self.looks => {
                let what = match kind {
                    Kind::Events => "an event stream with a length, for HTTP/1.0",
                    Kind::Parts(_) => "multipart/x-mixed-replace",
                    Kind::Pages => "a page whose length is not known",
                };
                (1, Text::new("an answer is {}: its parts are counted, and not looked into").word(what))
            }
            _ => return None,
        };
        (!std::mem::replace(&mut self.said[place], true)).then_some(Passed::Note(note))
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
            if self.body.is_in_trailer() {
                let (taken, _) = self.body.push(&bytes[used..]);
                flown.push(Flown::Bytes(bytes[used..used + taken].to_vec()));
                used += taken;
                break;
            }
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
            if self.body.is_in_trailer() {
                events.end(&mut flown);
            }
        }
        let is_over = self.body.is_done();
        if let Some(events) = self.events.as_mut().filter(|_| is_over && self.had_length) {
            events.end(&mut flown);
            flown.push(Flown::Bytes(b"\r\n".to_vec()));
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
        let content = content(&head::parse(&head), &body);
        pieces.push(Passed::Exchange(Box::new(Exchange::of(from, [head, body], content, self.engine))));
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
fn polls(head: &Head<'_>) -> bool {
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
                Passed::Note(_) => {}
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
    fn every_request_is_sent_elsewhere_and_nothing_else_is_changed() {
        let address = Address { resource: Some("/b".to_owned()), host: Some("c".to_owned()) };
        let asks = |target: &str, host: &str, more: &str| {
            format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n").into_bytes()
        };
        let post = "Content-Length: 24\r\n\r\nGET /a HTTP/1.1\r\nHost: a";
        let upgrade = "Upgrade: websocket\r\n";
        let all_of = |target, host| {
            [asks(target, host, ""), asks(target, host, post), asks(target, host, upgrade)].concat()
        };
        for size in [1, 7, 1000] {
            let mut exchanges = Exchanges::passing().at(address.clone());
            let (passed, messages) = all(Dir::Client, &all_of("/a", "a"), size, &mut exchanges);
            assert_eq!((passed, messages), (all_of("/b", "c"), vec![]));
            let answers = [answer("x"), answer("2"), b"HTTP/1.1 101 S\r\n\r\n\x81\x01a".to_vec()].concat();
            assert_eq!(all(Dir::Server, &answers, size, &mut exchanges), (answers.clone(), vec![]));
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

    /// What an event stream becomes, asked for in this version and with these fields; and how it is passed
    /// on: `e` an event, `n` that many units, and what is said.
    fn streamed(version: &str, fields: &str, body: &[u8], size: usize) -> (String, String) {
        let mut exchanges = Exchanges::new(true, true);
        exchanges.push(Dir::Client, format!("GET /events HTTP/{version}\r\n\r\n").as_bytes());
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{fields}\r\n");
        let (mut passed, mut how) = (Vec::new(), String::new());
        let bytes = [head.as_bytes(), body].concat();
        for piece in bytes.chunks(size).flat_map(|piece| exchanges.push(Dir::Server, piece)) {
            match piece {
                Passed::Bytes(bytes) => passed.extend(bytes),
                Passed::Units(bytes, count) => {
                    passed.extend(bytes);
                    how += &count.to_string();
                }
                Passed::Event(event) => {
                    passed.extend(event.bytes(None));
                    how.push('e');
                }
                Passed::Note(note) => how.extend(["[", &note.to_string(), "]"]),
                Passed::Exchange(_) => panic!("it streams"),
            }
        }
        (String::from_utf8(passed).expect("UTF-8").replacen("HTTP/1.1 200 OK\r\n", "", 1), how)
    }

    #[test]
    fn trailer_fields_pass_behind_events() {
        let chunked = "Transfer-Encoding: chunked\r\n";
        let body = b"b\r\ndata: 1\n\nda\r\n7\r\nta: 2\n\n\r\n0;x=y\r\nDigest: a\r\nB: c\r\n\r\n";
        let expected = "9\r\ndata: 1\n\n\r\n9\r\ndata: 2\n\n\r\n0\r\nDigest: a\r\nB: c\r\n\r\n";
        for size in [1, 2, 3, 7, 1000] {
            let (passed, how) = streamed("1.1", chunked, body, size);
            assert_eq!((passed.split_once("\r\n\r\n").expect("a head").1, &*how), (expected, "ee"), "{size}");
        }
    }

    #[test]
    fn a_stream_with_a_length_goes_on_in_chunks() {
        let body = b"data: 1\n\n: so\n\ndata: 2";
        for size in [1, 5, 1000] {
            let (passed, how) = streamed("1.1", "Content-Length: 22\r\nA: b\r\n", body, size);
            let head = "Content-Type: text/event-stream\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n";
            let chunks = "9\r\ndata: 1\n\n\r\n5\r\n: so\n\r\n1\r\n\n\r\n7\r\ndata: 2\r\n0\r\n\r\n";
            assert_eq!((passed, how), (format!("{head}{chunks}"), "e".to_owned()), "{size}");
        }
        // Who knows no chunks gets it as it is, and is counted.
        let (passed, how) = streamed("1.0", "Content-Length: 22\r\n", body, 1000);
        assert!(passed.ends_with("Content-Length: 22\r\n\r\ndata: 1\n\n: so\n\ndata: 2"), "{passed}");
        assert!(
            how.starts_with("[an answer is an event stream with a length") && how.ends_with("]1"),
            "{how}"
        );
        let (passed, how) = streamed("1.1", "Content-Length: 0\r\n", b"", 1000);
        assert!(passed.ends_with("Content-Length: 0\r\n\r\n") && how.is_empty(), "{passed} {how}");
    }

    #[test]
    fn what_is_coded_passes_and_that_is_said_once() {
        let mut exchanges = Exchanges::new(true, false);
        let ask = b"GET /poll HTTP/1.1\r\nAccept-Encoding: gzip\r\nA: b\r\n\r\n";
        let page = b"GET / HTTP/1.1\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\n\r\n";
        let plain = b"GET /poll HTTP/1.1\r\nA: b\r\n\r\n";
        let asked = [&ask[..], page, ask].concat();
        assert_eq!(all(Dir::Client, &asked, 1000, &mut exchanges).0, [&plain[..], page, plain].concat());
        let coded = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n\
            Content-Length: 9\r\n\r\ngzip: \n\n\n";
        let notes = |pieces: &[Passed]| pieces.iter().filter(|it| matches!(it, Passed::Note(_))).count();
        let first = exchanges.push(Dir::Server, coded);
        assert!(matches!(&first[..], [Passed::Note(_), Passed::Bytes(_), Passed::Units(_, 1)]), "{first:?}");
        assert_eq!(notes(&exchanges.push(Dir::Server, coded)), 0, "a page is not looked into");
        assert_eq!(notes(&exchanges.push(Dir::Server, coded)), 0, "it was said");
        let mut as_it_is = Exchanges::new(false, false);
        assert_eq!(all(Dir::Client, ask, 1000, &mut as_it_is).0, ask);
    }
}
