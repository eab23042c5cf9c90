//! What framing has to know of the opening handshake.

use crate::model::Deflate;

/// What the opening handshake agreed on, as far as framing cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extensions {
    /// Whether the response was seen at all.
    pub known: bool,
    /// The parameters of permessage-deflate, if it was agreed.
    pub deflate: Option<Deflate>,
    /// Something else was agreed, which may give any reserved bit a meaning.
    pub other: bool,
}

impl Extensions {
    /// The handshake was seen, and agreed on none.
    pub const NONE: Self = Self { known: true, deflate: None, other: false };
    /// The handshake was not seen.
    pub const UNKNOWN: Self = Self { known: false, deflate: None, other: false };

    /// Whether the endpoints are known to have agreed on something that gives RSV1 a meaning.
    pub fn rsv1_is_agreed(self) -> bool {
        self.deflate.is_some() || self.other
    }

    /// Whether RSV1 may be set on the first frame of a message.
    pub fn rsv1_has_meaning(self) -> bool {
        self.rsv1_is_agreed() || !self.known
    }
}
