//! The formulas: what each way costs a client, exactly.
//!
//! Times are in seconds, λ is the rate of messages, d the one-way delay, T the poll
//! interval, A the time a receiver waits with an acknowledgement. A Poisson process
//! has no memory: whatever happened before, the next message comes as if none had.

use super::heads::{Head, Heads};
use super::http::{HTTP2_CLIENT_OPENS, HTTP2_SERVER_OPENS, Http, Turn};
use super::latency::Latency;
use super::poisson::over_poisson;
use super::wire::{Load, Wire};
use super::{Scenario, Way};
use crate::model::{FrameHeader, Opcode};

/// What a way costs one client.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// The way to deliver messages.
    pub way: Way,
    /// Bytes a second, once it runs.
    pub steady: Load,
    /// Bytes once, to begin.
    pub setup: Load,
    /// HTTP requests a second, once it runs.
    pub requests: f64,
    /// The share of polls that bring nothing; `None` where nobody polls.
    pub empty: Option<f64>,
    /// From publishing a message to its arrival, in seconds.
    pub latency: Latency,
    /// Connections held on average.
    pub connections: f64,
}

/// Computes one row.
pub fn cost(scenario: &Scenario, way: Way) -> Cost {
    let model = Model::new(scenario);
    match way {
        Way::ShortPolling => model.short_polling(),
        Way::LongPolling => model.long_polling(),
        Way::EventStream => model.event_stream(),
        Way::WebSocket => model.web_socket(),
        Way::SocketIoPolling => model.socket_io_polling(),
        Way::SocketIoWebSocket => model.socket_io_web_socket(),
    }
}

/// A scenario with what follows from it.
pub(super) struct Model<'a> {
    pub s: &'a Scenario,
    pub wire: Wire,
    pub http: Http,
    /// Messages a second downwards and upwards.
    pub down: f64,
    pub up: f64,
}

impl<'a> Model<'a> {
    pub fn new(s: &'a Scenario) -> Self {
        let rate = |yes: bool| if yes { s.rate } else { 0.0 };
        Self {
            s,
            wire: s.wire,
            http: if s.http2 { Http::Two } else { Http::One },
            down: rate(s.direction.down()),
            up: rate(s.direction.up()),
        }
    }

    // --- short polling ---

    /// Seconds between two polls.
    pub fn period(&self) -> f64 {
        if self.s.closed_loop { self.s.interval + 2.0 * self.s.delay } else { self.s.interval }
    }

    /// Connections that a client needs because it polls again before it is answered.
    pub fn pollers(&self) -> f64 {
        if self.s.closed_loop || self.http == Http::Two {
            1.0
        } else {
            (2.0 * self.s.delay / self.s.interval).floor() + 1.0
        }
    }

    /// Seconds a connection is idle from an answer to the next poll.
    pub fn idle(&self) -> f64 {
        (self.pollers() * self.period() - 2.0 * self.s.delay).max(0.0)
    }

    fn short_polling(&self) -> Cost {
        let (period, idle, d) = (self.period(), self.idle(), self.s.delay);
        let reused = idle <= self.s.keep_alive;
        let request = self.s.heads.get(None);
        let mut a_poll = self.request(&request, Acked::WithAnswer);
        // An answer is acknowledged with the next request, if that comes soon enough.
        let acked = if reused && idle < self.wire.ack_delay { Acked::WithAnswer } else { Acked::Alone };
        a_poll += over_poisson(self.down * period, |k| self.answer(k * self.s.payload, 0, acked));
        if !reused {
            a_poll += self.wire.open() + self.wire.close();
        }
        let mut cost = Cost {
            way: Way::ShortPolling,
            steady: a_poll * (1.0 / period),
            setup: if reused { self.setup_http() * self.pollers() } else { Load::default() },
            requests: 1.0 / period,
            empty: Some((-self.down * period).exp()),
            latency: Latency::uniform(d, period + d),
            connections: if reused {
                self.pollers()
            } else {
                ((2.0 * d + self.s.keep_alive) / period).min(1.0)
            },
        };
        if self.down == 0.0 {
            cost = Cost::nothing(Way::ShortPolling);
        }
        self.with_posts(cost)
    }

