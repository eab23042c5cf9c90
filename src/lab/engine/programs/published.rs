//! What is published in a mailbox, for the comparison of ways to deliver it.

use std::sync::Arc;

use crate::lab::engine::socketio::{Arguments, Event, Program, Socket};
use crate::lab::hub::{Hub, Mailbox};

/// Delivers mailboxes: that named in a request's query (`client=…`), or by a session's id.
#[derive(Debug)]
pub struct Published {
    hub: Arc<Hub>,
    /// The event that carries a message.
    event: String,
}

impl Published {
    /// Delivers the mailboxes of a hub by events of this name.
    pub fn new(hub: Arc<Hub>, event: &str) -> Self {
        Self { hub, event: event.to_owned() }
    }

    fn mailbox(&self, socket: &Socket) -> Option<Arc<Mailbox>> {
        let mut pairs = form_urlencoded::parse(socket.query().as_bytes());
        let name = pairs.find(|(key, _)| key == "client").map(|(_, name)| name);
        self.hub.mailbox(name.as_deref().unwrap_or_else(|| socket.session_id()))
    }
}

impl Program for Published {
    fn connected(&self, socket: &Arc<Socket>) {
        let Some(mailbox) = self.mailbox(socket) else { return socket.close() };
        let (socket, event) = (Arc::clone(socket), self.event.clone());
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    messages = mailbox.next() => for message in messages {
                        let text = String::from_utf8_lossy(&message);
                        socket.emit(&event, &Arguments::none().with(text));
                    },
                    () = socket.gone() => return,
                }
            }
        });
    }

    /// Acknowledges, and publishes to the one who sent it.
    fn event(&self, socket: &Arc<Socket>, event: Event) {
        socket.acknowledge(event.ack, &event.arguments);
        if event.name == self.event
            && let (Some(text), Some(mailbox)) = (event.arguments.text(0), self.mailbox(socket))
        {
            mailbox.push(text.into());
        }
    }
}
