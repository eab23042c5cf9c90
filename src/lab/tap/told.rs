//! What somebody tells of a connection that cannot be tapped.

use std::net::SocketAddr;

use crate::model::{Dir, Opcode, ToldHead, ToldStart};

/// What is told of a connection that cannot be tapped.
#[derive(Clone, Debug)]
pub enum Told {
    /// It begins.
    Open {
        /// The server's address, where that is known.
        server: Option<SocketAddr>,
        /// It is `wss` or `https`.
        secure: bool,
    },
    /// The head of a request, and its content.
    Request {
        /// Such as `GET`.
        method: String,
        /// Path and query.
        target: String,
        /// Host and port of the URL.
        authority: String,
        /// What else there is.
        head: Head,
    },
    /// The head of a response, and its content.
    Response {
        /// Such as 101.
        status: u16,
        /// The words behind it.
        reason: String,
        /// What else there is.
        head: Head,
    },
    /// A message.
    Message(Dir, Opcode, Vec<u8>),
    /// Why it failed.
    Failure(String),
    /// It is over; by whom is not told.
    Closed,
    /// It goes on, and nobody looks any longer.
    Left,
}

/// What heads have in common.
#[derive(Clone, Debug, Default)]
pub struct Head {
    /// Such as `HTTP/1.1`.
    pub version: String,
    /// Names and values of the header fields.
    pub headers: Vec<(String, String)>,
    /// The content, without its codings.
    pub body: Vec<u8>,
    /// It is about a WebSocket.
    pub opens: bool,
}

impl Told {
    /// The head that it is, if it is one.
    pub fn head(&self) -> Option<ToldHead<'_>> {
        let (start, head) = match self {
            Self::Request { method, target, authority, head } => {
                (ToldStart::Request { method, target, authority }, head)
            }
            Self::Response { status, reason, head } => {
                (ToldStart::Response { status: *status, reason }, head)
            }
            _ => return None,
        };
        let Head { version, headers, body, opens } = head;
        let length = body.len() as u64;
        Some(ToldHead { start, version, headers, opens: *opens, is_whole: false, body, length })
    }

    /// Bytes that it takes besides itself, about.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Request { head, .. } | Self::Response { head, .. } => {
                let fields = head.headers.iter().map(|(name, value)| name.len() + value.len());
                head.body.len() + fields.sum::<usize>()
            }
            Self::Message(_, _, content) => content.len(),
            Self::Open { .. } | Self::Failure(_) | Self::Closed | Self::Left => 0,
        }
    }
}
