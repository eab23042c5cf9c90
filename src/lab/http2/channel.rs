//! A stream of HTTP/2 as one that bytes go over: DATA frames both ways, `END_STREAM` for FIN, `RST_STREAM`
//! for a reset.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use h2::{Reason, RecvStream, SendStream};
use hyper::body::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::driven::Driven;

/// Bytes that are put into the connection's queue at a time.
const PIECE: usize = 16 * 1024;

/// A stream. A client's is the only one on its connection: who reads or writes keeps that going, and let go
/// unended it takes the connection with it. That of a server's client is kept going by who serves it.
pub struct Channel {
    /// `None` before there is an answer to send behind, and once both sides have ended it.
    sending: Option<SendStream<Bytes>>,
    /// `None` once both sides have ended it.
    receiving: Option<RecvStream>,
    /// Where it is kept going from here.
    connection: Option<Driven>,
    /// What came and was not asked for yet.
    came: Bytes,
    /// Room that was asked for.
    asked: usize,
    /// This side has ended it.
    ended: bool,
}

impl Channel {
    pub(super) fn new((sending, receiving): (SendStream<Bytes>, RecvStream), connection: Driven) -> Self {
        Self { sending: Some(sending), connection: Some(connection), ..Self::asked(receiving) }
    }

    /// A stream on which a client asks for something, and has no answer yet.
    pub(super) fn asked(receiving: RecvStream) -> Self {
        let receiving = Some(receiving);
        Self { sending: None, receiving, connection: None, came: Bytes::new(), asked: 0, ended: false }
    }

    /// It is answered: this is sent on it from now on.
    pub(super) fn answered(&mut self, sending: SendStream<Bytes>) {
        self.sending = Some(sending);
    }

    /// Keeps the connection going; ready once that is over, or somebody else's affair.
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.connection.as_mut().map_or(Poll::Ready(()), |connection| connection.poll(cx))
    }
}

/// What an error of HTTP/2 is for who reads and writes a stream.
pub(super) fn told(error: h2::Error) -> io::Error {
    if error.is_io() {
        return error.into_io().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into());
    }
    match error.reason() {
        //= RFC 8441 §5
        //# RST exceptions are represented with the RST_STREAM frame ([RFC7540], Section 6.4) with the CANCEL
        //# error code
        Some(Reason::CANCEL) => io::Error::new(io::ErrorKind::ConnectionReset, error),
        _ => io::Error::other(error),
    }
}

impl AsyncRead for Channel {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let is_over = this.drive(cx).is_ready();
        let Some(receiving) = &mut this.receiving else {
            // GOAWAY, and what TLS and TCP end with.
            return if is_over { Poll::Ready(Ok(())) } else { Poll::Pending };
        };
        while this.came.is_empty() {
            match ready!(receiving.poll_data(cx)) {
                Some(Ok(came)) => this.came = came,
                Some(Err(error)) => return Poll::Ready(Err(told(error))),
                None if this.ended => {
                    (this.sending, this.receiving) = (None, None);
                    return this.drive(cx).map(|()| Ok(()));
                }
                None => return Poll::Ready(Ok(())),
            }
        }
        let count = this.came.len().min(into.remaining());
        into.put_slice(&this.came[..count]);
        this.came.advance(count);
        // Where the stream is over its room does not matter any longer.
        let _ = receiving.flow_control().release_capacity(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Channel {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let Some(sending) = &mut this.sending else {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        };
        if bytes.is_empty() {
            // Who writes nothing means it: an empty DATA frame, which needs no room.
            let sent = sending.send_data(Bytes::new(), false).map_err(told);
            let _ = this.drive(cx);
            return Poll::Ready(sent.map(|()| 0));
        }
        let wanted = bytes.len().min(PIECE);
        if this.asked < wanted {
            sending.reserve_capacity(wanted);
            this.asked = wanted;
        }
        if let Some(connection) = &mut this.connection {
            let _ = connection.poll(cx);
        }
        let room = loop {
            let room = sending.capacity();
            if room > 0 {
                break room;
            }
            match ready!(sending.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(told(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        };
        let count = wanted.min(room);
        this.asked = 0;
        sending.send_data(Bytes::copy_from_slice(&bytes[..count]), false).map_err(told)?;
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // As far as the peer takes it; the rest goes while something is waited for.
        let _ = self.get_mut().drive(cx);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !std::mem::replace(&mut this.ended, true)
            && let Some(sending) = &mut this.sending
        {
            //= RFC 8441 §5
            //# Orderly TCP-level closures are represented as END_STREAM flags
            sending.send_data(Bytes::new(), true).map_err(told)?;
        }
        let _ = this.drive(cx);
        Poll::Ready(Ok(()))
    }
}
