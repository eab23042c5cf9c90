//! One client of Socket.IO, whichever transport it is on.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use foldhash::HashMap;
use tokio::sync::Notify;

use super::packet::{self, Asked};
use crate::lab::hub::{Hub, Mailbox, held};
use crate::limits;

/// What a client is told when the settings name no heartbeat, and how long it may take to answer one.
const PING_INTERVAL: Duration = Duration::from_secs(25);
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// The sessions of a server, by their id.
#[derive(Default)]
pub(in crate::lab) struct Sessions {
    open: Mutex<HashMap<String, Arc<Session>>>,
}

impl Sessions {
    /// Begins a session; `None` when there are too many.
    pub fn begin(
        self: &Sessions,
        hub: &Arc<Hub>,
        name: Option<&str>,
        heartbeat: Option<Duration>,
        event: &str,
    ) -> Option<Arc<Session>> {
        let sid = id();
        let mailbox = hub.mailbox(name.unwrap_or(&sid))?;
        let session = Arc::new(Session {
            event: event.to_owned(),
            mailbox,
            heartbeat,
            control: Mutex::default(),
            news: Notify::new(),
            polled: AtomicBool::new(false),
            probed: AtomicBool::new(false),
            probe: Notify::new(),
            connected: AtomicBool::new(false),
            answered: AtomicBool::new(true),
            over: AtomicBool::new(false),
            sid,
        });
        let mut open = held(&self.open);
        if open.len() >= limits::LAB_MAILBOXES {
            open.retain(|_, session| !session.is_over());
        }
        if open.len() >= limits::LAB_MAILBOXES {
            return None;
        }
        open.insert(session.sid.clone(), Arc::clone(&session));
        if let Some(every) = heartbeat {
            tokio::spawn(beat(Arc::downgrade(&session), every));
        }
        Some(session)
    }

    /// The session with this id, while it lasts.
    pub fn find(&self, sid: &str) -> Option<Arc<Session>> {
        let session = held(&self.open).get(sid).cloned()?;
        (!session.is_over()).then_some(session)
    }
}

/// Pings as long as there are answers: the first one an interval after the beginning.
async fn beat(session: Weak<Session>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let Some(session) = session.upgrade().filter(|session| !session.is_over()) else { return };
        session.answered.store(false, SeqCst);
        session.send(packet::PING.to_owned());
        let watched = Arc::downgrade(&session);
        tokio::spawn(async move {
            tokio::time::sleep(PING_TIMEOUT).await;
            if let Some(session) = watched.upgrade().filter(|session| !session.answered.load(SeqCst)) {
                session.end();
            }
        });
    }
}

/// A session.
pub(in crate::lab) struct Session {
    pub sid: String,
    event: String,
    mailbox: Arc<Mailbox>,
    heartbeat: Option<Duration>,
    /// Packets that go before all messages.
    control: Mutex<VecDeque<String>>,
    news: Notify,
    /// A poll waits.
    polled: AtomicBool,
    /// A WebSocket is about to take over.
    probed: AtomicBool,
    probe: Notify,
    /// Socket.IO's CONNECT has come: messages may go.
    connected: AtomicBool,
    /// The last ping was answered.
    answered: AtomicBool,
    over: AtomicBool,
}

impl Session {
    /// The first packet of a session.
    pub fn handshake(&self, may_upgrade: bool) -> String {
        let interval = self.heartbeat.unwrap_or(PING_INTERVAL).as_millis();
        format!(
            "0{{\"sid\":\"{}\",\"upgrades\":[{}],\"pingInterval\":{interval},\
             \"pingTimeout\":{},\"maxPayload\":{}}}",
            self.sid,
            if may_upgrade { "\"websocket\"" } else { "" },
            PING_TIMEOUT.as_millis(),
            limits::LAB_MESSAGE,
        )
    }

