//! `wstool connect` with live servers: other implementations, proxies, TLS, and servers that misbehave.
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use serde_json::Value;
use wstool::http::accept_value;

use crate::peers::{ECHOES, Ear, PEERS, Peer, Running};
use crate::replay::{once, read_request, records, server, text, tls, tls_server};
use crate::shown;

fn connect(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.arg("connect").args(args).env("LC_ALL", "C.UTF-8").env("no_proxy", "*");
    if !args.contains(&"--timeout") {
        command.args(["--timeout", "20"]);
    }
    command
}

/// Runs it with this as standard input.
fn run(mut command: Command, input: &[u8]) -> Output {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_vec();
    let writer = thread::spawn(move || {
        // Who has ended reads no more.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("writing does not panic");
    output
}

/// The exit code, standard output and standard error.
fn told(command: Command, input: &str) -> (Option<i32>, String, String) {
    let output = run(command, input.as_bytes());
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A folder of this test's own.
fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("connect-{name}"));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("writable");
    folder
}

/// Opens a WebSocket on a connection.
fn accept(stream: &mut (impl Read + Write)) -> String {
    let request = read_request(stream);
    let key = request.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Key: ")).expect("a key");
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept_value(key.as_bytes())
    );
    stream.write_all(answer.as_bytes()).expect("sent");
    request
}

#[test]
fn lines_are_sent_and_their_answers_printed() {
    for peer in ECHOES {
        let Some((mut running, url)) = server(peer) else { continue };
        let (code, out, err) = told(connect(&["-s", "chat", &url]), "hello\r\n你好 😀\n/ping is text here");
        assert_eq!(
            (code, out.as_str()),
            (Some(0), "hello\n你好 😀\n/ping is text here\n"),
            "{peer:?}: {err}"
        );
        assert!(
            err.starts_with("open in ") && err.contains(" · 101 · permessage-deflate"),
            "{peer:?}: {err}"
        );
        assert!(err.contains("closed · 3 sent, 3 received · open for "), "{peer:?}: {err}");
        if peer != Peer::Ws {
            assert!(err.contains(" · chat\n"), "{err}");
        }
        assert_eq!(running.line(), "open");
        if peer != Peer::Websockets {
            assert_eq!(running.line(), "close 1000");
        }
        let (code, out, err) =
            told(connect(&["-q", "-s", "chat", "--no-deflate", "--send", "a", "--send", "b", &url]), "");
        assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "a\nb\n", ""), "{peer:?}");
        // Without anything to say it says goodbye.
        let (code, out, err) = told(connect(&["-s", "chat", "--wait", "0", &url]), "");
        assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    }
}

#[test]
fn binary_input_comes_back_byte_for_byte() {
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n.wrapping_mul(n) >> 7) as u8).collect();
    for peer in ECHOES {
        let Some((_running, url)) = server(peer) else { continue };
        let output = run(connect(&["-s", "chat", "--binary", "--count", "1", &url]), &bytes);
        assert!(output.status.success() && output.stdout == bytes, "{peer:?}: {}", text(&output.stderr));
    }
    let Some((_running, url)) = server(Peer::Ws) else { return };
    let output = run(connect(&[&url]), b"fine\n\xff\n");
    let told = text(&output.stderr);
    assert!(told.contains("line 2 of standard input is no UTF-8") && told.contains("--binary"), "{told}");
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(2), "fine\n"), "{told}");
}

/// Who answers our Close frame with a complaint has not ended the connection in order.
#[test]
fn the_answer_to_a_close_frame_is_looked_at() {
    for (answer, code, words) in [
        (&b"\x88\x02\x03\xe8"[..], 0, "closed · "),
        (b"\x88\x00", 0, "closed · "),
        (b"\x88\x06\x03\xea huh", 1, "the server's own Close frame says 1002: huh"),
        (b"\x88\x02\x03\xf3", 1, "the server's own Close frame says 1011 ·"),
    ] {
        let (thread, url) = once(move |mut stream| {
            accept(&mut stream);
            // The header and the key of a Close frame with a code.
            stream.read_exact(&mut [0; 8]).expect("a Close frame");
            stream.write_all(answer).expect("sent");
        });
        let (got, _, err) = told(connect(&["--wait", "0", &url]), "");
        thread.join().expect("the server does not panic");
        let err = err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(got == Some(code) && err.contains(words), "{answer:?}: {err}");
        // A script looks at it as well, unless it says itself what it expects.
        for (steps, expected) in [("close\n", code), ("close\nexpect-close\n", 0)] {
            let (thread, url) = once(move |mut stream| {
                accept(&mut stream);
                stream.read_exact(&mut [0; 8]).expect("a Close frame");
                stream.write_all(answer).expect("sent");
            });
            let (got, _, err) = told(connect(&["--script", "-", &url]), steps);
            thread.join().expect("the server does not panic");
            assert_eq!(got, Some(expected), "{answer:?} {steps:?}: {err}");
        }
    }
}

/// Of a capture file that cannot be written on it is told once, with or without TLS's secrets.
#[test]
fn a_full_disk_is_told_once() {
    if !std::path::Path::new("/dev/full").exists() {
        return;
    }
    let Some((_running, url)) = server(Peer::Ws) else { return };
    let (code, out, err) = told(connect(&["--pcap", "/dev/full", &url]), "hello\n");
    assert_eq!(
        (code, out.as_str(), err.matches("cannot be written").count()),
        (Some(2), "hello\n", 1),
        "{err}"
    );
}

