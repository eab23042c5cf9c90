//! What a conversation goes over: a WebSocket, or polling.

use std::collections::VecDeque;
use std::io;

use super::ending;
use super::polling::Polling;
use crate::lab::frames::Received;
use crate::lab::socket::{Came, Socket};
use crate::model::{CloseCode, Opcode};

/// Takes messages and gives those that come, whatever carries them.
pub struct Carrier {
    way: Way,
    /// What came before there was a WebSocket.
    early: VecDeque<Received>,
}

enum Way {
    WebSocket(Box<Socket>),
    Polling(Polling),
}

impl From<Socket> for Carrier {
    fn from(socket: Socket) -> Self {
        Self { way: Way::WebSocket(Box::new(socket)), early: VecDeque::new() }
    }
}

impl From<Polling> for Carrier {
    fn from(polling: Polling) -> Self {
        Self { way: Way::Polling(polling), early: VecDeque::new() }
    }
}

impl Carrier {
    /// The same, with what came before.
    #[must_use]
    pub fn behind(mut self, early: Vec<Received>) -> Self {
        self.early.extend(early);
        self
    }

    /// What comes next. Nothing is lost when the waiting is given up.
    ///
    /// # Errors
    /// Why nothing can come any longer.
    pub async fn next(&mut self) -> io::Result<Came> {
        if let Some(message) = self.early.pop_front() {
            return Ok(Came::Message(message));
        }
        match &mut self.way {
            Way::WebSocket(socket) => socket.next().await,
            Way::Polling(polling) => polling.next().await,
        }
    }

    /// Puts a message behind what waits to be sent.
    pub fn queue(&mut self, opcode: Opcode, payload: &[u8]) {
        match &mut self.way {
            Way::WebSocket(socket) => socket.queue(opcode, payload),
            Way::Polling(polling) => polling.queue(opcode, payload),
        }
    }

    /// Begins to end it, if that has not begun.
    pub fn close(&mut self, code: Option<CloseCode>, reason: &str) {
        match &mut self.way {
            Way::WebSocket(socket) => socket.close(code, reason),
            Way::Polling(polling) => polling.close(),
        }
    }

    /// Bytes that wait to be sent.
    pub fn waiting(&self) -> usize {
        match &self.way {
            Way::WebSocket(socket) => socket.waiting(),
            Way::Polling(polling) => polling.waiting(),
        }
    }

    /// The WebSocket, if it is one.
    pub fn socket(&mut self) -> Option<&mut Socket> {
        match &mut self.way {
            Way::WebSocket(socket) => Some(socket),
            Way::Polling(_) => None,
        }
    }

    /// Ends what is over.
    pub async fn part(self) {
        match self.way {
            Way::WebSocket(socket) => ending::part(*socket).await,
            Way::Polling(_) => {}
        }
    }
}
