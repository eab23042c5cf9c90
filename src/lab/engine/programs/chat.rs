//! The classic chat: who is online, messages to all others, and what else Socket.IO can do.
//!
//! A client sends, and others get (ANYTHING may hold bytes; NAME is who sends it):
//!
//! - `login` NAME: others `user joined` NAME, COUNT, and all `online users` NAMES, COUNT. Acknowledged with
//!   `{"ok":true,"name":…,"online":COUNT}` or `{"ok":false,"error":…}`
//! - `chat message` ANYTHING…: the same and NAME. Acknowledged with the number of others
//! - `typing`, `stop typing`: the same with NAME, if they can have it at once
//! - `online users`: nothing. Acknowledged with NAMES, COUNT
//! - `echo` ANYTHING…: nothing. Acknowledged with ANYTHING…
//! - `join` ROOM, `leave` ROOM: those in it `user joined room` or `user left room` ROOM, NAME. Acknowledged
//!   with `{"ok":true}` or `{"ok":false,"error":…}`
//! - `room message` ROOM, ANYTHING…: those in it the same and NAME. Acknowledged with how many they are
//! - `ask` ANYTHING…: `question` ANYTHING…, NAME, which they acknowledge. Acknowledged with what they said,
//!   at most five seconds later
//!
//! Who goes is told of by `user left` NAME, COUNT and `online users`. The namespace `/admin` wants
//! `{"token":"admin"}`; there `kick` NAME sends somebody out of the chat.

use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::lab::engine::settings::Reason;
use crate::lab::engine::socketio::{Arguments, Event, Program, Socket, UNKNOWN};
use crate::lab::hub::held;
use crate::limits;

const ADMIN: &str = "/admin";

/// What opens [`ADMIN`].
const TOKEN: &str = "admin";

/// How long an answer to a question is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The chat.
#[derive(Debug, Default)]
pub struct Chat {
    /// Those who have said who they are, in the order in which they did.
    online: Mutex<Vec<User>>,
}

#[derive(Debug)]
struct User {
    name: String,
    socket: Weak<Socket>,
}

impl User {
    fn is(&self, socket: &Arc<Socket>) -> bool {
        self.socket.as_ptr() == Arc::as_ptr(socket)
    }
}

impl Program for Chat {
    fn admits(&self, namespace: &str, auth: &RawValue) -> Result<(), String> {
        let token = |auth: &RawValue| {
            let auth: Value = serde_json::from_str(auth.get()).ok()?;
            Some(auth.get("token")?.as_str()?.to_owned())
        };
        match namespace {
            "/" => Ok(()),
            ADMIN if token(auth).as_deref() == Some(TOKEN) => Ok(()),
            ADMIN => Err("Not authorized".to_owned()),
            _ => Err(UNKNOWN.to_owned()),
        }
    }

    fn connected(&self, socket: &Arc<Socket>) {
        socket.emit("online users", &self.listed());
    }

    fn event(&self, socket: &Arc<Socket>, event: Event) {
        let Event { name, arguments, ack } = event;
        let is_admin = socket.namespace.name == ADMIN;
        match &*name {
            "online users" => socket.acknowledge(ack, &self.listed()),
            "echo" => socket.acknowledge(ack, &arguments),
            "kick" if is_admin => {
                let kicked = self.kick(&arguments.text(0).unwrap_or_default());
                socket.acknowledge(ack, &Arguments::none().with(kicked));
            }
            _ if is_admin => {}
            "login" => {
                let answer = self.login(socket, arguments.text(0).as_deref());
                socket.acknowledge(ack, &Arguments::none().with(answer));
            }
            "chat message" => {
                let others = socket.broadcast(None, &name, &arguments.with(self.name(socket)));
                socket.acknowledge(ack, &Arguments::none().with(others));
            }
            "typing" | "stop typing" => {
                let who = Arguments::none().with(self.name(socket));
                socket.others(None).iter().for_each(|other| other.emit_volatile(&name, &who));
            }
            "join" | "leave" | "room message" => {
                let answer = self.in_room(socket, &name, arguments);
                socket.acknowledge(ack, &Arguments::none().with(answer));
            }
            "ask" => ask(socket, &arguments.with(self.name(socket)), ack),
            _ => {}
        }
    }

