//! What the live commands that listen have in common: where, whom they let in, and how they end.

use std::io;
use std::net::{SocketAddr, TcpListener};

use super::Ending;
use crate::cli::Look;
use crate::cli::listen;
use crate::model::Text;

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

impl Ending {
    /// Says why the capture file is not whole; whether it is.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn is_kept(&self, look: Look) -> io::Result<bool> {
        if let Some(why) = &self.unkept {
            look.tell("error: {}", why)?;
        }
        Ok(self.unkept.is_none())
    }
}
