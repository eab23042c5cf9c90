//! Those who come from other tools, with narrow terminals and old locales, are understood.
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;

use unicode_width::UnicodeWidthStr;
use wstool::render::VIEWS;

use crate::run::{packets, pcap};

fn wstool(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wstool"));
    command.args(args).env("LC_ALL", "C.UTF-8").env_remove("COLUMNS").stdin(Stdio::null());
    command
}

/// Exit code, standard output, standard error.
fn output(command: &mut Command) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.output().expect("the binary was built");
    let text = |bytes| String::from_utf8(bytes).expect("output is UTF-8");
    (status.code().expect("no signal"), text(stdout), text(stderr))
}

/// A capture, written once: other tests read it meanwhile.
fn capture() -> String {
    static PATH: LazyLock<PathBuf> = LazyLock::new(|| {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("habits.pcap");
        let script =
            "client text \"hello\"\nserver text \"howdy\"\nserver close 1000 \"bye\"\nclient close 1000\n";
        fs::write(&path, pcap(&packets(script))).expect("there is room");
        path
    });
    PATH.to_str().expect("a path in UTF-8").to_owned()
}

/// What is no command but can be decoded is decoded.
#[test]
fn an_input_alone_is_decoded() {
    let file = capture();
    let expected = output(&mut wstool(&["decode", "--view", "table", &file]));
    for args in [&[&*file, "--view", "table"][..], &["--view", "table", &file], &["-v", "table", &file]] {
        assert_eq!(output(&mut wstool(args)), expected, "{args:?}");
    }
    let (_, out, _) = output(&mut wstool(&["--lang", "zh", &file]));
    assert!(out.contains("客户端"), "{out}");
    assert!(output(&mut wstool(&["818537fa213d7f9f4d5158"])).1.contains("Hello"));
    let mut piped = wstool(&["-", "-v", "stats"]);
    let (code, out, err) = output(piped.stdin(fs::File::open(&file).expect("it was written")));
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with("1 connection"), "{out}");
    let (code, _, err) = output(&mut wstool(&["nothing/here.pcap"]));
    assert_eq!((code, &*err), (2, "error: nothing/here.pcap: no such file, and it is not hex either\n"));
    let (code, _, err) = output(&mut wstool(&["decod"]));
    assert!(code == 2 && err.contains("'decode'"), "a command is still proposed: {err}");
}

/// Options of other tools are answered with the line that is meant, which works.
#[test]
fn options_of_other_tools_are_said_otherwise() {
    let file = capture();
    for (args, line) in [
        (&["decode", &file, "--json"][..], "decode --format json FILE"),
        (&["-r", &file, "-Y", "websocket.opcode == 8", "--json"], "decode --opcode close --format json FILE"),
        (&[&file, "--stats"], "decode --view stats FILE"),
        (&["decode", "--follow", &file], "decode --stream 1 --view messages FILE"),
        (&["decode", "--port", "80", &file], "decode --stream :80 FILE"),
        (&["decode", "-q", "-z", "io,stat,0", "-r", &file], "decode --view stats FILE"),
        (&["decode", "-t", "ad", &file], "decode --time utc FILE"),
    ] {
        let (code, out, err) = output(&mut wstool(args));
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        let said = err.lines().nth(1).unwrap_or_default().trim();
        assert_eq!(said, format!("wstool {}", line.replace("FILE", &file)), "{args:?}: {err}");
        let words: Vec<&str> = said.split(' ').skip(1).collect();
        let (code, out, err) = output(&mut wstool(&words));
        assert_eq!((code, err.as_str(), out.is_empty()), (0, "", false), "{said}: what is proposed works");
    }
    let (code, _, err) = output(&mut wstool(&["-i", "eth0"]));
    assert!(code == 2 && err.contains("tcpdump -i eth0 --immediate-mode -U -w - | wstool decode -"), "{err}");
    let (code, _, err) = output(&mut wstool(&["--lang", "zh", "decode", "--json", &file]));
    assert!(code == 2 && err.starts_with("错误：--json 在这里写成：\n"), "{err}");
    for args in [&["lesson", "--json"][..], &["decode", "--frobnicate", &file]] {
        let (code, _, err) = output(&mut wstool(args));
        assert!(code == 2 && err.contains("unexpected argument"), "what nobody knows is not guessed: {err}");
    }
}

