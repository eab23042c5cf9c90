//! A client in a namespace: events and acknowledgements both ways, rooms, broadcasts.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::value::RawValue;

use super::arguments::Arguments;
use super::packet::{Kind, carrier, control};
use super::rooms::Rooms;
use crate::lab::engine::packet::Data;
use crate::lab::engine::session::Session;
use crate::lab::engine::settings::Reason;
use crate::lab::hub::held;
use crate::limits;

/// A namespace: those who are in it.
pub struct Namespace {
    /// `/` or `/name`.
    pub name: String,
    sockets: Mutex<Rooms<Arc<Socket>>>,
    /// The number of the next event that asks for an acknowledgement.
    next: AtomicU64,
}

impl Namespace {
    pub(super) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), sockets: Mutex::default(), next: AtomicU64::new(0) }
    }

    /// Everybody in it.
    pub fn sockets(&self) -> Vec<Arc<Socket>> {
        held(&self.sockets).others(None, None)
    }

    /// Sends an event to everybody in it.
    pub fn emit(&self, name: &str, arguments: &Arguments) {
        send(&self.sockets(), &carrier(&self.name, None, Some(name), arguments));
    }
}

/// What is done with an acknowledgement; without one when the client does not answer.
type Awaiting = Box<dyn FnOnce(Option<Arguments>) + Send>;

/// What an application of Socket.IO does.
pub trait Program: Send + Sync + 'static {
    /// Whether a client that says this of itself (a JSON object) may join a namespace.
    ///
    /// # Errors
    /// Why it may not, as the client is told.
    fn admits(&self, namespace: &str, _auth: &RawValue) -> Result<(), String> {
        if namespace == "/" { Ok(()) } else { Err(UNKNOWN.to_owned()) }
    }

    /// A client has joined.
    fn connected(&self, _socket: &Arc<Socket>) {}

    /// It sends an event.
    fn event(&self, socket: &Arc<Socket>, event: Event);

    /// It has left.
    fn disconnected(&self, _socket: &Arc<Socket>, _reason: Reason) {}
}

/// What the reference says when there is no such namespace.
pub const UNKNOWN: &str = "Invalid namespace";

/// An event of a client.
#[derive(Debug)]
pub struct Event {
    /// What it is called.
    pub name: String,
    /// What it carries.
    pub arguments: Arguments,
    /// What its acknowledgement refers to, if one is asked for.
    pub ack: Option<u64>,
}

/// A client in a namespace.
pub struct Socket {
    /// What others know it by.
    pub id: String,
    /// Where it is.
    pub namespace: Arc<Namespace>,
    /// What it said of itself when it joined: a JSON object.
    pub auth: Box<RawValue>,
    session: Arc<Session>,
    program: Arc<dyn Program>,
    connected: AtomicBool,
    awaiting: Mutex<BTreeMap<u64, Awaiting>>,
}

impl Socket {
    pub(super) fn new(
        id: String,
        auth: Box<RawValue>,
        namespace: Arc<Namespace>,
        (session, program): (&Arc<Session>, &Arc<dyn Program>),
    ) -> Self {
        Self {
            id,
            namespace,
            auth,
            session: Arc::clone(session),
            program: Arc::clone(program),
            connected: AtomicBool::new(true),
            awaiting: Mutex::default(),
        }
    }

    /// It has joined.
    pub(super) fn enter(self: &Arc<Self>) {
        held(&self.namespace.sockets).enter(&self.id, Arc::clone(self));
        self.program.connected(self);
    }

    /// It sends an event.
    pub(super) fn event(self: &Arc<Self>, event: Event) {
        self.program.event(self, event);
    }

    /// It has left.
    pub(super) fn exit(self: &Arc<Self>, reason: Reason) {
        if !self.connected.swap(false, SeqCst) {
            return;
        }
        held(&self.namespace.sockets).exit(&self.id);
        let awaiting = std::mem::take(&mut *held(&self.awaiting));
        for then in awaiting.into_values() {
            then(None);
        }
        self.program.disconnected(self, reason);
    }

