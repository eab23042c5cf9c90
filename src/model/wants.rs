//! What a sink will look at, so that decoders can leave undone what nobody sees.

/// What a sink will look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wants {
    /// Annotated fields and the sources they point into.
    pub fields: bool,
    /// How many payload bytes of each frame and message to keep.
    pub payload: u64,
    /// What messages mean to the application, and its sessions.
    pub app: bool,
    /// How each connection ended, and why.
    pub causes: bool,
    /// Every exchange of HTTP, also those that have nothing to do with WebSocket.
    pub http: bool,
}

impl Wants {
    /// Counts only: no fields, no payload.
    pub const NOTHING: Self = Self { fields: false, payload: 0, app: false, causes: false, http: false };

    /// Whether the header fields of HTTP heads, and the fields of what a layer below says, are looked at: by
    /// all but those who only count.
    pub fn heads(self) -> bool {
        self.fields || self.payload > 0 || self.app || self.http
    }

    /// Whether the bodies of HTTP that is no handshake are looked into, beyond their first bytes.
    pub fn bodies(self) -> bool {
        self.app || !self.http
    }

    /// Whether content that streams is told unit by unit, as it arrives: but for those who look at exchanges
    /// only as a whole.
    pub fn streams(self) -> bool {
        !self.http || self.fields || self.payload > 0 || self.app
    }

    /// What two sinks need together.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            fields: self.fields || other.fields,
            payload: self.payload.max(other.payload),
            app: self.app || other.app,
            causes: self.causes || other.causes,
            http: self.http || other.http,
        }
    }
}
