//! `wstool compare --live`: measured on this machine, beside the formulas.

use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::header::{HeaderName, HeaderValue};
use tokio::runtime::Builder;
use tokio::sync::Notify;

use super::args::Args;
use super::memory;
use super::progress::{Progress, announce};
use crate::compare::heads::Head;
use crate::compare::latency::Observed;
use crate::compare::live::{Check, Live, Run, report};
use crate::compare::segments::{Phases, Piece, packets};
use crate::compare::words::{RUNS, counted, said};
use crate::compare::{Scenario, Way, model};
use crate::lab::client::Heads;
use crate::lab::experiment::{self, Plan};
use crate::lab::http::Fields;
use crate::lab::{gauge, verify};
use crate::lang::Lang;
use crate::limits;
use crate::model::Text;
use crate::model::report::Report;

/// Measures, and gives the page; exit code 1 when the decoder's count is another than the sockets'.
pub fn measure(args: &Args, mut scenario: Scenario, lang: Lang) -> Result<(Report, u8), Text> {
    check(args, &scenario)?;
    name_clients(&mut scenario);
    let plan = plan(args, &scenario)?;
    let mut live = Live {
        seed: args.seed,
        runs: args.runs,
        debug: cfg!(debug_assertions),
        ways: Way::ALL.map(|way| (way, Vec::new())).into(),
        ..Live::default()
    };
    let runtime = Builder::new_current_thread().enable_all().build().map_err(|e| Text::with("{}", e))?;
    runtime.block_on(all(&plan, args.runs, &scenario, &mut live, lang))?;
    if live.ways.iter().all(|(_, runs)| runs.is_empty()) {
        return Err(Text::new("ended before anything was measured"));
    }
    let holds = live.check.is_none_or(|check| check.iter().all(Check::holds));
    Ok((report(&scenario, &live), u8::from(!holds)))
}

/// Serves one way until standard input ends, for [`memory`].
pub fn serve(args: &Args, mut scenario: Scenario, number: u8) -> Result<(), Text> {
    name_clients(&mut scenario);
    let way = Way::ALL.get(usize::from(number)).ok_or(Text::new("there are six ways"))?;
    memory::serve(&plan(args, &scenario)?, *way)
}

/// What a machine can do in a while.
fn check(args: &Args, s: &Scenario) -> Result<(), Text> {
    let run = s.duration / args.runs as f64;
    let least = (5.0 * s.delay).max(0.1);
    if run < least {
        return Err(said!(
            "--live: {} s shared by {} is {} ms each, and at least {} ms are wanted: more --duration, or \
             fewer --runs",
            s.duration.to_string(),
            counted(args.runs, RUNS),
            whole(run * 1000.0),
            whole(least * 1000.0),
        ));
    }
    if s.interval > run {
        return Err(said!(
            "--live: --interval {} ms is longer than a run of {} ms, and short polling would not be seen: \
             more --duration, fewer --runs, or a shorter --interval",
            whole(s.interval * 1000.0),
            whole(run * 1000.0),
        ));
    }
    if s.interval < 0.005 {
        return Err(Text::new("--live: --interval must be at least 5 ms"));
    }
    if s.clients > 10_000 {
        return Err(Text::new("--live: --clients must be at most 10000"));
    }
    if s.payload == 0 || s.payload > limits::LAB_MESSAGE as u64 / 2 {
        return Err(Text::with("--live: --payload must be from 1 to {} bytes", limits::LAB_MESSAGE / 2));
    }
    if s.rate * s.clients as f64 > 100_000.0 || s.rate * s.clients as f64 * run > 2e6 {
        return Err(Text::new(
            "--live: --clients times --rate must be at most 100000 messages a second, and two million a run",
        ));
    }
    // More than that the delay line would hold back by itself.
    if s.rate * s.clients as f64 * s.payload as f64 > 100e6 {
        return Err(Text::new(
            "--live: --clients times --rate times --payload must be at most 100 million bytes a second",
        ));
    }
    // Each connection takes a file at both its ends and two on the line.
    let files = 4 * s.clients * connections(s) + 64;
    match gauge::open_files() {
        Some(most) if files > most => Err(said!(
            "--live: {} clients need {} open files, and this system allows {}: fewer --clients, or ulimit -n",
            s.clients,
            files,
            most
        )),
        _ => Ok(()),
    }
}

/// Without decimals.
fn whole(value: f64) -> String {
    format!("{value:.0}")
}

/// The most connections any way takes for a client.
fn connections(s: &Scenario) -> u64 {
    let most = Way::ALL.map(|way| model::cost(s, way).connections.ceil() as u64);
    most.into_iter().fold(2, u64::max)
}

/// Requests say whose they are: the formulas count these bytes, too.
fn name_clients(s: &mut Scenario) {
    let target = s.heads.request.target().to_owned();
    let joint = if target.contains('?') { '&' } else { '?' };
    s.heads.request = s.heads.request.clone().asking("GET", &format!("{target}{joint}client=00000"));
}

