//! A packet whose attachments are on their way.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use hyper::body::Bytes;

use super::packet::Head;
use crate::limits;

/// Bytes of attachments that wait for the last one of their packet, of all clients.
#[derive(Clone, Debug, Default)]
pub struct Attached(Arc<AtomicUsize>);

/// A packet, and those of its attachments that are there.
#[derive(Debug)]
pub struct Incomplete {
    head: Option<Head>,
    attachments: Vec<Bytes>,
    bytes: usize,
    all: Attached,
}

impl Incomplete {
    /// One that waits for its attachments.
    pub fn new(head: Head, all: &Attached) -> Self {
        Self { head: Some(head), attachments: Vec::new(), bytes: 0, all: all.clone() }
    }

    /// One more attachment has come, maybe in another request than the last; the packet when it is complete.
    ///
    /// # Errors
    /// When too much would wait.
    pub fn take(&mut self, bytes: Bytes) -> Result<Option<(Head, Vec<Bytes>)>, &'static str> {
        self.bytes += bytes.len();
        let all = self.all.0.fetch_add(bytes.len(), SeqCst) + bytes.len();
        if self.bytes > limits::LAB_ATTACHED || all > limits::LAB_SESSIONS_BYTES {
            return Err("attachments that are too long");
        }
        self.attachments.push(bytes);
        match self.head.take() {
            Some(head) if head.attachments <= self.attachments.len() => {
                Ok(Some((head, std::mem::take(&mut self.attachments))))
            }
            head => {
                self.head = head;
                Ok(None)
            }
        }
    }
}

impl Drop for Incomplete {
    fn drop(&mut self) {
        self.all.0.fetch_sub(self.bytes, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_complete_with_its_last_attachment() {
        let all = Attached::default();
        let mut packet = Incomplete::new(Head::read("52-[\"a\"]").unwrap(), &all);
        assert!(packet.take(Bytes::from("one")).unwrap().is_none());
        let (head, attachments) = packet.take(Bytes::from("two")).unwrap().unwrap();
        assert_eq!((head.attachments, attachments), (2, ["one", "two"].map(Bytes::from).to_vec()));
        drop(packet);
        assert_eq!(all.0.load(SeqCst), 0);
    }

    #[test]
    fn what_waits_is_bounded_for_each_and_for_all() {
        let all = Attached::default();
        let head = || Head::read("53-[\"a\"]").unwrap();
        let most = Bytes::from(vec![0; limits::LAB_ATTACHED]);
        let mut packet = Incomplete::new(head(), &all);
        assert!(packet.take(most.clone()).unwrap().is_none());
        assert!(packet.take(Bytes::from("x")).is_err());
        drop(packet);
        // Clones share their bytes: that much is only counted.
        let mut many: Vec<Incomplete> = Vec::new();
        let fits = limits::LAB_SESSIONS_BYTES / limits::LAB_ATTACHED;
        for _ in 0..fits {
            let mut packet = Incomplete::new(head(), &all);
            assert!(packet.take(most.clone()).is_ok());
            many.push(packet);
        }
        assert!(Incomplete::new(head(), &all).take(Bytes::from("x")).is_err());
        many.pop();
        assert!(Incomplete::new(head(), &all).take(Bytes::from("x")).is_ok());
    }
}
