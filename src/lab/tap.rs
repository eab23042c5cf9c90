//! A tap on connections: everything that goes over them, told to whoever records it.
//!
//! ```text
//! hyper, an endpoint, a proxy ── Tapped<stream> ── socket
//!                                     │ Wire: data, end
//!                                     ▼
//!                            Tap ─► recorder: Decoder, views, capture file
//! ```
//!
//! Bytes pass unchanged and at once. Who records may fall behind: when more than [`limits::LAB_TAP`] bytes
//! wait for it, connections wait, too, so that memory stays bounded.

mod stream;
mod told;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::{SystemTime, UNIX_EPOCH};

use hyper::body::Bytes;

pub use self::stream::Tapped;
pub use self::told::{Head, Told};
use super::hub::held;
use crate::limits;
use crate::model::{Dir, FlowId, Layer, StreamEnd, Time};

/// Something that happened on a connection.
#[derive(Clone, Debug)]
pub struct Happened {
    /// Which one. The number is free again when it is over.
    pub flow: FlowId,
    /// When.
    pub time: Time,
    /// What.
    pub what: What,
}

/// What happens on a connection.
#[derive(Clone, Debug)]
pub enum What {
    /// It begins, between client and server; what they send is of this layer.
    Open([SocketAddr; 2], Layer),
    /// One endpoint sends.
    Data(Dir, Bytes),
    /// One endpoint ends its stream.
    End(Dir, StreamEnd),
    /// A TLS handshake begins, whose keys are told before it is over.
    Shaking,
    /// That is over.
    Shaken,
    /// It carries lines of text, between client and server; this much the client had sent, which was told.
    Lines([SocketAddr; 2], Bytes),
    /// A line of a key log, of whichever connection.
    Secret(String),
    /// Nothing more is to be recorded.
    Enough,
    /// Somebody tells of it, and has none of its bytes.
    Told(Box<Told>),
    /// It is over.
    Over,
}

impl What {
    /// Bytes that it takes while it waits for the recorder, about.
    fn weight(&self) -> usize {
        let bytes = match self {
            Self::Data(_, bytes) | Self::Lines(_, bytes) => bytes.len(),
            Self::Secret(line) => line.len(),
            Self::Told(told) => told.weight() + size_of::<Told>(),
            _ => 0,
        };
        bytes + size_of::<Happened>()
    }
}

/// Where connections are told of. Clones tell the same recorder.
#[derive(Clone, Debug)]
pub struct Tap(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// `None` where nobody ever listens.
    recorder: Option<Mutex<Sender<Happened>>>,
    /// Who listens wants to know of nothing but what a page looks on at.
    for_pages: bool,
    /// Bytes that wait for the recorder.
    waiting: AtomicUsize,
    /// Connections that wait until it has caught up.
    asleep: Mutex<Vec<Waker>>,
    numbers: Mutex<Numbers>,
}

#[derive(Debug, Default)]
struct Numbers {
    next: u32,
    free: Vec<u32>,
}

/// What a recorder listens to. Dropping it ends the recording, not the connections.
#[derive(Debug)]
pub struct Recording {
    happened: Receiver<Happened>,
    shared: std::sync::Weak<Shared>,
}

/// One that nobody listens to.
impl Default for Tap {
    fn default() -> Self {
        Self::idle()
    }
}

impl Tap {
    /// A tap, and what is heard of it.
    pub fn new() -> (Self, Recording) {
        Self::telling(false)
    }

    /// A tap for a recorder that wants to know of nothing but what pages look on at, and what is heard of it.
    pub fn for_pages() -> (Self, Recording) {
        Self::telling(true)
    }

    fn telling(for_pages: bool) -> (Self, Recording) {
        let (recorder, happened) = channel();
        let shared =
            Arc::new(Shared { recorder: Some(Mutex::new(recorder)), for_pages, ..Shared::default() });
        let recording = Recording { happened, shared: Arc::downgrade(&shared) };
        (Self(shared), recording)
    }

    /// A tap that nobody listens to: it costs nothing.
    pub fn idle() -> Self {
        Self(Arc::default())
    }

    /// A key of a TLS connection, as a line of a key log: what was told of it can be read.
    pub fn secret(&self, line: &str) {
        self.0.tell(FlowId(u32::MAX), What::Secret(line.to_owned()));
    }

    /// Nothing more is to be recorded, whoever may still have something to tell.
    pub fn enough(&self) {
        self.0.tell(FlowId(u32::MAX), What::Enough);
    }

    /// A connection begins, between client and server.
    pub fn open(&self, ends: [SocketAddr; 2]) -> Wire {
        self.open_on(ends, Layer::Stream)
    }

