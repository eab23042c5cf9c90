//! Long pages a screen at a time.

use std::io::{self, IsTerminal, Write};
use std::process::{Command, Stdio};

use crate::lang::Lang;

/// The pager when the environment names none.
const PAGER: &str = "less -R";

/// How `less` is to behave where the user has not said so: it ends at once when all fits
/// the screen, shows colours, and leaves the page on the screen.
const LESS: &str = "FRX";

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

/// Gives the page to the pager; an error when there is none.
fn through(page: &str, lang: Lang) -> io::Result<()> {
    let command = std::env::var("PAGER").ok().filter(|name| !name.trim().is_empty());
    let command = command.as_deref().unwrap_or(PAGER);
    let mut words = command.split_whitespace();
    let mut pager = Command::new(words.next().unwrap_or_default());
    pager.args(words).stdin(Stdio::piped());
    // A PAGER that says no more than less would show colours as their codes.
    // Whoever has not met it before has to be told how to leave it.
    let less = format!("{LESS}Ps{}$", lang.words("space goes on, b goes back, q leaves"));
    for (name, value) in [("LESS", less.as_str()), ("LESSCHARSET", "utf-8")] {
        if std::env::var_os(name).is_none() {
            pager.env(name, value);
        }
    }
    let mut child = pager.spawn()?;
    if let Some(mut to) = child.stdin.take() {
        // Whoever has seen enough leaves before the end.
        let _ = to.write_all(page.as_bytes());
    }
    child.wait().map(drop)
}
