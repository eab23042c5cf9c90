//! Data on a page: cut where a line ends, or flowing over several.

use super::Page;
use crate::render::escape::{self, Cells, Kind, cells};
use crate::render::style::Ink;

/// Columns a value may leave empty at the end of a line to keep a word in one piece.
const SPILL_BACK: usize = 24;

impl Page {
    /// Writes data on this line, at most `room` columns of it, `…` standing for what is
    /// left out; `more` when there is more than `bytes`.
    pub fn data(&mut self, ink: Ink, bytes: &[u8], room: usize, more: bool) -> &mut Self {
        let bytes = if more { escape::whole_characters(bytes) } else { bytes };
        self.fit(ink, bytes, Kind::Data, room, more)
    }

    /// Writes the tool's own words on what is left of this line, cut where it ends.
    pub fn clip(&mut self, ink: Ink, words: &str) -> &mut Self {
        let room = self.width.saturating_sub(self.column);
        self.fit(ink, words.as_bytes(), Kind::Words, room, false)
    }

    fn fit(&mut self, ink: Ink, bytes: &[u8], kind: Kind, room: usize, more: bool) -> &mut Self {
        let ellipsis = self.ellipsis();
        self.open(ink);
        // Where the ellipsis would go if the next cell does not fit.
        let (mut used, mut fallback) = (0, (self.text.len(), 0));
        let mut all = cells(bytes, kind, self.ascii);
        let cut = loop {
            let run = all.run(room.saturating_sub(used + ellipsis));
            if run.columns > 0 {
                self.text.push_str(run.text);
                used += run.columns;
                fallback = (self.text.len(), used);
            }
            let Some(cell) = all.next() else { break more && used + ellipsis > room };
            used += usize::from(cell.width);
            if used > room {
                break true;
            }
            cell.push_to(&mut self.text);
            if used + ellipsis <= room {
                fallback = (self.text.len(), used);
            }
        };
        if cut {
            self.text.truncate(fallback.0);
            used = fallback.1;
        }
        self.close(ink);
        self.column += used;
        if (cut || more) && used + ellipsis <= room {
            self.put_glyph(Ink::Faint, "…");
        }
        self
    }

    /// Writes data in quotes on at most `rows` lines from `indent` on, breaking where
    /// the data does and where a line is full. Gives the number of bytes shown.
    pub fn quote(&mut self, bytes: &[u8], more: bool, indent: usize, rows: usize, reserve: usize) -> usize {
        let bytes = if more { escape::whole_characters(bytes) } else { bytes };
        self.put_glyph(Ink::Faint, "“");
        let shown = self.flow(bytes, indent + 1, rows, reserve, 0);
        let whole = shown == bytes.len() && !more;
        self.put_glyph(Ink::Faint, if whole { "”" } else { "…" });
        shown
    }

    /// The same for a part of data with holes: only its beginning and its end are marked by quotes.
    pub fn quote_part(
        &mut self,
        bytes: &[u8],
        begins: bool,
        ends: bool,
        indent: usize,
        rows: usize,
    ) -> usize {
        self.put_glyph(Ink::Faint, if begins { "“" } else { "…" });
        let shown = self.flow(bytes, indent + 1, rows, 0, 0);
        self.put_glyph(Ink::Faint, if ends && shown == bytes.len() { "”" } else { "…" });
        shown
    }

    /// Writes data without quotes on at most `rows` lines, those after the first from `indent` on.
    pub fn spill(&mut self, bytes: &[u8], indent: usize, rows: usize) -> &mut Self {
        if self.flow(bytes, indent, rows, 0, SPILL_BACK) < bytes.len() {
            self.put_glyph(Ink::Faint, "…");
        }
        self
    }

