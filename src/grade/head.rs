//! The head of a handshake as a case sends it: what is in it, and in which pieces it goes.

use std::sync::Arc;
use std::time::Duration;

use crate::limits;
use crate::model::StreamEnd;
use crate::synth::handshake::{Edits, Request, Response};
use crate::synth::{Line, ScriptError, script, split};

/// The head that is sent instead of a right one: `request drop=Host` or `response accept=x`, without its
/// first word.
///
/// # Errors
/// What cannot be understood.
pub fn request(text: &str) -> Result<(Request, Pacing), ScriptError> {
    let (mut line, pacing) = head(text)?;
    let mut request = script::request(&mut line)?;
    request.edits = script::edits(&mut line)?;
    fields(&mut line, &mut request.edits)?;
    line.end()?;
    Ok((request, pacing))
}

/// The same of a response.
///
/// # Errors
/// What cannot be understood.
pub fn response(text: &str) -> Result<(Response, Pacing), ScriptError> {
    let (mut line, pacing) = head(text)?;
    let mut response = script::response(&mut line)?;
    fields(&mut line, &mut response.edits)?;
    line.end()?;
    Ok((response, pacing))
}

/// `fields=2000`: so many fields in front of those that are added. `pad=65536`: one of so many bytes there.
/// `repeat=500 of="x"`: what stands for `{repeated}` in those that are added.
fn fields(line: &mut Line, edits: &mut Edits) -> Result<(), ScriptError> {
    let mut more = Vec::new();
    if let Some(word) = line.option("fields") {
        more.extend((0..line.within(&word, 1, limits::TEXT_INPUT)?).map(|n| format!("X-Field-{n}: {n}")));
    }
    if let Some(word) = line.option("pad") {
        let size = line.within(&word, 1, limits::TEXT_INPUT)? as usize;
        more.push(format!("X-Pad: {}", "x".repeat(size)));
    }
    if let Some(of) = line.text("of")? {
        let times = number(line, "repeat", 1)?.unwrap_or(1).min(limits::TEXT_INPUT / of.len().max(1) as u64);
        let repeated = of.repeat(times as usize);
        for text in edits.add.iter_mut().chain(&mut edits.line) {
            *text = text.replace("{repeated}", &repeated);
        }
    }
    edits.add.splice(0..0, more);
    Ok(())
}

/// How a head is sent: in which pieces, how much of it, and what comes behind it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pacing {
    /// Bytes of a write.
    pub chop: Option<usize>,
    /// Between two writes.
    pub every: Duration,
    /// Only so many bytes of it are sent.
    pub cut: Option<usize>,
    /// Only what follows the head is.
    pub is_bare: bool,
    /// In the place of the line that ends it this comes, so often.
    pub endless: Option<(u64, Arc<[u8]>)>,
    /// What comes behind it, if the conversation does not.
    pub end: Option<StreamEnd>,
}

fn head(text: &str) -> Result<(Line, Pacing), ScriptError> {
    let words = split(1, &text.lines().collect::<Vec<_>>().join(" "))?;
    let mut line = Line { number: 1, words };
    let chop = number(&mut line, "chop", 1)?.map(|chop| chop as usize);
    let every = match line.option("every") {
        Some(word) => Duration::from_nanos(line.time(&word)?),
        None => Duration::ZERO,
    };
    let cut = number(&mut line, "cut", 0)?.map(|cut| cut as usize);
    let with = line.option("with").map_or_else(|| b"X-More: and more\r\n".to_vec(), |word| word.value);
    let endless = number(&mut line, "endless", 1)?.map(|times| (times, with.into()));
    let end = match [line.flag("fin"), line.flag("rst")] {
        [true, _] => Some(StreamEnd::Fin),
        [_, true] => Some(StreamEnd::Rst),
        _ => None,
    };
    let is_bare = line.flag("bare");
    Ok((line, Pacing { chop, every, cut, is_bare, endless, end }))
}

pub(super) fn number(line: &mut Line, name: &str, low: u64) -> Result<Option<u64>, ScriptError> {
    let Some(word) = line.option(name) else { return Ok(None) };
    line.within(&word, low, u64::MAX).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_odd_as_asked() {
        let text = "drop=Host cut=9 rst fields=2 repeat=3 of=\"ab\" header=\"X: {repeated}\" \
                    line=\"GET /{repeated}\"";
        let (request, pacing) = request(text).unwrap();
        assert_eq!(request.edits.add, ["X-Field-0: 0", "X-Field-1: 1", "X: ababab"]);
        assert_eq!((request.edits.line.as_deref(), &*request.edits.drop[0]), (Some("GET /ababab"), "Host"));
        assert_eq!((pacing.cut, pacing.end), (Some(9), Some(StreamEnd::Rst)));
        let (response, pacing) = response("pad=5 endless=7 with=\"x\" fin").unwrap();
        assert_eq!(response.edits.add, ["X-Pad: xxxxx"]);
        assert_eq!((pacing.endless, pacing.end), (Some((7, b"x".as_slice().into())), Some(StreamEnd::Fin)));
    }
}
