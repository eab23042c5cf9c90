//! Where a frame of STOMP ends, and what its parts are.

use std::ops::Range;

use crate::model::Text;

const COMMANDS: &[&str] = &[
    "CONNECT",
    "STOMP",
    "CONNECTED",
    "SEND",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "ACK",
    "NACK",
    "BEGIN",
    "COMMIT",
    "ABORT",
    "DISCONNECT",
    "MESSAGE",
    "RECEIPT",
    "ERROR",
];

/// What the beginning of some bytes is.
pub(super) enum Seen {
    /// Line ends between frames.
    HeartBeat(usize),
    /// A frame of so many bytes.
    Frame(usize, Box<Frame>),
    /// A frame, as far as it has come.
    Unfinished,
    Broken {
        at: usize,
        expected: Text,
        got: Text,
    },
}

/// A frame's parts, by their places.
pub(super) struct Frame {
    pub(super) command: Range<usize>,
    pub(super) headers: Range<usize>,
    pub(super) body: Range<usize>,
}

/// The command in the first line, if it is one.
pub(super) fn command_of(bytes: &[u8]) -> Option<&'static str> {
    // Nearly every message is something else.
    if !bytes.first()?.is_ascii_uppercase() {
        return None;
    }
    let line = bytes.iter().take(16).position(|byte| *byte == b'\n')?;
    let line = bytes[..line].strip_suffix(b"\r").unwrap_or(&bytes[..line]);
    COMMANDS.iter().copied().find(|known| known.as_bytes() == line)
}

/// What stands at the beginning of `bytes`.
pub(super) fn look(bytes: &[u8]) -> Seen {
    let ends = bytes.iter().take_while(|byte| b"\r\n".contains(byte)).count();
    if ends > 0 || bytes.is_empty() {
        return Seen::HeartBeat(ends);
    }
    let Some(command) = command_of(bytes).map(str::len) else {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(16)]).into_owned();
        let got = Text::with("{}", format!("{shown:?}"));
        return Seen::Broken { at: 0, expected: "a command of STOMP in a line of its own".into(), got };
    };
    let begin = command + 1 + usize::from(bytes[command] == b'\r');
    let mut at = begin;
    let mut length = None;
    loop {
        let Some(end) = memchr::memchr(b'\n', &bytes[at..]) else { return Seen::Unfinished };
        let line = &bytes[at..at + end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let here = at;
        at += end + 1;
        if line.is_empty() {
            break finish(bytes, command, begin..here, at, length);
        }
        let Some(colon) = memchr::memchr(b':', line) else {
            let got = Text::with("{}", format!("{:?}", String::from_utf8_lossy(&line[..line.len().min(32)])));
            return Seen::Broken { at: here, expected: "a header, `name:value`".into(), got };
        };
        if &line[..colon] == b"content-length" && length.is_none() {
            length =
                str::from_utf8(&line[colon + 1..]).ok().and_then(|value| value.trim().parse::<usize>().ok());
        }
    }
}

/// The body, which ends in a NUL: behind as many bytes as the frame says, or at the first.
fn finish(bytes: &[u8], command: usize, headers: Range<usize>, body: usize, length: Option<usize>) -> Seen {
    let rest = &bytes[body..];
    let end = match length {
        Some(length) if length >= rest.len() => return Seen::Unfinished,
        Some(length) if rest[length] != 0 => {
            let expected = Text::with("a NUL behind {} bytes of body (content-length)", length);
            let got = Text::with("{}", format!("0x{:02x}", rest[length]));
            return Seen::Broken { at: body + length, expected, got };
        }
        Some(length) => body + length,
        None => match memchr::memchr(0, rest) {
            Some(nul) => body + nul,
            None => return Seen::Unfinished,
        },
    };
    Seen::Frame(end + 1, Box::new(Frame { command: 0..command, headers, body: body..end }))
}
