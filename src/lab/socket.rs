//! A WebSocket once it is open: messages over any stream, for either endpoint (RFC 6455 §5 to §7).
//!
//! ```text
//! stream ─► Frames (the decoder) ─► inbox ─► next()
//! stream ◄─ waiting bytes ◄─ frames ◄─ Deflater ◄─ send(), queue(), close()
//! ```

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::deflate::Deflater;
use super::frames::{Frames, Pushed, Reader, Received, Violation, key};
use crate::limits;
use crate::model::{CloseCode, Deflate, Dir, FrameHeader, Opcode};
use crate::ws::encode;

/// What a WebSocket runs over: TCP, TLS, a tapped one of them, what an upgrade left.
pub trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}

/// What comes from the peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Came {
    /// A text or binary message, whole.
    Message(Received),
    /// A ping. It is answered already.
    Ping(Vec<u8>),
    /// A pong.
    Pong(Vec<u8>),
    /// A Close frame with its code, if it had one, and reason. Its answer is on the way.
    Close(Option<CloseCode>, String),
    /// The peer broke the protocol. That it is told so is on the way; no more is read.
    Violation(Violation),
    /// The stream is over.
    End,
}

/// How an endpoint behaves, apart from what the handshake agreed on.
#[derive(Clone)]
pub struct Manners {
    /// What reads its frames; those of one server share it.
    pub reader: Reader,
    /// Whether its frames are masked, if not as the RFC asks.
    pub masks: Option<bool>,
    /// Whether it answers pings.
    pub answers_pings: bool,
    /// How long the peer may take none of what waits for it.
    pub write_timeout: Option<Duration>,
}

impl Manners {
    /// As the RFC asks, with the reader of a server.
    pub fn reading(reader: Reader) -> Self {
        Self { reader, masks: None, answers_pings: true, write_timeout: None }
    }
}

impl Default for Manners {
    fn default() -> Self {
        Self::reading(Reader::taking(limits::LAB_MESSAGE))
    }
}

/// An open WebSocket.
pub struct Socket {
    stream: Box<dyn Stream>,
    us: Dir,
    manners: Manners,
    frames: Frames,
    deflater: Option<Deflater>,
    /// What came and was not asked for yet.
    inbox: VecDeque<Came>,
    /// Bytes to be sent, those before `sent` being gone.
    waiting: Vec<u8>,
    sent: usize,
    /// When the peer will have taken nothing for too long.
    stalled: Option<Pin<Box<Sleep>>>,
    /// We have sent Close.
    closing: bool,
    /// No frames come any longer.
    deaf: bool,
    /// The stream is over.
    over: bool,
}

impl Socket {
    /// On a stream on which `us` has done the opening handshake, which agreed on `deflate`.
    pub fn new(stream: impl Stream, us: Dir, deflate: Option<Deflate>, manners: Manners) -> Self {
        Self {
            stream: Box::new(stream),
            us,
            frames: manners.reader.open(us.peer(), deflate),
            deflater: deflate.map(|agreed| Deflater::of(us, agreed)),
            manners,
            inbox: VecDeque::new(),
            waiting: Vec::new(),
            sent: 0,
            stalled: None,
            closing: false,
            deaf: false,
            over: false,
        }
    }

    /// On what an upgrade left behind.
    pub fn upgraded(upgraded: Upgraded, us: Dir, deflate: Option<Deflate>, manners: Manners) -> Self {
        Self::new(TokioIo::new(upgraded), us, deflate, manners)
    }

    /// Takes bytes that came with the handshake already.
    #[must_use]
    pub fn having_read(mut self, early: &[u8]) -> Self {
        self.take(early);
        self
    }

    /// What comes next. After [`Came::Close`] and [`Came::Violation`] only [`Came::End`] does. Nothing is
    /// lost when the waiting is given up; what is [queued](Self::queue) is sent meanwhile.
    ///
    /// # Errors
    /// Those of the stream, and `TimedOut` when the peer takes nothing for too long.
    pub async fn next(&mut self) -> io::Result<Came> {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// Sends a message or control frame, and waits until the stream has taken it.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn send(&mut self, opcode: Opcode, payload: &[u8]) -> io::Result<()> {
        self.queue(opcode, payload);
        self.flush().await
    }

