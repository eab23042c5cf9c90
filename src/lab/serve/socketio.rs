//! Where Socket.IO and bare Engine.IO are mounted.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use hyper::Request;

use super::{Kind, Log, Visitor};
use crate::lab::engine::beneath::Beneath;
use crate::lab::engine::programs::{Chat, Conformance, Echo};
use crate::lab::engine::settings::{Happened, Reason, Settings};
use crate::lab::engine::socketio::SocketIo as Packets;
use crate::lab::engine::{Engine, Session};
use crate::lab::fate::Fate;
use crate::lab::fault::Plan;
use crate::lab::flood::Flood;
use crate::model::Text;
use crate::synth::Rng;

/// How Socket.IO is served.
#[derive(Clone, Debug, Default)]
pub struct SocketIo {
    /// Of its sessions, and of those of bare Engine.IO; each has a path of its own.
    pub settings: Settings,
    /// Not a chat, but what the protocols' conformance suites ask for.
    pub conformance: bool,
}

/// The path of bare Engine.IO, whose messages are sent back.
const BARE: &str = "/engine.io/";

impl SocketIo {
    /// The servers behind it, which tell `log` of clients that do not behave.
    pub(super) fn engines(&self, log: &Log) -> Vec<Engine> {
        let bare = Settings { path: BARE.to_owned(), ..self.settings.clone() };
        let own = self.settings.clone();
        let told = || {
            let log = Arc::clone(log);
            move |session: &Session, happened| tell(&log, session, happened)
        };
        let program = if self.conformance {
            Engine::telling(own, Packets::new(Conformance), told())
        } else {
            Engine::telling(own, Packets::new(Chat::default()), told())
        };
        vec![program, Engine::telling(bare, Echo, told())]
    }
}

fn tell(log: &Log, session: &Session, happened: Happened) {
    match happened {
        Happened::Over(
            reason @ (Reason::PingTimeout
            | Reason::TransportError(_)
            | Reason::ParseError(_)
            | Reason::ForcedClose(_)
            | Reason::TooSlow),
        ) => log(Text::with("session {} is over: {}", &session.id).word(reason.words())),
        Happened::Befallen(fate, sent) => {
            log(Text::with("session {}: {}", &session.id).word(fate.words(session.plan(), sent)));
        }
        Happened::Floods => log(Text::with("session {}: {}", &session.id).word(Flood::words())),
        Happened::Begun(_) | Happened::Moved | Happened::Over(_) => {}
    }
}

impl Beneath for Visitor {
    fn plan(&self) -> &Plan {
        &self.plan
    }

    fn chance(&self) -> Rng {
        self.server.chance()
    }

    fn meet(&self, fate: Fate) {
        self.meet(fate);
    }

    fn stopping(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.stopping())
    }
}

/// The one that a request is for.
pub(super) fn engine<'v, B>(visitor: &'v Visitor, request: &Request<B>) -> Option<&'v Engine> {
    let server = &visitor.server;
    server.0.engines.iter().find(|engine| server.serves(Kind::SocketIo) && engine.owns(request))
}
