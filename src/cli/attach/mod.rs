//! `wstool attach`: what a running browser tells of its WebSocket connections.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};

use tokio::runtime::Builder;

use super::Look;
use super::decode::FailOn;
use super::live::{self, Shown};
use super::trouble::REFUSED;
use crate::lab::devtools::{Browser, Filter, Unattached};
use crate::model::{Account, Text};
use crate::render::table;

/// Look into a running browser: its WebSocket connections as they talk, wss without keys.
#[derive(clap::Args, Debug)]
#[group(skip)]
#[command(after_help = "\
The browser tells of handshakes and messages, decrypted and inflated; it does not tell of frames,
masks, pings, and who closed. All its pages and workers are watched, and those that come.
Ctrl-C ends the command, and nothing in the browser.

Begin with:
  chromium --remote-debugging-port=9222 --user-data-dir=/tmp/watched
  wstool attach --chrome 127.0.0.1:9222
  wstool attach --view messages --url chat.example.com
  wstool attach --view none --har talk.har")]
pub struct Args {
    /// Where the browser's debugging port is: an address and port, or a port of 127.0.0.1
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9222")]
    pub chrome: String,

    /// Watch pages only whose URL contains this, and their workers
    #[arg(long, value_name = "TEXT")]
    pub url: Option<String>,

    /// What is shown and kept.
    #[command(flatten)]
    pub live: live::Args,

    /// Exit with 1 when there are findings of this severity or above
    #[arg(long, value_name = "SEVERITY", default_value = "never", help_heading = "Result")]
    pub fail_on: FailOn,
}

/// How a browser is started that can be watched.
const START: &str = "start the browser with chromium --remote-debugging-port={} --user-data-dir=/tmp/watched \
                     (since Chrome 136 a folder of its own is needed)";

/// Watches until Ctrl-C or the browser's end, and gives the exit code.
///
/// # Errors
/// When the output cannot be written; a broken pipe among them.
pub fn run(args: &Args, look: Look) -> io::Result<u8> {
    let refuse = |problem: Text| look.tell("error: {}", &problem).map(|()| REFUSED);
    if args.live.keeps_packets() {
        return refuse("a browser tells of messages, not of packets: --har keeps them".into());
    }
    if args.live.keeps_keys() {
        return refuse("the browser has the keys of TLS: start it with --ssl-key-log-file=FILE".into());
    }
    let address = match address(&args.chrome) {
        Ok(address) => address,
        Err(problem) => return refuse(problem),
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let asked = runtime.block_on(async {
        let mut browser = Browser::at(address).await?;
        browser.begin().await.map_err(Unattached::Other)?;
        Ok(browser)
    });
    let browser = match asked {
        Ok(browser) => browser,
        Err(why) => return refuse(unattached(&why, address)),
    };
    let account = Account { by: browser.product.clone() };
    let mut shown = args.live.clone();
    shown.account = Some(account);
    let view = Shown::View(&table::VIEW);
    let (tap, mut recorder) = match live::start(&shown, "attach", view, live::Below::nothing(look)) {
        Ok(started) => started,
        Err(problem) => return refuse(problem),
    };
    let ended = runtime.block_on(async {
        let mut stop = live::stop::listen()?;
        let words = Text::with("watching {} at {}; Ctrl-C ends", &browser.product).and(address);
        look.tell("{}", &words)?;
        tokio::select! {
            gone = browser.watch(tap, Filter::of(args.url.as_deref())) => match gone {
                Ok(()) => look.tell("note: {}", &"the browser is gone".into())?,
                Err(why) => look.tell("error: {}", &Text::with("{}", why))?,
            },
            () = recorder.gone() => {}
            _ = stop.recv() => {}
        }
        Ok::<_, io::Error>(())
    });
    // Nobody tells the recorder anything any longer.
    drop(runtime);
    let ending = recorder.end()?;
    ended?;
    Ok(u8::from(args.fail_on.fails(ending.verdict)))
}

fn address(text: &str) -> Result<SocketAddr, Text> {
    let text = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    let named =
        if text.bytes().all(|b| b.is_ascii_digit()) { format!("127.0.0.1:{text}") } else { text.to_owned() };
    let found = named.to_socket_addrs().ok().and_then(|mut all| all.next());
    found.ok_or_else(|| Text::with("{}: expected an address and port, such as 127.0.0.1:9222", text))
}

fn unattached(why: &Unattached, address: SocketAddr) -> Text {
    match why {
        Unattached::Silent(_) => {
            Text::new("nothing answers at {}; {}").and(address).word(Text::with(START, address.port()))
        }
        Unattached::Foreign => {
            let words = "what answers at {} is no browser that can be watched: what it says at \
                         /json/version is no JSON; {}";
            Text::new(words).and(address).word(Text::with(START, address.port()))
        }
        Unattached::Other(why) => {
            Text::with("what answers at {} is no browser that can be watched: {}", address).and(why)
        }
    }
}
