//! Packets to flows to connections to units, one packet at a time.
//!
//! ```text
//! Input ─► Tracker (net) ─► Decoder ─► Sink
//! ```
//!
//! The tracker puts TCP streams in order, the decoder is told what they carry. On one thread nothing runs
//! ahead: a packet is read when the one before it has been shown. On two, what is read and what is decoded
//! are a few batches apart, and the output is the same to the byte. Either way memory does not grow with
//! the file.

mod archive;
mod files;
mod following;
mod packets;
#[cfg(feature = "threads")]
mod stages;
mod turns;

pub use files::{Files, run_files};

use std::sync::Arc;

use self::following::Following;
use crate::decoder::{Beginning, Decoder, Given, Keys};
use crate::input::{Bytes, Input, InputError};
use crate::limits;
use crate::model::{At, Dir, Flow, FlowId, InputFile, Interest, Meta, Side, Sink, StreamEnd, Summary, Text};
#[cfg(feature = "tls")]
use crate::tls::Secrets;
use crate::ws::shape;

/// On how many threads a capture is decoded. Bytes without packets are always decoded on one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threads {
    /// The caller's.
    #[default]
    One,
    /// Another one reads the packets and puts the streams in order, the caller's decodes them. The output
    /// is the same, but what has come from a pipe may wait to be decoded until there is more.
    #[cfg(feature = "threads")]
    Two,
    /// One or two, as the first packets and what is wanted of them say.
    #[cfg(feature = "threads")]
    WherePays,
}

/// What a run may use.
#[derive(Clone, Debug)]
pub struct Means {
    /// On how many threads it decodes.
    pub threads: Threads,
    /// Bytes held at a time; beyond it the least useful is given up, with a finding.
    pub memory: usize,
    /// What ties replies to requests in messages of JSON, besides the protocols that are known.
    pub keys: Option<Arc<Keys>>,
    /// Protocols that the user has described.
    pub given: Given,
    /// Ports whose servers speak lines of text.
    pub lines: Vec<u16>,
    /// What TLS is deciphered with, besides what the input itself brings.
    #[cfg(feature = "tls")]
    pub secrets: Arc<Secrets>,
}

impl Default for Means {
    /// One thread, and [`limits::MEMORY`].
    fn default() -> Self {
        Self {
            threads: Threads::One,
            memory: limits::MEMORY,
            keys: None,
            given: Given::default(),
            lines: Vec::new(),
            #[cfg(feature = "tls")]
            secrets: Arc::default(),
        }
    }
}

impl Means {
    /// A decoder that uses them.
    fn decoder<S: Sink>(&self, sink: S) -> Decoder<S> {
        let decoder =
            Decoder::within(self.memory, sink).matching(self.keys.clone()).giving(self.given.clone());
        let decoder = decoder.with_lines(self.lines.clone());
        #[cfg(feature = "tls")]
        let decoder = decoder.with_secrets(Arc::clone(&self.secrets));
        decoder
    }
}

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The totals, which the sink has seen too.
    pub summary: Summary,
    /// Why the input ended before its end.
    pub error: Option<InputError>,
    /// Packets that no link layer of ours can read: the link type's name and how many.
    pub unreadable: Vec<(String, u64)>,
    /// The input is raw bytes, and what it begins with does not look like frames.
    pub unlike_frames: bool,
    /// Requests in an archive; `None` where the input is none.
    pub requests: Option<u64>,
    /// It is an archive that has handshakes of WebSockets, and no list of messages.
    pub is_silent: bool,
    /// It is an archive of which not all content could be held.
    pub is_full: bool,
    /// Halves of characters in an archive's strings, which are read as U+FFFD.
    pub halves: u64,
    /// The most bytes that were captured of a packet, as the capture says.
    pub snaplen: Option<u32>,
}

/// Decodes an input from beginning to end, or until the sink has had enough.
///
/// `progress` is told now and then how many bytes of the input have been read.
pub fn run(input: Input, sink: &mut dyn Sink, progress: &mut dyn FnMut(u64)) -> Outcome {
    run_with(Means::default(), input, sink, progress)
}

/// The same, with other means than usual.
pub fn run_with(means: Means, input: Input, sink: &mut dyn Sink, progress: &mut dyn FnMut(u64)) -> Outcome {
    let mut decoder = means.decoder(sink);
    let mut read = decoder.input(input, Part::Whole, means.threads, progress);
    let (_, summary) = decoder.finish_input(read.packets, read.bytes, read.why());
    read.outcome(summary)
}

