//! What the live commands show and keep of the connections they tap, as these happen.
//!
//! ```text
//! Tap ─► a thread: Decoder ─► view
//!            └───► capture file
//! ```
//!
//! - [`Args`]: the options that `serve`, `connect`, `proxy` and `attach` share
//! - [`Recorder`]: the thread, and what it came to; `show`: what it shows
//! - `keep`: the capture file; `beside`: the HTTP Archive, and the page
//! - `looking`: pages in a browser that look on
//! - `host`, [`stop`]: how those that listen begin and end

mod args;
mod below;
mod beside;
mod host;
mod keep;
mod looking;
mod show;
pub mod stop;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::oneshot;

pub use self::args::{Args, Format, Shown};
pub use self::below::Below;
use self::beside::Files;
pub use self::host::{listen, untold, warn, warn_of_close};
use self::keep::Keep;
use self::looking::Looking;
use self::show::Show;
use super::Look;
use super::output::Output;
use crate::app::given::Given;
use crate::app::keys::Keys;
use crate::decoder::{Beginning, Decoder};
use crate::lab::tap::{Happened, Recording, Tap, Told, What, now};
use crate::model::{
    At, Body, Flow, FlowId, Meta, Receipt, Side, StreamEnd, Summary, Text, ToldMessage, Unit,
};
use crate::render::tree;
use crate::select::Verdict;

/// Records connections on a thread of its own.
#[derive(Debug)]
pub struct Recorder {
    thread: JoinHandle<io::Result<Ending>>,
    /// Writes what goes over the network, and what tells it when that is all.
    keeper: Option<(JoinHandle<Option<Text>>, Tap)>,
    gone: oneshot::Receiver<()>,
    /// Nothing is shown or kept: there is nobody who could go.
    idle: bool,
}

/// What a recording came to.
#[derive(Debug)]
pub struct Ending {
    /// The totals.
    pub summary: Summary,
    /// The worst that was found.
    pub verdict: Verdict,
    /// Why the capture file is not whole.
    pub unkept: Option<Text>,
}

/// A tap whose connections are kept in a capture file, and who writes it: that gives back why it could not.
///
/// # Errors
/// Why there is no file.
pub fn kept(path: &Path) -> Result<(Tap, JoinHandle<Option<Text>>), Text> {
    let (tap, recording) = Tap::new();
    Ok((tap, keep::spawn(recording, Some(Keep::to(path)?), None)?))
}

/// Begins to record, as `name`. `default` is the view where none was asked for.
///
/// # Errors
/// Why the capture file cannot be written, or that there is no thread.
pub fn start(args: &Args, name: &str, default: Shown, below: Below) -> Result<(Tap, Recorder), Text> {
    start_on(args, name, default, below, || Output::new(true))
}

/// The same, showing it where `out` says, which is asked on the recorder's thread.
///
/// # Errors
/// As [`start`].
pub fn start_on<W: io::Write + 'static>(
    args: &Args,
    name: &str,
    default: Shown,
    below: Below,
    out: impl FnOnce() -> W + Send + 'static,
) -> Result<(Tap, Recorder), Text> {
    args.protocols.load()?;
    if let Some(problem) = args.misplaced() {
        return Err(problem);
    }
    let mut keep = args.pcap.as_deref().map(Keep::to).transpose()?;
    let keeper = match below.recording {
        Some(recording) => Some((keep::spawn(recording, keep.take(), Some(below.look))?, below.tap)),
        None => None,
    };
    let shown = match (args.view, args.format) {
        (Some(shown), _) => shown,
        // Whoever asks for records wants some.
        (None, Format::Json | Format::Ndjson) if default == Shown::Nothing => Shown::View(&tree::VIEW),
        // A page has all of it.
        (None, Format::Html) => Shown::View(&tree::VIEW),
        (None, _) => default,
    };
    let files = Files::create(args.har.as_deref(), args.html.as_deref())?;
    let for_pages = shown == Shown::Nothing && keep.is_none() && files.is_empty();
    let idle = for_pages && args.panels.is_none();
    let (tap, recording) = if for_pages { Tap::for_pages() } else { Tap::new() };
    let tap = if idle { Tap::idle() } else { tap };
    let format = args.format;
    let options = args.options(below.look);
    // Before anything can happen.
    let (keys, began) = ((args.keys.clone(), args.protocols.given()), now());
    let meta = Meta {
        input: name.to_owned(),
        format: "live".to_owned(),
        start: Some(began),
        account: args.account.clone(),
        ..Meta::default()
    };
    let (panels, http, look) = (args.panels.clone(), args.http, below.look);
    let (leave, gone) = oneshot::channel();
    let work = move || {
        let view = match shown {
            Shown::Nothing => None,
            Shown::View(choice) => Some(format.over(choice, out(), &options)),
        };
        let view = files.beside(view, &options, look);
        let looking = panels.map(|panels| Looking::new(panels, options));
        let show = Show { view, looking, http, verdict: Verdict::default() };
        let ending = record(&recording, &meta, show, keys, (keep, look));
        // Nobody may wait for that.
        let _ = leave.send(());
        ending
    };
    let thread = thread::Builder::new()
        .name("recorder".to_owned())
        .spawn(work)
        .map_err(|error| Text::with("cannot start a thread: {}", error))?;
    Ok((tap, Recorder { thread, keeper, gone, idle }))
}

