//! HTTP, and what a request asks for.

use std::convert::Infallible;
use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::ext::Protocol;
use hyper::header::{CONNECTION, HeaderName, HeaderValue, UPGRADE};
use hyper::service::{HttpService, service_fn};
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};

use super::asked::Line;
use super::spots::Spot;
use super::{Kind, Visitor, pages, paths, poll, socketio};
use crate::lab::answer::{Answer, not_allowed, query, refuse, wants_websocket};
use crate::lab::engine::beneath::{Beneath, Under};
use crate::lab::handshake::{Agreed, Target};
use crate::lab::http2::EXTENDED_ONLY;
use crate::lab::overheard::Overheard;
use crate::lab::panels::Panels;
use crate::lab::socket::Stream;
use crate::limits;
use crate::model::Text;

/// How long a head may take to come.
const HEAD: Duration = Duration::from_secs(30);

const ACCEPT: HeaderName = HeaderName::from_static("sec-websocket-accept");
const EXTENSIONS: HeaderName = HeaderName::from_static("sec-websocket-extensions");

/// Serves HTTP on a connection, to its end; HTTP/2 (RFC 9113) where `is_http2`, with extended CONNECT (RFC
/// 8441).
pub async fn serve(visitor: Arc<Visitor>, stream: Box<dyn Stream>, is_http2: bool) {
    let answered = Arc::new(AtomicBool::new(false));
    let line = Line::default();
    let stream = Overheard::by(line.clone(), stream);
    let service = {
        let (visitor, answered) = (Arc::clone(&visitor), Arc::clone(&answered));
        service_fn(move |mut request: Request<Incoming>| {
            let (visitor, line) = (Arc::clone(&visitor), line.clone());
            answered.store(true, Relaxed);
            if let Some(target) = line.target() {
                request.extensions_mut().insert(Target(target));
            }
            async move {
                let looks_on = query(&request, "panel").is_some_and(|name| Panels::is_name(&name));
                let response = answer(&visitor, request).await;
                if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                    line.is_last();
                    // From here on it is nobody else's. A connection of HTTP/2 stays everybody's.
                    if !looks_on {
                        visitor.wire.nobody_looks();
                    }
                }
                Ok::<_, Infallible>(response)
            }
        })
    };
    if is_http2 {
        return serve_http2(&visitor, Box::new(stream), service).await;
    }
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        biased;
        // What is to be sent before anything befalls it has gone.
        ended = &mut connection => ended,
        () = visitor.control.wait_for_end() => return,
        () = visitor.stopping() => {
            connection.as_mut().graceful_shutdown();
            // Answers that never end are left where they are.
            tokio::time::timeout(super::FAREWELL, connection).await.unwrap_or(Ok(()))
        }
    };
    match ended {
        Err(error) if error.is_parse() => {
            visitor.say(Text::with("sent what is no HTTP request: {}", error));
        }
        // Browsers keep a connection open behind an answer, in case they need another.
        Err(error) if error.is_timeout() && !answered.load(Relaxed) => {
            visitor.say(Text::with("sent no whole request within {} s", HEAD.as_secs()));
        }
        // Who leaves during an answer has seen enough.
        _ => {}
    }
}

/// Serves HTTP/2 on a connection, to its end.
async fn serve_http2<S>(visitor: &Arc<Visitor>, stream: Box<dyn Stream>, service: S)
where
    S: HttpService<Incoming, ResBody = Answer, Error = Infallible> + Send + 'static,
    S::Future: Send + 'static,
{
    let mut http = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new()).enable_connect_protocol().max_header_list_size(limits::HTTP_HEAD as u32);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        biased;
        // Everything on it ends with it, before anything more is said.
        () = visitor.control.wait_for_end() => return,
        ended = &mut connection => ended,
        () = visitor.stopping() => {
            connection.as_mut().graceful_shutdown();
            // Streams that never end are left where they are.
            let patience = super::FAREWELL + super::FAREWELL / 4;
            tokio::time::timeout(patience, connection).await.unwrap_or(Ok(()))
        }
    };
    // Who leaves without GOAWAY has seen enough.
    if let Err(error) = ended
        && error
            .source()
            .and_then(|source| source.downcast_ref::<h2::Error>())
            .is_some_and(h2::Error::is_library)
    {
        visitor
            .say(Text::with("broke HTTP/2: {}", error.source().map(ToString::to_string).unwrap_or_default()));
    }
}

