//! Connections whose opening handshake was read by somebody else.

use super::{Context, Phase, Session, Start};
use crate::model::{Dir, Handshake, Interest, Roles, Side};
use crate::ws::{Conversation, Extensions};

impl Session {
    /// The user said that it is WebSocket: what ends, ends because there is no more of it.
    pub fn is_given(&self) -> bool {
        self.about.start == Start::Given
    }

    /// Everything that comes is frames: the handshake is over, and agreed on `extensions`. Side A is
    /// the client.
    pub fn is_upgraded(&mut self, extensions: Extensions, cx: &mut Context<'_, '_>) -> Interest {
        self.about.client = Some(Side::A);
        let handshake = if extensions.known { Handshake::Full } else { Handshake::Missing };
        self.about.announce(Roles::Handshake, handshake, cx);
        if let Some(told) = &mut self.about.told {
            told.connection.deflate = extensions.deflate;
            let mut talk = Conversation::new(told.conn, [0, 0], extensions).on(self.about.layer);
            talk.is_captured(Dir::Client);
            talk.is_captured(Dir::Server);
            self.phase = Phase::WebSocket(Box::new(talk));
        }
        let flow = self.about.introduce(None, cx);
        self.interest(flow)
    }
}
