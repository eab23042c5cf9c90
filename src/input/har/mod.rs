//! HAR (HTTP Archive 1.2): what a browser or proxy saved of the exchanges that it saw.
//!
//! Messages stand in `_webSocketMessages`, which Chrome began with and others have taken up. What is not
//! about a WebSocket, or about something that [`Archive::read`] was asked for, is passed over while
//! reading: of an archive no more is held than the heads and messages that are wanted.
//!
//! | Key | Meaning |
//! |---|---|
//! | `log.creator`, `log.browser` | the program that tells |
//! | `startedDateTime`, `timings` | when the request was made, and answered |
//! | `request`, `response` | heads and content |
//! | `_resourceType`: `websocket`, or a URL of `ws:` or `wss:` | the exchange opens a WebSocket |
//! | `_webSocketMessages[]` | its messages |
//! | … `type`, `time` | `send`, `receive` or `error`; seconds since 1970 |
//! | … `opcode`, `data` | that of the message; text, or Base64 of what is binary |
//! | `_webSocketClose` | HTTP Toolkit's `{code, reason, timestamp}` |
//! | `_told` | of ours: the archive was made of another one |
//! | `_error` | why there was no answer |

mod entry;
mod objects;
mod parts;
mod read;
mod scalar;
mod strings;
pub mod written;

use std::cell::Cell;
use std::io::{BufReader, ErrorKind, Read};
use std::net::{IpAddr, SocketAddr};

use super::InputError;
use super::source::Source;
use crate::limits;
use crate::model::{Dir, Opcode, Text, Time};

/// An archive that is recognised and not read yet.
pub struct Archive {
    name: String,
    source: Source,
}

/// What an archive tells.
#[derive(Debug, Default)]
pub struct Story {
    /// The program that tells, with its version. Untrusted.
    pub by: String,
    /// Every field that was on the wire is listed: it is a proxy's.
    pub is_whole: bool,
    /// How many entries there were, wanted or not.
    pub entries: u64,
    /// Nowhere is there a list of messages, empty or not.
    pub is_silent: bool,
    /// Halves of characters that strings had, which are read as U+FFFD.
    pub halves: u64,
    /// More content was there than may be held: what came last is told without it.
    pub is_full: bool,
    /// The wanted ones, in the order of the archive.
    pub exchanges: Vec<Exchange>,
    /// Bytes read.
    pub bytes: u64,
    /// Why it was not read to its end.
    pub error: Option<InputError>,
}

/// A request, its answer, and the messages that came of it. All texts are untrusted.
#[derive(Debug, Default)]
pub struct Exchange {
    /// It asks for a WebSocket.
    pub opens: bool,
    /// It was told to the program that saved it: not all that was on the wire need be listed.
    pub told: bool,
    /// It is `https` or `wss`.
    pub secure: bool,
    /// What the connection is called: entries of the same name went over the same one.
    pub connection: Option<String>,
    /// Host and port of the URL.
    pub authority: String,
    /// Its address.
    pub server: Option<SocketAddr>,
    /// Such as `GET`.
    pub method: String,
    /// Path and query.
    pub target: String,
    /// The version of HTTP, as its start line has it; empty where it is not told.
    pub version: String,
    /// Names and values of the request's header fields.
    pub headers: Vec<(String, String)>,
    /// The beginning of the request's content, and its length.
    pub body: (Vec<u8>, u64),
    /// When the request was made.
    pub asked: Option<Time>,
    /// The answer, if there was one.
    pub answer: Option<Answer>,
    /// What came over the WebSocket.
    pub messages: Vec<Told>,
    /// What failed, and when.
    pub failures: Vec<(String, Option<Time>)>,
    /// The close code, if that is told.
    pub code: Option<u16>,
}

/// The answer to a request.
#[derive(Debug, Default)]
pub struct Answer {
    /// Such as 101.
    pub status: u16,
    /// The words behind it.
    pub reason: String,
    /// The version of HTTP.
    pub version: String,
    /// Names and values of its header fields.
    pub headers: Vec<(String, String)>,
    /// The beginning of its content, without codings, and its length.
    pub body: (Vec<u8>, u64),
    /// When it came.
    pub at: Option<Time>,
}

