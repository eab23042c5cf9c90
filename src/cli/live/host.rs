//! What the live commands that listen have in common: where, whom they let in, and how they end.

use std::io;
use std::net::{SocketAddr, TcpListener};

use super::Ending;
use crate::cli::Look;
use crate::cli::listen;
use crate::model::{CloseCode, Dir, SourceId, Span, Text};
use crate::ws::{close, encode};

/// Listens, ready to be waited for, and says where.
///
/// # Errors
/// Why not, and what to try.
pub fn listen(address: &str) -> Result<(TcpListener, SocketAddr), Text> {
    let listener = listen::listen(address)?;
    listener.set_nonblocking(true).map_err(untold)?;
    let ours = listener.local_addr().map_err(untold)?;
    Ok((listener, ours))
}

/// What there are no better words for.
pub fn untold(error: io::Error) -> Text {
    Text::with("{}", error)
}

/// Warns where more than this machine is let in.
///
/// # Errors
/// When that cannot be written.
pub fn warn(ours: SocketAddr, look: Look) -> io::Result<()> {
    if ours.ip().is_loopback() {
        return Ok(());
    }
    let words = Text::with("everybody who reaches {} can use it, not only this machine", ours);
    look.tell("WARNING: {}", &words)
}

/// Warns of a Close frame that breaks a rule, and goes out all the same: it may be a slip of the pen.
///
/// # Errors
/// When that cannot be written.
pub fn warn_of_close(code: CloseCode, reason: &str, look: Look) -> io::Result<()> {
    let body = encode::close(code, reason.as_bytes());
    let span = Span::bytes(SourceId::Stream { conn: 1, dir: Dir::Server }, 0, body.len() as u64);
    let mut findings = Vec::new();
    close::check(&body, span, Dir::Server, (None, true), &mut findings);
    findings.iter().try_for_each(|finding| {
        let words = "a Close frame with {} breaks {}; it is sent all the same";
        look.tell("note: {}", &Text::with(words, code.0).and(finding.rule.id))
    })
}

impl Ending {
    /// Whether the capture file is whole. Why it is not was told at once.
    pub fn is_kept(&self) -> bool {
        self.unkept.is_none()
    }
}