impl Recorder {
    /// Waits until nobody reads what is shown any longer, or it cannot be written.
    pub async fn gone(&mut self) {
        if self.idle {
            std::future::pending::<()>().await;
        }
        // Whichever way it went.
        let _ = (&mut self.gone).await;
    }

    /// What it came to, once every clone of the tap and every connection is gone.
    ///
    /// # Errors
    /// When results cannot be written; a broken pipe among them.
    pub fn end(self) -> io::Result<Ending> {
        // Whoever panics has said why.
        let ending = self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the recorder has stopped")));
        let unkept = self.keeper.and_then(|(keeper, below)| {
            below.enough();
            keeper.join().unwrap_or_default()
        });
        ending.map(|ending| Ending { unkept: ending.unkept.or(unkept), ..ending })
    }
}

fn record(
    recording: &Recording,
    meta: &Meta,
    mut show: Show,
    (keys, given): (Option<Arc<Keys>>, Given),
    (mut keep, look): (Option<Keep>, Look),
) -> io::Result<Ending> {
    let mut decoder = Decoder::new(&mut show).matching(keys).giving(given);
    let mut flow = decoder.tell(&Unit::about_input(Body::Meta(meta)));
    let mut unkept = None;
    while flow.is_continue() {
        let mut happened = recording.next_now();
        if happened.is_none() {
            write(&mut keep, &mut unkept, look, Keep::flush);
            happened = recording.next();
        }
        let Some(happened) = happened else { break };
        write(&mut keep, &mut unkept, look, |keep| keep.take(&happened));
        take(&mut decoder, &happened);
        flow = decoder.sink().flush();
    }
    let summary = decoder.finish().1;
    write(&mut keep, &mut unkept, look, Keep::flush);
    let verdict = show.verdict;
    if let Some(view) = show.view {
        view.end()?;
    }
    Ok(Ending { summary, verdict, unkept })
}

/// Writes to the capture file, until that fails, which is told at once.
fn write(
    keep: &mut Option<Keep>,
    unkept: &mut Option<Text>,
    look: Look,
    act: impl FnOnce(&mut Keep) -> Result<(), Text>,
) {
    if let Some(Err(why)) = keep.as_mut().map(act) {
        // Nobody may listen any longer; that is no reason to stop.
        let _ = look.tell("error: {}", &why);
        (*keep, *unkept) = (None, Some(why));
    }
}

fn take(decoder: &mut Decoder<&mut Show>, happened: &Happened) {
    let Happened { flow, time, ref what } = *happened;
    let at = At { time: Some(time), ..At::default() };
    decoder.tick(time);
    match what {
        What::Open(ends, layer) => {
            decoder.open(flow, &Beginning { layer: *layer, ..Beginning::opened(ends.map(Into::into)) });
        }
        What::Data(from, bytes) => {
            decoder.data(flow, Side::of(*from), bytes, at);
        }
        What::End(from, how) => {
            decoder.end(flow, Side::of(*from), *how, Receipt::default(), at);
        }
        What::Shaking | What::Shaken | What::Secret(_) | What::Enough => {}
        What::Lines(ends, early) => {
            let beginning = Beginning::opened(ends.map(Into::into));
            decoder.speaks_lines(flow, &beginning, early, at);
        }
        What::Told(told) => take_told(decoder, flow, told, at),
        What::Over => {
            // The view tells for itself whether it has had enough.
            let _: Flow = decoder.close(flow, StreamEnd::Capture, Some(time));
        }
    }
}

