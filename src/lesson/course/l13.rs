//! Lesson 13: packets of Engine.IO and Socket.IO, the upgrade, and who cannot talk to whom.

mod crossed;
mod history;

use super::draw::pick;
use super::wire::{capture, text_frame};
use crate::app::socketio;
use crate::lesson::{Answer, Instance, Make, hex};
use crate::model::Dir;
use crate::synth::Rng;

pub static EXERCISES: &[Make] = &[
    Make { id: "peel-the-packet", make: peel_the_packet },
    Make { id: "acknowledge-it", make: acknowledge_it },
    Make { id: "order-the-upgrade", make: order_the_upgrade },
    Make { id: "wrong-number", make: crossed::wrong_number },
    Make { id: "old-log", make: history::old_log },
];

const EVENTS: [&str; 12] =
    ["join", "typing", "move", "draw", "score", "vote", "bid", "alert", "seen", "invite", "cursor", "ready"];

const NAMESPACES: [&str; 8] = ["/admin", "/chat", "/game", "/news", "/shop", "/staff", "/live", "/music"];

const PLACES: [&str; 10] =
    ["lobby", "garden", "kitchen", "harbour", "library", "market", "station", "theatre", "attic", "cellar"];

const ANSWERS: [&str; 8] = ["ok", "welcome", "done", "saved", "too late", "room full", "thanks", "accepted"];

/// An argument that hardly anybody else has.
fn place(rng: &mut Rng) -> String {
    format!("{}-{}", pick(rng, &PLACES), 1000 + rng.below(9000))
}

/// From the frame through all layers to the name of the event.
fn peel_the_packet(rng: &mut Rng) -> Instance {
    let (event, namespace, place) = (pick(rng, &EVENTS), pick(rng, &NAMESPACES), place(rng));
    let packet = format!("42{namespace},[\"{event}\",\"{place}\"]");
    let bytes = text_frame(Dir::Server, &packet, rng);
    let read = socketio::read(&packet[1..]).expect("a packet was written");
    let (name, _) = read.event().expect("an event was written");
    let text = |text: &str| Answer::word(text);
    Instance::new(text(&name))
        .hole("bytes", hex(&bytes))
        .hole("packet", &packet)
        .hole("namespace", read.namespace)
        .hole("json", read.data)
        .hole("argument", &place)
        .mistake("engineio-left", text(&packet))
        .mistake("socketio-left", text(&packet[1..]))
        .mistake("socketio-left", text(&packet[2..]))
        .mistake("whole-array", text(read.data))
        .mistake("argument", text(&place))
        .mistake("namespace", text(namespace))
        .mistake("namespace", text(&namespace[1..]))
        .command(["decode", &hex(&bytes)])
}

/// The answer has the event's namespace and id, and a type of its own.
fn acknowledge_it(rng: &mut Rng) -> Instance {
    let (event, namespace, place) = (pick(rng, &EVENTS), pick(rng, &NAMESPACES), place(rng));
    let value = format!("\"{}\"", pick(rng, &ANSWERS));
    let packet = format!("42{namespace},{}[\"{event}\",\"{place}\"]", 10 + rng.below(88));
    let read = socketio::read(&packet[1..]).expect("a packet was written");
    let (namespace, id) = (read.namespace, read.ack.expect("an id was written"));
    let answer = format!("43{namespace},{id}[{value}]");
    let text = |text: String| Answer::exact(text);
    Instance::new(text(answer.clone()))
        .folded_by(compact)
        .hole("packet", &packet)
        .hole("value", &value)
        .hole("namespace", namespace)
        .hole("id", id)
        .mistake("event-again", text(format!("42{namespace},{id}[{value}]")))
        .mistake("event-again", text(format!("42{namespace},{id}[\"{event}\",{value}]")))
        .mistake("engineio-missing", text(answer[1..].to_owned()))
        .mistake("id-missing", text(format!("43{namespace},[{value}]")))
        .mistake("namespace-missing", text(format!("43{id}[{value}]")))
        .mistake("id-first", text(format!("43{id}{namespace},[{value}]")))
        .mistake("no-array", text(format!("43{namespace},{id}{value}")))
        .mistake("next-id", text(format!("43{namespace},{}[{value}]", id + 1)))
        .command(["decode", "--as", "socketio", &answer])
}

