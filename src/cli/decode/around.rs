//! `--around`: which connection a packet is of, and what is around it.

use super::opening::{is_pipe, open};
use super::{Args, Narrowed};
use crate::cli::interrupt::Interrupt;
use crate::input::Input;
use crate::model::{Text, Time};
use crate::net::{Glance, glance};
use crate::select::{Place, Span, Stream, Window};

/// What is around the place that is asked for. A packet stands for its connection, which is looked up first:
/// where an input cannot be read twice, what is around it is shown of all connections.
///
/// # Errors
/// Why there is nothing around it.
pub(super) fn narrow(
    args: &Args,
    inputs: &[String],
    interrupt: &Interrupt,
) -> Result<Option<Narrowed>, Text> {
    let (number, span) = match &args.around {
        None => return Ok(None),
        Some(Place::Time(when, nanos)) => return Ok(Some((Window::Around(*when, *nanos), None))),
        Some(Place::Packet(number, span)) => (*number, *span),
    };
    let found = match inputs {
        [name] if name != "-" && !is_pipe(name) => look_up(name, number, interrupt)?,
        _ => None,
    };
    let window = match (span, &found) {
        (Span::Packets(packets), _) => {
            Window::Packets(number.saturating_sub(packets)..=number.saturating_add(packets))
        }
        (Span::Nanos(nanos), Some(packet)) => Window::Between(
            Time(packet.time.0.saturating_sub(nanos)),
            Time(packet.time.0.saturating_add(nanos)),
        ),
        (Span::Nanos(_), None) => {
            return Err(
                "the time of a packet is known once it is there: name one file, or say how many packets \
                        around it, as in --around 1234,50"
                    .into(),
            );
        }
    };
    Ok(Some((window, found.and_then(|packet| packet.between))))
}

/// A packet that was asked for.
struct Found {
    time: Time,
    /// The connection it is of, where it is of one.
    between: Option<Stream>,
}

fn look_up(name: &str, number: u64, interrupt: &Interrupt) -> Result<Option<Found>, Text> {
    // What cannot be opened is told when it is decoded.
    let Ok(opened) = open(name, interrupt) else { return Ok(None) };
    let Input::Capture(mut capture) = opened.input else {
        return Err(Text::with("there is no packet {}: this is no capture", number));
    };
    let mut last = 0;
    while let Some(Ok(packet)) = capture.next() {
        last = packet.number;
        if packet.number < number {
            continue;
        }
        let between = match glance(&packet) {
            Some(Glance::Segment { from, to, .. }) => Some(Stream::Between(from, to)),
            _ => None,
        };
        return Ok(Some(Found { time: packet.time, between }));
    }
    Err(Text::with("there is no packet {}: they are numbered 1 to {}", number).and(last))
}
