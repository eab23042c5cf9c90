//! What is typed at the prompt: text to send, or a command that begins with a slash.

use std::io::Read;
use std::path::Path;

use crate::cli::file;
use crate::limits;
use crate::model::{CloseCode, Text};
use crate::synth;

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Send text.
    Text(String),
    /// Send bytes as a binary message.
    Binary(Vec<u8>),
    /// Send text in so many frames.
    Fragment(usize, String),
    /// Send a ping.
    Ping(Vec<u8>),
    /// Send a pong that nobody asked for.
    Pong(Vec<u8>),
    /// Close with a code and a reason; without a code where there is none.
    Close(Option<CloseCode>, String),
    /// Send bytes as they are, whatever they mean.
    Raw(Vec<u8>),
    /// Compress messages from now on, or do not.
    Deflate(bool),
    /// An event of Socket.IO, its arguments a JSON array; whether an acknowledgement is asked for.
    Emit {
        /// Its name.
        event: String,
        /// What it carries.
        args: String,
        /// The bytes for which placeholders stand in it.
        attached: Vec<Vec<u8>>,
        /// Whether the server is to acknowledge it.
        ack: bool,
    },
    /// Say what can be typed.
    Help,
    /// Close and end.
    Quit,
    /// Nothing was typed.
    Nothing,
}

/// What `/help` says: what is typed, and what that does.
pub const HELP: [(&str, &str); 12] = [
    ("text", "send it as a text message; //text sends /text"),
    ("/ping [TEXT]", "send a ping, and tell how long the pong takes"),
    ("/pong [TEXT]", "send a pong that nobody asked for"),
    ("/binary HEX|@FILE", "send bytes as a binary message"),
    ("/fragment N TEXT", "send a text message in N frames"),
    ("/deflate on|off", "compress messages from now on, or do not"),
    ("/raw HEX|@FILE", "send bytes as they are: frames by hand, wrong ones too"),
    ("/close [CODE [REASON]]", "close, with 1000 unless another code is given"),
    ("/emit EVENT [JSON…]", "an event (--socketio); /emit-ack asks for an answer"),
    ("    hex:00ff, @FILE", "among its values: bytes, sent as attachments"),
    ("/quit", "close with 1000 and end; so does Ctrl-D"),
    ("/help", "say this"),
];

/// Bytes of a control frame's payload (RFC 6455 §5.5).
const CONTROL: usize = 125;

/// Fragments of one message.
const FRAGMENTS: usize = 100_000;

/// What [`Command::Quit`] is called.
const QUIT: [&str; 3] = ["quit", "exit", "q"];

/// Whether a line is the last one.
pub fn is_last(line: &str) -> bool {
    let name = line.strip_prefix('/').and_then(|command| command.split(' ').next());
    name.is_some_and(|name| QUIT.contains(&name))
}

/// Reads a line.
///
/// # Errors
/// What is wrong with it.
pub fn read(line: &str) -> Result<Command, Text> {
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Ok(Command::Nothing);
    }
    let Some(command) = line.strip_prefix('/') else { return Ok(Command::Text(line.to_owned())) };
    if command.starts_with('/') {
        return Ok(Command::Text(command.to_owned()));
    }
    let (name, rest) = command.split_once(' ').unwrap_or((command, ""));
    match name {
        "ping" => Ok(Command::Ping(control(rest)?)),
        "pong" => Ok(Command::Pong(control(rest)?)),
        "binary" => Ok(Command::Binary(payload(rest)?)),
        "raw" => Ok(Command::Raw(payload(rest)?)),
        "fragment" => {
            let (count, text) = rest.split_once(' ').unwrap_or((rest, ""));
            match count.parse() {
                Ok(count @ 1..=FRAGMENTS) => Ok(Command::Fragment(count, text.to_owned())),
                _ => Err(Text::with("/fragment N TEXT: N is a number from 1 to {}", FRAGMENTS)),
            }
        }
        "deflate" => match rest.trim() {
            "on" => Ok(Command::Deflate(true)),
            "off" => Ok(Command::Deflate(false)),
            _ => Err("/deflate on, or /deflate off".into()),
        },
        "close" => {
            let (code, reason) = close(rest)?;
            Ok(Command::Close(code.or(Some(CloseCode(1000))), reason))
        }
        "emit" | "emit-ack" => {
            let (event, args) = event(rest.trim())?;
            let (args, attached) = array(args)?;
            Ok(Command::Emit { event, args, attached, ack: name == "emit-ack" })
        }
        "help" | "?" => Ok(Command::Help),
        name if QUIT.contains(&name) => Ok(Command::Quit),
        _ => Err(Text::with("/{} is no command; /help lists them, and //{} is sent as text", name).and(name)),
    }
}

