//! What is played: a transcript, a capture, or one of the samples.

use std::io::{self, Cursor, Read};
use std::path::Path;

use crate::cli::{Look, file, mistaken};
use crate::input::{self, Input};
use crate::limits;
use crate::model::{Flow, Text};
use crate::pipeline;
use crate::replay::{Collector, Exchange, samples, transcript};

/// Handshakes to play.
pub enum Recording {
    Transcript(Vec<Exchange>),
    /// What the capture is called, and its packets.
    Capture(String, Box<Input>),
}

const NO_SAMPLE: &str = "no such file, and no sample of that name: wstool replay --list names them";

/// Opens a recording by name.
///
/// # Errors
/// What is wrong with it, and what to do about it.
pub fn open(name: &str, look: Look) -> Result<Recording, Text> {
    if name == "-" {
        return read(Box::new(io::stdin()), name, look);
    }
    match file::open(Path::new(name)) {
        Ok(file) => read(file.reader, name, look),
        Err(e) if e.kind() == io::ErrorKind::IsADirectory => {
            Err("is a directory: name the recordings in it".into())
        }
        Err(e) if e.kind() == io::ErrorKind::NotFound => match samples::named(name) {
            Some(sample) => Ok(Recording::Transcript(transcript::parse(sample.text, sample.name))),
            None => Err(file::no_sample(name).unwrap_or(NO_SAMPLE.into())),
        },
        Err(e) => Err(Text::with("{}", e)),
    }
}

fn read(mut reader: Box<dyn Read + Send>, name: &str, look: Look) -> Result<Recording, Text> {
    let mut first = Vec::new();
    let mut buffer = [0; limits::SNIFF];
    // A transcript shows in its first line, a capture in its first byte; comments may be long.
    loop {
        let before = first.len();
        match reader.read(&mut buffer) {
            Ok(read) => first.extend_from_slice(&buffer[..read]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Text::with("{}", e)),
        }
        let decided =
            transcript::recognise(&first) || !could_be_text(&first) || first.len() >= limits::HTTP_HEAD;
        if decided || first.len() == before {
            break;
        }
    }
    if !transcript::recognise(&first) {
        let whole = Box::new(Cursor::new(first).chain(reader));
        let input = input::open(whole, name).map_err(|e| mistaken::text(name, &e))?;
        return Ok(Recording::Capture(name.to_owned(), Box::new(input)));
    }
    let room = (limits::TRANSCRIPT - first.len().min(limits::TRANSCRIPT)) as u64;
    (&mut reader).take(room).read_to_end(&mut first).map_err(|e| Text::with("{}", e))?;
    if first.len() >= limits::TRANSCRIPT && reader.read(&mut [0]).is_ok_and(|more| more > 0) {
        let cap = limits::TRANSCRIPT / 1024 / 1024;
        // A broken standard error is no reason to stop.
        let _ = look.tell("warning: {}", &Text::with("{}: only the first {} MiB are read", name).and(cap));
    }
    Ok(Recording::Transcript(transcript::parse(&first, name)))
}

/// Whether comments, or the beginning of a head, may still follow.
fn could_be_text(first: &[u8]) -> bool {
    let text = first.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first).trim_ascii_start();
    matches!(text.first(), None | Some(b'#')) || text.len() < 32 && text[0].is_ascii_alphabetic()
}

/// Hands on every handshake, or the one that is asked for.
///
/// # Errors
/// When the capture is damaged.
pub fn each(
    recording: Recording,
    only: Option<u32>,
    deliver: &mut dyn FnMut(Exchange) -> Flow,
) -> Result<(), Text> {
    match recording {
        Recording::Transcript(exchanges) => {
            for (number, exchange) in (1..).zip(exchanges) {
                if only.is_none_or(|only| only == number) && deliver(exchange).is_break() {
                    break;
                }
            }
            Ok(())
        }
        Recording::Capture(name, input) => {
            let outcome = pipeline::run(*input, &mut Collector::new(&name, only, deliver), &mut |_| ());
            match outcome.error {
                Some(error) => Err(error.text()),
                None => Ok(()),
            }
        }
    }
}
