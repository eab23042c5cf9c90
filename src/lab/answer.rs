//! What the ways of delivering share: how the server behaves, and what its answers are made of.

use std::borrow::Cow;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, SystemTime};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::ext::Protocol;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode, Version};
use tokio::sync::mpsc;

use super::hub::{Hub, Mailbox};

/// How a server behaves.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Header fields of every answer to a poll or a stream's request, besides those HTTP needs.
    /// A `Date` among them is set to the time of the answer.
    pub fields: Vec<(HeaderName, HeaderValue)>,
    /// Whether a poll for which there is nothing is held until there is.
    pub hold: bool,
    /// Between two signs of life on an open connection; after as long a held poll is let go.
    pub heartbeat: Option<Duration>,
    /// The name of the Socket.IO event that carries messages.
    pub event: String,
}

/// What the ways of delivering share.
pub(super) struct Lab {
    pub hub: Arc<Hub>,
    pub settings: Settings,
}

impl Lab {
    /// An answer with the settings' fields.
    pub fn answer(&self, body: Answer) -> Response<Answer> {
        let mut response = Response::new(body);
        put(response.headers_mut(), &self.settings.fields);
        response
    }

    /// The mailbox a request names in its query (`client=…`); that of nobody in particular otherwise.
    pub fn mailbox(&self, request: &Request<Incoming>) -> Option<Arc<Mailbox>> {
        self.hub.mailbox(&query(request, "client").unwrap_or_default())
    }
}

/// Puts fields into the head of an answer; `Date` is that of now.
pub(super) fn put(head: &mut HeaderMap, fields: &[(HeaderName, HeaderValue)]) {
    for (name, value) in fields {
        let value = if name == header::DATE { now() } else { Some(value.clone()) };
        if let Some(value) = value {
            head.insert(name.clone(), value);
        }
    }
}

/// JSON that a script or a page may hold: nothing in it ends either.
pub(super) fn for_script(json: &str) -> String {
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// What a refusal is written in.
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// A refusal with its reason.
pub(super) fn refuse(status: StatusCode, why: &str) -> Response<Answer> {
    let mut response = Response::new(Answer::whole(format!("{why}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, TEXT);
    response
}

/// That something is asked for otherwise than with these methods (RFC 9110 §15.5.6).
pub(super) fn not_allowed(methods: &'static str) -> Response<Answer> {
    let mut response = refuse(StatusCode::METHOD_NOT_ALLOWED, &format!("the methods here are: {methods}"));
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    response
}

/// Whether a request asks for a WebSocket: by Upgrade (RFC 6455 §4.2.1), or over HTTP/2 by extended CONNECT
/// (RFC 8441 §5).
pub(super) fn wants_websocket<B>(request: &Request<B>) -> bool {
    match request.version() {
        Version::HTTP_2 => is_extended_connect(request),
        _ => wants_upgrade(request.headers()),
    }
}

fn is_extended_connect<B>(request: &Request<B>) -> bool {
    let protocol = request.extensions().get::<Protocol>();
    *request.method() == Method::CONNECT && protocol.is_some_and(|protocol| protocol.as_str() == "websocket")
}

fn wants_upgrade(headers: &HeaderMap) -> bool {
    let has = |name: HeaderName, token: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|word| word.trim().eq_ignore_ascii_case(token))
    };
    has(header::UPGRADE, "websocket") && has(header::CONNECTION, "upgrade")
}

/// A parameter of the request target's query.
pub(super) fn query<'r, B>(request: &'r Request<B>, name: &str) -> Option<Cow<'r, str>> {
    let mut pairs = form_urlencoded::parse(request.uri().query()?.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value)
}

fn now() -> Option<HeaderValue> {
    HeaderValue::try_from(httpdate::fmt_http_date(SystemTime::now())).ok()
}

/// The body of an answer.
pub(super) enum Answer {
    /// All of it, once.
    Whole(Option<Bytes>),
    /// Piece by piece, each as soon as it is there.
    Stream(mpsc::Receiver<Bytes>),
}

impl Answer {
    pub fn whole(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self::Whole((!body.is_empty()).then_some(body))
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(body) => Poll::Ready(body.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(pieces) => {
                pieces.poll_recv(cx).map(|piece| piece.map(|bytes| Ok(Frame::data(bytes))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => SizeHint::with_exact(body.as_ref().map_or(0, Bytes::len) as u64),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}
