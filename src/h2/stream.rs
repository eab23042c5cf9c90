//! What is known of a stream.

/// A stream (RFC 9113 §5.1). Pairs are of the client and of the server.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Bytes of DATA that each may send.
    pub window: [i64; 2],
    /// Who sends nothing on it any more.
    pub ended: [bool; 2],
    /// Who has sent header fields.
    pub heads: [bool; 2],
    /// It was opened by the client.
    pub by_client: bool,
}

impl Stream {
    /// Nothing was sent on it; each may send so much.
    pub fn new(window: [u32; 2], by_client: bool) -> Self {
        Self { window: window.map(i64::from), ended: [false; 2], heads: [false; 2], by_client }
    }

    /// Nobody sends anything any more.
    pub fn is_over(&self) -> bool {
        self.ended == [true; 2]
    }
}
