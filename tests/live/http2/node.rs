//! Node.js's own HTTP/2 at the other end.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use super::{Certificate, Listening, connect, node, raw, told};
use crate::peers::{Ear, Running};

/// What Node.js says as a client.
fn client(args: &[&str]) -> Option<String> {
    let mut command = node(&[&["client"], args].concat())?;
    let output = command.stdin(Stdio::null()).output().expect("it runs");
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

#[test]
fn serve_opens_websockets_on_streams_for_node() {
    let certificate = Certificate::make("serve-node");
    let under_tls = ["--cert", &certificate.cert, "--key", &certificate.key];
    for (scheme, args) in [("http", &[][..]), ("https", &under_tls)] {
        let served = Listening::start("serve", args);
        let url = format!("{scheme}://{}", served.address);
        let Some(said) = client(&[&url, "/echo", "hello", "你好 😀"]) else { return };
        let expected = "enabled true\nstatus 200 chat permessage-deflate\nmessage hello\nmessage 你好 😀\n\
                        close 1000 \nstream 0\npage 200\nover\n";
        assert_eq!(said, expected, "{url}");
        let said = client(&[&url, "/close/1011?reason=so", "x"]).expect("it was there");
        assert!(said.contains("close 1011 so\nstream 0\n"), "{said}");
        let said = client(&[&url, "/nowhere"]).expect("it was there");
        assert!(said.contains("status 404") && said.contains("body there is nothing here"), "{said}");
        served.end();
    }
}

#[test]
fn serve_can_be_told_to_speak_no_http_2() {
    let mut served = Listening::start("serve", &["--no-http2"]);
    let Some(said) = client(&[&format!("http://{}", served.address), "/echo", "x"]) else { return };
    // HTTP_1_1_REQUIRED.
    assert!(said.contains("enabled false\n") || said.contains("goaway 13\n"), "{said}");
    assert!(!said.contains("status 200"), "{said}");
    served.says("speaks HTTP/2, which --no-http2 has switched off");
    let (code, _, err) = told(&connect(&[&format!("ws://{}/echo", served.address)]));
    assert!(code == Some(1) && err.contains("the server wants HTTP/1.1 here"), "{err}");
    served.end();
}

#[test]
fn connect_opens_websockets_on_streams_of_node() {
    let certificate = Certificate::make("connect-node");
    let Certificate { key, cert, ca } = &certificate;
    for (scheme, server, more) in
        [("ws", &["server"][..], &[][..]), ("wss", &["server", key, cert], &["--cacert", ca])]
    {
        let Some(mut command) = node(server) else { return };
        let mut running = Running::start(&mut command, Ear::Stdout);
        let url = format!("{scheme}://127.0.0.1:{}", running.line());
        let at = |path: &str| format!("{url}{path}");
        let chat = at("/chat?a=b");
        let (code, out, err) = told(&connect(
            &[more, &["-s", "other, chat", "--send", "hello", "--send", "你好 😀", &chat]].concat(),
        ));
        assert_eq!((code, out.as_str()), (Some(0), "hello\n你好 😀\n"), "{err}");
        let tls = if scheme == "wss" { " · TLS 1.3" } else { "" };
        let verdict = format!(" · 200 · HTTP/2 stream 1 · permessage-deflate · chat{tls}\n");
        assert!(err.starts_with("open in ") && err.replace("\n  ", " ").contains(&verdict), "{err}");
        let asked = if scheme == "wss" { "https" } else { "http" };
        assert_eq!(running.line(), format!("asked CONNECT websocket {asked} /chat?a=b well"));
        assert_eq!((running.line(), running.line()), ("close 1000".to_owned(), "connection over".to_owned()));

        for (path, words) in [
            ("/refused", &["not open: got 403 Forbidden, “nobody comes in here”", "try: "][..]),
            (
                "/required",
                &["RST_STREAM instead of an answer: HTTP_1_1_REQUIRED", "the same without --http2"],
            ),
        ] {
            let (code, _, err) = told(&connect(&[more, &[&at(path)]].concat()));
            assert!(code == Some(1) && words.iter().all(|words| err.contains(words)), "{err}");
        }
        let (code, _, err) = told(&connect(&[more, &["--send", "reset", &at("/")]].concat()));
        assert!(code == Some(1) && err.contains("lost without a Close frame (1006)"), "{err}");
    }
}

/// Faults befall `WebSockets` on streams as they do others.
#[test]
fn what_goes_wrong_on_purpose_goes_wrong_on_streams() {
    for (fault, words, log) in [
        ("reset", "lost: the connection was reset without a Close frame", "fault reset"),
        ("cut-after=1", "without a Close frame (1006)", "fault cut-after"),
        ("status=503", "not open: got 503 Service Unavailable", "fault status"),
        ("strip-upgrade", "not open: got 400 Bad Request", ":protocol is taken out"),
        ("close=1011:x", "closed by the server with 1011: x", "fault close"),
        ("accept", "closed · 1 sent, 1 received", "there is no Sec-WebSocket-Accept"),
        ("mask", "a server frame is", ""),
    ] {
        let mut served = Listening::start("serve", &["ws", "--fault", fault, "--view", "none"]);
        let (_, _, err) = told(&connect(&["--send", "hello", &format!("ws://{}/echo", served.address)]));
        assert!(err.contains(words), "{fault}: {err}");
        if !log.is_empty() {
            served.says(log);
        }
        served.end();
    }
}

/// Who leaves a stream for good, as browsers leave that of a page, is named in words for people.
#[test]
fn who_resets_its_stream_has_vanished() {
    let mut served = Listening::start("serve", &["ws", "--view", "none"]);
    let mut tcp = TcpStream::connect(&*served.address).expect("it listens");
    let request = raw::fields(&raw::request("/ticker?every=2ms"));
    let asked = [raw::beginning(), raw::frame(raw::HEADERS, raw::END_HEADERS, 1, &request)].concat();
    tcp.write_all(&asked).expect("sent");
    let mut came = Vec::new();
    while !came.windows(6).any(|it| it == b"tick 3") {
        let mut piece = [0; 1024];
        let count = tcp.read(&mut piece).expect("it ticks");
        assert_ne!(count, 0);
        came.extend_from_slice(&piece[..count]);
    }
    tcp.write_all(&raw::frame(raw::RST_STREAM, 0, 1, &8_u32.to_be_bytes())).expect("sent");
    loop {
        let line = served.running.line();
        assert!(!line.contains("broke"), "{line}");
        if line.contains("it vanished: ") {
            break;
        }
    }
    served.end();
}

/// What cannot be is said, with what to try.
#[test]
fn servers_that_take_no_websockets_on_streams_are_told_apart() {
    let certificate = Certificate::make("connect-off");
    let Some(mut command) = node(&["server", "off"]) else { return };
    let mut running = Running::start(&mut command, Ear::Stdout);
    let url = format!("ws://127.0.0.1:{}/", running.line());
    let (code, _, err) = told(&connect(&[&url]));
    assert!(code == Some(1) && err.contains("SETTINGS_ENABLE_CONNECT_PROTOCOL is not among"), "{err}");
    assert!(err.contains("enableConnectProtocol:"), "{err}");

    // HTTP/1.1 alone, with TLS and without.
    let Some(mut command) = crate::peers::Peer::Ws.command("server") else { return };
    let mut running = Running::start(&mut command, Ear::Stdout);
    let (code, _, err) = told(&connect(&[&format!("ws://127.0.0.1:{}/", running.line())]));
    assert!(code == Some(2) && err.contains("without --http2"), "{err}");
    let served =
        Listening::start("serve", &["--cert", &certificate.cert, "--key", &certificate.key, "--no-http2"]);
    let url = format!("wss://{}/echo", served.address);
    let (code, _, err) = told(&connect(&["--cacert", &certificate.ca, &url]));
    assert!(code == Some(2) && err.contains("without it"), "{err}");
    // Without --http2 it is HTTP/1.1, whatever else the server speaks.
    served.end();
    let served = Listening::start("serve", &["--cert", &certificate.cert, "--key", &certificate.key]);
    let url = format!("wss://{}/echo", served.address);
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["connect", "--cacert", &certificate.ca, "--send", "x", &url]).env("no_proxy", "*");
    let (code, out, err) =
        told(&command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output().expect("it runs"));
    assert!(code == Some(0) && out == "x\n" && err.contains(" · 101 · "), "{err}");
    served.end();
    for (args, words) in [
        (["--break", "upgrade"], "--break upgrade: over HTTP/2 there is no such header field"),
        (["--break", "slow"], "--break slow: over HTTP/2 a head is one frame"),
        (["--key", "x"], "leave out --key"),
    ] {
        let (code, _, err) = told(&connect(&[&args[..], &["ws://127.0.0.1:9/"]].concat()));
        assert!(code == Some(2) && err.contains(words), "{err}");
    }
}
