//! Hex text to bytes, in the forms people paste.
//!
//! | Form | Example |
//! |---|---|
//! | pairs | `81 05 48`, `8105 48`, `81:05:48`, `81-05-48`, `81, 05, 48` |
//! | one run, as `xxd -p` and Wireshark's "hex stream" | `810548656c6c6f` |
//! | prefixed | `0x81, 0x05`, `0x8105`, `\x81\x05` |
//! | `xxd` | `00000000: 8105 4865 6c6c 6f  ..Hello` |
//! | `hexdump -C` | `00000000  81 05 48 65 6c 6c 6f  \|..Hello\|` |
//! | `od -t x1`, any `-A` | `0000000 81 05 48 65 6c 6c 6f` |
//! | Wireshark's hex dump, with text or without | `0000   81 05 48 65 6c 6c 6f   ..Hello` |
//! | "Follow TCP stream" as hex dump | as above; what the server sent is indented |
//! | arrays, as `xxd -i` and Wireshark's "C array" | `uint8_t a[] = {0x81, 0x05};`, `[0x81, 0x05]` |
//! | strings in code | `"\x81\x05Hello"`, `b'\x81'`, `fromhex("8105")` |
//! | Node's | `<Buffer 81 05 48>` |
//!
//! `#`, `//` and `/* */` start comments. A line that begins with `> ` or `< ` and
//! those after it were sent by the client or the server. A dump's offsets are
//! checked: a missing line is an error, and a return to 0 starts a new chunk.
//! They also tell bytes from the text column, whatever that looks like.
//!
//! Refused with a reason: dumps of 16-bit words (`hexdump`, `od` without `-t x1`),
//! of bits (`xxd -b`) and of little-endian groups (`xxd -e`).

mod code;
mod dump;
mod loose;
mod row;

use super::InputError;
use crate::limits;
use crate::model::Dir;
use crate::model::Text;

/// Bytes that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// Who sent them, where the input says so.
    pub dir: Option<Dir>,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Line of the text on which they begin, from 1; 0 when they came from no text.
    pub line: u32,
}

/// Decodes hex text.
///
/// Bytes are in one chunk as long as neither the direction changes nor a dump starts anew.
///
/// # Errors
/// [`InputError::Hex`] where something is no hex, [`InputError::TextTooLong`].
pub fn parse(text: &str) -> Result<Vec<Chunk>, InputError> {
    let mut out = Out::default();
    if code::is_code(text) {
        code::parse(text, &mut out)?;
    } else {
        lines(text, &mut out)?;
    }
    if out.chunks.is_empty() {
        return Err(fail(text, text.len(), "the end", "bytes in hex", ""));
    }
    Ok(out.chunks)
}

/// Everything but code is read line by line.
fn lines(text: &str, out: &mut Out) -> Result<(), InputError> {
    let mut dumps = dump::Dumps::new(text);
    let mut loose = loose::Loose::default();
    let (mut at, mut marked) = (0, None);
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let (mark, skip) = direction(line);
        marked = mark.or(marked);
        let start = at + skip;
        let body = line[skip..].trim_end();
        at += line.len();
        let whole = loose::Line { text, end: start + body.len(), number, dir: marked };
        if loose.in_comment() {
            loose.line(whole, start, out)?;
        } else if is_decoration(body) {
            // says nothing
        } else if body == "*" && dumps.running() {
            dumps.squeeze();
        } else if let Some(row) = dumps.row(start, body, number)? {
            dumps.push(row, marked, out)?;
        } else {
            dumps.end(out)?;
            loose.line(whole, start, out)?;
        }
    }
    dumps.end(out)
}

/// A direction mark at the start of a line, and how long it is.
fn direction(line: &str) -> (Option<Dir>, usize) {
    let mark = match line.as_bytes() {
        [b'>', b' ' | b'\t' | b'\r' | b'\n', ..] | [b'>'] => Some(Dir::Client),
        [b'<', b' ' | b'\t' | b'\r' | b'\n', ..] | [b'<'] => Some(Dir::Server),
        _ => None,
    };
    (mark, usize::from(mark.is_some()))
}

/// Whether a line stands around bytes and holds none: blank ones, comments, the
/// fences of Markdown, the frame of `tshark -z follow`.
fn is_decoration(body: &str) -> bool {
    let body = body.trim_start();
    body.is_empty()
        || ["#", "//", "```", "====", "Follow: ", "Filter: ", "Node 0: ", "Node 1: "]
            .iter()
            .any(|start| body.starts_with(start))
}

/// Where decoded bytes are gathered.
#[derive(Default)]
struct Out {
    chunks: Vec<Chunk>,
    total: u64,
    /// The next byte starts a chunk, whatever its direction.
    cut: bool,
}

impl Out {
    /// Takes bytes found on a line.
    fn push(&mut self, dir: Option<Dir>, line: u32, bytes: &[u8]) -> Result<(), InputError> {
        self.total += bytes.len() as u64;
        if self.total > limits::TEXT_INPUT {
            return Err(InputError::TextTooLong(limits::TEXT_INPUT));
        }
        match self.chunks.last_mut() {
            Some(last) if last.dir == dir && !self.cut => last.bytes.extend_from_slice(bytes),
            _ => self.chunks.push(Chunk { dir, bytes: bytes.to_vec(), line }),
        }
        self.cut = false;
        Ok(())
    }

    /// Takes digits, of which there is an even number.
    fn digits(&mut self, dir: Option<Dir>, line: u32, digits: &str) -> Result<(), InputError> {
        let mut bytes = [0; 64];
        for part in digits.as_bytes().chunks(2 * bytes.len()) {
            for (byte, pair) in bytes.iter_mut().zip(part.chunks_exact(2)) {
                *byte = nibble(pair[0]) << 4 | nibble(pair[1]);
            }
            self.push(dir, line, &bytes[..part.len() / 2])?;
        }
        Ok(())
    }

    /// Makes the next byte start a chunk.
    fn cut(&mut self) {
        self.cut = true;
    }
}

/// The value of a hex digit.
pub(super) fn nibble(digit: u8) -> u8 {
    char::from(digit).to_digit(16).unwrap_or_default() as u8
}

/// How many hex digits a text begins with.
pub(super) fn hex_run(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_hexdigit).count()
}

/// The error at byte `at` of a text, which is where its line and column are counted.
fn fail(
    text: &str,
    at: usize,
    found: impl Into<Text>,
    expected: impl Into<Text>,
    hint: &'static str,
) -> InputError {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.bytes().filter(|&byte| byte == b'\n').count() as u32 + 1;
    let column = before[line_start..].chars().count() as u32 + 1;
    InputError::Hex { line, column, found: found.into(), expected: expected.into(), hint }
}

/// What stands at byte `at`, quoted for a message: a word, cut where it gets long.
fn quote(text: &str, at: usize) -> Text {
    let rest = &text[at..];
    let Some(first) = rest.chars().next() else { return "the end".into() };
    let word: String = rest.chars().take_while(|c| c.is_alphanumeric()).take(20).collect();
    let shown = if word.is_empty() { first.to_string() } else { word };
    let safe: String = match shown.as_str() {
        "\"" | "'" => shown,
        _ => shown.escape_debug().collect(),
    };
    Text::with("`{}`", safe)
}

#[cfg(test)]
mod tests;
