//! An answer other than 101: what the server says with it.

use super::super::fields::Name;
use super::super::head::shown;
use super::super::{CONNECTION_LACKS_UPGRADE, HTTP_VERSION_TOO_OLD, MISSING_CONNECTION, MISSING_UPGRADE};
use super::exam::Exam;
use super::middlebox::PASS_ON;
use super::{RequestFacts, status};
use crate::limits;
use crate::model::{Arg, Case, Diagnosis, Finding, Text, prefix};

/// What a refusal has in common with others: the status, and the header fields that say more.
pub(super) fn case(exam: &Exam<'_, '_>, code: u16, request: Option<&RequestFacts>) -> Case {
    let phrase = exam.head.start_line();
    let phrase = phrase.splitn(3, ' ').nth(2).unwrap_or_default().trim();
    let mut what = match phrase {
        "" => Text::with("got {}", code),
        phrase => Text::with("got {} {}", code).and(prefix(phrase, limits::REASON_SHOWN)),
    };
    for (name, label) in [
        (Name::Location, "Location"),
        (Name::RetryAfter, "Retry-After"),
        (Name::Authenticate, "WWW-Authenticate"),
        (Name::ProxyAuthenticate, "Proxy-Authenticate"),
        (Name::Upgrade, "Upgrade"),
        (Name::Version, "Sec-WebSocket-Version"),
    ] {
        if let Some((_, value)) = exam.first(name) {
            let value_bytes = value.bytes;
            let value = shown(value_bytes).clone();
            // The one that was asked for is no reason.
            if name == Name::Version && request.is_some_and(|it| it.version.as_deref() == Some(value.trim()))
            {
                continue;
            }
            what = Text::new("{}, {}: {}").word(what).and(label).and(told(name, &value, value_bytes));
        }
    }
    Case::new(what, Vec::new())
}

/// What is shown of a field's value: of a challenge that is long what it says in words (RFC 6750 §3).
fn told(name: Name, value: &str, bytes: &[u8]) -> String {
    const DESCRIPTION: &str = "error_description=\"";
    let shown = prefix(value, limits::REASON_SHOWN);
    if name != Name::Authenticate {
        return shown.to_owned();
    }
    let whole = String::from_utf8_lossy(&bytes[..bytes.len().min(limits::REFUSAL_READ)]);
    let words = whole.split_once(DESCRIPTION).and_then(|(_, rest)| rest.split('"').next());
    match words.filter(|words| !shown.contains(*words)) {
        Some(words) => {
            let scheme = whole.split_whitespace().next().unwrap_or_default();
            let short = |text: &str| prefix(text, limits::REASON_SHOWN).to_owned();
            format!("{} … {DESCRIPTION}{}\"", short(scheme), short(words))
        }
        None => shown.to_owned(),
    }
}

