//! What is done to messages: faults, and rules.

use std::sync::Arc;
use std::time::Duration;

use super::follow::Raw;
use super::rule::{Content, Rule, Then};
use crate::lab::fault::{Plan, happens};
use crate::lab::frames::{frame, key};
use crate::model::{CloseCode, Dir, FrameHeader, Opcode, Text};
use crate::synth::Rng;
use crate::ws::encode;

/// What happens next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// Bytes go to this side, after so long.
    Send(Dir, Vec<u8>, Duration),
    /// The stream to this side ends.
    Finish(Dir),
    /// Behind what goes to this side, everything ends in this way.
    End(Dir, End),
    /// A closing handshake has begun on both sides.
    Closing,
}

/// How a connection is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Both streams end, without a Close frame.
    Cut,
    /// Both connections are reset.
    Reset,
    /// Nothing is read or sent any longer, and everything stays open.
    Silence,
}

/// What is done to the messages of one connection.
pub(super) struct Judge {
    pub(super) plan: Plan,
    pub(super) rules: Arc<[Rule]>,
    rng: Rng,
    /// Messages that were passed on.
    pub(super) passed: u64,
    /// A closing handshake of the proxy's own is under way, or both connections are to end.
    pub(super) closing: bool,
    /// What was asked for has befallen the connection: nothing more passes, nor is said of it.
    over: bool,
    /// It is HTTP alone, which has no Close frame.
    http: bool,
    /// The window was lost already.
    lost: bool,
}

impl Judge {
    pub fn new(plan: Plan, rules: Arc<[Rule]>, rng: Rng) -> Self {
        Self { plan, rules, rng, passed: 0, closing: false, over: false, http: false, lost: false }
    }

    /// The same for HTTP alone.
    pub fn of_http(plan: Plan, rules: Arc<[Rule]>, rng: Rng) -> Self {
        Self { http: true, ..Self::new(plan, rules, rng) }
    }

    /// Whether it has to see messages, or bytes will do.
    pub fn is_needed(plan: &Plan, rules: &[Rule]) -> bool {
        !rules.is_empty() || Plan { status: None, ..behind_handshakes(plan) } != Plan::default()
    }

    /// Whether something of it is done to HTTP that polls.
    pub fn is_of_polls(plan: &Plan, rules: &[Rule]) -> bool {
        // These are of frames and pongs.
        let rest = Plan { mask: false, no_pong: false, window_lost: false, ..behind_handshakes(plan) };
        !rules.is_empty() || rest != Plan::default()
    }

    /// Whether all that is to be done can be done to a connection of HTTP/2, whose streams stay as they are.
    pub fn suits_http2(plan: &Plan, rules: &[Rule]) -> bool {
        let Plan { delay, cut_after, slow_read, reset, half_open, idle_timeout, .. } = *plan;
        let kept = Plan { delay, cut_after, slow_read, reset, half_open, idle_timeout, ..Plan::default() };
        rules.is_empty() && kept == *plan
    }

    /// What happens once the handshake is over.
    pub fn begin(&self, orders: &mut Vec<Order>) {
        if self.plan.cut_after == Some(0) {
            orders.push(Order::End(Dir::Client, End::Cut));
        }
    }

