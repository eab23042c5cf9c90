//! One client of Engine.IO, whichever transport it is on.
//!
//! ```text
//! Application ─ send ─► queue ─► a poll's answer, or frames of a WebSocket
//!      ▲                            │
//!      └───────── receive ◄─────────┘      the watch: pings, and who is missed
//! ```

mod carried;
mod mishap;
mod poll;
mod queue;

pub(super) use self::carried::Parting;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, Weak};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use foldhash::HashMap;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use self::queue::{Load, Queue};
use super::packet::{Data, Packet, Revision};
use super::settings::{Happened, Reason, Settings, Transport};
use crate::lab::fate::Fate;
use crate::lab::fault::Plan;
use crate::lab::flood::Flood;
use crate::lab::hub::held;
use crate::limits;
use crate::synth::Rng;

/// What a session that is closed in order may take to fetch what waits for it.
const FAREWELL: Duration = Duration::from_secs(30);

/// How long a client's last poll may be under way when it has closed the session.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// How much earlier than at its deadline a request is too late: clients count time in milliseconds.
const EARLY: Duration = Duration::from_millis(2);

/// What is spoken over sessions.
pub trait Application: Send + Sync + 'static {
    /// A session begins. What is sent here goes with its handshake.
    fn begin(&self, session: &Arc<Session>) -> Arc<dyn Conversation>;
}

/// What is spoken over one.
pub trait Conversation: Send + Sync {
    /// The client says something.
    fn message(&self, session: &Arc<Session>, data: Data);

    /// It is over. This is said once.
    fn over(&self, _session: &Arc<Session>, _reason: Reason) {}
}

/// The sessions of a server, by their id.
pub(super) struct Sessions {
    pub settings: Arc<Settings>,
    application: Box<dyn Application>,
    log: Box<Log>,
    open: Mutex<HashMap<String, Arc<Session>>>,
    load: Arc<Load>,
}

/// Who is told what happens.
pub(super) type Log = dyn Fn(&Session, Happened) + Send + Sync;

/// How a session begins.
pub(super) struct Beginning {
    pub revision: Revision,
    pub transport: Transport,
    /// Bytes can be sent as such.
    pub takes_binary: bool,
    /// The query of its first request, and where that came from, if that is known.
    pub query: String,
    pub peer: Option<SocketAddr>,
    /// What goes wrong with it on purpose, and what decides which messages that befalls.
    pub plan: Plan,
    pub chance: Rng,
}

/// Why a request has no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Missed {
    /// The session is over.
    Over,
    /// It is on another transport, or the same request is under way.
    Misplaced,
    /// Its connection is to end like this.
    Fated(Fate),
}

impl Sessions {
    pub fn new(settings: Settings, application: Box<dyn Application>, log: Box<Log>) -> Self {
        Self { settings: Arc::new(settings), application, log, open: Mutex::default(), load: Arc::default() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        held(&self.open).len()
    }

    /// Whether there is no room for another.
    pub fn is_full(&self) -> bool {
        self.count() >= limits::LAB_SESSIONS
    }

    /// Begins one: its handshake waits to be sent, with what the application says first.
    pub fn begin(self: &Arc<Self>, beginning: Beginning) -> Arc<Session> {
        let session = Arc::new(Session::new(self, beginning));
        (self.log)(&session, Happened::Begun(session.transport()));
        session.push([session.handshake()]);
        // It was not there before.
        let _ = session.conversation.set(self.application.begin(&session));
        held(&self.open).insert(session.id.clone(), Arc::clone(&session));
        tokio::spawn(Arc::clone(&session).watch());
        session
    }

    /// The session with this id, while it lasts. Deadlines are looked at before: a request may come at the
    /// very moment.
    pub fn find(&self, id: &str) -> Option<Arc<Session>> {
        let session = held(&self.open).get(id).cloned()?;
        session.tick(Instant::now() + EARLY)?;
        Some(session)
    }

    /// Ends all.
    pub fn end(&self) {
        let open = std::mem::take(&mut *held(&self.open));
        for session in open.into_values() {
            session.end(Reason::ShutDown);
        }
    }
}

impl Drop for Sessions {
    fn drop(&mut self) {
        self.end();
    }
}

/// A session.
pub struct Session {
    /// What its client goes by.
    pub id: String,
    /// Which protocol it speaks.
    pub revision: Revision,
    /// The query of the request that began it.
    pub query: String,
    /// Where that came from, if that is known.
    pub peer: Option<SocketAddr>,
    /// Whether bytes can be sent to it as such.
    pub(super) takes_binary: bool,
    /// What goes wrong with it on purpose.
    pub(super) plan: Plan,
    settings: Arc<Settings>,
    sessions: Weak<Sessions>,
    conversation: OnceLock<Arc<dyn Conversation>>,
    state: Mutex<State>,
    /// There are packets, or it is over.
    news: Notify,
    /// There is another deadline.
    clock: Notify,
}

struct State {
    phase: Phase,
    transport: Transport,
    /// A WebSocket is about to take over, and whether it has shown that it works.
    upgrading: bool,
    probed: bool,
    queue: Queue,
    /// A poll waits; a body comes; a WebSocket has not sent all it was given.
    polled: bool,
    posted: bool,
    writing: bool,
    /// When a ping is due, and when the client is missed.
    ping_at: Option<Instant>,
    dead_at: Option<Instant>,
    /// Messages so far, and what befalls it behind them; whether it has.
    sent: u64,
    fate: Option<Fate>,
    befallen: bool,
    chance: Rng,
    flood: Flood,
}

#[derive(Clone, Copy)]
enum Phase {
    Open,
    /// What waits is still sent, until then.
    Closing(Reason, Instant),
    Over(Reason),
}

impl Session {
    fn new(sessions: &Arc<Sessions>, beginning: Beginning) -> Self {
        let Beginning { revision, transport, takes_binary, query, peer, plan, chance } = beginning;
        let settings = Arc::clone(&sessions.settings);
        let at = |after: Duration| settings.beats.then(|| Instant::now() + after);
        let (ping_at, dead_at) = match revision {
            Revision::V4 => (at(settings.ping_interval).filter(|_| !plan.no_pong), None),
            Revision::V3 => (None, at(settings.ping_interval + settings.ping_timeout)),
        };
        let state = State {
            phase: Phase::Open,
            transport,
            upgrading: false,
            probed: false,
            queue: Queue::new(&sessions.load),
            polled: false,
            posted: false,
            writing: false,
            ping_at,
            dead_at,
            sent: 0,
            fate: None,
            befallen: false,
            chance,
            flood: Flood::default(),
        };
        Self {
            id: id(),
            revision,
            query,
            peer,
            takes_binary,
            plan,
            settings,
            sessions: Arc::downgrade(sessions),
            conversation: OnceLock::new(),
            state: Mutex::new(state),
            news: Notify::new(),
            clock: Notify::new(),
        }
    }

