//! `wstool proxy` between other people's clients and servers, and between sockets that send anything at all.
mod client;
mod docs;
mod faults;
mod polls;
mod rules;
mod tap;
mod tunnel;

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::peers::{Ear, Peer, Running};
use crate::schema;

/// How long anything may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A proxy that runs. It is ended with the test.
struct Proxy {
    child: Child,
    /// Where it listens, such as `127.0.0.1:40000`.
    address: String,
    notes: Receiver<String>,
    out: Option<JoinHandle<String>>,
    err: String,
}

/// What a proxy said until its end.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

/// A folder of the tests' own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("proxy").join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["proxy", "--listen", "0"]).args(args);
    command.env("LC_ALL", "C.UTF-8").env("WSTOOL_DATA", folder("data"));
    command
}

impl Proxy {
    fn start(args: &[&str]) -> Self {
        Self::start_in(Path::new("."), args)
    }

    /// The same, in a folder.
    fn start_in(place: &Path, args: &[&str]) -> Self {
        let mut child = command(args)
            .current_dir(place)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut stdout = child.stdout.take().expect("piped");
        let out = thread::spawn(move || {
            let mut all = String::new();
            stdout.read_to_string(&mut all).expect("UTF-8");
            all
        });
        let (tell, notes) = mpsc::channel();
        let stderr = child.stderr.take().expect("piped");
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        let mut proxy = Self { child, address: String::new(), notes, out: Some(out), err: String::new() };
        let line = proxy.note("listening on ");
        let url = line.split("://").nth(1).expect("a URL");
        proxy.address.push_str(url.split([';', ' ', ',']).next().expect("an address"));
        proxy
    }

    /// Waits for a line on standard error that holds these words.
    fn note(&mut self, words: &str) -> String {
        loop {
            let line = self.notes.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no {words:?} in {}", self.err));
            self.err.push_str(&line);
            self.err.push('\n');
            if line.contains(words) {
                return line;
            }
        }
    }

    fn url(&self, path: &str) -> String {
        format!("ws://{}{path}", self.address)
    }

    /// Presses Ctrl-C.
    fn end(mut self) -> Said {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "it does not end: {}", self.err);
            thread::sleep(Duration::from_millis(5));
        };
        while let Ok(line) = self.notes.recv_timeout(PATIENCE) {
            self.err.push_str(&line);
            self.err.push('\n');
        }
        let out = self.out.take().expect("once").join().expect("no panic");
        Said { code: status.code(), out, err: std::mem::take(&mut self.err) }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Said {
    fn records(&self) -> Vec<Value> {
        let record = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.out.lines().map(record).inspect(schema::assert_valid).collect()
    }
}

/// A peer's server, and its port.
fn server(peer: Peer) -> Option<(Running, String)> {
    let mut running = Running::start(&mut peer.command("server")?, Ear::Stdout);
    let port = running.line();
    Some((running, port))
}

/// What `wstool decode` says of a file.
fn decode(args: &[&str], file: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    let output =
        command.arg("decode").args(args).arg(file).env("LC_ALL", "C.UTF-8").output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
