//! Several captures at a time: each is decoded by itself, and told of in the order in which it was named.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::folder::Folder;
use crate::cli::Look;
use crate::cli::decode::Args;
use crate::cli::decode::opening::{Opened, open};
use crate::cli::decode::several::{self, Known};
use crate::cli::decode::show::Until;
use crate::cli::interrupt::Interrupt;
use crate::cli::output::Progress;
use crate::cli::trouble::of_file;
use crate::limits;
use crate::model::Text;
use crate::pipeline::{self, Means, Outcome, Threads};
use crate::render::tables::{Table, Tables};
use crate::select::{Select, Stream, Verdict};

/// How often the progress is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A capture, and what it is in.
pub(super) struct Job<'a> {
    pub(super) capture: String,
    pub(super) files: Files<'a>,
}

/// What a capture is in.
pub(super) enum Files<'a> {
    One(&'a str),
    /// Parts, in their order.
    Parts(Vec<Known<'a>>),
}

/// What a file came to, or all that are parts of one capture.
pub(super) struct Read {
    pub(super) name: String,
    pub(super) is_raw: bool,
    pub(super) is_part: bool,
    pub(super) outcome: Result<Outcome, Text>,
}

/// What a capture came to.
pub(super) struct Done {
    pub(super) capture: String,
    pub(super) files: Vec<Read>,
    /// Rows of each table; none where nothing was written.
    pub(super) rows: Vec<u64>,
    pub(super) verdict: Verdict,
    pub(super) missing: Vec<Stream>,
    /// Why the tables could not be written.
    pub(super) trouble: Option<Text>,
}

impl Done {
    fn read(&mut self, name: &str, is_raw: bool, is_part: bool, outcome: Result<Outcome, Text>) {
        self.files.push(Read { name: name.to_owned(), is_raw, is_part, outcome });
    }

    /// What was read of the capture.
    pub(super) fn outcome(&self) -> Option<&Outcome> {
        self.files.iter().filter(|file| !file.is_part).find_map(|file| file.outcome.as_ref().ok())
    }
}

/// What all of it is about.
pub(super) struct Pool<'a> {
    pub(super) args: &'a Args,
    pub(super) jobs: &'a [Job<'a>],
    pub(super) folder: &'a Folder,
    pub(super) tables: &'a [&'static Table],
    pub(super) interrupt: &'a Interrupt,
    pub(super) look: Look,
}

impl Pool<'_> {
    /// Does all jobs, and hands over what they came to in their order.
    ///
    /// # Errors
    /// The first of `take`.
    pub(super) fn run(&self, take: &mut dyn FnMut(Done) -> io::Result<()>) -> io::Result<()> {
        let workers = self.args.threads.workers(self.jobs.len());
        let (next, read) = (AtomicUsize::new(0), AtomicU64::new(0));
        // Of parts it is shown where they are decoded.
        let is_shown = self.jobs.iter().any(|job| matches!(job.files, Files::Parts(_)));
        let mut progress = Progress::over_files(self.bytes(), self.jobs.len(), is_shown, self.look.lang);
        let result = thread::scope(|scope| {
            let (sender, done) = channel();
            for _ in 0..workers {
                let (sender, next, read) = (sender.clone(), &next, &read);
                scope.spawn(move || {
                    while let Some((number, job)) = self.next(next) {
                        let done = self.job(number, job, workers, read);
                        if sender.send((number, done)).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            let (mut due, mut early) = (0, BTreeMap::new());
            loop {
                match done.recv_timeout(LOOK) {
                    Ok((number, done)) => {
                        early.insert(number, done);
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    // After Ctrl-C some were never begun.
                    Err(RecvTimeoutError::Disconnected) => {
                        return early.into_values().try_for_each(&mut *take);
                    }
                }
                progress.at(read.load(Ordering::Relaxed));
                while let Some(done) = early.remove(&due) {
                    due += 1;
                    progress.file(due);
                    progress.aside(|| take(done))?;
                }
            }
        });
        progress.end();
        result
    }

    fn next(&self, next: &AtomicUsize) -> Option<(usize, &Job<'_>)> {
        if self.interrupt.seen() {
            self.interrupt.give_up();
            return None;
        }
        let number = next.fetch_add(1, Ordering::Relaxed);
        self.jobs.get(number).map(|job| (number, job))
    }

    /// The bytes of all files, where all have a size.
    fn bytes(&self) -> Option<u64> {
        let size = |job: &Job<'_>| match &job.files {
            Files::One(name) => {
                let meta = std::fs::metadata(name).ok().filter(std::fs::Metadata::is_file);
                meta.map(|meta| meta.len())
            }
            Files::Parts(_) => None,
        };
        self.jobs.iter().map(size).sum()
    }

    /// Decodes a capture into its tables.
    fn job(&self, number: usize, job: &Job<'_>, workers: usize, read: &AtomicU64) -> Done {
        let (args, interrupt) = (self.args, self.interrupt);
        let mut done = Done {
            capture: job.capture.clone(),
            files: Vec::new(),
            rows: Vec::new(),
            verdict: Verdict::default(),
            missing: Vec::new(),
            trouble: None,
        };
        let memory = (args.memory / workers.max(1)).max(limits::MEMORY_LEAST as usize);
        let payload = args.payload_limit.unwrap_or(limits::PAYLOAD_SHOWN);
        let open_file = |place| self.folder.file(number, place);
        let tables = Tables::new(self.tables, &job.capture, payload, open_file);
        let selection = crate::select::Selection { memory: Some(memory), ..args.selection() };
        let mut select = Select::new(selection, tables);
        let mut until = Until { select: &mut select, interrupt };
        match &job.files {
            Files::One(name) => {
                let opened = match open(name, interrupt) {
                    Ok(opened) => opened,
                    Err(why) => {
                        done.read(name, false, false, Err(why));
                        return done;
                    }
                };
                let threads = if workers > 1 { Threads::One } else { args.threads.of(&opened) };
                let means = Means { memory, ..args.means(threads) };
                let Opened { input, .. } = opened;
                let (is_raw, mut before) = (input.format() == "raw", 0);
                let mut at = |now: u64| {
                    read.fetch_add(now.saturating_sub(before), Ordering::Relaxed);
                    before = now;
                };
                let outcome = pipeline::run_with(means, input, &mut until, &mut at);
                done.read(name, is_raw, false, Ok(outcome));
            }
            Files::Parts(known) => {
                let run = several::parts(args, known, &mut until, self.look);
                for (file, outcome) in known.iter().zip(run.each) {
                    done.read(file.name, file.format == Some("raw"), true, outcome);
                }
                let names: Vec<&str> = known.iter().map(|file| file.name).collect();
                done.read(&names.join(", "), false, false, Ok(run.whole));
            }
        }
        done.verdict = select.verdict();
        done.missing = select.missing().into_iter().cloned().collect();
        let put = |rows: Vec<(&'static Table, u64)>| {
            self.folder.put(number, &job.capture).map(|()| rows.into_iter().map(|(_, rows)| rows).collect())
        };
        match select.into_inner().end().and_then(put) {
            Ok(rows) => done.rows = rows,
            Err(error) => {
                let why = of_file(self.folder.path(), &error);
                done.trouble = Some(Text::with("the tables of {} are not there: {}", &job.capture).word(why));
            }
        }
        done
    }
}
