//! Reports in files and folders.

use std::fs;
use std::io;
use std::path::Path;

use super::args::{Args, Format, Target};
use super::explain;
use crate::cli::trouble::of_file;
use crate::model::Text;
use crate::model::grade::{Graded, Transcript};
use crate::render::Options;
use crate::render::grade as render;

/// Makes the folders, and finds out now what cannot be written in the end.
///
/// # Errors
/// What that is.
pub fn prepare(args: &Args) -> Result<(), Text> {
    if args.format == Format::Autobahn {
        return Err("this format is many files: name a folder for them by --report autobahn=DIR".into());
    }
    for target in &args.reports {
        let path = &target.path;
        let folder = if target.format == Format::Autobahn { Some(&**path) } else { path.parent() };
        if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) {
            fs::create_dir_all(folder).map_err(|error| of_file(folder, &error))?;
        }
        if path.is_dir() && target.format != Format::Autobahn {
            return Err(of_file(path, &io::ErrorKind::IsADirectory.into()));
        }
    }
    Ok(())
}

/// Writes a report where it goes.
///
/// # Errors
/// What cannot be written.
pub fn write(target: &Target, all: &[&Transcript], options: &Options) -> Result<(), Text> {
    if target.format == Format::Autobahn {
        let page = text(Format::Html, all, options).unwrap_or_default();
        let files = render::autobahn::files(all).into_iter().chain([("index.html".to_owned(), page)]);
        return files.into_iter().try_for_each(|(name, text)| put(&target.path.join(name), &text));
    }
    put(&target.path, &text(target.format, all, options).unwrap_or_default())
}

/// A report that is one text; `None` of what is many files.
pub fn text(format: Format, all: &[&Transcript], options: &Options) -> Option<String> {
    Some(match format {
        Format::Text => render::report(all, options),
        Format::Json => render::json::document(all, options),
        Format::Ndjson => render::json::records(all, options),
        Format::Junit => render::junit::document(all, options),
        Format::Markdown => render::markdown::page(all, options),
        Format::Html => {
            let records = |one: &Graded| explain::records(one, options);
            render::html::page(all, &records, options)
        }
        Format::Autobahn => return None,
    })
}

/// Written as a whole: who reads it meanwhile gets the one before or this one.
fn put(path: &Path, text: &str) -> Result<(), Text> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let wrong = |error: io::Error| of_file(path, &error);
    // Devices and pipes are written to as they are.
    if path.exists() && !path.is_file() {
        return fs::write(path, text).map_err(wrong);
    }
    fs::write(&beside, text).and_then(|()| fs::rename(&beside, path)).map_err(wrong)
}
