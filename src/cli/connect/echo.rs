//! `--echo`: every message is sent back, as test suites want it of a client.

use std::time::Instant;

use super::ending::{Answer, End, How, part};
use crate::cli::live::stop::Stop;
use crate::lab::socket::{Came, Socket};
use crate::model::CloseCode;

/// Sends back what comes until the connection ends.
pub async fn run(mut socket: Socket, stop: &mut Stop) -> End {
    let began = Instant::now();
    let mut count = 0;
    let mut interrupted = false;
    let how = loop {
        let came = tokio::select! {
            came = socket.next() => came,
            _ = stop.recv(), if !interrupted => {
                interrupted = true;
                socket.close(Some(CloseCode(1001)), "");
                continue;
            }
        };
        match How::of(came) {
            Ok(Came::Message(message)) => {
                count += 1;
                socket.queue(message.kind, &message.payload);
            }
            Ok(_) => {}
            Err(How::Theirs(code, reason)) if interrupted => {
                break How::Ours(Answer::of(Some(CloseCode(1001)), code, reason));
            }
            Err(how) => break how,
        }
    };
    part(socket).await;
    End {
        how,
        sent: count,
        received: count,
        wanted: None,
        lasted: began.elapsed(),
        interrupted,
        refused: false,
        unsent: false,
        done: false,
    }
}
