//! Sessions of TLS 1.2 that are gone on with: they have the master secret of the connection in which they
//! began (RFC 5246 §7.3), which is why some programs log it there alone.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};

use crate::limits;
use crate::tls::{ClientHello, ServerHello};

/// Where sessions began, by their ids and tickets.
#[derive(Debug, Default)]
pub struct Resumed {
    /// The client random of the connection, by what id or ticket is hashed to.
    begun: HashMap<u64, [u8; 32], RandomState>,
    /// The same, oldest first.
    order: VecDeque<u64>,
    hasher: RandomState,
}

impl Resumed {
    /// A server has called the session of this connection so: by an id in its hello, or by a ticket.
    pub fn learn(&mut self, name: &[u8], random: [u8; 32]) {
        if name.is_empty() {
            return;
        }
        let key = self.hasher.hash_one(name);
        if self.begun.insert(key, random).is_none() {
            self.order.push_back(key);
        }
        if self.order.len() > limits::TLS_SESSIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.begun.remove(&oldest);
        }
    }

    /// The client random of the connection whose session these two go on with. Who takes a ticket says the
    /// client's id again, too (RFC 5077 §3.4).
    pub fn begin_of(&self, client: &ClientHello, server: &ServerHello) -> Option<[u8; 32]> {
        if server.version > 0x0303 || server.session.is_empty() || server.session != client.session {
            return None;
        }
        let find = |name: &[u8]| self.begun.get(&self.hasher.hash_one(name)).copied();
        if client.ticket.is_empty() { find(&client.session) } else { find(&client.ticket) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_found_by_its_id_or_its_ticket_where_the_server_agrees() {
        let mut resumed = Resumed::default();
        resumed.learn(b"id", [1; 32]);
        resumed.learn(b"ticket", [2; 32]);
        resumed.learn(b"", [3; 32]);
        let begin = |session: &[u8], ticket: &[u8], answer: &[u8], version| {
            let client =
                ClientHello { session: session.into(), ticket: ticket.into(), ..ClientHello::default() };
            let server = ServerHello { session: answer.into(), version, ..ServerHello::default() };
            resumed.begin_of(&client, &server)
        };
        assert_eq!(begin(b"id", b"", b"id", 0x0303), Some([1; 32]));
        assert_eq!(begin(b"mine", b"ticket", b"mine", 0x0303), Some([2; 32]));
        assert_eq!(begin(b"id", b"", b"other", 0x0303), None, "the server begins a new one");
        assert_eq!(begin(b"id", b"other", b"id", 0x0303), None, "a ticket of another capture");
        assert_eq!(begin(b"", b"", b"", 0x0303), None);
        assert_eq!(begin(b"id", b"", b"id", 0x0304), None, "in TLS 1.3 it says nothing");
    }

    #[test]
    fn the_oldest_makes_room() {
        let mut resumed = Resumed::default();
        for number in 0..=limits::TLS_SESSIONS as u64 {
            resumed.learn(&number.to_be_bytes(), [0; 32]);
        }
        assert_eq!((resumed.begun.len(), resumed.order.len()), (limits::TLS_SESSIONS, limits::TLS_SESSIONS));
    }
}
