//! Where progress is kept: a folder of the user's, never the checkout.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use super::Who;
use crate::cli::folder::{self, turn, unusable};
use crate::cli::trouble::of_file;
use crate::http::accept::hex;
use crate::lesson::{Exercise, Instance, Progress};
use crate::model::Text;

const LEARNER: &str = "learner.json";
const PROGRESS: &str = "progress.json";

/// Random bytes of the name of somebody who gave none.
const RANDOM: usize = 8;

/// The learner's folder, and what it says.
pub(super) struct Store {
    folder: PathBuf,
    files: Option<PathBuf>,
    pub(super) progress: Progress,
    /// Why nothing can be kept for somebody new, who may read all the same.
    unkept: Option<Text>,
}

/// Who learns here, unless somebody else is named.
#[derive(Default, PartialEq, Eq, Serialize, Deserialize)]
struct Learner {
    #[serde(default)]
    course: String,
    #[serde(default)]
    student: String,
}

impl Store {
    /// Opens the learner's folder; somebody new gets a random name, so that no two
    /// learners have the same instances. Each course and student has a progress of its own.
    pub(super) fn open(who: &Who) -> Result<Self, Text> {
        let folder = folder::path()?;
        let mut learner: Learner = read(&folder.join(LEARNER))?.unwrap_or_default();
        let mut unkept = None;
        let named = who.course.is_some() || who.student.is_some();
        if named || learner.student.is_empty() {
            match introduced(&folder, who) {
                Ok(now) => learner = now,
                Err(e) if named => return Err(e),
                Err(e) => {
                    learner.student = somebody()?;
                    unkept = Some(e);
                }
            }
        }
        let Learner { course, student } = learner;
        let progress = Progress { course, student, ..Progress::default() };
        let mut store = Self { folder, files: who.dir.clone(), progress, unkept };
        if let Some(progress) = read::<Progress>(&store.place().join(PROGRESS))? {
            store.progress.exercises = progress.exercises;
        }
        Ok(store)
    }

    /// Whether the learner, or a teacher, gave the name.
    pub(super) fn is_named(&self) -> bool {
        let name = &self.progress.student;
        name.len() != 2 * RANDOM || !name.bytes().all(|b| b.is_ascii_hexdigit())
    }

    /// Where this learner's things are. Names may hold what no file name may.
    fn place(&self) -> PathBuf {
        let Progress { course, student, .. } = &self.progress;
        let mut hash = Sha1::new();
        hash.update(u64::try_from(course.len()).unwrap_or_default().to_be_bytes());
        hash.update(course);
        hash.update(student);
        self.folder.join("learners").join(hex(&hash.finalize()[..8]))
    }

    /// Changes the progress, and writes it. What another terminal has written since this
    /// one read is kept; whoever is interrupted keeps the old one.
    pub(super) fn change<T>(&mut self, change: impl FnOnce(&mut Progress) -> T) -> Result<T, Text> {
        let place = self.place();
        let _turn = turn(&place)?;
        if let Some(now) = read::<Progress>(&place.join(PROGRESS))? {
            self.progress.exercises = now.exercises;
        }
        let changed = change(&mut self.progress);
        write(&place, PROGRESS, &self.progress)?;
        Ok(changed)
    }

    /// Forgets what was done with some exercises; how many they were.
    pub(super) fn reset(&mut self, forget: impl Fn(&str) -> bool) -> Result<usize, Text> {
        let forgotten = self.progress.exercises.keys().filter(|key| forget(key)).count();
        if forgotten > 0 {
            self.change(|progress| progress.exercises.retain(|key, _| !forget(key)))?;
        }
        Ok(forgotten)
    }

    /// The learner's instance of an exercise, its files written.
    pub(super) fn instance(&self, exercise: &Exercise) -> Result<Instance, Text> {
        // A learner who cannot be remembered would get another instance each time.
        if let Some(why) = &self.unkept {
            return Err(why.clone());
        }
        let mut instance = exercise.instance(&self.progress.course, &self.progress.student);
        let folder = match &self.files {
            Some(folder) => folder.clone(),
            None => self.place().join(exercise.name()),
        };
        for file in instance.files.clone() {
            let path = folder.join(file.name);
            let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, &file.bytes));
            written.map_err(|e| Text::new("{}; --dir names another folder").word(of_file(&path, &e)))?;
            instance.placed(file.name, &shown(&path));
        }
        Ok(instance)
    }
}

/// Writes down who learns; whoever gives no name and has none gets a random one.
fn introduced(folder: &Path, who: &Who) -> Result<Learner, Text> {
    let _turn = turn(folder)?;
    let mut learner: Learner = read(&folder.join(LEARNER))?.unwrap_or_default();
    if let Some(course) = &who.course {
        learner.course.clone_from(course);
    }
    if let Some(student) = &who.student {
        learner.student.clone_from(student);
    }
    if learner.student.is_empty() {
        learner.student = somebody()?;
    }
    write(folder, LEARNER, &learner)?;
    Ok(learner)
}

/// A random name.
fn somebody() -> Result<String, Text> {
    let mut bytes = [0; RANDOM];
    getrandom::fill(&mut bytes).map_err(|e| Text::with("the system gives no random bytes: {}", e))?;
    Ok(hex(&bytes))
}

/// A path as it can be pasted.
fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// What a file says; `None` when there is no such file.
fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Text> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|e| {
            Text::with("{}: this is no progress ({}); remove the file to begin anew", path.display()).and(e)
        }),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(e) => Err(unusable(path, &e)),
    }
}

/// Writes a file, whole or not at all.
fn write(folder: &Path, name: &str, value: &impl Serialize) -> Result<(), Text> {
    let text = serde_json::to_string_pretty(value).map_err(|e| Text::with("{}", e))?;
    let new = folder.join(format!("{name}.new"));
    let written = fs::create_dir_all(folder)
        .and_then(|()| fs::write(&new, text + "\n"))
        .and_then(|()| fs::rename(&new, folder.join(name)));
    written.map_err(|e| unusable(folder, &e))
}
