//! `wstool proxy`: between a client and a server, looking on.

mod args;
mod pause;
mod rules;
mod words;

use std::io::{self, IsTerminal as _};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex};

use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

use self::args::Seen;

use super::dial::tls::{self, Trust};
use super::live::{self, Recorder, Shown};
use super::trouble::REFUSED;
use super::{Look, authority};
use crate::lab;
use crate::lab::fault::Fault;
use crate::lab::gauge;
use crate::lab::proxy::{self, Question, Rule, Settings, Target, Then};
use crate::lab::tap::{Tap, now};
use crate::model::{Dir, Text};
use crate::render::table;
use crate::synth::Rng;

pub use args::Args;

/// Runs the proxy until Ctrl-C, and gives the exit code.
///
/// # Errors
/// When the output cannot be written; a broken pipe among them.
pub fn run(args: &Args, look: Look) -> io::Result<u8> {
    match start(args, look) {
        Ok(Some(started)) => started.run(args, look),
        Ok(None) => Ok(0),
        Err(problem) => {
            look.tell("error: {}", &problem)?;
            Ok(REFUSED)
        }
    }
}

/// All that a proxy needs before it begins.
struct Started {
    listener: std::net::TcpListener,
    ours: SocketAddr,
    settings: Settings,
    questions: mpsc::Receiver<Question>,
    tap: Tap,
    recorder: Recorder,
}

/// Gets everything ready; `None` where nothing else was asked for than what has been said by then.
fn start(args: &Args, look: Look) -> Result<Option<Started>, Text> {
    let own = if args.tls || args.trust { Some(authority::open()?) } else { None };
    if let Some(own) = &own {
        own.tell(args.trust, look).map_err(live::untold)?;
    }
    if args.trust {
        return Ok(None);
    }
    if let Some(problem) = contradiction(args) {
        return Err(problem);
    }
    let rules = args.rules.as_deref().map(rules::read).transpose()?;
    let (listener, ours) = live::listen(&args.listen)?;
    if args.to.as_ref().is_some_and(|url| leads_to(ours, &url.host, url.port)) {
        return Err("--to names this proxy itself: each connection would lead to another, without end".into());
    }
    let below = args.live.below(look)?;
    let trust = Trust { cacert: args.cacert.as_deref(), insecure: args.insecure, keylog: &below.keylog };
    let host = args.to.as_ref().map(|url| url.host.as_str());
    let client_tls = match &own {
        Some(own) if host.is_some() => Some(own.server(ours, host, crate::lab::tls::alpn(false))?),
        _ => None,
    };
    let (pause, questions) = mpsc::channel(1);
    let settings = Settings {
        to: args.to.as_ref().map(|url| Target { secure: url.secure, host: url.host.clone(), port: url.port }),
        resource: args.to.as_ref().map(|url| url.resource.clone()).filter(|resource| resource != "/"),
        host: args.host_header.clone(),
        server_tls: Arc::new(tls::config(&trust, false, look)?),
        client_tls: client_tls.map(|config| lab::tls::logging(config, below.keylog.keys())),
        keys: below.keylog.keys(),
        below: below.tap.clone(),
        authority: own.map(|own| own.authority),
        http2: !args.no_http2,
        shown: if args.side == Seen::Client { Dir::Client } else { Dir::Server },
        faults: args.fault.clone(),
        rules: rules.unwrap_or_default(),
        extensions: args.keep_extensions,
        pause: args.pause.then_some(pause),
        rng: Mutex::new(Rng::new(args.seed.unwrap_or_else(|| now().0))),
        tell: Box::new(move |words| {
            // Nobody may listen any longer; that is no reason to stop.
            let _ = look.tell("note: {}", words);
        }),
        explain: Box::new(words::unreached),
    };
    let (tap, recorder) = live::start(&args.live, "proxy", Shown::View(&table::VIEW), below)?;
    Ok(Some(Started { listener, ours, settings, questions, tap, recorder }))
}

/// Whether a connection to `host` and `port` comes in at `ours`.
fn leads_to(ours: SocketAddr, host: &str, port: u16) -> bool {
    let is_ours = |ip: IpAddr| match ours.ip() {
        all if all.is_unspecified() => ip.is_loopback() || ip.is_unspecified(),
        // Whoever names no address of a machine means this one.
        own => ip == own || ip.is_unspecified() && own.is_loopback(),
    };
    port == ours.port()
        && (host, port).to_socket_addrs().is_ok_and(|mut all| all.any(|address| is_ours(address.ip())))
}

