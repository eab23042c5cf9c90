//! WebSocket: the opening handshake, and then a frame a message (RFC 6455).

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Bytes, Incoming};
use hyper::header::{CONNECTION, HeaderName, HeaderValue, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::answer::{Answer, Lab, refuse};
use super::events::at;
use super::frames::{Frames, Received, Violation, frame};
use super::hub::Mailbox;
use crate::http::{accept_value, check_key};
use crate::limits;
use crate::model::{CloseCode, Dir, Opcode};
use crate::ws::encode;

const KEY: HeaderName = HeaderName::from_static("sec-websocket-key");
const VERSION: HeaderName = HeaderName::from_static("sec-websocket-version");
const ACCEPT: HeaderName = HeaderName::from_static("sec-websocket-accept");

/// Opens a WebSocket whose messages are those of a mailbox.
pub(super) fn answer(lab: &Lab, mut request: Request<Incoming>) -> Response<Answer> {
    let Some(mailbox) = lab.mailbox(&request) else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many clients");
    };
    match switch(&request) {
        Err(refusal) => *refusal,
        Ok(response) => {
            let heartbeat = lab.settings.heartbeat;
            tokio::spawn(async move {
                // A client that leaves during its handshake is none.
                let Ok(upgraded) = hyper::upgrade::on(&mut request).await else { return };
                if let Some(mut socket) = Socket::new(upgraded, Dir::Server) {
                    // Whatever ends the connection, it is over.
                    let _ = talk(&mut socket, &mailbox, heartbeat).await;
                }
            });
            response
        }
    }
}

/// The answer to an opening handshake (RFC 6455 §4.2.2), or a refusal.
pub(super) fn switch(request: &Request<Incoming>) -> Result<Response<Answer>, Box<Response<Answer>>> {
    if request.headers().get(VERSION).is_none_or(|version| version != "13") {
        //= RFC 6455 §4.2.2
        //# the server MUST abort the WebSocket handshake described in this section and instead send an
        //# appropriate HTTP error code (such as 426 Upgrade Required) and a |Sec-WebSocket-Version| header
        //# field
        let mut response = refuse(StatusCode::UPGRADE_REQUIRED, "WebSocket version 13 is spoken here");
        response.headers_mut().insert(VERSION, HeaderValue::from_static("13"));
        return Err(Box::new(response));
    }
    let Some(key) = request.headers().get(KEY).filter(|key| check_key(key.as_bytes()).is_ok()) else {
        return Err(Box::new(refuse(StatusCode::BAD_REQUEST, "Sec-WebSocket-Key is not 16 bytes in Base64")));
    };
    let mut response = Response::new(Answer::whole(""));
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Ok(accept) = HeaderValue::try_from(accept_value(key.as_bytes())) {
        headers.insert(ACCEPT, accept);
    }
    Ok(response)
}

/// Sends what is in the mailbox; a text that comes is put into it.
async fn talk(socket: &mut Socket, mailbox: &Arc<Mailbox>, heartbeat: Option<Duration>) -> io::Result<()> {
    let mut beat = heartbeat.map(|every| Instant::now() + every);
    loop {
        tokio::select! {
            read = socket.read() => match socket.answer(read?).await? {
                None => return Ok(()),
                Some(texts) => texts.into_iter().for_each(|text| mailbox.push(Bytes::from(text))),
            },
            messages = mailbox.next() => for message in messages {
                socket.send(Opcode::TEXT, &message).await?;
            },
            () = at(beat) => {
                beat = beat.zip(heartbeat).map(|(beat, every)| beat + every);
                socket.send(Opcode::PING, b"").await?;
            }
        }
    }
}

/// A TCP connection that speaks frames.
pub(super) struct Socket {
    stream: TcpStream,
    us: Dir,
    frames: Frames,
    buffer: Vec<u8>,
    /// Came with the handshake already.
    early: Vec<u8>,
}

impl Socket {
    /// What an upgrade left behind; `None` when that is not a TCP connection.
    pub fn new(upgraded: Upgraded, us: Dir) -> Option<Self> {
        let parts = upgraded.downcast::<TokioIo<TcpStream>>().ok()?;
        Some(Self {
            stream: parts.io.into_inner(),
            us,
            frames: Frames::from(us.peer()),
            buffer: vec![0; limits::LAB_SOCKET_READ],
            early: parts.read_buf.to_vec(),
        })
    }

    /// Sends a message or control frame.
    pub async fn send(&mut self, opcode: Opcode, payload: &[u8]) -> io::Result<()> {
        self.stream.write_all(&frame(self.us, opcode, payload)).await
    }

    /// Waits for bytes, and gives what they complete; `None` when the connection is over. Nothing is lost
    /// when the waiting is given up.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn read(&mut self) -> io::Result<Option<Result<Vec<Received>, Violation>>> {
        if !self.early.is_empty() {
            return Ok(Some(self.frames.push(&std::mem::take(&mut self.early))));
        }
        let read = self.stream.read(&mut self.buffer).await?;
        Ok((read > 0).then(|| self.frames.push(&self.buffer[..read])))
    }

    /// Answers pings, closes and violations, and gives the texts; `None` when the connection is over.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn answer(
        &mut self,
        read: Option<Result<Vec<Received>, Violation>>,
    ) -> io::Result<Option<Vec<Vec<u8>>>> {
        match read {
            None => Ok(None),
            Some(Ok(received)) => self.respond(received).await,
            Some(Err(violation)) => {
                self.send(Opcode::CLOSE, &encode::close(violation.code, b"")).await?;
                Ok(None)
            }
        }
    }

    /// Waits for texts, and answers what else comes.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn receive(&mut self) -> io::Result<Option<Vec<Vec<u8>>>> {
        let read = self.read().await?;
        self.answer(read).await
    }

    async fn respond(&mut self, received: Vec<Received>) -> io::Result<Option<Vec<Vec<u8>>>> {
        let mut texts = Vec::new();
        for message in received {
            match message.kind {
                Opcode::TEXT => texts.push(message.payload),
                //= RFC 6455 §5.5.3
                //# A Pong frame sent in response to a Ping frame must have identical "Application data"
                Opcode::PING => self.send(Opcode::PONG, &message.payload).await?,
                Opcode::CLOSE => {
                    //= RFC 6455 §5.5.1
                    //# If an endpoint receives a Close frame and did not previously send a Close frame, the
                    //# endpoint MUST send a Close frame in response.
                    let code = message.payload.get(..2).unwrap_or_default();
                    self.send(Opcode::CLOSE, code).await?;
                    return Ok(None);
                }
                Opcode::BINARY => {
                    // Messages are text here.
                    self.send(Opcode::CLOSE, &encode::close(CloseCode(1003), b"")).await?;
                    return Ok(None);
                }
                _ => {}
            }
        }
        Ok(Some(texts))
    }
}
