//! `--to`: the recorded request is sent to a live server.

use std::io::{self, Read};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::args::Args;
use super::expect;
use super::live::{Arrived, Got, HeadEnd, Stop, Wire, now, read_body, read_head, stream};
use super::show::Show;
use super::watch::{Played, watch};
use crate::cli::dial::Url;
use crate::cli::dial::keylog;
use crate::cli::dial::tls::{self, Trust};
use crate::cli::dial::words::{self, Stopped, Unresolved};
use crate::cli::{Look, file};
use crate::limits;
use crate::model::film::{Film, State};
use crate::model::{Dir, Text};
use crate::render::{Tree, View};
use crate::replay::heard::{begins_response, is_no_http};
use crate::replay::{Exchange, Heard, Pace, Sending, compare, film};
use crate::synth;

/// Sends the request of `exchange` to `url`, shows what comes of it, and gives the exit code.
pub fn run(args: &Args, url: &str, exchange: &Exchange, show: &mut Show, look: Look) -> Result<u8, Stop> {
    let frames = args.send.as_deref().map(to_send).transpose().map_err(Stop::Told)?.unwrap_or_default();
    let target = Url::parse(url).map_err(Stop::Told)?;
    let Some(recorded) = &exchange.request else { return Err(Stop::Told("no request to send".into())) };
    let request = sending(args, &target)?.bytes(recorded).map_err(|misfit| Stop::Told(misfit.text()))?;
    let (mut wire, endpoints) = connect(args, &target, look).map_err(Stop::Told)?;
    let deadline = Instant::now() + args.timeout;
    let asked = now();
    if let Err(error) = wire.send(&request, Pace::of(&args.faults)) {
        // The answer may be there all the same: servers refuse before they have read everything.
        if error.kind() != io::ErrorKind::BrokenPipe && error.kind() != io::ErrorKind::ConnectionReset {
            return Err(Stop::Told(Text::with("{}: cannot send the request: {}", url).and(error)));
        }
    }
    let deadline = deadline.max(Instant::now() + args.timeout / 2);
    let arrived = response(&mut wire, deadline, args, url).map_err(Stop::Told)?;
    let answered = now();
    let mut response = arrived.heard;
    let head_bytes = response.bytes().to_vec();
    let is_switch = response.head().status() == Some(101);
    if !is_switch {
        let soon = deadline.min(Instant::now() + Duration::from_secs(2));
        response.body = read_body(&mut wire, &response, &arrived.rest, soon);
    }
    response.time = Some(answered);
    let mut asking = Heard::of(&request, stream(Dir::Client), 0);
    asking.time = Some(asked);
    let live = Exchange {
        title: url.to_owned(),
        client: Some(endpoints[0]),
        server: Some(endpoints[1]),
        request: Some(asking),
        response: Some(response),
        ..Exchange::default()
    };
    let (before, after) = (film(exchange, &[]), film(&live, &[]));
    let is_recorded = args.recording.is_some();
    show.said(&answered_by(&after))?;
    if is_recorded && !show.is_text() && show.film(&before, "recorded")?.is_break()
        || show.film(&after, "live")?.is_break()
    {
        return Ok(super::code(after.ruling.state));
    }
    if is_recorded {
        show.comparison(&compare(&before, &after))?;
    }
    let mut seen = None;
    if after.ruling.state == State::Open {
        show.make_way()?;
        let view = show.is_text().then(|| {
            let tree =
                Tree::new(crate::cli::output::Output::new(true), args.options(look)).counting_from(asked);
            Box::new(tree) as Box<dyn View>
        });
        let heads = [&request[..], &head_bytes[..]];
        let played = Played {
            us: Dir::Client,
            state: State::Open,
            endpoints,
            began: asked,
            heads,
            rest: &arrived.rest,
            frames: &frames,
        };
        let (aftermath, talk) = watch(&mut wire, &played, args.timeout, args.stay, view)?;
        show.aftermath(&aftermath)?;
        seen = Some((aftermath, talk));
    }
    let judged = expect::judge(args.expect, &after, seen.as_ref().map(|(after, talk)| (after, talk)));
    if let (Some(wanted), result) = (args.expect, &judged) {
        show.flush()?;
        let line = match result {
            Ok(()) => Text::with("as expected: {}", wanted),
            Err(why) => Text::with("not as expected: {}: {}", wanted).word(why.clone()),
        };
        look.tell("{}", &line)?;
    }
    Ok(if judged.is_ok() { super::OPEN } else { super::FAILED })
}

/// Whose server it is, as far as it says: the port may be somebody else's.
fn answered_by(film: &Film) -> Text {
    let address = film.server.map(|server| server.to_string()).unwrap_or_default();
    let lines = film.response.iter().flat_map(|response| &response.lines);
    match lines.map(|line| &line.header).find(|header| header.name.eq_ignore_ascii_case("Server")) {
        Some(header) => Text::with("{} answers; its Server field says: {}", address).and(&header.value),
        None => Text::with("{} answers; it does not say what it is: no Server field", address),
    }
}