fn plan(args: &Args, s: &Scenario) -> Result<Plan, Text> {
    let heads = Heads {
        get: fields(&s.heads.get(None))?,
        // HTTP says by itself how long a body is, and how it is sent.
        post: fields(&s.heads.post(None, 0).without(&["content-length"]))?,
        stream: fields(&s.heads.stream_request())?,
        upgrade: fields(&s.heads.upgrade(None))?,
    };
    Ok(Plan {
        clients: s.clients as usize,
        rate: s.rate,
        payload: s.payload as usize,
        interval: Duration::from_secs_f64(s.interval),
        closed_loop: s.closed_loop,
        pollers: model::cost(s, Way::ShortPolling).connections.ceil() as u32,
        delay: Duration::from_secs_f64(s.delay),
        heartbeat: (s.heartbeat > 0.0).then(|| Duration::from_secs_f64(s.heartbeat)),
        target: s.heads.request.target().replace("client=00000", "client={client}"),
        heads,
        answer: fields(&s.heads.response.clone().without(&["content-length", "transfer-encoding"]))?,
        event: s.event.clone(),
        duration: Duration::from_secs_f64(s.duration / args.runs as f64),
        seed: args.seed,
    })
}

fn fields(head: &Head) -> Result<Fields, Text> {
    let field = |(name, value): &(String, String)| {
        let problem = |what: &'static str| said!("--request-headers: `{}`: {}", name, what);
        let value = HeaderValue::try_from(value.as_str())
            .map_err(|_| problem("a control character cannot be in a header field's value"))?;
        let name = HeaderName::try_from(name.as_str())
            .map_err(|_| problem("this is no name of a header field (RFC 9110 §5.1)"))?;
        Ok((name, value))
    };
    head.fields.iter().map(field).collect()
}

/// Every run of every way, in turn, until it is done or Ctrl-C is pressed.
async fn all(plan: &Plan, runs: u64, s: &Scenario, live: &mut Live, lang: Lang) -> Result<(), Text> {
    let stop = Arc::new(Notify::new());
    let once: Duration = Way::ALL.iter().map(|way| plan.warm_up(*way) + plan.duration).sum();
    let whole = once * runs as u32 + memory::duration(plan);
    announce(runs, plan.duration, whole, lang).map_err(|e| Text::with("{}", e))?;
    let progress = Progress::new(whole, lang);
    let interrupted = tokio::spawn(interrupt(Arc::clone(&stop)));
    live.memory = memory::measure(plan, &progress, &stop).await;
    let result = in_turn(plan, s, live, &stop, &progress).await;
    live.cut_short = interrupted.is_finished();
    interrupted.abort();
    result
}

async fn in_turn(
    plan: &Plan,
    s: &Scenario,
    live: &mut Live,
    stop: &Notify,
    progress: &Progress,
) -> Result<(), Text> {
    let runs = live.runs;
    for number in 1..=runs {
        // The same moments for every way of a run, others in the next.
        let plan = Plan { seed: plan.seed.wrapping_add((number - 1) << 32), ..plan.clone() };
        for (way, done) in &mut live.ways {
            let length = plan.warm_up(*way) + plan.duration;
            progress.step(length, &said!("run {} of {}, {}", number, runs, way.name()));
            let run = experiment::run(&plan, *way, stop).await;
            let Some(run) = run.map_err(|why| said!("--live: {}: {}", way.name(), why))? else {
                return Ok(());
            };
            let cut_short = run.seconds < plan.duration.as_secs_f64();
            if *way == Way::WebSocket && live.check.is_none() {
                live.check = run.recording.as_ref().map(|recording| verify::decode(recording).map(checked));
            }
            done.push(measured(s, &run));
            if cut_short {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Says on Ctrl-C that it is enough.
async fn interrupt(stop: Arc<Notify>) {
    if tokio::signal::ctrl_c().await.is_ok() {
        stop.notify_one();
    }
}

/// A run in the words of the comparison.
fn measured(s: &Scenario, run: &experiment::Run) -> Run {
    let at = |moment: Instant| {
        let since = |a: Instant, b: Instant| a.saturating_duration_since(b).as_secs_f64();
        since(moment, run.begin) - since(run.begin, moment)
    };
    let pieces: Vec<Piece> = run
        .pieces
        .iter()
        .map(|piece| Piece {
            at: at(piece.at),
            connection: piece.connection,
            from: piece.from.index(),
            bytes: piece.bytes,
        })
        .collect();
    let phases = Phases { ready: at(run.ready), begin: 0.0, end: run.seconds };
    let packets = packets(&pieces, s.wire, s.delay, phases);
    let before = pieces.iter().filter(|piece| piece.at < phases.ready).map(|piece| f64::from(piece.bytes));
    let below =
        packets.setup as f64 * s.wire.headers() as f64 + f64::from(run.connections) * s.wire.open().total();
    let mut latency = Observed::default();
    run.arrived.latencies.iter().for_each(|seconds| latency.add(*seconds));
    Run {
        seconds: run.seconds,
        latency,
        requests: run.arrived.requests,
        polls: run.arrived.polls,
        empty: run.arrived.empty,
        stream: run.bytes.iter().sum(),
        packets: packets.steady,
        setup: before.sum::<f64>() + below,
        server: run.server_time.map(|time| time.as_secs_f64()),
        clients: run.clients_time.map(|time| time.as_secs_f64()),
    }
}

fn checked(sum: verify::Sum) -> Check {
    Check {
        socket: sum.socket,
        heads: sum.heads,
        frames: sum.frames,
        frame_headers: sum.headers,
        payloads: sum.payloads,
    }
}
