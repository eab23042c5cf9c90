//! Socket.IO on Engine.IO: namespaces, events and acknowledgements, bytes beside JSON.
//!
//! Revision 5 of its protocol (clients 3 and 4) goes with version 4 of Engine.IO, and revision 4 (clients 1
//! and 2) with version 3: there the main namespace is joined by nobody asking, and what a client says of
//! itself stands in a namespace's query.

mod arguments;
mod incomplete;
mod packet;
mod rooms;
mod socket;

use std::sync::{Arc, Mutex, Weak};

use foldhash::HashMap;
use hyper::body::Bytes;
use serde_json::value::{RawValue, to_raw_value};

pub use self::arguments::Arguments;
use self::incomplete::{Attached, Incomplete};
use self::packet::{Head, Kind, control};
pub use self::socket::{Event, Namespace, Program, Socket, UNKNOWN};
use super::packet::{Data, Revision};
use super::session::{Application, Conversation, Session, id};
use super::settings::Reason;
use crate::lab::hub::held;
use crate::limits;

/// A server of Socket.IO.
pub struct SocketIo {
    shared: Arc<Shared>,
}

struct Shared {
    program: Arc<dyn Program>,
    namespaces: Mutex<HashMap<String, Arc<Namespace>>>,
    attached: Attached,
}

impl SocketIo {
    /// One that does what a program does.
    pub fn new(program: impl Program) -> Self {
        let program = Arc::new(program);
        let shared = Shared { program, namespaces: Mutex::default(), attached: Attached::default() };
        Self { shared: Arc::new(shared) }
    }
}

impl Application for SocketIo {
    fn begin(&self, session: &Arc<Session>) -> Arc<dyn Conversation> {
        let client = Arc::new(Client { shared: Arc::clone(&self.shared), state: Mutex::default() });
        match session.revision {
            Revision::V3 => client.connect(session, "/", None),
            Revision::V4 => {
                let patience = session.connect_timeout();
                let (waiting, session) = (Arc::downgrade(&client), Arc::downgrade(session));
                tokio::spawn(async move {
                    tokio::time::sleep(patience).await;
                    give_up(&waiting, &session);
                });
            }
        }
        client
    }
}

/// A client has had the time to join a namespace.
fn give_up(client: &Weak<Client>, session: &Weak<Session>) {
    if let (Some(client), Some(session)) = (client.upgrade(), session.upgrade())
        && !held(&client.state).has_joined
    {
        session.close(Reason::ForcedClose("no namespace was joined in time"));
    }
}

/// A session's client.
struct Client {
    shared: Arc<Shared>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Those of the namespaces it is in.
    sockets: HashMap<String, Arc<Socket>>,
    has_joined: bool,
    /// A packet whose attachments are on their way.
    incomplete: Option<Incomplete>,
}

impl Conversation for Client {
    fn message(&self, session: &Arc<Session>, data: Data) {
        let done = match data {
            Data::Text(text) => self.text(session, &text),
            Data::Binary(bytes) => self.attachment(session, bytes),
        };
        if let Err(what) = done {
            session.close(Reason::ParseError(what));
        }
    }

    fn over(&self, _session: &Arc<Session>, reason: Reason) {
        let state = std::mem::take(&mut *held(&self.state));
        state.sockets.into_values().for_each(|socket| socket.exit(reason));
    }
}

