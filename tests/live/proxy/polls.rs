//! Faults and rules befall HTTP that polls, and leave pages alone.
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::{PATIENCE, Proxy, folder};

/// Answers each request with what it asks for behind `?`, on as many connections as come.
fn server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for tcp in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || answer(tcp));
        }
    });
    address
}

fn answer(mut tcp: TcpStream) {
    let mut seen = Vec::new();
    while let Some(head) = head(&mut tcp, &mut seen) {
        let length = head.split("Content-Length: ").nth(1).and_then(|it| it.split('\r').next());
        let length: usize = length.map_or(0, |it| it.parse().expect("a number"));
        while seen.len() < length {
            if !more(&mut tcp, &mut seen) {
                return;
            }
        }
        let body: Vec<u8> = seen.drain(..length).collect();
        let said = match head.split_once("say=").and_then(|(_, rest)| rest.split(' ').next()) {
            _ if !body.is_empty() => body,
            Some(said) => said.replace("%1E", "\x1e").into_bytes(),
            None if head.contains("/chunks") => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";
                let _ = tcp.write_all(format!("{head}Transfer-Encoding: chunked\r\n\r\n").as_bytes());
                // Chunks and events begin and end in different places.
                for chunk in [
                    ": hi\n\nid: 1\nda",
                    "ta: price 1\n\nevent: log\ndata: x\n",
                    "\ndata: {\"type\":\"end\"}\n\n",
                    "data: more\n\n",
                ] {
                    if tcp.write_all(format!("{:x}\r\n{chunk}\r\n", chunk.len()).as_bytes()).is_err() {
                        return;
                    }
                    thread::sleep(Duration::from_millis(20));
                }
                let _ = tcp.write_all(b"0\r\nDigest: none\r\n\r\n");
                continue;
            }
            // Compressed whoever asks how.
            None if head.contains("/coded") => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: gzip\r\n";
                let _ = tcp.write_all(format!("{head}Content-Length: 9\r\n\r\ndata: 1\n\n").as_bytes());
                continue;
            }
            None if head.contains("/length") => {
                let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 18\r\n\r\n";
                let _ = tcp.write_all(format!("{head}data: 1\n\ndata: 2\n\n").as_bytes());
                continue;
            }
            None if head.contains("/events") => {
                let events = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n:\n\n";
                let _ = tcp.write_all(events.as_bytes());
                for number in 0..100 {
                    if tcp.write_all(format!("data: {number}\n\n").as_bytes()).is_err() {
                        return;
                    }
                    thread::sleep(Duration::from_millis(20));
                }
                return;
            }
            None => b"nothing".to_vec(),
        };
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", said.len());
        if tcp.write_all(&[answer.as_bytes(), &said].concat()).is_err() {
            return;
        }
    }
}

fn more(tcp: &mut TcpStream, seen: &mut Vec<u8>) -> bool {
    let mut piece = [0; 4096];
    let count = tcp.read(&mut piece).unwrap_or_default();
    seen.extend_from_slice(&piece[..count]);
    count > 0
}

fn head(tcp: &mut TcpStream, seen: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(at) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            return String::from_utf8(seen.drain(..at + 4).collect()).ok();
        }
        if !more(tcp, seen) {
            return None;
        }
    }
}

/// A client that polls on one connection.
struct Poller {
    tcp: TcpStream,
    seen: Vec<u8>,
}

impl Poller {
    fn to(proxy: &Proxy) -> Self {
        let tcp = TcpStream::connect(&proxy.address).expect("it listens");
        tcp.set_read_timeout(Some(PATIENCE)).expect("a socket");
        Self { tcp, seen: Vec::new() }
    }

    fn ask(&mut self, request: &str) -> Option<(String, Vec<u8>)> {
        self.tcp.write_all(request.as_bytes()).ok()?;
        let head = head(&mut self.tcp, &mut self.seen)?;
        let length = head.split("ontent-Length: ").nth(1)?.split('\r').next()?.parse().ok()?;
        while self.seen.len() < length {
            if !more(&mut self.tcp, &mut self.seen) {
                return None;
            }
        }
        Some((head, self.seen.drain(..length).collect()))
    }

