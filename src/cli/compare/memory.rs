//! How much memory a server takes for a client: measured on a server in a process of its
//! own, where nothing else takes any and nothing was given back before.
//!
//! The process is this program again. It says its port; each line it is sent asks for the
//! bytes of its memory, and the end of its input ends it.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::{Notify, watch};
use tokio::time::sleep;

use super::progress::Progress;
use crate::lab::experiment::{self, Meeting, Plan, Tally};
use crate::lab::gauge;
use crate::lab::hub::Hub;
use crate::lab::stage::Stage;
use crate::model::{Text, Way};

/// As many at least: a few would drown in pages of 4 KiB.
const CLIENTS: usize = 200;

/// How long it takes for all ways.
pub fn duration(plan: &Plan) -> Duration {
    Way::ALL.iter().map(|way| one(plan, *way)).sum()
}

fn one(plan: &Plan, way: Way) -> Duration {
    asking(plan, way) + 8 * QUIET + plan.crowding()
}

/// A moment for what was begun to be done.
const QUIET: Duration = Duration::from_millis(50);

/// How long clients ask before their server's memory is read: until each has.
fn asking(plan: &Plan, way: Way) -> Duration {
    let interval = if way == Way::ShortPolling { plan.interval } else { Duration::ZERO };
    interval + 4 * QUIET
}

/// Bytes a client, for each way for which they can be had; stops early on `stop`.
pub async fn measure(plan: &Plan, progress: &Progress, stop: &Notify) -> Vec<(Way, f64)> {
    let mut measured = Vec::new();
    for (number, way) in Way::ALL.into_iter().enumerate() {
        progress.step(one(plan, way), &Text::new("memory, {}").word(way.name()));
        tokio::select! {
            bytes = of(plan, number, way) => match bytes {
                Some(bytes) => measured.push((way, bytes)),
                // Where it cannot be had for one it cannot be had for any.
                None => return measured,
            },
            () = stop.notified() => {
                // The runs want to know as well.
                stop.notify_one();
                return measured;
            }
        }
    }
    measured
}

async fn of(plan: &Plan, number: usize, way: Way) -> Option<f64> {
    let mut server = Server::start(number)?;
    let clients = Stage::start("clients").ok()?;
    let plan = Plan { clients: plan.clients.max(CLIENTS), ..plan.clone() };
    // The first client makes the server touch what it needs once.
    let first = Plan { clients: 1, interval: QUIET, ..plan.clone() };
    attach(&clients, &first, way, server.address).await?;
    let before = server.memory()?;
    attach(&clients, &plan, way, server.address).await?;
    let after = server.memory()?;
    Some((after - before) / plan.clients as f64)
}

/// Connects clients and lets them ask.
async fn attach(stage: &Stage, plan: &Plan, way: Way, server: SocketAddr) -> Option<()> {
    let (go, started) = watch::channel(false);
    let tally = Arc::new(Tally::new(plan.clients, plan.payload));
    let meeting = Meeting { server, tally, started };
    experiment::connect(stage, plan, way, meeting).await.ok()?;
    go.send_replace(true);
    sleep(asking(plan, way)).await;
    Some(())
}

struct Server {
    child: Child,
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Server {
    fn start(number: usize) -> Option<Self> {
        let mut child = Command::new(std::env::current_exe().ok()?)
            .args(std::env::args_os().skip(1))
            .args(["--live-server", &number.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let ask = child.stdin.take();
        let answers = BufReader::new(child.stdout.take()?);
        let mut server = Self { child, ask, answers, address: (Ipv4Addr::LOCALHOST, 0).into() };
        let port = server.line()?.parse().ok()?;
        server.address.set_port(port);
        Some(server)
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line).ok()?;
        Some(line.trim_end().to_owned())
    }

    fn memory(&mut self) -> Option<f64> {
        self.ask.as_mut()?.write_all(b"\n").ok()?;
        self.line()?.parse().ok()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.ask.take());
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server's side.
pub fn serve(plan: &Plan, way: Way) -> Result<(), Text> {
    let words = |e: io::Error| Text::with("{}", e);
    let stage = Stage::start("server").map_err(words)?;
    let runtime = Builder::new_current_thread().build().map_err(words)?;
    let address = runtime
        .block_on(experiment::serve(&stage, plan, way, &Arc::new(Hub::default())))
        .map_err(|why| Text::with("{}", why))?;
    let mut out = io::stdout().lock();
    writeln!(out, "{}", address.port()).map_err(words)?;
    out.flush().map_err(words)?;
    for line in io::stdin().lock().lines() {
        line.map_err(words)?;
        let bytes = gauge::resident().map_or_else(|| "unknown".to_owned(), |bytes| bytes.to_string());
        writeln!(out, "{bytes}").map_err(words)?;
        out.flush().map_err(words)?;
    }
    Ok(())
}