    // --- long polling ---

    /// A poll waits for news that come at rate `news`: how often one is answered, and with what.
    ///
    /// The server answers at 0; the next poll is there at 2d. Either something came in
    /// between, then it is answered at once with all of it; or nothing did, which has the
    /// probability e^(−2dλ), then it waits for one message, at most until `hold`.
    pub fn cycle(&self, news: f64, hold: f64) -> Cycle {
        let away = 2.0 * self.s.delay;
        let waits = (-news * away).exp();
        let gives_up = if hold > 0.0 { (-news * hold).exp() } else { 0.0 };
        let wait = if news > 0.0 { (1.0 - gives_up) / news } else { hold };
        let length = away + waits * wait;
        // Longer than a receiver waits: the request is acknowledged by itself.
        let held = waits * (-news * self.wire.ack_delay).exp();
        // A poll that nothing ends is none a second.
        let endless = news <= 0.0 && hold <= 0.0;
        Cycle { away, waits, gives_up, rate: if endless { 0.0 } else { 1.0 / length }, held }
    }

    fn long_polling(&self) -> Cost {
        if self.down == 0.0 {
            return self.with_posts(Cost::nothing(Way::LongPolling));
        }
        let cycle = self.cycle(self.down, self.s.heartbeat);
        let request = self.s.heads.get(None);
        let mut a_poll = self.request(&request, Acked::Share(cycle.held));
        let answer = |k: u64| self.answer(k * self.s.payload, 0, Acked::WithAnswer);
        a_poll += answer(1) * (cycle.waits * (1.0 - cycle.gives_up));
        a_poll += answer(0) * (cycle.waits * cycle.gives_up);
        a_poll += over_poisson(self.down * cycle.away, |k| if k > 0 { answer(k) } else { Load::default() });
        let cost = Cost {
            way: Way::LongPolling,
            steady: a_poll * cycle.rate,
            setup: self.setup_http(),
            requests: cycle.rate,
            empty: Some(cycle.waits * cycle.gives_up),
            latency: self.cycle_latency(self.down, &cycle),
            connections: 1.0,
        };
        self.with_posts(cost)
    }

    /// Messages that find a poll waiting take d; those that come while it is away wait for any part of 2d.
    fn cycle_latency(&self, news: f64, cycle: &Cycle) -> Latency {
        let d = self.s.delay;
        Latency::mixed(&[
            (news * cycle.away, Latency::uniform(d, 3.0 * d)),
            (cycle.waits * (1.0 - cycle.gives_up), Latency::constant(d)),
        ])
    }

    // --- server-sent events ---

    fn event_stream(&self) -> Cost {
        let payload = self.s.payload;
        let cost = if self.down == 0.0 {
            Cost::nothing(Way::EventStream)
        } else {
            let event = self.event(payload);
            let mut steady = self.stream(payload, event - payload, self.down, 0.0);
            if self.s.heartbeat > 0.0 {
                // An empty comment, acknowledged with whatever follows soon or alone.
                let beat = self.wire.write(0, COMMENT + self.http.around_chunk(COMMENT));
                let alone = (-self.down * self.wire.ack_delay).exp();
                steady += (beat + self.wire.acks(alone)) * (1.0 / self.s.heartbeat);
            }
            let request = self.s.heads.stream_request();
            let answer = self.s.heads.stream_answer();
            let setup = self.setup_http()
                + self.answered(self.http.size(&request, 0, Turn::First))
                + self.alone(self.http.size(&answer, 0, Turn::First));
            Cost {
                way: Way::EventStream,
                steady,
                setup,
                requests: 0.0,
                empty: None,
                latency: Latency::constant(self.s.delay),
                connections: 1.0,
            }
        };
        self.with_posts(cost)
    }

