//! Clients are graded, in whatever order they come.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::task::LocalSet;

use super::clients;
use super::report::{self, Report};
use crate::cli::habits::quoted;
use crate::cli::live::{self, stop};
use crate::cli::{Look, authority};
use crate::grade::Case;
use crate::grade::autobahn::Exclusions;
use crate::grade::listen::{Desk, News, Settings};
use crate::lab::tls;
use crate::model::grade::Graduate;
use crate::model::{Dir, Text};
use crate::render::grade as render;

/// Listens until somebody asks for the end, and gives the exit code.
///
/// # Errors
/// Why nobody can come.
pub(super) fn grade(
    asked: &super::Args,
    address: &str,
    cases: Vec<&'static Case>,
    exclusions: Exclusions,
    look: Look,
) -> Result<io::Result<u8>, Text> {
    let args = &asked.clients;
    // Before anybody is told that it can be ended.
    let mut stop = stop::listen().map_err(live::untold)?;
    let (listener, ours) = live::listen(address)?;
    let tls = authority::secure(args.certificate(), args.tls, ours, tls::alpn(asked.dial.http2), look)?;
    announce(ours, asked, cases.len(), look).map_err(live::untold)?;
    let manner = report::Manner {
        strict: asked.strict,
        named: !asked.cases.is_empty(),
        chosen: cases.len() as u64,
        stage: asked.stage,
        stages: render::stages(cases.iter().map(|case| &*case.facts)),
        many: true,
    };
    let mut report = Report::new(&asked.report, manner, look)?;
    let (once, http2, lang) = (args.once, asked.dial.http2, look.lang);
    let settings = Settings { cases, exclusions, tls, http2, ours, once, lang };
    let runtime = Builder::new_current_thread().enable_all().build().map_err(live::untold)?;
    let ended = LocalSet::new().block_on(&runtime, async {
        let (desk, mut news) = Desk::new(settings);
        let serving = tokio::task::spawn_local(desk.serve(TcpListener::from_std(listener)?));
        loop {
            let news = tokio::select! {
                news = news.recv() => news,
                _ = stop.recv() => break,
            };
            match news {
                Some(News::Played { agent, number, chosen, graded }) => {
                    let who = graduate(agent, ours, asked);
                    report.begin(&who, chosen as u64);
                    report.take(&who, number, *graded)?;
                }
                Some(News::Report { agent, done }) => {
                    if !report.told_of(&agent)? {
                        let words = "{} asks for a report, and has played no case";
                        look.tell("note: {}", &Text::with(words, &agent))?;
                    }
                    // Who asked may be gone.
                    let _ = done.send(());
                }
                Some(News::Said(words)) => look.tell("{}", &words)?,
                Some(News::Stop) | None => break,
            }
        }
        serving.abort();
        Ok(())
    });
    Ok(ended.and_then(|()| {
        if report.is_empty() {
            look.tell("error: {}", &"nobody came to be graded".into())?;
            return Ok(super::UNREACHED);
        }
        report.end(false, &[])
    }))
}

/// Who came, and how it is graded again.
fn graduate(agent: String, ours: SocketAddr, asked: &super::Args) -> Graduate {
    let args = &asked.clients;
    let certificate = args.certificate();
    let mut again = format!("wstool grade --listen {ours}");
    if asked.dial.http2 {
        again += " --http2";
    }
    // Writing to a string cannot fail.
    let _ = match certificate {
        Some((cert, key)) => {
            let [cert, key] = [cert, key].map(|path| quoted(&path.to_string_lossy()));
            write!(again, " --cert {cert} --key {key}")
        }
        None if args.tls => write!(again, " --tls"),
        None => Ok(()),
    };
    for path in &asked.cases_file {
        let _ = write!(again, " --cases-file {}", quoted(&path.to_string_lossy()));
    }
    let scheme = if is_secure(args) { "wss" } else { "ws" };
    Graduate { agent, role: Dir::Client, url: format!("{scheme}://{ours}"), again }
}

fn is_secure(args: &clients::Args) -> bool {
    args.tls || args.certificate().is_some()
}

/// Says on standard error what is where.
fn announce(ours: SocketAddr, asked: &super::Args, count: usize, look: Look) -> io::Result<()> {
    look.tell("{}", &Text::with("listening on {}; Ctrl-C ends", ours))?;
    let s = if is_secure(&asked.clients) { "s" } else { "" };
    let mut err = io::stderr().lock();
    let how = if asked.dial.http2 {
        "{} cases for clients that ask over HTTP/2 as for the Autobahn testsuite"
    } else {
        "{} cases for clients that ask as for the Autobahn testsuite"
    };
    let how = look.lang.fill(how, &[&count]);
    writeln!(err, "  ws{s}://{ours}  {how}")?;
    writeln!(err, "  http{s}://{ours}/  {}", look.lang.words("grades the browser that opens it"))?;
    drop(err);
    live::warn(ours, look)
}
