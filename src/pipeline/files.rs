//! Several files in one run.
//!
//! Each is a capture of its own, whose connections are numbered behind those of the files before; what
//! is remembered from one connection to the next is forgotten in between, because two files may be two
//! views of the same traffic. Or, as rotated captures are, they are parts of one capture: one tracker
//! follows their connections from file to file, and nothing tells where one begins.

use super::following::Following;
use super::{Means, Outcome, Part, Read, Threads};
use crate::decoder::{Census, Decoder};
use crate::input::Input;
use crate::model::{Body, Flow, Meta, Sink, Text, Unit};

/// What a run over several files came to.
#[derive(Debug)]
pub struct Files {
    /// The totals, and what concerns no single file.
    pub whole: Outcome,
    /// The files that were come to, in order; why not, where one could not be opened.
    pub each: Vec<Result<Outcome, Text>>,
}

/// Decodes the files of `meta`, one after the other, or as one capture where it says so.
///
/// `means` says what the run may use, but for threads: `open` is asked for a file by its place in the list,
/// and on how many threads it is decoded; `None` ends the run. A file that cannot be opened, or ends
/// badly, does not keep the others from being decoded.
pub fn run_files(
    meta: &Meta,
    open: &mut dyn FnMut(usize) -> Option<Result<(Input, Threads), Text>>,
    means: Means,
    sink: &mut dyn Sink,
    progress: &mut dyn FnMut(u64),
) -> Files {
    let mut decoder = means.decoder(sink);
    let mut flow = decoder.tell(&Unit::about_input(Body::Meta(meta)));
    let mut run = Run {
        decoder,
        meta,
        joined: meta.concat.then(|| Joined { following: Following::within(means.memory), packets: 0 }),
        census: Census::default(),
    };
    let mut each = Vec::new();
    for place in 0..meta.files.len() {
        let Some(input) = flow.is_continue().then(|| open(place)).flatten() else { break };
        let (outcome, more) = match input {
            Ok((input, threads)) => run.file(place, input, threads, progress),
            Err(why) => (Err(run.failed(place, why)), flow),
        };
        each.push(outcome);
        flow = more;
    }
    Files { whole: run.finish(flow), each }
}

struct Run<'r, 's> {
    decoder: Decoder<&'s mut dyn Sink>,
    meta: &'r Meta,
    /// Where the files are parts of one capture.
    joined: Option<Joined>,
    census: Census,
}

/// What goes on from file to file.
struct Joined {
    following: Following,
    packets: u64,
}

impl Run<'_, '_> {
    fn file(
        &mut self,
        place: usize,
        input: Input,
        threads: Threads,
        progress: &mut dyn FnMut(u64),
    ) -> (Result<Outcome, Text>, Flow) {
        let file = &self.meta.files[place];
        let mut read = match (&mut self.joined, input) {
            (None, input) => {
                let read = self.decoder.input(input, Part::One(file), threads, progress);
                // Another capture point would see the same keys and the same reconnects.
                self.decoder.forget().into_iter().for_each(|other| self.census.add(other));
                read
            }
            (Some(joined), Input::Capture(capture)) => {
                let part = Part::Further(joined.packets);
                let read = self.decoder.packets(&mut joined.following, capture, part, threads, progress);
                joined.packets += read.packets;
                read
            }
            (Some(_), Input::Bytes(_) | Input::Har(_)) => {
                let why = "this is no capture: --concat puts the packets of captures together".into();
                return (Err(self.failed(place, why)), Flow::Continue(()));
            }
        };
        let flow = read.flow;
        let summary = self.decoder.end_file(&file.name, read.packets, read.bytes, read.why());
        (Ok(read.outcome(summary)), flow)
    }

    /// Notes a file of which nothing can be decoded.
    fn failed(&mut self, place: usize, why: Text) -> Text {
        self.decoder.end_file(&self.meta.files[place].name, 0, 0, Some(why.clone()));
        why
    }

    fn finish(mut self, flow: Flow) -> Outcome {
        let mut read = Read::new(flow);
        let mut others = None;
        if let Some(mut joined) = self.joined {
            self.decoder.packets_end(&mut joined.following, &mut read);
            read.packets = joined.packets;
        } else {
            others = Some(self.census.take());
        }
        let (_, summary) = self.decoder.finish_files(others, read.why());
        read.outcome(summary)
    }
}
