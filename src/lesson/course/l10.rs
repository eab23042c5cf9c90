//! Lesson 10: whose page is asking, how to refuse it, and what stands on the way.

use super::draw::{host, phrase, pick, stranger};
use super::wire::capture;
use crate::http::handshake::check_request;
use crate::http::head::Head;
use crate::http::{HeadReader, HeadState, MISSING_UPGRADE};
use crate::lesson::{Answer, Instance, Judgement, Make};
use crate::model::SourceId;
use crate::synth::Rng;
use crate::synth::handshake::{Edits, Request, Response, key};

pub static EXERCISES: &[Make] = &[
    Make { id: "allow-or-deny", make: allow_or_deny },
    Make { id: "foreign-page", make: foreign_page },
    Make { id: "write-the-403", make: write_the_403 },
    Make { id: "who-dropped-it", make: who_dropped_it },
    Make { id: "through-the-tunnel", make: through_the_tunnel },
];

/// A browser's request for a WebSocket, from a page of `origin`.
fn request(rng: &mut Rng, host: &str, origin: &str, more: &[String]) -> (Request, String) {
    let mut nonce = [0; 16];
    rng.fill(&mut nonce);
    let add = std::iter::once(format!("Origin: {origin}")).chain(more.iter().cloned()).collect();
    let edits = Edits { add, ..Edits::default() };
    let request =
        Request { path: Some("/live".into()), host: Some(host.into()), edits, ..Request::default() };
    (request, key(nonce))
}

/// The same, answered with 101.
fn visit(rng: &mut Rng, host: &str, origin: &str, more: &[String]) -> Vec<u8> {
    let (request, key) = request(rng, host, origin, more);
    [request.bytes(&key), Response::default().bytes(&request, &key)].concat()
}

/// Origins that a careless comparison lets in.
fn allow_or_deny(rng: &mut Rng) -> Instance {
    let (host, stranger) = (host(rng), stranger(rng));
    let port = pick(rng, &[8080, 8443, 3000, 9001]);
    let subdomain = pick(rng, &["www", "live", "shop", "news", "play"]);
    let front = pick(rng, &["my", "not", "evil", "the", "get"]);
    let exact = format!("https://{host}");
    let origins = [
        ("exact", exact.clone()),
        ("subdomain", format!("https://{subdomain}.{host}")),
        ("suffix", format!("https://{front}{host}")),
        ("prefix", format!("https://{host}.{stranger}")),
        ("scheme", format!("http://{host}")),
        ("port", format!("https://{host}:{port}")),
        ("null", "null".to_owned()),
        ("stranger", format!("https://{stranger}")),
    ];
    let those = |check: &dyn Fn(&str) -> bool| {
        Answer::choices(origins.iter().filter(|(_, origin)| check(origin)).map(|(id, _)| *id))
    };
    let welcome = |origin: &str| is_welcome(origin, &host);
    let without_port =
        |origin: &str| origin.trim_end_matches(|c: char| c == ':' || c.is_ascii_digit()).to_owned();
    Instance::new(those(&welcome))
        .hole("host", &host)
        .hole("suffix", &origins[2].1)
        .hole("prefix", &origins[3].1)
        .mistake("cors-will-do-it", those(&|_| true))
        .mistake("ends-with", those(&|origin| origin.starts_with("https://") && origin.ends_with(&host)))
        .mistake("ends-with", those(&|origin| origin.ends_with(&host)))
        .mistake("begins-with", those(&|origin| origin.starts_with(&exact)))
        .mistake("contains", those(&|origin| origin.contains(&host)))
        .mistake("null-is-harmless", those(&|origin| welcome(origin) || origin == "null"))
        .mistake("scheme-does-not-count", those(&|origin| welcome(&origin.replace("http:", "https:"))))
        .mistake("port-does-not-count", those(&|origin| welcome(&without_port(origin))))
        .mistake("host-only", those(&|origin| welcome(&without_port(&origin.replace("http:", "https:")))))
        .mistake("exact-only", those(&|origin| origin == exact))
        .choices(origins.iter().map(|(id, origin)| (*id, format!("`{origin}`"))))
        .file("visit.http", visit(rng, &host, &origins[3].1, &[]))
        .command(["replay", "{file:visit.http}"])
}

/// Whether a server for the pages of a site and its subdomains may let an origin in.
fn is_welcome(origin: &str, site: &str) -> bool {
    let Some(host) = origin.strip_prefix("https://") else { return false };
    host == site || host.strip_suffix(site).is_some_and(|front| front.ends_with('.'))
}

