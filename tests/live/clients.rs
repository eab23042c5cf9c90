//! `wstool grade --listen`: clients that come are graded, by the loop of their harnesses for the Autobahn
//! testsuite.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::http2::Certificate;
use crate::peers::{Ear, Peer, Running, seen};

/// A judge that listens.
struct Judge {
    running: Running,
    address: String,
    scheme: &'static str,
}

impl Judge {
    fn new(args: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
        command.args(["--lang", "en", "grade", "--listen", "127.0.0.1:0"]).args(args);
        let scheme = if args.contains(&"--cert") { "wss" } else { "ws" };
        Self { scheme, ..Self::of(&mut command) }
    }

    fn of(command: &mut Command) -> Self {
        let mut running = Running::start(command, Ear::Stderr);
        let address = loop {
            let line = running.line();
            if let Some((_, rest)) = line.split_once("listening on ") {
                break rest.split(';').next().unwrap_or_default().to_owned();
            }
        };
        Self { running, address, scheme: "ws" }
    }

    fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// What a control URL says.
    fn ask(&self, path: &str) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
        command.args(["connect", "--count", "1", &format!("{}{path}", self.url())]).env("no_proxy", "*");
        let output = command.stdin(Stdio::null()).output().expect("it starts");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// The answer to a request over HTTP.
    fn get(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).expect("it listens");
        stream.write_all(request.replace('\n', "\r\n").as_bytes()).expect("it takes it");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        answer
    }

    /// The exit code, and what stood on standard output.
    fn end(self) -> (Option<i32>, String) {
        let (status, said) = self.running.end();
        (status.code(), said)
    }
}

/// What a harness was told of each case.
fn told(mut command: Command, judge: &Judge, more: &[&str]) -> Value {
    let output = command.arg(judge.url()).args(more).output().expect("it starts");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    serde_json::from_slice(&output.stdout).unwrap_or_else(|why| panic!("{why}: {words}"))
}

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("clients-{name}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("writable");
    folder
}

#[test]
fn clients_of_others_are_graded_by_their_own_loop() {
    for peer in [Peer::Ws, Peer::Websockets] {
        let Some(command) = peer.command("harness") else { continue };
        let judge = Judge::new(&["--case", "autobahn:1.*"]);
        let told = told(command, &judge, &["a client/1"]);
        let told = told.as_object().expect("an object");
        assert_eq!(told.len(), 16, "{told:?}");
        assert_eq!(told["1.1.1"], "OK");
        assert!(told.values().all(|behaviour| behaviour == "OK"), "{told:?}");
        let (code, said) = judge.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("a client/1"), "{said}");
    }
}

#[test]
fn a_client_that_sends_nothing_back_fails() {
    let Some(command) = Peer::Ws.command("harness") else { return };
    let judge = Judge::new(&["--case", "autobahn:1.1.*", "--once"]);
    let told = told(command, &judge, &["mute", "mute"]);
    assert_eq!(told["1.1.1"], "FAILED", "{told}");
    let (code, said) = judge.end();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("framing."), "{said}");
}

#[test]
fn a_client_that_greets_is_graded_by_what_follows() {
    let Some(command) = Peer::Ws.command("harness") else { return };
    let judge = Judge::new(&["--case", "autobahn:1.1.*", "--case", "autobahn:6.1.*", "--once"]);
    let told = told(command, &judge, &["polite", "greets"]);
    assert!(told.as_object().is_some_and(|told| told.values().all(|it| it == "OK")), "{told}");
    let (code, said) = judge.end();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn control_urls_say_what_harnesses_expect() {
    let judge = Judge::new(&["--case", "autobahn:1.*"]);
    assert_eq!(judge.ask("/getCaseCount"), "16");
    let info: Value = serde_json::from_str(&judge.ask("/getCaseInfo?case=2")).expect("JSON");
    assert_eq!(info["id"], "1.1.2");
    let info: Value = serde_json::from_str(&judge.ask("/getCaseInfo?casetuple=1.2.8")).expect("JSON");
    assert_eq!(info["id"], "1.2.8");
    assert!(judge.ask("/").contains("/getCaseCount"), "who just connects is told what to do");
    // Our own client echoes; what came of it is told once it is known.
    let run = format!("{}/runCase?casetuple=1.2.8&agent=own", judge.url());
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["connect", "--echo", &run]).env("no_proxy", "*").stdin(Stdio::null());
    assert!(command.output().expect("it starts").status.success());
    assert_eq!(judge.ask("/getCaseStatus?casetuple=1.2.8&agent=own"), r#"{"behavior":"OK"}"#);
    let all: Value =
        serde_json::from_str(&judge.ask("/getCaseStatus?casetuple=1.2.8&agent=own&all=en")).expect("JSON");
    assert_eq!((&all["verdict"], &all["behaviorClose"]), (&"pass".into(), &"OK".into()));
    judge.running.interrupt();
    let (code, said) = judge.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("own"), "{said}");
}

