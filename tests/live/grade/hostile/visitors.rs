//! Clients that come to be graded, and hurt who grades them, with TLS and without.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::task::{JoinSet, LocalSet, spawn_local};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use wstool::lab::abort::{Abort, Abortable};

use super::{BOMB, Doing, IN_TIME, MORE, Stream, case, cases, endlessly, frame, grade, head, peak, zeros};
use crate::http2::Certificate;
use crate::peers::{Ear, Running};

/// A connection to a judge, and that by which it is reset.
pub type Connection = (Box<dyn Stream>, Abort);

/// A judge that listens.
pub struct Judge {
    pub running: Running,
    pub id: u32,
    pub address: SocketAddr,
    /// The authority that signed its certificate, where it speaks TLS.
    ca: Option<String>,
}

impl Judge {
    fn new(secure: bool) -> Self {
        let certificate = secure.then(|| Certificate::make("graded-visitors"));
        Self::of(if secure { "visitors-tls" } else { "visitors" }, &[], certificate)
    }

    /// One with a file of cases by this name, and with these arguments.
    pub fn of(name: &str, more: &[&str], certificate: Option<Certificate>) -> Self {
        let compressed = "grant = \"permessage-deflate\"\nplay = 'text \"a\" deflate'\npass = \"echo\"";
        let all = case("plain", "play = 'text \"a\"'\npass = \"echo\"") + &case("compressed", compressed);
        let few = cases(name, &all);
        let mut args = vec!["--listen", "127.0.0.1:0", "--cases-file", &few];
        args.extend(more);
        if let Some(Certificate { key, cert, .. }) = &certificate {
            args.extend(["--cert", cert, "--key", key]);
        }
        let mut running = Running::start(&mut grade(&args), Ear::Stderr);
        let address = loop {
            let line = running.line();
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split(';').next().unwrap_or_default().parse().expect("an address");
            }
        };
        let id = running.id();
        Self { running, id, address, ca: certificate.map(|it| it.ca) }
    }

    /// What `wstool connect` says that asks for this.
    fn ask(&self, path: &str, args: &[&str]) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
        command.args(["--lang", "en", "connect", "--timeout", "50"]).args(args);
        if let Some(ca) = &self.ca {
            command.args(["--cacert", ca]);
        }
        let s = if self.ca.is_some() { "s" } else { "" };
        command.arg(format!("ws{s}://{}{path}", self.address)).env("no_proxy", "*");
        let output = command.stdin(Stdio::null()).output().expect("it starts");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Has a right client graded, which passes.
    pub fn grades(&self, agent: &str) {
        for case in ["robustness.plain", "robustness.compressed"] {
            let query = format!("casetuple={case}&agent={agent}");
            self.ask(&format!("/runCase?{query}"), &["--echo"]);
            let status = self.ask(&format!("/getCaseStatus?{query}&all=en"), &["--count", "1"]);
            let status: Value = serde_json::from_str(&status).unwrap_or_else(|why| panic!("{why}: {status}"));
            assert_eq!(status["verdict"], "pass", "{case}: {status}");
        }
    }

    fn tls(&self) -> Option<TlsConnector> {
        let pem = fs::read(self.ca.as_ref()?).expect("it was made");
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(&pem).expect("PEM")).expect("a certificate");
        let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("there are some")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Some(TlsConnector::from(Arc::new(config)))
    }
}

/// Connects; `None` where the judge does not want to.
pub async fn connect(address: SocketAddr, tls: Option<TlsConnector>) -> Option<Connection> {
    let (tcp, abort) = Abortable::new(TcpStream::connect(address).await.ok()?);
    Some(match tls {
        None => (Box::new(tcp), abort),
        Some(tls) => {
            let name = ServerName::try_from("localhost").expect("a name");
            (Box::new(tls.connect(name, tcp).await.ok()?), abort)
        }
    })
}

fn request(case: &str, agent: &str) -> Vec<u8> {
    format!(
        "GET /runCase?casetuple=robustness.{case}&agent={agent} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n"
    )
    .into_bytes()
}

