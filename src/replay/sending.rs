//! How recorded heads are sent to a live peer.

use super::draft::Draft;
use super::fault::{Fault, Misfit};
use super::heard::Heard;
use crate::http::accept_value;
use crate::model::Dir;

/// How a recorded request is sent.
#[derive(Clone, Debug, Default)]
pub struct Sending {
    /// The key to send; the recorded one if not given.
    pub key: Option<String>,
    /// The value of Host; the recorded one if not given.
    pub host: Option<String>,
    /// The request target; the recorded one if not given.
    pub target: Option<String>,
    /// Header fields that are set or, with an empty value, left out.
    pub headers: Vec<(String, String)>,
    /// What is made wrong on purpose.
    pub faults: Vec<Fault>,
}

/// How a recorded response is sent.
#[derive(Clone, Debug, Default)]
pub struct Answering<'k> {
    /// The live client's key, to be answered rightly; the recorded answer is sent if not given.
    pub key: Option<&'k [u8]>,
    /// What is made wrong on purpose.
    pub faults: Vec<Fault>,
}

impl Sending {
    /// The bytes to send.
    ///
    /// # Errors
    /// When a fault belongs to the other side.
    pub fn bytes(&self, recorded: &Heard) -> Result<Vec<u8>, Misfit> {
        let mut draft = Draft::new(recorded.bytes());
        if let Some(target) = &self.target {
            draft.set_target(target);
        }
        // What the recording lacks, or has wrong on purpose, is not mended.
        if let Some(host) = self.host.as_ref().filter(|_| draft.has("Host")) {
            draft.set("Host", host);
        }
        if let Some(key) = self.key.as_ref().filter(|_| draft.has_key()) {
            draft.set("Sec-WebSocket-Key", key);
        }
        for (name, value) in &self.headers {
            if value.is_empty() { draft.remove(name) } else { draft.set(name, value) }
        }
        for fault in &self.faults {
            fault.apply(Dir::Client, &mut draft, None)?;
        }
        Ok(draft.into_bytes())
    }
}

impl Answering<'_> {
    /// The bytes to send, body included.
    ///
    /// # Errors
    /// When a fault belongs to the other side.
    pub fn bytes(&self, recorded: &Heard) -> Result<Vec<u8>, Misfit> {
        let mut draft = Draft::new(recorded.bytes());
        if let Some(key) = self.key
            && draft.has("Sec-WebSocket-Accept")
        {
            draft.set("Sec-WebSocket-Accept", &accept_value(key));
        }
        let mut body = &recorded.body[..];
        for fault in &self.faults {
            if fault.apply(Dir::Server, &mut draft, self.key)? {
                body = &[];
            }
        }
        let mut bytes = draft.into_bytes();
        bytes.extend_from_slice(body);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::transcript::parse;

    #[test]
    fn faults_of_the_recording_are_not_mended() {
        let sending = Sending { key: Some("KEY".into()), host: Some("HOST".into()), ..Sending::default() };
        let sent = |text: &str| {
            let exchange = &parse(text.as_bytes(), "t")[0];
            let bytes = sending.bytes(exchange.request.as_ref().expect("a request")).expect("no fault");
            String::from_utf8(bytes).expect("UTF-8")
        };
        for (recorded, expected) in [
            (
                "Host: a\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
                "Host: HOST\r\nSec-WebSocket-Key: KEY",
            ),
            ("Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC==", "Sec-WebSocket-Key: KEY"),
            ("Sec-WebSocket-Key: short", "Sec-WebSocket-Key: short"),
            ("X: y", "X: y"),
        ] {
            let head = |fields: &str| format!("GET / HTTP/1.1\r\n{fields}\r\n\r\n");
            assert_eq!(sent(&head(recorded)), head(expected));
        }
    }
}
