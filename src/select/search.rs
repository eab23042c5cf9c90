//! What is searched for in payloads. Regular expressions come with the commands: without them there is none.

#[cfg(feature = "cli")]
pub use regex::bytes::Regex;

/// No regular expression.
#[cfg(not(feature = "cli"))]
#[derive(Clone, Copy, Debug)]
pub enum Regex {}

#[cfg(not(feature = "cli"))]
impl Regex {
    /// Whether it is found somewhere in the bytes.
    #[allow(clippy::trivially_copy_pass_by_ref)] // as that of the other one
    pub fn is_match(&self, _: &[u8]) -> bool {
        match *self {}
    }
}
