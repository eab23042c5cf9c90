//! What a browser's events mean: connections, heads, messages.

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use crate::decoder::polls;
use crate::input::har::written::{self, Url};
use crate::lab::tap::{Head, Tap, Told, Wire, now};
use crate::limits;
use crate::model::{Dir, Opcode, Time};

/// Which pages are watched: those whose URL contains a text.
#[derive(Clone, Debug, Default)]
pub struct Filter(Option<String>);

impl Filter {
    /// Pages whose URL contains this, or all.
    pub fn of(text: Option<&str>) -> Self {
        Self(text.map(str::to_owned))
    }

    fn fits(&self, url: &str) -> bool {
        self.0.as_ref().is_none_or(|text| url.contains(text.as_str()))
    }
}

/// Follows the events of a browser.
pub(super) struct Watch {
    tap: Tap,
    filter: Filter,
    sessions: HashMap<String, Attached>,
    /// Where each target is, by its id.
    urls: HashMap<String, String>,
    sockets: HashMap<String, Open>,
    polls: HashMap<String, Poll>,
    /// Connections over which polls of a server went and that are free.
    free: HashMap<String, Vec<Wire>>,
    /// What waits for the content of a poll before it.
    queue: VecDeque<Waiting>,
    /// Which request each command asks for the content of.
    asked: HashMap<u64, String>,
    /// Seconds from the browser's clock to that of day.
    apart: Option<f64>,
}

/// A page, worker or frame.
struct Attached {
    target: String,
    parent: Option<String>,
}

/// A WebSocket.
struct Open {
    url: String,
    session: String,
    wire: Option<Wire>,
    /// Its handshake was told of, or it was open before.
    asked: bool,
    /// The method and the version of HTTP that it was asked for with.
    asks: (&'static str, &'static str),
    /// It is of a page that is not watched.
    ignored: bool,
}

/// A request of Engine.IO.
struct Poll {
    wire: Wire,
    authority: String,
    answer: Option<(u16, String, Head)>,
}

/// Something on its way to the tap.
enum Waiting {
    Told(Wire, Told, Time),
    /// An answer whose content is not there yet, and its request.
    Content(String),
    /// It is there.
    Answered(Wire, Told, Time, String),
}

impl Watch {
    pub fn new(tap: Tap, filter: Filter) -> Self {
        Self {
            tap,
            filter,
            sessions: HashMap::new(),
            urls: HashMap::new(),
            sockets: HashMap::new(),
            polls: HashMap::new(),
            free: HashMap::new(),
            queue: VecDeque::new(),
            asked: HashMap::new(),
            apart: None,
        }
    }

    /// We are attached to a target.
    pub fn attached(&mut self, session: &str, parent: Option<&str>, target: &Value) {
        self.learn(target);
        let id = word(target, "targetId");
        let attached = Attached { target: id, parent: parent.map(str::to_owned) };
        self.sessions.insert(session.to_owned(), attached);
    }

    fn learn(&mut self, target: &Value) {
        self.urls.insert(word(target, "targetId"), word(target, "url"));
    }

    /// Whether what belongs to a session is watched: its page's URL decides, whichever worker it is of.
    fn is_watched(&self, session: &str) -> bool {
        let mut session = session;
        // As deep as workers start workers.
        for _ in 0..16 {
            let Some(attached) = self.sessions.get(session) else { break };
            if self.urls.get(&attached.target).is_some_and(|url| self.filter.fits(url)) {
                return true;
            }
            let Some(parent) = &attached.parent else { break };
            session = parent;
        }
        self.filter.0.is_none()
    }

