//! How far a live run has come, on standard error.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::task::JoinHandle;

use crate::compare::words::RUNS;
use crate::lang::Lang;
use crate::model::Text;

/// How often the bar moves.
const TICK: Duration = Duration::from_millis(200);

/// Says beforehand how long it will take.
pub fn announce(runs: u64, run: Duration, whole: Duration, lang: Lang) -> io::Result<()> {
    let words = lang.fill(
        "Measuring takes about {} s: six ways, {} of {} s each. Ctrl-C ends it.",
        &[
            &format!("{:.0}", whole.as_secs_f64()),
            &lang.count(runs, &runs, RUNS),
            &format!("{:.1}", run.as_secs_f64()),
        ],
    );
    writeln!(io::stderr().lock(), "{words}")
}

/// A bar that moves with the time, and waits at the end of a step that takes longer. Only on a terminal.
pub struct Progress {
    bar: ProgressBar,
    /// Milliseconds planned up to the end of the step.
    until: Arc<AtomicU64>,
    clock: JoinHandle<()>,
    lang: Lang,
}

impl Progress {
    /// For so long; needs an event loop.
    pub fn new(whole: Duration, lang: Lang) -> Self {
        let bar = if io::stderr().is_terminal() {
            let length = Some(whole.as_millis() as u64);
            ProgressBar::with_draw_target(length, ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}") {
            bar.set_style(style.progress_chars("##-"));
        }
        let until = Arc::new(AtomicU64::new(0));
        let clock = tokio::spawn(tick(bar.clone(), Arc::clone(&until)));
        Self { bar, until, clock, lang }
    }

    /// The next step begins, which should take so long.
    pub fn step(&self, length: Duration, what: &Text) {
        let from = self.until.fetch_add(length.as_millis() as u64, Relaxed);
        self.bar.set_position(from);
        self.bar.set_message(self.lang.say(what));
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clock.abort();
        self.bar.finish_and_clear();
    }
}

async fn tick(bar: ProgressBar, until: Arc<AtomicU64>) {
    loop {
        tokio::time::sleep(TICK).await;
        let next = bar.position() + TICK.as_millis() as u64;
        bar.set_position(next.min(until.load(Relaxed)));
    }
}
