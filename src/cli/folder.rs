//! The user's folder: what is kept between runs.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use etcetera::BaseStrategy as _;

use super::trouble::of_file;
use crate::model::Text;

/// Names the folder outright, for tests and for classrooms with shared accounts.
pub(super) const VARIABLE: &str = "WSTOOL_DATA";

/// Whoever changes a folder's file holds this one, so that two terminals take turns.
const LOCK: &str = "lock";

/// Where it is.
///
/// # Errors
/// That the system names none.
pub(super) fn path() -> Result<PathBuf, Text> {
    if let Some(folder) = std::env::var_os(VARIABLE).filter(|folder| !folder.is_empty()) {
        return Ok(folder.into());
    }
    let base = etcetera::choose_base_strategy().map_err(|e| {
        Text::with("there is no folder to keep anything in: {}; {} names one", e).and(VARIABLE)
    })?;
    Ok(base.data_dir().join("wstool"))
}

/// Waits until nobody else changes what is in a folder; it is one's turn until this is dropped.
///
/// # Errors
/// Why it cannot be used.
pub(super) fn turn(folder: &Path) -> Result<File, Text> {
    let opened = fs::create_dir_all(folder).and_then(|()| File::create(folder.join(LOCK)));
    let file = opened.map_err(|e| unusable(folder, &e))?;
    match file.lock() {
        // Some network drives know no locks; there one terminal at a time has to do.
        Err(e) if e.kind() != ErrorKind::Unsupported => Err(unusable(folder, &e)),
        _ => Ok(file),
    }
}

/// Why something in it cannot be read or written, and what to do about it.
pub(super) fn unusable(path: &Path, why: &io::Error) -> Text {
    Text::new("{}; {} names another folder").word(of_file(path, why)).and(VARIABLE)
}
