mod hostile;
mod unusual;

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::runtime::Builder;

use super::*;
use crate::grade::Endpoint;
use crate::grade::load::read;
use crate::http::accept_value;
use crate::lab::frames::{Frames, frame};
use crate::model::grade::Closing;
use crate::model::{CloseCode, Opcode};

/// A server that sends back what it gets, on so many connections, and says something first.
struct Echo {
    connections: AtomicUsize,
    greeting: Vec<u8>,
}

impl Connect for Echo {
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Connected, Text>> + Send + '_>> {
        Box::pin(async {
            if self.connections.fetch_sub(1, Ordering::Relaxed) == 0 {
                self.connections.store(0, Ordering::Relaxed);
                return Err("nobody is there".into());
            }
            // Little fits: who does not read is noticed.
            let (ours, theirs) = duplex(2048);
            tokio::spawn(serve(theirs, self.greeting.clone()));
            Ok(Connected { stream: Box::new(ours), abort: Abort::default() })
        })
    }
}

async fn serve(mut stream: DuplexStream, greeting: Vec<u8>) {
    open(&mut stream).await;
    let _ = stream.write_all(&greeting).await;
    let mut frames = Frames::from(Dir::Client);
    let mut room = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut room).await {
        for it in frames.push(&room[..count]).received {
            let kind = match it.kind {
                Opcode::PONG => continue,
                Opcode::PING => Opcode::PONG,
                kind => kind,
            };
            let _ = stream.write_all(&frame(Dir::Server, kind, &it.payload)).await;
            if kind == Opcode::CLOSE {
                return;
            }
        }
    }
}

/// Opens the WebSocket as a server.
async fn open(stream: &mut DuplexStream) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap();
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept_value(key.as_bytes())
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
}

/// A server that answers whatever comes first with these bytes, and ends TCP or does not.
struct Says {
    bytes: Vec<u8>,
    stays: bool,
}

impl Connect for Says {
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Connected, Text>> + Send + '_>> {
        let (bytes, stays) = (self.bytes.clone(), self.stays);
        Box::pin(async move {
            let (ours, mut theirs) = duplex(4096);
            tokio::spawn(async move {
                open(&mut theirs).await;
                let mut room = [0; 4096];
                let _ = theirs.read(&mut room).await;
                let _ = theirs.write_all(&bytes).await;
                while stays && matches!(theirs.read(&mut room).await, Ok(1..)) {}
            });
            Ok(Connected { stream: Box::new(ours), abort: Abort::default() })
        })
    }
}

fn graded(connections: usize, keys: &str) -> Graded {
    held_against(&Echo { connections: AtomicUsize::new(connections), greeting: Vec::new() }, keys)
}

fn held_against(peer: &dyn Connect, keys: &str) -> Graded {
    held_against_with(peer, keys, |target| target)
}

fn held_against_with(peer: &dyn Connect, keys: &str, set: impl FnOnce(Target) -> Target) -> Graded {
    let title = "title = { en = \"x\", zh = \"x\" }";
    let text = format!("chapter = \"limits\"\n[[case]]\nid = \"x\"\n{title}\n{keys}");
    let case = read(&text).unwrap().remove(0);
    let target = Target {
        host: "localhost".to_owned(),
        resource: "/".to_owned(),
        secure: false,
        http2: false,
        fields: Vec::new(),
        endpoint: Endpoint::Echo,
        greeting: 0,
        first: false,
    };
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(server(&case, &set(target), peer))
}

#[test]
fn what_comes_back_is_counted() {
    let one = graded(1, "play = 'text fill=words size=100 times=20 window=1'\npass = 'echo'");
    assert_eq!((one.behaviour, one.closing), (Behaviour::Ok, Closing::Ok), "{:?}", one.why);
    let figures = one.figures.unwrap();
    assert_eq!((figures.messages, figures.payload), (20, 2000));
    assert!(figures.took <= one.took);
    let silent = graded(1, "play = 'wait 1ms'");
    assert_eq!(silent.figures, None);
}

#[test]
fn who_is_not_read_for_a_while_loses_nothing() {
    let keys =
        "play = '''deaf 300ms\nbinary fill=noise size=20000 times=5'''\npass = 'echo'\npatience = \"20s\"";
    let one = graded(1, keys);
    assert_eq!((one.behaviour, one.closing), (Behaviour::Ok, Closing::Ok), "{:?}", one.why);
    assert!(one.took >= Duration::from_millis(300));
}

