//! What is remembered from one connection to the next, for the rules that a
//! single connection cannot show: keys used again, handshakes under way at
//! once, clients that reconnect without a pause.

use std::borrow::Borrow;
use std::collections::hash_map::Entry as Place;
use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::BuildHasher;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::census::Census;
use super::entry::{Attempt, Entry, Pair};
use super::failed::Failures;
use super::key::Key;
use super::nameless::Nameless;
#[cfg(feature = "tls")]
use super::quic::Quic;
use super::rest::Commons;
use super::resumed::Resumed;
use super::spare::Spare;
use super::undeciphered::Undeciphered;
use crate::http::handshake::{Usual, stripped};
use crate::http::{PARALLEL_CONNECTING, RECONNECT_WITHOUT_BACKOFF, REUSED_KEY};
use crate::limits;
use crate::model::{Dir, Finding, Text, Time};
use crate::tls::Secrets;

/// What is remembered of earlier connections, within the caps of [`limits`].
#[derive(Debug, Default)]
pub struct Memory {
    /// What else there is.
    pub census: Census,
    /// What TLS is deciphered with.
    pub secrets: Arc<Secrets>,
    /// Where its sessions began.
    pub resumed: Resumed,
    /// What cannot be, in spite of a key log.
    pub undeciphered: Undeciphered,
    /// What is told of connections without a number.
    pub nameless: Nameless,
    /// Clients of QUIC.
    #[cfg(feature = "tls")]
    pub quic: Quic,
    /// Connections that failed before they could speak HTTP: TLS, and tunnels.
    pub failures: Failures,
    /// When gateways answered that they had not reached what is behind them: the last few.
    gateways: VecDeque<Time>,
    /// What usual handshakes look like.
    pub usual: Usual,
    /// What connections that are over have left.
    pub spare: Spare,
    /// What connections at rest have in common.
    pub commons: Commons,
    /// Keys, and where each was seen last.
    keys: HashMap<Key, Seen, RandomState>,
    /// The same keys, oldest first.
    order: VecDeque<Key>,
    /// Where connections that have to do with WebSocket went.
    servers: HashSet<SocketAddr, RandomState>,
    last_server: Option<SocketAddr>,
    /// The places of pairs among `known`.
    pairs: HashMap<Pair, u32, RandomState>,
    known: Vec<Acquaintance>,
    hasher: RandomState,
}

/// Where a key was seen last.
#[derive(Debug)]
struct Seen {
    conn: u32,
    pair: Option<Pair>,
    /// When that was answered, if it is known already.
    answered: Option<Time>,
    /// It offers extensions.
    offers: bool,
    /// How often it was passed on in a row, as far as that can be told.
    hops: u8,
    /// The handshake is not answered.
    is_connecting: bool,
}

/// What is remembered of one client and one server.
#[derive(Debug, Default)]
struct Acquaintance {
    /// Handshakes begun.
    begun: u64,
    /// When the latest of them was.
    latest: Option<Time>,
    /// Connections that are not over, those included.
    open: u32,
    told_parallel: bool,
    told_backoff: bool,
    /// A hash of the latest target.
    target: u64,
    /// When the last attempt failed, if it did.
    failed: Option<Time>,
    /// How long the client waited before each of its latest attempts, in nanoseconds.
    waits: Vec<i64>,
}

impl Memory {
    /// A connection with this server is announced.
    pub fn serves(&mut self, server: SocketAddr) {
        if self.last_server != Some(server) && self.servers.len() < limits::PAIRS_REMEMBERED {
            self.servers.insert(server);
            self.last_server = Some(server);
        }
    }

    /// Whether WebSocket was asked for or spoken there.
    pub fn is_server(&self, server: SocketAddr) -> bool {
        self.servers.contains(&server)
    }

    /// A gateway answered that it had not reached what is behind it.
    pub fn gateway_failed(&mut self, time: Option<Time>) {
        if self.gateways.len() >= limits::OTHERS_LISTED {
            self.gateways.pop_front();
        }
        self.gateways.extend(time);
    }