impl Client {
    fn text(&self, session: &Arc<Session>, text: &str) -> Result<(), &'static str> {
        let head = Head::read(text)?;
        let mut state = held(&self.state);
        if state.incomplete.is_some() {
            return Err("text where an attachment is awaited");
        }
        if head.attachments > 0 {
            state.incomplete = Some(Incomplete::new(head, &self.shared.attached));
            return Ok(());
        }
        drop(state);
        self.packet(session, &head, Vec::new())
    }

    /// One of the attachments of the packet before; it may have come in another request.
    fn attachment(&self, session: &Arc<Session>, bytes: Bytes) -> Result<(), &'static str> {
        let mut state = held(&self.state);
        let Some(incomplete) = &mut state.incomplete else {
            return Err("bytes where no attachment is awaited");
        };
        let Some((head, attachments)) = incomplete.take(bytes)? else { return Ok(()) };
        state.incomplete = None;
        drop(state);
        self.packet(session, &head, attachments)
    }

    fn packet(
        &self,
        session: &Arc<Session>,
        head: &Head,
        attachments: Vec<Bytes>,
    ) -> Result<(), &'static str> {
        let named = match session.revision {
            Revision::V4 => &head.namespace,
            // What it says of itself.
            Revision::V3 => head.namespace.split_once('?').map_or(&*head.namespace, |(name, _)| name),
        };
        let socket = held(&self.state).sockets.get(named).filter(|socket| socket.is_connected()).cloned();
        match (head.kind, socket) {
            (Kind::Connect, None) => self.connect(session, &head.namespace, head.json.clone()),
            // Asked again for what it is in anyhow.
            (Kind::Connect, Some(_)) if session.revision == Revision::V3 => {}
            (Kind::Event, Some(socket)) => {
                let (name, arguments) = head.complete(attachments)?;
                socket.event(Event { name, arguments, ack: head.id });
            }
            (Kind::Ack, Some(socket)) => {
                let (_, arguments) = head.complete(attachments)?;
                if let Some(id) = head.id {
                    socket.acknowledged(id, Some(arguments));
                }
            }
            (Kind::Disconnect, Some(socket)) => {
                held(&self.state).sockets.remove(named);
                socket.exit(Reason::ClientLeft);
            }
            (Kind::Event | Kind::Ack | Kind::Disconnect, None) => {
                return Err("a packet for a namespace that was not joined");
            }
            (Kind::Connect, Some(_)) => return Err("CONNECT to a namespace that was joined before"),
            (Kind::Refused, _) => return Err("CONNECT_ERROR from a client"),
        }
        Ok(())
    }

    /// It asks to join a namespace.
    fn connect(&self, session: &Arc<Session>, namespace: &str, auth: Option<Box<RawValue>>) {
        let (name, auth) = match (session.revision, auth) {
            (Revision::V4, auth) => (namespace, auth),
            (Revision::V3, _) => {
                let (name, query) = namespace.split_once('?').unwrap_or((namespace, ""));
                let said: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
                (name, to_raw_value(&said).ok())
            }
        };
        let auth = auth.or_else(|| RawValue::from_string("{}".to_owned()).ok());
        let auth = auth.unwrap_or_else(|| RawValue::NULL.to_owned());
        let is_crowded = held(&self.state).sockets.len() >= limits::LAB_ROOMS;
        let admitted = if is_crowded {
            Err("Too many namespaces".to_owned())
        } else {
            self.shared.program.admits(name, &auth)
        };
        if let Err(why) = admitted {
            let why = match session.revision {
                Revision::V4 => serde_json::json!({ "message": why }),
                Revision::V3 => why.into(),
            };
            session.tell_client([control(Kind::Refused, name, &why.to_string())]);
            return;
        }
        let id = match session.revision {
            Revision::V4 => id(),
            Revision::V3 if name == "/" => session.id.clone(),
            Revision::V3 => format!("{name}#{}", session.id),
        };
        let answer = match session.revision {
            Revision::V4 => format!("{{\"sid\":\"{id}\"}}"),
            Revision::V3 => String::new(),
        };
        let namespace = self.shared.namespace(name);
        let socket = Arc::new(Socket::new(id, auth, namespace, (session, &self.shared.program)));
        let mut state = held(&self.state);
        state.has_joined = true;
        state.sockets.insert(name.to_owned(), Arc::clone(&socket));
        drop(state);
        session.tell_client([control(Kind::Connect, name, &answer)]);
        // The reference's clients are told that they are in before anything is said to them there.
        session.part();
        socket.enter();
        if let Some(reason) = session.is_over() {
            // It may have ended before it was known that there was somebody to tell.
            socket.exit(reason);
        }
    }
}

impl Shared {
    fn namespace(&self, name: &str) -> Arc<Namespace> {
        let mut namespaces = held(&self.namespaces);
        let namespace = namespaces.entry(name.to_owned());
        Arc::clone(namespace.or_insert_with(|| Arc::new(Namespace::new(name))))
    }
}
