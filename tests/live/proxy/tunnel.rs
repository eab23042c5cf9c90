//! As an HTTP proxy: tunnels, with TLS passed unread or looked into, and requests that name their server.
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

use super::client::Client;
use super::{PATIENCE, Proxy, folder, server};
use crate::peers::{Ear, Peer, Running};

/// npm's `ws` through the proxy to a URL: what it says.
fn through(proxy: &Proxy, url: &str) -> Option<String> {
    let mut command = Peer::Ws.command("proxy")?;
    let ca = folder("data").join("authority/ca.pem");
    command.args(["through", &format!("http://{}", proxy.address), url]).env("NODE_EXTRA_CA_CERTS", ca);
    Some(Running::start(&mut command, Ear::Stdout).all())
}

const WELL: &str = "tunnel 200\nopen permessage-deflate\nmessage 7 through\nclose 1000\n";

#[test]
fn web_sockets_go_through_a_tunnel() {
    let Some((_server, port)) = server(Peer::Ws) else { return };
    let proxy = Proxy::start(&[]);
    let said = through(&proxy, &format!("ws://127.0.0.1:{port}/chat")).expect("as the server");
    assert_eq!(said, WELL);
    let shown = proxy.end();
    assert!(shown.err.contains("as an HTTP proxy"), "{}", shown.err);
    assert!(shown.out.contains("GET /chat") && shown.out.contains("through"), "{}", shown.out);
}

#[test]
fn tls_within_a_tunnel_is_looked_into_when_asked_for() {
    let Some((_server, port)) = server(Peer::Ws) else { return };
    let behind = Proxy::start(&["--tls", "--to", &format!("ws://127.0.0.1:{port}"), "--view", "none"]);
    let url = format!("wss://{}/chat", behind.address.replace("127.0.0.1", "localhost"));

    let mut blind = Proxy::start(&[]);
    assert_eq!(through(&blind, &url).as_deref(), Some(WELL));
    blind.note("passes unread (--tls looks into it)");
    assert!(!blind.end().out.contains("through"));

    let ca = folder("data").join("authority/ca.pem");
    let looking = Proxy::start(&["--tls", "--cacert", ca.to_str().expect("UTF-8")]);
    assert_eq!(through(&looking, &url).as_deref(), Some(WELL));
    let shown = looking.end();
    assert!(shown.out.contains("GET /chat") && shown.out.contains("through"), "{}", shown.out);

    // A server that this proxy does not trust is not vouched for.
    let strict = Proxy::start(&["--tls"]);
    let said = through(&strict, &url).expect("as before");
    assert!(said.contains("error Unexpected server response: 502"), "{said}");
    assert!(strict.end().err.contains("--cacert"), "what to do about it");
}

fn ask(proxy: &Proxy, request: &str) -> String {
    let mut stream = TcpStream::connect(&proxy.address).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers and ends");
    answer
}

