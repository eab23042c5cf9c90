//! `encode --socketio EVENT`: an event of Socket.IO as Engine.IO 4 carries it over a WebSocket.

use super::messages::file_or_hex;
use super::{Args, Failure, usage};
use crate::app::{json, socketio};
use crate::limits;
use crate::model::{Opcode, Text};
use crate::synth::frames::Message;

/// What `--socketio` and its options say.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct SocketIo {
    /// An event of Socket.IO with this name, as Engine.IO 4 carries it
    #[arg(long, value_name = "EVENT", conflicts_with = "script", help_heading = "Socket.IO")]
    socketio: Option<String>,

    /// The event's arguments, a JSON array
    #[arg(long, value_name = "JSON", requires = "socketio", help_heading = "Socket.IO")]
    args: Option<String>,

    /// The namespace the event is for
    #[arg(long, value_name = "/NAME", requires = "socketio", help_heading = "Socket.IO")]
    namespace: Option<String>,

    /// Ask for an acknowledgement with this id
    #[arg(long, value_name = "N", requires = "socketio", help_heading = "Socket.IO")]
    ack: Option<u64>,

    /// A last argument of binary data: a file, `-` for standard input, or hex; may be repeated
    #[arg(long, value_name = "FILE|HEX", requires = "socketio", help_heading = "Socket.IO")]
    attach: Vec<String>,
}

impl Args {
    /// The event and its attachments, if one is asked for.
    pub(super) fn event(&self) -> Result<Vec<Message>, Failure> {
        let Some(name) = &self.socket_io.socketio else { return Ok(Vec::new()) };
        let args = self.socket_io.args.as_deref().unwrap_or("[]").trim();
        if let Some((at, what)) = json::fault(args) {
            return Err(usage(
                Text::new("--args: {} at byte {}; it is a JSON array such as '[\"hi\", 1]'")
                    .word(what)
                    .and(at),
            ));
        }
        if !args.starts_with('[') {
            return Err(usage("--args is a JSON array of the event's arguments, such as '[\"hi\", 1]'"));
        }
        let namespace = self.socket_io.namespace.as_deref().unwrap_or("/");
        if !namespace.starts_with('/') || namespace.contains(',') {
            return Err(usage("--namespace begins with a slash and has no comma, such as /admin"));
        }
        if self.socket_io.attach.len() > limits::ATTACHMENTS {
            return Err(usage(Text::with("at most {} attachments", limits::ATTACHMENTS)));
        }
        let count = self.socket_io.attach.len();
        let mut parts: Vec<String> = json::elements(args).into_iter().map(str::to_owned).collect();
        parts.extend((0..count).map(|num| format!("{{\"_placeholder\":true,\"num\":{num}}}")));
        let args = format!("[{}]", parts.join(","));
        let packet = event_packet(name, &args, namespace, self.socket_io.ack, count);
        debug_assert!(socketio::read(&packet[1..]).is_ok(), "{packet}");
        let mut messages = vec![Message::new(Opcode::TEXT, packet.into_bytes())];
        for attachment in &self.socket_io.attach {
            messages.push(Message::new(Opcode::BINARY, file_or_hex(attachment)?));
        }
        Ok(messages)
    }
}

/// An event as a message of Engine.IO: its arguments are a JSON array, in which so many placeholders stand
/// for attachments.
pub(in crate::cli) fn event_packet(
    name: &str,
    args: &str,
    namespace: &str,
    ack: Option<u64>,
    attachments: usize,
) -> String {
    let mut parts = vec![serde_json::Value::from(name).to_string()];
    parts.extend(json::elements(args).into_iter().map(str::to_owned));
    let kind = match attachments {
        0 => "2".to_owned(),
        count => format!("5{count}-"),
    };
    let namespace = if namespace == "/" { String::new() } else { format!("{namespace},") };
    let ack = ack.map_or_else(String::new, |id| id.to_string());
    format!("4{kind}{namespace}{ack}[{}]", parts.join(","))
}