    /// What happens with a message, by the word of somebody who looked at it or else by the rules; `notes`
    /// say what is done to it.
    pub fn message(
        &mut self,
        message: &Content,
        frames: Vec<Raw>,
        word: Option<Then>,
        orders: &mut Vec<Order>,
        notes: &mut Vec<Text>,
    ) {
        let Content { from, kind, .. } = *message;
        if self.over {
            return;
        }
        if self.closing {
            // Who has said goodbye is let go by its server.
            if kind == Opcode::CLOSE && from == Dir::Client {
                orders.push(Order::Finish(Dir::Client));
            }
            return;
        }
        if self.plan.no_pong && kind == Opcode::PONG {
            return;
        }
        let rules = Arc::clone(&self.rules);
        let rule = if word.is_none() { self.rule(&rules, message) } else { None };
        let delay = self.delay(rule);
        let mut new = None;
        if let Some(then) = word.as_ref().or(rule.map(|rule| &rule.then)) {
            let about = |words| Text::with(words, called(rule)).and(from).and(kind.name());
            match then {
                Then::Pass => {}
                Then::Drop => {
                    notes.push(about("{}: the {}'s {} message is dropped"));
                    return;
                }
                Then::Replace(text) => {
                    let payload = instead(rule, message, text);
                    if kind.is_control() && payload.len() > 125 {
                        notes.push(about(
                            "{}: the {}'s {} frame stays: no control frame has more than 125 bytes",
                        ));
                    } else if payload != message.payload {
                        notes.push(about("{}: the {}'s {} message is replaced"));
                        new = Some(payload);
                    }
                }
                Then::Answer(answers) => {
                    notes.push(about("{}: the {}'s {} message is answered instead"));
                    let answers =
                        answers.iter().map(|answer| frame(from.peer(), Opcode::TEXT, answer.as_bytes()));
                    orders.extend(answers.map(|bytes| Order::Send(from, bytes, delay)));
                    return;
                }
                Then::Close(code, reason) => {
                    notes.push(about("{}: closed at the {}'s {} message"));
                    self.close(*code, reason, orders);
                    return;
                }
            }
        }
        if kind.is_control() {
            orders.push(Order::Send(from.peer(), self.framed(message, frames, new), delay));
            return;
        }
        if self.loses(message, notes) {
            return;
        }
        let new = self.spoiled(message, new, notes);
        orders.push(Order::Send(from.peer(), self.framed(message, frames, new), delay));
        self.passed += 1;
        self.end(from.peer(), orders, notes);
    }