    /// A full line ends where the last word does, if that is at most `back` columns back.
    fn flow(&mut self, bytes: &[u8], indent: usize, rows: usize, reserve: usize, back: usize) -> usize {
        let (indent, limit) = self.frame(indent, reserve);
        let limit = limit - self.ellipsis();
        if back == 0
            && let Some(text) = escape::plain_data(bytes)
        {
            return self.flow_plain(text, indent, limit, rows);
        }
        let (mut row, mut shown, mut line_ended) = (1, 0, false);
        // Where the last word begins: byte of the text, and column.
        let mut word = (0, 0);
        let mut all = self.data_cells(bytes);
        loop {
            if !line_ended {
                let run = all.run(limit.saturating_sub(self.column));
                self.text.push_str(run.text);
                self.column += run.columns;
                shown += run.text.len();
                if back > 0
                    && let Some((_, behind)) = run.text.rsplit_once(' ')
                {
                    word = (self.text.len() - behind.len(), self.column - behind.chars().count());
                }
            }
            let Some(cell) = all.next() else { break };
            if cell.width > 0 && (line_ended || self.column + usize::from(cell.width) > limit) {
                if row == rows || self.is_broken() {
                    break;
                }
                row += 1;
                let breaks = !line_ended && word.1 > indent && self.column - word.1 < back;
                let moved = if breaks { self.text.split_off(word.0) } else { String::new() };
                let columns = if breaks { self.column - word.1 } else { 0 };
                self.line();
                self.to(indent);
                self.text.push_str(&moved);
                self.column += columns;
                word = (0, 0);
            }
            cell.push_to(&mut self.text);
            self.column += usize::from(cell.width);
            if cell.is_space() {
                word = (self.text.len(), self.column);
            }
            shown += usize::from(cell.bytes);
            line_ended = cell.line_end;
        }
        shown
    }

    /// The same for what shows as it is, a byte a column.
    fn flow_plain(&mut self, text: &str, indent: usize, limit: usize, rows: usize) -> usize {
        let (mut row, mut rest) = (1, text);
        loop {
            let (now, later) = rest.split_at(rest.len().min(limit.saturating_sub(self.column)));
            self.text.push_str(now);
            self.column += now.len();
            rest = later;
            if rest.is_empty() || row == rows || self.is_broken() {
                return text.len() - rest.len();
            }
            row += 1;
            self.line();
            self.to(indent);
        }
    }

    /// Columns that `bytes` would take as data, or `None` when more than `most`.
    pub fn measure_data(&self, bytes: &[u8], most: usize) -> Option<usize> {
        // Each byte of ASCII takes a column at least.
        if bytes.get(..=most).is_some_and(<[u8]>::is_ascii) {
            return None;
        }
        if let Some(text) = escape::plain_data(bytes) {
            return (text.len() <= most).then_some(text.len());
        }
        let (mut all, mut columns) = (self.data_cells(bytes), 0);
        while columns <= most {
            columns += all.run(most + 1 - columns).columns;
            let Some(cell) = all.next() else { return (columns <= most).then_some(columns) };
            columns += usize::from(cell.width);
        }
        None
    }

    fn data_cells<'a>(&self, bytes: &'a [u8]) -> Cells<'a> {
        cells(bytes, Kind::Data, self.ascii)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::Options;

    fn page(width: usize) -> Page {
        Page { width, ..Page::new(&Options::default()) }
    }

    #[test]
    fn data_is_cut_by_columns() {
        for (bytes, room, more, expected) in [
            ("Hello", 5, false, "Hello"),
            ("Hello", 4, false, "Hel…"),
            ("Hello", 5, true, "Hell…"),
            ("Hello", 6, true, "Hello…"),
            ("你好吗", 6, false, "你好吗"),
            ("你好吗", 5, false, "你好…"),
            ("ab\u{1b}", 5, false, "ab…"),
            ("", 3, false, ""),
        ] {
            let mut page = page(80);
            page.data(Ink::Plain, bytes.as_bytes(), room, more);
            assert_eq!(page.lines(), expected);
            let columns = page.measure(expected);
            assert_eq!(page.column(), columns);
        }
    }

    #[test]
    fn quotes_wrap_at_the_edge_and_at_line_ends() {
        let mut page = page(20);
        assert_eq!(page.to(2).quote("你好吗你好吗你好吗".as_bytes(), false, 2, 9, 0), 27);
        page.line();
        assert_eq!(page.to(2).quote(b"one\ntwo\n", false, 2, 9, 0), 8);
        page.line();
        assert_eq!(page.to(2).quote(b"one\ntwo\nthree", false, 2, 2, 0), 8);
        page.line();
        assert_eq!(
            page.lines(),
            "  “你好吗你好吗你好\n   吗”\n  “one\\n\n   two\\n”\n  “one\\n\n   two\\n…\n"
        );
    }
}
