//! Comma-separated lists (the `#rule` of RFC 2616 §2.1), in one pass.

/// An element of a list, without the white space around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Its bytes.
    pub bytes: &'a [u8],
    /// Offset in the list.
    pub at: usize,
}

/// The elements of a list; empty ones are left out, as the `#rule` wants it.
pub fn elements(list: &[u8]) -> impl Iterator<Item = Element<'_>> {
    let mut next = 0;
    list.split(|b| *b == b',').filter_map(move |raw| {
        let at = next + raw.len() - raw.trim_ascii_start().len();
        next += raw.len() + 1;
        let bytes = raw.trim_ascii();
        (!bytes.is_empty()).then_some(Element { bytes, at })
    })
}

/// Whether a list has an element, compared without regard to case.
pub(super) fn has(list: &[u8], wanted: &str) -> bool {
    // Nearly always it is the only one.
    list.eq_ignore_ascii_case(wanted.as_bytes())
        || elements(list).any(|element| element.bytes.eq_ignore_ascii_case(wanted.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_keep_their_places() {
        type Found = &'static [(&'static [u8], usize)];
        let cases: &[(&[u8], Found)] = &[
            (b"", &[]),
            (b" , ,", &[]),
            (b"chat, superchat", &[(b"chat", 0), (b"superchat", 6)]),
            (b",a ,\tb c\t", &[(b"a", 1), (b"b c", 5)]),
            (b"a,\r\n b", &[(b"a", 0), (b"b", 5)]),
        ];
        for (list, expected) in cases {
            let found: Vec<_> = elements(list).map(|e| (e.bytes, e.at)).collect();
            assert_eq!(found, *expected, "{list:?}");
        }
        assert!(has(b"keep-alive, UPGRADE", "Upgrade"));
        assert!(!has(b"keep-alive Upgrade", "Upgrade"));
    }
}
