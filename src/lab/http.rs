//! A client's kept HTTP connection and what goes over it.

use std::fmt::Display;
use std::net::SocketAddr;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::socket::Stream;
use crate::limits;

/// Header fields in order.
pub type Fields = Vec<(HeaderName, HeaderValue)>;

/// Why a client cannot go on, in words.
pub type Failure = String;

/// A failure of some step.
pub(crate) fn failed(step: &str) -> impl Fn(&dyn Display) -> Failure + '_ {
    move |e| format!("{step}: {e}")
}

/// A connection.
pub struct Http {
    sender: SendRequest<Full<Bytes>>,
}

impl Http {
    /// To a server.
    ///
    /// # Errors
    /// In words, what went wrong.
    pub async fn connect(server: SocketAddr) -> Result<Self, Failure> {
        let why = failed("connecting");
        let stream = TcpStream::connect(server).await.map_err(|e| why(&e))?;
        stream.set_nodelay(true).map_err(|e| why(&e))?;
        Self::over(stream).await
    }

    /// Over a connection that is there.
    ///
    /// # Errors
    /// In words, what went wrong.
    pub async fn over(stream: impl Stream) -> Result<Self, Failure> {
        let why = failed("connecting");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|e| why(&e))?;
        // What breaks the connection fails the request that is on it.
        tokio::spawn(async move { drop(connection.with_upgrades().await) });
        Ok(Self { sender })
    }

    /// Whether the server has ended it.
    #[cfg(feature = "cli")]
    pub fn is_over(&self) -> bool {
        self.sender.is_closed()
    }

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// In words, what went wrong.
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
    ///
    /// # Errors
    /// In words, what went wrong, an answer that is not 200 among that.
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
        whole(response, target).await
    }

    /// The same without a body.
    ///
    /// # Errors
    /// As [`fetch`](Self::fetch).
    pub async fn get(&mut self, target: &str, fields: &Fields) -> Result<Bytes, Failure> {
        self.fetch(Method::GET, target, fields, Bytes::new()).await
    }
}

/// All of an answer's body, which may hold many messages.
///
/// # Errors
/// In words, what went wrong.
pub async fn whole(response: Response<Incoming>, target: &str) -> Result<Bytes, Failure> {
    let body = Limited::new(response.into_body(), 64 * limits::LAB_MESSAGE);
    Ok(body.collect().await.map_err(|e| failed(target)(&e))?.to_bytes())
}
