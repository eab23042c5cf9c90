//! Hostile peers: whatever they do, a case ends in its time, and holds no more than its share of memory.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet};

use super::super::*;
use crate::grade::Endpoint;
use crate::grade::load::read;
use crate::grade::play::{Arrived, KeysSeen};
use crate::http::accept_value;
use crate::lab::deflate::Deflater;
use crate::model::grade::Closing;
use crate::model::{Deflate, SourceId};
use crate::replay::Heard;

/// A second of patience, one wait for who takes nothing, and what closing and connecting may take: no machine
/// is so busy.
const IN_TIME: Duration = Duration::from_secs(30);

type Playing = Pin<Box<dyn Future<Output = ()>>>;

/// Connects to a peer that lives in this process.
struct To(fn(DuplexStream) -> Playing);

impl Connect for To {
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Connected, Text>> + Send + '_>> {
        let (ours, theirs) = duplex(64 * 1024);
        tokio::task::spawn_local(self.0(theirs));
        Box::pin(async { Ok(Connected { stream: Box::new(ours), abort: Abort::default() }) })
    }
}

fn target() -> Target {
    Target {
        host: "127.0.0.1:1".into(),
        resource: "/".into(),
        secure: false,
        http2: false,
        fields: Vec::new(),
        endpoint: Endpoint::Echo,
        greeting: 0,
        first: false,
    }
}

fn case(keys: &str) -> Case {
    let text = format!(
        "chapter = \"robustness\"\n[[case]]\nid = \"x\"\ntitle = {{ en = \"x\", zh = \"x\" }}\n\
         cite = [\"RFC 6455 §5.2\"]\npatience = \"1s\"\n{keys}"
    );
    read(&text).unwrap().remove(0)
}

/// Reads a request, and gives the answer to it.
async fn asked(stream: &mut DuplexStream) -> Vec<u8> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = stream.read_u8().await else { break };
        head.push(byte);
    }
    let heard = Heard::of(&head, SourceId::Input, 0);
    let key = heard.head().values("Sec-WebSocket-Key").next().map(|value| value.bytes.to_vec());
    let accept = accept_value(&key.unwrap_or_default());
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n"
    )
    .into_bytes()
}

/// Sends the same again and again, as long as it is taken.
async fn endlessly(stream: &mut DuplexStream, what: &[u8], every: Duration) {
    while stream.write_all(what).await.is_ok() {
        tokio::time::sleep(every).await;
    }
}

macro_rules! peer {
    (|$stream:ident| $body:block) => {
        |mut $stream: DuplexStream| -> Playing { Box::pin(async move { $body }) }
    };
}

