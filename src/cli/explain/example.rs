//! Examples, shown by the decoder itself: a page cannot miscount what it does not count.

use std::io::Cursor;

use crate::explain::Example;
use crate::input::{self, Input};
use crate::model::{Body, Flow, Frame, ON, Sink, Unit, Wants};
use crate::render::{Messages, Options, Tree};
use crate::{pipeline, timeline};

/// Bytes that are shown in hex before the rest is left out.
const BYTES: usize = 20;

/// Characters of a packet that are worth a line before it is explained.
const LONGEST: usize = 60;

/// The example as the views of `decode` show it, in whole lines.
pub fn shown(options: &Options, example: &Example) -> String {
    let what = match example {
        Example::Frames(hex) => {
            let bytes: Vec<&str> = hex.split_whitespace().collect();
            let more = if bytes.len() > BYTES { " ..." } else { "" };
            format!("{}{more}", bytes[..bytes.len().min(BYTES)].join(" "))
        }
        // These are shown whole below.
        Example::Head(_) => String::new(),
        Example::EngineIo(packet) | Example::SocketIo(packet) if packet.len() > LONGEST => String::new(),
        Example::EngineIo(packet) | Example::SocketIo(packet) => (*packet).to_owned(),
    };
    let head = format!("{}  {what}", options.lang.words("example"));
    // Writing to memory cannot fail.
    let out = match example {
        Example::Frames(_) | Example::Head(_) => {
            let mut view = Tree::new(Vec::new(), *options);
            read(example, &mut Content(&mut view));
            view.finish()
        }
        Example::EngineIo(_) | Example::SocketIo(_) => {
            let mut view = Messages::new(Vec::new(), *options);
            read(example, &mut Content(&mut view));
            view.finish()
        }
    };
    format!("{}\n\n{}", head.trim_end(), String::from_utf8_lossy(&out.unwrap_or_default()))
}

/// Decodes an example.
pub fn read(example: &Example, sink: &mut dyn Sink) {
    let input = match example {
        Example::Frames(hex) => input::from_argument(hex),
        Example::Head(head) => raw(head.clone()),
        Example::EngineIo(packet) => {
            let _: Flow = timeline::pasted::show(&timeline::pasted::engine_io(packet, 4), sink);
            None
        }
        Example::SocketIo(packet) => {
            let _: Flow = timeline::pasted::show(&timeline::pasted::socket_io(packet), sink);
            None
        }
    };
    if let Some(input) = input {
        pipeline::run(input, sink, &mut |_| ());
    }
}

fn raw(bytes: String) -> Option<Input> {
    input::open(Box::new(Cursor::new(bytes)), "example").ok()
}

/// What is in the bytes, without what frames it: no input, no connection, no summary.
struct Content<'s>(&'s mut dyn Sink);

impl Sink for Content<'_> {
    fn wants(&self) -> Wants {
        self.0.wants()
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        match unit.body {
            // That it is a frame is known here.
            Body::Frame(frame) => {
                let frame = Frame { inferred: false, ..*frame };
                self.0.take(&Unit { body: Body::Frame(&frame), ..*unit })
            }
            Body::Message(_) | Body::Http(_) | Body::Packet(_) => self.0.take(unit),
            _ if !unit.findings.is_empty() => self.0.take(unit),
            _ => ON,
        }
    }
}
