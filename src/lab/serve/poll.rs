//! The chat without WebSocket: polling and its relatives, over the same room.
//!
//! Every line has a number. A poller says up to which it knows (`since`) and is told the rest; a stream tells
//! them as they come.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::Visitor;
use super::room::Said;
use crate::lab::answer::{Answer, for_script, not_allowed, query, refuse};
use crate::lab::events::at;
use crate::lab::fate::{Fate, spoil};
use crate::model::Text;

/// How long a poll is held for which there is nothing; between two signs of life on a stream.
const HELD: Duration = Duration::from_secs(25);

/// Pieces on their way to a connection that does not take them.
const WAITING: usize = 16;

const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");

/// Ways to the lines, by the last part of their path.
pub const PATHS: [(&str, &str); 7] = [
    ("/poll/short?since=0", "answered at once"),
    ("/poll/long?since=0", "answered when there is something"),
    ("/poll/events", "server-sent events"),
    ("/poll/jsonp?callback=f", "a script that calls f"),
    ("/poll/multipart", "parts that replace each other"),
    ("/poll/iframe", "a page that never ends"),
    ("/poll/say?name=Ann", "takes a POST: a line of the chat"),
];

/// Answers a request below `/poll/`.
pub async fn answer(visitor: &Arc<Visitor>, request: Request<Incoming>) -> Response<Answer> {
    if let Some(fate) = visitor.fate() {
        return meet(visitor, fate).await;
    }
    if let Some(delay) = visitor.plan.delay {
        sleep(delay).await;
    }
    let way = request.uri().path().strip_prefix("/poll/").unwrap_or_default().to_owned();
    if way == "say" {
        return say(visitor, request).await;
    }
    if *request.method() != Method::GET {
        return not_allowed("GET");
    }
    let since = |text: &str| text.parse::<u64>().ok();
    let known = query(&request, "since");
    let known =
        known.as_deref().or_else(|| request.headers().get(LAST_EVENT).and_then(|id| id.to_str().ok()));
    let Some(known) = known.map_or(Some(0), since) else {
        return refuse(StatusCode::BAD_REQUEST, "since is the number of the last line that is known");
    };
    match way.as_str() {
        "short" => of(visitor, JSON, json(visitor, known)),
        "long" => match hold(visitor, known).await {
            Some(fate) => meet(visitor, fate).await,
            None => of(visitor, JSON, json(visitor, known)),
        },
        "jsonp" => {
            let callback = query(&request, "callback").unwrap_or_default();
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.');
            if callback.is_empty() || callback.len() > 64 || !callback.chars().all(fits) {
                return refuse(StatusCode::BAD_REQUEST, "callback is the name of a function");
            }
            if let Some(fate) = hold(visitor, known).await {
                return meet(visitor, fate).await;
            }
            // A comment first: what a script begins with cannot be chosen by who asks for it.
            let script = format!("/**/{callback}({});", for_script(&json(visitor, known)));
            of(visitor, "text/javascript; charset=utf-8", script)
        }
        "events" => stream(visitor, known, "text/event-stream", EVENTS),
        "multipart" => stream(visitor, known, "multipart/x-mixed-replace; boundary=line", MULTIPART),
        "iframe" => stream(visitor, known, "text/html; charset=utf-8", IFRAME),
        _ => refuse(StatusCode::NOT_FOUND, "there are short, long, events, jsonp, multipart, iframe and say"),
    }
}

const JSON: &str = "application/json";

fn of(visitor: &Visitor, kind: &'static str, body: String) -> Response<Answer> {
    with(kind, Answer::whole(bytes(visitor, body)))
}

/// The bytes of a text, or of what should be one.
fn bytes(visitor: &Visitor, text: String) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    if visitor.plan.bad_utf8 {
        spoil(&mut bytes);
    }
    bytes
}

/// The connection is to end, so that nothing is answered.
async fn meet(visitor: &Visitor, fate: Fate) -> Response<Answer> {
    visitor.befall(fate);
    visitor.stopping().await;
    refuse(StatusCode::SERVICE_UNAVAILABLE, "the server ends")
}

