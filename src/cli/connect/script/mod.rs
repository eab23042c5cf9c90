//! `--script`: what is sent and expected, a line each.
//!
//! ```text
//! send hello
//! expect hello
//! ```
//!
//! - [`parse`]: lines to [`Step`]s
//! - `run`: steps over an open WebSocket

mod run;

use std::fmt;
use std::time::Duration;

use regex::Regex;
use serde_json::Value;

use super::command;
use crate::app::path::Path;
use crate::http::accept::hex;
use crate::lab::frames::Received;
use crate::model::{CloseCode, Opcode, Text};

pub use run::{Verdict, run};

/// A line of a script.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its number, from 1.
    pub line: usize,
    /// What it asks for.
    pub what: What,
}

/// What a line asks for.
#[derive(Clone, Debug)]
pub enum What {
    /// Send text.
    Send(String),
    /// Send a binary message.
    SendBinary(Vec<u8>),
    /// Send a ping.
    Ping(Vec<u8>),
    /// The next message is this.
    Expect(Pattern),
    /// Some message behind those that came is this.
    Await(Pattern),
    /// A pong comes, with the payload of the last ping.
    ExpectPong,
    /// The server closes, with this code if one is named.
    ExpectClose(Option<CloseCode>),
    /// Nothing comes for so long.
    Silence(Duration),
    /// Wait for so long; what comes meanwhile is kept.
    Wait(Duration),
    /// Close.
    Close(CloseCode, String),
    /// How long each expectation may take from now on.
    Timeout(Duration),
}

/// What a message has to be.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// This text.
    Text(String),
    /// Text in which this matches.
    Regex(Regex),
    /// JSON that has something there; this, if it is named.
    Json(Path, Option<Value>),
    /// A binary message of these bytes.
    Binary(Vec<u8>),
}

/// Reads a script.
///
/// # Errors
/// The number of the first line that is wrong, and what is wrong with it.
pub fn parse(text: &str) -> Result<Vec<Step>, (usize, Text)> {
    let mut steps = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let what = step(trimmed).map_err(|problem| (at + 1, problem))?;
        steps.push(Step { line: at + 1, what });
    }
    Ok(steps)
}

fn step(line: &str) -> Result<What, Text> {
    let (word, rest) = line.split_once(' ').unwrap_or((line.trim_end(), ""));
    Ok(match word {
        "send" => What::Send(rest.to_owned()),
        "send-binary" => What::SendBinary(command::payload(rest)?),
        "ping" => What::Ping(command::control(rest)?),
        "expect" => What::Expect(pattern(rest)?),
        "await" => What::Await(pattern(rest)?),
        "expect-text" => What::Expect(Pattern::Text(rest.to_owned())),
        "expect-binary" => What::Expect(Pattern::Binary(command::payload(rest)?)),
        "expect-pong" => What::ExpectPong,
        "expect-close" => What::ExpectClose(command::close(rest)?.0),
        "expect-silence" => What::Silence(span(rest)?),
        "wait" => What::Wait(span(rest)?),
        "close" => {
            let (code, reason) = command::close(rest)?;
            What::Close(code.unwrap_or(CloseCode(1000)), reason)
        }
        "timeout" => What::Timeout(span(rest)?),
        _ => {
            let words = "`{}` is none of send, send-binary, ping, expect, expect-text, expect-binary, \
                         expect-pong, expect-close, expect-silence, await, wait, close, timeout";
            return Err(Text::with(words, word));
        }
    })
}

/// `/regex/`, `json $.path=value`, or text as it is.
fn pattern(text: &str) -> Result<Pattern, Text> {
    if let Some(regex) = text.strip_prefix('/').and_then(|rest| rest.trim_end().strip_suffix('/')) {
        let read = Regex::new(regex).map_err(|error| {
            let why = error.to_string();
            Text::with("/{}/ is no regular expression: {}", regex)
                .and(why.lines().last().unwrap_or_default().trim())
        })?;
        return Ok(Pattern::Regex(read));
    }
    let Some(json) = text.strip_prefix("json ") else { return Ok(Pattern::Text(text.to_owned())) };
    let (path, value) = match json.split_once('=') {
        Some((path, value)) => (path, Some(value.trim())),
        None => (json, None),
    };
    let path = Path::parse(path.trim()).map_err(|problem| Text::with("{}", problem))?;
    // What is no JSON is text.
    let value = value.map(|value| serde_json::from_str(value).unwrap_or_else(|_| Value::from(value)));
    Ok(Pattern::Json(path, value))
}

