//! What connections cost `wstool serve`, beside npm's `ws` in the same run: memory of those that are idle,
//! and processor time of messages that are echoed.
//!
//! ```text
//! cargo bench --bench load                 10,000 idle connections, 1,000 that talk
//! cargo bench --bench load -- 2000 200     fewer of both
//! ```
//!
//! Servers are processes of their own, read from `/proc` (Linux). `ws` is installed by
//! `tests/peers/install.sh`; where it is not there, its row is missing and the reason is printed.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// Messages that a connection sends before it reads their echoes, and how often it does.
const BURST: usize = 50;
const ROUNDS: usize = 20;

/// A text of 16 bytes, masked with a key of zeros: what it costs does not depend on the key.
const MESSAGE: &[u8] = b"\x81\x90\0\0\0\0sixteen bytes...";
/// Bytes of its echo.
const ECHO: usize = 18;

const REQUEST: &str = "GET /echo HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// `ws`, as its page shows it.
const WS: &str = "
const { WebSocketServer } = require(process.argv[1]);
const server = new WebSocketServer({ host: '127.0.0.1', port: 0, backlog: 4096 }, () =>
  console.log('listening on 127.0.0.1:' + server.address().port));
server.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })));
";

fn main() -> io::Result<()> {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|word| word.parse().ok()).collect();
    let (idle, talking) =
        (numbers.first().copied().unwrap_or(10_000), numbers.get(1).copied().unwrap_or(1000));
    println!(
        "{idle} idle connections, {talking} that send {BURST} messages of 16 bytes at a time, {ROUNDS} times"
    );
    println!("{:<14} {:>14} {:>14} {:>14}", "", "KiB/idle conn", "messages/s", "CPU us/message");
    let mut ours = Command::new(env!("CARGO_BIN_EXE_wstool"));
    ours.args(["serve", "ws", "--view", "none", "--listen", "127.0.0.1:0", "--max-connections", "100000"]);
    measure("wstool serve", &mut ours, idle, talking)?;
    let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../peers/node_modules/ws");
    if !library.is_dir() {
        println!("ws: not installed (tests/peers/install.sh puts it into {})", library.display());
        return Ok(());
    }
    let mut theirs = Command::new("node");
    theirs.arg("-e").arg(WS).arg(library);
    measure("npm ws", &mut theirs, idle, talking)
}

/// A server, ended with this.
struct Server {
    child: Child,
    address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts one, which says where it listens.
    fn start(command: &mut Command) -> io::Result<Self> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let said: [Box<dyn io::Read + Send>; 2] =
            [Box::new(child.stdout.take().expect("piped")), Box::new(child.stderr.take().expect("piped"))];
        let (tell, told) = std::sync::mpsc::channel();
        for stream in said {
            let tell = tell.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let address = line.split_once("listening on ").and_then(|(_, rest)| {
                        rest.split([';', ' ']).next().unwrap_or_default().parse::<SocketAddr>().ok()
                    });
                    // Whoever waited has heard it.
                    address.map(|address| tell.send(address));
                }
            });
        }
        drop(tell);
        let address =
            told.recv().map_err(|_| io::Error::other("the server says nothing of where it listens"))?;
        Ok(Self { child, address })
    }

    fn proc(&self, file: &str) -> io::Result<String> {
        fs::read_to_string(Path::new("/proc").join(self.child.id().to_string()).join(file))
    }

    /// KiB of memory that it holds.
    fn memory(&self) -> io::Result<f64> {
        let status = self.proc("status")?;
        let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
        held.and_then(|held| held.trim().parse().ok()).ok_or_else(|| io::Error::other("no VmRSS"))
    }

    /// Seconds of processor time that it has used.
    fn time(&self) -> io::Result<f64> {
        let stat = self.proc("stat")?;
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: f64 = fields[11..13].iter().map(|field| field.parse::<f64>().unwrap_or_default()).sum();
        // USER_HZ is 100 wherever Linux runs programs like this.
        Ok(ticks / 100.0)
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_nodelay(true)?;
        stream.write_all(REQUEST.as_bytes())?;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            head.push(byte[0]);
        }
        Ok(stream)
    }
}

fn measure(name: &str, command: &mut Command, idle: usize, talking: usize) -> io::Result<()> {
    let server = Server::start(command)?;
    // What the first connections cost once is no cost of a connection.
    let warm: Vec<TcpStream> = (0..10).map(|_| server.connect()).collect::<io::Result<_>>()?;
    let before = server.memory()?;
    let open: Vec<TcpStream> = (0..idle)
        .map(|number| {
            server
                .connect()
                .map_err(|error| io::Error::other(format!("connection {number}: {error} (ulimit -n?)")))
        })
        .collect::<io::Result<_>>()?;
    let each = (server.memory()? - before) / idle.max(1) as f64;
    let burst = MESSAGE.repeat(BURST);
    let mut echo = vec![0; ECHO * BURST];
    let (start, used) = (Instant::now(), server.time()?);
    for _ in 0..ROUNDS {
        for mut stream in open.iter().take(talking) {
            stream.write_all(&burst)?;
        }
        for mut stream in open.iter().take(talking) {
            stream.read_exact(&mut echo)?;
        }
    }
    let messages = (talking.min(idle) * BURST * ROUNDS) as f64;
    let rate = messages / start.elapsed().as_secs_f64();
    let cost = (server.time()? - used) * 1e6 / messages;
    println!("{name:<14} {each:>14.1} {rate:>14.0} {cost:>14.2}");
    drop(warm);
    Ok(())
}
