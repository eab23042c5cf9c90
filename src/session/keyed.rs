//! What is known of a connection of TLS before it is deciphered.

/// What a connection of TLS is deciphered with.
#[derive(Clone, Copy)]
pub(super) struct Known {
    /// How many secrets there are.
    pub secrets: usize,
    /// The client random that they belong to, where the session began in another connection.
    pub begin: Option<[u8; 32]>,
    /// The client was not heard: that random is inferred.
    pub is_unasked: bool,
    /// The cipher suite, if it was inferred.
    pub suite: Option<u16>,
}
