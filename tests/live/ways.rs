//! How `wstool grade` goes about a server: whether it may, what kind it is, one connection or several, and
//! what is kept.

mod ends;
mod reports;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use wstool::http::accept_value;

/// What a server does with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// It sends it back.
    Echo,
    /// It sends it to all.
    Chat,
    /// It keeps it to itself.
    Silent,
    /// So it does, and sends others.
    Push,
    /// It closes.
    Close,
    /// It sends it back, and takes no connection meanwhile.
    OneByOne,
    /// It turns away who comes while others are there.
    Busy,
    /// It sends it back, and says something to whoever comes.
    Greets,
    /// There is no WebSocket, but this status.
    Status(u16),
    /// It has no room for every third.
    Full,
    /// It has none behind so many.
    Fills(usize),
    /// It reads the request, and ends the connection.
    Mute,
    /// It reads the request, and says nothing.
    Asleep,
    /// It sends it back, and answers Close with a code of its own.
    OddCode,
    /// It sends it back, and nothing at all for Close.
    NoClose,
    /// It is gone behind so many connections.
    Mortal(usize),
    /// It ends, and all its connections, when somebody says so.
    Fragile,
}

/// What was seen of those who came.
#[derive(Debug, Default)]
struct Seen {
    heads: Mutex<Vec<String>>,
    everybody: Mutex<Vec<TcpStream>>,
    now: AtomicUsize,
    most: AtomicUsize,
    /// Somebody said that it ends.
    ends: AtomicBool,
}

/// A server that runs until the tests end, or shorter.
fn server(kind: Kind) -> (String, Arc<Seen>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    let seen = Arc::new(Seen::default());
    let told = Arc::clone(&seen);
    thread::spawn(move || {
        for (nth, stream) in listener.incoming().flatten().enumerate() {
            if kind == Kind::Mortal(nth) {
                break;
            }
            let seen = Arc::clone(&seen);
            let now = seen.now.fetch_add(1, SeqCst) + 1;
            seen.most.fetch_max(now, SeqCst);
            let serve = move || {
                // A client that leaves early is no trouble.
                let _ = serve(stream, kind, now, &seen);
                seen.now.fetch_sub(1, SeqCst);
            };
            if kind == Kind::OneByOne { serve() } else { drop(thread::spawn(serve)) }
        }
    });
    (url, told)
}

fn serve(mut stream: TcpStream, kind: Kind, now: usize, seen: &Seen) -> std::io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte)? == 0 {
            return Ok(());
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let key = head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).unwrap_or_default();
    let accept = accept_value(key.as_bytes());
    seen.heads.lock().expect("no panics").push(head);
    if let Kind::Status(status) = kind {
        return write!(stream, "HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n");
    }
    let count = seen.heads.lock().expect("no panics").len();
    match kind {
        Kind::Mute => return Ok(()),
        Kind::Asleep => return std::io::copy(&mut stream, &mut std::io::sink()).map(drop),
        _ => {}
    }
    let is_full =
        kind == Kind::Full && count.is_multiple_of(3) || matches!(kind, Kind::Fills(most) if count > most);
    if kind == Kind::Busy && now > 1 || is_full {
        return stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n");
    }
    // Who has been let in hears what others say from then on.
    let mut everybody = seen.everybody.lock().expect("no panics");
    write!(
        stream,
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {accept}\r\n\r\n"
    )?;
    everybody.push(stream.try_clone()?);
    drop(everybody);
    if kind == Kind::Greets {
        stream.write_all(b"\x81\x08Welcome!")?;
    }
    if kind == Kind::Push {
        let mut pushing = stream.try_clone()?;
        thread::spawn(move || {
            while pushing.write_all(b"\x81\x04tick").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        });
    }
    let code = talk(&mut stream, kind, seen)?;
    stream.write_all(&[&[0x88, 2][..], &code.to_be_bytes()].concat())?;
    stream.shutdown(Shutdown::Write)?;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    std::io::copy(&mut stream, &mut std::io::sink()).map(drop)
}

