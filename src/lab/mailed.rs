//! A WebSocket that carries the messages of a mailbox, a frame a message.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use tokio::time::Instant;

use super::answer::{Answer, Lab, refuse};
use super::events::at;
use super::handshake::Welcome;
use super::hub::Mailbox;
use super::socket::{Manners, Socket};
use crate::model::{Dir, Opcode};

/// Opens a WebSocket whose messages are those of a mailbox.
pub(super) fn answer(lab: &Lab, mut request: Request<Incoming>) -> Response<Answer> {
    let Some(mailbox) = lab.mailbox(&request) else {
        return refuse(StatusCode::SERVICE_UNAVAILABLE, "too many clients");
    };
    match Welcome::default().answer(&request) {
        Err(refusal) => *refusal,
        Ok((response, _)) => {
            let heartbeat = lab.settings.heartbeat;
            tokio::spawn(async move {
                // A client that leaves during its handshake is none.
                let Ok(upgraded) = hyper::upgrade::on(&mut request).await else { return };
                let mut socket = Socket::upgraded(upgraded, Dir::Server, None, Manners::default());
                // Whatever ends the connection, it is over.
                let _ = talk(&mut socket, &mailbox, heartbeat).await;
            });
            response
        }
    }
}

/// Sends what is in the mailbox; a text that comes is put into it.
async fn talk(socket: &mut Socket, mailbox: &Arc<Mailbox>, heartbeat: Option<Duration>) -> io::Result<()> {
    let mut beat = heartbeat.map(|every| Instant::now() + every);
    loop {
        tokio::select! {
            text = socket.receive() => match text? {
                None => return Ok(()),
                Some(text) => mailbox.push(Bytes::from(text)),
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
