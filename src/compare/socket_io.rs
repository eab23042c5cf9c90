//! The formulas of Socket.IO 4 on Engine.IO 4: on long polling, and on WebSocket after its beginning with
//! polling.

use super::Way;
use super::latency::Latency;
use super::model::{Acked, Cost, Model, frame_header};
use super::poisson::over_poisson;
use super::wire::Load;

/// The targets of Engine.IO, with a session id of the usual length.
pub(super) const ENGINE_POLL: &str =
    "/socket.io/?EIO=4&transport=polling&t=Pq3x9ZkA&sid=lv_VI97HAXpY6yYWAAAC";
const ENGINE_OPEN: &str = "/socket.io/?EIO=4&transport=polling&t=Pq3x9ZkA";
const ENGINE_UPGRADE: &str = "/socket.io/?EIO=4&transport=websocket&sid=lv_VI97HAXpY6yYWAAAC";
const ENGINE_HANDSHAKE: &str = concat!(
    r#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"#,
    r#""pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
);
const SOCKET_CONNECTED: &str = r#"40{"sid":"wZX3oN0bSVIhsaknAAAI"}"#;

impl Model<'_> {
    /// Bytes of `42["event","…"]` around the message.
    pub fn packet(&self) -> u64 {
        7 + self.s.event_text().len() as u64
    }

    pub(super) fn socket_io_web_socket(&self) -> Cost {
        let mut cost = self.frames(Way::SocketIoWebSocket, self.s.payload, self.packet(), 1);
        let frame = |text: &str, masked: bool| text.len() as u64 + frame_header(text.len() as u64, masked);
        cost.setup += self.setup_engine() + self.setup_upgrade(Some(ENGINE_UPGRADE));
        cost.setup += self.answered(frame("2probe", true)) + self.answered(frame("3probe", false));
        cost.setup += self.alone(frame("5", true));
        // The poll that was waiting is let go with a noop, on its own connection.
        cost.setup += self.wire.open() + self.exchange(&self.s.heads.get(Some(ENGINE_POLL)), 0, 1);
        // It waited longer than its acknowledgement, and nothing follows its answer there.
        cost.setup += self.wire.acks(2.0);
        cost
    }

    pub(super) fn socket_io_polling(&self) -> Cost {
        let s = self.s;
        let beats = if s.heartbeat > 0.0 { 1.0 / s.heartbeat } else { 0.0 };
        let news = self.down + beats;
        let cycle = self.cycle(news, 0.0);
        let mine = if news > 0.0 { self.down / news } else { 0.0 };
        let request = s.heads.get(Some(ENGINE_POLL));
        let packet = |k: u64| self.answer(k * s.payload, k * self.packet() + k - 1, Acked::WithAnswer);
        let ping = self.answer(0, 1, Acked::WithAnswer);
        let with_ping = |k: u64| self.answer(k * s.payload, k * self.packet() + 1 + k, Acked::WithAnswer);
        let one = packet(1) * mine + ping * (1.0 - mine);
        let mut a_poll = self.request(&request, Acked::Share(cycle.held)) + one * cycle.waits;
        a_poll += over_poisson(news * cycle.away, |k| match k {
            0 => Load::default(),
            1 => one,
            // Pings are far apart: not two of them in one answer.
            _ => {
                let none = mine.powf(k as f64);
                packet(k) * none + with_ping(k - 1) * (1.0 - none)
            }
        });
        // Every ping is answered with a POST.
        let pong = self.post(ENGINE_POLL, 0, 1, 2);
        let mut steady = a_poll * cycle.rate + pong * beats;
        let polls = self.polls_with_pings(beats);
        let mut requests = polls + beats;
        if self.up > 0.0 {
            steady += self.post(ENGINE_POLL, s.payload, self.packet(), 2) * self.up;
            requests += self.up;
        }
        let mut parts = Vec::new();
        if self.down > 0.0 {
            let wait = Latency::uniform(s.delay, 3.0 * s.delay);
            let away = (self.down * cycle.away, wait);
            let met = (cycle.waits * mine, Latency::constant(s.delay));
            parts.push((self.down, Latency::mixed(&[away, met])));
        }
        if self.up > 0.0 {
            parts.push((self.up, Latency::constant(s.delay)));
        }
        Cost {
            way: Way::SocketIoPolling,
            steady,
            // One connection for the waiting poll, one for what is posted meanwhile.
            setup: self.setup_http() * self.connections_with_posts() + self.setup_engine(),
            requests,
            empty: (polls > 0.0).then(|| beats * self.ping_finds_nothing() / polls),
            latency: Latency::mixed(&parts),
            connections: self.connections_with_posts(),
        }
    }

    /// The probability that a ping goes without a message: it ends a poll that waits, or waits itself for
    /// the next poll while nothing else does. Pings are regular: since the last one there were only messages.
    fn ping_finds_nothing(&self) -> f64 {
        let quiet = (-self.down * 2.0 * self.s.delay).exp();
        if self.down == 0.0 {
            return 1.0;
        }
        let wait = quiet / self.down;
        let waiting = wait / (2.0 * self.s.delay + wait);
        waiting + (1.0 - waiting) * quiet
    }

    /// Polls a second when pings end some: each such ping begins the cycle anew a mean pause between messages
    /// earlier than it would have begun.
    fn polls_with_pings(&self, beats: f64) -> f64 {
        if self.down == 0.0 {
            return beats;
        }
        self.cycle(self.down, 0.0).rate * (1.0 + beats * self.ping_finds_nothing() / self.down)
    }

    /// Engine.IO's handshake and Socket.IO's CONNECT, by polling.
    fn setup_engine(&self) -> Load {
        let heads = &self.s.heads;
        self.exchange(&heads.get(Some(ENGINE_OPEN)), 0, ENGINE_HANDSHAKE.len() as u64)
            + self.exchange(&heads.post(Some(ENGINE_POLL), 2), 2, 2)
            + self.exchange(&heads.get(Some(ENGINE_POLL)), 0, SOCKET_CONNECTED.len() as u64)
    }
}
