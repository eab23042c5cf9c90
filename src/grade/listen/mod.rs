//! Clients are graded: a server that speaks the control URLs of the Autobahn testsuite, over WebSocket
//! itself.
//!
//! ```text
//! TCP ─ (TLS) ─┬────────── head ─┬─ no WebSocket: the page that grades the browser which opens it
//!              │            ▲    └─ by path ─┬─ /runCase: the case is played, and told as News
//!              └─ HTTP/2 ─ streams           └─ /getCaseCount, /getCaseStatus, …: a text, and Close
//! ```
//!
//! - `asked`: what is asked for
//! - `standing`: what came of which case, for who asks
//! - `streams`: what is asked for over HTTP/2
//! - `web`: what is no WebSocket
//!
//! All of it runs on one thread, within a [`LocalSet`](tokio::task::LocalSet).

mod asked;
mod standing;
mod streams;
mod web;

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

use self::asked::{Asked, Which};
use self::standing::{Outcome, Standings};
use super::autobahn::Exclusions;
use super::case::Case;
use super::play::{self, Arrived, Greets, KeysSeen};
use crate::http::check_request;
use crate::lab::abort::{Abort, Abortable};
use crate::lab::http2::StreamWatch;
use crate::lab::rewound::Rewound;
use crate::lab::socket::{Came, Manners, Socket, Stream};
use crate::lab::tls::{self, ServerConfig};
use crate::lang::Lang;
use crate::limits;
use crate::model::grade::Graded;
use crate::model::http2::PREFACE;
use crate::model::{CloseCode, Dir, Opcode, SourceId, Text};
use crate::replay::Heard;
use crate::replay::heard::Progress;
use crate::synth::handshake::{Request, Response};

/// How long a request's head may take.
const HEAD: Duration = Duration::from_secs(10);

/// How long a client's part of the end is waited for.
const FAREWELL: Duration = Duration::from_secs(2);

/// After the system had no room for a connection.
const PAUSE: Duration = Duration::from_millis(50);

/// News that wait to be heard; who has more to tell waits.
const WAITING: usize = 64;

/// What clients are asked.
pub struct Settings {
    /// The cases, which are numbered from 1.
    pub cases: Vec<&'static Case>,
    /// What is not played with whom.
    pub exclusions: Exclusions,
    /// What TLS is spoken with.
    pub tls: Option<Arc<ServerConfig>>,
    /// Whether those who begin with HTTP/2 are graded over it; it has to be offered by `tls` then.
    pub http2: bool,
    /// Where it listens.
    pub ours: SocketAddr,
    /// Whether it ends when somebody has asked for a report.
    pub once: bool,
    /// The language of texts, and of pages for readers who name none.
    pub lang: Lang,
}

/// What happens.
#[derive(Debug)]
pub enum News {
    /// A case was played with a client.
    Played {
        /// What the client calls itself.
        agent: String,
        /// The number of the case.
        number: usize,
        /// How many cases it is asked.
        chosen: usize,
        /// What came of it.
        graded: Box<Graded>,
    },
    /// A client asks for its report. It waits until the report is there.
    Report {
        /// What it calls itself.
        agent: String,
        /// To be told when it is there.
        done: oneshot::Sender<()>,
    },
    /// A client asks the server to end.
    Stop,
    /// Something that is worth knowing.
    Said(Text),
}

/// Where clients come to be graded.
pub struct Desk {
    settings: Settings,
    standings: Standings,
    news: mpsc::Sender<News>,
    /// The numbers of cases, by id and by the Autobahn testsuite's numbers.
    numbers: HashMap<&'static str, usize>,
    /// The keys of all.
    keys: KeysSeen,
    /// With what agents begin: as many as there are standings of.
    greets: RefCell<HashMap<String, Greets>>,
    /// Streams of HTTP/2 that are served at a time.
    streams: Semaphore,
}

impl Desk {
    /// Nobody has come. What happens is told to who holds the receiver.
    pub fn new(settings: Settings) -> (Rc<Self>, mpsc::Receiver<News>) {
        let (news, heard) = mpsc::channel(WAITING);
        let mut numbers = HashMap::new();
        for (at, case) in settings.cases.iter().enumerate() {
            numbers.insert(case.facts.id.as_str(), at + 1);
            numbers.extend(case.facts.autobahn.as_deref().map(|number| (number, at + 1)));
        }
        let streams = Semaphore::new(limits::GRADE_CONNECTIONS);
        let (standings, keys, greets) = (Standings::new(), KeysSeen::default(), RefCell::default());
        (Rc::new(Self { settings, standings, news, numbers, keys, greets, streams }), heard)
    }

    /// Receives clients for ever.
    pub async fn serve(self: Rc<Self>, listener: TcpListener) {
        let seats = Arc::new(Semaphore::new(limits::GRADE_CONNECTIONS));
        loop {
            // It is never closed.
            let Ok(seat) = Arc::clone(&seats).acquire_owned().await else { return };
            let Ok((tcp, peer)) = listener.accept().await else {
                sleep(PAUSE).await;
                continue;
            };
            let desk = Rc::clone(&self);
            spawn_local(async move {
                if let Err(why) = desk.receive(tcp, peer).await {
                    desk.complain(peer, why).await;
                }
                drop(seat);
            });
        }
    }

