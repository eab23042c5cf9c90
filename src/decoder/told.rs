//! Connections that somebody tells of: heads and messages in, units out.

use std::net::{Ipv4Addr, SocketAddr};

use super::{Beginning, Decoder, Start};
use crate::model::{At, CloseCode, FlowId, Interest, Layer, Sink, ToldHead, ToldMessage};

impl<S: Sink> Decoder<S> {
    /// A connection begins that somebody tells of: what comes are [heads](Self::head_told) and
    /// [messages](Self::message_told), no bytes. [`Side::A`](crate::model::Side::A) is the client, `server`
    /// the address of the server where that is known, and `secure` whether it is `wss`.
    pub fn open_told(&mut self, id: FlowId, server: Option<SocketAddr>, secure: bool) {
        let somewhere = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let beginning = Beginning {
            endpoints: server.map(|server| [somewhere, server]),
            start: Start::Opened,
            layer: Layer::Told { secure },
            ..Beginning::GIVEN
        };
        self.open(id, &beginning);
    }

    /// Whoever tells of a connection tells of the head of a request or response, and its content.
    pub fn head_told(&mut self, id: FlowId, head: &ToldHead<'_>, at: At) -> Interest {
        self.with(id, |session, cx| session.head_told(head, at, cx))
    }

    /// The same of a message.
    pub fn message_told(&mut self, id: FlowId, message: &ToldMessage<'_>, at: At) -> Interest {
        self.bytes += message.length;
        self.with(id, |session, cx| session.message_told(message, at, cx))
    }

    /// The same of a close code, without a word about who sent it.
    pub fn code_told(&mut self, id: FlowId, code: CloseCode) {
        if let Some(session) = self.session(id) {
            session.code_told(code);
        }
    }

    /// The same of what made the connection fail.
    pub fn failure_told(&mut self, id: FlowId, why: &str, at: At) -> Interest {
        self.with(id, |session, cx| session.failure_told(why, at, cx))
    }
}