    /// Puts a message or control frame behind what waits to be sent. A data message is compressed where that
    /// was agreed. Behind a Close frame nothing is sent any longer.
    pub fn queue(&mut self, opcode: Opcode, payload: &[u8]) {
        self.queue_fragments(opcode, payload, 1);
    }

    /// Puts a message in so many fragments behind what waits to be sent.
    pub fn queue_fragments(&mut self, opcode: Opcode, payload: &[u8], count: usize) {
        //= RFC 6455 §5.5.1
        //# The application MUST NOT send any more data frames after sending a Close frame.
        if self.closing {
            return;
        }
        self.closing = opcode == Opcode::CLOSE;
        let mut deflated = Vec::new();
        let deflater = self.deflater.as_mut().filter(|_| !opcode.is_control());
        let compressed = deflater.is_some();
        let payload = match deflater {
            Some(deflater) => {
                deflater.message(payload, &mut deflated);
                &deflated
            }
            None => payload,
        };
        let count = count.max(1);
        for at in 0..count {
            let piece = &payload[payload.len() * at / count..payload.len() * (at + 1) / count];
            let masked = self.manners.masks.unwrap_or(self.us == Dir::Client);
            let opcode = if at == 0 { opcode } else { Opcode::CONTINUATION };
            let header = FrameHeader {
                fin: at + 1 == count,
                rsv1: compressed && at == 0,
                ..FrameHeader::of(opcode, masked.then(key), piece.len() as u64)
            };
            encode::frame(&header, piece, &mut self.waiting);
        }
    }

    /// Puts bytes that may be no frames at all behind what waits to be sent.
    pub fn queue_raw(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// Begins the closing handshake (RFC 6455 §7.1.2), if it has not begun: no code means an empty body. A
    /// reason is cut to what fits.
    pub fn close(&mut self, code: Option<CloseCode>, reason: &str) {
        const ROOM: usize = 123;
        let mut end = reason.len().min(ROOM);
        while !reason.is_char_boundary(end) {
            end -= 1;
        }
        let body = code.map_or_else(Vec::new, |code| encode::close(code, &reason.as_bytes()[..end]));
        self.queue(Opcode::CLOSE, &body);
    }

    /// What compresses what is sent, where that was agreed.
    pub fn deflater(&mut self) -> Option<&mut Deflater> {
        self.deflater.as_mut()
    }

    /// From now on messages are sent as they are, or compressed again if that was agreed (`deflater`).
    pub fn compress(&mut self, deflater: Option<Deflater>) -> Option<Deflater> {
        std::mem::replace(&mut self.deflater, deflater)
    }

    /// Bytes that wait to be sent.
    pub fn waiting(&self) -> usize {
        self.waiting.len() - self.sent
    }

    /// Waits until the stream has taken all that waits.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn flush(&mut self) -> io::Result<()> {
        poll_fn(|cx| self.poll_flush(cx)).await
    }

    /// Ends the connection as TCP should be ended behind the closing handshake: sends what waits and FIN, and
    /// reads on for at most `patience`, so that nothing unread turns it into a reset (RFC 6455 §7.1.1).
    ///
    /// # Errors
    /// Those of the stream.
    pub async fn finish(mut self, patience: Duration) -> io::Result<()> {
        self.flush().await?;
        let end = async {
            poll_fn(|cx| Pin::new(&mut self.stream).poll_shutdown(cx)).await?;
            self.deaf = true;
            while self.next().await? != Came::End {}
            Ok(())
        };
        // Who does not end its side is left to the system.
        tokio::time::timeout(patience, end).await.unwrap_or(Ok(()))
    }