/// What is said in another tool's options and can be nothing else is done, and it is said as what.
#[test]
fn a_display_filter_is_taken_for_what_it_says() {
    let file = capture();
    for (args, line) in [
        (&["-r", &*file][..], "decode FILE"),
        (&["-r", &file, "-Y", "websocket.opcode == 8"], "decode --opcode close FILE"),
        (&["decode", "-Y", "websocket.opcode == 8", &file], "decode --opcode close FILE"),
        (&["-Ywebsocket && tcp.port == 80", "-v", "table", &file], "decode --stream :80 -v table FILE"),
        (&[&file, "--display-filter=websocket.payload contains \"how\""], "decode --grep how FILE"),
        (&["--lang", "zh", "-r", &file, "-Y", "websocket"], "decode --lang zh FILE"),
    ] {
        let line = line.replace("FILE", &file);
        let (code, out, err) = output(&mut wstool(args));
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!((code, out), (0, output(&mut wstool(&words)).1), "{args:?}");
        assert!(err.ends_with(&format!("wstool {line}\n")) && err.lines().count() == 1, "{err}");
    }
    // Nothing is done that is not certain, or cannot be said.
    for args in [
        &["-Y", "websocket"][..],
        &["-r", &file, "-Y", "tcp.stream == 0"],
        &["decode", "-Y", "websocket.opcode > 7", &file],
        &["-i", "any", "-Y", "websocket"],
    ] {
        let (code, out, err) = output(&mut wstool(args));
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(err.starts_with("error: "), "{err}");
    }
}

#[test]
fn a_url_is_answered_with_a_capture() {
    for (args, line, is_secure) in [
        (&["decode", "ws://127.0.0.1:8080/chat"][..], "port 8080 |", false),
        (&["decode", "wss://example.com/feed"], "port 443 |", true),
        (&["http://example.com/"], "port 80 |", false),
    ] {
        let (code, out, err) = output(&mut wstool(args));
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains(line) && err.contains("wstool replay --to ws"), "{args:?}: {err}");
        assert_eq!(err.contains("encrypted"), is_secure, "{args:?}: {err}");
        assert!(err.contains("wstool connect -v ws"), "{args:?}: {err}");
    }
}

/// A URL in a command's place is connected to, with the options of `connect`.
#[test]
fn a_web_socket_s_url_is_connected_to() {
    for args in [&["ws://127.0.0.1:1/"][..], &["--color", "never", "WSS://127.0.0.1:1/", "--timeout", "5"]] {
        let (code, out, err) = output(wstool(args).env("no_proxy", "*"));
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.starts_with("not open: 127.0.0.1:1 refuses connections"), "{args:?}: {err}");
    }
}

/// Whatever the width, no line is broken by the terminal. Only diagrams are as wide as they are.
#[test]
fn narrow_terminals_have_whole_lines() {
    let samples = ["chat.pcap", "socketio/v2-raw.pcap.gz", "broken/connection-refused.pcap"];
    for sample in samples.map(|name| format!("{}/samples/{name}", env!("CARGO_MANIFEST_DIR"))) {
        for (view, lang) in VIEWS.iter().flat_map(|view| [(view.name, "en"), (view.name, "zh")]) {
            for width in [40, 55, 64, 79] {
                let args = ["--lang", lang, "decode", "--explain", "--view", view, &sample];
                let (_, out, _) = output(wstool(&args).env("COLUMNS", width.to_string()));
                for line in out.lines().filter(|line| line.width() > width) {
                    let is_drawn = line.contains('|')
                        || line.contains("-+")
                        || line.contains("- +")
                        || line.contains("1 2 3 4")
                        || line.trim_start().starts_with(':')
                        || line.trim_start().starts_with("0  ");
                    assert!(view == "bits" && is_drawn, "{view} of {sample} at {width}: {line}");
                }
                assert!(!out.is_empty());
            }
        }
    }
}

/// The environment is asked in pipes, too; what somebody says counts more.
#[test]
fn the_environment_is_asked_in_pipes() {
    let file = capture();
    let widest = |command: &mut Command| output(command).1.lines().map(UnicodeWidthStr::width).max();
    let decode = ["decode", "--view", "tree", &file];
    let narrow = widest(wstool(&decode).env("COLUMNS", "50"));
    assert!(narrow <= Some(50), "{narrow:?}");
    assert!(widest(wstool(&decode).env("COLUMNS", "nonsense")) <= Some(80));
    let wide = widest(wstool(&[&decode[..], &["--width", "80"]].concat()).env("COLUMNS", "50"));
    assert!(wide > Some(50), "{wide:?}");
    for (locale, lang, is_ascii) in
        [("C", "en", true), ("POSIX", "en", true), ("C.UTF-8", "en", false), ("C", "zh", false)]
    {
        for args in [&["--lang", lang, "decode", &file][..], &["--lang", lang, "explain", "ping"]] {
            let (_, out, _) = output(wstool(args).env("LC_ALL", locale));
            assert_eq!(out.is_ascii(), is_ascii, "{locale} {args:?}: {out}");
        }
    }
    let records = ["decode", "--format", "ndjson", &file];
    assert_eq!(output(wstool(&records).env("LC_ALL", "C")), output(&mut wstool(&records)));
}
