//! The bytes of the server and of the reference's clients, by the decoder: nothing is wrong with them.

use std::net::Ipv4Addr;
use std::thread;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use wstool::decoder::{Beginning, Decoder};
use wstool::lab::engine::programs::Echo;
use wstool::lab::engine::settings::Settings;
use wstool::lab::engine::{self, Engine};
use wstool::lab::stage::Stage;
use wstool::lab::tap::{Happened, Recording, Tap, Tapped, What};
use wstool::model::{
    At, Body, Dir, Flow, ON, Receipt, Severity, Side, Sink, StreamEnd, Transport, Unit, Wants,
};

use super::Host;
use super::peers::{WAYS, beating, start};

/// A server whose connections are tapped.
fn tapped(engines: Vec<Engine>) -> (Host, Recording) {
    let stage = Stage::start("server").expect("a thread");
    let runtime = Builder::new_current_thread().build().expect("an event loop");
    let listener = runtime
        .block_on(stage.run(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))))
        .expect("no panic")
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let (tap, recording) = Tap::new();
    stage.spawn(async move {
        loop {
            let (stream, peer) = listener.accept().await.expect("a connection");
            stream.set_nodelay(true).expect("it is TCP");
            let stream = Tapped::new(stream, tap.open([peer, address]), Dir::Server);
            tokio::spawn(engine::serve_connection(stream, peer, engines.clone()));
        }
    });
    (Host { stage, address }, recording)
}

/// A session: its version, its transports, the events of each side, and how many were acknowledged.
type Told = (Option<u8>, Vec<Transport>, [u64; 2], u64);

/// What the decoder found.
#[derive(Default)]
struct Found {
    wrong: Vec<String>,
    sessions: Vec<Told>,
    frames: usize,
}

impl Sink for &mut Found {
    fn wants(&self) -> Wants {
        Wants { payload: 1 << 20, app: true, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        let serious = unit.findings.iter().filter(|it| it.rule.severity > Severity::Note);
        self.wrong.extend(serious.map(|it| format!("{}: {} {}", it.rule.id, it.expected, it.got)));
        match unit.body {
            Body::Frame(_) => self.frames += 1,
            Body::Session(it) => {
                self.sessions.push((it.version, it.transports.clone(), it.events, it.acks));
            }
            _ => {}
        }
        ON
    }
}

fn decode(recording: &Recording) -> Found {
    let mut found = Found::default();
    let mut decoder = Decoder::new(&mut found);
    while let Some(Happened { flow, time, what }) = recording.next() {
        let at = At { time: Some(time), ..At::default() };
        let side = |dir| if dir == Dir::Client { Side::A } else { Side::B };
        decoder.tick(time);
        match what {
            What::Open(ends, _) => decoder.open(flow, &Beginning::opened(ends)),
            What::Data(from, bytes) => {
                decoder.data(flow, side(from), &bytes, at);
            }
            What::End(from, how) => {
                decoder.end(flow, side(from), how, Receipt::default(), at);
            }
            What::Told(_) => panic!("bytes are tapped"),
            What::Shaking | What::Shaken | What::Secret(_) | What::Lines(..) | What::Enough => {}
            What::Over => {
                let _: Flow = decoder.close(flow, StreamEnd::Capture, Some(time));
            }
        }
    }
    decoder.finish();
    found
}

#[test]
fn nothing_is_wrong_with_what_goes_over_the_wire() {
    for (kind, version) in [("visit", "4"), ("visit", "2"), ("engine.io", "6"), ("engine.io", "3")] {
        for (way, _) in WAYS {
            let plain = Settings { path: "/engine.io/".to_owned(), ..beating() };
            let (host, recording) = tapped(vec![engine::chat(beating()), Engine::new(plain, Echo)]);
            let decoding = thread::spawn(move || decode(&recording));
            let Some(running) = start(kind, version, &host, way) else { return };
            let said = running.all();
            // What it has to say is over, and so are its connections.
            drop(host);
            let found = decoding.join().expect("no panic");
            let what = format!("{kind} {version} {way}: {said}");
            assert_eq!(found.wrong, Vec::<String>::new(), "{what}");
            let [(revision, transports, events, acks)] = &found.sessions[..] else {
                panic!("{what}: {} sessions", found.sessions.len())
            };
            let expected = match way {
                "polling" => vec![Transport::Polling],
                "websocket" => vec![Transport::WebSocket],
                _ => vec![Transport::Polling, Transport::WebSocket],
            };
            let is_old = ["2", "3"].contains(&version);
            assert_eq!((*revision, transports), (Some(if is_old { 3 } else { 4 }), &expected), "{what}");
            // It sends `echo`, and is told who is online.
            let counted = if kind == "visit" { ([1, 1], 1) } else { ([0, 0], 0) };
            assert_eq!((*events, *acks), counted, "{what}");
            assert_eq!(found.frames > 0, way != "polling", "{what}");
        }
    }
}
