//! Below TLS: with `--keylog` a capture holds what goes over the network, and the keys to read it.

use std::path::Path;

use crate::cli::Look;
use crate::cli::dial::keylog::{self, Args, Keylog, Told};
use crate::lab::tap::{Recording, Tap};
use crate::model::Text;

/// Where the keys of TLS go, and the bytes that they are for.
#[derive(Debug)]
pub struct Below {
    /// How the command speaks.
    pub(super) look: Look,
    /// Where keys go.
    pub keylog: Keylog,
    /// Where is told what goes over the network; it may be that nobody listens.
    pub tap: Tap,
    /// What a capture is made of.
    pub(super) recording: Option<Recording>,
}

impl Below {
    /// Nothing is listened to, nor logged.
    pub fn nothing(look: Look) -> Self {
        Self { look, keylog: Keylog::default(), tap: Tap::idle(), recording: None }
    }

    /// What was asked for: a key log, and a capture, which has use for the keys.
    ///
    /// # Errors
    /// Why keys cannot be written.
    pub(super) fn open(keylog: &Args, pcap: Option<&Path>, look: Look) -> Result<Self, Text> {
        // What somebody set for other programs changes nothing of what a capture holds.
        let (tap, recording) = match (&keylog.keylog, pcap) {
            (Some(_), Some(_)) => {
                let (tap, recording) = Tap::new();
                (tap, Some(recording))
            }
            _ => (Tap::idle(), None),
        };
        let teller = tap.clone();
        let told: Told = Box::new(move |line| teller.secret(line));
        let keylog = keylog::open(keylog.keylog.as_deref(), recording.is_some().then_some(told), look)?;
        Ok(Self { look, keylog, tap, recording })
    }
}
