//! One way of delivering, measured: a server, a line and clients, each on a thread of its
//! own, and a publisher that keeps to a seeded schedule.
//!
//! Everything runs before it is measured, and is still running when it has been: what is
//! counted is a piece of a steady state, without beginning and end.

mod tally;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::body::Bytes;
use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::time::{sleep, sleep_until, timeout};

use self::tally::Place;
use super::client::{Client, Heads, Order};
use super::http::{Failure, Fields};
use super::hub::{Hub, Mailbox};
use super::line::{self, Carried, Log, Recording};
use super::schedule::{Schedule, unit};
use super::server::{self, Settings};
use super::stage::Stage;
use crate::model::Way;
use crate::synth::Rng;

pub use self::tally::{Arrived, Tally};

/// What is measured.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Clients at the same time.
    pub clients: usize,
    /// Messages a second to each client.
    pub rate: f64,
    /// Bytes of a message.
    pub payload: usize,
    /// Between two short polls.
    pub interval: Duration,
    /// Whether the interval counts from the answer.
    pub closed_loop: bool,
    /// Connections a client needs for short polls.
    pub pollers: u32,
    /// What the line holds each direction for.
    pub delay: Duration,
    /// Between two signs of life on an idle connection; `None` for none.
    pub heartbeat: Option<Duration>,
    /// The target of requests; a client's own begins where `{client}` stands.
    pub target: String,
    /// Header fields of the clients' requests.
    pub heads: Heads,
    /// Header fields of the server's answers.
    pub answer: Fields,
    /// The name of a Socket.IO event.
    pub event: String,
    /// How long it is measured.
    pub duration: Duration,
    /// What chance is drawn from.
    pub seed: u64,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Run {
    /// When measuring began, and how long it went on.
    pub begin: Instant,
    /// How long it went on, in seconds.
    pub seconds: f64,
    /// What the clients got.
    pub arrived: Arrived,
    /// Bytes on the sockets meanwhile, by sender: client, server.
    pub bytes: [u64; 2],
    /// Every piece the line carried, from the first connection on.
    pub pieces: Vec<Carried>,
    /// When all clients were connected; what came before is set-up.
    pub ready: Instant,
    /// Connections; none is opened later.
    pub connections: u32,
    /// Processor time meanwhile: of the server's thread, of the clients'.
    pub server_time: Option<Duration>,
    /// The same of the clients' thread.
    pub clients_time: Option<Duration>,
    /// The line's first connection.
    pub recording: Option<Recording>,
}

/// What a machine may take longer than the line holds a byte.
const SAID: Duration = Duration::from_millis(50);

/// Clients that connect at a time: more would not fit the queues in which systems keep connections
/// until they are accepted, and wait a second to try again.
const CONNECTING: usize = 400;

impl Plan {
    /// How long a run takes besides measuring: connecting, and waiting for a steady state.
    pub fn warm_up(&self, way: Way) -> Duration {
        let round_trip = 2 * self.delay;
        let connecting = match way {
            Way::ShortPolling | Way::LongPolling => 0,
            Way::EventStream | Way::WebSocket => 1,
            Way::SocketIoPolling => 3,
            Way::SocketIoWebSocket => 6,
        };
        round_trip * connecting + self.crowding() + self.delay + SAID + self.settling(way)
    }

    /// What many clients take to connect, about.
    pub fn crowding(&self) -> Duration {
        Duration::from_millis(self.clients as u64)
    }

    /// From the first message to a steady state.
    fn settling(&self, way: Way) -> Duration {
        let interval = if way == Way::ShortPolling { self.interval } else { Duration::ZERO };
        interval + 4 * self.delay + 4 * SAID
    }
}

