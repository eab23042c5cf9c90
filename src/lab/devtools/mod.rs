//! A running browser tells of its connections: the Chrome `DevTools` protocol.
//!
//! ```text
//! Chromium ── WebSocket ──► attach() ── events ─► Watch ─► Tap: requests, answers, messages
//! ```
//!
//! The browser attaches us to every page and worker that there is, and to those that come, before they begin
//! to run. Each is asked for its network events. What goes over a WebSocket comes as messages, decrypted
//! and inflated; of frames, pings and Close frames the protocol does not tell.

mod watch;

use std::collections::VecDeque;
use std::net::SocketAddr;

use http_body_util::BodyExt as _;
use hyper::Method;
use hyper::header::{HOST, HeaderName, HeaderValue};
use serde_json::{Value, json};

pub use self::watch::Filter;
use self::watch::Watch;
use super::client::socket;
use super::frames::Reader;
use super::http::{Failure, Fields, Http, failed};
use super::socket::{Came, Manners, Socket};
use super::tap::Tap;
use crate::limits;
use crate::model::Opcode;

/// A browser that was asked.
pub struct Browser {
    /// Its name and version: `Chrome/156.0.8078.108`.
    pub product: String,
    socket: Socket,
    next: u64,
    /// What came before it was known that we are told of all that begins.
    early: VecDeque<Vec<u8>>,
}

/// What answers there is no browser, or none that lets itself be watched.
#[derive(Debug)]
pub enum Unattached {
    /// Nothing listens there.
    Silent(Failure),
    /// Something else does.
    Other(Failure),
    /// Something that answers what a browser is asked with no JSON.
    Foreign,
}

impl Browser {
    /// Asks the browser whose debugging port is at this address.
    ///
    /// # Errors
    /// Why it cannot be watched.
    pub async fn at(address: SocketAddr) -> Result<Self, Unattached> {
        let connect = || async { Http::connect(address).await.map_err(Unattached::Silent) };
        let host = HeaderValue::try_from(address.to_string()).map_err(|e| other("Host", &e))?;
        let mut http = connect().await?;
        let answer = http
            .ask(Method::GET, "/json/version", &vec![(HOST, host.clone())], "")
            .await
            .map_err(Unattached::Other)?;
        let body = answer.into_body().collect().await.map_err(|e| other("/json/version", &e))?.to_bytes();
        let version: Value = serde_json::from_slice(&body).map_err(|_| Unattached::Foreign)?;
        let url = version["webSocketDebuggerUrl"].as_str().unwrap_or_default();
        let target = url.splitn(4, '/').nth(3).filter(|target| !target.is_empty());
        let target = target.ok_or_else(|| Unattached::Other("no webSocketDebuggerUrl".to_owned()))?;
        let manners = Manners::reading(Reader::taking(limits::DEVTOOLS_MESSAGE));
        let fields = upgrade(host);
        let socket = socket::open_with(connect().await?, &format!("/{target}"), &fields, manners)
            .await
            .map_err(Unattached::Other)?;
        let product = version["Browser"].as_str().unwrap_or("a browser").to_owned();
        Ok(Self { product, socket, next: 0, early: VecDeque::new() })
    }

    /// Asks to be told of all pages and workers. Behind it nothing begins that is not watched.
    ///
    /// # Errors
    /// In words, what went wrong.
    pub async fn begin(&mut self) -> Result<(), Failure> {
        self.ask(None, "Target.setDiscoverTargets", &json!({ "discover": true })).await?;
        let id = self.attach(None).await?;
        while let Some(text) = self.hear().await? {
            let said: Value = serde_json::from_slice(&text).unwrap_or_default();
            if said["id"] == id {
                break;
            }
            self.early.push_back(text);
        }
        Ok(())
    }

    /// Watches until the browser is gone.
    ///
    /// # Errors
    /// In words, what went wrong.
    pub async fn watch(mut self, tap: Tap, filter: Filter) -> Result<(), Failure> {
        let mut watch = Watch::new(tap, filter);
        loop {
            let text = match self.early.pop_front() {
                Some(text) => text,
                None => match self.hear().await? {
                    Some(text) => text,
                    None => return Ok(()),
                },
            };
            // What is no JSON is nothing that we asked for.
            let Ok(said) = serde_json::from_slice::<Value>(&text) else { continue };
            if let Some(id) = said["id"].as_u64() {
                watch.answered(id, &said["result"]);
            } else {
                self.event(&said, &mut watch).await?;
            }
            watch.room().await;
        }
    }

    /// What the browser says next; `None` when it is gone.
    async fn hear(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let wire = failed("the browser");
        loop {
            match self.socket.next().await.map_err(|e| wire(&e))? {
                Came::Message(message) if message.kind == Opcode::TEXT => return Ok(Some(message.payload)),
                Came::Close(..) | Came::End => return Ok(None),
                Came::Violation(violation) => return Err(violation.why.to_owned()),
                Came::Message(_) | Came::Ping(_) | Came::Pong(_) => {}
            }
        }
    }

    async fn event(&mut self, said: &Value, watch: &mut Watch) -> Result<(), Failure> {
        let session = said["sessionId"].as_str();
        let params = &said["params"];
        let method = said["method"].as_str().unwrap_or_default();
        if method == "Target.attachedToTarget" {
            let Some(own) = params["sessionId"].as_str() else { return Ok(()) };
            watch.attached(own, session, &params["targetInfo"]);
            self.ask(Some(own), "Network.enable", &json!({})).await?;
            self.attach(Some(own)).await?;
            self.ask(Some(own), "Runtime.runIfWaitingForDebugger", &json!({})).await?;
            return Ok(());
        }
        if let Some(request) = watch.event(session.unwrap_or_default(), method, params) {
            let wanted = json!({ "requestId": request });
            let id = self.ask(session, "Network.getResponseBody", &wanted).await?;
            watch.asked(id, &request);
        }
        Ok(())
    }

    /// Has what belongs to a session, or to the browser, attached as it comes.
    async fn attach(&mut self, session: Option<&str>) -> Result<u64, Failure> {
        let how = json!({ "autoAttach": true, "waitForDebuggerOnStart": true, "flatten": true });
        self.ask(session, "Target.setAutoAttach", &how).await
    }

    /// Sends a command; gives its number.
    async fn ask(&mut self, session: Option<&str>, method: &str, params: &Value) -> Result<u64, Failure> {
        self.next += 1;
        let mut command = json!({ "id": self.next, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = session.into();
        }
        let text = command.to_string();
        self.socket.send(Opcode::TEXT, text.as_bytes()).await.map_err(|e| failed("the browser")(&e))?;
        Ok(self.next)
    }
}

fn other(step: &str, error: &dyn std::fmt::Display) -> Unattached {
    Unattached::Other(failed(step)(error))
}

/// The fields of a handshake; the key is made when it is sent.
fn upgrade(host: HeaderValue) -> Fields {
    let named = |name: &'static str, value: &'static str| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    vec![
        (HOST, host),
        named("upgrade", "websocket"),
        named("connection", "Upgrade"),
        named("sec-websocket-version", "13"),
        named("sec-websocket-key", ""),
    ]
}
