//! The archive from its beginning to its end: entries one after the other, none held that is not wanted.
//!
//! What stands where something else is expected is mostly passed over, not an error: programs differ.

use super::entry::Entry;
use super::parts::Program;
use super::{Story, Wanted};
use crate::input::source::Meter;

/// An archive being read.
pub(super) struct Reading<'a> {
    story: Story,
    /// The entry being read: what there is of it counts, too, where the file breaks off.
    pub entry: Entry,
    wanted: Wanted<'a>,
    progress: &'a mut dyn FnMut(u64),
    meter: Meter,
    /// Bytes held.
    held: usize,
    /// `log.entries` was there.
    pub found: bool,
    /// An entry has a list of messages.
    pub has_lists: bool,
}

/// Programs that stand between both endpoints and list what they saw on the wire.
const PROXIES: [&str; 8] =
    ["mitmproxy", "wstool", "HTTP Toolkit", "Charles", "Fiddler", "Proxyman", "Burp", "BrowserUp"];

impl<'a> Reading<'a> {
    pub fn new(wanted: Wanted<'a>, progress: &'a mut dyn FnMut(u64), meter: Meter) -> Self {
        let (story, entry) = (Story::default(), Entry::default());
        Self { story, entry, wanted, progress, meter, held: 0, found: false, has_lists: false }
    }

    /// What was read, of an entry that broke off what there is.
    pub fn end(mut self) -> Story {
        if self.entry.has_begun() {
            self.entry_ends();
        }
        self.story.is_silent = !self.has_lists;
        let by = &self.story.by;
        self.story.is_whole = PROXIES.iter().any(|name| by.starts_with(name));
        self.story
    }

    /// The program that saved it, or the browser that it was saved in.
    pub fn is_by(&mut self, program: Program, is_browser: bool) {
        let parts = [program.name.text(), program.version.text()];
        let said: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        let said = said.join(" ");
        if self.story.by.is_empty() {
            self.story.by = said;
        } else if is_browser && !said.is_empty() && said != self.story.by {
            self.story.by = format!("{} ({said})", self.story.by);
        }
    }

    /// An entry is over.
    pub fn entry_ends(&mut self) {
        self.story.entries += 1;
        self.story.is_full |= self.held + self.entry.held >= self.wanted.memory;
        let entry = std::mem::take(&mut self.entry);
        if let Some(exchange) = entry.exchange(self.wanted.target) {
            self.held += exchange.cost();
            self.story.exchanges.push(exchange);
        }
        (self.progress)(self.meter.read());
    }

    /// How many bytes of a text may be kept.
    pub fn room(&self) -> usize {
        let room = self.wanted.memory.saturating_sub(self.held + self.entry.held);
        usize::try_from(self.wanted.payload).unwrap_or(usize::MAX).min(room)
    }
}
