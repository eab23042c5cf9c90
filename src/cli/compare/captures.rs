//! `wstool compare a.pcap b.pcap`: counted, not computed.

use std::fs::File;
use std::path::PathBuf;

use crate::cli::output;
use crate::compare::captures::Counter;
use crate::compare::counted;
use crate::input::{self, Input};
use crate::model::report::Report;

/// Counts captures, with a progress bar over large ones.
pub fn count(paths: &[PathBuf]) -> Result<Report, String> {
    let mut counter = Counter::default();
    let mut names = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let explain = |e: &dyn std::fmt::Display| format!("{name}: {e}");
        let file = File::open(path).map_err(|e| explain(&e))?;
        let meta = file.metadata().map_err(|e| explain(&e))?;
        if meta.is_dir() {
            return Err(format!("{name}: is a directory: name the capture files in it"));
        }
        let input = input::open(Box::new(file), &name).map_err(|e| explain(&e))?;
        if !matches!(input, Input::Capture(_)) {
            return Err(format!("{name}: is no capture: a pcap or pcapng file is wanted"));
        }
        let bar = output::bar(Some(meta.len()), false);
        let read = counter.read(input, &mut |read| bar.set_position(read));
        bar.finish_and_clear();
        read.map_err(|e| explain(&e))?;
        names.push(name);
    }
    counted::report(&names, &counter.finish())
}
