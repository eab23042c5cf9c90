//! As an HTTP proxy: requests that name their server, and tunnels (RFC 9110 §9.3.6).

use tokio::io::AsyncWriteExt as _;

use super::head::{self, Edits, First};
use super::stream::{Stream, is_client_hello};
use super::target::Target;
use super::visit::{Server, Visit, unreachable};
use crate::http::Head;
use crate::lab::tls::logging;
use crate::model::{Text, prefix};

/// What a client asks an HTTP proxy for.
enum Asked {
    /// A tunnel to a server.
    Tunnel(Target),
    /// A request that goes to a server, and what is asked for there.
    Forward(Target, Vec<u8>),
    /// Something that this proxy cannot get, or that names no server.
    Unknown(String),
    /// Something that is meant for no proxy.
    Nothing,
}

/// What an HTTP proxy says to whoever takes it for a server.
const LOST: &str = "This is an HTTP proxy (wstool proxy): point a program at it as its proxy, such as\n\
                    chromium --proxy-server=http://ADDRESS:PORT, or name a server with --to.\n";

/// What it says to whoever asks it for something else than it takes.
const UNKNOWN: &str = "This HTTP proxy (wstool proxy) takes CONNECT HOST:PORT, and http://, https://, ws://\n\
                       and wss:// with a host.\n";

impl Visit {
    /// Serves a client that takes this for its HTTP proxy.
    pub(super) async fn as_proxy(&self, mut client: Stream) {
        let request = match head::read(&mut client).await {
            Ok(First::Head(request)) => request,
            Ok(First::Other) if is_client_hello(client.early()) => {
                let words =
                    "{} speaks TLS with the proxy itself: name it as http://, whatever goes through it";
                return self.tell(&Text::with(words, self.from));
            }
            Ok(First::Other) | Err(_) => return,
        };
        let head = head::parse(&request);
        match asked(&head) {
            Asked::Tunnel(target) => self.tunnel(client, target).await,
            Asked::Forward(target, resource) => {
                let goes = forwarded(&head, &resource).apply(&request);
                self.through(client, Some((request, goes)), Server { target, open: None }).await;
            }
            Asked::Nothing => {
                let words = "{} takes this HTTP proxy for a server: point it here as its proxy, or name a \
                             server with --to";
                self.tell(&Text::with(words, self.from));
                turn_away(client, LOST).await;
            }
            Asked::Unknown(what) => {
                let words = "{} asks this HTTP proxy for {}: it takes CONNECT HOST:PORT, and http://, \
                             https://, ws:// and wss:// with a host";
                self.tell(&Text::with(words, self.from).and(prefix(&what, TOLD)));
                turn_away(client, UNKNOWN).await;
            }
        }
    }

    /// Opens a tunnel, and looks into it as far as it may.
    async fn tunnel(&self, mut client: Stream, mut target: Target) {
        let settings = &self.settings;
        let (mut server, address) = match target.connect(&settings.server_tls, &settings.below).await {
            Ok(opened) => opened,
            Err(why) => {
                let answer = unreachable(&self.unreached(&target, &why));
                // Whether it still listens is its own affair.
                let _ = client.write_all(&answer).await;
                let _ = client.shutdown().await;
                return;
            }
        };
        let opened = b"HTTP/1.1 200 Connection established\r\n\r\n";
        if client.write_all(opened).await.is_err() || client.flush().await.is_err() {
            return;
        }
        // Who speaks first is not known, unless the client has done so already.
        if client.early().is_empty() {
            let looked = tokio::select! {
                looked = client.look() => looked,
                looked = server.look() => looked,
            };
            if looked.is_err() {
                return;
            }
        }
        if !server.early().is_empty() {
            // No protocol of the web: there the client begins.
            return self.blind(client, server, address).await;
        }
        let open = |stream| Server { target: target.clone(), open: Some(Ok((stream, address))) };
        if !is_client_hello(client.early()) {
            return self.through(client, None, open(server)).await;
        }
        let Some(authority) = &settings.authority else {
            let words = "{}: TLS with {} passes unread (--tls looks into it)";
            self.tell(&Text::with(words, self.from).and(target.authority()));
            return self.blind(client, server, address).await;
        };
        let tls = match authority.server(std::slice::from_ref(&target.host), crate::lab::tls::alpn(false)) {
            Ok(tls) => logging(tls, settings.keys.clone()),
            Err(why) => return self.tell(&why),
        };
        target.secure = true;
        let over = Some((server, address));
        let Some((client, open)) = self.agree(client, &tls, &target, over).await else { return };
        self.through(client, None, Server { target, open }).await;
    }
}

/// Bytes that are told of what is asked for.
const TOLD: usize = 60;