/// Asks for a case, and has it opened.
async fn open(stream: &mut dyn Stream, case: &str) {
    let _ = stream.write_all(&request(case, "hostile")).await;
    let _ = stream.flush().await;
    head(stream).await;
}

/// Sends the same again and again, and takes what it is sent.
pub async fn flood(stream: Box<dyn Stream>, what: Vec<u8>) {
    let (mut reading, mut writing) = tokio::io::split(stream);
    let taking = spawn_local(async move {
        let _ = tokio::io::copy(&mut reading, &mut tokio::io::sink()).await;
    });
    endlessly(&mut tokio::io::join(tokio::io::empty(), &mut writing), &what, NO_PAUSE).await;
    taking.abort();
}

pub async fn listen(stream: &mut dyn Stream) {
    let mut room = vec![0; 4096];
    while matches!(stream.read(&mut room).await, Ok(1..)) {}
}

/// The mask of what is sent.
pub const ZEROS: Option<[u8; 4]> = Some([0; 4]);

const NO_PAUSE: Duration = Duration::ZERO;
const SECOND: Duration = Duration::from_secs(1);

macro_rules! does {
    (|$stream:ident| $body:block) => {
        |$stream: Box<dyn Stream>| -> Doing<'static> { Box::pin(async move { $body }) }
    };
    (|mut $stream:ident| $body:block) => {
        |mut $stream: Box<dyn Stream>| -> Doing<'static> { Box::pin(async move { $body }) }
    };
}

/// A name, and what it does.
type Hostile = (&'static str, fn(Box<dyn Stream>) -> Doing<'static>);