#[test]
fn what_goes_over_it_is_shown_and_kept() {
    let Some((_running, url)) = server(Peer::Ws) else { return };
    let pcap = folder("kept").join("kept.pcap");
    let pcap = pcap.to_str().expect("UTF-8");
    let page = folder("kept").join("kept.html");
    let html = page.to_str().expect("UTF-8");
    let (code, out, err) = told(connect(&["--json", "--pcap", pcap, "--html", html, &url]), "{\"a\":1}\n");
    assert_eq!(code, Some(0), "{err}");
    let shown = std::fs::read_to_string(&page).expect("a page");
    assert!(shown.matches("\n{\"type\":\"frame\"").count() == 4 && shown.ends_with("</html>\n"), "{shown}");
    let messages = |text: &str| -> Vec<(Value, Value)> {
        let all = records(text).into_iter().filter(|record| record["type"] == "message");
        all.map(|record| (record["dir"].clone(), record["text"].clone())).collect()
    };
    let shown = messages(&out);
    assert_eq!(
        shown[..2],
        [("client", "{\"a\":1}"), ("server", "{\"a\":1}")].map(|(a, b)| (a.into(), b.into()))
    );
    let decode = ["decode", "--view", "messages", "--format", "ndjson", pcap];
    let output = Command::new(env!("CARGO_BIN_EXE_wstool")).args(decode).output().expect("it runs");
    assert_eq!(messages(&text(&output.stdout)), shown);
    // The server ends TCP, as RFC 6455 §7.1.1 has it: there is nothing to find.
    assert!(!out.contains("\"type\":\"finding\""), "{out}");
    assert!(
        !out.contains("\"type\":\"frame\"") && !out.contains("\"type\":\"http\""),
        "messages only: {out}"
    );
    for (level, words) in [("-v", "frame       time"), ("-vv", "Sec-WebSocket-Accept")] {
        let (code, out, err) = told(connect(&[level, &url]), "hello\n");
        assert!(code == Some(0) && out.contains(words) && out.contains("hello"), "{level}: {out}{err}");
    }
    let keys = "request=$.id,reply=$.id";
    let (code, out, _) = told(connect(&["--match", keys, &url]), "{\"id\":7}\n");
    assert!(code == Some(0) && out.contains("JSON answers 7 after "), "{out}");
}

#[test]
fn scripts_are_health_checks() {
    let Some((_running, url)) = server(Peer::Ws) else { return };
    let folder = folder("script");
    let script = |lines: &str| {
        let path = folder.join("check.ws");
        std::fs::write(&path, lines).expect("writable");
        let path = path.to_str().expect("UTF-8").to_owned();
        let (code, out, err) = told(connect(&["--script", &path, &url]), "");
        (code, out, err.replace(&path, "check.ws"))
    };
    let (code, out, err) = script(
        "# all there is\ntimeout 15s\nsend hello\nexpect hello\nsend {\"status\":\"ok\",\"n\":[1]}\n\
         expect json $.n[0]=1\nsend one\nsend two\nawait /^tw/\nsend-binary 00ff\nexpect-binary 00ff\n\
         send two words\nexpect-text two words\nping are you there?\nexpect-pong\nexpect-silence 50ms\n\
         wait 10ms\nclose 1000 bye\nexpect-close 1000\n",
    );
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    assert!(err.contains("as expected: 18 steps in "), "{err}");
    for (lines, said) in [
        ("send a\nexpect b\n", "check.ws:2: not as expected\n  expected: \"b\"\n  got:      \"a\"\n"),
        (
            "timeout 100ms\n\nexpect x\n",
            "check.ws:3: not as expected\n  expected: \"x\"\n  got:      nothing within 0.1 s\n",
        ),
        ("send a\nexpect json $.x=1\n", "  expected: json $.x=1\n  got:      \"a\"\n"),
        ("close 4000 why\nexpect-close 1000\n", "  got:      closed by the server with 4000"),
        ("send a\ntimeout 200ms\nawait b\n", "the last message was \"a\""),
        ("close\nsend a\n", "  expected: the connection is open"),
    ] {
        let (code, _, err) = script(lines);
        assert!(code == Some(1) && err.contains(said), "{lines}: {err}");
    }
    let (code, _, err) = script("send a\nexpekt a\n");
    assert!(code == Some(2) && err.starts_with("error: check.ws:2: `expekt` is none of send, "), "{err}");
    let (code, _, err) = told(connect(&["--script", "-", &url]), "send a\nexpect a\n");
    assert!(code == Some(0) && err.contains("2 steps"), "{err}");
}