    /// Takes an event; the request whose content is wanted, if one is.
    pub fn event(&mut self, session: &str, method: &str, params: &Value) -> Option<String> {
        let id = word(params, "requestId");
        match method {
            "Target.targetInfoChanged" | "Target.targetCreated" => self.learn(&params["targetInfo"]),
            "Target.targetDestroyed" => drop(self.urls.remove(&word(params, "targetId"))),
            "Target.detachedFromTarget" => drop(self.sessions.remove(&word(params, "sessionId"))),
            "Network.webSocketCreated" => {
                let ignored = !self.is_watched(session);
                let (url, session) = (word(params, "url"), session.to_owned());
                self.sockets.entry(id).or_insert(Open {
                    url,
                    session,
                    wire: None,
                    asked: false,
                    asks: ("GET", "HTTP/1.1"),
                    ignored,
                });
            }
            "Network.requestWillBeSent" => self.request(session, id, params),
            "Network.responseReceived" => self.response(&id, &params["response"]),
            "Network.loadingFinished" => return self.finished(id),
            "Network.loadingFailed" => {
                if let Some(poll) = self.polls.remove(&id) {
                    let time = self.time(params);
                    self.tell(poll.wire, Told::Closed, time);
                }
            }
            _ => {
                if let Some(event) = method.strip_prefix("Network.webSocket") {
                    self.socket(session, id, event, params);
                }
            }
        }
        None
    }

    /// Something happens on a WebSocket.
    fn socket(&mut self, session: &str, id: String, event: &str, params: &Value) {
        let time = self.time(params);
        let ignored = !self.is_watched(session);
        let socket = self.sockets.entry(id.clone()).or_insert_with(|| Open {
            // It was there before we were.
            url: String::new(),
            session: session.to_owned(),
            wire: None,
            asked: true,
            asks: ("GET", "HTTP/1.1"),
            ignored,
        });
        // A worker's events may come by its page as well.
        if socket.ignored || socket.session != session {
            return;
        }
        let Url { secure, authority, target, .. } = Url::of(&socket.url);
        let tap = &self.tap;
        let wire = socket.wire.get_or_insert_with(|| tap.open_told(None, secure, time)).clone();
        // Where there was no connection at all, nothing but the failure is told.
        let is_first = !std::mem::replace(&mut socket.asked, true);
        if event == "WillSendHandshakeRequest" {
            let fields = head(&params["request"]["headers"], "", Vec::new(), true).headers;
            socket.asks = written::handshake(&fields);
        }
        let (method, version) = socket.asks;
        if event == "FrameError" && is_first {
            let head = Head { version: "HTTP/1.1".to_owned(), opens: true, ..Head::default() };
            let (target, authority) = (target.clone(), authority.clone());
            let asks = Told::Request { method: "GET".to_owned(), target, authority, head };
            self.tell(wire.clone(), asks, time);
        }
        let told = match event {
            "WillSendHandshakeRequest" => {
                let head = head(&params["request"]["headers"], version, Vec::new(), true);
                Told::Request { method: method.to_owned(), target, authority, head }
            }
            "HandshakeResponseReceived" => {
                let response = &params["response"];
                let head = head(&response["headers"], version, Vec::new(), true);
                Told::Response { status: status(response), reason: word(response, "statusText"), head }
            }
            "FrameSent" => message(Dir::Client, &params["response"]),
            "FrameReceived" => message(Dir::Server, &params["response"]),
            "FrameError" => Told::Failure(word(params, "errorMessage")),
            "Closed" => {
                self.sockets.remove(&id);
                Told::Closed
            }
            _ => return,
        };
        self.tell(wire, told, time);
    }

    /// A request that may be one of Engine.IO.
    fn request(&mut self, session: &str, id: String, params: &Value) {
        let request = &params["request"];
        let Url { secure, authority, target, .. } = Url::of(&word(request, "url"));
        if !polls(target.as_bytes()) || !self.is_watched(session) || params["type"] == "WebSocket" {
            return;
        }
        let time = self.time(params);
        let free = self.free.get_mut(&authority).and_then(Vec::pop);
        let wire = free.unwrap_or_else(|| self.tap.open_told(None, secure, time));
        let body = word(request, "postData").into_bytes();
        let head = head(&request["headers"], "HTTP/1.1", body, false);
        let method = word(request, "method");
        let told = Told::Request { method, target, authority: authority.clone(), head };
        self.tell(wire.clone(), told, time);
        self.polls.insert(id, Poll { wire, authority, answer: None });
    }

    fn response(&mut self, id: &str, response: &Value) {
        let Some(poll) = self.polls.get_mut(id) else { return };
        let version = written::version(response["protocol"].as_str().unwrap_or("http/1.1"));
        let head = head(&response["headers"], &version, Vec::new(), false);
        poll.answer = Some((status(response), word(response, "statusText"), head));
    }