    /// The rule that befalls a message, if one does.
    pub(super) fn rule<'r>(&mut self, rules: &'r [Rule], message: &Content) -> Option<&'r Rule> {
        let mut applies = |rule: &&Rule| {
            rule.is_about(message) && happens(rule.probability, &mut self.rng) && rule.counts()
        };
        rules.iter().find(|rule| applies(rule))
    }

    /// How long a message waits that this rule befalls, or none.
    pub(super) fn delay(&self, rule: Option<&Rule>) -> Duration {
        rule.and_then(|rule| rule.delay).or(self.plan.delay).unwrap_or_default()
    }

    /// Whether a message gets lost, by a fault.
    pub(super) fn loses(&mut self, message: &Content, notes: &mut Vec<Text>) -> bool {
        let is_lost = self.plan.loses(&mut self.rng);
        if is_lost {
            let Content { from, kind, .. } = message;
            notes.push(Text::with("drop: the {}'s {} message is lost", from).and(kind.name()));
        }
        is_lost
    }

    /// What happens with bytes of HTTP/2, in which so many text and binary messages end: they pass as they
    /// are, and what befalls the connection behind a message does.
    pub fn stream(&mut self, from: Dir, bytes: Vec<u8>, messages: u64) -> (Vec<Order>, Vec<Text>) {
        let delay = self.plan.delay.unwrap_or_default();
        let (mut orders, mut notes) = (vec![Order::Send(from.peer(), bytes, delay)], Vec::new());
        for _ in 0..messages {
            self.passed += 1;
            self.end(from.peer(), &mut orders, &mut notes);
        }
        (orders, notes)
    }

    /// What is said instead, where a fault has it so.
    pub(super) fn spoiled(
        &mut self,
        message: &Content,
        new: Option<Vec<u8>>,
        notes: &mut Vec<Text>,
    ) -> Option<Vec<u8>> {
        if message.from != Dir::Server || message.cut {
            return new;
        }
        if self.plan.bad_utf8 && message.kind == Opcode::TEXT {
            // 0xff is in no UTF-8 (RFC 3629 §1).
            let mut bad = new.unwrap_or_else(|| message.payload.clone());
            bad.pop();
            bad.push(0xFF);
            return Some(bad);
        }
        if self.plan.window_lost && message.compressed && !self.lost {
            // What its receiver does not inflate is not in its window, to which later messages refer.
            self.lost = true;
            notes
                .push("window-lost: a message is sent inflated, so that the client's window lacks it".into());
            return Some(new.unwrap_or_else(|| message.payload.clone()));
        }
        new
    }

    /// The bytes that go on: as they came where nothing was done to them.
    fn framed(&self, message: &Content, frames: Vec<Raw>, new: Option<Vec<u8>>) -> Vec<u8> {
        let is_masked = self.plan.mask && message.from == Dir::Server;
        match new {
            None if is_masked => frames.iter().flat_map(masked).collect(),
            None => frames.into_iter().flat_map(|raw| raw.bytes).collect(),
            // A client's frames are masked, which is the fault.
            Some(payload) if is_masked => frame(Dir::Client, message.kind, &payload),
            Some(payload) => frame(message.from, message.kind, &payload),
        }
    }

    /// Ends the connection behind a message, where a fault has it so.
    pub(super) fn end(&mut self, to: Dir, orders: &mut Vec<Order>, notes: &mut Vec<Text>) {
        if self.over {
            return;
        }
        let before = orders.len();
        if self.http && self.plan.close.is_some() {
            notes.push("close: both connections end: HTTP has no Close frame".into());
            self.closing = true;
            orders.push(Order::End(to, End::Cut));
        } else if let Some((code, reason)) = self.plan.close.clone() {
            notes.push(Text::with("close: both sides get a Close frame with {}", code.0));
            self.close(code, &reason, orders);
        } else if self.plan.reset {
            notes.push("reset: both connections are reset".into());
            orders.push(Order::End(to, End::Reset));
        } else if self.plan.half_open {
            notes.push("half-open: nothing passes any longer".into());
            orders.push(Order::End(to, End::Silence));
        } else if self.plan.cut_after.is_some_and(|most| self.passed >= most) {
            notes.push(Text::with("cut-after: both connections end behind message {}", self.passed));
            orders.push(Order::End(to, End::Cut));
        }
        self.over = orders[before..].iter().any(|order| matches!(order, Order::End(..)));
    }

    /// Begins the closing handshake with both sides.
    fn close(&mut self, code: CloseCode, reason: &str, orders: &mut Vec<Order>) {
        self.closing = true;
        let body = encode::close(code, reason.as_bytes());
        let server = if self.plan.mask { Dir::Client } else { Dir::Server };
        orders.push(Order::Send(Dir::Client, frame(server, Opcode::CLOSE, &body), Duration::ZERO));
        orders.push(Order::Send(Dir::Server, frame(Dir::Client, Opcode::CLOSE, &body), Duration::ZERO));
        orders.push(Order::Closing);
    }

    /// What happens when a side ends its stream: the other side's ends, too; of a closing handshake both.
    pub fn ended(&self, from: Dir, orders: &mut Vec<Order>) {
        orders.push(Order::Finish(from.peer()));
        if self.closing && !self.http {
            orders.push(Order::Finish(from));
        }
    }
}

/// Who has something done: a rule, or somebody who was asked.
pub(super) fn called(rule: Option<&Rule>) -> &str {
    rule.map_or("--pause", |rule| rule.name.as_str())
}

/// What a message says instead: of a word of somebody's all of it.
pub(super) fn instead(rule: Option<&Rule>, message: &Content, text: &str) -> Vec<u8> {
    rule.map_or_else(|| text.as_bytes().to_vec(), |rule| rule.replaced(message, text))
}

/// A plan without what is over with the handshake.
fn behind_handshakes(plan: &Plan) -> Plan {
    Plan { accept: false, strip_upgrade: false, strip_extensions: false, ..plan.clone() }
}

