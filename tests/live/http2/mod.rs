//! WebSocket over HTTP/2 (RFC 8441) between this project's commands and other people's programs.
mod between;
mod browser;
mod clients;
mod events;
mod graded;
mod node;
pub mod raw;

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::peers::{Ear, Peer, Running};

/// A folder of these tests' own.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("http2").join(name);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}

/// A certificate for localhost, its key, and the authority that signed it, as files.
pub struct Certificate {
    pub key: String,
    pub cert: String,
    pub ca: String,
}

impl Certificate {
    pub fn make(name: &str) -> Self {
        let folder = folder(name);
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        // OpenSSL takes a certificate for self-signed where its subject is called as its issuer is.
        params.distinguished_name.push(DnType::CommonName, "an authority of tests");
        let ca_key = KeyPair::generate().expect("a key");
        let ca = params.self_signed(&ca_key).expect("a certificate").pem();
        let issuer = Issuer::new(params, ca_key);
        let key = KeyPair::generate().expect("a key");
        let names = ["localhost", "127.0.0.1"].map(str::to_owned).to_vec();
        let cert = CertificateParams::new(names).expect("names").signed_by(&key, &issuer).expect("signed");
        let put = |name: &str, pem: &str| {
            let path = folder.join(name);
            std::fs::write(&path, pem).expect("writable");
            text(&path)
        };
        Self { key: put("key", &key.serialize_pem()), cert: put("cert", &cert.pem()), ca: put("ca", &ca) }
    }
}

/// `wstool serve` or `wstool proxy`, listening on a port of its own.
struct Listening {
    running: Running,
    /// Such as `127.0.0.1:40000`.
    address: String,
}

impl Listening {
    fn start(command: &str, args: &[&str]) -> Self {
        let mut wstool = Command::new(env!("CARGO_BIN_EXE_wstool"));
        wstool.args([command, "--listen", "127.0.0.1:0"]).args(args);
        wstool.env("LC_ALL", "C.UTF-8").env("WSTOOL_DATA", folder("data"));
        let mut running = Running::start(&mut wstool, Ear::Stderr);
        let line = loop {
            let line = running.line();
            if line.starts_with("listening on ") {
                break line;
            }
        };
        let rest = line.trim_start_matches("listening on ");
        let rest = rest.split_once("://").map_or(rest, |(_, rest)| rest);
        let address = rest.split([';', ' ']).next().expect("an address").to_owned();
        Self { running, address }
    }

    /// Waits for a line of its log that holds these words.
    fn says(&mut self, words: &str) {
        while !self.running.line().contains(words) {}
    }

    /// Ends it as Ctrl-C does: all that it showed.
    fn end(self) -> String {
        self.running.interrupt();
        let (status, shown) = self.running.end();
        assert_eq!(status.code(), Some(0));
        shown
    }
}

/// `wstool connect --http2`.
fn connect(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["connect", "--http2", "--timeout", "30"]).args(args);
    command.env("LC_ALL", "C.UTF-8").env("no_proxy", "*").stdin(Stdio::null());
    command.output().expect("it runs")
}

/// The exit code, standard output and standard error.
fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Node.js in a role of `tests/peers/http2.mjs`; `None`, with the reason printed, where it cannot be had.
fn node(args: &[&str]) -> Option<Command> {
    let mut command = Peer::Ws.command("http2")?;
    command.args(args);
    Some(command)
}
