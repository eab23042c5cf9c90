//! Strings that were written last, to which what was written for them is kept: it is copied where the same
//! ones come again.

use std::io::Write;

use super::value::members;
use super::write::{Mark, Writer};

/// Bytes of a string up to which it is remembered.
const LONGEST: usize = 512;

/// Two strings, and what was written for them; none at first.
#[derive(Debug, Default)]
pub(super) struct LastPair {
    one: String,
    other: String,
    json: Vec<u8>,
}

impl LastPair {
    /// What was written for these two, if they are what is remembered.
    #[inline]
    pub fn json_of(&self, (one, other): (&str, &str)) -> Option<&[u8]> {
        (!self.json.is_empty() && self.other == other && self.one == one).then_some(&self.json)
    }

    /// Becomes these two, for which that was written which is still there at `mark`. Long ones are not
    /// remembered: then it stays what it was, which is `false`.
    pub fn become_of<W: Write>(&mut self, (one, other): (&str, &str), mark: Mark, w: &Writer<W>) -> bool {
        if one.len().max(other.len()) > LONGEST {
            return false;
        }
        let Some(json) = w.marked(mark) else { return false };
        for (own, text) in [(&mut self.one, one), (&mut self.other, other)] {
            own.clear();
            own.push_str(text);
        }
        self.json.clear();
        self.json.extend_from_slice(json);
        true
    }
}

/// The host and the target that were asked for last: most connections ask for the same.
#[derive(Debug, Default)]
pub(super) struct LastSite(LastPair);

impl LastSite {
    /// Writes `host` and `target`.
    pub fn put<W: Write>(&mut self, host: Option<&str>, target: Option<&str>, w: &mut Writer<W>) {
        let (Some(one), Some(other)) = (host, target) else {
            members!(w, "host": host, "target": target);
            return;
        };
        if let Some(json) = self.0.json_of((one, other)) {
            w.bytes(json);
            return;
        }
        let mark = w.marking(|w| {
            members!(w, "host": one, "target": other);
        });
        self.0.become_of((one, other), mark, w);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_would_be_written() {
        let long = "long".repeat(LONGEST);
        let values = [None, Some(""), Some("a"), Some("say \"a\""), Some("\u{202e}"), Some(&*long)];
        let mut last = LastSite::default();
        let (mut w, mut fresh) = (Writer::new(Vec::new()), Writer::new(Vec::new()));
        let mut copied = 0;
        for turn in 0..4000_usize {
            let [host, target] = [turn / 3 % 7, turn * turn / 11 % 6].map(|at| values[at % 6]);
            let known = host.zip(target).and_then(|pair| last.0.json_of(pair));
            copied += usize::from(known.is_some());
            last.put(host, target, &mut w);
            LastSite::default().put(host, target, &mut fresh);
        }
        assert!(copied > 100, "{copied}");
        assert!(last.0.one.len() <= LONGEST && last.0.other.len() <= LONGEST);
        let written = String::from_utf8(w.finish().unwrap()).unwrap();
        assert!(written == String::from_utf8(fresh.finish().unwrap()).unwrap());
    }
}
