//! How connections ended: Close codes by side, how long they lived, and the silence before.

use crate::model::distribution::Range;
use crate::model::{CloseCode, Dir, Judgement, Outcome, TcpEnd};

/// Kinds of Close codes that are counted apart.
const CODES: usize = 64;

/// Counts of the ends of connections.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    /// First Close frames by code, from the client and from the server; `None` for those without a code.
    pub codes: Vec<(Option<CloseCode>, [u64; 2])>,
    /// Nanoseconds from the first bytes of a connection to its end.
    pub lived: Range,
    /// Nanoseconds without a frame before TCP was ended without a Close frame.
    pub silence: Range,
}

impl Ends {
    /// Takes the end of a connection into account.
    pub fn take(&mut self, it: &Judgement<'_>) {
        if let Some((by, close)) = it.close {
            self.code(by, close.code);
        }
        if let Some(lived) = it.lived.filter(|_| it.outcome != Outcome::Open) {
            self.lived.take(lived.max(0).unsigned_abs());
        }
        if let (None, Some(TcpEnd { .. }), Some(silence)) = (it.close, it.tcp, it.silence) {
            self.silence.take(silence.max(0).unsigned_abs());
        }
    }

    fn code(&mut self, by: Dir, code: Option<CloseCode>) {
        let place = match self.codes.iter().position(|(known, _)| *known == code) {
            Some(place) => place,
            None if self.codes.len() < CODES => {
                self.codes.push((code, [0, 0]));
                self.codes.sort_unstable_by_key(|(code, _)| *code);
                self.codes.iter().position(|(known, _)| *known == code).unwrap_or_default()
            }
            None => return,
        };
        self.codes[place].1[by.index()] += 1;
    }
}