/// Takes frames of up to 125 bytes until there is a reason to close.
fn talk(stream: &mut TcpStream, kind: Kind, seen: &Seen) -> std::io::Result<u16> {
    loop {
        let mut header = [0; 6];
        stream.read_exact(&mut header)?;
        let mut payload = vec![0; usize::from(header[1] & 0x7F)];
        stream.read_exact(&mut payload)?;
        payload.iter_mut().zip(header[2..].iter().cycle()).for_each(|(byte, key)| *byte ^= key);
        let frame = |first: u8| [&[first, payload.len() as u8][..], &payload].concat();
        match (header[0] & 15, kind) {
            (8, Kind::OddCode) => return Ok(4000),
            (8, Kind::NoClose) => {}
            (8, _) => return Ok(1000),
            (9, _) => stream.write_all(&frame(0x8A))?,
            (10, _) | (_, Kind::Silent | Kind::Push) => {}
            (_, Kind::Close) => return Ok(1008),
            (_, Kind::Fragile) if payload == b"die" => {
                seen.ends.store(true, SeqCst);
                return Err(std::io::ErrorKind::Other.into());
            }
            (_, Kind::Chat) => {
                for other in seen.everybody.lock().expect("no panics").iter_mut() {
                    let _ = other.write_all(&frame(header[0]));
                }
            }
            _ => stream.write_all(&frame(header[0]))?,
        }
    }
}

fn grade(args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["--lang", "en", "grade"]).args(args);
    command.env("LC_ALL", "C.UTF-8").env("no_proxy", "*").stdin(Stdio::null());
    let Output { status, stdout, stderr } = command.output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (status.code(), text(stdout), text(stderr))
}

/// Cases of the author's own: they stay as they are, whatever becomes of the suite.
fn cases(name: &str, text: &str) -> String {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("ways-{name}.toml"));
    std::fs::write(&path, text).expect("writable");
    path.to_str().expect("UTF-8").to_owned()
}

/// Cases of a few frames: a message, a ping, and both many times.
fn few(name: &str) -> String {
    let title = "title = { en = \"x\", zh = \"x\" }\ncite = [\"RFC 6455 §5\"]";
    let case = |id: &str, keys: &str| format!("[[case]]\nid = \"{id}\"\n{title}\n{keys}\n");
    let rows: Vec<String> = (1..=9).map(|n| format!("{{ n = {n} }}")).collect();
    let each = format!("each = [{}]", rows.join(", "));
    let text = [
        "chapter = \"control\"\n".to_owned(),
        case("ping", "play = 'ping \"a\"'\npass = 'pong \"a\"'"),
        case("echo-{n}", &format!("{each}\nplay = 'text \"a{{n}}\"'\npass = 'echo'")),
        case("both", "play = '''\ntext \"ab\"\nping \"c\"'''\npass = '''\necho\npong \"c\"'''"),
    ];
    cases(name, &text.concat())
}

#[test]
fn servers_on_other_machines_are_tested_with_consent_only() {
    let unasked = ["--timeout", "0.2", "--chapter", "control"];
    for url in ["ws://192.0.2.7:9", "ws://[2001:db8::1]:9"] {
        let (code, out, err) = grade(&[&[url][..], &unasked].concat());
        assert_eq!((code, &*out), (Some(2), ""), "{err}");
        assert!(err.contains("--i-may") && err.contains("--gentle"), "{err}");
        let (code, _, err) = grade(&[&[url, "--i-may"][..], &unasked].concat());
        assert!(code == Some(2) && !err.contains("--i-may"), "{err}");
    }
    // What leads to this machine needs none, by whatever name.
    let here =
        TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("it has one").port();
    for (url, args) in [
        (format!("ws://127.0.0.1:{here}"), Vec::new()),
        (format!("ws://localhost:{here}"), Vec::new()),
        (format!("ws://a.test:{here}"), vec!["--resolve".to_owned(), format!("a.test:{here}:127.0.0.1")]),
    ] {
        let args: Vec<&str> = args.iter().map(String::as_str).chain([&*url]).collect();
        let (code, _, err) = grade(&args);
        assert!(code == Some(2) && err.contains("refuses connections"), "{url}: {err}");
    }
    // Where a proxy leads is not known.
    let (code, _, err) = grade(&["--proxy", "http://127.0.0.1:9", &format!("ws://127.0.0.1:{here}")]);
    assert!(code == Some(2) && err.contains("--i-may"), "{err}");
}

