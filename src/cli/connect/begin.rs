//! How a session of Engine.IO begins by polling: it stays there, or moves to a WebSocket.

use std::time::Instant;

use tokio::time::timeout;

use super::carrier::Carrier;
use super::opening::{Failure, Open, Opening};
use super::polling::{Answer, Asks, POLLED, Polling, received};
use super::transport::Transport;
use super::verdict::Session;
use crate::app::engineio::{self, Open as Handshake};
use crate::http::handshake::status;
use crate::lab::client;
use crate::lab::engine::packet::{self, Packet};
use crate::lab::tap::Tap;
use crate::model::{Opcode, Text};

/// A session that polling has opened.
pub struct Opened {
    /// What carries it from now on.
    pub carrier: Carrier,
    /// What there is to say of it.
    pub session: Session,
}

/// Opens a session at a server whose Engine.IO is at the opening's URL, and moves it to a WebSocket if that
/// is asked for. `tap` is told all that goes over the connections.
///
/// # Errors
/// Why there is none.
pub async fn open(opening: &Opening, transport: Transport, tap: &Tap) -> Result<Opened, Failure> {
    let began = Instant::now();
    let mut asks = Asks::of(opening, tap);
    let first = asks.get();
    let first = match timeout(opening.reach.timeout, first).await {
        Ok(first) => first.map_err(Failure::Unreached)?,
        Err(_) => return Err(Failure::Unreached("the server does not answer a poll in time".into())),
    };
    let (took, status) = (began.elapsed(), first.status.as_u16());
    let mut early = asks.read(&first).packets;
    let opened = early.iter().find_map(|packet| match packet {
        Packet::Open(json) => Handshake::read(json.as_str()),
        _ => None,
    });
    let Some(Handshake { sid, upgrades, .. }) = opened else { return Err(no_session(&first)) };
    asks.sid = Some(sid);
    let (tls, revision) = (asks.tls, asks.revision);
    let session = |moved| Session { moved, status, took, tls };
    let all = |packets: &[Packet]| packets.iter().map(|it| received(it, revision)).collect::<Vec<_>>();
    if transport != Transport::Upgrade {
        let carrier = Carrier::from(Polling::begin(asks)).behind(all(&early));
        return Ok(Opened { carrier, session: session(false) });
    }
    if !upgrades.iter().any(|way| way == "websocket") {
        return Err(Failure::Refused {
            code: status,
            got: "its polling offers no move to a WebSocket: `upgrades` has none".into(),
            meaning: Text::default(),
            advice: "--transport polling, or --transport websocket".into(),
        });
    }
    let mut url = opening.reach.url.clone();
    url.resource = asks.target("websocket");
    let Open { mut socket, .. } = opening.at(url).open(tap).await?;
    let probe = async {
        Err(Failure::Unreached(match timeout(opening.reach.timeout, client::probe(&mut socket)).await {
            Ok(Ok(true)) => return Ok(()),
            Ok(Err(error)) => Text::with("the WebSocket's probe: {}", error),
            Ok(Ok(false)) | Err(_) => "the WebSocket's probe was not answered".into(),
        }))
    };
    // Meanwhile a poll waits, as browsers' does, until it is let go.
    let poll = async { asks.poll().await.map_err(Failure::Unreached) };
    let (polled, ()) = tokio::try_join!(poll, probe)?;
    early.extend(polled);
    early.retain(|packet| *packet != Packet::Noop);
    socket.queue(Opcode::TEXT, packet::UPGRADE.as_bytes());
    let carrier = Carrier::from(socket).behind(all(&early));
    Ok(Opened { carrier, session: session(true) })
}

/// What a server says that opens no session.
fn no_session(answer: &Answer) -> Failure {
    let code = answer.status.as_u16();
    let known = status(code);
    let fault = engineio::refusal(&answer.body).code;
    let (meaning, advice): (Text, Text) = match (fault, code) {
        (Some(0), _) => ("the server takes no polling".into(), "--transport websocket".into()),
        (Some(5), _) => (
            "the server speaks another version of Engine.IO".into(),
            "add ?EIO=3 to the URL for a server of Socket.IO 2, ?EIO=4 for 3 and later".into(),
        ),
        (_, 200) => {
            let meaning = "that is no handshake of Engine.IO".into();
            (meaning, "the path of the server's Engine.IO, such as /socket.io/".into())
        }
        _ => (known.meaning, known.advice),
    };
    Failure::Refused { code, got: answer.told(POLLED), meaning, advice }
}
