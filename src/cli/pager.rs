//! Long pages a screen at a time.

use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

use crate::lang::Lang;
use crate::render::columns;

/// The pager when the environment names none.
const PAGER: &str = "less -R";

/// How `less` is to behave where the user has not said so: it ends at once when all fits
/// the screen, and when one goes on behind the end; it shows colours, and leaves the page on
/// the screen.
const LESS: &str = "FRXe";

/// What the prompt of `less` names where its words are not ASCII, of which `less` up to 590 makes
/// nonsense: the page begins with the words then.
const KEYS: &str = "[space]  [b]  [q]";

/// Shows a page through the user's pager when standard output is a terminal and there is
/// a pager; else writes it.
///
/// # Errors
/// When the page cannot be written.
pub(super) fn show(page: &str, lang: Lang) -> io::Result<()> {
    if io::stdout().is_terminal() && through(page, lang).is_ok() {
        return Ok(());
    }
    io::stdout().lock().write_all(page.as_bytes())
}

/// Whether a page leaves two rows of the terminal: for what is told, and for the prompt.
fn fits(page: &str) -> bool {
    let size = terminal_size::terminal_size();
    let (width, height) = size.map_or((80, 24), |(width, height)| (width.0.max(1), height.0));
    page.lines().map(|line| rows(line, usize::from(width))).sum::<usize>() + 1 < usize::from(height)
}

/// Rows that a line takes, the codes of its colours (`ESC [ … m`) not counted.
fn rows(line: &str, width: usize) -> usize {
    let mut parts = line.split('\x1b');
    let first = parts.next().map_or(0, columns::width);
    let rest = parts.map(|part| columns::width(part.split_once('m').map_or("", |(_, words)| words)));
    (first + rest.sum::<usize>()).div_ceil(width).max(1)
}

/// Gives the page to the pager; an error when there is none.
fn through(page: &str, lang: Lang) -> io::Result<()> {
    let command = std::env::var("PAGER").ok().filter(|name| !name.trim().is_empty());
    let command = command.as_deref().unwrap_or(PAGER);
    let mut words = command.split_whitespace();
    let mut pager = Command::new(words.next().unwrap_or_default());
    pager.args(words).stdin(Stdio::piped());
    // A PAGER that says no more than less would show colours as their codes.
    // Whoever has not met it before has to be told how to leave it.
    let hint = lang.words("space goes on, b goes back, q leaves");
    let prompt = if hint.is_ascii() { hint } else { KEYS };
    let less = format!("{LESS}Ps{prompt}$");
    let is_told = hint == prompt || std::env::var_os("LESS").is_some() || fits(page);
    for (name, value) in [("LESS", less.as_str()), ("LESSCHARSET", "utf-8")] {
        if std::env::var_os(name).is_none() {
            pager.env(name, value);
        }
    }
    let mut child = pager.spawn()?;
    if let Some(mut to) = child.stdin.take() {
        // Whoever has seen enough leaves before the end.
        let told = if is_told { String::new() } else { format!("[{hint}]\n") };
        let _ = to.write_all((told + page).as_bytes());
    }
    child.wait().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_those_of_the_terminal() {
        for (line, expected) in
            [("", 1), ("abcd", 1), ("abcde", 2), ("帧帧", 1), ("帧帧帧", 2), ("\x1b[1mabcd\x1b[0m", 1)]
        {
            assert_eq!(rows(line, 4), expected, "{line:?}");
        }
    }
}
