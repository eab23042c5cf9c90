//! What a file comes to, found out before any of it is shown.

use super::opening::{Opened, open};
use super::show::Until;
use super::{Args, Format};
use crate::cause::Head;
use crate::cli::interrupt::Interrupt;
use crate::input::Input;
use crate::pipeline;
use crate::select::Select;

/// Files of at most so many bytes are read twice. It takes less time than it takes to read the first line.
const TWICE: u64 = 64 * 1024 * 1024;

impl Args {
    /// Whether what the input comes to is told at all: with text of which the beginning is the beginning, and
    /// on a page, which has it on top wherever it was written.
    pub(super) fn tells_head(&self) -> bool {
        let has_beginning = match self.format {
            Format::Text => !self.view.is_late,
            Format::Html => true,
            Format::Json | Format::Ndjson | Format::Parquet | Format::Har => false,
        };
        has_beginning && !self.no_verdict
    }
}

/// Whether inputs of so many bytes are read twice; `None` where one of them cannot be.
pub(super) fn is_worth(args: &Args, size: Option<u64>) -> bool {
    args.format == Format::Text && args.tells_head() && size.is_some_and(|size| size <= TWICE)
}

/// What `name` comes to, if it can be read twice and is worth it.
pub(super) fn of(args: &Args, name: &str, opened: &Opened, interrupt: &Interrupt) -> Option<Head> {
    let size = opened.size.filter(|_| !opened.live);
    if !is_worth(args, size) || matches!(opened.input, Input::Bytes(_)) {
        return None;
    }
    let again = open(name, interrupt).ok()?;
    let means = args.means(args.threads.of(&again));
    let mut select = Select::new(args.selection(), Head::default());
    let mut until = Until { select: &mut select, interrupt };
    pipeline::run_with(means, again.input, &mut until, &mut |_| {});
    (!interrupt.seen()).then(|| select.into_inner())
}