    async fn complain(&self, peer: SocketAddr, why: Text) {
        self.tell(News::Said(Text::with("{}: {}", peer).word(why))).await;
    }

    async fn tell(&self, news: News) {
        // Nobody may listen any longer; clients are not told.
        let _ = self.news.send(news).await;
    }

    async fn receive(self: &Rc<Self>, tcp: TcpStream, peer: SocketAddr) -> Result<(), Text> {
        // Every write is sent at once: Nagle's algorithm would gather them.
        let _ = tcp.set_nodelay(true);
        let (tcp, abort) = Abortable::new(tcp);
        let mut stream: Box<dyn Stream> = match &self.settings.tls {
            Some(config) => Box::new(tls::accept(config, tcp).await?),
            None => Box::new(tcp),
        };
        let Some((heard, early)) = head(&mut stream, self.settings.tls.is_some()).await? else {
            return Ok(());
        };
        // What HTTP/2 begins with looks like a request.
        if PREFACE.starts_with(heard.bytes()) {
            return self.streams(Rewound::new([heard.bytes(), &early].concat(), stream), peer).await;
        }
        self.asked(&heard, Line { early, stream, abort, http2: None }).await
    }

    /// Does what a request asks for.
    async fn asked(&self, heard: &Heard, line: Line) -> Result<(), Text> {
        let head = heard.head();
        let asks = check_request(&head, false).facts;
        let product = head.values("user-agent").next().map(|value| value.text().into_owned());
        let asked = Asked::of(&asks.target, product.as_deref());
        if !asks.is_upgrade {
            // Who asks for a case is graded whatever it asks for it with, as long as that is meant so.
            let runs = matches!(&asked, Ok(Asked::Run(..))) && asks.key.is_some() && line.http2.is_none();
            if !runs {
                self.answer(&head, &asks, &asked, line).await;
                return Ok(());
            }
        }
        let visit = Visit { request: heard.bytes().to_vec(), line, key: asks.key };
        match asked {
            Err(why) => {
                let words = self.settings.lang.say(&why).into_owned();
                web::refuse(visit.line.stream, web::BAD, &words).await;
                Err(Text::with("asked for {}: {}", &asks.target).word(why))
            }
            Ok(asked) => self.visited(asked, visit).await,
        }
    }

    async fn visited(&self, asked: Asked, visit: Visit) -> Result<(), Text> {
        match asked {
            Asked::Count => visit.say(Some(&self.settings.cases.len().to_string())).await,
            Asked::Info(which) => match self.find(&which) {
                Some((_, case)) => visit.say(Some(&self.info(case))).await,
                None => return self.unknown(visit, &which).await,
            },
            Asked::Run(which, agent) => match self.find(&which) {
                Some((number, case)) => return self.play(number, case, agent, visit).await,
                None => return self.unknown(visit, &which).await,
            },
            Asked::Status(which, agent, all) => {
                let Some((number, case)) = self.find(&which) else {
                    return self.unknown(visit, &which).await;
                };
                let is_excluded = self.is_excluded(&agent, case);
                let outcome = if is_excluded { None } else { self.standings.outcome(&agent, number).await };
                let Some(outcome) = outcome else {
                    visit.say(None).await;
                    let words = "{} asked what came of {}, which was not played with it";
                    return Err(Text::with(words, agent).and(&case.facts.id));
                };
                visit.say(Some(&outcome.json(all).to_string())).await;
            }
            Asked::Report(agent, and_stop) => {
                let (done, is_done) = oneshot::channel();
                self.tell(News::Report { agent, done }).await;
                // It is as far as it can be.
                let _ = is_done.await;
                visit.say(None).await;
                if and_stop || self.settings.once {
                    self.tell(News::Stop).await;
                }
            }
            Asked::Stop => {
                visit.say(None).await;
                self.tell(News::Stop).await;
            }
            Asked::Nothing => visit.say(Some(&self.how())).await,
        }
        Ok(())
    }

    /// What is here, for who asks for nothing that is.
    fn how(&self) -> String {
        self.settings.lang.fill(
            "This grades WebSocket clients. Ask /getCaseCount how many cases there are; open \
             /runCase?case=N&agent=NAME for each, and send back every message as it comes; then open \
             /updateReports?agent=NAME.",
            &[],
        )
    }

    fn find(&self, which: &Which) -> Option<(usize, &'static Case)> {
        let number = match which {
            Which::Number(number) => *number,
            Which::Named(name) => *self.numbers.get(name.as_str())?,
        };
        let case = self.settings.cases.get(number.checked_sub(1)?)?;
        Some((number, case))
    }

    async fn unknown(&self, visit: Visit, which: &Which) -> Result<(), Text> {
        let why = match which {
            Which::Number(number) => {
                Text::with("there is no case {}: there are {}", number).and(self.settings.cases.len())
            }
            Which::Named(name) => Text::with("there is no case {} among those that are played", name),
        };
        web::refuse(visit.line.stream, web::BAD, &self.settings.lang.say(&why)).await;
        Err(why)
    }