/// What CORS does not do.
fn foreign_page(rng: &mut Rng) -> Instance {
    let (host, foreign) = (host(rng), stranger(rng));
    let cookie = format!("session={:08x}", rng.below(1 << 32));
    let visit = visit(rng, &host, &format!("https://{foreign}"), &[format!("Cookie: {cookie}")]);
    Instance::new(Answer::choice("opens"))
        .hole("host", host)
        .hole("foreign", foreign)
        .hole("cookie", cookie)
        .mistake("preflight", Answer::choice("preflight"))
        .mistake("hidden", Answer::choice("hidden"))
        .mistake("anonymous", Answer::choice("anonymous"))
        .choices(["opens", "preflight", "hidden", "anonymous"])
        .file("visit.http", visit)
        .command(["replay", "{file:visit.http}"])
}

/// A refusal, byte for byte.
fn write_the_403(rng: &mut Rng) -> Instance {
    let (host, foreign) = (host(rng), stranger(rng));
    let (request, key) = request(rng, &host, &format!("https://{foreign}"), &[]);
    let body = format!("not for pages of {foreign}: {}", phrase(rng));
    let length = body.len();
    let written = |status: &str, more: &str, length: usize| {
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\n{more}");
        Answer::File(format!("{head}Content-Length: {length}\r\n\r\n{body}").into_bytes())
    };
    let switching = Response::default().bytes(&request, &key);
    let accept = format!(
        "Upgrade: websocket\r\nSec-WebSocket-Accept: {}\r\n",
        crate::http::accept_value(key.as_bytes())
    );
    let plain = |text: String| Answer::File(text.into_bytes());
    let wanted = body.clone();
    Instance::new(written("403 Forbidden", "Connection: close\r\n", length))
        .hole("host", host)
        .hole("foreign", foreign)
        .hole("body", &body)
        .hole("length", length)
        .mistake("switched", Answer::File(switching))
        .mistake("success", written("200 OK", "", length))
        .mistake("another-status", written("401 Unauthorized", "", length))
        .mistake("cors-field", written("403 Forbidden", "Access-Control-Allow-Origin: *\r\n", length))
        .mistake("still-upgrading", written("403 Forbidden", &accept, length))
        .mistake("wrong-length", written("403 Forbidden", "", length + 2))
        .mistake("no-length", plain(format!("HTTP/1.1 403 Forbidden\r\n\r\n{body}")))
        .mistake(
            "no-empty-line",
            plain(format!("HTTP/1.1 403 Forbidden\r\nContent-Length: {length}\r\n{body}")),
        )
        .file("request.http", request.bytes(&key))
        .command(["replay", "{file:request.http}"])
        .judged_by(move |file| refusal(file, &wanted))
}

/// What a file is worth as the refusal of a handshake, with this body.
fn refusal(file: &[u8], body: &str) -> Judgement {
    let mut reader = HeadReader::new();
    let progress = reader.push(file);
    let head = reader.parse(SourceId::Input, 0);
    if !head.is_response() {
        return Judgement::differs("no-status-line");
    }
    match head.status() {
        Some(101) => return Judgement::known("switched"),
        Some(200..=299) => return Judgement::known("success"),
        Some(403) => {}
        Some(_) => return Judgement::known("another-status"),
        None => return Judgement::differs("no-status"),
    }
    if progress.state != HeadState::Complete {
        return Judgement::known("no-empty-line");
    }
    if head.invalid {
        return Judgement::differs("no-field");
    }
    if head.headers.iter().any(|field| field.name.text().to_lowercase().starts_with("access-control-")) {
        return Judgement::known("cors-field");
    }
    let names = |name: &str, value: &str| head.values(name).any(|v| v.text().to_lowercase().contains(value));
    if names("Sec-WebSocket-Accept", "") || names("Upgrade", "websocket") {
        return Judgement::known("still-upgrading");
    }
    if head.values("Transfer-Encoding").next().is_some() {
        return Judgement::differs("chunked");
    }
    // An editor ends the last line, too; that line end is none of the body's.
    let sent = &file[progress.consumed..];
    let text = sent.strip_suffix(b"\n").map_or(sent, |line| line.strip_suffix(b"\r").unwrap_or(line));
    match head.values("Content-Length").next() {
        Some(length)
            if ![sent.len(), text.len()].map(|n| n.to_string()).contains(&length.text().into_owned()) =>
        {
            Judgement::known("wrong-length")
        }
        None if !names("Connection", "close") => Judgement::known("no-length"),
        _ if text == body.as_bytes() => Judgement::Right,
        _ => Judgement::differs("another-body"),
    }
}

