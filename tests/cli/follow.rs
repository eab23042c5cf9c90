//! Following one thing: a connection by what it is called, what is around a packet, its payloads as files,
//! its packets with what is said of them.
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::run::{packets, pcap, pcapng};
use wstool::model::{Dir, Packet, Time};
use wstool::net::{Glance, glance};
use wstool::synth::tcp::{Delivery, Ends, Tcp};
use wstool::synth::wrap::{Wrap, wrap};

const CHAT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples/chat.pcap");

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

/// A new folder of one test's own.
fn place(test: &str) -> PathBuf {
    let place = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("follow").join(test);
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(&place).expect("there is room");
    place
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

#[test]
fn connections_are_named_by_what_was_asked_for() {
    let frames = |stream: &str| {
        let (code, out, err) = output(&mut wstool(&["decode", "-v", "table", "--stream", stream, CHAT]));
        let conns: Vec<&str> = out
            .lines()
            .filter(|line| line.contains("c→s") || line.contains("s→c"))
            .filter_map(|line| line.get(27..)?.split_whitespace().next())
            .collect();
        (code, conns.contains(&"1"), conns.contains(&"2"), err)
    };
    for both in ["ws://127.0.0.1:8080/chat", "ws://127.0.0.1:8080", ":8080", "/chat", "127.0.0.1:8080"] {
        assert_eq!(frames(both), (0, true, true, String::new()), "{both}");
    }
    assert_eq!(frames("ws://127.0.0.1:8080/chat?name=Anna"), (0, true, false, String::new()));
    for none in ["ws://example.com/chat", "ws://127.0.0.1:8081/chat", "example.com:8080", ":8081"] {
        let (code, one, two, err) = frames(none);
        assert_eq!((code, one, two), (2, false, false), "{none}");
        assert!(err.contains(&format!("there is no connection {none}")), "{err}");
    }
    let (code, _, err) = output(&mut wstool(&["decode", "--stream", "ftp://a/", CHAT]));
    assert!(code == 2 && err.contains("a URL"), "{err}");
}

/// The frames in the window, of the connection of the packet, with times as they are without it.
#[test]
fn what_is_around_a_packet_or_a_time() {
    let shown = |args: &[&str]| {
        let (code, out, err) =
            output(&mut wstool(&[&["decode", "-v", "table", "--no-verdict", CHAT], args].concat()));
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        let frames = out.lines().filter(|line| line.starts_with("   ") && !line.starts_with("      "));
        frames.map(|line| line.get(..17).unwrap_or(line).to_owned() + &line[27..]).collect::<Vec<String>>()
    };
    let all = shown(&[]);
    assert_eq!(all.len(), 36);
    for args in [&["--around", "40"][..], &["--around", "40,3"], &["--around", "0.418s,10ms"]] {
        let some = shown(args);
        assert!(!some.is_empty() && some.len() < all.len(), "{args:?}: {some:?}");
        assert!(some.iter().all(|line| all.contains(line)), "{args:?}: {some:?}");
    }
    let near = shown(&["--around", "40,3"]);
    let conn = |line: &String| line.get(17..22).map(|conn| conn.trim().to_owned());
    assert!(near.iter().all(|line| conn(line) == conn(&near[0])), "one connection: {near:?}");
    // The same place by its packet, by the time since the beginning, and by the time of day.
    let records = output(&mut wstool(&["decode", "-f", "ndjson", CHAT])).1;
    let frame = records.lines().find(|line| line.contains("\"type\":\"frame\"")).expect("there is one");
    let frame: serde_json::Value = serde_json::from_str(frame).expect("JSON");
    let packet = frame["packets"][0].as_u64().expect("a number");
    let by_packet = shown(&["--around", &format!("{packet},100ms"), "--stream", "1-"]);
    assert!(!by_packet.is_empty());
    for (args, says) in [
        (&["--around", "9999"][..], "there is no packet 9999: they are numbered 1 to 80"),
        (&["--around", "noon"], "the number of a packet, or a time"),
    ] {
        let (code, _, err) = output(&mut wstool(&[&["decode", CHAT], args].concat()));
        assert!(code == 2 && err.contains(says), "{err}");
    }
    let (code, _, err) = output(&mut wstool(&["decode", "8100", "--around", "1"]));
    assert!(code == 2 && err.contains("this is no capture"), "{err}");
}

#[test]
fn payloads_are_exported_and_nothing_is_written_over() {
    let place = place("export");
    let script = r#"
        client text "{\"a\": 1}"
        server text "howdy"
        client binary 89 50 4e 47 0d 0a 1a 0a 00
        server binary 00 ff
        client ping "p"
        client text ""
        server text "<?xml version='1.0'?>"
    "#;
    let capture = place.join("capture.pcap");
    fs::write(&capture, pcap(&packets(script))).expect("there is room");
    let folder = place.join("payloads");
    let args = ["decode", "-v", "table", "--export", text(&folder), text(&capture)];
    let (code, shown, err) = output(&mut wstool(&args));
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("exported to") && err.contains("5 files"), "{err}");
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for entry in fs::read_dir(&folder).expect("it was made") {
        let path = entry.expect("it is there").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        files.insert(name, fs::read(&path).expect("it was written"));
    }
    let names: Vec<(&str, &[u8])> =
        files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    let kinds: Vec<&str> = names.iter().filter_map(|(name, _)| name.rsplit('.').next()).collect();
    assert_eq!(kinds.len(), 5, "{names:?}");
    for (from, ending, content) in [
        ("client", "json", &b"{\"a\": 1}"[..]),
        ("server", "txt", b"howdy"),
        ("client", "png", b"\x89PNG\r\n\x1A\n\0"),
        ("server", "bin", b"\0\xFF"),
        ("server", "xml", b"<?xml version='1.0'?>"),
    ] {
        let is_it = |(name, found): &&(&str, &[u8])| {
            name.starts_with(&format!("0001-{from}-")) && name.ends_with(ending) && *found == content
        };
        assert!(names.iter().any(|it| is_it(&it)), "{from} {ending}: {names:?}");
    }
    // What is shown does not change by it.
    assert_eq!(shown, output(&mut wstool(&["decode", "-v", "table", text(&capture)])).1);
    for view in ["tree", "hex", "messages", "session"] {
        let other = place.join(view);
        let with = output(&mut wstool(&["decode", "-v", view, "--export", text(&other), CHAT])).1;
        assert_eq!(with, output(&mut wstool(&["decode", "-v", view, CHAT])).1, "{view}");
    }
    let (code, out, err) = output(&mut wstool(&args));
    assert!(code == 2 && out.is_empty() && err.contains("none is written over"), "{err}");
}

