//! STOMP 1.0 to 1.2: a command, headers, an empty line, a body up to a NUL.

use super::dialect::{Dialect, Said};
use crate::model::{App, Cite, FieldDef, Text};

pub static DIALECT: Dialect = Dialect {
    id: "stomp",
    subprotocols: &["v10.stomp", "v11.stomp", "v12.stomp", "stomp"],
    by_content: true,
    fields: &[&COMMAND, &HEADERS, &BODY],
    read,
};

const COMMANDS: &[&str] = &[
    "CONNECT",
    "STOMP",
    "CONNECTED",
    "SEND",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "ACK",
    "NACK",
    "BEGIN",
    "COMMIT",
    "ABORT",
    "DISCONNECT",
    "MESSAGE",
    "RECEIPT",
    "ERROR",
];

const CITE: Cite = Cite { doc: "STOMP 1.2", section: "STOMP Frames" };

static COMMAND: FieldDef =
    FieldDef { id: "stomp.command", label: "command", help: "What the frame is for.", cite: CITE };
static HEADERS: FieldDef = FieldDef {
    id: "stomp.headers",
    label: "headers",
    help: "Where it goes and how it is to be treated, `name:value` a line.",
    cite: CITE,
};
static BODY: FieldDef =
    FieldDef { id: "stomp.body", label: "body", help: "What the frame carries.", cite: CITE };

fn read(said: &Said<'_>) -> Option<App> {
    let text = str::from_utf8(said.bytes).ok()?;
    let app = |summary, fields| App { protocol: "stomp", name: "STOMP", summary, fields, ..App::default() };
    if said.text && (text == "\n" || text == "\r\n") {
        return Some(app(Text::with("{}", "heart-beat"), Vec::new()));
    }
    let (first, rest) = text.split_once('\n')?;
    let command = first.trim_end_matches('\r');
    if !COMMANDS.contains(&command) || !text.trim_end_matches(['\n', '\r']).ends_with('\0') {
        return None;
    }
    // The first empty line ends the headers.
    let mut length = 0;
    let body = rest.split_inclusive('\n').find_map(|line| {
        let before = length;
        length += line.len();
        line.trim_end().is_empty().then(|| (before, &rest[length..]))
    });
    let (headers_end, body) = body?;
    let headers = rest[..headers_end].trim_end();
    let body = body.trim_end_matches(['\n', '\r']).trim_end_matches('\0');
    let header = |name: &str| {
        headers.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim_end)
    };
    let summary = match (header("destination"), header("id").or(header("message-id"))) {
        (Some(to), _) if body.is_empty() => Text::with("{} {}", command).and(to),
        (Some(to), _) => Text::with("{} {}, {} bytes", command).and(to).and(body.len()),
        (None, Some(id)) => Text::with("{} {}", command).and(id),
        (None, None) => Text::with("{}", command),
    };
    let mut fields = vec![said.quote(&COMMAND, command), said.quote(&HEADERS, headers)];
    if !body.is_empty() {
        fields.push(if super::json::is_valid(body) {
            said.json(&BODY, body)
        } else {
            said.quote(&BODY, body)
        });
    }
    Some(app(summary, fields))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Dir, SourceId};

    #[test]
    fn frames() {
        for (wire, summary) in [
            ("CONNECT\naccept-version:1.2\nhost:x\n\n\0", Some("CONNECT")),
            ("SEND\ndestination:/queue/a\n\nhello\0\n", Some("SEND /queue/a, 5 bytes")),
            ("SUBSCRIBE\r\nid:0\r\ndestination:/queue/a\r\n\r\n\0", Some("SUBSCRIBE /queue/a")),
            ("UNSUBSCRIBE\nid:0\n\n\0", Some("UNSUBSCRIBE 0")),
            ("\n", Some("heart-beat")),
            ("HELLO\n\n\0", None),
            ("SEND\ndestination:/queue/a\n\nhello", None),
            ("SEND\nno end of headers\0", None),
        ] {
            let said = Said { dir: Dir::Client, text: true, bytes: wire.as_bytes(), source: SourceId::Input };
            assert_eq!(read(&said).map(|a| a.summary.to_string()).as_deref(), summary, "{wire:?}");
        }
    }
}