    /// Waits for a text, and answers what else comes; `None` when the connection is over. Binary messages are
    /// refused.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn receive(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            match self.next().await? {
                Came::Message(message) if message.kind == Opcode::TEXT => {
                    return Ok(Some(message.payload));
                }
                Came::Message(_) => {
                    self.close(Some(CloseCode(1003)), "");
                    self.flush().await?;
                    return Ok(None);
                }
                Came::Close(..) | Came::Violation(_) => {
                    self.flush().await?;
                    return Ok(None);
                }
                Came::End => return Ok(None),
                Came::Ping(_) | Came::Pong(_) => {}
            }
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Came>> {
        thread_local! {
            static ROOM: RefCell<Vec<u8>> = RefCell::new(vec![0; limits::LAB_SOCKET_READ]);
        }
        loop {
            // Whether or not all of it goes, there may be something to read.
            if let Poll::Ready(Err(error)) = self.poll_flush(cx) {
                return Poll::Ready(Err(error));
            }
            if let Some(came) = self.inbox.pop_front() {
                self.part(&came);
                return Poll::Ready(Ok(came));
            }
            if self.over {
                return Poll::Ready(Ok(Came::End));
            }
            if self.waiting() > limits::LAB_SOCKET_WAITING {
                // The peer sends and takes nothing: flushing will wake us.
                return Poll::Pending;
            }
            ready!(ROOM.with_borrow_mut(|room| {
                let mut buffer = ReadBuf::new(room);
                ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer))?;
                let read = buffer.filled().len();
                self.over = read == 0;
                self.take(&room[..read]);
                Poll::Ready(Ok::<_, io::Error>(()))
            }))?;
        }
    }

    /// Sends Close where what came asks for it: when what came before it was seen, so that it can be answered
    /// first.
    fn part(&mut self, came: &Came) {
        match came {
            //= RFC 6455 §5.5.1
            //# If an endpoint receives a Close frame and did not previously send a Close frame, the endpoint
            //# MUST send a Close frame in response.
            Came::Close(code, _) => self.close(*code, ""),
            //= RFC 6455 §7.1.7
            //# SHOULD send a Close frame with an appropriate status code
            Came::Violation(violation) => self.close(Some(violation.code), violation.why),
            _ => {}
        }
    }

    /// Puts what bytes complete into the inbox, and answers what has to be answered.
    fn take(&mut self, bytes: &[u8]) {
        if self.deaf {
            return;
        }
        let Pushed { received, violation, .. } = self.frames.push(bytes);
        for Received { kind, payload } in received {
            let came = match kind {
                Opcode::PING => {
                    //= RFC 6455 §5.5.3
                    //# A Pong frame sent in response to a Ping frame must have identical "Application data"
                    if self.manners.answers_pings {
                        self.queue(Opcode::PONG, &payload);
                    }
                    Came::Ping(payload)
                }
                Opcode::PONG => Came::Pong(payload),
                Opcode::CLOSE => {
                    let code = payload.first_chunk().map(|code| CloseCode(u16::from_be_bytes(*code)));
                    self.deaf = true;
                    let reason = String::from_utf8_lossy(payload.get(2..).unwrap_or_default());
                    Came::Close(code, reason.into_owned())
                }
                _ => Came::Message(Received { kind, payload }),
            };
            self.inbox.push_back(came);
        }
        if let Some(violation) = violation {
            self.deaf = true;
            self.inbox.push_back(Came::Violation(violation));
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.waiting.len() {
            let written = Pin::new(&mut self.stream).poll_write(cx, &self.waiting[self.sent..]);
            match written {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(count)) => {
                    self.sent += count;
                    self.stalled = None;
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => {
                    // What is gone makes room now and then.
                    if self.sent > self.waiting.len() / 2 {
                        self.waiting.drain(..self.sent);
                        self.sent = 0;
                    }
                    return self.poll_stalled(cx);
                }
            }
        }
        // An idle connection holds no room.
        self.waiting = Vec::new();
        self.sent = 0;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(patience) = self.manners.write_timeout else { return Poll::Pending };
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + patience)));
        ready!(stalled.as_mut().poll(cx));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer takes nothing")))
    }
}

#[cfg(test)]
mod tests;
