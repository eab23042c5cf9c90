//! The first line: whether the WebSocket is open, or why not and what to try.

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use super::opening::{Failure, Open};
use super::screen::{Screen, Tone};
use crate::model::{Deflate, Text};

/// Says that it is open, and what was agreed: `open in 3 ms · 101 · permessage-deflate · chat · TLS 1.3`,
/// over HTTP/2 `open in 3 ms · 200 · HTTP/2 stream 1 · …`.
///
/// # Errors
/// When that cannot be written.
pub fn open(screen: &Screen, open: &Open) -> io::Result<()> {
    let mut line = Text::with("open in {} · {}", short(open.took)).and(open.status);
    if let Some(stream) = open.stream {
        line = Text::new("{} · {}").word(line).word(Text::with("HTTP/2 stream {}", stream));
    }
    if let Some(deflate) = open.deflate {
        line = Text::new("{} · {}").word(line).and(compression(deflate));
    }
    for more in open.subprotocol.iter().map(String::as_str).chain(open.tls) {
        line = Text::new("{} · {}").word(line).and(more);
    }
    if let Some(proxy) = &open.proxy {
        line = Text::new("{} · through {}").word(line).and(proxy);
    }
    screen.say(0, &line, Tone::Good)?;
    open.notes
        .iter()
        .try_for_each(|note| screen.say(2, &Text::new("note: {}").word(note.clone()), Tone::Plain))
}

/// What there is to say of a session of Engine.IO that began by polling.
pub struct Session {
    /// It has moved to a WebSocket.
    pub moved: bool,
    /// The status of its first answer.
    pub status: u16,
    /// From the first look-up to that.
    pub took: Duration,
    /// The version of TLS.
    pub tls: Option<&'static str>,
}

/// Says that a session of Engine.IO is open: `open in 3 ms · 200 · polling · TLS 1.3`.
///
/// # Errors
/// When that cannot be written.
pub fn session(screen: &Screen, session: &Session) -> io::Result<()> {
    let how = if session.moved { "polling, then WebSocket" } else { "polling" };
    let mut line =
        Text::with("open in {} · {} · {}", short(session.took)).and(session.status).word(Text::new(how));
    if let Some(tls) = session.tls {
        line = Text::new("{} · {}").word(line).and(tls);
    }
    screen.say(0, &line, Tone::Good)
}

/// Says why it is not open, and what to try.
///
/// # Errors
/// When that cannot be written.
pub fn closed(screen: &Screen, failure: &Failure) -> io::Result<()> {
    match failure {
        Failure::Unreached(why) => screen.say(0, &Text::new("not open: {}").word(why.clone()), Tone::Bad),
        Failure::Usage(why) => screen.say(0, &Text::new("error: {}").word(why.clone()), Tone::Bad),
        Failure::Refused { got, meaning, advice, .. } => {
            screen.say(0, &Text::new("not open: {}").word(got.clone()), Tone::Bad)?;
            if !meaning.is_empty() {
                screen.say(2, meaning, Tone::Plain)?;
            }
            if !advice.is_empty() {
                screen.say(2, &Text::new("try: {}").word(advice.clone()), Tone::Plain)?;
            }
            Ok(())
        }
    }
}

/// The extension with the parameters that are not the usual ones.
fn compression(agreed: Deflate) -> String {
    let mut name = "permessage-deflate".to_owned();
    let windows = [
        ("server_max_window_bits", agreed.server_max_window_bits),
        ("client_max_window_bits", agreed.client_max_window_bits),
    ];
    for (parameter, bits) in windows.into_iter().filter(|(_, bits)| *bits < 15) {
        // Writing to a string cannot fail.
        let _ = write!(name, "; {parameter}={bits}");
    }
    let takeover = [
        ("server_no_context_takeover", agreed.server_no_context_takeover),
        ("client_no_context_takeover", agreed.client_no_context_takeover),
    ];
    for (parameter, _) in takeover.into_iter().filter(|(_, is_set)| *is_set) {
        name.push_str("; ");
        name.push_str(parameter);
    }
    name
}

/// A span of time with two or three digits: `0.42 ms`, `3.1 ms`, `250 ms`, `1.2 s`, `75 s`.
pub fn short(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    let (number, unit) = if seconds < 0.9995 { (seconds * 1000.0, "ms") } else { (seconds, "s") };
    let decimals = if number < 0.995 { 2 } else { usize::from(number < 9.95) };
    format!("{number:.decimals$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        for (micros, shown) in [
            (42, "0.04 ms"),
            (420, "0.42 ms"),
            (999, "1.0 ms"),
            (3_140, "3.1 ms"),
            (9_960, "10 ms"),
            (250_000, "250 ms"),
            (999_600, "1.0 s"),
            (1_234_000, "1.2 s"),
            (75_000_000, "75 s"),
        ] {
            assert_eq!(short(Duration::from_micros(micros)), shown);
        }
    }

    #[test]
    fn only_unusual_parameters_are_named() {
        let usual = Deflate {
            server_no_context_takeover: false,
            client_no_context_takeover: false,
            server_max_window_bits: 15,
            client_max_window_bits: 15,
        };
        assert_eq!(compression(usual), "permessage-deflate");
        let small = Deflate { client_max_window_bits: 10, server_no_context_takeover: true, ..usual };
        let shown = "permessage-deflate; client_max_window_bits=10; server_no_context_takeover";
        assert_eq!(compression(small), shown);
    }
}
