//! What standard error is told of a run that is over.

use std::io::{self, Write};

use super::Args;
use super::opening::shown;
use crate::model::Severity;
use crate::pipeline::Outcome;

/// Diagnostics that belong to the run, not to the results.
pub fn report(args: &Args, name: &str, is_raw: bool, outcome: &Outcome) -> io::Result<()> {
    let mut err = io::stderr().lock();
    let name = shown(name);
    for (link, count) in &outcome.unreadable {
        let packets = if *count == 1 { "packet" } else { "packets" };
        writeln!(
            err,
            "warning: {name}: {count} {packets} of link type {link} skipped; Ethernet, Linux cooked, \
             loopback and raw IP are read"
        )?;
    }
    if let Some(error) = &outcome.error {
        writeln!(err, "error: {name}: {error}")?;
    } else if outcome.summary.connections == 0 && !nothing_readable(outcome) {
        writeln!(
            err,
            "note: {name}: no WebSocket connection in {} packets (encrypted ones, wss, cannot be seen)",
            outcome.summary.packets
        )?;
    }
    let connections = outcome.summary.connections;
    if connections > 0
        && args.limit.is_none()
        && let Some(stream) = args.stream.iter().find(|n| **n == 0 || u64::from(**n) > connections)
    {
        writeln!(err, "note: {name}: there is no connection {stream}: they are numbered 1 to {connections}")?;
    }
    if is_raw && outcome.summary.frames > 0 && has_errors(outcome) {
        writeln!(
            err,
            "note: {name}: this is no capture that is known and no hex; its bytes were read as what one side sent"
        )?;
    }
    Ok(())
}

fn has_errors(outcome: &Outcome) -> bool {
    outcome.summary.findings.iter().any(|(rule, times)| rule.severity == Severity::Error && *times > 0)
}

pub fn nothing_readable(outcome: &Outcome) -> bool {
    let skipped: u64 = outcome.unreadable.iter().map(|(_, count)| count).sum();
    skipped > 0 && skipped == outcome.summary.packets
}