    /// What a poll is answered, if it is.
    fn poll(&mut self, target: &str) -> Option<String> {
        let (_, body) = self.ask(&format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n"))?;
        Some(String::from_utf8_lossy(&body).into_owned())
    }

    fn post(&mut self, target: &str, body: &str) -> Option<String> {
        let head = format!("POST {target} HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", body.len());
        let (_, body) = self.ask(&(head + body))?;
        Some(String::from_utf8_lossy(&body).into_owned())
    }

    /// Whether the connection ends, and not only falls silent.
    fn is_over(&mut self) -> bool {
        !more(&mut self.tcp, &mut self.seen)
    }
}

fn faulty(fault: &str) -> Proxy {
    let to = format!("ws://{}", server());
    Proxy::start(&["--to", &to, "--seed", "1", "--fault", fault])
}

#[test]
fn polls_wait() {
    let proxy = faulty("delay=300ms");
    let mut poller = Poller::to(&proxy);
    let start = Instant::now();
    assert_eq!(poller.poll("/poll?say=one").as_deref(), Some("one"));
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(proxy.end().code, Some(0));
}

#[test]
fn a_poll_that_is_lost_gets_no_answer() {
    let mut proxy = faulty("drop=1");
    let mut poller = Poller::to(&proxy);
    assert_eq!(poller.poll("/poll?say=one"), None);
    assert!(poller.is_over());
    proxy.note("drop: the server's text message is lost");
}

#[test]
fn polls_are_answered_with_a_status() {
    let mut proxy = faulty("status=503");
    let (head, _) = Poller::to(&proxy).ask("GET /poll HTTP/1.1\r\nHost: a\r\n\r\n").expect("an answer");
    assert!(head.starts_with("HTTP/1.1 503"), "{head}");
    proxy.note("status: a request is answered with 503");
    // A page is none.
    let page = "GET /?say=page HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n";
    let (head, body) = Poller::to(&proxy).ask(page).expect("an answer");
    assert!(head.starts_with("HTTP/1.1 200") && body == b"page", "{head}");
}

#[test]
fn the_connection_ends_behind_so_many_answers() {
    for (fault, most) in [("cut-after=2", 2), ("close=1011:so", 1), ("reset", 1)] {
        let proxy = faulty(fault);
        let mut poller = Poller::to(&proxy);
        for number in 1..=most {
            let answered = poller.poll(&format!("/poll?say={number}"));
            // A reset may overtake what was sent before it.
            assert!(answered == Some(number.to_string()) || fault == "reset", "{fault}");
        }
        assert_eq!(poller.poll("/poll?say=more"), None, "{fault}");
        assert_eq!(proxy.end().code, Some(0), "{fault}");
    }
}

#[test]
fn an_idle_poll_ends() {
    let mut proxy = faulty("idle-timeout=300ms");
    let mut poller = Poller::to(&proxy);
    assert_eq!(poller.poll("/poll?say=one").as_deref(), Some("one"));
    assert!(poller.is_over());
    proxy.note("idle-timeout: nobody says anything");
}

#[test]
fn answers_are_spoiled() {
    let proxy = faulty("bad-utf8");
    let (_, body) =
        Poller::to(&proxy).ask("GET /poll?say=text HTTP/1.1\r\nHost: a\r\n\r\n").expect("an answer");
    assert_eq!(body, b"tex\xff");
}

/// The comment that it begins with is no event.
#[test]
fn a_stream_is_cut_behind_so_many_events() {
    let mut proxy = faulty("cut-after=3");
    let mut poller = Poller::to(&proxy);
    poller.tcp.write_all(b"GET /events HTTP/1.1\r\nHost: a\r\n\r\n").expect("it takes bytes");
    while more(&mut poller.tcp, &mut poller.seen) {}
    let text = String::from_utf8(poller.seen).expect("UTF-8");
    assert!(text.contains("data: 2\n\n") && !text.contains("data: 9\n\n"), "{text}");
    proxy.note("cut-after: both connections end behind message 3");
}

/// A proxy with these rules.
fn ruled(name: &str, rules: &str) -> Proxy {
    let file = folder("rules").join(name);
    std::fs::write(&file, rules).expect("a file");
    let to = format!("ws://{}", server());
    Proxy::start(&["--to", &to, "--rules", file.to_str().expect("UTF-8")])
}

impl Poller {
    /// What comes of a stream until this does, or until the connection ends.
    fn stream(&mut self, target: &str, until: &str) -> String {
        let request = format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        self.tcp.write_all(request.as_bytes()).expect("it takes bytes");
        while !String::from_utf8_lossy(&self.seen).contains(until) && more(&mut self.tcp, &mut self.seen) {}
        let text = String::from_utf8(std::mem::take(&mut self.seen)).expect("UTF-8");
        text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default()
    }
}

/// Each goes on in a chunk of its own, and the connection goes on behind the last one.
#[test]
fn rules_see_events_in_chunks() {
    let rules = "[[rule]]\nside = 'server'\nregex = 'price (.)'\nreplace = \"cost\\n$1\"\n\n\
        [[rule]]\nevent = 'log'\ndrop = true\n\n\
        [[rule]]\njson = { '$.type' = 'end' }\ndelay = '300ms'\n";
    let mut proxy = ruled("chunks.toml", rules);
    let mut poller = Poller::to(&proxy);
    let start = Instant::now();
    let expected =
        [": hi\n", "\n", "id: 1\ndata: cost\ndata: 1\n\n", "data: {\"type\":\"end\"}\n\n", "data: more\n\n"];
    let expected = expected.map(|it| format!("{:x}\r\n{it}\r\n", it.len())).concat();
    let trailer = "0\r\nDigest: none\r\n\r\n";
    assert_eq!(poller.stream("/chunks", trailer), expected + trailer);
    assert!(start.elapsed() >= Duration::from_millis(300));
    assert_eq!(poller.poll("/poll?say=cost").as_deref(), Some("cost"));
    proxy.note("chunks.toml:1: the server's text message is replaced");
    proxy.note("chunks.toml:6: the server's text message is dropped");
    let said = proxy.end();
    assert!(said.out.contains("message: cost") && !said.out.contains("log"), "{}", said.out);
}

#[test]
fn rules_see_events_until_the_connection_closes() {
    let rules = "[[rule]]\ntext = '2'\ndrop = true\n\n[[rule]]\ntext = '4'\nclose = '1011:enough'\n";
    let mut proxy = ruled("events.toml", rules);
    assert_eq!(Poller::to(&proxy).stream("/events", "never"), ":\n\ndata: 0\n\ndata: 1\n\ndata: 3\n\n");
    proxy.note("events.toml:5: closed at the server's text message");
}

#[test]
fn events_are_lost_and_spoiled() {
    let lost = faulty("drop=1,cut-after=9");
    let trailer = "0\r\nDigest: none\r\n\r\n";
    assert_eq!(Poller::to(&lost).stream("/chunks", trailer), format!("5\r\n: hi\n\r\n1\r\n\n\r\n{trailer}"));
}

/// What has a length goes on in chunks; what is coded can only pass, which is said once.
#[test]
fn events_with_a_length_are_seen_and_coded_ones_are_not() {
    let rules = "[[rule]]\nside = 'server'\ntext = '1'\ndrop = true\n";
    let mut proxy = ruled("length.toml", rules);
    let mut poller = Poller::to(&proxy);
    assert_eq!(poller.stream("/length", "0\r\n\r\n"), "9\r\ndata: 2\n\n\r\n0\r\n\r\n");
    for _ in 0..2 {
        assert_eq!(poller.stream("/coded", "1\n\n"), "data: 1\n\n");
    }
    let said = "an answer is coded (gzip): what it says can be neither looked into nor changed";
    proxy.note(said);
    let ended = proxy.end();
    assert_eq!(ended.err.matches(said).count(), 1, "{}", ended.err);
}

#[test]
fn rules_see_what_polls_say() {
    let file = folder("rules").join("polls.toml");
    let rules = "[[rule]]\nside = 'server'\nevent = 'gone'\ndrop = true\n\n\
        [[rule]]\nside = 'server'\ntext = 'price'\nreplace = 'cost'\n\n\
        [[rule]]\nside = 'client'\ntext = 'login'\nanswer = 'welcome'\n";
    std::fs::write(&file, rules).expect("a file");
    let to = format!("ws://{}", server());
    let mut proxy = Proxy::start(&["--to", &to, "--rules", file.to_str().expect("UTF-8")]);
    let mut poller = Poller::to(&proxy);
    assert_eq!(poller.poll("/poll?say=price").as_deref(), Some("cost"));
    let engine = "/socket.io/?EIO=4&transport=polling&sid=a&say=";
    let answered = poller.poll(&format!("{engine}2%1E42[\"gone\"]%1E42[\"price\"]"));
    assert_eq!(answered.as_deref(), Some("2\x1e42[\"cost\"]"));
    assert_eq!(poller.poll(&format!("{engine}42[\"gone\"]")).as_deref(), Some("6"));
    assert_eq!(poller.post("/say", "login: me").as_deref(), Some("welcome"));
    proxy.note("message is answered instead");
    assert_eq!(proxy.end().code, Some(0));
}