/// A peer, and what it does.
type Hostile = (&'static str, fn(DuplexStream) -> Playing);

/// Plays the same case against each of these at once.
async fn against(case: &'static Case, peers: &[Hostile]) -> Vec<Graded> {
    let mut playing = JoinSet::new();
    for (at, &(name, peer)) in peers.iter().enumerate() {
        playing.spawn_local(async move {
            let began = Instant::now();
            let graded = server(case, &target(), &To(peer)).await;
            assert!(began.elapsed() < IN_TIME, "{name}: {:?}", began.elapsed());
            let kept: usize = graded.wire.iter().map(|piece| piece.bytes.len()).sum();
            assert!(kept <= 2 * limits::GRADE_WIRE, "{name}: {kept} bytes kept");
            assert!(graded.got.len() <= limits::GRADE_EVENTS, "{name}");
            let [_, got] = graded.bytes;
            assert!(got <= 2 * limits::GRADE_GOT, "{name}: {got} bytes read");
            (at, graded)
        });
    }
    let mut all = playing.join_all().await;
    all.sort_by_key(|(at, _)| *at);
    all.into_iter().map(|(_, graded)| graded).collect()
}

const NO_PAUSE: Duration = Duration::ZERO;
const DRIP: Duration = Duration::from_millis(50);

/// What they do is mostly to wait, and so they wait together.
#[tokio::test(flavor = "current_thread")]
async fn peers_without_an_end_are_left_in_time() {
    tokio::join!(servers_without_an_end(), clients_without_an_end());
}

async fn servers_without_an_end() {
    let case: &'static Case = Box::leak(Box::new(case("play = 'text \"a\"'\npass = \"echo\"")));
    let peers: &[Hostile] = &[
        (
            "says nothing",
            peer!(|stream| {
                let _ = stream.read_to_end(&mut Vec::new()).await;
            }),
        ),
        (
            "reads nothing",
            peer!(|stream| {
                stream.flush().await.ok();
                std::future::pending::<()>().await;
            }),
        ),
        (
            "drips a head",
            peer!(|stream| {
                endlessly(&mut stream, b"H", DRIP).await;
            }),
        ),
        (
            "head without an end",
            peer!(|stream| {
                stream.write_all(b"HTTP/1.1 101 x\r\n").await.ok();
                endlessly(&mut stream, b"A: b\r\n", NO_PAUSE).await;
            }),
        ),
        (
            "line without an end",
            peer!(|stream| {
                endlessly(&mut stream, b"HTTP/1.1 101", NO_PAUSE).await;
            }),
        ),
        (
            "interim for ever",
            peer!(|stream| {
                endlessly(&mut stream, b"HTTP/1.1 100 Continue\r\n\r\n", NO_PAUSE).await;
            }),
        ),
        (
            "zeros for ever",
            peer!(|stream| {
                endlessly(&mut stream, &[0; 4096], NO_PAUSE).await;
            }),
        ),
        (
            "messages for ever",
            peer!(|stream| {
                let answer = asked(&mut stream).await;
                stream.write_all(&[&answer[..], b"\r\n"].concat()).await.ok();
                endlessly(&mut stream, b"\x81\x01a", NO_PAUSE).await;
            }),
        ),
        (
            "pings for ever",
            peer!(|stream| {
                let answer = asked(&mut stream).await;
                stream.write_all(&[&answer[..], b"\r\n"].concat()).await.ok();
                endlessly(&mut stream, &b"\x89\x00".repeat(1000), NO_PAUSE).await;
            }),
        ),
        (
            "fragments for ever",
            peer!(|stream| {
                let answer = asked(&mut stream).await;
                stream.write_all(&[&answer[..], b"\r\n\x01\x01a"].concat()).await.ok();
                endlessly(&mut stream, &b"\x00\x01b".repeat(1000), NO_PAUSE).await;
            }),
        ),
        (
            "drips a frame",
            peer!(|stream| {
                let answer = asked(&mut stream).await;
                stream
                    .write_all(&[&answer[..], b"\r\n\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff"].concat())
                    .await
                    .ok();
                endlessly(&mut stream, b"a", DRIP).await;
            }),
        ),
        (
            "never closes",
            peer!(|stream| {
                let answer = asked(&mut stream).await;
                stream.write_all(&[&answer[..], b"\r\n\x81\x01a"].concat()).await.ok();
                std::future::pending::<()>().await;
                drop(stream);
            }),
        ),
    ];
    let graded = LocalSet::new().run_until(against(case, peers)).await;
    for (graded, (name, _)) in graded.iter().zip(peers) {
        assert_ne!(graded.verdict(), crate::model::grade::Verdict::Pass, "{name}");
        assert!(!graded.why.is_empty(), "{name}: says nothing");
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_bomb_is_not_inflated() {
    let case: &'static Case = Box::leak(Box::new(case(
        "offer = \"permessage-deflate\"\nplay = 'text \"a\" deflate'\npass = \"echo\"\nmost = 4096",
    )));
    let peers: &[Hostile] = &[(
        "bomb",
        peer!(|stream| {
            let answer = asked(&mut stream).await;
            let agreed = b"Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
            let mut bomb = Vec::new();
            let deflate = Deflate {
                server_no_context_takeover: false,
                client_no_context_takeover: false,
                server_max_window_bits: 15,
                client_max_window_bits: 15,
            };
            Deflater::of(Dir::Server, deflate).message(&vec![0; 32 << 20], &mut bomb);
            let length = (bomb.len() as u64).to_be_bytes();
            stream.write_all(&[&answer[..], agreed, b"\xc2\x7f", &length, &bomb].concat()).await.ok();
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }),
    )];
    let graded = LocalSet::new().run_until(against(case, peers)).await.remove(0);
    assert_eq!(graded.behaviour, Behaviour::Failed);
}

/// A connection that can be made once.
struct Once(std::sync::Mutex<Option<DuplexStream>>);

impl Connect for Once {
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Connected, Text>> + Send + '_>> {
        let stream = self.0.lock().unwrap().take().unwrap();
        Box::pin(async { Ok(Connected { stream: Box::new(stream), abort: Abort::default() }) })
    }
}

#[tokio::test(flavor = "current_thread")]
async fn a_server_may_go_at_any_byte() {
    let case: &'static Case = Box::leak(Box::new(case("play = 'text \"a\"'\npass = \"echo\"")));
    let whole = async |cut: usize| {
        let (ours, mut theirs) = duplex(64 * 1024);
        let serve = async move {
            let answer = asked(&mut theirs).await;
            let all = [&answer[..], b"\r\n\x81\x01a\x88\x02\x03\xe8"].concat();
            let is_all = cut >= all.len();
            theirs.write_all(&all[..cut.min(all.len())]).await.ok();
            if is_all {
                let _ = theirs.read_u8().await;
            }
            is_all
        };
        let (way, target) = (Once(Some(ours).into()), target());
        let (graded, is_all) = tokio::join!(server(case, &target, &way), serve);
        assert!(graded.took < IN_TIME && !graded.why.is_empty(), "{cut}: {:?}", graded.took);
        is_all
    };
    let mut cut = 0;
    while !whole(cut).await {
        cut += 1;
    }
    assert!(cut > 100);
}