    /// Bytes of an event with its framing: `data: `, the message, an empty line.
    pub fn event(&self, payload: u64) -> u64 {
        let event = payload + 8;
        event + self.http.around_chunk(event)
    }

    // --- WebSocket ---

    fn web_socket(&self) -> Cost {
        let s = self.s;
        let mut cost = self.frames(Way::WebSocket, s.payload, 0, 0);
        cost.setup += self.setup_upgrade(None) + self.wire.acks(1.0);
        cost
    }

    /// Messages as WebSocket frames; the heartbeat's two frames carry `beat` bytes each.
    pub(super) fn frames(&self, way: Way, payload: u64, around: u64, beat: u64) -> Cost {
        let application = payload;
        let content = payload + around;
        let mut steady = Load::default();
        if self.down > 0.0 {
            steady += self.stream(application, around + frame_header(content, false), self.down, self.up);
        }
        if self.up > 0.0 {
            steady += self.stream(application, around + frame_header(content, true), self.up, self.down);
        }
        if self.s.heartbeat > 0.0 {
            let ping = self.wire.write(0, beat + frame_header(beat, false));
            let pong = self.wire.write(0, beat + frame_header(beat, true));
            // The pong acknowledges the ping; what acknowledges the pong is the next message down, if it
            // comes soon, or any second segment up.
            let alone = (-(self.down + self.up) * self.wire.ack_delay).exp();
            steady += (ping + pong + self.wire.acks(alone)) * (1.0 / self.s.heartbeat);
        }
        Cost {
            way,
            steady,
            setup: self.wire.open(),
            requests: 0.0,
            empty: None,
            latency: Latency::constant(self.s.delay),
            connections: 1.0,
        }
    }

    // --- parts ---

    /// Adds what the clients publish, where that takes a POST.
    pub(super) fn with_posts(&self, mut cost: Cost) -> Cost {
        if self.up == 0.0 {
            return cost;
        }
        let target = self.s.heads.get(None).target().to_owned();
        cost.steady += self.post(&target, self.s.payload, 0, 0) * self.up;
        cost.requests += self.up;
        let up = Latency::constant(self.s.delay);
        cost.latency =
            if self.down > 0.0 { Latency::mixed(&[(self.down, cost.latency), (self.up, up)]) } else { up };
        if self.http == Http::One || self.down == 0.0 {
            cost.setup += self.setup_http();
            cost.connections += 1.0;
        }
        cost
    }

    pub(super) fn connections_with_posts(&self) -> f64 {
        if self.http == Http::Two { 1.0 } else { 2.0 }
    }

    /// One exchange with a body upwards, answered at once, on a connection that is open.
    pub fn post(&self, target: &str, application: u64, protocol: u64, answer: u64) -> Load {
        let body = application + protocol;
        let head = self.s.heads.post(Some(target), body);
        let size = self.http.size(&head, body, Turn::Later);
        let sent = self.wire.write(application, protocol + size);
        let segments = self.wire.segments(body + size);
        sent + self.wire.acks((segments / 2) as f64) + self.answer(0, answer, Acked::Alone)
    }

    /// A request without a body.
    pub fn request(&self, head: &Head, acked: Acked) -> Load {
        let size = self.http.size(head, 0, Turn::Later);
        self.wire.write(0, size) + self.wire.acks(acked.pure(self.wire.segments(size)))
    }

    /// An answer with a body of messages and what frames them.
    pub fn answer(&self, application: u64, framing: u64, acked: Acked) -> Load {
        let body = application + framing;
        let size = framing + self.http.size(&self.s.heads.answer(body), body, Turn::Later);
        self.wire.write(application, size)
            + self.wire.acks(acked.pure(self.wire.segments(application + size)))
    }

