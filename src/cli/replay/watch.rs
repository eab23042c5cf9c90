//! What a live peer does after the handshake, as the tool's own session sees it.

use std::time::{Duration, Instant};

use super::live::{Got, Stop, Wire, now};
use crate::limits;
use crate::model::film::{Aftermath, PeerEnd, State};
use crate::model::{
    At, Body as UnitBody, CloseCode, Dir, Endpoint, Flow, FrameHeader, LengthForm, ON, Opcode, Out, Receipt,
    Sink, Unit, Wants,
};
use crate::render::View;
use crate::replay::Pace;
use crate::session::{Context, Interest, Memory, Session, Side, Start};
use crate::ws::{Scratch, StreamEnd, encode};

/// A live handshake that is over.
pub struct Played<'b> {
    /// Whom we play.
    pub us: Dir,
    pub state: State,
    /// Client and server.
    pub endpoints: [Endpoint; 2],
    /// What each sent as its head.
    pub heads: [&'b [u8]; 2],
    /// What the peer sent behind its head already.
    pub rest: &'b [u8],
}

/// How long a server may stay silent before its client says goodbye.
const QUIET: Duration = Duration::from_millis(300);

/// Follows what the peer does after the handshake, for at most `patience`. What follows
/// is shown on `view`.
pub fn watch(
    wire: &mut Wire,
    played: &Played<'_>,
    patience: Duration,
    view: Option<Box<dyn View>>,
) -> Result<Aftermath, Stop> {
    let peer = played.us.peer();
    let mut tell = Tell { view, peer, live: false, frames: 0, closed: false, close_code: None };
    let mut feed = Feed {
        session: Session::new(Some(played.endpoints), Start::Opened),
        scratch: Scratch::default(),
        connections: 0,
        memory: Memory::default(),
        out: Out::new(&mut tell),
    };
    feed.data(Dir::Client, played.heads[0]);
    feed.data(Dir::Server, played.heads[1]);
    let mut eyes = Eyes { peer, start: Instant::now(), bytes: 0, closing: false };
    let end = eyes.look(wire, played, patience, &mut feed);
    let after = eyes.start.elapsed().as_nanos() as u64;
    let how = match end {
        // Who opens no WebSocket owes it no closing handshake.
        _ if played.state != State::Open => None,
        PeerEnd::Closed => Some(StreamEnd::Fin),
        PeerEnd::Reset => Some(StreamEnd::Rst),
        PeerEnd::CloseFrame | PeerEnd::Silent => None,
    };
    feed.end(peer, how);
    let bytes = eyes.bytes;
    let (frames, close_code) = (tell.frames, tell.close_code);
    if let Some(view) = tell.view {
        view.end()?;
    }
    Ok(Aftermath { peer, state: played.state, frames, bytes, close_code, end, after })
}

struct Eyes {
    peer: Dir,
    start: Instant,
    bytes: u64,
    /// We said goodbye.
    closing: bool,
}

impl Eyes {
    fn look(
        &mut self,
        wire: &mut Wire,
        played: &Played<'_>,
        patience: Duration,
        feed: &mut Feed<'_>,
    ) -> PeerEnd {
        let is_open = played.state == State::Open;
        let mut deadline = self.start + if played.us == Dir::Client { patience.min(QUIET) } else { patience };
        let mut buffer = vec![0; limits::RAW_READ];
        let mut read = played.rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&played.rest[..read]);
        loop {
            self.bytes += read as u64;
            if feed.data(self.peer, &buffer[..read]) {
                // As RFC 6455 §5.5.1 asks; whether it still arrives is the peer's business.
                if !self.closing {
                    self.say_goodbye(wire, played.us, feed);
                }
                return PeerEnd::CloseFrame;
            }
            read = match wire.read(&mut buffer, deadline) {
                Got::Bytes(read) => read,
                Got::Closed => return PeerEnd::Closed,
                Got::Reset => return PeerEnd::Reset,
                Got::Late if is_open && !self.closing && self.say_goodbye(wire, played.us, feed) => {
                    if played.us == Dir::Server {
                        return PeerEnd::Silent;
                    }
                    deadline = Instant::now() + patience.min(Duration::from_secs(2));
                    0
                }
                Got::Late => return PeerEnd::Silent,
            };
        }
    }

    /// Sends a Close frame; whether it could be sent.
    fn say_goodbye(&mut self, wire: &mut Wire, us: Dir, feed: &mut Feed<'_>) -> bool {
        self.closing = true;
        let frame = close_frame(us, CloseCode(1000));
        feed.data(us, &frame);
        wire.send(&frame, Pace::default()).is_ok()
    }
}

