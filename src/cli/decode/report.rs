//! What standard error is told of a run that is over.

use std::io;

use super::opening::shown;
use crate::cli::Look;
use crate::model::{Other, Summary, Text};
use crate::pipeline::Outcome;
use crate::select::Stream;
use crate::tls::Secrets;

const ENCRYPTED: &str =
    "no WebSocket connection in {} packets; TLS connections, whose content is encrypted: {}";

const BEGUN: &str = "no WebSocket connection in {} packets; TLS connections, over which nothing went but \
                     their handshakes: {}";

const READ: &str =
    "no WebSocket connection in {} packets; TLS connections that were deciphered, and are none: {}";

const JOINED: &str = "no WebSocket connection in {} packets; TLS connections whose beginning is not in the \
                      capture, so that no keys open them: {}";

/// Bytes of a full packet on Ethernet.
const ETHERNET: u32 = 1514;

/// What connections of other protocols are asked.
type Has = fn(&Other) -> bool;

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
        if let Some(requests) = outcome.requests {
            return note(Text::with("no WebSocket connection among {} requests", requests));
        }
        let summary = &outcome.summary;
        let of = |has: Has| {
            summary.others.iter().filter(|other| has(other)).map(|other| other.connections).sum::<u64>()
        };
        // What could be read with keys is worth most, then what could be captured anew.
        let kinds: [(&str, Has); 4] = [
            (ENCRYPTED, Other::is_readable),
            (JOINED, |other| other.is_sealed() || other.is_tls() && other.is_joined),
            (READ, |other| other.is_read),
            // Who did not answer in TLS has no version of it.
            (BEGUN, |other| other.is_tls() && other.version.is_some()),
        ];
        let most = kinds.into_iter().map(|(words, has)| (words, of(has))).find(|(_, count)| *count > 0);
        note(match most {
            Some((words, count)) => Text::with(words, summary.packets).and(count),
            None => Text::with("no WebSocket connection in {} packets", summary.packets),
        })?;
        if let Some(snaplen) = outcome.snaplen.filter(|most| *most < ETHERNET) {
            let words = "its snap length is {} bytes: of longer packets only the beginning is in it; capture \
                         whole ones: tcpdump -s 0";
            note(Text::with(words, snaplen))?;
        }
    }
    if outcome.is_full {
        let words = "more content than may be held: what came last is shown without it; raise --memory";
        note(words.into())?;
    }
    if outcome.halves > 0 {
        let words = "halves of characters in its strings, such as \\ud800, which no text has: {}; they are \
                     shown as U+FFFD";
        note(Text::with(words, outcome.halves))?;
    }
    if outcome.is_silent {
        let words = "handshakes and no messages: not every program saves them; wstool attach --chrome sees \
                     them as they come";
        note(words.into())?;
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

/// How encrypted connections can be read, where there was no WebSocket but in them, perhaps, and no secret.
///
/// # Errors
/// When standard error cannot be written.
pub fn unread(summary: &Summary, secrets: &Secrets, look: Look) -> io::Result<()> {
    let has = |is: Has| summary.connections == 0 && summary.others.iter().any(is);
    let first = match secrets.is_empty() {
        true if has(Other::is_readable) => {
            "to read them: have one end log its keys, capture anew, then decode --keylog FILE:"
        }
        _ if has(Other::is_sealed) && !has(Other::is_readable) => {
            "to read them: capture both ways from before they begin, and have one end log its keys:"
        }
        _ => return Ok(()),
    };
    look.tell("{}", &first.into())?;
    if !secrets.is_empty() {
        return Ok(());
    }
    for words in [
        "  browsers, curl: SSLKEYLOGFILE=FILE   Python: SSLContext.keylog_filename",
        "  Node.js: node --tls-keylog=FILE      openssl: -keylogfile FILE",
        "or look on from between: wstool proxy --tls. More programs: wstool explain keylog",
    ] {
        look.tell("{}", &words.into())?;
    }
    Ok(())
}

/// What an input came to, or why it could not be opened; whether that makes the run fail. Of a part the error
/// is told, of the whole what it holds.
///
/// # Errors
/// When standard error cannot be written.
pub fn came_to(
    name: &str,
    is_raw: bool,
    outcome: &Result<Outcome, Text>,
    is_part: bool,
    look: Look,
) -> io::Result<bool> {
    match outcome {
        Ok(outcome) if is_part && outcome.error.is_none() => Ok(false),
        Ok(outcome) => {
            report(name, is_raw, outcome, look)?;
            Ok(outcome.error.is_some() || nothing_readable(outcome))
        }
        Err(why) => unopened(name, why, look).map(|()| true),
    }
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
