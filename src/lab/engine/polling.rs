//! HTTP long polling: by `XMLHttpRequest` or `fetch`, as text or bytes, and by script elements (JSONP).

use std::borrow::Cow;
use std::sync::Arc;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::time::Instant;

use super::beneath::Under;
use super::packet::{Packet, Revision};
use super::payload::{self, Body, Read};
use super::refusal::Refusal;
use super::session::{Missed, Session};
use super::settings::{Reason, Settings};
use crate::lab::answer::{Answer, put, query, refuse};
use crate::lab::events::at;
use crate::lab::fate::{Fate, spoil};

/// Answers a request of a session.
pub(super) async fn answer(
    settings: &Settings,
    session: &Arc<Session>,
    request: Request<Incoming>,
) -> Response<Answer> {
    match *request.method() {
        Method::GET => poll(settings, session, &request).await,
        Method::POST => post(settings, session, request).await,
        _ => Refusal::Request.answer(),
    }
}

/// Answers a poll, which is also how a session begins.
pub(super) async fn poll<B>(
    settings: &Settings,
    session: &Arc<Session>,
    request: &Request<B>,
) -> Response<Answer> {
    let waiting = session.poll();
    tokio::pin!(waiting);
    let idle = session.plan.idle_timeout;
    let answer = tokio::select! {
        answer = &mut waiting => answer,
        () = at(idle.map(|idle| Instant::now() + idle)), if idle.is_some() => {
            Err(Missed::Fated(Fate::Silence))
        }
    };
    match answer {
        Ok(packets) => packed(settings, session, request, &packets),
        Err(missed) => refusal(session, missed, request).await,
    }
}

/// The answer to a request that has no place; there is none where its connection is to end.
async fn refusal<B>(session: &Arc<Session>, missed: Missed, request: &Request<B>) -> Response<Answer> {
    match missed {
        Missed::Over => Refusal::Session.answer(),
        Missed::Misplaced => Refusal::Request.answer(),
        Missed::Fated(fate) => {
            session.befall(fate);
            if let Some(under) = Under::of(request) {
                under.meet(fate).await;
            }
            Refusal::Session.answer()
        }
    }
}

fn packed<B>(
    settings: &Settings,
    session: &Session,
    request: &Request<B>,
    packets: &[Packet],
) -> Response<Answer> {
    let script = query(request, "j");
    let body = payload::write(packets, session.revision, session.takes_binary && script.is_none());
    let spoils = session.plan.bad_utf8 && packets.iter().any(|packet| matches!(packet, Packet::Message(_)));
    let (body, kind) = match (body, script) {
        (Body::Binary(bytes), _) => (Bytes::from(bytes), "application/octet-stream"),
        (Body::Text(text), None) => (Bytes::from(text), "text/plain; charset=UTF-8"),
        (Body::Text(text), Some(number)) => {
            (Bytes::from(called(&number, &text)), "text/javascript; charset=UTF-8")
        }
    };
    let mut body = Vec::from(body);
    if spoils {
        spoil(&mut body);
    }
    let mut response = whole(settings, body, kind);
    if session.revision == Revision::V3 && packets.iter().any(|packet| matches!(packet, Packet::Open(_))) {
        let cookie = format!("io={}; Path=/; HttpOnly; SameSite=Strict", session.id);
        // Ids are letters, digits, `-` and `_`.
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            response.headers_mut().insert(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// An answer with the settings' fields, or those of the reference.
fn whole(settings: &Settings, body: impl Into<Bytes>, kind: &'static str) -> Response<Answer> {
    let mut response = Response::new(Answer::whole(body));
    let fields = response.headers_mut();
    if settings.fields.is_empty() {
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    put(fields, &settings.fields);
    response
}

/// A call of the client's function with this text: JavaScript, in which two characters of JSON end lines.
fn called(number: &str, text: &str) -> String {
    let number: String = number.chars().filter(char::is_ascii_digit).collect();
    // Strings always serialise.
    let quoted = serde_json::to_string(text).unwrap_or_default();
    let quoted = quoted.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    format!("___eio[{number}]({quoted});")
}

async fn post(settings: &Settings, session: &Arc<Session>, request: Request<Incoming>) -> Response<Answer> {
    let mut post = match session.begin_post() {
        Ok(post) => post,
        Err(missed) => return refusal(session, missed, &request).await,
    };
    let is_binary =
        request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind == "application/octet-stream");
    let is_script = query(&request, "j").is_some();
    if is_binary && session.revision == Revision::V4 {
        post.arrived = true;
        session.end(Reason::TransportError("bytes in a body, which version 4 sends as Base64"));
        return Refusal::Request.answer();
    }
    let body = match Limited::new(request.into_body(), settings.max_payload).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => {
            post.arrived = true;
            return refuse(StatusCode::PAYLOAD_TOO_LARGE, "a body is longer than maxPayload");
        }
        // Its connection is gone, or ends in the midst of it.
        Err(_) => return Refusal::Request.answer(),
    };
    post.arrived = true;
    let read = if is_binary {
        payload::read_binary(&body)
    } else {
        let text = String::from_utf8_lossy(&body);
        payload::read(&if is_script { unwrapped(&text) } else { text }, session.revision)
    };
    if take(session, read) { whole(settings, "ok", "text/html") } else { Refusal::Request.answer() }
}

/// Takes the packets of a body; whether it was one.
fn take(session: &Arc<Session>, read: Read) -> bool {
    let mut goes_on = true;
    for packet in read.packets {
        goes_on = goes_on && session.receive(packet);
    }
    if read.is_broken && goes_on {
        session.end(Reason::ParseError("a body that is no packets"));
        return false;
    }
    true
}

/// The packets in a form's field `d`, in which line breaks are written out.
fn unwrapped(form: &str) -> Cow<'_, str> {
    let mut fields = form_urlencoded::parse(form.as_bytes());
    let data = fields.find(|(name, _)| name == "d").map(|(_, data)| data).unwrap_or_default();
    // `\\n` stands for a backslash and an n, `\n` for the end of a line.
    let parts: Vec<String> = data.split("\\\\n").map(|part| part.replace("\\n", "\n")).collect();
    Cow::Owned(parts.join("\\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_calls_the_clients_function() {
        assert_eq!(called("0", r#"4"a\"#), r#"___eio[0]("4\"a\\");"#);
        assert_eq!(called("12;alert(1)", "4\u{2028}"), r#"___eio[121]("4\u2028");"#);
    }

    #[test]
    fn forms_keep_line_breaks() {
        assert_eq!(unwrapped("d=4hello"), "4hello");
        // JSON's own \n is sent as \\n, a line break of the text as \n.
        assert_eq!(unwrapped("d=42%5B%22a%5C%5Cnb%22%5D"), r#"42["a\nb"]"#);
        assert_eq!(unwrapped("d=4a%5Cnb"), "4a\nb");
        assert_eq!(unwrapped("x=1"), "");
    }
}
