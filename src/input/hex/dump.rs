//! Dumps: lines of an offset, bytes, and mostly a column of text.
//!
//! What a line holds is known for certain only when the next one says its
//! offset, so a row waits for it. The last row goes by where the text column of
//! those before it began, then by the gaps between its parts.

use super::row::{Row, check_groups, is_words};
use super::{Out, fail, hex_run, quote};
use crate::input::InputError;
use crate::limits;
use crate::model::Dir;
use crate::model::Text;

const WORDS: &str = "use hexdump -C, od -A x -t x1 or xxd";

/// Puts rows together, separately for each direction, as "Follow TCP stream" interleaves them.
pub(super) struct Dumps<'t> {
    text: &'t str,
    /// Indented rows were sent by the server.
    follow: bool,
    runs: [Run<'t>; 3],
}

#[derive(Default)]
struct Run<'t> {
    waiting: Option<Row<'t>>,
    squeezed: bool,
    radix: Option<u32>,
    width: Option<u64>,
    text_column: Option<usize>,
    /// The next row's offset, once the last row has been written out.
    due: Option<u64>,
}

impl<'t> Dumps<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, follow: is_follow(text), runs: Default::default() }
    }

    /// Whether the lines before belong to a dump.
    pub(super) fn running(&self) -> bool {
        self.runs.iter().any(|run| run.waiting.is_some() || run.due.is_some())
    }

    /// Notes the `*` that stands for rows like the one before.
    pub(super) fn squeeze(&mut self) {
        for run in &mut self.runs {
            run.squeezed |= run.waiting.is_some();
        }
    }

    /// Takes a line as a row, if it is one.
    pub(super) fn row(&self, at: usize, line: &'t str, number: u32) -> Result<Option<Row<'t>>, InputError> {
        let Some(row) = Row::split(at, line, number) else { return Ok(None) };
        let text = self.text;
        if is_words(line) {
            let found = "a dump of words";
            return Err(fail(
                text,
                row.at,
                found,
                "one of single bytes: words are in the machine's byte order",
                WORDS,
            ));
        }
        if row.tokens.is_empty() && !row.rest.is_empty() {
            return Ok(None);
        }
        if row.tokens.is_empty() {
            // hexdump and od end with the length.
            let same =
                |run: &Run<'_>| run.waiting.as_ref().is_some_and(|w| row.offset.len() >= w.offset.len());
            return Ok(self.runs.iter().any(same).then_some(row));
        }
        Ok((row.is_certain() || (self.running() && row.first_gap() > 0)).then_some(row))
    }

    /// Adds a row.
    pub(super) fn push(
        &mut self,
        row: Row<'t>,
        marked: Option<Dir>,
        out: &mut Out,
    ) -> Result<(), InputError> {
        let dir = match (self.follow, row.indented) {
            (true, true) => Some(Dir::Server),
            (true, false) => Some(Dir::Client),
            (false, _) => marked,
        };
        let index = dir.map_or(2, Dir::index);
        for other in (0..3).filter(|other| *other != index) {
            self.settle(other, out)?;
        }
        let bare = row.tokens.is_empty();
        if row.offset(16) == Some(0) && !bare {
            self.settle(index, out)?;
            if self.runs[index].due.is_some() {
                out.cut();
            }
            self.runs[index].due = None;
        } else {
            self.join(index, &row, out)?;
        }
        let run = &mut self.runs[index];
        if bare {
            *run = Run::default();
        } else {
            run.waiting = Some(row);
        }
        Ok(())
    }

    /// Writes out the row before `next`, now that its length is known, and checks that nothing is missing.
    fn join(&mut self, index: usize, next: &Row<'t>, out: &mut Out) -> Result<(), InputError> {
        let run = &mut self.runs[index];
        let radixes: &[u32] = match &run.radix {
            Some(radix) => std::slice::from_ref(radix),
            None => &[16, 10, 8],
        };
        let Some(row) = run.waiting.take() else {
            let Some(due) = run.due.take() else { return Ok(()) };
            if radixes.iter().any(|&radix| next.offset(radix) == Some(due)) {
                return Ok(());
            }
            let expected = Text::with("offset {}, with which the dump goes on", format!("{due:08x}"));
            return Err(self.missing(next, expected));
        };
        let guess = row.guess(run.width, run.text_column);
        for &radix in radixes {
            let (Some(from), Some(to)) = (row.offset(radix), next.offset(radix)) else { continue };
            let Some(delta) = to.checked_sub(from).filter(|delta| *delta > 0) else { continue };
            let width = row.bytes(guess);
            let (tokens, times) = if run.squeezed && delta.is_multiple_of(width) {
                (Some(guess), delta / width)
            } else {
                (row.fits(delta), 1)
            };
            if let Some(tokens) = tokens {
                run.radix = Some(radix);
                run.squeezed = false;
                return self.write(index, &row, tokens, times, out);
            }
        }
        let (radix, width, count) = (radixes[0], run.width, row.bytes(guess));
        check_groups(self.text, &row, guess, row.text(guess, self.body(&row)).1.trim_end())?;
        self.check_rest(&row, guess, width)?;
        let digits = row.offset.len();
        let due = row.offset(radix).unwrap_or_default().saturating_add(count);
        let due = match radix {
            8 => format!("{due:0digits$o}"),
            10 => format!("{due:0digits$}"),
            _ => format!("{due:0digits$x}"),
        };
        let number = row.number;
        Err(self.missing(
            next,
            Text::with("offset {}, as line {} has {} bytes from {} on", due)
                .and(number)
                .and(count)
                .and(row.offset),
        ))
    }

    /// The line of a row from its offset on.
    fn body(&self, row: &Row<'t>) -> &'t str {
        self.text[row.at..].lines().next().unwrap_or_default()
    }

    fn missing(&self, next: &Row<'_>, expected: Text) -> InputError {
        let hint = "a line or a byte is missing";
        fail(self.text, next.at, Text::with("offset {}", next.offset), expected, hint)
    }

    /// Writes out a row whose successor is not known.
    fn settle(&mut self, index: usize, out: &mut Out) -> Result<(), InputError> {
        let run = &mut self.runs[index];
        let Some(row) = run.waiting.take() else { return Ok(()) };
        let tokens = row.guess(run.width, run.text_column);
        run.due = row.offset(run.radix.unwrap_or(16)).map(|offset| offset.saturating_add(row.bytes(tokens)));
        let (width, squeezed) = (run.width, std::mem::take(&mut run.squeezed));
        if squeezed {
            let found = "rows left out with `*`";
            return Err(fail(self.text, row.at, found, "the offset after them, which says how many", ""));
        }
        self.check_rest(&row, tokens, width)?;
        self.write(index, &row, tokens, 1, out)
    }

    /// Refuses a row whose bytes turn into something else without the gap before a text column.
    fn check_rest(&self, row: &Row<'t>, tokens: usize, width: Option<u64>) -> Result<(), InputError> {
        let all = tokens == row.tokens.len();
        if !all || row.rest.is_empty() || row.rest_gap >= 2 || width == Some(row.bytes(tokens)) {
            return Ok(());
        }
        let at = row.at + row.rest_column;
        Err(fail(
            self.text,
            at,
            quote(self.text, at),
            "two hex digits, or two spaces before a text column",
            "",
        ))
    }

    /// Writes out the bytes of a row and learns from it where the columns are.
    fn write(
        &mut self,
        index: usize,
        row: &Row<'t>,
        tokens: usize,
        times: u64,
        out: &mut Out,
    ) -> Result<(), InputError> {
        let dir = [Some(Dir::Client), Some(Dir::Server), None][index];
        let (column, text) = row.text(tokens, self.body(row));
        check_groups(self.text, row, tokens, text.trim_end())?;
        if row.bytes(tokens).saturating_mul(times) > limits::TEXT_INPUT {
            return Err(InputError::TextTooLong(limits::TEXT_INPUT));
        }
        for _ in 0..times {
            for token in &row.tokens[..tokens] {
                out.digits(dir, row.number, token.digits)?;
            }
        }
        let run = &mut self.runs[index];
        run.width = run.width.max(Some(row.bytes(tokens)));
        if !text.is_empty() {
            run.text_column = Some(run.text_column.map_or(column, |known| known.min(column)));
        }
        Ok(())
    }

    /// Ends all dumps: something else follows.
    pub(super) fn end(&mut self, out: &mut Out) -> Result<(), InputError> {
        for index in 0..3 {
            self.settle(index, out)?;
            self.runs[index] = Run::default();
        }
        Ok(())
    }
}

/// Whether this is "Follow TCP stream" as hex dump: rows both indented and not, each kind beginning at 0.
fn is_follow(text: &str) -> bool {
    let mut first: [Option<bool>; 2] = [None; 2];
    for line in text.lines() {
        let body = line.trim_start();
        if hex_run(body) == 8 && body[8..].starts_with("  ") {
            let indent = &line[..line.len() - body.len()];
            let indented = indent.contains('\t') || indent.len() >= 4;
            first[usize::from(indented)].get_or_insert(body.starts_with("00000000"));
        }
    }
    first == [Some(true); 2]
}
