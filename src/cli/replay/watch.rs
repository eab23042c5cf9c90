//! What a live peer does after the handshake, as the tool's own session sees it.

use std::time::{Duration, Instant};

use super::expect::Talk;
use super::live::{Got, Stop, Wire, now};
use crate::decoder::{Beginning, Decoder};
use crate::limits;
use crate::model::film::{Aftermath, PeerEnd, State};
use crate::model::{
    At, Body as UnitBody, CloseCode, Dir, Endpoint, Flow, FlowId, Interest, ON, Opcode, Receipt, Side, Sink,
    StreamEnd, Time, Unit, Wants,
};
use crate::render::View;
use crate::replay::Pace;
use crate::ws::encode;

/// A live handshake that is over.
pub struct Played<'b> {
    /// Whom we play.
    pub us: Dir,
    pub state: State,
    /// Client and server.
    pub endpoints: [Endpoint; 2],
    /// When the request was sent or had come, from which times count.
    pub began: Time,
    /// What each sent as its head.
    pub heads: [&'b [u8]; 2],
    /// What the peer sent behind its head already.
    pub rest: &'b [u8],
    /// What we send first, frames or not.
    pub frames: &'b [u8],
}

/// How long a server may stay silent before its client says goodbye.
const QUIET: Duration = Duration::from_millis(300);
/// The same when it was sent something that it may have to work on.
const THINKING: Duration = Duration::from_secs(1);

/// Follows what the peer does after the handshake, for at most `patience`. What follows
/// is shown on `view`. An open WebSocket is closed by its client after `stay`.
pub fn watch(
    wire: &mut Wire,
    played: &Played<'_>,
    patience: Duration,
    stay: Option<Duration>,
    view: Option<Box<dyn View>>,
) -> Result<(Aftermath, Talk), Stop> {
    let peer = played.us.peer();
    let tell = Tell {
        view,
        peer,
        live: false,
        frames: 0,
        closed: false,
        close_code: None,
        pings: Vec::new(),
        talk: Talk::default(),
    };
    let mut feed = Feed { decoder: Decoder::new(tell), last: now() };
    let begun = Beginning { both_heard: false, ..Beginning::opened(played.endpoints) };
    feed.decoder.open(ONE, &begun);
    feed.data(Dir::Client, played.heads[0]);
    feed.data(Dir::Server, played.heads[1]);
    if !played.frames.is_empty() {
        feed.data(played.us, played.frames);
        // Who refuses them may do so before it has read them all.
        let _ = wire.send(played.frames, Pace::default());
    }
    let start = Instant::now();
    let silence = if played.frames.is_empty() { QUIET } else { THINKING };
    let quiet = match played.us {
        Dir::Client => stay.unwrap_or(patience.min(silence)),
        Dir::Server => patience,
    };
    let mut eyes = Eyes {
        peer,
        deadline: start + quiet,
        bytes: 0,
        closing: false,
        closed_first: false,
        ended: feed.last,
    };
    let end = eyes.look(wire, played, patience, &mut feed);
    // By the clock of the frames, so that both say the same.
    let after = eyes.ended.0.saturating_sub(played.began.0);
    let how = match end {
        // Who opens no WebSocket owes it no closing handshake.
        _ if played.state != State::Open => None,
        PeerEnd::Closed => Some(StreamEnd::Fin),
        PeerEnd::Reset => Some(StreamEnd::Rst),
        PeerEnd::CloseFrame | PeerEnd::Silent => None,
    };
    let tell = feed.end(peer, how, eyes.ended);
    let bytes = eyes.bytes;
    let (frames, close_code, talk) = (tell.frames, tell.close_code, tell.talk);
    // A client that was listened to is left, not asked.
    let asked = eyes.closed_first && played.us == Dir::Client;
    let close_answered = asked.then_some(end == PeerEnd::CloseFrame);
    if let Some(view) = tell.view {
        view.end()?;
    }
    let state = played.state;
    Ok((Aftermath { peer, state, frames, bytes, close_code, end, close_answered, after }, talk))
}

