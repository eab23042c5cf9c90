//! What a file is that was taken for a capture or hex, and is neither.

use std::io::Read;
use std::path::Path;

use super::file;
use crate::input::InputError;
use crate::limits;
use crate::model::Text;
use crate::synth::script;

/// Why the file `name` could not be opened as an input, and what to try.
pub(super) fn text(name: &str, error: &InputError) -> Text {
    if matches!(error, InputError::Hex { .. }) && is_script(name) {
        return Text::with(
            "this is a script: wstool encode --script {} --pcap FILE makes a capture of it",
            name,
        );
    }
    error.text()
}

/// Whether a file is a script of `encode`, as many of the samples are.
fn is_script(name: &str) -> bool {
    let mut text = String::new();
    let limit = limits::TRANSCRIPT as u64;
    let read = file::open(Path::new(name)).and_then(|file| file.reader.take(limit).read_to_string(&mut text));
    read.is_ok() && script::parse(&text).is_ok_and(|steps| !steps.is_empty())
}
