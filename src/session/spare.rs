//! What connections that are over leave for those that begin, so that the allocator is not asked for the
//! same again and again.

use super::about::Told;
use super::asked::Asked;
use crate::limits;
use crate::model::{At, EndKind, Ending, Header, Rooms};
use crate::ws::Conversation;

/// A few rooms of a kind.
type Few<T> = Rooms<T, { limits::SPARE_ROOMS }>;

/// Rooms that stand empty.
#[derive(Debug, Default)]
pub struct Spare {
    talks: Few<Box<Conversation>>,
    told: Few<Box<Told>>,
    asked: Few<Box<Asked>>,
    /// Of targets and hosts.
    texts: Few<[String; 2]>,
    ending: Option<Box<Ending>>,
    /// Of header fields; empty.
    headers: Vec<Header<'static>>,
}

/// A box with `it`: one that was left, if there is any.
#[allow(clippy::unnecessary_box_returns)] // the box is what is used again
fn reuse<T>(spare: Option<Box<T>>, it: T) -> Box<T> {
    match spare {
        Some(mut room) => {
            *room = it;
            room
        }
        None => Box::new(it),
    }
}

impl Spare {
    /// One that keeps nothing: what the others are held against.
    #[cfg(test)]
    pub(crate) fn closed() -> Self {
        Self {
            talks: Few::closed(),
            told: Few::closed(),
            asked: Few::closed(),
            texts: Few::closed(),
            ..Self::default()
        }
    }

    /// A room for a WebSocket.
    pub(super) fn talk(&mut self, talk: Conversation) -> Box<Conversation> {
        reuse(self.talks.take(), talk)
    }

    /// The WebSocket in it is over.
    pub(super) fn keep_talk(&mut self, talk: Box<Conversation>) {
        self.talks.keep(talk);
    }

    /// A room for what is told of a connection.
    #[inline]
    pub(super) fn told(&mut self, told: Told) -> Box<Told> {
        reuse(self.told.take(), told)
    }

    /// The connection is over, and told.
    #[inline]
    pub(super) fn keep_told(&mut self, mut told: Box<Told>) {
        if self.told.is_closed() {
            return;
        }
        let connection = &mut told.connection;
        let texts = [connection.target.take(), connection.host.take()].map(Option::unwrap_or_default);
        if texts.iter().all(|text| text.capacity() <= limits::SPARE_TEXT) {
            self.texts.keep(texts);
        }
        if let Some(ending) = connection.ending.take() {
            self.ending = Some(ending);
        }
        self.told.keep(told);
    }

    /// A room for how a connection ended, in which still stands how another one did.
    pub(super) fn ending(&mut self) -> Box<Ending> {
        self.ending.take().unwrap_or_else(|| Box::new(Ending::new(EndKind::CaptureEnd)))
    }

    /// A room for header fields.
    pub(super) fn headers(&mut self) -> Vec<Header<'static>> {
        std::mem::take(&mut self.headers)
    }

    /// The header fields in it were told.
    pub(super) fn keep_headers(&mut self, mut headers: Vec<Header<'_>>) {
        headers.clear();
        if headers.capacity() <= limits::SPARE_ROOMS && !self.told.is_closed() {
            // Nothing is there to be mapped: what comes of it is the same room, which borrows from nobody.
            self.headers = headers.into_iter().map_while(|_| None).collect();
        }
    }

    /// A room for a request that waits.
    #[allow(clippy::unnecessary_box_returns)] // the box is what is used again
    pub(super) fn asked(&mut self, head: &[u8], key: [u8; 24], at: At) -> Box<Asked> {
        let mut asked = self.asked.take().unwrap_or_default();
        asked.again(head, key, at);
        asked
    }

    /// The request was answered.
    pub(super) fn keep_asked(&mut self, asked: Box<Asked>) {
        if asked.capacity() <= limits::SPARE_TEXT {
            self.asked.keep(asked);
        }
    }

    /// A target and a host of their own.
    pub(super) fn texts(&mut self, target: &str, host: Option<&str>) -> (String, Option<String>) {
        let own = |mut room: String, text: &str| {
            room.clear();
            room.push_str(text);
            room
        };
        let [one, other] = self.texts.take().unwrap_or_default();
        (own(one, target), host.map(|host| own(other, host)))
    }
}
