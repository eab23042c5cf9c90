//! Files read whole, and files written together or not at all.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::cli::file;
use crate::cli::trouble::of_file;
use crate::lang::Lang;

/// Bytes of a list or a report that are read.
const LONGEST: u64 = 16 * 1024 * 1024;
/// Folders in folders that are looked through for reports.
const DEEPEST: usize = 8;

/// The content of a file.
pub(super) fn read(path: &Path, lang: Lang) -> Result<Vec<u8>, String> {
    let told = |e: io::Error| lang.say(&of_file(path, &e));
    let mut bytes = Vec::new();
    file::open(path).map_err(told)?.reader.take(LONGEST + 1).read_to_end(&mut bytes).map_err(told)?;
    if bytes.len() as u64 > LONGEST {
        return Err(lang.fill("{}: longer than {} MiB", &[&path.display(), &(LONGEST >> 20)]));
    }
    Ok(bytes)
}

/// The files at a path, in order: itself, or what is in the folder. Hidden ones are left out.
pub(super) fn below(path: &Path, lang: Lang) -> Result<Vec<PathBuf>, String> {
    let mut found = Vec::new();
    if path.is_dir() {
        walk(path, DEEPEST, &mut found).map_err(|e| lang.say(&of_file(path, &e)))?;
        found.sort();
    } else {
        found.push(path.to_owned());
    }
    Ok(found)
}

fn walk(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if hidden {
            continue;
        }
        if path.is_dir() {
            if depth > 0 {
                walk(&path, depth - 1, found)?;
            }
        } else {
            found.push(path);
        }
    }
    Ok(())
}

/// Files to be written into a folder.
pub(super) struct Outbox<'p> {
    folder: &'p Path,
    files: Vec<(PathBuf, Vec<u8>)>,
}

impl<'p> Outbox<'p> {
    pub(super) fn new(folder: &'p Path) -> Self {
        Self { folder, files: Vec::new() }
    }

    /// `path` is from the folder on, with slashes.
    pub(super) fn put(&mut self, path: &str, content: impl Into<Vec<u8>>) {
        let path = path.split('/').fold(self.folder.to_owned(), |path, part| path.join(part));
        self.files.push((path, content.into()));
    }

    /// Writes them all; how many there were. Without `force` no file is overwritten: if
    /// one is there, none is written.
    pub(super) fn write(self, force: bool, lang: Lang) -> Result<usize, String> {
        let there = self.files.iter().map(|(path, _)| path).find(|path| !force && path.exists());
        if let Some(path) = there {
            let template = "{} is there already; --force overwrites it, --out names another folder";
            return Err(lang.fill(template, &[&path.display()]));
        }
        for (path, content) in &self.files {
            let folder = path.parent().unwrap_or(self.folder);
            let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, content));
            written.map_err(|e| lang.say(&of_file(path, &e)))?;
        }
        Ok(self.files.len())
    }
}
