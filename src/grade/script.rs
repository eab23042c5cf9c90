//! What is sent in a case and what may come back, a line each: the words are those of
//! [conversation scripts](crate::synth::script), without the endpoint's name.
//!
//! ```text
//! text "Hel" no-fin                  sent
//! ping "x" chop=1 every=1ms          in TCP segments of a byte, one a millisecond
//! binary fill=noise size=1000 times=50 window=8
//! wait 250ms                         nothing is sent for a while
//! deaf 2s                            nothing is read for so long, while we go on
//! still A 1s                         an event, if the peer keeps the connection for so long
//! await 1                            goes on when so many events have come
//! fin                                ends our stream; rst: resets it
//! text "Hello" cut=3                 its first three bytes; cut=+3: header, and as much of the payload
//! rest 2                             two more of what was kept back; rest: all of it
//! binary fill=zeros size=65536 times=1024 stuck=1s
//!                                    an event `stuck`, and no more of them, if nothing is taken for so long
//! nothing times=1000                 writes of no bytes: over HTTP/2 empty DATA frames
//! ```

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use crate::limits;
use crate::model::{Dir, Opcode, Text};
use crate::synth::conversation::Content;
use crate::synth::frames::{Message, Shape};
use crate::synth::{Line, ScriptError, script, split};

pub use super::fill::Fill;
use super::head::number;
pub use super::head::{Pacing, request, response};

/// A step of a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Something is sent.
    Send(Send),
    /// Nothing is, for so long.
    Wait(Duration),
    /// Nothing is read for so long; what is sent meanwhile is sent.
    Deaf(Duration),
    /// An event of this name, if the peer keeps the connection for so long.
    Still(String, Duration),
    /// So many events are waited for.
    Await(u64),
    /// So many bytes of what was cut off, or all of them.
    Rest(Option<usize>),
    /// So many writes of no bytes.
    Nothing(u64),
    /// Our stream is ended.
    Finish,
    /// The connection is reset.
    Reset,
}

impl Step {
    /// Whether it begins the end of the connection.
    pub fn ends(&self) -> bool {
        match self {
            Self::Finish | Self::Reset => true,
            Self::Send(Send { what, .. }) => what.is_close(),
            _ => false,
        }
    }

    /// Bytes of payload that it sends.
    pub fn weight(&self) -> u64 {
        match self {
            Self::Send(Send { what: What::Message { payload, .. }, times, .. }) => {
                times.saturating_mul(payload.length() as u64)
            }
            Self::Send(Send { what: What::Raw(bytes), times, .. }) => {
                times.saturating_mul(bytes.len() as u64)
            }
            _ => 0,
        }
    }
}

/// Something that is sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Send {
    /// What.
    pub what: What,
    /// How often.
    pub times: u64,
    /// Messages that may be without an answer before the next is sent.
    pub window: Option<u64>,
    /// Bytes of a write.
    pub chop: Option<usize>,
    /// Between two writes.
    pub every: Duration,
    /// Kept back, and sent in one write with what is sent next.
    pub more: bool,
    /// How much of it is sent now.
    pub cut: Option<Cut>,
    /// How long the peer may take nothing of it; then no more of it is sent, which is an event.
    pub stuck: Option<Duration>,
}

/// Where something is cut in two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Behind so many bytes.
    At(usize),
    /// Behind so many bytes of the first frame's payload.
    Payload(usize),
}

/// What is sent.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A message in frames, or one frame of it.
    Message {
        /// Text, binary, continuation, close, ping or pong.
        opcode: Opcode,
        /// Before it is compressed and masked.
        payload: Payload,
        /// How it is put into frames.
        shape: Shape,
        /// Whether it is compressed as was agreed.
        deflate: bool,
    },
    /// Bytes of the stream as they are.
    Raw(Vec<u8>),
}

impl What {
    /// Whether it is a Close frame, and said to be one.
    pub fn is_close(&self) -> bool {
        matches!(self, Self::Message { opcode: Opcode::CLOSE, .. })
    }
}

impl Cut {
    /// How much of a frame, or of bytes as they are, comes before it.
    pub fn behind(self, bytes: &[u8]) -> usize {
        let at = match self {
            Self::At(at) => at,
            Self::Payload(at) => {
                let second = bytes.get(1).copied().unwrap_or_default();
                let length = match second & 0x7F {
                    126 => 2,
                    127 => 8,
                    _ => 0,
                };
                2 + length + usize::from(second >> 7) * 4 + at
            }
        };
        at.min(bytes.len())
    }
}