async fn clients_without_an_end() {
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let peers: &[Hostile] = &[
        (
            "reads nothing",
            peer!(|stream| {
                stream.flush().await.ok();
                std::future::pending::<()>().await;
            }),
        ),
        (
            "messages for ever",
            peer!(|stream| {
                endlessly(&mut stream, b"\x81\x81\0\0\0\0a", NO_PAUSE).await;
            }),
        ),
        (
            "zeros for ever",
            peer!(|stream| {
                endlessly(&mut stream, &[0; 4096], NO_PAUSE).await;
            }),
        ),
        (
            "drips",
            peer!(|stream| {
                endlessly(&mut stream, b"\x81", DRIP).await;
            }),
        ),
        (
            "goes",
            peer!(|stream| {
                stream.shutdown().await.ok();
            }),
        ),
    ];
    let heads =
        ["", "response = 'endless=500000'", "response = 'cut=10 fin'", "response = 'chop=1 every=1ms'"];
    let play = async {
        let mut playing = JoinSet::new();
        for head in heads {
            let case: &'static Case =
                Box::leak(Box::new(case(&format!("{head}\nplay = 'text \"a\"'\npass = \"echo\""))));
            for &(name, peer) in peers {
                let (ours, theirs) = duplex(64 * 1024);
                tokio::task::spawn_local(peer(theirs));
                playing.spawn_local(async move {
                    let arrived = Arrived {
                        request: REQUEST.to_vec(),
                        early: Vec::new(),
                        stream: Box::new(ours),
                        abort: Abort::default(),
                        keys: KeysSeen::default(),
                        greets: Greets::default(),
                        http2: None,
                    };
                    let began = Instant::now();
                    let graded = client(case, arrived).await;
                    assert!(began.elapsed() < IN_TIME, "{name}: {:?}", began.elapsed());
                    assert!(graded.got.len() <= limits::GRADE_EVENTS, "{name}");
                    assert_ne!(graded.verdict(), crate::model::grade::Verdict::Pass, "{name}");
                });
            }
        }
        playing.join_all().await;
    };
    LocalSet::new().run_until(play).await;
}

#[test]
fn a_key_is_new_once() {
    let keys = KeysSeen::default();
    assert!(!keys.again(b"a") && keys.again(b"a") && !keys.clone().again(b"b") && keys.again(b"b"));
    let many = (0..2 * limits::GRADE_KEYS).filter(|n| keys.again(n.to_string().as_bytes())).count();
    assert_eq!(many, 0);
    assert!(!keys.again(&vec![0; 1 << 20]) && !keys.again(&vec![0; 1 << 20]));
}

/// Echoes nothing, and sends fragments for ever.
async fn fragments(mut stream: DuplexStream, every: Duration) {
    stream.write_all(b"\x01\x01a").await.ok();
    endlessly(&mut stream, b"\x00\x02bc", every).await;
}

#[test]
fn who_never_stops_sending_has_failed_and_it_is_said_how_much_came() {
    const LIMIT: Duration = Duration::from_millis(1500);
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let judged = |keys: &str, every: Duration| {
        let case = case(&format!("{keys}\nplay = 'text \"a\"'\npass = \"echo\""));
        let prepared = case.prepare(Dir::Client).unwrap();
        let (ours, theirs) = duplex(64 * 1024);
        let mut record = Record::new(LIMIT);
        let talked = runtime.block_on(async {
            let talk = talk::talk(&case, &prepared, (Dir::Client, None), (ours, &[]), &mut record);
            tokio::select! {
                talked = talk => talked,
                () = fragments(theirs, every) => panic!("it is left before its time"),
            }
        });
        assert!(record.after() >= LIMIT);
        let opening = Opening::Open { fields: None, lenient: false };
        judge::judge(&case, &prepared, Dir::Client, Played { opening, talked: Some(talked), record })
    };
    let graded = judged("", DRIP);
    assert_eq!((graded.behaviour, graded.closing), (Behaviour::Failed, Closing::Failed));
    let said = graded.why.to_string();
    let numbers: Vec<u64> = said.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [1, bytes, frames] = numbers[..] else { panic!("{said}") };
    assert!(said.starts_with("after 1 s it was still sending: ") && said.ends_with(", and no end"), "{said}");
    // The first has three bytes, and each of the others four.
    assert!(frames > 2 && bytes == 3 + 4 * (frames - 1), "{said}");
    let graded = judged("informational = true", DRIP);
    assert_eq!((graded.behaviour, graded.closing), (Behaviour::Informational, Closing::Informational));
    assert!(graded.why.to_string().contains("it was still sending"), "{}", graded.why);
}