/// A server's frame, masked, which it must not be (RFC 6455 §5.1).
fn masked(raw: &Raw) -> Vec<u8> {
    if raw.header.masking_key.is_some() {
        return raw.bytes.clone();
    }
    let header = FrameHeader { masking_key: Some(key()), ..raw.header };
    let mut out = Vec::new();
    encode::frame(&header, &raw.bytes[usize::from(raw.header.header_length())..], &mut out);
    out
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use super::*;

    fn raw(from: Dir, opcode: Opcode, payload: &[u8]) -> Raw {
        let key = (from == Dir::Client).then_some([1, 2, 3, 4]);
        let header = FrameHeader::of(opcode, key, payload.len() as u64);
        let mut bytes = Vec::new();
        encode::frame(&header, payload, &mut bytes);
        Raw { header, bytes }
    }

    fn content(from: Dir, kind: Opcode, payload: &[u8]) -> Content {
        Content {
            from,
            kind,
            payload: payload.to_vec(),
            cut: false,
            compressed: false,
            event: None,
            is_named_apart: false,
        }
    }

    fn judge(plan: Plan, rules: Vec<Rule>) -> Judge {
        Judge::new(plan, rules.into(), Rng::new(1))
    }

    fn orders(judge: &mut Judge, from: Dir, kind: Opcode, payload: &[u8]) -> (Vec<Order>, Vec<String>) {
        let (mut orders, mut notes) = (Vec::new(), Vec::new());
        let message = content(from, kind, payload);
        judge.message(&message, vec![raw(from, kind, payload)], None, &mut orders, &mut notes);
        (orders, notes.iter().map(ToString::to_string).collect())
    }

    fn rule(opcode: Opcode, then: Then) -> Rule {
        Rule {
            name: "r:1".to_owned(),
            side: None,
            opcode: Some(opcode),
            text: None,
            regex: None,
            json: Vec::new(),
            event: None,
            then,
            delay: None,
            probability: 1.0,
            times: None,
            used: AtomicU64::new(0),
        }
    }

    #[test]
    fn what_nothing_is_done_to_goes_on_as_it_came() {
        let mut judge = judge(Plan { delay: Some(Duration::from_secs(1)), ..Plan::default() }, Vec::new());
        for from in [Dir::Client, Dir::Server] {
            let (got, notes) = orders(&mut judge, from, Opcode::TEXT, b"hi");
            let bytes = raw(from, Opcode::TEXT, b"hi").bytes;
            assert_eq!(
                (got, notes.len()),
                (vec![Order::Send(from.peer(), bytes, Duration::from_secs(1))], 0)
            );
        }
    }

    /// Fragments stay fragments.
    #[test]
    fn a_server_s_frames_are_masked_one_by_one() {
        let mut judge = judge(Plan { mask: true, ..Plan::default() }, Vec::new());
        let mut first = raw(Dir::Server, Opcode::TEXT, b"ab");
        first.header.fin = false;
        first.bytes[0] &= 0x7F;
        let frames = vec![first, raw(Dir::Server, Opcode::CONTINUATION, b"c")];
        let (mut orders, mut notes) = (Vec::new(), Vec::new());
        judge.message(&content(Dir::Server, Opcode::TEXT, b"abc"), frames, None, &mut orders, &mut notes);
        let [Order::Send(Dir::Client, bytes, _)] = &orders[..] else { panic!("{orders:?}") };
        assert_eq!((bytes[0], bytes[1], bytes[8], bytes[9], bytes.len()), (0x01, 0x82, 0x80, 0x81, 15));
        assert_eq!([bytes[6] ^ bytes[2], bytes[7] ^ bytes[3], bytes[14] ^ bytes[10]], *b"abc");
    }

    #[test]
    fn behind_a_close_of_its_own_nothing_passes() {
        let mut judge =
            judge(Plan { close: Some((CloseCode(1011), "x".to_owned())), ..Plan::default() }, vec![]);
        let (got, notes) = orders(&mut judge, Dir::Client, Opcode::TEXT, b"hi");
        assert_eq!(notes, ["close: both sides get a Close frame with 1011"]);
        assert!(
            matches!(
                got[..],
                [
                    Order::Send(Dir::Server, ..),
                    Order::Send(Dir::Client, ..),
                    Order::Send(Dir::Server, ..),
                    Order::Closing
                ]
            ),
            "{got:?}"
        );
        assert_eq!(orders(&mut judge, Dir::Server, Opcode::TEXT, b"more").0, []);
        assert_eq!(orders(&mut judge, Dir::Server, Opcode::CLOSE, b"").0, []);
        assert_eq!(orders(&mut judge, Dir::Client, Opcode::CLOSE, b"").0, [Order::Finish(Dir::Client)]);
        let mut ended = Vec::new();
        judge.ended(Dir::Server, &mut ended);
        assert_eq!(ended, [Order::Finish(Dir::Client), Order::Finish(Dir::Server)]);
    }

    /// What comes in one piece with the message behind which everything ends comes too late.
    #[test]
    fn behind_what_befalls_a_connection_nothing_passes() {
        for (fault, end, said) in [
            ("cut-after=1", End::Cut, "cut-after: both connections end behind message 1"),
            ("reset", End::Reset, "reset: both connections are reset"),
            ("half-open", End::Silence, "half-open: nothing passes any longer"),
        ] {
            let plan = Plan::roll(&[fault.parse().expect(fault)], &mut Rng::new(1));
            let mut judge = judge(plan, Vec::new());
            let (got, notes) = orders(&mut judge, Dir::Client, Opcode::TEXT, b"first");
            assert_eq!(got.last(), Some(&Order::End(Dir::Server, end)), "{fault}");
            assert_eq!(notes, [said]);
            for from in [Dir::Client, Dir::Server] {
                assert_eq!(orders(&mut judge, from, Opcode::TEXT, b"more"), (vec![], vec![]), "{fault}");
            }
            assert!(judge.stream(Dir::Client, b"x".to_vec(), 2).1.is_empty(), "{fault}");
        }
    }

    #[test]
    fn no_control_frame_becomes_too_long() {
        let mut judge = judge(Plan::default(), vec![rule(Opcode::PING, Then::Replace("x".repeat(126)))]);
        let (got, notes) = orders(&mut judge, Dir::Client, Opcode::PING, b"?");
        assert_eq!(
            got,
            [Order::Send(Dir::Server, raw(Dir::Client, Opcode::PING, b"?").bytes, Duration::ZERO)]
        );
        assert_eq!(notes, ["r:1: the client's ping frame stays: no control frame has more than 125 bytes"]);
    }

    #[test]
    fn what_befalls_a_connection_befalls_one_of_http_2() {
        for (fault, suits) in [
            ("delay=1s", true),
            ("reset", true),
            ("idle-timeout=1s", true),
            ("mask", false),
            ("close=1011", false),
            ("status=503", false),
        ] {
            let chance = fault.parse().expect(fault);
            let plan = Plan::roll(&[chance], &mut Rng::new(1));
            assert_eq!(Judge::suits_http2(&plan, &[]), suits, "{fault}");
        }
        let mut judge = judge(Plan { cut_after: Some(2), ..Plan::default() }, Vec::new());
        let (orders, _) = judge.stream(Dir::Client, b"x".to_vec(), 1);
        assert_eq!(orders, [Order::Send(Dir::Server, b"x".to_vec(), Duration::ZERO)]);
        let (orders, _) = judge.stream(Dir::Server, b"y".to_vec(), 1);
        assert_eq!(orders.last(), Some(&Order::End(Dir::Client, End::Cut)));
    }

    #[test]
    fn only_what_befalls_messages_needs_to_see_them() {
        let of = |fault: &str| {
            let chance = fault.parse().expect(fault);
            Judge::is_needed(&Plan::roll(&[chance], &mut Rng::new(1)), &[])
        };
        for fault in ["accept", "status=503", "strip-upgrade", "strip-extensions"] {
            assert!(!of(fault), "{fault}");
        }
        for fault in ["delay=1s", "drop=1", "mask", "no-pong", "slow-read", "idle-timeout=1s", "window-lost"]
        {
            assert!(of(fault), "{fault}");
        }
        assert!(Judge::is_needed(&Plan::default(), &[rule(Opcode::TEXT, Then::Drop)]));
    }
}