const VISITORS: &[Hostile] = &[
    ("says nothing", does!(|mut stream| { listen(&mut *stream).await })),
    ("drips a request", does!(|mut stream| { endlessly(&mut *stream, b"G", SECOND).await })),
    (
        "head without an end",
        does!(|mut stream| {
            let _ = stream.write_all(b"GET / HTTP/1.1\r\n").await;
            flood(stream, b"A: b\r\n".repeat(1000)).await;
        }),
    ),
    ("zeros for ever", does!(|stream| { flood(stream, vec![0; 64 * 1024]).await })),
    (
        "says nothing more",
        does!(|mut stream| {
            open(&mut *stream, "plain").await;
            listen(&mut *stream).await;
        }),
    ),
    (
        "messages for ever",
        does!(|mut stream| {
            open(&mut *stream, "plain").await;
            flood(stream, b"\x81\x81\0\0\0\0a".repeat(10_000)).await;
        }),
    ),
    (
        "fragments for ever",
        does!(|mut stream| {
            open(&mut *stream, "plain").await;
            let _ = stream.write_all(&frame(0x02, ZEROS, b"a")).await;
            flood(stream, frame(0x00, ZEROS, &[7; 10_000])).await;
        }),
    ),
    (
        "drips fragments",
        does!(|mut stream| {
            let _ = stream.write_all(&request("plain", "dripping")).await;
            head(&mut *stream).await;
            let _ = stream.write_all(&frame(0x02, ZEROS, b"a")).await;
            endlessly(&mut *stream, &frame(0x00, ZEROS, b"b"), SECOND / 2).await;
        }),
    ),
    (
        "pings for ever",
        does!(|mut stream| {
            open(&mut *stream, "plain").await;
            flood(stream, b"\x89\x80\0\0\0\0".repeat(10_000)).await;
        }),
    ),
    (
        "pings for ever, and reads nothing",
        does!(|mut stream| {
            open(&mut *stream, "plain").await;
            endlessly(&mut *stream, &b"\x89\x80\0\0\0\0".repeat(10_000), NO_PAUSE).await;
        }),
    ),
    (
        "drips a frame",
        does!(|mut stream| {
            open(&mut *stream, "plain").await;
            let _ = stream.write_all(b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff\0\0\0\0").await;
            endlessly(&mut *stream, b"a", SECOND).await;
        }),
    ),
    (
        "a bomb",
        does!(|mut stream| {
            open(&mut *stream, "compressed").await;
            let _ = stream.write_all(&frame(0x42, ZEROS, &BOMB)).await;
            flood(stream, frame(0x00, ZEROS, &[0; 60_000])).await;
        }),
    ),
    (
        "one bomb after another",
        does!(|mut stream| {
            open(&mut *stream, "compressed").await;
            flood(stream, frame(0xC2, ZEROS, &zeros())).await;
        }),
    ),
];

/// Those that do not come as far as TLS, where that is spoken.
const STRANGERS: &[Hostile] = &[
    ("says nothing", does!(|mut stream| { listen(&mut *stream).await })),
    ("speaks no TLS", does!(|stream| { flood(stream, b"GET / HTTP/1.1\r\n\r\n".repeat(1000)).await })),
    (
        "drips a record",
        does!(|mut stream| {
            let _ = stream.write_all(b"\x16\x03\x01\x3f\xff\x01").await;
            endlessly(&mut *stream, &[0], SECOND).await;
        }),
    ),
];

/// Resets the connection behind each byte of its request.
async fn resets(address: SocketAddr, tls: Option<TlsConnector>) {
    let whole = request("plain", "resets");
    // One is as good as another within the fields that nobody reads.
    for cut in (0..=whole.len()).step_by(if tls.is_some() { 8 } else { 1 }) {
        let Some((mut stream, abort)) = connect(address, tls.clone()).await else { continue };
        let _ = stream.write_all(&whole[..cut]).await;
        let _ = stream.flush().await;
        abort.reset();
    }
}

/// More connections than are served at a time.
const CROWD: usize = 300;

fn visited(secure: bool) {
    let judge = Judge::new(secure);
    judge.grades("before");
    let usual = peak(judge.id).expect("it is there");
    let runtime = Builder::new_current_thread().enable_all().build().expect("an event loop");
    let crowd = LocalSet::new().block_on(&runtime, async {
        let (address, tls) = (judge.address, judge.tls());
        let mut visits = JoinSet::new();
        let strangers = if secure { STRANGERS } else { &[] };
        let visitors =
            VISITORS.iter().map(|it| (it, tls.clone())).chain(strangers.iter().map(|it| (it, None)));
        for (&(name, does), tls) in visitors {
            visits.spawn_local(async move {
                let Some((stream, _)) = connect(address, tls).await else {
                    panic!("{name}: nobody is there")
                };
                timeout(IN_TIME, does(stream)).await.unwrap_or_else(|_| panic!("{name}: it is not left"));
            });
        }
        visits.spawn_local(resets(address, tls));
        visits.join_all().await;
        // They are told nothing, and have until the head should have come.
        let mut crowd = Vec::new();
        for _ in 0..CROWD {
            crowd.push(TcpStream::connect(address).await.expect("it listens"));
        }
        crowd
    });
    judge.grades("after");
    let dripping =
        judge.ask("/getCaseStatus?casetuple=robustness.plain&agent=dripping&all=en", &["--count", "1"]);
    let dripping: Value = serde_json::from_str(&dripping).unwrap_or_else(|why| panic!("{why}: {dripping}"));
    let why = dripping["why"].as_str().unwrap_or_default();
    assert!(dripping["verdict"] == "fail" && why.starts_with("after 34 s it was still sending: "), "{why}");
    let peak = peak(judge.id).expect("it is there");
    println!("TLS {secure}: {} KiB, {} KiB before", peak / 1024, usual / 1024);
    assert!(peak < usual + MORE, "{} KiB, {} KiB are usual", peak / 1024, usual / 1024);
    drop(crowd);
    judge.running.interrupt();
    let (status, said) = judge.running.end();
    assert_eq!(status.code(), Some(1), "{said}");
    let s = if secure { "s" } else { "" };
    assert!(said.contains(&format!("hostile at ws{s}://")), "{said}");
}

#[test]
fn clients_without_an_end_are_left_in_time_and_hold_no_memory() {
    visited(false);
}

#[test]
fn the_same_holds_inside_tls() {
    visited(true);
}