    fn handshake(&self) -> Packet {
        let Settings { ping_interval, ping_timeout, max_payload, transports, .. } = &*self.settings;
        let may_upgrade =
            self.transport() == Transport::Polling && transports.contains(&Transport::WebSocket);
        let upgrades = if may_upgrade { "\"websocket\"" } else { "" };
        let (interval, timeout) = (ping_interval.as_millis(), ping_timeout.as_millis());
        let payload = match self.revision {
            Revision::V3 => String::new(),
            Revision::V4 => format!(",\"maxPayload\":{max_payload}"),
        };
        Packet::Open(format!(
            "{{\"sid\":\"{}\",\"upgrades\":[{upgrades}],\"pingInterval\":{interval},\
             \"pingTimeout\":{timeout}{payload}}}",
            self.id
        ))
    }

    /// Keeps its deadlines until it is over.
    async fn watch(self: Arc<Self>) {
        while let Some(next) = self.tick(Instant::now()) {
            tokio::select! {
                () = sleep_until(next) => {}
                () = self.clock.notified() => {}
            }
        }
    }

    /// Does what is due, and says when something is due again; `None` when it is over.
    fn tick(self: &Arc<Self>, now: Instant) -> Option<Instant> {
        let mut state = held(&self.state);
        let reason = match state.phase {
            Phase::Over(_) => return None,
            Phase::Closing(_, until) if now < until => return Some(until),
            Phase::Closing(reason, _) => reason,
            Phase::Open if state.queue.too_slow => Reason::TooSlow,
            Phase::Open if state.dead_at.is_some_and(|at| at <= now) => Reason::PingTimeout,
            Phase::Open => {
                let is_ripe = state.queue.ripen(now);
                let due = state.ping_at.filter(|at| *at <= now);
                if let Some(at) = due {
                    let timeout = self.settings.ping_timeout;
                    // A client is not to be missed because the ping was late.
                    let from = if now - at > timeout / 4 { now } else { at };
                    (state.ping_at, state.dead_at) = (None, Some(from + timeout));
                }
                let next = state.dead_at.into_iter().chain(state.ping_at).chain(state.queue.due()).min();
                drop(state);
                if is_ripe {
                    self.news.notify_waiters();
                }
                if due.is_some() {
                    self.push([Packet::Ping(String::new())]);
                }
                // Without deadlines something else will tell when it is over.
                return Some(next.unwrap_or(now + Duration::from_hours(24)));
            }
        };
        drop(state);
        self.end(reason);
        None
    }

    /// What is sent from now on is to arrive behind what was sent, not with it: the other side does something
    /// in between. WebSocket only; a poll has it all.
    pub fn part(&self) {
        held(&self.state).queue.part();
    }

    fn push(&self, packets: impl IntoIterator<Item = Packet>) {
        self.put(held(&self.state), None, packets);
    }