/// A message.
#[derive(Debug)]
pub struct Told {
    /// Who sent it.
    pub dir: Dir,
    /// Text or binary, or a control frame's.
    pub kind: Opcode,
    /// When.
    pub time: Option<Time>,
    /// Its beginning, at most as much as was asked for.
    pub content: Vec<u8>,
    /// Bytes in all.
    pub length: u64,
}

/// What is wanted of an archive.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Whether the exchange of this target is wanted although it opens no WebSocket.
    pub target: &'a dyn Fn(&str) -> bool,
    /// Bytes of each message and content.
    pub payload: u64,
    /// Bytes that all that is held may take.
    pub memory: usize,
}

impl Archive {
    pub(super) fn new(source: Source, name: &str) -> Self {
        Self { name: name.to_owned(), source }
    }

    /// The name it was opened under.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it begins as an archive does: other objects have other keys in front.
    pub fn begins_so(&self) -> bool {
        let text = self.source.seen();
        let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text).trim_ascii_start();
        text.strip_prefix(b"{").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\"log\""))
    }

    /// Reads it to its end, or to where it breaks off.
    pub fn read(mut self, wanted: Wanted<'_>, progress: &mut dyn FnMut(u64)) -> Story {
        let meter = self.source.meter().clone();
        let mut reading = read::Reading::new(wanted, &mut *progress, meter.clone());
        let halves = Cell::new(0);
        let result = self.document(&mut reading, &halves);
        let mut story = reading.end();
        story.halves = halves.get();
        story.bytes = meter.read();
        story.error = match result {
            Ok(true) => None,
            Ok(false) => Some(InputError::Unsupported {
                what: "a JSON document without log.entries, so no HAR file",
                hint: "expected what a browser's developer tools save, a capture, hex text or raw bytes",
            }),
            Err(error) => Some(self.explain(error)),
        };
        story
    }

    /// Reads the document; whether it is an archive.
    fn document(
        &mut self,
        reading: &mut read::Reading<'_>,
        halves: &Cell<u64>,
    ) -> Result<bool, serde_json::Error> {
        self.skip_mark().map_err(serde_json::Error::io)?;
        let source = strings::Bounded::new(&mut self.source, limits::HAR_STRING, halves);
        let reader = BufReader::with_capacity(64 * 1024, source);
        let mut json = serde_json::Deserializer::from_reader(reader);
        objects::document(reading, &mut json)?;
        json.end()?;
        Ok(reading.found)
    }

    /// Passes over a byte order mark, which some programs write.
    fn skip_mark(&mut self) -> std::io::Result<()> {
        const MARK: &[u8] = b"\xEF\xBB\xBF";
        if self.source.seen().starts_with(MARK) {
            self.source.read_exact(&mut [0; MARK.len()])?;
        }
        Ok(())
    }

    fn explain(&self, error: serde_json::Error) -> InputError {
        use serde_json::error::Category;
        let (line, column) = (error.line() as u64, error.column() as u64);
        match error.classify() {
            Category::Io if error.io_error_kind() == Some(ErrorKind::FileTooLarge) => {
                let what = Text::with("a string of more than {} bytes", limits::HAR_STRING as u64);
                InputError::Json { line, column, what }
            }
            Category::Io => {
                let have = self.source.meter().read();
                self.source.failed(error.into(), have)
            }
            Category::Eof => {
                InputError::Json { line, column, what: Text::new("the file ends in the middle") }
            }
            Category::Syntax | Category::Data => {
                let said = error.to_string();
                let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
                InputError::Json { line, column, what: Text::with("this is no JSON: {}", said) }
            }
        }
    }
}

/// Where a server is, by its address and the authority of a URL.
fn server(address: &str, authority: &str, secure: bool) -> Option<SocketAddr> {
    let address: IpAddr = address.trim_start_matches('[').trim_end_matches(']').parse().ok()?;
    let port = match authority.rsplit_once(':') {
        Some((_, port)) if !port.ends_with(']') => port.parse().ok()?,
        _ if secure => 443,
        _ => 80,
    };
    Some((address, port).into())
}

#[cfg(test)]
mod tests;
