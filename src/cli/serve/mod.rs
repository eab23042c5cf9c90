//! `wstool serve`: a server for everything that tutorials describe.

mod args;
mod socketio;
mod value;
mod wire;

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;

use tokio::runtime::Builder;
use tokio::sync::mpsc::UnboundedReceiver;

use super::interrupt::INTERRUPTED;
use super::live::{self, Recorder, Shown, stop};
use super::trouble::REFUSED;
use super::{Look, authority};
use crate::lab::fault::{Chance, Fault};
use crate::lab::gauge;
use crate::lab::handshake::Welcome;
use crate::lab::pages;
use crate::lab::panels::Panels;
use crate::lab::serve::{Kind, Server, Settings, paths};
use crate::lab::tap::{Tap, now};
use crate::lab::tls;
use crate::model::Text;
use crate::render::{columns, table};

pub use args::Args;

/// Runs the server until Ctrl-C, and gives the exit code.
///
/// # Errors
/// When the output cannot be written; a broken pipe among them.
pub fn run(args: &Args, look: Look) -> io::Result<u8> {
    // Before anybody is told that it can be ended.
    let stop = stop::listen()?;
    match start(args, look) {
        Ok(started) => started.run(stop, args, look),
        Err(problem) => {
            look.tell("error: {}", &problem)?;
            Ok(REFUSED)
        }
    }
}

/// All that a server needs before it begins.
struct Started {
    listener: std::net::TcpListener,
    ours: SocketAddr,
    settings: Settings,
    tap: Tap,
    recorder: Recorder,
}

fn start(args: &Args, look: Look) -> Result<Started, Text> {
    let kinds: Vec<Kind> = match args.kinds.as_slice() {
        [] => Kind::ALL.to_vec(),
        named => {
            Kind::ALL.into_iter().filter(|kind| named.iter().any(|it| Kind::from(*it) == *kind)).collect()
        }
    };
    let (listener, ours) = live::listen(&args.listen)?;
    let panels = Panels::default();
    let below = args.live.below(look)?;
    let keyed = |config| tls::logging(config, below.keylog.keys());
    let settings = Settings {
        tls: authority::secure(args.certificate(), args.tls, ours, tls::alpn(!args.no_http2), look)?
            .map(keyed),
        below: below.tap.clone(),
        http2: !args.no_http2,
        welcome: Welcome {
            subprotocols: args.subprotocols.clone(),
            deflate: args.deflate.0,
            origins: args.origins.clone(),
        },
        ping_interval: args.ping_interval,
        idle_timeout: args.idle_timeout,
        write_timeout: args.write_timeout,
        max_message: usize::try_from(args.max_message).unwrap_or(usize::MAX),
        max_connections: args.max_connections as usize,
        faults: args.faults.clone(),
        socketio: args.socketio.served(args.ping_interval),
        seed: args.seed.unwrap_or_else(|| now().0),
        wire: Some(wire::drawn(panels.clone())),
        lang: look.lang,
        kinds,
    };
    let mut shown = args.live.clone();
    shown.panels = Some(panels);
    // Polls are what it serves; elsewhere they have nothing to do with a WebSocket.
    shown.http = settings.kinds.contains(&Kind::Poll);
    let (tap, recorder) = live::start(&shown, "serve", Shown::View(&table::VIEW), below)?;
    announce(&settings, ours, look).map_err(live::untold)?;
    if args.open {
        open(&format!("{}://{ours}/", if settings.tls.is_some() { "https" } else { "http" }), look)
            .map_err(live::untold)?;
    }
    Ok(Started { listener, ours, settings, tap, recorder })
}

