//! The same scenario played message by message and packet by packet.
//!
//! Nothing here knows a formula: messages are published at seeded random moments,
//! writes travel, receivers acknowledge, clients poll and servers answer. It checks
//! the formulas, and answers what they do not cover: bursts, jitter, and losses
//! whose retransmission holds up everything behind them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use foldhash::{HashMap, HashMapExt as _};

use super::events::{CLIENT, Carried, Event, Next, SERVER, Schedule, Side, unit};
use super::http::Turn;
use super::latency::Observed;
use super::model::{COMMENT, Model, frame_header};
use super::play::Play;
use super::socket_io::ENGINE_POLL;
use super::wire::Load;
use super::{Scenario, Way};
use crate::synth::Rng;

/// What one client saw.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// From publishing a message to its arrival, in seconds.
    pub latency: Observed,
    /// HTTP requests; polls that were answered; of these, those that brought no message.
    pub requests: u64,
    /// Of the requests, polls that were answered.
    pub polls: u64,
    /// Of the polls, those that brought nothing.
    pub empty: u64,
    /// Bytes of both directions.
    pub load: Load,
    /// Segments that were sent again.
    pub lost: u64,
    /// How long it took.
    pub seconds: f64,
}

/// The least time until a segment is sent again (RFC 6298 §2.4 says 1 s, current systems 200 ms), besides a
/// round trip.
const RETRANSMISSION: f64 = 0.2;

/// Plays one row.
pub fn play(scenario: &Scenario, way: Way, how: Play) -> Seen {
    let mut game = Game::new(scenario, way, how);
    game.begin();
    while let Some(Reverse(next)) = game.events.pop() {
        game.now = f64::from_bits(next.at);
        if game.now > game.end {
            break;
        }
        game.happen(next.what);
    }
    game.seen.seconds = game.end - game.start;
    game.seen
}

/// What a receiver owes its peer.
#[derive(Clone, Copy, Default)]
struct Receiver {
    /// Segments not acknowledged: 0 or 1.
    owed: u64,
    /// Which timer counts.
    round: u64,
    /// Nothing arrives before what was sent before it.
    last: f64,
}

struct Game<'a> {
    model: Model<'a>,
    s: &'a Scenario,
    way: Way,
    how: Play,
    rng: Rng,
    /// When the client, and the server, have something to say.
    schedules: [Schedule; 2],
    events: BinaryHeap<Reverse<Next>>,
    order: u64,
    now: f64,
    start: f64,
    end: f64,
    seen: Seen,
    /// By number; what a POST uses is thrown away after it.
    connections: HashMap<usize, [Receiver; 2]>,
    next_connection: usize,
    /// What the server has for the client, and whether a poll waits for it.
    queue: Vec<f64>,
    beats: u64,
    waiting: bool,
    round: u64,
    polled: usize,
    /// Heads' sizes by the length of the body.
    sizes: HashMap<u64, u64>,
    request: u64,
    /// Of a POST of a message, and of a pong: application bytes, the rest.
    posts: [(u64, u64); 2],
}

impl<'a> Game<'a> {
    fn new(s: &'a Scenario, way: Way, how: Play) -> Self {
        let model = Model::new(s);
        let get =
            if way == Way::SocketIoPolling { s.heads.get(Some(ENGINE_POLL)) } else { s.heads.get(None) };
        let request = model.http.size(&get, 0, Turn::Later);
        let start = 2.0 * (s.interval + 4.0 * s.delay);
        let end = start + how.messages as f64 / (model.down + model.up);
        let socket_io = way == Way::SocketIoPolling;
        let target = if socket_io { ENGINE_POLL.to_owned() } else { get.target().to_owned() };
        let post = |application: u64, framing: u64| {
            let body = application + framing;
            (application, framing + model.http.size(&s.heads.post(Some(&target), body), body, Turn::Later))
        };
        let posts = [post(s.payload, if socket_io { model.packet() } else { 0 }), post(0, 1)];
        Self {
            posts,
            s,
            way,
            how,
            rng: Rng::new(how.seed),
            schedules: [(1, model.up), (0, model.down)]
                .map(|(side, rate)| Schedule::new(how, side, (start, end), rate)),
            events: BinaryHeap::new(),
            order: 0,
            now: 0.0,
            start,
            end,
            seen: Seen::default(),
            connections: HashMap::new(),
            next_connection: 1 << 32,
            queue: Vec::new(),
            beats: 0,
            waiting: false,
            round: 0,
            polled: 0,
            sizes: HashMap::new(),
            request,
            model,
        }
    }