#[test]
fn requests_name_their_server() {
    let Some(mut command) = Peer::Ws.command("proxy") else { return };
    let mut running = Running::start(command.arg("refuse"), Ear::Stdout);
    let port = running.line();
    let mut proxy = Proxy::start(&["--view", "none"]);
    let page = ask(
        &proxy,
        &format!(
            "GET http://127.0.0.1:{port}/page?x HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
             Proxy-Connection: keep-alive\r\n\r\n"
        ),
    );
    assert!(page.starts_with("HTTP/1.1 200 ") && page.ends_with("page /page?x\n"), "{page}");
    for (request, status) in [
        ("GET /chat HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: a\r\n\r\n", "502"),
        ("GET http://nobody.invalid/ HTTP/1.1\r\nHost: a\r\n\r\n", "502"),
    ] {
        let answer = ask(&proxy, request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
    }
    proxy.note("name a server with --to");
    match Command::new("curl")
        .args(["-s", "-x", &format!("http://{}", proxy.address)])
        .arg(format!("http://127.0.0.1:{port}/curl"))
        .output()
    {
        Ok(output) => assert_eq!(String::from_utf8_lossy(&output.stdout), "page /curl\n"),
        Err(error) => println!("skipped: curl does not run ({error})"),
    }
}

/// A server may speak first, and a client before the tunnel is there.
#[test]
fn whoever_speaks_first_is_heard() {
    for fault in [None, Some("no-pong")] {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let proxy = Proxy::start(&fault.map_or_else(Vec::new, |fault| vec!["--fault", fault]));
        for client_first in [true, false] {
            let mut client = TcpStream::connect(&proxy.address).expect("it listens");
            client.set_read_timeout(Some(PATIENCE)).expect("a timeout");
            let connect = format!("CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n\r\n");
            let early = if client_first { "\u{1}early" } else { "" };
            client.write_all(format!("{connect}{early}").as_bytes()).expect("it reads");
            let mut server = listener.accept().expect("the proxy").0;
            server.set_read_timeout(Some(PATIENCE)).expect("a timeout");
            if client_first {
                let mut got = [0; 6];
                server.read_exact(&mut got).expect("what came early");
                assert_eq!(&got, b"\x01early");
            }
            server.write_all(b"greeting").expect("it reads");
            drop(server);
            let mut answer = String::new();
            client.read_to_string(&mut answer).expect("it ends");
            assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\ngreeting"), "{answer}");
        }
        proxy.end();
    }
}

/// The client names the proxy as its host; a server that wants its own name refuses that.
#[test]
fn a_server_that_wants_its_own_name_gets_it() {
    let Some(mut command) = Peer::Ws.command("proxy") else { return };
    let mut running = Running::start(command.arg("refuse"), Ear::Stdout);
    let to = format!("ws://127.0.0.1:{}", running.line());
    let as_it_is = Proxy::start(&["--to", &to]);
    assert!(Client::ask(&as_it_is.address, "").1.starts_with("HTTP/1.1 401 "));
    let renamed = Proxy::start(&["--to", &to, "--host-header", "its.own.name"]);
    assert!(Client::ask(&renamed.address, "").1.starts_with("HTTP/1.1 101 "));
    assert_eq!(running.line(), "open");
    // Every request asks for the path that is named.
    let elsewhere = Proxy::start(&["--to", &format!("{to}/elsewhere"), "--view", "none"]);
    let request = |more: &str| format!("GET /here HTTP/1.1\r\nHost: a\r\n{more}\r\n");
    let both = [request(""), request("Connection: close\r\n")].concat();
    let pages = ask(&elsewhere, &both);
    assert_eq!(pages.matches("page /elsewhere\n").count(), 2, "{pages}");
}

/// Chromium in front of the proxy, and pointed at it, with and without TLS.
#[test]
fn a_browser_talks_through_it() {
    let Some(mut command) = Peer::Ws.command("proxy") else { return };
    let mut running = Running::start(command.arg("page"), Ear::Stdout);
    let port = running.line();
    let to = format!("ws://127.0.0.1:{port}");
    let secure = Proxy::start(&["--tls", "--to", &to, "--view", "messages"]);
    let plain = Proxy::start(&["--to", &to, "--view", "messages"]);
    let pointed = Proxy::start(&["--view", "messages"]);
    let ca = folder("data").join("authority/ca.pem");
    let looking = Proxy::start(&["--tls", "--cacert", ca.to_str().expect("UTF-8"), "--view", "messages"]);
    let at = |proxy: &Proxy| format!("http://{}", proxy.address);
    for (proxy, page) in [
        ("-".to_owned(), at(&plain) + "/"),
        (at(&pointed), format!("http://127.0.0.1:{port}/")),
        (at(&looking), at(&secure).replace("http", "https") + "/"),
    ] {
        let Some(mut browser) = Peer::Ws.command("proxy") else { return };
        let said = Running::start(browser.args(["browse", &proxy, &page]), Ear::Stdout).all();
        if said.starts_with("skipped") {
            print!("{said}");
            return;
        }
        assert_eq!(said, "heard from the browser\n", "{proxy} {page}");
        assert_eq!(running.line(), "close 1000");
    }
    for proxy in [secure, plain, pointed, looking] {
        let said = proxy.end();
        assert!(said.out.contains("heard from the browser"), "{} {}", said.out, said.err);
    }
}
