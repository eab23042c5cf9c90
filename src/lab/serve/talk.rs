//! A WebSocket of the server's: pings, timeouts, the server's end, and what goes wrong on purpose.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::{FAREWELL, Visitor};
use crate::lab::events::at;
use crate::lab::fate::{Fate, spoil};
use crate::lab::flood::Flood;
use crate::lab::frames::Received;
use crate::lab::handshake::Agreed;
use crate::lab::socket::{Came, Manners, Socket, Stream};
use crate::limits;
use crate::model::{CloseCode, Dir, Opcode, Text};
use crate::synth::Rng;

/// A WebSocket and its visitor.
pub struct Talk {
    socket: Socket,
    visitor: Arc<Visitor>,
    chance: Rng,
    /// How long each waits before it is sent.
    delay: Duration,
    /// Messages that wait until it is their time, and how many bytes those are.
    later: VecDeque<(Instant, Message)>,
    later_bytes: usize,
    /// Messages sent.
    sent: u64,
    /// When the next ping is sent, and whether the last one is not answered.
    ping: Option<Instant>,
    unanswered: bool,
    /// When the last message came or went.
    heard: Instant,
    flood: Flood,
    /// What befalls it now.
    fate: Option<Fate>,
    /// Until when the answer to our Close is waited for.
    parting: Option<Instant>,
    /// It ends without FIN.
    abrupt: bool,
    over: bool,
    /// Whether the server goes on.
    going: watch::Receiver<bool>,
}

/// A message on its way out.
struct Message {
    opcode: Opcode,
    payload: Vec<u8>,
    fragments: usize,
}

/// How a talk went on or ended.
enum Step {
    Message(Received),
    Over,
    Other,
}

impl Talk {
    /// Begins one on what an upgrade left.
    pub fn begin(stream: impl Stream, visitor: Arc<Visitor>, agreed: &Agreed) -> Self {
        let server = &visitor.server;
        let manners = Manners {
            reader: server.0.reader.clone(),
            masks: visitor.plan.mask.then_some(true),
            answers_pings: !visitor.plan.no_pong,
            write_timeout: Some(server.settings().write_timeout),
        };
        let now = Instant::now();
        Self {
            socket: Socket::new(stream, Dir::Server, agreed.deflate, manners),
            chance: server.chance(),
            later: VecDeque::new(),
            later_bytes: 0,
            sent: 0,
            ping: server.settings().ping_interval.map(|every| now + every),
            unanswered: false,
            heard: now,
            flood: Flood::default(),
            fate: None,
            parting: None,
            abrupt: false,
            over: false,
            going: server.0.going.subscribe(),
            delay: visitor.plan.delay.unwrap_or_default(),
            visitor,
        }
    }

    /// The next message; `None` when it is over. Nothing is lost when the waiting is given up.
    pub async fn next(&mut self) -> Option<Received> {
        loop {
            match self.step().await {
                Ok(Step::Message(message)) => {
                    self.heard = Instant::now();
                    return Some(message);
                }
                Ok(Step::Other) => {}
                Ok(Step::Over) => return None,
                Err(error) => {
                    self.visitor.broke(&error);
                    return None;
                }
            }
        }
    }

    /// Sends a text.
    pub fn text(&mut self, text: &str) {
        self.say(Opcode::TEXT, text.as_bytes().to_vec(), 1);
    }

    /// Sends a message in so many fragments: at once, or when its time has come.
    pub fn say(&mut self, opcode: Opcode, payload: Vec<u8>, fragments: usize) {
        if self.visitor.plan.loses(&mut self.chance) {
            return;
        }
        let due = Instant::now() + self.delay;
        self.later_bytes += payload.len();
        self.later.push_back((due, Message { opcode, payload, fragments }));
        self.send_due();
    }

    /// Whether so much waits to be sent that no more should be said.
    pub fn is_full(&self) -> bool {
        self.socket.waiting() + self.later_bytes > limits::LAB_SOCKET_WAITING
    }

    /// Has messages wait longer before they are sent.
    pub fn slow_down(&mut self, delay: Duration) {
        self.delay += delay;
    }

    /// A message was sent by way of the [socket](Self::socket).
    pub fn has_sent_one(&mut self) {
        self.sent += 1;
        self.heard = Instant::now();
        self.fate = Fate::behind(self.sent, &self.visitor.plan);
    }

    /// Begins to close with this; [`next`](Self::next) waits for the answer.
    pub fn part(&mut self, code: CloseCode, reason: &str) {
        if self.parting.is_none() {
            self.socket.close(Some(code), reason);
            self.parting = Some(Instant::now() + FAREWELL);
        }
    }

    /// Whether it is being closed from here.
    pub fn is_parting(&self) -> bool {
        self.parting.is_some()
    }

    /// The socket itself, for what no fault befalls.
    pub fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    /// Who talks.
    pub fn visitor(&self) -> &Arc<Visitor> {
        &self.visitor
    }

    /// Closes with this and waits for the answer.
    pub async fn close(mut self, code: Option<CloseCode>, reason: &str) {
        self.socket.close(code, reason);
        self.parting = Some(Instant::now() + FAREWELL);
        while self.next().await.is_some() {}
        self.end().await;
    }