/// A span of time, as `200ms`, `5s` or `0.5`.
fn span(text: &str) -> Result<Duration, Text> {
    let text = text.trim();
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (text.strip_suffix('s').unwrap_or(text), 1.0),
    };
    match number.trim().parse::<f64>().map(|number| number * unit) {
        Ok(seconds) if (0.0..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(Text::with("`{}` is no span of time, such as 200ms or 5s", text)),
    }
}

impl Pattern {
    /// Whether a message is what it has to be.
    pub fn fits(&self, message: &Received) -> bool {
        let text = || (message.kind == Opcode::TEXT).then(|| str::from_utf8(&message.payload).ok()).flatten();
        match self {
            Self::Text(wanted) => text() == Some(wanted.as_str()),
            Self::Regex(regex) => text().is_some_and(|text| regex.is_match(text)),
            Self::Json(path, wanted) => text().and_then(|text| path.find(text)).is_some_and(|found| {
                let found = serde_json::from_str::<Value>(found).ok();
                wanted.as_ref().is_none_or(|wanted| found.is_some_and(|found| is_same(&found, wanted)))
            }),
            Self::Binary(wanted) => message.kind == Opcode::BINARY && message.payload == *wanted,
        }
    }
}

/// Whether values are the same: 1 and 1.0 are.
fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Regex(regex) => write!(f, "/{regex}/"),
            Self::Json(path, None) => write!(f, "json {path}"),
            Self::Json(path, Some(value)) => write!(f, "json {path}={value}"),
            Self::Binary(bytes) => write!(f, "binary {}", hex(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Received {
        Received { kind: Opcode::TEXT, payload: text.as_bytes().to_vec() }
    }

    #[test]
    fn messages_are_what_they_have_to_be() {
        for (written, message, fits) in [
            ("hello", "hello", true),
            ("hello", "hello ", false),
            ("/^h.*o$/", "hello", true),
            ("/^h$/", "hello", false),
            ("json $.a[1]=2", r#"{"a":[1,2.0]}"#, true),
            ("json $.a[1]=3", r#"{"a":[1,2]}"#, false),
            ("json $.status=ok", r#"{"status":"ok"}"#, true),
            ("json $.status=\"ok\"", r#"{"status":"ok"}"#, true),
            ("json $.a={\"b\":null}", r#"{"a":{ "b" : null }}"#, true),
            ("json $.b", r#"{"b":null}"#, true),
            ("json $.c", r#"{"b":null}"#, false),
            ("json $.c", "no json", false),
        ] {
            let pattern = pattern(written).unwrap();
            assert_eq!(pattern.fits(&text(message)), fits, "{written} {message}");
        }
        let binary = Received { kind: Opcode::BINARY, payload: vec![1, 255] };
        assert!(Pattern::Binary(vec![1, 255]).fits(&binary) && !Pattern::Text(String::new()).fits(&binary));
    }

    #[test]
    fn lines_are_steps() {
        let steps =
            parse("# a health check\n\nsend  two spaces \n  wait 200ms\nexpect-close 1000\ntimeout 5s\n")
                .unwrap();
        let lines: Vec<_> = steps.iter().map(|step| step.line).collect();
        assert_eq!(lines, [3, 4, 5, 6]);
        assert!(matches!(&steps[0].what, What::Send(text) if text == " two spaces "));
        assert!(matches!(steps[1].what, What::Wait(span) if span == Duration::from_millis(200)));
        assert!(matches!(steps[2].what, What::ExpectClose(Some(CloseCode(1000)))));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        for (script, line, word) in [
            ("send a\nexpekt a", 2, "expect"),
            ("expect /(/", 1, "regular expression"),
            ("expect json a=1", 1, "path"),
            ("wait long", 1, "200ms"),
            ("send-binary xy", 1, "hex"),
            ("expect-close soon", 1, "close code"),
        ] {
            let (at, problem) = parse(script).expect_err(script);
            assert!(at == line && problem.to_string().contains(word), "{at}: {problem}");
        }
    }
}