/// Ctrl-C ends a script, whatever it waits for.
#[test]
fn a_script_ends_with_ctrl_c() {
    let (tell, is_sent) = mpsc::channel();
    let (thread, url) = once(move |mut stream| {
        accept(&mut stream);
        // The first frame: the script is under way.
        stream.read_exact(&mut [0; 8]).expect("a frame of two letters");
        tell.send(()).expect("the test waits");
        // How it goes is for others to judge.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let path = folder("stopped").join("check.ws");
    std::fs::write(&path, "send hi\nwait 600s\n").expect("writable");
    let script = path.to_str().expect("UTF-8");
    let running = Running::start(&mut connect(&["--script", script, &url]), Ear::Stderr);
    is_sent.recv().expect("the server says so");
    running.interrupt();
    assert_eq!(running.end().0.code(), Some(130));
    thread.join().expect("the server ends");
}

/// Why a WebSocket does not open is said first, with what to try.
#[test]
fn refusals_are_told_with_what_to_try() {
    for (answer, code, words) in [
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 13\r\n\r\nno such room\n",
            1,
            &["not open: got 404 Not Found, “no such room”\n", "nothing is served under this path", "try: "]
                [..],
        ),
        (
            "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n",
            1,
            &["401 Unauthorized, WWW-Authenticate: Basic", "--user NAME:PASSWORD"],
        ),
        ("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 1, &["403 Forbidden", "--origin"]),
        (
            "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 8\r\nContent-Length: 0\r\n\r\n",
            1,
            &["426 Upgrade Required", "Sec-WebSocket-Version: 8", "try: "],
        ),
        (
            "HTTP/1.1 301 Moved Permanently\r\nLocation: wss://a/\r\nContent-Length: 0\r\n\r\n",
            1,
            &["Location: wss://a/", "browsers do not follow"],
        ),
        (
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 17\r\n\r\nTransport unknown",
            1,
            &["400 Bad Request, “Transport unknown”", "speaks Socket.IO", "try: --socketio"],
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 1, &["200 OK", "nothing here knows WebSocket"]),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi", 1, &["200 OK", "the answer is in HTTP/1.0"]),
        (
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
            1,
            &["not open: Sec-WebSocket-Accept ", "accept-mismatch"],
        ),
        ("SSH-2.0-OpenSSH_9.6\r\n", 2, &["not open: ", "not HTTP but SSH"]),
        ("", 2, &["closed the connection after 0 bytes"]),
    ] {
        let (thread, url) = once(move |mut stream| {
            read_request(&mut stream);
            stream.write_all(answer.as_bytes()).expect("sent");
        });
        let (got, out, err) = told(connect(&[&url]), "");
        assert_eq!((got, out.as_str()), (Some(code), ""), "{answer}: {err}");
        assert!(words.iter().all(|word| err.contains(word)), "{answer}: {err}");
        assert!(err.lines().all(|line| line.chars().count() <= 80), "{err}");
        thread.join().expect("the server does not panic");
    }
    let (thread, url) = once(|mut stream| drop(stream.read_to_end(&mut Vec::new())));
    let (code, _, err) = told(connect(&["--timeout", "0.5", &url]), "");
    assert!(code == Some(2) && err.contains("no response") && err.contains("--timeout"), "{err}");
    thread.join().expect("the server does not panic");
    for (url, word) in [
        ("ws://127.0.0.1:1/", "refuses connections"),
        ("ws://no-such-host.invalid/", "cannot resolve no-such-host.invalid"),
        ("http://127.0.0.1/", "write ws:// instead"),
    ] {
        let (code, _, err) = told(connect(&[url]), "");
        assert!(code == Some(2) && err.contains(word), "{url}: {err}");
    }
}

#[test]
fn requests_say_what_options_ask_for() {
    let (thread, url) = once(|mut stream| {
        let request = accept(&mut stream);
        let expected = [
            "GET /feed?x=1 HTTP/1.1",
            "Host: example.com",
            "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10",
            "Origin: https://example.com",
            "Sec-WebSocket-Protocol: chat, superchat",
            "Authorization: Basic bWU6c2VjcmV0",
            "Cookie: a=1; b=2",
            "X-Trace: 7",
            "X-Trace: 8",
        ];
        for line in expected {
            assert!(request.lines().any(|it| it == line), "{line}: {request}");
        }
        assert!(!request.contains("X-Not"), "{request}");
    });
    let url = format!("{url}/feed?x=1");
    #[rustfmt::skip]
    let args = [
        "-H", "Host: example.com", "-H", "X-Trace: 7", "-H", "X-Trace: 8", "-H", "X-Not: x", "-H", "X-Not:",
        "-o", "https://example.com", "-s", "chat, superchat", "-u", "me:secret", "-c", "a=1", "-c", "b=2",
        "--deflate", "server_max_window_bits=10", &url,
    ];
    let (code, _, err) = told(connect(&args), "");
    thread.join().expect("the request is as it should be");
    assert!(err.contains("chose none of the subprotocols"), "{err}");
    assert!(
        code == Some(1) && err.contains("lost: the server ended TCP without a Close frame (1006)"),
        "{err}"
    );
}

/// An HTTP proxy that knows CONNECT, for so many connections: what it was asked.
fn proxy(refusal: Option<&'static str>, count: usize) -> (JoinHandle<Vec<String>>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let thread = thread::spawn(move || {
        (0..count)
            .map(|_| {
                let (mut client, _) = listener.accept().expect("a client");
                let request = read_request(&mut client);
                if let Some(refusal) = refusal {
                    client.write_all(refusal.as_bytes()).expect("sent");
                    return request;
                }
                let target = request.split(' ').nth(1).expect("a target").replace("name.test", "127.0.0.1");
                let mut server = TcpStream::connect(target).expect("it listens");
                client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").expect("sent");
                let (mut back, mut from) =
                    (client.try_clone().expect("cloned"), server.try_clone().expect("cloned"));
                let other = thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut back);
                    let _ = back.shutdown(Shutdown::Write);
                });
                let _ = std::io::copy(&mut client, &mut server);
                let _ = server.shutdown(Shutdown::Write);
                other.join().expect("copying does not panic");
                request
            })
            .collect()
    });
    (thread, address.to_string())
}

#[test]
fn proxies_are_gone_through() {
    let Some((_running, url)) = server(Peer::Ws) else { return };
    let (thread, address) = proxy(None, 3);
    let named = format!("http://me:secret@{address}");
    let (code, out, err) = told(connect(&["--proxy", &named, &url]), "hello\n");
    assert_eq!((code, out.as_str()), (Some(0), "hello\n"), "{err}");
    assert!(err.contains(&format!(" · through {address}")), "{err}");
    // The proxy resolves the name.
    let somewhere = url.replace("127.0.0.1", "name.test");
    for variable in ["http_proxy", "ALL_PROXY"] {
        let mut command = connect(&["--send", "x", &somewhere]);
        command.env_remove("no_proxy").env(variable, &address);
        let (code, out, err) = told(command, "");
        assert_eq!((code, out.as_str()), (Some(0), "x\n"), "{variable}: {err}");
    }
    let asked = thread.join().expect("the proxy does not panic");
    assert!(asked[0].contains("\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n"), "{}", asked[0]);
    assert!(asked[1].starts_with("CONNECT name.test:"), "{}", asked[1]);
    let mut command = connect(&["--send", "x", &url]);
    command.env("http_proxy", "http://127.0.0.1:1").env("no_proxy", "127.0.0.0/8");
    assert_eq!(told(command, "").0, Some(0), "no_proxy names the host");
    let (thread, address) =
        proxy(Some("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"), 1);
    let (code, _, err) = told(connect(&["--proxy", &address, &url]), "");
    thread.join().expect("the proxy does not panic");
    assert!(code == Some(2) && err.contains("407") && err.contains("user:password@"), "{err}");
    // Who has named a user hears that it is not the one; a few proxies say 401 of it.
    for status in ["407 Proxy Authentication Required", "401 Unauthorized"] {
        let refusal = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        let (thread, address) = proxy(Some(refusal.leak()), 1);
        let (code, _, err) = told(connect(&["--proxy", &format!("http://me:no@{address}"), &url]), "");
        thread.join().expect("the proxy does not panic");
        let err = err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(code == Some(2) && err.contains("does not take this user and password"), "{err}");
    }
    // What is said of a handshake's status is not said of a tunnel's.
    for (status, words) in [
        ("405 Method Not Allowed", "is it an HTTP proxy?"),
        ("403 Forbidden", "see its log, or go without it"),
        ("502 Bad Gateway", "it does not reach the server"),
    ] {
        let refusal = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        let (thread, address) = proxy(Some(refusal.leak()), 1);
        let (code, _, err) = told(connect(&["--proxy", &address, &url]), "");
        thread.join().expect("the proxy does not panic");
        let err = err.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(code == Some(2) && err.contains(words) && !err.contains("a handshake is"), "{err}");
    }
    let (code, _, err) = told(connect(&["--proxy", "127.0.0.1:1", &url]), "");
    assert!(code == Some(2) && err.contains("the proxy of --proxy: 127.0.0.1:1 refuses"), "{err}");
    let (code, _, err) = told(connect(&["--proxy", "socks5://127.0.0.1:1", &url]), "");
    assert!(code == Some(2) && err.contains("SOCKS"), "{err}");
}

