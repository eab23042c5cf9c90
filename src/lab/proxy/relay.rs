//! Messages on their way through: followed, judged, and written on in order, each direction for itself.
//!
//! ```text
//!   client ─► reader ─► Follow, Judge ─► queue ─► writer ─► server
//!   client ◄─ writer ◄─ queue ◄─ Follow, Judge ◄─ reader ◄─ server
//! ```

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use super::exchange::{Exchanges, Passed};
use super::follow::{Follow, Piece};
use super::judge::{End, Judge, Order};
use super::pipe::is_end;
use super::rule::{Content, Then};
use super::stream::{Room, Stream};
use crate::lab::events::at;
use crate::lab::hub::held;
use crate::lab::tap::Wire;
use crate::limits;
use crate::model::{Dir, Opcode, StreamEnd, Text};

/// How long both sides may take to answer a Close frame of the proxy's own.
const GOODBYE: Duration = Duration::from_secs(5);

/// Bytes that a slow reader reads at a time, and how long it then rests.
const SIP: usize = 16;
const REST: Duration = Duration::from_millis(20);

/// A message that waits for somebody's word.
#[derive(Debug)]
pub struct Question {
    /// The client that it is of.
    pub client: SocketAddr,
    /// Who sent it.
    pub from: Dir,
    /// Text or binary.
    pub kind: Opcode,
    /// What it says.
    pub payload: Vec<u8>,
    /// Where the word is given; without one it passes.
    pub answer: oneshot::Sender<Then>,
}

/// A connection of messages.
pub(super) struct Relay<'a> {
    pub client: SocketAddr,
    /// Told of the connection between `shown` and the proxy.
    pub wire: &'a Wire,
    pub shown: Dir,
    pub slow: bool,
    pub idle: Option<Duration>,
    pub pause: Option<&'a mpsc::Sender<Question>>,
    pub tell: &'a (dyn Fn(&Text) + Send + Sync),
}

/// What is known of a connection of messages.
pub(super) struct Talk {
    pub follow: Followed,
    pub judge: Judge,
    /// What the client has sent already, and is still to be passed on.
    pub early: Vec<u8>,
}

/// What is followed.
pub(super) enum Followed {
    /// A WebSocket, or HTTP/2.
    Frames(Box<Follow>),
    /// Requests that poll, and their answers.
    Exchanges(Box<Exchanges>),
}

impl Followed {
    fn push(&mut self, from: Dir, bytes: &[u8]) -> Vec<Piece> {
        match self {
            Self::Frames(follow) => follow.push(from, bytes),
            Self::Exchanges(exchanges) => {
                let piece = |passed| match passed {
                    Passed::Bytes(bytes) => Piece::Bytes(bytes),
                    Passed::Units(bytes, units) => Piece::Stream(bytes, units),
                    Passed::Exchange(exchange) => Piece::Exchange(exchange),
                    Passed::Event(event) => Piece::Event(event),
                    Passed::Note(note) => Piece::Note(note),
                };
                exchanges.push(from, bytes).into_iter().map(piece).collect()
            }
        }
    }

    fn rest(&mut self, from: Dir) -> Vec<u8> {
        match self {
            Self::Frames(follow) => follow.rest(from),
            Self::Exchanges(exchanges) => exchanges.rest(from),
        }
    }
}

/// What a writer is told.
enum Task {
    Send(Vec<u8>, Instant, OwnedSemaphorePermit),
    Finish,
    End(End),
}

/// The way to one side.
struct Queue {
    tasks: UnboundedSender<Task>,
    /// Bytes that may wait.
    room: Arc<Semaphore>,
}

/// What both directions share.
struct Shared<'a> {
    relay: &'a Relay<'a>,
    talk: Mutex<Talk>,
    queues: [Queue; 2],
    /// When something was said last.
    last: Mutex<Instant>,
    /// When a closing handshake has to be over.
    deadline: Mutex<Option<Instant>>,
    /// A closing handshake has begun.
    closing: Notify,
}

/// How a way ended before its time.
enum Broken {
    /// Its sender has reset the connection.
    Sender(Dir),
    /// Its receiver takes nothing any longer.
    Receiver,
    /// It was ended on purpose.
    Ended(End),
}

