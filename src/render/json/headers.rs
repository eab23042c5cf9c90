//! The header fields of HTTP heads, most of which are those of the connection before.

use std::io::Write;

use super::last::LastPair;
use super::value::ToJson;
use super::write::Writer;
use crate::model::{Dir, Header, Verdict};

/// Fields of a head that are remembered.
const MOST: usize = 32;

/// The header fields that were written last of each side, by their place in the head.
#[derive(Debug, Default)]
pub(super) struct LastHeaders([Vec<Last>; 2]);

/// A field, and what was written for it.
#[derive(Debug)]
struct Last {
    field: LastPair,
    verdict: Verdict,
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
            let field = (&*header.name, &*header.value);
            let same = known.get(i).filter(|known| known.verdict == header.verdict);
            if let Some(json) = same.and_then(|known| known.field.json_of(field)) {
                w.bytes(json);
                continue;
            }
            let mark = w.marking(|w| (field.0, field.1, header.verdict).put(w));
            if known.len() == i && i < MOST {
                known.push(Last { field: LastPair::default(), verdict: header.verdict });
            }
            if let Some(known) = known.get_mut(i)
                && known.field.become_of(field, mark, w)
            {
                known.verdict = header.verdict;
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
        let values = ["", "a", "say \"a\"", "\u{202e}", &"long".repeat(600)];
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