#[test]
fn tls_is_spoken_and_its_troubles_are_told() {
    let ours = tls(&["name.test"]);
    let path = folder("tls").join("ca.pem");
    std::fs::write(&path, &ours.ca).expect("writable");
    let ca = path.to_str().expect("UTF-8");
    let (thread, url) = tls_server(&ours);
    let port = url.rsplit(':').next().expect("a port");
    let named = format!("wss://name.test:{port}/");
    let resolve = format!("name.test:{port}:127.0.0.1");
    let har = path.with_file_name("talk.har");
    let har = har.to_str().expect("UTF-8");
    let args = ["--cacert", ca, "--resolve", &resolve, "--wait", "0", "--har", har, &named];
    let (code, _, err) = told(connect(&args), "");
    thread.join().expect("the server does not panic");
    assert!(code == Some(0) && err.contains(" · TLS 1.3\n"), "{err}");
    let archive: Value = serde_json::from_slice(&std::fs::read(har).expect("written")).expect("JSON");
    assert_eq!(archive["log"]["entries"][0]["request"]["url"], named.as_str());
    let broken = path.with_file_name("broken.pem");
    std::fs::write(&broken, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
        .expect("writable");
    let (code, _, err) = told(connect(&["--cacert", broken.to_str().expect("UTF-8"), &named]), "");
    assert!(code == Some(2) && err.contains("broken.pem: a certificate in it cannot be read"), "{err}");
    for (args, code, word) in [
        (&["--wait", "0"][..], 2, "signed by nobody known here"),
        (&["--wait", "0", "--cacert", ca], 2, "not for 127.0.0.1"),
        (&["--wait", "0", "-k"], 0, "WARNING: --insecure"),
    ] {
        let (thread, url) = tls_server(&ours);
        let (got, _, err) = told(connect(&[args, &[&url]].concat()), "");
        thread.join().expect("the server does not panic");
        assert!(got == Some(code) && err.contains(word), "{args:?}: {err}");
    }
    let Some((_running, url)) = server(Peer::Ws) else { return };
    let (code, _, err) = told(connect(&[&url.replace("ws://", "wss://")]), "");
    assert!(code == Some(2) && err.contains("try ws:// instead of"), "{err}");
}

#[test]
fn deliberate_mistakes_are_made() {
    for peer in PEERS {
        let Some((_running, url)) = server(peer) else { continue };
        let (code, out, err) = told(connect(&["-s", "chat", "--no-masking", "--send", "x", &url]), "");
        assert_eq!((code, out.as_str()), (Some(1), ""), "{peer:?}: {err}");
        assert!(err.contains("closed by the server with 1002"), "{peer:?}: {err}");
        for mistake in [["--break", "key"], ["--key", "short"], ["--break", "upgrade"]] {
            let (code, _, err) = told(connect(&[&mistake[..], &[&url]].concat()), "");
            assert_eq!(code, Some(1), "{peer:?} {mistake:?}: {err}");
            assert!(err.contains("not open: got 4") && err.contains("rightly refused"), "{mistake:?}: {err}");
        }
        let (code, _, err) =
            told(connect(&["-s", "chat", "--break", "slow,split=7", "--send", "x", &url]), "");
        assert_eq!(code, Some(0), "{peer:?}: {err}");
    }
    let Some((_running, url)) = server(Peer::Websockets) else { return };
    let (code, _, err) = told(connect(&["--ws-version", "8", &url]), "");
    assert!(code == Some(1) && err.contains("unsupported-version"), "{err}");
    let (code, _, err) = told(connect(&["--break", "accept", &url]), "");
    assert!(code == Some(2) && err.contains("a server's fault"), "{err}");
}

#[test]
fn messages_are_waited_for_and_counted() {
    let (thread, url) = once(|mut stream| {
        accept(&mut stream);
        stream.write_all(b"\x81\x01a\x81\x01b\x82\x02\x00\xff\x89\x01p").expect("sent");
        let mut answer = Vec::new();
        // A pong, and Close frames both ways.
        let mut frame = [0; 7];
        stream.read_exact(&mut frame).expect("a pong");
        assert_eq!(frame[..2], [0x8A, 0x81]);
        stream.write_all(b"\x88\x05\x03\xe9bye").expect("sent");
        stream.read_to_end(&mut answer).expect("a Close frame, and the end");
    });
    let (code, out, err) = told(connect(&["--listen-only", &url]), "");
    assert_eq!((code, out.as_str()), (Some(0), "a\nb\n00ff\n"), "{err}");
    assert!(err.contains("closed by the server with 1001: bye · 0 sent, 3 received"), "{err}");
    thread.join().expect("the server does not panic");
    let Some((_running, url)) = server(Peer::Ws) else { return };
    let (code, out, err) = told(connect(&["--count", "2", &url]), "a\nb\nc\n");
    assert!(code == Some(0) && out.starts_with("a\nb\n"), "{out}{err}");
    let (code, _, err) = told(connect(&["--count", "2", "--wait", "0.2", "--send", "a", &url]), "");
    assert!(code == Some(1) && err.contains("1 of 2 messages came"), "{err}");
}

/// A connection that is lost comes back; what was not sent yet is sent then.
#[test]
fn lost_connections_are_opened_again() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("ws://{}", listener.local_addr().expect("an address"));
    let thread = thread::spawn(move || {
        let (mut first, _) = listener.accept().expect("a client");
        accept(&mut first);
        first.write_all(b"\x81\x03one").expect("sent");
        drop(first);
        let (mut second, _) = listener.accept().expect("it comes again");
        read_request(&mut second);
        second.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n").expect("sent");
        drop(second);
        let (mut third, _) = listener.accept().expect("and again");
        accept(&mut third);
        third.write_all(b"\x81\x03two").expect("sent");
        let _ = third.read_to_end(&mut Vec::new());
    });
    let mut command = connect(&["--reconnect", "--listen-only", "--count", "2", &url]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it starts");
    let mut out = String::new();
    let mut stdout = child.stdout.take().expect("piped");
    let mut buffer = [0; 64];
    while !out.contains("two") {
        let read = stdout.read(&mut buffer).expect("readable");
        assert!(read > 0, "it ended: {out}");
        out.push_str(&text(&buffer[..read]));
    }
    assert_eq!(out, "one\ntwo\n");
    child.kill().expect("it runs");
    let err = text(&child.wait_with_output().expect("it ends").stderr);
    assert!(err.contains("connecting again in") && err.contains("503 Service Unavailable"), "{err}");
    thread.join().expect("the server does not panic");
    // Who has said all and is to wait for nothing would come again in vain.
    let (thread, url) = once(|mut stream| {
        accept(&mut stream);
        stream.read_exact(&mut [0; 7]).expect("a message");
    });
    let (code, _, err) = told(connect(&["--reconnect", "--no-deflate", &url]), "x");
    assert!(code == Some(1) && !err.contains("connecting again"), "{err}");
    thread.join().expect("the server does not panic");
    // What nobody will send any longer is told.
    let (thread, url) = once(|mut stream| {
        accept(&mut stream);
        drop(stream);
    });
    let lines =
        [("", "connecting again"), ("one", "again"), ("two", "again"), ("\u{3}", "2 lines were not sent")];
    let mut typed = terminal(&lines);
    typed.args(["--", env!("CARGO_BIN_EXE_wstool"), "connect", "--reconnect", &url]);
    let output = typed.output().expect("python3 runs");
    assert!(output.status.code() == Some(1), "{}{}", text(&output.stdout), text(&output.stderr));
    thread.join().expect("the server does not panic");
    // What will not change is not tried again.
    let (thread, url) = once(|mut stream| {
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n").expect("sent");
    });
    assert_eq!(told(connect(&["--reconnect", &url]), "").0, Some(1));
    thread.join().expect("the server does not panic");
}

/// A server of npm `ws` that plays a part: its lines.
fn play(part: &str) -> Option<(Running, String)> {
    let mut running = Running::start(Peer::Ws.command("connect")?.arg(part), Ear::Stdout);
    let port = running.line();
    Some((running, format!("ws://127.0.0.1:{port}/")))
}

#[test]
fn an_echo_gives_back_whatever_comes() {
    let Some((running, url)) = play("tester") else { return };
    let (code, out, err) = told(connect(&["--echo", &url]), "");
    assert_eq!((code, out.as_str()), (Some(0), ""), "{err}");
    assert!(running.all().ends_with("\n1006 messages as they were\nclose 1000\n"), "{err}");
    assert!(err.contains("1006 sent, 1006 received"), "{err}");
}

#[test]
fn socket_io_is_spoken() {
    let Some((mut running, url)) = play("socket.io") else { return };
    let (code, out, err) = told(connect(&["--socketio", "--count", "2", &url]), "chat \"hello\" {\"n\":1}\n");
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out, "[\"welcome\",\"/\"]\n[\"chat\",\"hello\",{\"n\":1},\"hex:0102ff\"]\n", "{err}");
    assert_eq!(running.line(), "/ connect {}");
    assert_eq!(running.line(), "/ chat [\"hello\",{\"n\":1}]");
    let auth = ["--namespace", "/admin", "--auth", "{\"token\":\"right\"}"];
    let (code, out, err) =
        told(connect(&[&["--socketio", "--count", "2"][..], &auth, &[&url]].concat()), "/emit-ack ask 7\n");
    assert_eq!(code, Some(0), "{err}");
    assert!(
        out.starts_with("[\"welcome\",\"/admin\"]\nack 1 after ") && out.ends_with(" [\"answer\",7]\n"),
        "{out}"
    );
    let (code, _, err) = told(connect(&["--socketio", "--namespace", "/admin", &url]), "x\n");
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("lets nobody into the namespace /admin") && err.contains("--auth"), "{err}");
}

