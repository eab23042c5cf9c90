//! Who comes in: whether there is room, TLS, and by the first bytes what is spoken.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

use super::line::{Control, Line};
use super::{Kind, Server, Visitor, pages, raw, web};
use crate::lab::http2;
use crate::lab::rewound::Rewound;
use crate::lab::socket::Stream;
use crate::lab::tap::{Tap, Tapped};
use crate::lab::tls;
use crate::model::http2::PREFACE;
use crate::model::{Dir, Layer, METHODS, StreamEnd, Text};

/// How long a connection may take to say what it speaks.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it takes at most to say something at once: nothing is told of a connection until then.
const AT_ONCE: Duration = Duration::from_millis(50);

/// After the system had no room for a connection.
const PAUSE: Duration = Duration::from_millis(50);

/// Connections beyond the limit that are told so at a time; others are just ended.
const REFUSED: usize = 64;

/// Accepts connections for ever.
pub async fn open(server: &Server, listener: &TcpListener) {
    let refusals = Arc::new(tokio::sync::Semaphore::new(REFUSED));
    let mut is_full = false;
    loop {
        let (tcp, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                if !std::mem::replace(&mut is_full, true) {
                    server.say(Text::with("no more connections can be accepted for now: {}", error));
                }
                sleep(PAUSE).await;
                continue;
            }
        };
        is_full = false;
        // Every write is sent at once: Nagle's algorithm would gather them.
        let _ = tcp.set_nodelay(true);
        let Some(seat) = server.seat() else {
            let limit = server.settings().max_connections;
            server.say(Text::with("{}: refused: {} connections are there already", peer).and(limit));
            if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
                let is_tls = server.settings().tls.is_some();
                tokio::spawn(async move {
                    // It is refused whether or not it hears it.
                    let _ = timeout(Duration::from_secs(1), refuse(tcp, is_tls)).await;
                    drop(permit);
                });
            }
            continue;
        };
        let Ok(us) = tcp.local_addr() else { continue };
        let server = server.clone();
        tokio::spawn(async move {
            let plan = server.plan();
            let control = Arc::new(Control::default());
            let line = Line::new(tcp, Arc::clone(&control), plan.slow_read);
            let below = server.settings().below.open([peer, us]);
            control.tell(below.clone());
            let mut stream = match come_in(&server, Tapped::new(line, below, Dir::Server)).await {
                Ok(stream) => stream,
                Err(why) => return server.say(Text::with("{}: {}", peer).word(why)),
            };
            let first = first(&server, &mut stream).await;
            let early = first.as_deref().unwrap_or_default();
            // A page that looks on is told of others; nobody is told of it.
            let tap = if pages::looks_on(early) { Tap::idle() } else { server.0.tap.clone() };
            let wire = tap.open_on([peer, us], Layer::tapped(server.settings().tls.is_some()));
            wire.data(Dir::Client, early);
            let visitor = Visitor {
                wire: wire.clone(),
                server,
                ends: [peer, us],
                control,
                plan,
                sent: AtomicU64::new(0),
                _seat: seat,
            };
            match first {
                Ok(early) => {
                    let stream = Box::new(Tapped::new(stream, wire, Dir::Server));
                    receive(Arc::new(visitor), stream, early).await;
                }
                Err(error) => {
                    if error.kind() == io::ErrorKind::ConnectionReset {
                        wire.end(Dir::Client, StreamEnd::Rst);
                    }
                    visitor.broke(&error);
                }
            }
        });
    }
}

/// What somebody says at once, where there are pages, which is how those are known that look on.
async fn first(server: &Server, stream: &mut Box<dyn Stream>) -> io::Result<Vec<u8>> {
    let mut piece = [0; 1024];
    if server.settings().wire.is_none() || !server.is_web() {
        return Ok(Vec::new());
    }
    match timeout(AT_ONCE, stream.read(&mut piece)).await {
        // That it leaves TLS without a word is read once more.
        Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Vec::new()),
        Ok(read) => read.map(|count| piece[..count].to_vec()),
        Err(_) => Ok(Vec::new()),
    }
}

/// TLS, where it is spoken.
async fn come_in(server: &Server, line: Tapped<Line>) -> Result<Box<dyn Stream>, Text> {
    let Some(config) = &server.settings().tls else { return Ok(Box::new(line)) };
    let below = line.wire().clone();
    below.shaking();
    let accepted = tls::accept(config, line).await;
    below.shaken();
    Ok(Box::new(accepted?))
}

