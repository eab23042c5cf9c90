//! Heads of the opening handshake are sent: whole, in pieces, cut off, or without an end.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split};

use super::record::Record;
use super::wire;
use crate::grade::script::Pacing;
use crate::lab::socket::Stream;
use crate::limits;
use crate::model::{Dir, StreamEnd};

/// Bytes of what is repeated that go out in one write.
const PIECE: usize = 16 * 1024;

/// Sends a head, and gives what came meanwhile. Who refuses it may do so before it has read everything, and
/// then no more of it is sent.
pub(super) async fn send(
    stream: &mut impl Stream,
    (from, head): (Dir, &[u8]),
    pacing: &Pacing,
    record: &mut Record,
) -> Vec<u8> {
    let (mut reading, mut writing) = split(stream);
    let mut early = vec![0; limits::RAW_READ];
    let came = tokio::select! {
        biased;
        // Who has gone is noticed by reading; who only is too early has the head all the same.
        _ = write(&mut writing, (from, head), pacing, record) => 0,
        read = reading.read(&mut early) => read.unwrap_or_default(),
    };
    early.truncate(came);
    record.bytes(from.peer(), &early);
    early
}

/// What of a head and its body is sent, before what comes without an end.
pub(super) fn sent(head: &[u8], pacing: &Pacing) -> Vec<u8> {
    let end = head.windows(4).position(|four| four == b"\r\n\r\n").map_or(head.len(), |at| at + 4);
    let mut sent = match &pacing.endless {
        _ if pacing.is_bare => head[end..].to_vec(),
        Some(_) => head[..end].strip_suffix(b"\r\n").unwrap_or(head).to_vec(),
        None => head.to_vec(),
    };
    sent.truncate(pacing.cut.unwrap_or(usize::MAX));
    sent
}

async fn write(
    writing: &mut (impl AsyncWrite + Unpin),
    (from, head): (Dir, &[u8]),
    pacing: &Pacing,
    record: &mut Record,
) -> io::Result<()> {
    let sent = sent(head, pacing);
    for piece in sent.chunks(pacing.chop.unwrap_or(usize::MAX)) {
        put(writing, (from, piece), pacing, record).await?;
    }
    if let Some((times, what)) = &pacing.endless {
        let once = if pacing.every.is_zero() { (PIECE / what.len().max(1)).max(1) as u64 } else { 1 };
        let piece = what.repeat(once as usize);
        for _ in 0..times.div_ceil(once) {
            put(writing, (from, &piece), pacing, record).await?;
        }
    }
    if pacing.end == Some(StreamEnd::Fin) {
        writing.shutdown().await?;
    }
    Ok(())
}

/// One write, and the pause behind it.
async fn put(
    writing: &mut (impl AsyncWrite + Unpin),
    (from, piece): (Dir, &[u8]),
    pacing: &Pacing,
    record: &mut Record,
) -> io::Result<()> {
    record.bytes(from, piece);
    let written = wire::put(writing, piece, record.patience(wire::PATIENCE)).await;
    record.written(written)?;
    if !pacing.every.is_zero() {
        tokio::time::sleep(pacing.every).await;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grade::script;

    #[test]
    fn what_is_sent_of_a_head_is_what_was_asked() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nbody";
        for (text, right) in [
            ("", &head[..]),
            ("cut=3", b"GET"),
            ("cut=0", b""),
            ("bare", b"body"),
            ("bare cut=2", b"bo"),
            ("endless=9", b"GET / HTTP/1.1\r\nHost: a\r\n"),
        ] {
            let (_, pacing) = script::request(text).unwrap();
            assert_eq!(sent(head, &pacing), right, "{text}");
        }
    }
}