    /// An answer is there: its content is asked for, and what comes meanwhile waits.
    fn finished(&mut self, id: String) -> Option<String> {
        self.polls.get(&id)?;
        self.queue.push_back(Waiting::Content(id.clone()));
        Some(id)
    }

    /// The content of a request was asked for with this command.
    pub fn asked(&mut self, command: u64, request: &str) {
        self.asked.insert(command, request.to_owned());
    }

    /// A command was answered.
    pub fn answered(&mut self, command: u64, result: &Value) {
        let Some(id) = self.asked.remove(&command) else { return };
        let Some(poll) = self.polls.remove(&id) else { return };
        let body = written::content(word(result, "body"), result["base64Encoded"] == true);
        let (status, reason, head) = poll.answer.unwrap_or_default();
        let told = Told::Response { status, reason, head: Head { body, ..head } };
        let place = self.queue.iter().position(|it| matches!(it, Waiting::Content(of) if *of == id));
        if let Some(place) = place {
            self.queue[place] = Waiting::Answered(poll.wire, told, now(), poll.authority);
        }
        self.pass();
    }

    /// Tells of something, behind what waits.
    fn tell(&mut self, wire: Wire, told: Told, time: Time) {
        self.queue.push_back(Waiting::Told(wire, told, time));
        self.pass();
    }

    /// Passes on what waits for nothing any longer.
    fn pass(&mut self) {
        while let Some(first) = self.queue.pop_front() {
            match first {
                Waiting::Told(wire, told, time) => wire.told(told, time),
                Waiting::Answered(wire, told, time, authority) => {
                    wire.told(told, time);
                    self.free.entry(authority).or_default().push(wire);
                }
                // A content that never comes is done without.
                Waiting::Content(id) if self.queue.len() >= limits::DEVTOOLS_WAITING => {
                    self.polls.remove(&id);
                }
                Waiting::Content(_) => {
                    self.queue.push_front(first);
                    return;
                }
            }
        }
    }

    /// Waits until whoever records has room for more.
    pub async fn room(&self) {
        self.tap.room().await;
    }

    /// When an event was. The browser's clock runs from somewhere; some events tell the time of day, too.
    fn time(&mut self, params: &Value) -> Time {
        let Some(timestamp) = params["timestamp"].as_f64() else { return now() };
        let of_day = params["wallTime"].as_f64();
        let fresh = of_day.map(|of_day| of_day - timestamp);
        let apart = fresh.or(self.apart).unwrap_or_else(|| now().0 as f64 / 1e9 - timestamp);
        self.apart = Some(apart);
        Time::of(timestamp + apart, 1_000_000_000).unwrap_or_else(now)
    }
}

impl Drop for Watch {
    /// Whoever is still open goes on without us.
    fn drop(&mut self) {
        let time = now();
        let open = self.sockets.values().filter_map(|open| open.wire.as_ref());
        let shared = self.free.values().flatten().chain(self.polls.values().map(|poll| &poll.wire));
        open.chain(shared).for_each(|wire| wire.told(Told::Left, time));
    }
}

fn word(of: &Value, key: &str) -> String {
    of[key].as_str().unwrap_or_default().to_owned()
}

fn status(response: &Value) -> u16 {
    response["status"].as_u64().and_then(|status| u16::try_from(status).ok()).unwrap_or_default()
}

fn head(headers: &Value, version: &str, body: Vec<u8>, opens: bool) -> Head {
    let headers = headers.as_object().into_iter().flatten();
    let fields = headers.flat_map(|(name, value)| written::fields(name, value.as_str().unwrap_or_default()));
    Head { version: version.to_owned(), headers: fields.collect(), body, opens }
}

