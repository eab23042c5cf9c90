//! What one side of TLS sends, record by record, of which nobody has the keys.

use crate::model::SealedRecords;
use crate::tls;

/// One side's place in its records, and what they were.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Records {
    /// The header under way.
    head: [u8; tls::HEADER],
    have: usize,
    /// Bytes of the record that are still to come.
    left: usize,
    /// Where the next record begins is not known.
    is_lost: bool,
    /// Headers so far.
    headers: u64,
    sealed: SealedRecords,
}

impl Records {
    /// Takes the next bytes, as long as it is known where records begin.
    pub fn take(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() && !self.is_lost {
            if self.left > 0 {
                let count = self.left.min(rest.len());
                self.left -= count;
                rest = &rest[count..];
                continue;
            }
            let count = (tls::HEADER - self.have).min(rest.len());
            self.head[self.have..self.have + count].copy_from_slice(&rest[..count]);
            self.have += count;
            rest = &rest[count..];
            if self.have < tls::HEADER {
                break;
            }
            self.have = 0;
            let [kind, major, _, high, low] = self.head;
            self.left = usize::from(u16::from_be_bytes([high, low]));
            // The longest that any version has is that of TLS 1.2 (RFC 5246 §6.2.3).
            self.is_lost = !(20..=24).contains(&kind) || major != 3 || self.left > (1 << 14) + 2048;
            if !self.is_lost {
                self.headers += 1;
                if kind == APPLICATION_DATA {
                    self.sealed.add(self.left as u64);
                }
            }
        }
    }

    /// Bytes are missing: where the next record begins is not known.
    pub fn lose(&mut self) {
        self.is_lost = true;
    }

    /// Whether what came is not records all along.
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Whether all that came are whole records.
    pub fn is_between(&self) -> bool {
        !self.is_lost && self.left == 0 && self.have == 0
    }

    /// How many records have begun.
    pub fn headers(&self) -> u64 {
        self.headers
    }

    /// Those of application data.
    pub fn sealed(&self) -> &SealedRecords {
        &self.sealed
    }
}

/// The type of a record (RFC 8446 §5.1).
const APPLICATION_DATA: u8 = 23;
