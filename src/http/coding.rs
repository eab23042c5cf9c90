//! The content codings that a head names (RFC 9110 §8.4).

use super::head::Head;
use crate::coding::Codings;

/// The codings of what is behind a head.
pub fn codings(head: &Head<'_>) -> Codings {
    Codings::of(head.values("Content-Encoding").map(|value| value.text()))
}

/// The same in the head's own words, in small letters; none where it names none. Untrusted.
pub fn named_codings(head: &Head<'_>) -> String {
    let codings = head.values("Content-Encoding").map(|coding| coding.text().trim().to_ascii_lowercase());
    codings.collect::<Vec<_>>().join(", ")
}