#[test]
fn who_asks_wrongly_is_told() {
    let judge = Judge::new(&["--case", "autobahn:1.1.*"]);
    let upgrade = "Host: a\nUpgrade: websocket\nConnection: Upgrade\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Version: 13\n\n";
    for (request, status, words) in [
        (
            format!("GET /runCase?case=99&agent=a HTTP/1.1\n{upgrade}"),
            "400",
            "there is no case 99: there are 8",
        ),
        (format!("GET /runCase?agent=a HTTP/1.1\n{upgrade}"), "400", "casetuple=1.1.1"),
        ("GET /getCaseCount HTTP/1.1\nHost: a\n\n".to_owned(), "426", "WebSocket client"),
        ("GET /nothing HTTP/1.1\nHost: a\n\n".to_owned(), "404", "/getCaseCount"),
        ("POST / HTTP/1.1\nHost: a\nContent-Length: 0\n\n".to_owned(), "405", "Allow: GET"),
        ("GET / HTTP/1.1\nHost: a\n\n".to_owned(), "200", "<html lang=\"en\">"),
        ("GET / HTTP/1.1\nHost: a\nAccept-Language: zh-CN,en\n\n".to_owned(), "200", "<html lang=\"zh\">"),
        ("HEAD /lab/grade.js HTTP/1.1\nHost: a\n\n".to_owned(), "200", "text/javascript"),
    ] {
        let answer = judge.get(&request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {answer}");
        assert!(answer.contains(words), "{request}: {answer}");
    }
    // Who stops within a request, or says nothing at all, is no reason to wait.
    drop(TcpStream::connect(&judge.address).expect("it listens"));
    let mut cut = TcpStream::connect(&judge.address).expect("it listens");
    cut.write_all(b"GET /getCase").expect("it takes it");
    drop(cut);
    judge.running.interrupt();
    let (code, _) = judge.end();
    assert_eq!(code, Some(2), "nobody was graded");
}

#[test]
fn a_browser_is_graded_by_the_page() {
    let judge = Judge::new(&["--case", "autobahn:1.*"]);
    let folder = folder("page");
    let server = format!("http://{}", judge.address);
    let Some(seen) = seen("grade.mjs", [server.as_ref(), folder.as_os_str()]) else { return };
    assert_eq!(
        (&seen["count"], &seen["pass"], &seen["alone"]),
        (&16.into(), &16.into(), &1.into()),
        "{seen:#}"
    );
    let has = |key: &str, words: &str| {
        let shown = seen[key].as_str().unwrap_or_default();
        assert!(shown.contains(words), "{key} has no `{words}`: {shown}");
    };
    has("agent", "Chrom");
    has("before", "Play all cases");
    has("state", "16 cases in");
    has("chapters", "16 pass");
    has("found", "Nothing to mend");
    has("chinese", "进行全部用例");
    // A space comes by itself where the two kinds of script meet.
    assert_eq!(seen["filled"], "Ann：小明进来了，用时 0.7 秒；Li");
    assert_eq!(seen["phone"], 400);
    let nothing = Value::Array(vec![]);
    assert_eq!((&seen["logged"], &seen["thrown"]), (&nothing, &nothing));
    judge.running.interrupt();
    let (code, said) = judge.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Chrom"), "{said}");
}

fn wstool(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(["--lang", "en"]).args(args).env("no_proxy", "*").stdin(Stdio::null());
    command
}

/// What the report in a folder says of a case: its behaviour, and whether the file that it names is there.
fn reported(folder: &Path, agent: &str, case: &str) -> (String, bool) {
    let text = fs::read_to_string(folder.join("index.json")).expect("a report");
    let index: Value = serde_json::from_str(&text).expect("JSON");
    let it = &index[agent][case];
    let file = it["reportfile"].as_str().unwrap_or("nothing");
    (it["behavior"].as_str().unwrap_or_default().to_owned(), folder.join(file).is_file())
}

#[test]
fn servers_of_a_fuzzing_client_are_graded_into_one_report() {
    let folder = folder("fuzzingclient");
    let mut serve = Running::start(
        &mut wstool(&["serve", "ws", "--listen", "127.0.0.1:0", "--view", "none"]),
        Ear::Stderr,
    );
    let line = serve.line();
    let address = line.split_once("listening on ").and_then(|(_, rest)| rest.split(';').next());
    let url = format!("ws://{}/echo", address.unwrap_or_else(|| panic!("{line}")));
    let outdir = folder.join("out/servers");
    let file = folder.join("fuzzingclient.json");
    let config = serde_json::json!({
        "outdir": outdir,
        "options": { "version": 18, "utf8validateIncoming": true, "maxMessagePayloadSize": 1000 },
        "servers": [
            { "agent": "own", "url": url, "options": { "version": 18 } },
            { "url": url, "origin": "http://example.com" },
            { "agent": "gone", "url": "ws://127.0.0.1:1" },
        ],
        "cases": ["1.1.*", "2.4"],
        "exclude-cases": ["1.1.8"],
        "exclude-agent-cases": { "own": ["1.1.2"] },
    });
    fs::write(&file, config.to_string()).expect("writable");
    let output = wstool(&["grade", "--autobahn", file.to_str().expect("UTF-8")]).output().expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "one of them is not there: {said}");
    assert!(said.contains("ws://127.0.0.1:1: ") && said.contains("maxMessagePayloadSize"), "{said}");
    assert!(!said.contains("utf8validateIncoming"), "it is done anyway: {said}");
    let ok = || ("OK".to_owned(), true);
    let none = || (String::new(), false);
    for (agent, case, told) in [
        ("own", "1.1.1", ok()),
        ("own", "1.1.2", none()),
        ("own", "1.1.8", none()),
        ("own", "1.2.1", none()),
        ("own", "2.4", ok()),
        ("UnknownServer", "1.1.2", ok()),
    ] {
        assert_eq!(reported(&outdir, agent, case), told, "{agent} {case}");
    }
}