/// Five devices between browser and server.
fn who_dropped_it(rng: &mut Rng) -> Instance {
    let (page, host) = (stranger(rng), host(rng));
    let dropper = 2 + rng.below(3);
    let harmless = 1 + rng.below(dropper - 1);
    let signer = loop {
        let device = 1 + rng.below(5);
        if ![harmless, dropper, dropper + 1].contains(&device) {
            break device;
        }
    };
    let (mut sent, key) = request(rng, &host, &format!("http://{page}"), &[]);
    let status = pick(rng, &["400 Bad Request", "426 Upgrade Required"]);
    let mut stretches = vec![sent.bytes(&key)];
    for device in 1..=5 {
        let edits = &mut sent.edits;
        if device == signer {
            edits.add.push(format!("Via: 1.1 device-{signer}"));
        } else if device == harmless {
            edits.drop.push("Connection".into());
            edits.add.push("Connection: keep-alive, Upgrade".into());
        } else if device == dropper {
            edits.drop.extend(["Upgrade".into(), "Connection".into()]);
            edits.add.retain(|line| !line.starts_with("Connection"));
            edits.add.push("Connection: keep-alive".into());
        }
        stretches.push(sent.bytes(&key));
    }
    let asks = |stretch: &Vec<u8>| {
        let facts = check_request(&Head::parse(stretch, SourceId::Input, 0), false).facts;
        !facts.broken.contains(&&MISSING_UPGRADE)
    };
    let device = stretches.iter().take_while(|stretch| asks(stretch)).count() as u64;
    let place = |at: usize| match at {
        0 => "from the browser to device 1".to_owned(),
        5 => "from device 5 to the server".to_owned(),
        _ => format!("from device {at} to device {}", at + 1),
    };
    let mut file = Vec::new();
    for (at, stretch) in stretches.iter().enumerate() {
        file.extend_from_slice(format!("# stretch {}: {}\r\n", at + 1, place(at)).as_bytes());
        file.extend_from_slice(stretch);
    }
    file.extend_from_slice(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n").as_bytes());
    Instance::new(Answer::Number(device))
        .hole("page", page)
        .hole("host", host)
        .hole("status", status)
        .hole("last", device)
        .hole("first", device + 1)
        .mistake("next-device", Answer::Number(device + 1))
        .mistake("harmless-change", Answer::Number(harmless))
        .mistake("blamed-the-server", Answer::Number(6))
        .mistake("via", Answer::Number(signer))
        .file("stretches.http", file)
        .command(["replay", "{file:stretches.http}"])
}

/// The steps of `wss` through a proxy.
fn through_the_tunnel(rng: &mut Rng) -> Instance {
    let (host, proxy) = (host(rng), format!("proxy-{}.example", 1000 + rng.below(9000)));
    let order = Answer::order;
    let tunnel = capture(
        &format!(
            "connection client=192.0.2.10:49152 server=192.0.2.8:3128\n\
             no-handshake\n\
             client raw \"CONNECT {host}:80 HTTP/1.1\\r\\nHost: {host}\\r\\n\\r\\n\"\n\
             server raw \"HTTP/1.1 200 Connection established\\r\\n\\r\\n\"\n\
             handshake path=/live host={host}\n\
             client text \"{}\"\n\
             client close 1000\n\
             server close 1000\n",
            phrase(rng)
        ),
        rng,
    );
    Instance::new(order(["tcp", "connect", "tunnel", "tls", "get", "switched", "frame"]))
        .hole("host", host)
        .hole("proxy", proxy)
        .mistake("tls-with-the-proxy", order(["tcp", "tls", "connect", "tunnel", "get", "switched", "frame"]))
        .mistake("tls-with-the-proxy", order(["tcp", "connect", "tls", "tunnel", "get", "switched", "frame"]))
        .mistake(
            "handshake-in-the-clear",
            order(["tcp", "connect", "tunnel", "get", "switched", "tls", "frame"]),
        )
        .mistake(
            "handshake-in-the-clear",
            order(["tcp", "connect", "tunnel", "get", "tls", "switched", "frame"]),
        )
        .mistake("frame-too-early", order(["tcp", "connect", "tunnel", "tls", "get", "frame", "switched"]))
        .mistake("asked-the-proxy", order(["tcp", "get", "connect", "tunnel", "tls", "switched", "frame"]))
        .choices(["tcp", "connect", "tunnel", "tls", "get", "switched", "frame"])
        .file("tunnel.pcap", tunnel)
        .command(["decode", "--view", "table", "{file:tunnel.pcap}"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_as_an_editor_writes_it() {
        let file = b"HTTP/1.1 403 Forbidden\nContent-Length: 4\n\nno!!\n";
        assert_eq!(refusal(file, "no!!"), Judgement::Right);
        let close = b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\nno!!";
        assert_eq!(refusal(close, "no!!"), Judgement::Right);
        assert!(matches!(refusal(close, "no!"), Judgement::Differs(_)));
        assert!(matches!(refusal(b"403 Forbidden\r\n\r\n", "no!"), Judgement::Differs(_)));
    }

    #[test]
    fn who_is_welcome() {
        let cases = [
            ("https://a.example", true),
            ("https://b.a.example", true),
            ("https://ba.example", false),
            ("https://a.example.b.example", false),
            ("https://a.example:8443", false),
            ("http://a.example", false),
            ("null", false),
        ];
        for (origin, expected) in cases {
            assert_eq!(is_welcome(origin, "a.example"), expected, "{origin}");
        }
    }
}
