//! Servers of Engine.IO by themselves, on a port of their own.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::server::Engine;
use crate::lab::answer::{Answer, refuse};
use crate::lab::socket::Stream;

/// Serves every connection of a listener, for ever. Requests for none of the servers are answered with 404.
pub async fn serve(listener: TcpListener, engines: Vec<Engine>) {
    loop {
        // What cannot be accepted now (no file is left to open) may be later.
        let Ok((stream, peer)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        // Every write is sent at once: Nagle's algorithm would gather them.
        let _ = stream.set_nodelay(true);
        tokio::spawn(serve_connection(stream, peer, engines.clone()));
    }
}

/// Serves a connection, whatever it runs over, to its end.
pub async fn serve_connection(stream: impl Stream, peer: SocketAddr, engines: Vec<Engine>) {
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        let engines = engines.clone();
        async move { Ok::<_, Infallible>(route(&engines, request).await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new());
    // A connection that breaks is its client's affair.
    let _ = http.serve_connection(TokioIo::new(stream), service).with_upgrades().await;
}

async fn route(engines: &[Engine], request: Request<Incoming>) -> Response<Answer> {
    match engines.iter().find(|engine| engine.owns(&request)) {
        Some(engine) => engine.answer(request).await,
        None => refuse(StatusCode::NOT_FOUND, "nothing is here"),
    }
}