/// A server of Socket.IO 2 answers who speaks as a client of 4 does: what it says would be read wrongly.
#[test]
fn socket_io_of_another_version_is_told() {
    let Some((_running, url)) = play("socket.io-2") else { return };
    let (code, out, err) = told(connect(&["--socketio", &url]), "chat \"hello\"\n");
    assert!(code == Some(1) && err.contains("put ?EIO=3 into the URL"), "{err}");
    assert!(!out.contains("hex:04"), "{out}");
}

/// A WebSocket without Socket.IO says nothing that would begin a session.
#[test]
fn a_session_that_never_begins_is_told() {
    let Some((_running, url)) = server(Peer::Ws) else { return };
    for input in ["", "x\n"] {
        let (code, _, err) = told(connect(&["--socketio", "--timeout", "1", &url]), input);
        assert!(err.contains("no session of Socket.IO came about"), "{err}");
        assert_eq!(code, Some(1), "{err}");
    }
}

/// A proxy that keeps Upgrade from a server of Engine.IO is told by what that server says.
#[test]
fn an_upgrade_that_engine_io_never_saw_is_told() {
    let (thread, url) = once(|mut stream| {
        assert!(
            read_request(&mut stream).starts_with("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n")
        );
        let body = r#"{"code":3,"message":"Bad request"}"#;
        let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json";
        write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).expect("sent");
    });
    let (code, _, err) = told(connect(&["--socketio", &url]), "");
    thread.join().expect("the server does not panic");
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("Upgrade was lost on the way") && err.contains("proxy_http_version 1.1;"), "{err}");
}

