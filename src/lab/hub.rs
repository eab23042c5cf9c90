//! What is published and not delivered yet: a mailbox for each client.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::{HashMap, HashMapExt as _};
use hyper::body::Bytes;
use tokio::sync::Notify;

use crate::limits;

/// The mailboxes of a server, by the names its clients go by.
#[derive(Debug)]
pub struct Hub {
    boxes: Mutex<HashMap<String, Arc<Mailbox>>>,
}

impl Default for Hub {
    fn default() -> Self {
        Self { boxes: Mutex::new(HashMap::new()) }
    }
}

impl Hub {
    /// The mailbox of a client, made when it is asked for first; `None` when there are too many.
    pub fn mailbox(&self, name: &str) -> Option<Arc<Mailbox>> {
        let mut boxes = held(&self.boxes);
        if let Some(mailbox) = boxes.get(name) {
            return Some(Arc::clone(mailbox));
        }
        if boxes.len() >= limits::LAB_MAILBOXES || name.len() > limits::LAB_NAME {
            return None;
        }
        Some(Arc::clone(boxes.entry(name.to_owned()).or_default()))
    }

    /// Forgets a client.
    pub fn remove(&self, name: &str) {
        held(&self.boxes).remove(name);
    }
}

/// Messages that wait for one client, oldest first.
#[derive(Debug, Default)]
pub struct Mailbox {
    messages: Mutex<VecDeque<Bytes>>,
    news: Notify,
}

impl Mailbox {
    /// Puts a message in. In a full box the oldest makes room.
    pub fn push(&self, message: Bytes) {
        let mut messages = held(&self.messages);
        if messages.len() >= limits::LAB_MAILBOX {
            messages.pop_front();
        }
        messages.push_back(message);
        drop(messages);
        self.news.notify_one();
    }

    /// Takes all there is.
    pub fn take(&self) -> Vec<Bytes> {
        held(&self.messages).drain(..).collect()
    }

    /// Waits until something is put in, or was since the last time somebody waited.
    pub async fn news(&self) {
        self.news.notified().await;
    }

    /// Takes all there is, and waits for something when there is nothing. Nothing is lost
    /// when the waiting is given up.
    pub async fn next(&self) -> Vec<Bytes> {
        loop {
            let messages = self.take();
            if !messages.is_empty() {
                return messages;
            }
            self.news().await;
        }
    }
}

/// A lock's content. Nobody panics while holding one.
pub(crate) fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_keeps_the_order_and_the_newest() {
        let hub = Hub::default();
        let mailbox = hub.mailbox("a").unwrap();
        for i in 0..=limits::LAB_MAILBOX {
            mailbox.push(Bytes::from(i.to_string()));
        }
        let taken = hub.mailbox("a").unwrap().take();
        assert_eq!(taken.len(), limits::LAB_MAILBOX);
        assert_eq!((&taken[0][..], &taken[1][..]), (&b"1"[..], &b"2"[..]), "0 made room");
        assert!(mailbox.take().is_empty());
    }

    #[test]
    fn names_are_limited() {
        let hub = Hub::default();
        assert!(hub.mailbox(&"x".repeat(limits::LAB_NAME + 1)).is_none());
        hub.mailbox("a").unwrap().push(Bytes::from_static(b"gone"));
        hub.remove("a");
        assert!(hub.mailbox("a").unwrap().take().is_empty());
    }
}
