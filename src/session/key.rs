//! A key as it is remembered.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// A key, which hashes as its bytes do. Nearly all are as long as they should be.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Usual([u8; 24]),
    Other(Arc<[u8]>),
}

impl Key {
    /// The key of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        bytes.try_into().map_or_else(|_| Self::Other(bytes.into()), Self::Usual)
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        match self {
            Self::Usual(bytes) => bytes,
            Self::Other(bytes) => bytes,
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Usual(one), Self::Usual(other)) => one == other,
            _ => <Self as Borrow<[u8]>>::borrow(self) == <Self as Borrow<[u8]>>::borrow(other),
        }
    }
}

impl Eq for Key {}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        <Self as Borrow<[u8]>>::borrow(self).hash(state);
    }
}
