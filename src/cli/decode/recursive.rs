//! `--recursive`: the captures in a folder, and in those in it, HAR files among them.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crate::cli::trouble::of_file;
use crate::input::{self, Input};
use crate::model::Text;

/// The inputs, with the captures in it in the place of each folder, in the order of their names.
///
/// # Errors
/// Which folder cannot be read, or has no capture in it.
pub(super) fn captures(inputs: &[String]) -> Result<Vec<String>, Text> {
    let mut found = Vec::new();
    for input in inputs {
        let path = Path::new(input);
        if !path.is_dir() {
            found.push(input.clone());
            continue;
        }
        let mut files = Vec::new();
        below(path, &mut files).map_err(|error| of_file(path, &error))?;
        let mut names = files.iter().filter(|file| is_capture(file)).filter_map(|file| file.to_str());
        let first = names.next().ok_or_else(|| Text::with("{}: there is no capture in it", input))?;
        found.push(first.to_owned());
        found.extend(names.map(str::to_owned));
    }
    Ok(found)
}

/// All files, in the order of their names; without those that are hidden, and what links lead to.
fn below(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            below(&entry.path(), files)?;
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// Whether a file begins as a capture does, or as an archive of one, compressed or not.
fn is_capture(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    match input::open(Box::new(file), "") {
        Ok(Input::Capture(_)) => true,
        // Folders have other JSON, too.
        Ok(Input::Har(archive)) => archive.begins_so(),
        _ => false,
    }
}