    /// Whether it is still there.
    pub fn is_connected(&self) -> bool {
        self.connected.load(SeqCst)
    }

    /// Waits until it is not, its session being over.
    pub(in crate::lab::engine) async fn gone(&self) {
        self.session.ended().await;
    }

    /// What its session's client goes by.
    pub fn session_id(&self) -> &str {
        &self.session.id
    }

    /// The query of the request that its session began with.
    pub fn query(&self) -> &str {
        &self.session.query
    }

    /// Sends an event.
    pub fn emit(&self, name: &str, arguments: &Arguments) {
        self.send(&carrier(&self.namespace.name, None, Some(name), arguments));
    }

    /// Sends an event if it would go at once, and forgets it otherwise.
    pub fn emit_volatile(&self, name: &str, arguments: &Arguments) {
        if self.session.is_writable() {
            self.emit(name, arguments);
        }
    }

    /// Sends an event, and does something with the acknowledgement, or without one when it takes longer
    /// than `patience` or the client goes.
    pub fn emit_with_ack(
        self: &Arc<Self>,
        (name, arguments): (&str, &Arguments),
        patience: Duration,
        then: impl FnOnce(Option<Arguments>) + Send + 'static,
    ) {
        let id = self.namespace.next.fetch_add(1, SeqCst);
        let mut awaiting = held(&self.awaiting);
        if !self.is_connected() || awaiting.len() >= limits::LAB_ACKS {
            drop(awaiting);
            return then(None);
        }
        awaiting.insert(id, Box::new(then));
        drop(awaiting);
        self.send(&carrier(&self.namespace.name, Some(id), Some(name), arguments));
        let socket = Arc::downgrade(self);
        tokio::spawn(async move {
            tokio::time::sleep(patience).await;
            if let Some(socket) = socket.upgrade() {
                socket.acknowledged(id, None);
            }
        });
    }

    /// Acknowledges an event, if that is asked for.
    pub fn acknowledge(&self, ack: Option<u64>, arguments: &Arguments) {
        if ack.is_some() {
            self.send(&carrier(&self.namespace.name, ack, None, arguments));
        }
    }

    /// Does what waits for this acknowledgement; one that nothing waits for says nothing.
    pub(super) fn acknowledged(&self, id: u64, arguments: Option<Arguments>) {
        let then = held(&self.awaiting).remove(&id);
        if let Some(then) = then {
            then(arguments);
        }
    }

    /// Joins a room; whether it may.
    pub fn join(&self, room: &str) -> bool {
        held(&self.namespace.sockets).join(&self.id, room)
    }

    /// Leaves a room.
    pub fn leave(&self, room: &str) {
        held(&self.namespace.sockets).leave(&self.id, room);
    }

    /// All others of the namespace, or those of a room.
    pub fn others(&self, room: Option<&str>) -> Vec<Arc<Self>> {
        held(&self.namespace.sockets).others(room, Some(&self.id))
    }

    /// Sends an event to all others, or those of a room; to how many.
    pub fn broadcast(&self, room: Option<&str>, name: &str, arguments: &Arguments) -> usize {
        let others = self.others(room);
        send(&others, &carrier(&self.namespace.name, None, Some(name), arguments));
        others.len()
    }

    /// Takes it out of the namespace, and tells its client. Its session goes on.
    pub fn disconnect(self: &Arc<Self>) {
        if self.is_connected() {
            self.session.tell_client([control(Kind::Disconnect, &self.namespace.name, "")]);
        }
        self.exit(Reason::SentOut);
    }

    /// Ends its session, once all has been sent.
    pub fn close(&self) {
        self.session.close(Reason::ForcedClose("by the application"));
    }

    pub(super) fn send(&self, data: &[Data]) {
        if self.is_connected() {
            self.session.send(data.iter().cloned());
        }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.namespace.name, self.id)
    }
}

/// The same to many.
fn send(sockets: &[Arc<Socket>], data: &[Data]) {
    for socket in sockets {
        socket.send(data);
    }
}
