//! What compression saved, and what it costs (RFC 7692).

use crate::model::quantity::{count, percent, size};
use crate::model::{Connection, Deflate, Message};

/// The compressed messages of one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Ledger {
    /// Messages that were compressed and could be inflated.
    pub messages: u64,
    /// Their payload bytes on the wire.
    pub wire: u64,
    /// What these inflate to.
    pub inflated: u64,
    /// Inflated bytes of those messages whose matches were looked at ...
    pub measured: u64,
    /// ... and how many of them were copied from earlier messages.
    pub from_earlier: u64,
    /// Compressed messages that could not be inflated.
    pub failed: u64,
    /// Bytes of window the receivers hold for as long as their connections last.
    pub windows: u64,
}

impl Ledger {
    /// Enters a compressed message.
    pub fn message(&mut self, message: &Message<'_>) {
        let Some(inflated) = message.inflated_length else {
            self.failed += 1;
            return;
        };
        self.messages += 1;
        self.wire += message.length;
        self.inflated += inflated;
        if let Some(bytes) = message.from_earlier {
            self.measured += inflated;
            self.from_earlier += bytes;
        }
    }

    /// Takes over what another ledger has entered.
    pub fn add(&mut self, other: &Self) {
        self.messages += other.messages;
        self.wire += other.wire;
        self.inflated += other.inflated;
        self.measured += other.measured;
        self.from_earlier += other.from_earlier;
        self.failed += other.failed;
        self.windows += other.windows;
    }

    /// The cells of its row: messages, on the wire, inflated, saved, from earlier messages, windows.
    pub fn cells(&self) -> [String; 6] {
        let saved = self.inflated.saturating_sub(self.wire);
        // Short messages may grow; then nothing is saved.
        let saved = if self.inflated == 0 { "-".to_owned() } else { percent(saved, self.inflated) };
        let earlier =
            if self.measured == 0 { "-".to_owned() } else { percent(self.from_earlier, self.measured) };
        let windows = if self.windows == 0 { "-".to_owned() } else { size(self.windows) };
        [count(self.messages), size(self.wire), size(self.inflated), saved, earlier, windows]
    }
}

/// The windows the two receivers keep between messages: for what the client and what the server sends.
/// Without context takeover a receiver needs none while nothing arrives.
pub(super) fn windows(connection: &Connection) -> [u64; 2] {
    let Some(deflate) = connection.deflate else { return [0, 0] };
    let Deflate { client_max_window_bits, server_max_window_bits, .. } = deflate;
    [
        if deflate.client_no_context_takeover { 0 } else { 1 << client_max_window_bits },
        if deflate.server_no_context_takeover { 0 } else { 1 << server_max_window_bits },
    ]
}