/// The packets come back as they were, and nothing else does.
#[test]
fn packets_are_written() {
    let place = place("write");
    let whole = place.join("whole.pcap");
    output(&mut wstool(&["decode", "-v", "stats", "--write", text(&whole), CHAT]));
    assert_eq!(fs::read(&whole).expect("it was written"), fs::read(CHAT).expect("it is there"));
    for stream in ["1", "2"] {
        let one = place.join(format!("one{stream}.pcapng"));
        let args = ["decode", "-v", "messages", "--no-verdict", "--time", "utc"];
        let selected = ["--stream", stream, "--write", text(&one), CHAT];
        let (code, shown, err) = output(&mut wstool(&[&args[..], &selected].concat()));
        assert!(code == 0 && err.starts_with("written to"), "{err}");
        let (_, again, _) = output(&mut wstool(&[&args[..], &[text(&one)]].concat()));
        // Names, numbers of packets and of the connection differ.
        let words = |text: &str| {
            let lines = text.lines().filter(|line| line.starts_with("  “"));
            lines.map(str::to_owned).collect::<Vec<String>>()
        };
        assert_eq!(words(&shown), words(&again));
        assert!(words(&shown).len() > 5);
    }
    let (code, _, err) = output(&mut wstool(&["decode", "--write", text(&whole), "--grep", "nowhere", CHAT]));
    assert!(code == 2 && err.contains("nothing was selected"), "{err}");
    for (args, says) in [
        (&["--write", "out.txt", CHAT][..], ".pcapng"),
        (&["--write", text(&whole), text(&whole)], "not written over"),
        (&["--write", text(&whole), CHAT, text(&whole)], "not written over"),
        (&["--write", "/no/such/folder/out.pcap", "-"], "/no/such/folder/out.pcap"),
    ] {
        let (code, out, err) = output(&mut wstool(&[&["decode"], args].concat()));
        assert!(code == 2 && out.is_empty() && err.contains(says), "{args:?}: {err}");
    }
}

