//! A real client for each way of delivering.

mod engine;
mod polling;
pub(super) mod socket;
mod stream;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "cli")]
pub use self::engine::probe;
use super::http::{Failure, Fields};
use crate::model::Way;

/// The header fields of each kind of request, besides those that describe its body.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    /// Of a poll.
    pub get: Fields,
    /// Of a message to the server.
    pub post: Fields,
    /// That opens an event stream.
    pub stream: Fields,
    /// That opens a WebSocket; the key is made anew for each.
    pub upgrade: Fields,
}

/// What a client is told.
#[derive(Clone, Debug)]
pub struct Order {
    /// Where the server listens.
    pub server: SocketAddr,
    /// The request target; Socket.IO has its own.
    pub target: String,
    /// What requests carry.
    pub heads: Arc<Heads>,
    /// Between two short polls.
    pub interval: Duration,
    /// From the start to the first poll.
    pub first: Duration,
    /// Whether the interval counts from the answer.
    pub closed_loop: bool,
    /// Connections among which short polls alternate, so that none waits for an answer to another.
    pub pollers: u32,
    /// The name of the Socket.IO event that carries messages.
    pub event: String,
}

/// Takes what a client is told.
pub trait Inbox: Send + Sync + 'static {
    /// A message.
    fn message(&self, content: &[u8]);
    /// A request was answered. `poll` says whether it asked for messages, and whether there were any.
    fn answered(&self, poll: Option<bool>);
}

/// A client that is connected and asks for nothing yet.
pub enum Client {
    /// Asks again and again.
    Short(polling::Short),
    /// Asks, and is answered once there is something.
    Long(polling::Long),
    /// Asks once, and is told for ever: server-sent events.
    Stream(stream::Stream),
    /// A plain WebSocket.
    Socket(Box<socket::Client>),
    /// Socket.IO that stays on polling.
    EnginePolling(engine::Polling),
    /// Socket.IO on a WebSocket.
    EngineSocket(Box<engine::OnSocket>),
}

impl Client {
    /// Connects, as far as there is anything to say before the first message.
    ///
    /// # Errors
    /// In words, what went wrong.
    pub async fn connect(way: Way, order: Order) -> Result<Self, Failure> {
        Ok(match way {
            Way::ShortPolling => Self::Short(polling::Short::connect(order).await?),
            Way::LongPolling => Self::Long(polling::Long::connect(order).await?),
            Way::EventStream => Self::Stream(stream::Stream::connect(order).await?),
            Way::WebSocket => Self::Socket(Box::new(socket::Client::connect(&order).await?)),
            Way::SocketIoPolling => Self::EnginePolling(engine::Polling::connect(order).await?),
            Way::SocketIoWebSocket => Self::EngineSocket(Box::new(engine::OnSocket::connect(&order).await?)),
        })
    }

    /// The id of its session, by which the server knows it; `None` where it names itself.
    pub fn session(&self) -> Option<&str> {
        match self {
            Self::EnginePolling(client) => Some(client.sid()),
            Self::EngineSocket(client) => Some(client.sid()),
            _ => None,
        }
    }

    /// Asks and listens, until the server ends it.
    ///
    /// # Errors
    /// In words, what went wrong; that the server ended it is an error, too.
    pub async fn run(self, inbox: Arc<dyn Inbox>) -> Result<(), Failure> {
        match self {
            Self::Short(client) => client.run(inbox).await,
            Self::Long(client) => client.run(inbox).await,
            Self::Stream(client) => client.run(inbox).await,
            Self::Socket(client) => client.run(inbox).await,
            Self::EnginePolling(client) => client.run(inbox).await,
            Self::EngineSocket(client) => client.run(inbox).await,
        }
    }
}
