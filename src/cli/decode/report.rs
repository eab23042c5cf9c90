//! What standard error is told of a run that is over.

use std::io;

use super::Args;
use super::opening::shown;
use crate::cli::Look;
use crate::model::{Severity, Text};
use crate::pipeline::Outcome;

/// Diagnostics that belong to the run, not to the results.
pub fn report(args: &Args, name: &str, is_raw: bool, outcome: &Outcome, look: Look) -> io::Result<()> {
    let about = |words| Text::with("{}: {}", shown(name)).word(words);
    for (link, count) in &outcome.unreadable {
        let words = if *count == 1 {
            "{} packet of link type {} skipped; Ethernet, Linux cooked, loopback and raw IP are read"
        } else {
            "{} packets of link type {} skipped; Ethernet, Linux cooked, loopback and raw IP are read"
        };
        look.tell("warning: {}", &about(Text::with(words, count).and(link)))?;
    }
    let note = |words| look.tell("note: {}", &about(words));
    if let Some(error) = &outcome.error {
        look.tell("error: {}", &about(error.text()))?;
    } else if outcome.summary.connections == 0 && !nothing_readable(outcome) {
        let words = "no WebSocket connection in {} packets (encrypted ones, wss, cannot be seen)";
        note(Text::with(words, outcome.summary.packets))?;
    }
    let connections = outcome.summary.connections;
    if connections > 0
        && args.limit.is_none()
        && let Some(stream) = args.stream.iter().find(|n| **n == 0 || u64::from(**n) > connections)
    {
        note(Text::with("there is no connection {}: they are numbered 1 to {}", stream).and(connections))?;
    }
    if outcome.unlike_frames && outcome.summary.frames > 0 {
        let words = "its bytes do not look like frames: give a capture (tcpdump -w), hex, or raw bytes from \
                     where a frame begins";
        note(words.into())?;
    } else if is_raw && outcome.summary.frames > 0 && has_errors(outcome) {
        let words = "this is no capture that is known and no hex; its bytes were read as what one side sent";
        note(words.into())?;
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