fn message(dir: Dir, frame: &Value) -> Told {
    let kind = Opcode(frame["opcode"].as_f64().unwrap_or(1.0) as u8 & 15);
    Told::Message(dir, kind, written::carried(kind, word(frame, "payloadData")))
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use serde_json::json;

    use super::*;
    use crate::lab::tap::{Recording, What};

    fn told(recording: &Recording) -> Vec<(u32, String)> {
        std::iter::from_fn(|| recording.next_now())
            .map(|happened| {
                let what = match happened.what {
                    What::Told(told) => match *told {
                        Told::Open { secure, .. } => format!("open {secure}"),
                        Told::Request { target, head, .. } => format!("asks {target} {}", head.body.len()),
                        Told::Response { status, head, .. } => {
                            format!("answers {status} {}", String::from_utf8_lossy(&head.body))
                        }
                        Told::Message(dir, kind, bytes) => format!("{dir} {} {bytes:?}", kind.0),
                        other => format!("{other:?}"),
                    },
                    What::Over => "over".to_owned(),
                    _ => panic!("no bytes are tapped"),
                };
                (happened.flow.0, what)
            })
            .collect()
    }

    #[test]
    fn pages_are_chosen_by_their_url_and_workers_by_their_page() {
        let (tap, recording) = Tap::new();
        let mut watch = Watch::new(tap, Filter::of(Some("chat")));
        watch.attached("p1", None, &json!({ "targetId": "t1", "url": "https://a/chat" }));
        watch.attached("p2", None, &json!({ "targetId": "t2", "url": "about:blank" }));
        watch.attached("w1", Some("p1"), &json!({ "targetId": "t3", "url": "https://a/worker.js" }));
        for (session, id) in [("p1", "1"), ("p2", "2"), ("w1", "3")] {
            let created = json!({ "requestId": id, "url": "wss://a/x" });
            watch.event(session, "Network.webSocketCreated", &created);
            let frame = json!({ "requestId": id, "timestamp": 5.5,
                "response": { "opcode": 2, "payloadData": "AAE=" } });
            watch.event(session, "Network.webSocketFrameSent", &frame);
            // The same by another way.
            watch.event("p1", "Network.webSocketFrameSent", &frame);
        }
        let sent = "client 2 [0, 1]".to_owned();
        let open = |flow| (flow, "open true".to_owned());
        assert_eq!(told(&recording), [open(0), (0, sent.clone()), (0, sent.clone()), open(1), (1, sent)]);
        watch.event(
            "",
            "Target.targetInfoChanged",
            &json!({ "targetInfo": { "targetId": "t2",
            "url": "https://a/chat/2" } }),
        );
        assert!(watch.is_watched("p2"));
        drop(watch);
        let ends: Vec<String> = told(&recording).into_iter().map(|(_, what)| what).collect();
        assert_eq!(ends.iter().filter(|what| *what == "Left").count(), 2, "{ends:?}");
    }

    /// As Chromium tells of a WebSocket on a stream of HTTP/2 (RFC 8441): HTTP/1.1, but without a key.
    #[test]
    fn a_handshake_without_a_key_went_over_http2() {
        for (key, version) in [("Sec-WebSocket-Key", "HTTP/1.1"), ("X-Other", "HTTP/2")] {
            let (tap, recording) = Tap::new();
            let mut watch = Watch::new(tap, Filter::default());
            watch.attached("p", None, &json!({ "targetId": "t", "url": "https://a/" }));
            watch.event("p", "Network.webSocketCreated", &json!({ "requestId": "1", "url": "wss://a/chat" }));
            let headers = json!({ "Sec-WebSocket-Version": "13", key: "x" });
            let asks = json!({ "requestId": "1", "timestamp": 1.0, "request": { "headers": headers } });
            watch.event("p", "Network.webSocketWillSendHandshakeRequest", &asks);
            let answers = json!({ "requestId": "1", "timestamp": 1.5, "response": { "status": 200 } });
            watch.event("p", "Network.webSocketHandshakeResponseReceived", &answers);
            let heads: Vec<String> = std::iter::from_fn(|| recording.next_now())
                .filter_map(|happened| match happened.what {
                    What::Told(told) => match *told {
                        Told::Request { head, .. } | Told::Response { head, .. } => Some(head.version),
                        _ => None,
                    },
                    _ => None,
                })
                .collect();
            assert_eq!(heads, [version, version], "{key}");
        }
    }

    /// As Chromium tells of a port at which nothing listens: there is no handshake.
    #[test]
    fn a_connection_that_never_was_is_told_with_why() {
        let (tap, recording) = Tap::new();
        let mut watch = Watch::new(tap, Filter::default());
        watch.attached("p", None, &json!({ "targetId": "t", "url": "http://a/" }));
        let created = json!({ "requestId": "1", "url": "ws://a:1/chat" });
        watch.event("p", "Network.webSocketCreated", &created);
        let failed =
            json!({ "requestId": "1", "timestamp": 2.0, "errorMessage": "net::ERR_CONNECTION_REFUSED" });
        watch.event("p", "Network.webSocketFrameError", &failed);
        watch.event("p", "Network.webSocketClosed", &json!({ "requestId": "1", "timestamp": 2.5 }));
        let said: Vec<String> = told(&recording).into_iter().map(|(_, what)| what).collect();
        assert_eq!(said[..2], ["open false".to_owned(), "asks /chat 0".to_owned()]);
        assert!(said[2].contains("ERR_CONNECTION_REFUSED"), "{said:?}");
        assert_eq!(said[3..], ["Closed".to_owned(), "over".to_owned()]);
    }

    #[test]
    fn polls_wait_for_a_recorder_that_is_behind() {
        let (tap, recording) = Tap::new();
        let mut watch = Watch::new(tap, Filter::default());
        let post = "4".repeat(limits::LAB_TAP + 1);
        let request = json!({ "requestId": "1", "request": { "url": "http://a/socket.io/?EIO=4",
            "method": "POST", "postData": post, "headers": {} } });
        watch.event("p", "Network.requestWillBeSent", &request);
        let waits = |watch: &Watch| {
            let room = std::pin::pin!(watch.room());
            room.poll(&mut Context::from_waker(Waker::noop())).is_pending()
        };
        assert!(waits(&watch));
        while recording.next_now().is_some() {}
        assert!(!waits(&watch));
    }

    #[test]
    fn what_comes_after_a_poll_waits_for_its_content() {
        let (tap, recording) = Tap::new();
        let mut watch = Watch::new(tap, Filter::default());
        watch.attached("p", None, &json!({ "targetId": "t", "url": "http://a/" }));
        let request = json!({ "requestId": "1", "timestamp": 1.0, "wallTime": 1_700_000_000.0,
            "request": { "url": "http://a/socket.io/?EIO=4", "method": "POST", "postData": "40",
            "headers": {} } });
        assert_eq!(watch.event("p", "Network.requestWillBeSent", &request), None);
        for url in ["http://a/", "data:text/html,<script>new WebSocket('ws://a/?EIO=4')"] {
            let other = json!({ "requestId": "2", "request": { "url": url, "headers": {} } });
            watch.event("p", "Network.requestWillBeSent", &other);
        }
        watch.event(
            "p",
            "Network.responseReceived",
            &json!({ "requestId": "1",
            "response": { "status": 200, "protocol": "h2", "headers": { "a": "b\nc" } } }),
        );
        let finished = json!({ "requestId": "1", "timestamp": 2.0 });
        let wanted = watch.event("p", "Network.loadingFinished", &finished).expect("a content");
        watch.asked(7, &wanted);
        watch.event("p", "Network.webSocketCreated", &json!({ "requestId": "3", "url": "ws://a/" }));
        watch.event(
            "p",
            "Network.webSocketFrameReceived",
            &json!({ "requestId": "3", "timestamp": 3.25,
            "response": { "opcode": 1, "payloadData": "hi" } }),
        );
        let words = |flow: u32, what: &str| (flow, what.to_owned());
        assert_eq!(
            told(&recording),
            [words(0, "open false"), words(0, "asks /socket.io/?EIO=4 2"), words(1, "open false")]
        );
        watch.answered(7, &json!({ "body": "b2s=", "base64Encoded": true }));
        assert_eq!(told(&recording), [words(0, "answers 200 ok"), words(1, "server 1 [104, 105]")]);
        // The connection is free for the next one.
        watch.event("p", "Network.requestWillBeSent", &request);
        assert_eq!(told(&recording), [words(0, "asks /socket.io/?EIO=4 2")]);
    }
}
