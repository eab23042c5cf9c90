//! Sessions of TLS 1.2 that are gone on with, where a program logs their secret once: Go does.

use crate::encrypted::{decoded, recorded, said};

#[test]
fn a_session_that_goes_on_is_read_with_the_secret_of_its_beginning() {
    let names = ["tls12-session-id.pcap", "tls12-session-ticket.pcap"];
    let all: Vec<_> = recorded().into_iter().filter(|one| names.contains(&one.name.as_str())).collect();
    assert_eq!(all.len(), names.len());
    for one in all {
        let lines: Vec<&[u8]> = one.keys.split_inclusive(|byte| *byte == b'\n').collect();
        assert_eq!(lines.len(), 2, "{}", one.name);
        assert_eq!(said(&decoded(&one.capture, lines[0])), one.connections, "{}", one.name);
        // Nobody knows from the end what the beginning was.
        assert_eq!(said(&decoded(&one.capture, lines[1])), one.connections[1..], "{}", one.name);
    }
}
