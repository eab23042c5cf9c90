//! Bytes on their way through, unchanged and at once, in both directions.

use std::io;
use std::pin::pin;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split};

use super::stream::{Room, Stream};
use crate::lab::tap::Wire;
use crate::model::{Dir, StreamEnd};

/// Why a direction ends before its sender does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    /// Its sender has reset the connection.
    Sender,
    /// Its receiver takes nothing any longer.
    Receiver,
}

/// Passes everything on until both have ended. Whoever ends its stream has it ended on the other side, too,
/// and may go on listening; a reset resets.
pub(super) async fn pass(client: Stream, server: Stream, wire: &Wire) {
    let (client_read, client_write) = split(client);
    let (server_read, server_write) = split(server);
    let mut up = Way { from: Dir::Client, read: client_read, write: server_write };
    let mut down = Way { from: Dir::Server, read: server_read, write: client_write };
    let is_reset = {
        let (mut up, mut down) = (pin!(up.pass(wire)), pin!(down.pass(wire)));
        let (mut up_end, mut down_end) = (None, None);
        loop {
            tokio::select! {
                end = &mut up, if up_end.is_none() => up_end = Some(end),
                end = &mut down, if down_end.is_none() => down_end = Some(end),
            }
            match (up_end, down_end) {
                (Some(Err(Broken::Sender)), _) | (_, Some(Err(Broken::Sender))) => break true,
                // A receiver that is gone ends its own way by itself, and may have said something before.
                (Some(up), Some(down)) => break up.is_err() || down.is_err(),
                _ => {}
            }
        }
    };
    let (client, server) = (up.read.unsplit(down.write), down.read.unsplit(up.write));
    if is_reset {
        client.reset();
        server.reset();
    }
}

/// One direction.
struct Way {
    from: Dir,
    read: ReadHalf<Stream>,
    write: WriteHalf<Stream>,
}

impl Way {
    async fn pass(&mut self, wire: &Wire) -> Result<(), Broken> {
        let mut room = Room::new();
        loop {
            wire.room().await;
            match self.read.read(room.buffer()).await {
                Ok(0) => break,
                Ok(read) => {
                    let bytes = &room.buffer()[..read];
                    wire.data(self.from, bytes);
                    let written = self.write.write_all(bytes).await;
                    // TLS holds back what is not asked for.
                    if written.is_err() || self.write.flush().await.is_err() {
                        return Err(Broken::Receiver);
                    }
                    room.used(read);
                }
                Err(error) if is_end(&error) => break,
                Err(_) => {
                    wire.end(self.from, StreamEnd::Rst);
                    return Err(Broken::Sender);
                }
            }
        }
        wire.end(self.from, StreamEnd::Fin);
        self.write.shutdown().await.map_err(|_| Broken::Receiver)
    }
}

/// Whether an error of reading is an end: TLS whose peer said no goodbye (RFC 8446 §6.1).
pub(super) fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}
