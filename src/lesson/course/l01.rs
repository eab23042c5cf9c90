//! Lesson 1: the opening handshake, and where HTTP ends.

mod faults;
mod request;

use super::draw::{host, phrase, pick};
use super::wire::{capture, hex_block, served};
use crate::http::HeadReader;
use crate::lesson::{Answer, Instance, Make, decode, hex};
use crate::model::Opcode;
use crate::synth::Rng;
use crate::synth::handshake::{Request, Response, key};

pub static EXERCISES: &[Make] = &[
    Make { id: "mark-the-faults", make: faults::mark_the_faults },
    Make { id: "which-are-refused", make: faults::which_are_refused },
    Make { id: "where-http-ends", make: where_http_ends },
    Make { id: "write-the-request", make: request::write_the_request },
    Make { id: "connections-needed", make: connections_needed },
];

/// A program's request to a host and path of its own.
fn request(rng: &mut Rng) -> Request {
    let path = format!("/{}", pick(rng, &["chat", "live", "feed", "room", "game", "news"]));
    Request { path: Some(path), host: Some(host(rng)), key: Some(fresh_key(rng)), ..Request::default() }
}

fn fresh_key(rng: &mut Rng) -> String {
    let mut nonce = [0; 16];
    rng.fill(&mut nonce);
    key(nonce)
}

/// Lines as a block of code in Markdown, without the empty one at the end.
fn block<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let lines: Vec<_> =
        lines.into_iter().filter(|line| !line.is_empty()).map(|line| format!("    {line}")).collect();
    lines.join("\n")
}

/// A response's head, and the frame behind it.
fn where_http_ends(rng: &mut Rng) -> Instance {
    let request = request(rng);
    let response = Response::default().bytes(&request, "");
    let server = format!(
        "Server: {}/{}.{}\r\n\r\n",
        pick(rng, &["gull", "otter", "plover"]),
        rng.below(20),
        rng.below(40)
    );
    let head = [&response[..response.len() - 2], server.as_bytes()].concat();
    let sent = [head.clone(), served(Opcode::TEXT, phrase(rng).as_bytes())].concat();

    let ends = HeadReader::new().push(&sent).consumed;
    let text = String::from_utf8_lossy(&head).into_owned();
    let lengths: Vec<_> = text.lines().map(str::len).filter(|length| *length > 0).collect();
    let list = lengths.iter().map(ToString::to_string).collect::<Vec<_>>();
    let number = |n: usize| Answer::Number(n as u64);
    Instance::new(number(ends))
        .hole("head", block(text.lines()))
        .hole("rest", hex_block(&sent[ends..]))
        .hole("lengths", list.join(", "))
        .hole("sum", format!("{} + {} × 2 + 2", list.join(" + "), lengths.len()))
        .hole("first", hex(&sent[ends..=ends]))
        .hole("hex", format!("0x{ends:04x}"))
        .mistake("all-of-it", number(sent.len()))
        .mistake("one-byte-line-ends", number(ends - lengths.len() - 1))
        .mistake("empty-line-forgotten", number(ends - 2))
        .mistake("counted-from-one", number(ends + 1))
        .mistake("last-of-http", number(ends - 1))
        .mistake("frame-header-skipped", number(ends + 2))
        .file("server.bin", sent)
        .command(["decode", "--view", "hex", "{file:server.bin}"])
}

/// What answers a handshake.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reply {
    Opened,
    /// Refused, and the connection goes on.
    Refused(&'static str),
    /// Refused, with `Connection: close`.
    Closed(&'static str),
}

/// Handshakes, some refused, on as few connections as HTTP/1.1 needs.
fn connections_needed(rng: &mut Rng) -> Instance {
    const KEPT: [&str; 4] = ["401 Unauthorized", "403 Forbidden", "404 Not Found", "410 Gone"];
    const CLOSED: [&str; 3] = ["400 Bad Request", "503 Service Unavailable", "429 Too Many Requests"];
    // Never as many of the one as of the other: forgetting either comes to a number of its own.
    let (closes, opened) = pick(rng, &[(1, 2), (2, 1), (1, 3), (3, 1), (2, 3), (3, 2)]);
    let mut replies = vec![Reply::Opened; opened];
    replies.extend((0..closes).map(|_| Reply::Closed(pick(rng, &CLOSED))));
    replies.extend((0..2 + rng.below(2)).map(|_| Reply::Refused(pick(rng, &KEPT))));
    rng.shuffle(&mut replies);
    // The last one leaves its connection to nobody, so it counts for nothing.
    replies.push(Reply::Opened);

    let host = host(rng);
    let (mut lines, mut script) = (Vec::new(), String::new());
    for (place, reply) in replies.iter().enumerate() {
        let path = format!("/{}/{}", pick(rng, &["room", "table", "floor"]), 1 + rng.below(900));
        script += &exchange(*reply, &host, &path);
        let answer = match reply {
            Reply::Opened => "101 Switching Protocols".to_owned(),
            Reply::Refused(status) => (*status).to_owned(),
            Reply::Closed(status) => format!("{status}, Connection: close"),
        };
        lines.push(format!("{}  GET {path:<11} → {answer}", place + 1));
        if place + 1 < replies.len() && !matches!(reply, Reply::Refused(_)) {
            script += "connection\n";
        }
    }
    let visits = capture(&script, rng);
    let number = |n: usize| Answer::Number(n as u64);
    let needed = decode(&visits).connections;
    Instance::new(Answer::Number(needed))
        .hole("host", host)
        .hole("list", block(lines.iter().map(String::as_str)))
        .hole("closes", closes)
        .hole("opened", opened)
        .hole("sum", format!("1 + {closes} + {opened}"))
        .mistake("one-a-request", number(replies.len()))
        .mistake("last-101-counted", number(2 + closes + opened))
        .mistake("http-after-101", number(1 + closes))
        .mistake("close-ignored", number(1 + opened))
        .mistake("all-on-one", number(1))
        .file("visits.pcap", visits)
        .command(["decode", "--view", "table", "{file:visits.pcap}"])
}

/// A handshake and its answer, as lines of a script.
fn exchange(reply: Reply, host: &str, path: &str) -> String {
    let request = format!("request path={path} host={host}\n");
    let refused = |status: &str, close: &str| {
        format!(
            "{request}response line=\"HTTP/1.1 {status}\" drop=Upgrade drop=Connection \
             drop=Sec-WebSocket-Accept header=\"Content-Length: 0\"{close}\n"
        )
    };
    match reply {
        Reply::Opened => format!("{request}response\nclient close 1000\nserver close 1000\n"),
        Reply::Refused(status) => refused(status, ""),
        Reply::Closed(status) => refused(status, " header=\"Connection: close\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::Lang;

    /// The sums in the solutions come to what the decoder says.
    #[test]
    fn solutions_add_up() {
        for seed in 0..30 {
            for make in [where_http_ends, connections_needed] {
                let instance = make(&mut Rng::new(seed));
                let sum = instance.fill("{sum}", Lang::En);
                let product =
                    |term: &str| term.split(" × ").filter_map(|n| n.parse::<u64>().ok()).product::<u64>();
                let total = sum.split(" + ").map(product).sum();
                assert_eq!(instance.right, Answer::Number(total), "{sum}");
            }
        }
    }
}
