//! Who looks on: a panel in a browser beside each page, told of that page's own connections as they happen.
//!
//! A page names itself by a random word, in the query of every request it makes (`panel=…`). What is decoded
//! of the connections of these requests is told to the panel of that name, and to no other.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use foldhash::{HashMap, HashMapExt as _};
use tokio::sync::mpsc;

use super::hub::held;
use crate::limits;

/// The panels of a server. Clones are the same panels.
#[derive(Clone, Debug)]
pub struct Panels(Arc<Mutex<HashMap<String, Panel>>>);

#[derive(Debug, Default)]
struct Panel {
    /// Records that nobody has been told so far, oldest first.
    waiting: VecDeque<Arc<str>>,
    bytes: usize,
    /// Who looks on.
    reader: Option<mpsc::Sender<Arc<str>>>,
    /// Counts up with every panel, so that the oldest can make room.
    age: u64,
}

impl Default for Panels {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(HashMap::new())))
    }
}

impl Panels {
    /// Whether `name` may be that of a panel.
    pub fn is_name(name: &str) -> bool {
        (1..=limits::LAB_NAME).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric())
    }

    /// Tells a panel something. What nobody reads for long is forgotten, the oldest first.
    pub fn tell(&self, name: &str, record: &str) {
        let mut panels = held(&self.0);
        let panel = entry(&mut panels, name);
        let record: Arc<str> = record.into();
        if let Some(reader) = &panel.reader {
            match reader.try_send(Arc::clone(&record)) {
                // Who reads too slowly misses something; who has gone may come again.
                Ok(()) | Err(mpsc::error::TrySendError::Full(_)) => return,
                Err(mpsc::error::TrySendError::Closed(_)) => panel.reader = None,
            }
        }
        panel.bytes += record.len();
        panel.waiting.push_back(record);
        while panel.bytes > limits::LAB_PANEL {
            panel.bytes -= panel.waiting.pop_front().map_or(panel.bytes, |oldest| oldest.len());
        }
    }

    /// Looks on: what a panel has been told and nobody has read, and then all it is told.
    pub fn listen(&self, name: &str) -> mpsc::Receiver<Arc<str>> {
        let (sender, receiver) = mpsc::channel(limits::LAB_PANEL_RECORDS);
        let mut panels = held(&self.0);
        let panel = entry(&mut panels, name);
        for record in panel.waiting.drain(..) {
            // The channel is new: it is full when there is more than it holds.
            let _ = sender.try_send(record);
        }
        panel.bytes = 0;
        panel.reader = Some(sender);
        receiver
    }
}

/// The panel of a name, for which the oldest that nobody reads makes room.
fn entry<'p>(panels: &'p mut HashMap<String, Panel>, name: &str) -> &'p mut Panel {
    if !panels.contains_key(name) && panels.len() >= limits::LAB_PANELS {
        let is_read = |panel: &Panel| panel.reader.as_ref().is_some_and(|reader| !reader.is_closed());
        let oldest = panels.iter().min_by_key(|(_, panel)| (is_read(panel), panel.age));
        if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
            panels.remove(&oldest);
        }
    }
    let age = panels.values().map(|panel| panel.age + 1).max().unwrap_or_default();
    panels.entry(name.to_owned()).or_insert_with(|| Panel { age, ..Panel::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_is_told_what_it_missed_and_what_comes() {
        let panels = Panels::default();
        panels.tell("a", "1");
        panels.tell("b", "other");
        let mut reader = panels.listen("a");
        panels.tell("a", "2");
        let told: Vec<String> =
            std::iter::from_fn(|| reader.try_recv().ok()).map(|it| it.to_string()).collect();
        assert_eq!(told, ["1", "2"]);
        drop(reader);
        panels.tell("a", "3");
        assert_eq!(&*panels.listen("a").try_recv().unwrap(), "3", "a page was loaded again");
    }

    #[test]
    fn what_nobody_reads_is_bounded() {
        let panels = Panels::default();
        let record = "x".repeat(limits::LAB_PANEL / 4);
        for _ in 0..100 {
            panels.tell("a", &record);
        }
        for number in 0..limits::LAB_PANELS * 2 {
            panels.tell(&format!("p{number}"), "1");
        }
        let inner = held(&panels.0);
        assert!(inner.len() <= limits::LAB_PANELS);
        assert!(inner.values().all(|panel| panel.bytes <= limits::LAB_PANEL));
    }
}
