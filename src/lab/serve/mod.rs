//! `wstool serve`: what tutorials describe, alive, on one port.
//!
//! ```text
//!            ┌─ HTTP ─┬─ pages, polling in all its forms
//! TCP ─ door ┤  or 2  ├─ Socket.IO
//!   (TLS)    │        └─ Upgrade: echo, chat, ticker, … ─┐
//!            └─ lines of a raw TCP chat ─────────────────┴─ one room
//! ```
//!
//! - `door`: who comes in, told apart by the first bytes
//! - `line`: the TCP connection, with what goes wrong on purpose
//! - `web`: HTTP, by path; `asked`: the target of a request; `pages`: what is there to look at; `socketio`:
//!   where Socket.IO is
//! - `talk`: a WebSocket with pings, timeouts and faults; `spots`: what is at the end of one
//! - `room`: who is in the chat and what was said; `chat`, `raw`, `poll`: ways into it
//!
//! All of it runs on one thread: what happens has an order, a lab has hardly more to do than to wait, and
//! decoding and showing it is another thread's work already.

mod asked;
mod chat;
mod door;
mod line;
mod pages;
mod poll;
mod raw;
mod room;
mod socketio;
mod spots;
mod talk;
mod web;

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};

use self::line::Control;
pub use self::pages::{PANELS, Wire};
use self::room::Room;
pub use self::socketio::SocketIo;
use super::engine::Engine;
use super::fate::Fate;
use super::fault::{Chance, Plan};
use super::frames::Reader;
use super::handshake::Welcome;
use super::hub::held;
use super::tap::{self, Tap};
use crate::lang::Lang;
use crate::model::{Dir, StreamEnd, Text};
use crate::synth::Rng;

/// What is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// WebSocket.
    Ws,
    /// Socket.IO.
    SocketIo,
    /// A chat of lines on raw TCP.
    Tcp,
    /// Polling and its relatives.
    Poll,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ws, Self::SocketIo, Self::Tcp, Self::Poll];
}

/// How a server behaves.
#[derive(Clone)]
pub struct Settings {
    /// What is served.
    pub kinds: Vec<Kind>,
    /// For whom a WebSocket is opened, and what is agreed on.
    pub welcome: Welcome,
    /// Between two pings; no answer to one until the next ends the connection.
    pub ping_interval: Option<Duration>,
    /// How long nothing may be said on a connection.
    pub idle_timeout: Option<Duration>,
    /// How long a peer may take nothing of what waits for it.
    pub write_timeout: Duration,
    /// Bytes of a message.
    pub max_message: usize,
    /// Connections at a time.
    pub max_connections: usize,
    /// What TLS is spoken with.
    pub tls: Option<Arc<ServerConfig>>,
    /// Where is told what goes over the network, below TLS.
    pub below: Tap,
    /// Whether HTTP/2 is spoken with those who begin with it; under TLS with those who agreed on it.
    pub http2: bool,
    /// What goes wrong on purpose.
    pub faults: Vec<Chance>,
    /// Decides whom those befall.
    pub seed: u64,
    /// How Socket.IO is served.
    pub socketio: SocketIo,
    /// What draws the wire beside pages; without it there are none.
    pub wire: Option<Wire>,
    /// The language of pages for readers who name none.
    pub lang: Lang,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kinds: Kind::ALL.to_vec(),
            welcome: Welcome::default(),
            ping_interval: None,
            idle_timeout: None,
            write_timeout: Duration::from_secs(10),
            max_message: crate::limits::LAB_MESSAGE,
            max_connections: 10_000,
            tls: None,
            below: Tap::idle(),
            http2: true,
            faults: Vec::new(),
            seed: 0,
            socketio: SocketIo::default(),
            wire: None,
            lang: Lang::En,
        }
    }
}

/// What is where, of these kinds: the scheme without its S (or `nc`, a program), the path, and what it is.
pub fn paths(kinds: &[Kind]) -> Vec<(&'static str, &'static str, &'static str)> {
    let has = |kind: Kind| kinds.contains(&kind);
    let mut all = Vec::new();
    if kinds != [Kind::Tcp] {
        all.push(("http", "/", "the start page"));
    }
    if has(Kind::Ws) {
        all.extend(spots::PATHS.map(|(path, what)| ("ws", path, what)));
    }
    if has(Kind::SocketIo) {
        all.push(("http", "/socket.io/", "Socket.IO"));
    }
    if has(Kind::Poll) {
        all.extend(poll::PATHS.map(|(path, what)| ("http", path, what)));
    }
    if has(Kind::Tcp) {
        all.push(("nc", "", "the chat without WebSocket"));
    }
    all
}

/// Where it is told what became of peers that do not behave, a line each.
pub type Log = Arc<dyn Fn(Text) + Send + Sync>;

/// A server, whatever listens for it.
#[derive(Clone)]
pub struct Server(Arc<Shared>);

struct Shared {
    settings: Settings,
    tap: Tap,
    log: Log,
    reader: Reader,
    room: Room,
    engines: Vec<Engine>,
    seats: Arc<Seats>,
    /// Whether it goes on.
    going: watch::Sender<bool>,
    rng: Mutex<Rng>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("connections", &self.connections()).finish_non_exhaustive()
    }
}

/// Connections that there are.
#[derive(Default)]
struct Seats {
    taken: AtomicUsize,
    left: Notify,
}

/// One of them.
struct Seat(Arc<Seats>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, SeqCst);
        self.0.left.notify_waiters();
    }
}

/// How long connections may take to end once the server does.
const FAREWELL: Duration = Duration::from_secs(2);

