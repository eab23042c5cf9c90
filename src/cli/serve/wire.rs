//! What draws the wire beside the pages: the records and the script of `decode --format html`.

use crate::decoder::{Decoder, Extensions};
use crate::input;
use crate::lab::panels::Panels;
use crate::lab::serve::Wire;
use crate::lang::Lang;
use crate::model::{At, Dir, FlowId, ON, Side, StreamEnd};
use crate::render::Options;
use crate::render::html::{self, Records, Told};

/// Draws for pages of which `panels` tells.
pub(super) fn drawn(panels: Panels) -> Wire {
    Wire { panels, script: html::SCRIPT, style: html::STYLE, words: html::words, decode }
}

/// The only connection there is.
const ONE: FlowId = FlowId(0);

fn decode(text: &str, from: Dir, lang: Lang) -> Result<String, String> {
    let chunks = input::hex::parse(text).map_err(|wrong| lang.say(&wrong.text()).into_owned())?;
    let mut records = String::new();
    let mut told = Told::new(Records::new(&Options { lang, ..Options::default() }), |record: &str| {
        records.push_str(record);
        records.push('\n');
        ON
    });
    let mut decoder = Decoder::new(&mut told);
    decoder.open_upgraded(ONE, None, Extensions::NONE);
    for chunk in chunks {
        decoder.data(ONE, Side::of(from), &chunk.bytes, At::default());
    }
    // What it has told stands already.
    let _ = decoder.close(ONE, StreamEnd::Input, None);
    decoder.finish();
    Ok(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_judged_by_who_sends_them() {
        let hello = "81 05 48 65 6c 6c 6f";
        let of = |from| decode(hello, from, Lang::En).unwrap();
        assert!(of(Dir::Client).contains("unmasked-client-frame"));
        assert!(!of(Dir::Server).contains("unmasked-client-frame") && of(Dir::Server).contains("Hello"));
        assert!(of(Dir::Server).lines().all(|line| line.starts_with('{') && line.ends_with('}')));
    }

    #[test]
    fn what_is_no_hex_is_said() {
        let why = decode("81 zz", Dir::Client, Lang::En).unwrap_err();
        assert!(why.contains("zz"), "{why}");
    }
}
