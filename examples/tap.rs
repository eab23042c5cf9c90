//! A TCP relay that shows what passes, as it passes:
//!
//! ```sh
//! cargo run --example tap -- 127.0.0.1:9001 127.0.0.1:9000
//! ```
//!
//! Let a client connect to <ws://127.0.0.1:9001>, and it talks to the server at port 9000.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::SystemTime;

use wstool::decoder::{Beginning, Decoder};
use wstool::model::{At, FlowId, Interest, Receipt, Side, Sink, StreamEnd, Time};
use wstool::render::{Options, Tree};

/// What happens to a connection.
enum Event {
    Open([SocketAddr; 2]),
    Data(Side, Vec<u8>),
    End(Side, StreamEnd),
}

type Told = (FlowId, Time, Event);

fn now() -> Time {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Time(u64::try_from(since.as_nanos()).unwrap_or(u64::MAX))
}

/// Passes on what one side sends until it ends.
fn pump(id: FlowId, side: Side, mut from: TcpStream, mut to: TcpStream, tell: &Sender<Told>) {
    let mut buffer = [0; 16 * 1024];
    let how = loop {
        match from.read(&mut buffer) {
            Ok(0) => break StreamEnd::Fin,
            Ok(read) => {
                // Told before it is sent: nobody can answer what has not been told.
                let _ = tell.send((id, now(), Event::Data(side, buffer[..read].to_vec())));
                if to.write_all(&buffer[..read]).is_err() {
                    break StreamEnd::Rst;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break StreamEnd::Rst,
        }
    };
    let _ = tell.send((id, now(), Event::End(side, how)));
    let _ = to.shutdown(Shutdown::Write);
}

/// Takes so many connections, and relays each to a connection of its own to `server`.
fn relay(listener: &TcpListener, server: SocketAddr, most: usize, tell: &Sender<Told>) {
    // An id for each: for a relay that runs for years, those that are free again would be kept.
    for (id, client) in (0..).map(FlowId).zip(listener.incoming().take(most)) {
        let connect = || {
            let (client, server) = (client?, TcpStream::connect(server)?);
            let ends = [client.peer_addr()?, server.peer_addr()?];
            io::Result::Ok((ends, (client.try_clone()?, server.try_clone()?), (server, client)))
        };
        match connect() {
            Ok((ends, there, back)) => {
                let _ = tell.send((id, now(), Event::Open(ends)));
                for (side, (from, to)) in [(Side::A, there), (Side::B, back)] {
                    let tell = tell.clone();
                    thread::spawn(move || pump(id, side, from, to, &tell));
                }
            }
            Err(error) => eprintln!("{server}: {error}"),
        }
    }
}

/// Decodes what is told until nobody tells any more, or the sink has had enough.
fn decode<S: Sink>(told: &Receiver<Told>, sink: S) -> S {
    let mut decoder = Decoder::new(sink);
    for (id, time, event) in told {
        decoder.tick(time);
        let at = At { time: Some(time), ..At::default() };
        let interest = match event {
            Event::Open(endpoints) => {
                decoder.open(id, &Beginning::opened(endpoints));
                Interest::Follow
            }
            Event::Data(side, bytes) => decoder.data(id, side, &bytes, at),
            Event::End(side, how) => decoder.end(id, side, how, Receipt::default(), at),
        };
        if interest == Interest::Stop {
            break;
        }
    }
    decoder.finish().0
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [listen, server] = arguments.as_slice() else {
        return Err("two addresses are needed: the one to listen on, and the server's".into());
    };
    let (listener, server) = (TcpListener::bind(listen)?, server.parse()?);
    println!("ws://{} leads to {server}", listener.local_addr()?);
    let (tell, told) = mpsc::channel();
    thread::spawn(move || relay(&listener, server, usize::MAX, &tell));
    decode(&told, Tree::new(io::stdout(), Options::default())).finish()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: &[u8] = b"GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
    const RESPONSE: &[u8] =
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x05Hello";

    #[test]
    fn what_passes_arrives_and_is_shown() {
        let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = upstream.local_addr().unwrap();
        thread::spawn(move || {
            let (mut stream, _) = upstream.accept().unwrap();
            stream.read_exact(&mut vec![0; REQUEST.len()]).unwrap();
            stream.write_all(RESPONSE).unwrap();
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, told) = mpsc::channel();
        thread::spawn(move || relay(&listener, server, 1, &tell));
        let client = thread::spawn(move || {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(REQUEST).unwrap();
            let mut got = Vec::new();
            stream.read_to_end(&mut got).unwrap();
            got
        });
        let shown = decode(&told, Tree::new(Vec::new(), Options::default())).finish().unwrap();
        assert_eq!(client.join().unwrap(), RESPONSE);
        let shown = String::from_utf8(shown).unwrap();
        for words in ["GET /chat", "101 Switching Protocols", "Hello"] {
            assert!(shown.contains(words), "{words}: {shown}");
        }
    }
}