/// What cannot be asked for together.
fn contradiction(args: &Args) -> Option<Text> {
    let is = |fault: &Fault| args.fault.iter().any(|chance| chance.fault == *fault);
    if is(&Fault::WindowLost) && is(&Fault::StripExtensions) {
        return Some(
            "window-lost needs the compression that strip-extensions takes out of the handshake".into(),
        );
    }
    if args.pause && !io::stdin().is_terminal() {
        return Some("--pause asks at a terminal, and standard input is none: use --rules FILE".into());
    }
    if args.pause && args.rules.is_some() {
        return Some("--pause asks about every message: leave out --rules, or --pause".into());
    }
    None
}

/// Says what it does.
fn begin(args: &Args, rules: &[Rule], ours: SocketAddr, look: Look) -> io::Result<()> {
    if let Some(url) = &args.to {
        let address = format!("{}://{ours}", if args.tls { "wss" } else { "ws" });
        let server = format!("{}://{}", if url.secure { "wss" } else { "ws" }, url.host_field());
        let words = Text::with("listening on {}; everything goes to {}; Ctrl-C ends", address).and(server);
        look.tell("{}", &words)?;
        if url.resource != "/" {
            let words = Text::with("every request asks for {}, whatever the client asks for", &url.resource);
            look.tell("note: {}", &words)?;
        }
    } else {
        let words = "listening on http://{} as an HTTP proxy: chromium --proxy-server=http://{}; Ctrl-C ends";
        look.tell("{}", &Text::with(words, ours).and(ours))?;
    }
    let window = args.fault.iter().any(|chance| chance.fault == Fault::WindowLost);
    let touches =
        args.rules.is_some() || args.pause || args.fault.iter().any(|chance| is_of_messages(&chance.fault));
    if touches && !args.keep_extensions && !window {
        let words = "compression is taken out of handshakes, so that messages can be changed: \
                     --keep-extensions leaves it in";
        look.tell("note: {}", &words.into())?;
    }
    let closes = args.fault.iter().filter_map(|chance| match &chance.fault {
        Fault::Close(code, reason) => Some((*code, reason)),
        _ => None,
    });
    let rules = rules.iter().filter_map(|rule| match &rule.then {
        Then::Close(code, reason) => Some((*code, reason)),
        _ => None,
    });
    closes.chain(rules).try_for_each(|(code, reason)| live::warn_of_close(code, reason, look))?;
    live::warn(ours, look)
}

/// Whether a fault befalls messages, and not the handshake.
fn is_of_messages(fault: &Fault) -> bool {
    !matches!(fault, Fault::Accept | Fault::Status(_) | Fault::StripUpgrade | Fault::StripExtensions)
}

impl Started {
    fn run(self, args: &Args, look: Look) -> io::Result<u8> {
        let Self { listener, ours, settings, questions, tap, mut recorder } = self;
        let asking = if settings.pause.is_some() { Some(pause::answer(questions, look)?) } else { None };
        // As many connections as there may be: each takes two.
        let _ = gauge::open_files();
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let ended = runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            // Before anybody can think of pressing it.
            let mut stop = live::stop::listen()?;
            begin(args, &settings.rules, ours, look)?;
            tokio::select! {
                () = proxy::serve(listener, Arc::new(settings), tap) => {}
                () = recorder.gone() => {}
                _ = stop.recv() => {}
                () = over(asking) => {}
            }
            Ok::<_, io::Error>(())
        });
        // Connections are ended, and nobody tells the recorder anything any longer.
        drop(runtime);
        let ending = recorder.end()?;
        ended?;
        if !ending.is_kept() {
            return Ok(REFUSED);
        }
        Ok(u8::from(args.fail_on.fails(ending.verdict)))
    }
}

/// Waits until nobody answers any longer, where somebody is asked.
async fn over(asking: Option<oneshot::Receiver<()>>) {
    match asking {
        // Whichever way it went.
        Some(asking) => drop(asking.await),
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_to_itself_is_noticed() {
        for (ours, host, port, is_itself) in [
            ("127.0.0.1:9001", "127.0.0.1", 9001, true),
            ("127.0.0.1:9001", "localhost", 9001, true),
            ("0.0.0.0:9001", "127.0.0.1", 9001, true),
            ("127.0.0.1:9001", "127.0.0.1", 9000, false),
            ("127.0.0.1:9001", "127.0.0.2", 9001, false),
            ("127.0.0.1:9001", "192.0.2.1", 9001, false),
        ] {
            assert_eq!(leads_to(ours.parse().unwrap(), host, port), is_itself, "{ours} {host} {port}");
        }
    }
}
