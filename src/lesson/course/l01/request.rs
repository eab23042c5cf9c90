//! A request that the learner writes.

use super::{block, fresh_key};
use crate::http::{Head, HeadReader, HeadState, StartLine, check_request};
use crate::lesson::course::draw::{host, pick};
use crate::lesson::{Answer, Instance, Judgement, Said};
use crate::model::SourceId;
use crate::synth::Rng;

/// What is asked for.
#[derive(Clone)]
struct Wanted {
    path: String,
    /// With the port, where it is not the default.
    host: String,
    key: String,
}

pub(super) fn write_the_request(rng: &mut Rng) -> Instance {
    let name = host(rng);
    let port = pick(rng, &["", ":8080", ":9001", ":3000"]);
    let path = format!("/{}/{}", pick(rng, &["room", "feed", "game"]), 1 + rng.below(999));
    let wanted = Wanted { path, host: format!("{name}{port}"), key: fresh_key(rng) };
    let right = wanted.request();
    let file = |text: String| Answer::File(text.into_bytes());
    let without = |name: &str| -> Answer {
        let lines = right.lines().filter(|line| !line.starts_with(name));
        file(lines.flat_map(|line| [line, "\r\n"]).collect())
    };
    let with = |from: &str, to: &str| file(right.replacen(from, to, 1));
    let url = format!("ws://{}{}", wanted.host, wanted.path);
    let another_key = fresh_key(rng);
    Instance::new(file(right.clone()))
        .hole("url", &url)
        .hole("key", &wanted.key)
        .hole("right", block(right.lines()))
        .mistake("bare-line-feeds", file(right.replace("\r\n", "\n")))
        .mistake("no-empty-line", file(right.trim_end().to_owned() + "\r\n"))
        .mistake("not-a-request", file(right.replacen("GET", "HTTP/1.1 101 GET", 1)))
        .mistake("method-not-get", with("GET", "POST"))
        .mistake("http-version-too-old", with("HTTP/1.1", "HTTP/1.0"))
        .mistake("wrong-target", with(&format!("GET {}", wanted.path), &format!("GET {url}")))
        .mistake("wrong-target", with(&format!("GET {}", wanted.path), "GET /"))
        .mistake("missing-host", without("Host"))
        .mistake("wrong-host", with("Host: ", "Host: www."))
        .mistake("missing-upgrade", without("Upgrade"))
        .mistake("upgrade-not-websocket", with("Upgrade: websocket", "Upgrade: ws"))
        .mistake("missing-connection", without("Connection"))
        .mistake("connection-lacks-upgrade", with("Connection: Upgrade", "Connection: keep-alive"))
        .mistake("missing-sec-websocket-key", without("Sec-WebSocket-Key"))
        .mistake("wrong-key", with(&wanted.key, &another_key))
        .mistake("missing-sec-websocket-version", without("Sec-WebSocket-Version"))
        .mistake("unsupported-version", with("Version: 13", "Version: 1.1"))
        .mistake("more-behind-the-head", file(right.clone() + "hello"))
        .command(["replay", "rfc6455-minimal"])
        .judged_by(move |bytes| wanted.judge(bytes))
}

impl Wanted {
    fn request(&self) -> String {
        let Self { path, host, key } = self;
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
    }

    /// Whether a request target names the resource: its path, or the whole of it as
    /// an http URI (RFC 6455 §4.1, point 3).
    fn is_asked_for_by(&self, target: &[u8]) -> bool {
        let absolute = |host: &str| format!("http://{host}{}", self.path);
        target == self.path.as_bytes()
            || target == absolute(&self.host).as_bytes()
            || !self.host.contains(':') && target == absolute(&format!("{}:80", self.host)).as_bytes()
    }