/// A payload, or how it is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// These bytes.
    Bytes(Arc<[u8]>),
    /// So many bytes of a kind; each seed gives others.
    Fill(Fill, usize, u64),
}

/// What may come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// A message or control frame; `None` where any payload will do.
    Data(Opcode, Option<Payload>),
    /// The connection was still there.
    Still(String),
    /// The peer begins the end of the connection.
    Ends,
    /// That, or not.
    Maybe(Box<Want>),
    /// That, as often as it likes.
    Many(Box<Want>),
}

impl Payload {
    /// Its bytes; those of the `nth` of several.
    pub fn bytes(&self, nth: u64) -> Cow<'_, [u8]> {
        match self {
            Self::Bytes(bytes) => Cow::Borrowed(bytes),
            Self::Fill(fill, size, seed) => Cow::Owned(fill.bytes(*size, seed.wrapping_add(nth))),
        }
    }

    fn nth(&self, nth: u64) -> Self {
        match self {
            Self::Bytes(bytes) => Self::Bytes(Arc::clone(bytes)),
            Self::Fill(fill, size, seed) => Self::Fill(*fill, *size, seed.wrapping_add(nth)),
        }
    }

    /// Whether these are its bytes.
    pub fn is(&self, bytes: &[u8]) -> bool {
        match self {
            Self::Bytes(own) => **own == *bytes,
            Self::Fill(fill, size, seed) => fill.is(*size, *seed, bytes),
        }
    }

    /// How many bytes there are.
    pub fn length(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Fill(_, size, _) => *size,
        }
    }
}

/// Reads what `us` sends.
///
/// # Errors
/// The first line that cannot be understood.
pub fn play(text: &str, us: Dir) -> Result<Vec<Step>, ScriptError> {
    let mut steps = Vec::new();
    for mut line in lines(text)? {
        let verb = line.words[0].clone();
        match verb.bare() {
            Some(verb @ ("wait" | "deaf" | "still" | "await" | "rest" | "fin" | "rst" | "nothing")) => {
                line.words.remove(0);
                steps.push(other(verb, &mut line)?);
            }
            _ => steps.push(Step::Send(send(us, &mut line)?)),
        }
        line.end()?;
    }
    Ok(steps)
}

fn other(verb: &str, line: &mut Line) -> Result<Step, ScriptError> {
    Ok(match verb {
        "fin" => Step::Finish,
        "rst" => Step::Reset,
        "nothing" => Step::Nothing(number(line, "times", 1)?.unwrap_or(1)),
        "rest" if line.words.is_empty() => Step::Rest(None),
        "rest" => {
            let word = line.first("how many bytes")?;
            Step::Rest(Some(line.number(&word)? as usize))
        }
        "await" => {
            let word = line.first("how many events")?;
            Step::Await(line.number(&word)?)
        }
        "still" => {
            let name = line.first("a name")?;
            let time = line.first("a time, such as 1s")?;
            let name = String::from_utf8_lossy(&name.value).into_owned();
            Step::Still(name, Duration::from_nanos(line.time(&time)?))
        }
        _ => {
            let time = line.first("a time, such as 250ms")?;
            let time = Duration::from_nanos(line.time(&time)?);
            if verb == "deaf" { Step::Deaf(time) } else { Step::Wait(time) }
        }
    })
}

fn send(us: Dir, line: &mut Line) -> Result<Send, ScriptError> {
    let times = number(line, "times", 1)?.unwrap_or(1);
    let window = number(line, "window", 1)?;
    let chop = number(line, "chop", 1)?.map(|chop| chop as usize);
    let every = match line.option("every") {
        Some(word) => Duration::from_nanos(line.time(&word)?),
        None => Duration::ZERO,
    };
    let stuck = match line.option("stuck") {
        Some(word) => Some(Duration::from_nanos(line.time(&word)?)),
        None => None,
    };
    let more = line.flag("more");
    let deflate = line.flag("deflate");
    let cut = cut(line)?;
    let fill = fill(line)?;
    let what = match script::content(us, line)? {
        Content::Message(Message { opcode, payload }, shape) => {
            What::Message { opcode, payload: fill.unwrap_or(Payload::Bytes(payload.into())), shape, deflate }
        }
        Content::Raw(bytes) => What::Raw(bytes),
        Content::Request(_) | Content::Response(_) => {
            return Err(line.error(1, "a head has a place of its own"));
        }
    };
    Ok(Send { what, times, window, chop, every, more, cut, stuck })
}

