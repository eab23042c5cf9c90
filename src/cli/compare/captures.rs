//! `wstool compare a.pcap b.pcap`: counted, not computed.

use std::io::{self, Read, Write as _};
use std::path::PathBuf;

use crate::cli::output::Progress;
use crate::cli::{file, mistaken};
use crate::compare::captures::Counter;
use crate::compare::counted;
use crate::input::{self, Input, InputError};
use crate::model::Text;
use crate::model::report::Report;

/// Counts captures, with a progress bar over large ones. What is before the cut of one that ends within a
/// packet counts, and the exit code says that there was a cut.
pub fn count(paths: &[PathBuf]) -> Result<(Report, u8), String> {
    let mut counter = Counter::default();
    let mut names = Vec::new();
    let mut cuts = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let explain = |e: &dyn std::fmt::Display| format!("{name}: {e}");
        let (reader, size): (Box<dyn Read + Send>, _) = if name == "-" {
            (Box::new(io::stdin()), None)
        } else {
            let opened = file::open(path).map_err(|e| match e.kind() {
                io::ErrorKind::IsADirectory => {
                    format!("{name}: is a directory: name the capture files in it")
                }
                _ => explain(&e),
            })?;
            (opened.reader, opened.size)
        };
        let input = input::open(reader, &name).map_err(|e| explain(&mistaken::text(&name, &e)))?;
        if !matches!(input, Input::Capture(_)) {
            return Err(format!("{name}: is no capture: a pcap or pcapng file is wanted"));
        }
        let mut progress = Progress::new(size, false);
        let read = counter.read(input, &mut |read| progress.at(read));
        progress.end();
        match read {
            Err(e @ InputError::Truncated { .. }) => cuts.push(explain(&e)),
            read => read.map_err(|e| explain(&e))?,
        }
        names.push(name);
    }
    let report = counted::report(&names, &counter.finish());
    let Some(first) = cuts.first() else { return Ok((report?, 0)) };
    // A cut explains best what is missing.
    let mut report = report.map_err(|_| first.clone())?;
    for cut in &cuts {
        writeln!(io::stderr(), "error: {cut}").map_err(|e| e.to_string())?;
    }
    report.limits.extend(cuts.into_iter().map(|cut| Text::with("{}", cut)));
    Ok((report, 2))
}
