//! What is told of cases that are played, whoever plays them.
//!
//! ```text
//! server, listen ─► Report::take ─► a line, the annotated bytes     (while they are played)
//!                   Report::write ─► files of other formats         (when somebody asks for them)
//!                   Report::end ──► the summary, and the exit code
//! ```
//!
//! - `args`: the options; `explain`: bytes, annotated
//! - `before`: an earlier report; `expect`: what is known to fail
//! - `files`: reports in files and folders

mod args;
mod before;
mod expect;
mod explain;
mod files;

use std::io::{self, IsTerminal as _, Write as _};
use std::time::Instant;

use indicatif::ProgressBar;

pub use args::{Args, Format};

use self::before::Before;
use self::expect::Expected;
use crate::cli::Look;
use crate::cli::interrupt::INTERRUPTED;
use crate::cli::output::{self, Output};
use crate::lab::tap::now;
use crate::model::Text;
use crate::model::grade::{Graded, Graduate, Transcript, Verdict};
use crate::render::grade as render;
use crate::render::{Options, columns};

/// How cases are played, as far as that matters for what is said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// What is not as it should be fails, too.
    pub strict: bool,
    /// Cases were chosen by name: who asks for them wants to see them.
    pub named: bool,
    /// How many cases each peer is held against.
    pub chosen: u64,
    /// Peers come as they like, any number of them: each is named, and reported when it asks for that.
    pub many: bool,
    /// Those who write a first server are told what comes next, up to this stage.
    pub stage: Option<u8>,
    /// How many cases each stage has, those that are left out too.
    pub stages: render::Stages,
}

/// See the [module](self).
pub struct Report {
    args: Args,
    manner: Manner,
    look: Look,
    options: Options,
    bar: ProgressBar,
    out: Output,
    is_terminal: bool,
    peers: Vec<Peer>,
    before: Option<Before>,
    expected: Option<Expected>,
    /// Records are written as they come, and begun with what they are about.
    has_begun: bool,
    /// The peer whose cases are shown, where there are several.
    last: Option<usize>,
}

/// A peer, with the places of its cases in the suite.
struct Peer {
    transcript: Transcript,
    places: Vec<usize>,
    began: Instant,
    /// Its summary is shown, and nothing has come behind it.
    is_reported: bool,
}

impl Report {
    /// Nothing has been played. What is asked for is looked at now, not when all is done.
    ///
    /// # Errors
    /// What is wrong with a file.
    pub fn new(args: &Args, manner: Manner, look: Look) -> Result<Self, Text> {
        let before = args.baseline.as_deref().map(Before::read).transpose()?;
        let expected = args.expect.as_deref().map(Expected::read).transpose()?;
        files::prepare(args)?;
        let options = Options { advice: Some(crate::explain::advice(look.lang)), ..args.options(look) };
        Ok(Self {
            args: args.clone(),
            manner,
            look,
            options,
            bar: if manner.many { ProgressBar::hidden() } else { output::steps(manner.chosen, look.lang) },
            out: Output::new(true),
            is_terminal: io::stdout().is_terminal(),
            peers: Vec::new(),
            before,
            expected,
            has_begun: false,
            last: None,
        })
    }

    /// A peer is there, and is about to be held against so many cases. It need not be said of one of which a
    /// case comes, if these are all that were chosen.
    pub fn begin(&mut self, who: &Graduate, chosen: u64) {
        let at = self.peer(who);
        self.peers[at].transcript.chosen = chosen;
    }

    fn peer(&mut self, who: &Graduate) -> usize {
        let at = self.peers.iter().position(|peer| peer.transcript.who.agent == who.agent);
        at.unwrap_or_else(|| {
            let mut transcript = Transcript::new(who.clone(), self.manner.chosen);
            transcript.began = Some(now());
            self.peers.push(Peer {
                transcript,
                places: Vec::new(),
                began: Instant::now(),
                is_reported: false,
            });
            self.peers.len() - 1
        })
    }

    /// No more is played with a peer: it took until now, whether or not its last case is over.
    pub fn over(&mut self, who: &Graduate) {
        let at = self.peer(who);
        let peer = &mut self.peers[at];
        peer.transcript.took = peer.began.elapsed();
    }