/// What may be behind a refusal, and what to change. `names_version` says that the answer has a
/// `Sec-WebSocket-Version`.
pub(super) fn diagnosis(code: u16, request: Option<&RequestFacts>, names_version: bool) -> Diagnosis {
    let said = status(code);
    // gorilla/websocket names it in whatever it refuses.
    if code == 500 && names_version {
        return Diagnosis::new(
            "not-taken-over",
            "a library for WebSocket (it names its version) could not take the connection over; in Go mostly \
             a middleware whose ResponseWriter hides http.Hijacker",
            "give that ResponseWriter a Hijack or Unwrap method, or leave it out on this path; the server's \
             log has the error",
        );
    }
    let is_stripped = request.is_some_and(|request| {
        let lost = [&MISSING_UPGRADE, &MISSING_CONNECTION, &CONNECTION_LACKS_UPGRADE, &HTTP_VERSION_TOO_OLD];
        lost.iter().any(|rule| request.broken.contains(rule))
    });
    if is_stripped {
        let what = "the request has come without Upgrade, or in HTTP/1.0: a proxy passes it on like that \
                    unless it is told otherwise";
        return Diagnosis::new("upgrade-lost-before", what, PASS_ON);
    }
    let origin = request.and_then(|request| request.origin.as_deref()).filter(|_| code == 403);
    // Browsers do not show all that they have sent; what has a key is whole.
    if code == 403 && origin.is_none() && request.is_some_and(|request| request.key.is_some()) {
        return Diagnosis::new(
            "refusal",
            "the server understood and will not: the user, the path, or a firewall's rule; the request has \
             no Origin",
            "check what the request carries to be let in (a cookie, a token), and the server's log: \
             frameworks answer 403 when the application closes before it accepts, or has no WebSocket at \
             this path",
        );
    }
    // Nothing of what a proxy may drop is missing here; what it is like behind the next one nobody sees.
    if code == 400 && request.is_some_and(|request| request.key.is_some() && request.broken.is_empty()) {
        return Diagnosis::new(
            "refusal",
            "the request is in order as it stands here: the server has no WebSocket at this path, wants \
             something in it that is the application's own, or gets it from a proxy that drops a part of it",
            "look into the server's log; compare the path with what it serves, and Upgrade and Connection as \
             they reach it",
        );
    }
    let what = match origin {
        Some(origin) => Text::new("{}; the page's Origin is {}")
            .word(said.meaning)
            .and(prefix(origin, limits::REASON_SHOWN)),
        None => said.meaning,
    };
    Diagnosis::new("refusal", what, said.advice)
}

/// The server wants TLS to show who the client is (RFC 8446 §4.3.2).
pub fn certificate_missing() -> Diagnosis {
    Diagnosis::new(
        "client-certificate-missing",
        "the server asks for a certificate of the client, which has sent none",
        "give the client its certificate and key",
    )
}

/// Adds the first line of a refusal's body to what is said of it, and what only the body tells. `is_proxied`
/// says that the request has a PROXY header in front of it.
pub fn with_body(finding: &mut Finding, body: &[u8], is_proxied: bool) {
    let Some(case) = &mut finding.case else { return };
    if is_proxied {
        case.behind = Some(Diagnosis::new(
            "proxy-protocol-unexpected",
            "the request has a PROXY header in front, which a server that does not expect one takes for a \
             broken request",
            "switch the PROXY protocol on at the server, or off at the proxy (HAProxy: send-proxy)",
        ));
    }
    let text = String::from_utf8_lossy(&body[..body.len().min(limits::REFUSAL_READ)]);
    let status = case.what.args.iter().map(|arg| match arg {
        Arg::Value(value) => value.clone(),
        Arg::Words(words) => words.to_string(),
    });
    let status: Vec<String> = status.collect();
    let lower = text.to_ascii_lowercase();
    let is = |code: &str| status.iter().any(|part| part == code || part.starts_with(&format!("got {code}")));
    let is_unavailable = is("503");
    // nginx answers so itself where one of its limits is reached, and seldom otherwise.
    if is_unavailable && lower.contains("<center>nginx") {
        case.behind = Some(Diagnosis::new(
            "limited-by-nginx",
            "nginx answers so itself, and not what is behind it: mostly for more connections or requests \
             than it is told to let in (limit_conn, limit_req)",
            "look into nginx's error log for \"limiting\"; raise the limit, or let clients wait before each \
             new try",
        ));
    }
    let lost = ["upstream connect error", "no healthy upstream", "connection refused", "connect: no route"];
    if (is_unavailable || is("502")) && lost.iter().any(|words| lower.contains(words)) {
        case.behind = Some(Diagnosis::new(
            "nothing-behind-gateway",
            "a gateway did not reach the server behind it, as its answer says",
            "see that the server behind it runs, and that the gateway has its address and port",
        ));
    }
    if is_unavailable && lower.contains("maintenance") {
        case.behind = Some(Diagnosis::new(
            "in-maintenance",
            "the service is taken down for maintenance, as its answer says",
            "wait (a Retry-After says how long), and back off",
        ));
    }
    let Some(line) = first_line(&text, &status.join(" ")) else { return };
    let what = std::mem::take(&mut case.what);
    let shown = prefix(&line, limits::REASON_SHOWN);
    let more = if shown.len() < line.len() { "…" } else { "" };
    case.what = Text::new("{}, “{}”").word(what).and(format!("{shown}{more}"));
    // Who answers in JSON has read the request, and says what is wrong with it.
    let is_bad_request = is("400");
    if is_bad_request && line.starts_with('{') {
        case.behind = Some(Diagnosis::new(
            "refused-by-application",
            "the application behind the server read the request and refused it: its answer says why",
            "look its answer up in the documentation or source of the server's library",
        ));
    }
    // Python websockets says so, and others. (A page may list all there is in the request.)
    if is_bad_request && line.to_ascii_lowercase().contains("subprotocol") {
        case.behind = Some(Diagnosis::new(
            "subprotocol-refused",
            "the server takes none of the subprotocols that the client offers, or wants one where it offers \
             none, as its answer says",
            "let the client offer the subprotocol that the server speaks, or give the server that of the \
             client",
        ));
    }
    let is_too_large = ["header or cookie too large", "header fields too large", "header too large"];
    if is_bad_request && is_too_large.iter().any(|words| lower.contains(words)) {
        let said = super::status(431);
        case.behind = Some(Diagnosis::new("head-too-large", said.meaning, said.advice));
    }
    // nginx says it so.
    if lower.contains("no required ssl certificate") {
        case.behind = Some(certificate_missing());
    }
    // nginx, Apache, Go, Node.js and HAProxy say it in words of their own.
    let wants_tls = ["plain http request", "http request to an https server", "speaking plain http"];
    if wants_tls.iter().any(|words| lower.contains(words)) {
        case.behind = Some(Diagnosis::new(
            "plain-to-tls-port",
            "the port expects TLS, and the client speaks to it without",
            "connect with wss:// instead of ws://, or to the port without TLS",
        ));
    }
}

