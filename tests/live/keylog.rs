//! The keys of TLS that the live commands log, held against those of other people's programs, and captures
//! that can be read with them.
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::peers::{Ear, Running};

/// A folder of this test's own, empty.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("keylog").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).expect("writable");
    folder
}

/// `wstool` in a folder, where SSLKEYLOGFILE names nothing.
fn wstool(place: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(args).current_dir(place).stdin(Stdio::null());
    command.env("LC_ALL", "C.UTF-8").env("WSTOOL_DATA", place).env("no_proxy", "*");
    command.env_remove("SSLKEYLOGFILE");
    command
}

/// Starts what listens, and says where.
fn listening(mut command: Command) -> (Running, String) {
    let mut running =
        Running::start(command.args(["--listen", "127.0.0.1:0", "--view", "none"]), Ear::Stderr);
    loop {
        let line = running.line();
        if let Some((_, rest)) = line.split_once("listening on ") {
            let address = rest.split([';', ' ', ',']).next().unwrap_or_default();
            let address = address.split("://").last().unwrap_or_default();
            return (running, address.to_owned());
        }
    }
}

fn ran(mut command: Command) -> Output {
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn lines(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(str::to_lowercase).collect()
}

/// Payloads of text frames that tshark reads in a capture which holds its keys itself; `None`, with the
/// reason printed, without tshark.
fn tshark(pcap: &Path) -> Option<Vec<String>> {
    let ports = Command::new("tshark").arg("-r").arg(pcap).args(["-T", "fields", "-e", "tcp.port"]).output();
    let Ok(ports) = ports else {
        println!("skipped: there is no tshark");
        return None;
    };
    let mut command = Command::new("tshark");
    command.arg("-r").arg(pcap).args(["-Y", "websocket.opcode==1", "-T", "fields", "-e", "text"]);
    let said = String::from_utf8_lossy(&ports.stdout).into_owned();
    let ports: BTreeSet<&str> = said.split([',', '\n']).filter(|port| !port.is_empty()).collect();
    for port in ports {
        command.args(["-d", &format!("tcp.port=={port},tls"), "-d", &format!("tls.port=={port},http")]);
    }
    let output = command.output().expect("it ran before");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Some(text.lines().map(str::to_owned).collect())
}

/// A client, a proxy and a server, each of which logs keys and keeps a capture.
#[test]
fn captures_hold_what_was_encrypted_and_the_keys_to_it() {
    let place = folder("between");
    let kept = |name: &str| [format!("{name}.keys"), format!("{name}.pcapng")];
    let [[server_keys, server_pcap], [proxy_keys, proxy_pcap], [client_keys, client_pcap]] =
        ["server", "proxy", "client"].map(kept);
    let args = ["serve", "ws", "--tls", "--keylog", &server_keys, "--pcap", &server_pcap];
    let (server, address) = listening(wstool(&place, &args));
    let to = format!("wss://{address}");
    let args = ["proxy", "--tls", "--to", &to, "--insecure", "--keylog", &proxy_keys, "--pcap", &proxy_pcap];
    let (proxy, address) = listening(wstool(&place, &args));
    let url = format!("wss://{address}/echo");
    let args = ["connect", "-k", "--no-deflate", "--send", "hello keys", &url];
    let output =
        ran(wstool(&place, &[&args[..], &["--keylog", &client_keys, "--pcap", &client_pcap]].concat()));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "hello keys\n");
    for running in [proxy, server] {
        running.interrupt();
        let (status, _) = running.end();
        assert_eq!(status.code(), Some(0));
    }
    // Both ends of a connection have the same keys, and the proxy is an end of either.
    let [server, proxy, client] =
        [&server_keys, &proxy_keys, &client_keys].map(|name| lines(&place.join(name)));
    assert!(client.len() >= 4 && client.is_disjoint(&server), "{}", client.len());
    assert_eq!(proxy, client.union(&server).cloned().collect());
    for (name, connections) in [(&server_pcap, 1), (&proxy_pcap, 2), (&client_pcap, 1)] {
        let pcap = place.join(name);
        let bytes = fs::read(&pcap).expect("it is there");
        assert!(!bytes.windows(10).any(|ten| ten == b"hello keys"), "{name}: it is not encrypted");
        if let Some(seen) = tshark(&pcap) {
            let texts = seen.iter().filter(|text| text.contains("hello keys")).count();
            assert_eq!(texts, 2 * connections, "{name}: {seen:?}");
        }
        let decoded = ran(wstool(&place, &["decode", "--view", "messages", name]));
        let decoded = String::from_utf8_lossy(&decoded.stdout).into_owned();
        assert_eq!(decoded.matches("hello keys").count(), 2 * connections, "{name}: {decoded}");
    }
}