#[test]
fn what_does_not_echo_is_noticed_and_graded_all_the_same() {
    for (kind, what, suggested) in [
        (Kind::Silent, "does not send back what it gets", "push"),
        (Kind::Push, "sends other messages than it gets", "push"),
        (Kind::Close, "ends the connection with 1008 when a message comes", "close"),
    ] {
        let (url, _) = server(kind);
        let few = few(&format!("{kind:?}"));
        let (code, out, err) = grade(&[&url, "--cases-file", &few]);
        assert_eq!((code, &*out), (Some(2), ""), "{kind:?}: {err}");
        assert!(err.contains(what) && err.contains(&format!("--endpoint {suggested}")), "{kind:?}: {err}");
        let (code, out, err) = grade(&[&url, "--cases-file", &few, "--endpoint", suggested]);
        assert_eq!(code, Some(0), "{kind:?}: {out}{err}");
        assert!(out.contains("control.ping") && !out.contains("control.echo"), "{out}");
        // A message may be sent to who does not close over it, and what it sends is not counted.
        assert_eq!(out.contains("control.both"), suggested == "push", "{out}");
        assert!(err.contains("cases that need messages to be sent back are left out: "), "{err}");
        let (code, out, _) = grade(&[&url, "--cases-file", &few, "--endpoint", "echo", "--patience", "0.3"]);
        assert!(code == Some(1) && out.contains("control.echo-9"), "{out}");
    }
}