impl Server {
    /// A server whose connections are told to `tap`.
    pub fn new(settings: Settings, tap: Tap, log: Log) -> Self {
        Self(Arc::new(Shared {
            tap,
            reader: Reader::taking(settings.max_message),
            room: Room::default(),
            engines: settings.socketio.engines(&log),
            seats: Arc::default(),
            log,
            going: watch::Sender::new(true),
            rng: Mutex::new(Rng::new(settings.seed)),
            settings,
        }))
    }

    /// Serves whoever comes, until it is [stopped](Self::stop) and everybody has been told so.
    pub async fn serve(&self, listener: TcpListener) {
        let mut going = self.0.going.subscribe();
        tokio::select! {
            () = door::open(self, &listener) => {}
            _ = going.wait_for(|going| !going) => {}
        }
        drop(listener);
        // Who does not leave by then is left behind.
        let _ = tokio::time::timeout(FAREWELL + FAREWELL / 2, self.empty()).await;
    }

    /// Ends every connection as it should be ended: a WebSocket with 1001.
    pub fn stop(&self) {
        self.0.going.send_replace(false);
        self.0.engines.iter().for_each(Engine::shut_down);
    }

    /// Connections at the moment.
    pub fn connections(&self) -> usize {
        self.0.seats.taken.load(SeqCst)
    }

    async fn empty(&self) {
        loop {
            let left = self.0.seats.left.notified();
            if self.connections() == 0 {
                return;
            }
            left.await;
        }
    }

    fn settings(&self) -> &Settings {
        &self.0.settings
    }

    fn kinds(&self) -> &[Kind] {
        &self.0.settings.kinds
    }

    fn serves(&self, kind: Kind) -> bool {
        self.kinds().contains(&kind)
    }

    /// Whether there is anything to be asked for by HTTP.
    fn is_web(&self) -> bool {
        [Kind::Ws, Kind::SocketIo, Kind::Poll].into_iter().any(|kind| self.serves(kind))
    }

    fn room(&self) -> &Room {
        &self.0.room
    }

    fn say(&self, what: Text) {
        (self.0.log)(what);
    }

    /// A seat, if there is one.
    fn seat(&self) -> Option<Seat> {
        let seats = &self.0.seats;
        let free = |taken| (taken < self.settings().max_connections).then_some(taken + 1);
        seats.taken.fetch_update(SeqCst, SeqCst, free).is_ok().then(|| Seat(Arc::clone(seats)))
    }

    /// What befalls the next connection.
    fn plan(&self) -> Plan {
        Plan::roll(&self.0.settings.faults, &mut held(&self.0.rng))
    }

    /// A generator for what befalls the messages of one connection.
    fn chance(&self) -> Rng {
        Rng::new(held(&self.0.rng).next_u64())
    }
}

/// Who is connected.
struct Visitor {
    server: Server,
    /// Its address, and ours.
    ends: [SocketAddr; 2],
    wire: tap::Wire,
    control: Arc<Control>,
    plan: Plan,
    /// Lines that it was told without a connection of its own for them.
    sent: AtomicU64,
    _seat: Seat,
}

impl Visitor {
    /// Tells the log what became of it.
    fn say(&self, what: impl Into<Text>) {
        self.server.say(Text::with("{}: {}", self.ends[0]).word(what));
    }

    /// Has its connection reset instead of ended.
    fn reset(&self) {
        self.control.reset();
        self.wire.end(Dir::Server, StreamEnd::Rst);
    }

    /// Has its connection ended without another word, whatever is under way on it.
    fn cut(&self) {
        self.control.cut();
        self.wire.end(Dir::Server, StreamEnd::Fin);
    }

    /// Waits until the server is to end.
    async fn stopping(&self) {
        let mut going = self.server.0.going.subscribe();
        // It lives as long as the server does.
        let _ = going.wait_for(|going| !going).await;
    }

    /// It was told so many lines in answers of HTTP.
    fn has_sent(&self, lines: u64) {
        self.sent.fetch_add(lines, SeqCst);
    }

    /// What befalls its connection behind those; there is nothing to close it with.
    fn fate(&self) -> Option<Fate> {
        Fate::behind(self.sent.load(SeqCst), &self.plan).filter(|fate| *fate != Fate::Close)
    }

    /// Something befalls its connection, which is told.
    fn befall(&self, fate: Fate) {
        self.say(fate.words(&self.plan, self.sent.load(SeqCst)));
        self.meet(fate);
    }

    /// Has its connection end as it is fated to, where it is not closed in order.
    fn meet(&self, fate: Fate) {
        match fate {
            Fate::Close => {}
            Fate::Cut | Fate::Silence => self.cut(),
            Fate::Reset => self.reset(),
            Fate::HalfOpen => self.control.freeze(),
        }
    }

    /// Says why its stream broke, unless that was its own affair.
    fn broke(&self, error: &io::Error) {
        match error.kind() {
            io::ErrorKind::TimedOut => {
                let seconds = self.server.settings().write_timeout.as_secs_f64();
                self.say(Text::with("cut off: it took nothing of what it was sent for {} s", seconds));
            }
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
                self.say("it vanished: the connection was reset");
            }
            // What TLS would have said of an end that is one.
            io::ErrorKind::UnexpectedEof => self.say("it vanished: the connection ended within TLS"),
            // Only streams within a connection are written to through hyper, whose words are not for people.
            _ if error.get_ref().and_then(|inner| inner.downcast_ref::<hyper::Error>()).is_some() => {
                self.say("it vanished: its stream of HTTP/2 ended without a Close");
            }
            _ => self.say(Text::with("the connection broke: {}", error)),
        }
    }
}