/// `cut=3`, `cut=+3`.
fn cut(line: &mut Line) -> Result<Option<Cut>, ScriptError> {
    let Some(mut word) = line.option("cut") else { return Ok(None) };
    let is_payload = word.value.first() == Some(&b'+');
    if is_payload {
        word.value.remove(0);
    }
    let at = line.number(&word)? as usize;
    Ok(Some(if is_payload { Cut::Payload(at) } else { Cut::At(at) }))
}

/// `fill=words size=1000 seed=7`.
fn fill(line: &mut Line) -> Result<Option<Payload>, ScriptError> {
    let Some(word) = line.option("fill") else { return Ok(None) };
    let Some(fill) = str::from_utf8(&word.value).ok().and_then(Fill::named) else {
        return Err(line.error(word.column, "fill is words, json, html, picture, mixed, noise or zeros"));
    };
    let seed = number(line, "seed", 0)?.unwrap_or_default();
    let Some(size) = line.option("size") else {
        return Err(line.error(word.column, "size=N has to be said, too"));
    };
    let size = line.within(&size, 0, limits::TEXT_INPUT)?;
    Ok(Some(Payload::Fill(fill, size as usize, seed)))
}

/// Reads what may come, in its order. `echo` stands for the messages of `sent`, whole.
///
/// # Errors
/// The first line that cannot be understood.
pub fn wants(text: &str, sent: &[Step]) -> Result<Vec<Want>, ScriptError> {
    let mut wants = Vec::new();
    for mut line in lines(text)? {
        let is_maybe = line.flag("maybe");
        let is_many = line.flag("many");
        let times = number(&mut line, "times", 1)?.unwrap_or(1);
        let Some(verb) = line.words[0].bare().map(str::to_owned) else {
            return Err(line.error(1, KINDS));
        };
        line.words.remove(0);
        let maybe = |want| match (is_maybe, is_many) {
            (_, true) => Want::Many(Box::new(want)),
            (true, false) => Want::Maybe(Box::new(want)),
            (false, false) => want,
        };
        if verb == "echo" {
            wants.extend(echo(sent).map(|(opcode, payload)| maybe(Want::Data(opcode, Some(payload)))));
            line.end()?;
            continue;
        }
        let opcode = match verb.as_str() {
            "text" => Opcode::TEXT,
            "binary" => Opcode::BINARY,
            "ping" => Opcode::PING,
            "pong" => Opcode::PONG,
            "ends" => {
                wants.push(maybe(Want::Ends));
                line.end()?;
                continue;
            }
            "still" => {
                let name = line.first("a name")?;
                wants.push(maybe(Want::Still(String::from_utf8_lossy(&name.value).into_owned())));
                line.end()?;
                continue;
            }
            _ => return Err(line.error(1, KINDS)),
        };
        let payload = match fill(&mut line)? {
            Some(fill) => Some(fill),
            None if line.flag("any") => None,
            None => Some(Payload::Bytes(line.payload()?.into())),
        };
        let nth = |nth| maybe(Want::Data(opcode, payload.as_ref().map(|payload| payload.nth(nth))));
        wants.extend((0..times).map(nth));
        line.end()?;
    }
    Ok(wants)
}

const KINDS: &str = "what may come is text, binary, ping, pong, still, ends or echo";

/// The messages of a script, whole.
fn echo(sent: &[Step]) -> impl Iterator<Item = (Opcode, Payload)> {
    let mut unfinished: Option<(Opcode, Vec<u8>)> = None;
    let mut messages = Vec::new();
    for step in sent {
        let Step::Send(Send { what: What::Message { opcode, payload, shape, .. }, times, .. }) = step else {
            continue;
        };
        if opcode.is_control() {
            continue;
        }
        for nth in 0..*times {
            match (&mut unfinished, shape.no_fin) {
                (None, false) => messages.push((*opcode, payload.nth(nth))),
                (None, true) => unfinished = Some((*opcode, payload.bytes(nth).into_owned())),
                (Some((_, bytes)), _) => bytes.extend_from_slice(&payload.bytes(nth)),
            }
            if !shape.no_fin
                && let Some((opcode, bytes)) = unfinished.take()
            {
                messages.push((opcode, Payload::Bytes(bytes.into())));
            }
        }
    }
    messages.into_iter()
}

