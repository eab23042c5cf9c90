//! Other implementations as child processes: `tests/peers/install.sh` puts them into `target/peers`.

#![allow(dead_code)] // not every test has use for all of it

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// An implementation of WebSocket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// npm's `ws`.
    Ws,
    /// Python's `websockets`.
    Websockets,
    /// npm's `socket.io-client`.
    SocketIo,
    /// Python's `aiohttp`.
    Aiohttp,
    /// Python's `duckdb`, which speaks SQL over tables.
    DuckDb,
}

/// Those that speak WebSocket and nothing else, as server or client.
pub const PEERS: [Peer; 2] = [Peer::Ws, Peer::Websockets];

/// Those that serve an echo, and talk to one.
pub const ECHOES: [Peer; 3] = [Peer::Ws, Peer::Websockets, Peer::Aiohttp];

static INSTALLED: LazyLock<PathBuf> = LazyLock::new(|| {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let to = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("../peers");
    let modules = [
        "ws",
        "socket.io",
        "socket.io-2",
        "socket.io-client",
        "socket.io-client-2",
        "engine.io-client",
        "engine.io-client-3",
    ];
    let has_modules = modules.iter().all(|name| to.join("node_modules").join(name).is_dir());
    let has_python =
        ["websockets", "duckdb", "aiohttp"].iter().all(|name| to.join("python").join(name).is_dir());
    if !(has_modules && has_python) {
        let status = Command::new(root.join("tests/peers/install.sh")).arg(&to).status();
        println!("tests/peers/install.sh: {status:?}");
    }
    to
});

impl Peer {
    /// The command that runs it as a `server` or a `client`; `None`, with the reason printed, where
    /// it cannot be had.
    pub fn command(self, role: &str) -> Option<Command> {
        let (program, script, library) = match self {
            Self::Ws | Self::SocketIo => ("node", format!("{role}.mjs"), INSTALLED.clone()),
            Self::Aiohttp => ("python3", format!("aiohttp_{role}.py"), INSTALLED.join("python")),
            Self::Websockets | Self::DuckDb => ("python3", format!("{role}.py"), INSTALLED.join("python")),
        };
        let module = match self {
            Self::Ws => library.join("node_modules/ws"),
            Self::SocketIo => library.join("node_modules/socket.io-client"),
            Self::Websockets => library.join("websockets"),
            Self::Aiohttp => library.join("aiohttp"),
            Self::DuckDb => library.join("duckdb"),
        };
        let runs =
            Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
        if !runs || !module.is_dir() {
            println!("skipped: {self:?} is not installed ({program}, {})", module.display());
            return None;
        }
        let mut command = Command::new(program);
        command.arg(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script)).arg(library);
        Some(command)
    }
}

/// What a script of this folder sees in a browser, which it says in JSON; `None`, with the reason printed,
/// where there is none.
pub fn seen(script: &str, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Option<Value> {
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/peers").join(script);
    let Ok(output) = Command::new("node").arg(script).args(args).output() else {
        println!("skipped: node is not installed");
        return None;
    };
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {told}"));
    if let Some(why) = seen["skipped"].as_str() {
        println!("skipped: {why}");
        return None;
    }
    Some(seen)
}

/// A running process whose lines come as it writes them. It is ended with the test.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    /// What it has written so far.
    pub said: String,
}

/// Which stream of a process is listened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ear {
    Stdout,
    Stderr,
}

impl Running {
    pub fn start(command: &mut Command, ear: Ear) -> Self {
        let (out, err) = match ear {
            Ear::Stdout => (Stdio::piped(), Stdio::null()),
            Ear::Stderr => (Stdio::piped(), Stdio::piped()),
        };
        let mut child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().expect("it starts");
        let (tell, lines) = mpsc::channel();
        let stream: Box<dyn Read + Send> = match ear {
            Ear::Stdout => Box::new(child.stdout.take().expect("piped")),
            Ear::Stderr => Box::new(child.stderr.take().expect("piped")),
        };
        thread::spawn(move || {
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines, said: String::new() }
    }

    /// Waits for a line.
    pub fn line(&mut self) -> String {
        let line =
            self.lines.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no line; so far: {}", self.said));
        self.said.push_str(&line);
        self.said.push('\n');
        line
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it what Ctrl-C sends.
    pub fn interrupt(&self) {
        let sent = Command::new("kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|status| status.success()), "it is there");
    }

    /// Waits for the end: the status, and all that it wrote on the other stream.
    pub fn end(mut self) -> (ExitStatus, String) {
        let out = self.child.stdout.take();
        let reader = thread::spawn(move || {
            let mut all = String::new();
            if let Some(mut out) = out {
                out.read_to_string(&mut all).expect("UTF-8");
            }
            all
        });
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return (status, reader.join().expect("reading does not panic"));
            }
            assert!(start.elapsed() < PATIENCE, "it does not end; so far: {}", self.said);
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// All lines to the end.
    pub fn all(mut self) -> String {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.said.push_str(&line);
            self.said.push('\n');
        }
        std::mem::take(&mut self.said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
