//! Pages, what they are made of, and the wire beside them.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use hyper::header::{HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Method, Request, Response, StatusCode, Version};

use super::Visitor;
use crate::lab::answer::{Answer, not_allowed, query, refuse};
use crate::lab::handshake::Welcome;
use crate::lab::pages::{self, POLICY, Site, asset, page};
use crate::lab::panels::Panels;
use crate::lab::socket::{Came, Manners, Socket};
use crate::lang::Lang;
use crate::limits;
use crate::model::{CloseCode, Dir, Opcode};

/// What draws the wire beside a page: the renderers, of which a lab knows nothing.
#[derive(Clone)]
pub struct Wire {
    /// Who looks on.
    pub panels: Panels,
    /// The module that draws records, and its sheet.
    pub script: &'static str,
    /// See above.
    pub style: &'static str,
    /// The words it needs, as JSON.
    pub words: fn(Lang) -> String,
    /// Records of what a receiver says of bytes in hex that this side sends, a line each; or what is wrong
    /// with the hex, in words.
    pub decode: fn(&str, Dir, Lang) -> Result<String, String>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("panels", &self.panels).finish_non_exhaustive()
    }
}

/// Where panels listen: their names stand behind it.
pub const PANELS: &str = "/lab/wire/";

/// Whether a connection that begins with these bytes is that of a page that looks on.
pub(super) fn looks_on(early: &[u8]) -> bool {
    early.strip_prefix(b"GET ").is_some_and(|target| target.starts_with(PANELS.as_bytes()))
}

/// Answers a request for a page or for what belongs to one; `None` for any other.
pub(super) fn answer(visitor: &Arc<Visitor>, request: &Request<Incoming>) -> Option<Response<Answer>> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let path = request.uri().path();
    if let Some((kind, content)) = asset(path) {
        return Some(of(kind, content));
    }
    let wire = visitor.server.settings().wire.as_ref()?;
    let (lang, named) = language(visitor, request);
    match path {
        "/lab/panel.js" => return Some(of("text/javascript", wire.script)),
        "/lab/panel.css" => return Some(of("text/css", wire.style)),
        _ => {}
    }
    let words = (wire.words)(lang);
    let site = Site {
        lang,
        named,
        address: visitor.ends[1],
        secure: visitor.server.settings().tls.is_some(),
        panel: &words,
    };
    let mut response = of("text/html", page(path, &site)?);
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Some(response)
}

/// What a receiver says of bytes that somebody typed.
pub(super) async fn decode(visitor: &Arc<Visitor>, request: Request<Incoming>) -> Response<Answer> {
    let Some(wire) = &visitor.server.settings().wire else {
        return refuse(StatusCode::NOT_FOUND, "there are no pages here");
    };
    if *request.method() != Method::POST {
        return not_allowed("POST");
    }
    let (lang, _) = language(visitor, &request);
    let from = if query(&request, "from").as_deref() == Some("server") { Dir::Server } else { Dir::Client };
    let Ok(body) = Limited::new(request.into_body(), limits::LAB_TYPED).collect().await else {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "more than anybody types");
    };
    match (wire.decode)(&String::from_utf8_lossy(&body.to_bytes()), from, lang) {
        Ok(records) => of("application/x-ndjson", records),
        // Words, which are no records: who types is not done yet.
        Err(why) => of("text/plain", why),
    }
}

/// The reader's language, and whether it was asked for by name.
fn language(visitor: &Visitor, request: &Request<Incoming>) -> (Lang, bool) {
    let asked = request.headers().get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    pages::language(query(request, "lang").as_deref(), asked, visitor.server.settings().lang)
}

fn of(kind: &'static str, content: impl Into<Cow<'static, str>>) -> Response<Answer> {
    let content: Cow<'static, str> = content.into();
    let body = match content {
        Cow::Borrowed(text) => Bytes::from_static(text.as_bytes()),
        Cow::Owned(text) => Bytes::from(text),
    };
    let mut response = Response::new(Answer::whole(body));
    let headers = response.headers_mut();
    if let Ok(kind) = HeaderValue::try_from(format!("{kind}; charset=utf-8")) {
        headers.insert(CONTENT_TYPE, kind);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Tells a panel of its connections, as long as it looks on: a message a record.
pub(super) fn look_on(visitor: &Arc<Visitor>, mut request: Request<Incoming>) -> Response<Answer> {
    let name = request.uri().path().strip_prefix(PANELS).unwrap_or_default();
    let Some(wire) = visitor.server.settings().wire.as_ref().filter(|_| Panels::is_name(name)) else {
        return refuse(StatusCode::NOT_FOUND, "there is no such panel");
    };
    // What it is told is about what is told of others. On a connection of HTTP/2 there are others, too.
    if request.version() != Version::HTTP_2 {
        visitor.wire.hush();
    }
    let (response, agreed) = match Welcome::default().answer(&request) {
        Ok(welcome) => welcome,
        Err(refusal) => return *refusal,
    };
    let mut records = wire.panels.listen(name);
    let manners = Manners::reading(visitor.server.0.reader.clone());
    let visitor = Arc::clone(visitor);
    tokio::spawn(async move {
        // A client that leaves during its handshake is none.
        let Ok(upgraded) = hyper::upgrade::on(&mut request).await else { return };
        let mut socket = Socket::upgraded(upgraded, Dir::Server, agreed.deflate, manners);
        loop {
            tokio::select! {
                record = records.recv() => {
                    let Some(record) = record else { return };
                    if socket.send(Opcode::TEXT, record.as_bytes()).await.is_err() {
                        return;
                    }
                }
                came = socket.next() => match came {
                    // A panel has nothing to say.
                    Ok(Came::Message(_) | Came::Ping(_) | Came::Pong(_)) => {}
                    // Whoever closes is answered; it has left in any case.
                    _ => return drop(socket.finish(super::FAREWELL).await),
                },
                () = visitor.stopping() => {
                    socket.close(Some(CloseCode(1001)), "");
                    // It ends in any case.
                    let _ = socket.finish(super::FAREWELL).await;
                    return;
                }
            }
        }
    });
    response
}