fn lines(text: &str) -> Result<Vec<Line>, ScriptError> {
    let mut lines = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let words = split(i + 1, line)?;
        if !words.is_empty() {
            lines.push(Line { number: i + 1, words });
        }
    }
    Ok(lines)
}

/// A time as scripts have it.
///
/// # Errors
/// How it is written.
pub fn time(text: &str) -> Result<Duration, Text> {
    let words = split(1, text).map_err(|error| error.message)?;
    let line = Line { number: 1, words: Vec::new() };
    let word = words.first().ok_or_else(|| Text::new("a time is a number and a unit: 20us, 250ms, 3s"))?;
    line.time(word).map(Duration::from_nanos).map_err(|error| error.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_steps() {
        let text = "text \"Hel\" no-fin more\nping \"x\" chop=1 every=1ms # odd\nwait 250ms\nstill A 1s\n\
                    await 2\nfin\nrst\ntext \"x\" cut=+3\nrest 2\nrest\nnothing times=7\n\
                    binary 00 stuck=2s";
        let steps = play(text, Dir::Client).unwrap();
        assert_eq!(steps.len(), 12);
        let Step::Send(Send { what: What::Message { shape, .. }, more: true, .. }) = &steps[0] else {
            panic!()
        };
        assert!(shape.no_fin && *shape == Shape { no_fin: true, ..Shape::of(Dir::Client) });
        let Step::Send(Send { chop: Some(1), every, .. }) = &steps[1] else { panic!() };
        assert_eq!(*every, Duration::from_millis(1));
        assert_eq!(steps[3], Step::Still("A".into(), Duration::from_secs(1)));
        assert_eq!(steps[4..7], [Step::Await(2), Step::Finish, Step::Reset]);
        assert!(matches!(steps[7], Step::Send(Send { cut: Some(Cut::Payload(3)), .. })));
        assert_eq!(steps[8..11], [Step::Rest(Some(2)), Step::Rest(None), Step::Nothing(7)]);
        let Step::Send(Send { stuck, .. }) = &steps[11] else { panic!() };
        assert_eq!(*stuck, Some(Duration::from_secs(2)));
    }

    #[test]
    fn echo_is_what_was_sent_whole() {
        let text = "text \"Hel\" no-fin\nping \"x\"\ncontinuation \"lo\"\nbinary fill=noise size=9 times=2";
        let steps = play(text, Dir::Server).unwrap();
        let wants = wants("pong \"x\"\necho\nmaybe still A", &steps).unwrap();
        let bytes = |text: &[u8]| Some(Payload::Bytes(text.into()));
        assert_eq!(wants[0], Want::Data(Opcode::PONG, bytes(b"x")));
        assert_eq!(wants[1], Want::Data(Opcode::TEXT, bytes(b"Hello")));
        assert_eq!(wants[3], Want::Data(Opcode::BINARY, Some(Payload::Fill(Fill::Noise, 9, 1))));
        assert_eq!(wants[4], Want::Maybe(Box::new(Want::Still("A".into()))));
    }

    #[test]
    fn what_is_not_understood_has_its_place() {
        for (text, place) in [("text \"a\nfin", "1:6"), ("wait", "1:1"), ("text \"a\" size=3 foo", "1:17")] {
            let error = play(text, Dir::Client).expect_err(text).to_string();
            assert!(error.starts_with(place), "{error}");
        }
        assert!(wants("close 1000", &[]).is_err());
    }

    #[test]
    fn fillings_are_as_long_as_asked_and_differ() {
        for fill in [Fill::Words, Fill::Json, Fill::Noise] {
            let [one, two] = [0, 1].map(|seed| Payload::Fill(fill, 1000, seed).bytes(0).into_owned());
            assert!(one.len() == 1000 && one != two);
            assert_eq!(Payload::Fill(fill, 1000, 0).bytes(1), two);
        }
    }
}
