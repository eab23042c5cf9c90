//! What standard error is told of a run that is over.

use std::io;

use super::opening::shown;
use crate::cli::Look;
use crate::model::Text;
use crate::pipeline::Outcome;
use crate::select::Stream;

const ENCRYPTED: &str =
    "no WebSocket connection in {} packets; TLS connections, whose content is encrypted: {}";

/// Diagnostics that belong to the run, not to the results.
pub fn report(name: &str, is_raw: bool, outcome: &Outcome, look: Look) -> io::Result<()> {
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
        let summary = &outcome.summary;
        let encrypted = summary.others.iter().filter(|other| other.is_tls());
        note(match encrypted.map(|other| other.connections).sum::<u64>() {
            0 => Text::with("no WebSocket connection in {} packets", summary.packets),
            tls => Text::with(ENCRYPTED, summary.packets).and(tls),
        })?;
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

/// Why an input could not be opened.
pub fn unopened(name: &str, why: &Text, look: Look) -> io::Result<()> {
    look.tell("error: {}", &Text::with("{}: {}", shown(name)).word(why.clone()))
}

/// Names what `--stream` asked for in vain: nothing was judged, so that nothing may seem well.
pub fn not_there(name: &str, missing: &[Stream], connections: u64, look: Look) -> io::Result<()> {
    for stream in missing {
        let words = match connections {
            0 => Text::with("there is no connection {}: there is none at all", stream),
            _ => Text::with("there is no connection {}: they are numbered 1 to {}", stream).and(connections),
        };
        look.tell("error: {}", &Text::with("{}: {}", shown(name)).word(words))?;
    }
    Ok(())
}

fn has_errors(outcome: &Outcome) -> bool {
    outcome.summary.findings.by_severity().errors > 0
}

pub fn nothing_readable(outcome: &Outcome) -> bool {
    let skipped: u64 = outcome.unreadable.iter().map(|(_, count)| count).sum();
    skipped > 0 && skipped == outcome.summary.packets
}