    fn info(&self, case: &Case) -> String {
        let facts = &case.facts;
        let id = facts.autobahn.as_deref().unwrap_or(&facts.id);
        json!({ "id": id, "description": facts.title.in_(self.settings.lang) }).to_string()
    }

    fn is_excluded(&self, agent: &str, case: &Case) -> bool {
        self.settings.exclusions.has(agent, case)
    }

    async fn play(
        &self,
        number: usize,
        case: &'static Case,
        agent: String,
        visit: Visit,
    ) -> Result<(), Text> {
        if self.is_excluded(&agent, case) {
            visit.say(None).await;
            return Ok(());
        }
        if !self.standings.begin(&agent, number) {
            web::refuse(visit.line.stream, web::FULL, "there are too many agents").await;
            return Err(Text::with("{} is one agent too many", agent));
        }
        let Visit { request, line: Line { early, stream, abort, http2 }, .. } = visit;
        let keys = self.keys.clone();
        let greets = self.greets.borrow_mut().entry(agent.clone()).or_default().clone();
        let arrived = Arrived { request, early, stream, abort, keys, greets: greets.clone(), http2 };
        let graded = play::client(case, arrived).await;
        if let Some(count) = greets.news() {
            let words = "{} greets: messages passed over on each connection: {}";
            self.tell(News::Said(Text::with(words, &agent).and(count))).await;
        }
        self.played(number, agent, graded).await;
        Ok(())
    }

    /// A case that had begun is over.
    async fn played(&self, number: usize, agent: String, graded: Graded) {
        let outcome = Outcome::of(&graded);
        // Who asks for a report has it with every case whose outcome it was told.
        let chosen = self.settings.cases.iter().filter(|case| !self.is_excluded(&agent, case)).count();
        self.tell(News::Played { agent: agent.clone(), number, chosen, graded: Box::new(graded) }).await;
        self.standings.end(&agent, number, outcome);
    }
}

/// A connection, or a stream of HTTP/2 as if it were one, behind the first request.
struct Line {
    /// What was read behind it already.
    early: Vec<u8>,
    stream: Box<dyn Stream>,
    /// By which the connection is reset; a stream is when it is let go.
    abort: Abort,
    /// What the decoder says of it, where it is a stream.
    http2: Option<StreamWatch>,
}

/// A client that has asked to open a WebSocket.
struct Visit {
    request: Vec<u8>,
    line: Line,
    key: Option<Vec<u8>>,
}

impl Visit {
    /// Opens it, says something, if anything, and closes.
    async fn say(self, words: Option<&str>) {
        // A client that is gone needs no answer.
        let _ = timeout(HEAD, self.told(words)).await;
    }

    async fn told(self, words: Option<&str>) -> std::io::Result<()> {
        let Line { early, mut stream, .. } = self.line;
        let key = String::from_utf8_lossy(self.key.as_deref().unwrap_or_default()).into_owned();
        let response = Response::default().bytes(&Request { key: Some(key), ..Request::default() }, "");
        stream.write_all(&response).await?;
        let socket = Socket::new(stream, Dir::Server, None, Manners::default());
        let mut socket = socket.having_read(&early);
        if let Some(words) = words {
            socket.queue(Opcode::TEXT, words.as_bytes());
        }
        socket.close(Some(CloseCode(1000)), "");
        socket.flush().await?;
        let end = async {
            while !matches!(
                socket.next().await,
                Ok(Came::Close(..) | Came::Violation(_) | Came::End) | Err(_)
            ) {}
        };
        // Who does not answer is left.
        let _ = timeout(FAREWELL, end).await;
        socket.finish(FAREWELL).await
    }
}

/// Reads a request's head, and what came behind it already; `None` from who leaves without a word, as
/// browsers do that connect ahead of need.
async fn head(stream: &mut Box<dyn Stream>, is_tls: bool) -> Result<Option<(Heard, Vec<u8>)>, Text> {
    let mut heard = Heard::new(SourceId::Stream { conn: 1, dir: Dir::Client }, 0);
    let reading = async {
        let mut buffer = vec![0; limits::RAW_READ];
        loop {
            let count = stream.read(&mut buffer).await.unwrap_or(0);
            if count == 0 {
                return Vec::new();
            }
            let used = heard.push(&buffer[..count]);
            if heard.progress() != Progress::More {
                return buffer[used..count].to_vec();
            }
        }
    };
    let read = timeout(HEAD, reading).await;
    match (heard.progress(), read) {
        (Progress::Whole, Ok(early)) => Ok(Some((heard, early))),
        _ if heard.bytes().is_empty() => Ok(None),
        _ if !is_tls && heard.bytes().starts_with(&[0x16, 0x03]) => {
            Err("speaks TLS: let it connect to ws:// or http://, or grade with --tls".into())
        }
        (Progress::TooLarge, _) => Err(Text::with("sent a head of more than {} bytes", limits::HTTP_HEAD)),
        (_, Err(_)) => Err(Text::with("sent no whole request within {} s", HEAD.as_secs())),
        _ => Err("left within its request".into()),
    }
}
