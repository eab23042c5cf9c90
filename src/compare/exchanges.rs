//! The content of a connection: HTTP exchanges and, behind an upgrade, frames, by their bytes.

use std::collections::VecDeque;

use super::captures::Counted;
use crate::http::{Body, Head, HeadReader, HeadState, StartLine};
use crate::limits;
use crate::model::SourceId;
use crate::ws::header;

/// The HTTP exchanges of a connection, and its frames once it is upgraded.
#[derive(Default)]
pub(super) struct Exchanges {
    pub counted: Counted,
    pub targets: Vec<String>,
    pub upgraded: bool,
    pub event_stream: bool,
    /// Methods of requests not yet answered.
    waiting: VecDeque<String>,
    directions: [Direction; 2],
}

#[derive(Default)]
struct Direction {
    at: Place,
    reader: HeadReader,
    /// Bytes of a frame header so far.
    header: Vec<u8>,
}

#[derive(Default)]
enum Place {
    #[default]
    Head,
    /// The body of a request, or of an answer.
    Body {
        body: Box<Body>,
        counted: u64,
        answer: bool,
    },
    Header,
    /// So many bytes of payload are left.
    Payload {
        left: u64,
        data: bool,
    },
    /// It is not understood.
    Lost,
}

impl Exchanges {
    /// Between the same addresses another connection begins.
    pub fn restart(&mut self) {
        self.directions = <[Direction; 2]>::default();
        self.waiting.clear();
    }

    pub fn gap(&mut self, side: usize, length: u64) {
        let direction = &mut self.directions[side];
        match &mut direction.at {
            Place::Payload { left, .. } if *left >= length => *left -= length,
            at => *at = Place::Lost,
        }
    }

    pub fn data(&mut self, side: usize, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.step(side, bytes);
            bytes = &bytes[taken.min(bytes.len())..];
        }
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
            Place::Header => {
                let mut taken = 0;
                while taken < bytes.len() {
                    direction.header.push(bytes[taken]);
                    taken += 1;
                    if let Ok(frame) = header::decode(&direction.header) {
                        let data = !frame.opcode.is_control();
                        self.counted.framing += direction.header.len() as u64;
                        self.counted.messages += u64::from(data && frame.fin);
                        direction.header.clear();
                        if frame.length > 0 {
                            direction.at = Place::Payload { left: frame.length, data };
                        }
                        break;
                    }
                }
                taken
            }
            Place::Payload { left, data } => {
                let taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                if *data {
                    self.counted.application += taken as u64;
                } else {
                    self.counted.framing += taken as u64;
                }
                *left -= taken as u64;
                if *left == 0 {
                    direction.at = Place::Header;
                }
                taken
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
                for direction in &mut self.directions {
                    direction.at = Place::Header;
                }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exchanges_in_any_pieces_count_the_same() {
        let request = b"GET /m?a=1&t=77 HTTP/1.1\r\nHost: a\r\n\r\n";
        let answers = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
        let count = |piece: usize| {
            let mut http = Exchanges::default();
            for _ in 0..3 {
                request.chunks(piece).for_each(|bytes| http.data(0, bytes));
            }
            answers.chunks(piece).for_each(|bytes| http.data(1, bytes));
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
        http.data(0, b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n");
        http.data(1, b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02hi\x89\x00");
        http.data(0, b"\x8a\x80\x01\x02\x03\x04\x01\x81\x00\x00\x00\x00a\x80\x80\x00\x00\x00\x00");
        let counted = http.counted;
        assert_eq!((counted.application, counted.messages), (3, 2));
        assert_eq!(counted.framing, 2 + 2 + 6 + 6 + 6);
        assert!(http.upgraded);
    }
}
