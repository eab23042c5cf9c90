//! `--messages`: what a recorded client said is said again in its rhythm, and the answers are set beside
//! those that were recorded.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use colored::Colorize as _;
use tokio::runtime::Builder;
use tokio::time::{sleep_until, timeout};

use super::args::Args;
use super::{FAILED, NONE, OPEN};
use crate::cli::connect::ending::{How, part};
use crate::cli::connect::opening::{Asking, Failure, Opening};
use crate::cli::connect::screen::{Screen, Tone};
use crate::cli::connect::verdict;
use crate::cli::dial::Url;
use crate::cli::dial::keylog;
use crate::cli::dial::line::Reach;
use crate::cli::dial::route;
use crate::cli::dial::tls::{self, Trust};
use crate::cli::{Look, file, mistaken, trouble};
use crate::lab::frames::Received;
use crate::lab::socket::{Came, Socket};
use crate::lab::tap::Tap;
use crate::limits;
use crate::model::{Body, CloseCode, Dir, Flow, Header, ON, Opcode, Sink, Text, Unit, Wants, prefix};
use crate::render::columns;
use crate::replay::answers::{Pair, pair};
use crate::{input, pipeline};

/// A recorded conversation.
#[derive(Default)]
struct Conversation {
    conn: u32,
    only: Option<u32>,
    /// Another connection says something, too.
    is_one_of_many: bool,
    /// Subprotocols and target that connections asked for which have not said anything yet.
    asked: HashMap<u32, (Option<String>, Option<String>)>,
    /// Who said what, and when, in nanoseconds.
    said: Vec<(Dir, u64, Received)>,
    subprotocols: Option<String>,
    target: Option<String>,
    /// A message was too long to be kept, or not whole.
    lost: u64,
}

/// How long a live server may be silent behind the last message, at least.
const SILENCE: Duration = Duration::from_secs(2);

/// Connections whose requests are remembered until one of them says something.
const ASKED: usize = 10_000;

/// Bytes of a message that a line shows.
const SHOWN: usize = 300;

/// Says the messages of a recording to a server, and gives the exit code.
///
/// # Errors
/// When the output cannot be written.
pub fn run(args: &Args, name: &str, url: &str, look: Look) -> io::Result<u8> {
    let told = |problem: Text| look.tell("error: {}", &problem).map(|()| NONE);
    let conversation = match read(args, name) {
        Ok(conversation) => conversation,
        Err(problem) => return told(problem),
    };
    let opening = match opening(args, url, &conversation, look) {
        Ok(opening) => opening,
        Err(problem) => return told(problem),
    };
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(play(args, &opening, &conversation, look));
    runtime.shutdown_background();
    result
}

fn read(args: &Args, name: &str) -> Result<Conversation, Text> {
    let reader: Box<dyn io::Read + Send> = match name {
        "-" => Box::new(io::stdin()),
        _ => file::open(Path::new(name)).map_err(|error| trouble::of_file(Path::new(name), &error))?.reader,
    };
    let of_it = |problem: Text| Text::with("{}: {}", name).word(problem);
    let input = input::open(reader, name).map_err(|error| of_it(mistaken::text(name, &error)))?;
    let mut conversation = Conversation { only: args.stream, ..Conversation::default() };
    let outcome = pipeline::run(input, &mut conversation, &mut |_| ());
    if conversation.said.is_empty() {
        return Err(of_it(match outcome.error {
            Some(error) => error.text(),
            None => "no messages in it: a capture of a WebSocket is wanted".into(),
        }));
    }
    Ok(conversation)
}

fn opening(args: &Args, url: &str, recorded: &Conversation, look: Look) -> Result<Opening, Text> {
    let mut target = Url::parse(url)?;
    if let Some(path) = recorded.target.as_ref().filter(|_| args.same_path) {
        target.resource.clone_from(path);
    }
    let mut fields = Vec::new();
    let subprotocols = args.subprotocol.as_ref().or(recorded.subprotocols.as_ref());
    let named = [("Origin", args.origin.as_ref()), ("Sec-WebSocket-Protocol", subprotocols)];
    fields.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.clone()))));
    fields.extend(args.header.iter().cloned());
    let keylog = keylog::open(args.keylog.as_deref(), None, look)?;
    let trust = Trust { cacert: args.cacert.as_deref(), insecure: args.insecure, keylog: &keylog };
    let tls = if target.secure { Some(Arc::new(tls::config(&trust, args.http2, look)?)) } else { None };
    let proxy = route::of_environment(&target, |name| std::env::var(name).ok())?;
    Ok(Opening {
        named: url.to_owned(),
        reach: Reach {
            url: target,
            timeout: args.timeout,
            resolve: Vec::new(),
            proxy,
            tls,
            tls_name: None,
            below: Tap::idle(),
        },
        asking: Asking {
            fields,
            extensions: Some("permessage-deflate; client_max_window_bits".to_owned()),
            faults: args.faults.clone(),
            ..Asking::default()
        },
        most: limits::PAYLOAD_KEPT,
        masks: true,
        http2: args.http2,
    })
}

