//! Engine.IO by HTTP long polling, as a client speaks it.
//!
//! ```text
//! queue() ─► posts ─► POST … ─► server
//! next()  ◄─ polls ◄─ GET …  ◄─
//! ```

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, HeaderName, HeaderValue};
use hyper::{Method, StatusCode};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::opening::Opening;
use super::transport::revision;
use crate::cli::dial::line::Reach;
use crate::lab::engine::packet::{Packet, Revision};
use crate::lab::engine::payload::{self, Body};
use crate::lab::frames::Received;
use crate::lab::http::{self, Fields, Http};
use crate::lab::socket::Came;
use crate::lab::tap::{Tap, Tapped};
use crate::model::{Dir, Opcode, Text};

/// What is said of a poll that gives nothing.
pub const POLLED: &str = "a poll is answered with {}";

/// Packets that are posted together.
const TOGETHER: usize = 64;

/// Packets that came and were not asked for yet.
const CAME: usize = 256;

/// A session on polling.
pub struct Polling {
    revision: Revision,
    came: mpsc::Receiver<io::Result<Came>>,
    posts: mpsc::UnboundedSender<Packet>,
    waiting: Arc<AtomicUsize>,
    closing: bool,
    /// What polls and posts, as long as this is there.
    _tasks: JoinSet<()>,
}

/// A packet as a message of a WebSocket carries it.
pub fn received(packet: &Packet, revision: Revision) -> Received {
    let (kind, payload) = packet.payload(revision, true);
    Received { kind, payload: payload.into_owned() }
}

impl Polling {
    /// Polls and posts from now on.
    pub fn begin(mut asks: Asks) -> Self {
        let (tell, came) = mpsc::channel(CAME);
        let (posts, to_post) = mpsc::unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        let revision = asks.revision;
        let poster = asks.beside();
        tasks.spawn(post(poster, to_post, tell.clone(), Arc::clone(&waiting)));
        tasks.spawn(async move {
            loop {
                match asks.poll().await {
                    Ok(packets) => {
                        for packet in packets.iter().filter(|packet| **packet != Packet::Noop) {
                            if tell.send(Ok(Came::Message(received(packet, revision)))).await.is_err() {
                                return;
                            }
                        }
                    }
                    Err(why) => {
                        // Who does not listen any longer does not miss it.
                        let _ = tell.send(Err(io::Error::other(why.to_string()))).await;
                        return;
                    }
                }
            }
        });
        Self { revision, came, posts, waiting, closing: false, _tasks: tasks }
    }

    /// What comes next.
    ///
    /// # Errors
    /// Why nothing can come any longer.
    pub async fn next(&mut self) -> io::Result<Came> {
        self.came.recv().await.unwrap_or(Ok(Came::End))
    }

    /// Puts a packet, as a WebSocket carries it, behind what waits to be posted.
    pub fn queue(&mut self, opcode: Opcode, payload: &[u8]) {
        let packet = match opcode {
            Opcode::BINARY => Packet::from_binary(Bytes::copy_from_slice(payload), self.revision),
            _ => str::from_utf8(payload).ok().and_then(|text| Packet::from_text(text, self.revision)),
        };
        let Some(packet) = packet.filter(|_| !self.closing) else { return };
        self.waiting.fetch_add(packet.weight(), Ordering::Relaxed);
        // When nobody posts any longer the polls say why.
        let _ = self.posts.send(packet);
    }

    /// Ends the session, behind what waits.
    pub fn close(&mut self) {
        if !self.closing {
            // When nobody posts any longer the polls say why.
            let _ = self.posts.send(Packet::Close);
        }
        self.closing = true;
    }

    /// Bytes that wait to be posted.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }
}

/// Posts what is to be sent, as much as there is at a time, until that is the end of the session.
async fn post(
    mut asks: Asks,
    mut packets: mpsc::UnboundedReceiver<Packet>,
    tell: mpsc::Sender<io::Result<Came>>,
    waiting: Arc<AtomicUsize>,
) {
    while let Some(packet) = packets.recv().await {
        let mut together = vec![packet];
        while together.len() < TOGETHER
            && let Ok(packet) = packets.try_recv()
        {
            together.push(packet);
        }
        let is_over = together.contains(&Packet::Close);
        let weight: usize = together.iter().filter(|it| **it != Packet::Close).map(Packet::weight).sum();
        let posted = asks.post(&together).await;
        waiting.fetch_sub(weight, Ordering::Relaxed);
        let told = match posted {
            Ok(()) if is_over => Ok(Came::Close(None, String::new())),
            Ok(()) => continue,
            Err(why) => Err(io::Error::other(why.to_string())),
        };
        // Who does not listen any longer does not miss it.
        let _ = tell.send(told).await;
        return;
    }
}

/// An answer to a request.
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its body is bytes, not text.
    binary: bool,
    /// All of it.
    pub body: Bytes,
}