    /// Whether one answered so within so many nanoseconds after this time.
    pub fn has_gateway_failed(&self, since: Option<Time>, within: i64) -> bool {
        let is_then = |failed: &Time| since.is_some_and(|since| (0..=within).contains(&failed.since(since)));
        self.gateways.iter().any(is_then)
    }

    /// Connection `conn` asks for a WebSocket.
    pub fn request(
        &mut self,
        conn: u32,
        entry: &mut Entry,
        attempt: &Attempt<'_>,
        findings: &mut Vec<Finding>,
    ) {
        let Attempt { pair, target, key, now, .. } = *attempt;
        // What is no key at all may be as long as a head.
        let key = key.filter(|key| key.len() <= limits::KEY_REMEMBERED);
        let place = pair.and_then(|pair| self.place(pair));
        let mut passes_on = None;
        let before = entry.key.take();
        entry.key = key.map(|key| self.key(conn, key, (attempt, place.is_some()), &mut passes_on, findings));
        entry.passes_on = passes_on.or(entry.passes_on);
        if before.is_some() && before != entry.key {
            self.settle(conn, before.as_ref());
        }
        let is_first = entry.pair.is_none();
        let Some(place) = place else { return };
        let known = &mut self.known[place as usize];
        if is_first {
            (entry.pair, entry.began, entry.turn) = (Some(place), now, 0);
            (entry.connecting, entry.over) = (false, false);
            if entry.passes_on.is_none() {
                // How its client connects is told of the client's own leg.
                known.attempt(self.hasher.hash_one(target), now, findings);
            }
            known.open += 1;
        }
        if !std::mem::replace(&mut entry.connecting, true) {
            // One that is told late was not begun last.
            if now >= known.latest {
                known.begun += 1;
                known.latest = now;
            }
            entry.turn = known.begun;
        }
    }

    /// The place of a pair among those that are known, if there is room for it.
    fn place(&mut self, pair: Pair) -> Option<u32> {
        if let Some(place) = self.pairs.get(&pair) {
            return Some(*place);
        }
        if self.known.len() >= limits::PAIRS_REMEMBERED {
            return None;
        }
        let place = self.known.len() as u32;
        self.known.push(Acquaintance::default());
        self.pairs.insert(pair, place);
        Some(place)
    }

