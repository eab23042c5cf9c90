//! The command line as a program among others: exit codes, pipes, colours, and one
//! clear line for whatever cannot be read.
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::run::{packets, pcap, pcapng};
use wstool::render::VIEWS;

const HELLO: &str = "818537fa213d7f9f4d5158";
const BROKEN: &str = "810548656c6c6f c10141 83820000000000ff";

fn wstool(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command
        .args(args)
        .env("LC_ALL", "C.UTF-8")
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null());
    command
}

#[test]
fn the_locale_chooses_the_language_unless_an_option_does() {
    let first = |command: &mut Command| output(command).1.lines().nth(5).unwrap_or_default().to_owned();
    let decode = |args: &[&str]| wstool(&[args, &["decode", HELLO]].concat());
    let english = first(&mut decode(&[]));
    assert!(english.starts_with("frame 1  client → server"), "{english}");
    for (locale, args, is_english) in [
        ("zh_CN.UTF-8", &[][..], false),
        ("zh_CN.UTF-8", &["--lang", "en"], true),
        ("en_GB.UTF-8", &["--lang", "zh"], false),
        ("de_DE.UTF-8", &[], true),
    ] {
        let shown = first(decode(args).env("LC_ALL", locale));
        assert_eq!(shown == english, is_english, "{locale} {args:?}: {shown}");
        assert_eq!(shown.starts_with("帧 1  客户端 → 服务器"), !is_english, "{locale} {args:?}: {shown}");
    }
    // Chinese cannot be written in ASCII.
    let (_, ascii, _) = output(wstool(&["--lang", "zh", "decode", HELLO, "--ascii"]).env("LC_ALL", "zh_CN"));
    assert!(ascii.is_ascii() && ascii.contains("frame 1  client -> server"), "{ascii}");
    let (code, _, message) = output(&mut wstool(&["--lang", "zh", "decode", "nothing-here"]));
    assert_eq!((code, &*message), (2, "错误：nothing-here：没有这个文件，它也不是十六进制\n"));
}

/// Exit code, standard output, standard error.
fn output(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the binary was built");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (status.code().expect("no signal"), text(stdout), text(stderr))
}

fn file(name: &str, content: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, content).expect("there is room");
    path.to_str().expect("a path in UTF-8").to_owned()
}

fn capture() -> Vec<u8> {
    pcap(&packets("client text \"hello\"\nserver text \"howdy\"\nclient text \"bye\" mask=none\n"))
}

