//! The content of a connection: HTTP exchanges, by their bytes, up to the one that upgrades, and the
//! frames behind it.

use std::collections::VecDeque;

use foldhash::HashMap;

use super::sums::Counted;
use crate::http::{Body, Head, HeadReader, HeadState, StartLine};
use crate::limits;
use crate::model::{self, Flow, ON, Sink, SourceId, Unit, Wants};

/// The HTTP exchanges of a connection.
#[derive(Default)]
pub(super) struct Exchanges {
    pub counted: Counted,
    pub targets: Vec<String>,
    /// It became a WebSocket, once at least.
    pub upgraded: bool,
    /// Who has upgraded it, where what follows is frames.
    server: Option<usize>,
    pub event_stream: bool,
    /// Methods of requests not yet answered.
    waiting: VecDeque<String>,
    directions: [Direction; 2],
}

#[derive(Default)]
struct Direction {
    at: Place,
    reader: HeadReader,
}

#[derive(Default)]
enum Place {
    #[default]
    Head,
    /// The body of a request, or of an answer.
    Body { body: Box<Body>, counted: u64, answer: bool },
    /// It is not understood.
    Lost,
}

impl Exchanges {
    /// Between the same addresses another connection begins.
    pub fn restart(&mut self) {
        self.directions = <[Direction; 2]>::default();
        self.waiting.clear();
        self.server = None;
    }

    /// Who has upgraded the connection, once it is.
    pub fn server(&self) -> Option<usize> {
        self.server
    }

    /// Bytes are missing, and HTTP cannot be followed across them.
    pub fn gap(&mut self, side: usize) {
        self.directions[side].at = Place::Lost;
    }

    /// Takes what is HTTP; what remains is frames.
    pub fn data<'b>(&mut self, side: usize, mut bytes: &'b [u8]) -> &'b [u8] {
        while !bytes.is_empty() && self.server.is_none() {
            let taken = self.step(side, bytes);
            bytes = &bytes[taken.min(bytes.len())..];
        }
        bytes
    }

    /// Takes at least one byte.
    fn step(&mut self, side: usize, bytes: &[u8]) -> usize {
        let direction = &mut self.directions[side];
        match &mut direction.at {
            Place::Lost => bytes.len(),
            Place::Head => {
                let progress = direction.reader.push(bytes);
                self.counted.heads += progress.consumed as u64;
                match progress.state {
                    HeadState::Complete => self.head(side),
                    HeadState::Overflowing => direction.at = Place::Lost,
                    HeadState::Reading => {}
                }
                progress.consumed.max(1)
            }
            Place::Body { body, counted, answer } => {
                let (taken, done) = body.push(bytes);
                let content = body.length() - *counted;
                *counted = body.length();
                self.counted.application += content;
                self.counted.framing += taken as u64 - content;
                if done {
                    let (length, answer) = (*counted, *answer);
                    direction.at = Place::Head;
                    self.body(length, answer);
                }
                taken.max(1)
            }
        }
    }

    /// A head is complete.
    fn head(&mut self, side: usize) {
        let direction = &mut self.directions[side];
        let reader = std::mem::take(&mut direction.reader);
        let head = reader.parse(SourceId::Input, 0);
        let (body, answer) = if head.is_response() {
            let status = head.status().unwrap_or(200);
            // An interim response is not the answer yet.
            let interim = (100..200).contains(&status) && status != 101;
            let method = if interim { None } else { self.waiting.pop_front() };
            self.event_stream |=
                head.values("Content-Type").any(|v| v.bytes.starts_with(b"text/event-stream"));
            if status == 101 {
                self.upgraded = true;
                self.server = Some(side);
                return;
            }
            if interim {
                return;
            }
            (Body::for_response(&head, method.as_deref()), true)
        } else if let Some((method, target)) = request(&head) {
            self.counted.requests += 1;
            self.waiting.push_back(method);
            if self.targets.len() < limits::HTTP_REQUESTS_PIPELINED {
                self.targets.push(target);
            }
            (Body::for_request(&head), false)
        } else {
            direction.at = Place::Lost;
            return;
        };
        if body.is_done() {
            self.body(0, answer);
        } else {
            self.directions[side].at = Place::Body { body: Box::new(body), counted: 0, answer };
        }
    }

    /// A body is complete.
    fn body(&mut self, length: u64, answer: bool) {
        self.counted.messages += u64::from(length > 0);
        self.counted.empty += u64::from(answer && length == 0);
    }
}

fn request(head: &Head<'_>) -> Option<(String, String)> {
    match head.start {
        StartLine::Request { .. } => {
            let line = head.start_line();
            let mut words = line.split(' ');
            let method = words.next()?.to_owned();
            // What changes from poll to poll to get past caches does not make it another question.
            let target = words.next()?;
            let same: Vec<&str> =
                target.split('&').filter(|part| !part.starts_with("t=") && !part.starts_with("_=")).collect();
            Some((method, same.join("&")))
        }
        StartLine::Response { .. } => None,
    }
}

/// Counts the frames of connections by their numbers.
#[derive(Default)]
pub(super) struct Frames(pub HashMap<u32, Counted>);

impl Sink for Frames {
    fn wants(&self) -> Wants {
        Wants::NOTHING
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if let model::Body::Frame(frame) = unit.body {
            let counted = self.0.entry(unit.conn).or_default();
            let data = !frame.header.opcode.is_control();
            counted.framing += u64::from(frame.header.header_length());
            counted.messages += u64::from(data && frame.header.fin);
            *(if data { &mut counted.application } else { &mut counted.framing }) += frame.captured;
        }
        ON
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoder::{Decoder, Extensions};
    use crate::model::{At, FlowId, Side};

    #[test]
    fn exchanges_in_any_pieces_count_the_same() {
        let request = b"GET /m?a=1&t=77 HTTP/1.1\r\nHost: a\r\n\r\n";
        let answers = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\n\
              Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        let count = |piece: usize| {
            let mut http = Exchanges::default();
            for _ in 0..3 {
                assert!(request.chunks(piece).all(|bytes| http.data(0, bytes).is_empty()));
            }
            assert!(answers.chunks(piece).all(|bytes| http.data(1, bytes).is_empty()));
            http.counted
        };
        let whole = count(1000);
        assert_eq!((whole.application, whole.messages, whole.requests, whole.empty), (5, 2, 3, 1));
        assert_eq!(
            whole.application + whole.heads + whole.framing,
            (3 * request.len() + answers.len()) as u64
        );
        for piece in [1, 2, 7, 20] {
            assert_eq!(count(piece), whole, "{piece}");
        }
    }

    #[test]
    fn frames_after_the_upgrade() {
        let mut http = Exchanges::default();
        let mut frames = Decoder::new(Frames::default());
        frames.open_upgraded(FlowId(0), None, Extensions::NONE);
        assert!(http.data(0, b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n").is_empty());
        let behind = http.data(1, b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02hi\x89\x00");
        frames.data(FlowId(0), Side::B, behind, At::default());
        let sent = b"\x8a\x80\x01\x02\x03\x04\x01\x81\x00\x00\x00\x00a\x80\x80\x00\x00\x00\x00";
        frames.data(FlowId(0), Side::A, http.data(0, sent), At::default());
        let counted = frames.sink().0[&1];
        assert_eq!((counted.application, counted.messages), (3, 2));
        assert_eq!(counted.framing, 2 + 2 + 6 + 6 + 6);
        assert!(http.upgraded && http.server() == Some(1));
    }
}
