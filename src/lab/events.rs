//! Server-sent events (HTML, "Server-sent events"): one answer that never ends.

use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::answer::{Answer, Lab, refuse};

/// A comment, which browsers ignore: the stream's sign of life.
const COMMENT: &[u8] = b":\n\n";

/// Events on their way to a connection that does not take them.
const WAITING: usize = 64;

/// Opens a stream.
pub(super) fn answer(lab: &Lab, request: &Request<Incoming>) -> Response<Answer> {
    let Some(mailbox) = lab.mailbox(request) else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many clients");
    };
    let (stream, pieces) = mpsc::channel(WAITING);
    let heartbeat = lab.settings.heartbeat;
    tokio::spawn(async move {
        let mut beat = heartbeat.map(|every| Instant::now() + every);
        loop {
            tokio::select! {
                messages = mailbox.next() => for message in messages {
                    if stream.send(event(&message)).await.is_err() {
                        return;
                    }
                },
                () = at(beat) => {
                    beat = beat.zip(heartbeat).map(|(beat, every)| beat + every);
                    if stream.send(Bytes::from_static(COMMENT)).await.is_err() {
                        return;
                    }
                }
                // The client has gone.
                () = stream.closed() => return,
            }
        }
    });
    let mut response = lab.answer(Answer::Stream(pieces));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response
}

/// Waits for a moment, or for ever.
pub(super) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// An event: a `data:` line for each line of the message, and an empty line.
fn event(message: &[u8]) -> Bytes {
    let mut event = Vec::with_capacity(message.len() + 8);
    for line in message.split(|byte| *byte == b'\n') {
        event.extend_from_slice(b"data: ");
        event.extend_from_slice(line);
        event.push(b'\n');
    }
    event.push(b'\n');
    event.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_line_of_a_message_is_a_data_line() {
        assert_eq!(event(b"hello"), "data: hello\n\n");
        assert_eq!(event(b"a\nb"), "data: a\ndata: b\n\n");
    }
}