/// Without a key log a capture holds what is inside, as it is.
#[test]
fn captures_hold_what_is_inside_where_no_keys_are_asked_for() {
    let place = folder("inside");
    let (_server, address) = listening(wstool(&place, &["serve", "ws", "--tls"]));
    let url = format!("wss://{address}/echo");
    for name in ["inside.pcap", "inside.pcapng"] {
        ran(wstool(&place, &["connect", "-k", "--no-deflate", "--send", "hello", "--pcap", name, &url]));
        let bytes = fs::read(place.join(name)).expect("it is there");
        // The server does not mask.
        assert!(bytes.windows(7).any(|frame| frame == b"\x81\x05hello"), "{name}");
        let decoded = ran(wstool(&place, &["decode", "--view", "messages", name]));
        assert_eq!(String::from_utf8_lossy(&decoded.stdout).matches("hello").count(), 2, "{name}");
    }
}

/// What other programs log is what the server does.
#[test]
fn other_programs_have_the_same_keys() {
    let place = folder("others");
    let (server, address) = listening(wstool(&place, &["serve", "--tls", "--keylog", "server.keys"]));
    let python = format!(
        "import socket, ssl\n\
         tls = ssl.create_default_context()\n\
         tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE\n\
         tls.keylog_filename = 'python.keys'\n\
         host, port = '{address}'.split(':')\n\
         tls.wrap_socket(socket.create_connection((host, int(port)))).close()\n"
    );
    let url = format!("https://{address}/poll/short");
    let openssl = ["s_client", "-keylogfile", "openssl.keys", "-tls1_2", "-connect", &address];
    for (program, args, log) in [
        ("python3", &["-c", &python][..], "python.keys"),
        ("curl", &["-sk", "--max-time", "60", &url], "curl.keys"),
        ("openssl", &openssl, "openssl.keys"),
    ] {
        let mut command = Command::new(program);
        command.args(args).current_dir(&place).env("SSLKEYLOGFILE", place.join("curl.keys"));
        let Ok(output) = command.stdin(Stdio::null()).output() else {
            println!("skipped: there is no {program}");
            continue;
        };
        let Some(log) = Some(place.join(log)).filter(|log| log.is_file()) else {
            println!("skipped: {program} logs no keys: {}", String::from_utf8_lossy(&output.stderr));
            continue;
        };
        let (theirs, ours) = (lines(&log), lines(&place.join("server.keys")));
        // Not everybody logs what exports keying material.
        let theirs: Vec<_> = theirs.iter().filter(|line| !line.starts_with("exporter")).collect();
        assert!(!theirs.is_empty() && theirs.iter().all(|line| ours.contains(*line)), "{program}");
    }
    server.interrupt();
    server.end();
}

#[test]
fn the_environment_names_a_key_log_too() {
    let place = folder("environment");
    let (_server, address) = listening(wstool(&place, &["serve", "ws", "--tls"]));
    let url = format!("wss://{address}/echo");
    let log = place.join("env.keys");
    let connect = |log: &Path| {
        let mut command = wstool(&place, &["connect", "-k", "--send", "x", &url]);
        command.env("SSLKEYLOGFILE", log);
        String::from_utf8(ran(command).stderr).expect("UTF-8")
    };
    let err = connect(&log);
    let note = format!("note: the keys of TLS go to {}, which SSLKEYLOGFILE names\n", log.display());
    assert!(err.contains(&note), "{err}");
    let first = lines(&log);
    connect(&log);
    assert!(lines(&log).is_superset(&first) && lines(&log).len() == 2 * first.len(), "it is appended to");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&log).expect("there").permissions().mode() & 0o777, 0o600);
    }
    ran(wstool(&place, &["replay", "--to", &url, "--insecure", "--keylog", "replay.keys"]));
    assert!(lines(&place.join("replay.keys")).len() >= 4);
    // What somebody set for other programs is no reason not to connect; what is asked for here is.
    let nowhere = place.join("no/such/folder.keys");
    assert!(connect(&nowhere).contains("no keys are logged: SSLKEYLOGFILE names "));
    let nowhere = nowhere.to_str().expect("UTF-8");
    let output = wstool(&place, &["connect", "-k", "--send", "x", "--keylog", nowhere, &url]).output();
    let output = output.expect("it runs");
    let err = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && err.contains("no such file or folder"), "{err}");
}