    fn begin(&mut self) {
        self.plan(self.start, Event::Start);
        if self.model.down > 0.0 {
            self.plan_publish(SERVER);
        }
        if self.model.up > 0.0 {
            self.plan_publish(CLIENT);
        }
        match self.way {
            Way::ShortPolling if self.model.down > 0.0 => self.plan(0.0, Event::Poll),
            Way::LongPolling if self.model.down > 0.0 => self.poll(),
            Way::SocketIoPolling => self.poll(),
            _ => {}
        }
        let streams = match self.way {
            Way::ShortPolling | Way::LongPolling => false,
            Way::EventStream => self.model.down > 0.0,
            _ => true,
        };
        if streams && self.s.heartbeat > 0.0 {
            self.plan(self.s.heartbeat, Event::Beat);
        }
    }

    fn plan(&mut self, after: f64, what: Event) {
        self.plan_at(self.now + after, what);
    }

    fn plan_at(&mut self, at: f64, what: Event) {
        self.order += 1;
        self.events.push(Reverse(Next { at: at.to_bits(), order: self.order, what }));
    }

    fn plan_publish(&mut self, side: Side) {
        if let Some(at) = self.schedules[side].next() {
            self.plan_at(at, Event::Publish(side));
        }
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Publish(side) => {
                for _ in 0..self.how.burst.max(1) {
                    if side == SERVER { self.publish_down() } else { self.publish_up() }
                }
                self.plan_publish(side);
            }
            Event::Poll => {
                self.poll();
                if !self.s.closed_loop {
                    self.plan(self.s.interval, Event::Poll);
                }
            }
            Event::Arrival { connection, from, segments, carried } => {
                self.receive(connection, 1 - from, segments);
                self.arrived(connection, carried);
            }
            Event::Acknowledge { connection, side, round } => {
                let receiver = &mut self.connections.entry(connection).or_default()[side];
                if receiver.round == round && receiver.owed > 0 {
                    receiver.owed = 0;
                    self.seen.load += self.model.wire.acks(1.0);
                    // An exchange is over once its answer is acknowledged.
                    if connection >= 1 << 32 {
                        self.connections.remove(&connection);
                    }
                }
            }
            Event::Beat => {
                self.plan(self.s.heartbeat, Event::Beat);
                match self.way {
                    Way::SocketIoPolling => {
                        self.beats += 1;
                        self.answer_if_waiting();
                    }
                    Way::EventStream => {
                        let bytes = COMMENT + self.model.http.around_chunk(COMMENT);
                        self.send(0, SERVER, 0, bytes, Carried::Nothing);
                    }
                    way => {
                        let beat = u64::from(way == Way::SocketIoWebSocket);
                        self.send(0, SERVER, 0, beat + frame_header(beat, false), Carried::Ping);
                    }
                }
            }
            Event::Start => self.seen = Seen::default(),
            Event::LetGo { round } => {
                if self.waiting && self.round == round {
                    self.answer();
                }
            }
        }
    }

    // --- what the endpoints do ---

    fn publish_down(&mut self) {
        let payload = self.s.payload;
        match self.way {
            Way::ShortPolling => self.queue.push(self.now),
            Way::LongPolling | Way::SocketIoPolling => {
                self.queue.push(self.now);
                self.answer_if_waiting();
            }
            Way::EventStream => {
                let framing = self.model.event(payload) - payload;
                self.send(0, SERVER, payload, framing, Carried::Message(self.now));
            }
            Way::WebSocket | Way::SocketIoWebSocket => self.send_frame(SERVER),
        }
    }

    fn publish_up(&mut self) {
        match self.way {
            Way::WebSocket | Way::SocketIoWebSocket => self.send_frame(CLIENT),
            _ => self.post(Some(self.now)),
        }
    }

    fn send_frame(&mut self, from: Side) {
        let payload = self.s.payload;
        let around = if self.way == Way::SocketIoWebSocket { self.model.packet() } else { 0 };
        let framing = around + frame_header(payload + around, from == CLIENT);
        self.send(0, from, payload, framing, Carried::Message(self.now));
    }

    /// A POST of a message, or of Engine.IO's pong, on a connection that nothing else uses.
    fn post(&mut self, published: Option<f64>) {
        let (application, protocol) = self.posts[usize::from(published.is_none())];
        self.seen.requests += 1;
        let connection = self.next_connection;
        self.next_connection += 1;
        self.send(connection, CLIENT, application, protocol, Carried::Post(published));
    }

    fn poll(&mut self) {
        self.seen.requests += 1;
        let connection = match self.way {
            Way::ShortPolling if self.model.idle() > self.s.keep_alive => {
                self.seen.load += self.model.wire.open() + self.model.wire.close();
                self.next_connection += 1;
                self.next_connection
            }
            Way::ShortPolling => {
                self.polled += 1;
                self.polled % self.model.pollers() as usize
            }
            _ => 0,
        };
        self.send(connection, CLIENT, 0, self.request, Carried::Request);
    }

    fn arrived(&mut self, connection: usize, carried: Carried) {
        match carried {
            Carried::Request if self.way == Way::ShortPolling => {
                let messages = std::mem::take(&mut self.queue);
                self.send_answer(connection, messages, 0);
            }
            Carried::Request => {
                self.waiting = true;
                if self.queue.is_empty() && self.beats == 0 {
                    self.round += 1;
                    if self.way == Way::LongPolling && self.s.heartbeat > 0.0 {
                        self.plan(self.s.heartbeat, Event::LetGo { round: self.round });
                    }
                } else {
                    self.answer();
                }
            }
            Carried::Answer(messages, beats) => {
                self.seen.polls += 1;
                self.seen.empty += u64::from(messages.is_empty());
                for published in messages {
                    self.seen.latency.add(self.now - published);
                }
                match self.way {
                    Way::ShortPolling if self.s.closed_loop => self.plan(self.s.interval, Event::Poll),
                    Way::ShortPolling => {}
                    _ => self.poll(),
                }
                for _ in 0..beats {
                    self.post(None);
                }
            }
            Carried::Message(published) => self.seen.latency.add(self.now - published),
            Carried::Post(published) => {
                if let Some(published) = published {
                    self.seen.latency.add(self.now - published);
                }
                let body = if self.way == Way::SocketIoPolling { 2 } else { 0 };
                let size = body + self.size_of_answer(body);
                self.send(connection, SERVER, 0, size, Carried::PostAnswer);
            }
            Carried::Ping => {
                let beat = u64::from(self.way == Way::SocketIoWebSocket);
                self.send(0, CLIENT, 0, beat + frame_header(beat, true), Carried::Nothing);
            }
            Carried::PostAnswer | Carried::Nothing => {}
        }
    }

    fn answer_if_waiting(&mut self) {
        if self.waiting {
            self.answer();
        }
    }

    fn answer(&mut self) {
        self.waiting = false;
        let messages = std::mem::take(&mut self.queue);
        let beats = std::mem::take(&mut self.beats);
        self.send_answer(0, messages, beats);
    }

    fn send_answer(&mut self, connection: usize, messages: Vec<f64>, beats: u64) {
        let count = messages.len() as u64;
        let application = count * self.s.payload;
        let framing = match self.way {
            Way::SocketIoPolling => count * self.model.packet() + beats + (count + beats).saturating_sub(1),
            _ => 0,
        };
        let size = framing + self.size_of_answer(application + framing);
        self.send(connection, SERVER, application, size, Carried::Answer(messages, beats));
    }

    fn size_of_answer(&mut self, body: u64) -> u64 {
        let (model, heads) = (&self.model, &self.s.heads);
        *self.sizes.entry(body).or_insert_with(|| model.http.size(&heads.answer(body), body, Turn::Later))
    }

    // --- what TCP does ---

    fn send(&mut self, connection: usize, from: Side, application: u64, protocol: u64, carried: Carried) {
        let wire = self.model.wire;
        self.seen.load += wire.write(application, protocol);
        let segments = wire.segments(application + protocol);
        let mut late = 0.0;
        if self.how.jitter > 0.0 {
            late += self.unit() * self.how.jitter;
        }
        if self.how.loss > 0.0 {
            late += self.losses(segments, application + protocol);
        }
        let ends = self.connections.entry(connection).or_default();
        // What is sent acknowledges all that came.
        ends[from].owed = 0;
        ends[from].round += 1;
        let at = (self.now + self.s.delay + late).max(ends[1 - from].last);
        ends[1 - from].last = at;
        self.plan_at(at, Event::Arrival { connection, from, segments, carried });
    }

    /// Seconds that losses of these segments take, until each has come through.
    fn losses(&mut self, segments: u64, bytes: u64) -> f64 {
        let mut worst: f64 = 0.0;
        for _ in 0..segments {
            let (mut late, mut pause) = (0.0, RETRANSMISSION + 2.0 * self.s.delay);
            while self.unit() < self.how.loss {
                late += pause;
                pause *= 2.0;
                self.seen.lost += 1;
                let again = self.model.wire.headers() + bytes.min(self.model.wire.segment_holds());
                self.seen.load.tcp_ip += again as f64;
            }
            worst = worst.max(late);
        }
        worst
    }

    fn receive(&mut self, connection: usize, side: Side, segments: u64) {
        let receiver = &mut self.connections.entry(connection).or_default()[side];
        let owed = receiver.owed + segments;
        receiver.owed = owed % 2;
        if owed >= 2 || receiver.owed == 0 {
            receiver.round += 1;
        }
        if receiver.owed == 1 {
            let round = receiver.round;
            self.plan(self.model.wire.ack_delay, Event::Acknowledge { connection, side, round });
        }
        self.seen.load += self.model.wire.acks((owed / 2) as f64);
    }

    fn unit(&mut self) -> f64 {
        unit(&mut self.rng)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_plays_the_same_game() {
        let s = Scenario::default();
        let how = Play { messages: 1000, jitter: 0.01, loss: 0.01, ..Play::default() };
        let (mut a, mut b) = (play(&s, Way::LongPolling, how), play(&s, Way::LongPolling, how));
        assert_eq!(a.load, b.load);
        assert!((a.latency.quantile(0.9) - b.latency.quantile(0.9)).abs() < f64::EPSILON);
    }

    #[test]
    fn losses_hold_up_what_is_behind_them() {
        let s = Scenario { rate: 20.0, ..Scenario::default() };
        let clean = play(&s, Way::WebSocket, Play::default());
        let mut lossy = play(&s, Way::WebSocket, Play { loss: 0.02, ..Play::default() });
        assert!(lossy.lost > 500);
        // One message in fifty is lost, and several wait behind each.
        assert!(lossy.latency.mean() > clean.latency.mean() + 0.02 * 0.3);
        assert!(lossy.latency.quantile(0.95) > s.delay + 0.02);
    }

    #[test]
    fn bursts_are_published_together() {
        let s = Scenario::default();
        let seen = play(&s, Way::ShortPolling, Play { burst: 10, ..Play::default() });
        let empty = seen.empty as f64 / seen.polls as f64;
        // Ten at a time come a tenth as often.
        assert!((empty - (-0.1f64).exp()).abs() < 0.02, "{empty}");
    }
}