    fn disconnected(&self, socket: &Arc<Socket>, _reason: Reason) {
        let mut online = held(&self.online);
        let Some(at) = online.iter().position(|user| user.is(socket)) else { return };
        let user = online.remove(at);
        let count = online.len();
        drop(online);
        let arguments = Arguments::none().with(user.name).with(count);
        socket.broadcast(None, "user left", &arguments);
        socket.broadcast(None, "online users", &self.listed());
    }
}

impl Chat {
    /// What a client is called.
    fn name(&self, socket: &Arc<Socket>) -> String {
        let online = held(&self.online);
        let known = online.iter().find(|user| user.is(socket)).map(|user| user.name.clone());
        known.unwrap_or_else(|| {
            let own: String = socket.id.chars().filter(char::is_ascii_alphanumeric).take(4).collect();
            format!("guest-{own}")
        })
    }

    /// The names of those online, the first ones if there are many, and how many they are.
    fn listed(&self) -> Arguments {
        let online = held(&self.online);
        let names: Vec<&str> = online.iter().take(limits::LAB_ONLINE).map(|user| &*user.name).collect();
        Arguments::none().with(names).with(online.len())
    }

    /// Somebody says who they are, or that they are called otherwise from now on.
    fn login(&self, socket: &Arc<Socket>, name: Option<&str>) -> Value {
        let name = name.unwrap_or_default().trim();
        if name.is_empty() || name.len() > limits::LAB_NAME {
            let error = format!("a name has 1 to {} bytes", limits::LAB_NAME);
            return json!({ "ok": false, "error": error });
        }
        let mut online = held(&self.online);
        if online.iter().any(|user| user.name == name && !user.is(socket)) {
            return json!({ "ok": false, "error": "the name is taken" });
        }
        match online.iter_mut().find(|user| user.is(socket)) {
            Some(user) => name.clone_into(&mut user.name),
            None => online.push(User { name: name.to_owned(), socket: Arc::downgrade(socket) }),
        }
        let count = online.len();
        drop(online);
        socket.broadcast(None, "user joined", &Arguments::none().with(name).with(count));
        socket.namespace.emit("online users", &self.listed());
        json!({ "ok": true, "name": name, "online": count })
    }

    /// Sends somebody out; whether there was such a one.
    fn kick(&self, name: &str) -> bool {
        let user = held(&self.online).iter().find(|user| user.name == name).map(|user| user.socket.clone());
        let socket = user.and_then(|socket| socket.upgrade());
        if let Some(socket) = &socket {
            socket.disconnect();
        }
        socket.is_some()
    }

    fn in_room(&self, socket: &Arc<Socket>, what: &str, arguments: Arguments) -> Value {
        let Some(room) = arguments.text(0) else {
            return json!({ "ok": false, "error": "which room?" });
        };
        let who = Arguments::none().with(&room).with(self.name(socket));
        match what {
            "join" if !socket.join(&room) => {
                let error =
                    format!("at most {} rooms, with names of {} bytes", limits::LAB_ROOMS, limits::LAB_NAME);
                json!({ "ok": false, "error": error })
            }
            "join" => {
                socket.broadcast(Some(&room), "user joined room", &who);
                json!({ "ok": true })
            }
            "leave" => {
                socket.leave(&room);
                socket.broadcast(Some(&room), "user left room", &who);
                json!({ "ok": true })
            }
            _ => socket.broadcast(Some(&room), what, &arguments.with(self.name(socket))).into(),
        }
    }
}

/// Asks all others, and acknowledges with what they say.
fn ask(socket: &Arc<Socket>, question: &Arguments, ack: Option<u64>) {
    let others = socket.others(None);
    if others.is_empty() {
        return socket.acknowledge(ack, &Arguments::none().with(json!([])));
    }
    let asker = Arc::downgrade(socket);
    let answers = Arc::new(Mutex::new((others.len(), Vec::new())));
    for other in others {
        let (asker, answers) = (asker.clone(), Arc::clone(&answers));
        other.emit_with_ack(("question", question), PATIENCE, move |answer| {
            let mut answers = held(&answers);
            answers.0 -= 1;
            answers.1.extend(answer);
            if answers.0 == 0
                && let Some(asker) = asker.upgrade()
            {
                asker.acknowledge(ack, &Arguments::none().with_first_of(&answers.1));
            }
        });
    }
}
