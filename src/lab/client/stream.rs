//! Server-sent events.

use std::sync::Arc;

use http_body_util::BodyExt as _;
use hyper::body::{Bytes, Incoming};
use hyper::{Method, StatusCode};

use super::{Inbox, Order};
use crate::lab::http::Http;
use crate::lab::http::{Failure, failed};
use crate::limits;

/// An open event stream.
pub struct Stream {
    body: Incoming,
    /// Dropping it would close the connection.
    _http: Http,
}

impl Stream {
    pub async fn connect(order: Order) -> Result<Self, Failure> {
        let mut http = Http::connect(order.server).await?;
        let response = http.ask(Method::GET, &order.target, &order.heads.stream, Bytes::new()).await?;
        if response.status() != StatusCode::OK {
            return Err(format!("{}: answered {}", order.target, response.status()));
        }
        Ok(Self { body: response.into_body(), _http: http })
    }

    pub async fn run(mut self, inbox: Arc<dyn Inbox>) -> Result<(), Failure> {
        let mut events = Events::default();
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|e| failed("the event stream")(&e))?;
            if let Ok(bytes) = frame.into_data() {
                events.push(&bytes, &mut |message| inbox.message(message));
            }
        }
        Err("the server ended the event stream".to_owned())
    }
}

/// Reads events from pieces of a stream: as much of the format as a message needs.
#[derive(Default)]
struct Events {
    line: Vec<u8>,
    data: Option<Vec<u8>>,
}

impl Events {
    fn push(&mut self, bytes: &[u8], message: &mut dyn FnMut(&[u8])) {
        for &byte in bytes {
            if byte != b'\n' {
                if self.line.len() < limits::LAB_MESSAGE {
                    self.line.push(byte);
                }
                continue;
            }
            let line = std::mem::take(&mut self.line);
            if line.is_empty() {
                // An empty line ends an event, if there was one.
                if let Some(data) = self.data.take() {
                    message(&data);
                }
            } else if let Some(text) = line.strip_prefix(b"data:") {
                let text = text.strip_prefix(b" ").unwrap_or(text);
                match &mut self.data {
                    Some(data) => {
                        data.push(b'\n');
                        data.extend_from_slice(text);
                    }
                    None => self.data = Some(text.to_vec()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_in_any_pieces() {
        let stream = b":\n\ndata: one\n\nevent: x\ndata: two\ndata:three\n\n";
        for size in 1..stream.len() {
            let mut events = Events::default();
            let mut messages = Vec::new();
            for piece in stream.chunks(size) {
                events.push(piece, &mut |message| messages.push(message.to_vec()));
            }
            assert_eq!(messages, [&b"one"[..], b"two\nthree"]);
        }
    }
}