/// Measures one way; `None` when `stop` says so before measuring has begun. When it says so
/// later, what has been measured counts.
///
/// # Errors
/// In words, what went wrong: a lost connection, a message that is not the one that was due.
pub async fn run(plan: &Plan, way: Way, stop: &Notify) -> Result<Option<Run>, Failure> {
    let stages = Stages::start().map_err(|e| format!("starting a thread: {e}"))?;
    let hub = Arc::new(Hub::default());
    let log = Arc::new(Log::default());
    let line = stages.connect(plan, way, &hub, &log).await?;
    let tally = Arc::new(Tally::new(plan.clients, plan.payload));
    let (go, started) = watch::channel(false);
    let meeting = Meeting { server: line, tally: Arc::clone(&tally), started };
    let names = tokio::select! {
        names = connect(&stages.clients, plan, way, meeting) => names?,
        () = stop.notified() => return Ok(None),
    };
    let mailboxes = names.iter().map(|name| hub.mailbox(name).ok_or("too many clients"));
    let mailboxes = mailboxes.collect::<Result<Vec<_>, _>>()?;
    // What the clients said last is still on the line.
    sleep(plan.delay + SAID).await;
    let ready = Instant::now();
    // The clients listen to this as long as they run.
    go.send_replace(true);
    // The same stretch of the schedule is measured for every way.
    let skip = plan.settling(Way::ShortPolling).saturating_sub(plan.settling(way));
    let schedule = Schedule::new(plan.seed, plan.clients, plan.rate);
    stages.server.spawn(publish(schedule, skip, mailboxes, Arc::clone(&tally)));
    tokio::select! {
        () = sleep(plan.settling(way)) => {}
        () = stop.notified() => return Ok(None),
    }

    let times = (stages.server.time().await, stages.clients.time().await);
    let bytes = log.bytes();
    let begin = Instant::now();
    tally.measure(true);
    tokio::select! {
        () = sleep(plan.duration) => {}
        () = stop.notified() => {}
    }
    tally.measure(false);
    let seconds = begin.elapsed().as_secs_f64();
    let bytes = std::array::from_fn(|i| log.bytes()[i] - bytes[i]);
    let since = |before: Option<Duration>, now: Option<Duration>| now?.checked_sub(before?);
    let server_time = since(times.0, stages.server.time().await);
    let clients_time = since(times.1, stages.clients.time().await);
    if let Some(why) = tally.failure() {
        return Err(why);
    }
    Ok(Some(Run {
        begin,
        seconds,
        arrived: tally.arrived(),
        bytes,
        pieces: log.take_pieces(),
        ready,
        connections: log.connections(),
        server_time,
        clients_time,
        recording: log.recording(),
    }))
}

/// The threads of a run. What goes first when they are dropped: the clients, then what they talk to.
struct Stages {
    clients: Stage,
    line: Stage,
    server: Stage,
}

impl Stages {
    fn start() -> std::io::Result<Self> {
        Ok(Self {
            clients: Stage::start("clients")?,
            line: Stage::start("line")?,
            server: Stage::start("server")?,
        })
    }

    /// Starts the server and the line to it; where clients connect to.
    async fn connect(
        &self,
        plan: &Plan,
        way: Way,
        hub: &Arc<Hub>,
        log: &Arc<Log>,
    ) -> Result<SocketAddr, Failure> {
        let server = serve(&self.server, plan, way, hub).await?;
        let (listener, line) = listen(&self.line).await?;
        let (delay, log) = (plan.delay, Arc::clone(log));
        // Without its clock the line carries nothing, and connecting fails.
        self.line.spawn(async move { drop(line::carry(listener, server, delay, log).await) });
        Ok(line)
    }
}

/// Starts the server of a plan on loopback; its address.
///
/// # Errors
/// When it cannot listen.
pub async fn serve(stage: &Stage, plan: &Plan, way: Way, hub: &Arc<Hub>) -> Result<SocketAddr, Failure> {
    let settings = Settings {
        fields: plan.answer.clone(),
        hold: way == Way::LongPolling,
        heartbeat: plan.heartbeat,
        event: plan.event.clone(),
    };
    let (listener, server) = listen(stage).await?;
    stage.spawn(server::serve(listener, Arc::clone(hub), settings));
    Ok(server)
}

