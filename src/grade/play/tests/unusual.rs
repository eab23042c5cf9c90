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
fn whether_an_empty_pong_answers_an_empty_ping_is_left_open() {
    let [none, text] = [(Opcode::PONG, &b""[..]), (Opcode::TEXT, b"x")].map(|(op, it)| server_frame(op, it));
    let fails = server_frame(Opcode::CLOSE, &1002_u16.to_be_bytes());
    let fault = |play: &str, pass: &str| {
        format!("play = '''text \"x\"\ntext \"y\" rsv2\n{play}'''\npass = '{pass}'\ncloser = \"peer\"")
    };
    let behind = fault("ping \"\"", "text \"x\"");
    for (keys, first, then, behaviour, closing) in [
        // One that came unasked, and one that answers, or two that did.
        (
            "play = 'ping \"\"'\npass = 'pong \"\"'",
            &none,
            none.clone(),
            Behaviour::Informational,
            Closing::Ok,
        ),
        ("play = 'pong \"\"'", &none, Vec::new(), Behaviour::Informational, Closing::Ok),
        (&*behind, &none, [&*text, &fails].concat(), Behaviour::Informational, Closing::Ok),
        (&*behind, &text, [&*none, &fails].concat(), Behaviour::Informational, Closing::Ok),
        (&*behind, &text, fails.clone(), Behaviour::Ok, Closing::Ok),
        // Who goes on has not refused what it has to, and what else is wrong still is.
        (&*behind, &none, text.clone(), Behaviour::Informational, Closing::Failed),
        (&*behind, &none, fails.clone(), Behaviour::Failed, Closing::Ok),
        ("play = 'ping \"\"'\npass = 'pong \"\"'", &none, text.clone(), Behaviour::Failed, Closing::Ok),
        // What has a payload is nobody's but the ping's.
        (
            "play = 'ping \"x\"'\npass = 'pong \"x\"'",
            &server_frame(Opcode::PONG, b"x"),
            server_frame(Opcode::PONG, b"x"),
            Behaviour::Failed,
            Closing::Ok,
        ),
    ] {
        let acts = Acts { first: first.clone(), then, closes: true };
        let one = held_against(&acts, &format!("patience = \"200ms\"\n{keys}"));
        // It leaves the end of TCP to us where it has failed the connection.
        let came = if one.closing == Closing::FailedByClient { Closing::Ok } else { one.closing };
        assert_eq!((one.behaviour, came), (behaviour, closing), "{keys}: {:?} {:?}", one.why, one.got);
    }
}

