//! Where results go, and how far a long run has come.

use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Look;
use super::trouble::of_file;
use crate::lang::Lang;
use crate::model::Text;
use crate::render::Options;

/// Bytes gathered before they are written, when nobody waits for them.
const BUFFER: usize = 256 * 1024;

/// Columns that are used of a terminal: longer lines are hard to read.
const WIDEST: usize = 120;

/// Columns that are used when somebody asks for them.
const WIDEST_NAMED: usize = 1000;

/// How long nobody asks how far it has come.
const PATIENCE: Duration = Duration::from_secs(1);

/// Standard output or a file, written in large pieces or, when somebody waits, promptly.
pub struct Output {
    inner: BufWriter<To>,
    prompt: bool,
}

/// Where it goes.
enum To {
    Stdout(Stdout),
    File(File, PathBuf),
}

impl Output {
    /// `live` says that the input comes as it happens.
    pub fn new(live: bool) -> Self {
        let stdout = io::stdout();
        let prompt = live || stdout.is_terminal();
        Self { inner: BufWriter::with_capacity(BUFFER, To::Stdout(stdout)), prompt }
    }

    /// A file, in the place of any that has this name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn file(path: &Path, live: bool) -> Result<Self, Text> {
        let file = File::create(path).map_err(|error| of_file(path, &error))?;
        Ok(Self { inner: BufWriter::with_capacity(BUFFER, To::File(file, path.to_owned())), prompt: live })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        if self.prompt {
            self.inner.flush()?;
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl Write for To {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(stdout) => stdout.write(bytes),
            // Several files may be written: an error says which.
            Self::File(file, path) => file
                .write(bytes)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(stdout) => stdout.flush(),
            Self::File(file, _) => file.flush(),
        }
    }
}

/// Columns that the environment names, or else those of the terminal, within reason; 80 where there is none.
pub fn width() -> usize {
    let named = std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse::<usize>().ok());
    if let Some(columns) = named.filter(|columns| *columns > 0) {
        return columns.clamp(Options::NARROWEST, WIDEST_NAMED);
    }
    if !io::stdout().is_terminal() {
        return 80;
    }
    let size = terminal_size::terminal_size();
    size.map_or(80, |(width, _)| usize::from(width.0).clamp(Options::NARROWEST, WIDEST))
}

/// The options by which what is shown is laid out.
#[derive(clap::Args, Clone, Debug)]
// The group would be called as those of the commands.
#[group(skip)]
pub struct Layout {
    /// Columns to fit, 40 or more; by default the terminal's
    #[arg(
        long, value_name = "N", value_parser = clap::value_parser!(u16).range(40..=1000),
        help_heading = "Showing"
    )]
    width: Option<u16>,

    /// Use ASCII characters only
    #[arg(long, help_heading = "Showing")]
    ascii: bool,
}

impl Layout {
    /// How views are laid out.
    pub fn options(&self, look: Look) -> Options {
        options(look, self.width, self.ascii)
    }
}

/// How views are laid out, in so many columns or else as many as there are.
pub fn options(look: Look, columns: Option<u16>, ascii: bool) -> Options {
    Options {
        width: columns.map_or_else(width, usize::from),
        color: look.color,
        lang: look.language(ascii),
        ascii: look.ascii(ascii),
        ..Options::default()
    }
}

/// How far the reading of an input has come, on a terminal's stderr, once it takes longer than anybody waits
/// without asking.
pub struct Progress {
    bar: ProgressBar,
    /// When it is drawn; `None` when it is already, or never will be.
    from: Option<Instant>,
}

impl Progress {
    /// Over `total` bytes of input; where that is not known, as with a pipe, it says how many were read.
    ///
    /// When results scroll by on the terminal they are progress enough.
    pub fn new(total: Option<u64>, results_on_screen: bool, lang: Lang) -> Self {
        let quiet = results_on_screen && io::stdout().is_terminal();
        Self::after(PATIENCE, total, io::stderr().is_terminal() && !quiet, lang)
    }

    /// Over so many files, and `total` bytes of all of them.
    pub fn over_files(total: Option<u64>, files: usize, results_on_screen: bool, lang: Lang) -> Self {
        let progress = Self::new(total, results_on_screen, lang);
        if files > 1 {
            let template = match total {
                Some(_) => "{bar:30} {msg} files, {bytes} of {total_bytes}, {eta} left",
                None => "{spinner} {msg} files, {bytes} read, {elapsed} so far",
            };
            progress.style(lang.words(template));
            progress.bar.set_prefix(files.to_string());
            progress.bar.set_message(format!("0/{files}"));
        }
        progress
    }

    /// So many files are done.
    pub fn file(&self, done: usize) {
        self.bar.set_message(format!("{done}/{}", self.bar.prefix()));
    }

    /// Does something that writes to standard error.
    #[cfg(feature = "parquet")]
    pub fn aside<R>(&self, work: impl FnOnce() -> R) -> R {
        self.bar.suspend(work)
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style.progress_chars("##-").tick_chars(r"|/-\ "));
        }
    }

    fn after(patience: Duration, total: Option<u64>, is_drawn: bool, lang: Lang) -> Self {
        let bar = ProgressBar::with_draw_target(total, ProgressDrawTarget::hidden());
        let template = match total {
            Some(_) => "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
            None => "{spinner} {bytes} read, {bytes_per_sec}, {elapsed} so far",
        };
        let progress = Self { bar, from: is_drawn.then(|| Instant::now() + patience) };
        progress.style(lang.words(template));
        progress
    }

    /// So many bytes of the input were read.
    pub fn at(&mut self, read: u64) {
        if self.from.is_some_and(|from| Instant::now() >= from) {
            self.from = None;
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_position(read);
    }

    /// The input is read: nothing of it stays on the screen.
    pub fn end(self) {
        self.bar.finish_and_clear();
    }
}

/// A progress bar over so many steps, on a terminal; short work is done before it is drawn.
pub fn steps(total: u64, lang: Lang) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template(lang.words("{bar:30} {pos} of {len}, {eta} left")) {
        bar.set_style(style.progress_chars("##-"));
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_drawn_when_it_takes_long_whatever_the_size() {
        for total in [None, Some(1000)] {
            let mut soon = Progress::after(Duration::ZERO, total, true, Lang::En);
            let mut late = Progress::after(Duration::from_hours(1), total, true, Lang::En);
            let mut never = Progress::after(Duration::ZERO, total, false, Lang::En);
            for progress in [&mut soon, &mut late, &mut never] {
                progress.at(500);
                assert_eq!((progress.bar.position(), progress.bar.length()), (500, total));
            }
            assert_eq!(
                [soon.from.is_some(), late.from.is_some(), never.from.is_some()],
                [false, true, false]
            );
        }
    }
}