impl Relay<'_> {
    /// Passes everything on until both have ended, or something was ended on purpose.
    pub async fn run(&self, client: Stream, server: Stream, talk: Talk) {
        let (client_read, client_write) = split(client);
        let (server_read, server_write) = split(server);
        let (to_client, for_client) = queue();
        let (to_server, for_server) = queue();
        let shared = Shared {
            relay: self,
            talk: Mutex::new(talk),
            queues: [to_client, to_server],
            last: Mutex::new(Instant::now()),
            deadline: Mutex::new(None),
            closing: Notify::new(),
        };
        let (mut client_read, mut client_write) = (client_read, client_write);
        let (mut server_read, mut server_write) = (server_read, server_write);
        let (end, said) = {
            let mut up = pin!(shared.read(Dir::Client, &mut client_read));
            let mut down = pin!(shared.read(Dir::Server, &mut server_read));
            let mut to_client = pin!(shared.write(Dir::Client, &mut client_write, for_client));
            let mut to_server = pin!(shared.write(Dir::Server, &mut server_write, for_server));
            let mut watch = pin!(shared.watch());
            let (mut read, mut written) = ([false; 2], [None, None]);
            shared.begin().await;
            let (end, by) = loop {
                let broken = tokio::select! {
                    result = &mut up, if !read[0] => { read[0] = true; result.err() }
                    result = &mut down, if !read[1] => { read[1] = true; result.err() }
                    result = &mut to_client, if written[0].is_none() => {
                        written[0] = Some(result.is_ok());
                        result.err()
                    }
                    result = &mut to_server, if written[1].is_none() => {
                        written[1] = Some(result.is_ok());
                        result.err()
                    }
                    () = &mut watch => Some(Broken::Ended(End::Cut)),
                };
                match (broken, written) {
                    (Some(Broken::Sender(by)), _) => break (End::Reset, Some(by)),
                    (Some(Broken::Ended(end)), _) => break (end, None),
                    // A receiver that is gone ends its own way by itself, and may have said something before.
                    (_, [Some(one), Some(other)]) => {
                        break (if one && other { End::Cut } else { End::Reset }, None);
                    }
                    _ => {}
                }
            };
            // The side that is shown has ended it itself, or was told that its peer has.
            (end, by == Some(self.shown) || written[self.shown.index()].is_some())
        };
        let (mut client, mut server) = (client_read.unsplit(client_write), server_read.unsplit(server_write));
        match end {
            // Both streams may have ended already, which is as well.
            End::Cut => {
                let _ = client.shutdown().await;
                let _ = server.shutdown().await;
                if !said {
                    self.wire.end(self.shown.peer(), StreamEnd::Fin);
                }
            }
            End::Reset => {
                if !said {
                    self.wire.end(self.shown.peer(), StreamEnd::Rst);
                }
                client.reset();
                server.reset();
            }
            End::Silence => std::future::pending().await,
        }
    }
}

fn queue() -> (Queue, UnboundedReceiver<Task>) {
    let (tasks, receiver) = unbounded_channel();
    (Queue { tasks, room: Arc::new(Semaphore::new(limits::PROXY_HELD)) }, receiver)
}

