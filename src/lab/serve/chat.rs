//! The chat as a WebSocket has it: a message a line.
//!
//! ```text
//! hello            everybody else reads  Ann: hello
//! /name Bob        everybody else reads  Ann is now Bob
//! /who             answered with         online: Bob, Carl
//! ```

use super::room::Guest;
use super::talk::Talk;
use crate::model::{CloseCode, Opcode};

/// A guest until the connection is over.
pub async fn talk(talk: &mut Talk, name: Option<&str>) {
    let visitor = std::sync::Arc::clone(talk.visitor());
    let mut guest = visitor.server.room().enter(name);
    talk.text(&welcome(&guest));
    loop {
        tokio::select! {
            message = talk.next() => {
                let Some(message) = message else { return };
                if message.kind != Opcode::TEXT {
                    talk.part(CloseCode(1003), "a chat of texts");
                } else if let Some(answer) = said(&guest, &String::from_utf8_lossy(&message.payload)) {
                    talk.text(&answer);
                }
            }
            line = guest.next(), if !talk.is_full() && !talk.is_parting() => {
                if let Some(line) = line {
                    talk.text(&line);
                } else {
                    visitor.say("put out of the chat: it takes its lines more slowly than they come");
                    talk.part(CloseCode(1008), "too slow for this chat");
                }
            }
        }
    }
}

/// What a guest is told first.
pub fn welcome(guest: &Guest<'_>) -> String {
    format!("you are {}; {}", guest.name(), guest.online())
}

/// A guest says a line: what it alone is answered.
pub fn said(guest: &Guest<'_>, line: &str) -> Option<String> {
    let line = line.trim_end();
    match line.split_once(' ').unwrap_or((line, "")) {
        ("/name", name) => Some(match guest.rename(name) {
            Some(name) => format!("you are now {name}"),
            None => "write /name and a name".to_owned(),
        }),
        ("/who", _) => Some(guest.online()),
        ("", "") => None,
        _ => {
            guest.say(line);
            None
        }
    }
}
