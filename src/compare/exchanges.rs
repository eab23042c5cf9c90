//! What connections carried: HTTP exchanges, by their bytes, and the frames behind one that upgrades.

use std::net::SocketAddr;

use foldhash::HashMap;

use super::sums::Counted;
use crate::limits;
use crate::model::{self, Connection, Dir, Flow, Frame, HttpHead, ON, Sink, Unit, Wants};

/// The addresses of a connection, whichever way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pair(pub SocketAddr, SocketAddr);

impl Pair {
    pub(super) fn of(a: SocketAddr, b: SocketAddr) -> Self {
        if a <= b { Self(a, b) } else { Self(b, a) }
    }
}

/// What the connections between two addresses carried.
#[derive(Default)]
pub(super) struct Carried {
    pub counted: Counted,
    pub targets: Vec<String>,
    /// It became a WebSocket, once at least.
    pub upgraded: bool,
    pub event_stream: bool,
}

impl Carried {
    fn http(&mut self, dir: Dir, head: &HttpHead<'_>) {
        let extent = head.extent;
        self.counted.heads += extent.head;
        self.counted.application += extent.content;
        self.counted.framing += extent.framing;
        let mut words = head.start_line.split(' ');
        if dir == Dir::Client {
            self.counted.requests += 1;
            if self.targets.len() < limits::HTTP_REQUESTS_PIPELINED {
                self.targets.extend(words.nth(1).map(same_question));
            }
        } else {
            let is_event_stream = |value: &str| value.starts_with("text/event-stream");
            let mut fields = head.headers.iter().filter(|it| it.name.eq_ignore_ascii_case("Content-Type"));
            self.event_stream |= fields.any(|field| is_event_stream(&field.value));
            let status = words.nth(1).unwrap_or_default();
            self.upgraded |= status == "101";
            // An interim response is not the answer yet, and 101 has none behind it.
            self.counted.empty += u64::from(!status.starts_with('1') && extent.content == 0);
        }
        self.counted.messages += u64::from(extent.content > 0);
    }

    fn frame(&mut self, frame: &Frame<'_>) {
        let counted = &mut self.counted;
        let data = !frame.header.opcode.is_control();
        counted.framing += u64::from(frame.header.header_length());
        counted.messages += u64::from(data && frame.header.fin);
        *(if data { &mut counted.application } else { &mut counted.framing }) += frame.captured;
    }
}

/// A target without what changes from poll to poll to get past caches: it does not make another question.
fn same_question(target: &str) -> String {
    let same: Vec<&str> =
        target.split('&').filter(|part| !part.starts_with("t=") && !part.starts_with("_=")).collect();
    same.join("&")
}

/// Sums up what a decoder tells, by the addresses of the connections.
#[derive(Default)]
pub(super) struct Content {
    pub carried: HashMap<Pair, Carried>,
    /// By the connections' numbers.
    pairs: HashMap<u32, Pair>,
}

impl Content {
    fn connection(&mut self, conn: u32, connection: &Connection) {
        if connection.ending.is_some() {
            self.pairs.remove(&conn);
        } else if let (Some(client), Some(server)) = (connection.client, connection.server) {
            self.pairs.insert(conn, Pair::of(client, server));
        }
    }
}

impl Sink for Content {
    fn wants(&self) -> Wants {
        Wants { http: true, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if let model::Body::Connection(connection) = unit.body {
            self.connection(unit.conn, connection);
            return ON;
        }
        let Some(pair) = self.pairs.get(&unit.conn) else { return ON };
        let carried = self.carried.entry(*pair).or_default();
        match (unit.body, unit.dir) {
            (model::Body::Http(head), Some(dir)) => carried.http(dir, head),
            (model::Body::Frame(frame), _) => carried.frame(frame),
            _ => {}
        }
        ON
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decoder::{Beginning, Decoder};
    use crate::model::{At, FlowId, Side, StreamEnd};

    const REQUEST: &[u8] = b"GET /m?a=1&t=77 HTTP/1.1\r\nHost: a\r\n\r\n";

    /// What is counted of a connection in which this is sent, in pieces of so many bytes.
    fn carried(said: &[(Side, &[u8])], piece: usize) -> Carried {
        let endpoints = ["10.0.0.1:50000".parse().unwrap(), "10.0.0.2:80".parse().unwrap()];
        let mut decoder = Decoder::new(Content::default());
        decoder.open(FlowId(0), &Beginning::opened(endpoints));
        for (side, bytes) in said {
            for bytes in bytes.chunks(piece) {
                decoder.data(FlowId(0), *side, bytes, At::default());
            }
        }
        // The counter never says stop.
        let _: Flow = decoder.close(FlowId(0), StreamEnd::Fin, None);
        let [a, b] = endpoints;
        decoder.finish().0.carried.remove(&Pair::of(b, a)).expect("the connection is counted")
    }

    #[test]
    fn exchanges_in_any_pieces_count_the_same() {
        let answers = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc\
              HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n\
              HTTP/1.1 204 No Content\r\n\r\n";
        let requests = REQUEST.repeat(3);
        let count = |piece| carried(&[(Side::A, &requests), (Side::B, answers)], piece);
        let whole = count(1000);
        assert_eq!(whole.targets, ["/m?a=1"; 3]);
        let whole = whole.counted;
        assert_eq!((whole.application, whole.messages, whole.requests, whole.empty), (5, 2, 3, 1));
        assert_eq!(whole.application + whole.heads + whole.framing, (requests.len() + answers.len()) as u64);
        for piece in [1, 2, 7, 20] {
            assert_eq!(count(piece).counted, whole, "{piece}");
        }
    }

    #[test]
    fn answers_without_their_requests_and_bodies_without_an_end_count() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: 1\n\n";
        let alone = carried(&[(Side::B, answer)], 9);
        assert!(alone.event_stream && !alone.upgraded);
        assert_eq!((alone.counted.application, alone.counted.requests), (9, 0));
        assert_eq!(alone.counted.heads + 9, answer.len() as u64);
        let large =
            [&b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"[..], &vec![b'x'; 100_000]].concat();
        let asked = carried(&[(Side::A, REQUEST), (Side::B, &large)], 1460);
        assert_eq!((asked.counted.application, asked.counted.messages), (100_000, 1));
    }

    #[test]
    fn frames_after_the_upgrade() {
        let request = b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n";
        let behind = b"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x02hi\x89\x00";
        let sent = b"\x8a\x80\x01\x02\x03\x04\x01\x81\x00\x00\x00\x00a\x80\x80\x00\x00\x00\x00";
        let carried = carried(&[(Side::A, request), (Side::B, behind), (Side::A, sent)], 1000);
        assert!(carried.upgraded);
        let (counted, heads) = (carried.counted, request.len() + behind.len() - 6);
        assert_eq!((counted.application, counted.messages, counted.heads), (3, 2, heads as u64));
        assert_eq!(counted.framing, 2 + 2 + 6 + 6 + 6);
    }
}
