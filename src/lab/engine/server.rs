//! A server of Engine.IO: which requests it takes, and what it does with them.

use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};

use super::beneath::{Under, plan};
use super::packet::Revision;
use super::refusal::Refusal;
use super::session::{Application, Beginning, Session, Sessions};
use super::settings::{Happened, Settings, Transport};
use super::websocket::Purpose;
use super::{polling, websocket};
use crate::lab::answer::{Answer, query, refuse, wants_websocket};
use crate::lab::frames::Reader;
use crate::synth::Rng;

/// A server, for one path of an HTTP server. Clones are the same.
#[derive(Clone)]
pub struct Engine {
    sessions: Arc<Sessions>,
    /// Reads the frames of all its connections.
    reader: Reader,
}

impl Engine {
    /// A server that speaks what an application speaks.
    pub fn new(settings: Settings, application: impl Application) -> Self {
        Self::telling(settings, application, |_, _| {})
    }

    /// The same, telling what happens to its sessions.
    pub fn telling(
        settings: Settings,
        application: impl Application,
        log: impl Fn(&Session, Happened) + Send + Sync + 'static,
    ) -> Self {
        let reader = Reader::taking(settings.max_payload);
        Self { sessions: Arc::new(Sessions::new(settings, Box::new(application), Box::new(log))), reader }
    }

    /// Whether a request is for it: its path begins with the server's.
    pub fn owns<B>(&self, request: &Request<B>) -> bool {
        let path = self.sessions.settings.path.trim_end_matches('/');
        let rest = request.uri().path().strip_prefix(path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// How many sessions it has.
    pub fn sessions(&self) -> usize {
        self.sessions.count()
    }

    /// Ends all sessions: a WebSocket is closed with 1001, a poll with a close packet.
    pub fn shut_down(&self) {
        self.sessions.end();
    }

    /// Answers a request. It may wait as long as a poll does. Where it comes from is known if its extensions
    /// have a [`SocketAddr`].
    pub(in crate::lab) async fn answer(&self, request: Request<Incoming>) -> Response<Answer> {
        let cors = &self.sessions.settings.cors;
        let asked = request.headers().clone();
        let mut response = match cors.preflight(&request) {
            Some(response) => response,
            None => self.serve(request).await,
        };
        cors.mark(&asked, response.headers_mut());
        response
    }

    async fn serve(&self, request: Request<Incoming>) -> Response<Answer> {
        let is_upgrade = wants_websocket(&request);
        match self.verify(&request, is_upgrade) {
            Err(refusal) if is_upgrade => refusal.instead_of_upgrade(),
            Err(refusal) => refusal.answer(),
            Ok(Verified { transport: Transport::Polling, session: Some(session), .. }) => {
                polling::answer(&self.sessions.settings, &session, request).await
            }
            Ok(verified) if verified.session.is_none() && self.sessions.is_full() => {
                refuse(StatusCode::SERVICE_UNAVAILABLE, "too many sessions")
            }
            Ok(Verified { transport: Transport::Polling, revision, .. }) => {
                let session = self.sessions.begin(beginning(&request, Transport::Polling, revision));
                polling::poll(&self.sessions.settings, &session, &request).await
            }
            Ok(Verified { transport: Transport::WebSocket, session, revision }) => {
                let purpose = session.map_or_else(|| self.beginning(&request, revision), Purpose::Move);
                websocket::answer((&self.sessions.settings, &self.reader), request, purpose)
            }
        }
    }

    /// What the reference checks, in its order.
    fn verify<B>(&self, request: &Request<B>, is_upgrade: bool) -> Result<Verified, Refusal> {
        let settings = &self.sessions.settings;
        let name = query(request, "transport").unwrap_or_default();
        let transport = settings.transports.iter().copied().find(|transport| transport.name() == name);
        let transport = transport.ok_or(Refusal::Transport)?;
        if !settings.cors.admits(request) {
            return Err(Refusal::Forbidden);
        }
        let session = match query(request, "sid") {
            Some(id) => Some(self.sessions.find(&id).ok_or(Refusal::Session)?),
            // On a stream of HTTP/2 a WebSocket is asked for by CONNECT (RFC 8441 §4).
            None if request.method() != Method::GET
                && !(is_upgrade && request.method() == Method::CONNECT) =>
            {
                return Err(Refusal::Method);
            }
            None => None,
        };
        // Upgrade and its transport go together.
        if is_upgrade != (transport == Transport::WebSocket) {
            return Err(Refusal::Request);
        }
        let revision = match (&session, query(request, "EIO").as_deref()) {
            (Some(session), _) => session.revision,
            (None, Some("4")) => Revision::V4,
            (None, Some("3")) if settings.version_3 => Revision::V3,
            _ => return Err(Refusal::Version),
        };
        Ok(Verified { transport, session, revision })
    }

    /// What a WebSocket with which a session begins is for.
    fn beginning<B>(&self, request: &Request<B>, revision: Revision) -> Purpose {
        let sessions = Arc::clone(&self.sessions);
        let beginning = beginning(request, Transport::WebSocket, revision);
        Purpose::Begin(Box::new(move || sessions.begin(beginning)))
    }
}

/// A request that can be served.
struct Verified {
    transport: Transport,
    /// The one it names.
    session: Option<Arc<Session>>,
    revision: Revision,
}

fn beginning<B>(request: &Request<B>, transport: Transport, revision: Revision) -> Beginning {
    let under = Under::of(request);
    Beginning {
        revision,
        transport,
        takes_binary: query(request, "b64").is_none_or(|b64| b64.is_empty()),
        query: request.uri().query().unwrap_or_default().to_owned(),
        peer: request.extensions().get::<SocketAddr>().copied(),
        plan: plan(under.as_ref()),
        chance: under.map_or_else(|| Rng::new(0), |under| under.0.chance()),
    }
}