/// What came through a pipe is there again, with what is said of it; nothing else is left behind.
#[test]
fn packets_of_a_pipe_are_written() {
    let place = place("pipe");
    let (piped, read) = (place.join("piped.pcapng"), place.join("read.pcapng"));
    output(&mut wstool(&["decode", "-v", "stats", "--write", text(&read), CHAT]));
    let capture = fs::read(CHAT).expect("it is there");
    let through = |target: &Path, input: &[u8]| {
        let mut command = wstool(&["decode", "-v", "stats", "--write", text(target), "-"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary was built");
        child.stdin.take().expect("a pipe").write_all(input).expect("it reads");
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    through(&piped, &capture);
    assert_eq!(fs::read(&piped).expect("it was written"), fs::read(&read).expect("it was written"));
    // Hex, as it is pasted.
    let hex = place.join("hex.pcapng");
    through(&hex, b"81 85 37 fa 21 3d 7f 9f 4d 51 58");
    let said = String::from_utf8_lossy(&fs::read(&hex).expect("it was written")).into_owned();
    assert!(said.contains("“Hello”"), "{said}");
    let mut left: Vec<_> =
        fs::read_dir(&place).expect("it is there").map(|file| file.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["hex.pcapng", "piped.pcapng", "read.pcapng"]);
}

/// The packets of several inputs, one after the other: each with what is said of it there.
#[test]
fn packets_of_several_inputs_are_written() {
    let place = place("several");
    let made =
        |words: &str| packets(&format!("client text \"{words}\"\nserver close 1000\nclient close 1000\n"));
    let (one, two) = (made("one"), made("two"));
    let files = ["one.pcap", "two.pcap", "rest.pcap"].map(|name| place.join(name));
    let half = two.len() / 2;
    for (file, content) in files.iter().zip([&one[..], &two[..half], &two[half..]]) {
        fs::write(file, pcap(content)).expect("there is room");
    }
    let write = |how: &[&str], inputs: &[&Path], name: &str| {
        let target = place.join(name);
        let inputs: Vec<&str> = inputs.iter().map(|path| text(path)).collect();
        let args = [&["decode", "-v", "table"], how, &["--write", text(&target)], &inputs].concat();
        let (code, _, err) = output(&mut wstool(&args));
        assert!(code == 0, "{err}");
        fs::read(&target).expect("it was written")
    };
    let said = |bytes: &[u8], words: &str| String::from_utf8_lossy(bytes).matches(words).count();
    let both = write(&[], &[&files[0], CHAT.as_ref()], "both.pcapng");
    assert_eq!((said(&both, "“one”"), said(&both, "“two”")), (1, 0));
    assert!(
        said(&both, "connection 2 ends: ") == 1 && said(&both, "connection 3 ends: ") == 1,
        "chat.pcap has two"
    );
    // Parts of one capture are what the whole is.
    let whole = place.join("whole.pcap");
    fs::write(&whole, pcap(&two)).expect("there is room");
    let parts = write(&["--concat"], &[&files[1], &files[2]], "parts.pcapng");
    assert_eq!(parts, write(&[], &[&whole], "again.pcapng"));
    // One of several is selected.
    let third = write(&["--stream", "2"], &[&files[0], &whole], "second.pcapng");
    assert_eq!((said(&third, "“one”"), said(&third, "“two”")), (0, 1));
    let hex = ["8185 37fa213d 7f9f4d5158", "810568656c6c6f"];
    let target = place.join("hex.pcapng");
    let (code, _, err) = output(&mut wstool(&["decode", "--write", text(&target), hex[0], hex[1]]));
    let bytes = fs::read(&target).expect("it was written");
    assert!(said(&bytes, "“Hello”") == 1 && said(&bytes, "“hello”") == 1, "{code}: {err}");
}

/// What is said of packets stands with them, whatever the format they came in; also of hex, which has none.
#[test]
fn comments_say_what_is_in_a_packet() {
    let place = place("comments");
    let script = r#"
        client text "hello" mask=none
        server text "howdy"
        server close 1011 "db pool"
        client close 1011
    "#;
    for (name, content) in [("a.pcap", pcap(&packets(script))), ("b.pcapng", pcapng(&packets(script)))] {
        let (capture, written) = (place.join(name), place.join(format!("{name}.pcapng")));
        fs::write(&capture, content).expect("there is room");
        let args = ["decode", "-v", "table", "--write", text(&written), text(&capture)];
        let (code, _, err) = output(&mut wstool(&args));
        assert!(code == 0 && err.contains("comments"), "{err}");
        let bytes = fs::read(&written).expect("it was written");
        let said = String::from_utf8_lossy(&bytes).into_owned();
        for words in [
            "message 1, client → server, text, 5 bytes: “hello”",
            "error unmasked-client-frame: a client frame is not masked (RFC 6455 §5.1)",
            "message 2, server → client, text, 5 bytes: “howdy”",
            "1011",
            "connection 1 ends: ",
        ] {
            assert!(said.contains(words), "{name}: {words}");
        }
        if let Some(comments) = tshark(&written) {
            let one: Vec<&String> = comments.values().filter(|said| said.contains("“hello”")).collect();
            assert!(one.len() == 1 && one[0].contains("unmasked-client-frame"), "{comments:?}");
        }
    }
    let written = place.join("hex.pcapng");
    let args = ["--lang", "zh", "decode", "818537fa213d7f9f4d5158 8900", "--write", text(&written)];
    let (code, _, err) = output(&mut wstool(&args));
    assert!(code == 0 && err.starts_with("已写入"), "{err}");
    let said = String::from_utf8_lossy(&fs::read(&written).expect("it was written")).into_owned();
    assert!(
        said.contains("“Hello”") && said.contains("未掩码") || said.contains("unmasked-client-frame"),
        "{said}"
    );
    let bytes = fs::read(&written).expect("it was written");
    for sent in [&b"\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58"[..], b"\x89\0"] {
        assert!(bytes.windows(sent.len()).any(|part| part == sent), "a packet carries each frame");
    }
}

/// Comments by the number of the packet, as Wireshark reads them; `None` where it is not installed.
fn tshark(path: &Path) -> Option<BTreeMap<String, String>> {
    let mut command = Command::new("tshark");
    command.args(["-r", text(path), "-T", "fields", "-e", "frame.number", "-e", "frame.comment"]);
    let Ok(output) = command.output() else {
        eprintln!("tshark is not installed: what it reads is not tried");
        return None;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let pairs = said.lines().filter_map(|line| line.split_once('\t'));
    Some(pairs.map(|(number, comment)| (number.to_owned(), comment.to_owned())).collect())
}

#[test]
fn segments_are_seen_by_themselves_and_in_tunnels() {
    let mut packets: Vec<Vec<u8>> = Vec::new();
    let ends = Ends::default();
    let mut emit = |_: Time, packet: &[u8]| packets.push(packet.to_vec());
    let mut tcp = Tcp::open(ends, Time(0), [1, 2], &mut emit);
    tcp.send(Dir::Client, b"hello", Delivery::default(), &mut emit);
    for wrapped in [None, Some(Wrap::Vlan(3)), Some(Wrap::Vxlan(4))] {
        let seen: Vec<(bool, usize)> = packets
            .iter()
            .map(|packet| {
                let packet = wrapped.map_or_else(|| packet.clone(), |kind| wrap(packet, kind));
                let wire_len = packet.len() as u32;
                let packet = Packet { number: 1, time: Time(0), link: 1, data: &packet, wire_len };
                match glance(&packet) {
                    Some(Glance::Segment { from, to, opens, data }) => {
                        assert!([(from, to), (to, from)].contains(&(ends.client, ends.server)));
                        (opens, data.len())
                    }
                    other => panic!("{other:?}"),
                }
            })
            .collect();
        assert_eq!(seen, [(true, 0), (false, 0), (false, 0), (false, 5), (false, 0)]);
    }
}
