//! Packets as text: `4` is Engine.IO's message, `42["name","text"]` a Socket.IO event in it.

use serde_json::Value;

/// Stands between the packets of one HTTP body.
pub const SEPARATOR: char = '\u{1e}';

/// A server's ping and a client's answer; the other way round they are an error in version 4.
pub const PING: &str = "2";
/// The answer to [`PING`].
pub const PONG: &str = "3";
/// Lets a poll go that has nothing to wait for.
pub const NOOP: &str = "6";
/// The first packets of a WebSocket that takes over from polling, and the last.
pub const PROBE: &str = "2probe";
/// The server's answer to [`PROBE`].
pub const PROBED: &str = "3probe";
/// The client's last packet of the move: from now on it uses the WebSocket.
pub const UPGRADE: &str = "5";
/// Socket.IO's CONNECT to the main namespace.
pub const CONNECT: &str = "40";

/// An event with one text.
pub fn event(name: &str, text: &str) -> String {
    // Strings always serialise.
    let quoted = |text: &str| serde_json::to_string(text).unwrap_or_default();
    format!("42[{},{}]", quoted(name), quoted(text))
}

/// The text of an event with this name; `None` of anything else.
pub fn text_of(packet: &str, name: &str) -> Option<String> {
    let (event, text): (String, String) = serde_json::from_str(packet.strip_prefix("42")?).ok()?;
    (event == name).then_some(text)
}

/// A Socket.IO packet from a client, as far as this server answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// To the main namespace.
    Connect,
    /// To another one, which there is not.
    ConnectElsewhere(String),
    /// The client leaves the namespace.
    Disconnect,
    /// An event, and the number its acknowledgement has to carry.
    Event {
        /// The event's name, and what it carries.
        arguments: Vec<Value>,
        /// `None` where no acknowledgement is asked for.
        ack: Option<String>,
    },
}

/// Reads what follows Engine.IO's `4`; `None` of what cannot be read or is not asked of a server.
pub fn asked(packet: &str) -> Option<Asked> {
    let (kind, rest) = packet.split_at_checked(1)?;
    let (namespace, rest) = match rest.strip_prefix('/') {
        Some(rest) => rest.split_once(',').unwrap_or((rest, "")),
        None => ("", rest),
    };
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (ack, json) = rest.split_at(digits);
    match kind {
        "0" if namespace.is_empty() => Some(Asked::Connect),
        "0" => Some(Asked::ConnectElsewhere(format!("/{namespace}"))),
        "1" => Some(Asked::Disconnect),
        "2" => {
            let arguments: Vec<Value> = serde_json::from_str(json).ok()?;
            let ack = (!ack.is_empty()).then(|| ack.to_owned());
            arguments.first()?.is_string().then_some(Asked::Event { arguments, ack })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_19_bytes_in_the_example() {
        assert_eq!(event("hello", "world"), r#"42["hello","world"]"#);
        assert_eq!(text_of(r#"42["hello","w\"orld"]"#, "hello").as_deref(), Some("w\"orld"));
        assert_eq!(text_of(r#"42["other","x"]"#, "hello"), None);
        assert_eq!(text_of("2", "hello"), None);
    }

    #[test]
    fn what_clients_ask() {
        assert_eq!(asked("0"), Some(Asked::Connect));
        assert_eq!(asked(r#"0{"token":"123"}"#), Some(Asked::Connect));
        assert_eq!(asked("0/admin,"), Some(Asked::ConnectElsewhere("/admin".into())));
        let event = |ack: Option<&str>| {
            Some(Asked::Event { arguments: vec!["foo".into(), 1.into()], ack: ack.map(str::to_owned) })
        };
        assert_eq!(asked(r#"2["foo",1]"#), event(None));
        assert_eq!(asked(r#"213["foo",1]"#), event(Some("13")));
        for wrong in ["", "2", "2[]", "2[1]", "2{}", "9", "é"] {
            assert_eq!(asked(wrong), None, "{wrong}");
        }
    }
}