/// Says on standard error what is where, and what of the faults there cannot be.
fn announce(settings: &Settings, ours: SocketAddr, look: Look) -> io::Result<()> {
    look.tell("{}", &Text::with("listening on {}; Ctrl-C ends", ours))?;
    let s = if settings.tls.is_some() { "s" } else { "" };
    let mut err = io::stderr().lock();
    for (scheme, path, what) in paths(&settings.kinds) {
        let url = match scheme {
            "nc" => pages::raw(ours, settings.tls.is_some()),
            _ => format!("{scheme}{s}://{ours}{path}"),
        };
        writeln!(err, "  {} {}", columns::left(&url, 44), look.lang.words(what))?;
    }
    drop(err);
    live::warn(ours, look)?;
    for Chance { fault, .. } in &settings.faults {
        if let Fault::Close(code, reason) = fault {
            live::warn_of_close(*code, reason, look)?;
        }
        for kind in settings.kinds.iter().filter(|kind| !applies(fault, **kind)) {
            let words = Text::with("fault {} cannot befall {}", fault).word(Text::new(name(*kind)));
            look.tell("note: {}", &words)?;
        }
    }
    Ok(())
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Ws => "WebSockets",
        Kind::SocketIo => "Socket.IO",
        Kind::Tcp => "the raw chat, which has no such thing",
        Kind::Poll => "polling, which has no such thing",
    }
}

/// Whether a fault can befall a kind.
fn applies(fault: &Fault, kind: Kind) -> bool {
    match (kind, fault) {
        (Kind::Ws, _) | (Kind::Poll, Fault::Status(_)) => true,
        // It does not compress.
        (Kind::SocketIo, fault) => *fault != Fault::WindowLost,
        (Kind::Poll | Kind::Tcp, fault) => matches!(
            fault,
            Fault::Delay(_)
                | Fault::Drop(_)
                | Fault::CutAfter(_)
                | Fault::BadUtf8
                | Fault::SlowRead
                | Fault::Reset
                | Fault::HalfOpen
                | Fault::IdleTimeout(_)
        ),
    }
}

/// Opens a page in the browser.
fn open(url: &str, look: Look) -> io::Result<()> {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else if cfg!(windows) {
        "explorer"
    } else {
        "xdg-open"
    };
    let null = Stdio::null;
    match Command::new(program).arg(url).stdin(null()).stdout(null()).stderr(null()).spawn() {
        Ok(_) => Ok(()),
        Err(error) => look.tell(
            "note: {}",
            &Text::with("no browser can be opened ({}: {}); open {}", program).and(error).and(url),
        ),
    }
}

impl Started {
    fn run(self, mut stop: UnboundedReceiver<()>, args: &Args, look: Look) -> io::Result<u8> {
        let Self { listener, ours, settings, tap, mut recorder } = self;
        if let Some(most) = gauge::open_files().filter(|most| *most <= u64::from(args.max_connections)) {
            let words = Text::with("no more than about {} connections: as many files may be open", most);
            look.tell("note: {}", &words)?;
        }
        let log = Arc::new(move |words: Text| {
            // Nobody may listen any longer; that is no reason to stop.
            let _ = look.tell("{}", &words);
        });
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let ended = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let server = Server::new(settings, tap, log);
            let serving = {
                let server = server.clone();
                tokio::spawn(async move { server.serve(listener).await })
            };
            tokio::select! {
                () = recorder.gone() => {}
                _ = stop.recv() => {
                    let words = match server.connections() {
                        0 => Text::with("{}: closing now; no connection is open", ours),
                        open => Text::with("{}: closing now: {}; Ctrl-C again ends at once", ours).and(open),
                    };
                    look.tell("{}", &words)?;
                }
            }
            server.stop();
            // Where nobody reads what is shown, the first one has not come yet.
            tokio::spawn(async move {
                if stop.recv().await.is_some() {
                    std::process::exit(INTERRUPTED.into());
                }
            });
            // What went wrong there was said.
            let _ = serving.await;
            Ok::<_, io::Error>(())
        });
        // Nobody tells the recorder anything any longer.
        drop(runtime);
        let ending = recorder.end()?;
        ended?;
        Ok(if ending.is_kept() { 0 } else { REFUSED })
    }
}
