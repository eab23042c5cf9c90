//! Requests of both transports, and the upgrade from polling to WebSocket.

use std::borrow::Cow;
use std::sync::Arc;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};

use super::packet;
use super::session::{Session, Sessions};
use crate::lab::answer::{Answer, Lab, query, refuse, wants_upgrade};
use crate::lab::socket::{Socket, switch};
use crate::limits;
use crate::model::{Dir, Opcode};

/// Answers a request of Engine.IO.
pub(in crate::lab) async fn answer(
    lab: &Lab,
    sessions: &Sessions,
    request: Request<Incoming>,
) -> Response<Answer> {
    if query(&request, "EIO").as_deref() != Some("4") {
        return error(5, "Unsupported protocol version");
    }
    let session = match query(&request, "sid") {
        None => None,
        Some(sid) => match sessions.find(&sid) {
            Some(session) => Some(session),
            None => return error(1, "Session ID unknown"),
        },
    };
    let transport = query(&request, "transport").map(Cow::into_owned);
    let begin = |request: &Request<Incoming>| begin(lab, sessions, request);
    match (transport.as_deref(), request.method(), session) {
        (Some("websocket"), &Method::GET, session) if wants_upgrade(request.headers()) => {
            upgrade(request, session, begin)
        }
        (Some("websocket"), _, _) => error(3, "Bad request"),
        (Some("polling"), &Method::GET, Some(session)) => poll(lab, &session).await,
        (Some("polling"), &Method::POST, Some(session)) => post(lab, &session, request).await,
        (Some("polling"), &Method::GET, None) => match begin(&request) {
            Some(session) => text(lab, session.handshake(true)),
            None => refuse(StatusCode::SERVICE_UNAVAILABLE, "too many clients"),
        },
        (Some("polling"), ..) => error(2, "Bad handshake method"),
        _ => error(0, "Transport unknown"),
    }
}

fn begin(lab: &Lab, sessions: &Sessions, request: &Request<Incoming>) -> Option<Arc<Session>> {
    let name = query(request, "client");
    sessions.begin(&lab.hub, name.as_deref(), lab.settings.heartbeat, &lab.settings.event)
}

async fn poll(lab: &Lab, session: &Session) -> Response<Answer> {
    match session.poll().await {
        Some(packets) => text(lab, packets.join(&packet::SEPARATOR.to_string())),
        None => error(1, "Session ID unknown"),
    }
}

async fn post(lab: &Lab, session: &Session, request: Request<Incoming>) -> Response<Answer> {
    let Ok(body) = Limited::new(request.into_body(), limits::LAB_MESSAGE).collect().await else {
        session.end();
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long, or was cut short");
    };
    let body = body.to_bytes();
    let Ok(packets) = std::str::from_utf8(&body) else { return error(3, "Bad request") };
    packets.split(packet::SEPARATOR).for_each(|packet| session.receive(packet));
    text(lab, "ok".to_owned())
}

/// A session on WebSocket: a new one, or one that comes from polling.
fn upgrade(
    mut request: Request<Incoming>,
    session: Option<Arc<Session>>,
    begin: impl FnOnce(&Request<Incoming>) -> Option<Arc<Session>>,
) -> Response<Answer> {
    let response = match switch(&request) {
        Ok(response) => response,
        Err(refusal) => return *refusal,
    };
    let is_new = session.is_none();
    let Some(session) = session.or_else(|| begin(&request)) else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many clients");
    };
    tokio::spawn(async move {
        // A client that leaves during its handshake is none.
        let Ok(upgraded) = hyper::upgrade::on(&mut request).await else { return };
        let Some(mut socket) = Socket::new(upgraded, Dir::Server) else { return };
        let taken = is_new || take_over(&session, &mut socket).await.unwrap_or(false);
        if taken {
            // Whatever ends the connection ends the session.
            let _ = talk(&session, &mut socket, is_new).await;
            session.end();
        }
    });
    response
}

/// The exchange of probes that moves a session here; whether it did.
async fn take_over(session: &Session, socket: &mut Socket) -> std::io::Result<bool> {
    while let Some(texts) = socket.receive().await? {
        let mut moved = false;
        for text in texts {
            match std::str::from_utf8(&text) {
                // What follows at once is the session's already.
                Ok(packet) if moved => session.receive(packet),
                Ok(packet::PROBE) => {
                    socket.send(Opcode::TEXT, packet::PROBED.as_bytes()).await?;
                    session.begin_upgrade();
                }
                Ok(packet::UPGRADE) => moved = true,
                _ => return Ok(false),
            }
        }
        if moved {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A packet a frame, both ways.
async fn talk(session: &Session, socket: &mut Socket, is_new: bool) -> std::io::Result<()> {
    if is_new {
        socket.send(Opcode::TEXT, session.handshake(false).as_bytes()).await?;
    }
    loop {
        tokio::select! {
            read = socket.read() => {
                let Some(texts) = socket.answer(read?).await? else { return Ok(()) };
                // Frames of text are UTF-8, or the connection would be over.
                let texts = texts.iter().filter_map(|text| std::str::from_utf8(text).ok());
                texts.for_each(|packet| session.receive(packet));
            }
            packets = session.next() => {
                let Some(packets) = packets else { return socket.send(Opcode::CLOSE, &[]).await };
                for packet in packets {
                    socket.send(Opcode::TEXT, packet.as_bytes()).await?;
                }
            }
        }
    }
}

fn text(lab: &Lab, body: String) -> Response<Answer> {
    lab.answer(Answer::whole(body))
}

/// Engine.IO's refusals: a number, and words.
fn error(code: u8, message: &str) -> Response<Answer> {
    let mut response = refuse(StatusCode::BAD_REQUEST, "");
    *response.body_mut() = Answer::whole(format!("{{\"code\":{code},\"message\":\"{message}\"}}"));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