#[test]
fn who_does_not_answer_is_not_waited_for_with_each_message() {
    let keys = "play = '''text \"x\" no-fin\ncontinuation \"y\" no-fin times=1000 window=1'''\n\
                pass = 'text any'\npatience = \"300ms\"";
    let one = graded(1, keys);
    assert_eq!(one.behaviour, Behaviour::Failed);
    // Each would have been waited for to the end of the case's time.
    assert!(one.took < Duration::from_secs(20), "{:?}", one.took);
}

#[test]
fn many_of_a_kind_may_come() {
    let keys =
        "play = '''ping \"x\" times=500\nping \"last\"'''\npass = '''many pong \"x\"\npong \"last\"'''";
    assert_eq!(graded(1, keys).behaviour, Behaviour::Ok);
}

#[test]
fn a_server_has_to_survive_where_that_is_asked() {
    let keys = "play = '''binary length=4611686018427387904\nstill waiting 10ms\nfin'''\n\
                pass = 'still waiting'\ncloser = \"either\"\nsurvives = true";
    assert_eq!(graded(2, keys).behaviour, Behaviour::Ok);
    let gone = graded(1, keys);
    assert_eq!(gone.behaviour, Behaviour::Failed);
    assert_eq!(gone.why, Text::new("afterwards it answers on no other connection"));
}

#[test]
fn what_a_server_declines_is_unimplemented_and_ended_well() {
    let keys =
        "offer = \"permessage-deflate\"\nplay = 'text \"x\" deflate'\npass = 'echo'\ncloser = \"peer\"";
    let one = graded(1, keys);
    assert_eq!((one.behaviour, one.closing), (Behaviour::Unimplemented, Closing::Ok));
    assert_eq!(one.code, Some(CloseCode(1000)));
}

/// A client that offers `offer`, and closes behind the answer.
fn answered(offer: &str, keys: &str) -> (Graded, String) {
    let title = "title = { en = \"x\", zh = \"x\" }";
    let text = format!("chapter = \"deflate\"\n[[case]]\nid = \"x\"\n{title}\n{keys}");
    let case = read(&text).unwrap().remove(0);
    let request = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Extensions: {offer}\r\n\r\n"
    );
    arrives(&case, request, &[], &Greets::default())
}

/// A client that sends something of its own behind the answer, and then sends back what comes.
fn arrives(case: &Case, request: String, first: &[u8], greets: &Greets) -> (Graded, String) {
    let (mut theirs, ours) = duplex(4096);
    let arrived = Arrived {
        request: request.into_bytes(),
        early: Vec::new(),
        stream: Box::new(ours),
        abort: Abort::default(),
        keys: KeysSeen::default(),
        greets: greets.clone(),
        http2: None,
    };
    // It ends TCP where it has been told everything.
    let acts = async move {
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(theirs.read_u8().await.unwrap());
        }
        let _ = theirs.write_all(first).await;
        let mut frames = Frames::from(Dir::Server);
        let mut room = [0; 4096];
        while let Ok(count @ 1..) = theirs.read(&mut room).await {
            for it in frames.push(&room[..count]).received {
                let _ = theirs.write_all(&frame(Dir::Client, it.kind, &it.payload)).await;
            }
        }
        String::from_utf8(answer).unwrap()
    };
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { tokio::join!(client(case, arrived), acts) })
}

#[test]
fn what_a_client_begins_with_is_passed_over() {
    let title = "title = { en = \"x\", zh = \"x\" }";
    let case = |keys: &str| {
        read(&format!("chapter = \"framing\"\n[[case]]\nid = \"x\"\n{title}\n{keys}")).unwrap().remove(0)
    };
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    let text = |word: &[u8]| frame(Dir::Client, Opcode::TEXT, word);
    let hello = [text(b"Hello"), frame(Dir::Client, Opcode::PING, b"there"), text(b"!")].concat();
    let echo = case("play = 'text \"x\"'\npass = 'echo'");
    let greets = Greets::default();
    let of = |first: &[u8], greets: &Greets| {
        let (one, _) = arrives(&echo, request.to_owned(), first, greets);
        (one.behaviour, greets.news())
    };
    assert_eq!(of(&hello, &greets), (Behaviour::Ok, Some(2)));
    // It is listened to once, and told once.
    let begun = std::time::Instant::now();
    assert_eq!(of(&hello, &greets), (Behaviour::Ok, None));
    assert!(begun.elapsed() < Duration::from_millis(300));
    // One more is no greeting, and one less leaves the echo out.
    assert_eq!(of(&[&*hello, &text(b"?")].concat(), &greets).0, Behaviour::Failed);
    for (first, behaviour, news) in [
        (Vec::new(), Behaviour::Ok, None),
        (frame(Dir::Client, Opcode::PING, b""), Behaviour::Ok, None),
        // What is wrong is, in a greeting too; and who goes on and on does not greet.
        ([text(b"Hello"), vec![0x83, 0x80, 1, 2, 3, 4]].concat(), Behaviour::Failed, Some(1)),
        (text(b"on").repeat(600), Behaviour::Failed, None),
    ] {
        assert_eq!(of(&first, &Greets::default()), (behaviour, news), "{first:?}");
    }
}