    /// The same, where what will be told is of this layer.
    pub fn open_on(&self, ends: [SocketAddr; 2], layer: Layer) -> Wire {
        let wire = self.wire();
        wire.tell(What::Open(ends, layer));
        wire
    }

    /// A connection begins that somebody tells of, at this time.
    pub fn open_told(&self, server: Option<SocketAddr>, secure: bool, time: Time) -> Wire {
        let wire = self.wire();
        wire.told(Told::Open { server, secure }, time);
        wire
    }

    /// Waits until the recorder has room for more.
    pub async fn room(&self) {
        std::future::poll_fn(|cx| self.0.poll_room(cx)).await;
    }

    fn wire(&self) -> Wire {
        let mut numbers = held(&self.0.numbers);
        let number = numbers.free.pop().unwrap_or_else(|| {
            numbers.next += 1;
            numbers.next - 1
        });
        drop(numbers);
        Wire(Arc::new(OneWire { flow: FlowId(number), tap: self.clone(), hushed: AtomicBool::new(false) }))
    }
}

impl Recording {
    /// Waits for the next that happens; `None` when nothing can happen any longer.
    pub fn next(&self) -> Option<Happened> {
        let happened = self.happened.recv().ok()?;
        self.taken(&happened);
        Some(happened)
    }

    /// The next that has happened already.
    pub fn next_now(&self) -> Option<Happened> {
        let happened = self.happened.try_recv().ok()?;
        self.taken(&happened);
        Some(happened)
    }

    fn taken(&self, happened: &Happened) {
        let Some(shared) = self.shared.upgrade() else { return };
        let weight = happened.what.weight();
        let before = shared.waiting.fetch_sub(weight, SeqCst);
        if before > limits::LAB_TAP && before - weight <= limits::LAB_TAP {
            shared.wake();
        }
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            // Nobody will catch up any more; nobody shall wait for that.
            shared.waiting.store(0, SeqCst);
            shared.wake();
        }
    }
}

impl Shared {
    fn tell(&self, flow: FlowId, what: What) {
        self.tell_at(flow, what, now());
    }

    fn tell_at(&self, flow: FlowId, what: What, time: Time) {
        let Some(recorder) = &self.recorder else { return };
        self.waiting.fetch_add(what.weight(), SeqCst);
        let happened = Happened { flow, time, what };
        if held(recorder).send(happened).is_err() {
            // Nobody records any longer, nor catches up.
            self.waiting.store(0, SeqCst);
        }
    }

    /// Ready when the recorder has room for more.
    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.waiting.load(SeqCst) <= limits::LAB_TAP {
            return Poll::Ready(());
        }
        let mut asleep = held(&self.asleep);
        // It may have caught up before anybody was there to be woken.
        if self.waiting.load(SeqCst) <= limits::LAB_TAP {
            return Poll::Ready(());
        }
        asleep.push(cx.waker().clone());
        Poll::Pending
    }

    fn wake(&self) {
        held(&self.asleep).drain(..).for_each(Waker::wake);
    }
}

/// One connection, as it is told of. When the last clone goes, it is over.
#[derive(Clone, Debug)]
pub struct Wire(Arc<OneWire>);

#[derive(Debug)]
struct OneWire {
    flow: FlowId,
    tap: Tap,
    /// Nothing more is told of it but its end.
    hushed: AtomicBool,
}

impl Wire {
    /// The number it is told of by.
    pub fn flow(&self) -> FlowId {
        self.0.flow
    }

    /// One endpoint has sent this.
    pub fn data(&self, from: Dir, bytes: &[u8]) {
        let is_told = self.0.tap.0.recorder.is_some() && !self.0.hushed.load(SeqCst);
        if !bytes.is_empty() && is_told {
            self.tell(What::Data(from, Bytes::copy_from_slice(bytes)));
        }
    }

    /// Somebody tells of it what happened at this time.
    pub fn told(&self, told: Told, time: Time) {
        self.0.tell_at(What::Told(Box::new(told)), time);
    }

    /// One endpoint has ended its stream.
    pub fn end(&self, from: Dir, how: StreamEnd) {
        self.tell(What::End(from, how));
    }

    /// A TLS handshake begins on it.
    pub fn shaking(&self) {
        self.tell(What::Shaking);
    }

    /// It carries lines of text, between client and server, of which `early` was told already.
    pub fn lines(&self, ends: [SocketAddr; 2], early: &[u8]) {
        self.tell(What::Lines(ends, Bytes::copy_from_slice(early)));
    }

    /// It is over, whichever way: its keys were told.
    pub fn shaken(&self) {
        self.tell(What::Shaken);
    }