async fn play(args: &Args, opening: &Opening, recorded: &Conversation, look: Look) -> io::Result<u8> {
    let screen = Screen::new(look, look.ascii(false));
    screen.release()?;
    if recorded.is_one_of_many && recorded.only.is_none() {
        let words = "note: this is connection {}, the first that says something; --stream plays another";
        screen.say(0, &Text::with(words, recorded.conn), Tone::Plain)?;
    }
    let open = match opening.open(&Tap::idle()).await {
        Ok(open) => open,
        Err(failure) => {
            verdict::closed(&screen, &failure)?;
            return Ok(if matches!(failure, Failure::Refused { .. }) { FAILED } else { NONE });
        }
    };
    verdict::open(&screen, &open)?;
    if recorded.lost > 0 {
        let words = "note: {} recorded messages are not whole, and left out";
        screen.say(0, &Text::with(words, recorded.lost), Tone::Plain)?;
    }
    let mut live = Live { socket: open.socket, heard: Vec::new(), over: None };
    let speed = args.speed.unwrap_or(1.0);
    let first = recorded.said.first().map_or(0, |(_, at, _)| *at);
    let began = Instant::now();
    let mut due = 0;
    let mut sent = 0;
    for (from, at, message) in &recorded.said {
        if *from == Dir::Server {
            due += 1;
            continue;
        }
        let span = Duration::from_nanos(at.saturating_sub(first));
        live.until(began + scaled(span, speed)).await;
        // What had been answered before is answered before, if it is at all.
        let patience = Instant::now() + args.timeout.min(SILENCE);
        while live.heard.len() < due && live.over.is_none() && live.hear(patience).await {}
        if live.over.is_some() {
            break;
        }
        live.socket.queue(message.kind, &message.payload);
        sent += 1;
        line(&screen, began.elapsed(), "→", &shown(message))?;
    }
    let wanted: Vec<&Received> =
        recorded.said.iter().filter(|(from, ..)| *from == Dir::Server).map(|(_, _, it)| it).collect();
    let all = wanted.len();
    let pause = args.timeout.min(SILENCE + scaled(longest_pause(recorded), speed));
    while live.heard.len() < all && live.over.is_none() && live.hear(Instant::now() + pause).await {}
    let got: Vec<&Received> = live.heard.iter().map(|(_, it)| it).collect();
    let mut counts = [0; 4];
    for pair in pair(&wanted, &got) {
        let (count, label, text, other) = match pair {
            Pair::Same(_, at) => (0, "same".into(), got[at], None),
            Pair::Differs(was, at) => (1, "differs".into(), got[at], Some(wanted[was])),
            Pair::Missing(was) => (2, "missing".into(), wanted[was], None),
            Pair::More(at) => (3, "more".into(), got[at], None),
        };
        counts[count] += 1;
        let at = match pair {
            Pair::Same(_, at) | Pair::Differs(_, at) | Pair::More(at) => Some(live.heard[at].0 - began),
            Pair::Missing(_) => None,
        };
        let label = screen.words(&label);
        let padded = columns::left(&label, 8);
        let padded = if count == 0 { padded.green() } else { padded.red() };
        let text = shown(text);
        match at {
            Some(at) => line(&screen, at, "←", &format!("{padded} {text}"))?,
            None => screen.line(&format!("{:10} ← {padded} {text}", ""))?,
        }
        if let Some(other) = other {
            let label = columns::left(&screen.words(&"recorded".into()), 8);
            screen.line(&format!("{:10}   {label} {}", "", shown(other)))?;
        }
    }
    if let Some(how) = &live.over {
        screen.say(0, &how.words(), Tone::Bad)?;
    } else {
        live.socket.close(Some(CloseCode(1000)), "");
    }
    part(live.socket).await;
    let [same, differs, missing, more] = counts;
    let words = Text::with("{} sent; of {} recorded answers {} same, {} differ, {} missing; {} more", sent)
        .and(all)
        .and(same)
        .and(differs)
        .and(missing)
        .and(more);
    let is_same = differs + missing + more == 0 && sent + all == recorded.said.len();
    screen.say(0, &words, if is_same { Tone::Good } else { Tone::Bad })?;
    Ok(if is_same { OPEN } else { FAILED })
}