fn close_frame(us: Dir, code: CloseCode) -> Vec<u8> {
    let mut key = [0; 4];
    // Without randomness the key is 0, which is a key too.
    let _ = getrandom::fill(&mut key);
    let header = FrameHeader {
        fin: true,
        rsv1: false,
        rsv2: false,
        rsv3: false,
        opcode: Opcode::CLOSE,
        masking_key: (us == Dir::Client).then_some(key),
        length_form: LengthForm::Bits7,
        length: 2,
    };
    let mut bytes = Vec::new();
    encode::frame(&header, &code.0.to_be_bytes(), &mut bytes);
    bytes
}

/// The project's own session over the live bytes.
struct Feed<'t> {
    session: Session,
    scratch: Scratch,
    connections: u32,
    memory: Memory,
    out: Out<'t>,
}

impl Feed<'_> {
    /// Takes bytes of one side; true when the peer has sent a Close frame.
    fn data(&mut self, from: Dir, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return false;
        }
        let side = if from == Dir::Client { Side::A } else { Side::B };
        let mut cx = Context {
            out: &mut self.out,
            scratch: &mut self.scratch,
            connections: &mut self.connections,
            memory: &mut self.memory,
        };
        let at = At { time: Some(now()), ..At::default() };
        self.session.data(side, bytes, at, &mut cx) == Interest::Stop
    }

    fn end(mut self, peer: Dir, how: Option<StreamEnd>) {
        let side = if peer == Dir::Client { Side::A } else { Side::B };
        let mut cx = Context {
            out: &mut self.out,
            scratch: &mut self.scratch,
            connections: &mut self.connections,
            memory: &mut self.memory,
        };
        let at = At { time: Some(now()), ..At::default() };
        if let Some(how) = how {
            self.session.end(side, how, Receipt::default(), at, &mut cx);
        }
        // Nothing follows that could be stopped.
        let _: Flow = self.session.finish(StreamEnd::Capture, at.time, at.time, &mut cx);
    }
}

/// Passes on what follows the heads, and counts what the peer sends.
struct Tell {
    view: Option<Box<dyn View>>,
    peer: Dir,
    live: bool,
    frames: u64,
    /// Whether it sent a Close frame, and its code.
    closed: bool,
    close_code: Option<CloseCode>,
}

impl Sink for Tell {
    fn wants(&self) -> Wants {
        let view = self.view.as_ref().map_or(Wants::NOTHING, |view| view.wants());
        view.or(Wants { payload: limits::PAYLOAD_SHOWN, ..Wants::NOTHING })
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        // Both heads were shown before; what the session adds to them comes with the first frames.
        self.live |= matches!(unit.body, UnitBody::Http(_)) && unit.dir == Some(Dir::Server);
        let from_peer = unit.dir == Some(self.peer);
        match unit.body {
            UnitBody::Frame(_) if from_peer => self.frames += 1,
            UnitBody::Message(message) if from_peer && message.kind == Opcode::CLOSE => {
                self.closed = true;
                self.close_code = message.close.and_then(|close| close.code);
            }
            // Ours too: their numbers are those of one conversation.
            UnitBody::Frame(_) if self.live => {}
            UnitBody::Message(_) | UnitBody::Note if from_peer && self.live => {}
            _ => return ON,
        }
        if let Some(view) = &mut self.view {
            view.take(unit)?;
        }
        // A Close frame is the last that is waited for.
        if self.closed { Flow::Break(()) } else { ON }
    }
}