#[test]
fn exit_codes() {
    let cases: &[(&[&str], i32)] = &[
        (&["decode", HELLO], 0),
        (&["decode", BROKEN], 0),
        (&["decode", "--fail-on", "error", HELLO], 0),
        (&["decode", "--fail-on", "error", BROKEN], 1),
        (&["decode", "--fail-on", "warning", BROKEN], 1),
        (&["decode", "--fail-on", "never", BROKEN], 0),
        (&["decode", "--fail-on", "error", "818500000000 48656c6c6f"], 0),
        (&["decode", "--fail-on", "warning", "818500000000 48656c6c6f"], 1),
        (&["decode", "no-such-file.pcap"], 2),
        (&["decode", "--view", "round", HELLO], 2),
        (&["decode", "--no-such-option"], 2),
        (&["decode", "--grep", "(", HELLO], 2),
        (&["decode", "--opcode", "hello", HELLO], 2),
        (&["accept", "dGhlIHNhbXBsZSBub25jZQ=="], 0),
        (&["accept", "dGhlIHNhbXBsZSBub25jZQ==", "--verify", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="], 0),
        (&["accept", "dGhlIHNhbXBsZSBub25jZQ==", "--verify", "s3pPLMBiTxaQ9kYGzzhZRbK+xOa="], 1),
        (&["accept", "no key"], 2),
        (&["encode", "--text", "hi"], 0),
        (&["encode", "--close", "999999"], 2),
        (&["explain"], 0),
        (&["explain", "opcode", "9"], 0),
        (&["explain", "no such topic"], 2),
        (&["completions", "bash"], 0),
        (&["completions", "csh"], 2),
        (&["man"], 0),
        (&["man", "no-such-command"], 2),
        (&["--version"], 0),
        (&["--help"], 0),
        (&[], 2),
        (&["no-such-command"], 2),
    ];
    for (args, expected) in cases {
        let (code, out, err) = output(&mut wstool(args));
        assert_eq!(code, *expected, "{args:?}\n{out}{err}");
        assert_eq!(code == 2, !err.is_empty(), "{args:?}: what is wrong is said on standard error\n{err}");
    }
}

/// One line that says what it is, and what to do.
#[test]
fn what_cannot_be_read_is_said_in_one_line() {
    let mut usb = capture();
    usb[20] = 189;
    let folder = env!("CARGO_TARGET_TMPDIR");
    let cases: &[(&str, String, &str)] = &[
        ("a directory", folder.to_owned(), "is a directory"),
        ("an empty file", file("empty", b""), "empty"),
        ("a text", file("text", b"Dear Sir or Madam,\nI am writing to you\n"), "line 1, column"),
        ("a script", file("a.script", b"# one\nserver text \"hello\"\n"), "wstool encode --script"),
        ("an image", file("image.png", b"\x89PNG\r\n\x1A\n\0\0\0\rIHDR"), "a PNG image"),
        ("a HAR file", file("log.har", b"{\"log\": {\"version\": \"1.2\"}}"), "HAR"),
        ("an unknown link type", file("usb.pcap", &usb), "link type"),
        ("a head without packets", file("cut.pcap", &capture()[..20]), "header"),
        ("a file that is not there", format!("{folder}/no-such-file"), "no such file"),
        ("bad hex", "81 05 4".to_owned(), "column"),
    ];
    for (name, input, says) in cases {
        let (code, out, err) = output(&mut wstool(&["decode", "--view", "table", input]));
        assert_eq!(code, 2, "{name}: {out}{err}");
        assert_eq!(err.lines().count(), 1, "{name}: {err}");
        assert!(err.contains(says), "{name}: {err}");
        assert!(!err.contains("panicked"), "{name}: {err}");
    }
}

/// Wherever a file is cut, what precedes the cut is shown, and the end is an error.
#[test]
fn a_cut_file_shows_what_it_has() {
    for (name, whole) in
        [("cut-at.pcap", capture()), ("cut-at.pcapng", pcapng(&packets("client text \"hello\"\n")))]
    {
        for at in (whole.len() / 2..whole.len() - 1).step_by(whole.len() / 12) {
            let input = file(name, &whole[..at]);
            let (code, out, err) = output(&mut wstool(&["decode", "--view", "table", &input]));
            assert!(out.contains("GET / HTTP/1.1"), "cut at byte {at}: {out}");
            assert_eq!((code, err.lines().count()), (2, 1), "cut at byte {at}: {err}");
            assert!(err.contains(&format!("byte {at}")), "cut at byte {at}: {err}");
        }
    }
}

#[test]
fn several_inputs_are_shown_in_turn_and_the_worst_code_counts() {
    let good = file("good.pcap", &capture());
    let (code, out, err) = output(&mut wstool(&["decode", "-v", "table", &good, "no-such-file", HELLO]));
    assert_eq!(code, 2);
    assert!(out.contains("hello") && out.contains("Hello"), "{out}");
    assert_eq!(err.lines().count(), 1, "{err}");
    let (code, ..) = output(&mut wstool(&["decode", "--fail-on", "error", HELLO, &good]));
    assert_eq!(code, 1);
}

#[test]
fn standard_input_is_an_input() {
    let inputs: [&[u8]; 3] = [&capture(), HELLO.as_bytes(), b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"];
    for input in inputs {
        for args in [&["decode", "-v", "table", "-"][..], &["decode", "-v", "table"]] {
            let mut child = wstool(args)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()
                .expect("the binary was built");
            child.stdin.take().expect("a pipe").write_all(input).expect("it reads");
            let out = child.wait_with_output().expect("it ends");
            assert!(out.status.success());
            assert!(String::from_utf8_lossy(&out.stdout).to_lowercase().contains("hello"));
        }
    }
}

/// What `tcpdump -U -w - | wstool decode -` does: a frame is shown before the next
/// packet is there.
#[test]
fn a_live_capture_is_shown_as_it_comes() {
    for (format, is) in [("text", "hello"), ("ndjson", "\"text\":\"hello\"")] {
        let packets = packets("client text \"hello\"\nserver text \"hi\"\n");
        let file = pcap(&packets);
        let mut child = wstool(&["decode", "-v", "table", "--format", format, "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary was built");
        let mut pipe = child.stdin.take().expect("a pipe");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        let (send, shown) = mpsc::channel();
        let reader = thread::spawn(move || lines.map_while(Result::ok).try_for_each(|line| send.send(line)));

        // The file header, and packets up to the one with the frame; then nothing for now.
        let (mut at, mut told) = (24, false);
        pipe.write_all(&file[..24]).expect("it reads");
        for (_, packet) in &packets {
            let end = at + 16 + packet.len();
            pipe.write_all(&file[at..end]).expect("it reads");
            pipe.flush().expect("it reads");
            at = end;
            if packet.len() == 14 + 20 + 20 + 11 {
                let seen = || shown.recv_timeout(Duration::from_secs(20)).expect("the frame is shown");
                while !told {
                    told = seen().contains(is);
                }
            }
        }
        assert!(told, "{format}");
        drop(pipe);
        assert!(child.wait().expect("it ends").success());
        let _ = reader.join();
    }
}

/// A reader that has seen enough is no error, and nobody is told so.
#[test]
fn threads_change_nothing_that_is_shown() {
    let whole = capture();
    for (name, content) in [("threads.pcap", &whole[..]), ("threads-cut.pcap", &whole[..whole.len() - 3])] {
        let input = file(name, content);
        let on = |threads: &str| output(&mut wstool(&["decode", "--threads", threads, &input]));
        let one = on("1");
        assert!(one.1.contains("connection 1"), "{one:?}");
        for threads in ["2", "16", "auto"] {
            assert_eq!(on(threads), one, "{name}, {threads}");
        }
    }
    let (code, _, err) = output(&mut wstool(&["decode", "--threads", "0", "8105"]));
    assert!(code == 2 && err.contains("a number from 1, or auto"), "{err}");
}

#[test]
fn a_broken_pipe_is_silent() {
    let big =
        file("big.pcap", &pcap(&packets("server text \"0123456789\" size=400000 fragment=10 mss=1400\n")));
    let views =
        [&[][..], &["-v", "table"], &["--format", "ndjson"], &["--format", "json"], &["-v", "messages"]];
    for (threads, view) in ["1", "2"].into_iter().flat_map(|threads| views.map(|view| (threads, view))) {
        let args = [&["decode", "--threads", threads, &big], view].concat();
        let mut child = wstool(&args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built");
        let mut first = String::new();
        let mut out = BufReader::new(child.stdout.take().expect("a pipe"));
        out.read_line(&mut first).expect("a line");
        assert!(!first.is_empty());
        drop(out);
        let ended = child.wait_with_output().expect("it ends");
        assert_eq!(ended.status.code(), Some(0), "{args:?}");
        assert!(ended.stderr.is_empty(), "{args:?}: {}", String::from_utf8_lossy(&ended.stderr));
    }
}

#[test]
fn what_memory_may_be_is_said_in_numbers_that_mean_something() {
    let (code, _, err) = output(&mut wstool(&["decode", "--memory", "1k", "8105"]));
    assert_eq!(code, 2);
    assert!(err.contains("1024 is less than 65536"), "{err}");
    let (_, _, chinese) = output(&mut wstool(&["--lang", "zh", "decode", "--memory", "1k", "8105"]));
    assert!(chinese.contains("要不小于 65536 的数"), "{chinese}");
}

#[test]
fn colours_are_for_terminals_and_for_those_who_ask() {
    let plain = output(&mut wstool(&["decode", BROKEN])).1;
    assert!(!plain.contains('\x1b'), "a pipe is no terminal");
    let asked = output(&mut wstool(&["decode", "--color", "always", BROKEN])).1;
    assert!(asked.contains("\x1b["));
    let both = output(wstool(&["decode", "--color", "always", BROKEN]).env("NO_COLOR", "1")).1;
    assert!(both.contains("\x1b["), "what was asked for on the command line counts more");
    for args in [&["decode", BROKEN][..], &["--color", "never", "decode", BROKEN]] {
        assert!(!output(wstool(args).env("NO_COLOR", "1")).1.contains('\x1b'), "{args:?}");
    }
    // Colours say nothing that words do not.
    let mut text = String::new();
    for (i, part) in asked.split("\x1b[").enumerate() {
        text.push_str(if i == 0 { part } else { part.split_once('m').map_or(part, |(_, rest)| rest) });
    }
    assert_eq!(text, plain);
}

/// Nothing that was on the wire acts on the terminal.
#[test]
fn payloads_do_not_reach_the_terminal_raw() {
    let script = r#"
        request path="/\x1b[31m" header="X-A: \x1b]0;title\x07"
        response
        client text "\x1b[2J\x9b1m\x07\r\n\x08 \xe2\x80\xae evil \xc2\x9b"
        server binary 1b5b324a
        client close 1000 "\x1b[0m"
    "#;
    let input = file("evil.pcap", &pcap(&packets(script)));
    for view in VIEWS.map(|view| view.name) {
        for format in ["text", "ndjson"] {
            let out = output(&mut wstool(&["decode", "-v", view, "--format", format, &input])).1;
            let bad = out.chars().find(|c| {
                c.is_control() && *c != '\n'
                    || matches!(*c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
            });
            assert_eq!(bad, None, "{view}, {format}");
        }
    }
}

#[test]
fn limits_select_and_stop() {
    let input = file("limit.pcap", &capture());
    let table = |args: &[&str]| {
        let (code, out, err) = output(&mut wstool(&[&["decode", "-v", "table", &input], args].concat()));
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        out
    };
    assert!(!table(&["--limit", "1"]).contains("howdy"));
    assert!(!table(&["--from", "server"]).contains("hello"));
    assert!(!table(&["--grep", "^b.e$"]).contains("hello"));
    assert!(table(&["--findings"]).contains("unmasked-client-frame"));
    let (code, out, err) = output(&mut wstool(&["decode", "-v", "table", "--stream", "7", &input]));
    assert!(code == 2 && !out.contains("text"), "{out}");
    assert!(err.contains("there is no connection 7: they are numbered 1 to 1"), "{err}");
}

/// Nothing that was asked for is missing without a word: a check over it would be green for nothing.
#[test]
fn connections_are_chosen_in_several_ways() {
    let sample = |args: &[&str]| {
        output(&mut wstool(
            &[&["decode", "samples/chat.pcap", "-v", "table", "--fail-on", "error"], args].concat(),
        ))
    };
    let frames = |out: &str, conn: &str| {
        out.lines().filter(|line| line.get(27..30).is_some_and(|column| column.trim() == conn)).count() > 2
    };
    for (streams, one, two) in [
        ("1", true, false),
        ("1,2", true, true),
        ("2-9", false, true),
        ("127.0.0.1:48676", false, true),
        ("127.0.0.1", true, true),
        ("/chat", true, true),
        ("/chat?name=Anna", true, false),
    ] {
        let (code, out, err) = sample(&["-s", streams]);
        assert_eq!(
            (code, &*err, frames(&out, "1"), frames(&out, "2")),
            (0, "", one, two),
            "{streams}:\n{out}"
        );
    }
    for (streams, missing) in
        [("3", "3"), ("1,3-5", "3-5"), ("127.0.0.1:1", "127.0.0.1:1"), ("/other", "/other")]
    {
        let (code, _, err) = sample(&["-s", streams]);
        assert_eq!(code, 2, "{streams}");
        assert!(
            err.contains(&format!("there is no connection {missing}: they are numbered 1 to 2")),
            "{err}"
        );
    }
    // When the limit is reached, nobody has looked at the rest.
    assert_eq!(sample(&["-s", "1,9", "-n", "1"]).0, 0);
    assert_eq!(sample(&["-s", "0"]).0, 2);
    let (_, out, _) = sample(&["-o", "close,ping", "--payload-limit", "4k"]);
    assert!(out.contains(" close ") && !out.contains(" text "), "{out}");
}

/// A pattern is looked for in what is shown, inflated and put together, and its frames come with it.
#[test]
fn grep_matches_what_is_shown() {
    let script = fs::read_to_string("samples/clean/deflate.script").expect("a sample");
    let input = file("deflate.pcap", &pcap(&packets(&script)));
    let shown = |view: &str, pattern: &str, extra: &[&str]| {
        let args = [&["decode", "-v", view, "--grep", pattern, &input], extra].concat();
        output(&mut wstool(&args)).1
    };
    let numbers = |text: &str, column: std::ops::Range<usize>| -> Vec<u32> {
        text.lines().filter_map(|line| line.get(column.clone())?.trim().parse().ok()).collect()
    };
    // Eight frames of the first connection, two of the second; the closes and the empty message are not.
    let table = shown("table", "^Hello$", &[]);
    assert_eq!(numbers(&table, 0..5), [1, 2, 3, 4, 5, 6, 7, 8, 1, 2], "{table}");
    let tree = shown("tree", "^Hello$", &[]);
    assert_eq!(tree.lines().filter(|line| line.starts_with("frame ")).count(), 10, "{tree}");
    for view in ["bits", "hex"] {
        let text = shown(view, "^Hello$", &[]);
        assert_eq!(text.lines().filter(|line| line.starts_with("frame ")).count(), 10, "{text}");
    }
    let messages = shown("messages", "^Hello$", &[]);
    assert_eq!(messages.lines().filter(|line| line.starts_with("message ")).count(), 9, "{messages}");
    let records = shown("tree", "^Hello$", &["--format", "ndjson"]);
    assert_eq!(records.matches(r#""type":"frame""#).count(), 10, "{records}");
    assert_eq!(records.matches(r#""type":"message""#).count(), 9);
    let stats = shown("stats", "^Hello$", &["--format", "ndjson"]);
    assert!(stats.contains(r#""conn":null,"connections":2,"#), "{stats}");
    assert!(stats.contains(r#""frames":{"client":{"text":2,"binary":0,"continuation":1,"#), "{stats}");
    // What nobody sees does not match: the compressed bytes, and two texts across a frame's end.
    for nothing in ["\\x48\\xcd", "HelloHello", "no such thing"] {
        let table = shown("table", nothing, &["--no-verdict"]);
        assert_eq!(table.lines().count(), 2, "{table}");
    }
}

/// Only a WebSocket has a closing handshake to miss, and only Engine.IO has sessions.
#[test]
fn what_a_connection_was_decides_what_is_said_of_it() {
    let refused = "request\nserver raw \"HTTP/1.1 403 Forbidden\\r\\nContent-Length: 0\\r\\n\\r\\n\"\n\
                   fin server\nfin client\n";
    let input = file("refused.pcap", &pcap(&packets(refused)));
    let (_, table, _) = output(&mut wstool(&["decode", "-v", "table", &input]));
    assert!(table.contains("end    TCP closed\n"), "{table}");
    let polling = output(&mut wstool(&["decode", "-v", "table", "samples/socketio/v4-polling.pcap.gz"])).1;
    assert!(polling.contains("TCP closed\n") && !polling.contains("closing handshake"), "{polling}");
    let unclean = file("unclean.pcap", &pcap(&packets("client text \"hi\"\nfin server\nfin client\n")));
    let (_, table, _) = output(&mut wstool(&["decode", "-v", "table", &unclean]));
    assert!(table.contains("TCP closed without a complete"), "{table}");
    let (_, session, _) = output(&mut wstool(&["decode", "-v", "session", "samples/chat.pcap"]));
    assert!(session.contains("no Engine.IO session here"), "{session}");
    let (_, session, _) =
        output(&mut wstool(&["decode", "-v", "session", "samples/socketio/v4-polling.pcap.gz"]));
    assert!(!session.contains("no Engine.IO session here"), "{session}");
}

/// A tunnel through a proxy is a part of the story.
#[test]
fn connect_and_its_answer_are_shown() {
    let script = fs::read_to_string("samples/connect-tunnel.script").expect("a sample");
    let input = file("tunnel.pcap", &pcap(&packets(&script)));
    for args in [
        &["-v", "tree"][..],
        &["-v", "bits"],
        &["-v", "table"],
        &["-v", "session"],
        &["--format", "json"],
        &["--format", "ndjson"],
    ] {
        let (code, out, _) = output(&mut wstool(&[&["decode", &input], args].concat()));
        let at = |words: &str| out.find(words).unwrap_or_else(|| panic!("{args:?}: no {words}:\n{out}"));
        assert_eq!(code, 0);
        assert!(at("CONNECT example.com:80") < at("HTTP/1.1 200 Connection"), "{out}");
        // The handshake inside, of which sessions show the answer.
        let inside = if args == ["-v", "session"] { "HTTP/1.1 101" } else { "GET /chat" };
        assert!(at("HTTP/1.1 200 Connection") < at(inside), "{out}");
    }
    // There the head is its bytes.
    let (_, hex, _) = output(&mut wstool(&["decode", &input, "-v", "hex"]));
    assert!(hex.matches("\nrequest ").count() == 2 && hex.contains("CONNECT"), "{hex}");
    // What goes through other tunnels is nobody's business here.
    let other = "no-handshake\nclient raw \"CONNECT a:22 HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n\"\n\
                 server raw \"HTTP/1.1 200 OK\\r\\n\\r\\n\"\nserver raw \"SSH-2.0-OpenSSH_9.6\\r\\n\"\n";
    let input = file("ssh.pcap", &pcap(&packets(other)));
    let (_, out, _) = output(&mut wstool(&["decode", "-v", "table", &input]));
    assert!(!out.contains("CONNECT"), "{out}");
}

/// Ctrl-C ends a live view as the end of the input would: everything is closed, nothing is lost.
#[cfg(target_os = "linux")]
#[test]
fn ctrl_c_ends_the_output_properly() {
    let run = |input: &[u8], args: &[&str]| {
        let mut child = wstool(&[&["decode", "-"], args].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary was built");
        let mut pipe = child.stdin.take().expect("a pipe");
        pipe.write_all(input).expect("it reads");
        pipe.flush().expect("it reads");
        // Bit 2 of the signals that are caught: SIGINT.
        let is_caught = || {
            let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
            let mask = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim();
            u64::from_str_radix(mask, 16).is_ok_and(|mask| mask & 2 != 0)
        };
        for _ in 0..1000 {
            if is_caught() {
                break;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let pid = child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().expect("there is kill").success());
        // The pipe stays open: only Ctrl-C ends it.
        let out = child.wait_with_output().expect("it ends");
        drop(pipe);
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (out.status.code(), text(out.stdout), text(out.stderr))
    };
    let small = capture();
    // More than is under way between two threads.
    let long = pcap(&packets("server text \"0123456789\" size=400000 fragment=10 mss=1400\n"));
    for threads in ["1", "2"] {
        let (code, out, err) = run(&small, &["--threads", threads, "--format", "json"]);
        assert_eq!((code, &*err), (Some(130), ""));
        let records: Vec<serde_json::Value> = serde_json::from_str(&out).expect("a closed array");
        let last = records.last().expect("a summary");
        assert_eq!((&last["type"], &last["frames"]), (&"summary".into(), &3.into()), "{out}");
        assert_eq!((&last["complete"], &last["error"]), (&false.into(), &"stopped by Ctrl-C".into()));
        let (code, out, _) = run(&small, &["--threads", threads, "-v", "table"]);
        assert_eq!(code, Some(130));
        assert!(out.contains("howdy") && out.contains("1 connection, 3 frames, 3 messages"), "{out}");
        let (code, out, _) = run(&long, &["--threads", threads, "-v", "stats"]);
        assert_eq!(code, Some(130));
        assert!(out.contains("1 connection, 40,000 frames") && out.contains("stopped by Ctrl-C"), "{out}");
    }
}

/// Bytes that nobody put in quotes are one input; a file of such a name is a file.
#[test]
fn single_bytes_are_joined() {
    for bytes in [&["81", "05", "48", "65", "6c", "6c", "6f"][..], &["0x81,", "0x01,", "0x48"]] {
        let (code, out, err) = output(&mut wstool(&[&["decode", "-v", "table"], bytes].concat()));
        assert_eq!((code, err.as_str()), (0, ""));
        assert!(out.contains("text") && out.contains("1 connection, 1 frame"), "{out}");
    }
    assert_eq!(output(&mut wstool(&["decode", "8100", "8100"])).1.matches("summary").count(), 1);
}

/// Nobody's terminal is narrower than 80 columns.
#[test]
fn help_fits() {
    for command in ["", "accept", "decode", "encode", "replay", "completions", "man"] {
        for help in ["-h", "--help"] {
            let args: Vec<&str> = [command, help].into_iter().filter(|arg| !arg.is_empty()).collect();
            let (code, out, _) = output(wstool(&args).env("COLUMNS", "200"));
            assert_eq!(code, 0);
            for line in out.lines() {
                assert!(line.chars().count() <= 80, "{args:?}: {line}");
            }
        }
    }
}

/// What `encode` wrote, `decode` gives back.
#[test]
fn encode_and_decode_are_inverse() {
    let out = file("encoded.pcap", b"");
    let args = [
        "encode", "--text", "hello", "--binary", "00ff", "--ping", "p", "--close", "1000", "--reason", "bye",
        "--seed", "5",
    ];
    let (code, _, err) = output(&mut wstool(&[&args[..], &["--pcap", &out]].concat()));
    assert_eq!((code, err.as_str()), (0, ""));
    let first = fs::read(&out).expect("it was written");
    output(&mut wstool(&[&args[..], &["--pcap", &out]].concat()));
    assert_eq!(fs::read(&out).expect("it was written"), first, "a seed decides every byte");
    let shown = output(&mut wstool(&["decode", "-v", "table", "--from", "client", &out])).1;
    for part in ["hello", "00 ff", "ping", "1000 Normal Closure"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    for form in [&["--raw"][..], &["--c-array"], &[]] {
        let encoded =
            wstool(&[&["encode", "--text", "hello", "--seed", "5"], form].concat()).output().expect("built");
        let input = file("encoded.form", &encoded.stdout);
        assert!(output(&mut wstool(&["decode", "-v", "table", &input])).1.contains("hello"), "{form:?}");
    }
}

/// ws, CVE-2026-45736: the length of a reason was counted in characters, not bytes.
#[test]
fn a_reason_is_measured_in_bytes() {
    for (reason, expected) in
        [("x".repeat(123), 0), ("x".repeat(124), 2), ("é".repeat(61), 0), ("é".repeat(62), 2)]
    {
        let (code, out, err) = output(&mut wstool(&["encode", "--close", "1000", "--reason", &reason]));
        assert_eq!(code, expected, "{} bytes: {out}{err}", reason.len());
    }
}

const COMMANDS: [&str; 6] = ["accept", "decode", "encode", "replay", "completions", "man"];

#[test]
fn completions_know_every_command() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, err) = output(&mut wstool(&["completions", shell]));
        assert_eq!((code, err.as_str()), (0, ""));
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: {command}");
        }
        assert!(script.contains("fail-on"), "{shell}");
        if shell == "bash" {
            let path = file("completions.bash", script.as_bytes());
            if let Ok(checked) = Command::new("bash").args(["-n", &path]).output() {
                assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
            }
        }
        if shell == "fish" {
            fish_proposes(&script);
        }
    }
}

/// What a real fish proposes, where there is one: words to choose from, and files where a command takes them.
fn fish_proposes(script: &str) {
    let path = file("completions.fish", script.as_bytes());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("fish");
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join("a.pcap"), "").expect("a file");
    for (line, proposed, not) in [
        ("wstool serve ", &["ws", "socketio", "tcp", "poll"][..], "a.pcap"),
        ("wstool explain 100", &["1000", "1006"], "a.pcap"),
        ("wstool decode ", &["a.pcap"], "ws"),
        ("wstool decode --lang ", &["en", "zh"], "a.pcap"),
        ("wstool serve --pcap ", &["a.pcap"], "ws"),
    ] {
        let ask = format!("source {path}; complete -C '{line}'");
        let fish = Command::new("fish").args(["--no-config", "-c", &ask]).current_dir(&folder).output();
        let Ok(fish) = fish else {
            println!("skipped: there is no fish here");
            return;
        };
        let said = String::from_utf8_lossy(&fish.stdout);
        let words: Vec<&str> = said.lines().filter_map(|line| line.split('\t').next()).collect();
        assert!(proposed.iter().all(|word| words.contains(word)) && !words.contains(&not), "{line}: {said}");
    }
}

#[test]
fn the_manual_knows_every_command() {
    let (code, page, _) = output(&mut wstool(&["man"]));
    assert_eq!(code, 0);
    assert!(page.starts_with(".ie") || page.contains(".TH"), "{page}");
    for command in COMMANDS {
        assert!(page.contains(command), "{command}");
        let (code, page, _) = output(&mut wstool(&["man", command]));
        assert!(code == 0 && page.contains(".TH"), "{command}");
    }
    assert!(output(&mut wstool(&["man", "decode"])).1.contains("fail"), "options are described");
}

/// What to change is said once, by whoever knows what is behind it; a page of `explain` says the same.
#[test]
fn what_to_change_is_said_once() {
    let script = include_str!("../../samples/broken/no-sticky-session.script");
    let capture = file("no-sticky-session.pcap", &pcap(&packets(script)));
    for (lang, fix, try_) in [("en", "  fix  ", "  try  "), ("zh", "  改法  ", "  试试  ")] {
        let text = output(&mut wstool(&[
            "--lang",
            lang,
            "decode",
            &capture,
            "--view",
            "session",
            "--explain",
            "--no-verdict",
        ]))
        .1;
        let page = output(&mut wstool(&["--lang", lang, "explain", "no-sticky-session"])).1;
        // Two sessions met it.
        assert_eq!((text.matches(fix).count(), text.matches(try_).count()), (0, 2), "{text}");
        let words = text.split_once(try_).map(|(_, rest)| rest.trim_start()).unwrap_or_default();
        let first: String = words.chars().take(12).collect();
        assert!(page.contains(&first), "{first}: {page}");
    }
}

/// `--explain` says why, in the chosen language, once a rule; programs get what they always got.
#[test]
fn findings_are_explained_once() {
    const TWICE: &str = "83008300";
    let decode = |more: &[&str]| output(&mut wstool(&[&["decode", TWICE], more].concat())).1;
    assert_eq!(decode(&["--lang", "en"]).matches("because").count(), 0);
    for view in ["tree", "bits", "hex", "messages"] {
        let text = decode(&["--lang", "en", "--explain", "--view", view]);
        assert_eq!(text.matches("  error    reserved-opcode").count(), 2, "{text}");
        for words in ["because   Nobody knows how to read such a frame", "fix       Use 0x0, 0x1"] {
            assert_eq!(text.matches(words).count(), 1, "{view}: {text}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
    assert!(decode(&["--lang", "zh", "--explain"]).contains("没有人知道这样的帧怎么读"));
    for format in ["json", "ndjson"] {
        assert_eq!(decode(&["--format", format, "--explain"]), decode(&["--format", format]));
    }
}

/// `samples/…` is a file in the clone and a sample of the tool everywhere else.
#[test]
fn samples_are_there_in_every_folder() {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cli-samples");
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).expect("there is room");
    let here = |args: &[&str]| output(wstool(args).current_dir(&place));
    for (args, says) in [
        (&["decode", "samples/chat.pcap"][..], "samples/chat.pcap  pcap · ETHERNET"),
        (&["decode", "./samples/socketio/v4-polling.pcap.gz", "--view", "stats"], "27 connections"),
        (&["compare", "samples/compare/polling.pcap", "samples/compare/websocket.pcap"], "Counted in"),
        (&["replay", "samples/handshakes/rfc6455.http", "--brief"], "open"),
        (&["replay", "samples/chat.pcap", "--brief"], "open"),
        (&["encode", "--script", "samples/hole.script", "--seed", "1"], "81 06"),
        (&["encode", "--binary", "samples/rfc6455/5.7-ping.hex", "--from", "server"], "82"),
    ] {
        let (code, out, err) = here(args);
        assert_eq!((code, &*err), (0, ""), "{args:?}");
        assert!(out.contains(says), "{args:?}: {out}");
    }
    let (code, _, err) = here(&["decode", "samples/hole.script"]);
    assert!(code == 2 && err.contains("this is a script"), "{err}");
    let (code, _, err) = here(&["decode", "samples/chat.pcp"]);
    assert!(code == 2 && err.contains("wstool samples names them") && err.lines().count() == 1, "{err}");
    // A file of that name is meant before the sample is.
    fs::create_dir_all(place.join("samples")).expect("there is room");
    fs::write(place.join("samples/chat.pcap"), "81 00").expect("there is room");
    let (_, out, _) = here(&["decode", "samples/chat.pcap"]);
    assert!(!out.contains("ETHERNET") && out.contains("text"), "{out}");
}

#[test]
fn samples_are_listed_and_written() {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cli-samples-to");
    let _ = fs::remove_dir_all(&place);
    let to = place.to_str().expect("a path in UTF-8");
    for lang in ["en", "zh"] {
        let (code, list, err) = output(&mut wstool(&["--lang", lang, "samples"]));
        assert_eq!((code, &*err), (0, ""));
        assert!(list.lines().all(|line| wstool::render::columns::width(line) <= 80), "{list}");
        assert!(list.lines().count() > 250 && list.contains("  samples/handshakes/rfc6455.http "), "{list}");
    }
    let (_, few, _) = output(&mut wstool(&["samples", "chromium", "pcap"]));
    assert_eq!(few.matches("  samples/").count(), 11, "{few}");
    let (_, records, _) = output(&mut wstool(&["samples", "--format", "json"]));
    let records: serde_json::Value = serde_json::from_str(&records).expect("JSON");
    let rule = records.as_array().expect("a list").iter().find(|r| r["rule"] == "invalid-utf8");
    assert_eq!(rule.expect("one breaks it")["path"], "samples/broken/invalid-utf8.script");
    let written = |args: &[&str]| output(&mut wstool(&[&["samples", "--to", to], args].concat()));
    let (code, said, _) = written(&[]);
    assert!(code == 0 && said.contains("files written into"), "{said}");
    let one = fs::read(place.join("samples/chat.pcap")).expect("it was written");
    assert_eq!(one, fs::read(sample("chat.pcap")).expect("it is in the clone"));
    // Again, and nothing is lost that somebody changed.
    assert_eq!(written(&[]).0, 0);
    fs::write(place.join("samples/hole.script"), "mine").expect("there is room");
    let (code, _, err) = written(&[]);
    assert!(code == 2 && err.contains("hole.script is there already and differs"), "{err}");
    assert_eq!(written(&["--force"]).0, 0);
    let printed = wstool(&["samples", "samples/chat.pcap", "--to", "-"]).output().expect("it runs").stdout;
    assert_eq!(printed, one);
    assert_eq!(output(&mut wstool(&["samples", "no-such-word"])).0, 2);
}

#[test]
fn what_is_shown_goes_into_a_file() {
    let input = sample("chat.pcap");
    let input = input.to_str().expect("UTF-8");
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
    let to = place.join("shown");
    let to = to.to_str().expect("UTF-8");
    for format in ["text", "json", "ndjson", "html"] {
        let plain = ["decode", "--format", format, input];
        let (code, expected, _) = output(&mut wstool(&plain));
        assert_eq!(code, 0);
        let colored = [&["--color", "always"], &plain[..], &["--output", to]].concat();
        let (code, out, err) = output(&mut wstool(&colored));
        assert_eq!((code, &*out, &*err), (0, "", ""), "{format}");
        assert!(fs::read_to_string(to).expect("it is there") == expected, "{format}");
    }
    // Several inputs, and pasted packets, too.
    assert_eq!(output(&mut wstool(&["decode", HELLO, BROKEN, "--output", to])).1, "");
    assert!(fs::read_to_string(to).expect("it is there").contains("Hello"));
    assert_eq!(output(&mut wstool(&["decode", "--as", "socketio", "42[\"hi\"]", "--output", to])).1, "");
    assert!(fs::read_to_string(to).expect("it is there").contains("hi"));
    // An input is not written over, and what cannot be written is told.
    let copy = file("copy.pcap", &fs::read(input).expect("it is in the clone"));
    let (code, _, err) = output(&mut wstool(&["decode", &copy, "--output", &copy]));
    assert!(code == 2 && err.contains("this is the input"), "{err}");
    assert_eq!(fs::read(&copy).ok(), fs::read(input).ok());
    let folder = place.to_str().expect("UTF-8");
    let (code, _, err) = output(&mut wstool(&["decode", input, "--output", folder]));
    assert!(code == 2 && err.contains("this is a folder"), "{err}");
    // Who means a file by -o gets it, and is told how that is said.
    let page = place.join("page.html");
    let named = page.to_str().expect("UTF-8");
    let (code, out, err) = output(&mut wstool(&["decode", "--format", "html", "-o", named, input]));
    assert!(code == 0 && out.is_empty() && err.contains("--output "), "{code} {err}");
    assert!(fs::read_to_string(&page).expect("it is there").contains("</html>"));
    let (code, _, err) = output(&mut wstool(&["decode", "-o", "packets.pcap", input]));
    assert!(code == 2 && err.contains("--write packets.pcap"), "{err}");
}

#[test]
fn a_page_is_not_for_a_terminal() {
    let line = format!("{} decode --format html {HELLO}", env!("CARGO_BIN_EXE_wstool"));
    let Ok(shown) = Command::new("script").args(["-qec", &line, "/dev/null"]).stdin(Stdio::null()).output()
    else {
        println!("skipped: `script` is not installed");
        return;
    };
    let text = String::from_utf8_lossy(&shown.stdout);
    assert_eq!(shown.status.code(), Some(2), "{text}");
    assert!(text.contains("--output page.html") && !text.contains("<html"), "{text}");
}

fn sample(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("samples").join(name)
}