/// What somebody tells of a connection.
fn take_told(decoder: &mut Decoder<&mut Show>, flow: FlowId, told: &Told, at: At) {
    match told {
        Told::Open { server, secure } => decoder.open_told(flow, *server, *secure),
        Told::Request { .. } | Told::Response { .. } => {
            if let Some(head) = told.head() {
                decoder.head_told(flow, &head, at);
            }
        }
        Told::Message(dir, kind, content) => {
            let (dir, kind, length) = (*dir, *kind, content.len() as u64);
            decoder.message_told(flow, &ToldMessage { dir, kind, content, length }, at);
        }
        Told::Failure(why) => {
            decoder.failure_told(flow, why, at);
        }
        Told::Closed => {
            let _: Flow = decoder.close(flow, StreamEnd::Capture, at.time);
        }
        Told::Left => {
            let _: Flow = decoder.close(flow, StreamEnd::Input, at.time);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, SocketAddr};

    use super::*;
    use crate::input;
    use crate::lang::Lang;
    use crate::model::{Dir, Severity};
    use crate::pipeline;
    use crate::render::Options;
    use crate::render::views::{self, Form};
    use crate::select::{Select, Selection};

    const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Version: 13\r\n\r\n";
    const RESPONSE: &[u8] =
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    /// What is said of the fields; headings name packets and times, which a live connection has its own of.
    fn rows(text: &[u8]) -> Vec<String> {
        let text = String::from_utf8(text.to_vec()).unwrap();
        text.lines().filter(|line| line.starts_with("  ") && line.contains('§')).map(str::to_owned).collect()
    }

    fn talk(tap: &Tap) {
        let ends = [1, 2].map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        let wire = tap.open(ends);
        wire.data(Dir::Client, REQUEST);
        wire.data(Dir::Server, RESPONSE);
        wire.data(Dir::Server, b"\x81\x05Hello");
        wire.data(Dir::Client, b"\x88\x80\x37\xfa\x21\x3d");
        wire.data(Dir::Server, b"\x88\x00");
        wire.end(Dir::Server, StreamEnd::Fin);
        wire.end(Dir::Client, StreamEnd::Fin);
    }

    /// What the recorder shows, the capture that it writes shows as well.
    #[test]
    fn the_capture_says_what_the_view_said() {
        let folder = std::env::temp_dir().join(format!("wstool-live-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("kept.pcap");
        let kept = views::Kept::default();
        let (tap, recording) = Tap::new();
        talk(&tap);
        drop(tap);
        let view = tree::VIEW.over(kept.clone(), Form::Text, &Options::default());
        let show = Show { view: Some(view), looking: None, http: false, verdict: Verdict::default() };
        let (given, keep) = (<_>::default(), Some(Keep::to(&path).unwrap()));
        let look = Look { color: false, lang: Lang::En };
        let ending = record(&recording, &Meta::default(), show, given, (keep, look)).unwrap();
        assert!(ending.unkept.is_none() && !ending.verdict.reaches(Severity::Warning), "{ending:?}");
        let live = rows(&kept.take());

        let view = tree::VIEW.over(kept.clone(), Form::Text, &Options::default());
        let input = input::open(Box::new(std::fs::File::open(&path).unwrap()), "kept.pcap").unwrap();
        let mut select = Select::new(
            Selection::default(),
            Show { view: Some(view), looking: None, http: false, verdict: Verdict::default() },
        );
        pipeline::run(input, &mut select, &mut |_| {});
        select.into_inner().view.unwrap().end().unwrap();
        let read = rows(&kept.take());
        std::fs::remove_dir_all(folder).unwrap();
        assert!(live.len() > 15, "{live:#?}");
        assert_eq!(live, read);
    }
}
