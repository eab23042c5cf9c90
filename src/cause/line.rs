//! How a connection went and ended.

use super::over::Over;
use crate::model::{Dir, EndKind, Handshake, Judgement, Outcome, TcpEnd};

/// Says how a connection went.
pub fn judgement<'a>(over: &Over<'a>) -> Judgement<'a> {
    let (connection, ending) = (over.connection, over.ending);
    let [client, server] = ending.counts;
    let (outcome, close) = (outcome(over), over.close());
    // What was told last need not have been the end.
    let is_told = matches!(outcome, Outcome::Untold | Outcome::Failed);
    // What has no times are bytes that somebody gave: nobody says that they are all.
    let is_timed = ending.began.is_some();
    let is_over = (ending.first.is_some() || close.is_some() && is_timed) && over.is_websocket();
    let may_be_answer = over.may_be_answer();
    Judgement {
        outcome,
        by: over.ender().filter(|_| !may_be_answer),
        close,
        crossing: over.crossing(),
        may_be_answer,
        left: over.left,
        code: if over.garbled.is_some() {
            close.and_then(|(_, close)| close.code)
        } else {
            ending.close_code
        },
        tcp: ending.first,
        status: connection.status,
        lived: over.lived().filter(|_| !is_told),
        silence: over.silence().filter(|_| over.is_websocket() && !is_told),
        last: over.heard().filter(|(_, time)| over.ended().is_none_or(|ended| *time <= ended)).map(|it| it.0),
        unfinished: [ending.sides[0].unfinished, ending.sides[1].unfinished],
        frames: client.frames + server.frames,
        messages: client.messages + server.messages,
        bytes: client.bytes + server.bytes,
        began: ending.began,
        client: connection.client,
        server: connection.server,
        host: connection.host.as_deref(),
        target: connection.target.as_deref(),
        unanswered: &connection.unanswered,
        told_with: None,
        unseen: [Dir::Client, Dir::Server].map(|dir| is_over && !over.is_all_of(dir)),
    }
}

pub(super) fn outcome(over: &Over<'_>) -> Outcome {
    match over.connection.handshake {
        Handshake::Http => return Outcome::Http,
        Handshake::Polling => return Outcome::Polling,
        Handshake::Streaming => return Outcome::Streaming,
        Handshake::Lines => return Outcome::Lines,
        Handshake::Http2 => return Outcome::Http2,
        Handshake::Refused => return Outcome::Refused,
        Handshake::RequestOnly if over.is_unanswered() => return Outcome::Unanswered,
        Handshake::RequestOnly if over.ending.how == EndKind::Untold => return Outcome::Untold,
        Handshake::RequestOnly if over.ending.how == EndKind::Failed => return Outcome::Failed,
        Handshake::RequestOnly if over.ending.first.is_none() => return Outcome::Open,
        _ => {}
    }
    match (over.ending.how, over.ending.first) {
        (EndKind::CloseHandshake, _) => Outcome::Closed,
        // An answer that was not captured may have been there.
        (_, Some(_)) if over.close().is_some_and(|(by, _)| !over.is_all_of(by.peer())) => Outcome::Closed,
        (_, Some(_)) if over.close().is_some() => Outcome::HalfClosed,
        (_, Some(TcpEnd { how, .. })) if how.is_reset() => Outcome::Reset,
        (EndKind::Rst, _) => Outcome::Reset,
        (_, Some(_)) | (EndKind::Fin, _) => Outcome::Dropped,
        (EndKind::CaptureEnd, None) => Outcome::Open,
        (EndKind::Untold, None) => Outcome::Untold,
        (EndKind::Failed, None) => Outcome::Failed,
    }
}