/// Today's server and that of years ago, on each transport: events, acknowledgements, bytes both ways.
#[test]
fn socket_io_is_spoken_on_every_transport() {
    for (server, query) in [("socket.io", ""), ("socket.io-2", "?EIO=3")] {
        let Some((_running, url)) = play(server) else { return };
        let url = format!("{url}{query}");
        for transport in ["websocket", "polling", "upgrade"] {
            let options = ["--socketio", "--transport", transport, "--count", "3", "--timeout", "20", &url];
            let lines = "file hex:00ff \"a\"\n/emit-ack ask 7\n";
            let (code, out, err) = told(connect(&options), lines);
            assert_eq!(code, Some(0), "{server} {transport}: {out}{err}");
            let out: Vec<_> = out.lines().collect();
            assert_eq!(
                out[..2],
                ["[\"welcome\",\"/\"]", "[\"file\",\"a\",\"00ff\"]"],
                "{server} {transport}: {err}"
            );
            assert!(out[2].starts_with("ack 1 after ") && out[2].ends_with(" [\"answer\",7]"), "{out:?}");
            let how = if transport == "websocket" { "· 101" } else { "· 200 · polling" };
            assert!(err.contains(how), "{err}");
        }
        // What comes with bytes; and, of polling, what is not there to be asked for.
        let options = ["--socketio", "--transport", "polling", "--wait", "1", &url];
        let (code, out, err) = told(connect(&options), "/ping\nchat 1\n");
        assert_eq!((code, out.lines().last()), (Some(0), Some("[\"chat\",1,\"hex:0102ff\"]")), "{err}");
        assert!(err.contains("there is no WebSocket"), "{err}");
    }
}

/// A copied URL says how; a server that polls for nobody says so.
#[test]
fn a_session_on_polling_that_does_not_open_says_why() {
    let Some((_running, url)) = play("socket.io") else { return };
    let copied = format!("{url}socket.io/?EIO=4&transport=polling&t=PqXe1");
    let (code, out, err) = told(connect(&["--socketio", "--count", "1", &copied]), "");
    assert_eq!((code, out.as_str()), (Some(0), "[\"welcome\",\"/\"]\n"), "{err}");
    assert!(err.contains("· 200 · polling"), "{err}");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let elsewhere = format!("ws://{}/elsewhere/", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 1024];
        let count = stream.read(&mut asked).unwrap();
        stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\nnothing").unwrap();
        String::from_utf8_lossy(&asked[..count]).into_owned()
    });
    let (code, _, err) = told(connect(&["--socketio", "--transport", "polling", &elsewhere]), "");
    let asked = server.join().unwrap();
    assert!(asked.starts_with("GET /elsewhere/?EIO=4&transport=polling HTTP/1.1\r\nhost: 127"), "{asked}");
    assert_eq!(code, Some(1), "{err}");
    assert!(err.starts_with("not open: a poll is answered with 404 Not Found: nothing"), "{err}");
    let old = format!("{url}?EIO=3");
    let (code, _, err) = told(connect(&["--socketio", "--transport", "polling", &old]), "");
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("another version of Engine.IO") && err.contains("EIO=4"), "{err}");
}

/// What stands in front of a server and answers a poll with a page is asked no more.
#[test]
fn polls_that_give_no_packets_end_the_session() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("ws://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let answer = |body: &str| {
            format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        };
        let open = r#"0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#;
        let mut polls = 0;
        // The handshake, then a post and a poll in whichever order.
        for _ in 0..3 {
            let (mut stream, _) = listener.accept().unwrap();
            let request = read_request(&mut stream);
            let is_poll = request.starts_with("GET");
            let body = if !is_poll {
                "ok"
            } else if polls == 0 {
                open
            } else {
                "<html>"
            };
            polls += u32::from(is_poll);
            stream.write_all(answer(body).as_bytes()).unwrap();
        }
        polls
    });
    let (code, out, err) = told(connect(&["--socketio", "--transport", "polling", &url]), "x\n");
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains("a poll is answered with 200 OK: <html>"), "{err}");
    assert_eq!(server.join().unwrap(), 2);
}

/// A terminal at which these lines are typed, and behind each of them this is shown.
fn terminal(typed: &[(&str, &str)]) -> Command {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers/prompt.py");
    let mut command = Command::new("python3");
    command.arg(script).env("no_proxy", "*");
    for (line, shown) in typed {
        command.args([line, shown]);
    }
    command
}

/// What the server sends last is seen, and before how it ended.
#[test]
fn a_prompt_shows_what_comes_in_order() {
    for _ in 0..5 {
        let (thread, url) = once(|mut stream| {
            accept(&mut stream);
            stream.write_all(b"\x81\x04last\x88\x05\x03\xf3bye").expect("sent");
            let _ = stream.read_to_end(&mut Vec::new());
        });
        let mut typed = terminal(&[("", "closed by the server with 1011: bye")]);
        typed.args(["--", env!("CARGO_BIN_EXE_wstool"), "connect", &url]);
        let output = typed.output().expect("python3 runs");
        thread.join().expect("the server does not panic");
        let screen = text(&output.stdout);
        let places = ["← last", "← Close 1011: bye", "closed by the server"].map(|it| screen.find(it));
        assert!(places[0].is_some() && places.is_sorted(), "{places:?}: {screen}");
    }
}

