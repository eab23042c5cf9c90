//! Peers that are right and unusual, and what must not be said of those that are wrong.

use super::*;

/// A server that says something at once, and something else to the first that comes; then it answers nothing
/// but Close, if that.
struct Acts {
    first: Vec<u8>,
    then: Vec<u8>,
    closes: bool,
}

impl Connect for Acts {
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Connected, Text>> + Send + '_>> {
        let (first, then, closes) = (self.first.clone(), self.then.clone(), self.closes);
        Box::pin(async move {
            let (ours, theirs) = duplex(4096);
            tokio::spawn(act(theirs, first, then, closes));
            Ok(Connected { stream: Box::new(ours), abort: Abort::default() })
        })
    }
}

async fn act(mut stream: DuplexStream, first: Vec<u8>, then: Vec<u8>, closes: bool) {
    open(&mut stream).await;
    let _ = stream.write_all(&first).await;
    let mut then = Some(then);
    let mut frames = Frames::from(Dir::Client);
    let mut room = [0; 4096];
    while let Ok(count @ 1..) = stream.read(&mut room).await {
        if let Some(then) = then.take() {
            let _ = stream.write_all(&then).await;
        }
        let received = frames.push(&room[..count]).received;
        if let Some(close) = received.into_iter().find(|it| it.kind == Opcode::CLOSE && closes) {
            let _ = stream.write_all(&frame(Dir::Server, Opcode::CLOSE, &close.payload)).await;
            return;
        }
    }
}

/// A server that answers a request with this, whatever is asked for.
struct Answers(&'static str);

impl Connect for Answers {
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Connected, Text>> + Send + '_>> {
        Box::pin(async {
            let (ours, mut theirs) = duplex(4096);
            let answer = self.0;
            tokio::spawn(async move {
                let mut room = [0; 4096];
                let _ = theirs.read(&mut room).await;
                let _ = theirs.write_all(answer.as_bytes()).await;
            });
            Ok(Connected { stream: Box::new(ours), abort: Abort::default() })
        })
    }
}

fn server_frame(opcode: Opcode, payload: &[u8]) -> Vec<u8> {
    frame(Dir::Server, opcode, payload)
}

/// What is said of a server that acts so.
fn said(first: &[u8], then: &[u8], closes: bool, keys: &str) -> (Behaviour, &'static str, String) {
    let acts = Acts { first: first.to_vec(), then: then.to_vec(), closes };
    let one = held_against(&acts, &format!("patience = \"200ms\"\n{keys}"));
    (one.behaviour, one.looks_like.template, one.likely.en.clone())
}

#[test]
fn pongs_that_nobody_asked_for_do_not_count() {
    let beats = || Echo {
        connections: AtomicUsize::new(1),
        greeting: [&b""[..], b"alive"].map(|word| server_frame(Opcode::PONG, word)).concat(),
    };
    for (keys, behaviour) in [
        ("play = 'text \"x\"'\npass = 'echo'", Behaviour::Ok),
        ("play = 'ping \"x\"'\npass = 'pong \"x\"'", Behaviour::Ok),
        ("play = 'pong \"x\"'", Behaviour::Ok),
        ("play = 'still A 10ms'\npass = 'still A'", Behaviour::Ok),
        // It may be the answer to what was sent.
        ("play = 'pong \"alive\"'", Behaviour::Failed),
    ] {
        let one = held_against(&beats(), keys);
        assert_eq!(one.behaviour, behaviour, "{keys}: {:?} {:?}", one.why, one.got);
    }
}

#[test]
fn a_wrong_pong_is_named_where_the_right_one_never_comes() {
    let keys = "play = 'ping \"abc\"'\npass = 'pong \"abc\"'";
    let [none, right] = [&b""[..], b"abc"].map(|payload| server_frame(Opcode::PONG, payload));
    let wrong = "the pong has none of the ping's payload";
    assert_eq!(said(b"", &none, true, keys), (Behaviour::Failed, wrong, String::new()));
    // What came before the ping answers nothing; and the right one may still come.
    assert_eq!(said(&none, b"", true, keys).1, "the ping was not answered");
    assert_eq!(said(b"", &[none, right].concat(), true, keys).0, Behaviour::Ok);
}

#[test]
fn nobody_is_gone_who_answers_elsewhere_as_everywhere() {
    let keys = "play = 'text \"x\"'\npass = 'echo'\nsurvives = true";
    // It says this to pings, too.
    let text = server_frame(Opcode::TEXT, b"x");
    assert_eq!(said(b"", &text, true, keys).0, Behaviour::Ok);
    for (answer, became) in [
        ("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", Some("afterwards it opens no other WebSocket")),
        ("HTTP/1.1 429 Slow down\r\nContent-Length: 0\r\n\r\n", None),
        ("HTTP/1.1 101 Up\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", None),
        ("", Some("afterwards it answers on no other connection")),
    ] {
        assert_eq!(gone(&held_against(&Answers(answer), "play = ''")), became, "{answer}");
    }
}