    /// Sends a packet, on whichever transport.
    pub fn send(&self, packet: String) {
        let mut control = held(&self.control);
        if control.len() < limits::LAB_MAILBOX {
            control.push_back(packet);
        }
        drop(control);
        self.news.notify_one();
    }

    /// All that is to be sent, once there is something; `None` when the session is over.
    pub async fn next(&self) -> Option<Vec<String>> {
        loop {
            if self.is_over() {
                return None;
            }
            let batch = self.take();
            if !batch.is_empty() {
                return Some(batch);
            }
            tokio::select! {
                () = self.news.notified() => {}
                () = self.mailbox.news() => {}
            }
        }
    }

    fn take(&self) -> Vec<String> {
        let mut batch: Vec<String> = held(&self.control).drain(..).collect();
        if self.connected.load(SeqCst) {
            let texts = self.mailbox.take();
            batch.extend(texts.iter().map(|text| packet::event(&self.event, &String::from_utf8_lossy(text))));
        }
        batch
    }

    /// What a poll is answered with; `None` when the session is over, or another poll waits already.
    pub async fn poll(&self) -> Option<Vec<String>> {
        if self.polled.swap(true, SeqCst) {
            // The reference ends the session, too.
            self.end();
            return None;
        }
        let _place = Place(&self.polled);
        tokio::select! {
            answer = self.next() => answer,
            () = self.probe() => Some(vec![packet::NOOP.to_owned()]),
        }
    }

    /// Waits until a WebSocket is about to take over.
    async fn probe(&self) {
        // Made before the question is asked: what is told in between is heard.
        let told = self.probe.notified();
        if !self.probed.load(SeqCst) {
            told.await;
        }
    }

    /// A WebSocket is about to take over: polls have nothing to wait for.
    pub fn begin_upgrade(&self) {
        self.probed.store(true, SeqCst);
        self.probe.notify_waiters();
    }

    /// Takes a packet of the client.
    pub fn receive(&self, packet: &str) {
        match packet.split_at_checked(1) {
            Some(("3", "")) => self.answered.store(true, SeqCst),
            Some(("4", packet)) => self.asked(packet),
            // A close; or a client's ping, which version 4 takes as an error.
            Some(("1" | "2", _)) => self.end(),
            _ => {}
        }
    }

    fn asked(&self, packet: &str) {
        match packet::asked(packet) {
            Some(Asked::Connect) => {
                self.send(format!("40{{\"sid\":\"{}\"}}", id()));
                self.connected.store(true, SeqCst);
            }
            Some(Asked::ConnectElsewhere(namespace)) => {
                self.send(format!("44{namespace},{{\"message\":\"Invalid namespace\"}}"));
            }
            Some(Asked::Disconnect) | None => self.end(),
            // An event before CONNECT is an error.
            Some(Asked::Event { .. }) if !self.connected.load(SeqCst) => self.end(),
            Some(Asked::Event { arguments, ack }) => {
                if let Some(ack) = ack {
                    // Values that were read are written again.
                    let list = serde_json::to_string(&arguments[1..]).unwrap_or_default();
                    self.send(format!("43{ack}{list}"));
                }
                if arguments[0] == self.event.as_str()
                    && let Some(text) = arguments.get(1).and_then(|value| value.as_str())
                {
                    self.mailbox.push(text.to_owned().into());
                }
            }
        }
    }

    /// Ends it: whoever waits is told.
    pub fn end(&self) {
        self.over.store(true, SeqCst);
        self.news.notify_one();
    }

    pub fn is_over(&self) -> bool {
        self.over.load(SeqCst)
    }
}

/// A poll's place, free again when the poll is over, also when its client has gone.
struct Place<'a>(&'a AtomicBool);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.store(false, SeqCst);
    }
}

/// 20 characters that nobody guesses, as the reference's ids.
fn id() -> String {
    let mut bytes = [0; 15];
    // Without randomness ids would repeat, and the second session replace the first.
    let _ = getrandom::fill(&mut bytes);
    URL_SAFE.encode(bytes)
}
