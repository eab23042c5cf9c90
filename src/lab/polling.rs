//! Short and long polling: everything that waits in one answer, a message a line.

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};

use super::answer::{Answer, Lab, refuse};
use crate::limits;

/// Answers a poll: at once, or when there is something to say.
pub(super) async fn answer(lab: &Lab, request: &Request<Incoming>) -> Response<Answer> {
    let Some(mailbox) = lab.mailbox(request) else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many clients");
    };
    let messages = match lab.settings.heartbeat {
        _ if !lab.settings.hold => mailbox.take(),
        None => mailbox.next().await,
        Some(patience) => tokio::time::timeout(patience, mailbox.next()).await.unwrap_or_default(),
    };
    lab.answer(Answer::whole(lines(&messages)))
}

/// Takes what a client publishes; it comes back to the client's own mailbox.
pub(super) async fn publish(lab: &Lab, request: Request<Incoming>) -> Response<Answer> {
    let Some(mailbox) = lab.mailbox(&request) else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many clients");
    };
    match Limited::new(request.into_body(), limits::LAB_MESSAGE).collect().await {
        Ok(body) => {
            mailbox.push(body.to_bytes());
            lab.answer(Answer::whole(""))
        }
        Err(_) => refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long, or was cut short"),
    }
}

fn lines(messages: &[Bytes]) -> Bytes {
    match messages {
        [] => Bytes::new(),
        [message] => message.clone(),
        _ => messages.join(&b'\n').into(),
    }
}