/// The first line of a body that says something: of a page its title, or else its first words.
fn first_line(text: &str, status: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").map(|at| at + "<title>".len()).and_then(|start| {
        let end = start + lower[start..].find("</title>")?;
        text.get(start..end)
    });
    let visible = without_tags(text);
    let lines = title.into_iter().chain(visible.lines()).map(str::trim).filter(|line| !line.is_empty());
    // The status is known.
    let mut lines = lines.filter(|line| !repeats(line, status) && !is_signature(line));
    let line = lines.next()?;
    let is_readable = !line.contains(char::REPLACEMENT_CHARACTER);
    is_readable.then(|| line.to_owned())
}

/// Whether a line says no more than the status line, `404 Not Found`.
fn repeats(line: &str, status: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_ascii_lowercase).collect()
    };
    let status = words(status);
    words(line).iter().all(|word| status.contains(word) || word == "error")
}

/// Whether a line is no more than a server's name and version, `nginx/1.22.1`.
fn is_signature(line: &str) -> bool {
    let is_version = |after: &str| after.starts_with(|c: char| c.is_ascii_digit());
    !line.contains(' ') && line.split_once('/').is_some_and(|(_, after)| is_version(after)) || line == "nginx"
}

fn without_tags(text: &str) -> String {
    let mut visible = String::new();
    let mut inside = false;
    for c in text.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                visible.push('\n');
            }
            c if !inside => visible.push(c),
            _ => {}
        }
    }
    visible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_of_a_body_is_what_a_reader_sees_first() {
        for (body, line) in [
            ("Too many connections\nretry later", Some("Too many connections")),
            (
                "<html><head><title>401 Authorization Required</title></head>",
                Some("401 Authorization Required"),
            ),
            ("\r\n<html><body><h1>503 Service Unavailable</h1>\nNo server", Some("No server")),
            ("<h1>503 Service Unavailable</h1><hr>nginx/1.22.1</center>", None),
            ("", None),
            ("\u{FFFD}\u{FFFD}", None),
            ("{\"error\":\"denied\"}", Some("{\"error\":\"denied\"}")),
        ] {
            assert_eq!(first_line(body, "503 Service Unavailable").as_deref(), line, "{body}");
        }
    }
}