/// The longest that a recorded server took for something.
fn longest_pause(recorded: &Conversation) -> Duration {
    let pauses = recorded.said.windows(2).filter(|pair| pair[1].0 == Dir::Server);
    Duration::from_nanos(pauses.map(|pair| pair[1].1.saturating_sub(pair[0].1)).max().unwrap_or(0))
}

fn scaled(span: Duration, speed: f64) -> Duration {
    if speed.is_finite() { span.div_f64(speed) } else { Duration::ZERO }
}

struct Live {
    socket: Socket,
    heard: Vec<(Instant, Received)>,
    over: Option<How>,
}

impl Live {
    /// Takes what comes until a moment.
    async fn until(&mut self, moment: Instant) {
        while self.over.is_none() && self.hear(moment).await {}
        if self.over.is_none() {
            sleep_until(moment.into()).await;
        }
    }

    /// Takes the next that comes; false when nothing does until then.
    async fn hear(&mut self, until: Instant) -> bool {
        let left = until.saturating_duration_since(Instant::now());
        let Ok(came) = timeout(left, self.socket.next()).await else { return false };
        match How::of(came) {
            Ok(Came::Message(message)) => self.heard.push((Instant::now(), message)),
            Ok(_) => {}
            Err(how) => self.over = Some(how),
        }
        true
    }
}

fn line(screen: &Screen, at: Duration, arrow: &str, text: &str) -> io::Result<()> {
    screen.line(&format!("{:10.3} {} {text}", at.as_secs_f64(), arrow.cyan()))
}

/// A message in a line.
fn shown(message: &Received) -> String {
    if message.kind == Opcode::TEXT {
        let text = String::from_utf8_lossy(&message.payload);
        let more = if text.len() > SHOWN { " …" } else { "" };
        return columns::escaped(&format!("{}{more}", prefix(&text, SHOWN)));
    }
    let bytes = &message.payload[..message.payload.len().min(SHOWN / 4)];
    let more = if bytes.len() < message.payload.len() { " …" } else { "" };
    format!("0x{}{more}", crate::http::accept::hex(bytes))
}

impl Sink for Conversation {
    fn wants(&self) -> Wants {
        Wants { payload: limits::PAYLOAD_KEPT, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        let is_ours = match self.only {
            Some(only) => unit.conn == only,
            // The first that says something.
            None => self.conn == 0 || unit.conn == self.conn,
        };
        if !is_ours || unit.conn == 0 {
            self.is_one_of_many |= matches!(unit.body, Body::Message(message) if !message.kind.is_control());
            return ON;
        }
        match unit.body {
            Body::Http(head) if unit.dir == Some(Dir::Client) && self.conn == 0 => {
                let asks = |header: &&Header<'_>| header.name.eq_ignore_ascii_case("Sec-WebSocket-Protocol");
                let named = head.headers.iter().find(asks).map(|it| it.value.clone().into_owned());
                if self.asked.len() < ASKED {
                    self.asked.insert(unit.conn, (named, head.target().map(str::to_owned)));
                }
            }
            Body::Message(message) if !message.kind.is_control() => {
                if self.conn == 0 {
                    self.conn = unit.conn;
                    let asked = std::mem::take(&mut self.asked).remove(&unit.conn);
                    (self.subprotocols, self.target) = asked.unwrap_or_default();
                }
                let (Some(dir), Some(time)) = (unit.dir, unit.time) else { return ON };
                if message.complete && !message.payload_cut && message.holes.is_empty() {
                    let payload = message.payload.to_vec();
                    self.said.push((dir, time.0, Received { kind: message.kind, payload }));
                } else {
                    self.lost += 1;
                }
            }
            _ => {}
        }
        ON
    }
}