#[test]
fn connections_come_one_by_one_where_several_are_too_many() {
    for (kind, said) in [
        (Kind::OneByOne, "the server takes no connection while another is open"),
        (Kind::Chat, "what one client says, the server sends to all"),
    ] {
        let (url, _) = server(kind);
        let few = few(&format!("{kind:?}"));
        let (code, out, err) = grade(&[&url, "--cases-file", &few]);
        assert_eq!(code, Some(0), "{kind:?}: {out}{err}");
        assert!(err.contains(said), "{kind:?}: {err}");
    }
    // A connection that does not end is no other's doing.
    let (url, _) = server(Kind::NoClose);
    let (code, out, err) =
        grade(&[&url, "--cases-file", &few("no-close"), "--case", "*.echo-1", "--case", "*.ping"]);
    assert!(code == Some(1) && !err.contains("note"), "{out}{err}");
    let (url, _) = server(Kind::Busy);
    let (code, out, err) = grade(&[&url, "--cases-file", &few("busy")]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(err.contains("the server turns connections away while another is open"), "{err}");
    // Where nothing is in the way they come together, and nothing is said.
    let (url, seen) = server(Kind::Echo);
    let (code, out, err) = grade(&[&url, "--cases-file", &few("together")]);
    assert!(code == Some(0) && !err.contains("note"), "{out}{err}");
    assert!(seen.most.load(SeqCst) > 1);
}

/// Nothing is connected to by what only shows the cases, and what no case fits is not passed over.
#[test]
fn what_is_chosen_is_shown_and_what_fits_nothing_is_said() {
    let (code, out, _) = grade(&["--list", "--chapter", "close"]);
    assert!(
        code == Some(0) && out.starts_with("The closing handshake: ") && out.contains(" cases\n"),
        "{out}"
    );
    let (code, out, err) = grade(&["--list", "--case", "1.1.1", "--case", "nosuch"]);
    assert!(code == Some(0) && out.contains("reserved bits: 1 case\n"), "{out}");
    assert_eq!(err, "note: no case fits nosuch\n");
    let besides = ["--exclude", "autobahn:9.*", "--exclude", "nosuch"];
    let (code, _, err) = grade(&[&["--list", "--case", "1.1.1"][..], &besides].concat());
    assert_eq!((code, &*err), (Some(0), "note: no case fits nosuch\n"));
    for (args, said) in [
        (["--case", "nosuch"], "error: no case fits nosuch; wstool grade --list names them all\n"),
        (
            ["--section", "RFC 6455 §99"],
            "error: no case fits RFC 6455 §99; wstool grade --list names them all\n",
        ),
        (["--case", "Hello"], "error: no case fits Hello; wstool grade --list names them all\n"),
    ] {
        for asked in ["--list", "--dry-run"] {
            let (code, out, err) = grade(&[&args[..], &[asked]].concat());
            assert_eq!((code, &*out, &*err), (Some(2), "", said), "{args:?}");
        }
    }
    let (code, _, err) = grade(&["--list", "--case", "ping"]);
    assert!(code == Some(2) && err.starts_with("error: no case fits ping; --case '*ping*' fits "), "{err}");
    let (code, out, err) = grade(&["--dry-run", "--case", "1.1.2"]);
    assert!(code == Some(0) && out.contains("Host: 127.0.0.1:9001") && out.contains("81 fd"), "{out}{err}");
    let (code, _, err) = grade(&["--case", "1.1.2"]);
    assert_eq!((code, &*err), (Some(2), "error: name the server: wstool grade ws://127.0.0.1:9001\n"));
}

#[test]
fn gentle_is_one_by_one_and_says_who_asks() {
    let (url, seen) = server(Kind::Echo);
    let (code, out, err) =
        grade(&[&url, "--cases-file", &few("gentle"), "--gentle", "--origin", "https://a.test"]);
    assert_eq!(code, Some(0), "{out}{err}");
    let heads = seen.heads.lock().expect("no panics");
    assert!(
        heads.len() >= 11 && heads.iter().all(|head| head.contains("\r\nUser-Agent: wstool/")),
        "{heads:?}"
    );
    assert!(heads.iter().all(|head| head.contains("\r\nOrigin: https://a.test\r\n")), "{heads:?}");
    let (url, _) = server(Kind::Echo);
    let (code, out, err) = grade(&[&url, "--gentle", "--chapter", "limits", "--chapter", "performance"]);
    assert_eq!((code, &*out), (Some(2), ""), "{err}");
}

#[test]
fn a_server_that_is_gone_is_said_to_be() {
    let (url, _) = server(Kind::Mortal(8));
    let (code, out, err) = grade(&[&url, "--cases-file", &few("mortal"), "--jobs", "1"]);
    assert_eq!(code, Some(1), "{out}{err}");
    assert!(err.contains("the server is gone") && err.contains("refuses connections"), "{err}");
}

#[test]
fn what_is_no_websocket_is_not_graded() {
    for (status, hint) in [(404, "is the path right?"), (401, "--user"), (400, "--subprotocol")] {
        let (url, _) = server(Kind::Status(status));
        let (code, out, err) = grade(&[&url, "--chapter", "control"]);
        let said =
            format!("{url} opens no WebSocket, so there is nothing to grade: the server answered {status}");
        assert!(err.contains(&said) && err.contains(hint), "{err}");
        assert_eq!((code, &*out), (Some(2), ""), "{err}");
    }
    // Nor is what speaks TLS, or something else: it says nothing to a request.
    for (kind, why) in [
        (Kind::Mute, "the server ended the connection without an answer (does it speak TLS (wss://)"),
        (Kind::Asleep, "no answer to the opening handshake (does it speak TLS (wss://)"),
    ] {
        let (url, _) = server(kind);
        let (code, out, err) = grade(&[&url, "--chapter", "control"]);
        assert_eq!((code, &*out), (Some(2), ""), "{err}");
        assert!(err.contains(why), "{err}");
    }
    // Somebody's first server is told what to build.
    let (url, _) = server(Kind::Status(200));
    let (code, out, err) = grade(&[&url, "--stage", "1"]);
    assert!(code == Some(1) && out.contains("200"), "{out}{err}");
}

#[test]
fn a_greeting_is_noticed_and_passed_over() {
    let (url, _) = server(Kind::Greets);
    let (code, out, err) = grade(&[&url, "--cases-file", &few("greets")]);
    assert!(code == Some(0) && err.contains("the server greets who comes"), "{out}{err}");
}

/// Figures of nobody, or of who is no WebSocket server, are not left out silently.
#[test]
fn who_gives_figures_beside_has_to_send_back_too() {
    let (url, _) = server(Kind::Echo);
    let timed = |others: &str| grade(&[&url, "--case", "performance.round-trips-ping", "--against", others]);
    let (code, out, _) = timed(&server(Kind::Greets).0);
    assert!(code == Some(0) && out.contains("the other server: "), "{out}");
    for (kind, said) in [
        (Kind::Status(404), "is the path right?"),
        (Kind::Silent, "does not send back what it gets"),
        (Kind::Push, "sends other messages than it gets"),
    ] {
        let (other, _) = server(kind);
        let (code, out, err) = timed(&other);
        assert!(code == Some(2) && err.contains(&other) && err.contains(said), "{kind:?}: {out}{err}");
    }
    let (other, _) = server(Kind::Echo);
    let (code, _, err) = grade(&[&url, "--case", "1.1.1", "--against", &other]);
    assert!(code == Some(0) && err.contains(&format!("{other} has no figures to give")), "{err}");
}

/// What would change nothing is not taken.
#[test]
fn options_of_clients_and_of_servers_do_not_mix() {
    let url = "ws://127.0.0.1:9";
    for (args, one, other) in [
        ([url, "--once"], "[URL]", "--once"),
        ([url, "--tls"], "[URL]", "--tls"),
        (["--listen=0", "--gentle"], "--listen", "--gentle"),
        (["--listen=0", "--i-may"], "--listen", "--i-may"),
        (["--listen=0", "--keep=kept"], "--listen", "--keep"),
        (["--listen=0", "--endpoint=push"], "--listen", "--endpoint"),
        (["--listen=0", "--against=ws://127.0.0.1:9"], "--listen", "--against"),
    ] {
        let (code, _, err) = grade(&args);
        assert!(code == Some(2) && err.contains(one) && err.contains(other), "{args:?}: {err}");
    }
}

#[test]
fn having_no_room_is_no_failure() {
    let (url, seen) = server(Kind::Full);
    let (code, out, err) = grade(&[
        &url,
        "--case",
        "handshake.key-sample",
        "--case",
        "handshake.key-ones",
        "--case",
        "handshake.key-zeros",
        "--case",
        "handshake.key-signs",
    ]);
    assert!(code == Some(0) && !out.contains("503"), "{out}{err}");
    assert!(seen.heads.lock().expect("no panics").len() > 6, "some came again: {out}");
}

#[test]
fn who_never_has_room_again_is_not_judged() {
    // Cases that end TCP themselves look as if the server had, and are played again.
    let keys = ["sample", "ones", "zeros", "signs"].map(|key| format!("handshake.key-{key}"));
    // As many come as there are cases, and three before them that look what kind of server it is.
    let (url, _) = server(Kind::Fills(7));
    let mut args = vec![url.as_str()];
    args.extend(keys.iter().flat_map(|key| ["--case", key]));
    let (code, out, err) = grade(&args);
    assert!(code == Some(0) && !out.contains("503"), "{out}{err}");
}

#[test]
fn odd_ends_are_put_up_with_unless_strict() {
    let (url, _) = server(Kind::OddCode);
    let few = few("strict");
    let (code, out, err) = grade(&[&url, "--cases-file", &few]);
    assert!(code == Some(0) && out.contains("non-strict"), "{out}{err}");
    let (code, out, _) = grade(&[&url, "--cases-file", &few, "--strict"]);
    assert_eq!(code, Some(1), "{out}");
}

#[test]
fn each_case_is_kept_as_a_capture_of_its_name() {
    let folder: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ways-kept");
    let _ = std::fs::remove_dir_all(&folder);
    let (url, _) = server(Kind::Echo);
    let kept = folder.to_str().expect("UTF-8");
    let (code, out, err) = grade(&[&url, "--cases-file", &few("kept"), "--keep", kept]);
    assert_eq!(code, Some(0), "{out}{err}");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .expect("it is there")
        .map(|entry| entry.expect("readable").file_name().into_string().expect("UTF-8"))
        .collect();
    names.sort();
    let echoes = (1..=9).map(|n| format!("control.echo-{n}.pcap"));
    let expected: Vec<String> = ["control.both.pcap".to_owned()]
        .into_iter()
        .chain(echoes)
        .chain(["control.ping.pcap".to_owned()])
        .collect();
    assert_eq!(names, expected);
    let mut decode = Command::new(env!("CARGO_BIN_EXE_wstool"));
    decode.args(["--lang", "en", "decode", "--view", "messages"]).arg(folder.join("control.both.pcap"));
    let output = decode.env("LC_ALL", "C.UTF-8").output().expect("it runs");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && shown.contains("message 1  client") && shown.contains("Close 1000"),
        "{shown}"
    );
}

#[test]
fn a_dry_run_says_what_it_would_send_and_reaches_nobody() {
    let few = few("dry");
    let (code, out, err) =
        grade(&["ws://192.0.2.7:9/a", "--cases-file", &few, "--dry-run", "--case", "control.both"]);
    assert_eq!(code, Some(0), "{err}");
    for words in
        ["→ GET /a HTTP/1.1", "Host: 192.0.2.7:9", "→ text \"ab\"", "8 bytes", "← echo", "← pong \"c\""]
    {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert_eq!(grade(&["ws://a", "--cases-file", &few, "--dry-run"]).1.matches("as usual").count(), 11);
}