impl Shared<'_> {
    /// What happens before anybody says anything.
    async fn begin(&self) {
        let mut orders = Vec::new();
        let early = {
            let mut talk = held(&self.talk);
            talk.judge.begin(&mut orders);
            let early = std::mem::take(&mut talk.early);
            talk.follow.push(Dir::Client, &early)
        };
        self.obey(orders).await;
        for piece in early {
            self.piece(Dir::Client, piece).await;
        }
    }

    async fn read(&self, from: Dir, read: &mut ReadHalf<Stream>) -> Result<(), Broken> {
        let relay = self.relay;
        let mut room = Room::new();
        loop {
            relay.wire.room().await;
            let most = if relay.slow { SIP } else { usize::MAX };
            let buffer = room.buffer();
            let most = most.min(buffer.len());
            let count = match read.read(&mut buffer[..most]).await {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if is_end(&error) => break,
                Err(_) => {
                    if from == relay.shown {
                        relay.wire.end(from, StreamEnd::Rst);
                    }
                    return Err(Broken::Sender(from));
                }
            };
            *held(&self.last) = Instant::now();
            if from == relay.shown {
                relay.wire.data(from, &buffer[..count]);
            }
            let pieces = held(&self.talk).follow.push(from, &buffer[..count]);
            room.used(count);
            for piece in pieces {
                self.piece(from, piece).await;
            }
            if relay.slow {
                sleep(REST).await;
            }
        }
        if from == relay.shown {
            relay.wire.end(from, StreamEnd::Fin);
        }
        let mut orders = Vec::new();
        {
            let mut talk = held(&self.talk);
            let rest = talk.follow.rest(from);
            orders.extend((!rest.is_empty()).then_some(Order::Send(from.peer(), rest, Duration::ZERO)));
            talk.judge.ended(from, &mut orders);
        }
        self.obey(orders).await;
        Ok(())
    }

    /// Does what is to be done with the next piece.
    async fn piece(&self, from: Dir, piece: Piece) {
        let (mut orders, mut notes) = (Vec::new(), Vec::new());
        match piece {
            Piece::Bytes(bytes) => orders.push(Order::Send(from.peer(), bytes, Duration::ZERO)),
            Piece::Note(note) => notes.push(note),
            Piece::Stream(bytes, messages) => {
                (orders, notes) = held(&self.talk).judge.stream(from, bytes, messages);
            }
            Piece::Exchange(exchange) => {
                let mut words = Vec::new();
                for (_, message) in exchange.messages() {
                    // What a coding is around can be neither shown nor changed.
                    words.push(if message.cut { None } else { self.ask(&message).await });
                }
                (orders, notes) = held(&self.talk).judge.exchange(*exchange, words);
            }
            Piece::Event(event) => {
                let word = self.ask(&event.content).await;
                (orders, notes) = held(&self.talk).judge.event(*event, word);
            }
            Piece::Message(message, frames) => {
                let word = self.ask(&message).await;
                held(&self.talk).judge.message(&message, frames, word, &mut orders, &mut notes);
            }
        }
        for note in notes {
            (self.relay.tell)(&Text::with("{}: {}", self.relay.client).word(note));
        }
        self.obey(orders).await;
    }

    /// Asks what is to be done with a message, where somebody wants to be asked.
    async fn ask(&self, message: &Content) -> Option<Then> {
        let pause = self.relay.pause.filter(|_| !message.kind.is_control())?;
        let (answer, answered) = oneshot::channel();
        let &Content { from, kind, ref payload, .. } = message;
        let question = Question { client: self.relay.client, from, kind, payload: payload.clone(), answer };
        pause.send(question).await.ok()?;
        answered.await.ok()
    }

    async fn obey(&self, orders: Vec<Order>) {
        for order in orders {
            // A writer that is gone needs to be told nothing.
            match order {
                Order::Send(to, bytes, delay) => {
                    let queue = &self.queues[to.index()];
                    let due = Instant::now() + delay;
                    // At most what there is room for at all.
                    let count = u32::try_from(bytes.len().min(limits::PROXY_HELD)).unwrap_or(u32::MAX);
                    let room = tokio::select! {
                        room = Arc::clone(&queue.room).acquire_many_owned(count) => room,
                        () = queue.tasks.closed() => continue,
                    };
                    if let Ok(room) = room {
                        let _ = queue.tasks.send(Task::Send(bytes, due, room));
                    }
                }
                Order::Finish(to) => drop(self.queues[to.index()].tasks.send(Task::Finish)),
                Order::End(to, end) => drop(self.queues[to.index()].tasks.send(Task::End(end))),
                Order::Closing => {
                    *held(&self.deadline) = Some(Instant::now() + GOODBYE);
                    self.closing.notify_one();
                }
            }
        }
    }

    async fn write(
        &self,
        to: Dir,
        write: &mut WriteHalf<Stream>,
        mut tasks: UnboundedReceiver<Task>,
    ) -> Result<(), Broken> {
        let relay = self.relay;
        while let Some(task) = tasks.recv().await {
            match task {
                Task::Send(bytes, due, _room) => {
                    sleep_until(due).await;
                    if to == relay.shown {
                        relay.wire.data(to.peer(), &bytes);
                    }
                    if write.write_all(&bytes).await.is_err() || write.flush().await.is_err() {
                        return Err(Broken::Receiver);
                    }
                }
                Task::Finish => break,
                Task::End(end) => return Err(Broken::Ended(end)),
            }
        }
        if to == relay.shown {
            relay.wire.end(to.peer(), StreamEnd::Fin);
        }
        write.shutdown().await.map_err(|_| Broken::Receiver)
    }

    /// Waits until nobody has said anything for too long, or a closing handshake takes too long.
    async fn watch(&self) {
        loop {
            let quiet = self.relay.idle.map(|idle| *held(&self.last) + idle);
            let deadline = *held(&self.deadline);
            let next = [quiet, deadline].into_iter().flatten().min();
            if next.is_some_and(|next| next <= Instant::now()) {
                if next == quiet {
                    let words = "{}: idle-timeout: nobody says anything, both connections end";
                    (self.relay.tell)(&Text::with(words, self.relay.client));
                }
                return;
            }
            tokio::select! {
                () = at(next) => {}
                () = self.closing.notified() => {}
            }
        }
    }
}