    /// Writes at rate `rate` on a connection that carries `back` writes a second the other way, each of
    /// which takes an acknowledgement along.
    ///
    /// A receiver acknowledges every second segment at once (RFC 5681 §4.2), an odd one after A,
    /// unless before that another segment comes (then both at once) or one goes back.
    fn stream(&self, application: u64, protocol: u64, rate: f64, back: f64) -> Load {
        let load = self.wire.write(application, protocol);
        let segments = self.wire.segments(application + protocol);
        let alone = if segments.is_multiple_of(2) {
            0.0
        } else {
            let wait = self.wire.ack_delay;
            let quiet = (-(rate + back) * wait).exp();
            let second = rate / (rate + back) * (1.0 - quiet);
            (quiet + second) / (1.0 + second)
        };
        (load + self.wire.acks((segments / 2) as f64 + alone)) * rate
    }

    /// A write whose acknowledgement nothing takes along.
    pub(super) fn alone(&self, protocol: u64) -> Load {
        self.single(protocol, Acked::Alone)
    }

    /// A write whose acknowledgement goes with what is sent back at once.
    pub(super) fn answered(&self, protocol: u64) -> Load {
        self.single(protocol, Acked::WithAnswer)
    }

    fn single(&self, protocol: u64, acked: Acked) -> Load {
        self.wire.write(0, protocol) + self.wire.acks(acked.pure(self.wire.segments(protocol)))
    }

    /// An exchange of set-up: the next request follows its answer at once.
    pub(super) fn exchange(&self, request: &Head, up: u64, down: u64) -> Load {
        self.answered(up + self.http.size(request, up, Turn::First))
            + self.answered(down + self.http.size(&self.s.heads.answer(down), down, Turn::First))
    }

    /// Opening a connection for HTTP. The first exchange of HTTP/2 costs what later ones save.
    pub(super) fn setup_http(&self) -> Load {
        let mut load = self.wire.open();
        if self.http == Http::Two {
            load += self.alone(HTTP2_CLIENT_OPENS) + self.alone(HTTP2_SERVER_OPENS);
            for head in [self.s.heads.get(None), self.s.heads.answer(0)] {
                let more = self.http.size(&head, 0, Turn::First) - self.http.size(&head, 0, Turn::Later);
                load.protocol += more as f64;
            }
        }
        load
    }

    /// The opening handshake's request, and its answer but for the acknowledgement of that.
    pub(super) fn setup_upgrade(&self, target: Option<&str>) -> Load {
        // The WebSocket has its own HTTP/1.1 connection: few servers speak RFC 8441.
        self.answered(self.s.heads.upgrade(target).len()) + self.answered(Heads::switching().len())
    }
}

/// What a comment of an event stream has: a colon and two line ends.
pub(super) const COMMENT: u64 = 3;

/// The rhythm of long polls.
pub(super) struct Cycle {
    /// Seconds from an answer to the next poll.
    pub away: f64,
    /// The probability that the next poll has to wait.
    pub waits: f64,
    /// The probability that a poll that waits is let go with nothing.
    gives_up: f64,
    /// Polls a second.
    pub rate: f64,
    /// The probability that a poll waits longer than its acknowledgement.
    pub held: f64,
}

/// How the last, odd segment of a write is acknowledged.
#[derive(Clone, Copy)]
pub(super) enum Acked {
    /// By what is sent back soon.
    WithAnswer,
    /// By a packet of its own.
    Alone,
    /// By a packet of its own with this probability.
    Share(f64),
}

impl Acked {
    /// Pure acknowledgements: one every second segment, and perhaps one for the last.
    fn pure(self, segments: u64) -> f64 {
        let odd = (segments % 2) as f64;
        let last = match self {
            Self::WithAnswer => 0.0,
            Self::Alone => 1.0,
            Self::Share(share) => share,
        };
        (segments / 2) as f64 + odd * last
    }
}

