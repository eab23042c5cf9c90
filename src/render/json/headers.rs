//! The header fields of HTTP heads, most of which are those of the connection before.

use std::io::Write;

use super::value::ToJson;
use super::write::Writer;
use crate::model::{Dir, Header, Verdict};

/// Fields of a head that are remembered.
const MOST: usize = 32;

/// Bytes of a name or a value up to which a field is.
const LONGEST: usize = 512;

/// The header fields that were written last of each side, by their place in the head.
#[derive(Debug, Default)]
pub(super) struct LastHeaders([Vec<Last>; 2]);

/// A field, and what was written for it.
#[derive(Debug)]
struct Last {
    name: String,
    value: String,
    verdict: Verdict,
    json: Vec<u8>,
}

impl Last {
    #[inline]
    fn is(&self, header: &Header<'_>) -> bool {
        self.verdict == header.verdict && self.value == header.value && self.name == header.name
    }

    fn become_of(&mut self, header: &Header<'_>, json: &[u8]) {
        for (own, text) in [(&mut self.name, &*header.name), (&mut self.value, &*header.value)] {
            own.clear();
            own.push_str(text);
        }
        self.verdict = header.verdict;
        self.json.clear();
        self.json.extend_from_slice(json);
    }
}

impl LastHeaders {
    /// Writes an array of the fields in a head.
    pub fn put<W: Write>(&mut self, dir: Option<Dir>, headers: &[Header<'_>], w: &mut Writer<W>) {
        let known = &mut self.0[dir.map_or(0, Dir::index)];
        w.raw("[");
        for (i, header) in headers.iter().enumerate() {
            if i > 0 {
                w.raw(",");
            }
            if let Some(known) = known.get(i).filter(|known| known.is(header)) {
                w.bytes(&known.json);
                continue;
            }
            let mark = w.marking(|w| (&*header.name, &*header.value, header.verdict).put(w));
            if i >= MOST || header.name.len().max(header.value.len()) > LONGEST {
                continue;
            }
            let Some(json) = w.marked(mark) else { continue };
            if known.len() == i {
                let (name, value) = (String::new(), String::new());
                known.push(Last { name, value, verdict: header.verdict, json: Vec::new() });
            }
            if let Some(known) = known.get_mut(i) {
                known.become_of(header, json);
            }
        }
        w.raw("]");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{SourceId, Span, Text};

    fn header(name: &str, value: &str, verdict: Verdict) -> Header<'static> {
        let at = Span::bytes(SourceId::Input, 0, 1);
        let (name, value) = (name.to_owned().into(), value.to_owned().into());
        Header { name, value, verdict, meaning: Text::default(), name_at: at, value_at: at }
    }

    /// Heads that have something of the one before, and everything that is remembered at its end.
    #[test]
    fn what_is_remembered_is_what_would_be_written() {
        let values = ["", "a", "say \"a\"", "\u{202e}", &"long".repeat(LONGEST)];
        let verdicts = [Verdict::Ok, Verdict::Broken];
        let heads = (0..400_usize).map(|turn| {
            let of = |i: usize| {
                let at = turn * turn / 7 + i * (turn % 5);
                let verdict = verdicts[usize::from(at.is_multiple_of(11))];
                header(["Host", "Key", "host"][at % 13 % 3], values[at % 17 % 5], verdict)
            };
            (0..turn % (MOST + 3)).map(of).collect::<Vec<_>>()
        });
        let mut last = LastHeaders::default();
        let (mut w, mut fresh) = (Writer::new(Vec::new()), Writer::new(Vec::new()));
        for (turn, head) in heads.enumerate() {
            let dir = [None, Some(Dir::Client), Some(Dir::Server)][turn % 3];
            last.put(dir, &head, &mut w);
            LastHeaders::default().put(dir, &head, &mut fresh);
        }
        let written = String::from_utf8(w.finish().unwrap()).unwrap();
        assert!(written == String::from_utf8(fresh.finish().unwrap()).unwrap());
        assert!(last.0.iter().all(|last| last.len() <= MOST));
    }
}
