//! Where progress is kept: a folder of the user's, never the checkout.

use std::fs;
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy;

use super::Who;
use crate::lesson::{Exercise, Instance, Progress};

/// Names the folder outright, for tests and for classrooms with shared accounts.
const FOLDER: &str = "WSTOOL_DATA";

/// The learner's folder, and what it says.
pub(super) struct Store {
    folder: PathBuf,
    files: Option<PathBuf>,
    pub(super) progress: Progress,
}

impl Store {
    /// Opens the learner's folder; somebody new gets a random name, so that no two
    /// learners have the same instances.
    pub(super) fn open(who: &Who) -> Result<Self, String> {
        let folder = folder()?;
        let mut store = Self { folder, files: who.dir.clone(), progress: Progress::default() };
        let path = store.path();
        match fs::read_to_string(&path) {
            Ok(text) => {
                store.progress = serde_json::from_str(&text).map_err(|e| {
                    format!("{}: this is no progress ({e}); remove the file to begin anew", path.display())
                })?;
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => return Err(format!("{}: {e}; {FOLDER} names another folder", path.display())),
        }
        let before = store.progress.clone();
        if let Some(course) = &who.course {
            store.progress.course.clone_from(course);
        }
        if let Some(student) = &who.student {
            store.progress.student.clone_from(student);
        }
        if store.progress.student.is_empty() {
            let mut bytes = [0; 8];
            getrandom::fill(&mut bytes).map_err(|e| format!("the system gives no random bytes: {e}"))?;
            store.progress.student = crate::http::accept::hex(&bytes);
        }
        if store.progress != before {
            store.save()?;
        }
        Ok(store)
    }

    fn path(&self) -> PathBuf {
        self.folder.join("progress.json")
    }

    /// Writes the progress. Whoever is interrupted keeps the old one.
    pub(super) fn save(&self) -> Result<(), String> {
        let text = serde_json::to_string_pretty(&self.progress).map_err(|e| e.to_string())?;
        let new = self.folder.join("progress.json.new");
        let written = fs::create_dir_all(&self.folder)
            .and_then(|()| fs::write(&new, text + "\n"))
            .and_then(|()| fs::rename(&new, self.path()));
        written.map_err(|e| format!("{}: {e}; {FOLDER} names another folder", self.folder.display()))
    }

    /// The learner's instance of an exercise, its files written.
    pub(super) fn instance(&self, exercise: &Exercise) -> Result<Instance, String> {
        let mut instance = exercise.instance(&self.progress.course, &self.progress.student);
        let folder = match &self.files {
            Some(folder) => folder.clone(),
            None => self.folder.join("files").join(exercise.name()),
        };
        for file in instance.files.clone() {
            let path = folder.join(file.name);
            let written = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, &file.bytes));
            written.map_err(|e| format!("{}: {e}; --dir names another folder", path.display()))?;
            instance.placed(file.name, &shown(&path));
        }
        Ok(instance)
    }
}

/// A path as it can be pasted.
fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn folder() -> Result<PathBuf, String> {
    if let Some(folder) = std::env::var_os(FOLDER).filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let base = etcetera::choose_base_strategy()
        .map_err(|e| format!("no folder to keep your progress in: {e}; {FOLDER} names one"))?;
    Ok(base.data_dir().join("wstool"))
}
