//! WebSocket.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, StatusCode};

use super::{Inbox, Order};
use crate::http::accept_value;
use crate::lab::http::Http;
use crate::lab::http::{Failure, Fields, failed};
use crate::lab::socket::{Manners, Socket};
use crate::model::Dir;

/// An open WebSocket.
pub struct Client(Socket);

impl Client {
    pub async fn connect(order: &Order) -> Result<Self, Failure> {
        Ok(Self(open(Http::connect(order.server).await?, &order.target, &order.heads.upgrade).await?))
    }

    pub async fn run(mut self: Box<Self>, inbox: Arc<dyn Inbox>) -> Result<(), Failure> {
        while let Some(text) = self.0.receive().await.map_err(|e| failed("the WebSocket")(&e))? {
            inbox.message(&text);
        }
        Err("the server closed the WebSocket".to_owned())
    }
}

/// The opening handshake with a fresh key (RFC 6455 §4.1).
pub async fn open(http: Http, target: &str, fields: &Fields) -> Result<Socket, Failure> {
    open_with(http, target, fields, Manners::default()).await
}

/// The same with other manners.
pub async fn open_with(
    mut http: Http,
    target: &str,
    fields: &Fields,
    manners: Manners,
) -> Result<Socket, Failure> {
    let mut nonce = [0; 16];
    // Without randomness the key is 0, which opens a WebSocket too.
    let _ = getrandom::fill(&mut nonce);
    let key = STANDARD.encode(nonce);
    let name = HeaderName::from_static("sec-websocket-key");
    let mut fields = fields.clone();
    for (_, value) in fields.iter_mut().filter(|(field, _)| *field == name) {
        *value = HeaderValue::try_from(key.as_str()).map_err(|e| failed("the key")(&e))?;
    }
    let response = http.ask(Method::GET, target, &fields, Bytes::new()).await?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(format!("{target}: answered {} instead of 101", response.status()));
    }
    //= RFC 6455 §4.1
    //# If the response lacks a |Sec-WebSocket-Accept| header field or
    //# the |Sec-WebSocket-Accept| contains a value other than the
    let accept = response.headers().get("sec-websocket-accept");
    if accept.is_none_or(|value| value.as_bytes() != accept_value(key.as_bytes()).as_bytes()) {
        return Err(format!("{target}: Sec-WebSocket-Accept is not the answer to the key"));
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(|e| failed(target)(&e))?;
    Ok(Socket::upgraded(upgraded, Dir::Client, None, manners))
}