impl Cost {
    fn nothing(way: Way) -> Self {
        Self {
            way,
            steady: Load::default(),
            setup: Load::default(),
            requests: 0.0,
            empty: None,
            latency: Latency::default(),
            connections: 0.0,
        }
    }

    /// Bytes over a duration.
    pub fn over(&self, seconds: f64) -> Load {
        self.setup + self.steady * seconds
    }
}

/// Bytes of a frame's header (RFC 6455 §5.2).
pub(super) fn frame_header(payload: u64, masked: bool) -> u64 {
    FrameHeader::of(Opcode::TEXT, masked.then_some([0; 4]), payload).header_length().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(way: Way, change: impl Fn(&mut Scenario)) -> Cost {
        let mut scenario = Scenario::default();
        change(&mut scenario);
        scenario.check().unwrap();
        cost(&scenario, way)
    }

    #[test]
    fn long_poll_means_are_the_checked_figures() {
        for (rate, mean) in [(1.0, "54.98"), (5.0, "72.59")] {
            let cost = row(Way::LongPolling, |s| s.rate = rate);
            assert_eq!(format!("{:.2}", cost.latency.mean() * 1000.0), mean);
        }
    }

    #[test]
    fn short_polls_wait_for_half_an_interval() {
        let cost = row(Way::ShortPolling, |_| ());
        assert!((cost.latency.mean() - 0.55).abs() < 1e-9 && (cost.latency.worst() - 1.05).abs() < 1e-9);
        assert!((cost.empty.unwrap() - (-1f64).exp()).abs() < 1e-9);
        let closed = row(Way::ShortPolling, |s| s.closed_loop = true);
        assert!((closed.requests - 1.0 / 1.1).abs() < 1e-9, "the period is T + 2d");
    }

    #[test]
    fn a_websocket_message_costs_its_frame_its_segment_and_its_ack() {
        let alone = row(Way::WebSocket, |s| {
            (s.heartbeat, s.wire.ack_delay) = (0.0, 0.0);
        });
        assert!((alone.steady.total() - 127.0).abs() < 1e-9);
        let tls = row(Way::WebSocket, |s| {
            (s.heartbeat, s.wire.ack_delay, s.wire.tls) = (0.0, 0.0, true);
        });
        assert!((tls.steady.total() - 149.0).abs() < 1e-9);
    }

    #[test]
    fn a_heartbeat_is_a_ping_of_2_bytes_and_a_pong_of_6() {
        let with = row(Way::WebSocket, |s| s.wire.ack_delay = 0.0).steady;
        let without = row(Way::WebSocket, |s| (s.heartbeat, s.wire.ack_delay) = (0.0, 0.0)).steady;
        assert!(((with.protocol - without.protocol) * 25.0 - 8.0).abs() < 1e-9);
    }

    #[test]
    fn a_socket_io_event_is_19_bytes_in_one_frame() {
        let scenario = Scenario { event: "hello".to_owned(), payload: 5, ..Scenario::default() };
        assert_eq!(Model::new(&scenario).packet() + 5, r#"42["hello","world"]"#.len() as u64);
    }

    #[test]
    fn rare_messages_leave_connections_to_be_opened_anew() {
        let rare = row(Way::ShortPolling, |s| (s.interval, s.duration) = (120.0, 1e4));
        let often = row(Way::ShortPolling, |s| (s.interval, s.duration) = (30.0, 1e4));
        assert!(rare.steady.tcp_ip * 120.0 > often.steady.tcp_ip * 30.0 + 300.0);
        assert!(rare.connections < 1.0);
    }

    #[test]
    fn publishing_upwards_is_as_fast_by_post() {
        for way in Way::ALL {
            let cost = row(way, |s| s.direction = super::super::Direction::Up);
            assert!((cost.latency.mean() - 0.05).abs() < 1e-9, "{way:?}");
        }
    }
}
