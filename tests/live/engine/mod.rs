//! The lab's server of Engine.IO and Socket.IO: what the protocols' conformance suites ask of one, and more;
//! by requests and frames written out, and by the reference's own clients.

mod client;
mod heartbeat;
mod hostile;
mod page;
mod peers;
mod polling;
mod socketio;
mod tapped;
mod upgrade;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use wstool::lab::engine::packet::Data;
use wstool::lab::engine::programs::{Conformance, Echo};
use wstool::lab::engine::settings::{Happened, Settings};
use wstool::lab::engine::socketio::SocketIo;
use wstool::lab::engine::{self, Application, Conversation, Engine, Session};
use wstool::lab::stage::Stage;

use self::client::{Socket, ask};

/// Servers on a port of their own.
struct Host {
    stage: Stage,
    address: SocketAddr,
}

impl Host {
    fn start(engines: Vec<Engine>) -> Self {
        Self::start_at(0, engines)
    }

    fn start_at(port: u16, engines: Vec<Engine>) -> Self {
        let stage = Stage::start("server").expect("a thread");
        let runtime = Builder::new_current_thread().build().expect("an event loop");
        // A port that was free may be somebody's for a moment: connections of other tests have ports, too.
        let patience = Instant::now() + Duration::from_mins(1);
        let listener = loop {
            let bound = runtime.block_on(stage.run(TcpListener::bind((Ipv4Addr::LOCALHOST, port))));
            match bound.expect("no panic") {
                Ok(listener) => break listener,
                Err(why) => assert!(port != 0 && Instant::now() < patience, "{why}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let address = listener.local_addr().expect("an address");
        stage.spawn(engine::serve(listener, engines));
        Self { stage, address }
    }

    fn ask(&self, what: &str, body: &str) -> client::Response {
        ask(self.address, what, "", body.as_bytes())
    }

    fn open(&self, target: &str) -> Socket {
        Socket::open(self.address, target).unwrap_or_else(|refused| panic!("refused: {}", refused.status))
    }

    /// A session of Engine.IO by polling: its id.
    fn begin(&self, path: &str) -> String {
        let opened = self.ask(&format!("GET {path}&transport=polling"), "");
        sid(opened.text().split_once('{').expect("a handshake").1)
    }

    /// Runs something in the server's event loop.
    fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        let runtime = Builder::new_current_thread().build().expect("an event loop");
        runtime.block_on(self.stage.run(work)).expect("no panic");
    }
}

/// The id in a handshake.
fn sid(handshake: &str) -> String {
    let (_, rest) = handshake.split_once("\"sid\":\"").expect("a sid");
    rest.split('"').next().expect("its end").to_owned()
}

/// Hearts that no test waits for.
fn calm() -> Settings {
    Settings {
        ping_interval: Duration::from_mins(10),
        ping_timeout: Duration::from_mins(10),
        connect_timeout: Duration::from_mins(10),
        ..Settings::conformance()
    }
}

/// What the conformance suites ask for, with calm hearts: Engine.IO's echo and Socket.IO.
fn conformance() -> Host {
    let plain = Settings { path: "/engine.io/".to_owned(), ..calm() };
    Host::start(vec![Engine::new(plain, Echo), Engine::new(calm(), SocketIo::new(Conformance))])
}

/// What happened to sessions.
type Log = Arc<Mutex<Vec<String>>>;

fn logged(log: &Log) -> impl Fn(&Session, Happened) + Send + Sync + 'static {
    let log = Arc::clone(log);
    move |session, what| {
        assert!(session.peer.is_some(), "the client's address is known");
        let line = match what {
            Happened::Begun(transport) => format!("begun {}", transport.name()),
            Happened::Moved => "moved".to_owned(),
            Happened::Befallen(fate, sent) => format!("{fate:?} behind {sent}"),
            Happened::Floods => "floods".to_owned(),
            Happened::Over(reason) => format!("over: {reason}"),
        };
        log.lock().expect("no panic").push(line);
    }
}

/// Waits until this was logged.
fn await_log(log: &Log, line: &str) {
    let start = std::time::Instant::now();
    while !log.lock().expect("no panic").iter().any(|logged| logged == line) {
        assert!(start.elapsed() < Duration::from_mins(1), "no {line:?} in {:?}", log.lock());
        std::thread::yield_now();
    }
}

/// Plain Engine.IO whose sessions a test can look at.
#[derive(Clone, Default)]
struct Watched(Arc<Mutex<Vec<Arc<Session>>>>);

impl Application for Watched {
    fn begin(&self, session: &Arc<Session>) -> Arc<dyn Conversation> {
        self.0.lock().expect("no panic").push(Arc::clone(session));
        Arc::new(self.clone())
    }
}

impl Conversation for Watched {
    fn message(&self, session: &Arc<Session>, data: Data) {
        session.send([data]);
    }
}

impl Watched {
    /// The latest session.
    fn session(&self) -> Arc<Session> {
        Arc::clone(self.0.lock().expect("no panic").last().expect("a session"))
    }

    /// Waits until a poll waits.
    fn await_poll(&self) {
        let (session, start) = (self.session(), std::time::Instant::now());
        while !session.is_writable() {
            assert!(start.elapsed() < Duration::from_mins(1), "no poll");
            std::thread::yield_now();
        }
    }
}

/// Plain Engine.IO under `/engine.io/`, watched.
fn watched(settings: Settings) -> (Host, Watched, Log) {
    let (app, log) = (Watched::default(), Log::default());
    let settings = Settings { path: "/engine.io/".to_owned(), ..settings };
    let host = Host::start(vec![Engine::telling(settings, app.clone(), logged(&log))]);
    (host, app, log)
}

const V4: &str = "/engine.io/?EIO=4";
const V3: &str = "/engine.io/?EIO=3";