    /// What is said of a file: the first thing that is wrong with it.
    fn judge(&self, bytes: &[u8]) -> Judgement {
        let mut reader = HeadReader::new();
        let progress = reader.push(bytes);
        let head = reader.parse(SourceId::Input, 0);
        let StartLine::Request { method, target, .. } = head.start else {
            return Judgement::known("not-a-request");
        };
        if method.bytes.is_empty() || target.bytes.is_empty() {
            return Judgement::known("not-a-request");
        }
        // HTTP allows a reader to be lenient here, not a writer (RFC 9112 §2.2).
        if has_bare_line_feed(head.bytes) {
            return Judgement::known("bare-line-feeds");
        }
        if progress.state != HeadState::Complete {
            return Judgement::known("no-empty-line");
        }
        if let Some(judgement) = broken(&head) {
            return judgement;
        }
        let value = |name| head.values(name).next().map(|part| part.text().into_owned());
        if !self.is_asked_for_by(target.bytes) {
            return Judgement::known("wrong-target");
        }
        let host = value("Host").unwrap_or_default();
        let host = host.strip_suffix(":80").filter(|_| !self.host.contains(':')).unwrap_or(&host);
        if !host.eq_ignore_ascii_case(&self.host) {
            return Judgement::known("wrong-host");
        }
        if value("Sec-WebSocket-Key").as_deref() != Some(self.key.as_str()) {
            return Judgement::known("wrong-key");
        }
        if progress.consumed < bytes.len() {
            return Judgement::known("more-behind-the-head");
        }
        Judgement::Right
    }
}

/// The first rule of the opening handshake that the head breaks.
fn broken(head: &Head<'_>) -> Option<Judgement> {
    let report = check_request(head, false);
    if !report.facts.is_upgrade {
        // Nothing in it speaks of WebSocket: the first thing missing is this.
        return Some(Judgement::known("missing-upgrade"));
    }
    let rule = report.findings.first()?.rule;
    Some(match rule.id {
        "request-target-mismatch" | "fragment-in-request-target" => Judgement::known("wrong-target"),
        "invalid-sec-websocket-key" => Judgement::known("wrong-key"),
        "method-not-get"
        | "http-version-too-old"
        | "missing-host"
        | "missing-upgrade"
        | "upgrade-not-websocket"
        | "missing-connection"
        | "connection-lacks-upgrade"
        | "missing-sec-websocket-key"
        | "missing-sec-websocket-version"
        | "unsupported-version" => Judgement::known(rule.id),
        _ => {
            let fault = Said::from("fault").hole("title", rule.title);
            Judgement::differs(fault.value("rule", rule.id).value("cite", rule.cite))
        }
    })
}

fn has_bare_line_feed(bytes: &[u8]) -> bool {
    bytes.iter().enumerate().any(|(at, byte)| *byte == b'\n' && (at == 0 || bytes[at - 1] != b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freedoms_are_left_to_the_writer() {
        let wanted =
            Wanted { path: "/x".into(), host: "a.example".into(), key: "dGhlIHNhbXBsZSBub25jZQ==".into() };
        let right = wanted.request();
        for request in [
            right.clone(),
            right.replace("Upgrade: websocket", "upgrade: WebSocket"),
            right.replace("Connection: Upgrade", "Connection: keep-alive, upgrade"),
            right.replace("Host: a.example", "Host: A.example:80"),
            right.replace("GET /x", "GET http://a.example/x"),
            right.replace("\r\n\r\n", "\r\nOrigin: http://a.example\r\nCookie: a=b\r\n\r\n"),
        ] {
            assert_eq!(wanted.judge(request.as_bytes()), Judgement::Right, "{request}");
        }
        let twice = right.replace("Host: a.example", "Host: a.example\r\nHost: a.example");
        assert!(matches!(wanted.judge(twice.as_bytes()), Judgement::Differs(_)));
        assert_eq!(wanted.judge(b""), Judgement::known("not-a-request"));
        assert_eq!(wanted.judge(b"GET /x HTTP/1.1\r\n\r\n"), Judgement::known("missing-upgrade"));
    }
}
