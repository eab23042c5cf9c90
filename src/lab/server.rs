//! The HTTP server, and which way of delivering a request asks for.
//!
//! One resource, every way: an `Upgrade` makes it a WebSocket, `Accept: text/event-stream`
//! an event stream, Engine.IO's `EIO` a session of Socket.IO, and anything else is a poll.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::answer::{Answer, Lab, not_allowed, query, wants_websocket};
use super::engine::Engine;
use super::engine::programs::Published;
use super::engine::settings::Settings as EngineSettings;
use super::engine::socketio::SocketIo;
use super::hub::Hub;
use super::{events, mailed, polling};

pub use super::answer::Settings;

/// Serves every connection of a listener, for ever.
pub async fn serve(listener: TcpListener, hub: Arc<Hub>, settings: Settings) {
    let engine = engine(&hub, &settings);
    let lab = Arc::new(Lab { hub, settings });
    loop {
        // What cannot be accepted now (no file is left to open) may be later.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Every write is sent at once: Nagle's algorithm would gather them.
        let _ = stream.set_nodelay(true);
        let (lab, engine) = (Arc::clone(&lab), engine.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let (lab, engine) = (Arc::clone(&lab), engine.clone());
                async move { Ok::<_, Infallible>(route(&lab, &engine, request).await) }
            });
            let mut http = hyper::server::conn::http1::Builder::new();
            http.auto_date_header(false).timer(TokioTimer::new());
            // A connection that breaks is its client's affair.
            let _ = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
        });
    }
}

/// Socket.IO for clients that are compared: those of its current version.
fn engine(hub: &Arc<Hub>, settings: &Settings) -> Engine {
    let defaults = EngineSettings::default();
    let settings_of_engine = EngineSettings {
        ping_interval: settings.heartbeat.unwrap_or(defaults.ping_interval),
        beats: settings.heartbeat.is_some(),
        version_3: false,
        fields: settings.fields.clone(),
        ..defaults
    };
    Engine::new(settings_of_engine, SocketIo::new(Published::new(Arc::clone(hub), &settings.event)))
}

async fn route(lab: &Lab, engine: &Engine, request: Request<Incoming>) -> Response<Answer> {
    if query(&request, "EIO").is_some() {
        return engine.answer(request).await;
    }
    if wants_websocket(&request) {
        return mailed::answer(lab, request);
    }
    let accept = request.headers().get(header::ACCEPT);
    match *request.method() {
        Method::GET if accept.is_some_and(|accept| accept == "text/event-stream") => {
            events::answer(lab, &request)
        }
        Method::GET => polling::answer(lab, &request).await,
        Method::POST => polling::publish(lab, request).await,
        _ => not_allowed("GET, POST"),
    }
}