/// There is no room: an answer that HTTP clients understand, and others at least see.
async fn refuse(mut tcp: TcpStream, is_tls: bool) -> io::Result<()> {
    const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 5\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Length: 26\r\n\r\nthere is no room for more\n";
    let mut asked = [0; 4096];
    // What is unread would turn the end into a reset, and the answer would be lost.
    let _ = tcp.read(&mut asked).await?;
    if !is_tls {
        tcp.write_all(FULL).await?;
    }
    tcp.shutdown().await?;
    while tcp.read(&mut asked).await? > 0 {}
    Ok(())
}

/// What the first bytes of a connection speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speaks {
    Http,
    Http2,
    Lines,
    Tls,
    /// Too few bytes to tell.
    Unknown,
}

fn sniff(bytes: &[u8]) -> Speaks {
    const HELLO: &[u8] = &[0x16, 0x03];
    let others = [(HELLO.to_vec(), Speaks::Tls), (PREFACE.to_vec(), Speaks::Http2)];
    let methods = METHODS.iter().map(|method| ([method, &b" "[..]].concat(), Speaks::Http));
    let begun = others.into_iter().chain(methods).find_map(|(whole, speaks)| {
        let common = whole.len().min(bytes.len());
        let is_whole = common == whole.len();
        (bytes[..common] == whole[..common]).then_some(if is_whole { speaks } else { Speaks::Unknown })
    });
    begun.unwrap_or(Speaks::Lines)
}

/// Finds out what is spoken, and has it answered.
async fn receive(visitor: Arc<Visitor>, mut stream: Box<dyn Stream>, mut early: Vec<u8>) {
    let server = visitor.server.clone();
    if !server.is_web() {
        return raw::chat(&visitor, stream, early).await;
    }
    let speaks = loop {
        let speaks = sniff(&early);
        if speaks != Speaks::Unknown {
            break speaks;
        }
        let mut piece = [0; 1024];
        let read = tokio::select! {
            read = timeout(PATIENCE, stream.read(&mut piece)) => read,
            () = visitor.stopping() => return,
        };
        match read {
            Ok(Ok(count)) if count > 0 => early.extend_from_slice(&piece[..count]),
            Ok(Ok(_)) if early.is_empty() => return,
            // Browsers open connections ahead of need; they do not mind, nor do those who leave TLS
            // without a word.
            Ok(Err(error)) if early.is_empty() && error.kind() == io::ErrorKind::UnexpectedEof => return,
            Err(_) if early.is_empty() => {
                return visitor.say(Text::with("said nothing for {} s", PATIENCE.as_secs()));
            }
            Ok(Ok(_)) | Err(_) => break Speaks::Lines,
            Ok(Err(error)) => return visitor.broke(&error),
        }
    };
    match speaks {
        Speaks::Tls => {
            visitor.say("speaks TLS: let it connect to ws:// or http://, or serve with --tls");
        }
        Speaks::Lines if server.serves(Kind::Tcp) => raw::chat(&visitor, stream, early).await,
        Speaks::Http2 if !server.settings().http2 => {
            visitor.say("speaks HTTP/2, which --no-http2 has switched off");
            http2::refuse(stream).await;
        }
        // What is no HTTP is told so by the HTTP server.
        _ => web::serve(visitor, Box::new(Rewound::new(early, stream)), speaks == Speaks::Http2).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_tell_what_is_spoken() {
        for (bytes, speaks) in [
            (&b""[..], Speaks::Unknown),
            (b"G", Speaks::Unknown),
            (b"GET", Speaks::Unknown),
            (b"GET / HTTP/1.1", Speaks::Http),
            (b"OPTIONS * ", Speaks::Http),
            (b"PO", Speaks::Unknown),
            (b"PRI * HTTP/2.0", Speaks::Unknown),
            (&PREFACE[..], Speaks::Http2),
            (b"PRI * HTTP/2.0\r\n\r\nXX", Speaks::Lines),
            (b"PRINCE\n", Speaks::Lines),
            (b"GETTING on\n", Speaks::Lines),
            (b"hello\n", Speaks::Lines),
            (b"<policy-file-request/>\0", Speaks::Lines),
            (b"\n", Speaks::Lines),
            (b"\x16", Speaks::Unknown),
            (b"\x16\x03\x01", Speaks::Tls),
        ] {
            assert_eq!(sniff(bytes), speaks, "{}", bytes.escape_ascii());
        }
    }
}
