//! Clients that come to be graded over HTTP/2: our own, Node.js's, Chromium, and one that makes mistakes.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::Value;
use tokio::runtime::Builder;

use super::raw::{self, Mistake};
use super::{Certificate, Listening, connect, node, told};
use crate::peers::seen;

/// A judge that listens.
struct Judge {
    listening: Listening,
    /// How `wstool connect` gets there.
    args: Vec<String>,
    url: String,
}

impl Judge {
    fn new(args: &[&str], certificate: Option<&Certificate>) -> Self {
        let mut all = args.to_vec();
        let mut own = Vec::new();
        if let Some(Certificate { key, cert, ca }) = certificate {
            all.extend(["--cert", cert, "--key", key]);
            own = vec!["--cacert".to_owned(), ca.clone()];
        }
        let listening = Listening::start("grade", &all);
        let s = if certificate.is_some() { "s" } else { "" };
        Self { url: format!("ws{s}://{}", listening.address), listening, args: own }
    }

    fn address(&self) -> SocketAddr {
        self.listening.address.parse().expect("an address")
    }

    /// What a control URL says over HTTP/2.
    fn ask(&self, path: &str, args: &[&str]) -> String {
        let url = format!("{}{path}", self.url);
        let own: Vec<&str> = self.args.iter().map(String::as_str).collect();
        let (code, out, err) = told(&connect(&[&own[..], args, &[&url]].concat()));
        assert_eq!(code, Some(0), "{path}: {err}");
        out.trim().to_owned()
    }

    /// What came of a case, in full.
    fn status(&self, case: &str, agent: &str) -> Value {
        let path = format!("/getCaseStatus?casetuple={case}&agent={agent}&all=en");
        let said = self.ask(&path, &["--count", "1"]);
        serde_json::from_str(&said).unwrap_or_else(|why| panic!("{why}: {said}"))
    }

    /// The exit code, and what stood on standard output.
    fn end(self) -> (Option<i32>, String) {
        self.listening.running.interrupt();
        let (status, shown) = self.listening.running.end();
        (status.code(), shown)
    }
}