/// Answers a request that nothing can be done for.
async fn turn_away(mut client: Stream, why: &str) {
    // Whether it still listens is its own affair.
    let _ = client.write_all(&head::answer(400, "Bad Request", why)).await;
    let _ = client.shutdown().await;
}

/// What a request asks a proxy for.
fn asked(head: &Head<'_>) -> Asked {
    let Some([method, target]) = head::request(head) else { return Asked::Nothing };
    let Ok(target) = std::str::from_utf8(target) else { return Asked::Nothing };
    let unknown = || Asked::Unknown(target.to_owned());
    if method == b"CONNECT" {
        return server(target, false, None).map_or_else(unknown, Asked::Tunnel);
    }
    let Some((scheme, rest)) = target.split_once("://") else { return Asked::Nothing };
    let (secure, port) = match scheme.to_ascii_lowercase().as_str() {
        "http" | "ws" => (false, 80),
        "https" | "wss" => (true, 443),
        _ => return unknown(),
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, resource) = rest.split_at(end);
    // An empty path is asked for as / (RFC 9112 §3.2.1).
    let resource = if resource.starts_with('/') { resource.to_owned() } else { format!("/{resource}") };
    let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let server = server(authority, secure, Some(port));
    server.map_or_else(unknown, |target| Asked::Forward(target, resource.into_bytes()))
}

/// The server of an authority, `host:port`.
fn server(authority: &str, secure: bool, default: Option<u16>) -> Option<Target> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = match port {
        Some(port) => port.parse().ok()?,
        None => default?,
    };
    (!host.is_empty()).then(|| Target { secure, host: host.to_owned(), port })
}

/// What becomes of a request that a proxy forwards (RFC 9112 §3.2.2): it asks its server for the resource,
/// and what was meant for the proxy stays there. Where no WebSocket is asked for the connection ends with the
/// answer: the next request may be for another server.
fn forwarded(head: &Head<'_>, resource: &[u8]) -> Edits {
    let mut edits = Edits::default();
    edits.target(head, resource);
    edits.without(head, &["proxy-connection", "proxy-authorization"]);
    if !head::is_upgrade(head) {
        edits.without(head, &["connection", "keep-alive"]);
        edits.field(head, "Connection", "close");
    }
    edits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Option<(Target, Option<String>)> {
        let bytes = format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes();
        let asked = asked(&head::parse(&bytes));
        let is_meant_for_a_proxy = line.starts_with("CONNECT") || line.contains("://");
        assert_eq!(matches!(asked, Asked::Nothing), !is_meant_for_a_proxy, "{line}");
        match asked {
            Asked::Tunnel(target) => Some((target, None)),
            Asked::Forward(target, resource) => Some((target, String::from_utf8(resource).ok())),
            Asked::Unknown(_) | Asked::Nothing => None,
        }
    }

    #[test]
    fn requests_name_their_server() {
        let target = |secure, host: &str, port| Target { secure, host: host.to_owned(), port };
        for (line, server, resource) in [
            ("CONNECT example.com:443", target(false, "example.com", 443), None),
            ("CONNECT [::1]:9000", target(false, "::1", 9000), None),
            ("GET http://example.com", target(false, "example.com", 80), Some("/")),
            ("GET HTTP://u:p@example.com:81?x", target(false, "example.com", 81), Some("/?x")),
            ("GET ws://[::1]:9000/chat?x#y", target(false, "::1", 9000), Some("/chat?x#y")),
            ("POST https://a/b", target(true, "a", 443), Some("/b")),
        ] {
            assert_eq!(of(line), Some((server, resource.map(str::to_owned))), "{line}");
        }
        for line in
            ["GET /chat", "CONNECT example.com", "CONNECT a:b", "GET ftp://a/", "OPTIONS *", "GET http://:1/"]
        {
            assert_eq!(of(line), None, "{line}");
        }
    }

    #[test]
    fn what_is_meant_for_the_proxy_stays_there() {
        let request = b"GET http://a/b HTTP/1.1\r\nHost: a\r\nProxy-Connection: keep-alive\r\n\
            Proxy-Authorization: Basic eA==\r\nConnection: keep-alive\r\nX: y\r\n\r\n";
        let head = head::parse(request);
        let goes = forwarded(&head, b"/b").apply(request);
        assert_eq!(goes.as_slice(), b"GET /b HTTP/1.1\r\nHost: a\r\nX: y\r\nConnection: close\r\n\r\n");
        let request =
            b"GET ws://a/b HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
        let goes = forwarded(&head::parse(request), b"/b").apply(request);
        assert_eq!(
            goes.as_slice(),
            b"GET /b HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
        );
    }
}