#[test]
fn clients_of_others_come_by_tls() {
    let Certificate { key, cert, ca } = &Certificate::make("graded-clients");
    for peer in [Peer::Ws, Peer::Websockets] {
        let Some(mut command) = peer.command("harness") else { continue };
        command.env("NODE_EXTRA_CA_CERTS", ca).env("SSL_CERT_FILE", ca);
        let judge = Judge::new(&["--case", "autobahn:1.1.*", "--cert", cert, "--key", key]);
        let told = told(command, &judge, &["a client/1"]);
        let told = told.as_object().expect("an object");
        assert!(told.len() == 8 && told.values().all(|behaviour| behaviour == "OK"), "{told:?}");
        let (code, said) = judge.end();
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("a client/1 at wss://127.0.0.1:"), "{said}");
    }
    // With a certificate of its own.
    let mut command = wstool(&["grade", "--listen", "127.0.0.1:0", "--tls", "--case", "1.1.1"]);
    let judge = Judge::of(command.env("WSTOOL_DATA", folder("tls")));
    let run = format!("wss://{}/runCase?case=1&agent=own", judge.address);
    let output = wstool(&["connect", "--insecure", "--echo", &run]).output().expect("it starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    judge.running.interrupt();
    let (code, said) = judge.end();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("own at wss://"), "{said}");
}

#[test]
fn tls_asks_for_the_hostname_of_a_server() {
    let Certificate { key, cert, ca } = &Certificate::make("graded-hostname");
    let folder = folder("hostname");
    let args = ["serve", "ws", "--listen", "127.0.0.1:0", "--view", "none", "--cert", cert, "--key", key];
    let mut serve = Running::start(&mut wstool(&args), Ear::Stderr);
    let line = serve.line();
    let address = line.split_once("listening on ").and_then(|(_, rest)| rest.split(';').next());
    let url = format!("wss://{}/echo", address.unwrap_or_else(|| panic!("{line}")));
    for (hostname, code) in [("localhost", 0), ("other.example", 2)] {
        let file = folder.join(format!("{hostname}.json"));
        let config = serde_json::json!({
            "outdir": folder.join(hostname),
            "servers": [{ "agent": "own", "url": url, "hostname": hostname }],
            "cases": ["1.1.1"],
        });
        fs::write(&file, config.to_string()).expect("writable");
        let file = file.to_str().expect("UTF-8");
        let output = wstool(&["grade", "--autobahn", file, "--cacert", ca]).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{hostname}: {said}");
        assert_eq!(said.contains("the certificate is not for other.example"), code == 2, "{said}");
    }
}

#[test]
fn the_old_command_line_grades_clients() {
    let Some(command) = Peer::Ws.command("harness") else { return };
    let folder = folder("fuzzingserver");
    let port = TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a free port").port();
    let config = serde_json::json!({
        "url": format!("ws://127.0.0.1:{port}"),
        "outdir": "./clients",
        "cases": ["1.1.*"],
        "exclude-agent-cases": { "w": ["*"], "*x": ["1.*"] },
    });
    fs::write(folder.join("fuzzingserver.json"), config.to_string()).expect("writable");
    let judge = Judge::of(wstool(&["wstest", "-m", "fuzzingserver", "-u", "0", "-d"]).current_dir(&folder));
    told(command, &judge, &["ws"]);
    let (code, said) = judge.end();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(reported(&folder.join("clients"), "ws", "1.1.3"), ("OK".to_owned(), true));
    // Where there is no file one is made.
    let output = wstool(&["wstest", "-m", "fuzzingclient", "-w", "ws://127.0.0.1:1"])
        .current_dir(&folder)
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(folder.join("fuzzingclient.json").is_file());
    for (mode, words) in
        [("echoserver", "wstool serve ws"), ("massconnect", "fuzzingserver and fuzzingclient")]
    {
        let output = wstool(&["wstest", "-m", mode]).output().expect("it starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2));
        assert!(said.contains(words), "{said}");
    }
}