#[test]
fn what_is_waited_for_is_said_only_of_who_waits() {
    let long = "play = '''text \"*\" size=200 no-fin\nping \"x\"'''\npass = 'pong \"x\"'";
    let little_endian = "it waits for more: the length {} is {} where it is read as little-endian";
    assert_eq!(said(b"", b"", false, long).1, little_endian);
    assert_eq!(said(b"", b"", true, long).1, "the ping was not answered");
    let whole = "play = 'binary \"*\" size=70000'\npass = 'echo'";
    assert_eq!(said(b"", b"", false, whole).1, little_endian);
    let halves = b"\x82\x7f\0\x01\x11\x70\0\0\0\0****";
    assert_eq!(said(b"", halves, false, whole).1, "what came is no whole frame: {}");
    // Something else came first: what the ping would have come to is not known.
    let text = server_frame(Opcode::TEXT, b"hello");
    assert_eq!(said(b"", &text, true, "play = 'ping \"x\"'\npass = 'pong \"x\"'").1, "");
    let parts = "play = 'binary \"Hello\" length=5000'\npass = 'ends'\ncloser = \"either\"\nclean = false";
    assert_eq!(said(b"", b"", false, parts).1, "Close was not answered with Close");
}

#[test]
fn mistakes_are_told_of_what_is_wrong() {
    let mistake = |got: &str| format!("\n[[case.mistake]]\ngot = '{got}'\nen = \"so\"\nzh = \"so\"");
    let echo = "play = '''text \"first\"\nbinary \"second\"'''\npass = 'echo'".to_owned();
    let first = server_frame(Opcode::TEXT, b"first");
    let keys = echo + &mistake("text \"first\"");
    assert_eq!(said(b"", &first, true, &keys).2, "so");
    let told = [first, server_frame(Opcode::CLOSE, &[0x03, 0xEB])].concat();
    assert_eq!(
        said(b"", &told, false, &keys),
        (Behaviour::Failed, "it takes it for an error: it closed with {}", String::new())
    );
    // The pong is right, and the Close frame is not.
    let keys = "play = 'ping'\npass = 'pong \"\"'".to_owned() + &mistake("pong \"\"");
    let masked = [server_frame(Opcode::PONG, b""), frame(Dir::Client, Opcode::CLOSE, &[0x03, 0xE8])].concat();
    assert_eq!(said(b"", &masked, false, &keys), (Behaviour::Failed, "", String::new()));
}

#[test]
fn what_stands_around_an_echo_is_counted() {
    let keys = "play = 'text \"hello\"'\npass = 'echo'";
    for (came, said_of_it) in [
        ("Echo: hello", "{} bytes were put in front of it"),
        ("\"hello\"", "{} bytes were put in front of it, and {} behind it"),
        ("hello!", "{} bytes were added behind it"),
        ("Echo: HELLO", ""),
    ] {
        let text = server_frame(Opcode::TEXT, came.as_bytes());
        assert_eq!(said(b"", &text, true, keys).1, said_of_it, "{came}");
    }
    let long = "play = 'text \"hello \" size=600'\npass = 'echo'";
    let text = server_frame(Opcode::TEXT, format!("Echo: {}", "hello ".repeat(100)).as_bytes());
    assert_eq!(said(b"", &text, true, long).1, "{} bytes were put in front of it");
}

#[test]
fn who_echoes_twice_and_refuses_has_not_taken_what_it_refuses() {
    let keys = "play = '''text \"abc\"\ntext \"abc\" rsv2'''\npass = 'text \"abc\"'\ncloser = \"peer\"";
    let twice = server_frame(Opcode::TEXT, b"abc").repeat(2);
    assert_eq!(said(b"", &twice, true, keys).1, "it took what it has to refuse, and sent it back");
    let refused = [twice, server_frame(Opcode::CLOSE, &[0x03, 0xEA])].concat();
    assert_eq!(said(b"", &refused, false, keys).1, "it came twice, and was sent once");
}

#[test]
fn a_limit_that_is_told_is_no_failure() {
    let close = server_frame(Opcode::CLOSE, &1009_u16.to_be_bytes());
    let keys = |size: usize| format!("play = 'binary fill=noise size={size}'\npass = 'echo'");
    for (size, more, behaviour) in [
        (3000, "", Behaviour::NonStrict),
        (3000, "\nautobahn = \"1.2.7\"", Behaviour::Failed),
        (125, "", Behaviour::Failed),
        (3000, "\ncloser = \"peer\"\ncodes = [1002]\nfatal = \"code\"", Behaviour::Failed),
    ] {
        let (got, _, _) = said(b"", &close, false, &(keys(size) + more));
        assert_eq!(got, behaviour, "{size} {more}");
    }
}
