//! How connections are [put to rest](super::rest), and woken.

use super::about::{About, Told};
use super::entry::{Entry, Settled};
use super::memory::Memory;
use super::rest::{Packed, Rest};
use super::{Phase, Session};
use crate::model::{Connection, Handshake};

impl Session {
    /// Puts what is told of the connection to rest, if it is a WebSocket that goes on after a whole
    /// handshake.
    #[inline(never)]
    pub fn rest(&mut self, memory: &mut Memory) {
        if let Phase::WebSocket(_) = self.phase {
            self.about.rest(memory);
        }
    }

    /// Wakes what rests: whoever calls asks for more than that there are bytes.
    #[inline]
    pub fn wake(&mut self, memory: &mut Memory) {
        if let Some(rest) = self.about.rest.take() {
            self.about.told = Some(rest.wake(memory));
        }
    }
}

impl About {
    fn rest(&mut self, memory: &mut Memory) {
        let Some(entry) = self.told.as_deref().and_then(Told::may_rest) else { return };
        let Some(mut told) = self.told.take() else { return };
        let connection = &mut told.connection;
        let rest = Rest {
            conn: told.conn,
            passes_on: connection.passes_on.take(),
            client: connection.client.take().map(Packed::from),
            target: connection.target.as_deref().map(|target| memory.commons.target(target)),
            began: told.began.into(),
            entry,
            common: memory.commons.share(Connection { target: None, ..connection.clone() }),
        };
        self.rest = Some(Box::new(rest));
        memory.spare.keep_told(told);
    }
}

impl Told {
    /// How it is remembered while it rests, if there is nothing to it that seldom is.
    fn may_rest(&self) -> Option<Settled> {
        let Connection { handshake, ending, more, unanswered, .. } = &self.connection;
        let is_plain = ending.is_none() && more.is_empty() && unanswered.is_empty();
        let is_open = *handshake == Handshake::Full && self.first_end.is_none() && !self.has_failed;
        if is_open && is_plain { self.entry.settled() } else { None }
    }
}

impl Rest {
    #[cold]
    fn wake(self, memory: &mut Memory) -> Box<Told> {
        let Self { conn, passes_on, client, target, common, began, entry } = self;
        let (client, target, began) = (client.map(Packed::into), target.map(|it| (*it).into()), began.time());
        let connection = Connection { passes_on, client, target, ..(*common).clone() };
        let entry = Entry::from(entry);
        memory.spare.told(Told { conn, began, first_end: None, has_failed: false, connection, entry })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{At, Emitter, Flow, ON, Side, Sink, Unit, Wants};
    use crate::session::{Context, Start};
    use crate::ws::Scratch;

    const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const RESPONSE: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    struct Nobody;

    impl Sink for Nobody {
        fn wants(&self) -> Wants {
            Wants::NOTHING
        }

        fn take(&mut self, _: &Unit<'_>) -> Flow {
            ON
        }
    }

    #[test]
    fn what_rests_shares_what_is_common_and_wakes_as_it_was() {
        let mut out = Emitter::new(Nobody);
        let (mut scratch, mut memory, mut connections) = (Scratch::default(), Memory::default(), 0);
        let mut sessions = Vec::new();
        let client = |port| match port {
            3 => ([0x2001, 0xDB8, 0, 0, 0, 0, 0, 1], port).into(),
            _ => ([192, 0, 2, 1], port).into(),
        };
        for port in 1..=3 {
            let mut cx = Context {
                out: &mut out,
                scratch: &mut scratch,
                connections: &mut connections,
                memory: &mut memory,
            };
            let endpoints = [client(port), ([192, 0, 2, 80], 80).into()];
            let mut session = Session::new(Some(endpoints), Start::Opened);
            session.data(Side::A, REQUEST, At::default(), &mut cx);
            session.rest(cx.memory);
            assert!(session.about.rest.is_none(), "it is not answered");
            session.data(Side::B, RESPONSE, At::default(), &mut cx);
            sessions.push(session);
        }
        let told = |session: &Session| session.about.told.as_ref().map(|told| told.connection.clone());
        let before: Vec<_> = sessions.iter().map(told).collect();
        for session in &mut sessions {
            session.rest(&mut memory);
        }
        for (session, conn) in sessions.iter().zip(1..) {
            assert!(session.is_told() && session.about.told.is_none());
            assert_eq!((session.conn(), session.has_no_handshake()), (Some(conn), false));
        }
        assert_eq!(memory.commons.connections.len(), 1);
        for session in &mut sessions {
            session.wake(&mut memory);
        }
        assert_eq!(sessions.iter().map(told).collect::<Vec<_>>(), before);
        assert!(size_of::<Rest>() <= 72, "{}", size_of::<Rest>());
    }
}
