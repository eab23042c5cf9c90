//! The way to the server, a connection a case: with pauses where it is to be gentle, and kept where that is
//! asked for.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Mutex, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::time::Instant;

use crate::cli::dial::line::{Line, Reach};
use crate::cli::live;
use crate::cli::trouble::of_file;
use crate::grade::play::{Connect, Connected};
use crate::lab::hub::held;
use crate::lab::tap::{Tap, Tapped};
use crate::model::{Dir, Text};

/// How long a server that was there is waited for: it may be started again.
const RESTART: Duration = Duration::from_secs(5);

/// Between two tries.
const AGAIN: Duration = Duration::from_millis(250);

/// Ways to one server.
pub(super) struct Ways {
    /// How it is reached.
    pub reach: Reach,
    /// Where captures go.
    keep: Option<PathBuf>,
    /// Before each connection.
    pause: Duration,
    /// Why it cannot be reached any longer.
    gone: Mutex<Option<Text>>,
    presence: Mutex<Presence>,
}

/// When the server was there, and when not.
#[derive(Default)]
struct Presence {
    /// The last connection.
    there: Option<Instant>,
    /// When nobody could connect any more: each time it was there before.
    away: Vec<Instant>,
    is_away: bool,
}

/// The way of one case.
pub(super) struct Way<'w> {
    ways: &'w Ways,
    tap: Tap,
    keeper: Option<JoinHandle<Option<Text>>>,
    /// When it had its first connection.
    connected: OnceLock<Instant>,
}

impl Ways {
    /// Ways by which a server is reached.
    ///
    /// # Errors
    /// That the folder for captures cannot be made.
    pub fn new(reach: Reach, keep: Option<&Path>, pause: Duration) -> Result<Self, Text> {
        if let Some(folder) = keep {
            std::fs::create_dir_all(folder).map_err(|error| of_file(folder, &error))?;
        }
        Ok(Self {
            reach,
            keep: keep.map(Path::to_owned),
            pause,
            gone: Mutex::new(None),
            presence: Mutex::default(),
        })
    }

    /// A way that nothing is kept of.
    pub fn unkept(&self) -> Way<'_> {
        self.tapped(Tap::idle())
    }

    /// A way that is told of.
    pub fn tapped(&self, tap: Tap) -> Way<'_> {
        Way { ways: self, tap, keeper: None, connected: OnceLock::new() }
    }

    /// The way of a case, by its id.
    ///
    /// # Errors
    /// That its capture cannot be written.
    pub fn of(&self, case: &str) -> Result<Way<'_>, Text> {
        let Some(folder) = &self.keep else { return Ok(self.unkept()) };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        let name: String = case.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
        let (tap, keeper) = live::kept(&folder.join(format!("{name}.pcap")))?;
        Ok(Way { ways: self, tap, keeper: Some(keeper), connected: OnceLock::new() })
    }

    /// Why the server, which was there, cannot be reached any longer.
    pub fn gone(&self) -> Option<Text> {
        held(&self.gone).clone()
    }

    /// Whether there was a time, from then on, when nobody could connect.
    pub fn was_away_since(&self, time: Instant) -> bool {
        held(&self.presence).away.iter().any(|away| *away >= time)
    }

    /// Whether somebody has connected then, or later.
    pub fn was_there_at(&self, time: Instant) -> bool {
        held(&self.presence).there.is_some_and(|there| there >= time)
    }

    /// Looks whether the server is there.
    pub async fn look(&self) {
        // What came of it is remembered.
        let _ = self.line().await;
    }

    async fn line(&self) -> Result<Line, Text> {
        tokio::time::sleep(self.pause).await;
        let deadline = Instant::now() + RESTART;
        loop {
            let connected = self.reach.connect().await;
            held(&self.presence).note(connected.is_ok());
            match connected {
                Ok(line) => return Ok(line),
                Err(why) if self.gone().is_some() || Instant::now() > deadline => {
                    held(&self.gone).get_or_insert_with(|| why.clone());
                    return Err(why);
                }
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }
}

impl Presence {
    fn note(&mut self, is_there: bool) {
        let now = Instant::now();
        if is_there {
            self.there = Some(now);
        } else if !self.is_away {
            self.away.push(now);
        }
        self.is_away = !is_there;
    }
}

impl Way<'_> {
    /// When it had its first connection.
    pub fn connected(&self) -> Option<Instant> {
        self.connected.get().copied()
    }

    /// Its capture is whole.
    ///
    /// # Errors
    /// Why it is not.
    pub fn end(self) -> Result<(), Text> {
        drop(self.tap);
        let why = self.keeper.and_then(|keeper| keeper.join().ok().flatten());
        why.map_or(Ok(()), Err)
    }
}

impl Connect for Way<'_> {
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Connected, Text>> + Send + '_>> {
        Box::pin(async {
            let line = self.ways.line().await?;
            self.connected.get_or_init(Instant::now);
            let wire = line.tapped(&self.tap);
            let stream = Box::new(Tapped::new(line.stream, wire, Dir::Client));
            Ok(Connected { stream, abort: line.abort })
        })
    }
}