/// The packet with its JSON as it is usually written: white space between values means nothing.
fn compact(typed: &str) -> Option<String> {
    let packet = socketio::read(typed.strip_prefix('4')?).ok()?;
    let value: serde_json::Value = serde_json::from_str(packet.data).ok()?;
    Some(format!("{}{value}", typed.strip_suffix(packet.data)?))
}

/// A session id as Socket.IO makes them: 15 random bytes in the Base64 of URLs, and a counter.
fn session_id(rng: &mut Rng) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let random: String = (0..16).map(|_| char::from(pick(rng, LETTERS))).collect();
    format!("{random}AAAA")
}

/// `text` between the quotes of a script.
fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The session is first, then the road is opened, tested, and taken.
fn order_the_upgrade(rng: &mut Rng) -> Instance {
    let session = session_id(rng);
    let event = format!("42[\"{}\",\"{}\"]", pick(rng, &EVENTS), place(rng));
    let order = |steps: [&'static str; 6]| Answer::order(steps);
    Instance::new(order(["open", "switch", "probe", "probe-answer", "upgrade", "event"]))
        .hole("session", &session)
        .hole("event", &event)
        .mistake("upgrade-first", order(["open", "switch", "upgrade", "probe", "probe-answer", "event"]))
        .mistake("upgrade-first", order(["open", "switch", "probe", "upgrade", "probe-answer", "event"]))
        .mistake("server-probes", order(["open", "switch", "probe-answer", "probe", "upgrade", "event"]))
        .mistake("websocket-first", order(["switch", "probe", "probe-answer", "upgrade", "open", "event"]))
        .mistake("websocket-first", order(["switch", "open", "probe", "probe-answer", "upgrade", "event"]))
        .mistake("event-early", order(["open", "switch", "probe", "probe-answer", "event", "upgrade"]))
        .mistake("event-early", order(["open", "switch", "event", "probe", "probe-answer", "upgrade"]))
        .mistake("probe-before-101", order(["open", "probe", "probe-answer", "switch", "upgrade", "event"]))
        .mistake("probe-before-101", order(["open", "probe", "switch", "probe-answer", "upgrade", "event"]))
        .choices(["open", "switch", "probe", "probe-answer", "upgrade", "event"])
        .file("upgrade.pcap", capture(&upgrade(&session, &event), rng))
        .command(["decode", "--view", "session", "{file:upgrade.pcap}"])
}

/// A session that is opened by polling and goes on over WebSocket.
fn upgrade(session: &str, event: &str) -> String {
    let open = open_packet(session, "[\"websocket\"]");
    let connected = "40{\"sid\":\"n1\"}";
    let query = format!("/socket.io/?EIO=4&transport=polling&sid={session}");
    let event = quoted(event);
    [
        "no-handshake\n".to_owned(),
        get("/socket.io/?EIO=4&transport=polling"),
        ok(&open),
        post(&query, "40"),
        ok("ok"),
        get(&query),
        ok(connected),
        format!("connection\nhandshake path=\"/socket.io/?EIO=4&transport=websocket&sid={session}\"\n"),
        "client text \"2probe\"\nserver text \"3probe\"\nclient text \"5\"\nwait 20ms\n".to_owned(),
        format!("client text \"{event}\"\nclient close 1000\nserver close 1000\n"),
    ]
    .concat()
}

fn open_packet(session: &str, upgrades: &str) -> String {
    format!(
        "0{{\"sid\":\"{session}\",\"upgrades\":{upgrades},\"pingInterval\":25000,\
         \"pingTimeout\":20000,\"maxPayload\":1000000}}"
    )
}

fn get(target: &str) -> String {
    format!("client raw \"GET {target} HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n\"\n")
}

fn post(target: &str, body: &str) -> String {
    let head = format!("POST {target} HTTP/1.1\\r\\nHost: localhost\\r\\nContent-Length: {}", body.len());
    format!("client raw \"{head}\\r\\n\\r\\n{}\"\n", quoted(body))
}

fn ok(body: &str) -> String {
    answer("200 OK", body)
}

fn answer(status: &str, body: &str) -> String {
    let head = format!("HTTP/1.1 {status}\\r\\nContent-Type: text/plain\\r\\nContent-Length: {}", body.len());
    format!("server raw \"{head}\\r\\n\\r\\n{}\"\n", quoted(body))
}
