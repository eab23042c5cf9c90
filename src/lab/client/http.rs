//! A kept HTTP connection and what goes over it.

use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::{Failure, Fields, failed};
use crate::limits;

/// A connection.
pub struct Http {
    sender: SendRequest<Full<Bytes>>,
}

impl Http {
    pub async fn connect(server: SocketAddr) -> Result<Self, Failure> {
        let why = failed("connecting");
        let stream = TcpStream::connect(server).await.map_err(|e| why(&e))?;
        stream.set_nodelay(true).map_err(|e| why(&e))?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|e| why(&e))?;
        // What breaks the connection fails the request that is on it.
        tokio::spawn(async move { drop(connection.with_upgrades().await) });
        Ok(Self { sender })
    }

    /// Sends a request and waits for the head of its answer.
    pub async fn ask(
        &mut self,
        method: Method,
        target: &str,
        fields: &Fields,
        body: impl Into<Bytes>,
    ) -> Result<Response<Incoming>, Failure> {
        let mut request = Request::new(Full::new(body.into()));
        *request.uri_mut() = target.parse().map_err(|e| failed(target)(&e))?;
        *request.method_mut() = method;
        for (name, value) in fields {
            request.headers_mut().append(name.clone(), value.clone());
        }
        self.sender.ready().await.map_err(|e| failed(target)(&e))?;
        self.sender.send_request(request).await.map_err(|e| failed(target)(&e))
    }

    /// Sends a request and waits for all of its answer.
    pub async fn fetch(
        &mut self,
        method: Method,
        target: &str,
        fields: &Fields,
        body: impl Into<Bytes>,
    ) -> Result<Bytes, Failure> {
        let response = self.ask(method, target, fields, body).await?;
        if response.status() != StatusCode::OK {
            return Err(format!("{target}: answered {}", response.status()));
        }
        // An answer may hold many messages.
        let body = Limited::new(response.into_body(), 64 * limits::LAB_MESSAGE);
        Ok(body.collect().await.map_err(|e| failed(target)(&e))?.to_bytes())
    }

    pub async fn get(&mut self, target: &str, fields: &Fields) -> Result<Bytes, Failure> {
        self.fetch(Method::GET, target, fields, Bytes::new()).await
    }
}
