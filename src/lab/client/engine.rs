//! Socket.IO: a session begun by polling, which stays there or moves to a WebSocket.

use std::io;
use std::sync::Arc;

use hyper::Method;
use serde::Deserialize;
use tokio::sync::mpsc;

use super::socket;
use super::{Heads, Inbox, Order};
use crate::lab::engine::packet;
use crate::lab::http::Http;
use crate::lab::http::{Failure, failed};
use crate::lab::schedule;
use crate::lab::socket::Socket;
use crate::model::Opcode;
use crate::synth::Rng;

const PATH: &str = "/socket.io/?EIO=4";

#[derive(Deserialize)]
struct Handshake {
    sid: String,
}

/// A session on HTTP, with Socket.IO's CONNECT done.
struct Session {
    sid: String,
    heads: Arc<Heads>,
    /// Makes the parameter that keeps caches away.
    busters: Rng,
    event: String,
}

impl Session {
    /// The handshake and CONNECT, one request after the other.
    async fn begin(http: &mut Http, order: &Order) -> Result<Self, Failure> {
        let mut seed = [0; 8];
        // The same parameters twice would be no harm: nothing here caches.
        let _ = getrandom::fill(&mut seed);
        let mut session = Self {
            sid: String::new(),
            heads: Arc::clone(&order.heads),
            busters: Rng::new(u64::from_le_bytes(seed)),
            event: order.event.clone(),
        };
        let opened = http.get(&session.target(), &session.heads.get).await?;
        let json = opened.strip_prefix(b"0").unwrap_or_default();
        let handshake: Handshake =
            serde_json::from_slice(json).map_err(|e| failed("Engine.IO's handshake")(&e))?;
        session.sid = handshake.sid;
        session.post(http, packet::CONNECT.to_owned()).await?;
        let connected = session.poll(http).await?;
        if connected.first().is_none_or(|packet| !packet.starts_with(packet::CONNECT)) {
            return Err("Socket.IO's CONNECT was not answered".to_owned());
        }
        Ok(session)
    }

    /// The target of a request, as the reference client's.
    fn target(&mut self) -> String {
        let buster = schedule::message(0, self.busters.next_u64(), 8);
        let buster = String::from_utf8_lossy(&buster);
        let sid = if self.sid.is_empty() { String::new() } else { format!("&sid={}", self.sid) };
        format!("{PATH}&transport=polling&t={buster}{sid}")
    }

    async fn poll(&mut self, http: &mut Http) -> Result<Vec<String>, Failure> {
        let body = http.get(&self.target(), &self.heads.get).await?;
        let text = String::from_utf8(body.to_vec()).map_err(|e| failed("a poll's answer")(&e))?;
        Ok(text.split(packet::SEPARATOR).map(str::to_owned).collect())
    }

    async fn post(&mut self, http: &mut Http, packets: String) -> Result<(), Failure> {
        let target = self.target();
        http.fetch(Method::POST, &target, &self.heads.post, packets).await.map(drop)
    }

    /// Takes a packet; true when it is a ping, which has to be answered.
    fn receive(&self, packet: &str, inbox: &dyn Inbox) -> Result<Told, Failure> {
        if let Some(text) = packet::text_of(packet, &self.event) {
            inbox.message(text.as_bytes());
            return Ok(Told::Message);
        }
        match packet {
            packet::PING => Ok(Told::Ping),
            packet::NOOP => Ok(Told::Nothing),
            _ => Err("the server ended the session".to_owned()),
        }
    }
}

#[derive(PartialEq, Eq)]
enum Told {
    Message,
    Ping,
    Nothing,
}

/// On HTTP long polling: one connection for polls, another for what is posted meanwhile.
pub struct Polling {
    session: Session,
    polls: Http,
    posts: Http,
}

impl Polling {
    pub async fn connect(order: Order) -> Result<Self, Failure> {
        let mut polls = Http::connect(order.server).await?;
        let posts = Http::connect(order.server).await?;
        Ok(Self { session: Session::begin(&mut polls, &order).await?, polls, posts })
    }

    pub fn sid(&self) -> &str {
        &self.session.sid
    }

    pub async fn run(mut self, inbox: Arc<dyn Inbox>) -> Result<(), Failure> {
        let (pong, pongs) = mpsc::channel(16);
        let sender = Session {
            sid: self.session.sid.clone(),
            heads: Arc::clone(&self.session.heads),
            busters: Rng::new(self.session.busters.next_u64()),
            event: String::new(),
        };
        tokio::spawn(post(sender, self.posts, pongs, Arc::clone(&inbox)));
        loop {
            let mut news = false;
            for packet in self.session.poll(&mut self.polls).await? {
                match self.session.receive(&packet, &*inbox)? {
                    Told::Message => news = true,
                    // The next poll does not wait for it.
                    Told::Ping => pong.try_send(()).map_err(|_| "pongs are not taken".to_owned())?,
                    Told::Nothing => {}
                }
            }
            inbox.answered(Some(news));
        }
    }
}

/// Answers pings. If that fails the server ends the session, which the polls will see.
async fn post(mut session: Session, mut http: Http, mut pongs: mpsc::Receiver<()>, inbox: Arc<dyn Inbox>) {
    while pongs.recv().await.is_some() {
        if session.post(&mut http, packet::PONG.to_owned()).await.is_err() {
            return;
        }
        inbox.answered(None);
    }
}

/// Asks over the WebSocket to which a session is to move whether the server is there; whether it says so.
///
/// # Errors
/// Those of the stream.
pub async fn probe(socket: &mut Socket) -> io::Result<bool> {
    socket.send(Opcode::TEXT, packet::PROBE.as_bytes()).await?;
    Ok(socket.receive().await?.as_deref() == Some(packet::PROBED.as_bytes()))
}

/// On WebSocket, after the beginning by polling.
pub struct OnSocket {
    session: Session,
    socket: Socket,
}

impl OnSocket {
    pub async fn connect(order: &Order) -> Result<Self, Failure> {
        let mut http = Http::connect(order.server).await?;
        let mut session = Session::begin(&mut http, order).await?;
        let target = format!("{PATH}&transport=websocket&sid={}", session.sid);
        let heads = Arc::clone(&session.heads);
        let wire = failed("the upgrade");
        let opened = async {
            let mut socket =
                socket::open(Http::connect(order.server).await?, &target, &heads.upgrade).await?;
            if !probe(&mut socket).await.map_err(|e| wire(&e))? {
                return Err("the WebSocket's probe was not answered".to_owned());
            }
            Ok::<_, Failure>(socket)
        };
        // Meanwhile a poll waits, as the reference's does, until it is let go.
        let (let_go, socket) = tokio::join!(session.poll(&mut http), opened);
        let_go?;
        let mut socket = socket?;
        socket.send(Opcode::TEXT, packet::UPGRADE.as_bytes()).await.map_err(|e| wire(&e))?;
        Ok(Self { session, socket })
    }

    pub fn sid(&self) -> &str {
        &self.session.sid
    }

    pub async fn run(mut self: Box<Self>, inbox: Arc<dyn Inbox>) -> Result<(), Failure> {
        let wire = failed("the WebSocket");
        while let Some(text) = self.socket.receive().await.map_err(|e| wire(&e))? {
            if self.session.receive(&String::from_utf8_lossy(&text), &*inbox)? == Told::Ping {
                let pong = packet::PONG.as_bytes();
                self.socket.send(Opcode::TEXT, pong).await.map_err(|e| wire(&e))?;
            }
        }
        Err("the server closed the WebSocket".to_owned())
    }
}
