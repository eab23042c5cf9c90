//! What connections that are over leave for those that begin, so that the allocator is not asked for the
//! same again and again.
//!
//! Of each kind a few are kept ([`limits::SPARE_ROOMS`]): as many as begin before the next one is over.

use super::about::Told;
use super::asked::Asked;
use crate::limits;
use crate::model::{At, EndKind, Ending, Header};
use crate::ws::Conversation;

/// Rooms that stand empty.
#[derive(Debug, Default)]
#[allow(clippy::vec_box, reason = "a room is moved by its address")]
pub struct Spare {
    talks: Vec<Box<Conversation>>,
    told: Vec<Box<Told>>,
    asked: Vec<Box<Asked>>,
    /// Of targets and hosts.
    texts: Vec<[String; 2]>,
    ending: Option<Box<Ending>>,
    /// Of header fields; empty.
    headers: Vec<Header<'static>>,
    /// Nothing is kept.
    closed: bool,
}

/// Puts something away, if there is room.
fn keep<T>(spare: &mut Vec<T>, it: T) {
    if spare.len() < limits::SPARE_ROOMS {
        spare.push(it);
    }
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
        Self { closed: true, ..Self::default() }
    }

    /// A room for a WebSocket.
    pub(super) fn talk(&mut self, talk: Conversation) -> Box<Conversation> {
        reuse(self.talks.pop(), talk)
    }

    /// The WebSocket in it is over.
    pub(super) fn keep_talk(&mut self, talk: Box<Conversation>) {
        if !self.closed {
            keep(&mut self.talks, talk);
        }
    }

    /// A room for what is told of a connection.
    #[inline]
    pub(super) fn told(&mut self, told: Told) -> Box<Told> {
        reuse(self.told.pop(), told)
    }

    /// The connection is over, and told.
    #[inline]
    pub(super) fn keep_told(&mut self, mut told: Box<Told>) {
        if self.closed {
            return;
        }
        let connection = &mut told.connection;
        let texts = [connection.target.take(), connection.host.take()].map(Option::unwrap_or_default);
        if texts.iter().all(|text| text.capacity() <= limits::SPARE_TEXT) {
            keep(&mut self.texts, texts);
        }
        if let Some(ending) = connection.ending.take() {
            self.ending = Some(ending);
        }
        keep(&mut self.told, told);
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
        if headers.capacity() <= limits::SPARE_ROOMS && !self.closed {
            // Nothing is there to be mapped: what comes of it is the same room, which borrows from nobody.
            self.headers = headers.into_iter().map_while(|_| None).collect();
        }
    }

    /// A room for a request that waits.
    #[allow(clippy::unnecessary_box_returns)] // the box is what is used again
    pub(super) fn asked(&mut self, head: &[u8], key: [u8; 24], at: At) -> Box<Asked> {
        let mut asked = self.asked.pop().unwrap_or_default();
        asked.again(head, key, at);
        asked
    }

    /// The request was answered.
    pub(super) fn keep_asked(&mut self, asked: Box<Asked>) {
        if asked.capacity() <= limits::SPARE_TEXT && !self.closed {
            keep(&mut self.asked, asked);
        }
    }

    /// A target and a host of their own.
    pub(super) fn texts(&mut self, target: &str, host: Option<&str>) -> (String, Option<String>) {
        let own = |mut room: String, text: &str| {
            room.clear();
            room.push_str(text);
            room
        };
        let [one, other] = self.texts.pop().unwrap_or_default();
        (own(one, target), host.map(|host| own(other, host)))
    }
}
