//! What a connection of HTTP/2 begins with.

use std::io;

use super::stream::Stream;
use crate::model::http2::PREFACE;

/// Whether a client begins with the preface of HTTP/2 (RFC 9113 §3.4). Nothing is read away.
///
/// # Errors
/// Those of the stream.
pub(super) async fn begins_http2(client: &mut Stream) -> io::Result<bool> {
    loop {
        let early = client.early();
        let common = early.len().min(PREFACE.len());
        if early[..common] != PREFACE[..common] {
            return Ok(false);
        }
        if common == PREFACE.len() {
            return Ok(true);
        }
        if client.look().await? == 0 {
            return Ok(false);
        }
    }
}