/// The name of an event, in quotes where it has blanks, and what is behind it.
fn event(text: &str) -> Result<(String, &str), Text> {
    let usage = "/emit EVENT [JSON…], such as: /emit \"chat message\" \"hello\" 1";
    if text.is_empty() {
        return Err(usage.into());
    }
    if !text.starts_with('"') {
        let (event, args) = text.split_once(' ').unwrap_or((text, ""));
        return Ok((event.to_owned(), args));
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<String>();
    match values.next() {
        Some(Ok(event)) => Ok((event, text[values.byte_offset()..].trim_start())),
        _ => Err(usage.into()),
    }
}

/// A code and a reason, as `CODE REASON`.
///
/// # Errors
/// What is wrong with them.
pub fn close(text: &str) -> Result<(Option<CloseCode>, String), Text> {
    let text = text.trim();
    if text.is_empty() {
        return Ok((None, String::new()));
    }
    let (code, reason) = text.split_once(' ').unwrap_or((text, ""));
    let code = code.parse().map_err(|_| Text::with("`{}` is no close code: a number such as 1000", code))?;
    if reason.len() + 2 > CONTROL {
        return Err(Text::with("a reason has at most {} bytes (RFC 6455 §5.5)", CONTROL - 2));
    }
    Ok((Some(CloseCode(code)), reason.trim().to_owned()))
}

/// The payload of a control frame.
///
/// # Errors
/// When it is too long for one.
pub fn control(text: &str) -> Result<Vec<u8>, Text> {
    if text.len() > CONTROL {
        return Err(Text::with("a ping or pong carries at most {} bytes (RFC 6455 §5.5)", CONTROL));
    }
    Ok(text.as_bytes().to_vec())
}

/// Bytes, as hex or the content of a file behind `@`.
///
/// # Errors
/// That there are none.
pub fn payload(text: &str) -> Result<Vec<u8>, Text> {
    let text = text.trim();
    let Some(name) = text.strip_prefix('@') else {
        let digits: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        return synth::hex(&digits)
            .ok_or_else(|| Text::with("`{}` is no hex; a file is named behind @: @FILE", text));
    };
    let told = |error: std::io::Error| Text::with("{}: {}", name).and(error);
    let mut bytes = Vec::new();
    let file = file::open(Path::new(name)).map_err(told)?;
    file.reader.take(limits::PAYLOAD_KEPT).read_to_end(&mut bytes).map_err(told)?;
    Ok(bytes)
}

/// One JSON value behind another as a JSON array, and the bytes of `hex:…` and `@FILE` for which placeholders
/// stand in it. What is no JSON at all is one text.
fn array(text: &str) -> Result<(String, Vec<Vec<u8>>), Text> {
    let (mut values, mut attached) = (Vec::new(), Vec::new());
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(bytes) = rest.strip_prefix("hex:").or_else(|| rest.starts_with('@').then_some(rest)) {
            let (bytes, behind) = bytes.split_once(char::is_whitespace).unwrap_or((bytes, ""));
            values.push(serde_json::json!({"_placeholder": true, "num": attached.len()}));
            attached.push(if bytes.is_empty() { Vec::new() } else { payload(bytes)? });
            rest = behind.trim_start();
            continue;
        }
        let mut json = serde_json::Deserializer::from_str(rest).into_iter();
        match json.next() {
            Some(Ok(value)) => values.push(value),
            Some(Err(error)) if rest.starts_with(['{', '[', '"']) => {
                return Err(Text::with("the JSON is broken: {}", error));
            }
            _ => return Ok((serde_json::Value::from(vec![text.trim()]).to_string(), Vec::new())),
        }
        rest = rest[json.byte_offset()..].trim_start();
    }
    Ok((serde_json::Value::from(values).to_string(), attached))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_text_or_commands() {
        let text = |text: &str| Command::Text(text.to_owned());
        let emit = |args: &str, ack| Command::Emit {
            event: "e".into(),
            args: args.to_owned(),
            attached: Vec::new(),
            ack,
        };
        for (line, command) in [
            ("hello\r\n", text("hello")),
            (" /ping", text(" /ping")),
            ("//ping", text("/ping")),
            ("", Command::Nothing),
            ("/ping", Command::Ping(Vec::new())),
            ("/ping are you there?", Command::Ping(b"are you there?".to_vec())),
            ("/pong x", Command::Pong(b"x".to_vec())),
            ("/close", Command::Close(Some(CloseCode(1000)), String::new())),
            ("/close 3001 bye now", Command::Close(Some(CloseCode(3001)), "bye now".into())),
            ("/binary 00 ff", Command::Binary(vec![0, 255])),
            ("/raw 8100", Command::Raw(vec![0x81, 0])),
            ("/fragment 3 a text", Command::Fragment(3, "a text".into())),
            ("/deflate off", Command::Deflate(false)),
            ("/emit e", emit("[]", false)),
            ("/emit e \"x\" 1 {\"a\":[2]}", emit(r#"["x",1,{"a":[2]}]"#, false)),
            ("/emit-ack e hello you", emit(r#"["hello you"]"#, true)),
            ("/emit \"e\" 1", emit("[1]", false)),
            (
                "/emit \"chat message\" \"hi\"",
                Command::Emit {
                    event: "chat message".into(),
                    args: r#"["hi"]"#.to_owned(),
                    attached: Vec::new(),
                    ack: false,
                },
            ),
            ("/quit", Command::Quit),
            ("/help", Command::Help),
        ] {
            assert_eq!(read(line), Ok(command), "{line}");
        }
    }

    #[test]
    fn bytes_are_attached_in_their_places() {
        let emitted = read("/emit e 1 hex:00ff {\"a\":2} hex:").unwrap();
        let Command::Emit { args, attached, .. } = emitted else { panic!("an event") };
        let placeholder = |num| format!(r#"{{"_placeholder":true,"num":{num}}}"#);
        assert_eq!(args, format!("[1,{},{{\"a\":2}},{}]", placeholder(0), placeholder(1)));
        assert_eq!(attached, [vec![0, 255], Vec::new()]);
        assert!(read("/emit e hex:xy").is_err() && read("/emit e @/no/such/file").is_err());
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        for (line, word) in [
            ("/pin", "//pin"),
            ("/close x", "close code"),
            ("/close 70000", "close code"),
            ("/binary xyz", "no hex"),
            ("/binary @/no/such/file", "/no/such/file"),
            ("/fragment x", "1 to"),
            ("/fragment 0 x", "1 to"),
            ("/deflate", "on"),
            ("/emit", "EVENT"),
            ("/emit \"chat", "EVENT"),
            ("/emit e {\"a\":", "JSON"),
        ] {
            let problem = read(line).expect_err(line);
            assert!(problem.to_string().contains(word), "{line}: {problem}");
        }
        assert!(read(&format!("/ping {}", "x".repeat(126))).is_err());
        assert!(read(&format!("/close 1000 {}", "x".repeat(124))).is_err());
    }
}
