//! Conformance cases inside TLS and on streams of HTTP/2: against this project's server, whose HTTP is
//! hyper's, and against Node.js's.

use std::process::{Command, Output, Stdio};

use super::{Certificate, Listening, node, told};
use crate::peers::{Ear, Running};

/// `wstool grade`.
fn grade(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["--lang", "en", "grade", "--timeout", "30"]).args(args);
    command.env("LC_ALL", "C.UTF-8").env("no_proxy", "*").stdin(Stdio::null());
    command.output().expect("it runs")
}

/// Chapters whose cases are the same over whatever carries them.
const SAME: [&str; 12] = [
    "--chapter",
    "framing",
    "--chapter",
    "masking",
    "--chapter",
    "fragmentation",
    "--chapter",
    "control",
    "--chapter",
    "utf8",
    "--chapter",
    "closing",
];

/// The lines of cases, without how long they took, by id.
fn verdicts(out: &str) -> Vec<String> {
    let verdicts = ["pass", "non-strict", "fail", "unimplemented", "informational"];
    let is_case =
        |line: &&str| verdicts.iter().any(|verdict| line.starts_with(verdict)) && line.contains('.');
    let mut lines: Vec<String> = out
        .lines()
        .filter(is_case)
        .map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "))
        .collect();
    lines.sort_by_key(|line| line.split(' ').nth(1).map(str::to_owned));
    lines
}

#[test]
fn cases_come_to_the_same_over_tls_and_http_2() {
    let certificate = Certificate::make("graded");
    let Certificate { key, cert, ca } = &certificate;
    let plain = Listening::start("serve", &[]);
    let secure = Listening::start("serve", &["--cert", cert, "--key", key]);
    let (ws, wss) = (format!("ws://{}/echo", plain.address), format!("wss://{}/echo", secure.address));
    let mut first: Option<Vec<String>> = None;
    for (way, args) in [
        ("TCP", &[&*ws][..]),
        ("HTTP/2 with prior knowledge", &[&ws, "--http2"]),
        ("TLS", &[&wss, "--cacert", ca]),
        ("HTTP/2 by ALPN", &[&wss, "--cacert", ca, "--http2"]),
    ] {
        let (code, out, err) = told(&grade(&[args, &SAME].concat()));
        assert_eq!(code, Some(0), "{way}: {out}{err}");
        let verdicts = verdicts(&out);
        assert!(verdicts.len() >= 14 && !out.contains("fail "), "{way}: {out}");
        let first = first.get_or_insert_with(|| verdicts.clone());
        assert_eq!(verdicts, *first, "{way}");
    }
    // Whom nobody believes nobody grades.
    let (code, out, err) = told(&grade(&[&wss, "--chapter", "framing"]));
    assert!(code == Some(2) && out.is_empty() && err.contains("--cacert"), "{err}");
    plain.end();
    secure.end();
}

#[test]
fn what_is_about_http_1_is_left_out_over_http_2() {
    let served = Listening::start("serve", &[]);
    let url = format!("ws://{}/echo", served.address);
    let (code, out, err) = told(&grade(&[&url, "--http2", "--chapter", "handshake", "--chapter", "framing"]));
    assert!(matches!(code, Some(0 | 1)), "{out}{err}");
    assert!(err.contains("cases about the head of HTTP/1.1 are left out: "), "{err}");
    served.end();
}

/// The fields that an answer over HTTP/2 must not have are not those that its translation has.
#[test]
fn what_is_about_http_2_passes_here() {
    let served = Listening::start("serve", &[]);
    let url = format!("ws://{}/echo", served.address);
    let (code, out, err) = told(&grade(&[&url, "--http2", "--chapter", "http2"]));
    assert_eq!(code, Some(0), "{out}{err}");
    let verdicts = verdicts(&out);
    assert!(verdicts.len() >= 20, "{out}");
    assert!(verdicts.iter().all(|line| !line.starts_with("fail") && !line.starts_with("non")), "{out}");
    served.end();
}

#[test]
fn a_server_of_node_is_graded_over_http_2() {
    let certificate = Certificate::make("graded-node");
    let Certificate { key, cert, ca } = &certificate;
    for (scheme, server, more) in
        [("ws", &["server"][..], &[][..]), ("wss", &["server", key, cert], &["--cacert", ca])]
    {
        let Some(mut command) = node(server) else { return };
        let mut running = Running::start(&mut command, Ear::Stdout);
        let url = format!("{scheme}://127.0.0.1:{}/echo", running.line());
        let (code, out, err) = told(&grade(&[more, &["--http2", &url], &SAME].concat()));
        assert_eq!(code, Some(0), "{out}{err}");
        assert!(verdicts(&out).len() >= 14, "{out}");
    }
}