/// What `--send` names, as bytes.
fn to_send(given: &str) -> Result<Vec<u8>, Text> {
    let told = |e: io::Error| Text::with("{}: {}", given).and(e);
    let mut bytes = Vec::new();
    let reader: Box<dyn Read> = match given {
        "-" => Box::new(io::stdin()),
        _ if file::exists(Path::new(given)) => file::open(Path::new(given)).map_err(told)?.reader,
        _ => {
            let hex = synth::hex(given.as_bytes());
            return hex.ok_or_else(|| Text::with("{}: neither a file nor hex such as 8180a1b2c3d4", given));
        }
    };
    reader.take(limits::PAYLOAD_KEPT).read_to_end(&mut bytes).map_err(told)?;
    if bytes.is_empty() {
        return Err(Text::with("{}: there is nothing in it to send", given));
    }
    // encode without --raw writes lines for people.
    if bytes.is_ascii() {
        let words = "{}: this is text, and frames are bytes: wstool encode --raw writes them";
        return Err(Text::with(words, given));
    }
    Ok(bytes)
}

fn sending(args: &Args, url: &Url) -> Result<Sending, Stop> {
    let mut nonce = [0; 16];
    getrandom::fill(&mut nonce)
        .map_err(|e| Stop::Told(Text::with("the system gives no random bytes: {}", e)))?;
    let mut headers = args.header.clone();
    let named = [("Origin", &args.origin), ("Sec-WebSocket-Protocol", &args.subprotocol)];
    headers.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))));
    Ok(Sending {
        key: (!args.same_key).then(|| STANDARD.encode(nonce)),
        host: (!args.same_host).then(|| url.host_field()),
        target: (!args.same_path).then(|| url.resource.clone()),
        headers,
        faults: args.faults.clone(),
    })
}

/// Connects within the time allowed.
fn connect(args: &Args, url: &Url, look: Look) -> Result<(Wire, [SocketAddr; 2]), Text> {
    let deadline = Instant::now() + args.timeout;
    let addresses = resolve(url, args.timeout)?;
    let mut failure = Text::default();
    for address in &addresses {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        match TcpStream::connect_timeout(address, left) {
            Ok(tcp) => return secure(args, url, tcp, *address, look),
            Err(error) => failure = words::refused(*address, &error, args.timeout),
        }
    }
    Err(failure)
}

fn secure(
    args: &Args,
    url: &Url,
    tcp: TcpStream,
    address: SocketAddr,
    look: Look,
) -> Result<(Wire, [SocketAddr; 2]), Text> {
    // One-byte segments are to be segments.
    let prepared = tcp.set_nodelay(true).and_then(|()| tcp.set_read_timeout(Some(args.timeout)));
    prepared
        .and_then(|()| tcp.set_write_timeout(Some(args.timeout)))
        .map_err(|e| Text::with("{}: {}", address).and(e))?;
    let ours = tcp.local_addr().map_err(|e| Text::with("{}: {}", address).and(e))?;
    let wire = if url.secure {
        let keylog = keylog::open(args.keylog.as_deref(), None, look)?;
        let trust = Trust { cacert: args.cacert.as_deref(), insecure: args.insecure, keylog: &keylog };
        Wire::Tls(Box::new(tls::connect(tcp, &url.host, &trust, look)?))
    } else {
        Wire::Plain(tcp)
    };
    Ok((wire, [ours, address]))
}

/// Looks a name up. The system's resolver knows no timeout, so it is left behind if it takes too long.
fn resolve(url: &Url, timeout: Duration) -> Result<Vec<SocketAddr>, Text> {
    let (host, port) = (url.host.clone(), url.port);
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let found = (host.as_str(), port).to_socket_addrs().map(Vec::from_iter);
        // Nobody may be listening any more.
        let _ = tell.send(found);
    });
    let host = &url.host;
    match told.recv_timeout(timeout) {
        Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
        Ok(Ok(_)) => Err(words::unresolved(host, Unresolved::Empty)),
        Ok(Err(_)) => Err(words::unresolved(host, Unresolved::Unknown)),
        Err(_) => Err(words::unresolved(host, Unresolved::Late)),
    }
}

/// Reads the response, past interim ones.
fn response(wire: &mut Wire, deadline: Instant, args: &Args, url: &str) -> Result<Arrived, Text> {
    /// Interim responses that are put up with.
    const INTERIM: usize = 16;
    let mut rest = Vec::new();
    for _ in 0..INTERIM {
        let arrived = read_head(wire, Dir::Server, rest, deadline, is_no_http);
        let first = arrived.heard.bytes();
        let got = first.len();
        match (begins_response(first), arrived.end) {
            (Some(true), HeadEnd::Complete | HeadEnd::TooLarge) => {
                if !arrived.heard.is_interim() {
                    return Ok(arrived);
                }
                rest = arrived.rest;
            }
            (begins, _) if words::is_tls(first) || begins == Some(false) && got > 0 => {
                return Err(words::foreign(url, first));
            }
            (_, HeadEnd::Ended(Got::Late)) => {
                return Err(words::unanswered(url, got, Stopped::Late, args.timeout));
            }
            (_, HeadEnd::Ended(Got::Reset)) => {
                return Err(words::unanswered(url, got, Stopped::Reset, args.timeout));
            }
            _ => return Err(words::unanswered(url, got, Stopped::Closed, args.timeout)),
        }
    }
    Err(Text::with("{}: one interim response after another, and no final one", url))
}