async fn listen(stage: &Stage) -> Result<(TcpListener, SocketAddr), Failure> {
    let listener = stage.run(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).await;
    let listener =
        listener.ok_or("a thread has ended")?.map_err(|e| format!("listening on loopback: {e}"))?;
    let address = listener.local_addr().map_err(|e| format!("listening on loopback: {e}"))?;
    Ok((listener, address))
}

/// Where clients meet, and when they begin.
pub struct Meeting {
    /// What they connect to.
    pub server: SocketAddr,
    /// What they tell how it goes.
    pub tally: Arc<Tally>,
    /// Says when they run.
    pub started: watch::Receiver<bool>,
}

/// Connects all clients; the name of each one's mailbox.
///
/// # Errors
/// When one cannot connect, or takes too long.
pub async fn connect(stage: &Stage, plan: &Plan, way: Way, meeting: Meeting) -> Result<Vec<String>, Failure> {
    let Meeting { server, tally, started } = meeting;
    let heads = Arc::new(plan.heads.clone());
    let mut phases = Rng::new(plan.seed ^ 0x5EED);
    let (ready, mut all_ready) = mpsc::unbounded_channel();
    let few = Arc::new(Semaphore::new(CONNECTING));
    for client in 0..plan.clients {
        let order = Order {
            server,
            target: plan.target.replace("{client}", &name(client)),
            heads: Arc::clone(&heads),
            interval: plan.interval,
            first: plan.interval.mul_f64(unit(&mut phases)),
            closed_loop: plan.closed_loop,
            pollers: plan.pollers,
            event: plan.event.clone(),
        };
        let few = Arc::clone(&few);
        let (ready, mut started, tally) = (ready.clone(), started.clone(), Arc::clone(&tally));
        stage.spawn(async move {
            // The semaphore is never closed.
            let Ok(turn) = few.acquire_owned().await else { return };
            let connected = match Client::connect(way, order).await {
                Ok(connected) => connected,
                Err(why) => {
                    // If nobody listens any longer, nobody wants to know.
                    let _ = ready.send(Err(format!("client {}: {why}", client + 1)));
                    return;
                }
            };
            drop(turn);
            let session = connected.session().map(str::to_owned);
            let _ = ready.send(Ok((client, session)));
            drop(ready);
            if started.wait_for(|started| *started).await.is_err() {
                return;
            }
            let place = Arc::new(Place { tally: Arc::clone(&tally), client });
            if let Err(why) = connected.run(place).await {
                tally.fail(format!("client {}: {why}", client + 1));
            }
        });
    }
    drop(ready);
    let patience = Duration::from_secs(20) + 20 * plan.delay;
    let mut names = vec![String::new(); plan.clients];
    for count in 0..plan.clients {
        match timeout(patience, all_ready.recv()).await {
            Ok(Some(Ok((client, session)))) => names[client] = session.unwrap_or_else(|| name(client)),
            Ok(Some(Err(why))) => return Err(why),
            Ok(None) | Err(_) => {
                return Err(format!("only {count} of {} clients could connect", plan.clients));
            }
        }
    }
    Ok(names)
}

/// A client's name: as long for each.
fn name(client: usize) -> String {
    format!("{client:05}")
}

/// Publishes for ever, from a moment of the schedule on.
async fn publish(schedule: Schedule, from: Duration, mailboxes: Vec<Arc<Mailbox>>, tally: Arc<Tally>) {
    let start = tokio::time::Instant::now();
    let moments = schedule.map(|(at, client)| (Duration::from_nanos(at), client));
    for (at, client) in moments.skip_while(|(at, _)| *at < from) {
        sleep_until(start + at.saturating_sub(from)).await;
        mailboxes[client].push(Bytes::from(tally.publish(client)));
    }
}
