//! Something stands between: `wstool proxy`, `HAProxy`.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::{Certificate, Listening, connect, folder, text, told};
use crate::peers::{Ear, Running};

const HELLO: [&str; 2] = ["--send", "hello"];

#[test]
fn the_proxy_passes_http_2_on() {
    let certificate = Certificate::make("proxy");
    let Certificate { key, cert, ca } = &certificate;
    let plain = Listening::start("serve", &[]);
    let secure = Listening::start("serve", &["--cert", cert, "--key", key]);
    let (to, to_secure) = (format!("ws://{}", plain.address), format!("wss://{}", secure.address));
    let authority = text(&folder("data").join("authority/ca.pem"));
    for (args, scheme, more) in [
        (&["--to", &to][..], "ws", &[][..]),
        (&["--to", &to_secure, "--cacert", ca], "ws", &[]),
        (&["--tls", "--to", &to_secure, "--cacert", ca], "wss", &["--cacert", &authority]),
    ] {
        let proxy = Listening::start("proxy", args);
        let url = format!("{scheme}://{}/echo", proxy.address);
        let (code, out, err) = told(&connect(&[more, &HELLO, &[&url]].concat()));
        assert_eq!((code, out.as_str()), (Some(0), "hello\n"), "{args:?}: {err}");
        assert!(err.contains(" · 200 · HTTP/2 stream 1 · "), "{err}");
        proxy.end();
    }
    // As an HTTP proxy it looks into tunnels.
    let proxy = Listening::start("proxy", &["--tls", "--cacert", ca]);
    let through = format!("http://{}", proxy.address);
    for url in [format!("{to}/echo"), format!("{to_secure}/echo")] {
        let more = ["--cacert", &authority, "--proxy", &through];
        let (code, out, err) = told(&connect(&[&more[..], &HELLO, &[&url]].concat()));
        assert_eq!((code, out.as_str()), (Some(0), "hello\n"), "{err}");
    }
    proxy.end();
    plain.end();
    secure.end();
}

/// Whose messages are to be changed has to speak HTTP/1.1: under TLS nothing else is offered.
#[test]
fn the_proxy_says_what_it_cannot_do_to_http_2() {
    let certificate = Certificate::make("proxy-faults");
    let Certificate { key, cert, ca } = &certificate;
    let plain = Listening::start("serve", &[]);
    let secure = Listening::start("serve", &["--cert", cert, "--key", key]);
    let (to, to_secure) = (format!("ws://{}", plain.address), format!("wss://{}", secure.address));
    let mut proxy = Listening::start("proxy", &["--fault", "close=1011:x", "--to", &to]);
    let (code, _, err) = told(&connect(&[&format!("ws://{}/echo", proxy.address)]));
    assert!(code == Some(1) && err.contains("the server wants HTTP/1.1 here"), "{err}");
    proxy.says("speaks HTTP/2, in which messages and requests are not changed: refused");
    proxy.end();

    let args = ["--fault", "close=1011:x", "--tls", "--to", &to_secure, "--cacert", ca];
    let proxy = Listening::start("proxy", &args);
    let url = format!("wss://{}/echo", proxy.address);
    let authority = text(&folder("data").join("authority/ca.pem"));
    let (code, _, err) = told(&connect(&["--cacert", &authority, &url]));
    assert!(code == Some(2) && err.contains("without it"), "{err}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["connect", "--cacert", &authority, "--send", "x", &url]).env("no_proxy", "*");
    let (_, _, err) = told(&command.env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output().expect("it runs"));
    assert!(err.contains("closed by the server with 1011: x"), "{err}");
    proxy.end();

    // What befalls a connection befalls this one, too.
    let proxy = Listening::start("proxy", &["--fault", "delay=300ms", "--to", &to]);
    let began = Instant::now();
    let (code, out, err) = told(&connect(&[&HELLO[..], &[&format!("ws://{}/echo", proxy.address)]].concat()));
    assert_eq!((code, out.as_str()), (Some(0), "hello\n"), "{err}");
    // Preface and SETTINGS, the request and its answer, the message and its echo.
    assert!(began.elapsed() >= Duration::from_millis(1800), "{:?}", began.elapsed());
    proxy.end();
    let mut proxy = Listening::start("proxy", &["--fault", "idle-timeout=1s", "--to", &to]);
    let (code, _, err) = told(&connect(&["--listen-only", &format!("ws://{}/echo", proxy.address)]));
    assert!(code == Some(1) && err.contains("lost"), "{err}");
    proxy.says("idle-timeout: nobody says anything");
    proxy.end();
    plain.end();
    secure.end();
}

/// `HAProxy` speaks HTTP/2 with both sides, or HTTP/1.1 with one of them.
#[test]
fn haproxy_stands_between() {
    if !Command::new("haproxy").arg("-v").output().is_ok_and(|output| output.status.success()) {
        println!("skipped: no haproxy");
        return;
    }
    let served = Listening::start("serve", &[]);
    let folder = folder("haproxy");
    // A port that is free; HAProxy cannot say which one it has taken.
    let port = || {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.local_addr().expect("an address").port()
    };
    let (two, one) = (port(), port());
    let config = format!(
        "global\n  log stderr format raw local0\ndefaults\n  mode http\n  timeout connect 30s\n  \
         timeout client 60s\n  timeout server 60s\n  timeout tunnel 60s\n\
         frontend two\n  bind 127.0.0.1:{two} proto h2\n  default_backend two\n\
         backend two\n  server lab {address} proto h2\n\
         frontend one\n  bind 127.0.0.1:{one} proto h2\n  default_backend one\n\
         backend one\n  server lab {address}\n",
        address = served.address
    );
    let path = folder.join("haproxy.cfg");
    std::fs::write(&path, config).expect("writable");
    let mut command = Command::new("haproxy");
    let _haproxy = Running::start(command.arg("-db").arg("-f").arg(&path), Ear::Stdout);
    for port in [two, one] {
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < Duration::from_mins(1), "HAProxy does not begin");
            std::thread::sleep(Duration::from_millis(20));
        }
        let (code, out, err) =
            told(&connect(&[&HELLO[..], &[&format!("ws://127.0.0.1:{port}/echo")]].concat()));
        assert_eq!((code, out.as_str()), (Some(0), "hello\n"), "{err}");
        assert!(err.contains(" · 200 · HTTP/2 stream 1 · permessage-deflate"), "{err}");
    }
    served.end();
}
