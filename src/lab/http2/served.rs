//! A server's side of a connection: what its client asks for, stream by stream, each as a connection of
//! HTTP/1.1 of its own would have it.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::Poll;
use std::time::Duration;

use h2::ext::Protocol;
use h2::server::{Builder, Connection};
use hyper::Method;
use hyper::body::Bytes;
use tokio::time::timeout;

use super::answering::Answering;
use super::channel::Channel;
use super::translate::{ordinary, request};
use super::watch::{Refused, StreamWatch, Watch};
use crate::lab::overheard::Overheard;
use crate::lab::socket::Stream;
use crate::limits;
use crate::model::Text;

/// A connection on which a client of HTTP/2 asks.
pub struct Served {
    connection: Connection<Overheard<Watch>, Bytes>,
    watch: Watch,
}

/// What a client asks for on a stream.
pub struct Visit {
    /// Its head as one of HTTP/1.1 that asks for the same.
    pub head: Vec<u8>,
    /// Where that is answered, as HTTP/1.1 has it.
    pub stream: Answering,
    /// What the decoder says of it, rule by rule.
    pub watch: StreamWatch,
}

/// What happens on a connection.
#[allow(clippy::large_enum_variant, reason = "moved once")]
pub enum Asked {
    /// Something is asked for on a stream.
    Visit(Visit),
    /// It was asked for so wrongly that the stream was reset already (RFC 9113 §8.1.1).
    Refused(Refused),
}

impl Served {
    /// Begins as a server does: SETTINGS, among them that extended CONNECT is taken (RFC 8441 §3). `ends` are
    /// the addresses of client and server.
    ///
    /// # Errors
    /// What came instead of a client's beginning.
    pub async fn begin(stream: impl Stream, ends: [SocketAddr; 2], patience: Duration) -> Result<Self, Text> {
        let (stream, watch) = Watch::on(Box::new(stream), ends);
        let mut builder = Builder::new();
        builder
            .enable_connect_protocol()
            .initial_window_size(limits::GRADE_STREAM)
            .initial_connection_window_size(limits::GRADE_STREAMS_HELD)
            .max_send_buffer_size(limits::GRADE_STREAM as usize)
            .max_concurrent_streams(limits::GRADE_STREAMS)
            .max_header_list_size(limits::HTTP_HEAD as u32);
        match timeout(patience, builder.handshake(stream)).await {
            Ok(Ok(connection)) => Ok(Self { connection, watch }),
            Ok(Err(error)) => Err(Text::with("broke HTTP/2: {}", error)),
            Err(_) => Err(Text::with("no HTTP/2 within {} s", patience.as_secs())),
        }
    }

    /// What is asked for next; `None` once the connection is over. What is asked for goes on only while
    /// somebody waits here.
    ///
    /// # Errors
    /// Against which of its rules the client has ended HTTP/2.
    pub async fn next(&mut self) -> Option<Result<Asked, Text>> {
        poll_fn(|cx| {
            let came = self.connection.poll_accept(cx);
            if let Poll::Ready(Some(Ok((head, respond)))) = came {
                let (parts, receiving) = head.into_parts();
                let watch = self.watch.accepted(receiving.stream_id().as_u32());
                let protocol = parts.extensions.get::<Protocol>().map(Protocol::as_str);
                let is_websocket = parts.method == Method::CONNECT
                    && protocol.is_some_and(|protocol| protocol.eq_ignore_ascii_case("websocket"));
                let head = if is_websocket {
                    request(&parts.uri, &parts.headers)
                } else {
                    ordinary(&parts.method, &parts.uri, &parts.headers)
                };
                let stream = Answering::new(respond, Channel::asked(receiving));
                return Poll::Ready(Some(Ok(Asked::Visit(Visit { head, stream, watch }))));
            }
            // What has come by now and was not given out was reset.
            if let Some(refused) = self.watch.refused() {
                return Poll::Ready(Some(Ok(Asked::Refused(refused))));
            }
            came.map(|came| match came {
                // Who leaves without GOAWAY has seen enough.
                Some(Err(error)) if error.is_library() => Some(Err(Text::with("broke HTTP/2: {}", error))),
                _ => None,
            })
        })
        .await
    }

    /// Takes no more streams; those that there are go on, and then the connection ends.
    pub fn end(&mut self) {
        self.connection.graceful_shutdown();
    }
}