#[test]
fn a_client_is_granted_what_fits_its_offer() {
    let grant =
        |grant: &str| format!("grant = \"permessage-deflate{grant}\"\nplay = 'text \"x\"'\npass = 'echo'");
    let window = grant("; client_max_window_bits=9");
    let (one, answer) =
        answered("permessage-deflate; client_max_window_bits; server_max_window_bits=11", &window);
    assert_eq!((one.behaviour, one.closing), (Behaviour::Ok, Closing::Ok), "{:?}", one.why);
    let granted = "permessage-deflate; server_max_window_bits=11; client_max_window_bits=9\r\n";
    assert!(answer.contains(granted), "{answer}");

    let (one, answer) = answered("permessage-deflate", &window);
    assert_eq!((one.behaviour, one.closing), (Behaviour::Unimplemented, Closing::Ok), "{:?}", one.why);
    assert!(!answer.contains("Extensions"), "{answer}");

    let (one, _) =
        answered("permessage-deflate; server_no_context_takeover", &(grant("") + "\ntakeover = true"));
    assert_eq!(one.behaviour, Behaviour::Unimplemented);
}

#[test]
fn how_it_ends_is_judged_apart() {
    let close = |code: u16| frame(Dir::Server, Opcode::CLOSE, &code.to_be_bytes());
    let text = frame(Dir::Server, Opcode::TEXT, b"late");
    let closes = "play = 'close 1000'";
    let mut waiting = Vec::new();
    for (bytes, stays, keys, expected) in [
        (close(1000), false, closes, (Behaviour::Ok, Closing::Ok, None)),
        // The end of TCP is left to us.
        (close(1000), true, closes, (Behaviour::Ok, Closing::FailedByClient, None)),
        (
            close(1000),
            true,
            "play = 'close 1000'\nfatal = \"tcp\"",
            (Behaviour::Failed, Closing::FailedByClient, None),
        ),
        // A code that must not be on the wire is still the code that came.
        (
            close(1005),
            false,
            "play = 'close 1005'\ncodes = [1002]\nclean = false",
            (Behaviour::Failed, Closing::WrongCode, Some("reserved-close-code")),
        ),
        // What comes behind Close is looked at.
        (
            [close(1000), text].concat(),
            false,
            closes,
            (Behaviour::Failed, Closing::Ok, Some("data-after-close")),
        ),
        // It answers what it should not have, and fails the connection all the same.
        (
            [frame(Dir::Server, Opcode::TEXT, b"x"), close(1002)].concat(),
            false,
            "play = 'text \"x\" rsv1'\ncloser = \"peer\"",
            (Behaviour::Failed, Closing::Ok, None),
        ),
        // It breaks a rule, and that is not how a connection is failed.
        (
            b"\xC1\x01x".to_vec(),
            true,
            "play = 'text \"x\" rsv1'\ncloser = \"peer\"",
            (Behaviour::Failed, Closing::Failed, Some("reserved-bit-set")),
        ),
        // Which of two sequences it is, the end says.
        (
            close(1002),
            false,
            "play = 'text \"x\"'\npass = 'ends'\nlenient = 'echo'\ncloser = \"either\"\ncodes = [1002]",
            (Behaviour::Ok, Closing::Ok, None),
        ),
    ] {
        waiting.push(std::thread::spawn(move || {
            let one = held_against(&Says { bytes, stays }, keys);
            let got = (one.behaviour, one.closing, one.broken.map(|rule| rule.id));
            assert_eq!(got, expected, "{keys}: {:?} {:?}", one.why, one.got);
        }));
    }
    // What of them wait for the end of TCP do so together.
    for one in waiting {
        one.join().unwrap();
    }
}

