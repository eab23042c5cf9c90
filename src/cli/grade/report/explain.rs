//! The bytes of a case, decoded as those of a capture are, and shown by the same views.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use crate::decoder::{Beginning, Decoder};
use crate::model::grade::Graded;
use crate::model::{At, Body, Dir, Flow, FlowId, ON, Receipt, Side, Sink, Time, Unit, Wants};
use crate::render::html::Records;
use crate::render::views::{Choice, Form, Kept};
use crate::render::{Options, View};

const ONE: FlowId = FlowId(0);

/// Shows them as `view` does.
///
/// # Errors
/// None: it is written to memory.
pub fn bytes(one: &Graded, view: &Choice, options: &Options, out: &mut Vec<u8>) -> io::Result<()> {
    let kept = Kept::default();
    let shown = decode(one, Shown(view.over(kept.clone(), Form::Text, options)));
    shown.0.end()?;
    out.extend(kept.take());
    out.push(b'\n');
    Ok(())
}

/// The same as records that a page draws, a line each.
pub fn records(one: &Graded, options: &Options) -> String {
    let told = decode(one, Recorded { records: Records::new(options), lines: String::new() });
    told.lines
}

fn decode<S: Sink>(one: &Graded, sink: S) -> S {
    let ends = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut decoder = Decoder::new(sink);
    decoder.open(ONE, &Beginning::opened([ends, ends]));
    let at = |after: std::time::Duration| {
        let time = u64::try_from(after.as_nanos()).unwrap_or(u64::MAX);
        At { time: Some(Time(time)), ..At::default() }
    };
    for piece in &one.wire {
        decoder.data(ONE, Side::of(piece.from), &piece.bytes, at(piece.after));
    }
    let kept: [u64; 2] = [Dir::Client, Dir::Server].map(|dir| {
        let of = one.wire.iter().filter(|piece| piece.from == dir);
        of.map(|piece| piece.bytes.len() as u64).sum()
    });
    // What is not kept is not missing.
    if kept == one.bytes
        && let Some(ended) = one.ended
        && let Some(how) = ended.stream
    {
        decoder.end(ONE, Side::of(ended.peer), how, Receipt::default(), at(one.took));
    }
    decoder.finish().0
}

/// What is said of the bytes, and nothing of what they come to: the case says that.
fn is_of_bytes(unit: &Unit<'_>) -> bool {
    matches!(unit.body, Body::Http(_) | Body::Opening(_) | Body::Frame(_) | Body::Message(_) | Body::Gap(_))
}

struct Shown(Box<dyn View>);

impl Sink for Shown {
    fn wants(&self) -> Wants {
        self.0.wants()
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if is_of_bytes(unit) { self.0.take(unit) } else { ON }
    }
}

struct Recorded {
    records: Records,
    lines: String,
}

impl Sink for Recorded {
    fn wants(&self) -> Wants {
        self.records.wants()
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if is_of_bytes(unit)
            && let Some(record) = self.records.of(unit)
        {
            self.lines.push_str(record);
            self.lines.push('\n');
        }
        ON
    }
}
