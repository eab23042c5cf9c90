//! `--format parquet`: captures as tables for analytics, several captures at a time.

mod folder;
mod pool;

use std::collections::HashSet;
use std::path::Path;

use self::folder::{Folder, capture};
use self::pool::{Files, Job, Pool};
use super::report::{came_to, not_there, unread};
use super::{Args, several};
use crate::cli::Look;
use crate::cli::interrupt::{INTERRUPTED, Interrupt};
use crate::cli::trouble::Trouble;
use crate::model::quantity::grouped;
use crate::model::{Other, Summary, Text};
use crate::render::tables::{TABLES, Table};

/// What is written of captures unless somebody says otherwise.
const USUAL: [&str; 4] = ["connections", "messages", "findings", "causes"];

/// Decodes the inputs into tables, and gives the exit code.
///
/// # Errors
/// Why there can be no tables; what standard error does not take.
pub(super) fn run(args: &Args, inputs: &[String], interrupt: &Interrupt, look: Look) -> Result<u8, Trouble> {
    let jobs = jobs(args, inputs, interrupt);
    let out = args.out.as_deref().unwrap_or(Path::new("."));
    let folder = same(&jobs).map_or_else(|| Folder::at(out), Err).map_err(Trouble::Asked)?;
    let asked = |table: &&&Table| match args.tables.as_slice() {
        [] => USUAL.contains(&table.name),
        names => names.iter().any(|name| name == table.name),
    };
    let tables: Vec<&'static Table> = TABLES.iter().filter(asked).copied().collect();
    let pool = Pool { args, jobs: &jobs, folder: &folder, tables: &tables, interrupt, look };
    let mut rows = vec![0; tables.len()];
    let (mut failed, mut fails, mut captures, mut connections) = (false, false, 0, 0);
    // One that may have been what was looked for.
    let mut encrypted: Option<Summary> = None;
    pool.run(&mut |done| {
        fails |= args.fail_on.fails(done.verdict);
        for (sum, count) in rows.iter_mut().zip(&done.rows) {
            *sum += count;
        }
        captures += u64::from(done.rows.len() == rows.len());
        for file in &done.files {
            failed |= came_to(&file.name, file.is_raw, &file.outcome, file.is_part, look)?;
        }
        let there = done.outcome().map_or(0, |outcome| outcome.summary.connections);
        connections += there;
        if let Some(outcome) = done.outcome().filter(|it| it.summary.others.iter().any(Other::is_tls)) {
            encrypted.get_or_insert_with(|| outcome.summary.clone());
        }
        failed |= done.trouble.is_some() || !done.missing.is_empty();
        if let Some(trouble) = &done.trouble {
            look.tell("error: {}", trouble)?;
        }
        not_there(&done.capture, &done.missing, there, look)
    })?;
    if let Some(summary) = encrypted.filter(|_| connections == 0 && !failed) {
        unread(&summary, &args.secrets, look)?;
    }
    let parts = tables.iter().zip(&rows).map(|(table, rows)| format!("{} {}", table.name, grouped(*rows)));
    let parts: Vec<String> = parts.collect();
    let words = if captures == 1 { "{}: {} capture ({})" } else { "{}: {} captures ({})" };
    let said = Text::with(words, folder.path().display()).and(captures).and(parts.join(", "));
    look.tell("tables in {}", &said)?;
    Ok(if interrupt.seen() {
        INTERRUPTED
    } else if failed {
        2
    } else {
        u8::from(fails)
    })
}

/// A job for each capture; one for all that are parts of one.
fn jobs<'a>(args: &Args, inputs: &'a [String], interrupt: &Interrupt) -> Vec<Job<'a>> {
    if args.concat && inputs.len() > 1 {
        let known = several::known(args, inputs, interrupt);
        let first = known.first().map_or("", |file| file.name);
        return vec![Job { capture: capture(first), files: Files::Parts(known) }];
    }
    inputs.iter().map(|name| Job { capture: capture(name), files: Files::One(name) }).collect()
}

/// What is wrong with captures that are called the same.
fn same(jobs: &[Job<'_>]) -> Option<Text> {
    let mut seen = HashSet::new();
    let twice = jobs.iter().find(|job| !seen.insert(&job.capture))?;
    Some(Text::with("{}: named twice, and its tables are those of one capture", &twice.capture))
}
