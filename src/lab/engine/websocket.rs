//! WebSocket: a packet a message; and how a session moves there from polling.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, Response};
use tokio::time::{Instant, timeout};

use super::beneath::{Under, plan};
use super::packet::{Data, PROBE, PROBED, Packet, Revision, UPGRADE};
use super::session::{Parting, Session};
use super::settings::{Reason, Settings};
use crate::lab::answer::Answer;
use crate::lab::events::at;
use crate::lab::fate::{Fate, spoil};
use crate::lab::frames::Reader;
use crate::lab::handshake::Welcome;
use crate::lab::socket::{Came, Manners, Socket};
use crate::model::{CloseCode, Dir, Opcode};

/// How long a client may take with its part of the end.
const FAREWELL: Duration = Duration::from_secs(5);

/// Between messages that are to arrive apart: a client that is not busy has read the first by then.
const APART: Duration = Duration::from_millis(2);

/// What a WebSocket is for.
pub(super) enum Purpose {
    /// A session that begins there.
    Begin(Box<dyn FnOnce() -> Arc<Session> + Send>),
    /// One that moves there.
    Move(Arc<Session>),
}

/// Answers an opening handshake, behind which packets go over the connection.
pub(super) fn answer(
    (settings, reader): (&Arc<Settings>, &Reader),
    mut request: Request<Incoming>,
    purpose: Purpose,
) -> Response<Answer> {
    let response = match Welcome::default().answer(&request) {
        Ok((response, _)) => response,
        Err(refusal) => return *refusal,
    };
    let under = Under::of(&request);
    let on_purpose = plan(under.as_ref());
    let manners = Manners {
        masks: on_purpose.mask.then_some(true),
        answers_pings: !on_purpose.no_pong,
        ..Manners::reading(reader.clone())
    };
    let settings = Arc::clone(settings);
    tokio::spawn(async move {
        // A client that leaves during its handshake is none.
        let Ok(upgraded) = hyper::upgrade::on(&mut request).await else { return };
        drop(request);
        let mut socket = Socket::upgraded(upgraded, Dir::Server, None, manners);
        let fate = match purpose {
            // Not with the answer to the handshake: clients hear first that it is open.
            Purpose::Begin(begin) => carry(&begin(), &mut socket, Some(Instant::now() + APART)).await,
            Purpose::Move(session) => moved(&settings, &session, &mut socket).await,
        };
        // Not a word more, FIN included.
        match (fate, &under) {
            (Some(Fate::Reset), Some(under)) => return under.0.meet(Fate::Reset),
            (Some(Fate::HalfOpen), Some(under)) => return under.meet(Fate::HalfOpen).await,
            _ => {}
        }
        // Who takes longer is left.
        let _ = timeout(FAREWELL, socket.finish(FAREWELL)).await;
    });
    response
}

/// Moves a session here, if the client completes the exchange of probes; and what befalls it then.
async fn moved(settings: &Settings, session: &Arc<Session>, socket: &mut Socket) -> Option<Fate> {
    if !session.begin_upgrade() {
        // As the reference: the handshake is done, and then nothing.
        socket.close(None, "");
        return None;
    }
    let probing = timeout(settings.upgrade_timeout, probe(session, socket));
    let has_moved = tokio::select! {
        has_moved = probing => matches!(has_moved, Ok(Ok(true))),
        _ = session.ended() => false,
    };
    if has_moved {
        session.upgraded();
        return carry(session, socket, None).await;
    }
    session.end_upgrade();
    socket.close(None, "");
    None
}

/// Waits for the client's last packet of the move; whether that came, and not something else.
async fn probe(session: &Session, socket: &mut Socket) -> io::Result<bool> {
    loop {
        match socket.next().await? {
            Came::Message(message) if message.payload == PROBE.as_bytes() => {
                socket.queue(Opcode::TEXT, PROBED.as_bytes());
                session.probed();
            }
            Came::Message(message) => return Ok(message.payload == UPGRADE.as_bytes()),
            Came::Ping(_) | Came::Pong(_) => {}
            Came::Close(..) | Came::Violation(_) | Came::End => return Ok(false),
        }
    }
}

/// Packets both ways, until either side is over, or something befalls the connection; none are sent before a
/// moment.
async fn carry(session: &Arc<Session>, socket: &mut Socket, mut not_before: Option<Instant>) -> Option<Fate> {
    let idle = session.plan.idle_timeout;
    let mut heard = Instant::now();
    let parting = loop {
        let may_send = socket.waiting() == 0 && not_before.is_none();
        tokio::select! {
            came = turn(socket) => match came.map(|came| came.map_or(Ok(()), |came| hear(session, came))) {
                Ok(Ok(())) => heard = Instant::now(),
                Ok(Err(reason)) => break Parting::Over(reason),
                Err(_) => break Parting::Over(Reason::TransportClose),
            },
            packets = session.next(), if may_send => match packets {
                Ok((packets, apart)) => {
                    for packet in packets {
                        let (opcode, payload) = packet.payload(session.revision, session.takes_binary);
                        let mut payload = payload.into_owned();
                        if session.plan.bad_utf8 && is_text(&packet) {
                            spoil(&mut payload);
                        }
                        socket.queue(opcode, &payload);
                    }
                    heard = Instant::now();
                    not_before = apart.then(|| Instant::now() + APART);
                }
                Err(parting) => break parting,
            },
            () = at(not_before), if not_before.is_some() => not_before = None,
            () = at(idle.map(|idle| heard + idle)), if idle.is_some() => {
                break Parting::Fated(Fate::Silence);
            }
            reason = session.ended() => break Parting::Over(reason),
        }
    };
    match parting {
        Parting::Over(reason) => {
            session.end(reason);
            // The reference closes without a code; a server that ends says so.
            socket.close((reason == Reason::ShutDown).then_some(CloseCode(1001)), "");
            None
        }
        Parting::Fated(fate) => {
            session.befall(fate);
            if let (Fate::Close, Some((code, reason))) = (fate, &session.plan.close) {
                socket.close(Some(*code), reason);
            }
            Some(fate)
        }
    }
}

/// Whether it is a message of text.
fn is_text(packet: &Packet) -> bool {
    matches!(packet, Packet::Message(Data::Text(_)))
}

/// What comes next, or nothing as soon as all is sent that waited. Nothing is lost when the waiting is given
/// up.
async fn turn(socket: &mut Socket) -> io::Result<Option<Came>> {
    let has_waited = socket.waiting() > 0;
    poll_fn(|cx| {
        let came = pin!(socket.next()).poll(cx);
        match came {
            Poll::Ready(came) => Poll::Ready(came.map(Some)),
            Poll::Pending if has_waited && socket.waiting() == 0 => Poll::Ready(Ok(None)),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Takes what came.
fn hear(session: &Arc<Session>, came: Came) -> Result<(), Reason> {
    let packet = match came {
        Came::Message(message) => packet(message.kind, message.payload, session.revision),
        Came::Ping(_) | Came::Pong(_) => return Ok(()),
        Came::Close(..) | Came::End => return Err(Reason::TransportClose),
        Came::Violation(violation) => return Err(Reason::TransportError(violation.why)),
    };
    // What the session thinks of it is told by itself.
    session.receive(packet.ok_or(Reason::ParseError("a message that is no packet"))?);
    Ok(())
}

fn packet(kind: Opcode, payload: Vec<u8>, revision: Revision) -> Option<Packet> {
    if kind == Opcode::BINARY {
        return Packet::from_binary(payload.into(), revision);
    }
    // Text is UTF-8, or the connection would be over.
    Packet::from_text(str::from_utf8(&payload).ok()?, revision)
}
