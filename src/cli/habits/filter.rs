//! Display filters of Wireshark, said in the options of `decode`.

use crate::select;

/// The options that choose what a display filter chooses; `None` where they cannot.
pub(super) fn options(filter: &str) -> Option<Vec<String>> {
    let either: Vec<&str> = split(filter, &["||", " or "]);
    let mut each = either.iter().map(|part| all(part));
    let first = each.next()??;
    each.try_fold(first, |so_far, next| join(so_far, next?))
}

/// What to say of a filter that asks for what is asked for otherwise here.
pub(super) fn unsaid(filter: &str) -> Option<&'static str> {
    let has = |field: &str| filter.contains(field);
    if has("tcp.stream") {
        Some(
            "the display filter {} counts all of TCP, from 0: here WebSockets are counted, from 1; choose \
             one by its number (--stream 1), or by address and port (--stream 192.0.2.10:49152)",
        )
    } else if has("websocket.payload.close.status_code") {
        Some("the display filter {} asks for codes: --opcode close shows the Close frames with theirs")
    } else {
        None
    }
}

/// What holds of one or of the other: the same option with both values.
fn join(one: Vec<String>, other: Vec<String>) -> Option<Vec<String>> {
    match (one.as_slice(), other.as_slice()) {
        ([name, value], [same, more])
            if name == same
                && ["--opcode", "--stream"].contains(&name.as_str())
                && !value.starts_with('/') =>
        {
            Some(vec![name.clone(), format!("{value},{more}")])
        }
        _ => None,
    }
}

/// Conditions that hold together.
fn all(filter: &str) -> Option<Vec<String>> {
    let mut options: Vec<String> = Vec::new();
    for term in split(filter, &["&&", " and "]) {
        let more = one(term.trim().trim_matches(['(', ')']).trim())?;
        let is_there = |name: &String| options.contains(name);
        if more.first().is_some_and(is_there) {
            return None;
        }
        options.extend(more);
    }
    Some(options)
}

fn split<'a>(filter: &'a str, by: &[&str]) -> Vec<&'a str> {
    let mut parts = vec![filter];
    for separator in by {
        parts = parts.into_iter().flat_map(|part| part.split(separator)).collect();
    }
    parts
}

fn one(term: &str) -> Option<Vec<String>> {
    let said = |option: &str, value: &str| Some(vec![option.to_owned(), value.to_owned()]);
    let mut words = term.splitn(2, ' ');
    let (field, rest) = (words.next().unwrap_or_default(), words.next().unwrap_or_default().trim());
    let (field, rest) = match term.split_once("==") {
        Some((field, value)) => (field.trim(), format!("eq {}", value.trim())),
        None => (field, rest.to_owned()),
    };
    let (how, value) = rest.split_once(' ').unwrap_or((&rest, ""));
    let value = value.trim().trim_matches('"');
    match (field, how) {
        ("websocket" | "http" | "tcp", "") => Some(Vec::new()),
        ("_ws.expert" | "_ws.malformed", "") => Some(vec!["--findings".to_owned()]),
        ("websocket.payload.close", "") => said("--opcode", "close"),
        ("websocket.payload.ping", "") => said("--opcode", "ping"),
        ("websocket.payload.pong", "") => said("--opcode", "pong"),
        ("websocket.payload.text", "") => said("--opcode", "text"),
        ("websocket.payload.binary", "") => said("--opcode", "binary"),
        ("websocket.opcode", "eq") => said("--opcode", select::parse_opcode(value).ok()?.name()),
        ("tcp.port", "eq") => said("--stream", &format!(":{}", value.parse::<u16>().ok()?)),
        ("ip.addr" | "ipv6.addr", "eq") => {
            said("--stream", &value.parse::<std::net::IpAddr>().ok()?.to_string())
        }
        ("http.host", "eq") if !value.is_empty() => said("--stream", value),
        ("http.request.uri" | "http.request.uri.path", "eq") if value.starts_with('/') => {
            said("--stream", value)
        }
        ("frame" | "tcp" | "tcp.payload" | "websocket.payload" | "websocket.payload.text", "contains") => {
            said("--grep", &regex::escape(value))
        }
        ("frame" | "websocket.payload" | "websocket.payload.text", "matches") => said("--grep", value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_that_can_be_said_are() {
        for (filter, said) in [
            ("websocket", ""),
            ("websocket.opcode == 8", "--opcode close"),
            ("websocket.opcode eq 0x9", "--opcode ping"),
            ("websocket.opcode==8 || websocket.opcode==9", "--opcode close,ping"),
            ("websocket && tcp.port == 8080", "--stream :8080"),
            ("(tcp.port == 8080) and websocket.payload contains \"err.\"", r"--stream :8080 --grep err\."),
            ("ip.addr == 10.0.0.7", "--stream 10.0.0.7"),
            ("http.host == \"feed.example.com\"", "--stream feed.example.com"),
            ("http.request.uri == \"/chat\"", "--stream /chat"),
        ] {
            assert_eq!(options(filter).map(|all| all.join(" ")).as_deref(), Some(said), "{filter}");
        }
        for unsaid in [
            "websocket.opcode > 7",
            "!websocket",
            "tcp.stream == 0",
            "websocket.payload.close.status_code == 1006",
            "websocket.opcode == 8 || tcp.port == 80",
            "websocket.opcode == 8 && websocket.opcode == 9",
            "ip.src == 10.0.0.7",
            "",
        ] {
            assert_eq!(options(unsaid), None, "{unsaid}");
        }
    }
}