#[test]
fn our_own_client_is_graded_on_streams() {
    let certificate = Certificate::make("graded-streams");
    for certificate in [None, Some(&certificate)] {
        let judge = Judge::new(&["--http2", "--case", "http2.*", "--case", "1.1.*"], certificate);
        let count: usize = judge.ask("/getCaseCount", &["--count", "1"]).parse().expect("a number");
        assert!(count >= 22, "{count}");
        let info = judge.ask("/getCaseInfo?casetuple=1.1.2", &["--count", "1"]);
        assert!(info.contains(r#""id":"1.1.2""#), "{info}");
        for case in ["1.1.2", "http2.client-request", "http2.echo-300000", "http2.fragments"] {
            judge.ask(&format!("/runCase?casetuple={case}&agent=own"), &["--echo"]);
            let status = judge.status(case, "own");
            assert_eq!(status["verdict"], "pass", "{case}: {status}");
        }
        let (code, shown) = judge.end();
        assert_eq!(code, Some(0), "{shown}");
        assert!(shown.contains("own at ws") && shown.contains("http2.fragments"), "{shown}");
    }
}

/// Several streams of one connection at a time; cases about the head of HTTP/1.1 are none of theirs.
#[test]
fn a_client_of_node_is_graded_on_streams_of_one_connection() {
    let certificate = Certificate::make("graded-node-client");
    // Cases of the key and of Upgrade are none over HTTP/2.
    let of_http1 = ["handshake.client-accept-*", "handshake.client-fresh-key", "handshake.client-upgrade*"];
    let chosen = ["http2.*", "control.*", "handshake.client-status-*"].into_iter().chain(of_http1);
    let args: Vec<&str> = ["--http2"].into_iter().chain(chosen.flat_map(|case| ["--case", case])).collect();
    for (scheme, certificate) in [("http", None), ("https", Some(&certificate))] {
        let judge = Judge::new(&args, certificate);
        let url = format!("{scheme}://{}", judge.address());
        let Some(mut command) = node(&["harness", &url, "node/1"]) else { return };
        let output = command.stdin(Stdio::null()).output().expect("it runs");
        let words = String::from_utf8_lossy(&output.stderr);
        let told: Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {words}"));
        let told = told.as_object().expect("an object");
        assert!(told.len() > 40, "{told:?}");
        assert!(judge.listening.running.said.contains("about the head of HTTP/1.1 are left out: "));
        let is_of_http1 = |id: &String| {
            ["client-accept-", "fresh-key", "client-up", "-200"].iter().any(|it| id.contains(it))
        };
        assert!(!told.keys().any(is_of_http1), "{told:?}");
        for id in ["handshake.client-status-403", "http2.client-accept", "http2.echo-65536", "2.1"] {
            assert_eq!(told[id], "OK", "{id}: {told:?}");
        }
        let bad: Vec<_> = told.iter().filter(|(_, it)| *it != "OK" && *it != "INFORMATIONAL").collect();
        assert!(bad.is_empty(), "{bad:?}");
        let (status, shown) = judge.listening.running.end();
        assert_eq!(status.code(), Some(0), "{shown}");
        assert!(shown.contains("node/1"), "{shown}");
    }
}

#[test]
fn mistakes_over_http_2_are_found_and_named() {
    const CASES: [&str; 3] = ["1.1.2", "http2.client-request", "handshake.client-status-403"];
    let all: Vec<&str> = CASES.iter().flat_map(|case| ["--case", case]).chain(["--http2"]).collect();
    let judge = Judge::new(&all, None);
    let runtime = Builder::new_current_thread().enable_all().build().expect("an event loop");
    for (mistake, case, verdict, words) in [
        (Mistake::None, "1.1.2", "pass", ""),
        (Mistake::None, "http2.client-request", "pass", ""),
        (Mistake::None, "handshake.client-status-403", "pass", ""),
        (Mistake::UpgradeFields, "http2.client-request", "fail", "meant for a connection of HTTP/1"),
        (Mistake::NoVersion, "http2.client-request", "fail", "Sec-WebSocket-Version"),
        (Mistake::EndsStream, "http2.client-request", "fail", "ends its stream at once"),
        (Mistake::StatusUnchecked, "handshake.client-status-403", "fail", ""),
        (Mistake::Unmasked, "1.1.2", "fail", "masked"),
        (Mistake::Hasty, "1.1.2", "fail", "before the server's response"),
        (Mistake::ZeroWindowUpdate, "1.1.2", "fail", "WINDOW_UPDATE"),
        (Mistake::ResetInsteadOfClose, "1.1.2", "fail", ""),
    ] {
        let agent = format!("{mistake:?}");
        let path = format!("/runCase?casetuple={case}&agent={agent}");
        runtime.block_on(raw::play(judge.address(), &path, mistake));
        let status = judge.status(case, &agent);
        assert_eq!(status["verdict"], verdict, "{mistake:?} {case}: {status}");
        assert!(status["why"].as_str().is_some_and(|why| why.contains(words)), "{mistake:?}: {status}");
    }
    let (code, shown) = judge.end();
    assert_eq!(code, Some(1), "{shown}");
}

/// One port takes both: whoever comes by HTTP/1.1 has no HTTP/2 to be graded on.
#[test]
fn clients_of_http_1_come_to_the_same_port() {
    let certificate = Certificate::make("graded-both");
    for certificate in [None, Some(&certificate)] {
        let judge = Judge::new(&["--http2", "--case", "http2.echo-0", "--case", "1.1.2"], certificate);
        for (case, verdict) in [("1.1.2", "pass"), ("http2.echo-0", "unimplemented")] {
            let url = format!("{}/runCase?casetuple={case}&agent=old", judge.url);
            let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
            command.args(["connect", "--echo"]).args(&judge.args).arg(url).env("no_proxy", "*");
            let (code, _, err) = told(&command.stdin(Stdio::null()).output().expect("it runs"));
            assert_eq!(code, Some(0), "{err}");
            let status = judge.status(case, "old");
            assert_eq!(status["verdict"], verdict, "{status}");
        }
        let (code, shown) = judge.end();
        assert_eq!(code, Some(0), "{shown}");
    }
    // Without --http2 nobody is graded over it, and is told so.
    let mut judge = Judge::new(&["--case", "1.1.2"], None);
    let (code, _, err) = told(&connect(&[&format!("{}/getCaseCount", judge.url)]));
    assert!(code == Some(1) && err.contains("the server wants HTTP/1.1 here"), "{err}");
    judge.listening.says("speaks HTTP/2, which is not graded without --http2");
    assert_eq!(judge.end().0, Some(2));
}

/// The page comes over HTTP/2, and with it its `WebSockets`.
#[test]
fn a_browser_is_graded_on_streams_of_the_connection_that_its_page_came_by() {
    let certificate = Certificate::make("graded-browser");
    let judge = Judge::new(&["--http2", "--case", "1.1.*", "--case", "http2.echo-*"], Some(&certificate));
    let Some(seen) = seen("grade.mjs", [format!("https://{}", judge.address())]) else { return };
    assert_eq!((&seen["page"], &seen["statuses"]), (&"h2".into(), &serde_json::json!([200])), "{seen:#}");
    assert_eq!((&seen["count"], &seen["pass"]), (&15.into(), &15.into()), "{seen:#}");
    let (code, shown) = judge.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("Chrom"), "{shown}");
}