    fn put(
        &self,
        mut state: MutexGuard<'_, State>,
        due: Option<Instant>,
        packets: impl IntoIterator<Item = Packet>,
    ) {
        if !matches!(state.phase, Phase::Open) || state.befallen {
            return;
        }
        state.queue.push(due, packets);
        if state.queue.too_slow || due.is_some() {
            // Ended by its watch: who sends to many shall not be told by each that is gone.
            self.clock.notify_one();
        }
        drop(state);
        self.news.notify_waiters();
    }

    /// Whether what is sent now goes at once.
    pub fn is_writable(&self) -> bool {
        let state = held(&self.state);
        let is_ready = match state.transport {
            Transport::Polling => state.polled,
            Transport::WebSocket => !state.writing,
        };
        is_ready && state.queue.is_empty() && matches!(state.phase, Phase::Open)
    }

    /// How long its client may take to join a namespace.
    pub fn connect_timeout(&self) -> Duration {
        self.settings.connect_timeout
    }

    /// What carries it now.
    pub fn transport(&self) -> Transport {
        held(&self.state).transport
    }

    /// Takes a packet of the client; whether it goes on.
    pub(super) fn receive(self: &Arc<Self>, packet: Packet) -> bool {
        if held(&self.state).flood.takes_one(Instant::now()) {
            self.happened(Happened::Floods);
        }
        let Settings { beats, ping_interval, ping_timeout, .. } = *self.settings;
        let mut state = held(&self.state);
        if !matches!(state.phase, Phase::Open) {
            return false;
        }
        if self.revision == Revision::V3 && beats {
            // Anything is a sign of life, as in the reference of those days.
            state.dead_at = Some(Instant::now() + ping_interval + ping_timeout);
        }
        let ends = match (packet, self.revision) {
            (Packet::Pong(_), Revision::V4) => {
                state.dead_at = None;
                state.ping_at = (beats && !self.plan.no_pong).then(|| Instant::now() + ping_interval);
                self.clock.notify_one();
                None
            }
            (Packet::Ping(_), Revision::V3) => {
                drop(state);
                if !self.plan.no_pong {
                    self.push([Packet::Pong(String::new())]);
                }
                None
            }
            (Packet::Message(data), _) => {
                drop(state);
                if let Some(conversation) = self.conversation.get() {
                    conversation.message(self, data);
                }
                None
            }
            (Packet::Ping(_) | Packet::Pong(_), _) => {
                drop(state);
                Some(Reason::TransportError("a heartbeat in the wrong direction"))
            }
            (Packet::Close, _) if state.transport == Transport::Polling && !state.polled => {
                // Its poll may be under way on another connection, and shall find where it belongs.
                state.queue.clear();
                state.phase = Phase::Closing(Reason::TransportClose, Instant::now() + UNDER_WAY);
                drop(state);
                self.tell(Some(Reason::TransportClose));
                return false;
            }
            (Packet::Close, _) => {
                drop(state);
                Some(Reason::TransportClose)
            }
            (Packet::Open(_) | Packet::Upgrade | Packet::Noop, _) => None,
        };
        if let Some(reason) = ends {
            self.end(reason);
        }
        ends.is_none()
    }

    /// Ends it in order: what waits is still sent.
    pub fn close(self: &Arc<Self>, reason: Reason) {
        let mut state = held(&self.state);
        if matches!(state.phase, Phase::Open) {
            state.queue.hurry();
            state.phase = Phase::Closing(reason, Instant::now() + FAREWELL);
            drop(state);
            self.tell(Some(reason));
        }
    }

    /// Ends it at once.
    pub fn end(self: &Arc<Self>, reason: Reason) {
        let mut state = held(&self.state);
        let is_news = match state.phase {
            Phase::Over(_) => return,
            Phase::Closing(..) => None,
            Phase::Open => Some(reason),
        };
        state.phase = Phase::Over(reason);
        state.queue.clear();
        drop(state);
        self.leave();
        self.tell(is_news);
    }

    /// Why it is over, or about to be.
    pub fn is_over(&self) -> Option<Reason> {
        match held(&self.state).phase {
            Phase::Open => None,
            Phase::Closing(reason, _) | Phase::Over(reason) => Some(reason),
        }
    }

    fn tell(self: &Arc<Self>, over: Option<Reason>) {
        self.news.notify_waiters();
        self.clock.notify_one();
        let Some(reason) = over else { return };
        self.happened(Happened::Over(reason));
        if let Some(conversation) = self.conversation.get() {
            conversation.over(self, reason);
        }
    }

    fn happened(&self, what: Happened) {
        if let Some(sessions) = self.sessions.upgrade() {
            (sessions.log)(self, what);
        }
    }

    /// It cannot be found any longer.
    fn leave(&self) {
        if let Some(sessions) = self.sessions.upgrade() {
            held(&sessions.open).remove(&self.id);
        }
        self.clock.notify_one();
    }
}

/// 20 characters that nobody guesses, as the reference's ids.
pub(super) fn id() -> String {
    let mut bytes = [0; 15];
    // Without randomness ids would repeat, and the second session replace the first.
    let _ = getrandom::fill(&mut bytes);
    URL_SAFE.encode(bytes)
}
