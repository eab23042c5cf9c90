//! `--listen`: a live client is answered as recorded.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use super::args::Args;
use super::live::{Got, HeadEnd, Stop, Wire, now, read_head, stream};
use super::show::Show;
use super::watch::{Played, watch};
use crate::cli::Look;
use crate::cli::listen::listen;
use crate::cli::output::Output;
use crate::http::check_request;
use crate::model::film::State;
use crate::model::{Dir, Text};
use crate::render::{Tree, View};
use crate::replay::exchange::early_data;
use crate::replay::{Answering, Exchange, Heard, Pace, film};

/// Waits for one client and plays the recorded server for it.
pub fn run(
    args: &Args,
    address: &str,
    exchange: &Exchange,
    show: &mut Show,
    look: Look,
) -> Result<State, Stop> {
    let Some(recorded) = &exchange.response else {
        return Err(Stop::Told("no response to answer with".into()));
    };
    let listener = listen(address).map_err(Stop::Told)?;
    let ours = listener.local_addr().map_err(|e| Stop::Told(Text::with("{}: {}", address).and(e)))?;
    look.tell("{}", &Text::with("listening on ws://{}, for one client; Ctrl-C ends", ours))?;
    loop {
        let (tcp, theirs) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Stop::Told(Text::with("{}: cannot accept a connection: {}", ours).and(e))),
        };
        let visit = Visit { tcp, endpoints: [theirs, ours] };
        if let Some(state) = serve(args, visit, recorded, show, look)? {
            return Ok(state);
        }
        // Browsers open connections ahead of need.
        let left = Text::with("{} connected and left without a word; still listening", theirs);
        look.tell("note: {}", &left)?;
    }
}

/// A client has connected.
struct Visit {
    tcp: TcpStream,
    /// Its address, and ours.
    endpoints: [SocketAddr; 2],
}

/// Plays the server for one connection; `None` when the client left without a word.
fn serve(
    args: &Args,
    Visit { tcp, endpoints }: Visit,
    recorded: &Heard,
    show: &mut Show,
    look: Look,
) -> Result<Option<State>, Stop> {
    let theirs = endpoints[0];
    let prepared = tcp.set_nodelay(true).and_then(|()| tcp.set_write_timeout(Some(args.timeout)));
    prepared.map_err(|e| Stop::Told(Text::with("{}: {}", theirs).and(e)))?;
    let mut wire = Wire::Plain(tcp);
    let arrived = read_head(&mut wire, Dir::Client, Vec::new(), Instant::now() + args.timeout, |_| false);
    let asked = now();
    let got = arrived.heard.length();
    match arrived.end {
        HeadEnd::Ended(Got::Closed | Got::Reset) if got == 0 => return Ok(None),
        HeadEnd::Ended(_) if arrived.heard.bytes().starts_with(&[0x16, 0x03]) => {
            return Err(Stop::Told(Text::with(
                "{} speaks TLS: let it connect to ws:// instead of wss://",
                theirs,
            )));
        }
        HeadEnd::Ended(Got::Late) => {
            let seconds = args.timeout.as_secs_f64();
            return Err(Stop::Told(
                Text::with("{} sent {} bytes and no whole request within {} s", theirs).and(got).and(seconds),
            ));
        }
        HeadEnd::Ended(_) => {
            return Err(Stop::Told(
                Text::with("{} closed the connection after {} bytes of a request", theirs).and(got),
            ));
        }
        HeadEnd::Complete | HeadEnd::TooLarge | HeadEnd::Foreign => {}
    }
    let mut request = arrived.heard;
    request.time = Some(asked);
    let facts = check_request(&request.head(), false).facts;
    let answering =
        Answering { key: facts.key.as_deref().filter(|_| !args.same_accept), faults: args.faults.clone() };
    let mut response = answering.bytes(recorded).map_err(|misfit| Stop::Told(misfit.text()))?;
    if !facts.is_upgrade && facts.key.is_none() {
        // The recorded answer would be none to that.
        let plain =
            Text::with("{} asks for a page, not for a WebSocket; it is told that this is one", theirs);
        look.tell("note: {}", &plain)?;
        response = upgrade_required(endpoints[1]);
    }
    let sent = wire.send(&response, Pace::of(&args.faults));
    if !response.starts_with(b"HTTP/1.1 101") {
        // The end of an ordinary answer may be all that tells its length.
        wire.finish();
    }
    let mut heard = Heard::new(stream(Dir::Server), 0);
    let head = heard.push(&response);
    heard.body = response[head..].to_vec();
    heard.time = Some(now());
    let request_bytes = request.bytes().to_vec();
    let early = arrived.rest.len() as u64;
    let live = Exchange {
        title: theirs.to_string(),
        client: Some(endpoints[0]),
        server: Some(endpoints[1]),
        around: (early > 0)
            .then(|| early_data(stream(Dir::Client), request.length(), early))
            .into_iter()
            .collect(),
        request: Some(request),
        response: Some(heard),
        ..Exchange::default()
    };
    let film = film(&live, &[]);
    let state = film.ruling.state;
    if show.film(&film, "live")?.is_break() {
        return Ok(Some(state));
    }
    show.make_way()?;
    if let Err(error) = sent {
        return Err(Stop::Told(Text::with("{} did not take the answer: {}", theirs).and(error)));
    }
    let view = show.is_text().then(|| {
        let tree = Tree::new(Output::new(true), args.options(look)).counting_from(asked);
        Box::new(tree) as Box<dyn View>
    });
    let played = Played {
        us: Dir::Server,
        state,
        endpoints,
        began: asked,
        heads: [&request_bytes, &response],
        rest: &arrived.rest,
        frames: &[],
    };
    let (aftermath, _) = watch(&mut wire, &played, args.timeout, None, view)?;
    show.aftermath(&aftermath)?;
    Ok(Some(state))
}

/// The answer to who asks for something else (RFC 9110 §15.5.22).
fn upgrade_required(ours: SocketAddr) -> Vec<u8> {
    let head: &[u8] =
        b"HTTP/1.1 426 Upgrade Required\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\
                        Sec-WebSocket-Version: 13\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
    [head, b"This is a WebSocket: open ws://", ours.to_string().as_bytes(), b" with a WebSocket client.\n"]
        .concat()
}
