//! A server's bytes held against the rules, as a test does it:
//!
//! ```sh
//! cargo run --example assert_finding
//! ```

use wstool::decoder::{Beginning, Decoder};
use wstool::model::{At, Finding, Flow, FlowId, ON, Opcode, Side, Sink, Unit, Wants};
use wstool::ws::encode;

/// Keeps what is found.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Sink for Findings {
    fn wants(&self) -> Wants {
        Wants::NOTHING
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.0.extend_from_slice(unit.findings);
        ON
    }
}

/// What is wrong with the frames that a server sends.
fn findings(frames: &[u8]) -> Vec<Finding> {
    let mut decoder = Decoder::new(Findings::default());
    decoder.open(FlowId(0), &Beginning::GIVEN);
    decoder.set_client(FlowId(0), Side::A);
    decoder.data(FlowId(0), Side::B, frames, At::default());
    decoder.finish().0.0
}

/// A server that is to be tested: it greets, and masks what it sends if it is told to.
fn greet(masked: bool) -> Vec<u8> {
    encode::whole(Opcode::TEXT, masked.then_some([1, 2, 3, 4]), b"Hello")
}

fn main() {
    for finding in findings(&greet(true)) {
        println!("{}: {} ({})", finding.rule.id, finding.rule.title, finding.rule.cite);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wstool::ws::MASKED_SERVER_FRAME;

    #[test]
    fn the_greeting_is_right() {
        assert_eq!(findings(&greet(false)), []);
    }

    #[test]
    fn a_masked_one_is_told() {
        let found: Vec<_> = findings(&greet(true)).iter().map(|finding| finding.rule).collect();
        assert_eq!(found, [&MASKED_SERVER_FRAME]);
    }
}