fn with(kind: &'static str, body: Answer) -> Response<Answer> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Takes a line.
async fn say(visitor: &Arc<Visitor>, request: Request<Incoming>) -> Response<Answer> {
    if *request.method() != Method::POST {
        return not_allowed("POST");
    }
    let name = query(&request, "name").unwrap_or_default().into_owned();
    let most = visitor.server.settings().max_message;
    let Ok(body) = Limited::new(request.into_body(), most).collect().await else {
        visitor.say(Text::with("refused: a body of more than {} bytes, or cut short", most));
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long, or was cut short");
    };
    let body = body.to_bytes();
    let Ok(text) = std::str::from_utf8(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "a line is text in UTF-8");
    };
    visitor.server.room().say(&name, text.trim_end());
    let mut response = Response::new(Answer::whole(""));
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Waits for a line, for as long as a poll is held; or something befalls its connection.
async fn hold(visitor: &Visitor, since: u64) -> Option<Fate> {
    let idle = visitor.plan.idle_timeout;
    tokio::select! {
        // Either way there is an answer.
        _ = timeout(HELD, visitor.server.room().news(since)) => None,
        () = visitor.stopping() => None,
        () = at(idle.map(|idle| Instant::now() + idle)), if idle.is_some() => Some(Fate::Silence),
    }
}

/// Lines behind a number, but for those that get lost on purpose.
fn lines(visitor: &Visitor, since: u64) -> Vec<Said> {
    let mut lines = visitor.server.room().since(since);
    if visitor.plan.drop > 0.0 {
        let mut chance = visitor.server.chance();
        lines.retain(|_| !visitor.plan.loses(&mut chance));
    }
    visitor.has_sent(lines.len() as u64);
    lines
}

fn json(visitor: &Visitor, since: u64) -> String {
    let lines = lines(visitor, since);
    let last = visitor.server.room().last();
    let lines: Vec<&str> = lines.iter().map(|said| &*said.line).collect();
    serde_json::json!({ "last": last, "lines": lines }).to_string()
}

/// How a stream writes: what it begins with, a line, and a sign of life.
#[derive(Clone, Copy)]
struct Form {
    begin: &'static str,
    line: fn(&Said) -> String,
    alive: &'static str,
}

const EVENTS: Form = Form {
    begin: ":\n\n",
    line: |said| {
        let mut event = format!("id: {}\n", said.number);
        for line in said.line.split(['\n', '\r']) {
            // Writing to a string cannot fail.
            let _ = writeln!(event, "data: {line}");
        }
        event.push('\n');
        event
    },
    alive: ":\n\n",
};

const MULTIPART: Form = Form {
    begin: "--line\r\n",
    // A part is there once the boundary behind it is.
    line: |said| format!("Content-Type: text/plain; charset=utf-8\r\n\r\n{}\r\n--line\r\n", said.line),
    alive: "",
};

const IFRAME: Form = Form {
    begin: include_str!("iframe.html"),
    line: |said| {
        let line = for_script(&serde_json::json!(&*said.line).to_string());
        format!("<script>said({line})</script>\n")
    },
    alive: "<!-- -->\n",
};

/// An answer that goes on until one of both has enough.
fn stream(visitor: &Arc<Visitor>, known: u64, kind: &'static str, form: Form) -> Response<Answer> {
    let (sender, pieces) = mpsc::channel(WAITING);
    let visitor = Arc::clone(visitor);
    tokio::spawn(async move {
        let patience = visitor.server.settings().write_timeout;
        let idle = visitor.plan.idle_timeout;
        let mut heard = Instant::now();
        let mut since = known;
        let mut piece = form.begin.to_owned();
        loop {
            if let Some(delay) = visitor.plan.delay.filter(|_| since > known) {
                sleep(delay).await;
            }
            if !piece.is_empty() {
                let piece = std::mem::take(&mut piece);
                // What a stream begins with is no line.
                let bytes = if since > known { bytes(&visitor, piece) } else { piece.into_bytes() };
                match timeout(patience, sender.send(Bytes::from(bytes))).await {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return,
                    Err(_) => return visitor.broke(&ErrorKind::TimedOut.into()),
                }
            }
            if let Some(fate) = visitor.fate() {
                // Once all is on its way.
                let _ = timeout(patience, sender.reserve_many(WAITING)).await;
                visitor.befall(fate);
                // Who ends its answer would end it in order.
                return sender.closed().await;
            }
            tokio::select! {
                news = timeout(HELD, visitor.server.room().news(since)) => {
                    if news.is_err() {
                        form.alive.clone_into(&mut piece);
                        continue;
                    }
                    for said in lines(&visitor, since) {
                        piece.push_str(&(form.line)(&said));
                    }
                    since = visitor.server.room().last();
                    heard = Instant::now();
                }
                () = at(idle.map(|idle| heard + idle)), if idle.is_some() => {
                    visitor.befall(Fate::Silence);
                    return sender.closed().await;
                }
                // The client has gone, or the server ends.
                () = sender.closed() => return,
                () = visitor.stopping() => return,
            }
        }
    });
    with(kind, Answer::Stream(pieces))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_say_ends_no_script_nor_part() {
        let said = Said { number: 7, line: "Ann: </script>\u{2028}\n\"x\"".into() };
        assert_eq!(
            (IFRAME.line)(&said),
            "<script>said(\"Ann: \\u003c/script>\\u2028\\n\\\"x\\\"\")</script>\n"
        );
        assert_eq!((EVENTS.line)(&said), "id: 7\ndata: Ann: </script>\u{2028}\ndata: \"x\"\n\n");
        assert!(IFRAME.begin.len() >= 1024);
    }
}