    /// Ends the connection behind what was sent.
    pub async fn end(self) {
        if !self.abrupt {
            // Whoever broke it, it is over.
            let _ = self.socket.finish(FAREWELL).await;
        }
    }

    async fn step(&mut self) -> io::Result<Step> {
        if self.over {
            return Ok(Step::Over);
        }
        if let Some(until) = self.parting {
            return self.wait_for_close(until).await;
        }
        if let Some(fate) = self.fate {
            return self.meet(fate).await;
        }
        let settings = self.visitor.server.settings();
        let idle = settings.idle_timeout.map(|idle| self.heard + idle);
        let silence = self.visitor.plan.idle_timeout.map(|idle| self.heard + idle);
        let due = self.later.front().map(|(due, _)| *due);
        tokio::select! {
            came = self.socket.next(), if self.later_bytes <= limits::LAB_SOCKET_WAITING => {
                return Ok(self.came(came?));
            }
            () = at(due), if due.is_some() => self.send_due(),
            () = at(self.ping), if self.ping.is_some() => {
                self.beat(settings.ping_interval.unwrap_or_default());
            }
            () = at(idle), if idle.is_some() => {
                let seconds = settings.idle_timeout.unwrap_or_default().as_secs_f64();
                self.visitor.say(Text::with("closed: no message for {} s", seconds));
                self.part(CloseCode(1001), "nothing was said for too long");
            }
            () = at(silence), if silence.is_some() => self.fate = Some(Fate::Silence),
            () = ended(&mut self.going) => self.part(CloseCode(1001), "the server ends"),
        }
        Ok(Step::Other)
    }

    fn came(&mut self, came: Came) -> Step {
        let is_one = matches!(came, Came::Message(_) | Came::Ping(_) | Came::Pong(_));
        if is_one && self.flood.takes_one(Instant::now()) {
            self.visitor.say(Flood::words());
        }
        match came {
            Came::Message(message) => return Step::Message(message),
            Came::Ping(_) => {}
            Came::Pong(_) => self.unanswered = false,
            Came::Close(..) => self.over = true,
            Came::Violation(violation) => {
                let told = Text::with("closed with {}: {}", violation.code.0).word(Text::new(violation.why));
                self.visitor.say(told);
                self.over = true;
            }
            Came::End => {
                //= RFC 6455 §4.1
                //# the client MUST _Fail the WebSocket Connection_.
                // So does who was answered wrongly on purpose.
                if !self.visitor.plan.accept {
                    self.visitor.say("it vanished: the connection ended without a Close");
                }
                self.over = true;
            }
        }
        Step::Other
    }

    /// Time for a ping.
    fn beat(&mut self, every: Duration) {
        if self.unanswered {
            self.visitor.say(Text::with("cut off: no answer to a ping for {} s", every.as_secs_f64()));
            self.part(CloseCode(1011), "a ping was not answered");
            return;
        }
        self.unanswered = true;
        self.ping = Some(Instant::now() + every);
        self.socket.queue(Opcode::PING, b"are you there?");
    }

    /// Waits for the answer to a Close, for a while.
    async fn wait_for_close(&mut self, until: Instant) -> io::Result<Step> {
        tokio::select! {
            came = self.socket.next() => {
                self.over |= matches!(came?, Came::Close(..) | Came::Violation(_) | Came::End);
            }
            () = sleep_until(until) => {
                self.visitor.say(Text::with("did not answer a Close within {} s", FAREWELL.as_secs()));
                self.over = true;
            }
        }
        Ok(Step::Other)
    }

    /// Sends what it is time for.
    fn send_due(&mut self) {
        while self.fate.is_none()
            && let Some((_, message)) = self.later.pop_front_if(|(due, _)| *due <= Instant::now())
        {
            self.later_bytes -= message.payload.len();
            self.send(message);
        }
    }

    fn send(&mut self, Message { opcode, mut payload, fragments }: Message) {
        let plan = &self.visitor.plan;
        if plan.bad_utf8 && opcode == Opcode::TEXT {
            spoil(&mut payload);
        }
        if plan.window_lost
            && let Some(deflater) = self.socket.deflater()
        {
            deflater.mislead(&payload);
        }
        self.socket.queue_fragments(opcode, &payload, fragments);
        self.has_sent_one();
    }

    /// What befalls the connection behind a message. Done again when the waiting was given up.
    async fn meet(&mut self, fate: Fate) -> io::Result<Step> {
        self.socket.flush().await?;
        // Half-open it may be waited for more than once.
        if !self.abrupt {
            self.visitor.say(fate.words(&self.visitor.plan, self.sent));
        }
        match fate {
            Fate::Close => {
                if let Some((code, reason)) = self.visitor.plan.close.clone() {
                    self.part(code, &reason);
                }
                return Ok(Step::Other);
            }
            Fate::Cut | Fate::Silence => {}
            Fate::Reset => {
                self.visitor.reset();
                self.abrupt = true;
            }
            Fate::HalfOpen => {
                self.abrupt = true;
                self.visitor.control.freeze();
                ended(&mut self.going).await;
            }
        }
        self.over = true;
        Ok(Step::Over)
    }
}

/// Waits until the server is to end.
async fn ended(going: &mut watch::Receiver<bool>) {
    // It lives as long as the server does.
    let _ = going.wait_for(|going| !going).await;
}