    /// What came of a case, which stands at this place of the suite.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn take(&mut self, who: &Graduate, place: usize, mut one: Graded) -> io::Result<()> {
        let at = self.peer(who);
        let peer = &mut self.peers[at];
        peer.is_reported = false;
        let transcript = &mut peer.transcript;
        transcript.took = peer.began.elapsed();
        let known = self.expected.as_mut().and_then(|expected| expected.of(&one.case));
        if let Some(note) = known {
            transcript.known.insert(one.case.id.clone(), note);
        }
        self.bar.inc(1);
        let told = self.told(at, &one)?;
        if !told.is_empty() {
            let Self { bar, out, .. } = self;
            bar.suspend(|| out.write_all(&told))?;
        }
        if one.verdict() == Verdict::Pass && !self.args.needs_bytes() {
            one.wire = Vec::new();
        }
        let Peer { transcript, places, .. } = &mut self.peers[at];
        // Who plays a case again has changed something.
        match places.binary_search(&place) {
            Ok(at) => transcript.graded[at] = one,
            Err(at) => {
                places.insert(at, place);
                transcript.graded.insert(at, one);
            }
        }
        Ok(())
    }

    /// A line of a case, its annotated bytes, or its record.
    fn told(&mut self, peer: usize, one: &Graded) -> io::Result<Vec<u8>> {
        let (transcript, options) = (&self.peers[peer].transcript, &self.options);
        let mut told = Vec::new();
        let is_other = self.manner.many && self.last.replace(peer) != Some(peer);
        if is_other && self.args.format == Format::Text {
            writeln!(told, "{}{}", columns::escaped(&transcript.who.agent), self.look.lang.words(":"))?;
        }
        match self.args.format {
            Format::Text if self.manner.stage.is_some() => {}
            Format::Text => {
                let passes = one.verdict() == Verdict::Pass;
                let view = self.args.explain.filter(|_| self.manner.named || !passes);
                if !passes || !self.is_terminal || view.is_some() {
                    told.extend(render::line(one, !transcript.is_news(one), options).into_bytes());
                }
                if let Some(view) = view {
                    explain::bytes(one, view.view(), options, &mut told)?;
                }
            }
            Format::Ndjson => {
                if !std::mem::replace(&mut self.has_begun, true) {
                    told.extend(render::json::meta().into_bytes());
                }
                told.extend(render::json::case_line(one, transcript, options).into_bytes());
            }
            _ => {}
        }
        Ok(told)
    }

    /// Writes the files and folders that were asked for, with what there is by now.
    ///
    /// # Errors
    /// What cannot be written.
    pub fn write(&mut self) -> Result<(), Text> {
        self.settle();
        let all: Vec<&Transcript> = self.peers.iter().map(|peer| &peer.transcript).collect();
        let options = Options { color: false, ..self.options };
        self.args.reports.iter().try_for_each(|target| files::write(target, &all, &options))
    }

    /// Whether nobody was graded.
    pub fn is_empty(&self) -> bool {
        self.peers.is_empty()
    }

    /// A peer asks for its report: its summary, and the files of all peers so far. Whether anything was
    /// played with it.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn told_of(&mut self, agent: &str) -> io::Result<bool> {
        if let Err(problem) = self.write() {
            self.look.tell("error: {}", &problem)?;
        }
        let Some(at) = self.peers.iter().position(|peer| peer.transcript.who.agent == agent) else {
            return Ok(false);
        };
        if self.args.format == Format::Text {
            self.summary(at)?;
        }
        Ok(true)
    }

    /// The summary of a peer, on standard output.
    fn summary(&mut self, at: usize) -> io::Result<()> {
        let Peer { transcript, is_reported, .. } = &mut self.peers[at];
        *is_reported = true;
        self.last = None;
        let (summary, is_apart) = if let Some(stage) = self.manner.stage {
            let (graded, again) = (&transcript.graded, &transcript.who.again);
            (render::stage(graded, stage, self.manner.stages, again, &self.options), at > 0)
        } else {
            let is_apart = at > 0 || self.manner.many || !self.is_terminal;
            (render::summary(transcript, Some(render::SCREEN), &self.options), is_apart)
        };
        let gap = if is_apart { "\n" } else { "" };
        self.out.write_all(format!("{gap}{summary}").as_bytes())?;
        self.out.flush()
    }

    /// Holds what there is against the earlier report.
    fn settle(&mut self) {
        let Some(before) = &self.before else { return };
        let is_only = self.peers.len() == 1;
        for peer in &mut self.peers {
            peer.transcript.changes = Some(before.changes(&peer.transcript, is_only));
        }
    }

    /// All that is played was: the files, the summary, what else there is to say, and the exit code.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub fn end(mut self, is_interrupted: bool, notes: &[Text]) -> io::Result<u8> {
        self.bar.finish_and_clear();
        let failed = self.write().err();
        if self.args.format == Format::Text {
            for at in 0..self.peers.len() {
                if !self.peers[at].is_reported {
                    self.summary(at)?;
                }
            }
        }
        let all: Vec<&Transcript> = self.peers.iter().map(|peer| &peer.transcript).collect();
        match self.args.format {
            Format::Text => {}
            Format::Ndjson => {
                if !self.has_begun {
                    self.out.write_all(render::json::meta().as_bytes())?;
                }
                for transcript in &all {
                    self.out.write_all(render::json::summary_line(transcript).as_bytes())?;
                }
            }
            format => {
                if let Some(text) = files::text(format, &all, &self.options) {
                    self.out.write_all(text.as_bytes())?;
                }
            }
        }
        self.out.flush()?;
        let unused = self.expected.iter().flat_map(Expected::unused);
        for note in notes.iter().cloned().chain(unused) {
            self.look.tell("note: {}", &note)?;
        }
        if let Some(problem) = failed {
            self.look.tell("error: {}", &problem)?;
            return Ok(super::UNREACHED);
        }
        let is_bad = all.iter().any(|transcript| self.is_bad(transcript));
        Ok(match (is_interrupted, is_bad) {
            (true, _) => INTERRUPTED,
            (false, is_bad) => u8::from(is_bad),
        })
    }

    /// Whether a peer failed: with an earlier report, where something got worse.
    fn is_bad(&self, transcript: &Transcript) -> bool {
        let fails = |verdict: Verdict| {
            verdict == Verdict::Fail || self.manner.strict && verdict == Verdict::NonStrict
        };
        match &transcript.changes {
            Some(changes) => changes.worse.iter().any(|it| !transcript.known.contains_key(&it.id)),
            None => transcript.graded.iter().any(|one| fails(one.verdict()) && transcript.is_news(one)),
        }
    }
}