struct Eyes {
    peer: Dir,
    deadline: Instant,
    bytes: u64,
    /// We said goodbye.
    closing: bool,
    /// And did so before the peer did.
    closed_first: bool,
    /// When the peer ended, or was no longer waited for.
    ended: Time,
}

impl Eyes {
    fn look(&mut self, wire: &mut Wire, played: &Played<'_>, patience: Duration, feed: &mut Feed) -> PeerEnd {
        let is_open = played.state == State::Open;
        let mut buffer = vec![0; limits::RAW_READ];
        let mut read = played.rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&played.rest[..read]);
        loop {
            self.bytes += read as u64;
            let closed = feed.data(self.peer, &buffer[..read]);
            self.ended = feed.last;
            for ping in std::mem::take(&mut feed.decoder.sink().pings) {
                //= RFC 6455 §5.5.2
                //# Upon receipt of a Ping frame, an endpoint MUST send a Pong frame in
                //# response, unless it already received a Close frame.
                let pong = control_frame(played.us, Opcode::PONG, &ping);
                feed.data(played.us, &pong);
                // Whether it still arrives is the peer's business.
                let _ = wire.send(&pong, Pace::default());
            }
            if closed {
                // As RFC 6455 §5.5.1 asks; whether it still arrives is the peer's business.
                if !self.closing {
                    self.say_goodbye(wire, played.us, feed);
                    self.closed_first = false;
                }
                return PeerEnd::CloseFrame;
            }
            let got = wire.read(&mut buffer, self.deadline);
            self.ended = now();
            read = match got {
                Got::Bytes(read) => read,
                Got::Closed => return PeerEnd::Closed,
                Got::Reset => return PeerEnd::Reset,
                Got::Late if is_open && !self.closing && self.say_goodbye(wire, played.us, feed) => {
                    if played.us == Dir::Server {
                        return PeerEnd::Silent;
                    }
                    self.deadline = Instant::now() + patience.min(Duration::from_secs(2));
                    0
                }
                Got::Late => return PeerEnd::Silent,
            };
        }
    }

    /// Sends a Close frame; whether it could be sent.
    fn say_goodbye(&mut self, wire: &mut Wire, us: Dir, feed: &mut Feed) -> bool {
        self.closing = true;
        self.closed_first = true;
        let frame = control_frame(us, Opcode::CLOSE, &encode::close(CloseCode(1000), b""));
        feed.data(us, &frame);
        wire.send(&frame, Pace::default()).is_ok()
    }
}

fn control_frame(us: Dir, opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    let mut key = [0; 4];
    // Without randomness the key is 0, which is a key too.
    let _ = getrandom::fill(&mut key);
    encode::whole(opcode, (us == Dir::Client).then_some(key), payload)
}

/// The only connection there is.
const ONE: FlowId = FlowId(0);

/// The live bytes, as the tool decodes them.
struct Feed {
    decoder: Decoder<Tell>,
    /// When bytes came last.
    last: Time,
}

impl Feed {
    /// Takes bytes of one side; true when the peer has sent a Close frame.
    fn data(&mut self, from: Dir, bytes: &[u8]) -> bool {
        if bytes.is_empty() {
            return false;
        }
        self.last = now();
        let at = At { time: Some(self.last), ..At::default() };
        self.decoder.data(ONE, Side::of(from), bytes, at) == Interest::Stop
    }

    fn end(mut self, peer: Dir, how: Option<StreamEnd>, time: Time) -> Tell {
        let at = At { time: Some(time), ..At::default() };
        if let Some(how) = how {
            self.decoder.end(ONE, Side::of(peer), how, Receipt::default(), at);
        }
        self.decoder.tick(time);
        // Nothing follows that could be stopped.
        let _: Flow = self.decoder.close(ONE, StreamEnd::Capture, at.time);
        self.decoder.finish().0
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
    talk: Talk,
    /// What the peer's pings carried that are to be answered.
    pings: Vec<Vec<u8>>,
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
        if self.live {
            self.talk.take(unit, from_peer);
        }
        if let UnitBody::Message(message) = unit.body
            && from_peer
            && message.kind == Opcode::PING
            && !message.payload_cut
        {
            self.pings.push(message.payload.to_vec());
        }
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
