//! What both sides of a live handshake need: a wire with deadlines, heads and bodies read from it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Instant, SystemTime};

use crate::cli::dial::tls;
use crate::limits;
use crate::model::{Dir, SourceId, Text, Time};
use crate::replay::heard::Progress;
use crate::replay::{Heard, Pace};

/// Why a live replay came to nothing.
pub enum Stop {
    /// The output cannot be written.
    Io(io::Error),
    /// A peer could not be reached or did not answer: one line that says what to do.
    Told(Text),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A connection, in the clear or under TLS.
pub enum Wire {
    Plain(TcpStream),
    Tls(Box<tls::Stream>),
}

/// What a read gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Got {
    Bytes(usize),
    Closed,
    Reset,
    /// The time was up.
    Late,
}

impl Wire {
    fn tcp(&self) -> &TcpStream {
        match self {
            Self::Plain(tcp) => tcp,
            Self::Tls(tls) => &tls.sock,
        }
    }

    /// Waits for bytes, at the latest until `deadline`.
    pub fn read(&mut self, into: &mut [u8], deadline: Instant) -> Got {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.tcp().set_read_timeout(Some(left)).is_err() {
                return Got::Late;
            }
            let read = match self {
                Self::Plain(tcp) => tcp.read(into),
                Self::Tls(tls) => tls.read(into),
            };
            return match read {
                Ok(0) => Got::Closed,
                Ok(read) => Got::Bytes(read),
                Err(e) => match e.kind() {
                    io::ErrorKind::Interrupted => continue,
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Got::Late,
                    // TLS that ends without a closing alert.
                    io::ErrorKind::UnexpectedEof => Got::Closed,
                    _ => Got::Reset,
                },
            };
        }
    }

    /// Says that nothing more will be sent.
    pub fn finish(&self) {
        // Who is gone need not be told.
        let _ = self.tcp().shutdown(std::net::Shutdown::Write);
    }

    /// Sends bytes in the pieces and with the pauses that `pace` asks for.
    pub fn send(&mut self, bytes: &[u8], pace: Pace) -> io::Result<()> {
        for (piece, pause) in pace.pieces(bytes) {
            match self {
                Self::Plain(tcp) => tcp.write_all(piece)?,
                Self::Tls(tls) => {
                    tls.write_all(piece)?;
                    tls.flush()?;
                }
            }
            if !pause.is_zero() {
                thread::sleep(pause);
            }
        }
        Ok(())
    }
}

/// A head as far as it came, and what came behind it.
pub struct Arrived {
    pub heard: Heard,
    pub rest: Vec<u8>,
    /// Why reading ended.
    pub end: HeadEnd,
}

/// How the reading of a head ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadEnd {
    Complete,
    /// It is larger than is kept: the rest was left unread.
    TooLarge,
    /// It cannot become a head.
    Foreign,
    Ended(Got),
}

/// What one side of the connection sends, the only one there is.
pub fn stream(dir: Dir) -> SourceId {
    SourceId::Stream { conn: 1, dir }
}

/// Reads a head of the peer `from`. `rest` are bytes that came before; no more is waited for once they are
/// `foreign`.
pub fn read_head(
    wire: &mut Wire,
    from: Dir,
    rest: Vec<u8>,
    deadline: Instant,
    foreign: impl Fn(&[u8]) -> bool,
) -> Arrived {
    let mut heard = Heard::new(stream(from), 0);
    let mut buffer = rest;
    loop {
        let used = heard.push(&buffer);
        let end = match heard.progress() {
            Progress::Whole => HeadEnd::Complete,
            Progress::TooLarge => HeadEnd::TooLarge,
            Progress::More if foreign(heard.bytes()) => HeadEnd::Foreign,
            Progress::More => {
                buffer.resize(limits::RAW_READ, 0);
                match wire.read(&mut buffer, deadline) {
                    Got::Bytes(read) => {
                        buffer.truncate(read);
                        continue;
                    }
                    other => {
                        buffer.clear();
                        HeadEnd::Ended(other)
                    }
                }
            }
        };
        let rest = buffer.get(used..).unwrap_or_default().to_vec();
        return Arrived { heard, rest, end };
    }
}

/// Reads the first of the body behind a response.
pub fn read_body(wire: &mut Wire, response: &Heard, rest: &[u8], deadline: Instant) -> Vec<u8> {
    let mut body = response.body_behind(Some("GET"));
    body.push(rest);
    let mut buffer = [0; 4096];
    while !body.is_done() && body.preview().len() < limits::HTTP_BODY_PREVIEW {
        match wire.read(&mut buffer, deadline) {
            Got::Bytes(read) => body.push(&buffer[..read]),
            Got::Closed | Got::Reset | Got::Late => break,
        };
    }
    body.preview().to_vec()
}

/// The time of day.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time(since.as_nanos() as u64)
}