/// What is typed at the prompt, over a terminal of 80 columns.
#[test]
fn a_prompt_takes_text_and_commands() {
    let Some((_running, url)) = server(Peer::Ws) else { return };
    #[rustfmt::skip]
    let typed = [
        ("", "/help lists what can be typed"), ("hello", "← hello"), ("//slash", "← /slash"),
        ("/ping", "← pong after "), ("/ping are you there?", ": are you there?"),
        ("/binary 00ff", "← binary, 2 bytes: 00ff"), ("/fragment 3 abcdef", "← abcdef"),
        ("/deflate off", "not compressed from now on"), ("plain", "← plain"),
        ("/deflate on", "are compressed from now on"), ("/nope", "/nope is no command"),
        ("/raw 8180 00000000", "←"), ("/help", "send a pong that nobody asked for"),
        ("/emit x", "connect with --socketio"), ("/close 3000 bye", "closed · "),
    ];
    let mut command = terminal(&typed);
    command.args(["--", env!("CARGO_BIN_EXE_wstool"), "connect", &url]);
    let output = command.output().expect("python3 runs");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
    let screen = text(&output.stdout);
    assert!(screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
    assert!(screen.starts_with("open in ") && screen.contains(" · 101 · permessage-deflate\n"), "{screen}");
    assert!(screen.trim_end().ends_with("the terminal is as it was"), "{screen}");
}

/// What an input method, a paste or a lagging line delivers in one go is not left lying until the next key.
#[test]
fn a_prompt_takes_what_comes_at_once() {
    let Some((_running, url)) = server(Peer::Ws) else { return };
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers/prompt.py");
    let mut command = Command::new("python3");
    command.arg(script).env("AT_ONCE", "1").env("no_proxy", "*");
    for (line, shown) in [("", "/help lists"), ("你好，世界", "← 你好，世界"), ("/close", "closed · ")]
    {
        command.args([line, shown]);
    }
    command.args(["--", env!("CARGO_BIN_EXE_wstool"), "connect", &url]);
    let output = command.output().expect("python3 runs");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// While a lost connection is to be opened again, who leaves the prompt leaves the program.
#[test]
fn a_prompt_can_be_left_while_there_is_no_connection() {
    for key in ["\u{3}", "\u{4}"] {
        let (thread, url) = once(|mut stream| drop(accept(&mut stream)));
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers/prompt.py");
        let mut command = Command::new("python3");
        command.arg(script).args(["", "connecting again in", key, ""]).env("no_proxy", "*");
        command.args(["--", env!("CARGO_BIN_EXE_wstool"), "connect", "--reconnect", &url]);
        let output = command.output().expect("python3 runs");
        thread.join().expect("the server does not panic");
        let screen = text(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{key:?}: {screen}{}", text(&output.stderr));
        assert!(
            screen.contains("lost: ") && screen.trim_end().ends_with("the terminal is as it was"),
            "{screen}"
        );
    }
}

/// What comes is shown as it is with `-q`, but nothing of it commands a terminal.
#[test]
fn a_terminal_is_not_commanded_by_what_comes() {
    let (thread, url) = once(|mut stream| {
        accept(&mut stream);
        stream.write_all(b"\x81\x0bx\x1b[31my\x07\xc2\x9bz").expect("sent");
        stream.write_all(b"\x81\x05ab\ncd").expect("sent");
        stream.write_all(b"\x88\x02\x03\xe8").expect("sent");
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let spawn = "import pty, sys; pty.spawn(sys.argv[1:])";
    let mut command = Command::new("python3");
    command.args(["-c", spawn, env!("CARGO_BIN_EXE_wstool"), "connect", "-q", "--listen-only", &url]);
    let output = command.env("no_proxy", "*").output().expect("python3 runs");
    thread.join().expect("the server does not panic");
    assert_eq!(text(&output.stdout), "x\\u{1b}[31my\\u{7}\\u{9b}z\r\nab\r\ncd\r\n");
}

/// Whoever reads what is shown may have seen enough.
#[test]
fn a_view_that_nobody_reads_ends_the_connection() {
    for args in [&["-v"][..], &["-vv"], &["--view", "messages"], &["--json"]] {
        let (thread, url) = once(|mut stream| {
            accept(&mut stream);
            // Until the client has left.
            while stream.write_all(b"\x81\x01x").is_ok() {
                thread::sleep(std::time::Duration::from_millis(2));
            }
        });
        let mut command = connect(&[args, &["--listen-only", &url]].concat());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        let mut out = child.stdout.take().expect("piped");
        assert!(out.read(&mut [0; 16]).expect("a pipe") > 0);
        drop(out);
        // It would go on for ever.
        assert!(child.wait().expect("it ends").success(), "{args:?}");
        thread.join().expect("the server does not panic");
    }
}

/// A recorded conversation is had again, and compared with what was recorded.
#[test]
fn recorded_messages_are_sent_again() {
    let Some((_running, url)) = server(Peer::Ws) else { return };
    let pcap = folder("messages").join("talk.pcap");
    let pcap = pcap.to_str().expect("UTF-8");
    let (code, _, err) = told(connect(&["--pcap", pcap, &url]), "one\ntwo\nthree\n");
    assert_eq!(code, Some(0), "{err}");
    let replay = |url: &str, args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
        command.args(["replay", pcap, "--messages", "--to", url]).args(args).env("no_proxy", "*");
        told(command, "")
    };
    let (code, out, err) = replay(&url, &["--speed", "max"]);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("→ one") && out.matches("same     ").count() == 3, "{out}");
    assert!(err.contains("3 sent; of 3 recorded answers 3 same, 0 differ, 0 missing; 0 more"), "{err}");
    let Some((_other, url)) = play("shouter") else { return };
    let (code, out, err) = replay(&url, &["--speed", "10x"]);
    assert_eq!(code, Some(1), "{out}{err}");
    for line in ["differs  ONE", "recorded one", "missing  three"] {
        assert!(out.contains(line), "{line}: {out}");
    }
    assert!(err.contains("0 same, 2 differ, 1 missing; 0 more"), "{err}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["replay", "/nowhere.pcap", "--messages", "--to", &url]);
    // Of two connections it is said which one is played.
    let two = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples/chat.pcap");
    let two = two.to_str().expect("UTF-8");
    for (args, is_told) in [(&[][..], true), (&["--stream", "2"], false)] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
        command.args(["replay", two, "--messages", "--to", "ws://127.0.0.1:1/"]).args(args);
        let (code, _, err) = told(command, "");
        assert!(code == Some(2) && err.contains("this is connection 1,") == is_told, "{args:?}: {err}");
    }
    let missing = "error: /nowhere.pcap: no such file or folder\n".to_owned();
    assert_eq!(told(command, ""), (Some(2), String::new(), missing));
    let (code, _, err) = replay("ws://127.0.0.1:1/", &[]);
    assert!(code == Some(2) && err.contains("refuses connections"), "{err}");
}

#[test]
fn messages_are_sent_where_and_as_they_were_recorded() {
    let mut serve = Command::new(env!("CARGO_BIN_EXE_wstool"));
    serve.args(["serve", "ws", "--view", "none", "--listen", "127.0.0.1:0"]);
    let (_running, url) = served(&mut serve);
    let pcap = folder("as-recorded").join("talk.pcap");
    let pcap = pcap.to_str().expect("UTF-8");
    let recorded = connect(&["--pcap", pcap, "--subprotocol", "superchat", &format!("{url}/echo")]);
    let (code, _, err) = told(recorded, "one\n");
    assert_eq!(code, Some(0), "{err}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    let elsewhere = format!("{url}/nowhere");
    command.args(["replay", pcap, "--messages", "--same-path", "--to", &elsewhere]).env("no_proxy", "*");
    let (code, out, err) = told(command, "");
    assert!(code == Some(0) && err.contains("superchat") && err.contains("1 same"), "{out}{err}");
}

/// Starts `wstool serve`: the process, and its URL.
fn served(serve: &mut Command) -> (Running, String) {
    let mut running = Running::start(serve, Ear::Stderr);
    loop {
        let line = running.line();
        if let Some((_, rest)) = line.split_once("127.0.0.1:") {
            let port: String = rest.chars().take_while(char::is_ascii_digit).collect();
            return (running, format!("ws://127.0.0.1:{port}"));
        }
    }
}

/// The commands of the page, against `wstool serve` at a port of its own.
#[test]
fn the_page_s_commands_do_what_it_says() {
    let page = include_str!("../../docs/connect.md");
    let folder = folder("page");
    let script = page.split("is\n\n```text\n").nth(1).and_then(|rest| rest.split("```").next());
    std::fs::write(folder.join("health.ws"), script.expect("a script")).expect("writable");
    let mut serve = Command::new(env!("CARGO_BIN_EXE_wstool"));
    let (_running, url) = served(serve.args(["serve", "--listen", "127.0.0.1:0"]));
    let port = url.rsplit(':').next().expect("a port").to_owned();
    let mut count = 0;
    let (mut at, mut is_inside) = (String::new(), false);
    let mut got: Vec<String> = Vec::new();
    for line in page.lines() {
        if line.starts_with("```") {
            is_inside = line == "```sh";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| is_inside) {
            at = command.to_owned();
            got = in_shell(&command.replace(":9000", &format!(":{port}")), &folder);
            count += 1;
        } else if is_inside {
            let place = got.iter().position(|it| shown::fits(line, it));
            let place = place.unwrap_or_else(|| panic!("$ {at}\nwhere is {line}\nin {got:#?}"));
            got.drain(..=place);
        }
    }
    assert!(count >= 17, "only {count} commands");
}

/// The lines that a command prints; it must succeed.
fn in_shell(command: &str, folder: &std::path::Path) -> Vec<String> {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_wstool"));
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-c", &format!("{{ {command}\n}} 2>&1")])
        .current_dir(folder)
        .env("PATH", format!("{}:{path}", binary.parent().expect("it is in a folder").display()))
        .env("LC_ALL", "C.UTF-8")
        .env("no_proxy", "*")
        .stdin(Stdio::null())
        .output()
        .expect("there is a shell");
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "$ {command}\n{shown}");
    shown.lines().map(str::to_owned).collect()
}

/// Through nginx, as it stands before most servers.
#[test]
fn nginx_is_passed() {
    let Some((_running, url)) = server(Peer::Ws) else { return };
    let folder = folder("nginx");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port").port();
    let here = folder.display();
    let upstream = url.trim_start_matches("ws://").trim_end_matches("/chat");
    let config = format!(
        "daemon off; master_process off; pid {here}/pid; error_log {here}/error.log;\nevents {{}}\n\
         http {{ access_log off;\n\
         client_body_temp_path {here}; proxy_temp_path {here}; fastcgi_temp_path {here};\n\
         uwsgi_temp_path {here}; scgi_temp_path {here};\nserver {{ listen 127.0.0.1:{port};\n\
         location /bare {{ proxy_pass http://{upstream}; }}\n\
         location / {{ proxy_pass http://{upstream}; proxy_http_version 1.1;\n\
         proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\"; }} }} }}\n"
    );
    let path = folder.join("nginx.conf");
    std::fs::write(&path, config).expect("writable");
    let started = Command::new("nginx")
        .arg("-p")
        .arg(&folder)
        .arg("-c")
        .arg(&path)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut nginx) = started else {
        println!("skipped: nginx is not installed");
        return;
    };
    let url = format!("ws://127.0.0.1:{port}");
    // It listens soon.
    let is_up = (0..600).any(|_| {
        thread::sleep(std::time::Duration::from_millis(50));
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    assert!(is_up, "{}", std::fs::read_to_string(folder.join("error.log")).unwrap_or_default());
    let open = told(connect(&["--send", "hello", &url]), "");
    let stripped = told(connect(&["--send", "hello", &format!("{url}/bare")]), "");
    nginx.kill().expect("it runs");
    nginx.wait().expect("it ends");
    assert_eq!((open.0, open.1.as_str()), (Some(0), "hello\n"), "{}", open.2);
    // What npm's ws says to a request whose Upgrade was taken out.
    assert!(stripped.0 == Some(1) && stripped.2.contains("426 Upgrade Required"), "{}", stripped.2);
}