/// What an input is of the run.
#[derive(Clone, Copy)]
enum Part<'a> {
    /// All of it.
    Whole,
    /// One of several files.
    One(&'a InputFile),
    /// A part of a capture that began earlier, behind so many packets.
    Further(u64),
}

/// What reading an input came to.
struct Read {
    flow: Flow,
    packets: u64,
    bytes: u64,
    requests: Option<u64>,
    is_silent: bool,
    is_full: bool,
    halves: u64,
    snaplen: Option<u32>,
    error: Option<InputError>,
    unreadable: Vec<(String, u64)>,
    unlike_frames: bool,
}

impl Read {
    /// Nothing yet.
    fn new(flow: Flow) -> Self {
        Self {
            flow,
            packets: 0,
            bytes: 0,
            requests: None,
            is_silent: false,
            is_full: false,
            halves: 0,
            snaplen: None,
            error: None,
            unreadable: Vec::new(),
            unlike_frames: false,
        }
    }

    /// Why the input is not read as a whole, if it is not.
    fn why(&self) -> Option<Text> {
        let skipped: u64 = self.unreadable.iter().map(|(_, count)| count).sum();
        match (&self.error, self.unreadable.as_slice()) {
            (Some(error), _) => Some(error.text()),
            (None, [(link, _), ..]) if skipped == self.packets => {
                Some(Text::with("no packet can be read: their link type is {}", link))
            }
            (None, _) => None,
        }
    }

    fn outcome(&mut self, summary: Summary) -> Outcome {
        let unreadable = std::mem::take(&mut self.unreadable);
        Outcome {
            summary,
            error: self.error.take(),
            unreadable,
            unlike_frames: self.unlike_frames,
            requests: self.requests,
            is_silent: self.is_silent,
            is_full: self.is_full,
            halves: self.halves,
            snaplen: self.snaplen,
        }
    }
}

impl<S: Sink> Decoder<S> {
    /// Decodes an input from beginning to end.
    fn input(
        &mut self,
        input: Input,
        part: Part<'_>,
        threads: Threads,
        progress: &mut dyn FnMut(u64),
    ) -> Read {
        match input {
            Input::Bytes(bytes) => self.bytes(bytes, part, progress),
            Input::Har(archive) => self.archive(archive, part, progress),
            Input::Capture(capture) => {
                let mut following = Following::within(self.memory());
                let mut read = self.packets(&mut following, capture, part, threads, progress);
                self.packets_end(&mut following, &mut read);
                read
            }
        }
    }

    /// Hex and raw bytes: one connection without packets.
    fn bytes(&mut self, mut bytes: Bytes, part: Part<'_>, progress: &mut dyn FnMut(u64)) -> Read {
        const ONE: FlowId = FlowId(0);
        let mut error = None;
        self.open(ONE, &Beginning::GIVEN);
        let about =
            Meta { input: bytes.name().to_owned(), format: bytes.format().to_owned(), ..Meta::default() };
        let mut unlike_frames = (bytes.format() != "raw").then_some(false);
        let mut interest = match self.describe(part, &about) {
            flow if flow.is_break() => Interest::Stop,
            _ => Interest::Follow,
        };
        while interest != Interest::Stop {
            let chunk = match bytes.next() {
                None => break,
                Some(Err(e)) => {
                    error = Some(e);
                    break;
                }
                Some(Ok(chunk)) => chunk,
            };
            unlike_frames.get_or_insert_with(|| shape::is_unlike_frames(&chunk.bytes));
            let side = match chunk.dir {
                Some(Dir::Server) => Side::B,
                Some(Dir::Client) | None => Side::A,
            };
            if chunk.dir.is_some() {
                self.set_client(ONE, Side::A);
            }
            interest = self.data(ONE, side, &chunk.bytes, At::default());
            progress(bytes.bytes_read());
        }
        let mut flow = Flow::Break(());
        let without_handshake = self.has_no_handshake(ONE);
        if interest != Interest::Stop {
            flow = self.close(ONE, StreamEnd::Input, None);
        }
        Read {
            bytes: bytes.bytes_read(),
            error,
            // What a handshake opened is no matter of looks.
            unlike_frames: without_handshake && unlike_frames == Some(true),
            ..Read::new(flow)
        }
    }
}