impl Answer {
    /// The first of its body, to be shown.
    pub fn shown(&self) -> String {
        const SHOWN: usize = 80;
        String::from_utf8_lossy(&self.body[..self.body.len().min(SHOWN)]).trim().to_owned()
    }

    /// These `words` with its status, and what it says.
    pub fn told(&self, words: &'static str) -> Text {
        let (told, shown) = (Text::with(words, self.status), self.shown());
        if shown.is_empty() { told } else { Text::new("{}: {}").word(told).and(shown) }
    }
}

/// What asks a server, one request after the other, on a connection that is kept.
pub struct Asks {
    reach: Reach,
    tap: Tap,
    fields: Fields,
    /// The revision of Engine.IO.
    pub revision: Revision,
    /// The session's id, once there is one.
    pub sid: Option<String>,
    http: Option<Http>,
    /// The version of TLS, once there is a connection.
    pub tls: Option<&'static str>,
}

impl Asks {
    /// What goes to an opening's server.
    pub fn of(opening: &Opening, tap: &Tap) -> Self {
        let url = &opening.reach.url;
        let host = HeaderValue::from_str(&url.host_field()).ok().map(|host| (HOST, host));
        let is_fit = |(name, value): &(String, String)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value).ok()?))
        };
        let own = opening.asking.fields.iter().filter_map(is_fit);
        Self {
            reach: opening.reach.clone(),
            tap: tap.clone(),
            fields: host.into_iter().chain(own).collect(),
            revision: revision(url),
            sid: None,
            http: None,
            tls: None,
        }
    }

    /// The same for another connection.
    fn beside(&self) -> Self {
        Self {
            reach: self.reach.clone(),
            tap: self.tap.clone(),
            fields: self.fields.clone(),
            sid: self.sid.clone(),
            http: None,
            ..*self
        }
    }

    /// The path and query of a request.
    pub fn target(&self, transport: &str) -> String {
        let mut target = format!("{}&transport={transport}", self.reach.url.resource);
        if let Some(sid) = &self.sid {
            target.push_str("&sid=");
            target.extend(form_urlencoded::byte_serialize(sid.as_bytes()));
        }
        target
    }

    /// A poll, answered whatever way.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn get(&mut self) -> Result<Answer, Text> {
        self.ask(Method::GET, Body::Text(String::new())).await
    }

    /// What a poll gives.
    ///
    /// # Errors
    /// Why it gives nothing.
    pub async fn poll(&mut self) -> Result<Vec<Packet>, Text> {
        let answer = self.get().await?;
        if answer.status != StatusCode::OK {
            return Err(answer.told(POLLED));
        }
        let read = self.read(&answer);
        // Who asks again at once would be answered so for ever.
        if read.packets.is_empty() && read.is_broken { Err(answer.told(POLLED)) } else { Ok(read.packets) }
    }

    async fn post(&mut self, packets: &[Packet]) -> Result<(), Text> {
        let answer = self.ask(Method::POST, payload::write(packets, self.revision, true)).await?;
        if answer.status == StatusCode::OK {
            Ok(())
        } else {
            Err(answer.told("what was posted is answered with {}"))
        }
    }

    /// What an answer holds.
    pub fn read(&self, answer: &Answer) -> payload::Read {
        if answer.binary {
            payload::read_binary(&answer.body)
        } else {
            payload::read(&String::from_utf8_lossy(&answer.body), self.revision)
        }
    }

    /// Sends a request, and takes all of its answer.
    async fn ask(&mut self, method: Method, body: Body) -> Result<Answer, Text> {
        let target = self.target("polling");
        let mut fields = self.fields.clone();
        let (body, kind): (Bytes, _) = match body {
            Body::Text(text) => (text.into(), "text/plain;charset=UTF-8"),
            Body::Binary(bytes) => (bytes.into(), "application/octet-stream"),
        };
        if method == Method::POST {
            fields.push((CONTENT_TYPE, HeaderValue::from_static(kind)));
        }
        let http = self.connection().await?;
        let wire = |why: String| Text::with("a request by polling: {}", why);
        let response = http.ask(method, &target, &fields, body).await.map_err(wire)?;
        let status = response.status();
        let kind = response.headers().get(CONTENT_TYPE);
        let binary = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/octet-stream"));
        let body = http::whole(response, &target).await.map_err(wire)?;
        Ok(Answer { status, binary, body })
    }

    /// The connection, a new one where the server has ended the one before.
    async fn connection(&mut self) -> Result<&mut Http, Text> {
        if self.http.as_ref().is_none_or(Http::is_over) {
            let line = self.reach.connect().await?;
            self.tls = line.tls;
            let wire = line.tapped(&self.tap);
            let stream = Tapped::new(line.stream, wire, Dir::Client);
            let http = Http::over(stream).await.map_err(|why| Text::with("a request by polling: {}", why))?;
            return Ok(self.http.insert(http));
        }
        // It was asked for.
        self.http.as_mut().ok_or_else(Text::default)
    }
}
