//! A request on a stream of HTTP/2 as one on a connection of HTTP/1.1 of its own: who answers it writes a
//! head as HTTP/1.1 has it, which goes out as HEADERS, and behind it bytes go both ways.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use h2::Reason;
use h2::server::SendResponse;
use hyper::body::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::channel::{Channel, told};
use super::translate::answer;
use crate::http::Head;
use crate::limits;
use crate::model::{Dir, SourceId};

/// What a head ends with, which is our own.
const END: &[u8] = b"\r\n\r\n";

/// Whose bytes heads are made of.
const SERVER: SourceId = SourceId::Stream { conn: 1, dir: Dir::Server };

/// A stream that waits for its answer, and what goes over it then. Let go unended it is reset (CANCEL), or
/// where only the client has not ended it asked to be (`NO_ERROR`).
pub struct Answering {
    /// What it is answered by, until it is.
    respond: Option<SendResponse<Bytes>>,
    /// What was written of the head.
    head: Vec<u8>,
    channel: Channel,
}

impl Answering {
    pub(super) fn new(respond: SendResponse<Bytes>, channel: Channel) -> Self {
        Self { respond: Some(respond), head: Vec::new(), channel }
    }

    /// Sends the head that was written: an interim one (RFC 9113 §8.1), or the final one.
    fn send_head(&mut self) -> io::Result<()> {
        let Some(respond) = &mut self.respond else { return Ok(()) };
        let response = answer(&Head::parse(&self.head, SERVER, 0)).ok_or(io::ErrorKind::InvalidInput)?;
        let status = response.status();
        if status.is_informational() && status != hyper::StatusCode::SWITCHING_PROTOCOLS {
            self.head.clear();
            return respond.send_informational(response).map_err(told);
        }
        let sending = respond.send_response(response, false).map_err(told)?;
        self.respond = None;
        self.channel.answered(sending);
        Ok(())
    }
}

impl AsyncRead for Answering {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().channel).poll_read(cx, into)
    }
}

impl AsyncWrite for Answering {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.respond.is_none() {
            return Pin::new(&mut this.channel).poll_write(cx, bytes);
        }
        let before = this.head.len();
        this.head.extend_from_slice(bytes);
        let from = before.saturating_sub(END.len() - 1);
        if let Some(at) = this.head[from..].windows(END.len()).position(|four| four == END) {
            this.head.truncate(from + at + END.len());
            let count = this.head.len() - before;
            this.send_head()?;
            return Poll::Ready(Ok(count));
        }
        if this.head.len() > limits::HTTP_HEAD {
            return Poll::Ready(Err(io::ErrorKind::InvalidInput.into()));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().channel).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Who ends it without an answer has nothing to end with but this.
        if let Some(mut respond) = this.respond.take() {
            respond.send_reset(Reason::CANCEL);
        }
        Pin::new(&mut this.channel).poll_shutdown(cx)
    }
}
