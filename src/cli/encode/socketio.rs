//! `encode --socketio EVENT`: an event of Socket.IO as Engine.IO 4 carries it over a WebSocket.

use super::messages::file_or_hex;
use super::{Args, Failure, usage};
use crate::app::{json, socketio};
use crate::limits;
use crate::model::Opcode;
use crate::synth::frames::Message;

impl Args {
    /// The event and its attachments, if one is asked for.
    pub(super) fn event(&self) -> Result<Vec<Message>, Failure> {
        let Some(name) = &self.socketio else { return Ok(Vec::new()) };
        let args = self.args.as_deref().unwrap_or("[]").trim();
        if let Some((at, what)) = json::fault(args) {
            return Err(usage(format!(
                "--args: {what} at byte {at}; it is a JSON array such as '[\"hi\", 1]'"
            )));
        }
        if !args.starts_with('[') {
            return Err(usage("--args is a JSON array of the event's arguments, such as '[\"hi\", 1]'"));
        }
        let namespace = self.namespace.as_deref().unwrap_or("/");
        if !namespace.starts_with('/') || namespace.contains(',') {
            return Err(usage("--namespace begins with a slash and has no comma, such as /admin"));
        }
        if self.attach.len() > limits::ATTACHMENTS {
            return Err(usage(format!("at most {} attachments", limits::ATTACHMENTS)));
        }
        // The arguments given, then a placeholder for each attachment.
        let mut parts = vec![serde_json::Value::from(name.as_str()).to_string()];
        parts.extend(json::elements(args).into_iter().map(|at| args[at].to_owned()));
        parts.extend((0..self.attach.len()).map(|num| format!("{{\"_placeholder\":true,\"num\":{num}}}")));
        let kind = match self.attach.len() {
            0 => "2".to_owned(),
            count => format!("5{count}-"),
        };
        let namespace = if namespace == "/" { String::new() } else { format!("{namespace},") };
        let ack = self.ack.map_or_else(String::new, |id| id.to_string());
        let packet = format!("{kind}{namespace}{ack}[{}]", parts.join(","));
        debug_assert!(socketio::read(&packet).is_ok(), "{packet}");
        let mut messages = vec![Message::new(Opcode::TEXT, format!("4{packet}").into_bytes())];
        for attachment in &self.attach {
            messages.push(Message::new(Opcode::BINARY, file_or_hex(attachment)?));
        }
        Ok(messages)
    }
}