#[test]
fn a_close_frame_that_answers_ours_hides_no_mistake() {
    let bytes = server_frame(Opcode::TEXT, b"\xFF\xFE");
    let binary = "play = 'binary fffe'\npass = 'echo'";
    for closes in [true, false] {
        let (behaviour, looks_like, _) = said(b"", &bytes, closes, binary);
        let as_text = "binary came back as text: the opcode is not the one it came with";
        assert_eq!((behaviour, looks_like), (Behaviour::Failed, as_text), "{closes}");
    }
    // Other bytes are another matter.
    assert_eq!(said(b"", &bytes, true, "play = 'binary fefe'\npass = 'echo'").1, "");
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
    let told = [first, server_frame(Opcode::CLOSE, &[0x03, 0xF1])].concat();
    assert_eq!(
        said(b"", &told, false, &keys),
        (Behaviour::Failed, "it is too long for it: it closed with 1009", String::new())
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

#[test]
fn who_takes_no_binary_messages_and_says_so_has_not_failed() {
    let close = |code: u16| server_frame(Opcode::CLOSE, &code.to_be_bytes());
    for (play, code, behaviour) in [
        ("binary 01", 1003, Behaviour::Unimplemented),
        ("text \"a\"\nbinary 01 no-fin\nping\ncontinuation 02", 1003, Behaviour::Unimplemented),
        ("binary 01", 1002, Behaviour::Failed),
        // The words are for data of a kind that was sent.
        ("text \"a\"", 1003, Behaviour::Failed),
    ] {
        let (got, _, _) = said(b"", &close(code), false, &format!("play = '''{play}'''\npass = 'echo'"));
        assert_eq!(got, behaviour, "{play} {code}");
    }
    let faulty = "play = 'binary 01 rsv2'\ncloser = \"peer\"\nfatal = \"code\"";
    assert_eq!(said(b"", &close(1003), false, faulty).0, Behaviour::Failed);
}

#[test]
fn a_second_close_frame_counts_where_the_case_is_about_it() {
    let twice = server_frame(Opcode::CLOSE, &1000_u16.to_be_bytes()).repeat(2);
    for (more, behaviour) in [("", Behaviour::Ok), ("\nrules = [\"duplicate-close\"]", Behaviour::Failed)] {
        assert_eq!(said(b"", &twice, true, &format!("play = 'close 1000'{more}")).0, behaviour, "{more}");
    }
    // What is no Close frame must not stand there, whatever the case is about.
    let data = [server_frame(Opcode::CLOSE, &[0x03, 0xE8]), server_frame(Opcode::TEXT, b"x")].concat();
    assert_eq!(said(b"", &data, true, "play = 'close 1000'").0, Behaviour::Failed);
}

#[test]
fn pongs_may_be_late_where_the_case_says_nothing_else() {
    let keys = "play = '''text \"Hel\" no-fin\nping \"x\"\ncontinuation \"lo\"\nbinary 01'''\n\
                pass = '''pong \"x\"\ntext \"Hello\"\nbinary 01'''";
    let [pong, text, binary] = [
        server_frame(Opcode::PONG, b"x"),
        server_frame(Opcode::TEXT, b"Hello"),
        server_frame(Opcode::BINARY, &[1]),
    ];
    for (came, behaviour, says) in [
        ([&pong, &text, &binary], Behaviour::Ok, ""),
        (
            [&text, &pong, &binary],
            Behaviour::NonStrict,
            "pings are answered only when the message around them is whole",
        ),
        (
            [&text, &binary, &pong],
            Behaviour::NonStrict,
            "the pong is late: messages that were sent behind the ping were answered first",
        ),
        ([&text, &binary, &binary], Behaviour::Failed, "the ping was not answered"),
    ] {
        let came: Vec<u8> = came.into_iter().flatten().copied().collect();
        let (got, looks_like, _) = said(b"", &came, true, keys);
        assert_eq!((got, looks_like), (behaviour, says));
    }
}

#[test]
fn a_length_that_is_not_read_is_known() {
    let keys = "play = 'text \"Hello\" size=200 mask=01020304'\npass = 'echo'";
    // Behind 81 fe stands 00 c8, which is taken for the first half of the key; then the rest of the key.
    let masked = "Hello".bytes().cycle().zip([1, 2, 3, 4].into_iter().cycle()).map(|(byte, key)| byte ^ key);
    let behind = [1, 2, 3, 4].into_iter().chain(masked).skip(2);
    let read: Vec<u8> =
        behind.zip([0, 0xC8, 1, 2].into_iter().cycle()).map(|(b, key)| b ^ key).take(126).collect();
    let taken = "{} was taken for the length, where it says that {} bytes of length follow";
    for header in [&[0x81, 126][..], &[0x82, 126, 0, 126]] {
        assert_eq!(said(b"", &[header, &read].concat(), true, keys).1, taken);
    }
    assert_eq!(said(b"", &server_frame(Opcode::TEXT, "Hello".repeat(40).as_bytes()), true, keys).1, "");
    assert_ne!(said(b"", &server_frame(Opcode::TEXT, &[b'H'; 126]), true, keys).1, taken);
}

#[test]
fn a_payload_that_is_taken_for_a_key_is_known() {
    let keys = "play = '''text \"Hello\" mask=none more\ntext \"more\" mask=01020304'''\npass = ''\n\
                closer = \"peer\"";
    let behind = [b'o', 0x81, 0x84, 1, 2].into_iter();
    let read: Vec<u8> = behind.zip(b"Hell".iter().cycle()).map(|(byte, key)| byte ^ key).collect();
    let taken =
        "the frame has no mask, and its first 4 bytes of payload were taken for a masking key all the same";
    assert_eq!(said(b"", &server_frame(Opcode::TEXT, &read), true, keys).1, taken);
    let echoed = said(b"", &server_frame(Opcode::TEXT, b"Hello"), true, keys).1;
    assert_eq!(echoed, "it took what it has to refuse, and sent it back");
}

#[test]
fn a_message_of_its_own_is_told_where_the_right_one_follows() {
    let keys = "play = '''text \"Hello\"\ntext \"World\"'''\npass = 'echo'";
    let of_its_own = "another message came first, and then the right one";
    for (came, says) in [
        (["Hello and welcome", "Hello", "World"], of_its_own),
        (["Hello", "tick", "World"], of_its_own),
        (["World", "Hello", "World"], ""),
        (["Hello", "Hello", "World"], ""),
    ] {
        let frames: Vec<_> = came.iter().map(|text| server_frame(Opcode::TEXT, text.as_bytes())).collect();
        assert_eq!(said(b"", &frames.concat(), true, keys).1, says, "{came:?}");
    }
}

#[test]
fn who_is_only_slow_breaks_no_must() {
    let title = "title = { en = \"x\", zh = \"x\" }\nplay = 'text \"x\" times=2000'\npass = 'echo'";
    let of = |number: &str, patience: Option<u64>| {
        let keys = format!("chapter = \"limits\"\n[[case]]\nid = \"x\"\n{number}{title}");
        let case = read(&keys).unwrap().remove(0);
        let prepared = case.prepare(Dir::Client).unwrap();
        let limit = Duration::from_secs(42);
        let late = shared::Late {
            limit,
            is_sending: true,
            bytes: 12_864,
            frames: 402,
            patience: patience.map(Duration::from_secs),
        };
        let talked = Talked {
            matched: None,
            beside: false,
            closer: None,
            clean: false,
            close: None,
            end: None,
            dropped: false,
            violation: None,
            too_much: false,
            late: Some(late),
            reset: false,
            figures: crate::model::grade::Figures::default(),
        };
        let opening = Opening::Open { fields: None, lenient: false };
        let played = Played { opening, talked: Some(talked), record: Record::new(limit) };
        let one = judge::judge(&case, &prepared, Dir::Client, played);
        (one.behaviour, one.closing, one.why.template.contains("--patience {}"))
    };
    let failed = (Behaviour::Failed, Closing::Failed);
    assert_eq!(of("", Some(9)), (Behaviour::NonStrict, Closing::Informational, true));
    assert_eq!(of("autobahn = \"9.7.1\"\n", Some(9)), (failed.0, failed.1, true));
    assert_eq!(of("", None), (failed.0, failed.1, false));
}
