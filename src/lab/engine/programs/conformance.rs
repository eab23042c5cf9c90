//! What the conformance suites of Socket.IO ask of a server.

use std::sync::Arc;

use serde_json::value::RawValue;

use crate::lab::engine::socketio::{Arguments, Event, Program, Socket, UNKNOWN};

/// Says what a client has said of itself, and sends back what it gets.
#[derive(Clone, Copy, Debug)]
pub struct Conformance;

impl Program for Conformance {
    fn admits(&self, namespace: &str, _auth: &RawValue) -> Result<(), String> {
        if ["/", "/custom"].contains(&namespace) { Ok(()) } else { Err(UNKNOWN.to_owned()) }
    }

    fn connected(&self, socket: &Arc<Socket>) {
        socket.emit("auth", &Arguments::none().with(&socket.auth));
    }

    fn event(&self, socket: &Arc<Socket>, event: Event) {
        match &*event.name {
            "message" => socket.emit("message-back", &event.arguments),
            "message-with-ack" => socket.acknowledge(event.ack, &event.arguments),
            _ => {}
        }
    }
}
