//! A server is graded: cases are played over connections of their own, several at a time.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::rc::Rc;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::task::LocalSet;

use super::playing::{self, Peer, Playing};
use super::probe::{self, Answer, Crowd};
use super::report::{self, Report};
use super::way::Ways;
use super::{Args, consent, note};
use crate::cli::Look;
use crate::cli::dial::Url;
use crate::cli::dial::keylog::Keylog;
use crate::cli::dial::line::Reach;
use crate::cli::habits::quoted;
use crate::cli::live::{self, stop};
use crate::cli::output::Output;
use crate::grade::autobahn::Exclusions;
use crate::grade::play::{self, Target};
use crate::grade::{Case, Endpoint, LeftOut, Manner};
use crate::lab::tap::Tap;
use crate::model::grade::Graduate;
use crate::model::{Dir, Text};
use crate::render::Options;
use crate::render::grade as render;

/// A server, where one is needed for an example.
const SOME_SERVER: &str = "ws://127.0.0.1:9001";

/// Between two connections to a server that others use.
const PAUSE: Duration = Duration::from_millis(200);

/// Plays the cases, shows what came of each, and gives the exit code.
///
/// # Errors
/// That the server cannot be reached, or is not to be tested.
pub(super) async fn grade(args: &Args, cases: &[&'static Case], look: Look) -> Result<io::Result<u8>, Text> {
    if args.dry_run {
        // Nothing is connected to: any server will do.
        let url = Url::parse(args.url.as_deref().unwrap_or(SOME_SERVER))?;
        return Ok(planned(cases, &target(args, &url), &args.report.options(look)));
    }
    let named =
        args.url.as_deref().ok_or_else(|| Text::with("name the server: wstool grade {}", SOME_SERVER))?;
    let server = Reached::new(args, named, look).await?;
    let ready = server.ready(args, cases, look).await?;
    let mut report = Report::new(&args.report, manner(args, cases, ready.count, false), look)?;
    let who = graduate(args, named, args.agent.as_deref().unwrap_or(named));
    let mut stop = stop::listen().map_err(live::untold)?;
    let played = async {
        let run = all(ready, &who, &mut report, &mut stop).await?;
        let code = report.end(run.is_interrupted, &run.notes)?;
        // What was not played has not failed, and all is not well.
        Ok(if run.is_cut_short && code == 0 { super::UNREACHED } else { code })
    };
    Ok(Box::pin(LocalSet::new().run_until(played)).await)
}

/// Plays the cases with one server after the other, as each has its arguments, and gives the exit code. Who
/// is not called anything is called what it calls itself.
///
/// # Errors
/// What is wrong with what is asked for.
pub(super) fn several(
    args: &Args,
    servers: &[Args],
    cases: &[&'static Case],
    exclusions: &Exclusions,
    look: Look,
) -> Result<io::Result<u8>, Text> {
    let mut report = Report::new(&args.report, manner(args, cases, cases.len(), true), look)?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(live::untold)?;
    let mut stop = stop::listen().map_err(live::untold)?;
    let [mut is_interrupted, mut is_missed, mut is_cut_short] = [false; 3];
    let mut notes = Vec::new();
    let played = LocalSet::new().block_on(&runtime, async {
        for args in servers {
            let named = args.url.as_deref().unwrap_or_default();
            let ready = async {
                let server = Reached::new(args, named, look).await?;
                let agent = server.agent(args).await;
                let mut cases = cases.to_vec();
                cases.retain(|case| !exclusions.has(&agent, case));
                Ok::<_, Text>((server.ready(args, &cases, look).await?, graduate(args, named, &agent)))
            };
            let ready = tokio::select! {
                ready = ready => ready,
                _ = stop.recv() => {
                    is_interrupted = true;
                    break;
                }
            };
            match ready {
                Ok((ready, who)) => {
                    let run = all(ready, &who, &mut report, &mut stop).await?;
                    notes.extend(run.notes);
                    is_cut_short |= run.is_cut_short;
                    is_interrupted = run.is_interrupted;
                    if is_interrupted {
                        break;
                    }
                }
                Err(why) => {
                    is_missed = true;
                    // A broken standard error is no reason to stop.
                    let _ = look.tell("error: {}", &Text::with("{}: {}", named).word(why));
                }
            }
        }
        Ok::<_, io::Error>(())
    });
    let code = played.and_then(|()| report.end(is_interrupted, &notes));
    let is_missed = |code| is_missed || is_cut_short && code == 0;
    Ok(code.map(|code| if is_missed(code) { code.max(super::UNREACHED) } else { code }))
}

fn manner(args: &Args, cases: &[&Case], count: usize, many: bool) -> report::Manner {
    let here = Manner { http2: args.dial.http2, ..Manner::default() };
    report::Manner {
        strict: args.strict,
        named: !args.cases.is_empty(),
        chosen: count as u64,
        stage: args.stage,
        // What is of the other version of HTTP is no part of a stage.
        stages: render::stages(
            cases.iter().filter(|case| here.leaves_out(case).is_none()).map(|case| &*case.facts),
        ),
        many,
    }
}

/// A server that is there, and may be tested.
struct Reached<'a> {
    named: &'a str,
    ways: Rc<Ways>,
    target: Rc<Target>,
}

/// Cases that may begin.
struct Ready {
    playing: Playing,
    count: usize,
}

impl<'a> Reached<'a> {
    async fn new(args: &Args, named: &'a str, look: Look) -> Result<Self, Text> {
        let (reach, target) = way(args, named, look).await?;
        // Who is not there is said once, not a case.
        drop(reach.connect().await?);
        let pause = if args.gentle { PAUSE } else { Duration::ZERO };
        let ways = Ways::new(reach, args.keep.as_deref(), pause)?;
        Ok(Self { named, ways: Rc::new(ways), target: Rc::new(target) })
    }

    /// What it is called, or calls itself.
    async fn agent(&self, args: &Args) -> String {
        if let Some(agent) = &args.agent {
            return agent.clone();
        }
        let product = probe::product(&self.ways, &self.target).await;
        product.unwrap_or_else(|| "UnknownServer".to_owned())
    }

    /// Finds out how the cases can be played with it.
    async fn ready(&self, args: &Args, cases: &[&'static Case], look: Look) -> Result<Ready, Text> {
        let ways = &self.ways;
        let answer = probe::answer(ways, &self.target, args.patience.is_some()).await;
        let target = match answer {
            Answer::Echo(greeting @ 1..) => {
                let words = "the server greets who comes: messages passed over on each connection: {}";
                note(look, &Text::with(words, greeting));
                Rc::new(Target { greeting, ..(*self.target).clone() })
            }
            _ => Rc::clone(&self.target),
        };
        // Who writes their first server may have none that opens a WebSocket, or sends back, yet.
        if args.stage.is_none() {
            if let Answer::Unopened(status, why) = &answer {
                return Err(unopened(self.named, *status, why, &target));
            }
            if args.endpoint.is_none() && cases.iter().any(|case| case.needs_echo) {
                echoes(self.named, &answer)?;
            }
        }
        let manner = Manner { http2: target.http2, endpoint: target.endpoint, gentle: args.gentle };
        let cases = chosen(manner, cases, look)?;
        let mut jobs = if args.gentle { 1 } else { args.jobs as usize };
        if jobs > 1 && cases.len() > 1 {
            let words = match probe::crowd(ways, &target).await {
                Crowd::Apart => None,
                Crowd::Together => {
                    Some("what one client says, the server sends to all: cases are played one by one")
                }
                Crowd::Queued => {
                    Some("the server takes no connection while another is open: cases are played one by one")
                }
                Crowd::Alone => Some(
                    "the server turns connections away while another is open: cases are played one by one",
                ),
            };
            if let Some(words) = words {
                jobs = 1;
                note(look, &words.into());
            }
        }
        let beside = match &args.against {
            Some(named) if cases.iter().any(|case| playing::is_compared(case)) => {
                Some(against(args, named, look).await?)
            }
            Some(named) => {
                let words = "no case of limits or performance is played: {} has no figures to give";
                note(look, &Text::with(words, named));
                None
            }
            None => None,
        };
        let peer = (Rc::clone(ways), target);
        Ok(Ready { count: cases.len(), playing: Playing::new(&cases, peer, beside, jobs) })
    }
}

/// The way to a server that may be tested, and what it is asked for.
async fn way(args: &Args, named: &str, look: Look) -> Result<(Reach, Target), Text> {
    let url = Url::parse(named)?;
    let target = target(args, &url);
    let reach = args.dial.reach(url, &Keylog::default(), Tap::idle(), look)?;
    consent::ask(args, &reach).await?;
    Ok((reach, target))
}

/// The server whose figures stand beside.
async fn against(args: &Args, named: &str, look: Look) -> Result<Peer, Text> {
    let (reach, mut target) = way(args, named, look).await?;
    drop(reach.connect().await.map_err(|why| Text::with("{}: {}", named).word(why))?);
    let ways = Ways::new(reach, None, Duration::ZERO)?;
    let answer = probe::answer(&ways, &target, args.patience.is_some()).await;
    if let Answer::Unopened(status, why) = &answer {
        return Err(unopened(named, *status, why, &target));
    }
    if let Answer::Echo(greeting) = answer {
        target.greeting = greeting;
    } else if args.endpoint.is_none() {
        echoes(named, &answer)?;
    }
    Ok((Rc::new(ways), Rc::new(target)))
}

/// Shows what would be sent.
fn planned(cases: &[&'static Case], target: &Target, options: &Options) -> io::Result<u8> {
    let mut out = Output::new(false);
    for case in cases {
        let plan = play::plan(case, target);
        out.write_all(render::planned(&plan, cases.len() == 1, options).as_bytes())?;
    }
    out.flush().map(|()| 0)
}

/// What the server is asked for.
fn target(args: &Args, url: &Url) -> Target {
    let mut host = url.host_field();
    let mut fields = args.dial.fields();
    // What every request has is set otherwise.
    fields.retain(|(name, value)| {
        let is_host = name.eq_ignore_ascii_case("Host");
        if is_host {
            host.clone_from(value);
        }
        !is_host && !value.is_empty()
    });
    if args.gentle && !fields.iter().any(|(name, _)| name.eq_ignore_ascii_case("User-Agent")) {
        let agent = concat!("wstool/", env!("CARGO_PKG_VERSION"), " (conformance cases, grade --gentle)");
        fields.push(("User-Agent".to_owned(), agent.to_owned()));
    }
    Target {
        host,
        resource: url.resource.clone(),
        secure: url.secure,
        http2: args.dial.http2,
        fields: fields.iter().map(|(name, value)| format!("{name}: {value}")).collect(),
        endpoint: args.endpoint.map(super::args::Kind::endpoint).unwrap_or_default(),
        greeting: 0,
        first: args.stage.is_some(),
    }
}

/// Says that there is no WebSocket to be graded, and what may be the reason.
fn unopened(named: &str, status: Option<u16>, why: &Text, target: &Target) -> Text {
    let hint = match status {
        Some(401 | 403 | 407) => "does it want credentials (--user, --header), or another --origin?",
        Some(200..=299 | 404 | 405 | 410) => "is the path right?",
        Some(400 | 426) => "does it want a --subprotocol, or a --header?",
        Some(300..=399) => "it sends elsewhere",
        Some(429 | 503) => "it has no room for one more connection now",
        Some(_) => "something behind it fails",
        None if target.http2 => {
            "does it speak WebSocket over HTTP/2 (RFC 8441)? without --http2 it is HTTP/1.1"
        }
        None if target.secure => "does it speak WebSocket? perhaps over HTTP/2 alone (--http2)",
        None => "does it speak TLS (wss://), or HTTP/2 alone (--http2)?",
    };
    let words =
        "{} opens no WebSocket, so there is nothing to grade: {} ({}); `wstool connect {}` shows more";
    Text::new(words).and(named).word(why.clone()).word(hint).and(named)
}

/// Says that a server does not send messages back, and how it can be judged all the same.
fn echoes(named: &str, answer: &Answer) -> Result<(), Text> {
    let (what, kind) = match answer {
        Answer::Echo(_) | Answer::Unopened(..) => return Ok(()),
        Answer::Other => ("sends other messages than it gets".into(), Endpoint::Push),
        Answer::Nothing => ("does not send back what it gets".into(), Endpoint::Push),
        Answer::Ends(None) => ("ends the connection when a message comes".into(), Endpoint::Close),
        Answer::Ends(Some(code)) => {
            (Text::with("ends the connection with {} when a message comes", code.0), Endpoint::Close)
        }
    };
    let words = "{} {}, and most cases need a server that sends each message back; \
                 --endpoint {} plays those that do not, --endpoint echo plays them all";
    Err(Text::new(words).and(named).word(what).and(kind.name()))
}

/// The cases that can be played in this manner; what is left out, and why, is said.
///
/// # Errors
/// That there are none.
pub(super) fn chosen(
    manner: Manner,
    cases: &[&'static Case],
    look: Look,
) -> Result<Vec<&'static Case>, Text> {
    let mut left_out: BTreeMap<LeftOut, usize> = BTreeMap::new();
    let mut chosen = Vec::new();
    for case in cases {
        match manner.leaves_out(case) {
            None => chosen.push(*case),
            Some(why) => *left_out.entry(why).or_default() += 1,
        }
    }
    let words = |why: LeftOut, count: usize| match why {
        LeftOut::OfHttp1 => Text::with("cases about the head of HTTP/1.1 are left out: {}", count),
        LeftOut::OfHttp2 => Text::with("cases about HTTP/2 are left out, which --http2 plays: {}", count),
        LeftOut::NeedsEcho => Text::with("cases that need messages to be sent back are left out: {}", count),
        LeftOut::Rough => Text::with("cases that are hard on a server are left out by --gentle: {}", count),
    };
    if chosen.is_empty() {
        let why = left_out.into_iter().next().map(|(why, count)| words(why, count));
        return Err(Text::new("nothing is left to play: {}").word(why.unwrap_or_default()));
    }
    // That there are cases of HTTP/2 is no news to who did not ask for it.
    for (why, count) in left_out.into_iter().filter(|(why, _)| *why != LeftOut::OfHttp2) {
        note(look, &words(why, count));
    }
    Ok(chosen)
}

/// Who is graded, and by which command. What may be secret is not in it: reports are passed on.
fn graduate(args: &Args, named: &str, agent: &str) -> Graduate {
    let mut again = format!("wstool grade {}", quoted(named));
    let mut add = |words: &[&str]| {
        for word in words {
            again.push(' ');
            again.push_str(&quoted(word));
        }
    };
    if args.dial.http2 {
        add(&["--http2"]);
    }
    if args.dial.insecure {
        add(&["-k"]);
    }
    if let Some(path) = &args.dial.cacert {
        add(&["--cacert", &path.to_string_lossy()]);
    }
    if let Some(origin) = &args.dial.origin {
        add(&["--origin", origin]);
    }
    if let Some(names) = &args.dial.subprotocol {
        add(&["--subprotocol", names]);
    }
    if let Some(kind) = args.endpoint {
        add(&["--endpoint", kind.endpoint().name()]);
    }
    if args.i_may {
        add(&["--i-may"]);
    }
    for path in &args.cases_file {
        add(&["--cases-file", &path.to_string_lossy()]);
    }
    Graduate { agent: agent.to_owned(), role: Dir::Server, url: named.to_owned(), again }
}

/// How a run went.
struct Run {
    /// By Ctrl-C.
    is_interrupted: bool,
    /// The server went before all cases were played.
    is_cut_short: bool,
    /// What else there is to say.
    notes: Vec<Text>,
}

/// Plays to the end, or until Ctrl-C.
async fn all(
    Ready { mut playing, count }: Ready,
    who: &Graduate,
    report: &mut Report,
    stop: &mut stop::Stop,
) -> io::Result<Run> {
    report.begin(who, count as u64);
    let is_interrupted = loop {
        let next = tokio::select! {
            next = playing.next() => next,
            _ = stop.recv() => break true,
        };
        let Some((at, one)) = next else { break false };
        report.take(who, at, one)?;
    };
    report.over(who);
    let is_cut_short = !is_interrupted && playing.is_cut_short();
    Ok(Run { is_interrupted, is_cut_short, notes: playing.notes() })
}