    /// From here on what goes over it is not told: it is about what is told of others, and would never end.
    pub fn hush(&self) {
        self.0.hushed.store(true, SeqCst);
    }

    /// No page looks on at what goes over it from here on: who listens for nothing else is spared it.
    pub fn nobody_looks(&self) {
        if self.0.tap.0.for_pages {
            self.hush();
        }
    }

    /// Ready when the recorder has room for more.
    fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.tap.0.poll_room(cx)
    }

    /// Waits until the recorder has room for more.
    pub async fn room(&self) {
        self.0.tap.room().await;
    }

    fn tell(&self, what: What) {
        self.0.tell(what);
    }
}

impl OneWire {
    fn tell(&self, what: What) {
        self.tap.0.tell(self.flow, what);
    }

    fn tell_at(&self, what: What, time: Time) {
        self.tap.0.tell_at(self.flow, what, time);
    }
}

impl Drop for OneWire {
    fn drop(&mut self) {
        self.tell(What::Over);
        // Told before it is given to another: what that says comes later.
        held(&self.tap.0.numbers).free.push(self.flow.0);
    }
}

/// What time it is, in nanoseconds since 1970.
pub fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;

    fn ends() -> [SocketAddr; 2] {
        [(Ipv4Addr::LOCALHOST, 1).into(), (Ipv4Addr::LOCALHOST, 2).into()]
    }

    fn block_on(work: impl Future<Output = ()>) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work);
    }

    #[test]
    fn everything_is_told_in_order() {
        let (tap, recording) = Tap::new();
        block_on(async {
            let (ours, mut theirs) = duplex(64);
            let mut tapped = Tapped::new(ours, tap.open(ends()), Dir::Server);
            theirs.write_all(b"question").await.unwrap();
            let mut buffer = [0; 8];
            tapped.read_exact(&mut buffer).await.unwrap();
            tapped.write_all(b"answer").await.unwrap();
            drop(theirs);
            assert_eq!(tapped.read(&mut buffer).await.unwrap(), 0);
        });
        drop(tap);
        let told: Vec<String> = std::iter::from_fn(|| recording.next())
            .map(|it| match it.what {
                What::Open(..) => "open".to_owned(),
                What::Data(dir, bytes) => format!("{dir:?} {}", bytes.escape_ascii()),
                What::End(dir, how) => format!("{dir:?} {how:?}"),
                What::Told(told) => format!("{told:?}"),
                What::Over => "over".to_owned(),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(told, ["open", "Client question", "Server answer", "Client Fin", "Server Fin", "over"]);
    }

    #[test]
    fn numbers_are_used_again() {
        let (tap, _recording) = Tap::new();
        let (first, second) = (tap.open(ends()), tap.open(ends()));
        assert_eq!((first.flow(), second.flow()), (FlowId(0), FlowId(1)));
        drop(first);
        assert_eq!(tap.open(ends()).flow(), FlowId(0));
    }

    #[test]
    fn what_is_hushed_is_told_of_no_more() {
        let (tap, recording) = Tap::new();
        let wire = tap.open(ends());
        wire.data(Dir::Client, b"told");
        wire.hush();
        wire.data(Dir::Client, b"not told");
        drop((wire, tap));
        let told = std::iter::from_fn(|| recording.next()).filter(|it| matches!(it.what, What::Data(..)));
        assert_eq!(told.count(), 1);
    }

    #[test]
    fn what_no_page_looks_on_at_is_spared_who_listens_for_nothing_else() {
        for ((tap, recording), count) in [(Tap::new(), 2), (Tap::for_pages(), 1)] {
            let wire = tap.open(ends());
            wire.data(Dir::Client, b"whose it is");
            wire.nobody_looks();
            wire.data(Dir::Client, b"what it says");
            drop((wire, tap));
            let told = std::iter::from_fn(|| recording.next()).filter(|it| matches!(it.what, What::Data(..)));
            assert_eq!(told.count(), count);
        }
    }

    #[test]
    fn connections_wait_for_a_recorder_that_is_behind() {
        let (tap, recording) = Tap::new();
        block_on(async {
            let wire = tap.open(ends());
            wire.data(Dir::Client, &vec![0; limits::LAB_TAP + 1]);
            let waits = || std::future::poll_fn(|cx| Poll::Ready(wire.poll_room(cx).is_pending()));
            assert!(waits().await);
            assert!(recording.next_now().is_some());
            assert!(waits().await, "that was the beginning");
            assert!(recording.next_now().is_some());
            assert!(!waits().await);
            wire.data(Dir::Client, &vec![0; limits::LAB_TAP + 1]);
            assert!(waits().await);
            drop(recording);
            assert!(!waits().await, "nobody records");
        });
    }
}
