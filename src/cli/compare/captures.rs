//! `wstool compare a.pcap b.pcap`: counted, not computed.

use std::io::{self, Read};
use std::path::PathBuf;

use crate::cli::output::Progress;
use crate::cli::{Look, file, mistaken, trouble};
use crate::compare::captures::Counter;
use crate::compare::counted;
use crate::input::{self, Input, InputError};
use crate::model::Text;
use crate::model::report::Report;

/// Counts captures, with a progress bar over large ones. What is before the cut of one that ends within a
/// packet counts, and the exit code says that there was a cut.
pub fn count(paths: &[PathBuf], look: Look) -> Result<(Report, u8), Text> {
    let mut counter = Counter::default();
    let mut names = Vec::new();
    let mut cuts = Vec::new();
    for path in paths {
        let name = path.display().to_string();
        let explain = |why: Text| Text::with("{}: {}", &name).word(why);
        let (reader, size): (Box<dyn Read + Send>, _) = if name == "-" {
            (Box::new(io::stdin()), None)
        } else {
            let opened = file::open(path).map_err(|e| match e.kind() {
                io::ErrorKind::IsADirectory => {
                    explain(Text::new("is a directory: name the capture files in it"))
                }
                _ => trouble::of_file(path, &e),
            })?;
            (opened.reader, opened.size)
        };
        let input = input::open(reader, &name).map_err(|e| explain(mistaken::text(&name, &e)))?;
        if !matches!(input, Input::Capture(_)) {
            return Err(explain(Text::new("is no capture: a pcap or pcapng file is wanted")));
        }
        let mut progress = Progress::new(size, false, look.lang);
        let read = counter.read(input, &mut |read| progress.at(read));
        progress.end();
        match read {
            Err(e @ InputError::Truncated { .. }) => cuts.push(explain(e.text())),
            read => read.map_err(|e| explain(e.text()))?,
        }
        names.push(name);
    }
    let report = counted::report(&names, &counter.finish());
    let Some(first) = cuts.first() else { return Ok((report?, 0)) };
    // A cut explains best what is missing.
    let mut report = report.map_err(|_| first.clone())?;
    for cut in &cuts {
        look.tell("error: {}", cut).map_err(|e| Text::with("{}", e))?;
    }
    report.limits.extend(cuts);
    Ok((report, 2))
}
