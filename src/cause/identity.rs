//! Clients that share an identity of which a server keeps one connection only: each new one ends another.

use std::collections::HashMap;

use super::Fast;
use super::over::{Over, seen_in};
use crate::limits;
use crate::model::quantity::wait;
use crate::model::{Case, Cite, Diagnosis, Dir, Endpoint, Finding, Message, Text, Time, Unit, rules};
use crate::model::{Value, prefix, readable};

rules! {
    /// Identities.
    RULES;
    TAKEN_OVER = "mqtt-taken-over", Warning, Cite { doc: "MQTT 3.1.1", section: "3.1.4" }, Client,
        "another connection with the same MQTT client id took the place of this one",
        "the server ends the older one; if both clients come back by themselves, they push each other out \
         again and again",
        usually "two clients with one client id: a copied configuration, a second instance, a fixed name in \
                 the code; or the same client, which had lost the connection",
        mend "give each client a client id of its own, made once and kept, or made of something that is its \
              own";
}

/// The protocol, and its field that says who a client is.
const MQTT: &str = "mqtt";
const CLIENT_ID: &str = "mqtt.client_id";
/// How soon a server ends the older connection.
const SOON: i64 = 1_000_000_000;
/// Bytes of an identity that are shown.
const SHOWN: usize = 40;

/// Who the clients of open connections say that they are.
#[derive(Debug, Default)]
pub struct Identities {
    /// The connection that said so last, by server and client id.
    last: HashMap<(Endpoint, Box<str>), u32, Fast>,
    /// Server and client id of a connection, and when and by which one it was taken over.
    of: HashMap<u32, Identity, Fast>,
}

#[derive(Debug)]
struct Identity {
    server: Endpoint,
    name: Box<str>,
    taken: Option<(Time, u64)>,
}

impl Identities {
    /// Whether a message says who its client is.
    #[inline]
    pub fn is_one(unit: &Unit<'_>, message: &Message<'_>) -> bool {
        unit.dir == Some(Dir::Client) && message.app.is_some_and(|app| app.protocol == MQTT)
    }

    /// Takes such a message of a connection to `server`.
    pub fn see(&mut self, unit: &Unit<'_>, message: &Message<'_>, server: Option<Endpoint>) {
        let packets = message.app.iter().flat_map(|app| app.packets.iter().chain([*app]));
        let mut fields = packets.flat_map(|packet| &packet.fields);
        let Some(field) = fields.find(|field| field.def.id == CLIENT_ID) else { return };
        let (Value::Text(name), Some(server), Some(time)) = (&field.value, server, unit.time) else { return };
        if name.is_empty() || self.of.len() >= limits::CROWD {
            return;
        }
        let (name, packet) = (Box::<str>::from(name.as_str()), unit.packets.map_or(0, |(first, _)| first));
        let before = self.last.insert((server, name.clone()), unit.conn).filter(|conn| *conn != unit.conn);
        if let Some(old) = before.and_then(|conn| self.of.get_mut(&conn)) {
            old.taken = Some((time, packet));
        }
        self.of.insert(unit.conn, Identity { server, name, taken: None });
    }

    /// What it comes to for a connection that is over.
    pub fn ends(&mut self, over: &Over<'_>, causes: &mut Vec<Finding>) {
        if self.of.is_empty() {
            return;
        }
        let Some(Identity { server, name, taken }) = self.of.remove(&over.conn) else { return };
        let key = (server, name);
        if self.last.get(&key) == Some(&over.conn) {
            self.last.remove(&key);
        }
        let Some(((taken, packet), ended)) = taken.zip(over.ended()) else { return };
        let after = ended.since(taken);
        if over.ender() != Some(Dir::Server) || !(0..=SOON).contains(&after) {
            return;
        }
        let name = readable(prefix(&key.1, SHOWN));
        let got = Text::with("another connection with the client id “{}”, and the end {} later", &name)
            .and(wait(after));
        let what = Text::with("ended by the server when another one came with the client id “{}”", &name);
        let behind = "an MQTT server keeps one connection of a client id, and ends the older one: a second \
                      client has the same, or the same client was back";
        let mend =
            "give each client a client id of its own: two with the same push each other out again and again";
        let finding = Finding::new(&TAKEN_OVER, Dir::Client, "a client id of its own".into(), got)
            .because(Diagnosis::new(TAKEN_OVER.id, behind, mend))
            .like(Case::new(what, over.lifetime().into_iter().collect()));
        causes.push(seen_in(finding, packet));
    }
}
