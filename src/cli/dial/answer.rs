//! The response to a request, read from a connection: past interim ones, and with the first of its body.

use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout_at;

use super::words::{self, Stopped};
use crate::limits;
use crate::model::{Dir, SourceId, Text};
use crate::replay::Heard;
use crate::replay::heard::{Progress, begins_response, is_no_http};

/// A response's head, with the first of its body where it has one.
#[derive(Debug)]
pub struct Answer {
    /// The head.
    pub heard: Heard,
    /// What came behind it already.
    pub rest: Vec<u8>,
}

/// Interim responses that are put up with.
const INTERIM: usize = 16;

/// Where a server's stream is when nothing else came over the connection.
const SERVER: SourceId = SourceId::Stream { conn: 1, dir: Dir::Server };

/// Reads the final response to a request, at the latest until `deadline`, which is `patience` from its start.
///
/// # Errors
/// That there is none, or that it is no HTTP: what came instead, and what to try. `named` is what was asked.
pub async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    named: &str,
    deadline: Instant,
    patience: Duration,
) -> Result<Answer, Text> {
    let mut buffer: Vec<u8> = Vec::new();
    for _ in 0..INTERIM {
        let mut heard = Heard::new(SERVER, 0);
        let rest = loop {
            let used = heard.push(&buffer);
            match heard.progress() {
                Progress::Whole | Progress::TooLarge => break buffer.split_off(used),
                Progress::More if is_no_http(heard.bytes()) || words::is_tls(heard.bytes()) => {
                    return Err(words::foreign(named, heard.bytes()));
                }
                Progress::More => {}
            }
            buffer.resize(limits::RAW_READ, 0);
            let read = timeout_at(deadline.into(), stream.read(&mut buffer)).await;
            let stopped = |how| {
                let got = heard.bytes();
                let is_foreign = !got.is_empty() && begins_response(got) != Some(true);
                if is_foreign {
                    words::foreign(named, got)
                } else {
                    words::unanswered(named, got.len(), how, patience)
                }
            };
            match read {
                Err(_) => return Err(stopped(Stopped::Late)),
                Ok(Ok(0)) => return Err(stopped(Stopped::Closed)),
                Ok(Ok(count)) => buffer.truncate(count),
                // TLS that ends without a closing alert.
                Ok(Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return Err(stopped(Stopped::Closed));
                }
                Ok(Err(_)) => return Err(stopped(Stopped::Reset)),
            }
        };
        if begins_response(heard.bytes()) != Some(true) {
            return Err(words::foreign(named, heard.bytes()));
        }
        if !heard.is_interim() {
            return Ok(Answer { heard, rest });
        }
        buffer = rest;
    }
    Err(Text::with("{}: one interim response after another, and no final one", named))
}

impl Answer {
    /// Reads the first of the body to a `GET`, as far as it comes before `deadline`.
    pub async fn read_body(&mut self, stream: &mut (impl AsyncRead + Unpin), deadline: Instant) {
        let mut body = self.heard.body_behind(Some("GET"));
        body.push(&self.rest);
        let mut buffer = [0; 4096];
        while !body.is_done() && body.preview().len() < limits::HTTP_BODY_PREVIEW {
            match timeout_at(deadline.into(), stream.read(&mut buffer)).await {
                Ok(Ok(count @ 1..)) => body.push(&buffer[..count]),
                _ => break,
            };
        }
        self.heard.body = body.preview().to_vec();
    }
}