    /// Remembers a key, and finds out whether it was used before, or is `passes_on` from another connection.
    /// The answer to it is waited for, if `is_connecting`.
    fn key(
        &mut self,
        conn: u32,
        key: &[u8],
        (attempt, is_connecting): (&Attempt<'_>, bool),
        passes_on: &mut Option<NonZeroU32>,
        findings: &mut Vec<Finding>,
    ) -> Key {
        let Attempt { pair, offers, now, is_late, .. } = *attempt;
        let key = Key::of(key);
        let earlier = match self.keys.entry(key.clone()) {
            Place::Occupied(earlier) => earlier.into_mut(),
            Place::Vacant(place) => {
                place.insert(Seen { conn, pair, answered: None, offers, hops: 0, is_connecting });
                if self.order.len() >= limits::KEYS_REMEMBERED
                    && let Some(oldest) = self.order.pop_front()
                {
                    self.keys.remove(&oldest);
                }
                self.order.push_back(key.clone());
                return key;
            }
        };
        let before = std::mem::replace(&mut earlier.conn, conn);
        let is_elsewhere = std::mem::replace(&mut earlier.pair, pair) != pair;
        let answered = earlier.answered.take();
        let was_connecting = std::mem::replace(&mut earlier.is_connecting, is_connecting);
        if before == conn {
            return key;
        }
        // Who passes a handshake on (a proxy, a translator of addresses) does so while it is unanswered
        // and between other addresses, and not any number of times. A request may be told late, when the
        // beginning of its connection is missing; when it was sent decides.
        let is_shared = earlier.hops == limits::KEY_HOPS;
        // Of two connections, packets may have overtaken each other.
        let is_earlier = now.zip(answered).is_some_and(|(now, ended)| now.since(ended) <= limits::OVERTAKEN);
        let is_open = was_connecting || is_earlier || is_late;
        let is_passed_on = !is_shared && is_elsewhere && is_open;
        match (is_passed_on, is_shared) {
            (true, _) => earlier.hops += 1,
            (false, true) => {}
            (false, false) => earlier.hops = 0,
        }
        *passes_on = NonZeroU32::new(before).filter(|_| is_passed_on);
        let offered = std::mem::replace(&mut earlier.offers, offers);
        if is_passed_on && offered && !offers {
            let got = Text::with("none, where connection {} with the same key offers some", before);
            findings.push(stripped("the extensions that the client offered".into(), got));
        }
        if !is_passed_on {
            //= RFC 6455 §4.1
            //# The nonce
            //# MUST be selected randomly for each connection.
            let got = Text::with("the key of connection {}", before);
            findings.push(Finding::new(&REUSED_KEY, Dir::Client, "a key chosen afresh".into(), got));
        }
        key
    }

    /// The keys of the latest handshakes.
    pub fn latest_keys(&self) -> Vec<&[u8]> {
        self.order.iter().rev().take(limits::KEYS_COMPARED).map(Borrow::borrow).collect()
    }

    /// The server's answer of that time was seen. Only now it is certain that there was none before:
    /// until then one may be missing from the capture, or wait for its beginning.
    pub fn replied(
        &mut self,
        conn: u32,
        entry: &mut Entry,
        answer: Option<Time>,
        findings: &mut Vec<Finding>,
    ) {
        let seen = entry.key.as_ref().and_then(|key| self.keys.get_mut(key));
        if let Some(seen) = seen.filter(|seen| seen.conn == conn) {
            seen.answered = answer;
            seen.is_connecting = false;
        }
        let known =
            entry.pair.filter(|_| entry.connecting).and_then(|pair| self.known.get_mut(pair as usize));
        let overlaps = |known: &&mut Acquaintance| {
            known.begun != entry.turn && known.latest.zip(answer).is_some_and(|(began, ended)| began < ended)
        };
        if let Some(known) = known.filter(overlaps)
            && !std::mem::replace(&mut known.told_parallel, true)
        {
            //= RFC 6455 §4.1
            //# There MUST be no more than one connection in a
            //# CONNECTING state.
            let expected = "one handshake at a time with the same server";
            let got = "another one begun before this answer";
            findings.push(Finding::new(&PARALLEL_CONNECTING, Dir::Client, expected.into(), got.into()));
        }
        entry.connecting = false;
    }

    /// The server has answered, or will not.
    pub fn answered(&mut self, conn: u32, entry: &mut Entry) {
        if std::mem::take(&mut entry.connecting) {
            self.settle(conn, entry.key.as_ref());
        }
    }

    /// Nobody waits any more for the answer to a handshake with this key.
    fn settle(&mut self, conn: u32, key: Option<&Key>) {
        if let Some(seen) = key.and_then(|key| self.keys.get_mut(key)).filter(|seen| seen.conn == conn) {
            seen.is_connecting = false;
        }
    }

    /// Whether the connection was [over](Self::over) already, and none of its handshakes is under way.
    #[inline]
    pub fn is_over(entry: &Entry) -> bool {
        entry.over && !entry.connecting
    }

    /// The connection is over; `is_clean` unless that was a failure to connect, or to stay connected.
    pub fn over(&mut self, conn: u32, entry: &mut Entry, is_clean: bool, now: Option<Time>) {
        self.answered(conn, entry);
        if std::mem::replace(&mut entry.over, true) {
            return;
        }
        let Some(known) = entry.pair.and_then(|pair| self.known.get_mut(pair as usize)) else { return };
        known.open = known.open.saturating_sub(1);
        let lasted = entry.began.zip(now).map_or(0, |(began, now)| now.since(began));
        if is_clean || lasted > limits::CONNECTION_LASTS {
            known.waits.clear();
        }
        known.failed = now.filter(|_| !is_clean);
    }
}

impl Acquaintance {
    /// The client connects; how long has it waited since it last failed?
    fn attempt(&mut self, target: u64, now: Option<Time>, findings: &mut Vec<Finding>) {
        /// Attempts in a row that show how a client waits.
        const ATTEMPTS: usize = 3;
        let failed = self.failed.take().zip(now);
        // Several clients behind one address cannot be told apart.
        let is_same = self.open == 0 && self.target == target;
        let wait = failed.map(|(failed, now)| now.since(failed)).filter(|_| is_same);
        self.target = target;
        let Some(wait) = wait.filter(|wait| *wait < limits::RECONNECT_SOON) else {
            self.waits.clear();
            return;
        };
        self.waits.push(wait);
        if self.waits.len() < ATTEMPTS {
            return;
        }
        let first = self.waits.remove(0);
        let grows = wait > (first.saturating_mul(3) / 2).max(limits::BACKOFF_GROWTH_SEEN);
        if !grows && !std::mem::replace(&mut self.told_backoff, true) {
            //= RFC 6455 §7.2.3
            //# subsequent reconnect
            //# attempts SHOULD be delayed by increasingly longer amounts of time
            let got = Text::with("{} attempts in a row, the latest {} ms after the failure", ATTEMPTS)
                .and(wait / 1_000_000);
            let expected = "a random delay first, then ever longer ones";
            findings.push(Finding::new(&RECONNECT_WITHOUT_BACKOFF, Dir::Client, expected.into(), got));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn pair() -> Pair {
        ("192.0.2.10".parse().unwrap(), "192.0.2.80:80".parse().unwrap())
    }

    /// Connects at each of `starts` (in milliseconds) for `lasts` ms; which rules were broken.
    fn connect(starts: &[i64], lasts: i64, is_clean: bool) -> Vec<&'static str> {
        let mut memory = Memory::default();
        let mut findings = Vec::new();
        for (conn, start) in (1..).zip(starts) {
            let at = |ms: i64| Some(Time((SECOND + ms * 1_000_000).unsigned_abs()));
            let mut entry = Entry::default();
            let attempt = Attempt { pair: Some(pair()), now: at(*start), ..Attempt::default() };
            memory.request(conn, &mut entry, &attempt, &mut findings);
            memory.answered(conn, &mut entry);
            memory.over(conn, &mut entry, is_clean, at(start + lasts));
        }
        findings.iter().map(|f| f.rule.id).collect()
    }

    #[test]
    fn who_fails_must_wait_ever_longer() {
        assert_eq!(connect(&[0, 20, 40, 60, 80, 100], 10, false), ["reconnect-without-backoff"]);
        assert_eq!(connect(&[0, 20, 40, 60], 10, true), [""; 0]);
        assert_eq!(connect(&[0, 110, 320, 730, 1540], 10, false), [""; 0]);
        assert_eq!(connect(&[0, 2000, 4000, 6000, 8000], 10, false), [""; 0]);
        assert_eq!(connect(&[0, 20_010, 40_020, 60_030], 20_000, false), [""; 0]);
        assert_eq!(connect(&[0, 20, 40], 10, false), [""; 0]);
    }

    #[test]
    fn keys_are_new_unless_a_proxy_forwards_them() {
        let mut memory = Memory::default();
        let mut findings = Vec::new();
        let mut entries: Vec<Entry> = (0..4).map(|_| Entry::default()).collect();
        let mut ask = |memory: &mut Memory, conn: u32, client: &str| {
            let pair = (client.parse().unwrap(), "192.0.2.80:80".parse().unwrap());
            let entry = &mut entries[conn as usize];
            let attempt = Attempt { pair: Some(pair), key: Some(b"key"), ..Attempt::default() };
            memory.request(conn, entry, &attempt, &mut findings);
            memory.answered(conn, entry);
            std::mem::take(&mut findings).iter().map(|f| f.rule.id).collect::<Vec<_>>()
        };
        assert_eq!(ask(&mut memory, 1, "192.0.2.10"), [""; 0]);
        assert_eq!(ask(&mut memory, 1, "192.0.2.10"), [""; 0], "a retry on the same connection");
        assert_eq!(ask(&mut memory, 2, "192.0.2.11"), ["reused-sec-websocket-key"]);
        memory.keys.values_mut().for_each(|seen| seen.is_connecting = true);
        assert_eq!(ask(&mut memory, 3, "192.0.2.12"), [""; 0], "forwarded");
    }

    #[test]
    fn handshakes_that_are_told_late_were_not_begun_last() {
        // The first is told when the second is under way: it lacks its beginning.
        for (first, second, answered, expected) in [(5, 10, 12, 0), (11, 10, 12, 1)] {
            let mut memory = Memory::default();
            let mut findings = Vec::new();
            let mut begin = |memory: &mut Memory, conn, sent| {
                let mut entry = Entry::default();
                let attempt = Attempt { pair: Some(pair()), now: Some(Time(sent)), ..Attempt::default() };
                memory.request(conn, &mut entry, &attempt, &mut findings);
                entry
            };
            let mut entry = begin(&mut memory, 1, second);
            begin(&mut memory, 2, first);
            memory.replied(1, &mut entry, Some(Time(answered)), &mut findings);
            let told: Vec<_> = findings.iter().map(|f| f.rule.id).collect();
            assert_eq!(told.len(), expected, "{first}: {told:?}");
        }
    }

    #[test]
    fn a_request_that_is_told_late_was_not_sent_late() {
        // The second one is so near that the answer may have overtaken it.
        for (sent, expected) in [(5, 0), (15, 0), (40, 1)] {
            let mut memory = Memory::default();
            let mut findings = Vec::new();
            let at = |milliseconds: u64| Time(milliseconds * 1_000_000);
            let ask = |memory: &mut Memory, entry: &mut Entry, conn, client: &str, sent, findings: &mut _| {
                let pair = Some((client.parse().unwrap(), "192.0.2.80:80".parse().unwrap()));
                let attempt = Attempt { pair, key: Some(b"key"), now: Some(at(sent)), ..Attempt::default() };
                memory.request(conn, entry, &attempt, findings);
            };
            let mut entry = Entry::default();
            ask(&mut memory, &mut entry, 1, "192.0.2.20", 6, &mut findings);
            memory.replied(1, &mut entry, Some(at(10)), &mut findings);
            ask(&mut memory, &mut Entry::default(), 2, "192.0.2.10", sent, &mut findings);
            let told: Vec<_> = findings.iter().map(|f| f.rule.id).collect();
            assert_eq!(told.len(), expected, "{sent}: {told:?}");
        }
    }

    #[test]
    fn a_key_that_many_connections_share_is_not_forwarded() {
        let mut memory = Memory::default();
        let mut told = 0;
        for conn in 1..=100 {
            // All at once, before any is answered, from one address or from many.
            for client in ["192.0.2.10".to_owned(), format!("198.51.100.{conn}")] {
                let pair = Some((client.parse().unwrap(), "192.0.2.80:80".parse().unwrap()));
                let mut findings = Vec::new();
                let key = if client.starts_with("192") { "one" } else { "many" };
                let attempt = Attempt { pair, key: Some(key.as_bytes()), ..Attempt::default() };
                let conn = if key == "one" { conn } else { 100 + conn };
                memory.request(conn, &mut Entry::default(), &attempt, &mut findings);
                told += findings.iter().filter(|f| f.rule == &REUSED_KEY).count();
            }
        }
        assert!(told >= 99 + 95, "{told}");
    }

    #[test]
    fn one_handshake_at_a_time() {
        let mut memory = Memory::default();
        let mut findings = Vec::new();
        let mut entries: Vec<Entry> = (0..4).map(|_| Entry::default()).collect();
        for (conn, entry) in entries.iter_mut().enumerate() {
            let attempt = Attempt { pair: Some(pair()), now: Some(Time(conn as u64)), ..Attempt::default() };
            memory.request(conn as u32, entry, &attempt, &mut findings);
        }
        assert!(findings.is_empty(), "answers may be missing from the capture");
        // Captured before the second began, and told late.
        memory.replied(0, &mut entries[0], Some(Time(0)), &mut findings);
        assert!(findings.is_empty());
        for (conn, entry) in entries.iter_mut().enumerate().skip(1) {
            memory.replied(conn as u32, entry, Some(Time(10)), &mut findings);
        }
        let ids: Vec<_> = findings.iter().map(|f| f.rule.id).collect();
        assert_eq!(ids, ["parallel-connecting"], "told once");
    }
}