async fn answer(visitor: &Arc<Visitor>, mut request: Request<Incoming>) -> Response<Answer> {
    // Faults befall what is looked at, not those who look.
    if request.uri().path().starts_with(pages::PANELS) && wants_websocket(&request) {
        return pages::look_on(visitor, request);
    }
    if let Some(page) = pages::answer(visitor, &request) {
        return page;
    }
    let plan = &visitor.plan;
    let server = &visitor.server;
    if plan.strip_upgrade && wants_websocket(&request) {
        if request.version() == Version::HTTP_2 {
            request.extensions_mut().remove::<Protocol>();
            visitor.say("fault strip-upgrade: :protocol is taken out");
        } else {
            request.headers_mut().remove(UPGRADE);
            request.headers_mut().remove(CONNECTION);
            visitor.say("fault strip-upgrade: Upgrade and Connection are taken out");
        }
    }
    if plan.strip_extensions && request.headers_mut().remove(EXTENSIONS).is_some() {
        visitor.say("fault strip-extensions: Sec-WebSocket-Extensions is taken out");
    }
    if let Some(status) = plan.status {
        visitor.say(Text::with("fault status: answered with {}", status));
        return refuse(StatusCode::from_u16(status).unwrap_or_default(), "a fault on purpose");
    }
    if let Some(engine) = socketio::engine(visitor, &request) {
        let version = request.version();
        request.extensions_mut().insert(visitor.ends[0]);
        request.extensions_mut().insert(Under(Arc::clone(visitor) as Arc<dyn Beneath>));
        let mut response = engine.answer(request).await;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS || version == Version::HTTP_2 {
            spoil_accept(visitor, version, &mut response);
        }
        return response;
    }
    let path = request.uri().path();
    if path == "/lab/decode" {
        return pages::decode(visitor, request).await;
    }
    if wants_websocket(&request) && server.serves(Kind::Ws) {
        return match Spot::of(&request) {
            Some(spot) => open(visitor, spot, request),
            None => refuse(StatusCode::NOT_FOUND, &nowhere(server.kinds())),
        };
    }
    if path.starts_with("/poll/") && server.serves(Kind::Poll) {
        return poll::answer(visitor, request).await;
    }
    if server.serves(Kind::Ws) && Spot::of(&request).is_some() {
        return upgrade_required(request.version());
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return not_allowed("GET, HEAD");
    }
    refuse(StatusCode::NOT_FOUND, &nowhere(server.kinds()))
}

/// Opens a WebSocket, if it may be.
fn open(visitor: &Arc<Visitor>, spot: Spot, mut request: Request<Incoming>) -> Response<Answer> {
    let (mut response, agreed) = match visitor.server.settings().welcome.answer(&request) {
        Ok(welcome) => welcome,
        Err(refusal) => {
            visitor.say(Text::with("the handshake was refused with {}", refusal.status().as_u16()));
            return *refusal;
        }
    };
    spoil_accept(visitor, request.version(), &mut response);
    let visitor = Arc::clone(visitor);
    tokio::spawn(async move {
        // A client that leaves during its handshake is none.
        let Ok(upgraded) = hyper::upgrade::on(&mut request).await else { return };
        let agreed: Agreed = agreed;
        spot.talk(TokioIo::new(upgraded), visitor, agreed).await;
    });
    response
}

/// Answers the client's key wrongly, where a fault has it so.
fn spoil_accept(visitor: &Visitor, version: Version, response: &mut Response<Answer>) {
    if visitor.plan.accept && version == Version::HTTP_2 {
        visitor.say("fault accept: over HTTP/2 there is no Sec-WebSocket-Accept");
    } else if visitor.plan.accept {
        visitor.say("fault accept: Sec-WebSocket-Accept is wrong");
        response.headers_mut().insert(ACCEPT, HeaderValue::from_static("AAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    }
}

/// Where there is a WebSocket and none is asked for (RFC 9110 §15.5.22).
fn upgrade_required(version: Version) -> Response<Answer> {
    if version == Version::HTTP_2 {
        return refuse(StatusCode::BAD_REQUEST, EXTENDED_ONLY);
    }
    let mut response =
        refuse(StatusCode::UPGRADE_REQUIRED, "this is a WebSocket: open it with a WebSocket client");
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    response
}

/// What is said where nothing is: what there is instead.
fn nowhere(kinds: &[Kind]) -> String {
    let known = paths(kinds).into_iter().filter(|(_, path, _)| !path.is_empty());
    let known = known.map(|(scheme, path, what)| format!("  {scheme:<4} {path:<22} {what}\n"));
    // Clients quote the first line.
    format!("there is nothing here\nthere are:\n{}", known.collect::<String>())
}
