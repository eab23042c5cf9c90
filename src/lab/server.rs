//! The HTTP server, and which way of delivering a request asks for.
//!
//! One resource, every way: an `Upgrade` makes it a WebSocket, `Accept: text/event-stream`
//! an event stream, Engine.IO's `EIO` a session of Socket.IO, and anything else is a poll.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::answer::{Answer, Lab, query, refuse, wants_upgrade};
use super::engine::Sessions;
use super::hub::Hub;
use super::{engine, events, polling, socket};

pub use super::answer::Settings;

/// Serves every connection of a listener, for ever.
pub async fn serve(listener: TcpListener, hub: Arc<Hub>, settings: Settings) {
    let lab = Arc::new(Lab { hub, settings });
    let sessions = Arc::new(Sessions::default());
    loop {
        // What cannot be accepted now (no file is left to open) may be later.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Every write is sent at once: Nagle's algorithm would gather them.
        let _ = stream.set_nodelay(true);
        let (lab, sessions) = (Arc::clone(&lab), Arc::clone(&sessions));
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let (lab, sessions) = (Arc::clone(&lab), Arc::clone(&sessions));
                async move { Ok::<_, Infallible>(route(&lab, &sessions, request).await) }
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            http.auto_date_header(false).timer(TokioTimer::new());
            // A connection that breaks is its client's affair.
            let _ = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
        });
    }
}

async fn route(lab: &Lab, sessions: &Sessions, request: Request<Incoming>) -> Response<Answer> {
    if query(&request, "EIO").is_some() {
        return engine::answer(lab, sessions, request).await;
    }
    if wants_upgrade(request.headers()) {
        return socket::answer(lab, request);
    }
    let accept = request.headers().get(header::ACCEPT);
    match *request.method() {
        Method::GET if accept.is_some_and(|accept| accept == "text/event-stream") => {
            events::answer(lab, &request)
        }
        Method::GET => polling::answer(lab, &request).await,
        Method::POST => polling::publish(lab, request).await,
        _ => refuse(StatusCode::METHOD_NOT_ALLOWED, "GET or POST"),
    }
}