#[test]
fn nothing_is_answered_within_a_frame() {
    let pings = || Echo {
        connections: AtomicUsize::new(1),
        greeting: [b"x", b"y"].map(|word| frame(Dir::Server, Opcode::PING, word)).concat(),
    };
    for (play, pass) in [
        ("text \"Hello\" cut=1\nwait 20ms\nrest 2\nwait 20ms\nrest", "echo"),
        ("text \"a\" no-fin\ncontinuation \"b\" cut=1\nwait 20ms\nrest", "text \"ab\""),
        ("close 1000 cut=3\nwait 20ms\nrest", ""),
        // What is never sent holds nothing up for ever.
        ("binary fill=noise size=1000 cut=3\nwait 20ms", ""),
    ] {
        let closes = if play.ends_with("rest") { "" } else { "closer = \"either\"\ncodes = [1000, 1002]" };
        let keys = format!("play = '''{play}'''\npass = '''{pass}'''\npatience = \"2s\"\n{closes}");
        let one = held_against(&pings(), &keys);
        assert_eq!(one.behaviour, Behaviour::Ok, "{play}: {:?} {:?}", one.why, one.got);
        let sent = one.sent_by(Dir::Client);
        assert_eq!(sent.windows(2).filter(|two| *two == [0x8A, 0x81]).count(), 2, "{play}: {sent:02x?}");
    }
}

#[test]
fn a_greeting_is_passed_over() {
    let greets =
        || Echo { connections: AtomicUsize::new(1), greeting: frame(Dir::Server, Opcode::TEXT, b"Welcome!") };
    for (keys, as_it_is, greeted) in [
        ("play = 'text \"x\"'\npass = 'echo'", Behaviour::Failed, Behaviour::Ok),
        ("play = 'ping \"x\"'\npass = 'pong \"x\"'", Behaviour::Failed, Behaviour::Ok),
        // It is one message, and not what comes later.
        ("play = '''text \"x\"\ntext \"y\"'''\npass = 'text \"x\"'", Behaviour::Failed, Behaviour::Failed),
    ] {
        assert_eq!(held_against(&greets(), keys).behaviour, as_it_is, "{keys}");
        let one = held_against_with(&greets(), keys, |target| Target { greeting: 1, ..target });
        assert_eq!(one.behaviour, greeted, "{keys}: {:?} {:?}", one.why, one.got);
    }
}

#[test]
fn what_the_user_gives_stands_for_what_a_case_would_say() {
    let target = |fields: &[&str]| Target {
        host: "localhost".to_owned(),
        resource: "/?token=a".to_owned(),
        secure: false,
        http2: false,
        fields: fields.iter().map(|field| (*field).to_owned()).collect(),
        endpoint: Endpoint::Echo,
        greeting: 0,
        first: false,
    };
    let request = |fields: &[&str], request: &str| {
        let title = "title = { en = \"x\", zh = \"x\" }\nanswer = [\"101\"]\nplay = \"fin\"";
        let text =
            format!("chapter = \"handshake\"\n[[case]]\nid = \"x\"\n{title}\nrequest = '''{request}'''");
        let case = read(&text).unwrap().remove(0);
        let (request, _) = target(fields).request(&case, &case.prepare(Dir::Client).unwrap());
        String::from_utf8(request.bytes("key")).unwrap()
    };
    let head = request(&["Authorization: Bearer x"], "header=\"authorization: Basic y\" header=\"X-A: b\"");
    assert!(head.contains("Bearer x") && !head.contains("Basic") && head.contains("X-A: b"), "{head}");
    assert!(head.starts_with("GET /?token=a HTTP/1.1\r\n"), "{head}");
    let list = request(&["Sec-WebSocket-Protocol: chat"], "header=\"Sec-WebSocket-Protocol: a b\"");
    assert!(list.contains("Protocol: chat") && list.contains("Protocol: a b"), "{list}");
    let query = request(&[], "line=\"GET {path}?a=1 HTTP/1.1\"");
    assert!(query.starts_with("GET /?token=a&a=1 HTTP/1.1\r\n"), "{query}");
}

#[test]
fn what_was_cut_off_follows() {
    for cut in ["1", "5", "+0", "+2", "100"] {
        let keys = format!("play = '''text \"Hello\" cut={cut}\nwait 5ms\nrest 1\nrest'''\npass = 'echo'");
        let one = graded(1, &keys);
        assert_eq!((one.behaviour, one.closing), (Behaviour::Ok, Closing::Ok), "{cut}: {:?}", one.why);
    }
    // A Close frame is sent when all of it is.
    let one = graded(1, "play = '''close 1000 cut=3\nwait 5ms\nrest'''");
    assert_eq!((one.behaviour, one.closing), (Behaviour::Ok, Closing::Ok), "{:?}", one.why);
}
