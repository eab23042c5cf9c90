//! `wstool serve`, and what others make of it.

mod docs;
mod faults;
mod hostile;
mod others;
mod page;
mod sessions;
mod stream;
mod wire;

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use wstool::lab::serve::{Server, Settings};
use wstool::lab::stage::Stage;
use wstool::lab::tap::Tap;
use wstool::model::{FrameHeader, Opcode};
use wstool::ws::encode;

use crate::peers::{Ear, Running};

/// How long anything may take: the machine may be busy with a lot else.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server in this process, on a thread of its own.
struct Lab {
    server: Server,
    address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    _stage: Stage,
}

impl Lab {
    fn start(settings: Settings) -> Self {
        Self::tapped(settings, Tap::idle())
    }

    fn tapped(settings: Settings, tap: Tap) -> Self {
        let stage = Stage::start("server").expect("a thread");
        let runtime = Builder::new_current_thread().build().expect("an event loop");
        let listener = runtime
            .block_on(stage.run(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))))
            .expect("no panic")
            .expect("a port");
        let address = listener.local_addr().expect("an address");
        let log = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&log);
        let server = Server::new(
            settings,
            tap,
            Arc::new(move |words| told.lock().expect("nobody panics").push(words.to_string())),
        );
        let serving = server.clone();
        stage.spawn(async move { serving.serve(listener).await });
        Self { server, address, log, _stage: stage }
    }

    fn open(&self, path: &str, more: &str) -> (Wire, String) {
        open(self.address, path, more)
    }

    fn echo(&self) -> Wire {
        let (wire, head) = self.open("/echo", "");
        assert!(head.starts_with("HTTP/1.1 101"), "{head}");
        wire
    }

    /// Waits for a line of the log that holds this.
    fn logs(&self, words: &str) -> bool {
        let start = std::time::Instant::now();
        loop {
            if self.log.lock().expect("nobody panics").iter().any(|line| line.contains(words)) {
                return true;
            }
            if start.elapsed() > PATIENCE {
                println!("{:#?}", self.log.lock());
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The command itself, listening on a port of its own.
struct Served {
    running: Running,
    address: SocketAddr,
    /// The capture that it writes.
    pcap: PathBuf,
}

impl Served {
    /// Starts it; `name` tells its files apart from those of other tests.
    fn start(name: &str, args: &[&str]) -> Self {
        let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join("serve");
        std::fs::create_dir_all(&place).expect("a place to work in");
        let pcap = place.join(format!("{name}.pcap"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--pcap"]).arg(&pcap).args(args);
        command.env("LC_ALL", "C.UTF-8").env("WSTOOL_DATA", &place);
        let mut running = Running::start(&mut command, Ear::Stderr);
        let address = loop {
            let line = running.line();
            if let Some(rest) = line.strip_prefix("listening on ") {
                break rest.split(';').next().and_then(|it| it.parse().ok()).expect("an address");
            }
        };
        Self { running, address, pcap }
    }

    fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    fn open(&self, path: &str) -> Wire {
        open(self.address, path, "").0
    }

    /// Ends it as Ctrl-C does: all that it said and showed.
    fn end(self) -> (PathBuf, String) {
        self.running.interrupt();
        let (status, shown) = self.running.end();
        assert_eq!(status.code(), Some(0));
        (self.pcap, shown)
    }
}

/// The records that `wstool decode` makes of a capture.
fn decoded(pcap: &Path) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.arg("decode").arg(pcap).args(["--format", "ndjson", "--payload-limit", "64"]);
    let output = command.output().expect("it runs");
    records(&String::from_utf8(output.stdout).expect("UTF-8"))
}

fn records(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// The rules that records say were broken.
fn rules(records: &[Value]) -> BTreeSet<String> {
    let found = records.iter().filter(|record| record["type"] == "finding");
    found.map(|finding| finding["rule"].as_str().expect("an id").to_owned()).collect()
}

/// A WebSocket, its handshake done, with the response's head.
fn open(address: SocketAddr, path: &str, more: &str) -> (Wire, String) {
    let mut wire = Wire::to(address);
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{more}\r\n"
    );
    wire.send(request.as_bytes());
    let head = wire.head();
    (wire, head)
}

/// A TCP connection that is spoken on byte by byte.
struct Wire {
    tcp: TcpStream,
    early: Vec<u8>,
}

impl Wire {
    fn to(address: SocketAddr) -> Self {
        let tcp = TcpStream::connect(address).expect("it listens");
        tcp.set_nodelay(true).expect("a socket");
        tcp.set_read_timeout(Some(PATIENCE)).expect("a socket");
        tcp.set_write_timeout(Some(PATIENCE)).expect("a socket");
        Self { tcp, early: Vec::new() }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.tcp.write_all(bytes).expect("it takes bytes");
    }

    /// Reads up to the end of a head.
    fn head(&mut self) -> String {
        loop {
            if let Some(at) = self.early.windows(4).position(|four| four == b"\r\n\r\n") {
                let head: Vec<u8> = self.early.drain(..at + 4).collect();
                return String::from_utf8(head).expect("ASCII");
            }
            assert!(self.more(), "it ended: {}", self.early.escape_ascii());
        }
    }

    /// Reads more; whether there is any. A reset is an end, too.
    fn more(&mut self) -> bool {
        let mut piece = vec![0; 65536];
        match self.tcp.read(&mut piece) {
            Ok(0) => false,
            Ok(count) => {
                self.early.extend_from_slice(&piece[..count]);
                true
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// The next frame: its first byte and payload; `None` at the end.
    fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            let bytes = &self.early;
            let head = match bytes.get(1) {
                Some(126) => bytes.get(2..4).map(|two| (4, u64::from(u16::from_be_bytes([two[0], two[1]])))),
                Some(127) => {
                    bytes.get(2..10).map(|eight| (10, u64::from_be_bytes(eight.try_into().expect("eight"))))
                }
                Some(short) => Some((2, u64::from(*short))),
                None => None,
            };
            if let Some((head, length)) = head
                && bytes.len() as u64 >= head as u64 + length
            {
                let frame: Vec<u8> = self.early.drain(..head + length as usize).collect();
                return Some((frame[0], frame[head..].to_vec()));
            }
            if !self.more() {
                assert!(self.early.is_empty(), "half a frame: {}", self.early.escape_ascii());
                return None;
            }
        }
    }

    /// Reads until this has come; false at the end.
    fn until(&mut self, words: &[u8]) -> bool {
        while !self.early.windows(words.len()).any(|piece| piece == words) {
            if !self.more() {
                return false;
            }
        }
        true
    }

    /// Ends TCP, as who opens no WebSocket does, and waits until the server has, too.
    fn hang_up(mut self) {
        self.tcp.shutdown(Shutdown::Write).expect("a socket");
        while self.more() {}
    }

    /// Everything to the end.
    fn rest(mut self) -> Vec<u8> {
        while self.more() {}
        self.early
    }
}

/// A frame of a client.
fn frame(fin: bool, opcode: u8, payload: &[u8]) -> Vec<u8> {
    let key = [0x37, 0xFA, 0x21, 0x3D];
    let header = FrameHeader { fin, ..FrameHeader::of(Opcode(opcode), Some(key), payload.len() as u64) };
    let mut out = Vec::new();
    encode::frame(&header, payload, &mut out);
    out
}
