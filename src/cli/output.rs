//! Where results go, and how far a long run has come.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Bytes gathered before they are written, when nobody waits for them.
const BUFFER: usize = 256 * 1024;

/// Inputs below this many bytes are read before a progress bar could be drawn.
const WORTH_A_BAR: u64 = 16 * 1024 * 1024;

/// Standard output, written in large pieces or, when somebody waits, promptly.
pub struct Output {
    inner: BufWriter<Stdout>,
    prompt: bool,
}

impl Output {
    /// `live` says that the input comes as it happens.
    pub fn new(live: bool) -> Self {
        let stdout = io::stdout();
        let prompt = live || stdout.is_terminal();
        Self { inner: BufWriter::with_capacity(BUFFER, stdout), prompt }
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

/// Columns of the terminal, within reason; 80 where there is none.
pub fn width() -> usize {
    if !io::stdout().is_terminal() {
        return 80;
    }
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0).clamp(40, 120))
}

/// A progress bar over `total` bytes of input, hidden unless it helps.
///
/// When results scroll by on the terminal they are progress enough.
pub fn bar(total: Option<u64>, results_on_screen: bool) -> ProgressBar {
    let quiet = results_on_screen && io::stdout().is_terminal();
    match total {
        Some(total) if total >= WORTH_A_BAR && io::stderr().is_terminal() && !quiet => {
            let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
            let template = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("##-"));
            }
            bar
        }
        _ => ProgressBar::hidden(),
    }
}

/// A progress bar over so many steps, on a terminal; short work is done before it is drawn.
pub fn steps(total: u64) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(Some(total), ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len}, {eta} left") {
        bar.set_style(style.progress_chars("##-"));
    }
    bar
}
