//! How the WebSocket connections of captures ended:
//!
//! ```sh
//! cargo run --example close_codes -- samples/*.pcap
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::File;

use wstool::model::{Body, CloseCode, Flow, ON, Sink, Unit, Wants};
use wstool::{input, pipeline};

/// How many connections ended with each close code, or with none.
#[derive(Default)]
struct CloseCodes(BTreeMap<Option<CloseCode>, u64>);

impl Sink for CloseCodes {
    /// Neither fields nor payloads, so none are made.
    fn wants(&self) -> Wants {
        Wants::NOTHING
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        if let Body::Connection(connection) = unit.body
            && let Some(ending) = &connection.ending
            && connection.handshake.is_websocket()
        {
            *self.0.entry(ending.close_code).or_default() += 1;
        }
        ON
    }
}

fn count(path: &str, codes: &mut CloseCodes) -> Result<(), Box<dyn Error>> {
    let input = input::open(Box::new(File::open(path)?), path)?;
    match pipeline::run(input, codes, &mut |_| ()).error {
        // What came before the damage is counted.
        Some(error) => Err(error.into()),
        None => Ok(()),
    }
}

fn main() {
    let mut codes = CloseCodes::default();
    for path in std::env::args().skip(1) {
        if let Err(error) = count(&path, &mut codes) {
            eprintln!("{path}: {error}");
        }
    }
    for (code, connections) in &codes.0 {
        match code {
            Some(code) => println!("{connections:6}  {} {}", code.0, code.name()),
            None => println!("{connections:6}  none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capture_and_a_file_of_bytes() {
        let mut codes = CloseCodes::default();
        for sample in ["chat.pcap", "rfc6455/5.7-ping.hex"] {
            count(&format!("{}/samples/{sample}", env!("CARGO_MANIFEST_DIR")), &mut codes).unwrap();
        }
        assert_eq!(codes.0.into_iter().collect::<Vec<_>>(), [(None, 1), (Some(CloseCode(1000)), 2)]);
        let missing = count("no such file", &mut CloseCodes::default());
        assert!(missing.is_err());
    }
}
